/* SPDX-License-Identifier: MIT */
#include "out/field.h"

#include <string.h>

#include "core/text_put.h"

#define PING(name, kind, member, help)                                                                                 \
	{                                                                                                              \
		name, help, offsetof(struct ping_result, member), kind                                                 \
	}
#define FLOW(name, kind, member, help)                                                                                 \
	{                                                                                                              \
		name, help, offsetof(struct flow_result, member), kind                                                 \
	}

static const struct field ping_rows[] = {
	PING("target", FIELD_STRING, target, ""),
	PING("address", FIELD_CHARS, address, ""),
	PING("method", FIELD_METHOD, method, ""),
	PING("method_reason", FIELD_STRING, reason, NULL),
	PING("stamps", FIELD_STAMPS, stamps, NULL),
	PING("sent", FIELD_TOTAL, sent, "Probes sent"),
	PING("received", FIELD_TOTAL, received, "Probes answered in time"),
	PING("lost", FIELD_TOTAL, lost, "Probes not answered"),
	PING("in_flight", FIELD_COUNT, in_flight, NULL),
	PING("late", FIELD_TOTAL, late, "Probes answered too late"),
	PING("duplicates", FIELD_TOTAL, duplicates, "Further replies to one probe"),
	PING("reordered", FIELD_TOTAL, reordered, "Replies out of order"),
	PING("corrupt", FIELD_TOTAL, corrupt, "Replies of other bytes"),
	PING("errors", FIELD_TOTAL, errors, "Probes refused"),
	PING("local_drops", FIELD_TOTAL, local_drops, "Replies lost in our buffer"),
	PING("loss_ratio", FIELD_RATIO, loss_ppm, "Share of probes lost"),
	PING("loss_ratio_low", FIELD_RATIO, loss_low_ppm, "Lower end of its 95% interval"),
	PING("loss_ratio_high", FIELD_RATIO, loss_high_ppm, "Upper end of its 95% interval"),
	PING("loss_runs", FIELD_TOTAL, loss_runs, "Runs of probes without an answer in time"),
	PING("loss_run_max", FIELD_COUNT, loss_run_max, "Probes in the longest of them"),
	PING("rtt_min_ms", FIELD_MS, rtt_min, "Shortest round trip"),
	PING("rtt_mean_ms", FIELD_MS, rtt_mean, "Mean round trip"),
	PING("rtt_max_ms", FIELD_MS, rtt_max, "Longest round trip"),
	PING("rtt_mdev_ms", FIELD_MS, rtt_mdev, "Standard deviation"),
	PING("rtt_p50_ms", FIELD_MS, rtt_p50, "Median round trip"),
	PING("rtt_p90_ms", FIELD_MS, rtt_p90, "90th percentile"),
	PING("rtt_p99_ms", FIELD_MS, rtt_p99, "99th percentile"),
	PING("jitter_ms", FIELD_MS, jitter, "RFC 3550 jitter of round trips"),
	PING("ipdv_p99_ms", FIELD_MS, ipdv_p99, "99th percentile of their change"),
	PING("host_queue_p50_ms", FIELD_MS, host_queue_p50, "Median wait in our queue"),
	PING("connect_p50_ms", FIELD_MS, connect_p50, "Median time to connect"),
	PING("there_lost", FIELD_TOTAL, there.lost, "Probes lost on the way there"),
	PING("there_loss_ratio", FIELD_RATIO, there.loss_ppm, "Share of them"),
	PING("there_queue_p50_ms", FIELD_MS, there.queue_p50, "Median delay there above the lowest"),
	PING("there_queue_p99_ms", FIELD_MS, there.queue_p99, "99th percentile of it"),
	PING("back_lost", FIELD_TOTAL, back.lost, "Answers lost on the way back"),
	PING("back_loss_ratio", FIELD_RATIO, back.loss_ppm, "Share of them"),
	PING("back_queue_p50_ms", FIELD_MS, back.queue_p50, "Median delay back above the lowest"),
	PING("back_queue_p99_ms", FIELD_MS, back.queue_p99, "99th percentile of it"),
	PING("resolve_ms", FIELD_MS, resolve, "Time to look the name up"),
	PING("resolve_error", FIELD_STRING, resolve_error, NULL),
	PING("seconds", FIELD_SECONDS, elapsed, NULL),
};

