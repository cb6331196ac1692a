/* SPDX-License-Identifier: MIT */
#include "engine/ping.h"

#include "core/icmp.h"
#include "echo.h"
#include "guard.h"
#include "rng.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define START (1000 * NS_PER_S)
#define TARGETS 3
#define ID4 0x1234
#define ID6 0xabcd

static struct flight_slot slots[FLIGHT_SLOTS];
static struct score_hists hists[TARGETS];
static struct score_more more[TARGETS];
static struct ping_name names[TARGETS];

/* An engine, the clock, and the request that was built last. */
struct bench {
	struct ping p;
	struct ping_target t[TARGETS];
	ns_t now;
	struct ping_request q;
	uint8_t request[ECHO_MAX];
	size_t n;
	uint8_t message[ECHO_MAX];
	struct ping_event ev;
};

static struct bench bench;

static struct addr addr_of(const char *s)
{
	struct addr a = { .family = 0 };

	assert_true(addr_parse(slice_of(s), &a));
	return a;
}

static struct ping_cfg usual(void)
{
	return (struct ping_cfg){ .interval = NS_PER_S, .timeout = 2 * NS_PER_S, .size = 56,
		.key = { 3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3 }, .id = { ID4, ID6 } };
}

static const char *const texts[TARGETS] = { "192.0.2.1", "2001:db8::1", "192.0.2.2" };

/* Target 0 is IPv4, target 1 IPv6, target 2 IPv4 again. A bit of @pending for each whose name is still looked up. */
static struct bench *begin_pending(struct ping_cfg cfg, size_t n, unsigned pending)
{
	struct bench *b = &bench;

	memset(b, 0, sizeof(*b));
	memset(slots, 0, sizeof(slots));
	memset(hists, 0, sizeof(hists));
	memset(more, 0, sizeof(more));
	memset(names, 0, sizeof(names));
	for (size_t i = 0; i < n; i++) {
		if (!(pending >> i & 1))
			b->t[i].addr = addr_of(texts[i]);
		names[i].text = texts[i];
	}
	b->now = START;
	ping_init(&b->p, &cfg, &(struct ping_room){ b->t, more, names, hists, slots, n }, b->now);
	return b;
}

static struct bench *begin(struct ping_cfg cfg, size_t n)
{
	return begin_pending(cfg, n, 0);
}

static void resolve(struct bench *b, size_t target)
{
	struct addr a = addr_of(texts[target]);

	ping_resolved(&b->p, target, &a, 7 * NS_PER_MS, b->now);
}

static int family_of(const struct bench *b)
{
	return b->t[b->q.target].addr.family;
}

static void build(struct bench *b)
{
	uint8_t payload[ECHO_MAX];
	int family = family_of(b);

	flight_payload(&b->p.flight, b->q.wire, payload);
	b->n = icmp_echo_build(family, family == 6 ? ID6 : ID4, b->q.wire, payload, b->p.cfg.size, b->request,
		sizeof(b->request));
	assert_int_equal(b->n, ICMP_HEADER_LEN + b->p.cfg.size);
}

/* The probe that is due now leaves now. */
static uint16_t send_probe(struct bench *b)
{
	assert_true(ping_next(&b->p, b->now, &b->q));
	build(b);
	ping_sent(&b->p, b->q.wire, b->now);
	return b->q.wire;
}

/* Go on to the next deadline and send what is due then. */
static uint16_t send_next(struct bench *b)
{
	while (!ping_next(&b->p, b->now, &b->q)) {
		b->now = ping_deadline(&b->p);
		while (ping_expire(&b->p, b->now, &b->ev))
			;
	}
	build(b);
	ping_sent(&b->p, b->q.wire, b->now);
	return b->q.wire;
}

/* The true reply to the request that was built last, arriving now. */
static struct packet reply_of(struct bench *b)
{
	size_t n = echo_reply(family_of(b), b->request, b->n, b->message);

	return (struct packet){ .kind = PACKET_MESSAGE, .p = b->message, .n = n, .from = b->t[b->q.target].addr,
		.stamp = b->now, .user = b->now, .raw = true, .ttl = 61 };
}

/* A router's error about it, as a message or as the error queue tells it. */
static struct packet error_of(struct bench *b, uint8_t type, uint8_t code, bool queued)
{
	const struct addr *to = &b->t[b->q.target].addr;
	struct packet pkt = { .kind = PACKET_MESSAGE, .p = b->message, .stamp = b->now, .user = b->now, .raw = true,
		.ttl = 250 };

	pkt.from = addr_of(to->family == 6 ? "2001:db8::ffff" : "192.0.2.254");
	if (queued) {
		memcpy(b->message, b->request, b->n);
		pkt.n = b->n;
		pkt.kind = PACKET_ERROR;
		pkt.to = *to;
		pkt.type = type;
		pkt.code = code;
	} else {
		pkt.n = echo_error(type, code, to, b->request, b->n, SIZE_MAX, b->message);
	}
	return pkt;
}

static bool hear(struct bench *b, struct packet pkt)
{
	struct guard g = guard_of(pkt.p, pkt.n);

	pkt.p = (const uint8_t *)g.p;
	bool event = ping_icmp(&b->p, &pkt, &b->ev);

	guard_free(&g);
	return event;
}

static bool hear_reply(struct bench *b)
{
	return hear(b, reply_of(b));
}

static struct ping_result result(const struct bench *b, size_t target)
{
	struct ping_result r;

	ping_result(&b->p, target, b->now, &r);
	return r;
}

struct counts {
	int64_t sent, received, lost, in_flight, late, duplicates, reordered, corrupt, errors;
};

static void assert_counts(const struct bench *b, size_t target, struct counts want)
{
	struct ping_result r = result(b, target);

	assert_int_equal(r.sent, want.sent);
	assert_int_equal(r.received, want.received);
	assert_int_equal(r.lost, want.lost);
	assert_int_equal(r.in_flight, want.in_flight);
	assert_int_equal(r.late, want.late);
	assert_int_equal(r.duplicates, want.duplicates);
	assert_int_equal(r.reordered, want.reordered);
	assert_int_equal(r.corrupt, want.corrupt);
	assert_int_equal(r.errors, want.errors);
}

static void expire_all(struct bench *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		assert_true(ping_expire(&b->p, b->now, &b->ev));
		assert_int_equal(b->ev.outcome, OUTCOME_LOST);
	}
	assert_false(ping_expire(&b->p, b->now, &b->ev));
}

static void the_first_probe_is_due_at_once_and_the_next_ones_on_absolute_deadlines(void **state)
{
	(void)state;
	struct bench *b = begin(usual(), 1);

	for (int i = 0; i < 100; i++) {
		ns_t due = START + i * NS_PER_S;

		b->now = due - 1;
		assert_false(ping_next(&b->p, b->now, &b->q));
		assert_true(ping_deadline(&b->p) == due);
		b->now = due + i % 7 * 30 * NS_PER_MS; /* a slow process does not push the later ones */
		send_probe(b);
		assert_int_equal(b->q.seq, i + 1);
		assert_int_equal(b->q.target, 0);
		assert_false(ping_next(&b->p, b->now, &b->q));
		assert_true(hear_reply(b));
		assert_false(ping_expire(&b->p, b->now, &b->ev));
	}
}

static void the_targets_of_a_round_are_spread_over_the_interval(void **state)
{
	(void)state;
	struct bench *b = begin(usual(), 3);

	for (unsigned i = 0; i < 12; i++) {
		ns_t due = START + i / 3 * NS_PER_S + i % 3 * 333 * NS_PER_MS; /* in whole milliseconds */

		b->now = due - 1;
		assert_false(ping_next(&b->p, b->now, &b->q));
		b->now = due;
		send_probe(b);
		assert_int_equal(b->q.target, i % 3);
		assert_int_equal(b->q.seq, i / 3 + 1);
		assert_true(hear_reply(b));
		assert_int_equal(b->ev.target, i % 3);
		assert_int_equal(b->ev.seq, i / 3 + 1);
	}
	for (size_t i = 0; i < 3; i++)
		assert_counts(b, i, (struct counts){ .sent = 4, .received = 4 });
}

static void the_first_number_on_the_wire_can_be_chosen(void **state)
{
	(void)state;
	static const uint32_t firsts[] = { 0, 1, 2, 40000, 65535, 65536, 70000, UINT32_MAX };

	for (size_t i = 0; i < COUNT(firsts); i++) {
		struct ping_cfg cfg = usual();

		cfg.first = firsts[i];
		struct bench *b = begin(cfg, 2);
		uint16_t first = firsts[i] == 0 ? 1 : (uint16_t)firsts[i];

		for (unsigned k = 0; k < 10; k++) {
			assert_int_equal(send_next(b), (uint16_t)(first + k));
			assert_int_equal(b->q.seq, k / 2 + 1);
			assert_ptr_equal(ping_target_of(&b->p, b->q.wire), &b->t[k % 2]);
			assert_true(hear_reply(b));
		}
		assert_counts(b, 0, (struct counts){ .sent = 5, .received = 5 });
	}
}

static void wire_numbers_differ_between_targets_and_rounds(void **state)
{
	(void)state;
	static bool seen[FLIGHT_SLOTS];
	struct bench *b = begin(usual(), 3);

	memset(seen, 0, sizeof(seen));
	for (int i = 0; i < 300; i++) {
		uint16_t wire = send_next(b);

		assert_false(seen[wire]);
		seen[wire] = true;
	}
}

static void a_count_ends_the_run_when_the_last_answer_is_there(void **state)
{
	(void)state;
	struct ping_cfg cfg = usual();

	cfg.count = 2;
	struct bench *b = begin(cfg, 2);

	for (int i = 0; i < 4; i++) {
		assert_false(ping_done(&b->p, b->now));
		send_next(b);
		if (i < 3)
			assert_true(hear_reply(b));
	}
	assert_false(ping_next(&b->p, b->now + 100 * NS_PER_S, &b->q));
	assert_false(ping_done(&b->p, b->now));
	assert_true(ping_deadline(&b->p) <= b->now + 2 * NS_PER_S);
	b->q.target = 1;
	b->now += NS_PER_MS;
	assert_true(hear_reply(b));
	assert_true(ping_done(&b->p, b->now));
	assert_false(ping_expire(&b->p, b->now, &b->ev));
	assert_true(ping_deadline(&b->p) == NS_NEVER);
	assert_counts(b, 0, (struct counts){ .sent = 2, .received = 2 });
	assert_counts(b, 1, (struct counts){ .sent = 2, .received = 2 });
}

static void a_count_ends_the_run_when_the_last_probe_is_given_up(void **state)
{
	(void)state;
	struct ping_cfg cfg = usual();

	cfg.count = 1;
	struct bench *b = begin(cfg, 1);

	send_probe(b);
	b->now += 2 * NS_PER_S - 1;
	assert_false(ping_expire(&b->p, b->now, &b->ev));
	assert_false(ping_done(&b->p, b->now));
	b->now = ping_deadline(&b->p);
	assert_true(b->now == START + 2 * NS_PER_S);
	expire_all(b, 1);
	assert_true(ping_done(&b->p, b->now));
	assert_true(ping_deadline(&b->p) == NS_NEVER);
}

