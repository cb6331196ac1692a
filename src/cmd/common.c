/* SPDX-License-Identifier: MIT */
#include "cmd/common.h"

#include <stddef.h>

#include "sys/terminal.h"

static const char *const formats[] = { "text", "json", "ndjson", "csv", "prom", NULL };

#define AT(member) offsetof(struct common, member)

const struct opt common_rows[COMMON_ROWS] = {
	{ '4', OPT_VALUE, AT(family), "ipv4", NULL, "use IPv4 only", 4, 4, NULL },
	{ '6', OPT_VALUE, AT(family), "ipv6", NULL, "use IPv6 only", 6, 6, NULL },
	{ 'f', OPT_CHOICE, AT(format), "format", "FORMAT", "text (default), json, ndjson, csv or prom", 0, 0, formats },
	{ 'q', OPT_FLAG, AT(quiet), "quiet", NULL, "the result only", 0, 0, NULL },
	{ 'v', OPT_FLAG, AT(verbose), "verbose", NULL, "more about how it was measured", 0, 0, NULL },
	{ 'I', OPT_STRING, AT(interface), "interface", "NAME", "send through this network interface", 0, 0, NULL },
	{ 'S', OPT_STRING, AT(source), "source", "ADDRESS", "send from this address", 0, 0, NULL },
	{ 'W', OPT_DURATION, AT(timeout), "timeout", "TIME", "patience with each step (ping, trace 2s; check 5s)", NS_PER_MS,
		3600 * NS_PER_S, NULL },
	{ 0, OPT_FLAG, AT(no_color), "no-color", NULL, "no colours on a terminal (NO_COLOR does the same)", 0, 0, NULL },
	{ 0, OPT_LIST, AT(expect), "expect", "EXPR", "exit with 4 unless it holds: download>=100M or loss<1% or rtt.p99<20ms; may be given again", 0, 0,
		NULL },
};

bool common_origin(const struct common *c, struct origin *ret, struct fault *why)
{
	*ret = (struct origin){ .interface = c->interface };
	if (c->source && !addr_parse(slice_of(c->source), &ret->source))
		return fault_set(why, FAULT_USAGE, "--source", slice_of(c->source), "is not a numeric address");
	return (!c->source && !c->interface) || stream_origin_works(ret, why);
}

bool expectations_parse(struct expectations *e, const struct common *c, const struct expect_figure *table,
	struct fault *why)
{
	*e = (struct expectations){ .n = c->expect.n };
	for (size_t i = 0; i < e->n; i++)
		if (!expect_parse(c->expect.v[i], table, &e->v[i], why))
			return false;
	for (size_t i = 0; i < e->n; i++)
		e->unit[i] = table[e->v[i].figure].unit;
	return true;
}

void expectations_judge(struct expectations *e, size_t i, int64_t value)
{
	bool met = expect_judge(&e->v[i], value) == EXPECT_MET;

	e->judged[i] = (struct check_expectation){ e->v[i].text, e->unit[i], met, value };
	e->missed = e->missed || !met;
}

bool expectations_tell(struct text *t, const struct expectations *e, const struct expect_figure *table,
	const struct common *c)
{
	if (c->format != FORMAT_TEXT && !e->missed)
		return true;
	for (size_t i = 0; i < e->n; i++) {
		check_text_label(t, "expect");
		expect_put(t, &e->v[i], table, e->judged[i].value);
		text_char(t, '\n');
	}
	if (c->format == FORMAT_TEXT)
		return common_flush(t);
	bool ok = terminal_write(TERMINAL_ERR, text_view(t));

	text_init(t, t->p, t->cap);
	return ok;
}

void common_put_error(struct text *t, const struct fault *why)
{
	struct json j;

	json_begin(&j, t, "error");
	json_string(&j, "message", slice_of(why->text));
	json_array(&j, "hints");
	for (size_t i = 0; i < FAULT_HINTS && why->hints[i][0] != '\0'; i++)
		json_string(&j, NULL, slice_of(why->hints[i]));
	json_array_end(&j);
	json_end(&j);
}

void common_error(const struct common *c, const struct fault *why)
{
	static bool told;
	char buf[COMMON_ERROR_MAX];
	struct text t;

	if (told || c->format != FORMAT_NDJSON || why->kind == FAULT_NONE)
		return;
	told = true;
	text_init(&t, buf, sizeof(buf));
	common_put_error(&t, why);
	common_flush(&t);
}

bool common_flush(struct text *t)
{
	bool ok = terminal_write(TERMINAL_OUT, text_view(t));

	text_init(t, t->p, t->cap);
	return ok;
}
