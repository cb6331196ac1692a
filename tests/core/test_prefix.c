/* SPDX-License-Identifier: MIT */
#include "core/prefix.h"

#include "guard.h"

static void assert_at(const struct prefix *p, uint64_t i, const char *want)
{
	char buf[ADDR_TEXT_MAX];
	struct addr a = prefix_at(p, i);
	struct text t;

	text_init(&t, buf, sizeof(buf));
	addr_put(&t, &a);
	assert_string_equal(buf, want);
}

static void a_network_is_the_list_of_its_hosts(void **state)
{
	static const struct {
		const char *text;
		uint64_t n;
		const char *first, *last;
	} cases[] = {
		{ "192.0.2.0/24", 254, "192.0.2.1", "192.0.2.254" },
		{ "192.0.2.77/24", 254, "192.0.2.1", "192.0.2.254" },
		{ "10.98.0.0/16", 65534, "10.98.0.1", "10.98.255.254" },
		{ "10.1.2.3/30", 2, "10.1.2.1", "10.1.2.2" },
		{ "10.1.2.3/31", 2, "10.1.2.2", "10.1.2.3" },
		{ "10.1.2.3/32", 1, "10.1.2.3", "10.1.2.3" },
		{ "0.0.0.0/0", 4294967294, "0.0.0.1", "255.255.255.254" },
		{ "2001:db8::/120", 256, "2001:db8::", "2001:db8::ff" },
		{ "2001:db8::1ff/119", 512, "2001:db8::", "2001:db8::1ff" },
		{ "2001:db8::5/128", 1, "2001:db8::5", "2001:db8::5" },
		{ "2001:db8::/65", UINT64_C(1) << 63, "2001:db8::", "2001:db8::7fff:ffff:ffff:ffff" },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct guard g = guard_of(cases[i].text, strlen(cases[i].text));
		struct prefix p;

		assert_true(prefix_parse((struct slice){ g.p, g.n }, &p));
		assert_true(p.n == cases[i].n);
		assert_at(&p, 0, cases[i].first);
		assert_at(&p, p.n - 1, cases[i].last);
		guard_free(&g);
	}
}

static void a_count_that_does_not_fit_is_the_largest(void **state)
{
	struct prefix p;
	(void)state;

	assert_true(prefix_parse(SLICE("2001:db8::/64"), &p));
	assert_true(p.n == UINT64_MAX);
	assert_true(prefix_parse(SLICE("::/0"), &p));
	assert_true(p.n == UINT64_MAX);
}

static void what_is_no_network_is_refused(void **state)
{
	static const char *const wrong[] = { "", "/", "/24", "192.0.2.0", "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1",
		"192.0.2.0/ 24", "192.0.2.0/24/", "192.0.2.0/24x", "192.0.2/24", "host/24", "2001:db8::/129",
		"192.0.2.0/18446744073709551640", "fe80::1%eth0/64", "[2001:db8::]/64" };
	(void)state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct prefix p = { .n = 77 };
		struct guard g = guard_of(wrong[i], strlen(wrong[i]));

		assert_false(prefix_parse((struct slice){ g.p, g.n }, &p));
		assert_int_equal(p.n, 77);
		guard_free(&g);
	}
}

static void every_host_follows_the_one_before(void **state)
{
	struct prefix p;
	(void)state;

	assert_true(prefix_parse(SLICE("10.255.254.0/22"), &p));
	for (uint64_t i = 0; i < p.n; i++) {
		struct addr a = prefix_at(&p, i);
		uint32_t v = (uint32_t)a.ip[0] << 24 | (uint32_t)a.ip[1] << 16 | (uint32_t)a.ip[2] << 8 | a.ip[3];

		assert_int_equal(v, 0x0afffc01 + i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_network_is_the_list_of_its_hosts),
		cmocka_unit_test(a_count_that_does_not_fit_is_the_largest),
		cmocka_unit_test(what_is_no_network_is_refused),
		cmocka_unit_test(every_host_follows_the_one_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
