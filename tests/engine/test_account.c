/* SPDX-License-Identifier: MIT */
#include "engine/account.h"

#include "guard.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct rate_result steady = { .measured = true, .judged = true, .stable = true, .bytes = 125000000, .elapsed = NS_PER_S,
	.bits_per_s = 1000000000, .spread_ppm = 10000 };

static struct account account;

static struct account *begin(bool up, bool counts)
{
	account_init(&account, up, counts);
	account.wall = NS_PER_S;
	account.connections = 1;
	account.moved = 1000000;
	return &account;
}

static struct flow_result result_of(const struct account *a, const struct rate_result *rate)
{
	struct flow_result f;

	flow_result_init(&f);
	account_result(a, rate, &f);
	return f;
}

static const struct {
	const char *what;
	int64_t client, server;
	struct account_tcp tcp; /* retransmits, busy, rwnd_limited, sndbuf_limited */
	enum limited_by want;
} limits[] = {
	{ "nothing is known", 0, UNKNOWN, { UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN }, LIMITED_UNKNOWN },
	{ "we were not busy, and that is all", 300000, UNKNOWN, { UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN }, LIMITED_UNKNOWN },
	{ "we were busy", 950000, 100000, { 0, 1000, 900, 0 }, LIMITED_CLIENT_CPU },
	{ "more than one CPU", 1700000, UNKNOWN, { UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN }, LIMITED_CLIENT_CPU },
	{ "the server was busy", 200000, 950000, { 0, 1000, 900, 0 }, LIMITED_SERVER },
	{ "the window was shut", 200000, 200000, { 0, 1000, 600, 0 }, LIMITED_RECEIVER },
	{ "the buffer was full", 200000, 200000, { 0, 1000, 100, 600 }, LIMITED_SENDER },
	{ "the window was shut for half of the time only", 200000, UNKNOWN, { 0, 1000, 500, 0 }, LIMITED_NETWORK },
	{ "sockets that had data all the time", 0, UNKNOWN, { 0, 1000, 0, 0 }, LIMITED_NETWORK },
	{ "a known server with time to spare", 100000, 100000, { UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN }, LIMITED_NETWORK },
	{ "sockets that never had any data", 100000, UNKNOWN, { 0, 0, 0, 0 }, LIMITED_UNKNOWN },
};

static void what_limits_a_flow_follows_from_the_evidence(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(limits); i++) {
		struct account *a = begin(true, true);

		a->cpu = limits[i].client * 1000;
		a->server_share_ppm = limits[i].server;
		account_tcp(a, &limits[i].tcp);
		assert_int_equal(result_of(a, &steady).limited_by, limits[i].want);
	}
}

static void small_files_one_after_another_are_limited_by_their_size(void **state)
{
	(void)state;
	struct account *a = begin(false, false);

	account_exchange(a, 0, 70000, NULL);
	a->waited = NS_PER_S / 4;
	a->cpu = NS_PER_S; /* and even then */
	assert_int_equal(result_of(a, &steady).limited_by, LIMITED_SIZE);
	a->connections = 4; /* over all of them it was little */
	assert_int_equal(result_of(a, &steady).limited_by, LIMITED_CLIENT_CPU);
}

static void what_was_rationed_says_little_unless_it_became_steady(void **state)
{
	(void)state;
	struct rate_result ramp = steady;
	struct account *a = begin(false, true);

	ramp.stable = false;
	a->server_share_ppm = 1000;
	a->rationed = true;
	assert_int_equal(result_of(a, &ramp).limited_by, LIMITED_SIZE);
	assert_int_equal(result_of(a, &steady).limited_by, LIMITED_NETWORK);
}

static void what_both_ends_counted_is_compared(void **state)
{
	(void)state;
	struct account *a = begin(true, true);
	uint64_t told = 700;

	account_exchange(a, 700, 20, &told);
	account_exchange(a, 5000, 20, NULL);
	struct flow_result f = result_of(a, &steady);

	assert_int_equal(f.total_bytes, 700);
	assert_int_equal(f.peer_bytes, 700);
	assert_true(f.counted_by_receiver);
	assert_int_equal(a->gone, 5700);
}

static void without_a_word_of_the_other_end_the_sender_counted(void **state)
{
	(void)state;
	struct flow_result f = result_of(begin(true, false), &steady);

	assert_false(f.counted_by_receiver);
	assert_true(f.peer_bytes == UNKNOWN);
	assert_int_equal(f.total_bytes, 1000000);
	assert_true(result_of(begin(false, false), &steady).counted_by_receiver);
}

