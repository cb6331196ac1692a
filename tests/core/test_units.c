/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include <stdio.h>
#include <time.h>

#include "core/units.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct good {
	const char *text;
	int64_t want;
};

static char buffer[128];

static struct text fresh(void)
{
	struct text t;

	text_init(&t, buffer, sizeof(buffer));
	return t;
}

/* The text ends where memory does. */
static const char *read_guarded(enum units_kind kind, const char *text, int64_t lo, int64_t hi, int64_t *ret)
{
	struct guard g = guard_of(text, strlen(text));
	const char *reason = units_read((struct slice){ g.p, g.n }, kind, lo, hi, ret);

	guard_free(&g);
	return reason;
}

static void expect_read(enum units_kind kind, const struct good *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int64_t v = 99;
		const char *reason = read_guarded(kind, cases[i].text, 0, INT64_MAX, &v);

		if (reason || v != cases[i].want)
			fail_msg("'%s': %s, %lld", cases[i].text, reason ? reason : "read", (long long)v);
	}
}

static void expect_refused(enum units_kind kind, const char *const *cases, size_t n, const char *want)
{
	for (size_t i = 0; i < n; i++) {
		int64_t v = 99;
		const char *reason = read_guarded(kind, cases[i], INT64_MIN, INT64_MAX, &v);

		if (!reason || strcmp(reason, want) != 0 || v != 99)
			fail_msg("'%s': %s, %lld", cases[i], reason ? reason : "read", (long long)v);
	}
}

static void durations_are_read_in_every_unit(void **state)
{
	static const struct good cases[] = { { "500ms", 500 * NS_PER_MS }, { "10s", 10 * NS_PER_S },
		{ "1.5m", 90 * NS_PER_S }, { "2h", 7200 * NS_PER_S }, { "20us", 20000 }, { "100ns", 100 }, { "0", 0 },
		{ "3min", 180 * NS_PER_S }, { "-0", 0 }, { "0.25h", 900 * NS_PER_S }, { "1.000001ms", 1000001 },
		{ "20 ms", 20 * NS_PER_MS }, { "007s", 7 * NS_PER_S } };

	(void)state;
	expect_read(UNITS_DURATION, cases, COUNT(cases));
}

static void a_bare_number_is_seconds(void **state)
{
	static const struct good cases[] = { { "1", NS_PER_S }, { "0.2", 200 * NS_PER_MS }, { ".2", 200 * NS_PER_MS },
		{ "1.000000001", NS_PER_S + 1 }, { "9223372036.854775807", INT64_MAX } };

	(void)state;
	expect_read(UNITS_DURATION, cases, COUNT(cases));
}

static void what_is_not_a_duration_is_called_that(void **state)
{
	static const char *const cases[] = { "", " ", "s", "ms", ".", "1.", ".ms", "1..5s", "1,5s", "1.5.2s", "5x",
		"5 m s", "5S", "5msec", "1e3", "0x10", "+5", "--5", "- 5", " 5", "5s5", "1.5ns", "inf", "nan", "5%",
		"5\xc2\xb5s", "5mi", "5m\n" };

	(void)state;
	expect_refused(UNITS_DURATION, cases, COUNT(cases), "is not a duration");
}

static void sizes_take_decimal_and_binary_prefixes(void **state)
{
	static const struct good cases[] = { { "1500", 1500 }, { "1500B", 1500 }, { "64KiB", 65536 }, { "64Ki", 65536 },
		{ "64kiB", 65536 }, { "1MiB", 1048576 }, { "10MB", 10000000 }, { "10M", 10000000 }, { "64k", 64000 },
		{ "64K", 64000 }, { "1.5G", 1500000000 }, { "2Gi", INT64_C(2147483648) },
		{ "1T", INT64_C(1000000000000) }, { "1TiB", INT64_C(1099511627776) }, { "0.5KiB", 512 },
		{ "1.1KiB", 1126 }, { "12 bytes", 12 }, { "1 byte", 1 }, { "64 KiB", 65536 },
		{ "9223372036854775807", INT64_MAX } };

	(void)state;
	expect_read(UNITS_SIZE, cases, COUNT(cases));
}

