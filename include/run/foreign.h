/* SPDX-License-Identifier: MIT */
/*
 * Foreign probes beside a load (draft-ietf-ippm-responsiveness section 5.3): again and again a new connection to the
 * same server and one small request on it. It never blocks: whoever owns the wait calls foreign_ready() for the keys
 * that foreign_owns(), and foreign_step() when something happened or foreign_deadline() has passed; not in between the
 * events of one wait.
 */
#ifndef RUN_FOREIGN_H
#define RUN_FOREIGN_H

#include "engine/rpm.h"
#include "run/lane.h"

/* Connections under way at once: on a link with seconds of queue the next one does not wait for the last. */
#define FOREIGN_LANES 8

/* Both ways together, with all headers: four small packets of TCP, a request and a short answer. */
#define FOREIGN_BYTES 1200

struct foreign_cfg {
	struct addr to;       /* with the port */
	struct origin origin;
	struct slice host;    /* for the Host field */
	struct slice path;    /* a small answer */
	bool head;            /* ask with HEAD: `path` may be large */
	ns_t interval;        /* at least, from one to the next; less than 10 ms is 10 ms ("MPS") */
	ns_t timeout;         /* of the connection, and of its answer */
};

struct foreign {
	struct foreign_cfg cfg;
	struct rpm rpm;
	/* private */
	struct wait *wait;
	uint64_t key;
	ns_t last, interval;
	struct lane lanes[FOREIGN_LANES];
};

/* Keys @key to @key + FOREIGN_LANES - 1 are ours in @wait. The first probe leaves at @now plus one interval. */
void foreign_open(struct foreign *f, const struct foreign_cfg *cfg, struct wait *wait, uint64_t key, ns_t now);

/**
 * foreign_pace() - How fast the load is, so that the probes stay under 5 % of it (the draft's "PTC")
 * @bits_per_second:  of the load; UNKNOWN or 0 for not known, then the interval of the configuration holds
 */
void foreign_pace(struct foreign *f, int64_t bits_per_second);

static inline bool foreign_owns(const struct foreign *f, uint64_t key)
{
	return key >= f->key && key - f->key < FOREIGN_LANES;
}

/**
 * foreign_ready() - A connection of ours is ready
 *
 * A handshake counts as the kernel measured it. Where a packet of it had to be sent again, or the kernel does not tell,
 * it is all the time that a user would have waited. Any first byte of an answer counts, whatever its status: the probe
 * is over then, and its connection is torn down.
 */
void foreign_ready(struct foreign *f, const struct wait_event *e, ns_t now);

/* Gives up what was not answered in time, and sends the next probe if it is due. */
void foreign_step(struct foreign *f, ns_t now);
ns_t foreign_deadline(const struct foreign *f);

/* Closes all of them: what is under way counts neither as a probe nor as a failure, unless its timeout is over. */
void foreign_close(struct foreign *f, ns_t now);

#endif
