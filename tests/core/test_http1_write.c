/* SPDX-License-Identifier: MIT */
#include "core/http1_write.h"

#include "core/http1_head.h"
#include "guard.h"

static struct text text_at_edge(struct guard *g, size_t cap)
{
	static const char zeros[512];
	struct text t;

	*g = guard_of(zeros, cap);
	text_init(&t, g->p, cap);
	return t;
}

static void a_request_head_is_written(void **state)
{
	struct guard g;
	struct text t = text_at_edge(&g, 512);

	(void)state;
	http1_put_request(&t, "GET", SLICE("/a?b"));
	http1_put_field(&t, "Host", SLICE("[::1]:8080"));
	http1_put_field(&t, "Accept", SLICE(""));
	http1_put_field_uint(&t, "Content-Length", 0);
	http1_put_end(&t);
	assert_string_equal(t.p, "GET /a?b HTTP/1.1\r\nHost: [::1]:8080\r\nAccept: \r\nContent-Length: 0\r\n\r\n");
	assert_false(t.cut);
	guard_free(&g);
}

static void an_empty_target_is_written_as_a_slash(void **state)
{
	struct guard g;
	struct text t = text_at_edge(&g, 64);

	(void)state;
	http1_put_request(&t, "HEAD", (struct slice){ NULL, 0 });
	http1_put_request(&t, "OPTIONS", SLICE("*"));
	assert_string_equal(t.p, "HEAD / HTTP/1.1\r\nOPTIONS * HTTP/1.1\r\n");
	guard_free(&g);
}

static void a_status_line_carries_its_phrase(void **state)
{
	struct guard g;
	struct text t = text_at_edge(&g, 128);

	(void)state;
	http1_put_status(&t, 200);
	http1_put_status(&t, 431);
	http1_put_status(&t, 299);
	assert_string_equal(
		t.p, "HTTP/1.1 200 OK\r\nHTTP/1.1 431 Request Header Fields Too Large\r\nHTTP/1.1 299 \r\n");
	guard_free(&g);
}

static void chunk_frames_are_written(void **state)
{
	struct guard g;
	struct text t = text_at_edge(&g, 128);

	(void)state;
	http1_put_chunk_size(&t, 8000);
	http1_put_chunk_size(&t, UINT64_MAX);
	http1_put_last_chunk(&t, UINT64_MAX);
	assert_string_equal(t.p, "1f40\r\nffffffffffffffff\r\n0\r\nX-Bytes: 18446744073709551615\r\n\r\n");
	guard_free(&g);
}

/* Every part of a head in turn, spoiled by @bad. */
static struct text write_spoiled(struct guard *g, int part, struct slice bad, const char *bad_text)
{
	struct text t = text_at_edge(g, 128);

	http1_put_request(&t, part == 0 ? bad_text : "GET", part == 1 ? bad : SLICE("/"));
	http1_put_field(&t, part == 2 ? bad_text : "Name", part == 3 ? bad : SLICE("v"));
	http1_put_field_uint(&t, part == 4 ? bad_text : "Count", 1);
	http1_put_end(&t);
	return t;
}

/* Parts 1 and 3 are slices; the others are strings, which a NUL just ends. */
static bool may_stand(int part, uint8_t c)
{
	if (part == 1)
		return c > ' ' && c != 0x7f;
	if (part == 3)
		return c == '\t' || (c >= ' ' && c != 0x7f);
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       strchr("!#$%&'*+-.^_`|~", c);
}

static void what_is_written_reads_back_or_sets_cut_whatever_byte_is_in_it(void **state)
{
	(void)state;
	for (int i = 0; i < 5 * 256; i++) {
		const char bad[] = { 'a', (char)(i % 256), 'b', '\0' };
		struct slice expect = { bad, i % 256 == 0 && i / 256 % 2 == 0 ? 1 : 3 };
		struct guard g;
		struct text t = write_spoiled(&g, i / 256, (struct slice){ bad, 3 }, bad);
		struct http1_head h;
		http1_mark mark = 0;

		assert_int_equal(t.cut, !may_stand(i / 256, (uint8_t)bad[1]));
		if (!t.cut) {
			assert_int_equal(http1_head_parse(&h, HTTP1_REQUEST, t.p, t.len, &mark), t.len);
			assert_int_equal(h.n_fields, 2);

			const struct slice parts[] = { h.method, h.target, h.fields[0].name, h.fields[0].value,
				h.fields[1].name };

			assert_true(slice_eq(parts[i / 256], expect));
		}
		guard_free(&g);
	}
}

