/* SPDX-License-Identifier: MIT */
#include "core/wire.h"

#include "guard.h"

static const uint8_t bytes[] = { 0x01, 0x82, 0x03, 0x84, 0x05, 0x86, 0x07, 'a', 'b', 'c' };

static void numbers_are_read_most_significant_byte_first(void **state)
{
	(void)state;
	struct rd r = rd_of(bytes, sizeof(bytes));

	assert_int_equal(rd_left(&r), 10);
	assert_int_equal(rd_u8(&r), 0x01);
	assert_int_equal(rd_u16(&r), 0x8203);
	assert_int_equal(rd_u32(&r), 0x84058607);
	assert_int_equal(rd_left(&r), 3);
	assert_memory_equal(rd_take(&r, 3), "abc", 3);
	assert_int_equal(rd_left(&r), 0);
	assert_false(r.bad);
}

static void a_taken_run_lies_in_the_input_itself(void **state)
{
	(void)state;
	struct rd r = rd_of(bytes, sizeof(bytes));

	assert_ptr_equal(rd_take(&r, 2), bytes);
	assert_ptr_equal(rd_take(&r, 0), bytes + 2);
	assert_ptr_equal(rd_take(&r, 8), bytes + 2);
}

/* The same four reads at every length of input: whole values, then the error, then only zeros. */
static void input_cut_anywhere_gives_whole_values_then_zeros(void **state)
{
	(void)state;
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		struct guard g = guard_of(bytes, n);
		struct rd r = rd_of(g.p, n);

		assert_int_equal(rd_u8(&r), n >= 1 ? 0x01 : 0);
		assert_int_equal(r.bad, n < 1);
		assert_int_equal(rd_u16(&r), n >= 3 ? 0x8203 : 0);
		assert_int_equal(r.bad, n < 3);
		assert_int_equal(rd_u32(&r), n >= 7 ? 0x84058607 : 0);
		assert_int_equal(r.bad, n < 7);
		assert_int_equal(rd_take(&r, 3) != NULL, n >= 10);
		assert_int_equal(r.bad, n < 10);
		guard_free(&g);
	}
}

static void after_an_error_bytes_that_are_there_are_not_read_either(void **state)
{
	(void)state;
	struct rd r = rd_of(bytes, 3);

	assert_int_equal(rd_u32(&r), 0);
	assert_true(r.bad);
	assert_int_equal(rd_u8(&r), 0);
	assert_int_equal(rd_u16(&r), 0);
	assert_null(rd_take(&r, 0));
	assert_true(r.bad);
}

static void a_length_near_the_end_of_memory_is_refused(void **state)
{
	(void)state;
	struct rd r = rd_of(bytes, sizeof(bytes));
	uint8_t room[4];
	struct wr w = wr_of(room, sizeof(room));

	assert_null(rd_take(&r, SIZE_MAX));
	assert_true(r.bad);
	assert_null(wr_take(&w, SIZE_MAX));
	assert_true(w.bad);
}

static void numbers_are_written_most_significant_byte_first(void **state)
{
	(void)state;
	static const uint8_t expected[15] = { 0xf1, 0xe2, 0xe3, 0xd4, 0xd5, 0xd6, 0xd7,
		0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7 };
	uint8_t out[16] = { [15] = 0x55 };
	struct wr w = wr_of(out, 15);

	wr_u8(&w, 0xf1);
	wr_u16(&w, 0xe2e3);
	wr_u32(&w, 0xd4d5d6d7);
	wr_u64(&w, UINT64_C(0xa0a1a2a3a4a5a6a7));
	assert_false(w.bad);
	assert_memory_equal(out, expected, sizeof(expected));
	assert_int_equal(out[15], 0x55);
}

/* The room ends at an unreadable page, so one byte too many is a crash. */
static void nothing_is_written_past_the_end_of_any_room(void **state)
{
	(void)state;
	for (size_t n = 0; n <= 15; n++) {
		struct guard g = guard_of("\x55\x55\x55\x55\x55\x55\x55\x55\x55\x55\x55\x55\x55\x55\x55", n);
		struct wr w = wr_of(g.p, n);

		wr_u8(&w, 1);
		assert_int_equal(w.bad, n < 1);
		wr_u16(&w, 2);
		assert_int_equal(w.bad, n < 3);
		wr_u32(&w, 3);
		assert_int_equal(w.bad, n < 7);
		wr_u64(&w, 4);
		assert_int_equal(w.bad, n < 15);
		guard_free(&g);
	}
}

static void after_an_error_even_what_would_fit_is_not_written(void **state)
{
	(void)state;
	uint8_t room[2] = { 0x55, 0x55 };
	struct wr w = wr_of(room, sizeof(room));

	assert_null(wr_take(&w, 3));
	wr_u8(&w, 1);
	assert_true(w.bad);
	assert_int_equal(room[0], 0x55);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_read_most_significant_byte_first),
		cmocka_unit_test(a_taken_run_lies_in_the_input_itself),
		cmocka_unit_test(input_cut_anywhere_gives_whole_values_then_zeros),
		cmocka_unit_test(after_an_error_bytes_that_are_there_are_not_read_either),
		cmocka_unit_test(a_length_near_the_end_of_memory_is_refused),
		cmocka_unit_test(numbers_are_written_most_significant_byte_first),
		cmocka_unit_test(nothing_is_written_past_the_end_of_any_room),
		cmocka_unit_test(after_an_error_even_what_would_fit_is_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
