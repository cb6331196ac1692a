/* SPDX-License-Identifier: MIT */
#include "out/check.h"

#include "core/text_put.h"
#include "out/field.h"
#include "out/ping.h"

void check_ndjson_progress(struct text *t, const struct check_moment *m)
{
	struct json j;

	json_begin(&j, t, "progress");
	json_put(&j, "phase:s bits_per_second:d", m->phase, m->bits_per_second);
	if (m->up_bits_per_second != UNKNOWN)
		json_int(&j, "up_bits_per_second", m->up_bits_per_second);
	json_put(&j, "seconds:3 rtt_ms:m", m->elapsed, m->rtt);
	json_end(&j);
}

static void json_expectations(struct json *j, const struct check_expectation *v, size_t n)
{
	static const char values[] = /* in the order of enum units_kind */
		"value_count:d\0value_ms:m\0\0value_bits_per_second:d\0value_ratio:m";

	json_array(j, "expect");
	for (size_t i = 0; i < n; i++) {
		json_put(j, "{ expression:s met:b", v[i].text, v[i].met);
		json_put(j, slice_word(values, v[i].unit), v[i].value);
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
	json_put(j, "rpm:d connect_ms:m answer_ms:m loaded_ms:m probes:d failed:d }", m->rpm, m->connect, m->answer, m->loaded,
		m->probes, m->failed);
}

static void json_conclusions(struct json *j, const struct check_result *r)
{
	json_put(j, "responsiveness{ rpm:d rating:s", r->rpm, r->rating);
	json_rpm(j, "download", &r->rpm_download);
	json_rpm(j, "upload", &r->rpm_upload);
	json_rpm(j, "both", &r->rpm_both);
	json_put(j, "} bufferbloat{ grade:s increase_ms:m download_increase_ms:m upload_increase_ms:m both_increase_ms:m }",
		r->grade, r->increase, r->increase_download, r->increase_upload, r->increase_both);
}

void check_json(struct text *t, const struct check_result *r, const struct check_expectation *v, size_t n)
{
	struct json j;
	int64_t port = r->address.port > 0 ? r->address.port : UNKNOWN;

	json_begin(&j, t, "check");
	json_put(&j, "version:s time:s target{ url:s host:s address:a port:d } server{ kind:s software:s }", SONDE_VERSION, r->time,
		r->url, r->host, &r->address, port, server_kind_name(r->server), r->software);
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
