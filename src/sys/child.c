/* SPDX-License-Identifier: MIT */
#include "sys/child.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <unistd.h>

/* The last descriptor that a shell hands on, or that we may have opened. */
#define INHERITED_LAST 255

/*
 * fork() also calls what other parts of a program asked to be called, and keeps one with threads whole: there is neither
 * here, and in a static program it costs 2 kB. glibc has had the bare one since 2.34 only.
 */
#ifdef __GLIBC__
#define _Fork fork
#endif

int child_start(void)
{
	int pid = _Fork();

	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	return pid;
}

void child_keep_only(int out, int keep)
{
	bool taken = dup2(out, STDOUT_FILENO) >= 0;
	int null = open("/dev/null", O_RDWR); /* only now, since it may get the number of any that is closed */

	for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
		if (!(taken && i == STDOUT_FILENO) && dup2(null, i) < 0)
			close(i);
	for (int i = STDERR_FILENO + 1; i <= INHERITED_LAST; i++)
		if (i != keep)
			close(i);
}
