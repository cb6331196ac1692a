/* SPDX-License-Identifier: MIT */
#include "core/csum.h"

#include <string.h>

/*
 * One's complement sums do not care in which order words are added, how wide they are, or in which
 * byte order they are read, as long as the sum is written back in the same one (RFC 1071 section 2).
 * Up to 2^32 words of 32 bits fit the accumulator.
 */
static uint64_t words(uint64_t w)
{
	return (w >> 32) + (uint32_t)w;
}

uint16_t csum_inet(const void *p, size_t n)
{
	const uint8_t *at = p;
	uint64_t sum = 0, w;
	uint8_t b[2];

	for (; n >= sizeof(w); at += sizeof(w), n -= sizeof(w)) {
		memcpy(&w, at, sizeof(w));
		sum += words(w);
	}
	if (n > 0) {
		w = 0;
		memcpy(&w, at, n);
		sum += words(w);
	}
	while (sum >> 16)
		sum = (sum >> 16) + (sum & 0xffff);

	uint16_t folded = (uint16_t)~sum;

	memcpy(b, &folded, sizeof(b));
	return (uint16_t)(b[0] << 8 | b[1]);
}
