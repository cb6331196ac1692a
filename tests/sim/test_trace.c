/* SPDX-License-Identifier: MIT */
/* The trace engine on a path of routers that lose, delay, ration, balance and keep silent, and tell what they did. */
#include "engine/trace.h"

#include "core/icmp.h"
#include "echo.h"
#include "net.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define START (3 * NS_PER_S)
#define ID 77
#define HOPS 30
#define ROUNDS_MAX 400

static struct net net;
static struct trace trace;
static struct flight_slot slots[FLIGHT_SLOTS];
static struct trace_target target;
static struct place places[HOPS];
static struct score_hists hists[HOPS];

enum balance { ONE_WAY, BY_FLOW, BY_PACKET };

/* What stands at one distance; the last one is the target. */
static struct router {
	bool silent;
	unsigned loss;      /* of its errors on their way back, in a million */
	ns_t slow;          /* it takes its time to write them */
	bool rations;       /* six at once, then one in a second, as Linux does */
	enum balance balance;
	/* of the rationing */
	ns_t filled;
	int64_t tokens; /* ns */
} path[HOPS + 1];

static unsigned length;       /* of the path: path[length] is the target */
static unsigned wall;         /* from here on the router before says that there is no way; 0 for none */
static ns_t wall_from, wall_to;

/* What became of the probes that went so far, from the side of the network. */
static struct fate {
	int64_t sent, received, late, lost, duplicates, refused;
	size_t n;
	ns_t rtts[ROUNDS_MAX], last_sent, closest;
	bool seen[4]; /* which of the routers that share the place */
} fates[HOPS + 1];

static ns_t sent_at[FLIGHT_SLOTS];
static uint8_t hop_of_wire[FLIGHT_SLOTS], answers[FLIGHT_SLOTS];

static void begin(struct trace_cfg cfg, struct net_cfg weather, unsigned distance, uint64_t seed)
{
	net_init(&net, weather, START, seed);
	memset(slots, 0, sizeof(slots));
	memset(places, 0, sizeof(places));
	memset(hists, 0, sizeof(hists));
	memset(fates, 0, sizeof(fates));
	memset(answers, 0, sizeof(answers));
	memset(path, 0, sizeof(path));
	length = distance;
	wall = 0;
	for (size_t i = 0; i <= HOPS; i++) {
		path[i].tokens = 6 * NS_PER_S;
		fates[i].closest = NS_NEVER;
	}
	target = (struct trace_target){ .name = "host", .addr = { .family = 4, .ip = { 10, 9, 9, 9 } } };
	cfg.id[0] = ID;
	cfg.plan.hops = HOPS;
	cfg.size = 56;
	trace_init(&trace, &cfg, &(struct trace_room){ &target, places, hists, slots, 1 }, net.now);
}

static struct trace_cfg usual(void)
{
	return (struct trace_cfg){ .plan = { .interval = NS_PER_S, .rounds = 5 }, .timeout = 2 * NS_PER_S,
		.key = { 9, 9 } };
}

static bool has_token(struct router *r)
{
	if (!r->rations)
		return true;
	r->tokens = ns_min(r->tokens + net.now - r->filled, 6 * NS_PER_S);
	r->filled = net.now;
	if (r->tokens < NS_PER_S)
		return false;
	r->tokens -= NS_PER_S;
	return true;
}

/* Which of those that share the place: by what a router looks at, type, code and checksum (the first four bytes). */
static uint8_t way_of(const struct router *r, const uint8_t *request)
{
	if (r->balance == BY_FLOW)
		return request[3] & 1;
	return r->balance == BY_PACKET ? (uint8_t)(1 + fates[r - path].sent % 3) : 0;
}

/* On the wire before the message: who sends it. */
static void answer(unsigned hop, const uint8_t *from, const uint8_t *p, size_t n)
{
	uint8_t packet[NET_MTU];
	struct net_cfg weather = net.cfg;

	memcpy(packet, from, 4);
	memcpy(packet + 4, p, n);
	net.cfg.delay = weather.delay * hop + path[hop].slow;
	net.cfg.loss = path[hop].loss;
	net_send(&net, 0, packet, n + 4);
	net.cfg = weather;
}

static bool is_walled(unsigned ttl)
{
	return wall > 0 && ttl >= wall && net.now >= wall_from && net.now < wall_to;
}

