/* SPDX-License-Identifier: MIT */
#include "core/io.h"

#include <errno.h>

#include "guard.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const int all[] = { IO_AGAIN, IO_END, IO_RESET, IO_REFUSED, IO_UNREACHABLE, IO_TIMEOUT, IO_DENIED,
	IO_IN_USE, IO_NO_ROOM, IO_FAILED };

/* Counts are never negative, so the two cannot be mixed up. */
static void outcomes_are_negative_and_differ(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(all); i++) {
		assert_true(all[i] < 0);
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(all[i], all[k]);
	}
}

static void every_outcome_has_words_of_its_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(all); i++) {
		assert_true(strlen(io_text(all[i])) > 3);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(io_text(all[i]), io_text(all[k]));
	}
}

static void the_words_are_those_of_the_system_where_it_has_some(void **state)
{
	(void)state;
	assert_string_equal(io_text(IO_RESET), strerror(ECONNRESET));
	assert_string_equal(io_text(IO_REFUSED), strerror(ECONNREFUSED));
	assert_string_equal(io_text(IO_UNREACHABLE), strerror(ENETUNREACH));
	assert_string_equal(io_text(IO_DENIED), strerror(EACCES));
	assert_string_equal(io_text(IO_IN_USE), strerror(EADDRINUSE));
	assert_string_equal(io_text(IO_NO_ROOM), strerror(EMFILE));
}

static void a_number_that_is_no_outcome_has_words_too(void **state)
{
	(void)state;
	assert_non_null(io_text(0));
	assert_non_null(io_text(-1000));
	assert_non_null(io_text(1000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outcomes_are_negative_and_differ),
		cmocka_unit_test(every_outcome_has_words_of_its_own),
		cmocka_unit_test(the_words_are_those_of_the_system_where_it_has_some),
		cmocka_unit_test(a_number_that_is_no_outcome_has_words_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
