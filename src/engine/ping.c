/* SPDX-License-Identifier: MIT */
#include "engine/ping.h"

#include <string.h>

#include "core/icmp.h"
#include "core/wire.h"

/* A machine that slept must not send all it missed in one burst: it goes on from now. */
#define PING_SLIP_MAX (2 * NS_PER_S)

/* Targets that are looked at in one go for one that may be asked. */
#define FLOOD_LOOKS 64

static struct score_card card_of(const struct ping *p, size_t target)
{
	return (struct score_card){
		&p->room.targets[target].score,
		&p->room.more[target],
		p->room.hists ? &p->room.hists[target] : NULL,
	};
}

static bool wants(const struct ping *p, const struct ping_target *t)
{
	return t->addr.family != 0 && (p->cfg.count == 0 || t->score.sent < p->cfg.count);
}

/* To the next target of this round that wants a probe, or of the next round; room.n where nobody does. */
static void go_on(struct ping *p, size_t from)
{
	for (size_t i = 0; i < p->room.n; i++) {
		if (from == p->room.n) {
			from = 0;
			p->round++;
		}
		if (wants(p, &p->room.targets[from])) {
			p->cursor = from;
			return;
		}
		from++;
	}
	p->cursor = p->room.n;
}

void ping_init(struct ping *p, const struct ping_cfg *cfg, const struct ping_room *room, ns_t now)
{
	memset(p, 0, sizeof(*p));
	p->cfg = *cfg;
	p->room = *room;
	p->wanting = room->n;
	p->began = p->start = now;
	p->end = cfg->duration > 0 ? now + cfg->duration : NS_NEVER;
	p->flight = (struct flight){ .slots = room->slots, .size = cfg->size, .timeout = cfg->timeout };
	p->flight.head = p->flight.tail = cfg->first > 0 ? cfg->first : 1;
	memcpy(p->flight.key, cfg->key, sizeof(cfg->key));
	go_on(p, 0);
}

static bool sending_is_over(const struct ping *p)
{
	return p->stopped || p->wanting == 0;
}

static uint32_t milliseconds(const struct ping *p, ns_t now)
{
	return (uint32_t)((now - p->began) / NS_PER_MS);
}

/* When the target at the cursor may be asked again. The last probe is what counts: an earlier one may be lost. */
static ns_t flood_due(const struct ping *p)
{
	const struct score *s = &p->room.targets[p->cursor].score;

	return s->highest == s->sent ? p->began : p->began + s->asked * NS_PER_MS + PING_FLOOD_WAIT;
}

/* Move the cursor to a target that need not wait. A few are looked at in one go, since there may be many. */
static bool flood_find(struct ping *p, ns_t now)
{
	for (int i = 0; i < FLOOD_LOOKS && now >= p->look; i++) {
		ns_t due = flood_due(p);

		if (due <= now) {
			p->passed = 0;
			return true;
		}
		p->soonest = p->passed == 0 ? due : ns_min(p->soonest, due);
		go_on(p, p->cursor + 1);
		if (++p->passed < p->room.n)
			continue;
		p->passed = 0;
		p->look = p->soonest;
	}
	return false;
}

/* Targets of one round are spread over the interval, so that a thousand of them make no burst. */
static ns_t splay_of(const struct ping *p, size_t target)
{
	ns_t at = (ns_t)wide_muldiv((uint64_t)p->cfg.interval, target, p->room.n);

	return at - at % PING_GRAIN;
}

static ns_t next_due(const struct ping *p)
{
	if (p->cfg.interval == 0)
		return p->look;
	return p->start + (ns_t)p->round * p->cfg.interval + splay_of(p, p->cursor);
}

/* All targets have their probes or no address yet, or all 65,536 numbers are under way. */
static bool must_wait(const struct ping *p)
{
	return p->cursor == p->room.n || flight_is_full(&p->flight);
}

void ping_resolved(struct ping *p, size_t target, const struct addr *a, ns_t took, ns_t now)
{
	p->room.targets[target].addr = *a;
	p->room.names[target].took = took;
	if (p->cursor < p->room.n || !wants(p, &p->room.targets[target]))
		return;
	p->cursor = target;
	p->start = now - (ns_t)p->round * p->cfg.interval - splay_of(p, target);
}

void ping_unresolved(struct ping *p, size_t target, ns_t took, const char *error)
{
	p->room.names[target].took = took;
	p->room.names[target].error = error;
	p->wanting--;
}

ns_t ping_deadline(const struct ping *p)
{
	ns_t due = sending_is_over(p) || must_wait(p) ? NS_NEVER : next_due(p);

	due = ns_min(due, flight_deadline(&p->flight));
	/* Names may still be looked up: the end comes all the same. */
	return due == NS_NEVER && sending_is_over(p) ? due : ns_min(due, p->end);
}

