/* SPDX-License-Identifier: MIT */
#include "out/http.h"

#include "formats.h"

static char buf[65536];
static struct text out;
static struct http_result result;

static struct text *fresh(void)
{
	text_init(&out, buf, sizeof(buf));
	return &out;
}

static struct http_spread same(ns_t v)
{
	return (struct http_spread){ v, v, v, v, v };
}

static struct http_result *empty(void)
{
	result = (struct http_result){ .url = "http://server:8080/file", .failed_ppm = UNKNOWN,
		.last = { .status = UNKNOWN, .bytes = UNKNOWN }, .status_max = UNKNOWN };
	for (unsigned i = 0; i < HTTP_SPANS; i++)
		result.span[i] = same(UNKNOWN);
	return &result;
}

/* One request to a name. */
static struct http_result *one(void)
{
	struct http_result *r = empty();

	r->requests = r->answered = r->connections = 1;
	r->failed_ppm = 0;
	r->status_max = 200;
	r->last = (struct http_timing){ .status = 200, .bytes = 5120, .reason = "OK", .server = "lighttpd/1.4.69",
		.address = { .family = 4, .ip = { 192, 0, 2, 1 }, .port = 8080 } };
	strcpy(r->address, "192.0.2.1");
	for (unsigned i = 0; i < HTTP_TOTAL; i++)
		r->span[i] = same((i + 1) * 1001000);
	r->span[HTTP_TOTAL] = same(15015000);
	r->span[HTTP_CONNECT_RTT] = same(43000);
	r->statuses[0] = (struct http_status){ 200, 1 };
	r->n_statuses = 1;
	return r;
}

/* Ten of them over one connection to an address; two came to nothing. */
static struct http_result *ten(void)
{
	struct http_result *r = one();

	r->requests = 10;
	r->answered = 8;
	r->failed = 2;
	r->failed_ppm = 200000;
	fault_set(&r->error, FAULT_PEER, "the server", SLICE("192.0.2.1:8080"), "reset the connection");
	r->span[HTTP_RESOLVE] = same(UNKNOWN);
	r->span[HTTP_TOTAL] = (struct http_spread){ 1000000, 2000000, 3000000, 4000000, 5000000 };
	r->statuses[0] = (struct http_status){ 200, 5 };
	r->statuses[1] = (struct http_status){ 503, 2 };
	r->statuses[2] = (struct http_status){ UNKNOWN, 1 };
	r->n_statuses = 3;
	return r;
}

static const char *text_of_one(const struct http_result *r, bool more)
{
	http_text_one(fresh(), r, more);
	assert_false(out.cut);
	return buf;
}

static const char *json_of(const struct http_result *r, bool spread)
{
	http_json(fresh(), r, spread);
	assert_false(out.cut);
	assert_true(is_json_line(buf));
	return buf;
}

static void one_request_is_a_line_for_the_answer_and_one_for_each_phase(void **state)
{
	(void)state;
	assert_string_equal(text_of_one(one(), false), "http://server:8080/file\n"
						       "  200 OK, 5120 bytes from 192.0.2.1:8080, lighttpd/1.4.69\n"
						       "  resolve         1.001 ms\n"
						       "  connect         2.002 ms\n"
						       "  send            3.003 ms\n"
						       "  first byte      4.004 ms\n"
						       "  transfer        5.005 ms\n"
						       "  total          15.015 ms\n");
	assert_non_null(strstr(text_of_one(one(), true), "\n  handshake       0.043 ms\n"));
}

static void a_phase_that_was_not_measured_has_no_line(void **state)
{
	(void)state;
	struct http_result *r = one();

	r->span[HTTP_RESOLVE] = r->span[HTTP_CONNECT] = r->span[HTTP_CONNECT_RTT] = same(UNKNOWN);
	text_of_one(r, true);
	assert_null(strstr(buf, "resolve"));
	assert_null(strstr(buf, "connect"));
	assert_null(strstr(buf, "handshake"));
	assert_non_null(strstr(buf, "send"));
}

static void an_answer_without_reason_or_server_is_still_a_sentence(void **state)
{
	(void)state;
	struct http_result *r = one();

	r->last.reason[0] = r->last.server[0] = '\0';
	assert_non_null(strstr(text_of_one(r, false), "\n  200, 5120 bytes from 192.0.2.1:8080\n"));
}

