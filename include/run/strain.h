/* SPDX-License-Identifier: MIT */
/* A link under load: one direction or both at once, with a pinger and foreign probes beside them, on one wait. */
#ifndef RUN_STRAIN_H
#define RUN_STRAIN_H

#include "run/foreign.h"
#include "run/load.h"
#include "run/pinger.h"

#define STRAIN_LOADS 2

struct strain {
	struct wait *wait;
	struct pinger *beside; /* open on the same wait */
	struct foreign foreign;
	bool full;
	size_t n;
	struct load loads[STRAIN_LOADS];
};

enum strain_event_kind {
	STRAIN_PROGRESS,
	STRAIN_PING,
	STRAIN_FULL, /* once: from now on the queue of the link is full, if it has one */
};

struct strain_event {
	enum strain_event_kind kind;
	struct load_event progress; /* STRAIN_PROGRESS, of this load: */
	size_t load;
	struct ping_event ping;     /* STRAIN_PING */
};

/* Nothing loads the link yet. @beside has the keys below STRAIN_KEY. */
#define STRAIN_KEY 4096
void strain_open(struct strain *s, struct wait *wait, struct pinger *beside, const struct foreign_cfg *foreign);

/* One more load, up to STRAIN_LOADS. */
void strain_add(struct strain *s, const struct load_cfg *cfg, struct bulk *bulk);

/* When all loads have filled their queues; NS_NEVER where one of them has not. */
ns_t strain_full_since(const struct strain *s);

/* Wait for the next event; false when all loads are over or a signal asks to stop. */
bool strain_next(struct strain *s, struct strain_event *ret);

/* Close everything but the pinger; what was counted stays. */
void strain_stop(struct strain *s);

#endif
