/* SPDX-License-Identifier: MIT */
#include "sys/gateway.h"

#include <string.h>

#include "sys/input.h"

/* Columns of the file, and the flag of a route that has a gateway (RTF_GATEWAY). */
enum { DESTINATION = 1, GATEWAY, FLAGS, METRIC = 6, MASK, COLUMNS };
#define HAS_GATEWAY 2

/* All but the metric are hexadecimal, and the addresses as this machine has numbers. */
static bool read_line(struct slice line, uint64_t v[static COLUMNS])
{
	for (size_t i = 0; i < COLUMNS; i++) {
		struct slice word = slice_until(&line, " \t");

		slice_while(&line, " \t");
		if (i > 0 && !(i == METRIC ? slice_uint(word, &v[i]) : slice_hex(word, &v[i])))
			return false;
	}
	return true;
}

bool gateway_find(const char *file, struct addr *ret)
{
	char buf[2048];
	struct slice rest = input_file(file, buf, sizeof(buf));
	uint64_t v[COLUMNS], best = UINT64_MAX;

	while (rest.n > 0) {
		if (!read_line(slice_cut(&rest, '\n'), v) || v[DESTINATION] != 0 || v[MASK] != 0 ||
			!(v[FLAGS] & HAS_GATEWAY) || v[METRIC] >= best)
			continue;
		uint32_t ip = (uint32_t)v[GATEWAY];

		best = v[METRIC];
		*ret = (struct addr){ .family = 4 };
		memcpy(ret->ip, &ip, sizeof(ip));
	}
	return best < UINT64_MAX;
}
