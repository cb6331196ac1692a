/* SPDX-License-Identifier: MIT */
#include "engine/trace.h"

#include <string.h>

#include "core/icmp.h"
#include "core/wire.h"

void trace_init(struct trace *t, const struct trace_cfg *cfg, const struct trace_room *room, ns_t now)
{
	*t = (struct trace){ .cfg = *cfg, .room = *room, .began = now };
	t->flight = (struct flight){ .slots = room->slots, .size = cfg->size, .timeout = cfg->timeout, .head = 1, .tail = 1 };
	memcpy(t->flight.key, cfg->key, sizeof(cfg->key));
	/* A step of one target holds one probe of each. */
	ns_t step = course_step(&cfg->plan);

	for (size_t i = 0; i < room->n; i++)
		course_init(&room->targets[i].course, now + (ns_t)i * step / (ns_t)room->n);
}

/* In a slot, `target` is the hop's place among those of all targets. */
static struct trace_target *target_of(const struct trace *t, const struct flight_slot *s)
{
	return &t->room.targets[s->target / t->cfg.plan.hops];
}

static uint16_t ttl_of(const struct trace *t, const struct flight_slot *s)
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

	if (t->stopped || flight_is_full(&t->flight))
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

	return ns_min(next_due(t, &ignored), flight_deadline(&t->flight));
}

bool trace_next(struct trace *t, ns_t now, struct trace_request *ret)
{
	size_t i = 0;

	if (next_due(t, &i) > now)
		return false;
	struct course *c = &t->room.targets[i].course;
	uint16_t ttl = course_take(&t->cfg.plan, c, now);

	uint16_t wire = flight_take(&t->flight, i * t->cfg.plan.hops + ttl - 1, c->round + 1, now);

	*ret = (struct trace_request){ i, ttl, wire };
	return true;
}

void trace_sent(struct trace *t, uint16_t wire, ns_t stamp)
{
	struct flight_slot *s = flight_at(&t->flight, wire);

	s->user = stamp;
	t->room.places[s->target].score.sent++;
}

static void begin_event(const struct trace *t, const struct flight_slot *s, struct ping_event *ret)
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

/* An answer that is genuine and measured. */
static void settle(struct trace *t, struct flight_slot *s, struct ping_event *ev)
{
	struct score_card card = card_of(t, s->target);

	target_of(t, s)->course.in_flight -= s->state == FLIGHT_WAITING;
	flight_settle(&t->flight, s, &card, ev);
	if (ev->outcome != OUTCOME_DUPLICATE)
		place_note_address(&t->room.places[s->target], &ev->from);
}

static bool take_reply(struct trace *t, const struct icmp_message *m, const struct packet *pkt, struct ping_event *ret)
{
	struct flight_slot *s = flight_at(&t->flight, m->echo.seq);

	if (s->state == FLIGHT_FREE || !addr_same_host(&pkt->from, &target_of(t, s)->addr))
		return false;
	begin_event(t, s, ret);
	ret->from = pkt->from;
	ret->bytes = pkt->n;
	if (m->kind != ICMP_REPLY || !flight_is_ours(&t->flight, m->echo.seq, &m->echo)) {
		struct score_card card = card_of(t, s->target);

		ret->outcome = OUTCOME_CORRUPT;
		score_corrupt(&card);
		return true;
	}
	flight_measure(s, pkt, ret);
	settle(t, s, ret);
	course_met_target(&target_of(t, s)->course, ttl_of(t, s));
	return true;
}

/* One that is told after the probe was given up still says why it was lost. */
static bool lose_by_error(struct trace *t, struct flight_slot *s, struct ping_event *ev)
{
	struct score_card card = card_of(t, s->target);

	if (!flight_may_be_refused(s))
		return false;
	target_of(t, s)->course.in_flight -= s->state == FLIGHT_WAITING;
	ev->outcome = OUTCOME_ERROR;
	flight_lose(&t->flight, s, &card, ev);
	return true;
}

/* An error that is none of a router which would have passed the probe on. */
static bool take_wall(struct trace *t, struct flight_slot *s, struct ping_event *ev)
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
	struct flight_slot *s = flight_at(&t->flight, wire);
	struct trace_target *g = target_of(t, s);
	const struct icmp_error *e = &m->error;
	int family = g->addr.family;

	if (s->state == FLIGHT_FREE || !icmp_error_is_final(family, e->type) || !addr_same_host(&m->quoted_to, &g->addr))
		return false;
	begin_event(t, s, ret);
	ret->from = pkt->from;
	ret->bytes = pkt->n;
	ret->type = e->type;
	ret->code = e->code;
	if (!icmp_error_is_expiry(family, e->type, e->code))
		return take_wall(t, s, ret);
	flight_measure(s, pkt, ret);
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

bool trace_icmp(struct trace *t, const struct packet *pkt, struct ping_event *ret)
{
	switch (pkt->kind) {
	case PACKET_MESSAGE:
		return take_message(t, pkt, ret);
	case PACKET_ERROR:
		return take_queued_error(t, pkt, ret);
	default:
		flight_stamp(&t->flight, pkt);
		return false;
	}
}

bool trace_answered(struct trace *t, uint16_t wire, ns_t stamp, ns_t handshake, struct ping_event *ret)
{
	struct flight_slot *s = flight_at(&t->flight, wire);

	if (s->state == FLIGHT_FREE)
		return false;
	begin_event(t, s, ret);
	ret->from = target_of(t, s)->addr;
	flight_measure_tcp(s, stamp, handshake, ret);
	settle(t, s, ret);
	course_met_target(&target_of(t, s)->course, ttl_of(t, s));
	return true;
}

bool trace_failed(struct trace *t, uint16_t wire, const char *text, struct ping_event *ret)
{
	struct flight_slot *s = flight_at(&t->flight, wire);

	begin_event(t, s, ret);
	ret->text = text;
	return lose_by_error(t, s, ret);
}

bool trace_expire(struct trace *t, ns_t now, struct ping_event *ret)
{
	struct flight_slot *s;
	size_t ignored;
	bool over = next_due(t, &ignored) == NS_NEVER, lost = false;

	while (!lost && (s = flight_pass(&t->flight, now, over, &lost))) {
		struct score_card card = card_of(t, s->target);

		if (lost) {
			target_of(t, s)->course.in_flight--;
			begin_event(t, s, ret);
			ret->outcome = OUTCOME_LOST;
			score_lost(&card, ret);
		}
		score_run(&card, s->state == FLIGHT_ANSWERED);
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

	return t->flight.waiting == 0 && next_due(t, &ignored) == NS_NEVER;
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
		.reached = t->room.targets[target].course.arrived,
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
	struct score_card card = card_of(t, target * t->cfg.plan.hops + ttl - 1);

	*r = (struct path_hop){
		.ttl = ttl,
		.rate_limited = place_is_rate_limited(path, ttl - 1, hops_of(t, target)),
		.figures = { .target = t->room.targets[target].name, .reason = "", .resolve = UNKNOWN },
	};
	place_put(&path[ttl - 1], r);
	put_address(t, target, r->figures.address);
	score_result(&card, &r->figures);
	r->figures.elapsed = now - t->began;
}
