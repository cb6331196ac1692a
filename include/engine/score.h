/* SPDX-License-Identifier: MIT */
/*
 * What became of the probes to one target, folded as it comes. In two parts, so that a sweep over 65,534 hosts
 * stays small: what every reply touches, and what only a second reply or a trouble does. Pages of the second part
 * that nobody touches cost no memory.
 */
#ifndef ENGINE_SCORE_H
#define ENGINE_SCORE_H

#include "core/hist.h"
#include "core/ping_event.h"
#include "core/tally.h"
#include "engine/ways.h"

/* Zeroed before the first probe. */
struct score {
	uint64_t sent, received;
	uint64_t highest; /* largest sequence number answered */
	ns_t last;        /* the round trip that came last */
	uint8_t stamps;   /* enum stamps: the worst source of any round trip */
	bool has_more;    /* something was written into the second part */
	uint32_t asked;   /* for the caller: when the last probe left, in milliseconds of its own */
};

/* Zeroed before the first probe. */
struct score_more {
	uint64_t lost, late, duplicates, reordered, corrupt, errors;
	uint64_t runs, run, run_max; /* of probes without an answer in time, one behind another */
	struct tally rtt;            /* from the second round trip on */
	size_t n_kinds;
	struct ping_kind kinds[PING_KINDS];
};

/* The distributions; a target without them has percentiles only while one round trip is all there is. */
struct score_hists {
	struct ways ways;   /* of answers that a reflector has numbered and stamped */
	struct hist rtt, ipdv;
	struct hist beside; /* what was measured beside the round trip: the queue of our interface, or the connect */
};

/* All that one target has; hists may be NULL. */
struct score_card {
	struct score *s;
	struct score_more *more;
	struct score_hists *hists;
};

/* A round trip in time. */
void score_reply(const struct score_card *c, const struct ping_event *ev);

/* No answer (OUTCOME_LOST), or an error instead of one. Return: 0..15, what score_late() has to know; 0 for silence. */
unsigned score_lost(const struct score_card *c, const struct ping_event *ev);

/* A second answer to one probe, and one of other bytes than were sent. */
void score_duplicate(const struct score_card *c);
void score_corrupt(const struct score_card *c);

/* It was not lost, nor was there an error. @how: from score_lost() */
void score_take_back(const struct score_card *c, unsigned how);

/* Answered after it had been counted as lost, which is taken back. */
void score_late(const struct score_card *c, unsigned how);

/* In the order of sending, once it is decided: had the probe an answer in time? */
void score_run(const struct score_card *c, bool answered);

/* Probes that are neither answered nor given up. */
uint64_t score_in_flight(const struct score_card *c);

/* Only the counts. */
void score_counts(const struct score_card *c, struct ping_result *ret);

/* All figures but the names, the address, the method and the local drops. */
void score_result(const struct score_card *c, struct ping_result *ret);

#endif
