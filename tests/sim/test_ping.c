/* SPDX-License-Identifier: MIT */
/* The ping engine on a network that loses, delays, copies and reorders, and tells what it did. */
#include "engine/ping.h"

#include "core/icmp.h"
#include "echo.h"
#include "net.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define START (3 * NS_PER_S)
#define ID 77
#define PROBES_MAX 4000
#define TARGETS_MAX 1000
#define RTTS_MAX 8000

enum { TO_HOST, TO_US };

static struct net net;
static struct ping ping;
static struct flight_slot slots[FLIGHT_SLOTS];
static struct ping_target targets[TARGETS_MAX];
static struct score_hists hists[TARGETS_MAX];
static struct score_more more[TARGETS_MAX];
static struct ping_name names[TARGETS_MAX];

/* What became of each probe to the first target, from the side of the network. */
static struct fate {
	ns_t sent, first;  /* stamps; first 0: no reply has come yet */
	unsigned replies;
	bool reordered;
} fates[PROBES_MAX];
static uint64_t highest;

/* What must be reported, counted from the fates. */
struct truth {
	int64_t sent, received, lost, late, duplicates, reordered;
	size_t n;
};

static ns_t rtts[RTTS_MAX]; /* in the order of arrival */
static size_t n_rtts;

static void begin(struct ping_cfg cfg, struct net_cfg weather, size_t n, uint64_t seed)
{
	net_init(&net, weather, START, seed);
	memset(slots, 0, sizeof(slots));
	memset(targets, 0, sizeof(targets));
	memset(fates, 0, sizeof(fates));
	memset(hists, 0, n * sizeof(hists[0]));
	memset(more, 0, sizeof(more));
	memset(names, 0, sizeof(names));
	n_rtts = 0;
	highest = 0;
	for (size_t i = 0; i < n; i++) {
		names[i].text = "host";
		targets[i].addr = (struct addr){ .family = 4, .ip = { 10, 0, (uint8_t)(i >> 8), (uint8_t)i } };
	}
	cfg.id[0] = ID;
	ping_init(&ping, &cfg, &(struct ping_room){ targets, more, names, hists, slots, n }, net.now);
}

/* The number of a probe to the first target stands in no packet; the test keeps it beside. */
static uint64_t seq_of[FLIGHT_SLOTS];

static void send_request(const struct ping_request *q)
{
	uint8_t payload[NET_MTU], packet[NET_MTU];

	flight_payload(&ping.flight, q->wire, payload);
	/* The first four bytes say where to: the network has to know. */
	memcpy(packet, targets[q->target].addr.ip, 4);
	size_t n = icmp_echo_build(4, ID, q->wire, payload, ping.cfg.size, packet + 4, sizeof(packet) - 4);

	ping_sent(&ping, q->wire, net.now);
	seq_of[q->wire] = q->seq;
	if (q->target == 0 && q->seq < PROBES_MAX)
		fates[q->seq].sent = net.now;
	net_send(&net, TO_HOST, packet, n + 4);
}

static void note_reply(const struct net_packet *p)
{
	uint64_t seq = seq_of[p->p[10] << 8 | p->p[11]];
	struct fate *f = &fates[seq];

	if (memcmp(p->p, targets[0].addr.ip, 4) != 0 || seq >= PROBES_MAX)
		return;
	if (f->replies++ > 0)
		return;
	f->first = net.now;
	if (net.now - f->sent >= ping.cfg.timeout)
		return;
	f->reordered = seq < highest;
	highest = seq > highest ? seq : highest;
	assert_true(n_rtts < RTTS_MAX);
	rtts[n_rtts++] = net.now - f->sent;
}

static void deliver(struct net_packet *p, struct ping_event *ev)
{
	if (p->to == TO_HOST) {
		echo_reply(4, p->p + 4, p->n - 4, p->p + 4);
		net_send(&net, TO_US, p->p, p->n);
		return;
	}
	struct packet pkt = { .kind = PACKET_MESSAGE, .p = p->p + 4, .n = p->n - 4, .stamp = net.now, .user = net.now,
		.raw = true, .ttl = 64, .from = { .family = 4 } };

	memcpy(pkt.from.ip, p->p, 4);
	note_reply(p);
	assert_true(ping_icmp(&ping, &pkt, ev));
}

