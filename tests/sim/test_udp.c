/* SPDX-License-Identifier: MIT */
/* The ping engine and the reflector's on a network that loses, delays and copies, and what neither may believe. */
#include "engine/ping.h"

#include "core/wire.h"
#include "engine/reflect.h"
#include "net.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define START (3 * NS_PER_S)
#define WALL (INT64_C(1800000000) * NS_PER_S)
#define PORT 8080
#define TARGETS 3

enum { TO_HOST, TO_US };

static struct net net;
static struct ping ping;
static struct flight_slot slots[FLIGHT_SLOTS];
static struct ping_target targets[TARGETS];
static struct score_hists hists[TARGETS];
static struct score_more more[TARGETS];
static struct ping_name names[TARGETS];
static struct reflect far;
static struct reflect_counters counters;
static const struct addr us = { .family = 4, .ip = { 10, 0, 0, 100 }, .port = 40000 };

/* How the two ways differ; chance in a million. Each probe is noted, as the network sees it. */
static struct {
	unsigned there, back;
	int64_t lost_there, lost_back;
	ns_t ahead; /* the other clock */
} weather;

static void begin(struct ping_cfg cfg, struct net_cfg net_cfg, size_t n, uint64_t seed)
{
	static const uint8_t key[16] = { 5 };

	net_init(&net, net_cfg, START, seed);
	memset(slots, 0, sizeof(slots));
	memset(targets, 0, sizeof(targets));
	memset(hists, 0, sizeof(hists));
	memset(more, 0, sizeof(more));
	memset(names, 0, sizeof(names));
	memset(&far, 0, sizeof(far));
	memset(&weather, 0, sizeof(weather));
	reflect_init(&far, key, true, &counters);
	for (size_t i = 0; i < n; i++)
		targets[i].addr = (struct addr){ .family = 4, .ip = { 10, 0, 0, (uint8_t)(i + 1) } };
	cfg.id[0] = 0x55aa;
	cfg.port = PORT;
	cfg.wall = WALL;
	ping_init(&ping, &cfg, &(struct ping_room){ targets, more, names, hists, slots, n }, net.now);
}

/* The last byte of the other address goes before each packet. */
static void post(unsigned to, uint8_t host, const uint8_t *p, size_t n)
{
	uint8_t framed[NET_MTU];

	framed[0] = host;
	memcpy(framed + 1, p, n);
	net_send(&net, to, framed, n + 1);
}

static void send_probe(const struct ping_request *q)
{
	uint8_t probe[STAMP_LEN];
	struct addr to = ping_udp_to(&ping, q->wire);

	assert_int_equal(to.port, PORT);
	ping_udp_probe(&ping, q->wire, net.now, probe);
	ping_sent(&ping, q->wire, net.now);
	if (rng_chance(&net.rng, weather.there))
		weather.lost_there++;
	else
		post(TO_HOST, to.ip[3], probe, sizeof(probe));
}

static void reflect(struct net_packet *p)
{
	struct packet pkt = { .kind = PACKET_MESSAGE, .p = p->p + 1, .n = p->n - 1, .from = us, .stamp = net.now,
		.user = net.now, .kernel_stamp = true, .ttl = 250,
		.to = { .family = 4, .ip = { 10, 0, 0, p->p[0] }, .port = PORT } };

	assert_true(reflect_answer(&far, p->p + 1, &pkt, WALL + net.now + weather.ahead, net.now));
	if (rng_chance(&net.rng, weather.back))
		weather.lost_back++;
	else
		post(TO_US, p->p[0], p->p + 1, pkt.n);
}

static struct packet packet_from(uint8_t host, const uint8_t *p, size_t n)
{
	return (struct packet){ .kind = PACKET_MESSAGE, .p = p, .n = n, .stamp = net.now, .user = net.now, .ttl = 60,
		.from = { .family = 4, .ip = { 10, 0, 0, host }, .port = PORT } };
}

static void deliver(struct net_packet *p, struct ping_event *ev)
{
	if (p->to == TO_HOST) {
		reflect(p);
		return;
	}
	struct packet pkt = packet_from(p->p[0], p->p + 1, p->n - 1);

	assert_true(ping_udp(&ping, &pkt, ev));
	assert_int_equal(ev->bytes, STAMP_LEN);
}

