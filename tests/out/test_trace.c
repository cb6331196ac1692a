/* SPDX-License-Identifier: MIT */
#include "out/trace.h"

#include "formats.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char buf[65536];
static struct text out;

static struct text *fresh(void)
{
	text_init(&out, buf, sizeof(buf));
	return &out;
}

static struct addr addr_of(const char *s)
{
	struct addr a = { .family = 0 };

	assert_true(addr_parse(slice_of(s), &a));
	return a;
}

static struct path usual(void)
{
	return (struct path){ .target = "example.com", .address = "192.0.2.1", .method = METHOD_ICMP_RAW, .reason = "",
		.reached = 1, .hops = 4, .answered = 4 };
}

/* Not reached: a router behind which there is nothing. */
static struct path walled(void)
{
	struct path p = usual();

	p.reached = 0;
	p.hops = p.answered = 3;
	p.errors = 5;
	p.error = (struct ping_kind){ addr_of("198.51.100.2"), 3, 1, 5, "Destination Host Unreachable" };
	return p;
}

static struct addr addresses[2];
static const struct icmp_label labels[] = { { 24012, 5, false, 1 }, { 17, 0, true, 254 } };

/* Five sent, three back, of two routers, one with a name. */
static struct path_hop hop(void)
{
	struct path_hop h = {
		.ttl = 2, .rate_limited = true,
		.n_addresses = 2, .n_labels = 2, .addresses = addresses, .labels = labels,
		.names = { "core1.example.net" },
		.figures = {
			.target = "example.com", .address = "192.0.2.1", .method = METHOD_ICMP_RAW, .reason = "",
			.stamps = STAMPS_KERNEL_TXRX,
			.sent = 5, .received = 3, .lost = 2, .local_drops = UNKNOWN,
			.loss_ppm = 400000, .loss_low_ppm = 117000, .loss_high_ppm = 770000,
			.rtt_min = 1234567, .rtt_mean = 2345678, .rtt_max = 3456789, .rtt_mdev = 456789,
			.rtt_p50 = 2222222, .rtt_p90 = 3333333, .rtt_p99 = 3444444, .jitter = 111111, .ipdv_p99 = 5,
			.host_queue_p50 = 7, .connect_p50 = UNKNOWN, .elapsed = 5000000000, .resolve = UNKNOWN,
		},
	};

	addresses[0] = addr_of("198.51.100.1");
	addresses[1] = addr_of("2001:db8::1");
	return h;
}

static struct path_hop silent(void)
{
	struct path_hop h = hop();
	struct ping_result *r = &h.figures;

	h.ttl = 13;
	h.rate_limited = false;
	h.n_addresses = h.n_labels = 0;
	r->received = 0;
	r->lost = 5;
	r->stamps = STAMPS_NONE;
	r->loss_ppm = r->loss_high_ppm = 1000000;
	r->rtt_min = r->rtt_mean = r->rtt_max = r->rtt_mdev = r->rtt_p50 = r->rtt_p90 = r->rtt_p99 = UNKNOWN;
	r->jitter = r->ipdv_p99 = r->host_queue_p50 = UNKNOWN;
	return h;
}

static struct ping_event event(enum outcome outcome)
{
	return (struct ping_event){ .outcome = outcome, .seq = 2, .ttl = 3, .from = addr_of("198.51.100.1"),
		.rtt = 9123456, .queue = 2000, .connect = UNKNOWN, .stamps = STAMPS_KERNEL_TXRX, .type = 11 };
}

