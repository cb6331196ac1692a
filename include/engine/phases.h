/* SPDX-License-Identifier: MIT */
/*
 * The timings of all requests to one URL, folded; and an artefact found out by trying. A server that writes head and
 * body in two pieces, and has not turned Nagle's algorithm off (RFC 9293 section 3.7.4), keeps the second until the
 * first is acknowledged, which a kernel puts off for about 40 ms on a connection that has been in use (RFC 9293
 * section 3.8.6.3). That looks like a slow server, but goes away where the acknowledgement is sent at once. So when an
 * answer took just that long, further requests are made: acknowledged at once, as always, at once. Where the wait
 * comes and goes with it, that is what it was.
 */
#ifndef ENGINE_PHASES_H
#define ENGINE_PHASES_H

#include "core/expect.h"
#include "core/hist.h"
#include "core/http_timing.h"

enum phases_trial { TRIAL_NONE, TRIAL_PROMPT, TRIAL_PLAIN };

/* Zeroed to begin with. */
struct phases {
	/* private */
	unsigned trial, trials; /* which request of the attempt is next, from 1; attempts begun */
	ns_t rtt;               /* of the latest handshake, 0 before */
	/* public, and large */
	struct http_result sum; /* its counts, and error; the rest by phases_result() */
	/* private */
	struct {
		ns_t min, max; /* valid where the histogram holds something */
		struct hist hist;
	} span[HTTP_SPANS];
};

void phases_add(struct phases *p, const struct http_timing *one);

/* Is another request wanted that does not count, acknowledged at once (prompt) or as always (plain)? */
enum phases_trial phases_trial(const struct phases *p);

/* That request was made. */
void phases_tried(struct phases *p, const struct http_timing *one);

/* All of it as it is now. */
void phases_result(const struct phases *p, const char *url, struct http_result *ret);

/* What --expect knows, and the value of row @figure in its unit; UNKNOWN where nothing was measured. */
extern const struct expect_figure http_figures[];
int64_t http_figure(const struct http_result *r, size_t figure);

#endif
