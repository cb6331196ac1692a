/* SPDX-License-Identifier: MIT */
#include "run/check.h"

#include <string.h>

#include "core/units.h"
#include "sys/clock.h"
#include "sys/privilege.h"
#include "sys/resolve.h"
#include "sys/signals.h"

/* Often enough for a distribution, seldom enough not to be a load itself. */
#define IDLE_INTERVAL (100 * NS_PER_MS)
#define LOADED_INTERVAL (50 * NS_PER_MS)
#define FULL_INTERVAL (25 * NS_PER_MS)
#define FOREIGN_INTERVAL (100 * NS_PER_MS)

/* While idle, an answer that takes longer is hardly one; beside a load a queue may hold it for seconds. */
#define IDLE_TIMEOUT (2 * NS_PER_S)
#define LOADED_TIMEOUT (5 * NS_PER_S)

static void copy(char *out, size_t cap, struct slice s)
{
	struct text t;

	text_init(&t, out, cap);
	text_slice(&t, s);
}

static bool needs_server(const struct check *c)
{
	return c->cfg.phases != CHECK_ONLY_PING;
}

static void note_target(struct check *c)
{
	const struct target *target = &c->cfg.survey.target;
	struct check_result *r = &c->result;
	struct text t;

	copy(r->host, sizeof(r->host), needs_server(c) ? slice_of(c->survey.host) : target->host);
	text_init(&t, r->url, sizeof(r->url));
	if (!needs_server(c)) {
		text_slice(&t, target->text);
		return;
	}
	text_str(&t, "http://");
	url_put_host(&t, slice_of(c->survey.host), r->address.port);
	text_str(&t, c->survey.path[0] ? c->survey.path : "/");
}

static bool open_ping_only(struct check *c, struct fault *why)
{
	struct addr v[RESOLVE_MAX];
	const struct target *t = &c->cfg.survey.target;

	static const enum via ways[] = { VIA_AUTO, VIA_AUTO, VIA_ICMP, VIA_TCP, VIA_UDP }; /* in the order of enum target_scheme */

	c->via = ways[t->scheme];
	if (resolve(t->host, c->cfg.survey.family, v, RESOLVE_MAX, c->cfg.survey.timeout, why) == 0)
		return false;
	c->result.address = v[0];
	c->result.address.port = t->port;
	return true;
}

bool check_open(struct check *c, const struct check_cfg *cfg, struct fault *why)
{
	struct text t;

	c->cfg = *cfg;
	c->survey.cfg = cfg->survey;
	c->last_rtt = UNKNOWN;
	check_result_init(&c->result);
	text_init(&t, c->result.time, sizeof(c->result.time));
	units_put_utc(&t, clock_wall_s());
	if (!wait_open(&c->wait, why) || !bulk_open(&c->bulk, why))
		return false;
	/* From here on there is no capability left: strangers are talked to without any. */
	privilege_raise();
	pinger_prepare(&c->pinger, 4, &cfg->survey.origin, &c->wait, 0);
	pinger_prepare(&c->pinger, 6, &cfg->survey.origin, &c->wait, 0);
	privilege_drop();
	if (!needs_server(c))
		return open_ping_only(c, why);
	if (!survey_open(&c->survey, why))
		return false;
	c->result.address = c->survey.fetch.to;
	return true;
}

static bool look(struct check *c, struct fault *why)
{
	if (needs_server(c)) {
		if (!survey_look(&c->survey, why))
			return false;
		c->result.address = c->survey.fetch.to;
		c->result.server = c->survey.kind;
		copy(c->result.software, sizeof(c->result.software), slice_of(c->survey.software));
	}
	note_target(c);
	return true;
}

