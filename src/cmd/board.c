/* SPDX-License-Identifier: MIT */
#include "cmd/board.h"

#include "sys/clock.h"
#include "sys/memory.h"
#include "sys/screen.h"
#include "sys/terminal.h"

bool board_open(struct board *b, struct fleet *f, const struct common *c, struct fault *why)
{
	b->next = NS_NEVER;
	if (c->format != FORMAT_TEXT || c->quiet || f->room.n < 2 || !terminal_can_redraw(TERMINAL_OUT))
		return true;
	b->sparks = memory_get(f->room.n, sizeof(*b->sparks), why);
	if (!b->sparks)
		return false;
	b->live.grid.utf8 = terminal_utf8();
	b->live.grid.color = !c->no_color && !terminal_no_color();
	b->began = b->next = clock_mono();
	int keys = screen_open();

	b->keys = keys >= 0;
	if (b->keys)
		fleet_watch(f, keys);
	return true;
}

bool board_event(struct board *b, const struct fleet_event *e)
{
	if (e->kind == FLEET_KEY)
		return !screen_quit();
	if (e->kind == FLEET_PROBE)
		spark_event(&b->sparks[e->probe.target], &e->probe);
	return true;
}

static struct live_health health_of(const struct board *b, const struct fleet *f, size_t i)
{
	struct ping_result r;

	ping_counts(&f->pinger.ping, i, &r);
	return (struct live_health){
		.spark = &b->sparks[i],
		.sent = (uint64_t)r.sent,
		.answered = (uint64_t)(r.received + r.late),
		.lost = (uint64_t)r.lost,
		.failed = f->room.names[i].error != NULL,
	};
}

static bool frame(struct board *b, const struct fleet *f, struct text *t, bool last)
{
	static struct grid_row rows[LIVE_ROWS];
	struct live *l = &b->live;
	ns_t now = clock_mono();

	live_begin(l, terminal_columns(TERMINAL_OUT), terminal_rows(TERMINAL_OUT), f->room.n);
	for (size_t i = 0; i < f->room.n; i++) {
		struct live_health h = health_of(b, f, i);

		live_offer(l, &h);
	}
	for (size_t i = 0; i < l->rank.n; i++) {
		rows[i].spark = &b->sparks[l->rank.v[i]];
		pinger_result(&f->pinger, l->rank.v[i], now, &rows[i].result);
	}
	live_draw(l, t, rows, now - b->began, b->keys && !last ? "q to quit" : "");
	return common_flush(t);
}

bool board_draw(struct board *b, const struct fleet *f, struct text *t, bool last)
{
	ns_t now = clock_mono();

	if (!board_is_open(b) || (now < b->next && !last))
		return true;
	b->next = now + LIVE_INTERVAL;
	enum screen s = screen_look();

	if (s == SCREEN_FRESH || s == SCREEN_AWAY)
		live_fresh(&b->live);
	if (s == SCREEN_RESIZED)
		live_resized(&b->live);
	/* The last one is the result: it is written wherever we are. */
	return ((s == SCREEN_AWAY || s == SCREEN_BUSY) && !last) || frame(b, f, t, last);
}

bool board_close(struct board *b, struct text *t)
{
	if (!board_is_open(b))
		return false;
	if (live_hides(&b->live))
		live_wipe(&b->live, t);
	screen_close();
	return !live_hides(&b->live);
}
