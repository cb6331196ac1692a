/* SPDX-License-Identifier: MIT */
#include "engine/flight.h"

#include "guard.h"

#define START (50 * NS_PER_S)
#define TIMEOUT NS_PER_S

static struct flight_slot slots[FLIGHT_SLOTS];
static struct score score;
static struct score_more more;
static const struct score_card card = { &score, &more, NULL };

static struct flight begin(size_t size, uint32_t first)
{
	memset(slots, 0, sizeof(slots));
	memset(&score, 0, sizeof(score));
	memset(&more, 0, sizeof(more));
	return (struct flight){ .slots = slots, .key = { 1, 2, 3 }, .size = size, .timeout = TIMEOUT, .head = first,
		.tail = first };
}

static struct flight_slot *send(struct flight *f, ns_t now)
{
	score.sent++;
	return flight_at(f, flight_take(f, 5, score.sent, now));
}

static struct ping_event answered_after(ns_t rtt)
{
	return (struct ping_event){ .seq = 1, .rtt = rtt, .queue = UNKNOWN, .connect = UNKNOWN, .stamps = STAMPS_USER };
}

static void all_probes_have_one_checksum_and_no_two_the_same_seal(void **state)
{
	(void)state;
	struct flight f = begin(56, 65000);
	uint8_t last[10] = { 0 }, sum[2];

	for (int i = 0; i < 2000; i++) {
		uint8_t data[56], packet[64];
		uint16_t wire = flight_take(&f, (size_t)i % 7, (uint64_t)i, START);

		flight_payload(&f, wire, data);
		assert_int_equal(icmp_echo_build(4, 0x1234, wire, data, 56, packet, sizeof(packet)), 64);
		if (i > 0)
			assert_memory_equal(packet + 2, sum, 2);
		memcpy(sum, packet + 2, 2);
		assert_true(memcmp(data, last, 8) != 0);
		memcpy(last, data, 8);
	}
}

static void only_the_very_bytes_that_were_sent_are_ours(void **state)
{
	(void)state;
	static const size_t sizes[] = { 0, 1, 7, 8, 9, 10, 11, 56, 1400 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct flight f = begin(sizes[i], 1);
		uint16_t wire = flight_take(&f, 1, 1, START), other = flight_take(&f, 1, 2, START);
		uint8_t data[1500];
		struct icmp_echo echo = { .seq = wire, .data = data, .n = sizes[i] };

		flight_payload(&f, wire, data);
		assert_true(flight_is_ours(&f, wire, &echo));
		assert_int_equal(flight_is_ours(&f, other, &echo), sizes[i] == 0);
		for (size_t at = 0; at < sizes[i]; at++) {
			data[at] ^= 0x10;
			assert_false(flight_is_ours(&f, wire, &echo));
			data[at] ^= 0x10;
		}
		echo.n++;
		assert_false(flight_is_ours(&f, wire, &echo));
	}
}

static void another_key_makes_another_seal(void **state)
{
	(void)state;
	struct flight f = begin(16, 1);
	uint16_t wire = flight_take(&f, 1, 1, START);
	uint8_t one[16], two[16];

	flight_payload(&f, wire, one);
	f.key[15] ^= 1;
	flight_payload(&f, wire, two);
	assert_true(memcmp(one, two, 8) != 0);
	assert_memory_equal(one + 10, two + 10, 6);
}

static void a_packet_leaves_between_its_stamps_but_a_queue_is_part_of_the_way(void **state)
{
	(void)state;
	static const struct {
		ns_t sched, left, rtt, queue;
	} rows[] = { { 100, 2100, 98900, 2000 }, { 100, 0, 99900, UNKNOWN }, { 0, 2100, 100000, UNKNOWN },
		{ 100, 100, 99900, 0 }, { 100, 10100, 94900, 10000 }, { 100, 50100, 94900, 50000 }, { 0, 0, 100000, UNKNOWN } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct flight f = begin(56, 1);
		struct flight_slot *s = send(&f, START);
		struct packet sched = { .kind = PACKET_SCHED, .id = 1, .stamp = START + rows[i].sched };
		struct packet left = { .kind = PACKET_LEFT, .id = 1, .stamp = START + rows[i].left };
		struct packet reply = { .kernel_stamp = true, .stamp = START + 100000, .user = START + 110000 };
		struct ping_event ev = answered_after(UNKNOWN);

		if (rows[i].sched > 0)
			flight_stamp(&f, &sched);
		if (rows[i].left > 0)
			flight_stamp(&f, &left);
		flight_measure(s, &reply, &ev);
		assert_int_equal(ev.rtt, rows[i].rtt);
		assert_int_equal(ev.queue, rows[i].queue);
		assert_int_equal(ev.stamps, rows[i].sched > 0 ? STAMPS_KERNEL_TXRX : STAMPS_KERNEL_RX);
		ns_t begun, ended;

		flight_ends(s, &reply, &ev, &begun, &ended);
		assert_true(ended == reply.stamp && ended - begun == ev.rtt);
		reply.kernel_stamp = false;
		flight_measure(s, &reply, &ev);
		flight_ends(s, &reply, &ev, &begun, &ended);
		assert_true(ended == reply.user && begun == START && ended - begun == ev.rtt);
	}
}

