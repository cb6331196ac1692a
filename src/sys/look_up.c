/* SPDX-License-Identifier: MIT */
#include "sys/look_up.h"

#include <netdb.h>
#include <sys/socket.h>

#include "sys/sockaddr.h"

static size_t refuse(struct fault *why, struct slice name, const char *reason)
{
	fault_set(why, FAULT_HOST, "cannot resolve", name, reason);
	fault_hint(why, "is the name right? an address always works");
	return 0;
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

size_t look_up(struct slice name, int family, struct addr *v, size_t cap, ns_t timeout, struct fault *why)
{
	struct addrinfo hints = { .ai_family = family == 4 ? AF_INET : family == 6 ? AF_INET6 : AF_UNSPEC,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	char host[256], reason[96];
	struct text t;

	(void)timeout;
	text_init(&t, host, sizeof(host));
	text_slice(&t, name);
	if (t.cut)
		return refuse(why, name, ": the name is too long");
	int error = getaddrinfo(host, NULL, &hints, &list);

	if (error != 0) {
		text_init(&t, reason, sizeof(reason));
		text_str(&t, ": ");
		text_str(&t, gai_strerror(error));
		return refuse(why, name, reason);
	}
	size_t n = collect(list, v, cap);

	freeaddrinfo(list);
	return n > 0 ? n : refuse(why, name, ": it has no address that can be used");
}

bool look_back(const struct addr *a, char name[static DNS_TEXT_MAX], ns_t timeout)
{
	struct sockaddr_storage sa;
	socklen_t n = sockaddr_put(&sa, a);

	(void)timeout;
	if (getnameinfo((struct sockaddr *)&sa, n, name, DNS_TEXT_MAX, NULL, 0, NI_NAMEREQD) != 0)
		name[0] = '\0';
	return name[0] != '\0';
}
