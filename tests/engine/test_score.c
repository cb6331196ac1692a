/* SPDX-License-Identifier: MIT */
#include "engine/score.h"

#include "guard.h"
#include "rng.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct score score;
static struct score_more more;
static struct score_hists hists;

static struct score_card fresh(bool distributions)
{
	memset(&score, 0, sizeof(score));
	memset(&more, 0, sizeof(more));
	memset(&hists, 0, sizeof(hists));
	return (struct score_card){ &score, &more, distributions ? &hists : NULL };
}

static struct ping_event reply(uint64_t seq, ns_t rtt)
{
	return (struct ping_event){ .outcome = OUTCOME_REPLY, .seq = seq, .rtt = rtt, .queue = UNKNOWN,
		.connect = UNKNOWN, .stamps = STAMPS_KERNEL_TXRX, .ttl = 64 };
}

static struct ping_event error(uint8_t host, uint8_t type, uint8_t code, const char *text)
{
	return (struct ping_event){ .outcome = OUTCOME_ERROR, .rtt = UNKNOWN, .queue = UNKNOWN, .connect = UNKNOWN,
		.type = type, .code = code, .text = text,
		.from = { .family = host > 0 ? 4 : 0, .ip = { host > 0 ? 10 : 0, 0, 0, host } } };
}

static void answer(struct score_card c, ns_t rtt)
{
	struct ping_event ev = reply(++c.s->sent, rtt);

	score_reply(&c, &ev);
}

static void miss(struct score_card c, struct ping_event ev)
{
	ev.seq = ++c.s->sent;
	score_lost(&c, &ev);
}

static struct ping_result result(struct score_card c)
{
	struct ping_result r;

	memset(&r, 0, sizeof(r));
	score_result(&c, &r);
	return r;
}

static void before_the_first_probe_nothing_is_known(void **state)
{
	(void)state;
	for (int full = 0; full < 2; full++) {
		struct ping_result r = result(fresh(full));
		const int64_t unknown[] = { r.loss_ppm, r.loss_low_ppm, r.loss_high_ppm, r.rtt_min, r.rtt_mean,
			r.rtt_max, r.rtt_mdev, r.rtt_p50, r.rtt_p90, r.rtt_p99, r.jitter, r.ipdv_p99, r.host_queue_p50,
			r.connect_p50, r.local_drops };
		const int64_t zero[] = { r.sent, r.received, r.lost, r.in_flight, r.late, r.duplicates, r.reordered,
			r.corrupt, r.errors, r.loss_runs, r.loss_run_max, (int64_t)r.n_kinds, r.stamps };

		for (size_t i = 0; i < COUNT(unknown); i++)
			assert_int_equal(unknown[i], UNKNOWN);
		for (size_t i = 0; i < COUNT(zero); i++)
			assert_int_equal(zero[i], 0);
	}
}

/* A sweep asks once: all that one answer says stands in the small half, and the large one stays as it was. */
static void one_round_trip_has_all_its_figures_and_touches_nothing_else(void **state)
{
	(void)state;
	static const ns_t rtts[] = { 0, 1, 255, 256, 1234567, 123456789012 };
	static const struct score_more untouched;

	for (size_t i = 0; i < 2 * COUNT(rtts); i++) {
		struct score_card c = fresh(i % 2);
		ns_t rtt = rtts[i / 2];

		answer(c, rtt);
		score_run(&c, true);
		assert_memory_equal(&more, &untouched, sizeof(more));
		struct ping_result r = result(c);
		const ns_t same[] = { r.rtt_min, r.rtt_mean, r.rtt_max, r.rtt_p50, r.rtt_p90, r.rtt_p99 };

		for (size_t k = 0; k < COUNT(same); k++)
			assert_int_equal(same[k], rtt);
		assert_int_equal(r.rtt_mdev, 0);
		assert_int_equal(r.jitter, UNKNOWN);
		assert_int_equal(r.ipdv_p99, UNKNOWN);
		assert_int_equal(r.sent, 1);
		assert_int_equal(r.received, 1);
		assert_int_equal(r.loss_ppm, 0);
		assert_int_equal(r.stamps, STAMPS_KERNEL_TXRX);
		assert_memory_equal(&more, &untouched, sizeof(more));
	}
}

/* As near as a bin of the histogram is wide. */
static bool is_near(ns_t got, ns_t want)
{
	return got >= want - want / 256 - 1 && got <= want + want / 256 + 1;
}