/* The whole way of one probe: on each wire it may be lost. */
static void forward(const struct trace_request *q, const uint8_t *request, size_t n)
{
	unsigned ttl = (unsigned)q->ttl, hop = ttl < length ? ttl : length;
	uint8_t message[NET_MTU * 2], from[4] = { 10, 0, (uint8_t)hop, way_of(&path[hop], request) };

	for (unsigned i = 0; i < hop; i++)
		if (rng_chance(&net.rng, net.cfg.loss))
			return;
	if (is_walled(ttl)) {
		from[2] = (uint8_t)(wall - 1);
		from[3] = 0;
		answer(ttl, from, message, echo_error(3, 0, &target.addr, request, n, SIZE_MAX, message));
	} else if (ttl >= length) {
		answer(hop, target.addr.ip, message, echo_reply(4, request, n, message));
	} else if (!path[hop].silent && has_token(&path[hop])) {
		answer(hop, from, message, echo_error(11, 0, &target.addr, request, n, 8, message));
	}
}

static void send_probe(const struct trace_request *q)
{
	uint8_t payload[NET_MTU], request[NET_MTU];
	struct fate *f = &fates[q->ttl];

	flight_payload(&trace.flight, q->wire, payload);
	size_t n = icmp_echo_build(4, ID, q->wire, payload, trace.cfg.size, request, sizeof(request));

	trace_sent(&trace, q->wire, net.now);
	if (f->sent++ > 0)
		f->closest = ns_min(f->closest, net.now - f->last_sent);
	f->last_sent = sent_at[q->wire] = net.now;
	hop_of_wire[q->wire] = (uint8_t)q->ttl;
	forward(q, request, n);
}

static void note_answer(uint16_t wire, const uint8_t *from, bool refused)
{
	struct fate *f = &fates[hop_of_wire[wire]];
	ns_t rtt = net.now - sent_at[wire];

	if (refused) {
		f->refused++;
		return;
	}
	if (answers[wire]++ > 0) {
		f->duplicates++;
		return;
	}
	f->seen[from[3] & 3] = true;
	if (rtt >= trace.cfg.timeout) {
		f->late++;
		return;
	}
	f->received++;
	f->rtts[f->n++] = rtt;
}

static void deliver(struct net_packet *p, struct ping_event *ev)
{
	bool error = p->p[4] != 0;
	const uint8_t *echo = p->p + 4 + (error ? 8 + 20 : 0);
	struct packet pkt = { .kind = PACKET_MESSAGE, .p = p->p + 4, .n = p->n - 4, .stamp = net.now, .user = net.now,
		.raw = true, .ttl = 64, .from = { .family = 4 } };

	memcpy(pkt.from.ip, p->p, 4);
	note_answer((uint16_t)(echo[6] << 8 | echo[7]), p->p, p->p[4] == 3);
	trace_icmp(&trace, &pkt, ev);
}

/* The loop of the program: give up, read, send, wait. */
static void run(void)
{
	struct ping_event ev;
	struct trace_request q;
	struct net_packet p;

	for (;;) {
		while (trace_expire(&trace, net.now, &ev))
			assert_int_equal(ev.outcome, OUTCOME_LOST);
		while (net_take(&net, &p))
			deliver(&p, &ev);
		while (trace_next(&trace, net.now, &q))
			send_probe(&q);
		if (trace_done(&trace))
			break;
		net_wait(&net, trace_deadline(&trace));
	}
	while (net.n > 0) { /* what comes after the end is heard too */
		net_wait(&net, NS_NEVER);
		while (net_take(&net, &p))
			deliver(&p, &ev);
	}
	for (size_t i = 1; i <= HOPS; i++)
		fates[i].lost = fates[i].sent - fates[i].received - fates[i].late;
}

static struct path found(void)
{
	struct path p;

	trace_path(&trace, 0, &p);
	return p;
}

static struct path_hop found_hop(unsigned ttl)
{
	struct path_hop h;

	trace_hop(&trace, 0, ttl, net.now, &h);
	return h;
}

static int by_size(const void *a, const void *b)
{
	ns_t x = *(const ns_t *)a, y = *(const ns_t *)b;

	return (x > y) - (x < y);
}

