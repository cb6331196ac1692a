/* SPDX-License-Identifier: MIT */
#include "engine/reply.h"

#include "core/http1_write.h"
#include "core/units.h"
#include "engine/route.h"

/* A time of zero is none to Cloudflare's client, which then takes a guess of 10 ms. */
#define TIMED_MIN (10 * NS_PER_US)

/* What every answer has, as one piece: a small answer is written thousands of times a second. */
static const char always[] = "Server: sonde/" SONDE_VERSION "\r\nCache-Control: no-store\r\n"
			     "X-Content-Type-Options: nosniff\r\n";

static void put_cors(struct text *t, const struct reply *r)
{
	text_str(t, "Access-Control-Allow-Origin: *\r\nTiming-Allow-Origin: *\r\n");
	if (r->allow & ROUTE_OPTIONS) {
		http1_put_field(t, "Access-Control-Allow-Methods", slice_of(route_allow(r->allow)));
		text_str(t, "Access-Control-Allow-Headers: Content-Encoding, Content-Type\r\n"
			    "Access-Control-Max-Age: 86400\r\n");
	}
	if (r->private_network)
		text_str(t, "Access-Control-Allow-Private-Network: true\r\n");
}

static void put_timing(struct text *t, ns_t time)
{
	text_str(t, "Server-Timing: cfRequestDuration;dur=");
	units_put_ms(t, ns_max(time, TIMED_MIN));
	http1_put_end(t);
}

void reply_put(struct text *t, const struct reply *r)
{
	http1_put_status(t, r->status);
	text_slice(t, SLICE(always));
	if (r->type)
		http1_put_field(t, "Content-Type", slice_of(r->type));
	if (r->chunked)
		http1_put_field(t, "Transfer-Encoding", SLICE("chunked"));
	else if (r->status != 204 && r->length != REPLY_UNBOUNDED)
		http1_put_field_uint(t, "Content-Length", r->length);
	if (r->cors)
		put_cors(t, r);
	if (r->timed)
		put_timing(t, r->time);
	if (r->allow)
		http1_put_field(t, "Allow", slice_of(route_allow(r->allow)));
	if (r->fields)
		text_str(t, r->fields);
	if (r->connection)
		http1_put_field(t, "Connection", slice_of(r->connection));
	http1_put_end(t);
}
