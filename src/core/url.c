/* SPDX-License-Identifier: MIT */
#include "core/url.h"

#include "core/addr.h"

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* RFC 3986 section 3.1 */
static bool is_scheme(struct slice s)
{
	return slice_has_any(slice_head(s, 1), LETTERS) && slice_has_only(s, LETTERS DIGITS "+-.");
}

static bool is_control(char c)
{
	return (uint8_t)c < 0x20 || c == 0x7f;
}

static const char *check_bytes(struct slice s)
{
	if (s.n == 0)
		return "is empty";
	if (s.n > URL_MAX)
		return "is longer than 2048 bytes";
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == ' ')
			return "has a space in it";
		if (is_control(s.p[i]))
			return "has a control character in it";
	}
	return NULL;
}

static bool is_ipv6(struct slice host)
{
	struct slice zone, ip = url_host_zone(host, &zone);
	struct addr a;

	if (!slice_has(ip, ':') || !addr_parse(ip, &a))
		return false;
	return ip.n == host.n || (zone.n > 0 && !slice_has(zone, ':'));
}

/* @s: nothing, or a colon and what follows it. The port may be left out behind a scheme (RFC 3986 section 3.2.3). */
static const char *parse_port(struct slice s, struct url *u)
{
	uint64_t port = 0;

	if (s.n == 0 || (s.n == 1 && u->scheme.n > 0))
		return NULL;
	if (!slice_uint(slice_from(s, 1), &port) || port == 0 || port > UINT16_MAX)
		return "has a port that is not 1 to 65535";
	u->port = (uint16_t)port;
	return NULL;
}

/* @s: behind the opening bracket. */
static const char *parse_brackets(struct slice s, struct url *u)
{
	if (!slice_has(s, ']'))
		return "has an open bracket";
	u->literal = true;
	u->host = slice_cut(&s, ']');
	if (s.n > 0 && s.p[0] != ':')
		return "has a bracket in the wrong place";
	if (!is_ipv6(u->host))
		return "has brackets around what is no IPv6 address";
	return parse_port(s, u);
}

static const char *explain_colons(struct slice s)
{
	while (s.p[s.n - 1] != ':')
		s.n--;
	s.n--;
	return is_ipv6(s) ? "is IPv6 with a port and needs brackets around the address"
			  : "has more than one colon and is no IPv6 address";
}

static const char *parse_authority(struct slice s, struct url *u)
{
	struct slice rest = s;

	if (slice_has(s, '@'))
		return "has a user name in it";
	if (slice_first(s) == '[')
		return parse_brackets(slice_from(s, 1), u);
	if (slice_has_any(s, "[]"))
		return "has a bracket in the wrong place";
	u->host = s;
	if (is_ipv6(s))
		return NULL;
	u->host = slice_until(&rest, ":");
	if (slice_has(slice_from(rest, 1), ':'))
		return explain_colons(s);
	if (u->host.n == 0)
		return "has no host";
	return parse_port(rest, u);
}

const char *url_parse(struct slice s, struct url *ret)
{
	struct url u = { .port = 0 };
	const char *why = check_bytes(s);

	if (why)
		return why;
	s = slice_until(&s, "#");
	struct slice host = slice_until(&s, "/?");
	if (host.n > 1 && host.p[host.n - 1] == ':' && slice_starts(s, SLICE("//"))) {
		u.scheme = slice_head(host, host.n - 1);
		if (!is_scheme(u.scheme))
			return "has a malformed scheme";
		slice_skip(&s, 2);
		host = slice_until(&s, "/?");
	}
	u.path = s;
	why = parse_authority(host, &u);
	if (why)
		return why;
	if (slice_first(s) == '?') /* no slice of the input is the target that this needs, "/?…" */
		return "needs a / before the ?";
	*ret = u;
	return NULL;
}

struct slice url_host_zone(struct slice host, struct slice *ret_zone)
{
	struct slice zone = host, ip = slice_cut(&zone, '%');

