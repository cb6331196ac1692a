/* SPDX-License-Identifier: MIT */
#include "run/tracer.h"

#include <string.h>

#include "core/icmp.h"
#include "core/io.h"
#include "sys/clock.h"
#include "sys/hop.h"
#include "sys/random.h"
#include "sys/signals.h"

/* The kernel begins to stamp received packets a moment after the first socket has asked for it. */
#define STAMPS_START (2 * NS_PER_MS)

/* A flood of packets that are not ours must not keep us from our own deadlines. */
#define READS_AT_ONCE 256

#define NAME_WORKERS 4

/* Keys of the wait: the two ICMP sockets, the names, then the connections. */
enum { NAMES_KEY = 2, HOP_KEY = 8 };

static uint8_t request[ICMP_HEADER_LEN + ICMP_DATA_MAX];
static uint8_t payload[ICMP_DATA_MAX];
static uint8_t answer[ICMP_DATA_MAX + 128];

void tracer_start_names(struct tracer *r, const struct tracer_cfg *cfg)
{
	struct fault ignored;

	if (cfg->numeric || !names_open(&r->names, NAME_WORKERS, cfg->trace.timeout, &ignored))
		r->names.fd = -1;
}

static bool is_icmp(const struct tracer *r)
{
	return r->method == METHOD_ICMP_RAW || r->method == METHOD_ICMP_DGRAM;
}

static bool open_icmp(struct tracer *r, const struct trace_room *room, struct fault *why)
{
	struct icmp_options o = { .only = r->cfg.icmp_only, .origin = r->cfg.origin };

	for (size_t k = 0; k < room->n; k++) {
		int family = room->targets[k].addr.family;
		size_t i = family == 6;

		if (r->open[i])
			continue;
		if (!random_fill(&o.id, sizeof(o.id), why) || !icmp_open(&r->icmp[i], family, &o, why))
			return false;
		r->open[i] = true;
		r->method = r->icmp[i].method;
		memcpy(r->reason, r->icmp[i].reason, sizeof(r->icmp[i].reason));
		wait_add(&r->wait, r->icmp[i].fd, WAIT_IN, i);
	}
	return true;
}

static bool open_best(struct tracer *r, const struct trace_room *room, struct fault *why)
{
	struct text t;

	if (r->cfg.via != VIA_TCP && open_icmp(r, room, why))
		return true;
	if (r->cfg.via == VIA_ICMP || r->cfg.icmp_only != METHOD_NONE) {
		fault_hint(why, "sonde caps");
		return false;
	}
	text_init(&t, r->reason, sizeof(r->reason));
	if (r->cfg.via != VIA_TCP)
		text_str(&t, why->text);
	why->kind = FAULT_NONE; /* there is another way */
	r->method = METHOD_TCP;
	return true;
}

bool tracer_open(struct tracer *r, const struct tracer_cfg *cfg, const struct trace_room *room, struct fault *why)
{
	struct trace_cfg *c = &r->cfg.trace;

	r->cfg = *cfg;
	if (!wait_open(&r->wait, why) || !random_fill(c->key, sizeof(c->key), why) || !open_best(r, room, why))
		return false;
	if (r->names.fd >= 0)
		wait_add(&r->wait, r->names.fd, WAIT_IN, NAMES_KEY);
	for (size_t i = 0; i < room->n; i++)
		r->hops[i].fd = -1;
	c->id[0] = r->icmp[0].id;
	c->id[1] = r->icmp[1].id;
	c->plan.one_by_one = r->method == METHOD_TCP;
	if (r->method == METHOD_TCP) {
		c->timeout = ns_min(c->timeout, HOP_PATIENCE);
		hop_begin();
	}
	trace_init(&r->trace, c, room, clock_mono() + STAMPS_START);
	return true;
}

/* Where there is no room to ask now, the next answer will bring it up again. */
static void ask(struct tracer *r)
{
	for (size_t i = 0; i < r->n_names; i++) {
		struct tracer_name *name = &r->named[i];

		if (!name->asked && !(name->asked = names_ask_back(&r->names, (uint32_t)i, &name->addr)))
			return;
	}
}

