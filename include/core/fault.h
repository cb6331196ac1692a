/* SPDX-License-Identifier: MIT */
/*
 * What went wrong, as a sentence a tired person can act on. Filled where the thing failed,
 * carried up by value, printed by main alone.
 */
#ifndef CORE_FAULT_H
#define CORE_FAULT_H

#include "core/text.h"

enum fault_kind {
	FAULT_NONE,
	FAULT_USAGE, /* the words on the command line; exit 2 */
	FAULT_HOST,  /* this machine: permission, name that does not resolve, no route; exit 2 */
	FAULT_PEER,  /* the other end: refused, silent, broken; exit 1 */
};

#define FAULT_TEXT_MAX 256
#define FAULT_HINTS 2

struct fault {
	enum fault_kind kind;
	char text[FAULT_TEXT_MAX];               /* lower case, no full stop */
	char hints[FAULT_HINTS][FAULT_TEXT_MAX]; /* each a command or a short clause; "" for none */
};

/**
 * fault_set() - Describe a failure: `<what> '<object>' <why>` or `<what> '<object>': <why>`
 * @what:    lower case: "cannot connect to"
 * @object:  the user's own text, quoted and made safe for a terminal, cut with ... past 80 bytes; may be empty
 * @why:     NULL for none; one that starts with ':' is joined as `: reason`, else by a space
 *
 * Clears the hints. Return: false, so that callers can `return fault_set(…)`.
 */
bool fault_set(struct fault *f, enum fault_kind kind, const char *what, struct slice object, const char *why);

/* The same for a sentence of another shape: whatever is put into the text that comes back is the message. */
struct text fault_begin(struct fault *f, enum fault_kind kind);

/* Add a line under the message, as text_put(), in the next free place; dropped where both are taken. */
void fault_hint(struct fault *f, const char *format, ...);

/* `sonde: <command>: <text>` and the hints as `  try: …` and `  or: …`, each line ended. @command may be NULL. */
void fault_put(struct text *t, const struct fault *f, const char *command);

/* 2 for usage and host, 1 for peer, 0 for none. */
int fault_exit_code(const struct fault *f);

#endif
