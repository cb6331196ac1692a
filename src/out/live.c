/* SPDX-License-Identifier: MIT */
#include "out/live.h"

#include <string.h>

#include "core/text_put.h"

/* Losses one behind another that make a target silent. */
#define SILENT_RUN 3

/* How much a target needs to be seen: its class, and in the lower bits the share that was lost. */
enum { CLEAN, LOST_ONCE, LOST_LATELY, SILENT, SHARE_BITS = 6, MOST = (1 << SHARE_BITS) - 1 };

void live_fresh(struct live *l)
{
	l->lines = 0;
	l->clear = false;
}

void live_resized(struct live *l)
{
	l->clear = l->lines > 0;
}

void live_begin(struct live *l, size_t columns, size_t rows, size_t n)
{
	size_t others = 3; /* header, sums, and the line that the cursor rests on */

	others += n + others > rows;
	rank_begin(&l->rank, rows > others ? rows - others : 0);
	/* The last column stays free: a terminal may wrap behind it. */
	l->grid.columns = columns > 20 ? columns - 1 : 20;
	l->offered = l->silent = l->lossy = 0;
	l->sent = l->lost = 0;
}

static unsigned class_of(const struct live_health *h)
{
	if (h->failed || (!h->calm && ((h->lost > 0 && h->answered == 0) || spark_silent(h->spark, SILENT_RUN))))
		return SILENT;
	if (h->lost == 0 || h->calm)
		return CLEAN;
	return spark_has_loss(h->spark) ? LOST_LATELY : LOST_ONCE;
}

static void count_bad(size_t *silent, size_t *lossy, unsigned class)
{
	*silent += class == SILENT;
	*lossy += class == LOST_LATELY || class == LOST_ONCE;
}

void live_offer(struct live *l, const struct live_health *h)
{
	unsigned class = class_of(h);
	uint64_t decided = h->lost + h->answered;
	uint64_t share = decided > 0 ? h->lost * MOST / decided : 0;

	if (class == CLEAN)
		share = h->main ? MOST : 0;
	rank_offer(&l->rank, (uint32_t)l->offered++, (uint8_t)(class << SHARE_BITS | share));
	count_bad(&l->silent, &l->lossy, class);
	l->sent += h->sent;
	l->lost += h->lost;
}

static void end_line(struct live *l, struct text *t)
{
	text_str(t, "\033[K\n");
	l->lines++;
}

/* `… and 212 more, 3 silent` */
static void put_hidden(struct live *l, struct text *t)
{
	size_t silent = 0, lossy = 0;
	char words[128];
	struct text line;

	for (size_t i = 0; i < l->rank.n; i++)
		count_bad(&silent, &lossy, l->rank.score[i] >> SHARE_BITS);
	text_init(&line, words, sizeof(words));
	text_put(&line, l->grid.utf8 ? "… and %d more" : "... and %d more", (int64_t)(l->offered - l->rank.n));
	if (l->silent > silent)
		text_put(&line, ", %d silent", (int64_t)(l->silent - silent));
	if (l->lossy > lossy)
		text_put(&line, ", %d with loss", (int64_t)(l->lossy - lossy));
	if (l->silent == silent && l->lossy == lossy)
		text_str(&line, " without loss");
	grid_put_cut(&l->grid, t, words, l->grid.columns);
	end_line(l, t);
}

/* Append a part to the line, where it leaves room for the hint. */
static void put_part(struct live *l, struct text *line, const char *hint, const char *format, int64_t v)
{
	char words[48];
	struct text part;
	size_t tail = hint[0] ? strlen(hint) + 2 : 0;

	text_init(&part, words, sizeof(words));
	text_put(&part, format, v);
	if (line->len + part.len + tail <= l->grid.columns)
		text_slice(line, text_view(&part));
}

static void put_sums(struct live *l, struct text *t, ns_t elapsed, const char *hint)
{
	char words[256];
	struct text line;

	text_init(&line, words, sizeof(words));
	text_put(&line, l->offered == 1 ? "%d %s" : "%d %ss", (int64_t)l->offered, l->what ? l->what : "target");
	if (l->silent > 0)
		put_part(l, &line, hint, ", %d silent", (int64_t)l->silent);
	if (l->lossy > 0)
		put_part(l, &line, hint, ", %d with loss", (int64_t)l->lossy);
	put_part(l, &line, hint, ", %d sent", (int64_t)l->sent);
	put_part(l, &line, hint, ", %d lost", (int64_t)l->lost);
	put_part(l, &line, hint, ", %t", elapsed / NS_PER_S * NS_PER_S);
	text_put(&line, hint[0] ? "  %s" : "", hint);
	text_slice(t, slice_head(text_view(&line), l->grid.columns));
	end_line(l, t);
}

/* To where the last frame began; what stands below goes line by line. */
static void go_back(struct live *l, struct text *t)
{
	text_char(t, '\r');
	if (l->clear)
		text_str(t, "\033[H");
	else if (l->lines > 0)
		text_put(t, "\033[%dA", (int64_t)l->lines);
	live_fresh(l);
}

static void put_rows(struct live *l, struct text *t, const struct grid_row *v)
{
	grid_plan(&l->grid, v, l->rank.n);
	grid_put_head(&l->grid, t);
	end_line(l, t);
	for (size_t i = 0; i < l->rank.n; i++) {
		grid_put_row(&l->grid, t, &v[i]);
		end_line(l, t);
	}
	if (live_hides(l))
		put_hidden(l, t);
}

void live_draw(struct live *l, struct text *t, const struct grid_row *v, ns_t elapsed, const char *hint)
{
	go_back(l, t);
	/* However wide a terminal draws a name, it shall not wrap. */
	text_str(t, "\033[?7l");
	if (l->rank.n > 0)
		put_rows(l, t, v);
	put_sums(l, t, elapsed, hint);
	text_str(t, "\033[J\033[?7h");
}

void live_wipe(struct live *l, struct text *t)
{
	go_back(l, t);
	text_str(t, "\033[J");
}
