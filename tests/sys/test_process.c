/* SPDX-License-Identifier: MIT */
/* Real children: what they have, what they lack, and that none is left behind. */
#include "sys/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "core/io.h"
#include "guard.h"
#include "sys/signals.h"
#include "sys/wait.h"

/* Longer than anything here takes, on the slowest machine. */
#define PATIENCE 20000

static void say(const char *s)
{
	if (write(STDOUT_FILENO, s, strlen(s)) < 0)
		_exit(99);
}

static struct process start(int (*f)(int argc, char **argv), char *word)
{
	struct process p;
	struct fault why;
	char *argv[] = { word, NULL };

	assert_true(process_start(&p, f, 1, argv, &why));
	return p;
}

/* Up to @n bytes of it, or all of it. Return: what there was. */
static const char *hear(struct process *p, size_t n)
{
	static char buf[1 << 17];
	size_t at = 0;

	while (at < n) {
		struct pollfd ready = { .fd = p->fd, .events = POLLIN };
		long got = process_read(p, buf + at, n - at);

		if (got == IO_END)
			break;
		if (got == IO_AGAIN)
			assert_int_equal(poll(&ready, 1, PATIENCE), 1);
		else
			assert_true(got > 0);
		at += got > 0 ? (size_t)got : 0;
	}
	buf[at] = '\0';
	return buf;
}

static void assert_gone(int pid)
{
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static int greet(int argc, char **argv)
{
	say("hello ");
	say(argv[0]);
	return argc + 6;
}

static void a_child_says_something_and_ends_with_its_code(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		struct process p = start(greet, (char *)"world");

		assert_string_equal(hear(&p, 100), "hello world");
		assert_int_equal(process_end(&p), 7);
		assert_gone(p.pid);
	}
}

static int dawdle(int argc, char **argv)
{
	(void)argv;
	close(STDOUT_FILENO);
	poll(NULL, 0, 50);
	return argc + 6;
}

static void one_that_takes_its_time_to_end_is_waited_for(void **state)
{
	(void)state;
	struct process p = start(dawdle, NULL);

	assert_string_equal(hear(&p, 100), "");
	assert_int_equal(process_end(&p), 7);
	assert_gone(p.pid);
}

static int keep_silent(int argc, char **argv)
{
	(void)argv;
	say("x");
	while (argc < 100)
		pause();
	return 0;
}

static void reading_never_waits(void **state)
{
	(void)state;
	char c;
	struct process p = start(keep_silent, NULL);

	assert_string_equal(hear(&p, 1), "x");
	assert_int_equal(process_read(&p, &c, 1), IO_AGAIN);
	process_end(&p);
}

static void one_that_goes_on_is_ended(void **state)
{
	(void)state;
	struct process p = start(keep_silent, NULL);

	hear(&p, 1);
	assert_int_equal(process_end(&p), 130);
	assert_gone(p.pid);
}

static int write_for_ever(int argc, char **argv)
{
	(void)argv;
	while (argc < 100)
		say("0123456789abcdef");
	return 0;
}

static void one_that_is_in_the_middle_of_writing_is_ended(void **state)
{
	(void)state;
	struct process p = start(write_for_ever, NULL);

	assert_int_equal(strlen(hear(&p, 100000)), 100000);
	process_end(&p);
	assert_gone(p.pid);
}

static int heed(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	signals_take();
	say("ready\n");
	while (!signals_stop())
		poll(NULL, 0, 10);
	say("result\n");
	return 0;
}

static void an_interrupt_lets_it_say_what_it_has(void **state)
{
	(void)state;
	struct process p = start(heed, NULL);

	assert_string_equal(hear(&p, 6), "ready\n");
	process_interrupt(&p);
	assert_string_equal(hear(&p, 100), "result\n");
	assert_int_equal(process_end(&p), 0);
}

/* Waits as the commands do, and tells how it was woken. */
static int wait_for_a_signal(int argc, char **argv)
{
	struct wait w;
	struct wait_event v[4];
	struct fault why;

	(void)argc;
	(void)argv;
	signals_take();
	if (!wait_open(&w, &why))
		return 3;
	say("ready\n");
	for (int i = 0; i < 200 && !signals_stop(); i++) {
		wait_next(&w, 100 * NS_PER_MS, 0, v, 4);
		if (!signals_stop() && signals_report())
			say("report\n");
	}
	return signals_interrupted() ? 5 : 4;
}

static void a_signal_to_one_of_us_wakes_nobody_else(void **state)
{
	(void)state;
	struct wait w;
	struct wait_event v[4];
	struct fault why;
	struct pollfd ours = { .events = POLLIN };

	signals_take();
	assert_true(wait_open(&w, &why));
	struct process p = start(wait_for_a_signal, NULL);

	ours.fd = signals_fd();
	assert_string_equal(hear(&p, 6), "ready\n");
	kill(p.pid, SIGUSR1);
	assert_string_equal(hear(&p, 7), "report\n");
	assert_int_equal(poll(&ours, 1, 0), 0);
	kill(getpid(), SIGUSR1);
	assert_int_equal(wait_next(&w, 0, 0, v, 4), 0);
	assert_true(signals_report());
	process_interrupt(&p);
	assert_string_equal(hear(&p, 100), "");
	assert_int_equal(poll(&ours, 1, 0), 0);
	assert_int_equal(process_end(&p), 5);
	assert_false(signals_stop());
	wait_close(&w);
}

