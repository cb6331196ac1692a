/* SPDX-License-Identifier: MIT */
#include "sys/signals.h"

#include <stddef.h>

static volatile sig_atomic_t interrupted, terminated, report;
static sigset_t waiting;
static bool taken;

static void note(int sig)
{
	if (sig == SIGINT)
		interrupted = 1;
	else if (sig == SIGTERM)
		terminated = 1;
	else
		report = 1;
}

void signals_take(void)
{
	static const int ours[] = { SIGINT, SIGTERM, SIGQUIT, SIGUSR1 };
	struct sigaction act = { .sa_handler = note };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t block;

	sigemptyset(&block);
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		sigaddset(&block, ours[i]);
		sigaction(ours[i], &act, NULL);
	}
	sigaction(SIGPIPE, &ignore, NULL);
	sigprocmask(SIG_BLOCK, &block, &waiting);
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		sigdelset(&waiting, ours[i]);
	taken = true;
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

const sigset_t *signals_mask(void)
{
	return taken ? &waiting : NULL;
}
