/* SPDX-License-Identifier: MIT */
#include "run/desk.h"

#include "core/io.h"
#include "engine/caller.h"
#include "sys/memory.h"
#include "sys/stream.h"

/* Accepted at once, so that a flood of connections does not starve those that are there. */
#define ACCEPTS_AT_ONCE 64

/* With no descriptor left, listening would only spin: it goes on after this. */
#define DEAF_TIME (100 * NS_PER_MS)

_Static_assert(DESK_COPY_MAX == CALLER_COPY_MAX, "one size");

struct desk_client {
	int fd;        /* -1 where the connection is gone */
	bool open;     /* its owner knows of a request, and has not answered or ended it */
	unsigned watched;
	struct addr peer;
	struct caller caller;
};

static bool is_free(const struct desk_client *c)
{
	return c->fd < 0 && !c->open;
}

bool desk_open(struct desk *d, const struct addr *at, struct wait *wait, uint32_t key, struct fault *why)
{
	struct desk_client *clients = memory_get(DESK_CLIENTS, sizeof(*clients), why);
	int fd = clients ? stream_listen(at, why) : -1;

	if (fd < 0)
		return false;
	*d = (struct desk){ .port = stream_port(fd), .wait = wait, .key = key, .listener = fd, .clients = clients };
	for (size_t i = 0; i < DESK_CLIENTS; i++)
		clients[i].fd = -1;
	return wait_add(wait, fd, WAIT_IN, key + DESK_CLIENTS);
}

/* A child of ours may have the descriptor too for a moment: closing it alone would not end what is watched. */
static void drop(struct desk *d, struct desk_client *c)
{
	wait_remove(d->wait, c->fd);
	stream_close(c->fd);
	c->fd = -1;
}

static void read_some(struct desk_client *c)
{
	static char buf[HTTP1_HEAD_MAX];
	struct want in = caller_in(&c->caller);

	if (in.kind == WANT_NOTHING)
		return;
	int64_t n = stream_in(c->fd, &in, buf, sizeof(buf));

	if (n > 0)
		caller_got(&c->caller, in.kind == WANT_READ ? buf : NULL, (size_t)n);
	else if (n != IO_AGAIN)
		caller_closed(&c->caller);
}

static bool is_writing(const struct desk_client *c)
{
	enum want_kind kind = caller_out(&c->caller).kind;

	return kind == WANT_WRITE || kind == WANT_SHUTDOWN;
}

static void write_some(struct desk_client *c)
{
	while (is_writing(c)) {
		struct want out = caller_out(&c->caller);
		int64_t n = stream_out(c->fd, &out, NULL);

		if (n == IO_AGAIN)
			return;
		if (n < 0)
			caller_closed(&c->caller);
		else
			caller_moved(&c->caller, (size_t)n);
	}
}

/* Write what can be written, then watch for what is wanted next. */
static void go_on(struct desk *d, struct desk_client *c)
{
	if (c->fd < 0)
		return;
	write_some(c);
	if (c->caller.state == CALLER_CLOSED) {
		drop(d, c);
		return;
	}
	unsigned what = (caller_in(&c->caller).kind != WANT_NOTHING ? WAIT_IN : 0) | (is_writing(c) ? WAIT_OUT : 0);

	if (what != c->watched)
		wait_change(d->wait, c->fd, what, d->key + (uint64_t)(c - d->clients));
	c->watched = what;
}

/* One without a deadline has just come. */
static bool waits_longer(const struct caller *a, const struct caller *b)
{
	return a->deadline != 0 && (b->deadline == 0 || a->deadline < b->deadline);
}

/* A free place, or that of whoever has been idle for longest: a crowd that asks nothing keeps nobody out. */
static struct desk_client *find_place(struct desk *d)
{
	struct desk_client *idle = NULL;

	for (size_t i = 0; i < DESK_CLIENTS; i++) {
		struct desk_client *c = &d->clients[i];

		if (is_free(c))
			return c;
		if (c->caller.state == CALLER_HEAD && (!idle || waits_longer(&c->caller, &idle->caller)))
			idle = c;
	}
	if (idle)
		drop(d, idle);
	return idle;
}

