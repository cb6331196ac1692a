/* SPDX-License-Identifier: MIT */
#include "engine/phases.h"

#include "core/tally.h"

/* Linux puts an acknowledgement off by 40 ms where round trips are shorter, later by a tick and a busy machine. */
#define DELAY_MIN (35 * NS_PER_MS)
#define DELAY_MAX (60 * NS_PER_MS)

/* A network that takes longer may be what it is waited for. */
#define RTT_MAX (10 * NS_PER_MS)

/* Of a larger body full segments follow the head, which are acknowledged at once (RFC 9293 section 3.8.6.3). */
#define BODY_MAX (128 << 10)

/* Without the wait. */
#define PROMPT_MAX (15 * NS_PER_MS)

/* One is spoilt by a server that is slow just then. */
#define TRIALS_MAX 3

const struct expect_figure http_figures[] = { { "total", EXPECT_TIME }, { "total.p99", EXPECT_TIME },
	{ "first_byte", EXPECT_TIME }, { "first_byte.p99", EXPECT_TIME }, { "connect", EXPECT_TIME },
	{ "connect.p99", EXPECT_TIME }, { "transfer", EXPECT_TIME }, { "resolve", EXPECT_TIME },
	{ "status", EXPECT_COUNT }, { "failed", EXPECT_RATIO }, { NULL, EXPECT_COUNT } };

int64_t http_figure(const struct http_result *r, size_t figure)
{
	const ns_t times[] = { r->span[HTTP_TOTAL].p50, r->span[HTTP_TOTAL].p99, r->span[HTTP_FIRST_BYTE].p50,
		r->span[HTTP_FIRST_BYTE].p99, r->span[HTTP_CONNECT].p50, r->span[HTTP_CONNECT].p99,
		r->span[HTTP_TRANSFER].p50, r->span[HTTP_RESOLVE].p50, r->status_max, r->failed_ppm };

	return times[figure];
}

/* Did it wait as long as for an acknowledgement, on a network that is much faster? */
static bool looks_delayed(const struct phases *p, const struct http_timing *one)
{
	ns_t transfer = one->span[HTTP_TRANSFER];

	return http_is_answered(one) && one->kept && one->bytes <= BODY_MAX && transfer >= DELAY_MIN &&
	       transfer <= DELAY_MAX && p->rtt > 0 && p->rtt <= RTT_MAX;
}

static bool looks_prompt(const struct http_timing *one)
{
	return http_is_answered(one) && one->kept && one->span[HTTP_TRANSFER] <= PROMPT_MAX;
}

enum phases_trial phases_trial(const struct phases *p)
{
	return p->trial == 0 ? TRIAL_NONE : p->trial == 2 ? TRIAL_PLAIN : TRIAL_PROMPT;
}

void phases_tried(struct phases *p, const struct http_timing *one)
{
	bool fits = phases_trial(p) == TRIAL_PLAIN ? looks_delayed(p, one) : looks_prompt(one);

	p->sum.delayed_ack = fits && p->trial == 3;
	p->trial = fits && p->trial < 3 ? p->trial + 1 : 0;
}

static void count_status(struct phases *p, int64_t status)
{
	size_t i = 0;

	while (i < p->sum.n_statuses && p->sum.statuses[i].status != status)
		i++;
	if (i == HTTP_STATUSES_MAX)
		p->sum.statuses[--i].status = UNKNOWN;
	if (i == p->sum.n_statuses)
		p->sum.statuses[p->sum.n_statuses++].status = status;
	p->sum.statuses[i].count++;
	if (status > p->sum.status_max)
		p->sum.status_max = status;
}

static void add_span(struct phases *p, enum http_span i, ns_t v)
{
	if (v == UNKNOWN)
		return;
	if (p->span[i].hist.n == 0 || v < p->span[i].min)
		p->span[i].min = v;
	p->span[i].max = ns_max(p->span[i].max, v);
	hist_add(&p->span[i].hist, v);
}

void phases_add(struct phases *p, const struct http_timing *one)
{
	p->sum.requests++;
	p->sum.connections += one->span[HTTP_CONNECT] != UNKNOWN;
	if (one->span[HTTP_CONNECT_RTT] != UNKNOWN)
		p->rtt = one->span[HTTP_CONNECT_RTT];
	if (!http_is_answered(one)) {
		p->sum.failed++;
		p->sum.error = one->why;
		return;
	}
	p->sum.answered++;
	p->sum.last = *one;
	count_status(p, one->status);
	for (unsigned i = 0; i < HTTP_SPANS; i++)
		add_span(p, (enum http_span)i, one->span[i]);
	if (!p->sum.delayed_ack && p->trials < TRIALS_MAX && looks_delayed(p, one)) {
		p->trials++;
		p->trial = 1;
	}
}

/* The histogram is right within its bins, the ends are exact. */
static struct http_spread spread_of(const struct phases *p, enum http_span i)
{
	const struct hist *h = &p->span[i].hist;
	ns_t min = p->span[i].min, max = p->span[i].max;
	ns_t v[] = { hist_quantile(h, 500), hist_quantile(h, 900), hist_quantile(h, 990) };

	if (h->n == 0)
		return (struct http_spread){ UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN };
	for (size_t k = 0; k < 3; k++)
		v[k] = ns_min(ns_max(v[k], min), max);
	return (struct http_spread){ min, v[0], v[1], v[2], max };
}

void phases_result(const struct phases *p, const char *url, struct http_result *ret)
{
	struct text t;

	*ret = p->sum;
	ret->url = url;
	ret->failed_ppm = tally_loss_ratio((uint64_t)ret->failed, (uint64_t)ret->requests);
	if (ret->answered == 0)
		ret->last.status = ret->last.bytes = ret->status_max = UNKNOWN;
	text_init(&t, ret->address, sizeof(ret->address));
	if (ret->answered > 0)
		addr_put(&t, &ret->last.address);
	for (unsigned i = 0; i < HTTP_SPANS; i++)
		ret->span[i] = spread_of(p, (enum http_span)i);
	if (ret->delayed_ack)
		ret->note = "on the kept connection about 40 ms of the transfer are a delayed acknowledgement: the server "
			    "sends head and body in two writes (Nagle); it is not the network";
}
