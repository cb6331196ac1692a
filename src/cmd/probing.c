/* SPDX-License-Identifier: MIT */
#include "cmd/probing.h"

#include "core/icmp.h"
#include "engine/check.h"
#include "out/field.h"
#include "out/ping.h"
#include "sys/clock.h"
#include "sys/memory.h"
#include "sys/privilege.h"
#include "sys/screen.h"
#include "sys/signals.h"
#include "sys/terminal.h"

/* Between two probes to a target; where many get one each, they are spread over the shorter time. */
#define INTERVAL NS_PER_S
#define INTERVAL_SWEEP (100 * NS_PER_MS)

#define PATIENCE (2 * NS_PER_S)
#define PATIENCE_NAMES (15 * NS_PER_S)

/* Probes a second above which the queue of our interface is not looked at, and above which no send is stamped. */
#define BUSY 2000
#define STORM 20000

static const char *const via_words[] = { "auto", "icmp", "udp", "tcp", "http", NULL }; /* in the order of enum via */
const char *const probing_icmp_words[] = { "any", "raw", "dgram", NULL };

#define AT(member) offsetof(struct probing_options, member)

const struct opt probing_rows[] = {
	{ 'c', OPT_COUNT, AT(count), "count", "N", "stop after N probes to each target (default: until interrupted)", 1,
		UINT32_MAX, NULL },
	{ 'w', OPT_DURATION, AT(duration), "deadline", "TIME", "stop after this long, whatever has come", NS_PER_MS,
		INT64_C(365) * 86400 * NS_PER_S, NULL },
	{ 'n', OPT_FLAG, AT(numeric), "numeric", NULL, "addresses stay addresses (they always do)", 0, 0, NULL },
	{ 'i', OPT_DURATION, AT(interval), "interval", "TIME", "between probes to one target (1s); 0 once it has answered", 0,
		3600 * NS_PER_S, NULL },
	{ 's', OPT_SIZE, AT(size), "size", "BYTES", "payload of an ICMP probe (56)", 0, ICMP_DATA_MAX, NULL },
	{ 't', OPT_COUNT, AT(ttl), "ttl", "N", "hops that a probe may take (the system's default)", 1, 255, NULL },
	{ 0, OPT_CHOICE, AT(via), "via", "HOW", "auto (ICMP where permitted, else TCP), icmp, udp, tcp or http", 0, 0,
		via_words },
	{ 0, OPT_CHOICE, AT(icmp), "icmp-socket", "KIND", "any (raw where permitted, else dgram), raw or dgram", 0, 0,
		probing_icmp_words },
	{ 0, OPT_STRING, AT(listen), "listen", "[ADDRESS:]PORT",
		"answer Prometheus there (ADDRESS: 127.0.0.1, for this machine alone)", 0, 0, NULL },
};

static char out_buffer[64 << 10];

int probing_parse(struct probing *p, const struct opt_table *tables, int argc, char **argv, struct fault *why)
{
	p->o.interval = UNKNOWN;
	p->o.size = 56;
	p->alive = true;
	text_init(&p->text, out_buffer, sizeof(out_buffer));
	return opt_parse(tables, argc, argv, &p->o, why);
}

static enum icmp_stamping choose_stamping(ns_t interval, size_t n)
{
	ns_t rate = (ns_t)n * NS_PER_S / ns_max(interval, 1);

	if (interval > 0 && (n == 1 || rate < BUSY))
		return ICMP_STAMP_ALL;
	return rate < STORM ? ICMP_STAMP_NO_QUEUE : ICMP_STAMP_RECEIPT;
}

static bool prepare(struct probing *p, int argc, char **argv, struct fault *why)
{
	const struct probing_options *o = &p->o;
	struct fleet_cfg cfg = {
		.pinger = { .ping = { .timeout = o->common.timeout > 0 ? o->common.timeout : PATIENCE, .duration = o->duration,
				    .count = (uint64_t)o->count, .size = (size_t)o->size },
			.via = (enum via)o->via,
			.icmp_only = (enum method)o->icmp },
		.family = o->common.family,
		.names_timeout = o->common.timeout > 0 ? o->common.timeout : PATIENCE_NAMES,
	};

	if (!common_origin(&o->common, &cfg.pinger.origin, why) || !fleet_read(&p->fleet, &cfg, argc, argv, why))
		return false;
	struct pinger_cfg *c = &p->fleet.cfg.pinger;
	size_t n = p->fleet.room.n;

	c->origin.ttl = (int)o->ttl;
	c->ping.interval = o->interval >= 0 ? o->interval : o->count == 1 && n > 1 ? INTERVAL_SWEEP : INTERVAL;
	c->stamping = choose_stamping(c->ping.interval, n);
	return true;
}

