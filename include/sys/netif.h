/* SPDX-License-Identifier: MIT */
/* What this machine is called and where it can be reached. Calls: getifaddrs, gethostname. */
#ifndef SYS_NETIF_H
#define SYS_NETIF_H

#include "core/addr.h"

/* Addresses of interfaces that are up, as many as fit; link-local ones carry their scope. Return: how many. */
size_t netif_addresses(struct addr *v, size_t cap);

/* The interface's name behind an index, "" where there is none. */
void netif_put_name(struct text *t, uint32_t index);

/* The host name, "" where there is none. */
void netif_put_host(struct text *t);

#endif
