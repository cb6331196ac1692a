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
	bool fill;            /* the last three tenths of the time are for the queue */
	uint64_t bytes;       /* over when so much has moved; 0 for no limit */
	unsigned connections; /* exactly so many, 1..TRANSFER_CONNECTIONS_MAX; 0 to find out */
};

enum transfer_phase {
	TRANSFER_STARTING, /* no byte has come yet */
	TRANSFER_TRYING,   /* does the present number of connections bring more than the last one? */
	TRANSFER_STEADY,   /* the number is found */
	TRANSFER_FILLING,  /* the rate is measured; more connections than it needs keep the queue of the link full */
	TRANSFER_OVER,
};

struct transfer {
	enum transfer_phase phase;
	unsigned connections; /* wanted now */
	/* private */
	struct transfer_cfg cfg;
	ns_t began, next, tried;
	bool unfinished;      /* more connections might still have brought more */
	bool repeated;        /* a number of connections was tried twice */
	unsigned proven;      /* connections of the best rate so far, 0 for none */
	int64_t proven_rate;
	size_t measured;      /* samples before the queue was filled; 0 until then */
	unsigned found;       /* connections at that time */
	struct rate rate;     /* large, so last */
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

/* When the queue is as full as it will be; NS_NEVER where it is not (yet) being filled. */
ns_t transfer_full_since(const struct transfer *t);

/* Those that the rate was measured with. */
unsigned transfer_connections(const struct transfer *t);

/* Nothing at all has moved in the last quarter of the time: what came before it is no rate. */
bool transfer_stalled(const struct transfer *t);

/* What counts. A steady part that is too short or too uneven to be called so is none. */
struct rate_result transfer_result(struct transfer *t);

/**
 * transfer_refused() - A connection was turned away
 * @connection:  its number, from 0
 *
 * Return: whether it was one more than is needed: then no more than before are wanted, and nothing is lost.
 */
bool transfer_refused(struct transfer *t, unsigned connection, ns_t now, uint64_t bytes);

/* The first payload byte moved: the clock starts. */
void transfer_flows(struct transfer *t, ns_t now);

#endif
