/* SPDX-License-Identifier: MIT */
/*
 * With words it is no test but a tool for the lab: `test_names WORKERS PATIENCE_MS WORD…` asks for each word, which is
 * a host, `4:HOST`, `6:HOST`, or `@ADDRESS` for its name, and prints each answer as it comes.
 */
#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "core/json.h"
#include "sys/clock.h"
#include "sys/names.h"
#include "sys/signals.h"

#define PATIENCE_MS 20000

static struct names names;
static struct fault why;

static bool wait_for_answer(struct names *n, struct names_answer *a)
{
	struct pollfd p = { n->fd, POLLIN, 0 };

	while (!names_answer(n, a))
		if (n->fd < 0 || poll(&p, 1, PATIENCE_MS) <= 0)
			return false;
	return true;
}

static struct names_answer answer(void)
{
	struct names_answer a;

	memset(&a, 0xff, sizeof(a));
	assert_true(wait_for_answer(&names, &a));
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
	assert_true(names_open(&names, workers, 2 * NS_PER_S, &why));
	return 0;
}

static int one_child(void **state)
{
	(void)state;
	return open_names(1);
}

static int eight_children(void **state)
{
	(void)state;
	return open_names(8);
}

static int close_names(void **state)
{
	(void)state;
	names_close(&names);
	return 0;
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
	memset(host, '0', sizeof(host));
	memcpy(host, "fe80::1%", 8);
	host[252] = '1';
	assert_true(names_ask(&names, 3, (struct slice){ host, 253 }, 0)); /* none of it may be lost */
	assert_int_equal(answer().addr.scope, 1);
	ask(7, "", 0);
	assert_int_equal(answer().addr.family, 0);
}

/* What hosts(5) says on this machine, which need not be localhost. */
static const char *name_of_loopback(void)
{
	static char line[1024], name[1024];
	FILE *f = fopen("/etc/hosts", "r");

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

/* Until it is dead it may take a question. */
static void kill_child(size_t i)
{
	kill(names.pids[i], SIGKILL);
	assert_int_equal(waitpid(names.pids[i], NULL, 0), -1);
}

static void a_child_that_is_killed_leaves_the_work_to_the_others(void **state)
{
	(void)state;
	for (size_t i = 1; i < names.workers; i++)
		kill_child(i);
	for (uint32_t i = 0; i < 20; i++) {
		ask(i, "192.0.2.1", 0);
		assert_int_equal(answer().tag, i);
	}
}

static void where_every_child_is_dead_that_is_told_once_and_nothing_spins(void **state)
{
	struct pollfd p = { names.fd, POLLIN, 0 };
	struct names_answer a;

	(void)state;
	for (size_t i = 0; i < names.workers; i++)
		kill(names.pids[i], SIGSTOP);
	ask(1, "192.0.2.1", 0); /* nobody takes it: the end is a reset then */
	for (size_t i = 0; i < names.workers; i++)
		kill(names.pids[i], SIGKILL);
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
	(void)state;
	open_names(2);
	for (size_t i = 0; i < names.workers; i++)
		kill_child(i);
	assert_false(names_ask(&names, 1, SLICE("192.0.2.1"), 0));
	assert_int_equal(names.asked, 0);
	names_close(&names);
}

/* Stopped: it can neither see the end of the socket nor end by itself. */
static void closing_ends_a_child_that_is_stuck(void **state)
{
	struct names_answer a;

	(void)state;
	open_names(3);
	kill(names.pids[1], SIGSTOP);
	int fd = names.fd;

	names_close(&names);
	assert_int_equal(waitpid(-1, NULL, 0), -1);
	assert_int_equal(errno, ECHILD);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(names.fd, -1);
	assert_false(names_ask(&names, 1, SLICE("192.0.2.1"), 0));
	assert_false(names_answer(&names, &a));
	names_close(&names);
}

/* Whoever ignores SIGCHLD has waited when the child is gone, and is told that there is none. */
static void a_child_that_ends_leaves_nothing_behind(void **state)
{
	char path[64];

	(void)state;
	open_names(2);
	snprintf(path, sizeof(path), "/proc/%d", names.pids[0]);
	kill_child(0);
	assert_int_equal(errno, ECHILD);
	assert_int_equal(access(path, F_OK), -1);
	names_close(&names);
}

/* Says so whenever it is asked. */
static _Noreturn void live(int in, int out)
{
	char c;

	while (read(in, &c, 1) == 1 && write(out, &c, 1) == 1)
		;
	_exit(0);
}

/* The number of a child that has ended may be that of somebody else, here of a child of ours that is a parent itself. */
static void closing_kills_none_but_our_own_children(void **state)
{
	int in[2], out[2], pid = 0;
	char c = 'x';

	(void)state;
	open_names(1);
	kill_child(0);
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
	names.pids[0] = pid;
	names_close(&names);
	assert_int_equal(write(in[1], &c, 1), 1);
	assert_int_equal(read(out[0], &c, 1), 1);
	close(in[1]);
	close(out[0]);
}

static void a_child_heeds_no_signal_from_the_terminal(void **state)
{
	static const int signals[] = { SIGINT, SIGQUIT, SIGTSTP, SIGUSR1 };

	(void)state;
	signals_take();
	open_names(1);
	signal(SIGCHLD, SIG_DFL);
	ask(1, "192.0.2.1", 0);
	assert_int_equal(answer().tag, 1);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		for (int twice = 0; twice < 2; twice++)
			kill(names.pids[0], signals[i]);
	ask(2, "192.0.2.1", 0);
	assert_int_equal(answer().tag, 2);
	kill(names.pids[0], SIGTERM);
	int status;

	assert_int_equal(waitpid(names.pids[0], &status, 0), names.pids[0]);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	names_close(&names);
}

/* The number behind @key in /proc/PID/status, in hexadecimal. */
static unsigned long long status_of(int pid, const char *key)
{
	char path[64], line[256];
	unsigned long long v = ~0ull;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, key, strlen(key)) == 0)
			v = strtoull(line + strlen(key), NULL, 16);
	fclose(f);
	return v;
}

