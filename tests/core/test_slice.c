/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include "core/slice.h"

static struct slice view(const struct guard *g)
{
	return (struct slice){ g->p, g->n };
}

static void assert_text(struct slice s, const char *want)
{
	assert_int_equal(s.n, strlen(want));
	if (s.n > 0)
		assert_memory_equal(s.p, want, s.n);
}

static void equality_looks_at_every_byte(void **state)
{
	(void)state;
	assert_true(slice_eq(SLICE("count"), slice_of("count")));
	assert_false(slice_eq(SLICE("count"), SLICE("coun")));
	assert_false(slice_eq(SLICE("count"), SLICE("counT")));
	assert_false(slice_eq(SLICE("a\0b"), SLICE("a\0c")));
	assert_true(slice_eq((struct slice){ NULL, 0 }, SLICE("")));
}

static void a_slice_is_compared_with_a_string(void **state)
{
	struct guard g = guard_of("count", 5);

	(void)state;
	assert_true(slice_is(view(&g), "count"));
	assert_false(slice_is(view(&g), "coun"));
	assert_false(slice_is(view(&g), "counts"));
	assert_false(slice_is(view(&g), "Count"));
	assert_false(slice_is(SLICE("a\0"), "a"));
	assert_true(slice_is((struct slice){ NULL, 0 }, ""));
	guard_free(&g);
}

static void the_first_byte_of_nothing_is_nul(void **state)
{
	struct guard g = guard_of("ab", 2);
	struct slice s = view(&g);

	(void)state;
	assert_int_equal(slice_first(s), 'a');
	slice_skip(&s, 1);
	assert_text(s, "b");
	slice_skip(&s, 1);
	assert_int_equal(s.n, 0);
	assert_int_equal(slice_first(s), '\0');
	assert_int_equal(slice_first((struct slice){ NULL, 0 }), '\0');
	guard_free(&g);
}

static void bytes_of_a_set_are_found_and_told_from_others(void **state)
{
	struct guard g = guard_of("a1;2", 4);
	struct slice s = view(&g);

	(void)state;
	assert_true(slice_has(s, ';'));
	assert_false(slice_has(s, ','));
	assert_false(slice_has((struct slice){ NULL, 0 }, ';'));
	assert_true(slice_has_any(s, ",;"));
	assert_false(slice_has_any(s, ",:"));
	assert_false(slice_has_any(s, ""));
	assert_true(slice_has_only(s, "21;a"));
	assert_false(slice_has_only(s, "21a"));
	assert_false(slice_has_only(s, ""));
	assert_true(slice_has_only((struct slice){ NULL, 0 }, ""));
	assert_false(slice_has_any((struct slice){ NULL, 0 }, "a"));
	assert_false(slice_has_any(SLICE("\0"), "a")); /* the end of the set is not in it */
	guard_free(&g);
}

static void what_stands_before_a_byte_of_a_set_is_taken_and_the_byte_is_left(void **state)
{
	struct guard g = guard_of("12ab", 4);
	struct slice rest = view(&g);

	(void)state;
	assert_text(slice_while(&rest, "0123456789"), "12");
	assert_text(rest, "ab");
	assert_text(slice_while(&rest, "0123456789"), "");
	assert_text(slice_until(&rest, "cb"), "a");
	assert_text(rest, "b");
	assert_text(slice_until(&rest, "x"), "b");
	assert_int_equal(rest.n, 0);
	assert_text(slice_until(&rest, "x"), "");
	assert_text(slice_while(&rest, ""), "");
	guard_free(&g);
}

static void words_that_stand_one_behind_another_are_counted_from_0(void **state)
{
	(void)state;
	assert_string_equal(slice_word("one\0two\0\0four", 0), "one");
	assert_string_equal(slice_word("one\0two\0\0four", 1), "two");
	assert_string_equal(slice_word("one\0two\0\0four", 2), "");
	assert_string_equal(slice_word("one\0two\0\0four", 3), "four");
}

static void case_folds_letters_and_nothing_else(void **state)
{
	(void)state;
	for (int a = 0; a < 256; a++) {
		for (int b = 0; b < 256; b++) {
			char x = (char)a, y = (char)b;
			bool letters = (a | 0x20) == (b | 0x20) && (a | 0x20) >= 'a' && (a | 0x20) <= 'z';

			assert_int_equal(
				slice_eq_nocase((struct slice){ &x, 1 }, (struct slice){ &y, 1 }), a == b || letters);
		}
	}
	assert_true(slice_eq_nocase(SLICE("Content-Length"), SLICE("cONTENT-lENGTH")));
	assert_false(slice_eq_nocase(SLICE("Host"), SLICE("Hosts")));
	assert_false(slice_eq_nocase(SLICE("Host"), SLICE("hose")));
	assert_true(slice_eq_nocase((struct slice){ NULL, 0 }, SLICE("")));
}

