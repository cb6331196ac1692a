/* SPDX-License-Identifier: MIT */
#include "cmd/command.h"
#include "cmd/probing.h"
#include "core/icmp.h"
#include "core/target.h"
#include "engine/check.h"
#include "out/hops.h"
#include "out/trace.h"
#include "run/tracer.h"
#include "sys/clock.h"
#include "sys/memory.h"
#include "sys/privilege.h"
#include "sys/resolve.h"
#include "sys/screen.h"
#include "sys/signals.h"
#include "sys/terminal.h"

/* With more targets hops have no percentiles: the distributions of one hop take 45 kB. */
#define HISTS_MAX 32

#define PATIENCE (2 * NS_PER_S)
#define PATIENCE_TARGETS (5 * NS_PER_S) /* with the names of the targets, without which there is nothing to do */
#define PATIENCE_NAMES NS_PER_S         /* with those of the hops that are still missing at the end */

struct trace_options {
	struct common common;
	int64_t rounds, hops, size;
	ns_t interval;
	int via;  /* of via_words */
	int icmp; /* enum method of the ICMP socket: METHOD_NONE for any */
	bool numeric;
};

static const char *const via_words[] = { "auto", "icmp", "tcp", NULL };
static const enum via vias[] = { VIA_AUTO, VIA_ICMP, VIA_TCP }; /* in the order of these words */

#define AT(member) offsetof(struct trace_options, member)

static const struct opt rows[] = {
	{ 'c', OPT_COUNT, AT(rounds), "count", "N", "probes to each hop (5)", 1, 1000000, NULL },
	{ 'i', OPT_DURATION, AT(interval), "interval", "TIME",
		"between probes to one hop (1s: many routers answer no more)", 10 * NS_PER_MS, 3600 * NS_PER_S, NULL },
	{ 'm', OPT_COUNT, AT(hops), "max-hops", "N", "hops at most (30)", 1, COURSE_HOPS_MAX, NULL },
	{ 's', OPT_SIZE, AT(size), "size", "BYTES", "payload of an ICMP probe (56)", TRACE_SIZE_MIN, ICMP_DATA_MAX,
		NULL },
	{ 'n', OPT_FLAG, AT(numeric), "numeric", NULL, "do not look up the names of the hops", 0, 0, NULL },
	{ 0, OPT_CHOICE, AT(via), "via", "HOW", "auto (ICMP where permitted, else TCP), icmp or tcp", 0, 0, via_words },
	{ 0, OPT_CHOICE, AT(icmp), "icmp-socket", "KIND", "any (raw where permitted, else dgram), raw or dgram", 0, 0,
		probing_icmp_words },
};

static const struct opt_table tables[] = {
	{ "Options", rows, sizeof(rows) / sizeof(rows[0]) },
	COMMON_OPTIONS,
	{ NULL, NULL, 0 },
};

/* As much again is left for one more hop, all of whose names are long and hostile. */
#define OUT_MUCH (32 << 10)

static struct tracer tracer;
static struct trace_room room;
static struct fault missed;
static struct expectations expect;
static struct board board;
static struct spark *sparks; /* of each hop of each target, where there is a board */
static int keys = -1;
static bool alive; /* standard output can be written */
static char out_buffer[2 * OUT_MUCH];

static bool get_room(const struct trace_options *o, int n, struct fault *why)
{
	size_t hops = (size_t)n * (size_t)o->hops;

	room.n = (size_t)n;
	room.targets = memory_get(room.n, sizeof(*room.targets), why);
	room.places = memory_get(hops, sizeof(*room.places), why);
	room.slots = memory_get(FLIGHT_SLOTS, sizeof(*room.slots), why);
	room.hists = n <= HISTS_MAX ? memory_get(hops, sizeof(*room.hists), why) : NULL;
	return room.targets && room.places && room.slots;
}

/* What one target says about the way; it has to go together with what the others and --via say. */
static bool choose_via(enum via *via, const struct target *t, struct fault *why)
{
	enum via said = t->scheme == TARGET_TCP ? VIA_TCP : t->scheme == TARGET_ICMP ? VIA_ICMP : VIA_AUTO;

	if (t->scheme == TARGET_UDP)
		return fault_set(why, FAULT_USAGE, "", t->text, "is a reflector, and trace takes hosts: icmp or tcp");
	if (t->scheme <= TARGET_HTTP && t->path.n > 1)
		return fault_set(why, FAULT_USAGE, "", t->text, "is a network or a page, and trace takes hosts");
	if (said != VIA_AUTO && *via != VIA_AUTO && said != *via)
		return fault_set(why, FAULT_USAGE, "one run traces one way:", t->text, "does not fit the others");
	*via = said != VIA_AUTO ? said : *via;
	return true;
}

