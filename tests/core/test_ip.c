/* SPDX-License-Identifier: MIT */
#include "core/ip.h"

#include "guard.h"

/* 28 bytes from 192.0.2.1 to 198.51.100.7, time to live 57, ICMP. */
static const uint8_t packet[28] = { 0x45, 0x00, 0x00, 28, 0x12, 0x34, 0x40, 0x00, 57, 1, 0xab, 0xcd,
	192, 0, 2, 1, 198, 51, 100, 7, 'p', 'a', 'y', 'l', 'o', 'a', 'd', '!' };

static void a_header_without_options_is_read(void **state)
{
	(void)state;
	struct ip4 ip;

	assert_true(ip4_parse(packet, sizeof(packet), &ip));
	assert_int_equal(ip.protocol, 1);
	assert_int_equal(ip.ttl, 57);
	assert_memory_equal(ip.src, packet + 12, 4);
	assert_memory_equal(ip.dst, packet + 16, 4);
	assert_ptr_equal(ip.payload, packet + 20);
	assert_int_equal(ip.n, 8);
	assert_false(ip.cut);
	assert_false(ip.later_fragment);
}

static void the_payload_begins_behind_the_options(void **state)
{
	(void)state;
	for (size_t words = 5; words <= 15; words++) {
		uint8_t p[60 + 8] = { 0 };
		struct ip4 ip;

		memcpy(p, packet, 20);
		p[0] = (uint8_t)(0x40 | words);
		p[3] = (uint8_t)(words * 4 + 8);
		assert_true(ip4_parse(p, words * 4 + 8, &ip));
		assert_ptr_equal(ip.payload, p + words * 4);
		assert_int_equal(ip.n, 8);
		assert_memory_equal(ip.dst, packet + 16, 4);
	}
}

static void what_follows_the_total_length_is_padding(void **state)
{
	(void)state;
	uint8_t p[46] = { 0 };
	struct ip4 ip;

	memcpy(p, packet, sizeof(packet));
	assert_true(ip4_parse(p, sizeof(p), &ip));
	assert_int_equal(ip.n, 8);
	assert_false(ip.cut);
}

static void a_packet_may_be_a_header_alone(void **state)
{
	(void)state;
	uint8_t p[28];
	struct ip4 ip;

	memcpy(p, packet, sizeof(p));
	p[3] = 20;
	assert_true(ip4_parse(p, 20, &ip));
	assert_true(ip4_parse(p, sizeof(p), &ip));
	assert_int_equal(ip.n, 0);
	assert_false(ip.cut);
}

static void a_packet_shorter_than_it_says_is_cut(void **state)
{
	(void)state;
	for (size_t n = 20; n < sizeof(packet); n++) {
		struct guard g = guard_of(packet, n);
		struct ip4 ip;

		assert_true(ip4_parse(g.p, n, &ip));
		assert_true(ip.cut);
		assert_int_equal(ip.n, n - 20);
		guard_free(&g);
	}
}

static void a_truncated_header_is_refused_at_every_length(void **state)
{
	(void)state;
	uint8_t p[60] = { 0 };

	memcpy(p, packet, 20);
	p[0] = 0x4f;
	p[3] = 60;
	for (size_t n = 0; n < sizeof(p); n++) {
		struct guard g = guard_of(p, n);
		struct ip4 ip;

		assert_false(ip4_parse(g.p, n, &ip));
		guard_free(&g);
	}
}

static void the_total_length_is_two_bytes_wide(void **state)
{
	(void)state;
	static uint8_t p[0x1234];
	struct ip4 ip;

	memcpy(p, packet, sizeof(packet));
	p[2] = 0x12;
	p[3] = 0x34;
	assert_true(ip4_parse(p, sizeof(p), &ip));
	assert_int_equal(ip.n, 0x1234 - 20);
	assert_false(ip.cut);
	assert_true(ip4_parse(p, sizeof(p) - 1, &ip));
	assert_true(ip.cut);
}

static void impossible_headers_are_refused_and_nothing_is_written(void **state)
{
	(void)state;
	static const struct {
		size_t at;
		uint8_t value;
	} spoiled[] = {
		{ 0, 0x55 }, { 0, 0x65 }, { 0, 0x05 }, /* version */
		{ 0, 0x40 }, { 0, 0x44 },              /* IHL under five words */
		{ 0, 0x48 },                           /* IHL past what is there */
		{ 3, 0 }, { 3, 19 },                   /* total length under the header's */
	};

	for (size_t i = 0; i < sizeof(spoiled) / sizeof(spoiled[0]); i++) {
		uint8_t p[28];
		struct ip4 ip = { .ttl = 99 };

		memcpy(p, packet, sizeof(p));
		p[spoiled[i].at] = spoiled[i].value;
		assert_false(ip4_parse(p, sizeof(p), &ip));
		assert_int_equal(ip.ttl, 99);
	}
}

static void only_an_offset_makes_a_later_fragment_not_the_flags(void **state)
{
	(void)state;
	static const struct {
		uint8_t hi, lo;
		bool later;
	} rows[] = { { 0x00, 0, false }, { 0x40, 0, false }, { 0x20, 0, false }, { 0xe0, 0, false },
		{ 0x00, 1, true }, { 0x20, 1, true }, { 0x10, 0, true }, { 0x01, 0, true } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t p[28];
		struct ip4 ip;

		memcpy(p, packet, sizeof(p));
		p[6] = rows[i].hi;
		p[7] = rows[i].lo;
		assert_true(ip4_parse(p, sizeof(p), &ip));
		assert_int_equal(ip.later_fragment, rows[i].later);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_without_options_is_read),
		cmocka_unit_test(the_payload_begins_behind_the_options),
		cmocka_unit_test(what_follows_the_total_length_is_padding),
		cmocka_unit_test(a_packet_may_be_a_header_alone),
		cmocka_unit_test(a_packet_shorter_than_it_says_is_cut),
		cmocka_unit_test(a_truncated_header_is_refused_at_every_length),
		cmocka_unit_test(the_total_length_is_two_bytes_wide),
		cmocka_unit_test(impossible_headers_are_refused_and_nothing_is_written),
		cmocka_unit_test(only_an_offset_makes_a_later_fragment_not_the_flags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
