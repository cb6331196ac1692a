/* SPDX-License-Identifier: MIT */
#include "cmd/command.h"
#include "cmd/common.h"
#include "core/icmp.h"
#include "core/target.h"
#include "engine/check.h"
#include "out/field.h"
#include "out/ping.h"
#include "run/pinger.h"
#include "sys/clock.h"
#include "sys/memory.h"
#include "sys/privilege.h"
#include "sys/resolve.h"
#include "sys/signals.h"
#include "sys/terminal.h"

/* More targets than this have no percentiles: a distribution takes 45 kB. */
#define HISTS_MAX 1024

struct ping_options {
	struct common common;
	int64_t count, size, ttl;
	ns_t interval, duration;
	int via;  /* enum via */
	int icmp; /* 0 any, METHOD_ICMP_RAW or METHOD_ICMP_DGRAM */
};

static const char *const via_words[] = { "auto", "icmp", "tcp", "http", NULL };
static const char *const icmp_words[] = { "any", "raw", "dgram", NULL };

#define AT(member) offsetof(struct ping_options, member)

static const struct opt rows[] = {
	{ 'c', OPT_COUNT, AT(count), "count", "N", "stop after N probes to each target (default: until interrupted)", 1,
		INT64_C(1) << 40, NULL },
	{ 'i', OPT_DURATION, AT(interval), "interval", "TIME", "between probes to one target (1s)", NS_PER_MS,
		3600 * NS_PER_S, NULL },
	{ 's', OPT_SIZE, AT(size), "size", "BYTES", "payload of an ICMP probe (56)", 0, ICMP_DATA_MAX, NULL },
	{ 't', OPT_COUNT, AT(ttl), "ttl", "N", "hops that a probe may take (the system's default)", 1, 255, NULL },
	{ 'w', OPT_DURATION, AT(duration), "deadline", "TIME", "stop after this long, whatever has come", NS_PER_MS,
		INT64_C(365) * 86400 * NS_PER_S, NULL },
	{ 0, OPT_CHOICE, AT(via), "via", "HOW", "auto (ICMP where permitted, else TCP), icmp, tcp or http", 0, 0, via_words },
	{ 0, OPT_CHOICE, AT(icmp), "icmp-socket", "KIND", "any (raw where permitted, else dgram), raw or dgram", 0, 0,
		icmp_words },
};

static const struct opt_table tables[] = {
	{ "Options", rows, sizeof(rows) / sizeof(rows[0]) },
	COMMON_OPTIONS,
	{ NULL, NULL, 0 },
};

static struct pinger pinger;
static char out_buffer[64 << 10];

static bool aim(struct ping_target *to, const struct target *t, const struct ping_options *o, struct fault *why)
{
	struct addr v[RESOLVE_MAX];

	if (resolve(t->host, o->common.family, v, RESOLVE_MAX, o->common.timeout, why) == 0)
		return false;
	to->addr = v[0];
	to->addr.port = t->port > 0 ? t->port : 80;
	return true;
}

/* How the words of the targets and --via go together. */
static bool choose_via(const struct target *t, struct ping_target *to, size_t n, const struct ping_options *o,
	struct pinger_cfg *cfg, struct fault *why)
{
	enum via via = (enum via)o->via;

	for (size_t i = 0; i < n; i++) {
		enum via said = t[i].scheme == TARGET_TCP ? VIA_TCP : t[i].scheme == TARGET_ICMP ? VIA_ICMP : VIA_AUTO;

		if (said != VIA_AUTO && via != VIA_AUTO && said != via)
			return fault_set(why, FAULT_USAGE, "one run measures one way:", t[i].text, "does not fit the others");
		via = said != VIA_AUTO ? said : via;
		to[i].closed_is_reply = t[i].port == 0;
	}
	if (via == VIA_HTTP && n > 1)
		return fault_set(why, FAULT_USAGE, "--via http takes one target", SLICE(""), NULL);
	cfg->via = via;
	cfg->host = t[0].host;
	cfg->path = t[0].path.n > 0 ? t[0].path : SLICE("/");
	return true;
}

