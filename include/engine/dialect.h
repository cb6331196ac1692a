/* SPDX-License-Identifier: MIT */
/*
 * The kinds of test server, one row each: by what they are recognised, what is downloaded, where uploads go, how one
 * learns what arrived. The client's half; the server's is engine/route.
 */
#ifndef ENGINE_DIALECT_H
#define ENGINE_DIALECT_H

#include "core/result.h"

/* How the receiver of an upload says what it got. */
enum receipt {
	RECEIPT_NONE, /* any 2xx, no count */
	RECEIPT_JSON, /* `{"bytes":N…}` */
	RECEIPT_SIZE, /* `size=N` */
};

struct dialect {
	uint8_t kind;       /* enum server_kind */
	uint8_t receipt;    /* enum receipt */
	bool timed;         /* `?seconds=S` ends a download in time; uploads may be chunked and endless */
	uint32_t down_min;  /* what a download has at least where it says its length */
	uint32_t up_max;    /* the largest body that is safe to send; 0 for no limit */
	const char *prefix; /* of all paths below, behind the folder that was named: "", "/speedtest" */
	const char *small;  /* a small answer: what one is recognised by, and for round trips of HTTP */
	const char *says;   /* how that begins; NULL where it is empty, which tells little */
	const char *down;   /* NULL where survey finds the path; else words for slice_word(), the best first, "" ends them */
	const char *up;     /* POST to here, the same; NULL for the path of the download */
};

/* Ours, and what a plain file server is: neither is looked for by dialect_is(). */
extern const struct dialect dialect_sonde, dialect_file;

/* All others, the most telling first; ended by kind SERVER_UNKNOWN. */
extern const struct dialect dialects[];

/* What came back, as far as it was read. */
struct dialect_answer {
	unsigned status;   /* 0 for no answer that could be read */
	struct slice type; /* Content-Type */
	struct slice body; /* its beginning */
	uint64_t length;   /* of the whole body; UINT64_MAX where that is not known and more than `body` */
};

/* Is this what such a server answers to `small`? A 404 page, or one page for every path, is not. */
bool dialect_is(const struct dialect *d, const struct dialect_answer *a);

/* Is this what comes from one of its `down`? Where `small` tells little a server is of this dialect only if it is. */
bool dialect_serves(const struct dialect *d, const struct dialect_answer *a);

/**
 * dialect_receipt() - What a receipt says that was received
 * @body:  any bytes; the number is the peer's claim, as large as it likes
 *
 * Return: false where it says nothing that can be understood.
 */
bool dialect_receipt(enum receipt r, struct slice body, uint64_t *ret);

#endif
