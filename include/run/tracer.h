/* SPDX-License-Identifier: MIT */
/* The trace engine on real sockets, and the names of those that answered, which nobody waits for. */
#ifndef RUN_TRACER_H
#define RUN_TRACER_H

#include "engine/trace.h"
#include "run/pinger.h"
#include "sys/names.h"

/* A key of the wait for whoever watches more than probes: a terminal's. */
#define TRACER_OTHER_KEY 3

/* Addresses whose names are kept; further ones have none. */
#define TRACER_NAMES 512

struct tracer_cfg {
	struct trace_cfg trace; /* key, id and one_by_one are filled in by tracer_open() */
	enum via via;           /* not VIA_HTTP */
	enum method icmp_only;  /* METHOD_NONE: raw, else datagram */
	struct origin origin;
	bool numeric;           /* ask for no names */
};

struct tracer_name {
	struct addr addr;
	bool asked;
	char text[NAMES_TEXT_MAX]; /* "" for none, or not yet */
};

/* The TCP connection under way to one target; they all come from one port, so that they go one way. */
struct tracer_hop {
	int fd; /* -1 for none */
	uint16_t port, wire;
	bool ready;
	ns_t until;
};

struct tracer {
	struct trace trace;
	enum method method;
	char reason[120]; /* why not a better method; "" where there is none */
	struct wait wait; /* open from tracer_open() on */
	/* private */
	uint32_t unroutable; /* probes that this machine knows no way for */
	bool other;          /* that descriptor is ready */
	struct tracer_cfg cfg;
	struct icmp_socket icmp[2];
	bool open[2], ready[2], errors[2];
	struct tracer_hop hops[TRACE_TARGETS_MAX];
	struct names names;
	size_t n_names;
	struct tracer_name named[TRACER_NAMES];
};

/* Start what looks names up, while nothing is open yet; without it, or where that fails, hops have no names. */
void tracer_start_names(struct tracer *r, const struct tracer_cfg *cfg);

/**
 * tracer_open() - Open what the probes need, and be ready to send the first one
 * @room:  with the addresses; for TCP with their ports
 *
 * VIA_AUTO takes ICMP where this process may, else TCP; `reason` then says why.
 */
bool tracer_open(struct tracer *r, const struct tracer_cfg *cfg, const struct trace_room *room, struct fault *why);

enum tracer_event {
	TRACER_END,   /* all is done, or a signal asks to stop */
	TRACER_PROBE, /* *ret says what became of one */
	TRACER_OTHER, /* the descriptor under TRACER_OTHER_KEY is ready */
	TRACER_TICK,  /* the time has come, or a signal, or nothing much */
};

/* Wait for the next event, at the latest a tick at @tick; NS_NEVER for none. */
enum tracer_event tracer_next(struct tracer *r, ns_t tick, struct ping_event *ret);

/* This machine knew no way for any of the probes. */
bool tracer_has_no_route(const struct tracer *r);

/* For names that are still looked up, wait as long as this. */
void tracer_wait_for_names(struct tracer *r, ns_t patience);

/* trace_path() and trace_hop() with what only this floor knows. */
void tracer_path(const struct tracer *r, size_t target, struct path *ret);
void tracer_hop(const struct tracer *r, size_t target, unsigned ttl, ns_t now, struct path_hop *ret);

#endif
