/* SPDX-License-Identifier: MIT */
/*
 * A host name to addresses, in one of two ways that the build chooses (RESOLVE=): by libc, with all that
 * nsswitch.conf(5) knows, or by the stub, which reads /etc/hosts and asks the servers of /etc/resolv.conf.
 * A static program takes the stub: libc's own way needs its shared libraries at run time, or 25 kB.
 * Calls: getaddrinfo; or open, read, socket, connect, send, recv, poll, close.
 */
#ifndef SYS_LOOK_UP_H
#define SYS_LOOK_UP_H

#include "core/addr.h"
#include "core/fault.h"
#include "core/ns.h"

/**
 * look_up() - The addresses of a name, in the order in which they should be tried, ports 0
 * @name:     no numeric address
 * @family:   4, 6, or 0 for both
 * @v:        room for @cap
 * @timeout:  patience for the whole of it; libc's own way cannot be told
 *
 * Return: how many; or 0 with @why, FAULT_HOST: "cannot resolve 'name': Name or service not known".
 */
size_t look_up(struct slice name, int family, struct addr *v, size_t cap, ns_t timeout, struct fault *why);

#endif
