/* SPDX-License-Identifier: MIT */
#include "core/expect.h"

#include "core/opt.h"
#include "core/text_put.h"

#define PPM_MAX 1000000
#define LARGEST (INT64_MAX / 2) /* the distance between two figures is a figure */
#define OPERATORS "<>="

static const char operators[][3] = { [EXPECT_LT] = "<", [EXPECT_LE] = "<=", [EXPECT_GT] = ">", [EXPECT_GE] = ">=" };

#define N_OPERATORS (sizeof(operators) / sizeof(operators[0]))

/* What a bound on each kind of figure looks like. */
static const struct {
	char op[3], value[5];
} examples[] = {
	[EXPECT_RATE] = { ">=", "100M" },
	[EXPECT_TIME] = { "<", "20ms" },
	[EXPECT_RATIO] = { "<", "1%" },
	[EXPECT_COUNT] = { "<=", "3" },
};

/* Any run of operator characters is `op`, so that `=>` and `==` are recognized as what they were meant to be. */
struct parts {
	struct slice name, op, value;
};

static struct parts cut(struct slice s)
{
	struct slice name = slice_until(&s, OPERATORS);
	struct slice op = slice_while(&s, OPERATORS);

	return (struct parts){ slice_trim(name), op, slice_trim(s) };
}

/* In quotes: an unquoted < or > is the shell's. */
static void suggest_example(struct fault *f, const struct expect_figure *figure)
{
	fault_hint(f, "--expect '%s%s%s'", figure->name, examples[figure->unit].op, examples[figure->unit].value);
}

static const struct expect_figure *nearest(const struct expect_figure *table, struct slice name)
{
	const struct expect_figure *near = NULL;
	unsigned least = OPT_FAR;

	for (; table->name; table++)
		if (opt_nearer(name, table->name, &least))
			near = table;
	return near;
}

static bool refuse_name(struct fault *f, const char *s, const struct parts *p, const struct expect_figure *table)
{
	const struct expect_figure *near = nearest(table, p->name);
	char list[FAULT_TEXT_MAX];
	struct text t;

	if (p->name.n == 0)
		fault_set(f, FAULT_USAGE, "--expect", slice_of(s), "does not name a figure");
	else
		fault_set(f, FAULT_USAGE, "there is no figure", p->name, NULL);
	if (near && p->value.n > 0)
		fault_hint(f, "--expect '%s%v%v'", near->name, p->op, p->value);
	else if (near)
		suggest_example(f, near);
	text_init(&t, list, sizeof(list));
	for (; table->name; table++)
		text_put(&t, " %s", table->name);
	fault_hint(f, "one of%s", list);
	return false;
}

static size_t operator_at(struct slice op)
{
	size_t i = 0;

	while (i < N_OPERATORS && !slice_is(op, operators[i]))
		i++;
	return i;
}

bool expect_parse(const char *s, const struct expect_figure *table, struct expect *ret, struct fault *why)
{
	struct parts p = cut(slice_of(s));
	const struct expect_figure *figure = table;
	size_t op = operator_at(p.op);
	int64_t bound;

	while (figure->name && !slice_is(p.name, figure->name))
		figure++;
	if (!figure->name)
		return refuse_name(why, s, &p, table);
	if (op == N_OPERATORS || p.value.n == 0) {
		fault_set(why, FAULT_USAGE, "--expect", slice_of(s), "needs <, <=, > or >= and a bound");
		suggest_example(why, figure);
		return false;
	}

	const char *reason = units_read(
		p.value, (enum units_kind)figure->unit, 0, figure->unit == EXPECT_RATIO ? PPM_MAX : LARGEST, &bound);

	if (reason) {
		fault_set(why, FAULT_USAGE, "the bound", p.value, reason);
		fault_hint(why, "--expect '%v%v%s'", p.name, p.op, examples[figure->unit].value);
		return false;
	}
	*ret = (struct expect){ s, (size_t)(figure - table), (enum expect_op)op, bound };
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

static void put_gap(struct text *t, enum expect_unit unit, int64_t bound, int64_t value)
{
	if (value == bound) {
		text_str(t, " is the bound itself");
		return;
	}
	text_str(t, " is ");
	units_put(t, (enum units_kind)unit, value > bound ? value - bound : bound - value);
	text_str(t, value > bound ? " too high" : " too low");
}

void expect_put(struct text *t, const struct expect *e, const struct expect_figure *table, int64_t value)
{
	static const char words[][17] = { "%s: met, ", "%s: missed, ", "%s: not measured" };
	enum expect_verdict verdict = expect_judge(e, value);
	enum expect_unit unit = table[e->figure].unit;

	text_put(t, words[verdict], e->text);
	if (verdict == EXPECT_UNMEASURED)
		return;
	if (unit == EXPECT_TIME)
		text_put(t, "%m ms", value);
	else
		units_put(t, (enum units_kind)unit, value);
	if (verdict == EXPECT_MISSED)
		put_gap(t, unit, e->bound, value);
}
