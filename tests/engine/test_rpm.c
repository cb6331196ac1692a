/* SPDX-License-Identifier: MIT */
#include "engine/rpm.h"

#include "guard.h"
#include "rng.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define START (7 * NS_PER_S)

static struct rpm rpm;

static void fresh(void)
{
	memset(&rpm, 0xa5, sizeof(rpm));
	rpm_init(&rpm);
}

/* @n probes of which each part took always the same. */
static void add_even(size_t n, ns_t at, ns_t connect, ns_t answer)
{
	for (size_t i = 0; i < n; i++) {
		rpm_add(&rpm, RPM_CONNECT, at, connect);
		rpm_add(&rpm, RPM_ANSWER, at, answer);
	}
}

static int by_size(const void *a, const void *b)
{
	ns_t x = *(const ns_t *)a, y = *(const ns_t *)b;

	return x < y ? -1 : x > y;
}

/* The slow obvious one: sort, drop the slowest twentieth, divide. */
static ns_t obvious_mean(ns_t *v, size_t n)
{
	size_t left_out = n / 20;
	ns_t sum = 0;

	qsort(v, n, sizeof(v[0]), by_size);
	for (size_t i = 0; i < n - left_out; i++)
		sum += v[i];
	return sum / (ns_t)(n - left_out);
}

static void a_minute_holds_as_many_round_trips_as_fit(void **state)
{
	(void)state;
	static const struct {
		ns_t connect, answer;
		int64_t rpm;
	} cases[] = {
		{ 10 * NS_PER_MS, 10 * NS_PER_MS, 6000 },
		{ 20 * NS_PER_MS, 40 * NS_PER_MS, 2000 }, /* the mean of both, not the mean of two rates */
		{ 60 * NS_PER_MS, 60 * NS_PER_MS, 1000 },
		{ 200 * NS_PER_MS, 200 * NS_PER_MS, 300 },
		{ 2 * NS_PER_S, 4 * NS_PER_S, 20 },
		{ 100 * NS_PER_S, 200 * NS_PER_S, 0 },
		{ 100 * NS_PER_US, 300 * NS_PER_US, 300000 },
		{ 0, 0, 120000000 }, /* a clock that saw nothing */
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		fresh();
		add_even(20, START, cases[i].connect, cases[i].answer);
		struct rpm_result r = rpm_finish(&rpm, START);

		assert_int_equal(r.rpm, cases[i].rpm);
		assert_int_equal(r.connect, cases[i].connect);
		assert_int_equal(r.answer, cases[i].answer);
		assert_int_equal(r.loaded, UNKNOWN);
		assert_int_equal(r.probes, 20);
		assert_int_equal(r.failed, 0);
	}
}

/* Fair queueing keeps a probe fast while the load waits: the draft has both count for a half. */
static void the_loads_own_round_trip_is_the_other_half(void **state)
{
	(void)state;
	fresh();
	add_even(20, START, 10 * NS_PER_MS, 10 * NS_PER_MS);
	for (int i = 0; i < RPM_SAMPLES_MIN - 1; i++)
		rpm_add(&rpm, RPM_LOADED, START, 100 * NS_PER_MS);
	struct rpm copy = rpm;

	assert_int_equal(rpm_finish(&copy, START).rpm, 6000); /* too few of them */
	rpm_add(&rpm, RPM_LOADED, START, 100 * NS_PER_MS);
	struct rpm_result r = rpm_finish(&rpm, START);

	assert_int_equal(r.loaded, 100 * NS_PER_MS);
	assert_int_equal(r.rpm, (6000 + 600) / 2);
	assert_int_equal(r.probes, 20);
}

static void too_few_probes_say_nothing(void **state)
{
	(void)state;
	for (size_t n = 0; n <= RPM_SAMPLES_MIN; n++) {
		bool enough = n == RPM_SAMPLES_MIN;

		fresh();
		add_even(n, START, NS_PER_MS, 3 * NS_PER_MS);
		rpm.failed += 2;
		struct rpm_result r = rpm_finish(&rpm, START);

		assert_int_equal(r.rpm, enough ? 30000 : UNKNOWN);
		assert_int_equal(r.connect, enough ? NS_PER_MS : UNKNOWN);
		assert_int_equal(r.answer, enough ? 3 * NS_PER_MS : UNKNOWN);
		assert_int_equal(r.probes, n + 2);
		assert_int_equal(r.failed, 2);
	}
}

