/* SPDX-License-Identifier: MIT */
#include "core/text_put.h"

#include "core/units.h"

#define QUOTE_MAX 80

/* As %q and as %v; cut between two characters, by what is shown. */
static void put_slice(struct text *t, struct slice s, bool quoted)
{
	size_t end = t->len + QUOTE_MAX;

	if (!quoted) {
		text_safe(t, s);
		return;
	}
	text_char(t, '\'');
	while (s.n > 0 && t->len <= end)
		slice_skip(&s, text_safe_one(t, s));
	text_str(t, s.n > 0 ? "...'" : "'");
}

static void put_number(struct text *t, char directive, int64_t v)
{
	if (directive == 'd')
		text_int(t, v);
	else if (directive == 't')
		units_put_duration(t, v);
	else if (directive == 'b')
		units_put_bitrate(t, v);
	else if (v == UNKNOWN)
		text_char(t, '-');
	else if (directive == 'm')
		units_put_ms(t, v);
	else
		units_put_percent(t, v);
}

/* What stands before the next directive, as it is. Return: that directive's letter; NUL at the end. */
static char put_plain(struct text *t, struct slice *format)
{
	struct slice plain = slice_head(*format, slice_find(*format, '%'));

	text_slice(t, plain);
	slice_skip(format, plain.n);
	if (format->n == 0)
		return '\0';
	char directive = format->p[1];

	slice_skip(format, 2);
	return directive;
}

void text_put_args(struct text *t, const char *format, va_list args)
{
	struct slice rest = slice_of(format);

	for (char c; (c = put_plain(t, &rest)) != '\0';) {
		if (c == '%')
			text_char(t, '%');
		else if (c == 's')
			text_safe(t, slice_of(va_arg(args, const char *)));
		else if (c == 'a')
			addr_put(t, va_arg(args, const struct addr *));
		else if (c == 'q' || c == 'v')
			put_slice(t, va_arg(args, struct slice), c == 'q');
		else
			put_number(t, c, va_arg(args, int64_t));
	}
}

void text_put(struct text *t, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text_put_args(t, format, args);
	va_end(args);
}
