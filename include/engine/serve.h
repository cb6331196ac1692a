/* SPDX-License-Identifier: MIT */
/*
 * One connection of the test server, from its first byte to the close. Same shape as the client's
 * exchange: `in` and `out` say what is wanted, `got` and `moved` tell what came of it.
 *
 * No path of the machine can be named: a request is answered from a fixed table or refused.
 */
#ifndef ENGINE_SERVE_H
#define ENGINE_SERVE_H

#include "core/addr.h"
#include "core/http1_body.h"
#include "core/ns.h"
#include "core/page.h"
#include "core/result.h"
#include "core/want.h"
#include "engine/offer.h"
#include "engine/source.h"

/* A request head must fit: RFC 9112 section 3 asks for 8,000 octets of request line. */
#define SERVE_IN_MAX 8192
/* The head of an answer, and a small content. */
#define SERVE_HEAD_MAX 640
#define SERVE_OUT_MAX (SERVE_HEAD_MAX + OFFER_TEXT_MAX)
#define SERVE_NAMES_MAX 9

struct serve_cfg {
	struct slice names[SERVE_NAMES_MAX]; /* accepted in Host besides addresses and local names */
	size_t n_names;
	struct slice page[PAGE_PARTS]; /* in the order of enum page_part */
	ns_t head_time;       /* a request head must be complete this long after its first byte was due */
	ns_t idle_time;       /* a kept connection without a request, and a body without progress */
	ns_t body_time;       /* the longest that one body may take, either way */
	uint64_t body_max;    /* upload bytes; more gets 413 */
	struct slice congestion;         /* the control of what is sent, for those who ask; "" where it is not known */
	struct slice congestion_allowed; /* what else a client may ask for, words with blanks between */
	bool cors;            /* pages of other origins may use the paths that move data */
};

enum serve_state {
	SERVE_HEAD,     /* reading a request head; between requests too */
	SERVE_UPLOAD,   /* reading a body that is counted; the answer follows */
	SERVE_ANSWER,   /* writing a head and a small body */
	SERVE_PAGE,     /* writing a part of the page */
	SERVE_DOWNLOAD, /* sending test data */
	SERVE_LINGER,   /* our side is closed; what still comes is thrown away, so that the answer is not lost */
	SERVE_CLOSED,   /* to be closed at once */
};

struct serve {
	enum serve_state state;
	const struct serve_cfg *cfg;
	struct serve_counters *counters;
	const struct addr *peer; /* to be set after serve_init(), for a client that asks who it is */
	char congestion[CONGESTION_MAX]; /* asked for, to be set on the connection and emptied; "" for none */
	uint64_t uploaded;   /* payload of the upload under way, for people who watch */
	/* private */
	const struct route *route; /* of the request under way; NULL before it is known */
	enum serve_state after;  /* what follows SERVE_ANSWER */
	bool keep_alive;
	bool kept;               /* not the first request on this connection */
	bool old, bare;          /* the request is HTTP/1.0; is a HEAD */
	bool plain;              /* is for the document, by a client without gzip */
	bool shut;
	ns_t deadline, body_end; /* the nearer one counts */
	ns_t began;              /* first byte of the body */
	ns_t finish_at;          /* `?seconds=`: end the data then */
	uint16_t out_n, out_at;
	uint16_t in_n;
	http1_mark mark;
	struct slice page; /* what is left of it */
	struct http1_body body;
	struct source source;
	char out[SERVE_OUT_MAX];
	char in[SERVE_IN_MAX];
};

/* A new connection. Both @cfg and @counters outlive it. */
void serve_init(struct serve *s, const struct serve_cfg *cfg, struct serve_counters *counters, ns_t now);

/* One that is answered with a refusal and closed: past a cap (503) or from an address that is not served (403). */
void serve_refuse(struct serve *s, unsigned status, const char *why, ns_t now);

ns_t serve_deadline(const struct serve *s);

/* WANT_READ, WANT_DISCARD, or WANT_NOTHING while an answer is being written. */
struct want serve_in(const struct serve *s);

/* WANT_WRITE, WANT_BULK, WANT_SHUTDOWN, WANT_CLOSE or WANT_NOTHING. */
struct want serve_out(const struct serve *s);

/* As exchange_got(): @bytes is NULL for discarded ones. */
void serve_got(struct serve *s, const char *bytes, uint64_t n, ns_t now);

/* @n bytes of what serve_out() asked for were taken; 0 for a shutdown. */
void serve_moved(struct serve *s, uint64_t n, ns_t now);

/* The peer ended its side (IO_END) or the connection broke. */
void serve_closed(struct serve *s, int io);

/* There was progress that only the connection shows: patience begins anew. */
void serve_touch(struct serve *s, ns_t now);

/* Ends downloads whose time has come and connections whose deadline has passed. */
void serve_tick(struct serve *s, ns_t now);

#endif
