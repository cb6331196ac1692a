/* SPDX-License-Identifier: MIT */
/* A check, for programs. For eyes: out/check_text.h. */
#ifndef OUT_CHECK_H
#define OUT_CHECK_H

#include "core/expect.h"
#include "core/result.h"

/* All of a phase. */
#define CHECK_WHOLE 1000

/* A moment of a phase. */
struct check_moment {
	const char *phase;
	int64_t bits_per_second, up_bits_per_second; /* UNKNOWN; the second one where both directions are loaded */
	ns_t elapsed, rtt;                           /* the latest round trip, UNKNOWN before there is one */
	unsigned loads, done; /* for eyes: directions under load, 0..2; how much of CHECK_WHOLE is over */
};

/* A line of NDJSON. */
void check_ndjson_progress(struct text *t, const struct check_moment *m);

/* One expectation, judged. */
struct check_expectation {
	const char *text;
	enum expect_unit unit;
	bool met;
	int64_t value; /* in the figure's unit: bit/s, ns, ppm; UNKNOWN */
};

/* The document, one line. */
void check_json(struct text *t, const struct check_result *r, const struct check_expectation *v, size_t n);
void check_csv(struct text *t, const struct check_result *r);
void check_prom(struct text *t, const struct check_result *r);

#endif