static void admit(struct desk *d, int fd, const struct addr *peer)
{
	struct desk_client *c = find_place(d);

	if (!c || !wait_add(d->wait, fd, WAIT_IN, d->key + (uint64_t)(c - d->clients))) {
		stream_close(fd);
		return;
	}
	c->fd = fd;
	c->peer = *peer;
	c->watched = WAIT_IN;
	caller_init(&c->caller);
}

static void listen_again(struct desk *d, bool yes)
{
	d->deaf = !yes;
	d->deaf_until = 0;
	wait_change(d->wait, d->listener, yes ? WAIT_IN : WAIT_NOTHING, d->key + DESK_CLIENTS);
}

static void accept_some(struct desk *d)
{
	struct addr peer;

	for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
		int fd = stream_accept(d->listener, &peer);

		if (fd >= 0)
			admit(d, fd, &peer);
		else if (fd == IO_NO_ROOM)
			listen_again(d, false);
		if (fd < 0 && fd != IO_RESET)
			return;
	}
}

bool desk_owns(const struct desk *d, uint64_t key)
{
	return key >= d->key && key - d->key < DESK_KEYS;
}

void desk_ready(struct desk *d, const struct wait_event *e)
{
	size_t i = (size_t)(e->key - d->key);

	if (i == DESK_CLIENTS) {
		accept_some(d);
	} else if (d->clients[i].fd >= 0) {
		if (e->in)
			read_some(&d->clients[i]);
		go_on(d, &d->clients[i]);
	}
}

/* What time alone brings about. */
static void tick(struct desk *d, ns_t now)
{
	if (d->deaf && d->deaf_until == 0)
		d->deaf_until = now + DEAF_TIME;
	if (d->deaf && now >= d->deaf_until)
		listen_again(d, true);
	for (size_t i = 0; i < DESK_CLIENTS; i++)
		if (d->clients[i].fd >= 0 && caller_tick(&d->clients[i].caller, now))
			go_on(d, &d->clients[i]);
}

static bool look(struct desk_client *c, struct desk_event *ret)
{
	bool gone = c->fd < 0;

	if (gone != c->open || (!gone && c->caller.state != CALLER_ASKED))
		return false;
	c->open = !gone;
	ret->kind = gone ? DESK_GONE : DESK_REQUEST;
	ret->head = &c->caller.head;
	return true;
}

bool desk_step(struct desk *d, ns_t now, struct desk_event *ret)
{
	tick(d, now);
	for (size_t k = 0; k < DESK_CLIENTS; k++) {
		d->turn = (d->turn + 1) % DESK_CLIENTS;
		ret->client = d->turn;
		if (look(&d->clients[d->turn], ret))
			return true;
	}
	return false;
}

ns_t desk_deadline(const struct desk *d)
{
	ns_t at = d->deaf ? d->deaf_until : NS_NEVER;

	for (size_t i = 0; i < DESK_CLIENTS; i++)
		if (d->clients[i].fd >= 0)
			at = ns_min(at, d->clients[i].caller.deadline);
	return at;
}

const struct addr *desk_peer(const struct desk *d, size_t client)
{
	return &d->clients[client].peer;
}

static void answer(struct desk *d, size_t client, const struct reply *r, struct slice content, bool copy)
{
	d->clients[client].open = false;
	caller_answer(&d->clients[client].caller, r, content, copy);
	go_on(d, &d->clients[client]);
}

void desk_answer(struct desk *d, size_t client, const struct reply *r, struct slice content)
{
	answer(d, client, r, content, false);
}

void desk_answer_copy(struct desk *d, size_t client, const struct reply *r, struct slice content)
{
	answer(d, client, r, content, true);
}

void desk_stream(struct desk *d, size_t client, const struct reply *r)
{
	caller_stream(&d->clients[client].caller, r);
	go_on(d, &d->clients[client]);
}

size_t desk_room(const struct desk *d, size_t client)
{
	return caller_room(&d->clients[client].caller);
}

void desk_send(struct desk *d, size_t client, struct slice s)
{
	caller_send(&d->clients[client].caller, s);
	go_on(d, &d->clients[client]);
}

void desk_finish(struct desk *d, size_t client)
{
	d->clients[client].open = false;
	caller_finish(&d->clients[client].caller);
	go_on(d, &d->clients[client]);
}
