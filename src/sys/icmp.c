/* SPDX-License-Identifier: MIT */
#include "sys/icmp.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/ip.h"
#include "sys/clock.h"
#include "sys/fail.h"
#include "sys/input.h"
#include "sys/sockaddr.h"

/* From the kernel's headers, which a bare C library does not bring along; the same on all targets we build for. */
enum {
	KERNEL_TIMESTAMPING_OLD = 37,
	KERNEL_TIMESTAMPING_NEW = 65, /* 64-bit time on 32-bit machines, Linux 5.1 */
	KERNEL_MEMINFO = 55,
	KERNEL_MEMINFO_DROPS = 8,
	KERNEL_RCVBUFFORCE = 33,
	KERNEL_ICMP_FILTER = 1,
	KERNEL_ICMP6_FILTER = 1,
	KERNEL_TS_OPT_ID = 81,
	KERNEL_RECVERR_RFC4884 = 26,
	KERNEL_RECVERR_RFC4884_6 = 31,
	KERNEL_ORIGIN_ICMP = 2,
	KERNEL_ORIGIN_ICMP6 = 3,
	KERNEL_ORIGIN_TIMESTAMPING = 4,
	KERNEL_STAMP_LEFT = 0,
	KERNEL_STAMP_SCHED = 1,
};

/* SOF_TIMESTAMPING_ flags (Documentation/networking/timestamping.rst). */
enum {
	STAMP_TX_SOFTWARE = 1 << 1,
	STAMP_RX_SOFTWARE = 1 << 3,
	STAMP_SOFTWARE = 1 << 4,
	STAMP_OPT_ID = 1 << 7,
	STAMP_TX_SCHED = 1 << 8,
	STAMP_OPT_TSONLY = 1 << 11,
};

/* struct sock_extended_err (ip(7)). */
struct queued_error {
	uint32_t error;
	uint8_t origin, type, code, pad;
	uint32_t info, data;
};

/* The default holds 256 replies: more than that at once would be lost inside this machine. */
#define RECEIVE_BUFFER (4 << 20)

static bool set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

static int level_of(int family)
{
	return family == 6 ? IPPROTO_IPV6 : IPPROTO_IP;
}

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
		setsockopt(fd, IPPROTO_ICMPV6, KERNEL_ICMP6_FILTER, block, sizeof(block));
	} else {
		uint32_t block = ~(1U << 0 | 1U << 3 | 1U << 11 | 1U << 12);

		setsockopt(fd, SOL_RAW, KERNEL_ICMP_FILTER, &block, sizeof(block));
	}
}

static void ask_for_stamps(struct icmp_socket *s)
{
	static const int kinds[] = { KERNEL_TIMESTAMPING_NEW, KERNEL_TIMESTAMPING_OLD };
	static const int receipt = STAMP_RX_SOFTWARE | STAMP_SOFTWARE;
	static const int sends[] = { /* in the order of enum icmp_stamping */
		STAMP_TX_SOFTWARE | STAMP_TX_SCHED | STAMP_OPT_ID | STAMP_OPT_TSONLY,
		STAMP_TX_SCHED | STAMP_OPT_ID | STAMP_OPT_TSONLY,
		0,
	};

	for (size_t i = 0; i < 2 && s->stamping == 0; i++)
		if (set_int(s->fd, SOL_SOCKET, kinds[i], receipt | sends[s->asked]) ||
			set_int(s->fd, SOL_SOCKET, kinds[i], receipt))
			s->stamping = kinds[i];
	s->numbered = s->asked != ICMP_STAMP_RECEIPT && s->stamping != 0;
}

/* Everything that may fail without harm. */
static void set_options(struct icmp_socket *s, const struct icmp_options *o)
{
	int level = level_of(s->family);
	bool v6 = s->family == 6;

	set_int(s->fd, level, v6 ? IPV6_RECVERR : IP_RECVERR, s->method == METHOD_ICMP_DGRAM);
	set_int(s->fd, level, v6 ? KERNEL_RECVERR_RFC4884_6 : KERNEL_RECVERR_RFC4884, 1);
	set_int(s->fd, level, v6 ? IPV6_RECVHOPLIMIT : IP_RECVTTL, 1);
	if (o->origin.ttl > 0)
		set_int(s->fd, level, v6 ? IPV6_UNICAST_HOPS : IP_TTL, o->origin.ttl);
	if (!set_int(s->fd, SOL_SOCKET, KERNEL_RCVBUFFORCE, RECEIVE_BUFFER))
		set_int(s->fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);
	if (s->method == METHOD_ICMP_RAW)
		filter_raw(s->fd, s->family);
	ask_for_stamps(s);
}

