/* SPDX-License-Identifier: MIT */
/* What each path offers: how much test data, or which small content. */
#ifndef ENGINE_OFFER_H
#define ENGINE_OFFER_H

#include "core/addr.h"
#include "core/json.h"
#include "engine/reply.h"
#include "engine/route.h"

/* The longest that test data may be asked for. */
#define OFFER_TIME_MAX (3600 * NS_PER_S)

/* The largest small content. */
#define OFFER_TEXT_MAX 2560

struct offer_amount {
	int64_t bytes;
	ns_t time; /* > 0: until then, however many bytes */
};

/* @r: a ROUTE_DATA or ROUTE_GARBAGE. Return: false where the query makes no sense. */
bool offer_amount(const struct route *r, struct slice query, struct offer_amount *ret);

/* A member `grades_ms` of an open object: below which increase of the latency each grade is given, in milliseconds. */
void offer_put_grades(struct json *j);

/* What the contents tell of. */
struct offer_facts {
	const struct serve_counters *counters;
	uint64_t body_max;
	ns_t body_time;
	struct slice congestion, congestion_allowed; /* "" where they are not known */
	const struct addr *peer;
	struct slice host; /* under which the client came here; empty for one of HTTP/1.0 that does not say */
	uint64_t received; /* of the upload that is answered */
	ns_t time;         /* how long that took */
};

/* Sets cut where a URL needs a host and there is none, or one without end. Return: the content's type, NULL for none. */
const char *offer_put(struct text *t, const struct route *r, const struct offer_facts *f);

#endif
