/* SPDX-License-Identifier: MIT */
#include "engine/serve.h"

#include <string.h>

#include "core/http1_write.h"
#include "core/io.h"
#include "core/units.h"
#include "engine/route.h"

/* How long a closed connection may go on sending what it had under way (RFC 9112 section 9.6). */
#define LINGER_TIME (5 * NS_PER_S)

/* `/down` without a word about how much. */
#define DOWN_DEFAULT (INT64_C(100) << 20)
#define DOWN_SECONDS_MAX (3600 * NS_PER_S)

/* Below this, reading a body costs less than asking the kernel to throw it away. */
#define DISCARD_MIN 4096

static void enter(struct serve *s, enum serve_state state, ns_t now, ns_t patience)
{
	s->state = state;
	s->deadline = now + patience;
	s->body_end = state == SERVE_UPLOAD || state == SERVE_DOWNLOAD ? now + s->cfg->body_time : NS_NEVER;
}

static void await_request(struct serve *s, ns_t now)
{
	s->mark = 0;
	s->uploaded = 0;
	s->bare = s->old = false;
	s->finish_at = NS_NEVER;
	enter(s, SERVE_HEAD, now, s->in_n > 0 ? s->cfg->head_time : s->cfg->idle_time);
}

void serve_init(struct serve *s, const struct serve_cfg *cfg, struct serve_counters *counters, ns_t now)
{
	/* The buffers at the end need no clearing: an idle connection touches one page of memory. */
	memset(s, 0, offsetof(struct serve, out));
	s->cfg = cfg;
	s->counters = counters;
	await_request(s, now);
	s->deadline = now + cfg->head_time;
}

/* Write an answer; @then is the state that follows it. */
static void answer(struct serve *s, struct reply r, enum serve_state then, ns_t now)
{
	struct text t;

	r.connection = !s->keep_alive ? "close" : s->old ? "keep-alive" : NULL;
	r.bare = s->bare;
	text_init(&t, s->out, sizeof(s->out));
	reply_put(&t, &r);
	s->out_n = (uint16_t)t.len;
	s->out_at = 0;
	s->after = then;
	enter(s, SERVE_ANSWER, now, s->cfg->idle_time);
}

/* A refusal in words. What the client still sends is not looked at. */
static void refuse(struct serve *s, unsigned status, const char *why, ns_t now)
{
	char words[400];
	struct text t;

	text_init(&t, words, sizeof(words));
	text_str(&t, why);
	text_char(&t, '\n');
	s->counters->refused++;
	s->keep_alive = false;
	s->in_n = 0;
	bool again_later = status == 503 || status == 429;

	answer(s,
		(struct reply){ .status = status, .type = "text/plain; charset=utf-8", .content = text_view(&t),
			.field = again_later ? "Retry-After" : NULL, .value = SLICE("5") },
		SERVE_LINGER, now);
}

void serve_refuse(struct serve *s, unsigned status, const char *why, ns_t now)
{
	refuse(s, status, why, now);
}

/* What follows an answer that says all there is to say. */
static enum serve_state afterwards(const struct serve *s)
{
	return s->keep_alive ? SERVE_HEAD : SERVE_LINGER;
}

static void answer_json(struct serve *s, struct slice doc, ns_t now)
{
	answer(s, (struct reply){ .status = 200, .type = "application/json", .content = doc }, afterwards(s), now);
}

static void answer_info(struct serve *s, ns_t now)
{
	char doc[512];
	struct text t;

	text_init(&t, doc, sizeof(doc));
	reply_put_info(&t, s->counters, s->cfg->body_max, s->cfg->body_time);
	answer_json(s, text_view(&t), now);
}

static void answer_upload(struct serve *s, ns_t now)
{
	char doc[128];
	struct text t;

	text_init(&t, doc, sizeof(doc));
	reply_put_receipt(&t, s->uploaded, now - s->began);
	answer_json(s, text_view(&t), now);
}

static void start_page(struct serve *s, ns_t now)
{
	struct reply r = { .status = 200, .type = "text/html; charset=utf-8", .length = s->cfg->page.n,
		.field = "Content-Security-Policy", .value = SLICE("default-src 'self' 'unsafe-inline'; frame-ancestors 'none'") };

	s->page_at = 0;
	answer(s, r, s->bare ? afterwards(s) : SERVE_PAGE, now);
}

