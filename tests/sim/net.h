/* SPDX-License-Identifier: MIT */
/*
 * A small network in memory. Its clock moves only in net_wait(); what it does to whom follows from
 * the seed, and it tells what it did, so that a test can say exactly what must be reported.
 */
#ifndef NET_H
#define NET_H

#include "core/ns.h"
#include "guard.h"
#include "rng.h"

#define NET_PACKETS 4096
#define NET_MTU 160

struct net_cfg {
	ns_t delay, jitter;     /* one way: delay, plus up to jitter; jitter above the spacing reorders */
	unsigned loss, copy;    /* in a million; a copy takes its own time */
};

struct net_packet {
	ns_t at;
	uint64_t order; /* equal times: first in, first out */
	unsigned to;
	size_t n;
	uint8_t p[NET_MTU];
};

struct net {
	ns_t now;
	struct net_cfg cfg;
	struct rng rng;
	uint64_t order, sent, lost, copied;
	size_t n;
	struct net_packet v[NET_PACKETS]; /* a heap, the next one on top */
};

static inline void net_init(struct net *net, struct net_cfg cfg, ns_t now, uint64_t seed)
{
	net->now = now;
	net->cfg = cfg;
	net->rng = rng_of(seed);
	net->order = net->sent = net->lost = net->copied = 0;
	net->n = 0;
}

