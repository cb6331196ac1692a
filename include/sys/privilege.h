/* SPDX-License-Identifier: MIT */
/* What may be done here, found out by doing it. Calls: socket, setsockopt, capget, capset, prctl, setresuid, setresgid, open, read, close. */
#ifndef SYS_PRIVILEGE_H
#define SYS_PRIVILEGE_H

#include "core/advice.h"

/* Try, then read what explains the result. */
void privilege_probe(struct privilege *ret);

/* A file capability that is permitted but not effective (`cap_net_raw+p`) is raised; without one nothing happens. */
void privilege_raise(void);

/* Sockets are open: give up every capability for good, and forbid getting any again. */
void privilege_drop(void);

/* For who measures nothing himself: nothing is in force until privilege_raise(), in a child say. */
void privilege_rest(void);

/* Become the user who started us, without capabilities, for a program of his own. False where that cannot be done. */
bool privilege_leave(void);

#endif
