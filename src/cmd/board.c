/* SPDX-License-Identifier: MIT */
#include "cmd/board.h"

#include "sys/clock.h"
#include "sys/screen.h"
#include "sys/terminal.h"

bool board_fits(const struct common *c)
{
	return c->format == FORMAT_TEXT && !c->quiet && terminal_can_redraw(TERMINAL_OUT);
}

int board_open(struct board *b, const struct common *c)
{
	int keys = screen_open();

	b->live.grid.utf8 = terminal_utf8();
	b->live.grid.color = !c->no_color && !terminal_no_color();
	b->began = b->next = clock_mono();
	b->open = true;
	b->keys = keys >= 0;
	return keys;
}

/* Return: may it be drawn on? */
static bool look(struct board *b)
{
	enum screen s = screen_look();

	if (s == SCREEN_FRESH || s == SCREEN_AWAY)
		live_fresh(&b->live);
	if (s == SCREEN_RESIZED)
		live_resized(&b->live);
	return s != SCREEN_AWAY && s != SCREEN_BUSY;
}

bool board_begin(struct board *b, size_t n, ns_t now, bool last)
{
	if (!b->open || (now < b->next && !last))
		return false;
	b->next = now + LIVE_INTERVAL;
	/* The last one is the result: it is written wherever we are. */
	if (!look(b) && !last)
		return false;
	live_begin(&b->live, terminal_columns(TERMINAL_OUT), terminal_rows(TERMINAL_OUT), n);
	return true;
}

bool board_end(struct board *b, struct text *t, ns_t now, bool last)
{
	live_draw(&b->live, t, b->rows, now - b->began, b->keys && !last ? "q to quit" : "");
	return common_flush(t);
}

bool board_close(struct board *b, struct text *t, bool keep)
{
	if (!b->open)
		return false;
	keep = keep && !live_hides(&b->live);
	if (!keep) {
		look(b);
		live_wipe(&b->live, t);
		common_flush(t); /* columns of what follows count from here */
	}
	screen_close();
	return keep;
}
