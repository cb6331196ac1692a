/* SPDX-License-Identifier: MIT */
#include "engine/reflect.h"

#include <string.h>

#include "core/siphash.h"
#include "core/stamp.h"
#include "core/wire.h"
#include "engine/route.h"

/* Types and flags of what follows the base packet (RFC 8972 section 4). */
enum { TLV_HEAD = 4, TLV_PADDING = 1, TLV_UNKNOWN = 0x80, TLV_MALFORMED = 0x40 };

/* No sender's port is below this, but services are that answer whatever comes. */
#define PORT_MIN 1024

/* An answer to one of ours does not take longer. */
#define LOOP_MAX (60 * NS_PER_S)

void reflect_init(struct reflect *r, const uint8_t key[static 16], bool open_to_all, struct reflect_counters *counters)
{
	memcpy(r->key, key, sizeof(r->key));
	r->open_to_all = open_to_all;
	r->counters = counters;
}

static bool is_welcome(const struct reflect *r, const struct addr *peer)
{
	return (peer->port >= PORT_MIN || peer->port == STAMP_PORT) && route_admits(peer, r->open_to_all);
}

static uint64_t time_of(int64_t unix_ns, uint16_t error)
{
	return error & STAMP_ERROR_PTP ? stamp_ptp_of_unix(unix_ns) : stamp_of_unix(unix_ns);
}

/*
 * Read as an answer, is its question one that we sent just now? We never ask: then a reflector has answered our answer,
 * or a server sends back what it gets. In a probe these octets are zero, or padding.
 */
static bool is_loop(const uint8_t *p, size_t n, int64_t unix_ns)
{
	struct stamp_answer a;

	if (!stamp_read_answer(p, n, &a))
		return false;
	ns_t age = stamp_diff(a.probe.sent, time_of(unix_ns, a.probe.error), a.probe.error & STAMP_ERROR_PTP);

	return a.probe.sent != 0 && age >= 0 && age < LOOP_MAX;
}

static struct reflect_place *place_of(struct reflect *r, const struct addr *peer)
{
	return &r->places[siphash(r->key, peer->ip, sizeof(peer->ip)) % REFLECT_PLACES];
}

static bool is_due(ns_t due, ns_t now)
{
	return due - now < REFLECT_AT_ONCE;
}

/* Both caps, or neither is touched. */
static bool may_answer(struct reflect *r, struct reflect_place *place, ns_t now)
{
	if (!is_due(place->due, now) || !is_due(r->due, now))
		return false;
	place->due = ns_max(place->due, now) + NS_PER_S / REFLECT_PER_SECOND;
	r->due = ns_max(r->due, now) + NS_PER_S / REFLECT_PER_SECOND_ALL;
	return true;
}

static uint64_t session_key(const struct reflect *r, const struct packet *pkt, uint16_t session)
{
	uint8_t id[36];
	struct wr w = wr_of(id, sizeof(id));

	memcpy(wr_take(&w, 16), pkt->from.ip, 16);
	memcpy(wr_take(&w, 16), pkt->to.ip, 16);
	wr_u16(&w, pkt->from.port);
	wr_u16(&w, session);
	return siphash(r->key, id, sizeof(id));
}

/* The one that has the key, or that was not used for the longest time. */
static struct reflect_session *find(struct reflect_place *place, uint64_t key)
{
	struct reflect_session *oldest = place->sessions;

	for (struct reflect_session *s = place->sessions; s < place->sessions + REFLECT_SESSIONS; s++) {
		if (s->key == key)
			return s;
		if (s->used < oldest->used)
			oldest = s;
	}
	return oldest;
}

/* What the answer is called: counted from 0 for each session, whatever the probe is called. */
static uint32_t next_of(struct reflect_place *place, uint64_t key, uint32_t seq, ns_t now)
{
	struct reflect_session *s = find(place, key);
	ns_t quiet = now - s->used;

	if (s->key != key || quiet > REFLECT_IDLE || (seq == 0 && quiet > REFLECT_RESTART))
		*s = (struct reflect_session){ .key = key };
	s->used = now;
	return s->next++;
}

/*
 * What follows the base packet goes back as it came, with a word on each part (RFC 8972 section 4). Mere padding, as of
 * TWAMP Light, does not begin with the flag that senders must set.
 */
static void mark_rest(uint8_t *p, size_t n)
{
	if (n == 0 || !(p[0] & TLV_UNKNOWN))
		return;
	while (n >= TLV_HEAD) {
		size_t len = TLV_HEAD + (size_t)(p[2] << 8 | p[3]);

		p[0] = p[1] == TLV_PADDING ? 0 : TLV_UNKNOWN;
		if (len > n)
			p[0] |= TLV_MALFORMED;
		if (len >= n)
			return;
		p += len;
		n -= len;
	}
}

static bool is_question(const struct reflect *r, const struct packet *pkt, const uint8_t *bytes, int64_t unix_ns)
{
	return pkt->to.family != 0 && pkt->n >= STAMP_LEN && pkt->n <= REFLECT_MAX && is_welcome(r, &pkt->from) &&
	       !is_loop(bytes, pkt->n, unix_ns);
}

bool reflect_answer(struct reflect *r, uint8_t *bytes, const struct packet *pkt, int64_t unix_ns, ns_t now)
{
	struct stamp_answer a = { .ttl = (uint8_t)pkt->ttl }; /* 255 where it is unknown, -1 */
	struct reflect_place *place = place_of(r, &pkt->from);

	r->counters->probes++;
	if (!is_question(r, pkt, bytes, unix_ns)) {
		r->counters->refused++;
		return false;
	}
	if (!may_answer(r, place, now)) {
		r->counters->limited++;
		return false;
	}
	stamp_read_probe(bytes, pkt->n, &a.probe);
	a.seq = next_of(place, session_key(r, pkt, a.probe.session), a.probe.seq, now);
	a.error = STAMP_ERROR_UNKNOWN | (a.probe.error & STAMP_ERROR_PTP);
	a.received = time_of(unix_ns - ns_max(now - pkt->stamp, 0), a.error);
	a.sent = time_of(unix_ns, a.error);
	stamp_put_answer(bytes, &a);
	mark_rest(bytes + STAMP_LEN, pkt->n - STAMP_LEN);
	r->counters->answered++;
	return true;
}
