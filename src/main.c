/* SPDX-License-Identifier: MIT */
/* Which command, then the one place where faults are printed. */
#include "cmd/command.h"
#include "sys/terminal.h"

static void print_fault(const struct fault *why, const struct command *c)
{
	char buf[1024];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	fault_put(&t, why, c ? c->name : NULL);
	terminal_write(TERMINAL_ERR, text_view(&t));
}

static int print_help(const struct command *c)
{
	static char buf[8192];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	command_put_help(&t, c);
	return terminal_write(TERMINAL_OUT, text_view(&t)) ? 0 : 2;
}

static bool asks_for_help(int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		if (slice_eq(slice_of(argv[i]), SLICE("--")))
			return false;
		if (slice_eq(slice_of(argv[i]), SLICE("--help")) || slice_eq(slice_of(argv[i]), SLICE("-h")))
			return true;
	}
	return false;
}

/* A lone word that is nearly a command's name was meant as one, if it cannot be a host. */
static void suggest_command(const char *word, struct fault *why)
{
	const char *names[16];
	size_t n = 0;

	for (; commands[n]; n++)
		names[n] = commands[n]->name;
	names[n] = NULL;
	const char *near = opt_nearest(word, names);

	if (!near || slice_find(slice_of(word), '.') < slice_of(word).n || slice_find(slice_of(word), ':') < slice_of(word).n)
		return;
	fault_hint(why, "sonde %s", near);
}

static int dispatch(int argc, char **argv, const struct command **ret_command, struct fault *why)
{
	if (argc < 2 || slice_is(slice_of(argv[1]), "--help") || slice_is(slice_of(argv[1]), "-h")) {
		int code = print_help(NULL);

		return argc < 2 ? 2 : code;
	}
	if (slice_is(slice_of(argv[1]), "--version"))
		return terminal_write(TERMINAL_OUT, SLICE("sonde " SONDE_VERSION "\n")) ? 0 : 2;
	const struct command *c = command_find(argv[1]);
	int skip = c ? 2 : 1;

	*ret_command = c = c ? c : &cmd_check;
	if (c != &cmd_help && asks_for_help(argc - skip, argv + skip))
		return print_help(c);
	int code = c->run(argc - skip, argv + skip, why);

	if (skip == 1 && code == 2 && why->kind != FAULT_NONE)
		suggest_command(argv[1], why);
	return code;
}

int main(int argc, char **argv)
{
	static struct fault why;
	const struct command *c = NULL;
	int code = dispatch(argc, argv, &c, &why);

	if (terminal_fault(&why))
		code = 2;
	if (why.kind != FAULT_NONE && code != 0)
		print_fault(&why, c);
	return code;
}
