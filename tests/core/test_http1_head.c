/* SPDX-License-Identifier: MIT */
#include "core/http1_head.h"

#include "core/text.h"
#include "guard.h"

#define ROOM (2 * HTTP1_HEAD_MAX)

struct head_case {
	struct slice in;
	const char *expect; /* see describe(); NULL for a fault */
	int fault;
	size_t rest; /* bytes behind the head */
};

static char seen[ROOM * 2];

static const char *at_edge(struct slice s)
{
	static struct guard page;
	static const char zeros[ROOM];

	if (!page.base)
		page = guard_of(zeros, ROOM);
	assert_true(s.n <= ROOM);
	return memcpy(page.p + ROOM - s.n, s.p, s.n);
}

/* `GET /x 1.1`, or `200 1.1 OK`, then `|name=value` for each field. */
static const char *describe(const struct http1_head *h)
{
	struct text t;

	text_init(&t, seen, sizeof(seen));
	if (h->status > 0) {
		text_uint(&t, h->status);
	} else {
		text_slice(&t, h->method);
		text_char(&t, ' ');
		text_slice(&t, h->target);
	}
	text_str(&t, h->minor ? " 1.1" : " 1.0");
	if (h->status > 0)
		text_char(&t, ' ');
	text_slice(&t, h->reason);
	for (size_t i = 0; i < h->n_fields; i++) {
		text_char(&t, '|');
		text_slice(&t, h->fields[i].name);
		text_char(&t, '=');
		text_slice(&t, h->fields[i].value);
	}
	return seen;
}

/* What a caller gets whose buffer grows to @first bytes, and then by @step. */
static int parse_growing(struct http1_head *h, enum http1_kind kind, struct slice in, size_t first, size_t step)
{
	http1_mark mark = 0;

	for (size_t n = first;; n = n + step < in.n ? n + step : in.n) {
		int r = http1_head_parse(h, kind, at_edge(slice_head(in, n)), n, &mark);

		if (r != 0 || n >= in.n)
			return r;
	}
}

static void check(enum http1_kind kind, const struct head_case *c)
{
	struct http1_head h;
	int want = c->expect ? (int)(c->in.n - c->rest) : -c->fault;

	for (size_t first = 0; first <= c->in.n; first++) {
		assert_int_equal(parse_growing(&h, kind, c->in, first, c->in.n), want);
		if (c->expect)
			assert_string_equal(describe(&h), c->expect);
	}
	assert_int_equal(parse_growing(&h, kind, c->in, 0, 1), want);
	if (c->expect)
		assert_string_equal(describe(&h), c->expect);
}

static void check_all(enum http1_kind kind, const struct head_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check(kind, &cases[i]);
}

#define CHECK_ALL(kind, cases) check_all(kind, cases, sizeof(cases) / sizeof(cases[0]))

static void requests_are_taken_apart(void **state)
{
	const struct head_case cases[] = {
		{ SLICE("GET / HTTP/1.1\r\n\r\n"), "GET / 1.1", 0, 0 },
		{ SLICE("GET /a?b=c HTTP/1.0\r\nHost: h\r\n\r\n"), "GET /a?b=c 1.0|Host=h", 0, 0 },
		{ SLICE("PUT * HTTP/1.1\r\nA:b\r\nA:\t c \t\r\nB:\r\nC: d e\tf\r\n\r\nbody"),
			"PUT * 1.1|A=b|A=c|B=|C=d e\tf", 0, 4 },
		{ SLICE("X!#$%&'*+-.^_`|~09 / HTTP/1.1\r\n\r\n"), "X!#$%&'*+-.^_`|~09 / 1.1", 0, 0 },
		{ SLICE("GET / HTTP/1.1\r\nA: \x80\xff\r\n\r\n"), "GET / 1.1|A=\x80\xff", 0, 0 },
		{ SLICE("GET / HTTP/1.1\r\nA: b: c\r\n\r\n"), "GET / 1.1|A=b: c", 0, 0 },
		{ SLICE("GET / HTTP/1.7\r\n\r\n"), "GET / 1.1", 0, 0 },
	};

	(void)state;
	CHECK_ALL(HTTP1_REQUEST, cases);
}

