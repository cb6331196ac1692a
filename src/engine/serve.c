/* SPDX-License-Identifier: MIT */
#include "engine/serve.h"

#include <string.h>

#include "core/http1_write.h"
#include "core/io.h"

/* How long a closed connection may go on sending what it had under way (RFC 9112 section 9.6). */
#define LINGER_TIME (5 * NS_PER_S)

/*
 * speedtest-cli declares up to nine bytes more than it sends, and then waits for its answer. Where so few are missing of
 * so many, waiting longer would only spoil what it measures, and the receipt says what came. Otherwise its patience is 10 s.
 */
#define TAIL_MAX 64
#define TAIL_TIME (150 * NS_PER_MS)
#define SHORT_TIME (5 * NS_PER_S)

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
	s->route = NULL;
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

/* Write a head, and @content_n bytes that stand behind the room for it; @then is the state that follows. */
static void answer(struct serve *s, const struct reply *r, size_t content_n, enum serve_state then, ns_t now)
{
	struct reply whole = *r;
	struct text t;

	whole.connection = !s->keep_alive ? "close" : s->old ? "keep-alive" : NULL;
	whole.cors = s->cfg->cors && s->route && route_is_open(s->route);
	whole.timed = s->route && s->route->timed;
	whole.time = now - s->began;
	text_init(&t, s->out, SERVE_HEAD_MAX);
	reply_put(&t, &whole);
	s->out_n = (uint16_t)t.len;
	s->out_at = 0;
	if (!s->bare) {
		memmove(s->out + s->out_n, s->out + SERVE_HEAD_MAX, content_n);
		s->out_n = (uint16_t)(s->out_n + content_n);
	}
	s->after = then;
	enter(s, SERVE_ANSWER, now, s->cfg->idle_time);
}

static struct text begin_content(struct serve *s)
{
	struct text t;

	text_init(&t, s->out + SERVE_HEAD_MAX, OFFER_TEXT_MAX);
	return t;
}

/* A refusal in words. What the client still sends is not looked at. */
static void refuse_with(struct serve *s, unsigned status, unsigned allow, const char *why, ns_t now)
{
	bool again_later = status == 503 || status == 429;
	struct reply r = { .status = status, .type = "text/plain; charset=utf-8", .allow = allow };
	struct text t = begin_content(s);

	text_str(&t, why);
	text_char(&t, '\n');
	s->counters->refused++;
	s->keep_alive = false;
	s->in_n = 0;
	r.length = t.len;
	r.fields = again_later ? "Retry-After: 5\r\n" : NULL;
	answer(s, &r, t.len, SERVE_LINGER, now);
}

