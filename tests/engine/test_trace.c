/* SPDX-License-Identifier: MIT */
#include "engine/trace.h"

#include <stdio.h>

#include "core/icmp.h"
#include "echo.h"
#include "guard.h"
#include "rng.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define START (1000 * NS_PER_S)
#define TARGETS 3
#define HOPS 12
#define ID4 0x1234
#define ID6 0xabcd

static struct flight_slot slots[FLIGHT_SLOTS];
static struct score_hists hists[TARGETS * HOPS];

/* An engine, the clock, the request that was built last, and the event that was told last. */
static struct bench {
	struct trace t;
	struct trace_target targets[TARGETS];
	struct place places[TARGETS * HOPS];
	ns_t now;
	struct trace_request q;
	uint8_t request[ECHO_MAX];
	size_t n;
	uint8_t message[ECHO_MAX];
	struct ping_event ev;
} b;

static struct addr addr_of(const char *s)
{
	struct addr a = { .family = 0 };

	assert_true(addr_parse(slice_of(s), &a));
	return a;
}

static struct trace_cfg usual(void)
{
	return (struct trace_cfg){ .plan = { .interval = NS_PER_S, .rounds = 3, .hops = HOPS }, .timeout = 2 * NS_PER_S,
		.size = 56, .key = { 3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3 }, .id = { ID4, ID6 } };
}

/* The targets from @first on: 0 is IPv4, 1 IPv6, 2 IPv4 again. */
static void begin(struct trace_cfg cfg, size_t first, size_t n)
{
	static const char *const names[TARGETS] = { "192.0.2.1", "2001:db8::1", "192.0.2.2" };

	memset(&b, 0, sizeof(b));
	memset(slots, 0, sizeof(slots));
	memset(hists, 0, sizeof(hists));
	for (size_t i = 0; i < n; i++)
		b.targets[i] = (struct trace_target){ .name = names[first + i], .addr = addr_of(names[first + i]) };
	b.now = START;
	trace_init(&b.t, &cfg, &(struct trace_room){ b.targets, b.places, hists, slots, n }, b.now);
}

static const struct addr *to(void)
{
	return &b.targets[b.q.target].addr;
}

static void build(void)
{
	uint8_t payload[ECHO_MAX];
	int family = to()->family;

	flight_payload(&b.t.flight, b.q.wire, payload);
	b.n = icmp_echo_build(family, family == 6 ? ID6 : ID4, b.q.wire, payload, b.t.cfg.size, b.request,
		sizeof(b.request));
	assert_int_equal(b.n, ICMP_HEADER_LEN + b.t.cfg.size);
}

/* Go on to the next deadline and send what is due then. */
static int send_next(void)
{
	while (!trace_next(&b.t, b.now, &b.q)) {
		b.now = trace_deadline(&b.t);
		assert_true(b.now != NS_NEVER);
		while (trace_expire(&b.t, b.now, &b.ev))
			;
	}
	build();
	trace_sent(&b.t, b.q.wire, b.now);
	return b.q.ttl;
}

static struct packet packet_of(enum packet_kind kind, size_t n, const char *from)
{
	return (struct packet){ .kind = kind, .p = b.message, .n = n, .from = from ? addr_of(from) : *to(),
		.stamp = b.now, .user = b.now, .raw = kind == PACKET_MESSAGE, .ttl = 250 };
}

/* The true reply to the request that was built last, arriving now. */
static struct packet reply(void)
{
	return packet_of(PACKET_MESSAGE, echo_reply(to()->family, b.request, b.n, b.message), NULL);
}

/* A router's error about it, as a message or as the error queue tells it. */
static struct packet error(uint8_t type, uint8_t code, const char *from, bool queued)
{
	if (!queued) {
		size_t n = echo_error(type, code, to(), b.request, b.n, SIZE_MAX, b.message);

		return packet_of(PACKET_MESSAGE, n, from);
	}
	memcpy(b.message, b.request, b.n);
	struct packet pkt = packet_of(PACKET_ERROR, b.n, from);

	pkt.to = *to();
	pkt.type = type;
	pkt.code = code;
	return pkt;
}

static const char *router_of(int ttl)
{
	static char name[ADDR_TEXT_MAX];

	snprintf(name, sizeof(name), to()->family == 6 ? "2001:db8:ffff::%d" : "198.51.100.%d", ttl);
	return name;
}

static struct packet expiry(bool queued)
{
	return error(to()->family == 6 ? 3 : 11, 0, router_of(b.q.ttl), queued);
}

static bool hear(struct packet pkt)
{
	struct guard g = guard_of(pkt.p, pkt.n);

	pkt.p = (const uint8_t *)g.p;
	bool event = trace_icmp(&b.t, &pkt, &b.ev);

	guard_free(&g);
	return event;
}

static struct path path_of(size_t target)
{
	struct path p;

	trace_path(&b.t, target, &p);
	return p;
}

static struct path_hop hop_of(size_t target, unsigned ttl)
{
	struct path_hop h;

