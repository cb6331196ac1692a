/* SPDX-License-Identifier: MIT */
/*
 * Append-only text in a buffer of the caller's. Overflow is sticky: write freely, look at `cut`
 * once. Numbers are formatted by integers alone: no locale, no floating point.
 */
#ifndef CORE_TEXT_H
#define CORE_TEXT_H

#include <stdarg.h>

#include "core/slice.h"

struct text {
	char *p; /* always NUL-terminated */
	size_t cap;
	size_t len;
	bool cut; /* something did not fit; what fits is there */
};

/* @cap counts the terminating NUL and is at least 1. */
void text_init(struct text *t, char *buf, size_t cap);

void text_char(struct text *t, char c);
void text_str(struct text *t, const char *s);
void text_slice(struct text *t, struct slice s);
void text_uint(struct text *t, uint64_t v);
void text_int(struct text *t, int64_t v);

/* Digits to @base, up to 16 and in lower case, with leading zeros where there are fewer than @at_least. */
void text_digits(struct text *t, uint64_t v, unsigned base, unsigned at_least);

/**
 * text_fixed() - A decimal fraction from an integer
 * @v:         the value times 10^@scale
 * @scale:     0..18
 * @decimals:  digits after the point, 0..@scale; rounded half away from zero
 */
void text_fixed(struct text *t, int64_t v, unsigned scale, unsigned decimals);

/* Spaces until the current line holds at least @column characters. */
void text_pad(struct text *t, size_t column);

/* For a terminal: control bytes, DEL and bytes that are not valid UTF-8 become \xNN. */
void text_safe(struct text *t, struct slice s);

/**
 * text_put() - A sentence
 * @format:  written as it stands, but for these, which each take an argument of exactly this type:
 *
 *	%s  const char *   made safe for a terminal, as text_safe()
 *	%v  struct slice   the same
 *	%q  struct slice   the same in single quotes, cut with ... past 80 bytes
 *	%d  int64_t        a whole number
 *	%m  int64_t        nanoseconds as units_put_ms(); - where UNKNOWN
 *	%t  int64_t        nanoseconds as units_put_duration()
 *	%p  int64_t        parts per million as units_put_percent(); - where UNKNOWN
 *	%b  int64_t        bits a second as units_put_bitrate()
 *	%%                 a percent sign
 */
void text_put(struct text *t, const char *format, ...);
void text_put_args(struct text *t, const char *format, va_list args);

static inline struct slice text_view(const struct text *t)
{
	return (struct slice){ t->p, t->len };
}

#endif
