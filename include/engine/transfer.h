/* SPDX-License-Identifier: MIT */
/*
 * How a load is driven: how many connections, for how long, and which part of it counts. The clock
 * starts when data flows. One connection first; more of them only as long as they bring more.
 */
#ifndef ENGINE_TRANSFER_H
#define ENGINE_TRANSFER_H

#include "core/rate.h"
#include "core/result.h"

#define TRANSFER_CONNECTIONS_MAX 16

struct transfer_cfg {
	ns_t time;            /* of data, from the first byte on */
	ns_t patience;        /* without a first byte: over */
	ns_t rtt;             /* of the idle path, UNKNOWN possible: samples are no closer than a quarter of it */
	unsigned connections; /* exactly so many, 1..TRANSFER_CONNECTIONS_MAX; 0 to find out */
};

enum transfer_phase {
	TRANSFER_STARTING, /* no byte has come yet */
	TRANSFER_TRYING,   /* does the present number of connections bring more than the last one? */
	TRANSFER_STEADY,   /* the number is found */
	TRANSFER_OVER,
};

struct transfer {
	enum transfer_phase phase;
	unsigned connections; /* wanted now */
	struct rate rate;
	/* private */
	struct transfer_cfg cfg;
	ns_t began, next, tried;
	unsigned proven;      /* connections of the best rate so far, 0 for none */
	int64_t proven_rate;
};

void transfer_init(struct transfer *t, const struct transfer_cfg *cfg, ns_t now);

/* When to call transfer_tick() next. */
ns_t transfer_deadline(const struct transfer *t);

/* When the data is to end; NS_NEVER before the first byte. */
ns_t transfer_end(const struct transfer *t);

/**
 * transfer_tick() - Take a sample if one is due, and decide
 * @bytes:  payload moved so far, over all connections that count; does not fall
 *
 * Return: whether a sample was taken: `connections` and `phase` may have changed.
 */
bool transfer_tick(struct transfer *t, ns_t now, uint64_t bytes);

/* Bits a second over the last moments, for people who watch; UNKNOWN before there is an interval. */
int64_t transfer_recent(const struct transfer *t);

/* Nothing at all has moved in the last quarter of the time: what came before it is no rate. */
bool transfer_stalled(const struct transfer *t);

/* What counts. A steady part that is too short or too uneven to be called so is none. */
struct rate_result transfer_result(struct transfer *t);

/* The first payload byte moved: the clock starts. */
void transfer_flows(struct transfer *t, ns_t now);

/* What limited a flow, from what is known; LIMITED_UNKNOWN is an answer too. */
struct transfer_evidence {
	int64_t cpu_share_ppm;    /* of this process on one CPU; UNKNOWN possible, as for all of these */
	int64_t server_share_ppm; /* of the server's process */
	ns_t busy, rwnd_limited, sndbuf_limited; /* of the sending sockets, where they are ours */
	bool small_file;          /* transfers ended because the file did */
};

enum limited_by transfer_limit(const struct transfer_evidence *e);

#endif
