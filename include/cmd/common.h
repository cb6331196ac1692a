/* SPDX-License-Identifier: MIT */
/* What the measuring commands share: their common options, and the way out to standard output. */
#ifndef CMD_COMMON_H
#define CMD_COMMON_H

#include "core/expect.h"
#include "core/opt.h"
#include "out/check_text.h"
#include "sys/stream.h"

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_NDJSON, FORMAT_CSV, FORMAT_PROM };

/* Stands first in every command's configuration, so that one table of options serves all. */
struct common {
	int family; /* 4, 6, or 0 */
	int format; /* enum format */
	bool quiet, verbose, no_color;
	const char *interface, *source;
	ns_t timeout;
	struct opt_list expect;
};

enum { COMMON_ROWS = 10 }; /* of which number 2 is the format */

extern const struct opt common_rows[COMMON_ROWS];

#define COMMON_OPTIONS { "Common options", common_rows, COMMON_ROWS }

/* The origin that -I and -S ask for. Return: false where the source is no address. */
bool common_origin(const struct common *c, struct origin *ret, struct fault *why);

struct expectations {
	struct expect v[OPT_LIST_MAX];
	enum expect_unit unit[OPT_LIST_MAX];
	struct check_expectation judged[OPT_LIST_MAX];
	size_t n;
	bool missed;
};

/* Read every --expect against a command's figures. */
bool expectations_parse(struct expectations *e, const struct common *c, const struct expect_figure *table,
	struct fault *why);

/* Judge number @i by what was measured, UNKNOWN for nothing. */
void expectations_judge(struct expectations *e, size_t i, int64_t value);

/* A line each with the result as text; with another format on standard error, where one was missed. False as common_flush(). */
bool expectations_tell(struct text *t, const struct expectations *e, const struct expect_figure *table,
	const struct common *c);

/* As ndjson, a fault is a line of the result too. It is told once, however often it is asked for. */
void common_error(const struct common *c, const struct fault *why);

/* That line; the longest one is shorter than this. */
#define COMMON_ERROR_MAX 2048
void common_put_error(struct text *t, const struct fault *why);

/* Standard output gone: end quietly where its reader left, loudly where a disk is full. */
#define EXIT_NO_OUTPUT 2

/* Write the text to standard output and empty it. Return: false where that is not possible any more. */
bool common_flush(struct text *t);

#endif
