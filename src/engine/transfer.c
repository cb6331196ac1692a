/* SPDX-License-Identifier: MIT */
#include "engine/transfer.h"

#include "core/wide.h"

/* So many samples a run, but neither too short to hold data nor too long to find a stable part. */
#define SAMPLES_WANTED 120
#define SAMPLE_MIN (20 * NS_PER_MS)
#define SAMPLE_MAX (100 * NS_PER_MS)

/* Fewer bytes in one are a handful of packets, whose number is uneven by itself: the next one is as long again. */
#define SAMPLE_BYTES (UINT64_C(48) << 10)

/* What is bounded by bytes may be over in a moment. */
#define SAMPLE_FINE (2 * NS_PER_MS)

/* Another connection must bring this much more, or it is one too many. */
#define GAIN_PERCENT 5

/*
 * The last part of the time is for the queue: as many connections as may be fill it, so that the latency under load is
 * that of a full one. The rate is known by then: more connections than it needs would only cost it losses.
 */
#define FILL_BEGINS 7 /* tenths of the time */
#define FILL_SHARE 20 /* of the time it may take */

/* What is found out later than this could not be measured any more, in tenths of the time. */
#define LATE 4
#define LATE_WITHOUT_FILL 5

/* A connection carries its first byte after two round trips: until then it says nothing. */
#define ROUND_TRIPS_TO_FLOW 3

/* A rate that has not settled after so many samples is judged as it is. */
#define TRIAL_SAMPLES 16

/* A steady part is at least this share of the time, and no more uneven than this. */
#define STEADY_SHARE 5
#define SPREAD_MAX_PPM 250000

static ns_t spacing(const struct transfer *t)
{
	ns_t fine = t->cfg.bytes > 0 ? SAMPLE_FINE : ns_min(ns_max(t->cfg.time / SAMPLES_WANTED, SAMPLE_MIN), SAMPLE_MAX);

	return ns_max(ns_max(fine, t->cfg.rtt / 4), t->cfg.time / (RATE_SAMPLES_MAX - 32));
}

static ns_t spacing_after(const struct transfer *t, uint64_t moved)
{
	bool slow = moved < SAMPLE_BYTES && t->cfg.bytes == 0;

	return slow ? ns_max(spacing(t), ns_min(2 * spacing(t), t->cfg.time / SAMPLES_WANTED * 2)) : spacing(t);
}

void transfer_init(struct transfer *t, const struct transfer_cfg *cfg, ns_t now)
{
	t->cfg = *cfg;
	t->phase = TRANSFER_STARTING;
	t->connections = cfg->connections > 0 ? cfg->connections : 1;
	t->began = t->tried = now;
	t->next = NS_NEVER;
	t->proven = 0;
	t->proven_rate = 0;
	t->found = 0;
	t->unfinished = t->repeated = false;
	t->measured = 0;
	rate_init(&t->rate);
	t->rate.least = cfg->time / STEADY_SHARE;
}

ns_t transfer_end(const struct transfer *t)
{
	return t->phase == TRANSFER_STARTING ? NS_NEVER : t->began + t->cfg.time;
}

ns_t transfer_deadline(const struct transfer *t)
{
	if (t->phase == TRANSFER_STARTING)
		return t->began + t->cfg.patience;
	return ns_min(t->next, transfer_end(t));
}

void transfer_flows(struct transfer *t, ns_t now)
{
	if (t->phase != TRANSFER_STARTING)
		return;
	t->phase = t->cfg.connections > 0 ? TRANSFER_STEADY : TRANSFER_TRYING;
	t->began = t->tried = now;
	t->next = now + spacing(t);
	rate_add(&t->rate, now, 0);
}

static void try_connections(struct transfer *t, unsigned n, ns_t now, uint64_t bytes)
{
	t->connections = n;
	t->tried = now;
	rate_restart(&t->rate);
	rate_add(&t->rate, now, bytes);
}

/* Has the present number of connections shown what it can do? */
static bool is_tried(const struct transfer *t, ns_t now)
{
	ns_t tried = now - t->tried;

	if (tried < ROUND_TRIPS_TO_FLOW * t->cfg.rtt)
		return false;
	return rate_is_stable(&t->rate) || tried >= TRIAL_SAMPLES * spacing(t);
}

static void settle(struct transfer *t, unsigned n, ns_t now, uint64_t bytes)
{
	t->phase = TRANSFER_STEADY;
	if (n != t->connections)
		try_connections(t, n, now, bytes);
}

