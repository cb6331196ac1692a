/* SPDX-License-Identifier: MIT */
#include "sys/clock.h"

/* A stamp older than this was not taken for a packet that we just read. */
#define AGE_MAX (30 * NS_PER_S)

/* Two clocks cannot be read at once: an age may come out this much below zero. */
#define AGE_SLACK (2 * NS_PER_US)

#define APART_MAX (2 * NS_PER_US)

static ns_t ns_of(const struct timespec *ts)
{
	return (ns_t)ts->tv_sec * NS_PER_S + ts->tv_nsec;
}

static ns_t read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ns_of(&ts);
}

ns_t clock_mono(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

/* Both clocks at one moment: the wall between two looks at the other, again where we were interrupted. */
static ns_t wall_at(ns_t *ret_mono)
{
	ns_t before, wall, after;

	for (int tries = 0; tries < 4; tries++) {
		before = clock_mono();
		wall = read_clock(CLOCK_REALTIME);
		after = clock_mono();
		if (after - before < APART_MAX)
			break;
	}
	*ret_mono = before + (after - before) / 2;
	return wall;
}

bool clock_from_kernel(const struct timespec *at, ns_t *ret)
{
	ns_t mono;
	ns_t age = wall_at(&mono) - ns_of(at);

	if (age < -AGE_SLACK || age > AGE_MAX)
		return false;
	*ret = mono - age;
	return true;
}

int64_t clock_unix(ns_t mono)
{
	ns_t now;
	ns_t wall = wall_at(&now);

	return wall - (now - mono);
}

ns_t clock_cpu(void)
{
	return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

int64_t clock_wall_s(void)
{
	return read_clock(CLOCK_REALTIME) / NS_PER_S;
}
