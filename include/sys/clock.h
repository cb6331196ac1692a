/* SPDX-License-Identifier: MIT */
/* Calls: clock_gettime. */
#ifndef SYS_CLOCK_H
#define SYS_CLOCK_H

#include <time.h>

#include "core/ns.h"
#include "core/text.h"

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

/* CPU time of this process, user and system. */
ns_t clock_cpu(void);

/* `2026-01-31T12:00:00Z`: for people, never for an interval. */
void clock_put_wall(struct text *t);

#endif