static bool open_board(struct probing *p, size_t table_from, struct fault *why)
{
	if (p->fleet.room.n < table_from || !board_fits(&p->o.common))
		return true;
	p->sparks = memory_get(p->fleet.room.n, sizeof(*p->sparks), why);
	if (!p->sparks)
		return false;
	int keys = board_open(&p->board, &p->o.common);

	if (keys >= 0)
		wait_add(&p->fleet.wait, keys, WAIT_IN, FLEET_OTHER_KEY);
	return true;
}

static bool open_all(struct probing *p, int argc, char **argv, size_t table_from, struct fault *why)
{
	if (!expectations_parse(&p->expect, &p->o.common, ping_figures, why) || !prepare(p, argc, argv, why))
		return false;
	privilege_raise();
	if (!fleet_open(&p->fleet, why))
		return false;
	if (p->o.listen)
		privilege_rest(); /* a probe that is asked for has sockets of its own */
	else if (p->fleet.pinger.method < METHOD_TCP) /* all sockets are there */
		privilege_drop();
	signals_take();
	return open_board(p, table_from, why);
}

bool probing_start(struct probing *p, int argc, char **argv, size_t table_from, struct fault *why)
{
	bool ok = open_all(p, argc, argv, table_from, why);

	if (!ok)
		common_error(&p->o.common, why);
	return ok;
}

static struct live_health health_of(const struct probing *p, size_t i)
{
	struct ping_result r;

	ping_counts(&p->fleet.pinger.ping, i, &r);
	return (struct live_health){
		.spark = &p->sparks[i],
		.sent = (uint64_t)r.sent,
		.answered = (uint64_t)(r.received + r.late),
		.lost = (uint64_t)r.lost,
		.failed = p->fleet.room.names[i].error != NULL,
	};
}

/* Return: false where standard output is gone. */
static bool draw(struct probing *p, bool last)
{
	struct live *l = &p->board.live;
	size_t n = p->fleet.room.n;
	ns_t now = clock_mono();

	if (!board_begin(&p->board, n, now, last))
		return true;
	for (size_t i = 0; i < n; i++) {
		struct live_health h = health_of(p, i);

		live_offer(l, &h);
	}
	for (size_t i = 0; i < l->rank.n; i++) {
		p->board.rows[i].spark = &p->sparks[l->rank.v[i]];
		pinger_result(&p->fleet.pinger, l->rank.v[i], now, &p->board.rows[i].result);
	}
	return board_end(&p->board, &p->text, now, last);
}

static bool flush_to_people(struct text *t)
{
	bool ok = terminal_write(TERMINAL_ERR, text_view(t));

	text_init(t, t->p, t->cap);
	return ok;
}

/* SIGQUIT: what there is so far, for people, whatever the format of the result. */
static bool report(struct probing *p)
{
	struct ping_result r;
	ns_t now = clock_mono();
	bool ok = true;

	for (size_t i = 0; i < p->fleet.room.n && ok; i++) {
		pinger_result(&p->fleet.pinger, i, now, &r);
		ping_text_summary(&p->text, &r);
		ok = flush_to_people(&p->text);
	}
	live_fresh(&p->board.live);
	return ok;
}

bool probing_next(struct probing *p, ns_t tick, struct fleet_event *ret)
{
	p->alive = common_flush(&p->text) && draw(p, false);
	if (!p->alive || !fleet_next(&p->fleet, ns_min(tick, board_deadline(&p->board)), ret))
		return false;
	p->alive = !signals_report() || report(p);
	if (ret->kind == FLEET_PROBE && p->sparks)
		spark_event(&p->sparks[ret->probe.target], &ret->probe);
	return p->alive && !(ret->kind == FLEET_OTHER && ret->other.key == FLEET_OTHER_KEY && screen_quit());
}

void probing_ndjson(struct probing *p, const struct fleet_event *e)
{
	struct ping_result r;

	if (e->kind != FLEET_NAME && e->kind != FLEET_PROBE)
		return;
	pinger_label(&p->fleet.pinger, e->kind == FLEET_NAME ? e->target : e->probe.target, &r);
	if (e->kind == FLEET_NAME)
		ping_ndjson_name(&p->text, &r);
	else
		ping_ndjson_event(&p->text, &e->probe, &r);
}

bool probing_prom(const struct probing *p, struct probing_place *at, struct text *t, size_t n)
{
	struct ping_result r;
	ns_t now = clock_mono();

	for (; at->row < ping_fields.n; *at = (struct probing_place){ .row = at->row + 1 }) {
		for (; at->target < p->fleet.room.n; at->target++) {
			size_t mark = t->len;
			bool named = at->named;

			if (n-- == 0)
				return true;
			pinger_result(&p->fleet.pinger, at->target, now, &r);
			ping_prom(t, at->row, &r, &named);
			if (t->cut) { /* one that fits nowhere is passed over */
				t->cut = false;
				t->len = mark;
				at->target += mark == 0;
				return true;
			}
			at->named = named;
		}
	}
	return false;
}

