/* SPDX-License-Identifier: MIT */
#include "core/text.h"

#include <string.h>

void text_init(struct text *t, char *buf, size_t cap)
{
	*t = (struct text){ buf, cap, 0, false };
	buf[0] = '\0';
}

void text_slice(struct text *t, struct slice s)
{
	size_t room = t->cap - 1 - t->len;

	if (s.n > room) {
		t->cut = true;
		s.n = room;
	}
	if (s.n > 0)
		memcpy(t->p + t->len, s.p, s.n);
	t->len += s.n;
	t->p[t->len] = '\0';
}

void text_char(struct text *t, char c)
{
	t->cut = t->cut || t->len == t->cap - 1;
	if (t->len < t->cap - 1)
		t->p[t->len++] = c;
	t->p[t->len] = '\0';
}

void text_str(struct text *t, const char *s)
{
	text_slice(t, slice_of(s));
}

void text_digits(struct text *t, uint64_t v, unsigned base, unsigned at_least)
{
	char digits[24];
	size_t at = sizeof(digits);

	do {
		digits[--at] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v > 0 || sizeof(digits) - at < at_least);
	text_slice(t, (struct slice){ digits + at, sizeof(digits) - at });
}

void text_uint(struct text *t, uint64_t v)
{
	text_digits(t, v, 10, 1);
}

/* The magnitude, also of INT64_MIN, which has no positive counterpart. */
static uint64_t magnitude(int64_t v)
{
	return v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
}

void text_int(struct text *t, int64_t v)
{
	text_fixed(t, v, 0, 0);
}

static uint64_t pow10_of(unsigned n)
{
	uint64_t p = 1;

	while (n-- > 0)
		p *= 10;
	return p;
}

void text_fixed(struct text *t, int64_t v, unsigned scale, unsigned decimals)
{
	uint64_t unit = pow10_of(scale - decimals);
	uint64_t rounded = magnitude(v) / unit + (magnitude(v) % unit >= (unit + 1) / 2);
	uint64_t one = pow10_of(decimals);

	if (v < 0 && rounded > 0)
		text_char(t, '-');
	text_uint(t, rounded / one);
	if (decimals > 0) {
		text_char(t, '.');
		text_digits(t, rounded % one, 10, decimals);
	}
}

void text_pad(struct text *t, size_t column)
{
	size_t shown = 0;

	for (size_t i = t->len; i > 0 && t->p[i - 1] != '\n'; i--)
		shown += ((uint8_t)t->p[i - 1] & 0xc0) != 0x80; /* the first byte of a UTF-8 sequence */
	for (; shown < column && !t->cut; shown++)
		text_char(t, ' ');
}

/* C0, DEL and the C1 controls U+0080..U+009F, which some terminals obey. */
static bool is_control(struct slice s)
{
	uint8_t b = (uint8_t)s.p[0];

	return b < 0x20 || b == 0x7f || (b == 0xc2 && s.n > 1 && (uint8_t)s.p[1] < 0xa0);
}

/* The first character of @s, made safe. Return: its bytes in @s. */
size_t text_safe_one(struct text *t, struct slice s)
{
	size_t n = is_control(s) ? 0 : slice_utf8(s);

	if (n == 0) {
		text_str(t, "\\x");
		text_digits(t, (uint8_t)s.p[0], 16, 2);
		return 1;
	}
	text_slice(t, slice_head(s, n));
	return n;
}

static bool is_plain(char c)
{
	return c >= ' ' && c < 0x7f;
}

void text_safe(struct text *t, struct slice s)
{
	while (s.n > 0) {
		size_t n = 0;

		while (n < s.n && is_plain(s.p[n]))
			n++;
		text_slice(t, slice_head(s, n));
		slice_skip(&s, n);
		if (s.n > 0)
			slice_skip(&s, text_safe_one(t, s));
	}
}