/* The loop of the program: read, give up, send, wait. @slow: the longest time that one turn takes. */
static void run(ns_t until, ns_t slow)
{
	struct ping_event ev;
	struct ping_request q;
	struct net_packet p;

	while (net.now < until) {
		/* At the very moment of a timeout it is over: first give up, then read. */
		while (ping_expire(&ping, net.now, &ev))
			assert_int_equal(ev.outcome, OUTCOME_LOST);
		while (net_take(&net, &p))
			deliver(&p, &ev);
		while (ping_next(&ping, net.now, &q))
			send_request(&q);
		if (ping_done(&ping, net.now))
			return;
		net_wait(&net, ns_min(ping_deadline(&ping), until));
		if (slow > 0)
			net.now += (ns_t)rng_below(&net.rng, (uint64_t)slow);
	}
}

static struct truth tell(void)
{
	struct truth t = { .sent = 0 };

	for (size_t i = 1; i < PROBES_MAX && fates[i].sent > 0; i++) {
		const struct fate *f = &fates[i];
		bool in_time = f->first > 0 && f->first - f->sent < ping.cfg.timeout;

		t.sent++;
		t.received += in_time;
		t.late += f->first > 0 && !in_time;
		t.lost += f->first == 0;
		t.duplicates += f->replies > 1 ? f->replies - 1 : 0;
		t.reordered += f->reordered;
	}
	return t;
}

static void assert_truth(void)
{
	struct truth t = tell();
	struct ping_result r;

	ping_result(&ping, 0, net.now, &r);
	assert_int_equal(r.sent, t.sent);
	assert_int_equal(r.received, t.received);
	assert_int_equal(r.lost, t.lost);
	assert_int_equal(r.late, t.late);
	assert_int_equal(r.in_flight, 0);
	assert_int_equal(r.duplicates, t.duplicates);
	assert_int_equal(r.reordered, t.reordered);
	assert_int_equal(r.corrupt, 0);
	assert_int_equal(r.errors, 0);
	assert_int_equal(r.loss_ppm, (t.lost * 1000000 + t.sent / 2) / t.sent);
	assert_true(r.loss_low_ppm <= r.loss_ppm && r.loss_ppm <= r.loss_high_ppm);
}

static int by_size(const void *a, const void *b)
{
	ns_t x = *(const ns_t *)a, y = *(const ns_t *)b;

	return (x > y) - (x < y);
}

static void assert_near(ns_t got, ns_t want, ns_t off)
{
	assert_true(got >= want - off && got <= want + off);
}

/* Jitter needs the order of arrival, the rest the order of size. */
static void assert_round_trips(void)
{
	struct ping_result r;
	double jitter = 0, sum = 0, squares = 0;

	ping_result(&ping, 0, net.now, &r);
	for (size_t i = 0; i < n_rtts; i++) {
		double d = i > 0 ? (double)(rtts[i] - rtts[i - 1]) : 0;

		sum += (double)rtts[i];
		jitter += i > 0 ? ((d < 0 ? -d : d) - jitter) / 16 : 0;
	}
	for (size_t i = 0; i < n_rtts; i++)
		squares += ((double)rtts[i] - sum / (double)n_rtts) * ((double)rtts[i] - sum / (double)n_rtts);
	/* libm is not there: the square of what is reported is compared. */
	double mdev = (double)r.rtt_mdev;

	assert_true((mdev - 2) * (mdev - 2) <= squares / (double)n_rtts &&
		(mdev + 2) * (mdev + 2) >= squares / (double)n_rtts);
	qsort(rtts, n_rtts, sizeof(rtts[0]), by_size);
	assert_true(r.rtt_min == rtts[0]);
	assert_true(r.rtt_max == rtts[n_rtts - 1]);
	assert_near(r.rtt_mean, (ns_t)(sum / (double)n_rtts), 1);
	assert_near(r.jitter, (ns_t)jitter, 2);
	const ns_t got[] = { r.rtt_p50, r.rtt_p90, r.rtt_p99 };
	const size_t per_mille[] = { 500, 900, 990 };

	for (size_t i = 0; i < COUNT(got); i++) {
		ns_t want = rtts[(n_rtts * per_mille[i] + 999) / 1000 - 1];

		assert_near(got[i], want, want / 256 + 1);
	}
}

