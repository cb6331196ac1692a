/* SPDX-License-Identifier: MIT */
/* Waiting for sockets until a deadline. Calls: epoll_create1, epoll_ctl, epoll_pwait2 (epoll_wait before 5.11). */
#ifndef SYS_WAIT_H
#define SYS_WAIT_H

#include "core/fault.h"
#include "core/ns.h"

enum { WAIT_NOTHING = 0, WAIT_IN = 1, WAIT_OUT = 2 };

struct wait {
	int fd;
};

struct wait_event {
	uint64_t key;
	bool in, out; /* both where the connection broke: the next read or write tells how */
};

bool wait_open(struct wait *w, struct fault *why);
void wait_close(struct wait *w);

/* Watch @fd for @what (WAIT_ bits); events come back under @key. Closing the descriptor ends it. */
bool wait_add(struct wait *w, int fd, unsigned what, uint64_t key);
void wait_change(struct wait *w, int fd, unsigned what, uint64_t key);
void wait_remove(struct wait *w, int fd);

/**
 * wait_next() - Sleep until something is ready, a signal comes, or @deadline
 * @deadline:  monotonic; NS_NEVER for none; one in the past looks and does not sleep
 * @now:       clock_mono()
 * @v:         room for @n events
 *
 * Return: events; 0 for the deadline or a signal.
 */
size_t wait_next(struct wait *w, ns_t deadline, ns_t now, struct wait_event *v, size_t n);

#endif
