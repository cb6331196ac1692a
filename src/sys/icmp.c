/* SPDX-License-Identifier: MIT */
#include "sys/icmp.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/ip.h"
#include "sys/fail.h"
#include "sys/input.h"
#include "sys/sockaddr.h"

/* From the kernel's headers, which a bare C library does not bring along; the same for both filters. */
#define KERNEL_ICMP_FILTER 1

static int protocol_of(int family)
{
	return family == 6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
}

/* A raw socket is shown every ICMP message of the machine: let through replies and errors only. */
static void filter_raw(int fd, int family)
{
	if (family == 6) {
		uint32_t block[8];

		memset(block, 0xff, sizeof(block));
		block[0] &= ~(1U << 1 | 1U << 2 | 1U << 3 | 1U << 4);
		block[129 / 32] &= ~(1U << 129 % 32);
		setsockopt(fd, IPPROTO_ICMPV6, KERNEL_ICMP_FILTER, block, sizeof(block));
	} else {
		uint32_t block = ~(1U << 0 | 1U << 3 | 1U << 11 | 1U << 12);

		setsockopt(fd, SOL_RAW, KERNEL_ICMP_FILTER, &block, sizeof(block));
	}
}

/* A datagram socket gets its identifier by binding. Reuse is on by default there, and lets others take our replies. */
static bool bind_socket(struct icmp_socket *s, const struct icmp_options *o)
{
	struct sockaddr_storage sa;
	struct addr at = o->origin.source;
	socklen_t n = sizeof(sa);
	int off = 0;

	if (o->origin.interface && setsockopt(s->fd, SOL_SOCKET, SO_BINDTODEVICE, o->origin.interface,
					   (socklen_t)strlen(o->origin.interface) + 1) != 0)
		return false;
	if (at.family == 0)
		at.family = (uint8_t)s->family;
	at.port = 0;
	if (s->method == METHOD_ICMP_RAW) {
		s->id = o->id;
		return o->origin.source.family == 0 || bind(s->fd, (struct sockaddr *)&sa, sockaddr_put(&sa, &at)) == 0;
	}
	if (setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &off, sizeof(off)) != 0 ||
		bind(s->fd, (struct sockaddr *)&sa, sockaddr_put(&sa, &at)) != 0 ||
		getsockname(s->fd, (struct sockaddr *)&sa, &n) != 0)
		return false;
	s->id = sockaddr_get(&sa).port;
	return true;
}

/* ICMPv6 messages with a wrong checksum that this machine has received; 0 where it does not say. */
static int64_t bad_sums_so_far(void)
{
	static char buf[8192];
	struct slice text = input_file("/proc/self/net/snmp6", buf, sizeof(buf));
	uint64_t n = 0;

	while (text.n > 0) {
		struct slice line = slice_cut(&text, '\n');
		struct slice name = slice_until(&line, " \t");

		if (slice_eq(name, SLICE("Icmp6InCsumErrors")))
			slice_uint(slice_trim(line), &n);
	}
	return (int64_t)n;
}

static bool open_as(struct icmp_socket *s, int family, enum method method, const struct icmp_options *o)
{
	int type = method == METHOD_ICMP_RAW ? SOCK_RAW : SOCK_DGRAM;

	s->fd = socket(family == 6 ? AF_INET6 : AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol_of(family));
	if (s->fd < 0)
		return false;
	s->family = family;
	s->method = method;
	if (bind_socket(s, o)) {
		s->bad_sums = bad_sums_so_far();
		if (method == METHOD_ICMP_RAW)
			filter_raw(s->fd, family);
		stamping_begin(&s->stamping, s->fd, family, o->stamping);
		stamping_prepare(&s->stamping, method == METHOD_ICMP_DGRAM, o->origin.ttl);
		stamping_room(&s->stamping);
		return true;
	}
	int error = errno;

	close(s->fd);
	errno = error;
	return false;
}

bool icmp_open(struct icmp_socket *s, int family, const struct icmp_options *o, struct fault *why)
{
	struct text t;

	s->reason[0] = '\0';
	if (o->only != METHOD_ICMP_DGRAM) {
		if (open_as(s, family, METHOD_ICMP_RAW, o))
			return true;
		text_init(&t, s->reason, sizeof(s->reason));
		text_str(&t, "raw ICMP: ");
		fail_put(&t, errno);
		if (o->only == METHOD_ICMP_RAW)
			return fail_fault(why, "cannot open a raw ICMP socket", SLICE(""));
	}
	return open_as(s, family, METHOD_ICMP_DGRAM, o) || fail_fault(why, "cannot open an ICMP socket", SLICE(""));
}

void icmp_close(struct icmp_socket *s)
{
	close(s->fd);
}

int icmp_send(struct icmp_socket *s, const void *p, size_t n, const struct addr *to, uint32_t tag, int ttl)
{
	return stamping_send(&s->stamping, p, n, to, tag, ttl);
}

/* A raw IPv4 socket hands over the IP header too: take it off. */
static bool strip_header(const struct icmp_socket *s, struct packet *pkt)
{
	struct ip4 ip;

	pkt->raw = s->method == METHOD_ICMP_RAW;
	if (!pkt->raw || s->family == 6)
		return true;
	if (!ip4_parse(pkt->p, pkt->n, &ip))
		return false;
	pkt->ttl = ip.ttl;
	pkt->p = ip.payload;
	pkt->n = ip.n;
	return true;
}

bool icmp_recv(struct icmp_socket *s, struct packet *ret, uint8_t *buf, size_t cap)
{
	if (!stamping_recv(&s->stamping, ret, buf, cap))
		return false;
	ret->from.port = 0;
	if (!strip_header(s, ret))
		ret->n = 0;
	return true;
}

bool icmp_recv_error(struct icmp_socket *s, struct packet *ret, uint8_t *buf, size_t cap)
{
	return stamping_recv_error(&s->stamping, ret, buf, cap);
}

int64_t icmp_drops(const struct icmp_socket *s)
{
	int64_t drops = stamping_drops(&s->stamping);

	/* A raw IPv6 socket counts here also what came damaged. */
	if (drops != UNKNOWN && s->family == 6 && s->method == METHOD_ICMP_RAW)
		return drops - ns_min(bad_sums_so_far() - s->bad_sums, drops);
	return drops;
}
