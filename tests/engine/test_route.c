/* SPDX-License-Identifier: MIT */
#include "engine/route.h"

#include "brink.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct slice at_brink(const char *s)
{
	return (struct slice){ brink(s, strlen(s)), strlen(s) };
}

static void assert_slice(struct slice s, const char *want)
{
	assert_int_equal(s.n, strlen(want));
	assert_memory_equal(s.n > 0 ? s.p : "", want, s.n);
}

static void a_target_belongs_to_one_row_of_the_table_or_to_none(void **state)
{
	(void)state;
	static const struct {
		const char *target;
		enum route route;
		unsigned methods;
		const char *query;
	} rows[] = {
		{ "/", ROUTE_PAGE, ROUTE_GET | ROUTE_HEAD, "" },
		{ "/down", ROUTE_DOWN, ROUTE_GET | ROUTE_HEAD, "" },
		{ "/down?bytes=5", ROUTE_DOWN, ROUTE_GET | ROUTE_HEAD, "bytes=5" },
		{ "/down?", ROUTE_DOWN, ROUTE_GET | ROUTE_HEAD, "" },
		{ "/down?a?b", ROUTE_DOWN, ROUTE_GET | ROUTE_HEAD, "a?b" },
		{ "/up", ROUTE_UP, ROUTE_POST, "" },
		{ "/up?x", ROUTE_UP, ROUTE_POST, "x" },
		{ "/ping", ROUTE_PING, ROUTE_GET | ROUTE_HEAD, "" },
		{ "/info", ROUTE_INFO, ROUTE_GET | ROUTE_HEAD, "" },
		{ "http://host", ROUTE_PAGE, ROUTE_GET | ROUTE_HEAD, "" },
		{ "http://host/", ROUTE_PAGE, ROUTE_GET | ROUTE_HEAD, "" },
		{ "http://host:8080/down?bytes=7", ROUTE_DOWN, ROUTE_GET | ROUTE_HEAD, "bytes=7" },
		{ "http://[::1]/ping", ROUTE_PING, ROUTE_GET | ROUTE_HEAD, "" },
		{ "", ROUTE_NONE, 0, "" },
		{ "*", ROUTE_NONE, 0, "" },
		{ "down", ROUTE_NONE, 0, "" },
		{ "/down/", ROUTE_NONE, 0, "" },
		{ "/downx", ROUTE_NONE, 0, "" },
		{ "/dow", ROUTE_NONE, 0, "" },
		{ "/DOWN", ROUTE_NONE, 0, "" },
		{ "//down", ROUTE_NONE, 0, "" },
		{ "/../down", ROUTE_NONE, 0, "" },
		{ "/%64own", ROUTE_NONE, 0, "" },
		{ "/etc/passwd", ROUTE_NONE, 0, "" },
		{ "host:443", ROUTE_NONE, 0, "" },
		{ "https://host/down", ROUTE_NONE, 0, "" },
		{ "http:///down", ROUTE_NONE, 0, "" },
		{ "http://user@host/down", ROUTE_NONE, 0, "" },
		{ "http://", ROUTE_NONE, 0, "" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		unsigned methods = 99;
		struct slice query = { NULL, 99 };

		assert_int_equal(route_find(at_brink(rows[i].target), &methods, &query), rows[i].route);
		assert_int_equal(methods, rows[i].methods);
		if (rows[i].route != ROUTE_NONE)
			assert_slice(query, rows[i].query);
	}
}

static void methods_are_case_sensitive_and_others_have_no_bit(void **state)
{
	(void)state;
	static const struct {
		const char *method;
		unsigned bit;
	} rows[] = { { "GET", ROUTE_GET }, { "HEAD", ROUTE_HEAD }, { "POST", ROUTE_POST }, { "get", 0 }, { "PUT", 0 },
		{ "OPTIONS", 0 }, { "GE", 0 }, { "GETT", 0 }, { "", 0 } };

	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(route_method(at_brink(rows[i].method)), rows[i].bit);
}

static void what_is_allowed_is_named(void **state)
{
	(void)state;
	assert_string_equal(route_allow(ROUTE_GET | ROUTE_HEAD), "GET, HEAD");
	assert_string_equal(route_allow(ROUTE_POST), "POST");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_target_belongs_to_one_row_of_the_table_or_to_none),
		cmocka_unit_test(methods_are_case_sensitive_and_others_have_no_bit),
		cmocka_unit_test(what_is_allowed_is_named),
		cmocka_unit_test(a_query_is_searched_part_by_part),
		cmocka_unit_test(a_name_of_one_letter_is_found_too),
		cmocka_unit_test(only_hosts_that_no_strangers_dns_can_point_here_are_local),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