static void assert_round_trips(const struct fate *f, const struct ping_result *r)
{
	ns_t sorted[ROUNDS_MAX];

	if (f->n == 0) {
		assert_true(r->rtt_min == UNKNOWN && r->rtt_p50 == UNKNOWN && r->rtt_max == UNKNOWN);
		return;
	}
	memcpy(sorted, f->rtts, f->n * sizeof(sorted[0]));
	qsort(sorted, f->n, sizeof(sorted[0]), by_size);
	assert_true(r->rtt_min == sorted[0]);
	assert_true(r->rtt_max == sorted[f->n - 1]);
	ns_t median = sorted[(f->n + 1) / 2 - 1];

	assert_true(r->rtt_p50 >= median - median / 256 - 1 && r->rtt_p50 <= median + median / 256 + 1);
}

/* Loss at a hop that the farthest one to answer does not share, by more than chance: in fractions. */
static bool is_rationed(unsigned ttl, unsigned hops)
{
	const struct fate *own = &fates[ttl];

	while (hops > ttl && fates[hops].received + fates[hops].late == 0)
		hops--;
	if (hops == ttl || own->received + own->late == 0)
		return false;
	double n = own->sent, m = fates[hops].sent, p = own->lost / n, q = fates[hops].lost / m;
	double all = (own->lost + fates[hops].lost) / (n + m);

	return p > q && (p - q) * (p - q) >= 4.9999999 * all * (1 - all) * (1 / n + 1 / m);
}

static void assert_hop(unsigned ttl, unsigned hops)
{
	const struct fate *f = &fates[ttl];
	struct path_hop h = found_hop(ttl);
	size_t seen = 0;

	for (size_t i = 0; i < COUNT(f->seen); i++)
		seen += f->seen[i];
	assert_int_equal(h.figures.sent, f->sent);
	assert_int_equal(h.figures.received, f->received);
	assert_int_equal(h.figures.late, f->late);
	assert_int_equal(h.figures.lost, f->lost);
	assert_int_equal(h.figures.duplicates, f->duplicates);
	assert_int_equal(h.figures.in_flight + h.figures.corrupt + h.figures.errors, 0);
	assert_int_equal(h.n_addresses, seen);
	assert_int_equal(h.rate_limited, is_rationed(ttl, hops));
	assert_round_trips(f, &h.figures);
	for (size_t i = 0; i < h.n_addresses; i++)
		assert_int_equal(h.addresses[i].ip[2], ttl < length ? ttl : 9);
}

/* No probe of a hop comes sooner after the last one than the interval, but for what a step may shift. */
static void assert_pace(void)
{
	for (size_t i = 1; i <= HOPS; i++) {
		assert_true(fates[i].sent <= trace.cfg.plan.rounds);
		assert_true(fates[i].closest >= trace.cfg.plan.interval - course_step(&trace.cfg.plan));
	}
}

static void what_the_network_did_to_each_hop_is_reported_exactly(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 300; seed++) {
		struct trace_cfg cfg = usual();
		struct net_cfg weather = { .delay = 5 * NS_PER_MS, .jitter = 30 * NS_PER_MS, .loss = 20000,
			.copy = 10000 };
		struct rng rng = rng_of(seed);

		cfg.plan.rounds = 1 + (uint32_t)rng_below(&rng, 40);
		cfg.plan.interval = (ns_t)(1 + rng_below(&rng, 20)) * 50 * NS_PER_MS;
		begin(cfg, weather, 1 + (unsigned)rng_below(&rng, 20), seed);
		for (unsigned i = 1; i < length; i++) {
			path[i].silent = rng_below(&rng, 6) == 0;
			path[i].loss = (unsigned)rng_below(&rng, 400000);
			path[i].rations = rng_below(&rng, 4) == 0;
			path[i].slow = rng_below(&rng, 8) == 0 ? (ns_t)rng_below(&rng, 3000) * NS_PER_MS : 0;
			path[i].balance = rng_below(&rng, 4) == 0 ? BY_PACKET : ONE_WAY;
		}
		run();
		struct path p = found();

		unsigned end = length; /* the least that took an answer from the target */

		while (end <= HOPS && fates[end].received + fates[end].late == 0)
			end++;
		assert_int_equal(p.reached, end <= HOPS);
		if (end <= HOPS)
			assert_int_equal(p.hops, end);
		for (unsigned ttl = 1; ttl <= p.hops; ttl++)
			assert_hop(ttl, (unsigned)p.hops);
		assert_pace();
	}
}