static void a_redirect_shows_where_to_and_that_nobody_went_there(void **state)
{
	(void)state;
	struct http_result *r = one();

	r->last.status = 302;
	strcpy(r->last.location, "http://other/\x1b[31m\xff");
	assert_non_null(strstr(text_of_one(r, false),
		"\n  redirects to 'http://other/\\x1b[31m\\xff', which is not followed\n"));
	assert_string_equal(member_of(json_of(r, false), "location"), "\"http://other/\\u001b[31m\xef\xbf\xbd\"");
}

static void an_error_of_the_servers_is_measured_and_said(void **state)
{
	(void)state;
	struct http_result *r = one();

	r->last.status = 404;
	assert_non_null(strstr(text_of_one(r, false), "measured all the same; --expect 'status<400' takes 404 for a failure\n"));
	r->last.status = 399;
	assert_null(strstr(text_of_one(r, false), "status<400"));
}

static void a_request_that_failed_has_its_reason_and_no_figure(void **state)
{
	(void)state;
	struct http_result *r = empty();

	r->requests = r->failed = 1;
	fault_set(&r->error, FAULT_PEER, "cannot connect to", SLICE("192.0.2.1:8080"), ": Connection refused");
	assert_string_equal(text_of_one(r, true), "http://server:8080/file\n"
						  "  failed: cannot connect to '192.0.2.1:8080': Connection refused\n");
	r->requests = 0;
	assert_non_null(strstr(text_of_one(r, true), "nothing was asked"));
}

static struct http_timing timed(void)
{
	struct http_timing t = { .seq = 3, .status = 200, .bytes = 5120, .reason = "OK",
		.address = { .family = 4, .ip = { 192, 0, 2, 1 }, .port = 8080 } };

	for (unsigned i = 0; i < HTTP_SPANS; i++)
		t.span[i] = (i + 1) * 1000000;
	return t;
}

static struct http_timing kept(void)
{
	struct http_timing t = timed();

	t.kept = true;
	t.span[HTTP_RESOLVE] = t.span[HTTP_CONNECT] = t.span[HTTP_CONNECT_RTT] = UNKNOWN;
	return t;
}

static struct http_timing failed(void)
{
	struct http_timing t = kept();

	t.span[HTTP_TRANSFER] = t.span[HTTP_TOTAL] = UNKNOWN;
	t.bytes = 12;
	fault_set(&t.why, FAULT_PEER, "the server", SLICE("192.0.2.1:8080"), "closed the connection after 12 of 99 bytes");
	return t;
}

static const char *line_of(struct http_timing t, bool many)
{
	http_text_event(fresh(), "http://server/", &t, many);
	return buf;
}

static void each_of_several_requests_is_one_line(void **state)
{
	(void)state;
	assert_string_equal(line_of(timed(), false), "200, 5120 bytes from 192.0.2.1:8080: seq=3 resolve=1.000 ms connect=2.000 ms "
						     "first_byte=4.000 ms total=6.000 ms\n");
	assert_string_equal(line_of(kept(), true), "200, 5120 bytes from http://server/: seq=3 first_byte=4.000 ms total=6.000 ms "
						   "(kept connection)\n");
	assert_string_equal(line_of(failed(), false),
		"failed http://server/: seq=3 the server '192.0.2.1:8080' closed the connection after 12 of 99 bytes\n");
}

static void the_summary_counts_and_has_a_row_for_each_measured_phase(void **state)
{
	(void)state;
	http_text_summary(fresh(), ten(), false);
	assert_string_equal(buf,
		"\n--- http://server:8080/file statistics ---\n"
		"10 requests, 8 answers, 2 failed (20%); 1 connection\n"
		"status 5 x 200, 2 x 503, 1 x another\n"
		"                    min       p50       p90       p99       max\n"
		"  connect         2.002     2.002     2.002     2.002     2.002 ms\n"
		"  send            3.003     3.003     3.003     3.003     3.003 ms\n"
		"  first byte      4.004     4.004     4.004     4.004     4.004 ms\n"
		"  transfer        5.005     5.005     5.005     5.005     5.005 ms\n"
		"  total           1.000     2.000     3.000     4.000     5.000 ms\n");
	http_text_summary(fresh(), ten(), true);
	assert_non_null(strstr(buf, "\n  handshake "));
}

static void a_summary_of_failures_alone_is_two_lines(void **state)
{
	(void)state;
	struct http_result *r = empty();

	r->requests = r->failed = 2;
	r->failed_ppm = 1000000;
	http_text_summary(fresh(), r, true);
	assert_string_equal(buf, "\n--- http://server:8080/file statistics ---\n"
				 "2 requests, 0 answers, 2 failed (100%); 0 connections\n");
}