	trace_hop(&b.t, target, ttl, b.now, &h);
	return h;
}

struct counts {
	int64_t sent, received, lost, in_flight, late, duplicates, corrupt, errors;
};

static void assert_counts(size_t target, unsigned ttl, struct counts want)
{
	struct ping_result r = hop_of(target, ttl).figures;

	assert_int_equal(r.sent, want.sent);
	assert_int_equal(r.received, want.received);
	assert_int_equal(r.lost, want.lost);
	assert_int_equal(r.in_flight, want.in_flight);
	assert_int_equal(r.late, want.late);
	assert_int_equal(r.duplicates, want.duplicates);
	assert_int_equal(r.corrupt, want.corrupt);
	assert_int_equal(r.errors, want.errors);
}

static void assert_address(const struct addr *a, const char *want)
{
	struct addr w = addr_of(want);

	assert_true(addr_same_host(a, &w));
}

/* The whole one's complement sum, as a router that spreads flows sees the checksum field. */
static uint16_t sum_of(const uint8_t *p, size_t n)
{
	uint8_t copy[ECHO_MAX];

	memcpy(copy, p, n);
	copy[2] = copy[3] = 0;
	return echo_sum(copy, n);
}

static void all_probes_to_a_target_have_one_identifier_and_one_checksum(void **state)
{
	(void)state;
	static const size_t sizes[] = { TRACE_SIZE_MIN, 11, 56, 57, 1400 };

	for (size_t i = 0; i < COUNT(sizes); i++)
		for (size_t target = 0; target < 2; target++) {
			struct trace_cfg cfg = usual();
			uint16_t want = 0;
			uint64_t seals[64];

			cfg.size = sizes[i];
			cfg.plan.rounds = 5;
			cfg.key[0] = (uint8_t)i;
			begin(cfg, target, 1);
			for (size_t k = 0; k < 5 * HOPS; k++) {
				send_next();
				hear(expiry(false));
				uint16_t sum = sum_of(b.request, b.n);

				want = k == 0 ? sum : want;
				assert_int_equal(sum, want);
				assert_int_equal(b.request[4] << 8 | b.request[5], target == 1 ? ID6 : ID4);
				if (target == 0)
					assert_int_equal(b.request[2] << 8 | b.request[3], want);
				memcpy(&seals[k], b.request + ICMP_HEADER_LEN, sizeof(seals[k]));
				for (size_t other = 0; other < k; other++)
					assert_true(seals[other] != seals[k]);
			}
		}
}

static void the_checksum_stays_when_the_sequence_numbers_wrap(void **state)
{
	(void)state;
	struct trace_cfg cfg = usual();
	uint16_t want = 0;

	cfg.plan.rounds = 6000;
	begin(cfg, 0, 1);
	for (size_t k = 0; k < 70000; k++) {
		send_next();
		struct packet pkt = expiry(true);

		assert_true(trace_icmp(&b.t, &pkt, &b.ev));
		want = k == 0 ? sum_of(b.request, b.n) : want;
		assert_int_equal(b.q.wire, (uint16_t)(k + 1));
		assert_int_equal(sum_of(b.request, b.n), want);
	}
}

static void a_router_that_tells_of_the_end_of_the_hops_has_answered(void **state)
{
	(void)state;
	for (size_t target = 0; target < 2; target++)
		for (int queued = 0; queued < 2; queued++) {
			begin(usual(), target, 1);
			for (int ttl = 1; ttl <= 3; ttl++) {
				assert_int_equal(send_next(), ttl);
				b.now += ttl * NS_PER_MS;
				assert_true(hear(expiry(queued)));
				assert_int_equal(b.ev.outcome, OUTCOME_REPLY);
				assert_int_equal(b.ev.ttl, ttl);
				assert_int_equal(b.ev.seq, 1);
				assert_int_equal(b.ev.target, 0);
				assert_true(b.ev.rtt == ttl * NS_PER_MS);
				assert_int_equal(b.ev.type, target == 1 ? 3 : 11);
				assert_address(&b.ev.from, router_of(ttl));
				assert_counts(0, (unsigned)ttl, (struct counts){ .sent = 1, .received = 1 });
				struct path_hop h = hop_of(0, (unsigned)ttl);

				assert_int_equal(h.ttl, ttl);
				assert_int_equal(h.n_addresses, 1);
				assert_address(&h.addresses[0], router_of(ttl));
				assert_true(h.figures.rtt_p50 == ttl * NS_PER_MS);
			}
			assert_int_equal(path_of(0).reached, 0);
			assert_int_equal(path_of(0).hops, 3);
			assert_int_equal(path_of(0).answered, 3);
			assert_int_equal(path_of(0).errors, 0);
		}
}