static void from_the_second_on_there_are_percentiles_only_with_distributions(void **state)
{
	(void)state;
	for (int full = 0; full < 2; full++) {
		struct score_card c = fresh(full);

		answer(c, 1000);
		answer(c, 3000);
		struct ping_result r = result(c);

		assert_int_equal(r.rtt_min, 1000);
		assert_int_equal(r.rtt_mean, 2000);
		assert_int_equal(r.rtt_max, 3000);
		assert_int_equal(r.rtt_mdev, 1000);
		assert_int_equal(r.jitter, 125);
		assert_true(full ? is_near(r.rtt_p50, 1000) : r.rtt_p50 == UNKNOWN);
		assert_true(full ? is_near(r.rtt_p99, 3000) : r.rtt_p99 == UNKNOWN);
		assert_int_equal(r.ipdv_p99 == UNKNOWN, !full);
	}
}

/* The slow and obvious way, over all round trips at once. */
static int by_size(const void *a, const void *b)
{
	ns_t x = *(const ns_t *)a, y = *(const ns_t *)b;

	return (x > y) - (x < y);
}

static ns_t ranked(ns_t *v, size_t n, unsigned per_mille)
{
	qsort(v, n, sizeof(*v), by_size);
	return v[(n * per_mille + 999) / 1000 - 1];
}

static void assert_figures(const struct ping_result *r, const ns_t *rtts, size_t n)
{
	static ns_t sorted[1000], ipdv[1000];
	double sum = 0, squares = 0, jitter = 0;

	for (size_t i = 0; i < n; i++) {
		ipdv[i] = i == 0 ? 0 : rtts[i] > rtts[i - 1] ? rtts[i] - rtts[i - 1] : rtts[i - 1] - rtts[i];
		jitter += i == 0 ? 0 : ((double)ipdv[i] - jitter) / 16;
		sum += (double)rtts[i];
		sorted[i] = rtts[i];
	}
	double mean = sum / (double)n, mdev = (double)r->rtt_mdev;

	for (size_t i = 0; i < n; i++)
		squares += ((double)rtts[i] - mean) * ((double)rtts[i] - mean);
	assert_int_equal(r->rtt_mean, (ns_t)mean);
	assert_true((mdev - 2) * (mdev - 2) <= squares / (double)n && (mdev + 2) * (mdev + 2) >= squares / (double)n);
	assert_true(r->jitter >= (ns_t)jitter - 2 && r->jitter <= (ns_t)jitter + 2);
	assert_true(is_near(r->rtt_p50, ranked(sorted, n, 500)));
	assert_true(is_near(r->rtt_p90, ranked(sorted, n, 900)));
	assert_true(is_near(r->rtt_p99, ranked(sorted, n, 990)));
	assert_int_equal(r->rtt_min, sorted[0]);
	assert_int_equal(r->rtt_max, sorted[n - 1]);
	assert_true(is_near(r->ipdv_p99, ranked(ipdv + 1, n - 1, 990)));
}

static void every_figure_is_that_of_a_slow_reference(void **state)
{
	(void)state;
	static ns_t rtts[1000];

	for (uint64_t seed = 0; seed < 40; seed++) {
		struct rng rng = rng_of(seed);
		struct score_card c = fresh(true);
		size_t n = 2 + rng_below(&rng, 998);
		uint64_t most = (uint64_t)1 << (3 + rng_below(&rng, 32));

		for (size_t i = 0; i < n; i++) {
			rtts[i] = (ns_t)rng_below(&rng, most);
			answer(c, rtts[i]);
		}
		struct ping_result r = result(c);

		assert_int_equal(r.received, n);
		assert_figures(&r, rtts, n);
	}
}

static void the_worst_source_of_all_round_trips_is_named(void **state)
{
	(void)state;
	static const struct {
		enum stamps v[4];
		enum stamps want;
	} rows[] = {
		{ { STAMPS_KERNEL_TXRX, STAMPS_KERNEL_TXRX, STAMPS_KERNEL_TXRX, STAMPS_KERNEL_TXRX },
			STAMPS_KERNEL_TXRX },
		{ { STAMPS_KERNEL_TXRX, STAMPS_KERNEL_RX, STAMPS_KERNEL_TXRX, STAMPS_KERNEL_TXRX }, STAMPS_KERNEL_RX },
		{ { STAMPS_KERNEL_RX, STAMPS_USER, STAMPS_KERNEL_TXRX, STAMPS_KERNEL_RX }, STAMPS_USER },
		{ { STAMPS_USER, STAMPS_KERNEL_TXRX, STAMPS_KERNEL_TXRX, STAMPS_KERNEL_TXRX }, STAMPS_USER },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct score_card c = fresh(false);

		for (size_t k = 0; k < 4; k++) {
			struct ping_event ev = reply(++score.sent, 1000);

			ev.stamps = rows[i].v[k];
			score_reply(&c, &ev);
		}
		assert_int_equal(result(c).stamps, rows[i].want);
	}
}

