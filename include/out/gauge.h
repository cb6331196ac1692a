/* SPDX-License-Identifier: MIT */
/*
 * The line of a check under way, drawn over itself again and again: the phase, a bar of how far it is, the rate now, bars
 * of what it was in the last seconds, the latest round trip. What a narrow terminal has no room for is left out, from
 * the bars of the past on. The cursor rests where the line begins: so whatever a terminal does with a line that has
 * become too long for it, and wherever a shell has left the cursor, the next one goes over this one and nothing else.
 */
#ifndef OUT_GAUGE_H
#define OUT_GAUGE_H

#include "out/check.h"
#include "out/spark.h"

/* Between two lines: faster nobody reads, and a slow terminal would hold up the measurement. */
#define GAUGE_INTERVAL (100 * NS_PER_MS)

/* Room for a line with all its escapes. */
#define GAUGE_LINE_MAX 512

/* Zeroed before the first moment. */
struct gauge {
	bool utf8, color; /* what the terminal can show */
	/* private */
	bool drawn;
	unsigned frames; /* of this phase */
	ns_t next;
	struct spark recent; /* rates of a load, else round trips */
};

/* A probe of a phase without a load has ended. */
static inline void gauge_probe(struct gauge *g, const struct ping_event *e)
{
	spark_event(&g->recent, e);
}

/* Take note of a moment. Return: whether it is time to draw it. */
bool gauge_due(struct gauge *g, const struct check_moment *m, ns_t now);

/**
 * gauge_draw() - Append the line, of one character less than the terminal has, and over the last one
 * @columns:  of the terminal now, at least 1
 */
void gauge_draw(struct gauge *g, struct text *t, const struct check_moment *m, size_t columns);

/* The phase is over: append what takes the line off the screen, nothing where there is none. */
void gauge_end(struct gauge *g, struct text *t);

#endif
