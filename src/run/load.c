/* SPDX-License-Identifier: MIT */
#include "run/load.h"

#include <stdarg.h>
#include <string.h>

#include "core/io.h"
#include "core/json.h"
#include "core/text_put.h"
#include "sys/clock.h"
#include "sys/signals.h"

/* A connection that breaks may be bad luck; so many of them are the answer. */
#define FAILURES_MAX 3

/* Bodies for a server that does not count, so does not know when to stop. */
#define UPLOAD_FIRST (UINT64_C(64) << 10)
#define UPLOAD_LAST (UINT64_C(1) << 30)

/* A server is asked for a little more than we look at, so that our end comes first. */
#define OVERTIME (200 * NS_PER_MS)

/* The flow ends with a reason, written as text_put(). */
static void fail(struct load *l, enum flow_status status, const char *format, ...)
{
	va_list args;
	struct text t;

	l->over = true;
	l->status = status;
	text_init(&t, l->reason, sizeof(l->reason));
	va_start(args, format);
	text_put_args(&t, format, args);
	va_end(args);
}

static uint64_t payload(const struct load *l, struct lane *c)
{
	return l->cfg.direction == LOAD_DOWN ? lane_received(c) : lane_delivered(c);
}

/* `/down?seconds=S` for the rest of the time. */
static void put_path(const struct load *l, struct text *t, ns_t now)
{
	ns_t end = transfer_end(&l->transfer);
	ns_t left = (end == NS_NEVER ? l->cfg.time : ns_max(end - now, 0)) + OVERTIME;

	if (l->cfg.body_time != UNKNOWN)
		left = ns_min(left, l->cfg.body_time * 3 / 4);

	if (!l->cfg.counts) {
		text_slice(t, l->cfg.path);
	} else if (l->cfg.direction == LOAD_UP) {
		text_str(t, "/up");
	} else {
		text_str(t, "/down?seconds=");
		text_fixed(t, left, 9, 3);
	}
}

static void ask(struct load *l, struct lane *c, ns_t now)
{
	static char path[2100];
	struct text t;

	text_init(&t, path, sizeof(path));
	put_path(l, &t, now);
	struct exchange_request r = {
		.method = l->cfg.direction == LOAD_UP ? EXCHANGE_POST : EXCHANGE_GET,
		.host = l->cfg.host,
		.port = l->cfg.to.port,
		.path = text_view(&t),
		.body = l->cfg.counts ? SOURCE_UNBOUNDED : l->upload_size,
		.timeout = l->cfg.timeout,
	};
	const char *bad = lane_ask(c, &r, now);

	if (bad)
		fail(l, FLOW_FAILED, "the path %s", bad);
	if (l->congestion[0] == '\0')
		stream_congestion(c->fd, l->congestion);
}

static void refuse_status(struct load *l, const struct exchange *x)
{
	bool never = x->status == 501 || x->status == 405 || x->status == 404 || x->status == 413 || x->status == 403;

	fail(l, never && l->cfg.direction == LOAD_UP ? FLOW_UNSUPPORTED : FLOW_FAILED, "the server answered %d %s",
		(int64_t)x->status, x->reason);
}

/* A final answer before the body is out says that nobody read it: what was sent is no measurement. */
static void refuse_early(struct load *l, const struct exchange *x)
{
	fail(l, FLOW_FAILED, "the server answered %d after %d bytes, before it had read the upload: not measured",
		(int64_t)x->status, (int64_t)x->early_sent);
}

static void count_agreed(struct load *l, const struct lane *c)
{
	uint64_t theirs;
	bool down = l->cfg.direction == LOAD_DOWN;
	bool told = down ? http1_body_trailer_uint(&c->x.body, &theirs) :
			   json_find_uint(text_view(&c->answer), "bytes", &theirs);

	if (!l->cfg.counts || !told || theirs > INT64_MAX)
		return;
	l->peer += theirs;
	l->agreed += down ? c->x.body.received : c->x.source.sent;
}