static const struct field flow_rows[] = {
	FLOW("status", FIELD_STATUS, status, NULL),
	FLOW("reason", FIELD_CHARS, reason, NULL),
	FLOW("bits_per_second", FIELD_COUNT, bits_per_second, "Payload rate"),
	FLOW("bytes", FIELD_COUNT, bytes, "Payload measured"),
	FLOW("seconds", FIELD_SECONDS, elapsed, "Time measured"),
	FLOW("transferred_bytes", FIELD_COUNT, total_bytes, NULL),
	FLOW("peer_bytes", FIELD_COUNT, peer_bytes, NULL),
	FLOW("connections", FIELD_COUNT, connections, "TCP connections used"),
	FLOW("stable", FIELD_BOOL, stable, "1 where the rate settled"),
	FLOW("spread_ratio", FIELD_RATIO, spread_ppm, "Standard deviation over mean"),
	FLOW("confidence", FIELD_CONFIDENCE, confidence, NULL),
	FLOW("counted_by", FIELD_COUNTED, counted_by_receiver, NULL),
	FLOW("limited_by", FIELD_LIMIT, limited_by, NULL),
	FLOW("wire_bits_per_second", FIELD_COUNT, wire_bits_per_second, "The same with headers, computed"),
	FLOW("link_bits_per_second", FIELD_COUNT, link_bits_per_second, "Speed of this machine's port"),
	FLOW("retransmits", FIELD_COUNT, retransmits, "TCP segments sent again"),
	FLOW("congestion_control", FIELD_CHARS, congestion_control, NULL),
	FLOW("cpu_seconds_per_gigabyte", FIELD_SECONDS, cpu_per_gigabyte, "CPU time of this process"),
	FLOW("cpu_share_ratio", FIELD_RATIO, cpu_share_ppm, "CPU of this process, 1 is one core"),
	FLOW("server_cpu_share_ratio", FIELD_RATIO, server_share_ppm, "CPU of the server's process"),
};

const struct field_table ping_fields = { ping_rows, sizeof(ping_rows) / sizeof(ping_rows[0]) };
const struct field_table flow_fields = { flow_rows, sizeof(flow_rows) / sizeof(flow_rows[0]) };

/* A member as what can be written: a word, or where that is NULL a number, which may be UNKNOWN. */
struct cell {
	const char *word;
	int64_t value;
};

static const char *word_of(enum field_kind kind, const void *p)
{
	int v;

	if (kind == FIELD_STRING)
		return *(const char *const *)p;
	if (kind == FIELD_CHARS)
		return *(const char *)p ? p : NULL;
	if (kind == FIELD_COUNTED)
		return *(const bool *)p ? "receiver" : "sender";
	memcpy(&v, p, sizeof(v));
	switch (kind) {
	case FIELD_METHOD:
		return method_name((enum method)v);
	case FIELD_STAMPS:
		return stamps_name((enum stamps)v);
	case FIELD_CONFIDENCE:
		return confidence_name((enum confidence)v);
	case FIELD_STATUS:
		return flow_status_name((enum flow_status)v);
	default:
		return limited_by_name((enum limited_by)v);
	}
}

/* Of a flow that was not measured, neither whether it was stable nor who counted is known. */
static bool is_void(const struct field *f, const void *object)
{
	if (f->kind != FIELD_BOOL && f->kind != FIELD_COUNTED)
		return false;
	return ((const struct flow_result *)object)->status != FLOW_OK;
}

static struct cell cell_of(const struct field *f, const void *object)
{
	const char *p = (const char *)object + f->off;
	struct cell c = { NULL, UNKNOWN };

	if (!object || is_void(f, object))
		return c;
	if (f->kind < FIELD_BOOL)
		c.word = word_of((enum field_kind)f->kind, p);
	else if (f->kind == FIELD_BOOL)
		c.value = *(const bool *)p;
	else
		memcpy(&c.value, p, sizeof(c.value));
	return c;
}

static unsigned scale_of(const struct field *f)
{
	return f->kind == FIELD_SECONDS ? 9 : f->kind == FIELD_MS || f->kind == FIELD_RATIO ? 6 : 0;
}

void field_json_members(struct json *j, const struct field_table *t, const void *object)
{
	for (const struct field *f = t->v; f < t->v + t->n; f++) {
		struct cell c = cell_of(f, object);

		if (c.word)
			json_string(j, f->name, slice_of(c.word));
		else if (f->kind == FIELD_BOOL && c.value != UNKNOWN)
			json_bool(j, f->name, c.value != 0);
		else
			json_fixed(j, f->name, c.value, scale_of(f), scale_of(f));
	}
}

