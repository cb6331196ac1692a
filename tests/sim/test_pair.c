/* SPDX-License-Identifier: MIT */
/* Our client against our server, through a pipe in memory that cuts everything to pieces. */
#include <stdio.h>

#include "talk.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct talk talk;
static uint64_t up, down; /* what both ends must have counted */

static void finish_request(struct talk *t)
{
	talk_run(t, NS_NEVER);
	assert_int_equal(t->x.state, EXCHANGE_DONE);
	assert_false(t->x.early);
	assert_true(t->x.keep_alive);
	assert_int_equal(t->counters.bytes_in, up);
	assert_int_equal(t->counters.bytes_out, down);
}

static void upload_length(struct talk *t, uint64_t n)
{
	talk_ask(t, EXCHANGE_POST, "/up", n);
	up += n;
	finish_request(t);
	assert_int_equal(t->x.status, 200);
	assert_int_equal(t->x.source.sent, n);
	assert_int_equal(talk_receipt(t), n);
}

static void upload_chunks(struct talk *t, uint64_t n)
{
	talk_ask(t, EXCHANGE_POST, "/up", SOURCE_UNBOUNDED);
	for (t->turn = 1; t->x.source.sent < n; t->net.now += 100)
		talk_turn(t);
	t->turn = 0;
	source_finish(&t->x.source);
	talk_run(t, NS_NEVER);
	up += t->x.source.sent;
	finish_request(t);
	assert_true(t->x.source.sent >= n);
	assert_int_equal(talk_receipt(t), t->x.source.sent);
}

static void download_bytes(struct talk *t, uint64_t n)
{
	char path[64];

	snprintf(path, sizeof(path), "/down?bytes=%llu", (unsigned long long)n);
	talk_ask(t, EXCHANGE_GET, path, 0);
	down += n;
	finish_request(t);
	assert_int_equal(t->x.body.received, n);
	assert_int_equal(t->x.length, n);
}

/* Time is short here, so that little data goes by. */
static void download_time(struct talk *t, uint64_t n)
{
	char path[64];
	uint64_t told;

	t->turn = 1000;
	snprintf(path, sizeof(path), "/down?seconds=%lluns", (unsigned long long)(1 + n * 100 / t->piece));
	talk_ask(t, EXCHANGE_GET, path, 0);
	talk_run(t, NS_NEVER);
	t->turn = 0;
	assert_int_equal(t->x.state, EXCHANGE_DONE);
	assert_true(http1_body_trailer_uint(&t->x.body, &told));
	assert_int_equal(told, t->x.body.received);
	down += told;
	finish_request(t);
}

static void small_answers(struct talk *t, uint64_t n)
{
	static const struct {
		enum exchange_method method;
		const char *path;
		unsigned status;
	} v[] = { { EXCHANGE_GET, "/ping", 204 }, { EXCHANGE_GET, "/info", 200 }, { EXCHANGE_GET, "/", 200 },
		{ EXCHANGE_HEAD, "/", 200 }, { EXCHANGE_HEAD, "/down?bytes=77", 200 },
		{ EXCHANGE_HEAD, "/ping", 204 } };

	talk_ask(t, v[n % COUNT(v)].method, v[n % COUNT(v)].path, 0);
	finish_request(t);
	assert_int_equal(t->x.status, v[n % COUNT(v)].status);
}

static void converse(uint64_t seed, size_t piece)
{
	static void (*const requests[])(struct talk *, uint64_t) = { upload_length, upload_chunks, download_bytes,
		download_time, small_answers };
	struct talk *t = &talk;
	struct rng rng = rng_of(seed * 7 + 3);

	talk_init(t, (struct net_cfg){ .delay = 0 }, seed, piece);
	up = down = 0;
	for (int i = 0; i < 8; i++) {
		uint64_t most = 1 + rng_below(&rng, piece < 100 ? 3000 : 100000);

		requests[rng_below(&rng, COUNT(requests))](t, rng_below(&rng, most));
	}
	talk_leave(t);
	assert_int_equal(t->counters.refused, 0);
}

static void both_ends_count_the_same_whatever_the_pieces(void **state)
{
	(void)state;
	static const size_t pieces[] = { 1, 2, 17, 300, 4096, 5000, 40000 };

	for (uint64_t seed = 0; seed < 105; seed++)
		converse(seed, pieces[seed % COUNT(pieces)]);
}

static void every_length_around_a_limit_is_counted(void **state)
{
	(void)state;
	static const uint64_t limits[] = { 0, 4096, 8192, 16384 };
	struct talk *t = &talk;

	talk_init(t, (struct net_cfg){ .delay = 0 }, 1, 3000);
	up = down = 0;
	for (size_t i = 0; i < COUNT(limits); i++) {
		for (uint64_t n = limits[i] < 3 ? 0 : limits[i] - 3; n < limits[i] + 4; n++) {
			upload_length(t, n);
			download_bytes(t, n);
			upload_chunks(t, n);
		}
	}
	talk_leave(t);
}

/* A client that goes away at any moment: the server ends, and has counted no more than was sent. */
static void a_client_that_goes_away_leaves_the_server_as_it_was(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 300; seed++) {
		struct talk *t = &talk;
		struct rng rng = rng_of(seed);

		talk_init(t, (struct net_cfg){ .delay = 0 }, seed, 1 + rng_below(&rng, 2000));
		t->turn = 1;
		if (seed % 2)
			talk_ask(t, EXCHANGE_POST, "/up", seed % 4 == 1 ? SOURCE_UNBOUNDED : 200000);
		else
			talk_ask(t, EXCHANGE_GET, seed % 4 ? "/down?seconds=5" : "/down?bytes=200000", 0);
		for (uint64_t n = rng_below(&rng, 200); n > 0 && !exchange_over(&t->x); n--)
			talk_turn(t);
		t->turn = 0;
		uint64_t sent = t->x.source.sent, received = t->x.body.received;

		talk_leave(t);
		assert_true(t->counters.bytes_in <= sent);
		assert_true(t->counters.bytes_out >= received);
		assert_int_equal(serve_out(&t->s).kind, WANT_CLOSE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ends_count_the_same_whatever_the_pieces),
		cmocka_unit_test(every_length_around_a_limit_is_counted),
		cmocka_unit_test(a_client_that_goes_away_leaves_the_server_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
