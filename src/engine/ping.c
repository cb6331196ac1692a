/* SPDX-License-Identifier: MIT */
#include "engine/ping.h"

#include <string.h>

#include "core/icmp.h"
#include "core/siphash.h"
#include "core/wire.h"

/* A machine that slept must not send all it missed in one burst: it goes on from now. */
#define PING_SLIP_MAX (2 * NS_PER_S)

#define SEAL_LEN 8

void ping_init(struct ping *p, const struct ping_cfg *cfg, struct ping_target *targets, size_t n,
	struct ping_slot *slots, ns_t now)
{
	memset(p, 0, sizeof(*p));
	p->cfg = *cfg;
	p->targets = targets;
	p->n = n;
	p->slots = slots;
	p->began = p->start = now;
	p->end = cfg->duration > 0 ? now + cfg->duration : NS_NEVER;
	p->head = p->tail = cfg->first > 0 ? cfg->first : 1;
}

static struct ping_slot *slot_of(const struct ping *p, uint32_t wire)
{
	return &p->slots[wire % PING_SLOTS];
}

static bool sending_is_over(const struct ping *p)
{
	return p->stopped || (p->cfg.count > 0 && p->round >= p->cfg.count);
}

/* Targets of one round are spread over the interval, so that a thousand of them make no burst. */
static ns_t next_due(const struct ping *p)
{
	ns_t splay = (ns_t)(wide_muldiv((uint64_t)p->cfg.interval, p->cursor, p->n));

	return p->start + (ns_t)p->round * p->cfg.interval + splay;
}

/* All 65,536 numbers are under way: wait for the oldest. */
static bool window_is_full(const struct ping *p)
{
	return slot_of(p, p->head)->state == PING_WAITING;
}

ns_t ping_deadline(const struct ping *p)
{
	ns_t due = sending_is_over(p) || window_is_full(p) ? NS_NEVER : next_due(p);

	if (p->tail != p->head)
		due = ns_min(due, slot_of(p, p->tail)->user + p->cfg.timeout);
	return due == NS_NEVER ? due : ns_min(due, p->end);
}

bool ping_next(struct ping *p, ns_t now, struct ping_request *ret)
{
	if (sending_is_over(p) || window_is_full(p) || now >= p->end)
		return false;
	ns_t late = now - next_due(p);

	if (late < 0)
		return false;
	if (late > p->cfg.interval + PING_SLIP_MAX)
		p->start += late;
	*ret = (struct ping_request){ p->cursor, (uint16_t)p->head, p->round + 1 };
	*slot_of(p, p->head) = (struct ping_slot){
		.target = (uint32_t)p->cursor,
		.state = PING_WAITING,
		.seq = p->round + 1,
		.user = now,
	};
	p->head++;
	if (++p->cursor == p->n) {
		p->cursor = 0;
		p->round++;
	}
	return true;
}

/* The part of the payload that a stranger cannot know: it depends on the key, the probe and its target. */
static void seal(const struct ping *p, uint16_t wire, uint8_t out[static SEAL_LEN])
{
	const struct ping_slot *s = slot_of(p, wire);
	uint8_t probe[14];
	struct wr w = wr_of(probe, sizeof(probe));

	wr_u16(&w, wire);
	wr_u32(&w, s->target);
	wr_u64(&w, s->seq);
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
	p->targets[s->target].sent++;
}

void ping_restamp(struct ping *p, uint16_t wire, ns_t stamp)
{
	slot_of(p, wire)->user = stamp;
}

static struct ping_event event_of(const struct ping_slot *s, enum outcome outcome)
{
	return (struct ping_event){
		.outcome = outcome,
		.target = s->target,
		.seq = s->seq,
		.rtt = UNKNOWN,
		.queue = UNKNOWN,
		.ttl = -1,
	};
}

static struct ping_event lose_by_error(struct ping *p, struct ping_slot *s, const char *text)
{
	struct ping_event ev = event_of(s, OUTCOME_ERROR);

	if (s->state == PING_WAITING) {
		p->targets[s->target].lost++;
		p->targets[s->target].errors++;
	}
	s->state = PING_LOST;
	s->error = true;
	ev.text = text;
	return ev;
}

struct ping_event ping_failed(struct ping *p, uint16_t wire, const char *text)
{
	struct ping_slot *s = slot_of(p, wire);

