/* SPDX-License-Identifier: MIT */
#include "core/http1_body.h"

/* Of a chunked body; one of a length, or until the close, is all PAYLOAD. */
enum state {
	SIZE,
	SIZE_BLANK, /* white space before an extension's semicolon */
	EXTENSION,
	SIZE_LF,
	PAYLOAD,
	CHUNK_CR,
	CHUNK_LF,
	TRAILER_NAME,
	TRAILER_VALUE,
	TRAILER_LF,
};

static int fold_lengths(struct http1_body *b, struct slice list)
{
	bool more;

	do {
		uint64_t v;

		more = slice_has(list, ',');
		if (!slice_uint(slice_trim(slice_cut(&list, ',')), &v) || v > HTTP1_LENGTH_MAX)
			return -HTTP1_BAD_LENGTH;
		if (b->framing == HTTP1_LENGTH && b->length != v)
			return -HTTP1_LENGTH_CONFLICT;
		b->framing = HTTP1_LENGTH;
		b->length = v;
	} while (more);
	return 0;
}

/* RFC 9112 section 6.1: a coding from an HTTP/1.0 peer is faulty framing, from either side. */
static int read_framing(struct http1_body *b, const struct http1_head *h)
{
	struct slice coding = { NULL, 0 };
	int codings = 0, fault = 0;

	for (size_t i = 0; i < h->n_fields && !fault; i++) {
		if (slice_eq_nocase(h->fields[i].name, SLICE("Content-Length"))) {
			fault = fold_lengths(b, h->fields[i].value);
		} else if (slice_eq_nocase(h->fields[i].name, SLICE("Transfer-Encoding"))) {
			coding = h->fields[i].value;
			codings++;
		}
	}
	if (fault || codings == 0)
		return fault;
	if (b->framing == HTTP1_LENGTH)
		return -HTTP1_LENGTH_AND_CHUNKED;
	if (codings > 1 || !slice_eq_nocase(coding, SLICE("chunked")) || h->minor == 0)
		return -HTTP1_BAD_CODING;
	b->framing = HTTP1_CHUNKED;
	return 0;
}

static bool has_no_body(unsigned status)
{
	return status < 200 || status == 204 || status == 304;
}

int http1_body_init(struct http1_body *b, const struct http1_head *h, enum http1_kind kind, bool to_head)
{
	*b = (struct http1_body){ .framing = HTTP1_NO_BODY, .done = true };
	if (kind == HTTP1_RESPONSE && (to_head || has_no_body(h->status)))
		return 0;

	int fault = read_framing(b, h);

	if (fault)
		return fault;
	if (b->framing == HTTP1_NO_BODY && kind == HTTP1_RESPONSE)
		b->framing = HTTP1_UNTIL_CLOSE;
	b->state = b->framing == HTTP1_CHUNKED ? SIZE : PAYLOAD;
	b->left = b->framing == HTTP1_UNTIL_CLOSE ? UINT64_MAX : b->length;
	b->done = b->state == PAYLOAD && b->left == 0;
	return 0;
}

/* The one limit on what a peer may send between payload. */
static int count_extra(struct http1_body *b)
{
	if (b->extra == HTTP1_TRAILER_MAX)
		return -HTTP1_TRAILER_TOO_LONG;
	b->extra++;
	return 0;
}

static int size_blank(struct http1_body *b, char c)
{
	if (c == ';')
		b->state = EXTENSION;
	else if (c == ' ' || c == '\t')
		b->state = SIZE_BLANK;
	else
		return -HTTP1_BAD_CHUNK;
	return count_extra(b);
}

static int size_digit(struct http1_body *b, char c)
{
	unsigned digit = slice_digit(c);

	if (digit == 16) {
		if (b->digits == 0)
			return -HTTP1_BAD_CHUNK;
		if (c != '\r')
			return size_blank(b, c);
		b->state = SIZE_LF;
		return 0;
	}
	if (b->left > HTTP1_LENGTH_MAX / 16 || b->digits == UINT8_MAX)
		return -HTTP1_CHUNK_TOO_LARGE;
	b->left = b->left * 16 + digit;
	b->digits++;
	return 0;
}

static int extension(struct http1_body *b, char c)
{
	if (c == '\r') {
		b->state = SIZE_LF;
		return 0;
	}
	return http1_is_control(c) ? -HTTP1_BAD_BYTE : count_extra(b);
}

