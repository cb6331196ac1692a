/* SPDX-License-Identifier: MIT */
#include "sys/signals.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "sys/screen.h"

static volatile sig_atomic_t interrupted, terminated, report, resized, continued;
static int wake_fd = -1;

static void set_flag(int sig)
{
	if (sig == SIGINT)
		interrupted = 1;
	else if (sig == SIGTERM)
		terminated = 1;
	else if (sig == SIGWINCH)
		resized = 1;
	else if (sig == SIGCONT)
		continued = 1;
	else
		report = 1;
}

/* A second interrupt means now: whatever we are waiting for, the user is not. */
static void note(int sig)
{
	uint64_t one = 1;
	int error = errno;

	if (sig == SIGINT && interrupted) {
		screen_restore();
		_exit(130);
	}
	set_flag(sig);
	/* A full one says no: whoever waits is awake already. */
	ssize_t woken = wake_fd >= 0 ? write(wake_fd, &one, sizeof(one)) : 0;

	(void)woken;
	errno = error;
}

static void take(int sig, void (*handler)(int), unsigned flags)
{
	struct sigaction act = { .sa_handler = handler, .sa_flags = (int)flags };

	sigaction(sig, &act, NULL);
}

void signals_set(int sig, void (*handler)(int))
{
	take(sig, handler, 0);
}

/* Do what the signal does without us. */
static void leave(int sig)
{
	int error = errno;

	screen_restore();
	kill(getpid(), sig);
	/* Only a stop comes back. */
	take(sig, leave, SA_RESETHAND | SA_NODEFER);
	errno = error;
}

void signals_take(void)
{
	static const int ours[] = { SIGINT, SIGTERM, SIGQUIT, SIGUSR1 };

	signals_fd();
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		signals_set(ours[i], note);
	signals_set(SIGPIPE, SIG_IGN);
}

void signals_take_screen(void)
{
	static const int ends[] = { SIGTSTP, SIGHUP, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };

	signals_set(SIGWINCH, note);
	signals_set(SIGCONT, note);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct sigaction was;

		if (sigaction(ends[i], NULL, &was) == 0 && was.sa_handler == SIG_DFL)
			take(ends[i], leave, SA_RESETHAND | SA_NODEFER);
	}
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

bool signals_resized(void)
{
	bool was = resized;

	resized = 0;
	return was;
}

bool signals_continued(void)
{
	bool was = continued;

	continued = 0;
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
