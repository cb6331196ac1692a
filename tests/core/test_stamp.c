/* SPDX-License-Identifier: MIT */
#include "core/stamp.h"

#include "guard.h"
#include "rng.h"

#define S INT64_C(1000000000)

static const struct stamp_probe probe = { 0x01020304, UINT64_C(0x1112131415161718), 0xc1f2, 0xabcd };

static const uint8_t probe_bytes[STAMP_LEN] = {
	0x01, 0x02, 0x03, 0x04,                         /* sequence number */
	0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, /* timestamp */
	0xc1, 0xf2, 0xab, 0xcd,                         /* error estimate, SSID; 28 octets of zero follow */
};

static const uint8_t answer_bytes[STAMP_LEN] = {
	0x05, 0x06, 0x07, 0x08,                         /* sequence number */
	0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, /* timestamp */
	0x41, 0x42, 0xab, 0xcd,                         /* error estimate, SSID */
	0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, /* receive timestamp */
	0x01, 0x02, 0x03, 0x04,                         /* sender's sequence number */
	0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, /* sender's timestamp */
	0xc1, 0xf2, 0x00, 0x00,                         /* sender's error estimate, zero */
	0x40, 0x00, 0x00, 0x00,                         /* sender's TTL, zero */
};

static struct stamp_answer answer(void)
{
	return (struct stamp_answer){ 0x05060708, UINT64_C(0x2122232425262728), 0x4142, UINT64_C(0x3132333435363738), probe,
		0x40 };
}

static void a_probe_is_laid_out_as_in_rfc_8762_figure_2(void **state)
{
	(void)state;
	uint8_t out[STAMP_LEN];

	memset(out, 0xff, sizeof(out));
	stamp_put_probe(out, &probe);
	assert_memory_equal(out, probe_bytes, STAMP_LEN);
}

static void an_answer_is_laid_out_as_in_rfc_8762_figure_5(void **state)
{
	(void)state;
	uint8_t out[STAMP_LEN];
	struct stamp_answer a = answer();

	memset(out, 0xff, sizeof(out));
	stamp_put_answer(out, &a);
	assert_memory_equal(out, answer_bytes, STAMP_LEN);
}

static void what_was_written_is_read(void **state)
{
	(void)state;
	struct guard g = guard_of(probe_bytes, STAMP_LEN), h = guard_of(answer_bytes, STAMP_LEN);
	struct stamp_probe p;
	struct stamp_answer a, want = answer();

	assert_true(stamp_read_probe((uint8_t *)g.p, g.n, &p));
	assert_int_equal(p.seq, probe.seq);
	assert_int_equal(p.sent, probe.sent);
	assert_int_equal(p.error, probe.error);
	assert_int_equal(p.session, probe.session);
	assert_true(stamp_read_answer((uint8_t *)h.p, h.n, &a));
	assert_int_equal(a.seq, want.seq);
	assert_int_equal(a.sent, want.sent);
	assert_int_equal(a.error, want.error);
	assert_int_equal(a.received, want.received);
	assert_int_equal(a.probe.seq, probe.seq);
	assert_int_equal(a.probe.sent, probe.sent);
	assert_int_equal(a.probe.error, probe.error);
	assert_int_equal(a.probe.session, probe.session);
	assert_int_equal(a.ttl, 0x40);
	guard_free(&g);
	guard_free(&h);
}

static void fewer_than_44_octets_are_neither_and_touch_nothing(void **state)
{
	(void)state;
	for (size_t n = 0; n < STAMP_LEN; n++) {
		struct guard g = guard_of(answer_bytes, n);
		struct stamp_probe p = { .seq = 7 };
		struct stamp_answer a = { .seq = 8 };

		assert_false(stamp_read_probe((uint8_t *)g.p, n, &p));
		assert_false(stamp_read_answer((uint8_t *)g.p, n, &a));
		assert_int_equal(p.seq, 7);
		assert_int_equal(a.seq, 8);
		guard_free(&g);
	}
}

