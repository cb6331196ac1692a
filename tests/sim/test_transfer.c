/* SPDX-License-Identifier: MIT */
/* A transfer over a link whose rate is known: slow start, a bottleneck, and a limit for each connection. */
#include "engine/transfer.h"

#include "guard.h"
#include "rng.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define START (9 * NS_PER_S)
#define STEP NS_PER_MS
#define FIRST_WINDOW (10 * 1448)

struct link {
	const char *what;
	int64_t rate;        /* payload, bit/s, of all connections */
	int64_t each;        /* the most of one; 0 for no limit */
	ns_t rtt;
	unsigned noise;      /* in a million: each step's rate is off by up to so much */
	unsigned connections; /* asked for; 0 to find out */
	unsigned want;       /* that must be found; 0: not looked at */
};

static struct transfer transfer;

struct lane {
	bool up;
	ns_t since;
	double window; /* bytes */
};

/* What a lane would send in a step, its window doubling each round trip. */
static double offer(struct lane *l, const struct link *k, ns_t now)
{
	if (now < l->since + 2 * k->rtt) /* handshake and request */
		return 0;
	double limit = 2.0 * (double)k->rate / 8 * (double)k->rtt / NS_PER_S;
	double mine = (double)k->each / 8 * (double)k->rtt / NS_PER_S;

	if (k->each > 0 && limit > mine)
		limit = mine;
	if ((now - l->since) / STEP % (k->rtt / STEP) == 0)
		l->window *= 2;
	if (l->window > limit)
		l->window = limit;
	return l->window * STEP / (double)k->rtt;
}

static double move(struct lane lanes[], const struct link *k, ns_t now, struct rng *rng)
{
	double all = 0, room = (double)k->rate / 8 * STEP / NS_PER_S;

	for (unsigned i = 0; i < TRANSFER_CONNECTIONS_MAX; i++) {
		bool wanted = i < transfer.connections;

		if (wanted && !lanes[i].up)
			lanes[i] = (struct lane){ true, now, FIRST_WINDOW };
		lanes[i].up = wanted;
		all += wanted ? offer(&lanes[i], k, now) : 0;
	}
	if (all > room)
		all = room;
	return k->noise > 0 ? all * (1e6 + (double)rng_below(rng, 2 * k->noise) - k->noise) / 1e6 : all;
}

static struct rate_result run(const struct link *k, ns_t time, uint64_t seed)
{
	struct transfer_cfg cfg = { .time = time, .patience = 5 * NS_PER_S, .rtt = k->rtt,
		.connections = k->connections };
	struct lane lanes[TRANSFER_CONNECTIONS_MAX] = { { .up = false } };
	struct rng rng = rng_of(seed);
	double bytes = 0;

	memset(&transfer, 0xa5, sizeof(transfer));
	transfer_init(&transfer, &cfg, START);
	for (ns_t now = START; transfer.phase != TRANSFER_OVER; now += STEP) {
		unsigned before = transfer.connections;

		bytes += move(lanes, k, now, &rng);
		if (bytes >= 1)
			transfer_flows(&transfer, now);
		if (now >= transfer_deadline(&transfer))
			assert_true(transfer_tick(&transfer, now, (uint64_t)bytes));
		assert_true(transfer.connections >= 1 && transfer.connections <= TRANSFER_CONNECTIONS_MAX);
		/* What is found out in the second half could not be measured any more. */
		if (transfer.connections > before)
			assert_true(transfer_end(&transfer) - now >= time / 2);
	}
	return transfer_result(&transfer);
}

#define MBIT INT64_C(1000000)

