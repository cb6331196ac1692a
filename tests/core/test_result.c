/* SPDX-License-Identifier: MIT */
#include "core/result.h"

#include "guard.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void assert_word(const char *got, const char *want)
{
	if (want)
		assert_string_equal(got, want);
	else
		assert_null(got);
}

static void methods_have_the_words_of_the_contract(void **state)
{
	(void)state;
	assert_word(method_name(METHOD_NONE), "none");
	assert_word(method_name(METHOD_ICMP_RAW), "icmp-raw");
	assert_word(method_name(METHOD_ICMP_DGRAM), "icmp-dgram");
	assert_word(method_name(METHOD_UDP), "udp");
	assert_word(method_name(METHOD_TCP), "tcp");
	assert_word(method_name(METHOD_HTTP), "http");
	assert_int_equal(METHOD_N, 6);
}

static void stamps_have_the_words_of_the_contract_and_grow_better(void **state)
{
	(void)state;
	assert_word(stamps_name(STAMPS_NONE), NULL);
	assert_word(stamps_name(STAMPS_USER), "user");
	assert_word(stamps_name(STAMPS_KERNEL_RX), "kernel-rx");
	assert_word(stamps_name(STAMPS_KERNEL_TXRX), "kernel-txrx");
	assert_int_equal(STAMPS_N, 4);
	assert_true(STAMPS_NONE < STAMPS_USER && STAMPS_USER < STAMPS_KERNEL_RX &&
		STAMPS_KERNEL_RX < STAMPS_KERNEL_TXRX);
}

static void outcomes_have_the_words_of_the_contract(void **state)
{
	(void)state;
	assert_word(outcome_name(OUTCOME_REPLY), "reply");
	assert_word(outcome_name(OUTCOME_LOST), "lost");
	assert_word(outcome_name(OUTCOME_LATE), "late");
	assert_word(outcome_name(OUTCOME_DUPLICATE), "duplicate");
	assert_word(outcome_name(OUTCOME_CORRUPT), "corrupt");
	assert_word(outcome_name(OUTCOME_ERROR), "error");
	assert_int_equal(OUTCOME_N, 6);
}

static void flows_and_servers_have_the_words_of_the_contract(void **state)
{
	(void)state;
	assert_word(flow_status_name(FLOW_SKIPPED), "skipped");
	assert_word(flow_status_name(FLOW_OK), "ok");
	assert_word(flow_status_name(FLOW_UNSUPPORTED), "unsupported");
	assert_word(flow_status_name(FLOW_FAILED), "failed");
	assert_int_equal(FLOW_STATUS_N, 4);
	assert_word(server_kind_name(SERVER_UNKNOWN), NULL);
	assert_word(server_kind_name(SERVER_SONDE), "sonde");
	assert_word(server_kind_name(SERVER_SPEEDTEST), "speedtest");
	assert_word(server_kind_name(SERVER_LIBRESPEED), "librespeed");
	assert_word(server_kind_name(SERVER_OPENSPEEDTEST), "openspeedtest");
	assert_word(server_kind_name(SERVER_FILE), "file");
	assert_word(confidence_name(CONFIDENCE_UNKNOWN), NULL);
	assert_word(confidence_name(CONFIDENCE_LOW), "low");
	assert_word(confidence_name(CONFIDENCE_MEDIUM), "medium");
	assert_word(confidence_name(CONFIDENCE_HIGH), "high");
}

static void limits_have_the_words_of_the_contract(void **state)
{
	(void)state;
	assert_word(limited_by_name(LIMITED_UNKNOWN), NULL);
	assert_word(limited_by_name(LIMITED_NETWORK), "network");
	assert_word(limited_by_name(LIMITED_RECEIVER), "receiver");
	assert_word(limited_by_name(LIMITED_SENDER), "sender");
	assert_word(limited_by_name(LIMITED_CLIENT_CPU), "client-cpu");
	assert_word(limited_by_name(LIMITED_SERVER), "server");
	assert_word(limited_by_name(LIMITED_SIZE), "size");
	assert_int_equal(LIMITED_N, 7);
}

static void a_flow_begins_with_nothing_known(void **state)
{
	(void)state;
	struct flow_result f;

	memset(&f, 0xa5, sizeof(f));
	flow_result_init(&f);
	const int64_t figures[] = { f.bits_per_second, f.bytes, f.elapsed, f.total_bytes, f.peer_bytes, f.connections,
		f.spread_ppm, f.retransmits, f.cpu_per_gigabyte, f.cpu_share_ppm, f.server_share_ppm,
		f.wire_bits_per_second, f.link_bits_per_second };

	for (size_t i = 0; i < COUNT(figures); i++)
		assert_true(figures[i] == UNKNOWN);
	assert_int_equal(f.status, FLOW_SKIPPED);
	assert_int_equal(f.limited_by, LIMITED_UNKNOWN);
	assert_string_equal(f.reason, "");
	assert_string_equal(f.congestion_control, "");
	assert_false(f.stable);
	assert_false(f.counted_by_receiver);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(methods_have_the_words_of_the_contract),
		cmocka_unit_test(stamps_have_the_words_of_the_contract_and_grow_better),
		cmocka_unit_test(outcomes_have_the_words_of_the_contract),
		cmocka_unit_test(flows_and_servers_have_the_words_of_the_contract),
		cmocka_unit_test(limits_have_the_words_of_the_contract),
		cmocka_unit_test(a_flow_begins_with_nothing_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