static void what_is_not_a_size_is_called_that(void **state)
{
	static const char *const cases[] = { "", "B", "KiB", "1.5", "1.5B", "1m", "1b", "1i", "1iB", "1KK", "1kk",
		"1Kb", "1P", "1KIB", "1BB", "1 K iB", "1KiBB", "1Bbyte", "1 B byte" };

	(void)state;
	expect_refused(UNITS_SIZE, cases, COUNT(cases), "is not a size");
}

static void rates_are_bits_a_second(void **state)
{
	static const struct good cases[] = { { "100M", 100000000 }, { "2.5G", INT64_C(2500000000) }, { "64k", 64000 },
		{ "64K", 64000 }, { "100Mbit", 100000000 }, { "100Mbit/s", 100000000 }, { "100Mbps", 100000000 },
		{ "9600", 9600 }, { "9600bit/s", 9600 }, { "1T", INT64_C(1000000000000) },
		{ "941.2 Mbit/s", 941200000 }, { "0", 0 } };

	(void)state;
	expect_read(UNITS_RATE, cases, COUNT(cases));
}

static void bytes_and_binary_prefixes_are_not_a_rate(void **state)
{
	static const char *const cases[] = { "", "M", "100MB", "100MB/s", "1Mi", "1Mibit", "1m", "1.5", "1.5bit",
		"1Mbits", "1M/s" };

	(void)state;
	expect_refused(UNITS_RATE, cases, COUNT(cases), "is not a rate");
}

static void counts_are_whole(void **state)
{
	static const struct good good[] = { { "0", 0 }, { "5", 5 }, { "9223372036854775807", INT64_MAX },
		{ "00010", 10 } };
	static const char *const bad[] = { "", "-", "1.0", "1.5", "1k", "five", "1s", "1%", "0x5" };

	(void)state;
	expect_read(UNITS_COUNT, good, COUNT(good));
	expect_refused(UNITS_COUNT, bad, COUNT(bad), "is not a whole number");
}

static void ratios_are_percent_or_a_fraction(void **state)
{
	static const struct good good[] = { { "1%", 10000 }, { "0.5%", 5000 }, { "0.01", 10000 }, { "1", 1000000 },
		{ "100%", 1000000 }, { "0", 0 }, { "0%", 0 }, { "0.0001%", 1 }, { "0.000001", 1 }, { "2.5 %", 25000 },
		{ ".5", 500000 } };
	static const char *const bad[] = { "", "%", "1%%", "1ppm", "one", "1.%" };

	(void)state;
	expect_read(UNITS_RATIO, good, COUNT(good));
	expect_refused(UNITS_RATIO, bad, COUNT(bad), "is not a percentage");
}

static void both_ends_of_a_range_belong_to_it(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = { { "4", "is too small" }, { "5", NULL }, { "9", NULL }, { "10", "is too large" },
		{ "-6", "is too small" }, { "9223372036854775808", "is too large" },
		{ "-9223372036854775809", "is too small" }, { "99999999999999999999999999", "is too large" },
		{ "-99999999999999999999999999", "is too small" } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t v = 99;
		const char *reason = read_guarded(UNITS_COUNT, cases[i].text, 5, 9, &v);

		if (cases[i].want)
			assert_string_equal(reason, cases[i].want);
		else
			assert_null(reason);
		assert_int_equal(v, cases[i].want ? 99 : cases[i].text[0] - '0');
	}
}

static void negative_numbers_are_read_where_the_range_has_them(void **state)
{
	int64_t v = 99;

	(void)state;
	assert_null(read_guarded(UNITS_COUNT, "-5", -5, 0, &v));
	assert_int_equal(v, -5);
	assert_null(read_guarded(UNITS_DURATION, "-1.5ms", -NS_PER_S, 0, &v));
	assert_int_equal(v, -1500000);
	assert_string_equal(read_guarded(UNITS_COUNT, "-6", -5, 0, &v), "is too small");
}

