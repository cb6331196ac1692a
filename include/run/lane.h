/* SPDX-License-Identifier: MIT */
/* One connection under load: it dials, carries one exchange after another, and knows how much arrived. */
#ifndef RUN_LANE_H
#define RUN_LANE_H

#include "engine/exchange.h"
#include "engine/gather.h"
#include "sys/stream.h"
#include "sys/wait.h"

enum lane_state {
	LANE_FREE,       /* no connection */
	LANE_CONNECTING, /* until `until` */
	LANE_READY,      /* connected; lane_ask() makes it busy */
	LANE_BUSY,       /* an exchange is under way, or just over */
};

struct lane {
	enum lane_state state;
	int fd;
	int io;              /* why a connection attempt failed, else 0 */
	bool flows;          /* the first payload byte of this exchange has moved */
	ns_t asked;          /* when this exchange began to be waited for, its connection included */
	ns_t connected;      /* when the connection was there; 0 before the first */
	bool prompt;         /* set: acknowledge at once what has been read */
	ns_t until;
	/* private */
	struct wait *wait;
	uint64_t key;
	unsigned watched;
	struct gather gather;
	uint64_t delivered, noticed; /* payload acknowledged: so far, and at the last tick */
	uint64_t ahead;      /* written before it is sent, as the socket has it */
	struct exchange x;
	struct text answer;
	char doc[256];       /* the answer to an upload */
};

/* Before the first connection. */
static inline void lane_init(struct lane *c)
{
	c->state = LANE_FREE;
	c->prompt = false;
}

/* Start to connect; watched in @wait under @key. A failure at once leaves LANE_FREE and io set. */
void lane_dial(struct lane *c, const struct addr *to, const struct origin *from, struct wait *wait, uint64_t key,
	ns_t timeout, ns_t now);

/* Begin an exchange on a LANE_READY or LANE_BUSY connection. Return: NULL, or why there is no such request. */
const char *lane_ask(struct lane *c, struct exchange_request *r, ns_t now);

/* Something is ready. The state tells what came of it; LANE_FREE with io set for a failed connection. */
void lane_turn(struct lane *c, const struct wait_event *e, struct bulk *bulk, ns_t now);

/* Deadlines, and a look at how much to gather; ten times a second and when lane_deadline() has passed. */
void lane_tick(struct lane *c, ns_t now);
ns_t lane_deadline(const struct lane *c);

/* The exchange is complete or broken. */
bool lane_is_over(const struct lane *c);

/* Payload received by this side, of an answer with status 200. */
uint64_t lane_received(const struct lane *c);

/* Payload of the request that the other side's kernel has acknowledged. */
uint64_t lane_delivered(struct lane *c);

/* At once, without a word to the other side. */
void lane_close(struct lane *c);

/* In good order where the last exchange is complete, else the same. */
void lane_leave(struct lane *c);

#endif
