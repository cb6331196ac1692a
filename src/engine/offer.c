/* SPDX-License-Identifier: MIT */
#include "engine/offer.h"

#include "core/text_put.h"
#include "core/units.h"
#include "engine/rpm.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define GARBAGE_CHUNK (INT64_C(1) << 20)
#define GARBAGE_CHUNKS_MAX 1024

#define JSON "application/json"
#define TEXT "text/plain; charset=utf-8"

/* LibreSpeed's servers take what is no number for none, and too much for the most. */
static int64_t read_chunks(struct slice query, int64_t otherwise)
{
	struct slice v;
	uint64_t n = UINT64_MAX;

	if (!route_query(query, SLICE("ckSize"), &v) || v.n == 0 || !slice_has_only(v, "0123456789"))
		return otherwise;
	slice_uint(v, &n); /* left as it is where it does not fit */
	if (n == 0)
		return otherwise;
	return (int64_t)(n < GARBAGE_CHUNKS_MAX ? n : GARBAGE_CHUNKS_MAX) * GARBAGE_CHUNK;
}

bool offer_amount(const struct route *r, struct slice query, struct offer_amount *ret)
{
	struct slice v;

	*ret = (struct offer_amount){ .bytes = (int64_t)r->bytes };
	if (r->kind == ROUTE_GARBAGE)
		ret->bytes = read_chunks(query, ret->bytes);
	else if (route_query(query, SLICE("bytes"), &v))
		return !units_read(v, UNITS_COUNT, 0, INT64_MAX, &ret->bytes);
	else if (route_query(query, SLICE("seconds"), &v))
		return !units_read(v, UNITS_DURATION, 1, OFFER_TIME_MAX, &ret->time);
	return true;
}

void offer_put_grades(struct json *j)
{
	json_open(j, "grades_ms");
	for (size_t i = 0; i < RPM_GRADES; i++)
		json_int(j, rpm_grades[i].grade, rpm_grades[i].below_ms);
	json_close(j);
}

static void put_info(struct text *t, const struct offer_facts *f)
{
	const struct serve_counters *c = f->counters;
	struct json j;

	json_begin(&j, t, "info");
	json_put(&j, "name:s version:s limits{ body_bytes:d body_seconds:0 } body_seconds_max:0", "sonde", SONDE_VERSION,
		f->body_max, f->body_time, f->body_time);
	json_string(&j, "congestion_control", f->congestion);
	json_string(&j, "congestion_allowed", f->congestion_allowed);
	offer_put_grades(&j);
	json_put(&j, "requests:d refused:d bytes_received:d bytes_sent:d cpu_us:d udp{ probes:d answered:d refused:d limited:d }",
		c->requests, c->refused, c->bytes_in, c->bytes_out, c->cpu_ns / 1000, c->udp.probes, c->udp.answered,
		c->udp.refused, c->udp.limited);
	json_end(&j);
}

static void put_receipt(struct text *t, const struct offer_facts *f)
{
	struct json j;

	json_init(&j, t);
	json_put(&j, "{ bytes:d seconds:6 cpu_us:d", f->received, f->time, f->counters->cpu_ns / 1000);
	json_end(&j);
}

/* Names after prometheus.io/docs/practices/naming; the last two as every exporter has them. Counters and decimal places. */
#define METRICS(ROW) \
	ROW("sonde_server_requests_total", "Requests", requests, 0) \
	ROW("sonde_server_refused_total", "Requests and connections refused", refused, 0) \
	ROW("sonde_server_received_bytes_total", "Test data received", bytes_in, 0) \
	ROW("sonde_server_sent_bytes_total", "Test data sent", bytes_out, 0) \
	ROW("sonde_server_accepted_total", "Connections accepted", accepted, 0) \
	ROW("sonde_server_connections", "Connections now", open, 0) \
	ROW("sonde_server_udp_probes_total", "UDP probes received", udp.probes, 0) \
	ROW("sonde_server_udp_answered_total", "UDP probes answered", udp.answered, 0) \
	ROW("sonde_server_udp_refused_total", "UDP probes refused", udp.refused, 0) \
	ROW("sonde_server_udp_limited_total", "UDP probes past a cap", udp.limited, 0) \
	ROW("process_cpu_seconds_total", "User and system CPU time", cpu_ns, 9) \
	ROW("process_start_time_seconds", "Start of the process since 1970", started_s, 0)

