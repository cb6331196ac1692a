/* SPDX-License-Identifier: MIT */
#include "engine/gate.h"

#include <stdio.h>

#include "guard.h"
#include "rng.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define TOKEN "00ff10a5deadbeef0123456789abcdef"
#define HERE "Host: 127.0.0.1:8090\r\n"

static const uint8_t random_bytes[GATE_TOKEN / 2] = { 0x00, 0xff, 0x10, 0xa5, 0xde, 0xad, 0xbe, 0xef, 0x01, 0x23, 0x45, 0x67,
	0x89, 0xab, 0xcd, 0xef };

static struct gate gate_at(uint16_t port)
{
	struct gate g;

	memset(&g, 0xa5, sizeof(g));
	gate_init(&g, port, random_bytes);
	return g;
}

/* The status for a request; what it says behind the token is in @path and @query. */
static unsigned ask_at(uint16_t port, const char *target, const char *fields, struct slice *path, struct slice *query)
{
	static char buf[4096];
	struct http1_head h;
	struct gate g = gate_at(port);
	http1_mark mark = 0;
	int n = snprintf(buf, sizeof(buf), "GET %s HTTP/1.1\r\n%s\r\n", target, fields);

	assert_int_equal(http1_head_parse(&h, HTTP1_REQUEST, buf, (size_t)n, &mark), n);
	return gate_pass(&g, &h, path, query);
}

static unsigned ask(const char *target, const char *fields)
{
	struct slice path, query;

	return ask_at(8090, target, fields, &path, &query);
}

static void the_token_is_all_of_the_random_bytes_in_hexadecimal(void **state)
{
	(void)state;
	struct gate g = gate_at(8090);

	assert_string_equal(g.token, TOKEN);
}