static void a_duration_ends_the_run_and_leaves_what_is_in_flight_undecided(void **state)
{
	(void)state;
	struct ping_cfg cfg = usual();

	cfg.duration = 2500 * NS_PER_MS;
	struct bench *b = begin(cfg, 1);

	send_probe(b);
	assert_true(hear_reply(b));
	send_next(b);
	send_next(b);
	assert_true(b->now == START + 2 * NS_PER_S);
	assert_true(ping_deadline(&b->p) == START + cfg.duration);
	assert_false(ping_done(&b->p, START + cfg.duration - 1));
	b->now = START + cfg.duration;
	assert_true(ping_done(&b->p, b->now));
	assert_false(ping_next(&b->p, START + 3 * NS_PER_S, &b->q));
	assert_counts(b, 0, (struct counts){ .sent = 3, .received = 1, .in_flight = 2 });
	assert_int_equal(result(b, 0).loss_ppm, 0);
	assert_int_equal(result(b, 0).elapsed, cfg.duration);
}

static void a_stopped_run_sends_no_more_and_waits_for_what_is_in_flight(void **state)
{
	(void)state;
	struct bench *b = begin(usual(), 1);

	send_probe(b);
	ping_stop(&b->p);
	b->now += NS_PER_S;
	assert_false(ping_next(&b->p, b->now, &b->q));
	assert_false(ping_done(&b->p, b->now));
	assert_true(ping_deadline(&b->p) == START + 2 * NS_PER_S);
	assert_true(hear_reply(b));
	assert_true(ping_done(&b->p, b->now));
	assert_counts(b, 0, (struct counts){ .sent = 1, .received = 1 });
}

static void a_machine_that_slept_does_not_send_all_that_it_missed(void **state)
{
	(void)state;
	struct bench *b = begin(usual(), 1);

	send_probe(b);
	assert_true(hear_reply(b));
	b->now += 3600 * NS_PER_S;
	send_probe(b);
	assert_int_equal(b->q.seq, 2);
	assert_false(ping_next(&b->p, b->now, &b->q));
	ns_t next = b->now + NS_PER_S;

	assert_false(ping_next(&b->p, next - 1, &b->q));
	assert_true(ping_next(&b->p, next, &b->q));
}

static void the_time_that_a_machine_slept_is_part_of_the_run(void **state)
{
	(void)state;
	struct bench *b = begin(usual(), 1);

	send_probe(b);
	b->now += 3600 * NS_PER_S;
	send_probe(b);
	assert_true(result(b, 0).elapsed == 3600 * NS_PER_S);
}

static void a_short_delay_is_caught_up_with(void **state)
{
	(void)state;
	struct ping_cfg cfg = usual();

	cfg.interval = 100 * NS_PER_MS;
	struct bench *b = begin(cfg, 1);

	b->now += 950 * NS_PER_MS;
	for (int i = 0; i < 10; i++)
		send_probe(b);
	assert_false(ping_next(&b->p, b->now, &b->q));
	assert_true(ping_deadline(&b->p) == START + NS_PER_S);
}

static void a_reply_tells_who_when_and_how(void **state)
{
	(void)state;
	struct bench *b = begin(usual(), 2);

	for (size_t i = 0; i < 2; i++) {
		send_next(b);
		b->now += 1234567;
		assert_true(hear_reply(b));
		assert_int_equal(b->ev.outcome, OUTCOME_REPLY);
		assert_int_equal(b->ev.target, i);
		assert_int_equal(b->ev.seq, 1);
		assert_int_equal(b->ev.rtt, 1234567);
		assert_int_equal(b->ev.queue, UNKNOWN);
		assert_int_equal(b->ev.stamps, STAMPS_USER);
		assert_int_equal(b->ev.ttl, 61);
		assert_int_equal(b->ev.bytes, 64);
		assert_true(addr_same_host(&b->ev.from, &b->t[i].addr));
		assert_counts(b, i, (struct counts){ .sent = 1, .received = 1 });
	}
}

static void every_size_of_payload_comes_back_as_ours(void **state)
{
	(void)state;
	static const size_t sizes[] = { 0, 1, 7, 8, 9, 56, 255, 256, 257, 1472, 65507 };

	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct ping_cfg cfg = usual();

		cfg.size = sizes[i];
		struct bench *b = begin(cfg, 2);

		for (int family = 0; family < 2; family++) {
			send_next(b);
			assert_true(hear_reply(b));
			assert_int_equal(b->ev.outcome, OUTCOME_REPLY);
			assert_int_equal(b->ev.bytes, 8 + sizes[i]);
		}
	}
}

static void the_payload_fits_its_place_exactly(void **state)
{
	(void)state;
	static const uint8_t nothing[600];

	for (size_t size = 0; size < sizeof(nothing); size += size < 20 ? 1 : 97) {
		struct ping_cfg cfg = usual();
		struct guard g = guard_of(nothing, size);

		cfg.size = size;
		struct bench *b = begin(cfg, 1);

		send_probe(b);
		flight_payload(&b->p.flight, b->q.wire, (uint8_t *)g.p);
		assert_memory_equal(g.p, b->request + ICMP_HEADER_LEN, size);
		guard_free(&g);
	}
}

static void the_round_trip_begins_with_the_stamp_of_the_send(void **state)
{
	(void)state;
	struct bench *b = begin(usual(), 1);

	assert_true(ping_next(&b->p, b->now, &b->q));
	build(b);
	ping_sent(&b->p, b->q.wire, b->now + 700);
	b->now += 1000;
	assert_true(hear_reply(b));
	assert_int_equal(b->ev.rtt, 300);
}

/* Each returns a packet that is not for us; the probe must stay as it was. */
static struct packet from_another_host(struct bench *b)
{
	struct packet pkt = reply_of(b);

	pkt.from.ip[3] ^= 1;
	return pkt;
}

static struct packet of_another_family(struct bench *b)
{
	struct packet pkt = reply_of(b);

	pkt.from = addr_of("2001:db8::1");
	return pkt;
}

static struct packet with_id(struct bench *b, uint16_t id)
{
	struct packet pkt = reply_of(b);

	b->message[4] = (uint8_t)(id >> 8);
	b->message[5] = (uint8_t)id;
	echo_fix_sum(4, b->message, pkt.n);
	return pkt;
}

static struct packet with_another_id(struct bench *b)
{
	return with_id(b, ID4 + 1);
}

static struct packet with_the_id_of_the_other_socket(struct bench *b)
{
	return with_id(b, ID6);
}

static struct packet with_a_number_never_sent(struct bench *b)
{
	struct packet pkt = reply_of(b);

	b->message[6] ^= 0x40;
	echo_fix_sum(4, b->message, pkt.n);
	return pkt;
}

static struct packet our_own_request(struct bench *b)
{
	struct packet pkt = reply_of(b);

	memcpy(b->message, b->request, b->n);
	return pkt;
}

static struct packet too_short_to_tell(struct bench *b)
{
	struct packet pkt = reply_of(b);

	pkt.n = 7;
	return pkt;
}

static struct packet with_nothing_in_it(struct bench *b)
{
	struct packet pkt = reply_of(b);

	pkt.n = 0;
	return pkt;
}

static struct packet an_error_about_another_host(struct bench *b)
{
	struct packet pkt = error_of(b, 3, 1, false);
	struct addr other = addr_of("192.0.2.77");

	pkt.n = echo_error(3, 1, &other, b->request, b->n, SIZE_MAX, b->message);
	return pkt;
}

static struct packet an_error_about_another_process(struct bench *b)
{
	uint8_t request[128];
	struct packet pkt = error_of(b, 3, 1, false);

	memcpy(request, b->request, b->n);
	request[4] ^= 1;
	pkt.n = echo_error(3, 1, &b->t[0].addr, request, b->n, SIZE_MAX, b->message);
	return pkt;
}

static struct packet an_error_with_a_wrong_sum(struct bench *b)
{
	struct packet pkt = error_of(b, 3, 1, false);

	b->message[2] ^= 0xff;
	return pkt;
}

static struct packet an_error_that_quotes_too_little(struct bench *b)
{
	struct packet pkt = error_of(b, 3, 1, false);

	pkt.n = echo_error(3, 1, &b->t[0].addr, b->request, b->n, 7, b->message);
	return pkt;
}

static struct packet a_redirect(struct bench *b)
{
	return error_of(b, 5, 1, false);
}

static struct packet a_queued_source_quench(struct bench *b)
{
	return error_of(b, 4, 0, true);
}

static struct packet a_queued_error_about_another_host(struct bench *b)
{
	struct packet pkt = error_of(b, 3, 1, true);

	pkt.to.ip[3] ^= 1;
	return pkt;
}

static struct packet a_queued_error_without_a_number(struct bench *b)
{
	struct packet pkt = error_of(b, 3, 1, true);

	pkt.n = 7;
	return pkt;
}

static void what_is_not_for_us_changes_nothing(void **state)
{
	(void)state;
	static struct packet (*const foreign[])(struct bench *) = { from_another_host, of_another_family,
		with_another_id,
		with_the_id_of_the_other_socket, with_a_number_never_sent, our_own_request, too_short_to_tell,
			with_nothing_in_it,
		an_error_about_another_host, an_error_about_another_process, an_error_with_a_wrong_sum,
		an_error_that_quotes_too_little, a_redirect, a_queued_source_quench, a_queued_error_about_another_host,
		a_queued_error_without_a_number };

	for (size_t i = 0; i < COUNT(foreign); i++) {
		struct bench *b = begin(usual(), 1);

		send_probe(b);
		assert_false(hear(b, foreign[i](b)));
		assert_counts(b, 0, (struct counts){ .sent = 1, .in_flight = 1 });
		assert_true(hear_reply(b));
		assert_int_equal(b->ev.outcome, OUTCOME_REPLY);
	}
}

static void a_reply_to_one_target_from_the_address_of_another_is_nobodys(void **state)
{
	(void)state;
	struct bench *b = begin(usual(), 3);
	struct packet pkt;

	send_next(b);
	pkt = reply_of(b);
	pkt.from = b->t[2].addr;
	assert_false(hear(b, pkt));
	assert_counts(b, 0, (struct counts){ .sent = 1, .in_flight = 1 });
	assert_counts(b, 2, (struct counts){ .sent = 0 });
}

/* The seal is in the first eight bytes, the pattern behind: not one of them may be another. */
static void a_reply_with_any_byte_changed_is_corrupt_and_the_probe_still_waits(void **state)
{
	(void)state;
	static const size_t sizes[] = { 1, 8, 56 };

	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct ping_cfg cfg = usual();

		cfg.size = sizes[i];
		struct bench *b = begin(cfg, 1);

		send_probe(b);
		for (size_t at = 0; at < sizes[i]; at++) {
			struct packet pkt = reply_of(b);

			b->message[8 + at] ^= (uint8_t)(1 << at % 8);
			echo_fix_sum(4, b->message, pkt.n);
			assert_true(hear(b, pkt));
			assert_int_equal(b->ev.outcome, OUTCOME_CORRUPT);
			assert_int_equal(b->ev.seq, 1);
			assert_int_equal(b->ev.rtt, UNKNOWN);
			assert_int_equal(b->ev.ttl, 61);
			assert_int_equal(b->ev.bytes, 8 + sizes[i]);
			assert_true(addr_same_host(&b->ev.from, &b->t[0].addr));
		}
		assert_counts(b, 0, (struct counts){ .sent = 1, .in_flight = 1, .corrupt = (int64_t)sizes[i] });
		assert_true(hear_reply(b));
		assert_int_equal(b->ev.outcome, OUTCOME_REPLY);
	}
}

