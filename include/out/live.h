/* SPDX-License-Identifier: MIT */
/*
 * A table that redraws itself in place on a terminal: a header, a line for each target, a last line with the sums.
 * It takes no more lines than it needs, touches nothing above it, and its last frame stays as the result.
 *
 * A frame is made in three steps: live_begin(), live_offer() for every row, live_draw() for those that were chosen.
 * A row is a target, or a hop on the way to one. With more rows than lines those that are silent or lose most are
 * shown, in the order in which they were offered.
 */
#ifndef OUT_LIVE_H
#define OUT_LIVE_H

#include "out/grid.h"
#include "out/rank.h"

/* The most rows in one frame, and room for a frame of so many. */
#define LIVE_ROWS RANK_MAX
#define LIVE_FRAME_MAX (64 << 10)

/* Between two frames: faster nobody reads. */
#define LIVE_INTERVAL (200 * NS_PER_MS)

/* Zeroed before the first frame. */
struct live {
	struct grid grid; /* utf8 and color are set by the caller */
	const char *what; /* a row is; NULL for "target" */
	/* private */
	size_t offered, silent, lossy; /* in all */
	uint64_t sent, lost;
	size_t lines; /* of the frame on the screen */
	bool clear;
	/* public again, and large */
	struct rank rank; /* the choice: rank.n rows, in rank.v */
};

/* What the choice and the sums are made of. */
struct live_health {
	const struct spark *spark;
	uint64_t sent, answered, lost; /* late answers are answers; what is in flight is neither */
	bool failed;                   /* there is nothing to probe: the name has no address */
	bool calm;                     /* what it has lost is no reason to worry */
	bool main;                     /* of those without losses the first to be shown */
};

/* Something else was written since: the next frame begins where the cursor is. */
void live_fresh(struct live *l);

/* The terminal has another size: lines may be broken anywhere, so the next frame clears the screen. */
void live_resized(struct live *l);

/**
 * live_begin() - Start a frame
 * @columns, @rows:  of the terminal
 * @n:               how many will be offered
 */
void live_begin(struct live *l, size_t columns, size_t rows, size_t n);

/* One row after another, from 0. Cheap: figures that cost something are wanted for the chosen ones alone. */
void live_offer(struct live *l, const struct live_health *h);

/**
 * live_draw() - Append the frame, which goes over the last one
 * @v:        l->rank.n of them, for l->rank.v[0] and so on
 * @elapsed:  since the beginning of it all
 * @hint:     at the end of the last line, `q to quit`; "" for none
 */
void live_draw(struct live *l, struct text *t, const struct grid_row *v, ns_t elapsed, const char *hint);

/* Are there more rows than were shown? */
static inline bool live_hides(const struct live *l)
{
	return l->rank.n < l->offered;
}

/* Take the frame off the screen. */
void live_wipe(struct live *l, struct text *t);

#endif