bool ping_next(struct ping *p, ns_t now, struct ping_request *ret)
{
	if (sending_is_over(p) || must_wait(p) || now >= p->end)
		return false;
	ns_t late = now - next_due(p);

	if (late < 0)
		return false;
	if (p->cfg.interval > 0 && late > p->cfg.interval + PING_SLIP_MAX)
		p->start += late;
	if (p->cfg.interval == 0 && !flood_find(p, now))
		return false;
	uint64_t seq = p->room.targets[p->cursor].score.sent + 1;

	*ret = (struct ping_request){ p->cursor, flight_take(&p->flight, p->cursor, seq, now), seq };
	return true;
}

/* The probe that ping_next() told of is on its way, or refused. */
static void count_sent(struct ping *p, const struct flight_slot *s)
{
	struct ping_target *t = &p->room.targets[s->target];

	t->score.sent++;
	t->score.asked = milliseconds(p, s->user);
	p->wanting -= t->score.sent == p->cfg.count;
	go_on(p, s->target + 1);
}

/* The lower 32 bits of a number that is not above what the target was sent. */
static uint64_t seq_of(const struct ping *p, const struct flight_slot *s)
{
	uint64_t sent = p->room.targets[s->target].score.sent;

	return sent - (uint32_t)((uint32_t)sent - s->seq);
}

void ping_sent(struct ping *p, uint16_t wire, ns_t stamp)
{
	struct flight_slot *s = flight_at(&p->flight, wire);

	s->user = stamp;
	count_sent(p, s);
}

void ping_restamp(struct ping *p, uint16_t wire, ns_t stamp)
{
	flight_at(&p->flight, wire)->user = stamp;
}

static void begin_event(const struct ping *p, const struct flight_slot *s, enum outcome outcome, struct ping_event *ret)
{
	*ret = (struct ping_event){
		.outcome = outcome,
		.target = s->target,
		.seq = seq_of(p, s),
		.rtt = UNKNOWN,
		.queue = UNKNOWN,
		.connect = UNKNOWN,
		.ttl = -1,
	};
}

static void lose(struct ping *p, struct flight_slot *s, struct ping_event *ev)
{
	struct score_card card = card_of(p, s->target);

	flight_lose(&p->flight, s, &card, ev);
}

static void settle(struct ping *p, struct flight_slot *s, struct ping_event *ev)
{
	struct score_card card = card_of(p, s->target);

	p->look = 0;
	flight_settle(&p->flight, s, &card, ev);
}

void ping_failed(struct ping *p, uint16_t wire, const char *text, struct ping_event *ret)
{
	struct flight_slot *s = flight_at(&p->flight, wire);

	count_sent(p, s);
	begin_event(p, s, OUTCOME_ERROR, ret);
	ret->text = text;
	lose(p, s, ret);
}

static void reply(struct ping *p, struct flight_slot *s, const struct packet *pkt, bool ours, struct ping_event *ret)
{
	begin_event(p, s, OUTCOME_CORRUPT, ret);
	ret->from = pkt->from;
	ret->ttl = pkt->ttl;
	ret->bytes = pkt->n;
	if (ours) {
		flight_measure(s, pkt, ret);
		settle(p, s, ret);
	} else {
		struct score_card card = card_of(p, s->target);

		score_corrupt(&card);
	}
}

static bool take_reply(struct ping *p, const struct icmp_message *m, const struct packet *pkt, struct ping_event *ret)
{
	struct flight_slot *s = flight_at(&p->flight, m->echo.seq);
	bool ours = m->kind == ICMP_REPLY && flight_is_ours(&p->flight, m->echo.seq, &m->echo);

	if (s->state == FLIGHT_FREE || !addr_same_host(&pkt->from, &p->room.targets[s->target].addr))
		return false;
	reply(p, s, pkt, ours, ret);
	return true;
}

static bool take_error(struct ping *p, uint16_t wire, const struct addr *to, const struct icmp_error *e,
	const struct addr *from, const char *text, struct ping_event *ret)
{
	struct flight_slot *s = flight_at(&p->flight, wire);

	if (!flight_may_be_refused(s) || !icmp_error_is_final(to->family, e->type) ||
		!addr_same_host(to, &p->room.targets[s->target].addr))
		return false;
	begin_event(p, s, OUTCOME_ERROR, ret);
	ret->text = text ? text : icmp_error_text(to->family, e->type, e->code);
	ret->from = *from;
	ret->type = e->type;
	ret->code = e->code;
	lose(p, s, ret);
	return true;
}