static void lone_line_feeds_end_lines_too(void **state)
{
	const struct head_case cases[] = {
		{ SLICE("GET / HTTP/1.1\n\n"), "GET / 1.1", 0, 0 },
		{ SLICE("GET / HTTP/1.1\nA: b\r\n\nrest"), "GET / 1.1|A=b", 0, 4 },
		{ SLICE("GET / HTTP/1.1\r\nA: b\n\r\n\r\n"), "GET / 1.1|A=b", 0, 2 },
	};

	(void)state;
	CHECK_ALL(HTTP1_REQUEST, cases);
}

static void two_empty_lines_before_a_request_are_passed_over_and_no_third(void **state)
{
	const struct head_case cases[] = {
		{ SLICE("\r\nGET / HTTP/1.1\r\n\r\n"), "GET / 1.1", 0, 0 },
		{ SLICE("\r\n\r\nGET / HTTP/1.1\r\n\r\n\r\n"), "GET / 1.1", 0, 2 },
		{ SLICE("\n\r\nGET / HTTP/1.1\n\n"), "GET / 1.1", 0, 0 },
		{ SLICE("\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n"), NULL, HTTP1_BAD_START, 0 },
		{ SLICE("\n\n\nGET / HTTP/1.1\r\n\r\n"), NULL, HTTP1_BAD_START, 0 },
		{ SLICE("\r\n\rGET / HTTP/1.1\r\n\r\n"), NULL, HTTP1_BAD_BYTE, 0 },
	};

	(void)state;
	CHECK_ALL(HTTP1_REQUEST, cases);
}

static void responses_are_taken_apart(void **state)
{
	const struct head_case cases[] = {
		{ SLICE("HTTP/1.1 200 OK\r\n\r\n"), "200 1.1 OK", 0, 0 },
		{ SLICE("HTTP/1.0 404 Not Found\r\nServer: x\r\n\r\nno"), "404 1.0 Not Found|Server=x", 0, 2 },
		{ SLICE("HTTP/1.1 204 \r\n\r\n"), "204 1.1 ", 0, 0 },
		{ SLICE("HTTP/1.1 204\r\n\r\n"), "204 1.1 ", 0, 0 },
		{ SLICE("HTTP/1.1 999 \xe9t\xe9\tx\n\n"), "999 1.1 \xe9t\xe9\tx", 0, 0 },
		{ SLICE("HTTP/1.9 100 Go on\r\n\r\n"), "100 1.1 Go on", 0, 0 },
	};

	(void)state;
	CHECK_ALL(HTTP1_RESPONSE, cases);
}

static void a_line_that_is_no_request_is_refused(void **state)
{
	const char *const lines[] = { "GET /", "GET", "GET  / HTTP/1.1", "GET /  HTTP/1.1", "GET / HTTP/1.1 ",
		" GET / HTTP/1.1", "GET /a b HTTP/1.1", "GET\t/ HTTP/1.1", "GET /\t HTTP/1.1", "G(T / HTTP/1.1",
		"G\xe9T / HTTP/1.1", "GET / http/1.1", "GET / ICY/1.1", "GET / HTTP", "HTTP/1.1 200 OK" };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char in[64] = "";
		struct head_case c = { { in, 0 }, NULL, HTTP1_BAD_START, 0 };

		strcat(strcat(in, lines[i]), "\r\nA: b\r\n\r\n");
		c.in = slice_of(in);
		check(HTTP1_REQUEST, &c);
	}
}

static void a_line_that_is_no_status_line_is_refused(void **state)
{
	const struct head_case cases[] = {
		{ SLICE("HTTP/1.1 20 OK\r\n\r\n"), NULL, HTTP1_BAD_START, 0 },
		{ SLICE("HTTP/1.1 2000 OK\r\n\r\n"), NULL, HTTP1_BAD_START, 0 },
		{ SLICE("HTTP/1.1 099 OK\r\n\r\n"), NULL, HTTP1_BAD_START, 0 },
		{ SLICE("HTTP/1.1 2x0 OK\r\n\r\n"), NULL, HTTP1_BAD_START, 0 },
		{ SLICE("HTTP/1.1 +20 OK\r\n\r\n"), NULL, HTTP1_BAD_START, 0 },
		{ SLICE("HTTP/1.1  200 OK\r\n\r\n"), NULL, HTTP1_BAD_START, 0 },
		{ SLICE("HTTP/1.1 200OK\r\n\r\n"), NULL, HTTP1_BAD_START, 0 },
		{ SLICE("HTTP/1.1\r\n\r\n"), NULL, HTTP1_BAD_START, 0 },
		{ SLICE("HTTP/1.1 \r\n\r\n"), NULL, HTTP1_BAD_START, 0 },
		{ SLICE("http/1.1 200 OK\r\n\r\n"), NULL, HTTP1_BAD_START, 0 },
		{ SLICE("\r\nHTTP/1.1 200 OK\r\n\r\n"), NULL, HTTP1_BAD_START, 0 },
		{ SLICE("GET / HTTP/1.1\r\n\r\n"), NULL, HTTP1_BAD_START, 0 },
	};

	(void)state;
	CHECK_ALL(HTTP1_RESPONSE, cases);
}

