/* SPDX-License-Identifier: MIT */
#include "engine/trace.h"

#include <string.h>

#include "core/csum.h"
#include "core/icmp.h"
#include "core/siphash.h"
#include "core/wire.h"

#define SEAL_LEN 8

void trace_init(struct trace *t, const struct trace_cfg *cfg, const struct trace_room *room, ns_t now)
{
	*t = (struct trace){ .cfg = *cfg, .room = *room, .began = now, .head = 1, .tail = 1 };
	/* A step of one target holds one probe of each. */
	ns_t step = course_step(&cfg->plan);

	for (size_t i = 0; i < room->n; i++)
		course_init(&room->targets[i].course, now + (ns_t)i * step / (ns_t)room->n);
}

static struct ping_slot *slot_of(const struct trace *t, uint32_t wire)
{
	return &t->room.slots[wire % PING_SLOTS];
}

/* In a slot, `target` is the hop's place among those of all targets. */
static struct trace_target *target_of(const struct trace *t, const struct ping_slot *s)
{
	return &t->room.targets[s->target / t->cfg.plan.hops];
}

static uint16_t ttl_of(const struct trace *t, const struct ping_slot *s)
{
	return (uint16_t)(s->target % t->cfg.plan.hops + 1);
}

static struct score_card card_of(const struct trace *t, size_t hop)
{
	return (struct score_card){
		&t->room.places[hop].score,
		&t->room.places[hop].more,
		t->room.hists ? &t->room.hists[hop] : NULL,
	};
}

/* Return: when the next probe is due; *ret gets to whom. */
static ns_t next_due(const struct trace *t, size_t *ret)
{
	ns_t first = NS_NEVER;

	/* All 65,536 numbers are under way: wait for the oldest. */
	if (t->stopped || slot_of(t, t->head)->state == PING_WAITING)
		return NS_NEVER;
	for (size_t i = 0; i < t->room.n; i++) {
		ns_t due = course_due(&t->cfg.plan, &t->room.targets[i].course);

		if (due < first) {
			first = due;
			*ret = i;
		}
	}
	return first;
}

ns_t trace_deadline(const struct trace *t)
{
	size_t ignored;
	ns_t due = next_due(t, &ignored);

	return t->tail == t->head ? due : ns_min(due, slot_of(t, t->tail)->user + t->cfg.timeout);
}

bool trace_next(struct trace *t, ns_t now, struct trace_request *ret)
{
	size_t i = 0;

	if (next_due(t, &i) > now)
		return false;
	struct course *c = &t->room.targets[i].course;
	uint16_t ttl = course_take(&t->cfg.plan, c, now);

	*ret = (struct trace_request){ i, ttl, (uint16_t)t->head };
	*slot_of(t, t->head++) = (struct ping_slot){
		.target = (uint32_t)(i * t->cfg.plan.hops + ttl - 1) & 0xffffff,
		.state = PING_WAITING,
		.seq = c->round + 1,
		.user = now,
	};
	t->waiting++;
	return true;
}

/* The part of the payload that a stranger cannot know, and behind it what makes up for the change. */
static void seal(const struct trace *t, uint16_t wire, uint8_t out[static TRACE_SIZE_MIN])
{
	const struct ping_slot *s = slot_of(t, wire);
	uint8_t probe[10], varying[2 + SEAL_LEN];
	struct wr w = wr_of(probe, sizeof(probe));

	wr_u16(&w, wire);
	wr_u32(&w, s->target);
	wr_u32(&w, s->seq);
	w = wr_of(varying, sizeof(varying));
	wr_u16(&w, wire);
	wr_u64(&w, siphash(t->cfg.key, probe, sizeof(probe)));
	memcpy(out, varying + 2, SEAL_LEN);
	w = wr_of(out + SEAL_LEN, 2);
	wr_u16(&w, csum_inet(varying, sizeof(varying)));
}

void trace_payload(const struct trace *t, uint16_t wire, uint8_t *out)
{
	seal(t, wire, out);
	for (size_t i = TRACE_SIZE_MIN; i < t->cfg.size; i++)
		out[i] = (uint8_t)i;
}

