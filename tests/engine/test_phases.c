/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include "engine/phases.h"

#include "rng.h"

static struct phases p;
static struct http_result r;

static int start(void **state)
{
	(void)state;
	memset(&p, 0, sizeof(p));
	return 0;
}

static struct http_timing empty(void)
{
	struct http_timing t = { .status = UNKNOWN, .bytes = UNKNOWN };

	for (unsigned i = 0; i < HTTP_SPANS; i++)
		t.span[i] = UNKNOWN;
	return t;
}

/* On a new connection, with the handshake's round trip. */
static struct http_timing opened(ns_t rtt, ns_t transfer)
{
	struct http_timing t = empty();

	t.status = 200;
	t.bytes = 100;
	t.span[HTTP_CONNECT] = 2 * rtt;
	t.span[HTTP_CONNECT_RTT] = rtt;
	t.span[HTTP_SEND] = 10;
	t.span[HTTP_FIRST_BYTE] = NS_PER_MS;
	t.span[HTTP_TRANSFER] = transfer;
	t.span[HTTP_TOTAL] = 2 * rtt + 10 + NS_PER_MS + transfer;
	return t;
}

static struct http_timing kept(ns_t transfer)
{
	struct http_timing t = opened(0, transfer);

	t.span[HTTP_CONNECT] = t.span[HTTP_CONNECT_RTT] = UNKNOWN;
	t.kept = true;
	return t;
}

static struct http_timing failed(const char *why)
{
	struct http_timing t = empty();

	fault_set(&t.why, FAULT_PEER, why, SLICE(""), NULL);
	return t;
}

static void add(struct http_timing t)
{
	phases_add(&p, &t);
}

static void tried(struct http_timing t)
{
	phases_tried(&p, &t);
}

static const struct http_result *result(void)
{
	phases_result(&p, "http://h/", &r);
	return &r;
}

static void before_the_first_request_nothing_is_known(void **state)
{
	(void)state;
	result();
	assert_string_equal(r.url, "http://h/");
	assert_int_equal(r.requests, 0);
	assert_int_equal(r.failed_ppm, UNKNOWN);
	assert_int_equal(r.last.status, UNKNOWN);
	assert_int_equal(r.last.bytes, UNKNOWN);
	assert_string_equal(r.address, "");
	assert_string_equal(r.last.reason, "");
	assert_string_equal(r.error.text, "");
	for (unsigned i = 0; i < HTTP_SPANS; i++)
		assert_int_equal(r.span[i].p50, UNKNOWN);
	for (size_t i = 0; http_figures[i].name; i++)
		assert_int_equal(http_figure(&r, i), UNKNOWN);
}

static void the_figures_of_one_request_are_its_own_to_the_nanosecond(void **state)
{
	(void)state;
	struct http_timing t = opened(123457, 76543211);

	t.address = (struct addr){ .family = 4, .ip = { 192, 0, 2, 1 }, .port = 8080 };
	add(t);
	result();
	for (unsigned i = HTTP_CONNECT; i < HTTP_SPANS; i++) {
		assert_int_equal(r.span[i].min, t.span[i]);
		assert_int_equal(r.span[i].p50, t.span[i]);
		assert_int_equal(r.span[i].p99, t.span[i]);
		assert_int_equal(r.span[i].max, t.span[i]);
	}
	assert_int_equal(r.span[HTTP_RESOLVE].p50, UNKNOWN);
	assert_string_equal(r.address, "192.0.2.1");
	assert_int_equal(r.connections, 1);
	assert_int_equal(r.last.status, 200);
}

static int compare(const void *a, const void *b)
{
	ns_t x = *(const ns_t *)a, y = *(const ns_t *)b;

	return (x > y) - (x < y);
}

static void is_near(ns_t got, ns_t want)
{
	assert_in_range(got, want - want / 128, want + want / 128);
}

