/* SPDX-License-Identifier: MIT */
/* What a router appends to an ICMP error (RFC 4884); of its objects the MPLS label stack (RFC 4950). */
#ifndef CORE_ICMP_EXT_H
#define CORE_ICMP_EXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The least that is quoted before an extension, and where one begins that is not told of (RFC 4884 section 5). */
#define ICMP_EXT_AT 128

#define ICMP_LABELS_MAX 8

struct icmp_label {
	uint32_t label; /* 20 bits */
	uint8_t tc;     /* traffic class, 3 bits */
	bool bottom;    /* the last of its stack */
	uint8_t ttl;
};

/* The bytes of an extension, or of what may be one. */
struct icmp_ext {
	const uint8_t *p; /* NULL where there is none */
	size_t n;
	bool marked; /* its place was told; else it stands where those do that are not */
};

/**
 * icmp_ext_find() - Where behind a quoted packet the extension begins
 * @p:      the quote and all that follows, @n bytes
 * @at:     offset in @p as the error tells it, by its length field or through the kernel; 0 where it tells none
 * @usual:  offset in @p where it is looked for then: ICMP_EXT_AT less what was taken off the front of the quote
 */
struct icmp_ext icmp_ext_find(const uint8_t *p, size_t n, size_t at, size_t usual);

/**
 * icmp_ext_labels() - Read the label stack that our packet had when it reached the router, the outermost first
 *
 * Version and checksum must be right; a checksum of 0 is none, and enough only where the extension is marked.
 * Objects of other kinds are passed over, and a broken one ends the search.
 * Return: how many labels; 0 where there are none, or no extension.
 */
size_t icmp_ext_labels(const struct icmp_ext *e, struct icmp_label out[static ICMP_LABELS_MAX]);

#endif
