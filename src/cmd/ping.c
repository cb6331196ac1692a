/* SPDX-License-Identifier: MIT */
#include "cmd/command.h"
#include "cmd/board.h"
#include "core/icmp.h"
#include "engine/check.h"
#include "out/field.h"
#include "out/ping.h"
#include "run/fleet.h"
#include "sys/clock.h"
#include "sys/privilege.h"
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

struct ping_options {
	struct common common;
	int64_t count, size, ttl;
	bool numeric;
	ns_t interval, duration;
	int via;  /* enum via */
	int icmp; /* 0 any, METHOD_ICMP_RAW or METHOD_ICMP_DGRAM */
};

static const char *const via_words[] = { "auto", "icmp", "udp", "tcp", "http", NULL }; /* in the order of enum via */
static const char *const icmp_words[] = { "any", "raw", "dgram", NULL };

#define AT(member) offsetof(struct ping_options, member)

static const struct opt rows[] = {
	{ 'c', OPT_COUNT, AT(count), "count", "N", "stop after N probes to each target (default: until interrupted)", 1,
		UINT32_MAX, NULL },
	{ 'i', OPT_DURATION, AT(interval), "interval", "TIME", "between probes to one target (1s); 0 once it has answered", 0,
		3600 * NS_PER_S, NULL },
	{ 's', OPT_SIZE, AT(size), "size", "BYTES", "payload of an ICMP probe (56)", 0, ICMP_DATA_MAX, NULL },
	{ 't', OPT_COUNT, AT(ttl), "ttl", "N", "hops that a probe may take (the system's default)", 1, 255, NULL },
	{ 'w', OPT_DURATION, AT(duration), "deadline", "TIME", "stop after this long, whatever has come", NS_PER_MS,
		INT64_C(365) * 86400 * NS_PER_S, NULL },
	{ 'n', OPT_FLAG, AT(numeric), "numeric", NULL, "addresses stay addresses (they always do)", 0, 0, NULL },
	{ 0, OPT_CHOICE, AT(via), "via", "HOW", "auto (ICMP where permitted, else TCP), icmp, udp, tcp or http", 0, 0,
		via_words },
	{ 0, OPT_CHOICE, AT(icmp), "icmp-socket", "KIND", "any (raw where permitted, else dgram), raw or dgram", 0, 0,
		icmp_words },
};

static const struct opt_table tables[] = {
	{ "Options", rows, sizeof(rows) / sizeof(rows[0]) },
	COMMON_OPTIONS,
	{ NULL, NULL, 0 },
};

static struct fleet fleet;
static struct board board;
static char out_buffer[64 << 10];

/* A line at a time while there is something to wait for; else as much as the buffer holds. */
static bool flush_most(struct text *t)
{
	return t->len < sizeof(out_buffer) / 2 || common_flush(t);
}

static bool is_json(const struct ping_options *o)
{
	return o->common.format == FORMAT_JSON || o->common.format == FORMAT_NDJSON;
}

static void write_one(struct text *t, struct json *j, const struct ping_options *o, const struct ping_result *r)
{
	if (is_json(o))
		ping_json(j, NULL, r);
	else if (o->common.format == FORMAT_CSV)
		ping_csv_row(t, r);
	else if (fleet.room.n > 1)
		ping_text_line(t, r, o->common.verbose);
	else if (!r->resolve_error)
		ping_text_summary(t, r);
	if (o->common.format == FORMAT_TEXT && o->common.verbose && fleet.room.n == 1)
		ping_text_details(t, r);
}

static bool write_all(struct text *t, const struct expectations *e, const struct ping_options *o)
{
	struct json j;
	struct ping_result r;
	struct ping_total sum = { .local_drops = pinger_drops(&fleet.pinger) };
	ns_t now = clock_mono();

	json_init(&j, t);
	if (is_json(o))
		ping_json_begin(&j);
	else if (o->common.format == FORMAT_CSV)
		ping_csv_head(t);
	for (size_t i = 0; i < fleet.room.n; i++) {
		pinger_result(&fleet.pinger, i, now, &r);
		ping_total_add(&sum, &r);
		write_one(t, &j, o, &r);
		if (!flush_most(t))
			return false;
	}
	if (is_json(o))
		ping_json_end(&j, &sum);
	else if (o->common.format == FORMAT_TEXT && fleet.room.n > 1)
		ping_text_total(t, &sum);
	return common_flush(t) && expectations_tell(t, e, ping_figures, &o->common);
}

static bool write_prom(struct text *t, const struct expectations *e, const struct ping_options *o)
{
	struct ping_result r;
	ns_t now = clock_mono();

	for (size_t row = 0; row < ping_fields.n; row++) {
		bool named = false;

		for (size_t i = 0; i < fleet.room.n; i++) {
			pinger_result(&fleet.pinger, i, now, &r);
			ping_prom(t, row, &r, &named);
			if (!flush_most(t))
				return false;
		}
	}
	return common_flush(t) && expectations_tell(t, e, ping_figures, &o->common);
}

