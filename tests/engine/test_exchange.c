/* SPDX-License-Identifier: MIT */
#include "engine/exchange.h"

#include <stdio.h>

#include "brink.h"
#include "core/io.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define START (70 * NS_PER_S)
#define TIMEOUT (5 * NS_PER_S)

static struct exchange exchange;
static char kept[4096];
static struct text keep;
static ns_t now;

static struct exchange_request asking(enum exchange_method method)
{
	return (struct exchange_request){ .method = method, .host = SLICE("192.0.2.7"), .port = 8080,
		.path = SLICE("/file"),
		.timeout = TIMEOUT };
}

static struct exchange *begin(struct exchange_request r)
{
	now = START;
	memset(&exchange, 0xa5, sizeof(exchange));
	text_init(&keep, kept, sizeof(kept));
	assert_null(exchange_init(&exchange, &r, now));
	return &exchange;
}

/* Let the socket take @n bytes of the request, or all there are. Return: how many it took. */
static uint64_t send_some(struct exchange *x, uint64_t n)
{
	uint64_t taken = 0;

	while (taken < n) {
		struct want w = exchange_out(x);
		uint64_t piece = w.n < n - taken ? w.n : n - taken;

		if (w.kind == WANT_NOTHING)
			break;
		assert_true(w.n > 0 && (w.kind == WANT_WRITE || w.kind == WANT_BULK));
		exchange_moved(x, piece, now);
		taken += piece;
	}
	return taken;
}

/* Bytes of the server arrive at once, as far as they are asked for. Return: how many were taken. */
static size_t hear(struct exchange *x, const char *p, size_t n)
{
	size_t at = 0;

	while (at < n) {
		struct want w = exchange_in(x);
		size_t piece = w.n < n - at ? (size_t)w.n : n - at;

		if (w.kind == WANT_NOTHING)
			break;
		assert_true(w.n > 0 && (w.kind == WANT_READ || w.kind == WANT_DISCARD));
		exchange_got(x, w.kind == WANT_READ ? brink(p + at, piece) : NULL, piece, now);
		at += piece;
	}
	return at;
}

static void hear_text(struct exchange *x, const char *s)
{
	assert_int_equal(hear(x, s, strlen(s)), strlen(s));
}

/* A request that is out already. */
static struct exchange *waiting(enum exchange_method method)
{
	struct exchange *x = begin(asking(method));

	send_some(x, UINT64_MAX);
	assert_int_equal(x->state, EXCHANGE_WAITING);
	return x;
}

static void assert_over(const struct exchange *x)
{
	assert_true(exchange_over(x));
	assert_int_equal(exchange_in(x).kind, WANT_NOTHING);
	assert_int_equal(exchange_out(x).kind, WANT_NOTHING);
	assert_true(exchange_deadline(x) == NS_NEVER);
}

static void assert_broken(const struct exchange *x, const char *why)
{
	assert_int_equal(x->state, EXCHANGE_BROKEN);
	assert_string_equal(x->why, why);
	assert_false(x->keep_alive);
	assert_over(x);
}

/* What the server sends, whether it closes then, and what that comes to. */
struct row {
	const char *what;
	const char *answer;
	const char *body; /* of a complete answer; NULL for one that breaks */
	const char *why;
	enum exchange_method method;
	unsigned status;
	bool closes, keep_alive;
};

#define OK "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"