static void other_versions_are_refused(void **state)
{
	const struct head_case requests[] = {
		{ SLICE("GET / HTTP/2.0\r\n\r\n"), NULL, HTTP1_BAD_VERSION, 0 },
		{ SLICE("GET / HTTP/0.9\r\n\r\n"), NULL, HTTP1_BAD_VERSION, 0 },
		{ SLICE("GET / HTTP/1\r\n\r\n"), NULL, HTTP1_BAD_VERSION, 0 },
		{ SLICE("GET / HTTP/1.10\r\n\r\n"), NULL, HTTP1_BAD_VERSION, 0 },
		{ SLICE("GET / HTTP/1,1\r\n\r\n"), NULL, HTTP1_BAD_VERSION, 0 },
		{ SLICE("GET / HTTP/1.x\r\n\r\n"), NULL, HTTP1_BAD_VERSION, 0 },
	};
	const struct head_case responses[] = {
		{ SLICE("HTTP/2 200\r\n\r\n"), NULL, HTTP1_BAD_VERSION, 0 },
		{ SLICE("HTTP/3.1 200 OK\r\n\r\n"), NULL, HTTP1_BAD_VERSION, 0 },
		{ SLICE("HTTP/1.1x 200 OK\r\n\r\n"), NULL, HTTP1_BAD_VERSION, 0 },
	};

	(void)state;
	CHECK_ALL(HTTP1_REQUEST, requests);
	CHECK_ALL(HTTP1_RESPONSE, responses);
}

static void fields_that_smuggle_are_refused(void **state)
{
	const char *const lines[] = { "no colon", "Host : h", "Host\t: h", ": h", ":", " folded: x", "\tfolded: x", " ",
		"Ho st: h", "H(st: h", "H\xf6st: h", "A: b\r\n folded", "A: b\n\tfolded" };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char in[96] = "HTTP/1.1 200 OK\r\nFirst: 1\r\n";
		struct head_case c = { { in, 0 }, NULL, HTTP1_BAD_FIELD, 0 };

		strcat(strcat(in, lines[i]), "\r\nLast: 2\r\n\r\n");
		c.in = slice_of(in);
		check(HTTP1_RESPONSE, &c);
	}
}

static void a_control_character_is_refused_wherever_it_stands(void **state)
{
	static const char good[] = "GET /abc HTTP/1.1\r\nHost: abc\r\nX: y\r\n\r\n";

	(void)state;
	for (size_t at = 0; at < sizeof(good) - 1; at++) {
		for (int byte = 0; byte < 0x80; byte += byte == 0x1f ? 0x60 : 1) {
			char in[sizeof(good)];
			struct head_case c = { { in, sizeof(good) - 1 }, NULL, HTTP1_BAD_BYTE, 0 };

			memcpy(in, good, sizeof(good));
			in[at] = (char)byte;
			if (byte == '\n' || byte == '\t' || (byte == '\r' && good[at + 1] == '\n') || good[at] == '\n')
				continue;
			check(HTTP1_REQUEST, &c);
		}
	}
}

static void a_bare_carriage_return_is_refused(void **state)
{
	const struct head_case cases[] = {
		{ SLICE("HTTP/1.1 200 OK\rA: b\r\n\r\n"), NULL, HTTP1_BAD_BYTE, 0 },
		{ SLICE("HTTP/1.1 200 OK\r\r\n\r\n"), NULL, HTTP1_BAD_BYTE, 0 },
		{ SLICE("HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n"), NULL, HTTP1_BAD_BYTE, 0 },
		{ SLICE("HTTP/1.1 200 OK\r\nA: b\r\n\rX"), NULL, HTTP1_BAD_BYTE, 0 },
	};

	(void)state;
	CHECK_ALL(HTTP1_RESPONSE, cases);
}

