/* SPDX-License-Identifier: MIT */
/* The server's fixed table of paths, and who may ask for them. */
#ifndef ENGINE_ROUTE_H
#define ENGINE_ROUTE_H

#include "core/slice.h"

enum route { ROUTE_NONE, ROUTE_PAGE, ROUTE_DOWN, ROUTE_UP, ROUTE_PING, ROUTE_INFO };

enum route_methods { ROUTE_GET = 1, ROUTE_HEAD = 2, ROUTE_POST = 4 };

/**
 * route_find() - Which row a request target belongs to
 * @target:       origin form, `/down?bytes=5`, or absolute form, `http://host/down` (RFC 9112 section 3.2)
 * @ret_methods:  bits of enum route_methods that the path takes; 0 for ROUTE_NONE
 * @ret_query:    what stands behind '?', "" for nothing
 */
enum route route_find(struct slice target, unsigned *ret_methods, struct slice *ret_query);

/* The bit of a method, 0 for one that no path takes. */
unsigned route_method(struct slice method);

/* "GET, HEAD" for the Allow field. */
const char *route_allow(unsigned methods);

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

#endif
