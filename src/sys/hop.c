/* SPDX-License-Identifier: MIT */
#include "sys/hop.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/fail.h"
#include "sys/sockaddr.h"
#include "sys/stamping.h"

/* From the kernel's headers, as in sys/stamping.c. */
enum {
	KERNEL_RECVERR_RFC4884 = 26,
	KERNEL_RECVERR_RFC4884_6 = 31,
};

/* The error queue of every socket is read in the same way: this one is lent to whichever it is. */
static struct stamping reader;

static bool set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

void hop_begin(void)
{
	static int keeper = -1;

	if (keeper < 0)
		keeper = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (keeper >= 0)
		stamping_begin(&reader, keeper, 4, ICMP_STAMP_RECEIPT);
}

static void set_options(int fd, int family, int ttl)
{
	bool v6 = family == 6;
	int level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;

	set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	set_int(fd, level, v6 ? IPV6_UNICAST_HOPS : IP_TTL, ttl);
	set_int(fd, level, v6 ? IPV6_RECVERR : IP_RECVERR, 1);
	set_int(fd, level, v6 ? KERNEL_RECVERR_RFC4884_6 : KERNEL_RECVERR_RFC4884, 1);
	stamping_begin(&reader, fd, family, ICMP_STAMP_RECEIPT);
}

static int start(int fd, const struct addr *to, const struct origin *from, uint16_t *port, ns_t *ret_stamp)
{
	struct sockaddr_storage sa;
	struct addr at = from->source;

	if (from->interface && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, from->interface,
				       (socklen_t)strlen(from->interface) + 1) != 0)
		return fail_io();
	at.family = to->family;
	at.port = *port;
	if (bind(fd, (struct sockaddr *)&sa, sockaddr_put(&sa, &at)) != 0)
		return fail_io();
	*port = stream_port(fd);
	*ret_stamp = clock_mono();
	return connect(fd, (struct sockaddr *)&sa, sockaddr_put(&sa, to)) == 0 ? 0 : fail_io();
}

int hop_connect(const struct addr *to, const struct origin *from, uint16_t *port, int ttl, ns_t *ret_stamp)
{
	int fd = socket(to->family == 6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return fail_io();
	set_options(fd, to->family, ttl);
	int io = start(fd, to, from, port, ret_stamp);

	if (io == 0 || io == IO_AGAIN)
		return fd;
	close(fd);
	return io;
}

bool hop_error(int fd, struct packet *ret, uint8_t *buf, size_t cap)
{
	reader.fd = fd;
	while (stamping_recv_error(&reader, ret, buf, cap))
		if (ret->kind == PACKET_ERROR && ret->from.family != 0)
			return true;
	return false;
}
