/* SPDX-License-Identifier: MIT */
#include "engine/flight.h"

#include <string.h>

#include "core/csum.h"
#include "core/siphash.h"
#include "core/wire.h"

/* The kernel's own work for a stamp of a send takes no longer. */
#define STAMPING_MAX (5 * NS_PER_US)

ns_t flight_deadline(const struct flight *f)
{
	return f->tail == f->head ? NS_NEVER : flight_at(f, f->tail)->user + f->timeout;
}

uint16_t flight_take(struct flight *f, size_t target, uint64_t seq, ns_t now)
{
	*flight_at(f, f->head) = (struct flight_slot){
		.user = now,
		.seq = (uint32_t)seq,
		.target = (uint32_t)target & 0xffffff,
		.state = FLIGHT_WAITING,
	};
	f->waiting++;
	return (uint16_t)f->head++;
}

static void seal(const struct flight *f, uint16_t wire, uint8_t out[static FLIGHT_SEAL_LEN])
{
	const struct flight_slot *s = flight_at(f, wire);
	uint8_t probe[10], varying[10];
	struct wr w = wr_of(probe, sizeof(probe));

	wr_u16(&w, wire);
	wr_u32(&w, s->target);
	wr_u32(&w, s->seq);
	w = wr_of(varying, sizeof(varying));
	wr_u16(&w, wire);
	wr_u64(&w, siphash(f->key, probe, sizeof(probe)));
	w = wr_of(out + 8, 2);
	memcpy(out, varying + 2, 8);
	wr_u16(&w, csum_inet(varying, sizeof(varying)));
}

void flight_payload(const struct flight *f, uint16_t wire, uint8_t *out)
{
	uint8_t first[FLIGHT_SEAL_LEN];

	seal(f, wire, first);
	memcpy(out, first, f->size < FLIGHT_SEAL_LEN ? f->size : FLIGHT_SEAL_LEN);
	for (size_t i = FLIGHT_SEAL_LEN; i < f->size; i++)
		out[i] = (uint8_t)i;
}

bool flight_is_ours(const struct flight *f, uint16_t wire, const struct icmp_echo *echo)
{
	uint8_t first[FLIGHT_SEAL_LEN];

	if (echo->n != f->size)
		return false;
	seal(f, wire, first);
	for (size_t i = 0; i < echo->n; i++)
		if (echo->data[i] != (i < FLIGHT_SEAL_LEN ? first[i] : (uint8_t)i))
			return false;
	return true;
}

void flight_stamp(struct flight *f, const struct packet *pkt)
{
	struct flight_slot *s = flight_at(f, pkt->id);
	ns_t after = pkt->stamp - s->user;
	uint32_t *stamp = pkt->kind == PACKET_SCHED ? &s->sched : &s->left;

	if (s->state == FLIGHT_WAITING && after >= 0 && after <= UINT32_MAX)
		*stamp = (uint32_t)ns_max(after, 1); /* 0 is none */
}

/*
 * When the packet left, after `user`. Taking the first stamp delays the packet and taking the second one costs time
 * too, so it is the middle of the two, unless a real queue lies between: that is part of what a packet waits through.
 */
static ns_t left_at(const struct flight_slot *s)
{
	bool both = s->sched > 0 && s->left > s->sched;

	return both ? s->sched + ns_min((s->left - s->sched) / 2, STAMPING_MAX) : s->sched;
}

void flight_measure(const struct flight_slot *s, const struct packet *pkt, struct ping_event *ev)
{
	ns_t user = pkt->user - s->user;
	ns_t kernel = pkt->stamp - s->user - left_at(s);
	/* The kernel's interval lies inside ours; one that does not was stamped across a step of the clock. */
	bool good = pkt->kernel_stamp && kernel >= 0 && kernel <= user;

	ev->rtt = good ? kernel : ns_max(user, 0);
	ev->stamps = !good ? STAMPS_USER : s->sched > 0 ? STAMPS_KERNEL_TXRX : STAMPS_KERNEL_RX;
	if (s->sched > 0 && s->left >= s->sched)
		ev->queue = s->left - s->sched;
}

void flight_ends(const struct flight_slot *s, const struct packet *pkt, const struct ping_event *ev, ns_t *ret_left,
	ns_t *ret_came)
{
	bool user = ev->stamps == STAMPS_USER;

	*ret_left = s->user + (user ? 0 : left_at(s));
	*ret_came = user ? pkt->user : pkt->stamp;
}

void flight_measure_tcp(const struct flight_slot *s, ns_t stamp, ns_t handshake, struct ping_event *ev)
{
	ns_t whole = ns_max(stamp - s->user, 0);
	bool known = handshake > 0 && handshake <= whole;

	ev->connect = known ? whole : UNKNOWN;
	ev->rtt = known ? handshake : whole;
	ev->stamps = known ? STAMPS_KERNEL_TXRX : STAMPS_USER;
}

/* A probe that waits is decided. */
static void decide(struct flight *f, struct flight_slot *s, enum flight_state state)
{
	f->waiting -= s->state == FLIGHT_WAITING;
	s->state = (unsigned)state & 0xf;
}

void flight_lose(struct flight *f, struct flight_slot *s, const struct score_card *card, struct ping_event *ev)
{
	if (s->state == FLIGHT_LOST)
		score_take_back(card, s->how);
	s->how = score_lost(card, ev) & 0xf;
	decide(f, s, FLIGHT_LOST);
}

/* When the answer came decides, not when it was read: whoever gave it up, or reported an error, was wrong. */
static void judge_again(struct flight *f, struct flight_slot *s, const struct score_card *card, const struct ping_event *ev)
{
	bool in_time = ev->rtt < f->timeout;
	struct ping_event lost = { .outcome = OUTCOME_LOST };

	if (s->state == FLIGHT_WAITING && !in_time) {
		flight_lose(f, s, card, &lost);
	} else if (s->state == FLIGHT_LOST && in_time) {
		score_take_back(card, s->how);
		s->how = 0;
		s->state = FLIGHT_WAITING;
		f->waiting++;
	}
}

void flight_settle(struct flight *f, struct flight_slot *s, const struct score_card *card, struct ping_event *ev)
{
	judge_again(f, s, card, ev);
	switch (s->state) {
	case FLIGHT_WAITING:
		ev->outcome = OUTCOME_REPLY;
		score_reply(card, ev);
		decide(f, s, FLIGHT_ANSWERED);
		break;
	case FLIGHT_LOST:
		ev->outcome = OUTCOME_LATE;
		score_late(card, s->how);
		decide(f, s, FLIGHT_LATE); /* not in time: in the runs of losses it stays one */
		break;
	default:
		ev->outcome = OUTCOME_DUPLICATE;
		score_duplicate(card);
	}
}

struct flight_slot *flight_pass(struct flight *f, ns_t now, bool over, bool *ret_lost)
{
	struct flight_slot *s = flight_at(f, f->tail);
	bool waits = s->state == FLIGHT_WAITING;
	bool may_change = waits || (s->state == FLIGHT_LOST && s->how > 0 && !over);

	*ret_lost = false;
	if (f->tail == f->head || (may_change && now - s->user < f->timeout))
		return NULL;
	if (waits)
		decide(f, s, FLIGHT_LOST);
	*ret_lost = waits;
	f->tail++;
	return s;
}
