/* SPDX-License-Identifier: MIT */
#include "out/ping.h"

#include <string.h>

#include "core/text_put.h"
#include "core/units.h"
#include "out/field.h"

static bool is_icmp(const struct ping_result *r)
{
	return r->method == METHOD_ICMP_RAW || r->method == METHOD_ICMP_DGRAM;
}

/* The name that was asked for, and the address where that is another word. */
static void put_host(struct text *t, const struct ping_result *r)
{
	bool same = strcmp(r->target, r->address) == 0;

	text_put(t, same || !r->address[0] ? "%s" : "%s (%s)", r->target, r->address);
}

void ping_text_reason(struct text *t, enum method method, const char *reason)
{
	if (reason[0])
		text_put(t, "%s: %s (sonde caps tells more)\n", method == METHOD_TCP ? "no ICMP" : "unprivileged socket", reason);
}

void ping_text_start(struct text *t, const struct ping_result *r, size_t size)
{
	static const char ways[] = "UDP probes\0TCP connections\0HTTP requests"; /* from METHOD_UDP on */
	int64_t headers = slice_has(slice_of(r->address), ':') ? 48 : 28;

	text_put(t, "PING %s (%s) ", r->target, r->address);
	if (is_icmp(r))
		text_put(t, "%d(%d) bytes of data.\n", (int64_t)size, (int64_t)size + headers);
	else
		text_put(t, "by %s.\n", slice_word(ways, r->method - METHOD_UDP));
	ping_text_reason(t, r->method, r->reason);
}

void ping_text_way(struct text *t, const struct ping_result *r)
{
	text_put(t, "sonde: ping: by TCP connections, to port 80 where none is named: %s (sonde caps tells more)\n", r->reason);
}

/* Who it was, or who it is about. */
static void put_subject(struct text *t, const struct ping_event *e, const struct ping_result *r)
{
	if (e->outcome == OUTCOME_ERROR && e->from.family != 0) {
		text_put(t, "From %a ", &e->from);
		return;
	}
	if (e->outcome == OUTCOME_LOST)
		text_str(t, "no answer from ");
	else if (e->outcome != OUTCOME_ERROR)
		text_put(t, e->bytes > 0 ? "%d bytes from " : "answer from ", (int64_t)e->bytes);
	put_host(t, r);
	text_str(t, ": ");
}

void ping_text_event(struct text *t, const struct ping_event *e, const struct ping_result *r, bool many)
{
	static const char remarks[] = /* in the order of enum outcome */
		"\0\0 (late)\0 (DUP!)\0 (corrupt: not the bytes that were sent)\0";

	put_subject(t, e, r);
	text_put(t, "%s_seq=%d", is_icmp(r) ? "icmp" : method_name(r->method), (int64_t)e->seq);
	if (e->outcome == OUTCOME_ERROR) {
		text_put(t, " %s", e->text ? e->text : "error");
		if (many && e->from.family != 0)
			text_put(t, " (asked for %s)", r->target);
	} else if (e->outcome != OUTCOME_LOST) {
		if (e->ttl >= 0)
			text_put(t, " ttl=%d", (int64_t)e->ttl);
		if (e->rtt != UNKNOWN)
			text_put(t, " time=%m ms", e->rtt);
		if (e->connect != UNKNOWN)
			text_put(t, " connect=%m ms", e->connect);
	}
	if (e->outcome == OUTCOME_LOST && e->text)
		text_put(t, " %s", e->text);
	text_put(t, "%s\n", slice_word(remarks, e->outcome));
}

static void put_more(struct text *t, int64_t n, const char *what)
{
	if (n > 0)
		text_put(t, ", +%d %s", n, what);
}

/* A tenth of a percent is as much as an interval is worth. */
static int64_t tenths(int64_t ppm)
{
	return (ppm + 500) / 1000 * 1000;
}

static void put_loss(struct text *t, const struct ping_result *r)
{
	if (r->sent == 0)
		return;
	if (r->loss_ppm == UNKNOWN)
		text_str(t, "whether anything was lost is not decided");
	else
		text_put(t, "loss %p, with 95%% confidence %p to %p", r->loss_ppm, tenths(r->loss_low_ppm),
			tenths(r->loss_high_ppm));
	put_more(t, r->late, "late");
	put_more(t, r->reordered, "reordered");
	if (r->loss_run_max > 1)
		text_put(t, ", longest run %d", r->loss_run_max);
	put_more(t, r->in_flight, "still on the way");
	put_more(t, r->local_drops, "dropped by our own buffer");
	text_char(t, '\n');
}

