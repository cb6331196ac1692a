/* SPDX-License-Identifier: MIT */
/* The live table of a fleet on a terminal: what the engine knows, the screen, and the key that ends it. */
#ifndef CMD_BOARD_H
#define CMD_BOARD_H

#include "cmd/common.h"
#include "out/live.h"
#include "run/fleet.h"

struct board {
	struct live live;
	ns_t next; /* frame; NS_NEVER where there is no board */
	/* private */
	struct spark *sparks;
	ns_t began;
	bool keys;
};

/* Open one where standard output is a terminal and there are several targets; after signals_take(). */
bool board_open(struct board *b, struct fleet *f, const struct common *c, struct fault *why);

static inline bool board_is_open(const struct board *b)
{
	return b->sparks != NULL;
}

/* Something happened. Return: false where the user wants it to end. */
bool board_event(struct board *b, const struct fleet_event *e);

/* Draw where it is time to; @last: the frame that stays. Return: false where standard output is gone. */
bool board_draw(struct board *b, const struct fleet *f, struct text *t, bool last);

/* Give the terminal back. Return: whether the last frame shows all targets, and so is the result. */
bool board_close(struct board *b, struct text *t);

#endif
