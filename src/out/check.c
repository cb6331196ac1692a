/* SPDX-License-Identifier: MIT */
#include "out/check.h"

#include "core/text_put.h"
#include "out/field.h"
#include "out/ping.h"

void check_ndjson_progress(struct text *t, const struct check_moment *m)
{
	struct json j;

	json_begin(&j, t, "progress");
	json_word(&j, "phase", m->phase);
	json_int(&j, "bits_per_second", m->bits_per_second);
	if (m->up_bits_per_second != UNKNOWN)
		json_int(&j, "up_bits_per_second", m->up_bits_per_second);
	json_fixed(&j, "seconds", m->elapsed, 9, 3);
	json_ms(&j, "rtt_ms", m->rtt);
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

static void json_loaded(struct json *j, const struct check_result *r)
{
	json_open(j, "loaded");
	ping_json(j, "download", r->has_loaded_download ? &r->loaded_download : NULL);
	ping_json(j, "upload", r->has_loaded_upload ? &r->loaded_upload : NULL);
	ping_json(j, "both", r->has_loaded_both ? &r->loaded_both : NULL);
	json_close(j);
}

/* Both directions at once; null unless that was asked for. */
static void json_both(struct json *j, const struct check_result *r)
{
	if (!r->has_both) {
		json_null(j, "both");
		return;
	}
	json_open(j, "both");
	field_json(j, "download", &flow_fields, &r->both_download);
	field_json(j, "upload", &flow_fields, &r->both_upload);
	json_close(j);
}

static void json_rpm(struct json *j, const char *key, const struct rpm_result *m)
{
	if (m->probes == 0) {
		json_null(j, key);
		return;
	}
	json_open(j, key);
	json_int(j, "rpm", m->rpm);
	json_ms(j, "connect_ms", m->connect);
	json_ms(j, "answer_ms", m->answer);
	json_ms(j, "loaded_ms", m->loaded);
	json_int(j, "probes", m->probes);
	json_int(j, "failed", m->failed);
	json_close(j);
}

static void json_conclusions(struct json *j, const struct check_result *r)
{
	json_open(j, "responsiveness");
	json_int(j, "rpm", r->rpm);
	json_word(j, "rating", r->rating);
	json_rpm(j, "download", &r->rpm_download);
	json_rpm(j, "upload", &r->rpm_upload);
	json_rpm(j, "both", &r->rpm_both);
	json_close(j);
	json_open(j, "bufferbloat");
	json_word(j, "grade", r->grade);
	json_ms(j, "increase_ms", r->increase);
	json_ms(j, "download_increase_ms", r->increase_download);
	json_ms(j, "upload_increase_ms", r->increase_upload);
	json_ms(j, "both_increase_ms", r->increase_both);
	json_close(j);
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
	json_loaded(&j, r);
	json_both(&j, r);
	json_conclusions(&j, r);
	json_expectations(&j, v, n);
	json_end(&j);
}

static void csv_loaded(struct text *t, const struct ping_result *p, bool there)
{
	text_char(t, ',');
	if (there && p->rtt_p50 != UNKNOWN)
		text_fixed(t, p->rtt_p50, 6, 6);
}

static void csv_conclusions(struct text *t, const struct check_result *r)
{
	text_char(t, ',');
	if (r->rpm != UNKNOWN)
		text_put(t, "%d", r->rpm);
	text_put(t, ",%s", r->grade ? r->grade : "");
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
	text_put(t, ",loaded_download_rtt_p50_ms,loaded_upload_rtt_p50_ms,rpm,bufferbloat_grade\n%s,", r->time);
	field_csv_cell(t, slice_of(r->url));
	text_put(t, ",%s,", server ? server : "");
	field_csv_row(t, &ping_fields, r->has_ping ? &r->ping : NULL);
	text_char(t, ',');
	field_csv_row(t, &flow_fields, &r->download);
	text_char(t, ',');
	field_csv_row(t, &flow_fields, &r->upload);
	csv_loaded(t, &r->loaded_download, r->has_loaded_download);
	csv_loaded(t, &r->loaded_upload, r->has_loaded_upload);
	csv_conclusions(t, r);
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
	if (r->has_loaded_both)
		field_prom(t, &ping_fields, row, prefix, &r->loaded_both, "load=\"both\"", &named);
}

static void prom_flow(struct text *t, const struct check_result *r, size_t row)
{
	static const char prefix[] = "sonde_check_flow_";
	bool named = false;

	field_prom(t, &flow_fields, row, prefix, &r->download, "direction=\"download\"", &named);
	field_prom(t, &flow_fields, row, prefix, &r->upload, "direction=\"upload\"", &named);
	if (!r->has_both)
		return;
	field_prom(t, &flow_fields, row, prefix, &r->both_download, "direction=\"download_of_both\"", &named);
	field_prom(t, &flow_fields, row, prefix, &r->both_upload, "direction=\"upload_of_both\"", &named);
}

static void prom_conclusions(struct text *t, const struct check_result *r)
{
	if (r->rpm != UNKNOWN)
		text_put(t, "# HELP sonde_check_rpm Round trips a minute under load\n# TYPE sonde_check_rpm gauge\n"
			    "sonde_check_rpm %d\n", r->rpm);
	if (r->increase == UNKNOWN)
		return;
	text_str(t, "# HELP sonde_check_latency_increase_seconds Of the median round trip under load\n"
		    "# TYPE sonde_check_latency_increase_seconds gauge\nsonde_check_latency_increase_seconds ");
	text_fixed(t, r->increase, 9, 9);
	text_char(t, '\n');
}

void check_prom(struct text *t, const struct check_result *r)
{
	for (size_t row = 0; row < ping_fields.n; row++)
		prom_ping(t, r, row);
	for (size_t row = 0; row < flow_fields.n; row++)
		prom_flow(t, r, row);
	prom_conclusions(t, r);
}
