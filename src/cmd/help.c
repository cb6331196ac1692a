/* SPDX-License-Identifier: MIT */
#include "cmd/command.h"
#include "cmd/common.h"
#include "core/text_put.h"

static const struct opt_table none[] = { { NULL, NULL, 0 } };

const struct command *const commands[] = { &cmd_check, &cmd_ping, &cmd_trace, &cmd_http, &cmd_serve, &cmd_gui, &cmd_watch, &cmd_caps, &cmd_help, NULL };

const struct command *command_find(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (slice_eq(slice_of(commands[i]->name), slice_of(name)))
			return commands[i];
	return NULL;
}

static void put_overview(struct text *t)
{
	text_str(t, "sonde " SONDE_VERSION " measures the network between this machine and another\n\n"
		    "  sonde TARGET             the same as sonde check TARGET\n");
	for (size_t i = 0; commands[i]; i++) {
		text_put(t, "  sonde %s %s", commands[i]->name, commands[i]->operands);
		text_pad(t, 27);
		text_put(t, "%s\n", commands[i]->summary);
	}
	text_str(t, "\nTARGET is a name, an address, host:port or http://host:port/path\n"
		    "sonde help COMMAND tells its options; sonde --version its version\n");
}

void command_put_help(struct text *t, const struct command *c)
{
	if (!c) {
		put_overview(t);
		return;
	}
	text_put(t, "sonde %s%s %s\n  %s\n\n", c->name, c->options[0].v ? " [OPTION…]" : "", c->operands, c->summary);
	text_str(t, c->about);
	text_char(t, '\n');
	opt_help(t, c->options);
}

static int run(int argc, char **argv, struct fault *why)
{
	static char buf[8192];
	struct text t;
	const struct command *c = argc > 0 ? command_find(argv[0]) : NULL;

	if (argc > 0 && !c) {
		fault_set(why, FAULT_USAGE, "there is no command", slice_of(argv[0]), NULL);
		fault_hint(why, "sonde help");
		return 2;
	}
	text_init(&t, buf, sizeof(buf));
	command_put_help(&t, c);
	return common_flush(&t) ? 0 : EXIT_NO_OUTPUT;
}

const struct command cmd_help = {
	"help",
	"[COMMAND]",
	"this list, or the options of one command",
	"",
	none,
	run,
};
