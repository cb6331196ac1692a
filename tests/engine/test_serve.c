/* SPDX-License-Identifier: MIT */
#include "engine/serve.h"

#include <stdio.h>

#include "brink.h"
#include "core/io.h"
#include "core/json.h"
#include "ear.h"
#include "formats.h"
#include "rng.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define START (40 * NS_PER_S)
#define PAGE "<!doctype html><title>sonde</title><p>the page, long enough to need more than one write</p>"
#define CSS "h1 { color: red }"
#define JS "go()"
#define PLAIN "see it in a browser"
#define BODY_MAX 10000

static const struct serve_cfg cfg = {
	.names = { { "welcome.example", 15 } },
	.n_names = 1,
	.page = { { PAGE, sizeof(PAGE) - 1 }, { CSS, sizeof(CSS) - 1 }, { JS, sizeof(JS) - 1 } },
	.head_time = 10 * NS_PER_S,
	.idle_time = 15 * NS_PER_S,
	.body_time = 60 * NS_PER_S,
	.congestion_allowed = { "reno bbr", 8 },
	.body_max = BODY_MAX,
};

/* The same where the page is compressed. */
static const struct serve_cfg coded_cfg = {
	.page = { { PAGE, sizeof(PAGE) - 1 }, { CSS, sizeof(CSS) - 1 }, { JS, sizeof(JS) - 1 }, { PLAIN, sizeof(PLAIN) - 1 } },
	.head_time = 10 * NS_PER_S,
	.idle_time = 15 * NS_PER_S,
};

static struct serve serve;
static struct serve_counters counters;
static struct ear ear;
static ns_t now;
static uint64_t step; /* the most bytes that the socket takes at once */
static bool shut, closed;

static const struct addr peer = { .family = 4, .ip = { 10, 0, 0, 2 } };

static struct serve *begin_with(const struct serve_cfg *how)
{
	now = START;
	step = UINT64_MAX;
	shut = closed = false;
	memset(&serve, 0xa5, sizeof(serve));
	memset(&counters, 0, sizeof(counters));
	memset(&ear, 0, sizeof(ear));
	serve_init(&serve, how, &counters, now);
	serve.peer = &peer;
	return &serve;
}

static struct serve *begin(void)
{
	return begin_with(&cfg);
}

/* One move. Return: how many bytes the client got. */
static uint64_t move(struct serve *s, uint64_t most)
{
	struct want w = serve_out(s);
	uint64_t n = w.n < step ? w.n : step;

	n = n < most ? n : most;
	switch (w.kind) {
	case WANT_WRITE:
		ear_bytes(&ear, brink(w.p, (size_t)w.n), (size_t)n);
		serve_moved(s, n, now);
		return n;
	case WANT_BULK:
		assert_true(n > 0);
		ear_bulk(&ear, n);
		serve_moved(s, n, now);
		return n;
	case WANT_SHUTDOWN:
		assert_false(shut);
		assert_true(ear_end(&ear));
		shut = true;
		serve_moved(s, 0, now);
		return 0;
	case WANT_CLOSE:
		closed = true;
		return 0;
	default:
		return 0;
	}
}

/* Everything that the server has to say, at most @most bytes of it. */
static void drain(struct serve *s, uint64_t most)
{
	while (!closed && most > 0) {
		enum want_kind kind = serve_out(s).kind;

		if (kind == WANT_NOTHING)
			return;
		most -= move(s, most);
	}
}

/* The client sends; the server gets what it asks for. Return: how much was taken. */
static size_t say_bytes(struct serve *s, const char *p, size_t n)
{
	size_t at = 0;

	while (at < n) {
		struct want w = serve_in(s);
		size_t piece = w.n < n - at ? (size_t)w.n : n - at;

		if (w.kind == WANT_NOTHING) {
			drain(s, UINT64_MAX);
			if (closed || serve_in(s).kind == WANT_NOTHING)
				break;
			continue;
		}
		assert_true(w.n > 0);
		serve_got(s, w.kind == WANT_READ ? brink(p + at, piece) : NULL, piece, now);
		at += piece;
	}
	return at;
}

static void say(struct serve *s, const char *text)
{
	say_bytes(s, text, strlen(text));
	drain(s, UINT64_MAX);
}

/* Sent, and nothing taken yet. */
static void ask(struct serve *s, const char *text)
{
	assert_int_equal(say_bytes(s, text, strlen(text)), strlen(text));
}

static const struct heard *answer(size_t i)
{
	assert_true(i < ear.n);
	return &ear.v[i];
}

static const struct heard *last(void)
{
	return answer(ear.n - 1);
}

static void assert_field(const struct heard *a, const char *name, const char *want)
{
	struct slice v = ear_field(a, name);

	assert_int_equal(v.n, strlen(want));
	assert_memory_equal(v.p, want, v.n);
}

#define HOST "Host: 192.0.2.1:8080\r\n"
#define END HOST "\r\n"
#define UP "POST /up HTTP/1.1\r\n" HOST
#define SIZE "POST /speedtest/upload.php?x=750332307935 HTTP/1.1\r\n" HOST
#define EMPTY "POST /backend/empty.php?cors=true&r=0.5 HTTP/1.1\r\n" HOST

struct row {
	const char *what, *request;
	unsigned status;
	const char *content; /* NULL: not looked at */
	const char *length;  /* the Content-Length field; NULL: not looked at */
	int64_t payload;     /* 0: not looked at */
	bool keeps, to_head;
};

#define REFUSED(status) status, NULL, NULL, 0, false, false
#define PINGED(keeps) 204, "", "", 0, keeps, false

