/* SPDX-License-Identifier: MIT */
#include "engine/ping.h"

#include <string.h>

#include "core/icmp.h"
#include "core/siphash.h"
#include "core/wire.h"

/* A machine that slept must not send all it missed in one burst: it goes on from now. */
#define PING_SLIP_MAX (2 * NS_PER_S)

#define SEAL_LEN 8

/* The kernel's own work for a stamp of a send takes no longer. */
#define STAMPING_MAX (5 * NS_PER_US)

static struct ping_slot *slot_of(const struct ping *p, uint32_t wire)
{
	return &p->room.slots[wire % PING_SLOTS];
}

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
	p->head = p->tail = cfg->first > 0 ? cfg->first : 1;
	go_on(p, 0);
}

static bool sending_is_over(const struct ping *p)
{
	return p->stopped || p->wanting == 0;
}

static ns_t flood_due(const struct ping *p)
{
	const struct score *s = &p->room.targets[p->cursor].score;
	/* The last one is what counts: an earlier one that is lost must not hold up all that follow. */
	bool answered = s->highest == s->sent || score_in_flight(card_of(p, p->cursor)) == 0;

	return answered ? p->began : slot_of(p, p->head - 1)->user + PING_FLOOD_WAIT;
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
		return flood_due(p);
	return p->start + (ns_t)p->round * p->cfg.interval + splay_of(p, p->cursor);
}

/* All targets have their probes or no address yet, or all 65,536 numbers are under way. */
static bool must_wait(const struct ping *p)
{
	return p->cursor == p->room.n || slot_of(p, p->head)->state == PING_WAITING;
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

	if (p->tail != p->head)
		due = ns_min(due, slot_of(p, p->tail)->user + p->cfg.timeout);
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
	uint64_t seq = p->room.targets[p->cursor].score.sent + 1;

	*ret = (struct ping_request){ p->cursor, (uint16_t)p->head, seq };
	*slot_of(p, p->head) = (struct ping_slot){
		.target = (uint32_t)p->cursor & 0xffffff,
		.state = PING_WAITING,
		.seq = (uint32_t)seq,
		.user = now,
	};
	p->head++;
	p->waiting++;
	return true;
}

/* The probe that ping_next() told of is on its way, or refused. */
static void count_sent(struct ping *p, const struct ping_slot *s)
{
	struct ping_target *t = &p->room.targets[s->target];

	t->score.sent++;
	p->wanting -= t->score.sent == p->cfg.count;
	go_on(p, s->target + 1);
}

/* The lower 32 bits of a number that is not above what the target was sent. */
static uint64_t seq_of(const struct ping *p, const struct ping_slot *s)
{
	uint64_t sent = p->room.targets[s->target].score.sent;

	return sent - (uint32_t)((uint32_t)sent - s->seq);
}

/* The part of the payload that a stranger cannot know: it depends on the key, the probe and its target. */
static void seal(const struct ping *p, uint16_t wire, uint8_t out[static SEAL_LEN])
{
	const struct ping_slot *s = slot_of(p, wire);
	uint8_t probe[10];
	struct wr w = wr_of(probe, sizeof(probe));

	wr_u16(&w, wire);
	wr_u32(&w, s->target);
	wr_u32(&w, s->seq);
	w = wr_of(out, SEAL_LEN);
	wr_u64(&w, siphash(p->cfg.key, probe, sizeof(probe)));
}

void ping_payload(const struct ping *p, uint16_t wire, uint8_t *out)
{
	uint8_t first[SEAL_LEN];

	seal(p, wire, first);
	memcpy(out, first, p->cfg.size < SEAL_LEN ? p->cfg.size : SEAL_LEN);
	for (size_t i = SEAL_LEN; i < p->cfg.size; i++)
		out[i] = (uint8_t)i;
}

static bool payload_is_ours(const struct ping *p, uint16_t wire, const struct icmp_echo *echo)
{
	uint8_t first[SEAL_LEN];

	if (echo->n != p->cfg.size)
		return false;
	seal(p, wire, first);
	for (size_t i = 0; i < echo->n; i++)
		if (echo->data[i] != (i < SEAL_LEN ? first[i] : (uint8_t)i))
			return false;
	return true;
}

void ping_sent(struct ping *p, uint16_t wire, ns_t stamp)
{
	struct ping_slot *s = slot_of(p, wire);

	s->user = stamp;
	count_sent(p, s);
}

