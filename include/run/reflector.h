/* SPDX-License-Identifier: MIT */
/* The reflector on real sockets, one beside each port that listens. Who owns the wait calls it when one is ready. */
#ifndef RUN_REFLECTOR_H
#define RUN_REFLECTOR_H

#include "engine/reflect.h"
#include "sys/udp.h"
#include "sys/wait.h"

#define REFLECTOR_SOCKETS_MAX 16

struct reflector {
	/* private */
	size_t n;
	struct udp_socket sockets[REFLECTOR_SOCKETS_MAX];
	struct reflect reflect;
};

struct reflector_cfg {
	const struct addr *listen; /* so many as n, each with a port */
	size_t n;
	const int *fds; /* of sockets that are bound to these already; NULL for none */
	bool open_to_all;
	struct reflect_counters *counters; /* outlive the reflector */
};

/**
 * reflector_open() - Open all sockets
 * @r:    all zero
 * @key:  of their events: this and up to REFLECTOR_SOCKETS_MAX - 1 behind it
 *
 * Return: false with @why where one of them cannot be had; those that can answer.
 */
bool reflector_open(struct reflector *r, const struct reflector_cfg *cfg, struct wait *wait, uint64_t key,
	struct fault *why);

/* Socket @i is ready: answer what is there, but not so long that others have to wait. */
void reflector_ready(struct reflector *r, size_t i);

#endif
