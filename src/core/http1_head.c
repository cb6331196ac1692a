/* SPDX-License-Identifier: MIT */
#include "core/http1_head.h"

#include <string.h>

const char *http1_fault_text(enum http1_fault f)
{
	static const char texts[] = /* in the order of enum http1_fault */
		"sent what it should\0"
		"sent something that is not HTTP\0"
		"sent a version that is not HTTP/1.0 or HTTP/1.1\0"
		"sent a malformed header field\0"
		"sent a control character in a header\0"
		"sent a header of more than 16384 bytes\0"
		"sent more than 64 header fields\0"
		"sent a Content-Length that is not a valid number\0"
		"sent Content-Length twice with different values\0"
		"sent both Content-Length and Transfer-Encoding\0"
		"sent a Transfer-Encoding other than the chunked of HTTP/1.1\0"
		"sent a malformed chunk\0"
		"sent a chunk size that does not fit 63 bits\0"
		"sent more than 8192 bytes of chunk extensions and trailers\0"
		"closed the connection inside the message";

	return slice_word(texts, f);
}

bool http1_is_token(struct slice s)
{
	static const char tchar[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~";

	return s.n > 0 && slice_has_only(s, tchar);
}

bool http1_is_control(char c)
{
	return ((uint8_t)c < 0x20 && c != '\t') || c == 0x7f;
}

/* Up to two lines that some clients send after a body (RFC 9112 section 2.2). */
static size_t skip_empty_lines(struct slice s)
{
	size_t n = s.n;

	for (int i = 0; i < 2; i++)
		slice_skip(&s, slice_starts(s, SLICE("\r\n")) ? 2 : slice_first(s) == '\n');
	return n - s.n;
}

/* Does the LF at @at end an empty line, in a head that starts at @start? */
static bool ends_empty_line(const char *buf, size_t start, size_t at)
{
	if (at > start && buf[at - 1] == '\r')
		at--;
	return at == start || buf[at - 1] == '\n';
}

/*
 * The offset behind the head, 0 where it is not there yet, or -HTTP1_BAD_BYTE. Bytes are judged as
 * they come, so that a peer which speaks something else is known before it falls silent.
 */
static int find_end(const char *buf, size_t start, size_t len, http1_mark *mark)
{
	size_t at = *mark > start ? *mark : start;

	for (; at < len; at++) {
		if (buf[at] == '\n') {
			if (ends_empty_line(buf, start, at))
				return (int)at + 1;
		} else if (buf[at] == '\r') {
			if (at + 1 == len)
				break;
			if (buf[at + 1] != '\n')
				return -HTTP1_BAD_BYTE;
		} else if (http1_is_control(buf[at])) {
			return -HTTP1_BAD_BYTE;
		}
	}
	*mark = at;
	return 0;
}

static struct slice cut_line(struct slice *rest)
{
	struct slice line = slice_cut(rest, '\n');

	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

static int parse_version(struct slice s, unsigned *ret_minor)
{
	if (!slice_starts(s, SLICE("HTTP/")))
		return -HTTP1_BAD_START;
	if (s.n != 8 || s.p[5] != '1' || s.p[6] != '.' || slice_digit(s.p[7]) > 9)
		return -HTTP1_BAD_VERSION;
	*ret_minor = s.p[7] > '0';
	return 0;
}

static int parse_request_line(struct http1_head *h, struct slice line)
{
	bool tab = slice_has(line, '\t');

	h->method = slice_cut(&line, ' ');
	h->target = slice_cut(&line, ' ');
	if (tab || !http1_is_token(h->method) || h->target.n == 0 || slice_has(line, ' '))
		return -HTTP1_BAD_START;
	return parse_version(line, &h->minor);
}

static int parse_status_line(struct http1_head *h, struct slice line)
{
	int fault = parse_version(slice_cut(&line, ' '), &h->minor);
	struct slice digits = slice_cut(&line, ' ');
	uint64_t status;

	if (fault)
		return fault;
	if (digits.n != 3 || !slice_uint(digits, &status) || status < 100)
		return -HTTP1_BAD_START;
	h->status = (unsigned)status;
	h->reason = line;
	return 0;
}

static int parse_start(struct http1_head *h, enum http1_kind kind, struct slice line)
{
	h->method = h->target = h->reason = (struct slice){ NULL, 0 };
	h->status = 0;
	return kind == HTTP1_REQUEST ? parse_request_line(h, line) : parse_status_line(h, line);
}

/* White space at the front (obs-fold) or before the colon is no part of a token, so it fails here too. */
static int parse_field(struct http1_head *h, struct slice line)
{
	bool colon = slice_has(line, ':');
	struct slice name = slice_cut(&line, ':');

	if (!colon || !http1_is_token(name))
		return -HTTP1_BAD_FIELD;
	if (h->n_fields == HTTP1_FIELDS_MAX)
		return -HTTP1_TOO_MANY_FIELDS;
	h->fields[h->n_fields++] = (struct http1_field){ name, slice_trim(line) };
	return 0;
}

static int parse_lines(struct http1_head *h, enum http1_kind kind, struct slice rest)
{
	int fault = parse_start(h, kind, cut_line(&rest));

	h->n_fields = 0;
	while (!fault) {
		struct slice line = cut_line(&rest);

		if (line.n == 0)
			break;
		fault = parse_field(h, line);
	}
	return fault;
}

int http1_head_parse(struct http1_head *h, enum http1_kind kind, const char *buf, size_t len, http1_mark *mark)
{
	struct slice all = slice_head((struct slice){ buf, len }, HTTP1_HEAD_MAX);
	size_t start = kind == HTTP1_REQUEST ? skip_empty_lines(all) : 0;

	if (kind == HTTP1_RESPONSE && !slice_starts(SLICE("HTTP/"), slice_head(all, 5)))
		return -HTTP1_BAD_START;

	int end = find_end(buf, start, all.n, mark);

	if (end < 0)
		return end;
	if (end == 0)
		return all.n < HTTP1_HEAD_MAX ? 0 : -HTTP1_TOO_LONG;

	int fault = parse_lines(h, kind, slice_from(slice_head(all, (size_t)end), start));

	return fault ? fault : end;
}

/* From number *i on the next field of that name, or NULL; *i goes behind it. */
static const struct http1_field *next_of(const struct http1_head *h, const char *name, size_t *i)
{
	while (*i < h->n_fields) {
		const struct http1_field *f = &h->fields[(*i)++];

		if (slice_eq_nocase(f->name, slice_of(name)))
			return f;
	}
	return NULL;
}

bool http1_head_find(const struct http1_head *h, const char *name, struct slice *ret_value)
{
	size_t i = 0;
	const struct http1_field *f = next_of(h, name, &i);

	if (f)
		*ret_value = f->value;
	return f != NULL;
}

bool http1_head_has_token(const struct http1_head *h, const char *name, const char *token)
{
	const struct http1_field *f;

	for (size_t i = 0; (f = next_of(h, name, &i));)
		for (struct slice list = f->value; list.n > 0;)
			if (slice_eq_nocase(slice_trim(slice_cut(&list, ',')), slice_of(token)))
				return true;
	return false;
}

bool http1_head_keeps_alive(const struct http1_head *h)
{
	if (http1_head_has_token(h, "Connection", "close"))
		return false;
	return h->minor > 0 || http1_head_has_token(h, "Connection", "keep-alive");
}
