/* SPDX-License-Identifier: MIT */
#include "run/visit.h"

#include "core/text_put.h"
#include "sys/clock.h"
#include "sys/memory.h"
#include "sys/resolve.h"
#include "sys/signals.h"

#define HTTP_PORT 80

/* A body that goes on for long may do so while it brings at least this much, in bytes a second. */
#define FLOW_MIN 1024

static bool read_url(struct visit *v, const char *url, struct fault *why)
{
	struct slice zone;
	struct addr ignored;
	struct text t;

	if (!target_parse(url, &v->target, why))
		return false;
	if (v->target.scheme != TARGET_ANY && v->target.scheme != TARGET_HTTP) {
		fault_set(why, FAULT_USAGE, "there is no HTTP at", v->target.text, NULL);
		fault_hint(why, "sonde ping %v", v->target.text);
		return false;
	}
	if (v->target.port == 0)
		v->target.port = HTTP_PORT;
	v->named = !addr_parse(url_host_zone(v->target.host, &zone), &ignored);
	text_init(&t, v->url, sizeof(v->url));
	text_str(&t, "http://");
	url_put_host(&t, v->target.host, v->target.port);
	text_slice(&t, v->target.path.n > 0 ? v->target.path : SLICE("/"));
	return true;
}

bool visits_open(struct visits *s, const struct visit_cfg *cfg, char **urls, size_t n, struct fault *why)
{
	ns_t now = clock_mono();

	*s = (struct visits){ .cfg = *cfg, .due = now, .end = cfg->duration > 0 ? now + cfg->duration : NS_NEVER };
	s->v = memory_get(n, sizeof(struct visit), why);
	if (!s->v || !wait_open(&s->wait, why))
		return false;
	memory_descriptors();
	for (; s->n < n; s->n++) {
		struct visit *v = &s->v[s->n];

		v->fetch = (struct fetch){ .origin = cfg->origin, .timeout = cfg->timeout, .end = s->end, .flow_min = FLOW_MIN };
		if (!read_url(v, urls[s->n], why) || !fetch_open(&v->fetch, why))
			return false;
	}
	return true;
}

void visits_close(struct visits *s)
{
	for (size_t i = 0; i < s->n; i++)
		fetch_close(&s->v[i].fetch);
}

/* To the first address that accepts. */
static bool connect_to(struct visit *v, const struct visit_cfg *cfg, ns_t *ret_resolved, struct fault *why)
{
	struct addr to[RESOLVE_MAX];
	size_t n = resolve(v->target.host, cfg->family, to, RESOLVE_MAX, cfg->timeout, why);

	*ret_resolved = clock_mono();
	for (size_t i = 0; i < n && !fetch_is_stopped(&v->fetch); i++) {
		v->fetch.to = to[i];
		v->fetch.to.port = v->target.port;
		if (fetch_connect(&v->fetch, why) == 0) {
			why->kind = FAULT_NONE; /* those before it do not matter any more */
			return true;
		}
	}
	return false;
}

static void copy(char *out, size_t cap, const char *s)
{
	struct text t;

	text_init(&t, out, cap);
	text_str(&t, s);
}

/* What the server said, whether or not it came to the end. */
static void note_answer(const struct visit *v, struct http_timing *ret)
{
	const struct exchange *x = fetch_exchange(&v->fetch);
	char at[ADDR_TEXT_MAX], reason[EXCHANGE_WHY_MAX];
	struct text t, r;

	if (x->status > 0) {
		ret->status = (int64_t)x->status;
		ret->bytes = (int64_t)x->body.received;
	}
	copy(ret->reason, sizeof(ret->reason), x->reason);
	copy(ret->server, sizeof(ret->server), x->server);
	copy(ret->location, sizeof(ret->location), x->location);
	if (x->state == EXCHANGE_DONE)
		return;
	text_init(&t, at, sizeof(at));
	addr_put_port(&t, &v->fetch.to);
	text_init(&r, reason, sizeof(reason));
	if (v->fetch.trickled)
		text_put(&r, "sends its body too slowly: %d bytes in %t", ret->bytes, x->ended - x->started);
	else
		text_str(&r, x->why);
	fault_set(&ret->why, FAULT_PEER, "the server", text_view(&t), reason);
}

/* The span that ends at @stamp, where it came to that; the next one begins there. */
static void mark(struct http_timing *ret, enum http_span span, ns_t *at, ns_t stamp)
{
	if (stamp == 0)
		return;
	ret->span[span] = stamp - *at;
	*at = stamp;
}

