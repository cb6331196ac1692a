/* SPDX-License-Identifier: MIT */
#include "out/check.h"

#include "core/text_put.h"
#include "core/units.h"
#include "out/field.h"
#include "out/ping.h"

#define LABEL_COLUMN 14

void check_text_label(struct text *t, const char *label)
{
	text_put(t, "  %s", label);
	text_pad(t, LABEL_COLUMN);
}

void check_text_start(struct text *t, const struct check_result *r)
{
	text_put(t, "sonde " SONDE_VERSION " measures %s\n  at ", r->url);
	if (r->address.port > 0)
		addr_put_port(t, &r->address);
	else
		addr_put(t, &r->address);
	text_put(t, r->software[0] ? ", which is %s\n" : "\n", r->software);
}

void check_text_ping(struct text *t, const struct ping_result *p, const char *label)
{
	const char *method = method_name(p->method);

	check_text_label(t, label);
	if (p->received == 0) {
		text_put(t, "no answer to %d probes (%s)\n", p->sent, method);
		return;
	}
	text_put(t, "%m ms median, %m ms 99th percentile, jitter %m ms, loss %p of %d (%s, stamps %s)\n", p->rtt_p50,
		p->rtt_p99, p->jitter, p->loss_ppm, p->sent - p->in_flight, method, stamps_name(p->stamps));
	if (p->reason[0]) {
		check_text_label(t, "");
		text_put(t, "not raw ICMP: %s\n", p->reason);
	}
}

static const char *limit_words(enum limited_by l)
{
	static const char words[] = /* in the order of enum limited_by */
		"the network or the server\0the network\0the receiver's window\0the sender's buffer\0"
		"this machine's CPU\0the server's CPU\0the size of the file: the link may carry more";

	return slice_word(words, l);
}

static void put_flow_figures(struct text *t, const struct flow_result *f)
{
	units_put_rate(t, f->bits_per_second);
	text_put(t, " over %t, %s", f->elapsed, f->stable ? "stable" : "not stable");
	if (f->spread_ppm != UNKNOWN)
		text_put(t, ", spread %p", (f->spread_ppm + 5000) / 10000 * 10000);
	text_put(t, "; limited by %s\n", limit_words(f->limited_by));
}

void check_text_flow(struct text *t, const struct flow_result *f, const char *label)
{
	static const char words[] = "skipped\0\0not possible here: \0failed: "; /* in the order of enum flow_status */

	check_text_label(t, label);
	if (f->status == FLOW_OK)
		put_flow_figures(t, f);
	else
		text_put(t, "%s%s\n", slice_word(words, f->status), f->reason);
}

void check_text_details(struct text *t, const struct flow_result *f)
{
	const char *congestion = f->congestion_control[0] ? f->congestion_control : "unknown";

	if (f->status != FLOW_OK)
		return;
	check_text_label(t, "");
	text_put(t, "%d bytes by our count", f->total_bytes);
	if (f->peer_bytes != UNKNOWN)
		text_put(t, ", %d by the server's", f->peer_bytes);
	text_put(t, "; %d connection%s, %s congestion control", f->connections, f->connections == 1 ? "" : "s",
		congestion);
	if (f->retransmits != UNKNOWN)
		text_put(t, ", %d segments sent again", f->retransmits);
	if (f->cpu_per_gigabyte != UNKNOWN) {
		text_str(t, "; ");
		text_fixed(t, f->cpu_per_gigabyte, 9, 3);
		text_str(t, " CPU s/GB");
	}
	text_char(t, '\n');
}

void check_text_progress(struct text *t, const char *label, int64_t bits_per_second, ns_t elapsed, ns_t rtt)
{
	check_text_label(t, label);
	if (bits_per_second > 0)
		units_put_bitrate(t, bits_per_second);
	text_pad(t, LABEL_COLUMN + 16);
	text_fixed(t, elapsed, 9, 1);
	text_str(t, " s");
	if (rtt != UNKNOWN) {
		text_pad(t, LABEL_COLUMN + 26);
		text_put(t, "ping %m ms", rtt);
	}
}

void check_ndjson_progress(struct text *t, const char *phase, int64_t bits_per_second, ns_t elapsed, ns_t rtt)
{
	struct json j;

	json_begin(&j, t, "progress");
	json_word(&j, "phase", phase);
	json_int(&j, "bits_per_second", bits_per_second);
	json_fixed(&j, "seconds", elapsed, 9, 3);
	json_ms(&j, "rtt_ms", rtt);
	json_end(&j);
}

