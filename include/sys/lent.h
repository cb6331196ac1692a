/* SPDX-License-Identifier: MIT */
/*
 * Sockets that whoever started us has opened for us, sd_listen_fds(3). Calls: getpid, getsockopt, getsockname, fcntl.
 */
#ifndef SYS_LENT_H
#define SYS_LENT_H

#include "core/addr.h"

#define LENT_FIRST 3 /* the first one's descriptor; the others follow */

enum lent { LENT_UNFIT, LENT_STREAM, LENT_DATAGRAM };

/* How many there are for this very process. */
size_t lent_count(void);

/* Make one ours, non-blocking. Return: what it listens for, with its address; LENT_UNFIT for anything else. */
enum lent lent_take(int fd, struct addr *ret_at);

#endif
