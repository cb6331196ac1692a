/* SPDX-License-Identifier: MIT */
#include "core/http1_body.h"

#include "core/http1_write.h"
#include "guard.h"

#define ROOM 65536

struct outcome {
	struct http1_body body;
	int fault;
	size_t used;
	char payload[ROOM];
	size_t n; /* of the payload */
};

static const char *at_edge(struct slice s)
{
	static struct guard page;
	static const char zeros[ROOM];

	if (!page.base)
		page = guard_of(zeros, ROOM);
	assert_true(s.n <= ROOM);
	return memcpy(page.p + ROOM - s.n, s.p, s.n);
}

static uint32_t random_below(uint32_t n)
{
	static uint64_t x = 0x853c49e6748fea9b;

	x = x * 6364136223846793005 + 1442695040888963407;
	return (uint32_t)(x >> 33) % n;
}

static struct http1_head head_of(enum http1_kind kind, const char *text)
{
	struct http1_head h;
	http1_mark mark = 0;

	assert_int_equal(http1_head_parse(&h, kind, text, strlen(text), &mark), strlen(text));
	return h;
}

static struct http1_body body_of(const char *response)
{
	struct http1_head h = head_of(HTTP1_RESPONSE, response);
	struct http1_body b;

	assert_int_equal(http1_body_init(&b, &h, HTTP1_RESPONSE, false), 0);
	return b;
}

static struct http1_body chunked(void)
{
	return body_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
}

static void start(struct outcome *o, struct http1_body b)
{
	o->body = b;
	o->fault = 0;
	o->used = o->n = 0;
}

/* One receive: fed until nothing more is taken, with the books checked at each step. */
static void feed(struct outcome *o, struct slice piece)
{
	struct slice in = { at_edge(piece), piece.n };

	while (o->fault == 0 && !o->body.done) {
		struct slice got = SLICE("stale");
		uint64_t before = o->body.received, sure = http1_body_discardable(&o->body);
		int64_t r = http1_body_feed(&o->body, in.p, in.n, &got);

		if (r < 0) {
			assert_int_equal(got.n, 0);
			o->fault = (int)-r;
			return;
		}
		assert_true(r <= (int64_t)in.n && (r > 0) == (in.n > 0));
		assert_true(got.n <= (size_t)r && o->body.received == before + got.n);
		assert_true(got.n == 0 || got.p + got.n == in.p + r);
		assert_true(sure == 0 || got.n == (sure < in.n ? sure : in.n));
		if (r == 0)
			return;
		memcpy(o->payload + o->n, got.p, got.n);
		o->n += got.n;
		o->used += (size_t)r;
		in = slice_from(in, (size_t)r);
	}
}

/* Some of what comes next is thrown away unread; a test still has it, and notes it as payload. */
static size_t discard(struct outcome *o, struct slice in, uint32_t most)
{
	uint64_t sure = http1_body_discardable(&o->body);
	size_t n = random_below(most) + 1;

	n = n < in.n ? n : in.n;
	n = n < sure ? n : (size_t)sure;
	http1_body_discarded(&o->body, n);
	memcpy(o->payload + o->n, in.p, n);
	o->n += n;
	o->used += n;
	return n;
}

static void decode(struct outcome *o, struct http1_body b, struct slice in, size_t first, size_t step)
{
	start(o, b);
	feed(o, slice_head(in, first));
	for (size_t at = first; at < in.n; at += step)
		feed(o, slice_head(slice_from(in, at), step));
}

/* Pieces and discards of 1 to @most bytes. */
static void decode_at_random(struct outcome *o, struct http1_body b, struct slice in, uint32_t most)
{
	start(o, b);
	for (size_t at = 0; at < in.n && o->fault == 0 && !o->body.done;) {
		if (http1_body_discardable(&o->body) > 0 && random_below(2) == 0) {
			at += discard(o, slice_from(in, at), most);
			continue;
		}
		struct slice piece = slice_head(slice_from(in, at), random_below(most) + 1);

		feed(o, piece);
		at += piece.n;
	}
}

struct body_case {
	struct slice in;
	const char *payload; /* NULL for a fault */
	int fault;
	size_t rest; /* bytes behind the body */
	bool open;   /* there must be more to come */
};

static void assert_outcome(struct outcome *o, const struct body_case *c)
{
	assert_int_equal(o->fault, c->fault);
	if (c->fault)
		return;
	assert_int_equal(o->body.done, !c->open);
	assert_int_equal(o->used, c->in.n - c->rest);
	assert_int_equal(o->n, strlen(c->payload));
	assert_memory_equal(o->payload, c->payload, o->n);
	assert_int_equal(o->body.received, o->n);
	assert_int_equal(http1_body_close(&o->body), c->open ? -HTTP1_TRUNCATED : 0);
}

