/* SPDX-License-Identifier: MIT */
#include "core/units.h"

#define DIGITS "0123456789"
#define PREFIXES 4 /* kilo, mega, giga, tera; kibi, mebi, gibi, tebi */

static const struct unit {
	char name[6];
	uint8_t kind;
	int64_t one;
} units[] = {
	{ "h", UNITS_DURATION, 3600 * NS_PER_S },
	{ "min", UNITS_DURATION, 60 * NS_PER_S },
	{ "s", UNITS_DURATION, NS_PER_S },
	{ "ms", UNITS_DURATION, NS_PER_MS },
	{ "us", UNITS_DURATION, NS_PER_US },
	{ "ns", UNITS_DURATION, 1 },
	{ "m", UNITS_DURATION, 60 * NS_PER_S }, /* from here on for reading alone */
	{ "", UNITS_DURATION, NS_PER_S },
	{ "%", UNITS_RATIO, 10000 },
	{ "", UNITS_RATIO, 1000000 },
	{ "B", UNITS_SIZE, 1 }, /* these behind a prefix */
	{ "byte", UNITS_SIZE, 1 },
	{ "bytes", UNITS_SIZE, 1 },
	{ "bit", UNITS_RATE, 1 },
	{ "bit/s", UNITS_RATE, 1 },
	{ "bps", UNITS_RATE, 1 },
};

#define N_UNITS (sizeof(units) / sizeof(units[0]))
#define SMALLEST_TIME 5 /* the row of ns */

struct number {
	bool negative;
	struct slice whole, fraction, unit;
};

static bool split(struct slice s, struct number *n)
{
	size_t signs = slice_while(&s, "-").n;
	n->whole = slice_while(&s, DIGITS);
	size_t points = slice_while(&s, ".").n;
	n->fraction = slice_while(&s, points > 0 ? DIGITS : "");
	n->unit = slice_trim(s);
	n->negative = signs > 0;
	return signs < 2 && points < 2 && (points > 0 ? n->fraction.n : n->whole.n) > 0;
}

/*
 * The fraction is folded from its last digit, so that any number of digits is exact in 64 bits:
 * what is carried stays below @one. What lies below the smallest unit is dropped.
 */
static bool evaluate(const struct number *n, int64_t one, int64_t *ret)
{
	int64_t part = 0;
	uint64_t whole = 0;

	for (size_t i = n->fraction.n; i-- > 0;)
		part = ((n->fraction.p[i] - '0') * one + part) / 10;
	if (n->whole.n > 0 && !slice_uint(n->whole, &whole))
		return false;
	if (whole > (uint64_t)((INT64_MAX - part) / one))
		return false;
	int64_t v = (int64_t)whole * one + part;
	*ret = n->negative ? -v : v;
	return true;
}

/* What the prefix at the front is worth, 1 for none, and @name without it. */
static int64_t take_prefix(struct slice *name, bool may_be_binary)
{
	char c = slice_first(*name);
	size_t power = slice_find(SLICE("KMGT"), c == 'k' ? 'K' : c) + 1;
	int64_t base = 1000, one = 1;

	if (power > PREFIXES)
		return 1;
	slice_skip(name, 1);
	if (may_be_binary && slice_first(*name) == 'i') {
		slice_skip(name, 1);
		base = 1024;
	}
	while (power-- > 0)
		one *= base;
	return one;
}

/* What a unit is worth, 0 where it is none. Left out where the table does not say otherwise it is 1. */
static int64_t unit_of(enum units_kind kind, struct slice name)
{
	bool prefixed = kind == UNITS_SIZE || kind == UNITS_RATE;
	int64_t prefix = prefixed ? take_prefix(&name, kind == UNITS_SIZE) : 1;

	for (size_t i = 0; i < N_UNITS; i++)
		if (units[i].kind == kind && slice_is(name, units[i].name))
			return prefix * units[i].one;
	return name.n == 0 ? prefix : 0;
}

/* Half of an indivisible unit is nothing that can be meant. */
const char *units_read(struct slice s, enum units_kind kind, int64_t lo, int64_t hi, int64_t *ret)
{
	static const char no[] = /* in the order of enum units_kind */
		"is not a whole number\0is not a duration\0is not a size\0is not a rate\0is not a percentage";
	struct number n;
	int64_t one = split(s, &n) ? unit_of(kind, n.unit) : 0;
	int64_t v = 0;

	if (one == 0 || (one == 1 && n.fraction.n > 0))
		return slice_word(no, kind);
	bool fits = evaluate(&n, one, &v);
	if (fits ? v < lo : n.negative)
		return "is too small";
	if (!fits || v > hi)
		return "is too large";
	*ret = v;
	return NULL;
}

void units_put_ms(struct text *t, ns_t ns)
{
	text_fixed(t, ns, 6, 3);
}

