/* SPDX-License-Identifier: MIT */
#include "out/ping.h"

#include "formats.h"
#include "out/field.h"

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

/* Ten sent, nine back. */
static struct ping_result usual(void)
{
	return (struct ping_result){
		.target = "example.com",
		.address = "192.0.2.1",
		.method = METHOD_ICMP_RAW,
		.stamps = STAMPS_KERNEL_TXRX,
		.reason = "",
		.sent = 10, .received = 9, .lost = 1, .local_drops = UNKNOWN,
		.loss_ppm = 100000, .loss_low_ppm = 17876, .loss_high_ppm = 404156,
		.rtt_min = 1234567, .rtt_mean = 2345678, .rtt_max = 3456789, .rtt_mdev = 456789,
		.rtt_p50 = 2222222, .rtt_p90 = 3333333, .rtt_p99 = 3444444, .jitter = 111111, .ipdv_p99 = 5,
		.host_queue_p50 = 7, .connect_p50 = UNKNOWN, .resolve = UNKNOWN, .loss_runs = 1, .loss_run_max = 1,
		.elapsed = 9012345678,
	};
}

/* Nothing came back. */
static struct ping_result silent(void)
{
	struct ping_result r = usual();

	r.received = 0;
	r.lost = 10;
	r.stamps = STAMPS_NONE;
	r.loss_ppm = r.loss_high_ppm = 1000000;
	r.loss_low_ppm = 722460;
	r.loss_run_max = 10;
	r.rtt_min = r.rtt_mean = r.rtt_max = r.rtt_mdev = r.rtt_p50 = r.rtt_p90 = r.rtt_p99 = UNKNOWN;
	r.jitter = r.ipdv_p99 = r.host_queue_p50 = UNKNOWN;
	return r;
}

static struct ping_event reply(void)
{
	return (struct ping_event){ .outcome = OUTCOME_REPLY, .seq = 1, .from = addr_of("192.0.2.1"), .rtt = 48000,
		.queue = 2000, .connect = UNKNOWN,
		.stamps = STAMPS_KERNEL_TXRX, .ttl = 64, .bytes = 64 };
}

static const char *start_of(const struct ping_result *r, size_t size)
{
	ping_text_start(fresh(), r, size);
	return buf;
}

static void the_first_line_is_that_of_ping(void **state)
{
	(void)state;
	struct ping_result r = usual();

	assert_string_equal(start_of(&r, 56), "PING example.com (192.0.2.1) 56(84) bytes of data.\n");
	assert_string_equal(start_of(&r, 0), "PING example.com (192.0.2.1) 0(28) bytes of data.\n");
	r.target = "192.0.2.1";
	assert_string_equal(start_of(&r, 56), "PING 192.0.2.1 (192.0.2.1) 56(84) bytes of data.\n");
	strcpy(r.address, "2001:db8::1");
	assert_string_equal(start_of(&r, 56), "PING 192.0.2.1 (2001:db8::1) 56(104) bytes of data.\n");
}

static void below_it_stands_how_and_why_not_better(void **state)
{
	(void)state;
	struct ping_result r = usual();

	r.method = METHOD_ICMP_DGRAM;
	r.reason = "raw ICMP: Operation not permitted";
	start_of(&r, 56);
	assert_non_null(strstr(buf, "bytes of data.\n"));
	assert_non_null(strstr(buf, "\nunprivileged socket: raw ICMP: Operation not permitted"));
	r.method = METHOD_TCP;
	start_of(&r, 56);
	assert_null(strstr(buf, "bytes of data"));
	assert_non_null(strstr(buf, "TCP"));
	assert_non_null(strstr(buf, "\nno ICMP: raw ICMP: Operation not permitted"));
	r.method = METHOD_HTTP;
	r.reason = "";
	start_of(&r, 56);
	assert_non_null(strstr(buf, "HTTP"));
	assert_int_equal(strchr(buf, '\n')[1], '\0');
}

