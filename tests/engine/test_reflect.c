/* SPDX-License-Identifier: MIT */
#include "engine/reflect.h"

#include "core/stamp.h"
#include "guard.h"
#include "rng.h"

#define DAY (INT64_C(1785000000) * NS_PER_S) /* some time of day in 2026 */

static struct reflect r;
static struct reflect_counters count;
static ns_t now;
static uint8_t bytes[2048];
static struct addr here, there;

static struct addr addr_of(const char *text, uint16_t port)
{
	struct addr a;

	assert_true(addr_parse(slice_of(text), &a));
	a.port = port;
	return a;
}

static void begin(bool open_to_all)
{
	static const uint8_t key[16] = "a key of the day";

	memset(&r, 0, sizeof(r));
	count = (struct reflect_counters){ 0 };
	now = 1000 * NS_PER_S;
	here = addr_of("192.168.1.1", 0);
	there = addr_of("192.168.1.2", 40000);
	reflect_init(&r, key, open_to_all, &count);
}

static int64_t unix_now(void)
{
	return DAY + now;
}

static bool ask_bytes(size_t n)
{
	struct packet pkt = { .kind = PACKET_MESSAGE, .p = bytes, .n = n, .from = there, .to = here, .stamp = now - 7000,
		.ttl = 61 };

	return reflect_answer(&r, bytes, &pkt, unix_now(), now);
}

static void put(uint32_t seq, uint16_t error, uint16_t session)
{
	struct stamp_probe p = { seq, stamp_of_unix(unix_now()), error, session };

	memset(bytes, 0, sizeof(bytes));
	stamp_put_probe(bytes, &p);
}

/* Return: what the answer is called; UINT32_MAX where there is none. */
static uint32_t ask(uint32_t seq, uint16_t session)
{
	struct stamp_answer a;

	put(seq, STAMP_ERROR_UNKNOWN, session);
	if (!ask_bytes(STAMP_LEN))
		return UINT32_MAX;
	stamp_read_answer(bytes, STAMP_LEN, &a);
	return a.seq;
}

static void an_answer_tells_all_that_rfc_8762_asks_for(void **state)
{
	(void)state;
	struct stamp_answer a;

	begin(false);
	ask(0, 0x1234);
	put(77, 0x8a05, 0x1234);
	assert_true(ask_bytes(STAMP_LEN));
	stamp_read_answer(bytes, STAMP_LEN, &a);
	assert_int_equal(a.seq, 1);
	assert_int_equal(a.sent, stamp_of_unix(unix_now()));
	assert_int_equal(a.received, stamp_of_unix(unix_now() - 7000));
	assert_int_equal(a.error, STAMP_ERROR_UNKNOWN);
	assert_int_equal(a.probe.seq, 77);
	assert_int_equal(a.probe.sent, stamp_of_unix(unix_now()));
	assert_int_equal(a.probe.error, 0x8a05);
	assert_int_equal(a.probe.session, 0x1234);
	assert_int_equal(a.ttl, 61);
}

static void the_answer_has_the_format_of_the_question(void **state)
{
	(void)state;
	struct stamp_answer a;

	begin(false);
	put(0, STAMP_ERROR_PTP | 1, 0);
	assert_true(ask_bytes(STAMP_LEN));
	stamp_read_answer(bytes, STAMP_LEN, &a);
	assert_int_equal(a.error, STAMP_ERROR_PTP | STAMP_ERROR_UNKNOWN);
	assert_int_equal(a.sent, stamp_ptp_of_unix(unix_now()));
	assert_int_equal(stamp_diff(a.received, a.sent, true), 7000);
}

static void a_stamp_from_the_future_is_no_negative_stay(void **state)
{
	(void)state;
	struct packet pkt = { .p = bytes, .n = STAMP_LEN, .from = there, .to = here, .stamp = now + 2000, .ttl = -1 };
	struct stamp_answer a;

	begin(false);
	pkt.from = there;
	pkt.to = here;
	pkt.stamp = now + 2000;
	put(0, 1, 0);
	assert_true(reflect_answer(&r, bytes, &pkt, unix_now(), now));
	stamp_read_answer(bytes, STAMP_LEN, &a);
	assert_int_equal(a.sent, a.received);
	assert_int_equal(a.ttl, 255);
}

