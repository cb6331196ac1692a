/* SPDX-License-Identifier: MIT */
#include "core/wide.h"

#include "guard.h"

static uint64_t seed = 88172645463325252;

/* Any size from 0 to 64 bits is as likely as any other: edges are met often. */
static uint64_t any(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed >> (seed * UINT64_C(0x9e3779b97f4a7c15) >> 58);
}

static const uint64_t edges[] = { 0, 1, 2, 3, UINT32_MAX - UINT64_C(1), UINT32_MAX, UINT64_C(1) << 32,
	(UINT64_C(1) << 32) + 1, INT64_MAX, UINT64_C(1) << 63, UINT64_MAX - 1, UINT64_MAX };
#define EDGES (sizeof(edges) / sizeof(edges[0]))

static void check_wide(struct wide v, uint64_t hi, uint64_t lo)
{
	assert_true(v.hi == hi && v.lo == lo);
}

static void known_products_are_right(void **state)
{
	(void)state;
	check_wide(wide_mul(0, UINT64_MAX), 0, 0);
	check_wide(wide_mul(1, UINT64_MAX), 0, UINT64_MAX);
	check_wide(wide_mul(UINT64_MAX, UINT64_MAX), UINT64_MAX - 1, 1);
	check_wide(wide_mul(UINT64_C(1) << 32, UINT64_C(1) << 32), 1, 0);
	check_wide(wide_mul(UINT64_C(10000000000), UINT64_C(10000000000)), 5, UINT64_C(7766279631452241920));
}

static void carries_and_borrows_cross_the_middle(void **state)
{
	(void)state;
	check_wide(wide_add((struct wide){ 1, UINT64_MAX }, (struct wide){ 2, 1 }), 4, 0);
	check_wide(wide_add((struct wide){ 0, UINT64_MAX }, (struct wide){ 0, UINT64_MAX }), 1, UINT64_MAX - 1);
	check_wide(wide_sub((struct wide){ 4, 0 }, (struct wide){ 2, 1 }), 1, UINT64_MAX);
	check_wide(wide_sub((struct wide){ 4, 7 }, (struct wide){ 4, 7 }), 0, 0);
}

/* a * b + rest divided by b must give a again, for any rest below b: needs no wider type to check. */
static void check_division(uint64_t a, uint64_t b, uint64_t rest)
{
	struct wide product = wide_add(wide_mul(a, b), (struct wide){ 0, rest });

	assert_true(wide_div(product, b) == a);
}

static void division_takes_back_multiplication(void **state)
{
	(void)state;
	for (size_t i = 0; i < EDGES; i++)
		for (size_t k = 1; k < EDGES; k++) {
			check_division(edges[i], edges[k], 0);
			check_division(edges[i], edges[k], edges[k] - 1);
		}
	for (int i = 0; i < 20000; i++) {
		uint64_t b = any() | 1;

		check_division(any(), b, any() % b);
	}
}

static void a_quotient_that_does_not_fit_saturates(void **state)
{
	(void)state;
	assert_true(wide_div((struct wide){ 1, 0 }, 1) == UINT64_MAX);
	assert_true(wide_div((struct wide){ 7, 0 }, 7) == UINT64_MAX);
	assert_true(wide_div((struct wide){ 6, UINT64_MAX }, 7) == UINT64_MAX);
	assert_true(wide_div((struct wide){ UINT64_MAX, UINT64_MAX }, UINT64_MAX) == UINT64_MAX);
	assert_true(wide_muldiv(UINT64_MAX, UINT64_MAX, 2) == UINT64_MAX);
	assert_true(wide_muldiv(UINT64_MAX, 2, 1) == UINT64_MAX);
}

static void a_product_may_overflow_between_multiplying_and_dividing(void **state)
{
	(void)state;
	assert_true(wide_muldiv(UINT64_MAX, UINT64_MAX, UINT64_MAX) == UINT64_MAX);
	assert_true(wide_muldiv(UINT64_MAX, 1000000, 2000000) == UINT64_MAX / 2);
	/* 1 Tbit/s for an hour: 450 TB * 8e9 / 3600e9 ns */
	assert_true(wide_muldiv(UINT64_C(450000000000000), UINT64_C(8000000000), UINT64_C(3600000000000)) ==
		UINT64_C(1000000000000));
}

#ifdef __SIZEOF_INT128__
static unsigned __int128 join(struct wide v)
{
	return (unsigned __int128)v.hi << 64 | v.lo;
}

static void check_against_the_compiler(uint64_t a, uint64_t b, uint64_t c)
{
	unsigned __int128 product = (unsigned __int128)a * b;
	struct wide v = wide_mul(a, b), w = wide_mul(b, c);

	assert_true(join(v) == product);
	assert_true(join(wide_add(v, w)) == (unsigned __int128)(product + (unsigned __int128)b * c));
	if (join(v) >= join(w))
		assert_true(join(wide_sub(v, w)) == product - (unsigned __int128)b * c);
	if (c > 0)
		assert_true(wide_muldiv(a, b, c) == (product / c > UINT64_MAX ? UINT64_MAX : (uint64_t)(product / c)));
}
#endif