/* Where to. Names that come to nothing are left out, where there are others: the first one is kept in `missed`. */
static bool aim(char **words, const struct trace_options *o, enum via *via, struct fault *why)
{
	struct addr v[RESOLVE_MAX];
	struct target t;
	size_t n = 0;

	for (size_t i = 0; i < room.n; i++) {
		if (!target_parse(words[i], &t, why) || !choose_via(via, &t, why))
			return false;
		if (resolve(t.host, o->common.family, v, RESOLVE_MAX, PATIENCE_TARGETS, why) == 0) {
			missed = missed.kind == FAULT_NONE ? *why : missed;
			continue;
		}
		v[0].port = t.port > 0 ? t.port : 80;
		room.targets[n++] = (struct trace_target){ .name = words[i], .addr = v[0] };
	}
	room.n = n;
	*why = n == 0 ? missed : (struct fault){ .kind = FAULT_NONE };
	return n > 0;
}

/* Write what there is where that is more than @much. */
static bool flush(struct text *t, int fd, size_t much)
{
	if (t->len <= much)
		return true;
	bool ok = terminal_write(fd, text_view(t));

	text_init(t, t->p, t->cap);
	return ok;
}

static bool put_path(struct text *t, struct json *j, int format, size_t target, int fd)
{
	struct path p;
	struct path_hop h;
	ns_t now = clock_mono();
	bool ok = true;

	tracer_path(&tracer, target, &p);
	/* People are told of silence to the end in one line. */
	unsigned n = (unsigned)(format == FORMAT_TEXT ? p.answered : p.hops);

	if (format == FORMAT_TEXT)
		trace_text_head(t);
	else if (format != FORMAT_CSV)
		trace_json_path(j, &p);
	for (unsigned ttl = 1; ttl <= n && ok; ttl++) {
		tracer_hop(&tracer, target, ttl, now, &h);
		if (format == FORMAT_TEXT)
			trace_text_hop(t, &h);
		else if (format == FORMAT_CSV)
			trace_csv_row(t, &p, &h);
		else
			trace_json_hop(j, &h);
		ok = flush(t, fd, OUT_MUCH);
	}
	if (format == FORMAT_TEXT)
		trace_text_end(t, &p);
	else if (format != FORMAT_CSV)
		trace_json_path_end(j);
	return ok && flush(t, fd, 0);
}

static void put_start(struct text *t, size_t target)
{
	struct path p;

	tracer_path(&tracer, target, &p);
	trace_text_start(t, &p, tracer.trace.cfg.plan.hops);
}

static bool put_all(struct text *t, int format, int fd)
{
	struct json j = { .out = t };
	bool ok = true;

	if (format == FORMAT_CSV)
		trace_csv_head(t);
	else if (format != FORMAT_TEXT)
		trace_json_begin(&j, t);
	for (size_t i = 0; i < room.n && ok; i++) {
		if (format == FORMAT_TEXT && room.n > 1)
			put_start(t, i);
		ok = put_path(t, &j, format, i, fd);
	}
	if (format == FORMAT_JSON || format == FORMAT_NDJSON)
		trace_json_end(&j);
	return ok && flush(t, fd, 0);
}

static bool put_prom(struct text *t)
{
	struct path p;
	struct path_hop h;
	ns_t now = clock_mono();

	for (size_t row = 0; row < trace_fields.n + ping_fields.n; row++) {
		bool named = false, of_hops = row >= trace_fields.n;

		for (size_t i = 0; i < room.n; i++) {
			tracer_path(&tracer, i, &p);
			if (!of_hops)
				trace_prom_path(t, row, &p, &named);
			for (unsigned ttl = 1; of_hops && ttl <= p.hops; ttl++) {
				tracer_hop(&tracer, i, ttl, now, &h);
				trace_prom_hop(t, row - trace_fields.n, &h, &named);
				if (!flush(t, TERMINAL_OUT, OUT_MUCH))
					return false;
			}
		}
	}
	return flush(t, TERMINAL_OUT, 0);
}

/* What is expected is expected of the targets themselves. */
static void judge(void)
{
	struct path p;
	struct path_hop h;

	for (size_t i = 0; i < room.n; i++) {
		tracer_path(&tracer, i, &p);
		tracer_hop(&tracer, i, p.hops > 0 ? (unsigned)p.hops : 1, 0, &h);
		probing_judge(&expect, p.reached ? &h.figures : NULL);
	}
}

static int exit_code(struct fault *why)
{
	struct path p;
	bool all = true, some = false;

	for (size_t i = 0; i < room.n; i++) {
		tracer_path(&tracer, i, &p);
		all = all && p.reached;
		some = some || p.answered > 0;
	}
	if (missed.kind != FAULT_NONE) {
		*why = missed;
		return 2;
	}
	return probing_verdict(&expect, some, all, tracer_has_no_route(&tracer) ? room.targets[0].name : NULL, why);
}

