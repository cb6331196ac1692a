/* SPDX-License-Identifier: MIT */
#include "out/field.h"

#include <string.h>

#define PING(name, kind, member, metric, help)                                                                         \
	{                                                                                                              \
		name, kind, offsetof(struct ping_result, member), metric, help                                         \
	}
#define FLOW(name, kind, member, metric, help)                                                                         \
	{                                                                                                              \
		name, kind, offsetof(struct flow_result, member), metric, help                                         \
	}

static const struct field ping_rows[] = {
	PING("target", FIELD_STRING, target, "", ""),
	PING("address", FIELD_CHARS, address, "", ""),
	PING("method", FIELD_METHOD, method, "", ""),
	PING("method_reason", FIELD_STRING, reason, NULL, ""),
	PING("stamps", FIELD_STAMPS, stamps, NULL, ""),
	PING("sent", FIELD_COUNT, sent, "sent_total", "Probes sent"),
	PING("received", FIELD_COUNT, received, "received_total", "Probes answered in time"),
	PING("lost", FIELD_COUNT, lost, "lost_total", "Probes not answered"),
	PING("in_flight", FIELD_COUNT, in_flight, NULL, ""),
	PING("late", FIELD_COUNT, late, "late_total", "Probes answered after the timeout"),
	PING("duplicates", FIELD_COUNT, duplicates, "duplicates_total", "Further replies to one probe"),
	PING("reordered", FIELD_COUNT, reordered, "reordered_total", "Replies that overtook an earlier one"),
	PING("corrupt", FIELD_COUNT, corrupt, "corrupt_total", "Replies that were not what was sent"),
	PING("errors", FIELD_COUNT, errors, "errors_total", "Probes refused by an ICMP error or by this machine"),
	PING("local_drops", FIELD_COUNT, local_drops, "local_drops_total", "Replies lost in our own receive buffer"),
	PING("loss_ratio", FIELD_RATIO, loss_ppm, "loss_ratio", "Share of probes lost"),
	PING("loss_ratio_low", FIELD_RATIO, loss_low_ppm, "loss_low_ratio", "Lower end of its 95 % Wilson interval"),
	PING("loss_ratio_high", FIELD_RATIO, loss_high_ppm, "loss_high_ratio", "Upper end of its 95 % Wilson interval"),
	PING("rtt_min_ms", FIELD_MS, rtt_min, "rtt_min_seconds", "Shortest round trip"),
	PING("rtt_mean_ms", FIELD_MS, rtt_mean, "rtt_mean_seconds", "Mean round trip"),
	PING("rtt_max_ms", FIELD_MS, rtt_max, "rtt_max_seconds", "Longest round trip"),
	PING("rtt_mdev_ms", FIELD_MS, rtt_mdev, "rtt_mdev_seconds", "Standard deviation of the round trips"),
	PING("rtt_p50_ms", FIELD_MS, rtt_p50, "rtt_p50_seconds", "Median round trip"),
	PING("rtt_p90_ms", FIELD_MS, rtt_p90, "rtt_p90_seconds", "90th percentile round trip"),
	PING("rtt_p99_ms", FIELD_MS, rtt_p99, "rtt_p99_seconds", "99th percentile round trip"),
	PING("jitter_ms", FIELD_MS, jitter, "jitter_seconds", "Jitter after RFC 3550 section 6.4.1 over round trips"),
	PING("ipdv_p99_ms", FIELD_MS, ipdv_p99, "ipdv_p99_seconds", "99th percentile of the change between round trips"),
	PING("host_queue_p50_ms", FIELD_MS, host_queue_p50, "host_queue_p50_seconds", "Median wait in our own queue"),
	PING("seconds", FIELD_SECONDS, elapsed, NULL, ""),
};