static void the_largest_of_each_unit_is_exact_and_one_more_is_refused(void **state)
{
	static const struct {
		enum units_kind kind;
		const char *fits, *beyond;
	} cases[] = { { UNITS_DURATION, "2562047h", "2562048h" },
		{ UNITS_DURATION, "9223372036854ms", "9223372036855ms" },
		{ UNITS_DURATION, "9223372036.854775807s", "9223372036.854775808s" },
		{ UNITS_SIZE, "8388607TiB", "8388608TiB" }, { UNITS_RATE, "9223372T", "9223373T" } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t v = 99;

		assert_null(read_guarded(cases[i].kind, cases[i].fits, 0, INT64_MAX, &v));
		assert_true(v > INT64_MAX - INT64_C(3600000000000));
		assert_string_equal(read_guarded(cases[i].kind, cases[i].beyond, 0, INT64_MAX, &v), "is too large");
	}
}

static uint64_t random_bits(void)
{
	static uint64_t x = 88172645463325252u;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

#ifdef __SIZEOF_INT128__
static void any_fraction_is_read_as_128_bit_arithmetic_has_it(void **state)
{
	static const struct {
		const char *name;
		int64_t one;
	} units[] = { { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 }, { "m", INT64_C(60000000000) },
		{ "h", INT64_C(3600000000000) } };

	(void)state;
	for (size_t i = 0; i < 5000; i++) {
		size_t u = random_bits() % COUNT(units);
		uint64_t whole = random_bits() % 2000000;
		unsigned decimals = 1 + (unsigned)(random_bits() % 18);
		uint64_t power = 1;
		char text[64];
		int64_t v = 99;

		for (unsigned d = 0; d < decimals; d++)
			power *= 10;
		uint64_t part = random_bits() % power;
		snprintf(text, sizeof(text), "%llu.%0*llu%s", (unsigned long long)whole, (int)decimals,
			(unsigned long long)part, units[u].name);
		__int128 want = ((__int128)whole * power + part) * units[u].one / power;
		assert_null(units_read(slice_of(text), UNITS_DURATION, 0, INT64_MAX, &v));
		assert_true(v == (int64_t)want);
	}
}
#endif

static void a_very_long_fraction_is_still_exact(void **state)
{
	int64_t v = 99;

	(void)state;
	assert_null(read_guarded(UNITS_DURATION, "0.9999999999999999999999999999999999999999s", 0, INT64_MAX, &v));
	assert_int_equal(v, 999999999);
	assert_null(read_guarded(UNITS_DURATION, "0.5000000000000000000000000000000000000000h", 0, INT64_MAX, &v));
	assert_true(v == 1800 * NS_PER_S);
}

static void milliseconds_have_three_decimals(void **state)
{
	struct text t = fresh();

	(void)state;
	units_put_ms(&t, 12345499);
	text_char(&t, ' ');
	units_put_ms(&t, -500);
	text_char(&t, ' ');
	units_put_ms(&t, 0);
	assert_string_equal(t.p, "12.345 -0.001 0.000");
}

static void durations_are_short_and_where_possible_exact(void **state)
{
	static const struct {
		ns_t ns;
		const char *want;
	} cases[] = { { 0, "0 s" }, { 1, "1 ns" }, { 999, "999 ns" }, { 1000, "1 us" }, { 1234, "1234 ns" },
		{ 12345, "12.3 us" }, { 20 * NS_PER_MS, "20 ms" }, { 1500 * NS_PER_MS, "1.5 s" },
		{ 1250 * NS_PER_MS, "1250 ms" }, { NS_PER_S, "1 s" }, { 59 * NS_PER_S, "59 s" },
		{ 60 * NS_PER_S, "1 min" }, { 100 * NS_PER_S, "100 s" }, { 90 * NS_PER_S, "1.5 min" },
		{ 120 * NS_PER_S, "2 min" }, { 3600 * NS_PER_S, "1 h" }, { 86400 * NS_PER_S, "24 h" },
		{ 1234567890, "1.2 s" }, { 999949999, "999.9 ms" }, { 999950000, "1 s" }, { 59949999999, "59.9 s" },
		{ 59950000001, "1 min" }, { 3597000000001, "1 h" }, { 3596999999999, "59.9 min" },
		{ 999949, "999.9 us" }, { 999951, "1 ms" }, { -20 * NS_PER_MS, "-20 ms" }, { -1234, "-1234 ns" },
		{ 9999 * NS_PER_S, "9999 s" }, { 10000 * NS_PER_S, "2.8 h" }, { 9999 * NS_PER_MS, "9999 ms" },
		{ 10001 * NS_PER_MS, "10 s" }, { INT64_MAX, "2562047.8 h" }, { INT64_MIN, "-2562047.8 h" } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct text t = fresh();

		units_put_duration(&t, cases[i].ns);
		assert_string_equal(t.p, cases[i].want);
	}
}

static void rates_have_one_decimal_and_come_in_bytes_too(void **state)
{
	static const struct {
		int64_t rate;
		const char *want;
	} cases[] = { { 941176470, "941.2 Mbit/s, 117.6 MB/s" }, { 0, "0 bit/s, 0 B/s" }, { 999, "999 bit/s, 124 B/s" },
		{ 1000, "1.0 kbit/s, 125 B/s" }, { 8000, "8.0 kbit/s, 1.0 kB/s" },
		{ 100000000, "100.0 Mbit/s, 12.5 MB/s" }, { 999949, "999.9 kbit/s, 125.0 kB/s" },
		{ 999950, "1.0 Mbit/s, 125.0 kB/s" }, { INT64_C(2500000000), "2.5 Gbit/s, 312.5 MB/s" },
		{ INT64_C(1000000000000), "1.0 Tbit/s, 125.0 GB/s" },
		{ INT64_C(8000000000000), "8.0 Tbit/s, 1.0 TB/s" }, { INT64_MAX, "9223372.0 Tbit/s, 1152921.5 TB/s" },
		{ -1500000, "-1.5 Mbit/s, -187.5 kB/s" } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct text t = fresh();

		units_put_rate(&t, cases[i].rate);
		assert_string_equal(t.p, cases[i].want);
		t = fresh();
		units_put_bitrate(&t, cases[i].rate);
		assert_memory_equal(t.p, cases[i].want, t.len);
		assert_int_equal(cases[i].want[t.len], ',');
	}
}

static void sizes_are_binary_and_exact_while_small(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *want;
	} cases[] = { { 0, "0 bytes" }, { 1, "1 byte" }, { 12, "12 bytes" }, { 1023, "1023 bytes" }, { 1024, "1 KiB" },
		{ 1500, "1500 bytes" }, { 1536, "1.5 KiB" }, { 65507, "65507 bytes" }, { 65536, "64 KiB" },
		{ 99999, "99999 bytes" }, { 100000, "97.7 KiB" }, { 1048524, "1023.9 KiB" }, { 1048525, "1 MiB" },
		{ 1048576, "1 MiB" }, { UINT64_C(1610612736), "1.5 GiB" }, { UINT64_C(1) << 40, "1 TiB" },
		{ UINT64_C(1) << 50, "1024 TiB" }, { UINT64_MAX, "16777216 TiB" } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct text t = fresh();

		units_put_size(&t, cases[i].bytes);
		assert_string_equal(t.p, cases[i].want);
	}
}

