/* SPDX-License-Identifier: MIT */
/* The first router on the way to everywhere else. Calls: open, read, close. */
#ifndef SYS_GATEWAY_H
#define SYS_GATEWAY_H

#include "core/addr.h"

/* Where the machine's routes are told (proc(5), IPv4 only). */
#define GATEWAY_FILE "/proc/net/route"

/* That of the default route with the best metric. Return: false where there is none, or no such file. */
bool gateway_find(const char *file, struct addr *ret);

#endif
