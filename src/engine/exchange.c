/* SPDX-License-Identifier: MIT */
#include "engine/exchange.h"

#include <stdarg.h>
#include <string.h>

#include "core/http1_write.h"
#include "core/io.h"
#include "core/text_put.h"
#include "core/url.h"

/* What is read at once where bytes must be looked at: little, so that payload behind a head is hardly copied. */
#define PEEK 4096

#define INTERIM_MAX 16

static const char *const method_names[] = { "GET", "HEAD", "POST" };

static void put_head(struct text *t, const struct exchange_request *r)
{
	char host[300];
	struct text h;

	text_init(&h, host, sizeof(host));
	url_put_host(&h, r->host, r->port);
	t->cut = h.cut;
	http1_put_request(t, method_names[r->method], r->path);
	http1_put_field(t, "Host", text_view(&h));
	http1_put_field(t, "User-Agent", SLICE("sonde/" SONDE_VERSION));
	http1_put_field(t, "Accept", SLICE("*/*"));
	http1_put_field(t, "Accept-Encoding", SLICE("identity"));
	if (r->method == EXCHANGE_POST) {
		http1_put_field(t, "Content-Type", SLICE("application/octet-stream"));
		if (r->body == SOURCE_UNBOUNDED)
			http1_put_field(t, "Transfer-Encoding", SLICE("chunked"));
		else
			http1_put_field_uint(t, "Content-Length", r->body);
	}
	http1_put_end(t);
}

const char *exchange_init(struct exchange *x, const struct exchange_request *r, ns_t now)
{
	struct text t;

	/* The buffers at the end need no clearing, and are most of it. */
	memset(x, 0, offsetof(struct exchange, out));
	x->in_n = x->out_at = 0;
	x->mark = 0;
	text_init(&t, x->out, sizeof(x->out));
	put_head(&t, r);
	if (t.cut)
		return "has a control character, a space, or is too long for a request";
	x->out_n = t.len;
	x->keep = r->keep;
	x->to_head = r->method == EXCHANGE_HEAD;
	x->timeout = r->timeout;
	x->started = x->progress = now;
	source_init(&x->source, r->method == EXCHANGE_POST ? r->body : 0);
	return NULL;
}

ns_t exchange_deadline(const struct exchange *x)
{
	return exchange_over(x) ? NS_NEVER : x->progress + x->timeout;
}

struct want exchange_in(const struct exchange *x)
{
	if (exchange_over(x))
		return (struct want){ .kind = WANT_NOTHING };
	if (x->state == EXCHANGE_RECEIVING) {
		uint64_t n = x->keep ? 0 : http1_body_discardable(&x->body);

		if (n > PEEK)
			return (struct want){ .kind = WANT_DISCARD, .n = n };
		return (struct want){ .kind = WANT_READ, .n = PEEK };
	}
	uint64_t room = sizeof(x->in) - x->in_n;

	return (struct want){ .kind = WANT_READ, .n = room < PEEK ? room : PEEK };
}

struct want exchange_out(const struct exchange *x)
{
	switch (x->state) {
	case EXCHANGE_SENDING:
		return (struct want){ WANT_WRITE, x->out + x->out_at, x->out_n - x->out_at, !x->source.done };
	case EXCHANGE_BODY:
		return source_out(&x->source);
	default:
		return (struct want){ .kind = WANT_NOTHING };
	}
}

/* It is over without an answer, or with half of one; why, written as text_put(). */
static void break_off(struct exchange *x, ns_t stamp, const char *format, ...)
{
	va_list args;
	struct text t;

	text_init(&t, x->why, sizeof(x->why));
	va_start(args, format);
	text_put_args(&t, format, args);
	va_end(args);
	x->state = EXCHANGE_BROKEN;
	x->keep_alive = false;
	x->ended = stamp;
}

static void finish(struct exchange *x, ns_t stamp)
{
	x->state = EXCHANGE_DONE;
	x->ended = stamp;
}

static void copy_field(const struct http1_head *h, const char *name, char *out, size_t cap, bool safe)
{
	struct slice v;
	struct text t;

	text_init(&t, out, cap);
	if (!http1_head_find(h, name, &v))
		return;
	if (safe)
		text_safe(&t, v);
	else
		text_slice(&t, v);
	if (t.cut && !safe)
		out[0] = '\0';
}

static bool is_coded(const struct http1_head *h)
{
	struct slice v;

	return http1_head_find(h, "content-encoding", &v) && v.n > 0 && !slice_eq_nocase(v, SLICE("identity"));
}

static void note_head(struct exchange *x, const struct http1_head *h)
{
	struct text t;

	x->status = h->status;
	text_init(&t, x->reason, sizeof(x->reason));
	text_safe(&t, h->reason.n > 0 ? h->reason : slice_of(http1_status_text(h->status)));
	copy_field(h, "server", x->server, sizeof(x->server), true);
	copy_field(h, "content-type", x->type, sizeof(x->type), true);
	copy_field(h, "location", x->location, sizeof(x->location), false);
	x->coded = is_coded(h);
	x->keep_alive = http1_head_keeps_alive(h);
	struct slice length;

	/* Equal repeated values count once; others have been refused by the body. */
	x->has_length = http1_head_find(h, "content-length", &length) &&
			slice_uint(slice_trim(slice_cut(&length, ',')), &x->length);
}

