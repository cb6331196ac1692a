/* SPDX-License-Identifier: MIT */
#include "core/hist.h"

/* The bits of @v above the leading HIST_STEP_BITS + 1 choose the row, those the place in it. */
static unsigned bin_of(uint64_t v)
{
	unsigned top = 63 - (unsigned)__builtin_clzll(v | UINT64_C(1) << HIST_STEP_BITS);
	unsigned shift = top - HIST_STEP_BITS;

	return (shift << HIST_STEP_BITS) + (unsigned)(v >> shift);
}

static ns_t middle_of(unsigned bin)
{
	unsigned row = bin >> HIST_STEP_BITS;
	unsigned shift = row > 1 ? row - 1 : 0;
	ns_t low = (ns_t)(bin - (shift << HIST_STEP_BITS)) << shift;

	return low + ((INT64_C(1) << shift) - 1) / 2;
}

static void count(struct hist *h, unsigned bin, uint32_t times)
{
	uint32_t room = UINT32_MAX - h->bins[bin];
	uint32_t fit = times < room ? times : room;

	h->bins[bin] += fit;
	h->n += fit;
}

void hist_add(struct hist *h, ns_t v)
{
	count(h, bin_of((uint64_t)ns_min(ns_max(v, 0), HIST_MAX)), 1);
}

void hist_merge(struct hist *to, const struct hist *from)
{
	for (unsigned bin = 0; bin < HIST_BINS; bin++)
		count(to, bin, from->bins[bin]);
}

/* From the top, so that nothing is raised twice. */
void hist_raise(struct hist *h, ns_t by)
{
	for (unsigned bin = HIST_BINS; bin-- > 0;) {
		uint32_t n = h->bins[bin];

		if (n == 0)
			continue; /* nor touched, which would cost memory */
		h->bins[bin] = 0;
		h->n -= n;
		count(h, bin_of((uint64_t)ns_min(middle_of(bin) + ns_min(by, HIST_MAX), HIST_MAX)), n);
	}
}

ns_t hist_quantile(const struct hist *h, unsigned per_mille)
{
	uint64_t rank = (h->n * per_mille + 999) / 1000;
	uint64_t seen = h->bins[0];
	unsigned bin = 0;

	if (h->n == 0)
		return UNKNOWN;
	if (rank == 0)
		rank = 1;
	while (seen < rank && bin < HIST_BINS - 1)
		seen += h->bins[++bin];
	return middle_of(bin);
}
