/* SPDX-License-Identifier: MIT */
/*
 * TCP connection attempts that go only so many hops: the router where one ends says so through the error queue
 * (Linux 5.9; before that there is an answer, but not who gave it). Without any privilege. Calls: socket, setsockopt,
 * bind, connect, getsockname, recvmsg, close; what came of it is asked through sys/stream.h.
 */
#ifndef SYS_HOP_H
#define SYS_HOP_H

#include "core/packet.h"
#include "sys/stream.h"

/* After a second the kernel sends its request again, and answers cannot be told apart (RFC 6298 section 2). */
#define HOP_PATIENCE (900 * NS_PER_MS)

/* Before the first attempt: the kernel stamps nothing while nobody asks for it, and a moment after somebody does. */
void hop_begin(void);

/**
 * hop_connect() - Start to connect, at *ret_stamp
 * @port:  our own port: 0 for any, and then set to it. One that a past attempt has used may be used again at once,
 *         to another end even beside it; two attempts to the same end have two ports
 * @ttl:   hops that it may take
 *
 * Return: a descriptor, ready once something has come of it; or an enum io.
 */
int hop_connect(const struct addr *to, const struct origin *from, uint16_t *port, int ttl, ns_t *ret_stamp);

/* PACKET_ERROR where a router or anybody else said that it went no farther, else false. @buf backs its bytes. */
bool hop_error(int fd, struct packet *ret, uint8_t *buf, size_t cap);

#endif