static void note_facts(struct load *l, const struct lane *c)
{
	struct stream_facts f;

	if (l->cfg.direction != LOAD_UP || c->state != LANE_BUSY)
		return;
	stream_facts(c->fd, &f);
	if (f.retransmits != UNKNOWN)
		l->facts.retransmits = ns_max(l->facts.retransmits, 0) + f.retransmits;
	if (f.busy == UNKNOWN)
		return;
	l->facts.busy = ns_max(l->facts.busy, 0) + f.busy;
	l->facts.rwnd_limited = ns_max(l->facts.rwnd_limited, 0) + f.rwnd_limited;
	l->facts.sndbuf_limited = ns_max(l->facts.sndbuf_limited, 0) + f.sndbuf_limited;
}

/* The connection goes; what it carried stays counted. */
static void retire(struct load *l, struct lane *c)
{
	l->gone += payload(l, c);
	note_facts(l, c);
	lane_close(c);
}

/* Bad luck, until there was too much of it in a row. */
static void count_failure(struct load *l, struct lane *c, const char *what, const char *why)
{
	struct text t;

	retire(l, c);
	if (l->ending)
		return;
	text_init(&t, l->last_failure, sizeof(l->last_failure));
	text_put(&t, "%s%s", what, why);
	if (++l->failures >= FAILURES_MAX)
		fail(l, FLOW_FAILED, "%s", l->last_failure);
}

/* A complete exchange that counts; the connection goes on where it may. */
static void count_exchange(struct load *l, struct lane *c, ns_t now)
{
	l->gone += l->cfg.direction == LOAD_UP ? c->x.source.sent : c->x.body.received;
	l->exchanges++;
	l->answered += c->x.source.sent;
	l->upload_size = l->upload_size < UPLOAD_LAST ? l->upload_size * 2 : UPLOAD_LAST;
	count_agreed(l, c);
	l->failures = 0;
	bool again = !l->ending && c - l->lanes < (ptrdiff_t)l->transfer.connections;

	if (again && c->x.keep_alive) {
		ask(l, c, now);
		return;
	}
	note_facts(l, c);
	lane_close(c);
}

/* The exchange of @c is over: what does it mean? */
static void lane_ended(struct load *l, struct lane *c, ns_t now)
{
	bool ok = l->cfg.direction == LOAD_UP ? c->x.status / 100 == 2 : c->x.status == 200;

	if (c->x.state == EXCHANGE_BROKEN && c->x.status == 0) {
		count_failure(l, c, "the server ", c->x.why);
	} else if (!ok) {
		refuse_status(l, &c->x);
	} else if (c->x.early) {
		refuse_early(l, &c->x);
	} else if (c->x.coded) {
		fail(l, FLOW_FAILED, "the server compressed the data although it was asked not to");
	} else if (c->x.state == EXCHANGE_BROKEN) {
		count_failure(l, c, "the server ", c->x.why);
	} else {
		count_exchange(l, c, now);
	}
}

/* The first byte of an exchange: how long was it waited for? The very first one starts the clock. */
static void note_flow(struct load *l, const struct lane *c, ns_t now)
{
	if (l->transfer.phase != TRANSFER_STARTING) {
		l->waited += now - c->asked;
		return;
	}
	transfer_flows(&l->transfer, now);
	l->cpu = clock_cpu();
	l->wall = now;
}

/* What a turn or a tick made of a connection. */
static void follow_up(struct load *l, struct lane *c, bool flowed, ns_t now)
{
	if (!flowed && c->flows && c->state == LANE_BUSY)
		note_flow(l, c, now);
	if (c->state == LANE_READY)
		ask(l, c, now);
	else if (c->state == LANE_FREE && c->io < 0)
		count_failure(l, c, "a connection failed: ", io_text(c->io));
	else if (lane_is_over(c))
		lane_ended(l, c, now);
}

static void turn(struct load *l, struct lane *c, const struct wait_event *e, ns_t now)
{
	bool flowed = c->flows;

	if (c->state == LANE_FREE)
		return;
	lane_turn(c, e, l->bulk, now);
	follow_up(l, c, flowed, now);
}

static uint64_t total(struct load *l)
{
	uint64_t n = l->gone;

	for (size_t i = 0; i < TRANSFER_CONNECTIONS_MAX; i++)
		n += payload(l, &l->lanes[i]);
	return n;
}

