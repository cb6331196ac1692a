/* SPDX-License-Identifier: MIT */
#include "run/fetch.h"

#include "core/io.h"
#include "core/units.h"
#include "sys/clock.h"
#include "sys/signals.h"

/* A server that keeps trickling is left after this many timeouts. */
#define TRICKLE_MAX 4

bool fetch_open(struct fetch *f, struct fault *why)
{
	f->fd = -1;
	/* The small bodies sent from here need no memfd. */
	static char zeros[BULK_PLAIN];

	f->bulk = (struct bulk){ -1, zeros };
	return wait_open(&f->wait, why);
}

static void hang_up(struct fetch *f)
{
	if (f->fd >= 0)
		stream_close(f->fd);
	f->fd = -1;
}

void fetch_close(struct fetch *f)
{
	hang_up(f);
	wait_close(&f->wait);
}

static int fail(struct fetch *f, int io, struct fault *why)
{
	char name[ADDR_TEXT_MAX], reason[96];
	struct text t, r;

	text_init(&t, name, sizeof(name));
	addr_put_port(&t, &f->to);
	text_init(&r, reason, sizeof(reason));
	text_str(&r, ": ");
	text_str(&r, io_text(io));
	if (io == IO_TIMEOUT) {
		text_str(&r, ", not within ");
		units_put_duration(&r, f->timeout);
	}
	fault_set(why, FAULT_PEER, "cannot connect to", text_view(&t), reason);
	hang_up(f);
	return io;
}

int fetch_connect(struct fetch *f, struct fault *why)
{
	ns_t until = clock_mono() + f->timeout;
	struct wait_event ev;

	if (f->fd >= 0)
		return 0;
	int fd = stream_connect(&f->to, &f->origin, why);

	if (fd < 0)
		return fd;
	f->fd = fd;
	wait_add(&f->wait, fd, WAIT_OUT, 0);
	for (;;) {
		ns_t now = clock_mono();

		if (now >= until || signals_stop())
			return fail(f, IO_TIMEOUT, why);
		if (wait_next(&f->wait, until, now, &ev, 1) == 0)
			continue;
		int io = stream_connected(fd);

		if (io != IO_AGAIN)
			return io < 0 ? fail(f, io, why) : 0;
	}
}

/* One turn of reading and writing. */
static void turn(struct fetch *f, const struct wait_event *ev)
{
	static char buf[4096];
	struct want in = exchange_in(&f->x), out = exchange_out(&f->x);

	if (ev->in && in.kind != WANT_NOTHING) {
		int64_t n = stream_in(f->fd, &in, buf, sizeof(buf));
		ns_t stamp = clock_mono();

		if (n > 0)
			exchange_got(&f->x, in.kind == WANT_READ ? buf : NULL, (uint64_t)n, stamp);
		else if (n != IO_AGAIN)
			exchange_closed(&f->x, (int)n, stamp);
	}
	if (ev->out && out.kind != WANT_NOTHING && !exchange_over(&f->x)) {
		int64_t n = stream_out(f->fd, &out, &f->bulk);

		if (n >= 0)
			exchange_moved(&f->x, (uint64_t)n, clock_mono());
		/* A broken pipe may still hold an answer: reading finds out. */
	}
}

static void converse(struct fetch *f)
{
	ns_t until = clock_mono() + TRICKLE_MAX * f->timeout;
	struct wait_event ev;

	while (!exchange_over(&f->x) && !signals_stop()) {
		bool writing = exchange_out(&f->x).kind != WANT_NOTHING;
		ns_t now = clock_mono();

		exchange_tick(&f->x, now >= until ? NS_NEVER - 1 : now);
		if (exchange_over(&f->x))
			break;
		wait_change(&f->wait, f->fd, WAIT_IN | (writing ? WAIT_OUT : 0), 0);
		if (wait_next(&f->wait, ns_min(exchange_deadline(&f->x), until), now, &ev, 1) > 0)
			turn(f, &ev);
	}
}

/* A kept connection may have been closed by the server in the meantime (RFC 9112 section 9.3.1). */
static bool went_stale(const struct fetch *f)
{
	return f->x.state == EXCHANGE_BROKEN && f->x.first_byte == 0;
}

bool fetch_do(struct fetch *f, const struct exchange_request *r, struct fault *why)
{
	for (int tries = 0; tries < 2; tries++) {
		bool kept = f->fd >= 0;

		if (fetch_connect(f, why) < 0)
			return false;
		const char *bad = exchange_init(&f->x, r, clock_mono());

		if (bad)
			return fault_set(why, FAULT_USAGE, "the path", r->path, bad);
		converse(f);
		if (!f->x.keep_alive)
			hang_up(f);
		if (signals_stop())
			return fault_set(why, FAULT_PEER, "interrupted", SLICE(""), NULL);
		if (!kept || !went_stale(f))
			break;
	}
	return true;
}
