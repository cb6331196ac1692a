/* SPDX-License-Identifier: MIT */
#include "engine/check.h"

#include "core/text_put.h"

const char *const check_only_words[] = { "ping", "download", "upload", NULL };

const struct expect_figure check_figures[] = {
	{ "download", EXPECT_RATE },
	{ "upload", EXPECT_RATE },
	{ "loss", EXPECT_RATIO },
	{ "rtt", EXPECT_TIME },
	{ "rtt.p99", EXPECT_TIME },
	{ "jitter", EXPECT_TIME },
	{ "loaded", EXPECT_TIME },
	{ "loaded.p99", EXPECT_TIME },
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

enum check_phase check_phase_from(enum check_phase from, unsigned only)
{
	while (from < CHECK_DONE && only != 0 && !(only & 1U << from))
		from++;
	return from;
}

/* UNKNOWN is below everything that can be measured, so the larger one is the known one. */
static int64_t worse(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t loaded(const struct check_result *r, bool p99)
{
	const struct ping_result *d = &r->loaded_download, *u = &r->loaded_upload;
	int64_t down = r->has_loaded_download ? (p99 ? d->rtt_p99 : d->rtt_p50) : UNKNOWN;
	int64_t up = r->has_loaded_upload ? (p99 ? u->rtt_p99 : u->rtt_p50) : UNKNOWN;

	return worse(down, up);
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
		return loaded(r, false);
	case 7:
		return loaded(r, true);
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
	bool asked_in_vain = (only & CHECK_ONLY_PING && !ping) || (only & CHECK_ONLY_DOWNLOAD && !down) ||
			     (only & CHECK_ONLY_UPLOAD && !up);

	if (asked_in_vain || (!ping && !down && !up))
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

/* Small files one after another leave the link idle most of the time: that is no load to judge by. */
static bool is_load(const struct flow_result *f, const struct ping_result *beside)
{
	return f->limited_by != LIMITED_SIZE && beside->rtt_p50 != UNKNOWN;
}

void check_verdict(struct text *t, const struct check_result *r)
{
	bool has_down = r->has_loaded_download && is_load(&r->download, &r->loaded_download);
	bool has_up = r->has_loaded_upload && is_load(&r->upload, &r->loaded_upload);

	if (!r->has_ping || r->ping.rtt_p50 == UNKNOWN || (!has_down && !has_up))
		return;
	ns_t down = has_down ? r->loaded_download.rtt_p50 : 0, up = has_up ? r->loaded_upload.rtt_p50 : 0;
	ns_t load = ns_max(down, up);

	if (load <= r->ping.rtt_p50) {
		text_str(t, "the load does not raise the latency: ");
		text_str(t, effect_of(0));
		return;
	}
	text_put(t, "under load the latency goes from %m to %m ms while %sloading: %s", r->ping.rtt_p50, load,
		down >= up ? "down" : "up", effect_of(load - r->ping.rtt_p50));
}