static uint64_t put_sign(struct text *t, int64_t v)
{
	if (v < 0)
		text_char(t, '-');
	return v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
}

static void put_tenths(struct text *t, uint64_t v, uint64_t one, bool even_zero)
{
	uint64_t tenths = v / one * 10 + (v % one * 10 + one / 2) / one;

	text_fixed(t, (int64_t)tenths, 1, even_zero || tenths % 10 > 0);
}

static bool is_whole_tenths(uint64_t v, uint64_t one)
{
	return v % one * 10 % one == 0;
}

/*
 * The largest unit that shows at least 1 after rounding (59.96 s is 1 min); a smaller one where
 * that says exactly what it is in four digits (100 s and not 1.7 min).
 */
static const struct unit *time_for(uint64_t ns)
{
	const struct unit *largest = units, *last = &units[SMALLEST_TIME];

	while (largest < last && ns < (uint64_t)(largest[0].one - largest[1].one / 20))
		largest++;
	for (const struct unit *u = largest; u <= last; u++)
		if (ns / (uint64_t)u->one < 10000 && is_whole_tenths(ns, (uint64_t)u->one))
			return u;
	return largest;
}

void units_put_duration(struct text *t, ns_t ns)
{
	uint64_t v = put_sign(t, ns);
	const struct unit *u = time_for(v);

	put_tenths(t, v, (uint64_t)u->one, false);
	text_char(t, ' ');
	text_str(t, v > 0 ? u->name : "s");
}

/* How many prefixes up @v stays at or above 1, after rounding to tenths; @one is what the unit is worth. */
static size_t prefix_for(uint64_t v, uint64_t base, uint64_t *one)
{
	size_t power = 0;

	for (*one = 1; power < PREFIXES && v >= *one * base - *one / 20; power++)
		*one *= base;
	return power;
}

static void put_prefixed(struct text *t, uint64_t v, uint64_t base, const char *letters, const char *unit)
{
	uint64_t one;
	size_t power = prefix_for(v, base, &one);

	put_tenths(t, v, one, power > 0 && base == 1000);
	text_char(t, ' ');
	if (power > 0)
		text_char(t, letters[power - 1]);
	text_str(t, unit);
}

static void put_decimal(struct text *t, int64_t v, const char *unit)
{
	put_prefixed(t, put_sign(t, v), 1000, "kMGT", unit);
}

void units_put_bitrate(struct text *t, int64_t bits_per_second)
{
	put_decimal(t, bits_per_second, "bit/s");
}

void units_put_rate(struct text *t, int64_t bits_per_second)
{
	units_put_bitrate(t, bits_per_second);
	text_str(t, ", ");
	put_decimal(t, bits_per_second / 8, "B/s");
}

void units_put_size(struct text *t, uint64_t bytes)
{
	uint64_t one;

	if (prefix_for(bytes, 1024, &one) == 0 || (bytes < 100000 && !is_whole_tenths(bytes, one))) {
		text_uint(t, bytes);
		text_str(t, bytes == 1 ? " byte" : " bytes");
	} else {
		put_prefixed(t, bytes, 1024, "KMGT", "iB");
	}
}

void units_put_percent(struct text *t, int64_t ppm)
{
	unsigned decimals = 4;

	for (int64_t v = ppm; decimals > 0 && v % 10 == 0; v /= 10)
		decimals--;
	text_fixed(t, ppm, 4, decimals);
	text_char(t, '%');
}

void units_put(struct text *t, enum units_kind kind, int64_t v)
{
	switch (kind) {
	case UNITS_DURATION:
		units_put_duration(t, v);
		return;
	case UNITS_SIZE:
		units_put_size(t, (uint64_t)v);
		return;
	case UNITS_RATE:
		units_put_bitrate(t, v);
		return;
	case UNITS_RATIO:
		units_put_percent(t, v);
		return;
	default:
		text_int(t, v);
	}
}

/* Of the month that is so many after January 1970. */
static unsigned days_of(unsigned months)
{
	static const char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	unsigned year = 1970 + months / 12, month = months % 12;
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return month == 1 && leap ? 29 : (unsigned)days[month];
}

void units_put_utc(struct text *t, int64_t wall_s)
{
	unsigned days = (unsigned)(wall_s / 86400), seconds = (unsigned)(wall_s % 86400);
	unsigned months = 0;

	for (; days >= days_of(months); months++)
		days -= days_of(months);

	const unsigned parts[] = { months % 12 + 1, days + 1, seconds / 3600, seconds / 60 % 60, seconds % 60 };

	text_uint(t, 1970 + months / 12);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		text_char(t, "--T::"[i]);
		text_digits(t, parts[i], 10, 2);
	}
	text_char(t, 'Z');
}
