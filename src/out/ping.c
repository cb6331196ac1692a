/* SPDX-License-Identifier: MIT */
#include "out/ping.h"

#include <string.h>

#include "core/text_put.h"
#include "core/units.h"
#include "out/field.h"

static bool is_icmp(const struct ping_result *r)
{
	return r->method == METHOD_ICMP_RAW || r->method == METHOD_ICMP_DGRAM;
}

/* The name that was asked for, and the address where that is another word. */
static void put_host(struct text *t, const struct ping_result *r)
{
	text_put(t, strcmp(r->target, r->address) == 0 ? "%s" : "%s (%s)", r->target, r->address);
}

void ping_text_start(struct text *t, const struct ping_result *r, size_t size)
{
	int64_t headers = slice_has(slice_of(r->address), ':') ? 48 : 28;

	text_put(t, "PING %s (%s) ", r->target, r->address);
	if (is_icmp(r))
		text_put(t, "%d(%d) bytes of data.\n", (int64_t)size, (int64_t)size + headers);
	else
		text_str(t, r->method == METHOD_HTTP ? "by HTTP requests.\n" : "by TCP connections.\n");
	if (r->reason[0])
		text_put(t, "%s: %s (sonde caps tells more)\n",
			r->method == METHOD_TCP ? "no ICMP" : "unprivileged socket", r->reason);
}

/* Who it was, or who it is about. */
static void put_subject(struct text *t, const struct ping_event *e, const struct ping_result *r)
{
	if (e->outcome == OUTCOME_ERROR && e->from.family != 0) {
		text_str(t, "From ");
		addr_put(t, &e->from);
		text_char(t, ' ');
		return;
	}
	if (e->outcome == OUTCOME_LOST)
		text_str(t, "no answer from ");
	else if (e->outcome != OUTCOME_ERROR)
		text_put(t, e->bytes > 0 ? "%d bytes from " : "answer from ", (int64_t)e->bytes);
	put_host(t, r);
	text_str(t, ": ");
}

void ping_text_event(struct text *t, const struct ping_event *e, const struct ping_result *r)
{
	static const char remarks[] = /* in the order of enum outcome */
		"\0\0 (late)\0 (DUP!)\0 (corrupt: not the bytes that were sent)\0";

	put_subject(t, e, r);
	text_put(t, "%s_seq=%d", is_icmp(r) ? "icmp" : method_name(r->method), (int64_t)e->seq);
	if (e->outcome == OUTCOME_ERROR) {
		text_put(t, " %s", e->text ? e->text : "error");
	} else if (e->outcome != OUTCOME_LOST) {
		if (e->ttl >= 0)
			text_put(t, " ttl=%d", (int64_t)e->ttl);
		if (e->rtt != UNKNOWN)
			text_put(t, " time=%m ms", e->rtt);
	}
	text_put(t, "%s\n", slice_word(remarks, e->outcome));
}

static void put_more(struct text *t, int64_t n, const char *what)
{
	if (n > 0)
		text_put(t, ", +%d %s", n, what);
}

/* A tenth of a percent is as much as an interval is worth. */
static int64_t tenths(int64_t ppm)
{
	return (ppm + 500) / 1000 * 1000;
}

static void put_loss(struct text *t, const struct ping_result *r)
{
	if (r->loss_ppm == UNKNOWN)
		return;
	text_put(t, "loss %p, with 95%% confidence %p to %p", r->loss_ppm, tenths(r->loss_low_ppm),
		tenths(r->loss_high_ppm));
	put_more(t, r->late, "late");
	put_more(t, r->reordered, "reordered");
	put_more(t, r->in_flight, "still on the way");
	put_more(t, r->local_drops, "dropped by our own buffer");
	text_char(t, '\n');
}

