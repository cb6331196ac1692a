/* SPDX-License-Identifier: MIT */
#include "core/opt.h"

#include <string.h>

#include "core/text_put.h"

#define HELP_COLUMN_MAX 32

struct parse {
	const struct opt_table *tables;
	int argc, at;
	char **argv;
	void *cfg;
	struct fault *why;
	const struct opt *row; /* the option that is being read */
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
		if (key ? row->key == key : slice_is(name, row->name))
			return row;
	return NULL;
}

/* Two neighbours in the wrong order are one edit: the slip that fingers make most. */
static bool is_within(const char *a, const char *b, unsigned edits)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	if (*a == *b)
		return true;
	if (edits-- == 0)
		return false;
	if ((*a != '\0' && is_within(a + 1, b, edits)) || (*b != '\0' && is_within(a, b + 1, edits)))
		return true;
	if (*a == '\0' || *b == '\0')
		return false;
	return is_within(a + 1, b + 1, edits) || (a[0] == b[1] && a[1] == b[0] && is_within(a + 2, b + 2, edits));
}

bool opt_nearer(struct slice typed, const char *word, unsigned *least)
{
	char copy[32];
	struct text t;
	unsigned edits = 0;

	text_init(&t, copy, sizeof(copy));
	text_slice(&t, typed);
	while (edits < *least && !is_within(copy, word, edits))
		edits++;
	if (t.cut || edits >= *least || edits >= typed.n)
		return false;
	*least = edits;
	return true;
}

const char *opt_nearest(const char *s, const char *const *words)
{
	const char *near = NULL;
	unsigned least = OPT_FAR;

	for (; *words; words++)
		if (opt_nearer(slice_of(s), *words, &least))
			near = *words;
	return near;
}

static bool unknown(struct parse *p, struct slice shown, struct slice name)
{
	const struct opt *row, *near = NULL;
	unsigned least = OPT_FAR;

	for (size_t i = 0; (row = row_at(p->tables, i)); i++)
		if (opt_nearer(name, row->name, &least))
			near = row;
	fault_set(p->why, FAULT_USAGE, "there is no option", shown, NULL);
	if (near)
		fault_hint(p->why, "--%s", near->name);
	return false;
}

/* `--name 'value' `; what is wrong with it follows. */
static struct text begin_refusal(struct parse *p, struct slice value)
{
	struct text t = fault_begin(p->why, FAULT_USAGE);

	text_put(&t, "--%s ", p->row->name);
	if (value.n > 0)
		text_put(&t, "%q ", value);
	return t;
}

static bool refuse(struct parse *p, struct slice value, const char *reason, const char *detail)
{
	struct text t = begin_refusal(p, value);

	text_put(&t, "%s%s", reason, detail);
	return false;
}

static bool set_amount(struct parse *p, struct slice value, int64_t *field)
{
	const struct opt *row = p->row;
	enum units_kind kind = (enum units_kind)row->kind;
	const char *reason = units_read(value, kind, row->lo, row->hi, field);

	if (!reason)
		return true;

	struct text t = begin_refusal(p, value);

	text_put(&t, "%s (", reason);
	units_put(&t, kind, row->lo);
	text_str(&t, row->hi == INT64_MAX ? " or more" : " to ");
	if (row->hi != INT64_MAX)
		units_put(&t, kind, row->hi);
	text_char(&t, ')');
	return false;
}

/* The index of @word in the row's list, or -1 with @shown refused. */
static int word_at(struct parse *p, struct slice word, struct slice shown)
{
	const char *const *words = p->row->words;
	int i = 0;

	for (; words[i]; i++)
		if (slice_is(word, words[i]))
			return i;

	struct text t = begin_refusal(p, shown);

	text_str(&t, "is not one of");
	for (; *words; words++)
		text_put(&t, " %s", *words);
	return -1;
}

static bool set_choice(struct parse *p, struct slice value, int *field)
{
	int i = word_at(p, value, value);

	if (i >= 0)
		*field = i;
	return i >= 0;
}

