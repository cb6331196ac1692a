/* SPDX-License-Identifier: MIT */
#include "out/live.h"

#include "guard.h"

/* How a line of a frame ends. */
#define E "\033[K\n"

#define TARGETS 200

static struct live live;
static struct spark sparks[TARGETS];
static struct live_health health[TARGETS];
static struct grid_row rows[LIVE_ROWS];
static char names[TARGETS][16];
static char buf[LIVE_FRAME_MAX];

static int fresh(void **state)
{
	(void)state;
	memset(&live, 0, sizeof(live));
	memset(sparks, 0, sizeof(sparks));
	memset(health, 0, sizeof(health));
	for (size_t i = 0; i < TARGETS; i++) {
		struct text t;

		text_init(&t, names[i], sizeof(names[i]));
		text_str(&t, "t");
		text_uint(&t, i);
		health[i] = (struct live_health){ .spark = &sparks[i], .sent = 10, .answered = 10 };
	}
	return 0;
}

/* Of its ten probes so many are lost, @ago before the last one. */
static void lose(size_t i, uint64_t lost, size_t ago)
{
	health[i].lost = lost;
	health[i].answered = 10 - lost;
	for (uint64_t k = 0; k < lost; k++)
		spark_add(&sparks[i], UNKNOWN);
	for (size_t k = 0; k < ago; k++)
		spark_add(&sparks[i], 1000000);
}

static size_t frame(size_t columns, size_t lines, size_t n, ns_t elapsed, const char *hint)
{
	struct text t;

	live_begin(&live, columns, lines, n);
	for (size_t i = 0; i < n; i++)
		live_offer(&live, &health[i]);
	for (size_t k = 0; k < live.rank.n; k++) {
		size_t i = live.rank.v[k];
		int64_t lost = (int64_t)health[i].lost;

		rows[k].spark = &sparks[i];
		rows[k].result = (struct ping_result){ .target = names[i], .sent = 10, .received = 10 - lost,
			.loss_ppm = lost * 100000, .rtt_mean = UNKNOWN, .rtt_max = UNKNOWN, .rtt_p50 = UNKNOWN,
			.rtt_p99 = UNKNOWN, .jitter = UNKNOWN };
		strcpy(rows[k].result.address, names[i]);
	}
	text_init(&t, buf, sizeof(buf));
	live_draw(&live, &t, rows, elapsed, hint);
	assert_false(t.cut);
	return t.len;
}

/* The lines of the frame in @buf: what stands before each line's end. */
static size_t lines_of(char *v[], size_t cap)
{
	size_t n = 0;

	for (char *p = buf, *end; (end = strstr(p, E)) && n < cap; p = end + sizeof(E) - 1) {
		*end = '\0';
		v[n++] = p;
	}
	return n;
}

static size_t line_ends(void)
{
	size_t n = 0;

	for (const char *p = buf; (p = strchr(p, '\n')); p++)
		n++;
	return n;
}

static bool begins(const char *p, const char *with)
{
	return strncmp(p, with, strlen(with)) == 0;
}

static void the_first_frame_begins_where_the_cursor_is(void **state)
{
	(void)state;
	lose(1, 3, 0);
	frame(80, 24, 2, INT64_C(12999999999), "q to quit");
	assert_string_equal(buf,
		"\r\033[?7l"
		"target   sent    loss last ms    p50    p99 jitter                       recent" E
		"t0         10      0%       -      -      -      -                             " E
		"t1         10     30%    lost      -      -      -                          xxx" E
		"2 targets, 1 silent, 20 sent, 3 lost, 12 s  q to quit" E
		"\033[J\033[?7h");
}

static void the_next_one_goes_over_it(void **state)
{
	(void)state;
	frame(80, 24, 5, 0, "");
	assert_int_equal(line_ends(), 7);
	frame(80, 24, 2, 0, "");
	assert_true(begins(buf, "\r\033[7A\033[?7ltarget"));
	frame(80, 24, 5, 0, "");
	assert_true(begins(buf, "\r\033[4A\033[?7ltarget"));
}

static void after_something_else_was_written_it_begins_below(void **state)
{
	(void)state;
	frame(80, 24, 5, 0, "");
	live_fresh(&live);
	frame(80, 24, 5, 0, "");
	assert_true(begins(buf, "\r\033[?7ltarget"));
}

