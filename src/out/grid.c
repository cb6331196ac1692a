/* SPDX-License-Identifier: MIT */
#include "out/grid.h"

#include <string.h>

#include "core/text_put.h"

/* Characters: a name that is cut shorter says nothing, and so do fewer bars; the space between columns of words. */
#define NAME_MIN 12
#define NAME_MAX 64
#define SPARK_MIN 8
#define SPARK_WIDE 24
#define GAP 2

enum kind { COUNT, LOSS, LAST, TIME };

/* Where there are distributions, where there are none, and where there are none or much room. */
enum when { ALWAYS, WITH, WITHOUT, WITHOUT_OR_WIDE };

#define AT(member) (uint16_t)offsetof(struct ping_result, member)

static const struct column {
	char name[8];
	uint8_t width, kind, when;
	uint16_t at;
} columns[GRID_COLUMNS] = {
	{ "sent", 7, COUNT, ALWAYS, AT(sent) },
	{ "loss", 8, LOSS, ALWAYS, AT(loss_ppm) },
	{ "last ms", 8, LAST, ALWAYS, AT(resolve) },
	{ "p50", 7, TIME, WITH, AT(rtt_p50) },
	{ "mean", 7, TIME, WITHOUT, AT(rtt_mean) },
	{ "p99", 7, TIME, WITH, AT(rtt_p99) },
	{ "worst", 7, TIME, WITHOUT_OR_WIDE, AT(rtt_max) },
	{ "jitter", 7, TIME, ALWAYS, AT(jitter) },
};

/* A target without round trips may have a reason in place of the columns from NOTE on. */
enum { NOTE = 3, WORST = 6 };

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Characters from offset @from on: bytes that begin one. */
static size_t characters(const struct text *t, size_t from)
{
	size_t n = 0;

	for (; from < t->len; from++)
		n += ((uint8_t)t->p[from] & 0xc0) != 0x80;
	return n;
}

static void put_spaces(struct text *t, size_t n)
{
	while (n-- > 0)
		text_char(t, ' ');
}

/* One character, as this terminal can show it. Return: bytes of @s used. */
static size_t put_one(const struct grid *g, struct text *t, struct slice s)
{
	if (g->utf8 || (uint8_t)s.p[0] < 0x80)
		return text_safe_one(t, s);
	text_str(t, "\\x");
	text_digits(t, (uint8_t)s.p[0], 16, 2);
	return 1;
}

size_t grid_put_cut(const struct grid *g, struct text *t, const char *words, size_t width)
{
	size_t mark = g->utf8 ? 1 : 3, start = t->len, keep = start;
	struct slice s = slice_of(words);

	while (s.n > 0 && characters(t, start) <= width) {
		if (characters(t, start) + mark <= width)
			keep = t->len;
		slice_skip(&s, put_one(g, t, s));
	}
	if (characters(t, start) > width) {
		t->len = keep;
		text_str(t, g->utf8 ? "…" : "...");
	}
	return characters(t, start);
}

static void put_padded(const struct grid *g, struct text *t, const char *words, size_t width)
{
	put_spaces(t, width - grid_put_cut(g, t, words, width));
}

static size_t width_of(const struct grid *g, const char *words)
{
	char room[4 * NAME_MAX + 8];
	struct text t;

	text_init(&t, room, sizeof(room));
	return grid_put_cut(g, &t, words, NAME_MAX);
}

static bool has_address(const struct ping_result *r)
{
	return r->address[0] && strcmp(r->target, r->address) != 0;
}

static const char *head_of(const struct grid *g)
{
	return g->head ? g->head : "target";
}

/* Return: is there a target with round trips, but without their distribution? */
static bool look_at(struct grid *g, const struct grid_row *v, size_t n)
{
	bool without = false;

	g->widest_name = larger(g->widest_name, strlen(head_of(g)));
	for (size_t i = 0; i < n; i++) {
		const struct ping_result *r = &v[i].result;

		g->widest_name = larger(g->widest_name, width_of(g, r->target));
		g->widest_address = larger(g->widest_address, has_address(r) ? width_of(g, r->address) : 0);
		without = without || (r->rtt_mean != UNKNOWN && r->rtt_p50 == UNKNOWN);
	}
	return without;
}

/* Use @n characters of those that are left. */
static size_t take(size_t *left, size_t n)
{
	*left -= n;
	return n;
}

/* The figures, from the left. Return: did all of them fit? */
static bool plan_figures(struct grid *g, size_t *left, bool without)
{
	memset(g->width, 0, sizeof(g->width));
	for (size_t i = 0; i < GRID_COLUMNS; i++) {
		const struct column *c = &columns[i];

		if (c->when != ALWAYS && (c->when == WITH) == without)
			continue;
		if (*left < c->width)
			return false;
		g->width[i] = (uint8_t)take(left, c->width);
	}
	return true;
}

void grid_plan(struct grid *g, const struct grid_row *v, size_t n)
{
	bool without = look_at(g, v, n);
	size_t left = g->columns, worst = columns[WORST].width;

	g->name = take(&left, smaller(g->widest_name, larger(left / 3, NAME_MIN)));
	g->address = g->spark = 0;
	if (plan_figures(g, &left, without)) {
		if (g->widest_address > 0 && left >= g->widest_address + SPARK_MIN + 2 * GAP)
			g->address = take(&left, g->widest_address + GAP) - GAP;
		if (!without && left >= worst + SPARK_WIDE + GAP)
			g->width[WORST] = (uint8_t)take(&left, worst);
		if (left >= SPARK_MIN + GAP)
			g->spark = take(&left, smaller(left, SPARK_MAX + GAP)) - GAP;
	}
	g->name += smaller(left, g->widest_name - g->name);
}

