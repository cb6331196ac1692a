/* SPDX-License-Identifier: MIT */
/*
 * Many targets, probed in turn on absolute deadlines; every probe in a table of our own. Nothing
 * is ever computed from bytes that come back: they are only compared with what was sent. (But for the two ways of UDP.)
 *
 * The transport is somebody else's: `next` says whom to probe, flight_payload() with what, `sent` tells when it left,
 * `icmp`, `udp` or `answered` bring what came, `expire` gives up. Each yields at most one event a call.
 */
#ifndef ENGINE_PING_H
#define ENGINE_PING_H

#include "core/stamp.h"
#include "engine/flight.h"

#define PING_TARGETS_MAX (1 << 20)

/* Probes to different targets that are due within so long leave together: waking up costs more than sending. */
#define PING_GRAIN NS_PER_MS

/* With an interval of 0: a target that has not answered is asked again after this long. */
#define PING_FLOOD_WAIT (10 * NS_PER_MS)

/* 64 bytes: what a sweep touches of each target. */
struct ping_target {
	struct addr addr; /* family 0: not known yet, and passed over until ping_resolved() */
	struct score score;
};

/* How a target was called, and how that became an address. */
struct ping_name {
	const char *text;  /* as the user wrote it; NULL where that is the address */
	ns_t took;         /* to look it up; 0 where that was not needed */
	const char *error; /* why it has no address, as a sentence; NULL where it has or may yet have */
};

/* Room for a run, zeroed; outlives it. The names, and the addresses that are known, are set by the caller. */
struct ping_room {
	struct ping_target *targets;
	struct score_more *more;
	struct ping_name *names;
	struct score_hists *hists; /* NULL: no distributions */
	struct flight_slot *slots; /* FLIGHT_SLOTS of them */
	size_t n;                  /* of all but the slots, 1..PING_TARGETS_MAX */
};

struct ping_cfg {
	ns_t interval;     /* between two probes to one target; 0: as soon as it has answered */
	ns_t timeout;      /* unanswered after this long: lost */
	ns_t duration;     /* stop all after this long; 0 for no end */
	uint64_t count;    /* probes to each target; 0 for no end */
	size_t size;       /* payload bytes, 0..ICMP_DATA_MAX */
	uint32_t first;    /* number of the first probe on the wire, 0 for 1; a socket that goes on goes on counting */
	uint8_t key[16];   /* random: seals the payload */
	uint16_t id[2];    /* identifier of the IPv4 and of the IPv6 socket; UDP: session of the first target */
	uint16_t port;     /* UDP: of the targets that name none */
	ns_t wall;         /* UDP: what makes a time of ours one since 1970 */
};

struct ping {
	struct ping_room room;
	/* private */
	ns_t began, start, end; /* start moves where a sleep of the machine was skipped */
	uint64_t round;      /* whole rounds over all targets */
	size_t cursor;       /* the target that is next in this round; room.n where there is none */
	size_t wanting;      /* targets that have not been sent all their probes */
	size_t passed;       /* with an interval of 0: targets in a row that have to wait */
	ns_t soonest, look;  /* until when the first of these, and all there are; an answer sets `look` to 0 */
	bool stopped;
	/* public again */
	struct flight flight;
	struct ping_cfg cfg;
};

/* A probe to be sent. */
struct ping_request {
	size_t target;
	uint16_t wire; /* sequence number to be put into the packet */
	uint64_t seq;  /* of this target, from 1 */
};

/* Start at @now. */
void ping_init(struct ping *p, const struct ping_cfg *cfg, const struct ping_room *room, ns_t now);

/* The name of a target became an address, after @took; it joins the round. */
void ping_resolved(struct ping *p, size_t target, const struct addr *a, ns_t took, ns_t now);

/* It never will, and @error outlives @p: nothing is sent to it. */
void ping_unresolved(struct ping *p, size_t target, ns_t took, const char *error);

/* When the next probe is due or the next one is given up; NS_NEVER when all is done. */
ns_t ping_deadline(const struct ping *p);

/* The next probe that is due, if any. A caller that asks must call ping_sent() or ping_failed() for it. */
bool ping_next(struct ping *p, ns_t now, struct ping_request *ret);

/* @stamp: monotonic, taken just before the send. */
void ping_sent(struct ping *p, uint16_t wire, ns_t stamp);

/* For a transport that only now asks its question: the round trip counts from here. */
void ping_restamp(struct ping *p, uint16_t wire, ns_t stamp);

/* This machine refused to send it: counted as sent and lost by an error. @text names the reason. */
void ping_failed(struct ping *p, uint16_t wire, const char *text, struct ping_event *ret);

/* What an ICMP socket handed over. Return: whether it makes an event. */
bool ping_icmp(struct ping *p, const struct packet *pkt, struct ping_event *ret);

/**
 * ping_udp_probe() - The probe to a reflector that leaves at @stamp, as ping_sent() will be told
 *
 * Its number is the flight's and does not begin at 0 (RFC 8762 section 4.2): an answer with a count of its own can then
 * be told from one with a copy of ours.
 */
void ping_udp_probe(const struct ping *p, uint16_t wire, ns_t stamp, uint8_t out[STAMP_LEN]);

/* Where it goes, with its port. */
struct addr ping_udp_to(const struct ping *p, uint16_t wire);

/**
 * ping_udp() - What a UDP socket handed over: as ping_icmp()
 *
 * The round trip is ours alone: what the reflector says that it took itself is not taken off, since anything could be
 * said. Its times and numbers go into the figures of the two ways and nowhere else.
 */
bool ping_udp(struct ping *p, const struct packet *pkt, struct ping_event *ret);

/**
 * ping_answered() - A reply over another transport, which has made sure whose it is
 * @handshake:  the round trip as the kernel's TCP measured it; UNKNOWN where it did not
 */
bool ping_answered(struct ping *p, uint16_t wire, ns_t stamp, ns_t handshake, struct ping_event *ret);

/* The same for a refusal. */
bool ping_refused(struct ping *p, uint16_t wire, const char *text, struct ping_event *ret);

/* There will be no answer that counts: lost, as if its time were over. */
bool ping_missed(struct ping *p, uint16_t wire, const char *text, struct ping_event *ret);

/* The oldest probe whose time is over, if any; call until false. */
bool ping_expire(struct ping *p, ns_t now, struct ping_event *ret);

/* Whose probe is that? Of a number that is under way. */
static inline const struct ping_target *ping_target_of(const struct ping *p, uint16_t wire)
{
	return &p->room.targets[flight_at(&p->flight, wire)->target];
}

/* The end, whatever has come: what is under way stays undecided, and the runs of losses behind it are counted. */
void ping_finish(struct ping *p);

/* Send no more; what is in flight may still be answered. */
void ping_stop(struct ping *p);

/* Nothing more to send, and nothing in flight or no time left for it. */
bool ping_done(const struct ping *p, ns_t now);

/* Only who it is: target and address; cheap enough for each event. */
void ping_label(const struct ping *p, size_t target, struct ping_result *ret);

/* Only the counts: no name, no round trips. */
void ping_counts(const struct ping *p, size_t target, struct ping_result *ret);

/* So far, or at the end. Fills all but method, reason, local_drops and connect_p50. */
void ping_result(const struct ping *p, size_t target, ns_t now, struct ping_result *ret);

#endif
