/* SPDX-License-Identifier: MIT */
/* Names to addresses. Calls: getaddrinfo, if_nametoindex. Alone in its file: it is the largest thing that libc brings. */
#ifndef SYS_RESOLVE_H
#define SYS_RESOLVE_H

#include "core/addr.h"
#include "core/fault.h"

#define RESOLVE_MAX 8

/**
 * resolve() - The addresses of a host
 * @host:    a name, or a numeric address with an optional %zone (name or index, also as %25zone)
 * @family:  4, 6, or 0 for both
 * @v:       room for @cap, in the order in which they should be tried, ports 0
 *
 * Return: how many, at least 1; or 0 with @why: no such name, no address of that family, no such interface.
 */
size_t resolve(struct slice host, int family, struct addr *v, size_t cap, struct fault *why);

#endif