static bool is_our_id(const struct ping *p, int family, uint16_t id)
{
	return id == p->cfg.id[family == 6];
}

static bool take_message(struct ping *p, const struct packet *pkt, struct ping_event *ret)
{
	struct icmp_message m = icmp_parse(pkt->from.family, pkt->p, pkt->n, pkt->raw);

	if (m.kind == ICMP_OTHER || !is_our_id(p, pkt->from.family, m.echo.id))
		return false;
	if (m.kind == ICMP_ERROR)
		return take_error(p, m.echo.seq, &m.quoted_to, &m.error, &pkt->from, NULL, ret);
	return take_reply(p, &m, pkt, ret);
}

/* The error queue gives our own message back, so its number is at the usual place. */
static bool take_queued_error(struct ping *p, const struct packet *pkt, struct ping_event *ret)
{
	struct rd r = rd_of(pkt->p, pkt->n);
	struct icmp_error e = { pkt->type, pkt->code, pkt->info };

	rd_take(&r, 6);
	uint16_t wire = rd_u16(&r);

	return !r.bad && take_error(p, wire, &pkt->to, &e, &pkt->from, NULL, ret);
}

bool ping_icmp(struct ping *p, const struct packet *pkt, struct ping_event *ret)
{
	switch (pkt->kind) {
	case PACKET_MESSAGE:
		return take_message(p, pkt, ret);
	case PACKET_ERROR:
		return take_queued_error(p, pkt, ret);
	default:
		flight_stamp(&p->flight, pkt);
		return false;
	}
}

struct addr ping_udp_to(const struct ping *p, uint16_t wire)
{
	struct addr to = ping_target_of(p, wire)->addr;

	to.port = to.port > 0 ? to.port : p->cfg.port;
	return to;
}

/* A session for each target: the same host may be named twice. */
static struct stamp_probe udp_probe(const struct ping *p, uint16_t wire, ns_t stamp)
{
	uint32_t target = flight_at(&p->flight, wire)->target;
	uint16_t id = p->cfg.id[p->room.targets[target].addr.family == 6];

	return (struct stamp_probe){ flight_number(&p->flight, wire), stamp_of_unix(stamp + p->cfg.wall),
		STAMP_ERROR_UNKNOWN, (uint16_t)(id + target) };
}

void ping_udp_probe(const struct ping *p, uint16_t wire, ns_t stamp, uint8_t out[STAMP_LEN])
{
	struct stamp_probe probe = udp_probe(p, wire, stamp);

	stamp_put_probe(out, &probe);
}

/* One under way that went to this very address and port, with this whole number. */
static struct flight_slot *udp_slot(const struct ping *p, uint32_t number, const struct addr *peer)
{
	uint16_t wire = (uint16_t)number;
	struct flight_slot *s = flight_at(&p->flight, wire);

	if (s->state == FLIGHT_FREE || number != flight_number(&p->flight, wire))
		return NULL;
	struct addr to = ping_udp_to(p, wire);

	return addr_same_host(peer, &to) && peer->port == to.port ? s : NULL;
}

/* TWAMP Light ends its answers where STAMP has three more bytes of zeros (RFC 8762 section 4.6). */
static bool read_answer(const struct packet *pkt, struct stamp_answer *ret)
{
	uint8_t whole[STAMP_LEN] = { 0 };

	memcpy(whole, pkt->p, pkt->n < STAMP_LEN ? pkt->n : STAMP_LEN);
	return pkt->n >= STAMP_LEN - 3 && stamp_read_answer(whole, sizeof(whole), ret);
}

static void add_ways(struct ping *p, const struct flight_slot *s, const struct packet *pkt,
	const struct stamp_answer *a, const struct ping_event *ev)
{
	struct ways_answer answer = { .seq = ev->seq, .asked = a->probe.seq, .count = a->seq,
		.again = ev->outcome == OUTCOME_DUPLICATE, .ptp = a->error & STAMP_ERROR_PTP, .heard = a->received,
		.said = a->sent };

	flight_ends(s, pkt, ev, &answer.left, &answer.came);
	if (p->room.hists)
		ways_add(&p->room.hists[s->target].ways, &answer);
}

static bool take_answer(struct ping *p, const struct packet *pkt, struct ping_event *ret)
{
	struct stamp_answer a;
	struct flight_slot *s = read_answer(pkt, &a) ? udp_slot(p, a.probe.seq, &pkt->from) : NULL;

	if (!s)
		return false;
	struct stamp_probe sent = udp_probe(p, (uint16_t)a.probe.seq, s->user);
	/* Only reflectors that know of sessions return their number (RFC 8972 section 3). */
	bool ours = a.probe.sent == sent.sent && (a.probe.session == 0 || a.probe.session == sent.session);

	reply(p, s, pkt, ours, ret);
	if (ours)
		add_ways(p, s, pkt, &a, ret);
	return true;
}