static const struct row rows[] = {
	{ .what = "a length", .answer = OK "Content-Length: 5\r\n\r\nhello", .status = 200, .body = "hello",
		.keep_alive = true },
	{ .what = "a length of nothing", .answer = OK "Content-Length: 0\r\n\r\n", .status = 200, .body = "",
		.keep_alive = true },
	{ .what = "a length that is repeated", .answer = OK "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
		.status = 200, .body = "hello", .keep_alive = true },
	{ .what = "a length that is listed twice", .answer = OK "Content-Length: 5, 5\r\n\r\nhello", .status = 200,
		.body = "hello", .keep_alive = true },
	{ .what = "names in capitals, lines that end in LF", .answer = "HTTP/1.1 200 OK\nCONTENT-LENGTH: 2\n\nhi",
		.status = 200, .body = "hi", .keep_alive = true },
	{ .what = "a connection that is not kept", .answer = OK "Connection: close\r\nContent-Length: 2\r\n\r\nhi",
		.status = 200, .body = "hi" },
	{ .what = "HTTP/1.0", .answer = "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", .status = 200, .body = "hi" },
	{ .what = "HTTP/1.0 that is kept",
		.answer = "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nhi", .status = 200,
		.body = "hi", .keep_alive = true },
	{ .what = "until the close", .answer = OK "\r\nall of it", .status = 200, .body = "all of it", .closes = true },
	{ .what = "until the close at once", .answer = OK "\r\n", .status = 200, .body = "", .closes = true },
	{ .what = "HTTP/1.0 until the close", .answer = "HTTP/1.0 200 OK\r\n\r\nall", .status = 200, .body = "all",
		.closes = true },
	{ .what = "chunks", .answer = CHUNKED "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", .status = 200, .body = "hello!",
		.keep_alive = true },
	{ .what = "chunks with extensions and trailers",
		.answer = CHUNKED "5;a=b;c=\"d\"\r\nhello\r\n000\r\nX-Bytes: 5\r\nX-Other: yes\r\n\r\n",
		.status = 200, .body = "hello", .keep_alive = true },
	{ .what = "no chunk but the last", .answer = CHUNKED "0\r\n\r\n", .status = 200, .body = "",
		.keep_alive = true },
	{ .what = "no content", .answer = "HTTP/1.1 204 No Content\r\n\r\n", .status = 204, .body = "",
		.keep_alive = true },
	{ .what = "not modified", .answer = "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", .status = 304,
		.body = "", .keep_alive = true },
	{ .what = "to HEAD", .method = EXCHANGE_HEAD, .answer = OK "Content-Length: 99\r\n\r\n", .status = 200,
		.body = "", .keep_alive = true },
	{ .what = "to HEAD, of unknown length", .method = EXCHANGE_HEAD, .answer = CHUNKED, .status = 200, .body = "",
		.keep_alive = true },
	{ .what = "an interim answer first",
		.answer = "HTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 2\r\n\r\nhi", .status = 200,
		.body = "hi", .keep_alive = true },
	{ .what = "two interim answers first",
		.answer = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
			CHUNKED "2\r\nhi\r\n0\r\n\r\n", .status = 200, .body = "hi", .keep_alive = true },
	{ .what = "an interim answer with a length",
		.answer = "HTTP/1.1 100 Continue\r\nContent-Length: 7\r\n\r\n" OK "Content-Length: 2\r\n\r\nhi",
		.status = 200, .body = "hi", .keep_alive = true },
	{ .what = "no reason phrase", .answer = "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", .status = 200,
		.body = "", .keep_alive = true },
	{ .what = "an error page", .answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone", .status = 404,
		.body = "gone", .keep_alive = true },
	{ .what = "a status that nobody knows", .answer = "HTTP/1.1 799 Odd\r\nContent-Length: 0\r\n\r\n",
		.status = 799, .body = "", .keep_alive = true },
	{ .what = "no answer", .answer = "", .closes = true, .why = "closed the connection without an answer" },
	{ .what = "an interim answer alone", .answer = "HTTP/1.1 100 Continue\r\n\r\n", .closes = true,
		.why = "closed the connection without an answer" },
	{ .what = "a byte of a head", .answer = "H", .closes = true,
		.why = "closed the connection inside the head of its answer" },
	{ .what = "half a head", .answer = OK "Content-Le", .closes = true,
		.why = "closed the connection inside the head of its answer" },
	{ .what = "half a body", .answer = OK "Content-Length: 99\r\n\r\nonly 12 byte", .status = 200, .closes = true,
		.why = "closed the connection after 12 of 99 bytes" },
	{ .what = "no body at all", .answer = OK "Content-Length: 99\r\n\r\n", .status = 200, .closes = true,
		.why = "closed the connection after 0 of 99 bytes" },
	{ .what = "half a chunk", .answer = CHUNKED "5\r\nhel", .status = 200, .closes = true,
		.why = "closed the connection after 3 bytes" },
	{ .what = "no last chunk", .answer = CHUNKED "5\r\nhello\r\n", .status = 200, .closes = true,
		.why = "closed the connection after 5 bytes" },
	{ .what = "no end of the trailers", .answer = CHUNKED "5\r\nhello\r\n0\r\nX-Bytes: 5\r\n", .status = 200,
		.closes = true, .why = "closed the connection after 5 bytes" },
	{ .what = "two lengths", .answer = OK "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", .status = 200,
		.why = "sent Content-Length twice with different values" },
	{ .what = "two lengths in one field", .answer = OK "Content-Length: 5, 6\r\n\r\n", .status = 200,
		.why = "sent Content-Length twice with different values" },
	{ .what = "a negative length", .answer = OK "Content-Length: -5\r\n\r\n", .status = 200,
		.why = "sent a Content-Length that is not a valid number" },
	{ .what = "a length of 2^64", .answer = OK "Content-Length: 18446744073709551616\r\n\r\n", .status = 200,
		.why = "sent a Content-Length that is not a valid number" },
	{ .what = "a length with a unit", .answer = OK "Content-Length: 5 bytes\r\n\r\n", .status = 200,
		.why = "sent a Content-Length that is not a valid number" },
	{ .what = "a length and chunks", .answer = OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
		.status = 200, .why = "sent both Content-Length and Transfer-Encoding" },
	{ .what = "chunks and a length", .answer = OK "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
		.status = 200, .why = "sent both Content-Length and Transfer-Encoding" },
	{ .what = "another coding", .answer = OK "Transfer-Encoding: gzip, chunked\r\n\r\n", .status = 200,
		.why = "sent a Transfer-Encoding other than the chunked of HTTP/1.1" },
	{ .what = "chunks from HTTP/1.0", .answer = "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		.status = 200, .why = "sent a Transfer-Encoding other than the chunked of HTTP/1.1" },
	{ .what = "a chunk size that is no number", .answer = CHUNKED "x", .status = 200,
		.why = "sent a malformed chunk" },
	{ .what = "a negative chunk size", .answer = CHUNKED "-", .status = 200, .why = "sent a malformed chunk" },
	{ .what = "a chunk that is too long", .answer = CHUNKED "5\r\nhello!", .status = 200,
		.why = "sent a malformed chunk" },
	{ .what = "a huge chunk size", .answer = CHUNKED "fffffffffffffffff", .status = 200,
		.why = "sent a chunk size that does not fit 63 bits" },
	{ .what = "a trailer without a colon", .answer = CHUNKED "0\r\nX\r", .status = 200,
		.why = "sent a malformed header field" },
	{ .what = "something else", .answer = "SSH-2.0-OpenSSH_9.2\r\n", .why = "sent something that is not HTTP" },
	{ .what = "an empty line first", .answer = "\r\n" OK "\r\n", .why = "sent something that is not HTTP" },
	{ .what = "HTTP/2.0", .answer = "HTTP/2.0 200 OK\r\n\r\n",
		.why = "sent a version that is not HTTP/1.0 or HTTP/1.1" },
	{ .what = "a status of two digits", .answer = "HTTP/1.1 20 OK\r\n\r\n",
		.why = "sent something that is not HTTP" },
	{ .what = "a bare CR", .answer = OK "A: b\rC: d\r\n\r\n", .why = "sent a control character in a header" },
	{ .what = "a field without a colon", .answer = OK "Content-Length 5\r\n\r\n",
		.why = "sent a malformed header field" },
	{ .what = "a space before the colon", .answer = OK "Content-Length : 5\r\n\r\n",
		.why = "sent a malformed header field" },
	{ .what = "a folded line", .answer = OK "A: b\r\n c\r\n\r\n", .why = "sent a malformed header field" },
};

static void feed_row(const struct row *row, size_t cut, bool kept_too)
{
	struct exchange_request r = asking(row->method);
	size_t n = strlen(row->answer);

	r.keep = kept_too ? &keep : NULL;
	struct exchange *x = begin(r);

	send_some(x, UINT64_MAX);
	if (cut > n) {
		for (size_t i = 0; i < n && !exchange_over(x); i++)
			hear(x, row->answer + i, 1);
	} else {
		hear(x, row->answer, cut);
		hear(x, row->answer + cut, n - cut);
	}
	if (row->closes)
		exchange_closed(x, IO_END, now);
	if (!exchange_over(x) || x->status != row->status || (row->body && x->state != EXCHANGE_DONE) ||
		(row->why && strcmp(x->why, row->why) != 0))
		print_message("# %s, cut at %zu: state %d, status %u, %s\n", row->what, cut, (int)x->state, x->status,
			x->why);
	assert_over(x);
	assert_int_equal(x->status, row->status);
	assert_false(x->early);
	if (!row->body) {
		assert_broken(x, row->why);
		return;
	}
	assert_int_equal(x->state, EXCHANGE_DONE);
	assert_int_equal(x->body.received, strlen(row->body));
	assert_int_equal(x->keep_alive, row->keep_alive);
	if (kept_too)
		assert_string_equal(kept, row->body);
}

static void every_kind_of_answer_is_understood_whole_byte_by_byte_and_at_every_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t cut = 0; cut <= strlen(rows[i].answer) + 1; cut++)
			for (int kept_too = 0; kept_too < 2; kept_too++)
				feed_row(&rows[i], cut, kept_too);
}

