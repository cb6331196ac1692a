/* SPDX-License-Identifier: MIT */
#include "sys/stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/fail.h"
#include "sys/sockaddr.h"

#define BACKLOG 1024

/* One call never takes so long that a ping beside it, or another client, has to wait for it. */
#define DISCARD_AT_ONCE (INT64_C(4) << 20)

static void set_int(int fd, int level, int option, int value)
{
	setsockopt(fd, level, option, &value, sizeof(value));
}

/* Heads must not wait for acknowledgements, nor a slow link's queue stand inside this machine. */
static void prepare(int fd)
{
	set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_int(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, STREAM_UNSENT_FIRST);
}

static bool bind_origin(int fd, const struct origin *from, struct fault *why)
{
	struct sockaddr_storage sa;

	if (from->interface &&
		setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, from->interface, (socklen_t)strlen(from->interface) + 1) != 0)
		return fail_fault(why, "cannot use interface", slice_of(from->interface));
	if (from->ttl > 0) { /* each family knows its own, and refuses the other's */
		setsockopt(fd, IPPROTO_IP, IP_TTL, &from->ttl, sizeof(from->ttl));
		setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &from->ttl, sizeof(from->ttl));
	}
	if (from->congestion)
		stream_use_congestion(fd, from->congestion);
	if (from->source.family == 0)
		return true;
	char name[ADDR_TEXT_MAX];
	struct text t;

	text_init(&t, name, sizeof(name));
	addr_put(&t, &from->source);
	return bind(fd, (struct sockaddr *)&sa, sockaddr_put(&sa, &from->source)) == 0 ||
	       fail_fault(why, "cannot send from", text_view(&t));
}

static int open_tcp(int family)
{
	return socket(family == 6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static int fail_at(const char *what, const struct addr *at, struct fault *why)
{
	char name[ADDR_TEXT_MAX];
	struct text t;
	int io = fail_io();

	text_init(&t, name, sizeof(name));
	addr_put_port(&t, at);
	fail_fault(why, what, text_view(&t));
	return io;
}

void stream_use_congestion(int fd, const char *name)
{
	setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name));
}

bool stream_congestion_works(const char *name, struct fault *why)
{
	int fd = open_tcp(4);

	if (fd < 0)
		fd = open_tcp(6);
	if (fd < 0)
		return fail_fault(why, "cannot open a socket", SLICE(""));
	bool works = setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name)) == 0;

	if (!works) {
		fail_fault(why, "cannot use congestion control", slice_of(name));
		fault_hint(why, "sysctl net.ipv4.tcp_allowed_congestion_control");
	}
	close(fd);
	return works;
}

bool stream_origin_works(const struct origin *from, struct fault *why)
{
	int family = from->source.family == 6 ? AF_INET6 : AF_INET;
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return fail_fault(why, "cannot open a socket", SLICE(""));
	bool works = bind_origin(fd, from, why);

	close(fd);
	return works;
}

int stream_connect(const struct addr *to, const struct origin *from, ns_t *ret_stamp, struct fault *why)
{
	struct sockaddr_storage sa;
	int fd = open_tcp(to->family);
	int io;

	if (fd < 0)
		return fail_at("cannot connect to", to, why);
	prepare(fd);
	if (from && !bind_origin(fd, from, why)) {
		io = IO_DENIED;
	} else {
		*ret_stamp = clock_mono();
		if (connect(fd, (struct sockaddr *)&sa, sockaddr_put(&sa, to)) == 0 || fail_io() == IO_AGAIN)
			return fd;
		io = fail_at("cannot connect to", to, why);
	}
	close(fd);
	return io;
}

int stream_connected(int fd)
{
	int error = 0;
	socklen_t n = sizeof(error);
	struct sockaddr_storage peer;
	socklen_t peer_n = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0)
		return fail_io();
	if (error != 0)
		return fail_io_of(error);
	return getpeername(fd, (struct sockaddr *)&peer, &peer_n) == 0 ? 0 : IO_AGAIN;
}

int stream_listen(const struct addr *at, struct fault *why)
{
	struct sockaddr_storage sa;
	int fd = open_tcp(at->family);
	if (fd < 0)
		return fail_at("cannot listen on", at, why);
	set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (at->family == 6)
		set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (bind(fd, (struct sockaddr *)&sa, sockaddr_put(&sa, at)) != 0 || listen(fd, BACKLOG) != 0) {
		int io = fail_at("cannot listen on", at, why);

		close(fd);
		return io;
	}
	return fd;
}

uint16_t stream_port(int fd)
{
	struct sockaddr_storage sa;
	socklen_t n = sizeof(sa);

	return getsockname(fd, (struct sockaddr *)&sa, &n) == 0 ? sockaddr_get(&sa).port : 0;
}

