/* SPDX-License-Identifier: MIT */
#include "engine/rpm.h"

#define MINUTE (60 * NS_PER_S)

/* "TMP" of the draft, for what is kept. */
#define KEPT_PERCENT 95

void rpm_init(struct rpm *r)
{
	r->failed = 0;
	r->seed = 0x5eed1e55;
	for (int i = 0; i < RPM_PARTS; i++) {
		r->part[i].seen = 0;
		r->part[i].n = 0;
	}
}

/* 0..@n - 1: xorshift (Marsaglia 2003), since chance need not be secret here. */
static uint64_t below(struct rpm *r, uint64_t n)
{
	r->seed ^= r->seed << 13;
	r->seed ^= r->seed >> 17;
	r->seed ^= r->seed << 5;
	return r->seed % n;
}

/* Vitter's algorithm R: after n samples each of them is there with the same chance. */
void rpm_add(struct rpm *r, enum rpm_part part, ns_t at, ns_t took)
{
	struct rpm_samples *s = &r->part[part];
	uint64_t i = s->n < RPM_SAMPLES_MAX ? s->n++ : below(r, (uint64_t)s->seen + 1);

	s->seen++;
	if (i < RPM_SAMPLES_MAX)
		s->v[i] = (struct rpm_sample){ at, took };
}

static size_t count_since(const struct rpm_samples *s, ns_t since)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += s->v[i].at >= since;
	return n;
}

static void drop_before(struct rpm_samples *s, ns_t since)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].at >= since)
			s->v[n++] = s->v[i];
	s->n = n;
}

/* Shell's sort with Knuth's gaps: neither recursion nor much code. */
static void sort(struct rpm_sample *v, size_t n)
{
	size_t gap = 1;

	while (gap < n / 3)
		gap = gap * 3 + 1;
	for (; gap > 0; gap /= 3) {
		for (size_t i = gap; i < n; i++) {
			struct rpm_sample x = v[i];
			size_t at = i;

			for (; at >= gap && v[at - gap].took > x.took; at -= gap)
				v[at] = v[at - gap];
			v[at] = x;
		}
	}
}

static ns_t trimmed_mean(struct rpm_samples *s, ns_t since)
{
	if (count_since(s, since) >= RPM_SAMPLES_MIN)
		drop_before(s, since);
	if (s->n < RPM_SAMPLES_MIN)
		return UNKNOWN;
	size_t kept = (s->n * KEPT_PERCENT + 99) / 100;
	ns_t sum = 0;

	sort(s->v, s->n);
	for (size_t i = 0; i < kept; i++)
		sum += s->v[i].took;
	return sum / (ns_t)kept;
}

struct rpm_result rpm_finish(struct rpm *r, ns_t since)
{
	struct rpm_result ret = { .rpm = UNKNOWN, .probes = r->part[RPM_ANSWER].seen + r->failed, .failed = r->failed };

	ret.connect = trimmed_mean(&r->part[RPM_CONNECT], since);
	ret.answer = trimmed_mean(&r->part[RPM_ANSWER], since);
	ret.loaded = trimmed_mean(&r->part[RPM_LOADED], since);
	if (ret.connect == UNKNOWN || ret.answer == UNKNOWN)
		return ret;
	/* A clock too coarse to see a round trip must not make it infinite. */
	ret.rpm = 2 * MINUTE / ns_max(ret.connect + ret.answer, NS_PER_US);
	if (ret.loaded != UNKNOWN)
		ret.rpm = (ret.rpm + MINUTE / ns_max(ret.loaded, NS_PER_US)) / 2;
	return ret;
}

const char *rpm_rating(int64_t rpm)
{
	if (rpm == UNKNOWN)
		return NULL;
	return rpm < 300 ? "poor" : rpm < 1000 ? "fair" : rpm < 6000 ? "good" : "excellent";
}

const struct rpm_grade rpm_grades[RPM_GRADES] = { { 5, "A+" }, { 30, "A" }, { 60, "B" }, { 200, "C" }, { 400, "D" } };

const char *rpm_bloat_grade(ns_t increase)
{
	if (increase == UNKNOWN)
		return NULL;
	for (size_t i = 0; i < RPM_GRADES; i++)
		if (increase < rpm_grades[i].below_ms * NS_PER_MS)
			return rpm_grades[i].grade;
	return "F";
}
