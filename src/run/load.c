/* SPDX-License-Identifier: MIT */
#include "run/load.h"

#include <string.h>

#include "core/io.h"
#include "core/json.h"
#include "sys/clock.h"
#include "sys/signals.h"

/* A connection that breaks may be bad luck; so many of them are the answer. */
#define FAILURES_MAX 3

/* Ten milliseconds of data are waited for at once, where that is worth a system call to say. */
#define LOW_WATER_TIME_PER_S 100
#define LOW_WATER_MIN (64 << 10)
#define LOW_WATER_MAX (1 << 20)

/* Bodies for a server that does not count, so does not know when to stop. */
#define UPLOAD_FIRST (UINT64_C(1) << 20)
#define UPLOAD_LAST (UINT64_C(1) << 30)

/* A server is asked for a little more than we look at, so that our end comes first. */
#define OVERTIME (200 * NS_PER_MS)

#define READ_MAX 4096

static uint64_t lane_key(const struct load *l, const struct lane *c)
{
	return LOAD_KEY + (uint64_t)(c - l->lanes);
}

static void lane_close(struct lane *c)
{
	if (c->state != LANE_FREE)
		stream_abort(c->fd);
	c->state = LANE_FREE;
}

static void fail(struct load *l, enum flow_status status, const char *what, const char *detail)
{
	struct text t;

	l->over = true;
	l->status = status;
	text_init(&t, l->reason, sizeof(l->reason));
	text_str(&t, what);
	text_str(&t, detail);
}

static void lane_failed(struct load *l, struct lane *c, const char *what, const char *why)
{
	lane_close(c);
	if (!l->ending && ++l->failures >= FAILURES_MAX)
		fail(l, FLOW_FAILED, what, why);
}

/* Payload that reached the other side of the connection, as far as this side can know. */
static uint64_t lane_payload(const struct load *l, const struct lane *c)
{
	if (c->state != LANE_BUSY)
		return 0;
	if (l->cfg.direction == LOAD_DOWN)
		return c->x.status == 200 ? c->x.body.received : 0;
	int64_t unacked = stream_unacked(c->fd);

	if (unacked < 0)
		return c->x.source.sent;
	return (uint64_t)unacked < c->x.source.sent ? c->x.source.sent - (uint64_t)unacked : 0;
}

static void watch(struct load *l, struct lane *c, unsigned what)
{
	if (c->watched != what)
		wait_change(l->wait, c->fd, what, lane_key(l, c));
	c->watched = what;
}

static void lane_dial(struct load *l, struct lane *c, ns_t now)
{
	struct fault why;
	int fd = stream_connect(&l->cfg.to, &l->cfg.origin, &why);

	if (fd < 0) {
		lane_failed(l, c, "a connection failed: ", io_text(fd));
		return;
	}
	c->state = LANE_CONNECTING;
	c->fd = fd;
	c->asked = now;
	c->until = now + l->cfg.timeout;
	c->watched = WAIT_OUT;
	c->low_water = 1;
	wait_add(l->wait, fd, WAIT_OUT, lane_key(l, c));
}

/* `/down?seconds=S` for the rest of the time. */
static void put_path(const struct load *l, struct text *t, ns_t now)
{
	ns_t end = transfer_end(&l->transfer);
	ns_t left = (end == NS_NEVER ? l->cfg.time : ns_max(end - now, 0)) + OVERTIME;

	if (!l->cfg.counts) {
		text_slice(t, l->cfg.path);
	} else if (l->cfg.direction == LOAD_UP) {
		text_str(t, "/up");
	} else {
		text_str(t, "/down?seconds=");
		text_fixed(t, left, 9, 3);
	}
}

static void lane_ask(struct load *l, struct lane *c, ns_t now)
{
	char path[2100];
	struct text t;

	text_init(&t, path, sizeof(path));
	put_path(l, &t, now);
	text_init(&c->answer, c->doc, sizeof(c->doc));
	struct exchange_request r = {
		.method = l->cfg.direction == LOAD_UP ? EXCHANGE_POST : EXCHANGE_GET,
		.host = l->cfg.host,
		.port = l->cfg.to.port,
		.path = text_view(&t),
		.body = l->cfg.counts ? SOURCE_UNBOUNDED : l->upload_size,
		.timeout = l->cfg.timeout,
		.keep = l->cfg.direction == LOAD_UP ? &c->answer : NULL,
	};
	const char *bad = exchange_init(&c->x, &r, now);

	if (bad) {
		fail(l, FLOW_FAILED, "the path ", bad);
		return;
	}
	c->state = LANE_BUSY;
	c->flowing = false;
	c->seen = 0;
	if (l->congestion[0] == '\0')
		stream_congestion(c->fd, l->congestion);
	watch(l, c, WAIT_IN | WAIT_OUT);
}

