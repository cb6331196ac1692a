/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include "engine/dialect.h"
#include "rng.h"

#define COUNT(v) (sizeof(v) / sizeof(v[0]))
#define HTML SLICE("text/html; charset=utf-8")
#define BYTES SLICE("application/octet-stream")
#define MANY UINT64_MAX

/* The first row of a kind. */
static const struct dialect *row_of(enum server_kind kind)
{
	const struct dialect *d = dialects;

	while (d->kind != SERVER_UNKNOWN && d->kind != kind)
		d++;
	assert_int_equal(d->kind, kind);
	return d;
}

/* Is the small answer with this body, which ends at an unreadable page, that of the kind? */
static bool is(enum server_kind kind, unsigned status, const char *body, size_t n, uint64_t length)
{
	struct guard g = guard_of(body, n);
	struct dialect_answer a = { status, HTML, { g.p, n }, length };
	bool ret = dialect_is(row_of(kind), &a);

	guard_free(&g);
	return ret;
}

static bool serves(enum server_kind kind, unsigned status, struct slice type, uint64_t length)
{
	struct dialect_answer a = { status, type, SLICE("\xff\xd8"), length };

	return dialect_serves(row_of(kind), &a);
}

static void a_speedtest_mini_is_known_by_its_words_however_the_line_ends(void **state)
{
	static const char *const bodies[] = { "test=test", "test=test\n", "test=test\r\n", "test=test more" };

	(void)state;
	for (size_t i = 0; i < COUNT(bodies); i++)
		assert_true(is(SERVER_SPEEDTEST, 200, bodies[i], strlen(bodies[i]), strlen(bodies[i])));
}

static void what_stops_short_of_the_words_or_begins_otherwise_is_no_speedtest_mini(void **state)
{
	static const char *const bodies[] = { "Test=test", " test=test", "test =test", "<html>test=test", "size=9" };

	(void)state;
	for (size_t n = 0; n < 9; n++)
		assert_false(is(SERVER_SPEEDTEST, 200, "test=test", n, n));
	for (size_t i = 0; i < COUNT(bodies); i++)
		assert_false(is(SERVER_SPEEDTEST, 200, bodies[i], strlen(bodies[i]), strlen(bodies[i])));
}

static void an_answer_with_another_status_is_nobody_s(void **state)
{
	static const unsigned statuses[] = { 0, 100, 201, 204, 206, 301, 302, 401, 403, 404, 500, 503, 999 };

	(void)state;
	for (size_t i = 0; i < COUNT(statuses); i++) {
		assert_false(is(SERVER_SPEEDTEST, statuses[i], "test=test", 9, 9));
		assert_false(is(SERVER_LIBRESPEED, statuses[i], "", 0, 0));
		assert_false(is(SERVER_OPENSPEEDTEST, statuses[i], "", 0, 0));
		assert_false(serves(SERVER_SPEEDTEST, statuses[i], BYTES, MANY));
		assert_false(serves(SERVER_LIBRESPEED, statuses[i], BYTES, MANY));
	}
}

static void an_empty_answer_is_that_of_those_who_are_measured_with_one(void **state)
{
	(void)state;
	assert_true(is(SERVER_LIBRESPEED, 200, "", 0, 0));
	assert_true(is(SERVER_OPENSPEEDTEST, 200, "", 0, 0));
	assert_false(is(SERVER_SPEEDTEST, 200, "", 0, 0));
	assert_false(is(SERVER_LIBRESPEED, 200, "<", 1, 1));
	assert_false(is(SERVER_OPENSPEEDTEST, 200, "<", 1, 1));
	assert_false(is(SERVER_LIBRESPEED, 200, "", 0, MANY));
}

static void an_empty_answer_never_suffices_alone(void **state)
{
	(void)state;
	for (const struct dialect *d = dialects; d->kind != SERVER_UNKNOWN; d++) {
		struct dialect_answer empty = { 200, BYTES, SLICE(""), 0 };

		if (dialect_is(d, &empty))
			assert_false(d->says || dialect_serves(d, &empty));
		assert_false(dialect_serves(d, &empty));
	}
}