static bool payload_is_ours(const struct trace *t, uint16_t wire, const struct icmp_echo *echo)
{
	uint8_t first[TRACE_SIZE_MIN];

	if (echo->n != t->cfg.size)
		return false;
	seal(t, wire, first);
	for (size_t i = 0; i < echo->n; i++)
		if (echo->data[i] != (i < TRACE_SIZE_MIN ? first[i] : (uint8_t)i))
			return false;
	return true;
}

void trace_sent(struct trace *t, uint16_t wire, ns_t stamp)
{
	struct ping_slot *s = slot_of(t, wire);

	s->user = stamp;
	t->room.places[s->target].score.sent++;
}

static void begin_event(const struct trace *t, const struct ping_slot *s, struct ping_event *ret)
{
	*ret = (struct ping_event){
		.target = s->target / t->cfg.plan.hops,
		.seq = s->seq,
		.rtt = UNKNOWN,
		.queue = UNKNOWN,
		.connect = UNKNOWN,
		.ttl = ttl_of(t, s),
	};
}

static void decide(struct trace *t, struct ping_slot *s, enum ping_state state)
{
	bool waited = s->state == PING_WAITING;

	t->waiting -= waited;
	target_of(t, s)->course.in_flight -= waited;
	s->state = (unsigned)state & 0xf;
}

/* The round trip by the best pair of stamps that there is; both ends come from one clock. */
static void measure(const struct ping_slot *s, const struct packet *pkt, struct ping_event *ev)
{
	ns_t user = pkt->user - s->user;
	ns_t kernel = pkt->stamp - s->user - s->sched;

	/* The kernel's interval lies inside ours; one that does not was stamped across a step of the clock. */
	bool good = pkt->kernel_stamp && kernel >= 0 && kernel <= user;

	ev->rtt = good ? kernel : ns_max(user, 0);
	ev->stamps = !good ? STAMPS_USER : s->sched > 0 ? STAMPS_KERNEL_TXRX : STAMPS_KERNEL_RX;
	if (s->sched > 0 && s->left >= s->sched)
		ev->queue = s->left - s->sched;
}

/* An answer that is genuine: the first one in time counts as a round trip. */
static void settle(struct trace *t, struct ping_slot *s, struct ping_event *ev)
{
	struct score_card card = card_of(t, s->target);

	switch (s->state) {
	case PING_WAITING:
		score_reply(card, ev);
		decide(t, s, PING_ANSWERED);
		break;
	case PING_LOST:
		score_late(card, s->how);
		ev->outcome = OUTCOME_LATE;
		decide(t, s, PING_LATE);
		break;
	default:
		score_duplicate(card);
		ev->outcome = OUTCOME_DUPLICATE;
		return;
	}
	place_note_address(&t->room.places[s->target], &ev->from);
}

static bool take_reply(struct trace *t, const struct icmp_message *m, const struct packet *pkt, struct ping_event *ret)
{
	struct ping_slot *s = slot_of(t, m->echo.seq);

	if (s->state == PING_FREE || !addr_same_host(&pkt->from, &target_of(t, s)->addr))
		return false;
	begin_event(t, s, ret);
	ret->from = pkt->from;
	ret->bytes = pkt->n;
	if (m->kind != ICMP_REPLY || !payload_is_ours(t, m->echo.seq, &m->echo)) {
		ret->outcome = OUTCOME_CORRUPT;
		score_corrupt(card_of(t, s->target));
		return true;
	}
	measure(s, pkt, ret);
	settle(t, s, ret);
	course_met_target(&target_of(t, s)->course, ttl_of(t, s));
	return true;
}

/* One that is told after the probe was given up still says why it was lost. */
static bool lose_by_error(struct trace *t, struct ping_slot *s, struct ping_event *ev)
{
	struct score_card card = card_of(t, s->target);

	if (s->state != PING_WAITING && (s->state != PING_LOST || s->how > 0))
		return false;
	if (s->state == PING_LOST)
		card.more->lost--;
	ev->outcome = OUTCOME_ERROR;
	s->how = score_lost(card, ev) & 0xf;
	decide(t, s, PING_LOST);
	return true;
}

