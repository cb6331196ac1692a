/* SPDX-License-Identifier: MIT */
#include "sys/input.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "sys/fail.h"

bool input_read(char *p, size_t cap, size_t *ret_n, struct fault *why)
{
	size_t n = 0;
	ssize_t got = 1;

	while (n < cap && got != 0) {
		got = read(STDIN_FILENO, p + n, cap - n);
		if (got < 0 && errno != EINTR)
			return fail_fault(why, "cannot read the list on standard input", SLICE(""));
		n += got > 0 ? (size_t)got : 0;
	}
	for (size_t i = 0; i < n; i++)
		if (p[i] == '\0')
			p[i] = '\n';
	*ret_n = n;
	return true;
}

struct slice input_file(const char *path, char *buf, size_t cap)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, buf, cap) : -1;

	if (fd >= 0)
		close(fd);
	return (struct slice){ buf, n > 0 ? (size_t)n : 0 };
}
