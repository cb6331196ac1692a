/* SPDX-License-Identifier: MIT */
/* Signals come only while waiting, so nothing else is ever interrupted. Calls: sigaction, sigprocmask. */
#ifndef SYS_SIGNALS_H
#define SYS_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/* Take over SIGINT, SIGTERM, SIGQUIT and SIGUSR1, and ignore SIGPIPE. Call when everything slow is done. */
void signals_take(void);

/* SIGINT or SIGTERM came. */
bool signals_stop(void);

/* SIGINT came. */
bool signals_interrupted(void);

/* SIGQUIT or SIGUSR1 came since the last call. */
bool signals_report(void);

/* The mask with which to wait; for sys/wait alone. */
const sigset_t *signals_mask(void);

#endif
