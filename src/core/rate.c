/* SPDX-License-Identifier: MIT */
#include "core/rate.h"

#include "core/wide.h"

/* Bits a second. Sums of a thousand and of their squares cannot overflow, and JSON readers hold it exactly. */
#define RATE_MAX (UINT64_C(1) << 53)

/* Samples from which the last RATE_WINDOW moving averages can be taken. */
#define SAMPLES_TO_JUDGE (2 * RATE_WINDOW)

struct spread {
	uint64_t n, sum;
	struct wide sumsq;
};

static void spread_add(struct spread *s, uint64_t v)
{
	s->n++;
	s->sum += v;
	s->sumsq = wide_add(s->sumsq, wide_mul(v, v));
}

static uint64_t spread_deviation(const struct spread *s)
{
	return wide_deviation(s->n, s->sum, s->sumsq);
}

void rate_init(struct rate *r)
{
	r->n = r->from = 0;
	r->least = 0;
}

void rate_add(struct rate *r, ns_t at, uint64_t bytes)
{
	if (r->n < RATE_SAMPLES_MAX)
		r->v[r->n++] = (struct rate_sample){ at, bytes };
}

void rate_restart(struct rate *r)
{
	r->from = r->n;
}

static uint64_t bits_per_s(const struct rate_sample *from, const struct rate_sample *to)
{
	if (to->at <= from->at)
		return 0;

	uint64_t bits = wide_muldiv(to->bytes - from->bytes, 8 * (uint64_t)NS_PER_S, (uint64_t)(to->at - from->at));

	return bits < RATE_MAX ? bits : RATE_MAX;
}

/* The moving average whose window ends at sample @i. */
static uint64_t average_at(const struct rate *r, size_t i)
{
	return bits_per_s(&r->v[i - RATE_WINDOW], &r->v[i]);
}

static bool steady_at(const struct rate *r, size_t i)
{
	struct spread averages = { 0 };

	for (size_t back = 0; back < RATE_WINDOW; back++)
		spread_add(&averages, average_at(r, i - back));
	return spread_deviation(&averages) * 20 < average_at(r, i);
}

bool rate_is_stable(const struct rate *r)
{
	return r->n - r->from >= SAMPLES_TO_JUDGE && steady_at(r, r->n - 1);
}

int64_t rate_recent(const struct rate *r)
{
	return r->n - r->from > RATE_WINDOW ? (int64_t)average_at(r, r->n - 1) : 0;
}

static bool find_steady(const struct rate *r, size_t *ret)
{
	for (size_t i = r->from + SAMPLES_TO_JUDGE - 1; i < r->n; i++) {
		if (r->v[r->n - 1].at - r->v[i - RATE_WINDOW].at < r->least)
			break;
		if (steady_at(r, i)) {
			*ret = i - RATE_WINDOW;
			return true;
		}
	}
	return false;
}

/* The last sample that is not past the middle of the time. */
static size_t half_way(const struct rate *r)
{
	ns_t first = r->v[r->from].at;
	ns_t middle = first + (r->v[r->n - 1].at - first) / 2;
	size_t i = r->from;

	while (i + 1 < r->n && r->v[i + 1].at <= middle)
		i++;
	return i;
}

static int64_t spread_ppm(const struct rate *r, size_t start)
{
	struct spread rates = { 0 };

	for (size_t i = start + 1; i < r->n; i++)
		if (r->v[i].at > r->v[i - 1].at)
			spread_add(&rates, bits_per_s(&r->v[i - 1], &r->v[i]));
	if (rates.n < 2 || rates.sum == 0)
		return UNKNOWN;
	return (int64_t)wide_muldiv(spread_deviation(&rates), rates.n * 1000000, rates.sum);
}

/* A rate that falls or rises by a tenth from one half to the other has not settled, however slowly it does so. */
static bool halves_agree(const struct rate *r, size_t start)
{
	size_t middle = start + (r->n - 1 - start) / 2;
	uint64_t a = bits_per_s(&r->v[start], &r->v[middle]), b = bits_per_s(&r->v[middle], &r->v[r->n - 1]);

	return a < b + a / 10 && b < a + b / 10;
}

struct rate_result rate_finish(const struct rate *r)
{
	struct rate_result ret = { .spread_ppm = UNKNOWN };
	size_t start;

	if (r->n == r->from)
		return ret;
	ret.judged = r->n - r->from >= SAMPLES_TO_JUDGE;
	ret.stable = find_steady(r, &start);
	if (!ret.stable)
		start = half_way(r);

	ret.stable = ret.stable && halves_agree(r, start);
	const struct rate_sample *first = &r->v[start], *last = &r->v[r->n - 1];

	ret.start = first->at;
	ret.bytes = last->bytes - first->bytes;
	ret.elapsed = last->at - first->at;
	ret.measured = ret.elapsed > 0;
	ret.bits_per_s = (int64_t)bits_per_s(first, last);
	ret.spread_ppm = spread_ppm(r, start);
	return ret;
}
