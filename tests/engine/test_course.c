/* SPDX-License-Identifier: MIT */
#include "engine/course.h"

#include "engine/place.h"
#include "guard.h"
#include "rng.h"

#define START (1000 * NS_PER_S)

static struct course_plan usual(void)
{
	return (struct course_plan){ .interval = NS_PER_S, .rounds = 3, .hops = 20 };
}

static struct course begin(void)
{
	struct course c;

	course_init(&c, START);
	return c;
}

/* The next probe leaves at the moment that it is due. */
static unsigned take(const struct course_plan *p, struct course *c)
{
	ns_t due = course_due(p, c);

	assert_true(due != NS_NEVER);
	return course_take(p, c, due);
}

static void decide(struct course *c)
{
	assert_true(c->in_flight > 0);
	c->in_flight--;
}

static void router_answers(struct course *c, unsigned ttl)
{
	decide(c);
	course_met_router(c, (uint16_t)ttl);
}

static void target_answers(struct course *c, unsigned ttl)
{
	decide(c);
	course_met_target(c, (uint16_t)ttl);
}

static void wall_answers(struct course *c, unsigned ttl)
{
	decide(c);
	course_met_wall(c, (uint16_t)ttl);
}

/* The rest of this round: which hops are probed. Nobody answers. */
static unsigned rest_of_round(const struct course_plan *p, struct course *c)
{
	uint32_t round = c->round;
	unsigned last = 0;

	while (course_due(p, c) != NS_NEVER && c->next <= course_last(p, c) && c->round == round) {
		last = take(p, c);
		decide(c);
	}
	return last;
}

static void each_hop_is_probed_once_in_a_round_and_each_at_its_own_absolute_time(void **state)
{
	(void)state;
	struct course_plan p = usual();
	struct course c = begin();

	for (unsigned round = 0; round < 3; round++)
		for (unsigned ttl = 1; ttl <= 20; ttl++) {
			assert_true(course_due(&p, &c) == START + round * NS_PER_S + (ttl - 1) * 50 * NS_PER_MS);
			assert_int_equal(take(&p, &c), ttl);
			assert_int_equal(c.round, round);
			router_answers(&c, ttl);
		}
	assert_true(course_due(&p, &c) == NS_NEVER);
}

static void the_hops_of_a_round_share_its_interval_but_do_not_dawdle(void **state)
{
	(void)state;
	struct course_plan p = usual();

	assert_true(course_step(&p) == 50 * NS_PER_MS);
	p.hops = 40;
	assert_true(course_step(&p) == 25 * NS_PER_MS);
	p.hops = 1;
	assert_true(course_step(&p) == COURSE_STEP_MAX);
	p.interval = 3600 * NS_PER_S;
	assert_true(course_step(&p) == COURSE_STEP_MAX);
}

static void nothing_is_sent_past_the_target_once_it_has_answered(void **state)
{
	(void)state;
	struct course_plan p = usual();
	struct course c = begin();

	for (unsigned ttl = 1; ttl <= 6; ttl++) /* the answers take their time */
		assert_int_equal(take(&p, &c), ttl);
	router_answers(&c, 1);
	target_answers(&c, 6);
	target_answers(&c, 4);
	target_answers(&c, 5);
	assert_int_equal(course_last(&p, &c), 4);
	assert_true(course_due(&p, &c) == START + NS_PER_S);
	for (unsigned round = 1; round < 3; round++)
		for (unsigned ttl = 1; ttl <= 4; ttl++) {
			assert_int_equal(take(&p, &c), ttl);
			assert_int_equal(c.round, round);
		}
	assert_true(course_due(&p, &c) == NS_NEVER);
}

static void silence_ends_the_path_but_in_the_first_round_only_when_it_is_certain(void **state)
{
	(void)state;
	struct course_plan p = usual();
	struct course c = begin();

	take(&p, &c);
	take(&p, &c);
	router_answers(&c, 1);
	router_answers(&c, 2);
	for (unsigned ttl = 3; ttl <= 2 + COURSE_GAP; ttl++)
		assert_int_equal(take(&p, &c), ttl);
	for (unsigned i = 0; i < COURSE_GAP; i++) {
		assert_true(course_due(&p, &c) == NS_NEVER); /* one of them may yet be answered */
		decide(&c);
	}
	assert_true(course_due(&p, &c) == START + NS_PER_S);
	assert_int_equal(take(&p, &c), 1);
	assert_int_equal(c.round, 1);
	/* In the later ones nobody waits. */
	for (unsigned ttl = 2; ttl <= 2 + COURSE_GAP; ttl++)
		assert_int_equal(take(&p, &c), ttl);
	assert_true(course_due(&p, &c) == START + 2 * NS_PER_S);
}

