/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include <stdio.h>

#include "core/url.h"
#include "rng.h"

#define COUNT(v) (sizeof(v) / sizeof(v[0]))

static uint32_t seed = 1;

static uint32_t dice(uint32_t sides)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % sides;
}

static void same(const char *input, const char *part, struct slice got, const char *expected)
{
	if (!slice_eq(got, slice_of(expected)))
		fail_msg("'%s': %s is '%.*s'", input, part, (int)got.n, got.p ? got.p : "");
}

static const struct good {
	const char *in, *scheme, *host;
	bool literal;
	uint16_t port;
	const char *path;
} good[] = {
	{ "h", "", "h", false, 0, "" },
	{ "h:1", "", "h", false, 1, "" },
	{ "h:65535", "", "h", false, 65535, "" },
	{ "h:080", "", "h", false, 80, "" },
	{ "h/", "", "h", false, 0, "/" },
	{ "h:8080/a/b", "", "h", false, 8080, "/a/b" },
	{ "192.0.2.1:80/x?y", "", "192.0.2.1", false, 80, "/x?y" },
	{ "http://h", "http", "h", false, 0, "" },
	{ "HTTP://Example.ORG/Path", "HTTP", "Example.ORG", false, 0, "/Path" },
	{ "http://h:/", "http", "h", false, 0, "/" },
	{ "http://h:", "http", "h", false, 0, "" },
	{ "https://h:8443/", "https", "h", false, 8443, "/" },
	{ "zZaA09+.-://h", "zZaA09+.-", "h", false, 0, "" },
	{ "x://h:", "x", "h", false, 0, "" },
	{ "http://h/?q", "http", "h", false, 0, "/?q" },
	{ "http://h/p?a=b&c#f", "http", "h", false, 0, "/p?a=b&c" },
	{ "http://h#f", "http", "h", false, 0, "" },
	{ "h#a/b?c", "", "h", false, 0, "" },
	{ "http://h/#", "http", "h", false, 0, "/" },
	{ "http://h//a//", "http", "h", false, 0, "//a//" },
	{ "http://h/a:b@c[d]", "http", "h", false, 0, "/a:b@c[d]" },
	{ "h/http://other/", "", "h", false, 0, "/http://other/" },
	{ "h/?u=http://other:99999/", "", "h", false, 0, "/?u=http://other:99999/" },
	{ "[::1]", "", "::1", true, 0, "" },
	{ "[::1]:80", "", "::1", true, 80, "" },
	{ "http://[2001:db8::1]/x", "http", "2001:db8::1", true, 0, "/x" },
	{ "http://[2001:db8::1]:8080/x", "http", "2001:db8::1", true, 8080, "/x" },
	{ "http://[::1]:/", "http", "::1", true, 0, "/" },
	{ "[::ffff:192.0.2.1]:80", "", "::ffff:192.0.2.1", true, 80, "" },
	{ "[fe80::1%eth0]:80", "", "fe80::1%eth0", true, 80, "" },
	{ "[fe80::1%25eth0]", "", "fe80::1%25eth0", true, 0, "" },
	{ "::", "", "::", false, 0, "" },
	{ "::1", "", "::1", false, 0, "" },
	{ "::1/x", "", "::1", false, 0, "/x" },
	{ "2001:db8::1:80", "", "2001:db8::1:80", false, 0, "" },
	{ "fe80::1%eth0", "", "fe80::1%eth0", false, 0, "" },
	{ "fe80::1%2", "", "fe80::1%2", false, 0, "" },
	{ "fe80::1%br-lan.2", "", "fe80::1%br-lan.2", false, 0, "" },
	{ "icmp://fe80::1%25eth0", "icmp", "fe80::1%25eth0", false, 0, "" },
	{ "gr\xc3\xbcn.example", "", "gr\xc3\xbcn.example", false, 0, "" },
	{ "a%20b", "", "a%20b", false, 0, "" },
	{ "h/\xff\xfe", "", "h", false, 0, "/\xff\xfe" },
};

