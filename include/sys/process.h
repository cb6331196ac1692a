/* SPDX-License-Identifier: MIT */
/*
 * A measurement of its own beside this loop: a child that runs a command of ours and writes into a pipe. It is forked,
 * not executed, so it needs neither /proc nor a path to this program.
 * Calls: pipe2, ioctl(FIONBIO), eventfd, dup2, dup3, open, close, read, sigaction, kill, waitpid, access, prctl, setsid,
 * execve; and those of sys/child.h.
 */
#ifndef SYS_PROCESS_H
#define SYS_PROCESS_H

#include "core/fault.h"

struct process {
	int fd; /* the read end, non-blocking: what the child writes to its standard output */
	int pid;
	bool ended; /* private */
};

/**
 * process_start() - Run @f in a child and never come back from it there
 * @f:     gets @argc and @argv; its result is the exit code
 *
 * The child has our privileges, standard input and error from and to /dev/null, no other descriptor of ours, and
 * signals as a fresh program has them; it is killed when we end. Return: false with @why.
 */
bool process_start(struct process *ret, int (*f)(int argc, char **argv), int argc, char **argv, struct fault *why);

/* Up to @cap bytes of what it has written. Return: a count, or an enum io: IO_AGAIN, IO_END when it has ended. */
long process_read(struct process *p, char *buf, size_t cap);

/* Ask it to finish and say what it has: SIGINT. */
void process_interrupt(const struct process *p);

/*
 * Close the pipe and wait for the end, which is brought about where process_read() has not told of it. Return: the exit
 * code, 130 where a signal was it.
 */
int process_end(struct process *p);

/*
 * Show @url in the browser of this desktop, as the user who started us and without any privilege. Return: false where
 * there is no desktop or no way, and to root, as whom nobody browses.
 */
bool process_browse(const char *url);

#endif