static void an_hour_with_a_tenth_lost_is_reported_exactly(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 10; seed++) {
		struct ping_cfg cfg = { .interval = NS_PER_S, .timeout = 2 * NS_PER_S, .count = 3600, .size = 56,
			.key = { 42 } };
		struct net_cfg weather = { .delay = 20 * NS_PER_MS, .jitter = 15 * NS_PER_MS, .loss = 51317 };

		begin(cfg, weather, 1, seed);
		run(NS_NEVER, 0);
		assert_true(ping_done(&ping, net.now));
		assert_truth();
		assert_round_trips();
		struct truth t = tell();

		assert_int_equal(t.sent, 3600);
		assert_true(t.lost > 280 && t.lost < 440); /* 10 %, within five standard deviations */
		for (size_t i = 1; i <= 3600; i++) /* no drift */
			assert_true(fates[i].sent == START + (ns_t)(i - 1) * NS_PER_S);
	}
}

static void a_slow_process_delays_single_probes_and_not_the_schedule(void **state)
{
	(void)state;
	struct ping_cfg cfg = { .interval = NS_PER_S, .timeout = 2 * NS_PER_S, .count = 3600, .size = 56,
		.key = { 42 } };
	struct net_cfg weather = { .delay = 20 * NS_PER_MS, .jitter = 15 * NS_PER_MS, .loss = 50000 };

	begin(cfg, weather, 1, 5);
	run(NS_NEVER, 30 * NS_PER_MS);
	for (size_t i = 1; i <= 3600; i++) {
		ns_t due = START + (ns_t)(i - 1) * NS_PER_S;

		assert_true(fates[i].sent >= due && fates[i].sent <= due + 60 * NS_PER_MS);
	}
	assert_int_equal(tell().sent, 3600);
}

/* Every turn of the loop comes late, up to 0.9 ms: single probes do too, and the schedule of the hour does not. */
static void an_hour_does_not_drift_by_a_millisecond(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 5; seed++) {
		struct ping_cfg cfg = { .interval = NS_PER_S, .timeout = 2 * NS_PER_S, .count = 3601, .size = 56,
			.key = { 42 } };
		struct net_cfg weather = { .delay = 20 * NS_PER_MS, .jitter = 500 * NS_PER_MS, .loss = 50000 };

		begin(cfg, weather, 1, seed);
		run(NS_NEVER, 900 * NS_PER_US);
		assert_int_equal(tell().sent, 3601);
		for (size_t k = 0; k <= 3600; k++) {
			ns_t off = fates[k + 1].sent - (fates[1].sent + (ns_t)k * NS_PER_S);

			assert_true(off > -NS_PER_MS && off < NS_PER_MS);
		}
	}
}

/* A probe leaves when the last one is answered; each that is lost costs ten milliseconds and no more. */
static void without_an_interval_the_network_sets_the_pace_and_a_loss_does_not_stop_it(void **state)
{
	(void)state;
	static const unsigned losses[] = { 0, 10000, 300000 };

	for (size_t i = 0; i < COUNT(losses); i++) {
		struct ping_cfg cfg = { .timeout = 2 * NS_PER_S, .count = 3000, .size = 56, .key = { 42 } };
		struct net_cfg weather = { .delay = 500 * NS_PER_US, .loss = losses[i] };

		begin(cfg, weather, 1, i);
		run(NS_NEVER, 0);
		assert_truth();
		struct truth t = tell();
		ns_t took = fates[3000].sent - START;

		assert_int_equal(t.sent, 3000);
		assert_near(took, t.received * NS_PER_MS + t.lost * PING_FLOOD_WAIT, PING_FLOOD_WAIT);
	}
}

static void late_copied_and_reordered_replies_are_each_what_they_are(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 30; seed++) {
		struct ping_cfg cfg = { .interval = 10 * NS_PER_MS, .timeout = 150 * NS_PER_MS, .count = 1500,
			.size = 16,
			.key = { 1, 2, 3 } };
		struct net_cfg weather = { .delay = 30 * NS_PER_MS, .jitter = 60 * NS_PER_MS, .loss = 30000,
			.copy = 40000 };

		begin(cfg, weather, 1, seed);
		run(NS_NEVER, 0);
		struct ping_event ev;
		struct net_packet p;

		while (net.n > 0) { /* what comes after the end of the run is heard too */
			net_wait(&net, NS_NEVER);
			while (net_take(&net, &p))
				deliver(&p, &ev);
		}
		assert_truth();
		assert_round_trips();
		struct truth t = tell();

		assert_true(t.late > 10 && t.duplicates > 50 && t.reordered > 300 && t.lost > 30);
	}
}

