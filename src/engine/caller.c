/* SPDX-License-Identifier: MIT */
#include "engine/caller.h"

#include <string.h>

#include "core/http1_body.h"
#include "engine/route.h"

/* A head must be complete this long after it began; a connection without one may be kept for longer. */
#define HEAD_TIME (10 * NS_PER_S)
#define IDLE_TIME (30 * NS_PER_S)

/* How long an answer may stand still. The page of a stream may be in a debugger, or the machine short of memory. */
#define ANSWER_TIME (15 * NS_PER_S)
#define STREAM_TIME (120 * NS_PER_S)

/* RFC 9112 section 9.6 */
#define LINGER_TIME (5 * NS_PER_S)

static void enter(struct caller *c, enum caller_state state)
{
	c->state = state;
	c->deadline = 0;
}

void caller_init(struct caller *c)
{
	/* The buffers at the end need no clearing. */
	memset(c, 0, offsetof(struct caller, out));
}

static void refuse(struct caller *c, unsigned status, const char *why)
{
	c->keep_alive = false;
	c->head_n = c->in_n;
	enter(c, CALLER_ASKED);
	caller_answer(c, &(struct reply){ .status = status, .type = "text/plain; charset=utf-8" }, slice_of(why), false);
}

/* Return: NULL where the request that is there can be handed on, else why not. */
static const char *objection(const struct caller *c, int used, unsigned *ret_status)
{
	struct http1_body body;
	int bad = used < 0 ? used : http1_body_init(&body, &c->head, HTTP1_REQUEST, false);

	*ret_status = bad == -HTTP1_TOO_LONG || bad == -HTTP1_TOO_MANY_FIELDS ? 431 : 400;
	if (bad < 0)
		return http1_fault_text((enum http1_fault)-bad);
	*ret_status = 413;
	if (!body.done)
		return "a request has no body here\n";
	*ret_status = 405;
	return route_method(c->head.method) & (ROUTE_GET | ROUTE_HEAD | ROUTE_POST) ? NULL : "not with that method\n";
}

static void take_head(struct caller *c)
{
	unsigned status;
	int used = http1_head_parse(&c->head, HTTP1_REQUEST, c->in, c->in_n, &c->mark);

	if (used == 0)
		return;
	const char *why = objection(c, used, &status);

	c->keep_alive = !why && http1_head_keeps_alive(&c->head);
	c->old = !why && c->head.minor == 0;
	c->bare = used > 0 && slice_is(c->head.method, "HEAD");
	if (why) {
		refuse(c, status, why);
	} else {
		c->head_n = (size_t)used;
		enter(c, CALLER_ASKED);
	}
}

struct want caller_in(const struct caller *c)
{
	uint64_t room = sizeof(c->in) - c->in_n;

	if (c->state == CALLER_ANSWER || c->state == CALLER_CLOSED)
		return (struct want){ .kind = WANT_NOTHING };
	if (c->state <= CALLER_ASKED && room > 0)
		return (struct want){ .kind = WANT_READ, .n = room };
	return (struct want){ .kind = WANT_DISCARD, .n = UINT64_MAX };
}

struct want caller_out(const struct caller *c)
{
	if (c->state == CALLER_CLOSED)
		return (struct want){ .kind = WANT_CLOSE };
	if (c->state == CALLER_LINGER)
		return (struct want){ .kind = c->shut ? WANT_NOTHING : WANT_SHUTDOWN };
	if (c->out_at < c->out_n)
		return (struct want){ WANT_WRITE, c->out + c->out_at, c->out_n - c->out_at, c->content.n > 0 };
	if (c->content.n > 0)
		return (struct want){ WANT_WRITE, c->content.p, c->content.n, false };
	return (struct want){ .kind = WANT_NOTHING };
}

void caller_got(struct caller *c, const char *bytes, size_t n)
{
	if (!bytes) {
		c->keep_alive = false; /* it may have been the next request */
		return;
	}
	if (c->in_n == 0)
		c->deadline = 0;
	memcpy(c->in + c->in_n, bytes, n);
	c->in_n += n;
	if (c->state == CALLER_HEAD)
		take_head(c);
}

