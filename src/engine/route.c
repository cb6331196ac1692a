/* SPDX-License-Identifier: MIT */
#include "engine/route.h"

#include "core/addr.h"
#include "core/url.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *path;
	enum route route;
	unsigned methods;
} routes[] = {
	{ "/", ROUTE_PAGE, ROUTE_GET | ROUTE_HEAD },
	{ "/down", ROUTE_DOWN, ROUTE_GET | ROUTE_HEAD },
	{ "/up", ROUTE_UP, ROUTE_POST },
	{ "/ping", ROUTE_PING, ROUTE_GET | ROUTE_HEAD },
	{ "/info", ROUTE_INFO, ROUTE_GET | ROUTE_HEAD },
};

enum route route_find(struct slice target, unsigned *ret_methods, struct slice *ret_query)
{
	struct url url;

	if (slice_starts(target, SLICE("http://")) && !url_parse(target, &url))
		target = url.path.n > 0 ? url.path : SLICE("/");
	struct slice path = slice_cut(&target, '?');

	*ret_query = target;
	*ret_methods = 0;
	for (size_t i = 0; i < COUNT(routes); i++) {
		if (slice_eq(path, slice_of(routes[i].path))) {
			*ret_methods = routes[i].methods;
			return routes[i].route;
		}
	}
	return ROUTE_NONE;
}

unsigned route_method(struct slice method)
{
	if (slice_eq(method, SLICE("GET")))
		return ROUTE_GET;
	if (slice_eq(method, SLICE("HEAD")))
		return ROUTE_HEAD;
	return slice_eq(method, SLICE("POST")) ? ROUTE_POST : 0;
}

const char *route_allow(unsigned methods)
{
	return methods & ROUTE_POST ? "POST" : "GET, HEAD";
}

bool route_query(struct slice query, struct slice name, struct slice *ret_value)
{
	while (query.n > 0) {
		struct slice value = slice_cut(&query, '&');

		if (slice_eq(slice_cut(&value, '='), name)) {
			*ret_value = value;
			return true;
		}
	}
	return false;
}

static bool is_local_name(struct slice name)
{
	static const char *const suffixes[] = { ".local", ".lan", ".home", ".home.arpa", ".internal", ".localhost" };

	if (slice_find(name, '.') == name.n)
		return true;
	for (size_t i = 0; i < COUNT(suffixes); i++)
		if (slice_ends_nocase(name, slice_of(suffixes[i])))
			return true;
	return false;
}

bool route_host_is_local(struct slice host, const struct slice *names, size_t n)
{
	struct url url;
	struct addr address;

	if (url_parse(host, &url) || url.scheme.n > 0 || url.path.n > 0)
		return false;
	struct slice name = url.host;

	if (name.n > 1 && name.p[name.n - 1] == '.')
		name.n--;
	if (url.literal || addr_parse(name, &address) || is_local_name(name))
		return true;
	for (size_t i = 0; i < n; i++)
		if (slice_eq_nocase(name, names[i]))
			return true;
	return false;
}