static void nothing_that_is_passed_in_can_add_a_line(void **state)
{
	const struct slice bad[] = { SLICE("a\r\nX: y"), SLICE("a\nb"), SLICE("a\r"), SLICE("\0"), SLICE("\x1b[0m"),
		SLICE("\x7f") };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		for (int part = 0; part < 5; part++) {
			struct guard g;
			struct text t = write_spoiled(&g, part, bad[i], bad[i].p);

			assert_true(t.cut);
			assert_null(strstr(t.p, "X: y"));
			guard_free(&g);
		}
	}
}

static void a_name_is_one_word_and_a_target_has_no_white_space(void **state)
{
	const char *const names[] = { "", "A B", " A", "A:", "A\tB", "A\xe9" };
	const struct slice targets[] = { SLICE("/a b"), SLICE("/a\tb"), SLICE(" /") };
	struct text t;
	char buf[64];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		text_init(&t, buf, sizeof(buf));
		http1_put_field(&t, names[i], SLICE("v"));
		assert_true(t.cut);
		text_init(&t, buf, sizeof(buf));
		http1_put_request(&t, names[i], SLICE("/"));
		assert_true(t.cut);
	}
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		text_init(&t, buf, sizeof(buf));
		http1_put_request(&t, "GET", targets[i]);
		assert_true(t.cut);
	}
	text_init(&t, buf, sizeof(buf));
	http1_put_field(&t, "A", SLICE("b\tc \xe9"));
	assert_false(t.cut);
	assert_string_equal(t.p, "A: b\tc \xe9\r\n");
}

static void what_does_not_fit_sets_cut_at_every_capacity(void **state)
{
	static const char whole[] = "GET /x HTTP/1.1\r\nA: 12\r\n\r\n0\r\nX-Bytes: 7\r\n\r\n";

	(void)state;
	for (size_t cap = 1; cap <= sizeof(whole); cap++) {
		struct guard g;
		struct text t = text_at_edge(&g, cap);

		http1_put_request(&t, "GET", SLICE("/x"));
		http1_put_field_uint(&t, "A", 12);
		http1_put_end(&t);
		http1_put_last_chunk(&t, 7);
		assert_int_equal(t.cut, cap < sizeof(whole));
		assert_int_equal(t.len, cap - 1);
		assert_memory_equal(t.p, whole, cap - 1);
		guard_free(&g);
	}
}

static void statuses_have_the_phrases_of_rfc_9110(void **state)
{
	const struct {
		unsigned status;
		const char *text;
	} cases[] = {
		{ 100, "Continue" },
		{ 204, "No Content" },
		{ 206, "" },
		{ 404, "Not Found" },
		{ 413, "Content Too Large" },
		{ 431, "Request Header Fields Too Large" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
		{ 505, "" },
		{ 0, "" },
		{ 299, "" },
		{ 306, "" },
		{ 418, "" },
		{ 65736, "" }, /* 200 in 16 bits */
		{ 4294967295, "" },
	};
	int phrases = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(http1_status_text(cases[i].status), cases[i].text);
	for (unsigned status = 0; status < 2000; status++)
		phrases += http1_status_text(status)[0] != '\0';
	assert_int_equal(phrases, 19);
}

static void every_status_line_reads_back(void **state)
{
	(void)state;
	for (unsigned status = 100; status < 1000; status++) {
		char buf[64];
		struct text t;
		struct http1_head h;
		http1_mark mark = 0;

		text_init(&t, buf, sizeof(buf));
		http1_put_status(&t, status);
		http1_put_end(&t);
		assert_int_equal(http1_head_parse(&h, HTTP1_RESPONSE, t.p, t.len, &mark), t.len);
		assert_int_equal(h.status, status);
		assert_true(slice_eq(h.reason, slice_of(http1_status_text(status))));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_head_is_written),
		cmocka_unit_test(an_empty_target_is_written_as_a_slash),
		cmocka_unit_test(a_status_line_carries_its_phrase),
		cmocka_unit_test(chunk_frames_are_written),
		cmocka_unit_test(what_is_written_reads_back_or_sets_cut_whatever_byte_is_in_it),
		cmocka_unit_test(nothing_that_is_passed_in_can_add_a_line),
		cmocka_unit_test(a_name_is_one_word_and_a_target_has_no_white_space),
		cmocka_unit_test(what_does_not_fit_sets_cut_at_every_capacity),
		cmocka_unit_test(statuses_have_the_phrases_of_rfc_9110),
		cmocka_unit_test(every_status_line_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
