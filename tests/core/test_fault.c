/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include "core/fault.h"
#include "core/text_put.h"

static char buffer[2048];

static const char *shown(const struct fault *f, const char *command)
{
	struct text t;

	text_init(&t, buffer, sizeof(buffer));
	fault_put(&t, f, command);
	return buffer;
}

static const char *sentence(const char *what, const char *object, size_t n, const char *why)
{
	static struct fault f;
	struct guard g = guard_of(object, n);

	memset(&f, 'x', sizeof(f));
	assert_false(fault_set(&f, FAULT_PEER, what, (struct slice){ g.p, n }, why));
	guard_free(&g);
	return f.text;
}

static void a_failure_reads_as_a_sentence(void **state)
{
	static const struct {
		const char *what, *object, *why, *want;
	} cases[] = { { "cannot connect to", "a.example", ": connection refused",
			      "cannot connect to 'a.example': connection refused" },
		{ "--count", "x", "is not a whole number", "--count 'x' is not a whole number" },
		{ "there is no option", "--cuont", NULL, "there is no option '--cuont'" },
		{ "--count", "", "needs a value: N", "--count needs a value: N" },
		{ "out of memory", "", NULL, "out of memory" },
		{ "cannot open a socket", "", ": permission denied", "cannot open a socket: permission denied" } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(
			sentence(cases[i].what, cases[i].object, strlen(cases[i].object), cases[i].why), cases[i].want);
	struct fault f;
	fault_set(&f, FAULT_PEER, "no answer", (struct slice){ NULL, 0 }, NULL);
	assert_string_equal(f.text, "no answer");
}

static void an_object_of_eighty_bytes_is_whole_and_a_longer_one_is_cut(void **state)
{
	char object[300], want[400] = "x '";

	(void)state;
	memset(object, 'o', sizeof(object));
	memset(want + 3, 'o', 80);
	strcpy(want + 83, "' y");
	assert_string_equal(sentence("x", object, 80, "y"), want);
	strcpy(want + 83, "...' y");
	assert_string_equal(sentence("x", object, 81, "y"), want);
	assert_string_equal(sentence("x", object, 300, "y"), want);
}

static void an_object_cannot_play_with_the_terminal(void **state)
{
	char escapes[100];

	(void)state;
	assert_string_equal(sentence("x", "\x1b[2J\n", 5, NULL), "x '\\x1b[2J\\x0a'");
	assert_string_equal(sentence("x", "\xc2\x9b", 2, NULL), "x '\\xc2\\x9b'");
	assert_string_equal(sentence("x", "caf\xc3\xa9\xc3", 6, NULL), "x 'caf\xc3\xa9\\xc3'");
	memset(escapes, '\x1b', sizeof(escapes));
	const char *text = sentence("x", escapes, sizeof(escapes), "is too long");
	assert_int_equal(strlen(text), 3 + 80 + 3 + 2 + strlen("is too long"));
	assert_string_equal(text + strlen(text) - strlen("\\x1b...' is too long"), "\\x1b...' is too long");
}

static void the_cut_falls_between_characters(void **state)
{
	char object[200], want[200] = "x '";

	(void)state;
	object[0] = 'a';
	for (size_t i = 1; i + 1 < sizeof(object); i += 2)
		memcpy(object + i, "\xc3\xa9", 2);
	memcpy(want + 3, object, 81);
	strcpy(want + 84, "...'");
	assert_string_equal(sentence("x", object, 199, NULL), want);
}

static void a_text_too_long_for_its_place_is_cut_and_ends(void **state)
{
	char what[400];

	(void)state;
	memset(what, 'w', sizeof(what));
	what[399] = '\0';
	assert_int_equal(strlen(sentence(what, "o", 1, ": y")), FAULT_TEXT_MAX - 1);
}

static void two_hints_stand_below_and_a_third_is_dropped(void **state)
{
	struct fault f;

	(void)state;
	fault_set(&f, FAULT_USAGE, "there is no command", SLICE("pnig"), NULL);
	assert_string_equal(shown(&f, NULL), "sonde: there is no command 'pnig'\n");
	fault_hint(&f, "sonde %s", "ping");
	assert_string_equal(shown(&f, NULL), "sonde: there is no command 'pnig'\n  try: sonde ping\n");
	fault_hint(&f, "sonde help");
	fault_hint(&f, "a third");
	assert_string_equal(f.hints[0], "sonde ping");
	assert_string_equal(f.hints[1], "sonde help");
	assert_string_equal(
		shown(&f, "x"), "sonde: x: there is no command 'pnig'\n  try: sonde ping\n  or: sonde help\n");
}

static void what_the_user_typed_is_made_safe_in_a_hint_too(void **state)
{
	struct fault f;

	(void)state;
	fault_set(&f, FAULT_USAGE, "x", SLICE(""), NULL);
	fault_hint(&f, "sonde ping %s", "\x1b[0m");
	assert_string_equal(f.hints[0], "sonde ping \\x1b[0m");
}

static void a_new_failure_forgets_the_old_hints(void **state)
{
	struct fault f;

	(void)state;
	fault_set(&f, FAULT_USAGE, "old", SLICE(""), NULL);
	fault_hint(&f, "1");
	assert_string_equal(shown(&f, NULL), "sonde: old\n  try: 1\n");
	fault_hint(&f, "2");
	fault_set(&f, FAULT_HOST, "new", SLICE(""), NULL);
	assert_int_equal(f.kind, FAULT_HOST);
	assert_string_equal(shown(&f, "ping"), "sonde: ping: new\n");
}

static void a_message_of_another_shape_is_put_together_in_place(void **state)
{
	struct fault f;

	(void)state;
	fault_set(&f, FAULT_HOST, "old", SLICE(""), NULL);
	fault_hint(&f, "1");
	struct text t = fault_begin(&f, FAULT_USAGE);
	text_put(&t, "%q is %s", SLICE("x"), "odd");
	fault_hint(&f, "%s of %v", "two", SLICE("\x1b"));
	assert_int_equal(f.kind, FAULT_USAGE);
	assert_string_equal(shown(&f, NULL), "sonde: 'x' is odd\n  try: two of \\x1b\n");
}

static void without_words_the_object_stands_first(void **state)
{
	(void)state;
	assert_string_equal(sentence("", "h:", 2, "has no port"), "'h:' has no port");
}

static void the_exit_code_says_whose_fault_it_is(void **state)
{
	struct fault f = { .kind = FAULT_NONE };

	(void)state;
	assert_int_equal(fault_exit_code(&f), 0);
	fault_set(&f, FAULT_USAGE, "x", SLICE(""), NULL);
	assert_int_equal(fault_exit_code(&f), 2);
	fault_set(&f, FAULT_HOST, "x", SLICE(""), NULL);
	assert_int_equal(fault_exit_code(&f), 2);
	fault_set(&f, FAULT_PEER, "x", SLICE(""), NULL);
	assert_int_equal(fault_exit_code(&f), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failure_reads_as_a_sentence),
		cmocka_unit_test(an_object_of_eighty_bytes_is_whole_and_a_longer_one_is_cut),
		cmocka_unit_test(an_object_cannot_play_with_the_terminal),
		cmocka_unit_test(the_cut_falls_between_characters),
		cmocka_unit_test(a_text_too_long_for_its_place_is_cut_and_ends),
		cmocka_unit_test(two_hints_stand_below_and_a_third_is_dropped),
		cmocka_unit_test(what_the_user_typed_is_made_safe_in_a_hint_too),
		cmocka_unit_test(a_new_failure_forgets_the_old_hints),
		cmocka_unit_test(a_message_of_another_shape_is_put_together_in_place),
		cmocka_unit_test(without_words_the_object_stands_first),
		cmocka_unit_test(the_exit_code_says_whose_fault_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