/* A server with one process accepts, and answers when the load is over. */
static void connections_without_answers_give_a_handshake_and_no_figure(void **state)
{
	(void)state;
	fresh();
	for (int i = 0; i < 9; i++)
		rpm_add(&rpm, RPM_CONNECT, START, 5 * NS_PER_MS);
	rpm.failed = 9;
	struct rpm_result r = rpm_finish(&rpm, START);

	assert_int_equal(r.connect, 5 * NS_PER_MS);
	assert_int_equal(r.answer, UNKNOWN);
	assert_int_equal(r.rpm, UNKNOWN);
	assert_int_equal(r.probes, 9);
}

static void the_slowest_twentieth_is_left_out(void **state)
{
	(void)state;
	fresh();
	add_even(19, START, 10 * NS_PER_MS, 10 * NS_PER_MS);
	add_even(1, START, 3 * NS_PER_S, 3 * NS_PER_S);
	assert_int_equal(rpm_finish(&rpm, START).rpm, 6000);
	/* Of nineteen it would be more than a twentieth. */
	fresh();
	add_even(18, START, 10 * NS_PER_MS, 10 * NS_PER_MS);
	add_even(1, START, 10 * NS_PER_MS + 19 * NS_PER_S, 10 * NS_PER_MS);
	struct rpm_result r = rpm_finish(&rpm, START);

	assert_int_equal(r.connect, 10 * NS_PER_MS + NS_PER_S);
	assert_int_equal(r.answer, 10 * NS_PER_MS);
	/* And it is the slowest, not the fastest. */
	fresh();
	add_even(1, START, 0, 0);
	add_even(19, START, 20 * NS_PER_MS, 20 * NS_PER_MS);
	assert_int_equal(rpm_finish(&rpm, START).connect, 18 * 20 * NS_PER_MS / 19);
}

static void any_times_give_what_sorting_and_dividing_gives(void **state)
{
	(void)state;
	static ns_t v[RPM_SAMPLES_MAX];
	struct rng rng = rng_of(4);

	for (int round = 0; round < 400; round++) {
		size_t n = round < 40 ? RPM_SAMPLES_MIN + (size_t)round : 1 + rng_below(&rng, RPM_SAMPLES_MAX);
		uint64_t range = UINT64_C(1) << rng_below(&rng, 40);

		n = n < RPM_SAMPLES_MIN ? RPM_SAMPLES_MIN : n;
		fresh();
		for (size_t i = 0; i < n; i++) {
			v[i] = (ns_t)rng_below(&rng, range);
			rpm_add(&rpm, RPM_CONNECT, START, v[i]);
			rpm_add(&rpm, RPM_ANSWER, START, v[i] * 2);
		}
		struct rpm_result r = rpm_finish(&rpm, START);
		ns_t mean = obvious_mean(v, n);

		assert_int_equal(r.connect, mean);
		assert_true(r.answer == 2 * mean || r.answer == 2 * mean + 1);
	}
}

/* While the load still grows the queue is short: that time does not count, if enough is left without it. */
static void what_was_complete_before_the_load_had_its_rate_is_left_out(void **state)
{
	(void)state;
	for (size_t late = 0; late < 2 * RPM_SAMPLES_MIN; late++) {
		bool enough = late >= RPM_SAMPLES_MIN;

		fresh();
		add_even(50, START - 1, 10 * NS_PER_MS, 10 * NS_PER_MS);
		for (size_t i = 0; i < late; i++) {
			rpm_add(&rpm, RPM_CONNECT, START + (ns_t)i, 100 * NS_PER_MS);
			rpm_add(&rpm, RPM_ANSWER, START + (ns_t)i, 100 * NS_PER_MS);
			rpm_add(&rpm, RPM_CONNECT, START - 1, 10 * NS_PER_MS);
			rpm_add(&rpm, RPM_ANSWER, START - 1, 10 * NS_PER_MS);
		}
		struct rpm_result r = rpm_finish(&rpm, START);

		assert_int_equal(r.probes, 50 + 2 * late);
		if (enough)
			assert_int_equal(r.rpm, 600);
		else
			assert_true(r.rpm > 2000);
	}
}

