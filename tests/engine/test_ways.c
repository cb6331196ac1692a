/* SPDX-License-Identifier: MIT */
#include "engine/ways.h"

#include "core/stamp.h"
#include "guard.h"
#include "rng.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PROBES 2000
#define FIRST UINT32_C(0xfffffe00) /* the number that our first probe carries: ours go round, too */
#define START (NS_PER_S * 1000)
#define ELSEWHERE (INT64_C(1700000000) * NS_PER_S) /* what its clock shows then */

static struct ways ways;
static int64_t lost;

/* The other end. */
static struct {
	uint32_t next;
	bool copies, ptp;
	ns_t ahead; /* of the true time */
} reflector;

static void begin(void)
{
	memset(&ways, 0, sizeof(ways));
	memset(&reflector, 0, sizeof(reflector));
	lost = 0;
}

static struct ping_result result(void)
{
	struct ping_result r = { .lost = lost };

	ping_way_init(&r.there);
	ping_way_init(&r.back);
	ways_result(&ways, &r);
	return r;
}

static uint64_t ptp_of(int64_t unix_ns)
{
	return (uint64_t)(unix_ns / NS_PER_S) << 32 | (uint64_t)(unix_ns % NS_PER_S);
}

static uint64_t shown(ns_t at)
{
	int64_t t = at + ELSEWHERE + reflector.ahead;

	return reflector.ptp ? ptp_of(t) : stamp_of_unix(t);
}

/* The reflector has a probe that left @at and took @there, and answers a microsecond later; that takes @back. */
static struct ways_answer reflect(uint64_t seq, ns_t at, ns_t there, ns_t back)
{
	uint32_t asked = FIRST + (uint32_t)seq;
	ns_t said = at + there + NS_PER_US;

	return (struct ways_answer){ .seq = seq, .asked = asked, .count = reflector.copies ? asked : reflector.next++,
		.ptp = reflector.ptp, .heard = shown(at + there), .said = shown(said), .left = at, .came = said + back };
}

static void hear(struct ways_answer a)
{
	ways_add(&ways, &a);
}

static void answered(uint64_t seq)
{
	hear(reflect(seq, START + (ns_t)seq * NS_PER_S, NS_PER_MS, NS_PER_MS));
}

static void lost_back(uint64_t seq)
{
	reflect(seq, 0, 0, 0);
	lost++;
}

static void assert_way(const struct ping_way *w, int64_t sent, int64_t gone)
{
	assert_int_equal(w->sent, sent);
	assert_int_equal(w->lost, gone);
	assert_int_equal(w->loss_ppm, sent > 0 ? (gone * 1000000 + sent / 2) / sent : UNKNOWN);
}

/* The same whether or not more was lost behind the last answer. */
static void assert_losses(int64_t sent, int64_t there, int64_t back)
{
	for (int64_t behind = 0; behind <= 1000000; behind += 1000000) {
		lost += behind;
		struct ping_result r = result();

		lost -= behind;
		assert_way(&r.there, sent, there);
		assert_way(&r.back, sent - there, back);
	}
}

static void assert_no_losses_known(void)
{
	struct ping_result r = result();
	const int64_t figures[] = { r.there.sent, r.there.lost, r.there.loss_ppm, r.back.sent, r.back.lost,
		r.back.loss_ppm };

	for (size_t i = 0; i < COUNT(figures); i++)
		assert_int_equal(figures[i], UNKNOWN);
}

static void assert_near(ns_t got, ns_t want, ns_t off)
{
	if (got < want - off || got > want + off)
		fail_msg("%lld, not %lld", (long long)got, (long long)want);
}

static void before_the_first_answer_nothing_is_known(void **state)
{
	(void)state;
	begin();
	lost = 3;
	assert_no_losses_known();
	assert_int_equal(result().there.queue_p50, UNKNOWN);
	assert_int_equal(result().back.queue_p99, UNKNOWN);
}

static void each_loss_is_told_by_its_way(void **state)
{
	(void)state;
	static const unsigned rates[][2] = { { 0, 0 }, { 100000, 0 }, { 0, 100000 }, { 50000, 200000 }, { 700000, 500000 } };

	for (uint64_t seed = 0; seed < 50; seed++) {
		struct rng rng = rng_of(seed);
		const unsigned *rate = rates[seed % COUNT(rates)];
		int64_t there = 0, back = 0;

		begin();
		for (uint64_t seq = 1; seq <= PROBES; seq++) {
			if (seq < PROBES && rng_chance(&rng, rate[0])) {
				there++;
				lost++;
			} else if (seq < PROBES && rng_chance(&rng, rate[1])) {
				lost_back(seq);
				back++;
			} else {
				answered(seq);
			}
		}
		assert_losses(PROBES, there, back);
	}
}

