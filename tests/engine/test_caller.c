/* SPDX-License-Identifier: MIT */
#include "engine/caller.h"

#include <stdio.h>

#include "brink.h"
#include "rng.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define START (40 * NS_PER_S)
#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

static struct caller caller;
static ns_t now;
static char got[1 << 16]; /* what the client got */
static size_t got_n;
static uint64_t step; /* the most bytes that the socket takes at once */
static bool shut, closed;

static struct caller *begin(void)
{
	now = START;
	step = UINT64_MAX;
	got_n = 0;
	shut = closed = false;
	memset(&caller, 0xa5, sizeof(caller));
	caller_init(&caller);
	assert_false(caller_tick(&caller, now));
	return &caller;
}

/* All that can be written is. */
static void drain(struct caller *c)
{
	for (;;) {
		struct want w = caller_out(c);

		if (w.kind == WANT_WRITE) {
			uint64_t n = w.n < step ? w.n : step;

			assert_true(n > 0 && got_n + n < sizeof(got));
			memcpy(got + got_n, brink(w.p, (size_t)w.n), (size_t)n);
			got_n += (size_t)n;
			caller_moved(c, (size_t)n);
		} else if (w.kind == WANT_SHUTDOWN) {
			assert_false(shut);
			shut = true;
			caller_moved(c, 0);
		} else {
			closed = w.kind == WANT_CLOSE;
			got[got_n] = '\0';
			return;
		}
	}
}

static void say_bytes(struct caller *c, const char *p, size_t n)
{
	while (n > 0) {
		struct want w = caller_in(c);
		size_t piece = w.n < n ? (size_t)w.n : n;

		if (w.kind == WANT_NOTHING)
			return;
		caller_got(c, w.kind == WANT_READ ? brink(p, piece) : NULL, piece);
		p += piece;
		n -= piece;
	}
}

static void say(struct caller *c, const char *s)
{
	say_bytes(c, s, strlen(s));
}

static void answer(struct caller *c, const char *content, bool copy)
{
	caller_answer(c, &(struct reply){ .status = 200, .type = "text/plain" }, slice_of(content), copy);
}

static bool has(const char *what)
{
	return strstr(got, what) != NULL;
}

/* Where its body begins. */
static const char *body(void)
{
	const char *at = strstr(got, "\r\n\r\n");

	assert_non_null(at);
	return at + 4;
}

static void a_request_waits_for_its_answer_and_then_the_next_one_comes(void **state)
{
	(void)state;
	for (int copy = 0; copy < 2; copy++) {
		struct caller *c = begin();

		say(c, GET("/one?x=1"));
		assert_int_equal(c->state, CALLER_ASKED);
		assert_true(slice_is(c->head.target, "/one?x=1"));
		assert_int_equal(caller_out(c).kind, WANT_NOTHING);
		assert_false(caller_tick(c, now + 3600 * NS_PER_S));
		answer(c, "the first", copy);
		drain(c);
		assert_true(has("HTTP/1.1 200 OK\r\n") && has("Content-Length: 9\r\n"));
		assert_string_equal(body(), "the first");
		assert_int_equal(c->state, CALLER_HEAD);
		got_n = 0;
		say(c, GET("/two"));
		assert_true(slice_is(c->head.target, "/two"));
		answer(c, "the second", copy);
		drain(c);
		assert_string_equal(body(), "the second");
		assert_false(shut);
	}
}

static void it_does_not_matter_how_a_request_is_cut(void **state)
{
	(void)state;
	static const char request[] = "GET /a HTTP/1.1\r\nHost: h\r\nX: y\r\n\r\n";

	for (size_t cut = 0; cut < sizeof(request) - 1; cut++) {
		struct caller *c = begin();

		say_bytes(c, request, cut);
		assert_int_equal(c->state, CALLER_HEAD);
		say(c, request + cut);
		assert_int_equal(c->state, CALLER_ASKED);
		assert_true(slice_is(c->head.target, "/a"));
	}
	struct caller *c = begin();

	for (const char *p = request; *p; p++)
		say_bytes(c, p, 1);
	assert_int_equal(c->state, CALLER_ASKED);
}

