/* SPDX-License-Identifier: MIT */
#include "run/survey_listing.h"

#include "core/listing.h"
#include "run/survey_ask.h"
#include "sys/clock.h"

/* Sizes are asked for one by one: so many of them, and no longer than this. */
#define HEADS_MAX 256
#define HEADS_TIME (3 * NS_PER_S)

static bool head_size(struct survey *s, const char *path, int64_t *ret)
{
	struct fault ignored;

	*ret = UNKNOWN;
	if (!survey_ask(s, EXCHANGE_HEAD, path, 0, NULL, &ignored))
		return false;
	if (fetch_exchange(&s->fetch)->status == 200 && fetch_exchange(&s->fetch)->has_length)
		*ret = (int64_t)fetch_exchange(&s->fetch)->length;
	return true;
}

/* The path of a reference in the listing at s->path. */
static bool listed_path(const struct survey *s, struct slice href, char out[URL_MAX + 1])
{
	static char whole[URL_MAX + 1];
	struct url base = { .scheme = SLICE("http"), .host = SLICE("h"), .path = slice_of(s->path) }, to;
	struct text t;

	text_init(&t, whole, sizeof(whole));
	url_resolve(&base, href, &t);
	if (t.cut || url_parse(text_view(&t), &to))
		return false;
	survey_copy(out, URL_MAX + 1, to.path);
	return true;
}

void survey_listing(struct survey *s, struct slice html)
{
	struct listing l;
	struct slice href;
	static char path[URL_MAX + 1], best[URL_MAX + 1];
	ns_t until = clock_mono() + HEADS_TIME;
	int64_t size, largest = UNKNOWN;

	listing_init(&l);
	for (int n = 0; n < HEADS_MAX && listing_feed(&l, &html, &href) && clock_mono() < until;) {
		if (!listing_is_file(href) || !listed_path(s, href, path))
			continue;
		n++;
		if (!head_size(s, path, &size))
			break;
		if (size > largest) {
			largest = size;
			survey_copy(best, sizeof(best), slice_of(path));
		}
	}
	if (largest != UNKNOWN) {
		s->file_size = largest;
		survey_copy(s->path, sizeof(s->path), slice_of(best));
	}
}
