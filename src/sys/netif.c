/* SPDX-License-Identifier: MIT */
/*
 * Asks the kernel itself (rtnetlink(7)): getifaddrs(3) needs an allocator that gives back, and that
 * is most of what it costs.
 */
#include "sys/netif.h"

#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/text_put.h"
#include "sys/input.h"
#include "sys/sockaddr.h"

/* From linux/netlink.h and linux/rtnetlink.h, which a bare C library does not bring along. */
enum { NL_ROUTE = 0, RTM_NEW_ADDRESS = 20, RTM_GET_ADDRESS = 22, NL_REQUEST = 1, NL_DUMP = 0x300 };
enum { IFA_ADDRESS_ = 1, IFA_LOCAL_ = 2 };
enum { RTM_NEW_ROUTE = 24, RTM_GET_ROUTE = 26, RTA_DST_ = 1, RTA_SRC_ = 2, RTA_OIF_ = 4 };

/* Mbit/s. No port is so fast: older kernels write -1 as an unsigned number of 16 or of 32 bits. */
#define SPEED_UNKNOWN 65535
#define SPEED_MAX 10000000

struct nl_header {
	uint32_t len;
	uint16_t type, flags;
	uint32_t seq, pid;
};

struct address_message {
	uint8_t family, prefix, flags, scope;
	uint32_t index;
};

struct route_message {
	uint8_t family, dst_len, src_len, tos, table, protocol, scope, type;
	uint32_t flags;
};

struct attribute {
	uint16_t len, type;
};

static size_t aligned(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

/* The attribute of this type and of exactly this length, among those in the @n bytes at @p. */
static bool find_attribute(const uint8_t *p, size_t n, int type, void *ret, size_t len)
{
	struct attribute at;

	for (; n >= sizeof(at); p += aligned(at.len), n -= aligned(at.len)) {
		memcpy(&at, p, sizeof(at));
		if (at.len < sizeof(at) || aligned(at.len) > n)
			break;
		if (at.type == type && at.len == sizeof(at) + len) {
			memcpy(ret, p + sizeof(at), len);
			return true;
		}
	}
	return false;
}

static bool read_address(const uint8_t *p, size_t n, struct addr *ret)
{
	struct address_message m;

	if (n < sizeof(m))
		return false;
	memcpy(&m, p, sizeof(m));
	if (m.family != AF_INET && m.family != AF_INET6)
		return false;
	*ret = (struct addr){ .family = m.family == AF_INET6 ? 6 : 4 };
	size_t len = ret->family == 6 ? 16 : 4;

	/* On a point-to-point link IFA_ADDRESS is the other end. */
	if (!find_attribute(p + sizeof(m), n - sizeof(m), IFA_LOCAL_, ret->ip, len) &&
		!find_attribute(p + sizeof(m), n - sizeof(m), IFA_ADDRESS_, ret->ip, len))
		return false;
	ret->scope = addr_reach(ret) == ADDR_LINK_LOCAL && ret->family == 6 ? m.index : 0;
	return true;
}

/* Return: whether the list goes on in another datagram. */
static bool read_messages(const uint8_t *p, size_t n, struct addr *v, size_t cap, size_t *count)
{
	struct nl_header h;

	for (; n >= sizeof(h); p += aligned(h.len), n -= aligned(h.len)) {
		memcpy(&h, p, sizeof(h));
		if (h.len < sizeof(h) || h.len > n || h.type != RTM_NEW_ADDRESS)
			return false;
		if (*count < cap && read_address(p + sizeof(h), h.len - sizeof(h), &v[*count]))
			++*count;
		if (aligned(h.len) >= n)
			break;
	}
	return true;
}

size_t netif_addresses(struct addr *v, size_t cap)
{
	static uint8_t buf[8192];
	struct {
		struct nl_header h;
		struct address_message m;
	} ask = { { sizeof(ask), RTM_GET_ADDRESS, NL_REQUEST | NL_DUMP, 1, 0 }, { 0, 0, 0, 0, 0 } };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NL_ROUTE);
	size_t count = 0;
	bool more = fd >= 0 && send(fd, &ask, sizeof(ask), 0) == (ssize_t)sizeof(ask);

	while (more) {
		ssize_t n = recv(fd, buf, sizeof(buf), 0);

		more = n > 0 && read_messages(buf, (size_t)n, v, cap, &count);
	}
	if (fd >= 0)
		close(fd);
	return count;
}

