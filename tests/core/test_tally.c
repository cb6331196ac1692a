/* SPDX-License-Identifier: MIT */
#include "core/tally.h"

#include "core/json.h"
#include "guard.h"

static uint64_t seed = 0x2545f4914f6cdd1d;

static uint64_t any(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* The tests are not linked with libm. */
static double root(double v)
{
	double guess = v > 1 ? v : 1;

	for (int i = 0; i < 100; i++)
		guess = (guess + v / guess) / 2;
	return guess;
}

static double magnitude(double v)
{
	return v < 0 ? -v : v;
}

static struct tally tally_of(const ns_t *v, size_t n)
{
	struct tally t = { 0 };

	for (size_t i = 0; i < n; i++)
		tally_add(&t, v[i]);
	return t;
}

static void an_empty_tally_knows_nothing(void **state)
{
	(void)state;
	struct tally t = { 0 };

	assert_true(tally_mean(&t) == UNKNOWN);
	assert_true(tally_mdev(&t) == UNKNOWN);
	assert_true(tally_jitter(&t) == UNKNOWN);
}

static void one_round_trip_has_a_mean_and_no_jitter(void **state)
{
	(void)state;
	struct tally t = tally_of((ns_t[]){ 12345 }, 1);

	assert_int_equal(t.n, 1);
	assert_int_equal(t.min, 12345);
	assert_int_equal(t.max, 12345);
	assert_int_equal(tally_mean(&t), 12345);
	assert_int_equal(tally_mdev(&t), 0);
	assert_true(tally_jitter(&t) == UNKNOWN);
}

static void the_smallest_and_the_largest_are_found_wherever_they_come(void **state)
{
	(void)state;
	static const ns_t orders[][3] = { { 1, 2, 3 }, { 3, 2, 1 }, { 2, 3, 1 }, { 2, 1, 3 }, { 0, 3, 1 } };

	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		struct tally t = tally_of(orders[i], 3);

		assert_int_equal(t.min, i < 4 ? 1 : 0);
		assert_int_equal(t.max, 3);
		assert_int_equal(t.last, orders[i][2]);
		assert_int_equal(t.n, 3);
	}
}

static void mean_and_mdev_of_a_known_set_are_right(void **state)
{
	(void)state;
	static const ns_t v[] = { 2, 4, 4, 4, 5, 5, 7, 9 };
	struct tally t = tally_of(v, 8);

	assert_int_equal(tally_mean(&t), 5);
	assert_int_equal(tally_mdev(&t), 2);
}

static void a_constant_round_trip_has_no_deviation_and_no_jitter(void **state)
{
	(void)state;
	struct tally t = { 0 };

	for (int i = 0; i < 100000; i++)
		tally_add(&t, 20 * NS_PER_MS + 1);
	assert_int_equal(tally_mean(&t), 20 * NS_PER_MS + 1);
	assert_int_equal(tally_mdev(&t), 0);
	assert_int_equal(tally_jitter(&t), 0);
}

/* Two passes in floating point: first the mean, then the squares about it. */
static void check_against_two_passes(const ns_t *v, size_t n)
{
	struct tally t = tally_of(v, n);
	double sum = 0, squares = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double)v[i];
	double mean = sum / (double)n;

	for (size_t i = 0; i < n; i++)
		squares += ((double)v[i] - mean) * ((double)v[i] - mean);
	double mdev = root(squares / (double)n);

	assert_true(magnitude((double)tally_mean(&t) - mean) <= 1.001);
	assert_true(magnitude((double)tally_mdev(&t) - mdev) <= 1.001 + mdev * 1e-9);
}

static void mean_and_mdev_agree_with_two_passes_in_floating_point(void **state)
{
	(void)state;
	static ns_t v[300];

	for (unsigned bits = 1; bits <= 40; bits++)
		for (size_t n = 1; n <= 300; n += 13) {
			for (size_t i = 0; i < n; i++)
				v[i] = (ns_t)(any() >> (64 - bits));
			check_against_two_passes(v, n);
		}
}

/* One nanosecond of noise on a long path: E[x^2] - E[x]^2 in doubles would be nothing but rounding. */
static void a_small_deviation_on_a_long_round_trip_is_not_lost(void **state)
{
	(void)state;
	struct tally t = { 0 };

	for (int i = 0; i < 10000; i++)
		tally_add(&t, 30 * NS_PER_S + (i % 2 ? 3 : -3));
	assert_int_equal(tally_mean(&t), 30 * NS_PER_S);
	assert_int_equal(tally_mdev(&t), 3);
}

static void round_trips_above_18_minutes_count_as_that(void **state)
{
	(void)state;
	struct tally t = tally_of((ns_t[]){ 0, NS_NEVER }, 2);

	assert_true(t.max == INT64_C(1) << 40);
	assert_true(tally_mean(&t) == INT64_C(1) << 39);
	assert_true(tally_mdev(&t) == INT64_C(1) << 39);
}

/* RFC 3550 section 6.4.1, and nothing else. */
static double jitter_by_the_book(const ns_t *v, size_t n)
{
	double j = 0;

	for (size_t i = 1; i < n; i++)
		j += (magnitude((double)v[i] - (double)v[i - 1]) - j) / 16;
	return j;
}

static void jitter_agrees_with_rfc_3550_at_every_step(void **state)
{
	(void)state;
	static ns_t v[400];

	for (unsigned bits = 1; bits <= 40; bits++) {
		struct tally t = { 0 };

		for (size_t i = 0; i < 400; i++) {
			v[i] = (ns_t)(any() >> (64 - bits));
			tally_add(&t, v[i]);
			if (i == 0)
				continue;
			assert_true(magnitude((double)tally_jitter(&t) - jitter_by_the_book(v, i + 1)) <= 1.001);
		}
	}
}

