/* SPDX-License-Identifier: MIT */
/*
 * Many targets, probed in turn on absolute deadlines; every probe in a table of our own. Nothing
 * is ever computed from bytes that come back: they are only compared with what was sent.
 *
 * The transport is somebody else's: `next` says whom to probe, `sent` tells when it left, `icmp`
 * or `answered` bring what came, `expire` gives up. Each yields at most one event a call.
 */
#ifndef ENGINE_PING_H
#define ENGINE_PING_H

#include "core/hist.h"
#include "core/packet.h"
#include "core/ping_event.h"
#include "core/tally.h"

/* One slot for each 16-bit sequence number on the wire, shared by all targets. */
#define PING_SLOTS 65536

/* Room for the distributions of one target; a target without it has no percentiles. */
struct ping_hists {
	struct hist rtt, ipdv, queue;
};

struct ping_target {
	const char *name; /* as the user wrote it */
	struct addr addr;
	bool closed_is_reply;     /* for TCP: a refusal has travelled the same way as an answer */
	struct ping_hists *hists; /* zeroed by the caller, or NULL */
	/* private */
	uint64_t sent, received, lost, late, duplicates, reordered, corrupt, errors;
	uint64_t highest; /* largest sequence number answered */
	struct tally rtt;
	enum stamps stamps; /* the worst source of any round trip */
};

struct ping_cfg {
	ns_t interval;     /* between two probes to one target, > 0 */
	ns_t timeout;      /* unanswered after this long: lost */
	ns_t duration;     /* stop all after this long; 0 for no end */
	uint64_t count;    /* probes to each target; 0 for no end */
	size_t size;       /* payload bytes, 0..ICMP_DATA_MAX */
	uint32_t first;    /* number of the first probe on the wire, 0 for 1; a socket that goes on goes on counting */
	uint8_t key[16];   /* random: seals the payload */
	uint16_t id[2];    /* identifier of the IPv4 and of the IPv6 socket */
};

enum ping_state {
	PING_FREE,
	PING_WAITING,  /* sent, counted as in flight */
	PING_ANSWERED, /* a further reply is a duplicate */
	PING_LOST,     /* given up or refused by an error; a reply from now on is late */
};

struct ping_slot {
	uint32_t target;
	uint8_t state; /* enum ping_state */
	bool error;    /* lost by an error rather than by silence */
	uint64_t seq;  /* of this target, from 1 */
	ns_t user;     /* just before the send */
	ns_t sched;    /* kernel stamps, 0 where there are none */
	ns_t left;
};

struct ping {
	struct ping_cfg cfg;
	struct ping_target *targets;
	size_t n;
	/* private */
	struct ping_slot *slots;
	ns_t began, start, end; /* start moves where a sleep of the machine was skipped */
	uint64_t round; /* probes that the target at the cursor was sent */
	size_t cursor;
	uint32_t head, tail; /* wire numbers, unwrapped: next to send, oldest that may be waiting */
	bool stopped;
};

/* A probe to be sent. */
struct ping_request {
	size_t target;
	uint16_t wire; /* sequence number to be put into the packet */
	uint64_t seq;  /* of this target, from 1 */
};

/**
 * ping_init() - Start at @now
 * @targets:  @n > 0 of them, name, addr and hists set, the rest zero; outlives @p
 * @slots:    PING_SLOTS of them, zeroed; outlives @p
 */
void ping_init(struct ping *p, const struct ping_cfg *cfg, struct ping_target *targets, size_t n,
	struct ping_slot *slots, ns_t now);

/* When the next probe is due or the next one is given up; NS_NEVER when all is done. */
ns_t ping_deadline(const struct ping *p);

/* The next probe that is due, if any. A caller that asks must call ping_sent() or ping_failed() for it. */
bool ping_next(struct ping *p, ns_t now, struct ping_request *ret);

/* The payload of that probe: a keyed seal of 8 bytes, then a pattern; cfg.size bytes into @out. */
void ping_payload(const struct ping *p, uint16_t wire, uint8_t *out);

/* @stamp: monotonic, taken just before the send. */
void ping_sent(struct ping *p, uint16_t wire, ns_t stamp);

/* For a transport that only now asks its question: the round trip counts from here. */
void ping_restamp(struct ping *p, uint16_t wire, ns_t stamp);

/* This machine refused to send it: counted as sent and lost by an error. @text names the reason. */
struct ping_event ping_failed(struct ping *p, uint16_t wire, const char *text);

/* What an ICMP socket handed over. Return: whether it makes an event. */
bool ping_icmp(struct ping *p, const struct packet *pkt, struct ping_event *ret);

/* A reply over another transport, which has made sure whose it is. */
bool ping_answered(struct ping *p, uint16_t wire, ns_t stamp, struct ping_event *ret);

/* The same for a refusal. */
bool ping_refused(struct ping *p, uint16_t wire, const char *text, struct ping_event *ret);

/* The oldest probe whose time is over, if any; call until false. */
bool ping_expire(struct ping *p, ns_t now, struct ping_event *ret);

/* Whose probe is that? Of a number that is under way. */
static inline const struct ping_target *ping_target_of(const struct ping *p, uint16_t wire)
{
	return &p->targets[p->slots[wire % PING_SLOTS].target];
}

/* Send no more; what is in flight may still be answered. */
void ping_stop(struct ping *p);

/* Nothing more to send, and nothing in flight or no time left for it. */
bool ping_done(const struct ping *p, ns_t now);

/* Only who it is: target, address, stamps; cheap enough for each event. */
void ping_label(const struct ping *p, size_t target, struct ping_result *ret);

/* So far, or at the end. Fills all but method, reason and local_drops. */
void ping_result(const struct ping *p, size_t target, ns_t now, struct ping_result *ret);

#endif
