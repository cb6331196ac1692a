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

void text_put_args(struct text *t, const char *format, va_list args)
{
	for (; *format != '\0'; format++) {
		if (*format != '%' || *++format == '%')
			text_char(t, *format);
		else if (*format == 's')
			text_safe(t, slice_of(va_arg(args, const char *)));
		else if (*format == 'q' || *format == 'v')
			put_slice(t, va_arg(args, struct slice), *format == 'q');
		else
			put_number(t, *format, va_arg(args, int64_t));
	}
}

void text_put(struct text *t, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text_put_args(t, format, args);
	va_end(args);
}