static void check(struct http1_body b, const struct body_case *c)
{
	static struct outcome o;

	for (size_t first = 0; first <= c->in.n; first++) {
		decode(&o, b, c->in, first, ROOM);
		assert_outcome(&o, c);
	}
	decode(&o, b, c->in, 0, 1);
	assert_outcome(&o, c);
	decode_at_random(&o, b, c->in, 4);
	assert_outcome(&o, c);
}

static void check_chunked(const struct body_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check(chunked(), &cases[i]);
}

#define CHECK_CHUNKED(cases) check_chunked(cases, sizeof(cases) / sizeof(cases[0]))

struct framing_case {
	const char *head;
	int want; /* the framing, or a negative fault */
	uint64_t length;
};

static void check_framing(enum http1_kind kind, const struct framing_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct http1_head h = head_of(kind, cases[i].head);
		struct http1_body b;
		int r = http1_body_init(&b, &h, kind, false);

		assert_int_equal(r < 0 ? r : (int)b.framing, cases[i].want);
		if (r < 0)
			continue;
		assert_int_equal(b.length, cases[i].length);
		assert_int_equal(b.received, 0);
		assert_int_equal(b.done, b.framing == HTTP1_NO_BODY || (b.framing == HTTP1_LENGTH && b.length == 0));
	}
}

#define CHECK_FRAMING(kind, cases) check_framing(kind, cases, sizeof(cases) / sizeof(cases[0]))
#define OK "HTTP/1.1 200 OK\r\n"
#define END "\r\n\r\n"

static void a_response_ends_as_rfc_9112_section_6_3_says(void **state)
{
	const struct framing_case cases[] = {
		{ OK "\r\n", HTTP1_UNTIL_CLOSE, 0 },
		{ "HTTP/1.0 200 OK" END, HTTP1_UNTIL_CLOSE, 0 },
		{ OK "Content-Length: 5" END, HTTP1_LENGTH, 5 },
		{ OK "content-length:0" END, HTTP1_LENGTH, 0 },
		{ OK "Content-Length: 0000000000000000000000007" END, HTTP1_LENGTH, 7 },
		{ OK "Transfer-Encoding: chunked" END, HTTP1_CHUNKED, 0 },
		{ OK "TRANSFER-ENCODING: CHUNKED" END, HTTP1_CHUNKED, 0 },
		{ "HTTP/1.1 100 Continue\r\nContent-Length: 5" END, HTTP1_NO_BODY, 0 },
		{ "HTTP/1.1 101 Switching\r\nTransfer-Encoding: chunked" END, HTTP1_NO_BODY, 0 },
		{ "HTTP/1.1 204 No Content\r\nContent-Length: 5" END, HTTP1_NO_BODY, 0 },
		{ "HTTP/1.1 304 Not Modified\r\nContent-Length: x" END, HTTP1_NO_BODY, 0 },
		{ "HTTP/1.1 205 Reset" END, HTTP1_UNTIL_CLOSE, 0 },
	};

	(void)state;
	CHECK_FRAMING(HTTP1_RESPONSE, cases);
}

static void a_request_has_a_body_only_where_it_says_so(void **state)
{
	const struct framing_case cases[] = {
		{ "GET / HTTP/1.1" END, HTTP1_NO_BODY, 0 },
		{ "PUT / HTTP/1.0\r\nContent-Length: 9" END, HTTP1_LENGTH, 9 },
		{ "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked" END, HTTP1_CHUNKED, 0 },
		{ "PUT / HTTP/1.0\r\nTransfer-Encoding: chunked" END, -HTTP1_BAD_CODING, 0 },
	};

	(void)state;
	CHECK_FRAMING(HTTP1_REQUEST, cases);
}

static void the_answer_to_head_has_no_body_whatever_its_fields_say(void **state)
{
	const char *const heads[] = { OK "\r\n", OK "Content-Length: 5" END, OK "Transfer-Encoding: chunked" END };

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct http1_head h = head_of(HTTP1_RESPONSE, heads[i]);
		struct http1_body b;

		assert_int_equal(http1_body_init(&b, &h, HTTP1_RESPONSE, true), 0);
		assert_int_equal(b.framing, HTTP1_NO_BODY);
		assert_true(b.done);
	}
}

static void equal_lengths_fold_into_one(void **state)
{
	const struct framing_case cases[] = {
		{ OK "Content-Length: 5, 5" END, HTTP1_LENGTH, 5 },
		{ OK "Content-Length: 5\r\nContent-Length: 5" END, HTTP1_LENGTH, 5 },
		{ OK "Content-Length: 5 ,05,\t5\r\nX: y\r\nContent-Length: 5" END, HTTP1_LENGTH, 5 },
		{ OK "Content-Length: 0, 0" END, HTTP1_LENGTH, 0 },
	};

	(void)state;
	CHECK_FRAMING(HTTP1_RESPONSE, cases);
}

