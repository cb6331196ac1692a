/* SPDX-License-Identifier: MIT */
#include "out/spark.h"

#include <string.h>

/* What a byte says: nothing yet, a loss, or the logarithm of a value in eighths of an octave. */
enum { NONE = 0, LOSS = 1, LEAST = 2 };

#define LEVELS 8

/* Two octaves: what differs by less does not fill the whole height. */
#define SPAN_MIN 16

/* Up to 2^8 all values are the same: nobody looks for differences below 256 ns. */
static uint8_t logarithm(int64_t v)
{
	unsigned octave = 8;

	if (v < 1 << 8)
		return LEAST;
	while (v >> octave > 1)
		octave++;
	unsigned code = LEAST + (octave - 8) * 8 + (unsigned)(v >> (octave - 3)) % 8;

	return (uint8_t)(code < UINT8_MAX ? code : UINT8_MAX);
}

void spark_add(struct spark *s, int64_t v)
{
	s->last = v;
	s->v[s->at] = v == UNKNOWN ? LOSS : logarithm(v);
	s->at = (uint8_t)((s->at + 1) % SPARK_MAX);
}

/* Where the byte is that was added @age before the newest. */
static size_t place(const struct spark *s, size_t age)
{
	return ((size_t)s->at + 2 * SPARK_MAX - 1 - age) % SPARK_MAX;
}

/* Which loss it was is not kept: the newest is right where answers are late by less than an interval. */
static void mend(struct spark *s, int64_t v)
{
	size_t age = 0;

	while (age < SPARK_MAX && s->v[place(s, age)] != LOSS)
		age++;
	if (age == SPARK_MAX)
		return;
	s->v[place(s, age)] = logarithm(v);
	if (age == 0)
		s->last = v;
}

void spark_event(struct spark *s, const struct ping_event *e)
{
	if (e->outcome == OUTCOME_LOST || e->outcome == OUTCOME_ERROR)
		spark_add(s, UNKNOWN);
	else if (e->outcome == OUTCOME_REPLY)
		spark_add(s, e->rtt);
	else if (e->outcome == OUTCOME_LATE)
		mend(s, e->rtt);
}

bool spark_any(const struct spark *s)
{
	return s->v[place(s, 0)] != NONE;
}

bool spark_silent(const struct spark *s, size_t n)
{
	for (size_t age = 0; age < n; age++)
		if (s->v[place(s, age)] != LOSS)
			return false;
	return true;
}

bool spark_has_loss(const struct spark *s)
{
	return memchr(s->v, LOSS, SPARK_MAX) != NULL;
}

/* One character: from the lowest bar to the highest. */
static void put_level(struct text *t, unsigned level, bool utf8)
{
	static const char blocks[] = "▁▂▃▄▅▆▇█", ascii[] = "_.-~=+*#";

	text_slice(t, utf8 ? (struct slice){ blocks + 3 * level, 3 } : (struct slice){ ascii + level, 1 });
}

/* The lowest and the highest value shown; the lowest is above the highest where there is none. */
static void range_of(const struct spark *s, size_t width, unsigned *ret_low, unsigned *ret_high)
{
	*ret_low = UINT8_MAX;
	*ret_high = 0;
	for (size_t age = 0; age < width; age++) {
		unsigned v = s->v[place(s, age)];

		*ret_low = v >= LEAST && v < *ret_low ? v : *ret_low;
		*ret_high = v > *ret_high ? v : *ret_high;
	}
}

/* What share of @high a value is, both of them logarithms: its eighth counts, halved for each octave between them. */
static unsigned share(unsigned v, unsigned high)
{
	unsigned octaves = (high - LEAST) / 8 - (v - LEAST) / 8;
	unsigned part = 8 + (v - LEAST) % 8, whole = 8 + (high - LEAST) % 8;

	if (v == LEAST || octaves >= LEVELS)
		return 0;
	unsigned level = (part * LEVELS >> octaves) / whole;

	return level < LEVELS ? level : LEVELS - 1;
}

static void put_all(struct text *t, const struct spark *s, size_t width, bool utf8, bool rates)
{
	unsigned low, high;

	range_of(s, width, &low, &high);
	unsigned span = high >= low + SPAN_MIN ? high - low + 1 : SPAN_MIN;

	for (size_t age = width; age-- > 0;) {
		unsigned v = s->v[place(s, age)];

		if (v < LEAST)
			text_char(t, v == LOSS ? 'x' : ' ');
		else
			put_level(t, rates ? share(v, high) : (v - low) * LEVELS / span, utf8);
	}
}

void spark_put(struct text *t, const struct spark *s, size_t width, bool utf8)
{
	put_all(t, s, width, utf8, false);
}

void spark_put_rates(struct text *t, const struct spark *s, size_t width, bool utf8)
{
	put_all(t, s, width, utf8, true);
}
