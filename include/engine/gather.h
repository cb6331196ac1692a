/* SPDX-License-Identifier: MIT */
/*
 * How much a receiver should let the kernel gather before it is woken (SO_RCVLOWAT): about ten
 * milliseconds of data, nothing on a slow link, and never past the end of what is known to come.
 */
#ifndef ENGINE_GATHER_H
#define ENGINE_GATHER_H

#include "core/ns.h"

struct gather {
	/* private */
	ns_t since;     /* begin of the interval that is being measured */
	uint64_t at;    /* received until then */
	int wanted, set;
};

/* A new connection: its mark is the system's, 1 byte. */
void gather_init(struct gather *g, ns_t now);

/**
 * gather_mark() - The mark for what comes next; call after each read, and ten times a second
 * @received:  payload bytes so far; less than before where a new body has begun
 * @coming:    payload bytes that come next for certain; 0 where they must be looked at
 *
 * Return: the mark to be set, or 0 where the socket has it already.
 */
int gather_mark(struct gather *g, ns_t now, uint64_t received, uint64_t coming);

#endif
