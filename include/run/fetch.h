/* SPDX-License-Identifier: MIT */
/* One request at a time on one connection, waited for: how a server is asked what it is. */
#ifndef RUN_FETCH_H
#define RUN_FETCH_H

#include "run/lane.h"

struct fetch {
	struct addr to; /* with the port */
	struct origin origin;
	ns_t timeout;   /* for the connection, and for each step of an exchange */
	/* private */
	struct wait wait;
	struct bulk bulk;
	struct lane lane; /* kept connected between requests where the server lets us */
};

/* @f: to, origin and timeout set. */
bool fetch_open(struct fetch *f, struct fault *why);
void fetch_close(struct fetch *f);

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
 * Return: false with @why only where there was no connection or a signal came; what the server made of it
 * is in fetch_exchange().
 */
bool fetch_do(struct fetch *f, const struct exchange_request *r, struct fault *why);

#endif