static const struct link links[] = {
	{ "a slow line", 2 * MBIT, 0, 40 * NS_PER_MS, 0, 0, 1 },
	{ "ten megabits", 10 * MBIT, 0, 20 * NS_PER_MS, 0, 0, 1 },
	{ "a hundred", 100 * MBIT, 0, 20 * NS_PER_MS, 0, 0, 1 },
	{ "a hundred, not quite even", 100 * MBIT, 0, 20 * NS_PER_MS, 30000, 0, 1 },
	{ "a gigabit", 1000 * MBIT, 0, 5 * NS_PER_MS, 0, 0, 1 },
	{ "a gigabit, far away", 1000 * MBIT, 0, 60 * NS_PER_MS, 10000, 0, 1 },
	{ "forty gigabits", 40000 * MBIT, 0, 2 * NS_PER_MS, 10000, 0, 1 },
	{ "two carry twice as much", 100 * MBIT, 50 * MBIT, 20 * NS_PER_MS, 0, 0, 2 },
	{ "two carry twice as much, not quite even", 100 * MBIT, 50 * MBIT, 20 * NS_PER_MS, 20000, 0, 2 },
	{ "four are needed", 100 * MBIT, 25 * MBIT, 20 * NS_PER_MS, 0, 0, 4 },
	{ "a second one brings three in a hundred", 100 * MBIT, 97 * MBIT, 20 * NS_PER_MS, 0, 0, 1 },
	{ "a second one brings eight in a hundred", 100 * MBIT, 92 * MBIT, 20 * NS_PER_MS, 0, 0, 2 },
	{ "one, and one is asked for", 100 * MBIT, 50 * MBIT, 20 * NS_PER_MS, 0, 1, 1 },
	{ "three are asked for", 100 * MBIT, 25 * MBIT, 20 * NS_PER_MS, 0, 3, 3 },
	{ "sixteen are asked for", 100 * MBIT, 0, 20 * NS_PER_MS, 0, 16, 16 },
};

static int64_t capacity(const struct link *k, unsigned connections)
{
	int64_t all = k->each * (int64_t)connections;

	return k->each > 0 && all < k->rate ? all : k->rate;
}

static void a_known_rate_is_found_within_a_hundredth(void **state)
{
	(void)state;
	static const ns_t times[] = { 6 * NS_PER_S, 10 * NS_PER_S, 30 * NS_PER_S };

	for (size_t i = 0; i < COUNT(links) * COUNT(times); i++) {
		const struct link *k = &links[i % COUNT(links)];
		struct rate_result r = run(k, times[i / COUNT(links)], i);
		int64_t want = capacity(k, transfer.connections);

		if (transfer.connections != k->want || r.bits_per_s < want / 100 * 99 ||
			r.bits_per_s > want / 100 * 101)
			print_message("# %s: %lld bit/s on %u\n", k->what, (long long)r.bits_per_s,
				transfer.connections);
		assert_int_equal(transfer.connections, k->want);
		assert_true(r.measured && r.stable);
		assert_true(r.bits_per_s >= want / 100 * 99 && r.bits_per_s <= want / 100 * 101);
		assert_true(r.elapsed > times[i / COUNT(links)] / 4);
		assert_true(r.spread_ppm >= 0 && r.spread_ppm < 50000);
	}
}

/* The ramp must not be in it: a mean over the whole run would be far off here. */
static void slow_start_is_left_out(void **state)
{
	(void)state;
	static const struct link far = { "far", 400 * MBIT, 0, 150 * NS_PER_MS, 0, 1, 1 };
	struct rate_result r = run(&far, 6 * NS_PER_S, 1);
	const struct rate_sample *v = transfer.rate.v;
	uint64_t mean = v[transfer.rate.n - 1].bytes * 8 / 6;

	assert_true(mean < 370 * MBIT);
	assert_true(r.stable && r.bits_per_s > 396 * MBIT && r.bits_per_s < 404 * MBIT);
	assert_true(r.start > START + 5 * far.rtt);
}

static void a_second_connection_that_brings_nothing_is_given_up(void **state)
{
	(void)state;
	static const struct link one = { "one", 100 * MBIT, 0, 20 * NS_PER_MS, 0, 0, 1 };
	struct transfer_cfg cfg = { .time = 6 * NS_PER_S, .patience = NS_PER_S };
	struct lane lanes[TRANSFER_CONNECTIONS_MAX] = { { .up = false } };
	struct rng rng = rng_of(1);
	double bytes = 0;
	unsigned most = 0;

	memset(&transfer, 0xa5, sizeof(transfer));
	transfer_init(&transfer, &cfg, START);
	ns_t now = START;

	for (; transfer.phase <= TRANSFER_TRYING; now += STEP) {
		bytes += move(lanes, &one, now, &rng);
		if (bytes >= 1)
			transfer_flows(&transfer, now);
		transfer_tick(&transfer, now, (uint64_t)bytes);
		most = transfer.connections > most ? transfer.connections : most;
	}
	assert_int_equal(most, 2);
	assert_int_equal(transfer.phase, TRANSFER_STEADY);
	assert_int_equal(transfer.connections, 1);
	assert_true(now < START + 2200 * NS_PER_MS); /* decided as soon as it has settled */
}

