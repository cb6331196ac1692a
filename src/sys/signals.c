/* SPDX-License-Identifier: MIT */
#include "sys/signals.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted, terminated, report;
static int wake_fd = -1;

/* A second interrupt means now: whatever we are waiting for, the user is not. */
static void note(int sig)
{
	uint64_t one = 1;
	int error = errno;

	if (sig == SIGINT && interrupted)
		_exit(130);
	if (sig == SIGINT)
		interrupted = 1;
	else if (sig == SIGTERM)
		terminated = 1;
	else
		report = 1;
	/* A full one says no: whoever waits is awake already. */
	ssize_t woken = wake_fd >= 0 ? write(wake_fd, &one, sizeof(one)) : 0;

	(void)woken;
	errno = error;
}

void signals_take(void)
{
	static const int ours[] = { SIGINT, SIGTERM, SIGQUIT, SIGUSR1 };
	struct sigaction act = { .sa_handler = note };
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	signals_fd();
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		sigaction(ours[i], &act, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}

bool signals_stop(void)
{
	return interrupted || terminated;
}

bool signals_interrupted(void)
{
	return interrupted;
}

bool signals_report(void)
{
	bool was = report;

	report = 0;
	return was;
}

int signals_fd(void)
{
	if (wake_fd < 0)
		wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return wake_fd;
}

void signals_woken(void)
{
	uint64_t count;

	/* A stop stays readable, so that no wait after it ever sleeps. */
	if (!signals_stop() && read(wake_fd, &count, sizeof(count)) < 0)
		return;
}