static void judge(struct transfer *t, ns_t now, uint64_t bytes)
{
	int64_t rate = rate_recent(&t->rate), margin = t->proven_rate / 100 * GAIN_PERCENT;
	bool late = now - t->began > t->cfg.time / 10 * (t->cfg.fill ? LATE : LATE_WITHOUT_FILL);
	bool gained = t->proven == 0 || rate > t->proven_rate + margin;

	if (!is_tried(t, now))
		return;
	if (rate <= 0) { /* nothing to compare with: more connections would not be understood either */
		settle(t, t->connections, now, bytes);
	} else if (gained && t->connections == TRANSFER_CONNECTIONS_MAX) {
		settle(t, t->connections, now, bytes);
	} else if (gained && late) {
		t->unfinished = true;
		settle(t, t->connections, now, bytes);
	} else if (gained) {
		t->proven = t->connections;
		t->proven_rate = rate;
		try_connections(t, t->connections * 2, now, bytes);
	} else if (rate < t->proven_rate - margin && !t->repeated && !late) {
		/* More of them cannot bring less: something has happened to the link meanwhile. */
		t->repeated = true;
		try_connections(t, t->connections, now, bytes);
	} else {
		settle(t, t->proven, now, bytes);
	}
}

static void fill(struct transfer *t, ns_t now)
{
	t->unfinished = t->unfinished || t->phase == TRANSFER_TRYING;
	t->phase = TRANSFER_FILLING;
	t->measured = t->rate.n;
	t->found = t->connections;
	t->tried = now;
	t->connections = TRANSFER_CONNECTIONS_MAX;
}

bool transfer_refused(struct transfer *t, unsigned connection, ns_t now, uint64_t bytes)
{
	if (t->phase == TRANSFER_FILLING && connection >= t->found) {
		t->connections = t->found;
		return true;
	}
	if (t->phase != TRANSFER_TRYING || t->proven == 0 || connection < t->proven)
		return false;
	settle(t, t->proven, now, bytes);
	return true;
}

bool transfer_tick(struct transfer *t, ns_t now, uint64_t bytes)
{
	bool enough = t->cfg.bytes > 0 && bytes >= t->cfg.bytes;

	if ((now < transfer_deadline(t) && !enough) || t->phase == TRANSFER_OVER)
		return false;
	if (t->phase == TRANSFER_STARTING) {
		t->phase = TRANSFER_OVER;
		return true;
	}
	uint64_t moved = bytes - t->rate.v[t->rate.n - 1].bytes;

	rate_add(&t->rate, now, bytes);
	t->next = ns_max(t->next + spacing_after(t, moved), now + ns_min(SAMPLE_MIN, spacing(t)) / 2);
	if (enough || now >= transfer_end(t))
		t->phase = TRANSFER_OVER;
	else if (t->cfg.fill && t->phase < TRANSFER_FILLING && now - t->began >= t->cfg.time / 10 * FILL_BEGINS)
		fill(t, now);
	else if (t->phase == TRANSFER_TRYING)
		judge(t, now, bytes);
	return true;
}

int64_t transfer_recent(const struct transfer *t)
{
	const struct rate *r = &t->rate;
	size_t back = r->n > RATE_WINDOW ? RATE_WINDOW : r->n > 0 ? r->n - 1 : 0;

	if (back == 0)
		return UNKNOWN;
	const struct rate_sample *last = &r->v[r->n - 1], *first = &r->v[r->n - 1 - back];

	return (int64_t)wide_muldiv((last->bytes - first->bytes) * 8, (uint64_t)NS_PER_S, (uint64_t)(last->at - first->at));
}

ns_t transfer_full_since(const struct transfer *t)
{
	return t->measured > 0 ? t->tried + t->cfg.time / FILL_SHARE : NS_NEVER;
}

unsigned transfer_connections(const struct transfer *t)
{
	return t->measured > 0 ? t->found : t->connections;
}

/* Samples that were taken before the queue was filled. */
static size_t samples(const struct transfer *t)
{
	return t->measured > 0 ? t->measured : t->rate.n;
}

bool transfer_stalled(const struct transfer *t)
{
	const struct rate *r = &t->rate;
	size_t n = r->n, i = n;

	while (i > 0 && r->v[n - 1].bytes == r->v[i - 1].bytes)
		i--;
	return n > 0 && i < n && r->v[n - 1].at - r->v[i].at >= t->cfg.time / 4;
}

struct rate_result transfer_result(struct transfer *t)
{
	size_t all = t->rate.n;

	t->rate.n = samples(t);
	struct rate_result r = rate_finish(&t->rate);

	if (r.bytes == 0) { /* the last number of connections had no time to show anything: take all there is */
		t->rate.from = 0;
		r = rate_finish(&t->rate);
	}
	t->rate.n = all;
	/* Who had no time to try more connections does not know whether they would bring more. */
	r.stable = r.stable && !t->unfinished && r.spread_ppm != UNKNOWN && r.spread_ppm <= SPREAD_MAX_PPM;
	return r;
}
