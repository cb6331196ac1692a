/* SPDX-License-Identifier: MIT */
/* Between our addresses and the kernel's. Calls: none. */
#ifndef SYS_SOCKADDR_H
#define SYS_SOCKADDR_H

#include <sys/socket.h>

#include "core/addr.h"

/* Return: the length of what was written. */
socklen_t sockaddr_put(struct sockaddr_storage *out, const struct addr *a);

/* An IPv4-mapped IPv6 address becomes IPv4; another family than the two gives family 0. */
struct addr sockaddr_get(const void *sa);

#endif
