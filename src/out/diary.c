/* SPDX-License-Identifier: MIT */
#include "out/diary.h"

#include "core/text_put.h"
#include "core/units.h"

enum diary_change diary_event(struct diary *d, const struct ping_event *e, ns_t now, ns_t *ret_silence)
{
	bool silent = d->silent;

	*ret_silence = now - d->heard;
	spark_event(&d->spark, e);
	if (e->outcome == OUTCOME_REPLY) {
		d->heard = now;
		d->silent = false;
	} else if (spark_silent(&d->spark, DIARY_SILENT)) {
		d->silent = true;
	}
	return d->silent == silent ? DIARY_NONE : silent ? DIARY_RETURN : DIARY_SILENCE;
}

static void put_begin(struct text *t, int64_t wall_s, const char *target)
{
	units_put_utc(t, wall_s);
	text_put(t, " %s: ", target);
}

/* Of more than a second tenths are of no interest. */
static ns_t rough(ns_t v)
{
	return v < NS_PER_S ? v / NS_PER_MS * NS_PER_MS : v / NS_PER_S * NS_PER_S;
}

void diary_put_change(struct text *t, int64_t wall_s, const char *target, enum diary_change c, ns_t silence, const char *why)
{
	put_begin(t, wall_s, target);
	text_put(t, c == DIARY_SILENCE ? "silent for %t" : "answers again after %t", rough(silence));
	text_put(t, why ? " (%s)\n" : "\n", why);
}

void diary_put_line(struct diary *d, struct text *t, int64_t wall_s, const struct ping_result *r, const struct hist *rtts)
{
	/* Late answers take losses of an earlier line back. */
	int64_t lost = r->lost > d->lost ? r->lost - d->lost : 0;

	put_begin(t, wall_s, r->target);
	text_put(t, "%d sent, %d lost", r->sent - d->sent, lost);
	if (rtts && rtts->n > 0)
		text_put(t, ", p50 %m p99 %m ms", hist_quantile(rtts, 500), hist_quantile(rtts, 990));
	text_str(t, d->silent ? ", silent\n" : "\n");
	d->sent = r->sent;
	d->lost = r->lost;
}