static void a_reply_below_the_highest_number_is_reordered(void **state)
{
	(void)state;
	static const struct {
		uint64_t v[5];
		int64_t want;
	} rows[] = { { { 1, 2, 3, 4, 5 }, 0 }, { { 5, 4, 3, 2, 1 }, 4 }, { { 2, 1, 4, 3, 5 }, 2 },
		{ { 1, 5, 2, 3, 4 }, 3 },
		{ { UINT64_C(1) << 32, (UINT64_C(1) << 32) + 1, 7, (UINT64_C(1) << 32) + 2, 8 }, 2 } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct score_card c = fresh(false);

		for (size_t k = 0; k < 5; k++) {
			struct ping_event ev = reply(rows[i].v[k], 1000);

			score.sent++;
			score_reply(&c, &ev);
		}
		assert_int_equal(result(c).reordered, rows[i].want);
	}
}

/* `.` an answer in time, `x` none. */
static void runs_of_losses_are_counted_with_the_longest(void **state)
{
	(void)state;
	static const struct {
		const char *fate;
		int64_t runs, longest;
	} rows[] = { { "", 0, 0 }, { ".", 0, 0 }, { "x", 1, 1 }, { "xxxx", 1, 4 }, { "....", 0, 0 }, { "x.x.x", 3, 1 },
		{ "xx.xxx.x", 3, 3 }, { ".xx...xxxxx", 2, 5 }, { "xxxxx.xx", 2, 5 }, { "..x..xx..xxx..xx..x", 5, 3 } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct score_card c = fresh(false);

		for (const char *p = rows[i].fate; *p; p++)
			score_run(&c, *p == '.');
		assert_int_equal(result(c).loss_runs, rows[i].runs);
		assert_int_equal(result(c).loss_run_max, rows[i].longest);
	}
}

static void what_is_in_flight_has_no_say_in_the_loss(void **state)
{
	(void)state;
	struct score_card c = fresh(false);
	struct ping_event lost = { .outcome = OUTCOME_LOST };

	score.sent = 10;
	assert_int_equal(score_in_flight(&c), 10);
	assert_int_equal(result(c).loss_ppm, UNKNOWN);
	struct ping_event ev = reply(1, 1000);

	score_reply(&c, &ev);
	score_lost(&c, &lost);
	score_lost(&c, &lost);
	assert_int_equal(score_in_flight(&c), 7);
	assert_int_equal(result(c).in_flight, 7);
	assert_int_equal(result(c).loss_ppm, 666667);
	score_late(&c, 0);
	assert_int_equal(score_in_flight(&c), 7);
	assert_int_equal(result(c).late, 1);
	assert_int_equal(result(c).lost, 1);
	assert_int_equal(result(c).loss_ppm, 333333);
}

static void errors_are_counted_by_type_code_and_sender(void **state)
{
	(void)state;
	static const char unreachable[] = "unreachable", exceeded[] = "exceeded", refused[] = "refused";
	struct score_card c = fresh(false);
	/* Each differs from one before it in one thing only. */
	const struct ping_event v[] = { error(1, 3, 1, unreachable), error(2, 3, 1, unreachable),
		error(1, 3, 13, unreachable), error(0, 0, 0, refused) };

	for (size_t i = 0; i < COUNT(v); i++)
		for (size_t k = 0; k <= i; k++)
			miss(c, v[i]);
	struct ping_result r = result(c);

	assert_int_equal(r.errors, 10);
	assert_int_equal(r.lost, 10);
	assert_int_equal(r.n_kinds, COUNT(v));
	for (size_t i = 0; i < COUNT(v); i++) {
		assert_int_equal(r.kinds[i].count, i + 1);
		assert_int_equal(r.kinds[i].type, v[i].type);
		assert_int_equal(r.kinds[i].code, v[i].code);
		assert_string_equal(r.kinds[i].text, v[i].text);
		assert_int_equal(r.kinds[i].from.family, v[i].from.family);
		assert_true(addr_same_host(&r.kinds[i].from, &v[i].from));
	}
	/* The table is full: a fifth kind is an error, and the others are still counted exactly. */
	struct ping_event fifth = error(1, 11, 0, exceeded);
	unsigned how = score_lost(&c, &fifth);

	miss(c, v[3]);
	r = result(c);
	assert_int_equal(r.errors, 12);
	assert_int_equal(r.n_kinds, PING_KINDS);
	assert_int_equal(r.kinds[3].count, 5);
	score_late(&c, how);
	r = result(c);
	assert_int_equal(r.errors, 11);
	for (size_t i = 0; i < PING_KINDS; i++)
		assert_int_equal(r.kinds[i].count, i + 1 + (i == 3));
}