static void the_target_is_reached_where_its_sealed_reply_comes_from(void **state)
{
	(void)state;
	for (size_t target = 0; target < 2; target++) {
		begin(usual(), target, 1);
		for (int ttl = 1; ttl <= 4; ttl++) {
			send_next();
			assert_true(hear(ttl < 4 ? expiry(false) : reply()));
		}
		assert_int_equal(b.ev.outcome, OUTCOME_REPLY);
		assert_int_equal(b.ev.type, 0);
		assert_int_equal(path_of(0).reached, 1);
		assert_int_equal(path_of(0).hops, 4);
		assert_string_equal(path_of(0).target, target == 1 ? "2001:db8::1" : "192.0.2.1");
		assert_string_equal(path_of(0).address, path_of(0).target);
		assert_string_equal(hop_of(0, 2).figures.address, path_of(0).target);
		assert_address(&hop_of(0, 4).addresses[0], path_of(0).target);
		assert_int_equal(send_next(), 1); /* and not the fifth */
		assert_true(b.now == START + NS_PER_S);
	}
}

static void replies_of_probes_that_went_too_far_move_the_target_back(void **state)
{
	(void)state;
	struct packet replies[4];
	uint8_t bytes[4][256];

	begin(usual(), 0, 1);
	for (int ttl = 1; ttl <= 6; ttl++) {
		send_next();
		if (ttl < 3) {
			assert_true(hear(expiry(false)));
			continue;
		}
		replies[ttl - 3] = reply();
		memcpy(bytes[ttl - 3], b.message, replies[ttl - 3].n);
		replies[ttl - 3].p = bytes[ttl - 3];
		replies[ttl - 3].user = replies[ttl - 3].stamp = START + NS_PER_S / 2;
	}
	for (int i = 3; i >= 0; i--) {
		assert_true(hear(replies[i]));
		assert_int_equal(path_of(0).hops, i + 3);
	}
}

static void a_reply_with_other_bytes_is_corrupt_and_reaches_nothing(void **state)
{
	(void)state;
	begin(usual(), 0, 1);
	for (size_t at = ICMP_HEADER_LEN; at < ICMP_HEADER_LEN + 56; at++) {
		struct packet pkt;

		if (at % 12 == 8)
			send_next();
		pkt = reply();
		b.message[at] ^= 0x40;
		echo_fix_sum(4, b.message, pkt.n);
		assert_true(hear(pkt));
		assert_int_equal(b.ev.outcome, OUTCOME_CORRUPT);
	}
	send_next();
	struct packet pkt = reply();

	pkt.n -= 1;
	echo_fix_sum(4, b.message, pkt.n);
	assert_true(hear(pkt));
	assert_int_equal(b.ev.outcome, OUTCOME_CORRUPT);
	pkt = reply();
	b.message[2] ^= 1; /* the checksum alone: a raw socket has not looked */
	assert_true(hear(pkt));
	assert_int_equal(b.ev.outcome, OUTCOME_CORRUPT);
	assert_int_equal(path_of(0).reached, 0);
	assert_int_equal(path_of(0).answered, 0);
	assert_counts(0, (unsigned)b.q.ttl, (struct counts){ .sent = 1, .in_flight = 1, .corrupt = 2 });
	assert_true(hear(reply()));
	assert_int_equal(path_of(0).reached, 1);
}

/* Each of these changes one thing of what would be an answer. */
static void what_is_not_about_a_probe_of_ours_is_not_heard(void **state)
{
	(void)state;
	for (size_t target = 0; target < 2; target++) {
		const char *stranger = target == 1 ? "2001:db8::66" : "192.0.2.66";
		uint8_t expired = target == 1 ? 3 : 11, echo = target == 1 ? 40 : 20;
		struct packet pkt;

		begin(usual(), target, 1);
		send_next();
		pkt = reply();
		pkt.from = addr_of(stranger);
		assert_false(hear(pkt));
		for (int queued = 0; queued < 2; queued++) {
			pkt = error(expired, 0, stranger, queued); /* about another destination */
			if (queued)
				pkt.to = addr_of(stranger);
			else
				b.message[8 + (target == 1 ? 39 : 19)] ^= 1;
			echo_fix_sum(queued ? 6 : to()->family, b.message, pkt.n);
			assert_false(hear(pkt));
			pkt = error(expired, 0, stranger, queued); /* a number that was never sent */
			b.message[(queued ? 0 : 8 + echo) + 6] ^= 0x40;
			echo_fix_sum(queued ? 6 : to()->family, b.message, pkt.n);
			assert_false(hear(pkt));
			pkt = error(target == 1 ? 137 : 5, 1, stranger, queued); /* a redirect */
			assert_false(hear(pkt));
		}
		pkt = error(expired, 0, stranger, false); /* of another program */
		b.message[8 + echo + 4] ^= 1;
		echo_fix_sum(to()->family, b.message, pkt.n);
		assert_false(hear(pkt));
		pkt = reply();
		b.message[5] ^= 1;
		echo_fix_sum(to()->family, b.message, pkt.n);
		assert_false(hear(pkt));
		for (size_t n = 0; n < 8; n++) { /* cut off before its number */
			pkt = error(expired, 0, stranger, true);
			pkt.n = n;
			assert_false(hear(pkt));
		}
		assert_counts(0, 1, (struct counts){ .sent = 1, .in_flight = 1 });
		assert_int_equal(path_of(0).answered, 0);
	}
}