static void what_was_lost_after_the_last_answer_belongs_to_neither(void **state)
{
	(void)state;
	begin();
	lost++; /* probe 1, there */
	answered(2);
	lost_back(3);
	answered(4);
	lost_back(5);
	lost++;
	assert_losses(4, 1, 1);
	answered(7);
	assert_losses(7, 2, 2);
}

static void a_copy_of_our_number_is_no_count(void **state)
{
	(void)state;
	begin();
	reflector.copies = true;
	answered(1);
	lost += 2;
	answered(4);
	assert_no_losses_known();
	assert_int_equal(result().there.queue_p50, 0); /* it has a clock all the same */
}

static void of_a_session_that_others_began_the_losses_before_the_first_answer_are_not_told(void **state)
{
	(void)state;
	static const uint32_t nexts[] = { 1000, 7, 4, UINT32_MAX - 1 };

	for (size_t i = 0; i < COUNT(nexts); i++) {
		begin();
		reflector.next = nexts[i];
		lost = 3;
		answered(4);
		lost++;
		answered(6);
		lost_back(7);
		answered(8);
		assert_losses(5, 1, 1);
	}
}

static void an_answer_before_the_seeming_first_one_belongs_to_the_session(void **state)
{
	(void)state;
	for (int ptp = 0; ptp < 2; ptp++) {
		begin();
		reflector.next = 1000;
		reflector.ptp = ptp;
		struct ways_answer first = reflect(1, START, NS_PER_MS, NS_PER_MS);

		answered(2);
		hear(first);
		lost++;
		answered(4);
		assert_losses(4, 1, 0);
	}
}

static void a_reflector_that_starts_again_counts_from_0(void **state)
{
	(void)state;
	for (unsigned seen = 1; seen < 200; seen += 33) {
		begin();
		for (uint64_t seq = 1; seq <= seen; seq++)
			answered(seq);
		lost_back(seen + 1);
		answered(seen + 2);
		struct ways_answer copy = reflect(seen + 2, START + (ns_t)seen * NS_PER_S, NS_PER_MS, NS_PER_S);

		copy.again = true; /* made on the way there */
		hear(copy);
		lost += 5; /* while it is away */
		reflector.next = 0;
		answered(seen + 8);
		answered(seen + 9);
		lost_back(seen + 10);
		answered(seen + 11);
		struct ping_result r = result();

		assert_way(&r.there, seen + 11, 5);
		assert_way(&r.back, seen + 7, 2);
	}
}

/* The answer with which it begins anew is not there: the next one says so by its time. */
static void a_new_beginning_is_noticed_although_its_number_was_never_seen(void **state)
{
	(void)state;
	begin();
	lost_back(1);
	lost_back(2);
	for (uint64_t seq = 3; seq <= 50; seq++)
		answered(seq);
	reflector.next = 0;
	answered(51);
	answered(52);
	answered(53);
	assert_losses(53, 0, 2);
}

/* Without a clock a number that had come says so. */
static void a_new_beginning_needs_no_clock(void **state)
{
	(void)state;
	begin();
	for (uint64_t seq = 1; seq <= 60; seq++) {
		struct ways_answer a = reflect(seq, START + (ns_t)seq * NS_PER_MS, NS_PER_MS, NS_PER_MS);

		a.heard = a.said = 0;
		if (seq == 20)
			reflector.next = 0;
		if (seq % 10 == 5)
			lost++;
		else
			hear(a);
	}
	assert_losses(60, 0, 6);
}

/* Of the second count, too, the newest answer has its own time. */
static void it_may_begin_anew_more_than_once(void **state)
{
	(void)state;
	begin();
	for (uint64_t seq = 1; seq <= 40; seq++) {
		if (seq % 20 == 1)
			reflector.next = 0;
		if (seq % 20 <= 2)
			lost_back(seq);
		else
			answered(seq);
	}
	lost_back(41);
	reflector.next = 0;
	lost_back(42); /* 0 */
	answered(43);
	struct ping_result r = result();

	assert_int_equal(r.there.sent, 43);
	assert_int_equal(r.there.lost + r.back.lost, lost);
}

