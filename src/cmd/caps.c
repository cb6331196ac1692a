/* SPDX-License-Identifier: MIT */
#include "cmd/command.h"
#include "cmd/common.h"
#include "core/text_put.h"
#include "sys/privilege.h"

#define AT(member) offsetof(struct common, member)

/* Of the common options only the format means anything here. */
static const struct opt_table tables[] = {
	{ "Options", &common_rows[2], 1 },
	{ NULL, NULL, 0 },
};

#define ROW(member, label) { #member, label, offsetof(struct privilege, member) }

/* What is told of struct privilege; without a label to programs only. */
static const struct {
	const char *key, *label;
	size_t off;
} told[] = {
	ROW(icmp_raw, "raw ICMP"),
	ROW(icmp_dgram, "ICMP datagrams"),
	ROW(kernel_timestamps, "kernel time stamps"),
	ROW(bind_device, "bind to interfaces"),
	ROW(seccomp, "seccomp filters"),
	ROW(cap_net_raw, NULL),
	ROW(no_new_privs, NULL),
	ROW(user_namespace, NULL),
};

#define TOLD (sizeof(told) / sizeof(told[0]))

static bool is_so(const struct privilege *p, size_t i)
{
	return *((const bool *)((const char *)p + told[i].off));
}

static void put_lines(struct text *t, const char *format, const char *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		text_put(t, format, v[i]);
}

static void put_text(struct text *t, const struct privilege *p, const struct advice *a)
{
	const char *const errors[TOLD] = { p->raw_error, p->dgram_error };

	text_str(t, "what this process may do here:\n");
	for (size_t i = 0; i < TOLD && told[i].label; i++) {
		text_put(t, "  %s", told[i].label);
		text_pad(t, 24);
		text_put(t, is_so(p, i) ? "yes\n" : errors[i] ? "no: %s\n" : "no\n", errors[i]);
	}
	text_put(t, "sonde ping uses %s\n", p->icmp_raw ? "raw ICMP; there is nothing better" :
			p->icmp_dgram ? "ICMP datagrams, which are as exact as raw ICMP" : "TCP connections instead of ICMP");
	put_lines(t, "  why: %s\n", a->reasons, a->n_reasons);
	put_lines(t, "  try: %s\n", a->fixes, a->n_fixes);
}

static void put_list(struct json *j, const char *key, const char *const *v, size_t n)
{
	json_array(j, key);
	for (size_t i = 0; i < n; i++)
		json_string(j, NULL, slice_of(v[i]));
	json_array_end(j);
}

static void put_json(struct text *t, const struct privilege *p, const struct advice *a)
{
	struct json j;

	json_begin(&j, t, "caps");
	for (size_t i = 0; i < TOLD; i++)
		json_bool(&j, told[i].key, is_so(p, i));
	json_int(&j, "ping_group_low", p->group_range_known ? p->group_low : UNKNOWN);
	json_int(&j, "ping_group_high", p->group_range_known ? p->group_high : UNKNOWN);
	put_list(&j, "reasons", a->reasons, a->n_reasons);
	put_list(&j, "fixes", a->fixes, a->n_fixes);
	json_end(&j);
}

static int run(int argc, char **argv, struct fault *why)
{
	struct common o = { .timeout = NS_PER_S };
	struct privilege p;
	char buf[3072];
	struct text t;
	int n = opt_parse(tables, argc, argv, &o, why);

	if (n > 0)
		fault_set(why, FAULT_USAGE, "caps takes no target, but got", slice_of(argv[0]), NULL);
	if (n != 0)
		return 2;
	if (o.format == FORMAT_CSV || o.format == FORMAT_PROM) {
		fault_set(why, FAULT_USAGE, "caps writes text or json", SLICE(""), NULL);
		return 2;
	}
	privilege_probe(&p);
	struct advice a = advise(&p);

	text_init(&t, buf, sizeof(buf));
	if (o.format == FORMAT_TEXT)
		put_text(&t, &p, &a);
	else
		put_json(&t, &p, &a);
	return common_flush(&t) ? 0 : EXIT_NO_OUTPUT;
}

const struct command cmd_caps = {
	"caps",
	"",
	"what this process may do here, why not more, and what changes it",
	"Tries each thing that the other commands would like to do, and tells the command that makes it possible.\n",
	tables,
	run,
};
