/* SPDX-License-Identifier: MIT */
#include "core/rate.h"

#include "core/json.h"
#include "guard.h"

#define STEP (100 * NS_PER_MS)

static struct rate r;
static ns_t now;
static uint64_t bytes;

/* A transfer begins with a sample before its first byte. */
static int begin(void **state)
{
	(void)state;
	now = 5 * NS_PER_S;
	bytes = 0;
	rate_init(&r);
	rate_add(&r, now, bytes);
	return 0;
}

/* One more interval of @dt in which @moved bytes arrive. */
static void step(ns_t dt, uint64_t moved)
{
	now += dt;
	bytes += moved;
	rate_add(&r, now, bytes);
}

static void steps(size_t n, uint64_t moved)
{
	while (n-- > 0)
		step(STEP, moved);
}

/* @bytes an interval, in bits a second. */
static int64_t rate_of(uint64_t moved)
{
	return (int64_t)(moved * 80);
}

static void no_sample_and_one_sample_measure_nothing(void **state)
{
	(void)state;
	rate_init(&r);
	for (int samples = 0; samples < 2; samples++) {
		struct rate_result got = rate_finish(&r);

		assert_false(got.measured);
		assert_false(got.stable);
		assert_int_equal(got.bytes, 0);
		assert_int_equal(got.elapsed, 0);
		assert_int_equal(got.bits_per_s, 0);
		assert_true(got.spread_ppm == UNKNOWN);
		assert_false(rate_is_stable(&r));
		assert_int_equal(rate_recent(&r), 0);
		rate_add(&r, 7, 1000);
	}
}

static void two_samples_are_measured_whole_without_a_spread(void **state)
{
	(void)state;
	step(STEP, 1000);
	struct rate_result got = rate_finish(&r);

	assert_true(got.measured);
	assert_false(got.stable);
	assert_int_equal(got.bytes, 1000);
	assert_int_equal(got.elapsed, STEP);
	assert_int_equal(got.bits_per_s, 80000);
	assert_int_equal(got.start, 5 * NS_PER_S);
	assert_true(got.spread_ppm == UNKNOWN);
}

static void samples_at_one_instant_measure_nothing(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++)
		step(0, 1000);
	struct rate_result got = rate_finish(&r);

	assert_false(got.measured);
	assert_false(got.stable);
	assert_int_equal(got.bits_per_s, 0);
	assert_true(got.spread_ppm == UNKNOWN);
	assert_false(rate_is_stable(&r));
	assert_int_equal(rate_recent(&r), 0);
}

static void a_constant_rate_is_stable_after_seven_intervals_and_not_before(void **state)
{
	(void)state;
	for (int interval = 1; interval <= 20; interval++) {
		steps(1, 1000000);
		assert_int_equal(rate_is_stable(&r), interval >= 2 * RATE_WINDOW - 1);
		assert_int_equal(rate_finish(&r).stable, interval >= 2 * RATE_WINDOW - 1);
		assert_int_equal(rate_recent(&r), interval >= RATE_WINDOW ? rate_of(1000000) : 0);
		assert_int_equal(rate_finish(&r).bits_per_s, rate_of(1000000));
	}
	struct rate_result got = rate_finish(&r);

	assert_true(got.measured);
	assert_int_equal(got.start, 5 * NS_PER_S + 3 * STEP);
	assert_int_equal(got.elapsed, 17 * STEP);
	assert_int_equal(got.bytes, 17 * 1000000);
	assert_int_equal(got.spread_ppm, 0);
}

static void samples_of_an_earlier_run_are_not_looked_at(void **state)
{
	steps(20, 1000);
	begin(state);
	steps(2 * RATE_WINDOW - 2, 1000);
	assert_false(rate_is_stable(&r));
	assert_false(rate_finish(&r).stable);
	assert_int_equal(rate_finish(&r).elapsed, 3 * STEP);
}

