/* SPDX-License-Identifier: MIT */
/* Paths, for eyes and for programs. */
#ifndef OUT_TRACE_H
#define OUT_TRACE_H

#include "core/path.h"
#include "out/field.h"

/* `trace to host (192.0.2.1), 30 hops at most, icmp-raw`, and below it why not better. */
void trace_text_start(struct text *t, const struct path *p, int64_t hops_max);

/* One probe: `round 1  hop 3  192.0.2.1  9.123 ms`. Ends no line. */
void trace_text_event(struct text *t, const struct ping_event *e);

/* The table: the names of its columns, a line for each hop and each further address of it, and how the path ends. */
void trace_text_head(struct text *t);
void trace_text_hop(struct text *t, const struct path_hop *h);
void trace_text_end(struct text *t, const struct path *p);

/* One probe as a line of NDJSON. */
void trace_ndjson_event(struct text *t, const struct ping_event *e, const struct path *p);

/* The document: its begin, a path and its hops, the end of the path, and its own. */
void trace_json_begin(struct json *j, struct text *t);
void trace_json_path(struct json *j, const struct path *p);
void trace_json_hop(struct json *j, const struct path_hop *h);
void trace_json_path_end(struct json *j);
void trace_json_end(struct json *j);

void trace_csv_head(struct text *t);
void trace_csv_row(struct text *t, const struct path *p, const struct path_hop *h);

/*
 * One sample of one metric, as field_prom(): of all paths first, then of all hops. Rows are those of trace_fields
 * and of ping_fields.
 */
extern const struct field_table trace_fields; /* of struct path */

void trace_prom_path(struct text *t, size_t row, const struct path *p, bool *named);
void trace_prom_hop(struct text *t, size_t row, const struct path_hop *h, bool *named);

#endif
