/* SPDX-License-Identifier: MIT */
/* Round trips and losses of one target, folded as they come. Integers only. */
#ifndef CORE_TALLY_H
#define CORE_TALLY_H

#include "core/ns.h"
#include "core/wide.h"

#include <stdbool.h>

struct tally {
	uint64_t n;        /* round trips counted */
	ns_t min, max;     /* valid where n > 0 */
	uint64_t sum;      /* ns */
	struct wide sumsq; /* ns squared */
	ns_t last;         /* the previous round trip in arrival order */
	int64_t jitter16;  /* 16 times the RFC 3550 jitter */
};

/* @rtt >= 0; one above 2^40 ns (18 minutes) counts as that. */
void tally_add(struct tally *t, ns_t rtt);

/* Arithmetic mean, rounded down; UNKNOWN where n is 0. */
ns_t tally_mean(const struct tally *t);

/* mdev of ping(8): the population standard deviation sqrt(E[x^2] - E[x]^2); UNKNOWN where n is 0. */
ns_t tally_mdev(const struct tally *t);

/* RFC 3550 section 6.4.1 over round trips in arrival order: J += (|D| - J)/16; UNKNOWN where n < 2. */
ns_t tally_jitter(const struct tally *t);

/**
 * tally_loss_interval() - 95 % Wilson score interval of a loss share
 * @lost, @sent:  0 <= lost <= sent, sent up to 2^32
 * @ret_low, @ret_high:  parts per million, 0..1000000, low rounded down and high rounded up;
 *                       both UNKNOWN where @sent is 0
 */
void tally_loss_interval(uint64_t lost, uint64_t sent, int64_t *ret_low, int64_t *ret_high);

/* @lost / @sent in parts per million, rounded to nearest; UNKNOWN where @sent is 0. */
int64_t tally_loss_ratio(uint64_t lost, uint64_t sent);

#endif
