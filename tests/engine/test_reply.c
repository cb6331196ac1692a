/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include "core/http1_head.h"
#include "engine/reply.h"
#include "engine/route.h"

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

static void a_reply_has_the_type_and_the_length_of_its_content(void **state)
{
	struct text t = written((struct reply){ .status = 200, .type = "text/plain", .length = 5 });

	(void)state;
	assert_int_equal(head.status, 200);
	assert_field("content-length", "5");
	assert_field("content-type", "text/plain");
	assert_field("transfer-encoding", NULL);
	assert_field("connection", NULL);
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

static void every_reply_names_the_program_and_is_not_to_be_stored(void **state)
{
	(void)state;
	written((struct reply){ .status = 404 });
	assert_field("server", "sonde/" SONDE_VERSION);
	assert_field("cache-control", "no-store");
	assert_field("x-content-type-options", "nosniff");
	assert_field("allow", NULL);
	assert_field("server-timing", NULL);
}

static void further_fields_stand_as_they_are(void **state)
{
	(void)state;
	written((struct reply){ .status = 503, .fields = "Retry-After: 5\r\nX-More: yes\r\n" });
	assert_field("retry-after", "5");
	assert_field("x-more", "yes");
}

static void only_what_other_origins_may_read_says_so(void **state)
{
	(void)state;
	written((struct reply){ .status = 200, .private_network = true });
	assert_field("access-control-allow-origin", NULL);
	assert_field("timing-allow-origin", NULL);
	assert_field("access-control-allow-private-network", NULL);
	written((struct reply){ .status = 200, .cors = true });
	assert_field("access-control-allow-origin", "*");
	assert_field("timing-allow-origin", "*");
	assert_field("access-control-allow-methods", NULL);
	assert_field("access-control-allow-private-network", NULL);
}

static void a_preflight_is_told_what_it_asks_for(void **state)
{
	unsigned allow = ROUTE_GET | ROUTE_HEAD | ROUTE_POST | ROUTE_OPTIONS;

	(void)state;
	written((struct reply){ .status = 204, .cors = true, .allow = allow, .private_network = true });
	assert_field("access-control-allow-methods", "GET, HEAD, POST, OPTIONS");
	assert_field("access-control-allow-headers", "Content-Encoding, Content-Type");
	assert_field("access-control-max-age", "86400");
	assert_field("access-control-allow-private-network", "true");
	assert_field("allow", "GET, HEAD, POST, OPTIONS");
	written((struct reply){ .status = 204, .allow = allow });
	assert_field("access-control-allow-methods", NULL);
	assert_field("allow", "GET, HEAD, POST, OPTIONS");
}

static void a_time_is_told_in_milliseconds_and_never_as_none(void **state)
{
	(void)state;
	written((struct reply){ .status = 200, .timed = true, .time = 1500 * NS_PER_MS });
	assert_field("server-timing", "cfRequestDuration;dur=1500.000");
	written((struct reply){ .status = 200, .timed = true });
	assert_field("server-timing", "cfRequestDuration;dur=0.010");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reply_has_the_type_and_the_length_of_its_content),
		cmocka_unit_test(nothing_to_say_has_no_length),
		cmocka_unit_test(a_body_that_follows_has_its_own_length_or_chunks_or_the_close),
		cmocka_unit_test(every_reply_names_the_program_and_is_not_to_be_stored),
		cmocka_unit_test(further_fields_stand_as_they_are),
		cmocka_unit_test(only_what_other_origins_may_read_says_so),
		cmocka_unit_test(a_preflight_is_told_what_it_asks_for),
		cmocka_unit_test(a_time_is_told_in_milliseconds_and_never_as_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
