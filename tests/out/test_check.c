/* SPDX-License-Identifier: MIT */
#include "out/check.h"

#include "formats.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char buf[65536];
static struct text out;
static struct check_result result;

static struct text *fresh(void)
{
	text_init(&out, buf, sizeof(buf));
	return &out;
}

static struct ping_result pinged(ns_t median)
{
	return (struct ping_result){
		.target = "server", .address = "192.0.2.1", .method = METHOD_ICMP_RAW, .stamps = STAMPS_KERNEL_TXRX,
		.reason = "",
		.sent = 20, .received = 20, .local_drops = UNKNOWN, .loss_high_ppm = 161125,
		.rtt_min = median - 1, .rtt_mean = median, .rtt_max = median * 3, .rtt_mdev = 1000, .rtt_p50 = median,
		.rtt_p90 = median * 2, .rtt_p99 = median * 3, .jitter = 123456, .ipdv_p99 = 1,
		.host_queue_p50 = UNKNOWN,
		.elapsed = NS_PER_S,
	};
}

static struct flow_result flowed(int64_t rate)
{
	return (struct flow_result){ .status = FLOW_OK, .bits_per_second = rate, .bytes = rate / 8 * 5,
		.elapsed = 5 * NS_PER_S,
		.total_bytes = rate / 8 * 6, .peer_bytes = rate / 8 * 6, .connections = 2, .stable = true,
		.spread_ppm = 12345,
		.counted_by_receiver = true, .limited_by = LIMITED_NETWORK, .retransmits = 3,
		.congestion_control = "cubic",
		.cpu_per_gigabyte = 250 * NS_PER_MS, .cpu_share_ppm = 100000 };
}

/* Nothing is measured yet. */
static struct check_result *empty(void)
{
	struct check_result *r = &result;

	memset(r, 0, sizeof(*r));
	flow_result_init(&r->download);
	flow_result_init(&r->upload);
	return r;
}

static struct check_result *full(void)
{
	struct check_result *r = empty();

	strcpy(r->url, "http://server:8080/");
	strcpy(r->host, "server");
	r->address = (struct addr){ .family = 4, .ip = { 192, 0, 2, 1 }, .port = 8080 };
	strcpy(r->time, "2026-01-31T12:00:00Z");
	r->server = SERVER_SONDE;
	strcpy(r->software, "sonde 0.1.0");
	r->ping = pinged(1234000);
	r->download = flowed(941200000);
	r->upload = flowed(88000000);
	r->loaded_download = pinged(20000000);
	r->loaded_upload = pinged(30000000);
	r->has_ping = r->has_loaded_download = r->has_loaded_upload = true;
	return r;
}

static const char *json_of(const struct check_result *r, const struct check_expectation *v, size_t n)
{
	check_json(fresh(), r, v, n);
	assert_false(out.cut);
	assert_true(is_json_line(buf));
	return buf;
}

static void the_document_has_every_part_of_the_contract(void **state)
{
	(void)state;
	static const struct {
		const char *path, *want;
	} rows[] = {
		{ "schema", "1" },
		{ "type", "\"check\"" },
		{ "version", "\"" SONDE_VERSION "\"" },
		{ "time", "\"2026-01-31T12:00:00Z\"" },
		{ "target.url", "\"http://server:8080/\"" },
		{ "target.host", "\"server\"" },
		{ "target.address", "\"192.0.2.1\"" },
		{ "target.port", "8080" },
		{ "server.kind", "\"sonde\"" },
		{ "server.software", "\"sonde 0.1.0\"" },
		{ "ping.rtt_p50_ms", "1.234000" },
		{ "ping.loss_ratio", "0.000000" },
		{ "download.status", "\"ok\"" },
		{ "download.bits_per_second", "941200000" },
		{ "upload.bits_per_second", "88000000" },
		{ "upload.limited_by", "\"network\"" },
		{ "loaded.download.rtt_p50_ms", "20.000000" },
		{ "loaded.upload.rtt_p50_ms", "30.000000" },
		{ "responsiveness.rpm", "null" },
		{ "responsiveness.rating", "null" },
		{ "expect", "[]" },
	};
	const char *json = json_of(full(), NULL, 0);

	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(member_of(json, rows[i].path), rows[i].want);
}