void netif_put_host(struct text *t)
{
	struct utsname system;

	if (uname(&system) == 0)
		text_str(t, system.nodename);
}

static size_t put_attribute(uint8_t *p, int type, const void *value, size_t len)
{
	struct attribute at = { (uint16_t)(sizeof(at) + len), (uint16_t)type };

	memcpy(p, &at, sizeof(at));
	memcpy(p + sizeof(at), value, len);
	return at.len;
}

/* "By which interface would a packet from @from to @to leave?" Return: the length of the question. */
static size_t put_route_question(uint8_t *p, const struct addr *from, const struct addr *to)
{
	uint8_t len = to->family == 6 ? 16 : 4, bits = (uint8_t)(len * 8);
	struct route_message m = { .family = to->family == 6 ? AF_INET6 : AF_INET, .dst_len = bits, .src_len = bits };
	struct nl_header h = { 0, RTM_GET_ROUTE, NL_REQUEST, 1, 0 };
	size_t n = sizeof(h);

	memcpy(p + n, &m, sizeof(m));
	n += sizeof(m);
	n += put_attribute(p + n, RTA_DST_, to->ip, len);
	n += put_attribute(p + n, RTA_SRC_, from->ip, len);
	if (to->scope > 0)
		n += put_attribute(p + n, RTA_OIF_, &to->scope, sizeof(to->scope));
	h.len = (uint32_t)n;
	memcpy(p, &h, sizeof(h));
	return n;
}

/* The index in the kernel's answer; 0 where it is another one. */
static uint32_t read_route(const uint8_t *p, size_t n)
{
	const size_t head = sizeof(struct nl_header) + sizeof(struct route_message);
	struct nl_header h;
	uint32_t index = 0;

	if (n < head)
		return 0;
	memcpy(&h, p, sizeof(h));
	if (h.type != RTM_NEW_ROUTE || h.len < head || h.len > n)
		return 0;
	find_attribute(p + head, h.len - head, RTA_OIF_, &index, sizeof(index));
	return index;
}

static uint32_t route_of(const struct addr *from, const struct addr *to)
{
	uint8_t buf[1024];
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NL_ROUTE);

	if (fd < 0)
		return 0;
	size_t asked = put_route_question(buf, from, to);
	ssize_t n = send(fd, buf, asked, 0) == (ssize_t)asked ? recv(fd, buf, sizeof(buf), 0) : -1;

	close(fd);
	return n > 0 ? read_route(buf, (size_t)n) : 0;
}

static bool read_name(int fd, char name[16])
{
	struct sockaddr_storage from, to;
	socklen_t name_n = 16, from_n = sizeof(from), to_n = sizeof(to);
	struct ifreq r = { .ifr_ifindex = 0 };

	if (getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &name_n) == 0 && name_n > 0)
		return true;
	if (getsockname(fd, (struct sockaddr *)&from, &from_n) != 0 || getpeername(fd, (struct sockaddr *)&to, &to_n) != 0)
		return false;
	struct addr a = sockaddr_get(&from), b = sockaddr_get(&to);

	r.ifr_ifindex = (int)route_of(&a, &b);
	if (ioctl(fd, SIOCGIFNAME, &r) != 0)
		return false;
	memcpy(name, r.ifr_name, 16);
	return true;
}

/* The path of a file about the interface. */
static const char *about(const char *folder, const struct netif_link *link, const char *file)
{
	static char path[256];
	struct text t;

	text_init(&t, path, sizeof(path));
	text_put(&t, "%s/%s/%s", folder, link->name, file);
	return path;
}

void netif_link_read(const char *folder, struct netif_link *link)
{
	char buf[32];
	uint64_t speed;

	link->bits_per_second = UNKNOWN;
	link->wireless = access(about(folder, link, "phy80211"), F_OK) == 0 ||
			 access(about(folder, link, "wireless"), F_OK) == 0;
	if (access(about(folder, link, "device"), F_OK) != 0)
		return;
	struct slice text = input_file(about(folder, link, "speed"), buf, sizeof(buf));
	if (slice_uint(slice_cut(&text, '\n'), &speed) && speed > 0 && speed <= SPEED_MAX && speed != SPEED_UNKNOWN)
		link->bits_per_second = (int64_t)speed * 1000000;
}

bool netif_link_of(int fd, struct netif_link *ret)
{
	struct netif_link link = { .bits_per_second = UNKNOWN };

	if (!read_name(fd, link.name))
		return false;
	netif_link_read("/sys/class/net", &link);
	*ret = link;
	return true;
}
