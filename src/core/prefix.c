/* SPDX-License-Identifier: MIT */
#include "core/prefix.h"

/* Add to the last bytes of an address. */
static void add(struct addr *a, uint64_t i)
{
	for (size_t at = a->family == 6 ? 16 : 4; at-- > 0 && i > 0; i >>= 8) {
		i += a->ip[at];
		a->ip[at] = (uint8_t)i;
	}
}

static void mask(struct addr *a, unsigned bits)
{
	for (unsigned i = bits; i < (a->family == 6 ? 128 : 32); i++)
		a->ip[i / 8] &= (uint8_t)~(0x80 >> i % 8);
}

bool prefix_parse(struct slice s, struct prefix *ret)
{
	struct slice head = slice_cut(&s, '/');
	uint64_t bits;
	struct addr a;

	if (!slice_uint(s, &bits) || !addr_parse(head, &a) || bits > (a.family == 6 ? 128 : 32))
		return false;
	unsigned rest = (a.family == 6 ? 128 : 32) - (unsigned)bits;

	mask(&a, (unsigned)bits);
	*ret = (struct prefix){ a, rest < 64 ? UINT64_C(1) << rest : UINT64_MAX };
	if (a.family == 4 && rest > 1) {
		add(&ret->first, 1);
		ret->n -= 2;
	}
	return true;
}

struct addr prefix_at(const struct prefix *p, uint64_t i)
{
	struct addr a = p->first;

	add(&a, i);
	return a;
}
