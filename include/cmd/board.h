/* SPDX-License-Identifier: MIT */
/* The live table on a terminal, whatever its rows are: the screen, the time of the next frame, and the key that ends it. */
#ifndef CMD_BOARD_H
#define CMD_BOARD_H

#include "cmd/common.h"
#include "out/live.h"

/* Zeroed before it is opened, or where there is none. */
struct board {
	struct live live;
	struct grid_row rows[LIVE_ROWS]; /* between board_begin() and board_end(): those that live.rank chose */
	/* private */
	ns_t began, next;
	bool open, keys;
};

/* Is there to be one: is standard output a terminal, and the result for people? */
bool board_fits(const struct common *c);

/* Open it; after signals_take(). Return: a descriptor that is readable when keys are pressed; -1 where they never are. */
int board_open(struct board *b, const struct common *c);

static inline bool board_is_open(const struct board *b)
{
	return b->open;
}

/* When the next frame is due; NS_NEVER where there is no board. */
static inline ns_t board_deadline(const struct board *b)
{
	return b->open ? b->next : NS_NEVER;
}

/**
 * board_begin() - Is it time for a frame?
 * @n:     rows that will be offered to b->live
 * @last:  the frame that stays
 *
 * Return: true where the rows are to be offered, those chosen to be filled in, and board_end() is to be called.
 */
bool board_begin(struct board *b, size_t n, ns_t now, bool last);

/* Draw it. Return: false where standard output is gone. */
bool board_end(struct board *b, struct text *t, ns_t now, bool last);

/* Give the terminal back; @keep: with the last frame on it. Return: whether that is there, and shows all rows. */
bool board_close(struct board *b, struct text *t, bool keep);

#endif
