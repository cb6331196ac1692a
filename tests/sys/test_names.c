/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "sys/look_up.h"
#include "sys/names.h"
#include "sys/signals.h"

#define PATIENCE_MS 20000
#define WORKERS 4

static struct names names;
static struct fault why;
static int calls;

/* In the place of libc's: knows one name, and two that it does not come back from. No name server is asked here. */
int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
	static struct sockaddr_in sa = { .sin_family = AF_INET };
	static struct addrinfo one = { .ai_family = AF_INET, .ai_addrlen = sizeof(sa) };

	(void)service;
	calls++;
	while (strcmp(host, "hangs.test") == 0)
		pause();
	if (strcmp(host, "kills.test") == 0)
		raise(SIGKILL);
	if (strcmp(host, "localhost") != 0 || hints->ai_family == AF_INET6)
		return EAI_NONAME;
	memcpy(&sa.sin_addr, "\x7f\0\0\1", 4);
	one.ai_addr = (struct sockaddr *)&sa;
	*ret = &one;
	return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
	(void)list;
}

/* The stub has no use for it, and nothing to hang in. */
static bool is_used(void)
{
	struct addr a;

	look_up(SLICE("localhost"), 4, &a, 1, NS_PER_S, &why);
	return calls > 0;
}

static bool wait_for_answer(struct names_answer *a)
{
	struct pollfd p = { names.fd, POLLIN, 0 };

	memset(a, 0xff, sizeof(*a));
	while (!names_answer(&names, a))
		if (names.fd < 0 || poll(&p, 1, PATIENCE_MS) <= 0)
			return false;
	return true;
}

static struct names_answer answer(void)
{
	struct names_answer a;

	assert_true(wait_for_answer(&a));
	return a;
}

static void ask(uint32_t tag, const char *host, int family)
{
	struct guard g = guard_of(host, strlen(host));

	assert_true(names_ask(&names, tag, (struct slice){ g.p, g.n }, family));
	guard_free(&g);
}

static const char *shown(const struct names_answer *a)
{
	static char buf[ADDR_TEXT_MAX];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	addr_put(&t, &a->addr);
	return a->addr.family == 0 ? "" : buf;
}

static int open_names(size_t workers)
{
	assert_true(names_open(&names, workers, NS_PER_S / 10, &why));
	return 0;
}

static int one_worker(void **state)
{
	(void)state;
	return open_names(1);
}

static int some_workers(void **state)
{
	(void)state;
	return open_names(WORKERS);
}

static int close_names(void **state)
{
	(void)state;
	names_close(&names);
	return 0;
}

/* Whoever has answered is ready for anything. */
static bool works(void)
{
	struct names_answer a;

	return names_ask(&names, 9, SLICE("192.0.2.1"), 0) && wait_for_answer(&a) && a.tag == 9;
}

/* What /proc says of a process; "" for nothing. */
static const char *proc(int pid, const char *what)
{
	static char text[4096];
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, what);
	FILE *f = fopen(path, "r");

	text[f ? fread(text, 1, sizeof(text) - 1, f) : 0] = '\0';
	if (f)
		fclose(f);
	return text;
}

/* The workers of this moment. Return: how many. */
static size_t find_workers(int pids[WORKERS + 1])
{
	char what[32];
	size_t n = 0;
	int used;

	snprintf(what, sizeof(what), "task/%d/children", names.pid);
	for (const char *at = proc(names.pid, what); n <= WORKERS && sscanf(at, "%d %n", &pids[n], &used) == 1; n++)
		at += used;
	return n;
}

static void wait_for_workers(int pids[WORKERS + 1], size_t n)
{
	while (find_workers(pids) != n)
		usleep(1000);
}

/* Dead, if perhaps not buried. */
static void wait_for_end(int pid)
{
	const char *name;

	do {
		usleep(1000);
		name = strrchr(proc(pid, "stat"), ')');
	} while (name && name[2] != 'Z');
}

