/* SPDX-License-Identifier: MIT */
/* Hosts to addresses: numeric ones here, with their zone, names by sys/look_up. Calls: socket, ioctl(SIOCGIFINDEX), close. */
#ifndef SYS_RESOLVE_H
#define SYS_RESOLVE_H

#include "core/addr.h"
#include "core/fault.h"
#include "core/ns.h"

#define RESOLVE_MAX 8

/**
 * resolve() - The addresses of a host
 * @host:    a name, or a numeric address with an optional %zone (name or index, also as %25zone)
 * @family:  4, 6, or 0 for both
 * @v:       room for @cap, in the order in which they should be tried, ports 0
 * @timeout: patience with a name server, where that can be told
 *
 * Return: how many, at least 1; or 0 with @why: no such name, no address of that family, no such interface.
 */
size_t resolve(struct slice host, int family, struct addr *v, size_t cap, ns_t timeout, struct fault *why);

#endif
