/* SPDX-License-Identifier: MIT */
#include "run/pinger.h"

#include <string.h>

#include "core/http1_write.h"
#include "core/icmp.h"
#include "core/io.h"
#include "core/url.h"
#include "sys/clock.h"
#include "sys/memory.h"
#include "sys/random.h"
#include "sys/signals.h"

/* Replies are read between so many sends: a stamp taken late is a wrong one. */
#define SENDS_AT_ONCE 32
#define SENDS_IN_A_STORM 128 /* whose answers the kernel stamps all the same */

/* A flood of packets, ours or not, must not keep us from our own deadlines and from the other sockets. */
#define READS_AT_ONCE 256
#define READS_AFTER_A_STOP 4096 /* once a second at most: what may have been waiting, but no flood for long */

/* The kernel begins to stamp received packets a moment after the first socket has asked for it. */
#define STAMPS_START (2 * NS_PER_MS)

/* Keys: the ICMP and the UDP sockets, then the connections. */
#define SOCKETS 4
#define UDP_FIRST 2
#define HAIL_KEY 8

/* Descriptors that are none of a connection, at most. */
#define DESCRIPTORS_ELSE 32

/* Where no port is given: whether anybody listens there does not matter. */
#define HAIL_PORT 80

static uint8_t request[ICMP_HEADER_LEN + ICMP_DATA_MAX];
static uint8_t payload[ICMP_DATA_MAX];
static uint8_t reply[ICMP_DATA_MAX + 128];

static bool open_family(struct pinger *r, int family, struct fault *why)
{
	struct icmp_options o = { .only = r->cfg.icmp_only, .stamping = r->cfg.stamping,
		.origin = r->cfg.origin };
	size_t i = family == 6;

	if (r->open[i])
		return true;
	if (!random_fill(&o.id, sizeof(o.id), why) || !icmp_open(&r->icmp[i], family, &o, why))
		return false;
	r->open[i] = true;
	return wait_add(r->wait, r->icmp[i].fd, WAIT_IN, r->key + i);
}

void pinger_prepare(struct pinger *r, int family, const struct origin *origin, struct wait *wait, uint64_t key)
{
	struct fault ignored;

	r->cfg = (struct pinger_cfg){ .origin = *origin };
	r->wait = wait;
	r->key = key;
	open_family(r, family, &ignored);
}

/* Bit 0: for IPv4, bit 1: for IPv6, bit 2: for an address that is still looked up. */
static unsigned families_of(const struct ping_room *room)
{
	unsigned bits = 0;

	for (size_t i = 0; i < room->n; i++)
		bits |= room->targets[i].addr.family == 4 ? 1U : room->targets[i].addr.family == 6 ? 2U : 4U;
	return bits;
}

static bool open_icmp(struct pinger *r, size_t i, struct fault *why)
{
	if (!open_family(r, i == 1 ? 6 : 4, why))
		return false;
	r->method = r->icmp[i].method;
	memcpy(r->reason, r->icmp[i].reason, sizeof(r->icmp[0].reason));
	return true;
}

/* A closed port says so by ICMP, which a socket that sends to many hears through its error queue. */
static bool open_udp(struct pinger *r, size_t i, struct fault *why)
{
	struct udp_options o = { .stamping = r->cfg.stamping, .origin = r->cfg.origin };

	if (!udp_open(&r->udp[i], i == 1 ? 6 : 4, &o, why))
		return false;
	r->open[UDP_FIRST + i] = true;
	return wait_add(r->wait, r->udp[i].fd, WAIT_IN, r->key + UDP_FIRST + i);
}

/* All sockets that are needed; where that is not yet known, any. */
static bool open_sockets(struct pinger *r, bool udp, unsigned families, struct fault *why)
{
	bool any = false;

	for (size_t i = 0; i < 2; i++) {
		if (!(families & (4U | 1U << i)))
			continue;
		bool ok = udp ? open_udp(r, i, why) : open_icmp(r, i, why);

		if (!ok && families & 1U << i)
			return false;
		any = any || ok;
	}
	if (any)
		why->kind = FAULT_NONE;
	return any;
}

