/* SPDX-License-Identifier: MIT */
/*
 * Signals set a flag and wake whoever waits; the loops look at the flags. Calls: sigaction, eventfd, read, write, kill.
 */
#ifndef SYS_SIGNALS_H
#define SYS_SIGNALS_H

#include <stdbool.h>

/* Take over SIGINT, SIGTERM, SIGQUIT and SIGUSR1, and ignore SIGPIPE. A second SIGINT ends the process at once. */
void signals_take(void);

/* For a child, and for one signal: what it does from now on, SIG_DFL and SIG_IGN included. */
void signals_set(int sig, void (*handler)(int));

/*
 * Take over what concerns a screen, for sys/screen alone: SIGWINCH, SIGCONT, and with screen_restore() before they
 * do what they always do, SIGTSTP and those that end a process. What is ignored, or somebody else's, stays so.
 */
void signals_take_screen(void);

/* SIGINT or SIGTERM came. */
bool signals_stop(void);

/* SIGINT came. */
bool signals_interrupted(void);

/* SIGQUIT or SIGUSR1 came since the last call. */
bool signals_report(void);

/* SIGWINCH came since the last call; SIGCONT did. */
bool signals_resized(void);
bool signals_continued(void);

/* Readable when a signal came; -1 where there is no such descriptor. For sys/wait alone, as the next one. */
int signals_fd(void);
void signals_woken(void);

#endif
