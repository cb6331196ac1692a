/* SPDX-License-Identifier: MIT */
#include "out/field.h"

#include <string.h>

#include "core/text_put.h"

#define PING_ROWS(ROW) \
	ROW("target", STRING, target, FIELD_LABEL) \
	ROW("address", CHARS, address, FIELD_LABEL) \
	ROW("method", METHOD, method, FIELD_LABEL) \
	ROW("method_reason", STRING, reason, "") \
	ROW("stamps", STAMPS, stamps, "") \
	ROW("sent", TOTAL, sent, "Probes sent") \
	ROW("received", TOTAL, received, "Probes answered in time") \
	ROW("lost", TOTAL, lost, "Probes not answered") \
	ROW("in_flight", COUNT, in_flight, "") \
	ROW("late", TOTAL, late, "Probes answered too late") \
	ROW("duplicates", TOTAL, duplicates, "Further replies to one probe") \
	ROW("reordered", TOTAL, reordered, "Replies out of order") \
	ROW("corrupt", TOTAL, corrupt, "Replies of other bytes") \
	ROW("errors", TOTAL, errors, "Probes refused") \
	ROW("local_drops", TOTAL, local_drops, "Replies lost in our buffer") \
	ROW("loss_ratio", RATIO, loss_ppm, "Share of probes lost") \
	ROW("loss_ratio_low", RATIO, loss_low_ppm, "Lower end of its 95% interval") \
	ROW("loss_ratio_high", RATIO, loss_high_ppm, "Upper end of its 95% interval") \
	ROW("loss_runs", TOTAL, loss_runs, "Runs of probes without an answer in time") \
	ROW("loss_run_max", COUNT, loss_run_max, "Probes in the longest of them") \
	ROW("rtt_min_ms", MS, rtt_min, "Shortest round trip") \
	ROW("rtt_mean_ms", MS, rtt_mean, "Mean round trip") \
	ROW("rtt_max_ms", MS, rtt_max, "Longest round trip") \
	ROW("rtt_mdev_ms", MS, rtt_mdev, "Standard deviation") \
	ROW("rtt_p50_ms", MS, rtt_p50, "Median round trip") \
	ROW("rtt_p90_ms", MS, rtt_p90, "90th percentile") \
	ROW("rtt_p99_ms", MS, rtt_p99, "99th percentile") \
	ROW("jitter_ms", MS, jitter, "RFC 3550 jitter of round trips") \
	ROW("ipdv_p99_ms", MS, ipdv_p99, "99th percentile of their change") \
	ROW("host_queue_p50_ms", MS, host_queue_p50, "Median wait in our queue") \
	ROW("connect_p50_ms", MS, connect_p50, "Median time to connect") \
	ROW("there_lost", TOTAL, there.lost, "Probes lost on the way there") \
	ROW("there_loss_ratio", RATIO, there.loss_ppm, "Share of them") \
	ROW("there_queue_p50_ms", MS, there.queue_p50, "Median delay there above the lowest") \
	ROW("there_queue_p99_ms", MS, there.queue_p99, "99th percentile of it") \
	ROW("back_lost", TOTAL, back.lost, "Answers lost on the way back") \
	ROW("back_loss_ratio", RATIO, back.loss_ppm, "Share of them") \
	ROW("back_queue_p50_ms", MS, back.queue_p50, "Median delay back above the lowest") \
	ROW("back_queue_p99_ms", MS, back.queue_p99, "99th percentile of it") \
	ROW("resolve_ms", MS, resolve, "Time to look the name up") \
	ROW("resolve_error", STRING, resolve_error, "") \
	ROW("seconds", SECONDS, elapsed, "")

#define FLOW_ROWS(ROW) \
	ROW("status", STATUS, status, "") \
	ROW("reason", CHARS, reason, "") \
	ROW("bits_per_second", COUNT, bits_per_second, "Payload rate") \
	ROW("bytes", COUNT, bytes, "Payload measured") \
	ROW("seconds", SECONDS, elapsed, "Time measured") \
	ROW("transferred_bytes", COUNT, total_bytes, "") \
	ROW("peer_bytes", COUNT, peer_bytes, "") \
	ROW("connections", COUNT, connections, "TCP connections used") \
	ROW("stable", BOOL, stable, "1 where the rate settled") \
	ROW("spread_ratio", RATIO, spread_ppm, "Standard deviation over mean") \
	ROW("confidence", CONFIDENCE, confidence, "") \
	ROW("counted_by", COUNTED, counted_by_receiver, "") \
	ROW("limited_by", LIMIT, limited_by, "") \
	ROW("wire_bits_per_second", COUNT, wire_bits_per_second, "The same with headers, computed") \
	ROW("link_bits_per_second", COUNT, link_bits_per_second, "Speed of this machine's port") \
	ROW("retransmits", COUNT, retransmits, "TCP segments sent again") \
	ROW("congestion_control", CHARS, congestion_control, "") \
	ROW("cpu_seconds_per_gigabyte", SECONDS, cpu_per_gigabyte, "CPU time of this process") \
	ROW("cpu_share_ratio", RATIO, cpu_share_ppm, "CPU of this process, 1 is one core") \
	ROW("server_cpu_share_ratio", RATIO, server_share_ppm, "CPU of the server's process")

