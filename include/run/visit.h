/* SPDX-License-Identifier: MIT */
/* Requests to some URLs, round after round, each of their phases timed. */
#ifndef RUN_VISIT_H
#define RUN_VISIT_H

#include "core/target.h"
#include "engine/phases.h"
#include "run/fetch.h"

struct visit_cfg {
	enum exchange_method method; /* EXCHANGE_GET or EXCHANGE_HEAD */
	int family;                  /* 4, 6, or 0 */
	struct origin origin;
	ns_t timeout;                /* for each step */
	ns_t interval;               /* between the beginnings of rounds; 0: one behind the other */
	ns_t duration;               /* of all of it, 0 for no end */
	int64_t count;               /* rounds */
	bool fresh;                  /* a new connection for each request, the name looked up again */
};

struct visit {
	struct target target;
	char url[URL_MAX + 16];
	struct phases phases;
	/* private */
	struct fetch fetch;
	bool named; /* the host is no address */
};

struct visits {
	struct visit *v;
	size_t n;
	/* private */
	struct visit_cfg cfg;
	struct wait wait;
	size_t at;     /* in this round */
	int64_t round; /* from 0 */
	ns_t due, end;
};

/* @urls: @n targets, their schemes http or none; without a port, 80. They outlive @s. */
bool visits_open(struct visits *s, const struct visit_cfg *cfg, char **urls, size_t n, struct fault *why);

enum visits_event {
	VISITS_MADE,  /* a request; it is in the visit's phases */
	VISITS_AWAKE, /* a signal, or the end of the time: ask again */
	VISITS_OVER,  /* all are made, or a signal asks to stop, or the time is up */
};

/**
 * visits_next() - Wait until a request is due, and make it
 * @ret_i:  whose it was, in v
 * @ret:    what came of it
 */
enum visits_event visits_next(struct visits *s, size_t *ret_i, struct http_timing *ret);

void visits_close(struct visits *s);

#endif
