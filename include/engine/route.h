/* SPDX-License-Identifier: MIT */
/* The server's fixed table of paths, those of other programs' clients among them, and who may ask for them. */
#ifndef ENGINE_ROUTE_H
#define ENGINE_ROUTE_H

#include "core/addr.h"
#include "core/http1_head.h"

enum route_kind {
	ROUTE_PAGE,    /* the part that `bytes` names, an enum page_part */
	ROUTE_DATA,    /* test data, `bytes` of them unless the query says `bytes=` or `seconds=` */
	ROUTE_GARBAGE, /* the same, in MiB by `ckSize=` as LibreSpeed has it */
	ROUTE_PING,    /* 204 */
	ROUTE_TEXT,    /* route_text() */
	ROUTE_RECEIPT, /* JSON of what was received */
	ROUTE_SIZE,    /* `size=` of what was received; clients of this one may send less than they declare */
	ROUTE_INFO,
	ROUTE_METRICS,
	ROUTE_NQ,      /* where a responsiveness client finds what it needs */
	ROUTE_ADDRESS, /* the peer's, as LibreSpeed tells it */
};

enum route_methods { ROUTE_GET = 1, ROUTE_HEAD = 2, ROUTE_POST = 4, ROUTE_OPTIONS = 8 };

/* A POST is counted and thrown away first; then it is answered as a GET would be. */
struct route {
	const char *path;
	uint64_t bytes;
	uint8_t kind;    /* enum route_kind */
	uint8_t methods; /* bits of enum route_methods */
	bool timed;      /* with Server-Timing, as Cloudflare's client wants it */
};

/**
 * route_find() - Which row a request target belongs to
 * @target:     origin form, `/down?bytes=5`, or absolute form, `http://host/down` (RFC 9112 section 3.2)
 * @ret_query:  what stands behind '?', "" for nothing
 *
 * Return: NULL for none.
 */
const struct route *route_find(struct slice target, struct slice *ret_query);

/* Is a peer served: one that is near, or a public one where the server is open to all? */
bool route_admits(const struct addr *peer, bool open_to_all);

/* The bit of a method, 0 for one that no path takes. */
unsigned route_method(struct slice method);

/* "GET, HEAD, OPTIONS" for the Allow field. */
const char *route_allow(unsigned methods);

/* What a ROUTE_TEXT answers. */
const char *route_text(const struct route *r);

/* May a page of another origin read it, where the server allows that at all? */
bool route_is_open(const struct route *r);

/* `name=value` among the `&`-separated parts of a query; no percent-decoding. */
bool route_query(struct slice query, struct slice name, struct slice *ret_value);

/**
 * route_host_is_local() - Is a Host value one that no stranger's DNS can point here?
 * @host:   `name[:port]`, `192.0.2.1:80`, `[::1]:80`
 * @names:  further names that are welcome, @n of them
 *
 * Addresses, `localhost`, single labels and names under .local .lan .home .home.arpa .internal are.
 */
bool route_host_is_local(struct slice host, const struct slice *names, size_t n);

/**
 * route_objection() - Why a request is not answered at all
 * @ret_host:    its Host value, empty for none
 * @ret_status:  to say so with
 *
 * Return: NULL where nothing speaks against it.
 */
const char *route_objection(const struct http1_head *h, const struct slice *names, size_t n, struct slice *ret_host,
	unsigned *ret_status);

#endif
