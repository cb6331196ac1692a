/* SPDX-License-Identifier: MIT */
#include "core/siphash.h"

#include "guard.h"

static uint8_t key[16], message[64];

static int number_the_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = (uint8_t)i;
	memcpy(key, message, sizeof(key));
	return 0;
}

/* Of the SipHash paper's reference: key 00..0f, message 00, 01, ... of n bytes. */
static const struct {
	size_t n;
	uint64_t hash;
} vectors[] = {
	{ 0, UINT64_C(0x726fdb47dd0e0e31) },
	{ 1, UINT64_C(0x74f839c593dc67fd) },
	{ 2, UINT64_C(0x0d6c8009d9a94f5a) },
	{ 3, UINT64_C(0x85676696d7fb7e2d) },
	{ 4, UINT64_C(0xcf2794e0277187b7) },
	{ 5, UINT64_C(0x18765564cd99a68d) },
	{ 6, UINT64_C(0xcbc9466e58fee3ce) },
	{ 7, UINT64_C(0xab0200f58b01d137) },
	{ 8, UINT64_C(0x93f5f5799a932462) },
	{ 9, UINT64_C(0x9e0082df0ba9e4b0) },
	{ 15, UINT64_C(0xa129ca6149be45e5) },
	{ 16, UINT64_C(0x3f2acc7f57c29bdb) },
	{ 17, UINT64_C(0x699ae9f52cbe4794) },
	{ 23, UINT64_C(0xa80c038ccd5ccec8) },
	{ 24, UINT64_C(0xb8ad50c6f649af94) },
	{ 63, UINT64_C(0x958a324ceb064572) },
};

static void the_published_vectors_come_out_and_no_byte_past_the_end_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct guard g = guard_of(message, vectors[i].n);

		assert_true(siphash(key, g.p, vectors[i].n) == vectors[i].hash);
		guard_free(&g);
	}
}

static void the_address_of_the_message_does_not_matter(void **state)
{
	(void)state;
	_Alignas(8) uint8_t buf[8 + 24];

	for (size_t offset = 0; offset < 8; offset++) {
		memcpy(buf + offset, message, 24);
		assert_true(siphash(key, buf + offset, 24) == UINT64_C(0xb8ad50c6f649af94));
	}
}

static void every_bit_of_key_and_message_changes_the_hash(void **state)
{
	(void)state;
	const uint64_t hash = siphash(key, message, 20);

	for (size_t bit = 0; bit < 8 * 20; bit++) {
		uint8_t other[20];

		memcpy(other, message, sizeof(other));
		other[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_true(siphash(key, other, sizeof(other)) != hash);
		if (bit < 8 * 16)
			assert_true(siphash(other, message, 20) != siphash(message, message, 20));
	}
}

static void trailing_zeros_are_part_of_the_message(void **state)
{
	(void)state;
	static const uint8_t zeros[16];

	for (size_t n = 0; n < 16; n++)
		for (size_t m = 0; m < n; m++)
			assert_true(siphash(key, zeros, n) != siphash(key, zeros, m));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_vectors_come_out_and_no_byte_past_the_end_is_read),
		cmocka_unit_test(the_address_of_the_message_does_not_matter),
		cmocka_unit_test(every_bit_of_key_and_message_changes_the_hash),
		cmocka_unit_test(trailing_zeros_are_part_of_the_message),
	};

	return cmocka_run_group_tests(tests, number_the_bytes, NULL);
}