/* As many connections as are wanted: dial the missing ones, drop the last ones. */
static void man_lanes(struct load *l, ns_t now)
{
	for (size_t i = 0; i < TRANSFER_CONNECTIONS_MAX && !l->over && !l->ending; i++) {
		struct lane *c = &l->lanes[i];

		if (i < l->transfer.connections && c->state == LANE_FREE) {
			lane_dial(c, &l->cfg.to, &l->cfg.origin, l->wait, LOAD_KEY + i, l->cfg.timeout, now);
			follow_up(l, c, true, now);
		} else if (i >= l->transfer.connections) {
			retire(l, c);
		}
	}
}

/* The time is up. Where both ends count, let the bodies end, so that the counts can be compared. */
static void begin_end(struct load *l, ns_t now)
{
	l->moved = total(l);
	l->cpu = clock_cpu() - l->cpu;
	l->wall = now - l->wall;
	l->ending = true;
	l->give_up = now + l->cfg.timeout;
	for (size_t i = 0; i < TRANSFER_CONNECTIONS_MAX; i++)
		if (l->lanes[i].state == LANE_BUSY && l->cfg.direction == LOAD_UP)
			source_finish(&l->lanes[i].x.source);
	l->over = !l->cfg.counts;
}

/* A body that the server would cut off for its length in time is ended before that. */
static void end_long_body(struct load *l, struct lane *c, ns_t now)
{
	if (l->cfg.direction == LOAD_UP && c->state == LANE_BUSY && l->cfg.body_time != UNKNOWN &&
		now - c->x.started > l->cfg.body_time * 3 / 4)
		source_finish(&c->x.source);
}

/* Those whose time has come, or all. */
static void tick_lanes(struct load *l, ns_t now, bool all)
{
	bool busy = false;

	for (size_t i = 0; i < TRANSFER_CONNECTIONS_MAX && !l->over; i++) {
		struct lane *c = &l->lanes[i];
		bool flowed = c->flows;

		if (c->state != LANE_FREE && (all || now >= lane_deadline(c))) {
			lane_tick(c, now);
			end_long_body(l, c, now);
			follow_up(l, c, flowed, now);
		}
		busy = busy || c->state != LANE_FREE;
	}
	if (l->ending && (!busy || now >= l->give_up))
		l->over = true;
}

static void after_sample(struct load *l, ns_t now)
{
	if (l->transfer.phase == TRANSFER_OVER) {
		if (l->wall == 0)
			fail(l, FLOW_FAILED, "%s", l->last_failure[0] ? l->last_failure : "no data came from the server");
		else
			begin_end(l, now);
		return;
	}
	tick_lanes(l, now, true);
}

static ns_t deadline(const struct load *l)
{
	ns_t d = l->ending ? l->give_up : transfer_deadline(&l->transfer);

	for (size_t i = 0; i < TRANSFER_CONNECTIONS_MAX; i++)
		d = ns_min(d, lane_deadline(&l->lanes[i]));
	return l->beside ? ns_min(d, pinger_deadline(l->beside)) : d;
}

void load_open(struct load *l, const struct load_cfg *cfg, struct wait *wait, struct pinger *beside, struct bulk *bulk)
{
	struct transfer_cfg t = { .time = cfg->time, .rtt = cfg->rtt, .patience = cfg->timeout * 2, .connections = cfg->connections };
	ns_t now = clock_mono();

	for (size_t i = 0; i < TRANSFER_CONNECTIONS_MAX; i++)
		l->lanes[i].state = LANE_FREE;
	l->cfg = *cfg;
	l->wait = wait;
	l->beside = beside;
	l->bulk = bulk;
	l->ending = l->over = false;
	l->gone = l->agreed = l->peer = l->exchanges = 0;
	l->waited = l->wall = l->cpu = 0;
	l->failures = 0;
	l->status = FLOW_OK;
	l->reason[0] = l->last_failure[0] = l->congestion[0] = '\0';
	l->moved = l->answered = 0;
	l->upload_size = UPLOAD_FIRST;
	l->facts = (struct stream_facts){ UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN };
	transfer_init(&l->transfer, &t, now);
}

/* Return: whether a sample makes an event. */
static bool sample(struct load *l, ns_t now, struct load_event *ret)
{
	if (l->ending || now < transfer_deadline(&l->transfer) || !transfer_tick(&l->transfer, now, total(l)))
		return false;
	*ret = (struct load_event){
		.kind = LOAD_PROGRESS,
		.bits_per_second = transfer_recent(&l->transfer),
		.elapsed = l->wall > 0 ? now - l->wall : 0,
		.connections = l->transfer.connections,
	};
	after_sample(l, now);
	return true;
}