/* The ICMP of all families or of none: one run, one method. */
static bool open_best(struct pinger *r, const struct ping_room *room, struct fault *why)
{
	struct text t;
	bool must = r->cfg.via == VIA_ICMP || r->cfg.icmp_only != METHOD_NONE;

	text_init(&t, r->reason, sizeof(r->reason));
	if (r->cfg.reason)
		text_str(&t, r->cfg.reason);
	if (r->cfg.via == VIA_UDP) {
		r->method = METHOD_UDP;
		return open_sockets(r, true, families_of(room), why);
	}
	if (r->cfg.via == VIA_TCP || r->cfg.via == VIA_HTTP) {
		r->method = r->cfg.via == VIA_TCP ? METHOD_TCP : METHOD_HTTP;
		return true;
	}
	if (open_sockets(r, false, families_of(room), why))
		return true;
	if (must) {
		fault_hint(why, "sonde caps");
		return false;
	}
	text_init(&t, r->reason, sizeof(r->reason));
	text_str(&t, why->text);
	why->kind = FAULT_NONE; /* there is another way */
	r->method = METHOD_TCP;
	return true;
}

/* UNKNOWN where no socket tells. */
static int64_t drops_so_far(const struct pinger *r)
{
	int64_t sum = UNKNOWN;

	for (size_t i = 0; i < SOCKETS; i++) {
		if (!r->open[i])
			continue;
		int64_t drops = i < UDP_FIRST ? icmp_drops(&r->icmp[i]) : udp_drops(&r->udp[i - UDP_FIRST]);

		if (drops != UNKNOWN)
			sum = (sum == UNKNOWN ? 0 : sum) + drops;
	}
	return sum;
}

/* Who answers a probe must have seen its session, its number and its time: the first two cannot be foreseen. */
static bool begin_session(struct pinger *r, struct fault *why)
{
	uint32_t v[2];

	if (!random_fill(v, sizeof(v), why))
		return false;
	r->cfg.ping.id[0] = r->cfg.ping.id[1] = (uint16_t)(v[0] | 1);
	r->cfg.ping.first = v[1] | 1;
	r->cfg.ping.port = PINGER_UDP_PORT;
	r->cfg.ping.wall = clock_wall_s() * NS_PER_S - clock_mono();
	return true;
}

bool pinger_open(struct pinger *r, const struct pinger_cfg *cfg, const struct ping_room *room, struct wait *wait,
	uint64_t key, struct fault *why)
{
	struct ping_room mine = *room;

	r->cfg = *cfg;
	r->wait = wait;
	r->key = key;
	r->unroutable = 0;
	if (!random_fill(r->cfg.ping.key, sizeof(r->cfg.ping.key), why) || !open_best(r, room, why))
		return false;
	r->cfg.ping.id[0] = r->icmp[0].id;
	r->cfg.ping.id[1] = r->icmp[1].id;
	r->cfg.ping.first = r->ping.flight.head > 0 ? r->ping.flight.head : 1;
	if (r->method == METHOD_UDP && !begin_session(r, why))
		return false;
	r->drops = drops_so_far(r);
	r->hails_max = memory_descriptors() - DESCRIPTORS_ELSE;
	if (r->hails_max > PINGER_HAILS)
		r->hails_max = PINGER_HAILS;
	mine.slots = r->slots;
	ping_init(&r->ping, &r->cfg.ping, &mine, clock_mono() + STAMPS_START);
	return true;
}

static void drop_hail(struct hail *h)
{
	stream_abort(h->fd);
	h->state = HAIL_FREE;
}

void pinger_close(struct pinger *r)
{
	for (size_t i = 0; i < PINGER_HAILS; i++)
		if (r->hails[i].state != HAIL_FREE)
			drop_hail(&r->hails[i]);
	for (size_t i = 0; i < 2; i++) {
		if (r->open[UDP_FIRST + i])
			udp_close(&r->udp[i]);
		r->open[UDP_FIRST + i] = false;
	}
	/* Only what was used: the rest of the table has never been touched and costs no memory. */
	for (uint32_t wire = r->cfg.ping.first; wire != r->ping.flight.head && wire - r->cfg.ping.first < FLIGHT_SLOTS; wire++)
		r->slots[wire % FLIGHT_SLOTS] = (struct flight_slot){ .state = FLIGHT_FREE };
}

