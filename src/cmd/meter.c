/* SPDX-License-Identifier: MIT */
#include "cmd/meter.h"

#include "out/gauge.h"
#include "sys/clock.h"
#include "sys/terminal.h"

static struct gauge gauge;

bool meter_open(const struct common *c)
{
	gauge.utf8 = terminal_utf8();
	gauge.color = !c->no_color && !terminal_no_color();
	return terminal_can_redraw(TERMINAL_ERR) && !c->quiet && c->format != FORMAT_NDJSON;
}

static unsigned share(uint64_t part, uint64_t whole)
{
	return part < whole ? (unsigned)(part * CHECK_WHOLE / whole) : CHECK_WHOLE;
}

/* Of the bytes that may move, in the direction that has moved less of them. */
static unsigned share_moved(const struct check *c)
{
	unsigned least = CHECK_WHOLE;

	for (size_t i = 0; i < c->strain.n; i++) {
		const struct rate *r = &c->strain.loads[i].transfer.rate;
		unsigned moved = r->n > 0 ? share(r->v[r->n - 1].bytes, c->cfg.bytes) : 0;

		least = moved < least ? moved : least;
	}
	return least;
}

static unsigned share_over(const struct check *c, const struct check_event *e)
{
	struct ping_result r;

	if (e->phase == CHECK_PING) {
		ping_counts(&c->pinger.ping, 0, &r);
		return share((uint64_t)(r.sent - r.in_flight), (uint64_t)c->cfg.probes);
	}
	unsigned time = share((uint64_t)e->elapsed, (uint64_t)c->cfg.time);
	unsigned moved = c->cfg.bytes > 0 ? share_moved(c) : 0;

	return moved > time ? moved : time;
}

struct check_moment meter_moment(const struct check_event *e)
{
	return (struct check_moment){ check_only_words[e->phase], e->bits_per_second, e->up_bits_per_second, e->elapsed,
		e->rtt, e->phase == CHECK_BOTH ? 2 : e->phase != CHECK_PING, 0 };
}

void meter_event(const struct check *c, const struct check_event *e)
{
	struct check_moment m = meter_moment(e);
	char line[GAUGE_LINE_MAX];
	struct text t;

	text_init(&t, line, sizeof(line));
	if (e->kind == CHECK_PROBE && e->phase == CHECK_PING)
		gauge_probe(&gauge, &e->probe);
	if (e->kind == CHECK_PHASE_OVER) {
		gauge_end(&gauge, &t);
	} else if (gauge_due(&gauge, &m, clock_mono()) && terminal_ready(TERMINAL_ERR, 0)) {
		m.done = share_over(c, e);
		gauge_draw(&gauge, &t, &m, terminal_columns(TERMINAL_ERR));
	}
	if (t.len > 0 && terminal_is_ours(TERMINAL_ERR))
		terminal_write(TERMINAL_ERR, text_view(&t));
}
