/* SPDX-License-Identifier: MIT */
/* One HTTP request, and all of them to one URL, as plain values: engine/phases folds these, out/http writes them. */
#ifndef CORE_HTTP_TIMING_H
#define CORE_HTTP_TIMING_H

#include "core/addr.h"
#include "core/fault.h"
#include "core/ns.h"

/* What is timed. The first five follow one another without a gap: those that were measured add up to the total. */
enum http_span {
	HTTP_RESOLVE,     /* the name to addresses */
	HTTP_CONNECT,     /* to the first address that accepts; those that did not are part of it */
	HTTP_SEND,        /* until this machine's kernel has the request */
	HTTP_FIRST_BYTE,  /* from then until the answer begins */
	HTTP_TRANSFER,    /* from then until it is complete */
	HTTP_TOTAL,
	HTTP_CONNECT_RTT, /* the round trip of the TCP handshake, by the kernel */
	HTTP_SPANS,
};

struct http_timing {
	int64_t seq;            /* from 1 */
	ns_t span[HTTP_SPANS];  /* UNKNOWN where it did not come to that, or nothing was to be done */
	int64_t status, bytes;  /* UNKNOWN without an answer; the bytes of its body so far */
	bool kept;              /* on a connection that an earlier request had opened */
	struct addr address;    /* with the port; family 0 where there was none yet */
	char reason[48];        /* of the status, safe to print */
	char server[64];        /* safe to print */
	char location[512];     /* as sent */
	struct fault why;       /* why there is no complete answer; FAULT_NONE where there is */
};

static inline bool http_is_answered(const struct http_timing *t)
{
	return t->why.kind == FAULT_NONE;
}

struct http_spread {
	ns_t min, p50, p90, p99, max;
};

/* Answers are counted by status; those after so many kinds go together, with UNKNOWN for their status. */
#define HTTP_STATUSES_MAX 8

struct http_status {
	int64_t status, count;
};

/* Of complete answers only, but for the counts. */
struct http_result {
	const char *url;
	int64_t requests, answered, failed, failed_ppm;
	int64_t connections; /* that were opened */
	int64_t status_max;
	size_t n_statuses;
	bool delayed_ack;   /* the transfer waits for an acknowledgement of ours, as was tried out */
	const char *note;   /* the same as a sentence; NULL */
	struct http_status statuses[HTTP_STATUSES_MAX];
	struct http_spread span[HTTP_SPANS];
	char address[ADDR_TEXT_MAX]; /* of the last answer, without the port */
	struct http_timing last;     /* answer */
	struct fault error; /* of the last request without an answer */
};

#endif