void pinger_ready(struct pinger *r, const struct wait_event *e)
{
	uint64_t i = e->key - r->key;

	if (i < SOCKETS)
		r->ready[i] = r->errors[i] = true;
	else if (i >= HAIL_KEY && i < HAIL_KEY + PINGER_HAILS)
		r->hails[i - HAIL_KEY].ready = true;
}

static bool is_icmp(const struct pinger *r)
{
	return r->method == METHOD_ICMP_RAW || r->method == METHOD_ICMP_DGRAM;
}

static bool by_packets(const struct pinger *r)
{
	return is_icmp(r) || r->method == METHOD_UDP;
}

static bool receive(struct pinger *r, size_t i, struct packet *pkt)
{
	return i < UDP_FIRST ? icmp_recv(&r->icmp[i], pkt, reply, sizeof(reply)) :
			       udp_recv(&r->udp[i - UDP_FIRST], pkt, reply, sizeof(reply));
}

static bool receive_error(struct pinger *r, size_t i, struct packet *pkt)
{
	return i < UDP_FIRST ? icmp_recv_error(&r->icmp[i], pkt, reply, sizeof(reply)) :
			       udp_recv_error(&r->udp[i - UDP_FIRST], pkt, reply, sizeof(reply));
}

static bool take(struct pinger *r, size_t i, const struct packet *pkt, struct ping_event *ret)
{
	r->reads[i]--;
	if (i >= UDP_FIRST)
		return ping_udp(&r->ping, pkt, ret);
	return is_icmp(r) && ping_icmp(&r->ping, pkt, ret); /* else it is of an earlier run */
}

/* The error queue first: it holds the stamp of the request whose reply comes next. */
static bool read_socket(struct pinger *r, size_t i, struct ping_event *ret)
{
	struct packet pkt;

	while (r->reads[i] > 0 && r->errors[i] && (r->errors[i] = r->open[i] && receive_error(r, i, &pkt)))
		if (take(r, i, &pkt, ret))
			return true;
	while (r->reads[i] > 0 && r->ready[i] && (r->ready[i] = r->open[i] && receive(r, i, &pkt)))
		if (take(r, i, &pkt, ret))
			return true;
	return false;
}

/* Connected: ask for the page, whose first byte ends the round trip that begins now. */
static void hail_ask(struct pinger *r, struct hail *h, ns_t stamp)
{
	static char head[2400], host[300];
	uint16_t port = r->ping.room.targets[0].addr.port;
	struct text t, ht;

	text_init(&ht, host, sizeof(host));
	url_put_host(&ht, r->cfg.host, port > 0 ? port : HAIL_PORT);
	text_init(&t, head, sizeof(head));
	http1_put_request(&t, "HEAD", r->cfg.path);
	http1_put_field(&t, "Host", text_view(&ht));
	http1_put_field(&t, "Connection", SLICE("close"));
	http1_put_end(&t);
	struct want w = { WANT_WRITE, head, t.len, false };

	ping_restamp(&r->ping, h->wire, stamp);
	stream_out(h->fd, &w, NULL);
	h->state = HAIL_ASKED;
	wait_change(r->wait, h->fd, WAIT_IN, r->key + HAIL_KEY + (uint64_t)(h - r->hails));
}

/* A refusal has travelled the same way as an answer, where nobody asked for that very port. */
static bool is_answer(const struct pinger *r, uint16_t wire, int io)
{
	return io == 0 || (io == IO_REFUSED && r->method == METHOD_TCP &&
				  (r->cfg.closed_is_reply || ping_target_of(&r->ping, wire)->addr.port == 0));
}

/* Return: whether the probe was answered or refused; if not, @h goes on or is gone. */
static bool hail_connected(struct pinger *r, struct hail *h, struct ping_event *ret)
{
	int io = stream_connected(h->fd);
	ns_t stamp = clock_mono();
	struct stream_facts facts;

	if (io == IO_AGAIN)
		return false;
	if (io == 0 && r->method == METHOD_HTTP) {
		hail_ask(r, h, stamp);
		return false;
	}
	stream_facts(h->fd, &facts);
	drop_hail(h);
	/* The kernel asked again by itself: the first packet or its answer was lost, and the time says nothing. */
	if (facts.retransmits > 0 && (io == 0 || io == IO_REFUSED))
		return ping_missed(&r->ping, h->wire, "answered only when asked again", ret);
	if (!is_answer(r, h->wire, io))
		return ping_refused(&r->ping, h->wire, io_text(io), ret);
	return ping_answered(&r->ping, h->wire, stamp, io == 0 ? facts.rtt : UNKNOWN, ret);
}