/* While nothing is decided: what has not come back, as ping(8) counts it, so that nobody reads a dead host as a good one. */
static int64_t shown_loss(const struct ping_result *r)
{
	return r->loss_ppm != UNKNOWN ? r->loss_ppm : r->sent > 0 ? 1000000 : 0;
}

/* A reflector may well stamp and not count, so the losses have a reason of their own. */
static void put_way(struct text *t, const char *name, const struct ping_way *w)
{
	text_put(t, "%s: ", name);
	if (w->lost == UNKNOWN)
		text_str(t, "losses cannot be told apart, since the reflector does not count our probes");
	else
		text_put(t, "lost %d of %d (%p)", w->lost, w->sent, w->loss_ppm);
	if (w->queue_p50 == UNKNOWN)
		text_str(t, ", queue unknown\n");
	else
		text_put(t, ", queue p50 %m p99 %m ms\n", w->queue_p50, w->queue_p99);
}

static void put_kinds(struct text *t, const struct ping_result *r)
{
	for (size_t i = 0; i < r->n_kinds; i++) {
		const struct ping_kind *k = &r->kinds[i];

		text_put(t, k->from.family != 0 ? "%d x %s, from %a\n" : "%d x %s\n", k->count, k->text ? k->text : "error",
			&k->from);
	}
}

void ping_text_summary(struct text *t, const struct ping_result *r)
{
	text_put(t, "\n--- %s ping statistics ---\n%d packets transmitted, %d received", r->target, r->sent,
		r->received);
	put_more(t, r->duplicates, "duplicates");
	put_more(t, r->corrupt, "corrupted");
	put_more(t, r->errors, "errors");
	text_put(t, ", %p packet loss, time %dms\n", shown_loss(r), r->elapsed / NS_PER_MS);
	if (r->received > 0)
		text_put(
			t, "rtt min/avg/max/mdev = %m/%m/%m/%m ms\n", r->rtt_min, r->rtt_mean, r->rtt_max, r->rtt_mdev);
	if (r->rtt_p50 != UNKNOWN) {
		text_put(t, "rtt p50/p90/p99 = %m/%m/%m ms", r->rtt_p50, r->rtt_p90, r->rtt_p99);
		if (r->jitter != UNKNOWN)
			text_put(t, ", jitter %m ms", r->jitter);
		text_put(t, "; %s, stamps %s\n", method_name(r->method), stamps_name(r->stamps));
	}
	if (r->method == METHOD_UDP && r->received > 0) {
		put_way(t, "there", &r->there);
		put_way(t, "back", &r->back);
	}
	put_loss(t, r);
	put_kinds(t, r);
}

static void put_detail(struct text *t, const char *format, int64_t v)
{
	if (v != UNKNOWN)
		text_put(t, format, v);
}

void ping_text_details(struct text *t, const struct ping_result *r)
{
	put_detail(t, "the name took %m ms to look up\n", r->resolve);
	put_detail(t, "median time in the queue of our own interface %m ms\n", r->host_queue_p50);
	put_detail(t, "median time until this program knew of the connection %m ms\n", r->connect_p50);
	put_detail(t, "99%% of the changes between round trips are below %m ms\n", r->ipdv_p99);
	put_detail(t, "%d replies found no room in our own buffer\n", r->local_drops);
}

void ping_total_add(struct ping_total *sum, const struct ping_result *r)
{
	sum->targets++;
	sum->answered += r->received > 0;
	sum->unresolved += r->resolve_error != NULL;
	sum->sent += r->sent;
	sum->received += r->received;
	sum->lost += r->lost;
	sum->elapsed = r->elapsed;
}


