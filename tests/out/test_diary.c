/* SPDX-License-Identifier: MIT */
#include "out/diary.h"

#include "guard.h"

/* 2026-01-31T12:00:00Z */
#define NOON INT64_C(1769860800)

static struct diary diary;
static char buf[512];
static ns_t silence;

static int fresh(void **state)
{
	(void)state;
	diary = (struct diary){ .heard = 10 * NS_PER_S };
	silence = -1;
	return 0;
}

static enum diary_change event(enum outcome o, ns_t at_s)
{
	struct ping_event e = { .outcome = o, .rtt = NS_PER_MS };

	return diary_event(&diary, &e, at_s * NS_PER_S, &silence);
}

static const char *change(enum diary_change c, ns_t v, const char *why)
{
	struct text t;

	text_init(&t, buf, sizeof(buf));
	diary_put_change(&t, NOON, "host", c, v, why);
	return buf;
}

static const char *line(int64_t sent, int64_t lost, const struct hist *h)
{
	struct ping_result r = { .target = "host", .sent = sent, .lost = lost };
	struct text t;

	text_init(&t, buf, sizeof(buf));
	diary_put_line(&diary, &t, NOON, &r, h);
	return buf;
}

static void three_losses_in_a_row_are_silence_and_told_once(void **state)
{
	(void)state;
	assert_int_equal(event(OUTCOME_LOST, 11), DIARY_NONE);
	assert_int_equal(event(OUTCOME_ERROR, 12), DIARY_NONE);
	assert_int_equal(event(OUTCOME_LOST, 13), DIARY_SILENCE);
	assert_int_equal(silence, 3 * NS_PER_S);
	assert_int_equal(event(OUTCOME_LOST, 14), DIARY_NONE);
	assert_int_equal(event(OUTCOME_ERROR, 15), DIARY_NONE);
}

static void an_answer_ends_it_and_counts_from_the_last_one(void **state)
{
	(void)state;
	assert_int_equal(event(OUTCOME_REPLY, 20), DIARY_NONE);
	for (ns_t s = 21; s < 24; s++)
		event(OUTCOME_LOST, s);
	assert_int_equal(event(OUTCOME_REPLY, 32), DIARY_RETURN);
	assert_int_equal(silence, 12 * NS_PER_S);
	assert_int_equal(event(OUTCOME_REPLY, 33), DIARY_NONE);
}

static void two_losses_are_none_of_it(void **state)
{
	(void)state;
	for (ns_t s = 11; s < 60; s += 3) {
		assert_int_equal(event(OUTCOME_LOST, s), DIARY_NONE);
		assert_int_equal(event(OUTCOME_LOST, s + 1), DIARY_NONE);
		assert_int_equal(event(OUTCOME_REPLY, s + 2), DIARY_NONE);
	}
}

static void a_duplicate_and_a_late_answer_are_no_return(void **state)
{
	(void)state;
	for (ns_t s = 11; s < 14; s++)
		event(OUTCOME_LOST, s);
	assert_int_equal(event(OUTCOME_DUPLICATE, 14), DIARY_NONE);
	assert_int_equal(event(OUTCOME_CORRUPT, 14), DIARY_NONE);
	assert_int_equal(event(OUTCOME_LATE, 14), DIARY_NONE);
	assert_int_equal(event(OUTCOME_REPLY, 15), DIARY_RETURN);
}

static void a_change_is_a_sentence_with_the_time(void **state)
{
	(void)state;
	assert_string_equal(change(DIARY_SILENCE, INT64_C(3100000000), NULL), "2026-01-31T12:00:00Z host: silent for 3 s\n");
	assert_string_equal(change(DIARY_SILENCE, 12345678, "Connection refused"),
		"2026-01-31T12:00:00Z host: silent for 12 ms (Connection refused)\n");
	assert_string_equal(change(DIARY_RETURN, 47 * NS_PER_S, NULL), "2026-01-31T12:00:00Z host: answers again after 47 s\n");
}

static void a_line_is_about_what_happened_since_the_last_one(void **state)
{
	static struct hist h;

	(void)state;
	for (int i = 0; i < 9; i++)
		hist_add(&h, 43000);
	hist_add(&h, 61000);
	assert_string_equal(line(10, 0, &h), "2026-01-31T12:00:00Z host: 10 sent, 0 lost, p50 0.043 p99 0.061 ms\n");
	h.n = 0;
	assert_string_equal(line(20, 4, &h), "2026-01-31T12:00:00Z host: 10 sent, 4 lost\n");
	assert_string_equal(line(31, 5, NULL), "2026-01-31T12:00:00Z host: 11 sent, 1 lost\n");
}

static void losses_that_are_taken_back_make_no_negative_number(void **state)
{
	(void)state;
	line(10, 4, NULL);
	assert_string_equal(line(20, 1, NULL), "2026-01-31T12:00:00Z host: 10 sent, 0 lost\n");
	assert_string_equal(line(30, 3, NULL), "2026-01-31T12:00:00Z host: 10 sent, 2 lost\n");
}

static void a_silent_one_is_called_so_in_every_line(void **state)
{
	(void)state;
	for (ns_t s = 11; s < 14; s++)
		event(OUTCOME_LOST, s);
	assert_string_equal(line(3, 3, NULL), "2026-01-31T12:00:00Z host: 3 sent, 3 lost, silent\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(three_losses_in_a_row_are_silence_and_told_once, fresh),
		cmocka_unit_test_setup(an_answer_ends_it_and_counts_from_the_last_one, fresh),
		cmocka_unit_test_setup(two_losses_are_none_of_it, fresh),
		cmocka_unit_test_setup(a_duplicate_and_a_late_answer_are_no_return, fresh),
		cmocka_unit_test_setup(a_change_is_a_sentence_with_the_time, fresh),
		cmocka_unit_test_setup(a_line_is_about_what_happened_since_the_last_one, fresh),
		cmocka_unit_test_setup(losses_that_are_taken_back_make_no_negative_number, fresh),
		cmocka_unit_test_setup(a_silent_one_is_called_so_in_every_line, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