static const struct tracer_name *find_name(const struct tracer *r, const struct addr *a)
{
	for (size_t i = 0; i < r->n_names; i++)
		if (addr_same_host(&r->named[i].addr, a))
			return &r->named[i];
	return NULL;
}

static void want_name(struct tracer *r, const struct addr *a)
{
	if (r->names.fd < 0 || a->family == 0 || r->n_names == TRACER_NAMES || find_name(r, a))
		return;
	r->named[r->n_names++].addr = *a;
	ask(r);
}

static void take_names(struct tracer *r)
{
	static struct names_answer a;

	while (names_answer(&r->names, &a))
		if (a.tag < r->n_names)
			memcpy(r->named[a.tag].text, a.text, sizeof(a.text));
	ask(r);
}

/* The error queue first: it holds the stamp of the request whose answer comes next. */
static bool read_icmp(struct tracer *r, struct ping_event *ret)
{
	struct packet pkt;
	int left = READS_AT_ONCE;

	for (size_t i = 0; i < 2; i++) {
		struct icmp_socket *s = &r->icmp[i];

		while (left-- > 0 && r->errors[i] && (r->errors[i] = icmp_recv_error(s, &pkt, answer, sizeof(answer))))
			if (trace_icmp(&r->trace, &pkt, ret))
				return true;
		while (left-- > 0 && r->ready[i] && (r->ready[i] = icmp_recv(s, &pkt, answer, sizeof(answer))))
			if (trace_icmp(&r->trace, &pkt, ret))
				return true;
	}
	return false;
}

static void drop_hop(struct tracer_hop *h)
{
	stream_abort(h->fd);
	h->fd = -1;
}

/* What came of a connection: a router's word, the target's, or an error without a sender. */
static bool read_hop(struct tracer *r, struct tracer_hop *h, struct ping_event *ret)
{
	struct packet pkt;
	struct stream_facts facts;
	ns_t stamp = clock_mono();
	bool told = hop_error(h->fd, &pkt, answer, sizeof(answer));
	int io = told ? IO_UNREACHABLE : stream_connected(h->fd);

	h->ready = false;
	if (io == IO_AGAIN)
		return false;
	stream_facts(h->fd, &facts);
	drop_hop(h);
	if (told)
		return trace_error(&r->trace, h->wire, &pkt, ret);
	if (io == 0 || io == IO_REFUSED)
		return trace_answered(&r->trace, h->wire, stamp, io == 0 ? facts.rtt : UNKNOWN, ret);
	return trace_failed(&r->trace, h->wire, io_text(io), ret);
}

static bool read_hops(struct tracer *r, ns_t now, struct ping_event *ret)
{
	for (struct tracer_hop *h = r->hops; h < r->hops + r->trace.room.n; h++) {
		if (h->fd >= 0 && h->ready && read_hop(r, h, ret))
			return true;
		if (h->fd >= 0 && now >= h->until)
			drop_hop(h);
	}
	return false;
}

static int send_icmp(struct tracer *r, const struct trace_request *q, ns_t *ret_stamp)
{
	struct addr to = r->trace.room.targets[q->target].addr;
	struct icmp_socket *s = &r->icmp[to.family == 6];

	to.port = 0;
	flight_payload(&r->trace.flight, q->wire, payload);
	size_t n = icmp_echo_build(to.family, s->id, q->wire, payload, r->cfg.trace.size, request, sizeof(request));

	r->errors[to.family == 6] = true; /* our own stamps are there at once */
	*ret_stamp = clock_mono();
	return icmp_send(s, request, n, &to, q->wire, q->ttl);
}

static int send_hop(struct tracer *r, const struct trace_request *q, ns_t *ret_stamp)
{
	struct tracer_hop *h = &r->hops[q->target];
	int fd = hop_connect(&r->trace.room.targets[q->target].addr, &r->cfg.origin, &h->port, q->ttl, ret_stamp);

	if (fd < 0)
		return fd;
	*h = (struct tracer_hop){ fd, h->port, q->wire, false, *ret_stamp + r->cfg.trace.timeout };
	return wait_add(&r->wait, fd, WAIT_OUT, HOP_KEY + q->target) ? 0 : IO_NO_ROOM;
}

