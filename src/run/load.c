/* SPDX-License-Identifier: MIT */
#include "run/load.h"

#include <stdarg.h>
#include <string.h>

#include "core/io.h"
#include "core/text_put.h"
#include "sys/clock.h"
#include "sys/netif.h"

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

static uint64_t total(struct load *l)
{
	uint64_t n = l->account.gone;

	for (size_t i = 0; i < TRANSFER_CONNECTIONS_MAX; i++)
		n += payload(l, &l->lanes[i]);
	return n;
}

static bool is_up(const struct load *l)
{
	return l->cfg.direction == LOAD_UP;
}

/* Of a limit in bytes, what nobody has asked for yet. */
static uint64_t unasked(const struct load *l)
{
	uint64_t n = l->account.gone;

	for (size_t i = 0; i < TRANSFER_CONNECTIONS_MAX; i++)
		n += l->lanes[i].state == LANE_BUSY ? l->asked[i] : 0;
	return l->cfg.bytes > n ? l->cfg.bytes - n : 0;
}

static bool has_enough(const struct load *l)
{
	return l->cfg.bytes > 0 && unasked(l) == 0;
}

/* How much one exchange shall carry: SOURCE_UNBOUNDED until told to end. */
static uint64_t size_of_next(const struct load *l)
{
	uint64_t part = (l->cfg.bytes + l->transfer.connections - 1) / l->transfer.connections;
	uint64_t left = l->cfg.bytes > 0 ? unasked(l) : SOURCE_UNBOUNDED;

	if (l->cfg.bytes > 0 && part < left)
		left = part;
	/* A server that does not count is sent bodies one after another, each twice as large. */
	return is_up(l) && !l->cfg.dialect->timed && l->upload_size < left ? l->upload_size : left;
}

/* `/down?seconds=S` for the rest of the time, or `/down?bytes=N`. */
static void put_path(const struct load *l, struct text *t, uint64_t size, ns_t now)
{
	ns_t end = transfer_end(&l->transfer);
	ns_t left = (end == NS_NEVER ? l->cfg.time : ns_max(end - now, 0)) + OVERTIME;

	if (l->cfg.body_time != UNKNOWN)
		left = ns_min(left, l->cfg.body_time / 4 * 3);
	text_slice(t, l->cfg.path);
	if (!l->cfg.dialect->timed || is_up(l))
		return;
	if (l->cfg.bytes > 0) {
		text_put(t, "?bytes=%d", (int64_t)size);
	} else {
		text_str(t, "?seconds=");
		text_fixed(t, left, 9, 3);
	}
	if (l->cfg.origin.congestion)
		text_put(t, "&congestion=%s", l->cfg.origin.congestion);
}

static void ask(struct load *l, struct lane *c, ns_t now)
{
	static char path[2100];
	struct text t;
	bool limited = l->cfg.bytes > 0, chunks = is_up(l) && l->cfg.dialect->timed;
	uint64_t size = size_of_next(l);

	text_init(&t, path, sizeof(path));
	put_path(l, &t, size, now);
	struct exchange_request r = {
		.method = is_up(l) ? EXCHANGE_POST : EXCHANGE_GET,
		.host = l->cfg.host,
		.port = l->cfg.to.port,
		.path = text_view(&t),
		.body = chunks ? SOURCE_UNBOUNDED : size,
		.timeout = l->cfg.timeout,
	};
	const char *bad = lane_ask(c, &r, now);

	if (bad)
		fail(l, FLOW_FAILED, "the path %s", bad);
	else if (chunks && limited)
		source_limit(&c->x.source, size);
	/* Of a file nobody knows how much will come. */
	l->asked[c - l->lanes] = limited && (is_up(l) || l->cfg.dialect->timed) ? size : 0;
}

static void refuse_status(struct load *l, const struct exchange *x)
{
	bool never = x->status == 501 || x->status == 405 || x->status == 404 || x->status == 413 || x->status == 403;

	fail(l, never && is_up(l) ? FLOW_UNSUPPORTED : FLOW_FAILED, "the server answered %d %s",
		(int64_t)x->status, x->reason);
}

/* A final answer before the body is out says that nobody read it: what was sent is no measurement. */
static void refuse_early(struct load *l, const struct exchange *x)
{
	fail(l, FLOW_FAILED, "the server answered %d after %d bytes, before it had read the upload: not measured",
		(int64_t)x->status, (int64_t)x->early_sent);
}

/* What the other end says that it sent or received. */
static bool is_told(const struct load *l, const struct lane *c, uint64_t *ret)
{
	if (is_up(l))
		return dialect_receipt(l->cfg.dialect->receipt, text_view(&c->answer), ret);
	return l->cfg.dialect->timed && http1_body_trailer_uint(&c->x.body, ret);
}

/* The port that it all goes through, by the first connection that is closed. */
static void note_link(struct load *l, const struct lane *c)
{
	struct netif_link link;

	if (!l->linked && netif_link_of(c->fd, &link))
		l->account.link_bits_per_second = link.bits_per_second;
	l->linked = true;
}