static void two_intervals_are_enough_for_a_spread(void **state)
{
	(void)state;
	steps(3, 0);
	steps(1, 1000);
	struct rate_result got = rate_finish(&r);

	assert_int_equal(got.elapsed, 2 * STEP);
	assert_int_equal(got.spread_ppm, 1000000);
}

static void a_stalled_transfer_is_never_stable(void **state)
{
	(void)state;
	steps(30, 0);
	struct rate_result got = rate_finish(&r);

	assert_false(rate_is_stable(&r));
	assert_true(got.measured);
	assert_false(got.stable);
	assert_int_equal(got.bits_per_s, 0);
	assert_true(got.spread_ppm == UNKNOWN);
}

static void a_transfer_that_stalls_later_is_no_longer_stable(void **state)
{
	(void)state;
	steps(10, 1000);
	assert_true(rate_is_stable(&r));
	steps(4, 0);
	assert_false(rate_is_stable(&r));
	assert_int_equal(rate_recent(&r), 0);
	steps(20, 0);
	assert_false(rate_is_stable(&r));
}

/* The ramp doubles from 1/2^k of the flat rate, entering it from any height. */
static void after_a_ramp_that_doubles_the_flat_rate_is_measured_within_half_a_percent(void **state)
{
	(void)state;
	const uint64_t flat = 10000000;

	for (unsigned doublings = 0; doublings <= 14; doublings++)
		for (uint64_t share = 500; share <= 1000; share += 5) {
			begin(NULL);
			for (unsigned i = doublings; i-- > 0;)
				steps(1, flat * share / 1000 >> i);
			steps(20, flat);
			struct rate_result got = rate_finish(&r);

			assert_true(got.stable);
			assert_true(rate_is_stable(&r));
			assert_in_range(got.bits_per_s, rate_of(flat) * 995 / 1000, rate_of(flat) * 1005 / 1000);
			assert_true(got.elapsed >= 16 * STEP);
		}
}

static void silence_before_the_first_byte_is_not_measured(void **state)
{
	(void)state;
	steps(12, 0);
	steps(12, 5000);
	struct rate_result got = rate_finish(&r);

	assert_true(got.stable);
	assert_int_equal(got.bits_per_s, rate_of(5000));
	assert_true(got.start >= 5 * NS_PER_S + 12 * STEP);
}

/* One interval unlike the others: averages a, a, a, b with a deviation of 0.433 |b - a|, to be under 0.05 b. */
static void the_limit_is_five_percent_of_the_current_average(void **state)
{
	(void)state;
	static const struct {
		uint64_t last;
		bool stable;
	} rows[] = { { 1000, true }, { 1522, true }, { 1523, false }, { 9000, false },
		{ 586, true }, { 585, false }, { 0, false } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin(NULL);
		steps(6, 1000);
		steps(1, rows[i].last);
		assert_int_equal(rate_is_stable(&r), rows[i].stable);
	}
}

/* Between 250 and 1750 every period of eight: no four averages agree. */
static void a_slow_sawtooth_never_settles_and_its_second_half_is_measured(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		steps(1, 250 + i % 8 * 200);
		assert_false(rate_is_stable(&r));
	}
	struct rate_result got = rate_finish(&r);

	assert_true(got.measured);
	assert_false(got.stable);
	assert_int_equal(got.start, 5 * NS_PER_S + 20 * STEP);
	assert_int_equal(got.elapsed, 20 * STEP);
	assert_true(got.spread_ppm > 300000);
}

/* The window covers whole periods, so the averages agree although the intervals do not. */
static void a_sawtooth_as_long_as_the_window_is_stable_with_a_large_spread(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 24; i++)
		steps(1, 1000 + i % 4 * 1000);
	struct rate_result got = rate_finish(&r);

	assert_true(got.stable);
	assert_in_range(got.spread_ppm, 440000, 450000); /* of whole periods, sqrt(1.25) / 2.5 */
}