	*ret_zone = (struct slice){ NULL, 0 };
	if (!slice_has(ip, ':'))
		return host;
	*ret_zone = slice_from(zone, zone.n > 2 && slice_starts(zone, SLICE("25")) ? 2 : 0);
	return ip;
}

static void put_host(struct text *t, struct slice host, uint16_t port)
{
	bool brackets = slice_has(host, ':');

	text_str(t, brackets ? "[" : "");
	text_slice(t, host);
	text_str(t, brackets ? "]" : "");
	if (port != 0) {
		text_char(t, ':');
		text_uint(t, port);
	}
}

void url_put_host(struct text *t, struct slice host, uint16_t port)
{
	struct slice zone;

	put_host(t, url_host_zone(host, &zone), port == 80 ? 0 : port);
}

/* Pages and Location fields hold spaces that no request line may carry: they become %20. */
static void put_clean(struct text *t, struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == ' ' || is_control(s.p[i])) {
			text_char(t, '%');
			text_digits(t, (uint8_t)s.p[i], 16, 2);
		} else {
			text_char(t, s.p[i]);
		}
	}
}

/* The text ends in '/' and is longer than @root, or is @root long. */
static void drop_segment(struct text *t, size_t root)
{
	if (t->len > root)
		t->len--;
	while (t->len > root && t->p[t->len - 1] != '/')
		t->len--;
	t->p[t->len] = '\0';
}

/* RFC 3986 section 5.2.4, segment by segment behind the '/' that ends at @root. */
static void put_segments(struct text *t, size_t root, struct slice path)
{
	if (slice_first(path) == '/')
		slice_skip(&path, 1);
	while (path.n > 0) {
		bool slash = slice_has(path, '/');
		struct slice segment = slice_cut(&path, '/');

		if (slice_is(segment, "..")) {
			drop_segment(t, root);
		} else if (!slice_is(segment, ".")) {
			put_clean(t, segment);
			text_str(t, slash ? "/" : "");
		}
	}
}

/* A folder of the base, empty or ending in '/', and what to go on to from there, with its query. */
static void put_path(struct text *t, struct slice folder, struct slice path)
{
	if (folder.n + path.n == 0)
		return;
	text_char(t, '/');
	size_t root = t->len;
	put_segments(t, root, folder);
	put_segments(t, root, slice_until(&path, "?"));
	put_clean(t, path);
}

static void put_relative(struct text *t, struct slice base, struct slice ref)
{
	struct slice folder = slice_until(&base, "?");

	if (ref.n == 0)
		ref = base;
	else if (ref.p[0] == '/')
		folder.n = 0;
	else if (ref.p[0] != '?')
		while (folder.n > 0 && folder.p[folder.n - 1] != '/')
			folder.n--;
	put_path(t, folder, ref);
}

void url_resolve(const struct url *base, struct slice ref, struct text *out)
{
	ref = slice_until(&ref, "#");
	struct slice rest = ref, scheme = slice_cut(&rest, ':');
	bool absolute = scheme.n < ref.n && is_scheme(scheme);

	if (absolute)
		ref = rest;
	else
		scheme = base->scheme.n > 0 ? base->scheme : SLICE("http");
	text_slice(out, scheme);
	text_char(out, ':');
	if (slice_starts(ref, SLICE("//"))) {
		slice_skip(&ref, 2);
		text_str(out, "//");
		text_slice(out, slice_until(&ref, "/?"));
		put_path(out, SLICE(""), ref);
	} else if (absolute) {
		put_clean(out, ref);
	} else {
		text_str(out, "//");
		put_host(out, base->host, base->port);
		put_relative(out, base->path, ref);
	}
}

bool url_decode(struct text *t, struct slice s)
{
	while (s.n > 0) {
		uint64_t c = (uint8_t)s.p[0];
		size_t n = c == '%' ? 3 : 1;

		if (n == 3 && (s.n < 3 || !slice_hex(slice_head(slice_from(s, 1), 2), &c)))
			return false;
		if (c == 0)
			return false;
		text_char(t, (char)c);
		slice_skip(&s, n);
	}
	return true;
}