static void hosts_are_answered_with_an_address_or_a_reason(void **state)
{
	static const struct {
		const char *host;
		int family;
		const char *addr, *reason;
	} rows[] = {
		{ "192.0.2.1", 0, "192.0.2.1", "" },
		{ "192.0.2.1", 4, "192.0.2.1", "" },
		{ "192.0.2.1", 6, "", "'192.0.2.1' is not an IPv6 address" },
		{ "2001:DB8::1", 0, "2001:db8::1", "" },
		{ "2001:db8::1", 4, "", "'2001:db8::1' is not an IPv4 address" },
		{ "fe80::1%lo", 0, "fe80::1%1", "" },
		{ "fe80::1%397", 6, "fe80::1%397", "" },
		{ "fe80::1%nonesuch", 0, "", "there is no network interface 'nonesuch'" },
		{ "localhost", 4, "127.0.0.1", "" },
	};

	(void)state;
	for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ask(i, rows[i].host, rows[i].family);
		assert_int_equal(names.asked, 1);
		struct names_answer a = answer();

		assert_int_equal(names.asked, 0);
		assert_int_equal(a.tag, i);
		assert_string_equal(shown(&a), rows[i].addr);
		assert_string_equal(a.text, rows[i].reason);
		assert_true(a.took >= 0 && a.took < 60 * NS_PER_S);
		assert_int_equal(a.addr.port, 0);
	}
}

static void what_can_be_no_name_is_answered_whatever_its_length(void **state)
{
	char host[2000];

	(void)state;
	memset(host, 'x', sizeof(host));
	for (size_t n = 254; n < sizeof(host); n += n < 260 ? 1 : 500) {
		assert_true(names_ask(&names, (uint32_t)n, (struct slice){ host, n }, 0));
		struct names_answer a = answer();

		assert_int_equal(a.tag, n);
		assert_int_equal(a.addr.family, 0);
		assert_memory_equal(a.text, "cannot resolve 'xxxx", 20);
	}
	ask(7, "", 0);
	assert_int_equal(answer().addr.family, 0);
}

static void nothing_is_lost_of_a_host_as_long_as_a_name_may_be(void **state)
{
	char host[253];

	(void)state;
	memset(host, '0', sizeof(host));
	memcpy(host, "fe80::1%", 8);
	host[252] = '1';
	assert_true(names_ask(&names, 3, (struct slice){ host, sizeof(host) }, 0));
	assert_int_equal(answer().addr.scope, 1);
}

/* What hosts(5) says on this machine, which need not be localhost. */
static const char *name_of_loopback(void)
{
	static char name[1024];
	FILE *f = fopen("/etc/hosts", "r");
	char line[1024];

	name[0] = '\0';
	while (f && name[0] == '\0' && fgets(line, sizeof(line), f))
		if (sscanf(line, "127.0.0.1 %1000[^# \t\r\n]", name) != 1)
			name[0] = '\0';
	if (f)
		fclose(f);
	return name;
}

static void an_address_in_hosts_is_answered_with_its_name(void **state)
{
	const char *name = name_of_loopback();

	(void)state;
	if (name[0] == '\0')
		skip(); /* /etc/hosts does not know 127.0.0.1 */
	assert_true(names_ask_back(&names, 5, &(struct addr){ .family = 4, .ip = { 127, 0, 0, 1 }, .port = 80 }));
	struct names_answer a = answer();

	assert_int_equal(a.tag, 5);
	assert_int_equal(a.addr.family, 0);
	assert_string_equal(a.text, name);
}

static void there_is_no_answer_before_a_question(void **state)
{
	struct names_answer a;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_false(names_answer(&names, &a));
	assert_true(names.fd >= 0);
}