static void lane_connected(struct load *l, struct lane *c, ns_t now)
{
	int io = stream_connected(c->fd);

	if (io == 0)
		lane_ask(l, c, now);
	else if (io != IO_AGAIN)
		lane_failed(l, c, "a connection failed: ", io_text(io));
}

static void refuse_status(struct load *l, const struct exchange *x)
{
	char words[96];
	struct text t;
	bool never = x->status == 501 || x->status == 405 || x->status == 404 || x->status == 413 || x->status == 403;

	text_init(&t, words, sizeof(words));
	text_uint(&t, x->status);
	text_char(&t, ' ');
	text_str(&t, x->reason);
	fail(l, never && l->cfg.direction == LOAD_UP ? FLOW_UNSUPPORTED : FLOW_FAILED, "the server answered ", words);
}

/* A final answer before the body is out says that nobody read it: what was sent is no measurement. */
static void refuse_early(struct load *l, const struct exchange *x)
{
	char words[96];
	struct text t;

	text_init(&t, words, sizeof(words));
	text_uint(&t, x->status);
	text_str(&t, " after ");
	text_uint(&t, x->early_sent);
	text_str(&t, " bytes, before it had read the upload: not measured");
	fail(l, FLOW_FAILED, "the server answered ", words);
}

static void count_agreed(struct load *l, const struct lane *c)
{
	uint64_t theirs;
	bool down = l->cfg.direction == LOAD_DOWN;
	bool told = down ? http1_body_trailer_uint(&c->x.body, &theirs) :
			   json_find_uint(text_view(&c->answer), "bytes", &theirs);

	if (!l->cfg.counts || !told)
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

/* The exchange of @c is over: what does it mean, and what comes next on this connection? */
static void lane_ended(struct load *l, struct lane *c, ns_t now)
{
	bool up = l->cfg.direction == LOAD_UP;
	bool ok = up ? c->x.status / 100 == 2 : c->x.status == 200;

	if (c->x.state == EXCHANGE_BROKEN && c->x.status == 0) {
		lane_failed(l, c, "the server ", c->x.why);
	} else if (!ok) {
		refuse_status(l, &c->x);
	} else if (c->x.early) {
		refuse_early(l, &c->x);
	} else if (c->x.coded) {
		fail(l, FLOW_FAILED, "the server compressed the data", " although it was asked not to");
	} else if (c->x.state == EXCHANGE_BROKEN) {
		l->gone += lane_payload(l, c);
		lane_failed(l, c, "the server ", c->x.why);
	} else {
		l->gone += up ? c->x.source.sent : c->x.body.received;
		l->exchanges++;
		l->upload_size = l->upload_size < UPLOAD_LAST ? l->upload_size * 2 : UPLOAD_LAST;
		count_agreed(l, c);
		bool again = !l->ending && c - l->lanes < (ptrdiff_t)l->transfer.connections;

		c->asked = now;
		if (again && c->x.keep_alive) {
			lane_ask(l, c, now);
			return;
		}
		note_facts(l, c);
		lane_close(c);
	}
}

/* Waking up for every packet costs more than the data: let the kernel gather some first, but never past an end. */
static void set_low_water(struct lane *c, const struct want *in)
{
	int n = 1;

	if (in->kind == WANT_DISCARD && c->x.state == EXCHANGE_RECEIVING && c->low_water > 1)
		n = in->n < (uint64_t)c->low_water ? (int)in->n : c->low_water;
	if (n != c->low_water)
		stream_low_water(c->fd, n);
	c->low_water = n;
}

static void note_flow(struct load *l, struct lane *c, ns_t now)
{
	if (c->flowing)
		return;
	c->flowing = true;
	l->waited += now - c->asked;
	if (l->transfer.phase != TRANSFER_STARTING)
		return;
	transfer_flows(&l->transfer, now);
	l->cpu = clock_cpu();
	l->wall = now;
}

static void lane_read(struct load *l, struct lane *c)
{
	static char buf[READ_MAX];
	struct want in = exchange_in(&c->x);
	int64_t n = stream_in(c->fd, &in, buf, sizeof(buf));
	ns_t stamp = clock_mono();

	if (n > 0)
		exchange_got(&c->x, in.kind == WANT_READ ? buf : NULL, (uint64_t)n, stamp);
	else if (n != IO_AGAIN)
		exchange_closed(&c->x, (int)n, stamp);
	if (l->cfg.direction == LOAD_DOWN && c->x.status == 200 && c->x.body.received > 0)
		note_flow(l, c, stamp);
	in = exchange_in(&c->x);
	if (c->low_water > 1)
		set_low_water(c, &in);
}

static void lane_write(struct load *l, struct lane *c)
{
	struct want out = exchange_out(&c->x);
	int64_t n = stream_out(c->fd, &out, l->bulk);
	ns_t stamp = clock_mono();

	if (n >= 0)
		exchange_moved(&c->x, (uint64_t)n, stamp);
	else if (n != IO_AGAIN && exchange_in(&c->x).kind == WANT_NOTHING)
		exchange_closed(&c->x, (int)n, stamp);
	if (l->cfg.direction == LOAD_UP && c->x.source.sent > 0)
		note_flow(l, c, stamp);
}

static void lane_turn(struct load *l, struct lane *c, const struct wait_event *ev, ns_t now)
{
	if (c->state == LANE_CONNECTING) {
		lane_connected(l, c, now);
		return;
	}
	if (c->state != LANE_BUSY)
		return;
	if (ev->in)
		lane_read(l, c);
	if (ev->out && exchange_out(&c->x).kind != WANT_NOTHING)
		lane_write(l, c);
	if (exchange_over(&c->x))
		lane_ended(l, c, now);
	else
		watch(l, c, WAIT_IN | (exchange_out(&c->x).kind != WANT_NOTHING ? WAIT_OUT : 0));
}

static uint64_t total(const struct load *l)
{
	uint64_t n = l->gone;

	for (size_t i = 0; i < TRANSFER_CONNECTIONS_MAX; i++)
		n += lane_payload(l, &l->lanes[i]);
	return n;
}

/* After each sample: how much was there since the last one, and so how much to wait for at once. */
static void adapt_low_water(struct load *l, struct lane *c, ns_t interval)
{
	uint64_t now = lane_payload(l, c), moved = now > c->seen ? now - c->seen : 0;
	uint64_t n = interval > 0 ? moved * (uint64_t)NS_PER_S / LOW_WATER_TIME_PER_S / (uint64_t)interval : 0;

	c->seen = now;
	if (l->cfg.direction == LOAD_UP || c->x.state != EXCHANGE_RECEIVING)
		return;
	int wanted = n < LOW_WATER_MIN ? 1 : n > LOW_WATER_MAX ? LOW_WATER_MAX : (int)n;
	struct want in = exchange_in(&c->x);

	if (wanted != c->low_water)
		stream_low_water(c->fd, wanted);
	c->low_water = wanted;
	set_low_water(c, &in);
}

/* As many connections as are wanted: dial the missing ones, drop the last ones. */
static void man_lanes(struct load *l, ns_t now)
{
	for (size_t i = 0; i < TRANSFER_CONNECTIONS_MAX && !l->over; i++) {
		struct lane *c = &l->lanes[i];

		if (i < l->transfer.connections && c->state == LANE_FREE && !l->ending) {
			lane_dial(l, c, now);
		} else if (i >= l->transfer.connections && c->state != LANE_FREE && !l->ending) {
			l->gone += lane_payload(l, c);
			note_facts(l, c);
			lane_close(c);
		}
	}
}

/* The time is up. Where both ends count, let the bodies end, so that the counts can be compared. */
static void begin_end(struct load *l, ns_t now)
{
	l->cpu = clock_cpu() - l->cpu;
	l->wall = now - l->wall;
	l->ending = true;
	l->give_up = now + l->cfg.timeout;
	for (size_t i = 0; i < TRANSFER_CONNECTIONS_MAX; i++)
		if (l->lanes[i].state == LANE_BUSY && l->cfg.direction == LOAD_UP)
			source_finish(&l->lanes[i].x.source);
	l->over = !l->cfg.counts;
}

static void after_sample(struct load *l, ns_t now, ns_t interval)
{
	if (l->transfer.phase == TRANSFER_OVER) {
		if (l->wall == 0)
			fail(l, FLOW_FAILED, "the server ", "sent no data");
		else
			begin_end(l, now);
		return;
	}
	for (size_t i = 0; i < TRANSFER_CONNECTIONS_MAX; i++)
		if (l->lanes[i].state == LANE_BUSY)
			adapt_low_water(l, &l->lanes[i], interval);
}

static void check_deadlines(struct load *l, ns_t now)
{
	bool busy = false;

	for (size_t i = 0; i < TRANSFER_CONNECTIONS_MAX; i++) {
		struct lane *c = &l->lanes[i];

		if (c->state == LANE_CONNECTING && now >= c->until)
			lane_failed(l, c, "the server ", "did not answer the connection in time");
		if (c->state == LANE_BUSY)
			exchange_tick(&c->x, now);
		if (c->state == LANE_BUSY && exchange_over(&c->x))
			lane_ended(l, c, now);
		busy = busy || c->state != LANE_FREE;
	}
	if (l->ending && (!busy || now >= l->give_up))
		l->over = true;
}

static ns_t deadline(const struct load *l)
{
	ns_t d = l->ending ? l->give_up : transfer_deadline(&l->transfer);

	for (size_t i = 0; i < TRANSFER_CONNECTIONS_MAX; i++) {
		const struct lane *c = &l->lanes[i];

		if (c->state == LANE_CONNECTING)
			d = ns_min(d, c->until);
		else if (c->state == LANE_BUSY)
			d = ns_min(d, exchange_deadline(&c->x));
	}
	return l->beside ? ns_min(d, pinger_deadline(l->beside)) : d;
}

void load_open(struct load *l, const struct load_cfg *cfg, struct wait *wait, struct pinger *beside, struct bulk *bulk)
{
	struct transfer_cfg t = { .time = cfg->time, .patience = cfg->timeout * 2, .connections = cfg->connections };
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
	l->reason[0] = l->congestion[0] = '\0';
	l->upload_size = UPLOAD_FIRST;
	l->facts = (struct stream_facts){ UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN };
	transfer_init(&l->transfer, &t, now);
}

/* Return: whether a sample makes an event. */
static bool sample(struct load *l, ns_t now, struct load_event *ret)
{
	ns_t last = l->transfer.rate.n > 0 ? l->transfer.rate.v[l->transfer.rate.n - 1].at : now;

	if (l->ending || now < transfer_deadline(&l->transfer) || !transfer_tick(&l->transfer, now, total(l)))
		return false;
	*ret = (struct load_event){
		.kind = LOAD_PROGRESS,
		.bits_per_second = rate_recent(&l->transfer.rate),
		.elapsed = l->wall > 0 ? now - l->wall : 0,
		.connections = l->transfer.connections,
	};
	after_sample(l, now, now - last);
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
		check_deadlines(l, now);
		man_lanes(l, now);
		if (l->over || signals_stop())
			break;
		size_t n = wait_next(l->wait, deadline(l), now, v, sizeof(v) / sizeof(v[0]));

		now = clock_mono();
		for (size_t i = 0; i < n && !l->over; i++) {
			if (l->beside && pinger_owns(l->beside, v[i].key))
				pinger_ready(l->beside, &v[i]);
			else
				lane_turn(l, &l->lanes[v[i].key - LOAD_KEY], &v[i], now);
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
	uint64_t moved = l->gone;

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
		l->gone += lane_payload(l, &l->lanes[i]);
		note_facts(l, &l->lanes[i]);
		lane_close(&l->lanes[i]);
	}
}

void load_result(struct load *l, int64_t server_share_ppm, struct flow_result *ret)
{
	struct rate_result rate = rate_finish(&l->transfer.rate);

	flow_result_init(ret);
	if (l->status == FLOW_OK && (!rate.measured || rate.bytes == 0))
		fail(l, FLOW_FAILED, "no data was moved", "");
	ret->status = l->status;
	memcpy(ret->reason, l->reason, sizeof(l->reason));
	if (l->status == FLOW_OK)
		fill_figures(l, server_share_ppm, &rate, ret);
}