static void stamps_of_another_time_are_none(void **state)
{
	(void)state;
	static const ns_t wrong[] = { -1, -3600 * NS_PER_S, 3600 * NS_PER_S, INT64_C(1) << 32 };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct flight f = begin(56, 1);
		struct flight_slot *s = send(&f, START);
		struct packet pkt = { .kind = PACKET_SCHED, .id = 1, .stamp = START + wrong[i] };

		flight_stamp(&f, &pkt);
		assert_int_equal(s->sched, 0);
	}
}

static void a_connection_took_what_the_kernel_says_where_that_can_be(void **state)
{
	(void)state;
	static const struct {
		ns_t handshake, rtt, connect;
		enum stamps stamps;
	} rows[] = { { 300, 300, 1000, STAMPS_KERNEL_TXRX }, { 1000, 1000, 1000, STAMPS_KERNEL_TXRX },
		{ 1001, 1000, UNKNOWN, STAMPS_USER }, { 0, 1000, UNKNOWN, STAMPS_USER }, { UNKNOWN, 1000, UNKNOWN, STAMPS_USER } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct flight f = begin(0, 1);
		struct ping_event ev = answered_after(UNKNOWN);

		flight_measure_tcp(send(&f, START), START + 1000, rows[i].handshake, &ev);
		assert_int_equal(ev.rtt, rows[i].rtt);
		assert_int_equal(ev.connect, rows[i].connect);
		assert_int_equal(ev.stamps, rows[i].stamps);
	}
}

static enum outcome settle(struct flight *f, struct flight_slot *s, ns_t rtt)
{
	struct ping_event ev = answered_after(rtt);

	flight_settle(f, s, &card, &ev);
	return ev.outcome;
}

static void a_first_answer_counts_and_a_second_is_a_duplicate(void **state)
{
	(void)state;
	struct flight f = begin(0, 1);
	struct flight_slot *s = send(&f, START);

	assert_int_equal(f.waiting, 1);
	assert_int_equal(settle(&f, s, 1000), OUTCOME_REPLY);
	assert_int_equal(f.waiting, 0);
	assert_int_equal(settle(&f, s, 1000), OUTCOME_DUPLICATE);
	assert_int_equal(score.received, 1);
	assert_int_equal(more.duplicates, 1);
}

static void an_answer_in_time_takes_an_error_back_and_a_later_one_does_not(void **state)
{
	(void)state;
	for (int late = 0; late < 2; late++) {
		struct flight f = begin(0, 1);
		struct flight_slot *s = send(&f, START);
		struct ping_event error = { .outcome = OUTCOME_ERROR };

		flight_lose(&f, s, &card, &error);
		assert_int_equal(more.errors, 1);
		assert_int_equal(f.waiting, 0);
		assert_int_equal(settle(&f, s, TIMEOUT - 1 + late), late ? OUTCOME_LATE : OUTCOME_REPLY);
		assert_int_equal(f.waiting, 0);
		assert_int_equal(more.lost, 0);
		assert_int_equal(more.errors, 0);
		assert_int_equal(more.late, late);
		assert_int_equal(score.received, 1 - late);
		assert_int_equal(settle(&f, s, 1), OUTCOME_DUPLICATE);
	}
}