static const struct bad {
	const char *in, *why;
} bad[] = {
	{ "", "is empty" },
	{ " ", "has a space in it" },
	{ "a b", "has a space in it" },
	{ "http://h/a b", "has a space in it" },
	{ "h ", "has a space in it" },
	{ "h\t", "has a control character in it" },
	{ "h/\r\nX: y", "has a control character in it" },
	{ "h\x7f", "has a control character in it" },
	{ "h#\x1b[1m", "has a control character in it" },
	{ "http://", "has no host" },
	{ "http:///p", "has no host" },
	{ "http://:80/", "has no host" },
	{ "http://#", "has no host" },
	{ "://h", "has no host" },
	{ "/p", "has no host" },
	{ "//h/p", "has no host" },
	{ "?q", "has no host" },
	{ "#f", "has no host" },
	{ ":80", "has no host" },
	{ "1st://h", "has a malformed scheme" },
	{ "my_own://h", "has a malformed scheme" },
	{ "-a://h", "has a malformed scheme" },
	{ "h:0", "has a port that is not 1 to 65535" },
	{ "h:65536", "has a port that is not 1 to 65535" },
	{ "http://h:99999/", "has a port that is not 1 to 65535" },
	{ "h:18446744073709551617", "has a port that is not 1 to 65535" },
	{ "h:", "has a port that is not 1 to 65535" },
	{ "h:/p", "has a port that is not 1 to 65535" },
	{ "h:80x", "has a port that is not 1 to 65535" },
	{ "h:+80", "has a port that is not 1 to 65535" },
	{ "h:-1", "has a port that is not 1 to 65535" },
	{ "http:/h", "has a port that is not 1 to 65535" },
	{ "[::1]:", "has a port that is not 1 to 65535" },
	{ "[::1]:0", "has a port that is not 1 to 65535" },
	{ "u@h", "has a user name in it" },
	{ "http://u:p@h:80/", "has a user name in it" },
	{ "http://@h/", "has a user name in it" },
	{ "http://u@[::1]/", "has a user name in it" },
	{ "[", "has an open bracket" },
	{ "[::1", "has an open bracket" },
	{ "http://[::1", "has an open bracket" },
	{ "http://[::1/]", "has an open bracket" },
	{ "[::1]80", "has a bracket in the wrong place" },
	{ "[::1]]", "has a bracket in the wrong place" },
	{ "h]", "has a bracket in the wrong place" },
	{ "a[::1]", "has a bracket in the wrong place" },
	{ "fe80::1%[", "has a bracket in the wrong place" },
	{ "[]", "has brackets around what is no IPv6 address" },
	{ "[]:80", "has brackets around what is no IPv6 address" },
	{ "[h]", "has brackets around what is no IPv6 address" },
	{ "[192.0.2.1]", "has brackets around what is no IPv6 address" },
	{ "[192.0.2.1%eth0]", "has brackets around what is no IPv6 address" },
	{ "[1::2::3]", "has brackets around what is no IPv6 address" },
	{ "[fe80::1%]", "has brackets around what is no IPv6 address" },
	{ "[v1.x]", "has brackets around what is no IPv6 address" },
	{ "1:2:3:4:5:6:7:8:80", "is IPv6 with a port and needs brackets around the address" },
	{ "fe80::1%eth0:80", "is IPv6 with a port and needs brackets around the address" },
	{ "http://1:2:3:4:5:6:7:8:80/", "is IPv6 with a port and needs brackets around the address" },
	{ "::1:65536", "is IPv6 with a port and needs brackets around the address" },
	{ "1:2:3:4:5:6:7:8:", "is IPv6 with a port and needs brackets around the address" },
	{ "a:b:c", "has more than one colon and is no IPv6 address" },
	{ "fe80::1%", "has more than one colon and is no IPv6 address" },
	{ "http://h?q", "needs a / before the ?" },
	{ "h:80?q", "needs a / before the ?" },
};

