/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "core/addr.h"

static uint32_t seed = 1;

static uint32_t dice(uint32_t sides)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % sides;
}

/* The bytes end at an unreadable page, with no NUL behind them. */
static bool parse(const char *s, struct addr *ret)
{
	struct guard g = guard_of(s, strlen(s));
	bool ok = addr_parse((struct slice){ g.p, g.n }, ret);

	guard_free(&g);
	return ok;
}

static struct addr of(const char *s)
{
	struct addr a = { .family = 99 };

	if (!parse(s, &a))
		fail_msg("'%s' is refused", s);
	return a;
}

static const char *shown(const struct addr *a, bool port)
{
	static char buf[ADDR_TEXT_MAX];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	if (port)
		addr_put_port(&t, a);
	else
		addr_put(&t, a);
	assert_false(t.cut);
	return buf;
}

static void an_address_is_shown_in_its_canonical_form(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "0.0.0.0", "0.0.0.0" },
		{ "192.0.2.1", "192.0.2.1" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "::", "::" },
		{ "::1", "::1" },
		{ "1::", "1::" },
		{ "0:0:0:0:0:0:0:0", "::" },
		{ "0:0:0:0:0:0:0:1", "::1" },
		{ "2001:DB8::ABCD", "2001:db8::abcd" },
		{ "2001:0db8::0001", "2001:db8::1" },
		{ "2001:db8:0:0:0:0:2:1", "2001:db8::2:1" },
		{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
		{ "2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
		{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
		{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
		{ "0:0:1:0:0:0:0:0", "0:0:1::" },
		{ "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0" },
		{ "::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8" },
		{ "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
		{ "64:ff9b::192.0.2.33", "64:ff9b::c000:221" },
		{ "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304" },
		{ "::1.2.3.4", "::102:304" },
		{ "::ffff:0:192.0.2.1", "::ffff:0:c000:201" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct addr a = of(rows[i].in);

		assert_string_equal(shown(&a, false), rows[i].out);
		assert_int_equal(a.port, 0);
		assert_int_equal(a.scope, 0);
		assert_int_equal(a.family, strchr(rows[i].in, ':') ? 6 : 4);
	}
}

static void a_mapped_address_is_an_ipv4_address(void **state)
{
	static const char *const rows[] = { "::ffff:192.0.2.1", "::FFFF:c000:201", "0:0:0:0:0:ffff:192.0.2.1" };
	static const uint8_t rest[12] = { 0 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct addr a = of(rows[i]);

		assert_int_equal(a.family, 4);
		assert_string_equal(shown(&a, false), "192.0.2.1");
		assert_memory_equal(a.ip + 4, rest, sizeof(rest));
	}
}

static void what_is_a_name_or_broken_is_no_address(void **state)
{
	static const char *const rows[] = {
		"", "1", "127.1", "1.2.3", "1.2.3.4.", "1.2.3.4.5", ".1.2.3.4", "1..3.4", "01.2.3.4",
		"1.2.3.04", "00.0.0.0", "256.0.0.1", "1.2.3.999", "1.2.3.4294967297", "0x7f.0.0.1", "1.2.3.a",
		"1.2.3.-4", "1.2.3.+4", " 1.2.3.4", "1.2.3.4 ", "1.2.3.4:80", "localhost", ":", ":::", "1:",
		":1", "::1:", ":1::", "1:::2", "1::2::3", "::1::", "12345::", "::g", "::-1", "1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1:2:3:4::5:6:7:8",
		"1:2:3:4:5:6:7:1.2.3.4", "::1.2.3", "::1.2.3.4.5", "::1.2.3.256", "::1.2.3.4:1", "1.2.3.4::",
		"::1.2.3.4::", "::01.2.3.4", "[::1]", "fe80::1%eth0", "::1%", "::1/64", "::ffff:1.2.3.4 ",
		"1:2:3:4:5:6:7:8:1.2.3.4", "1:2:3:4:5:1.2.3.4", "::1:2:3:4:5:6:1.2.3.4", "::00001",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct addr a = { .family = 99, .port = 7 };

		if (parse(rows[i], &a))
			fail_msg("'%s' is taken for an address", rows[i]);
		assert_int_equal(a.family, 99);
		assert_int_equal(a.port, 7);
	}
}

static void a_nul_inside_ends_no_address(void **state)
{
	struct addr a;

	(void)state;
	assert_false(addr_parse(SLICE("1.2.3.4\0"), &a));
	assert_false(addr_parse(SLICE("::1\0"), &a));
	assert_false(addr_parse(SLICE("1.2\0.3.4"), &a));
}

/* The C library is the reference; what it takes for a mapped address is IPv4 here. */
static void agree_with_libc(const char *s)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	uint8_t ip[16] = { 0 };
	struct addr a;
	int family = inet_pton(AF_INET, s, ip) == 1 ? 4 : inet_pton(AF_INET6, s, ip) == 1 ? 6 : 0;

	if (family == 6 && memcmp(ip, mapped, 12) == 0) {
		family = 4;
		memmove(ip, ip + 12, 4);
		memset(ip + 4, 0, 12);
	}
	if (parse(s, &a) != (family != 0))
		fail_msg("'%s' is %s", s, family ? "refused" : "taken");
	if (family == 0)
		return;
	assert_int_equal(a.family, family);
	assert_memory_equal(a.ip, ip, 16);
}

static void damaged_addresses_are_judged_as_libc_does(void **state)
{
	static const char *const seeds[] = { "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4", "2001:db8::1", "10.20.30.255",
		"::", "f::0:0" };
	static const char bytes[] = "0123456789abcfF:::...g% ";

	(void)state;
	for (size_t round = 0; round < 6000; round++) {
		char s[64];
		size_t n = (size_t)snprintf(s, sizeof(s), "%s", seeds[dice(6)]);

		for (uint32_t edits = dice(4); edits > 0; edits--) {
			size_t at = dice((uint32_t)n + 1);

			if (dice(2) && n < 40) {
				memmove(s + at + 1, s + at, n + 1 - at);
				n++;
			}
			if (at < n)
				s[at] = bytes[dice(sizeof(bytes) - 1)];
		}
		agree_with_libc(s);
	}
}

static void every_pattern_of_zeros_is_shown_as_libc_does_and_reads_back(void **state)
{
	(void)state;
	for (unsigned mask = 0; mask < 256; mask++) {
		struct addr a = { .family = 6 }, back;
		char expected[INET6_ADDRSTRLEN];

		for (unsigned i = 0; i < 8; i++) {
			a.ip[2 * i] = mask >> i & 1 ? (uint8_t)dice(2) : 0;
			a.ip[2 * i + 1] = mask >> i & 1 ? (uint8_t)(1 + dice(255)) : 0;
		}
		inet_ntop(AF_INET6, a.ip, expected, sizeof(expected));
		if ((mask & 0x3f) != 0) /* libc still shows ::/96 with a dotted tail */
			assert_string_equal(shown(&a, false), expected);
		back = of(shown(&a, false));
		assert_memory_equal(back.ip, a.ip, 16);
	}
}

static void a_mapped_address_from_elsewhere_is_shown_dotted(void **state)
{
	struct addr a = { .family = 6, .ip = { [10] = 0xff, [11] = 0xff, 192, 0, 2, 1 } };

	(void)state;
	assert_string_equal(shown(&a, false), "::ffff:192.0.2.1");
}

static void a_port_stands_behind_brackets_where_there_are_colons(void **state)
{
	struct addr v4 = of("192.0.2.1"), v6 = of("2001:db8::1"), local = of("fe80::1");

	(void)state;
	v4.port = 80;
	v6.port = 65535;
	local.scope = 2;
	assert_string_equal(shown(&v4, true), "192.0.2.1:80");
	assert_string_equal(shown(&v6, true), "[2001:db8::1]:65535");
	assert_string_equal(shown(&local, true), "[fe80::1%2]:0");
	assert_string_equal(shown(&local, false), "fe80::1%2");
}

static void the_longest_text_fits(void **state)
{
	struct addr a = of("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");

	(void)state;
	a.scope = UINT32_MAX;
	a.port = UINT16_MAX;
	assert_string_equal(shown(&a, true), "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295]:65535");
}

static void no_address_is_shown_as_nothing_and_leads_nowhere(void **state)
{
	struct addr none = { .family = 0 };

	(void)state;
	assert_string_equal(shown(&none, false), "");
	assert_int_equal(addr_reach(&none), ADDR_UNSPECIFIED);
}

static void hosts_are_the_same_whatever_the_port(void **state)
{
	struct addr a = of("192.0.2.1"), b = of("192.0.2.1"), c = of("192.0.2.2"), zeros = of("c000:201::");

	(void)state;
	b.port = 9;
	assert_true(addr_same_host(&a, &b));
	assert_false(addr_same_host(&a, &c));
	assert_false(addr_same_host(&a, &zeros)); /* the same sixteen bytes, another family */
	c = of("2001:db8::1");
	zeros = of("2001:db8::2");
	assert_true(addr_same_host(&c, &c));
	assert_false(addr_same_host(&c, &zeros));
}

static void scopes_differ_only_where_both_are_known(void **state)
{
	struct addr none = of("fe80::1"), two = none, three = none;

	(void)state;
	two.scope = 2;
	three.scope = 3;
	assert_true(addr_same_host(&two, &two));
	assert_true(addr_same_host(&none, &two));
	assert_true(addr_same_host(&two, &none));
	assert_false(addr_same_host(&two, &three));
}

static void reach_is_right_on_both_sides_of_every_border(void **state)
{
	static const struct {
		const char *ip;
		enum addr_reach reach;
	} rows[] = {
		{ "0.0.0.0", ADDR_UNSPECIFIED },      { "0.0.0.1", ADDR_PUBLIC },
		{ "9.255.255.255", ADDR_PUBLIC },     { "10.0.0.0", ADDR_PRIVATE },
		{ "10.255.255.255", ADDR_PRIVATE },   { "11.0.0.0", ADDR_PUBLIC },
		{ "100.63.255.255", ADDR_PUBLIC },    { "100.64.0.0", ADDR_PRIVATE },
		{ "100.127.255.255", ADDR_PRIVATE },  { "100.128.0.0", ADDR_PUBLIC },
		{ "126.255.255.255", ADDR_PUBLIC },   { "127.0.0.0", ADDR_LOOPBACK },
		{ "127.255.255.255", ADDR_LOOPBACK }, { "128.0.0.0", ADDR_PUBLIC },
		{ "169.253.255.255", ADDR_PUBLIC },   { "169.254.0.0", ADDR_LINK_LOCAL },
		{ "169.254.255.255", ADDR_LINK_LOCAL }, { "169.255.0.0", ADDR_PUBLIC },
		{ "172.15.255.255", ADDR_PUBLIC },    { "172.16.0.0", ADDR_PRIVATE },
		{ "172.31.255.255", ADDR_PRIVATE },   { "172.32.0.0", ADDR_PUBLIC },
		{ "192.167.255.255", ADDR_PUBLIC },   { "192.168.0.0", ADDR_PRIVATE },
		{ "192.168.255.255", ADDR_PRIVATE },  { "192.169.0.0", ADDR_PUBLIC },
		{ "223.255.255.255", ADDR_PUBLIC },   { "224.0.0.0", ADDR_MULTICAST },
		{ "239.255.255.255", ADDR_MULTICAST }, { "240.0.0.0", ADDR_PUBLIC },
		{ "255.255.255.254", ADDR_PUBLIC },   { "255.255.255.255", ADDR_MULTICAST },
		{ "::", ADDR_UNSPECIFIED },           { "::1", ADDR_LOOPBACK },
		{ "::2", ADDR_PUBLIC },               { "1::1", ADDR_PUBLIC },
		{ "2001:db8::1", ADDR_PUBLIC },       { "fbff::1", ADDR_PUBLIC },
		{ "fc00::", ADDR_PRIVATE },           { "fdff:ffff::1", ADDR_PRIVATE },
		{ "fe00::1", ADDR_PUBLIC },           { "fe7f::1", ADDR_PUBLIC },
		{ "fe80::1", ADDR_LINK_LOCAL },       { "febf::1", ADDR_LINK_LOCAL },
		{ "fec0::1", ADDR_PUBLIC },           { "feff::1", ADDR_PUBLIC },
		{ "ff00::", ADDR_MULTICAST },         { "ffff::1", ADDR_MULTICAST },
		{ "a00::1", ADDR_PUBLIC },            { "7f00::1", ADDR_PUBLIC },
		{ "252.0.0.1", ADDR_PUBLIC },         { "254.128.0.1", ADDR_PUBLIC },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct addr a = of(rows[i].ip);

		if (addr_reach(&a) != rows[i].reach)
			fail_msg("%s has reach %d", rows[i].ip, (int)addr_reach(&a));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_shown_in_its_canonical_form),
		cmocka_unit_test(a_mapped_address_is_an_ipv4_address),
		cmocka_unit_test(what_is_a_name_or_broken_is_no_address),
		cmocka_unit_test(a_nul_inside_ends_no_address),
		cmocka_unit_test(damaged_addresses_are_judged_as_libc_does),
		cmocka_unit_test(every_pattern_of_zeros_is_shown_as_libc_does_and_reads_back),
		cmocka_unit_test(a_mapped_address_from_elsewhere_is_shown_dotted),
		cmocka_unit_test(a_port_stands_behind_brackets_where_there_are_colons),
		cmocka_unit_test(the_longest_text_fits),
		cmocka_unit_test(no_address_is_shown_as_nothing_and_leads_nowhere),
		cmocka_unit_test(hosts_are_the_same_whatever_the_port),
		cmocka_unit_test(scopes_differ_only_where_both_are_known),
		cmocka_unit_test(reach_is_right_on_both_sides_of_every_border),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
