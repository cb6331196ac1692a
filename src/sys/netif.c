/* SPDX-License-Identifier: MIT */
/*
 * Asks the kernel itself (rtnetlink(7)): getifaddrs(3) needs an allocator that gives back, and that
 * is most of what it costs.
 */
#include "sys/netif.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* From linux/netlink.h and linux/rtnetlink.h, which a bare C library does not bring along. */
enum { NL_ROUTE = 0, RTM_NEW_ADDRESS = 20, RTM_GET_ADDRESS = 22, NL_REQUEST = 1, NL_DUMP = 0x300 };
enum { IFA_ADDRESS_ = 1, IFA_LOCAL_ = 2 };

struct nl_header {
	uint32_t len;
	uint16_t type, flags;
	uint32_t seq, pid;
};

struct address_message {
	uint8_t family, prefix, flags, scope;
	uint32_t index;
};

struct attribute {
	uint16_t len, type;
};

static size_t aligned(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

static bool read_attributes(const uint8_t *p, size_t n, size_t ip_len, struct addr *a)
{
	struct attribute at;
	bool found = false;

	for (; n >= sizeof(at); p += aligned(at.len), n -= aligned(at.len)) {
		memcpy(&at, p, sizeof(at));
		if (at.len < sizeof(at) || aligned(at.len) > n)
			break;
		/* On a point-to-point link IFA_ADDRESS is the other end, and IFA_LOCAL comes behind it. */
		if ((at.type == IFA_LOCAL_ || (at.type == IFA_ADDRESS_ && !found)) && at.len == sizeof(at) + ip_len) {
			memcpy(a->ip, p + sizeof(at), ip_len);
			found = true;
		}
	}
	return found;
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
	if (!read_attributes(p + sizeof(m), n - sizeof(m), ret->family == 6 ? 16 : 4, ret))
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
	char name[256];

	if (gethostname(name, sizeof(name) - 1) != 0)
		return;
	name[sizeof(name) - 1] = '\0';
	text_str(t, name);
}
