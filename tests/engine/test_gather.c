/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include "engine/gather.h"

#define STEP (10 * NS_PER_MS)

/* A transfer of @rate bytes a second for @steps of ten milliseconds; the last mark that was to be set, 1 to begin with. */
static int after(struct gather *g, uint64_t rate, int steps, uint64_t coming)
{
	static ns_t now;
	static uint64_t received;
	int mark = 1;

	now = 0;
	received = 0;
	gather_init(g, now);
	for (int i = 0; i < steps; i++) {
		now += STEP;
		received += rate * (uint64_t)STEP / NS_PER_S;
		int set = gather_mark(g, now, received, coming);

		mark = set > 0 ? set : mark;
	}
	return mark;
}

static void a_slow_transfer_is_woken_for_every_byte(void **state)
{
	struct gather g;

	(void)state;
	assert_int_equal(after(&g, 0, 100, 1 << 30), 1);
	assert_int_equal(after(&g, 1250000, 100, 1 << 30), 1); /* 10 Mbit/s */
}

static void a_fast_transfer_gathers_ten_milliseconds(void **state)
{
	struct gather g;

	(void)state;
	assert_in_range(after(&g, 12500000, 100, 1 << 30), 120000, 130000); /* 100 Mbit/s: 125 kB */
}

static void more_than_a_mebibyte_is_never_waited_for(void **state)
{
	struct gather g;

	(void)state;
	assert_int_equal(after(&g, UINT64_C(5000000000), 100, UINT64_MAX), 1 << 20);
}

static void the_mark_does_not_reach_past_what_comes_for_certain(void **state)
{
	struct gather g;

	(void)state;
	assert_int_equal(after(&g, 12500000, 100, 5000), 5000);
	assert_int_equal(after(&g, 12500000, 100, 0), 1);
}

static void a_stall_lowers_the_mark_again(void **state)
{
	struct gather g;
	ns_t now = 100 * STEP;

	(void)state;
	after(&g, 12500000, 100, 1 << 30);
	assert_int_equal(gather_mark(&g, now + 60 * NS_PER_MS, 12500000, 1 << 30), 1);
}

static void a_mark_that_is_set_is_not_asked_for_again(void **state)
{
	struct gather g;

	(void)state;
	after(&g, 12500000, 100, 5000);
	assert_int_equal(gather_mark(&g, 100 * STEP + 1, 12500000, 5000), 0);
}

static void a_new_body_begins_its_own_count(void **state)
{
	struct gather g;

	(void)state;
	after(&g, 12500000, 100, 1 << 30);
	gather_mark(&g, 101 * STEP, 100, 1 << 30);
	assert_int_equal(gather_mark(&g, 107 * STEP, 200, 1 << 30), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slow_transfer_is_woken_for_every_byte),
		cmocka_unit_test(a_fast_transfer_gathers_ten_milliseconds),
		cmocka_unit_test(more_than_a_mebibyte_is_never_waited_for),
		cmocka_unit_test(the_mark_does_not_reach_past_what_comes_for_certain),
		cmocka_unit_test(a_stall_lowers_the_mark_again),
		cmocka_unit_test(a_mark_that_is_set_is_not_asked_for_again),
		cmocka_unit_test(a_new_body_begins_its_own_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