static void a_peer_that_speaks_something_else_is_known_by_its_first_bytes(void **state)
{
	const struct slice banners[] = { SLICE("SSH-2.0-OpenSSH_9.9"), SLICE("220 mail"), SLICE("\x15\x03"),
		SLICE("\r\n"), SLICE("HTT\n") };
	struct http1_head h;

	(void)state;
	for (size_t i = 0; i < sizeof(banners) / sizeof(banners[0]); i++)
		assert_int_equal(parse_growing(&h, HTTP1_RESPONSE, banners[i], 0, 1), -HTTP1_BAD_START);
	assert_int_equal(parse_growing(&h, HTTP1_REQUEST, SLICE("\x16\x03\x01\x02"), 0, 1), -HTTP1_BAD_BYTE);
}

static void every_part_of_a_head_asks_for_more(void **state)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nA: b\r\nC: d\r\n\r\n";
	struct http1_head h;
	http1_mark growing = 0;

	(void)state;
	for (size_t n = 0; n < sizeof(head) - 1; n++) {
		http1_mark mark = 0;
		const char *p = at_edge((struct slice){ head, n });

		assert_int_equal(http1_head_parse(&h, HTTP1_RESPONSE, p, n, &mark), 0);
		assert_int_equal(http1_head_parse(&h, HTTP1_RESPONSE, p, n, &growing), 0);
		assert_true(mark <= n && mark + 1 >= n); /* all of it was searched, but for a CR */
		assert_int_equal(growing, mark);
	}
	growing = 0;
	assert_int_equal(http1_head_parse(&h, HTTP1_REQUEST, NULL, 0, &growing), 0);
	assert_int_equal(http1_head_parse(&h, HTTP1_RESPONSE, NULL, 0, &growing), 0);
}

/* A head of exactly @n bytes. */
static struct slice long_head(size_t n)
{
	static char in[ROOM];
	static const char start[] = "HTTP/1.1 200 OK\r\nA: ";

	memset(in, 'x', sizeof(in));
	memcpy(in, start, sizeof(start) - 1);
	memcpy(in + n - 4, "\r\n\r\n", 4);
	return (struct slice){ in, n };
}

static void a_head_of_16384_bytes_is_the_longest(void **state)
{
	const size_t steps[] = { 11, 1000, ROOM };
	struct http1_head h;

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct slice in = long_head(HTTP1_HEAD_MAX);

		assert_int_equal(parse_growing(&h, HTTP1_RESPONSE, in, 0, steps[i]), HTTP1_HEAD_MAX);
		assert_int_equal(h.fields[0].value.n, HTTP1_HEAD_MAX - 24);
		for (size_t more = 1; more <= 5; more++) {
			in = long_head(HTTP1_HEAD_MAX + more);
			assert_int_equal(parse_growing(&h, HTTP1_RESPONSE, in, 0, steps[i]), -HTTP1_TOO_LONG);
			in = slice_head(in, HTTP1_HEAD_MAX - 1);
			assert_int_equal(parse_growing(&h, HTTP1_RESPONSE, in, 0, steps[i]), 0);
		}
	}
}

static struct slice head_with_fields(unsigned n)
{
	static char in[4096];
	struct text t;

	text_init(&t, in, sizeof(in));
	text_str(&t, "GET / HTTP/1.1\r\n");
	for (unsigned i = 0; i < n; i++)
		text_str(&t, "Field: value\r\n");
	text_str(&t, "\r\n");
	assert_false(t.cut);
	return text_view(&t);
}

static void a_sixty_fifth_field_is_refused(void **state)
{
	struct slice in = head_with_fields(HTTP1_FIELDS_MAX);
	struct http1_head h;

	(void)state;
	assert_int_equal(parse_growing(&h, HTTP1_REQUEST, in, 0, 1), in.n);
	assert_int_equal(h.n_fields, HTTP1_FIELDS_MAX);
	in = head_with_fields(HTTP1_FIELDS_MAX + 1);
	assert_int_equal(parse_growing(&h, HTTP1_REQUEST, in, 0, 1), -HTTP1_TOO_MANY_FIELDS);
}

static struct http1_head head_of(enum http1_kind kind, const char *text)
{
	struct http1_head h;
	http1_mark mark = 0;

	assert_int_equal(http1_head_parse(&h, kind, text, strlen(text), &mark), strlen(text));
	return h;
}

