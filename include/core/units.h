/* SPDX-License-Identifier: MIT */
/*
 * Numbers with units, read and written. The decimal separator is a point in every locale.
 */
#ifndef CORE_UNITS_H
#define CORE_UNITS_H

#include "core/ns.h"
#include "core/text.h"

enum units_kind {
	UNITS_COUNT,    /* a whole number */
	UNITS_DURATION, /* ns: `500ms`, `1.5m` or `1.5min`, `2h`, `20us`; a bare number is seconds, as in ping(8) */
	UNITS_SIZE,     /* bytes: `1500`, `64KiB`, `10MB`; K M G T decimal, Ki Mi Gi Ti binary, k as K, B at will */
	UNITS_RATE,     /* bit/s: `100M`, `2.5G`, `64k`, `100Mbit`, `100Mbit/s`, `100Mbps`; decimal prefixes */
	UNITS_RATIO,    /* parts per million: `1%`, `0.5%`, or a fraction, `0.01` */
	UNITS_N,
};

/**
 * units_read() - Read a whole slice as a number
 * @lo, @hi:  what it may be
 * @ret:      written only on success
 *
 * A blank may stand before the unit, so that whatever units_put_* prints can be typed back in.
 * Return: NULL, or the reason: "is not a duration", "is too small", "is too large".
 */
const char *units_read(struct slice s, enum units_kind kind, int64_t lo, int64_t hi, int64_t *ret);

/* As one of these below; UNITS_COUNT as it is. */
void units_put(struct text *t, enum units_kind kind, int64_t v);

/* `12.345`: milliseconds with three decimals. */
void units_put_ms(struct text *t, ns_t ns);

/* `20 ms`, `1.5 s`, `2 min`, `100 s`: at most one decimal and exact where possible, for prose and for ranges. */
void units_put_duration(struct text *t, ns_t ns);

/* `941.2 Mbit/s, 117.6 MB/s`: one decimal, decimal prefixes. */
void units_put_rate(struct text *t, int64_t bits_per_second);

/* `941.2 Mbit/s` alone. */
void units_put_bitrate(struct text *t, int64_t bits_per_second);

/* `64 KiB`, `1.5 GiB`, `12 bytes`: binary prefixes, at most one decimal; below 100000 always exact. */
void units_put_size(struct text *t, uint64_t bytes);

/* `2026-01-31T12:00:00Z` (RFC 3339) from seconds since 1970, UTC. */
void units_put_utc(struct text *t, int64_t wall_s);

/* `0%`, `2.5%`, `0.01%`: from parts per million, without trailing zeros. */
void units_put_percent(struct text *t, int64_t ppm);

#endif
