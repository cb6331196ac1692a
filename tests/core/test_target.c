/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include "core/target.h"

#define COUNT(v) (sizeof(v) / sizeof(v[0]))
#define FORMS "HOST, HOST:PORT, [IPV6]:PORT, http://HOST/PATH, icmp://HOST, tcp://HOST:PORT or udp://HOST"

static void same(const char *input, const char *part, struct slice got, const char *expected)
{
	if (!slice_eq(got, slice_of(expected)))
		fail_msg("'%s': %s is '%.*s'", input, part, (int)got.n, got.p ? got.p : "");
}

/* The terminating NUL is the last byte that may be read. */
static bool parse(const char *s, struct guard *g, struct target *ret, struct fault *why)
{
	*g = guard_of(s, strlen(s) + 1);
	return target_parse(g->p, ret, why);
}

static void every_form_of_the_manual_is_read(void **state)
{
	static const struct {
		const char *in;
		enum target_scheme scheme;
		const char *host;
		bool literal;
		uint16_t port;
		const char *path;
	} rows[] = {
		{ "host", TARGET_ANY, "host", false, 0, "" },
		{ "host.example.org.", TARGET_ANY, "host.example.org.", false, 0, "" },
		{ "host:8080", TARGET_ANY, "host", false, 8080, "" },
		{ "host:8080/path?q", TARGET_ANY, "host", false, 8080, "/path?q" },
		{ "192.0.2.1", TARGET_ANY, "192.0.2.1", false, 0, "" },
		{ "[2001:db8::1]:8080", TARGET_ANY, "2001:db8::1", true, 8080, "" },
		{ "2001:db8::1", TARGET_ANY, "2001:db8::1", false, 0, "" },
		{ "fe80::1%eth0", TARGET_ANY, "fe80::1%eth0", false, 0, "" },
		{ "http://host:81/path", TARGET_HTTP, "host", false, 81, "/path" },
		{ "http://host", TARGET_HTTP, "host", false, 0, "" },
		{ "HTTP://host/#top", TARGET_HTTP, "host", false, 0, "/" },
		{ "http://host:/", TARGET_HTTP, "host", false, 0, "/" },
		{ "icmp://host", TARGET_ICMP, "host", false, 0, "" },
		{ "icmp://[fe80::1%25eth0]", TARGET_ICMP, "fe80::1%25eth0", true, 0, "" },
		{ "icmp://::1", TARGET_ICMP, "::1", false, 0, "" },
		{ "tcp://host:22", TARGET_TCP, "host", false, 22, "" },
		{ "Tcp://[::1]:65535", TARGET_TCP, "::1", true, 65535, "" },
		{ "udp://host", TARGET_UDP, "host", false, 0, "" },
		{ "UDP://[fe80::1%eth0]:862", TARGET_UDP, "fe80::1%eth0", true, 862, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fault why = { .kind = FAULT_NONE };
		struct target t;
		struct guard g;

		if (!parse(rows[i].in, &g, &t, &why))
			fail_msg("%s", why.text);
		assert_int_equal(t.scheme, rows[i].scheme);
		assert_int_equal(t.literal, rows[i].literal);
		assert_int_equal(t.port, rows[i].port);
		same(rows[i].in, "text", t.text, rows[i].in);
		same(rows[i].in, "host", t.host, rows[i].host);
		same(rows[i].in, "path", t.path, rows[i].path);
		assert_int_equal(why.kind, FAULT_NONE);
		guard_free(&g);
	}
}

static void a_refusal_is_a_sentence_with_a_way_out(void **state)
{
	static const struct {
		const char *in, *text, *hint;
	} rows[] = {
		{ "", "'' is empty", FORMS },
		{ "a b", "'a b' has a space in it", FORMS },
		{ "a\n", "'a\\x0a' has a control character in it", FORMS },
		{ "\x1b[2J", "'\\x1b[2J' has a control character in it", FORMS },
		{ "http://h:99999/", "'http://h:99999/' has a port that is not 1 to 65535", FORMS },
		{ "h:", "'h:' has a port that is not 1 to 65535", FORMS },
		{ "[", "'[' has an open bracket", FORMS },
		{ "http://[::1", "'http://[::1' has an open bracket", FORMS },
		{ "tcp://user@h:22", "'tcp://user@h:22' has a user name in it", FORMS },
		{ "tcp://:22", "'tcp://:22' has no host", FORMS },
		{ "fe80::1%eth0:80",
			"'fe80::1%eth0:80' is IPv6 with a port and needs brackets around the address", FORMS },
		{ "ftp://h", "'ftp://h' has a scheme that is not one of http, icmp, tcp, udp", FORMS },
		{ "httpx://h", "'httpx://h' has a scheme that is not one of http, icmp, tcp, udp", FORMS },
		{ "tc://h:1", "'tc://h:1' has a scheme that is not one of http, icmp, tcp, udp", FORMS },
		{ "https://h/", "'https://h/' needs TLS, which sonde does not speak", "sonde ping tcp://h:443" },
		{ "HTTPS://h:8443", "'HTTPS://h:8443' needs TLS, which sonde does not speak",
			"sonde ping tcp://h:8443" },
		{ "https://[::1]/x?y", "'https://[::1]/x?y' needs TLS, which sonde does not speak",
			"sonde ping tcp://[::1]:443" },
		{ "https://::1", "'https://::1' needs TLS, which sonde does not speak", "sonde ping tcp://[::1]:443" },
		{ "icmp://h:80", "'icmp://h:80' has a port, which icmp does not know", "icmp://h" },
		{ "icmp://[fe80::1%eth0]:80/x", "'icmp://[fe80::1%eth0]:80/x' has a port, which icmp does not know",
			"icmp://[fe80::1%eth0]" },
		{ "icmp://h/", "'icmp://h/' has a path, which only http knows", "icmp://h" },
		{ "tcp://h", "'tcp://h' needs a port", "tcp://h:80" },
		{ "tcp://h:", "'tcp://h:' needs a port", "tcp://h:80" },
		{ "tcp://::1", "'tcp://::1' needs a port", "tcp://[::1]:80" },
		{ "tcp://h:22/", "'tcp://h:22/' has a path, which only http knows", "tcp://h:22" },
		{ "udp://h/", "'udp://h/' has a path, which only http knows", "udp://h" },
		{ "udp://::1/x", "'udp://::1/x' has a path, which only http knows", "udp://[::1]" },
		{ "udp://:862", "'udp://:862' has no host", FORMS },
		{ "tcp://h:22/x", "'tcp://h:22/x' has a path, which only http knows", "tcp://h:22" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fault why = { .kind = FAULT_NONE };
		struct target t = { .port = 7 };
		struct guard g;

		if (parse(rows[i].in, &g, &t, &why))
			fail_msg("'%s' is taken", rows[i].in);
		assert_int_equal(why.kind, FAULT_USAGE);
		assert_string_equal(why.text, rows[i].text);
		assert_string_equal(why.hints[0], rows[i].hint);
		assert_string_equal(why.hints[1], "");
		assert_int_equal(t.port, 7);
		guard_free(&g);
	}
}

static void what_a_hint_proposes_is_accepted(void **state)
{
	static const char *const rows[] = { "https://h/", "https://[fe80::1%25eth0]:8443/x", "icmp://::1/x",
		"icmp://h:1/", "tcp://h", "tcp://fe80::1%eth0", "tcp://h/x", "ICMP://h:80",
		"udp://fe80::1%eth0/x" };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fault why;
		struct target t;

		assert_false(target_parse(rows[i], &t, &why));
		const char *space = strrchr(why.hints[0], ' ');
		if (!target_parse(space ? space + 1 : why.hints[0], &t, &why))
			fail_msg("'%s' proposes what fails: %s", rows[i], why.text);
	}
}

static void a_host_too_long_for_a_message_is_cut_there(void **state)
{
	char s[1200] = "https://";
	struct fault why;
	struct target t;

	(void)state;
	memset(s + 8, 'x', sizeof(s) - 9);
	s[sizeof(s) - 1] = '\0';
	assert_false(target_parse(s, &t, &why));
	assert_true(strlen(why.text) < FAULT_TEXT_MAX);
	assert_non_null(strstr(why.text, "...' needs TLS"));
	assert_memory_equal(why.hints[0], "sonde ping tcp://xxx", 20);
}

static void the_longest_target_is_a_url_long(void **state)
{
	static char s[URL_MAX + 2] = "h/";
	struct fault why;
	struct target t;

	(void)state;
	memset(s + 2, 'x', URL_MAX - 2);
	assert_true(target_parse(s, &t, &why));
	assert_int_equal(t.path.n, URL_MAX - 1);
	s[URL_MAX] = 'x';
	assert_false(target_parse(s, &t, &why));
	assert_non_null(strstr(why.text, "' is longer than 2048 bytes"));
}

static void every_beginning_of_a_target_ends_at_its_nul(void **state)
{
	static const char whole[] = "http://[fe80::1%25eth0]:8080/path?query#f";

	(void)state;
	for (size_t n = 0; n < sizeof(whole); n++) {
		char s[sizeof(whole)];
		struct fault why;
		struct target t;
		struct guard g;

		memcpy(s, whole, n);
		s[n] = '\0';
		if (parse(s, &g, &t, &why))
			assert_true(t.host.n > 0);
		else
			assert_true(why.text[0] == '\'' && why.hints[0][0] != '\0');
		guard_free(&g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_of_the_manual_is_read),
		cmocka_unit_test(a_refusal_is_a_sentence_with_a_way_out),
		cmocka_unit_test(what_a_hint_proposes_is_accepted),
		cmocka_unit_test(a_host_too_long_for_a_message_is_cut_there),
		cmocka_unit_test(the_longest_target_is_a_url_long),
		cmocka_unit_test(every_beginning_of_a_target_ends_at_its_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