static void assert_utc(int64_t wall_s)
{
	char want[64];
	time_t at = (time_t)wall_s;
	struct tm tm;
	struct text t = fresh();

	gmtime_r(&at, &tm);
	strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%SZ", &tm);
	units_put_utc(&t, wall_s);
	assert_string_equal(t.p, want);
}

static void dates_are_those_of_the_c_library_on_each_day_to_2037(void **state)
{
	struct text t = fresh();

	(void)state;
	units_put_utc(&t, 1769860800);
	assert_string_equal(t.p, "2026-01-31T12:00:00Z");
	for (int64_t day = 0; day < 24837; day++) {
		assert_utc(day * 86400);
		assert_utc(day * 86400 + 86399);
	}
	for (int64_t second = 0; second < 86400; second += 61)
		assert_utc(second);
}

static void dates_stay_right_after_2038_and_in_a_year_without_leap_day(void **state)
{
	static const struct {
		int64_t wall_s;
		const char *want;
	} cases[] = { { INT64_C(2147483648), "2038-01-19T03:14:08Z" }, { INT64_C(4107542399), "2100-02-28T23:59:59Z" },
		{ INT64_C(4107542400), "2100-03-01T00:00:00Z" }, { INT64_C(951782400), "2000-02-29T00:00:00Z" },
		{ INT64_C(13574563200), "2400-02-29T00:00:00Z" }, { INT64_C(253402300799), "9999-12-31T23:59:59Z" } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct text t = fresh();

		units_put_utc(&t, cases[i].wall_s);
		assert_string_equal(t.p, cases[i].want);
	}
}