static void a_reply_that_is_longer_or_shorter_than_the_request_is_corrupt(void **state)
{
	(void)state;
	struct bench *b = begin(usual(), 1);

	send_probe(b);
	for (size_t n = 8; n < b->n + 20; n++) {
		struct packet pkt = reply_of(b);

		if (n == b->n)
			continue;
		pkt.n = n;
		for (size_t i = b->n; i < n; i++)
			b->message[i] = (uint8_t)(i - 8);
		echo_fix_sum(4, b->message, n);
		assert_true(hear(b, pkt));
		assert_int_equal(b->ev.outcome, OUTCOME_CORRUPT);
	}
	assert_counts(b, 0, (struct counts){ .sent = 1, .in_flight = 1, .corrupt = 75 });
}

static void a_wrong_checksum_is_seen_on_a_raw_socket(void **state)
{
	(void)state;
	struct bench *b = begin(usual(), 1);
	struct packet pkt;

	send_probe(b);
	pkt = reply_of(b);
	b->message[2] ^= 0x10;
	assert_true(hear(b, pkt));
	assert_int_equal(b->ev.outcome, OUTCOME_CORRUPT);
	pkt.raw = false; /* the kernel has looked already */
	assert_true(hear(b, pkt));
	assert_int_equal(b->ev.outcome, OUTCOME_REPLY);
}

static void a_corrupt_reply_alone_ends_as_a_loss(void **state)
{
	(void)state;
	struct bench *b = begin(usual(), 1);
	struct packet pkt;

	send_probe(b);
	pkt = reply_of(b);
	b->message[20] ^= 1;
	assert_true(hear(b, pkt));
	b->now += 2 * NS_PER_S;
	expire_all(b, 1);
	assert_counts(b, 0, (struct counts){ .sent = 1, .lost = 1, .corrupt = 1 });
}

/* Who sees no packet of ours can guess the identifier and the number, but not the seal. */
static void a_stranger_who_does_not_know_the_key_cannot_forge_a_reply(void **state)
{
	(void)state;
	struct bench *b = begin(usual(), 1);
	uint8_t forged[56];

	send_probe(b);
	struct packet pkt = reply_of(b);

	for (int i = 0; i < 1000; i++) {
		struct ping guess = b->p;

		guess.flight.key[i % 16] ^= (uint8_t)(i / 16 + 1);
		flight_payload(&guess.flight, b->q.wire, forged);
		memcpy(b->message + 8, forged, sizeof(forged));
		echo_fix_sum(4, b->message, pkt.n);
		assert_true(hear(b, pkt));
		assert_int_equal(b->ev.outcome, OUTCOME_CORRUPT);
	}
	assert_counts(b, 0, (struct counts){ .sent = 1, .in_flight = 1, .corrupt = 1000 });
}

static void the_payload_of_one_probe_does_not_answer_another(void **state)
{
	(void)state;
	struct bench *b = begin(usual(), 1);
	uint8_t first[56];

	send_next(b);
	memcpy(first, b->request + 8, sizeof(first));
	send_next(b);
	struct packet pkt = reply_of(b);

	memcpy(b->message + 8, first, sizeof(first));
	echo_fix_sum(4, b->message, pkt.n);
	assert_true(hear(b, pkt));
	assert_int_equal(b->ev.outcome, OUTCOME_CORRUPT);
}

static void silence_is_a_loss_when_the_timeout_is_over_and_not_before(void **state)
{
	(void)state;
	struct bench *b = begin(usual(), 1);

	send_probe(b);
	b->now += 2 * NS_PER_S - 1;
	assert_false(ping_expire(&b->p, b->now, &b->ev));
	b->now++;
	assert_true(ping_expire(&b->p, b->now, &b->ev));
	assert_int_equal(b->ev.outcome, OUTCOME_LOST);
	assert_int_equal(b->ev.target, 0);
	assert_int_equal(b->ev.seq, 1);
	assert_int_equal(b->ev.rtt, UNKNOWN);
	assert_int_equal(b->ev.from.family, 0);
	assert_int_equal(b->ev.ttl, -1);
	assert_false(ping_expire(&b->p, b->now, &b->ev));
	assert_counts(b, 0, (struct counts){ .sent = 1, .lost = 1 });
	assert_int_equal(result(b, 0).loss_ppm, 1000000);
	assert_int_equal(result(b, 0).loss_high_ppm, 1000000);
	assert_int_equal(result(b, 0).rtt_min, UNKNOWN);
	assert_int_equal(result(b, 0).rtt_mean, UNKNOWN);
	assert_int_equal(result(b, 0).rtt_p50, UNKNOWN);
	assert_int_equal(result(b, 0).jitter, UNKNOWN);
}

static void losses_are_told_in_the_order_of_sending(void **state)
{
	(void)state;
	struct ping_cfg cfg = usual();

	cfg.interval = 100 * NS_PER_MS;
	struct bench *b = begin(cfg, 3);

	for (int i = 0; i < 9; i++) {
		send_next(b);
		if (i == 4)
			assert_true(hear_reply(b));
	}
	b->now += 3 * NS_PER_S;
	for (unsigned i = 0; i < 9; i++) {
		if (i == 4)
			continue;
		assert_true(ping_expire(&b->p, b->now, &b->ev));
		assert_int_equal(b->ev.target, i % 3);
		assert_int_equal(b->ev.seq, i / 3 + 1);
	}
	assert_false(ping_expire(&b->p, b->now, &b->ev));
}

static void a_late_reply_takes_the_loss_back_without_being_received(void **state)
{
	(void)state;
	struct bench *b = begin(usual(), 1);

	send_probe(b);
	b->now += 3 * NS_PER_S;
	expire_all(b, 1);
	assert_true(hear_reply(b));
	assert_int_equal(b->ev.outcome, OUTCOME_LATE);
	assert_int_equal(b->ev.rtt, 3 * NS_PER_S);
	assert_counts(b, 0, (struct counts){ .sent = 1, .late = 1 });
	assert_int_equal(result(b, 0).loss_ppm, 0);
	assert_int_equal(result(b, 0).rtt_max, UNKNOWN);
	assert_true(hear_reply(b));
	assert_int_equal(b->ev.outcome, OUTCOME_DUPLICATE);
	assert_counts(b, 0, (struct counts){ .sent = 1, .late = 1, .duplicates = 1 });
}

static void further_replies_are_duplicates_and_do_not_touch_the_round_trips(void **state)
{
	(void)state;
	struct bench *b = begin(usual(), 1);

	send_probe(b);
	b->now += 10 * NS_PER_MS;
	assert_true(hear_reply(b));
	for (int i = 1; i <= 5; i++) {
		b->now += 100 * NS_PER_MS;
		assert_true(hear_reply(b));
		assert_int_equal(b->ev.outcome, OUTCOME_DUPLICATE);
		assert_int_equal(b->ev.rtt, 10 * NS_PER_MS + i * 100 * NS_PER_MS);
	}
	assert_counts(b, 0, (struct counts){ .sent = 1, .received = 1, .duplicates = 5 });
	assert_int_equal(result(b, 0).rtt_max, 10 * NS_PER_MS);
	b->now += 3 * NS_PER_S;
	assert_false(ping_expire(&b->p, b->now, &b->ev));
}

static void a_reply_that_was_overtaken_is_reordered(void **state)
{
	(void)state;
	static const struct {
		uint8_t order[4];
		int64_t reordered;
	} rows[] = { { { 1, 2, 3, 4 }, 0 }, { { 2, 1, 3, 4 }, 1 }, { { 4, 1, 2, 3 }, 3 }, { { 4, 3, 2, 1 }, 3 },
		{ { 1, 3, 2, 4 }, 1 }, { { 2, 1, 4, 3 }, 2 } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct ping_cfg cfg = usual();
		struct bench *b;
		struct ping_request q[4];

		cfg.interval = NS_PER_MS;
		b = begin(cfg, 1);
		for (int k = 0; k < 4; k++) {
			send_next(b);
			q[k] = b->q;
		}
		for (int k = 0; k < 4; k++) {
			b->q = q[rows[i].order[k] - 1];
			build(b);
			assert_true(hear_reply(b));
			assert_int_equal(b->ev.outcome, OUTCOME_REPLY);
		}
		assert_counts(b, 0, (struct counts){ .sent = 4, .received = 4, .reordered = rows[i].reordered });
	}
}

static const struct {
	size_t target; /* 0 IPv4, 1 IPv6 */
	uint8_t type, code;
} final_errors[] = { { 0, 3, 0 }, { 0, 3, 1 }, { 0, 3, 4 }, { 0, 3, 13 }, { 0, 11, 0 }, { 0, 11, 1 }, { 0, 12, 0 },
	{ 1, 1, 0 }, { 1, 1, 3 }, { 1, 2, 0 }, { 1, 3, 0 }, { 1, 4, 1 } };

static struct ping_event told(size_t row, bool queued, struct ping_result *ret)
{
	struct bench *b = begin(usual(), 2);

	do
		send_next(b);
	while (b->q.target != final_errors[row].target);
	b->now += 5 * NS_PER_MS;
	assert_true(hear(b, error_of(b, final_errors[row].type, final_errors[row].code, queued)));
	assert_counts(b, b->q.target, (struct counts){ .sent = 1, .lost = 1, .errors = 1 });
	*ret = result(b, b->q.target);
	return b->ev;
}

static void an_error_says_the_same_as_a_message_and_from_the_error_queue(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(final_errors); i++) {
		struct ping_result r[2];
		struct ping_event seen = told(i, false, &r[0]), queued = told(i, true, &r[1]);

		assert_int_equal(seen.outcome, OUTCOME_ERROR);
		assert_int_equal(queued.outcome, OUTCOME_ERROR);
		assert_int_equal(seen.type, final_errors[i].type);
		assert_int_equal(seen.code, final_errors[i].code);
		assert_int_equal(queued.type, seen.type);
		assert_int_equal(queued.code, seen.code);
		assert_string_equal(seen.text, queued.text);
		assert_int_equal(seen.from.family, final_errors[i].target == 1 ? 6 : 4);
		assert_true(addr_same_host(&seen.from, &queued.from));
		assert_int_equal(seen.rtt, UNKNOWN);
		assert_int_equal(queued.rtt, UNKNOWN);
		assert_int_equal(seen.seq, queued.seq);
		assert_memory_equal(&r[0], &r[1], sizeof(r[0]));
	}
}

/* RFC 792 asks routers for eight bytes of our message, and many quote no more. */
static void an_error_that_quotes_eight_bytes_is_enough(void **state)
{
	(void)state;
	struct bench *b = begin(usual(), 2);

	for (size_t i = 0; i < 2; i++) {
		struct packet pkt;

		send_next(b);
		pkt = error_of(b, i ? 3 : 11, 0, false);
		pkt.n = echo_error(i ? 3 : 11, 0, &b->t[i].addr, b->request, b->n, 8, b->message);
		assert_true(hear(b, pkt));
		assert_int_equal(b->ev.outcome, OUTCOME_ERROR);
		assert_counts(b, i, (struct counts){ .sent = 1, .lost = 1, .errors = 1 });
	}
}

