/* SPDX-License-Identifier: MIT */
/*
 * Test data as a message body, for the server's downloads and the client's uploads alike: a known
 * length, or chunks until told to finish, then a trailer that says how much it was.
 */
#ifndef ENGINE_SOURCE_H
#define ENGINE_SOURCE_H

#include "core/want.h"

#define SOURCE_UNBOUNDED UINT64_MAX

struct source {
	uint64_t sent; /* payload bytes handed to the socket */
	bool done;
	/* private */
	bool chunked, finishing;
	uint64_t left;  /* of the body, or of this chunk */
	uint64_t most;  /* of chunks together */
	uint8_t frame_n, frame_at;
	char frame[64]; /* CRLF, chunk size, last chunk */
};

/* @bytes: the length, or SOURCE_UNBOUNDED for chunks until source_finish(). */
void source_init(struct source *s, uint64_t bytes);

/* WANT_WRITE or WANT_BULK; WANT_NOTHING when done. */
struct want source_out(const struct source *s);

/* @n bytes of what source_out() asked for were taken. */
void source_moved(struct source *s, uint64_t n);

/* How much may wait in this machine: a share of what went before, so little on a slow link. 0 until it is worth a call. */
uint64_t source_ahead(const struct source *s);

/* Chunks that end by themselves with the @most'th byte; called before anything was sent. */
void source_limit(struct source *s, uint64_t most);

/* Chunks: end after this one, with the last chunk and its trailer `X-Bytes`. A known length: end here. */
void source_finish(struct source *s);

#endif
