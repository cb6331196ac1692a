/* SPDX-License-Identifier: MIT */
#include "core/json.h"

#include <stdarg.h>

/* DEL and the C1 controls need no escape in JSON, but some terminals obey them. */
static size_t put_character(struct text *t, struct slice s)
{
	size_t n = slice_utf8(s);
	unsigned code = (uint8_t)s.p[0];

	if (n == 0) {
		text_str(t, "\xef\xbf\xbd");
		return 1;
	}
	if (code == 0xc2 && (uint8_t)s.p[1] < 0xa0)
		code = (uint8_t)s.p[1];
	if (code < 0x20 || (code >= 0x7f && code < 0xa0)) {
		text_str(t, "\\u");
		text_digits(t, code, 16, 4);
		return n;
	}
	if (code == '"' || code == '\\')
		text_char(t, '\\');
	text_slice(t, slice_head(s, n));
	return n;
}

static void put_string(struct text *t, struct slice s)
{
	text_char(t, '"');
	while (s.n > 0)
		slice_skip(&s, put_character(t, s));
	text_char(t, '"');
}

static void put_key(struct json *j, const char *key)
{
	if (j->comma)
		text_char(j->out, ',');
	j->comma = true;
	if (key) {
		put_string(j->out, slice_of(key));
		text_char(j->out, ':');
	}
}

static void put_word(struct json *j, const char *key, const char *word)
{
	put_key(j, key);
	text_str(j->out, word);
}

static void put_bracket(struct json *j, const char *key, char c)
{
	bool opens = c == '{' || c == '[';

	if (opens)
		put_key(j, key);
	text_char(j->out, c);
	j->comma = !opens;
}

void json_init(struct json *j, struct text *out)
{
	*j = (struct json){ out, false };
}

void json_begin(struct json *j, struct text *out, const char *type)
{
	json_init(j, out);
	json_open(j, NULL);
	json_int(j, "schema", 1);
	json_word(j, "type", type);
}

void json_end(struct json *j)
{
	json_close(j);
	text_char(j->out, '\n');
}

void json_open(struct json *j, const char *key)
{
	put_bracket(j, key, '{');
}

void json_close(struct json *j)
{
	put_bracket(j, NULL, '}');
}

void json_array(struct json *j, const char *key)
{
	put_bracket(j, key, '[');
}

void json_array_end(struct json *j)
{
	put_bracket(j, NULL, ']');
}

void json_null(struct json *j, const char *key)
{
	put_word(j, key, "null");
}

void json_bool(struct json *j, const char *key, bool v)
{
	put_word(j, key, v ? "true" : "false");
}

void json_string(struct json *j, const char *key, struct slice s)
{
	if (!s.p) {
		json_null(j, key);
		return;
	}
	put_key(j, key);
	put_string(j->out, s);
}

void json_word(struct json *j, const char *key, const char *word)
{
	json_string(j, key, word && word[0] != '\0' ? slice_of(word) : (struct slice){ NULL, 0 });
}

void json_address(struct json *j, const char *key, const struct addr *a)
{
	char buf[ADDR_TEXT_MAX];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	addr_put(&t, a);
	json_word(j, key, buf);
}

void json_fixed(struct json *j, const char *key, int64_t v, unsigned scale, unsigned decimals)
{
	if (v == UNKNOWN) {
		json_null(j, key);
		return;
	}
	put_key(j, key);
	text_fixed(j->out, v, scale, decimals);
}

void json_int(struct json *j, const char *key, int64_t v)
{
	json_fixed(j, key, v, 0, 0);
}

void json_ms(struct json *j, const char *key, ns_t ns)
{
	json_fixed(j, key, ns, 6, 6);
}

static void put_number(struct json *j, const char *key, char kind, int64_t v)
{
	unsigned decimals = kind == 'd' ? 0 : kind == 'm' ? 6 : (unsigned)(kind - '0');

	json_fixed(j, key, v, kind == 'd' || kind == 'm' ? decimals : 9, decimals);
}

void json_put(struct json *j, const char *format, ...)
{
	struct slice rest = slice_of(format);
	va_list args;

	va_start(args, format);
	while (rest.n > 0) {
		char name[48];
		struct text key;
		struct slice word = slice_cut(&rest, ' ');

		text_init(&key, name, sizeof(name));
		text_slice(&key, slice_until(&word, ":{}[]"));
		if (word.p[0] != ':')
			put_bracket(j, key.len > 0 ? name : NULL, word.p[0]);
		else if (word.p[1] == 's')
			json_word(j, name, va_arg(args, const char *));
		else if (word.p[1] == 'a')
			json_address(j, name, va_arg(args, const struct addr *));
		else if (word.p[1] == 'b')
			json_bool(j, name, va_arg(args, int));
		else
			put_number(j, name, word.p[1], va_arg(args, int64_t));
	}
	va_end(args);
}

#define SPACE " \t\n\r"

static bool take(struct slice *s, char c)
{
	slice_while(s, SPACE);
	if (slice_first(*s) != c)
		return false;
	slice_skip(s, 1);
	return true;
}

/* The inside of a string whose opening quote is taken. */
static bool take_string(struct slice *s, struct slice *ret)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->p[i] == '\\') {
			i++;
		} else if (s->p[i] == '"') {
			*ret = slice_head(*s, i);
			slice_skip(s, i + 1);
			return true;
		}
	}
	return false;
}

/* To the comma or the brace behind the value; a string that does not end takes everything. */
static void skip_value(struct slice *s)
{
	size_t depth = 0;
	struct slice ignored;

	while (s->n > 0) {
		char c = s->p[0];

		if (depth == 0 && (c == ',' || c == '}' || c == ']'))
			return;
		if (c == '{' || c == '[')
			depth++;
		if (c == '}' || c == ']')
			depth--;
		slice_skip(s, 1);
		if (c == '"' && !take_string(s, &ignored))
			s->n = 0;
	}
}

/* What stands behind the first `"key":` of the outermost object. */
static bool find(struct slice *s, const char *key)
{
	struct slice name;

	if (!take(s, '{'))
		return false;
	for (;;) {
		if (!take(s, '"') || !take_string(s, &name) || !take(s, ':'))
			return false;
		if (slice_is(name, key))
			return true;
		skip_value(s);
		if (!take(s, ','))
			return false;
	}
}

bool json_find_uint(struct slice doc, const char *key, uint64_t *ret)
{
	if (!find(&doc, key))
		return false;
	slice_while(&doc, SPACE);

	struct slice digits = slice_while(&doc, "0123456789");

	/* a document cut inside the number ends with it */
	return slice_has_any(slice_head(doc, 1), SPACE ",}.eE") && slice_uint(digits, ret);
}

bool json_find_string(struct slice doc, const char *key, struct slice *ret)
{
	return find(&doc, key) && take(&doc, '"') && take_string(&doc, ret);
}
