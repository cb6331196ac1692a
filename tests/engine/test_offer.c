/* SPDX-License-Identifier: MIT */
#include "engine/offer.h"

#include "core/json.h"
#include "formats.h"
#include "guard.h"
#include "rng.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define MIB (INT64_C(1) << 20)

static char buffer[OFFER_TEXT_MAX];
static struct serve_counters counters;
static struct addr peer;
static struct text t;

static const struct route *at(const char *path)
{
	struct slice query;
	const struct route *r = route_find(slice_of(path), &query);

	assert_non_null(r);
	return r;
}

static const char *offered(const char *path, const char *host, uint64_t received, ns_t time)
{
	struct offer_facts f = { .counters = &counters, .body_max = 1000, .body_time = 60 * NS_PER_S,
		.congestion = SLICE("bbr"), .congestion_allowed = SLICE("reno bbr"), .peer = &peer, .host = slice_of(host),
		.received = received, .time = time };

	text_init(&t, buffer, sizeof(buffer));
	return offer_put(&t, at(path), &f);
}

/* What a query of @path gets: bytes, or minus nanoseconds; INT64_MIN for nothing. */
static int64_t amount(const char *path, const char *query)
{
	struct guard g = guard_of(query, strlen(query));
	struct offer_amount a;
	bool good = offer_amount(at(path), (struct slice){ g.p, g.n }, &a);

	guard_free(&g);
	return !good ? INT64_MIN : a.time > 0 ? -a.time : a.bytes;
}

static void a_query_says_how_many_bytes_or_for_how_long(void **state)
{
	(void)state;
	assert_true(amount("/down", "bytes=5") == 5);
	assert_true(amount("/down", "") == 100 * MIB);
	assert_true(amount("/down", "x=1") == 100 * MIB);
	assert_true(amount("/down", "bytes=0") == 0);
	assert_true(amount("/down", "bytes=9223372036854775807") == INT64_MAX);
	assert_true(amount("/down", "seconds=2") == -2 * NS_PER_S);
	assert_true(amount("/down", "seconds=3600") == -OFFER_TIME_MAX);
	assert_true(amount("/__down", "") == 0);
	assert_true(amount("/__down", "bytes=100000&during=upload") == 100000);
	assert_true(amount("/downloading", "n=0.123") == 30 * MIB);
	assert_true(amount("/speedtest/random350x350.jpg", "x=1795406545607.1") == 245388);
}

static void a_query_that_makes_no_sense_gets_nothing(void **state)
{
	(void)state;
	static const char *const queries[] = { "bytes=", "bytes", "bytes=-1", "bytes=x", "bytes=1e6", "bytes=0x10", "bytes=1.5",
		"bytes= 5x", "bytes=9223372036854775808", "bytes=99999999999999999999", "bytes=%35", "seconds=", "seconds=0",
		"seconds=-1", "seconds=3601", "seconds=x" };
	static const char *const paths[] = { "/down", "/__down", "/large" };

	for (size_t i = 0; i < COUNT(queries); i++)
		for (size_t j = 0; j < COUNT(paths); j++)
			assert_true(amount(paths[j], queries[i]) == INT64_MIN);
}