static void two_faults_of_this_machine_are_two_kinds(void **state)
{
	(void)state;
	static const char denied[] = "Permission denied", unreachable[] = "Network is unreachable";
	struct score_card c = fresh(false);

	miss(c, error(0, 0, 0, denied));
	miss(c, error(0, 0, 0, unreachable));
	miss(c, error(0, 0, 0, denied));
	struct ping_result r = result(c);

	assert_int_equal(r.n_kinds, 2);
	assert_int_equal(r.kinds[0].count, 2);
	assert_int_equal(r.kinds[1].count, 1);
}

static void what_stands_beside_a_round_trip_has_a_distribution_of_its_own(void **state)
{
	(void)state;
	struct score_card c = fresh(true);
	struct ping_event ev = reply(1, 1000000);

	score.sent = 3;
	ev.queue = 200;
	score_reply(&c, &ev);
	assert_int_equal(result(c).host_queue_p50, 200);
	ev.connect = 250; /* of a connection it is the connect that tells */
	score_reply(&c, &ev);
	score_reply(&c, &ev);
	assert_int_equal(result(c).host_queue_p50, 250);
	assert_int_equal(result(c).rtt_p50, 1000000);
}

static void silence_and_errors_are_both_a_loss_and_only_one_an_error(void **state)
{
	(void)state;
	struct score_card c = fresh(true);
	struct ping_event lost = { .outcome = OUTCOME_LOST, .rtt = UNKNOWN };

	miss(c, lost);
	miss(c, error(1, 3, 1, "unreachable"));
	struct ping_result r = result(c);

	assert_int_equal(r.lost, 2);
	assert_int_equal(r.errors, 1);
	assert_int_equal(r.loss_ppm, 1000000);
	assert_int_equal(r.rtt_min, UNKNOWN);
	assert_int_equal(r.rtt_p50, UNKNOWN);
	assert_int_equal(r.stamps, STAMPS_NONE);
}

static void what_is_taken_back_was_neither_lost_nor_an_error(void **state)
{
	(void)state;
	struct score_card c = fresh(false);
	struct ping_event refused = error(1, 3, 1, "unreachable"), lost = { .outcome = OUTCOME_LOST };

	score.sent = 2;
	unsigned by_error = score_lost(&c, &refused), by_silence = score_lost(&c, &lost);

	score_take_back(&c, by_error);
	assert_int_equal(result(c).errors, 0);
	assert_int_equal(result(c).n_kinds, 0);
	assert_int_equal(result(c).lost, 1);
	score_take_back(&c, by_silence);
	assert_int_equal(result(c).lost, 0);
	assert_int_equal(result(c).late, 0);
	assert_int_equal(result(c).in_flight, 2);
	assert_int_equal(result(c).loss_ppm, UNKNOWN);
}

/* The same in the simplest way: every probe is kept, and all is counted anew at the end. */
#define PROBES 300

struct model {
	enum { M_WAITING, M_REPLY, M_LOST, M_ERROR, M_LATE, M_LATE_ERROR } fate[PROBES];
	struct ping_event error[PROBES];
	bool reordered[PROBES];
	size_t n;
	uint64_t highest;
};

static void assert_counts(const struct ping_result *r, const struct model *m)
{
	int64_t n[M_LATE_ERROR + 1] = { 0 }, reordered = 0, runs = 0, run = 0, longest = 0;

	for (size_t i = 0; i < m->n; i++) {
		n[m->fate[i]]++;
		reordered += m->reordered[i];
	}
	/* Runs end at the first that is not decided. */
	for (size_t i = 0; i < m->n && m->fate[i] != M_WAITING; i++) {
		run = m->fate[i] == M_REPLY ? 0 : run + 1;
		runs += run == 1;
		longest = run > longest ? run : longest;
	}
	int64_t late = n[M_LATE] + n[M_LATE_ERROR], lost = n[M_LOST] + n[M_ERROR];

	assert_int_equal(r->sent, m->n);
	assert_int_equal(r->received, n[M_REPLY]);
	assert_int_equal(r->lost, lost);
	assert_int_equal(r->errors, n[M_ERROR]);
	assert_int_equal(r->late, late);
	assert_int_equal(r->in_flight, n[M_WAITING]);
	assert_int_equal(r->reordered, reordered);
	assert_int_equal(r->loss_runs, runs);
	assert_int_equal(r->loss_run_max, longest);
	if (n[M_REPLY] + lost + late > 0)
		assert_int_equal(
			r->loss_ppm, (lost * 1000000 + (n[M_REPLY] + lost + late) / 2) / (n[M_REPLY] + lost + late));
}

