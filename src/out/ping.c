/* SPDX-License-Identifier: MIT */
#include "out/ping.h"

#include "core/units.h"
#include "out/field.h"

static bool is_icmp(const struct ping_result *r)
{
	return r->method == METHOD_ICMP_RAW || r->method == METHOD_ICMP_DGRAM;
}

static const char *seq_word(const struct ping_result *r)
{
	return is_icmp(r) ? "icmp_seq=" : r->method == METHOD_HTTP ? "http_seq=" : "tcp_seq=";
}

/* The name that was asked for, and the address where that is another word. */
static void put_host(struct text *t, const struct ping_result *r)
{
	struct slice name = slice_of(r->target), address = slice_of(r->address);

	text_safe(t, name);
	if (!slice_eq(name, address)) {
		text_str(t, " (");
		text_slice(t, address);
		text_char(t, ')');
	}
}

void ping_text_start(struct text *t, const struct ping_result *r, size_t size)
{
	bool v6 = slice_find(slice_of(r->address), ':') < slice_of(r->address).n;

	text_str(t, "PING ");
	text_safe(t, slice_of(r->target));
	text_str(t, " (");
	text_str(t, r->address);
	text_str(t, ") ");
	if (is_icmp(r)) {
		text_uint(t, size);
		text_char(t, '(');
		text_uint(t, size + (v6 ? 48 : 28));
		text_str(t, ") bytes of data.\n");
	} else {
		text_str(t, r->method == METHOD_HTTP ? "by HTTP requests.\n" : "by TCP connections.\n");
	}
	if (r->reason[0]) {
		text_str(t, r->method == METHOD_TCP ? "no ICMP: " : "unprivileged socket: ");
		text_str(t, r->reason);
		text_str(t, " (sonde caps tells more)\n");
	}
}

static void put_error(struct text *t, const struct ping_event *e, const struct ping_result *r)
{
	if (e->from.family != 0) {
		text_str(t, "From ");
		addr_put(t, &e->from);
		text_char(t, ' ');
	} else {
		put_host(t, r);
		text_str(t, ": ");
	}
	text_str(t, seq_word(r));
	text_uint(t, e->seq);
	text_char(t, ' ');
	text_str(t, e->text ? e->text : "error");
}

static void put_reply(struct text *t, const struct ping_event *e, const struct ping_result *r)
{
	if (e->bytes > 0) {
		text_uint(t, e->bytes);
		text_str(t, " bytes from ");
	} else {
		text_str(t, "answer from ");
	}
	put_host(t, r);
	text_str(t, ": ");
	text_str(t, seq_word(r));
	text_uint(t, e->seq);
	if (e->ttl >= 0) {
		text_str(t, " ttl=");
		text_int(t, e->ttl);
	}
	if (e->rtt != UNKNOWN) {
		text_str(t, " time=");
		units_put_ms(t, e->rtt);
		text_str(t, " ms");
	}
}

void ping_text_event(struct text *t, const struct ping_event *e, const struct ping_result *r)
{
	switch (e->outcome) {
	case OUTCOME_LOST:
		text_str(t, "no answer from ");
		put_host(t, r);
		text_str(t, ": ");
		text_str(t, seq_word(r));
		text_uint(t, e->seq);
		break;
	case OUTCOME_ERROR:
		put_error(t, e, r);
		break;
	default:
		put_reply(t, e, r);
	}
	if (e->outcome == OUTCOME_LATE)
		text_str(t, " (late)");
	else if (e->outcome == OUTCOME_DUPLICATE)
		text_str(t, " (DUP!)");
	else if (e->outcome == OUTCOME_CORRUPT)
		text_str(t, " (corrupt: not the bytes that were sent)");
	text_char(t, '\n');
}

static void put_more(struct text *t, int64_t n, const char *what)
{
	if (n <= 0)
		return;
	text_str(t, ", +");
	text_int(t, n);
	text_str(t, what);
}

/* Values joined by slashes, as ping(8) writes them. */
static void put_ms_list(struct text *t, const ns_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			text_char(t, '/');
		units_put_ms(t, v[i]);
	}
	text_str(t, " ms");
}

static void put_loss(struct text *t, const struct ping_result *r)
{
	if (r->loss_ppm == UNKNOWN)
		return;
	text_str(t, "loss ");
	units_put_percent(t, r->loss_ppm);
	text_str(t, ", with 95% confidence ");
	units_put_percent(t, r->loss_low_ppm);
	text_str(t, " to ");
	units_put_percent(t, r->loss_high_ppm);
	put_more(t, r->late, " late");
	put_more(t, r->reordered, " reordered");
	put_more(t, r->in_flight, " still on the way");
	put_more(t, r->local_drops, " dropped by our own buffer");
	text_char(t, '\n');
}

