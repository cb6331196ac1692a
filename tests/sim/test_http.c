/* SPDX-License-Identifier: MIT */
/* Our client and our server across a network with delay, loss and a cable that can be cut. */
#include "talk.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define RTT (40 * NS_PER_MS)

static struct talk talk;

static struct talk *begin(struct net_cfg weather, uint64_t seed)
{
	talk_init(&talk, weather, seed, STREAM_ROOM);
	return &talk;
}

static const struct net_cfg calm = { .delay = RTT / 2 };
static const struct net_cfg rough = { .delay = RTT / 2, .jitter = 10 * NS_PER_MS, .loss = 20000 };

static void an_answer_takes_a_round_trip_and_says_so(void **state)
{
	(void)state;
	struct talk *t = begin(calm, 1);
	ns_t start = t->net.now;

	talk_ask(t, EXCHANGE_GET, "/info", 0);
	talk_run(t, NS_NEVER);
	assert_int_equal(t->x.state, EXCHANGE_DONE);
	assert_true(t->x.started == start);
	assert_true(t->x.sent == start);
	assert_true(t->x.first_byte == start + RTT);
	assert_true(t->x.ended == start + RTT);
	assert_true(t->x.keep_alive);
}

static void requests_follow_each_other_on_one_connection(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct talk *t = begin(rough, seed);

		for (int i = 0; i < 20; i++) {
			talk_ask(t, i % 2 ? EXCHANGE_HEAD : EXCHANGE_GET, "/ping", 0);
			talk_run(t, NS_NEVER);
			assert_int_equal(t->x.state, EXCHANGE_DONE);
			assert_int_equal(t->x.status, 204);
		}
		assert_int_equal(t->counters.requests, 20);
	}
}

static void a_download_by_time_ends_in_time_and_both_ends_agree(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 5; seed++) {
		struct talk *t = begin(seed ? rough : calm, seed);
		ns_t start = t->net.now;
		uint64_t told;

		talk_ask(t, EXCHANGE_GET, "/down?seconds=3", 0);
		talk_run(t, NS_NEVER);
		assert_int_equal(t->x.state, EXCHANGE_DONE);
		assert_true(http1_body_trailer_uint(&t->x.body, &told));
		assert_int_equal(told, t->x.body.received);
		assert_int_equal(told, t->counters.bytes_out);
		assert_true(t->x.ended >= start + 3 * NS_PER_S);
		assert_true(t->x.ended <= start + 5 * NS_PER_S);
		if (seed == 0) /* what fits on the way goes round once a round trip */
			assert_true(told > 3 * NS_PER_S / RTT * STREAM_ROOM * 8 / 10);
	}
}

static void an_upload_by_time_ends_soon_and_both_ends_agree(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 5; seed++) {
		struct talk *t = begin(seed ? rough : calm, seed);
		ns_t end = t->net.now + 3 * NS_PER_S;

		talk_ask(t, EXCHANGE_POST, "/up", SOURCE_UNBOUNDED);
		talk_run(t, end);
		assert_true(t->net.now == end && t->x.state == EXCHANGE_BODY);
		source_finish(&t->x.source);
		talk_run(t, NS_NEVER);
		assert_int_equal(t->x.state, EXCHANGE_DONE);
		assert_int_equal(talk_receipt(t), t->x.source.sent);
		assert_int_equal(t->counters.bytes_in, t->x.source.sent);
		assert_true(t->net.now < end + 2 * NS_PER_S);
		assert_true(t->x.source.sent > 1 << 20);
		assert_true(t->x.keep_alive);
	}
}

/* Each ends by the deadline of its own end, and by nothing else. */
static void a_cable_that_is_cut_ends_a_download_at_both_ends(void **state)
{
	(void)state;
	struct talk *t = begin(calm, 1);

	talk_ask(t, EXCHANGE_GET, "/down?seconds=60", 0);
	talk_run(t, t->net.now + NS_PER_S);
	t->down.cut = t->up.cut = true;
	ns_t cut = t->net.now;

	talk_run(t, NS_NEVER);
	assert_int_equal(t->x.state, EXCHANGE_BROKEN);
	assert_string_equal(t->x.why, "stopped in the middle of the body for 5 s");
	assert_true(t->x.ended > cut && t->x.ended <= cut + RTT / 2 + 5 * NS_PER_S);
	while (!t->server_closed) {
		talk_turn(t);
		t->net.now = serve_deadline(&t->s);
		serve_tick(&t->s, t->net.now);
	}
	assert_true(t->net.now >= cut + talk_cfg.idle_time && t->net.now <= cut + talk_cfg.idle_time + NS_PER_S);
	assert_true(t->counters.bytes_out >= t->x.body.received);
}

