/* SPDX-License-Identifier: MIT */
#include "core/tally.h"

#define RTT_MAX (INT64_C(1) << 40)
#define PPM UINT64_C(1000000)

/* RFC 3550 appendix A.8: the sixteenth is rounded, or small jitter would never decay. */
static void add_jitter(struct tally *t, ns_t rtt)
{
	ns_t d = rtt > t->last ? rtt - t->last : t->last - rtt;

	t->jitter16 += d - (t->jitter16 + 8) / 16;
}

void tally_add(struct tally *t, ns_t rtt)
{
	rtt = ns_min(rtt, RTT_MAX);
	if (t->n > 0)
		add_jitter(t, rtt);
	t->min = t->n > 0 ? ns_min(t->min, rtt) : rtt;
	t->max = t->n > 0 ? ns_max(t->max, rtt) : rtt;
	t->last = rtt;
	t->sum += (uint64_t)rtt;
	t->sumsq = wide_add(t->sumsq, wide_mul((uint64_t)rtt, (uint64_t)rtt));
	t->n++;
}

ns_t tally_mean(const struct tally *t)
{
	return t->n > 0 ? (ns_t)(t->sum / t->n) : UNKNOWN;
}

ns_t tally_mdev(const struct tally *t)
{
	if (t->n < 2)
		return t->n == 0 ? UNKNOWN : 0;
	return (ns_t)wide_deviation(t->n, t->sum, t->sumsq);
}

ns_t tally_jitter(const struct tally *t)
{
	return t->n > 1 ? (t->jitter16 + 8) / 16 : UNKNOWN;
}

/* Shares in hundredths of a part per million: what is rounded at the end is then all that is rounded. */
#define FINE (100 * PPM)
/* z = 1.959964 leaves 2.5 % on either side; its square, FINE. */
#define Z_SQUARED UINT64_C(384145882)

/* z * sqrt(lost * (sent - lost) / sent + z^2 / 4) / (sent + z^2), rounded up; @whole is sent + z^2, all FINE */
static uint64_t half_width(uint64_t lost, uint64_t sent, uint64_t whole)
{
	uint64_t inner = wide_muldiv(lost * FINE, sent - lost, sent) + Z_SQUARED / 4;
	uint64_t square = wide_muldiv(wide_muldiv(inner, FINE * FINE, whole), Z_SQUARED, whole);

	return wide_isqrt(square) + 1;
}

void tally_loss_interval(uint64_t lost, uint64_t sent, int64_t *ret_low, int64_t *ret_high)
{
	*ret_low = *ret_high = UNKNOWN;
	if (sent == 0)
		return;

	uint64_t whole = sent * FINE + Z_SQUARED;

	if (lost == 0) { /* the usual case, and half the width is the centre */
		*ret_low = 0;
		*ret_high = (int64_t)(Z_SQUARED * FINE / whole / 100 + 1);
		return;
	}
	uint64_t centre = wide_muldiv(lost * FINE + Z_SQUARED / 2, FINE, whole);
	uint64_t half = half_width(lost, sent, whole);
	uint64_t high = (centre + half) / 100 + 1;

	*ret_low = centre > half ? (int64_t)((centre - half) / 100) : 0;
	*ret_high = (int64_t)(high < PPM ? high : PPM);
}

int64_t tally_loss_ratio(uint64_t lost, uint64_t sent)
{
	return sent > 0 ? (int64_t)((lost * PPM + sent / 2) / sent) : UNKNOWN;
}
