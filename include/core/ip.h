/* SPDX-License-Identifier: MIT */
/* A raw IPv4 socket hands over the IP header, every other socket does not: after this both look the same. */
#ifndef CORE_IP_H
#define CORE_IP_H

#include "core/wire.h"

struct ip4 {
	uint8_t protocol;
	uint8_t ttl;
	uint8_t src[4], dst[4];
	bool cut;               /* the total length says more than was received */
	bool later_fragment;    /* not the first one: the payload does not start with the protocol's header */
	const uint8_t *payload; /* behind the options, at the IHL; in the caller's bytes */
	size_t n;               /* payload bytes: the total length's, at most what is there */
};

/**
 * ip4_parse() - Read an IPv4 header (RFC 791 section 3.1)
 * @ret:  written only on success
 *
 * A quoted header in an ICMP error is routinely longer in its total length than the quote: that is `cut`.
 * Return: false where version, IHL or length cannot be.
 */
bool ip4_parse(const void *p, size_t n, struct ip4 *ret);

#endif
