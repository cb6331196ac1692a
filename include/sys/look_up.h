/* SPDX-License-Identifier: MIT */
/*
 * A host name to addresses, and an address to its name, in one of two ways that the build chooses (RESOLVE=): by
 * libc, with all that nsswitch.conf(5) knows, or by the stub, which reads /etc/hosts and asks the servers of
 * /etc/resolv.conf.
 * A static program takes the stub: libc's own way needs its shared libraries at run time, or 25 kB.
 * Calls: getaddrinfo, getnameinfo; or open, read, socket, connect, send, recv, poll, close.
 */
#ifndef SYS_LOOK_UP_H
#define SYS_LOOK_UP_H

#include "core/dns.h"
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

/**
 * look_back() - The name of an address
 * @name:     written as dns_parse() has it by the stub, by libc as it likes; "" for none
 * @timeout:  as in look_up()
 *
 * Names come from strangers and prove nothing: show them beside the address, never instead.
 * Return: false where it has none, or nobody said in time.
 */
bool look_back(const struct addr *a, char name[static DNS_TEXT_MAX], ns_t timeout);

#endif