static void a_nul_in_the_head_is_refused(void **state)
{
	(void)state;
	static const char answer[] = "HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n";
	struct exchange *x = waiting(EXCHANGE_GET);

	hear(x, answer, sizeof(answer) - 1);
	assert_broken(x, "sent a control character in a header");
}

static void a_header_line_of_a_megabyte_is_refused_before_it_is_all_there(void **state)
{
	(void)state;
	static char line[1 << 20];
	struct exchange *x = waiting(EXCHANGE_GET);

	memset(line, 'a', sizeof(line));
	hear_text(x, OK "A: ");
	assert_true(strlen(OK "A: ") + hear(x, line, sizeof(line)) <= HTTP1_HEAD_MAX + 1);
	assert_broken(x, "sent a header of more than 16384 bytes");
}

static void too_many_fields_are_refused(void **state)
{
	(void)state;
	char answer[2048] = OK;

	for (int i = 0; i <= HTTP1_FIELDS_MAX; i++)
		strcat(answer, "A: b\r\n");
	strcat(answer, "\r\n");
	struct exchange *x = waiting(EXCHANGE_GET);

	hear(x, answer, strlen(answer));
	assert_broken(x, "sent more than 64 header fields");
}

static void trailers_without_end_are_refused(void **state)
{
	(void)state;
	struct exchange *x = waiting(EXCHANGE_GET);

	hear_text(x, CHUNKED "0\r\n");
	for (int i = 0; i < 5000 && !exchange_over(x); i++)
		hear_text(x, "A: b\r\n");
	assert_broken(x, "sent more than 8192 bytes of chunk extensions and trailers");
}

static void interim_answers_without_end_are_refused(void **state)
{
	(void)state;
	struct exchange *x = waiting(EXCHANGE_GET);
	int n = 0;

	for (; n < 1000 && !exchange_over(x); n++)
		hear_text(x, "HTTP/1.1 102 Processing\r\n\r\n");
	assert_true(n > 4 && n < 100);
	assert_broken(x, "sent one interim answer after another");
	assert_int_equal(x->status, 0);
}

/* Also where they all come in one piece: the limit is one of answers, not of calls. */
static void interim_answers_in_one_piece_are_refused_too(void **state)
{
	(void)state;
	static char answers[4096];
	struct exchange *x = waiting(EXCHANGE_GET);

	for (int i = 0; i < 100; i++)
		strcat(answers, "HTTP/1.1 100 Continue\r\n\r\n");
	hear(x, answers, strlen(answers));
	assert_broken(x, "sent one interim answer after another");
}

static void bytes_behind_the_body_are_not_counted_and_end_the_connection(void **state)
{
	(void)state;
	static const char *const answers[] = { OK "Content-Length: 5\r\n\r\nhello there",
		OK "Content-Length: 5\r\n\r\nhello!",
		CHUNKED "5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n" };

	for (size_t i = 0; i < COUNT(answers); i++) {
		struct exchange *x = waiting(EXCHANGE_GET);

		hear_text(x, answers[i]);
		assert_int_equal(x->state, EXCHANGE_DONE);
		assert_int_equal(x->body.received, 5);
		assert_false(x->keep_alive);
	}
}

static void bytes_behind_an_answer_without_body_end_the_connection(void **state)
{
	(void)state;
	static const struct {
		enum exchange_method method;
		const char *answer;
	} v[] = { { EXCHANGE_GET, OK "Content-Length: 0\r\n\r\nhello" },
		{ EXCHANGE_GET, "HTTP/1.1 204 No Content\r\n\r\nhello" },
		{ EXCHANGE_HEAD, OK "Content-Length: 5\r\n\r\nhello" },
		{ EXCHANGE_GET, "HTTP/1.1 304 Not Modified\r\n\r\nhello" } };

	for (size_t i = 0; i < COUNT(v); i++) {
		struct exchange *x = waiting(v[i].method);

		hear_text(x, v[i].answer);
		assert_int_equal(x->state, EXCHANGE_DONE);
		assert_false(x->keep_alive);
	}
}