/* One row of the table: hop by hop, one target after the other. */
struct row {
	size_t target;
	unsigned ttl, last; /* of this target */
	struct path path;
};

#define FIRST_ROW ((struct row){ .target = SIZE_MAX })

/* As far as anybody answered, and the first hop behind that where its silence is certain. */
static unsigned rows_of(const struct path *p, size_t target)
{
	unsigned n = (unsigned)p->answered;

	return n + (n < p->hops && room.places[target * tracer.trace.cfg.plan.hops + n].more.lost > 0);
}

static bool next_row(struct row *r)
{
	while (r->ttl == r->last) {
		if (++r->target == room.n)
			return false;
		tracer_path(&tracer, r->target, &r->path);
		r->last = rows_of(&r->path, r->target);
		r->ttl = 0;
	}
	r->ttl++;
	return true;
}

/* Where the path ends: at the target, at a wall, or in silence. */
static bool is_end(const struct row *r)
{
	return r->ttl == r->path.hops || r->ttl > r->path.answered;
}

static struct spark *spark_of(size_t target, unsigned ttl)
{
	return &sparks[target * tracer.trace.cfg.plan.hops + ttl - 1];
}

static void offer(const struct row *r)
{
	const struct place *path = &room.places[r->target * tracer.trace.cfg.plan.hops], *at = &path[r->ttl - 1];
	bool end = is_end(r), limited = place_is_rate_limited(path, r->ttl - 1, (size_t)r->path.hops);
	struct live_health h = {
		.spark = spark_of(r->target, r->ttl),
		.sent = at->score.sent,
		.answered = at->score.received + at->more.late,
		.lost = at->more.lost,
		.calm = hops_is_calm(limited, at->score.received > 0, end),
		.main = end,
	};

	live_offer(&board.live, &h);
}

static void put_row(const struct row *r, ns_t now, size_t k)
{
	static char labels[LIVE_ROWS][HOPS_LABEL_MAX];
	size_t width = room.n > 1 ? hops_target_width(&board.live.grid) : 0;
	struct path_hop h;

	tracer_hop(&tracer, r->target, r->ttl, now, &h);
	hops_row(&board.live.grid, &h, r->path.target, width, is_end(r), labels[k], &board.rows[k]);
	board.rows[k].spark = spark_of(r->target, r->ttl);
}

/* The table, where it is time to draw it. Return: false where standard output is gone. */
static bool draw(struct text *t)
{
	const struct rank *rank = &board.live.rank;
	ns_t now = clock_mono();
	size_t n = 0, k = 0;

	if (now < board_deadline(&board))
		return true;
	for (struct row r = FIRST_ROW; next_row(&r);)
		n++;
	if (!board_begin(&board, n, now, false))
		return true;
	for (struct row r = FIRST_ROW; next_row(&r);)
		offer(&r);
	n = 0;
	for (struct row r = FIRST_ROW; k < rank->n && next_row(&r); n++)
		if (rank->v[k] == n)
			put_row(&r, now, k++);
	return board_end(&board, t, now, false);
}

static bool open_board(const struct common *c, struct fault *why)
{
	if (c->verbose || !board_fits(c))
		return true;
	sparks = memory_get(room.n * tracer.trace.cfg.plan.hops, sizeof(*sparks), why);
	if (!sparks)
		return false;
	board.live.what = "hop";
	board.live.grid.head = room.n > 1 ? "target" : "hop";
	keys = board_open(&board, c);
	if (keys >= 0)
		wait_add(&tracer.wait, keys, WAIT_IN, TRACER_OTHER_KEY);
	return true;
}

/* For somebody who watches while the result goes elsewhere: one line that changes. NULL clears it. */
static void redraw(struct text *t, const struct ping_event *ev)
{
	static const char clear[] = "\r\033[K";

	text_str(t, clear);
	if (ev)
		trace_text_event(t, ev);
	terminal_write(TERMINAL_ERR, slice_head(text_view(t), terminal_columns(TERMINAL_ERR) + sizeof(clear) - 2));
	text_init(t, t->p, t->cap);
}

static bool tell(struct text *t, const struct trace_options *o, const struct ping_event *ev, bool live)
{
	struct path p;

	if (live)
		redraw(t, ev);
	if (o->common.format == FORMAT_NDJSON) {
		tracer_path(&tracer, ev->target, &p);
		trace_ndjson_event(t, ev, &p);
	} else if (o->common.format == FORMAT_TEXT && o->common.verbose) {
		trace_text_event(t, ev);
		text_char(t, '\n');
	}
	return flush(t, TERMINAL_OUT, 0);
}

