/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include "core/json.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char buffer[1024];
static struct text out;

static struct json fresh(void)
{
	struct json j;

	text_init(&out, buffer, sizeof(buffer));
	json_init(&j, &out);
	return j;
}

static void an_empty_object_and_an_empty_array(void **state)
{
	struct json j = fresh();

	(void)state;
	json_open(&j, NULL);
	json_close(&j);
	assert_string_equal(buffer, "{}");
	j = fresh();
	json_array(&j, NULL);
	json_array_end(&j);
	assert_string_equal(buffer, "[]");
}

static void commas_stand_between_members_and_nowhere_else(void **state)
{
	struct json j = fresh();

	(void)state;
	json_open(&j, NULL);
	json_string(&j, "s", SLICE("x"));
	json_int(&j, "i", -5);
	json_open(&j, "o");
	json_bool(&j, "t", true);
	json_open(&j, "empty");
	json_close(&j);
	json_bool(&j, "f", false);
	json_close(&j);
	json_array(&j, "a");
	json_int(&j, NULL, 1);
	json_array(&j, NULL);
	json_array_end(&j);
	json_open(&j, NULL);
	json_null(&j, "n");
	json_close(&j);
	json_string(&j, NULL, SLICE("y"));
	json_array_end(&j);
	json_fixed(&j, "d", 12345, 3, 1);
	json_ms(&j, "ms", 1);
	json_close(&j);
	assert_string_equal(buffer, "{\"s\":\"x\",\"i\":-5,\"o\":{\"t\":true,\"empty\":{},\"f\":false},"
				    "\"a\":[1,[],{\"n\":null},\"y\"],\"d\":12.3,\"ms\":0.000001}");
}

static void every_string_is_made_valid(void **state)
{
	static const struct {
		struct slice s;
		const char *want;
	} cases[] = { { { "", 0 }, "\"\"" }, { { "a\"b\\c/d'", 8 }, "\"a\\\"b\\\\c/d'\"" },
		{ { "\n\t\x0f\x10\x1f ", 6 }, "\"\\u000a\\u0009\\u000f\\u0010\\u001f \"" },
		{ { "a\0b", 3 }, "\"a\\u0000b\"" }, { { "~\x7f", 2 }, "\"~\\u007f\"" },
		{ { "caf\xc3\xa9", 5 }, "\"caf\xc3\xa9\"" },
		{ { "\xc2\x80\xc2\x9f\xc2\xa0", 6 }, "\"\\u0080\\u009f\xc2\xa0\"" },
		{ { "\xe2\x82\xac\xf0\x9f\x9a\x80", 7 }, "\"\xe2\x82\xac\xf0\x9f\x9a\x80\"" },
		{ { "\xffz", 2 }, "\"\xef\xbf\xbdz\"" }, { { "\xe2\x82", 2 }, "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ { "\xed\xa0\x80", 3 }, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ { "\xc3\x85", 2 }, "\"\xc3\x85\"" }, { { NULL, 0 }, "null" } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct json j = fresh();
		struct guard g = guard_of(cases[i].s.p, cases[i].s.n);

		json_string(&j, NULL, cases[i].s.p ? (struct slice){ g.p, g.n } : cases[i].s);
		assert_string_equal(buffer, cases[i].want);
		guard_free(&g);
	}
}

static void keys_are_escaped_too(void **state)
{
	struct json j = fresh();

	(void)state;
	json_open(&j, NULL);
	json_null(&j, "a\"b");
	assert_string_equal(buffer, "{\"a\\\"b\":null");
}

static void an_address_is_a_string_or_null_where_there_is_none(void **state)
{
	struct json j = fresh();

	(void)state;
	json_array(&j, NULL);
	json_address(&j, NULL, &(struct addr){ { 192, 0, 2, 1 }, .port = 80, .family = 4 });
	json_address(&j, NULL, &(struct addr){ { 0xfe, 0x80, [15] = 1 }, .scope = 2, .family = 6 });
	json_address(&j, NULL, &(struct addr){ .family = 0 });
	json_array_end(&j);
	assert_string_equal(buffer, "[\"192.0.2.1\",\"fe80::1%2\",null]");
}

static void what_was_not_measured_is_null(void **state)
{
	struct json j = fresh();

	(void)state;
	json_array(&j, NULL);
	json_int(&j, NULL, UNKNOWN);
	json_fixed(&j, NULL, UNKNOWN, 6, 3);
	json_ms(&j, NULL, UNKNOWN);
	json_int(&j, NULL, UNKNOWN - 1);
	json_ms(&j, NULL, INT64_MAX);
	json_array_end(&j);
	assert_string_equal(buffer, "[null,null,null,-2,9223372036854.775807]");
}