static const struct field flow_rows[] = {
	FLOW("status", FIELD_STATUS, status, NULL, ""),
	FLOW("reason", FIELD_CHARS, reason, NULL, ""),
	FLOW("bits_per_second", FIELD_COUNT, bits_per_second, "bits_per_second", "Payload rate of the measured part"),
	FLOW("bytes", FIELD_COUNT, bytes, "bytes", "Payload of the measured part"),
	FLOW("seconds", FIELD_SECONDS, elapsed, "seconds", "Duration of the measured part"),
	FLOW("transferred_bytes", FIELD_COUNT, total_bytes, NULL, ""),
	FLOW("peer_bytes", FIELD_COUNT, peer_bytes, NULL, ""),
	FLOW("connections", FIELD_COUNT, connections, "connections", "TCP connections used"),
	FLOW("stable", FIELD_BOOL, stable, "stable", "1 where the rate settled"),
	FLOW("spread_ratio", FIELD_RATIO, spread_ppm, "spread_ratio", "Standard deviation of the rate over its mean"),
	FLOW("counted_by", FIELD_COUNTED, counted_by_receiver, NULL, ""),
	FLOW("limited_by", FIELD_LIMIT, limited_by, NULL, ""),
	FLOW("retransmits", FIELD_COUNT, retransmits, "retransmits", "TCP segments sent again"),
	FLOW("congestion_control", FIELD_CHARS, congestion_control, NULL, ""),
	FLOW("cpu_seconds_per_gigabyte", FIELD_SECONDS, cpu_per_gigabyte, "cpu_seconds_per_gigabyte", "CPU time of this process"),
	FLOW("cpu_share_ratio", FIELD_RATIO, cpu_share_ppm, "cpu_share_ratio", "CPU of this process, 1 is one core"),
};

const struct field_table ping_fields = { ping_rows, sizeof(ping_rows) / sizeof(ping_rows[0]) };
const struct field_table flow_fields = { flow_rows, sizeof(flow_rows) / sizeof(flow_rows[0]) };

/* A member as what can be written: a word, or an integer with its decimal scale. */
struct cell {
	bool known, is_word, is_bool;
	struct slice word;
	int64_t value;
	unsigned scale, decimals;
};

static int enum_at(const void *p)
{
	int v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static const char *word_of(const struct field *f, const void *p)
{
	switch (f->kind) {
	case FIELD_STRING:
		return *(const char *const *)p;
	case FIELD_CHARS:
		return *(const char *)p ? p : NULL;
	case FIELD_METHOD:
		return method_name((enum method)enum_at(p));
	case FIELD_STAMPS:
		return stamps_name((enum stamps)enum_at(p));
	case FIELD_STATUS:
		return flow_status_name((enum flow_status)enum_at(p));
	case FIELD_LIMIT:
		return limited_by_name((enum limited_by)enum_at(p));
	default:
		return *(const bool *)p ? "receiver" : "sender";
	}
}

static struct cell number_of(const struct field *f, const void *p)
{
	struct cell c = { .known = true };

	if (f->kind == FIELD_BOOL) {
		c.is_bool = true;
		c.value = *(const bool *)p;
		return c;
	}
	memcpy(&c.value, p, sizeof(c.value));
	c.known = c.value != UNKNOWN;
	c.scale = f->kind == FIELD_COUNT ? 0 : f->kind == FIELD_MS || f->kind == FIELD_RATIO ? 6 : 9;
	c.decimals = c.scale;
	return c;
}

static bool is_number(const struct field *f)
{
	return f->kind >= FIELD_COUNT && f->kind <= FIELD_BOOL;
}

static struct cell cell_of(const struct field *f, const void *object)
{
	const void *p = (const char *)object + f->off;

	if (is_number(f))
		return number_of(f, p);
	const char *word = word_of(f, p);

	return (struct cell){ .known = word != NULL, .is_word = true, .word = word ? slice_of(word) : SLICE("") };
}

/* A flow that was not measured: whether it was stable or who counted is not known either. */
static bool is_void(const struct field_table *t, const struct field *f, const void *object)
{
	if (t != &flow_fields || (f->kind != FIELD_BOOL && f->kind != FIELD_COUNTED))
		return false;
	return ((const struct flow_result *)object)->status != FLOW_OK;
}

void field_json(struct json *j, const struct field_table *t, const void *object)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct field *f = &t->v[i];
		struct cell c = cell_of(f, object);

		if (!c.known || is_void(t, f, object))
			json_null(j, f->name);
		else if (c.is_word)
			json_string(j, f->name, c.word);
		else if (c.is_bool)
			json_bool(j, f->name, c.value != 0);
		else
			json_fixed(j, f->name, c.value, c.scale, c.decimals);
	}
}

