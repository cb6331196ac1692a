/* SPDX-License-Identifier: MIT */
#include "out/rank.h"

#include "guard.h"
#include "rng.h"

static struct rank rank;

static void offer(const char *scores)
{
	for (uint32_t i = 0; scores[i]; i++)
		rank_offer(&rank, i, (uint8_t)scores[i]);
}

static void assert_chosen(const char *scores, size_t room, const char *want)
{
	rank_begin(&rank, room);
	offer(scores);
	assert_int_equal(rank.n, strlen(want));
	for (size_t i = 0; i < rank.n; i++) {
		assert_int_equal(rank.v[i], want[i] - '0');
		assert_int_equal(rank.score[i], scores[rank.v[i]]);
	}
}

static void all_are_chosen_where_there_is_room(void **state)
{
	(void)state;
	assert_chosen("", 3, "");
	assert_chosen("bac", 3, "012");
	assert_chosen("bac", 4, "012");
}

static void those_with_the_highest_scores_are_chosen_in_their_order(void **state)
{
	(void)state;
	assert_chosen("abcdef", 3, "345");
	assert_chosen("fedcba", 3, "012");
	assert_chosen("azbycx", 3, "135");
	assert_chosen("zaaaay", 2, "05");
}

static void of_equals_the_first_ones_are_chosen(void **state)
{
	(void)state;
	assert_chosen("aaaaa", 3, "012");
	assert_chosen("aabaa", 3, "012");
	assert_chosen("aaaab", 3, "014");
	assert_chosen("abaab", 3, "014");
	assert_chosen("babab", 2, "02");
}

static void without_room_nobody_is_chosen(void **state)
{
	(void)state;
	assert_chosen("abc", 0, "");
}

static void no_room_is_larger_than_the_table(void **state)
{
	(void)state;
	rank_begin(&rank, 1000000);
	for (uint32_t i = 0; i < 1000; i++)
		rank_offer(&rank, i, i >= 900);
	assert_int_equal(rank.n, RANK_MAX);
	assert_int_equal(rank.v[0], 900);
	assert_int_equal(rank.v[RANK_MAX - 1], 900 + RANK_MAX - 1);
}

/* Chosen are those that fewer than @room others go before: a higher score, or the same one earlier. */
static void it_is_as_sorting_them_all_would_have_it(void **state)
{
	(void)state;
	struct rng r = rng_of(1);
	uint8_t score[200];

	for (int round = 0; round < 300; round++) {
		uint32_t n = (uint32_t)rng_below(&r, 200), spread = 1 + (uint32_t)rng_below(&r, 255), at = 0;
		size_t room = rng_below(&r, 40);

		rank_begin(&rank, room);
		for (uint32_t i = 0; i < n; i++)
			rank_offer(&rank, i, score[i] = (uint8_t)rng_below(&r, spread));
		for (uint32_t i = 0; i < n; i++) {
			size_t before = 0;

			for (uint32_t k = 0; k < n; k++)
				before += score[k] > score[i] || (score[k] == score[i] && k < i);
			if (before < room)
				assert_int_equal(rank.v[at++], i);
		}
		assert_int_equal(rank.n, at);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_are_chosen_where_there_is_room),
		cmocka_unit_test(those_with_the_highest_scores_are_chosen_in_their_order),
		cmocka_unit_test(of_equals_the_first_ones_are_chosen),
		cmocka_unit_test(without_room_nobody_is_chosen),
		cmocka_unit_test(no_room_is_larger_than_the_table),
		cmocka_unit_test(it_is_as_sorting_them_all_would_have_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