static void what_was_not_measured_is_null_and_never_zero(void **state)
{
	(void)state;
	static const char *const paths[] = { "time", "target.url", "target.host", "target.address", "target.port",
		"server.kind",
		"server.software", "ping", "loaded.download", "loaded.upload", "download.bits_per_second",
		"download.bytes",
		"download.seconds", "download.stable", "download.limited_by", "download.counted_by",
		"upload.connections" };
	const char *json = json_of(empty(), NULL, 0);

	for (size_t i = 0; i < COUNT(paths); i++)
		assert_string_equal(member_of(json, paths[i]), "null");
	assert_string_equal(member_of(json, "download.status"), "\"skipped\"");
}

static void each_expectation_is_listed_with_its_verdict(void **state)
{
	(void)state;
	static const struct check_expectation v[] = { { "download>=100M", EXPECT_RATE, true, 941200000 },
		{ "loss<1%", EXPECT_RATIO, false, 20000 }, { "rtt<\"2\"", EXPECT_TIME, true, 1234567 },
		{ "received>1", EXPECT_COUNT, true, 2 }, { "upload>1", EXPECT_RATE, false, UNKNOWN } };

	assert_string_equal(member_of(json_of(full(), v, COUNT(v)), "expect"),
		"[{\"expression\":\"download>=100M\",\"met\":true,\"value_bits_per_second\":941200000},"
		"{\"expression\":\"loss<1%\",\"met\":false,\"value_ratio\":0.020000},"
		"{\"expression\":\"rtt<\\\"2\\\"\",\"met\":true,\"value_ms\":1.234567},"
		"{\"expression\":\"received>1\",\"met\":true,\"value_count\":2},"
		"{\"expression\":\"upload>1\",\"met\":false,\"value_bits_per_second\":null}]");
}

static void hostile_words_of_a_server_stay_inside_their_strings(void **state)
{
	(void)state;
	struct check_result *r = full();

	strcpy(r->software, "\"},\n\x1b[31m\xff\\");
	strcpy(r->url, "http://server/\"\n,=");
	strcpy(r->upload.reason, "the server answered 501 \"no\",\x07");
	json_of(r, NULL, 0);
	check_csv(fresh(), r);
	assert_int_equal(csv_width(buf), csv_width(strchr(buf, '\n') + 1));
	check_prom(fresh(), r);
	assert_true(prom_samples(buf) > 0);
}

static void the_csv_has_one_head_and_one_line(void **state)
{
	(void)state;
	static const struct {
		const char *name, *want;
	} rows[] = { { "time", "2026-01-31T12:00:00Z" }, { "url", "http://server:8080/" }, { "server", "sonde" },
		{ "ping_rtt_p50_ms", "1.234000" }, { "download_status", "ok" },
		{ "download_bits_per_second", "941200000" },
		{ "upload_bits_per_second", "88000000" }, { "loaded_download_rtt_p50_ms", "20.000000" },
		{ "loaded_upload_rtt_p50_ms", "30.000000" } };

	check_csv(fresh(), full());
	assert_int_equal(csv_width(buf), csv_width(strchr(buf, '\n') + 1));
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(csv_below(buf, rows[i].name), rows[i].want);
	assert_string_equal(strchr(strchr(buf, '\n') + 1, '\n'), "\n");
	check_csv(fresh(), empty());
	assert_int_equal(csv_width(buf), csv_width(strchr(buf, '\n') + 1));
	assert_string_equal(csv_below(buf, "download_bits_per_second"), "");
	assert_string_equal(csv_below(buf, "loaded_download_rtt_p50_ms"), "");
}

static void a_ping_that_was_not_made_has_empty_cells(void **state)
{
	(void)state;
	static const char *const names[] = { "ping_sent", "ping_loss_ratio", "ping_rtt_min_ms", "ping_rtt_p50_ms",
		"ping_jitter_ms", "ping_method" };

	check_csv(fresh(), empty());
	for (size_t i = 0; i < COUNT(names); i++)
		assert_string_equal(csv_below(buf, names[i]), "");
}

