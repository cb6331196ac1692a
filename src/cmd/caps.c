/* SPDX-License-Identifier: MIT */
#include "cmd/command.h"
#include "cmd/common.h"
#include "sys/privilege.h"

#define AT(member) offsetof(struct common, member)

static const struct opt_table tables[] = {
	COMMON_OPTIONS,
	{ NULL, NULL, 0 },
};

static void put_line(struct text *t, const char *what, bool yes, const char *error)
{
	text_str(t, "  ");
	text_str(t, what);
	text_pad(t, 24);
	text_str(t, yes ? "yes" : "no");
	if (!yes && error[0]) {
		text_str(t, ": ");
		text_str(t, error);
	}
	text_char(t, '\n');
}

static void put_text(struct text *t, const struct privilege *p, const struct advice *a)
{
	text_str(t, "what this process may do here:\n");
	put_line(t, "raw ICMP", p->icmp_raw, p->raw_error);
	put_line(t, "ICMP datagrams", p->icmp_dgram, p->dgram_error);
	put_line(t, "kernel time stamps", p->kernel_timestamps, "");
	put_line(t, "bind to interfaces", p->bind_device, "");
	put_line(t, "seccomp filters", p->seccomp, "");
	text_str(t, p->icmp_raw ? "sonde ping uses raw ICMP; there is nothing better\n" :
			p->icmp_dgram ? "sonde ping uses ICMP datagrams, which are as exact as raw ICMP\n" :
					"sonde ping uses TCP connections instead of ICMP\n");
	for (size_t i = 0; i < a->n_reasons; i++) {
		text_str(t, "  why: ");
		text_str(t, a->reasons[i]);
		text_char(t, '\n');
	}
	for (size_t i = 0; i < a->n_fixes; i++) {
		text_str(t, "  try: ");
		text_str(t, a->fixes[i]);
		text_char(t, '\n');
	}
}

static void put_json(struct text *t, const struct privilege *p, const struct advice *a)
{
	struct json j;

	json_init(&j, t);
	json_open(&j, NULL);
	json_int(&j, "schema", 1);
	json_string(&j, "type", SLICE("caps"));
	json_bool(&j, "icmp_raw", p->icmp_raw);
	json_bool(&j, "icmp_dgram", p->icmp_dgram);
	json_bool(&j, "kernel_timestamps", p->kernel_timestamps);
	json_bool(&j, "bind_device", p->bind_device);
	json_bool(&j, "seccomp", p->seccomp);
	json_bool(&j, "cap_net_raw", p->cap_effective);
	json_bool(&j, "no_new_privs", p->no_new_privs);
	json_bool(&j, "user_namespace", p->user_namespace);
	json_int(&j, "ping_group_low", p->group_range_known ? p->group_low : UNKNOWN);
	json_int(&j, "ping_group_high", p->group_range_known ? p->group_high : UNKNOWN);
	json_array(&j, "reasons");
	for (size_t i = 0; i < a->n_reasons; i++)
		json_string(&j, NULL, slice_of(a->reasons[i]));
	json_array_end(&j);
	json_array(&j, "fixes");
	for (size_t i = 0; i < a->n_fixes; i++)
		json_string(&j, NULL, slice_of(a->fixes[i]));
	json_array_end(&j);
	json_close(&j);
	text_char(t, '\n');
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
