/* SPDX-License-Identifier: MIT */
#include "core/hist.h"

#include "core/json.h"
#include "guard.h"

static struct hist h, other;

static int empty(void **state)
{
	(void)state;
	memset(&h, 0, sizeof(h));
	memset(&other, 0, sizeof(other));
	return 0;
}

static uint64_t seed = 0x123456789;

static uint64_t any(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* What comes out when @v alone went in. */
static ns_t through(ns_t v)
{
	empty(NULL);
	hist_add(&h, v);
	return hist_quantile(&h, 500);
}

static void assert_close(ns_t got, ns_t exact)
{
	ns_t off = got > exact ? got - exact : exact - got;

	assert_true(off * 256 <= exact);
}

static void an_empty_histogram_has_no_quantile(void **state)
{
	(void)state;
	assert_true(hist_quantile(&h, 0) == UNKNOWN);
	assert_true(hist_quantile(&h, 500) == UNKNOWN);
	assert_true(hist_quantile(&h, 1000) == UNKNOWN);
}

static void values_below_256_ns_are_exact(void **state)
{
	(void)state;
	for (ns_t v = 0; v < 256; v++)
		assert_int_equal(through(v), v);
}

static void every_larger_value_is_off_by_at_most_a_256th(void **state)
{
	(void)state;
	for (unsigned bit = 8; bit < HIST_TOP_BIT; bit++) {
		ns_t power = INT64_C(1) << bit;
		ns_t step = power >> HIST_STEP_BITS;
		const ns_t edges[] = { power, power + 1, power + step - 1, power + step, 2 * power - step,
			2 * power - 1 };

		for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++)
			assert_close(through(edges[i]), edges[i]);
	}
	for (int i = 0; i < 500; i++) {
		ns_t v = (ns_t)(any() >> (28 + any() % 28));

		assert_close(through(v), v);
	}
}

static void a_bin_is_told_by_its_middle(void **state)
{
	(void)state;
	for (ns_t v = 1024; v < 1032; v++)
		assert_int_equal(through(v), 1027);
}

/* Bins in order, without a gap and without an overlap, from the first to the last. */
static void the_smallest_value_of_each_bin_fills_the_next_one(void **state)
{
	(void)state;
	unsigned bin = 0;
	ns_t before = -1;

	for (ns_t v = 0, end = 256, width = 1; bin < HIST_BINS; v += width) {
		if (v == end) {
			width *= 2;
			end *= 2;
		}
		ns_t got = through(v);

		assert_int_equal(h.bins[bin++], 1);
		assert_true(got > before && got >= v && got < v + width);
		before = got;
	}
}

static void values_outside_the_range_count_as_its_ends(void **state)
{
	(void)state;
	assert_int_equal(through(-1), 0);
	assert_int_equal(through(INT64_MIN), 0);
	assert_close(through(HIST_MAX), HIST_MAX);
	assert_true(through(HIST_MAX + 1) == through(HIST_MAX));
	assert_true(through(NS_NEVER) == through(HIST_MAX));
}

static int by_size(const void *a, const void *b)
{
	ns_t x = *(const ns_t *)a, y = *(const ns_t *)b;

	return (x > y) - (x < y);
}

static void quantiles_are_the_nearest_ranks_of_the_sorted_values(void **state)
{
	(void)state;
	static const size_t sizes[] = { 1, 2, 3, 9, 10, 100, 999, 1000, 1001 };
	static ns_t v[1001];

	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		size_t n = sizes[s];

		empty(NULL);
		for (size_t i = 0; i < n; i++) {
			v[i] = (ns_t)(any() >> (30 + any() % 20));
			hist_add(&h, v[i]);
		}
		qsort(v, n, sizeof(v[0]), by_size);
		for (unsigned per_mille = 0; per_mille <= 1000; per_mille++) {
			size_t rank = (n * per_mille + 999) / 1000;

			assert_close(hist_quantile(&h, per_mille), v[rank > 0 ? rank - 1 : 0]);
		}
	}
}