static void beginnings_and_ends_are_compared(void **state)
{
	(void)state;
	assert_true(slice_starts(SLICE("https://a"), SLICE("https:")));
	assert_true(slice_starts(SLICE("a"), SLICE("")));
	assert_true(slice_starts(SLICE("ab"), SLICE("ab")));
	assert_false(slice_starts(SLICE("a"), SLICE("ab")));
	assert_false(slice_starts(SLICE("xhttps:"), SLICE("https:")));
	assert_true(slice_ends_nocase(SLICE("gzip, Chunked"), SLICE("chunked")));
	assert_true(slice_ends_nocase(SLICE("chunked"), SLICE("chunked")));
	assert_true(slice_ends_nocase(SLICE("a"), SLICE("")));
	assert_false(slice_ends_nocase(SLICE("chunked, gzip"), SLICE("chunked")));
	assert_false(slice_ends_nocase(SLICE("hunked"), SLICE("chunked")));
}

static void trimming_takes_spaces_and_tabs_only(void **state)
{
	static const char *const cases[][2] = { { " \t a b\t ", "a b" }, { "ab", "ab" }, { " \t ", "" }, { "", "" },
		{ "\na\r", "\na\r" }, { "a ", "a" }, { "\ta", "a" } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct guard g = guard_of(cases[i][0], strlen(cases[i][0]));

		assert_text(slice_trim(view(&g)), cases[i][1]);
		guard_free(&g);
	}
	assert_int_equal(slice_trim((struct slice){ NULL, 0 }).n, 0);
}

static void parts_never_leave_the_whole(void **state)
{
	struct guard g = guard_of("abcde", 5);

	(void)state;
	for (size_t at = 0; at < 8; at++) {
		size_t inside = at < 5 ? at : 5;

		assert_text(slice_from(view(&g), at), &"abcde"[inside]);
		assert_int_equal(slice_head(view(&g), at).n, inside);
		assert_ptr_equal(slice_head(view(&g), at).p, g.p);
	}
	assert_int_equal(slice_from(view(&g), SIZE_MAX).n, 0);
	assert_ptr_equal(slice_from(view(&g), SIZE_MAX).p, g.p + 5);
	assert_int_equal(slice_head(view(&g), SIZE_MAX).n, 5);
	assert_null(slice_from((struct slice){ NULL, 0 }, 3).p);
	guard_free(&g);
}

static void the_first_of_equal_bytes_is_found(void **state)
{
	struct guard g = guard_of("a,b,c", 5);

	(void)state;
	assert_int_equal(slice_find(view(&g), 'a'), 0);
	assert_int_equal(slice_find(view(&g), ','), 1);
	assert_int_equal(slice_find(view(&g), 'c'), 4);
	assert_int_equal(slice_find(view(&g), 'x'), 5);
	assert_int_equal(slice_find(slice_head(view(&g), 1), 'a'), 0);
	assert_int_equal(slice_find((struct slice){ NULL, 0 }, 'x'), 0);
	guard_free(&g);
}

static void a_list_is_cut_at_each_separator(void **state)
{
	struct guard g = guard_of("one,,three,", 11);
	struct slice rest = view(&g);

	(void)state;
	assert_text(slice_cut(&rest, ','), "one");
	assert_text(slice_cut(&rest, ','), "");
	assert_text(slice_cut(&rest, ','), "three");
	assert_int_equal(rest.n, 0);
	guard_free(&g);

	rest = SLICE("alone");
	assert_text(slice_cut(&rest, ','), "alone");
	assert_int_equal(rest.n, 0);
}

static void every_split_of_a_list_gives_both_halves(void **state)
{
	char text[16] = "abcdefgh";

	(void)state;
	for (size_t at = 0; at < 8; at++) {
		char whole[16];

		memcpy(whole, text, sizeof(whole));
		whole[at] = ',';
		struct guard g = guard_of(whole, 8);
		struct slice rest = view(&g);

		assert_int_equal(slice_cut(&rest, ',').n, at);
		assert_text(rest, text + at + 1);
		guard_free(&g);
	}
}

static void whole_numbers_are_read_to_64_bits(void **state)
{
	static const struct {
		const char *text;
		uint64_t want;
	} good[] = { { "0", 0 }, { "007", 7 }, { "18446744073709551615", UINT64_MAX },
		{ "18446744073709551610", UINT64_MAX - 5 }, { "9223372036854775808", UINT64_C(1) << 63 },
		{ "00000000000000000000000000000001", 1 } };
	static const char *const bad[] = { "", " 1", "1 ", "+1", "-1", "0x1", "1.0", "18446744073709551616",
		"18446744073709551620", "28446744073709551615", "99999999999999999999999", "/", ":", "1a", "\xb2" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct guard g = guard_of(good[i].text, strlen(good[i].text));
		uint64_t v = 99;

		assert_true(slice_uint(view(&g), &v));
		assert_true(v == good[i].want);
		guard_free(&g);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct guard g = guard_of(bad[i], strlen(bad[i]));
		uint64_t v = 99;

		assert_false(slice_uint(view(&g), &v));
		assert_int_equal(v, 99);
		guard_free(&g);
	}
}

