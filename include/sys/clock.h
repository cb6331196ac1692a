/* SPDX-License-Identifier: MIT */
/* Calls: clock_gettime. */
#ifndef SYS_CLOCK_H
#define SYS_CLOCK_H

#include <stdbool.h>
#include <time.h>

#include "core/ns.h"

/* CLOCK_MONOTONIC: what every interval is made of. */
ns_t clock_mono(void);

/**
 * clock_from_kernel() - A kernel packet stamp on the monotonic clock
 * @at:   CLOCK_REALTIME, as SO_TIMESTAMPING gives it
 * @ret:  written only on success
 *
 * Converted by its age, so a step of the wall clock before or after does not matter; a step between the
 * stamp and this call shows as an age that cannot be, and is refused.
 */
bool clock_from_kernel(const struct timespec *at, ns_t *ret);

/* The wall clock at a moment of the monotonic one, in nanoseconds since 1970: for those who write it into packets. */
int64_t clock_unix(ns_t mono);

/* CPU time of this process, user and system. */
ns_t clock_cpu(void);

/* Seconds since 1970, UTC: for people, never for an interval. */
int64_t clock_wall_s(void);

#endif
