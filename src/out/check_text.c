/* SPDX-License-Identifier: MIT */
#include "out/check_text.h"

#include "core/text_put.h"
#include "core/units.h"

#define LABEL_COLUMN 14

void check_text_label(struct text *t, const char *label)
{
	text_put(t, "  %s", label);
	text_pad(t, LABEL_COLUMN);
}

void check_text_start(struct text *t, const struct check_result *r)
{
	text_put(t, "sonde " SONDE_VERSION " measures %s\n  at ", r->url);
	if (r->address.port > 0)
		addr_put_port(t, &r->address);
	else
		addr_put(t, &r->address);
	text_put(t, r->software[0] ? ", which is %s\n" : "\n", r->software);
}

void check_text_ping(struct text *t, const struct ping_result *p, const char *label)
{
	const char *method = method_name(p->method);

	check_text_label(t, label);
	if (p->received == 0) {
		text_put(t, "no answer to %d probes (%s)\n", p->sent, method);
		return;
	}
	text_put(t, "%m ms median, %m ms 99th percentile, jitter %m ms, loss %p of %d (%s, stamps %s)\n", p->rtt_p50,
		p->rtt_p99, p->jitter, p->loss_ppm, p->sent - p->in_flight, method, stamps_name(p->stamps));
	if (p->reason[0]) {
		check_text_label(t, "");
		text_put(t, "not raw ICMP: %s\n", p->reason);
	}
}

static const char *limit_words(enum limited_by l)
{
	static const char words[] = /* in the order of enum limited_by */
		"the network or the server\0the network\0the receiver's window\0the sender's buffer\0"
		"this machine's CPU\0the server's CPU\0the amount of data: the link may carry more";

	return slice_word(words, l);
}

static int64_t whole_percent(int64_t ppm)
{
	return (ppm + 5000) / 10000 * 10000;
}

static void put_flow_figures(struct text *t, const struct flow_result *f)
{
	units_put_rate(t, f->bits_per_second);
	text_put(t, " over %t, %s", f->elapsed, f->stable ? "stable" : "not stable");
	if (f->confidence == CONFIDENCE_LOW)
		text_str(t, ": too little for more than a guess");
	if (f->spread_ppm != UNKNOWN)
		text_put(t, ", spread %p", whole_percent(f->spread_ppm));
	text_put(t, "; limited by %s\n", limit_words(f->limited_by));
}

void check_text_flow(struct text *t, const struct flow_result *f, const char *label)
{
	static const char words[] = "skipped\0\0not possible here: \0failed: "; /* in the order of enum flow_status */

	check_text_label(t, label);
	if (f->status == FLOW_OK)
		put_flow_figures(t, f);
	else
		text_put(t, "%s%s\n", slice_word(words, f->status), f->reason);
}

/* What goes over the wire with the payload, and what could. */
static void put_wire(struct text *t, const struct flow_result *f)
{
	const char *between = "";

	if (f->wire_bits_per_second == UNKNOWN && f->link_bits_per_second == UNKNOWN && f->server_share_ppm == UNKNOWN)
		return;
	check_text_label(t, "");
	if (f->wire_bits_per_second != UNKNOWN) {
		units_put_bitrate(t, f->wire_bits_per_second);
		text_str(t, " on the wire with all headers (computed)");
		between = "; ";
	}
	if (f->link_bits_per_second != UNKNOWN) {
		text_put(t, "%sthis machine's port: ", between);
		units_put_bitrate(t, f->link_bits_per_second);
		between = "; ";
	}
	if (f->cpu_share_ppm != UNKNOWN)
		text_put(t, "%sCPU: %p here", between, whole_percent(f->cpu_share_ppm));
	if (f->server_share_ppm != UNKNOWN)
		text_put(t, ", %p of the server's", whole_percent(f->server_share_ppm));
	text_char(t, '\n');
}

void check_text_details(struct text *t, const struct flow_result *f)
{
	const char *congestion = f->congestion_control[0] ? f->congestion_control : "unknown";

	if (f->status != FLOW_OK)
		return;
	check_text_label(t, "");
	text_put(t, "%d bytes by our count", f->total_bytes);
	if (f->peer_bytes != UNKNOWN)
		text_put(t, ", %d by the server's", f->peer_bytes);
	text_put(t, "; %d connection%s, %s congestion control", f->connections, f->connections == 1 ? "" : "s",
		congestion);
	if (f->retransmits != UNKNOWN)
		text_put(t, ", %d segments sent again", f->retransmits);
	if (f->cpu_per_gigabyte != UNKNOWN) {
		text_str(t, "; ");
		text_fixed(t, f->cpu_per_gigabyte, 9, 3);
		text_str(t, " CPU s/GB");
	}
	text_char(t, '\n');
	put_wire(t, f);
}

static void put_increase(struct text *t, ns_t increase, const char *doing, const char **between)
{
	if (increase == UNKNOWN)
		return;
	text_put(t, "%s+%m ms while %s", *between, increase, doing);
	*between = ", ";
}

static void put_rpm(struct text *t, const struct rpm_result *m, const char *doing, const char **between)
{
	if (m->rpm == UNKNOWN)
		return;
	text_put(t, "%s%d while %s", *between, m->rpm, doing);
	*between = ", ";
}

void check_text_conclusions(struct text *t, const struct check_result *r)
{
	const char *between = ": ";

	if (r->grade) {
		check_text_label(t, "bufferbloat");
		text_put(t, "grade %s", r->grade);
		put_increase(t, r->increase_download, "downloading", &between);
		put_increase(t, r->increase_upload, "uploading", &between);
		put_increase(t, r->increase_both, "loading both ways", &between);
		text_char(t, '\n');
	}
	if (!r->rating)
		return;
	between = ", round trips a minute (RPM): ";
	check_text_label(t, "responsive");
	text_str(t, r->rating);
	put_rpm(t, &r->rpm_download, "downloading", &between);
	put_rpm(t, &r->rpm_upload, "uploading", &between);
	put_rpm(t, &r->rpm_both, "loading both ways", &between);
	text_char(t, '\n');
}
