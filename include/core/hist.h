/* SPDX-License-Identifier: MIT */
/*
 * Log-linear histogram of durations in fixed memory. A value is off by at most 1/256 of itself
 * (0.4 %); below 256 ns by nothing. Values above HIST_MAX count as HIST_MAX, negative ones as 0.
 * A bin that holds 2^32 - 1 values takes no more: neither it nor `n` grows.
 */
#ifndef CORE_HIST_H
#define CORE_HIST_H

#include "core/ns.h"

/* 128 linear steps in each power of two; 2^36 ns is 68.7 s. */
#define HIST_STEP_BITS 7
#define HIST_TOP_BIT 36
#define HIST_BINS (((HIST_TOP_BIT - HIST_STEP_BITS) + 1) << HIST_STEP_BITS)
#define HIST_MAX ((INT64_C(1) << HIST_TOP_BIT) - 1)

struct hist {
	uint64_t n;
	uint32_t bins[HIST_BINS];
};

void hist_add(struct hist *h, ns_t v);
void hist_merge(struct hist *to, const struct hist *from);

/* All values that it holds were @by larger, @by >= 0. Each is off by once more what a value is off by. */
void hist_raise(struct hist *h, ns_t by);

/**
 * hist_quantile() - Nearest-rank quantile: the middle of the bin that holds it
 * @per_mille:  0..1000; the rank is ceil(n * @per_mille / 1000), at least 1
 *
 * Return: nanoseconds; UNKNOWN where the histogram is empty.
 */
ns_t hist_quantile(const struct hist *h, unsigned per_mille);

#endif