/* Return: false where it is to end. */
static bool take(struct text *t, const struct trace_options *o, enum tracer_event what, const struct ping_event *ev,
	bool live)
{
	if (what == TRACER_OTHER)
		return !screen_quit();
	if (what == TRACER_PROBE && sparks)
		spark_event(spark_of(ev->target, (unsigned)ev->ttl), ev);
	if (what == TRACER_PROBE && !(alive = tell(t, o, ev, live)))
		return false;
	if (!signals_report())
		return true;
	/* SIGQUIT: what there is so far, for people, whatever the format of the result. */
	live_fresh(&board.live);
	return put_all(t, FORMAT_TEXT, TERMINAL_ERR);
}

/* Probe until done, writing what happens as it happens. */
static void go(struct text *t, const struct trace_options *o)
{
	bool text = o->common.format == FORMAT_TEXT && !o->common.quiet;
	bool live = text && !o->common.verbose && !board_is_open(&board) && terminal_can_redraw(TERMINAL_ERR);
	enum tracer_event what;
	struct ping_event ev;

	if (text && room.n == 1)
		put_start(t, 0);
	alive = flush(t, TERMINAL_OUT, 0) && draw(t);
	while (alive && (what = tracer_next(&tracer, board_deadline(&board), &ev)) != TRACER_END)
		if (!take(t, o, what, &ev, live) || !(alive = draw(t)))
			break;
	if (keys >= 0)
		wait_remove(&tracer.wait, keys);
	tracer_wait_for_names(&tracer, PATIENCE_NAMES);
	board_close(&board, t, false);
	if (live)
		redraw(t, NULL);
}

static bool start(const struct trace_options *o, const struct tracer_cfg *cfg, struct fault *why)
{
	if (!expectations_parse(&expect, &o->common, ping_figures, why))
		return false;
	privilege_raise();
	if (!tracer_open(&tracer, cfg, &room, why))
		return false;
	if (tracer.method != METHOD_TCP)
		privilege_drop();
	signals_take();
	return open_board(&o->common, why);
}

static int fail(const struct trace_options *o, const struct fault *why)
{
	common_error(&o->common, why);
	return fault_exit_code(why);
}

static int measure(const struct trace_options *o, struct fault *why)
{
	struct text t;

	text_init(&t, out_buffer, sizeof(out_buffer));
	go(&t, o);
	if (!alive)
		return EXIT_NO_OUTPUT;
	judge();
	int code = exit_code(why);

	common_error(&o->common, why); /* the result stands last */
	if (!(o->common.format == FORMAT_PROM ? put_prom(&t) : put_all(&t, o->common.format, TERMINAL_OUT)) ||
		!expectations_tell(&t, &expect, ping_figures, &o->common))
		return EXIT_NO_OUTPUT;
	return code;
}

static int run(int argc, char **argv, struct fault *why)
{
	struct trace_options o = { .rounds = 5, .hops = 30, .size = 56, .interval = NS_PER_S };
	int n = opt_parse(tables, argc, argv, &o, why);

	if (n < 0)
		return 2;
	if (n == 0 || n > TRACE_TARGETS_MAX) {
		fault_set(why, FAULT_USAGE, n == 0 ? "there is nothing to trace" : "too many targets", SLICE(""), NULL);
		fault_hint(why, "sonde trace 192.0.2.1");
		return 2;
	}
	struct tracer_cfg cfg = {
		.trace = { .plan = { .interval = o.interval, .rounds = (uint32_t)o.rounds, .hops = (unsigned)o.hops },
			.timeout = o.common.timeout > 0 ? o.common.timeout : PATIENCE, .size = (size_t)o.size },
		.via = vias[o.via],
		.icmp_only = (enum method)o.icmp,
		.numeric = o.numeric,
	};

	if (!common_origin(&o.common, &cfg.origin, why) || !get_room(&o, n, why))
		return fault_exit_code(why);
	tracer_start_names(&tracer, &cfg);
	return aim(argv, &o, &cfg.via, why) && start(&o, &cfg, why) ? measure(&o, why) : fail(&o, why);
}

const struct command cmd_trace = {
	"trace",
	"TARGET…",
	"the path, with loss and latency at each hop",
	"Echo requests that may go one hop, two hops and so on, in several rounds; TCP connections where ICMP is\n"
	"not permitted or tcp://host:443 is named. All ICMP probes to a target have one identifier and one checksum,\n"
	"so that routers which share traffic out send them one way. TCP keeps one port of ours for that, so one probe\n"
	"is under way at a time; each is given up after 0.9 s, before the kernel would send it again.\n"
	"\n"
	"A hop is marked rate-limited where it answered, but less than one farther along: what got farther has passed\n"
	"it. Loss on the way back from it alone looks the same.\n"
	"\n"
	"Exit code 0: every target was reached. --expect is about the targets' answers: loss, rtt, rtt.p99, rtt.max,\n"
	"jitter, received.\n",
	tables,
	run,
};
