/* SPDX-License-Identifier: MIT */
#include "run/foreign.h"

#include "sys/clock.h"

/* "MPS" of the draft, 100 probes a second, and "PTC": 5 %, a twentieth. */
#define INTERVAL_MIN (10 * NS_PER_MS)
#define SHARE 20

void foreign_open(struct foreign *f, const struct foreign_cfg *cfg, struct wait *wait, uint64_t key, ns_t now)
{
	f->cfg = *cfg;
	f->wait = wait;
	f->key = key;
	f->last = now;
	rpm_init(&f->rpm);
	foreign_pace(f, UNKNOWN);
	for (size_t i = 0; i < FOREIGN_LANES; i++)
		lane_init(&f->lanes[i]);
}

void foreign_pace(struct foreign *f, int64_t bits_per_second)
{
	f->interval = ns_max(f->cfg.interval, INTERVAL_MIN);
	if (bits_per_second > 0)
		f->interval = ns_max(f->interval, FOREIGN_BYTES * 8 * SHARE * NS_PER_S / bits_per_second);
}

static void fail(struct foreign *f, struct lane *c)
{
	f->rpm.failed++;
	lane_close(c);
}

static void ask(struct foreign *f, struct lane *c, ns_t now)
{
	struct exchange_request r = {
		.method = f->cfg.head ? EXCHANGE_HEAD : EXCHANGE_GET,
		.host = f->cfg.host,
		.port = f->cfg.to.port,
		.path = f->cfg.path,
		.timeout = f->cfg.timeout,
	};

	if (lane_ask(c, &r, now))
		fail(f, c);
}

static void note_connected(struct foreign *f, const struct lane *c, ns_t stamp)
{
	struct stream_facts facts;

	stream_facts(c->fd, &facts);
	bool told = facts.rtt != UNKNOWN && facts.retransmits == 0;

	rpm_add(&f->rpm, RPM_CONNECT, stamp, told ? facts.rtt : stamp - c->asked);
}

/* What a turn or a tick made of a probe. */
static void follow_up(struct foreign *f, struct lane *c, ns_t now)
{
	if (c->state == LANE_FREE) {
		f->rpm.failed++;
	} else if (c->state == LANE_READY) {
		note_connected(f, c, clock_mono());
		ask(f, c, now);
	} else if (c->state == LANE_BUSY && c->x.sent > 0 && c->x.first_byte >= c->x.sent) {
		rpm_add(&f->rpm, RPM_ANSWER, c->x.first_byte, c->x.first_byte - c->x.sent);
		lane_close(c);
	} else if (lane_is_over(c)) {
		fail(f, c);
	}
}

void foreign_ready(struct foreign *f, const struct wait_event *e, ns_t now)
{
	struct lane *c = &f->lanes[e->key - f->key];

	if (c->state == LANE_FREE)
		return;
	lane_turn(c, e, NULL, now);
	follow_up(f, c, now);
}

static void give_up(struct foreign *f, ns_t now)
{
	for (size_t i = 0; i < FOREIGN_LANES; i++) {
		struct lane *c = &f->lanes[i];

		if (now < lane_deadline(c))
			continue;
		lane_tick(c, now);
		follow_up(f, c, now);
	}
}

/* FOREIGN_LANES where all are under way. */
static size_t free_lane(const struct foreign *f)
{
	size_t i = 0;

	while (i < FOREIGN_LANES && f->lanes[i].state != LANE_FREE)
		i++;
	return i;
}

void foreign_step(struct foreign *f, ns_t now)
{
	give_up(f, now);
	size_t i = free_lane(f);

	if (i == FOREIGN_LANES || now < f->last + f->interval)
		return;
	f->last = now;
	lane_dial(&f->lanes[i], &f->cfg.to, &f->cfg.origin, f->wait, f->key + i, f->cfg.timeout, now);
	if (f->lanes[i].state == LANE_FREE)
		f->rpm.failed++;
}

ns_t foreign_deadline(const struct foreign *f)
{
	ns_t first = free_lane(f) < FOREIGN_LANES ? f->last + f->interval : NS_NEVER;

	for (size_t i = 0; i < FOREIGN_LANES; i++)
		first = ns_min(first, lane_deadline(&f->lanes[i]));
	return first;
}

void foreign_close(struct foreign *f, ns_t now)
{
	give_up(f, now);
	for (size_t i = 0; i < FOREIGN_LANES; i++)
		lane_close(&f->lanes[i]);
}
