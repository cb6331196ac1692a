/* SPDX-License-Identifier: MIT */
/*
 * TCP. Calls: socket, connect, bind, listen, accept4, recv, send, shutdown, setsockopt,
 * getsockopt, ioctl(SIOCOUTQ), close. Every socket is non-blocking.
 */
#ifndef SYS_STREAM_H
#define SYS_STREAM_H

#include "core/addr.h"
#include "core/ns.h"
#include "core/result.h"
#include "core/want.h"
#include "sys/bulk.h"

/* Where from, for those who must say. */
struct origin {
	const char *interface; /* NULL for any */
	struct addr source;    /* family 0 for any */
	int ttl;               /* hops that a connection may take; 0 for the system's */
	const char *congestion; /* control of what is sent; NULL for the system's */
};

/* Is there such an interface and such an address on this machine, and may we use them? */
bool stream_origin_works(const struct origin *from, struct fault *why);

/* Is there congestion control of this name, and may we use it? False with @why and what there is. */
bool stream_congestion_works(const char *name, struct fault *why);

/* Use it from now on, where that is possible. */
void stream_use_congestion(int fd, const char *name);

/* Start to connect, at *ret_stamp. Return: a descriptor, writable once it is decided; or an enum io with @why. */
int stream_connect(const struct addr *to, const struct origin *from, ns_t *ret_stamp, struct fault *why);

/* Ask once it is writable. Return: 0 connected, or an enum io (IO_AGAIN: not yet). */
int stream_connected(int fd);

/* Return: a listening descriptor, or an enum io with @why; IPv6 ones do not take IPv4. */
int stream_listen(const struct addr *at, struct fault *why);

/* The local port of a socket. */
uint16_t stream_port(int fd);

/* Return: a descriptor, or an enum io. */
int stream_accept(int fd, struct addr *ret_peer);

/**
 * stream_in(), stream_out() - Do what an engine wants
 * @w:    WANT_READ or WANT_DISCARD; WANT_WRITE, WANT_BULK or WANT_SHUTDOWN
 * @buf:  for WANT_READ, @cap bytes
 *
 * Discarded bytes are dropped by the kernel (MSG_TRUNC, tcp(7)); the count is never a length in @buf.
 * Return: bytes moved, 0 for a shutdown; or an enum io, IO_END where the peer closed.
 */
int64_t stream_in(int fd, const struct want *w, char *buf, size_t cap);
int64_t stream_out(int fd, const struct want *w, struct bulk *bulk);

/* Wake only when @n bytes are there (SO_RCVLOWAT), or the end. */
void stream_low_water(int fd, int n);

/* Bytes written but not yet sent that a socket takes to begin with. */
#define STREAM_UNSENT_FIRST (32 << 10)

/* Acknowledge what was received now, and not when there is something to send or a timer says so (TCP_QUICKACK). */
void stream_acknowledge(int fd);

/* Take at most @n bytes more than have been sent (TCP_NOTSENT_LOWAT): what waits here cannot be taken back. */
void stream_unsent_max(int fd, int n);

/* Bytes written but not yet acknowledged by the peer; -1 where the system cannot tell. */
int64_t stream_unacked(int fd);

/* End it without a word: a reset, so that nothing of it stays queued anywhere. */
void stream_abort(int fd);
void stream_close(int fd);

/* What TCP_INFO knows, read by offset since libc's structure is too short; UNKNOWN where the kernel is. */
struct stream_facts {
	ns_t rtt;
	ns_t received_rtt;              /* the same as a receiver of much data sees it */
	int64_t retransmits;            /* segments */
	ns_t busy, rwnd_limited, sndbuf_limited;
	unsigned sent_segment, received_segment; /* payload of a full one; 0 where unknown */
	unsigned headers;               /* of TCP and IP with each of them, and of Ethernet with its gap: 38 bytes */
};

void stream_facts(int fd, struct stream_facts *ret);
void stream_congestion(int fd, char out[CONGESTION_MAX]);

#endif
