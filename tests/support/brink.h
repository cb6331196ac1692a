/* SPDX-License-Identifier: MIT */
/* Pieces of a stream, each ending at an unreadable page: one mapping serves thousands of them. */
#ifndef BRINK_H
#define BRINK_H

#include "guard.h"

#define BRINK_MAX 131072

/* A copy of @n bytes, which is there until the next call. */
static inline const char *brink(const void *bytes, size_t n)
{
	static char nothing[BRINK_MAX];
	static struct guard g;

	assert_true(n <= BRINK_MAX);
	if (!g.base)
		g = guard_of(nothing, sizeof(nothing));
	if (n > 0)
		memcpy(g.p + g.n - n, bytes, n);
	return g.p + g.n - n;
}

#endif