static bool set_bits(struct parse *p, struct slice value, unsigned *field)
{
	unsigned bits = 0;

	for (struct slice rest = value; rest.n > 0;) {
		struct slice word = slice_cut(&rest, ',');
		int i = word_at(p, word, word.n > 0 ? word : value);

		if (i < 0)
			return false;
		bits |= 1U << i;
	}
	*field |= bits;
	return true;
}

static bool add(struct parse *p, const char *value, struct opt_list *list)
{
	_Static_assert(OPT_LIST_MAX == 8, "as the message says");
	if (list->n == OPT_LIST_MAX)
		return refuse(p, slice_of(value), "is one too many: ", "8 can be given");
	list->v[list->n++] = value;
	return true;
}

static bool wants_value(const struct opt *row)
{
	return row->kind != OPT_FLAG && row->kind != OPT_VALUE;
}

/* Text may be empty: `--user-agent ''` sends none. */
static bool set_value(struct parse *p, const char *value)
{
	void *field = (char *)p->cfg + p->row->off;
	uint8_t kind = p->row->kind;

	if (!value || (value[0] == '\0' && kind != OPT_STRING && kind != OPT_LIST))
		return refuse(p, SLICE(""), "needs a value: ", p->row->arg);
	switch (kind) {
	case OPT_STRING:
		*(const char **)field = value;
		return true;
	case OPT_LIST:
		return add(p, value, field);
	case OPT_CHOICE:
		return set_choice(p, slice_of(value), field);
	case OPT_SET:
		return set_bits(p, slice_of(value), field);
	default:
		return set_amount(p, slice_of(value), field);
	}
}

static void set_flag(struct parse *p)
{
	void *field = (char *)p->cfg + p->row->off;

	if (p->row->kind == OPT_VALUE)
		*(int *)field = (int)p->row->lo;
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
	struct slice rest = slice_of(word);
	bool given = slice_has(rest, '=');
	struct slice shown = slice_cut(&rest, '='), name = slice_from(shown, 2);

	p->row = row_of(p->tables, name, '\0');
	if (!p->row)
		return unknown(p, shown, name);
	if (wants_value(p->row))
		return set_value(p, given ? rest.p : next_word(p));
	if (given)
		return refuse(p, SLICE(""), "takes no value", "");
	set_flag(p);
	return true;
}

/* @word without its dash; a whole name behind one dash is still worth a hint. */
static bool take_short(struct parse *p, const char *word)
{
	for (const char *at = word; *at != '\0'; at++) {
		p->row = row_of(p->tables, SLICE(""), *at);
		if (!p->row)
			return unknown(p, (struct slice){ (char[]){ '-', *at }, 2 }, slice_of(word));
		if (wants_value(p->row))
			return set_value(p, at[1] != '\0' ? at + 1 : next_word(p));
		set_flag(p);
	}
	return true;
}

int opt_parse(const struct opt_table *tables, int argc, char **argv, void *cfg, struct fault *why)
{
	struct parse p = { tables, argc, 0, argv, cfg, why, NULL };
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
	const char key[] = { ' ', ' ', '-', row->key, ',', ' ', '\0' };

	text_put(t, row->arg ? "%s--%s %s" : "%s--%s", row->key ? key : "      ", row->name, row->arg);
}

/* Where the help begins: two blanks behind the longest usage that is short enough. */
static size_t help_column(const struct opt_table *tables)
{
	size_t column = 0;
	const struct opt *row;

	for (size_t i = 0; (row = row_at(tables, i)); i++) {
		char usage[HELP_COLUMN_MAX - 1];
		struct text t;

		text_init(&t, usage, sizeof(usage));
		put_usage(&t, row);
		if (!t.cut && t.len + 2 > column)
			column = t.len + 2;
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
	text_put(t, "%s\n", row->help);
}

void opt_help(struct text *t, const struct opt_table *tables)
{
	size_t column = help_column(tables);

	for (const struct opt_table *table = tables; table->v; table++) {
		text_put(t, table == tables ? "%s:\n" : "\n%s:\n", table->title);
		for (size_t i = 0; i < table->n; i++)
			put_row(t, &table->v[i], column);
	}
}
