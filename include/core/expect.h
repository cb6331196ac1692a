/* SPDX-License-Identifier: MIT */
/* `--expect`: a bound on a measured figure, and whether it held. */
#ifndef CORE_EXPECT_H
#define CORE_EXPECT_H

#include "core/fault.h"
#include "core/units.h"

enum expect_unit {
	EXPECT_COUNT = UNITS_COUNT,
	EXPECT_TIME = UNITS_DURATION,
	EXPECT_RATE = UNITS_RATE,
	EXPECT_RATIO = UNITS_RATIO,
};

enum expect_op { EXPECT_LT, EXPECT_LE, EXPECT_GT, EXPECT_GE };

/* A figure that may be bounded: the command has a table of these, ended by a NULL name. */
struct expect_figure {
	const char *name; /* "download", "loss", "rtt.p99" */
	enum expect_unit unit;
};

struct expect {
	const char *text; /* as written */
	size_t figure;    /* row in the table */
	enum expect_op op;
	int64_t bound; /* bit/s, ns, ppm or a count, after the figure's unit */
};

enum expect_verdict { EXPECT_MET, EXPECT_MISSED, EXPECT_UNMEASURED };

/**
 * expect_parse() - Read `NAME OP VALUE` with OP one of < <= > >= and spaces allowed around it
 * @s:      `download>=100M`, `rtt.p99 < 20ms`, `loss<1%`
 * @table:  the figures of this command
 * @why:    FAULT_USAGE; an unknown name gets the nearest, and the list, as hints
 */
bool expect_parse(const char *s, const struct expect_figure *table, struct expect *ret, struct fault *why);

/* @value in the figure's unit, or UNKNOWN, which is never met. */
enum expect_verdict expect_judge(const struct expect *e, int64_t value);

/* `download>=100M: missed, 94.1 Mbit/s is 5.9 Mbit/s too low`; says so when met or not measured too. */
void expect_put(struct text *t, const struct expect *e, const struct expect_figure *table, int64_t value);

#endif
