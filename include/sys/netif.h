/* SPDX-License-Identifier: MIT */
/* What this machine is called and where it can be reached. Calls: socket(AF_NETLINK), send, recv, close, gethostname. */
#ifndef SYS_NETIF_H
#define SYS_NETIF_H

#include "core/addr.h"

/* Addresses of this machine's interfaces, as many as fit; link-local IPv6 ones carry their scope. Return: how many. */
size_t netif_addresses(struct addr *v, size_t cap);

/* The host name; nothing where there is none. */
void netif_put_host(struct text *t);

#endif