static void samples_tell_their_load_and_their_direction(void **state)
{
	(void)state;
	check_prom(fresh(), full());
	assert_true(prom_samples(buf) > 50);
	assert_non_null(strstr(buf, "load=\"none\"} 0.001234000\n"));
	assert_non_null(strstr(buf, "load=\"download\"} 0.020000000\n"));
	assert_non_null(strstr(buf, "load=\"upload\"} 0.030000000\n"));
	assert_non_null(strstr(buf, "\nsonde_check_flow_bits_per_second{direction=\"download\"} 941200000\n"));
	assert_non_null(strstr(buf, "\nsonde_check_flow_bits_per_second{direction=\"upload\"} 88000000\n"));
	check_prom(fresh(), empty());
	assert_int_equal(prom_samples(buf), 0);
	struct check_result *r = full();

	r->has_loaded_upload = false;
	check_prom(fresh(), r);
	assert_null(strstr(buf, "load=\"upload\""));
}

static void the_beginning_says_what_is_measured_and_where(void **state)
{
	(void)state;
	check_text_start(fresh(), full());
	assert_non_null(strstr(buf, "http://server:8080/"));
	assert_non_null(strstr(buf, "192.0.2.1:8080"));
	assert_non_null(strstr(buf, "sonde 0.1.0"));
	assert_int_equal(buf[out.len - 1], '\n');
	struct check_result *r = full();

	r->software[0] = '\0';
	check_text_start(fresh(), r);
	assert_null(strstr(buf, "which is"));
}

static void a_ping_is_one_line_with_what_stands_behind_it(void **state)
{
	(void)state;
	struct ping_result p = pinged(1234000);

	check_text_ping(fresh(), &p, "ping");
	assert_string_equal(buf,
		"  ping        1.234 ms median, 3.702 ms 99th percentile, jitter 0.123 ms, loss 0% of 20 "
				 "(icmp-raw, stamps kernel-txrx)\n");
	p.jitter = UNKNOWN;
	p.in_flight = 3;
	check_text_ping(fresh(), &p, "ping");
	assert_non_null(strstr(buf, "jitter - ms, loss 0% of 17 ("));
	p.method = METHOD_TCP;
	p.reason = "cannot open an ICMP socket: Operation not permitted";
	check_text_ping(fresh(), &p, "ping");
	assert_non_null(strstr(buf,
		"\n              not raw ICMP: cannot open an ICMP socket: Operation not permitted\n"));
}

static void a_ping_without_an_answer_says_so(void **state)
{
	(void)state;
	struct ping_result p = pinged(1);

	p.received = 0;
	p.stamps = STAMPS_NONE;
	p.rtt_p50 = p.rtt_p99 = p.jitter = UNKNOWN;
	check_text_ping(fresh(), &p, "ping");
	assert_string_equal(buf, "  ping        no answer to 20 probes (icmp-raw)\n");
}

static void a_flow_is_one_line_with_what_limited_it(void **state)
{
	(void)state;
	static const struct {
		enum limited_by limit;
		const char *want;
	} rows[] = { { LIMITED_NETWORK, "the network\n" }, { LIMITED_RECEIVER, "the receiver" },
		{ LIMITED_SENDER, "the sender" },
		{ LIMITED_CLIENT_CPU, "this machine's CPU" }, { LIMITED_SERVER, "the server" },
		{ LIMITED_SIZE, "the size of the file" },
		{ LIMITED_UNKNOWN, "the network or the server" } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct flow_result f = flowed(941200000);

		f.limited_by = rows[i].limit;
		check_text_flow(fresh(), &f, "download");
		assert_memory_equal(buf, "  download    941.2 Mbit/s, 117.7 MB/s over 5 s, stable, spread 1%; ", 67);
		assert_non_null(strstr(buf, rows[i].want));
		assert_int_equal(buf[out.len - 1], '\n');
	}
}

static void a_flow_that_was_not_stable_says_so(void **state)
{
	(void)state;
	struct flow_result f = flowed(941200000);

	f.stable = false;
	f.spread_ppm = UNKNOWN;
	check_text_flow(fresh(), &f, "download");
	assert_non_null(strstr(buf, " over 5 s, not stable; "));
}