/* Of ten probes three are lost on their way, and two of the answers: both can be told from the two numbers. */
static void the_numbers_tell_on_which_way_a_packet_was_lost(void **state)
{
	(void)state;
	uint32_t first = UINT32_MAX, last = 0, got = 0;

	begin(false);
	for (uint32_t seq = 0; seq < 10; seq++) {
		if (seq == 2 || seq == 3 || seq == 7)
			continue;
		uint32_t name = ask(seq, 9);

		now += NS_PER_MS;
		if (seq == 4 || seq == 8)
			continue;
		first = first == UINT32_MAX ? name : first;
		last = name;
		got++;
	}
	assert_int_equal(first, 0);
	assert_int_equal(10 - (last + 1), 3);
	assert_int_equal(last + 1 - got, 2);
}

static void sessions_are_told_apart_by_address_port_and_session_id_of_either_end(void **state)
{
	(void)state;
	begin(false);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(ask(i + 5, 1), i);
		assert_int_equal(ask(i + 6, 2), i);
		there.port = 40001;
		assert_int_equal(ask(i + 7, 1), i);
		there.port = 40000;
		here.ip[3] = 99;
		assert_int_equal(ask(i + 8, 1), i);
		here.ip[3] = 1;
		there.ip[3] = 3;
		assert_int_equal(ask(i + 9, 1), i);
		there.ip[3] = 2;
	}
}

/* More hosts than places: some share one, and still each has numbers of its own. */
static void hosts_of_one_place_are_told_apart(void **state)
{
	(void)state;
	begin(false);
	for (uint8_t host = 2; host < 250; host++) {
		there.ip[3] = host;
		assert_int_equal(ask(7, 3), 0);
	}
}

static void a_session_ends_after_a_long_silence(void **state)
{
	(void)state;
	begin(false);
	ask(5, 0);
	now += REFLECT_IDLE;
	assert_int_equal(ask(6, 0), 1);
	now += REFLECT_IDLE + 1;
	assert_int_equal(ask(7, 0), 0);
}

static void a_sender_that_begins_again_at_0_is_a_new_session_but_not_a_late_first_packet(void **state)
{
	(void)state;
	begin(false);
	assert_int_equal(ask(1, 0), 0);
	assert_int_equal(ask(0, 0), 1);
	now += REFLECT_RESTART + 1;
	assert_int_equal(ask(2, 0), 2);
	now += REFLECT_RESTART + 1;
	assert_int_equal(ask(0, 0), 0);
	assert_int_equal(ask(1, 0), 1);
}

static void the_session_that_was_silent_longest_makes_room_and_no_other(void **state)
{
	(void)state;
	begin(false);
	for (uint16_t port = 0; port < REFLECT_SESSIONS; port++) {
		there.port = 40000 + port;
		assert_int_equal(ask(9, 0), 0);
		now += NS_PER_MS;
	}
	there.port = 40000;
	assert_int_equal(ask(9, 0), 1);
	there.port = 50000;
	assert_int_equal(ask(9, 0), 0);
	for (uint16_t port = 0; port < REFLECT_SESSIONS; port++) {
		if (port == 1)
			continue; /* this one was */
		there.port = 40000 + port;
		now += NS_PER_MS;
		assert_int_equal(ask(9, 0), port == 0 ? 2 : 1);
	}
}

static void a_host_with_thousands_of_ports_makes_no_other_host_s_session_forgotten(void **state)
{
	(void)state;
	struct addr flood = addr_of("192.168.1.77", 0), peer = there;

	begin(false);
	for (uint32_t i = 0; i < 5000; i++) {
		there = flood;
		there.port = (uint16_t)(2000 + i);
		assert_int_equal(ask(1, 0), 0);
		now += NS_PER_MS;
		there = peer;
		if (i % 50 == 0)
			assert_int_equal(ask(i / 50 + 1, 0), i / 50);
	}
	assert_int_equal(count.limited, 0);
}

