/* SPDX-License-Identifier: MIT */
#include "core/listing.h"

#define HREF SLICE("href")
#define TOO_LONG (LISTING_HREF_MAX + 1)

enum state {
	IN_TEXT,   /* other tags are text too */
	AT_TAG,    /* behind '<' */
	IN_TAG,    /* behind "<a" */
	AT_NAME,   /* where an attribute may begin */
	IN_NAME,   /* of an attribute */
	AT_EQUALS, /* behind a name and white space */
	AT_VALUE,  /* behind '=' */
	IN_VALUE,  /* of any attribute */
};

void listing_init(struct listing *l)
{
	l->state = IN_TEXT; /* the rest is set before it is read */
}

static bool is_space(char c)
{
	return slice_has(SLICE(" \t\n\f\r"), c);
}

/* The name is href where all its letters matched and none followed. */
static void match_name(struct listing *l, char c)
{
	if (l->matched < HREF.n && (c | 0x20) == HREF.p[l->matched])
		l->matched++;
	else
		l->matched = UINT8_MAX;
}

static void between_values(struct listing *l, char c)
{
	if (c == '>') {
		l->state = IN_TEXT;
	} else if (c == '/') {
		l->state = AT_NAME;
	} else if (c == '=' && l->state != AT_NAME) {
		l->state = AT_VALUE;
	} else if (is_space(c)) {
		l->state = l->state == AT_NAME ? AT_NAME : AT_EQUALS;
	} else {
		if (l->state != IN_NAME)
			l->matched = 0;
		l->state = IN_NAME;
		match_name(l, c);
	}
}

static void before_value(struct listing *l, char c)
{
	if (is_space(c))
		return;
	l->n = 0;
	l->quote = c == '"' || c == '\'' ? c : '\0';
	l->state = c == '>' ? IN_TEXT : IN_VALUE;
	if (l->quote == '\0')
		l->href[l->n++] = c;
}

/* True at the end of a reference that fits. */
static bool in_value(struct listing *l, char c)
{
	bool bare = l->quote == '\0';

	if (bare ? c != '>' && !is_space(c) : c != l->quote) {
		if (l->n < LISTING_HREF_MAX)
			l->href[l->n] = c;
		if (l->n < TOO_LONG)
			l->n++;
		return false;
	}
	l->state = bare && c == '>' ? IN_TEXT : AT_NAME;
	return l->matched == HREF.n && l->n < TOO_LONG;
}

static bool step(struct listing *l, char c)
{
	switch ((enum state)l->state) {
	case IN_TEXT:
	case AT_TAG:
		l->state = l->state == AT_TAG && (c | 0x20) == 'a' ? IN_TAG : c == '<' ? AT_TAG : IN_TEXT;
		return false;
	case IN_TAG:
		l->state = is_space(c) || c == '/' ? AT_NAME : IN_TEXT;
		return false;
	case AT_NAME:
	case IN_NAME:
	case AT_EQUALS:
		between_values(l, c);
		return false;
	case AT_VALUE:
		before_value(l, c);
		return false;
	case IN_VALUE:
		return in_value(l, c);
	}
	return false;
}

/* The ASCII character of `38` or `x26`, 0 for any other. */
static char by_number(struct slice s)
{
	bool hex = (slice_first(s) | 0x20) == 'x';
	uint64_t v;

	if (!(hex ? slice_hex(slice_from(s, 1), &v) : slice_uint(s, &v)) || v > 127)
		return '\0';
	return (char)v;
}

static char by_name(struct slice s)
{
	static const char characters[] = "&<>\"'", names[] = "amp\0lt\0gt\0quot\0apos";
	size_t i = 0;

	while (characters[i] != '\0' && !slice_is(s, slice_word(names, i)))
		i++;
	return characters[i];
}

/* The character that the entity behind an '&' stands for, and *s without it; else the '&' itself. */
static char undo_entity(struct slice *s)
{
	struct slice rest = *s, name = slice_cut(&rest, ';');
	char c = '\0';

	if (slice_has(*s, ';'))
		c = slice_first(name) == '#' ? by_number(slice_from(name, 1)) : by_name(name);
	if (c == '\0')
		return '&';
	*s = rest;
	return c;
}

static struct slice undo_entities(char *p, size_t n)
{
	struct slice rest = { p, n };
	struct slice done = { p, 0 };

	while (rest.n > 0) {
		char c = rest.p[0];

		slice_skip(&rest, 1);
		p[done.n++] = c == '&' ? undo_entity(&rest) : c;
	}
	return done;
}

bool listing_feed(struct listing *l, struct slice *in, struct slice *ret_href)
{
	while (in->n > 0) {
		char c = in->p[0];

		slice_skip(in, 1);
		if (step(l, c)) {
			*ret_href = undo_entities(l->href, l->n);
			return true;
		}
	}
	return false;
}

bool listing_is_file(struct slice href)
{
	struct slice last = SLICE("");

	if (slice_first(href) == '/' || slice_has_any(href, "?#"))
		return false;
	if (slice_find(href, ':') < slice_find(href, '/')) /* no relative reference, RFC 3986 section 4.2 */
		return false;
	if (slice_ends_nocase(href, SLICE("/")))
		return false;
	while (href.n > 0) {
		last = slice_cut(&href, '/');
		if (slice_is(last, ".."))
			return false;
	}
	return last.n > 0 && !slice_is(last, ".");
}