static void a_reply_with_the_number_of_a_probe_to_another_target_is_nobodys(void **state)
{
	(void)state;
	begin(usual(), 0, 3);
	while (b.q.target != 2)
		send_next();
	struct packet pkt = reply();

	pkt.from = b.targets[0].addr;
	assert_false(hear(pkt));
	pkt = expiry(true);
	pkt.to = b.targets[0].addr;
	assert_false(hear(pkt));
	assert_true(hear(expiry(true)));
	assert_int_equal(b.ev.target, 2);
}

static void a_second_answer_to_one_probe_is_a_duplicate_and_counts_no_more(void **state)
{
	(void)state;
	begin(usual(), 0, 1);
	send_next();
	assert_true(hear(expiry(false)));
	for (int i = 0; i < 3; i++) {
		struct packet pkt = error(11, 0, "203.0.113.9", false); /* and it adds no address */

		assert_true(hear(pkt));
		assert_int_equal(b.ev.outcome, OUTCOME_DUPLICATE);
	}
	assert_counts(0, 1, (struct counts){ .sent = 1, .received = 1, .duplicates = 3 });
	assert_int_equal(hop_of(0, 1).n_addresses, 1);
	assert_false(hear(error(3, 1, "203.0.113.9", false)));
	assert_counts(0, 1, (struct counts){ .sent = 1, .received = 1, .duplicates = 3 });
	assert_int_equal(path_of(0).errors, 0);
}

static void several_routers_at_one_place_are_all_listed(void **state)
{
	(void)state;
	begin(usual(), 0, 1);
	for (int round = 1; round <= 3; round++)
		do {
			const char *second = round == 2 ? "203.0.113.2" : "203.0.113.1";

			send_next();
			assert_true(hear(b.q.ttl == 2 ? error(11, 0, second, round == 3) :
					 b.q.ttl == 3 ? reply() : expiry(false)));
		} while (b.q.ttl < 3);
	struct path_hop h = hop_of(0, 2);

	assert_int_equal(h.n_addresses, 2);
	assert_address(&h.addresses[0], "203.0.113.1");
	assert_address(&h.addresses[1], "203.0.113.2");
	assert_counts(0, 2, (struct counts){ .sent = 3, .received = 3 });
}

