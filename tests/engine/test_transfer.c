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

static const struct {
	const char *what;
	struct transfer_evidence e;
	enum limited_by want;
} limits[] = {
	{ "nothing is known", { UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, false }, LIMITED_UNKNOWN },
	{ "we were not busy, and that is all", { 300000, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, false }, LIMITED_UNKNOWN },
	{ "the file was small", { UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, true }, LIMITED_SIZE },
	{ "the file was small and we were busy", { 990000, 990000, UNKNOWN, UNKNOWN, UNKNOWN, true }, LIMITED_SIZE },
	{ "we were busy", { 950000, 100000, 1000, 900, 0, false }, LIMITED_CLIENT_CPU },
	{ "more than one CPU", { 1700000, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, false }, LIMITED_CLIENT_CPU },
	{ "the server was busy", { 200000, 950000, 1000, 900, 0, false }, LIMITED_SERVER },
	{ "the window was shut", { 200000, 200000, 1000, 600, 0, false }, LIMITED_RECEIVER },
	{ "the buffer was full", { 200000, 200000, 1000, 100, 600, false }, LIMITED_SENDER },
	{ "the window was shut for half of the time only", { 200000, UNKNOWN, 1000, 500, 0, false }, LIMITED_NETWORK },
	{ "sockets that had data all the time", { UNKNOWN, UNKNOWN, 1000, 0, 0, false }, LIMITED_NETWORK },
	{ "a known server with time to spare", { 100000, 100000, UNKNOWN, UNKNOWN, UNKNOWN, false }, LIMITED_NETWORK },
	{ "sockets that never had any data", { 100000, UNKNOWN, 0, 0, 0, false }, LIMITED_UNKNOWN },
};

static void what_limits_a_flow_follows_from_the_evidence(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(limits); i++)
		assert_int_equal(transfer_limit(&limits[i].e), limits[i].want);
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
		cmocka_unit_test(what_limits_a_flow_follows_from_the_evidence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