static bool take_udp_error(struct ping *p, const struct packet *pkt, struct ping_event *ret)
{
	struct icmp_error e = { pkt->type, pkt->code, pkt->info };
	bool closed = pkt->to.family == 6 ? e.type == 1 && e.code == 4 : e.type == 3 && e.code == 3;
	struct rd r = rd_of(pkt->p, pkt->n);
	uint32_t number = rd_u32(&r);

	return !r.bad && udp_slot(p, number, &pkt->to) &&
	       take_error(p, (uint16_t)number, &pkt->to, &e, &pkt->from,
		       closed ? "nobody reflects UDP there; start one: sonde serve" : NULL, ret);
}

bool ping_udp(struct ping *p, const struct packet *pkt, struct ping_event *ret)
{
	switch (pkt->kind) {
	case PACKET_MESSAGE:
		return take_answer(p, pkt, ret);
	case PACKET_ERROR:
		return take_udp_error(p, pkt, ret);
	default:
		flight_stamp(&p->flight, pkt);
		return false;
	}
}

bool ping_answered(struct ping *p, uint16_t wire, ns_t stamp, ns_t handshake, struct ping_event *ret)
{
	struct flight_slot *s = flight_at(&p->flight, wire);

	if (s->state == FLIGHT_FREE)
		return false;
	begin_event(p, s, OUTCOME_REPLY, ret);
	ret->from = p->room.targets[s->target].addr;
	flight_measure_tcp(s, stamp, handshake, ret);
	settle(p, s, ret);
	return true;
}

/* A probe over another transport is decided without an answer. */
static bool give_up(struct ping *p, uint16_t wire, enum outcome outcome, const char *text, struct ping_event *ret)
{
	struct flight_slot *s = flight_at(&p->flight, wire);

	if (s->state != FLIGHT_WAITING)
		return false;
	begin_event(p, s, outcome, ret);
	ret->text = text;
	lose(p, s, ret);
	return true;
}

bool ping_refused(struct ping *p, uint16_t wire, const char *text, struct ping_event *ret)
{
	return give_up(p, wire, OUTCOME_ERROR, text, ret);
}

bool ping_missed(struct ping *p, uint16_t wire, const char *text, struct ping_event *ret)
{
	return give_up(p, wire, OUTCOME_LOST, text, ret);
}

bool ping_expire(struct ping *p, ns_t now, struct ping_event *ret)
{
	struct flight_slot *s;
	bool over = sending_is_over(p), lost = false;

	while (!lost && (s = flight_pass(&p->flight, now, over, &lost))) {
		struct score_card card = card_of(p, s->target);

		if (lost) {
			begin_event(p, s, OUTCOME_LOST, ret);
			score_lost(&card, ret);
		}
		score_run(&card, s->state == FLIGHT_ANSWERED);
	}
	return lost;
}

void ping_finish(struct ping *p)
{
	p->stopped = true;
	for (; p->flight.tail != p->flight.head; p->flight.tail++) {
		struct flight_slot *s = flight_at(&p->flight, p->flight.tail);
		struct score_card card = card_of(p, s->target);

		if (s->state != FLIGHT_WAITING)
			score_run(&card, s->state == FLIGHT_ANSWERED);
	}
}

void ping_stop(struct ping *p)
{
	p->stopped = true;
}

bool ping_done(const struct ping *p, ns_t now)
{
	return now >= p->end || (sending_is_over(p) && p->flight.waiting == 0);
}

void ping_label(const struct ping *p, size_t target, struct ping_result *r)
{
	const struct ping_name *name = &p->room.names[target];
	struct text address;

	memset(r, 0, sizeof(*r));
	text_init(&address, r->address, sizeof(r->address));
	addr_put(&address, &p->room.targets[target].addr);
	r->target = name->text ? name->text : r->address;
	r->resolve = name->took > 0 ? name->took : UNKNOWN;
	r->resolve_error = name->error;
	r->reason = "";
	ping_way_init(&r->there);
	ping_way_init(&r->back);
}

void ping_counts(const struct ping *p, size_t target, struct ping_result *r)
{
	struct score_card card = card_of(p, target);

	score_counts(&card, r);
}

void ping_result(const struct ping *p, size_t target, ns_t now, struct ping_result *r)
{
	struct score_card card = card_of(p, target);

	ping_label(p, target, r);
	score_result(&card, r);
	r->elapsed = ns_max(now - p->began, 0);
}
