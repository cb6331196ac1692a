/* SPDX-License-Identifier: MIT */
/*
 * Where a message body ends (RFC 9112 section 6.3), and which bytes of the stream are its payload.
 * Zero copy: payload comes back as slices of the input. Bytes that are known to be pure payload
 * need not be handed over at all: the kernel may throw them away (`http1_body_discardable`).
 */
#ifndef CORE_HTTP1_BODY_H
#define CORE_HTTP1_BODY_H

#include "core/http1_head.h"

/* The most bytes of chunk extensions and trailers in one body. */
#define HTTP1_TRAILER_MAX 8192

#define HTTP1_LENGTH_MAX INT64_MAX

enum http1_framing { HTTP1_NO_BODY, HTTP1_LENGTH, HTTP1_CHUNKED, HTTP1_UNTIL_CLOSE };

struct http1_body {
	enum http1_framing framing;
	uint64_t length;   /* of HTTP1_LENGTH */
	uint64_t received; /* payload bytes so far */
	bool done;
	/* private */
	uint8_t state;
	uint8_t digits; /* of this chunk's size */
	uint16_t extra; /* extension and trailer bytes so far */
	uint64_t left;  /* of this chunk, or of the length */
	struct {        /* the trailer `X-Bytes`, see http1_body_trailer_uint() */
		char line[40];
		uint8_t n;
		bool known;
		uint64_t value;
	} trailer;
};

/**
 * http1_body_init() - Decide the framing of the message that a head starts
 * @to_head:  the response answers a HEAD request, so it has no body whatever its fields say
 *
 * No body for 1xx, 204, 304 and to HEAD; a request with neither length nor coding has none, a
 * response then runs until the close. Equal repeated lengths (`5, 5` too) fold into one.
 * Return: 0, or -enum http1_fault: conflicting or bad lengths, length with coding, unknown coding.
 */
int http1_body_init(struct http1_body *b, const struct http1_head *h, enum http1_kind kind, bool to_head);

/**
 * http1_body_feed() - Take bytes of the stream up to the end of the next run of payload
 * @in:           what was received
 * @n:            how many; may be 0
 * @ret_payload:  the payload among them, in place; empty where there was none
 *
 * Call again with what is left until it returns 0 or done is set; bytes after the end stay with the caller.
 * Return: bytes used, or -enum http1_fault.
 */
int64_t http1_body_feed(struct http1_body *b, const char *in, size_t n, struct slice *ret_payload);

/* How many of the coming bytes are payload for certain; 0 where the next byte must be read. UINT64_MAX until close. */
uint64_t http1_body_discardable(const struct http1_body *b);

/* @n bytes, at most discardable, went by unread. */
void http1_body_discarded(struct http1_body *b, uint64_t n);

/* The peer closed its side. Return: 0 where that ends the body properly, else -HTTP1_TRUNCATED. */
int http1_body_close(struct http1_body *b);

/* The count in a trailer field `X-Bytes`, with which a sender of unknown length says what it sent. */
bool http1_body_trailer_uint(const struct http1_body *b, uint64_t *ret);

#endif
