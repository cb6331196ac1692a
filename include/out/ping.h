/* SPDX-License-Identifier: MIT */
/* Pings, for eyes and for programs. Every function appends whole lines. */
#ifndef OUT_PING_H
#define OUT_PING_H

#include "core/ping_event.h"

/* `PING host (192.0.2.1) 56(84) bytes of data.`, as ping(8), and below it how and why not better. */
void ping_text_start(struct text *t, const struct ping_result *r, size_t size);

/* Why not by a better method than @method; nothing where @reason is "". */
void ping_text_reason(struct text *t, enum method method, const char *reason);

/* For many targets: that these are connections, and why. */
void ping_text_way(struct text *t, const struct ping_result *r);

/* One event; of @many targets an error tells which: `64 bytes from 192.0.2.1: icmp_seq=1 ttl=64 time=0.048 ms`, the line that others parse. */
void ping_text_event(struct text *t, const struct ping_event *e, const struct ping_result *r, bool many);

/* For -v: what was measured beside the round trips. */
void ping_text_details(struct text *t, const struct ping_result *r);

/* The statistics of one target: ping(8)'s three lines, then ours. */
void ping_text_summary(struct text *t, const struct ping_result *r);

/* All targets of a run together. */
struct ping_total {
	int64_t targets, answered, unresolved;
	int64_t sent, received, lost;
	int64_t local_drops; /* UNKNOWN where the kernel does not say */
	ns_t elapsed;
};

void ping_total_add(struct ping_total *sum, const struct ping_result *r);

/* One line a target, as fping(8): `192.0.2.1 : xmt/rcv/%loss = 5/5/0%, min/avg/max = 0.1/0.2/0.3`; @more adds ours. */
void ping_text_line(struct text *t, const struct ping_result *r, bool more);
void ping_text_total(struct text *t, const struct ping_total *sum);

/* What became of a name: a line of text where it has no address, a line of NDJSON in any case. */
void ping_text_name(struct text *t, const struct ping_result *r);
void ping_ndjson_name(struct text *t, const struct ping_result *r);

/* `"key":{…}` in an open object, null where @r is NULL; with NULL as @key a bare object. */
void ping_json(struct json *j, const char *key, const struct ping_result *r);

/* One event as a line of NDJSON. */
void ping_ndjson_event(struct text *t, const struct ping_event *e, const struct ping_result *r);

/* Members: who said what; as ICMP where it was, which this machine and a refused connection have no type of. */
void ping_json_source(struct json *j, const struct addr *from, int type, int code, const char *what);

/* The beginning, before each target, and the end of the final JSON document. */
void ping_json_begin(struct json *j);
void ping_json_end(struct json *j, const struct ping_total *sum);

void ping_csv_head(struct text *t);
void ping_csv_row(struct text *t, const struct ping_result *r);
/* One sample of one metric, as field_prom(). */
void ping_prom(struct text *t, size_t row, const struct ping_result *r, bool *named);

#endif
