/* SPDX-License-Identifier: MIT */
/* One direction under load: several connections to one server, with a pinger beside them. */
#ifndef RUN_LOAD_H
#define RUN_LOAD_H

#include "engine/transfer.h"
#include "run/lane.h"
#include "run/pinger.h"

enum load_direction { LOAD_DOWN, LOAD_UP };

struct load_cfg {
	enum load_direction direction;
	bool counts;          /* a sonde at the other end: it counts too, and ends bodies by time */
	struct addr to;       /* with the port */
	struct origin origin;
	struct slice host;    /* for the Host field */
	struct slice path;    /* what to get or to post to, over and over; for a sonde "" */
	ns_t time, timeout;
	ns_t rtt;             /* of the idle path, UNKNOWN possible */
	ns_t body_time;       /* the longest body that the server allows, UNKNOWN for any */
	unsigned connections; /* 0 to find out */
};

struct load {
	struct load_cfg cfg;
	struct wait *wait;
	struct pinger *beside; /* NULL for none */
	struct bulk *bulk;
	bool ending;           /* the time is up: bodies that both ends count come to their end */
	bool over;
	ns_t give_up;          /* while ending */
	uint64_t gone;         /* payload of exchanges that are over */
	uint64_t agreed, peer; /* payload of exchanges that both ends counted: by us, by the peer */
	uint64_t exchanges;    /* complete ones */
	ns_t waited;           /* for first bytes, over all connections */
	unsigned failures;
	enum flow_status status;
	char reason[FLOW_REASON_MAX];
	char last_failure[FLOW_REASON_MAX];
	uint64_t moved, answered; /* payload until the time was up; of requests that were answered */
	uint64_t upload_size;  /* of the next body where the peer does not count */
	ns_t cpu, wall;        /* at the first byte; from the end on, what was used */
	struct stream_facts facts; /* sums over the sending sockets */
	char congestion[CONGESTION_MAX];
	struct transfer transfer;
	struct lane lanes[TRANSFER_CONNECTIONS_MAX];
};

enum load_event_kind { LOAD_PROGRESS, LOAD_PING };

struct load_event {
	enum load_event_kind kind;
	int64_t bits_per_second; /* LOAD_PROGRESS: over the last moments */
	ns_t elapsed;
	unsigned connections;
	struct ping_event ping;  /* LOAD_PING */
};

/* Keys from LOAD_KEY on are ours in @wait; @beside is open on the same one. */
#define LOAD_KEY 4096

void load_open(struct load *l, const struct load_cfg *cfg, struct wait *wait, struct pinger *beside, struct bulk *bulk);

/* Wait for the next event; false when it is over. */
bool load_next(struct load *l, struct load_event *ret);

/* Close everything; what was counted stays. */
void load_stop(struct load *l);

/**
 * load_result() - What was measured; after load_stop()
 * @server_share_ppm:  CPU share of the server's process, UNKNOWN where it does not say
 */
void load_result(struct load *l, int64_t server_share_ppm, struct flow_result *ret);

#endif
