/* SPDX-License-Identifier: MIT */
#include "engine/check.h"

#include "core/text_put.h"
#include "engine/rpm.h"

const char *const check_only_words[] = { "ping", "download", "upload", "both", NULL };

const struct expect_figure check_figures[] = {
	{ "download", EXPECT_RATE },
	{ "upload", EXPECT_RATE },
	{ "loss", EXPECT_RATIO },
	{ "rtt", EXPECT_TIME },
	{ "rtt.p99", EXPECT_TIME },
	{ "jitter", EXPECT_TIME },
	{ "loaded", EXPECT_TIME },
	{ "loaded.p99", EXPECT_TIME },
	{ "rpm", EXPECT_COUNT },
	{ "loaded.loss", EXPECT_RATIO },
	{ NULL, EXPECT_COUNT },
};

const struct expect_figure ping_figures[] = {
	{ "loss", EXPECT_RATIO },
	{ "rtt", EXPECT_TIME },
	{ "rtt.p99", EXPECT_TIME },
	{ "rtt.max", EXPECT_TIME },
	{ "jitter", EXPECT_TIME },
	{ "received", EXPECT_COUNT },
	{ NULL, EXPECT_COUNT },
};

enum check_phase check_phase_from(enum check_phase from, unsigned wanted)
{
	while (from < CHECK_DONE && !(wanted & 1U << from))
		from++;
	return from;
}

/* UNKNOWN is below everything that can be measured, so the larger one is the known one. */
static int64_t worse(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

enum loaded_figure { LOADED_P50, LOADED_P99, LOADED_LOSS };

static int64_t pick(const struct ping_result *p, bool there, enum loaded_figure figure)
{
	const int64_t v[] = { p->rtt_p50, p->rtt_p99, p->loss_ppm };

	return there ? v[figure] : UNKNOWN;
}

static int64_t loaded(const struct check_result *r, enum loaded_figure figure)
{
	int64_t down = pick(&r->loaded_download, r->has_loaded_download, figure);
	int64_t up = pick(&r->loaded_upload, r->has_loaded_upload, figure);

	return worse(worse(down, up), pick(&r->loaded_both, r->has_loaded_both, figure));
}

int64_t check_figure(const struct check_result *r, size_t figure)
{
	const struct ping_result *p = &r->ping;

	switch (figure) {
	case 0:
		return r->download.bits_per_second;
	case 1:
		return r->upload.bits_per_second;
	case 6:
		return loaded(r, LOADED_P50);
	case 7:
		return loaded(r, LOADED_P99);
	case 8:
		return r->rpm;
	case 9:
		return loaded(r, LOADED_LOSS);
	default: {
		const int64_t idle[] = { p->loss_ppm, p->rtt_p50, p->rtt_p99, p->jitter };

		return r->has_ping ? idle[figure - 2] : UNKNOWN;
	}
	}
}

int64_t ping_figure(const struct ping_result *r, size_t figure)
{
	const int64_t v[] = { r->loss_ppm, r->rtt_p50, r->rtt_p99, r->rtt_max, r->jitter, r->received };

	return v[figure];
}

int check_exit_code(const struct check_result *r, unsigned only, bool missed)
{
	bool ping = r->has_ping && r->ping.received > 0;
	bool down = r->download.status == FLOW_OK, up = r->upload.status == FLOW_OK;
	bool both = r->has_both && r->both_download.status == FLOW_OK && r->both_upload.status == FLOW_OK;
	bool asked_in_vain = (only & CHECK_ONLY_PING && !ping) || (only & CHECK_ONLY_DOWNLOAD && !down) ||
			     (only & CHECK_ONLY_UPLOAD && !up) || (only & CHECK_ONLY_BOTH && !both);

	if (asked_in_vain || (!ping && !down && !up && !both))
		return 1;
	return missed ? 4 : 0;
}

/* How much a queue may grow before people notice: talk first, then games, then pages. */
static const char *effect_of(ns_t increase)
{
	if (increase < 5 * NS_PER_MS)
		return "calls and games will not notice";
	if (increase < 30 * NS_PER_MS)
		return "games may notice, calls will not";
	if (increase < 100 * NS_PER_MS)
		return "games will stutter, and calls may";
	return "calls and games will stutter";
}

/* Fewer round trips say nothing about a queue. */
#define BESIDE_MIN 5

/* Small files one after another leave the link idle most of the time: that is no load to judge by. */
static bool is_load(const struct flow_result *f, const struct ping_result *beside)
{
	return f->limited_by != LIMITED_SIZE && beside->received >= BESIDE_MIN && beside->rtt_p50 != UNKNOWN;
}

static ns_t increase(const struct check_result *r, const struct flow_result *f, const struct ping_result *beside, bool there)
{
	if (!there || !r->has_ping || r->ping.rtt_p50 == UNKNOWN || !is_load(f, beside))
		return UNKNOWN;
	return ns_max(beside->rtt_p50 - r->ping.rtt_p50, 0);
}

/* The lower of those that are known. */
static int64_t lower(int64_t a, int64_t b)
{
	return a == UNKNOWN || (b != UNKNOWN && b < a) ? b : a;
}

void check_conclude(struct check_result *r)
{
	r->increase_download = increase(r, &r->download, &r->loaded_download, r->has_loaded_download);
	r->increase_upload = increase(r, &r->upload, &r->loaded_upload, r->has_loaded_upload);
	r->increase_both = increase(r, &r->both_download, &r->loaded_both, r->has_loaded_both);
	r->increase = worse(worse(r->increase_download, r->increase_upload), r->increase_both);
	r->grade = rpm_bloat_grade(r->increase);
	r->rpm = lower(lower(r->rpm_download.rpm, r->rpm_upload.rpm), r->rpm_both.rpm);
	r->rating = rpm_rating(r->rpm);
}

/* Under which load the latency is worst, and how it is then. */
static const struct ping_result *worst_load(const struct check_result *r, const char **ret_doing)
{
	*ret_doing = "loading both ways";
	if (r->increase_both == r->increase)
		return &r->loaded_both;
	*ret_doing = r->increase_download == r->increase ? "downloading" : "uploading";
	return r->increase_download == r->increase ? &r->loaded_download : &r->loaded_upload;
}

void check_verdict(struct text *t, const struct check_result *r)
{
	const char *doing;

	if (r->increase == UNKNOWN)
		return;
	if (r->increase == 0) {
		text_str(t, "the load does not raise the latency: ");
		text_str(t, effect_of(0));
		return;
	}
	const struct ping_result *p = worst_load(r, &doing);

	text_put(t, "under load the latency goes from %m to %m ms while %s: %s", r->ping.rtt_p50, p->rtt_p50, doing,
		effect_of(r->increase));
}
