/* SPDX-License-Identifier: MIT */
#include "core/addr.h"

#include <string.h>

static bool parse4(struct slice s, uint8_t *ret)
{
	uint8_t ip[4];

	for (size_t i = 0; i < 4; i++) {
		size_t at = slice_find(s, '.');
		struct slice part = slice_head(s, at);
		uint64_t v;

		if ((at < s.n) != (i < 3) || !slice_uint(part, &v) || v > 255 || (part.n > 1 && part.p[0] == '0'))
			return false;
		ip[i] = (uint8_t)v;
		s = slice_from(s, at + 1);
	}
	memcpy(ret, ip, sizeof(ip));
	return true;
}

static bool parse_group(struct slice s, uint8_t *ret)
{
	unsigned v = 0;

	if (s.n == 0 || s.n > 4)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		size_t digit = slice_find(SLICE("0123456789abcdefABCDEF"), s.p[i]);

		if (digit == 22)
			return false;
		v = v << 4 | (unsigned)(digit < 16 ? digit : digit - 6);
	}
	ret[0] = (uint8_t)(v >> 8);
	ret[1] = (uint8_t)v;
	return true;
}

/* Groups between single colons into @ip, 16 bytes; *n counts the bytes. A dotted tail only at the end of the address. */
static bool parse_groups(struct slice s, bool tail, uint8_t *ip, size_t *n)
{
	*n = 0;
	while (s.n > 0) {
		size_t at = slice_find(s, ':');
		struct slice part = slice_head(s, at);

		if (at + 1 == s.n)
			return false;
		s = slice_from(s, at + 1);
		if (tail && s.n == 0 && *n <= 12 && parse4(part, ip + *n)) {
			*n += 4;
		} else {
			if (*n > 14 || !parse_group(part, ip + *n))
				return false;
			*n += 2;
		}
	}
	return true;
}

/* @ip: 16 zero bytes, so that a gap needs no more. */
static bool parse6(struct slice s, uint8_t *ip)
{
	uint8_t tail[16];
	size_t gap = 0, n, n_tail;

	while (gap < s.n && !slice_starts(slice_from(s, gap), SLICE("::")))
		gap++;
	if (gap == s.n)
		return parse_groups(s, true, ip, &n) && n == 16;
	if (!parse_groups(slice_head(s, gap), false, ip, &n))
		return false;
	if (!parse_groups(slice_from(s, gap + 2), true, tail, &n_tail) || n + n_tail > 14)
		return false;
	memcpy(ip + 16 - n_tail, tail, n_tail);
	return true;
}

/* ::ffff:0:0/96, RFC 4291 section 2.5.5.2 */
static bool is_mapped(const uint8_t *ip)
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(ip, prefix, sizeof(prefix)) == 0;
}

bool addr_parse(struct slice s, struct addr *ret)
{
	struct addr a = { .family = 4 };

	if (!parse4(s, a.ip)) {
		if (!parse6(s, a.ip))
			return false;
		if (is_mapped(a.ip)) {
			memcpy(a.ip, a.ip + 12, 4);
			memset(a.ip + 4, 0, 12);
		} else {
			a.family = 6;
		}
	}
	*ret = a;
	return true;
}

static void put4(struct text *t, const uint8_t *ip)
{
	for (size_t i = 0; i < 4; i++) {
		if (i > 0)
			text_char(t, '.');
		text_uint(t, ip[i]);
	}
}

static unsigned group_of(const uint8_t *ip, size_t i)
{
	return (unsigned)ip[2 * i] << 8 | ip[2 * i + 1];
}

/* The first of the longest runs of zero groups; a single one does not count (RFC 5952 section 4.2). */
static size_t longest_zeros(const uint8_t *ip, size_t *ret_n)
{
	size_t best = 8, run = 0;

	*ret_n = 1;
	for (size_t i = 0; i < 8; i++) {
		run = group_of(ip, i) == 0 ? run + 1 : 0;
		if (run > *ret_n) {
			*ret_n = run;
			best = i + 1 - run;
		}
	}
	return best;
}

static void put6(struct text *t, const uint8_t *ip)
{
	size_t n, gap = longest_zeros(ip, &n);

	if (is_mapped(ip)) {
		text_str(t, "::ffff:");
		put4(t, ip + 12);
		return;
	}
	for (size_t i = 0; i < 8; i++) {
		if (i == gap) {
			text_str(t, "::");
			i += n - 1;
		} else {
			if (i > 0 && i != gap + n)
				text_char(t, ':');
			text_hex(t, group_of(ip, i));
		}
	}
}

void addr_put(struct text *t, const struct addr *a)
{
	if (a->family == 4)
		put4(t, a->ip);
	if (a->family == 6)
		put6(t, a->ip);
	if (a->family == 6 && a->scope != 0) {
		text_char(t, '%');
		text_uint(t, a->scope);
	}
}

void addr_put_port(struct text *t, const struct addr *a)
{
	text_str(t, a->family == 6 ? "[" : "");
	addr_put(t, a);
	text_str(t, a->family == 6 ? "]:" : ":");
	text_uint(t, a->port);
}

bool addr_same_host(const struct addr *a, const struct addr *b)
{
	if (a->family != b->family || memcmp(a->ip, b->ip, sizeof(a->ip)) != 0)
		return false;
	return a->scope == b->scope || a->scope == 0 || b->scope == 0;
}

static const struct block {
	uint8_t family, bits, reach;
	uint8_t ip[16];
} blocks[] = {
	{ 4, 32, ADDR_UNSPECIFIED, { 0 } },
	{ 4, 8, ADDR_LOOPBACK, { 127 } },
	{ 4, 16, ADDR_LINK_LOCAL, { 169, 254 } },
	{ 4, 8, ADDR_PRIVATE, { 10 } },
	{ 4, 12, ADDR_PRIVATE, { 172, 16 } },
	{ 4, 16, ADDR_PRIVATE, { 192, 168 } },
	{ 4, 10, ADDR_PRIVATE, { 100, 64 } },
	{ 4, 4, ADDR_MULTICAST, { 224 } },
	{ 4, 32, ADDR_MULTICAST, { 255, 255, 255, 255 } },
	{ 6, 128, ADDR_UNSPECIFIED, { 0 } },
	{ 6, 128, ADDR_LOOPBACK, { [15] = 1 } },
	{ 6, 10, ADDR_LINK_LOCAL, { 0xfe, 0x80 } },
	{ 6, 7, ADDR_PRIVATE, { 0xfc } },
	{ 6, 8, ADDR_MULTICAST, { 0xff } },
};

static bool block_holds(const struct block *b, const struct addr *a)
{
	size_t whole = b->bits / 8;
	unsigned shift = 8 - b->bits % 8;

	if (b->family != a->family || memcmp(b->ip, a->ip, whole) != 0)
		return false;
	return shift == 8 || b->ip[whole] >> shift == a->ip[whole] >> shift;
}

enum addr_reach addr_reach(const struct addr *a)
{
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
		if (block_holds(&blocks[i], a))
			return (enum addr_reach)blocks[i].reach;
	return a->family == 0 ? ADDR_UNSPECIFIED : ADDR_PUBLIC;
}