static void a_document_says_what_it_is(void **state)
{
	struct json j = fresh();

	(void)state;
	json_begin(&j, j.out, "check");
	json_word(&j, "word", "x\"y");
	json_word(&j, "empty", "");
	json_word(&j, "none", NULL);
	json_array(&j, "list");
	json_word(&j, NULL, "z");
	json_array_end(&j);
	json_end(&j);
	assert_string_equal(buffer, "{\"schema\":1,\"type\":\"check\",\"word\":\"x\\\"y\",\"empty\":null,"
				    "\"none\":null,\"list\":[\"z\"]}\n");
}

static void documents_follow_each_other_after_a_new_start(void **state)
{
	struct json j = fresh();

	(void)state;
	json_open(&j, NULL);
	json_close(&j);
	text_char(&out, '\n');
	json_init(&j, &out);
	json_open(&j, NULL);
	json_close(&j);
	assert_string_equal(buffer, "{}\n{}");
}

/* -1 where there is none. The document ends where memory does. */
static long long uint_in(const char *doc, size_t n)
{
	struct guard g = guard_of(doc, n);
	uint64_t v = 99;
	bool found = json_find_uint((struct slice){ g.p, n }, "k", &v);

	guard_free(&g);
	if (!found)
		assert_int_equal(v, 99);
	return found ? (long long)v : -1;
}

static const char *string_in(const char *doc, size_t n)
{
	static char copy[64];
	struct guard g = guard_of(doc, n);
	struct slice v = SLICE("untouched");
	bool found = json_find_string((struct slice){ g.p, n }, "k", &v);

	memset(copy, 0, sizeof(copy));
	if (found && v.n > 0)
		memcpy(copy, v.p, v.n);
	if (!found)
		assert_int_equal(v.n, 9);
	guard_free(&g);
	return found ? copy : NULL;
}