static void as_many_connections_are_tried_as_bring_more(void **state)
{
	(void)state;
	static const struct link wide = { "wide", 100000 * MBIT, 30 * MBIT, 20 * NS_PER_MS, 0, 0, 0 };
	struct rate_result r = run(&wide, 120 * NS_PER_S, 1);
	int64_t want = 30 * MBIT * (int64_t)transfer.connections;

	assert_int_equal(transfer.connections, TRANSFER_CONNECTIONS_MAX);
	assert_true(r.bits_per_s > want / 100 * 99 && r.bits_per_s < want / 100 * 101);
}

/* In a run too short to try them all, what is measured is what the last number carries. */
static void a_short_run_measures_all_the_same(void **state)
{
	(void)state;
	static const struct link wide = { "wide", 100000 * MBIT, 30 * MBIT, 20 * NS_PER_MS, 0, 0, 0 };

	for (ns_t time = NS_PER_S; time <= 6 * NS_PER_S; time += NS_PER_S / 2) {
		struct rate_result r = run(&wide, time, 1);
		int64_t want = 30 * MBIT * (int64_t)transfer.connections;

		assert_true(r.measured);
		assert_true(r.bits_per_s > want / 100 * 95 && r.bits_per_s < want / 100 * 101);
	}
}

static void a_link_that_swings_is_measured_and_called_not_stable(void **state)
{
	(void)state;
	static const struct link wild = { "wild", 100 * MBIT, 0, 20 * NS_PER_MS, 0, 1, 1 };
	struct transfer_cfg cfg = { .time = 6 * NS_PER_S, .patience = NS_PER_S, .connections = 1 };
	struct lane lanes[TRANSFER_CONNECTIONS_MAX] = { { .up = false } };
	struct rng rng = rng_of(1);
	double bytes = 0;

	transfer_init(&transfer, &cfg, START);
	for (ns_t now = START; transfer.phase != TRANSFER_OVER; now += STEP) {
		bool low = (now - START) / (300 * NS_PER_MS) % 2;

		bytes += move(lanes, &wild, now, &rng) * (low ? 0.2 : 1.0);
		if (bytes >= 1)
			transfer_flows(&transfer, now);
		transfer_tick(&transfer, now, (uint64_t)bytes);
	}
	struct rate_result r = transfer_result(&transfer);

	assert_true(r.measured);
	assert_true(r.bits_per_s > 40 * MBIT && r.bits_per_s < 80 * MBIT);
	assert_true(r.spread_ppm > 300000);
	assert_false(r.stable);
}

/* Between two round trips the steps of slow start look steady: what is called stable must be near all the same. */
static void a_ramp_of_long_round_trips_is_not_called_stable(void **state)
{
	(void)state;
	for (ns_t rtt = 200 * NS_PER_MS; rtt <= NS_PER_S; rtt += 50 * NS_PER_MS) {
		for (unsigned connections = 0; connections < 2; connections++) {
			const struct link far = { "far", 20 * MBIT, 0, rtt, 0, connections, 0 };
			struct rate_result r = run(&far, 6 * NS_PER_S, 1);

			assert_true(!r.stable || r.bits_per_s > 18 * MBIT);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_known_rate_is_found_within_a_hundredth),
		cmocka_unit_test(slow_start_is_left_out),
		cmocka_unit_test(a_second_connection_that_brings_nothing_is_given_up),
		cmocka_unit_test(as_many_connections_are_tried_as_bring_more),
		cmocka_unit_test(a_short_run_measures_all_the_same),
		cmocka_unit_test(a_ramp_of_long_round_trips_is_not_called_stable),
		cmocka_unit_test(a_link_that_swings_is_measured_and_called_not_stable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
