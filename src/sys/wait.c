/* SPDX-License-Identifier: MIT */
#include "sys/wait.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "sys/fail.h"
#include "sys/signals.h"

#define EVENTS_MAX 64

#define SIGNAL_KEY UINT64_MAX

bool wait_open(struct wait *w, struct fault *why)
{
	w->fd = epoll_create1(EPOLL_CLOEXEC);
	if (w->fd < 0)
		return fail_fault(why, "cannot wait for sockets", SLICE(""));
	if (signals_fd() >= 0)
		wait_add(w, signals_fd(), WAIT_IN, SIGNAL_KEY);
	return true;
}

void wait_close(struct wait *w)
{
	close(w->fd);
}

static struct epoll_event interest(unsigned what, uint64_t key)
{
	uint32_t in = what & WAIT_IN ? (uint32_t)EPOLLIN : 0;
	uint32_t out = what & WAIT_OUT ? (uint32_t)EPOLLOUT : 0;

	return (struct epoll_event){ .events = in | out, .data.u64 = key };
}

bool wait_add(struct wait *w, int fd, unsigned what, uint64_t key)
{
	struct epoll_event ev = interest(what, key);

	return epoll_ctl(w->fd, EPOLL_CTL_ADD, fd, &ev) == 0;
}

void wait_change(struct wait *w, int fd, unsigned what, uint64_t key)
{
	struct epoll_event ev = interest(what, key);

	epoll_ctl(w->fd, EPOLL_CTL_MOD, fd, &ev);
}

void wait_remove(struct wait *w, int fd)
{
	epoll_ctl(w->fd, EPOLL_CTL_DEL, fd, NULL);
}

/* Whole milliseconds are too coarse for pacing; kernels before 5.11 have nothing finer here. */
static int wait_ms(int fd, struct epoll_event *v, int n, ns_t sleep)
{
	ns_t ms = sleep < 0 ? -1 : (sleep + NS_PER_MS - 1) / NS_PER_MS;

	return epoll_wait(fd, v, n, ms > 60000 ? 60000 : (int)ms);
}

static int wait_ns(int fd, struct epoll_event *v, int n, ns_t sleep)
{
#ifdef SYS_epoll_pwait2
	static bool missing;
	/* The kernel's own layout of 64-bit time, which libc's struct timespec need not have on 32-bit machines. */
	struct {
		int64_t sec, nsec;
	} ts = { sleep / NS_PER_S, sleep % NS_PER_S };

	if (!missing) {
		long got = syscall(SYS_epoll_pwait2, fd, v, n, sleep < 0 ? NULL : (void *)&ts, NULL, (size_t)0);

		if (got >= 0 || errno == EINTR)
			return (int)got;
		missing = true;
	}
#endif
	return wait_ms(fd, v, n, sleep);
}

size_t wait_next(struct wait *w, ns_t deadline, ns_t now, struct wait_event *v, size_t n)
{
	struct epoll_event got[EVENTS_MAX];
	ns_t sleep = deadline == NS_NEVER ? -1 : ns_max(deadline - now, 0);
	int count = wait_ns(w->fd, got, n < EVENTS_MAX ? (int)n : EVENTS_MAX, sleep);

	size_t ready = 0;

	for (int i = 0; i < count; i++) {
		bool broken = got[i].events & (EPOLLERR | EPOLLHUP);

		if (got[i].data.u64 == SIGNAL_KEY)
			signals_woken();
		else
			v[ready++] = (struct wait_event){ got[i].data.u64, broken || got[i].events & EPOLLIN,
				broken || got[i].events & EPOLLOUT };
	}
	return ready;
}