int stream_accept(int fd, struct addr *ret_peer)
{
	struct sockaddr_storage sa;
	socklen_t n = sizeof(sa);
	int got = accept4(fd, (struct sockaddr *)&sa, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (got < 0)
		return fail_io();
	*ret_peer = sockaddr_get(&sa);
	prepare(got);
	return got;
}

static int64_t outcome_of(ssize_t n)
{
	return n > 0 ? n : n == 0 ? IO_END : fail_io();
}

int64_t stream_in(int fd, const struct want *w, char *buf, size_t cap)
{
	if (w->kind == WANT_DISCARD) {
		uint64_t n = w->n < DISCARD_AT_ONCE ? w->n : DISCARD_AT_ONCE;

		return outcome_of(recv(fd, NULL, (size_t)n, MSG_TRUNC));
	}
	return outcome_of(recv(fd, buf, w->n < cap ? (size_t)w->n : cap, 0));
}

/* Without MSG_MORE: on the loopback a segment is longer than what may wait unsent, and would wait for ever. */
static int64_t out_bulk(int fd, uint64_t n, struct bulk *bulk)
{
	ssize_t sent = send(fd, bulk_block(bulk), n < BULK_BLOCK ? (size_t)n : BULK_BLOCK, MSG_NOSIGNAL);

	return sent >= 0 ? sent : fail_io();
}

int64_t stream_out(int fd, const struct want *w, struct bulk *bulk)
{
	switch (w->kind) {
	case WANT_SHUTDOWN:
		shutdown(fd, SHUT_WR);
		return 0;
	case WANT_BULK:
		return out_bulk(fd, w->n, bulk);
	default: {
		ssize_t sent = send(fd, w->p, (size_t)w->n, MSG_NOSIGNAL | (w->more ? MSG_MORE : 0));

		return sent >= 0 ? sent : fail_io();
	}
	}
}

void stream_low_water(int fd, int n)
{
	set_int(fd, SOL_SOCKET, SO_RCVLOWAT, n);
}

void stream_acknowledge(int fd)
{
	set_int(fd, IPPROTO_TCP, TCP_QUICKACK, 1);
}

void stream_unsent_max(int fd, int n)
{
	set_int(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, n);
}

int64_t stream_unacked(int fd)
{
	int n;

	return ioctl(fd, TIOCOUTQ, &n) == 0 ? n : -1;
}

void stream_abort(int fd)
{
	struct linger now = { 1, 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

void stream_close(int fd)
{
	close(fd);
}

/* Offsets in the kernel's struct tcp_info (include/uapi/linux/tcp.h), which only ever grows. */
enum { TI_OPTIONS = 5, TI_SND_MSS = 16, TI_RCV_MSS = 20, TI_RTT = 68, TI_ADVMSS = 84, TI_RCV_RTT = 92, TI_TOTAL_RETRANS = 100, TI_BUSY = 168, TI_RWND_LIMITED = 176, TI_SNDBUF_LIMITED = 184 };

static int64_t info32(const uint8_t *info, socklen_t n, size_t at)
{
	uint32_t v;

	if (at + sizeof(v) > n)
		return UNKNOWN;
	memcpy(&v, info + at, sizeof(v));
	return v;
}

static ns_t info_us32(const uint8_t *info, socklen_t n, size_t at)
{
	int64_t us = info32(info, n, at);

	return us == UNKNOWN ? UNKNOWN : us * NS_PER_US;
}

static unsigned info_size(const uint8_t *info, socklen_t n, size_t at)
{
	int64_t v = info32(info, n, at);

	return v > 0 && v < UINT16_MAX ? (unsigned)v : 0;
}

static unsigned smaller(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Preamble, header, checksum and gap of Ethernet; then IP and TCP, with timestamps where they were agreed on. */
static unsigned headers_of(int fd, const uint8_t *info, socklen_t n)
{
	struct sockaddr_storage sa;
	socklen_t sa_n = sizeof(sa);
	bool six = getsockname(fd, (struct sockaddr *)&sa, &sa_n) == 0 && sa.ss_family == AF_INET6;

	return 38U + (six ? 40U : 20U) + 20U + (n > TI_OPTIONS && info[TI_OPTIONS] & TCPI_OPT_TIMESTAMPS ? 12U : 0U);
}

static ns_t info_us(const uint8_t *info, socklen_t n, size_t at)
{
	uint64_t v;

	if (at + sizeof(v) > n)
		return UNKNOWN;
	memcpy(&v, info + at, sizeof(v));
	return (ns_t)v * NS_PER_US;
}

void stream_facts(int fd, struct stream_facts *ret)
{
	uint8_t info[256];
	socklen_t n = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &n) != 0)
		n = 0;
	ret->rtt = info_us32(info, n, TI_RTT);
	ret->received_rtt = info_us32(info, n, TI_RCV_RTT);
	ret->retransmits = info32(info, n, TI_TOTAL_RETRANS);
	ret->busy = info_us(info, n, TI_BUSY);
	ret->rwnd_limited = info_us(info, n, TI_RWND_LIMITED);
	ret->sndbuf_limited = info_us(info, n, TI_SNDBUF_LIMITED);
	ret->headers = headers_of(fd, info, n);
	ret->sent_segment = info_size(info, n, TI_SND_MSS);
	/* What was received is an estimate that stops at what we have announced, which counts options as payload. */
	ret->received_segment = smaller(info_size(info, n, TI_RCV_MSS), info_size(info, n, TI_ADVMSS));
}

void stream_congestion(int fd, char out[CONGESTION_MAX])
{
	socklen_t n = CONGESTION_MAX - 1;

	memset(out, 0, CONGESTION_MAX);
	if (getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, out, &n) != 0)
		out[0] = '\0';
}
