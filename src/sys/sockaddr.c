/* SPDX-License-Identifier: MIT */
#include "sys/sockaddr.h"

#include <netinet/in.h>
#include <string.h>

socklen_t sockaddr_put(struct sockaddr_storage *out, const struct addr *a)
{
	memset(out, 0, sizeof(*out));
	if (a->family == 6) {
		struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(a->port), .sin6_scope_id = a->scope };

		memcpy(&in6.sin6_addr, a->ip, 16);
		memcpy(out, &in6, sizeof(in6));
		return sizeof(in6);
	}
	struct sockaddr_in in4 = { .sin_family = AF_INET, .sin_port = htons(a->port) };

	memcpy(&in4.sin_addr, a->ip, 4);
	memcpy(out, &in4, sizeof(in4));
	return sizeof(in4);
}

static struct addr get6(const struct sockaddr_in6 *in6)
{
	struct addr a = { .port = ntohs(in6->sin6_port) };
	const uint8_t *ip = in6->sin6_addr.s6_addr;

	if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
		a.family = 4;
		memcpy(a.ip, ip + 12, 4);
		return a;
	}
	a.family = 6;
	a.scope = in6->sin6_scope_id;
	memcpy(a.ip, ip, 16);
	return a;
}

struct addr sockaddr_get(const void *sa)
{
	sa_family_t family;

	memcpy(&family, (const char *)sa + offsetof(struct sockaddr, sa_family), sizeof(family));
	if (family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, sa, sizeof(in6));
		return get6(&in6);
	}
	struct addr a = { .family = 0 };

	if (family == AF_INET) {
		struct sockaddr_in in4;

		memcpy(&in4, sa, sizeof(in4));
		a.family = 4;
		a.port = ntohs(in4.sin_port);
		memcpy(a.ip, &in4.sin_addr, 4);
	}
	return a;
}