	p->targets[s->target].sent++;
	return lose_by_error(p, s, text);
}

/* Round trip by the best pair of stamps that there is; both ends come from one clock. */
static ns_t round_trip(const struct ping_slot *s, const struct packet *pkt, enum stamps *ret_source)
{
	ns_t user = pkt->user - s->user;
	ns_t kernel = pkt->stamp - (s->sched > 0 ? s->sched : s->user);

	/* The kernel's interval lies inside ours; one that does not was stamped across a step of the clock. */
	if (pkt->kernel_stamp && kernel >= 0 && kernel <= user) {
		*ret_source = s->sched > 0 ? STAMPS_KERNEL_TXRX : STAMPS_KERNEL_RX;
		return kernel;
	}
	*ret_source = STAMPS_USER;
	return ns_max(user, 0);
}

static void count_round_trip(struct ping_target *t, const struct ping_event *ev)
{
	if (t->hists) {
		hist_add(&t->hists->rtt, ev->rtt);
		if (t->rtt.n > 0)
			hist_add(&t->hists->ipdv, ev->rtt > t->rtt.last ? ev->rtt - t->rtt.last : t->rtt.last - ev->rtt);
		if (ev->queue != UNKNOWN)
			hist_add(&t->hists->queue, ev->queue);
	}
	tally_add(&t->rtt, ev->rtt);
	t->received++;
	if (ev->seq < t->highest)
		t->reordered++;
	else
		t->highest = ev->seq;
	if (t->stamps == STAMPS_NONE || ev->stamps < t->stamps)
		t->stamps = ev->stamps;
}

static void count_late(struct ping_target *t, const struct ping_slot *s)
{
	t->late++;
	t->lost--;
	if (s->error)
		t->errors--;
}

/* A genuine reply: the first one in time counts as a round trip. */
static struct ping_event settle(struct ping *p, struct ping_slot *s, const struct packet *pkt)
{
	struct ping_target *t = &p->targets[s->target];
	struct ping_event ev = event_of(s, OUTCOME_REPLY);

	ev.from = pkt->from;
	ev.ttl = pkt->ttl;
	ev.bytes = pkt->n;
	ev.rtt = round_trip(s, pkt, &ev.stamps);
	if (s->left > 0 && s->sched > 0 && s->left >= s->sched)
		ev.queue = s->left - s->sched;
	switch (s->state) {
	case PING_WAITING:
		count_round_trip(t, &ev);
		break;
	case PING_LOST:
		count_late(t, s);
		ev.outcome = OUTCOME_LATE;
		break;
	default:
		t->duplicates++;
		ev.outcome = OUTCOME_DUPLICATE;
	}
	s->state = PING_ANSWERED;
	return ev;
}

static struct ping_event corrupt(struct ping *p, const struct ping_slot *s, const struct packet *pkt)
{
	struct ping_event ev = event_of(s, OUTCOME_CORRUPT);

	p->targets[s->target].corrupt++;
	ev.from = pkt->from;
	ev.ttl = pkt->ttl;
	ev.bytes = pkt->n;
	return ev;
}

static bool take_reply(struct ping *p, const struct icmp_message *m, const struct packet *pkt, struct ping_event *ret)
{
	struct ping_slot *s = slot_of(p, m->echo.seq);

	if (s->state == PING_FREE || !addr_same_host(&pkt->from, &p->targets[s->target].addr))
		return false;
	if (m->kind == ICMP_BAD_SUM || !payload_is_ours(p, m->echo.seq, &m->echo))
		*ret = corrupt(p, s, pkt);
	else
		*ret = settle(p, s, pkt);
	return true;
}