static void a_second_error_about_the_same_probe_does_not_count(void **state)
{
	(void)state;
	for (int both = 0; both < 4; both++) {
		struct bench *b = begin(usual(), 1);

		send_probe(b);
		assert_true(hear(b, error_of(b, 3, 1, both & 1)));
		assert_false(hear(b, error_of(b, 3, 1, both & 2)));
		b->now += 5 * NS_PER_S;
		assert_false(ping_expire(&b->p, b->now, &b->ev));
		assert_counts(b, 0, (struct counts){ .sent = 1, .lost = 1, .errors = 1 });
	}
}

static void an_error_after_the_reply_changes_nothing_and_after_the_loss_says_why(void **state)
{
	(void)state;
	for (int queued = 0; queued < 2; queued++) {
		struct bench *b = begin(usual(), 1);

		send_probe(b);
		assert_true(hear_reply(b));
		assert_false(hear(b, error_of(b, 3, 1, queued)));
		assert_counts(b, 0, (struct counts){ .sent = 1, .received = 1 });
		send_next(b);
		b->now += 2 * NS_PER_S;
		expire_all(b, 1);
		assert_true(hear(b, error_of(b, 3, 1, queued)));
		assert_int_equal(b->ev.outcome, OUTCOME_ERROR);
		assert_counts(b, 0, (struct counts){ .sent = 2, .received = 1, .lost = 1, .errors = 1 });
		assert_false(hear(b, error_of(b, 3, 1, queued)));
	}
}

static void a_reply_in_time_takes_an_error_back(void **state)
{
	(void)state;
	struct bench *b = begin(usual(), 1);

	send_probe(b);
	assert_true(hear(b, error_of(b, 3, 1, false)));
	assert_counts(b, 0, (struct counts){ .sent = 1, .lost = 1, .errors = 1 });
	b->now += 2 * NS_PER_S - 1;
	assert_false(ping_expire(&b->p, b->now, &b->ev));
	assert_true(hear_reply(b));
	assert_int_equal(b->ev.outcome, OUTCOME_REPLY);
	assert_counts(b, 0, (struct counts){ .sent = 1, .received = 1 });
	assert_int_equal(result(b, 0).n_kinds, 0);
	assert_int_equal(result(b, 0).loss_runs, 0);
	assert_true(hear_reply(b));
	assert_int_equal(b->ev.outcome, OUTCOME_DUPLICATE);
}

static void a_reply_out_of_time_after_an_error_is_late(void **state)
{
	(void)state;
	struct bench *b = begin(usual(), 1);

	send_probe(b);
	assert_true(hear(b, error_of(b, 3, 1, false)));
	b->now += 2 * NS_PER_S;
	assert_true(hear_reply(b));
	assert_int_equal(b->ev.outcome, OUTCOME_LATE);
	assert_counts(b, 0, (struct counts){ .sent = 1, .late = 1 });
	assert_int_equal(result(b, 0).n_kinds, 0);
}

static void a_send_that_fails_here_is_a_loss_by_an_error(void **state)
{
	(void)state;
	struct bench *b = begin(usual(), 1);

	assert_true(ping_next(&b->p, b->now, &b->q));
	ping_failed(&b->p, b->q.wire, "Network is unreachable", &b->ev);
	assert_int_equal(b->ev.outcome, OUTCOME_ERROR);
	assert_string_equal(b->ev.text, "Network is unreachable");
	assert_int_equal(b->ev.from.family, 0);
	assert_int_equal(b->ev.seq, 1);
	assert_counts(b, 0, (struct counts){ .sent = 1, .lost = 1, .errors = 1 });
	b->now += 5 * NS_PER_S;
	assert_false(ping_expire(&b->p, b->now, &b->ev));
	send_probe(b);
	assert_true(hear_reply(b));
	assert_counts(b, 0, (struct counts){ .sent = 2, .received = 1, .lost = 1, .errors = 1 });
}

static void another_transport_answers_refuses_and_comes_too_late(void **state)
{
	(void)state;
	struct bench *b = begin(usual(), 1);
	uint16_t wire = send_probe(b);

	assert_true(ping_answered(&b->p, wire, b->now + NS_PER_MS, UNKNOWN, &b->ev));
	assert_int_equal(b->ev.outcome, OUTCOME_REPLY);
	assert_int_equal(b->ev.rtt, NS_PER_MS);
	assert_int_equal(b->ev.stamps, STAMPS_USER);
	assert_int_equal(b->ev.ttl, -1);
	assert_int_equal(b->ev.bytes, 0);
	assert_true(addr_same_host(&b->ev.from, &b->t[0].addr));
	wire = send_next(b);
	assert_true(ping_refused(&b->p, wire, "Connection refused", &b->ev));
	assert_int_equal(b->ev.outcome, OUTCOME_ERROR);
	assert_string_equal(b->ev.text, "Connection refused");
	assert_false(ping_refused(&b->p, wire, "Connection refused", &b->ev));
	wire = send_next(b);
	b->now += 2 * NS_PER_S;
	expire_all(b, 1);
	assert_true(ping_answered(&b->p, wire, b->now, UNKNOWN, &b->ev));
	assert_int_equal(b->ev.outcome, OUTCOME_LATE);
	assert_false(ping_answered(&b->p, (uint16_t)(wire + 100), b->now, UNKNOWN, &b->ev));
	assert_false(ping_refused(&b->p, (uint16_t)(wire + 100), "", &b->ev));
	assert_counts(b, 0, (struct counts){ .sent = 3, .received = 1, .lost = 1, .late = 1, .errors = 1 });
}

static void a_probe_that_is_stamped_again_counts_from_then(void **state)
{
	(void)state;
	struct bench *b = begin(usual(), 1);
	uint16_t wire = send_probe(b);

	ping_restamp(&b->p, wire, b->now + 300 * NS_PER_MS);
	assert_true(ping_answered(&b->p, wire, b->now + 301 * NS_PER_MS, UNKNOWN, &b->ev));
	assert_int_equal(b->ev.rtt, NS_PER_MS);
	wire = send_next(b);
	ping_restamp(&b->p, wire, b->now + 300 * NS_PER_MS);
	assert_false(ping_expire(&b->p, b->now + 2299 * NS_PER_MS, &b->ev));
	assert_true(ping_expire(&b->p, b->now + 2300 * NS_PER_MS, &b->ev));
}

/* Times in us after the send: the queue of our interface, the driver, the wire, our process. */
static const struct {
	const char *what;
	int sched, left, rx, user; /* sched, left, rx: 0 for no kernel stamp */
	enum stamps want;
	int rtt, queue; /* -1: unknown */
} stampings[] = {
	{ "all of them: it left in the middle", 5, 9, 1005, 1010, STAMPS_KERNEL_TXRX, 998, 4 },
	{ "a queue, which is part of the round trip", 5, 405, 1005, 1010, STAMPS_KERNEL_TXRX, 995, 400 },
	{ "no queue at all", 5, 5, 1005, 1010, STAMPS_KERNEL_TXRX, 1000, 0 },
	{ "the send was not stamped", 0, 0, 1005, 1010, STAMPS_KERNEL_RX, 1005, -1 },
	{ "the driver did not stamp", 5, 0, 1005, 1010, STAMPS_KERNEL_TXRX, 1000, -1 },
	{ "the queue did not stamp", 0, 8, 1005, 1010, STAMPS_KERNEL_RX, 1005, -1 },
	{ "the reply was not stamped", 5, 8, 0, 1010, STAMPS_USER, 1010, 3 },
	{ "no stamps", 0, 0, 0, 1010, STAMPS_USER, 1010, -1 },
	{ "the reply was stamped after we had it", 5, 8, 2005, 1010, STAMPS_USER, 1010, 3 },
	{ "the reply was stamped before it was asked for", 500, 510, 400, 1010, STAMPS_USER, 1010, 10 },
	{ "the driver was before the queue", 8, 5, 1005, 1010, STAMPS_KERNEL_TXRX, 997, -1 },
	{ "as long as ours", 5, 9, 1010, 1010, STAMPS_KERNEL_TXRX, 1003, 4 },
};

static void stamp_send(struct bench *b, enum packet_kind kind, int us)
{
	struct packet pkt = { .kind = kind, .id = b->q.wire, .stamp = START + us * NS_PER_US, .kernel_stamp = true,
		.ttl = -1 };

	if (us != 0)
		assert_false(ping_icmp(&b->p, &pkt, &b->ev));
}

static void the_best_pair_of_stamps_counts_and_an_impossible_one_does_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(stampings); i++) {
		struct bench *b = begin(usual(), 1);

		send_probe(b);
		stamp_send(b, PACKET_SCHED, stampings[i].sched);
		stamp_send(b, PACKET_LEFT, stampings[i].left);
		b->now = START + stampings[i].user * NS_PER_US;
		struct packet pkt = reply_of(b);

		if (stampings[i].rx) {
			pkt.kernel_stamp = true;
			pkt.stamp = START + stampings[i].rx * NS_PER_US;
		}
		assert_true(hear(b, pkt));
		assert_int_equal(b->ev.stamps, stampings[i].want);
		assert_int_equal(b->ev.rtt, stampings[i].rtt * NS_PER_US);
		assert_int_equal(b->ev.queue, stampings[i].queue < 0 ? UNKNOWN : stampings[i].queue * NS_PER_US);
		assert_int_equal(result(b, 0).stamps, stampings[i].want);
		assert_int_equal(result(b, 0).rtt_min, stampings[i].rtt * NS_PER_US);
		assert_int_equal(result(b, 0).host_queue_p50 == UNKNOWN, stampings[i].queue < 0);
	}
}

static void a_clock_that_went_back_gives_no_negative_round_trip(void **state)
{
	(void)state;
	struct bench *b = begin(usual(), 1);

	send_probe(b);
	b->now -= 5 * NS_PER_MS;
	assert_true(hear_reply(b));
	assert_int_equal(b->ev.rtt, 0);
	assert_int_equal(b->ev.stamps, STAMPS_USER);
}

static void the_result_names_the_worst_stamps_of_all(void **state)
{
	(void)state;
	struct bench *b = begin(usual(), 1);

	assert_int_equal(result(b, 0).stamps, STAMPS_NONE);
	for (int i = 0; i < 3; i++) {
		send_next(b);
		struct packet sched = { .kind = PACKET_SCHED, .id = b->q.wire, .stamp = b->now, .kernel_stamp = true };

		b->now += NS_PER_US;
		struct packet pkt = reply_of(b);

		pkt.kernel_stamp = i != 1;
		if (i != 2)
			ping_icmp(&b->p, &sched, &b->ev);
		assert_true(hear(b, pkt));
		assert_int_equal(result(b, 0).stamps, i == 0 ? STAMPS_KERNEL_TXRX : STAMPS_USER);
	}
}

static void what_is_in_flight_is_neither_lost_nor_received(void **state)
{
	(void)state;
	struct ping_cfg cfg = usual();

	cfg.interval = 100 * NS_PER_MS;
	struct bench *b = begin(cfg, 1);

	assert_int_equal(result(b, 0).loss_ppm, UNKNOWN);
	for (int i = 0; i < 10; i++) {
		send_next(b);
		if (i < 3)
			assert_true(hear_reply(b));
	}
	assert_counts(b, 0, (struct counts){ .sent = 10, .received = 3, .in_flight = 7 });
	assert_int_equal(result(b, 0).loss_ppm, 0);
	b->now = START + 3 * cfg.interval + cfg.timeout;
	expire_all(b, 1);
	assert_counts(b, 0, (struct counts){ .sent = 10, .received = 3, .lost = 1, .in_flight = 6 });
	assert_int_equal(result(b, 0).loss_ppm, 250000);
	assert_true(result(b, 0).loss_low_ppm < 250000 && result(b, 0).loss_high_ppm > 250000);
}