static void nothing_goes_past_the_target_but_what_was_under_way_before_it_answered(void **state)
{
	(void)state;
	struct trace_cfg cfg = usual();
	struct net_cfg weather = { .delay = 20 * NS_PER_MS };

	cfg.plan.rounds = 20;
	begin(cfg, weather, 5, 1);
	run();
	for (unsigned ttl = 1; ttl <= 5; ttl++)
		assert_int_equal(fates[ttl].sent, 20);
	/* 100 ms back from the target: three steps of 33 ms. */
	for (unsigned ttl = 6; ttl <= HOPS; ttl++)
		assert_int_equal(fates[ttl].sent, ttl <= 8 ? 1 : 0);
	assert_int_equal(found().hops, 5);
	assert_true(net.now < START + 20 * NS_PER_S);
}

static void routers_that_ration_are_marked_where_they_are_asked_too_often_and_lose_nothing_else(void **state)
{
	(void)state;
	for (int slow = 0; slow < 2; slow++) {
		struct trace_cfg cfg = usual();
		struct net_cfg weather = { .delay = 3 * NS_PER_MS };

		cfg.plan.rounds = 60;
		cfg.plan.interval = slow ? NS_PER_S : 100 * NS_PER_MS;
		begin(cfg, weather, 6, 2);
		path[2].rations = path[4].rations = true;
		run();
		for (unsigned ttl = 1; ttl <= 6; ttl++) {
			struct path_hop h = found_hop(ttl);
			bool rations = !slow && (ttl == 2 || ttl == 4);

			assert_int_equal(h.rate_limited, rations);
			/* Six, and one in each of the six seconds. */
			assert_int_equal(h.figures.received, rations ? 11 : 60);
		}
		assert_int_equal(found().reached, 1);
	}
}

static void loss_on_the_wire_is_not_taken_for_rationing(void **state)
{
	(void)state;
	struct trace_cfg cfg = usual();
	struct net_cfg weather = { .delay = 3 * NS_PER_MS };

	cfg.plan.rounds = 300;
	cfg.plan.interval = 100 * NS_PER_MS;
	begin(cfg, weather, 5, 3);
	/* The wire behind router 3 loses every second one: no hop before it loses any, all behind it do. */
	path[3].loss = path[4].loss = path[5].loss = 500000;
	run();
	for (unsigned ttl = 1; ttl <= 2; ttl++)
		assert_int_equal(found_hop(ttl).figures.lost, 0);
	assert_false(found_hop(5).rate_limited);
	for (unsigned ttl = 3; ttl <= 5; ttl++)
		assert_true(found_hop(ttl).figures.loss_ppm > 400000);
}

static void routers_that_balance_by_flow_show_one_way_and_those_that_do_by_packet_all(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct trace_cfg cfg = usual();
		struct net_cfg weather = { .delay = 3 * NS_PER_MS };

		cfg.plan.rounds = 30;
		cfg.key[0] = (uint8_t)seed;
		begin(cfg, weather, 5, seed);
		path[2].balance = BY_FLOW;
		path[3].balance = BY_PACKET;
		run();
		assert_int_equal(found_hop(1).n_addresses, 1);
		assert_int_equal(found_hop(2).n_addresses, 1);
		assert_int_equal(found_hop(3).n_addresses, 3);
		assert_int_equal(found().hops, 5);
	}
}

static void silent_hops_are_passed_over_up_to_the_gap(void **state)
{
	(void)state;
	for (unsigned silent = 1; silent <= 10; silent++) {
		struct net_cfg weather = { .delay = 3 * NS_PER_MS };
		bool reached = silent < COURSE_GAP;

		begin(usual(), weather, 3 + silent, silent);
		for (unsigned i = 3; i < 3 + silent; i++)
			path[i].silent = true;
		run();
		struct path p = found();

		assert_int_equal(p.reached, reached);
		assert_int_equal(p.hops, reached ? length : 2 + COURSE_GAP);
		assert_int_equal(p.answered, reached ? length : 2);
		assert_int_equal(p.errors, 0);
		for (unsigned ttl = 3; ttl < 3 + silent && ttl <= p.hops; ttl++) {
			assert_int_equal(found_hop(ttl).n_addresses, 0);
			assert_int_equal(found_hop(ttl).figures.lost, 5);
			assert_false(found_hop(ttl).rate_limited);
		}
		for (unsigned ttl = (unsigned)p.hops + 2; ttl <= HOPS && !reached; ttl++)
			assert_int_equal(fates[ttl].sent, 0);
	}
}

