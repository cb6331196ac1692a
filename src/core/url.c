/* SPDX-License-Identifier: MIT */
#include "core/url.h"

#include "core/addr.h"

static size_t find_any(struct slice s, struct slice set)
{
	size_t at = 0;

	while (at < s.n && slice_find(set, s.p[at]) == set.n)
		at++;
	return at;
}

/* ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ), RFC 3986 section 3.1 */
static bool is_scheme(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char low = (char)(s.p[i] | 0x20);
		bool letter = low >= 'a' && low <= 'z';

		if (!letter && (i == 0 || slice_find(SLICE("0123456789+-."), s.p[i]) == 13))
			return false;
	}
	return s.n > 0;
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

	if (slice_find(ip, ':') == ip.n || !addr_parse(ip, &a))
		return false;
	return ip.n == host.n || (zone.n > 0 && slice_find(zone, ':') == zone.n);
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

static const char *parse_brackets(struct slice s, struct url *u)
{
	size_t at = slice_find(s, ']');
	struct slice rest = slice_from(s, at + 1);

	if (at == s.n)
		return "has an open bracket";
	if (rest.n > 0 && rest.p[0] != ':')
		return "has a bracket in the wrong place";
	u->host = slice_from(slice_head(s, at), 1);
	u->literal = true;
	if (!is_ipv6(u->host))
		return "has brackets around what is no IPv6 address";
	return parse_port(rest, u);
}

static const char *explain_colons(struct slice s)
{
	size_t last = s.n - 1;

	while (s.p[last] != ':')
		last--;
	if (is_ipv6(slice_head(s, last)))
		return "is IPv6 with a port and needs brackets around the address";
	return "has more than one colon and is no IPv6 address";
}

static const char *parse_authority(struct slice s, struct url *u)
{
	size_t at = slice_find(s, ':');
	struct slice behind = slice_from(s, at + 1);

	if (slice_find(s, '@') < s.n)
		return "has a user name in it";
	if (slice_starts(s, SLICE("[")))
		return parse_brackets(s, u);
	if (find_any(s, SLICE("[]")) < s.n)
		return "has a bracket in the wrong place";
	if (is_ipv6(s)) {
		u->host = s;
		return NULL;
	}
	if (slice_find(behind, ':') < behind.n)
		return explain_colons(s);
	if (at == 0)
		return "has no host";
	u->host = slice_head(s, at);
	return parse_port(slice_from(s, at), u);
}

const char *url_parse(struct slice s, struct url *ret)
{
	struct url u = { .port = 0 };
	const char *why = check_bytes(s);

	if (why)
		return why;
	s = slice_head(s, slice_find(s, '#'));
	size_t end = find_any(s, SLICE("/?"));
	if (end > 1 && s.p[end - 1] == ':' && slice_starts(slice_from(s, end), SLICE("//"))) {
		u.scheme = slice_head(s, end - 1);
		if (!is_scheme(u.scheme))
			return "has a malformed scheme";
		s = slice_from(s, end + 2);
		end = find_any(s, SLICE("/?"));
	}
	u.path = slice_from(s, end);
	why = parse_authority(slice_head(s, end), &u);
	if (why)
		return why;
	if (slice_starts(u.path, SLICE("?"))) /* no slice of the input is the target that this needs, "/?…" */
		return "needs a / before the ?";
	*ret = u;
	return NULL;
}

struct slice url_host_zone(struct slice host, struct slice *ret_zone)
{
	size_t at = slice_find(host, '%');
	struct slice ip = slice_head(host, at);

	*ret_zone = (struct slice){ NULL, 0 };
	if (slice_find(ip, ':') == ip.n)
		return host;
	*ret_zone = slice_from(host, at + 1);
	if (ret_zone->n > 2 && slice_starts(*ret_zone, SLICE("25")))
		*ret_zone = slice_from(*ret_zone, 2);
	return ip;
}

static void put_host(struct text *t, struct slice host, uint16_t port)
{
	bool brackets = slice_find(host, ':') < host.n;

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
			text_str(t, (uint8_t)s.p[i] < 0x10 ? "%0" : "%");
			text_hex(t, (uint8_t)s.p[i]);
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
	if (slice_starts(path, SLICE("/")))
		path = slice_from(path, 1);
	while (path.n > 0) {
		size_t at = slice_find(path, '/');
		struct slice segment = slice_head(path, at);

		if (slice_eq(segment, SLICE(".."))) {
			drop_segment(t, root);
		} else if (!slice_eq(segment, SLICE("."))) {
			put_clean(t, segment);
			if (at < path.n)
				text_char(t, '/');
		}
		path = slice_from(path, at + 1);
	}
}

/* A folder of the base, empty or ending in '/', and what to go on to from there, with its query. */
static void put_path(struct text *t, struct slice folder, struct slice path)
{
	size_t query = slice_find(path, '?');

	if (folder.n + path.n == 0)
		return;
	text_char(t, '/');
	size_t root = t->len;
	put_segments(t, root, folder);
	put_segments(t, root, slice_head(path, query));
	put_clean(t, slice_from(path, query));
}

static void put_relative(struct text *t, struct slice path, struct slice ref)
{
	struct slice whole = slice_head(path, slice_find(path, '?'));
	size_t folder = whole.n;

	while (folder > 0 && whole.p[folder - 1] != '/')
		folder--;
	if (ref.n == 0)
		put_path(t, whole, slice_from(path, whole.n));
	else if (ref.p[0] == '?')
		put_path(t, whole, ref);
	else if (ref.p[0] == '/')
		put_path(t, SLICE(""), ref);
	else
		put_path(t, slice_head(whole, folder), ref);
}

void url_resolve(const struct url *base, struct slice ref, struct text *out)
{
	ref = slice_head(ref, slice_find(ref, '#'));
	size_t colon = slice_find(ref, ':');
	bool scheme = colon < ref.n && is_scheme(slice_head(ref, colon));

	text_slice(out, scheme ? slice_head(ref, colon) : base->scheme.n > 0 ? base->scheme : SLICE("http"));
	text_char(out, ':');
	if (scheme)
		ref = slice_from(ref, colon + 1);
	if (slice_starts(ref, SLICE("//"))) {
		size_t end = 2 + find_any(slice_from(ref, 2), SLICE("/?"));

		text_slice(out, slice_head(ref, end));
		put_path(out, SLICE(""), slice_from(ref, end));
	} else if (scheme) {
		put_clean(out, ref);
	} else {
		text_str(out, "//");
		put_host(out, base->host, base->port);
		put_relative(out, base->path, ref);
	}
}
