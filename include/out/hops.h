/* SPDX-License-Identifier: MIT */
/* Hops as rows of the live table: what a row is called, and what is said of a hop that is silent. */
#ifndef OUT_HOPS_H
#define OUT_HOPS_H

#include "core/path.h"
#include "out/grid.h"

/* Room for what stands in front of the figures. */
#define HOPS_LABEL_MAX 512

/* How many characters the targets of several paths may take of a line. */
size_t hops_target_width(const struct grid *g);

/**
 * hops_row() - `target   3  router.example` and its figures
 * @label:   HOPS_LABEL_MAX bytes that live as long as the row
 * @target:  cut and filled up to @width characters; with a width of 0 left out, for one path alone
 * @last:    the path ends here: what is lost here is lost
 *
 * The name where there is one, with the address beside it; else the address, or `*` for silence.
 */
void hops_row(const struct grid *g, const struct path_hop *h, const char *target, size_t width, bool last, char *label,
	struct grid_row *ret);

/* A router may well be silent, or answer less than it passes on. */
static inline bool hops_is_calm(bool rate_limited, bool answered, bool last)
{
	return !last && (rate_limited || !answered);
}

#endif