void field_csv_head(struct text *t, const struct field_table *f, const char *prefix)
{
	for (size_t i = 0; i < f->n; i++) {
		if (i > 0)
			text_char(t, ',');
		text_str(t, prefix);
		text_str(t, f->v[i].name);
	}
}

void field_csv_cell(struct text *t, struct slice s)
{
	/* A spreadsheet would run what begins like this. */
	bool formula = s.n > 0 && memchr("=+-@", s.p[0], 4);
	bool quote = formula;

	for (size_t i = 0; i < s.n; i++)
		quote = quote || memchr(",\"\r\n", s.p[i], 4);
	if (!quote) {
		text_safe(t, s);
		return;
	}
	text_str(t, formula ? "\"'" : "\"");
	while (s.n > 0) {
		size_t at = slice_find(s, '"');

		text_safe(t, slice_head(s, at));
		if (at < s.n)
			text_str(t, "\"\"");
		s = slice_from(s, at + 1);
	}
	text_char(t, '"');
}

void field_csv_row(struct text *t, const struct field_table *f, const void *object)
{
	for (size_t i = 0; i < f->n; i++) {
		struct cell c = cell_of(&f->v[i], object);

		if (i > 0)
			text_char(t, ',');
		if (!c.known || is_void(f, &f->v[i], object))
			continue;
		if (c.is_word)
			field_csv_cell(t, c.word);
		else
			text_fixed(t, c.value, c.scale, c.decimals);
	}
}

static void put_label(struct text *t, const char *name, struct slice value, size_t before)
{
	text_char(t, before > 0 ? ',' : '{');
	text_str(t, name);
	text_str(t, "=\"");
	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];

		if (c == '"' || c == '\\' || c == '\n')
			text_char(t, '\\');
		text_char(t, c == '\n' ? 'n' : c);
	}
	text_char(t, '"');
}

static bool is_label(const struct field *f)
{
	return f->metric && f->metric[0] == '\0';
}

static void put_labels(struct text *t, const struct field_table *f, const void *object, const char *const extra[2])
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		if (is_label(&f->v[i]))
			put_label(t, f->v[i].name, cell_of(&f->v[i], object).word, n++);
	if (extra[0])
		put_label(t, extra[0], slice_of(extra[1]), n++);
	if (n > 0)
		text_char(t, '}');
}

static void put_metric_head(struct text *t, const struct field *f, const char *prefix)
{
	bool counter = slice_ends_nocase(slice_of(f->metric), SLICE("_total"));

	text_str(t, "# HELP ");
	text_str(t, prefix);
	text_str(t, f->metric);
	text_char(t, ' ');
	text_str(t, f->help);
	text_str(t, "\n# TYPE ");
	text_str(t, prefix);
	text_str(t, f->metric);
	text_str(t, counter ? " counter\n" : " gauge\n");
}

void field_prom(struct text *t, const struct field_table *f, size_t row, const char *prefix, const void *object,
	const char *const extra[2], bool *named)
{
	const struct field *r = &f->v[row];
	struct cell c = cell_of(r, object);
	/* Base units: seconds, where the table's own unit is milliseconds. */
	unsigned scale = r->kind == FIELD_MS ? 9 : c.scale;

	if (!r->metric || is_label(r) || !c.known || is_void(f, r, object))
		return;
	if (!*named)
		put_metric_head(t, r, prefix);
	*named = true;
	text_str(t, prefix);
	text_str(t, r->metric);
	put_labels(t, f, object, extra);
	text_char(t, ' ');
	text_fixed(t, c.value, scale, scale);
	text_char(t, '\n');
}
