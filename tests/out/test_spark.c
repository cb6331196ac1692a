/* SPDX-License-Identifier: MIT */
#include "out/spark.h"

#include "guard.h"
#include "rng.h"

static struct spark spark;
static char buf[4 * SPARK_MAX + 1];

static const char *drawn(size_t width, bool utf8)
{
	struct text t;

	text_init(&t, buf, sizeof(buf));
	spark_put(&t, &spark, width, utf8);
	assert_false(t.cut);
	return buf;
}

static int fresh(void **state)
{
	(void)state;
	memset(&spark, 0, sizeof(spark));
	return 0;
}

/* Microseconds, ended by 0; negative ones are losses. */
static void add(const int64_t *us)
{
	for (; *us; us++)
		spark_add(&spark, *us < 0 ? UNKNOWN : *us * NS_PER_US);
}

static void send(enum outcome outcome, ns_t rtt)
{
	spark_event(&spark, &(struct ping_event){ .outcome = outcome, .rtt = rtt });
}

static void before_the_first_there_is_nothing(void **state)
{
	(void)state;
	assert_string_equal(drawn(5, true), "     ");
	assert_false(spark_any(&spark));
	assert_false(spark_has_loss(&spark));
	assert_false(spark_silent(&spark, 1));
}

static void the_newest_stands_at_the_right_end(void **state)
{
	(void)state;
	add((int64_t[]){ 100, 0 });
	assert_string_equal(drawn(5, true), "    ▁");
	assert_true(spark_any(&spark));
	add((int64_t[]){ 100, -1, 0 });
	assert_string_equal(drawn(5, true), "  ▁▁x");
	assert_string_equal(drawn(1, true), "x");
}

static void a_factor_of_four_is_the_whole_height(void **state)
{
	(void)state;
	for (int64_t eighth = 0; eighth < 16; eighth++)
		spark_add(&spark, (8 + eighth % 8) << (17 + eighth / 8));
	assert_string_equal(drawn(16, true), "▁▁▂▂▃▃▄▄▅▅▆▆▇▇██");
	assert_string_equal(drawn(16, false), "__..--~~==++**##");
}

static void below_a_quarter_of_a_microsecond_all_is_the_same(void **state)
{
	(void)state;
	spark_add(&spark, 0);
	spark_add(&spark, 255);
	spark_add(&spark, 256);
	spark_add(&spark, 500);
	assert_string_equal(drawn(4, true), "▁▁▁▄");
}

static void the_noise_of_a_steady_path_is_flat(void **state)
{
	(void)state;
	add((int64_t[]){ 20000, 20300, 19900, 20010, 20900, 20000, 0 });
	assert_string_equal(drawn(6, true), "▁▁▁▁▁▁");
}

static void one_long_round_trip_leaves_the_others_apart(void **state)
{
	(void)state;
	add((int64_t[]){ 1000, 4000, 1000, 64000, 0 });
	assert_string_equal(drawn(4, true), "▁▃▁█");
	/* Out of sight it no longer counts. */
	add((int64_t[]){ 1000, 4000, 1000, 0 });
	assert_string_equal(drawn(3, true), "▁█▁");
}

static void only_losses_have_no_height(void **state)
{
	(void)state;
	add((int64_t[]){ -1, -1, -1, 0 });
	assert_string_equal(drawn(4, true), " xxx");
	assert_string_equal(drawn(4, false), " xxx");
	assert_true(spark_silent(&spark, 3));
	assert_false(spark_silent(&spark, 4));
	assert_int_equal(spark.last, UNKNOWN);
}

static void a_reply_ends_the_silence_and_the_loss_stays_to_be_seen(void **state)
{
	(void)state;
	add((int64_t[]){ -1, -1, 500, 0 });
	assert_false(spark_silent(&spark, 1));
	assert_true(spark_has_loss(&spark));
	assert_int_equal(spark.last, 500 * NS_PER_US);
	for (int i = 0; i < SPARK_MAX; i++)
		spark_add(&spark, 1000);
	assert_false(spark_has_loss(&spark));
}

static void each_outcome_is_a_bar_a_loss_or_nothing(void **state)
{
	(void)state;
	send(OUTCOME_REPLY, 1000000);
	send(OUTCOME_DUPLICATE, 9000000);
	send(OUTCOME_CORRUPT, UNKNOWN);
	send(OUTCOME_LOST, UNKNOWN);
	send(OUTCOME_ERROR, UNKNOWN);
	send(OUTCOME_REPLY, 3999999);
	assert_string_equal(drawn(5, true), " ▁xx█");
}

static void a_late_answer_takes_the_newest_loss_away(void **state)
{
	(void)state;
	add((int64_t[]){ -1, 1000, -1, 1000, 0 });
	send(OUTCOME_LATE, 3900 * NS_PER_US);
	assert_string_equal(drawn(4, true), "x▁█▁");
	assert_int_equal(spark.last, 1000 * NS_PER_US);
	send(OUTCOME_LATE, 3900 * NS_PER_US);
	assert_string_equal(drawn(4, true), "█▁█▁");
	send(OUTCOME_LATE, 1900 * NS_PER_US);
	assert_string_equal(drawn(4, true), "█▁█▁");
	assert_int_equal(spark.last, 1000 * NS_PER_US);
}

static void a_late_answer_is_the_last_one_where_nothing_came_since(void **state)
{
	(void)state;
	add((int64_t[]){ 1000, -1, 0 });
	send(OUTCOME_LATE, 3000 * NS_PER_US);
	assert_int_equal(spark.last, 3000 * NS_PER_US);
}

