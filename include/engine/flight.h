/* SPDX-License-Identifier: MIT */
/*
 * Probes under way, by the 16-bit number that each carries on the wire: what was sent when, the payload that only we
 * can have made, and the round trip by the best stamps that there are. What ping and trace have in common.
 */
#ifndef ENGINE_FLIGHT_H
#define ENGINE_FLIGHT_H

#include "core/icmp.h"
#include "core/packet.h"
#include "engine/score.h"

/* One slot for each number; they go round. */
#define FLIGHT_SLOTS 65536

/* A keyed seal of 8 bytes, and a word that keeps the checksum of all probes the same. */
#define FLIGHT_SEAL_LEN 10

enum flight_state {
	FLIGHT_FREE,
	FLIGHT_WAITING,  /* sent, counted as in flight */
	FLIGHT_ANSWERED, /* a further reply is a duplicate */
	FLIGHT_LOST,     /* given up or refused by an error; a reply from now on is late */
	FLIGHT_LATE,     /* such a reply has come; a further one is a duplicate */
};

struct flight_slot {
	ns_t user;           /* just before the send */
	uint32_t seq;        /* of its target, from 1; the lower 32 bits */
	uint32_t target : 24;
	uint32_t state : 4;  /* enum flight_state */
	uint32_t how : 4;    /* lost by an error: as score_lost() returned; 0 by silence */
	uint32_t sched;      /* kernel stamps, nanoseconds after `user`; 0 where there are none */
	uint32_t left;
};

struct flight {
	struct flight_slot *slots; /* FLIGHT_SLOTS of them, zeroed; the caller's */
	uint8_t key[16];           /* random: seals the payload */
	size_t size;               /* payload bytes, 0..ICMP_DATA_MAX */
	ns_t timeout;              /* unanswered after this long: lost */
	uint32_t head, tail;       /* numbers, unwrapped: next to send, oldest that may be waiting */
	uint32_t waiting;          /* probes in flight */
};

static inline struct flight_slot *flight_at(const struct flight *f, uint32_t wire)
{
	return &f->slots[wire % FLIGHT_SLOTS];
}

/* The whole number of a probe that is not further back than the slots go round. */
static inline uint32_t flight_number(const struct flight *f, uint16_t wire)
{
	return f->head - 1 - (uint16_t)(f->head - 1 - wire);
}

/* All numbers are under way: wait for the oldest. */
static inline bool flight_is_full(const struct flight *f)
{
	return f->head - f->tail == FLIGHT_SLOTS;
}

/* When the oldest is given up; NS_NEVER where there is none. */
ns_t flight_deadline(const struct flight *f);

/* A number for the next probe: the slot is waiting from @now. */
uint16_t flight_take(struct flight *f, size_t target, uint64_t seq, ns_t now);

/**
 * flight_payload() - The payload of a probe, f->size bytes
 *
 * A seal that depends on the key, the number, the target and its sequence number; then, where there is room, what
 * makes up for the change of these in the ICMP checksum (RFC 1071), so that routers which share traffic out by it
 * send all probes one way; then a pattern.
 */
void flight_payload(const struct flight *f, uint16_t wire, uint8_t *out);

/* Are these the very bytes that were sent? */
bool flight_is_ours(const struct flight *f, uint16_t wire, const struct icmp_echo *echo);

/* PACKET_SCHED or PACKET_LEFT. */
void flight_stamp(struct flight *f, const struct packet *pkt);

/* The round trip that ends with this packet, from which clocks, and the queue of our interface: into @ev. */
void flight_measure(const struct flight_slot *s, const struct packet *pkt, struct ping_event *ev);

/* The same for a connection that was made by @stamp; @handshake as the kernel's TCP measured it, or UNKNOWN. */
void flight_measure_tcp(const struct flight_slot *s, ns_t stamp, ns_t handshake, struct ping_event *ev);

/* When that round trip began and ended, by the same clocks, once it is measured. */
void flight_ends(const struct flight_slot *s, const struct packet *pkt, const struct ping_event *ev, ns_t *ret_left,
	ns_t *ret_came);

/* A genuine answer, measured: the first one within the timeout counts as a round trip. Sets ev->outcome. */
void flight_settle(struct flight *f, struct flight_slot *s, const struct score_card *card, struct ping_event *ev);

/* May an error still say why there is no answer? One that comes after the probe was given up does. */
static inline bool flight_may_be_refused(const struct flight_slot *s)
{
	return s->state == FLIGHT_WAITING || (s->state == FLIGHT_LOST && s->how == 0);
}

/* An error instead of one (OUTCOME_ERROR), or the certainty that there will be none (OUTCOME_LOST). */
void flight_lose(struct flight *f, struct flight_slot *s, const struct score_card *card, struct ping_event *ev);

/**
 * flight_pass() - The oldest probe, if it is decided, or now given up
 * @over:      nothing more is sent: one that was lost by an error need not wait for an answer that still takes it back
 * @ret_lost:  it is given up now
 *
 * Each probe is passed once, in the order of sending. Return: NULL where there is none; else call again.
 */
struct flight_slot *flight_pass(struct flight *f, ns_t now, bool over, bool *ret_lost);

#endif
