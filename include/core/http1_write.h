/* SPDX-License-Identifier: MIT */
/*
 * Heads and chunk frames, written. CR, LF, NUL or another control character in any part sets the
 * text's `cut`: nothing that a user or a peer wrote can add a field.
 */
#ifndef CORE_HTTP1_WRITE_H
#define CORE_HTTP1_WRITE_H

#include "core/text.h"

/* `GET /path HTTP/1.1` CRLF. An empty @target is written as `/`; a space in it sets cut. */
void http1_put_request(struct text *t, const char *method, struct slice target);

/* `HTTP/1.1 200 OK` CRLF, with the reason phrase of RFC 9110 section 15, where it is known here. */
void http1_put_status(struct text *t, unsigned status);

/* `Name: value` CRLF. */
void http1_put_field(struct text *t, const char *name, struct slice value);
void http1_put_field_uint(struct text *t, const char *name, uint64_t value);

/* The empty line. */
void http1_put_end(struct text *t);

/* `1f40` CRLF; the payload and another CRLF follow. @n > 0. */
void http1_put_chunk_size(struct text *t, uint64_t n);

/* The last chunk `0`, with the trailer field `X-Bytes: @bytes`, and the empty line. */
void http1_put_last_chunk(struct text *t, uint64_t bytes);

/* "Not Found" for 404; "" for one that is not in the short list here. */
const char *http1_status_text(unsigned status);

#endif