static void a_server_that_received_less_than_was_sent_makes_no_figure(void **state)
{
	(void)state;
	struct account *a = begin(true, true);
	uint64_t told = 980000;

	account_exchange(a, 1000000, 0, &told);
	assert_string_equal(account_fault(a, &steady, false), "the server says that it received less than was sent: not measured");
	a = begin(true, true);
	told = 65529; /* a rounding of some clients */
	account_exchange(a, 65536, 0, &told);
	assert_null(account_fault(a, &steady, false));
}

static void a_count_that_cannot_be_is_left_out(void **state)
{
	(void)state;
	struct account *a = begin(true, true);
	uint64_t told = UINT64_MAX;

	account_exchange(a, 10, 0, &told);
	assert_true(result_of(a, &steady).peer_bytes == UNKNOWN);
}

static void bytes_that_nobody_answered_for_make_no_upload(void **state)
{
	(void)state;
	struct account *a = begin(true, false);

	assert_non_null(account_fault(a, &steady, false));
	account_exchange(a, 300000, 0, NULL);
	assert_null(account_fault(a, &steady, false));
}

static void without_data_or_with_a_stop_there_is_no_figure(void **state)
{
	(void)state;
	struct rate_result none = steady;

	assert_null(account_fault(begin(false, true), &steady, false));
	assert_string_equal(account_fault(begin(false, true), &steady, true), "the transfer came to a stop");
	none.bytes = 0;
	assert_string_equal(account_fault(begin(false, true), &none, false), "no data was moved");
	none = steady;
	none.measured = false;
	assert_non_null(account_fault(begin(false, true), &none, false));
}

static void confidence_needs_enough_samples_and_a_steady_rate(void **state)
{
	(void)state;
	struct rate_result r = steady;

	assert_int_equal(result_of(begin(false, true), &r).confidence, CONFIDENCE_HIGH);
	r.stable = false;
	assert_int_equal(result_of(begin(false, true), &r).confidence, CONFIDENCE_MEDIUM);
	r.judged = false;
	assert_int_equal(result_of(begin(false, true), &r).confidence, CONFIDENCE_LOW);
}

static void the_rate_on_the_wire_has_the_headers_of_full_segments(void **state)
{
	(void)state;
	struct account *a = begin(false, true);

	assert_true(result_of(a, &steady).wire_bits_per_second == UNKNOWN);
	a->segment = 1448;
	a->headers = 38 + 20 + 32;
	assert_int_equal(result_of(a, &steady).wire_bits_per_second, 1000000000LL * 1538 / 1448);
}

static void sockets_that_do_not_tell_leave_the_others_sum(void **state)
{
	(void)state;
	struct account *a = begin(true, true);

	account_tcp(a, &(struct account_tcp){ UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN });
	assert_true(result_of(a, &steady).retransmits == UNKNOWN);
	account_tcp(a, &(struct account_tcp){ 3, UNKNOWN, UNKNOWN, UNKNOWN });
	account_tcp(a, &(struct account_tcp){ 4, UNKNOWN, UNKNOWN, UNKNOWN });
	assert_int_equal(result_of(a, &steady).retransmits, 7);
}

static void cpu_is_told_as_a_share_and_by_the_gigabyte(void **state)
{
	(void)state;
	struct account *a = begin(false, true);

	a->cpu = NS_PER_S / 10;
	a->moved = 2000000000;
	struct flow_result f = result_of(a, &steady);

	assert_int_equal(f.cpu_share_ppm, 100000);
	assert_int_equal(f.cpu_per_gigabyte, NS_PER_S / 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_limits_a_flow_follows_from_the_evidence),
		cmocka_unit_test(small_files_one_after_another_are_limited_by_their_size),
		cmocka_unit_test(what_was_rationed_says_little_unless_it_became_steady),
		cmocka_unit_test(what_both_ends_counted_is_compared),
		cmocka_unit_test(without_a_word_of_the_other_end_the_sender_counted),
		cmocka_unit_test(a_server_that_received_less_than_was_sent_makes_no_figure),
		cmocka_unit_test(a_count_that_cannot_be_is_left_out),
		cmocka_unit_test(bytes_that_nobody_answered_for_make_no_upload),
		cmocka_unit_test(without_data_or_with_a_stop_there_is_no_figure),
		cmocka_unit_test(confidence_needs_enough_samples_and_a_steady_rate),
		cmocka_unit_test(the_rate_on_the_wire_has_the_headers_of_full_segments),
		cmocka_unit_test(sockets_that_do_not_tell_leave_the_others_sum),
		cmocka_unit_test(cpu_is_told_as_a_share_and_by_the_gigabyte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