/* Far more questions than fit: each has its answer, and it is its own. */
static void each_of_many_questions_has_exactly_one_answer(void **state)
{
	enum { MANY = 3000 };
	static uint8_t times[MANY];
	size_t full = 0;

	(void)state;
	memset(times, 0, sizeof(times));
	for (uint32_t asked = 0, answered = 0; answered < MANY;) {
		char host[32];

		snprintf(host, sizeof(host), "10.0.%u.%u", (unsigned)asked / 256, (unsigned)asked % 256);
		if (asked < MANY && names_ask(&names, asked, slice_of(host), 0)) {
			asked++;
			continue;
		}
		full += asked < MANY;
		struct names_answer a = answer();

		assert_true(a.tag < MANY);
		assert_int_equal(a.addr.ip[2] * 256 + a.addr.ip[3], a.tag);
		times[a.tag]++;
		answered++;
		assert_int_equal(names.asked, asked - answered);
	}
	assert_true(full > 0);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(times[i], 1);
}

/* More of them than there are workers: who gave up is replaced. */
static void a_name_that_hangs_in_libc_is_given_up_and_the_next_ones_are_answered(void **state)
{
	uint32_t tags = 0;

	(void)state;
	if (!is_used())
		skip(); /* the stub keeps its time by itself */
	for (uint32_t i = 0; i < 2 * WORKERS; i++)
		ask(i, "hangs.test", 0);
	for (uint32_t i = 0; i < 2 * WORKERS; i++) {
		struct names_answer a = answer();

		assert_string_equal(a.text, "cannot resolve 'hangs.test': no answer within 100 ms");
		assert_int_equal(a.addr.family, 0);
		assert_true(a.took >= NS_PER_S / 10);
		tags |= 1u << a.tag;
	}
	assert_int_equal(tags, (1u << 2 * WORKERS) - 1);
	for (uint32_t i = 0; i < 100; i++) {
		ask(i, "localhost", 4);
		struct names_answer a = answer();

		assert_int_equal(a.tag, i);
		assert_string_equal(shown(&a), "127.0.0.1");
	}
}

static void a_worker_that_dies_takes_its_question_along_and_is_replaced(void **state)
{
	(void)state;
	if (!is_used())
		skip(); /* the stub does not die of a name */
	for (uint32_t i = 0; i < 3 * WORKERS; i++)
		ask(i, "kills.test", 0);
	ask(99, "localhost", 4);
	assert_int_equal(answer().tag, 99);
	assert_int_equal(names.asked, 3 * WORKERS);
}

static void where_every_child_is_dead_that_is_told_once_and_nothing_spins(void **state)
{
	struct pollfd p = { names.fd, POLLIN, 0 };
	int pids[WORKERS + 1];
	struct names_answer a;

	(void)state;
	assert_true(works());
	wait_for_workers(pids, 1);
	kill(pids[0], SIGSTOP);
	ask(1, "192.0.2.1", 0); /* nobody takes it: the end is a reset then */
	kill(names.pid, SIGKILL);
	while (names.fd >= 0) {
		assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
		assert_false(names_answer(&names, &a));
	}
	assert_false(names_ask(&names, 2, SLICE("192.0.2.1"), 0));
	assert_false(names_ask_back(&names, 2, &(struct addr){ .family = 4 }));
	assert_false(names_answer(&names, &a));
	assert_int_equal(fcntl(p.fd, F_GETFD), -1);
}

static void a_question_to_nobody_is_refused_and_no_signal_comes(void **state)
{
	int pids[WORKERS + 1];

	(void)state;
	assert_true(works());
	wait_for_workers(pids, 1);
	kill(names.pid, SIGKILL);
	wait_for_end(pids[0]);
	wait_for_end(names.pid);
	assert_false(names_ask(&names, 1, SLICE("192.0.2.1"), 0));
	assert_int_equal(names.asked, 0);
}

/* Stopped: it can neither see the end of the socket nor end by itself. */
static void closing_ends_a_child_that_is_stuck(void **state)
{
	int pids[WORKERS + 1], nurse = names.pid, fd = names.fd;
	struct names_answer a;

	(void)state;
	assert_true(works());
	wait_for_workers(pids, 1);
	kill(pids[0], SIGSTOP);
	kill(nurse, SIGSTOP);
	names_close(&names);
	wait_for_end(pids[0]);
	wait_for_end(nurse);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(names.fd, -1);
	assert_false(names_ask(&names, 1, SLICE("192.0.2.1"), 0));
	assert_false(names_answer(&names, &a));
}

