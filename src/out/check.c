/* SPDX-License-Identifier: MIT */
#include "out/check.h"

#include "core/units.h"
#include "out/field.h"
#include "out/ping.h"

#define LABEL_COLUMN 14

void check_text_label(struct text *t, const char *label)
{
	text_str(t, "  ");
	text_str(t, label);
	text_pad(t, LABEL_COLUMN);
}

void check_text_start(struct text *t, const struct check_result *r)
{
	text_str(t, "sonde " SONDE_VERSION " measures ");
	text_safe(t, slice_of(r->url));
	text_str(t, "\n  at ");
	addr_put_port(t, &r->address);
	if (r->software[0]) {
		text_str(t, ", which is ");
		text_str(t, r->software);
	}
	text_char(t, '\n');
}

void check_text_ping(struct text *t, const struct ping_result *p, const char *label)
{
	check_text_label(t, label);
	if (p->received == 0) {
		text_str(t, "no answer to ");
		text_int(t, p->sent);
		text_str(t, " probes (");
		text_str(t, method_name(p->method));
		text_str(t, ")\n");
		return;
	}
	units_put_ms(t, p->rtt_p50);
	text_str(t, " ms median, ");
	units_put_ms(t, p->rtt_p99);
	text_str(t, " ms 99th percentile, jitter ");
	if (p->jitter == UNKNOWN)
		text_char(t, '-');
	else
		units_put_ms(t, p->jitter);
	text_str(t, " ms, loss ");
	units_put_percent(t, p->loss_ppm);
	text_str(t, " of ");
	text_int(t, p->sent - p->in_flight);
	text_str(t, " (");
	text_str(t, method_name(p->method));
	text_str(t, ", stamps ");
	text_str(t, stamps_name(p->stamps));
	text_str(t, ")\n");
	if (p->reason[0]) {
		check_text_label(t, "");
		text_str(t, "not raw ICMP: ");
		text_str(t, p->reason);
		text_char(t, '\n');
	}
}

static const char *limit_words(enum limited_by l)
{
	switch (l) {
	case LIMITED_NETWORK:
		return "limited by the network";
	case LIMITED_RECEIVER:
		return "limited by the receiver's window";
	case LIMITED_SENDER:
		return "limited by the sender's buffer";
	case LIMITED_CLIENT_CPU:
		return "limited by this machine's CPU";
	case LIMITED_SERVER:
		return "limited by the server's CPU";
	case LIMITED_SIZE:
		return "limited by the size of the file: the link may carry more";
	default:
		return "limited by the network or the server";
	}
}

static void put_flow_figures(struct text *t, const struct flow_result *f)
{
	units_put_rate(t, f->bits_per_second);
	text_str(t, " over ");
	units_put_duration(t, f->elapsed);
	text_str(t, f->stable ? ", stable" : ", not stable");
	if (f->spread_ppm != UNKNOWN) {
		text_str(t, " within ");
		units_put_percent(t, (f->spread_ppm + 500) / 1000 * 1000);
	}
	text_str(t, "; ");
	text_str(t, limit_words(f->limited_by));
	text_char(t, '\n');
}

void check_text_flow(struct text *t, const struct flow_result *f, const char *label)
{
	check_text_label(t, label);
	if (f->status == FLOW_OK) {
		put_flow_figures(t, f);
		return;
	}
	text_str(t, f->status == FLOW_UNSUPPORTED ? "not possible here: " : f->status == FLOW_FAILED ? "failed: " : "skipped");
	text_str(t, f->reason);
	text_char(t, '\n');
}

void check_text_details(struct text *t, const struct flow_result *f)
{
	if (f->status != FLOW_OK)
		return;
	check_text_label(t, "");
	text_int(t, f->total_bytes);
	text_str(t, " bytes by our count");
	if (f->peer_bytes != UNKNOWN) {
		text_str(t, ", ");
		text_int(t, f->peer_bytes);
		text_str(t, " by the server's");
	}
	text_str(t, "; ");
	text_int(t, f->connections);
	text_str(t, f->connections == 1 ? " connection, " : " connections, ");
	text_str(t, f->congestion_control[0] ? f->congestion_control : "unknown");
	text_str(t, " congestion control");
	if (f->retransmits != UNKNOWN) {
		text_str(t, ", ");
		text_int(t, f->retransmits);
		text_str(t, " segments sent again");
	}
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
		text_str(t, "ping ");
		units_put_ms(t, rtt);
		text_str(t, " ms");
	}
}

void check_ndjson_progress(struct text *t, const char *phase, int64_t bits_per_second, ns_t elapsed, ns_t rtt)
{
	struct json j;

	json_init(&j, t);
	json_open(&j, NULL);
	json_int(&j, "schema", 1);
	json_string(&j, "type", SLICE("progress"));
	json_string(&j, "phase", slice_of(phase));
	json_int(&j, "bits_per_second", bits_per_second > 0 ? bits_per_second : UNKNOWN);
	json_fixed(&j, "seconds", elapsed, 9, 3);
	json_fixed(&j, "rtt_ms", rtt, 6, 6);
	json_close(&j);
	text_char(t, '\n');
}

