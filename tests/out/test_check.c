/* SPDX-License-Identifier: MIT */
#include "out/check.h"

#include "checked.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

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
		{ "loaded.both", "null" },
		{ "both", "null" },
		{ "download.confidence", "\"high\"" },
		{ "download.link_bits_per_second", "1000000000" },
		{ "download.server_cpu_share_ratio", "0.050000" },
		{ "responsiveness.rpm", "812" },
		{ "responsiveness.rating", "\"fair\"" },
		{ "responsiveness.download.rpm", "900" },
		{ "responsiveness.download.connect_ms", "20.000000" },
		{ "responsiveness.download.failed", "1" },
		{ "responsiveness.upload", "null" },
		{ "bufferbloat.grade", "\"A\"" },
		{ "bufferbloat.increase_ms", "28.766000" },
		{ "bufferbloat.download_increase_ms", "18.766000" },
		{ "bufferbloat.both_increase_ms", "null" },
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

static void progress_is_an_object_a_line(void **state)
{
	(void)state;
	check_ndjson_progress(fresh(), &(struct check_moment){ "upload", 941200000, UNKNOWN, 2140 * NS_PER_MS, 1204000, 0, 0 });
	assert_string_equal(buf,
		"{\"schema\":1,\"type\":\"progress\",\"phase\":\"upload\",\"bits_per_second\":941200000,"
				 "\"seconds\":2.140,\"rtt_ms\":1.204000}\n");
	check_ndjson_progress(fresh(), &(struct check_moment){ "download", 0, UNKNOWN, NS_PER_S, UNKNOWN, 0, 0 }); /* a stall is a measured zero */
	assert_string_equal(member_of(buf, "bits_per_second"), "0");
	check_ndjson_progress(fresh(), &(struct check_moment){ "ping", UNKNOWN, UNKNOWN, 0, UNKNOWN, 0, 0 });
	assert_true(is_json_line(buf));
	assert_string_equal(member_of(buf, "bits_per_second"), "null");
	assert_string_equal(member_of(buf, "rtt_ms"), "null");
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
		cmocka_unit_test(progress_is_an_object_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
