/* SPDX-License-Identifier: MIT */
#include "engine/ways.h"

#include <string.h>

#include "core/stamp.h"
#include "core/tally.h"

/* Answers whose order the network may have changed: so many of their numbers are remembered. */
#define RECENT 64

/* A later probe with a lower number is one that has overtaken others, unless it came so much later. */
#define OVERTAKING_MAX (10 * NS_PER_MS)

/* A reflector that numbers more than it is asked counts for others too: by one in so many, as copies may do. */
#define EXCESS_SHARE 16

/* Its clock may be set while we look, but not at each answer. */
#define JUMPS_SHARE 16

static bool has_come(const struct ways *w, uint32_t below)
{
	return below < RECENT && w->recent >> below & 1;
}

/*
 * The numbers begin anew: the reflector was started again, or has forgotten us. A number below the newest one is then
 * one that had come, or that of a probe which the reflector had later.
 */
static bool begins_anew(const struct ways *w, const struct ways_answer *a)
{
	int32_t ahead = (int32_t)(a->count - w->top);

	if (a->again)
		return false;
	if (ahead > 0)
		return ahead - (int64_t)(a->seq - w->last) > RECENT;
	return has_come(w, 0 - (uint32_t)ahead) || stamp_diff(w->top_heard, a->heard, a->ptp) > OVERTAKING_MAX;
}

static uint64_t numbered_of(const struct ways *w)
{
	return w->open ? (uint64_t)(w->top - w->base) + 1 : 0;
}

static uint64_t asked_of(const struct ways *w)
{
	return w->open ? w->last - w->since : 0;
}

/* A session begins at 0 (RFC 8762 section 4.3), unless more was counted by then than we can have asked. */
static void begin_count(struct ways *w, const struct ways_answer *a)
{
	uint64_t since = w->last < a->seq ? w->last : a->seq - 1;
	bool from_0 = a->count < a->seq - since;

	w->asked += asked_of(w);
	w->numbered += numbered_of(w);
	w->seen += numbered_of(w) - w->copies;
	w->got += w->came;
	w->open = true;
	w->base = from_0 ? 0 : a->count;
	w->since = from_0 ? since : a->seq - 1;
	w->last = a->seq;
	w->top = a->count;
	w->top_heard = a->heard;
	w->recent = w->came = 1;
	w->copies = 0;
}

static void note_below(struct ways *w, const struct ways_answer *a, uint32_t below)
{
	if (has_come(w, below) || (a->again && below >= RECENT))
		return; /* a copy that the network made on the way back */
	if (below < RECENT)
		w->recent |= UINT64_C(1) << below;
	if (below > w->top - w->base) { /* an earlier one, overtaken by what seemed to be the first */
		w->base = a->count;
		w->since = a->seq - 1 < w->since ? a->seq - 1 : w->since;
	}
	w->came++;
	w->copies += a->again;
}

static void count_answer(struct ways *w, const struct ways_answer *a)
{
	uint32_t ahead = a->count - w->top;

	w->counts = w->counts || a->count != a->asked;
	if (!w->open || begins_anew(w, a)) {
		begin_count(w, a);
		return;
	}
	if (a->seq > w->last)
		w->last = a->seq;
	if ((int32_t)ahead <= 0) {
		note_below(w, a, 0 - ahead);
		return;
	}
	w->recent = (ahead < RECENT ? w->recent << ahead : 0) | 1;
	w->top = a->count;
	w->top_heard = a->heard;
	w->came++;
	w->copies += a->again;
}

/* How far the clocks may have gone apart in between. */
static ns_t drift(ns_t from, ns_t to)
{
	return ns_max(to - from, 0) / WAYS_DRIFT;
}

static ns_t height_of(const struct way *w, ns_t delay, ns_t at)
{
	return delay - w->lowest - drift(w->at, at);
}

/* Below all before it: those were higher than was thought, by what the clocks alone do not explain. */
static void sink(struct way *w, ns_t delay, ns_t at)
{
	ns_t fall = w->floor - drift(w->floor_at, at) - delay;

	if (fall <= 0)
		return;
	hist_raise(&w->above, fall);
	w->floor = delay;
	w->floor_at = at;
}

static void add_delay(struct way *w, ns_t delay, ns_t at)
{
	ns_t height = height_of(w, delay, at);

	sink(w, delay, at);
	hist_add(&w->above, height);
	if (height > 0)
		return;
	w->lowest = delay;
	w->at = at;
}

static void begin_way(struct way *w, ns_t delay, ns_t at)
{
	if (w->above.n > 0)
		memset(w, 0, sizeof(*w)); /* what was never touched takes no memory */
	w->lowest = w->floor = delay;
	w->at = w->floor_at = at;
	hist_add(&w->above, 0);
}

static void add_times(struct ways *w, const struct ways_answer *a)
{
	bool first = w->answers++ == 0;

	if (first) {
		w->epoch = a->heard;
		w->epoch_at = a->left;
	}
	ns_t there = stamp_diff(w->epoch, a->heard, a->ptp) - (a->left - w->epoch_at);
	ns_t back = a->came - w->epoch_at - stamp_diff(w->epoch, a->said, a->ptp);
	/* Neither way takes longer than both of them: else the clock was set, or its format has changed. Begin anew. */
	bool jump = first || height_of(&w->there, there, a->left) > a->came - a->left ||
		    height_of(&w->back, back, a->came) > a->came - a->left;

	w->jumps += jump;
	if (jump) {
		begin_way(&w->there, there, a->left);
		begin_way(&w->back, back, a->came);
	} else {
		add_delay(&w->there, there, a->left);
		add_delay(&w->back, back, a->came);
	}
}

void ways_add(struct ways *w, const struct ways_answer *a)
{
	count_answer(w, a);
	if (!a->again)
		add_times(w, a);
}

static void fill_queue(struct ping_way *r, const struct way *w)
{
	if (w->above.n < 2)
		return;
	r->queue_p50 = hist_quantile(&w->above, 500);
	r->queue_p99 = hist_quantile(&w->above, 990);
}

static void fill_loss(struct ping_way *r, uint64_t sent, uint64_t arrived, int64_t most)
{
	r->sent = (int64_t)sent;
	r->lost = ns_min(sent > arrived ? (int64_t)(sent - arrived) : 0, most);
	r->loss_ppm = tally_loss_ratio((uint64_t)r->lost, sent);
}

void ways_result(const struct ways *w, struct ping_result *ret)
{
	uint64_t asked = w->asked + asked_of(w);
	uint64_t numbered = w->numbered + numbered_of(w);
	uint64_t seen = w->seen + numbered_of(w) - w->copies;

	if (w->jumps <= 1 + w->answers / JUMPS_SHARE) {
		fill_queue(&ret->there, &w->there);
		fill_queue(&ret->back, &w->back);
	}
	if (!w->counts || seen > asked + 1 + asked / EXCESS_SHARE)
		return;
	fill_loss(&ret->there, asked, seen, ret->lost);
	fill_loss(&ret->back, numbered, w->got + w->came, ret->lost - ret->there.lost);
}