/* Stamps of two processors may differ by more than there is between two probes. */
static void numbers_and_times_may_disagree_a_little(void **state)
{
	(void)state;
	begin();
	for (uint64_t seq = 1; seq <= 100; seq += 2) {
		struct ways_answer two = reflect(seq + 1, START + (ns_t)seq * NS_PER_S, NS_PER_MS + NS_PER_US, NS_PER_MS);
		struct ways_answer one = reflect(seq, START + (ns_t)seq * NS_PER_S, NS_PER_MS, NS_PER_MS);

		hear(one);
		if (seq % 10 == 5)
			lost++; /* on the way back */
		else
			hear(two);
	}
	assert_losses(99 + 1, 0, 10);
}

static void an_answer_that_is_overtaken_by_a_hundred_is_one_answer(void **state)
{
	(void)state;
	begin();
	struct ways_answer slow[3];

	for (uint64_t seq = 1; seq <= 3; seq++)
		slow[seq - 1] = reflect(seq, START + (ns_t)seq * NS_PER_MS, NS_PER_MS, NS_PER_MS);
	for (uint64_t seq = 4; seq <= 100; seq++)
		if (seq % 10 == 0)
			lost_back(seq);
		else
			answered(seq);
	for (size_t i = 0; i < 3; i++) {
		hear(slow[i]);
		slow[i].again = true;
		hear(slow[i]);
	}
	assert_losses(99, 0, 9);
}

static void the_newest_probe_is_the_highest_and_not_the_last_that_was_heard_of(void **state)
{
	(void)state;
	begin();
	answered(1);
	struct ways_answer slow = reflect(2, START, NS_PER_MS, NS_PER_S);

	answered(3);
	hear(slow);
	assert_losses(3, 0, 0);
	begin();
	struct ways_answer fast = reflect(2, START, NS_PER_MS, NS_PER_MS);

	hear(fast);
	hear(reflect(1, START, 2 * NS_PER_MS, NS_PER_MS)); /* overtaken on the way there */
	assert_losses(2, 0, 0);
}

/* Swapped with its neighbour, now on the way there, now on the way back, with losses among them. */
static void what_changes_its_place_is_not_lost(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 50; seed++) {
		struct rng rng = rng_of(seed);
		int64_t there = 0, back = 0;

		begin();
		for (uint64_t seq = 1; seq + 1 < PROBES; seq += 2) {
			ns_t at = START + (ns_t)seq * NS_PER_MS, swap = rng_chance(&rng, 300000) ? 3 * NS_PER_MS : 0;
			bool late = rng_chance(&rng, 300000);
			struct ways_answer one, two;

			if (rng_chance(&rng, 100000)) {
				lost += 2;
				there += 2;
				continue;
			}
			two = swap > 0 ? reflect(seq + 1, at + NS_PER_MS, NS_PER_MS, NS_PER_MS) : (struct ways_answer){ 0 };
			one = reflect(seq, at, NS_PER_MS + swap, NS_PER_MS);
			two = swap > 0 ? two : reflect(seq + 1, at + NS_PER_MS, NS_PER_MS, NS_PER_MS);
			if (rng_chance(&rng, 100000)) {
				lost++;
				back++;
				hear(two);
				continue;
			}
			hear(late ? two : one);
			hear(late ? one : two);
		}
		answered(PROBES - 1);
		assert_losses(PROBES - 1, there, back);
	}
}

static void copies_made_by_the_network_are_neither_probes_nor_answers(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct rng rng = rng_of(seed);
		int64_t there = 0, back = 0, copied = 0;

		begin();
		for (uint64_t seq = 1; seq < PROBES; seq++) {
			ns_t at = START + (ns_t)seq * NS_PER_MS;
			bool twice = rng_chance(&rng, 200000), echo = rng_chance(&rng, 200000);

			if (rng_chance(&rng, 100000)) {
				there++;
				lost++;
				continue;
			}
			if (rng_chance(&rng, 100000)) {
				lost_back(seq);
				back++;
				continue;
			}
			struct ways_answer a = reflect(seq, at, NS_PER_MS, NS_PER_MS);

			hear(a);
			a.again = true;
			if (echo)
				hear(a); /* on the way back */
			if (twice) { /* on the way there */
				struct ways_answer b = reflect(seq, at, NS_PER_MS, NS_PER_MS);

				b.again = true;
				hear(b);
				copied++;
			}
		}
		answered(PROBES);
		lost += 1000; /* behind the last answer */
		struct ping_result r = result();

		assert_way(&r.there, PROBES, there);
		assert_way(&r.back, PROBES - there + copied, back);
	}
}

