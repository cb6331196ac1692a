/* SPDX-License-Identifier: MIT */
#include "run/lane.h"

#include "core/io.h"
#include "sys/clock.h"

#define READ_MAX 4096

void lane_close(struct lane *c)
{
	if (c->state != LANE_FREE)
		stream_abort(c->fd);
	c->state = LANE_FREE;
}

void lane_leave(struct lane *c)
{
	if (c->state == LANE_BUSY && c->x.state == EXCHANGE_DONE) {
		stream_close(c->fd);
		c->state = LANE_FREE;
	}
	lane_close(c);
}

void lane_dial(struct lane *c, const struct addr *to, const struct origin *from, struct wait *wait, uint64_t key,
	ns_t timeout, ns_t now)
{
	struct fault why;
	int fd = stream_connect(to, from, &now, &why);

	c->io = fd < 0 ? fd : 0;
	if (fd < 0)
		return;
	c->state = LANE_CONNECTING;
	c->fd = fd;
	c->asked = now;
	c->until = now + timeout;
	c->wait = wait;
	c->key = key;
	c->watched = WAIT_OUT;
	c->ahead = STREAM_UNSENT_FIRST;
	gather_init(&c->gather, now);
	wait_add(wait, fd, WAIT_OUT, key);
}

static void watch(struct lane *c)
{
	unsigned what = WAIT_IN | (exchange_out(&c->x).kind != WANT_NOTHING ? WAIT_OUT : 0);

	if (c->watched != what)
		wait_change(c->wait, c->fd, what, c->key);
	c->watched = what;
}

const char *lane_ask(struct lane *c, struct exchange_request *r, ns_t now)
{
	text_init(&c->answer, c->doc, sizeof(c->doc));
	if (r->method == EXCHANGE_POST && !r->keep)
		r->keep = &c->answer;
	if (c->state == LANE_BUSY)
		c->asked = now;
	c->state = LANE_BUSY;
	c->flows = false;
	c->delivered = c->noticed = 0;
	const char *bad = exchange_init(&c->x, r, now);

	if (!bad)
		watch(c);
	return bad;
}

static void finish_dial(struct lane *c, int io, ns_t now)
{
	if (io == 0) {
		c->connected = now;
		c->state = LANE_READY;
	} else {
		lane_close(c);
		c->io = io;
	}
}

static void set_mark(struct lane *c, ns_t now)
{
	struct want in = exchange_in(&c->x);
	int mark = gather_mark(&c->gather, now, c->x.body.received, in.kind == WANT_DISCARD ? in.n : 0);

	if (mark > 0)
		stream_low_water(c->fd, mark);
}

static void read_some(struct lane *c)
{
	static char buf[READ_MAX];
	struct want in = exchange_in(&c->x);
	int64_t n = stream_in(c->fd, &in, buf, sizeof(buf));
	ns_t stamp = clock_mono();

	if (n > 0 && c->prompt)
		stream_acknowledge(c->fd);
	if (n > 0)
		exchange_got(&c->x, in.kind == WANT_READ ? buf : NULL, (uint64_t)n, stamp);
	else if (n != IO_AGAIN)
		exchange_closed(&c->x, (int)n, stamp);
	c->flows = c->flows || lane_received(c) > 0;
	set_mark(c, stamp);
}

static void look_ahead(struct lane *c)
{
	uint64_t n = source_ahead(&c->x.source);

	if (n <= c->ahead * 2)
		return;
	c->ahead = n;
	stream_unsent_max(c->fd, (int)n);
}

static void write_some(struct lane *c, struct bulk *bulk)
{
	struct want out = exchange_out(&c->x);
	int64_t n = stream_out(c->fd, &out, bulk);

	/* A connection that broke may still hold an answer: reading finds that out. */
	if (n >= 0)
		exchange_moved(&c->x, (uint64_t)n, clock_mono());
	c->flows = c->flows || c->x.source.sent > 0;
	look_ahead(c);
}

/* Is the connection there, broken, or due to be given up? */
static void look_at_dial(struct lane *c, bool broken, ns_t now)
{
	int io = stream_connected(c->fd);

	/* Broken without a reason that the socket would tell. */
	if (io == IO_AGAIN && broken)
		io = IO_FAILED;
	if (io == IO_AGAIN && now >= c->until)
		io = IO_TIMEOUT;
	if (io != IO_AGAIN)
		finish_dial(c, io, now);
}

void lane_turn(struct lane *c, const struct wait_event *e, struct bulk *bulk, ns_t now)
{
	if (c->state == LANE_CONNECTING)
		look_at_dial(c, e->in, now);
	if (c->state != LANE_BUSY)
		return;
	if (e->in)
		read_some(c);
	if (e->out && exchange_out(&c->x).kind != WANT_NOTHING)
		write_some(c, bulk);
	if (exchange_over(&c->x))
		return;
	watch(c);
	exchange_tick(&c->x, now);
}

void lane_tick(struct lane *c, ns_t now)
{
	if (c->state == LANE_CONNECTING && now >= c->until)
		look_at_dial(c, false, now);
	if (c->state != LANE_BUSY || exchange_over(&c->x))
		return;
	/* Nobody is given up without a last look: this process may have been held up. And a kernel before 4.18 does not wake
	 * for what is there already when the mark is lowered. */
	read_some(c);
	/* On a slow link the socket takes nothing for seconds while the other side acknowledges: that is progress. */
	if (lane_delivered(c) > c->noticed)
		exchange_touch(&c->x, now);
	c->noticed = c->delivered;
	exchange_tick(&c->x, now);
}

ns_t lane_deadline(const struct lane *c)
{
	return c->state == LANE_CONNECTING ? c->until : c->state == LANE_BUSY ? exchange_deadline(&c->x) : NS_NEVER;
}

bool lane_is_over(const struct lane *c)
{
	return c->state == LANE_BUSY && exchange_over(&c->x);
}

uint64_t lane_received(const struct lane *c)
{
	return c->state == LANE_BUSY && c->x.status == 200 ? c->x.body.received : 0;
}

uint64_t lane_delivered(struct lane *c)
{
	if (c->state != LANE_BUSY)
		return 0;
	int64_t unacked = stream_unacked(c->fd);
	uint64_t waiting = unacked > 0 ? (uint64_t)unacked : 0;
	uint64_t n = c->x.source.sent > waiting ? c->x.source.sent - waiting : 0;

	/* Heads and frames wait in the same queue, so that the difference may fall a little; what arrived does not. */
	if (n > c->delivered)
		c->delivered = n;
	return c->delivered;
}
