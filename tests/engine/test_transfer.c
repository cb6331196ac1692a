/* SPDX-License-Identifier: MIT */
#include "engine/transfer.h"

#include "core/wide.h"
#include "guard.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define START (500 * NS_PER_S)

static struct transfer transfer;

static struct transfer *begin(ns_t time, unsigned connections)
{
	struct transfer_cfg cfg = { .time = time, .patience = 3 * NS_PER_S, .connections = connections };

	memset(&transfer, 0xa5, sizeof(transfer));
	transfer_init(&transfer, &cfg, START);
	return &transfer;
}

/* Tick at every deadline with what a rate of @per_s bytes would have moved. Return: how many samples were taken. */
static size_t run_even(struct transfer *t, ns_t now, uint64_t per_s)
{
	ns_t first = now;
	size_t samples = 0;

	transfer_flows(t, now);
	while (t->phase != TRANSFER_OVER) {
		ns_t next = transfer_deadline(t);

		assert_true(next > now && next <= transfer_end(t));
		now = next;
		assert_true(transfer_tick(t, now, wide_muldiv(per_s, (uint64_t)(now - first), (uint64_t)NS_PER_S)));
		samples++;
	}
	assert_true(now == first + t->cfg.time);
	return samples;
}

static void without_a_first_byte_patience_ends_it(void **state)
{
	(void)state;
	struct transfer *t = begin(6 * NS_PER_S, 0);

	assert_int_equal(t->phase, TRANSFER_STARTING);
	assert_int_equal(t->connections, 1);
	assert_true(transfer_end(t) == NS_NEVER);
	assert_true(transfer_deadline(t) == START + 3 * NS_PER_S);
	assert_false(transfer_tick(t, START + 3 * NS_PER_S - 1, 0));
	assert_int_equal(t->phase, TRANSFER_STARTING);
	assert_true(transfer_tick(t, START + 3 * NS_PER_S, 0));
	assert_int_equal(t->phase, TRANSFER_OVER);
	assert_false(transfer_tick(t, START + 9 * NS_PER_S, 0));
	assert_false(transfer_result(t).measured);
}

static void the_clock_starts_when_data_flows(void **state)
{
	(void)state;
	struct transfer *t = begin(6 * NS_PER_S, 0);

	transfer_flows(t, START + 2 * NS_PER_S);
	assert_int_equal(t->phase, TRANSFER_TRYING);
	assert_true(transfer_end(t) == START + 8 * NS_PER_S);
	transfer_flows(t, START + 3 * NS_PER_S);
	assert_true(transfer_end(t) == START + 8 * NS_PER_S);
}

static void a_given_number_of_connections_is_kept(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= TRANSFER_CONNECTIONS_MAX; n++) {
		struct transfer *t = begin(2 * NS_PER_S, n);
		ns_t now = START + NS_PER_MS;
		uint64_t bytes = 0;

		assert_int_equal(t->connections, n);
		transfer_flows(t, now);
		while (t->phase != TRANSFER_OVER) {
			assert_int_equal(t->phase, TRANSFER_STEADY);
			now = transfer_deadline(t);
			transfer_tick(t, now, bytes += 1000000);
			assert_int_equal(t->connections, n);
		}
	}
}

static void a_tick_before_its_time_takes_no_sample(void **state)
{
	(void)state;
	struct transfer *t = begin(6 * NS_PER_S, 1);

	transfer_flows(t, START);
	ns_t due = transfer_deadline(t);

	assert_false(transfer_tick(t, due - 1, 1000));
	assert_true(transfer_deadline(t) == due);
	assert_true(transfer_tick(t, due, 1000));
	assert_true(transfer_deadline(t) > due);
	assert_false(transfer_tick(t, due, 1000));
}

static void the_first_sample_counts_from_the_first_byte(void **state)
{
	(void)state;
	struct transfer *t = begin(6 * NS_PER_S, 1);
	ns_t first = START + 300 * NS_PER_MS;

	transfer_flows(t, first);
	ns_t due = transfer_deadline(t);

	assert_true(transfer_tick(t, due, 123456));
	struct rate_result r = transfer_result(t);

	assert_true(r.measured && r.start == first);
	assert_int_equal(r.bytes, 123456);
	assert_true(r.elapsed == due - first);
}

