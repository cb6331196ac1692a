/* SPDX-License-Identifier: MIT */
#include "engine/route.h"

#include "core/page.h"
#include "core/url.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define GET (ROUTE_GET | ROUTE_HEAD)
#define POST ROUTE_POST
#define BOTH (GET | POST)
#define MIB (UINT64_C(1) << 20)

/* What is asked for most stands first; behind the path of a ROUTE_TEXT stands what it answers. */
static const struct route routes[] = {
	{ "/ping", 0, ROUTE_PING, GET, false },
	{ "/down", 100 * MIB, ROUTE_DATA, GET, false },
	{ "/up", 0, ROUTE_RECEIPT, POST, false },
	{ "/info", 0, ROUTE_INFO, GET, false },
	{ "/", PAGE_HTML, ROUTE_PAGE, GET, false },
	{ "/sonde.css", PAGE_CSS, ROUTE_PAGE, GET, false },
	{ "/sonde.js", PAGE_JS, ROUTE_PAGE, GET, false },
	{ "/metrics", 0, ROUTE_METRICS, GET, false },

	/* draft-ietf-ippm-responsiveness: one byte, and at least 8 GB */
	{ "/.well-known/nq", 0, ROUTE_NQ, GET, false },
	{ "/small\0\n", 0, ROUTE_TEXT, GET, false },
	{ "/large", 8192 * MIB, ROUTE_DATA, GET, false },

	/* LibreSpeed */
	{ "/empty\0", 0, ROUTE_TEXT, BOTH, false },
	{ "/empty.php\0", 0, ROUTE_TEXT, BOTH, false },
	{ "/backend/empty\0", 0, ROUTE_TEXT, BOTH, false },
	{ "/backend/empty.php\0", 0, ROUTE_TEXT, BOTH, false },
	{ "/garbage", 4 * MIB, ROUTE_GARBAGE, GET, false },
	{ "/garbage.php", 4 * MIB, ROUTE_GARBAGE, GET, false },
	{ "/backend/garbage", 4 * MIB, ROUTE_GARBAGE, GET, false },
	{ "/backend/garbage.php", 4 * MIB, ROUTE_GARBAGE, GET, false },
	{ "/getIP", 0, ROUTE_ADDRESS, GET, false },
	{ "/getIP.php", 0, ROUTE_ADDRESS, GET, false },
	{ "/backend/getIP", 0, ROUTE_ADDRESS, GET, false },
	{ "/backend/getIP.php", 0, ROUTE_ADDRESS, GET, false },

	/* OpenSpeedTest */
	{ "/upload\0", 0, ROUTE_TEXT, BOTH, false },
	{ "/downloading", 30 * MIB, ROUTE_DATA, GET, false },

	/* Cloudflare */
	{ "/__down", 0, ROUTE_DATA, GET, true },
	{ "/__up\0ok", 0, ROUTE_TEXT, POST, true },

	/* The old mini server; the doubled slash is what speedtest-cli makes of a URL that ends in one. */
	{ "/speedtest/latency.txt\0test=test\n", 0, ROUTE_TEXT, GET, false },
	{ "/speedtest/upload.php", 0, ROUTE_SIZE, BOTH, false },
	{ "//speedtest/upload.php", 0, ROUTE_SIZE, BOTH, false },
	{ "/speedtest/random350x350.jpg", 245388, ROUTE_DATA, GET, false },
	{ "/speedtest/random500x500.jpg", 505544, ROUTE_DATA, GET, false },
	{ "/speedtest/random750x750.jpg", 1118012, ROUTE_DATA, GET, false },
	{ "/speedtest/random1000x1000.jpg", 1986284, ROUTE_DATA, GET, false },
	{ "/speedtest/random1500x1500.jpg", 4468241, ROUTE_DATA, GET, false },
	{ "/speedtest/random2000x2000.jpg", 7907740, ROUTE_DATA, GET, false },
	{ "/speedtest/random2500x2500.jpg", 12407926, ROUTE_DATA, GET, false },
	{ "/speedtest/random3000x3000.jpg", 17816816, ROUTE_DATA, GET, false },
	{ "/speedtest/random3500x3500.jpg", 24262167, ROUTE_DATA, GET, false },
	{ "/speedtest/random4000x4000.jpg", 31625365, ROUTE_DATA, GET, false },
	{ "/speedtest/random5000x5000.jpg", 49454450, ROUTE_DATA, GET, false },
	{ "/speedtest/random6000x6000.jpg", 71154024, ROUTE_DATA, GET, false },
};

const struct route *route_find(struct slice target, struct slice *ret_query)
{
	struct url url;

	if (slice_starts(target, SLICE("http://")) && !url_parse(target, &url))
		target = url.path.n > 0 ? url.path : SLICE("/");
	struct slice path = slice_cut(&target, '?');

	*ret_query = target;
	for (size_t i = 0; i < COUNT(routes); i++)
		if (slice_is(path, routes[i].path))
			return &routes[i];
	return NULL;
}

bool route_admits(const struct addr *peer, bool open_to_all)
{
	enum addr_reach reach = addr_reach(peer);

	return reach == ADDR_LOOPBACK || reach == ADDR_LINK_LOCAL || reach == ADDR_PRIVATE ||
	       (reach == ADDR_PUBLIC && open_to_all);
}

unsigned route_method(struct slice method)
{
	static const char names[] = "GET\0HEAD\0POST\0OPTIONS"; /* in the order of their bits */

	for (unsigned i = 0; i < 4; i++)
		if (slice_is(method, slice_word(names, i)))
			return 1u << i;
	return 0;
}

const char *route_allow(unsigned methods)
{
	if ((methods & BOTH) == BOTH)
		return "GET, HEAD, POST, OPTIONS";
	return methods & POST ? "POST, OPTIONS" : "GET, HEAD, OPTIONS";
}

const char *route_text(const struct route *r)
{
	return slice_word(r->path, 1);
}

bool route_is_open(const struct route *r)
{
	return r->kind != ROUTE_PAGE && r->kind != ROUTE_METRICS;
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

const char *route_objection(const struct http1_head *h, const struct slice *names, size_t n, struct slice *ret_host,
	unsigned *ret_status)
{
	size_t hosts = 0;

	*ret_host = SLICE("");
	for (size_t i = 0; i < h->n_fields; i++) {
		if (slice_eq_nocase(h->fields[i].name, SLICE("host"))) {
			*ret_host = h->fields[i].value;
			hosts++;
		}
	}
	*ret_status = 400;
	if (hosts > 1 || (hosts == 0 && h->minor > 0))
		return "a request has exactly one Host field";
	*ret_status = 403;
	if (hosts == 1 && !route_host_is_local(*ret_host, names, n))
		return "this server answers to addresses and local names only, since anybody can make a public name "
		       "point here; to be reached under one, start it with --name NAME";
	return NULL;
}
