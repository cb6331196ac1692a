/* SPDX-License-Identifier: MIT */
#include "out/http.h"

#include <string.h>

#include "cmd/command.h"
#include "cmd/common.h"
#include "run/visit.h"
#include "sys/signals.h"
#include "sys/terminal.h"

struct http_options {
	struct common common;
	int64_t count;
	ns_t interval, duration;
	bool fresh, head;
};

#define AT(member) offsetof(struct http_options, member)

static const struct opt options[] = {
	{ 'c', OPT_COUNT, AT(count), "count", "N", "requests to each URL (1)", 1, UINT32_MAX, NULL },
	{ 'i', OPT_DURATION, AT(interval), "interval", "TIME", "between the beginnings of two (1s); 0: one behind the other",
		0, 3600 * NS_PER_S, NULL },
	{ 'w', OPT_DURATION, AT(duration), "deadline", "TIME", "stop after this long, whatever has come", NS_PER_MS,
		INT64_C(365) * 86400 * NS_PER_S, NULL },
	{ 0, OPT_FLAG, AT(fresh), "fresh", NULL, "look up and connect anew for each request", 0, 0, NULL },
	{ 0, OPT_FLAG, AT(head), "head", NULL, "HEAD instead of GET", 0, 0, NULL },
};

static const struct opt_table tables[] = {
	{ "Options", options, sizeof(options) / sizeof(options[0]) },
	COMMON_OPTIONS,
	{ NULL, NULL, 0 },
};

static struct visits visits;
static char out_buffer[32 << 10];

static bool is_spread(const struct http_options *o)
{
	return o->count > 1;
}

/* Good until the next call. */
static const struct http_result *result_of(size_t i)
{
	static struct http_result r;

	phases_result(&visits.v[i].phases, visits.v[i].url, &r);
	return &r;
}

static void put_text(struct text *t, const struct http_options *o, const struct http_result *r)
{
	if (is_spread(o))
		http_text_summary(t, r, o->common.verbose);
	else if (r->answered > 0 || visits.n > 1) /* else it is said on standard error */
		http_text_one(t, r, o->common.verbose);
}

static void put_one(struct text *t, struct json *j, const struct http_options *o, const struct http_result *r)
{
	switch (o->common.format) {
	case FORMAT_TEXT:
		put_text(t, o, r);
		break;
	case FORMAT_CSV:
		field_csv_row(t, http_fields(is_spread(o)), r);
		text_char(t, '\n');
		break;
	case FORMAT_JSON:
		if (visits.n > 1) {
			http_json_target(j, r, is_spread(o));
			break;
		}
		/* fall through */
	default:
		http_json(t, r, is_spread(o));
	}
}

/* A sample is known by its labels: of a URL that was given twice there is one. */
static bool is_repeated(size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(visits.v[k].url, visits.v[i].url) == 0)
			return true;
	return false;
}

static bool write_prom(struct text *t, const struct http_options *o)
{
	const struct field_table *f = http_fields(is_spread(o));

	for (size_t row = 0; row < f->n; row++) {
		bool named = false;

		for (size_t i = 0; i < visits.n; i++) {
			if (!is_repeated(i))
				field_prom(t, f, row, "sonde_http_", result_of(i), NULL, &named);
			if (!common_flush(t))
				return false;
		}
	}
	return true;
}

static bool write_results(struct text *t, const struct http_options *o)
{
	bool list = o->common.format == FORMAT_JSON && visits.n > 1;
	struct json j;

	if (list)
		http_json_begin(&j, t);
	if (o->common.format == FORMAT_CSV) {
		field_csv_head(t, http_fields(is_spread(o)), "");
		text_char(t, '\n');
	}
	for (size_t i = 0; i < visits.n; i++) {
		put_one(t, &j, o, result_of(i));
		if (!common_flush(t))
			return false;
	}
	if (list)
		http_json_end(&j);
	return common_flush(t);
}

/* SIGQUIT: what there is so far, for people, whatever the format of the result. */
static bool report(struct text *t)
{
	bool ok = true;

	for (size_t i = 0; i < visits.n && ok; i++) {
		http_text_summary(t, result_of(i), false);
		ok = terminal_write(TERMINAL_ERR, text_view(t));
		text_init(t, t->p, t->cap);
	}
	return ok;
}