static void people_who_watch_see_the_last_moments(void **state)
{
	(void)state;
	struct transfer *t = begin(6 * NS_PER_S, 1);
	ns_t now = START;
	uint64_t bytes = 0;

	assert_int_equal(transfer_recent(t), UNKNOWN);
	transfer_flows(t, now);
	assert_int_equal(transfer_recent(t), UNKNOWN);
	for (int i = 0; i < 20; i++) {
		uint64_t per_s = i < 10 ? 1000000 : 250000;
		ns_t next = transfer_deadline(t);

		bytes += per_s * (uint64_t)(next - now) / (uint64_t)NS_PER_S;
		now = next;
		assert_true(transfer_tick(t, now, bytes));
		if (i < 10 || i > 13)
			assert_int_equal(transfer_recent(t), 8 * per_s);
	}
	for (int i = 0; i < 5; i++)
		transfer_tick(t, transfer_deadline(t), bytes);
	assert_int_equal(transfer_recent(t), 0); /* a stall is a measured zero */
}

static void a_stall_is_no_reason_for_more_connections(void **state)
{
	(void)state;
	struct transfer *t = begin(6 * NS_PER_S, 0);

	transfer_flows(t, START);
	while (t->phase == TRANSFER_TRYING) {
		transfer_tick(t, transfer_deadline(t), 1000);
		assert_int_equal(t->connections, 1);
	}
	assert_int_equal(t->phase, TRANSFER_STEADY);
}

static void a_late_tick_does_not_lead_to_a_burst_of_samples(void **state)
{
	(void)state;
	struct transfer *t = begin(6 * NS_PER_S, 1);

	transfer_flows(t, START);
	assert_true(transfer_tick(t, START + 2 * NS_PER_S, 1000));
	assert_true(transfer_deadline(t) >= START + 2 * NS_PER_S + 10 * NS_PER_MS);
	assert_false(transfer_tick(t, START + 2 * NS_PER_S + NS_PER_MS, 1000));
}

static void an_even_rate_is_found_whatever_the_time(void **state)
{
	(void)state;
	static const ns_t times[] = { 100 * NS_PER_MS, 300 * NS_PER_MS, NS_PER_S, 6 * NS_PER_S, 30 * NS_PER_S,
		120 * NS_PER_S,
		500 * NS_PER_S };

	for (size_t i = 0; i < COUNT(times); i++) {
		for (unsigned connections = 0; connections < 2; connections++) {
			struct transfer *t = begin(times[i], connections);

			run_even(t, START + 77 * NS_PER_MS, 12500000);
			struct rate_result r = transfer_result(t);

			assert_true(r.measured);
			assert_true(r.bits_per_s > 99999000 && r.bits_per_s < 100001000);
			assert_int_equal(t->connections, 1);
		}
	}
}

static void there_are_enough_samples_to_judge_and_not_too_many_to_keep(void **state)
{
	(void)state;
	static const ns_t times[] = { NS_PER_S, 3 * NS_PER_S, 6 * NS_PER_S, 60 * NS_PER_S, 500 * NS_PER_S };

	for (size_t i = 0; i < COUNT(times); i++) {
		size_t n = run_even(begin(times[i], 1), START, 1000000);

		assert_true(n >= 40 && n < RATE_SAMPLES_MAX);
	}
}

static void a_run_of_an_hour_is_measured_to_its_end(void **state)
{
	(void)state;
	struct transfer *t = begin(3600 * NS_PER_S, 1);

	assert_true(run_even(t, START, 1000000) < RATE_SAMPLES_MAX);
	assert_true(transfer_result(t).elapsed > 3000 * NS_PER_S);
}

static void a_limit_in_bytes_ends_it_at_once(void **state)
{
	(void)state;
	struct transfer_cfg cfg = { .time = 6 * NS_PER_S, .patience = NS_PER_S, .bytes = 1000000, .connections = 1 };

	transfer_init(&transfer, &cfg, START);
	transfer_flows(&transfer, START);
	assert_false(transfer_tick(&transfer, START + NS_PER_MS, 999999));
	assert_true(transfer_tick(&transfer, START + NS_PER_MS, 1000000));
	assert_int_equal(transfer.phase, TRANSFER_OVER);
	assert_int_equal(transfer_result(&transfer).bits_per_s, 8000000000);
}

static void what_is_limited_in_bytes_is_sampled_finely(void **state)
{
	(void)state;
	struct transfer_cfg cfg = { .time = 6 * NS_PER_S, .patience = NS_PER_S, .bytes = 1000000, .connections = 1 };

	transfer_init(&transfer, &cfg, START);
	transfer_flows(&transfer, START);
	assert_true(transfer_deadline(&transfer) - START < 10 * NS_PER_MS);
	cfg.bytes = 0;
	transfer_init(&transfer, &cfg, START);
	transfer_flows(&transfer, START);
	assert_true(transfer_deadline(&transfer) - START >= 50 * NS_PER_MS);
}

