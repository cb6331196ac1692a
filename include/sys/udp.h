/* SPDX-License-Identifier: MIT */
/*
 * UDP sockets, for those who probe and for those who answer, with the kernel's stamps. Calls: socket, setsockopt, bind,
 * getsockname, sendmsg, close; and those of sys/stamping.h.
 */
#ifndef SYS_UDP_H
#define SYS_UDP_H

#include "sys/stamping.h"
#include "sys/stream.h"

/* Where nothing else is asked for: all that there are, so that the other end can tell how many it took (RFC 8762). */
#define UDP_TTL 255

struct udp_socket {
	int fd;
	int family;
	uint16_t port; /* our own */
	/* private */
	struct stamping stamping;
};

struct udp_options {
	enum icmp_stamping stamping;
	struct origin origin;
};

/**
 * udp_open() - Open a socket to probe from, with a port of the kernel's choice
 * @family:  4 or 6
 *
 * It sends to any address; what ICMP says of that comes by udp_recv_error(). Return: false with @why.
 */
bool udp_open(struct udp_socket *s, int family, const struct udp_options *o, struct fault *why);

/* Open one to answer at; nobody else can have that port as well. Return: 0, or an enum io with @why. */
int udp_listen(struct udp_socket *s, const struct addr *at, struct fault *why);

/* The same with a socket that is bound to @at already; @fd is the socket's from now on. */
void udp_take(struct udp_socket *s, int fd, const struct addr *at);
void udp_close(struct udp_socket *s);

/* As icmp_send(): @tag comes back with the stamps of this send. Return: 0, or an enum io. */
int udp_send(struct udp_socket *s, const void *p, size_t n, const struct addr *to, uint32_t tag);

/**
 * udp_answer() - Send from the address that was asked
 * @to:    `from` of the question
 * @from:  `to` of the question
 *
 * Return: 0, or an enum io.
 */
int udp_answer(struct udp_socket *s, const void *p, size_t n, const struct addr *to, const struct addr *from);

/*
 * PACKET_MESSAGE: a datagram, cut to @cap, with the sender's address and port. Where the socket listens, `to` is the
 * address that was asked; family 0 for one that others hear too (broadcast, multicast).
 */
bool udp_recv(struct udp_socket *s, struct packet *ret, uint8_t *buf, size_t cap);

/* PACKET_ERROR with `to` and the payload that we had sent, PACKET_SCHED, PACKET_LEFT. Drain it first. */
bool udp_recv_error(struct udp_socket *s, struct packet *ret, uint8_t *buf, size_t cap);

/* As icmp_drops(). */
int64_t udp_drops(const struct udp_socket *s);

#endif
