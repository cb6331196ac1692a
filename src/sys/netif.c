/* SPDX-License-Identifier: MIT */
#include "sys/netif.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <unistd.h>

#include "sys/sockaddr.h"

size_t netif_addresses(struct addr *v, size_t cap)
{
	struct ifaddrs *list;
	size_t n = 0;

	if (getifaddrs(&list) != 0)
		return 0;
	for (const struct ifaddrs *i = list; i && n < cap; i = i->ifa_next) {
		if (!i->ifa_addr || !(i->ifa_flags & IFF_UP))
			continue;
		struct addr a = sockaddr_get(i->ifa_addr);

		if (a.family != 0)
			v[n++] = a;
	}
	freeifaddrs(list);
	return n;
}

void netif_put_name(struct text *t, uint32_t index)
{
	char name[IF_NAMESIZE];

	if (if_indextoname(index, name))
		text_str(t, name);
}

void netif_put_host(struct text *t)
{
	char name[256];

	if (gethostname(name, sizeof(name) - 1) != 0)
		return;
	name[sizeof(name) - 1] = '\0';
	text_str(t, name);
}
