/* SPDX-License-Identifier: MIT */
#include "run/strain.h"

#include "sys/clock.h"
#include "sys/signals.h"

#define KEYS_OF_A_LOAD 64
#define FOREIGN_KEY (STRAIN_KEY + KEYS_OF_A_LOAD * STRAIN_LOADS)

void strain_open(struct strain *s, struct wait *wait, struct pinger *beside, const struct foreign_cfg *foreign)
{
	s->wait = wait;
	s->beside = beside;
	s->n = 0;
	s->full = false;
	foreign_open(&s->foreign, foreign, wait, FOREIGN_KEY, clock_mono());
}

void strain_add(struct strain *s, const struct load_cfg *cfg, struct bulk *bulk)
{
	load_open(&s->loads[s->n], cfg, s->wait, STRAIN_KEY + KEYS_OF_A_LOAD * s->n, bulk, clock_mono());
	s->n++;
}

static bool is_over(const struct strain *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (!s->loads[i].over)
			return false;
	return true;
}

ns_t strain_full_since(const struct strain *s)
{
	ns_t last = 0;

	for (size_t i = 0; i < s->n; i++)
		last = ns_max(last, transfer_full_since(&s->loads[i].transfer));
	return last;
}

/* The link carries what all loads carry together. */
static void pace(struct strain *s)
{
	int64_t sum = 0;

	for (size_t i = 0; i < s->n; i++)
		sum += ns_max(transfer_recent(&s->loads[i].transfer), 0);
	foreign_pace(&s->foreign, sum > 0 ? sum : UNKNOWN);
}

/* What the connections under load say of their own round trips: a sample of each. */
static void note_round_trips(struct strain *s, const struct load *l, ns_t now)
{
	for (size_t i = 0; i < TRANSFER_CONNECTIONS_MAX; i++) {
		ns_t rtt = load_round_trip(l, i);

		if (rtt != UNKNOWN)
			rpm_add(&s->foreign.rpm, RPM_LOADED, now, rtt);
	}
}

/* Everything that can be done without waiting. Return: whether that is an event. */
static bool step(struct strain *s, ns_t now, struct strain_event *ret)
{
	if (!s->full && now >= strain_full_since(s)) {
		s->full = true;
		ret->kind = STRAIN_FULL;
		return true;
	}
	ret->kind = STRAIN_PING;
	if (pinger_step(s->beside, now, &ret->ping))
		return true;
	ret->kind = STRAIN_PROGRESS;
	for (size_t i = 0; i < s->n; i++) {
		ret->load = i;
		if (load_step(&s->loads[i], now, &ret->progress)) {
			pace(s);
			note_round_trips(s, &s->loads[i], now);
			return true;
		}
	}
	foreign_step(&s->foreign, now);
	return false;
}

static ns_t deadline(const struct strain *s)
{
	ns_t d = ns_min(pinger_deadline(s->beside), foreign_deadline(&s->foreign));

	for (size_t i = 0; i < s->n; i++)
		d = ns_min(d, load_deadline(&s->loads[i]));
	return d;
}

static void ready(struct strain *s, const struct wait_event *e, ns_t now)
{
	if (pinger_owns(s->beside, e->key)) {
		pinger_ready(s->beside, e);
		return;
	}
	if (foreign_owns(&s->foreign, e->key))
		foreign_ready(&s->foreign, e, now);
	for (size_t i = 0; i < s->n; i++)
		if (load_owns(&s->loads[i], e->key))
			load_ready(&s->loads[i], e, now);
}

bool strain_next(struct strain *s, struct strain_event *ret)
{
	struct wait_event v[TRANSFER_CONNECTIONS_MAX * 2];

	while (!is_over(s)) {
		ns_t now = clock_mono();

		if (step(s, now, ret))
			return true;
		if (is_over(s) || signals_stop())
			break;
		size_t n = wait_next(s->wait, deadline(s), now, v, sizeof(v) / sizeof(v[0]));

		now = clock_mono();
		for (size_t i = 0; i < n; i++)
			ready(s, &v[i], now);
	}
	return false;
}

void strain_stop(struct strain *s)
{
	ns_t now = clock_mono();

	for (size_t i = 0; i < s->n; i++)
		load_stop(&s->loads[i], now);
	foreign_close(&s->foreign, now);
}