static void percentiles_are_those_of_a_sorted_list_and_stay_between_its_ends(void **state)
{
	static ns_t v[500];
	struct rng g = { 7 };

	(void)state;
	for (size_t n = 1; n <= 500; n += 71) {
		memset(&p, 0, sizeof(p));
		for (size_t i = 0; i < n; i++) {
			v[i] = (ns_t)rng_below(&g, 3 * NS_PER_S);
			add(kept(v[i]));
		}
		qsort(v, n, sizeof(v[0]), compare);
		const struct http_spread *s = &result()->span[HTTP_TRANSFER];

		assert_int_equal(s->min, v[0]);
		assert_int_equal(s->max, v[n - 1]);
		is_near(s->p50, v[(n * 500 + 999) / 1000 - 1]);
		is_near(s->p90, v[(n * 900 + 999) / 1000 - 1]);
		is_near(s->p99, v[(n * 990 + 999) / 1000 - 1]);
		assert_true(s->min <= s->p50 && s->p50 <= s->p90 && s->p90 <= s->p99 && s->p99 <= s->max);
	}
}

static void a_failure_counts_but_has_no_say_in_the_figures(void **state)
{
	(void)state;
	struct http_timing half = failed("broke off");

	half.span[HTTP_CONNECT] = half.span[HTTP_FIRST_BYTE] = 9 * NS_PER_S;
	half.status = 503;
	add(failed("first"));
	add(opened(1000, 5));
	add(half);
	result();
	assert_int_equal(r.requests, 3);
	assert_int_equal(r.answered, 1);
	assert_int_equal(r.failed, 2);
	assert_int_equal(r.failed_ppm, 666667);
	assert_int_equal(r.connections, 2);
	assert_int_equal(r.span[HTTP_CONNECT].max, 2000);
	assert_int_equal(r.status_max, 200);
	assert_int_equal(r.n_statuses, 1);
	assert_string_equal(r.error.text, "broke off");
	assert_int_equal(p.sum.error.kind, FAULT_PEER);
}

static void statuses_are_counted_and_a_crowd_of_them_goes_together(void **state)
{
	(void)state;
	for (int64_t status = 200; status < 220; status++) {
		struct http_timing t = kept(1);

		t.status = status;
		add(t);
		add(t);
	}
	result();
	assert_int_equal(r.n_statuses, HTTP_STATUSES_MAX);
	assert_int_equal(r.statuses[0].status, 200);
	assert_int_equal(r.statuses[0].count, 2);
	assert_int_equal(r.statuses[HTTP_STATUSES_MAX - 1].status, UNKNOWN);

	int64_t sum = 0;

	for (size_t i = 0; i < r.n_statuses; i++)
		sum += r.statuses[i].count;
	assert_int_equal(sum, 40);
	assert_int_equal(r.last.status, 219);
	assert_int_equal(r.status_max, 219);
	add(kept(1));
	result();
	assert_int_equal(r.last.status, 200);
	assert_int_equal(r.status_max, 219);
}

static void each_figure_that_may_be_expected_is_the_one_of_its_name(void **state)
{
	static const struct {
		const char *name;
		int64_t want;
	} rows[] = { { "total", 60 }, { "total.p99", 600 }, { "first_byte", 40 }, { "first_byte.p99", 400 },
		{ "connect", 20 }, { "connect.p99", 200 }, { "transfer", 50 }, { "resolve", 10 }, { "status", 404 },
		{ "failed", 2500 } };

	(void)state;
	memset(&r, 0, sizeof(r));
	for (unsigned i = 0; i < HTTP_SPANS; i++)
		r.span[i] = (struct http_spread){ .p50 = 10 * (i + 1), .p99 = 100 * (i + 1) };
	r.status_max = 404;
	r.failed_ppm = 2500;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_string_equal(http_figures[i].name, rows[i].name);
		assert_int_equal(http_figure(&r, i), rows[i].want);
	}
	assert_null(http_figures[sizeof(rows) / sizeof(rows[0])].name);
}

#define SLOW (44 * NS_PER_MS)
#define FAST (50 * NS_PER_US)

static void a_wait_that_comes_and_goes_with_our_acknowledgement_is_called_what_it_is(void **state)
{
	(void)state;
	add(opened(NS_PER_MS, FAST));
	add(kept(FAST));
	assert_int_equal(phases_trial(&p), TRIAL_NONE);
	add(kept(SLOW));
	assert_int_equal(phases_trial(&p), TRIAL_PROMPT);
	tried(kept(FAST));
	assert_int_equal(phases_trial(&p), TRIAL_PLAIN);
	tried(kept(SLOW));
	assert_int_equal(phases_trial(&p), TRIAL_PROMPT);
	assert_false(result()->delayed_ack);
	tried(kept(FAST));
	assert_int_equal(phases_trial(&p), TRIAL_NONE);
	assert_true(result()->delayed_ack);
	assert_non_null(strstr(r.note, "delayed acknowledgement"));
	assert_int_equal(r.requests, 3);
	add(kept(SLOW));
	assert_int_equal(phases_trial(&p), TRIAL_NONE);
}

