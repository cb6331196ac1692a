/* SPDX-License-Identifier: MIT */
/* A check on a real network: the phases one after another, each yielding what a watcher may see. */
#ifndef RUN_CHECK_H
#define RUN_CHECK_H

#include "engine/check.h"
#include "run/strain.h"
#include "run/survey.h"

struct check_cfg {
	struct survey_cfg survey;
	unsigned phases;      /* bits of enum check_phase */
	ns_t time;            /* of each direction */
	uint64_t bytes;       /* in each direction; 0 for no limit */
	unsigned connections; /* 0 to find out */
	int64_t probes;       /* of the idle latency */
};

enum check_event_kind { CHECK_FOUND, CHECK_PROGRESS, CHECK_PROBE, CHECK_PHASE_OVER };

struct check_event {
	enum check_event_kind kind;
	enum check_phase phase;
	int64_t bits_per_second; /* over the last moments of this phase; UNKNOWN before there is any; of a download if both */
	int64_t up_bits_per_second; /* CHECK_BOTH: of the upload */
	ns_t elapsed;
	ns_t rtt;                /* the latest round trip, UNKNOWN before the first */
	struct ping_event probe; /* CHECK_PROBE */
};

struct check {
	struct check_cfg cfg;
	struct check_result result; /* grows as phases end */
	enum check_phase phase;     /* under way, or after CHECK_FOUND and CHECK_PHASE_OVER the next one */
	/* private */
	struct wait wait;
	struct bulk bulk;
	struct ping_target to;
	struct ping_name name;
	struct score_more more;
	enum via via;
	bool surveyed, phase_due, phase_open, fell_back;
	ns_t phase_began, server_cpu, last_rtt;
	int64_t last_rate[STRAIN_LOADS];
	/* the large ones last, so that what is asked for often is near */
	struct survey survey;
	struct score_hists hists;
	struct strain strain;
	struct pinger pinger;
};

/* Connect, or only resolve where nothing but a ping is wanted. Return: false with @why. */
bool check_open(struct check *c, const struct check_cfg *cfg, struct fault *why);

/**
 * check_next() - Go on until something happens
 *
 * Return: false when all is done or a signal asks to stop; or with @why set where it cannot go on.
 */
bool check_next(struct check *c, struct check_event *ret, struct fault *why);

void check_close(struct check *c);

#endif