/* A datagram socket gets its identifier by binding. Reuse is on by default there, and lets others take our replies. */
static bool bind_socket(struct icmp_socket *s, const struct icmp_options *o)
{
	struct sockaddr_storage sa;
	struct addr at = o->origin.source;
	socklen_t n = sizeof(sa);

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
	if (!set_int(s->fd, SOL_SOCKET, SO_REUSEADDR, 0) ||
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
	s->stamping = 0;
	s->asked = o->stamping;
	s->sends = 0;
	if (bind_socket(s, o)) {
		s->bad_sums = bad_sums_so_far();
		set_options(s, o);
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
		text_str(&t, strerror(errno));
		if (o->only == METHOD_ICMP_RAW)
			return fail_fault(why, "cannot open a raw ICMP socket", SLICE(""));
	}
	return open_as(s, family, METHOD_ICMP_DGRAM, o) || fail_fault(why, "cannot open an ICMP socket", SLICE(""));
}

void icmp_close(struct icmp_socket *s)
{
	close(s->fd);
}

static void put_control(struct msghdr *m, int level, int type, uint32_t v)
{
	struct cmsghdr *c = (struct cmsghdr *)((uint8_t *)m->msg_control + m->msg_controllen);

	*c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(v)), .cmsg_level = level, .cmsg_type = type };
	memcpy(CMSG_DATA(c), &v, sizeof(v));
	m->msg_controllen += CMSG_SPACE(sizeof(v));
}

static ssize_t send_once(const struct icmp_socket *s, struct msghdr *m, uint32_t tag, int ttl)
{
	m->msg_controllen = 0;
	if (s->numbered)
		put_control(m, SOL_SOCKET, KERNEL_TS_OPT_ID, tag);
	if (ttl > 0)
		put_control(m, level_of(s->family), s->family == 6 ? IPV6_HOPLIMIT : IP_TTL, (uint32_t)ttl);
	return sendmsg(s->fd, m, MSG_NOSIGNAL);
}

static void note_send(struct icmp_socket *s, uint32_t tag)
{
	s->last_tag = tag;
	s->tags[s->sends++ % ICMP_TAGS] = tag;
}

int icmp_send(struct icmp_socket *s, const void *p, size_t n, const struct addr *to, uint32_t tag, int ttl)
{
	_Alignas(struct cmsghdr) char control[2 * CMSG_SPACE(sizeof(uint32_t))];
	struct sockaddr_storage sa;
	struct iovec v = { (void *)(uintptr_t)p, n };
	struct msghdr m = { .msg_name = &sa, .msg_namelen = sockaddr_put(&sa, to), .msg_iov = &v, .msg_iovlen = 1,
		.msg_control = control };

	for (int tries = 0; tries < 3; tries++) {
		if (send_once(s, &m, tag, ttl) >= 0) {
			if (!s->numbered)
				note_send(s, tag);
			return 0;
		}
		if (errno == EAGAIN || errno == EMSGSIZE || (errno == EINVAL && !s->numbered))
			break;
		/* An older kernel does not know the number that we would give the send. */
		if (errno == EINVAL)
			s->numbered = false;
	}
	return errno == ENOBUFS ? IO_AGAIN : fail_io();
}

/* Three stamps, of which the first is software's; 8 or 16 bytes each, after the kind and the machine. */
static bool read_stamp(const struct cmsghdr *c, ns_t *ret)
{
	struct timespec at;

	if (c->cmsg_len >= CMSG_LEN(48)) {
		int64_t v[2];

		memcpy(v, CMSG_DATA(c), sizeof(v));
		at = (struct timespec){ .tv_sec = (time_t)v[0], .tv_nsec = (long)v[1] };
	} else {
		int32_t v[2];

		memcpy(v, CMSG_DATA(c), sizeof(v));
		at = (struct timespec){ .tv_sec = v[0], .tv_nsec = v[1] };
	}
	return (at.tv_sec != 0 || at.tv_nsec != 0) && clock_from_kernel(&at, ret);
}

static void read_ttl(const struct cmsghdr *c, struct packet *pkt)
{
	bool is_ttl = (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL) ||
		      (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT);

	if (is_ttl)
		memcpy(&pkt->ttl, CMSG_DATA(c), sizeof(pkt->ttl));
}

