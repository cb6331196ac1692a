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

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct slice slice_trim(struct slice s)
{
	while (s.n > 0 && is_blank(s.p[0]))
		s = slice_from(s, 1);
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

size_t slice_find(struct slice s, char c)
{
	const char *at = s.n > 0 ? memchr(s.p, c, s.n) : NULL;

	return at ? (size_t)(at - s.p) : s.n;
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

bool slice_uint(struct slice s, uint64_t *ret)
{
	uint64_t v = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned digit = (unsigned)(s.p[i] - '0');

		if (s.p[i] < '0' || s.p[i] > '9' || v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*ret = v;
	return true;
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