/* Return: false where standard output is gone. */
static bool go(struct text *t, const struct http_options *o)
{
	enum visits_event event;
	struct http_timing one;
	size_t i;

	while ((event = visits_next(&visits, &i, &one)) != VISITS_OVER) {
		if (signals_report() && !report(t))
			return false;
		if (event != VISITS_MADE)
			continue;
		if (o->common.format == FORMAT_NDJSON)
			http_ndjson_event(t, visits.v[i].url, &one);
		else if (o->common.format == FORMAT_TEXT && is_spread(o) && !o->common.quiet)
			http_text_event(t, visits.v[i].url, &one, visits.n > 1);
		if (!common_flush(t))
			return false;
	}
	return true;
}

/* The worst URL decides. */
static void judge(struct expectations *e)
{
	for (size_t k = 0; k < e->n; k++) {
		int64_t value = UNKNOWN;

		for (size_t i = 0; i < visits.n; i++) {
			value = http_figure(result_of(i), e->v[k].figure);
			if (expect_judge(&e->v[k], value) != EXPECT_MET)
				break;
		}
		expectations_judge(e, k, value);
	}
}

/* The first URL that came to nothing has the say; one that an interrupt left no time for has none. */
static int exit_code(const struct expectations *e, struct fault *why)
{
	size_t answered = 0;

	for (size_t i = 0; i < visits.n; i++) {
		const struct http_result *r = &visits.v[i].phases.sum;

		answered += r->answered > 0;
		if (r->answered > 0 || why->kind != FAULT_NONE)
			continue;
		if (r->requests > 0)
			*why = r->error;
		else if (!signals_stop())
			fault_set(why, FAULT_PEER, "no answer from", slice_of(visits.v[i].url), "before the deadline");
	}
	if (answered == 0 && signals_interrupted()) {
		why->kind = FAULT_NONE;
		return 130;
	}
	if (why->kind != FAULT_NONE)
		return fault_exit_code(why);
	return answered == 0 ? 1 : e->missed ? 4 : 0;
}

static int measure(const struct http_options *o, const struct visit_cfg *cfg, char **urls, size_t n,
	struct expectations *e, struct fault *why)
{
	struct text t;

	signals_take();
	if (!visits_open(&visits, cfg, urls, n, why)) {
		common_error(&o->common, why);
		return fault_exit_code(why);
	}
	text_init(&t, out_buffer, sizeof(out_buffer));
	bool alive = go(&t, o);

	visits_close(&visits);
	if (!alive)
		return EXIT_NO_OUTPUT;
	judge(e);
	int code = exit_code(e, why);

	common_error(&o->common, why); /* the result stands last */
	bool written = o->common.format == FORMAT_PROM ? write_prom(&t, o) : write_results(&t, o);

	return written && expectations_tell(&t, e, http_figures, &o->common) ? code : EXIT_NO_OUTPUT;
}

static int run(int argc, char **argv, struct fault *why)
{
	struct http_options o = { .common = { .timeout = 5 * NS_PER_S }, .count = 1, .interval = NS_PER_S };
	struct expectations e;
	int n = opt_parse(tables, argc, argv, &o, why);
	struct visit_cfg cfg = { .method = o.head ? EXCHANGE_HEAD : EXCHANGE_GET, .family = o.common.family,
		.timeout = o.common.timeout, .interval = o.interval, .duration = o.duration, .count = o.count,
		.fresh = o.fresh };

	if (n == 0) {
		fault_set(why, FAULT_USAGE, "there is nothing to ask for", SLICE(""), NULL);
		fault_hint(why, "sonde http 192.0.2.1:8080/path");
	}
	if (n <= 0 || !common_origin(&o.common, &cfg.origin, why) ||
		!expectations_parse(&e, &o.common, http_figures, why))
		return 2;
	return measure(&o, &cfg, argv, (size_t)n, &e, why);
}

const struct command cmd_http = {
	"http",
	"URL…",
	"the phases of one HTTP request, or of many",
	"Resolve, connect, send, first byte and transfer add up to the total; what was not to be done has no figure, as\n"
	"connect on a kept connection. URL is http://host:port/path, without http:// too; without a port it is 80.\n"
	"Redirects are not followed. An answer of any status is measured. -W is 5s.\n"
	"\n"
	"-c N asks again over the same connection, where the server keeps it; several URLs take turns. The plain keys of\n"
	"json, csv and prom are then medians over the answers, status, bytes and address those of the last one. Where a\n"
	"kept connection costs 40 ms, up to 9 requests that do not count find out whether that is a delayed acknowledgement.\n"
	"\n"
	"--expect knows: total, total.p99, first_byte, first_byte.p99, connect, connect.p99, transfer, resolve, status (the\n"
	"highest), failed (a ratio).\n",
	tables,
	run,
};