/* The worst target decides. */
static void judge(struct expectations *e)
{
	struct ping_result r;
	ns_t now = clock_mono();

	for (size_t k = 0; k < e->n; k++) {
		int64_t value = UNKNOWN;

		for (size_t i = 0; i < fleet.room.n; i++) {
			pinger_result(&fleet.pinger, i, now, &r);
			value = ping_figure(&r, e->v[k].figure);
			if (expect_judge(&e->v[k], value) != EXPECT_MET)
				break;
		}
		expectations_judge(e, k, value);
	}
}

/* The first name that came to nothing, since that is what has to be put right. */
static int tell_unresolved(struct fault *why)
{
	const struct ping_name *name = fleet.room.names;

	while (!name->error)
		name++;
	fault_set(why, FAULT_HOST, name->error, SLICE(""), NULL);
	fault_hint(why, "is the name right? an address always works");
	return 2;
}

static int exit_code(const struct expectations *e, struct fault *why)
{
	size_t answered = 0;
	uint64_t sent = 0;

	for (size_t i = 0; i < fleet.room.n; i++) {
		answered += fleet.room.targets[i].score.received > 0;
		sent += fleet.room.targets[i].score.sent;
	}
	if (fleet.unresolved > 0)
		return tell_unresolved(why);
	if (sent > 0 && fleet.pinger.unroutable == sent) {
		struct ping_result r;

		pinger_label(&fleet.pinger, 0, &r);
		fault_set(why, FAULT_HOST, "this machine has no route to", slice_of(r.target), NULL);
		fault_hint(why, "ip route");
		return 2;
	}
	if (answered == 0 && signals_interrupted())
		return 130;
	if (answered < fleet.room.n)
		return 1;
	return e->missed ? 4 : 0;
}

/* SIGQUIT: what there is so far, for people, whatever the format of the result. */
static bool report(struct text *t)
{
	struct ping_result r;
	ns_t now = clock_mono();
	bool ok = true;

	for (size_t i = 0; i < fleet.room.n && ok; i++) {
		pinger_result(&fleet.pinger, i, now, &r);
		ping_text_summary(t, &r);
		ok = terminal_write(TERMINAL_ERR, text_view(t));
		text_init(t, t->p, t->cap);
	}
	live_fresh(&board.live);
	return ok;
}

static void put_name(struct text *t, const struct ping_options *o, const struct ping_result *r)
{
	if (o->common.format == FORMAT_NDJSON)
		ping_ndjson_name(t, r);
	else if (o->common.format == FORMAT_TEXT && fleet.room.n > 1)
		ping_text_name(t, r);
	else if (o->common.format == FORMAT_TEXT && !r->resolve_error)
		ping_text_start(t, r, (size_t)o->size);
}

static void put_event(struct text *t, const struct ping_options *o, const struct fleet_event *e)
{
	struct ping_result r;
	bool each = o->common.format == FORMAT_NDJSON || (o->common.format == FORMAT_TEXT && !o->common.quiet);

	if (e->kind != FLEET_NAME && !(each && e->kind == FLEET_PROBE))
		return;
	pinger_label(&fleet.pinger, e->kind == FLEET_NAME ? e->target : e->probe.target, &r);
	if (e->kind == FLEET_NAME)
		put_name(t, o, &r);
	else if (o->common.format == FORMAT_NDJSON)
		ping_ndjson_event(t, &e->probe, &r);
	else if (o->common.format == FORMAT_TEXT)
		ping_text_event(t, &e->probe, &r, fleet.room.n > 1);
}

/* Among many, on standard error: that the figures are not those of ICMP, as nobody asked for. */
static bool tell_way(struct text *t, const struct ping_options *o, const struct ping_result *r)
{
	if (o->common.format != FORMAT_TEXT || fleet.room.n == 1 || fleet.pinger.method != METHOD_TCP ||
		!fleet.pinger.reason[0])
		return true;
	ping_text_way(t, r);
	bool ok = terminal_write(TERMINAL_ERR, text_view(t));

	text_init(t, t->p, t->cap);
	return ok;
}

/* Probe until done, writing what happens as it happens. Return: false where standard output is gone. */
static bool go(struct text *t, const struct ping_options *o)
{
	struct fleet_event e;
	struct ping_result r;

	pinger_label(&fleet.pinger, 0, &r);
	if (o->common.format == FORMAT_TEXT && fleet.room.n == 1 && r.address[0])
		ping_text_start(t, &r, (size_t)o->size);
	if (!common_flush(t) || !tell_way(t, o, &r))
		return false;
	while (fleet_next(&fleet, board.next, &e)) {
		if (signals_report() && !report(t))
			return false;
		if (!board_is_open(&board))
			put_event(t, o, &e);
		else if (!board_event(&board, &e))
			break;
		if (!common_flush(t) || !board_draw(&board, &fleet, t, false))
			return false;
	}
	ping_finish(&fleet.pinger.ping);
	return board_draw(&board, &fleet, t, true);
}

