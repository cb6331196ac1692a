/* SPDX-License-Identifier: MIT */
/*
 * What a stream engine wants done with its connection. Reading and writing are asked for apart,
 * because an answer may come while a body is still being sent.
 */
#ifndef CORE_WANT_H
#define CORE_WANT_H

#include <stdbool.h>
#include <stdint.h>

enum want_kind {
	WANT_NOTHING,
	WANT_READ,     /* bytes that must be looked at, at most n */
	WANT_DISCARD,  /* payload that nobody reads, at most n: the kernel may throw it away */
	WANT_WRITE,    /* the n bytes at p */
	WANT_BULK,     /* test data, at most n bytes, any */
	WANT_SHUTDOWN, /* end our direction and go on reading (RFC 9112 section 9.6) */
	WANT_CLOSE,    /* it is over */
};

struct want {
	enum want_kind kind;
	const char *p;
	uint64_t n;
	bool more; /* bytes that belong to the same message follow at once */
};

#endif
