/* SPDX-License-Identifier: MIT */
/* A numeric host address and a port, by value. */
#ifndef CORE_ADDR_H
#define CORE_ADDR_H

#include "core/text.h"

struct addr {
	uint8_t ip[16]; /* network order; the first four bytes where family is 4, the rest zero */
	uint32_t scope; /* interface index of a link-local IPv6 address, else 0 */
	uint16_t port;  /* host order, 0 for none */
	uint8_t family; /* 4, 6, or 0 for none */
};

/* `255.255.255.255:65535` and `[ffff:…]%4294967295:65535` with their NUL. */
#define ADDR_TEXT_MAX 72

enum addr_reach {
	ADDR_UNSPECIFIED, /* 0.0.0.0, :: */
	ADDR_LOOPBACK,    /* 127/8, ::1 */
	ADDR_LINK_LOCAL,  /* 169.254/16, fe80::/10 */
	ADDR_PRIVATE,     /* RFC 1918, RFC 6598 100.64/10, RFC 4193 fc00::/7 */
	ADDR_MULTICAST,   /* 224/4, 255.255.255.255, ff00::/8 */
	ADDR_PUBLIC,
};

/**
 * addr_parse() - Read an IPv4 dotted quad or an IPv6 address (RFC 4291 section 2.2, dotted tail included)
 * @s:    no brackets, no port, no zone
 * @ret:  written only on success; port and scope 0; an IPv4-mapped IPv6 address becomes IPv4
 *
 * Four decimal parts only: `1`, `127.1`, `0x7f.1` and leading zeros are names, not addresses.
 */
bool addr_parse(struct slice s, struct addr *ret);

/* RFC 5952 text without port; `%N` where there is a scope. */
void addr_put(struct text *t, const struct addr *a);

/* With the port: `192.0.2.1:80`, `[2001:db8::1]:80`, `[fe80::1%2]:80`. */
void addr_put_port(struct text *t, const struct addr *a);

/* The same host: family, address, and scope where both have one; ports are not looked at. */
bool addr_same_host(const struct addr *a, const struct addr *b);

enum addr_reach addr_reach(const struct addr *a);

#endif
