/* SPDX-License-Identifier: MIT */
/* Client and server engine at the two ends of a connection, with pieces of any size between them. */
#ifndef TALK_H
#define TALK_H

#include "brink.h"
#include "core/io.h"
#include "core/json.h"
#include "engine/exchange.h"
#include "engine/serve.h"
#include "net.h"

struct talk {
	struct net net;
	struct stream up, down;
	struct exchange x;
	struct serve s;
	struct serve_counters counters;
	struct rng rng;
	size_t piece;  /* at most so many bytes a call */
	ns_t turn;     /* what a turn of the loop takes, at most */
	bool server_closed, client_closed;
	char doc[1024];
	struct text answer;
};

static const struct serve_cfg talk_cfg = {
	.page = { { "<!doctype html>", 15 } },
	.head_time = 10 * NS_PER_S,
	.idle_time = 15 * NS_PER_S,
	.body_time = 600 * NS_PER_S,
	.body_max = UINT64_C(1) << 40,
};

static inline void talk_init(struct talk *t, struct net_cfg weather, uint64_t seed, size_t piece)
{
	net_init(&t->net, weather, 1000 * NS_PER_S, seed);
	stream_init(&t->up);
	stream_init(&t->down);
	t->rng = rng_of(seed + 1000000);
	t->piece = piece;
	t->turn = 0;
	t->server_closed = t->client_closed = false;
	memset(&t->counters, 0, sizeof(t->counters));
	serve_init(&t->s, &talk_cfg, &t->counters, t->net.now);
}

static inline void talk_ask(struct talk *t, enum exchange_method method, const char *path, uint64_t body)
{
	struct exchange_request r = { .method = method, .host = SLICE("10.0.0.1"), .port = 8080, .path = slice_of(path),
		.body = body, .timeout = 5 * NS_PER_S };

	text_init(&t->answer, t->doc, sizeof(t->doc));
	r.keep = method == EXCHANGE_POST ? &t->answer : NULL;
	assert_null(exchange_init(&t->x, &r, t->net.now));
}

static inline size_t talk_some(struct talk *t, uint64_t n)
{
	size_t most = 1 + (size_t)rng_below(&t->rng, t->piece);

	return n < most ? (size_t)n : most;
}

/* What was read as payload must never be taken for framing: it looks like the end of everything. */
static inline const char *talk_data(void)
{
	static char data[STREAM_ROOM];

	for (size_t i = 0; data[0] == 0 && i < sizeof(data) / 5; i++)
		memcpy(data + i * 5, "0\r\n\r\n", 5);
	return data;
}

static inline size_t talk_put(struct talk *t, struct stream *to, struct want w)
{
	size_t n = talk_some(t, w.n < STREAM_ROOM / 2 ? w.n : STREAM_ROOM / 2);

	return stream_put(&t->net, to, w.kind == WANT_BULK ? talk_data() : w.p, n);
}

/* Return: bytes moved, here and below. */
static inline size_t talk_client_writes(struct talk *t)
{
	struct want w = exchange_out(&t->x);

	if (w.kind == WANT_NOTHING || t->client_closed)
		return 0;
	size_t n = talk_put(t, &t->up, w);

	if (n > 0)
		exchange_moved(&t->x, n, t->net.now);
	return n;
}

static inline size_t talk_client_reads(struct talk *t)
{
	static char buf[STREAM_ROOM];
	struct want w = exchange_in(&t->x);
	bool end;
	size_t n = stream_ready(&t->net, &t->down, &end);

	if (w.kind == WANT_NOTHING || t->client_closed)
		return 0;
	if (end)
		exchange_closed(&t->x, IO_END, t->net.now);
	if (n == 0)
		return 0;
	n = talk_some(t, n < w.n ? n : w.n);
	stream_take(&t->down, buf, n);
	exchange_got(&t->x, w.kind == WANT_READ ? brink(buf, n) : NULL, n, t->net.now);
	return n;
}