static void behind_the_token_stand_path_and_query(void **state)
{
	(void)state;
	static const struct {
		const char *target, *path, *query;
	} rows[] = {
		{ "/" TOKEN "/", "", "" },
		{ "/" TOKEN "/?", "", "" },
		{ "/" TOKEN "/events?run=ping&target=a/b?c", "events", "run=ping&target=a/b?c" },
		{ "/" TOKEN "/a/b", "a/b", "" },
		{ "/" TOKEN "//", "/", "" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct slice path, query;

		assert_int_equal(ask_at(8090, rows[i].target, HERE, &path, &query), 0);
		assert_true(slice_is(path, rows[i].path));
		assert_true(slice_is(query, rows[i].query));
	}
}

static void without_the_whole_token_there_is_nothing(void **state)
{
	(void)state;
	static const char *const targets[] = {
		"/", "/info", "/" TOKEN, "/" TOKEN "?x", "//" TOKEN "/", "/" TOKEN "0/", TOKEN "/", "x" TOKEN "/",
		"/00ff10a5deadbeef0123456789abcde/", "/00ff10a5deadbeef0123456789abcdee/", "/10ff10a5deadbeef0123456789abcdef/",
		"/00FF10A5DEADBEEF0123456789ABCDEF/", "/%3000ff10a5deadbeef0123456789abcdef/", "/?" TOKEN "/", "*",
		"http://127.0.0.1:8090/" TOKEN "/", "/x?/" TOKEN "/",
	};

	for (size_t i = 0; i < COUNT(targets); i++)
		if (ask(targets[i], HERE) != 404)
			fail_msg("%s passes", targets[i]);
}

static void every_digit_of_the_token_counts(void **state)
{
	(void)state;
	for (size_t i = 1; i <= GATE_TOKEN; i++) {
		char target[] = "/" TOKEN "/";

		target[i] ^= 1;
		assert_int_equal(ask(target, HERE), 404);
	}
}

static void a_request_that_ends_where_memory_does_is_read_no_farther(void **state)
{
	(void)state;
	static const char whole[] = "/" TOKEN "/";

	for (size_t n = 1; n < sizeof(whole); n++) {
		struct guard at = guard_of(whole, n);
		struct http1_head h = { .target = { at.p, n }, .n_fields = 1,
			.fields = { { SLICE("Host"), SLICE("localhost:8090") } } };
		struct gate g = gate_at(8090);
		struct slice path, query;

		assert_int_equal(gate_pass(&g, &h, &path, &query), n == sizeof(whole) - 1 ? 0 : 404);
		guard_free(&at);
	}
}

static void our_own_page_and_what_a_user_types_are_welcome(void **state)
{
	(void)state;
	static const char *const fields[] = {
		HERE,
		"host: localhost:8090\r\n",
		HERE "Origin: http://127.0.0.1:8090\r\n",
		HERE "Sec-Fetch-Site: same-origin\r\nOrigin: http://127.0.0.1:8090\r\n",
		HERE "sec-fetch-site: none\r\n",
		"Host: localhost:8090\r\nOrigin: http://localhost:8090\r\n",
	};

	for (size_t i = 0; i < COUNT(fields); i++)
		if (ask("/" TOKEN "/", fields[i]) != 0)
			fail_msg("refused: %s", fields[i]);
}

static void other_pages_are_told_off_whatever_they_ask_for(void **state)
{
	(void)state;
	static const char *const fields[] = {
		"", "Accept: */*\r\n",
		/* names that an attacker can point here, and what looks like ours */
		"Host: evil.example\r\n", "Host: evil.example:8090\r\n", "Host: 127.0.0.1.evil.example:8090\r\n",
		"Host: localhost.evil.example:8090\r\n", "Host: evil.example#127.0.0.1:8090\r\n", "Host: x@127.0.0.1:8090\r\n",
		"Host: 127.0.0.1\r\n", "Host: 127.0.0.1:80\r\n", "Host: 127.0.0.1:8091\r\n", "Host: 127.0.0.1:80900\r\n",
		"Host: 127.0.0.1:8090/x\r\n", "Host: 127.0.0.1:8090:8090\r\n", "Host: 127.0.0.2:8090\r\n", "Host: [::1]:8090\r\n",
		"Host: 127.1:8090\r\n", "Host: 2130706433:8090\r\n", "Host: localhost.:8090\r\n", "Host:\r\n", "Host: :8090\r\n",
		"Host: https://127.0.0.1:8090\r\n", "Host: 127.0.0.1:8090, evil.example\r\n", "Host: 127.0.0.1:8090 evil\r\n",
		HERE HERE, HERE "Host: evil.example\r\n", "Host: evil.example\r\n" HERE,
		HERE "Origin: http://evil.example\r\n", HERE "Origin: null\r\n", HERE "Origin:\r\n",
		HERE "Origin: https://127.0.0.1:8090\r\n", HERE "Origin: http://127.0.0.1\r\n",
		HERE "Origin: http://127.0.0.1:8091\r\n", HERE "Origin: http://127.0.0.1:8090.evil.example\r\n",
		HERE "Origin: http://evil.example/127.0.0.1:8090\r\n", HERE "Origin: file://127.0.0.1:8090\r\n",
		HERE "Origin: http://127.0.0.1:8090\r\nOrigin: http://evil.example\r\n",
		HERE "Origin: http://127.0.0.1:8090 http://evil.example\r\n",
		HERE "Sec-Fetch-Site: cross-site\r\n", HERE "Sec-Fetch-Site: same-site\r\n", HERE "Sec-Fetch-Site:\r\n",
		HERE "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: cross-site\r\n",
		HERE "SEC-FETCH-SITE: cross-site\r\n", HERE "ORIGIN: http://evil.example\r\n",
	};

	for (size_t i = 0; i < COUNT(fields); i++) {
		if (ask("/" TOKEN "/", fields[i]) != 403)
			fail_msg("passes: %s", fields[i]);
		assert_int_equal(ask("/", fields[i]), 403);
	}
}

static void port_80_needs_no_mention(void **state)
{
	(void)state;
	struct slice path, query;

	assert_int_equal(ask_at(80, "/" TOKEN "/", "Host: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\n", &path, &query), 0);
	assert_int_equal(ask_at(80, "/" TOKEN "/", "Host: 127.0.0.1:80\r\n", &path, &query), 0);
	assert_int_equal(ask_at(80, "/" TOKEN "/", "Host: 127.0.0.1:8090\r\n", &path, &query), 403);
}

static void no_noise_in_host_passes(void **state)
{
	(void)state;
	struct rng r = { 5 };

	for (int k = 0; k < 20000; k++) {
		char host[] = "127.0.0.1:8090";
		struct http1_head h = { .target = SLICE("/" TOKEN "/"), .n_fields = 1,
			.fields = { { SLICE("Host"), { host, sizeof(host) - 1 } } } };
		struct gate g = gate_at(8090);
		struct slice path, query;
		size_t at = rng_below(&r, sizeof(host) - 1);
		char was = host[at];

		host[at] = (char)rng_below(&r, 256);
		assert_int_equal(gate_pass(&g, &h, &path, &query), host[at] == was ? 0 : 403);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_token_is_all_of_the_random_bytes_in_hexadecimal),
		cmocka_unit_test(behind_the_token_stand_path_and_query),
		cmocka_unit_test(without_the_whole_token_there_is_nothing),
		cmocka_unit_test(every_digit_of_the_token_counts),
		cmocka_unit_test(a_request_that_ends_where_memory_does_is_read_no_farther),
		cmocka_unit_test(our_own_page_and_what_a_user_types_are_welcome),
		cmocka_unit_test(other_pages_are_told_off_whatever_they_ask_for),
		cmocka_unit_test(port_80_needs_no_mention),
		cmocka_unit_test(no_noise_in_host_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