static void the_change_between_round_trips_is_told_from_the_second_on(void **state)
{
	(void)state;
	static const ns_t rtts[] = { 100 * NS_PER_MS, 130 * NS_PER_MS, 90 * NS_PER_MS };
	static const ns_t ipdv[] = { UNKNOWN, 30 * NS_PER_MS, 40 * NS_PER_MS };
	struct bench *b = begin(usual(), 1);

	for (int i = 0; i < 3; i++) {
		send_next(b);
		b->now += rtts[i];
		assert_true(hear_reply(b));
		ns_t got = result(b, 0).ipdv_p99;

		assert_true(got >= ipdv[i] - ipdv[i] / 256 - 1 && got <= ipdv[i] + ipdv[i] / 256 + (i > 0));
	}
}

static void a_target_without_room_for_distributions_has_percentiles_of_one_round_trip_only(void **state)
{
	(void)state;
	struct bench *b = begin(usual(), 1);

	b->p.room.hists = NULL;
	send_probe(b);
	b->now += NS_PER_MS;
	assert_true(hear_reply(b));
	assert_int_equal(result(b, 0).rtt_mean, NS_PER_MS);
	assert_int_equal(result(b, 0).rtt_p50, NS_PER_MS);
	assert_int_equal(result(b, 0).rtt_p99, NS_PER_MS);
	send_next(b);
	b->now += 3 * NS_PER_MS;
	assert_true(hear_reply(b));
	assert_int_equal(result(b, 0).rtt_mean, 2 * NS_PER_MS);
	assert_int_equal(result(b, 0).rtt_max, 3 * NS_PER_MS);
	assert_int_equal(result(b, 0).rtt_p50, UNKNOWN);
	assert_int_equal(result(b, 0).rtt_p99, UNKNOWN);
	assert_int_equal(result(b, 0).ipdv_p99, UNKNOWN);
}

static void the_result_has_name_and_address_and_no_reason(void **state)
{
	(void)state;
	struct bench *b = begin(usual(), 2);

	assert_string_equal(result(b, 1).target, "2001:db8::1");
	assert_string_equal(result(b, 1).address, "2001:db8::1");
	assert_string_equal(result(b, 0).address, "192.0.2.1");
	assert_string_equal(result(b, 0).reason, "");
	assert_int_equal(result(b, 0).local_drops, UNKNOWN);
	struct ping_result label;

	ping_label(&b->p, 1, &label);
	assert_string_equal(label.target, "2001:db8::1");
	assert_string_equal(label.address, "2001:db8::1");
	assert_string_equal(label.reason, "");
}

static void percentiles_stay_between_the_extremes(void **state)
{
	(void)state;
	struct bench *b = begin(usual(), 1);

	for (int i = 0; i < 3; i++) {
		send_next(b);
		b->now += 123456789;
		assert_true(hear_reply(b));
	}
	assert_int_equal(result(b, 0).rtt_p50, 123456789);
	assert_int_equal(result(b, 0).rtt_p99, 123456789);
}

/* 65,536 numbers under way: nothing more can be told apart until the oldest is decided. */
static void all_numbers_in_use_hold_the_next_probe_back(void **state)
{
	(void)state;
	struct ping_cfg cfg = usual();
	struct ping_request first, fifth;

	cfg.interval = 10 * NS_PER_US;
	cfg.timeout = 100 * NS_PER_S;
	struct bench *b = begin(cfg, 1);

	for (int i = 0; i < FLIGHT_SLOTS; i++) {
		send_probe(b);
		if (i == 0)
			first = b->q;
		if (i == 4)
			fifth = b->q;
		b->now += cfg.interval;
	}
	assert_false(ping_next(&b->p, b->now, &b->q));
	assert_true(ping_deadline(&b->p) == START + cfg.timeout);
	b->q = fifth;
	build(b);
	assert_true(hear_reply(b));
	assert_int_equal(b->ev.seq, 5);
	assert_false(ping_next(&b->p, b->now, &b->q));
	b->q = first;
	build(b);
	assert_true(hear_reply(b));
	assert_int_equal(b->ev.seq, 1);
	assert_false(ping_expire(&b->p, b->now, &b->ev));
	assert_int_equal(send_probe(b), first.wire);
	assert_int_equal(b->q.seq, FLIGHT_SLOTS + 1);
	b->now += cfg.interval;
	assert_false(ping_next(&b->p, b->now, &b->q));
	assert_counts(b, 0, (struct counts){ .sent = FLIGHT_SLOTS + 1, .received = 2, .in_flight = FLIGHT_SLOTS - 1,
		.reordered = 1 });
}

static void the_numbers_go_round_and_every_probe_is_still_told_apart(void **state)
{
	(void)state;
	struct ping_cfg cfg = usual();

	cfg.interval = NS_PER_MS;
	cfg.size = 8;
	struct bench *b = begin(cfg, 2);
	uint64_t sent[2] = { 0, 0 };

	for (int i = 0; i < 3 * FLIGHT_SLOTS; i++) {
		send_next(b);
		assert_int_equal(b->q.seq, ++sent[b->q.target]);
		if (i % 4 == 3)
			continue;
		b->ev.outcome = OUTCOME_N;
		struct packet pkt = reply_of(b);

		assert_true(ping_icmp(&b->p, &pkt, &b->ev));
		assert_int_equal(b->ev.outcome, OUTCOME_REPLY);
		assert_int_equal(b->ev.seq, b->q.seq);
	}
	b->now += 10 * NS_PER_S;
	while (ping_expire(&b->p, b->now, &b->ev))
		;
	assert_counts(b, 0, (struct counts){ .sent = 3 * FLIGHT_SLOTS / 2, .received = 3 * FLIGHT_SLOTS / 2 });
	assert_counts(b, 1, (struct counts){ .sent = 3 * FLIGHT_SLOTS / 2, .received = 3 * FLIGHT_SLOTS / 4,
		.lost = 3 * FLIGHT_SLOTS / 4 });
}

static void each_error_is_counted_under_its_type_code_and_sender(void **state)
{
	(void)state;
	static const struct {
		uint8_t type, code;
		bool queued;
	} rows[] = { { 3, 1, false }, { 11, 0, true }, { 3, 13, false }, { 3, 1, true }, { 3, 1, true },
		{ 11, 0, false } };
	struct bench *b = begin(usual(), 1);

	for (size_t i = 0; i < COUNT(rows); i++) {
		send_next(b);
		assert_true(hear(b, error_of(b, rows[i].type, rows[i].code, rows[i].queued)));
	}
	assert_true(ping_next(&b->p, b->now += NS_PER_S, &b->q));
	ping_failed(&b->p, b->q.wire, "Network is unreachable", &b->ev);
	struct ping_result r = result(b, 0);
	static const struct {
		uint8_t type, code;
		int64_t count;
		int family;
	} want[] = { { 3, 1, 3, 4 }, { 11, 0, 2, 4 }, { 3, 13, 1, 4 }, { 0, 0, 1, 0 } };

	assert_int_equal(r.errors, COUNT(rows) + 1);
	assert_int_equal(r.n_kinds, COUNT(want));
	for (size_t i = 0; i < COUNT(want); i++) {
		assert_int_equal(r.kinds[i].type, want[i].type);
		assert_int_equal(r.kinds[i].code, want[i].code);
		assert_int_equal(r.kinds[i].count, want[i].count);
		assert_int_equal(r.kinds[i].from.family, want[i].family);
	}
	assert_string_equal(r.kinds[3].text, "Network is unreachable");
}

/* What becomes of each probe: answered `.`, lost `x`, refused `e`, late `l`, refused and then answered `a`. */
static void act_out(struct bench *b, const char *fates)
{
	struct ping_request q[32];
	size_t n = strlen(fates);

	for (size_t i = 0; i < n; i++) {
		send_next(b);
		q[i] = b->q;
		if (fates[i] == 'e' || fates[i] == 'a')
			assert_true(hear(b, error_of(b, 3, 1, false)));
		if (fates[i] == '.' || fates[i] == 'a')
			assert_true(hear_reply(b));
	}
	b->now += 10 * NS_PER_S;
	while (ping_expire(&b->p, b->now, &b->ev))
		;
	for (size_t i = 0; i < n; i++) {
		b->q = q[i];
		build(b);
		if (fates[i] == 'l')
			assert_true(hear_reply(b));
	}
}

static void runs_of_losses_stand_in_the_order_of_sending_and_late_ones_are_in_them(void **state)
{
	(void)state;
	static const struct {
		const char *fates;
		int64_t runs, longest;
	} rows[] = { { "....", 0, 0 }, { "x", 1, 1 }, { ".xx.x.", 2, 2 }, { "xexle.", 1, 5 }, { "l.l.l", 3, 1 },
		{ ".ax.xxa", 2, 2 }, { "e.ee.eee", 3, 3 }, { "xxxxxxxxxxxxxxxxxxxx.", 1, 20 } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct ping_cfg cfg = usual();

		cfg.interval = 100 * NS_PER_MS;
		struct bench *b = begin(cfg, 1);

		act_out(b, rows[i].fates);
		assert_int_equal(result(b, 0).loss_runs, rows[i].runs);
		assert_int_equal(result(b, 0).loss_run_max, rows[i].longest);
	}
}

/* A thousand targets at an interval of a second have a probe each millisecond: one waking up for each. */
static void the_spread_of_a_round_is_in_whole_milliseconds(void **state)
{
	(void)state;
	static struct ping_target crowd[10000];
	static struct score_more crowd_more[COUNT(crowd)];
	static struct ping_name crowd_names[COUNT(crowd)];
	static const struct {
		size_t n;
		ns_t interval;
	} rows[] = { { 7, NS_PER_S }, { 1000, NS_PER_S }, { 999, 100 * NS_PER_MS }, { 10000, 100 * NS_PER_MS },
		{ 10000, NS_PER_S }, { 10000, NS_PER_MS }, { 3, 1500 * NS_PER_US } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct ping_cfg cfg = usual();
		struct ping p;
		struct ping_request q;
		ns_t last = 0;

		cfg.interval = rows[i].interval;
		cfg.count = 2;
		memset(slots, 0, sizeof(slots));
		memset(crowd, 0, sizeof(crowd));
		memset(crowd_more, 0, sizeof(crowd_more));
		for (size_t k = 0; k < rows[i].n; k++)
			crowd[k].addr = (struct addr){ .family = 4, .ip = { 10, 0, (uint8_t)(k >> 8), (uint8_t)k } };
		ping_init(
			&p, &cfg, &(struct ping_room){ crowd, crowd_more, crowd_names, NULL, slots, rows[i].n }, START);
		for (size_t k = 0; k < 2 * rows[i].n; k++) {
			ns_t due = ping_deadline(&p),
			     exact = (ns_t)((uint64_t)cfg.interval * (k % rows[i].n) / rows[i].n);

			assert_int_equal(due, START + (ns_t)(k / rows[i].n) * cfg.interval + exact - exact % NS_PER_MS);
			assert_true(due >= last);
			last = due;
			assert_false(ping_next(&p, due - 1, &q));
			assert_true(ping_next(&p, due, &q));
			assert_int_equal(q.target, k % rows[i].n);
			ping_sent(&p, q.wire, due);
		}
		assert_false(ping_next(&p, last + 3600 * NS_PER_S, &q));
	}
}

