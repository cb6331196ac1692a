/* SPDX-License-Identifier: MIT */
/* Requests and their phases, for eyes and for programs. Every function appends whole lines. */
#ifndef OUT_HTTP_H
#define OUT_HTTP_H

#include "core/http_timing.h"
#include "out/field.h"

/* One request, done: a line each for the answer and for each phase that was measured; @more for -v. */
void http_text_one(struct text *t, const struct http_result *r, bool more);

/* One of several: `200, 5120 bytes from 192.0.2.1:80: seq=1 first_byte=0.402 ms total=0.596 ms`; the URL for @many. */
void http_text_event(struct text *t, const char *url, const struct http_timing *one, bool many);

/* All of them: counts, statuses, and a table of the phases. */
void http_text_summary(struct text *t, const struct http_result *r, bool more);

/* One request as a line of NDJSON. */
void http_ndjson_event(struct text *t, const char *url, const struct http_timing *one);

/* The fields of struct http_result; @spread: with those of more than one request. */
const struct field_table *http_fields(bool spread);

/* `{"schema":1,"type":"http",…}`, one line; or where there are several URLs, one of the bare objects in "targets". */
void http_json(struct text *t, const struct http_result *r, bool spread);
void http_json_begin(struct json *j, struct text *t);
void http_json_target(struct json *j, const struct http_result *r, bool spread);
void http_json_end(struct json *j);

#endif
