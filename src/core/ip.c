/* SPDX-License-Identifier: MIT */
#include "core/ip.h"

#define HEADER_MIN 20

bool ip4_parse(const void *p, size_t n, struct ip4 *ret)
{
	const uint8_t *b = p;

	if (n < HEADER_MIN || b[0] >> 4 != 4)
		return false;

	size_t header = (size_t)(b[0] & 0x0f) * 4;
	size_t total = (size_t)(b[2] << 8 | b[3]);

	if (header < HEADER_MIN || header > n || header > total)
		return false;
	*ret = (struct ip4){
		.protocol = b[9],
		.ttl = b[8],
		.src = { b[12], b[13], b[14], b[15] },
		.dst = { b[16], b[17], b[18], b[19] },
		.later_fragment = (b[6] & 0x1f) != 0 || b[7] != 0,
		.cut = total > n,
		.payload = b + header,
		.n = (total < n ? total : n) - header,
	};
	return true;
}