static void an_unreachable_is_a_wall_and_says_who_and_why(void **state)
{
	(void)state;
	static const struct {
		size_t target;
		uint8_t type, code;
		const char *text;
	} rows[] = {
		{ 0, 3, 0, "Destination Net Unreachable" },
		{ 0, 3, 1, "Destination Host Unreachable" },
		{ 0, 3, 13, "Packet filtered" },
		{ 0, 3, 4, "Frag needed and DF set" },
		{ 0, 11, 1, "Frag reassembly time exceeded" },
		{ 1, 1, 0, "Destination unreachable: No route" },
		{ 1, 1, 1, "Destination unreachable: Administratively prohibited" },
		{ 1, 2, 0, "Packet too big" },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		for (int queued = 0; queued < 2; queued++) {
			begin(usual(), rows[i].target, 1);
			send_next();
			assert_true(hear(expiry(queued)));
			send_next();
			assert_true(hear(error(rows[i].type, rows[i].code, router_of(1), queued)));
			assert_int_equal(b.ev.outcome, OUTCOME_ERROR);
			assert_string_equal(b.ev.text, rows[i].text);
			assert_int_equal(b.ev.type, rows[i].type);
			assert_int_equal(b.ev.code, rows[i].code);
			assert_true(b.ev.rtt == UNKNOWN);
			assert_counts(0, 2, (struct counts){ .sent = 1, .lost = 1, .errors = 1 });
			struct path p = path_of(0);

			assert_int_equal(p.reached, 0);
			assert_int_equal(p.hops, 2);
			assert_int_equal(p.answered, 2);
			assert_int_equal(p.errors, 1);
			assert_string_equal(p.error.text, rows[i].text);
			assert_address(&p.error.from, router_of(1));
			assert_int_equal(send_next(), 1); /* nothing is behind it */
		}
}

static void what_the_target_itself_refuses_has_reached_it(void **state)
{
	(void)state;
	begin(usual(), 0, 1);
	send_next();
	assert_true(hear(error(3, 10, "192.0.2.1", false)));
	assert_int_equal(path_of(0).reached, 1);
	assert_int_equal(path_of(0).errors, 1);
	assert_string_equal(path_of(0).error.text, "Destination Host Prohibited");
}

static void a_router_with_the_targets_address_that_passes_probes_on_is_not_the_target(void **state)
{
	(void)state;
	begin(usual(), 0, 1);
	send_next();
	assert_true(hear(error(11, 0, "192.0.2.1", false)));
	assert_int_equal(path_of(0).reached, 0);
	assert_int_equal(send_next(), 2);
	assert_true(hear(reply()));
	assert_int_equal(path_of(0).hops, 2);
	assert_int_equal(path_of(0).reached, 1);
}

static void an_answer_after_the_timeout_is_late_and_no_loss(void **state)
{
	(void)state;
	for (int queued = 0; queued < 2; queued++) {
		begin(usual(), 0, 1);
		send_next();
		b.now += 2 * NS_PER_S;
		assert_true(trace_expire(&b.t, b.now, &b.ev));
		assert_int_equal(b.ev.outcome, OUTCOME_LOST);
		assert_int_equal(b.ev.ttl, 1);
		assert_true(b.ev.rtt == UNKNOWN);
		assert_counts(0, 1, (struct counts){ .sent = 1, .lost = 1 });
		assert_true(hear(expiry(queued)));
		assert_int_equal(b.ev.outcome, OUTCOME_LATE);
		assert_counts(0, 1, (struct counts){ .sent = 1, .late = 1 });
		assert_int_equal(hop_of(0, 1).n_addresses, 1);
		assert_int_equal(path_of(0).answered, 1);
		assert_true(hear(expiry(queued)));
		assert_int_equal(b.ev.outcome, OUTCOME_DUPLICATE);
	}
}

/* A router takes three seconds to find out that nobody has an address. */
static void a_late_error_still_says_why_the_probe_was_lost(void **state)
{
	(void)state;
	begin(usual(), 0, 1);
	send_next();
	assert_true(hear(expiry(true)));
	send_next();
	b.now += 3 * NS_PER_S;
	while (trace_expire(&b.t, b.now, &b.ev))
		;
	assert_counts(0, 2, (struct counts){ .sent = 1, .lost = 1 });
	assert_true(hear(error(3, 1, router_of(1), true)));
	assert_int_equal(b.ev.outcome, OUTCOME_ERROR);
	assert_counts(0, 2, (struct counts){ .sent = 1, .lost = 1, .errors = 1 });
	assert_string_equal(path_of(0).error.text, "Destination Host Unreachable");
	assert_int_equal(path_of(0).hops, 2);
	assert_false(hear(error(3, 1, router_of(1), true))); /* once is enough */
	assert_true(hear(expiry(true))); /* and late it may even be answered */
	assert_counts(0, 2, (struct counts){ .sent = 1, .late = 1 });
	assert_int_equal(path_of(0).errors, 0);
	while (b.q.ttl != 1)
		send_next();
	while (send_next() != 2)
		;
	assert_true(hear(error(3, 13, router_of(1), true))); /* the error that was made up for is none to tell of */
	assert_int_equal(path_of(0).errors, 1);
	assert_string_equal(path_of(0).error.text, "Packet filtered");
}

static void stamps(ns_t sched, ns_t left)
{
	struct packet pkt = { .kind = PACKET_SCHED, .stamp = b.now + sched, .id = b.q.wire };

	if (sched > 0)
		assert_false(trace_icmp(&b.t, &pkt, &b.ev));
	pkt.kind = PACKET_LEFT;
	pkt.stamp = b.now + left;
	if (left > 0)
		assert_false(trace_icmp(&b.t, &pkt, &b.ev));
}

static void round_trips_are_taken_from_the_kernels_stamps_where_they_can_be_true(void **state)
{
	(void)state;
	static const struct {
		ns_t sched, left, stamp, user; /* after the send; stamp 0: none */
		enum stamps want;
		ns_t rtt, queue;
	} rows[] = {
		{ 2000, 5000, 900000, 910000, STAMPS_KERNEL_TXRX, 896500, 3000 }, /* it left in the middle of the two */
		{ 2000, 0, 900000, 910000, STAMPS_KERNEL_TXRX, 898000, UNKNOWN },
		{ 0, 0, 900000, 910000, STAMPS_KERNEL_RX, 900000, UNKNOWN },
		{ 0, 5000, 900000, 910000, STAMPS_KERNEL_RX, 900000, UNKNOWN },
		{ 2000, 5000, 0, 910000, STAMPS_USER, 910000, 3000 },
		{ 0, 0, 0, 910000, STAMPS_USER, 910000, UNKNOWN },
		{ 2000, 5000, 950000000, 910000, STAMPS_USER, 910000, 3000 }, /* across a step of the clock */
		{ 2000, 5000, 1000, 910000, STAMPS_USER, 910000, 3000 },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		for (int kind = 0; kind < 3; kind++) {
			begin(usual(), 0, 1);
			send_next();
			stamps(rows[i].sched, rows[i].left);
			struct packet pkt = kind == 2 ? reply() : expiry(kind);

			pkt.user = b.now + rows[i].user;
			pkt.kernel_stamp = rows[i].stamp > 0;
			pkt.stamp = b.now + rows[i].stamp;
			assert_true(hear(pkt));
			assert_int_equal(b.ev.stamps, rows[i].want);
			assert_true(b.ev.rtt == rows[i].rtt);
			assert_true(b.ev.queue == rows[i].queue);
			assert_int_equal(hop_of(0, 1).figures.stamps, rows[i].want);
			assert_true(hop_of(0, 1).figures.host_queue_p50 == UNKNOWN || rows[i].queue != UNKNOWN);
		}
}

/* 24012, class 5, TTL 1; below it 17, the bottom, TTL 254. */
static const uint8_t labels[] = { 0x20, 0, 0, 0, 0, 12, 1, 1, 0x05, 0xdc, 0xca, 0x01, 0x00, 0x01, 0x11, 0xfe };

/* A quote of 128 bytes, and the labels behind it. */
static struct packet with_labels(bool queued, bool marked)
{
	struct packet pkt = expiry(queued);
	size_t header = to()->family == 6 ? 40 : 20, at = queued ? 128 - header : 8 + 128;
	uint8_t seal[sizeof(labels)];

	memcpy(seal, labels, sizeof(labels));
	uint16_t sum = echo_sum(seal, sizeof(seal));

	seal[2] = (uint8_t)(sum >> 8);
	seal[3] = (uint8_t)sum;
	memset(b.message + pkt.n, 0, at - pkt.n);
	memcpy(b.message + at, seal, sizeof(seal));
	pkt.n = at + sizeof(seal);
	if (queued)
		pkt.ext = marked ? at : 0;
	else if (marked)
		b.message[to()->family == 6 ? 4 : 5] = to()->family == 6 ? 16 : 32;
	if (!queued)
		echo_fix_sum(to()->family, b.message, pkt.n);
	return pkt;
}

static void mpls_labels_are_found_on_either_socket_told_or_not(void **state)
{
	(void)state;
	for (size_t target = 0; target < 2; target++)
		for (int how = 0; how < 4; how++) {
			begin(usual(), target, 1);
			send_next();
			assert_int_equal(hop_of(0, 1).n_labels, 0);
			assert_true(hear(with_labels(how & 1, how & 2)));
			struct path_hop h = hop_of(0, 1);

			assert_int_equal(h.n_labels, 2);
			assert_int_equal(h.labels[0].label, 24012);
			assert_int_equal(h.labels[0].tc, 5);
			assert_false(h.labels[0].bottom);
			assert_int_equal(h.labels[0].ttl, 1);
			assert_int_equal(h.labels[1].label, 17);
			assert_true(h.labels[1].bottom);
		}
}

static void what_this_machine_refuses_to_send_is_lost_by_an_error_of_its_own(void **state)
{
	(void)state;
	begin(usual(), 0, 1);
	send_next();
	assert_true(trace_failed(&b.t, b.q.wire, "Operation not permitted", &b.ev));
	assert_int_equal(b.ev.outcome, OUTCOME_ERROR);
	assert_int_equal(b.ev.from.family, 0);
	assert_int_equal(b.ev.ttl, 1);
	assert_string_equal(b.ev.text, "Operation not permitted");
	assert_counts(0, 1, (struct counts){ .sent = 1, .lost = 1, .errors = 1 });
	assert_false(trace_failed(&b.t, b.q.wire, "Operation not permitted", &b.ev));
	struct path p = path_of(0);

	assert_int_equal(p.reached + p.answered, 0);
	assert_int_equal(p.errors, 1);
	assert_int_equal(p.error.from.family, 0);
}

static struct packet tcp_error(uint8_t type, uint8_t code, const char *from)
{
	struct packet pkt = error(type, code, from, true);

	memset(b.message, 0xee, pkt.n); /* a TCP header: its number is no business of ours */
	pkt.to.port = 443;
	return pkt;
}

static void a_transport_that_knows_its_own_answers_is_believed(void **state)
{
	(void)state;
	struct trace_cfg cfg = usual();
	struct packet pkt;

	cfg.plan.one_by_one = true;
	begin(cfg, 0, 1);
	b.targets[0].addr.port = 443;
	send_next();
	b.now += NS_PER_MS;
	pkt = tcp_error(11, 0, router_of(1));
	pkt.kernel_stamp = true;
	pkt.stamp -= 1000;
	assert_true(trace_error(&b.t, b.q.wire, &pkt, &b.ev));
	assert_int_equal(b.ev.outcome, OUTCOME_REPLY);
	assert_int_equal(b.ev.stamps, STAMPS_KERNEL_RX);
	assert_true(b.ev.rtt == NS_PER_MS - 1000);
	send_next();
	b.now += 2 * NS_PER_MS;
	assert_true(trace_answered(&b.t, b.q.wire, b.now, 1500000, &b.ev));
	assert_true(b.ev.rtt == 1500000);
	assert_true(b.ev.connect == 2 * NS_PER_MS);
	assert_int_equal(b.ev.stamps, STAMPS_KERNEL_TXRX);
	assert_address(&b.ev.from, "192.0.2.1");
	assert_int_equal(path_of(0).reached, 1);
	assert_int_equal(path_of(0).hops, 2);
	send_next();
	pkt = tcp_error(3, 13, router_of(1));
	assert_true(trace_error(&b.t, b.q.wire, &pkt, &b.ev));
	assert_int_equal(b.ev.outcome, OUTCOME_ERROR);
	assert_int_equal(send_next(), 2);
	assert_true(trace_answered(&b.t, b.q.wire, b.now + 700, UNKNOWN, &b.ev)); /* refused: no handshake */
	assert_true(b.ev.rtt == 700);
	assert_int_equal(b.ev.stamps, STAMPS_USER);
	send_next();
	assert_true(trace_answered(&b.t, b.q.wire, b.now + 700, 800, &b.ev)); /* one that cannot be */
	assert_int_equal(b.ev.stamps, STAMPS_USER);
}

static void labels_behind_a_quoted_tcp_header_are_read_too(void **state)
{
	(void)state;
	for (size_t target = 0; target < 2; target++) {
		begin(usual(), target, 1);
		send_next();
		struct packet pkt = with_labels(true, true);

		memset(b.message, 0xee, 20);
		assert_true(trace_error(&b.t, b.q.wire, &pkt, &b.ev));
		assert_int_equal(hop_of(0, 1).n_labels, 2);
	}
}

static void probes_are_given_up_in_their_order_each_at_its_own_time(void **state)
{
	(void)state;
	begin(usual(), 0, 1);
	for (int ttl = 1; ttl <= 8; ttl++)
		assert_int_equal(send_next(), ttl);
	for (int ttl = 1; ttl <= 8; ttl++) {
		ns_t due = START + (ttl - 1) * 50 * NS_PER_MS + 2 * NS_PER_S;

		assert_true(trace_deadline(&b.t) == due);
		assert_false(trace_expire(&b.t, due - 1, &b.ev));
		assert_true(trace_expire(&b.t, due, &b.ev));
		assert_int_equal(b.ev.ttl, ttl);
		assert_false(trace_done(&b.t));
		b.now = due;
	}
	assert_true(trace_next(&b.t, b.now, &b.q)); /* the second round was due already */
	assert_int_equal(b.q.ttl, 1);
}

static void runs_of_losses_are_those_of_one_hop(void **state)
{
	(void)state;
	struct trace_cfg cfg = usual();

	cfg.plan.rounds = 6;
	begin(cfg, 0, 1);
	for (int round = 1; round <= 6; round++)
		for (int ttl = 1; ttl <= 2; ttl++) {
			send_next();
			if (ttl == 2)
				assert_true(hear(reply()));
			else if (round == 1 || round == 5)
				assert_true(hear(expiry(false)));
		}
	while (!trace_done(&b.t)) {
		b.now = trace_deadline(&b.t);
		while (trace_expire(&b.t, b.now, &b.ev))
			;
	}
	struct ping_result r = hop_of(0, 1).figures;

	assert_int_equal(r.lost, 4);
	assert_int_equal(r.loss_runs, 2);
	assert_int_equal(r.loss_run_max, 3);
	assert_int_equal(hop_of(0, 2).figures.loss_runs, 0);
	assert_true(hop_of(0, 1).rate_limited);
	assert_false(hop_of(0, 2).rate_limited);
}

static void a_stopped_trace_sends_no_more_and_is_done_when_nothing_is_under_way(void **state)
{
	(void)state;
	begin(usual(), 0, 1);
	send_next();
	trace_stop(&b.t);
	assert_false(trace_next(&b.t, b.now + NS_PER_S, &b.q));
	assert_true(trace_deadline(&b.t) == START + 2 * NS_PER_S);
	assert_false(trace_done(&b.t));
	assert_true(hear(expiry(false)));
	assert_true(trace_done(&b.t));
}

static void before_anything_was_sent_there_is_nothing_to_tell(void **state)
{
	(void)state;
	begin(usual(), 0, 1);
	struct path p = path_of(0);

	assert_int_equal(p.hops + p.answered + p.reached + p.errors, 0);
	assert_false(trace_done(&b.t));
	assert_true(trace_deadline(&b.t) == START);
	struct path_hop h = hop_of(0, 1);

	assert_int_equal(h.figures.sent, 0);
	assert_true(h.figures.loss_ppm == UNKNOWN && h.figures.rtt_min == UNKNOWN);
	assert_int_equal(h.n_addresses + h.n_labels, 0);
}

static void several_targets_take_turns_within_a_step(void **state)
{
	(void)state;
	begin(usual(), 0, 3);
	for (int i = 0; i < 9; i++) {
		int ttl = send_next();

		assert_int_equal(b.q.target, i % 3);
		assert_int_equal(ttl, i / 3 + 1);
		assert_true(b.now == START + i / 3 * 50 * NS_PER_MS + i % 3 * (50 * NS_PER_MS) / 3);
		assert_true(hear(ttl == 2 && b.q.target == 1 ? reply() : expiry(b.q.target == 0)));
		if (ttl == 2 && b.q.target == 1)
			break;
	}
	assert_int_equal(path_of(1).reached, 1);
	assert_int_equal(path_of(0).reached, 0);
	assert_int_equal(path_of(1).hops, 2);
	for (int i = 0; i < 6; i++) {
		send_next();
		assert_int_not_equal(b.q.target, 1);
		assert_true(hear(expiry(false)));
	}
}

/* Whatever comes: what was sent is somewhere, and nothing is counted twice. */
static void noise_never_breaks_the_sums(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 10; seed++) {
		struct rng rng = rng_of(seed);

		begin(usual(), 0, 3);
		for (int i = 0; i < 500; i++) {
			struct packet pkt;
			int64_t sent = 0;

			if (rng_below(&rng, 3) == 0 && trace_deadline(&b.t) != NS_NEVER) {
				b.now = ns_max(b.now, trace_deadline(&b.t));
				while (trace_expire(&b.t, b.now, &b.ev))
					;
				if (trace_next(&b.t, b.now, &b.q)) {
					build();
					trace_sent(&b.t, b.q.wire, b.now);
				}
			}
			if (b.n == 0)
				continue;
			bool queued = rng_below(&rng, 2);

			uint8_t type = (uint8_t)rng_below(&rng, 14), code = (uint8_t)rng_below(&rng, 3);

			pkt = rng_below(&rng, 3) == 0 ? reply() :
							error(type, code, router_of((int)rng_below(&rng, 9)), queued);
			for (uint64_t flips = rng_below(&rng, 3); flips > 0; flips--)
				b.message[rng_below(&rng, pkt.n)] ^= (uint8_t)(1 << rng_below(&rng, 8));
			if (rng_below(&rng, 4) == 0)
				pkt.n = rng_below(&rng, pkt.n + 1);
			pkt.raw = rng_below(&rng, 2);
			pkt.ext = queued ? rng_below(&rng, 200) : 0;
			pkt.user += (ns_t)rng_below(&rng, 1000000);
			hear(pkt);
			for (unsigned k = 0; k < 3 * HOPS; k++) {
				struct path_hop h = hop_of(k / HOPS, k % HOPS + 1);
				const struct ping_result *r = &h.figures;

				assert_true(r->in_flight >= 0 && r->lost >= 0);
				assert_true(r->errors >= 0 && r->errors <= r->lost);
				assert_int_equal(r->sent, r->received + r->lost + r->late + r->in_flight);
				assert_true(h.n_addresses <= PATH_ADDRESSES_MAX && h.n_labels <= ICMP_LABELS_MAX);
				sent += r->in_flight;
			}
			assert_int_equal(sent, b.t.flight.waiting);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_probes_to_a_target_have_one_identifier_and_one_checksum),
		cmocka_unit_test(the_checksum_stays_when_the_sequence_numbers_wrap),
		cmocka_unit_test(a_router_that_tells_of_the_end_of_the_hops_has_answered),
		cmocka_unit_test(the_target_is_reached_where_its_sealed_reply_comes_from),
		cmocka_unit_test(replies_of_probes_that_went_too_far_move_the_target_back),
		cmocka_unit_test(a_reply_with_other_bytes_is_corrupt_and_reaches_nothing),
		cmocka_unit_test(what_is_not_about_a_probe_of_ours_is_not_heard),
		cmocka_unit_test(a_reply_with_the_number_of_a_probe_to_another_target_is_nobodys),
		cmocka_unit_test(a_second_answer_to_one_probe_is_a_duplicate_and_counts_no_more),
		cmocka_unit_test(several_routers_at_one_place_are_all_listed),
		cmocka_unit_test(an_unreachable_is_a_wall_and_says_who_and_why),
		cmocka_unit_test(what_the_target_itself_refuses_has_reached_it),
		cmocka_unit_test(a_router_with_the_targets_address_that_passes_probes_on_is_not_the_target),
		cmocka_unit_test(an_answer_after_the_timeout_is_late_and_no_loss),
		cmocka_unit_test(a_late_error_still_says_why_the_probe_was_lost),
		cmocka_unit_test(round_trips_are_taken_from_the_kernels_stamps_where_they_can_be_true),
		cmocka_unit_test(mpls_labels_are_found_on_either_socket_told_or_not),
		cmocka_unit_test(what_this_machine_refuses_to_send_is_lost_by_an_error_of_its_own),
		cmocka_unit_test(a_transport_that_knows_its_own_answers_is_believed),
		cmocka_unit_test(labels_behind_a_quoted_tcp_header_are_read_too),
		cmocka_unit_test(probes_are_given_up_in_their_order_each_at_its_own_time),
		cmocka_unit_test(runs_of_losses_are_those_of_one_hop),
		cmocka_unit_test(a_stopped_trace_sends_no_more_and_is_done_when_nothing_is_under_way),
		cmocka_unit_test(before_anything_was_sent_there_is_nothing_to_tell),
		cmocka_unit_test(several_targets_take_turns_within_a_step),
		cmocka_unit_test(noise_never_breaks_the_sums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