/* The whole answer is out: what comes next? */
static void leave_answer(struct caller *c)
{
	c->mark = 0;
	enter(c, c->keep_alive ? CALLER_HEAD : CALLER_LINGER);
	if (c->keep_alive && c->in_n > 0)
		take_head(c);
}

void caller_moved(struct caller *c, size_t n)
{
	if (c->state == CALLER_LINGER) {
		c->shut = true;
		return;
	}
	c->deadline = 0;
	if (c->out_at < c->out_n)
		c->out_at += n;
	else
		slice_skip(&c->content, n);
	if (c->out_at < c->out_n || c->content.n > 0)
		return;
	if (c->state == CALLER_ANSWER || c->finishing)
		leave_answer(c);
}

void caller_closed(struct caller *c)
{
	c->state = CALLER_CLOSED;
}

static ns_t patience(const struct caller *c)
{
	switch (c->state) {
	case CALLER_HEAD:
		return c->in_n > 0 ? HEAD_TIME : IDLE_TIME;
	case CALLER_ANSWER:
		return ANSWER_TIME;
	case CALLER_STREAM:
		return c->out_at < c->out_n ? STREAM_TIME : 0;
	case CALLER_LINGER:
		return LINGER_TIME;
	default:
		return 0;
	}
}

bool caller_tick(struct caller *c, ns_t now)
{
	if (c->deadline == 0)
		c->deadline = patience(c) > 0 ? now + patience(c) : NS_NEVER;
	if (now < c->deadline)
		return false;
	if (c->state == CALLER_HEAD && c->in_n > 0)
		refuse(c, 408, "the request did not come to its end in time\n");
	else
		c->state = CALLER_CLOSED;
	return true;
}

/* What was asked is not needed any more. */
static void begin_answer(struct caller *c, const struct reply *r, uint64_t length, enum caller_state state, struct slice copy)
{
	struct reply whole = *r;
	struct text t;

	whole.length = length;
	whole.connection = !c->keep_alive ? "close" : c->old ? "keep-alive" : NULL;
	text_init(&t, c->out, sizeof(c->out));
	reply_put(&t, &whole);
	text_slice(&t, copy);
	c->out_n = t.len;
	c->out_at = 0;
	c->in_n -= c->head_n;
	memmove(c->in, c->in + c->head_n, c->in_n);
	enter(c, state);
}

void caller_answer(struct caller *c, const struct reply *r, struct slice content, bool copy)
{
	uint64_t length = content.n;

	if (c->state != CALLER_ASKED)
		return;
	content.n = c->bare ? 0 : content.n;
	c->content = copy ? SLICE("") : content;
	begin_answer(c, r, length, CALLER_ANSWER, copy ? content : SLICE(""));
}

void caller_stream(struct caller *c, const struct reply *r)
{
	if (c->state != CALLER_ASKED)
		return;
	c->keep_alive = false; /* the close ends its body (RFC 9112 section 6.3) */
	c->finishing = c->bare;
	begin_answer(c, r, REPLY_UNBOUNDED, CALLER_STREAM, SLICE(""));
}

size_t caller_room(const struct caller *c)
{
	return c->state == CALLER_STREAM && !c->finishing ? sizeof(c->out) - (c->out_n - c->out_at) : 0;
}

void caller_send(struct caller *c, struct slice s)
{
	if (s.n > caller_room(c))
		return;
	c->out_n -= c->out_at;
	if (c->out_n == 0)
		c->deadline = 0;
	memmove(c->out, c->out + c->out_at, c->out_n);
	c->out_at = 0;
	memcpy(c->out + c->out_n, s.p, s.n);
	c->out_n += s.n;
}

void caller_finish(struct caller *c)
{
	if (c->state != CALLER_STREAM)
		return;
	c->finishing = true;
	if (c->out_at == c->out_n)
		leave_answer(c);
}
