/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include "core/expect.h"
#include "core/json.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct expect_figure figures[] = {
	{ "download", EXPECT_RATE },
	{ "upload", EXPECT_RATE },
	{ "loss", EXPECT_RATIO },
	{ "rtt.p99", EXPECT_TIME },
	{ "errors", EXPECT_COUNT },
	{ NULL, EXPECT_COUNT },
};

enum { DOWNLOAD, UPLOAD, LOSS, RTT, ERRORS };

static struct expect parsed(const char *s)
{
	struct expect e = { 0 };
	struct fault why;

	if (!expect_parse(s, figures, &e, &why))
		fail_msg("%s: %s", s, why.text);
	return e;
}

static void each_figure_is_bounded_in_its_own_unit(void **state)
{
	static const struct {
		const char *text;
		size_t figure;
		enum expect_op op;
		int64_t bound;
	} cases[] = { { "download>=100M", DOWNLOAD, EXPECT_GE, 100000000 },
		{ "upload > 2.5Gbit/s", UPLOAD, EXPECT_GT, INT64_C(2500000000) }, { "loss<1%", LOSS, EXPECT_LT, 10000 },
		{ "loss <= 0.01", LOSS, EXPECT_LE, 10000 }, { "loss<=100%", LOSS, EXPECT_LE, 1000000 },
		{ "rtt.p99 < 20ms", RTT, EXPECT_LT, 20 * NS_PER_MS },
		{ "rtt.p99<=20 ms", RTT, EXPECT_LE, 20 * NS_PER_MS }, { " rtt.p99\t<\t1 ", RTT, EXPECT_LT, NS_PER_S },
		{ "errors<=0", ERRORS, EXPECT_LE, 0 }, { "errors>3", ERRORS, EXPECT_GT, 3 } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct guard g = guard_of(cases[i].text, strlen(cases[i].text) + 1);
		struct expect e = parsed(g.p);

		assert_ptr_equal(e.text, g.p);
		assert_int_equal(e.figure, cases[i].figure);
		assert_int_equal(e.op, cases[i].op);
		assert_true(e.bound == cases[i].bound);
		guard_free(&g);
	}
}

#define ALL "one of download upload loss rtt.p99 errors"

static void a_mistake_is_named_and_put_right(void **state)
{
	static const char *const cases[][4] = {
		{ "downlod>=100M", "there is no figure 'downlod'", "--expect 'download>=100M'", ALL },
		{ "los < 1%", "there is no figure 'los'", "--expect 'loss<1%'", ALL },
		{ "downlod", "there is no figure 'downlod'", "--expect 'download>=100M'", ALL },
		{ "erors<5", "there is no figure 'erors'", "--expect 'errors<5'", ALL },
		{ "los<", "there is no figure 'los'", "--expect 'loss<1%'", ALL },
		{ "jitter<5ms", "there is no figure 'jitter'", ALL, "" },
		{ "", "--expect does not name a figure", ALL, "" },
		{ ">=100M", "--expect '>=100M' does not name a figure", ALL, "" },
		{ "Loss<1%", "there is no figure 'Loss'", "--expect 'loss<1%'", ALL },
		{ "download upload>1", "there is no figure 'download upload'", ALL, "" },
		{ "download", "--expect 'download' needs <, <=, > or >= and a bound", "--expect 'download>=100M'", "" },
		{ "download>=", "--expect 'download>=' needs <, <=, > or >= and a bound", "--expect 'download>=100M'",
			"" },
		{ "rtt.p99", "--expect 'rtt.p99' needs <, <=, > or >= and a bound", "--expect 'rtt.p99<20ms'", "" },
		{ "loss=1%", "--expect 'loss=1%' needs <, <=, > or >= and a bound", "--expect 'loss<1%'", "" },
		{ "loss==1%", "--expect 'loss==1%' needs <, <=, > or >= and a bound", "--expect 'loss<1%'", "" },
		{ "loss=<1%", "--expect 'loss=<1%' needs <, <=, > or >= and a bound", "--expect 'loss<1%'", "" },
		{ "loss<>1%", "--expect 'loss<>1%' needs <, <=, > or >= and a bound", "--expect 'loss<1%'", "" },
		{ "errors", "--expect 'errors' needs <, <=, > or >= and a bound", "--expect 'errors<=3'", "" },
		{ "rtt.p99<=20x", "the bound '20x' is not a duration", "--expect 'rtt.p99<=20ms'", "" },
		{ "download>fast", "the bound 'fast' is not a rate", "--expect 'download>100M'", "" },
		{ "loss<101%", "the bound '101%' is too large", "--expect 'loss<1%'", "" },
		{ "loss<-1%", "the bound '-1%' is too small", "--expect 'loss<1%'", "" },
		{ "errors<1.5", "the bound '1.5' is not a whole number", "--expect 'errors<3'", "" },
		{ "errors<\x1b[m", "the bound '\\x1b[m' is not a whole number", "--expect 'errors<3'", "" },
		{ "errors<9223372036854775807", "the bound '9223372036854775807' is too large", "--expect 'errors<3'",
			"" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct guard g = guard_of(cases[i][0], strlen(cases[i][0]) + 1);
		struct expect e = { .bound = 99 };
		struct fault why;

		assert_false(expect_parse(g.p, figures, &e, &why));
		assert_int_equal(why.kind, FAULT_USAGE);
		assert_string_equal(why.text, cases[i][1]);
		assert_string_equal(why.hints[0], cases[i][2]);
		assert_string_equal(why.hints[1], cases[i][3]);
		assert_null(e.text);
		assert_int_equal(e.bound, 99);
		guard_free(&g);
	}
}

static void the_first_hint_can_be_typed_as_it_stands(void **state)
{
	static const char *const wrong[] = { "downlod>=100M", "download", "upload=5", "loss<x", "rtt.p99>",
		"errors>=many" };

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct expect e;
		struct fault why;
		char typed[64] = "";

		assert_false(expect_parse(wrong[i], figures, &e, &why));
		size_t n = strlen(why.hints[0]) - strlen("--expect ''");
		memcpy(typed, why.hints[0] + strlen("--expect '"), n);
		parsed(typed);
	}
}

