/* SPDX-License-Identifier: MIT */
#include "core/opt.h"

#include <string.h>

#include "core/units.h"

#define HELP_COLUMN_MAX 32

struct parse {
	const struct opt_table *tables;
	int argc, at;
	char **argv;
	void *cfg;
	struct fault *why;
};

/* Row @i of all tables together, or NULL. */
static const struct opt *row_at(const struct opt_table *tables, size_t i)
{
	for (; tables->v; tables++) {
		if (i < tables->n)
			return &tables->v[i];
		i -= tables->n;
	}
	return NULL;
}

/* By its long name, or by @key where that is not 0. */
static const struct opt *row_of(const struct opt_table *tables, struct slice name, char key)
{
	const struct opt *row;

	for (size_t i = 0; (row = row_at(tables, i)); i++)
		if (key ? row->key == key : slice_eq(slice_of(row->name), name))
			return row;
	return NULL;
}

/* Two neighbours in the wrong order are one edit: the slip that fingers make most. */
static bool is_swap(struct slice a, struct slice b)
{
	return a.n > 1 && b.n > 1 && a.p[0] == b.p[1] && a.p[1] == b.p[0];
}

static bool is_within(struct slice a, struct slice b, unsigned edits)
{
	while (a.n > 0 && b.n > 0 && a.p[0] == b.p[0]) {
		a = slice_from(a, 1);
		b = slice_from(b, 1);
	}
	if (a.n == 0 && b.n == 0)
		return true;
	if (edits-- == 0)
		return false;
	return is_within(slice_from(a, 1), slice_from(b, 1), edits) || is_within(slice_from(a, 1), b, edits) ||
		is_within(a, slice_from(b, 1), edits) ||
		(is_swap(a, b) && is_within(slice_from(a, 2), slice_from(b, 2), edits));
}

/* Fewer edits than letters: any word can be reached from `x`. */
static bool is_worth_trying(struct slice s, unsigned edits)
{
	return edits <= 2 && edits < s.n;
}

const char *opt_nearest(const char *s, const char *const *words)
{
	struct slice typed = slice_of(s);

	for (unsigned edits = 0; is_worth_trying(typed, edits); edits++)
		for (size_t i = 0; words[i]; i++)
			if (is_within(typed, slice_of(words[i]), edits))
				return words[i];
	return NULL;
}

static const struct opt *row_near(const struct opt_table *tables, struct slice typed)
{
	const struct opt *row;

	for (unsigned edits = 0; is_worth_trying(typed, edits); edits++)
		for (size_t i = 0; (row = row_at(tables, i)); i++)
			if (is_within(typed, slice_of(row->name), edits))
				return row;
	return NULL;
}

static bool unknown(struct parse *p, struct slice shown, struct slice name)
{
	const struct opt *row = row_near(p->tables, name);

	fault_set(p->why, FAULT_USAGE, "there is no option", shown, NULL);
	if (row)
		fault_hint(p->why, "--", slice_of(row->name));
	return false;
}

/* `--name 'value' <reason><detail>` */
static bool refuse(struct parse *p, const struct opt *row, struct slice value, const char *reason, const char *detail)
{
	char name[64];
	char why[FAULT_TEXT_MAX];
	struct text t;

	text_init(&t, name, sizeof(name));
	text_str(&t, "--");
	text_str(&t, row->name);
	text_init(&t, why, sizeof(why));
	text_str(&t, reason);
	text_str(&t, detail);
	return fault_set(p->why, FAULT_USAGE, name, value, why);
}

static void put_amount(struct text *t, enum opt_kind kind, int64_t v)
{
	if (kind == OPT_DURATION)
		units_put_duration(t, v);
	else if (kind == OPT_SIZE)
		units_put_size(t, (uint64_t)v);
	else if (kind == OPT_RATE)
		units_put_bitrate(t, v);
	else
		text_int(t, v);
}

static bool refuse_amount(struct parse *p, const struct opt *row, struct slice value, const char *reason)
{
	char range[80];
	struct text t;

	text_init(&t, range, sizeof(range));
	text_str(&t, " (");
	put_amount(&t, row->kind, row->lo);
	text_str(&t, row->hi == INT64_MAX ? " or more" : " to ");
	if (row->hi != INT64_MAX)
		put_amount(&t, row->kind, row->hi);
	text_char(&t, ')');
	return refuse(p, row, value, reason, range);
}

static bool set_amount(struct parse *p, const struct opt *row, struct slice value, int64_t *field)
{
	static const char *(*const readers[])(struct slice, int64_t, int64_t, int64_t *) = {
		[OPT_COUNT] = units_count,
		[OPT_DURATION] = units_duration,
		[OPT_SIZE] = units_size,
		[OPT_RATE] = units_rate,
	};
	const char *reason = readers[row->kind](value, row->lo, row->hi, field);

	return !reason || refuse_amount(p, row, value, reason);
}

/* The index of @word in the row's list, or -1 with @shown refused. */
static int word_at(struct parse *p, const struct opt *row, struct slice word, struct slice shown)
{
	char list[FAULT_TEXT_MAX];
	struct text t;

	text_init(&t, list, sizeof(list));
	for (int i = 0; row->words[i]; i++) {
		if (slice_eq(slice_of(row->words[i]), word))
			return i;
		text_char(&t, ' ');
		text_str(&t, row->words[i]);
	}
	refuse(p, row, shown, "is not one of", list);
	return -1;
}

