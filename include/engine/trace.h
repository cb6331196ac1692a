/* SPDX-License-Identifier: MIT */
/*
 * The path to some targets, probed hop by hop, round after round. Same shape as the ping engine: `next` says what to
 * send and how far it may go, `sent` tells when it left, `icmp`, `error` or `answered` bring what came, `expire` gives
 * up; each yields at most one event a call. Events are those of a ping, with the round as `seq` and as `ttl` the one
 * that the probe was sent with.
 *
 * All ICMP probes to a target look the same to whoever spreads flows over several ways: identifier and checksum are
 * constant (a word of the payload makes up for the sequence number), so they go one way (Paris traceroute, 2006).
 *
 * A router that gave the probe up as it was told to (time exceeded) has answered. Any other final error is a wall, and
 * the probe is lost by an error, as for a ping.
 */
#ifndef ENGINE_TRACE_H
#define ENGINE_TRACE_H

#include "engine/course.h"
#include "engine/flight.h"
#include "engine/place.h"

/* Least payload: without all of the seal the checksum would not be constant. */
#define TRACE_SIZE_MIN FLIGHT_SEAL_LEN

#define TRACE_TARGETS_MAX 256

struct trace_target {
	const char *name; /* as the user wrote it */
	struct addr addr;
	/* private */
	struct course course;
};

/* Room for a run, zeroed; outlives it. Names and addresses of the targets are set by the caller. */
struct trace_room {
	struct trace_target *targets; /* @n, 1..TRACE_TARGETS_MAX */
	struct place *places;         /* @n times plan.hops */
	struct score_hists *hists;    /* as many; NULL: no distributions */
	struct flight_slot *slots;    /* FLIGHT_SLOTS */
	size_t n;
};

struct trace_cfg {
	struct course_plan plan;
	ns_t timeout;      /* unanswered after this long: lost */
	size_t size;       /* payload bytes, TRACE_SIZE_MIN..ICMP_DATA_MAX */
	uint8_t key[16];   /* random: seals the payload */
	uint16_t id[2];    /* identifier of the IPv4 and of the IPv6 socket */
};

struct trace {
	struct trace_cfg cfg;
	struct trace_room room;
	struct flight flight;
	/* private */
	ns_t began;
	bool stopped;
};

/* A probe to be sent. */
struct trace_request {
	size_t target;
	int ttl;
	uint16_t wire; /* sequence number to be put into the packet */
};

/* Start at @now. */
void trace_init(struct trace *t, const struct trace_cfg *cfg, const struct trace_room *room, ns_t now);

/* When the next probe is due or the next one is given up; NS_NEVER when all is done. */
ns_t trace_deadline(const struct trace *t);

/* The next probe that is due, if any. A caller that asks must call trace_sent() for it. */
bool trace_next(struct trace *t, ns_t now, struct trace_request *ret);

/* @stamp: monotonic, taken just before the send. */
void trace_sent(struct trace *t, uint16_t wire, ns_t stamp);

/* This machine refused to send it, or gave it up: lost by an error. @text names the reason. Return: as trace_icmp(). */
bool trace_failed(struct trace *t, uint16_t wire, const char *text, struct ping_event *ret);

/* What an ICMP socket handed over. Return: whether it makes an event. */
bool trace_icmp(struct trace *t, const struct packet *pkt, struct ping_event *ret);

/* PACKET_ERROR about the probe @wire, of a transport that has made sure whose it is; the same return. */
bool trace_error(struct trace *t, uint16_t wire, const struct packet *pkt, struct ping_event *ret);

/**
 * trace_answered() - The target answered over such a transport
 * @handshake:  the round trip as the kernel's TCP measured it; UNKNOWN where it did not
 */
bool trace_answered(struct trace *t, uint16_t wire, ns_t stamp, ns_t handshake, struct ping_event *ret);

/* The oldest probe whose time is over, if any; call until false. */
bool trace_expire(struct trace *t, ns_t now, struct ping_event *ret);

/* Send no more; what is in flight may still be answered. */
void trace_stop(struct trace *t);

/* Nothing more to send, and nothing in flight. */
bool trace_done(const struct trace *t);

/* So far, or at the end. Fills all but method, reason and names. */
void trace_path(const struct trace *t, size_t target, struct path *ret);

/* One hop of it, @ttl 1..hops of trace_path(). */
void trace_hop(const struct trace *t, size_t target, unsigned ttl, ns_t now, struct path_hop *ret);

#endif