static bool same_kind(const struct ping_event *a, const struct ping_event *b)
{
	return a->type == b->type && a->code == b->code && a->text == b->text &&
	       memcmp(a->from.ip, b->from.ip, sizeof(a->from.ip)) == 0;
}

/* Errors that were taken back are in no kind either. */
static void assert_kinds(const struct ping_result *r, const struct model *m)
{
	int64_t sum = 0;

	for (size_t k = 0; k < r->n_kinds; k++) {
		const struct ping_kind *kind = &r->kinds[k];
		struct ping_event like = {
			.type = kind->type, .code = kind->code, .text = kind->text, .from = kind->from
		};
		int64_t n = 0;

		for (size_t i = 0; i < m->n; i++)
			n += m->fate[i] == M_ERROR && same_kind(&m->error[i], &like);
		assert_int_equal(kind->count, n);
		assert_true(n > 0);
		sum += n;
	}
	assert_int_equal(sum, r->errors);
}

static void decide(struct score_card c, struct model *m, unsigned *how, size_t i, struct rng *rng)
{
	static const char *const texts[] = { "unreachable", "exceeded" };

	if (m->fate[i] != M_WAITING) {
		if (m->fate[i] != M_LOST && m->fate[i] != M_ERROR)
			return;
		score_late(&c, how[i]);
		m->fate[i] = m->fate[i] == M_LOST ? M_LATE : M_LATE_ERROR;
	} else if (rng_chance(rng, 600000)) {
		struct ping_event ev = reply(i + 1, (ns_t)rng_below(rng, NS_PER_S));

		score_reply(&c, &ev);
		m->fate[i] = M_REPLY;
		m->reordered[i] = i + 1 < m->highest;
		m->highest = i + 1 > m->highest ? i + 1 : m->highest;
	} else if (rng_chance(rng, 500000)) {
		uint8_t type = (uint8_t)rng_below(rng, 2);

		m->error[i] = error((uint8_t)(1 + rng_below(rng, 2)), type, 0, texts[type]);
		how[i] = score_lost(&c, &m->error[i]);
		m->fate[i] = M_ERROR;
	} else {
		how[i] = score_lost(&c, &(struct ping_event){ .outcome = OUTCOME_LOST });
		m->fate[i] = M_LOST;
	}
}

static void any_order_of_events_gives_the_counts_of_a_simple_model(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct rng rng = rng_of(seed);
		struct score_card c = fresh(seed % 2);
		static struct model m;
		unsigned how[PROBES] = { 0 };
		size_t told = 0;

		memset(&m, 0, sizeof(m));
		for (int i = 0; i < 600; i++) {
			if (m.n < PROBES && rng_chance(&rng, 500000)) {
				m.n++;
				score.sent++;
			}
			if (m.n == 0)
				continue;
			decide(c, &m, how, m.n - 1 - rng_below(&rng, m.n < 20 ? m.n : 20), &rng);
			for (; told < m.n && m.fate[told] != M_WAITING; told++)
				score_run(&c, m.fate[told] == M_REPLY);
			if (i % 50 == 0) {
				struct ping_result r = result(c);

				assert_counts(&r, &m);
				assert_kinds(&r, &m);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(before_the_first_probe_nothing_is_known),
		cmocka_unit_test(one_round_trip_has_all_its_figures_and_touches_nothing_else),
		cmocka_unit_test(from_the_second_on_there_are_percentiles_only_with_distributions),
		cmocka_unit_test(every_figure_is_that_of_a_slow_reference),
		cmocka_unit_test(the_worst_source_of_all_round_trips_is_named),
		cmocka_unit_test(a_reply_below_the_highest_number_is_reordered),
		cmocka_unit_test(runs_of_losses_are_counted_with_the_longest),
		cmocka_unit_test(what_is_in_flight_has_no_say_in_the_loss),
		cmocka_unit_test(errors_are_counted_by_type_code_and_sender),
		cmocka_unit_test(two_faults_of_this_machine_are_two_kinds),
		cmocka_unit_test(what_stands_beside_a_round_trip_has_a_distribution_of_its_own),
		cmocka_unit_test(silence_and_errors_are_both_a_loss_and_only_one_an_error),
		cmocka_unit_test(what_is_taken_back_was_neither_lost_nor_an_error),
		cmocka_unit_test(any_order_of_events_gives_the_counts_of_a_simple_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