static void hexadecimal_numbers_are_read_to_64_bits_in_either_case(void **state)
{
	static const struct {
		const char *text;
		uint64_t want;
	} good[] = { { "0", 0 }, { "10", 16 }, { "aBcDeF", 0xabcdef }, { "ffffffffffffffff", UINT64_MAX },
		{ "00000000000000000000f", 15 } };
	static const char *const bad[] = { "", "g", "0x1", " 1", "-1", "10000000000000000", "@", "`" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		uint64_t v = 99;

		assert_true(slice_hex(slice_of(good[i].text), &v));
		assert_true(v == good[i].want);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint64_t v = 99;

		assert_false(slice_hex(slice_of(bad[i]), &v));
		assert_int_equal(v, 99);
	}
	for (int c = 0; c < 256; c++) {
		const char *at = c > 0 ? strchr("0123456789abcdef0123456789ABCDEF", c) : NULL;

		assert_int_equal(slice_digit((char)c), at ? (at - "0123456789abcdef0123456789ABCDEF") % 16 : 16);
	}
}

/* RFC 3629 section 3, the other way round: what an encoder makes, and nothing else, is well formed. */
static size_t encode(uint32_t code, char *out)
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	for (size_t i = n; i-- > 1; code >>= 6)
		out[i] = (char)(0x80 | (code & 0x3f));
	out[0] = (char)((0xf0 << (4 - n)) | code);
	return n;
}

static void every_character_is_recognized_and_no_surrogate(void **state)
{
	(void)state;
	for (uint32_t code = 0; code < 0x110000; code++) {
		char c[4];
		size_t n = encode(code, c);
		bool surrogate = code >= 0xd800 && code < 0xe000;

		assert_int_equal(slice_utf8((struct slice){ c, n }), surrogate ? 0 : n);
	}
}

static void overlong_and_broken_sequences_are_refused(void **state)
{
	static const char *const bad[] = { "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x7f", "\xc2\xc0",
		"\xe0\x9f\xbf", "\xe0\xa0", "\xe0\xa0\x7f", "\xed\xa0\x80", "\xef\xbf", "\xf0\x8f\xbf\xbf",
		"\xf0\x90\x80", "\xf0\x90\x80\xc0", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80",
		"\xfe", "\xff" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct guard g = guard_of(bad[i], strlen(bad[i]));

		assert_int_equal(slice_utf8(view(&g)), 0);
		guard_free(&g);
	}
	assert_int_equal(slice_utf8((struct slice){ NULL, 0 }), 0);
}

static void a_character_cut_short_at_the_end_of_memory_is_not_one(void **state)
{
	static const char *const whole[] = { "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x9a\x80" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		for (size_t n = 0; n < strlen(whole[i]); n++) {
			struct guard g = guard_of(whole[i], n);

			assert_int_equal(slice_utf8(view(&g)), 0);
			guard_free(&g);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equality_looks_at_every_byte),
		cmocka_unit_test(a_slice_is_compared_with_a_string),
		cmocka_unit_test(the_first_byte_of_nothing_is_nul),
		cmocka_unit_test(bytes_of_a_set_are_found_and_told_from_others),
		cmocka_unit_test(what_stands_before_a_byte_of_a_set_is_taken_and_the_byte_is_left),
		cmocka_unit_test(words_that_stand_one_behind_another_are_counted_from_0),
		cmocka_unit_test(hexadecimal_numbers_are_read_to_64_bits_in_either_case),
		cmocka_unit_test(case_folds_letters_and_nothing_else),
		cmocka_unit_test(beginnings_and_ends_are_compared),
		cmocka_unit_test(trimming_takes_spaces_and_tabs_only),
		cmocka_unit_test(parts_never_leave_the_whole),
		cmocka_unit_test(the_first_of_equal_bytes_is_found),
		cmocka_unit_test(a_list_is_cut_at_each_separator),
		cmocka_unit_test(every_split_of_a_list_gives_both_halves),
		cmocka_unit_test(whole_numbers_are_read_to_64_bits),
		cmocka_unit_test(every_character_is_recognized_and_no_surrogate),
		cmocka_unit_test(overlong_and_broken_sequences_are_refused),
		cmocka_unit_test(a_character_cut_short_at_the_end_of_memory_is_not_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