static void a_child_has_no_privilege(void **state)
{
	(void)state;
	ask(1, "192.0.2.1", 0); /* whoever answers has settled */
	answer();
	assert_int_equal(status_of(names.pids[0], "CapEff:"), 0);
	assert_int_equal(status_of(names.pids[0], "CapPrm:"), 0);
	assert_int_equal(status_of(names.pids[0], "NoNewPrivs:"), 1);
}

/* What @what returns in a process of its own that reports to @fd. */
static int apart(int (*what)(int fd), int fd)
{
	int status;

	signal(SIGCHLD, SIG_DFL);
	pid_t pid = fork();

	if (pid == 0)
		_exit(what(fd));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Everything that a reader waits for the end of: the standard streams, and files of whoever started us. */
static int read_to_the_end(int fd)
{
	struct names_answer a;
	int ends[2];
	char c;

	if (pipe(ends) != 0 || fcntl(ends[1], F_DUPFD, 100) < 0)
		return 1;
	for (int i = 0; i < 3; i++)
		dup2(ends[1], i);
	if (!names_open(&names, 8, NS_PER_S, &why))
		return 2;
	for (int i = 0; i < 200; i++)
		if (i != ends[0] && i != names.fd && i != fd)
			close(i);
	if (read(ends[0], &c, 1) != 0)
		return 3;
	if (!names_ask(&names, 1, SLICE("192.0.2.1"), 0) || !wait_for_answer(&names, &a))
		return 4;
	names_close(&names);
	return 0;
}

static void a_child_keeps_no_file_of_ours_open(void **state)
{
	(void)state;
	assert_int_equal(apart(read_to_the_end, -1), 0);
}

/* As when the parent dies where the kernel tells nobody; beyond what a child closes without knowing. */
static void a_child_ends_when_nobody_can_ask_any_more(void **state)
{
	int low = open("/dev/null", O_RDONLY), last = low;

	(void)state;
	while (last >= 0 && last < 300)
		last = dup(low);
	assert_int_equal(last, 300);
	open_names(1);
	assert_true(names.fd > 300);
	close(names.fd);
	assert_int_equal(waitpid(names.pids[0], NULL, 0), -1);
	names_close(&names);
	for (int fd = low; fd <= last; fd++)
		close(fd);
}

static int without_standard_streams(int fd)
{
	struct names_answer a;

	(void)fd;
	for (int i = 0; i < 3; i++)
		close(i);
	if (!names_open(&names, 2, NS_PER_S, &why) || names.fd < 3)
		return 1;
	for (int i = 0; i < 3; i++)
		if (write(i, "x", 1) >= 0 || errno != EBADF)
			return 2;
	if (!names_ask(&names, 9, SLICE("192.0.2.1"), 0) || !wait_for_answer(&names, &a) || a.tag != 9)
		return 3;
	names_close(&names);
	return 0;
}

static void with_the_standard_streams_closed_nothing_is_mistaken_for_them(void **state)
{
	(void)state;
	assert_int_equal(apart(without_standard_streams, -1), 0);
}

/* Ends without closing. A stopped child cannot see the end of its socket; one that has answered has settled. */
static int leave_a_child_behind(int fd)
{
	struct names_answer a;

	if (!names_open(&names, 1, NS_PER_S, &why) || !names_ask(&names, 1, SLICE("192.0.2.1"), 0))
		return 1;
	if (!wait_for_answer(&names, &a) || kill(names.pids[0], SIGSTOP) != 0)
		return 2;
	return write(fd, &names.pids[0], sizeof(int)) == sizeof(int) ? 0 : 3;
}

static void a_child_ends_with_its_parent(void **state)
{
	int ends[2], pid, status;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	assert_int_equal(apart(leave_a_child_behind, ends[1]), 0);
	assert_int_equal(read(ends[0], &pid, sizeof(pid)), sizeof(pid));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
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

static int with_two_processes_left(int fd)
{
	struct rlimit few = { 3, 3 };
	struct names_answer a;

	(void)fd;
	if (!become_a_user() || setrlimit(RLIMIT_NPROC, &few) != 0)
		return 1;
	if (!names_open(&names, 8, NS_PER_S, &why) || names.workers != 2)
		return 2;
	if (!names_ask(&names, 1, SLICE("192.0.2.1"), 0) || !wait_for_answer(&names, &a))
		return 3;
	names_close(&names);
	return 0;
}

static void fewer_children_than_asked_for_will_do(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip(); /* who knows how many processes this user has */
	assert_int_equal(apart(with_two_processes_left, -1), 0);
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

static bool ask_word(uint32_t tag, const char *word)
{
	struct addr a;

	if (word[0] == '@')
		return addr_parse(slice_of(word + 1), &a) && names_ask_back(&names, tag, &a);
	bool chosen = (word[0] == '4' || word[0] == '6') && word[1] == ':';

	return names_ask(&names, tag, slice_of(chosen ? word + 2 : word), chosen ? word[0] - '0' : 0);
}

static void print(const char *word, const struct names_answer *a, ns_t since)
{
	char buf[2048];
	struct json j;
	struct text t;

	text_init(&t, buf, sizeof(buf));
	json_begin(&j, &t, "answer");
	json_word(&j, "word", word);
	json_word(&j, "address", shown(a));
	json_string(&j, "text", slice_of(a->text));
	json_ms(&j, "took_ms", a->took);
	json_ms(&j, "at_ms", since);
	json_end(&j);
	fputs(buf, stdout);
	fflush(stdout);
}

static int as_a_tool(int argc, char **argv)
{
	ns_t began = clock_mono();

	if (argc < 4 || !names_open(&names, (size_t)atoi(argv[1]), atoi(argv[2]) * NS_PER_MS, &why)) {
		fprintf(stderr, "%s\n", argc < 4 ? "WORKERS PATIENCE_MS WORD..." : why.text);
		return 2;
	}
	ns_t opened = clock_mono();

	for (int i = 3; i < argc; i++)
		if (!ask_word((uint32_t)i, argv[i]))
			return 1;
	fprintf(stderr, "opened in %lld us\n", (long long)(opened - began) / 1000);
	for (struct names_answer a; names.asked > 0;) {
		if (!wait_for_answer(&names, &a) || a.tag >= (uint32_t)argc)
			return 1;
		print(argv[a.tag], &a, clock_mono() - opened);
	}
	names_close(&names);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(hosts_are_answered_with_an_address_or_a_reason, one_child, close_names),
		cmocka_unit_test_setup_teardown(what_can_be_no_name_is_answered_whatever_its_length, one_child, close_names),
		cmocka_unit_test_setup_teardown(an_address_in_hosts_is_answered_with_its_name, one_child, close_names),
		cmocka_unit_test_setup_teardown(there_is_no_answer_before_a_question, eight_children, close_names),
		cmocka_unit_test_setup_teardown(each_of_many_questions_has_exactly_one_answer, eight_children, close_names),
		cmocka_unit_test_setup_teardown(a_child_that_is_killed_leaves_the_work_to_the_others, eight_children, close_names),
		cmocka_unit_test_setup_teardown(where_every_child_is_dead_that_is_told_once_and_nothing_spins, eight_children,
			close_names),
		cmocka_unit_test(a_question_to_nobody_is_refused_and_no_signal_comes),
		cmocka_unit_test(closing_ends_a_child_that_is_stuck),
		cmocka_unit_test(a_child_that_ends_leaves_nothing_behind),
		cmocka_unit_test(closing_kills_none_but_our_own_children),
		cmocka_unit_test(a_child_heeds_no_signal_from_the_terminal),
		cmocka_unit_test_setup_teardown(a_child_has_no_privilege, one_child, close_names),
		cmocka_unit_test(a_child_keeps_no_file_of_ours_open),
		cmocka_unit_test(a_child_ends_when_nobody_can_ask_any_more),
		cmocka_unit_test(with_the_standard_streams_closed_nothing_is_mistaken_for_them),
		cmocka_unit_test(a_child_ends_with_its_parent),
		cmocka_unit_test(fewer_children_than_asked_for_will_do),
		cmocka_unit_test(where_no_process_may_be_started_that_is_said),
		cmocka_unit_test(where_no_descriptor_is_left_that_is_said),
	};

	if (argc > 1)
		return as_a_tool(argc, argv);
	alarm(60); /* what hangs has failed */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