/* Whoever ignores SIGCHLD has waited when the child is gone, and is told that there is none. */
static void a_child_that_ends_leaves_nothing_behind(void **state)
{
	(void)state;
	kill(names.pid, SIGKILL);
	assert_int_equal(waitpid(names.pid, NULL, 0), -1);
	assert_int_equal(errno, ECHILD);
	assert_string_equal(proc(names.pid, "stat"), "");
}

/* Says so whenever it is asked. */
static _Noreturn void live(int in, int out)
{
	char c;

	while (read(in, &c, 1) == 1 && write(out, &c, 1) == 1)
		;
	_exit(0);
}

/* The number of a child that has ended may be that of somebody else, here of a child's child. */
static void closing_kills_none_but_our_own_child(void **state)
{
	int in[2], out[2], pid = 0;
	char c = 'x';

	(void)state;
	kill(names.pid, SIGKILL);
	waitpid(names.pid, NULL, 0);
	assert_int_equal(pipe(in) | pipe(out), 0);
	if (fork() == 0) {
		pid = fork();
		if (pid == 0) {
			close(in[1]);
			live(in[0], out[1]);
		}
		_exit(write(out[1], &pid, sizeof(pid)) != sizeof(pid));
	}
	close(in[0]);
	close(out[1]);
	assert_int_equal(read(out[0], &pid, sizeof(pid)), sizeof(pid));
	names.pid = pid;
	names_close(&names);
	assert_int_equal(write(in[1], &c, 1), 1);
	assert_int_equal(read(out[0], &c, 1), 1);
	close(in[1]);
	close(out[0]);
}

static void a_child_heeds_no_signal_from_the_terminal(void **state)
{
	static const int signals[] = { SIGINT, SIGQUIT, SIGTSTP, SIGUSR1 };
	int pids[WORKERS + 1], after[WORKERS + 1], nurse;

	(void)state;
	signals_take();
	open_names(1);
	nurse = names.pid;
	ask(1, "192.0.2.1", 0);
	assert_int_equal(answer().tag, 1);
	wait_for_workers(pids, 1);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		for (int twice = 0; twice < 2; twice++)
			assert_int_equal(kill(pids[0], signals[i]) | kill(nurse, signals[i]), 0);
	ask(2, "192.0.2.1", 0);
	assert_int_equal(answer().tag, 2);
	assert_true(find_workers(after) == 1 && after[0] == pids[0]);
	kill(nurse, SIGTERM);
	wait_for_end(nurse);
	wait_for_end(pids[0]);
	names_close(&names);
}

static void a_child_has_no_privilege(void **state)
{
	int pids[WORKERS + 1];

	(void)state;
	assert_true(works());
	wait_for_workers(pids, 1);
	pids[1] = names.pid;
	for (size_t i = 0; i < 2; i++) {
		assert_non_null(strstr(proc(pids[i], "status"), "CapPrm:\t0000000000000000\n"));
		assert_non_null(strstr(proc(pids[i], "status"), "CapEff:\t0000000000000000\n"));
		assert_non_null(strstr(proc(pids[i], "status"), "NoNewPrivs:\t1\n"));
	}
}