/* An error that is none of a router which would have passed the probe on. */
static bool take_wall(struct trace *t, struct ping_slot *s, struct ping_event *ev)
{
	struct trace_target *g = target_of(t, s);

	ev->text = icmp_error_text(g->addr.family, ev->type, ev->code);
	if (!lose_by_error(t, s, ev))
		return false;
	place_note_address(&t->room.places[s->target], &ev->from);
	if (addr_same_host(&ev->from, &g->addr))
		course_met_target(&g->course, ttl_of(t, s));
	else
		course_met_wall(&g->course, ttl_of(t, s));
	return true;
}

/* @m: as the router sent it, or as much of that as the error queue tells. */
static bool take_error(struct trace *t, uint16_t wire, const struct icmp_message *m, const struct packet *pkt,
	struct ping_event *ret)
{
	struct ping_slot *s = slot_of(t, wire);
	struct trace_target *g = target_of(t, s);
	const struct icmp_error *e = &m->error;
	int family = g->addr.family;

	if (s->state == PING_FREE || !icmp_error_is_final(family, e->type) || !addr_same_host(&m->quoted_to, &g->addr))
		return false;
	begin_event(t, s, ret);
	ret->from = pkt->from;
	ret->bytes = pkt->n;
	ret->type = e->type;
	ret->code = e->code;
	if (!icmp_error_is_expiry(family, e->type, e->code))
		return take_wall(t, s, ret);
	measure(s, pkt, ret);
	settle(t, s, ret);
	place_note_labels(&t->room.places[s->target], &m->ext);
	course_met_router(&g->course, ttl_of(t, s));
	return true;
}

bool trace_error(struct trace *t, uint16_t wire, const struct packet *pkt, struct ping_event *ret)
{
	/* The kernel has taken the IP header off what the router quotes. */
	size_t header = pkt->to.family == 6 ? 40 : 20;
	struct icmp_message m = {
		.error = { pkt->type, pkt->code, pkt->info },
		.quoted_to = pkt->to,
		.ext = icmp_ext_find(pkt->p, pkt->n, pkt->ext, ICMP_EXT_AT - header),
	};

	return take_error(t, wire, &m, pkt, ret);
}

/* The error queue gives our own message back, so its number is at the usual place. */
static bool take_queued_error(struct trace *t, const struct packet *pkt, struct ping_event *ret)
{
	struct rd r = rd_of(pkt->p, pkt->n);

	rd_take(&r, 6);
	uint16_t wire = rd_u16(&r);

	return !r.bad && trace_error(t, wire, pkt, ret);
}

static bool take_message(struct trace *t, const struct packet *pkt, struct ping_event *ret)
{
	struct icmp_message m = icmp_parse(pkt->from.family, pkt->p, pkt->n, pkt->raw);

	if (m.kind == ICMP_OTHER || m.echo.id != t->cfg.id[pkt->from.family == 6])
		return false;
	if (m.kind == ICMP_ERROR)
		return take_error(t, m.echo.seq, &m, pkt, ret);
	return take_reply(t, &m, pkt, ret);
}

static void take_stamp(struct trace *t, const struct packet *pkt)
{
	struct ping_slot *s = slot_of(t, pkt->id);
	ns_t after = pkt->stamp - s->user;
	uint32_t *stamp = pkt->kind == PACKET_SCHED ? &s->sched : &s->left;

	if (s->state == PING_WAITING && after >= 0 && after <= UINT32_MAX)
		*stamp = (uint32_t)ns_max(after, 1); /* 0 is none */
}

bool trace_icmp(struct trace *t, const struct packet *pkt, struct ping_event *ret)
{
	switch (pkt->kind) {
	case PACKET_MESSAGE:
		return take_message(t, pkt, ret);
	case PACKET_ERROR:
		return take_queued_error(t, pkt, ret);
	default:
		take_stamp(t, pkt);
		return false;
	}
}

