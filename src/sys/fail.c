/* SPDX-License-Identifier: MIT */
#include "sys/fail.h"

#include <errno.h>

#include "core/text_put.h"

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

/* As glibc has them; libc's own list is twice as long, and each libc's another. Words in the order of the numbers above. */
static const uint16_t told[] = { EPERM, ENOENT, EIO, EBADF, EAGAIN, ENOMEM, EACCES, EBUSY, ENODEV, ENOTDIR, EISDIR, EINVAL, ENFILE,
	EMFILE, EFBIG, ENOSPC, EROFS, EPIPE, ENAMETOOLONG, ENOSYS, EMSGSIZE, ENOPROTOOPT, EPROTONOSUPPORT, ESOCKTNOSUPPORT,
	EOPNOTSUPP, EAFNOSUPPORT, EADDRINUSE, EADDRNOTAVAIL, ENETDOWN, ENETUNREACH, ECONNRESET, ENOBUFS, ETIMEDOUT,
	ECONNREFUSED, EHOSTDOWN, EHOSTUNREACH };
static const char words[] =
	"Operation not permitted\0No such file or directory\0Input/output error\0Bad file descriptor\0"
	"Resource temporarily unavailable\0Cannot allocate memory\0Permission denied\0Device or resource busy\0"
	"No such device\0Not a directory\0Is a directory\0Invalid argument\0Too many open files in system\0"
	"Too many open files\0File too large\0No space left on device\0Read-only file system\0Broken pipe\0"
	"File name too long\0Function not implemented\0Message too long\0Protocol not available\0"
	"Protocol not supported\0Socket type not supported\0Operation not supported\0"
	"Address family not supported by protocol\0Address already in use\0Cannot assign requested address\0"
	"Network is down\0Network is unreachable\0Connection reset by peer\0No buffer space available\0"
	"Connection timed out\0Connection refused\0Host is down\0No route to host";

void fail_put(struct text *t, int error)
{
	size_t i = 0;

	while (i < sizeof(told) / sizeof(told[0]) && told[i] != error)
		i++;
	if (i < sizeof(told) / sizeof(told[0]))
		text_str(t, slice_word(words, i));
	else
		text_put(t, "error %d", (int64_t)error);
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
	fail_put(&t, error);
	return fault_set(why, FAULT_HOST, what, object, reason);
}
