/* SPDX-License-Identifier: MIT */
/* The head of an HTTP/1.0 or 1.1 message (RFC 9112), as slices of the caller's buffer. */
#ifndef CORE_HTTP1_HEAD_H
#define CORE_HTTP1_HEAD_H

#include "core/slice.h"

/* Enough for any server met in the field; more is refused, so a head's cost is bounded. */
#define HTTP1_FIELDS_MAX 64

/* The most bytes of one head. A buffer of this size either completes a head or refuses it. */
#define HTTP1_HEAD_MAX 16384

enum http1_kind { HTTP1_REQUEST, HTTP1_RESPONSE };

enum http1_fault {
	HTTP1_OK,
	HTTP1_BAD_START,        /* no request line or status line */
	HTTP1_BAD_VERSION,      /* not HTTP/1.0 or HTTP/1.1 */
	HTTP1_BAD_FIELD,        /* no colon, space before it, bad name, obs-fold */
	HTTP1_BAD_BYTE,         /* NUL, bare CR, or another control character */
	HTTP1_TOO_LONG,         /* more than HTTP1_HEAD_MAX bytes */
	HTTP1_TOO_MANY_FIELDS,
	HTTP1_BAD_LENGTH,       /* Content-Length is no number, or does not fit 63 bits */
	HTTP1_LENGTH_CONFLICT,  /* Content-Length twice with different values */
	HTTP1_LENGTH_AND_CHUNKED,
	HTTP1_BAD_CODING,       /* a transfer coding other than chunked, or chunked not last or twice */
	HTTP1_BAD_CHUNK,        /* a chunk size that is no hexadecimal number, or a chunk without its CRLF */
	HTTP1_CHUNK_TOO_LARGE,  /* a chunk size that does not fit 63 bits */
	HTTP1_TRAILER_TOO_LONG, /* too many bytes of chunk extensions or trailers */
	HTTP1_TRUNCATED,        /* the connection ended inside the message */
	HTTP1_FAULT_N,
};

/* As it follows "the server": "sent Content-Length twice with different values". */
const char *http1_fault_text(enum http1_fault f);

struct http1_field {
	struct slice name, value; /* the value without white space around it */
};

struct http1_head {
	struct slice method, target; /* of a request */
	unsigned status;             /* of a response, 100..999 */
	struct slice reason;         /* may be empty */
	unsigned minor;              /* 0 or 1 */
	size_t n_fields;
	struct http1_field fields[HTTP1_FIELDS_MAX];
};

/* A method or a field name: one or more of RFC 9110's tchar (section 5.6.2). */
bool http1_is_token(struct slice s);

/* A control character, which no part of a message head may hold. Tab is not one. */
bool http1_is_control(char c);

/* How far an incomplete head was searched for its end, so that a slow peer costs no rescans. Starts at 0. */
typedef size_t http1_mark;

/**
 * http1_head_parse() - Read one head from the front of a buffer
 * @h:     filled when complete; its slices point into @buf
 * @mark:  kept by the caller between calls over the same growing buffer
 *
 * Lines end in CRLF or a lone LF (RFC 9112 section 2.2); up to two empty lines before a request
 * line are passed over. A version 1.x with x above 1 reads as 1.1. Status lines may lack the reason.
 *
 * Return: bytes of the head (> 0), 0 for more to come, or -enum http1_fault.
 */
int http1_head_parse(struct http1_head *h, enum http1_kind kind, const char *buf, size_t len, http1_mark *mark);

/* The first field of that name, any case. */
bool http1_head_find(const struct http1_head *h, const char *name, struct slice *ret_value);

/* Is @token one of the comma-separated words of that field, in any of its lines, any case? */
bool http1_head_has_token(const struct http1_head *h, const char *name, const char *token);

/* May the connection serve another message (RFC 9112 section 9.3)? */
bool http1_head_keeps_alive(const struct http1_head *h);

#endif