bool trace_answered(struct trace *t, uint16_t wire, ns_t stamp, ns_t handshake, struct ping_event *ret)
{
	struct ping_slot *s = slot_of(t, wire);
	ns_t whole = ns_max(stamp - s->user, 0);
	bool known = handshake > 0 && handshake <= whole;

	if (s->state == PING_FREE)
		return false;
	begin_event(t, s, ret);
	ret->from = target_of(t, s)->addr;
	ret->connect = known ? whole : UNKNOWN;
	ret->rtt = known ? handshake : whole;
	ret->stamps = known ? STAMPS_KERNEL_TXRX : STAMPS_USER;
	settle(t, s, ret);
	course_met_target(&target_of(t, s)->course, ttl_of(t, s));
	return true;
}

bool trace_failed(struct trace *t, uint16_t wire, const char *text, struct ping_event *ret)
{
	struct ping_slot *s = slot_of(t, wire);

	begin_event(t, s, ret);
	ret->text = text;
	return lose_by_error(t, s, ret);
}

bool trace_expire(struct trace *t, ns_t now, struct ping_event *ret)
{
	bool lost = false;

	for (; !lost && t->tail != t->head; t->tail++) {
		struct ping_slot *s = slot_of(t, t->tail);

		lost = s->state == PING_WAITING;
		if (lost && now - s->user < t->cfg.timeout)
			return false;
		if (lost) {
			decide(t, s, PING_LOST);
			begin_event(t, s, ret);
			ret->outcome = OUTCOME_LOST;
			score_lost(card_of(t, s->target), ret);
		}
		score_run(card_of(t, s->target), s->state == PING_ANSWERED);
	}
	return lost;
}

void trace_stop(struct trace *t)
{
	t->stopped = true;
}

bool trace_done(const struct trace *t)
{
	size_t ignored;

	return t->waiting == 0 && next_due(t, &ignored) == NS_NEVER;
}

static const struct place *path_of(const struct trace *t, size_t target)
{
	return &t->room.places[target * t->cfg.plan.hops];
}

/* As far as it is worth to probe, and has been. */
static unsigned hops_of(const struct trace *t, size_t target)
{
	unsigned n = course_last(&t->cfg.plan, &t->room.targets[target].course);

	while (n > 0 && path_of(t, target)[n - 1].score.sent == 0)
		n--;
	return n;
}

static void put_address(const struct trace *t, size_t target, char out[ADDR_TEXT_MAX])
{
	struct text address;

	text_init(&address, out, ADDR_TEXT_MAX);
	addr_put(&address, &t->room.targets[target].addr);
}

/* The first kind of error that was not made up for by a late answer. */
static void put_error(const struct score_more *m, struct path *r)
{
	size_t i = 0;

	r->errors = (int64_t)m->errors;
	while (i < m->n_kinds && m->kinds[i].count == 0)
		i++;
	if (i < m->n_kinds)
		r->error = m->kinds[i];
}

void trace_path(const struct trace *t, size_t target, struct path *r)
{
	const struct place *path = path_of(t, target);
	unsigned n = hops_of(t, target);

	*r = (struct path){
		.target = t->room.targets[target].name,
		.reason = "",
		.reached = t->room.targets[target].course.reached > 0,
		.hops = n,
		.answered = n,
	};
	put_address(t, target, r->address);
	while (r->answered > 0 && path[r->answered - 1].n_addresses == 0)
		r->answered--;
	if (n > 0)
		put_error(&path[n - 1].more, r);
}

void trace_hop(const struct trace *t, size_t target, unsigned ttl, ns_t now, struct path_hop *r)
{
	const struct place *path = path_of(t, target);

	*r = (struct path_hop){
		.ttl = ttl,
		.rate_limited = place_is_rate_limited(path, ttl - 1, hops_of(t, target)),
		.figures = { .target = t->room.targets[target].name, .reason = "", .resolve = UNKNOWN },
	};
	place_put(&path[ttl - 1], r);
	put_address(t, target, r->figures.address);
	score_result(card_of(t, target * t->cfg.plan.hops + ttl - 1), &r->figures);
	r->figures.elapsed = now - t->began;
}