void field_json(struct json *j, const char *key, const struct field_table *t, const void *object)
{
	if (!object) {
		json_null(j, key);
		return;
	}
	json_open(j, key);
	field_json_members(j, t, object);
	json_close(j);
}

void field_csv_head(struct text *t, const struct field_table *f, const char *prefix)
{
	for (size_t i = 0; i < f->n; i++)
		text_put(t, i > 0 ? ",%s%s" : "%s%s", prefix, f->v[i].name);
}

void field_csv_cell(struct text *t, struct slice s)
{
	/* A spreadsheet would run what begins like this. */
	bool formula = slice_has_any(slice_head(s, 1), "=+-@");

	if (!formula && !slice_has_any(s, ",\"\r\n")) {
		text_safe(t, s);
		return;
	}
	text_str(t, formula ? "\"'" : "\"");
	while (s.n > 0) {
		text_safe(t, slice_until(&s, "\""));
		if (s.n > 0) {
			text_str(t, "\"\"");
			slice_skip(&s, 1);
		}
	}
	text_char(t, '"');
}

void field_csv_row(struct text *t, const struct field_table *f, const void *object)
{
	for (size_t i = 0; i < f->n; i++) {
		struct cell c = cell_of(&f->v[i], object);
		unsigned scale = scale_of(&f->v[i]);

		text_str(t, i > 0 ? "," : "");
		if (c.word)
			field_csv_cell(t, slice_of(c.word));
		else if (c.value != UNKNOWN)
			text_fixed(t, c.value, scale, scale);
	}
}

static bool is_label(const struct field *f)
{
	return f->help && f->kind < FIELD_BOOL;
}

static void put_label(struct text *t, const char *name, struct slice value)
{
	text_put(t, "%s=\"", name);
	while (value.n > 0) {
		size_t n = slice_utf8(value);

		if (slice_has_any(slice_head(value, 1), "\"\\\n"))
			text_char(t, '\\');
		text_slice(t, n == 0 ? SLICE("\xef\xbf\xbd") : value.p[0] == '\n' ? SLICE("n") : slice_head(value, n));
		slice_skip(&value, n > 0 ? n : 1);
	}
	text_char(t, '"');
}

static void put_labels(struct text *t, const struct field_table *f, const void *object, const char *label)
{
	char before = '{';

	for (size_t i = 0; i < f->n; i++) {
		if (!is_label(&f->v[i]))
			continue;

		struct cell c = cell_of(&f->v[i], object);

		text_char(t, before);
		put_label(t, f->v[i].name, slice_of(c.word ? c.word : ""));
		before = ',';
	}
	if (label) {
		text_char(t, before);
		text_str(t, label);
		before = ',';
	}
	if (before == ',')
		text_char(t, '}');
}

/* In base units, and the unit stands at the end. */
static void put_metric(struct text *t, const struct field *f)
{
	struct slice name = slice_of(f->name);
	struct slice unit = f->kind == FIELD_MS ? SLICE("_ms") : f->kind == FIELD_RATIO ? SLICE("_ratio") : SLICE("");
	size_t at = 0;

	while (!slice_starts(slice_from(name, at), unit))
		at++;
	text_slice(t, slice_head(name, at));
	text_slice(t, slice_from(name, at + unit.n));
	if (f->kind == FIELD_MS)
		unit = SLICE("_seconds");
	if (f->kind == FIELD_TOTAL)
		unit = SLICE("_total");
	text_slice(t, unit);
}

void field_prom(struct text *t, const struct field_table *f, size_t row, const char *prefix, const void *object,
	const char *label, bool *named)
{
	const struct field *r = &f->v[row];
	int64_t value = cell_of(r, object).value;
	unsigned scale = r->kind == FIELD_MS ? 9 : scale_of(r);
	char metric[64];
	struct text m;

	if (!r->help || value == UNKNOWN)
		return;
	text_init(&m, metric, sizeof(metric));
	text_str(&m, prefix);
	put_metric(&m, r);
	if (!*named)
		text_put(t, "# HELP %s %s\n# TYPE %s %s\n", metric, r->help, metric,
			r->kind == FIELD_TOTAL ? "counter" : "gauge");
	*named = true;
	text_str(t, metric);
	put_labels(t, f, object, label);
	text_char(t, ' ');
	text_fixed(t, value, scale, scale);
	text_char(t, '\n');
}