static void a_flow_that_was_not_measured_says_why_and_no_number(void **state)
{
	(void)state;
	struct flow_result f;

	flow_result_init(&f);
	f.status = FLOW_UNSUPPORTED;
	strcpy(f.reason, "the server answered 501 Unsupported method");
	check_text_flow(fresh(), &f, "upload");
	assert_string_equal(buf, "  upload      not possible here: the server answered 501 Unsupported method\n");
	check_text_details(fresh(), &f);
	assert_string_equal(buf, "");
	f.status = FLOW_FAILED;
	strcpy(f.reason, "no data was moved");
	check_text_flow(fresh(), &f, "upload");
	assert_string_equal(buf, "  upload      failed: no data was moved\n");
	flow_result_init(&f);
	check_text_flow(fresh(), &f, "upload");
	assert_string_equal(buf, "  upload      skipped\n");
}

static void the_details_hold_what_is_known_and_no_more(void **state)
{
	(void)state;
	struct flow_result f = flowed(80000000);

	check_text_details(fresh(), &f);
	assert_string_equal(buf,
		"              60000000 bytes by our count, 60000000 by the server's; 2 connections, cubic "
				 "congestion control, 3 segments sent again; 0.250 CPU s/GB\n");
	f.peer_bytes = f.retransmits = f.cpu_per_gigabyte = UNKNOWN;
	f.connections = 1;
	f.congestion_control[0] = '\0';
	check_text_details(fresh(), &f);
	assert_null(strstr(buf, "server's"));
	assert_null(strstr(buf, "sent again"));
	assert_null(strstr(buf, "CPU"));
	assert_non_null(strstr(buf, "1 connection,"));
	assert_null(strstr(buf, "-1"));
}

static void progress_is_a_line_without_its_end(void **state)
{
	(void)state;
	check_text_progress(fresh(), "download", 941200000, 2140 * NS_PER_MS, 1204000);
	assert_string_equal(buf, "  download    941.2 Mbit/s    2.1 s     ping 1.204 ms");
	check_text_progress(fresh(), "download", UNKNOWN, 100 * NS_PER_MS, UNKNOWN);
	assert_null(strchr(buf, '\n'));
	assert_null(strstr(buf, "ping"));
	assert_null(strstr(buf, "bit/s"));
}

static void progress_is_an_object_a_line(void **state)
{
	(void)state;
	check_ndjson_progress(fresh(), "upload", 941200000, 2140 * NS_PER_MS, 1204000);
	assert_string_equal(buf,
		"{\"schema\":1,\"type\":\"progress\",\"phase\":\"upload\",\"bits_per_second\":941200000,"
				 "\"seconds\":2.140,\"rtt_ms\":1.204000}\n");
	check_ndjson_progress(fresh(), "download", 0, NS_PER_S, UNKNOWN); /* a stall is a measured zero */
	assert_string_equal(member_of(buf, "bits_per_second"), "0");
	check_ndjson_progress(fresh(), "ping", UNKNOWN, 0, UNKNOWN);
	assert_true(is_json_line(buf));
	assert_string_equal(member_of(buf, "bits_per_second"), "null");
	assert_string_equal(member_of(buf, "rtt_ms"), "null");
}

static void a_label_ends_where_the_figures_begin(void **state)
{
	(void)state;
	check_text_label(fresh(), "ping");
	assert_string_equal(buf, "  ping        ");
	check_text_label(fresh(), "");
	assert_string_equal(buf, "              ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_document_has_every_part_of_the_contract),
		cmocka_unit_test(what_was_not_measured_is_null_and_never_zero),
		cmocka_unit_test(each_expectation_is_listed_with_its_verdict),
		cmocka_unit_test(hostile_words_of_a_server_stay_inside_their_strings),
		cmocka_unit_test(the_csv_has_one_head_and_one_line),
		cmocka_unit_test(a_ping_that_was_not_made_has_empty_cells),
		cmocka_unit_test(samples_tell_their_load_and_their_direction),
		cmocka_unit_test(the_beginning_says_what_is_measured_and_where),
		cmocka_unit_test(a_ping_is_one_line_with_what_stands_behind_it),
		cmocka_unit_test(a_ping_without_an_answer_says_so),
		cmocka_unit_test(a_flow_is_one_line_with_what_limited_it),
		cmocka_unit_test(a_flow_that_was_not_stable_says_so),
		cmocka_unit_test(a_flow_that_was_not_measured_says_why_and_no_number),
		cmocka_unit_test(the_details_hold_what_is_known_and_no_more),
		cmocka_unit_test(progress_is_a_line_without_its_end),
		cmocka_unit_test(progress_is_an_object_a_line),
		cmocka_unit_test(a_label_ends_where_the_figures_begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
