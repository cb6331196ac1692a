/* SPDX-License-Identifier: MIT */
#include "sys/names.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/fail.h"
#include "sys/look_up.h"
#include "sys/privilege.h"
#include "sys/resolve.h"

_Static_assert(NAMES_TEXT_MAX >= FAULT_TEXT_MAX && NAMES_TEXT_MAX >= DNS_TEXT_MAX, "reasons and names fit");

/* Where a child has its socket, and the last descriptor that a shell hands on. */
enum { CHILD_FD = 3, INHERITED_LAST = 255 };

struct question {
	uint32_t tag;
	bool back; /* the name of @addr, else the address of @host */
	struct addr addr;
	int family;
	size_t n;
	char host[256]; /* as many bytes of a longer one are still longer than any name */
};

/* Nothing may be kept open for the parent's readers, and nothing that a library writes may go astray. */
static void keep_only(int fd)
{
	int null = open("/dev/null", O_RDWR);

	for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
		if (dup2(null, i) < 0)
			close(i);
	dup2(fd, CHILD_FD);
	for (int i = CHILD_FD + 1; i <= INHERITED_LAST; i++)
		close(i);
}

/* What a terminal sends to all is for the parent to heed, which tells by its end. */
static void settle(void)
{
	static const int ignored[] = { SIGINT, SIGQUIT, SIGTSTP, SIGUSR1 };
	struct sigaction act = { .sa_handler = SIG_IGN };

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		sigaction(ignored[i], &act, NULL);
	act.sa_handler = SIG_DFL;
	sigaction(SIGTERM, &act, NULL);
	privilege_drop();
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); /* a change of privileges would clear it */
}

static void look(const struct question *q, ns_t timeout, struct names_answer *a)
{
	struct addr v[RESOLVE_MAX];
	struct fault why = { .kind = FAULT_NONE };
	ns_t began = clock_mono();

	if (q->back)
		look_back(&q->addr, a->text, timeout);
	else if (resolve((struct slice){ q->host, q->n }, q->family, v, RESOLVE_MAX, timeout, &why) > 0)
		a->addr = v[0];
	else
		memcpy(a->text, why.text, sizeof(why.text));
	a->took = clock_mono() - began;
}

static _Noreturn void work(ns_t timeout)
{
	struct question q;

	while (recv(CHILD_FD, &q, sizeof(q), 0) == sizeof(q)) {
		struct names_answer a = { .tag = q.tag };

		look(&q, timeout, &a);
		send(CHILD_FD, &a, sizeof(a), MSG_NOSIGNAL);
	}
	_exit(0);
}

static bool start(struct names *n, int fd, ns_t timeout)
{
	pid_t pid = fork();

	if (pid == 0) {
		settle();
		close(n->fd);
		keep_only(fd);
		work(timeout);
	}
	if (pid > 0)
		n->pids[n->workers++] = pid;
	return pid > 0;
}

/* Above the standard streams: where one of these is closed, what is written to it must not go to a child. */
static bool open_pair(int ends[2])
{
	int low[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, low) != 0)
		return false;
	for (size_t i = 0; i < 2; i++) {
		ends[i] = fcntl(low[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		close(low[i]);
	}
	return ends[0] >= 0 && ends[1] >= 0;
}

bool names_open(struct names *n, size_t workers, ns_t timeout, struct fault *why)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	int ends[2];

	*n = (struct names){ .fd = -1 };
	if (!open_pair(ends))
		return fail_fault(why, "cannot open a pair of sockets", SLICE(""));
	n->fd = ends[0];
	sigaction(SIGCHLD, &ignore, NULL);
	while (n->workers < workers && start(n, ends[1], timeout))
		;
	if (n->workers == 0) {
		fail_fault(why, "cannot start a process that looks names up", SLICE(""));
		fault_hint(why, "an address instead of the name, which needs none");
		names_close(n);
	}
	close(ends[1]);
	return n->fd >= 0;
}

static bool ask(struct names *n, const struct question *q)
{
	if (send(n->fd, q, sizeof(*q), MSG_DONTWAIT | MSG_NOSIGNAL) != sizeof(*q))
		return false;
	n->asked++;
	return true;
}

bool names_ask(struct names *n, uint32_t tag, struct slice host, int family)
{
	struct question q = { .tag = tag, .family = family };

	q.n = host.n < sizeof(q.host) ? host.n : sizeof(q.host);
	memcpy(q.host, host.p, q.n);
	return ask(n, &q);
}

bool names_ask_back(struct names *n, uint32_t tag, const struct addr *a)
{
	return ask(n, &(struct question){ .tag = tag, .back = true, .addr = *a });
}

bool names_answer(struct names *n, struct names_answer *ret)
{
	ssize_t got = recv(n->fd, ret, sizeof(*ret), MSG_DONTWAIT);

	if (got == sizeof(*ret)) {
		ret->text[NAMES_TEXT_MAX - 1] = '\0'; /* a child has read what strangers wrote */
		n->asked -= n->asked > 0;
		return true;
	}
	if (got < 0 && fail_io() == IO_AGAIN)
		return false;
	close(n->fd); /* or it would be readable for ever */
	n->fd = -1;
	return false;
}

void names_close(struct names *n)
{
	close(n->fd);
	for (size_t i = 0; i < n->workers; i++)
		if (waitpid(n->pids[i], NULL, WNOHANG) == 0) /* else it has ended, and the number may be a stranger's by now */
			kill(n->pids[i], SIGKILL);
	*n = (struct names){ .fd = -1 };
}
