/* SPDX-License-Identifier: MIT */
#include "engine/score.h"

#include <string.h>

/* To read it, without touching what was never written: then it is @none, which is cleared for that. */
static const struct score_more *more_of(const struct score_card *c, struct score_more *none)
{
	if (c->s->has_more)
		return c->more;
	memset(none, 0, sizeof(*none));
	return none;
}

/* To write it. */
static struct score_more *open_more(const struct score_card *c)
{
	c->s->has_more = true;
	return c->more;
}

static void count_distribution(const struct score_card *c, const struct ping_event *ev)
{
	ns_t beside = ev->connect != UNKNOWN ? ev->connect : ev->queue;
	ns_t last = c->s->last;

	hist_add(&c->hists->rtt, ev->rtt);
	if (c->s->received > 0)
		hist_add(&c->hists->ipdv, ev->rtt > last ? ev->rtt - last : last - ev->rtt);
	if (beside != UNKNOWN)
		hist_add(&c->hists->beside, beside);
}

static enum stamps worse(enum stamps a, enum stamps b)
{
	return a == STAMPS_NONE || b < a ? b : a;
}

void score_reply(const struct score_card *c, const struct ping_event *ev)
{
	if (c->hists)
		count_distribution(c, ev);
	/* Of one round trip its length says all. */
	if (c->s->received == 1)
		tally_add(&open_more(c)->rtt, c->s->last);
	if (c->s->received > 0)
		tally_add(&open_more(c)->rtt, ev->rtt);
	c->s->last = ev->rtt;
	c->s->stamps = (uint8_t)worse(c->s->stamps, ev->stamps);
	c->s->received++;
	if (ev->seq < c->s->highest)
		open_more(c)->reordered++;
	else
		c->s->highest = ev->seq;
}

static bool is_kind(const struct ping_kind *k, const struct ping_event *ev)
{
	return k->type == ev->type && k->code == ev->code && k->text == ev->text && k->from.family == ev->from.family &&
	       addr_same_host(&k->from, &ev->from);
}

/* Return: its place, from 1; PING_KINDS + 1 where there is none left. */
static unsigned count_kind(struct score_more *m, const struct ping_event *ev)
{
	unsigned i = 0;

	while (i < m->n_kinds && !is_kind(&m->kinds[i], ev))
		i++;
	if (i == PING_KINDS)
		return i + 1;
	if (i == m->n_kinds)
		m->kinds[m->n_kinds++] = (struct ping_kind){ ev->from, ev->type, ev->code, 0, ev->text };
	m->kinds[i].count++;
	return i + 1;
}

unsigned score_lost(const struct score_card *c, const struct ping_event *ev)
{
	open_more(c)->lost++;
	if (ev->outcome != OUTCOME_ERROR)
		return 0;
	c->more->errors++;
	return count_kind(c->more, ev);
}

void score_duplicate(const struct score_card *c)
{
	open_more(c)->duplicates++;
}

void score_corrupt(const struct score_card *c)
{
	open_more(c)->corrupt++;
}

void score_take_back(const struct score_card *c, unsigned how)
{
	c->more->lost--;
	c->more->errors -= how > 0;
	if (how > 0 && how <= PING_KINDS)
		c->more->kinds[how - 1].count--;
}

void score_late(const struct score_card *c, unsigned how)
{
	c->more->late++;
	score_take_back(c, how);
}

void score_run(const struct score_card *c, bool answered)
{
	struct score_more *m = c->more;

	if (answered) {
		if (c->s->has_more && m->run > 0)
			m->run = 0;
		return;
	}
	open_more(c);
	m->runs += m->run == 0;
	m->run++;
	if (m->run > m->run_max)
		m->run_max = m->run;
}

uint64_t score_in_flight(const struct score_card *c)
{
	return c->s->sent - c->s->received - (c->s->has_more ? c->more->lost + c->more->late : 0);
}

void score_counts(const struct score_card *c, struct ping_result *r)
{
	struct score_more none;
	const struct score_more *m = more_of(c, &none);

	r->sent = (int64_t)c->s->sent;
	r->received = (int64_t)c->s->received;
	r->lost = (int64_t)m->lost;
	r->late = (int64_t)m->late;
	r->in_flight = (int64_t)score_in_flight(c);
	r->duplicates = (int64_t)m->duplicates;
	r->reordered = (int64_t)m->reordered;
	r->corrupt = (int64_t)m->corrupt;
	r->errors = (int64_t)m->errors;
	r->local_drops = UNKNOWN;
	r->loss_runs = (int64_t)m->runs;
	r->loss_run_max = (int64_t)m->run_max;
}

static void fill_loss(const struct score_card *c, const struct score_more *m, struct ping_result *r)
{
	/* What is still in flight has no say. */
	uint64_t decided = c->s->sent - score_in_flight(c);

	r->n_kinds = 0;
	for (size_t i = 0; i < m->n_kinds; i++)
		if (m->kinds[i].count > 0)
			r->kinds[r->n_kinds++] = m->kinds[i];
	r->loss_ppm = tally_loss_ratio(m->lost, decided);
	tally_loss_interval(m->lost, decided, &r->loss_low_ppm, &r->loss_high_ppm);
}

/* A bin's middle may lie outside what was seen; the extremes are known exactly. */
static ns_t quantile(const struct hist *h, unsigned per_mille, const struct ping_result *r)
{
	return ns_min(ns_max(hist_quantile(h, per_mille), r->rtt_min), r->rtt_max);
}

static void fill_distribution(const struct score_card *c, struct ping_result *r)
{
	const struct hist *h = c->hists ? &c->hists->rtt : NULL;

	r->rtt_p50 = r->rtt_p90 = r->rtt_p99 = r->ipdv_p99 = r->host_queue_p50 = r->connect_p50 = UNKNOWN;
	if (c->s->received == 1)
		r->rtt_p50 = r->rtt_p90 = r->rtt_p99 = c->s->last;
	if (!h || c->s->received == 0)
		return;
	r->rtt_p50 = quantile(h, 500, r);
	r->rtt_p90 = quantile(h, 900, r);
	r->rtt_p99 = quantile(h, 990, r);
	r->ipdv_p99 = hist_quantile(&c->hists->ipdv, 990);
	r->host_queue_p50 = hist_quantile(&c->hists->beside, 500);
}

void score_result(const struct score_card *c, struct ping_result *r)
{
	struct score_more none;
	struct tally one = { .n = 0 };
	const struct score_more *m = more_of(c, &none);
	const struct tally *t = &m->rtt;

	if (c->s->received == 1) {
		tally_add(&one, c->s->last);
		t = &one;
	}
	score_counts(c, r);
	fill_loss(c, m, r);
	r->stamps = (enum stamps)c->s->stamps;
	r->rtt_min = t->n > 0 ? t->min : UNKNOWN;
	r->rtt_max = t->n > 0 ? t->max : UNKNOWN;
	r->rtt_mean = tally_mean(t);
	r->rtt_mdev = tally_mdev(t);
	r->jitter = tally_jitter(t);
	fill_distribution(c, r);
	ping_way_init(&r->there);
	ping_way_init(&r->back);
	if (c->hists)
		ways_result(&c->hists->ways, r);
}
