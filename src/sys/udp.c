/* SPDX-License-Identifier: MIT */
#include "sys/udp.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/fail.h"
#include "sys/sockaddr.h"

static bool set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

static int open_udp(int family)
{
	return socket(family == 6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
}

/* An IPv6 socket does not take IPv4: there is another one for that. */
static bool bind_at(struct udp_socket *s, int family, const struct addr *at)
{
	struct sockaddr_storage sa;
	socklen_t n = sizeof(sa);

	s->family = family;
	if (family == 6)
		set_int(s->fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (bind(s->fd, (struct sockaddr *)&sa, sockaddr_put(&sa, at)) != 0 ||
		getsockname(s->fd, (struct sockaddr *)&sa, &n) != 0)
		return false;
	s->port = sockaddr_get(&sa).port;
	return true;
}

static bool bind_origin(struct udp_socket *s, int family, const struct origin *from)
{
	struct addr at = from->source;

	at.family = (uint8_t)family;
	at.port = 0;
	return (!from->interface || setsockopt(s->fd, SOL_SOCKET, SO_BINDTODEVICE, from->interface,
					    (socklen_t)strlen(from->interface) + 1) == 0) &&
	       bind_at(s, family, &at);
}

bool udp_open(struct udp_socket *s, int family, const struct udp_options *o, struct fault *why)
{
	s->fd = open_udp(family);
	if (s->fd < 0)
		return fail_fault(why, "cannot open a UDP socket", SLICE(""));
	if (!bind_origin(s, family, &o->origin)) {
		fail_fault(why, "cannot open a UDP socket", SLICE(""));
		close(s->fd);
		return false;
	}
	stamping_begin(&s->stamping, s->fd, family, o->stamping);
	stamping_prepare(&s->stamping, true, o->origin.ttl > 0 ? o->origin.ttl : UDP_TTL);
	stamping_room(&s->stamping);
	return true;
}

void udp_take(struct udp_socket *s, int fd, const struct addr *at)
{
	bool v6 = at->family == 6;

	s->fd = fd;
	s->family = at->family;
	s->port = at->port;
	stamping_begin(&s->stamping, fd, at->family, ICMP_STAMP_RECEIPT);
	stamping_prepare(&s->stamping, false, UDP_TTL);
	set_int(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVPKTINFO : IP_PKTINFO, 1);
}

int udp_listen(struct udp_socket *s, const struct addr *at, struct fault *why)
{
	struct addr bound = *at;

	s->fd = open_udp(at->family);
	if (s->fd < 0 || !bind_at(s, at->family, at)) {
		char name[ADDR_TEXT_MAX];
		struct text t;
		int io = fail_io();

		text_init(&t, name, sizeof(name));
		addr_put_port(&t, at);
		fail_fault(why, "cannot answer UDP on", text_view(&t));
		if (s->fd >= 0)
			close(s->fd);
		return io;
	}
	bound.port = s->port;
	udp_take(s, s->fd, &bound);
	return 0;
}

void udp_close(struct udp_socket *s)
{
	close(s->fd);
}

int udp_send(struct udp_socket *s, const void *p, size_t n, const struct addr *to, uint32_t tag)
{
	return stamping_send(&s->stamping, p, n, to, tag, 0);
}

/* The control message by which a packet leaves from @from. */
static void put_source(struct msghdr *m, const struct addr *from, uint32_t scope)
{
	struct cmsghdr *c = m->msg_control;
	struct in_pktinfo v4 = { .ipi_ifindex = 0 };
	struct in6_pktinfo v6 = { .ipi6_ifindex = scope };
	bool is_v6 = from->family == 6;
	size_t n = is_v6 ? sizeof(v6) : sizeof(v4);

	memcpy(&v4.ipi_spec_dst, from->ip, 4);
	memcpy(&v6.ipi6_addr, from->ip, 16);
	*c = (struct cmsghdr){ .cmsg_len = (socklen_t)CMSG_LEN(n), .cmsg_level = is_v6 ? IPPROTO_IPV6 : IPPROTO_IP,
		.cmsg_type = is_v6 ? IPV6_PKTINFO : IP_PKTINFO };
	memcpy(CMSG_DATA(c), is_v6 ? (void *)&v6 : (void *)&v4, n);
	m->msg_controllen = (socklen_t)CMSG_SPACE(n);
}

int udp_answer(struct udp_socket *s, const void *p, size_t n, const struct addr *to, const struct addr *from)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct in6_pktinfo))] = { 0 };
	struct sockaddr_storage sa;
	struct iovec v = { (void *)(uintptr_t)p, n };
	struct msghdr m = { .msg_name = &sa, .msg_namelen = sockaddr_put(&sa, to), .msg_iov = &v, .msg_iovlen = 1,
		.msg_control = control };

	put_source(&m, from, to->scope);
	return sendmsg(s->fd, &m, MSG_NOSIGNAL) < 0 ? fail_io() : 0;
}

bool udp_recv(struct udp_socket *s, struct packet *ret, uint8_t *buf, size_t cap)
{
	return stamping_recv(&s->stamping, ret, buf, cap);
}

bool udp_recv_error(struct udp_socket *s, struct packet *ret, uint8_t *buf, size_t cap)
{
	return stamping_recv_error(&s->stamping, ret, buf, cap);
}

int64_t udp_drops(const struct udp_socket *s)
{
	return stamping_drops(&s->stamping);
}
