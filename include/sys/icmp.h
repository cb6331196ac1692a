/* SPDX-License-Identifier: MIT */
/*
 * ICMP sockets, raw and unprivileged, made to look the same. Calls: socket, setsockopt, bind,
 * getsockname, close; and those of sys/stamping.h.
 */
#ifndef SYS_ICMP_H
#define SYS_ICMP_H

#include "core/result.h"
#include "sys/stamping.h"
#include "sys/stream.h"

struct icmp_socket {
	int fd;
	int family;
	enum method method; /* METHOD_ICMP_RAW or METHOD_ICMP_DGRAM */
	uint16_t id;        /* identifier of our requests; the kernel's choice on a datagram socket */
	char reason[80];    /* why not a raw one; "" for a raw one */
	/* private */
	struct stamping stamping;
	int64_t bad_sums;   /* of the machine, when it was opened */
};

struct icmp_options {
	enum method only;     /* METHOD_NONE: the best that can be had */
	uint16_t id;          /* for a raw socket */
	enum icmp_stamping stamping;
	struct origin origin;
};

/**
 * icmp_open() - Open the best ICMP socket that this process may have: raw, else datagram
 * @family:  4 or 6
 *
 * Kernel stamps are asked for and done without where they are refused. Return: false with @why,
 * whose text tells what both attempts came to.
 */
bool icmp_open(struct icmp_socket *s, int family, const struct icmp_options *o, struct fault *why);
void icmp_close(struct icmp_socket *s);

/**
 * icmp_send() - Send one message
 * @tag:  comes back with the kernel's stamps of this send
 * @ttl:  hops that this one may take; 0 for as many as the others
 *
 * A pending error of an earlier probe makes the kernel refuse one send (IP_RECVERR, ip(7)): tried again.
 * Return: 0, or an enum io.
 */
int icmp_send(struct icmp_socket *s, const void *p, size_t n, const struct addr *to, uint32_t tag, int ttl);

/* The next of what is there. @buf backs the packet's bytes. Return: false when there is nothing (left). */
bool icmp_recv(struct icmp_socket *s, struct packet *ret, uint8_t *buf, size_t cap);

/* The same for the error queue, which holds errors of routers and our own send stamps. Drain it first. */
bool icmp_recv_error(struct icmp_socket *s, struct packet *ret, uint8_t *buf, size_t cap);

/* Replies since it was opened that our own receive buffer had no room for; UNKNOWN where the kernel does not say. */
int64_t icmp_drops(const struct icmp_socket *s);

#endif
