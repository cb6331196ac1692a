/* SPDX-License-Identifier: MIT */
#include "core/advice.h"

#include "guard.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A user of a machine as it is delivered: nothing forbidden, and nothing granted. */
static struct privilege plain(void)
{
	return (struct privilege){ .status_known = true, .cap_bounding = true, .group_range_known = true,
		.group_low = 1,
		.group_high = 0, .raw_error = "Operation not permitted", .dgram_error = "Permission denied" };
}

static bool mentions(const char *const v[], size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (strstr(v[i], word))
			return true;
	return false;
}

static void there_is_nothing_to_say_where_raw_icmp_works(void **state)
{
	(void)state;
	struct privilege p = plain();

	p.icmp_raw = true;
	assert_int_equal(advise(&p).n_reasons, 0);
	assert_int_equal(advise(&p).n_fixes, 0);
	p.icmp_dgram = p.cap_net_raw = p.cap_permitted = true;
	assert_int_equal(advise(&p).n_reasons, 0);
}

/* Each case changes one thing of a plain user, and must be told by one word. */
enum change {
	NOTHING,
	DGRAM,
	NO_PROC,
	UNBOUND,
	NO_NEW,
	NEW_BUT_PERMITTED,
	USER_NS,
	HAS_CAP,
	ROOT,
	RANGE,
	RANGE_INSIDE,
	NO_RANGE,
};

static struct privilege changed(enum change c)
{
	struct privilege p = plain();

	p.icmp_dgram = c == DGRAM;
	p.status_known = c != NO_PROC;
	p.cap_bounding = c != UNBOUND && c != NO_PROC;
	p.no_new_privs = c == NO_NEW || c == NEW_BUT_PERMITTED;
	p.cap_permitted = c == NEW_BUT_PERMITTED || c == USER_NS || c == HAS_CAP;
	p.cap_net_raw = c == USER_NS || c == HAS_CAP;
	p.user_namespace = c == USER_NS;
	p.root = c == ROOT || c == USER_NS;
	p.group_range_known = c != NO_RANGE;
	if (c == RANGE || c == RANGE_INSIDE || c == DGRAM)
		p.group_low = 0;
	p.group_inside = c == RANGE_INSIDE || c == DGRAM;
	return p;
}

static const struct {
	enum change change;
	const char *reason, *fix, *no_fix; /* words that must and must not be there */
} rows[] = {
	{ NOTHING, "does not have CAP_NET_RAW", "setcap cap_net_raw", "--cap-add" },
	{ NOTHING, "ping_group_range is empty", "net.ipv4.ping_group_range=", "--cap-add" },
	{ DGRAM, "does not have CAP_NET_RAW", "setcap cap_net_raw", "ping_group_range" },
	{ NO_PROC, "does not tell", "ping_group_range", "--cap-add" },
	{ UNBOUND, "bounding set", "--cap-add NET_RAW", "setcap" },
	{ NO_NEW, "no_new_privs", "ping_group_range", "setcap" },
	{ NEW_BUT_PERMITTED, "does not have CAP_NET_RAW", "ping_group_range", "setcap" },
	{ USER_NS, "user namespace", "ping_group_range", "setcap" },
	{ HAS_CAP, "the kernel refused all the same", "ping_group_range", "--cap-add" },
	{ ROOT, "does not have CAP_NET_RAW", "ping_group_range", "setcap" },
	{ RANGE, "none of this user's groups", "ping_group_range", "--cap-add" },
	{ RANGE_INSIDE, "group is in net.ipv4.ping_group_range", "ping_group_range", "--cap-add" },
	{ NO_RANGE, "cannot be read", "ping_group_range", "--cap-add" },
};

static void each_obstacle_is_named_and_has_a_way_round_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct privilege p = changed(rows[i].change);
		struct advice a = advise(&p);

		assert_true(mentions(a.reasons, a.n_reasons, rows[i].reason));
		assert_true(mentions(a.fixes, a.n_fixes, rows[i].fix));
		assert_false(mentions(a.fixes, a.n_fixes, rows[i].no_fix));
	}
}

static void who_may_use_datagrams_is_told_nothing_about_their_range(void **state)
{
	(void)state;
	struct privilege p = changed(DGRAM);
	struct advice a = advise(&p);

	assert_int_equal(a.n_reasons, 1);
	assert_false(mentions(a.reasons, a.n_reasons, "ping_group_range"));
}

/* Every combination of what can be found out: bits of the number. */
static struct privilege combination(unsigned bits)
{
	struct privilege p = plain();
	bool *const flags[] = { &p.icmp_raw, &p.icmp_dgram, &p.status_known, &p.cap_net_raw, &p.cap_permitted,
		&p.cap_bounding, &p.no_new_privs, &p.user_namespace, &p.group_range_known, &p.group_inside, &p.root };

	for (size_t i = 0; i < COUNT(flags); i++)
		*flags[i] = bits >> i & 1;
	p.group_low = bits >> COUNT(flags) & 1 ? 0 : 1;
	return p;
}

static void no_combination_is_left_without_a_word_or_says_too_much(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < 1U << 12; bits++) {
		struct privilege p = combination(bits);
		struct advice a = advise(&p);

		assert_true(a.n_reasons <= ADVICE_MAX && a.n_fixes <= ADVICE_MAX);
		assert_int_equal(a.n_reasons == 0, p.icmp_raw);
		if (!p.icmp_raw && !p.icmp_dgram)
			assert_true(a.n_reasons == 2 && a.n_fixes > 0);
		for (size_t i = 0; i < a.n_reasons; i++) {
			size_t n = strlen(a.reasons[i]);

			assert_true(n > 10 && a.reasons[i][n - 1] != '.');
		}
		for (size_t i = 0; i < a.n_fixes; i++)
			assert_true(strlen(a.fixes[i]) > 10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_is_nothing_to_say_where_raw_icmp_works),
		cmocka_unit_test(each_obstacle_is_named_and_has_a_way_round_it),
		cmocka_unit_test(who_may_use_datagrams_is_told_nothing_about_their_range),
		cmocka_unit_test(no_combination_is_left_without_a_word_or_says_too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