static void a_rate_that_keeps_growing_uses_the_second_half_of_the_time(void **state)
{
	(void)state;
	uint64_t moved = 64;

	for (int i = 0; i < 21; i++, moved = moved * 3 / 2)
		steps(1, moved);
	struct rate_result got = rate_finish(&r);

	assert_false(got.stable);
	assert_int_equal(got.start, 5 * NS_PER_S + 10 * STEP);
	assert_int_equal(got.elapsed, 11 * STEP);
	assert_true(got.bytes == bytes - r.v[10].bytes);
}

static void half_way_is_half_of_the_time_not_of_the_samples(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		step(STEP / 100, 1);
	step(STEP, 1000);
	struct rate_result got = rate_finish(&r);

	assert_true(got.measured);
	assert_false(got.stable);
	assert_int_equal(got.bytes, 1000);
	assert_int_equal(got.elapsed, STEP);
}

static void intervals_of_different_lengths_weigh_by_their_time(void **state)
{
	(void)state;
	for (int i = 0; i < 30; i++)
		step((1 + i % 3) * STEP, (uint64_t)(1 + i % 3) * 700);
	struct rate_result got = rate_finish(&r);

	assert_true(got.stable);
	assert_int_equal(got.bits_per_s, rate_of(700));
	assert_int_equal(got.spread_ppm, 0);
}

static void an_interval_without_time_gives_its_bytes_but_no_rate(void **state)
{
	(void)state;
	steps(10, 1000);
	step(0, 0);
	steps(10, 1000);
	struct rate_result got = rate_finish(&r);

	assert_true(got.stable);
	assert_int_equal(got.bits_per_s, rate_of(1000));
	assert_int_equal(got.spread_ppm, 0);
}

static void a_restart_forgets_what_was_before(void **state)
{
	(void)state;
	steps(20, 1000);
	assert_true(rate_is_stable(&r));
	rate_restart(&r);
	assert_false(rate_is_stable(&r));
	assert_int_equal(rate_recent(&r), 0);
	assert_false(rate_finish(&r).measured);

	/* The first sample after it is where the first interval begins: eight samples are seven intervals. */
	for (int sample = 1; sample <= 12; sample++) {
		steps(1, 3000);
		assert_int_equal(rate_is_stable(&r), sample >= 2 * RATE_WINDOW);
		assert_int_equal(rate_recent(&r), sample > RATE_WINDOW ? rate_of(3000) : 0);
		assert_int_equal(rate_finish(&r).bits_per_s, sample > 1 ? rate_of(3000) : 0);
		assert_true(rate_finish(&r).start > 5 * NS_PER_S + 20 * STEP);
	}
	assert_true(rate_finish(&r).stable);
	assert_int_equal(rate_finish(&r).elapsed, 8 * STEP);
}

static void after_a_restart_half_way_is_counted_from_there(void **state)
{
	(void)state;
	steps(20, 1000);
	rate_restart(&r);
	for (int i = 0; i < 5; i++)
		steps(1, (uint64_t)100 << i);
	struct rate_result got = rate_finish(&r);

	assert_false(got.stable);
	assert_int_equal(got.start, 5 * NS_PER_S + 23 * STEP);
	assert_int_equal(got.bytes, 800 + 1600);
}

static void a_rate_that_changes_after_it_settled_is_measured_from_where_it_first_did(void **state)
{
	(void)state;
	steps(17, 1000);
	steps(14, 3000);
	struct rate_result got = rate_finish(&r);

	assert_false(got.stable); /* one half is three times the other */
	assert_int_equal(got.start, 5 * NS_PER_S + 3 * STEP);
	assert_int_equal(got.bits_per_s, rate_of(2000));
	assert_int_equal(got.spread_ppm, 500000);
}

static void a_full_array_keeps_what_it_has(void **state)
{
	(void)state;
	steps(RATE_SAMPLES_MAX - 1, 1000);
	struct rate_result before = rate_finish(&r);

	steps(50, 999999);
	assert_int_equal(r.n, RATE_SAMPLES_MAX);
	struct rate_result got = rate_finish(&r);

	assert_int_equal(got.bytes, before.bytes);
	assert_int_equal(got.elapsed, before.elapsed);
	assert_int_equal(got.bits_per_s, rate_of(1000));
	assert_true(rate_is_stable(&r));

	rate_restart(&r);
	steps(50, 1000);
	assert_false(rate_finish(&r).measured);
	assert_false(rate_is_stable(&r));
}