static void probes_are_passed_once_in_order_when_they_are_decided(void **state)
{
	(void)state;
	struct flight f = begin(0, UINT32_MAX - 1); /* the numbers go round */
	struct flight_slot *s[4];
	struct ping_event error = { .outcome = OUTCOME_ERROR };
	bool lost;

	for (int i = 0; i < 4; i++)
		s[i] = send(&f, START + i);
	assert_int_equal(flight_deadline(&f), START + TIMEOUT);
	settle(&f, s[1], 5);
	assert_null(flight_pass(&f, START + 10, true, &lost));
	settle(&f, s[0], 10);
	assert_ptr_equal(flight_pass(&f, START + 10, true, &lost), s[0]);
	assert_false(lost);
	assert_ptr_equal(flight_pass(&f, START + 10, true, &lost), s[1]);
	flight_lose(&f, s[2], &card, &error);
	assert_null(flight_pass(&f, START + 10, false, &lost)); /* an answer may still take it back */
	assert_ptr_equal(flight_pass(&f, START + 10, true, &lost), s[2]);
	assert_false(lost);
	assert_null(flight_pass(&f, START + 2 + TIMEOUT, true, &lost));
	assert_false(lost);
	assert_ptr_equal(flight_pass(&f, START + 3 + TIMEOUT, true, &lost), s[3]);
	assert_true(lost);
	assert_int_equal(f.waiting, 0);
	assert_null(flight_pass(&f, NS_NEVER, true, &lost));
	assert_int_equal(flight_deadline(&f), NS_NEVER);
}

static void all_numbers_under_way_are_full_until_the_oldest_is_passed(void **state)
{
	(void)state;
	struct flight f = begin(0, 7);
	bool lost;

	for (int i = 0; i < FLIGHT_SLOTS; i++) {
		assert_false(flight_is_full(&f));
		send(&f, START);
	}
	assert_true(flight_is_full(&f));
	assert_non_null(flight_pass(&f, START + TIMEOUT, false, &lost));
	assert_false(flight_is_full(&f));
}

static void the_time_of_an_answer_decides_and_not_whether_anybody_has_given_it_up(void **state)
{
	(void)state;
	for (int late = 0; late < 2; late++) {
		struct flight f = begin(0, 1);
		struct flight_slot *s = send(&f, START);

		assert_int_equal(settle(&f, s, TIMEOUT - 1 + late), late ? OUTCOME_LATE : OUTCOME_REPLY);
		assert_int_equal(f.waiting, 0);
		assert_int_equal(score.received, 1 - late);
		assert_int_equal(more.late, late);
		assert_int_equal(more.lost, 0);
		assert_int_equal(more.errors, 0);
		assert_int_equal(settle(&f, s, 1), OUTCOME_DUPLICATE);
	}
}

static void an_error_is_taken_while_nothing_else_is_known_and_once(void **state)
{
	(void)state;
	struct flight f = begin(0, 1);
	struct flight_slot *s = send(&f, START), *other = send(&f, START);
	struct ping_event lost = { .outcome = OUTCOME_LOST }, error = { .outcome = OUTCOME_ERROR };

	assert_true(flight_may_be_refused(s));
	flight_lose(&f, s, &card, &lost);
	assert_int_equal(more.lost, 1);
	assert_int_equal(f.waiting, 1);
	assert_true(flight_may_be_refused(s));
	flight_lose(&f, s, &card, &error);
	assert_false(flight_may_be_refused(s));
	assert_int_equal(more.lost, 1);
	assert_int_equal(more.errors, 1);
	assert_int_equal(f.waiting, 1);
	settle(&f, other, 1);
	assert_false(flight_may_be_refused(other));
	settle(&f, s, TIMEOUT);
	assert_false(flight_may_be_refused(s));
	assert_int_equal(more.lost + more.errors, 0);
	assert_int_equal(more.late, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_probes_have_one_checksum_and_no_two_the_same_seal),
		cmocka_unit_test(only_the_very_bytes_that_were_sent_are_ours),
		cmocka_unit_test(another_key_makes_another_seal),
		cmocka_unit_test(a_packet_leaves_between_its_stamps_but_a_queue_is_part_of_the_way),
		cmocka_unit_test(stamps_of_another_time_are_none),
		cmocka_unit_test(a_connection_took_what_the_kernel_says_where_that_can_be),
		cmocka_unit_test(a_first_answer_counts_and_a_second_is_a_duplicate),
		cmocka_unit_test(an_answer_in_time_takes_an_error_back_and_a_later_one_does_not),
		cmocka_unit_test(probes_are_passed_once_in_order_when_they_are_decided),
		cmocka_unit_test(all_numbers_under_way_are_full_until_the_oldest_is_passed),
		cmocka_unit_test(the_time_of_an_answer_decides_and_not_whether_anybody_has_given_it_up),
		cmocka_unit_test(an_error_is_taken_while_nothing_else_is_known_and_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
