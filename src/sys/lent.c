/* SPDX-License-Identifier: MIT */
#include "sys/lent.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/sockaddr.h"
#include "sys/terminal.h"

size_t lent_count(void)
{
	uint64_t pid, n;

	if (!slice_uint(terminal_environment("LISTEN_PID"), &pid) || pid != (uint64_t)getpid() ||
		!slice_uint(terminal_environment("LISTEN_FDS"), &n))
		return 0;
	return (size_t)n;
}

static int ask(int fd, int option)
{
	int value = -1;
	socklen_t n = sizeof(value);

	getsockopt(fd, SOL_SOCKET, option, &value, &n);
	return value;
}

enum lent lent_take(int fd, struct addr *ret_at)
{
	struct sockaddr_storage sa;
	socklen_t n = sizeof(sa);
	int type = ask(fd, SO_TYPE);

	if (getsockname(fd, (struct sockaddr *)&sa, &n) != 0 || (type == SOCK_STREAM && ask(fd, SO_ACCEPTCONN) != 1) ||
		fcntl(fd, F_SETFL, O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
		return LENT_UNFIT;
	*ret_at = sockaddr_get(&sa);
	if (ret_at->family == 0)
		return LENT_UNFIT;
	return type == SOCK_STREAM ? LENT_STREAM : type == SOCK_DGRAM ? LENT_DATAGRAM : LENT_UNFIT;
}