static void who_counts_for_others_too_does_not_count_for_us(void **state)
{
	(void)state;
	begin();
	for (uint64_t seq = 1; seq < 100; seq++) {
		answered(seq);
		reflector.next++; /* somebody else's */
	}
	assert_no_losses_known();
	begin();
	for (uint64_t seq = 1; seq < 100; seq++) {
		answered(seq);
		reflector.next += 100000;
	}
	assert_true(result().there.lost <= 0 && result().back.lost <= 0);
}

/* A number that stays the same, or any numbers: no more is lost than is lost. */
static void numbers_without_sense_claim_no_losses_that_there_are_none_of(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct rng rng = rng_of(seed);
		static const uint64_t ranges[] = { 1, 2, 3, 50, 5000, UINT64_C(1) << 32 };
		uint64_t range = ranges[seed % COUNT(ranges)];

		begin();
		for (uint64_t seq = 1; seq < 300; seq++) {
			if (rng_chance(&rng, 200000)) {
				lost++;
				continue;
			}
			struct ways_answer a = reflect(seq, START + (ns_t)seq * NS_PER_MS, NS_PER_MS, NS_PER_MS);

			a.count = (uint32_t)rng_below(&rng, range);
			a.again = rng_chance(&rng, 300000);
			hear(a);
			struct ping_result r = result();

			assert_true(r.there.lost >= UNKNOWN && r.back.lost >= UNKNOWN);
			assert_true(r.there.lost + r.back.lost <= lost);
			assert_true(r.there.loss_ppm <= 1000000 && r.back.loss_ppm <= 1000000);
		}
	}
}

static void one_answer_says_nothing_about_queues(void **state)
{
	(void)state;
	begin();
	answered(1);
	assert_int_equal(result().there.queue_p50, UNKNOWN);
	answered(2);
	assert_int_equal(result().there.queue_p50, 0);
	assert_int_equal(result().back.queue_p99, 0);
}

static int by_size(const void *a, const void *b)
{
	ns_t x = *(const ns_t *)a, y = *(const ns_t *)b;

	return (x > y) - (x < y);
}

static void assert_quantiles(const struct ping_way *w, ns_t *v, size_t n, ns_t off)
{
	qsort(v, n, sizeof(*v), by_size);
	assert_near(w->queue_p50, v[(n * 500 + 999) / 1000 - 1] - v[0], off + v[n / 2] / 128);
	assert_near(w->queue_p99, v[(n * 990 + 999) / 1000 - 1] - v[0], off + v[n - 1] / 128);
}

/* Whatever the other clock shows, in either format; the rest is what its going wrong allows for. */
static void queues_are_told_by_their_way(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 40; seed++) {
		struct rng rng = rng_of(seed);
		static ns_t there[PROBES], back[PROBES];
		static const ns_t most[][2] = { { 4 * NS_PER_MS, 1 }, { 1, 30 * NS_PER_MS }, { NS_PER_MS, 5 * NS_PER_MS } };
		const ns_t *m = most[seed % COUNT(most)];

		begin();
		reflector.ptp = seed % 2;
		reflector.ahead = (ns_t)seed * -7919 * NS_PER_MS;
		for (size_t i = 0; i < PROBES; i++) {
			there[i] = (ns_t)rng_below(&rng, (uint64_t)m[0]);
			back[i] = (ns_t)rng_below(&rng, (uint64_t)m[1]);
			hear(reflect(i + 1, START + (ns_t)i * 5 * NS_PER_MS, 3 * NS_PER_MS + there[i], 9 * NS_PER_MS + back[i]));
		}
		struct ping_result r = result();

		assert_quantiles(&r.there, there, PROBES, 100 * NS_PER_US);
		assert_quantiles(&r.back, back, PROBES, 100 * NS_PER_US);
	}
}

static void a_lowest_one_that_comes_late_raises_all_before_it(void **state)
{
	(void)state;
	begin();
	for (uint64_t seq = 1; seq <= 90; seq++)
		hear(reflect(seq, START + (ns_t)seq * NS_PER_MS, 50 * NS_PER_MS, NS_PER_MS));
	assert_int_equal(result().there.queue_p50, 0);
	for (uint64_t seq = 91; seq <= 100; seq++)
		hear(reflect(seq, START + (ns_t)seq * NS_PER_MS, 10 * NS_PER_MS, NS_PER_MS));
	assert_near(result().there.queue_p50, 40 * NS_PER_MS, 300 * NS_PER_US);
	assert_int_equal(result().back.queue_p99, 0);
}

