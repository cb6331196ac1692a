/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include "core/http1_head.h"
#include "core/json.h"
#include "engine/reply.h"

static char buffer[1024];
static struct http1_head head;
static size_t head_n;

/* The reply, read back by the client's own parser. */
static struct text written(struct reply r)
{
	struct text t;
	http1_mark mark = 0;

	text_init(&t, buffer, sizeof(buffer));
	reply_put(&t, &r);
	assert_false(t.cut);
	int used = http1_head_parse(&head, HTTP1_RESPONSE, t.p, t.len, &mark);

	assert_true(used > 0);
	head_n = (size_t)used;
	return t;
}

static void assert_field(const char *name, const char *want)
{
	struct slice v = { NULL, 0 };
	bool found = http1_head_find(&head, name, &v);

	assert_int_equal(found, want != NULL);
	if (want)
		assert_true(slice_is(v, want));
}

static void a_reply_has_its_length_and_its_content(void **state)
{
	struct text t = written((struct reply){ .status = 200, .type = "text/plain", .content = SLICE("hello") });

	(void)state;
	assert_int_equal(head.status, 200);
	assert_field("content-length", "5");
	assert_field("content-type", "text/plain");
	assert_field("transfer-encoding", NULL);
	assert_field("connection", NULL);
	assert_string_equal(t.p + head_n, "hello");
}

static void a_bare_reply_has_the_length_without_the_content(void **state)
{
	struct text t = written((struct reply){ .status = 200, .content = SLICE("hello"), .bare = true });

	(void)state;
	assert_field("content-length", "5");
	assert_int_equal(t.len, head_n);
}

static void nothing_to_say_has_no_length(void **state)
{
	(void)state;
	written((struct reply){ .status = 204 });
	assert_field("content-length", NULL);
	written((struct reply){ .status = 200 });
	assert_field("content-length", "0");
}

static void a_body_that_follows_has_its_own_length_or_chunks_or_the_close(void **state)
{
	(void)state;
	written((struct reply){ .status = 200, .length = 1000000 });
	assert_field("content-length", "1000000");
	written((struct reply){ .status = 200, .length = REPLY_UNBOUNDED, .chunked = true });
	assert_field("content-length", NULL);
	assert_field("transfer-encoding", "chunked");
	written((struct reply){ .status = 200, .length = REPLY_UNBOUNDED, .connection = "close" });
	assert_field("content-length", NULL);
	assert_field("connection", "close");
}

static void a_receipt_tells_bytes_and_seconds(void **state)
{
	struct text t;

	(void)state;
	text_init(&t, buffer, sizeof(buffer));
	reply_put_receipt(&t, 123456789, 1500 * NS_PER_MS);
	assert_string_equal(t.p, "{\"bytes\":123456789,\"seconds\":1.500000}\n");
}

static void the_info_names_the_program_and_its_limits(void **state)
{
	struct serve_counters c = { .requests = 7, .bytes_in = 8, .bytes_out = 9, .cpu_ns = 5000000 };
	struct slice name;
	uint64_t v;
	struct text t;

	(void)state;
	text_init(&t, buffer, sizeof(buffer));
	reply_put_info(&t, &c, 1000, 60 * NS_PER_S);
	assert_true(json_find_string(text_view(&t), "name", &name) && slice_is(name, "sonde"));
	assert_true(json_find_uint(text_view(&t), "requests", &v) && v == 7);
	assert_true(json_find_uint(text_view(&t), "bytes_received", &v) && v == 8);
	assert_true(json_find_uint(text_view(&t), "bytes_sent", &v) && v == 9);
	assert_true(json_find_uint(text_view(&t), "cpu_us", &v) && v == 5000);
	assert_true(json_find_uint(text_view(&t), "body_seconds_max", &v) && v == 60);
	assert_non_null(strstr(t.p, "\"limits\":{\"body_bytes\":1000,\"body_seconds\":60}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reply_has_its_length_and_its_content),
		cmocka_unit_test(a_bare_reply_has_the_length_without_the_content),
		cmocka_unit_test(nothing_to_say_has_no_length),
		cmocka_unit_test(a_body_that_follows_has_its_own_length_or_chunks_or_the_close),
		cmocka_unit_test(a_receipt_tells_bytes_and_seconds),
		cmocka_unit_test(the_info_names_the_program_and_its_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