static void it_does_not_matter_how_an_answer_is_taken(void **state)
{
	(void)state;
	char whole[4096] = "";

	for (step = 1; step < 300; step++) {
		uint64_t wanted = step;
		struct caller *c = begin();

		step = wanted;
		say(c, GET("/"));
		answer(c, "some content", step % 2);
		drain(c);
		if (!whole[0])
			strcpy(whole, got);
		assert_string_equal(got, whole);
		assert_int_equal(c->state, CALLER_HEAD);
	}
}

static void requests_that_come_together_are_answered_one_by_one(void **state)
{
	(void)state;
	struct caller *c = begin();

	say(c, GET("/1") GET("/2") GET("/3") "GET /4 HT");
	for (int i = 1; i <= 3; i++) {
		char target[] = { '/', (char)('0' + i), '\0' };

		assert_int_equal(c->state, CALLER_ASKED);
		assert_true(slice_is(c->head.target, target));
		got_n = 0;
		answer(c, target, false);
		drain(c);
		assert_string_equal(body(), target);
	}
	assert_int_equal(c->state, CALLER_HEAD);
	say(c, "TP/1.1\r\nHost: h\r\n\r\n");
	assert_true(slice_is(c->head.target, "/4"));
}

static void what_comes_while_it_waits_is_kept_as_long_as_there_is_room(void **state)
{
	(void)state;
	static char flood[2 * HTTP1_HEAD_MAX];
	struct caller *c = begin();

	say(c, GET("/1"));
	say(c, GET("/2"));
	assert_true(slice_is(c->head.target, "/1"));
	answer(c, "", false);
	drain(c);
	assert_true(slice_is(c->head.target, "/2"));
	memset(flood, 'x', sizeof(flood));
	say_bytes(c, flood, sizeof(flood));
	assert_true(slice_is(c->head.target, "/2"));
	got_n = 0;
	answer(c, "all right", false);
	drain(c);
	assert_string_equal(body(), "all right");
	assert_true(has("Connection: close\r\n"));
	assert_true(shut);
}

