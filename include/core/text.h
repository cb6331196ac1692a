/* SPDX-License-Identifier: MIT */
/*
 * Append-only text in a buffer of the caller's. Overflow is sticky: write freely, look at `cut`
 * once. Numbers are formatted by integers alone: no locale, no floating point.
 */
#ifndef CORE_TEXT_H
#define CORE_TEXT_H

#include "core/slice.h"

struct text {
	char *p; /* always NUL-terminated */
	size_t cap;
	size_t len;
	bool cut; /* something did not fit; what fits is there */
};

/* @cap counts the terminating NUL and is at least 1. A call everywhere: in its place it would be twice as long. */
__attribute__((noinline)) void text_init(struct text *t, char *buf, size_t cap);

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

/* The first character of @s so, or byte where it begins with none. Return: bytes of @s used; @s is not empty. */
size_t text_safe_one(struct text *t, struct slice s);

static inline struct slice text_view(const struct text *t)
{
	return (struct slice){ t->p, t->len };
}

#endif