static void a_download_is_large_and_no_page(void **state)
{
	(void)state;
	assert_true(serves(SERVER_SPEEDTEST, 200, SLICE("image/jpeg"), 31625365));
	assert_true(serves(SERVER_SPEEDTEST, 200, SLICE("image/jpeg"), 245388));
	assert_true(serves(SERVER_SPEEDTEST, 200, SLICE(""), 65536));
	assert_false(serves(SERVER_SPEEDTEST, 200, SLICE("image/jpeg"), 65535));
	assert_false(serves(SERVER_SPEEDTEST, 200, HTML, 31625365));
	assert_false(serves(SERVER_SPEEDTEST, 200, HTML, MANY));
	assert_true(serves(SERVER_LIBRESPEED, 200, BYTES, MANY));
	assert_true(serves(SERVER_LIBRESPEED, 200, BYTES, 100 << 20));
	assert_false(serves(SERVER_LIBRESPEED, 200, BYTES, (1 << 20) - 1));
	assert_false(serves(SERVER_LIBRESPEED, 200, HTML, MANY));
	assert_true(serves(SERVER_OPENSPEEDTEST, 200, BYTES, 30 << 20));
	assert_false(serves(SERVER_OPENSPEEDTEST, 200, HTML, 30 << 20));
}

static size_t count_words(const char *words)
{
	size_t n = 0;

	while (slice_word(words, n)[0] != '\0') {
		assert_int_equal(slice_word(words, n)[0], '/');
		n++;
	}
	return n;
}

static void every_row_says_where_all_of_it_is(void **state)
{
	(void)state;
	for (const struct dialect *d = dialects; d->kind != SERVER_UNKNOWN; d++) {
		assert_true(d->prefix[0] == '\0' || d->prefix[0] == '/');
		assert_int_equal(d->small[0], '/');
		assert_true(count_words(d->down) >= 1);
		assert_true(count_words(d->up) >= 1);
		assert_true(d->down_min > 0);
		assert_true(d->up_max >= 1 << 20);
		assert_non_null(server_kind_name(d->kind));
	}
	assert_int_equal(count_words(row_of(SERVER_SPEEDTEST)->up), 4);
	assert_int_equal(count_words(row_of(SERVER_SPEEDTEST)->down), 7);
}

static void expect_receipt(enum receipt r, const char *body, bool told, uint64_t n)
{
	struct guard g = guard_of(body, strlen(body));
	uint64_t v = 77;
	bool is_told = dialect_receipt(r, (struct slice){ g.p, g.n }, &v);

	if (is_told != told || v != (told ? n : 77))
		fail_msg("'%s' is %s: %llu", body, is_told ? "understood" : "not understood", (unsigned long long)v);
	guard_free(&g);
}