static void a_url_is_taken_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		const struct good *row = &good[i];
		struct guard g = guard_of(row->in, strlen(row->in));
		struct url u;
		const char *why = url_parse((struct slice){ g.p, g.n }, &u);

		if (why)
			fail_msg("'%s' %s", row->in, why);
		same(row->in, "scheme", u.scheme, row->scheme);
		same(row->in, "host", u.host, row->host);
		same(row->in, "path", u.path, row->path);
		assert_int_equal(u.literal, row->literal);
		assert_int_equal(u.port, row->port);
		guard_free(&g);
	}
}

static void a_refusal_says_why_and_writes_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct guard g = guard_of(bad[i].in, strlen(bad[i].in));
		struct url u = { .host = SLICE("untouched"), .port = 7 };
		const char *why = url_parse((struct slice){ g.p, g.n }, &u);

		if (!why)
			fail_msg("'%s' is taken", bad[i].in);
		if (strcmp(why, bad[i].why) != 0)
			fail_msg("'%s' %s", bad[i].in, why);
		same(bad[i].in, "host", u.host, "untouched");
		assert_int_equal(u.port, 7);
		guard_free(&g);
	}
}

/* What a parser returns lies inside what it was given. */
static void check_inside(struct slice part, const struct guard *g)
{
	assert_true(part.n == 0 || (part.p >= g->p && part.p + part.n <= g->p + g->n));
}

static void parse_damaged(const char *s, size_t n)
{
	struct guard g = guard_of(s, n);
	struct url u;

	if (!url_parse((struct slice){ g.p, g.n }, &u)) {
		check_inside(u.scheme, &g);
		check_inside(u.host, &g);
		check_inside(u.path, &g);
		assert_true(u.host.n > 0);
		assert_true(u.path.n == 0 || u.path.p[0] == '/');
	}
	guard_free(&g);
}

static void beginnings_and_damage_stay_inside_the_input(void **state)
{
	static const char bytes[] = "[]:/?#%@.0a \x80";

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		for (size_t n = 0; n <= strlen(good[i].in); n++)
			parse_damaged(good[i].in, n);
	for (size_t round = 0; round < 4000; round++) {
		const char *from = good[dice(COUNT(good))].in;
		char s[64];
		size_t n = strlen(from);

		memcpy(s, from, n);
		for (uint32_t edits = 1 + dice(3); edits > 0; edits--)
			s[dice((uint32_t)n)] = bytes[dice(sizeof(bytes) - 1)];
		parse_damaged(s, n);
	}
}

static void control_characters_and_spaces_are_refused_anywhere(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		for (size_t at = 0; at < 13; at++) {
			char s[] = "http://host/p";
			struct url u;

			s[at] = (char)c;
			if (c <= 0x20 || c == 0x7f)
				assert_non_null(url_parse((struct slice){ s, 13 }, &u));
		}
	}
}

static void the_longest_url_is_taken_and_one_byte_more_is_not(void **state)
{
	char s[URL_MAX + 1];
	struct url u;

	(void)state;
	memset(s, 'a', sizeof(s));
	memcpy(s, "http://h/", 9);
	assert_null(url_parse((struct slice){ s, URL_MAX }, &u));
	assert_int_equal(u.path.n, URL_MAX - 8);
	assert_string_equal(url_parse((struct slice){ s, URL_MAX + 1 }, &u), "is longer than 2048 bytes");
	assert_int_equal(URL_MAX, 2048);
}