/* Samples of an even rate until @until, or until it is over. */
static ns_t go_on(struct transfer *t, ns_t now, ns_t until)
{
	while (now < until && t->phase != TRANSFER_OVER) {
		now = transfer_deadline(t);
		transfer_tick(t, now, (uint64_t)(now - START) / 8);
	}
	return now;
}

static struct transfer *begin_with_fill(void)
{
	struct transfer_cfg cfg = { .time = 10 * NS_PER_S, .patience = NS_PER_S, .fill = true };

	transfer_init(&transfer, &cfg, START);
	transfer_flows(&transfer, START);
	return &transfer;
}

static void at_the_end_the_queue_is_filled_and_the_rate_is_that_from_before(void **state)
{
	(void)state;
	struct transfer *t = begin_with_fill();
	ns_t now = go_on(t, START, START + 6900 * NS_PER_MS);

	assert_int_equal(t->connections, 1);
	assert_true(transfer_full_since(t) == NS_NEVER);
	now = go_on(t, now, START + 7200 * NS_PER_MS);
	assert_int_equal(t->phase, TRANSFER_FILLING);
	assert_int_equal(t->connections, TRANSFER_CONNECTIONS_MAX);
	assert_int_equal(transfer_connections(t), 1);
	assert_in_range(transfer_full_since(t) - START, 7300 * NS_PER_MS, 8000 * NS_PER_MS);
	uint64_t bytes = (uint64_t)(now - START) / 8;

	while (t->phase != TRANSFER_OVER) { /* from now on next to nothing moves any more */
		now = transfer_deadline(t);
		transfer_tick(t, now, bytes++);
	}
	struct rate_result r = transfer_result(t);

	assert_true(r.stable);
	assert_in_range(r.bits_per_s, 999000000, 1001000000);
	assert_false(transfer_stalled(t));
	assert_true(r.elapsed < 7200 * NS_PER_MS);
}

static void what_stands_still_to_the_end_is_no_rate_though_its_queue_was_to_be_filled(void **state)
{
	(void)state;
	struct transfer *t = begin_with_fill();
	ns_t now = go_on(t, START, START + 6 * NS_PER_S);
	uint64_t bytes = (uint64_t)(now - START) / 8;

	while (t->phase != TRANSFER_OVER) {
		now = transfer_deadline(t);
		transfer_tick(t, now, bytes);
	}
	assert_true(transfer_stalled(t));
}

static void a_connection_too_many_is_given_up_without_a_word(void **state)
{
	(void)state;
	struct transfer *t = begin_with_fill();
	ns_t now = START;

	assert_false(transfer_refused(t, 0, now, 0)); /* the only one */
	while (t->connections == 1)
		now = go_on(t, now, now + 1);
	assert_false(transfer_refused(t, 0, now, 0));
	assert_true(transfer_refused(t, 1, now, (uint64_t)(now - START) / 8));
	assert_int_equal(t->connections, 1);
	assert_int_equal(t->phase, TRANSFER_STEADY);
	go_on(t, now, START + 7200 * NS_PER_MS);
	assert_int_equal(t->connections, TRANSFER_CONNECTIONS_MAX);
	assert_true(transfer_refused(t, 3, now, 0));
	assert_int_equal(t->connections, 1);
	assert_false(transfer_refused(t, 0, now, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_first_byte_patience_ends_it),
		cmocka_unit_test(the_clock_starts_when_data_flows),
		cmocka_unit_test(a_given_number_of_connections_is_kept),
		cmocka_unit_test(a_tick_before_its_time_takes_no_sample),
		cmocka_unit_test(the_first_sample_counts_from_the_first_byte),
		cmocka_unit_test(people_who_watch_see_the_last_moments),
		cmocka_unit_test(a_stall_is_no_reason_for_more_connections),
		cmocka_unit_test(a_late_tick_does_not_lead_to_a_burst_of_samples),
		cmocka_unit_test(an_even_rate_is_found_whatever_the_time),
		cmocka_unit_test(there_are_enough_samples_to_judge_and_not_too_many_to_keep),
		cmocka_unit_test(a_run_of_an_hour_is_measured_to_its_end),
		cmocka_unit_test(at_the_end_the_queue_is_filled_and_the_rate_is_that_from_before),
		cmocka_unit_test(what_stands_still_to_the_end_is_no_rate_though_its_queue_was_to_be_filled),
		cmocka_unit_test(a_connection_too_many_is_given_up_without_a_word),
		cmocka_unit_test(a_limit_in_bytes_ends_it_at_once),
		cmocka_unit_test(what_is_limited_in_bytes_is_sampled_finely),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