static void everything_agrees_with_the_compilers_own_wide_type(void **state)
{
	(void)state;
#ifdef __SIZEOF_INT128__
	for (size_t i = 0; i < EDGES * EDGES * EDGES; i++)
		check_against_the_compiler(edges[i % EDGES], edges[i / EDGES % EDGES], edges[i / EDGES / EDGES]);
	for (int i = 0; i < 50000; i++)
		check_against_the_compiler(any(), any(), any());
#else
	skip();
#endif
}

static void a_square_root_is_rounded_down(void **state)
{
	(void)state;
	for (uint64_t root = 0; root < 300; root++)
		for (uint64_t v = root * root; v < (root + 1) * (root + 1); v++)
			assert_true(wide_isqrt(v) == root);
	for (int i = 0; i < 20000; i++) {
		uint64_t v = any(), root = wide_isqrt(v);

		assert_true(root <= UINT32_MAX && root * root <= v);
		assert_true(root == UINT32_MAX || (root + 1) * (root + 1) > v);
	}
	assert_true(wide_isqrt(UINT64_MAX) == UINT32_MAX);
}

static uint64_t deviation_of(const uint64_t *v, size_t n)
{
	uint64_t sum = 0;
	struct wide sumsq = { 0, 0 };

	for (size_t i = 0; i < n; i++) {
		sum += v[i];
		sumsq = wide_add(sumsq, wide_mul(v[i], v[i]));
	}
	return wide_deviation(n, sum, sumsq);
}

static void known_deviations_are_right(void **state)
{
	(void)state;
	static const struct {
		uint64_t v[8];
		size_t n;
		uint64_t deviation;
	} rows[] = {
		{ { 7 }, 1, 0 },
		{ { 5, 5, 5 }, 3, 0 },
		{ { 2, 4, 4, 4, 5, 5, 7, 9 }, 8, 2 },
		{ { 0, 1 }, 2, 0 },       /* 0.5 */
		{ { 0, 3 }, 2, 1 },       /* 1.5 */
		{ { 0, 0, 3 }, 3, 1 },    /* 1.41 */
		{ { 0, 0, 0, 7 }, 4, 3 }, /* 3.03: the mean has a fraction that matters */
		{ { 1000000007, 1000000007, 1000000009, 1000000009 }, 4, 1 },
		{ { 0, UINT64_C(1) << 53 }, 2, UINT64_C(1) << 52 },
		{ { 0, UINT64_C(1) << 34 }, 2, UINT64_C(1) << 33 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_true(deviation_of(rows[i].v, rows[i].n) == rows[i].deviation);
}

/* Neither a common offset nor the order may change it, to the last unit: nothing cancels. */
static void a_deviation_does_not_depend_on_where_the_values_lie(void **state)
{
	(void)state;
	for (int round = 0; round < 200; round++) {
		uint64_t v[9], moved[9];

		for (size_t i = 0; i < 9; i++) {
			v[i] = any() >> 44;
			moved[i] = v[i] + (UINT64_C(1) << 50);
		}
		assert_true(deviation_of(v, 9) == deviation_of(moved, 9));
	}
}

/* Whole-numbered and slow: n^2 times the variance is n * sum of squares - square of the sum. */
static void a_deviation_is_the_exact_one_rounded_down(void **state)
{
	(void)state;
	for (int round = 0; round < 2000; round++) {
		uint64_t v[7], n = 1 + any() % 7, sum = 0, squares = 0;

		for (size_t i = 0; i < n; i++) {
			v[i] = any() >> 40;
			sum += v[i];
			squares += v[i] * v[i];
		}
		uint64_t scaled = n * squares - sum * sum, d = deviation_of(v, n);

		assert_true(d * d * n * n <= scaled);
		assert_true((d + 1) * (d + 1) * n * n > scaled);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_products_are_right),
		cmocka_unit_test(carries_and_borrows_cross_the_middle),
		cmocka_unit_test(division_takes_back_multiplication),
		cmocka_unit_test(a_quotient_that_does_not_fit_saturates),
		cmocka_unit_test(a_product_may_overflow_between_multiplying_and_dividing),
		cmocka_unit_test(everything_agrees_with_the_compilers_own_wide_type),
		cmocka_unit_test(a_square_root_is_rounded_down),
		cmocka_unit_test(known_deviations_are_right),
		cmocka_unit_test(a_deviation_does_not_depend_on_where_the_values_lie),
		cmocka_unit_test(a_deviation_is_the_exact_one_rounded_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
