/* SPDX-License-Identifier: MIT */
/* A run of bytes that somebody else owns. Parsers return slices into their input and copy nothing. */
#ifndef CORE_SLICE_H
#define CORE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slice {
	const char *p; /* not NUL-terminated; may be NULL where n is 0 */
	size_t n;
};

#define SLICE(literal) ((struct slice){ (literal), sizeof(literal) - 1 })

/* The whole of a NUL-terminated string. */
struct slice slice_of(const char *s);

bool slice_eq(struct slice a, struct slice b);

/* Equal, with A-Z and a-z the same; every other byte as it is (RFC 9110 section 5.1). */
bool slice_eq_nocase(struct slice a, struct slice b);

bool slice_starts(struct slice s, struct slice prefix);
bool slice_ends_nocase(struct slice s, struct slice suffix);

/* Without leading and trailing spaces and tabs (OWS of RFC 9110 section 5.6.3). */
struct slice slice_trim(struct slice s);

/* Offset of the first @c, or s.n where there is none. */
size_t slice_find(struct slice s, char c);

/* The bytes from offset @at on; empty where @at is past the end. */
struct slice slice_from(struct slice s, size_t at);

/* The first @n bytes; all of it where @n is past the end. */
struct slice slice_head(struct slice s, size_t n);

/**
 * slice_cut() - Take what stands before the next separator
 * @rest:  what is left; moved behind the separator, emptied after the last part
 * @c:     the separator
 *
 * Return: the part, without the separator. Call while rest->n > 0.
 */
struct slice slice_cut(struct slice *rest, char c);

/**
 * slice_uint() - Read a whole slice as decimal digits
 * @ret:  written only on success
 *
 * Return: false where it is empty, holds anything but 0-9, or does not fit 64 bits.
 */
bool slice_uint(struct slice s, uint64_t *ret);

/* Length of the well-formed UTF-8 sequence at the front (RFC 3629 section 4), 1..4; 0 where there is none. */
size_t slice_utf8(struct slice s);

#endif
