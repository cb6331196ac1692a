/* SPDX-License-Identifier: MIT */
#include "engine/source.h"

#include <stdio.h>

#include "brink.h"
#include "ear.h"
#include "rng.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The body behind a head that promises chunks, or a length. */
static void begin_ear(struct ear *e, uint64_t bytes)
{
	char head[96];
	int n = bytes == SOURCE_UNBOUNDED ?
			snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n") :
			snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %llu\r\n\r\n",
				(unsigned long long)bytes);

	memset(e, 0, sizeof(*e));
	ear_bytes(e, head, (size_t)n);
}

/* One step: at most @most bytes of what is wanted. Return: how many were taken. */
static uint64_t step(struct source *s, struct ear *e, uint64_t most)
{
	struct want w = source_out(s);
	uint64_t n = w.n < most ? w.n : most;

	assert_true(w.kind == WANT_WRITE || w.kind == WANT_BULK);
	assert_true(w.n > 0);
	if (w.kind == WANT_WRITE)
		ear_bytes(e, brink(w.p, (size_t)w.n), (size_t)n);
	else
		ear_bulk(e, n);
	source_moved(s, n);
	return n;
}

static void assert_over(const struct source *s, const struct ear *e)
{
	uint64_t told;

	assert_true(s->done);
	assert_int_equal(source_out(s).kind, WANT_NOTHING);
	assert_true(e->v[0].body.done);
	assert_int_equal(e->v[0].body.received, s->sent);
	if (e->v[0].body.framing != HTTP1_CHUNKED)
		return;
	assert_true(http1_body_trailer_uint(&e->v[0].body, &told));
	assert_int_equal(told, s->sent);
}

static void a_known_length_is_sent_in_full_and_without_frames(void **state)
{
	(void)state;
	static const uint64_t lengths[] = { 1, 2, 1000, 65536, UINT64_C(5) << 30 };

	for (size_t i = 0; i < COUNT(lengths); i++) {
		struct source s;
		struct ear e;
		struct rng rng = rng_of(i);

		source_init(&s, lengths[i]);
		begin_ear(&e, lengths[i]);
		while (!s.done) {
			assert_int_equal(source_out(&s).kind, WANT_BULK);
			assert_int_equal(source_out(&s).n, lengths[i] - s.sent);
			assert_false(source_out(&s).more);
			step(&s, &e, 1 + rng_below(&rng, lengths[i]));
		}
		assert_int_equal(s.sent, lengths[i]);
		assert_over(&s, &e);
	}
}

static void no_bytes_are_done_at_once(void **state)
{
	(void)state;
	struct source s;

	source_init(&s, 0);
	assert_true(s.done);
	assert_int_equal(source_out(&s).kind, WANT_NOTHING);
	assert_int_equal(s.sent, 0);
}

static void a_known_length_that_is_finished_ends_where_it_is(void **state)
{
	(void)state;
	struct source s;

	source_init(&s, 1000);
	source_moved(&s, 400);
	source_finish(&s);
	assert_true(s.done);
	assert_int_equal(source_out(&s).kind, WANT_NOTHING);
	assert_int_equal(s.sent, 400);
}

static void chunks_go_on_until_they_are_told_to_finish(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 50; seed++) {
		struct source s;
		struct ear e;
		struct rng rng = rng_of(seed);
		uint64_t enough = rng_below(&rng, 1 << 22);

		source_init(&s, SOURCE_UNBOUNDED);
		begin_ear(&e, SOURCE_UNBOUNDED);
		while (s.sent < enough)
			step(&s, &e, 1 + rng_below(&rng, 1 + rng_below(&rng, 300000)));
		assert_false(s.done);
		source_finish(&s);
		while (!s.done)
			step(&s, &e, 1 + rng_below(&rng, 100));
		assert_over(&s, &e);
	}
}