static bool start_pinger(struct check *c, ns_t interval, uint64_t count, ns_t timeout, struct fault *why)
{
	struct pinger_cfg cfg = {
		.ping = { .interval = interval, .timeout = timeout, .count = count, .size = 56 },
		.via = c->via,
		.closed_is_reply = true,
		.origin = c->cfg.survey.origin,
		.reason = c->fell_back ? "no answer to ICMP echo requests" : NULL,
	};

	struct ping_room room = { &c->to, &c->more, &c->name, &c->hists, NULL, 1 };

	memset(&c->hists, 0, sizeof(c->hists));
	memset(&c->more, 0, sizeof(c->more));
	c->to = (struct ping_target){ .addr = c->result.address };
	c->name = (struct ping_name){ .text = c->result.host };
	return pinger_open(&c->pinger, &cfg, &room, &c->wait, 0, why);
}

static struct load_cfg load_cfg_of(const struct check *c, enum load_direction direction, const struct survey_info *info)
{
	const struct survey *s = &c->survey;
	const struct dialect *d = s->dialect;
	bool up = direction == LOAD_UP;

	return (struct load_cfg){
		.direction = direction,
		.dialect = d,
		.to = c->result.address,
		.origin = c->cfg.survey.origin,
		.host = slice_of(s->host),
		.path = slice_of(d->timed ? (up ? d->up : d->down) : up ? s->up_path : s->path),
		.time = c->cfg.time,
		.timeout = c->cfg.survey.timeout,
		.rtt = c->result.has_ping ? c->result.ping.rtt_p50 : UNKNOWN,
		.sender = d->timed && c->cfg.survey.origin.congestion ? c->cfg.survey.origin.congestion : info->congestion,
		.body_time = info->body_time,
		.bytes = c->cfg.bytes,
		.connections = c->cfg.connections,
	};
}

static struct foreign_cfg foreign_cfg_of(const struct check *c)
{
	return (struct foreign_cfg){
		.to = c->result.address,
		.origin = c->cfg.survey.origin,
		.host = slice_of(c->survey.host),
		.path = slice_of(c->survey.small),
		.head = c->survey.kind == SERVER_FILE,
		.interval = FOREIGN_INTERVAL,
		.timeout = ns_max(LOADED_TIMEOUT, c->cfg.survey.timeout),
	};
}

static bool is_loading(const struct check *c, enum load_direction direction)
{
	return c->phase == CHECK_BOTH || (c->phase == CHECK_DOWNLOAD) == (direction == LOAD_DOWN);
}

static bool start_loads(struct check *c, struct fault *why)
{
	struct foreign_cfg foreign = foreign_cfg_of(c);
	struct survey_info info;

	survey_info(&c->survey, &info);
	c->server_cpu = info.cpu;
	/* A server that serves one connection at a time must not be kept by this one. */
	if (c->survey.kind != SERVER_SONDE)
		fetch_hang_up(&c->survey.fetch);
	if (!start_pinger(c, LOADED_INTERVAL, 0, ns_max(LOADED_TIMEOUT, c->cfg.survey.timeout), why))
		return false;
	strain_open(&c->strain, &c->wait, &c->pinger, &foreign);
	for (enum load_direction d = LOAD_DOWN; d <= LOAD_UP; d++) {
		struct load_cfg cfg = load_cfg_of(c, d, &info);

		if (is_loading(c, d))
			strain_add(&c->strain, &cfg, &c->bulk);
	}
	return true;
}

static struct flow_result *flow_of(struct check *c, enum load_direction direction)
{
	struct check_result *r = &c->result;

	if (c->phase == CHECK_BOTH)
		return direction == LOAD_DOWN ? &r->both_download : &r->both_upload;
	return direction == LOAD_DOWN ? &r->download : &r->upload;
}

/* A direction that cannot be measured here is answered without a load. Return: whether it can be. */
static bool is_possible(struct check *c, enum load_direction direction)
{
	struct flow_result *f = flow_of(c, direction);

	if (c->survey.kind == SERVER_SONDE)
		return true;
	if (direction == LOAD_UP) {
		f->status = survey_try_upload(&c->survey, f->reason);
		return f->status == FLOW_OK;
	}
	if (c->survey.worth)
		return true;
	f->status = FLOW_UNSUPPORTED;
	f->limited_by = c->survey.too_small ? LIMITED_SIZE : LIMITED_UNKNOWN;
	copy(f->reason, sizeof(f->reason), slice_of(c->survey.reason));
	return false;
}

