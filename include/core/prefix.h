/* SPDX-License-Identifier: MIT */
/* A network, as the list of its hosts. */
#ifndef CORE_PREFIX_H
#define CORE_PREFIX_H

#include "core/addr.h"

struct prefix {
	struct addr first; /* host, not network */
	uint64_t n;        /* hosts; UINT64_MAX for that many and more */
};

/**
 * prefix_parse() - Read `192.0.2.0/24` or `2001:db8::/120` (RFC 4632, RFC 4291 section 2.3)
 * @ret:  written only on success
 *
 * Bits behind the prefix are ignored. The network and the broadcast address of IPv4 are no hosts, unless the
 * prefix has 31 or 32 bits (RFC 3021). Return: false where it is no address, or the number of bits cannot be.
 */
bool prefix_parse(struct slice s, struct prefix *ret);

/* Host @i < n, counted from 0. */
struct addr prefix_at(const struct prefix *p, uint64_t i);

#endif