static void json_target(struct json *j, const struct check_result *r)
{
	char address[ADDR_TEXT_MAX];
	struct text t;

	text_init(&t, address, sizeof(address));
	addr_put(&t, &r->address);
	json_open(j, "target");
	json_word(j, "url", r->url);
	json_word(j, "host", r->host);
	json_word(j, "address", address);
	json_int(j, "port", r->address.port > 0 ? r->address.port : UNKNOWN);
	json_close(j);
}

static void json_value(struct json *j, const struct check_expectation *e)
{
	if (e->unit == EXPECT_TIME)
		json_ms(j, "value_ms", e->value);
	else if (e->unit == EXPECT_RATIO)
		json_fixed(j, "value_ratio", e->value, 6, 6);
	else
		json_int(j, e->unit == EXPECT_RATE ? "value_bits_per_second" : "value_count", e->value);
}

static void json_expectations(struct json *j, const struct check_expectation *v, size_t n)
{
	json_array(j, "expect");
	for (size_t i = 0; i < n; i++) {
		json_open(j, NULL);
		json_word(j, "expression", v[i].text);
		json_bool(j, "met", v[i].met);
		json_value(j, &v[i]);
		json_close(j);
	}
	json_array_end(j);
}

void check_json(struct text *t, const struct check_result *r, const struct check_expectation *v, size_t n)
{
	struct json j;

	json_begin(&j, t, "check");
	json_word(&j, "version", SONDE_VERSION);
	json_word(&j, "time", r->time);
	json_target(&j, r);
	json_open(&j, "server");
	json_word(&j, "kind", server_kind_name(r->server));
	json_word(&j, "software", r->software);
	json_close(&j);
	ping_json(&j, "ping", r->has_ping ? &r->ping : NULL);
	field_json(&j, "download", &flow_fields, &r->download);
	field_json(&j, "upload", &flow_fields, &r->upload);
	json_open(&j, "loaded");
	ping_json(&j, "download", r->has_loaded_download ? &r->loaded_download : NULL);
	ping_json(&j, "upload", r->has_loaded_upload ? &r->loaded_upload : NULL);
	json_close(&j);
	json_open(&j, "responsiveness");
	json_null(&j, "rpm");
	json_null(&j, "rating");
	json_close(&j);
	json_expectations(&j, v, n);
	json_end(&j);
}

static void csv_loaded(struct text *t, const struct ping_result *p, bool there)
{
	text_char(t, ',');
	if (there && p->rtt_p50 != UNKNOWN)
		text_fixed(t, p->rtt_p50, 6, 6);
}

void check_csv(struct text *t, const struct check_result *r)
{
	const char *server = server_kind_name(r->server);

	text_str(t, "time,url,server,");
	field_csv_head(t, &ping_fields, "ping_");
	text_char(t, ',');
	field_csv_head(t, &flow_fields, "download_");
	text_char(t, ',');
	field_csv_head(t, &flow_fields, "upload_");
	text_put(t, ",loaded_download_rtt_p50_ms,loaded_upload_rtt_p50_ms\n%s,", r->time);
	field_csv_cell(t, slice_of(r->url));
	text_put(t, ",%s,", server ? server : "");
	field_csv_row(t, &ping_fields, r->has_ping ? &r->ping : NULL);
	text_char(t, ',');
	field_csv_row(t, &flow_fields, &r->download);
	text_char(t, ',');
	field_csv_row(t, &flow_fields, &r->upload);
	csv_loaded(t, &r->loaded_download, r->has_loaded_download);
	csv_loaded(t, &r->loaded_upload, r->has_loaded_upload);
	text_char(t, '\n');
}

static void prom_ping(struct text *t, const struct check_result *r, size_t row)
{
	static const char prefix[] = "sonde_check_ping_";
	bool named = false;

	if (r->has_ping)
		field_prom(t, &ping_fields, row, prefix, &r->ping, "load=\"none\"", &named);
	if (r->has_loaded_download)
		field_prom(t, &ping_fields, row, prefix, &r->loaded_download, "load=\"download\"", &named);
	if (r->has_loaded_upload)
		field_prom(t, &ping_fields, row, prefix, &r->loaded_upload, "load=\"upload\"", &named);
}

static void prom_flow(struct text *t, const struct check_result *r, size_t row)
{
	static const char prefix[] = "sonde_check_flow_";
	bool named = false;

	field_prom(t, &flow_fields, row, prefix, &r->download, "direction=\"download\"", &named);
	field_prom(t, &flow_fields, row, prefix, &r->upload, "direction=\"upload\"", &named);
}

void check_prom(struct text *t, const struct check_result *r)
{
	for (size_t row = 0; row < ping_fields.n; row++)
		prom_ping(t, r, row);
	for (size_t row = 0; row < flow_fields.n; row++)
		prom_flow(t, r, row);
}