static bool write_all(struct text *t, const struct expectations *e, const struct ping_options *o, size_t n)
{
	struct json j;
	struct ping_result r;
	ns_t now = clock_mono();

	json_init(&j, t);
	if (o->common.format == FORMAT_JSON || o->common.format == FORMAT_NDJSON)
		ping_json_begin(&j);
	else if (o->common.format == FORMAT_CSV)
		ping_csv_head(t);
	else if (n > 1)
		ping_text_table_head(t);
	for (size_t i = 0; i < n; i++) {
		pinger_result(&pinger, i, now, &r);
		if (o->common.format == FORMAT_JSON || o->common.format == FORMAT_NDJSON)
			ping_json(&j, NULL, &r);
		else if (o->common.format == FORMAT_CSV)
			ping_csv_row(t, &r);
		else if (n > 1)
			ping_text_table_row(t, &r);
		else
			ping_text_summary(t, &r);
		if (!common_flush(t))
			return false;
	}
	if (o->common.format == FORMAT_JSON || o->common.format == FORMAT_NDJSON)
		ping_json_end(&j);
	return common_flush(t) && expectations_tell(t, e, ping_figures, &o->common);
}

static bool write_prom(struct text *t, const struct expectations *e, const struct ping_options *o, size_t n)
{
	struct ping_result r;
	ns_t now = clock_mono();

	for (size_t row = 0; row < ping_fields.n; row++) {
		bool named = false;

		for (size_t i = 0; i < n; i++) {
			pinger_result(&pinger, i, now, &r);
			ping_prom(t, row, &r, &named);
			if (!common_flush(t))
				return false;
		}
	}
	return expectations_tell(t, e, ping_figures, &o->common);
}

/* The worst target decides. */
static void judge(struct expectations *e, size_t n)
{
	struct ping_result r;
	ns_t now = clock_mono();

	for (size_t k = 0; k < e->n; k++) {
		int64_t value = UNKNOWN;

		for (size_t i = 0; i < n; i++) {
			pinger_result(&pinger, i, now, &r);
			value = ping_figure(&r, e->v[k].figure);
			if (expect_judge(&e->v[k], value) != EXPECT_MET)
				break;
		}
		expectations_judge(e, k, value);
	}
}

static int exit_code(const struct expectations *e, size_t n, struct fault *why)
{
	size_t answered = 0;
	uint64_t sent = 0;

	for (size_t i = 0; i < n; i++) {
		answered += pinger.ping.targets[i].received > 0;
		sent += pinger.ping.targets[i].sent;
	}
	if (sent > 0 && pinger.unroutable == sent) {
		fault_set(why, FAULT_HOST, "this machine has no route to", slice_of(pinger.ping.targets[0].name), NULL);
		fault_hint(why, "ip route");
		return 2;
	}
	if (answered == 0 && signals_interrupted())
		return 130;
	if (answered < n)
		return 1;
	return e->missed ? 4 : 0;
}

/* SIGQUIT: what there is so far, for people, whatever the format of the result. */
static bool report(struct text *t, size_t n)
{
	struct ping_result r;
	ns_t now = clock_mono();
	bool ok = true;

	for (size_t i = 0; i < n && ok; i++) {
		pinger_result(&pinger, i, now, &r);
		ping_text_summary(t, &r);
		ok = terminal_write(TERMINAL_ERR, text_view(t));
		text_init(t, t->p, t->cap);
	}
	return ok;
}

/* Probe until done, writing what happens as it happens. Return: false where standard output is gone. */
static bool go(struct text *t, const struct ping_options *o, size_t n)
{
	struct ping_event e;
	struct ping_result r;
	bool each = o->common.format == FORMAT_NDJSON || (o->common.format == FORMAT_TEXT && !o->common.quiet);

	pinger_label(&pinger, 0, &r);
	if (o->common.format == FORMAT_TEXT && n == 1)
		ping_text_start(t, &r, (size_t)o->size);
	if (!common_flush(t))
		return false;
	while (pinger_next(&pinger, &e)) {
		if (signals_report() && !report(t, n))
			return false;
		if (!each)
			continue;
		pinger_label(&pinger, e.target, &r);
		if (o->common.format == FORMAT_NDJSON)
			ping_ndjson_event(t, &e, &r);
		else
			ping_text_event(t, &e, &r);
		if (!common_flush(t))
			return false;
	}
	return true;
}