static void a_long_name_is_no_trouble(void **state)
{
	char text[600];
	struct expect e;
	struct fault why;

	(void)state;
	memset(text, 'n', sizeof(text));
	strcpy(text + 590, "<1%");
	assert_false(expect_parse(text, figures, &e, &why));
	assert_string_equal(why.text + strlen(why.text) - 4, "...'");
	assert_string_equal(why.hints[0], ALL);
}

static void more_figures_than_anybody_has_are_no_trouble(void **state)
{
	struct expect_figure many[64] = { 0 };
	struct expect e;
	struct fault why;

	(void)state;
	for (size_t i = 0; i < 63; i++)
		many[i] = (struct expect_figure){ i == 31 ? "thirty-two" : "figure", EXPECT_COUNT };
	assert_false(expect_parse("thirty-tow<5", many, &e, &why));
	assert_string_equal(why.hints[0], "--expect 'thirty-two<5'");
}

static void a_bound_holds_below_at_and_above_as_its_operator_says(void **state)
{
	static const struct {
		const char *text;
		bool below, at, above;
	} cases[] = { { "errors<5", true, false, false }, { "errors<=5", true, true, false },
		{ "errors>5", false, false, true }, { "errors>=5", false, true, true } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct expect e = parsed(cases[i].text);

		assert_int_equal(expect_judge(&e, 4), cases[i].below ? EXPECT_MET : EXPECT_MISSED);
		assert_int_equal(expect_judge(&e, 5), cases[i].at ? EXPECT_MET : EXPECT_MISSED);
		assert_int_equal(expect_judge(&e, 6), cases[i].above ? EXPECT_MET : EXPECT_MISSED);
		assert_int_equal(expect_judge(&e, UNKNOWN), EXPECT_UNMEASURED);
	}
}

static void the_verdict_is_a_sentence(void **state)
{
	static const struct {
		const char *text;
		int64_t value;
		const char *want;
	} cases[] = {
		{ "download>=100M", 94100000, "download>=100M: missed, 94.1 Mbit/s is 5.9 Mbit/s too low" },
		{ "download>=100M", 100000000, "download>=100M: met, 100.0 Mbit/s" },
		{ "download>=100M", UNKNOWN, "download>=100M: not measured" },
		{ "download < 1M", 1500000, "download < 1M: missed, 1.5 Mbit/s is 500.0 kbit/s too high" },
		{ "rtt.p99<20ms", 19999999, "rtt.p99<20ms: met, 20.000 ms" },
		{ "rtt.p99<20ms", 20 * NS_PER_MS, "rtt.p99<20ms: missed, 20.000 ms is the bound itself" },
		{ "rtt.p99<20ms", 20 * NS_PER_MS + 1, "rtt.p99<20ms: missed, 20.000 ms is 1 ns too high" },
		{ "rtt.p99<20ms", 32500000, "rtt.p99<20ms: missed, 32.500 ms is 12.5 ms too high" },
		{ "loss<=1%", 25000, "loss<=1%: missed, 2.5% is 1.5% too high" },
		{ "loss<1%", 0, "loss<1%: met, 0%" },
		{ "errors<=0", 3, "errors<=0: missed, 3 is 3 too high" },
		{ "errors>=4", 3, "errors>=4: missed, 3 is 1 too low" },
		{ "errors>4611686018427387903", -3,
			"errors>4611686018427387903: missed, -3 is 4611686018427387906 too low" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char buffer[128];
		struct text t;
		struct expect e = parsed(cases[i].text);

		text_init(&t, buffer, sizeof(buffer));
		expect_put(&t, &e, figures, cases[i].value);
		assert_string_equal(buffer, cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_figure_is_bounded_in_its_own_unit),
		cmocka_unit_test(a_mistake_is_named_and_put_right),
		cmocka_unit_test(the_first_hint_can_be_typed_as_it_stands),
		cmocka_unit_test(a_long_name_is_no_trouble),
		cmocka_unit_test(more_figures_than_anybody_has_are_no_trouble),
		cmocka_unit_test(a_bound_holds_below_at_and_above_as_its_operator_says),
		cmocka_unit_test(the_verdict_is_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