/* As the servers of LibreSpeed have it: 4 for what is no number, 1024 for what is too much. */
static void garbage_is_counted_in_mebibytes(void **state)
{
	(void)state;
	static const struct {
		const char *query;
		int64_t chunks;
	} rows[] = {
		{ "", 4 },
		{ "r=0.42&ckSize=100", 100 },
		{ "cors=true&r=0.42&ckSize=100", 100 },
		{ "ckSize=1", 1 },
		{ "ckSize=1024", 1024 },
		{ "ckSize=1025", 1024 },
		{ "ckSize=18446744073709551615", 1024 },
		{ "ckSize=99999999999999999999", 1024 },
		{ "ckSize=0", 4 },
		{ "ckSize=-1", 4 },
		{ "ckSize=+1", 4 },
		{ "ckSize=1.5", 4 },
		{ "ckSize=1e3", 4 },
		{ "ckSize=x", 4 },
		{ "ckSize=", 4 },
		{ "ckSize", 4 },
		{ "cksize=9", 4 },
		{ "bytes=7", 4 },
		{ "ckSize=007", 7 },
		{ "ckSize=3&ckSize=9", 3 },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		assert_true(amount("/backend/garbage.php", rows[i].query) == rows[i].chunks * MIB);
}

static void no_query_gets_a_negative_amount_or_a_time_without_end(void **state)
{
	(void)state;
	static const char *const words[] = { "bytes", "seconds", "ckSize", "=", "&", "-", "9", "0", "99999999999", ".", "e", "\xff" };

	for (uint64_t seed = 0; seed < 5000; seed++) {
		struct rng rng = rng_of(seed);
		char query[200] = "";
		struct offer_amount a;

		for (int i = 0; i < 10; i++)
			strcat(query, words[rng_below(&rng, COUNT(words))]);
		if (offer_amount(at(seed % 2 ? "/down" : "/garbage"), slice_of(query), &a))
			assert_true(a.bytes >= 0 && a.time >= 0 && a.time <= OFFER_TIME_MAX);
	}
}

static void an_upload_gets_a_receipt_in_the_words_of_its_dialect(void **state)
{
	(void)state;
	counters.cpu_ns = 7654321;
	assert_string_equal(offered("/up", "a", 123456789, 1500 * NS_PER_MS), "application/json");
	assert_string_equal(t.p, "{\"bytes\":123456789,\"seconds\":1.500000,\"cpu_us\":7654}\n");
	offered("/speedtest/upload.php", "a", 132893, NS_PER_S);
	assert_string_equal(t.p, "size=132893\n");
	offered("/speedtest/upload.php", "a", 0, 0); /* a GET, by which speedtest-cli looks for the server */
	assert_string_equal(t.p, "size=0\n");
	offered("/__up", "a", 5, 0);
	assert_string_equal(t.p, "ok");
	assert_null(offered("/empty.php", "a", 5, 0));
	assert_string_equal(t.p, "");
	assert_null(offered("/upload", "a", 5, 0));
	assert_string_equal(t.p, "");
}

static void fixed_contents_are_exactly_what_clients_look_for(void **state)
{
	(void)state;
	offered("/speedtest/latency.txt", "a", 0, 0);
	assert_string_equal(t.p, "test=test\n");
	offered("/small", "a", 0, 0);
	assert_int_equal(t.len, 1);
}

static void the_info_names_the_program_and_its_limits(void **state)
{
	struct slice name;
	uint64_t v;

	(void)state;
	counters = (struct serve_counters){ .requests = 7, .bytes_in = 8, .bytes_out = 9, .cpu_ns = 5000000 };
	assert_string_equal(offered("/info", "a", 0, 0), "application/json");
	assert_true(json_find_string(text_view(&t), "name", &name) && slice_is(name, "sonde"));
	assert_true(json_find_uint(text_view(&t), "requests", &v) && v == 7);
	assert_true(json_find_uint(text_view(&t), "bytes_received", &v) && v == 8);
	assert_true(json_find_uint(text_view(&t), "bytes_sent", &v) && v == 9);
	assert_true(json_find_uint(text_view(&t), "cpu_us", &v) && v == 5000);
	assert_true(json_find_uint(text_view(&t), "body_seconds_max", &v) && v == 60);
	assert_non_null(strstr(t.p, "\"limits\":{\"body_bytes\":1000,\"body_seconds\":60}"));
}

static void who_asks_for_its_address_gets_it_in_an_object(void **state)
{
	(void)state;
	static const struct {
		const char *address, *words;
	} rows[] = {
		{ "127.0.0.1", "127.0.0.1 - localhost IPv4 access" },
		{ "::1", "::1 - localhost IPv6 access" },
		{ "10.0.0.2", "10.0.0.2 - private IPv4 access" },
		{ "fd77::1", "fd77::1 - private IPv6 access" },
		{ "169.254.3.4", "169.254.3.4 - link-local IPv4 access" },
		{ "192.0.2.1", "192.0.2.1 - IPv4 access" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff - IPv6 access" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char want[200];

		assert_true(addr_parse(slice_of(rows[i].address), &peer));
		assert_string_equal(offered("/getIP.php", "a", 0, 0), "application/json");
		snprintf(want, sizeof(want), "{\"processedString\":\"%s\",\"rawIspInfo\":{\"ip\":\"%s\"}}\n", rows[i].words,
			rows[i].address);
		assert_string_equal(t.p, want);
	}
}

static void a_responsiveness_client_finds_what_it_needs_under_the_name_it_used(void **state)
{
	(void)state;
	assert_string_equal(offered("/.well-known/nq", "nas.local:8080", 0, 0), "application/json");
	assert_true(is_json_line(t.p));
	assert_string_equal(member_of(t.p, "version"), "1");
	assert_string_equal(member_of(t.p, "urls.small_download_url"), "\"http://nas.local:8080/small\"");
	assert_string_equal(member_of(t.p, "urls.large_download_url"), "\"http://nas.local:8080/large\"");
	assert_string_equal(member_of(t.p, "urls.upload_url"), "\"http://nas.local:8080/up\"");
	assert_string_equal(member_of(t.p, "urls.small_https_download_url"), "\"http://nas.local:8080/small\"");
	assert_string_equal(member_of(t.p, "urls.large_https_download_url"), "\"http://nas.local:8080/large\"");
	assert_string_equal(member_of(t.p, "urls.https_upload_url"), "\"http://nas.local:8080/up\"");
	assert_false(t.cut);
}

static void a_url_without_a_host_or_with_an_endless_one_is_not_made(void **state)
{
	char host[2000];

	(void)state;
	offered("/.well-known/nq", "", 0, 0);
	assert_true(t.cut);
	memset(host, 'a', sizeof(host) - 1);
	host[sizeof(host) - 1] = '\0';
	offered("/.well-known/nq", host, 0, 0);
	assert_true(t.cut);
	host[260] = '\0';
	offered("/.well-known/nq", host, 0, 0);
	assert_false(t.cut);
}

static void the_counters_are_metrics_with_help_and_type_and_fit_at_their_largest(void **state)
{
	(void)state;
	counters = (struct serve_counters){ .requests = 17, .open = 3, .cpu_ns = 1500000000, .started_s = 1795432284 };
	assert_string_equal(offered("/metrics", "a", 0, 0), "text/plain; version=0.0.4; charset=utf-8");
	assert_non_null(strstr(t.p, "# TYPE sonde_server_requests_total counter\nsonde_server_requests_total 17\n"));
	assert_non_null(strstr(t.p, "# TYPE sonde_server_connections gauge\nsonde_server_connections 3\n"));
	assert_non_null(strstr(t.p, "\nprocess_cpu_seconds_total 1.500000000\n"));
	assert_non_null(strstr(t.p, "\nprocess_start_time_seconds 1795432284\n"));
	memset(&counters, 0x7f, sizeof(counters));
	offered("/metrics", "a", 0, 0);
	assert_false(t.cut);
	offered("/info", "a", 0, 0);
	assert_false(t.cut);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_query_says_how_many_bytes_or_for_how_long),
		cmocka_unit_test(a_query_that_makes_no_sense_gets_nothing),
		cmocka_unit_test(garbage_is_counted_in_mebibytes),
		cmocka_unit_test(no_query_gets_a_negative_amount_or_a_time_without_end),
		cmocka_unit_test(an_upload_gets_a_receipt_in_the_words_of_its_dialect),
		cmocka_unit_test(fixed_contents_are_exactly_what_clients_look_for),
		cmocka_unit_test(the_info_names_the_program_and_its_limits),
		cmocka_unit_test(who_asks_for_its_address_gets_it_in_an_object),
		cmocka_unit_test(a_responsiveness_client_finds_what_it_needs_under_the_name_it_used),
		cmocka_unit_test(a_url_without_a_host_or_with_an_endless_one_is_not_made),
		cmocka_unit_test(the_counters_are_metrics_with_help_and_type_and_fit_at_their_largest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
