/* SPDX-License-Identifier: MIT */
/*
 * One client of the desk, from its first byte to the close: a head comes in, its owner answers, and so on. Same shape
 * as the test server's engine, but for the time: only caller_tick() knows it, and gives each new state its deadline.
 */
#ifndef ENGINE_CALLER_H
#define ENGINE_CALLER_H

#include "core/http1_head.h"
#include "core/want.h"
#include "engine/reply.h"

#define CALLER_COPY_MAX 4096
#define CALLER_OUT_MAX (CALLER_COPY_MAX + 640)

enum caller_state {
	CALLER_HEAD,   /* reading a request head; between requests too */
	CALLER_ASKED,  /* `head` is there, and waits for caller_answer() or caller_stream() */
	CALLER_ANSWER, /* writing an answer */
	CALLER_STREAM, /* writing what caller_send() adds, until caller_finish() */
	CALLER_LINGER, /* our side is closed; what still comes is thrown away, so that the answer is not lost */
	CALLER_CLOSED, /* to be closed at once */
};

struct caller {
	enum caller_state state;
	/* private */
	bool keep_alive, old, bare, finishing, shut;
	struct slice content;   /* what is left of it, behind `out` */
	size_t out_n, out_at;
	size_t in_n, head_n;
	http1_mark mark;
	/* public again, and large */
	ns_t deadline;          /* 0 until the next tick */
	struct http1_head head; /* of the request under way */
	/* private */
	char out[CALLER_OUT_MAX];
	char in[HTTP1_HEAD_MAX];
};

void caller_init(struct caller *c);

/* WANT_READ, WANT_DISCARD or WANT_NOTHING; WANT_WRITE, WANT_SHUTDOWN, WANT_CLOSE or WANT_NOTHING. */
struct want caller_in(const struct caller *c);
struct want caller_out(const struct caller *c);

/* @n bytes came; @bytes is NULL for discarded ones. */
void caller_got(struct caller *c, const char *bytes, size_t n);

/* @n bytes of what caller_out() asked for were taken; 0 for a shutdown. */
void caller_moved(struct caller *c, size_t n);

/* The client left: it wants no answer any more. */
void caller_closed(struct caller *c);

/* Return: whether its deadline has passed, so that there is something to do. */
bool caller_tick(struct caller *c, ns_t now);

/*
 * Answer CALLER_ASKED; length and connection of @r are ours. @content stays where it is, or with @copy is taken now,
 * CALLER_COPY_MAX bytes at most.
 */
void caller_answer(struct caller *c, const struct reply *r, struct slice content, bool copy);

/* Answer it with what is still to come: as much as there is room for at a time, and then the end. */
void caller_stream(struct caller *c, const struct reply *r);
size_t caller_room(const struct caller *c);
void caller_send(struct caller *c, struct slice s);
void caller_finish(struct caller *c);

#endif
