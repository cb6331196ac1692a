/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include <stdio.h>

#include "core/ns.h"
#include "core/text_put.h"

static char buffer[256];

static struct text fresh(void)
{
	struct text t;

	memset(buffer, 0x80, sizeof(buffer));
	text_init(&t, buffer, sizeof(buffer));
	return t;
}

static const char *sentence(const char *format, ...)
{
	static struct text t;
	va_list args;

	t = fresh();
	va_start(args, format);
	text_put_args(&t, format, args);
	va_end(args);
	return t.p;
}

static void a_sentence_takes_arguments_of_each_kind(void **state)
{
	struct text t = fresh();

	(void)state;
	text_put(&t, "%s %v %q", "one", SLICE("two"), SLICE("three"));
	assert_string_equal(t.p, "one two 'three'");
	assert_string_equal(sentence("%a|%a|%a", &(struct addr){ { 192, 0, 2, 1 }, .port = 80, .family = 4 },
				    &(struct addr){ { 0xfe, 0x80, [15] = 1 }, .scope = 2, .family = 6 }, &(struct addr){ .family = 0 }),
		"192.0.2.1|fe80::1%2|");
	assert_string_equal(sentence("%d%d", INT64_C(-5), INT64_MIN), "-5-9223372036854775808");
	assert_string_equal(sentence("%m/%t", INT64_C(12345678), INT64_C(1500000000)), "12.346/1.5 s");
	assert_string_equal(sentence("%p of %b", INT64_C(25000), INT64_C(941200000)), "2.5% of 941.2 Mbit/s");
	assert_string_equal(sentence("100%% of %s%%\n", "x"), "100% of x%\n");
	assert_string_equal(sentence(""), "");
	assert_string_equal(sentence("%s%v%q", "", SLICE(""), SLICE("")), "''");
}

static void a_figure_that_is_not_known_is_a_dash(void **state)
{
	(void)state;
	assert_string_equal(sentence("%m ms, %p, %m", UNKNOWN, UNKNOWN, INT64_C(0)), "- ms, -, 0.000");
}

/* The program's own words may do what they like. */
static void an_argument_cannot_play_with_the_terminal(void **state)
{
	(void)state;
	assert_string_equal(sentence("\r\x1b[K%s", "\x1b[2J%s\n"), "\r\x1b[K\\x1b[2J%s\\x0a");
	assert_string_equal(sentence("%v %q", SLICE("\xc2\x9b"), SLICE("\xff")), "\\xc2\\x9b '\\xff'");
}

static void a_quotation_of_eighty_bytes_is_whole_and_a_longer_one_is_cut_between_characters(void **state)
{
	char long_one[300], want[100];

	(void)state;
	memset(long_one, 'o', sizeof(long_one));
	snprintf(want, sizeof(want), "'%.80s'", long_one);
	assert_string_equal(sentence("%q", (struct slice){ long_one, 80 }), want);
	snprintf(want, sizeof(want), "'%.80s...'!", long_one);
	assert_string_equal(sentence("%q!", (struct slice){ long_one, 81 }), want);
	memcpy(long_one + 79, "\xe2\x82\xac\xe2\x82\xac", 6);
	snprintf(want, sizeof(want), "'%.82s...'", long_one);
	assert_string_equal(sentence("%q", (struct slice){ long_one, 85 }), want);
}

static void a_sentence_too_long_is_cut_like_everything(void **state)
{
	(void)state;
	for (size_t cap = 1; cap < 30; cap++) {
		char blank[32] = "..............................";
		struct guard g = guard_of(blank, cap);
		struct text t;

		text_init(&t, g.p, cap);
		text_put(&t, "%q is %d, not %s", SLICE("x"), INT64_C(12), "\x01");
		assert_int_equal(t.cut, cap < sizeof("'x' is 12, not \\x01"));
		assert_memory_equal(t.p, "'x' is 12, not \\x01", t.len);
		assert_int_equal(strlen(t.p), t.len);
		guard_free(&g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sentence_takes_arguments_of_each_kind),
		cmocka_unit_test(a_figure_that_is_not_known_is_a_dash),
		cmocka_unit_test(an_argument_cannot_play_with_the_terminal),
		cmocka_unit_test(a_quotation_of_eighty_bytes_is_whole_and_a_longer_one_is_cut_between_characters),
		cmocka_unit_test(a_sentence_too_long_is_cut_like_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
