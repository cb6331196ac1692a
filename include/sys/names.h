/* SPDX-License-Identifier: MIT */
/*
 * Names looked up by child processes, so that nobody waits for a slow one: neither libc's resolver nor our stub can
 * be interrupted. Questions and answers are datagrams of a socket pair that all children share: whoever is free takes
 * the next. A child that dies takes its question with it: whoever asks needs patience of its own.
 * Calls: socketpair, setitimer, recv, send, close, kill, wait, waitpid.
 */
#ifndef SYS_NAMES_H
#define SYS_NAMES_H

#include "core/addr.h"
#include "core/fault.h"
#include "core/ns.h"

#define NAMES_TEXT_MAX 256

struct names {
	int fd;       /* readable when there is an answer; -1 where no child is left, and none will ever answer */
	size_t asked; /* questions that have no answer yet */
	int pid;      /* private */
};

struct names_answer {
	uint32_t tag;
	struct addr addr; /* family 0 where the name could not be resolved */
	ns_t took;        /* from when a child took the question up */
	char text[NAMES_TEXT_MAX]; /* the reason why not, for people; of a question back the name, "" for none */
};

/**
 * names_open() - Start the children
 * @workers:  questions at a time, each a process; fewer will do where the machine allows no more
 * @timeout:  patience with each question, also with libc: after it the answer is that there is none
 *
 * Call it first, while nothing is open that they must not inherit. They give up every privilege, ignore the
 * terminal's signals, and end when this process does. SIGCHLD is ignored from now on: a child that ends leaves nothing
 * behind, and nobody has to wait for it. Return: false with @why where there can be no child at all.
 */
bool names_open(struct names *n, size_t workers, ns_t timeout, struct fault *why);

/**
 * names_ask() - Which address has @host?
 * @tag:     comes back with the answer
 * @host:    with its %zone, or numeric, as in resolve()
 * @family:  4, 6, or 0
 *
 * Never waits. Return: false where there is no room now: ask again after the next answer.
 */
bool names_ask(struct names *n, uint32_t tag, struct slice host, int family);

/* Which name has this address? As names_ask(). */
bool names_ask_back(struct names *n, uint32_t tag, const struct addr *a);

/* An answer that is there, in any order. Never waits. Return: false where there is none; look at @fd then. */
bool names_answer(struct names *n, struct names_answer *ret);

/* Whatever they are doing: end them, and do not wait for that. Of names that were opened, well or not. */
void names_close(struct names *n);

#endif