static void the_first_line_says_where_to_how_far_and_how(void **state)
{
	(void)state;
	struct path p = usual();

	trace_text_start(fresh(), &p, 30);
	assert_string_equal(buf, "trace to example.com (192.0.2.1), 30 hops at most, icmp-raw\n");
	p.method = METHOD_ICMP_DGRAM;
	p.reason = "raw ICMP: Operation not permitted";
	trace_text_start(fresh(), &p, 8);
	assert_string_equal(buf, "trace to example.com (192.0.2.1), 8 hops at most, icmp-dgram\n"
		"unprivileged socket: raw ICMP: Operation not permitted (sonde caps tells more)\n");
	p.method = METHOD_TCP;
	trace_text_start(fresh(), &p, 8);
	assert_non_null(strstr(buf, ", tcp\nno ICMP: raw ICMP: Operation not permitted"));
}

static void the_columns_stand_below_their_names(void **state)
{
	(void)state;
	struct path_hop h = hop(), s = silent();

	trace_text_head(fresh());
	trace_text_hop(&out, &h);
	trace_text_hop(&out, &s);
	assert_string_equal(buf,
		" hop   loss   sent       min       p50    max ms  address\n"
		"   2    40%      5     1.235     2.222     3.457  198.51.100.1 (core1.example.net), MPLS 24012 (tc 5, ttl 1) 17 (tc 0, "
		"ttl 254), rate-limited\n"
		"                                                  2001:db8::1\n"
		"  13   100%      5         -         -         -  *\n");
}

static void large_figures_push_the_columns_but_never_run_together(void **state)
{
	(void)state;
	struct path_hop h = hop();

	h.ttl = 255;
	h.figures.sent = 1000000;
	h.figures.loss_ppm = 123456;
	h.figures.rtt_min = h.figures.rtt_p50 = h.figures.rtt_max = INT64_C(3599999123456789);
	trace_text_hop(fresh(), &h);
	assert_non_null(strstr(buf, " 255 12.3456% 1000000 3599999123.457 3599999123.457 3599999123.457 198.51.100.1"));
}

static void the_last_line_says_whether_the_target_was_reached_or_what_is_in_the_way(void **state)
{
	(void)state;
	struct path p = usual();

	trace_text_end(fresh(), &p);
	assert_string_equal(buf, "reached in 4 hops\n");
	p.hops = p.answered = 1;
	trace_text_end(fresh(), &p);
	assert_string_equal(buf, "reached in 1 hop\n");
	p = walled();
	trace_text_end(fresh(), &p);
	assert_string_equal(buf, "not reached: Destination Host Unreachable, says 198.51.100.2\n");
	p.reached = 1; /* the target itself said so */
	trace_text_end(fresh(), &p);
	assert_string_equal(buf, "reached in 3 hops: Destination Host Unreachable, says 198.51.100.2\n");
	p.reached = 0;
	p.error = (struct ping_kind){ .text = "Operation not permitted" };
	trace_text_end(fresh(), &p);
	assert_string_equal(buf, "not reached: Operation not permitted\n");
	p = (struct path){ .hops = 12, .answered = 4 };
	trace_text_end(fresh(), &p);
	assert_string_equal(buf, "not reached: no answer from hops 5 to 12\n");
	p.answered = 10;
	trace_text_end(fresh(), &p);
	assert_string_equal(buf, "not reached: no answer from hops 11 to 12\n");
	p.answered = 11;
	trace_text_end(fresh(), &p);
	assert_string_equal(buf, "not reached: no answer from hop 12\n");
	p.answered = 12;
	trace_text_end(fresh(), &p);
	assert_string_equal(buf, "not reached\n");
}

