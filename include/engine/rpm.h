/* SPDX-License-Identifier: MIT */
/*
 * Responsiveness: round trips a minute while the link is busy, by the TCP-only form of draft-ietf-ippm-responsiveness
 * (section 5.3.1.2 of -09). Connections of their own, "foreign probes", give the TCP handshake and a small request on
 * it; where requests cannot be mixed into the load, as in HTTP/1.1, the TCP stack's own round trip on the connections
 * under load stands for the third. Of each the slowest 5 % are left out: its single-sided trimmed mean.
 */
#ifndef ENGINE_RPM_H
#define ENGINE_RPM_H

#include "core/result.h"

/* Samples kept of each part; later ones replace a random earlier one, so that all of the run has a say. */
#define RPM_SAMPLES_MAX 1024

/* Fewer say nothing about a link. */
#define RPM_SAMPLES_MIN 5

enum rpm_part {
	RPM_CONNECT, /* a foreign probe's TCP handshake */
	RPM_ANSWER,  /* from its request to the first byte of the answer */
	RPM_LOADED,  /* a round trip of a connection under load, as its TCP has it */
	RPM_PARTS,
};

struct rpm {
	int64_t failed; /* probes that were not answered in time, refused, or cut off */
	/* private */
	uint32_t seed;
	struct rpm_samples {
		int64_t seen;
		size_t n;
		struct rpm_sample {
			ns_t at, took;
		} v[RPM_SAMPLES_MAX];
	} part[RPM_PARTS];
};

void rpm_init(struct rpm *r);

/* @took >= 0; it was complete @at. */
void rpm_add(struct rpm *r, enum rpm_part part, ns_t at, ns_t took);

/**
 * rpm_finish() - What it comes to; once, since it sorts in place
 * @since:  what was complete before that moment is left out, as the draft does with the time before the load has
 *          reached its rate; of a part that would then have too few samples all count
 *
 * foreign = 60 s / ((connect + answer) / 2), loaded = 60 s / loaded, rpm = (foreign + loaded) / 2; where the load's own
 * round trips are not known, rpm = foreign. A part with fewer than RPM_SAMPLES_MIN samples is UNKNOWN, and without
 * connect or answer rpm is. Only probes that were answered count as probes, besides the failed ones.
 */
struct rpm_result rpm_finish(struct rpm *r, ns_t since);

/* "poor" under 300, "fair" under 1,000, "good" under 6,000, else "excellent": the classes of the draft. NULL for UNKNOWN. */
const char *rpm_rating(int64_t rpm);

/**
 * rpm_bloat_grade() - What a load does to the latency, as one letter
 * @increase:  of the median round trip, from idle to loaded
 *
 * "A+" under 5 ms, "A" under 30, "B" under 60, "C" under 200, "D" under 400, else "F": the bounds that the public
 * bufferbloat tests use. NULL for UNKNOWN; another increase below 0 is none.
 */
const char *rpm_bloat_grade(ns_t increase);

/* The table behind it, from the best on: an increase below so many milliseconds. What is not in it is an F. */
enum { RPM_GRADES = 5 };

extern const struct rpm_grade {
	int16_t below_ms;
	char grade[3];
} rpm_grades[RPM_GRADES];

#endif
