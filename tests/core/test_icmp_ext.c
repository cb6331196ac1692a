/* SPDX-License-Identifier: MIT */
#include "core/icmp_ext.h"

#include "guard.h"
#include "rng.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* An extension under construction. */
struct bytes {
	uint8_t v[600];
	size_t n;
};

static void put(struct bytes *b, const void *p, size_t n)
{
	assert_true(b->n + n <= sizeof(b->v));
	if (n > 0)
		memcpy(b->v + b->n, p, n);
	b->n += n;
}

static struct bytes begin(void)
{
	struct bytes b = { .n = 0 };

	put(&b, "\x20\0\0\0", 4);
	return b;
}

/* An object that claims to be so long. */
static void put_object(struct bytes *b, unsigned length, uint8_t class, uint8_t type, const void *body, size_t n)
{
	const uint8_t header[] = { (uint8_t)(length >> 8), (uint8_t)length, class, type };

	put(b, header, sizeof(header));
	put(b, body, n);
}

/* RFC 1071, without the code under test. */
static void seal(struct bytes *b)
{
	uint32_t sum = 0;

	b->v[2] = b->v[3] = 0;
	for (size_t i = 0; i < b->n; i++)
		sum += i % 2 ? b->v[i] : (uint32_t)b->v[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	b->v[2] = (uint8_t)(~sum >> 8);
	b->v[3] = (uint8_t)~sum;
}

/* 24012, class 5, TTL 1; below it 17, the bottom, TTL 254. */
static const uint8_t two_labels[] = { 0x05, 0xdc, 0xca, 0x01, 0x00, 0x01, 0x11, 0xfe };

static struct bytes stack_of_two(void)
{
	struct bytes b = begin();

	put_object(&b, 12, 1, 1, two_labels, sizeof(two_labels));
	seal(&b);
	return b;
}

static size_t labels_of(const struct bytes *b, bool marked, struct icmp_label out[ICMP_LABELS_MAX])
{
	struct guard g = guard_of(b->v, b->n);
	struct icmp_ext e = { (const uint8_t *)g.p, b->n, marked };
	size_t n = icmp_ext_labels(&e, out);

	guard_free(&g);
	return n;
}

static size_t count(const struct bytes *b, bool marked)
{
	struct icmp_label ignored[ICMP_LABELS_MAX];

	return labels_of(b, marked, ignored);
}

static void assert_two_labels(const struct bytes *b, bool marked)
{
	struct icmp_label v[ICMP_LABELS_MAX];

	assert_int_equal(labels_of(b, marked, v), 2);
	assert_int_equal(v[0].label, 24012);
	assert_int_equal(v[0].tc, 5);
	assert_false(v[0].bottom);
	assert_int_equal(v[0].ttl, 1);
	assert_int_equal(v[1].label, 17);
	assert_int_equal(v[1].tc, 0);
	assert_true(v[1].bottom);
	assert_int_equal(v[1].ttl, 254);
}

static void a_label_stack_is_read_as_rfc_4950_writes_it(void **state)
{
	(void)state;
	struct bytes b = stack_of_two();

	assert_two_labels(&b, true);
	assert_two_labels(&b, false);
}

static void all_bits_of_an_entry_have_their_place(void **state)
{
	(void)state;
	static const struct {
		uint8_t entry[4];
		struct icmp_label want;
	} rows[] = {
		{ { 0xff, 0xff, 0xff, 0xff }, { 0xfffff, 7, true, 255 } },
		{ { 0xff, 0xff, 0xf0, 0x00 }, { 0xfffff, 0, false, 0 } },
		{ { 0x00, 0x00, 0x0e, 0x00 }, { 0, 7, false, 0 } },
		{ { 0x00, 0x00, 0x01, 0x00 }, { 0, 0, true, 0 } },
		{ { 0x00, 0x00, 0x00, 0x80 }, { 0, 0, false, 128 } },
		{ { 0x80, 0x00, 0x10, 0x00 }, { 0x80001, 0, false, 0 } },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bytes b = begin();
		struct icmp_label v[ICMP_LABELS_MAX];

		put_object(&b, 8, 1, 1, rows[i].entry, 4);
		seal(&b);
		assert_int_equal(labels_of(&b, true, v), 1);
		assert_int_equal(v[0].label, rows[i].want.label);
		assert_int_equal(v[0].tc, rows[i].want.tc);
		assert_int_equal(v[0].bottom, rows[i].want.bottom);
		assert_int_equal(v[0].ttl, rows[i].want.ttl);
	}
}

static void objects_of_other_kinds_are_passed_over(void **state)
{
	(void)state;
	static const uint8_t kinds[][2] = { { 2, 1 }, { 1, 2 }, { 1, 0 }, { 0, 1 }, { 247, 9 } };
	struct bytes b = begin();

	for (size_t i = 0; i < COUNT(kinds); i++)
		put_object(&b, 4 + 4 * (unsigned)i, kinds[i][0], kinds[i][1], two_labels, i < 3 ? 4 * i : 8);
	seal(&b);
	assert_int_equal(count(&b, true), 0);
	b = begin();
	put_object(&b, 12, 2, 1, two_labels, 8);
	put_object(&b, 4, 3, 1, NULL, 0);
	put_object(&b, 12, 1, 1, two_labels, 8);
	put_object(&b, 8, 1, 1, "\xff\xff\xff\xff", 4);
	seal(&b);
	assert_two_labels(&b, true);
}

static void of_a_stack_higher_than_there_is_room_for_the_outermost_are_kept(void **state)
{
	(void)state;
	struct bytes b = begin();
	struct icmp_label v[ICMP_LABELS_MAX];

	put_object(&b, 4 + 4 * 100, 1, 1, NULL, 0);
	for (unsigned i = 0; i < 100; i++)
		put(&b, (uint8_t[]){ 0, 0, (uint8_t)(i << 4), (uint8_t)i }, 4);
	seal(&b);
	assert_int_equal(labels_of(&b, true, v), ICMP_LABELS_MAX);
	for (unsigned i = 0; i < ICMP_LABELS_MAX; i++)
		assert_int_equal(v[i].ttl, i);
}

static void what_does_not_fit_its_object_or_the_message_is_none(void **state)
{
	(void)state;
	static const unsigned lengths[] = { 0, 1, 2, 3, 13, 14, 16, 65535 };

	for (size_t i = 0; i < COUNT(lengths); i++) {
		struct bytes b = begin();

		put_object(&b, lengths[i], 1, 1, two_labels, 8);
		seal(&b);
		assert_int_equal(count(&b, true), 0);
	}
	for (unsigned body = 0; body <= 8; body++) { /* only whole entries */
		struct bytes b = begin();

		put_object(&b, 4 + body, 1, 1, two_labels, body);
		seal(&b);
		assert_int_equal(count(&b, true), body / 4);
	}
}

static void an_extension_cut_anywhere_is_none_and_read_no_farther(void **state)
{
	(void)state;
	struct bytes b = stack_of_two();

	for (size_t n = 0; n < b.n; n++) {
		struct bytes cut = b;

		cut.n = n;
		assert_int_equal(count(&cut, true), 0);
		if (n >= 4) /* with a checksum that is right for what is left */
			seal(&cut);
		assert_int_equal(count(&cut, true), 0);
	}
}

static void every_bit_that_flips_is_noticed(void **state)
{
	(void)state;
	struct bytes b = stack_of_two();

	for (size_t bit = 0; bit < 8 * b.n; bit++) {
		struct bytes flipped = b;

		flipped.v[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(count(&flipped, true), 0);
	}
}

static void only_version_2_is_known(void **state)
{
	(void)state;
	for (unsigned version = 0; version < 16; version++) {
		struct bytes b = stack_of_two();

		b.v[0] = (uint8_t)(version << 4);
		seal(&b);
		assert_int_equal(count(&b, true), version == 2 ? 2 : 0);
	}
}

static void no_checksum_is_enough_where_the_place_was_told_and_only_there(void **state)
{
	(void)state;
	struct bytes b = stack_of_two();

	b.v[2] = b.v[3] = 0;
	assert_two_labels(&b, true);
	assert_int_equal(count(&b, false), 0);
}

static void it_is_looked_for_where_it_is_told_to_be_else_at_the_usual_place(void **state)
{
	(void)state;
	static const struct {
		size_t n, at, usual, from;
		bool found, marked;
	} rows[] = {
		{ 200, 128, 128, 128, true, true },
		{ 200, 160, 128, 160, true, true },
		{ 200, 0, 128, 128, true, false },
		{ 200, 0, 108, 108, true, false },
		{ 200, 108, 108, 108, true, true },
		{ 200, 199, 128, 199, true, true },
		{ 200, 124, 128, 0, false, false }, /* RFC 4884 section 5.1: never less than 128 */
		{ 200, 4, 128, 0, false, false },
		{ 200, 200, 128, 0, false, false },
		{ 200, 1020, 128, 0, false, false },
		{ 128, 0, 128, 0, false, false },
		{ 28, 0, 128, 0, false, false },
		{ 0, 0, 128, 0, false, false },
	};
	static const uint8_t quote[200];

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct icmp_ext e = icmp_ext_find(quote, rows[i].n, rows[i].at, rows[i].usual);

		assert_ptr_equal(e.p, rows[i].found ? quote + rows[i].from : NULL);
		assert_int_equal(e.n, rows[i].found ? rows[i].n - rows[i].from : 0);
		assert_int_equal(e.marked, rows[i].marked);
	}
	struct icmp_ext none = icmp_ext_find(quote, 0, 0, 128);
	struct icmp_label v[ICMP_LABELS_MAX];

	assert_int_equal(icmp_ext_labels(&none, v), 0);
}

/* Objects as they should be, with wrong lengths here and there, and the checksum mostly right. */
static void noise_of_any_kind_is_survived(void **state)
{
	(void)state;
	struct rng rng = rng_of(4884);
	size_t found = 0;

	for (int run = 0; run < 20000; run++) {
		struct bytes b = begin();
		struct icmp_label v[ICMP_LABELS_MAX];

		while (b.n < 300 && rng_below(&rng, 8) > 0) {
			uint8_t body[64];
			size_t n = rng_below(&rng, 16) * 4;
			unsigned claims = 4 + (unsigned)n;

			for (size_t i = 0; i < n; i++)
				body[i] = (uint8_t)rng_next(&rng);
			if (rng_below(&rng, 4) == 0)
				claims = (unsigned)rng_below(&rng, rng_below(&rng, 2) ? 80 : 65536);
			put_object(&b, claims, (uint8_t)rng_below(&rng, 3), (uint8_t)rng_below(&rng, 3), body, n);
		}
		if (rng_below(&rng, 8) == 0)
			b.n -= rng_below(&rng, b.n);
		if (rng_below(&rng, 8) > 0 && b.n >= 4)
			seal(&b);
		size_t n = labels_of(&b, rng_below(&rng, 2), v);

		assert_true(n <= ICMP_LABELS_MAX);
		for (size_t i = 0; i < n; i++)
			assert_true(v[i].label <= 0xfffff && v[i].tc <= 7);
		found += n > 0;
	}
	assert_true(found > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_label_stack_is_read_as_rfc_4950_writes_it),
		cmocka_unit_test(all_bits_of_an_entry_have_their_place),
		cmocka_unit_test(objects_of_other_kinds_are_passed_over),
		cmocka_unit_test(of_a_stack_higher_than_there_is_room_for_the_outermost_are_kept),
		cmocka_unit_test(what_does_not_fit_its_object_or_the_message_is_none),
		cmocka_unit_test(an_extension_cut_anywhere_is_none_and_read_no_farther),
		cmocka_unit_test(every_bit_that_flips_is_noticed),
		cmocka_unit_test(only_version_2_is_known),
		cmocka_unit_test(no_checksum_is_enough_where_the_place_was_told_and_only_there),
		cmocka_unit_test(it_is_looked_for_where_it_is_told_to_be_else_at_the_usual_place),
		cmocka_unit_test(noise_of_any_kind_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