/* All that the phase loads. */
static bool are_possible(struct check *c)
{
	bool possible = true;

	for (enum load_direction d = LOAD_DOWN; d <= LOAD_UP; d++)
		possible = (!is_loading(c, d) || is_possible(c, d)) && possible;
	if (c->phase == CHECK_BOTH) /* one of them may have been found possible: it is skipped all the same */
		for (enum load_direction d = LOAD_DOWN; d <= LOAD_UP && !possible; d++)
			if (flow_of(c, d)->status == FLOW_OK)
				flow_of(c, d)->status = FLOW_SKIPPED;
	return possible;
}

static bool start_idle(struct check *c, struct fault *why)
{
	return start_pinger(c, IDLE_INTERVAL, (uint64_t)c->cfg.probes, ns_min(IDLE_TIMEOUT, c->cfg.survey.timeout), why);
}

/* Return: false with @why. `phase_open` tells whether there is anything to wait for. */
static bool start_phase(struct check *c, struct fault *why)
{
	c->phase_began = clock_mono();
	c->last_rate[0] = c->last_rate[1] = c->last_rtt = UNKNOWN;
	c->phase_open = true;
	c->phase_due = false;
	if (c->phase == CHECK_PING)
		return start_idle(c, why);
	c->phase_open = are_possible(c);
	return !c->phase_open || start_loads(c, why);
}

static void finish_ping(struct check *c)
{
	pinger_result(&c->pinger, 0, clock_mono(), &c->result.ping);
	c->result.has_ping = c->result.ping.sent > 0;
	pinger_close(&c->pinger);
}

/* A host that does not answer echo requests may still answer connections. Return: whether that is tried now. */
static bool fall_back_to_tcp(struct check *c, struct fault *why)
{
	if (c->via == VIA_TCP || c->to.score.received > 0 || !needs_server(c) || signals_stop() ||
		c->pinger.method == METHOD_TCP)
		return false;
	pinger_close(&c->pinger);
	c->via = VIA_TCP;
	c->fell_back = true;
	return start_idle(c, why);
}

static int64_t server_share(struct check *c)
{
	struct survey_info info;
	ns_t wall = c->strain.loads[0].account.wall;

	survey_info(&c->survey, &info);
	if (info.cpu == UNKNOWN || c->server_cpu == UNKNOWN || wall <= 0)
		return UNKNOWN;
	return (int64_t)wide_muldiv((uint64_t)ns_max(info.cpu - c->server_cpu, 0), 1000000, (uint64_t)wall);
}

/* Where the figures of a phase go that belong to no direction. */
static void places_of(struct check *c, struct ping_result **ret_loaded, struct rpm_result **ret_rpm, bool **ret_there)
{
	struct check_result *r = &c->result;
	struct ping_result *const loaded[] = { &r->loaded_download, &r->loaded_upload, &r->loaded_both };
	struct rpm_result *const rpm[] = { &r->rpm_download, &r->rpm_upload, &r->rpm_both };
	bool *const there[] = { &r->has_loaded_download, &r->has_loaded_upload, &r->has_loaded_both };

	*ret_loaded = loaded[c->phase - CHECK_DOWNLOAD];
	*ret_rpm = rpm[c->phase - CHECK_DOWNLOAD];
	*ret_there = there[c->phase - CHECK_DOWNLOAD];
}