static void a_length_given_twice_with_different_values_is_refused(void **state)
{
	const struct framing_case cases[] = {
		{ OK "Content-Length: 5, 6" END, -HTTP1_LENGTH_CONFLICT, 0 },
		{ OK "Content-Length: 5,5,6" END, -HTTP1_LENGTH_CONFLICT, 0 },
		{ OK "Content-Length: 0\r\nContent-Length: 5" END, -HTTP1_LENGTH_CONFLICT, 0 },
		{ OK "Content-Length: 5\r\nX: y\r\nContent-Length: 5, 0" END, -HTTP1_LENGTH_CONFLICT, 0 },
	};

	(void)state;
	CHECK_FRAMING(HTTP1_RESPONSE, cases);
}

static void a_length_that_is_no_63_bit_number_is_refused(void **state)
{
	const char *const values[] = { "", "-1", "+5", "5.0", "0x5", "5 5", "5,", ",5", "5,,5", ",", "five", "1e3",
		"5;a=b", "\"5\"", "\xb2", "9223372036854775808", "18446744073709551615", "18446744073709551616",
		"99999999999999999999999999999999999999" };
	const struct framing_case fits[] = {
		{ OK "Content-Length: 9223372036854775807" END, HTTP1_LENGTH, HTTP1_LENGTH_MAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		char head[128] = OK "Content-Length: ";
		const struct framing_case c = { head, -HTTP1_BAD_LENGTH, 0 };

		strcat(strcat(head, values[i]), END);
		check_framing(HTTP1_RESPONSE, &c, 1);
	}
	CHECK_FRAMING(HTTP1_RESPONSE, fits);
}

static void a_length_beside_a_coding_is_refused(void **state)
{
	const struct framing_case cases[] = {
		{ OK "Content-Length: 5\r\nTransfer-Encoding: chunked" END, -HTTP1_LENGTH_AND_CHUNKED, 0 },
		{ OK "Transfer-Encoding: chunked\r\nContent-Length: 0" END, -HTTP1_LENGTH_AND_CHUNKED, 0 },
		{ OK "Transfer-Encoding: gzip\r\nContent-Length: 5" END, -HTTP1_LENGTH_AND_CHUNKED, 0 },
	};

	(void)state;
	CHECK_FRAMING(HTTP1_RESPONSE, cases);
}

static void a_coding_other_than_one_chunked_is_refused(void **state)
{
	const char *const values[] = { "", "gzip", "identity", "gzip, chunked", "chunked, gzip", "chunked, chunked",
		"chunked\r\nTransfer-Encoding: chunked", "chunked\r\nTransfer-Encoding: gzip",
		"gzip\r\nTransfer-Encoding: chunked", "chunked;q=1", "xchunked", "chunke", "chunked chunked",
		"\"chunked\"" };

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		char head[128] = OK "Transfer-Encoding: ";
		const struct framing_case c = { head, -HTTP1_BAD_CODING, 0 };

		strcat(strcat(head, values[i]), END);
		check_framing(HTTP1_RESPONSE, &c, 1);
	}
}

static void a_coding_from_a_peer_of_http_1_0_is_refused(void **state)
{
	const struct framing_case cases[] = {
		{ "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked" END, -HTTP1_BAD_CODING, 0 },
		{ "HTTP/1.7 200 OK\r\nTransfer-Encoding: chunked" END, HTTP1_CHUNKED, 0 },
	};

	(void)state;
	CHECK_FRAMING(HTTP1_RESPONSE, cases);
}