static void percents_lose_their_trailing_zeros(void **state)
{
	static const struct {
		int64_t ppm;
		const char *want;
	} cases[] = { { 0, "0%" }, { 25000, "2.5%" }, { 100, "0.01%" }, { 1, "0.0001%" }, { 10000, "1%" },
		{ 100000, "10%" }, { 1000000, "100%" }, { 123456, "12.3456%" }, { -5000, "-0.5%" } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct text t = fresh();

		units_put_percent(&t, cases[i].ppm);
		assert_string_equal(t.p, cases[i].want);
	}
}

static void a_figure_is_put_after_its_kind(void **state)
{
	static const struct {
		enum units_kind kind;
		const char *want;
	} cases[] = { { UNITS_COUNT, "1500000" }, { UNITS_DURATION, "1.5 ms" }, { UNITS_SIZE, "1.4 MiB" },
		{ UNITS_RATE, "1.5 Mbit/s" }, { UNITS_RATIO, "150%" } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct text t = fresh();

		units_put(&t, cases[i].kind, 1500000);
		assert_string_equal(t.p, cases[i].want);
	}
}

static void put_size(struct text *t, int64_t v)
{
	units_put_size(t, (uint64_t)v);
}

/* Read back and printed again it looks the same, and is off by half a tenth at most. */
static void what_is_printed_can_be_typed_back_in(void **state)
{
	static const struct {
		enum units_kind kind;
		void (*put)(struct text *t, int64_t v);
	} pairs[] = { { UNITS_DURATION, units_put_duration }, { UNITS_SIZE, put_size },
		{ UNITS_RATE, units_put_bitrate }, { UNITS_RATIO, units_put_percent } };

	(void)state;
	for (size_t i = 0; i < 20000; i++) {
		int64_t v = (int64_t)(random_bits() >> (4 + random_bits() % 60)), back = -1;
		char again[128];
		struct text t = fresh(), u;

		pairs[i % 4].put(&t, v);
		assert_null(units_read(text_view(&t), pairs[i % 4].kind, 0, INT64_MAX, &back));
		assert_true((back > v ? back - v : v - back) <= v / 19);
		text_init(&u, again, sizeof(again));
		pairs[i % 4].put(&u, back);
		assert_string_equal(u.p, t.p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_are_read_in_every_unit),
		cmocka_unit_test(a_bare_number_is_seconds),
		cmocka_unit_test(what_is_not_a_duration_is_called_that),
		cmocka_unit_test(sizes_take_decimal_and_binary_prefixes),
		cmocka_unit_test(what_is_not_a_size_is_called_that),
		cmocka_unit_test(rates_are_bits_a_second),
		cmocka_unit_test(bytes_and_binary_prefixes_are_not_a_rate),
		cmocka_unit_test(counts_are_whole),
		cmocka_unit_test(ratios_are_percent_or_a_fraction),
		cmocka_unit_test(both_ends_of_a_range_belong_to_it),
		cmocka_unit_test(negative_numbers_are_read_where_the_range_has_them),
		cmocka_unit_test(the_largest_of_each_unit_is_exact_and_one_more_is_refused),
#ifdef __SIZEOF_INT128__
		cmocka_unit_test(any_fraction_is_read_as_128_bit_arithmetic_has_it),
#endif
		cmocka_unit_test(a_very_long_fraction_is_still_exact),
		cmocka_unit_test(milliseconds_have_three_decimals),
		cmocka_unit_test(durations_are_short_and_where_possible_exact),
		cmocka_unit_test(rates_have_one_decimal_and_come_in_bytes_too),
		cmocka_unit_test(sizes_are_binary_and_exact_while_small),
		cmocka_unit_test(dates_are_those_of_the_c_library_on_each_day_to_2037),
		cmocka_unit_test(dates_stay_right_after_2038_and_in_a_year_without_leap_day),
		cmocka_unit_test(a_figure_is_put_after_its_kind),
		cmocka_unit_test(percents_lose_their_trailing_zeros),
		cmocka_unit_test(what_is_printed_can_be_typed_back_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