static bool hail_answered(struct pinger *r, struct hail *h, struct ping_event *ret)
{
	char first[512];
	struct want w = { .kind = WANT_READ, .n = sizeof(first) };
	int64_t n = stream_in(h->fd, &w, first, sizeof(first));
	ns_t stamp = clock_mono();

	if (n == IO_AGAIN)
		return false;
	drop_hail(h);
	if (n > 0)
		return ping_answered(&r->ping, h->wire, stamp, UNKNOWN, ret);
	return ping_refused(&r->ping, h->wire, io_text((int)n), ret);
}

/* Nobody is dropped without a last look: this process may have been held up. */
static bool read_hails(struct pinger *r, ns_t now, struct ping_event *ret)
{
	for (size_t i = 0; i < PINGER_HAILS; i++) {
		struct hail *h = &r->hails[i];

		if (h->state == HAIL_FREE || (!h->ready && now < h->until))
			continue;
		h->ready = false;
		if (h->state == HAIL_CONNECTING ? hail_connected(r, h, ret) : hail_answered(r, h, ret))
			return true;
		if (now >= h->until && h->state != HAIL_FREE)
			drop_hail(h);
	}
	return false;
}

static int send_icmp(struct pinger *r, const struct ping_request *q, ns_t *ret_stamp)
{
	struct addr to = ping_target_of(&r->ping, q->wire)->addr;
	struct icmp_socket *s = &r->icmp[to.family == 6];

	to.port = 0;
	flight_payload(&r->ping.flight, q->wire, payload);
	size_t n = icmp_echo_build(to.family, s->id, q->wire, payload, r->ping.cfg.size, request, sizeof(request));

	*ret_stamp = clock_mono();
	return icmp_send(s, request, n, &to, q->wire, 0);
}

static int send_udp(struct pinger *r, const struct ping_request *q, ns_t *ret_stamp)
{
	struct addr to = ping_udp_to(&r->ping, q->wire);

	*ret_stamp = clock_mono();
	ping_udp_probe(&r->ping, q->wire, *ret_stamp, request);
	return udp_send(&r->udp[to.family == 6], request, STAMP_LEN, &to, q->wire);
}

/* Return: whether sending failed, which is an event. */
static bool send_packet(struct pinger *r, const struct ping_request *q, struct ping_event *ret)
{
	bool udp = r->method == METHOD_UDP;
	size_t i = ping_target_of(&r->ping, q->wire)->addr.family == 6 ? 1 : 0;

	i += udp ? UDP_FIRST : 0;
	ns_t stamp = 0;
	int io = !r->open[i] ? IO_UNREACHABLE : udp ? send_udp(r, q, &stamp) : send_icmp(r, q, &stamp);

	if (io < 0) {
		r->unroutable += io == IO_UNREACHABLE;
		ping_failed(&r->ping, q->wire, io == IO_AGAIN ? "the send queue of this machine is full" : io_text(io), ret);
		return true;
	}
	ping_sent(&r->ping, q->wire, stamp);
	r->errors[i] = r->cfg.stamping != ICMP_STAMP_RECEIPT; /* our own stamps are there at once */
	return false;
}

static struct hail *free_hail(struct pinger *r)
{
	for (size_t i = 0; i < r->hails_max; i++)
		if (r->hails[i].state == HAIL_FREE)
			return &r->hails[i];
	return NULL;
}