/* What @what returns in a process of its own that reports to @fd. */
static int apart(int (*what)(int fd), int fd)
{
	int status;

	signal(SIGCHLD, SIG_DFL);
	pid_t pid = fork();

	if (pid == 0) {
		alarm(50);
		_exit(what(fd));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Everything that a reader waits for the end of: the standard streams, and files of whoever started us. */
static int read_to_the_end(int fd)
{
	int ends[2];
	char c;

	if (pipe(ends) != 0 || fcntl(ends[1], F_DUPFD, 100) < 0)
		return 1;
	for (int i = 0; i < 3; i++)
		dup2(ends[1], i);
	if (!names_open(&names, WORKERS, NS_PER_S, &why))
		return 2;
	for (int i = 0; i < 200; i++)
		if (i != ends[0] && i != names.fd && i != fd)
			close(i);
	if (read(ends[0], &c, 1) != 0 || !works())
		return 3;
	names_close(&names);
	return 0;
}

static void a_child_keeps_no_file_of_ours_open(void **state)
{
	(void)state;
	assert_int_equal(apart(read_to_the_end, -1), 0);
}

/* As when the parent dies where the kernel tells nobody; beyond what a child closes without knowing. */
static void the_children_end_when_nobody_can_ask_any_more(void **state)
{
	int low = open("/dev/null", O_RDONLY), last = low, pids[WORKERS + 1];

	(void)state;
	while (last >= 0 && last < 300)
		last = dup(low);
	assert_int_equal(last, 300);
	open_names(WORKERS);
	assert_true(names.fd > 300);
	wait_for_workers(pids, WORKERS);
	close(names.fd);
	wait_for_end(names.pid);
	for (size_t i = 0; i < WORKERS; i++)
		wait_for_end(pids[i]);
	names_close(&names);
	for (int fd = low; fd <= last; fd++)
		close(fd);
}

static int without_standard_streams(int fd)
{
	(void)fd;
	for (int i = 0; i < 3; i++)
		close(i);
	if (!names_open(&names, 2, NS_PER_S, &why) || names.fd < 3)
		return 1;
	for (int i = 0; i < 3; i++)
		if (write(i, "x", 1) >= 0 || errno != EBADF)
			return 2;
	if (!works())
		return 3;
	names_close(&names);
	return 0;
}

static void with_the_standard_streams_closed_nothing_is_mistaken_for_them(void **state)
{
	(void)state;
	assert_int_equal(apart(without_standard_streams, -1), 0);
}

/* Ends without closing. A stopped child cannot see the end of its socket. */
static int leave_children_behind(int fd)
{
	int pids[WORKERS + 1];

	if (!names_open(&names, 1, NS_PER_S, &why) || !works())
		return 1;
	wait_for_workers(pids, 1);
	kill(pids[0], SIGSTOP);
	pids[1] = names.pid;
	return write(fd, pids, 2 * sizeof(int)) == 2 * sizeof(int) ? 0 : 2;
}

static void the_children_end_with_their_parent(void **state)
{
	int ends[2], pids[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(apart(leave_children_behind, ends[1]), 0);
	assert_int_equal(read(ends[0], pids, sizeof(pids)), sizeof(pids));
	wait_for_end(pids[0]);
	wait_for_end(pids[1]);
	close(ends[0]);
	close(ends[1]);
}

/* Root may have as many processes as it likes; this user has this one alone. */
static bool become_a_user(void)
{
	unsigned id = 60000 + (unsigned)getpid() % 4000;

	return geteuid() != 0 || (setgroups(0, NULL) == 0 && setgid(id) == 0 && setuid(id) == 0);
}

static int with_no_process_left(int fd)
{
	struct rlimit none = { 0, 0 };
	struct names_answer a;

	if (!become_a_user() || setrlimit(RLIMIT_NPROC, &none) != 0)
		return 1;
	if (names_open(&names, 8, NS_PER_S, &why) || names.fd != -1)
		return 2;
	if (names_ask(&names, 1, SLICE("192.0.2.1"), 0) || names_answer(&names, &a))
		return 3;
	names_close(&names);
	return write(fd, &why, sizeof(why)) == sizeof(why) ? 0 : 4;
}

static int with_few_processes_left(int fd)
{
	struct rlimit few = { (rlim_t)fd, (rlim_t)fd };
	bool used = is_used();
	int pids[WORKERS + 1];
	struct names_answer a;

	if (!become_a_user() || setrlimit(RLIMIT_NPROC, &few) != 0)
		return 1;
	if (!names_open(&names, 8, NS_PER_S / 10, &why) || !works() || !works())
		return 2;
	wait_for_workers(pids, (size_t)fd - 2);
	if (used && !names_ask(&names, 1, SLICE("hangs.test"), 0))
		return 3;
	if (used && fd > 2 && (!wait_for_answer(&a) || !works()))
		return 4;
	if (used && fd == 2 && poll(&(struct pollfd){ names.fd, POLLIN, 0 }, 1, 300) != 0) /* nobody could replace it */
		return 5;
	names_close(&names);
	return 0;
}

static void fewer_children_than_asked_for_will_do(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip(); /* who knows how many processes this user has */
	assert_int_equal(apart(with_few_processes_left, 4), 0);
	assert_int_equal(apart(with_few_processes_left, 3), 0);
	assert_int_equal(apart(with_few_processes_left, 2), 0);
}

static void where_no_process_may_be_started_that_is_said(void **state)
{
	struct fault told;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(apart(with_no_process_left, ends[1]), 0);
	assert_int_equal(read(ends[0], &told, sizeof(told)), sizeof(told));
	assert_int_equal(told.kind, FAULT_HOST);
	assert_string_equal(told.text, "cannot start a process that looks names up: Resource temporarily unavailable");
	assert_string_equal(told.hints[0], "an address instead of the name, which needs none");
	close(ends[0]);
	close(ends[1]);
}

static int with_no_descriptor_left(int fd)
{
	struct rlimit few = { 7, 7 };
	int last = 0;

	while (last < 6)
		last = dup(fd);
	setrlimit(RLIMIT_NOFILE, &few);
	if (names_open(&names, 1, NS_PER_S, &why) || names.fd != -1)
		return 1;
	return strcmp(why.text, "cannot open a pair of sockets: Too many open files") == 0 ? 0 : 2;
}

static void where_no_descriptor_is_left_that_is_said(void **state)
{
	(void)state;
	assert_int_equal(apart(with_no_descriptor_left, STDERR_FILENO), 0);
}

#define WITH(setup, test) cmocka_unit_test_setup_teardown(test, setup, close_names)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(one_worker, hosts_are_answered_with_an_address_or_a_reason),
		WITH(one_worker, what_can_be_no_name_is_answered_whatever_its_length),
		WITH(one_worker, nothing_is_lost_of_a_host_as_long_as_a_name_may_be),
		WITH(one_worker, an_address_in_hosts_is_answered_with_its_name),
		WITH(some_workers, there_is_no_answer_before_a_question),
		WITH(some_workers, each_of_many_questions_has_exactly_one_answer),
		WITH(some_workers, a_name_that_hangs_in_libc_is_given_up_and_the_next_ones_are_answered),
		WITH(some_workers, a_worker_that_dies_takes_its_question_along_and_is_replaced),
		WITH(one_worker, where_every_child_is_dead_that_is_told_once_and_nothing_spins),
		WITH(one_worker, a_question_to_nobody_is_refused_and_no_signal_comes),
		WITH(one_worker, closing_ends_a_child_that_is_stuck),
		WITH(one_worker, a_child_that_ends_leaves_nothing_behind),
		WITH(one_worker, closing_kills_none_but_our_own_child),
		cmocka_unit_test(a_child_heeds_no_signal_from_the_terminal),
		WITH(one_worker, a_child_has_no_privilege),
		cmocka_unit_test(a_child_keeps_no_file_of_ours_open),
		cmocka_unit_test(the_children_end_when_nobody_can_ask_any_more),
		cmocka_unit_test(with_the_standard_streams_closed_nothing_is_mistaken_for_them),
		cmocka_unit_test(the_children_end_with_their_parent),
		cmocka_unit_test(fewer_children_than_asked_for_will_do),
		cmocka_unit_test(where_no_process_may_be_started_that_is_said),
		cmocka_unit_test(where_no_descriptor_is_left_that_is_said),
	};

	alarm(60); /* what hangs has failed */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
