/* SPDX-License-Identifier: MIT */
#include "core/slice.h"

#include <string.h>

struct slice slice_of(const char *s)
{
	return (struct slice){ s, strlen(s) };
}

bool slice_eq(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool slice_is(struct slice s, const char *text)
{
	return slice_eq(s, slice_of(text));
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool slice_eq_nocase(struct slice a, struct slice b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

bool slice_starts(struct slice s, struct slice prefix)
{
	return s.n >= prefix.n && slice_eq(slice_head(s, prefix.n), prefix);
}

bool slice_ends_nocase(struct slice s, struct slice suffix)
{
	return s.n >= suffix.n && slice_eq_nocase(slice_from(s, s.n - suffix.n), suffix);
}

struct slice slice_trim(struct slice s)
{
	slice_while(&s, " \t");
	while (s.n > 0 && memchr(" \t", s.p[s.n - 1], 2))
		s.n--;
	return s;
}

size_t slice_find(struct slice s, char c)
{
	const char *at = s.n > 0 ? memchr(s.p, c, s.n) : NULL;

	return at ? (size_t)(at - s.p) : s.n;
}

bool slice_has(struct slice s, char c)
{
	return slice_find(s, c) < s.n;
}

struct slice slice_from(struct slice s, size_t at)
{
	if (at >= s.n)
		return (struct slice){ s.n > 0 ? s.p + s.n : s.p, 0 };
	return (struct slice){ s.p + at, s.n - at };
}

struct slice slice_head(struct slice s, size_t n)
{
	return (struct slice){ s.p, n < s.n ? n : s.n };
}

struct slice slice_cut(struct slice *rest, char c)
{
	size_t at = slice_find(*rest, c);
	struct slice part = slice_head(*rest, at);

	*rest = slice_from(*rest, at + 1);
	return part;
}

static struct slice take(struct slice *rest, const char *set, bool inside)
{
	size_t n = strlen(set), at = 0;
	const char *p = rest->p;

	while (at < rest->n && (memchr(set, p[at], n) != NULL) == inside)
		at++;
	slice_skip(rest, at);
	return (struct slice){ p, at };
}

struct slice slice_until(struct slice *rest, const char *set)
{
	return take(rest, set, false);
}

struct slice slice_while(struct slice *rest, const char *set)
{
	return take(rest, set, true);
}

bool slice_has_any(struct slice s, const char *set)
{
	slice_until(&s, set);
	return s.n > 0;
}

bool slice_has_only(struct slice s, const char *set)
{
	slice_while(&s, set);
	return s.n == 0;
}

unsigned slice_digit(char c)
{
	char small = (char)(c | 0x20);

	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	return small >= 'a' && small <= 'f' ? (unsigned)(small - 'a') + 10 : 16;
}

static bool read_digits(struct slice s, unsigned base, uint64_t *ret)
{
	uint64_t v = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned digit = slice_digit(s.p[i]);

		if (digit >= base || v > (UINT64_MAX - digit) / base)
			return false;
		v = v * base + digit;
	}
	if (s.n > 0)
		*ret = v;
	return s.n > 0;
}

bool slice_uint(struct slice s, uint64_t *ret)
{
	return read_digits(s, 10, ret);
}

bool slice_hex(struct slice s, uint64_t *ret)
{
	return read_digits(s, 16, ret);
}

const char *slice_word(const char *words, size_t i)
{
	while (i-- > 0)
		words += strlen(words) + 1;
	return words;
}

size_t slice_utf8(struct slice s)
{
	uint8_t b = s.n > 0 ? (uint8_t)s.p[0] : 0x80;
	size_t n = b < 0x80 ? 1 : b >= 0xc2 && b < 0xe0 ? 2 : (b & 0xf0) == 0xe0 ? 3 : b >= 0xf0 && b < 0xf5 ? 4 : 0;

	if (n == 0 || n > s.n)
		return 0;
	for (size_t i = 1; i < n; i++)
		if (((uint8_t)s.p[i] & 0xc0) != 0x80)
			return 0;
	if (n > 2) { /* overlong forms, surrogates, beyond U+10FFFF */
		uint8_t c = (uint8_t)s.p[1];

		if ((b == 0xe0 && c < 0xa0) || (b == 0xed && c >= 0xa0))
			return 0;
		if ((b == 0xf0 && c < 0x90) || (b == 0xf4 && c >= 0x90))
			return 0;
	}
	return n;
}