static void put_style(const struct grid *g, struct text *t, const char *escape)
{
	if (g->color)
		text_str(t, escape);
}

/* The words of a line's beginning. */
static void put_who(const struct grid *g, struct text *t, const char *name, const char *address)
{
	put_padded(g, t, name, g->name);
	if (g->address > 0) {
		put_spaces(t, GAP);
		put_padded(g, t, address, g->address);
	}
}

void grid_put_head(const struct grid *g, struct text *t)
{
	put_style(g, t, "\033[1m");
	put_who(g, t, head_of(g), "address");
	for (size_t i = 0; i < GRID_COLUMNS; i++) {
		if (g->width[i] == 0)
			continue;
		put_spaces(t, g->width[i] - strlen(columns[i].name));
		text_str(t, columns[i].name);
	}
	if (g->spark > 0) {
		put_spaces(t, GAP + g->spark - (sizeof("recent") - 1));
		text_str(t, "recent");
	}
	put_style(g, t, "\033[m");
}

static void put_count(struct text *t, int64_t v)
{
	if (v < 1000000) {
		text_int(t, v);
		return;
	}
	text_fixed(t, v, v < 1000000000 ? 6 : 9, 1);
	text_char(t, v < 1000000000 ? 'M' : 'G');
}

/* Four digits say more than most round trips are worth. */
static void put_time(struct text *t, ns_t v)
{
	unsigned decimals = v < 10 * NS_PER_MS ? 3 : v < 100 * NS_PER_MS ? 2 : v < NS_PER_S ? 1 : 0;

	if (v == UNKNOWN)
		text_char(t, '-');
	else
		text_fixed(t, v, 6, decimals);
}

/* The same of a share; but where one in ten thousand was answered, not all are lost. */
static void put_loss(struct text *t, int64_t ppm)
{
	int64_t step = ppm < 10000 ? 1 : ppm < 100000 ? 100 : 1000;
	int64_t v = (ppm + step / 2) / step * step;

	text_put(t, "%p", ppm == UNKNOWN ? UNKNOWN : v == 1000000 && ppm < v ? v - step : v);
}

static bool is_lost(const struct grid_row *row)
{
	return spark_any(row->spark) && row->spark->last == UNKNOWN;
}

static void put_last(struct text *t, const struct grid_row *row)
{
	if (row->result.resolve_error)
		text_str(t, "error");
	else if (is_lost(row))
		text_str(t, "lost");
	else
		put_time(t, spark_any(row->spark) ? row->spark->last : UNKNOWN);
}

/* Return: is that bad? */
static bool put_figure(struct text *t, const struct column *c, const struct grid_row *row)
{
	int64_t v;

	memcpy(&v, (const char *)&row->result + c->at, sizeof(v));
	switch (c->kind) {
	case COUNT:
		put_count(t, v);
		return false;
	case LOSS:
		put_loss(t, v);
		return v > 0;
	case LAST:
		put_last(t, row);
		return is_lost(row) || row->result.resolve_error;
	default:
		put_time(t, v);
		return false;
	}
}

static void put_cell(const struct grid *g, struct text *t, size_t i, const struct grid_row *row)
{
	char room[32];
	struct text cell;

	text_init(&cell, room, sizeof(room));
	bool bad = put_figure(&cell, &columns[i], row) && !row->calm;

	put_spaces(t, cell.len < g->width[i] ? g->width[i] - cell.len : 1);
	put_style(g, t, bad ? "\033[31m" : "");
	text_slice(t, text_view(&cell));
	put_style(g, t, bad ? "\033[m" : "");
}

/* Why there are no round trips; NULL where there are, or where nobody knows. */
static const char *note_of(const struct ping_result *r)
{
	if (r->resolve_error || r->received > 0 || r->n_kinds == 0)
		return r->resolve_error;
	return r->kinds[0].text;
}

/* In place of all that stands right of the third figure. */
static void put_note(const struct grid *g, struct text *t, const char *note)
{
	size_t used = g->name + (g->address > 0 ? g->address + GAP : 0);

	for (size_t i = 0; i < NOTE; i++)
		used += g->width[i];
	if (used + GAP + SPARK_MIN > g->columns)
		return;
	put_spaces(t, GAP);
	grid_put_cut(g, t, note, g->columns - used - GAP);
}

void grid_put_row(const struct grid *g, struct text *t, const struct grid_row *row)
{
	const char *note = note_of(&row->result);

	put_who(g, t, row->result.target, has_address(&row->result) ? row->result.address : "");
	for (size_t i = 0; i < (note ? NOTE : GRID_COLUMNS); i++)
		if (g->width[i] > 0)
			put_cell(g, t, i, row);
	if (note) {
		put_note(g, t, note);
	} else if (g->spark > 0) {
		put_spaces(t, GAP);
		spark_put(t, row->spark, g->spark, g->utf8);
	}
}