static void integers_of_the_outermost_object_are_found(void **state)
{
	static const struct {
		const char *doc;
		long long want;
	} cases[] = { { "{\"k\":5}", 5 }, { "{\"k\": 5}", 5 }, { " \t\r\n{ \"k\" \n:\t 5 \r}", 5 },
		{ "{\"a\":1,\"k\":23,\"b\":2}", 23 }, { "{\"a\":\"k\",\"k\":7}", 7 },
		{ "{\"a\":{\"k\":1},\"k\":2}", 2 }, { "{\"a\":[{\"k\":1},[]],\"k\":2}", 2 },
		{ "{\"a\":\"\\\"k\\\":9,\",\"k\":2}", 2 }, { "{\"a\":\"\\\\\",\"k\":2}", 2 },
		{ "{\"a\":{\"b\":\"}\"},\"k\":2}", 2 }, { "{\"a\":-1.5e3,\"b\":true,\"c\":null,\"k\":2}", 2 },
		{ "{\"k\":1,\"k\":2}", 1 }, { "{\"k\":12.9}", 12 }, { "{\"k\":3e2}", 3 }, { "{\"k\":3E2}", 3 },
		{ "{\"k\":9223372036854775807}", INT64_MAX }, { "{\"k\":0}junk", 0 }, { "{\"k\":8,", 8 },
		{ "{\"k\":8 ", 8 }, { "{\"kk\":1,\"K\":2,\"\":3,\"k\":4}", 4 } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (uint_in(cases[i].doc, strlen(cases[i].doc)) != cases[i].want)
			fail_msg("%s", cases[i].doc);
}

static void what_is_no_integer_member_is_not_found(void **state)
{
	static const char *const cases[] = { "", "{", "{}", "[]", "5", "\"k\":5", "[{\"k\":5}]", "{\"a\":{\"k\":5}}",
		"5,", "5}", "{\"k\"}", "{\"k\":}", "{\"k\":\"5\"}", "{\"k\":-5}", "{\"k\":+5}", "{\"k\":true}",
		"{\"k\":null}", "{\"k\":[5]}", "{\"k\":5x}", "{\"k\":5]", "{\"k\":.5}", "{\"k\":18446744073709551616}",
		"{\"k\":5", "{\"k\":", "{\"k\" 5}", "{k:5}", "{\"k:5}", "{\"a\":1 \"k\":5}", "{\"a\":1;\"k\":5}",
		"{,\"k\":5}", "{\"a\":\"x,\"k\":5}", "{\"a\":{,\"k\":5}", "{\"a\":]\"k\":5}", "{\"a\":1},\"k\":5}",
		"{\"a\":1}{,\"k\":5}", "x{\"k\":5}", "{\"a\":\"\\", "{\"\\u006b\":5}", "{\"a\":1]},\"k\":5}" };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (uint_in(cases[i], strlen(cases[i])) != -1)
			fail_msg("%s", cases[i]);
}

static void strings_are_found_as_they_stand(void **state)
{
	static const char *const cases[][2] = { { "{\"k\":\"v\"}", "v" }, { "{\"k\": \"\"}", "" },
		{ "{\"a\":1,\"k\":\"x y\"}", "x y" }, { "{\"k\":\"a\\\"b\\\\\"}", "a\\\"b\\\\" },
		{ "{\"k\":\"\\u0041\"", "\\u0041" }, { "{\"a\":\"k\",\"k\":\"}\"}", "}" }, { "{\"k\":5}", NULL },
		{ "{\"k\":\"v}", NULL }, { "{\"k\":\"v\\\"}", NULL }, { "{\"k\":[\"v\"]}", NULL }, { "{\"k\"", NULL },
		{ "{\"k\":\"\\", NULL }, { "{\"a\":\"v\"}", NULL } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *v = string_in(cases[i][0], strlen(cases[i][0]));

		if (cases[i][1] ? !v || strcmp(v, cases[i][1]) != 0 : v != NULL)
			fail_msg("%s: %s", cases[i][0], v ? v : "not found");
	}
}

static void a_document_cut_anywhere_gives_the_whole_value_or_none(void **state)
{
	static const char doc[] = "{\"a\":[{\"k\":\"no\"},\"]\\\"\"],\"k\":1234,\"z\":{}}";
	static const char words[] = "{\"a\":{\"b\":[1,2,\"}\"]},\"k\":\"1234\\\"\",\"z\":0}";
	size_t behind = (size_t)(strstr(doc, "1234") - doc) + 5;
	size_t quoted = (size_t)(strstr(words, "1234") - words) + 7;

	(void)state;
	for (size_t n = 0; n < sizeof(doc); n++)
		assert_true(uint_in(doc, n) == (n < behind ? -1 : 1234));
	for (size_t n = 0; n < sizeof(words); n++) {
		const char *v = string_in(words, n);

		if (n < quoted)
			assert_null(v);
		else
			assert_string_equal(v, "1234\\\"");
	}
}

static void any_bytes_are_survived(void **state)
{
	static const char alphabet[] = "{}[]:,\"\\k5. \xff";
	uint32_t x = 2463534242u;

	(void)state;
	for (size_t i = 0; i < 3000; i++) {
		char doc[24] = "{\"k";

		for (size_t at = i % 2 ? 3 : 0; at < sizeof(doc); at++) {
			x = x * 1664525u + 1013904223u;
			doc[at] = alphabet[(x >> 16) % (sizeof(alphabet) - 1)];
		}
		uint_in(doc, sizeof(doc));
		string_in(doc, sizeof(doc));
	}
}

static void a_million_open_brackets_are_only_counted(void **state)
{
	enum { N = 1000000 };
	char *doc = malloc(N);

	(void)state;
	memset(doc, '[', N);
	memcpy(doc, "{\"a\":", 5);
	assert_int_equal(uint_in(doc, N), -1);
	free(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_object_and_an_empty_array),
		cmocka_unit_test(commas_stand_between_members_and_nowhere_else),
		cmocka_unit_test(every_string_is_made_valid),
		cmocka_unit_test(keys_are_escaped_too),
		cmocka_unit_test(an_address_is_a_string_or_null_where_there_is_none),
		cmocka_unit_test(what_was_not_measured_is_null),
		cmocka_unit_test(a_document_says_what_it_is),
		cmocka_unit_test(documents_follow_each_other_after_a_new_start),
		cmocka_unit_test(integers_of_the_outermost_object_are_found),
		cmocka_unit_test(what_is_no_integer_member_is_not_found),
		cmocka_unit_test(strings_are_found_as_they_stand),
		cmocka_unit_test(a_document_cut_anywhere_gives_the_whole_value_or_none),
		cmocka_unit_test(any_bytes_are_survived),
		cmocka_unit_test(a_million_open_brackets_are_only_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