static bool send_hail(struct pinger *r, struct hail *h, const struct ping_request *q, struct ping_event *ret)
{
	struct fault why;
	ns_t stamp = clock_mono();
	struct addr to = r->ping.room.targets[q->target].addr;

	to.port = to.port > 0 ? to.port : HAIL_PORT;
	int fd = stream_connect(&to, &r->cfg.origin, &stamp, &why);

	if (fd < 0) {
		r->unroutable += fd == IO_UNREACHABLE;
		ping_failed(&r->ping, q->wire, io_text(fd), ret);
		return true;
	}
	*h = (struct hail){ HAIL_CONNECTING, fd, q->wire, false, stamp + r->cfg.ping.timeout };
	wait_add(r->wait, fd, WAIT_OUT, r->key + HAIL_KEY + (uint64_t)(h - r->hails));
	ping_sent(&r->ping, q->wire, stamp);
	return false;
}

static bool send_due(struct pinger *r, ns_t now, struct ping_event *ret)
{
	struct ping_request q;

	for (int n = 0; n < (r->cfg.stamping == ICMP_STAMP_RECEIPT ? SENDS_IN_A_STORM : SENDS_AT_ONCE); n++) {
		struct hail *h = by_packets(r) ? NULL : free_hail(r);

		/* With all connections under way the schedule waits: what cannot be asked is not lost. */
		if ((!by_packets(r) && !h) || !ping_next(&r->ping, now, &q))
			return false;
		if (h ? send_hail(r, h, &q, ret) : send_packet(r, &q, ret))
			return true;
	}
	return false;
}

/* What has come while this process was held up is no loss: read once more before anything is given up. */
static void look_once_more(struct pinger *r, ns_t now)
{
	if (now < flight_deadline(&r->ping.flight))
		return;
	bool deep = now - r->looked > NS_PER_S;

	for (size_t i = 0; i < SOCKETS; i++) {
		r->ready[i] = r->errors[i] = r->open[i];
		r->reads[i] = deep ? READS_AFTER_A_STOP : r->reads[i];
	}
	r->looked = deep ? now : r->looked;
}

bool pinger_step(struct pinger *r, ns_t now, struct ping_event *ret)
{
	look_once_more(r, now);
	for (size_t i = 0; i < SOCKETS; i++)
		if (read_socket(r, i, ret))
			return true;
	if (r->method >= METHOD_TCP && read_hails(r, now, ret))
		return true;
	if (ping_expire(&r->ping, now, ret) || send_due(r, now, ret))
		return true;
	for (size_t i = 0; i < SOCKETS; i++)
		r->reads[i] = READS_AT_ONCE;
	return false;
}

ns_t pinger_deadline(const struct pinger *r)
{
	ns_t first = NS_NEVER;

	for (size_t i = 0; !by_packets(r) && i < r->hails_max; i++) {
		if (r->hails[i].state == HAIL_FREE)
			return ping_deadline(&r->ping);
		first = ns_min(first, r->hails[i].until);
	}
	return by_packets(r) ? ping_deadline(&r->ping) : ns_min(first, r->ping.end);
}

bool pinger_next(struct pinger *r, struct ping_event *ret)
{
	struct wait_event v[16];

	for (;;) {
		ns_t now = clock_mono();

		if (pinger_step(r, now, ret))
			return true;
		if (ping_done(&r->ping, now) || signals_stop())
			return false;
		size_t n = wait_next(r->wait, pinger_deadline(r), now, v, 16);

		for (size_t i = 0; i < n; i++)
			pinger_ready(r, &v[i]);
	}
}

void pinger_label(const struct pinger *r, size_t target, struct ping_result *ret)
{
	ping_label(&r->ping, target, ret);
	ret->method = r->method;
	ret->reason = r->reason;
}

void pinger_result(const struct pinger *r, size_t target, ns_t now, struct ping_result *ret)
{
	ping_result(&r->ping, target, now, ret);
	ret->method = r->method;
	ret->reason = r->reason;
	if (r->method == METHOD_TCP) {
		ret->connect_p50 = ret->host_queue_p50;
		ret->host_queue_p50 = UNKNOWN;
	}
	/* One socket serves all targets: its drops cannot be told apart. */
	if (r->ping.room.n == 1)
		ret->local_drops = pinger_drops(r);
}

int64_t pinger_drops(const struct pinger *r)
{
	int64_t now = drops_so_far(r);

	return now == UNKNOWN || r->drops == UNKNOWN ? UNKNOWN : now - r->drops;
}
