/* SPDX-License-Identifier: MIT */
#include "out/check_text.h"

#include "checked.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void the_beginning_says_what_is_measured_and_where(void **state)
{
	(void)state;
	check_text_start(fresh(), full());
	assert_non_null(strstr(buf, "http://server:8080/"));
	assert_non_null(strstr(buf, "192.0.2.1:8080"));
	assert_non_null(strstr(buf, "sonde 0.1.0"));
	assert_int_equal(buf[out.len - 1], '\n');
	struct check_result *r = full();

	r->software[0] = '\0';
	check_text_start(fresh(), r);
	assert_null(strstr(buf, "which is"));
}

static void a_ping_is_one_line_with_what_stands_behind_it(void **state)
{
	(void)state;
	struct ping_result p = pinged(1234000);

	check_text_ping(fresh(), &p, "ping");
	assert_string_equal(buf,
		"  ping        1.234 ms median, 3.702 ms 99th percentile, jitter 0.123 ms, loss 0% of 20 "
				 "(icmp-raw, stamps kernel-txrx)\n");
	p.jitter = UNKNOWN;
	p.in_flight = 3;
	check_text_ping(fresh(), &p, "ping");
	assert_non_null(strstr(buf, "jitter - ms, loss 0% of 17 ("));
	p.method = METHOD_TCP;
	p.reason = "cannot open an ICMP socket: Operation not permitted";
	check_text_ping(fresh(), &p, "ping");
	assert_non_null(strstr(buf,
		"\n              not raw ICMP: cannot open an ICMP socket: Operation not permitted\n"));
}

static void a_ping_without_an_answer_says_so(void **state)
{
	(void)state;
	struct ping_result p = pinged(1);

	p.received = 0;
	p.stamps = STAMPS_NONE;
	p.rtt_p50 = p.rtt_p99 = p.jitter = UNKNOWN;
	check_text_ping(fresh(), &p, "ping");
	assert_string_equal(buf, "  ping        no answer to 20 probes (icmp-raw)\n");
}

static void a_flow_is_one_line_with_what_limited_it(void **state)
{
	(void)state;
	static const struct {
		enum limited_by limit;
		const char *want;
	} rows[] = { { LIMITED_NETWORK, "the network\n" }, { LIMITED_RECEIVER, "the receiver" },
		{ LIMITED_SENDER, "the sender" },
		{ LIMITED_CLIENT_CPU, "this machine's CPU" }, { LIMITED_SERVER, "the server" },
		{ LIMITED_SIZE, "the amount of data" },
		{ LIMITED_UNKNOWN, "the network or the server" } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct flow_result f = flowed(941200000);

		f.limited_by = rows[i].limit;
		check_text_flow(fresh(), &f, "download");
		assert_memory_equal(buf, "  download    941.2 Mbit/s, 117.7 MB/s over 5 s, stable, spread 1%; ", 67);
		assert_non_null(strstr(buf, rows[i].want));
		assert_int_equal(buf[out.len - 1], '\n');
	}
}

static void a_flow_that_was_not_stable_says_so(void **state)
{
	(void)state;
	struct flow_result f = flowed(941200000);

	f.stable = false;
	f.spread_ppm = UNKNOWN;
	check_text_flow(fresh(), &f, "download");
	assert_non_null(strstr(buf, " over 5 s, not stable; "));
}

static void a_flow_that_was_not_measured_says_why_and_no_number(void **state)
{
	(void)state;
	struct flow_result f;

	flow_result_init(&f);
	f.status = FLOW_UNSUPPORTED;
	strcpy(f.reason, "the server answered 501 Unsupported method");
	check_text_flow(fresh(), &f, "upload");
	assert_string_equal(buf, "  upload      not possible here: the server answered 501 Unsupported method\n");
	check_text_details(fresh(), &f);
	assert_string_equal(buf, "");
	f.status = FLOW_FAILED;
	strcpy(f.reason, "no data was moved");
	check_text_flow(fresh(), &f, "upload");
	assert_string_equal(buf, "  upload      failed: no data was moved\n");
	flow_result_init(&f);
	check_text_flow(fresh(), &f, "upload");
	assert_string_equal(buf, "  upload      skipped\n");
}

static void the_details_hold_what_is_known_and_no_more(void **state)
{
	(void)state;
	struct flow_result f = flowed(80000000);

	check_text_details(fresh(), &f);
	assert_string_equal(buf,
		"              60000000 bytes by our count, 60000000 by the server's; 2 connections, cubic "
				 "congestion control, 3 segments sent again; 0.250 CPU s/GB\n"
		"              85.0 Mbit/s on the wire with all headers (computed); this machine's port: 1.0 Gbit/s; "
				 "CPU: 10% here, 5% of the server's\n");
	f.peer_bytes = f.retransmits = f.cpu_per_gigabyte = f.cpu_share_ppm = f.server_share_ppm = UNKNOWN;
	f.wire_bits_per_second = f.link_bits_per_second = UNKNOWN;
	f.connections = 1;
	f.congestion_control[0] = '\0';
	check_text_details(fresh(), &f);
	assert_null(strstr(buf, "server's"));
	assert_null(strstr(buf, "sent again"));
	assert_null(strstr(buf, "CPU"));
	assert_non_null(strstr(buf, "1 connection,"));
	assert_null(strstr(buf, "-1"));
}

static void a_label_ends_where_the_figures_begin(void **state)
{
	(void)state;
	check_text_label(fresh(), "ping");
	assert_string_equal(buf, "  ping        ");
	check_text_label(fresh(), "");
	assert_string_equal(buf, "              ");
}

static void the_conclusions_tell_the_grade_and_what_each_load_did(void **state)
{
	(void)state;
	check_text_conclusions(fresh(), full());
	assert_string_equal(buf, "  bufferbloat grade A: +18.766 ms while downloading, +28.766 ms while uploading\n"
				 "  responsive  fair, round trips a minute (RPM): 900 while downloading\n");
	check_text_conclusions(fresh(), empty());
	assert_string_equal(buf, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_beginning_says_what_is_measured_and_where),
		cmocka_unit_test(a_ping_is_one_line_with_what_stands_behind_it),
		cmocka_unit_test(a_ping_without_an_answer_says_so),
		cmocka_unit_test(a_flow_is_one_line_with_what_limited_it),
		cmocka_unit_test(a_flow_that_was_not_stable_says_so),
		cmocka_unit_test(a_flow_that_was_not_measured_says_why_and_no_number),
		cmocka_unit_test(the_details_hold_what_is_known_and_no_more),
		cmocka_unit_test(a_label_ends_where_the_figures_begin),
		cmocka_unit_test(the_conclusions_tell_the_grade_and_what_each_load_did),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
