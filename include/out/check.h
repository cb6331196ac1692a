/* SPDX-License-Identifier: MIT */
/* A check, for eyes and for programs. */
#ifndef OUT_CHECK_H
#define OUT_CHECK_H

#include "core/expect.h"
#include "core/result.h"

/* Text: what is being measured, then one block a phase, each written when it is known. */
void check_text_start(struct text *t, const struct check_result *r);
void check_text_ping(struct text *t, const struct ping_result *p, const char *label);
void check_text_flow(struct text *t, const struct flow_result *f, const char *label);

/* For -v: counts, connections, TCP. */
void check_text_details(struct text *t, const struct flow_result *f);

/* `    label  ` up to the column where the figures begin. */
void check_text_label(struct text *t, const char *label);

/* A moment of a transfer: `download  941.2 Mbit/s  2.1 s  ping 1.204 ms`; @rtt may be UNKNOWN. Ends no line. */
void check_text_progress(struct text *t, const char *label, int64_t bits_per_second, ns_t elapsed, ns_t rtt);

/* The same as a line of NDJSON. */
void check_ndjson_progress(struct text *t, const char *phase, int64_t bits_per_second, ns_t elapsed, ns_t rtt);

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