/* How much `/down` is to send. Return: false where the query makes no sense. */
static bool read_down_query(struct slice query, int64_t *ret_bytes, ns_t *ret_time)
{
	struct slice v;

	*ret_bytes = DOWN_DEFAULT;
	*ret_time = 0;
	if (route_query(query, SLICE("bytes"), &v))
		return !units_read(v, UNITS_COUNT, 0, INT64_MAX, ret_bytes);
	if (route_query(query, SLICE("seconds"), &v))
		return !units_read(v, UNITS_DURATION, 1, DOWN_SECONDS_MAX, ret_time);
	return true;
}

static void start_download(struct serve *s, struct slice query, ns_t now)
{
	struct reply r = { .status = 200, .type = "application/octet-stream" };
	int64_t bytes;
	ns_t time;

	if (!read_down_query(query, &bytes, &time)) {
		refuse(s, 400, "say /down?bytes=N or /down?seconds=S, with S at most 3600", now);
		return;
	}
	if (time > 0) {
		/* In good order, before the longest time that a body may take is over. */
		s->finish_at = now + ns_min(time, s->cfg->body_time / 10 * 9);
		r.chunked = !s->old;
		r.length = REPLY_UNBOUNDED;
		s->keep_alive = s->keep_alive && !s->old;
		/* A 1.0 client knows no chunks: the close ends its body (RFC 9112 section 7). */
		source_init(&s->source, s->old ? INT64_MAX : SOURCE_UNBOUNDED);
	} else {
		r.length = (uint64_t)bytes;
		source_init(&s->source, (uint64_t)bytes);
	}
	answer(s, r, s->bare || s->source.done ? afterwards(s) : SERVE_DOWNLOAD, now);
}

static void start_upload(struct serve *s, const struct http1_head *h, ns_t now)
{
	if (s->body.framing == HTTP1_LENGTH && s->body.length > s->cfg->body_max) {
		refuse(s, 413, "that is more than this server takes in one upload: see /info", now);
		return;
	}
	s->began = now;
	if (s->body.done) {
		answer_upload(s, now);
	} else if (h->minor > 0 && http1_head_has_token(h, "expect", "100-continue")) {
		struct text t;

		text_init(&t, s->out, sizeof(s->out));
		http1_put_status(&t, 100);
		http1_put_end(&t);
		s->out_n = (uint16_t)t.len;
		s->out_at = 0;
		s->after = SERVE_UPLOAD;
		enter(s, SERVE_ANSWER, now, s->cfg->idle_time);
	} else {
		enter(s, SERVE_UPLOAD, now, s->cfg->idle_time);
	}
}

static void refuse_method(struct serve *s, unsigned allowed, ns_t now)
{
	s->counters->refused++;
	s->keep_alive = false;
	answer(s,
		(struct reply){ .status = 405, .type = "text/plain", .content = SLICE("not with that method\n"),
			.field = "Allow", .value = slice_of(route_allow(allowed)) },
		SERVE_LINGER, now);
}

static void begin(struct serve *s, const struct http1_head *h, ns_t now)
{
	struct slice query;
	unsigned allowed, method = route_method(h->method);
	enum route route = route_find(h->target, &allowed, &query);

	if (route == ROUTE_NONE) {
		refuse(s, 404, "there is nothing here; try / /down?bytes=N /up /ping /info", now);
		return;
	}
	if (!(method & allowed)) {
		refuse_method(s, allowed, now);
		return;
	}
	if (route != ROUTE_UP && !s->body.done)
		s->keep_alive = false; /* a body that nobody asked for goes by while the connection lingers */
	switch (route) {
	case ROUTE_DOWN:
		start_download(s, query, now);
		break;
	case ROUTE_UP:
		start_upload(s, h, now);
		break;
	case ROUTE_PING:
		answer(s, (struct reply){ .status = 204 }, afterwards(s), now);
		break;
	case ROUTE_INFO:
		answer_info(s, now);
		break;
	default:
		start_page(s, now);
	}
}