/* What a command takes over, and what it needs of its own children. */
static const int taken[] = { SIGINT, SIGTERM, SIGQUIT, SIGUSR1, SIGPIPE, SIGCHLD };

static int look_around(int argc, char **argv)
{
	struct stat null, in, err;
	struct sigaction act;
	char line[80];

	(void)argc;
	(void)argv;
	if (stat("/dev/null", &null) != 0 || fstat(0, &in) != 0 || fstat(2, &err) != 0)
		return 1;
	if (in.st_rdev != null.st_rdev || err.st_rdev != null.st_rdev)
		return 2;
	for (int fd = 3; fd < 1024; fd++)
		if (fd != signals_fd() && fcntl(fd, F_GETFD) >= 0) {
			snprintf(line, sizeof(line), "descriptor %d\n", fd);
			say(line);
		}
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (sigaction(taken[i], NULL, &act) == 0 && act.sa_handler != SIG_DFL) {
			snprintf(line, sizeof(line), "signal %d\n", taken[i]);
			say(line);
		}
	return 0;
}

static void a_child_has_nothing_of_ours_but_its_output(void **state)
{
	(void)state;
	int fds[50];

	signals_take();
	signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < 50; i++)
		fds[i] = open("/dev/zero", O_RDONLY);
	struct process p = start(look_around, NULL);

	assert_string_equal(hear(&p, 1000), "");
	assert_int_equal(process_end(&p), 0);
	for (int i = 0; i < 50; i++)
		close(fds[i]);
}

static int be_a_parent(int argc, char **argv)
{
	struct process p;
	struct fault why;
	char line[32];

	if (!process_start(&p, keep_silent, argc, argv, &why))
		return 1;
	hear(&p, 1);
	snprintf(line, sizeof(line), "%09d\n", p.pid);
	say(line);
	while (argc < 100)
		pause();
	return 0;
}

static void a_child_dies_with_us(void **state)
{
	(void)state;
	struct process p = start(be_a_parent, NULL);
	int grandchild = (int)strtol(hear(&p, 10), NULL, 10);
	bool gone = false;

	assert_true(grandchild > 1);
	process_end(&p);
	for (int i = 0; i < PATIENCE && !gone; i++) {
		gone = kill(grandchild, 0) != 0;
		poll(NULL, 0, gone ? 0 : 1);
	}
	assert_true(gone);
}

static void what_a_child_writes_into_closed_streams_of_ours_goes_nowhere(void **state)
{
	(void)state;
	int was[3];
	int code = -1, pid = 0;
	char got[16] = { 0 };

	for (int i = 0; i < 3; i++)
		was[i] = dup(i);
	fflush(NULL);
	for (int i = 0; i < 3; i++)
		close(i);
	struct fault why;
	struct process p;
	char *argv[] = { (char *)"world", NULL };

	if (process_start(&p, greet, 1, argv, &why)) {
		struct pollfd ready = { .fd = p.fd, .events = POLLIN };
		size_t at = 0;

		for (long n = 0; n != IO_END && at < 15; at += n > 0 ? (size_t)n : 0) {
			poll(&ready, 1, PATIENCE);
			n = process_read(&p, got + at, 15 - at);
		}
		pid = p.pid;
		code = process_end(&p);
	}
	for (int i = 0; i < 3; i++) {
		dup2(was[i], i);
		close(was[i]);
	}
	assert_string_equal(got, "hello world");
	assert_int_equal(code, 7);
	assert_gone(pid);
}

static void a_browser_is_for_a_desktop_only(void **state)
{
	(void)state;
	unsetenv("DISPLAY");
	unsetenv("WAYLAND_DISPLAY");
	assert_false(process_browse("http://127.0.0.1/"));
	setenv("DISPLAY", "", 1);
	assert_false(process_browse("http://127.0.0.1/"));
	setenv("DISPLAY", ":0", 1);
	if (getuid() == 0)
		assert_false(process_browse("http://127.0.0.1/"));
	unsetenv("DISPLAY");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_says_something_and_ends_with_its_code),
		cmocka_unit_test(one_that_takes_its_time_to_end_is_waited_for),
		cmocka_unit_test(reading_never_waits),
		cmocka_unit_test(one_that_goes_on_is_ended),
		cmocka_unit_test(one_that_is_in_the_middle_of_writing_is_ended),
		cmocka_unit_test(an_interrupt_lets_it_say_what_it_has),
		cmocka_unit_test(a_signal_to_one_of_us_wakes_nobody_else),
		cmocka_unit_test(a_child_has_nothing_of_ours_but_its_output),
		cmocka_unit_test(a_child_dies_with_us),
		cmocka_unit_test(what_a_child_writes_into_closed_streams_of_ours_goes_nowhere),
		cmocka_unit_test(a_browser_is_for_a_desktop_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
