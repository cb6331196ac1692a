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
};

/* LibreSpeed: also below /backend, and with .php behind. */
static const struct route scripts[] = {
	{ "/empty\0", 0, ROUTE_TEXT, BOTH, false },
	{ "/garbage", 4 * MIB, ROUTE_GARBAGE, GET, false },
	{ "/getIP", 0, ROUTE_ADDRESS, GET, false },
};

/* The images of the old mini server, by width: /speedtest/random350x350.jpg */
static const struct route images[] = {
	{ "350", 245388, ROUTE_DATA, GET, false },
	{ "500", 505544, ROUTE_DATA, GET, false },
	{ "750", 1118012, ROUTE_DATA, GET, false },
	{ "1000", 1986284, ROUTE_DATA, GET, false },
	{ "1500", 4468241, ROUTE_DATA, GET, false },
	{ "2000", 7907740, ROUTE_DATA, GET, false },
	{ "2500", 12407926, ROUTE_DATA, GET, false },
	{ "3000", 17816816, ROUTE_DATA, GET, false },
	{ "3500", 24262167, ROUTE_DATA, GET, false },
	{ "4000", 31625365, ROUTE_DATA, GET, false },
	{ "5000", 49454450, ROUTE_DATA, GET, false },
	{ "6000", 71154024, ROUTE_DATA, GET, false },
};

static const struct route *find(const struct route *v, size_t n, struct slice path)
{
	for (size_t i = 0; i < n; i++)
		if (slice_is(path, v[i].path))
			return &v[i];
	return NULL;
}

static bool take(struct slice *path, struct slice prefix)
{
	bool there = slice_starts(*path, prefix);

	slice_skip(path, there ? prefix.n : 0);
	return there;
}

static const struct route *find_script(struct slice path)
{
	take(&path, SLICE("/backend"));
	if (path.n > 4 && slice_is(slice_from(path, path.n - 4), ".php"))
		path.n -= 4;
	return find(scripts, COUNT(scripts), path);
}

static const struct route *find_image(struct slice path)
{
	if (!take(&path, SLICE("/speedtest/random")))
		return NULL;
	struct slice width = slice_cut(&path, 'x');

	return take(&path, width) && slice_is(path, ".jpg") ? find(images, COUNT(images), width) : NULL;
}

const struct route *route_find(struct slice target, struct slice *ret_query)
{
	struct url url;

	if (slice_starts(target, SLICE("http://")) && !url_parse(target, &url))
		target = url.path.n > 0 ? url.path : SLICE("/");
	struct slice path = slice_cut(&target, '?');
	const struct route *r = find(routes, COUNT(routes), path);

	*ret_query = target;
	r = r ? r : find_script(path);
	return r ? r : find_image(path);
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