static void who_wants_it_closed_gets_it_closed(void **state)
{
	(void)state;
	static const struct {
		const char *request, *connection;
		bool ends;
	} rows[] = {
		{ "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", "Connection: close\r\n", true },
		{ "GET / HTTP/1.0\r\n\r\n", "Connection: close\r\n", true },
		{ "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "Connection: keep-alive\r\n", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct caller *c = begin();

		say(c, rows[i].request);
		answer(c, "x", false);
		drain(c);
		assert_true(has(rows[i].connection));
		assert_int_equal(shut, rows[i].ends);
		if (!rows[i].ends)
			continue;
		assert_int_equal(caller_in(c).kind, WANT_DISCARD);
		say(c, GET("/again"));
		assert_int_equal(c->state, CALLER_LINGER);
		caller_closed(c);
		drain(c);
		assert_true(closed);
	}
}

static void to_head_goes_the_head_alone(void **state)
{
	(void)state;
	for (int copy = 0; copy < 2; copy++) {
		struct caller *c = begin();

		say(c, "HEAD / HTTP/1.1\r\n\r\n");
		answer(c, "content", copy);
		drain(c);
		assert_true(has("Content-Length: 7\r\n"));
		assert_string_equal(body(), "");
		assert_int_equal(c->state, CALLER_HEAD);
		say(c, GET("/"));
		answer(c, "content", copy);
		got_n = 0;
		drain(c);
		assert_string_equal(body(), "content");
	}
	struct caller *c = begin();

	say(c, "HEAD / HTTP/1.1\r\n\r\n");
	caller_stream(c, &(struct reply){ .status = 200 });
	assert_int_equal(caller_room(c), 0);
	caller_send(c, SLICE("never"));
	drain(c);
	assert_string_equal(body(), "");
	assert_true(shut);
}

static void what_is_no_request_for_us_is_refused_in_words(void **state)
{
	(void)state;
	static const struct {
		const char *request;
		const char *status;
	} rows[] = {
		{ "GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", " 413 " },
		{ "POST /x HTTP/1.1\r\nContent-Length: 1\r\n\r\n", " 413 " },
		{ "POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", " 413 " },
		{ "POST /x HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", " 400 " },
		{ "POST /x HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", " 400 " },
		{ "GET /\r\n\r\n", " 400 " },
		{ "GET / HTTP/2.0\r\n\r\n", " 400 " },
		{ "GET / HTTP/1.1\r\n folded: x\r\n\r\n", " 400 " },
		{ "GET / HTTP/1.1\r\nA: \x01\r\n\r\n", " 400 " },
		{ "\x16\x03\x01\x02", " 400 " },
		{ "DELETE / HTTP/1.1\r\n\r\n", " 405 " },
		{ "OPTIONS / HTTP/1.1\r\n\r\n", " 405 " },
		{ "CONNECT h:1 HTTP/1.1\r\n\r\n", " 405 " },
		{ "get / HTTP/1.1\r\n\r\n", " 405 " },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct caller *c = begin();

		say(c, rows[i].request);
		drain(c);
		if (!strstr(got, rows[i].status) || !has("Connection: close\r\n") || strlen(body()) < 10 || !shut)
			fail_msg("%s: %s", rows[i].request, got);
	}
}

static void a_post_without_a_body_is_a_request(void **state)
{
	(void)state;
	static const char *const requests[] = { "POST /stop HTTP/1.1\r\n\r\n", "POST /stop HTTP/1.1\r\nContent-Length: 0\r\n\r\n" };

	for (size_t i = 0; i < COUNT(requests); i++) {
		struct caller *c = begin();

		say(c, requests[i]);
		assert_int_equal(c->state, CALLER_ASKED);
		caller_answer(c, &(struct reply){ .status = 204 }, SLICE(""), false);
		drain(c);
		assert_true(has(" 204 ") && !has("Content-Length"));
		assert_int_equal(c->state, CALLER_HEAD);
	}
}

static void a_head_without_end_is_refused_when_it_is_too_long(void **state)
{
	(void)state;
	static char line[HTTP1_HEAD_MAX * 2];
	struct caller *c = begin();

	memset(line, 'a', sizeof(line));
	memcpy(line, "GET /", 5);
	say_bytes(c, line, HTTP1_HEAD_MAX - 1);
	assert_int_equal(c->state, CALLER_HEAD);
	say_bytes(c, line + 5, 1);
	drain(c);
	assert_true(has(" 431 "));
	c = begin();
	say(c, "GET / HTTP/1.1\r\n");
	for (int i = 0; i <= HTTP1_FIELDS_MAX; i++)
		say(c, "X: y\r\n");
	say(c, "\r\n");
	drain(c);
	assert_true(has(" 431 "));
}

static void a_slow_head_is_given_up_and_every_byte_of_it_is_no_progress(void **state)
{
	(void)state;
	struct caller *c = begin();

	for (int i = 0; i < 9; i++) {
		now += NS_PER_S;
		say_bytes(c, "GET /abcdef", 1);
		assert_false(caller_tick(c, now));
	}
	now += 2 * NS_PER_S;
	assert_true(c->deadline <= now);
	assert_true(caller_tick(c, now));
	drain(c);
	assert_true(has(" 408 "));
	assert_true(shut);
}

static void who_asks_nothing_is_closed_without_a_word(void **state)
{
	(void)state;
	struct caller *c = begin();

	assert_false(caller_tick(c, now + 29 * NS_PER_S));
	assert_true(caller_tick(c, now + 31 * NS_PER_S));
	drain(c);
	assert_true(closed);
	assert_int_equal(got_n, 0);
}

static void after_an_answer_patience_begins_anew(void **state)
{
	(void)state;
	struct caller *c = begin();

	now += 25 * NS_PER_S;
	say(c, GET("/"));
	answer(c, "x", false);
	drain(c);
	assert_false(caller_tick(c, now));
	assert_false(caller_tick(c, now + 25 * NS_PER_S));
	assert_true(caller_tick(c, now + 31 * NS_PER_S));
}

static void an_answer_that_nobody_takes_is_given_up(void **state)
{
	(void)state;
	struct caller *c = begin();

	say(c, GET("/"));
	answer(c, "x", false);
	for (int i = 0; i < 5; i++) {
		assert_false(caller_tick(c, now));
		now += 14 * NS_PER_S;
		assert_false(caller_tick(c, now));
		caller_moved(c, 1);
	}
	assert_false(caller_tick(c, now));
	assert_true(caller_tick(c, now + 16 * NS_PER_S));
	assert_int_equal(c->state, CALLER_CLOSED);
}

static void who_does_not_close_is_closed_in_the_end(void **state)
{
	(void)state;
	struct caller *c = begin();

	say(c, "GET / HTTP/1.0\r\n\r\n");
	answer(c, "x", false);
	drain(c);
	assert_false(caller_tick(c, now));
	say(c, "more, and it does not help");
	assert_true(caller_tick(c, now + 6 * NS_PER_S));
	assert_int_equal(c->state, CALLER_CLOSED);
}

static void a_stream_gets_what_is_sent_until_it_is_finished(void **state)
{
	(void)state;
	struct caller *c = begin();

	say(c, GET("/events"));
	caller_stream(c, &(struct reply){ .status = 200, .type = "text/event-stream" });
	caller_send(c, SLICE("a"));
	drain(c);
	assert_true(has("Content-Type: text/event-stream\r\n") && has("Connection: close\r\n") && !has("Content-Length"));
	assert_string_equal(body(), "a");
	caller_send(c, SLICE("b"));
	caller_send(c, SLICE("c"));
	drain(c);
	assert_string_equal(body(), "abc");
	assert_int_equal(caller_in(c).kind, WANT_DISCARD);
	say(c, GET("/no"));
	caller_send(c, SLICE("d"));
	caller_finish(c);
	assert_int_equal(caller_room(c), 0);
	caller_send(c, SLICE("too late"));
	drain(c);
	assert_string_equal(body(), "abcd");
	assert_true(shut);
}

static void a_stream_takes_no_more_than_there_is_room_for_and_loses_nothing(void **state)
{
	(void)state;
	struct rng r = rng_of(3);
	struct caller *c = begin();
	static char sent[1 << 15];
	size_t n = 0;

	say(c, GET("/"));
	caller_stream(c, &(struct reply){ .status = 200 });
	for (int k = 0; k < 2000 && n < 30000; k++) {
		size_t room = caller_room(c), m = (size_t)rng_below(&r, 900);
		struct want w = caller_out(c);

		if (m <= room) {
			for (size_t i = 0; i < m; i++)
				sent[n + i] = (char)('a' + rng_below(&r, 26));
			caller_send(c, (struct slice){ brink(sent + n, m), m });
			n += m;
			assert_int_equal(caller_room(c), room - m);
		} else {
			caller_send(c, (struct slice){ sent, room + 1 });
			assert_int_equal(caller_room(c), room);
		}
		w = caller_out(c);
		if (w.kind == WANT_WRITE && rng_chance(&r, 600000)) {
			size_t take = 1 + (size_t)rng_below(&r, w.n);

			memcpy(got + got_n, w.p, take);
			got_n += take;
			caller_moved(c, take);
		}
	}
	caller_finish(c);
	drain(c);
	assert_int_equal(strlen(body()), n);
	assert_memory_equal(body(), sent, n);
	assert_true(shut);
}

static void a_stream_may_be_silent_but_must_be_read(void **state)
{
	(void)state;
	struct caller *c = begin();

	say(c, GET("/"));
	caller_stream(c, &(struct reply){ .status = 200 });
	drain(c);
	assert_false(caller_tick(c, now));
	now += 3600 * NS_PER_S;
	assert_false(caller_tick(c, now));
	caller_send(c, SLICE("x"));
	assert_false(caller_tick(c, now));
	caller_send(c, SLICE("y"));
	assert_false(caller_tick(c, now + 119 * NS_PER_S));
	assert_true(caller_tick(c, now + 121 * NS_PER_S));
	assert_int_equal(c->state, CALLER_CLOSED);
	assert_int_equal(caller_room(c), 0);
}

static void nobody_is_answered_who_has_left(void **state)
{
	(void)state;
	struct caller *c = begin();

	say(c, GET("/"));
	caller_closed(c);
	answer(c, "x", false);
	caller_stream(c, &(struct reply){ .status = 200 });
	caller_send(c, SLICE("x"));
	caller_finish(c);
	drain(c);
	assert_true(closed);
	assert_int_equal(got_n, 0);
}

/* Whatever comes: never out of bounds, never stuck between states. */
static void noise_does_no_harm(void **state)
{
	(void)state;
	static const char *const words[] = { "GET ", "POST ", "/ ", "HTTP/1.1", "\r\n", "\r\n\r\n", "Content-Length: 3", "\n", "x", ":",
		"Transfer-Encoding: chunked", "Connection: close", "\xff", "GET / HTTP/1.1\r\n\r\n", " " };
	struct rng r = rng_of(7);

	for (int k = 0; k < 4000; k++) {
		struct caller *c = begin();

		for (int i = 0; i < 40 && c->state != CALLER_CLOSED; i++) {
			say(c, words[rng_below(&r, COUNT(words))]);
			step = 1 + rng_below(&r, 2000);
			if (c->state == CALLER_ASKED)
				answer(c, "content", rng_chance(&r, 500000));
			drain(c);
			got_n = 0;
			now += (ns_t)rng_below(&r, 4) * NS_PER_S;
			caller_tick(c, now);
			assert_true(c->state != CALLER_ANSWER || caller_out(c).kind == WANT_WRITE);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_waits_for_its_answer_and_then_the_next_one_comes),
		cmocka_unit_test(it_does_not_matter_how_a_request_is_cut),
		cmocka_unit_test(it_does_not_matter_how_an_answer_is_taken),
		cmocka_unit_test(requests_that_come_together_are_answered_one_by_one),
		cmocka_unit_test(what_comes_while_it_waits_is_kept_as_long_as_there_is_room),
		cmocka_unit_test(who_wants_it_closed_gets_it_closed),
		cmocka_unit_test(to_head_goes_the_head_alone),
		cmocka_unit_test(what_is_no_request_for_us_is_refused_in_words),
		cmocka_unit_test(a_post_without_a_body_is_a_request),
		cmocka_unit_test(a_head_without_end_is_refused_when_it_is_too_long),
		cmocka_unit_test(a_slow_head_is_given_up_and_every_byte_of_it_is_no_progress),
		cmocka_unit_test(who_asks_nothing_is_closed_without_a_word),
		cmocka_unit_test(after_an_answer_patience_begins_anew),
		cmocka_unit_test(an_answer_that_nobody_takes_is_given_up),
		cmocka_unit_test(who_does_not_close_is_closed_in_the_end),
		cmocka_unit_test(a_stream_gets_what_is_sent_until_it_is_finished),
		cmocka_unit_test(a_stream_takes_no_more_than_there_is_room_for_and_loses_nothing),
		cmocka_unit_test(a_stream_may_be_silent_but_must_be_read),
		cmocka_unit_test(nobody_is_answered_who_has_left),
		cmocka_unit_test(noise_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
