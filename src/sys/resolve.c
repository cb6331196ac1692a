/* SPDX-License-Identifier: MIT */
#include "sys/resolve.h"

#include <net/if.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

#include "core/url.h"
#include "sys/fail.h"
#include "sys/sockaddr.h"

#define HOST_MAX 256

static size_t refuse(struct fault *why, const char *what, struct slice object, const char *reason)
{
	fault_set(why, FAULT_HOST, what, object, reason);
	return 0;
}

static uint32_t scope_of(struct slice zone)
{
	char name[IF_NAMESIZE];
	uint64_t index;
	struct text t;

	if (slice_uint(zone, &index))
		return (uint32_t)index;
	text_init(&t, name, sizeof(name));
	text_slice(&t, zone);
	return t.cut ? 0 : if_nametoindex(name);
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

static size_t collect(const struct addrinfo *list, struct addr *v, size_t cap)
{
	size_t n = 0;

	for (const struct addrinfo *i = list; i && n < cap; i = i->ai_next) {
		struct addr a = sockaddr_get(i->ai_addr);

		a.port = 0;
		if (a.family != 0)
			v[n++] = a;
	}
	return n;
}

/*
 * Names are resolved a few times in a run, at its start. Their lists stay: giving them back would be the only
 * use of free(3) in the program, and in a static one that is 8 kB for a hundred bytes.
 */
static void keep(struct addrinfo *list)
{
	static struct addrinfo *kept;
	struct addrinfo *last = list;

	while (last->ai_next)
		last = last->ai_next;
	last->ai_next = kept;
	kept = list;
}

static size_t look_up(struct slice host, int family, struct addr *v, size_t cap, struct fault *why)
{
	struct addrinfo hints = { .ai_family = family == 4 ? AF_INET : family == 6 ? AF_INET6 : AF_UNSPEC,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	char name[HOST_MAX], reason[96];
	struct text t;

	text_init(&t, name, sizeof(name));
	text_slice(&t, host);
	if (t.cut)
		return refuse(why, "cannot resolve", host, ": the name is too long");
	int error = getaddrinfo(name, NULL, &hints, &list);

	if (error != 0) {
		text_init(&t, reason, sizeof(reason));
		text_str(&t, ": ");
		text_str(&t, gai_strerror(error));
		refuse(why, "cannot resolve", host, reason);
		fault_hint(why, "is the name right? an address always works", SLICE(""));
		return 0;
	}
	size_t n = collect(list, v, cap);

	keep(list);
	return n > 0 ? n : refuse(why, "cannot resolve", host, ": it has no address that can be used");
}

size_t resolve(struct slice host, int family, struct addr *v, size_t cap, struct fault *why)
{
	struct slice zone, name = url_host_zone(host, &zone);

	if (addr_parse(name, &v[0]))
		return numeric(&v[0], host, zone, family, why);
	return look_up(host, family, v, cap, why);
}