/* Ten thousand probes of which the first half is fast: whoever kept only the first or the last would be far off. */
static void all_of_a_long_run_has_a_say(void **state)
{
	(void)state;
	const int n = 10000;

	fresh();
	for (int i = 0; i < n; i++)
		add_even(1, START + i, i < n / 2 ? 10 * NS_PER_MS : 30 * NS_PER_MS, 20 * NS_PER_MS);
	struct rpm_result r = rpm_finish(&rpm, 0);

	assert_int_equal(r.probes, n);
	assert_int_equal(r.answer, 20 * NS_PER_MS);
	/* 0.95 of it is kept: (500 * 10 + 450 * 30) / 950 ms, and chance moves that by less than a tenth. */
	assert_true(r.connect > 17 * NS_PER_MS && r.connect < 22 * NS_PER_MS);
}

static void each_moment_of_a_long_run_is_kept_alike(void **state)
{
	(void)state;
	int64_t quarter[4] = { 0 };
	const int64_t n = 8000, runs = 50;

	fresh();
	for (int64_t run = 0; run < runs; run++) {
		struct rpm_samples *s = &rpm.part[RPM_LOADED];

		s->n = 0;
		s->seen = 0;
		for (int64_t i = 0; i < n; i++)
			rpm_add(&rpm, RPM_LOADED, i, i);
		assert_int_equal(s->n, RPM_SAMPLES_MAX);
		for (size_t i = 0; i < s->n; i++)
			quarter[s->v[i].took * 4 / n]++;
	}
	for (int i = 0; i < 4; i++) {
		int64_t even = runs * RPM_SAMPLES_MAX / 4;

		assert_true(quarter[i] > even * 95 / 100 && quarter[i] < even * 105 / 100);
	}
}

static void a_rating_is_the_drafts_word(void **state)
{
	(void)state;
	static const struct {
		int64_t rpm;
		const char *word;
	} cases[] = { { 0, "poor" }, { 299, "poor" }, { 300, "fair" }, { 999, "fair" }, { 1000, "good" },
		{ 5999, "good" }, { 6000, "excellent" }, { INT64_MAX, "excellent" } };

	assert_null(rpm_rating(UNKNOWN));
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(rpm_rating(cases[i].rpm), cases[i].word);
}

static void a_grade_falls_with_what_the_load_adds(void **state)
{
	(void)state;
	static const struct {
		ns_t increase;
		const char *grade;
	} cases[] = { { -5 * NS_PER_MS, "A+" }, { 0, "A+" }, { 5 * NS_PER_MS - 1, "A+" }, { 5 * NS_PER_MS, "A" },
		{ 30 * NS_PER_MS - 1, "A" }, { 30 * NS_PER_MS, "B" }, { 60 * NS_PER_MS - 1, "B" },
		{ 60 * NS_PER_MS, "C" }, { 200 * NS_PER_MS - 1, "C" }, { 200 * NS_PER_MS, "D" },
		{ 400 * NS_PER_MS - 1, "D" }, { 400 * NS_PER_MS, "F" }, { INT64_MAX, "F" } };

	assert_null(rpm_bloat_grade(UNKNOWN));
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(rpm_bloat_grade(cases[i].increase), cases[i].grade);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_minute_holds_as_many_round_trips_as_fit),
		cmocka_unit_test(the_loads_own_round_trip_is_the_other_half),
		cmocka_unit_test(too_few_probes_say_nothing),
		cmocka_unit_test(connections_without_answers_give_a_handshake_and_no_figure),
		cmocka_unit_test(the_slowest_twentieth_is_left_out),
		cmocka_unit_test(any_times_give_what_sorting_and_dividing_gives),
		cmocka_unit_test(what_was_complete_before_the_load_had_its_rate_is_left_out),
		cmocka_unit_test(all_of_a_long_run_has_a_say),
		cmocka_unit_test(each_moment_of_a_long_run_is_kept_alike),
		cmocka_unit_test(a_rating_is_the_drafts_word),
		cmocka_unit_test(a_grade_falls_with_what_the_load_adds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