static void a_field_is_found_by_its_name_in_any_case(void **state)
{
	struct http1_head h = head_of(HTTP1_RESPONSE, "HTTP/1.1 200 OK\r\nServer: a\r\nserver: b\r\nVary:\r\n\r\n");
	struct slice value = SLICE("untouched");

	(void)state;
	assert_false(http1_head_find(&h, "Serve", &value));
	assert_false(http1_head_find(&h, "Server2", &value));
	assert_true(slice_eq(value, SLICE("untouched")));
	assert_true(http1_head_find(&h, "SERVER", &value));
	assert_true(slice_eq(value, SLICE("a")));
	assert_true(http1_head_find(&h, "Vary", &value));
	assert_int_equal(value.n, 0);
}

static void a_token_is_found_in_any_line_of_a_list(void **state)
{
	struct http1_head h = head_of(HTTP1_RESPONSE, "HTTP/1.1 200 OK\r\nConnection: a ,\tB,,c d,\r\nX: z\r\n"
						      "CONNECTION: upgrade\r\n\r\n");

	(void)state;
	assert_true(http1_head_has_token(&h, "Connection", "a"));
	assert_true(http1_head_has_token(&h, "Connection", "b"));
	assert_true(http1_head_has_token(&h, "connection", "c D"));
	assert_true(http1_head_has_token(&h, "Connection", "Upgrade"));
	assert_true(http1_head_has_token(&h, "X", "z"));
	assert_false(http1_head_has_token(&h, "Connection", "c"));
	assert_false(http1_head_has_token(&h, "Connection", "d"));
	assert_false(http1_head_has_token(&h, "Connection", "up"));
	assert_false(http1_head_has_token(&h, "Connection", "z"));
}

static void a_head_read_into_a_used_one_keeps_nothing_of_it(void **state)
{
	struct http1_head h = head_of(HTTP1_RESPONSE, "HTTP/1.1 200 OK\r\nA: b\r\nX: y\r\n\r\n");
	const struct slice next = SLICE("GET / HTTP/1.0\r\nA: c\r\n\r\n");
	struct slice value;

	(void)state;
	assert_int_equal(parse_growing(&h, HTTP1_REQUEST, next, 0, next.n), next.n);
	assert_string_equal(describe(&h), "GET / 1.0|A=c");
	assert_false(http1_head_find(&h, "X", &value));
	assert_false(http1_head_has_token(&h, "X", "y"));
}

