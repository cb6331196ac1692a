/* SPDX-License-Identifier: MIT */
#include "core/http1_write.h"

#include "core/http1_head.h"
#include "core/text_put.h"

/* Does a line that starts with @token hold nothing that could end it? Sets cut where it does. */
static bool fits(struct text *t, const char *token, struct slice rest)
{
	bool good = http1_is_token(slice_of(token));

	for (size_t i = 0; i < rest.n; i++)
		good = good && !http1_is_control(rest.p[i]);
	t->cut = t->cut || !good;
	return good;
}

void http1_put_request(struct text *t, const char *method, struct slice target)
{
	if (slice_has_any(target, " \t")) {
		t->cut = true;
	} else if (fits(t, method, target)) {
		text_str(t, method);
		text_char(t, ' ');
		text_slice(t, target.n > 0 ? target : SLICE("/"));
		text_str(t, " HTTP/1.1\r\n");
	}
}

void http1_put_status(struct text *t, unsigned status)
{
	text_put(t, "HTTP/1.1 %d %s\r\n", (int64_t)status, http1_status_text(status));
}

void http1_put_field(struct text *t, const char *name, struct slice value)
{
	if (!fits(t, name, value))
		return;
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
	text_digits(t, n, 16, 1);
	http1_put_end(t);
}

void http1_put_last_chunk(struct text *t, uint64_t bytes)
{
	http1_put_chunk_size(t, 0);
	http1_put_field_uint(t, "X-Bytes", bytes);
	http1_put_end(t);
}

/* What our server sends and what a client is refused with; each with its NUL, and an empty one at the end. */
static const char phrases[] = "100 Continue\0"
			      "200 OK\0"
			      "204 No Content\0"
			      "400 Bad Request\0"
			      "401 Unauthorized\0"
			      "403 Forbidden\0"
			      "404 Not Found\0"
			      "405 Method Not Allowed\0"
			      "408 Request Timeout\0"
			      "411 Length Required\0"
			      "413 Content Too Large\0"
			      "421 Misdirected Request\0"
			      "429 Too Many Requests\0"
			      "431 Request Header Fields Too Large\0"
			      "500 Internal Server Error\0"
			      "501 Not Implemented\0"
			      "502 Bad Gateway\0"
			      "503 Service Unavailable\0"
			      "504 Gateway Timeout\0";

const char *http1_status_text(unsigned status)
{
	for (const char *at = phrases; *at != '\0'; at = slice_word(at, 1)) {
		struct slice text = slice_of(at);
		uint64_t code;

		if (slice_uint(slice_cut(&text, ' '), &code) && code == status)
			return text.p;
	}
	return "";
}
