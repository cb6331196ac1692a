/* SPDX-License-Identifier: MIT */
#include "core/expect.h"

#include "core/json.h"
#include "core/opt.h"
#include "core/units.h"

#define FIGURES_MAX 32
#define PPM_MAX 1000000
#define LARGEST (INT64_MAX / 2) /* the distance between two figures is a figure */

/* How each kind of figure is read, and what a bound on it looks like. */
static const struct {
	const char *(*read)(struct slice s, int64_t lo, int64_t hi, int64_t *ret);
	int64_t hi;
	char op[3];
	char value[5];
} units[] = {
	[EXPECT_RATE] = { units_rate, LARGEST, ">=", "100M" },
	[EXPECT_TIME] = { units_duration, LARGEST, "<", "20ms" },
	[EXPECT_RATIO] = { units_ratio, PPM_MAX, "<", "1%" },
	[EXPECT_COUNT] = { units_count, LARGEST, "<=", "3" },
};

static const char *const operators[] = {
	[EXPECT_LT] = "<", [EXPECT_LE] = "<=", [EXPECT_GT] = ">", [EXPECT_GE] = ">=", NULL
};

struct parts {
	struct slice all, name, op, value;
};

static bool is_operator(char c)
{
	return c == '<' || c == '>' || c == '=';
}

/* Any run of operator characters, so that `=>` and `==` are recognized as what they were meant to be. */
static struct parts cut(struct slice all)
{
	size_t at = 0;

	while (at < all.n && !is_operator(all.p[at]))
		at++;
	size_t end = at;
	while (end < all.n && is_operator(all.p[end]))
		end++;
	return (struct parts){
		.all = all,
		.name = slice_trim(slice_head(all, at)),
		.op = slice_from(slice_head(all, end), at),
		.value = slice_trim(slice_from(all, end)),
	};
}

/* A whole expectation in quotes: an unquoted < or > is the shell's. */
static void suggest(struct fault *f, struct slice name, struct slice op, struct slice value)
{
	char whole[FAULT_TEXT_MAX];
	struct text t;

	text_init(&t, whole, sizeof(whole));
	text_char(&t, '\'');
	text_slice(&t, name);
	text_slice(&t, op);
	text_slice(&t, value);
	text_char(&t, '\'');
	fault_hint(f, "--expect ", text_view(&t));
}

static void suggest_example(struct fault *f, const struct expect_figure *figure)
{
	suggest(f, slice_of(figure->name), slice_of(units[figure->unit].op), slice_of(units[figure->unit].value));
}

/* The index of @name, or of the NULL at the end. */
static size_t figure_at(const struct expect_figure *table, struct slice name)
{
	size_t i = 0;

	while (table[i].name && !slice_eq(slice_of(table[i].name), name))
		i++;
	return i;
}

static const char *nearest(const struct expect_figure *table, struct slice name)
{
	const char *names[FIGURES_MAX + 1];
	char typed[64];
	struct text t;
	size_t n = 0;

	for (; n < FIGURES_MAX && table[n].name; n++)
		names[n] = table[n].name;
	names[n] = NULL;
	text_init(&t, typed, sizeof(typed));
	text_slice(&t, name);
	return opt_nearest(typed, names);
}

static void hint_all(struct fault *f, const struct expect_figure *table)
{
	char list[FAULT_TEXT_MAX];
	struct text t;

	text_init(&t, list, sizeof(list));
	for (; table->name; table++) {
		text_char(&t, ' ');
		text_str(&t, table->name);
	}
	fault_hint(f, "one of", text_view(&t));
}

static bool refuse_name(struct fault *f, const struct parts *p, const struct expect_figure *table)
{
	const char *near = nearest(table, p->name);

	if (p->name.n == 0)
		fault_set(f, FAULT_USAGE, "--expect", p->all, "does not name a figure");
	else
		fault_set(f, FAULT_USAGE, "there is no figure", p->name, NULL);
	if (near && p->value.n > 0)
		suggest(f, slice_of(near), p->op, p->value);
	else if (near)
		suggest_example(f, &table[figure_at(table, slice_of(near))]);
	hint_all(f, table);
	return false;
}

static bool read_operator(struct slice op, enum expect_op *ret)
{
	for (unsigned i = 0; operators[i]; i++) {
		if (slice_eq(slice_of(operators[i]), op)) {
			*ret = (enum expect_op)i;
			return true;
		}
	}
	return false;
}

bool expect_parse(const char *s, const struct expect_figure *table, struct expect *ret, struct fault *why)
{
	struct parts p = cut(slice_of(s));
	struct expect e = { .text = s, .figure = figure_at(table, p.name) };

	if (!table[e.figure].name)
		return refuse_name(why, &p, table);
	const struct expect_figure *figure = &table[e.figure];
	if (!read_operator(p.op, &e.op) || p.value.n == 0) {
		fault_set(why, FAULT_USAGE, "--expect", p.all, "needs <, <=, > or >= and a bound");
		suggest_example(why, figure);
		return false;
	}
	const char *reason = units[figure->unit].read(p.value, 0, units[figure->unit].hi, &e.bound);
	if (reason) {
		fault_set(why, FAULT_USAGE, "the bound", p.value, reason);
		suggest(why, p.name, p.op, slice_of(units[figure->unit].value));
		return false;
	}
	*ret = e;
	return true;
}

static bool holds(const struct expect *e, int64_t value)
{
	switch (e->op) {
	case EXPECT_LT:
		return value < e->bound;
	case EXPECT_LE:
		return value <= e->bound;
	case EXPECT_GT:
		return value > e->bound;
	default:
		return value >= e->bound;
	}
}

enum expect_verdict expect_judge(const struct expect *e, int64_t value)
{
	if (value == UNKNOWN)
		return EXPECT_UNMEASURED;
	return holds(e, value) ? EXPECT_MET : EXPECT_MISSED;
}

static void put_figure(struct text *t, enum expect_unit unit, int64_t v)
{
	switch (unit) {
	case EXPECT_RATE:
		units_put_bitrate(t, v);
		return;
	case EXPECT_RATIO:
		units_put_percent(t, v);
		return;
	case EXPECT_COUNT:
		text_int(t, v);
		return;
	case EXPECT_TIME:
		units_put_ms(t, v);
		text_str(t, " ms");
	}
}

static void put_gap(struct text *t, enum expect_unit unit, int64_t bound, int64_t value)
{
	int64_t gap = value > bound ? value - bound : bound - value;

	if (gap == 0) {
		text_str(t, " is the bound itself");
		return;
	}
	text_str(t, " is ");
	if (unit == EXPECT_TIME)
		units_put_duration(t, gap); /* never 0.000 */
	else
		put_figure(t, unit, gap);
	text_str(t, value > bound ? " too high" : " too low");
}

void expect_put(struct text *t, const struct expect *e, const struct expect_figure *table, int64_t value)
{
	enum expect_verdict verdict = expect_judge(e, value);
	enum expect_unit unit = table[e->figure].unit;

	text_safe(t, slice_of(e->text));
	if (verdict == EXPECT_UNMEASURED) {
		text_str(t, ": not measured");
		return;
	}
	text_str(t, verdict == EXPECT_MET ? ": met, " : ": missed, ");
	put_figure(t, unit, value);
	if (verdict == EXPECT_MISSED)
		put_gap(t, unit, e->bound, value);
}