static inline bool net_before(const struct net_packet *a, const struct net_packet *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static inline void net_swap(struct net *net, size_t a, size_t b)
{
	struct net_packet t = net->v[a];

	net->v[a] = net->v[b];
	net->v[b] = t;
}

static inline ns_t net_jitter(struct net *net)
{
	return net->cfg.jitter > 0 ? (ns_t)rng_below(&net->rng, (uint64_t)net->cfg.jitter) : 0;
}

static inline void net_push(struct net *net, unsigned to, const void *p, size_t n)
{
	size_t i = net->n++;

	assert_true(i < NET_PACKETS && n <= NET_MTU);
	net->v[i] = (struct net_packet){ .at = net->now + net->cfg.delay, .order = net->order++, .to = to, .n = n };
	net->v[i].at += net_jitter(net);
	memcpy(net->v[i].p, p, n);
	for (; i > 0 && net_before(&net->v[i], &net->v[(i - 1) / 2]); i = (i - 1) / 2)
		net_swap(net, i, (i - 1) / 2);
}

/* Return: how many of it will arrive: 0, 1, or 2. */
static inline unsigned net_send(struct net *net, unsigned to, const void *p, size_t n)
{
	net->sent++;
	if (rng_chance(&net->rng, net->cfg.loss)) {
		net->lost++;
		return 0;
	}
	net_push(net, to, p, n);
	if (!rng_chance(&net->rng, net->cfg.copy))
		return 1;
	net->copied++;
	net_push(net, to, p, n);
	return 2;
}

static inline ns_t net_next(const struct net *net)
{
	return net->n > 0 ? net->v[0].at : NS_NEVER;
}

/* Sleep until something arrives, at most until @until. */
static inline void net_wait(struct net *net, ns_t until)
{
	until = ns_min(until, net_next(net));
	assert_true(until != NS_NEVER);
	net->now = ns_max(net->now, until);
}

/* What has arrived by now, if anything. */
static inline bool net_take(struct net *net, struct net_packet *ret)
{
	if (net->n == 0 || net->v[0].at > net->now)
		return false;
	*ret = net->v[0];
	net->v[0] = net->v[--net->n];
	for (size_t i = 0, kid; (kid = 2 * i + 1) < net->n; i = kid) {
		if (kid + 1 < net->n && net_before(&net->v[kid + 1], &net->v[kid]))
			kid++;
		if (!net_before(&net->v[kid], &net->v[i]))
			break;
		net_swap(net, i, kid);
	}
	return true;
}

/*
 * One direction of a connection: bytes in their order, each piece after its delay. What is lost
 * comes later; as much as fits may be under way.
 */
#define STREAM_ROOM 65536
#define STREAM_PIECES 512

struct stream {
	char p[STREAM_ROOM];
	size_t head, n; /* of the ring */
	struct {
		ns_t at;
		size_t n;
	} piece[STREAM_PIECES];
	size_t first, pieces;
	ns_t last;
	uint64_t total;
	bool ended, cut; /* no more comes; what is sent vanishes */
};

static inline void stream_init(struct stream *s)
{
	s->head = s->n = s->first = s->pieces = 0;
	s->last = 0;
	s->total = 0;
	s->ended = s->cut = false;
}

/* To or from the ring, around its end. */
static inline void stream_copy(struct stream *s, size_t at, char *out, const char *in, size_t n)
{
	while (n > 0) {
		size_t piece = STREAM_ROOM - at % STREAM_ROOM;

		if (piece > n)
			piece = n;
		if (in)
			memcpy(s->p + at % STREAM_ROOM, in, piece);
		else
			memcpy(out, s->p + at % STREAM_ROOM, piece);
		in = in ? in + piece : NULL;
		out = out ? out + piece : NULL;
		at += piece;
		n -= piece;
	}
}

static inline ns_t stream_arrival(struct net *net, struct stream *s)
{
	ns_t at = net->now + net->cfg.delay + net_jitter(net);

	while (rng_chance(&net->rng, net->cfg.loss))
		at += 200 * NS_PER_MS;
	return s->last = ns_max(s->last, at);
}

/* Return: how many bytes were taken; 0 where there is no room. */
static inline size_t stream_put(struct net *net, struct stream *s, const char *p, size_t n)
{
	size_t room = STREAM_ROOM - s->n;

	if (n > room)
		n = room;
	if (s->pieces == STREAM_PIECES || n == 0)
		return 0;
	if (s->cut) {
		s->n += n; /* until the send buffer is full */
		return n;
	}
	stream_copy(s, s->head + s->n, NULL, p, n);
	s->n += n;
	s->total += n;
	size_t last = (s->first + s->pieces++) % STREAM_PIECES;

	s->piece[last].n = n;
	s->piece[last].at = stream_arrival(net, s);
	return n;
}

static inline void stream_end(struct net *net, struct stream *s)
{
	s->ended = true;
	stream_arrival(net, s);
}

/* Bytes that are there; at the end of all 0, and then *ret_end. */
static inline size_t stream_ready(const struct net *net, const struct stream *s, bool *ret_end)
{
	size_t n = 0;

	for (size_t i = 0; i < s->pieces && s->piece[(s->first + i) % STREAM_PIECES].at <= net->now; i++)
		n += s->piece[(s->first + i) % STREAM_PIECES].n;
	*ret_end = s->ended && s->pieces == 0 && s->last <= net->now;
	return n;
}

/* @n bytes of those that are ready. */
static inline void stream_take(struct stream *s, char *out, size_t n)
{
	stream_copy(s, s->head, out, NULL, n);
	s->head = (s->head + n) % STREAM_ROOM;
	s->n -= n;
	while (n > 0) {
		size_t piece = s->piece[s->first].n < n ? s->piece[s->first].n : n;

		s->piece[s->first].n -= piece;
		n -= piece;
		if (s->piece[s->first].n == 0) {
			s->first = (s->first + 1) % STREAM_PIECES;
			s->pieces--;
		}
	}
}

/* When the next piece, or the end, arrives. */
static inline ns_t stream_next(const struct net *net, const struct stream *s)
{
	for (size_t i = 0; i < s->pieces; i++)
		if (s->piece[(s->first + i) % STREAM_PIECES].at > net->now)
			return s->piece[(s->first + i) % STREAM_PIECES].at;
	return s->ended && s->last > net->now ? s->last : NS_NEVER;
}

#endif