static const struct row rows[] = {
	{ "the page", "GET / HTTP/1.1\r\n" END, 200, PAGE, NULL, sizeof(PAGE) - 1, true, false },
	{ "its style", "GET /sonde.css HTTP/1.1\r\n" END, 200, CSS, NULL, sizeof(CSS) - 1, true, false },
	{ "its script", "GET /sonde.js HTTP/1.1\r\n" END, 200, JS, NULL, sizeof(JS) - 1, true, false },
	{ "its head", "HEAD / HTTP/1.1\r\n" END, 200, "", NULL, 0, true, true },
	{ "five bytes", "GET /down?bytes=5 HTTP/1.1\r\n" END, 200, "", "5", 5, true, false },
	{ "no bytes", "GET /down?bytes=0 HTTP/1.1\r\n" END, 200, "", "0", 0, true, false },
	{ "many bytes", "GET /down?bytes=54321 HTTP/1.1\r\n" END, 200, "", "54321", 54321, true, false },
	{ "the head of many bytes", "HEAD /down?bytes=54321 HTTP/1.1\r\n" END, 200, "", "54321", 0, true, true },
	{ "the head of some seconds", "HEAD /down?seconds=5 HTTP/1.1\r\n" END, 200, "", "", 0, true, true },
	{ "bytes that are negative", "GET /down?bytes=-1 HTTP/1.1\r\n" END, REFUSED(400) },
	{ "bytes that are no number", "GET /down?bytes=x HTTP/1.1\r\n" END, REFUSED(400) },
	{ "bytes without a number", "GET /down?bytes= HTTP/1.1\r\n" END, REFUSED(400) },
	{ "bytes past 63 bits", "GET /down?bytes=9223372036854775808 HTTP/1.1\r\n" END, REFUSED(400) },
	{ "no seconds", "GET /down?seconds=0 HTTP/1.1\r\n" END, REFUSED(400) },
	{ "negative seconds", "GET /down?seconds=-1 HTTP/1.1\r\n" END, REFUSED(400) },
	{ "too many seconds", "GET /down?seconds=3601 HTTP/1.1\r\n" END, REFUSED(400) },
	{ "an upload", UP "Content-Length: 5\r\n\r\nhello", 200, NULL, NULL, 0, true, false },
	{ "an upload in chunks", UP "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Bytes: 5\r\n\r\n", 200,
		NULL, NULL, 0,
		true, false },
	{ "an upload of nothing", UP "Content-Length: 0\r\n\r\n", 200, NULL, NULL, 0, true, false },
	{ "an upload of no length", UP "\r\n", 200, NULL, NULL, 0, true, false },
	{ "a ping", "GET /ping HTTP/1.1\r\n" END, PINGED(true) },
	{ "the head of a ping", "HEAD /ping HTTP/1.1\r\n" END, 204, "", "", 0, true, true },
	{ "facts", "GET /info HTTP/1.1\r\n" END, 200, NULL, NULL, 0, true, false },
	{ "the head of facts", "HEAD /info HTTP/1.1\r\n" END, 200, "", NULL, 0, true, true },
	{ "the test of latency", "GET /speedtest/latency.txt?x=329085379563 HTTP/1.1\r\n" END, 200, "test=test\n", "10", 10, true,
		false },
	{ "a size of nothing", "GET /speedtest/upload.php HTTP/1.1\r\n" END, 200, "size=0\n", "7", 7, true, false },
	{ "the head of a size", "HEAD /speedtest/upload.php HTTP/1.1\r\n" END, 200, "", "7", 0, true, true },
	{ "a size", SIZE "Content-Length: 5\r\n\r\nhello", 200, "size=5\n", NULL, 7, true, false },
	{ "a size of chunks", SIZE "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 200, "size=5\n", NULL, 7, true,
		false },
	{ "a size past the cap", SIZE "Content-Length: 10001\r\n\r\n", REFUSED(413) },
	{ "emptiness", "GET /empty.php?r=0.5 HTTP/1.1\r\n" END, 200, "", "0", 0, true, false },
	{ "emptiness for a body", EMPTY "Content-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello", 200, "", "0", 0, true,
		false },
	{ "emptiness for no body", EMPTY "\r\n", 200, "", "0", 0, true, false },
	{ "garbage that is no path", "GET /garbage/ HTTP/1.1\r\n" END, REFUSED(404) },
	{ "the head of garbage", "HEAD /backend/garbage?ckSize=2 HTTP/1.1\r\n" END, 200, "", "2097152", 0, true, true },
	{ "who asks", "GET /getIP?isp=true HTTP/1.1\r\n" END, 200,
		"{\"processedString\":\"10.0.0.2 - private IPv4 access\",\"rawIspInfo\":{\"ip\":\"10.0.0.2\"}}\n", NULL, 0, true,
		false },
	{ "one byte", "GET /small HTTP/1.1\r\n" END, 200, "\n", "1", 1, true, false },
	{ "the head of much", "HEAD /large HTTP/1.1\r\n" END, 200, "", "8589934592", 0, true, true },
	{ "where to find it", "GET /.well-known/nq HTTP/1.1\r\n" END, 200, NULL, NULL, 0, true, false },
	{ "where to find what has no name", "GET /.well-known/nq HTTP/1.0\r\n\r\n", REFUSED(400) },
	{ "the counters", "GET /metrics HTTP/1.1\r\n" END, 200, NULL, NULL, 0, true, false },
	{ "an upload of 0s", "POST /__up?bytes=5 HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n00000", 200, "ok", "2", 2, true,
		false },
	{ "six bytes", "GET /__down?bytes=6 HTTP/1.1\r\n" END, 200, "", "6", 6, true, false },
	{ "no bytes at all", "GET /__down HTTP/1.1\r\n" END, 200, "", "0", 0, true, false },
	{ "no number of bytes", "GET /__down?bytes= HTTP/1.1\r\n" END, REFUSED(400) },
	{ "an upload to a download", "POST /downloading HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", REFUSED(405) },
	{ "what may be asked", "OPTIONS /ping HTTP/1.1\r\n" END, PINGED(true) },
	{ "what may be asked with a body", "OPTIONS /up HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", PINGED(false) },
	{ "what a stranger may ask", "OPTIONS /up HTTP/1.1\r\nHost: evil.example\r\n\r\n", REFUSED(403) },
	{ "nothing", "GET /nothing HTTP/1.1\r\n" END, REFUSED(404) },
	{ "a file", "GET /etc/passwd HTTP/1.1\r\n" END, REFUSED(404) },
	{ "a file above", "GET /../../etc/passwd HTTP/1.1\r\n" END, REFUSED(404) },
	{ "the server", "OPTIONS * HTTP/1.1\r\n" END, REFUSED(404) },
	{ "a tunnel", "CONNECT 192.0.2.1:22 HTTP/1.1\r\n" END, REFUSED(404) },
	{ "POST to the page", "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", REFUSED(405) },
	{ "POST to data", "POST /down HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", REFUSED(405) },
	{ "GET of an upload", "GET /up HTTP/1.1\r\n" END, REFUSED(405) },
	{ "PUT of an upload", "PUT /up HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", REFUSED(405) },
	{ "DELETE of facts", "DELETE /info HTTP/1.1\r\n" END, REFUSED(405) },
	{ "TRACE of a ping", "TRACE /ping HTTP/1.1\r\n" END, REFUSED(405) },
	{ "absolute form", "GET http://192.0.2.1:8080/ping HTTP/1.1\r\n" END, PINGED(true) },
	{ "no Host", "GET /ping HTTP/1.1\r\n\r\n", REFUSED(400) },
	{ "two Hosts", "GET /ping HTTP/1.1\r\n" HOST HOST "\r\n", REFUSED(400) },
	{ "no Host in 1.0", "GET /ping HTTP/1.0\r\n\r\n", PINGED(false) },
	{ "two Hosts in 1.0", "GET /ping HTTP/1.0\r\n" HOST HOST "\r\n", REFUSED(400) },
	{ "a stranger's Host", "GET /ping HTTP/1.1\r\nHost: evil.example:8080\r\n\r\n", REFUSED(403) },
	{ "a stranger's Host in 1.0", "GET /ping HTTP/1.0\r\nHost: evil.example\r\n\r\n", REFUSED(403) },
	{ "an upload to a stranger's Host",
		"POST /up HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 5\r\n\r\nhello", REFUSED(403) },
	{ "an empty Host", "GET /ping HTTP/1.1\r\nHost:\r\n\r\n", REFUSED(403) },
	{ "a name that is welcome", "GET /ping HTTP/1.1\r\nhost: Welcome.Example:8080\r\n\r\n", PINGED(true) },
	{ "localhost", "GET /ping HTTP/1.1\r\nHOST: localhost:8080\r\n\r\n", PINGED(true) },
	{ "IPv6", "GET /ping HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", PINGED(true) },
	{ "bytes by 1.0", "GET /down?bytes=7 HTTP/1.0\r\n" END, 200, "", "7", 7, false, false },
	{ "1.0 that is kept", "GET /down?bytes=7 HTTP/1.0\r\nConnection: keep-alive\r\n" END, 200, "", "7", 7, true,
		false },
	{ "1.1 that is not kept", "GET /down?bytes=7 HTTP/1.1\r\nConnection: close\r\n" END, 200, "", "7", 7, false,
		false },
	{ "an upload by 1.0", "POST /up HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello", 200, NULL, NULL, 0, false, false },
	{ "a body that nobody asked for", "GET /ping HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", PINGED(false) },
	{ "chunks that nobody asked for", "GET /down?bytes=9 HTTP/1.1\r\n" HOST
					 "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 200, "", "9", 9,
						false, false },
	{ "empty lines first", "\r\n\r\nGET /ping HTTP/1.1\r\n" END, PINGED(true) },
	{ "lines that end in LF", "GET /ping HTTP/1.1\nHost: localhost\n\n", PINGED(true) },
	{ "a length and chunks", UP "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", REFUSED(400) },
	{ "chunks and a length", UP "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", REFUSED(400) },
	{ "two lengths", UP "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", REFUSED(400) },
	{ "a negative length", UP "Content-Length: -5\r\n\r\n", REFUSED(400) },
	{ "a length of 2^64", UP "Content-Length: 18446744073709551616\r\n\r\n", REFUSED(400) },
	{ "another coding", UP "Transfer-Encoding: gzip\r\n\r\n", REFUSED(400) },
	{ "chunks by 1.0", "POST /up HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", REFUSED(400) },
	{ "a bad chunk size", UP "Transfer-Encoding: chunked\r\n\r\nx", REFUSED(400) },
	{ "a huge chunk size", UP "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff", REFUSED(400) },
	{ "a chunk that is too long", UP "Transfer-Encoding: chunked\r\n\r\n5\r\nhello!", REFUSED(400) },
	{ "no version", "GET /ping\r\n\r\n", REFUSED(400) },
	{ "another version", "GET /ping HTTP/2.0\r\n" END, REFUSED(400) },
	{ "another protocol", "SSH-2.0-OpenSSH_9.2\r\n\r\n", REFUSED(400) },
	{ "TLS", "\x16\x03\x01", REFUSED(400) },
	{ "a bare CR", "GET /ping HTTP/1.1\r\nA: b\rC: d\r\n\r\n", REFUSED(400) },
	{ "a folded line", "GET /ping HTTP/1.1\r\nA: b\r\n c\r\n" END, REFUSED(400) },
	{ "a space before the colon", "GET /ping HTTP/1.1\r\nA : b\r\n" END, REFUSED(400) },
	{ "a length past the cap", UP "Content-Length: 10001\r\n\r\n", REFUSED(413) },
};

