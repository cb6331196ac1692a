/* SPDX-License-Identifier: MIT */
/* A command is a row: what it is called, what it takes, and the function behind it. */
#ifndef CMD_COMMAND_H
#define CMD_COMMAND_H

#include "core/opt.h"

struct command {
	const char *name;
	const char *operands; /* "TARGET…" for the usage line */
	const char *summary;  /* one line for the list */
	const char *about;    /* paragraphs for its help */
	const struct opt_table *options;
	/* @argc and @argv without the names of program and command. Return: the exit code; @why set where that says so. */
	int (*run)(int argc, char **argv, struct fault *why);
};

extern const struct command cmd_check, cmd_ping, cmd_trace, cmd_http, cmd_serve, cmd_gui, cmd_watch, cmd_caps, cmd_help;

/* All of them, ended by NULL. */
extern const struct command *const commands[];

/* NULL where there is none of that name. */
const struct command *command_find(const char *name);

/* The help of one command, or of the program for NULL. */
void command_put_help(struct text *t, const struct command *c);

#endif