void ping_text_summary(struct text *t, const struct ping_result *r)
{
	text_str(t, "\n--- ");
	text_safe(t, slice_of(r->target));
	text_str(t, " ping statistics ---\n");
	text_int(t, r->sent);
	text_str(t, " packets transmitted, ");
	text_int(t, r->received);
	text_str(t, " received");
	put_more(t, r->duplicates, " duplicates");
	put_more(t, r->corrupt, " corrupted");
	put_more(t, r->errors, " errors");
	text_str(t, ", ");
	units_put_percent(t, r->loss_ppm == UNKNOWN ? 0 : r->loss_ppm);
	text_str(t, " packet loss, time ");
	text_int(t, r->elapsed / NS_PER_MS);
	text_str(t, "ms\n");
	if (r->received > 0) {
		text_str(t, "rtt min/avg/max/mdev = ");
		put_ms_list(t, (const ns_t[]){ r->rtt_min, r->rtt_mean, r->rtt_max, r->rtt_mdev }, 4);
		text_char(t, '\n');
	}
	if (r->rtt_p50 != UNKNOWN) {
		text_str(t, "rtt p50/p90/p99 = ");
		put_ms_list(t, (const ns_t[]){ r->rtt_p50, r->rtt_p90, r->rtt_p99 }, 3);
		if (r->jitter != UNKNOWN) {
			text_str(t, ", jitter ");
			units_put_ms(t, r->jitter);
			text_str(t, " ms");
		}
		text_str(t, "; ");
		text_str(t, method_name(r->method));
		text_str(t, ", stamps ");
		text_str(t, stamps_name(r->stamps));
		text_char(t, '\n');
	}
	put_loss(t, r);
}

static const size_t columns[] = { 32, 40, 48, 58, 68, 78, 88, 98 };

void ping_text_table_head(struct text *t)
{
	static const char *const names[] = { "sent", "recv", "loss", "min", "p50", "p99", "jitter", "ms" };

	text_str(t, "\ntarget");
	for (size_t i = 0; i < 8; i++) {
		text_pad(t, columns[i]);
		text_str(t, names[i]);
	}
	text_char(t, '\n');
}

static void put_cell_ms(struct text *t, ns_t v)
{
	if (v == UNKNOWN)
		text_char(t, '-');
	else
		units_put_ms(t, v);
}

void ping_text_table_row(struct text *t, const struct ping_result *r)
{
	const ns_t times[] = { r->rtt_min, r->rtt_p50, r->rtt_p99, r->jitter };

	put_host(t, r);
	text_char(t, ' ');
	text_pad(t, columns[0]);
	text_int(t, r->sent);
	text_pad(t, columns[1]);
	text_int(t, r->received);
	text_pad(t, columns[2]);
	if (r->loss_ppm == UNKNOWN)
		text_char(t, '-');
	else
		units_put_percent(t, r->loss_ppm);
	for (size_t i = 0; i < 4; i++) {
		text_pad(t, columns[3 + i]);
		put_cell_ms(t, times[i]);
	}
	text_char(t, '\n');
}

void ping_json(struct json *j, const char *key, const struct ping_result *r)
{
	json_open(j, key);
	field_json(j, &ping_fields, r);
	json_close(j);
}

void ping_json_begin(struct json *j)
{
	json_open(j, NULL);
	json_int(j, "schema", 1);
	json_string(j, "type", SLICE("ping"));
	json_array(j, "targets");
}

void ping_json_end(struct json *j)
{
	json_array_end(j);
	json_close(j);
	text_char(j->out, '\n');
}

static void json_word(struct json *j, const char *key, const char *word)
{
	if (word)
		json_string(j, key, slice_of(word));
	else
		json_null(j, key);
}

void ping_ndjson_event(struct text *t, const struct ping_event *e, const struct ping_result *r)
{
	struct json j;

	json_init(&j, t);
	json_open(&j, NULL);
	json_int(&j, "schema", 1);
	json_string(&j, "type", SLICE("probe"));
	json_string(&j, "target", slice_of(r->target));
	json_string(&j, "address", slice_of(r->address));
	json_int(&j, "seq", (int64_t)e->seq);
	json_word(&j, "outcome", outcome_name(e->outcome));
	json_fixed(&j, "rtt_ms", e->rtt, 6, 6);
	json_fixed(&j, "host_queue_ms", e->queue, 6, 6);
	json_int(&j, "ttl", e->ttl < 0 ? UNKNOWN : e->ttl);
	json_word(&j, "stamps", stamps_name(e->stamps));
	json_word(&j, "method", method_name(r->method));
	if (e->outcome == OUTCOME_ERROR) {
		char from[ADDR_TEXT_MAX];
		struct text ft;

		text_init(&ft, from, sizeof(from));
		addr_put(&ft, &e->from);
		json_word(&j, "from", e->from.family != 0 ? from : NULL);
		json_int(&j, "icmp_type", e->from.family != 0 ? e->type : UNKNOWN);
		json_int(&j, "icmp_code", e->from.family != 0 ? e->code : UNKNOWN);
		json_word(&j, "error", e->text);
	}
	json_close(&j);
	text_char(t, '\n');
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
	static const char *const none[2];

	field_prom(t, &ping_fields, row, "sonde_ping_", r, none, named);
}