/* Is the connection still good for a request? */
static bool is_kept(struct serve *s)
{
	size_t before = ear.n;

	if (shut || closed)
		return false;
	say(s, "GET /ping HTTP/1.1\r\n" END);
	assert_int_equal(ear.n, before + 1);
	assert_int_equal(last()->head.status, 204);
	return true;
}

static void run_row(const struct row *row, size_t cut, uint64_t at_once)
{
	struct serve *s = begin();
	size_t n = strlen(row->request);

	ear.to_heads = row->to_head;
	step = at_once;
	if (cut > n) {
		for (size_t i = 0; i < n; i++)
			say_bytes(s, row->request + i, 1);
	} else {
		say_bytes(s, row->request, cut);
		say_bytes(s, row->request + cut, n - cut);
	}
	drain(s, UINT64_MAX);
	if (ear.n != 1 || ear.v[0].head.status != row->status)
		print_message("# %s, cut at %zu: %zu answers, %u\n", row->what, cut, ear.n, ear.v[0].head.status);
	assert_int_equal(ear.n, 1);
	assert_int_equal(answer(0)->head.status, row->status);
	assert_true(answer(0)->body.done);
	if (row->content)
		assert_string_equal(answer(0)->content, row->content);
	if (row->length)
		assert_field(answer(0), "Content-Length", row->length);
	if (row->payload > 0)
		assert_int_equal(answer(0)->body.received, row->payload);
	bool old = strstr(row->request, "HTTP/1.0") != NULL;

	assert_field(answer(0), "Connection", !row->keeps ? "close" : old ? "keep-alive" : "");
	assert_int_equal(is_kept(s), row->keeps);
	assert_int_equal(counters.requests, row->keeps ? 2 : 1);
	assert_int_equal(counters.refused, row->status >= 400);
	bool data = slice_is(ear_field(answer(0), "Content-Type"), "application/octet-stream");

	assert_int_equal(counters.bytes_out, data ? (uint64_t)row->payload : 0);
}

static void every_request_gets_its_answer_whole_byte_by_byte_and_at_every_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t cut = 0; cut <= strlen(rows[i].request) + 1; cut++)
			run_row(&rows[i], cut, cut % 3 == 0 ? UINT64_MAX : cut % 3 == 1 ? 1 : 100);
}

static void every_answer_names_the_program_and_is_not_to_be_stored(void **state)
{
	(void)state;
	static const char *const requests[] = { "GET / HTTP/1.1\r\n" END, "GET /ping HTTP/1.1\r\n" END,
		"GET /nothing HTTP/1.1\r\n" END, "GET /up HTTP/1.1\r\n" END, UP "Content-Length: 0\r\n\r\n" };

	for (size_t i = 0; i < COUNT(requests); i++) {
		say(begin(), requests[i]);
		assert_true(slice_starts(ear_field(last(), "Server"), SLICE("sonde/")));
		assert_field(last(), "Cache-Control", "no-store");
		assert_field(last(), "X-Content-Type-Options", "nosniff");
		assert_field(last(), "Access-Control-Allow-Origin", "");
	}
}

static void a_client_without_gzip_has_words_for_the_document_and_nothing_else(void **state)
{
	(void)state;
	static const struct {
		const char *request, *body;
	} v[] = {
		{ "GET / HTTP/1.1\r\nAccept-Encoding: deflate, GZIP, br\r\n" END, PAGE },
		{ "GET / HTTP/1.1\r\nAccept-Encoding: identity\r\n" END, PLAIN },
		{ "GET / HTTP/1.1\r\n" END, PLAIN },
		{ "GET /sonde.css HTTP/1.1\r\n" END, CSS },
		{ "GET /ping HTTP/1.1\r\n" END, "" },
	};

	for (size_t i = 0; i < COUNT(v); i++) {
		say(begin_with(&coded_cfg), v[i].request);
		assert_string_equal(last()->content, v[i].body);
		assert_int_equal(slice_starts(ear_field(last(), "Content-Type"), SLICE("text/plain")), v[i].body[0] == PLAIN[0]);
	}
}

static void a_method_that_is_not_allowed_is_told_which_are(void **state)
{
	(void)state;
	say(begin(), "GET /up HTTP/1.1\r\n" END);
	assert_field(last(), "Allow", "POST, OPTIONS");
	say(begin(), "POST /info HTTP/1.1\r\n" END);
	assert_field(last(), "Allow", "GET, HEAD, OPTIONS");
}

static void a_refused_host_is_told_how_to_be_accepted(void **state)
{
	(void)state;
	say(begin(), "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n");
	assert_non_null(strstr(last()->content, "--name NAME"));
	assert_null(strstr(last()->content, "evil.example"));
}

static void an_answer_to_head_has_no_content_even_where_it_refuses(void **state)
{
	(void)state;
	static const char *const requests[] = { "HEAD /nothing HTTP/1.1\r\n" END, "HEAD /up HTTP/1.1\r\n" END,
		"HEAD /down?bytes=x HTTP/1.1\r\n" END, "HEAD / HTTP/1.1\r\nHost: evil.example\r\n\r\n" };

	for (size_t i = 0; i < COUNT(requests); i++) {
		struct serve *s = begin();

		ear.to_heads = 1;
		say_bytes(s, requests[i], strlen(requests[i]));
		while (serve_out(s).kind == WANT_WRITE)
			move(s, 1);
		assert_int_equal(ear.in_n, 0); /* not one byte behind the head */
	}
}

/* RFC 9112 appendix C.2.2: a client of 1.0 knows only by this field that it may go on. */
static void a_client_of_http_1_0_is_told_that_it_is_kept(void **state)
{
	(void)state;
	say(begin(), "GET /down?bytes=7 HTTP/1.0\r\nConnection: keep-alive\r\n" END);
	assert_field(last(), "Connection", "keep-alive");
}

static void congestion_control_is_what_was_asked_for_and_allowed(void **state)
{
	(void)state;
	static const struct {
		const char *query, *want; /* NULL: refused */
	} rows[] = { { "bytes=1&congestion=reno", "reno" }, { "bytes=1&congestion=bbr", "bbr" }, { "bytes=1", "" },
		{ "bytes=1&congestion=", NULL }, { "bytes=1&congestion=cubic", NULL }, { "bytes=1&congestion=ren", NULL },
		{ "bytes=1&congestion=reno%20bbr", NULL } };
	char request[100];

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct serve *s = begin();

		snprintf(request, sizeof(request), "GET /down?%s HTTP/1.1\r\n" END, rows[i].query);
		say(s, request);
		assert_int_equal(last()->head.status, rows[i].want ? 200 : 400);
		assert_string_equal(s->congestion, rows[i].want ? rows[i].want : "");
	}
}

/* A new connection has head_time from its accept, not twice that. */
static void the_first_head_is_due_a_head_time_after_the_connection(void **state)
{
	(void)state;
	struct serve *s = begin();

	now = START + cfg.head_time - 1;
	say(s, "G");
	assert_true(serve_deadline(s) == START + cfg.head_time);
}

static void seconds_past_the_time_of_a_body_end_in_good_order(void **state)
{
	(void)state;
	struct serve *s = begin();

	ask(s, "GET /down?seconds=120 HTTP/1.1\r\n" END);
	while (now < START + 200 * NS_PER_S && !closed) {
		drain(s, 100000);
		now += NS_PER_S;
		serve_tick(s, now);
	}
	assert_true(ear.n == 1 && (last()->body.done || last()->head.status == 400));
}

static void facts_are_json_with_the_limits_and_the_counts(void **state)
{
	(void)state;
	struct serve *s = begin();
	uint64_t v;
	struct slice name;

	counters.cpu_ns = 7654321;
	say(s, "GET /down?bytes=1234 HTTP/1.1\r\n" END UP "Content-Length: 321\r\n\r\n");
	for (int i = 0; i < 321; i++)
		say(s, "x");
	say(s, "GET /info HTTP/1.1\r\n" END);
	struct slice doc = { last()->content, last()->content_n };

	assert_field(last(), "Content-Type", "application/json");
	assert_true(is_json_line(last()->content));
	assert_string_equal(member_of(last()->content, "schema"), "1");
	assert_string_equal(member_of(last()->content, "type"), "\"info\"");
	assert_string_equal(member_of(last()->content, "refused"), "0");
	assert_string_equal(member_of(last()->content, "limits.body_seconds"), "60");
	assert_true(json_find_string(doc, "name", &name));
	assert_true(slice_eq(name, SLICE("sonde")));
	assert_true(json_find_string(doc, "version", &name));
	assert_true(slice_eq(name, SLICE(SONDE_VERSION)));
	assert_true(json_find_uint(doc, "requests", &v) && v == 3);
	assert_true(json_find_uint(doc, "bytes_sent", &v) && v == 1234);
	assert_true(json_find_uint(doc, "bytes_received", &v) && v == 321);
	assert_true(json_find_uint(doc, "cpu_us", &v) && v == 7654);
	assert_non_null(strstr(last()->content, "\"body_bytes\":10000"));
}

