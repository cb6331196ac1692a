/* SPDX-License-Identifier: MIT */
#include "core/csum.h"

#include "guard.h"

/* RFC 1071 to the letter: pairs of bytes, the last one padded with zero, the carry added at every step. */
static uint16_t byte_pairs(const uint8_t *p, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < n; i += 2) {
		sum += (uint32_t)(p[i] << 8) + (i + 1 < n ? p[i + 1] : 0);
		if (sum > 0xffff)
			sum -= 0xffff;
	}
	return (uint16_t)~sum;
}

static void fill(uint8_t *p, size_t n, uint32_t seed)
{
	for (size_t i = 0; i < n; i++) {
		seed = seed * 1664525 + 1013904223;
		p[i] = (uint8_t)(seed >> 24);
	}
}

static void the_example_of_rfc_1071_is_right(void **state)
{
	(void)state;
	static const uint8_t example[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

	assert_int_equal(csum_inet(example, sizeof(example)), 0x220d);
}

static void a_real_ip_header_has_the_checksum_it_carries(void **state)
{
	(void)state;
	uint8_t header[] = { 0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0x00, 0x00,
		0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7 };

	assert_int_equal(csum_inet(header, sizeof(header)), 0xb861);
	header[10] = 0xb8;
	header[11] = 0x61;
	assert_int_equal(csum_inet(header, sizeof(header)), 0);
	header[19] ^= 1;
	assert_int_not_equal(csum_inet(header, sizeof(header)), 0);
}

static void every_offset_and_length_agrees_with_byte_pairs(void **state)
{
	(void)state;
	_Alignas(16) uint8_t buf[16 + 200];

	fill(buf, sizeof(buf), 1);
	for (size_t offset = 0; offset < 16; offset++)
		for (size_t n = 0; n <= 200; n++)
			assert_int_equal(csum_inet(buf + offset, n), byte_pairs(buf + offset, n));
}

static void carries_out_of_every_word_are_kept(void **state)
{
	(void)state;
	static uint8_t buf[65536 + 1];
	static const size_t lengths[] = { 1, 2, 3, 7, 8, 9, 65507, 65534, 65535, 65536 };

	memset(buf, 0xff, sizeof(buf));
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		for (size_t offset = 0; offset < 2; offset++)
			assert_int_equal(csum_inet(buf + offset, lengths[i]), byte_pairs(buf + offset, lengths[i]));
}

/* One bit alone, at each place of a long word and of the tail behind it. */
static void every_bit_counts_where_it_stands(void **state)
{
	(void)state;
	for (size_t bit = 0; bit < 8 * 15; bit++) {
		uint8_t b[15] = { 0 };

		b[bit / 8] = (uint8_t)(1 << bit % 8);
		assert_int_equal(csum_inet(b, sizeof(b)), 0xffff - (1 << (bit / 8 % 2 ? 0 : 8) << bit % 8));
	}
}

static void no_byte_past_the_end_is_read_or_counted(void **state)
{
	(void)state;
	uint8_t buf[64];

	fill(buf, sizeof(buf), 2);
	for (size_t n = 0; n <= sizeof(buf); n++) {
		struct guard g = guard_of(buf, n);

		assert_int_equal(csum_inet(g.p, n), byte_pairs(buf, n));
		guard_free(&g);
	}
}

static void nothing_at_all_sums_to_all_ones(void **state)
{
	(void)state;
	assert_int_equal(csum_inet(NULL, 0), 0xffff);
}

static void any_message_with_its_checksum_written_in_sums_to_zero(void **state)
{
	(void)state;
	uint8_t buf[1 + 101];

	for (size_t n = 2; n <= 101; n++) {
		uint8_t *p = buf + 1;

		fill(p, n, (uint32_t)n);
		p[0] = p[1] = 0;
		uint16_t sum = csum_inet(p, n);

		p[0] = (uint8_t)(sum >> 8);
		p[1] = (uint8_t)sum;
		assert_int_equal(csum_inet(p, n), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_of_rfc_1071_is_right),
		cmocka_unit_test(a_real_ip_header_has_the_checksum_it_carries),
		cmocka_unit_test(every_offset_and_length_agrees_with_byte_pairs),
		cmocka_unit_test(carries_out_of_every_word_are_kept),
		cmocka_unit_test(every_bit_counts_where_it_stands),
		cmocka_unit_test(no_byte_past_the_end_is_read_or_counted),
		cmocka_unit_test(nothing_at_all_sums_to_all_ones),
		cmocka_unit_test(any_message_with_its_checksum_written_in_sums_to_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
