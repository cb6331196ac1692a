/* SPDX-License-Identifier: MIT */
/* A check, for eyes. */
#ifndef OUT_CHECK_TEXT_H
#define OUT_CHECK_TEXT_H

#include "out/check.h"

/* What is being measured, then one block a phase, each written when it is known. */
void check_text_start(struct text *t, const struct check_result *r);
void check_text_ping(struct text *t, const struct ping_result *p, const char *label);
void check_text_flow(struct text *t, const struct flow_result *f, const char *label);

/* For -v: counts, connections, TCP. */
void check_text_details(struct text *t, const struct flow_result *f);

/* What the load does to the latency, as a grade, and the responsiveness; nothing where it is not known. */
void check_text_conclusions(struct text *t, const struct check_result *r);

/* `    label  ` up to the column where the figures begin. */
void check_text_label(struct text *t, const char *label);

#endif
