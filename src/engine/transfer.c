/* SPDX-License-Identifier: MIT */
#include "engine/transfer.h"

#include "core/wide.h"

/* Sixty samples a run, but neither too short to hold data nor too long to find a stable part. */
#define SAMPLES_WANTED 60
#define SAMPLE_MIN (20 * NS_PER_MS)
#define SAMPLE_MAX (500 * NS_PER_MS)

/* Another connection must bring this much, or it is one too many. */
#define GAIN_PERCENT 5

/* A rate that has not settled after so many samples is judged as it is. */
#define TRIAL_SAMPLES 12

/* A steady part is at least this share of the time, and no more uneven than this. */
#define STEADY_SHARE 4
#define SPREAD_MAX_PPM 250000

/* A process that uses more than this of a CPU is what limits the rate. */
#define BUSY_PPM 850000

static ns_t spacing(const struct transfer *t)
{
	ns_t fine = ns_min(ns_max(t->cfg.time / SAMPLES_WANTED, SAMPLE_MIN), SAMPLE_MAX);

	return ns_max(ns_max(fine, t->cfg.rtt / 4), t->cfg.time / (RATE_SAMPLES_MAX - 32));
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

static void judge(struct transfer *t, ns_t now, uint64_t bytes)
{
	int64_t rate = rate_recent(&t->rate);
	bool patient = now - t->tried < TRIAL_SAMPLES * spacing(t);

	if (!rate_is_stable(&t->rate) && patient)
		return;
	if (rate <= 0) { /* nothing to compare with: more connections would not be understood either */
		t->phase = TRANSFER_STEADY;
		return;
	}
	/* What is found out in the second half could not be measured any more. */
	bool late = now - t->began > t->cfg.time / 2;
	bool gained = t->proven == 0 || rate > t->proven_rate + t->proven_rate / 100 * GAIN_PERCENT;

	if (gained && !late && t->connections < TRANSFER_CONNECTIONS_MAX) {
		t->proven = t->connections;
		t->proven_rate = rate;
		try_connections(t, t->connections * 2, now, bytes);
		return;
	}
	t->phase = TRANSFER_STEADY;
	if (!gained)
		try_connections(t, t->proven, now, bytes);
}

bool transfer_tick(struct transfer *t, ns_t now, uint64_t bytes)
{
	if (now < transfer_deadline(t) || t->phase == TRANSFER_OVER)
		return false;
	if (t->phase == TRANSFER_STARTING) {
		t->phase = TRANSFER_OVER;
		return true;
	}
	rate_add(&t->rate, now, bytes);
	t->next = ns_max(t->next + spacing(t), now + SAMPLE_MIN / 2);
	if (now >= transfer_end(t))
		t->phase = TRANSFER_OVER;
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

bool transfer_stalled(const struct transfer *t)
{
	const struct rate *r = &t->rate;
	size_t i = r->n;

	while (i > 0 && r->v[r->n - 1].bytes == r->v[i - 1].bytes)
		i--;
	return r->n > 0 && i < r->n && r->v[r->n - 1].at - r->v[i].at >= t->cfg.time / 4;
}

struct rate_result transfer_result(struct transfer *t)
{
	struct rate_result r = rate_finish(&t->rate);

	if (r.bytes == 0) { /* the last number of connections had no time to show anything: take all there is */
		t->rate.from = 0;
		r = rate_finish(&t->rate);
	}

	r.stable = r.stable && r.spread_ppm != UNKNOWN && r.spread_ppm <= SPREAD_MAX_PPM;
	return r;
}

static bool mostly(ns_t part, ns_t whole)
{
	return part != UNKNOWN && whole != UNKNOWN && whole > 0 && part > whole / 2;
}

enum limited_by transfer_limit(const struct transfer_evidence *e)
{
	if (e->small_file)
		return LIMITED_SIZE;
	if (e->cpu_share_ppm != UNKNOWN && e->cpu_share_ppm > BUSY_PPM)
		return LIMITED_CLIENT_CPU;
	if (e->server_share_ppm != UNKNOWN && e->server_share_ppm > BUSY_PPM)
		return LIMITED_SERVER;
	if (mostly(e->rwnd_limited, e->busy))
		return LIMITED_RECEIVER;
	if (mostly(e->sndbuf_limited, e->busy))
		return LIMITED_SENDER;
	/* Known sockets with data to send that neither end held back, or a known server that was not busy. */
	bool ours = e->busy != UNKNOWN && e->busy > 0;

	return ours || e->server_share_ppm != UNKNOWN ? LIMITED_NETWORK : LIMITED_UNKNOWN;
}
