/* SPDX-License-Identifier: MIT */
/* One request at a time on one connection, waited for: how a server is asked what it is. */
#ifndef RUN_FETCH_H
#define RUN_FETCH_H

#include "run/lane.h"

struct fetch {
	struct addr to; /* with the port */
	struct origin origin;
	ns_t timeout;   /* for the connection, and for each step of an exchange */
	ns_t end;       /* stop then, as a signal does; 0 for never */
	uint64_t flow_min; /* bytes a second that let a body take longer than a few timeouts; 0: none may */
	bool trickled;  /* the last exchange was given up although bytes came */
	/* private */
	struct wait wait;
	struct bulk bulk;
	struct lane lane; /* kept connected between requests where the server lets us */
};

/* @f: to, origin and timeout set. */
bool fetch_open(struct fetch *f, struct fault *why);
void fetch_close(struct fetch *f);

/* A signal asks to stop, or the end has come. */
bool fetch_is_stopped(const struct fetch *f);

/* Is a connection there from the last request, of which the server has not said anything since, as that it is closed? */
bool fetch_is_kept(struct fetch *f);

/* Close the connection; the next request opens another one. */
void fetch_hang_up(struct fetch *f);

/* The last exchange. */
static inline const struct exchange *fetch_exchange(const struct fetch *f)
{
	return &f->lane.x;
}

/**
 * fetch_connect() - Connect to @f->to, unless a connection is there
 *
 * Return: 0 or an enum io with @why: refused, no route, no answer within the timeout.
 */
int fetch_connect(struct fetch *f, struct fault *why);

/**
 * fetch_do() - Make one exchange; connects where needed, and once more where a kept connection has gone stale
 *
 * Return: false with @why only where there was no connection or it was stopped; what the server made of it
 * is in fetch_exchange().
 */
bool fetch_do(struct fetch *f, const struct exchange_request *r, struct fault *why);

#endif