static void requests_in_a_row_are_answered_in_their_order(void **state)
{
	(void)state;
	static const char all[] =
		"GET /down?bytes=3 HTTP/1.1\r\n" END "GET / HTTP/1.1\r\n" END
		UP "Content-Length: 4\r\n\r\nbody"
		UP "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
		"GET /ping HTTP/1.1\r\n" END "GET /down?bytes=0 HTTP/1.1\r\n" END
		"GET /nothing HTTP/1.1\r\n" END "GET /ping HTTP/1.1\r\n" END;
	static const unsigned want[] = { 200, 200, 200, 200, 204, 200, 404 };

	for (size_t cut = 0; cut < sizeof(all); cut++) {
		struct serve *s = begin();

		step = cut % 2 ? 13 : UINT64_MAX;
		say_bytes(s, all, cut);
		say_bytes(s, all + cut, sizeof(all) - 1 - cut);
		drain(s, UINT64_MAX);
		assert_int_equal(ear.n, COUNT(want)); /* what stands behind the refusal is not looked at */
		for (size_t i = 0; i < COUNT(want); i++)
			assert_int_equal(answer(i)->head.status, want[i]);
		assert_int_equal(answer(0)->body.received, 3);
		assert_string_equal(answer(1)->content, PAGE);
		assert_non_null(strstr(answer(2)->content, "\"bytes\":4"));
		assert_non_null(strstr(answer(3)->content, "\"bytes\":2"));
		assert_true(shut);
		assert_int_equal(counters.requests, COUNT(want));
		assert_int_equal(counters.bytes_in, 6);
		assert_int_equal(counters.bytes_out, 3);
	}
}

static void many_requests_in_one_piece_fit_and_are_answered(void **state)
{
	(void)state;
	static char all[SERVE_IN_MAX];
	struct serve *s = begin();

	for (int i = 0; i < 20; i++)
		strcat(all, "GET /ping HTTP/1.1\r\n" END);
	say(s, all);
	assert_int_equal(ear.n, 20);
}

static void a_head_that_is_too_long_is_refused(void **state)
{
	(void)state;
	struct serve *s = begin();

	say_bytes(s, "GET /", 5);
	for (int i = 0; i < 20000 && ear.n == 0; i++)
		say(s, "a");
	assert_int_equal(last()->head.status, 431);
	assert_true(shut);
}

static void no_more_is_read_than_there_is_room_for(void **state)
{
	(void)state;
	struct serve *s = begin();

	ask(s, "GET /");
	for (size_t n = 5; serve_in(s).kind == WANT_READ; n++) {
		assert_true(serve_in(s).n > 0 && serve_in(s).n <= SERVE_IN_MAX - n);
		ask(s, "a");
	}
	drain(s, UINT64_MAX);
	assert_int_equal(last()->head.status, 431);
}

/* So that head and body leave in one packet, and the last of an answer at once. */
static void more_is_promised_where_a_body_follows(void **state)
{
	(void)state;
	static const struct {
		const char *request;
		bool more;
	} v[] = { { "GET / HTTP/1.1\r\n" END, true }, { "GET /down?bytes=5 HTTP/1.1\r\n" END, true },
		{ "GET /down?bytes=0 HTTP/1.1\r\n" END, false }, { "GET /ping HTTP/1.1\r\n" END, false },
		{ "HEAD / HTTP/1.1\r\n" END, false }, { "GET /nothing HTTP/1.1\r\n" END, false } };

	for (size_t i = 0; i < COUNT(v); i++) {
		struct serve *s = begin();
		struct want w;

		ear.to_heads = v[i].request[0] == 'H';
		ask(s, v[i].request);
		assert_int_equal(serve_out(s).more, v[i].more);
		do {
			w = serve_out(s);
			move(s, UINT64_MAX);
		} while (serve_out(s).kind == WANT_WRITE || serve_out(s).kind == WANT_BULK);
		assert_false(w.more);
	}
}

static void a_request_line_of_eight_thousand_bytes_is_read(void **state)
{
	(void)state;
	char request[8400];

	snprintf(request, sizeof(request), "GET /down?bytes=5&x=%07950d HTTP/1.1\r\n" END, 0);
	assert_true(strchr(request, '\r') - request > 7970);
	say(begin(), request);
	assert_int_equal(last()->head.status, 200);
}

static void too_many_fields_are_refused(void **state)
{
	(void)state;
	char request[1024] = "GET /ping HTTP/1.1\r\n" HOST;

	for (int i = 0; i < HTTP1_FIELDS_MAX; i++)
		strcat(request, "A: b\r\n");
	strcat(request, "\r\n");
	say(begin(), request);
	assert_int_equal(last()->head.status, 431);
}

/* The receipt of an upload of @n bytes, with @framing and in pieces of @piece. */
static uint64_t upload(bool chunked, uint64_t n, size_t piece)
{
	static char body[2 * BODY_MAX];
	char head[200];
	uint64_t bytes = UINT64_MAX;
	struct serve *s = begin();

	if (chunked)
		snprintf(head, sizeof(head), UP "Transfer-Encoding: chunked\r\n\r\n%llx\r\n", (unsigned long long)n);
	else
		snprintf(head, sizeof(head), UP "Content-Length: %llu\r\n\r\n", (unsigned long long)n);
	say_bytes(s, head, strlen(head));
	for (uint64_t at = 0; at < n; at += piece)
		say_bytes(s, body, n - at < piece ? (size_t)(n - at) : piece);
	if (chunked)
		say_bytes(s, "\r\n0\r\n\r\n", 7);
	drain(s, UINT64_MAX);
	if (last()->head.status != 200)
		return last()->head.status;
	assert_true(json_find_uint((struct slice){ last()->content, last()->content_n }, "bytes", &bytes));
	assert_int_equal(counters.bytes_in, bytes);
	return bytes;
}

static void the_receipt_counts_what_came(void **state)
{
	(void)state;
	static const size_t pieces[] = { 1, 100, 4095, 4096, 4097, 20000 };

	for (size_t i = 0; i < COUNT(pieces); i++) {
		for (int chunked = 0; chunked < 2; chunked++) {
			assert_int_equal(upload(chunked, 1, pieces[i]), 1);
			assert_int_equal(upload(chunked, 9000, pieces[i]), 9000);
			assert_int_equal(upload(chunked, BODY_MAX, pieces[i]), BODY_MAX);
		}
	}
}

static void more_than_the_cap_gets_413_by_length_and_by_chunks(void **state)
{
	(void)state;
	assert_int_equal(upload(false, BODY_MAX + 1, 4096), 413);
	assert_int_equal(counters.bytes_in, 0);
	assert_int_equal(upload(true, BODY_MAX + 1, 4096), 413);
	assert_int_equal(upload(true, BODY_MAX + 1, 1), 413);
	assert_int_equal(counters.bytes_in, BODY_MAX + 1);
	assert_true(shut);
	assert_int_equal(serve.state, SERVE_LINGER); /* what is still under way goes by, or the answer would be lost */
	assert_int_equal(serve_in(&serve).kind, WANT_DISCARD);
}

static void the_receipt_tells_how_long_it_took(void **state)
{
	(void)state;
	struct serve *s = begin();

	say(s, UP "Content-Length: 3\r\n\r\na");
	now += 1500 * NS_PER_MS;
	say(s, "b");
	now += 500 * NS_PER_MS;
	say(s, "c");
	assert_string_equal(last()->content, "{\"bytes\":3,\"seconds\":2.000000,\"cpu_us\":0}\n");
}

static void the_upload_under_way_can_be_watched(void **state)
{
	(void)state;
	struct serve *s = begin();

	say(s, UP "Content-Length: 300\r\n\r\nabc");
	assert_int_equal(s->state, SERVE_UPLOAD);
	assert_int_equal(s->uploaded, 3);
	say(s, "defg");
	assert_int_equal(s->uploaded, 7);
}

static void a_client_that_expects_to_be_told_is_told_to_continue(void **state)
{
	(void)state;
	static const char *const framings[] = { "Content-Length: 5\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n" };
	static const char *const bodies[] = { "hello", "5\r\nhello\r\n0\r\n\r\n" };

	for (size_t i = 0; i < 2; i++) {
		struct serve *s = begin();

		say(s, UP "Expect: 100-continue\r\n");
		say(s, framings[i]);
		assert_int_equal(ear.n, 1);
		assert_int_equal(last()->head.status, 100);
		assert_int_equal(last()->head.n_fields, 0);
		say(s, bodies[i]);
		assert_int_equal(ear.n, 2);
		assert_int_equal(last()->head.status, 200);
		assert_non_null(strstr(last()->content, "\"bytes\":5"));
		assert_true(is_kept(s));
	}
}

