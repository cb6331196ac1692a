/* SPDX-License-Identifier: MIT */
/*
 * One direction under load: several connections to one server. It never blocks: whoever owns the wait calls
 * load_ready() for its keys, then load_step() until it has no more events, and sleeps until load_deadline().
 */
#ifndef RUN_LOAD_H
#define RUN_LOAD_H

#include "engine/account.h"
#include "engine/dialect.h"
#include "engine/transfer.h"
#include "run/lane.h"

enum load_direction { LOAD_DOWN, LOAD_UP };

struct load_cfg {
	enum load_direction direction;
	const struct dialect *dialect;
	struct slice path;    /* what to get or to post to, over and over; of a timed dialect it has a query added */
	ns_t time, timeout;
	ns_t rtt;             /* of the idle path, UNKNOWN possible */
	const char *sender;   /* LOAD_DOWN: congestion control at the other end; "" where unknown */
	ns_t body_time;       /* the longest body that the server allows, UNKNOWN for any */
	uint64_t bytes;       /* in all; 0 for no limit */
	unsigned connections; /* 0 to find out */
	struct slice host;    /* for the Host field */
	struct addr to;       /* with the port */
	struct origin origin;
};

struct load {
	enum flow_status status;
	/* private */
	struct wait *wait;
	uint64_t key;
	struct bulk *bulk;
	bool ending;           /* the time is up: bodies that both ends count come to their end */
	bool over;
	bool linked;           /* the interface was looked at */
	ns_t give_up;          /* while ending */
	unsigned failures;
	uint64_t upload_size;  /* of the next body where the peer does not count */
	/* public, and from here on large */
	struct load_cfg cfg;
	struct account account;
	char reason[FLOW_REASON_MAX];
	/* private */
	char last_failure[FLOW_REASON_MAX];
	struct transfer transfer;
	uint64_t asked[TRANSFER_CONNECTIONS_MAX]; /* of a limit in bytes, by the exchange under way */
	struct lane lanes[TRANSFER_CONNECTIONS_MAX];
};

/* A sample was taken. */
struct load_event {
	int64_t bits_per_second; /* over the last moments */
	ns_t elapsed;
	unsigned connections;
};

/* Keys @key to @key + TRANSFER_CONNECTIONS_MAX - 1 are ours in @wait. */
void load_open(struct load *l, const struct load_cfg *cfg, struct wait *wait, uint64_t key, struct bulk *bulk, ns_t now);

bool load_owns(const struct load *l, uint64_t key);
void load_ready(struct load *l, const struct wait_event *e, ns_t now);

/* Return: whether a sample was taken, which is an event. `over` when there is nothing left to do. */
bool load_step(struct load *l, ns_t now, struct load_event *ret);
ns_t load_deadline(const struct load *l);

/* The round trip that the TCP of a connection under load has found; UNKNOWN where it has none. @i < TRANSFER_CONNECTIONS_MAX */
ns_t load_round_trip(const struct load *l, size_t i);

/* Close everything; what was counted stays. */
void load_stop(struct load *l, ns_t now);

/* When the part of it began that is the result. */
ns_t load_steady_since(struct load *l);

/* What was measured; after load_stop(). */
void load_result(struct load *l, struct flow_result *ret);

#endif