static void an_event_is_a_short_line_for_a_watcher(void **state)
{
	(void)state;
	static const struct {
		enum outcome outcome;
		const char *want;
	} rows[] = {
		{ OUTCOME_REPLY, "round 2  hop 3  198.51.100.1  9.123 ms" },
		{ OUTCOME_LATE, "round 2  hop 3  198.51.100.1  9.123 ms  late" },
		{ OUTCOME_DUPLICATE, "round 2  hop 3  198.51.100.1  9.123 ms  duplicate" },
		{ OUTCOME_LOST, "round 2  hop 3  no answer" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct ping_event ev = event(rows[i].outcome);

		trace_text_event(fresh(), &ev);
		assert_string_equal(buf, rows[i].want);
	}
	struct ping_event ev = event(OUTCOME_ERROR);

	ev.rtt = UNKNOWN;
	ev.text = "Packet filtered";
	trace_text_event(fresh(), &ev);
	assert_string_equal(buf, "round 2  hop 3  198.51.100.1  Packet filtered");
}

/* What a stranger has written into the domain name system. */
static const char hostile[] = "a\"b\\c\n\x1b[2J,=cmd\xff";

static void nothing_that_a_name_holds_reaches_a_terminal_or_breaks_a_format(void **state)
{
	(void)state;
	struct path_hop h = hop();
	struct path p = usual();
	struct json j;

	h.names[1] = hostile;
	trace_text_hop(fresh(), &h);
	assert_null(strchr(buf, '\x1b'));
	assert_non_null(strstr(buf, "2001:db8::1 (a\"b\\c\\x0a\\x1b[2J,=cmd\\xff)\n"));
	trace_json_begin(&j, fresh());
	trace_json_path(&j, &p);
	trace_json_hop(&j, &h);
	trace_json_path_end(&j);
	trace_json_end(&j);
	assert_true(is_json_line(buf));
	assert_non_null(strstr(buf, "[\"core1.example.net\",\"a\\\"b\\\\c\\u000a\\u001b[2J,=cmd\xef\xbf\xbd\"]"));
	trace_csv_head(fresh());
	size_t width = csv_width(buf);

	trace_csv_row(fresh(), &p, &h);
	assert_int_equal(csv_width(buf), width);
	assert_null(strchr(buf, '\x1b'));
	assert_int_equal(strchr(buf, '\n')[1], '\0');
	bool named = false;

	fresh();
	for (size_t i = 0; i < ping_fields.n; i++, named = false)
		trace_prom_hop(&out, i, &h, &named);
	assert_true(prom_samples(buf) > 5);
}

static const char *document(const struct path *p, const struct path_hop *v, size_t n)
{
	struct json j;

	trace_json_begin(&j, fresh());
	trace_json_path(&j, p);
	for (size_t i = 0; i < n; i++)
		trace_json_hop(&j, &v[i]);
	trace_json_path_end(&j);
	trace_json_end(&j);
	assert_true(is_json_line(buf));
	return buf;
}

static void the_document_has_the_members_of_the_contract(void **state)
{
	(void)state;
	const struct path_hop v[] = { hop(), silent() };
	struct path p = usual();

	document(&p, v, 2);
	assert_string_equal(member_of(buf, "schema"), "1");
	assert_string_equal(member_of(buf, "type"), "\"trace\"");
	static const char *const want[] = {
		"\"targets\":[{\"target\":\"example.com\",\"address\":\"192.0.2.1\",\"method\":\"icmp-raw\",\"method_reason\":null,"
		"\"reached\":true,\"unreachable\":null,\"hops\":[{\"ttl\":2,\"addresses\":[\"198.51.100.1\",\"2001:db8::1\"],"
		"\"names\":[\"core1.example.net\",null],\"stamps\":\"kernel-txrx\",\"sent\":5,\"received\":3,\"lost\":2,",
		"\"loss_ratio\":0.400000,", "\"rtt_min_ms\":1.234567,", "\"rtt_p50_ms\":2.222222,", "\"jitter_ms\":0.111111,",
		"\"rate_limited\":true,\"mpls\":[{\"label\":24012,\"tc\":5,\"bottom\":false,\"ttl\":1},"
		"{\"label\":17,\"tc\":0,\"bottom\":true,\"ttl\":254}]},",
		"{\"ttl\":13,\"addresses\":[],\"names\":[],\"stamps\":null,\"sent\":5,\"received\":0,\"lost\":5,",
		"\"rtt_p50_ms\":null,", "\"rate_limited\":false,\"mpls\":[]}]}]}\n",
	};
	const char *at = buf;

	for (size_t i = 0; i < COUNT(want); i++) {
		at = strstr(at, want[i]);
		if (!at)
			fail_msg("%s is not where it should be in %s", want[i], buf);
	}
	document(&p, v, 0);
	assert_non_null(strstr(buf, "\"hops\":[]}]}\n"));
}

static void the_document_says_who_said_what_where_it_ends(void **state)
{
	(void)state;
	struct path p = walled();

	document(&p, NULL, 0);
	assert_non_null(strstr(buf, "\"reached\":false,\"unreachable\":{\"ttl\":3,\"from\":\"198.51.100.2\",\"icmp_type\":3,"
		"\"icmp_code\":1,\"error\":\"Destination Host Unreachable\"},"));
	p.error = (struct ping_kind){ .text = "Operation not permitted" };
	document(&p, NULL, 0);
	assert_non_null(strstr(buf, "\"unreachable\":{\"ttl\":3,\"from\":null,\"icmp_type\":null,\"icmp_code\":null,"
		"\"error\":\"Operation not permitted\"},"));
}

static void several_targets_stand_in_one_document(void **state)
{
	(void)state;
	struct path p = usual(), q = walled();
	struct path_hop h = hop();
	struct json j;

	trace_json_begin(&j, fresh());
	trace_json_path(&j, &p);
	trace_json_hop(&j, &h);
	trace_json_path_end(&j);
	trace_json_path(&j, &q);
	trace_json_hop(&j, &h);
	trace_json_hop(&j, &h);
	trace_json_path_end(&j);
	trace_json_end(&j);
	assert_true(is_json_line(buf));
}

static const char *line_of(enum outcome outcome, uint8_t type, const char *text)
{
	struct ping_event ev = event(outcome);
	struct path p = usual();

	ev.type = type;
	ev.text = text;
	if (outcome == OUTCOME_LOST) {
		ev.from.family = 0;
		ev.rtt = UNKNOWN;
		ev.stamps = STAMPS_NONE;
	}
	trace_ndjson_event(fresh(), &ev, &p);
	assert_true(is_json_line(buf));
	return buf;
}

static void each_probe_is_a_line_of_ndjson_with_its_ttl_and_who_answered(void **state)
{
	(void)state;
	assert_string_equal(line_of(OUTCOME_REPLY, 11, NULL),
		"{\"schema\":1,\"type\":\"probe\",\"target\":\"example.com\",\"address\":\"192.0.2.1\",\"ttl\":3,\"seq\":2,"
		"\"outcome\":\"reply\",\"rtt_ms\":9.123456,\"host_queue_ms\":0.002000,\"stamps\":\"kernel-txrx\",\"method\":\"icmp-raw\","
		"\"from\":\"198.51.100.1\",\"icmp_type\":11,\"icmp_code\":0,\"error\":null}\n");
	line_of(OUTCOME_REPLY, 0, NULL); /* of the target */
	assert_string_equal(member_of(buf, "icmp_type"), "null");
	assert_string_equal(member_of(buf, "from"), "\"198.51.100.1\"");
	line_of(OUTCOME_LOST, 0, NULL);
	assert_string_equal(member_of(buf, "outcome"), "\"lost\"");
	assert_string_equal(member_of(buf, "rtt_ms"), "null");
	assert_string_equal(member_of(buf, "from"), "null");
	assert_string_equal(member_of(buf, "stamps"), "null");
	line_of(OUTCOME_ERROR, 3, "Packet filtered");
	assert_string_equal(member_of(buf, "outcome"), "\"error\"");
	assert_string_equal(member_of(buf, "icmp_type"), "3");
	assert_string_equal(member_of(buf, "error"), "\"Packet filtered\"");
}

static void csv_has_a_row_for_each_hop(void **state)
{
	(void)state;
	const struct path_hop v[] = { hop(), silent() };
	struct path p = usual();
	char both[8192];

	trace_csv_head(fresh());
	size_t width = csv_width(buf);
	size_t n = out.len;

	for (size_t i = 0; i < 2; i++) {
		text_init(&out, buf, sizeof(buf));
		trace_csv_head(&out);
		trace_csv_row(&out, &p, &v[i]);
		assert_int_equal(csv_width(buf + n), width);
		snprintf(both, sizeof(both), "%s", csv_below(buf, "ttl"));
		assert_string_equal(both, i == 0 ? "2" : "13");
		assert_string_equal(csv_below(buf, "target"), "example.com");
		assert_string_equal(csv_below(buf, "reached"), "1");
		assert_string_equal(csv_below(buf, "hops"), "4");
		assert_string_equal(csv_below(buf, "hop_addresses"), i == 0 ? "198.51.100.1 2001:db8::1" : "");
		assert_string_equal(csv_below(buf, "hop_names"), i == 0 ? "core1.example.net ?" : "");
		assert_string_equal(csv_below(buf, "mpls"), i == 0 ? "24012 17" : "");
		assert_string_equal(csv_below(buf, "rate_limited"), i == 0 ? "1" : "0");
		assert_string_equal(csv_below(buf, "sent"), "5");
		assert_string_equal(csv_below(buf, "rtt_p50_ms"), i == 0 ? "2.222222" : "");
	}
}

static void prometheus_gets_a_sample_for_each_hop_and_figure(void **state)
{
	(void)state;
	const struct path_hop v[] = { hop(), silent() };
	struct path p = usual();

	fresh();
	for (size_t row = 0; row < trace_fields.n; row++) {
		bool named = false;

		trace_prom_path(&out, row, &p, &named);
	}
	for (size_t row = 0; row < ping_fields.n; row++) {
		bool named = false;

		for (size_t i = 0; i < 2; i++)
			trace_prom_hop(&out, row, &v[i], &named);
	}
	assert_true(prom_samples(buf) > 20);
	assert_non_null(strstr(buf, "\nsonde_trace_reached{target=\"example.com\",address=\"192.0.2.1\",method=\"icmp-raw\"} 1\n"));
	assert_non_null(strstr(buf, "\nsonde_trace_hops{target=\"example.com\",address=\"192.0.2.1\",method=\"icmp-raw\"} 4\n"));
	assert_non_null(strstr(buf, "\nsonde_trace_loss_ratio{target=\"example.com\",address=\"192.0.2.1\",method=\"icmp-raw\","
		"ttl=\"2\",hop=\"198.51.100.1\"} 0.400000\n"));
	assert_non_null(strstr(buf, ",ttl=\"13\",hop=\"\"} 1.000000\n"));
	assert_non_null(strstr(buf, "sonde_trace_rtt_p50_seconds{"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_line_says_where_to_how_far_and_how),
		cmocka_unit_test(the_columns_stand_below_their_names),
		cmocka_unit_test(large_figures_push_the_columns_but_never_run_together),
		cmocka_unit_test(the_last_line_says_whether_the_target_was_reached_or_what_is_in_the_way),
		cmocka_unit_test(an_event_is_a_short_line_for_a_watcher),
		cmocka_unit_test(nothing_that_a_name_holds_reaches_a_terminal_or_breaks_a_format),
		cmocka_unit_test(the_document_has_the_members_of_the_contract),
		cmocka_unit_test(the_document_says_who_said_what_where_it_ends),
		cmocka_unit_test(several_targets_stand_in_one_document),
		cmocka_unit_test(each_probe_is_a_line_of_ndjson_with_its_ttl_and_who_answered),
		cmocka_unit_test(csv_has_a_row_for_each_hop),
		cmocka_unit_test(prometheus_gets_a_sample_for_each_hop_and_figure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