/* Each fall is compared with what the clocks can do since the one before, not since the beginning. */
static void a_second_fall_counts_in_full(void **state)
{
	(void)state;
	begin();
	for (uint64_t seq = 1; seq <= 50; seq++)
		hear(reflect(seq, START + (ns_t)seq * NS_PER_MS, 50 * NS_PER_MS, NS_PER_MS));
	hear(reflect(51, START + 100 * NS_PER_S, 30 * NS_PER_MS, NS_PER_MS));
	hear(reflect(52, START + 100 * NS_PER_S + 10 * NS_PER_MS, 10 * NS_PER_MS, NS_PER_MS));
	assert_near(result().there.queue_p50, 30 * NS_PER_MS, NS_PER_MS); /* of the 40, 10 may have been the clocks */
}

static void what_the_reflector_takes_itself_is_on_neither_way(void **state)
{
	(void)state;
	begin();
	for (uint64_t seq = 1; seq <= 100; seq++) {
		ns_t at = START + (ns_t)seq * NS_PER_MS, takes = (ns_t)(seq % 7) * NS_PER_MS;
		struct ways_answer a = reflect(seq, at, NS_PER_MS, NS_PER_MS);

		a.said = shown(at + NS_PER_MS + takes);
		a.came = at + 2 * NS_PER_MS + takes;
		hear(a);
	}
	assert_near(result().there.queue_p99, 0, NS_PER_US);
	assert_near(result().back.queue_p99, 0, NS_PER_US);
}

static void a_copy_has_no_say_about_queues(void **state)
{
	(void)state;
	begin();
	for (uint64_t seq = 1; seq <= 100; seq++) {
		struct ways_answer a = reflect(seq, START + (ns_t)seq * NS_PER_S, NS_PER_MS, NS_PER_MS);

		hear(a);
		a.again = true;
		a.came += 300 * NS_PER_MS;
		hear(a);
	}
	assert_near(result().back.queue_p99, 0, NS_PER_US);
}

static void another_format_of_time_begins_anew(void **state)
{
	(void)state;
	begin();
	for (uint64_t seq = 1; seq <= 100; seq++) {
		reflector.ptp = seq > 50;
		hear(reflect(seq, START + (ns_t)seq * NS_PER_MS, NS_PER_MS, NS_PER_MS));
	}
	assert_near(result().there.queue_p99, 0, NS_PER_US);
	assert_int_equal(ways.there.above.n, 50);
	assert_losses(100, 0, 0);
}

static void clocks_that_go_apart_are_no_queue(void **state)
{
	(void)state;
	for (int ppm = -90; ppm <= 90; ppm += 30) {
		begin();
		for (uint64_t seq = 1; seq <= 36000; seq++) {
			reflector.ahead = (ns_t)seq * ppm * 100; /* 100 ms of each probe */
			hear(reflect(seq, START + (ns_t)seq * 100 * NS_PER_MS, NS_PER_MS, NS_PER_MS));
		}
		assert_near(result().there.queue_p99, 0, NS_PER_US);
		assert_near(result().back.queue_p99, 0, NS_PER_US);
	}
}

static void a_queue_that_stands_for_ten_seconds_stays_one(void **state)
{
	(void)state;
	begin();
	for (uint64_t seq = 1; seq <= 1100; seq++)
		hear(reflect(seq, START + (ns_t)seq * 10 * NS_PER_MS, seq > 100 ? 101 * NS_PER_MS : NS_PER_MS, NS_PER_MS));
	assert_near(result().there.queue_p50, 100 * NS_PER_MS, 2 * NS_PER_MS);
	assert_near(result().there.queue_p99, 100 * NS_PER_MS, NS_PER_MS);
	assert_int_equal(result().back.queue_p99, 0);
}

static void a_clock_that_is_set_begins_anew_and_is_no_queue(void **state)
{
	(void)state;
	static const ns_t steps[] = { NS_PER_S, -NS_PER_S, 3600 * NS_PER_S, -86400 * NS_PER_S, 10 * NS_PER_MS };

	for (size_t i = 0; i < COUNT(steps); i++) {
		begin();
		for (uint64_t seq = 1; seq <= 100; seq++) {
			reflector.ahead = seq > 30 ? steps[i] : 0;
			hear(reflect(seq, START + (ns_t)seq * NS_PER_MS, NS_PER_MS + (ns_t)(seq % 2) * NS_PER_US, NS_PER_MS));
		}
		assert_near(result().there.queue_p99, NS_PER_US, NS_PER_US / 5);
		assert_int_equal(result().back.queue_p99, 0);
		assert_losses(100, 0, 0);
	}
}