static void who_expects_to_be_told_is_refused_before_the_body(void **state)
{
	(void)state;
	say(begin(), UP "Expect: 100-continue\r\nContent-Length: 10001\r\n\r\n");
	assert_int_equal(ear.n, 1);
	assert_int_equal(last()->head.status, 413);
	say(begin(), "POST /nothing HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");
	assert_int_equal(ear.n, 1);
	assert_int_equal(last()->head.status, 404);
}

/* RFC 9110 section 10.1.1. */
static void a_client_of_http_1_0_is_never_told_to_continue(void **state)
{
	(void)state;
	struct serve *s = begin();

	say(s, "POST /up HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
	assert_int_equal(ear.n, 0);
	say(s, "hello");
	assert_int_equal(last()->head.status, 200);
}

static void an_upload_of_nothing_needs_no_telling(void **state)
{
	(void)state;
	say(begin(), UP "Expect: 100-continue\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(ear.n, 1);
	assert_int_equal(last()->head.status, 200);
}

static void every_picture_has_its_size_and_a_download_of_seconds_may_have_any_path(void **state)
{
	(void)state;
	struct serve *s = begin();

	say(s, "GET /speedtest/random350x350.jpg?x=1.2 HTTP/1.1\r\n" END);
	assert_int_equal(last()->body.received, 245388);
	say(s, "GET /downloading?n=0.1 HTTP/1.1\r\n" END);
	assert_int_equal(last()->body.received, 30 << 20);
	say(s, "GET /backend/garbage.php?r=0.1&ckSize=3 HTTP/1.1\r\n" END);
	assert_int_equal(last()->body.received, 3 << 20);
	assert_field(last(), "Content-Disposition", "attachment; filename=random.dat");
	assert_field(last(), "Server-Timing", "");
	assert_int_equal(counters.bytes_out, 245388 + (33 << 20));
}

static void cloudflares_client_learns_how_long_the_server_took(void **state)
{
	(void)state;
	struct serve *s = begin();

	say(s, "GET /__down?bytes=0 HTTP/1.1\r\n" END);
	assert_field(last(), "Server-Timing", "cfRequestDuration;dur=0.010");
	say(s, "POST /__up HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n0");
	now += 250 * NS_PER_MS;
	say(s, "0");
	assert_field(last(), "Server-Timing", "cfRequestDuration;dur=250.000");
	say(s, "GET /__down?bytes=x HTTP/1.1\r\n" END);
	assert_int_equal(last()->head.status, 400);
}

static const struct serve_cfg open_cfg = {
	.page = { { PAGE, sizeof(PAGE) - 1 }, { CSS, sizeof(CSS) - 1 }, { JS, sizeof(JS) - 1 } },
	.head_time = 10 * NS_PER_S,
	.idle_time = 15 * NS_PER_S,
	.body_time = 60 * NS_PER_S,
	.body_max = 1 << 30,
	.cors = true,
};

static void other_origins_may_read_only_where_the_server_was_told_so_and_never_the_page(void **state)
{
	(void)state;
	static const struct {
		const char *request;
		bool open;
	} v[] = {
		{ "GET /down?bytes=5 HTTP/1.1\r\n" END, true },
		{ "GET /down?bytes=x HTTP/1.1\r\n" END, true },
		{ "GET /empty.php HTTP/1.1\r\n" END, true },
		{ EMPTY "Content-Length: 5\r\n\r\nhello", true },
		{ EMPTY "Content-Length: 99999999999\r\n\r\n", true },
		{ "PUT /up HTTP/1.1\r\n" END, true },
		{ "OPTIONS /up HTTP/1.1\r\n" END, true },
		{ "GET / HTTP/1.1\r\n" END, false },
		{ "OPTIONS / HTTP/1.1\r\n" END, false },
		{ "GET /metrics HTTP/1.1\r\n" END, false },
		{ "GET /nothing HTTP/1.1\r\n" END, false },
		{ "GET /down HTTP/1.1\r\nHost: evil.example\r\n\r\n", false },
		{ "GET /down HTTP/3\r\n\r\n", false },
	};

	for (size_t i = 0; i < COUNT(v); i++) {
		begin_with(&open_cfg);
		say(&serve, v[i].request);
		assert_field(last(), "Access-Control-Allow-Origin", v[i].open ? "*" : "");
		say(begin(), v[i].request);
		assert_int_equal(ear_field(last(), "Access-Control-Allow-Origin").n, 0);
	}
	struct serve *s = begin_with(&open_cfg); /* the request before says nothing about this one */

	say(s, "GET /down?bytes=5 HTTP/1.1\r\n" END "GET /ping HTTP/9\r\n\r\n");
	assert_field(answer(0), "Access-Control-Allow-Origin", "*");
	assert_field(answer(1), "Access-Control-Allow-Origin", "");
}

#define PREFLIGHT "OPTIONS /backend/empty.php HTTP/1.1\r\n" HOST "Origin: http://a.example\r\n" \
		  "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: content-encoding\r\n"

static void a_preflight_is_answered_where_the_server_was_told_so(void **state)
{
	(void)state;
	say(begin_with(&open_cfg), PREFLIGHT "\r\n");
	assert_int_equal(last()->head.status, 204);
	assert_field(last(), "Allow", "GET, HEAD, POST, OPTIONS");
	assert_field(last(), "Access-Control-Allow-Methods", "GET, HEAD, POST, OPTIONS");
	assert_field(last(), "Access-Control-Allow-Headers", "Content-Encoding, Content-Type");
	assert_field(last(), "Access-Control-Allow-Private-Network", "");
	assert_true(is_kept(&serve));
	say(begin_with(&open_cfg), PREFLIGHT "Access-Control-Request-Private-Network: true\r\n\r\n");
	assert_field(last(), "Access-Control-Allow-Private-Network", "true");
	say(begin(), PREFLIGHT "Access-Control-Request-Private-Network: true\r\n\r\n");
	assert_int_equal(last()->head.status, 204);
	assert_field(last(), "Allow", "GET, HEAD, POST, OPTIONS");
	for (size_t i = 0; i < last()->head.n_fields; i++)
		assert_false(slice_starts(last()->head.fields[i].name, SLICE("Access-Control")));
}

/* Declare @declared bytes, send @sent of them in two pieces, and wait until the server says something. */
static ns_t stop_short(const char *what, uint64_t declared, size_t sent)
{
	static char body[100000];
	char head[300];
	struct serve *s = begin_with(&open_cfg);

	snprintf(head, sizeof(head), "%sContent-Length: %llu\r\n\r\n", what, (unsigned long long)declared);
	say_bytes(s, head, strlen(head));
	say_bytes(s, body, sent / 3);
	now += NS_PER_S / 10;
	assert_int_equal(say_bytes(s, body, sent - sent / 3), sent - sent / 3);
	ns_t silent = now;

	while (ear.n == 0) {
		now = serve_deadline(s);
		assert_true(now > silent);
		serve_tick(s, now - 1);
		drain(s, UINT64_MAX);
		assert_int_equal(ear.n, 0);
		serve_tick(s, now);
		drain(s, UINT64_MAX);
	}
	assert_field(last(), "Connection", "close");
	return now - silent;
}

/* speedtest-cli declares 65,536 bytes and sends 65,529. Its patience is 10 s. */
static void who_sends_a_little_less_than_declared_soon_learns_what_came(void **state)
{
	(void)state;
	assert_true(stop_short(SIZE, 65536, 65529) <= NS_PER_S / 5);
	assert_int_equal(last()->head.status, 200);
	assert_string_equal(last()->content, "size=65529\n");
	assert_int_equal(counters.bytes_in, 65529);
	assert_int_equal(counters.refused, 0);
	say(&serve, "1234567GET /ping HTTP/1.1\r\n" END); /* too late: neither counted nor taken for a request */
	assert_int_equal(ear.n, 1);
	assert_int_equal(counters.bytes_in, 65529);
}

/* A segment that is lost comes again after 200 ms at the soonest, later on a slow way. */
static void who_lacks_more_than_a_little_has_the_time_to_send_it(void **state)
{
	(void)state;
	static const struct {
		uint64_t declared;
		size_t sent;
	} v[] = { { 65536, 65536 - 64 }, { 65536, 30000 }, { 5000, 4937 }, { 20, 19 }, { 20, 1 }, { 20, 0 } };

	for (size_t i = 0; i < COUNT(v); i++) {
		char want[40];
		ns_t waited = stop_short(SIZE, v[i].declared, v[i].sent);

		assert_true(v[i].sent == 0 || (waited >= 3 * NS_PER_S && waited <= 8 * NS_PER_S));
		snprintf(want, sizeof(want), "size=%zu\n", v[i].sent);
		assert_string_equal(last()->content, want);
	}
}

static void other_dialects_get_no_receipt_for_half_a_body(void **state)
{
	(void)state;
	static const char *const heads[] = { UP, EMPTY, "POST /upload HTTP/1.1\r\n" HOST, "POST /__up HTTP/1.1\r\n" HOST };

	for (size_t i = 0; i < COUNT(heads); i++) {
		assert_true(stop_short(heads[i], 65536, 65529) == open_cfg.idle_time);
		assert_int_equal(last()->head.status, 408);
	}
	struct serve *s = begin();

	say(s, SIZE "Transfer-Encoding: chunked\r\n\r\n5\r\nhell");
	now = serve_deadline(s);
	assert_true(now == START + cfg.idle_time);
	serve_tick(s, now);
	drain(s, UINT64_MAX);
	assert_int_equal(last()->head.status, 408);
}

/* The kernel is never told to wait for bytes that may not come. */
static void what_may_be_missing_is_read_and_not_left_to_the_kernel(void **state)
{
	(void)state;
	struct serve *s = begin_with(&open_cfg);

	ask(s, SIZE "Content-Length: 65536\r\n\r\n");
	assert_int_equal(serve_in(s).kind, WANT_DISCARD);
	assert_int_equal(serve_in(s).n, 65536 - 64);
	s = begin_with(&open_cfg);
	ask(s, UP "Content-Length: 65536\r\n\r\n");
	assert_int_equal(serve_in(s).n, 65536);
}

/* The first LibreSpeed command line: one request that never ends, then a reset. */
static void an_upload_without_end_counts_until_it_breaks(void **state)
{
	(void)state;
	static char chunk[40000];
	struct serve *s = begin_with(&open_cfg);

	ask(s, EMPTY "Transfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 100; i++) {
		ask(s, "9c40\r\n");
		say_bytes(s, chunk, sizeof(chunk));
		ask(s, "\r\n");
	}
	ask(s, "9c40\r\n");
	say_bytes(s, chunk, 123);
	serve_closed(s, IO_RESET);
	assert_int_equal(serve_out(s).kind, WANT_CLOSE);
	assert_int_equal(ear.n, 0);
	assert_int_equal(counters.bytes_in, 100 * sizeof(chunk) + 123);
	assert_int_equal(counters.refused, 0);
}

static void no_path_with_no_method_and_no_query_gets_anything_worse_than_an_answer(void **state)
{
	(void)state;
	static const char *const methods[] = { "GET", "HEAD", "POST", "OPTIONS", "PUT", "get" };
	static const char *const paths[] = { "/", "/down", "/up", "/ping", "/info", "/metrics", "/.well-known/nq", "/small",
		"/empty", "/garbage", "/getIP", "/backend/getIP.php", "/upload", "/__down", "/__up", "/speedtest/upload.php",
		"//speedtest/upload.php", "/speedtest/latency.txt" };
	static const char *const queries[] = { "", "?", "?bytes=", "?bytes=-1", "?bytes=10&bytes=x", "?bytes=99999999999999999999",
		"?seconds=", "?seconds=-1", "?ckSize=-1", "?ckSize=99999999999999999999", "?=&&=?", "?%00" };

	for (size_t i = 0; i < COUNT(methods) * COUNT(paths) * COUNT(queries); i++) {
		const char *method = methods[i % COUNT(methods)];
		const char *path = paths[i / COUNT(methods) % COUNT(paths)];
		char request[300];
		struct serve *s = begin_with(i % 5 ? &cfg : &open_cfg);

		snprintf(request, sizeof(request), "%s %s%s HTTP/1.1\r\n" END, method, path, queries[i / COUNT(methods) / COUNT(paths)]);
		ear.to_heads = method[0] == 'H';
		ask(s, request);
		step = 100000;
		drain(s, 500000);
		unsigned status = last()->head.status;

		assert_int_equal(ear.n, 1);
		assert_true(status == 200 || status == 204 || status == 400 || status == 405);
		struct slice query;
		unsigned allowed = route_find(slice_of(path), &query)->methods | ROUTE_OPTIONS;

		assert_int_equal(status == 405, !(route_method(slice_of(method)) & allowed));
	}
}

static void data_without_a_word_about_how_much_has_a_length(void **state)
{
	(void)state;
	struct serve *s = begin();

	step = 1 << 20;
	say(s, "GET /down HTTP/1.1\r\n" END);
	assert_int_equal(last()->head.status, 200);
	assert_int_equal(last()->body.framing, HTTP1_LENGTH);
	assert_true(last()->body.done && last()->body.received >= 1 << 20);
	assert_int_equal(counters.bytes_out, last()->body.received);
}

/* @most bytes a tick of a millisecond. */
static void download_for(struct serve *s, const char *request, ns_t time, uint64_t most)
{
	ask(s, request);
	for (; now < START + time; now += NS_PER_MS) {
		serve_tick(s, now);
		drain(s, most);
		assert_true(ear.n == 0 || ear.inside);
	}
	serve_tick(s, now);
	drain(s, UINT64_MAX);
}

static void data_by_seconds_ends_in_time_and_says_how_much_it_was(void **state)
{
	(void)state;
	static const struct {
		const char *seconds;
		ns_t time;
		uint64_t most;
	} v[] = { { "1", NS_PER_S, 100000 }, { "0.25", NS_PER_S / 4, 7 }, { "2500ms", 2500 * NS_PER_MS, 3000 },
		{ "5", 5 * NS_PER_S, 1250000 } };

	for (size_t i = 0; i < COUNT(v); i++) {
		char request[100];
		uint64_t told;
		struct serve *s = begin();

		snprintf(request, sizeof(request), "GET /down?seconds=%s HTTP/1.1\r\n" END, v[i].seconds);
		download_for(s, request, v[i].time, v[i].most);
		assert_int_equal(ear.n, 1);
		assert_int_equal(last()->body.framing, HTTP1_CHUNKED);
		assert_true(last()->body.done);
		assert_true(http1_body_trailer_uint(&last()->body, &told));
		assert_int_equal(told, last()->body.received);
		assert_int_equal(told, counters.bytes_out);
		assert_true(told >= v[i].most * (uint64_t)(v[i].time / NS_PER_MS) * 9 / 10 - 100);
		assert_true(is_kept(s));
	}
}

static void data_by_seconds_is_ended_on_time_by_its_deadline(void **state)
{
	(void)state;
	struct serve *s = begin();

	ask(s, "GET /down?seconds=3 HTTP/1.1\r\n" END);
	drain(s, 100000);
	assert_true(serve_deadline(s) == START + 3 * NS_PER_S);
	now = START + 3 * NS_PER_S - 1;
	serve_tick(s, now);
	drain(s, 100000);
	assert_true(ear.inside);
	serve_tick(s, ++now);
	drain(s, UINT64_MAX);
	assert_false(ear.inside);
}

static void a_client_of_http_1_0_gets_seconds_until_the_close(void **state)
{
	(void)state;
	struct serve *s = begin();

	download_for(s, "GET /down?seconds=1 HTTP/1.0\r\nConnection: keep-alive\r\n" END, NS_PER_S, 1000);
	assert_int_equal(last()->body.framing, HTTP1_UNTIL_CLOSE);
	assert_true(shut); /* move() has seen that the end is a proper one */
	assert_int_equal(last()->body.received, counters.bytes_out);
	assert_field(last(), "Connection", "close");
}

static void a_short_download_after_a_long_one_is_not_cut_by_its_time(void **state)
{
	(void)state;
	struct serve *s = begin();

	download_for(s, "GET /down?seconds=1 HTTP/1.1\r\n" END, NS_PER_S, 1000);
	ask(s, "GET /down?bytes=100000 HTTP/1.1\r\n" END);
	drain(s, 50000);
	now += 5 * NS_PER_S;
	serve_tick(s, now);
	drain(s, UINT64_MAX);
	assert_int_equal(last()->body.received, 100000);
}

/* Wait until a byte before the deadline, then until it. */
static void let_time_pass(struct serve *s, ns_t patience)
{
	ns_t end = now + patience;

	assert_true(serve_deadline(s) == end);
	enum serve_state before = s->state;

	serve_tick(s, end - 1);
	assert_int_equal(s->state, before);
	now = end;
	serve_tick(s, now);
}

static void a_connection_without_a_request_is_closed_without_a_word(void **state)
{
	(void)state;
	struct serve *s = begin();

	let_time_pass(s, cfg.head_time);
	drain(s, UINT64_MAX);
	assert_true(closed);
	assert_int_equal(ear.n, 0);
	s = begin();
	say(s, "GET /ping HTTP/1.1\r\n" END);
	let_time_pass(s, cfg.idle_time);
	drain(s, UINT64_MAX);
	assert_true(closed);
	assert_int_equal(ear.n, 1);
}

static void half_a_head_is_waited_for_and_then_refused(void **state)
{
	(void)state;
	struct serve *s = begin();

	say(s, "GET /ping HT");
	let_time_pass(s, cfg.head_time);
	drain(s, UINT64_MAX);
	assert_int_equal(last()->head.status, 408);
	assert_true(shut);
}

static void a_byte_a_second_does_not_hold_a_connection(void **state)
{
	(void)state;
	static const char head[] = "GET /ping HTTP/1.1\r\nHost: localhost\r\nX-Slow: yes\r\n\r\n";
	struct serve *s = begin();
	int n = 0;

	for (; ear.n == 0; n++) {
		say_bytes(s, head + n, 1);
		now += NS_PER_S;
		serve_tick(s, now);
		drain(s, UINT64_MAX);
	}
	assert_int_equal(n, 10);
	assert_int_equal(last()->head.status, 408);
}

static void the_second_request_of_a_connection_has_its_own_time(void **state)
{
	(void)state;
	struct serve *s = begin();

	say(s, "GET /ping HTTP/1.1\r\n" END);
	now += cfg.idle_time - 1;
	say(s, "GET /pi");
	let_time_pass(s, cfg.head_time);
	drain(s, UINT64_MAX);
	assert_int_equal(last()->head.status, 408);
}

static void a_head_that_waits_behind_a_request_has_its_time_from_then(void **state)
{
	(void)state;
	struct serve *s = begin();

	say(s, "GET /ping HTTP/1.1\r\n" END "G");
	assert_int_equal(ear.n, 1);
	let_time_pass(s, cfg.head_time);
	drain(s, UINT64_MAX);
	assert_int_equal(last()->head.status, 408);
}

static void a_body_that_stalls_is_given_up(void **state)
{
	(void)state;
	static const char *const starts[] = { UP "Content-Length: 9000\r\n\r\n", UP "Content-Length: 9000\r\n\r\nabc",
		UP "Transfer-Encoding: chunked\r\n\r\n", UP "Transfer-Encoding: chunked\r\n\r\n5\r\nhel",
		UP "Expect: 100-continue\r\nContent-Length: 9000\r\n\r\n" };

	for (size_t i = 0; i < COUNT(starts); i++) {
		struct serve *s = begin();

		say(s, starts[i]);
		let_time_pass(s, cfg.idle_time);
		drain(s, UINT64_MAX);
		assert_int_equal(last()->head.status, 408);
		assert_true(shut);
	}
}

static void a_body_that_trickles_may_take_so_long_and_no_longer(void **state)
{
	(void)state;
	struct serve *s = begin();

	say(s, UP "Content-Length: 9000\r\n\r\n");
	while (ear.n == 0) {
		now += NS_PER_S;
		serve_tick(s, now);
		say(s, "x");
	}
	assert_true(now == START + cfg.body_time);
	assert_int_equal(last()->head.status, 408);
}

static void a_client_that_takes_nothing_is_left(void **state)
{
	(void)state;
	static const char *const requests[] = { "GET / HTTP/1.1\r\n" END, "GET /info HTTP/1.1\r\n" END,
		"GET /down?bytes=100000 HTTP/1.1\r\n" END, "GET /nothing HTTP/1.1\r\n" END };
	static const uint64_t taken[] = { 0, 1, 300 };

	for (size_t i = 0; i < COUNT(requests) * COUNT(taken); i++) {
		struct serve *s = begin();

		ask(s, requests[i % COUNT(requests)]);
		now += 3 * NS_PER_S;
		if (taken[i / COUNT(requests)] == 0)
			now -= 3 * NS_PER_S;
		drain(s, taken[i / COUNT(requests)]);
		if (shut)
			continue; /* that was all */
		let_time_pass(s, cfg.idle_time);
		drain(s, UINT64_MAX);
		assert_true(closed);
	}
}

static void a_client_that_takes_a_byte_a_second_may_do_so_for_so_long(void **state)
{
	(void)state;
	struct serve *s = begin();

	ask(s, "GET /down?bytes=100000 HTTP/1.1\r\n" END);
	drain(s, 400);
	now += NS_PER_S;
	serve_moved(s, 0, now); /* nothing taken is no progress */
	assert_true(serve_deadline(s) == now - NS_PER_S + cfg.idle_time);
	now -= NS_PER_S;
	while (!closed) {
		now += NS_PER_S;
		serve_tick(s, now);
		drain(s, 1);
	}
	assert_true(now == START + cfg.body_time);
}

static void progress_that_only_the_connection_shows_is_waited_for(void **state)
{
	(void)state;
	struct serve *s = begin();

	ask(s, "GET /down?bytes=100000 HTTP/1.1\r\n" END);
	drain(s, 1000);
	now += cfg.idle_time - 1;
	serve_touch(s, now);
	let_time_pass(s, cfg.idle_time);
	assert_int_equal(serve_out(s).kind, WANT_CLOSE);
}

static void no_progress_makes_a_body_longer_than_it_may_be(void **state)
{
	(void)state;
	struct serve *s = begin();

	ask(s, "GET /down?bytes=100000 HTTP/1.1\r\n" END);
	drain(s, 1000);
	for (; s->state == SERVE_DOWNLOAD; serve_tick(s, now)) {
		now += NS_PER_S;
		serve_touch(s, now);
	}
	assert_true(now == START + cfg.body_time);
}

static void after_the_last_answer_the_rest_goes_by_but_not_for_ever(void **state)
{
	(void)state;
	struct serve *s = begin();

	say(s, "GET /nothing HTTP/1.1\r\n" HOST "Content-Length: 999999999\r\n\r\n");
	assert_true(shut);
	assert_int_equal(s->state, SERVE_LINGER);
	ns_t end = serve_deadline(s);

	assert_true(end > now && end <= now + 30 * NS_PER_S);
	for (int i = 0; i < 10; i++) {
		now += 100 * NS_PER_MS;
		assert_int_equal(serve_in(s).kind, WANT_DISCARD);
		serve_got(s, NULL, 1 << 30, now);
		assert_int_equal(serve_out(s).kind, WANT_NOTHING);
	}
	assert_true(serve_deadline(s) == end);
	serve_tick(s, end);
	assert_int_equal(serve_out(s).kind, WANT_CLOSE);
	assert_int_equal(counters.bytes_in, 0);
}

static void who_lingers_is_closed_when_the_client_closes(void **state)
{
	(void)state;
	struct serve *s = begin();

	say(s, "GET /nothing HTTP/1.1\r\n" END);
	assert_int_equal(s->state, SERVE_LINGER);
	serve_closed(s, IO_END);
	assert_int_equal(serve_out(s).kind, WANT_CLOSE);
}

static void a_half_closed_client_gets_its_answer(void **state)
{
	(void)state;
	struct serve *s = begin();

	ask(s, "GET /down?bytes=5000 HTTP/1.1\r\n" END);
	drain(s, 1000);
	serve_closed(s, IO_END);
	drain(s, UINT64_MAX);
	assert_int_equal(last()->body.received, 5000);
	assert_true(shut);
}

static void a_refusal_of_a_connection_says_why_and_when_to_come_back(void **state)
{
	(void)state;
	struct serve *s = begin();

	serve_refuse(s, 503, "too many connections", now);
	assert_int_equal(serve_in(s).kind, WANT_NOTHING);
	drain(s, UINT64_MAX);
	assert_int_equal(last()->head.status, 503);
	assert_string_equal(last()->content, "too many connections\n");
	assert_true(ear_field(last(), "Retry-After").n > 0);
	assert_field(last(), "Connection", "close");
	assert_true(shut);
	s = begin();
	serve_refuse(s, 403, "private addresses only", now);
	drain(s, UINT64_MAX);
	assert_int_equal(last()->head.status, 403);
	assert_int_equal(ear_field(last(), "Retry-After").n, 0);
	assert_int_equal(counters.refused, 1);
}

/* A client that goes away after each byte of this, in good order or not. */
static const char visit[] =
	UP "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;x=y\r\nabc\r\n0\r\nX-Bytes: 8\r\n\r\n"
	"GET /down?bytes=1000 HTTP/1.1\r\n" END
	UP "Expect: 100-continue\r\nContent-Length: 4\r\n\r\nabcd"
	"GET / HTTP/1.1\r\n" END "GET /nothing HTTP/1.1\r\n" END "more";

static void leave_after(size_t sent, uint64_t taken, int io)
{
	struct serve *s = begin();
	size_t at = 0;

	while (at < sent && serve_in(s).kind != WANT_NOTHING) {
		struct want w = serve_in(s);

		serve_got(s, w.kind == WANT_READ ? brink(visit + at, 1) : NULL, 1, now);
		at++;
		if (serve_in(s).kind != WANT_NOTHING)
			continue;
		uint64_t before = counters.bytes_out;

		drain(s, taken);
		taken -= counters.bytes_out - before < taken ? counters.bytes_out - before : taken;
	}
	serve_closed(s, io);
	assert_true(counters.bytes_in <= 12);
	assert_true(counters.bytes_out <= 1000);
	if (io != IO_END)
		assert_int_equal(serve_out(s).kind, WANT_CLOSE);
	for (int i = 0; i < 5 && !closed; i++) {
		drain(s, UINT64_MAX);
		if (!closed && serve_in(s).kind != WANT_NOTHING)
			serve_closed(s, io); /* the end is still there to be read */
		now = serve_deadline(s);
	}
	drain(s, UINT64_MAX);
	assert_true(closed);
}

static void a_client_that_goes_away_at_any_point_costs_nothing_more(void **state)
{
	(void)state;
	static const int ios[] = { IO_END, IO_RESET, IO_TIMEOUT };

	for (size_t sent = 0; sent < sizeof(visit); sent++)
		for (size_t i = 0; i < COUNT(ios); i++) {
			leave_after(sent, UINT64_MAX, ios[i]);
			leave_after(sent, sent % 50, ios[i]);
		}
}

static void a_download_that_breaks_counts_what_was_taken(void **state)
{
	(void)state;
	for (uint64_t taken = 0; taken < 3000; taken += 37) {
		struct serve *s = begin();

		ask(s, "GET /down?bytes=100000 HTTP/1.1\r\n" END);
		drain(s, taken);
		uint64_t received = ear.n > 0 ? last()->body.received : 0;

		serve_closed(s, IO_RESET);
		assert_int_equal(counters.bytes_out, received);
		assert_int_equal(serve_out(s).kind, WANT_CLOSE);
	}
}

static void garbage_is_refused_and_nothing_worse(void **state)
{
	(void)state;
	static const char words[][24] = { "GET ", "POST /up ", "HTTP/1.1\r\n", "\r\n", "Host: a\r\n",
		"Content-Length: 5\r\n",
		"Transfer-Encoding: ", "chunked\r\n", "0\r\n\r\n", "5\r\nhello\r\n", "ffff\r\n", "/down?bytes=9 ",
		"\n", " ", "\x80",
		"Expect: 100-continue\r\n" };

	for (uint64_t seed = 0; seed < 2000; seed++) {
		struct rng rng = rng_of(seed);
		struct serve *s = begin();

		step = 1 + rng_below(&rng, 2000);
		for (int i = 0; i < 40 && !shut && !closed && ear.n < EAR_ANSWERS - 8; i++) {
			const char *w = words[rng_below(&rng, COUNT(words))];

			say(s, w);
			now += (ns_t)rng_below(&rng, 100 * NS_PER_MS);
			serve_tick(s, now);
		}
		serve_closed(s, IO_RESET);
		assert_int_equal(serve_out(s).kind, WANT_CLOSE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_request_gets_its_answer_whole_byte_by_byte_and_at_every_cut),
		cmocka_unit_test(every_answer_names_the_program_and_is_not_to_be_stored),
		cmocka_unit_test(a_client_without_gzip_has_words_for_the_document_and_nothing_else),
		cmocka_unit_test(a_method_that_is_not_allowed_is_told_which_are),
		cmocka_unit_test(a_refused_host_is_told_how_to_be_accepted),
		cmocka_unit_test(an_answer_to_head_has_no_content_even_where_it_refuses),
		cmocka_unit_test(a_client_of_http_1_0_is_told_that_it_is_kept),
		cmocka_unit_test(congestion_control_is_what_was_asked_for_and_allowed),
		cmocka_unit_test(the_first_head_is_due_a_head_time_after_the_connection),
		cmocka_unit_test(seconds_past_the_time_of_a_body_end_in_good_order),
		cmocka_unit_test(facts_are_json_with_the_limits_and_the_counts),
		cmocka_unit_test(requests_in_a_row_are_answered_in_their_order),
		cmocka_unit_test(many_requests_in_one_piece_fit_and_are_answered),
		cmocka_unit_test(a_head_that_is_too_long_is_refused),
		cmocka_unit_test(no_more_is_read_than_there_is_room_for),
		cmocka_unit_test(more_is_promised_where_a_body_follows),
		cmocka_unit_test(a_request_line_of_eight_thousand_bytes_is_read),
		cmocka_unit_test(too_many_fields_are_refused),
		cmocka_unit_test(the_receipt_counts_what_came),
		cmocka_unit_test(more_than_the_cap_gets_413_by_length_and_by_chunks),
		cmocka_unit_test(the_receipt_tells_how_long_it_took),
		cmocka_unit_test(the_upload_under_way_can_be_watched),
		cmocka_unit_test(a_client_that_expects_to_be_told_is_told_to_continue),
		cmocka_unit_test(who_expects_to_be_told_is_refused_before_the_body),
		cmocka_unit_test(a_client_of_http_1_0_is_never_told_to_continue),
		cmocka_unit_test(an_upload_of_nothing_needs_no_telling),
		cmocka_unit_test(every_picture_has_its_size_and_a_download_of_seconds_may_have_any_path),
		cmocka_unit_test(cloudflares_client_learns_how_long_the_server_took),
		cmocka_unit_test(other_origins_may_read_only_where_the_server_was_told_so_and_never_the_page),
		cmocka_unit_test(a_preflight_is_answered_where_the_server_was_told_so),
		cmocka_unit_test(who_sends_a_little_less_than_declared_soon_learns_what_came),
		cmocka_unit_test(who_lacks_more_than_a_little_has_the_time_to_send_it),
		cmocka_unit_test(other_dialects_get_no_receipt_for_half_a_body),
		cmocka_unit_test(what_may_be_missing_is_read_and_not_left_to_the_kernel),
		cmocka_unit_test(an_upload_without_end_counts_until_it_breaks),
		cmocka_unit_test(no_path_with_no_method_and_no_query_gets_anything_worse_than_an_answer),
		cmocka_unit_test(data_without_a_word_about_how_much_has_a_length),
		cmocka_unit_test(data_by_seconds_ends_in_time_and_says_how_much_it_was),
		cmocka_unit_test(data_by_seconds_is_ended_on_time_by_its_deadline),
		cmocka_unit_test(a_client_of_http_1_0_gets_seconds_until_the_close),
		cmocka_unit_test(a_short_download_after_a_long_one_is_not_cut_by_its_time),
		cmocka_unit_test(a_connection_without_a_request_is_closed_without_a_word),
		cmocka_unit_test(half_a_head_is_waited_for_and_then_refused),
		cmocka_unit_test(a_byte_a_second_does_not_hold_a_connection),
		cmocka_unit_test(the_second_request_of_a_connection_has_its_own_time),
		cmocka_unit_test(a_head_that_waits_behind_a_request_has_its_time_from_then),
		cmocka_unit_test(a_body_that_stalls_is_given_up),
		cmocka_unit_test(a_body_that_trickles_may_take_so_long_and_no_longer),
		cmocka_unit_test(a_client_that_takes_nothing_is_left),
		cmocka_unit_test(a_client_that_takes_a_byte_a_second_may_do_so_for_so_long),
		cmocka_unit_test(progress_that_only_the_connection_shows_is_waited_for),
		cmocka_unit_test(no_progress_makes_a_body_longer_than_it_may_be),
		cmocka_unit_test(after_the_last_answer_the_rest_goes_by_but_not_for_ever),
		cmocka_unit_test(who_lingers_is_closed_when_the_client_closes),
		cmocka_unit_test(a_half_closed_client_gets_its_answer),
		cmocka_unit_test(a_refusal_of_a_connection_says_why_and_when_to_come_back),
		cmocka_unit_test(a_client_that_goes_away_at_any_point_costs_nothing_more),
		cmocka_unit_test(a_download_that_breaks_counts_what_was_taken),
		cmocka_unit_test(garbage_is_refused_and_nothing_worse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