static int measure(const struct ping_options *o, struct target *v, struct ping_target *to, size_t n, struct fault *why)
{
	struct pinger_cfg cfg = {
		.ping = { .interval = o->interval, .timeout = o->common.timeout, .duration = o->duration,
			.count = (uint64_t)o->count, .size = (size_t)o->size },
		.icmp_only = o->icmp == 1 ? METHOD_ICMP_RAW : o->icmp == 2 ? METHOD_ICMP_DGRAM : METHOD_NONE,
		.ttl = (int)o->ttl,
	};
	struct expectations expect;
	struct wait wait;
	struct text t;

	if (!expectations_parse(&expect, &o->common, ping_figures, why) || !common_origin(&o->common, &cfg.origin, why) ||
		!choose_via(v, to, n, o, &cfg, why))
		return fault_exit_code(why);
	for (size_t i = 0; i < n; i++)
		if (!aim(&to[i], &v[i], o, why))
			return fault_exit_code(why);
	privilege_raise();
	if (!wait_open(&wait, why) || !pinger_open(&pinger, &cfg, to, n, &wait, 0, why))
		return fault_exit_code(why);
	if (pinger.method == METHOD_ICMP_RAW || pinger.method == METHOD_ICMP_DGRAM)
		privilege_drop();
	signals_take();
	text_init(&t, out_buffer, sizeof(out_buffer));
	if (!go(&t, o, n))
		return EXIT_NO_OUTPUT;
	judge(&expect, n);
	if (!(o->common.format == FORMAT_PROM ? write_prom(&t, &expect, o, n) : write_all(&t, &expect, o, n)))
		return EXIT_NO_OUTPUT;
	return exit_code(&expect, n, why);
}

static int run(int argc, char **argv, struct fault *why)
{
	struct ping_options o = { .common = { .timeout = 2 * NS_PER_S }, .interval = NS_PER_S, .size = 56 };
	int n = opt_parse(tables, argc, argv, &o, why);

	if (n < 0)
		return 2;
	if (n == 0) {
		fault_set(why, FAULT_USAGE, "there is nothing to ping", SLICE(""), NULL);
		fault_hint(why, "sonde ping 192.0.2.1");
		return 2;
	}
	struct target *v = memory_get((size_t)n, sizeof(*v), why);
	struct ping_target *to = memory_get((size_t)n, sizeof(*to), why);
	struct ping_hists *hists = n <= HISTS_MAX ? memory_get((size_t)n, sizeof(*hists), why) : NULL;

	if (!v || !to)
		return 2;
	for (int i = 0; i < n; i++) {
		if (!target_parse(argv[i], &v[i], why))
			return 2;
		if (v[i].scheme == TARGET_ANY && v[i].path.n > 0) {
			fault_set(why, FAULT_USAGE, "", v[i].text, "is a network or a page, and ping takes hosts");
			return 2;
		}
		to[i].name = argv[i];
		to[i].hists = hists ? &hists[i] : NULL;
	}
	int code = measure(&o, v, to, (size_t)n, why);

	common_error(&o.common, why);
	return code;
}

const struct command cmd_ping = {
	"ping",
	"TARGET…",
	"round trips and loss, one host or many",
	"ICMP echo, raw where this process may, else through the unprivileged ICMP socket, else by TCP connections.\n"
	"Round trips are taken from the kernel's own packet stamps where there are any. TARGET is a name, an address,\n"
	"host:port, tcp://host:port or icmp://host.\n"
	"\n"
	"--expect knows: loss, rtt, rtt.p99, rtt.max, jitter, received.\n",
	tables,
	run,
};