static void an_answer_is_as_long_as_its_question(void **state)
{
	(void)state;
	begin(false);
	for (size_t n = 0; n < sizeof(bytes); n++) {
		put(1, 1, 0);
		now += NS_PER_MS;
		memset(bytes + n, 0xa5, sizeof(bytes) - n);
		assert_int_equal(ask_bytes(n), n >= STAMP_LEN && n <= REFLECT_MAX);
		for (size_t i = n; i < sizeof(bytes); i++)
			assert_int_equal(bytes[i], 0xa5);
	}
	assert_int_equal(count.answered, REFLECT_MAX - STAMP_LEN + 1);
	assert_int_equal(count.refused, sizeof(bytes) - count.answered);
	assert_int_equal(count.probes, sizeof(bytes));
}

static void nothing_is_read_or_written_past_the_question(void **state)
{
	(void)state;
	struct rng g = rng_of(3);

	begin(false);
	for (size_t i = 0; i < 4000; i++) {
		uint8_t junk[300];
		size_t n = rng_below(&g, sizeof(junk));

		for (size_t k = 0; k < n; k++)
			junk[k] = (uint8_t)(rng_chance(&g, 300000) ? 0x80 : rng_next(&g));
		struct guard at = guard_of(junk, n);
		struct packet pkt = { .p = (uint8_t *)at.p, .n = n, .from = there, .to = here, .ttl = (int)(i % 300) - 1 };

		now += NS_PER_MS;
		assert_int_equal(reflect_answer(&r, (uint8_t *)at.p, &pkt, unix_now(), now), n >= STAMP_LEN);
		guard_free(&at);
	}
}

static void a_public_address_has_an_answer_only_where_that_was_asked_for(void **state)
{
	(void)state;
	static const struct {
		const char *from;
		bool always, open;
	} rows[] = {
		{ "127.0.0.1", true, true }, { "10.1.2.3", true, true }, { "172.16.0.1", true, true },
		{ "169.254.3.4", true, true }, { "::1", true, true }, { "fe80::1", true, true }, { "fd00::1", true, true },
		{ "192.0.2.1", false, true }, { "8.8.8.8", false, true }, { "2001:db8::1", false, true },
		{ "0.0.0.0", false, false }, { "::", false, false }, { "224.0.0.1", false, false },
		{ "255.255.255.255", false, false }, { "ff02::1", false, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin(false);
		there = addr_of(rows[i].from, 40000);
		assert_int_equal(ask(0, 0), rows[i].always ? 0 : UINT32_MAX);
		begin(true);
		there = addr_of(rows[i].from, 40000);
		assert_int_equal(ask(0, 0), rows[i].open ? 0 : UINT32_MAX);
	}
}

static void what_was_sent_to_many_machines_has_no_answer(void **state)
{
	(void)state;
	begin(true);
	here.family = 0;
	assert_int_equal(ask(0, 0), UINT32_MAX);
	assert_int_equal(count.refused, 1);
}

static void services_that_answer_whatever_comes_are_not_spoken_to(void **state)
{
	(void)state;
	static const uint16_t refused[] = { 0, 7, 13, 19, 53, 123, 861, 863, 1023 }, asked[] = { 862, 1024, 8080, 65535 };

	begin(false);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		there.port = refused[i];
		assert_int_equal(ask(0, 0), UINT32_MAX);
	}
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		there.port = asked[i];
		assert_int_equal(ask(0, 0), 0);
	}
}

/* A forged first packet, and then each answer is the other's question; their clocks are an hour apart. */
static void two_reflectors_set_on_each_other_fall_silent(void **state)
{
	(void)state;
	for (int ptp = 0; ptp < 2; ptp++) {
		int rounds = 0;

		begin(false);
		put(0, ptp ? STAMP_ERROR_PTP | 1 : 1, 0);
		for (bool more = true; more && rounds < 100; rounds++) {
			struct packet pkt = { .p = bytes, .n = STAMP_LEN, .from = there, .to = here, .stamp = now, .ttl = 64 };
			int64_t day = unix_now() + (rounds % 2 ? 3600 * NS_PER_S : 0);

			more = reflect_answer(&r, bytes, &pkt, day, now);
			now += NS_PER_MS;
		}
		assert_in_range(rounds, 1, 4);
	}
}