static void run(void)
{
	struct ping_event ev;
	struct ping_request q;
	struct net_packet p;

	for (;;) {
		while (ping_expire(&ping, net.now, &ev))
			assert_int_equal(ev.outcome, OUTCOME_LOST);
		while (net_take(&net, &p))
			deliver(&p, &ev);
		while (ping_next(&ping, net.now, &q))
			send_probe(&q);
		if (ping_done(&ping, net.now))
			return;
		net_wait(&net, ping_deadline(&ping));
	}
}

static struct ping_result result(size_t target)
{
	struct ping_result r;

	ping_result(&ping, target, net.now, &r);
	return r;
}

static struct ping_cfg usual(uint64_t count)
{
	return (struct ping_cfg){ .interval = 10 * NS_PER_MS, .timeout = NS_PER_S, .count = count, .first = 0xfffffff1 };
}

/* Probes behind the last answer cannot be told; with these chances there are few, and mostly none. */
static void assert_told(const struct ping_result *r)
{
	int64_t tail = r->lost - r->there.lost - r->back.lost;

	assert_int_equal(r->lost, weather.lost_there + weather.lost_back);
	assert_true(tail >= 0 && tail < 8);
	assert_true(r->there.lost <= weather.lost_there && r->there.lost >= weather.lost_there - tail);
	assert_int_equal(r->there.sent, r->sent - tail);
	assert_int_equal(r->back.sent, r->there.sent - r->there.lost);
}

static void what_is_lost_is_lost_where_it_was(void **state)
{
	(void)state;
	static const unsigned ways[][2] = { { 50000, 0 }, { 0, 50000 }, { 20000, 300000 }, { 0, 0 } };
	int64_t told = 0;

	for (uint64_t seed = 0; seed < 20; seed++) {
		const unsigned *way = ways[seed % COUNT(ways)];

		begin(usual(1000), (struct net_cfg){ .delay = 15 * NS_PER_MS, .jitter = 9 * NS_PER_MS }, 1, seed);
		weather.there = way[0];
		weather.back = way[1];
		weather.ahead = -12345678901;
		run();
		struct ping_result r = result(0);

		assert_told(&r);
		assert_int_equal(r.sent, 1000);
		told += r.lost == r.there.lost + r.back.lost && r.there.lost == weather.lost_there;
		assert_true(r.there.queue_p50 > 3 * NS_PER_MS && r.there.queue_p99 <= 9 * NS_PER_MS);
		assert_true(r.rtt_min >= 30 * NS_PER_MS && r.rtt_max < 48 * NS_PER_MS);
	}
	assert_true(told > 12);
}

static void reordering_is_no_loss_on_either_way(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		begin(usual(1000), (struct net_cfg){ .delay = 5 * NS_PER_MS, .jitter = 60 * NS_PER_MS }, 1, seed);
		weather.there = 30000;
		weather.back = 60000;
		run();
		struct ping_result r = result(0);

		assert_true(r.reordered > 100);
		assert_true(r.there.lost + r.back.lost <= r.lost && r.there.lost + r.back.lost >= r.lost - 8);
		/* At the end some are told to have been lost that were overtaken. */
		assert_true(r.there.lost >= weather.lost_there - 8 && r.there.lost <= weather.lost_there + 8);
	}
}

static void copies_are_neither(void **state)
{
	(void)state;
	begin(usual(1000), (struct net_cfg){ .delay = 5 * NS_PER_MS, .copy = 100000 }, 1, 1);
	run();
	struct ping_result r = result(0);

	assert_true(r.duplicates > 100);
	assert_int_equal(r.there.lost, 0);
	assert_int_equal(r.back.lost, 0);
	assert_int_equal(r.there.sent, 1000);
}

static void each_target_has_ways_of_its_own(void **state)
{
	(void)state;
	int64_t there = 0, back = 0;

	begin(usual(500), (struct net_cfg){ .delay = 5 * NS_PER_MS }, TARGETS, 4);
	weather.there = 100000;
	weather.back = 50000;
	run();
	for (size_t i = 0; i < TARGETS; i++) {
		struct ping_result r = result(i);

		there += r.there.lost;
		back += r.back.lost;
		assert_true(r.there.lost > 20 && r.there.lost < 90 && r.back.lost > 5 && r.back.lost < 60);
	}
	assert_true(there <= weather.lost_there && there >= weather.lost_there - 9);
	assert_true(back <= weather.lost_back && back >= weather.lost_back - 9);
}

