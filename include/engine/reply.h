/* SPDX-License-Identifier: MIT */
/* The server's answers as bytes: head and small content in one piece. */
#ifndef ENGINE_REPLY_H
#define ENGINE_REPLY_H

#include "core/ns.h"
#include "core/text.h"

/* A body that ends when it ends: no length is promised. */
#define REPLY_UNBOUNDED UINT64_MAX

struct reply {
	unsigned status;
	const char *type;     /* of the content; NULL where there is none */
	struct slice content;
	uint64_t length;      /* of a body that follows apart from this; 0 for content.n; or REPLY_UNBOUNDED */
	bool chunked;         /* the body that follows comes in chunks */
	bool bare;            /* an answer to HEAD: the fields without the content */
	const char *connection; /* "close" or "keep-alive", NULL for what the version says anyway */
	const char *field;    /* one more field, NULL for none */
	struct slice value;
};

void reply_put(struct text *t, const struct reply *r);

/* What the whole server counts, for /info; one for all connections. */
struct serve_counters {
	uint64_t requests, refused;
	uint64_t bytes_in, bytes_out; /* test payload */
	uint64_t cpu_ns;              /* of the process; kept current by the caller */
};

/* The document behind /info. */
void reply_put_info(struct text *t, const struct serve_counters *c, uint64_t body_max, ns_t body_time);

/* The receipt for an upload: `{"bytes":N,"seconds":S}`. */
void reply_put_receipt(struct text *t, uint64_t bytes, ns_t time);

#endif