void ping_text_line(struct text *t, const struct ping_result *r, bool more)
{
	put_host(t, r);
	if (r->resolve_error) {
		text_put(t, " : %s\n", r->resolve_error);
		return;
	}
	text_put(t, " : xmt/rcv/%%loss = %d/%d/%d%%", r->sent, r->received, shown_loss(r) / 10000); /* whole, as fping writes it */
	if (r->received > 0)
		text_put(t, ", min/avg/max = %m/%m/%m", r->rtt_min, r->rtt_mean, r->rtt_max);
	if (more && r->received > 1 && r->rtt_p50 != UNKNOWN)
		text_put(t, ", p50/p99/jitter = %m/%m/%m", r->rtt_p50, r->rtt_p99, r->jitter);
	put_more(t, r->late, "late");
	put_more(t, r->duplicates, "duplicates");
	put_more(t, r->corrupt, "corrupted");
	put_more(t, r->in_flight, "still on the way");
	put_more(t, r->errors, "errors");
	if (r->n_kinds > 0)
		text_put(t, ": %s", r->kinds[0].text ? r->kinds[0].text : "error");
	text_char(t, '\n');
}

void ping_text_total(struct text *t, const struct ping_total *sum)
{
	text_put(t, "\n%d targets, %d answered, %d did not", sum->targets, sum->answered,
		sum->targets - sum->answered - sum->unresolved);
	if (sum->unresolved > 0)
		text_put(t, ", %d have no address", sum->unresolved);
	text_put(t, "; %d probes, %d answers, %d lost", sum->sent, sum->received, sum->lost);
	put_more(t, sum->local_drops, "dropped by our own buffer");
	text_put(t, ", in %t\n", sum->elapsed);
}

void ping_text_name(struct text *t, const struct ping_result *r)
{
	if (r->resolve_error)
		text_put(t, "%s\n", r->resolve_error);
}

void ping_ndjson_name(struct text *t, const struct ping_result *r)
{
	struct json j;

	json_begin(&j, t, "resolve");
	json_put(&j, "target:s address:s resolve_ms:m error:s", r->target, r->resolve_error ? NULL : r->address, r->resolve,
		r->resolve_error);
	json_end(&j);
}

void ping_json_source(struct json *j, const struct addr *from, int type, int code, const char *what)
{
	bool icmp = from->family != 0 && type != 0; /* that of an echo reply is 0 */

	json_put(j, "from:a icmp_type:d icmp_code:d error:s", from, icmp ? type : UNKNOWN, icmp ? code : UNKNOWN, what);
}

static void json_kinds(struct json *j, const struct ping_result *r)
{
	json_array(j, "error_kinds");
	for (size_t i = 0; i < r->n_kinds; i++) {
		json_open(j, NULL);
		ping_json_source(j, &r->kinds[i].from, r->kinds[i].type, r->kinds[i].code, r->kinds[i].text);
		json_put(j, "count:d }", r->kinds[i].count);
	}
	json_array_end(j);
}

void ping_json(struct json *j, const char *key, const struct ping_result *r)
{
	if (!r) {
		json_null(j, key);
		return;
	}
	json_open(j, key);
	field_json_members(j, &ping_fields, r);
	json_kinds(j, r);
	json_close(j);
}

void ping_json_begin(struct json *j)
{
	json_begin(j, j->out, "ping");
	json_array(j, "targets");
}

void ping_json_end(struct json *j, const struct ping_total *sum)
{
	json_array_end(j);
	json_int(j, "local_drops", sum->local_drops);
	json_end(j);
}

void ping_ndjson_event(struct text *t, const struct ping_event *e, const struct ping_result *r)
{
	struct json j;

	json_begin(&j, t, "probe");
	json_put(&j, "target:s address:s seq:d outcome:s rtt_ms:m host_queue_ms:m connect_ms:m ttl:d stamps:s method:s", r->target,
		r->address, (int64_t)e->seq, outcome_name(e->outcome), e->rtt, e->queue, e->connect,
		e->ttl < 0 ? UNKNOWN : e->ttl, stamps_name(e->stamps), method_name(r->method));
	if (e->outcome == OUTCOME_ERROR)
		ping_json_source(&j, &e->from, e->type, e->code, e->text);
	json_end(&j);
}

void ping_csv_head(struct text *t)
{
	field_csv_head(t, &ping_fields, "");
	text_char(t, '\n');
}

void ping_csv_row(struct text *t, const struct ping_result *r)
{
	field_csv_row(t, &ping_fields, r);
	text_char(t, '\n');
}

void ping_prom(struct text *t, size_t row, const struct ping_result *r, bool *named)
{
	field_prom(t, &ping_fields, row, "sonde_ping_", r, NULL, named);
}