static void a_host_that_is_named_twice_is_asked_in_two_sessions(void **state)
{
	(void)state;
	begin(usual(100), (struct net_cfg){ .delay = 5 * NS_PER_MS }, 2, 4);
	targets[1].addr = targets[0].addr;
	run();
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(result(i).received, 100);
		assert_int_equal(result(i).there.lost, 0);
		assert_int_equal(result(i).back.lost, 0);
	}
}

/* One probe that has left, and the answer to it. */
static uint16_t ask(uint8_t answer[STAMP_LEN])
{
	uint8_t probe[STAMP_LEN];
	struct ping_request q;
	struct stamp_answer a = { .seq = 0, .ttl = 255, .error = STAMP_ERROR_UNKNOWN };

	assert_true(ping_next(&ping, net.now, &q));
	ping_udp_probe(&ping, q.wire, net.now, probe);
	ping_sent(&ping, q.wire, net.now);
	assert_true(stamp_read_probe(probe, sizeof(probe), &a.probe));
	a.received = a.sent = a.probe.sent;
	stamp_put_answer(answer, &a);
	net.now += NS_PER_MS;
	return q.wire;
}

static bool hear(struct packet pkt, struct ping_event *ev)
{
	struct guard g = guard_of(pkt.p, pkt.n);

	pkt.p = (const uint8_t *)g.p;
	bool event = ping_udp(&ping, &pkt, ev);

	guard_free(&g);
	return event;
}

static void a_probe_says_the_time_of_day_and_a_session(void **state)
{
	(void)state;
	uint8_t answer[STAMP_LEN];
	struct stamp_answer a;

	begin(usual(0), (struct net_cfg){ .delay = 0 }, 1, 1);
	ask(answer);
	assert_true(stamp_read_answer(answer, sizeof(answer), &a));
	assert_true(a.probe.sent == stamp_of_unix(WALL + START));
	assert_int_equal(a.probe.seq, 0xfffffff1);
	assert_int_equal(a.probe.session, 0x55aa);
	assert_int_equal(a.probe.error, STAMP_ERROR_UNKNOWN);
}

static void only_who_was_asked_at_its_port_can_answer(void **state)
{
	(void)state;
	uint8_t answer[STAMP_LEN];
	struct ping_event ev;

	begin(usual(0), (struct net_cfg){ .delay = 0 }, 1, 1);
	ask(answer);
	struct packet other = packet_from(2, answer, sizeof(answer)), port = packet_from(1, answer, sizeof(answer));
	struct packet family = port;

	port.from.port = PORT + 1;
	family.from.family = 6;
	assert_false(hear(other, &ev));
	assert_false(hear(port, &ev));
	assert_false(hear(family, &ev));
	assert_true(hear(packet_from(1, answer, sizeof(answer)), &ev));
	assert_int_equal(ev.outcome, OUTCOME_REPLY);
	assert_true(ev.rtt == NS_PER_MS);
}

/* Its number is looked up, the rest is compared: the reflector's own words are the only ones that may differ. */
static void a_changed_echo_is_corrupt_or_nobody_s_and_never_an_answer(void **state)
{
	(void)state;
	uint8_t answer[STAMP_LEN];
	struct ping_event ev;

	begin(usual(0), (struct net_cfg){ .delay = 0 }, 1, 1);
	for (size_t at = 0; at < STAMP_LEN; at++) {
		bool number = at >= 24 && at < 28, time = at >= 28 && at < 36, session = at == 14 || at == 15;

		ask(answer);
		answer[at] ^= 0x40;
		bool heard = hear(packet_from(1, answer, sizeof(answer)), &ev);

		assert_int_equal(heard, !number);
		if (heard)
			assert_int_equal(ev.outcome, time || session ? OUTCOME_CORRUPT : OUTCOME_REPLY);
		net.now += 20 * NS_PER_MS;
	}
	assert_int_equal(result(0).corrupt, 10);
}