static void json_word(struct json *j, const char *key, const char *word)
{
	if (word && word[0])
		json_string(j, key, slice_of(word));
	else
		json_null(j, key);
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
	json_word(j, "address", r->address.family != 0 ? address : NULL);
	json_int(j, "port", r->address.port > 0 ? r->address.port : UNKNOWN);
	json_close(j);
}

static void json_flow(struct json *j, const char *key, const struct flow_result *f)
{
	json_open(j, key);
	field_json(j, &flow_fields, f);
	json_close(j);
}

static void json_ping_or_null(struct json *j, const char *key, const struct ping_result *p, bool there)
{
	if (there)
		ping_json(j, key, p);
	else
		json_null(j, key);
}

void check_json(struct text *t, const struct check_result *r, const struct check_expectation *v, size_t n)
{
	struct json j;

	json_init(&j, t);
	json_open(&j, NULL);
	json_int(&j, "schema", 1);
	json_string(&j, "type", SLICE("check"));
	json_string(&j, "version", SLICE(SONDE_VERSION));
	json_word(&j, "time", r->time);
	json_target(&j, r);
	json_open(&j, "server");
	json_word(&j, "kind", server_kind_name(r->server));
	json_word(&j, "software", r->software);
	json_close(&j);
	json_ping_or_null(&j, "ping", &r->ping, r->has_ping);
	json_flow(&j, "download", &r->download);
	json_flow(&j, "upload", &r->upload);
	json_open(&j, "loaded");
	json_ping_or_null(&j, "download", &r->loaded_download, r->has_loaded_download);
	json_ping_or_null(&j, "upload", &r->loaded_upload, r->has_loaded_upload);
	json_close(&j);
	json_open(&j, "responsiveness");
	json_null(&j, "rpm");
	json_null(&j, "rating");
	json_close(&j);
	json_array(&j, "expect");
	for (size_t i = 0; i < n; i++) {
		json_open(&j, NULL);
		json_word(&j, "expression", v[i].text);
		json_bool(&j, "met", v[i].met);
		json_int(&j, "value", v[i].value);
		json_close(&j);
	}
	json_array_end(&j);
	json_close(&j);
	text_char(t, '\n');
}

void check_csv(struct text *t, const struct check_result *r)
{
	text_str(t, "time,url,server,");
	field_csv_head(t, &ping_fields, "ping_");
	text_char(t, ',');
	field_csv_head(t, &flow_fields, "download_");
	text_char(t, ',');
	field_csv_head(t, &flow_fields, "upload_");
	text_str(t, ",loaded_download_rtt_p50_ms,loaded_upload_rtt_p50_ms\n");
	text_str(t, r->time);
	text_char(t, ',');
	field_csv_cell(t, slice_of(r->url));
	text_char(t, ',');
	text_str(t, server_kind_name(r->server) ? server_kind_name(r->server) : "");
	text_char(t, ',');
	field_csv_row(t, &ping_fields, &r->ping);
	text_char(t, ',');
	field_csv_row(t, &flow_fields, &r->download);
	text_char(t, ',');
	field_csv_row(t, &flow_fields, &r->upload);
	text_char(t, ',');
	if (r->has_loaded_download && r->loaded_download.rtt_p50 != UNKNOWN)
		text_fixed(t, r->loaded_download.rtt_p50, 6, 6);
	text_char(t, ',');
	if (r->has_loaded_upload && r->loaded_upload.rtt_p50 != UNKNOWN)
		text_fixed(t, r->loaded_upload.rtt_p50, 6, 6);
	text_char(t, '\n');
}

void check_prom(struct text *t, const struct check_result *r)
{
	static const char *const directions[2][2] = { { "direction", "download" }, { "direction", "upload" } };
	const struct ping_result *pings[] = { &r->ping, &r->loaded_download, &r->loaded_upload };
	static const char *const loads[3][2] = { { "load", "none" }, { "load", "download" }, { "load", "upload" } };
	const bool there[] = { r->has_ping, r->has_loaded_download, r->has_loaded_upload };

	for (size_t row = 0; row < ping_fields.n; row++) {
		bool named = false;

		for (size_t i = 0; i < 3; i++)
			if (there[i])
				field_prom(t, &ping_fields, row, "sonde_check_ping_", pings[i], loads[i], &named);
	}
	for (size_t row = 0; row < flow_fields.n; row++) {
		bool named = false;

		field_prom(t, &flow_fields, row, "sonde_check_flow_", &r->download, directions[0], &named);
		field_prom(t, &flow_fields, row, "sonde_check_flow_", &r->upload, directions[1], &named);
	}
}
