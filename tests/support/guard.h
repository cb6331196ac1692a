/* SPDX-License-Identifier: MIT */
/* Input that ends at a page nobody may read: one byte too far is a crash, not a pass. */
#ifndef GUARD_H
#define GUARD_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

struct guard {
	char *base;
	size_t mapped;
	char *p; /* the bytes, ending where the unreadable page begins */
	size_t n;
};

static inline struct guard guard_of(const void *bytes, size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t room = (n + page - 1) / page * page;
	struct guard g = { NULL, room + page, NULL, n };

	g.base = mmap(NULL, g.mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (g.base == MAP_FAILED || mprotect(g.base + room, page, PROT_NONE) != 0)
		abort();
	g.p = g.base + room - n;
	if (n > 0)
		memcpy(g.p, bytes, n);
	return g;
}

static inline void guard_free(struct guard *g)
{
	munmap(g->base, g->mapped);
}

#endif