/* Return: why a request may not be answered at all, and the status to say so with; NULL where it may. */
static const char *objection(const struct serve *s, const struct http1_head *h, unsigned *ret_status)
{
	struct slice host = { NULL, 0 };
	size_t hosts = 0;

	for (size_t i = 0; i < h->n_fields; i++) {
		if (slice_eq_nocase(h->fields[i].name, SLICE("host"))) {
			host = h->fields[i].value;
			hosts++;
		}
	}
	*ret_status = 400;
	if (hosts > 1 || (hosts == 0 && h->minor > 0))
		return "a request has exactly one Host field";
	*ret_status = 403;
	if (hosts == 1 && !route_host_is_local(host, s->cfg->names, s->cfg->n_names))
		return "this server answers to addresses and local names only, since anybody can make a public name "
		       "point here; to be reached under one, start it with --name NAME";
	return NULL;
}

/* Return: whether a head was taken from the buffer. */
static bool take_head(struct serve *s, ns_t now)
{
	struct http1_head h;
	unsigned status;
	int used = http1_head_parse(&h, HTTP1_REQUEST, s->in, s->in_n, &s->mark);

	if (used == 0 && s->in_n < sizeof(s->in))
		return false;
	s->counters->requests++;
	if (used == 0 || used == -HTTP1_TOO_LONG || used == -HTTP1_TOO_MANY_FIELDS) {
		refuse(s, 431, "the head of that request is too long", now);
		return false;
	}
	int bad = used < 0 ? used : http1_body_init(&s->body, &h, HTTP1_REQUEST, false);

	if (bad < 0) {
		refuse(s, 400, http1_fault_text((enum http1_fault)-bad), now);
		return false;
	}
	s->keep_alive = http1_head_keeps_alive(&h);
	s->old = h.minor == 0;
	s->bare = route_method(h.method) == ROUTE_HEAD;
	const char *why = objection(s, &h, &status);

	if (why)
		refuse(s, status, why, now);
	else
		begin(s, &h, now);
	if (s->in_n > 0) { /* refusals have emptied it */
		s->in_n = (uint16_t)(s->in_n - used);
		memmove(s->in, s->in + used, s->in_n);
	}
	return true;
}

static void count_upload(struct serve *s, uint64_t n, ns_t now)
{
	s->uploaded += n;
	s->counters->bytes_in += n;
	if (s->uploaded > s->cfg->body_max)
		refuse(s, 413, "that is more than this server takes in one upload: see /info", now);
	else if (s->body.done)
		answer_upload(s, now);
}

/* Return: whether bytes of the body were taken from the buffer. */
static bool take_body(struct serve *s, ns_t now)
{
	struct slice payload;
	int64_t used = http1_body_feed(&s->body, s->in, s->in_n, &payload);

	if (used < 0) {
		refuse(s, 400, http1_fault_text((enum http1_fault)-used), now);
		return false;
	}
	s->in_n = (uint16_t)(s->in_n - used);
	memmove(s->in, s->in + used, s->in_n);
	count_upload(s, payload.n, now);
	return used > 0;
}

/* Take from the buffer what the state can use. */
static void work(struct serve *s, ns_t now)
{
	bool more = true;

	while (more && s->in_n > 0 && (s->state == SERVE_HEAD || s->state == SERVE_UPLOAD))
		more = s->state == SERVE_HEAD ? take_head(s, now) : take_body(s, now);
}

ns_t serve_deadline(const struct serve *s)
{
	ns_t end = ns_min(s->deadline, s->body_end);

	return s->state == SERVE_DOWNLOAD ? ns_min(end, s->finish_at) : end;
}

struct want serve_in(const struct serve *s)
{
	uint64_t room = sizeof(s->in) - s->in_n;

	switch (s->state) {
	case SERVE_UPLOAD: {
		uint64_t n = http1_body_discardable(&s->body);

		if (n >= DISCARD_MIN)
			return (struct want){ .kind = WANT_DISCARD, .n = n };
		return (struct want){ .kind = WANT_READ, .n = room };
	}
	case SERVE_HEAD:
		return (struct want){ .kind = WANT_READ, .n = room };
	case SERVE_LINGER:
		return (struct want){ .kind = WANT_DISCARD, .n = UINT64_MAX };
	default:
		return (struct want){ .kind = WANT_NOTHING };
	}
}