/* Before a connection is closed: what the kernel knows of it. */
static void note_facts(struct load *l, const struct lane *c)
{
	struct stream_facts f;

	if (c->state != LANE_BUSY)
		return;
	stream_facts(c->fd, &f);
	if (is_up(l))
		account_tcp(&l->account, &(struct account_tcp){ f.retransmits, f.busy, f.rwnd_limited, f.sndbuf_limited });
	unsigned segment = is_up(l) ? f.sent_segment : f.received_segment;

	if (segment > l->account.segment)
		l->account.segment = segment;
	l->account.headers = f.headers;
	if (is_up(l) && l->account.congestion[0] == '\0')
		stream_congestion(c->fd, l->account.congestion);
	note_link(l, c);
}

/* The connection goes; what it carried stays counted. */
static void retire(struct load *l, struct lane *c)
{
	l->account.gone += payload(l, c);
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

static uint64_t most_of_body(const struct load *l)
{
	return l->cfg.dialect->up_max > 0 ? l->cfg.dialect->up_max : UPLOAD_LAST;
}

/* A complete exchange that counts; the connection goes on where it may. */
static void count_exchange(struct load *l, struct lane *c, ns_t now)
{
	uint64_t told;

	account_exchange(&l->account, c->x.source.sent, c->x.body.received, is_told(l, c, &told) ? &told : NULL);
	l->asked[c - l->lanes] = 0;
	l->upload_size = l->upload_size < most_of_body(l) / 2 ? l->upload_size * 2 : most_of_body(l);
	l->failures = 0;
	bool again = !l->ending && !has_enough(l) && c - l->lanes < (ptrdiff_t)l->transfer.connections;

	if (again && c->x.keep_alive) {
		ask(l, c, now);
		return;
	}
	note_facts(l, c);
	lane_close(c);
}

/* Some servers take so many connections and no more: what is refused beyond that is no fault. */
static bool was_one_too_many(struct load *l, struct lane *c, ns_t now)
{
	if (!transfer_refused(&l->transfer, (unsigned)(c - l->lanes), now, total(l)))
		return false;
	retire(l, c);
	return true;
}

/* The exchange of @c is over: what does it mean? */
static void lane_ended(struct load *l, struct lane *c, ns_t now)
{
	bool ok = is_up(l) ? c->x.status / 100 == 2 : c->x.status == 200;

	if ((!ok || c->x.state == EXCHANGE_BROKEN) && was_one_too_many(l, c, now))
		return;
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
	} else if (!is_up(l) && c->x.body.received == 0) {
		count_failure(l, c, "the server ", "sent no data");
	} else {
		count_exchange(l, c, now);
	}
}

/* The first byte of an exchange: how long was it waited for? The very first one starts the clock. */
static void note_flow(struct load *l, const struct lane *c, ns_t now)
{
	if (l->transfer.phase == TRANSFER_FILLING)
		return;
	if (l->transfer.phase != TRANSFER_STARTING) {
		l->account.waited += now - c->asked;
		return;
	}
	transfer_flows(&l->transfer, now);
	l->account.cpu = clock_cpu();
	l->account.wall = now;
}

/* What a turn or a tick made of a connection. */
static void follow_up(struct load *l, struct lane *c, bool flowed, ns_t now)
{
	if (!flowed && c->flows && c->state == LANE_BUSY)
		note_flow(l, c, now);
	if (c->state == LANE_READY)
		ask(l, c, now);
	else if (c->state == LANE_FREE && c->io < 0 && !was_one_too_many(l, c, now))
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

/* As many connections as are wanted: dial the missing ones, drop the last ones. */
static void man_lanes(struct load *l, ns_t now)
{
	for (size_t i = 0; i < TRANSFER_CONNECTIONS_MAX && !l->over && !l->ending; i++) {
		struct lane *c = &l->lanes[i];

		if (i < l->transfer.connections && c->state == LANE_FREE && !has_enough(l)) {
			lane_dial(c, &l->cfg.to, &l->cfg.origin, l->wait, l->key + i, l->cfg.timeout, now);
			follow_up(l, c, true, now);
		} else if (i >= l->transfer.connections) {
			retire(l, c);
		}
	}
}

/* The time is up. Where both ends count, let the bodies end, so that the counts can be compared. */
static void begin_end(struct load *l, ns_t now)
{
	struct account *a = &l->account;

	a->moved = total(l);
	a->cpu = clock_cpu() - a->cpu;
	a->wall = now - a->wall;
	a->rationed = l->cfg.bytes > 0 && a->moved >= l->cfg.bytes;
	l->ending = true;
	l->give_up = now + l->cfg.timeout;
	for (size_t i = 0; i < TRANSFER_CONNECTIONS_MAX; i++)
		if (l->lanes[i].state == LANE_BUSY && is_up(l) && l->cfg.dialect->timed)
			source_finish(&l->lanes[i].x.source);
	/* With a limit in bytes the last answer is the one that says that they arrived. */
	l->over = !l->cfg.dialect->timed && !(is_up(l) && a->rationed);
}

/* A body that the server would cut off for its length in time is ended before that. */
static void end_long_body(struct load *l, struct lane *c, ns_t now)
{
	if (is_up(l) && c->state == LANE_BUSY && l->cfg.body_time != UNKNOWN &&
		now - c->x.started > l->cfg.body_time / 4 * 3)
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
		if (l->account.wall == 0)
			fail(l, FLOW_FAILED, "%s", l->last_failure[0] ? l->last_failure : "no data came from the server");
		else
			begin_end(l, now);
		return;
	}
	tick_lanes(l, now, true);
}

