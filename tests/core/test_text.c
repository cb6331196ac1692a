/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include <stdio.h>

#include "core/ns.h"
#include "core/text.h"

static char buffer[256];

static struct text fresh(void)
{
	struct text t;

	memset(buffer, 0x80, sizeof(buffer));
	text_init(&t, buffer, sizeof(buffer));
	return t;
}

static void what_is_appended_stands_in_order(void **state)
{
	struct text t = fresh();

	(void)state;
	assert_string_equal(t.p, "");
	text_str(&t, "a");
	text_char(&t, 'b');
	text_slice(&t, SLICE("cd"));
	text_slice(&t, (struct slice){ NULL, 0 });
	text_uint(&t, 5);
	assert_string_equal(t.p, "abcd5");
	assert_int_equal(t.len, 5);
	assert_false(t.cut);
	assert_ptr_equal(text_view(&t).p, buffer);
	assert_int_equal(text_view(&t).n, 5);
}

/* The buffer ends where memory does: a byte too many is a crash. */
static void whatever_the_room_the_text_is_cut_and_says_so(void **state)
{
	(void)state;
	for (size_t cap = 1; cap < 14; cap++) {
		char blank[16] = "...............";
		struct guard g = guard_of(blank, cap);
		struct text t;

		text_init(&t, g.p, cap);
		text_str(&t, "abc");
		text_uint(&t, 4567);
		text_fixed(&t, 89, 1, 1);
		assert_int_equal(t.len, cap > 10 ? 10 : cap - 1);
		assert_int_equal(strlen(t.p), t.len);
		assert_memory_equal(t.p, "abc45678.9", t.len);
		assert_int_equal(t.cut, cap < 11);
		guard_free(&g);
	}
}

static void a_cut_is_remembered_through_later_writes(void **state)
{
	char small[4];
	struct text t;

	(void)state;
	text_init(&t, small, sizeof(small));
	text_str(&t, "abcd");
	text_str(&t, "");
	text_char(&t, 'e');
	assert_true(t.cut);
	assert_string_equal(t.p, "abc");
}

static uint64_t random_bits(void)
{
	static uint64_t x = 88172645463325252u;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x >> (x % 64);
}

static void integers_read_as_the_c_library_prints_them(void **state)
{
	static const uint64_t edges[] = { 0, 1, 9, 10, 15, 16, 255, UINT64_C(1) << 63, UINT64_MAX, INT64_MAX };

	(void)state;
	for (size_t i = 0; i < 2000; i++) {
		uint64_t v = i < 10 ? edges[i] : random_bits();
		char want[80];
		struct text t = fresh();

		snprintf(want, sizeof(want), "%llu %lld %llx", (unsigned long long)v, (long long)v,
			(unsigned long long)v);
		text_uint(&t, v);
		text_char(&t, ' ');
		text_int(&t, (int64_t)v);
		text_char(&t, ' ');
		text_digits(&t, v, 16, 1);
		assert_string_equal(t.p, want);
	}
}

/* By pencil: write the digits, set the point, drop the tail, carry a one by hand. */
static void by_pencil(char *out, int64_t v, unsigned scale, unsigned decimals)
{
	char digits[64];
	uint64_t m = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	int n = snprintf(digits, sizeof(digits), "0%0*llu", (int)scale + 1, (unsigned long long)m);
	int keep = n - (int)(scale - decimals);

	if (decimals < scale && digits[keep] >= '5')
		for (int i = keep - 1; ++digits[i] > '9'; i--)
			digits[i] = '0';
	digits[keep] = '\0';
	char *first = digits;
	while (*first == '0' && first < digits + keep - (int)decimals - 1)
		first++;
	bool zero = strspn(first, "0") == strlen(first);
	int whole = (int)strlen(first) - (int)decimals;
	sprintf(out, "%s%.*s%s%s", v < 0 && !zero ? "-" : "", whole, first, decimals > 0 ? "." : "", first + whole);
}

static void a_fraction_is_rounded_as_by_pencil(void **state)
{
	static const int64_t edges[] = { 0, 1, 4, 5, 49, 50, 95, 99, 499, 500, 995, 999, 9999, 99999, 15, 25, 250,
		INT64_MAX, INT64_MIN, INT64_C(1000000000000000000), INT64_C(999999999999999999) };

	(void)state;
	for (size_t i = 0; i < 600; i++) {
		int64_t v = i < 42 ? edges[i / 2] : (int64_t)random_bits();

		v = i % 2 && v != INT64_MIN ? -v : v;
		for (unsigned scale = 0; scale <= 18; scale++) {
			for (unsigned decimals = 0; decimals <= scale; decimals++) {
				char want[64];
				struct text t = fresh();

				by_pencil(want, v, scale, decimals);
				text_fixed(&t, v, scale, decimals);
				assert_string_equal(t.p, want);
			}
		}
	}
}