static void jitter_of_steady_differences_arrives_at_them_and_dies_away_again(void **state)
{
	(void)state;
	struct tally t = { 0 };

	tally_add(&t, 1000);
	tally_add(&t, 1160);
	assert_int_equal(tally_jitter(&t), 10);
	for (int i = 0; i < 400; i++)
		tally_add(&t, i % 2 ? 1160 : 1000);
	assert_int_equal(tally_jitter(&t), 160);
	for (int i = 0; i < 400; i++)
		tally_add(&t, 1160);
	assert_true(tally_jitter(&t) <= 1);
}

/* Wilson 1927 as the books print it. */
static void wilson(double lost, double sent, double *low, double *high)
{
	double z = 1.959963984540054, p = lost / sent, z2 = z * z;
	double centre = (p + z2 / (2 * sent)) / (1 + z2 / sent);
	double half = z / (1 + z2 / sent) * root(p * (1 - p) / sent + z2 / (4 * sent * sent));

	*low = (centre - half) * 1e6;
	*high = (centre + half) * 1e6;
}

static void check_interval(uint64_t lost, uint64_t sent)
{
	int64_t low, high;
	double exact_low, exact_high;

	tally_loss_interval(lost, sent, &low, &high);
	wilson((double)lost, (double)sent, &exact_low, &exact_high);
	assert_true(low >= 0 && low <= high && high <= 1000000);
	assert_true((double)low < exact_low + 0.02 && (double)low > exact_low - 1.05);
	assert_true((double)high > exact_high - 0.02 && (double)high < exact_high + 1.05);
}

static void the_loss_interval_agrees_with_wilsons_formula(void **state)
{
	(void)state;
	for (uint64_t sent = 1; sent <= 60; sent++)
		for (uint64_t lost = 0; lost <= sent; lost++)
			check_interval(lost, sent);
	for (unsigned bits = 1; bits <= 32; bits++)
		for (int i = 0; i < 100; i++) {
			uint64_t sent = 1 + (any() >> (64 - bits));

			check_interval(0, sent);
			check_interval(1, sent);
			check_interval(any() % (sent + 1), sent);
			check_interval(sent, sent);
		}
	for (uint64_t lost = 0; lost < 1000; lost++)
		check_interval(lost * 4294967, UINT64_C(1) << 32);
}

static void nothing_lost_begins_at_zero_and_all_lost_ends_at_a_million(void **state)
{
	(void)state;
	for (uint64_t sent = 1; sent <= UINT64_C(1) << 32; sent = sent * 3 / 2 + 1) {
		int64_t low, high;

		tally_loss_interval(0, sent, &low, &high);
		assert_int_equal(low, 0);
		assert_true(high > 0);
		tally_loss_interval(sent, sent, &low, &high);
		assert_int_equal(high, 1000000);
		assert_true(low < 1000000);
	}
}

static void known_loss_intervals_are_right(void **state)
{
	(void)state;
	static const struct {
		uint64_t lost, sent;
		int64_t low, high;
	} rows[] = {
		{ 0, 0, UNKNOWN, UNKNOWN },
		{ 0, 1, 0, 793451 },       /* z^2 / (1 + z^2) */
		{ 1, 1, 206549, 1000000 },
		{ 0, 10, 0, 277533 },
		{ 1, 2, 94531, 905469 },
		{ 5, 100, 21543, 111751 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t low, high;

		tally_loss_interval(rows[i].lost, rows[i].sent, &low, &high);
		assert_true(low == rows[i].low);
		assert_true(high == rows[i].high);
	}
}

static void the_loss_ratio_is_rounded_to_the_nearest(void **state)
{
	(void)state;
	static const struct {
		uint64_t lost, sent;
		int64_t ppm;
	} rows[] = {
		{ 0, 0, UNKNOWN }, { 0, 1, 0 }, { 1, 1, 1000000 }, { 1, 3, 333333 }, { 2, 3, 666667 },
		{ 1, 2000000, 1 }, { 1, 2000001, 0 }, { 3, 2000000, 2 },
		{ UINT64_C(1) << 32, UINT64_C(1) << 32, 1000000 }, { UINT32_MAX, UINT64_C(1) << 33, 500000 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_true(tally_loss_ratio(rows[i].lost, rows[i].sent) == rows[i].ppm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_tally_knows_nothing),
		cmocka_unit_test(one_round_trip_has_a_mean_and_no_jitter),
		cmocka_unit_test(the_smallest_and_the_largest_are_found_wherever_they_come),
		cmocka_unit_test(mean_and_mdev_of_a_known_set_are_right),
		cmocka_unit_test(a_constant_round_trip_has_no_deviation_and_no_jitter),
		cmocka_unit_test(mean_and_mdev_agree_with_two_passes_in_floating_point),
		cmocka_unit_test(a_small_deviation_on_a_long_round_trip_is_not_lost),
		cmocka_unit_test(round_trips_above_18_minutes_count_as_that),
		cmocka_unit_test(jitter_agrees_with_rfc_3550_at_every_step),
		cmocka_unit_test(jitter_of_steady_differences_arrives_at_them_and_dies_away_again),
		cmocka_unit_test(the_loss_interval_agrees_with_wilsons_formula),
		cmocka_unit_test(nothing_lost_begins_at_zero_and_all_lost_ends_at_a_million),
		cmocka_unit_test(known_loss_intervals_are_right),
		cmocka_unit_test(the_loss_ratio_is_rounded_to_the_nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
