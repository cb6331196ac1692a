/* SPDX-License-Identifier: MIT */
/* The one unit of time: signed monotonic nanoseconds. Any other unit is in the name (_ms, _wall_s). */
#ifndef CORE_NS_H
#define CORE_NS_H

#include <stdint.h>

typedef int64_t ns_t;

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

/* A deadline that never comes. */
#define NS_NEVER INT64_MAX

/* Stands where nothing was measured, in any unit. Nothing that is measured here can be negative. */
#define UNKNOWN INT64_C(-1)

static inline ns_t ns_min(ns_t a, ns_t b)
{
	return a < b ? a : b;
}

static inline ns_t ns_max(ns_t a, ns_t b)
{
	return a > b ? a : b;
}

#endif