static void an_answer_that_is_waited_for_leads_on(void **state)
{
	(void)state;
	struct course_plan p = usual();
	struct course c = begin();

	for (unsigned ttl = 1; ttl <= COURSE_GAP; ttl++)
		assert_int_equal(take(&p, &c), ttl);
	assert_true(course_due(&p, &c) == NS_NEVER);
	router_answers(&c, 5);
	assert_int_equal(course_last(&p, &c), 5 + COURSE_GAP);
	assert_int_equal(take(&p, &c), COURSE_GAP + 1);
	assert_int_equal(c.round, 0);
}

static void an_answer_in_a_later_round_lets_that_round_go_farther(void **state)
{
	(void)state;
	struct course_plan p = usual();
	struct course c = begin();

	assert_int_equal(rest_of_round(&p, &c), COURSE_GAP);
	for (unsigned ttl = 1; ttl <= COURSE_GAP; ttl++)
		assert_int_equal(take(&p, &c), ttl);
	assert_int_equal(c.round, 1);
	router_answers(&c, 7);
	assert_int_equal(take(&p, &c), COURSE_GAP + 1);
	assert_int_equal(c.round, 1);
	assert_int_equal(course_last(&p, &c), 7 + COURSE_GAP);
}

static void the_last_round_too_waits_for_nobody_but_goes_on_when_somebody_answers(void **state)
{
	(void)state;
	struct course_plan p = usual();
	struct course c = begin();

	p.rounds = 1;
	for (unsigned ttl = 1; ttl <= COURSE_GAP; ttl++)
		take(&p, &c);
	assert_true(course_due(&p, &c) == NS_NEVER);
	router_answers(&c, 2);
	for (unsigned ttl = COURSE_GAP + 1; ttl <= 2 + COURSE_GAP; ttl++)
		assert_int_equal(take(&p, &c), ttl);
	while (c.in_flight > 0)
		decide(&c);
	assert_true(course_due(&p, &c) == NS_NEVER);
}

static void no_probe_goes_farther_than_it_was_told_to(void **state)
{
	(void)state;
	struct course_plan p = usual();
	struct course c = begin();

	p.hops = 3;
	for (unsigned round = 0; round < 3; round++)
		for (unsigned ttl = 1; ttl <= 3; ttl++) {
			assert_int_equal(take(&p, &c), ttl);
			router_answers(&c, ttl);
		}
	assert_int_equal(course_last(&p, &c), 3);
	assert_true(course_due(&p, &c) == NS_NEVER);
}

static void behind_a_wall_nothing_is_looked_for(void **state)
{
	(void)state;
	struct course_plan p = usual();
	struct course c = begin();

	for (unsigned ttl = 1; ttl <= 7; ttl++)
		take(&p, &c);
	router_answers(&c, 1);
	wall_answers(&c, 6);
	wall_answers(&c, 3);
	wall_answers(&c, 4);
	assert_int_equal(course_last(&p, &c), 3);
	assert_int_equal(take(&p, &c), 1);
	assert_int_equal(c.round, 1);
	assert_int_equal(rest_of_round(&p, &c), 3);
}

static void a_router_that_answers_from_where_the_wall_was_has_opened_it(void **state)
{
	(void)state;
	struct course_plan p = usual();
	struct course c = begin();

	for (unsigned ttl = 1; ttl <= 4; ttl++)
		take(&p, &c);
	router_answers(&c, 1);
	wall_answers(&c, 3);
	router_answers(&c, 2); /* before the wall */
	assert_int_equal(course_last(&p, &c), 3);
	router_answers(&c, 3);
	assert_int_equal(course_last(&p, &c), 3 + COURSE_GAP);
}