static bool set_choice(struct parse *p, const struct opt *row, struct slice value, int *field)
{
	int i = word_at(p, row, value, value);

	*field = i < 0 ? *field : i;
	return i >= 0;
}

static bool set_bits(struct parse *p, const struct opt *row, struct slice value, unsigned *field)
{
	unsigned bits = 0;

	for (struct slice rest = value; rest.n > 0;) {
		struct slice word = slice_cut(&rest, ',');
		int i = word_at(p, row, word, word.n > 0 ? word : value);

		if (i < 0)
			return false;
		bits |= 1U << i;
	}
	*field |= bits;
	return true;
}

static bool add(struct parse *p, const struct opt *row, const char *value, struct opt_list *list)
{
	_Static_assert(OPT_LIST_MAX == 8, "as the message says");
	if (list->n == OPT_LIST_MAX)
		return refuse(p, row, slice_of(value), "is one too many: ", "8 can be given");
	list->v[list->n++] = value;
	return true;
}

static bool wants_value(const struct opt *row)
{
	return row->kind != OPT_FLAG && row->kind != OPT_VALUE;
}

/* Text may be empty: `--user-agent ''` sends none. */
static bool set_value(struct parse *p, const struct opt *row, const char *value)
{
	void *field = (char *)p->cfg + row->off;
	bool is_text = row->kind == OPT_STRING || row->kind == OPT_LIST;

	if (!value || (value[0] == '\0' && !is_text))
		return refuse(p, row, SLICE(""), "needs a value: ", row->arg);
	switch (row->kind) {
	case OPT_STRING:
		*(const char **)field = value;
		return true;
	case OPT_LIST:
		return add(p, row, value, field);
	case OPT_CHOICE:
		return set_choice(p, row, slice_of(value), field);
	case OPT_SET:
		return set_bits(p, row, slice_of(value), field);
	default:
		return set_amount(p, row, slice_of(value), field);
	}
}

static void set_flag(struct parse *p, const struct opt *row)
{
	void *field = (char *)p->cfg + row->off;

	if (row->kind == OPT_VALUE)
		*(int *)field = (int)row->lo;
	else
		*(bool *)field = true;
}

static const char *next_word(struct parse *p)
{
	return p->at < p->argc ? p->argv[p->at++] : NULL;
}

/* @word with its two dashes. */
static bool take_long(struct parse *p, const char *word)
{
	struct slice all = slice_of(word);
	struct slice shown = slice_head(all, slice_find(all, '='));
	struct slice name = slice_from(shown, 2);
	bool given = shown.n < all.n;
	const struct opt *row = row_of(p->tables, name, 0);

	if (!row)
		return unknown(p, shown, name);
	if (wants_value(row))
		return set_value(p, row, given ? word + shown.n + 1 : next_word(p));
	if (given)
		return refuse(p, row, SLICE(""), "takes no value", "");
	set_flag(p, row);
	return true;
}

/* @word without its dash; a whole name behind one dash is still worth a hint. */
static bool take_short(struct parse *p, const char *word)
{
	for (const char *at = word; *at != '\0'; at++) {
		const struct opt *row = row_of(p->tables, SLICE(""), *at);

		if (!row)
			return unknown(p, (struct slice){ (char[]){ '-', *at }, 2 }, slice_of(word));
		if (wants_value(row))
			return set_value(p, row, at[1] != '\0' ? at + 1 : next_word(p));
		set_flag(p, row);
	}
	return true;
}

int opt_parse(const struct opt_table *tables, int argc, char **argv, void *cfg, struct fault *why)
{
	struct parse p = { tables, argc, 0, argv, cfg, why };
	int operands = 0;
	bool ended = false;

	while (p.at < argc) {
		char *word = argv[p.at++];

		if (ended || word[0] != '-' || word[1] == '\0')
			argv[operands++] = word;
		else if (strcmp(word, "--") == 0)
			ended = true;
		else if (word[1] == '-' ? !take_long(&p, word) : !take_short(&p, word + 1))
			return -1;
	}
	return operands;
}

/* `  -c, --count N` */
static void put_usage(struct text *t, const struct opt *row)
{
	text_str(t, row->key ? "  -" : "     ");
	text_char(t, row->key ? row->key : ' ');
	text_str(t, row->key ? ", --" : "--");
	text_str(t, row->name);
	text_str(t, row->arg ? " " : "");
	text_str(t, row->arg ? row->arg : "");
}

static size_t help_column(const struct opt_table *tables)
{
	size_t column = 0;
	const struct opt *row;

	for (size_t i = 0; (row = row_at(tables, i)); i++) {
		size_t wanted = strlen("  -c, --") + strlen(row->name) + (row->arg ? 1 + strlen(row->arg) : 0) + 2;

		if (wanted > column && wanted <= HELP_COLUMN_MAX)
			column = wanted;
	}
	return column;
}

static void put_row(struct text *t, const struct opt *row, size_t column)
{
	size_t start = t->len;

	put_usage(t, row);
	if (t->len - start + 2 > column)
		text_char(t, '\n');
	text_pad(t, column);
	text_str(t, row->help);
	text_char(t, '\n');
}

void opt_help(struct text *t, const struct opt_table *tables)
{
	size_t column = help_column(tables);

	for (const struct opt_table *table = tables; table->v; table++) {
		text_str(t, table == tables ? "" : "\n");
		text_str(t, table->title);
		text_str(t, ":\n");
		for (size_t i = 0; i < table->n; i++)
			put_row(t, &table->v[i], column);
	}
}
