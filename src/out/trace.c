/* SPDX-License-Identifier: MIT */
#include "out/trace.h"

#include <string.h>

#include "core/text_put.h"
#include "core/units.h"
#include "out/ping.h"

#define PATH_ROWS(ROW) \
	ROW("target", STRING, target, FIELD_LABEL) \
	ROW("address", CHARS, address, FIELD_LABEL) \
	ROW("method", METHOD, method, FIELD_LABEL) \
	ROW("reached", COUNT, reached, "1 where the target answered") \
	ROW("hops", COUNT, hops, "Hops of the path, as far as probed")

#define PATH(name, kind, member, help) FIELD_ROW(struct path, kind, member),

static const struct field path_rows[] = { PATH_ROWS(PATH) };

const struct field_table trace_fields = { PATH_ROWS(FIELD_WORDS), path_rows, sizeof(path_rows) / sizeof(path_rows[0]) };

/* What a hop has of a ping: all but the names of the target and the method, which are the path's. */
static struct field_table figures(void)
{
	struct field_table f = ping_fields;

	for (; strcmp(f.words, "stamps") != 0; f.n--) {
		f.words = slice_word(f.words, 2);
		f.v++;
	}
	return f;
}

void trace_text_start(struct text *t, const struct path *p, int64_t hops_max)
{
	text_put(t, "trace to %s (%s), %d hops at most, %s\n", p->target, p->address, hops_max, method_name(p->method));
	ping_text_reason(t, p->method, p->reason);
}

void trace_text_event(struct text *t, const struct ping_event *e)
{
	bool lost = e->outcome == OUTCOME_LOST;

	text_put(t, lost ? "round %d  hop %d  no answer" : "round %d  hop %d  %a", (int64_t)e->seq, (int64_t)e->ttl, &e->from);
	if (lost)
		return;
	if (e->rtt != UNKNOWN)
		text_put(t, "  %m ms", e->rtt);
	if (e->outcome != OUTCOME_REPLY)
		text_put(t, "  %s", e->text ? e->text : outcome_name(e->outcome));
}

/* Where the columns end, and where the last one begins. */
static const struct {
	uint8_t end;
	char name[7];
} columns[] = { { 4, "hop" }, { 11, "loss" }, { 18, "sent" }, { 28, "min" }, { 38, "p50" }, { 48, "max ms" } };

#define ADDRESS_AT 50

static void put_cell(struct text *t, size_t column, const char *format, int64_t v)
{
	char buf[32];
	struct text cell;

	text_init(&cell, buf, sizeof(buf));
	text_put(&cell, format, v);
	text_char(t, ' ');
	text_pad(t, columns[column].end - cell.len);
	text_slice(t, text_view(&cell));
}

void trace_text_head(struct text *t)
{
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		put_cell(t, i, columns[i].name, 0);
	text_pad(t, ADDRESS_AT);
	text_str(t, "address\n");
}

static void put_address(struct text *t, const struct path_hop *h, size_t i)
{
	text_char(t, ' ');
	text_pad(t, ADDRESS_AT);
	addr_put(t, &h->addresses[i]);
	if (h->names[i])
		text_put(t, " (%s)", h->names[i]);
}

static void put_labels(struct text *t, const struct path_hop *h)
{
	for (size_t i = 0; i < h->n_labels; i++) {
		const struct icmp_label *l = &h->labels[i];

		text_put(t, i == 0 ? ", MPLS %d" : " %d", (int64_t)l->label);
		text_put(t, " (tc %d, ttl %d)", (int64_t)l->tc, (int64_t)l->ttl);
	}
}

void trace_text_hop(struct text *t, const struct path_hop *h)
{
	const struct ping_result *r = &h->figures;

	put_cell(t, 0, "%d", h->ttl);
	put_cell(t, 1, "%p", r->loss_ppm);
	put_cell(t, 2, "%d", r->sent);
	put_cell(t, 3, "%m", r->rtt_min);
	put_cell(t, 4, "%m", r->rtt_p50);
	put_cell(t, 5, "%m", r->rtt_max);
	if (h->n_addresses == 0)
		text_str(t, "  *");
	else
		put_address(t, h, 0);
	put_labels(t, h);
	text_str(t, h->rate_limited ? ", rate-limited\n" : "\n");
	for (size_t i = 1; i < h->n_addresses; i++) {
		put_address(t, h, i);
		text_char(t, '\n');
	}
}

void trace_text_end(struct text *t, const struct path *p)
{
	int64_t silent = p->hops - p->answered;

	text_put(t, !p->reached ? "not reached" : p->hops == 1 ? "reached in %d hop" : "reached in %d hops", p->hops);
	if (p->errors > 0) {
		text_put(t, p->error.from.family != 0 ? ": %s, says %a" : ": %s", p->error.text ? p->error.text : "error",
			&p->error.from);
	} else if (silent > 0) {
		text_put(t, silent > 1 ? ": no answer from hops %d to %d" : ": no answer from hop %d", p->answered + 1,
			p->hops);
	}
	text_char(t, '\n');
}

