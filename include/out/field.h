/* SPDX-License-Identifier: MIT */
/*
 * One table of fields a result: it drives JSON, CSV and Prometheus, so a new figure is one row.
 * UNKNOWN becomes null, an empty cell, or no sample.
 */
#ifndef OUT_FIELD_H
#define OUT_FIELD_H

#include "core/json.h"
#include "core/result.h"

enum field_kind {     /* the member at `off` is */
	FIELD_STRING, /* const char *; NULL is unknown */
	FIELD_CHARS,  /* char[]; "" is unknown */
	FIELD_METHOD, /* enum method, as the other enums by name */
	FIELD_STAMPS,
	FIELD_STATUS,
	FIELD_LIMIT,
	FIELD_CONFIDENCE,
	FIELD_COUNTED, /* bool counted_by_receiver of a flow */
	FIELD_BOOL,    /* bool of a flow; from here on numbers */
	FIELD_COUNT,   /* int64_t */
	FIELD_TOTAL,   /* int64_t that only grows */
	FIELD_RATIO,   /* int64_t parts per million, written 0..1 */
	FIELD_MS,      /* ns_t, written in milliseconds */
	FIELD_SECONDS, /* ns_t, written in seconds */
};

struct field {
	uint16_t off;
	uint8_t kind;
};

/*
 * Two words a row, one behind another: its name with its unit, which is the JSON key and the CSV column; and its help, which
 * makes a number a metric and a word a label of Prometheus, "" for neither.
 */
struct field_table {
	const char *words;
	const struct field *v;
	size_t n;
};

/* Both are made of one list of ROW(name, kind, member, help): a pointer for each word would be most of the table. */
#define FIELD_WORDS(name, kind, member, help) name "\0" help "\0"
#define FIELD_ROW(type, kind, member) { offsetof(type, member), FIELD_##kind }

/* The help of a word that is a label. */
#define FIELD_LABEL "label"

/* The name of row @row. */
const char *field_name(const struct field_table *f, size_t row);

extern const struct field_table ping_fields; /* of struct ping_result */
extern const struct field_table flow_fields; /* of struct flow_result */

/*
 * `"key":{…}` as json_open(), or null where @object is NULL. A flow that was not measured has null for
 * its figures.
 */
void field_json(struct json *j, const char *key, const struct field_table *t, const void *object);

/* Only its members, into an object that is open. */
void field_json_members(struct json *j, const struct field_table *t, const void *object);

/* Column names, each behind @prefix, with commas between; and the cells, empty where @object is NULL. No line ends. */
void field_csv_head(struct text *t, const struct field_table *f, const char *prefix);
void field_csv_row(struct text *t, const struct field_table *f, const void *object);

/* One cell for a string of a stranger's: quoted where RFC 4180 asks for it, and never read as a formula. */
void field_csv_cell(struct text *t, struct slice s);

/**
 * field_prom() - One sample for Prometheus, with `# HELP` and `# TYPE` before the first of its metric
 * @row:    in @f; rows that are no metric write nothing, so all may be asked for in turn
 * @label:  one more label, `load="none"`; NULL for none
 * @named:  the metric's head is written; false before the first sample of a row
 *
 * The metric is named after the field, in base units: `sent` counts in `sent_total`, `jitter_ms` is `jitter_seconds`.
 * All samples of one metric must stand together: loop over rows outside, over objects inside.
 */
void field_prom(struct text *t, const struct field_table *f, size_t row, const char *prefix, const void *object,
	const char *label, bool *named);

#endif
