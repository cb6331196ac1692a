/* SPDX-License-Identifier: MIT */
#include "sys/terminal.h"

#include <errno.h>
#include <poll.h>
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

size_t terminal_rows(int fd)
{
	struct winsize size;

	return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : 24;
}

bool terminal_ready(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	/* One that is gone is ready too: the write tells how. */
	return poll(&p, 1, ms) != 0;
}

bool terminal_is_ours(int fd)
{
	pid_t group = tcgetpgrp(fd);

	return group < 0 || group == getpgrp();
}

struct slice terminal_environment(const char *name)
{
	for (char **at = environ; *at; at++) {
		struct slice value = slice_of(*at);

		if (slice_is(slice_cut(&value, '='), name))
			return value;
	}
	return SLICE("");
}

bool terminal_can_redraw(int fd)
{
	struct slice term = terminal_environment("TERM");

	return terminal_is(fd) && term.n > 0 && !slice_is(term, "dumb");
}

bool terminal_utf8(void)
{
	/* What counts for characters, in the order of setlocale(3). */
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	struct slice locale = SLICE("");

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && locale.n == 0; i++)
		locale = terminal_environment(names[i]);
	locale = slice_head(locale, slice_find(locale, '@'));
	return (slice_ends_nocase(locale, SLICE(".utf-8")) || slice_ends_nocase(locale, SLICE(".utf8"))) &&
	       !slice_is(terminal_environment("TERM"), "linux");
}

bool terminal_no_color(void)
{
	return terminal_environment("NO_COLOR").n > 0;
}