void ping_restamp(struct ping *p, uint16_t wire, ns_t stamp)
{
	slot_of(p, wire)->user = stamp;
}

static struct ping_event event_of(const struct ping *p, const struct ping_slot *s, enum outcome outcome)
{
	return (struct ping_event){
		.outcome = outcome,
		.target = s->target,
		.seq = seq_of(p, s),
		.rtt = UNKNOWN,
		.queue = UNKNOWN,
		.connect = UNKNOWN,
		.ttl = -1,
	};
}

/* A probe that waits is decided. */
static void decide(struct ping *p, struct ping_slot *s, enum ping_state state)
{
	p->waiting -= s->state == PING_WAITING;
	s->state = (unsigned)state & 0xf;
}

static struct ping_event lose_by_error(struct ping *p, struct ping_slot *s, struct ping_event ev)
{
	s->how = score_lost(card_of(p, s->target), &ev) & 0xf;
	decide(p, s, PING_LOST);
	return ev;
}

struct ping_event ping_failed(struct ping *p, uint16_t wire, const char *text)
{
	struct ping_slot *s = slot_of(p, wire);

	count_sent(p, s);
	struct ping_event ev = event_of(p, s, OUTCOME_ERROR);

	ev.text = text;
	return lose_by_error(p, s, ev);
}

/*
 * When the packet left, after `user`. Taking the first stamp delays the packet and taking the second one costs time
 * too, so it is the middle of the two, unless a real queue lies between: that is part of what a packet waits through.
 */
static ns_t left_at(const struct ping_slot *s)
{
	bool both = s->sched > 0 && s->left > s->sched;

	return both ? s->sched + ns_min((s->left - s->sched) / 2, STAMPING_MAX) : s->sched;
}

/* Round trip by the best pair of stamps that there is; both ends come from one clock. */
static ns_t round_trip(const struct ping_slot *s, const struct packet *pkt, enum stamps *ret_source)
{
	ns_t user = pkt->user - s->user;
	ns_t kernel = pkt->stamp - s->user - left_at(s);

	/* The kernel's interval lies inside ours; one that does not was stamped across a step of the clock. */
	if (pkt->kernel_stamp && kernel >= 0 && kernel <= user) {
		*ret_source = s->sched > 0 ? STAMPS_KERNEL_TXRX : STAMPS_KERNEL_RX;
		return kernel;
	}
	*ret_source = STAMPS_USER;
	return ns_max(user, 0);
}

/* A genuine reply: the first one in time counts as a round trip. */
static void settle(struct ping *p, struct ping_slot *s, struct ping_event *ev)
{
	struct score_card card = card_of(p, s->target);

	switch (s->state) {
	case PING_WAITING:
		score_reply(card, ev);
		break;
	case PING_LOST:
		score_late(card, s->how);
		ev->outcome = OUTCOME_LATE;
		break;
	default:
		score_duplicate(card);
		ev->outcome = OUTCOME_DUPLICATE;
	}
	/* Late is not in time: in the runs of losses it stays one. */
	decide(p, s, s->state == PING_WAITING ? PING_ANSWERED : s->state == PING_LOST ? PING_LATE : s->state);
}

static struct ping_event reply(struct ping *p, struct ping_slot *s, const struct packet *pkt, enum outcome outcome)
{
	struct ping_event ev = event_of(p, s, outcome);

	ev.from = pkt->from;
	ev.ttl = pkt->ttl;
	ev.bytes = pkt->n;
	if (outcome == OUTCOME_CORRUPT) {
		score_corrupt(card_of(p, s->target));
		return ev;
	}
	ev.rtt = round_trip(s, pkt, &ev.stamps);
	if (s->sched > 0 && s->left >= s->sched)
		ev.queue = s->left - s->sched;
	settle(p, s, &ev);
	return ev;
}

static bool take_reply(struct ping *p, const struct icmp_message *m, const struct packet *pkt, struct ping_event *ret)
{
	struct ping_slot *s = slot_of(p, m->echo.seq);
	bool ours = m->kind == ICMP_REPLY && payload_is_ours(p, m->echo.seq, &m->echo);

	if (s->state == PING_FREE || !addr_same_host(&pkt->from, &p->room.targets[s->target].addr))
		return false;
	*ret = reply(p, s, pkt, ours ? OUTCOME_REPLY : OUTCOME_CORRUPT);
	return true;
}

