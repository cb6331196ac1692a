/* SPDX-License-Identifier: MIT */
#include "sys/random.h"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include "sys/fail.h"

bool random_fill(void *out, size_t n, struct fault *why)
{
	if (getrandom(out, n, 0) == (ssize_t)n)
		return true;
	int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
	bool ok = fd >= 0 && read(fd, out, n) == (ssize_t)n;

	if (!ok)
		fail_fault(why, "cannot get random bytes", SLICE(""));
	if (fd >= 0)
		close(fd);
	return ok;
}