static void the_target_counts_whatever_walls_there_are(void **state)
{
	(void)state;
	struct course_plan p = usual();
	struct course c = begin();

	for (unsigned ttl = 1; ttl <= 4; ttl++)
		take(&p, &c);
	wall_answers(&c, 2);
	target_answers(&c, 4);
	assert_int_equal(course_last(&p, &c), 4);
}

static void one_by_one_means_that_the_last_must_be_decided_first(void **state)
{
	(void)state;
	struct course_plan p = usual();
	struct course c = begin();

	p.one_by_one = true;
	for (unsigned round = 0; round < 3; round++)
		for (unsigned ttl = 1; ttl <= 5; ttl++) {
			assert_int_equal(take(&p, &c), ttl);
			assert_true(course_due(&p, &c) == NS_NEVER);
			if (ttl == 5)
				target_answers(&c, 5);
			else
				router_answers(&c, ttl);
		}
	assert_true(course_due(&p, &c) == NS_NEVER);
}

/* Whatever is late, lost or slow: two probes of one hop are an interval apart, but for a step at most. */
static void no_hop_is_probed_twice_within_the_interval(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct rng rng = rng_of(seed);
		struct course_plan p = { .interval = NS_PER_S, .rounds = 6, .hops = 1 + (unsigned)rng_below(&rng, 40),
			.one_by_one = rng_below(&rng, 2) };
		struct course c = begin();
		ns_t now = START, last[64] = { 0 };
		unsigned target = 1 + (unsigned)rng_below(&rng, 40), sent[64] = { 0 };

		while (course_due(&p, &c) != NS_NEVER || c.in_flight > 0) {
			bool may = course_due(&p, &c) != NS_NEVER && (c.in_flight == 0 || rng_below(&rng, 2));

			if (may) {
				now = ns_max(now, course_due(&p, &c)) + (ns_t)rng_below(&rng, 3) * 40 * NS_PER_MS;
				unsigned ttl = course_take(&p, &c, now);

				assert_true(ttl >= 1 && ttl <= p.hops);
				ns_t least = p.interval - 2 * course_step(&p) - 80 * NS_PER_MS;

				assert_true(sent[ttl] == 0 || now - last[ttl] >= least);
				last[ttl] = now;
				sent[ttl]++;
				continue;
			}
			now += (ns_t)rng_below(&rng, 500) * NS_PER_MS;
			unsigned ttl = 1 + (unsigned)rng_below(&rng, c.next - 1u);

			decide(&c);
			if (rng_below(&rng, 3) == 0)
				continue;
			if (ttl >= target)
				course_met_target(&c, (uint16_t)ttl);
			else
				course_met_router(&c, (uint16_t)ttl);
		}
		for (unsigned ttl = 1; ttl < 64; ttl++)
			assert_true(sent[ttl] <= p.rounds);
		assert_int_equal(sent[1], p.rounds);
	}
}

/* Rounds of a path with the target at @hops, all of which answer. */
static void go_rounds(const struct course_plan *p, struct course *c, unsigned rounds, unsigned hops)
{
	for (unsigned r = 0; r < rounds; r++)
		for (unsigned ttl = 1; ttl <= hops; ttl++) {
			assert_int_equal(take(p, c), ttl);
			if (ttl == hops)
				target_answers(c, ttl);
			else
				router_answers(c, ttl);
		}
}

static void a_path_that_grows_is_followed_to_its_new_end_and_was_reached_all_the_same(void **state)
{
	(void)state;
	for (unsigned more = 1; more <= COURSE_GAP; more++) {
		struct course_plan p = usual();
		struct course c = begin();

		p.rounds = 4;
		go_rounds(&p, &c, 2, 4);
		assert_int_equal(course_last(&p, &c), 4);
		go_rounds(&p, &c, 2, 4 + more); /* where the target was there is a router */
		assert_int_equal(course_last(&p, &c), 4 + more);
		assert_int_equal(c.reached, 4 + more);
		assert_true(c.arrived);
		assert_true(course_due(&p, &c) == NS_NEVER);
	}
}

