/* SPDX-License-Identifier: MIT */
#include "core/http1_write.h"

#include "core/http1_head.h"

static bool has_control(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (http1_is_control(s.p[i]))
			return true;
	return false;
}

static bool has(struct slice s, char c)
{
	return slice_find(s, c) < s.n;
}

void http1_put_request(struct text *t, const char *method, struct slice target)
{
	if (!http1_is_token(slice_of(method)) || has_control(target) || has(target, ' ') || has(target, '\t')) {
		t->cut = true;
		return;
	}
	text_str(t, method);
	text_char(t, ' ');
	text_slice(t, target.n > 0 ? target : SLICE("/"));
	text_str(t, " HTTP/1.1\r\n");
}

void http1_put_status(struct text *t, unsigned status)
{
	text_str(t, "HTTP/1.1 ");
	text_uint(t, status);
	text_char(t, ' ');
	text_str(t, http1_status_text(status));
	http1_put_end(t);
}

void http1_put_field(struct text *t, const char *name, struct slice value)
{
	if (!http1_is_token(slice_of(name)) || has_control(value)) {
		t->cut = true;
		return;
	}
	text_str(t, name);
	text_str(t, ": ");
	text_slice(t, value);
	http1_put_end(t);
}

void http1_put_field_uint(struct text *t, const char *name, uint64_t value)
{
	char digits[24];
	struct text d;

	text_init(&d, digits, sizeof(digits));
	text_uint(&d, value);
	http1_put_field(t, name, text_view(&d));
}

void http1_put_end(struct text *t)
{
	text_str(t, "\r\n");
}

void http1_put_chunk_size(struct text *t, uint64_t n)
{
	text_hex(t, n);
	http1_put_end(t);
}

void http1_put_last_chunk(struct text *t, uint64_t bytes)
{
	http1_put_chunk_size(t, 0);
	http1_put_field_uint(t, "X-Bytes", bytes);
	http1_put_end(t);
}

const char *http1_status_text(unsigned status)
{
	static const struct {
		uint16_t status;
		char text[30];
	} phrases[] = {
		{ 100, "Continue" },
		{ 101, "Switching Protocols" },
		{ 200, "OK" },
		{ 201, "Created" },
		{ 202, "Accepted" },
		{ 203, "Non-Authoritative Information" },
		{ 204, "No Content" },
		{ 205, "Reset Content" },
		{ 206, "Partial Content" },
		{ 300, "Multiple Choices" },
		{ 301, "Moved Permanently" },
		{ 302, "Found" },
		{ 303, "See Other" },
		{ 304, "Not Modified" },
		{ 305, "Use Proxy" },
		{ 307, "Temporary Redirect" },
		{ 308, "Permanent Redirect" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 402, "Payment Required" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 407, "Proxy Authentication Required" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 410, "Gone" },
		{ 411, "Length Required" },
		{ 412, "Precondition Failed" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 416, "Range Not Satisfiable" },
		{ 417, "Expectation Failed" },
		{ 421, "Misdirected Request" },
		{ 422, "Unprocessable Content" },
		{ 426, "Upgrade Required" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
		{ 505, "HTTP Version Not Supported" },
	};

	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == status)
			return phrases[i].text;
	return "";
}
