/* SPDX-License-Identifier: MIT */
#include "out/http.h"

#include "core/text_put.h"
#include "out/check_text.h"

#define ROWS_OF_ONE(ROW) \
	ROW("url", STRING, url, FIELD_LABEL) \
	ROW("status", COUNT, last.status, "Status of the last answer") \
	ROW("resolve_ms", MS, span[HTTP_RESOLVE].p50, "Median time to look the name up") \
	ROW("connect_ms", MS, span[HTTP_CONNECT].p50, "Median time to connect") \
	ROW("send_ms", MS, span[HTTP_SEND].p50, "Median time to send the request") \
	ROW("first_byte_ms", MS, span[HTTP_FIRST_BYTE].p50, "Median wait for the answer") \
	ROW("transfer_ms", MS, span[HTTP_TRANSFER].p50, "Median time from its first byte to its last") \
	ROW("total_ms", MS, span[HTTP_TOTAL].p50, "Median of the whole") \
	ROW("connect_rtt_ms", MS, span[HTTP_CONNECT_RTT].p50, "Median round trip of the handshake") \
	ROW("bytes", COUNT, last.bytes, "Body of the last answer") \
	ROW("address", CHARS, address, FIELD_LABEL) \
	ROW("requests", TOTAL, requests, "Requests made") \
	ROW("answered", TOTAL, answered, "Complete answers, whatever their status") \
	ROW("failed", TOTAL, failed, "Requests without one") \
	ROW("failed_ratio", RATIO, failed_ppm, "Share of requests without one") \
	ROW("connections", COUNT, connections, "TCP connections opened") \
	ROW("reason", CHARS, last.reason, "") \
	ROW("server", CHARS, last.server, "") \
	ROW("location", CHARS, last.location, "") \
	ROW("error", CHARS, error.text, "") \
	ROW("note", STRING, note, "")

#define SPREAD(ROW, name, span) \
	ROW(name "_min_ms", MS, span.min, "Shortest") \
	ROW(name "_p90_ms", MS, span.p90, "90th percentile") \
	ROW(name "_p99_ms", MS, span.p99, "99th percentile") \
	ROW(name "_max_ms", MS, span.max, "Longest")

#define ROWS_OF_SPREAD(ROW) \
	SPREAD(ROW, "resolve", span[HTTP_RESOLVE]) \
	SPREAD(ROW, "connect", span[HTTP_CONNECT]) \
	SPREAD(ROW, "send", span[HTTP_SEND]) \
	SPREAD(ROW, "first_byte", span[HTTP_FIRST_BYTE]) \
	SPREAD(ROW, "transfer", span[HTTP_TRANSFER]) \
	SPREAD(ROW, "total", span[HTTP_TOTAL]) \
	SPREAD(ROW, "connect_rtt", span[HTTP_CONNECT_RTT])

#define RESULT(name, kind, member, help) FIELD_ROW(struct http_result, kind, member),

static const char words[] = ROWS_OF_ONE(FIELD_WORDS) ROWS_OF_SPREAD(FIELD_WORDS);
static const struct field rows[] = { ROWS_OF_ONE(RESULT) ROWS_OF_SPREAD(RESULT) };

/* The medians stand together, in the order of enum http_span. */
enum { ROW_OF_SPANS = 2 };

enum { ALL_ROWS = sizeof(rows) / sizeof(rows[0]) };

static const struct field_table tables[] = { { words, rows, ALL_ROWS - 4 * HTTP_SPANS }, { words, rows, ALL_ROWS } };

static const char span_words[] = /* in the order of enum http_span */
	"resolve\0connect\0send\0first byte\0transfer\0total\0handshake";

#define COLUMN 13
#define COLUMN_WIDTH 10

const struct field_table *http_fields(bool spread)
{
	return &tables[spread];
}

/* Milliseconds behind a space, right-aligned so that they end in @column where they fit. */
static void put_ms(struct text *t, ns_t v, size_t column)
{
	char number[24];
	struct text n;

	text_init(&n, number, sizeof(number));
	text_put(&n, "%m", v);
	text_char(t, ' ');
	text_pad(t, n.len < column ? column - n.len : 0);
	text_str(t, number);
}

static void put_about(struct text *t, const struct http_result *r)
{
	if (r->last.location[0])
		text_put(t, "  redirects to %q, which is not followed\n", slice_of(r->last.location));
	if (r->last.status >= 400)
		text_put(t, "  measured all the same; --expect 'status<400' takes %d for a failure\n", r->last.status);
	if (r->note)
		text_put(t, "  %s\n", r->note);
}

static void put_answer(struct text *t, const struct http_timing *one)
{
	text_put(t, one->reason[0] ? "  %d %s" : "  %d", one->status, one->reason);
	text_put(t, ", %d bytes from ", one->bytes);
	addr_put_port(t, &one->address);
	text_put(t, one->server[0] ? ", %s\n" : "\n", one->server);
}