/* The rest of the request body is not wanted any more; its framing is broken off, so the connection is too. */
static void note_early_answer(struct exchange *x)
{
	if (x->state != EXCHANGE_SENDING && x->state != EXCHANGE_BODY)
		return;
	x->early = true;
	x->early_sent = x->source.sent;
	x->keep_alive = false;
}

static void take_payload(struct exchange *x, const char *bytes, size_t n, ns_t stamp)
{
	while (n > 0 && !x->body.done) {
		struct slice payload;
		int64_t used = http1_body_feed(&x->body, bytes, n, &payload);

		if (used < 0) {
			break_off(x, stamp, "%s", http1_fault_text((enum http1_fault)-used));
			return;
		}
		if (x->keep)
			text_slice(x->keep, payload);
		bytes += used;
		n -= (size_t)used;
	}
	if (!x->body.done)
		return;
	if (n > 0) /* nobody asked for more, so what it is cannot be known */
		x->keep_alive = false;
	finish(x, stamp);
}

static void take_final_head(struct exchange *x, const struct http1_head *h, size_t used, ns_t stamp)
{
	int bad = http1_body_init(&x->body, h, HTTP1_RESPONSE, x->to_head);

	note_head(x, h);
	note_early_answer(x);
	x->state = EXCHANGE_RECEIVING;
	x->progress = stamp;
	if (bad < 0)
		break_off(x, stamp, "%s", http1_fault_text((enum http1_fault)-bad));
	else if (h->status == 101)
		break_off(x, stamp, "switched to another protocol, unasked");
	else
		take_payload(x, x->in + used, x->in_n - used, stamp);
}

/* Interim answers are passed over (RFC 9110 section 15.2), but not for ever. */
static void pass_interim(struct exchange *x, size_t used, ns_t stamp)
{
	x->in_n -= used;
	memmove(x->in, x->in + used, x->in_n);
	x->mark = 0;
	if (++x->interim > INTERIM_MAX)
		break_off(x, stamp, "sent one interim answer after another");
}

/* Return: whether there may be another head behind the one taken. */
static bool take_head(struct exchange *x, ns_t stamp)
{
	struct http1_head h;
	int used = http1_head_parse(&h, HTTP1_RESPONSE, x->in, x->in_n, &x->mark);

	if (used == 0)
		return false;
	if (used < 0)
		break_off(x, stamp, "%s", http1_fault_text((enum http1_fault)-used));
	else if (h.status >= 200 || h.status == 101)
		take_final_head(x, &h, (size_t)used, stamp);
	else
		pass_interim(x, (size_t)used, stamp);
	return x->state < EXCHANGE_RECEIVING;
}

void exchange_got(struct exchange *x, const char *bytes, uint64_t n, ns_t stamp)
{
	if (exchange_over(x) || n == 0)
		return;
	if (x->first_byte == 0)
		x->first_byte = stamp;
	if (x->state != EXCHANGE_RECEIVING) {
		memcpy(x->in + x->in_n, bytes, (size_t)n);
		x->in_n += (size_t)n;
		while (take_head(x, stamp))
			;
		return;
	}
	x->progress = stamp;
	if (bytes) {
		take_payload(x, bytes, (size_t)n, stamp);
		return;
	}
	http1_body_discarded(&x->body, n);
	if (x->body.done)
		finish(x, stamp);
}

void exchange_moved(struct exchange *x, uint64_t n, ns_t stamp)
{
	if (n > 0)
		x->progress = stamp;
	if (x->state == EXCHANGE_SENDING) {
		x->out_at += (size_t)n;
		if (x->out_at == x->out_n)
			x->state = EXCHANGE_BODY;
	} else if (x->state == EXCHANGE_BODY) {
		source_moved(&x->source, n);
	}
	if (x->state == EXCHANGE_BODY && x->source.done) {
		x->state = EXCHANGE_WAITING;
		x->sent = stamp;
	}
}

static void break_body(struct exchange *x, ns_t stamp)
{
	bool known = x->body.framing == HTTP1_LENGTH;

	break_off(x, stamp, known ? "closed the connection after %d of %d bytes" : "closed the connection after %d bytes",
		(int64_t)x->body.received, (int64_t)x->body.length);
}

void exchange_closed(struct exchange *x, int io, ns_t stamp)
{
	if (exchange_over(x))
		return;
	if (io == IO_RESET) {
		break_off(x, stamp, "reset the connection");
	} else if (io != IO_END) {
		break_off(x, stamp, "%s", io_text(io));
	} else if (x->state != EXCHANGE_RECEIVING) {
		break_off(x, stamp, x->in_n > 0 ? "closed the connection inside the head of its answer" :
						  "closed the connection without an answer");
	} else if (http1_body_close(&x->body) == 0) {
		x->keep_alive = false;
		finish(x, stamp);
	} else {
		break_body(x, stamp);
	}
}

static const char *stopped_where(const struct exchange *x)
{
	if (x->state < EXCHANGE_WAITING)
		return "took no data";
	if (x->state == EXCHANGE_RECEIVING)
		return "stopped in the middle of the body";
	return x->in_n == 0 ? "sent nothing" : "stopped in the middle of the head";
}

void exchange_give_up(struct exchange *x, ns_t now)
{
	if (!exchange_over(x))
		break_off(x, now, "%s for %t", stopped_where(x), x->timeout);
}

void exchange_touch(struct exchange *x, ns_t now)
{
	x->progress = now;
}

void exchange_tick(struct exchange *x, ns_t now)
{
	if (now >= exchange_deadline(x))
		exchange_give_up(x, now);
}
