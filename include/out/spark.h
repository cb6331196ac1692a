/* SPDX-License-Identifier: MIT */
/*
 * The last round trips of one target as a line of bars, a character each. On a logarithmic scale, so that the
 * noise of a steady path stays flat and a round trip of ten times its usual length does not flatten all others.
 * Rates may be kept in the same way, and are drawn on a scale of their own.
 */
#ifndef OUT_SPARK_H
#define OUT_SPARK_H

#include "core/ping_event.h"

/* The most bars there are; with this many one spark is 56 bytes. */
#define SPARK_MAX 47

/* Zeroed before the first probe. */
struct spark {
	int64_t last; /* what came last: nanoseconds, UNKNOWN for a loss; valid where one is there */
	/* private */
	uint8_t at;
	uint8_t v[SPARK_MAX];
};

/* A value of any unit, or UNKNOWN for one that is missing. */
void spark_add(struct spark *s, int64_t v);

/* What became of a probe, in the order in which that is known; a late answer takes a loss away again. */
void spark_event(struct spark *s, const struct ping_event *e);

/* Was anything added? */
bool spark_any(const struct spark *s);

/* At least @n were added, and the last @n are losses. */
bool spark_silent(const struct spark *s, size_t n);

/* Is there a loss among all that are kept? */
bool spark_has_loss(const struct spark *s);

/**
 * spark_put() - Draw the last @width of them, the newest at the right end
 * @width:  characters written, 1..SPARK_MAX; spaces at the left where there is less to show
 * @utf8:   with block characters, else in ASCII
 *
 * The lowest bar is the least of those shown; the height of all bars is at least a factor of four. A loss is an x.
 */
void spark_put(struct text *t, const struct spark *s, size_t width, bool utf8);

/* The same for rates: from zero to the largest of those shown, so that half as much is half as high. */
void spark_put_rates(struct text *t, const struct spark *s, size_t width, bool utf8);

#endif