static void what_follows_the_44_octets_does_not_matter(void **state)
{
	(void)state;
	uint8_t longer[STAMP_LEN + 20];
	struct stamp_answer a;

	memset(longer, 0xee, sizeof(longer));
	memcpy(longer, answer_bytes, STAMP_LEN);
	assert_true(stamp_read_answer(longer, sizeof(longer), &a));
	assert_int_equal(a.probe.seq, probe.seq);
	assert_int_equal(a.ttl, 0x40);
}

static void times_of_day_are_those_of_the_rfcs(void **state)
{
	(void)state;
	/* RFC 5905 figure 4: 1970-01-01 is 2,208,988,800; 2000-01-01 is 3,155,673,600; 2036-02-07 06:28:16 is 0 again. */
	assert_int_equal(stamp_of_unix(0), UINT64_C(2208988800) << 32);
	assert_int_equal(stamp_of_unix(946684800 * S), UINT64_C(3155673600) << 32);
	assert_int_equal(stamp_of_unix(2085978496 * S), 0);
	assert_int_equal(stamp_of_unix(946684800 * S + S / 2), (UINT64_C(3155673600) << 32) + (UINT64_C(1) << 31));
	assert_int_equal(stamp_of_unix(-S / 4), (UINT64_C(2208988799) << 32) + (UINT64_C(3) << 30));
	assert_int_equal(stamp_ptp_of_unix(946684800 * S + 123456789), (UINT64_C(946684800) << 32) + 123456789);
	assert_int_equal(stamp_ptp_of_unix(-1), (UINT64_C(0xffffffff) << 32) + 999999999);
}

static void a_difference_is_exact_to_the_nanosecond_in_both_formats(void **state)
{
	(void)state;
	struct rng r = rng_of(1);

	for (int i = 0; i < 100000; i++) {
		int64_t from = (int64_t)rng_below(&r, (uint64_t)(4000000000 * S));
		int64_t d = (int64_t)rng_below(&r, UINT64_C(1) << (rng_below(&r, 60) + 1));

		d = i & 1 ? d : -d;
		assert_int_equal(stamp_diff(stamp_of_unix(from), stamp_of_unix(from + d), false), d);
		assert_int_equal(stamp_diff(stamp_ptp_of_unix(from), stamp_ptp_of_unix(from + d), true), d);
	}
}

static void the_turn_of_ntp_s_era_in_2036_is_a_second_like_any_other(void **state)
{
	(void)state;
	int64_t turn = 2085978496 * S;

	assert_int_equal(stamp_diff(stamp_of_unix(turn - 5), stamp_of_unix(turn + 7), false), 12);
	assert_int_equal(stamp_diff(stamp_of_unix(turn + 7), stamp_of_unix(turn - 5), false), -12);
}

static void what_a_stranger_writes_never_overflows(void **state)
{
	(void)state;
	static const uint64_t ends[] = { 0, 1, UINT32_MAX, UINT64_C(1) << 32, UINT64_C(1) << 63, (UINT64_C(1) << 63) - 1,
		UINT64_MAX, UINT64_C(0x7fffffff00000000), UINT64_C(0x80000000ffffffff) };
	int64_t most = INT64_C(1) << 62;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		for (size_t j = 0; j < sizeof(ends) / sizeof(ends[0]); j++)
			for (int ptp = 0; ptp < 2; ptp++) {
				int64_t d = stamp_diff(ends[i], ends[j], ptp);

				assert_true(d > -most && d < most);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_probe_is_laid_out_as_in_rfc_8762_figure_2),
		cmocka_unit_test(an_answer_is_laid_out_as_in_rfc_8762_figure_5),
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(fewer_than_44_octets_are_neither_and_touch_nothing),
		cmocka_unit_test(what_follows_the_44_octets_does_not_matter),
		cmocka_unit_test(times_of_day_are_those_of_the_rfcs),
		cmocka_unit_test(a_difference_is_exact_to_the_nanosecond_in_both_formats),
		cmocka_unit_test(the_turn_of_ntp_s_era_in_2036_is_a_second_like_any_other),
		cmocka_unit_test(what_a_stranger_writes_never_overflows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
