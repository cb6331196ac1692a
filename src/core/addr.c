/* SPDX-License-Identifier: MIT */
#include "core/addr.h"

#include <string.h>

static bool parse4(struct slice s, uint8_t *ret)
{
	uint8_t ip[4];

	for (size_t i = 0; i < 4; i++) {
		bool dot = slice_has(s, '.');
		struct slice part = slice_cut(&s, '.');
		uint64_t v;

		if (dot != (i < 3) || !slice_uint(part, &v) || v > 255 || (part.n > 1 && part.p[0] == '0'))
			return false;
		ip[i] = (uint8_t)v;
	}
	memcpy(ret, ip, sizeof(ip));
	return true;
}

static bool parse_group(struct slice s, uint8_t *ret)
{
	uint64_t v;

	if (s.n > 4 || !slice_hex(s, &v))
		return false;
	ret[0] = (uint8_t)(v >> 8);
	ret[1] = (uint8_t)v;
	return true;
}

/* One group, or a dotted tail where @last; *n counts the bytes in @ip, 16 at most. */
static bool parse_part(struct slice part, bool last, uint8_t *ip, size_t *n)
{
	if (last && *n <= 12 && parse4(part, ip + *n)) {
		*n += 4;
		return true;
	}
	if (*n > 14 || !parse_group(part, ip + *n))
		return false;
	*n += 2;
	return true;
}

static bool parse6(struct slice s, uint8_t *ip)
{
	size_t n = 0, gap = SIZE_MAX;

	if (slice_first(s) == ':') { /* an empty part is a gap; at the front there are two */
		slice_skip(&s, 1);
		if (slice_first(s) != ':')
			return false;
	}
	while (s.n > 0) {
		bool colon = slice_has(s, ':');
		struct slice part = slice_cut(&s, ':');

		if (part.n > 0) {
			if (!parse_part(part, !colon, ip, &n) || (colon && s.n == 0))
				return false;
		} else if (gap == SIZE_MAX) {
			gap = n;
		} else {
			return false;
		}
	}
	if (gap == SIZE_MAX)
		return n == 16;
	memmove(ip + 16 - (n - gap), ip + gap, n - gap);
	memset(ip + gap, 0, 16 - n);
	return n <= 14;
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
			text_digits(t, group_of(ip, i), 16, 1);
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

/* By prefixes; what is left is public. */
static const struct block {
	uint8_t family, bits, reach;
	uint8_t ip[4];
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
	{ 6, 10, ADDR_LINK_LOCAL, { 0xfe, 0x80 } },
	{ 6, 7, ADDR_PRIVATE, { 0xfc } },
	{ 6, 8, ADDR_MULTICAST, { 0xff } },
};

static bool block_holds(const struct block *b, const struct addr *a)
{
	uint32_t differ = 0;

	for (size_t i = 0; i < sizeof(b->ip); i++)
		differ = differ << 8 | (uint32_t)(b->ip[i] ^ a->ip[i]);
	return b->family == a->family && differ >> (32 - b->bits) == 0;
}

enum addr_reach addr_reach(const struct addr *a)
{
	static const uint8_t zeros[15];

	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
		if (block_holds(&blocks[i], a))
			return (enum addr_reach)blocks[i].reach;
	if (memcmp(a->ip, zeros, sizeof(zeros)) != 0 || a->ip[15] > 1)
		return ADDR_PUBLIC;
	return a->ip[15] == 1 ? ADDR_LOOPBACK : ADDR_UNSPECIFIED;
}