void trace_ndjson_event(struct text *t, const struct ping_event *e, const struct path *p)
{
	struct json j;

	json_begin(&j, t, "probe");
	json_put(&j, "target:s address:s ttl:d seq:d outcome:s rtt_ms:m host_queue_ms:m stamps:s method:s", p->target, p->address,
		(int64_t)e->ttl, (int64_t)e->seq, outcome_name(e->outcome), e->rtt, e->queue, stamps_name(e->stamps),
		method_name(p->method));
	ping_json_source(&j, &e->from, e->type, e->code, e->text);
	json_end(&j);
}

void trace_json_begin(struct json *j, struct text *t)
{
	json_begin(j, t, "trace");
	json_array(j, "targets");
}

void trace_json_path(struct json *j, const struct path *p)
{
	json_put(j, "{ target:s address:s method:s method_reason:s reached:b", p->target, p->address, method_name(p->method),
		p->reason, p->reached > 0);
	if (p->errors > 0) {
		json_put(j, "unreachable{ ttl:d", p->hops);
		ping_json_source(j, &p->error.from, p->error.type, p->error.code, p->error.text);
		json_close(j);
	} else {
		json_null(j, "unreachable");
	}
	json_array(j, "hops");
}

static void json_labels(struct json *j, const struct path_hop *h)
{
	json_array(j, "mpls");
	for (size_t i = 0; i < h->n_labels; i++) {
		const struct icmp_label *l = &h->labels[i];

		json_put(j, "{ label:d tc:d bottom:b ttl:d }", (int64_t)l->label, (int64_t)l->tc, l->bottom, (int64_t)l->ttl);
	}
	json_array_end(j);
}

void trace_json_hop(struct json *j, const struct path_hop *h)
{
	struct field_table f = figures();

	json_put(j, "{ ttl:d addresses[", (int64_t)h->ttl);
	for (size_t i = 0; i < h->n_addresses; i++)
		json_address(j, NULL, &h->addresses[i]);
	json_put(j, "] names[");
	for (size_t i = 0; i < h->n_addresses; i++)
		json_word(j, NULL, h->names[i]);
	json_array_end(j);
	field_json_members(j, &f, &h->figures);
	json_bool(j, "rate_limited", h->rate_limited);
	json_labels(j, h);
	json_close(j);
}

void trace_json_path_end(struct json *j)
{
	json_put(j, "] }");
}

void trace_json_end(struct json *j)
{
	json_array_end(j);
	json_end(j);
}

void trace_csv_head(struct text *t)
{
	struct field_table f = figures();

	field_csv_head(t, &trace_fields, "");
	text_str(t, ",ttl,hop_addresses,hop_names,mpls,rate_limited,");
	field_csv_head(t, &f, "");
	text_char(t, '\n');
}

/* In one cell, with blanks between. */
static void csv_list(struct text *t, const struct path_hop *h, bool names)
{
	char buf[PATH_ADDRESSES_MAX * 256];
	struct text list;

	text_init(&list, buf, sizeof(buf));
	for (size_t i = 0; i < h->n_addresses; i++) {
		text_str(&list, i > 0 ? " " : "");
		if (!names)
			addr_put(&list, &h->addresses[i]);
		else
			text_str(&list, h->names[i] ? h->names[i] : "?");
	}
	text_char(t, ',');
	field_csv_cell(t, text_view(&list));
}

void trace_csv_row(struct text *t, const struct path *p, const struct path_hop *h)
{
	struct field_table f = figures();

	field_csv_row(t, &trace_fields, p);
	text_put(t, ",%d", (int64_t)h->ttl);
	csv_list(t, h, false);
	csv_list(t, h, true);
	text_char(t, ',');
	for (size_t i = 0; i < h->n_labels; i++)
		text_put(t, i > 0 ? " %d" : "%d", (int64_t)h->labels[i].label);
	text_put(t, ",%d,", (int64_t)h->rate_limited);
	field_csv_row(t, &f, &h->figures);
	text_char(t, '\n');
}

void trace_prom_path(struct text *t, size_t row, const struct path *p, bool *named)
{
	field_prom(t, &trace_fields, row, "sonde_trace_", p, NULL, named);
}

void trace_prom_hop(struct text *t, size_t row, const struct path_hop *h, bool *named)
{
	char label[ADDR_TEXT_MAX + 32];
	struct text l;

	text_init(&l, label, sizeof(label));
	text_put(&l, h->n_addresses > 0 ? "ttl=\"%d\",hop=\"%a\"" : "ttl=\"%d\",hop=\"\"", (int64_t)h->ttl, h->addresses);
	field_prom(t, &ping_fields, row, "sonde_trace_", &h->figures, label, named);
}