bool load_next(struct load *l, struct load_event *ret)
{
	struct wait_event v[TRANSFER_CONNECTIONS_MAX * 2];

	while (!l->over) {
		ns_t now = clock_mono();

		ret->kind = LOAD_PING;
		if (l->beside && pinger_step(l->beside, now, &ret->ping))
			return true;
		if (sample(l, now, ret))
			return true;
		tick_lanes(l, now, false);
		man_lanes(l, now);
		if (l->over || signals_stop())
			break;
		size_t n = wait_next(l->wait, deadline(l), now, v, sizeof(v) / sizeof(v[0]));

		now = clock_mono();
		for (size_t i = 0; i < n && !l->over; i++) {
			if (l->beside && pinger_owns(l->beside, v[i].key))
				pinger_ready(l->beside, &v[i]);
			else
				turn(l, &l->lanes[v[i].key - LOAD_KEY], &v[i], now);
		}
	}
	return false;
}

static bool file_was_small(const struct load *l)
{
	ns_t all = l->wall * l->transfer.connections;

	return !l->cfg.counts && l->exchanges > 0 && l->waited > all / 10;
}

static void fill_figures(struct load *l, int64_t server_share_ppm, const struct rate_result *rate,
	struct flow_result *ret)
{
	uint64_t moved = l->moved;

	ret->bits_per_second = rate->bits_per_s;
	ret->bytes = (int64_t)rate->bytes;
	ret->elapsed = rate->elapsed;
	ret->total_bytes = (int64_t)(l->peer > 0 ? l->agreed : moved);
	ret->peer_bytes = l->peer > 0 ? (int64_t)l->peer : UNKNOWN;
	ret->connections = l->transfer.connections;
	ret->stable = rate->stable;
	ret->spread_ppm = rate->spread_ppm;
	ret->counted_by_receiver = l->cfg.direction == LOAD_DOWN || (l->peer > 0 && l->peer == l->agreed);
	ret->retransmits = l->facts.retransmits;
	memcpy(ret->congestion_control, l->congestion, sizeof(l->congestion));
	if (l->wall > 0) {
		ret->cpu_share_ppm = (int64_t)wide_muldiv((uint64_t)l->cpu, 1000000, (uint64_t)l->wall);
		if (moved > 0)
			ret->cpu_per_gigabyte = (ns_t)wide_muldiv((uint64_t)l->cpu, 1000000000, moved);
	}
	struct transfer_evidence e = { ret->cpu_share_ppm, server_share_ppm, l->facts.busy, l->facts.rwnd_limited,
		l->facts.sndbuf_limited, file_was_small(l) };

	ret->limited_by = transfer_limit(&e);
}

void load_stop(struct load *l)
{
	ns_t now = clock_mono();

	if (!l->ending && l->wall > 0) { /* cut short by a signal or a failure: what there is counts */
		rate_add(&l->transfer.rate, now, total(l));
		begin_end(l, now);
	}
	for (size_t i = 0; i < TRANSFER_CONNECTIONS_MAX; i++) {
		retire(l, &l->lanes[i]);
	}
}

void load_result(struct load *l, int64_t server_share_ppm, struct flow_result *ret)
{
	struct rate_result rate = transfer_result(&l->transfer);

	flow_result_init(ret);
	if (l->status == FLOW_OK && (!rate.measured || rate.bytes == 0))
		fail(l, FLOW_FAILED, "no data was moved");
	if (l->status == FLOW_OK && transfer_stalled(&l->transfer))
		fail(l, FLOW_FAILED, "the transfer came to a stop");
	/* Bytes that a kernel took are no upload: somebody has to say that they were read. Bodies double in size, so that
	 * nearly half of all bytes are in answered ones where all is well. */
	if (l->status == FLOW_OK && l->cfg.direction == LOAD_UP && !l->cfg.counts && l->answered < l->moved / 4)
		fail(l, FLOW_FAILED, "the server did not answer to most of what was sent: not measured");
	ret->status = l->status;
	memcpy(ret->reason, l->reason, sizeof(l->reason));
	if (l->status == FLOW_OK)
		fill_figures(l, server_share_ppm, &rate, ret);
}