static void a_cable_that_is_cut_ends_an_upload_at_both_ends(void **state)
{
	(void)state;
	struct talk *t = begin(calm, 1);

	talk_ask(t, EXCHANGE_POST, "/up", SOURCE_UNBOUNDED);
	talk_run(t, t->net.now + NS_PER_S);
	t->down.cut = t->up.cut = true;
	ns_t cut = t->net.now;

	talk_run(t, NS_NEVER);
	assert_int_equal(t->x.state, EXCHANGE_BROKEN);
	assert_string_equal(t->x.why, "took no data for 5 s");
	assert_true(t->x.ended >= cut && t->x.ended <= cut + 6 * NS_PER_S);
	for (int i = 0; i < 100 && !t->server_closed; i++) {
		talk_turn(t);
		t->net.now = serve_deadline(&t->s);
		serve_tick(&t->s, t->net.now);
	}
	assert_true(t->server_closed);
	assert_true(t->counters.bytes_in <= t->x.source.sent);
	assert_true(t->net.now <= cut + RTT + 2 * talk_cfg.idle_time + 10 * NS_PER_S);
}

static void a_server_that_says_nothing_is_left(void **state)
{
	(void)state;
	struct talk *t = begin(calm, 1);
	ns_t start = t->net.now;

	t->up.cut = true;
	talk_ask(t, EXCHANGE_GET, "/ping", 0);
	talk_run(t, NS_NEVER);
	assert_string_equal(t->x.why, "sent nothing for 5 s");
	assert_true(t->net.now == start + 5 * NS_PER_S);
}

/* Where everybody is refused, a client in the middle of its body must hear the reason. */
static void a_refusal_reaches_a_client_that_is_still_sending(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 10; seed++) {
		struct talk *t = begin(seed % 2 ? rough : calm, seed);
		uint64_t n = seed < 5 ? SOURCE_UNBOUNDED : UINT64_C(1) << 41;

		talk_ask(t, EXCHANGE_POST, seed < 5 ? "/nothing" : "/up", n);
		talk_run(t, NS_NEVER);
		assert_int_equal(t->x.state, EXCHANGE_DONE);
		assert_int_equal(t->x.status, seed < 5 ? 404 : 413);
		assert_true(t->x.early);
		assert_true(t->x.early_sent > 0 && t->x.early_sent < 4 << 20);
		assert_int_equal(t->counters.bytes_in, 0);
		talk_leave(t);
		assert_int_equal(serve_out(&t->s).kind, WANT_CLOSE);
	}
}

static void a_kept_connection_is_closed_when_nobody_asks(void **state)
{
	(void)state;
	struct talk *t = begin(calm, 1);

	talk_ask(t, EXCHANGE_GET, "/ping", 0);
	talk_run(t, NS_NEVER);
	t->net.now += talk_cfg.idle_time;
	serve_tick(&t->s, t->net.now);
	talk_ask(t, EXCHANGE_GET, "/ping", 0);
	talk_run(t, NS_NEVER);
	assert_int_equal(t->x.state, EXCHANGE_BROKEN);
	assert_int_equal(t->x.first_byte, 0); /* so it may be asked again on a new connection */
	assert_string_equal(t->x.why, "closed the connection without an answer");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_takes_a_round_trip_and_says_so),
		cmocka_unit_test(requests_follow_each_other_on_one_connection),
		cmocka_unit_test(a_download_by_time_ends_in_time_and_both_ends_agree),
		cmocka_unit_test(an_upload_by_time_ends_soon_and_both_ends_agree),
		cmocka_unit_test(a_cable_that_is_cut_ends_a_download_at_both_ends),
		cmocka_unit_test(a_cable_that_is_cut_ends_an_upload_at_both_ends),
		cmocka_unit_test(a_server_that_says_nothing_is_left),
		cmocka_unit_test(a_refusal_reaches_a_client_that_is_still_sending),
		cmocka_unit_test(a_kept_connection_is_closed_when_nobody_asks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