static void note_times(const struct visit *v, struct http_timing *ret, ns_t began, ns_t connected)
{
	const struct exchange *x = fetch_exchange(&v->fetch);
	ns_t at = began;

	if (ret->span[HTTP_RESOLVE] != UNKNOWN)
		at += ret->span[HTTP_RESOLVE];
	mark(ret, HTTP_CONNECT, &at, connected);
	mark(ret, HTTP_SEND, &at, x->sent);
	mark(ret, HTTP_FIRST_BYTE, &at, x->first_byte);
	if (x->state != EXCHANGE_DONE)
		return;
	mark(ret, HTTP_TRANSFER, &at, x->ended);
	ret->span[HTTP_TOTAL] = at - began;
}

static void clear(struct http_timing *t, int64_t seq)
{
	*t = (struct http_timing){ .seq = seq, .status = UNKNOWN, .bytes = UNKNOWN };
	for (unsigned i = 0; i < HTTP_SPANS; i++)
		t->span[i] = UNKNOWN;
}

/* A new connection. */
static bool arrive(struct visit *v, const struct visit_cfg *cfg, ns_t began, struct http_timing *ret)
{
	struct stream_facts facts;
	ns_t resolved;
	bool there = connect_to(v, cfg, &resolved, &ret->why);

	if (v->named && (there || v->fetch.to.family != 0))
		ret->span[HTTP_RESOLVE] = resolved - began;
	if (!there)
		return false;
	stream_facts(v->fetch.lane.fd, &facts);
	if (facts.rtt > 0)
		ret->span[HTTP_CONNECT_RTT] = facts.rtt;
	return true;
}

/* One request. Return: false where it was cut off, by a signal or the end of the time. */
static bool make(struct visit *v, const struct visit_cfg *cfg, int64_t seq, struct http_timing *ret)
{
	struct fetch *f = &v->fetch;
	struct exchange_request r = { .method = cfg->method, .host = v->target.host, .port = v->target.port,
		.path = v->target.path, .timeout = cfg->timeout };
	ns_t began = clock_mono();

	clear(ret, seq);
	ret->kept = fetch_is_kept(f);
	if (!ret->kept) {
		f->to.family = 0;
		if (!arrive(v, cfg, began, ret))
			return !fetch_is_stopped(f);
	}
	ns_t connected = f->lane.connected;
	bool done = fetch_do(f, &r, &ret->why);

	if (!done && fetch_is_stopped(f))
		return false;
	ret->address = f->to;
	if (!done)
		return true;
	/* The server had closed the kept connection, and nothing was lost but that: what is timed is the new one. */
	if (ret->kept && f->lane.connected != connected) {
		ret->kept = false;
		began = f->lane.asked;
	}
	note_answer(v, ret);
	note_times(v, ret, began, ret->kept ? 0 : f->lane.connected);
	return true;
}

/* Requests that do not count, to find out what the last one waited for. Return: false as make(). */
static bool try_out(struct visit *v, const struct visit_cfg *cfg)
{
	enum phases_trial trial;
	struct http_timing ignored;

	while ((trial = phases_trial(&v->phases)) != TRIAL_NONE) {
		v->fetch.lane.prompt = trial == TRIAL_PROMPT;
		bool made = make(v, cfg, 0, &ignored);

		v->fetch.lane.prompt = false;
		if (!made)
			return false;
		phases_tried(&v->phases, &ignored);
	}
	return true;
}

static bool is_over(const struct visits *s)
{
	return s->round == s->cfg.count || signals_stop() || clock_mono() >= s->end;
}

/* Return: false where something else woke us. */
static bool rest(struct visits *s)
{
	struct wait_event e;
	ns_t now = clock_mono();

	if (s->at > 0 || now >= s->due)
		return true;
	wait_next(&s->wait, ns_min(s->due, s->end), now, &e, 1);
	return clock_mono() >= s->due;
}

/* Rounds begin where the clock's marks are, however long one takes; a mark that was missed is not made up for. */
static void plan(struct visits *s)
{
	ns_t now = clock_mono();

	if (++s->at < s->n)
		return;
	s->at = 0;
	s->round++;
	if (s->cfg.interval == 0)
		return;
	s->due += s->cfg.interval;
	if (s->due < now)
		s->due += (now - s->due + s->cfg.interval - 1) / s->cfg.interval * s->cfg.interval;
}

enum visits_event visits_next(struct visits *s, size_t *ret_i, struct http_timing *ret)
{
	if (is_over(s))
		return VISITS_OVER;
	if (!rest(s))
		return VISITS_AWAKE;
	struct visit *v = &s->v[s->at];

	if (!make(v, &s->cfg, s->round + 1, ret))
		return VISITS_AWAKE;
	*ret_i = s->at;
	phases_add(&v->phases, ret);
	try_out(v, &s->cfg);
	if (s->cfg.fresh)
		fetch_hang_up(&v->fetch);
	plan(s);
	return VISITS_MADE;
}