/* Nobody asked for another protocol, so nobody can speak it. */
static void a_connection_that_switches_protocols_is_not_kept(void **state)
{
	(void)state;
	struct exchange *x = waiting(EXCHANGE_GET);

	hear_text(x, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n");
	assert_false(x->keep_alive);
}

static void a_length_that_is_listed_twice_is_known(void **state)
{
	(void)state;
	struct exchange *x = waiting(EXCHANGE_HEAD);

	hear_text(x, OK "Content-Length: 5, 5\r\n\r\n");
	assert_true(x->has_length);
	assert_int_equal(x->length, 5);
}

static void silence_after_an_interim_answer_is_not_the_middle_of_a_head(void **state)
{
	(void)state;
	struct exchange *x = waiting(EXCHANGE_GET);

	hear_text(x, "HTTP/1.1 100 Continue\r\n\r\n");
	exchange_tick(x, START + TIMEOUT);
	assert_null(strstr(x->why, "middle of the head"));
}

static void a_host_that_does_not_fit_is_refused_and_not_cut(void **state)
{
	(void)state;
	static char host[1000];
	struct exchange_request r = asking(EXCHANGE_GET);

	memset(host, 'h', sizeof(host));
	r.host = (struct slice){ host, sizeof(host) };
	assert_non_null(exchange_init(&exchange, &r, START));
}

static void what_the_head_says_is_kept(void **state)
{
	(void)state;
	struct exchange *x = waiting(EXCHANGE_HEAD);

	hear_text(x, "HTTP/1.1 301 Moved Elsewhere\r\nServer: thing/1.0\r\nLocation: /other?a=b\r\n"
		     "Content-Type: text/html; charset=utf-8\r\nContent-Length: 123456789012\r\n\r\n");
	assert_int_equal(x->status, 301);
	assert_string_equal(x->reason, "Moved Elsewhere");
	assert_string_equal(x->server, "thing/1.0");
	assert_string_equal(x->location, "/other?a=b");
	assert_string_equal(x->type, "text/html; charset=utf-8");
	assert_false(x->coded);
	assert_true(x->has_length);
	assert_int_equal(x->length, 123456789012);
}

static void what_the_head_does_not_say_is_empty(void **state)
{
	(void)state;
	struct exchange *x = waiting(EXCHANGE_GET);

	hear_text(x, "HTTP/1.1 503\r\n\r\n");
	assert_string_equal(x->reason, "Service Unavailable");
	x = waiting(EXCHANGE_GET);
	hear_text(x, "HTTP/1.1 503 K\r\n\r\n");
	assert_string_equal(x->reason, "K");
	assert_string_equal(x->server, "");
	assert_string_equal(x->location, "");
	assert_string_equal(x->type, "");
	assert_false(x->has_length);
	assert_false(x->coded);
}

static void the_words_of_a_server_are_safe_to_print(void **state)
{
	(void)state;
	char answer[2048];
	struct exchange *x = waiting(EXCHANGE_HEAD);

	hear_text(x, "HTTP/1.1 200 \x9b[31m\r\nServer: \xff\xc2\x9b\r\nContent-Type: \xe0\x80\r\n\r\n");
	assert_string_equal(x->reason, "\\x9b[31m");
	assert_string_equal(x->server, "\\xff\\xc2\\x9b");
	assert_string_equal(x->type, "\\xe0\\x80");
	snprintf(answer, sizeof(answer), OK "Server: %0500d\r\nLocation: /%0600d\r\n\r\n", 0, 0);
	x = waiting(EXCHANGE_HEAD);
	hear_text(x, answer);
	assert_int_equal(strlen(x->server), sizeof(x->server) - 1);
	assert_string_equal(x->location, ""); /* half of one leads nowhere */
}

static void a_coding_that_was_not_asked_for_is_noticed(void **state)
{
	(void)state;
	static const struct {
		const char *field;
		bool coded;
	} v[] = { { "Content-Encoding: gzip", true }, { "content-encoding: br, gzip", true },
		{ "Content-Encoding: x", true }, { "Content-Encoding: identity", false },
			{ "Content-Encoding: Identity", false },
		{ "Content-Encoding:", false } };

	for (size_t i = 0; i < COUNT(v); i++) {
		struct exchange *x = waiting(EXCHANGE_HEAD);

		hear_text(x, OK);
		hear_text(x, v[i].field);
		hear_text(x, "\r\n\r\n");
		assert_int_equal(x->coded, v[i].coded);
	}
}

/* The request as a server reads it. */
static char written[4096];

static struct http1_head request_of(struct exchange *x)
{
	struct http1_head h;
	http1_mark mark = 0;
	size_t n = 0;

	while (x->state == EXCHANGE_SENDING) {
		struct want w = exchange_out(x);

		assert_int_equal(w.kind, WANT_WRITE);
		memcpy(written + n, w.p, 1);
		exchange_moved(x, 1, now);
		n++;
	}
	assert_int_equal(http1_head_parse(&h, HTTP1_REQUEST, written, n, &mark), n);
	return h;
}

static void assert_field(const struct http1_head *h, const char *name, const char *want)
{
	struct slice v;

	assert_int_equal(http1_head_find(h, name, &v), want != NULL);
	if (want) {
		assert_int_equal(v.n, strlen(want));
		assert_memory_equal(v.p, want, v.n);
	}
}

static void a_request_says_what_is_needed_and_no_more(void **state)
{
	(void)state;
	static const struct {
		enum exchange_method method;
		uint64_t body;
		const char *word, *length, *coding;
	} v[] = { { EXCHANGE_GET, 0, "GET", NULL, NULL }, { EXCHANGE_HEAD, 0, "HEAD", NULL, NULL },
		{ EXCHANGE_POST, 12345, "POST", "12345", NULL }, { EXCHANGE_POST, 0, "POST", "0", NULL },
		{ EXCHANGE_POST, SOURCE_UNBOUNDED, "POST", NULL, "chunked" } };

	for (size_t i = 0; i < COUNT(v); i++) {
		struct exchange_request r = asking(v[i].method);

		r.body = v[i].body;
		struct http1_head h = request_of(begin(r));

		assert_true(slice_eq(h.method, slice_of(v[i].word)));
		assert_true(slice_eq(h.target, SLICE("/file")));
		assert_int_equal(h.minor, 1);
		assert_field(&h, "Host", "192.0.2.7:8080");
		assert_field(&h, "Accept-Encoding", "identity");
		assert_field(&h, "Content-Length", v[i].length);
		assert_field(&h, "Transfer-Encoding", v[i].coding);
		assert_field(&h, "Expect", NULL);
	}
}

static void host_and_path_are_written_as_http_wants_them(void **state)
{
	(void)state;
	static const struct {
		const char *host, *path;
		uint16_t port;
		const char *host_field, *target;
	} v[] = {
		{ "example.com", "/a?b", 80, "example.com", "/a?b" },
		{ "example.com", "", 8080, "example.com:8080", "/" },
		{ "2001:db8::1", "/", 80, "[2001:db8::1]", "/" },
		{ "fe80::1%eth0", "/", 8080, "[fe80::1]:8080", "/" },
		{ "fe80::1%25eth0", "/", 8080, "[fe80::1]:8080", "/" },
	};

	for (size_t i = 0; i < COUNT(v); i++) {
		struct exchange_request r = asking(EXCHANGE_GET);

		r.host = slice_of(v[i].host);
		r.path = slice_of(v[i].path);
		r.port = v[i].port;
		struct http1_head h = request_of(begin(r));

		assert_field(&h, "Host", v[i].host_field);
		assert_true(slice_eq(h.target, slice_of(v[i].target)));
	}
}

static void a_request_that_cannot_be_written_is_refused(void **state)
{
	(void)state;
	static const char *const paths[] = { "/a b", "/a\r\nX: y", "/a\nb", "/a\tb", "/\x7f", "/\x01" };
	static char longest[3000];
	struct exchange_request r = asking(EXCHANGE_GET);

	for (size_t i = 0; i < COUNT(paths); i++) {
		r.path = slice_of(paths[i]);
		assert_non_null(exchange_init(&exchange, &r, START));
	}
	memset(longest, 'a', sizeof(longest));
	longest[0] = '/';
	r.path = (struct slice){ longest, 3000 };
	assert_non_null(exchange_init(&exchange, &r, START));
	r.path.n = 2048;
	assert_null(exchange_init(&exchange, &r, START));
	r = asking(EXCHANGE_GET);
	r.host = SLICE("evil\r\nX: y");
	assert_non_null(exchange_init(&exchange, &r, START));
}

static void a_head_travels_with_the_body_behind_it(void **state)
{
	(void)state;
	struct exchange_request r = asking(EXCHANGE_POST);

	assert_false(exchange_out(begin(r)).more);
	r.body = 1;
	assert_true(exchange_out(begin(r)).more);
	r.body = SOURCE_UNBOUNDED;
	assert_true(exchange_out(begin(r)).more);
	assert_false(exchange_out(begin(asking(EXCHANGE_GET))).more);
}

static void a_body_of_known_length_is_sent_in_full(void **state)
{
	(void)state;
	struct exchange_request r = asking(EXCHANGE_POST);

	r.body = UINT64_C(5) << 30;
	struct exchange *x = begin(r);

	request_of(x);
	assert_int_equal(x->state, EXCHANGE_BODY);
	assert_int_equal(x->sent, 0);
	assert_int_equal(send_some(x, UINT64_MAX), r.body);
	assert_int_equal(x->state, EXCHANGE_WAITING);
	assert_int_equal(x->source.sent, r.body);
	assert_int_equal(exchange_out(x).kind, WANT_NOTHING);
	hear_text(x, OK "Content-Length: 2\r\n\r\nok");
	assert_int_equal(x->state, EXCHANGE_DONE);
	assert_false(x->early);
	assert_true(x->keep_alive);
}

static void a_body_in_chunks_ends_when_it_is_told_to(void **state)
{
	(void)state;
	struct exchange_request r = asking(EXCHANGE_POST);

	r.body = SOURCE_UNBOUNDED;
	struct exchange *x = begin(r);

	request_of(x);
	send_some(x, 1000000);
	assert_int_equal(x->state, EXCHANGE_BODY);
	source_finish(&x->source);
	send_some(x, UINT64_MAX);
	assert_int_equal(x->state, EXCHANGE_WAITING);
	assert_true(x->source.sent > 900000);
	hear_text(x, OK "Content-Length: 2\r\n\r\nok");
	assert_int_equal(x->state, EXCHANGE_DONE);
	assert_false(x->early);
}

/* @at: bytes of the request that were out when the answer came; the head is less than 300 bytes. */
static void an_answer_before_the_body_is_out_is_early(void **state)
{
	(void)state;
	static const struct {
		const char *answer;
		unsigned status;
	} answers[] = {
		{ "HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\n\r\nmuch", 413 },
		{ "HTTP/1.1 501 Unsupported method\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", 501 },
		{ OK "Content-Length: 4\r\n\r\nfine", 200 },
		{ CHUNKED "4\r\nfine\r\n0\r\n\r\n", 200 },
		{ "HTTP/1.1 204 No Content\r\n\r\n", 204 },
	};
	static const uint64_t moments[] = { 0, 1, 50, 100000, 999999 };
	static const uint64_t bodies[] = { 1000000, SOURCE_UNBOUNDED };

	for (size_t i = 0; i < COUNT(answers) * COUNT(moments) * COUNT(bodies); i++) {
		struct exchange_request r = asking(EXCHANGE_POST);
		uint64_t at = moments[i / COUNT(answers) % COUNT(moments)];

		r.body = bodies[i / COUNT(answers) / COUNT(moments)];
		struct exchange *x = begin(r);

		assert_int_equal(send_some(x, at), at);
		uint64_t payload = x->source.sent;

		assert_int_equal(payload == 0, at < 1000);
		hear_text(x, answers[i % COUNT(answers)].answer);
		assert_int_equal(x->state, EXCHANGE_DONE);
		assert_int_equal(x->status, answers[i % COUNT(answers)].status);
		assert_true(x->early);
		assert_int_equal(x->early_sent, payload);
		assert_int_equal(x->sent, 0);
		assert_false(x->keep_alive); /* half a request stands on it */
		assert_over(x);
	}
}

static void after_an_early_head_nothing_more_is_sent_and_the_body_is_read(void **state)
{
	(void)state;
	struct exchange_request r = asking(EXCHANGE_POST);

	r.body = 1000000;
	struct exchange *x = begin(r);

	send_some(x, 5000);
	hear_text(x, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\n\r\nmu");
	assert_int_equal(x->state, EXCHANGE_RECEIVING);
	assert_int_equal(exchange_out(x).kind, WANT_NOTHING);
	uint64_t payload = x->early_sent;

	exchange_moved(x, 100, now); /* was under way when the answer came */
	assert_int_equal(x->early_sent, payload);
	assert_int_equal(x->state, EXCHANGE_RECEIVING);
	hear_text(x, "ch");
	assert_int_equal(x->state, EXCHANGE_DONE);
}

static void an_early_answer_that_breaks_still_tells_its_status(void **state)
{
	(void)state;
	struct exchange_request r = asking(EXCHANGE_POST);

	r.body = 1000000;
	struct exchange *x = begin(r);

	send_some(x, 5000);
	hear_text(x, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 40\r\n\r\nmu");
	exchange_closed(x, IO_RESET, now);
	assert_broken(x, "reset the connection");
	assert_int_equal(x->status, 413);
	assert_true(x->early);
}

static void an_interim_answer_does_not_end_the_body(void **state)
{
	(void)state;
	struct exchange_request r = asking(EXCHANGE_POST);

	r.body = 100000;
	struct exchange *x = begin(r);

	send_some(x, 5000);
	hear_text(x, "HTTP/1.1 100 Continue\r\n\r\n");
	assert_int_equal(x->state, EXCHANGE_BODY);
	send_some(x, UINT64_MAX);
	hear_text(x, OK "Content-Length: 0\r\n\r\n");
	assert_int_equal(x->state, EXCHANGE_DONE);
	assert_false(x->early);
	assert_int_equal(x->source.sent, 100000);
}

/* Steps that the exchange makes before it hangs; each ends a timeout after its last progress. */
static void step_nothing(struct exchange *x)
{
	(void)x;
}

static void step_half_head(struct exchange *x)
{
	send_some(x, 20);
}

static void step_half_body(struct exchange *x)
{
	send_some(x, 5000);
}

static void step_all_sent(struct exchange *x)
{
	send_some(x, UINT64_MAX);
}

static void step_half_answer(struct exchange *x)
{
	send_some(x, UINT64_MAX);
	hear_text(x, OK "Content-Le");
}

static void step_half_content(struct exchange *x)
{
	send_some(x, UINT64_MAX);
	hear_text(x, OK "Content-Length: 100\r\n\r\nhalf");
}

static void step_half_chunk(struct exchange *x)
{
	send_some(x, UINT64_MAX);
	hear_text(x, CHUNKED "64\r\nhalf");
}

static void step_no_content(struct exchange *x)
{
	send_some(x, UINT64_MAX);
	hear_text(x, OK "\r\n");
}

static const struct {
	void (*step)(struct exchange *);
	const char *why;
} stalls[] = {
	{ step_nothing, "took no data for 5 s" },
	{ step_half_head, "took no data for 5 s" },
	{ step_half_body, "took no data for 5 s" },
	{ step_all_sent, "sent nothing for 5 s" },
	{ step_half_answer, "stopped in the middle of the head for 5 s" },
	{ step_half_content, "stopped in the middle of the body for 5 s" },
	{ step_half_chunk, "stopped in the middle of the body for 5 s" },
	{ step_no_content, "stopped in the middle of the body for 5 s" },
};

static void patience_ends_in_every_state(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(stalls); i++) {
		struct exchange_request r = asking(EXCHANGE_POST);

		r.body = 1000000;
		struct exchange *x = begin(r);

		assert_true(exchange_deadline(x) == START + TIMEOUT);
		now = START + 2 * NS_PER_S;
		stalls[i].step(x);
		ns_t end = (i == 0 ? START : now) + TIMEOUT;

		assert_true(exchange_deadline(x) == end);
		exchange_tick(x, end - 1);
		assert_false(exchange_over(x));
		exchange_tick(x, end);
		assert_broken(x, stalls[i].why);
		assert_true(x->ended == end);
		exchange_tick(x, end + TIMEOUT);
		assert_broken(x, stalls[i].why);
	}
}

static void giving_up_early_says_the_same_and_changes_nothing_afterwards(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(stalls); i++) {
		struct exchange_request r = asking(EXCHANGE_POST);

		r.body = 1000000;
		struct exchange *x = begin(r);

		stalls[i].step(x);
		exchange_give_up(x, now + 1);
		assert_broken(x, stalls[i].why);
		assert_true(x->ended == now + 1);
		exchange_give_up(x, now + 2);
		assert_true(x->ended == now + 1);
	}
}

/* What the socket took long ago is still being acknowledged by the other side. */
static void progress_that_only_the_connection_shows_is_waited_for(void **state)
{
	(void)state;
	struct exchange *x = waiting(EXCHANGE_GET);

	exchange_touch(x, START + 4 * NS_PER_S);
	assert_true(exchange_deadline(x) == START + 4 * NS_PER_S + TIMEOUT);
	exchange_tick(x, START + 4 * NS_PER_S + TIMEOUT);
	exchange_touch(x, START + 20 * NS_PER_S);
	assert_broken(x, "sent nothing for 5 s");
}

/* A byte a second is not a head: it must be whole within one timeout. */
static void a_head_that_trickles_is_not_waited_for(void **state)
{
	(void)state;
	static const char head[] = OK "Server: slow\r\n\r\n";
	struct exchange *x = waiting(EXCHANGE_GET);
	int n = 0;

	for (; !exchange_over(x); n++) {
		now += NS_PER_S;
		exchange_tick(x, now);
		hear(x, head + n, 1);
	}
	assert_int_equal(n, 5);
	assert_broken(x, "stopped in the middle of the head for 5 s");
}

static void a_body_that_goes_on_is_waited_for(void **state)
{
	(void)state;
	struct exchange *x = waiting(EXCHANGE_GET);

	hear_text(x, OK "Content-Length: 100\r\n\r\n");
	for (int i = 0; i < 100; i++) {
		now += TIMEOUT - 1;
		exchange_tick(x, now);
		hear_text(x, "x");
	}
	assert_int_equal(x->state, EXCHANGE_DONE);
}

static void the_time_of_the_body_begins_with_the_head(void **state)
{
	(void)state;
	struct exchange *x = waiting(EXCHANGE_GET);

	now = START + 3 * NS_PER_S;
	hear_text(x, OK "Content-Length: 100\r\n\r\n");
	assert_true(exchange_deadline(x) == now + TIMEOUT);
}

static void a_request_that_goes_out_slowly_is_waited_for(void **state)
{
	(void)state;
	struct exchange_request r = asking(EXCHANGE_POST);

	r.body = 100;
	struct exchange *x = begin(r);

	for (; x->state != EXCHANGE_WAITING; send_some(x, 1)) {
		now += TIMEOUT - 1;
		exchange_tick(x, now);
		assert_false(exchange_over(x));
	}
	exchange_moved(x, 0, now + NS_PER_S); /* nothing taken is no progress */
	assert_true(exchange_deadline(x) == now + TIMEOUT);
}

static void a_connection_that_ends_is_told_by_what_was_there(void **state)
{
	(void)state;
	static const struct {
		void (*step)(struct exchange *);
		int io;
		const char *why;
	} v[] = {
		{ step_nothing, IO_END, "closed the connection without an answer" },
		{ step_half_body, IO_END, "closed the connection without an answer" },
		{ step_all_sent, IO_END, "closed the connection without an answer" },
		{ step_half_answer, IO_END, "closed the connection inside the head of its answer" },
		{ step_half_content, IO_END, "closed the connection after 4 of 100 bytes" },
		{ step_half_chunk, IO_END, "closed the connection after 4 bytes" },
		{ step_nothing, IO_RESET, "reset the connection" },
		{ step_half_body, IO_RESET, "reset the connection" },
		{ step_all_sent, IO_RESET, "reset the connection" },
		{ step_half_answer, IO_RESET, "reset the connection" },
		{ step_half_content, IO_RESET, "reset the connection" },
		{ step_no_content, IO_RESET, "reset the connection" },
		{ step_all_sent, IO_UNREACHABLE, "Network is unreachable" },
	};

	for (size_t i = 0; i < COUNT(v); i++) {
		struct exchange_request r = asking(EXCHANGE_POST);

		r.body = 1000000;
		struct exchange *x = begin(r);

		v[i].step(x);
		now += NS_PER_MS;
		exchange_closed(x, v[i].io, now);
		assert_broken(x, v[i].why);
		assert_true(x->ended == now);
	}
}

static void what_comes_when_it_is_over_changes_nothing(void **state)
{
	(void)state;
	struct exchange *x = waiting(EXCHANGE_GET);

	hear_text(x, OK "Content-Length: 2\r\n\r\nhi");
	struct exchange before = *x;

	exchange_closed(x, IO_RESET, now + 1);
	exchange_got(x, "HTTP", 4, now + 1);
	exchange_got(x, NULL, 4, now + 1);
	exchange_tick(x, NS_NEVER - 1);
	assert_memory_equal(&before, x, sizeof(before));
}

static void each_step_has_its_stamp(void **state)
{
	(void)state;
	struct exchange_request r = asking(EXCHANGE_POST);

	r.body = 1000;
	struct exchange *x = begin(r);

	now = START + 10;
	send_some(x, 500);
	now = START + 20;
	send_some(x, UINT64_MAX);
	now = START + 30;
	hear_text(x, "HTTP/1.1 200 OK\r\n");
	now = START + 40;
	hear_text(x, "Content-Length: 2\r\n\r\n");
	now = START + 50;
	hear_text(x, "hi");
	assert_true(x->started == START);
	assert_true(x->sent == START + 20);
	assert_true(x->first_byte == START + 30);
	assert_true(x->ended == START + 50);
}

static void payload_that_nobody_reads_is_thrown_away_by_the_kernel(void **state)
{
	(void)state;
	static const struct {
		const char *head;
		uint64_t n;
	} v[] = { { OK "Content-Length: 5368709120\r\n\r\n", UINT64_C(5) << 30 },
		{ CHUNKED "140000000\r\n", UINT64_C(5) << 30 } };

	for (size_t i = 0; i < COUNT(v); i++) {
		struct exchange *x = waiting(EXCHANGE_GET);
		uint64_t got = 0;

		hear_text(x, v[i].head);
		while (exchange_in(x).kind == WANT_DISCARD) {
			struct want w = exchange_in(x);
			uint64_t n = w.n < 123456789 ? w.n : 123456789;

			assert_int_equal(w.n, v[i].n - got);
			exchange_got(x, NULL, n, now);
			got += n;
		}
		assert_true(v[i].n - got < 10000);
		for (; got < v[i].n; got++)
			hear_text(x, "x");
		assert_int_equal(x->body.received, v[i].n);
		if (i == 1)
			hear_text(x, "\r\n0\r\n\r\n");
		assert_int_equal(x->state, EXCHANGE_DONE);
		assert_true(x->keep_alive);
	}
}

static void until_the_close_is_thrown_away_too(void **state)
{
	(void)state;
	struct exchange *x = waiting(EXCHANGE_GET);

	hear_text(x, OK "\r\n");
	for (int i = 0; i < 10; i++) {
		assert_int_equal(exchange_in(x).kind, WANT_DISCARD);
		exchange_got(x, NULL, 1 << 30, now);
	}
	exchange_closed(x, IO_END, now);
	assert_int_equal(x->state, EXCHANGE_DONE);
	assert_int_equal(x->body.received, UINT64_C(10) << 30);
	assert_false(x->keep_alive);
}

static void a_body_that_is_kept_is_kept_as_far_as_it_fits_and_counted_in_full(void **state)
{
	(void)state;
	static char page[20000];
	char few[100];
	struct exchange_request r = asking(EXCHANGE_GET);

	for (size_t i = 0; i < sizeof(page); i++)
		page[i] = (char)('a' + i % 26);
	r.keep = &keep;
	struct exchange *x = begin(r);

	text_init(&keep, few, sizeof(few));
	send_some(x, UINT64_MAX);
	hear_text(x, OK "Content-Length: 20000\r\n\r\n");
	assert_int_equal(hear(x, page, sizeof(page)), sizeof(page));
	assert_int_equal(x->state, EXCHANGE_DONE);
	assert_int_equal(x->body.received, sizeof(page));
	assert_true(keep.cut);
	assert_int_equal(keep.len, 99);
	assert_memory_equal(few, page, 99);
}

static void one_connection_serves_one_request_after_another(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct exchange *x = begin(asking(i == 1 ? EXCHANGE_HEAD : EXCHANGE_GET));

		send_some(x, UINT64_MAX);
		hear_text(x, OK "Content-Length: 2\r\n\r\n");
		if (i != 1)
			hear_text(x, "hi");
		assert_int_equal(x->state, EXCHANGE_DONE);
		assert_true(x->keep_alive);
		assert_int_equal(x->body.received, i == 1 ? 0 : 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_answer_is_understood_whole_byte_by_byte_and_at_every_cut),
		cmocka_unit_test(a_nul_in_the_head_is_refused),
		cmocka_unit_test(a_header_line_of_a_megabyte_is_refused_before_it_is_all_there),
		cmocka_unit_test(too_many_fields_are_refused),
		cmocka_unit_test(trailers_without_end_are_refused),
		cmocka_unit_test(interim_answers_without_end_are_refused),
		cmocka_unit_test(interim_answers_in_one_piece_are_refused_too),
		cmocka_unit_test(bytes_behind_the_body_are_not_counted_and_end_the_connection),
		cmocka_unit_test(bytes_behind_an_answer_without_body_end_the_connection),
		cmocka_unit_test(a_connection_that_switches_protocols_is_not_kept),
		cmocka_unit_test(a_length_that_is_listed_twice_is_known),
		cmocka_unit_test(silence_after_an_interim_answer_is_not_the_middle_of_a_head),
		cmocka_unit_test(a_host_that_does_not_fit_is_refused_and_not_cut),
		cmocka_unit_test(what_the_head_says_is_kept),
		cmocka_unit_test(what_the_head_does_not_say_is_empty),
		cmocka_unit_test(the_words_of_a_server_are_safe_to_print),
		cmocka_unit_test(a_coding_that_was_not_asked_for_is_noticed),
		cmocka_unit_test(a_request_says_what_is_needed_and_no_more),
		cmocka_unit_test(host_and_path_are_written_as_http_wants_them),
		cmocka_unit_test(a_request_that_cannot_be_written_is_refused),
		cmocka_unit_test(a_head_travels_with_the_body_behind_it),
		cmocka_unit_test(a_body_of_known_length_is_sent_in_full),
		cmocka_unit_test(a_body_in_chunks_ends_when_it_is_told_to),
		cmocka_unit_test(an_answer_before_the_body_is_out_is_early),
		cmocka_unit_test(after_an_early_head_nothing_more_is_sent_and_the_body_is_read),
		cmocka_unit_test(an_early_answer_that_breaks_still_tells_its_status),
		cmocka_unit_test(an_interim_answer_does_not_end_the_body),
		cmocka_unit_test(patience_ends_in_every_state),
		cmocka_unit_test(giving_up_early_says_the_same_and_changes_nothing_afterwards),
		cmocka_unit_test(progress_that_only_the_connection_shows_is_waited_for),
		cmocka_unit_test(a_head_that_trickles_is_not_waited_for),
		cmocka_unit_test(a_body_that_goes_on_is_waited_for),
		cmocka_unit_test(the_time_of_the_body_begins_with_the_head),
		cmocka_unit_test(a_request_that_goes_out_slowly_is_waited_for),
		cmocka_unit_test(a_connection_that_ends_is_told_by_what_was_there),
		cmocka_unit_test(what_comes_when_it_is_over_changes_nothing),
		cmocka_unit_test(each_step_has_its_stamp),
		cmocka_unit_test(payload_that_nobody_reads_is_thrown_away_by_the_kernel),
		cmocka_unit_test(until_the_close_is_thrown_away_too),
		cmocka_unit_test(a_body_that_is_kept_is_kept_as_far_as_it_fits_and_counted_in_full),
		cmocka_unit_test(one_connection_serves_one_request_after_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