void ping_text_summary(struct text *t, const struct ping_result *r)
{
	text_put(t, "\n--- %s ping statistics ---\n%d packets transmitted, %d received", r->target, r->sent,
		r->received);
	put_more(t, r->duplicates, "duplicates");
	put_more(t, r->corrupt, "corrupted");
	put_more(t, r->errors, "errors");
	text_put(t, ", %p packet loss, time %dms\n", r->loss_ppm == UNKNOWN ? 0 : r->loss_ppm, r->elapsed / NS_PER_MS);
	if (r->received > 0)
		text_put(
			t, "rtt min/avg/max/mdev = %m/%m/%m/%m ms\n", r->rtt_min, r->rtt_mean, r->rtt_max, r->rtt_mdev);
	if (r->rtt_p50 != UNKNOWN) {
		text_put(t, "rtt p50/p90/p99 = %m/%m/%m ms", r->rtt_p50, r->rtt_p90, r->rtt_p99);
		if (r->jitter != UNKNOWN)
			text_put(t, ", jitter %m ms", r->jitter);
		text_put(t, "; %s, stamps %s\n", method_name(r->method), stamps_name(r->stamps));
	}
	put_loss(t, r);
}

static const struct {
	uint8_t at;
	char name[7];
} columns[] = { { 32, "sent" }, { 40, "recv" }, { 48, "loss" }, { 58, "min" }, { 68, "p50" }, { 78, "p99" },
	{ 88, "jitter" }, { 98, "ms" } };

void ping_text_table_head(struct text *t)
{
	text_str(t, "\ntarget");
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		text_pad(t, columns[i].at);
		text_str(t, columns[i].name);
	}
	text_char(t, '\n');
}

static void put_cell(struct text *t, size_t column, const char *format, int64_t v)
{
	text_char(t, ' ');
	text_pad(t, columns[column].at);
	text_put(t, format, v);
}

void ping_text_table_row(struct text *t, const struct ping_result *r)
{
	put_host(t, r);
	put_cell(t, 0, "%d", r->sent);
	put_cell(t, 1, "%d", r->received);
	put_cell(t, 2, "%p", r->loss_ppm);
	put_cell(t, 3, "%m", r->rtt_min);
	put_cell(t, 4, "%m", r->rtt_p50);
	put_cell(t, 5, "%m", r->rtt_p99);
	put_cell(t, 6, "%m", r->jitter);
	text_char(t, '\n');
}

void ping_json(struct json *j, const char *key, const struct ping_result *r)
{
	field_json(j, key, &ping_fields, r);
}

void ping_json_begin(struct json *j)
{
	json_begin(j, j->out, "ping");
	json_array(j, "targets");
}

void ping_json_end(struct json *j)
{
	json_array_end(j);
	json_end(j);
}

static void json_error(struct json *j, const struct ping_event *e)
{
	bool answered = e->from.family != 0;
	char from[ADDR_TEXT_MAX];
	struct text t;

	text_init(&t, from, sizeof(from));
	addr_put(&t, &e->from);
	json_word(j, "from", from);
	json_int(j, "icmp_type", answered ? e->type : UNKNOWN);
	json_int(j, "icmp_code", answered ? e->code : UNKNOWN);
	json_word(j, "error", e->text);
}

void ping_ndjson_event(struct text *t, const struct ping_event *e, const struct ping_result *r)
{
	struct json j;

	json_begin(&j, t, "probe");
	json_word(&j, "target", r->target);
	json_word(&j, "address", r->address);
	json_int(&j, "seq", (int64_t)e->seq);
	json_word(&j, "outcome", outcome_name(e->outcome));
	json_ms(&j, "rtt_ms", e->rtt);
	json_ms(&j, "host_queue_ms", e->queue);
	json_int(&j, "ttl", e->ttl < 0 ? UNKNOWN : e->ttl);
	json_word(&j, "stamps", stamps_name(e->stamps));
	json_word(&j, "method", method_name(r->method));
	if (e->outcome == OUTCOME_ERROR)
		json_error(&j, e);
	json_end(&j);
}

void ping_csv_head(struct text *t)
{
	field_csv_head(t, &ping_fields, "");
	text_char(t, '\n');
}

void ping_csv_row(struct text *t, const struct ping_result *r)
{
	field_csv_row(t, &ping_fields, r);
	text_char(t, '\n');
}

void ping_prom(struct text *t, size_t row, const struct ping_result *r, bool *named)
{
	field_prom(t, &ping_fields, row, "sonde_ping_", r, NULL, named);
}
