/* SPDX-License-Identifier: MIT */
/* What a client hears of a server: answers, decoded as they come, whatever the pieces. */
#ifndef EAR_H
#define EAR_H

#include "core/http1_body.h"
#include "guard.h"

#define EAR_ANSWERS 24
#define EAR_TEXT 1024

struct heard {
	struct http1_head head; /* slices into text */
	struct http1_body body;
	char text[EAR_TEXT];
	char content[EAR_TEXT]; /* as much of the payload as fits, NUL-terminated */
	size_t content_n;
};

struct ear {
	struct heard v[EAR_ANSWERS];
	size_t n;          /* answers begun */
	unsigned to_heads; /* bit i: answer i is one to a HEAD request */
	bool inside;       /* the body of the last one is not over */
	char in[EAR_TEXT];
	size_t in_n;
};

static inline void ear_head(struct ear *e)
{
	http1_mark mark = 0;
	struct http1_head probe;
	int used = http1_head_parse(&probe, HTTP1_RESPONSE, e->in, e->in_n, &mark);

	assert_true(used >= 0);
	if (used == 0)
		return;
	assert_true(e->n < EAR_ANSWERS);
	struct heard *a = &e->v[e->n];

	memset(a, 0, sizeof(*a));
	memcpy(a->text, e->in, (size_t)used);
	mark = 0;
	assert_int_equal(http1_head_parse(&a->head, HTTP1_RESPONSE, a->text, (size_t)used, &mark), used);
	assert_int_equal(http1_body_init(&a->body, &a->head, HTTP1_RESPONSE, e->to_heads >> e->n & 1), 0);
	e->n++;
	e->in_n -= (size_t)used;
	memmove(e->in, e->in + used, e->in_n);
	e->inside = !a->body.done;
}

static inline void ear_payload(struct heard *a, struct slice s)
{
	size_t room = sizeof(a->content) - 1 - a->content_n;
	size_t n = s.n < room ? s.n : room;

	if (n > 0)
		memcpy(a->content + a->content_n, s.p, n);
	a->content_n += n;
}

static inline void ear_body(struct ear *e)
{
	struct heard *a = &e->v[e->n - 1];

	while (e->inside && e->in_n > 0) {
		struct slice payload;
		int64_t used = http1_body_feed(&a->body, e->in, e->in_n, &payload);

		assert_true(used > 0);
		ear_payload(a, payload);
		e->in_n -= (size_t)used;
		memmove(e->in, e->in + used, e->in_n);
		e->inside = !a->body.done;
	}
}

static inline void ear_bytes(struct ear *e, const char *p, size_t n)
{
	while (n > 0) {
		size_t piece = sizeof(e->in) - e->in_n;

		assert_true(piece > 0);
		if (piece > n)
			piece = n;
		memcpy(e->in + e->in_n, p, piece);
		e->in_n += piece;
		p += piece;
		n -= piece;
		for (size_t before = SIZE_MAX; e->in_n > 0 && before != e->in_n;) {
			before = e->in_n;
			if (e->inside)
				ear_body(e);
			else
				ear_head(e);
		}
	}
}

/* Test data, which stands where the framing promised payload and nowhere else. */
static inline void ear_bulk(struct ear *e, uint64_t n)
{
	struct heard *a = &e->v[e->n - 1];

	assert_true(e->inside && e->in_n == 0 && http1_body_discardable(&a->body) >= n);
	http1_body_discarded(&a->body, n);
	e->inside = !a->body.done;
}

/* The server ended its side. Return: whether that was a proper place for it. */
static inline bool ear_end(struct ear *e)
{
	if (!e->inside)
		return e->in_n == 0;
	e->inside = false;
	return http1_body_close(&e->v[e->n - 1].body) == 0;
}

static inline struct slice ear_field(const struct heard *a, const char *name)
{
	struct slice v = { "", 0 };

	http1_head_find(&a->head, name, &v);
	return v;
}

#endif
