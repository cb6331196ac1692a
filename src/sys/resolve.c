/* SPDX-License-Identifier: MIT */
#include "sys/resolve.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/url.h"
#include "sys/look_up.h"

static size_t refuse(struct fault *why, const char *what, struct slice object, const char *reason)
{
	fault_set(why, FAULT_HOST, what, object, reason);
	return 0;
}

static uint32_t scope_of(struct slice zone)
{
	struct ifreq r = { .ifr_ifindex = 0 };
	uint64_t index;
	struct text t;

	if (slice_uint(zone, &index))
		return (uint32_t)index;
	text_init(&t, r.ifr_name, sizeof(r.ifr_name));
	text_slice(&t, zone);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool known = !t.cut && ioctl(fd, SIOCGIFINDEX, &r) == 0;

	close(fd);
	return known ? (uint32_t)r.ifr_ifindex : 0;
}

static size_t numeric(struct addr *a, struct slice host, struct slice zone, int family, struct fault *why)
{
	if (family != 0 && a->family != family)
		return refuse(why, "", host, family == 4 ? "is not an IPv4 address" : "is not an IPv6 address");
	if (zone.n == 0)
		return 1;
	a->scope = scope_of(zone);
	return a->scope > 0 ? 1 : refuse(why, "there is no network interface", zone, NULL);
}

size_t resolve(struct slice host, int family, struct addr *v, size_t cap, ns_t timeout, struct fault *why)
{
	struct slice zone, name = url_host_zone(host, &zone);

	if (addr_parse(name, &v[0]))
		return numeric(&v[0], host, zone, family, why);
	return look_up(host, family, v, cap, timeout, why);
}
