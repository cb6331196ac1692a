/* SPDX-License-Identifier: MIT */
/*
 * One table of options: it parses, checks ranges, names the nearest word, and prints the help.
 * The man page and the completions come from the same rows.
 */
#ifndef CORE_OPT_H
#define CORE_OPT_H

#include "core/fault.h"
#include "core/units.h"

enum opt_kind {                        /* the field at `off` is */
	OPT_COUNT = UNITS_COUNT,       /* int64_t, lo..hi */
	OPT_DURATION = UNITS_DURATION, /* ns_t, lo..hi */
	OPT_SIZE = UNITS_SIZE,         /* int64_t bytes, lo..hi */
	OPT_RATE = UNITS_RATE,         /* int64_t bits a second, lo..hi */
	OPT_FLAG = UNITS_N,            /* bool: set to true */
	OPT_VALUE,                     /* int: set to `lo` (for -4 and -6, which share a field) */
	OPT_STRING,                    /* const char * */
	OPT_CHOICE,                    /* int: the index in `words` */
	OPT_SET,                       /* unsigned: bit i for words[i]; `a,b` adds several */
	OPT_LIST,                      /* struct opt_list: may be given again */
};

#define OPT_LIST_MAX 8

struct opt_list {
	const char *v[OPT_LIST_MAX];
	size_t n;
};

struct opt {
	char key;         /* 'c' for -c, 0 for none */
	uint8_t kind;     /* enum opt_kind */
	uint16_t off;     /* offsetof the field in the command's configuration */
	const char *name; /* "count" for --count; never NULL */
	const char *arg;  /* "N" in the help; NULL for flags */
	const char *help; /* one line, with the default */
	int64_t lo, hi;
	const char *const *words; /* NULL-terminated, for OPT_CHOICE and OPT_SET */
};

/* Rows that belong together; several tables make a command's options. */
struct opt_table {
	const char *title; /* heading in the help */
	const struct opt *v;
	size_t n;
};

/**
 * opt_parse() - Read a command's arguments
 * @tables:    ended by a row whose v is NULL
 * @argc/@argv: without the program's and the command's names; operands are moved to the front of @argv
 * @cfg:       the structure that the offsets count from, already holding the defaults
 *
 * Takes -c 3, -c3, -qv, --count 3, --count=3, and -- before operands; options may follow operands;
 * a lone - is an operand. An unambiguous beginning of a long name is not accepted: scripts outlive it.
 *
 * Return: the number of operands, or -1 with @why set, naming the nearest option or the range.
 */
int opt_parse(const struct opt_table *tables, int argc, char **argv, void *cfg, struct fault *why);

/* `  -c, --count N        stop after N probes` in aligned columns, `title:` above each table. */
void opt_help(struct text *t, const struct opt_table *tables);

/* Edits beyond what a slip of the fingers makes. */
#define OPT_FAR 3

/*
 * Is @word nearer to @typed than *least edits, which starts at OPT_FAR and goes down with each that is?
 * Two swapped neighbours are one edit. No word is near where all letters must change.
 */
bool opt_nearer(struct slice typed, const char *word, unsigned *least);

/* The word among the NULL-terminated @words that is nearest to @s, or NULL where all are far. */
const char *opt_nearest(const char *s, const char *const *words);

#endif