/* In the first frame, in a chunk, at its end, in a frame between two: byte by byte over three chunks. */
static void finishing_is_right_at_every_moment(void **state)
{
	(void)state;
	uint64_t total = 0;
	struct source s;
	struct ear e;

	source_init(&s, SOURCE_UNBOUNDED);
	begin_ear(&e, SOURCE_UNBOUNDED);
	while (s.sent < 40000)
		total += step(&s, &e, 1);
	for (uint64_t moment = 0; moment < total; moment += moment % 16384 < 40 ? 1 : 977) {
		source_init(&s, SOURCE_UNBOUNDED);
		begin_ear(&e, SOURCE_UNBOUNDED);
		for (uint64_t n = moment; n > 0;)
			n -= step(&s, &e, n);
		source_finish(&s);
		while (!s.done)
			step(&s, &e, UINT64_MAX);
		assert_over(&s, &e);
		assert_true(s.sent > 0);
	}
}

static void finishing_twice_is_finishing_once(void **state)
{
	(void)state;
	struct source s;
	struct ear e;

	source_init(&s, SOURCE_UNBOUNDED);
	begin_ear(&e, SOURCE_UNBOUNDED);
	step(&s, &e, UINT64_MAX);
	source_finish(&s);
	while (!s.done) {
		step(&s, &e, 1000);
		source_finish(&s);
	}
	assert_over(&s, &e);
	source_finish(&s);
	assert_over(&s, &e);
}

/* So that a frame travels with the data behind it, and only the last byte of all goes out alone. */
static void more_is_promised_while_more_follows(void **state)
{
	(void)state;
	struct source s;
	struct ear e;
	struct want w = { .kind = WANT_NOTHING };

	source_init(&s, SOURCE_UNBOUNDED);
	begin_ear(&e, SOURCE_UNBOUNDED);
	while (s.sent < 100000) {
		assert_true(source_out(&s).more);
		step(&s, &e, 5000);
	}
	source_finish(&s);
	while (!s.done) {
		w = source_out(&s);
		step(&s, &e, UINT64_MAX);
		assert_int_equal(w.more, !s.done);
	}
	assert_int_equal(w.kind, WANT_WRITE);
}

static void framing_costs_next_to_nothing(void **state)
{
	(void)state;
	struct source s;
	struct ear e;
	uint64_t framing = 0, chunk = 0, chunks = 0;

	source_init(&s, SOURCE_UNBOUNDED);
	begin_ear(&e, SOURCE_UNBOUNDED);
	while (s.sent < UINT64_C(8) << 30) {
		struct want w = source_out(&s);

		if (w.kind == WANT_WRITE) {
			framing += w.n;
		} else {
			assert_true(w.n >= chunk); /* chunks grow */
			chunk = w.n;
			chunks++;
			assert_true(chunk <= 16384 || chunk <= s.sent / 16);
		}
		step(&s, &e, UINT64_MAX);
	}
	assert_true(chunks < 5000);
	assert_true(framing < s.sent / 10000);
}

static void little_waits_in_this_machine_on_a_slow_link(void **state)
{
	(void)state;
	struct source s;
	uint64_t last = 0;

	source_init(&s, UINT64_C(1) << 40);
	assert_int_equal(source_ahead(&s), 0);
	while (s.sent < UINT64_C(1) << 36) {
		uint64_t ahead = source_ahead(&s);

		assert_true(ahead >= last && ahead <= s.sent / 16);
		last = ahead;
		source_moved(&s, s.sent > 0 ? s.sent : 1000);
	}
	assert_true(last > 256 << 10 && last < 4 << 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_known_length_is_sent_in_full_and_without_frames),
		cmocka_unit_test(no_bytes_are_done_at_once),
		cmocka_unit_test(a_known_length_that_is_finished_ends_where_it_is),
		cmocka_unit_test(chunks_go_on_until_they_are_told_to_finish),
		cmocka_unit_test(finishing_is_right_at_every_moment),
		cmocka_unit_test(finishing_twice_is_finishing_once),
		cmocka_unit_test(more_is_promised_while_more_follows),
		cmocka_unit_test(framing_costs_next_to_nothing),
		cmocka_unit_test(little_waits_in_this_machine_on_a_slow_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