static void a_size_is_read_with_any_white_space_around_it(void **state)
{
	static const struct {
		const char *body;
		uint64_t n;
	} rows[] = {
		{ "size=132893", 132893 },
		{ "size=132893\n", 132893 },
		{ "size=132893\r\n", 132893 },
		{ "\r\n size=7 \t\n", 7 },
		{ "size=0", 0 },
		{ "size=00500", 500 },
		{ "size=99999999999", UINT64_C(99999999999) },
		{ "size=18446744073709551615", UINT64_MAX },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_receipt(RECEIPT_SIZE, rows[i].body, true, rows[i].n);
}

static void a_size_that_is_no_number_is_none(void **state)
{
	static const char *const bodies[] = { "", " ", "size", "size=", "size= 5", "size=-5", "size=+5", "size=5x", "size=0x5",
		"size=5.0", "size=5 6", "size=5&x=1", "size=18446744073709551616", "size=99999999999999999999999999", "Size=5",
		"x size=5", "xsize=5", "size==5", "size=5\v", "<html>size=5</html>", "{\"bytes\":5}", "size=\n5" };

	(void)state;
	for (size_t i = 0; i < COUNT(bodies); i++)
		expect_receipt(RECEIPT_SIZE, bodies[i], false, 0);
}

static void a_nul_is_no_digit(void **state)
{
	uint64_t v;

	(void)state;
	assert_false(dialect_receipt(RECEIPT_SIZE, SLICE("size=5\0"), &v));
	assert_false(dialect_receipt(RECEIPT_SIZE, SLICE("size=\0005"), &v));
	assert_false(dialect_receipt(RECEIPT_SIZE, (struct slice){ NULL, 0 }, &v));
}

static void every_beginning_of_a_receipt_is_read_within_its_bounds(void **state)
{
	static const char size[] = " size=132893\r\n", json[] = "{\"bytes\":132893,\"seconds\":1}";

	(void)state;
	for (size_t n = 0; n < sizeof(size); n++) {
		struct guard g = guard_of(size, n);
		uint64_t v = 0;

		/* cut behind a digit it is another number: who keeps receipts has room for them */
		assert_int_equal(dialect_receipt(RECEIPT_SIZE, (struct slice){ g.p, n }, &v), n > 6);
		guard_free(&g);
	}
	for (size_t n = 0; n < sizeof(json); n++) {
		struct guard g = guard_of(json, n);
		uint64_t v = 0;

		if (dialect_receipt(RECEIPT_JSON, (struct slice){ g.p, n }, &v))
			assert_int_equal(v, 132893);
		guard_free(&g);
	}
}

static void each_receipt_is_read_in_its_own_way_only(void **state)
{
	(void)state;
	expect_receipt(RECEIPT_JSON, "{\"bytes\":5,\"seconds\":1.5}", true, 5);
	expect_receipt(RECEIPT_JSON, "size=5", false, 0);
	expect_receipt(RECEIPT_NONE, "size=5", false, 0);
	expect_receipt(RECEIPT_NONE, "{\"bytes\":5}", false, 0);
	assert_int_equal(dialect_sonde.receipt, RECEIPT_JSON);
	assert_int_equal(dialect_file.receipt, RECEIPT_NONE);
	assert_int_equal(row_of(SERVER_SPEEDTEST)->receipt, RECEIPT_SIZE);
}

/* The same by hand: blanks, the word, digits that fit, blanks. */
static bool slow_size(const char *p, size_t n, uint64_t *ret)
{
	size_t i = 0;
	uint64_t v = 0;

	while (i < n && p[i] != '\0' && strchr(" \t\r\n", p[i]))
		i++;
	if (n - i < 5 || memcmp(p + i, "size=", 5) != 0)
		return false;
	size_t first = i += 5;

	for (; i < n && p[i] >= '0' && p[i] <= '9'; i++) {
		unsigned digit = (unsigned)(p[i] - '0');

		if (v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	if (i == first)
		return false;
	while (i < n && p[i] != '\0' && strchr(" \t\r\n", p[i]))
		i++;
	*ret = v;
	return i == n;
}

static void any_bytes_may_come_as_a_receipt(void **state)
{
	static const char bytes[] = "0123456789 \t\r\n=sizex-\0\xff";
	struct rng rng = rng_of(5);
	size_t understood = 0;

	(void)state;
	for (size_t round = 0; round < 20000; round++) {
		char body[40];
		size_t n = (size_t)rng_below(&rng, sizeof(body));
		uint64_t fast = 0, slow = 0;

		for (size_t i = 0; i < n; i++)
			body[i] = bytes[rng_below(&rng, rng_chance(&rng, 800000) ? 14 : sizeof(bytes) - 1)];
		if (n >= 5 && rng_chance(&rng, 900000))
			memcpy(body, "size=", 5);
		for (size_t i = 5; i < n && rng_chance(&rng, 950000); i++)
			body[i] = bytes[rng_below(&rng, 10)];
		struct guard g = guard_of(body, n);
		bool told = dialect_receipt(RECEIPT_SIZE, (struct slice){ g.p, n }, &fast);

		guard_free(&g);
		assert_int_equal(told, slow_size(body, n, &slow));
		if (told)
			assert_true(fast == slow);
		understood += told;
	}
	assert_in_range(understood, 1000, 19000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_speedtest_mini_is_known_by_its_words_however_the_line_ends),
		cmocka_unit_test(what_stops_short_of_the_words_or_begins_otherwise_is_no_speedtest_mini),
		cmocka_unit_test(an_answer_with_another_status_is_nobody_s),
		cmocka_unit_test(an_empty_answer_is_that_of_those_who_are_measured_with_one),
		cmocka_unit_test(an_empty_answer_never_suffices_alone),
		cmocka_unit_test(a_download_is_large_and_no_page),
		cmocka_unit_test(every_row_says_where_all_of_it_is),
		cmocka_unit_test(a_size_is_read_with_any_white_space_around_it),
		cmocka_unit_test(a_size_that_is_no_number_is_none),
		cmocka_unit_test(a_nul_is_no_digit),
		cmocka_unit_test(every_beginning_of_a_receipt_is_read_within_its_bounds),
		cmocka_unit_test(each_receipt_is_read_in_its_own_way_only),
		cmocka_unit_test(any_bytes_may_come_as_a_receipt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