struct want serve_out(const struct serve *s)
{
	switch (s->state) {
	case SERVE_ANSWER: {
		bool more = s->after == SERVE_PAGE || s->after == SERVE_DOWNLOAD;

		return (struct want){ WANT_WRITE, s->out + s->out_at, (uint64_t)(s->out_n - s->out_at), more };
	}
	case SERVE_PAGE:
		return (struct want){ WANT_WRITE, s->cfg->page.p + s->page_at, s->cfg->page.n - s->page_at, false };
	case SERVE_DOWNLOAD:
		return source_out(&s->source);
	case SERVE_LINGER:
		return (struct want){ .kind = s->shut ? WANT_NOTHING : WANT_SHUTDOWN };
	case SERVE_CLOSED:
		return (struct want){ .kind = WANT_CLOSE };
	default:
		return (struct want){ .kind = WANT_NOTHING };
	}
}

void serve_got(struct serve *s, const char *bytes, uint64_t n, ns_t now)
{
	if (s->state == SERVE_LINGER || n == 0)
		return;
	if (s->state == SERVE_UPLOAD)
		s->deadline = now + s->cfg->idle_time;
	if (!bytes) {
		http1_body_discarded(&s->body, n);
		count_upload(s, n, now);
		return;
	}
	if (s->state == SERVE_HEAD && s->in_n == 0 && s->kept)
		s->deadline = now + s->cfg->head_time;
	memcpy(s->in + s->in_n, bytes, (size_t)n);
	s->in_n = (uint16_t)(s->in_n + n);
	work(s, now);
}

/* The whole answer is out: what comes next? */
static void leave_answer(struct serve *s, enum serve_state next, ns_t now)
{
	s->kept = next == SERVE_HEAD;
	if (s->kept)
		await_request(s, now);
	else
		enter(s, next, now, next == SERVE_LINGER ? LINGER_TIME : s->cfg->idle_time);
	work(s, now);
}

void serve_moved(struct serve *s, uint64_t n, ns_t now)
{
	if (s->state == SERVE_LINGER) {
		s->shut = true;
		return;
	}
	if (n > 0)
		s->deadline = now + s->cfg->idle_time;
	enum serve_state next = afterwards(s);

	if (s->state == SERVE_ANSWER) {
		s->out_at = (uint16_t)(s->out_at + n);
		if (s->out_at == s->out_n)
			leave_answer(s, s->after, now);
	} else if (s->state == SERVE_PAGE) {
		s->page_at += n;
		if (s->page_at == s->cfg->page.n)
			leave_answer(s, next, now);
	} else if (s->state == SERVE_DOWNLOAD) {
		uint64_t before = s->source.sent;

		source_moved(&s->source, n);
		s->counters->bytes_out += s->source.sent - before;
		if (s->source.done)
			leave_answer(s, next, now);
	}
}

void serve_closed(struct serve *s, int io)
{
	/* A half-closed client may still want the answer to what it has asked. */
	if (io == IO_END && (s->state == SERVE_ANSWER || s->state == SERVE_PAGE || s->state == SERVE_DOWNLOAD))
		s->keep_alive = false;
	else
		s->state = SERVE_CLOSED;
}

void serve_touch(struct serve *s, ns_t now)
{
	s->deadline = now + s->cfg->idle_time;
}

void serve_tick(struct serve *s, ns_t now)
{
	if (s->state == SERVE_DOWNLOAD && now >= s->finish_at) {
		s->finish_at = NS_NEVER;
		source_finish(&s->source);
		if (s->source.done)
			leave_answer(s, SERVE_LINGER, now);
	}
	if (now < ns_min(s->deadline, s->body_end))
		return;
	if ((s->state == SERVE_HEAD && s->in_n > 0) || s->state == SERVE_UPLOAD)
		refuse(s, 408, "the request did not come to its end in time", now);
	else
		s->state = SERVE_CLOSED;
}
