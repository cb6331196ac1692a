/* SPDX-License-Identifier: MIT */
#include "sys/fail.h"

#include <errno.h>
#include <string.h>

#include "guard.h"

static const char *said(int error)
{
	static char buf[128];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	fail_put(&t, error);
	return buf;
}

static void what_can_go_wrong_here_is_told_as_glibc_does(void **state)
{
	static const int v[] = { EPERM, ENOENT, EIO, EBADF, EAGAIN, ENOMEM, EACCES, EBUSY, ENODEV, ENOTDIR, EISDIR, EINVAL,
		ENFILE, EMFILE, EFBIG, ENOSPC, EROFS, EPIPE, ENAMETOOLONG, ENOSYS, EMSGSIZE, ENOPROTOOPT, EPROTONOSUPPORT,
		ESOCKTNOSUPPORT, EOPNOTSUPP, EAFNOSUPPORT, EADDRINUSE, EADDRNOTAVAIL, ENETDOWN, ENETUNREACH, ECONNRESET,
		ENOBUFS, ETIMEDOUT, ECONNREFUSED, EHOSTDOWN, EHOSTUNREACH };

	(void)state;
#ifdef __GLIBC__
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		assert_string_equal(said(v[i]), strerror(v[i]));
#else
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		assert_null(strstr(said(v[i]), "error "));
#endif
}

static void any_other_error_has_its_number(void **state)
{
	(void)state;
	assert_string_equal(said(0), "error 0");
	assert_string_equal(said(EXDEV), "error 18");
	assert_string_equal(said(-1), "error -1");
}

static void a_fault_says_what_errno_said(void **state)
{
	struct fault why;

	(void)state;
	errno = EACCES;
	assert_false(fail_fault(&why, "cannot open", SLICE("x")));
	assert_string_equal(why.text, "cannot open 'x': Permission denied");
	assert_int_equal(why.kind, FAULT_HOST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_can_go_wrong_here_is_told_as_glibc_does),
		cmocka_unit_test(any_other_error_has_its_number),
		cmocka_unit_test(a_fault_says_what_errno_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