static void after_a_resize_it_begins_at_the_top(void **state)
{
	(void)state;
	frame(80, 24, 5, 0, "");
	live_resized(&live);
	frame(40, 24, 5, 0, "");
	assert_true(begins(buf, "\r\033[H\033[?7ltarget"));
	frame(40, 24, 5, 0, "");
	assert_true(begins(buf, "\r\033[7A\033[?7ltarget"));
}

static void a_resize_without_a_frame_clears_nothing(void **state)
{
	(void)state;
	live_resized(&live);
	frame(80, 24, 5, 0, "");
	assert_true(begins(buf, "\r\033[?7ltarget"));
	live_resized(&live);
	live_fresh(&live);
	frame(80, 24, 5, 0, "");
	assert_true(begins(buf, "\r\033[?7ltarget"));
}

static void what_is_left_below_goes_and_lines_wrap_again(void **state)
{
	(void)state;
	size_t n = frame(80, 24, 5, 0, "");

	assert_string_equal(buf + n - 8, "\033[J\033[?7h");
}

static void a_frame_can_be_taken_away(void **state)
{
	(void)state;
	struct text t;

	text_init(&t, buf, sizeof(buf));
	live_wipe(&live, &t);
	assert_string_equal(buf, "\r\033[J");
	frame(80, 24, 5, 0, "");
	text_init(&t, buf, sizeof(buf));
	live_wipe(&live, &t);
	assert_string_equal(buf, "\r\033[7A\033[J");
	frame(80, 24, 5, 0, "");
	assert_true(begins(buf, "\r\033[?7l"));
}

static void no_frame_is_as_high_as_the_terminal(void **state)
{
	(void)state;
	for (size_t height = 3; height < 120; height++)
		for (size_t n = 1; n < TARGETS; n += n < 20 ? 1 : 37) {
			frame(80, height, n, 0, "q to quit");
			assert_true(line_ends() < height);
			/* And it is as high as is useful. */
			assert_true(live.rank.n == n || live.rank.n == LIVE_ROWS || height < 5 || line_ends() == height - 1);
			assert_int_equal(live_hides(&live), live.rank.n < n);
		}
}

static void on_a_very_low_terminal_the_sums_are_left(void **state)
{
	(void)state;
	frame(80, 3, 5, 0, "q to quit");
	assert_string_equal(buf, "\r\033[?7l5 targets, 50 sent, 0 lost, 0 s  q to quit" E "\033[J\033[?7h");
	frame(80, 3, 5, 0, "q to quit");
	assert_true(begins(buf, "\r\033[1A\033[?7l5 targets"));
	live_resized(&live);
	frame(80, 3, 5, 0, "q to quit");
	assert_true(begins(buf, "\r\033[H\033[?7l5 targets"));
}

static void assert_shown(size_t n, const char *want)
{
	char *v[LIVE_ROWS + 4], got[512] = "";
	size_t k = lines_of(v, LIVE_ROWS + 4);

	for (size_t i = 1; i < 1 + live.rank.n; i++) {
		v[i][strcspn(v[i], " ")] = '\0';
		strcat(strcat(got, v[i]), " ");
	}
	assert_string_equal(got, want);
	assert_int_equal(k, n);
}

static const char *last_lines(size_t from_end)
{
	char *v[LIVE_ROWS + 4];
	size_t n = lines_of(v, LIVE_ROWS + 4);

	return v[n - from_end];
}

static void all_are_shown_in_their_order_where_there_is_room(void **state)
{
	(void)state;
	lose(2, 10, 0);
	frame(80, 8, 5, 0, "");
	assert_shown(7, "t0 t1 t2 t3 t4 ");
}

static void the_silent_and_the_lossy_go_before_the_first_ones(void **state)
{
	(void)state;
	lose(6, 10, 0);
	lose(17, 1, 5);
	frame(80, 8, 20, 0, "");
	assert_shown(7, "t0 t1 t6 t17 ");
}