/* A second of delay at each hop: none has answered while the first eight are sent. */
static void a_slow_path_is_followed_to_its_end_in_one_round(void **state)
{
	(void)state;
	struct trace_cfg cfg = usual();
	struct net_cfg weather = { .delay = 60 * NS_PER_MS };

	cfg.plan.rounds = 1;
	begin(cfg, weather, 25, 1);
	for (unsigned i = 1; i < 25; i++)
		path[i].slow = 400 * NS_PER_MS;
	run();
	assert_int_equal(found().reached, 1);
	assert_int_equal(found().hops, 25);
	for (unsigned ttl = 1; ttl <= 25; ttl++)
		assert_int_equal(fates[ttl].sent, 1);
}

static void answers_that_come_too_late_are_late_and_lead_on_all_the_same(void **state)
{
	(void)state;
	struct trace_cfg cfg = usual();
	struct net_cfg weather = { .delay = NS_PER_MS };

	cfg.timeout = 300 * NS_PER_MS;
	begin(cfg, weather, 10, 1);
	for (unsigned i = 1; i < 10; i++)
		path[i].slow = 800 * NS_PER_MS;
	run();
	for (unsigned ttl = 1; ttl < 10; ttl++) {
		assert_int_equal(found_hop(ttl).figures.late, fates[ttl].sent);
		assert_int_equal(found_hop(ttl).n_addresses, 1);
		assert_false(found_hop(ttl).rate_limited);
	}
	assert_int_equal(found().reached, 1);
	assert_int_equal(found().hops, 10);
}

static void a_wall_ends_the_path_until_it_is_gone(void **state)
{
	(void)state;
	struct trace_cfg cfg = usual();
	struct net_cfg weather = { .delay = 3 * NS_PER_MS };

	cfg.plan.rounds = 10;
	begin(cfg, weather, 6, 1);
	wall = 4;
	wall_from = 0;
	wall_to = NS_NEVER;
	run();
	assert_int_equal(found().reached, 0);
	assert_int_equal(found().hops, 4);
	assert_int_equal(found().errors, 10);
	assert_int_equal(found().error.from.ip[2], 3);
	assert_true(fates[5].sent <= 1 && fates[7].sent == 0);

	begin(cfg, weather, 6, 1);
	wall = 4;
	wall_from = 0;
	wall_to = START + 4 * NS_PER_S + NS_PER_S / 2;
	run();
	assert_int_equal(found().reached, 1);
	assert_int_equal(found().hops, 6);
	assert_int_equal(fates[4].refused, 5);
	assert_int_equal(found_hop(4).figures.errors, 5);
	assert_int_equal(found_hop(4).figures.received, 5);
	assert_true(fates[6].sent >= 5);
}

static void one_by_one_there_is_never_a_second_probe_under_way(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct trace_cfg cfg = usual();
		struct net_cfg weather = { .delay = 10 * NS_PER_MS, .loss = 30000 };

		cfg.plan.one_by_one = true;
		cfg.timeout = 900 * NS_PER_MS;
		begin(cfg, weather, 8, seed);
		path[3].silent = true;
		struct ping_event ev;
		struct trace_request q;
		struct net_packet p;

		while (!trace_done(&trace)) {
			while (trace_expire(&trace, net.now, &ev))
				;
			while (net_take(&net, &p))
				deliver(&p, &ev);
			while (trace_next(&trace, net.now, &q)) {
				send_probe(&q);
				assert_int_equal(target.course.in_flight, 1);
			}
			if (!trace_done(&trace))
				net_wait(&net, trace_deadline(&trace));
		}
		assert_int_equal(found().reached, 1);
		assert_int_equal(found().hops, 8);
		assert_int_equal(found_hop(8).figures.sent, 5);
		assert_pace();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_network_did_to_each_hop_is_reported_exactly),
		cmocka_unit_test(nothing_goes_past_the_target_but_what_was_under_way_before_it_answered),
		cmocka_unit_test(routers_that_ration_are_marked_where_they_are_asked_too_often_and_lose_nothing_else),
		cmocka_unit_test(loss_on_the_wire_is_not_taken_for_rationing),
		cmocka_unit_test(routers_that_balance_by_flow_show_one_way_and_those_that_do_by_packet_all),
		cmocka_unit_test(silent_hops_are_passed_over_up_to_the_gap),
		cmocka_unit_test(a_slow_path_is_followed_to_its_end_in_one_round),
		cmocka_unit_test(answers_that_come_too_late_are_late_and_lead_on_all_the_same),
		cmocka_unit_test(a_wall_ends_the_path_until_it_is_gone),
		cmocka_unit_test(one_by_one_there_is_never_a_second_probe_under_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