static int size_end(struct http1_body *b, char c)
{
	if (c != '\n')
		return -HTTP1_BAD_BYTE;
	b->digits = 0;
	b->state = b->left > 0 ? PAYLOAD : TRAILER_NAME;
	return 0;
}

static int chunk_end(struct http1_body *b, char c, char want, enum state next)
{
	if (c != want)
		return -HTTP1_BAD_CHUNK;
	b->state = (uint8_t)next;
	return 0;
}

/* A line that fills the buffer may be longer than it, and is none that we look for. */
static void trailer_take(struct http1_body *b)
{
	struct slice value = { b->trailer.line, b->trailer.n };
	struct slice name = slice_cut(&value, ':');

	if (!b->trailer.known && b->trailer.n < sizeof(b->trailer.line) && slice_eq_nocase(name, SLICE("X-Bytes")))
		b->trailer.known = slice_uint(slice_trim(value), &b->trailer.value);
}

static int trailer_eol(struct http1_body *b, char c)
{
	bool empty = b->trailer.n == 0;
	int fault = empty ? 0 : count_extra(b);

	if (b->state == TRAILER_NAME && !empty)
		return -HTTP1_BAD_FIELD;
	if (fault)
		return fault;
	if (c == '\r') {
		b->state = TRAILER_LF;
		return 0;
	}
	trailer_take(b);
	b->done = empty;
	b->state = TRAILER_NAME;
	b->trailer.n = 0;
	return 0;
}

static int trailer(struct http1_body *b, char c)
{
	if (c == '\n' || (c == '\r' && b->state != TRAILER_LF))
		return trailer_eol(b, c);
	if (b->state == TRAILER_LF || http1_is_control(c))
		return -HTTP1_BAD_BYTE;
	if (b->state == TRAILER_NAME) {
		if (c == ':' && b->trailer.n > 0)
			b->state = TRAILER_VALUE;
		else if (!http1_is_token((struct slice){ &c, 1 }))
			return -HTTP1_BAD_FIELD;
	}
	if (b->trailer.n < sizeof(b->trailer.line))
		b->trailer.line[b->trailer.n++] = c;
	return count_extra(b);
}

static int frame_byte(struct http1_body *b, char c)
{
	switch (b->state) {
	case SIZE:
		return size_digit(b, c);
	case SIZE_BLANK:
		return size_blank(b, c);
	case EXTENSION:
		return extension(b, c);
	case SIZE_LF:
		return size_end(b, c);
	case CHUNK_CR:
		return chunk_end(b, c, '\r', CHUNK_LF);
	case CHUNK_LF:
		return chunk_end(b, c, '\n', SIZE);
	default:
		return trailer(b, c);
	}
}

int64_t http1_body_feed(struct http1_body *b, const char *in, size_t n, struct slice *ret_payload)
{
	size_t at = 0;

	*ret_payload = (struct slice){ in, 0 };
	while (at < n && !b->done && b->state != PAYLOAD) {
		int fault = frame_byte(b, in[at++]);

		if (fault)
			return fault;
	}

	uint64_t payload = http1_body_discardable(b);
	struct slice rest = slice_from((struct slice){ in, n }, at);

	*ret_payload = payload < rest.n ? slice_head(rest, (size_t)payload) : rest;
	http1_body_discarded(b, ret_payload->n);
	return (int64_t)(at + ret_payload->n);
}

uint64_t http1_body_discardable(const struct http1_body *b)
{
	return b->state == PAYLOAD && !b->done ? b->left : 0;
}

void http1_body_discarded(struct http1_body *b, uint64_t n)
{
	b->received += n;
	if (n == 0 || b->framing == HTTP1_UNTIL_CLOSE)
		return;
	b->left -= n;
	if (b->left > 0)
		return;
	if (b->framing == HTTP1_CHUNKED)
		b->state = CHUNK_CR;
	else
		b->done = true;
}

int http1_body_close(struct http1_body *b)
{
	if (b->framing == HTTP1_UNTIL_CLOSE)
		b->done = true;
	return b->done ? 0 : -HTTP1_TRUNCATED;
}

bool http1_body_trailer_uint(const struct http1_body *b, uint64_t *ret)
{
	if (b->trailer.known)
		*ret = b->trailer.value;
	return b->trailer.known;
}