static void a_name_that_becomes_an_address_late_joins_the_round_and_has_its_full_count(void **state)
{
	(void)state;
	/* Milliseconds after the start; the name of target 1 is known after 1.5 s. */
	static const struct {
		size_t target;
		int at;
	} want[] = { { 0, 0 }, { 2, 666 }, { 0, 1000 }, { 2, 1666 }, { 0, 2000 }, { 1, 2333 }, { 2, 2666 }, { 1, 3333 },
		{ 1, 4333 } };
	struct ping_cfg cfg = usual();

	cfg.count = 3;
	struct bench *b = begin_pending(cfg, 3, 2);

	for (size_t i = 0; i < COUNT(want); i++) {
		if (i == 3) {
			b->now = START + 1500 * NS_PER_MS;
			assert_false(ping_next(&b->p, b->now, &b->q));
			resolve(b, 1);
		}
		send_next(b);
		assert_int_equal(b->q.target, want[i].target);
		assert_int_equal(b->now, START + want[i].at * NS_PER_MS);
		assert_true(hear_reply(b));
	}
	assert_true(ping_done(&b->p, b->now));
	for (size_t i = 0; i < 3; i++)
		assert_counts(b, i, (struct counts){ .sent = 3, .received = 3 });
	assert_int_equal(result(b, 1).resolve, 7 * NS_PER_MS);
	assert_int_equal(result(b, 0).resolve, UNKNOWN);
}

static void a_name_that_comes_when_nobody_else_wants_a_probe_is_asked_at_once(void **state)
{
	(void)state;
	for (unsigned first = 0; first < 3; first++) {
		struct ping_cfg cfg = usual();

		cfg.count = 2;
		struct bench *b = begin_pending(cfg, 3, 7);

		assert_true(ping_deadline(&b->p) == NS_NEVER);
		for (unsigned i = 0; i < 3; i++) {
			size_t target = (first + i) % 3;

			b->now += 5123 * NS_PER_MS;
			assert_false(ping_next(&b->p, b->now, &b->q));
			assert_false(ping_done(&b->p, b->now));
			resolve(b, target);
			for (int k = 0; k < 2; k++) {
				ns_t due = b->now + k * NS_PER_S;

				assert_true(ping_deadline(&b->p) == due);
				assert_false(ping_next(&b->p, due - 1, &b->q));
				b->now = due;
				send_probe(b);
				assert_int_equal(b->q.target, target);
				assert_int_equal(b->q.seq, k + 1);
				assert_true(hear_reply(b));
				assert_false(ping_expire(&b->p, b->now, &b->ev));
			}
		}
		assert_true(ping_done(&b->p, b->now));
		assert_true(ping_deadline(&b->p) == NS_NEVER);
	}
}

static void a_name_delays_no_probe_to_another_target(void **state)
{
	(void)state;
	struct bench *b = begin_pending(usual(), 3, 2);

	for (unsigned i = 0; i < 200; i++) {
		if (i == 120)
			ping_unresolved(&b->p, 1, NS_PER_S, "no such name");
		send_next(b);
		assert_int_equal(b->q.target, i % 2 * 2);
		assert_int_equal(b->now, START + i / 2 * NS_PER_S + i % 2 * 666 * NS_PER_MS);
		assert_true(hear_reply(b));
	}
	assert_counts(b, 1, (struct counts){ .sent = 0 });
}

static void a_name_that_never_becomes_an_address_is_not_waited_for(void **state)
{
	(void)state;
	struct ping_cfg cfg = usual();

	cfg.count = 1;
	struct bench *b = begin_pending(cfg, 3, 6);

	send_probe(b);
	assert_true(hear_reply(b));
	ping_unresolved(&b->p, 2, 3 * NS_PER_MS, "Name or service not known");
	assert_false(ping_done(&b->p, b->now));
	ping_unresolved(&b->p, 1, 0, "no answer from the name service");
	assert_true(ping_done(&b->p, b->now));
	assert_false(ping_next(&b->p, b->now + 3600 * NS_PER_S, &b->q));
	assert_string_equal(result(b, 2).resolve_error, "Name or service not known");
	assert_int_equal(result(b, 2).resolve, 3 * NS_PER_MS);
	assert_string_equal(result(b, 1).resolve_error, "no answer from the name service");
	assert_int_equal(result(b, 1).resolve, UNKNOWN);
	assert_string_equal(result(b, 1).address, "");
	assert_string_equal(result(b, 1).target, texts[1]);
	assert_null(result(b, 0).resolve_error);
}

static void when_no_name_becomes_an_address_all_is_done(void **state)
{
	(void)state;
	for (uint64_t count = 0; count < 3; count++) {
		struct ping_cfg cfg = usual();

		cfg.count = count;
		struct bench *b = begin_pending(cfg, 3, 7);

		for (size_t i = 0; i < 3; i++) {
			assert_false(ping_done(&b->p, b->now));
			ping_unresolved(&b->p, i, NS_PER_S, "no such name");
		}
		assert_true(ping_done(&b->p, b->now));
		assert_true(ping_deadline(&b->p) == NS_NEVER);
	}
}

static void a_duration_ends_a_run_that_waits_for_names(void **state)
{
	(void)state;
	struct ping_cfg cfg = usual();

	cfg.duration = 3 * NS_PER_S;
	struct bench *b = begin_pending(cfg, 2, 3);

	assert_true(ping_deadline(&b->p) == START + cfg.duration);
	assert_false(ping_done(&b->p, START + cfg.duration - 1));
	assert_true(ping_done(&b->p, START + cfg.duration));
	ping_stop(&b->p);
	assert_true(ping_done(&b->p, START));
}

static void without_an_interval_the_next_probe_leaves_when_the_last_is_answered(void **state)
{
	(void)state;
	struct ping_cfg cfg = usual();

	cfg.interval = 0;
	cfg.count = 100;
	struct bench *b = begin(cfg, 1);

	for (int i = 0; i < 100; i++) {
		ns_t sent = b->now;

		send_probe(b);
		b->now += 1 + i * 90 * NS_PER_US;
		assert_false(ping_next(&b->p, b->now, &b->q));
		ns_t due = ping_deadline(&b->p);

		assert_true(i == 99 || (due <= sent + PING_FLOOD_WAIT && due > sent + PING_FLOOD_WAIT - NS_PER_MS));
		assert_true(hear_reply(b));
		assert_false(ping_expire(&b->p, b->now, &b->ev));
	}
	assert_true(ping_done(&b->p, b->now));
	assert_counts(b, 0, (struct counts){ .sent = 100, .received = 100 });
}

static void without_an_interval_silence_is_asked_again_after_a_while(void **state)
{
	(void)state;
	struct ping_cfg cfg = usual();

	cfg.interval = 0;
	struct bench *b = begin(cfg, 1);

	for (int i = 0; i < 100; i++) {
		send_next(b);
		assert_int_equal(b->now, START + i * PING_FLOOD_WAIT);
	}
	assert_counts(b, 0, (struct counts){ .sent = 100, .in_flight = 100 });
	for (int i = 0; i < 100; i++) {
		send_next(b);
		assert_int_equal(b->now, START + (100 + i) * PING_FLOOD_WAIT);
	}
	assert_counts(b, 0, (struct counts){ .sent = 200, .lost = 0, .in_flight = 200 });
	b->now = START + 2 * NS_PER_S + 50 * PING_FLOOD_WAIT;
	expire_all(b, 51);
	assert_counts(b, 0, (struct counts){ .sent = 200, .lost = 51, .in_flight = 149 });
}

static void without_an_interval_all_targets_have_their_turn(void **state)
{
	(void)state;
	struct ping_cfg cfg = usual();

	cfg.interval = 0;
	struct bench *b = begin(cfg, 3);

	for (unsigned i = 0; i < 300; i++) {
		send_probe(b);
		assert_int_equal(b->q.target, i % 3);
		assert_int_equal(b->q.seq, i / 3 + 1);
		b->now += 50 * NS_PER_US;
		assert_true(hear_reply(b));
	}
	/* One of them falls silent: it is asked again after a while, and nobody waits for it. */
	for (unsigned i = 0; i < 300; i++) {
		send_next(b);
		b->now += 50 * NS_PER_US;
		if (b->q.target != 1)
			assert_true(hear_reply(b));
	}
	assert_true(b->now < START + 600 * 60 * NS_PER_US);
}

/* A number that 32 bits do not hold, on the way up. */
static void the_numbers_of_a_target_go_beyond_32_bits(void **state)
{
	(void)state;
	const uint64_t before = (UINT64_C(1) << 32) - 4;
	struct ping_cfg cfg = usual();
	struct ping_request q[8];
	struct bench *b;

	cfg.interval = NS_PER_MS;
	b = begin(cfg, 2);
	b->t[0].score.sent = b->t[0].score.received = b->t[0].score.highest = before;
	for (unsigned i = 0; i < 16; i++) {
		send_next(b);
		if (b->q.target == 0)
			q[i / 2] = b->q;
		assert_int_equal(b->q.seq, b->q.target == 0 ? before + i / 2 + 1 : i / 2 + 1);
	}
	for (unsigned i = 0; i < 8; i++) {
		static const unsigned order[] = { 1, 0, 2, 5, 3, 4, 6, 7 };

		b->q = q[order[i]];
		build(b);
		assert_true(hear_reply(b));
		assert_int_equal(b->ev.outcome, OUTCOME_REPLY);
		assert_int_equal(b->ev.seq, before + order[i] + 1);
	}
	assert_counts(
		b, 0, (struct counts){ .sent = (int64_t)before + 8, .received = (int64_t)before + 8, .reordered = 3 });
	assert_int_equal(result(b, 0).sent, INT64_C(4294967300));
	b->now += 5 * NS_PER_S;
	expire_all(b, 8);
	assert_int_equal(b->ev.target, 1);
	assert_int_equal(b->ev.seq, 8);
}

static void a_count_beyond_32_bits_is_kept(void **state)
{
	(void)state;
	struct ping_cfg cfg = usual();

	cfg.count = (UINT64_C(1) << 32) + 2;
	struct bench *b = begin(cfg, 1);

	b->t[0].score.sent = b->t[0].score.received = UINT64_C(1) << 32;
	for (int i = 0; i < 2; i++) {
		assert_false(ping_done(&b->p, b->now));
		send_next(b);
		assert_true(hear_reply(b));
	}
	assert_true(ping_done(&b->p, b->now));
}