static void a_body_of_a_length_ends_there(void **state)
{
	const struct body_case cases[] = {
		{ SLICE("hello"), "hello", 0, 0, false },
		{ SLICE("helloHTTP/1.1"), "hello", 0, 8, false },
		{ SLICE("hell"), "hell", 0, 0, true },
		{ SLICE(""), "", 0, 0, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(body_of(OK "Content-Length: 5" END), &cases[i]);
}

static void without_a_body_every_byte_stays_with_the_caller(void **state)
{
	const struct body_case c = { SLICE("HTTP/1.1"), "", 0, 8, false };
	struct http1_body b = body_of("HTTP/1.1 204 None" END);
	struct slice got = SLICE("stale");

	(void)state;
	check(b, &c);
	check(body_of(OK "Content-Length: 0" END), &c);
	assert_int_equal(http1_body_discardable(&b), 0);
	assert_int_equal(http1_body_feed(&b, "next", 4, &got), 0);
	assert_int_equal(got.n, 0);
}

static void a_body_until_the_close_is_ended_by_the_close_alone(void **state)
{
	struct http1_body b = body_of(OK "\r\n");
	struct slice got;

	(void)state;
	assert_int_equal(http1_body_feed(&b, "abc", 3, &got), 3);
	assert_int_equal(got.n, 3);
	assert_true(http1_body_discardable(&b) == UINT64_MAX);
	http1_body_discarded(&b, UINT64_C(1) << 40);
	assert_true(http1_body_discardable(&b) == UINT64_MAX);
	assert_false(b.done);
	assert_int_equal(http1_body_close(&b), 0);
	assert_true(b.done);
	assert_true(b.received == (UINT64_C(1) << 40) + 3);
	assert_int_equal(http1_body_discardable(&b), 0);
	assert_int_equal(http1_body_feed(&b, "abc", 3, &got), 0);
}

static void chunks_are_joined(void **state)
{
	const struct body_case cases[] = {
		{ SLICE("0\r\n\r\n"), "", 0, 0, false },
		{ SLICE("5\r\nhello\r\n0\r\n\r\n"), "hello", 0, 0, false },
		{ SLICE("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nHTTP"), "hello world", 0, 4, false },
		{ SLICE("1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n"), "abc", 0, 0, false },
		{ SLICE("a\r\n0123456789\r\n0\r\n\r\n"), "0123456789", 0, 0, false },
		{ SLICE("0000000000000000000000000000000A\r\n0123456789\r\n000\r\n\r\n"), "0123456789", 0, 0, false },
		{ SLICE("11\r\n0123456789abcdefg\r\n00\r\n\r\n"), "0123456789abcdefg", 0, 0, false },
		{ SLICE("6\r\n\r\n0\r\n\r\r\n0\r\n\r\n"), "\r\n0\r\n\r", 0, 0, false },
	};

	(void)state;
	CHECK_CHUNKED(cases);
}

static void extensions_and_trailers_are_passed_over(void **state)
{
	const struct body_case cases[] = {
		{ SLICE("5;a\r\nhello\r\n0;b=c;d=\"e;f\"\r\n\r\n"), "hello", 0, 0, false },
		{ SLICE("5 \t;a = \xe9\tb\r\nhello\r\n0\r\n\r\n"), "hello", 0, 0, false },
		{ SLICE("0\r\nA: b\r\nC:\r\nD:\t\x80 \r\n\r\n"), "", 0, 0, false },
		{ SLICE("0\r\nA: b\n\nHTTP"), "", 0, 4, false },
		{ SLICE("0\r\nContent-Length: 7\r\nTransfer-Encoding: gzip\r\n\r\nHTTP"), "", 0, 4, false },
	};

	(void)state;
	CHECK_CHUNKED(cases);
}

static void a_connection_that_ends_inside_the_chunks_truncates_the_body(void **state)
{
	static const char whole[] = "5;a\r\nhello\r\n0\r\nA: b\r\n\r\n";

	(void)state;
	for (size_t n = 0; n < sizeof(whole) - 1; n++) {
		char payload[6] = "hello";
		struct body_case c = { { whole, n }, payload, 0, 0, true };

		payload[n <= 5 ? 0 : n <= 10 ? n - 5 : 5] = '\0';
		check(chunked(), &c);
	}
}

static void a_chunk_size_that_is_no_hexadecimal_number_is_refused(void **state)
{
	const char *const sizes[] = { "\r\n", " 5\r\n", "+5\r\n", "-5\r\n", "0x5\r\n", "g\r\n", "5g\r\n", ";a\r\n",
		"5\n", "5 \r\n", "5 5\r\n", "5,\r\n", "5:\r\n", "\n", "5\x7f", "@\r\n", "`\r\n", "/\r\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char in[32] = "1\r\na\r\n";
		struct body_case c = { { in, 0 }, NULL, HTTP1_BAD_CHUNK, 0, false };

		strcat(strcat(in, sizes[i]), "hello\r\n0\r\n\r\n");
		c.in = slice_of(in);
		check(chunked(), &c);
		c.in = slice_from(c.in, 6);
		check(chunked(), &c);
	}
}

static void a_chunk_size_beyond_63_bits_is_refused(void **state)
{
	const struct body_case cases[] = {
		{ SLICE("8000000000000000\r\n"), NULL, HTTP1_CHUNK_TOO_LARGE, 0, false },
		{ SLICE("ffffffffffffffff\r\n"), NULL, HTTP1_CHUNK_TOO_LARGE, 0, false },
		{ SLICE("fffffffffffffffff\r\n"), NULL, HTTP1_CHUNK_TOO_LARGE, 0, false },
		{ SLICE("10000000000000005\r\nhello"), NULL, HTTP1_CHUNK_TOO_LARGE, 0, false },
		{ SLICE("07fffffffffffffff\r\n..."), "...", 0, 0, true },
	};

	(void)state;
	CHECK_CHUNKED(cases);
}

static void a_size_line_of_endless_zeros_is_refused(void **state)
{
	static struct outcome o;
	static char zeros[300];

	(void)state;
	memset(zeros, '0', sizeof(zeros));
	decode(&o, chunked(), (struct slice){ zeros, sizeof(zeros) }, 0, 100);
	assert_int_equal(o.fault, HTTP1_CHUNK_TOO_LARGE);
}

static void a_chunk_without_its_line_end_is_refused(void **state)
{
	const struct body_case cases[] = {
		{ SLICE("5\r\nhello0\r\n\r\n"), NULL, HTTP1_BAD_CHUNK, 0, false },
		{ SLICE("5\r\nhello!\r\n0\r\n\r\n"), NULL, HTTP1_BAD_CHUNK, 0, false },
		{ SLICE("5\r\nhello\n0\r\n\r\n"), NULL, HTTP1_BAD_CHUNK, 0, false },
		{ SLICE("5\r\nhello\r0\r\n\r\n"), NULL, HTTP1_BAD_CHUNK, 0, false },
		{ SLICE("5\r\nhello\r\r\n0\r\n\r\n"), NULL, HTTP1_BAD_CHUNK, 0, false },
	};

	(void)state;
	CHECK_CHUNKED(cases);
}

static void a_control_character_in_the_frame_is_refused(void **state)
{
	const struct body_case cases[] = {
		{ SLICE("5\rhello\r\n"), NULL, HTTP1_BAD_BYTE, 0, false },
		{ SLICE("5;a\rb\r\nhello\r\n"), NULL, HTTP1_BAD_BYTE, 0, false },
		{ SLICE("5;a\nhello\r\n"), NULL, HTTP1_BAD_BYTE, 0, false },
		{ SLICE("5;\0\r\nhello\r\n"), NULL, HTTP1_BAD_BYTE, 0, false },
		{ SLICE("5;\x1f\r\nhello\r\n"), NULL, HTTP1_BAD_BYTE, 0, false },
		{ SLICE("5;\x7f\r\nhello\r\n"), NULL, HTTP1_BAD_BYTE, 0, false },
		{ SLICE("0\r\nA\0: b\r\n\r\n"), NULL, HTTP1_BAD_BYTE, 0, false },
		{ SLICE("0\r\nA: \0\r\n\r\n"), NULL, HTTP1_BAD_BYTE, 0, false },
		{ SLICE("0\r\nA: b\rc\r\n\r\n"), NULL, HTTP1_BAD_BYTE, 0, false },
		{ SLICE("0\r\nA: b\r\r\n\r\n"), NULL, HTTP1_BAD_BYTE, 0, false },
		{ SLICE("0\r\n\rX"), NULL, HTTP1_BAD_BYTE, 0, false },
	};

	(void)state;
	CHECK_CHUNKED(cases);
}

static void a_trailer_that_is_no_field_is_refused(void **state)
{
	const char *const lines[] = { "A\r\n", "A\n", ": b\r\n", "A : b\r\n", " A: b\r\n", "\tA: b\r\n", "A B: c\r\n",
		"A: b\r\n folded\r\n", "A(: b\r\n", "\xe9: b\r\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char in[64] = "0\r\nX: y\r\n";
		struct body_case c = { { in, 0 }, NULL, HTTP1_BAD_FIELD, 0, false };

		strcat(strcat(in, lines[i]), "\r\n");
		c.in = slice_of(in);
		check(chunked(), &c);
	}
}

/* A last chunk with @extension bytes behind its size, and one trailer line of @line bytes or none. */
static struct slice last_chunk(size_t extension, size_t line)
{
	static char in[3 * HTTP1_TRAILER_MAX];
	struct text t;

	text_init(&t, in, sizeof(in));
	text_char(&t, '0');
	for (size_t i = 0; i < extension; i++)
		text_char(&t, ";a"[i > 0]);
	text_str(&t, "\r\n");
	for (size_t i = 0; line > 0 && i < line - 2; i++)
		text_char(&t, "a:"[i == 1]);
	text_str(&t, line > 0 ? "\r\n\r\n" : "\r\n");
	return text_view(&t);
}

static void extensions_and_trailers_of_8192_bytes_are_the_most(void **state)
{
	static const size_t most[][2] = { { HTTP1_TRAILER_MAX, 0 }, { 0, HTTP1_TRAILER_MAX },
		{ HTTP1_TRAILER_MAX - 4, 4 }, { 1, HTTP1_TRAILER_MAX - 1 } };
	static const size_t steps[] = { 1, 1000, ROOM };
	static struct outcome o;

	(void)state;
	for (size_t i = 0; i < 12; i++) {
		const size_t *m = most[i / 3];
		struct slice in = last_chunk(m[0], m[1]);

		decode(&o, chunked(), in, 0, steps[i % 3]);
		assert_true(o.fault == 0 && o.body.done && o.used == in.n);
		decode(&o, chunked(), m[1] ? last_chunk(m[0], m[1] + 1) : last_chunk(m[0] + 1, 0), 0, steps[i % 3]);
		assert_int_equal(o.fault, HTTP1_TRAILER_TOO_LONG);
	}
}

static void extensions_count_over_all_chunks(void **state)
{
	static struct outcome o;
	struct http1_body b = chunked();
	size_t chunks = 0;

	(void)state;
	for (start(&o, b); o.fault == 0; chunks++)
		feed(&o, SLICE("1;abcdefg\r\nx\r\n"));
	assert_int_equal(o.fault, HTTP1_TRAILER_TOO_LONG);
	assert_int_equal(chunks, HTTP1_TRAILER_MAX / 8 + 1);
}

static void endless_trailers_are_refused(void **state)
{
	static struct outcome o;
	size_t lines = 0;

	(void)state;
	start(&o, chunked());
	for (feed(&o, SLICE("0\r\n")); o.fault == 0; lines++)
		feed(&o, SLICE("A:\n"));
	assert_int_equal(o.fault, HTTP1_TRAILER_TOO_LONG);
	assert_int_equal(lines, HTTP1_TRAILER_MAX / 3 + 1);
}

static void the_trailer_says_what_the_peer_sent(void **state)
{
	const struct {
		const char *trailers;
		bool known;
		uint64_t value;
	} cases[] = {
		{ "X-Bytes: 1234\r\n", true, 1234 },
		{ "x-bytes:0\n", true, 0 },
		{ "A: b\r\nX-BYTES: \t18446744073709551615 \t\r\nC: d\r\n", true, UINT64_MAX },
		{ "X-Bytes: 5\r\nX-Bytes: 6\r\n", true, 5 },
		{ "", false, 0 },
		{ "X-Bytes:\r\n", false, 0 },
		{ "X-Bytes: 18446744073709551616\r\n", false, 0 },
		{ "X-Bytes: -5\r\n", false, 0 },
		{ "X-Bytes: 1 2\r\n", false, 0 },
		{ "X-Byte: 5\r\n", false, 0 },
		{ "X-Bytess: 5\r\n", false, 0 },
		{ "X-Bytes: 1                              2\r\n", false, 0 },
		{ "X-Bytes: 00000000000000000000000000000000000000005\r\n", false, 0 },
	};
	static struct outcome o;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char in[128] = "0\r\n";
		uint64_t value = 77;

		strcat(strcat(in, cases[i].trailers), "\r\n");
		for (size_t step = 1; step < sizeof(in); step++) {
			decode(&o, chunked(), slice_of(in), 0, step);
			assert_true(o.fault == 0 && o.body.done);
			assert_int_equal(http1_body_trailer_uint(&o.body, &value), cases[i].known);
			assert_true(value == (cases[i].known ? cases[i].value : 77));
		}
	}
}

static void a_huge_chunk_goes_by_unread_between_tiny_feeds(void **state)
{
	static struct outcome o;
	const uint64_t size = HTTP1_LENGTH_MAX;

	(void)state;
	start(&o, chunked());
	feed(&o, SLICE("7fffffffffffff"));
	assert_int_equal(http1_body_discardable(&o.body), 0);
	feed(&o, SLICE("ff\r"));
	assert_int_equal(http1_body_discardable(&o.body), 0);
	feed(&o, SLICE("\nab"));
	assert_true(http1_body_discardable(&o.body) == size - 2);
	http1_body_discarded(&o.body, size - 4);
	http1_body_discarded(&o.body, 0);
	assert_true(http1_body_discardable(&o.body) == 2);
	feed(&o, SLICE("c"));
	http1_body_discarded(&o.body, 1);
	assert_int_equal(http1_body_discardable(&o.body), 0);
	http1_body_discarded(&o.body, 0);
	feed(&o, SLICE("\r\n1\r\nd\r\n0\r\n\r\n"));
	assert_int_equal(o.fault, 0);
	assert_true(o.body.done && o.body.received == size + 1);
	assert_memory_equal(o.payload, "abcd", 4);
}

static void a_long_body_goes_by_unread(void **state)
{
	struct http1_body b = body_of(OK "Content-Length: 9223372036854775807" END);
	struct slice got;

	(void)state;
	assert_true(http1_body_discardable(&b) == HTTP1_LENGTH_MAX);
	http1_body_discarded(&b, HTTP1_LENGTH_MAX - 1);
	assert_false(b.done);
	assert_int_equal(http1_body_feed(&b, "xyz", 3, &got), 1);
	assert_int_equal(got.n, 1);
	assert_true(b.done && b.received == HTTP1_LENGTH_MAX);
	b = body_of(OK "Content-Length: 3" END);
	http1_body_discarded(&b, 3);
	assert_true(b.done);
	assert_int_equal(http1_body_discardable(&b), 0);
}

/* A size line as peers write it: either case, leading zeros, sometimes an extension. */
static void put_odd_size(struct text *t, uint32_t n)
{
	static const char upper[] = "0123456789ABCDEF";

	for (uint32_t zeros = random_below(3); zeros > 0; zeros--)
		text_char(t, '0');
	for (int shift = 28; shift >= 0; shift -= 4)
		if (n >> shift > 0)
			text_char(t, upper[n >> shift & 15]);
	text_str(t, random_below(4) == 0 ? " ; ext=\"1;2\"\r\n" : "\r\n");
}

static void put_random_chunks(struct text *t, struct slice payload)
{
	while (payload.n > 0) {
		size_t n = 1 + random_below(random_below(2) ? 10 : 3000);

		n = n < payload.n ? n : payload.n;
		if (random_below(2))
			put_odd_size(t, (uint32_t)n);
		else
			http1_put_chunk_size(t, n);
		text_slice(t, slice_head(payload, n));
		text_str(t, "\r\n");
		payload = slice_from(payload, n);
	}
}

static void random_bodies_in_random_chunks_come_back_identical(void **state)
{
	static char payload[8000], stream[ROOM];
	static struct outcome o;

	(void)state;
	for (int round = 0; round < 300; round++) {
		size_t n = random_below(round % 3 ? 200 : sizeof(payload));
		uint64_t said = 0;
		struct text t;

		for (size_t i = 0; i < n; i++)
			payload[i] = (char)random_below(256);
		text_init(&t, stream, sizeof(stream));
		put_random_chunks(&t, (struct slice){ payload, n });
		http1_put_last_chunk(&t, n);
		assert_false(t.cut);

		size_t end = t.len;

		text_str(&t, "next message");
		decode_at_random(&o, chunked(), text_view(&t), round % 2 ? 5 : 5000);
		assert_int_equal(o.fault, 0);
		assert_true(o.body.done && o.used == end && o.n == n && o.body.received == n);
		assert_memory_equal(o.payload, payload, n);
		assert_true(http1_body_trailer_uint(&o.body, &said) && said == n);
	}
}

/* The grammar of RFC 9112 section 7.1, read slowly: what a line is, up to its LF. */
static bool cut_line(struct slice *rest, struct slice *line)
{
	size_t lf = slice_find(*rest, '\n');

	if (lf == rest->n)
		return false;
	*line = slice_cut(rest, '\n');
	if (line->n > 0 && line->p[line->n - 1] == '\r')
		line->n--;
	for (size_t i = 0; i < line->n; i++)
		if (http1_is_control(line->p[i]))
			return false;
	return true;
}

static bool slow_size(struct slice line, uint64_t *size)
{
	struct slice digits = slice_trim(slice_head(line, slice_find(line, ';')));
	bool blank_ok = slice_find(line, ';') < line.n && (line.p[0] != ' ' && line.p[0] != '\t');

	*size = 0;
	for (size_t i = 0; i < digits.n; i++) {
		const char *at = memchr("0123456789abcdefABCDEF", digits.p[i], 22);

		if (!at)
			return false;
		*size = *size * 16 + (uint64_t)(strchr("0123456789abcdef", *at | 0x20) - "0123456789abcdef");
	}
	return digits.n > 0 && digits.n < 16 && (blank_ok || digits.n == line.n);
}

/* Return: bytes of a whole chunked body, or 0 where there is none. */
static size_t slow_decode(struct slice in, char *payload, size_t *n)
{
	struct slice rest = in, line;
	uint64_t size;

	*n = 0;
	do {
		if (!cut_line(&rest, &line) || line.p[line.n] != '\r' || !slow_size(line, &size) || size > rest.n)
			return 0;
		memcpy(payload + *n, rest.p, (size_t)size);
		*n += (size_t)size;
		rest = slice_from(rest, (size_t)size);
		if (size > 0 && !slice_starts(rest, SLICE("\r\n")))
			return 0;
		rest = slice_from(rest, size > 0 ? 2 : 0);
	} while (size > 0);
	while (cut_line(&rest, &line)) {
		size_t colon = slice_find(line, ':');

		if (line.n == 0)
			return in.n - rest.n;
		if (colon == line.n || !http1_is_token(slice_head(line, colon)))
			return 0;
	}
	return 0;
}

/* Flips, overwrites, drops or doubles one byte. Return: the new length. */
static size_t mutate(char *s, size_t n)
{
	static const char likely[] = "\r\n \t;\0:0a5\x7f\x80";
	size_t at = random_below((uint32_t)n);

	switch (random_below(4)) {
	case 0:
		s[at] = (char)(s[at] ^ (1 << random_below(8)));
		return n;
	case 1:
		s[at] = likely[random_below(sizeof(likely) - 1)];
		return n;
	case 2:
		memmove(s + at, s + at + 1, n - at - 1);
		return n - 1;
	default:
		memmove(s + at + 1, s + at, n - at);
		return n + 1;
	}
}

static void broken_chunks_crash_nothing_and_are_judged_as_the_grammar_says(void **state)
{
	const struct slice bodies[] = {
		SLICE("5\r\nhello\r\nb\r\n world, wide\r\n0\r\n\r\nHTTP/1.1"),
		SLICE("1\r\na\r\n00A ;x=\"y\"\r\n0123456789\r\n000;z\r\nX-Bytes: 11\r\nB:\n\r\n"),
		SLICE("10\r\n\r\n0\r\n\r\n5\r\nabcd\r\n\r\n0\r\nTrailer: t\r\n\r\n0\r\n\r\n"),
	};
	static struct outcome whole, split;
	int good = 0;

	(void)state;
	for (int round = 0; round < 40000; round++) {
		struct slice in = bodies[round % 3];
		char buf[128], expected[128];
		size_t n;

		memcpy(buf, in.p, in.n);
		in.p = buf;
		for (uint32_t times = random_below(4); times > 0; times--)
			in.n = mutate(buf, in.n);
		decode(&whole, chunked(), in, in.n, 1);
		decode_at_random(&split, chunked(), in, 1 + random_below(20));
		assert_int_equal(split.fault, whole.fault);
		assert_int_equal(split.n, whole.n);
		assert_memory_equal(split.payload, whole.payload, whole.n);

		size_t end = slow_decode(in, expected, &n);

		assert_int_equal(whole.body.done, end > 0);
		if (end == 0)
			continue;
		good++;
		assert_true(whole.used == end && split.used == end && whole.n == n);
		assert_memory_equal(whole.payload, expected, n);
	}
	assert_in_range(good, 10000, 39000); /* neither side of the question went unasked */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_response_ends_as_rfc_9112_section_6_3_says),
		cmocka_unit_test(a_request_has_a_body_only_where_it_says_so),
		cmocka_unit_test(the_answer_to_head_has_no_body_whatever_its_fields_say),
		cmocka_unit_test(equal_lengths_fold_into_one),
		cmocka_unit_test(a_length_given_twice_with_different_values_is_refused),
		cmocka_unit_test(a_length_that_is_no_63_bit_number_is_refused),
		cmocka_unit_test(a_length_beside_a_coding_is_refused),
		cmocka_unit_test(a_coding_other_than_one_chunked_is_refused),
		cmocka_unit_test(a_coding_from_a_peer_of_http_1_0_is_refused),
		cmocka_unit_test(a_body_of_a_length_ends_there),
		cmocka_unit_test(without_a_body_every_byte_stays_with_the_caller),
		cmocka_unit_test(a_body_until_the_close_is_ended_by_the_close_alone),
		cmocka_unit_test(chunks_are_joined),
		cmocka_unit_test(extensions_and_trailers_are_passed_over),
		cmocka_unit_test(a_connection_that_ends_inside_the_chunks_truncates_the_body),
		cmocka_unit_test(a_chunk_size_that_is_no_hexadecimal_number_is_refused),
		cmocka_unit_test(a_chunk_size_beyond_63_bits_is_refused),
		cmocka_unit_test(a_size_line_of_endless_zeros_is_refused),
		cmocka_unit_test(a_chunk_without_its_line_end_is_refused),
		cmocka_unit_test(a_control_character_in_the_frame_is_refused),
		cmocka_unit_test(a_trailer_that_is_no_field_is_refused),
		cmocka_unit_test(extensions_and_trailers_of_8192_bytes_are_the_most),
		cmocka_unit_test(extensions_count_over_all_chunks),
		cmocka_unit_test(endless_trailers_are_refused),
		cmocka_unit_test(the_trailer_says_what_the_peer_sent),
		cmocka_unit_test(a_huge_chunk_goes_by_unread_between_tiny_feeds),
		cmocka_unit_test(a_long_body_goes_by_unread),
		cmocka_unit_test(random_bodies_in_random_chunks_come_back_identical),
		cmocka_unit_test(broken_chunks_crash_nothing_and_are_judged_as_the_grammar_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