/* Of other makes we know only what the RFC says: an answer holds the sender's time as it came. */
static void a_stateless_reflector_with_a_wrong_clock_does_not_loop_either(void **state)
{
	(void)state;
	int rounds = 0;

	begin(false);
	put(0, 1, 0);
	while (rounds < 100 && ask_bytes(STAMP_LEN)) {
		struct stamp_answer a = { .sent = 5, .error = 1, .received = 9, .ttl = 3 };

		stamp_read_probe(bytes, STAMP_LEN, &a.probe);
		a.seq = a.probe.seq;
		stamp_put_answer(bytes, &a);
		now += 50 * NS_PER_MS;
		rounds++;
	}
	assert_int_equal(rounds, 1);
}

static void a_server_that_sends_back_what_it_gets_does_not_loop(void **state)
{
	(void)state;
	int rounds = 0;

	begin(false);
	put(0, 1, 0);
	for (; rounds < 100 && ask_bytes(STAMP_LEN); rounds++)
		now += NS_PER_MS;
	assert_in_range(rounds, 1, 2);
}

static void padding_of_any_kind_is_no_loop(void **state)
{
	(void)state;
	struct rng g = rng_of(4);

	begin(false);
	for (int i = 0; i < 20000; i++) {
		put((uint32_t)i + 1, 1, 0);
		for (size_t k = 14; k < STAMP_LEN; k++)
			bytes[k] = (uint8_t)(i < 256 ? i : (int)rng_next(&g));
		now += NS_PER_MS;
		assert_true(ask_bytes(STAMP_LEN));
	}
	/* A minute after NTP's time has turned to 0, zero is still padding. */
	put(1, 1, 0);
	struct packet pkt = { .p = bytes, .n = STAMP_LEN, .from = there, .to = here, .stamp = now };

	assert_true(reflect_answer(&r, bytes, &pkt, INT64_C(2085978526) * NS_PER_S, now));
}

static void what_follows_is_echoed_and_each_part_is_marked_as_rfc_8972_says(void **state)
{
	(void)state;
	static const uint8_t parts[] = {
		0x80, 1, 0, 3, 'p', 'a', 'd', /* Extra Padding: understood */
		0x80, 0xfb, 0, 2, 'x', 'y',   /* unknown */
		0x80, 8, 0, 0,                /* HMAC, without a value: unknown */
		0x80, 1, 0, 9, 'e',           /* longer than there is room: malformed */
	};
	static const uint8_t marked[] = { 0, 1, 0, 3, 'p', 'a', 'd', 0x80, 0xfb, 0, 2, 'x', 'y', 0x80, 8, 0, 0, 0x40, 1, 0, 9,
		'e' };

	begin(false);
	put(0, 1, 0);
	memcpy(bytes + STAMP_LEN, parts, sizeof(parts));
	assert_true(ask_bytes(STAMP_LEN + sizeof(parts)));
	assert_memory_equal(bytes + STAMP_LEN, marked, sizeof(marked));
	put(1, 1, 0);
	memcpy(bytes + STAMP_LEN, parts, 7);
	assert_true(ask_bytes(STAMP_LEN + 7));
	assert_memory_equal(bytes + STAMP_LEN, marked, 7);
}

static void padding_that_is_no_part_comes_back_untouched(void **state)
{
	(void)state;
	static const char padding[] = "TWAMP Light pads with whatever it likes";

	begin(false);
	put(0, 1, 0);
	memcpy(bytes + STAMP_LEN, padding, sizeof(padding));
	assert_true(ask_bytes(STAMP_LEN + sizeof(padding)));
	assert_memory_equal(bytes + STAMP_LEN, padding, sizeof(padding));
}

static int64_t answers_in(ns_t time, ns_t interval, uint8_t hosts)
{
	int64_t n = 0;

	for (ns_t end = now + time; now < end; now += interval)
		for (uint8_t h = 0; h < hosts; h++) {
			there.ip[3] = h;
			n += ask(1, 0) != UINT32_MAX;
		}
	return n;
}

