/* SPDX-License-Identifier: MIT */
/* What becomes of a target over a long time, a line now and then: for a log, where nobody looks at a table. */
#ifndef OUT_DIARY_H
#define OUT_DIARY_H

#include "core/hist.h"
#include "core/ping_event.h"
#include "out/spark.h"

/* Losses one behind another that make a target silent. */
#define DIARY_SILENT 3

/* Of one target; zeroed, but for `heard`: when the watch began. */
struct diary {
	struct spark spark;
	ns_t heard;         /* when it answered last */
	int64_t sent, lost; /* up to the last line */
	bool silent;
};

enum diary_change { DIARY_NONE, DIARY_SILENCE, DIARY_RETURN };

/* A probe was decided. Return: what that changes; *ret_silence gets how long it has not been heard. */
enum diary_change diary_event(struct diary *d, const struct ping_event *e, ns_t now, ns_t *ret_silence);

/* `2026-01-31T12:00:00Z host: silent for 3 s (Connection refused)`, `…: answers again after 12 s`. */
void diary_put_change(struct text *t, int64_t wall_s, const char *target, enum diary_change c, ns_t silence, const char *why);

/**
 * diary_put_line() - What happened since the last line: `…Z host: 10 sent, 1 lost, p50 0.043 p99 0.061 ms`
 * @r:     all counts so far
 * @rtts:  the round trips since; NULL where they are not kept
 */
void diary_put_line(struct diary *d, struct text *t, int64_t wall_s, const struct ping_result *r, const struct hist *rtts);

#endif
