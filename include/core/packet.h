/* SPDX-License-Identifier: MIT */
/* One thing that an ICMP or a UDP socket handed over, with the time that belongs to it. */
#ifndef CORE_PACKET_H
#define CORE_PACKET_H

#include "core/addr.h"
#include "core/ns.h"

enum packet_kind {
	PACKET_MESSAGE, /* an ICMP message, IP header taken off; what a UDP datagram holds */
	PACKET_ERROR,   /* an ICMP error as the error queue tells it: type, code, from; the bytes are our own message */
	PACKET_SCHED,   /* our send called `id` entered the queue of the interface at `stamp` */
	PACKET_LEFT,    /* our send called `id` was handed to the driver at `stamp` */
};

struct packet {
	enum packet_kind kind;
	const uint8_t *p;
	size_t n;
	struct addr from;  /* sender of the message, or the router that reported the error */
	struct addr to;    /* PACKET_ERROR: where our message was going; PACKET_MESSAGE: see udp_recv() */
	ns_t stamp;        /* by the kernel where kernel_stamp is set, else the same as user */
	ns_t user;         /* when we took it from the socket */
	bool kernel_stamp;
	bool raw;          /* checksum not yet verified by the kernel */
	int ttl;           /* of the received IP packet; -1 where unknown */
	uint8_t type, code;
	uint32_t info;     /* PACKET_ERROR: MTU or gateway */
	size_t ext;        /* PACKET_ERROR: offset in p of the router's extension (RFC 4884); 0 where the kernel marks none */
	uint32_t id;       /* PACKET_SCHED, PACKET_LEFT: what the sender called that send */
};

#endif
