/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/child.h"

static int status_of(int pid)
{
	int status;

	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void a_child_runs_on_its_own_and_tells_by_its_exit(void **state)
{
	(void)state;
	int pid = child_start();

	if (pid == 0)
		_exit(42);
	assert_int_equal(WEXITSTATUS(status_of(pid)), 42);
}

/* The grandchild sleeps and holds the write end, which nobody else does once its parent has ended. */
static void a_child_ends_with_its_parent(void **state)
{
	(void)state;
	int ends[2];
	char byte;

	assert_int_equal(pipe(ends), 0);
	int pid = child_start();

	if (pid == 0) {
		if (child_start() == 0) {
			if (write(ends[1], "", 1) == 1)
				sleep(20);
			_exit(0);
		}
		_exit(read(ends[0], &byte, 1) != 1);
	}
	close(ends[1]);
	assert_int_equal(status_of(pid), 0);
	alarm(10);
	assert_int_equal(read(ends[0], &byte, 1), 0);
	alarm(0);
	close(ends[0]);
}

/* Bit i: descriptor i is open, as a child finds it that keeps only those. */
static unsigned open_in_child(int out, int keep)
{
	int pid = child_start();

	if (pid == 0) {
		unsigned bits = 0;

		child_keep_only(out, keep);
		for (int i = 0; i < 8; i++)
			bits |= (fcntl(i, F_GETFD) >= 0) << i;
		_exit((int)bits);
	}
	return (unsigned)WEXITSTATUS(status_of(pid));
}

static void only_the_standard_streams_and_one_more_stay_open(void **state)
{
	(void)state;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(open_in_child(-1, -1), 7);
	assert_int_equal(open_in_child(-1, fds[0]), 7 | 1 << fds[0]);
	close(fds[0]);
	close(fds[1]);
}

static void what_is_written_to_standard_output_goes_where_it_shall(void **state)
{
	(void)state;
	int ends[2];
	char got[8] = "";

	assert_int_equal(pipe(ends), 0);
	int pid = child_start();

	if (pid == 0) {
		child_keep_only(ends[1], -1);
		_exit(write(STDERR_FILENO, "lost", 4) != 4 || write(STDOUT_FILENO, "kept", 4) != 4);
	}
	close(ends[1]);
	assert_int_equal(status_of(pid), 0);
	assert_int_equal(read(ends[0], got, sizeof(got)), 4);
	assert_string_equal(got, "kept");
	close(ends[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_runs_on_its_own_and_tells_by_its_exit),
		cmocka_unit_test(a_child_ends_with_its_parent),
		cmocka_unit_test(only_the_standard_streams_and_one_more_stay_open),
		cmocka_unit_test(what_is_written_to_standard_output_goes_where_it_shall),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
