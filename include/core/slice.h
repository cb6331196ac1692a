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

/* The first byte; NUL where there is none. */
static inline char slice_first(struct slice s)
{
	return s.n > 0 ? s.p[0] : '\0';
}

/* Move @s behind its first @n bytes; it has as many. */
static inline void slice_skip(struct slice *s, size_t n)
{
	s->p += n;
	s->n -= n;
}

bool slice_eq(struct slice a, struct slice b);

/* The same bytes as a NUL-terminated string. */
bool slice_is(struct slice s, const char *text);

/* Equal, with A-Z and a-z the same; every other byte as it is (RFC 9110 section 5.1). */
bool slice_eq_nocase(struct slice a, struct slice b);

bool slice_starts(struct slice s, struct slice prefix);
bool slice_ends_nocase(struct slice s, struct slice suffix);

/* Without leading and trailing spaces and tabs (OWS of RFC 9110 section 5.6.3). */
struct slice slice_trim(struct slice s);

/* Offset of the first @c, or s.n where there is none. */
size_t slice_find(struct slice s, char c);

/* Is @c in it? */
bool slice_has(struct slice s, char c);

/* Does it hold a byte of @set? And nothing else? */
bool slice_has_any(struct slice s, const char *set);
bool slice_has_only(struct slice s, const char *set);

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

/* What stands before the first byte of @set, and what is of @set alone; *rest is left with the others. */
struct slice slice_until(struct slice *rest, const char *set);
struct slice slice_while(struct slice *rest, const char *set);

/**
 * slice_uint() - Read a whole slice as decimal digits
 * @ret:  written only on success
 *
 * Return: false where it is empty, holds anything but 0-9, or does not fit 64 bits.
 */
bool slice_uint(struct slice s, uint64_t *ret);

/* The same in hexadecimal, without prefix, in either case. */
bool slice_hex(struct slice s, uint64_t *ret);

/* What a hexadecimal digit is worth, 0..15; 16 where @c is none. */
unsigned slice_digit(char c);

/* String @i of those that stand one behind another in @words, each with its NUL: a table without pointers. */
const char *slice_word(const char *words, size_t i);

/* Length of the well-formed UTF-8 sequence at the front (RFC 3629 section 4), 1..4; 0 where there is none. */
size_t slice_utf8(struct slice s);

#endif