static void the_connection_persists_as_rfc_9112_section_9_3_says(void **state)
{
	const struct {
		const char *head;
		bool keeps;
	} cases[] = {
		{ "HTTP/1.1 200 OK\r\n\r\n", true },
		{ "HTTP/1.0 200 OK\r\n\r\n", false },
		{ "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", false },
		{ "HTTP/1.1 200 OK\r\nconnection: upgrade, CLOSE\r\n\r\n", false },
		{ "HTTP/1.1 200 OK\r\nConnection: closed\r\n\r\n", true },
		{ "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n\r\n", true },
		{ "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n", false },
		{ "HTTP/1.0 200 OK\r\nKeep-Alive: timeout=5\r\n\r\n", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http1_head h = head_of(HTTP1_RESPONSE, cases[i].head);

		assert_int_equal(http1_head_keeps_alive(&h), cases[i].keeps);
	}
}

static void every_fault_has_a_text_of_its_own(void **state)
{
	char number[24];
	struct text t;

	(void)state;
	for (int f = 0; f < HTTP1_FAULT_N; f++) {
		const char *text = http1_fault_text((enum http1_fault)f);

		assert_true(text[0] >= 'a' && text[0] <= 'z' && text[strlen(text) - 1] != '.');
		for (int g = 0; g < f; g++)
			assert_string_not_equal(text, http1_fault_text((enum http1_fault)g));
	}
	assert_string_equal(http1_fault_text(HTTP1_LENGTH_CONFLICT), "sent Content-Length twice with different values");
	text_init(&t, number, sizeof(number));
	text_uint(&t, HTTP1_HEAD_MAX);
	assert_non_null(strstr(http1_fault_text(HTTP1_TOO_LONG), number));
	text_init(&t, number, sizeof(number));
	text_uint(&t, HTTP1_FIELDS_MAX);
	assert_non_null(strstr(http1_fault_text(HTTP1_TOO_MANY_FIELDS), number));
}

static uint32_t random_below(uint32_t n)
{
	static uint64_t x = 0x9e3779b97f4a7c15;

	x = x * 6364136223846793005 + 1442695040888963407;
	return (uint32_t)(x >> 33) % n;
}

/* Flips, overwrites, drops or doubles one byte. Return: the new length. */
static size_t mutate(char *s, size_t n)
{
	static const char likely[] = "\r\n \t:\0,/H1\x7f\x80";
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

static bool is_inside(struct slice s, const char *p, int n)
{
	return s.n == 0 || (s.p >= p && s.p + s.n <= p + n);
}

static void assert_sane(const struct http1_head *h, const char *p, int n)
{
	assert_true(is_inside(h->method, p, n) && is_inside(h->target, p, n) && is_inside(h->reason, p, n));
	for (size_t i = 0; i < h->n_fields; i++) {
		struct slice name = h->fields[i].name, value = h->fields[i].value;

		assert_true(is_inside(name, p, n) && is_inside(value, p, n) && name.n > 0);
		for (size_t k = 0; k < name.n; k++)
			assert_true(name.p[k] > ' ' && name.p[k] < 0x7f && name.p[k] != ':');
		for (size_t k = 0; k < value.n; k++)
			assert_true((uint8_t)value.p[k] >= ' ' ? value.p[k] != 0x7f : value.p[k] == '\t');
		assert_int_equal(slice_trim(value).n, value.n);
	}
}

static void broken_heads_crash_nothing_and_read_the_same_at_every_split(void **state)
{
	const struct slice heads[] = {
		SLICE("GET /path?q HTTP/1.1\r\nHost: example\r\nAccept: */*\r\n\r\nGET"),
		SLICE("\r\n\nPOST / HTTP/1.0\nA:b\nC: \t d\t \n\nbody"),
		SLICE("HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\nConnection: close\r\n\r\nhello"),
		SLICE("HTTP/1.0 404\nTransfer-Encoding: chunked\n\r\n0\r\n\r\n"),
	};

	(void)state;
	for (int round = 0; round < 20000; round++) {
		enum http1_kind kind = round % 4 < 2 ? HTTP1_REQUEST : HTTP1_RESPONSE;
		struct slice in = heads[round % 4];
		char buf[128];
		http1_mark mark = 0;
		struct http1_head h;

		memcpy(buf, in.p, in.n);
		in.p = buf;
		for (uint32_t times = random_below(4); times > 0; times--)
			in.n = mutate(buf, in.n);

		const char *p = at_edge(in);
		int whole = http1_head_parse(&h, kind, p, in.n, &mark);

		assert_true(whole <= (int)in.n && whole > -HTTP1_FAULT_N);
		if (whole > 0) {
			assert_sane(&h, p, whole);
			assert_int_equal(p[whole - 1], '\n');
			assert_int_equal(parse_growing(&h, kind, slice_head(in, (size_t)whole - 1), 0, 9), 0);
		}
		assert_int_equal(parse_growing(&h, kind, in, random_below((uint32_t)in.n), 1 + random_below(9)), whole);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_taken_apart),
		cmocka_unit_test(lone_line_feeds_end_lines_too),
		cmocka_unit_test(two_empty_lines_before_a_request_are_passed_over_and_no_third),
		cmocka_unit_test(responses_are_taken_apart),
		cmocka_unit_test(a_line_that_is_no_request_is_refused),
		cmocka_unit_test(a_line_that_is_no_status_line_is_refused),
		cmocka_unit_test(other_versions_are_refused),
		cmocka_unit_test(fields_that_smuggle_are_refused),
		cmocka_unit_test(a_control_character_is_refused_wherever_it_stands),
		cmocka_unit_test(a_bare_carriage_return_is_refused),
		cmocka_unit_test(a_peer_that_speaks_something_else_is_known_by_its_first_bytes),
		cmocka_unit_test(every_part_of_a_head_asks_for_more),
		cmocka_unit_test(a_head_of_16384_bytes_is_the_longest),
		cmocka_unit_test(a_sixty_fifth_field_is_refused),
		cmocka_unit_test(a_field_is_found_by_its_name_in_any_case),
		cmocka_unit_test(a_token_is_found_in_any_line_of_a_list),
		cmocka_unit_test(a_head_read_into_a_used_one_keeps_nothing_of_it),
		cmocka_unit_test(the_connection_persists_as_rfc_9112_section_9_3_says),
		cmocka_unit_test(every_fault_has_a_text_of_its_own),
		cmocka_unit_test(broken_heads_crash_nothing_and_read_the_same_at_every_split),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