/* One probe to each of more targets than there are numbers: the last ones wait for the first answers. */
static void more_targets_than_numbers_wait_for_the_first_to_be_decided(void **state)
{
	(void)state;
	enum { EXTRA = 5 };
	static struct ping_target crowd[FLIGHT_SLOTS + EXTRA];
	static struct score_more crowd_more[COUNT(crowd)];
	static struct ping_name crowd_names[COUNT(crowd)];
	static uint16_t wire[COUNT(crowd)];
	static bool seen[FLIGHT_SLOTS];
	struct ping_cfg cfg = usual();
	struct ping_request q;
	struct ping_event ev;
	struct ping p;

	cfg.count = 1;
	cfg.interval = 100 * NS_PER_MS;
	memset(slots, 0, sizeof(slots));
	memset(crowd, 0, sizeof(crowd));
	memset(crowd_more, 0, sizeof(crowd_more));
	memset(seen, 0, sizeof(seen));
	for (size_t i = 0; i < COUNT(crowd); i++)
		crowd[i].addr =
			(struct addr){ .family = 4, .ip = { 10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i } };
	ping_init(&p, &cfg, &(struct ping_room){ crowd, crowd_more, crowd_names, NULL, slots, COUNT(crowd) }, START);
	for (size_t i = 0; i < FLIGHT_SLOTS; i++) {
		assert_true(ping_next(&p, START + NS_PER_S, &q));
		assert_int_equal(q.target, i);
		assert_false(seen[q.wire]);
		seen[q.wire] = true;
		wire[i] = q.wire;
		ping_sent(&p, q.wire, START + NS_PER_S);
	}
	assert_false(ping_next(&p, START + NS_PER_S, &q));
	assert_true(ping_deadline(&p) == START + NS_PER_S + cfg.timeout);
	for (size_t i = 0; i < EXTRA; i++) {
		assert_true(ping_answered(&p, wire[i], START + NS_PER_S, UNKNOWN, &ev));
		assert_int_equal(ev.target, i);
		assert_false(ping_expire(&p, START + NS_PER_S, &ev));
		assert_true(ping_next(&p, START + NS_PER_S, &q));
		assert_int_equal(q.target, FLIGHT_SLOTS + i);
		assert_int_equal(q.wire, wire[i]);
		ping_sent(&p, q.wire, START + NS_PER_S);
	}
	for (size_t i = 0; i < FLIGHT_SLOTS; i++)
		assert_true(ping_expire(&p, START + 3600 * NS_PER_S, &ev));
	assert_int_equal(ev.target, COUNT(crowd) - 1);
	assert_false(ping_expire(&p, START + 3600 * NS_PER_S, &ev));
	assert_true(ping_done(&p, START + 3600 * NS_PER_S));
	for (size_t i = 0; i < COUNT(crowd); i++) {
		struct ping_result r;

		ping_result(&p, i, START, &r);
		assert_int_equal(r.sent, 1);
		assert_int_equal(r.received, i < EXTRA);
		assert_int_equal(r.lost, i >= EXTRA);
	}
}

/* The kernel's TCP knows how long the handshake took, without the time until we were told. */
static void a_handshake_counts_as_the_kernel_measured_it(void **state)
{
	(void)state;
	static const struct {
		ns_t handshake, connect, want;
		enum stamps stamps;
	} rows[] = {
		{ 900, 1000, 900, STAMPS_KERNEL_TXRX },
		{ 1000, 1000, 1000, STAMPS_KERNEL_TXRX },
		{ 1, 1000, 1, STAMPS_KERNEL_TXRX },
		{ 0, 1000, 1000, STAMPS_USER },       /* it had no sample: the SYN was sent twice */
		{ 1001, 1000, 1000, STAMPS_USER },    /* longer than ours cannot be */
		{ UNKNOWN, 1000, 1000, STAMPS_USER }, /* the kernel is too old */
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bench *b = begin(usual(), 1);
		uint16_t wire = send_probe(b);
		ns_t after = b->now + rows[i].connect * NS_PER_US;
		ns_t handshake = rows[i].handshake == UNKNOWN ? UNKNOWN : rows[i].handshake * NS_PER_US;

		assert_true(ping_answered(&b->p, wire, after, handshake, &b->ev));
		assert_int_equal(b->ev.outcome, OUTCOME_REPLY);
		assert_int_equal(b->ev.rtt, rows[i].want * NS_PER_US);
		assert_int_equal(b->ev.stamps, rows[i].stamps);
		assert_int_equal(b->ev.queue, UNKNOWN);
		struct ping_result r = result(b, 0);

		assert_int_equal(r.rtt_p50, rows[i].want * NS_PER_US);
		assert_int_equal(r.stamps, rows[i].stamps);
		/* Told where it is another figure than the round trip. */
		if (rows[i].stamps == STAMPS_USER) {
			assert_int_equal(b->ev.connect, UNKNOWN);
			assert_int_equal(r.host_queue_p50, UNKNOWN);
			continue;
		}
		assert_int_equal(b->ev.connect, rows[i].connect * NS_PER_US);
		assert_true(r.host_queue_p50 > rows[i].connect * 995 && r.host_queue_p50 < rows[i].connect * 1005);
	}
}

static void a_stamp_at_the_very_moment_of_ours_is_one(void **state)
{
	(void)state;
	struct bench *b = begin(usual(), 1);

	send_probe(b);
	struct packet sched = { .kind = PACKET_SCHED, .id = b->q.wire, .stamp = b->now, .kernel_stamp = true };

	assert_false(ping_icmp(&b->p, &sched, &b->ev));
	b->now += NS_PER_US;
	struct packet pkt = reply_of(b);

	pkt.kernel_stamp = true;
	assert_true(hear(b, pkt));
	assert_int_equal(b->ev.stamps, STAMPS_KERNEL_TXRX);
	assert_int_equal(b->ev.rtt, 999);
}

static void an_address_without_a_name_is_called_by_itself(void **state)
{
	(void)state;
	struct bench *b = begin(usual(), 2);
	struct ping_result r;

	names[1].text = NULL;
	ping_label(&b->p, 1, &r);
	assert_ptr_equal(r.target, r.address);
	assert_string_equal(r.target, "2001:db8::1");
	ping_result(&b->p, 1, b->now, &r);
	assert_ptr_equal(r.target, r.address);
	assert_string_equal(r.target, "2001:db8::1");
	assert_int_equal(r.resolve, UNKNOWN);
	assert_null(r.resolve_error);
}

/* The first probe may be due a moment after the start of the program. */
static void before_the_run_begins_no_time_has_passed(void **state)
{
	(void)state;
	struct bench *b = begin(usual(), 1);
	struct ping_result r;

	ping_result(&b->p, 0, START - 2 * NS_PER_MS, &r);
	assert_int_equal(r.elapsed, 0);
}

/* One probe in a model that is as simple as can be. */
struct model {
	struct ping_request q;
	ns_t at;
	enum { M_WAITING, M_ANSWERED, M_LOST, M_ERROR } state;
	bool in_time;
};

static void count_event(struct counts *c, struct model *m, int what, uint64_t *highest, ns_t now, ns_t timeout)
{
	if (what == 0) { /* a true reply */
		if (m->state == M_WAITING || (m->state == M_ERROR && now - m->at < timeout)) {
			m->in_time = true;
			c->received++;
			c->in_flight -= m->state == M_WAITING;
			c->lost -= m->state == M_ERROR;
			c->errors -= m->state == M_ERROR;
			c->reordered += m->q.seq < *highest;
			*highest = m->q.seq > *highest ? m->q.seq : *highest;
		} else if (m->state == M_ANSWERED) {
			c->duplicates++;
		} else {
			c->late++;
			c->lost--;
			c->errors -= m->state == M_ERROR;
		}
		m->state = M_ANSWERED;
	} else if (what == 1) { /* a broken one */
		c->corrupt++;
	} else if (m->state == M_WAITING) {
		c->lost++;
		c->in_flight--;
		c->errors += what == 2;
		m->state = what == 2 ? M_ERROR : M_LOST;
	} else if (what == 2 && m->state == M_LOST) { /* late, but it says why */
		c->errors++;
		m->state = M_ERROR;
	}
}

static void act(struct bench *b, struct model *m, int what, bool queued)
{
	struct packet pkt;

	b->q = m->q;
	build(b);
	if (what == 2) {
		assert_int_equal(hear(b, error_of(b, b->q.target == 1 ? 1 : 3, 0, queued)),
			m->state == M_WAITING || m->state == M_LOST);
		return;
	}
	pkt = reply_of(b);
	if (what == 1) {
		b->message[12] ^= 0x80;
		echo_fix_sum(family_of(b), b->message, pkt.n);
	}
	assert_true(hear(b, pkt));
	assert_int_equal(b->ev.target, m->q.target);
	assert_int_equal(b->ev.seq, m->q.seq);
}

/* When all are decided: losses one behind another in the order of sending. */
static void assert_runs(const struct bench *b, const struct model *v, size_t n)
{
	for (size_t target = 0; target < TARGETS; target++) {
		int64_t runs = 0, run = 0, longest = 0;

		for (size_t i = 0; i < n; i++) {
			if (v[i].q.target != target)
				continue;
			run = v[i].in_time ? 0 : run + 1;
			runs += run == 1;
			longest = run > longest ? run : longest;
		}
		assert_int_equal(result(b, target).loss_runs, runs);
		assert_int_equal(result(b, target).loss_run_max, longest);
	}
}

static void run_against_model(uint64_t seed)
{
	static struct model v[1200];
	struct rng rng = rng_of(seed);
	struct counts c[TARGETS] = { { 0 } };
	uint64_t highest[TARGETS] = { 0 };
	struct ping_cfg cfg = usual();
	size_t n = 0, oldest = 0;

	cfg.interval = 90 * NS_PER_MS;
	cfg.timeout = 400 * NS_PER_MS;
	struct bench *b = begin(cfg, TARGETS);

	while (n < 400) {
		b->now += (ns_t)rng_below(&rng, 40 * NS_PER_MS);
		for (; oldest < n && v[oldest].at + cfg.timeout <= b->now; oldest++)
			count_event(&c[v[oldest].q.target], &v[oldest], 3, NULL, b->now, cfg.timeout);
		while (ping_expire(&b->p, b->now, &b->ev))
			assert_int_equal(b->ev.outcome, OUTCOME_LOST);
		while (ping_next(&b->p, b->now, &v[n].q)) {
			v[n].at = b->now;
			v[n].state = M_WAITING;
			v[n].in_time = false;
			ping_sent(&b->p, v[n].q.wire, b->now);
			c[v[n].q.target].sent++;
			c[v[n].q.target].in_flight++;
			n++;
		}
		size_t i = n - 1 - rng_below(&rng, n < 20 ? n : 20);
		int what = (int)rng_below(&rng, 5);

		what = what > 2 ? 0 : what;
		act(b, &v[i], what, rng_chance(&rng, 500000));
		count_event(&c[v[i].q.target], &v[i], what, &highest[v[i].q.target], b->now, cfg.timeout);
	}
	for (size_t i = 0; i < TARGETS; i++)
		assert_counts(b, i, c[i]);
	b->now += 10 * NS_PER_S;
	while (ping_expire(&b->p, b->now, &b->ev))
		;
	assert_runs(b, v, n);
}

static void any_order_of_events_gives_the_counts_of_a_simple_model(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 40; seed++)
		run_against_model(seed);
}

/* Go on for this long, answering target 0 after 50 us and nobody else; what fails to leave is an error at once. */
static void flood(struct bench *b, ns_t duration, size_t refused)
{
	for (ns_t end = b->now + duration; b->now < end;) {
		if (!ping_next(&b->p, b->now, &b->q)) {
			assert_true(ping_deadline(&b->p) > b->now);
			b->now = ping_deadline(&b->p);
			continue;
		}
		b->now += 10 * NS_PER_US;
		if (b->q.target == refused) {
			ping_failed(&b->p, b->q.wire, "Network is unreachable", &b->ev);
			continue;
		}
		build(b);
		ping_sent(&b->p, b->q.wire, b->now);
		b->now += 50 * NS_PER_US;
		assert_true(b->q.target != 0 || hear_reply(b));
	}
}