static void finish_loads(struct check *c)
{
	struct ping_result *loaded;
	struct rpm_result *rpm;
	bool *there, ok = true;

	places_of(c, &loaded, &rpm, &there);
	pinger_result(&c->pinger, 0, clock_mono(), loaded);
	pinger_close(&c->pinger);
	/* The connections are closed first: on a full link the question below would wait behind them. */
	strain_stop(&c->strain);
	int64_t share = server_share(c);
	ns_t since = c->strain.full ? strain_full_since(&c->strain) : 0;

	for (size_t i = 0; i < c->strain.n; i++) {
		struct load *l = &c->strain.loads[i];
		struct flow_result *f = flow_of(c, l->cfg.direction);

		l->account.server_share_ppm = share;
		load_result(l, f);
		since = ns_max(since, load_steady_since(l));
		ok = ok && f->status == FLOW_OK;
	}
	*there = ok && loaded->sent > 0;
	if (ok)
		*rpm = rpm_finish(&c->strain.foreign.rpm, since);
	c->result.has_both = c->result.has_both || c->phase == CHECK_BOTH;
}

static void finish_phase(struct check *c)
{
	if (c->phase == CHECK_PING)
		finish_ping(c);
	else if (c->phase_open)
		finish_loads(c);
	check_conclude(&c->result);
	c->phase_open = false;
}

static void note_probe(struct check *c, const struct ping_event *e, struct check_event *ret)
{
	c->last_rtt = e->outcome == OUTCOME_REPLY ? e->rtt : UNKNOWN;
	ret->kind = CHECK_PROBE;
	ret->probe = *e;
}

/* What counts as latency under load begins anew with a full queue. */
static void begin_full(struct check *c)
{
	struct fault ignored;

	pinger_close(&c->pinger);
	start_pinger(c, FULL_INTERVAL, 0, ns_max(LOADED_TIMEOUT, c->cfg.survey.timeout), &ignored);
}

static bool step_load(struct check *c, struct check_event *ret)
{
	struct strain_event e;

	if (!strain_next(&c->strain, &e))
		return false;
	if (e.kind == STRAIN_FULL) {
		begin_full(c);
		if (!strain_next(&c->strain, &e))
			return false;
	}
	if (e.kind == STRAIN_PING) {
		note_probe(c, &e.ping, ret);
		return true;
	}
	ret->kind = CHECK_PROGRESS;
	c->last_rate[e.load] = e.progress.bits_per_second;
	return true;
}

/* One event of the phase under way. Return: false when the phase is over. */
static bool step(struct check *c, struct check_event *ret)
{
	struct ping_event p;

	if (!c->phase_open)
		return false;
	if (c->phase == CHECK_PING) {
		if (!pinger_next(&c->pinger, &p))
			return false;
		note_probe(c, &p, ret);
		return true;
	}
	return step_load(c, ret);
}

static bool begin(struct check *c, struct check_event *ret, struct fault *why)
{
	if (!look(c, why))
		return false;
	c->surveyed = true;
	c->phase = check_phase_from(CHECK_PING, c->cfg.phases);
	c->phase_due = true;
	ret->kind = CHECK_FOUND;
	return true;
}

bool check_next(struct check *c, struct check_event *ret, struct fault *why)
{
	*ret = (struct check_event){ .phase = c->phase, .bits_per_second = UNKNOWN, .up_bits_per_second = UNKNOWN,
		.rtt = UNKNOWN };
	if (!c->surveyed)
		return begin(c, ret, why);
	if (c->phase == CHECK_DONE || (c->phase_due && !start_phase(c, why)))
		return false;
	bool more = step(c, ret);

	if (!more && c->phase == CHECK_PING && fall_back_to_tcp(c, why))
		more = step(c, ret);
	ret->elapsed = clock_mono() - c->phase_began;
	ret->rtt = c->last_rtt;
	ret->bits_per_second = c->last_rate[0];
	ret->up_bits_per_second = c->last_rate[1];
	if (more)
		return true;
	finish_phase(c);
	ret->kind = CHECK_PHASE_OVER;
	c->phase = signals_stop() ? CHECK_DONE : check_phase_from(c->phase + 1, c->cfg.phases);
	c->phase_due = true;
	return true;
}

void check_close(struct check *c)
{
	if (needs_server(c))
		survey_close(&c->survey);
	wait_close(&c->wait);
}