static void each_event_is_the_line_that_others_parse(void **state)
{
	(void)state;
	static const struct {
		enum outcome outcome;
		enum method method;
		const char *target, *want;
	} rows[] = {
		{ OUTCOME_REPLY, METHOD_ICMP_RAW, "192.0.2.1",
			"64 bytes from 192.0.2.1: icmp_seq=1 ttl=64 time=0.048 ms\n" },
		{ OUTCOME_REPLY, METHOD_ICMP_DGRAM, "example.com",
			"64 bytes from example.com (192.0.2.1): icmp_seq=1 ttl=64 time=0.048 ms\n" },
		{ OUTCOME_DUPLICATE, METHOD_ICMP_RAW, "192.0.2.1",
			"64 bytes from 192.0.2.1: icmp_seq=1 ttl=64 time=0.048 ms (DUP!)\n" },
		{ OUTCOME_LATE, METHOD_ICMP_RAW, "192.0.2.1",
			"64 bytes from 192.0.2.1: icmp_seq=1 ttl=64 time=0.048 ms (late)\n" },
		{ OUTCOME_LOST, METHOD_ICMP_RAW, "192.0.2.1", "no answer from 192.0.2.1: icmp_seq=1\n" },
		{ OUTCOME_LOST, METHOD_TCP, "example.com", "no answer from example.com (192.0.2.1): tcp_seq=1\n" },
		{ OUTCOME_ERROR, METHOD_ICMP_RAW, "example.com",
			"From 192.0.2.1 icmp_seq=1 Destination Host Unreachable\n" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct ping_result r = usual();
		struct ping_event e = reply();

		r.method = rows[i].method;
		r.target = rows[i].target;
		e.outcome = rows[i].outcome;
		e.text = e.outcome == OUTCOME_LOST ? NULL : "Destination Host Unreachable";
		ping_text_event(fresh(), &e, &r, false);
		assert_string_equal(buf, rows[i].want);
	}
}

static void a_corrupt_reply_has_no_time(void **state)
{
	(void)state;
	struct ping_result r = usual();
	struct ping_event e = reply();

	e.outcome = OUTCOME_CORRUPT;
	e.rtt = UNKNOWN;
	ping_text_event(fresh(), &e, &r, false);
	assert_true(strncmp(buf, "64 bytes from example.com (192.0.2.1): icmp_seq=1 ttl=64 (corrupt", 65) == 0);
	assert_null(strstr(buf, "time="));
}

static void an_answer_over_another_transport_has_neither_size_nor_ttl(void **state)
{
	(void)state;
	static const struct {
		enum method method;
		const char *want;
	} rows[] = { { METHOD_TCP, "answer from example.com (192.0.2.1): tcp_seq=1 time=0.048 ms\n" },
		{ METHOD_HTTP, "answer from example.com (192.0.2.1): http_seq=1 time=0.048 ms\n" } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct ping_result r = usual();
		struct ping_event e = reply();

		r.method = rows[i].method;
		e.bytes = 0;
		e.ttl = 0;
		ping_text_event(fresh(), &e, &r, false);
		assert_non_null(strstr(buf, " ttl=0 "));
		e.ttl = -1;
		ping_text_event(fresh(), &e, &r, false);
		assert_string_equal(buf, rows[i].want);
	}
}

static void an_error_of_this_machine_names_the_target(void **state)
{
	(void)state;
	struct ping_result r = usual();
	struct ping_event e = reply();

	e.outcome = OUTCOME_ERROR;
	e.from.family = 0;
	e.text = "Network is unreachable";
	ping_text_event(fresh(), &e, &r, false);
	assert_string_equal(buf, "example.com (192.0.2.1): icmp_seq=1 Network is unreachable\n");
}

static void the_statistics_are_those_of_ping_and_more(void **state)
{
	(void)state;
	struct ping_result r = usual();

	ping_text_summary(fresh(), &r);
	assert_string_equal(buf,
		"\n--- example.com ping statistics ---\n"
		"10 packets transmitted, 9 received, 10% packet loss, time 9012ms\n"
		"rtt min/avg/max/mdev = 1.235/2.346/3.457/0.457 ms\n"
		"rtt p50/p90/p99 = 2.222/3.333/3.444 ms, jitter 0.111 ms; icmp-raw, stamps kernel-txrx\n"
		"loss 10%, with 95% confidence 1.8% to 40.4%\n");
}

/* By UDP: a reflector's clock may be good where its count is not, and the other way round. */
static void each_way_has_its_line_where_a_reflector_tells(void **state)
{
	(void)state;
	struct ping_result r = usual();

	r.method = METHOD_UDP;
	r.there = (struct ping_way){ 100, 2, 20000, 10000, 300000 };
	r.back = (struct ping_way){ 98, 0, 0, UNKNOWN, UNKNOWN };
	ping_text_summary(fresh(), &r);
	assert_non_null(strstr(buf,
		"ms; udp, stamps kernel-txrx\n"
		"there: lost 2 of 100 (2%), queue p50 0.010 p99 0.300 ms\n"
		"back: lost 0 of 98 (0%), queue unknown\n"
		"loss 10%"));
	r.there.lost = UNKNOWN;
	ping_text_summary(fresh(), &r);
	assert_non_null(strstr(buf,
		"there: losses cannot be told apart, since the reflector does not count our probes, queue p50 0.010 "));
	r.received = 0;
	ping_text_summary(fresh(), &r);
	assert_null(strstr(buf, "there"));
	assert_null(strstr(buf, "back"));
}

static void the_statistics_name_what_else_there_was(void **state)
{
	(void)state;
	struct ping_result r = usual();

	r.duplicates = 2;
	r.corrupt = 3;
	r.errors = 1;
	r.late = 4;
	r.reordered = 5;
	r.in_flight = 6;
	r.local_drops = 7;
	ping_text_summary(fresh(), &r);
	assert_non_null(strstr(buf,
		"\n10 packets transmitted, 9 received, +2 duplicates, +3 corrupted, +1 errors, 10% packet loss, "));
	assert_non_null(strstr(buf, "+4 late"));
	assert_non_null(strstr(buf, "+6 still on the way"));
	assert_non_null(strstr(buf, "+5 reordered"));
	assert_non_null(strstr(buf, "+7 dropped by our own buffer"));
}

static void the_statistics_of_silence_have_no_round_trips(void **state)
{
	(void)state;
	struct ping_result r = silent();

	ping_text_summary(fresh(), &r);
	assert_non_null(strstr(buf, "\n10 packets transmitted, 0 received, 100% packet loss, time 9012ms\n"));
	assert_null(strstr(buf, "rtt"));
	assert_null(strstr(buf, "jitter"));
	assert_non_null(strstr(buf, "loss 100%"));
}

static void one_answer_is_enough_for_round_trips(void **state)
{
	(void)state;
	struct ping_result r = usual();

	r.received = 1;
	r.jitter = UNKNOWN;
	ping_text_summary(fresh(), &r);
	assert_non_null(strstr(buf, "\nrtt min/avg/max/mdev = 1.235/2.346/3.457/0.457 ms\n"));
	assert_null(strstr(buf, "jitter"));
}

static void before_anything_is_decided_nothing_has_come_back(void **state)
{
	(void)state;
	struct ping_result r = silent();

	r.sent = r.in_flight = 1;
	r.lost = 0;
	r.loss_ppm = r.loss_low_ppm = r.loss_high_ppm = UNKNOWN;
	ping_text_summary(fresh(), &r);
	assert_non_null(strstr(buf, "\n1 packets transmitted, 0 received, 100% packet loss, time "));
	assert_null(strstr(buf, "confidence"));
	assert_non_null(strstr(buf, "+1 still on the way\n"));
	ping_text_line(fresh(), &r, true);
	assert_string_equal(buf, "example.com (192.0.2.1) : xmt/rcv/%loss = 1/0/100%, +1 still on the way\n");
}

static void a_loss_in_small_parts_is_shown(void **state)
{
	(void)state;
	struct ping_result r = usual();

	r.sent = 3;
	r.received = 2;
	r.loss_ppm = 333333;
	ping_text_summary(fresh(), &r);
	assert_non_null(strstr(buf, ", 33.3333% packet loss, "));
}

static void a_connection_tells_both_times(void **state)
{
	(void)state;
	struct ping_result r = usual();
	struct ping_event e = reply();

	r.method = METHOD_TCP;
	e.bytes = 0;
	e.ttl = -1;
	e.connect = 81000;
	ping_text_event(fresh(), &e, &r, false);
	assert_string_equal(buf, "answer from example.com (192.0.2.1): tcp_seq=1 time=0.048 ms connect=0.081 ms\n");
	ping_ndjson_event(fresh(), &e, &r);
	assert_string_equal(member_of(buf, "rtt_ms"), "0.048000");
	assert_string_equal(member_of(buf, "connect_ms"), "0.081000");
}

static struct ping_result troubled(void)
{
	struct ping_result r = usual();

	r.n_kinds = 3;
	r.kinds[0] = (struct ping_kind){ addr_of("192.0.2.254"), 3, 1, 12, "Destination Host Unreachable" };
	r.kinds[1] = (struct ping_kind){ addr_of("2001:db8::ffff"), 3, 0, 2, "Time exceeded: Hop limit" };
	r.kinds[2] = (struct ping_kind){ .count = 5, .text = "Connection refused" };
	r.errors = 19;
	return r;
}

static void the_statistics_tell_each_kind_of_error_and_its_sender(void **state)
{
	(void)state;
	struct ping_result r = troubled();

	ping_text_summary(fresh(), &r);
	assert_non_null(strstr(buf, "\n12 x Destination Host Unreachable, from 192.0.2.254\n"));
	assert_non_null(strstr(buf, "\n2 x Time exceeded: Hop limit, from 2001:db8::ffff\n"));
	assert_non_null(strstr(buf, "\n5 x Connection refused\n"));
	assert_int_equal(buf[out.len - 1], '\n');
}

static void the_statistics_tell_the_longest_run_where_it_is_one(void **state)
{
	(void)state;
	struct ping_result r = usual();

	ping_text_summary(fresh(), &r);
	assert_null(strstr(buf, "run"));
	r.loss_run_max = 7;
	ping_text_summary(fresh(), &r);
	assert_non_null(strstr(buf, ", longest run 7\n"));
}

/* `host : xmt/rcv/%loss = 5/5/0%, min/avg/max = 0.10/0.20/0.30` is what programs look for in the output of fping. */
static void a_target_among_many_is_one_line_as_fping_writes_it(void **state)
{
	(void)state;
	struct ping_result r = usual(), quiet = silent();

	ping_text_line(fresh(), &r, true);
	assert_string_equal(buf, "example.com (192.0.2.1) : xmt/rcv/%loss = 10/9/10%, min/avg/max = 1.235/2.346/3.457, "
		"p50/p99/jitter = 2.222/3.444/0.111\n");
	r.target = r.address;
	r.rtt_p50 = UNKNOWN; /* too many targets for distributions */
	ping_text_line(fresh(), &r, true);
	assert_string_equal(buf, "192.0.2.1 : xmt/rcv/%loss = 10/9/10%, min/avg/max = 1.235/2.346/3.457\n");
	ping_text_line(fresh(), &quiet, true);
	assert_string_equal(buf, "example.com (192.0.2.1) : xmt/rcv/%loss = 10/0/100%\n");
	r = usual();
	r.received = 1;
	r.jitter = UNKNOWN;
	ping_text_line(fresh(), &r, true);
	assert_null(strstr(buf, "jitter"));
	r.late = 2;
	r.duplicates = 3;
	r.corrupt = 4;
	r.errors = 5;
	ping_text_line(fresh(), &r, true);
	assert_non_null(strstr(buf, ", +2 late, +3 duplicates, +4 corrupted, +5 errors\n"));
}

static struct ping_result unresolved(void)
{
	struct ping_result r = silent();

	r.address[0] = '\0';
	r.sent = r.lost = 0;
	r.loss_ppm = r.loss_low_ppm = r.loss_high_ppm = UNKNOWN;
	r.resolve = 3 * NS_PER_MS;
	r.resolve_error = "cannot resolve 'example.com': Name or service not known";
	return r;
}

static void a_name_without_an_address_says_why(void **state)
{
	(void)state;
	struct ping_result r = unresolved();

	ping_text_line(fresh(), &r, true);
	assert_string_equal(buf, "example.com : cannot resolve 'example.com': Name or service not known\n");
	ping_text_name(fresh(), &r);
	assert_non_null(strstr(buf, "cannot resolve 'example.com': Name or service not known\n"));
	assert_ptr_equal(strchr(buf, '\n'), buf + out.len - 1);
	ping_ndjson_name(fresh(), &r);
	assert_string_equal(buf, "{\"schema\":1,\"type\":\"resolve\",\"target\":\"example.com\",\"address\":null,"
		"\"resolve_ms\":3.000000,\"error\":\"cannot resolve 'example.com': Name or service not known\"}\n");
}

static void a_name_with_an_address_is_a_line_for_programs_only(void **state)
{
	(void)state;
	struct ping_result r = usual();

	r.resolve = 12345678;
	ping_text_name(fresh(), &r);
	assert_string_equal(buf, "");
	ping_ndjson_name(fresh(), &r);
	assert_string_equal(buf,
		"{\"schema\":1,\"type\":\"resolve\",\"target\":\"example.com\",\"address\":\"192.0.2.1\","
		"\"resolve_ms\":12.345678,\"error\":null}\n");
}

static void the_total_of_many_adds_up(void **state)
{
	(void)state;
	struct ping_total sum = { .local_drops = UNKNOWN };
	struct ping_result r[] = { usual(), silent(), usual() };

	for (size_t i = 0; i < COUNT(r); i++)
		ping_total_add(&sum, &r[i]);
	ping_text_total(fresh(), &sum);
	assert_string_equal(buf, "\n3 targets, 2 answered, 1 did not; 30 probes, 18 answers, 12 lost, in 9 s\n");
	struct ping_result none = unresolved();

	ping_total_add(&sum, &none);
	sum.local_drops = 4;
	ping_text_total(fresh(), &sum);
	assert_string_equal(buf,
		"\n4 targets, 2 answered, 1 did not, 1 have no address; 30 probes, 18 answers, 12 lost, "
		"+4 dropped by our own buffer, in 9 s\n");
}

static void one_event_is_one_line_of_ndjson(void **state)
{
	(void)state;
	struct ping_result r = usual();
	struct ping_event e = reply();

	ping_ndjson_event(fresh(), &e, &r);
	assert_string_equal(buf,
		"{\"schema\":1,\"type\":\"probe\",\"target\":\"example.com\",\"address\":\"192.0.2.1\",\"seq\":1,"
				 "\"outcome\":\"reply\",\"rtt_ms\":0.048000,\"host_queue_ms\":0.002000,"
				 "\"connect_ms\":null,\"ttl\":64,"
				 "\"stamps\":\"kernel-txrx\",\"method\":\"icmp-raw\"}\n");
}

static void each_outcome_has_its_word_and_null_where_nothing_is_known(void **state)
{
	(void)state;
	static const char *const words[] = { "\"reply\"", "\"lost\"", "\"late\"", "\"duplicate\"", "\"corrupt\"",
		"\"error\"" };

	for (int i = 0; i < OUTCOME_N; i++) {
		struct ping_result r = usual();
		struct ping_event e = { .outcome = (enum outcome)i, .seq = 7, .rtt = UNKNOWN, .queue = UNKNOWN,
			.connect = UNKNOWN, .ttl = -1 };

		ping_ndjson_event(fresh(), &e, &r);
		assert_true(is_json_line(buf));
		assert_string_equal(member_of(buf, "outcome"), words[i]);
		assert_string_equal(member_of(buf, "seq"), "7");
		assert_string_equal(member_of(buf, "rtt_ms"), "null");
		assert_string_equal(member_of(buf, "host_queue_ms"), "null");
		assert_string_equal(member_of(buf, "connect_ms"), "null");
		assert_string_equal(member_of(buf, "ttl"), "null");
		assert_string_equal(member_of(buf, "stamps"), "null");
	}
}

static void a_ttl_of_nothing_is_one_too(void **state)
{
	(void)state;
	struct ping_result r = usual();
	struct ping_event e = reply();

	e.ttl = 0;
	ping_ndjson_event(fresh(), &e, &r);
	assert_string_equal(member_of(buf, "ttl"), "0");
}

static void an_error_says_who_reported_it(void **state)
{
	(void)state;
	struct ping_result r = usual();
	struct ping_event e = { .outcome = OUTCOME_ERROR, .seq = 1, .rtt = UNKNOWN, .queue = UNKNOWN, .ttl = -1,
		.type = 3,
		.code = 0, .from = addr_of("192.0.2.254"), .text = "Destination Net Unreachable" };

	ping_ndjson_event(fresh(), &e, &r);
	assert_true(is_json_line(buf));
	assert_string_equal(member_of(buf, "from"), "\"192.0.2.254\"");
	assert_string_equal(member_of(buf, "icmp_type"), "3");
	assert_string_equal(member_of(buf, "icmp_code"), "0");
	assert_string_equal(member_of(buf, "error"), "\"Destination Net Unreachable\"");
	e.from.family = 0;
	e.type = 0;
	ping_ndjson_event(fresh(), &e, &r);
	assert_true(is_json_line(buf));
	assert_string_equal(member_of(buf, "from"), "null");
	assert_string_equal(member_of(buf, "icmp_type"), "null");
}

static void the_document_holds_each_target(void **state)
{
	(void)state;
	for (int n = 0; n < 4; n++) {
		struct ping_result r = usual();
		struct text *t = fresh();
		struct json j;
		const char *at;
		int targets = 0;

		json_init(&j, t);
		ping_json_begin(&j);
		for (int i = 0; i < n; i++)
			ping_json(&j, NULL, &r);
		ping_json_end(&j, &(struct ping_total){ .local_drops = n > 1 ? n : UNKNOWN });
		assert_true(is_json_line(buf));
		assert_string_equal(member_of(buf, "local_drops"), n == 3 ? "3" : n == 2 ? "2" : "null");
		assert_string_equal(member_of(buf, "schema"), "1");
		assert_string_equal(member_of(buf, "type"), "\"ping\"");
		for (at = buf; (at = strstr(at, "\"target\":\"example.com\"")) != NULL; at++)
			targets++;
		assert_int_equal(targets, n);
	}
}

static const char *json_of(const struct ping_result *r)
{
	struct json j;

	json_init(&j, fresh());
	ping_json(&j, NULL, r);
	text_char(&out, '\n');
	assert_true(is_json_line(buf));
	return buf;
}

static void each_kind_of_error_is_an_object(void **state)
{
	(void)state;
	struct ping_result r = troubled();

	assert_string_equal(member_of(json_of(&r), "error_kinds"),
		"[{\"from\":\"192.0.2.254\",\"icmp_type\":3,\"icmp_code\":1,"
		"\"error\":\"Destination Host Unreachable\",\"count\":12},"
		"{\"from\":\"2001:db8::ffff\",\"icmp_type\":3,\"icmp_code\":0,"
		"\"error\":\"Time exceeded: Hop limit\",\"count\":2},"
		"{\"from\":null,\"icmp_type\":null,\"icmp_code\":null,\"error\":\"Connection refused\",\"count\":5}]");
	r = usual();
	assert_string_equal(member_of(json_of(&r), "error_kinds"), "[]");
	r.n_kinds = PING_KINDS;
	for (size_t i = 0; i < PING_KINDS; i++)
		r.kinds[i] = (struct ping_kind){ addr_of("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"), 255, 255, INT64_MAX,
			"x" };
	assert_true(is_json_line(json_of(&r)));
}

static void the_csv_has_a_head_and_a_line_a_target(void **state)
{
	(void)state;
	struct ping_result r = usual();
	struct text *t = fresh();

	ping_csv_head(t);
	ping_csv_row(t, &r);
	assert_int_equal(csv_width(buf), csv_width(strchr(buf, '\n') + 1));
	assert_string_equal(csv_below(buf, "target"), "example.com");
	assert_string_equal(csv_below(buf, "rtt_p50_ms"), "2.222222");
	assert_string_equal(csv_below(buf, "local_drops"), "");
	assert_int_equal(buf[t->len - 1], '\n');
}

static void samples_carry_the_prefix_of_ping(void **state)
{
	(void)state;
	struct ping_result a = usual(), b = silent();
	struct text *t = fresh();

	b.target = "other";
	for (size_t row = 0; row < ping_fields.n; row++) {
		bool named = false;

		ping_prom(t, row, &a, &named);
		ping_prom(t, row, &b, &named);
	}
	assert_true(prom_samples(buf) > 25);
	assert_non_null(strstr(buf,
		"\nsonde_ping_lost_total{target=\"other\",address=\"192.0.2.1\",method=\"icmp-raw\"} 10\n"));
	assert_non_null(strstr(buf, "\nsonde_ping_rtt_p99_seconds{target=\"example.com\""));
	assert_null(strstr(buf, "\nsonde_ping_rtt_p99_seconds{target=\"other\""));
}

static void hostile_names_do_not_reach_the_terminal(void **state)
{
	(void)state;
	struct ping_result r = usual();
	struct ping_event e = reply();
	struct text *t = fresh();
	struct json j;

	r.target = "\x1b]0;owned\a\r\nevil\x9b" "2J";
	ping_text_start(t, &r, 56);
	ping_text_event(t, &e, &r, false);
	e.outcome = OUTCOME_LOST;
	ping_text_event(t, &e, &r, false);
	ping_text_summary(t, &r);
	ping_text_line(t, &r, true);
	r.resolve_error = "cannot resolve '\x1b[2J\r\nevil': \x9b";
	ping_text_line(t, &r, true);
	ping_text_name(t, &r);
	ping_ndjson_name(t, &r);
	ping_ndjson_event(t, &e, &r);
	json_init(&j, t);
	ping_json(&j, NULL, &r);
	ping_csv_row(t, &r);
	for (size_t i = 0; i < t->len; i++)
		assert_true((unsigned char)buf[i] >= 0x20 || buf[i] == '\n');
	assert_null(strstr(buf, "\nevil"));
	assert_null(strchr(buf, '\x9b'));
	ping_ndjson_event(fresh(), &e, &r);
	assert_true(is_json_line(buf));
	ping_ndjson_name(fresh(), &r);
	assert_true(is_json_line(buf));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_line_is_that_of_ping),
		cmocka_unit_test(below_it_stands_how_and_why_not_better),
		cmocka_unit_test(each_event_is_the_line_that_others_parse),
		cmocka_unit_test(a_corrupt_reply_has_no_time),
		cmocka_unit_test(an_answer_over_another_transport_has_neither_size_nor_ttl),
		cmocka_unit_test(an_error_of_this_machine_names_the_target),
		cmocka_unit_test(the_statistics_are_those_of_ping_and_more),
		cmocka_unit_test(each_way_has_its_line_where_a_reflector_tells),
		cmocka_unit_test(the_statistics_name_what_else_there_was),
		cmocka_unit_test(the_statistics_of_silence_have_no_round_trips),
		cmocka_unit_test(one_answer_is_enough_for_round_trips),
		cmocka_unit_test(before_anything_is_decided_nothing_has_come_back),
		cmocka_unit_test(a_loss_in_small_parts_is_shown),
		cmocka_unit_test(a_connection_tells_both_times),
		cmocka_unit_test(the_statistics_tell_each_kind_of_error_and_its_sender),
		cmocka_unit_test(the_statistics_tell_the_longest_run_where_it_is_one),
		cmocka_unit_test(a_target_among_many_is_one_line_as_fping_writes_it),
		cmocka_unit_test(a_name_without_an_address_says_why),
		cmocka_unit_test(a_name_with_an_address_is_a_line_for_programs_only),
		cmocka_unit_test(the_total_of_many_adds_up),
		cmocka_unit_test(one_event_is_one_line_of_ndjson),
		cmocka_unit_test(each_outcome_has_its_word_and_null_where_nothing_is_known),
		cmocka_unit_test(a_ttl_of_nothing_is_one_too),
		cmocka_unit_test(an_error_says_who_reported_it),
		cmocka_unit_test(the_document_holds_each_target),
		cmocka_unit_test(each_kind_of_error_is_an_object),
		cmocka_unit_test(the_csv_has_a_head_and_a_line_a_target),
		cmocka_unit_test(samples_carry_the_prefix_of_ping),
		cmocka_unit_test(hostile_names_do_not_reach_the_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
