/* SPDX-License-Identifier: MIT */
#include "core/units.h"

#define PREFIXES 4 /* kilo, mega, giga, tera; kibi, mebi, gibi, tebi */

struct unit {
	char name[4];
	int64_t one;
};

static const struct unit times[] = {
	{ "h", 3600 * NS_PER_S },
	{ "min", 60 * NS_PER_S },
	{ "s", NS_PER_S },
	{ "ms", NS_PER_MS },
	{ "us", NS_PER_US },
	{ "ns", 1 },
};

#define N_TIMES (sizeof(times) / sizeof(times[0]))

struct number {
	bool negative;
	struct slice whole, fraction, unit;
};

static struct slice take_digits(struct slice *s)
{
	size_t n = 0;

	while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9')
		n++;
	struct slice digits = slice_head(*s, n);
	*s = slice_from(*s, n);
	return digits;
}

static bool take_char(struct slice *s, char c)
{
	bool found = s->n > 0 && s->p[0] == c;

	*s = slice_from(*s, found);
	return found;
}

static bool split(struct slice s, struct number *n)
{
	n->negative = take_char(&s, '-');
	n->whole = take_digits(&s);
	bool point = take_char(&s, '.');
	n->fraction = point ? take_digits(&s) : slice_head(s, 0);
	n->unit = slice_trim(s);
	return point ? n->fraction.n > 0 : n->whole.n > 0;
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

/* @one_of gives what a unit is worth, 0 for none; half of an indivisible one is nothing that can be meant. */
static const char *read_number(
	struct slice s, int64_t (*one_of)(struct slice), const char *no, int64_t lo, int64_t hi, int64_t *ret)
{
	struct number n;
	int64_t one = split(s, &n) ? one_of(n.unit) : 0;
	int64_t v = 0;

	if (one == 0 || (one == 1 && n.fraction.n > 0))
		return no;
	bool fits = evaluate(&n, one, &v);
	if (fits ? v < lo : n.negative)
		return "is too small";
	if (!fits || v > hi)
		return "is too large";
	*ret = v;
	return NULL;
}

static int64_t time_unit(struct slice name)
{
	if (name.n == 0)
		return NS_PER_S;
	if (slice_eq(name, SLICE("m")))
		return 60 * NS_PER_S;
	for (size_t i = 0; i < N_TIMES; i++)
		if (slice_eq(name, slice_of(times[i].name)))
			return times[i].one;
	return 0;
}

/* What the prefix at the front is worth, 1 for none, and @unit without it. */
static int64_t take_prefix(struct slice *unit, bool may_be_binary)
{
	size_t power = 0;
	int64_t base = 1000;
	int64_t one = 1;

	if (take_char(unit, 'k'))
		power = 1;
	for (size_t i = 0; power == 0 && i < PREFIXES; i++)
		if (take_char(unit, "KMGT"[i]))
			power = i + 1;
	if (power > 0 && may_be_binary && take_char(unit, 'i'))
		base = 1024;
	while (power-- > 0)
		one *= base;
	return one;
}

/* Nothing, or one of the words. */
static bool is_named(struct slice unit, struct slice words)
{
	while (unit.n > 0 && words.n > 0)
		if (slice_eq(unit, slice_cut(&words, ' ')))
			return true;
	return unit.n == 0;
}

static int64_t size_unit(struct slice unit)
{
	int64_t one = take_prefix(&unit, true);

	return is_named(unit, SLICE("B byte bytes")) ? one : 0;
}

static int64_t rate_unit(struct slice unit)
{
	int64_t one = take_prefix(&unit, false);

	return is_named(unit, SLICE("bit bit/s bps")) ? one : 0;
}

static int64_t no_unit(struct slice unit)
{
	return unit.n == 0;
}

static int64_t ratio_unit(struct slice unit)
{
	if (slice_eq(unit, SLICE("%")))
		return 10000;
	return unit.n == 0 ? 1000000 : 0;
}

const char *units_duration(struct slice s, ns_t lo, ns_t hi, ns_t *ret)
{
	return read_number(s, time_unit, "is not a duration", lo, hi, ret);
}

const char *units_size(struct slice s, int64_t lo, int64_t hi, int64_t *ret)
{
	return read_number(s, size_unit, "is not a size", lo, hi, ret);
}

const char *units_rate(struct slice s, int64_t lo, int64_t hi, int64_t *ret)
{
	return read_number(s, rate_unit, "is not a rate", lo, hi, ret);
}

const char *units_count(struct slice s, int64_t lo, int64_t hi, int64_t *ret)
{
	return read_number(s, no_unit, "is not a whole number", lo, hi, ret);
}

const char *units_ratio(struct slice s, int64_t lo, int64_t hi, int64_t *ret_ppm)
{
	return read_number(s, ratio_unit, "is not a percentage", lo, hi, ret_ppm);
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

	text_uint(t, tenths / 10);
	if (tenths % 10 > 0 || even_zero) {
		text_char(t, '.');
		text_uint(t, tenths % 10);
	}
}

static bool is_whole_tenths(uint64_t v, uint64_t one)
{
	return v % one * 10 % one == 0;
}

/*
 * The largest unit that shows at least 1 after rounding (59.96 s is 1 min); a smaller one where
 * that says exactly what it is in four digits (100 s and not 1.7 min).
 */
static size_t time_for(uint64_t ns)
{
	size_t largest = 0;

	while (largest < N_TIMES - 1 && ns < (uint64_t)(times[largest].one - times[largest + 1].one / 20))
		largest++;
	for (size_t i = largest; i < N_TIMES; i++) {
		uint64_t one = (uint64_t)times[i].one;

		if (ns / one < 10000 && is_whole_tenths(ns, one))
			return i;
	}
	return largest;
}

void units_put_duration(struct text *t, ns_t ns)
{
	uint64_t v = put_sign(t, ns);
	const struct unit *u = &times[time_for(v)];

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

static void put_decimal(struct text *t, int64_t v, const char *unit)
{
	uint64_t one;
	uint64_t n = put_sign(t, v);
	size_t power = prefix_for(n, 1000, &one);

	put_tenths(t, n, one, power > 0);
	text_char(t, ' ');
	if (power > 0)
		text_char(t, "kMGT"[power - 1]);
	text_str(t, unit);
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
	size_t power = prefix_for(bytes, 1024, &one);

	if (power == 0 || (bytes < 100000 && !is_whole_tenths(bytes, one))) {
		text_uint(t, bytes);
		text_str(t, bytes == 1 ? " byte" : " bytes");
		return;
	}
	put_tenths(t, bytes, one, false);
	text_char(t, ' ');
	text_char(t, "KMGT"[power - 1]);
	text_str(t, "iB");
}

void units_put_percent(struct text *t, int64_t ppm)
{
	unsigned decimals = 4;

	for (int64_t v = ppm; decimals > 0 && v % 10 == 0; v /= 10)
		decimals--;
	text_fixed(t, ppm, 4, decimals);
	text_char(t, '%');
}

static void put_two(struct text *t, int64_t v, char after)
{
	text_char(t, (char)('0' + v / 10));
	text_char(t, (char)('0' + v % 10));
	text_char(t, after);
}

/* Years that begin in March have their leap day last, so that days and months follow by division alone. */
void units_put_utc(struct text *t, int64_t wall_s)
{
	int64_t days = wall_s / 86400 + 719468, rest = wall_s % 86400;
	int64_t era = days / 146097, of_era = days % 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;
	int64_t day = of_year - (153 * month + 2) / 5 + 1;

	text_int(t, era * 400 + year + (month >= 10));
	text_char(t, '-');
	put_two(t, month < 10 ? month + 3 : month - 9, '-');
	put_two(t, day, 'T');
	put_two(t, rest / 3600, ':');
	put_two(t, rest / 60 % 60, ':');
	put_two(t, rest % 60, 'Z');
}
