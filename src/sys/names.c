/* SPDX-License-Identifier: MIT */
/*
 * One child, the nurse, looks nothing up: it starts the workers, and another one for each that had to give up in the
 * midst of libc and is of no use after that.
 */
#include "sys/names.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/text_put.h"
#include "sys/child.h"
#include "sys/clock.h"
#include "sys/fail.h"
#include "sys/look_up.h"
#include "sys/privilege.h"
#include "sys/resolve.h"
#include "sys/signals.h"

_Static_assert(NAMES_TEXT_MAX >= FAULT_TEXT_MAX && NAMES_TEXT_MAX >= DNS_TEXT_MAX, "reasons and names fit");

/* The stub keeps its time by itself, and says more. */
#define GRACE (50 * NS_PER_MS)

struct question {
	uint32_t tag;
	bool back; /* the name of @addr, else the address of @host */
	struct addr addr;
	int family;
	size_t n;
	char host[256]; /* as many bytes of a longer one are still longer than any name */
};

/* A worker's answer; for as long as it looks, what it says if it has to give up. */
static struct names_answer answer;
static ns_t began;
static int parent; /* the children's end of the pair */

/* What a terminal sends to all is for the parent to heed, which tells by its end. */
static void settle(void)
{
	static const uint8_t ignored[] = { SIGINT, SIGQUIT, SIGTSTP, SIGUSR1 };

	for (size_t i = 0; i < sizeof(ignored); i++)
		signals_set(ignored[i], SIG_IGN);
	signals_set(SIGTERM, SIG_DFL);
	signals_set(SIGCHLD, SIG_DFL);
	privilege_drop();
}

static void send_answer(void)
{
	answer.took = clock_mono() - began;
	send(parent, &answer, sizeof(answer), MSG_NOSIGNAL);
}

/* In the midst of anything: nothing may be called but what a handler may call. */
static void give_up(int sig)
{
	(void)sig;
	send_answer();
	_exit(1);
}

static void limit(ns_t t)
{
	struct itimerval timer = { .it_interval = { 0, 0 } };

	timer.it_value.tv_sec = (time_t)(t / NS_PER_S);
	timer.it_value.tv_usec = (suseconds_t)(t % NS_PER_S / NS_PER_US);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static void expect_nothing(const struct question *q, ns_t timeout)
{
	struct text t;

	answer = (struct names_answer){ .tag = q->tag };
	text_init(&t, answer.text, sizeof(answer.text));
	if (!q->back)
		text_put(&t, "cannot resolve %q: no answer within %t", (struct slice){ q->host, q->n }, timeout);
}

static void look(const struct question *q, ns_t timeout)
{
	struct names_answer found = { .tag = q->tag };
	struct fault why = { .kind = FAULT_NONE };
	struct addr v[RESOLVE_MAX];

	began = clock_mono();
	expect_nothing(q, timeout);
	limit(timeout + GRACE);
	if (q->back)
		look_back(&q->addr, found.text, timeout);
	else if (resolve((struct slice){ q->host, q->n }, q->family, v, RESOLVE_MAX, timeout, &why) > 0)
		found.addr = v[0];
	else
		memcpy(found.text, why.text, sizeof(why.text));
	limit(0);
	answer = found;
	send_answer();
}

static _Noreturn void work(ns_t timeout, void (*at_limit)(int))
{
	struct question q;

	signals_set(SIGALRM, at_limit);
	while (recv(parent, &q, sizeof(q), 0) == sizeof(q))
		look(&q, timeout);
	_exit(0);
}

/* Where no more processes may be started it works itself, without a limit, since nobody could replace it. */
static _Noreturn void nurse(size_t workers, ns_t timeout)
{
	int status = 1;

	for (size_t n = 0; status != 0; n--) { /* 0: nobody can ask any more */
		for (pid_t pid = 1; n < workers && pid > 0; n += pid > 0)
			if ((pid = child_start()) == 0)
				work(timeout, give_up);
		if (n == 0)
			work(timeout, SIG_IGN);
		wait(&status);
	}
	_exit(0);
}

/* Above the standard streams: where one of these is closed, what is written to it must not go to a child. */
static bool open_pair(int ends[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return false;
	const int low[] = { ends[0], ends[1] };

	if (low[0] > STDERR_FILENO && low[1] > STDERR_FILENO)
		return true;
	bool ok = open_pair(ends); /* while this one takes the room below */

	close(low[0]);
	close(low[1]);
	return ok;
}

bool names_open(struct names *n, size_t workers, ns_t timeout, struct fault *why)
{
	int ends[2];

	*n = (struct names){ .fd = -1 };
	if (!open_pair(ends))
		return fail_fault(why, "cannot open a pair of sockets", SLICE(""));
	n->fd = ends[0];
	signals_set(SIGCHLD, SIG_IGN);
	n->pid = child_start();
	if (n->pid == 0) {
		close(n->fd);
		settle();
		child_keep_only(-1, ends[1]);
		parent = ends[1];
		nurse(workers, timeout);
	}
	if (n->pid < 0) {
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
	if (n->pid > 0 && waitpid(n->pid, NULL, WNOHANG) == 0) /* else the number may be a stranger's by now */
		kill(n->pid, SIGKILL);
	*n = (struct names){ .fd = -1 };
}
