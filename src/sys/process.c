/* SPDX-License-Identifier: MIT */
#include "sys/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/child.h"
#include "sys/fail.h"
#include "sys/privilege.h"
#include "sys/signals.h"
#include "sys/terminal.h"

/* A path of its own: what is run does not depend on PATH. */
#define BROWSER "/usr/bin/xdg-open"

static void signals_as_usual(void)
{
	/* All of old, also those that give a terminal back: the child has none. */
	for (int sig = 1; sig < 32; sig++)
		signals_set(sig, SIG_DFL);
}

/* Both of us would be woken by what is written to one: the child gets an event of its own under the same number. */
static int renew_signals(void)
{
	int was = signals_fd(), fresh = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	dup3(fresh, was, O_CLOEXEC);
	signals_as_usual();
	return was;
}

bool process_start(struct process *ret, int (*f)(int argc, char **argv), int argc, char **argv, struct fault *why)
{
	int parent = getpid(), ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return fail_fault(why, "cannot open a pipe", SLICE(""));
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	signals_set(SIGCHLD, SIG_DFL); /* ignored, it would leave nothing to wait for */
	int pid = child_start();

	if (pid == 0) {
		child_keep_only(ends[1], renew_signals());
		_exit(getppid() == parent ? f(argc, argv) : 1);
	}
	if (pid < 0) {
		fail_fault(why, "cannot start a process", SLICE(""));
		close(ends[0]);
	}
	close(ends[1]);
	*ret = (struct process){ .fd = ends[0], .pid = pid };
	return pid > 0;
}

long process_read(struct process *p, char *buf, size_t cap)
{
	ssize_t n = read(p->fd, buf, cap);

	if (n > 0)
		return n;
	int io = n == 0 ? IO_END : fail_io();

	p->ended = io != IO_AGAIN;
	return io;
}

void process_interrupt(const struct process *p)
{
	kill(p->pid, SIGINT);
}

int process_end(struct process *p)
{
	int status = 0;

	close(p->fd);
	if (!p->ended)
		kill(p->pid, SIGKILL);
	while (waitpid(p->pid, &status, 0) < 0 && fail_io() == IO_AGAIN)
		continue;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 130;
}

bool process_browse(const char *url)
{
	char *const argv[] = { (char *)"xdg-open", (char *)url, NULL };

	if (terminal_environment("DISPLAY").n + terminal_environment("WAYLAND_DISPLAY").n == 0 || getuid() == 0 ||
		access(BROWSER, X_OK) != 0)
		return false;
	int pid = child_start();

	if (pid == 0) {
		/* It outlives us, and what the terminal sends to us. */
		prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
		setsid();
		child_keep_only(-1, -1);
		signals_as_usual();
		if (privilege_leave())
			execve(BROWSER, argv, environ);
		_exit(1);
	}
	return pid > 0;
}