static void durations_of_many_digits_keep_their_columns_apart(void **state)
{
	(void)state;
	struct http_result *r = ten();

	r->span[HTTP_TOTAL] = same(INT64_C(123456789) * NS_PER_MS);
	http_text_summary(fresh(), r, false);
	assert_false(out.cut);
	assert_non_null(strstr(buf, "123456789.000 123456789.000"));
}

static void the_document_has_every_key_of_the_contract(void **state)
{
	(void)state;
	static const struct {
		const char *path, *want;
	} rows[] = { { "schema", "1" }, { "type", "\"http\"" }, { "url", "\"http://server:8080/file\"" },
		{ "status", "200" }, { "resolve_ms", "1.001000" }, { "connect_ms", "2.002000" },
		{ "send_ms", "3.003000" }, { "first_byte_ms", "4.004000" }, { "transfer_ms", "5.005000" },
		{ "total_ms", "15.015000" }, { "bytes", "5120" }, { "address", "\"192.0.2.1\"" },
		{ "connect_rtt_ms", "0.043000" }, { "server", "\"lighttpd/1.4.69\"" }, { "error", "null" },
		{ "delayed_ack", "false" }, { "statuses", "[{\"status\":200,\"count\":1}]" } };
	const char *json = json_of(one(), false);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(member_of(json, rows[i].path), rows[i].want);
	assert_string_equal(member_of(json, "total_p99_ms"), "");
}

static void many_requests_have_medians_and_the_percentiles_beside_them(void **state)
{
	(void)state;
	const char *json = json_of(ten(), true);

	assert_string_equal(member_of(json, "total_ms"), "2.000000");
	assert_string_equal(member_of(json, "total_min_ms"), "1.000000");
	assert_string_equal(member_of(json, "total_p90_ms"), "3.000000");
	assert_string_equal(member_of(json, "total_p99_ms"), "4.000000");
	assert_string_equal(member_of(json, "total_max_ms"), "5.000000");
	assert_string_equal(member_of(json, "resolve_p90_ms"), "null");
	assert_string_equal(member_of(json, "connect_rtt_p99_ms"), "0.043000");
	assert_string_equal(member_of(json, "failed_ratio"), "0.200000");
	assert_string_equal(member_of(json, "statuses"),
		"[{\"status\":200,\"count\":5},{\"status\":503,\"count\":2},{\"status\":null,\"count\":1}]");
}

static void what_was_not_measured_is_null_and_never_zero(void **state)
{
	(void)state;
	const char *json = json_of(empty(), true);

	for (size_t i = 1; i < http_fields(true)->n; i++) {
		const char *name = field_name(http_fields(true), i);

		if (http_fields(true)->v[i].kind != FIELD_TOTAL && strcmp(name, "connections") != 0)
			assert_string_equal(member_of(json, name), "null");
	}
}

static void several_urls_are_one_document(void **state)
{
	(void)state;
	struct json j;

	http_json_begin(&j, fresh());
	http_json_target(&j, one(), false);
	http_json_target(&j, empty(), false);
	http_json_end(&j);
	assert_true(is_json_line(buf));
	assert_string_equal(member_of(buf, "type"), "\"http\"");
	assert_int_equal(strncmp(member_of(buf, "schema"), "1", 2), 0);
	assert_non_null(strstr(buf, "\"targets\":[{\"url\":\"http://server:8080/file\",\"status\":200,"));
	assert_non_null(strstr(buf, "},{\"url\":\"http://server:8080/file\",\"status\":null,"));
}

static void a_request_is_one_line_of_ndjson(void **state)
{
	(void)state;
	struct http_timing t = timed();

	http_ndjson_event(fresh(), "http://server/", &t);
	assert_true(is_json_line(buf));
	assert_string_equal(member_of(buf, "type"), "\"probe\"");
	assert_string_equal(member_of(buf, "seq"), "3");
	assert_string_equal(member_of(buf, "outcome"), "\"reply\"");
	assert_string_equal(member_of(buf, "resolve_ms"), "1.000000");
	assert_string_equal(member_of(buf, "total_ms"), "6.000000");
	assert_string_equal(member_of(buf, "connect_rtt_ms"), "7.000000");
	assert_string_equal(member_of(buf, "kept"), "false");
	assert_string_equal(member_of(buf, "location"), "null");
	t = failed();
	http_ndjson_event(fresh(), "http://server/", &t);
	assert_true(is_json_line(buf));
	assert_string_equal(member_of(buf, "outcome"), "\"error\"");
	assert_string_equal(member_of(buf, "connect_ms"), "null");
	assert_string_equal(member_of(buf, "first_byte_ms"), "4.000000");
	assert_string_equal(member_of(buf, "total_ms"), "null");
	assert_string_equal(member_of(buf, "bytes"), "12");
	assert_non_null(strstr(member_of(buf, "error"), "12 of 99 bytes"));
}

