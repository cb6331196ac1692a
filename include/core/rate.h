/* SPDX-License-Identifier: MIT */
/*
 * When is a transfer's rate steady? Cumulative byte counts, sampled at intervals, go in. The start
 * is discarded by looking for stability, never by a constant: steady begins where the standard
 * deviation of the last four moving averages (of four intervals each) is under 5 % of the current
 * one, as in draft-ietf-ippm-responsiveness section 4.4. So it takes seven intervals to judge, and a
 * rate of 0 is never steady. What is measured begins with the window of the earliest moving average
 * that passes, four intervals before its sample: the three windows before it, where the ramp is,
 * are left out. Rates stop at 2^53 bits a second.
 */
#ifndef CORE_RATE_H
#define CORE_RATE_H

#include "core/ns.h"

#include <stdbool.h>
#include <stddef.h>

#define RATE_SAMPLES_MAX 1024
#define RATE_WINDOW 4

struct rate {
	size_t n;
	size_t from; /* samples before this one belong to an earlier set of connections */
	ns_t least;  /* a steady part shorter than this is none; 0 from rate_init() */
	struct rate_sample {
		ns_t at;
		uint64_t bytes;
	} v[RATE_SAMPLES_MAX];
};

/* A share of the whole run. */
struct rate_result {
	bool measured;        /* at least one interval of more than 0 ns */
	bool judged;          /* there were enough samples to tell whether it is steady */
	bool stable;          /* a steady start was found */
	uint64_t bytes;       /* between the steady start and the last sample */
	ns_t elapsed;         /* the same */
	int64_t bits_per_s;   /* bytes * 8 / elapsed; 0 where not measured */
	int64_t spread_ppm;   /* standard deviation of the interval rates over their mean; UNKNOWN under two or all 0 */
	ns_t start;           /* when the measured part begins */
};

void rate_init(struct rate *r);

/* @at rises from call to call, @bytes does not fall. Dropped when full: the caller spaces samples so that it is not. */
void rate_add(struct rate *r, ns_t at, uint64_t bytes);

/* From now on only later samples count: another number of connections is being tried. */
void rate_restart(struct rate *r);

/* Has the rate since the last restart settled, seen from the last sample? It can unsettle again. */
bool rate_is_stable(const struct rate *r);

/* Bits a second over the last RATE_WINDOW intervals; 0 where there are fewer. */
int64_t rate_recent(const struct rate *r);

/* From the first steady point since the restart; where none was found, from half of the time on, and not stable. */
struct rate_result rate_finish(const struct rate *r);

#endif
