/* SPDX-License-Identifier: MIT */
#include "run/check.h"

#include "cmd/command.h"
#include "cmd/common.h"
#include "cmd/meter.h"
#include "out/ping.h"
#include "sys/signals.h"

struct check_options {
	struct common common;
	ns_t time;
	int64_t connections, count, bytes;
	unsigned only;
	bool both;
	const char *path, *congestion;
};

#define AT(member) offsetof(struct check_options, member)

static const struct opt rows[] = {
	{ 0, OPT_DURATION, AT(time), "time", "TIME", "of data in each direction (6s)", 100 * NS_PER_MS, 3600 * NS_PER_S,
		NULL },
	{ 0, OPT_SIZE, AT(bytes), "bytes", "SIZE", "at most so much in each direction, for links that cost; the result says how sure it is", 16 << 10, INT64_C(1) << 50, NULL },
	{ 0, OPT_FLAG, AT(both), "both", NULL, "both directions at once too", 0, 0, NULL },
	{ 0, OPT_COUNT, AT(connections), "connections", "N", "so many, instead of as many as bring more", 1,
		TRANSFER_CONNECTIONS_MAX, NULL },
	{ 'c', OPT_COUNT, AT(count), "count", "N", "probes of the idle latency (20)", 1, 100000, NULL },
	{ 0, OPT_SET, AT(only), "only", "WHAT", "ping, download, upload, both; several with commas", 0, 0, check_only_words },
	{ 0, OPT_STRING, AT(congestion), "congestion", "NAME", "congestion control of what is sent, such as reno or bbr; sonde serve obeys too",
		0, 0, NULL },
	{ 0, OPT_STRING, AT(path), "path", "/PATH", "the file to download from a file server", 0, 0, NULL },
};

static const struct opt_table tables[] = {
	{ "Options", rows, sizeof(rows) / sizeof(rows[0]) },
	COMMON_OPTIONS,
	{ NULL, NULL, 0 },
};

static struct check check;
static char out_buffer[32 << 10];

static void put_flow(struct text *t, const struct check_options *o, const struct flow_result *f,
	const struct ping_result *loaded, bool has_loaded, const char *label)
{
	check_text_flow(t, f, label);
	if (o->common.verbose)
		check_text_details(t, f);
	if (has_loaded)
		check_text_ping(t, loaded, "  beside it");
}

static void put_both(struct text *t, const struct check_options *o)
{
	const struct check_result *r = &check.result;

	put_flow(t, o, &r->both_download, NULL, false, "both: down");
	put_flow(t, o, &r->both_upload, &r->loaded_both, r->has_loaded_both, "both: up");
}

static void put_phase(struct text *t, const struct check_options *o, enum check_phase phase)
{
	const struct check_result *r = &check.result;

	if (phase == CHECK_PING)
		check_text_ping(t, &r->ping, "ping");
	else if (phase == CHECK_DOWNLOAD)
		put_flow(t, o, &r->download, &r->loaded_download, r->has_loaded_download, "download");
	else if (phase == CHECK_UPLOAD)
		put_flow(t, o, &r->upload, &r->loaded_upload, r->has_loaded_upload, "upload");
	else
		put_both(t, o);
}

/* A line of NDJSON. The first one of a phase says what the probes after it belong to. */
static void put_line(struct text *t, const struct check_event *e)
{
	struct check_event begins = { .phase = check.phase, .bits_per_second = UNKNOWN, .up_bits_per_second = UNKNOWN,
		.rtt = UNKNOWN };
	struct check_moment m = meter_moment(e->kind == CHECK_PROGRESS ? e : &begins);
	struct ping_result r;

	if (e->kind != CHECK_PROBE && m.phase)
		check_ndjson_progress(t, &m);
	if (e->kind != CHECK_PROBE)
		return;
	pinger_label(&check.pinger, 0, &r);
	ping_ndjson_event(t, &e->probe, &r);
}

static void put_event(struct text *t, const struct check_options *o, const struct check_event *e)
{
	if (o->common.format == FORMAT_NDJSON)
		put_line(t, e);
	if (o->common.format != FORMAT_TEXT)
		return;
	if (e->kind == CHECK_FOUND && !o->common.quiet)
		check_text_start(t, &check.result);
	if (e->kind == CHECK_PHASE_OVER)
		put_phase(t, o, e->phase);
}

static void put_verdict(struct text *t, const struct check_options *o)
{
	char words[256];
	struct text v;

	text_init(&v, words, sizeof(words));
	check_verdict(&v, &check.result);
	check_text_conclusions(t, &check.result);
	if (v.len == 0 || o->common.quiet)
		return;
	check_text_label(t, "verdict");
	text_slice(t, text_view(&v));
	text_char(t, '\n');
}

