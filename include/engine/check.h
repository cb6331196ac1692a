/* SPDX-License-Identifier: MIT */
/* What a check is made of: its phases, its figures, its verdict and its exit code. */
#ifndef ENGINE_CHECK_H
#define ENGINE_CHECK_H

#include "core/expect.h"
#include "core/result.h"

enum check_phase { CHECK_PING, CHECK_DOWNLOAD, CHECK_UPLOAD, CHECK_BOTH, CHECK_DONE };

/* Bits of --only, in the order of its words. */
enum { CHECK_ONLY_PING = 1, CHECK_ONLY_DOWNLOAD = 2, CHECK_ONLY_UPLOAD = 4, CHECK_ONLY_BOTH = 8 };

/* What is done where nothing is said: one direction after the other. */
#define CHECK_USUAL (CHECK_ONLY_PING | CHECK_ONLY_DOWNLOAD | CHECK_ONLY_UPLOAD)

extern const char *const check_only_words[];

/* The first phase from @from on whose bit is in @wanted. */
enum check_phase check_phase_from(enum check_phase from, unsigned wanted);

/* The figures that --expect may bound, ended by a NULL name. */
extern const struct expect_figure check_figures[];
extern const struct expect_figure ping_figures[];

/* UNKNOWN where it was not measured. */
int64_t check_figure(const struct check_result *r, size_t figure);
int64_t ping_figure(const struct ping_result *r, size_t figure);

/**
 * check_exit_code() - 0 measured, 1 nothing measured or something that was asked for by name was not, 4 an expectation missed
 * @missed:  of the expectations, at least one was not met
 */
int check_exit_code(const struct check_result *r, unsigned only, bool missed);

/* The increase of the latency and its grade, the responsiveness and its rating: from what was measured. */
void check_conclude(struct check_result *r);

/* One sentence for people: what the load does to the latency, and what that means. Appends nothing where it cannot be told. */
void check_verdict(struct text *t, const struct check_result *r);

#endif
