/* SPDX-License-Identifier: MIT */
/*
 * The lines of a live table, fitted into the width that there is: from the left as many columns as fit; where all do,
 * what is left goes to the addresses and to the bars of the last round trips.
 */
#ifndef OUT_GRID_H
#define OUT_GRID_H

#include "core/result.h"
#include "out/spark.h"

enum { GRID_COLUMNS = 8 };

/* Zeroed before the first plan. */
struct grid {
	bool utf8, color; /* what the terminal can show */
	const char *head; /* over the first column; NULL for "target" */
	size_t columns;   /* that may be used, at least 20 */
	/* private, in characters */
	size_t widest_name, widest_address; /* so far: columns that only grow do not jump */
	size_t name, address, spark;        /* 0 for what is not shown */
	uint8_t width[GRID_COLUMNS];
};

/* The first column is `target` of the result, the second one `address` where that is another word and not empty. */
struct grid_row {
	struct ping_result result;
	const struct spark *spark;
	bool calm; /* what it has lost is no reason to worry */
};

/* Choose the columns for @n rows. */
void grid_plan(struct grid *g, const struct grid_row *v, size_t n);

/* A line without its end. */
void grid_put_head(const struct grid *g, struct text *t);
void grid_put_row(const struct grid *g, struct text *t, const struct grid_row *row);

/**
 * grid_put_cut() - At most @width characters of what somebody else wrote, safe for this terminal
 * @width:  at least 3
 *
 * Characters are code points: nobody here knows how wide a terminal draws them. Return: how many.
 */
size_t grid_put_cut(const struct grid *g, struct text *t, const char *words, size_t width);

#endif