static void put_result(struct text *t, const struct check_options *o, const struct expectations *e)
{
	switch (o->common.format) {
	case FORMAT_TEXT:
		put_verdict(t, o);
		break;
	case FORMAT_CSV:
		check_csv(t, &check.result);
		break;
	case FORMAT_PROM:
		check_prom(t, &check.result);
		break;
	default:
		check_json(t, &check.result, e->judged, e->n);
	}
}

/* Return: 0 when all phases are through, else an exit code. */
static int go(struct text *t, const struct check_options *o, struct fault *why)
{
	bool live = meter_open(&o->common);
	struct check_event e;

	while (check_next(&check, &e, why)) {
		if (live && e.kind != CHECK_FOUND)
			meter_event(&check, &e);
		put_event(t, o, &e);
		if (!common_flush(t))
			return EXIT_NO_OUTPUT;
	}
	return fault_exit_code(why);
}

static int measure(const struct check_options *o, const struct check_cfg *cfg, struct expectations *e, struct fault *why)
{
	struct text t;

	signals_take();
	if (!check_open(&check, cfg, why))
		return signals_interrupted() ? 130 : fault_exit_code(why);
	text_init(&t, out_buffer, sizeof(out_buffer));
	int failed = go(&t, o, why);

	check_close(&check);
	if (signals_interrupted() && !check.result.has_ping && check_exit_code(&check.result, 0, false) == 1) {
		why->kind = FAULT_NONE;
		return 130;
	}
	if (failed != 0 && !check.result.has_ping)
		return failed;
	for (size_t i = 0; i < e->n; i++)
		expectations_judge(e, i, check_figure(&check.result, e->v[i].figure));
	put_result(&t, o, e);
	if (!common_flush(&t) || !expectations_tell(&t, e, check_figures, &o->common))
		return EXIT_NO_OUTPUT;
	int code = failed != 0 ? failed : check_exit_code(&check.result, o->only, e->missed);

	return code == 1 && signals_interrupted() ? 130 : code;
}

static bool is_http(const struct target *t)
{
	return t->scheme == TARGET_ANY || t->scheme == TARGET_HTTP;
}

static int run(int argc, char **argv, struct fault *why)
{
	struct check_options o = { .common = { .timeout = 5 * NS_PER_S }, .time = 6 * NS_PER_S, .count = 20 };
	struct check_cfg cfg = { .probes = 0 };
	struct expectations e;
	int n = opt_parse(tables, argc, argv, &o, why);

	if (n < 0)
		return 2;
	if (n != 1) {
		fault_set(why, FAULT_USAGE, n == 0 ? "there is nothing to check" : "one target at a time, not also", 
			n == 0 ? SLICE("") : slice_of(argv[1]), NULL);
		fault_hint(why, "sonde check 192.0.2.1:8080");
		return 2;
	}
	cfg.survey = (struct survey_cfg){ .path = o.path ? slice_of(o.path) : SLICE(""), .family = o.common.family,
		.timeout = o.common.timeout };
	cfg.phases = (o.only != 0 ? o.only : CHECK_USUAL) | (o.both ? CHECK_ONLY_BOTH : 0);
	cfg.bytes = (uint64_t)o.bytes;
	cfg.time = o.time;
	cfg.connections = (unsigned)o.connections;
	cfg.probes = o.count;
	if (!target_parse(argv[0], &cfg.survey.target, why) || !common_origin(&o.common, &cfg.survey.origin, why) ||
		!expectations_parse(&e, &o.common, check_figures, why))
		return 2;
	cfg.survey.origin.congestion = o.congestion;
	if (o.congestion && !stream_congestion_works(o.congestion, why))
		return 2;
	if (cfg.phases != CHECK_ONLY_PING && !is_http(&cfg.survey.target)) {
		fault_set(why, FAULT_USAGE, "there is no HTTP at", cfg.survey.target.text, "to measure rates with");
		fault_hint(why, "--only ping, or: sonde ping %v", cfg.survey.target.text);
		return 2;
	}
	if (o.path && o.path[0] != '/') {
		fault_set(why, FAULT_USAGE, "--path", slice_of(o.path), "does not begin with a slash");
		return 2;
	}
	int code = measure(&o, &cfg, &e, why);

	common_error(&o.common, why);
	return code;
}

const struct command cmd_check = {
	"check",
	"TARGET",
	"latency, loss, jitter, download, upload, and latency under load",
	"The whole picture in one run, against sonde serve or any HTTP server. TARGET is host, host:port or an http URL;\n"
	"without a port, 8080 and then 80 are tried. From a file server the file that the URL names is downloaded over\n"
	"and over, or the largest one of a directory listing.\n"
	"\n"
	"--expect knows: download, upload, loss, rtt, rtt.p99, jitter, loaded, loaded.p99, loaded.loss, rpm.\n",
	tables,
	run,
};