static enum icmp_stamping choose_stamping(ns_t interval, size_t n)
{
	ns_t rate = (ns_t)n * NS_PER_S / ns_max(interval, 1);

	if (interval > 0 && (n == 1 || rate < BUSY))
		return ICMP_STAMP_ALL;
	return rate < STORM ? ICMP_STAMP_NO_QUEUE : ICMP_STAMP_RECEIPT;
}

static bool prepare(const struct ping_options *o, int argc, char **argv, struct fault *why)
{
	struct fleet_cfg cfg = {
		.pinger = { .ping = { .timeout = o->common.timeout > 0 ? o->common.timeout : PATIENCE, .duration = o->duration,
				    .count = (uint64_t)o->count, .size = (size_t)o->size },
			.via = (enum via)o->via,
			.icmp_only = o->icmp == 1 ? METHOD_ICMP_RAW : o->icmp == 2 ? METHOD_ICMP_DGRAM : METHOD_NONE },
		.family = o->common.family,
		.names_timeout = o->common.timeout > 0 ? o->common.timeout : PATIENCE_NAMES,
	};

	if (!common_origin(&o->common, &cfg.pinger.origin, why) || !fleet_read(&fleet, &cfg, argc, argv, why))
		return false;
	struct pinger_cfg *p = &fleet.cfg.pinger;

	p->origin.ttl = (int)o->ttl;

	p->ping.interval = o->interval >= 0 ? o->interval : o->count == 1 && fleet.room.n > 1 ? INTERVAL_SWEEP : INTERVAL;
	p->stamping = choose_stamping(p->ping.interval, fleet.room.n);
	return true;
}

static bool start(const struct ping_options *o, struct expectations *expect, int argc, char **argv, struct fault *why)
{
	if (!expectations_parse(expect, &o->common, ping_figures, why) || !prepare(o, argc, argv, why))
		return false;
	privilege_raise();
	if (!fleet_open(&fleet, why))
		return false;
	if (fleet.pinger.method < METHOD_TCP) /* all sockets are there */
		privilege_drop();
	signals_take();
	return board_open(&board, &fleet, &o->common, why);
}

/* @shown: it is on the screen. */
static bool write_result(struct text *t, const struct expectations *e, const struct ping_options *o, bool shown)
{
	if (shown)
		return expectations_tell(t, e, ping_figures, &o->common);
	return o->common.format == FORMAT_PROM ? write_prom(t, e, o) : write_all(t, e, o);
}

static int measure(const struct ping_options *o, int argc, char **argv, struct fault *why)
{
	struct expectations expect;
	struct text t;

	text_init(&t, out_buffer, sizeof(out_buffer));
	if (!start(o, &expect, argc, argv, why)) {
		common_error(&o->common, why);
		return fault_exit_code(why);
	}
	bool alive = go(&t, o);
	bool shown = board_close(&board, &t);

	if (!alive)
		return EXIT_NO_OUTPUT;
	judge(&expect);
	int code = exit_code(&expect, why);

	common_error(&o->common, why); /* the result stands last */
	return write_result(&t, &expect, o, shown) ? code : EXIT_NO_OUTPUT;
}

static int run(int argc, char **argv, struct fault *why)
{
	struct ping_options o = { .interval = UNKNOWN, .size = 56 };
	int n = opt_parse(tables, argc, argv, &o, why);

	return n < 0 ? 2 : measure(&o, n, argv, why);
}

const struct command cmd_ping = {
	"ping",
	"TARGET…",
	"round trips and loss, one host or many",
	"ICMP echo, raw where this process may, else through the unprivileged ICMP socket, else by TCP connections.\n"
	"Round trips are taken from the kernel's own packet stamps where there are any. TARGET is a name, an address,\n"
	"host:port, tcp://host:port, udp://host:port, icmp://host, a network such as 10.0.0.0/24, or - for a list of\n"
	"these on standard input. The probes of a round are spread over the interval; with -c 1 over 100ms.\n"
	"\n"
	"--via udp asks a reflector: sonde serve (port 8080, taken where none is named) or any other of STAMP and TWAMP\n"
	"Light (host:862). It needs no privilege, and tells for each direction what was lost and how long packets queued.\n"
	"\n"
	"A port does not count with ICMP. By TCP a refusal is an answer where no port was named (80 is asked then), else\n"
	"a loss. An answer after -W is late and not lost; what -w or an interrupt cuts off has no say in the loss.\n"
	"\n"
	"--expect knows: loss, rtt, rtt.p99, rtt.max, jitter, received.\n",
	tables,
	run,
};