static void small_sets_have_the_quantiles_a_reader_expects(void **state)
{
	(void)state;
	for (ns_t v = 10; v <= 40; v += 10)
		hist_add(&h, v);
	assert_int_equal(hist_quantile(&h, 0), 10);
	assert_int_equal(hist_quantile(&h, 250), 10);
	assert_int_equal(hist_quantile(&h, 251), 20);
	assert_int_equal(hist_quantile(&h, 500), 20);
	assert_int_equal(hist_quantile(&h, 990), 40);
	assert_int_equal(hist_quantile(&h, 1000), 40);
}

static void merging_is_the_same_as_adding_to_one(void **state)
{
	(void)state;
	static struct hist all;

	memset(&all, 0, sizeof(all));
	for (int i = 0; i < 5000; i++) {
		ns_t v = (ns_t)(any() >> (28 + any() % 36));

		hist_add(i % 3 ? &h : &other, v);
		hist_add(&all, v);
	}
	hist_merge(&h, &other);
	assert_memory_equal(&h, &all, sizeof(all));
}

static void a_raised_histogram_is_that_of_the_larger_values(void **state)
{
	(void)state;
	static const ns_t by[] = { 0, 1, 200, 1000, 123456, 1000000000, HIST_MAX, INT64_MAX };

	for (size_t k = 0; k < sizeof(by) / sizeof(by[0]); k++) {
		memset(&h, 0, sizeof(h));
		memset(&other, 0, sizeof(other));
		for (int i = 0; i < 1000; i++) {
			ns_t v = (ns_t)(any() >> (28 + i % 36));

			hist_add(&h, v);
			hist_add(&other, by[k] > HIST_MAX - v ? HIST_MAX : v + by[k]);
		}
		hist_raise(&h, by[k]);
		assert_int_equal(h.n, 1000);
		for (unsigned q = 0; q <= 1000; q += 50) {
			ns_t got = hist_quantile(&h, q), want = hist_quantile(&other, q);

			assert_true(got >= want - want / 128 - 1 && got <= want + want / 128 + 1);
		}
	}
}

static void a_full_bin_takes_no_more_and_the_quantiles_stay_right(void **state)
{
	(void)state;
	h.bins[100] = UINT32_MAX - 1;
	h.bins[200] = 10;
	h.n = UINT32_MAX - UINT64_C(1) + 10;
	hist_add(&h, 100);
	hist_add(&h, 100);
	assert_true(h.n == UINT32_MAX + UINT64_C(10));
	assert_int_equal(hist_quantile(&h, 500), 100);
	assert_int_equal(hist_quantile(&h, 1000), 200);

	other.bins[100] = 5;
	other.bins[200] = 5;
	other.n = 10;
	hist_merge(&h, &other);
	assert_true(h.n == UINT32_MAX + UINT64_C(15));
	assert_int_equal(h.bins[100], UINT32_MAX);
	assert_int_equal(h.bins[200], 15);
	assert_int_equal(hist_quantile(&h, 1000), 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_empty_histogram_has_no_quantile, empty),
		cmocka_unit_test(values_below_256_ns_are_exact),
		cmocka_unit_test(every_larger_value_is_off_by_at_most_a_256th),
		cmocka_unit_test(a_bin_is_told_by_its_middle),
		cmocka_unit_test(the_smallest_value_of_each_bin_fills_the_next_one),
		cmocka_unit_test(values_outside_the_range_count_as_its_ends),
		cmocka_unit_test(quantiles_are_the_nearest_ranks_of_the_sorted_values),
		cmocka_unit_test_setup(small_sets_have_the_quantiles_a_reader_expects, empty),
		cmocka_unit_test_setup(merging_is_the_same_as_adding_to_one, empty),
		cmocka_unit_test_setup(a_raised_histogram_is_that_of_the_larger_values, empty),
		cmocka_unit_test_setup(a_full_bin_takes_no_more_and_the_quantiles_stay_right, empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
