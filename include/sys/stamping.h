/* SPDX-License-Identifier: MIT */
/*
 * Packets with the kernel's time of them: what ICMP and UDP sockets have in common, and the error queue of any socket.
 * Calls: setsockopt, sendmsg, recvmsg, getsockopt.
 */
#ifndef SYS_STAMPING_H
#define SYS_STAMPING_H

#include "core/packet.h"

/* Sends whose kernel stamps may still be on their way, where the kernel numbers them itself. */
#define STAMPING_TAGS 1024

/* Which moments the kernel shall stamp: each stamp of a send costs a third of that send. */
enum icmp_stamping { ICMP_STAMP_ALL, ICMP_STAMP_NO_QUEUE, ICMP_STAMP_RECEIPT };

struct stamping {
	int fd;
	int family;         /* 4 or 6 */
	/* private */
	int type;           /* the cmsg type that stamps come under, 0 for none */
	enum icmp_stamping asked;
	bool numbered;      /* the kernel numbers sends by our tags (SCM_TS_OPT_ID, Linux 6.13) */
	uint32_t sends, last_tag;
	uint32_t tags[STAMPING_TAGS];
};

/* Ask for the stamps of a socket; done without where they are refused. */
void stamping_begin(struct stamping *s, int fd, int family, enum icmp_stamping asked);

/**
 * stamping_prepare() - Set what may fail without harm
 * @errors:  what routers say comes through the error queue
 * @ttl:     hops that our packets may take; 0 for the system's
 */
void stamping_prepare(const struct stamping *s, bool errors, int ttl);

/* Room for the answers to a prober who asks much at once. */
void stamping_room(const struct stamping *s);

/**
 * stamping_send() - Send one message
 * @tag:  comes back with the kernel's stamps of this send
 * @ttl:  hops that this one may take; 0 for as many as the others
 *
 * A pending error of an earlier probe makes the kernel refuse one send (IP_RECVERR, ip(7)): tried again.
 * Return: 0, or an enum io.
 */
int stamping_send(struct stamping *s, const void *p, size_t n, const struct addr *to, uint32_t tag, int ttl);

/* The next of what is there. @buf backs the packet's bytes. Return: false when there is nothing (left). */
bool stamping_recv(struct stamping *s, struct packet *ret, uint8_t *buf, size_t cap);

/* The same for the error queue, which holds errors of routers and our own send stamps. Drain it first. */
bool stamping_recv_error(struct stamping *s, struct packet *ret, uint8_t *buf, size_t cap);

/* What the receive buffer had no room for since the socket is there; UNKNOWN where the kernel does not say. */
int64_t stamping_drops(const struct stamping *s);

#endif
