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
	return slice_find(SLICE(" \t\n\f\r"), c) < 5;
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
	size_t base = slice_starts(s, SLICE("x")) || slice_starts(s, SLICE("X")) ? 16 : 10;
	size_t v = 0;

	if (base == 16)
		s = slice_from(s, 1);
	for (size_t i = 0; i < s.n; i++) {
		size_t digit = slice_find(SLICE("0123456789abcdefABCDEF"), s.p[i]);

		if (digit > 15 && digit < 22)
			digit -= 6;
		if (digit >= base)
			return '\0';
		v = v * base + digit;
		if (v > 127)
			return '\0';
	}
	return (char)v;
}

static char by_name(struct slice s)
{
	static const struct {
		char name[5], c;
	} entities[] = { { "amp", '&' }, { "lt", '<' }, { "gt", '>' }, { "quot", '"' }, { "apos", '\'' } };

	for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++)
		if (slice_eq(s, slice_of(entities[i].name)))
			return entities[i].c;
	return '\0';
}

/* The character an entity at the front stands for, and its length; else the '&' itself. */
static char undo_entity(struct slice s, size_t *ret_n)
{
	size_t end = slice_find(s, ';');
	struct slice name = slice_from(slice_head(s, end), 1);
	char c = '\0';

	if (end < s.n)
		c = slice_starts(name, SLICE("#")) ? by_number(slice_from(name, 1)) : by_name(name);
	*ret_n = c != '\0' ? end + 1 : 1;
	return c != '\0' ? c : '&';
}

static struct slice undo_entities(char *p, size_t n)
{
	struct slice rest = { p, n };
	struct slice done = { p, 0 };

	while (rest.n > 0) {
		size_t used = 1;

		p[done.n++] = rest.p[0] == '&' ? undo_entity(rest, &used) : rest.p[0];
		rest = slice_from(rest, used);
	}
	return done;
}

bool listing_feed(struct listing *l, struct slice *in, struct slice *ret_href)
{
	while (in->n > 0) {
		char c = in->p[0];

		*in = slice_from(*in, 1);
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

	if (slice_starts(href, SLICE("/")) || slice_ends_nocase(href, SLICE("/")))
		return false;
	if (slice_find(href, '?') < href.n || slice_find(href, '#') < href.n)
		return false;
	if (slice_find(href, ':') < slice_find(href, '/')) /* no relative reference, RFC 3986 section 4.2 */
		return false;
	while (href.n > 0) {
		last = slice_cut(&href, '/');
		if (slice_eq(last, SLICE("..")))
			return false;
	}
	return last.n > 0 && !slice_eq(last, SLICE("."));
}
