/* SPDX-License-Identifier: MIT */
#include "engine/gather.h"

#define INTERVAL (50 * NS_PER_MS)
#define SHARE_OF_SECOND 100

/* Below this, waking up for each packet costs less than the calls to prevent it. */
#define MARK_MIN (64 << 10)
#define MARK_MAX (1 << 20)

void gather_init(struct gather *g, ns_t now)
{
	*g = (struct gather){ .since = now, .wanted = 1, .set = 1 };
}

static void measure(struct gather *g, ns_t now, uint64_t received)
{
	uint64_t moved = received > g->at ? received - g->at : 0;
	uint64_t n = moved * (uint64_t)(NS_PER_S / SHARE_OF_SECOND) / (uint64_t)(now - g->since);

	g->wanted = n < MARK_MIN ? 1 : n > MARK_MAX ? MARK_MAX : (int)n;
	g->since = now;
	g->at = received;
}

int gather_mark(struct gather *g, ns_t now, uint64_t received, uint64_t coming)
{
	if (received < g->at) {
		g->since = now;
		g->at = received;
	}
	if (now - g->since >= INTERVAL)
		measure(g, now, received);
	int mark = coming == 0 ? 1 : coming < (uint64_t)g->wanted ? (int)coming : g->wanted;

	if (mark == g->set)
		return 0;
	g->set = mark;
	return mark;
}
