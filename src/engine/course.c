/* SPDX-License-Identifier: MIT */
#include "engine/course.h"

void course_init(struct course *c, ns_t start)
{
	*c = (struct course){ .start = start, .next = 1 };
}

ns_t course_step(const struct course_plan *p)
{
	return ns_min(p->interval / p->hops, COURSE_STEP_MAX);
}

static bool end_is_known(const struct course *c)
{
	return c->reached > 0 || c->wall > 0;
}

unsigned course_last(const struct course_plan *p, const struct course *c)
{
	unsigned open = c->highest + COURSE_GAP;

	if (end_is_known(c))
		return c->reached > 0 ? c->reached : c->wall;
	return open < p->hops ? open : p->hops;
}

static bool is_through(const struct course_plan *p, const struct course *c)
{
	return c->next > course_last(p, c);
}

static bool must_wait(const struct course_plan *p, const struct course *c)
{
	if (c->in_flight == 0)
		return false;
	return p->one_by_one || (c->round == 0 && is_through(p, c) && !end_is_known(c) && c->next <= p->hops);
}

ns_t course_due(const struct course_plan *p, const struct course *c)
{
	bool through = is_through(p, c);
	uint32_t round = c->round + through;

	if (round >= p->rounds || must_wait(p, c))
		return NS_NEVER;
	return c->start + round * p->interval + (through ? 0 : c->next - 1) * course_step(p);
}

uint16_t course_take(const struct course_plan *p, struct course *c, ns_t now)
{
	ns_t late = now - course_due(p, c);

	/* What had to wait must not be made up for in a burst. */
	if (late > course_step(p))
		c->start += late;
	if (is_through(p, c)) {
		c->round++;
		c->next = 1;
	}
	c->in_flight++;
	return c->next++;
}

static void note_highest(struct course *c, uint16_t ttl)
{
	if (ttl > c->highest)
		c->highest = ttl;
}

static void note_least(uint16_t *least, uint16_t ttl)
{
	if (*least == 0 || ttl < *least)
		*least = ttl;
}

void course_met_router(struct course *c, uint16_t ttl)
{
	note_highest(c, ttl);
	if (ttl >= c->wall)
		c->wall = 0;
	if (ttl >= c->reached) /* the path has grown */
		c->reached = 0;
}

void course_met_target(struct course *c, uint16_t ttl)
{
	note_highest(c, ttl);
	note_least(&c->reached, ttl);
	c->arrived = true;
}

void course_met_wall(struct course *c, uint16_t ttl)
{
	note_highest(c, ttl);
	note_least(&c->wall, ttl);
}
