/* SPDX-License-Identifier: MIT */
/*
 * How far to probe a path, and when: hop after hop and round after round, on absolute deadlines, but no farther than
 * there is anything to find.
 *
 * The end is the target; or a wall, where an error said that the way ends, until a router there answers again; or
 * COURSE_GAP hops behind the last one that answered. In the first round nobody knows how far that will be: what is
 * still under way is waited for before the path is taken to end in silence.
 */
#ifndef ENGINE_COURSE_H
#define ENGINE_COURSE_H

#include "core/ns.h"

#include <stdbool.h>

/* Hops that never answered, in a row. */
#define COURSE_GAP 8

/* Probes of one round follow one another no more slowly than this. */
#define COURSE_STEP_MAX (50 * NS_PER_MS)

#define COURSE_HOPS_MAX 255

struct course_plan {
	ns_t interval;   /* between two probes of one hop, > 0 */
	uint32_t rounds; /* > 0 */
	unsigned hops;   /* the greatest TTL, 1..COURSE_HOPS_MAX */
	bool one_by_one; /* at most one probe under way */
};

struct course {
	ns_t start;         /* of the first round; moves where the schedule had to wait */
	uint32_t round;     /* from 0 */
	uint32_t in_flight; /* the caller counts it down */
	uint16_t next;      /* TTL of the next probe in this round */
	uint16_t reached;   /* the least TTL that takes a probe to the target; 0 for none */
	bool arrived;       /* one ever did */
	uint16_t wall;      /* the least one that met a wall; 0 for none */
	uint16_t highest;   /* the greatest one that was answered; 0 for none */
};

void course_init(struct course *c, ns_t start);

/* The time between two hops of one round. */
ns_t course_step(const struct course_plan *p);

/* The farthest hop that is worth a probe, as far as is known. */
unsigned course_last(const struct course_plan *p, const struct course *c);

/* When the next probe is due; NS_NEVER while it has to wait for what is in flight, and when all is sent. */
ns_t course_due(const struct course_plan *p, const struct course *c);

/* It is due, and sent at @now. Return: its TTL; c->round is its round. */
uint16_t course_take(const struct course_plan *p, struct course *c, ns_t now);

/* The probe that went so far was answered: by a router, by the target, or by whoever is the wall. */
void course_met_router(struct course *c, uint16_t ttl);
void course_met_target(struct course *c, uint16_t ttl);
void course_met_wall(struct course *c, uint16_t ttl);

#endif
