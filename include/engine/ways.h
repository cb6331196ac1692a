/* SPDX-License-Identifier: MIT */
/*
 * The two directions of a path, by what a reflector says of itself (RFC 8762): the number it gave its answer, when it
 * had the probe, when it answered. Losses come from its count: what it never numbered was lost on the way there, what
 * it numbered and nobody here has seen on the way back. A reflector that copies the probe's number keeps no count.
 *
 * Its clock shows another time and runs at another rate. So a one-way delay is known as its height above the lowest
 * one, which is allowed to rise by WAYS_DRIFT: a queue that stands for ten seconds is told 1 ms too short at most.
 */
#ifndef ENGINE_WAYS_H
#define ENGINE_WAYS_H

#include "core/hist.h"
#include "core/result.h"

/* Two clocks go apart by one part in so many at most: 100 us a second. */
#define WAYS_DRIFT 10000

/* One genuine answer. */
struct ways_answer {
	uint64_t seq;   /* of the probe, from 1 */
	uint32_t asked; /* the number that the probe carried */
	uint32_t count; /* the number of the answer */
	bool again;     /* not the first answer to that probe */
	bool ptp;       /* the next two are in PTP's format */
	uint64_t heard, said; /* by the reflector's clock: when it had the probe, when it answered */
	ns_t left, came;      /* by ours: when the probe left, when the answer came */
};

struct way {
	/* The lowest delay, and when it was seen; of two clocks, so any number. One may rise with time, one may fall. */
	ns_t lowest, at;
	ns_t floor, floor_at;
	struct hist above;
};

/* Zeroed before the first answer. */
struct ways {
	/* private */
	bool counts;  /* its numbers are its own */
	bool open;    /* a count is under way: */
	uint64_t since, last;  /* the probe before its first one, and the newest that was answered */
	uint32_t base, top;    /* the numbers of its first and of its newest answer */
	uint64_t recent;       /* of the numbers from top downwards: which have come */
	uint64_t top_heard;    /* when the reflector had the probe of the newest */
	uint64_t came, copies; /* answers of this count; those to copies that the network made on the way there */
	uint64_t asked, seen, numbered, got; /* of the counts before: probes, those seen, answers given, answers that came */
	uint64_t answers, jumps;    /* answers whose times were looked at; times that no round trip explains */
	uint64_t epoch;             /* a time of the reflector's clock, close to that of all samples */
	ns_t epoch_at;
	struct way there, back;
};

void ways_add(struct ways *w, const struct ways_answer *a);

/**
 * ways_result() - What is known of each direction
 * @ret:  its ways UNKNOWN, its losses known: no more than those were lost on the two ways together
 *
 * Probes after the last one that was answered belong to neither. UNKNOWN: losses where the reflector does not count our
 * probes (alone), queues where its clock makes no sense or has been read less than twice.
 */
void ways_result(const struct ways *w, struct ping_result *ret);

#endif
