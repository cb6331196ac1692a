/* SPDX-License-Identifier: MIT */
/* What became of one probe: the ping engine says it, the output writes it. */
#ifndef CORE_PING_EVENT_H
#define CORE_PING_EVENT_H

#include "core/result.h"

struct ping_event {
	enum outcome outcome;
	size_t target;
	uint64_t seq;
	struct addr from; /* who answered, or who reported the error; family 0 where nobody did */
	ns_t rtt;         /* UNKNOWN for a loss and an error */
	ns_t queue;       /* in the queue of our own interface; UNKNOWN without kernel stamps */
	ns_t connect;     /* of a TCP connection as this program saw it, where rtt is as the kernel did; else UNKNOWN */
	enum stamps stamps;
	int ttl;          /* -1 where unknown */
	size_t bytes;     /* of the ICMP message; 0 where there was none */
	uint8_t type, code; /* of an error; both 0 for one of this machine */
	const char *text;   /* of an error, for people */
};

#endif