static void a_terabit_for_a_day_is_measured_exactly(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++)
		step(86 * NS_PER_S, UINT64_C(86) * 125000000000);
	struct rate_result got = rate_finish(&r);

	assert_true(got.stable);
	assert_true(got.bits_per_s == INT64_C(1000000000000));
	assert_true(rate_recent(&r) == INT64_C(1000000000000));
	assert_int_equal(got.spread_ppm, 0);
}

/* Deviations above 2^32 bits a second: 40 % of a terabit is not steady. */
static void a_terabit_that_swings_is_not_stable(void **state)
{
	(void)state;
	for (int i = 0; i < 48; i++) {
		step(NS_PER_S, i / 4 % 2 ? UINT64_C(125000000000) : UINT64_C(50000000000));
		assert_false(rate_is_stable(&r));
	}
	struct rate_result got = rate_finish(&r);

	assert_in_range(got.spread_ppm, 428571 - 1, 428571);
}

static void impossible_rates_stop_at_the_limit_instead_of_overflowing(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++)
		step(1, UINT64_MAX / 20);
	struct rate_result got = rate_finish(&r);

	assert_true(got.bits_per_s == INT64_C(1) << 53);
	assert_true(rate_recent(&r) == INT64_C(1) << 53);
	assert_int_equal(got.spread_ppm, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_sample_and_one_sample_measure_nothing),
		cmocka_unit_test_setup(two_samples_are_measured_whole_without_a_spread, begin),
		cmocka_unit_test_setup(samples_at_one_instant_measure_nothing, begin),
		cmocka_unit_test_setup(a_constant_rate_is_stable_after_seven_intervals_and_not_before, begin),
		cmocka_unit_test_setup(samples_of_an_earlier_run_are_not_looked_at, begin),
		cmocka_unit_test_setup(two_intervals_are_enough_for_a_spread, begin),
		cmocka_unit_test_setup(a_stalled_transfer_is_never_stable, begin),
		cmocka_unit_test_setup(a_transfer_that_stalls_later_is_no_longer_stable, begin),
		cmocka_unit_test(after_a_ramp_that_doubles_the_flat_rate_is_measured_within_half_a_percent),
		cmocka_unit_test_setup(silence_before_the_first_byte_is_not_measured, begin),
		cmocka_unit_test(the_limit_is_five_percent_of_the_current_average),
		cmocka_unit_test_setup(a_slow_sawtooth_never_settles_and_its_second_half_is_measured, begin),
		cmocka_unit_test_setup(a_sawtooth_as_long_as_the_window_is_stable_with_a_large_spread, begin),
		cmocka_unit_test_setup(a_rate_that_keeps_growing_uses_the_second_half_of_the_time, begin),
		cmocka_unit_test_setup(half_way_is_half_of_the_time_not_of_the_samples, begin),
		cmocka_unit_test_setup(intervals_of_different_lengths_weigh_by_their_time, begin),
		cmocka_unit_test_setup(an_interval_without_time_gives_its_bytes_but_no_rate, begin),
		cmocka_unit_test_setup(a_restart_forgets_what_was_before, begin),
		cmocka_unit_test_setup(after_a_restart_half_way_is_counted_from_there, begin),
		cmocka_unit_test_setup(a_rate_that_changes_after_it_settled_is_measured_from_where_it_first_did, begin),
		cmocka_unit_test_setup(a_full_array_keeps_what_it_has, begin),
		cmocka_unit_test_setup(a_terabit_for_a_day_is_measured_exactly, begin),
		cmocka_unit_test_setup(a_terabit_that_swings_is_not_stable, begin),
		cmocka_unit_test_setup(impossible_rates_stop_at_the_limit_instead_of_overflowing, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
