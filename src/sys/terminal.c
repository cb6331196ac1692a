/* SPDX-License-Identifier: MIT */
#include "sys/terminal.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sys/fail.h"
#include "sys/signals.h"

static int failure; /* errno of a write that did not succeed */

bool terminal_write(int fd, struct slice s)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);

		if (n > 0) {
			s = slice_from(s, (size_t)n);
		} else if (n < 0 && errno == EAGAIN) { /* somebody else made our output non-blocking */
			struct pollfd p = { .fd = fd, .events = POLLOUT };

			poll(&p, 1, -1);
		} else if (n < 0 && (errno != EINTR || signals_stop())) {
			failure = errno;
			return false;
		}
	}
	return true;
}

bool terminal_fault(struct fault *why)
{
	if (failure == 0 || failure == EPIPE || failure == EINTR)
		return false;
	errno = failure;
	fail_fault(why, "cannot write the result", SLICE(""));
	return true;
}

bool terminal_is(int fd)
{
	return isatty(fd) == 1;
}

size_t terminal_columns(int fd)
{
	struct winsize size;

	return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

bool terminal_can_redraw(int fd)
{
	const char *term = getenv("TERM");

	return terminal_is(fd) && term && term[0] && strcmp(term, "dumb") != 0;
}

bool terminal_no_color(void)
{
	const char *v = getenv("NO_COLOR");

	return v && v[0];
}