static void without_an_interval_silence_and_refusal_slow_nobody_down_and_have_pauses(void **state)
{
	(void)state;
	for (size_t refused = 1; refused < 3; refused++) {
		struct ping_cfg cfg = usual();

		cfg.interval = 0;
		struct bench *b = begin(cfg, 3);

		flood(b, NS_PER_S, refused);
		assert_true(result(b, 0).received > 10000);
		for (size_t i = 1; i < 3; i++) {
			struct ping_result r = result(b, i);

			assert_int_equal(r.errors, i == refused ? r.sent : 0);
			assert_in_range(r.sent, 90, 110);
		}
	}
}

static void without_an_interval_a_target_that_cannot_be_asked_is_asked_after_pauses_even_alone(void **state)
{
	(void)state;
	struct ping_cfg cfg = usual();

	cfg.interval = 0;
	struct bench *b = begin(cfg, 1);

	flood(b, NS_PER_S, 0);
	assert_in_range(result(b, 0).errors, 90, 110);
}

static void an_error_after_the_timeout_says_why_once_and_stays_a_loss(void **state)
{
	(void)state;
	for (int queued = 0; queued < 2; queued++) {
		struct ping_cfg cfg = usual();

		cfg.count = 2;
		struct bench *b = begin(cfg, 1);

		send_probe(b);
		b->now += 2 * NS_PER_S;
		expire_all(b, 1);
		assert_true(hear(b, error_of(b, 3, 1, queued)));
		assert_int_equal(b->ev.outcome, OUTCOME_ERROR);
		assert_int_equal(b->ev.seq, 1);
		for (int i = 0; i < 3; i++)
			assert_false(hear(b, error_of(b, 3, 1 + i, queued)));
		assert_counts(b, 0, (struct counts){ .sent = 1, .lost = 1, .errors = 1 });
		assert_int_equal(result(b, 0).n_kinds, 1);
		assert_int_equal(result(b, 0).loss_runs, 1);
		assert_int_equal(result(b, 0).loss_run_max, 1);
		/* An answer all the same: late, and neither lost nor an error. */
		assert_true(hear_reply(b));
		assert_int_equal(b->ev.outcome, OUTCOME_LATE);
		assert_counts(b, 0, (struct counts){ .sent = 1, .late = 1 });
		assert_false(hear(b, error_of(b, 3, 1, queued)));
		assert_false(ping_done(&b->p, b->now));
		send_next(b);
		assert_true(hear_reply(b));
		assert_true(ping_done(&b->p, b->now));
	}
}

static void what_came_in_time_is_received_however_late_it_is_read(void **state)
{
	(void)state;
	struct bench *b = begin(usual(), 1);
	struct packet reply;

	send_probe(b);
	b->now += 2 * NS_PER_S - 1;
	reply = reply_of(b);
	reply.kernel_stamp = true;
	reply.user = b->now += 10 * NS_PER_S;
	assert_true(hear(b, reply));
	assert_int_equal(b->ev.outcome, OUTCOME_REPLY);
	assert_int_equal(b->ev.rtt, 2 * NS_PER_S - 1);
	assert_false(ping_expire(&b->p, b->now, &b->ev));
	assert_counts(b, 0, (struct counts){ .sent = 1, .received = 1 });
}

static void what_came_too_late_is_late_although_nobody_has_given_it_up(void **state)
{
	(void)state;
	struct bench *b = begin(usual(), 1);

	send_probe(b);
	b->now += 2 * NS_PER_S;
	assert_true(hear_reply(b));
	assert_int_equal(b->ev.outcome, OUTCOME_LATE);
	assert_false(ping_expire(&b->p, b->now, &b->ev));
	assert_counts(b, 0, (struct counts){ .sent = 1, .late = 1 });
	assert_int_equal(result(b, 0).loss_runs, 1);
}

static void the_end_leaves_what_is_under_way_undecided_and_counts_the_runs_behind_it(void **state)
{
	(void)state;
	struct ping_cfg cfg = usual();
	struct ping_event ev;

	cfg.interval = 100 * NS_PER_MS;
	struct bench *b = begin(cfg, 1);

	send_probe(b); /* under way to the end */
	for (int i = 0; i < 3; i++) {
		send_next(b);
		assert_true(hear(b, error_of(b, 3, 1, false)));
	}
	assert_false(ping_expire(&b->p, b->now, &ev));
	assert_int_equal(result(b, 0).loss_runs, 0);
	ping_finish(&b->p);
	assert_false(ping_next(&b->p, b->now + NS_PER_S, &b->q));
	assert_counts(b, 0, (struct counts){ .sent = 4, .lost = 3, .errors = 3, .in_flight = 1 });
	assert_int_equal(result(b, 0).loss_runs, 1);
	assert_int_equal(result(b, 0).loss_run_max, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_probe_is_due_at_once_and_the_next_ones_on_absolute_deadlines),
		cmocka_unit_test(the_targets_of_a_round_are_spread_over_the_interval),
		cmocka_unit_test(the_first_number_on_the_wire_can_be_chosen),
		cmocka_unit_test(wire_numbers_differ_between_targets_and_rounds),
		cmocka_unit_test(a_count_ends_the_run_when_the_last_answer_is_there),
		cmocka_unit_test(a_count_ends_the_run_when_the_last_probe_is_given_up),
		cmocka_unit_test(a_duration_ends_the_run_and_leaves_what_is_in_flight_undecided),
		cmocka_unit_test(a_stopped_run_sends_no_more_and_waits_for_what_is_in_flight),
		cmocka_unit_test(a_machine_that_slept_does_not_send_all_that_it_missed),
		cmocka_unit_test(the_time_that_a_machine_slept_is_part_of_the_run),
		cmocka_unit_test(a_short_delay_is_caught_up_with),
		cmocka_unit_test(a_reply_tells_who_when_and_how),
		cmocka_unit_test(every_size_of_payload_comes_back_as_ours),
		cmocka_unit_test(the_payload_fits_its_place_exactly),
		cmocka_unit_test(the_round_trip_begins_with_the_stamp_of_the_send),
		cmocka_unit_test(what_is_not_for_us_changes_nothing),
		cmocka_unit_test(a_reply_to_one_target_from_the_address_of_another_is_nobodys),
		cmocka_unit_test(a_reply_with_any_byte_changed_is_corrupt_and_the_probe_still_waits),
		cmocka_unit_test(a_reply_that_is_longer_or_shorter_than_the_request_is_corrupt),
		cmocka_unit_test(a_wrong_checksum_is_seen_on_a_raw_socket),
		cmocka_unit_test(a_corrupt_reply_alone_ends_as_a_loss),
		cmocka_unit_test(a_stranger_who_does_not_know_the_key_cannot_forge_a_reply),
		cmocka_unit_test(the_payload_of_one_probe_does_not_answer_another),
		cmocka_unit_test(silence_is_a_loss_when_the_timeout_is_over_and_not_before),
		cmocka_unit_test(losses_are_told_in_the_order_of_sending),
		cmocka_unit_test(a_late_reply_takes_the_loss_back_without_being_received),
		cmocka_unit_test(further_replies_are_duplicates_and_do_not_touch_the_round_trips),
		cmocka_unit_test(a_reply_that_was_overtaken_is_reordered),
		cmocka_unit_test(an_error_says_the_same_as_a_message_and_from_the_error_queue),
		cmocka_unit_test(an_error_that_quotes_eight_bytes_is_enough),
		cmocka_unit_test(a_second_error_about_the_same_probe_does_not_count),
		cmocka_unit_test(an_error_after_the_reply_changes_nothing_and_after_the_loss_says_why),
		cmocka_unit_test(a_reply_in_time_takes_an_error_back),
		cmocka_unit_test(a_reply_out_of_time_after_an_error_is_late),
		cmocka_unit_test(a_send_that_fails_here_is_a_loss_by_an_error),
		cmocka_unit_test(another_transport_answers_refuses_and_comes_too_late),
		cmocka_unit_test(a_probe_that_is_stamped_again_counts_from_then),
		cmocka_unit_test(the_best_pair_of_stamps_counts_and_an_impossible_one_does_not),
		cmocka_unit_test(a_clock_that_went_back_gives_no_negative_round_trip),
		cmocka_unit_test(the_result_names_the_worst_stamps_of_all),
		cmocka_unit_test(what_is_in_flight_is_neither_lost_nor_received),
		cmocka_unit_test(the_change_between_round_trips_is_told_from_the_second_on),
		cmocka_unit_test(a_target_without_room_for_distributions_has_percentiles_of_one_round_trip_only),
		cmocka_unit_test(the_result_has_name_and_address_and_no_reason),
		cmocka_unit_test(percentiles_stay_between_the_extremes),
		cmocka_unit_test(all_numbers_in_use_hold_the_next_probe_back),
		cmocka_unit_test(the_numbers_go_round_and_every_probe_is_still_told_apart),
		cmocka_unit_test(each_error_is_counted_under_its_type_code_and_sender),
		cmocka_unit_test(runs_of_losses_stand_in_the_order_of_sending_and_late_ones_are_in_them),
		cmocka_unit_test(the_spread_of_a_round_is_in_whole_milliseconds),
		cmocka_unit_test(a_name_that_becomes_an_address_late_joins_the_round_and_has_its_full_count),
		cmocka_unit_test(a_name_that_comes_when_nobody_else_wants_a_probe_is_asked_at_once),
		cmocka_unit_test(a_name_delays_no_probe_to_another_target),
		cmocka_unit_test(a_name_that_never_becomes_an_address_is_not_waited_for),
		cmocka_unit_test(when_no_name_becomes_an_address_all_is_done),
		cmocka_unit_test(a_duration_ends_a_run_that_waits_for_names),
		cmocka_unit_test(without_an_interval_the_next_probe_leaves_when_the_last_is_answered),
		cmocka_unit_test(without_an_interval_silence_is_asked_again_after_a_while),
		cmocka_unit_test(without_an_interval_all_targets_have_their_turn),
		cmocka_unit_test(the_numbers_of_a_target_go_beyond_32_bits),
		cmocka_unit_test(a_count_beyond_32_bits_is_kept),
		cmocka_unit_test(more_targets_than_numbers_wait_for_the_first_to_be_decided),
		cmocka_unit_test(a_handshake_counts_as_the_kernel_measured_it),
		cmocka_unit_test(a_stamp_at_the_very_moment_of_ours_is_one),
		cmocka_unit_test(an_address_without_a_name_is_called_by_itself),
		cmocka_unit_test(before_the_run_begins_no_time_has_passed),
		cmocka_unit_test(any_order_of_events_gives_the_counts_of_a_simple_model),
		cmocka_unit_test(without_an_interval_silence_and_refusal_slow_nobody_down_and_have_pauses),
		cmocka_unit_test(without_an_interval_a_target_that_cannot_be_asked_is_asked_after_pauses_even_alone),
		cmocka_unit_test(an_error_after_the_timeout_says_why_once_and_stays_a_loss),
		cmocka_unit_test(what_came_in_time_is_received_however_late_it_is_read),
		cmocka_unit_test(what_came_too_late_is_late_although_nobody_has_given_it_up),
		cmocka_unit_test(the_end_leaves_what_is_under_way_undecided_and_counts_the_runs_behind_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