static void one_address_gets_so_many_answers_a_second_and_a_burst(void **state)
{
	(void)state;
	int64_t burst = REFLECT_PER_SECOND * REFLECT_AT_ONCE / NS_PER_S;

	begin(false);
	int64_t n = answers_in(4 * NS_PER_S, 20 * NS_PER_US, 1);

	assert_in_range(n, 4 * REFLECT_PER_SECOND + burst - 1, 4 * REFLECT_PER_SECOND + burst + 1);
	assert_int_equal(count.probes, count.answered + count.limited);
	/* Who keeps below it loses nothing, and a burst is allowed again after a pause. */
	now += NS_PER_S;
	assert_int_equal(answers_in(NS_PER_S, NS_PER_S / REFLECT_PER_SECOND, 1), REFLECT_PER_SECOND);
	now += NS_PER_S;
	assert_int_equal(answers_in(burst, 1, 1), burst);
}

static void all_together_get_no_more_than_the_cap_for_all(void **state)
{
	(void)state;
	int64_t burst = REFLECT_PER_SECOND_ALL * REFLECT_AT_ONCE / NS_PER_S;

	begin(false);
	int64_t n = answers_in(NS_PER_S, 500 * NS_PER_US, 100);

	assert_in_range(n, REFLECT_PER_SECOND_ALL, REFLECT_PER_SECOND_ALL + burst + 1);
}

static void a_flood_from_one_address_leaves_the_others_their_answers(void **state)
{
	(void)state;
	struct addr peer = addr_of("192.168.1.50", 40000), flood = addr_of("192.168.1.66", 40000);
	int64_t asked = 0, got = 0;

	begin(false);
	for (int i = 0; i < 200000; i++) {
		now += 5 * NS_PER_US;
		there = flood;
		ask(1, 0);
		if (i % 2000 != 0)
			continue;
		there = peer;
		got += ask(1, 0) != UINT32_MAX;
		asked++;
	}
	assert_int_equal(got, asked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_tells_all_that_rfc_8762_asks_for),
		cmocka_unit_test(the_answer_has_the_format_of_the_question),
		cmocka_unit_test(a_stamp_from_the_future_is_no_negative_stay),
		cmocka_unit_test(the_numbers_tell_on_which_way_a_packet_was_lost),
		cmocka_unit_test(sessions_are_told_apart_by_address_port_and_session_id_of_either_end),
		cmocka_unit_test(hosts_of_one_place_are_told_apart),
		cmocka_unit_test(a_session_ends_after_a_long_silence),
		cmocka_unit_test(a_sender_that_begins_again_at_0_is_a_new_session_but_not_a_late_first_packet),
		cmocka_unit_test(the_session_that_was_silent_longest_makes_room_and_no_other),
		cmocka_unit_test(a_host_with_thousands_of_ports_makes_no_other_host_s_session_forgotten),
		cmocka_unit_test(an_answer_is_as_long_as_its_question),
		cmocka_unit_test(nothing_is_read_or_written_past_the_question),
		cmocka_unit_test(a_public_address_has_an_answer_only_where_that_was_asked_for),
		cmocka_unit_test(what_was_sent_to_many_machines_has_no_answer),
		cmocka_unit_test(services_that_answer_whatever_comes_are_not_spoken_to),
		cmocka_unit_test(two_reflectors_set_on_each_other_fall_silent),
		cmocka_unit_test(a_stateless_reflector_with_a_wrong_clock_does_not_loop_either),
		cmocka_unit_test(a_server_that_sends_back_what_it_gets_does_not_loop),
		cmocka_unit_test(padding_of_any_kind_is_no_loop),
		cmocka_unit_test(what_follows_is_echoed_and_each_part_is_marked_as_rfc_8972_says),
		cmocka_unit_test(padding_that_is_no_part_comes_back_untouched),
		cmocka_unit_test(one_address_gets_so_many_answers_a_second_and_a_burst),
		cmocka_unit_test(all_together_get_no_more_than_the_cap_for_all),
		cmocka_unit_test(a_flood_from_one_address_leaves_the_others_their_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
