/* SPDX-License-Identifier: MIT */
/*
 * One HTTP request and its answer on a connection that is already there (RFC 9112). The caller
 * moves the bytes: `in` and `out` say what is wanted, `got` and `moved` tell what came of it.
 * An answer that comes before the request body is out ends the body: that is what `early` tells.
 */
#ifndef ENGINE_EXCHANGE_H
#define ENGINE_EXCHANGE_H

#include "core/http1_body.h"
#include "core/ns.h"
#include "core/text.h"
#include "engine/source.h"

enum exchange_method { EXCHANGE_GET, EXCHANGE_HEAD, EXCHANGE_POST };

struct exchange_request {
	enum exchange_method method;
	struct slice host;    /* of the target, for the Host field; a zone is left out */
	uint16_t port;
	struct slice path;    /* with the query; "" is sent as "/" */
	uint64_t body;        /* POST: its length, or SOURCE_UNBOUNDED for chunks */
	ns_t timeout;         /* for each step: no bytes taken, no whole head, no body bytes for this long end it */
	struct text *keep;    /* where the answer's body goes, as far as it fits; NULL to count it only */
};

enum exchange_state {
	EXCHANGE_SENDING,   /* the head is not out yet; an answer may come all the same */
	EXCHANGE_BODY,      /* the request body is being sent */
	EXCHANGE_WAITING,   /* everything is out, no final answer yet */
	EXCHANGE_RECEIVING, /* the answer's head is known, its body is coming */
	EXCHANGE_DONE,      /* complete: status and body are what the server meant */
	EXCHANGE_BROKEN,    /* why[] says how */
};

#define EXCHANGE_HEAD_MAX 2816
#define EXCHANGE_WHY_MAX 160

struct exchange {
	enum exchange_state state;
	unsigned status;         /* of the final answer, 0 before */
	bool coded;              /* a Content-Encoding that was not asked for: the bytes are not the file's */
	bool keep_alive;         /* the connection may serve another request */
	bool early;              /* a final answer came before the request body was out */
	uint64_t early_sent;     /* body bytes handed to the socket until then */
	bool has_length;
	uint64_t length;         /* the Content-Length, also of HEAD */
	ns_t started, sent, first_byte, ended; /* stamps; 0 where it did not come to that */
	/* private */
	bool to_head;
	unsigned interim;
	struct text *keep;
	ns_t timeout, progress;
	size_t out_n, out_at;
	size_t in_n;
	http1_mark mark;
	/* from here on large */
	struct http1_body body;  /* of the answer; .received counts its payload */
	struct source source;    /* of the request; .sent counts its payload */
	char reason[48];         /* its phrase, safe to print */
	char server[64];         /* its Server field, safe to print */
	char location[512];      /* its Location field as sent; "" for none */
	char type[48];           /* its Content-Type */
	char why[EXCHANGE_WHY_MAX]; /* as it follows "the server": "closed the connection after 12 of 99 bytes" */
	/* private */
	char out[EXCHANGE_HEAD_MAX];
	char in[HTTP1_HEAD_MAX + 1];
};

/* Return: NULL, or why the request cannot be written (a control character in the path, too long). */
const char *exchange_init(struct exchange *x, const struct exchange_request *r, ns_t now);

/* When patience ends. */
ns_t exchange_deadline(const struct exchange *x);

/* WANT_READ, WANT_DISCARD, or WANT_NOTHING when over. */
struct want exchange_in(const struct exchange *x);

/* WANT_WRITE, WANT_BULK, or WANT_NOTHING. */
struct want exchange_out(const struct exchange *x);

/**
 * exchange_got() - Bytes came
 * @bytes:  NULL for discarded ones
 * @n:      at most what exchange_in() asked for
 * @stamp:  when they were received
 */
void exchange_got(struct exchange *x, const char *bytes, uint64_t n, ns_t stamp);

/* @n bytes of what exchange_out() asked for were taken. */
void exchange_moved(struct exchange *x, uint64_t n, ns_t stamp);

/* The connection ended: IO_END for a proper close, another enum io for the rest. */
void exchange_closed(struct exchange *x, int io, ns_t stamp);

/* There was progress that only the connection shows: patience begins anew. */
void exchange_touch(struct exchange *x, ns_t now);

/* Gives up where the deadline has passed. */
void exchange_tick(struct exchange *x, ns_t now);

/* Gives up now, with the same words; nothing where it is over. */
void exchange_give_up(struct exchange *x, ns_t now);

static inline bool exchange_over(const struct exchange *x)
{
	return x->state >= EXCHANGE_DONE;
}

#endif