static void a_delayed_acknowledgement_is_said_in_every_format(void **state)
{
	(void)state;
	struct http_result *r = ten();

	r->delayed_ack = true;
	r->note = "a note, \"in\" words";
	http_text_summary(fresh(), r, false);
	assert_non_null(strstr(buf, "\n  a note, \"in\" words\n"));
	assert_string_equal(member_of(json_of(r, true), "delayed_ack"), "true");
	assert_string_equal(member_of(json_of(r, true), "note"), "\"a note, \\\"in\\\" words\"");
}

static void a_row_of_csv_has_as_many_cells_as_the_head(void **state)
{
	(void)state;
	for (int spread = 0; spread < 2; spread++) {
		const struct field_table *f = http_fields(spread != 0);

		field_csv_head(fresh(), f, "");
		text_char(&out, '\n');
		field_csv_row(&out, f, ten());
		text_char(&out, '\n');
		assert_int_equal(csv_width(buf), f->n);
		assert_int_equal(csv_width(strchr(buf, '\n') + 1), f->n);
		assert_string_equal(csv_below(buf, "total_ms"), "2.000000");
		assert_string_equal(csv_below(buf, "resolve_ms"), "");
		assert_string_equal(csv_below(buf, "error"), "the server '192.0.2.1:8080' reset the connection");
	}
}

static int metrics_of(struct http_result *r, bool spread)
{
	fresh();
	for (size_t row = 0; row < http_fields(spread)->n; row++) {
		bool named = false;

		field_prom(&out, http_fields(spread), row, "sonde_http_", r, NULL, &named);
	}
	return prom_samples(buf);
}

static void prometheus_gets_seconds_and_no_sample_for_what_is_unknown(void **state)
{
	(void)state;
	assert_int_equal(metrics_of(one(), false), 14);
	assert_non_null(strstr(buf,
		"sonde_http_first_byte_seconds{url=\"http://server:8080/file\",address=\"192.0.2.1\"} 0.004004000\n"));
	assert_int_equal(metrics_of(ten(), true), 13 + 6 * 4);
	assert_non_null(strstr(buf, "sonde_http_total_p99_seconds{"));
	assert_non_null(strstr(buf, "sonde_http_failed_total{"));
	assert_null(strstr(buf, "resolve"));
	assert_int_equal(metrics_of(empty(), true), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_request_is_a_line_for_the_answer_and_one_for_each_phase),
		cmocka_unit_test(a_phase_that_was_not_measured_has_no_line),
		cmocka_unit_test(an_answer_without_reason_or_server_is_still_a_sentence),
		cmocka_unit_test(a_redirect_shows_where_to_and_that_nobody_went_there),
		cmocka_unit_test(an_error_of_the_servers_is_measured_and_said),
		cmocka_unit_test(a_request_that_failed_has_its_reason_and_no_figure),
		cmocka_unit_test(each_of_several_requests_is_one_line),
		cmocka_unit_test(the_summary_counts_and_has_a_row_for_each_measured_phase),
		cmocka_unit_test(a_summary_of_failures_alone_is_two_lines),
		cmocka_unit_test(durations_of_many_digits_keep_their_columns_apart),
		cmocka_unit_test(the_document_has_every_key_of_the_contract),
		cmocka_unit_test(many_requests_have_medians_and_the_percentiles_beside_them),
		cmocka_unit_test(what_was_not_measured_is_null_and_never_zero),
		cmocka_unit_test(several_urls_are_one_document),
		cmocka_unit_test(a_request_is_one_line_of_ndjson),
		cmocka_unit_test(a_delayed_acknowledgement_is_said_in_every_format),
		cmocka_unit_test(a_row_of_csv_has_as_many_cells_as_the_head),
		cmocka_unit_test(prometheus_gets_seconds_and_no_sample_for_what_is_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
