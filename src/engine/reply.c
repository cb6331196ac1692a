/* SPDX-License-Identifier: MIT */
#include "engine/reply.h"

#include "core/http1_write.h"
#include "core/json.h"

void reply_put(struct text *t, const struct reply *r)
{
	http1_put_status(t, r->status);
	http1_put_field(t, "Server", SLICE("sonde/" SONDE_VERSION));
	if (r->type)
		http1_put_field(t, "Content-Type", slice_of(r->type));
	if (r->chunked)
		http1_put_field(t, "Transfer-Encoding", SLICE("chunked"));
	else if (r->status != 204 && r->length != REPLY_UNBOUNDED)
		http1_put_field_uint(t, "Content-Length", r->length > 0 ? r->length : r->content.n);
	if (r->field)
		http1_put_field(t, r->field, r->value);
	http1_put_field(t, "Cache-Control", SLICE("no-store"));
	http1_put_field(t, "X-Content-Type-Options", SLICE("nosniff"));
	if (r->connection)
		http1_put_field(t, "Connection", slice_of(r->connection));
	http1_put_end(t);
	if (!r->bare)
		text_slice(t, r->content);
}

void reply_put_info(struct text *t, const struct serve_counters *c, uint64_t body_max, ns_t body_time)
{
	struct json j;

	json_begin(&j, t, "info");
	json_string(&j, "name", SLICE("sonde"));
	json_string(&j, "version", SLICE(SONDE_VERSION));
	json_open(&j, "limits");
	json_int(&j, "body_bytes", (int64_t)body_max);
	json_fixed(&j, "body_seconds", body_time, 9, 0);
	json_close(&j);
	json_fixed(&j, "body_seconds_max", body_time, 9, 0);
	json_int(&j, "requests", (int64_t)c->requests);
	json_int(&j, "refused", (int64_t)c->refused);
	json_int(&j, "bytes_received", (int64_t)c->bytes_in);
	json_int(&j, "bytes_sent", (int64_t)c->bytes_out);
	json_int(&j, "cpu_us", (int64_t)(c->cpu_ns / 1000));
	json_end(&j);
}

void reply_put_receipt(struct text *t, uint64_t bytes, ns_t time)
{
	struct json j;

	json_init(&j, t);
	json_open(&j, NULL);
	json_int(&j, "bytes", (int64_t)bytes);
	json_fixed(&j, "seconds", time, 9, 6);
	json_close(&j);
	text_char(t, '\n');
}