#define WORDS(name, help, member, scale) name "\0" help "\0"
#define METRIC(name, help, member, scale) { offsetof(struct serve_counters, member), scale },

static const struct {
	uint16_t at;
	uint8_t scale;
} metrics[] = { METRICS(METRIC) };

static void put_metrics(struct text *t, const struct offer_facts *f)
{
	const char *name = METRICS(WORDS);

	for (size_t i = 0; i < COUNT(metrics); i++) {
		const uint64_t *v = (const void *)((const char *)f->counters + metrics[i].at);
		bool counter = slice_ends_nocase(slice_of(name), SLICE("_total"));
		const char *help = slice_word(name, 1);

		text_put(t, "# HELP %s %s\n# TYPE %s %s\n%s ", name, help, name, counter ? "counter" : "gauge", name);
		text_fixed(t, (int64_t)*v, metrics[i].scale, metrics[i].scale);
		text_char(t, '\n');
		name = slice_word(help, 1);
	}
}

static void put_url(struct json *j, const char *key, struct slice host, const char *path)
{
	char url[300];
	struct text t;

	text_init(&t, url, sizeof(url));
	text_str(&t, "http://");
	text_slice(&t, host);
	text_str(&t, path);
	json_string(j, key, text_view(&t));
	j->out->cut = j->out->cut || t.cut || host.n == 0;
}

/* Clients differ in how they spell the keys. */
static void put_nq(struct text *t, const struct offer_facts *f)
{
	static const char *const urls[][3] = {
		{ "small_download_url", "small_https_download_url", "/small" },
		{ "large_download_url", "large_https_download_url", "/large" },
		{ "upload_url", "https_upload_url", "/up" },
	};
	struct json j;

	json_init(&j, t);
	json_put(&j, "{ version:d urls{", INT64_C(1));
	for (size_t i = 0; i < COUNT(urls); i++) {
		put_url(&j, urls[i][0], f->host, urls[i][2]);
		put_url(&j, urls[i][1], f->host, urls[i][2]);
	}
	json_close(&j);
	json_end(&j);
}

/* What LibreSpeed's servers call an address that is not public, in the order of enum addr_reach. */
static const char reach_words[] = "\0localhost \0link-local \0private \0\0";

/* `"rawIspInfo":""`, which some of its servers send, stops older clients; an object suits them all. */
static void put_address(struct text *t, const struct offer_facts *f)
{
	char words[ADDR_TEXT_MAX + 40];
	struct text w;
	struct json j;

	text_init(&w, words, sizeof(words));
	text_put(&w, "%a - %sIPv%d access", f->peer, slice_word(reach_words, addr_reach(f->peer)), (int64_t)f->peer->family);
	json_init(&j, t);
	json_put(&j, "{ processedString:s rawIspInfo{ ip:a }", words, f->peer);
	json_end(&j);
}

const char *offer_put(struct text *t, const struct route *r, const struct offer_facts *f)
{
	switch (r->kind) {
	case ROUTE_INFO:
		put_info(t, f);
		return JSON;
	case ROUTE_RECEIPT:
		put_receipt(t, f);
		return JSON;
	case ROUTE_NQ:
		put_nq(t, f);
		return JSON;
	case ROUTE_ADDRESS:
		put_address(t, f);
		return JSON;
	case ROUTE_METRICS:
		put_metrics(t, f);
		return "text/plain; version=0.0.4; charset=utf-8";
	case ROUTE_SIZE:
		text_put(t, "size=%d\n", (int64_t)f->received);
		return TEXT;
	default:
		text_str(t, route_text(r));
		return t->len > 0 ? TEXT : NULL;
	}
}
