/* SPDX-License-Identifier: MIT */
#include "run/fetch.h"

#include "core/io.h"
#include "core/text_put.h"
#include "sys/clock.h"
#include "sys/signals.h"

/* A server that keeps trickling is left after this many timeouts. */
#define TRICKLE_MAX 4

bool fetch_open(struct fetch *f, struct fault *why)
{
	lane_init(&f->lane);
	return bulk_open(&f->bulk, why) && wait_open(&f->wait, why);
}

void fetch_hang_up(struct fetch *f)
{
	lane_leave(&f->lane);
}

void fetch_close(struct fetch *f)
{
	lane_leave(&f->lane);
	wait_close(&f->wait);
}

bool fetch_is_stopped(const struct fetch *f)
{
	return signals_stop() || (f->end > 0 && clock_mono() >= f->end);
}

bool fetch_is_kept(struct fetch *f)
{
	struct wait_event e;

	if (f->lane.state == LANE_BUSY && wait_next(&f->wait, 0, clock_mono(), &e, 1) > 0 && e.in)
		lane_leave(&f->lane);
	return f->lane.state == LANE_BUSY;
}

/* One sleep at most, and what came of it. */
static void advance(struct fetch *f, ns_t until)
{
	struct wait_event e;
	ns_t now = clock_mono();

	if (f->end > 0)
		until = ns_min(until, f->end);
	if (wait_next(&f->wait, ns_min(lane_deadline(&f->lane), until), now, &e, 1) > 0)
		lane_turn(&f->lane, &e, &f->bulk, clock_mono());
	lane_tick(&f->lane, clock_mono());
}

static int fail(const struct fetch *f, enum fault_kind kind, int io, struct fault *why)
{
	char name[ADDR_TEXT_MAX], reason[96];
	struct text t, r;

	text_init(&t, name, sizeof(name));
	addr_put_port(&t, &f->to);
	text_init(&r, reason, sizeof(reason));
	text_put(&r, io == IO_TIMEOUT ? ": %s, not within %t" : ": %s", io_text(io), f->timeout);
	fault_set(why, kind, "cannot connect to", text_view(&t), reason);
	if (addr_reach(&f->to) == ADDR_LINK_LOCAL && f->to.family == 6 && f->to.scope == 0)
		fault_hint(why, "say through which interface: [fe80::1%%eth0]:8080");
	return io;
}

int fetch_connect(struct fetch *f, struct fault *why)
{
	struct lane *c = &f->lane;

	if (c->state != LANE_FREE)
		return 0;
	lane_dial(c, &f->to, &f->origin, &f->wait, 0, f->timeout, clock_mono());
	if (c->state == LANE_FREE) /* refused before anything was sent: by this machine */
		return fail(f, FAULT_HOST, c->io, why);
	while (c->state == LANE_CONNECTING && !fetch_is_stopped(f))
		advance(f, NS_NEVER);
	if (c->state == LANE_READY)
		return 0;
	lane_close(c);
	return fail(f, FAULT_PEER, c->io < 0 ? c->io : IO_TIMEOUT, why);
}

/* A kept connection may have been closed by the server in the meantime (RFC 9112 section 9.3.1). */
static bool went_stale(const struct exchange *x)
{
	return x->state == EXCHANGE_BROKEN && x->first_byte == 0;
}

/* More of the answer than there is room for: the rest is of no use. */
static bool is_enough(const struct exchange_request *r)
{
	return r->keep && r->keep->cut;
}

/* Done, stopped, or too slow since @began; else sleep until something happens. */
static bool goes_on(struct fetch *f, const struct exchange_request *r, ns_t began)
{
	ns_t now = clock_mono(), until = began + TRICKLE_MAX * f->timeout;

	if (lane_is_over(&f->lane) || is_enough(r) || fetch_is_stopped(f))
		return false;
	if (now >= until) {
		uint64_t least = (uint64_t)((now - began) / NS_PER_S) * f->flow_min;

		f->trickled = f->flow_min == 0 || f->lane.x.body.received < least;
		until = now + f->timeout;
	}
	if (!f->trickled)
		advance(f, until);
	return !f->trickled;
}

bool fetch_do(struct fetch *f, const struct exchange_request *r, struct fault *why)
{
	for (int tries = 0; tries < 2; tries++) {
		struct exchange_request copy = *r;
		bool kept = f->lane.state == LANE_BUSY;

		if (fetch_connect(f, why) < 0)
			return false;
		ns_t now = clock_mono();
		const char *bad = lane_ask(&f->lane, &copy, now);

		if (bad)
			return fault_set(why, FAULT_USAGE, "the path", r->path, bad);
		f->trickled = false;
		while (goes_on(f, r, now))
			;
		exchange_give_up(&f->lane.x, clock_mono());
		if (!f->lane.x.keep_alive)
			lane_leave(&f->lane);
		if (fetch_is_stopped(f))
			return fault_set(why, FAULT_PEER, "interrupted", SLICE(""), NULL);
		if (!kept || !went_stale(&f->lane.x))
			break;
	}
	return true;
}