#define PING(name, kind, member, help) FIELD_ROW(struct ping_result, kind, member),
#define FLOW(name, kind, member, help) FIELD_ROW(struct flow_result, kind, member),

static const struct field ping_rows[] = { PING_ROWS(PING) };
static const struct field flow_rows[] = { FLOW_ROWS(FLOW) };

const struct field_table ping_fields = { PING_ROWS(FIELD_WORDS), ping_rows, sizeof(ping_rows) / sizeof(ping_rows[0]) };
const struct field_table flow_fields = { FLOW_ROWS(FIELD_WORDS), flow_rows, sizeof(flow_rows) / sizeof(flow_rows[0]) };

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

const char *field_name(const struct field_table *f, size_t row)
{
	return slice_word(f->words, 2 * row);
}

static unsigned scale_of(const struct field *f)
{
	return f->kind == FIELD_SECONDS ? 9 : f->kind == FIELD_MS || f->kind == FIELD_RATIO ? 6 : 0;
}

void field_json_members(struct json *j, const struct field_table *t, const void *object)
{
	for (size_t row = 0; row < t->n; row++) {
		const struct field *f = &t->v[row];
		const char *name = field_name(t, row);
		struct cell c = cell_of(f, object);

		if (c.word)
			json_string(j, name, slice_of(c.word));
		else if (f->kind == FIELD_BOOL && c.value != UNKNOWN)
			json_bool(j, name, c.value != 0);
		else
			json_fixed(j, name, c.value, scale_of(f), scale_of(f));
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
		text_put(t, i > 0 ? ",%s%s" : "%s%s", prefix, field_name(f, i));
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

static const char *help_of(const struct field_table *f, size_t row)
{
	return slice_word(f->words, 2 * row + 1);
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
		if (f->v[i].kind >= FIELD_BOOL || *help_of(f, i) == '\0')
			continue;

		struct cell c = cell_of(&f->v[i], object);

		text_char(t, before);
		put_label(t, field_name(f, i), slice_of(c.word ? c.word : ""));
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
static void put_metric(struct text *t, struct slice name, enum field_kind kind)
{
	struct slice unit = kind == FIELD_MS ? SLICE("_ms") : kind == FIELD_RATIO ? SLICE("_ratio") : SLICE("");
	size_t at = 0;

	while (!slice_starts(slice_from(name, at), unit))
		at++;
	text_slice(t, slice_head(name, at));
	text_slice(t, slice_from(name, at + unit.n));
	if (kind == FIELD_MS)
		unit = SLICE("_seconds");
	if (kind == FIELD_TOTAL)
		unit = SLICE("_total");
	text_slice(t, unit);
}

void field_prom(struct text *t, const struct field_table *f, size_t row, const char *prefix, const void *object,
	const char *label, bool *named)
{
	const struct field *r = &f->v[row];
	const char *help = help_of(f, row);
	int64_t value = cell_of(r, object).value;
	unsigned scale = r->kind == FIELD_MS ? 9 : scale_of(r);
	char metric[64];
	struct text m;

	if (*help == '\0' || value == UNKNOWN)
		return;
	text_init(&m, metric, sizeof(metric));
	text_str(&m, prefix);
	put_metric(&m, slice_of(field_name(f, row)), (enum field_kind)r->kind);
	if (!*named)
		text_put(t, "# HELP %s %s\n# TYPE %s %s\n", metric, help, metric,
			r->kind == FIELD_TOTAL ? "counter" : "gauge");
	*named = true;
	text_str(t, metric);
	put_labels(t, f, object, label);
	text_char(t, ' ');
	text_fixed(t, value, scale, scale);
	text_char(t, '\n');
}
