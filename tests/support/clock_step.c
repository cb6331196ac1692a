/* SPDX-License-Identifier: MIT */
/*
 * For LD_PRELOAD: the wall clock is set while a program runs, and the kernel's packet stamps with it. Nothing but this
 * process sees it.
 *
 * CLOCK_STEPS="500:3600 900:-7200": so many milliseconds after the start, by so many seconds.
 * CLOCK_MAD="0 3600 -3600": every look at the wall clock is off by the next of these, the stamps by none.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define MANY 64
#define NS_PER_S INT64_C(1000000000)

static struct step {
	int64_t at, by; /* ns; `at` on the true wall clock */
} steps[MANY], mad[MANY];
static size_t n_steps, n_mad, looks;

static int (*true_gettime)(clockid_t, struct timespec *);
static ssize_t (*true_recvmsg)(int, struct msghdr *, int);
static int (*true_recvmmsg)(int, struct mmsghdr *, unsigned, int, struct timespec *);

static int64_t ns_of(const struct timespec *ts)
{
	return (int64_t)ts->tv_sec * NS_PER_S + ts->tv_nsec;
}

static size_t read_list(const char *name, struct step *v, int64_t start, int timed)
{
	char *s = getenv(name);
	size_t n = 0;

	while (s && *s && n < MANY) {
		if (timed)
			v[n].at = start + strtoll(s, &s, 10) * 1000000;
		v[n++].by = strtoll(*s == ':' ? s + 1 : s, &s, 10) * NS_PER_S;
		while (*s == ' ')
			s++;
	}
	return n;
}

__attribute__((constructor)) static void begin(void)
{
	struct timespec now;

	true_gettime = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
	true_recvmsg = (ssize_t (*)(int, struct msghdr *, int))dlsym(RTLD_NEXT, "recvmsg");
	true_recvmmsg = (int (*)(int, struct mmsghdr *, unsigned, int, struct timespec *))dlsym(RTLD_NEXT, "recvmmsg");
	true_gettime(CLOCK_REALTIME, &now);
	n_steps = read_list("CLOCK_STEPS", steps, ns_of(&now), 1);
	n_mad = read_list("CLOCK_MAD", mad, 0, 0);
}

/* What the clock, as it has been set by then, shows at a true time. */
static void shift(struct timespec *ts)
{
	int64_t at = ns_of(ts), shown = at;

	for (size_t i = 0; i < n_steps; i++)
		if (at >= steps[i].at)
			shown += steps[i].by;
	*ts = (struct timespec){ .tv_sec = (time_t)(shown / NS_PER_S), .tv_nsec = (long)(shown % NS_PER_S) };
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
	int done = true_gettime(id, ts);

	if (done != 0 || id != CLOCK_REALTIME)
		return done;
	shift(ts);
	if (n_mad > 0)
		ts->tv_sec += (time_t)(mad[looks++ % n_mad].by / NS_PER_S);
	return done;
}

/* SO_TIMESTAMPING, old and new: three times, of which the first is software's and 0 is none. */
static void shift_stamps(struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		struct timespec ts;

		if (c->cmsg_level != SOL_SOCKET || (c->cmsg_type != 37 && c->cmsg_type != 65) ||
			c->cmsg_len < CMSG_LEN(3 * sizeof(ts)))
			continue;
		memcpy(&ts, CMSG_DATA(c), sizeof(ts));
		if (ts.tv_sec == 0)
			continue;
		shift(&ts);
		memcpy(CMSG_DATA(c), &ts, sizeof(ts));
	}
}

ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
	ssize_t n = true_recvmsg(fd, m, flags);

	if (n >= 0)
		shift_stamps(m);
	return n;
}

int recvmmsg(int fd, struct mmsghdr *v, unsigned many, int flags, struct timespec *timeout)
{
	int n = true_recvmmsg(fd, v, many, flags, timeout);

	for (int i = 0; i < n; i++)
		shift_stamps(&v[i].msg_hdr);
	return n;
}