static void a_corrupt_answer_did_not_arrive(void **state)
{
	(void)state;
	uint8_t answer[STAMP_LEN];
	struct ping_event ev;

	begin(usual(0), (struct net_cfg){ .delay = 0 }, 1, 1);
	for (uint8_t i = 0; i < 9; i++) {
		ask(answer);
		answer[3] = i;
		answer[28] ^= i == 5;
		assert_true(hear(packet_from(1, answer, sizeof(answer)), &ev));
		net.now += 20 * NS_PER_MS;
	}
	net.now += 5 * NS_PER_S;
	assert_true(ping_expire(&ping, net.now, &ev));
	assert_int_equal(result(0).there.lost, 0);
	assert_int_equal(result(0).back.lost, 1);
}

static void every_length_is_read_within_its_bounds_and_short_ones_say_nothing(void **state)
{
	(void)state;
	uint8_t answer[2 * STAMP_LEN] = { 0 };
	struct ping_event ev;

	begin(usual(0), (struct net_cfg){ .delay = 0 }, 1, 1);
	for (size_t n = 0; n <= sizeof(answer); n++) {
		ask(answer);
		assert_int_equal(hear(packet_from(1, answer, n), &ev), n >= 41); /* of TWAMP Light */
		if (n >= 41)
			assert_int_equal(ev.outcome, OUTCOME_REPLY);
		net.now += 20 * NS_PER_MS;
	}
}

static void a_reflector_that_knows_no_sessions_leaves_zeros(void **state)
{
	(void)state;
	uint8_t answer[STAMP_LEN];
	struct ping_event ev;

	begin(usual(0), (struct net_cfg){ .delay = 0 }, 1, 1);
	ask(answer);
	answer[14] = answer[15] = 0;
	assert_true(hear(packet_from(1, answer, sizeof(answer)), &ev));
	assert_int_equal(ev.outcome, OUTCOME_REPLY);
	assert_true(hear(packet_from(1, answer, sizeof(answer)), &ev));
	assert_int_equal(ev.outcome, OUTCOME_DUPLICATE);
}

static void what_the_reflector_says_that_it_took_does_not_shorten_the_round_trip(void **state)
{
	(void)state;
	uint8_t answer[STAMP_LEN];
	struct stamp_answer a;
	struct ping_event ev;

	begin(usual(0), (struct net_cfg){ .delay = 0 }, 1, 1);
	ask(answer);
	assert_true(stamp_read_answer(answer, sizeof(answer), &a));
	a.sent = a.received + (UINT64_C(1) << 22); /* 0.98 ms later */
	stamp_put_answer(answer, &a);
	assert_true(hear(packet_from(1, answer, sizeof(answer)), &ev));
	assert_true(ev.rtt == NS_PER_MS);
}

/* The error queue gives the probe back. */
static struct packet error_of(const uint8_t answer[STAMP_LEN], size_t n, uint8_t code, uint8_t probe[STAMP_LEN])
{
	struct stamp_answer a;

	assert_true(stamp_read_answer(answer, STAMP_LEN, &a));
	stamp_put_probe(probe, &a.probe);
	struct packet pkt = packet_from(9, probe, n);

	pkt.kind = PACKET_ERROR;
	pkt.to = (struct addr){ .family = 4, .ip = { 10, 0, 0, 1 }, .port = PORT };
	pkt.type = 3;
	pkt.code = code;
	return pkt;
}

static void a_closed_port_says_what_to_do(void **state)
{
	(void)state;
	uint8_t answer[STAMP_LEN], probe[STAMP_LEN];
	struct ping_event ev;

	begin(usual(0), (struct net_cfg){ .delay = 0 }, 1, 1);
	ask(answer);
	struct packet elsewhere = error_of(answer, STAMP_LEN, 3, probe);

	elsewhere.to.port++;
	assert_false(hear(elsewhere, &ev));
	assert_false(hear(error_of(answer, 3, 3, probe), &ev));
	assert_true(hear(error_of(answer, 4, 3, probe), &ev));
	assert_int_equal(ev.outcome, OUTCOME_ERROR);
	assert_string_equal(ev.text, "nobody reflects UDP there; start one: sonde serve");
	net.now += 20 * NS_PER_MS;
	ask(answer);
	assert_true(hear(error_of(answer, STAMP_LEN, 1, probe), &ev));
	assert_string_equal(ev.text, "Destination Host Unreachable");
	assert_int_equal(result(0).errors, 2);
	assert_int_equal(result(0).n_kinds, 2);
	assert_int_equal(result(0).there.lost, UNKNOWN);
}

