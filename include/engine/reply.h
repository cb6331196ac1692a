/* SPDX-License-Identifier: MIT */
/* The head of an answer as bytes, and what the server counts. */
#ifndef ENGINE_REPLY_H
#define ENGINE_REPLY_H

#include "core/ns.h"
#include "core/text.h"
#include "engine/reflect.h"

/* A body that ends when it ends: no length is promised. */
#define REPLY_UNBOUNDED UINT64_MAX

struct reply {
	unsigned status;
	unsigned allow;         /* bits of enum route_methods for Allow; 0 for no such field */
	bool chunked;           /* the body that follows comes in chunks */
	bool cors;              /* pages of other origins may read it */
	bool private_network;   /* a preflight asked for a network that is not public */
	bool timed;             /* say in Server-Timing how long we took: `time` */
	const char *type;       /* of the content; NULL where there is none */
	uint64_t length;        /* of what follows; or REPLY_UNBOUNDED */
	const char *connection; /* "close" or "keep-alive", NULL for what the version says anyway */
	const char *fields;     /* further ones, each with its CRLF; NULL for none */
	ns_t time;
};

/* With @allow and @cors together it answers a preflight (the Fetch standard, section CORS-preflight request). */
void reply_put(struct text *t, const struct reply *r);

/* What the whole server counts; one for all connections. */
struct serve_counters {
	uint64_t requests, refused;
	uint64_t bytes_in, bytes_out; /* test payload */
	uint64_t accepted, open;      /* connections: since the start, and now */
	uint64_t started_s;           /* since 1970 */
	uint64_t cpu_ns;              /* of the process; kept current by the caller */
	struct reflect_counters udp;
};

#endif