static void refuse(struct serve *s, unsigned status, const char *why, ns_t now)
{
	refuse_with(s, status, 0, why, now);
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

static void answer_content(struct serve *s, struct slice host, ns_t now)
{
	struct text t = begin_content(s);
	struct offer_facts facts = { s->counters, s->cfg->body_max, s->cfg->body_time, s->cfg->congestion,
		s->cfg->congestion_allowed, s->peer, host, s->uploaded, now - s->began };
	const char *type = offer_put(&t, s->route, &facts);

	if (t.cut)
		refuse(s, 400, "say in Host how this server is reached", now);
	else
		answer(s, &(struct reply){ .status = 200, .type = type, .length = t.len }, t.len, afterwards(s), now);
}

static void start_page(struct serve *s, ns_t now)
{
	enum page_part part = s->plain ? PAGE_PLAIN : (enum page_part)s->route->bytes;
	struct reply r = { .status = 200, .type = page_type(part), .fields = page_fields(part) };

	s->page = s->cfg->page[part];
	r.length = s->page.n;
	answer(s, &r, 0, s->bare ? afterwards(s) : SERVE_PAGE, now);
}

/* Return: whether what the query asks for, if anything, is allowed. */
static bool take_congestion(struct serve *s, struct slice query)
{
	struct slice name, words = s->cfg->congestion_allowed;
	struct text t;

	if (!route_query(query, SLICE("congestion"), &name))
		return true;
	while (words.n > 0) {
		struct slice word = slice_until(&words, " ");

		slice_skip(&words, words.n > 0 ? 1 : 0);
		if (name.n == 0 || !slice_eq(word, name))
			continue;
		text_init(&t, s->congestion, sizeof(s->congestion));
		text_slice(&t, name);
		return !t.cut;
	}
	return false;
}

static void start_download(struct serve *s, struct slice query, ns_t now)
{
	struct reply r = { .status = 200, .type = "application/octet-stream" };
	struct offer_amount amount;

	if (!offer_amount(s->route, query, &amount)) {
		refuse(s, 400, "say /down?bytes=N or /down?seconds=S, with S at most 3600", now);
		return;
	}
	if (!take_congestion(s, query)) {
		refuse(s, 400, "this server may not send with that congestion control: /info says which it may", now);
		return;
	}
	if (amount.time > 0) {
		/* In good order, before the longest time that a body may take is over. */
		s->finish_at = now + ns_min(amount.time, s->cfg->body_time / 10 * 9);
		r.chunked = !s->old;
		r.length = REPLY_UNBOUNDED;
		s->keep_alive = s->keep_alive && !s->old;
		/* A 1.0 client knows no chunks: the close ends its body (RFC 9112 section 7). */
		source_init(&s->source, s->old ? INT64_MAX : SOURCE_UNBOUNDED);
	} else {
		r.length = (uint64_t)amount.bytes;
		source_init(&s->source, (uint64_t)amount.bytes);
	}
	if (s->route->kind == ROUTE_GARBAGE)
		r.fields = "Content-Disposition: attachment; filename=random.dat\r\n";
	answer(s, &r, 0, s->bare || s->source.done ? afterwards(s) : SERVE_DOWNLOAD, now);
}

static void respond(struct serve *s, struct slice query, struct slice host, ns_t now)
{
	switch (s->route->kind) {
	case ROUTE_DATA:
	case ROUTE_GARBAGE:
		start_download(s, query, now);
		break;
	case ROUTE_PING:
		answer(s, &(struct reply){ .status = 204 }, 0, afterwards(s), now);
		break;
	case ROUTE_PAGE:
		start_page(s, now);
		break;
	default:
		answer_content(s, host, now);
	}
}

static void answer_upload(struct serve *s, ns_t now)
{
	respond(s, SLICE(""), SLICE(""), now);
}

static void start_upload(struct serve *s, const struct http1_head *h, ns_t now)
{
	if (s->body.framing == HTTP1_LENGTH && s->body.length > s->cfg->body_max) {
		refuse(s, 413, "that is more than this server takes in one upload: see /info", now);
	} else if (s->body.done) {
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

/* What a browser asks before it lets a page of another origin upload. */
static void answer_options(struct serve *s, const struct http1_head *h, ns_t now)
{
	struct reply r = { .status = 204, .allow = s->route->methods | ROUTE_OPTIONS,
		.private_network = http1_head_has_token(h, "Access-Control-Request-Private-Network", "true") };

	answer(s, &r, 0, afterwards(s), now);
}

static void begin(struct serve *s, const struct http1_head *h, struct slice host, ns_t now)
{
	struct slice query;
	unsigned method = route_method(h->method);

	s->route = route_find(h->target, &query);
	s->began = now;
	if (!s->route) {
		refuse(s, 404, "there is nothing here; try / /down?bytes=N /up /ping /info", now);
		return;
	}
	if (method == ROUTE_POST && s->route->methods & ROUTE_POST) {
		start_upload(s, h, now);
		return;
	}
	s->plain = s->route->kind == ROUTE_PAGE && s->route->bytes == PAGE_HTML && s->cfg->page[PAGE_PLAIN].n > 0 &&
		   !http1_head_has_token(h, "Accept-Encoding", "gzip");
	if (!s->body.done)
		s->keep_alive = false; /* a body that nobody asked for goes by while the connection lingers */
	if (method == ROUTE_OPTIONS)
		answer_options(s, h, now);
	else if (method & s->route->methods)
		respond(s, query, host, now);
	else
		refuse_with(s, 405, s->route->methods, "not with that method", now);
}

/* Return: whether a head was taken from the buffer. */
static bool take_head(struct serve *s, ns_t now)
{
	struct http1_head h;
	struct slice host;
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
	const char *why = route_objection(&h, s->cfg->names, s->cfg->n_names, &host, &status);

	if (why)
		refuse(s, status, why, now);
	else
		begin(s, &h, host, now);
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

/* May this upload end before its declared length? */
static bool may_be_short(const struct serve *s)
{
	return s->route->kind == ROUTE_SIZE && s->body.framing == HTTP1_LENGTH;
}

/* How long a body may stand still. */
static ns_t upload_patience(const struct serve *s)
{
	uint64_t missing = http1_body_discardable(&s->body);

	if (!may_be_short(s))
		return s->cfg->idle_time;
	return missing < TAIL_MAX && missing < s->uploaded / 100 ? TAIL_TIME : SHORT_TIME;
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

		if (may_be_short(s)) /* what may never come must not be waited for inside the kernel */
			n -= n < TAIL_MAX ? n : TAIL_MAX;
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
		return (struct want){ WANT_WRITE, s->page.p, s->page.n, false };
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
	if (s->state == SERVE_HEAD && s->in_n == 0 && s->kept)
		s->deadline = now + s->cfg->head_time;
	if (bytes) {
		memcpy(s->in + s->in_n, bytes, (size_t)n);
		s->in_n = (uint16_t)(s->in_n + n);
		work(s, now);
	} else {
		http1_body_discarded(&s->body, n);
		count_upload(s, n, now);
	}
	if (s->state == SERVE_UPLOAD)
		s->deadline = now + upload_patience(s);
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
		slice_skip(&s->page, (size_t)n);
		if (s->page.n == 0)
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
	if (s->state == SERVE_UPLOAD && may_be_short(s)) {
		s->keep_alive = false; /* where the next request would begin is not known */
		answer_upload(s, now);
	} else if ((s->state == SERVE_HEAD && s->in_n > 0) || s->state == SERVE_UPLOAD) {
		refuse(s, 408, "the request did not come to its end in time", now);
	} else {
		s->state = SERVE_CLOSED;
	}
}
