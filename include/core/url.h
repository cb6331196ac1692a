/* SPDX-License-Identifier: MIT */
/* http URLs (RFC 3986, RFC 9110 section 4.2.1), as slices of the caller's text. */
#ifndef CORE_URL_H
#define CORE_URL_H

#include "core/text.h"

struct url {
	struct slice scheme; /* as written: "http", "https", "tcp"…; empty where there is none */
	struct slice host;   /* without brackets; name, IPv4, or IPv6 with its %zone */
	bool literal;        /* the host stood in brackets */
	uint16_t port;       /* 0 where none is given */
	struct slice path;   /* from '/' on with the query, without the fragment; empty where there is none */
};

#define URL_MAX 2048

/**
 * url_parse() - Take apart `[scheme://]host[:port][/path[?query]][#fragment]`
 * @s:    any bytes
 * @ret:  slices into @s; written only on success
 *
 * Refuses control characters, spaces, userinfo, an empty host, a port outside 1..65535, an open
 * bracket, a bracketed host that is no IPv6 address, bare IPv6 with a port, a query without a '/'
 * before it, more than URL_MAX bytes. A scheme allows an empty port: `http://host:/`.
 * A zone may be written %eth0 or %25eth0 (RFC 6874, RFC 9844); the slice then holds it as written.
 * A bare IPv6 address (`::1`, `fe80::1%eth0`) is taken whole as a host without a port.
 *
 * Return: NULL, or the reason as it follows the quoted text: "has a port that is not 1 to 65535".
 */
const char *url_parse(struct slice s, struct url *ret);

/**
 * url_resolve() - Follow a reference (RFC 3986 section 5.2) from a base URL
 * @base:  an http URL
 * @ref:   a Location or an href: absolute, `//host/path`, `/path`, `path`, `?query`, `../x`
 * @out:   appended: a whole URL with dot segments removed and the fragment dropped; spaces and
 *         control characters of the path become %20 and the like, so that it can be requested
 */
void url_resolve(const struct url *base, struct slice ref, struct text *out);

/* The Host field's value: brackets where needed, the zone left out, the port where it is not 80. */
void url_put_host(struct text *t, struct slice host, uint16_t port);

/* The host without its zone; *ret_zone gets what follows % or %25, empty for none. */
struct slice url_host_zone(struct slice host, struct slice *ret_zone);

/* Append with %XX as the byte that it stands for (RFC 3986 section 2.1). False for another % and for a byte NUL. */
bool url_decode(struct text *t, struct slice s);

#endif