static inline size_t talk_server_writes(struct talk *t)
{
	struct want w = serve_out(&t->s);
	size_t n = 0;

	if (w.kind == WANT_NOTHING || t->server_closed)
		return 0;
	if (w.kind == WANT_SHUTDOWN || w.kind == WANT_CLOSE) {
		if (!t->down.ended)
			stream_end(&t->net, &t->down);
		t->server_closed = w.kind == WANT_CLOSE;
		if (!t->server_closed)
			serve_moved(&t->s, 0, t->net.now);
		return 1;
	}
	if (t->client_closed && t->up.last <= t->net.now) { /* nobody is there to take it */
		serve_closed(&t->s, IO_RESET);
		return 1;
	}
	if (w.n > 0)
		n = talk_put(t, &t->down, w);
	if (n > 0 || w.n == 0)
		serve_moved(&t->s, n, t->net.now);
	return n;
}

static inline size_t talk_server_reads(struct talk *t)
{
	static char buf[STREAM_ROOM];
	struct want w = serve_in(&t->s);
	bool end;
	size_t n = stream_ready(&t->net, &t->up, &end);

	if (w.kind == WANT_NOTHING || t->server_closed)
		return 0;
	if (end)
		serve_closed(&t->s, IO_END);
	if (n == 0)
		return end;
	n = talk_some(t, n < w.n ? n : w.n);
	stream_take(&t->up, buf, n);
	serve_got(&t->s, w.kind == WANT_READ ? brink(buf, n) : NULL, n, t->net.now);
	return n;
}

/* All that can be done now, in any order; where turns take time, one move of each at most. */
static inline void talk_turn(struct talk *t)
{
	static size_t (*const moves[])(struct talk *) = { talk_client_writes, talk_client_reads, talk_server_writes,
		talk_server_reads };
	bool moved = true;

	while (moved) {
		size_t first = (size_t)rng_below(&t->rng, 4);

		moved = false;
		for (size_t i = 0; i < 4; i++)
			if (rng_chance(&t->rng, 500000))
				moved = moves[(first + i) % 4](t) > 0 || moved;
		for (size_t i = 0; i < 4 && !moved; i++)
			moved = moves[i](t) > 0;
		if (t->turn > 0)
			return;
	}
}

static inline ns_t talk_next(const struct talk *t)
{
	ns_t next = ns_min(stream_next(&t->net, &t->up), stream_next(&t->net, &t->down));

	next = ns_min(next, exchange_deadline(&t->x));
	return t->server_closed ? next : ns_min(next, serve_deadline(&t->s));
}

/* Until the exchange is over, or until then. */
static inline void talk_run(struct talk *t, ns_t until)
{
	while (!exchange_over(&t->x) && t->net.now < until) {
		talk_turn(t);
		if (exchange_over(&t->x))
			return;
		if (t->turn > 0)
			t->net.now += (ns_t)rng_below(&t->rng, (uint64_t)t->turn);
		else
			net_wait(&t->net, ns_min(talk_next(t), until));
		exchange_tick(&t->x, t->net.now);
		if (!t->server_closed)
			serve_tick(&t->s, t->net.now);
	}
}

/* The client goes; the server is run until it has noticed. */
static inline void talk_leave(struct talk *t)
{
	t->client_closed = true;
	stream_end(&t->net, &t->up);
	while (!t->server_closed) {
		talk_turn(t);
		if (t->server_closed)
			return;
		net_wait(&t->net, ns_min(stream_next(&t->net, &t->up), serve_deadline(&t->s)));
		serve_tick(&t->s, t->net.now);
	}
}

/* What the server says it has received. */
static inline uint64_t talk_receipt(const struct talk *t)
{
	uint64_t bytes = UINT64_MAX;

	assert_true(json_find_uint(text_view(&t->answer), "bytes", &bytes));
	return bytes;
}

#endif