static bool write_prom(struct probing *p)
{
	struct probing_place at = { .row = 0 };

	while (probing_prom(p, &at, &p->text, SIZE_MAX))
		if (!common_flush(&p->text))
			return false;
	return true;
}

static bool is_json(const struct probing *p)
{
	return p->o.common.format == FORMAT_JSON || p->o.common.format == FORMAT_NDJSON;
}

static void write_one(struct probing *p, struct json *j, const struct ping_result *r)
{
	const struct common *c = &p->o.common;
	bool one = p->fleet.room.n == 1;

	if (is_json(p))
		ping_json(j, NULL, r);
	else if (c->format == FORMAT_CSV)
		ping_csv_row(&p->text, r);
	else if (!one)
		ping_text_line(&p->text, r, c->verbose);
	else if (!r->resolve_error)
		ping_text_summary(&p->text, r);
	if (c->format == FORMAT_TEXT && c->verbose && one)
		ping_text_details(&p->text, r);
}

static bool write_all(struct probing *p)
{
	struct json j;
	struct ping_result r;
	struct ping_total sum = { .local_drops = pinger_drops(&p->fleet.pinger) };
	ns_t now = clock_mono();

	json_init(&j, &p->text);
	if (is_json(p))
		ping_json_begin(&j);
	else if (p->o.common.format == FORMAT_CSV)
		ping_csv_head(&p->text);
	for (size_t i = 0; i < p->fleet.room.n; i++) {
		pinger_result(&p->fleet.pinger, i, now, &r);
		ping_total_add(&sum, &r);
		write_one(p, &j, &r);
		if (p->text.len >= sizeof(out_buffer) / 2 && !common_flush(&p->text))
			return false;
	}
	if (is_json(p))
		ping_json_end(&j, &sum);
	else if (p->o.common.format == FORMAT_TEXT && p->fleet.room.n > 1)
		ping_text_total(&p->text, &sum);
	return true;
}

void probing_judge(struct expectations *e, const struct ping_result *r)
{
	for (size_t k = 0; k < e->n; k++)
		if (!e->judged[k].text || e->judged[k].met)
			expectations_judge(e, k, r ? ping_figure(r, e->v[k].figure) : UNKNOWN);
}

static void judge(struct probing *p)
{
	struct ping_result r;
	ns_t now = clock_mono();

	for (size_t i = 0; i < p->fleet.room.n && p->expect.n > 0; i++) {
		pinger_result(&p->fleet.pinger, i, now, &r);
		probing_judge(&p->expect, &r);
	}
}

/* The first name that came to nothing, since that is what has to be put right. */
static int tell_unresolved(const struct fleet *f, struct fault *why)
{
	const struct ping_name *name = f->room.names;

	while (!name->error)
		name++;
	fault_set(why, FAULT_HOST, name->error, SLICE(""), NULL);
	fault_hint(why, "is the name right? an address always works");
	return 2;
}

int probing_verdict(const struct expectations *e, bool some, bool all, const char *unroutable, struct fault *why)
{
	if (unroutable) {
		fault_set(why, FAULT_HOST, "this machine has no route to", slice_of(unroutable), NULL);
		fault_hint(why, "ip route");
		return 2;
	}
	if (!some && signals_interrupted())
		return 130;
	return !all ? 1 : e->missed ? 4 : 0;
}

static int exit_code(const struct probing *p, struct fault *why)
{
	const struct fleet *f = &p->fleet;
	size_t answered = 0;
	uint64_t sent = 0;
	struct ping_result first;

	for (size_t i = 0; i < f->room.n; i++) {
		answered += f->room.targets[i].score.received > 0;
		sent += f->room.targets[i].score.sent;
	}
	if (f->unresolved > 0)
		return tell_unresolved(f, why);
	pinger_label(&f->pinger, 0, &first);
	return probing_verdict(&p->expect, answered > 0, answered == f->room.n,
		sent > 0 && f->pinger.unroutable == sent ? first.target : NULL, why);
}

/* @shown: it is on the screen. */
static bool write_result(struct probing *p, bool shown)
{
	bool ok = shown || (p->o.common.format == FORMAT_PROM ? write_prom(p) : write_all(p));

	return ok && common_flush(&p->text) && expectations_tell(&p->text, &p->expect, ping_figures, &p->o.common);
}

int probing_end(struct probing *p, struct fault *why)
{
	ping_finish(&p->fleet.pinger.ping);
	p->alive = p->alive && draw(p, true);
	bool shown = board_close(&p->board, &p->text, true);

	if (!p->alive)
		return EXIT_NO_OUTPUT;
	judge(p);
	int code = exit_code(p, why);

	common_error(&p->o.common, why); /* the result stands last */
	return write_result(p, shown) ? code : EXIT_NO_OUTPUT;
}
