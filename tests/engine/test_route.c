/* SPDX-License-Identifier: MIT */
#include "engine/route.h"

#include "brink.h"
#include "core/text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define G (ROUTE_GET | ROUTE_HEAD)
#define GP (G | ROUTE_POST)

static struct slice at_brink(const char *s)
{
	return (struct slice){ brink(s, strlen(s)), strlen(s) };
}

static void assert_slice(struct slice s, const char *want)
{
	assert_int_equal(s.n, strlen(want));
	assert_memory_equal(s.n > 0 ? s.p : "", want, s.n);
}

static void a_target_belongs_to_one_row_of_the_table(void **state)
{
	(void)state;
	static const struct {
		const char *target;
		enum route_kind kind;
		unsigned methods;
		const char *query;
	} rows[] = {
		{ "/", ROUTE_PAGE, G, "" },
		{ "/down", ROUTE_DATA, G, "" },
		{ "/down?bytes=5", ROUTE_DATA, G, "bytes=5" },
		{ "/down?", ROUTE_DATA, G, "" },
		{ "/down?a?b", ROUTE_DATA, G, "a?b" },
		{ "/up", ROUTE_RECEIPT, ROUTE_POST, "" },
		{ "/up?x", ROUTE_RECEIPT, ROUTE_POST, "x" },
		{ "/ping", ROUTE_PING, G, "" },
		{ "/info", ROUTE_INFO, G, "" },
		{ "/metrics", ROUTE_METRICS, G, "" },
		{ "/.well-known/nq", ROUTE_NQ, G, "" },
		{ "/small", ROUTE_TEXT, G, "" },
		{ "/large", ROUTE_DATA, G, "" },
		{ "/garbage?ckSize=4", ROUTE_GARBAGE, G, "ckSize=4" },
		{ "/garbage.php", ROUTE_GARBAGE, G, "" },
		{ "/backend/garbage", ROUTE_GARBAGE, G, "" },
		{ "/backend/garbage.php?r=0.1&ckSize=100", ROUTE_GARBAGE, G, "r=0.1&ckSize=100" },
		{ "/empty", ROUTE_TEXT, GP, "" },
		{ "/empty.php", ROUTE_TEXT, GP, "" },
		{ "/backend/empty", ROUTE_TEXT, GP, "" },
		{ "/backend/empty.php?cors=true&r=0.5", ROUTE_TEXT, GP, "cors=true&r=0.5" },
		{ "/getIP", ROUTE_ADDRESS, G, "" },
		{ "/getIP.php", ROUTE_ADDRESS, G, "" },
		{ "/backend/getIP", ROUTE_ADDRESS, G, "" },
		{ "/backend/getIP.php?isp=true", ROUTE_ADDRESS, G, "isp=true" },
		{ "/downloading?n=0.1", ROUTE_DATA, G, "n=0.1" },
		{ "/upload", ROUTE_TEXT, GP, "" },
		{ "/__down?bytes=0", ROUTE_DATA, G, "bytes=0" },
		{ "/__up", ROUTE_TEXT, ROUTE_POST, "" },
		{ "/speedtest/latency.txt?x=1", ROUTE_TEXT, G, "x=1" },
		{ "/speedtest/upload.php", ROUTE_SIZE, GP, "" },
		{ "//speedtest/upload.php", ROUTE_SIZE, GP, "" },
		{ "/speedtest/random350x350.jpg", ROUTE_DATA, G, "" },
		{ "/speedtest/random6000x6000.jpg?x=1", ROUTE_DATA, G, "x=1" },
		{ "http://host", ROUTE_PAGE, G, "" },
		{ "http://host/", ROUTE_PAGE, G, "" },
		{ "http://host:8080/down?bytes=7", ROUTE_DATA, G, "bytes=7" },
		{ "http://[::1]/ping", ROUTE_PING, G, "" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct slice query = { NULL, 99 };
		const struct route *r = route_find(at_brink(rows[i].target), &query);

		assert_non_null(r);
		assert_int_equal(r->kind, rows[i].kind);
		assert_int_equal(r->methods, rows[i].methods);
		assert_slice(query, rows[i].query);
	}
}

static void whatever_else_is_asked_for_belongs_to_none(void **state)
{
	(void)state;
	static const char *const targets[] = {
		"", "*", "down", "/down/", "/downx", "/dow", "/DOWN", "//down", "/../down", "/%64own",
		"/etc/passwd", "host:443", "https://host/down", "http:///down", "http://user@host/down",
		"http://", "/speedtest", "/speedtest/", "/speedtest/random351x351.jpg",
		"/speedtest/random350x500.jpg", "/speedtest/random350x350.jpg/", "/random350x350.jpg",
		"/backend", "/backend/", "/backend/down", "/backend/backend/empty", "/getip", "/garbage.PHP",
		"/empty.asp", "/speedtest/upload.asp", "/.well-known/", "/.well-known/librespeed", "/__downx",
		"/_down",
	};
	struct slice query;

	for (size_t i = 0; i < COUNT(targets); i++)
		assert_null(route_find(at_brink(targets[i]), &query));
}

/* The sizes that the files of the mini server have had everywhere; clients compute with them. */
static void the_pictures_have_their_conventional_sizes(void **state)
{
	(void)state;
	static const struct {
		const char *target;
		uint64_t bytes;
	} rows[] = {
		{ "/speedtest/random350x350.jpg", 245388 },
		{ "/speedtest/random500x500.jpg", 505544 },
		{ "/speedtest/random750x750.jpg", 1118012 },
		{ "/speedtest/random1000x1000.jpg", 1986284 },
		{ "/speedtest/random1500x1500.jpg", 4468241 },
		{ "/speedtest/random2000x2000.jpg", 7907740 },
		{ "/speedtest/random2500x2500.jpg", 12407926 },
		{ "/speedtest/random3000x3000.jpg", 17816816 },
		{ "/speedtest/random3500x3500.jpg", 24262167 },
		{ "/speedtest/random4000x4000.jpg", 31625365 },
		{ "/speedtest/random5000x5000.jpg", 49454450 },
		{ "/speedtest/random6000x6000.jpg", 71154024 },
	};
	struct slice query;

	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(route_find(slice_of(rows[i].target), &query)->bytes, rows[i].bytes);
	assert_true(route_find(SLICE("/large"), &query)->bytes >= UINT64_C(8000000000));
	assert_int_equal(route_find(SLICE("/downloading"), &query)->bytes, 30 << 20);
}

static void pages_of_other_origins_never_read_the_page_or_the_counters(void **state)
{
	(void)state;
	struct slice query;

	assert_false(route_is_open(route_find(SLICE("/"), &query)));
	assert_false(route_is_open(route_find(SLICE("/metrics"), &query)));
	assert_true(route_is_open(route_find(SLICE("/garbage.php"), &query)));
	assert_true(route_is_open(route_find(SLICE("/up"), &query)));
}

static void methods_are_case_sensitive_and_others_have_no_bit(void **state)
{
	(void)state;
	static const struct {
		const char *method;
		unsigned bit;
	} rows[] = { { "GET", ROUTE_GET }, { "HEAD", ROUTE_HEAD }, { "POST", ROUTE_POST }, { "get", 0 }, { "PUT", 0 },
		{ "OPTIONS", ROUTE_OPTIONS }, { "OPTION", 0 }, { "CONNECT", 0 }, { "GE", 0 }, { "GETT", 0 }, { "", 0 } };

	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(route_method(at_brink(rows[i].method)), rows[i].bit);
}

static void what_is_allowed_is_named(void **state)
{
	(void)state;
	assert_string_equal(route_allow(G), "GET, HEAD, OPTIONS");
	assert_string_equal(route_allow(ROUTE_POST), "POST, OPTIONS");
	assert_string_equal(route_allow(ROUTE_POST | ROUTE_OPTIONS), "POST, OPTIONS");
	assert_string_equal(route_allow(GP), "GET, HEAD, POST, OPTIONS");
}

static void a_query_is_searched_part_by_part(void **state)
{
	(void)state;
	static const struct {
		const char *query, *value; /* of "bytes"; NULL for none */
	} rows[] = {
		{ "bytes=5", "5" },
		{ "bytes=", "" },
		{ "bytes", "" },
		{ "a=1&bytes=5", "5" },
		{ "bytes=5&a=1", "5" },
		{ "bytes=5&bytes=6", "5" },
		{ "&&bytes=5&&", "5" },
		{ "bytes=5=6", "5=6" },
		{ "", NULL },
		{ "&", NULL },
		{ "byte=5", NULL },
		{ "bytesx=5", NULL },
		{ "xbytes=5", NULL },
		{ "Bytes=5", NULL },
		{ "=bytes", NULL },
		{ "a=bytes=5", NULL },
		{ "b", NULL },
		{ "byt%65s=5", NULL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct slice v = SLICE("untouched");
		bool found = route_query(at_brink(rows[i].query), SLICE("bytes"), &v);

		assert_int_equal(found, rows[i].value != NULL);
		assert_slice(v, found ? rows[i].value : "untouched");
	}
}

static void a_name_of_one_letter_is_found_too(void **state)
{
	(void)state;
	struct slice v;

	assert_true(route_query(SLICE("b"), SLICE("b"), &v));
	assert_int_equal(v.n, 0);
}

static void only_hosts_that_no_strangers_dns_can_point_here_are_local(void **state)
{
	(void)state;
	static const struct {
		const char *host;
		bool local;
	} rows[] = {
		{ "192.0.2.1", true },
		{ "192.0.2.1:80", true },
		{ "8.8.8.8:8080", true },
		{ "[::1]", true },
		{ "[::1]:80", true },
		{ "[2001:db8::1]:65535", true },
		{ "[fe80::1%25eth0]:80", true },
		{ "localhost", true },
		{ "LOCALHOST:8080", true },
		{ "localhost.", true },
		{ "a.", true },
		{ "router", true },
		{ "my-server:80", true },
		{ "nas.local", true },
		{ "NAS.LOCAL:8080", true },
		{ "nas.local.", true },
		{ "a.b.lan", true },
		{ "x.home", true },
		{ "x.home.arpa", true },
		{ "x.internal", true },
		{ "welcome.example", true },
		{ "Welcome.Example:8080", true },
		{ "welcome.example.", true },
		{ "also.example.org", true },
		{ "", false },
		{ ":80", false },
		{ "evil.example", false },
		{ "evil.example:8080", false },
		{ "local.evil.example", false },
		{ "nas.local.evil.example", false },
		{ "evillocal.example", false },
		{ "evil.mylan", false },
		{ "127.1.evil.example", false },
		{ "1.2.3.4.example", false },
		{ "127.0.0.1.nip.io", false },
		{ "not.welcome.example", false },
		{ "welcome.example.evil.example", false },
		{ "welcome.exampl", false },
		{ "0x7f.1", false },
		{ "127.1", false },
		{ ".", false },
		{ "localhost/", false },
		{ "x://localhost", false },
		{ "localhost/evil.example", false },
		{ "user@localhost", false },
		{ "http://localhost", false },
		{ "localhost:99999", false },
		{ "localhost:x", false },
		{ "local host", false },
		{ "[::1", false },
		{ "[evil.example]", false },
		{ "localhost,evil.example", false },
		{ "localhost\tevil.example", false },
	};
	static const struct slice names[] = { { "welcome.example", 15 }, { "also.example.org", 16 } };

	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(route_host_is_local(at_brink(rows[i].host), names, COUNT(names)), rows[i].local);
	assert_false(route_host_is_local(SLICE("welcome.example"), NULL, 0));
}

static const char *objection_to(const char *fields, struct slice *ret_host, unsigned *ret_status)
{
	static char request[400];
	static struct http1_head h;
	struct text t;
	http1_mark mark = 0;

	text_init(&t, request, sizeof(request));
	text_str(&t, fields);
	text_str(&t, "\r\n");
	assert_true(http1_head_parse(&h, HTTP1_REQUEST, t.p, t.len, &mark) > 0);
	return route_objection(&h, NULL, 0, ret_host, ret_status);
}

static void a_request_has_one_local_host_or_is_objected_to(void **state)
{
	(void)state;
	static const struct {
		const char *fields;
		unsigned status; /* 0 for no objection */
		const char *host;
	} rows[] = {
		{ "GET / HTTP/1.1\r\nHost: a:80\r\n", 0, "a:80" },
		{ "GET / HTTP/1.1\r\nx: y\r\nHOST:a\r\n", 0, "a" },
		{ "GET / HTTP/1.0\r\n", 0, "" },
		{ "GET / HTTP/1.1\r\n", 400, "" },
		{ "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n", 400, "a" },
		{ "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n", 400, "a" },
		{ "GET / HTTP/1.1\r\nHost: evil.example\r\n", 403, "evil.example" },
		{ "GET / HTTP/1.0\r\nHost: evil.example\r\n", 403, "evil.example" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct slice host;
		unsigned status;
		const char *why = objection_to(rows[i].fields, &host, &status);

		assert_int_equal(why != NULL, rows[i].status != 0);
		if (why)
			assert_int_equal(status, rows[i].status);
		assert_slice(host, rows[i].host);
	}
}

static void strangers_are_admitted_only_where_all_are(void **state)
{
	(void)state;
	static const struct {
		const char *peer;
		bool near, there;
	} rows[] = { { "127.0.0.1", true, true }, { "192.168.1.9", true, true }, { "100.64.0.1", true, true },
		{ "169.254.1.1", true, true }, { "::1", true, true }, { "fd00::1", true, true }, { "fe80::1", true, true },
		{ "192.0.2.1", false, true }, { "2001:db8::1", false, true }, { "::ffff:192.0.2.1", false, true },
		{ "0.0.0.0", false, false }, { "255.255.255.255", false, false }, { "ff02::1", false, false } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct addr peer;

		assert_true(addr_parse(slice_of(rows[i].peer), &peer));
		assert_int_equal(route_admits(&peer, false), rows[i].near);
		assert_int_equal(route_admits(&peer, true), rows[i].there);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strangers_are_admitted_only_where_all_are),
		cmocka_unit_test(a_target_belongs_to_one_row_of_the_table),
		cmocka_unit_test(whatever_else_is_asked_for_belongs_to_none),
		cmocka_unit_test(the_pictures_have_their_conventional_sizes),
		cmocka_unit_test(pages_of_other_origins_never_read_the_page_or_the_counters),
		cmocka_unit_test(methods_are_case_sensitive_and_others_have_no_bit),
		cmocka_unit_test(what_is_allowed_is_named),
		cmocka_unit_test(a_query_is_searched_part_by_part),
		cmocka_unit_test(a_name_of_one_letter_is_found_too),
		cmocka_unit_test(only_hosts_that_no_strangers_dns_can_point_here_are_local),
		cmocka_unit_test(a_request_has_one_local_host_or_is_objected_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
