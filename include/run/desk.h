/* SPDX-License-Identifier: MIT */
/*
 * A small HTTP/1.1 server for this program's own pages, figures and event streams: a few clients at once, GET and HEAD,
 * and POST without a body; what is no such request it refuses by itself. It never blocks, and shares the wait of its
 * owner, who calls desk_step() until it has no more events, then sleeps until desk_deadline() or a descriptor of ours is
 * ready. Where all places are taken, a new client gets that of the one which has asked nothing for longest.
 *
 * A client is a number from 0 to DESK_CLIENTS - 1. After DESK_REQUEST it waits, as long as it takes, until it is answered.
 */
#ifndef RUN_DESK_H
#define RUN_DESK_H

#include "core/addr.h"
#include "core/http1_head.h"
#include "engine/reply.h"
#include "sys/wait.h"

#define DESK_CLIENTS 32
#define DESK_KEYS (DESK_CLIENTS + 1)

enum desk_kind {
	DESK_REQUEST, /* `client` has asked: desk_answer() or desk_stream() */
	DESK_GONE,    /* a client whose request or stream was open has left, or takes nothing any more: forget it */
};

struct desk_event {
	enum desk_kind kind;
	size_t client;
	const struct http1_head *head; /* DESK_REQUEST: valid until the client is answered */
};

struct desk_client; /* private, in desk.c */

struct desk {
	uint16_t port; /* that it listens on */
	/* private */
	struct wait *wait;
	uint32_t key;
	int listener;
	struct desk_client *clients;
	size_t turn;
	bool deaf; /* no descriptor was left: not listening for a moment */
	ns_t deaf_until;
};

/**
 * desk_open() - Listen
 * @at:    an address with its port; port 0 takes a free one
 * @key:   the first of DESK_KEYS keys of @wait that are ours
 *
 * It stays open until the process ends. Return: false with @why.
 */
bool desk_open(struct desk *d, const struct addr *at, struct wait *wait, uint32_t key, struct fault *why);

/* Is this key of the wait one of ours? Then desk_ready() takes the event. */
bool desk_owns(const struct desk *d, uint64_t key);
void desk_ready(struct desk *d, const struct wait_event *e);

/* What has happened. Return: false where nothing has; wait then. */
bool desk_step(struct desk *d, ns_t now, struct desk_event *ret);

/* When the next idle client is to be looked at. */
ns_t desk_deadline(const struct desk *d);

/* Who asks. */
const struct addr *desk_peer(const struct desk *d, size_t client);

/**
 * desk_answer() - Answer a request, and wait for the next one
 * @r:        `length` is filled in from @content
 * @content:  not copied: stays valid and unchanged until the client's next event, or for ever
 */
void desk_answer(struct desk *d, size_t client, const struct reply *r, struct slice content);

/* The same from short-lived text, up to DESK_COPY_MAX bytes. */
#define DESK_COPY_MAX 4096
void desk_answer_copy(struct desk *d, size_t client, const struct reply *r, struct slice content);

/* Begin an answer without an end: desk_send() adds to it, desk_finish() ends it. */
void desk_stream(struct desk *d, size_t client, const struct reply *r);

/* How much a stream takes now without losing anything. */
size_t desk_room(const struct desk *d, size_t client);

/* Add to a stream; all of it fits into desk_room(). */
void desk_send(struct desk *d, size_t client, struct slice s);
void desk_finish(struct desk *d, size_t client);

#endif