static void a_path_that_grew_and_whose_end_is_silent_was_reached_once(void **state)
{
	(void)state;
	struct course_plan p = usual();
	struct course c = begin();

	assert_false(c.arrived);
	go_rounds(&p, &c, 1, 3);
	for (unsigned ttl = 1; ttl <= 3; ttl++) {
		assert_int_equal(take(&p, &c), ttl);
		router_answers(&c, ttl);
	}
	assert_int_equal(c.reached, 0);
	assert_int_equal(course_last(&p, &c), 3 + COURSE_GAP);
	assert_int_equal(rest_of_round(&p, &c), 3 + COURSE_GAP);
	assert_true(c.arrived);
}

static void a_router_before_the_target_does_not_move_the_end(void **state)
{
	(void)state;
	struct course_plan p = usual();
	struct course c = begin();

	for (unsigned ttl = 1; ttl <= 6; ttl++)
		take(&p, &c);
	target_answers(&c, 5);
	router_answers(&c, 4);
	assert_int_equal(course_last(&p, &c), 5);
	router_answers(&c, 6); /* beyond it */
	assert_int_equal(course_last(&p, &c), 6 + COURSE_GAP);
}

/* Of @n probes each is lost with a chance of @percent. */
static struct place place_of(struct rng *rng, unsigned n, unsigned percent)
{
	struct place p = { .n_addresses = 0 };

	for (unsigned i = 0; i < n; i++) {
		bool lost = rng_below(rng, 100) < percent;

		p.score.sent++;
		p.score.received += !lost;
		p.more.lost += lost;
	}
	return p;
}

static void loss_by_chance_is_hardly_ever_taken_for_rationing(void **state)
{
	(void)state;
	static struct place path[10];
	struct rng rng = rng_of(1);

	for (unsigned rounds = 10; rounds <= 50; rounds += 5) {
		unsigned marked = 0, all = 0;

		for (unsigned run = 0; run < 300; run++) {
			for (size_t i = 0; i < 10; i++)
				path[i] = place_of(&rng, rounds, 10);
			for (size_t i = 0; i < 10; i++, all++)
				marked += place_is_rate_limited(path, i, 10);
		}
		assert_true(marked * 100 < all * 3);
	}
}

static void a_hop_that_answers_six_of_twenty_before_a_target_that_answers_all_is_rationed(void **state)
{
	(void)state;
	static struct place path[3];

	for (size_t i = 0; i < 3; i++)
		path[i] = (struct place){ .score = { .sent = 20, .received = i == 1 ? 6 : 20 },
			.more = { .lost = i == 1 ? 14 : 0 } };
	assert_false(place_is_rate_limited(path, 0, 3));
	assert_true(place_is_rate_limited(path, 1, 3));
	assert_false(place_is_rate_limited(path, 2, 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_hop_is_probed_once_in_a_round_and_each_at_its_own_absolute_time),
		cmocka_unit_test(the_hops_of_a_round_share_its_interval_but_do_not_dawdle),
		cmocka_unit_test(nothing_is_sent_past_the_target_once_it_has_answered),
		cmocka_unit_test(silence_ends_the_path_but_in_the_first_round_only_when_it_is_certain),
		cmocka_unit_test(an_answer_that_is_waited_for_leads_on),
		cmocka_unit_test(an_answer_in_a_later_round_lets_that_round_go_farther),
		cmocka_unit_test(the_last_round_too_waits_for_nobody_but_goes_on_when_somebody_answers),
		cmocka_unit_test(no_probe_goes_farther_than_it_was_told_to),
		cmocka_unit_test(behind_a_wall_nothing_is_looked_for),
		cmocka_unit_test(a_router_that_answers_from_where_the_wall_was_has_opened_it),
		cmocka_unit_test(the_target_counts_whatever_walls_there_are),
		cmocka_unit_test(one_by_one_means_that_the_last_must_be_decided_first),
		cmocka_unit_test(no_hop_is_probed_twice_within_the_interval),
		cmocka_unit_test(a_path_that_grows_is_followed_to_its_new_end_and_was_reached_all_the_same),
		cmocka_unit_test(a_path_that_grew_and_whose_end_is_silent_was_reached_once),
		cmocka_unit_test(a_router_before_the_target_does_not_move_the_end),
		cmocka_unit_test(loss_by_chance_is_hardly_ever_taken_for_rationing),
		cmocka_unit_test(a_hop_that_answers_six_of_twenty_before_a_target_that_answers_all_is_rationed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