static void silence_goes_before_a_loss_of_now_and_that_before_one_of_old(void **state)
{
	(void)state;
	lose(9, 9, SPARK_MAX);  /* most are lost, but long ago */
	lose(10, 1, 2);
	lose(11, 3, 0);         /* silent by now */
	lose(12, 2, 0);         /* not yet */
	health[13].failed = true;
	frame(80, 5, 20, 0, "");
	assert_shown(4, "t11 ");
	frame(80, 6, 20, 0, "");
	assert_shown(5, "t11 t13 ");
	frame(80, 7, 20, 0, "");
	assert_shown(6, "t11 t12 t13 ");
	frame(80, 8, 20, 0, "");
	assert_shown(7, "t10 t11 t12 t13 ");
	frame(80, 9, 20, 0, "");
	assert_shown(8, "t9 t10 t11 t12 t13 ");
}

static void who_lost_more_goes_before_who_lost_less(void **state)
{
	(void)state;
	lose(3, 1, 3);
	lose(4, 5, 3);
	lose(5, 2, 3);
	frame(80, 6, 20, 0, "");
	assert_shown(5, "t4 t5 ");
}

static void one_loss_without_any_answer_is_silence(void **state)
{
	(void)state;
	lose(3, 5, 3);
	spark_add(&sparks[4], UNKNOWN);
	health[4].lost = 1;
	health[4].answered = 0;
	frame(80, 5, 20, 0, "");
	assert_shown(4, "t4 ");
	frame(80, 5, 20, 0, "");
	assert_string_equal(last_lines(1), "20 targets, 1 silent, 1 with loss, 200 sent, 6 lost, 0 s");
}

static void nobody_is_silent_before_an_answer_was_due(void **state)
{
	(void)state;
	for (size_t i = 0; i < 20; i++)
		health[i].answered = 0;
	frame(80, 24, 20, 0, "");
	assert_string_equal(last_lines(1), "20 targets, 200 sent, 0 lost, 0 s");
}

static void what_is_not_shown_is_counted(void **state)
{
	(void)state;
	live.grid.utf8 = true;
	frame(80, 8, 20, 0, "");
	assert_string_equal(last_lines(2), "… and 16 more without loss");
	live.grid.utf8 = false;
	for (size_t i = 5; i < 10; i++)
		lose(i, 10, 0);
	frame(80, 8, 20, 0, "");
	assert_string_equal(last_lines(2), "... and 16 more, 1 silent");
	lose(15, 1, 1);
	lose(16, 1, 1);
	frame(80, 8, 20, 0, "");
	assert_string_equal(last_lines(2), "... and 16 more, 1 silent, 2 with loss");
	frame(25, 8, 20, 0, "");
	assert_string_equal(last_lines(2), "... and 16 more, 1 si...");
	fresh(NULL);
	for (size_t i = 5; i < 11; i++)
		lose(i, 1, 1);
	frame(80, 8, 20, 0, "");
	assert_string_equal(last_lines(2), "... and 16 more, 2 with loss");
}

static void the_sums_are_of_all(void **state)
{
	(void)state;
	frame(80, 24, 1, 0, "");
	assert_string_equal(last_lines(1), "1 target, 10 sent, 0 lost, 0 s");
	lose(3, 10, 0);
	lose(4, 10, 0);
	lose(5, 2, 9);
	frame(80, 8, 100, INT64_C(3600) * NS_PER_S, "q to quit");
	assert_string_equal(last_lines(1), "100 targets, 2 silent, 1 with loss, 1000 sent, 22 lost, 1 h  q to quit");
}

static void in_a_narrow_terminal_the_sums_leave_room_for_the_hint(void **state)
{
	(void)state;
	lose(3, 10, 0);
	lose(5, 2, 9);
	frame(40, 24, 10, 9 * NS_PER_S, "q to quit");
	assert_string_equal(last_lines(1), "10 targets, 1 silent, 9 s  q to quit");
	frame(60, 24, 10, 9 * NS_PER_S, "q to quit");
	assert_string_equal(last_lines(1), "10 targets, 1 silent, 1 with loss, 100 sent, 9 s  q to quit");
	frame(40, 24, 10, 9 * NS_PER_S, "");
	assert_string_equal(last_lines(1), "10 targets, 1 silent, 1 with loss, 9 s");
	frame(10, 24, 10, 9 * NS_PER_S, "q to quit");
	assert_string_equal(last_lines(1), "10 targets  q to qui");
}