static bool take_error(struct ping *p, uint16_t wire, const struct addr *to, const struct icmp_error *e,
	const struct addr *from, struct ping_event *ret)
{
	struct ping_slot *s = slot_of(p, wire);

	if (s->state != PING_WAITING || !icmp_error_is_final(to->family, e->type) ||
		!addr_same_host(to, &p->targets[s->target].addr))
		return false;
	*ret = lose_by_error(p, s, icmp_error_text(to->family, e->type, e->code));
	ret->from = *from;
	ret->type = e->type;
	ret->code = e->code;
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

	if (s->state != PING_WAITING)
		return;
	if (pkt->kind == PACKET_SCHED)
		s->sched = pkt->stamp;
	else
		s->left = pkt->stamp;
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

bool ping_answered(struct ping *p, uint16_t wire, ns_t stamp, struct ping_event *ret)
{
	struct ping_slot *s = slot_of(p, wire);
	struct packet pkt = { .stamp = stamp, .user = stamp, .ttl = -1 };

	if (s->state == PING_FREE)
		return false;
	pkt.from = p->targets[s->target].addr;
	*ret = settle(p, s, &pkt);
	return true;
}

bool ping_refused(struct ping *p, uint16_t wire, const char *text, struct ping_event *ret)
{
	struct ping_slot *s = slot_of(p, wire);

	if (s->state != PING_WAITING)
		return false;
	*ret = lose_by_error(p, s, text);
	return true;
}

bool ping_expire(struct ping *p, ns_t now, struct ping_event *ret)
{
	for (; p->tail != p->head; p->tail++) {
		struct ping_slot *s = slot_of(p, p->tail);

		if (s->state != PING_WAITING)
			continue;
		if (now - s->user < p->cfg.timeout)
			return false;
		s->state = PING_LOST;
		p->targets[s->target].lost++;
		*ret = event_of(s, OUTCOME_LOST);
		p->tail++;
		return true;
	}
	return false;
}

void ping_stop(struct ping *p)
{
	p->stopped = true;
}

bool ping_done(const struct ping *p, ns_t now)
{
	if (now >= p->end)
		return true;
	if (!sending_is_over(p))
		return false;
	for (uint32_t wire = p->tail; wire != p->head; wire++)
		if (slot_of(p, wire)->state == PING_WAITING)
			return false;
	return true;
}

static void fill_distribution(const struct ping_target *t, struct ping_result *r)
{
	r->rtt_p50 = r->rtt_p90 = r->rtt_p99 = r->ipdv_p99 = r->host_queue_p50 = UNKNOWN;
	if (!t->hists || t->rtt.n == 0)
		return;
	/* A bin's middle may lie outside what was seen; the extremes are known exactly. */
	r->rtt_p50 = ns_min(ns_max(hist_quantile(&t->hists->rtt, 500), t->rtt.min), t->rtt.max);
	r->rtt_p90 = ns_min(ns_max(hist_quantile(&t->hists->rtt, 900), t->rtt.min), t->rtt.max);
	r->rtt_p99 = ns_min(ns_max(hist_quantile(&t->hists->rtt, 990), t->rtt.min), t->rtt.max);
	r->ipdv_p99 = hist_quantile(&t->hists->ipdv, 990);
	r->host_queue_p50 = hist_quantile(&t->hists->queue, 500);
}

void ping_label(const struct ping *p, size_t target, struct ping_result *r)
{
	const struct ping_target *t = &p->targets[target];
	struct text address;

	memset(r, 0, sizeof(*r));
	r->target = t->name;
	text_init(&address, r->address, sizeof(r->address));
	addr_put(&address, &t->addr);
	r->stamps = t->stamps;
	r->reason = "";
}

void ping_result(const struct ping *p, size_t target, ns_t now, struct ping_result *r)
{
	const struct ping_target *t = &p->targets[target];

	ping_label(p, target, r);
	r->sent = (int64_t)t->sent;
	r->received = (int64_t)t->received;
	r->lost = (int64_t)t->lost;
	r->late = (int64_t)t->late;
	r->in_flight = (int64_t)(t->sent - t->received - t->lost - t->late);
	r->duplicates = (int64_t)t->duplicates;
	r->reordered = (int64_t)t->reordered;
	r->corrupt = (int64_t)t->corrupt;
	r->errors = (int64_t)t->errors;
	r->local_drops = UNKNOWN;
	/* What is still in flight is neither received nor lost, so it has no say. */
	uint64_t decided = t->received + t->lost + t->late;

	r->loss_ppm = tally_loss_ratio(t->lost, decided);
	tally_loss_interval(t->lost, decided, &r->loss_low_ppm, &r->loss_high_ppm);
	r->rtt_min = t->rtt.n > 0 ? t->rtt.min : UNKNOWN;
	r->rtt_max = t->rtt.n > 0 ? t->rtt.max : UNKNOWN;
	r->rtt_mean = tally_mean(&t->rtt);
	r->rtt_mdev = tally_mdev(&t->rtt);
	r->jitter = tally_jitter(&t->rtt);
	fill_distribution(t, r);
	r->elapsed = now - p->began;
}