ns_t load_deadline(const struct load *l)
{
	ns_t d = l->ending ? l->give_up : transfer_deadline(&l->transfer);

	for (size_t i = 0; i < TRANSFER_CONNECTIONS_MAX; i++)
		d = ns_min(d, lane_deadline(&l->lanes[i]));
	return l->over ? NS_NEVER : d;
}

void load_open(struct load *l, const struct load_cfg *cfg, struct wait *wait, uint64_t key, struct bulk *bulk, ns_t now)
{
	/* A limit in bytes is shared out before it is known how many connections bring more. */
	unsigned n = cfg->bytes > 0 && cfg->connections == 0 ? 1 : cfg->connections;
	struct transfer_cfg t = { .time = cfg->time, .rtt = cfg->rtt, .patience = cfg->timeout * 2, .bytes = cfg->bytes,
		.connections = n, .fill = n == 0 };

	for (size_t i = 0; i < TRANSFER_CONNECTIONS_MAX; i++)
		lane_init(&l->lanes[i]);
	l->cfg = *cfg;
	l->wait = wait;
	l->key = key;
	l->bulk = bulk;
	l->ending = l->over = l->linked = false;
	l->failures = 0;
	l->status = FLOW_OK;
	l->reason[0] = l->last_failure[0] = '\0';
	l->upload_size = UPLOAD_FIRST;
	account_init(&l->account, is_up(l), cfg->dialect->timed);
	if (!is_up(l)) {
		struct text control;

		text_init(&control, l->account.congestion, sizeof(l->account.congestion));
		text_str(&control, cfg->sender);
	}
	transfer_init(&l->transfer, &t, now);
}

bool load_owns(const struct load *l, uint64_t key)
{
	return key >= l->key && key < l->key + TRANSFER_CONNECTIONS_MAX;
}

void load_ready(struct load *l, const struct wait_event *e, ns_t now)
{
	struct lane *c = &l->lanes[e->key - l->key];

	if (l->over) /* another load goes on: nobody reads here any more, so it would wake us for ever */
		retire(l, c);
	else
		turn(l, c, e, now);
}

/* A limit in bytes is over when it is reached, whatever the time. */
static bool is_due(struct load *l, ns_t now)
{
	return now >= transfer_deadline(&l->transfer) || (l->cfg.bytes > 0 && total(l) >= l->cfg.bytes);
}

/* Return: whether a sample makes an event. */
static bool sample(struct load *l, ns_t now, struct load_event *ret)
{
	if (l->ending || !is_due(l, now) || !transfer_tick(&l->transfer, now, total(l)))
		return false;
	*ret = (struct load_event){
		.bits_per_second = transfer_recent(&l->transfer),
		.elapsed = l->account.wall > 0 ? now - l->account.wall : 0,
		.connections = l->transfer.connections,
	};
	after_sample(l, now);
	return true;
}

bool load_step(struct load *l, ns_t now, struct load_event *ret)
{
	if (l->over)
		return false;
	if (sample(l, now, ret))
		return true;
	tick_lanes(l, now, false);
	man_lanes(l, now);
	return false;
}

ns_t load_round_trip(const struct load *l, size_t i)
{
	const struct lane *c = &l->lanes[i];
	struct stream_facts f;

	if (c->state != LANE_BUSY || !c->flows)
		return UNKNOWN;
	stream_facts(c->fd, &f);
	ns_t rtt = is_up(l) ? f.rtt : f.received_rtt;

	return rtt > 0 ? rtt : UNKNOWN;
}

void load_stop(struct load *l, ns_t now)
{
	if (!l->ending && l->account.wall > 0) { /* cut short by a signal or a failure: what there is counts */
		rate_add(&l->transfer.rate, now, total(l));
		begin_end(l, now);
	}
	for (size_t i = 0; i < TRANSFER_CONNECTIONS_MAX; i++)
		retire(l, &l->lanes[i]);
	l->account.connections = transfer_connections(&l->transfer);
}

ns_t load_steady_since(struct load *l)
{
	return transfer_result(&l->transfer).start;
}

void load_result(struct load *l, struct flow_result *ret)
{
	struct rate_result rate = transfer_result(&l->transfer);

	flow_result_init(ret);
	if (l->status == FLOW_OK) {
		const char *fault = account_fault(&l->account, &rate, transfer_stalled(&l->transfer));

		if (fault)
			fail(l, FLOW_FAILED, "%s", fault);
	}
	ret->status = l->status;
	memcpy(ret->reason, l->reason, sizeof(l->reason));
	if (l->status == FLOW_OK)
		account_result(&l->account, &rate, ret);
}
