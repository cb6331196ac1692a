/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "cmd/command.h"
#include "cmd/exporter.h"
#include "core/text_put.h"
#include "out/diary.h"
#include "out/ping.h"
#include "sys/clock.h"
#include "sys/memory.h"
#include "sys/privilege.h"
#include "sys/signals.h"

/* Between two lines about a target; with a longer interval as long as that. */
#define PERIOD (10 * NS_PER_S)

/* Lines at a time, and how long the probes have then for themselves. */
#define LINES 64
#define REST NS_PER_MS

static const struct opt_table tables[] = {
	{ "Options", probing_rows + PROBING_FIRST_OF_WATCH, PROBING_END - PROBING_FIRST_OF_WATCH },
	COMMON_OPTIONS,
	{ NULL, NULL, 0 },
};

/* Of the targets, where lines are written: for text where there is no table. */
static struct diary *diaries;
static struct hist *hists; /* of the round trips since the last line */

static struct probing probing;
static struct exporter exporter;
static ns_t next_lines; /* when the next ones are due */
static size_t line;     /* the target of the next one */
static ns_t begun;      /* when the first of these was written */

static ns_t period(const struct probing *p)
{
	return ns_max(PERIOD, p->fleet.cfg.pinger.ping.interval);
}

static bool open_diaries(struct probing *p, struct fault *why)
{
	size_t n = p->fleet.room.n;
	ns_t now = clock_mono();

	if (p->o.common.format != FORMAT_TEXT || p->o.common.quiet || board_is_open(&p->board))
		return true;
	diaries = memory_get(n, sizeof(*diaries), why);
	hists = p->fleet.room.hists ? memory_get(n, sizeof(*hists), why) : NULL;
	for (size_t i = 0; i < n && diaries; i++)
		diaries[i].heard = now;
	next_lines = now + period(p);
	return diaries;
}

static void put_start(struct probing *p)
{
	if (diaries)
		text_put(&p->text, "targets: %d, by %s, a line each every %t\n", (int64_t)p->fleet.room.n,
			method_name(p->fleet.pinger.method), period(p));
}

static void note_probe(struct probing *p, const struct ping_event *e)
{
	struct ping_result r;
	ns_t silence;
	enum diary_change c = diary_event(&diaries[e->target], e, clock_mono(), &silence);

	if (hists && e->outcome == OUTCOME_REPLY)
		hist_add(&hists[e->target], e->rtt);
	if (c == DIARY_NONE)
		return;
	pinger_label(&p->fleet.pinger, e->target, &r);
	diary_put_change(&p->text, clock_wall_s(), r.target, c, silence, e->text);
}

static void note(struct probing *p, const struct fleet_event *e)
{
	struct ping_result r;

	if (p->o.common.format == FORMAT_NDJSON)
		probing_ndjson(p, e);
	if (!diaries)
		return;
	if (e->kind == FLEET_PROBE)
		note_probe(p, &e->probe);
	if (e->kind == FLEET_NAME) {
		pinger_label(&p->fleet.pinger, e->target, &r);
		ping_text_name(&p->text, &r);
	}
}

static void put_line(struct probing *p, size_t i)
{
	struct hist *rtts = hists ? &hists[i] : NULL;
	struct ping_result r;

	pinger_label(&p->fleet.pinger, i, &r);
	ping_counts(&p->fleet.pinger.ping, i, &r);
	diary_put_line(&diaries[i], &p->text, clock_wall_s(), &r, rtts);
	if (rtts && rtts->n > 0)
		memset(rtts, 0, sizeof(*rtts));
}

/* Some of the lines that are due. */
static void put_lines(struct probing *p, ns_t now)
{
	if (!diaries || now < next_lines)
		return;
	begun = line == 0 ? now : begun;
	for (size_t i = 0; i < LINES && line < p->fleet.room.n; i++)
		put_line(p, line++);
	next_lines = now + REST;
	if (line < p->fleet.room.n)
		return;
	line = 0;
	next_lines = begun + period(p);
}

/* The next event; of no target at all, what Prometheus asks for. */
static bool next(struct probing *p, struct fleet_event *e)
{
	ns_t tick = ns_min(exporter_deadline(&exporter), diaries ? next_lines : NS_NEVER);

	if (p->fleet.room.n > 0)
		return probing_next(p, tick, e);
	p->alive = common_flush(&p->text);
	e->kind = wait_next(&p->fleet.wait, tick, clock_mono(), &e->other, 1) > 0 ? FLEET_OTHER : FLEET_TICK;
	signals_report();
	return p->alive && !signals_stop();
}

static void go(struct probing *p)
{
	struct fleet_event e;

	while (next(p, &e)) {
		note(p, &e);
		if (e.kind == FLEET_OTHER)
			exporter_ready(&exporter, &e.other);
		exporter_work(&exporter, clock_mono());
		put_lines(p, clock_mono());
	}
	exporter_close(&exporter);
}

static bool start(struct probing *p, int argc, char **argv, struct fault *why)
{
	if (argc > 0)
		return probing_start(p, argc, argv, 1, why) && open_diaries(p, why);
	if (!p->o.listen) {
		fault_set(why, FAULT_USAGE, "there is nothing to watch", SLICE(""), NULL);
		fault_hint(why, "sonde watch 192.0.2.1");
		fault_hint(why, "sonde watch --listen 9115");
		return false;
	}
	signals_take();
	privilege_rest();
	return wait_open(&p->fleet.wait, why);
}

static int run(int argc, char **argv, struct fault *why)
{
	struct probing *p = &probing;
	int n = probing_parse(p, tables, argc, argv, why);

	if (n < 0)
		return 2;
	if (!start(p, n, argv, why) || (p->o.listen && !exporter_open(&exporter, p, why)))
		return fault_exit_code(why);
	put_start(p);
	go(p);
	return n > 0 ? probing_end(p, why) : p->alive ? 0 : EXIT_NO_OUTPUT;
}

const struct command cmd_watch = {
	"watch",
	"TARGET…",
	"ping without an end: a live table, a log, figures for Prometheus",
	"As sonde ping, which explains targets and --expect. On a terminal a table shows how it stands; elsewhere each target\n"
	"has a line every 10 s, and at once when three probes in a row have no answer and when it answers again.\n"
	"\n"
	"--listen answers Prometheus: /metrics is about the targets, /probe?target=HOST pings any other three times, as\n"
	"blackbox_exporter does. TARGET may then be left out. Peers with public addresses are turned away.\n",
	tables,
	run,
};