void http_text_one(struct text *t, const struct http_result *r, bool more)
{
	text_put(t, "%s\n", r->url);
	if (r->answered == 0) {
		text_put(t, "  failed: %s\n", r->requests > 0 ? r->error.text : "nothing was asked");
		return;
	}
	put_answer(t, &r->last);
	for (unsigned i = 0; i <= (more ? HTTP_CONNECT_RTT : HTTP_TOTAL); i++) {
		if (r->span[i].p50 == UNKNOWN)
			continue;
		check_text_label(t, slice_word(span_words, i));
		put_ms(t, r->span[i].p50, COLUMN + COLUMN_WIDTH);
		text_str(t, " ms\n");
	}
	put_about(t, r);
}

static void put_span(struct text *t, const char *format, ns_t v)
{
	if (v != UNKNOWN)
		text_put(t, format, v);
}

void http_text_event(struct text *t, const char *url, const struct http_timing *one, bool many)
{
	if (!http_is_answered(one)) {
		text_put(t, "failed %s: seq=%d %s\n", url, one->seq, one->why.text);
		return;
	}
	text_put(t, "%d, %d bytes from ", one->status, one->bytes);
	if (many)
		text_put(t, "%s", url);
	else
		addr_put_port(t, &one->address);
	text_put(t, ": seq=%d", one->seq);
	put_span(t, " resolve=%m ms", one->span[HTTP_RESOLVE]);
	put_span(t, " connect=%m ms", one->span[HTTP_CONNECT]);
	text_put(t, " first_byte=%m ms total=%m ms%s\n", one->span[HTTP_FIRST_BYTE], one->span[HTTP_TOTAL],
		one->kept ? " (kept connection)" : "");
}

static void put_counts(struct text *t, const struct http_result *r)
{
	text_put(t, "\n--- %s statistics ---\n%d requests, %d answers, %d failed (%p); ", r->url, r->requests, r->answered,
		r->failed, r->failed_ppm);
	text_put(t, r->connections == 1 ? "%d connection\n" : "%d connections\n", r->connections);
	for (size_t i = 0; i < r->n_statuses; i++) {
		text_put(t, i == 0 ? "status " : ", ");
		text_put(t, r->statuses[i].status == UNKNOWN ? "%d x another" : "%d x ", r->statuses[i].count);
		if (r->statuses[i].status != UNKNOWN)
			text_int(t, r->statuses[i].status);
	}
	text_str(t, r->n_statuses > 0 ? "\n" : "");
}

static void put_row(struct text *t, const char *label, const struct http_spread *s)
{
	const ns_t v[] = { s->min, s->p50, s->p90, s->p99, s->max };

	check_text_label(t, label);
	for (size_t i = 0; i < 5; i++)
		put_ms(t, v[i], COLUMN + (i + 1) * COLUMN_WIDTH);
	text_str(t, " ms\n");
}

void http_text_summary(struct text *t, const struct http_result *r, bool more)
{
	put_counts(t, r);
	if (r->answered == 0)
		return;
	text_pad(t, COLUMN);
	text_str(t, "       min       p50       p90       p99       max\n");
	for (unsigned i = 0; i <= (more ? HTTP_CONNECT_RTT : HTTP_TOTAL); i++)
		if (r->span[i].p50 != UNKNOWN)
			put_row(t, slice_word(span_words, i), &r->span[i]);
	put_about(t, r);
}

void http_ndjson_event(struct text *t, const char *url, const struct http_timing *one)
{
	struct json j;

	json_begin(&j, t, "probe");
	json_put(&j, "url:s seq:d outcome:s status:d", url, one->seq,
		outcome_name(http_is_answered(one) ? OUTCOME_REPLY : OUTCOME_ERROR), one->status);
	for (unsigned i = 0; i < HTTP_SPANS; i++)
		json_ms(&j, field_name(tables, ROW_OF_SPANS + i), one->span[i]);
	json_put(&j, "bytes:d address:a kept:b reason:s location:s error:s", one->bytes, &one->address, one->kept, one->reason,
		one->location, http_is_answered(one) ? NULL : one->why.text);
	json_end(&j);
}

static void put_members(struct json *j, const struct http_result *r, bool spread)
{
	field_json_members(j, http_fields(spread), r);
	json_put(j, "delayed_ack:b statuses[", r->delayed_ack);
	for (size_t i = 0; i < r->n_statuses; i++)
		json_put(j, "{ status:d count:d }", r->statuses[i].status, r->statuses[i].count);
	json_array_end(j);
}

void http_json(struct text *t, const struct http_result *r, bool spread)
{
	struct json j;

	json_begin(&j, t, "http");
	put_members(&j, r, spread);
	json_end(&j);
}

void http_json_begin(struct json *j, struct text *t)
{
	json_begin(j, t, "http");
	json_array(j, "targets");
}

void http_json_target(struct json *j, const struct http_result *r, bool spread)
{
	json_open(j, NULL);
	put_members(j, r, spread);
	json_close(j);
}

void http_json_end(struct json *j)
{
	json_array_end(j);
	json_end(j);
}