static void a_thousand_targets_are_all_probed_and_none_is_mixed_up(void **state)
{
	(void)state;
	struct ping_cfg cfg = { .interval = NS_PER_S, .timeout = NS_PER_S, .count = 60, .size = 8, .key = { 9 } };
	struct net_cfg weather = { .delay = 100 * NS_PER_MS, .jitter = 50 * NS_PER_MS, .loss = 100000 };
	int64_t sent = 0, received = 0, lost = 0;

	begin(cfg, weather, TARGETS_MAX, 1);
	run(NS_NEVER, 0);
	for (size_t i = 0; i < TARGETS_MAX; i++) {
		struct ping_result r;

		ping_result(&ping, i, net.now, &r);
		assert_int_equal(r.sent, 60);
		assert_int_equal(r.received + r.lost, 60);
		assert_int_equal(r.duplicates + r.late + r.reordered + r.corrupt + r.errors, 0);
		assert_true(r.received > 20);
		assert_true(r.rtt_min >= 200 * NS_PER_MS && r.rtt_max < 300 * NS_PER_MS);
		sent += r.sent;
		received += r.received;
		lost += r.lost;
	}
	assert_int_equal(sent, 60 * TARGETS_MAX);
	assert_int_equal(lost, net.lost);
	assert_int_equal(received, sent - (int64_t)net.lost);
	assert_truth();
	/* 60 rounds, spread over their seconds, and the last timeout. */
	assert_true(net.now > START + 60 * NS_PER_S - cfg.interval && net.now <= START + 61 * NS_PER_S);
}

/* More probes than there are numbers while replies take long: the window closes, and nothing is mixed up. */
static void more_under_way_than_can_be_told_apart_waits_its_turn(void **state)
{
	(void)state;
	struct ping_cfg cfg = { .interval = NS_PER_MS, .timeout = 3 * NS_PER_S, .count = 200, .size = 8, .key = { 7 } };
	struct net_cfg weather = { .loss = 1000000 };

	begin(cfg, weather, TARGETS_MAX, 1);
	run(NS_NEVER, 0);
	for (size_t i = 0; i < TARGETS_MAX; i++) {
		struct ping_result r;

		ping_result(&ping, i, net.now, &r);
		assert_int_equal(r.sent, 200);
		assert_int_equal(r.lost, 200);
	}
}

static void a_run_that_is_cut_short_leaves_the_rest_in_flight(void **state)
{
	(void)state;
	struct ping_cfg cfg = { .interval = 10 * NS_PER_MS, .timeout = NS_PER_S, .duration = 5 * NS_PER_S, .size = 56,
		.key = { 7 } };
	struct net_cfg weather = { .delay = 200 * NS_PER_MS, .loss = 100000 };
	struct ping_result r;

	begin(cfg, weather, 1, 2);
	run(NS_NEVER, 0);
	assert_true(net.now == START + 5 * NS_PER_S);
	ping_result(&ping, 0, net.now, &r);
	assert_int_equal(r.sent, 500);
	assert_int_equal(r.received, tell().received);
	assert_int_equal(r.sent, r.received + r.lost + r.in_flight);
	assert_true(r.in_flight >= 40 && r.in_flight < 70);
	assert_int_equal(r.loss_ppm, (r.lost * 1000000 + (r.lost + r.received) / 2) / (r.lost + r.received));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_hour_with_a_tenth_lost_is_reported_exactly),
		cmocka_unit_test(a_slow_process_delays_single_probes_and_not_the_schedule),
		cmocka_unit_test(an_hour_does_not_drift_by_a_millisecond),
		cmocka_unit_test(without_an_interval_the_network_sets_the_pace_and_a_loss_does_not_stop_it),
		cmocka_unit_test(late_copied_and_reordered_replies_are_each_what_they_are),
		cmocka_unit_test(a_thousand_targets_are_all_probed_and_none_is_mixed_up),
		cmocka_unit_test(more_under_way_than_can_be_told_apart_waits_its_turn),
		cmocka_unit_test(a_run_that_is_cut_short_leaves_the_rest_in_flight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