static void a_server_that_is_slow_whatever_we_do_is_slow(void **state)
{
	/* What comes of the attempt's requests: always slow; fast by chance at first, in the middle, at the end. */
	static const ns_t ways[][3] = { { SLOW, 0, 0 }, { FAST, FAST, 0 }, { FAST, SLOW, SLOW } };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		memset(&p, 0, sizeof(p));
		add(opened(NS_PER_MS, FAST));
		add(kept(SLOW));
		for (size_t k = 0; phases_trial(&p) != TRIAL_NONE; k++) {
			assert_in_range(k, 0, i);
			tried(kept(ways[i][k]));
		}
		assert_false(result()->delayed_ack);
		assert_null(r.note);
	}
}

static void a_few_attempts_are_enough(void **state)
{
	int attempts = 0;

	(void)state;
	add(opened(NS_PER_MS, FAST));
	for (int i = 0; i < 100; i++) {
		add(kept(SLOW));
		for (; phases_trial(&p) != TRIAL_NONE; attempts++)
			tried(kept(SLOW));
	}
	assert_int_equal(attempts, 3);
	assert_false(result()->delayed_ack);
}

static void nothing_is_tried_where_the_network_the_time_or_the_size_has_another_reason(void **state)
{
	struct http_timing large = kept(SLOW), broken = kept(SLOW), fresh = opened(NS_PER_MS, SLOW);

	(void)state;
	large.bytes = 1 << 20;
	fault_set(&broken.why, FAULT_PEER, "broke off", SLICE(""), NULL);
	add(kept(SLOW)); /* no handshake was timed */
	assert_int_equal(phases_trial(&p), TRIAL_NONE);
	add(fresh);
	assert_int_equal(phases_trial(&p), TRIAL_NONE);
	add(large);
	assert_int_equal(phases_trial(&p), TRIAL_NONE);
	add(broken);
	assert_int_equal(phases_trial(&p), TRIAL_NONE);
	add(kept(30 * NS_PER_MS));
	add(kept(70 * NS_PER_MS));
	assert_int_equal(phases_trial(&p), TRIAL_NONE);
	add(opened(30 * NS_PER_MS, FAST)); /* a network that is slow itself */
	add(kept(SLOW));
	assert_int_equal(phases_trial(&p), TRIAL_NONE);
	add(opened(NS_PER_MS, FAST));
	add(kept(SLOW));
	assert_int_equal(phases_trial(&p), TRIAL_PROMPT);
}

static void an_attempt_whose_connection_is_lost_proves_nothing(void **state)
{
	(void)state;
	add(opened(NS_PER_MS, FAST));
	add(kept(SLOW));
	tried(opened(NS_PER_MS, FAST));
	assert_int_equal(phases_trial(&p), TRIAL_NONE);
	add(kept(SLOW));
	tried(kept(FAST));
	tried(failed("gone"));
	assert_int_equal(phases_trial(&p), TRIAL_NONE);
	assert_false(result()->delayed_ack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(before_the_first_request_nothing_is_known, start),
		cmocka_unit_test_setup(the_figures_of_one_request_are_its_own_to_the_nanosecond, start),
		cmocka_unit_test_setup(percentiles_are_those_of_a_sorted_list_and_stay_between_its_ends, start),
		cmocka_unit_test_setup(a_failure_counts_but_has_no_say_in_the_figures, start),
		cmocka_unit_test_setup(statuses_are_counted_and_a_crowd_of_them_goes_together, start),
		cmocka_unit_test_setup(each_figure_that_may_be_expected_is_the_one_of_its_name, start),
		cmocka_unit_test_setup(a_wait_that_comes_and_goes_with_our_acknowledgement_is_called_what_it_is, start),
		cmocka_unit_test_setup(a_server_that_is_slow_whatever_we_do_is_slow, start),
		cmocka_unit_test_setup(a_few_attempts_are_enough, start),
		cmocka_unit_test_setup(nothing_is_tried_where_the_network_the_time_or_the_size_has_another_reason, start),
		cmocka_unit_test_setup(an_attempt_whose_connection_is_lost_proves_nothing, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