static void the_largest_frame_has_room(void **state)
{
	(void)state;
	static const char name[] = "\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9"
		"\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9"
		"\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9"
		"\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9"
		"\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9"
		"\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9"
		"\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9"
		"\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9"
		"\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9\U0001f4a9";
	struct text t;

	live.grid.utf8 = live.grid.color = true;
	frame(1000, 1000, TARGETS, 0, "q to quit");
	assert_int_equal(live.rank.n, LIVE_ROWS);
	for (size_t i = 0; i < LIVE_ROWS; i++) {
		rows[i].result.target = name;
		strcpy(rows[i].result.address, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295");
		rows[i].result.loss_ppm = 999900;
		for (size_t k = 0; k < SPARK_MAX; k++)
			spark_add(&sparks[i], k + 1 < SPARK_MAX ? 1000 : UNKNOWN);
	}
	text_init(&t, buf, sizeof(buf));
	live_draw(&live, &t, rows, 0, "q to quit");
	assert_false(t.cut);
}

static void what_may_be_lost_makes_nobody_silent_nor_lossy(void **state)
{
	(void)state;
	lose(0, 10, 0);
	lose(1, 5, 0);
	health[0].calm = health[1].calm = true;
	frame(80, 24, 3, 0, "");
	assert_non_null(strstr(buf, E "3 targets, 30 sent, 15 lost, 0 s" E));
}

static void where_there_is_no_room_the_end_of_a_path_goes_before_what_is_calm(void **state)
{
	(void)state;
	lose(1, 10, 0);
	lose(2, 5, 0);
	health[1].calm = health[2].calm = true;
	health[9].main = true;
	health[5].lost = 1;
	frame(80, 6, 10, 0, "");
	assert_int_equal(live.rank.n, 2);
	assert_int_equal(live.rank.v[0], 5);
	assert_int_equal(live.rank.v[1], 9);
}

static void rows_may_be_something_else_than_targets(void **state)
{
	(void)state;
	live.what = "hop";
	live.grid.head = "place";
	frame(80, 24, 1, 0, "");
	assert_true(begins(buf, "\r\033[?7lplace  "));
	assert_non_null(strstr(buf, E "1 hop, 10 sent"));
	frame(80, 24, 2, 0, "");
	assert_non_null(strstr(buf, E "2 hops, 20 sent"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_first_frame_begins_where_the_cursor_is, fresh),
		cmocka_unit_test_setup(the_next_one_goes_over_it, fresh),
		cmocka_unit_test_setup(after_something_else_was_written_it_begins_below, fresh),
		cmocka_unit_test_setup(after_a_resize_it_begins_at_the_top, fresh),
		cmocka_unit_test_setup(a_resize_without_a_frame_clears_nothing, fresh),
		cmocka_unit_test_setup(what_is_left_below_goes_and_lines_wrap_again, fresh),
		cmocka_unit_test_setup(a_frame_can_be_taken_away, fresh),
		cmocka_unit_test_setup(no_frame_is_as_high_as_the_terminal, fresh),
		cmocka_unit_test_setup(on_a_very_low_terminal_the_sums_are_left, fresh),
		cmocka_unit_test_setup(all_are_shown_in_their_order_where_there_is_room, fresh),
		cmocka_unit_test_setup(the_silent_and_the_lossy_go_before_the_first_ones, fresh),
		cmocka_unit_test_setup(silence_goes_before_a_loss_of_now_and_that_before_one_of_old, fresh),
		cmocka_unit_test_setup(who_lost_more_goes_before_who_lost_less, fresh),
		cmocka_unit_test_setup(one_loss_without_any_answer_is_silence, fresh),
		cmocka_unit_test_setup(nobody_is_silent_before_an_answer_was_due, fresh),
		cmocka_unit_test_setup(what_is_not_shown_is_counted, fresh),
		cmocka_unit_test_setup(the_sums_are_of_all, fresh),
		cmocka_unit_test_setup(in_a_narrow_terminal_the_sums_leave_room_for_the_hint, fresh),
		cmocka_unit_test_setup(the_largest_frame_has_room, fresh),
		cmocka_unit_test_setup(what_may_be_lost_makes_nobody_silent_nor_lossy, fresh),
		cmocka_unit_test_setup(where_there_is_no_room_the_end_of_a_path_goes_before_what_is_calm, fresh),
		cmocka_unit_test_setup(rows_may_be_something_else_than_targets, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
