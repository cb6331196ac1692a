/* SPDX-License-Identifier: MIT */
#include "sys/input.h"

#include <errno.h>
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