/* With no way to any target there is nothing to wait for. */
static void note_unroutable(struct tracer *r)
{
	r->unroutable++;
	if (r->unroutable == r->trace.room.n && r->trace.flight.head - 1 == r->unroutable)
		trace_stop(&r->trace);
}

static bool send_due(struct tracer *r, ns_t now, struct ping_event *ret)
{
	struct trace_request q;

	while (trace_next(&r->trace, now, &q)) {
		ns_t stamp = clock_mono();
		int io = is_icmp(r) ? send_icmp(r, &q, &stamp) : send_hop(r, &q, &stamp);

		trace_sent(&r->trace, q.wire, stamp);
		if (io == IO_UNREACHABLE)
			note_unroutable(r);
		if (io < 0)
			return trace_failed(&r->trace, q.wire, io_text(io), ret);
	}
	return false;
}

static bool step(struct tracer *r, ns_t now, struct ping_event *ret)
{
	return read_icmp(r, ret) || read_hops(r, now, ret) || trace_expire(&r->trace, now, ret) ||
	       send_due(r, now, ret);
}

/* Return: whether anything came but the deadline or a signal. */
static bool wait_until(struct tracer *r, ns_t deadline, ns_t now)
{
	struct wait_event v[16];
	size_t n = wait_next(&r->wait, deadline, now, v, 16);

	for (size_t i = 0; i < n; i++) {
		uint64_t key = v[i].key;

		if (key < 2)
			r->ready[key] = r->errors[key] = true;
		else if (key == NAMES_KEY)
			take_names(r);
		else if (key == TRACER_OTHER_KEY)
			r->other = true;
		else
			r->hops[key - HOP_KEY].ready = true;
	}
	return n > 0;
}

enum tracer_event tracer_next(struct tracer *r, ns_t tick, struct ping_event *ret)
{
	for (;;) {
		ns_t now = clock_mono();

		if (r->other) {
			r->other = false;
			return TRACER_OTHER;
		}
		if (step(r, now, ret)) {
			want_name(r, &ret->from);
			return TRACER_PROBE;
		}
		if (trace_done(&r->trace) || signals_stop())
			return TRACER_END;
		if (now >= tick || !wait_until(r, ns_min(trace_deadline(&r->trace), tick), now))
			return TRACER_TICK;
	}
}

void tracer_wait_for_names(struct tracer *r, ns_t patience)
{
	ns_t now = clock_mono(), until = now + patience;

	if (r->names.fd < 0)
		return;
	for (size_t i = 0; i < 2; i++) /* what they still get nobody reads */
		if (r->open[i])
			wait_remove(&r->wait, r->icmp[i].fd);
	for (; r->names.fd >= 0 && r->names.asked > 0 && now < until && !signals_stop(); now = clock_mono())
		wait_until(r, until, now);
	names_close(&r->names);
	r->names.fd = -1;
}

bool tracer_has_no_route(const struct tracer *r)
{
	return r->unroutable > 0 && r->unroutable == r->trace.flight.head - 1;
}

void tracer_path(const struct tracer *r, size_t target, struct path *ret)
{
	trace_path(&r->trace, target, ret);
	ret->method = r->method;
	ret->reason = r->reason;
}

void tracer_hop(const struct tracer *r, size_t target, unsigned ttl, ns_t now, struct path_hop *ret)
{
	trace_hop(&r->trace, target, ttl, now, ret);
	ret->figures.method = r->method;
	ret->figures.reason = r->reason;
	if (r->method == METHOD_TCP) { /* what a score has beside round trips is then the time to connect */
		ret->figures.connect_p50 = ret->figures.host_queue_p50;
		ret->figures.host_queue_p50 = UNKNOWN;
	}
	for (size_t i = 0; i < ret->n_addresses; i++) {
		const struct tracer_name *name = find_name(r, &ret->addresses[i]);

		ret->names[i] = name && name->text[0] ? name->text : NULL;
	}
}