static bool is_stamp(const struct icmp_socket *s, const struct cmsghdr *c)
{
	return c->cmsg_level == SOL_SOCKET && s->stamping != 0 && c->cmsg_type == s->stamping;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion" /* inside musl's macro */
static struct cmsghdr *next_control(struct msghdr *m, struct cmsghdr *c)
{
	return CMSG_NXTHDR(m, c);
}
#pragma GCC diagnostic pop

static ssize_t receive(int fd, struct msghdr *m, struct iovec *v, int flags)
{
	m->msg_iov = v;
	m->msg_iovlen = 1;
	return recvmsg(fd, m, flags);
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
	_Alignas(struct cmsghdr) char control[512];
	struct sockaddr_storage from;
	struct iovec v = { buf, cap };
	struct msghdr m = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_control = control,
		.msg_controllen = sizeof(control) };
	ssize_t n = receive(s->fd, &m, &v, 0);

	if (n < 0)
		return false;
	*ret = (struct packet){ .kind = PACKET_MESSAGE, .p = buf, .n = (size_t)n, .user = clock_mono(), .ttl = -1 };
	ret->from = sockaddr_get(&from);
	ret->from.port = 0;
	ret->stamp = ret->user;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = next_control(&m, c)) {
		if (is_stamp(s, c))
			ret->kernel_stamp = read_stamp(c, &ret->stamp);
		else
			read_ttl(c, ret);
	}
	if (!strip_header(s, ret))
		ret->n = 0;
	return true;
}

static bool is_error(const struct cmsghdr *c)
{
	return (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
	       (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR);
}

/* Which of our sends the kernel calls number @i. It also counts one that it then refused: it is ahead, and speaks of the last. */
static uint32_t tag_of(struct icmp_socket *s, uint32_t i)
{
	if ((int32_t)(i - s->sends) >= 0) {
		s->sends = i + 1;
		s->tags[i % ICMP_TAGS] = s->last_tag;
	}
	return s->tags[i % ICMP_TAGS];
}

/* struct sock_ee_data_rfc4884 lies in these 32 bits: 16 of them the length before the extension, in host order. */
static size_t ext_of(uint32_t data, size_t n)
{
	uint16_t at;

	memcpy(&at, &data, sizeof(at));
	return at < n ? at : 0;
}

static void read_error(struct icmp_socket *s, const struct cmsghdr *c, struct packet *pkt)
{
	struct queued_error e;

	memcpy(&e, CMSG_DATA(c), sizeof(e));
	if (e.origin == KERNEL_ORIGIN_TIMESTAMPING) {
		pkt->kind = e.info == KERNEL_STAMP_SCHED ? PACKET_SCHED : PACKET_LEFT;
		pkt->id = s->numbered ? e.data : tag_of(s, e.data);
	} else if (e.origin == KERNEL_ORIGIN_ICMP || e.origin == KERNEL_ORIGIN_ICMP6) {
		pkt->type = e.type;
		pkt->code = e.code;
		pkt->info = e.info;
		pkt->ext = ext_of(e.data, pkt->n);
		pkt->from = sockaddr_get(CMSG_DATA(c) + sizeof(e));
	}
}

bool icmp_recv_error(struct icmp_socket *s, struct packet *ret, uint8_t *buf, size_t cap)
{
	_Alignas(struct cmsghdr) char control[512];
	struct sockaddr_storage to;
	struct iovec v = { buf, cap };
	struct msghdr m = { .msg_name = &to, .msg_namelen = sizeof(to), .msg_control = control,
		.msg_controllen = sizeof(control) };
	ssize_t n;

	memset(&to, 0, sizeof(to));
	n = receive(s->fd, &m, &v, MSG_ERRQUEUE);
	if (n < 0)
		return false;
	*ret = (struct packet){ .kind = PACKET_ERROR, .p = buf, .n = (size_t)n, .user = clock_mono(), .ttl = -1 };
	ret->to = sockaddr_get(&to);
	ret->stamp = ret->user;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = next_control(&m, c)) {
		if (is_stamp(s, c))
			ret->kernel_stamp = read_stamp(c, &ret->stamp);
		else if (is_error(c))
			read_error(s, c, ret);
	}
	if (ret->kind != PACKET_ERROR && !ret->kernel_stamp)
		ret->stamp = 0; /* unusable: as if it had not come */
	return true;
}

int64_t icmp_drops(const struct icmp_socket *s)
{
	uint32_t v[KERNEL_MEMINFO_DROPS + 1];
	socklen_t n = sizeof(v);

	if (getsockopt(s->fd, SOL_SOCKET, KERNEL_MEMINFO, v, &n) != 0 || n < sizeof(v))
		return UNKNOWN;
	/* A raw IPv6 socket counts here also what came damaged. */
	if (s->family == 6 && s->method == METHOD_ICMP_RAW)
		return v[KERNEL_MEMINFO_DROPS] - (int64_t)ns_min(bad_sums_so_far() - s->bad_sums, v[KERNEL_MEMINFO_DROPS]);
	return v[KERNEL_MEMINFO_DROPS];
}
