/* SPDX-License-Identifier: MIT */
#include "out/gauge.h"

#include <string.h>

#include "core/units.h"
#include "out/check_text.h"

/* Characters. What is wider than its part is cut, so that no figure makes a line too long. */
#define LABEL 14
#define RATE 12
#define LATENCY 16
#define GAP 2
#define BARS_MIN 8
#define BAR_MAX 40

/* A bar of the past stands for so many lines. */
#define FRAMES_A_BAR 2

bool gauge_due(struct gauge *g, const struct check_moment *m, ns_t now)
{
	if (now < g->next)
		return false;
	g->next = now + GAUGE_INTERVAL;
	if (m->bits_per_second != UNKNOWN && g->frames++ % FRAMES_A_BAR == 0)
		spark_add(&g->recent, m->bits_per_second + ns_max(m->up_bits_per_second, 0));
	return true;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Use @n characters of those that are left. Return: whether there are so many. */
static bool take(size_t *left, size_t n)
{
	if (*left < n)
		return false;
	*left -= n;
	return true;
}

static void put_spaces(struct text *t, size_t n)
{
	while (n-- > 0)
		text_char(t, ' ');
}

static void put_label(struct text *t, const char *phase)
{
	char room[LABEL + 1];
	struct text label;

	text_init(&label, room, sizeof(room));
	check_text_label(&label, phase);
	text_slice(t, text_view(&label));
}

static void put_rate(struct text *t, int64_t bits_per_second, const char *way)
{
	char room[RATE + 1];
	struct text rate;

	text_init(&rate, room, sizeof(room));
	if (bits_per_second != UNKNOWN)
		units_put_bitrate(&rate, bits_per_second);
	put_spaces(t, RATE - rate.len);
	text_slice(t, text_view(&rate));
	text_str(t, way);
}

static void put_latency(struct text *t, ns_t rtt)
{
	char room[LATENCY + 1];
	struct text latency;

	if (rtt == UNKNOWN)
		return;
	text_init(&latency, room, sizeof(room));
	text_str(&latency, "latency ");
	text_fixed(&latency, rtt, 6, rtt < NS_PER_MS ? 3 : rtt < 100 * NS_PER_MS ? 1 : 0);
	text_str(&latency, " ms");
	text_slice(t, text_view(&latency));
}

/* One character: so many eighths of it are full. */
static void put_cell(struct text *t, unsigned eighths, bool utf8)
{
	if (!utf8) {
		text_char(t, eighths == 8 ? '#' : '-');
		return;
	}
	/* U+2588 is full, U+258F one eighth, U+2591 a light shade. */
	text_str(t, "\xe2\x96");
	text_char(t, (char)(eighths > 0 ? 0x90 - eighths : 0x91));
}

static void put_bar(struct text *t, size_t width, unsigned done, bool utf8)
{
	unsigned eighths = (unsigned)width * 8 * done / CHECK_WHOLE;

	for (; width > 0; width--) {
		unsigned here = eighths < 8 ? eighths : 8;

		put_cell(t, here, utf8);
		eighths -= here;
	}
}

/* How far the phase is, or what was lately. */
static void put_bars(const struct gauge *g, struct text *t, const struct check_moment *m, size_t width, bool recent)
{
	if (width == 0)
		return;
	if (g->color)
		text_str(t, "\033[36m");
	if (!recent)
		put_bar(t, width, m->done, g->utf8);
	else if (m->loads > 0)
		spark_put_rates(t, &g->recent, width, g->utf8);
	else
		spark_put(t, &g->recent, width, g->utf8);
	if (g->color)
		text_str(t, "\033[m");
	put_spaces(t, GAP);
}

static void put_rates(struct text *t, const struct check_moment *m)
{
	put_rate(t, m->bits_per_second, m->loads > 1 ? " down  " : "  ");
	if (m->loads > 1)
		put_rate(t, m->up_bits_per_second, " up  ");
}

/* The figure comes first; without a label nobody would know what the bars are. */
void gauge_draw(struct gauge *g, struct text *t, const struct check_moment *m, size_t columns)
{
	size_t left = columns - 1;
	bool rates = m->loads > 0 && take(&left, m->loads > 1 ? 2 * RATE + 12 : RATE + GAP);
	bool latency = m->loads == 0 && take(&left, LATENCY);
	bool label = take(&left, LABEL);

	latency = latency || take(&left, LATENCY);
	left = label ? left : 0;
	size_t recent = left >= 2 * (BARS_MIN + GAP) ? smaller(left / 2 - GAP, SPARK_MAX) : 0;

	left -= recent > 0 ? recent + GAP : 0;
	/* However wide a terminal draws a block, it shall not wrap. */
	text_str(t, "\r\033[?7l");
	if (label)
		put_label(t, m->phase);
	put_bars(g, t, m, left >= BARS_MIN + GAP ? smaller(left - GAP, BAR_MAX) : 0, false);
	if (rates)
		put_rates(t, m);
	put_bars(g, t, m, recent, true);
	if (latency)
		put_latency(t, m->rtt);
	text_str(t, "\033[J\033[?7h\r");
	g->drawn = true;
}

void gauge_end(struct gauge *g, struct text *t)
{
	if (g->drawn)
		text_str(t, "\r\033[J");
	*g = (struct gauge){ .utf8 = g->utf8, .color = g->color };
}