static void a_target_s_own_port_goes_before_the_usual_one(void **state)
{
	(void)state;
	struct ping_request q;

	begin(usual(0), (struct net_cfg){ .delay = 0 }, 1, 1);
	targets[0].addr.port = STAMP_PORT;
	assert_true(ping_next(&ping, net.now, &q));
	assert_int_equal(ping_udp_to(&ping, q.wire).port, STAMP_PORT);
	ping_sent(&ping, q.wire, net.now);
}

/* Whole numbers are compared: one that went round the table is not taken for the one in its slot. */
static void an_answer_to_a_probe_of_long_ago_is_nobody_s(void **state)
{
	(void)state;
	uint8_t first[STAMP_LEN], answer[STAMP_LEN];
	struct ping_cfg cfg = usual(0);
	struct ping_event ev;

	cfg.interval = NS_PER_MS;
	cfg.timeout = NS_PER_MS;
	begin(cfg, (struct net_cfg){ .delay = 0 }, 1, 1);
	uint16_t wire = ask(first);

	for (uint32_t i = 1; i < FLIGHT_SLOTS; i++) {
		ask(answer);
		ping_expire(&ping, net.now, &ev);
	}
	assert_true(hear(packet_from(1, first, sizeof(first)), &ev));
	assert_int_equal(ev.outcome, OUTCOME_LATE);
	ping_expire(&ping, net.now, &ev);
	assert_int_equal(ask(answer), wire);
	assert_false(hear(packet_from(1, first, sizeof(first)), &ev));
}

static void any_bytes_may_come(void **state)
{
	(void)state;
	struct rng rng = rng_of(7);
	uint8_t answer[STAMP_LEN];
	struct ping_event ev;

	begin(usual(0), (struct net_cfg){ .delay = 0 }, 1, 1);
	for (int i = 0; i < 20000; i++) {
		ask(answer);
		for (uint64_t n = rng_below(&rng, 4); n > 0; n--)
			answer[rng_below(&rng, STAMP_LEN)] = (uint8_t)rng_next(&rng);
		struct packet pkt = packet_from(1, answer, rng_below(&rng, 3) > 0 ? STAMP_LEN : rng_below(&rng, STAMP_LEN));

		pkt.to = pkt.from;
		pkt.kind = rng_below(&rng, 4) > 0 ? PACKET_MESSAGE : PACKET_ERROR;
		pkt.type = (uint8_t)rng_below(&rng, 12);
		ping_udp(&ping, &pkt, &ev);
		net.now += 10 * NS_PER_MS;
		struct ping_result r = result(0);

		assert_true(r.there.lost + r.back.lost <= r.lost);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_lost_is_lost_where_it_was),
		cmocka_unit_test(reordering_is_no_loss_on_either_way),
		cmocka_unit_test(copies_are_neither),
		cmocka_unit_test(each_target_has_ways_of_its_own),
		cmocka_unit_test(a_host_that_is_named_twice_is_asked_in_two_sessions),
		cmocka_unit_test(a_probe_says_the_time_of_day_and_a_session),
		cmocka_unit_test(only_who_was_asked_at_its_port_can_answer),
		cmocka_unit_test(a_changed_echo_is_corrupt_or_nobody_s_and_never_an_answer),
		cmocka_unit_test(a_corrupt_answer_did_not_arrive),
		cmocka_unit_test(every_length_is_read_within_its_bounds_and_short_ones_say_nothing),
		cmocka_unit_test(a_reflector_that_knows_no_sessions_leaves_zeros),
		cmocka_unit_test(what_the_reflector_says_that_it_took_does_not_shorten_the_round_trip),
		cmocka_unit_test(a_closed_port_says_what_to_do),
		cmocka_unit_test(a_target_s_own_port_goes_before_the_usual_one),
		cmocka_unit_test(an_answer_to_a_probe_of_long_ago_is_nobody_s),
		cmocka_unit_test(any_bytes_may_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