static void a_clock_that_stands_or_is_all_chance_tells_no_queue(void **state)
{
	(void)state;
	for (int chance = 0; chance < 2; chance++) {
		struct rng rng = rng_of(3);

		begin();
		for (uint64_t seq = 1; seq <= 200; seq++) {
			struct ways_answer a = reflect(seq, START + (ns_t)seq * NS_PER_S, NS_PER_MS, NS_PER_MS);

			a.heard = chance ? rng_next(&rng) : 0;
			a.said = chance ? rng_next(&rng) : 0;
			hear(a);
		}
		assert_int_equal(result().there.queue_p50, UNKNOWN);
		assert_int_equal(result().back.queue_p99, UNKNOWN);
		assert_true(result().there.lost <= 0);
	}
}

/* For the sanitizers: nothing that a reflector may say runs over. */
static void any_answer_may_come(void **state)
{
	(void)state;
	struct rng rng = rng_of(11);

	begin();
	for (uint64_t seq = 1; seq <= 20000; seq++) {
		uint64_t bits = rng_next(&rng);
		ns_t at = START + (ns_t)seq * NS_PER_MS;

		hear((struct ways_answer){ .seq = bits & 1 ? seq : 1 + rng_below(&rng, seq), .asked = (uint32_t)seq,
			.count = bits & 2 ? (uint32_t)seq : (uint32_t)rng_next(&rng), .again = bits & 4, .ptp = bits % 64 == 8,
			.heard = bits & 16 ? rng_next(&rng) : bits & 32 ? UINT64_MAX : 0, .said = rng_next(&rng), .left = at,
			.came = at + (ns_t)rng_below(&rng, (uint64_t)NS_PER_S) });
	}
	result();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(before_the_first_answer_nothing_is_known),
		cmocka_unit_test(each_loss_is_told_by_its_way),
		cmocka_unit_test(what_was_lost_after_the_last_answer_belongs_to_neither),
		cmocka_unit_test(a_copy_of_our_number_is_no_count),
		cmocka_unit_test(of_a_session_that_others_began_the_losses_before_the_first_answer_are_not_told),
		cmocka_unit_test(an_answer_before_the_seeming_first_one_belongs_to_the_session),
		cmocka_unit_test(a_reflector_that_starts_again_counts_from_0),
		cmocka_unit_test(a_new_beginning_is_noticed_although_its_number_was_never_seen),
		cmocka_unit_test(a_new_beginning_needs_no_clock),
		cmocka_unit_test(it_may_begin_anew_more_than_once),
		cmocka_unit_test(numbers_and_times_may_disagree_a_little),
		cmocka_unit_test(an_answer_that_is_overtaken_by_a_hundred_is_one_answer),
		cmocka_unit_test(the_newest_probe_is_the_highest_and_not_the_last_that_was_heard_of),
		cmocka_unit_test(what_changes_its_place_is_not_lost),
		cmocka_unit_test(copies_made_by_the_network_are_neither_probes_nor_answers),
		cmocka_unit_test(who_counts_for_others_too_does_not_count_for_us),
		cmocka_unit_test(numbers_without_sense_claim_no_losses_that_there_are_none_of),
		cmocka_unit_test(one_answer_says_nothing_about_queues),
		cmocka_unit_test(queues_are_told_by_their_way),
		cmocka_unit_test(a_lowest_one_that_comes_late_raises_all_before_it),
		cmocka_unit_test(a_second_fall_counts_in_full),
		cmocka_unit_test(what_the_reflector_takes_itself_is_on_neither_way),
		cmocka_unit_test(a_copy_has_no_say_about_queues),
		cmocka_unit_test(another_format_of_time_begins_anew),
		cmocka_unit_test(clocks_that_go_apart_are_no_queue),
		cmocka_unit_test(a_queue_that_stands_for_ten_seconds_stays_one),
		cmocka_unit_test(a_clock_that_is_set_begins_anew_and_is_no_queue),
		cmocka_unit_test(a_clock_that_stands_or_is_all_chance_tells_no_queue),
		cmocka_unit_test(any_answer_may_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