static void the_ring_goes_round(void **state)
{
	(void)state;
	char want[SPARK_MAX + 1];

	for (int i = 0; i < 1000; i++) {
		spark_add(&spark, i % 5 == 0 ? UNKNOWN : 1000);
		for (int k = 0; k < SPARK_MAX; k++) {
			int which = i - SPARK_MAX + 1 + k;

			want[k] = which < 0 ? ' ' : which % 5 == 0 ? 'x' : '_';
		}
		want[SPARK_MAX] = '\0';
		assert_string_equal(drawn(SPARK_MAX, false), want);
	}
}

/* Whatever comes: a longer one never has the lower bar, and every character is one of those there are. */
static void bars_grow_with_what_they_show(void **state)
{
	(void)state;
	static const char levels[] = "_.-~=+*#";
	struct rng r = rng_of(2);

	for (int round = 0; round < 2000; round++) {
		int64_t v[8];

		for (int i = 0; i < 8; i++)
			spark_add(&spark, v[i] = (int64_t)(rng_next(&r) >> (1 + rng_below(&r, 62))));
		drawn(8, false);
		for (int i = 0; i < 8; i++)
			for (int k = 0; k < 8; k++)
				if (v[i] >= v[k])
					assert_true(strchr(levels, buf[i]) >= strchr(levels, buf[k]));
		assert_non_null(memchr(buf, '_', 8));
	}
}

/* In Mbit/s, ended by -1. */
static const char *rates(const int64_t *v, size_t width, bool utf8)
{
	struct text t;

	for (; *v != -1; v++)
		spark_add(&spark, *v * 1000000);
	text_init(&t, buf, sizeof(buf));
	spark_put_rates(&t, &spark, width, utf8);
	assert_false(t.cut);
	return buf;
}

static void a_rate_of_half_as_much_is_half_as_high(void **state)
{
	(void)state;
	assert_string_equal(rates((int64_t[]){ 0, 10, 20, 40, 80, -1 }, 6, true), " ▁▂▃▅█");
	assert_string_equal(rates((int64_t[]){ -1 }, 5, false), "_.-=#");
	/* Out of sight it no longer counts. */
	assert_string_equal(rates((int64_t[]){ 20, 20, -1 }, 2, true), "██");
}

static void a_steady_rate_is_flat_wherever_it_is(void **state)
{
	(void)state;
	for (int64_t rate = 1; rate < 400000; rate += 1 + rate / 37)
		assert_string_equal(rates((int64_t[]){ rate, rate - rate / 30, rate - rate / 50, rate, -1 }, 4, true), "████");
}

static void nothing_moving_is_the_lowest_bar(void **state)
{
	(void)state;
	assert_string_equal(rates((int64_t[]){ 0, 0, 0, -1 }, 4, true), " ▁▁▁");
	assert_string_equal(rates((int64_t[]){ 1000000, 0, -1 }, 2, true), "█▁");
}

/* Against the obvious: the share of the largest in eighths, at most one bar beside it. */
static void a_bar_is_the_share_of_the_largest(void **state)
{
	(void)state;
	static const char levels[] = "_.-~=+*#";
	struct rng r = rng_of(3);

	for (int round = 0; round < 2000; round++) {
		int64_t v[8], most = 1;

		for (int i = 0; i < 8; i++) {
			spark_add(&spark, v[i] = (int64_t)(rng_next(&r) >> (26 + rng_below(&r, 10))));
			most = v[i] > most ? v[i] : most;
		}
		rates((int64_t[]){ -1 }, 8, false);
		for (int i = 0; i < 8; i++) {
			int64_t level = strchr(levels, buf[i]) - levels, want = v[i] * 8 / most;

			want = want > 7 ? 7 : want;
			assert_in_range(level + 1, want, want + 2);
		}
	}
}

static void it_is_small(void **state)
{
	(void)state;
	assert_true(sizeof(struct spark) <= 56);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(before_the_first_there_is_nothing, fresh),
		cmocka_unit_test_setup(the_newest_stands_at_the_right_end, fresh),
		cmocka_unit_test_setup(a_factor_of_four_is_the_whole_height, fresh),
		cmocka_unit_test_setup(below_a_quarter_of_a_microsecond_all_is_the_same, fresh),
		cmocka_unit_test_setup(the_noise_of_a_steady_path_is_flat, fresh),
		cmocka_unit_test_setup(one_long_round_trip_leaves_the_others_apart, fresh),
		cmocka_unit_test_setup(only_losses_have_no_height, fresh),
		cmocka_unit_test_setup(a_reply_ends_the_silence_and_the_loss_stays_to_be_seen, fresh),
		cmocka_unit_test_setup(each_outcome_is_a_bar_a_loss_or_nothing, fresh),
		cmocka_unit_test_setup(a_late_answer_takes_the_newest_loss_away, fresh),
		cmocka_unit_test_setup(a_late_answer_is_the_last_one_where_nothing_came_since, fresh),
		cmocka_unit_test_setup(the_ring_goes_round, fresh),
		cmocka_unit_test_setup(bars_grow_with_what_they_show, fresh),
		cmocka_unit_test_setup(a_rate_of_half_as_much_is_half_as_high, fresh),
		cmocka_unit_test_setup(a_steady_rate_is_flat_wherever_it_is, fresh),
		cmocka_unit_test_setup(nothing_moving_is_the_lowest_bar, fresh),
		cmocka_unit_test_setup(a_bar_is_the_share_of_the_largest, fresh),
		cmocka_unit_test_setup(it_is_small, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