static void well_known_fractions_look_as_expected(void **state)
{
	static const struct {
		int64_t v;
		unsigned scale, decimals;
		const char *want;
	} cases[] = { { 12345678, 6, 3, "12.346" }, { 5, 1, 0, "1" }, { -5, 1, 0, "-1" }, { 4, 1, 0, "0" },
		{ -4, 1, 0, "0" }, { -1, 3, 2, "0.00" }, { 1, 3, 3, "0.001" }, { 9995, 3, 2, "10.00" },
		{ 7, 0, 0, "7" }, { INT64_MIN, 18, 18, "-9.223372036854775808" } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text t = fresh();

		text_fixed(&t, cases[i].v, cases[i].scale, cases[i].decimals);
		assert_string_equal(t.p, cases[i].want);
	}
}

static void padding_counts_from_the_start_of_the_line(void **state)
{
	struct text t = fresh();

	(void)state;
	text_pad(&t, 2);
	text_str(&t, "a");
	text_pad(&t, 3);
	text_str(&t, "b\nlonger");
	text_pad(&t, 4);
	text_str(&t, "\n");
	text_pad(&t, 1);
	assert_string_equal(t.p, "  ab\nlonger\n ");
}

static void padding_counts_characters_and_not_bytes(void **state)
{
	struct text t = fresh();

	(void)state;
	text_str(&t, "z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x9a\x80");
	text_pad(&t, 12);
	text_char(&t, '|');
	assert_string_equal(t.p, "z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x9a\x80  |");
}

static void padding_beyond_the_buffer_ends(void **state)
{
	char small[5];
	struct text t;

	(void)state;
	text_init(&t, small, sizeof(small));
	text_pad(&t, SIZE_MAX);
	assert_string_equal(t.p, "    ");
	assert_true(t.cut);
}

static void nothing_that_a_terminal_obeys_gets_through(void **state)
{
	static const char *const cases[][2] = { { "plain 'text' ~", "plain 'text' ~" }, { "\x1b[31m", "\\x1b[31m" },
		{ "a\nb\tc\r", "a\\x0ab\\x09c\\x0d" }, { "\x7f\x01", "\\x7f\\x01" },
		{ "caf\xc3\xa9 \xe2\x82\xac", "caf\xc3\xa9 \xe2\x82\xac" }, { "\xc2\x9b\x33m", "\\xc2\\x9b3m" },
		{ "\xc2\x80", "\\xc2\\x80" }, { "\xc2\xa0", "\xc2\xa0" }, { "\xff\x61", "\\xffa" },
		{ "\xe2\x82", "\\xe2\\x82" }, { "\xc2", "\\xc2" }, { "\xed\xa0\x80", "\\xed\\xa0\\x80" },
		{ "\x1f ", "\\x1f " } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct guard g = guard_of(cases[i][0], strlen(cases[i][0]));
		struct text t = fresh();

		text_safe(&t, (struct slice){ g.p, g.n });
		assert_string_equal(t.p, cases[i][1]);
		guard_free(&g);
	}
	struct text t = fresh();
	text_safe(&t, SLICE("\0"));
	assert_string_equal(t.p, "\\x00");
}

static void digits_are_filled_up_with_zeros(void **state)
{
	struct text t = fresh();

	(void)state;
	text_digits(&t, 7, 10, 2);
	text_digits(&t, 123, 10, 2);
	text_digits(&t, 0xab, 16, 4);
	text_digits(&t, 0, 10, 1);
	assert_string_equal(t.p, "0712300ab0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_appended_stands_in_order),
		cmocka_unit_test(whatever_the_room_the_text_is_cut_and_says_so),
		cmocka_unit_test(a_cut_is_remembered_through_later_writes),
		cmocka_unit_test(integers_read_as_the_c_library_prints_them),
		cmocka_unit_test(a_fraction_is_rounded_as_by_pencil),
		cmocka_unit_test(well_known_fractions_look_as_expected),
		cmocka_unit_test(padding_counts_from_the_start_of_the_line),
		cmocka_unit_test(padding_counts_characters_and_not_bytes),
		cmocka_unit_test(padding_beyond_the_buffer_ends),
		cmocka_unit_test(nothing_that_a_terminal_obeys_gets_through),
		cmocka_unit_test(digits_are_filled_up_with_zeros),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