static void the_zone_is_told_from_the_host(void **state)
{
	static const struct {
		const char *in, *host, *zone;
	} rows[] = {
		{ "fe80::1%eth0", "fe80::1", "eth0" },
		{ "fe80::1%25eth0", "fe80::1", "eth0" },
		{ "fe80::1%25", "fe80::1", "25" }, /* an interface index; %25 with nothing behind it is no zone */
		{ "fe80::1%252", "fe80::1", "2" },
		{ "fe80::1%2", "fe80::1", "2" },
		{ "fe80::1%24x", "fe80::1", "24x" },
		{ "fe80::1%", "fe80::1", "" },
		{ "fe80::1", "fe80::1", "" },
		{ "192.0.2.1", "192.0.2.1", "" },
		{ "a%20b", "a%20b", "" }, /* a name has no zone */
		{ "", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct guard g = guard_of(rows[i].in, strlen(rows[i].in));
		struct slice zone, host = url_host_zone((struct slice){ g.p, g.n }, &zone);

		same(rows[i].in, "host", host, rows[i].host);
		same(rows[i].in, "zone", zone, rows[i].zone);
		guard_free(&g);
	}
}

static void the_host_field_has_brackets_no_zone_and_no_port_80(void **state)
{
	static const struct {
		const char *host;
		uint16_t port;
		const char *field;
	} rows[] = {
		{ "h", 0, "h" },
		{ "h", 80, "h" },
		{ "h", 81, "h:81" },
		{ "h", 8080, "h:8080" },
		{ "::1", 80, "[::1]" },
		{ "fe80::1%eth0", 65535, "[fe80::1]:65535" },
		{ "fe80::1%25eth0", 0, "[fe80::1]" },
		{ "192.0.2.1", 443, "192.0.2.1:443" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char buf[64];
		struct text t;

		text_init(&t, buf, sizeof(buf));
		url_put_host(&t, slice_of(rows[i].host), rows[i].port);
		assert_string_equal(buf, rows[i].field);
	}
}

/* Parses @base, follows @ref from unreadable memory's edge, and returns a static buffer. */
static const char *follow(const char *base, const char *ref)
{
	static char buf[256];
	struct guard g = guard_of(ref, strlen(ref));
	struct url u;
	struct text t;

	assert_null(url_parse(slice_of(base), &u));
	text_init(&t, buf, sizeof(buf));
	url_resolve(&u, (struct slice){ g.p, g.n }, &t);
	assert_false(t.cut);
	assert_int_equal(t.len, strlen(buf));
	guard_free(&g);
	return buf;
}

struct step {
	const char *base, *ref, *out;
};

static void check_steps(const struct step *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *out = follow(rows[i].base, rows[i].ref);

		if (strcmp(out, rows[i].out) != 0)
			fail_msg("'%s' from '%s' leads to '%s'", rows[i].ref, rows[i].base, out);
	}
}

/* The examples of RFC 3986 section 5.4, without their fragments. */
static void references_of_the_rfc_lead_where_it_says(void **state)
{
#define B "http://a/b/c/d;p?q"
	static const struct step rows[] = {
		{ B, "g:h", "g:h" },
		{ B, "g", "http://a/b/c/g" },
		{ B, "./g", "http://a/b/c/g" },
		{ B, "g/", "http://a/b/c/g/" },
		{ B, "/g", "http://a/g" },
		{ B, "//g", "http://g" },
		{ B, "?y", "http://a/b/c/d;p?y" },
		{ B, "g?y", "http://a/b/c/g?y" },
		{ B, "#s", "http://a/b/c/d;p?q" },
		{ B, "g#s", "http://a/b/c/g" },
		{ B, "g?y#s", "http://a/b/c/g?y" },
		{ B, ";x", "http://a/b/c/;x" },
		{ B, "g;x", "http://a/b/c/g;x" },
		{ B, "g;x?y#s", "http://a/b/c/g;x?y" },
		{ B, "", "http://a/b/c/d;p?q" },
		{ B, ".", "http://a/b/c/" },
		{ B, "./", "http://a/b/c/" },
		{ B, "..", "http://a/b/" },
		{ B, "../", "http://a/b/" },
		{ B, "../g", "http://a/b/g" },
		{ B, "../..", "http://a/" },
		{ B, "../../", "http://a/" },
		{ B, "../../g", "http://a/g" },
		{ B, "../../../g", "http://a/g" },
		{ B, "../../../../g", "http://a/g" },
		{ B, "/./g", "http://a/g" },
		{ B, "/../g", "http://a/g" },
		{ B, "g.", "http://a/b/c/g." },
		{ B, ".g", "http://a/b/c/.g" },
		{ B, "g..", "http://a/b/c/g.." },
		{ B, "..g", "http://a/b/c/..g" },
		{ B, "./../g", "http://a/b/g" },
		{ B, "./g/.", "http://a/b/c/g/" },
		{ B, "g/./h", "http://a/b/c/g/h" },
		{ B, "g/../h", "http://a/b/c/h" },
		{ B, "g;x=1/./y", "http://a/b/c/g;x=1/y" },
		{ B, "g;x=1/../y", "http://a/b/c/y" },
		{ B, "g?y/./x", "http://a/b/c/g?y/./x" },
		{ B, "g?y/../x", "http://a/b/c/g?y/../x" },
		{ B, "g#s/./x", "http://a/b/c/g" },
		{ B, "http:g", "http:g" },
	};
#undef B

	(void)state;
	check_steps(rows, COUNT(rows));
}

static void references_met_in_the_field_lead_to_whole_urls(void **state)
{
	static const struct step rows[] = {
		{ "http://h", "", "http://h" },
		{ "http://h", "a", "http://h/a" },
		{ "http://h", "../a", "http://h/a" },
		{ "http://h", "?q", "http://h/?q" },
		{ "http://h/d/", "two%20words.iso", "http://h/d/two%20words.iso" },
		{ "http://h/d/", "./c:d.txt", "http://h/d/c:d.txt" },
		{ "http://h/d/", "1:2", "http://h/d/1:2" },
		{ "http://h/d/?C=N;O=D", "x", "http://h/d/x" },
		{ "http://h/a?u=/b/c", "x", "http://h/x" },
		{ "http://h:8080/a", "/b", "http://h:8080/b" },
		{ "http://h:80/a", "b", "http://h:80/b" },
		{ "http://h:8080/a", "//o/b", "http://o/b" },
		{ "http://h/a", "//o:81/x/../b?c", "http://o:81/b?c" },
		{ "http://h/a", "//o?c", "http://o/?c" },
		{ "http://h/a", "https://o/x/./y#f", "https://o/x/y" },
		{ "http://h/a", "HTTP://o?c/../d", "HTTP://o/?c/../d" },
		{ "http://h/a", "http://[::1]:80/b", "http://[::1]:80/b" },
		{ "http://h/a", "mailto:a@b", "mailto:a@b" },
		{ "http://[::1]/a", "b", "http://[::1]/b" },
		{ "http://[fe80::1%25eth0]:81/a", "/b", "http://[fe80::1%25eth0]:81/b" },
		{ "fe80::1%eth0", "/b", "http://[fe80::1%eth0]/b" },
		{ "x://h/a", "b", "x://h/b" },
		{ "h:81/a/b", "c", "http://h:81/a/c" },
		{ "http://h/a//b", "../c", "http://h/a/c" },
		{ "http://h/a//", "..", "http://h/a/" },
		{ "http://h/a/", ".//b", "http://h/a//b" },
		{ "http://h/a", "//", "http://" },
		{ "http://h/./a/../b/x", "", "http://h/b/x" },
		{ "http://h/x/.", "y", "http://h/x/y" },
		{ "http://h/", "...", "http://h/..." },
		{ "http://h/", "a b\r\nX: y?c d", "http://h/a%20b%0d%0aX:%20y?c%20d" },
		{ "http://h/", "\x7f\x01\x0f\x10\x1f", "http://h/%7f%01%0f%10%1f" },
		{ "http://h/", "gr\xc3\xbcn", "http://h/gr\xc3\xbcn" },
	};

	(void)state;
	check_steps(rows, COUNT(rows));
}

static void drop_first(char *s, size_t n)
{
	memmove(s, s + n, strlen(s + n) + 1);
}

/* RFC 3986 section 5.2.4 letter by letter: steps A to E over an input and an output buffer. */
static void reference_dots(char *in, char *out)
{
	out[0] = '\0';
	while (in[0] != '\0') {
		if (strncmp(in, "../", 3) == 0) {
			drop_first(in, 3);
		} else if (strncmp(in, "./", 2) == 0 || strncmp(in, "/./", 3) == 0) {
			drop_first(in, 2);
		} else if (strcmp(in, "/.") == 0) {
			in[1] = '\0';
		} else if (strncmp(in, "/../", 4) == 0 || strcmp(in, "/..") == 0) {
			char *last = strrchr(out, '/');

			if (in[3] == '/')
				drop_first(in, 3);
			else
				in[1] = '\0';
			if (last)
				*last = '\0';
		} else if (strcmp(in, ".") == 0 || strcmp(in, "..") == 0) {
			in[0] = '\0';
		} else {
			size_t n = 1 + strcspn(in + 1, "/");

			strncat(out, in, n);
			drop_first(in, n);
		}
	}
}

static void dot_segments_go_as_the_rfc_removes_them(void **state)
{
	static const char *const segments[] = { "", ".", "..", "..", "a", "bc", "...", ".d", "/" };

	(void)state;
	for (size_t round = 0; round < 4000; round++) {
		char base[128] = "http://h", ref[64] = "", merged[128], expected[128] = "http://h";

		for (uint32_t n = 1 + dice(4); n > 0; n--) {
			strcat(base, "/");
			strcat(base, segments[dice(COUNT(segments))]);
		}
		for (uint32_t n = dice(6); n > 0; n--) {
			strcat(ref, segments[2 + dice(COUNT(segments) - 3)]);
			if (n > 1)
				strcat(ref, "/");
		}
		strcpy(merged, base + strlen("http://h"));
		if (ref[0] != '\0')
			strcpy(strrchr(merged, '/') + 1, ref);
		reference_dots(merged, expected + strlen("http://h"));
		if (strcmp(follow(base, ref), expected) != 0)
			fail_msg("'%s' from '%s' is not '%s'", ref, base, expected);
	}
}

static void where_a_relative_reference_leads_can_be_parsed(void **state)
{
	static const char bytes[] = "./?#a%:\r ;/.";

	(void)state;
	for (size_t round = 0; round < 4000; round++) {
		char ref[16] = "";
		size_t n = dice(sizeof(ref));

		for (size_t i = 0; i < n; i++)
			ref[i] = bytes[dice(sizeof(bytes) - 1)];
		if (strncmp(ref, "//", 2) == 0 || ref[0] == 'a')
			continue;
		const char *out = follow("http://[fe80::1%25eth0]:8080/p/q", ref);
		struct url u;
		const char *why = url_parse(slice_of(out), &u);

		if (why)
			fail_msg("'%s' leads to '%s', which %s", ref, out, why);
		same(out, "host", u.host, "fe80::1%25eth0");
		assert_int_equal(u.port, 8080);
		assert_true(u.path.n > 0);
	}
}

static void a_buffer_too_small_says_so(void **state)
{
	static const char room[64];
	const char *ref = "../x/../y/./z z?q";
	const char *whole = follow("http://[::1]:8080/a/b/c", ref);
	size_t n = strlen(whole);
	struct url u;

	(void)state;
	assert_string_equal(whole, "http://[::1]:8080/a/y/z%20z?q");
	assert_null(url_parse(SLICE("http://[::1]:8080/a/b/c"), &u));
	for (size_t cap = 1; cap <= n + 1; cap++) {
		struct guard g = guard_of(room, cap);
		struct text t;

		text_init(&t, g.p, cap);
		url_resolve(&u, slice_of(ref), &t);
		assert_int_equal(t.p[t.len], '\0');
		assert_int_equal(t.cut, cap <= n);
		guard_free(&g);
	}
}

static void what_is_in_the_text_already_stays(void **state)
{
	char buf[64];
	struct text t;
	struct url u;

	(void)state;
	assert_null(url_parse(SLICE("http://h/a/b"), &u));
	text_init(&t, buf, sizeof(buf));
	text_str(&t, "x/y/");
	url_resolve(&u, SLICE("../../../c"), &t);
	assert_string_equal(buf, "x/y/http://h/c");
}

static void escapes_become_the_bytes_that_they_stand_for(void **state)
{
	static const struct {
		const char *in, *out; /* NULL where it is refused */
	} rows[] = {
		{ "", "" }, { "a+b", "a+b" }, { "%41%7a", "Az" }, { "%C3%A9t%c3%a9", "\xc3\xa9t\xc3\xa9" }, { "%2525", "%25" },
		{ "%FF%01", "\xff\x01" }, { "%", NULL }, { "%4", NULL }, { "a%4", NULL }, { "%4g", NULL }, { "%g4", NULL },
		{ "%%41", NULL }, { "% 1", NULL }, { "%+1", NULL }, { "%0x", NULL }, { "%00", NULL }, { "a%00b", NULL }, { "%u0041", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char buf[32];
		struct text t;
		struct guard g = guard_of(rows[i].in, strlen(rows[i].in));

		text_init(&t, buf, sizeof(buf));
		bool ok = url_decode(&t, (struct slice){ g.p, g.n });

		if (ok != (rows[i].out != NULL) || (ok && strcmp(buf, rows[i].out) != 0))
			fail_msg("%s gives %s", rows[i].in, ok ? buf : "nothing");
		guard_free(&g);
	}
	struct text t;
	char buf[4];

	text_init(&t, buf, sizeof(buf));
	assert_false(url_decode(&t, (struct slice){ "a\0b", 3 }));
	text_init(&t, buf, sizeof(buf));
	assert_true(url_decode(&t, SLICE("%61bcd")));
	assert_true(t.cut);
}

static void every_text_can_be_escaped_and_read_again(void **state)
{
	struct rng r = rng_of(11);

	(void)state;
	for (int k = 0; k < 3000; k++) {
		char plain[41], escaped[128], again[48];
		size_t n = (size_t)rng_below(&r, sizeof(plain));
		struct text e, t;

		text_init(&e, escaped, sizeof(escaped));
		for (size_t i = 0; i < n; i++) {
			plain[i] = (char)(1 + rng_below(&r, 255));
			if (plain[i] == '%' || rng_chance(&r, 500000)) {
				text_char(&e, '%');
				text_digits(&e, (uint8_t)plain[i], 16, 2);
			} else {
				text_char(&e, plain[i]);
			}
		}
		text_init(&t, again, sizeof(again));
		assert_true(url_decode(&t, text_view(&e)));
		assert_int_equal(t.len, n);
		assert_memory_equal(again, plain, n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes_become_the_bytes_that_they_stand_for),
		cmocka_unit_test(every_text_can_be_escaped_and_read_again),
		cmocka_unit_test(a_url_is_taken_apart),
		cmocka_unit_test(a_refusal_says_why_and_writes_nothing),
		cmocka_unit_test(beginnings_and_damage_stay_inside_the_input),
		cmocka_unit_test(control_characters_and_spaces_are_refused_anywhere),
		cmocka_unit_test(the_longest_url_is_taken_and_one_byte_more_is_not),
		cmocka_unit_test(the_zone_is_told_from_the_host),
		cmocka_unit_test(the_host_field_has_brackets_no_zone_and_no_port_80),
		cmocka_unit_test(references_of_the_rfc_lead_where_it_says),
		cmocka_unit_test(references_met_in_the_field_lead_to_whole_urls),
		cmocka_unit_test(dot_segments_go_as_the_rfc_removes_them),
		cmocka_unit_test(where_a_relative_reference_leads_can_be_parsed),
		cmocka_unit_test(a_buffer_too_small_says_so),
		cmocka_unit_test(what_is_in_the_text_already_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
