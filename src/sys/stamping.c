/* SPDX-License-Identifier: MIT */
#include "sys/stamping.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "sys/clock.h"
#include "sys/fail.h"
#include "sys/sockaddr.h"

/* From the kernel's headers, which a bare C library does not bring along; the same on all targets we build for. */
enum {
	KERNEL_TIMESTAMPING_OLD = 37,
	KERNEL_TIMESTAMPING_NEW = 65, /* 64-bit time on 32-bit machines, Linux 5.1 */
	KERNEL_MEMINFO = 55,
	KERNEL_MEMINFO_DROPS = 8,
	KERNEL_RCVBUFFORCE = 33,
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

void stamping_begin(struct stamping *s, int fd, int family, enum icmp_stamping asked)
{
	static const int kinds[] = { KERNEL_TIMESTAMPING_NEW, KERNEL_TIMESTAMPING_OLD };
	static const int receipt = STAMP_RX_SOFTWARE | STAMP_SOFTWARE;
	static const int sends[] = { /* in the order of enum icmp_stamping */
		STAMP_TX_SOFTWARE | STAMP_TX_SCHED | STAMP_OPT_ID | STAMP_OPT_TSONLY,
		STAMP_TX_SCHED | STAMP_OPT_ID | STAMP_OPT_TSONLY,
		0,
	};

	s->fd = fd;
	s->family = family;
	s->type = 0;
	s->asked = asked;
	s->sends = 0;
	for (size_t i = 0; i < 2 && s->type == 0; i++)
		if (set_int(fd, SOL_SOCKET, kinds[i], receipt | sends[s->asked]) ||
			set_int(fd, SOL_SOCKET, kinds[i], receipt))
			s->type = kinds[i];
	s->numbered = s->asked != ICMP_STAMP_RECEIPT && s->type != 0;
}

void stamping_prepare(const struct stamping *s, bool errors, int ttl)
{
	int level = level_of(s->family);
	bool v6 = s->family == 6;

	set_int(s->fd, level, v6 ? IPV6_RECVERR : IP_RECVERR, errors);
	set_int(s->fd, level, v6 ? KERNEL_RECVERR_RFC4884_6 : KERNEL_RECVERR_RFC4884, 1);
	set_int(s->fd, level, v6 ? IPV6_RECVHOPLIMIT : IP_RECVTTL, 1);
	if (ttl > 0)
		set_int(s->fd, level, v6 ? IPV6_UNICAST_HOPS : IP_TTL, ttl);
}

void stamping_room(const struct stamping *s)
{
	if (!set_int(s->fd, SOL_SOCKET, KERNEL_RCVBUFFORCE, RECEIVE_BUFFER))
		set_int(s->fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);
}

static void put_control(struct msghdr *m, int level, int type, uint32_t v)
{
	struct cmsghdr *c = (struct cmsghdr *)((uint8_t *)m->msg_control + m->msg_controllen);

	*c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(v)), .cmsg_level = level, .cmsg_type = type };
	memcpy(CMSG_DATA(c), &v, sizeof(v));
	m->msg_controllen += CMSG_SPACE(sizeof(v));
}

static ssize_t send_once(const struct stamping *s, struct msghdr *m, uint32_t tag, int ttl)
{
	m->msg_controllen = 0;
	if (s->numbered)
		put_control(m, SOL_SOCKET, KERNEL_TS_OPT_ID, tag);
	if (ttl > 0)
		put_control(m, level_of(s->family), s->family == 6 ? IPV6_HOPLIMIT : IP_TTL, (uint32_t)ttl);
	return sendmsg(s->fd, m, MSG_NOSIGNAL);
}

static void note_send(struct stamping *s, uint32_t tag)
{
	s->last_tag = tag;
	s->tags[s->sends++ % STAMPING_TAGS] = tag;
}

int stamping_send(struct stamping *s, const void *p, size_t n, const struct addr *to, uint32_t tag, int ttl)
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

/* Which address was asked; none where the packet was for more machines than this one. */
static void read_to(const struct cmsghdr *c, struct packet *pkt)
{
	if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		struct in_pktinfo i;

		memcpy(&i, CMSG_DATA(c), sizeof(i));
		if (i.ipi_addr.s_addr != i.ipi_spec_dst.s_addr)
			return;
		pkt->to.family = 4;
		memcpy(pkt->to.ip, &i.ipi_addr, 4);
	} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
		struct in6_pktinfo i;

		memcpy(&i, CMSG_DATA(c), sizeof(i));
		if (IN6_IS_ADDR_MULTICAST(&i.ipi6_addr))
			return;
		pkt->to.family = 6;
		memcpy(pkt->to.ip, &i.ipi6_addr, 16);
	}
}

static bool is_stamp(const struct stamping *s, const struct cmsghdr *c)
{
	return c->cmsg_level == SOL_SOCKET && s->type != 0 && c->cmsg_type == s->type;
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

bool stamping_recv(struct stamping *s, struct packet *ret, uint8_t *buf, size_t cap)
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
	ret->stamp = ret->user;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = next_control(&m, c)) {
		if (is_stamp(s, c))
			ret->kernel_stamp = read_stamp(c, &ret->stamp);
		read_ttl(c, ret);
		read_to(c, ret);
	}
	return true;
}

static bool is_error(const struct cmsghdr *c)
{
	return (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
	       (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR);
}

/*
 * Which of our sends the kernel calls number @i. It also counts one that it then refused: it is ahead, and speaks of
 * the last.
 */
static uint32_t tag_of(struct stamping *s, uint32_t i)
{
	if ((int32_t)(i - s->sends) >= 0) {
		s->sends = i + 1;
		s->tags[i % STAMPING_TAGS] = s->last_tag;
	}
	return s->tags[i % STAMPING_TAGS];
}

/* struct sock_ee_data_rfc4884 lies in these 32 bits: 16 of them the length before the extension, in host order. */
static size_t ext_of(uint32_t data, size_t n)
{
	uint16_t at;

	memcpy(&at, &data, sizeof(at));
	return at < n ? at : 0;
}

static void read_error(struct stamping *s, const struct cmsghdr *c, struct packet *pkt)
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

bool stamping_recv_error(struct stamping *s, struct packet *ret, uint8_t *buf, size_t cap)
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

int64_t stamping_drops(const struct stamping *s)
{
	uint32_t v[KERNEL_MEMINFO_DROPS + 1];
	socklen_t n = sizeof(v);

	if (getsockopt(s->fd, SOL_SOCKET, KERNEL_MEMINFO, v, &n) != 0 || n < sizeof(v))
		return UNKNOWN;
	return v[KERNEL_MEMINFO_DROPS];
}
