/* SPDX-License-Identifier: MIT */
#include "sys/fail.h"

#include <errno.h>
#include <string.h>

int fail_io_of(int error)
{
	switch (error) {
	case EAGAIN:
	case EINPROGRESS:
	case EINTR:
		return IO_AGAIN;
	case ECONNRESET:
	case EPIPE:
	case ECONNABORTED:
		return IO_RESET;
	case ECONNREFUSED:
		return IO_REFUSED;
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
	case EHOSTDOWN:
	case EADDRNOTAVAIL:
	case EAFNOSUPPORT:
		return IO_UNREACHABLE;
	case EADDRINUSE:
		return IO_IN_USE;
	case EMFILE:
	case ENFILE:
		return IO_NO_ROOM;
	case ETIMEDOUT:
		return IO_TIMEOUT;
	case EPERM:
	case EACCES:
		return IO_DENIED;
	default:
		return IO_FAILED;
	}
}

int fail_io(void)
{
	return fail_io_of(errno);
}

bool fail_fault(struct fault *why, const char *what, struct slice object)
{
	char reason[128];
	struct text t;
	int error = errno;

	text_init(&t, reason, sizeof(reason));
	text_str(&t, ": ");
	text_str(&t, strerror(error));
	return fault_set(why, FAULT_HOST, what, object, reason);
}