static bool take_error(struct ping *p, uint16_t wire, const struct addr *to, const struct icmp_error *e,
	const struct addr *from, struct ping_event *ret)
{
	struct ping_slot *s = slot_of(p, wire);

	if (s->state != PING_WAITING || !icmp_error_is_final(to->family, e->type) ||
		!addr_same_host(to, &p->room.targets[s->target].addr))
		return false;
	struct ping_event ev = event_of(p, s, OUTCOME_ERROR);

	ev.text = icmp_error_text(to->family, e->type, e->code);
	ev.from = *from;
	ev.type = e->type;
	ev.code = e->code;
	*ret = lose_by_error(p, s, ev);
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
		return take_error(p, m.echo.seq, &m.quoted_to, &m.error, &pkt->from, ret);
	return take_reply(p, &m, pkt, ret);
}

/* The error queue gives our own message back, so its number is at the usual place. */
static bool take_queued_error(struct ping *p, const struct packet *pkt, struct ping_event *ret)
{
	struct rd r = rd_of(pkt->p, pkt->n);
	struct icmp_error e = { pkt->type, pkt->code, pkt->info };

	rd_take(&r, 6);
	uint16_t wire = rd_u16(&r);

	return !r.bad && take_error(p, wire, &pkt->to, &e, &pkt->from, ret);
}

static void take_stamp(struct ping *p, const struct packet *pkt)
{
	struct ping_slot *s = slot_of(p, pkt->id);
	ns_t after = pkt->stamp - s->user;
	uint32_t *stamp = pkt->kind == PACKET_SCHED ? &s->sched : &s->left;

	if (s->state == PING_WAITING && after >= 0 && after <= UINT32_MAX)
		*stamp = (uint32_t)ns_max(after, 1); /* 0 is none */
}

bool ping_icmp(struct ping *p, const struct packet *pkt, struct ping_event *ret)
{
	switch (pkt->kind) {
	case PACKET_MESSAGE:
		return take_message(p, pkt, ret);
	case PACKET_ERROR:
		return take_queued_error(p, pkt, ret);
	default:
		take_stamp(p, pkt);
		return false;
	}
}

bool ping_answered(struct ping *p, uint16_t wire, ns_t stamp, ns_t handshake, struct ping_event *ret)
{
	struct ping_slot *s = slot_of(p, wire);
	ns_t whole = ns_max(stamp - s->user, 0);
	bool known = handshake > 0 && handshake <= whole;

	if (s->state == PING_FREE)
		return false;
	*ret = event_of(p, s, OUTCOME_REPLY);
	ret->from = p->room.targets[s->target].addr;
	ret->connect = known ? whole : UNKNOWN;
	ret->rtt = known ? handshake : whole;
	ret->stamps = known ? STAMPS_KERNEL_TXRX : STAMPS_USER;
	settle(p, s, ret);
	return true;
}

bool ping_refused(struct ping *p, uint16_t wire, const char *text, struct ping_event *ret)
{
	struct ping_slot *s = slot_of(p, wire);

	if (s->state != PING_WAITING)
		return false;
	*ret = event_of(p, s, OUTCOME_ERROR);
	ret->text = text;
	*ret = lose_by_error(p, s, *ret);
	return true;
}

bool ping_expire(struct ping *p, ns_t now, struct ping_event *ret)
{
	bool lost = false;

	for (; !lost && p->tail != p->head; p->tail++) {
		struct ping_slot *s = slot_of(p, p->tail);

		lost = s->state == PING_WAITING;
		if (lost && now - s->user < p->cfg.timeout)
			return false;
		if (lost) {
			decide(p, s, PING_LOST);
			*ret = event_of(p, s, OUTCOME_LOST);
			score_lost(card_of(p, s->target), ret);
		}
		score_run(card_of(p, s->target), s->state == PING_ANSWERED);
	}
	return lost;
}

void ping_stop(struct ping *p)
{
	p->stopped = true;
}

bool ping_done(const struct ping *p, ns_t now)
{
	return now >= p->end || (sending_is_over(p) && p->waiting == 0);
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
}

void ping_counts(const struct ping *p, size_t target, struct ping_result *r)
{
	score_counts(card_of(p, target), r);
}

void ping_result(const struct ping *p, size_t target, ns_t now, struct ping_result *r)
{
	ping_label(p, target, r);
	score_result(card_of(p, target), r);
	r->elapsed = ns_max(now - p->began, 0);
}
