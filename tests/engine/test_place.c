/* SPDX-License-Identifier: MIT */
#include "engine/place.h"

#include "guard.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct addr addr_of(const char *s)
{
	struct addr a = { .family = 0 };

	assert_true(addr_parse(slice_of(s), &a));
	return a;
}

static void each_address_is_listed_once_in_the_order_of_appearance(void **state)
{
	(void)state;
	static const char *const seen[] = { "192.0.2.1", "192.0.2.2", "192.0.2.1", "2001:db8::1", "192.0.2.2",
		"2001:db8::1" };
	static const char *const want[] = { "192.0.2.1", "192.0.2.2", "2001:db8::1" };
	struct place p = { .n_addresses = 0 };
	struct path_hop h = { .ttl = 3 };

	for (size_t i = 0; i < COUNT(seen); i++) {
		struct addr a = addr_of(seen[i]);

		a.port = (uint16_t)i; /* has no meaning here */
		place_note_address(&p, &a);
	}
	place_put(&p, &h);
	assert_int_equal(h.n_addresses, COUNT(want));
	assert_int_equal(h.ttl, 3);
	for (size_t i = 0; i < COUNT(want); i++) {
		struct addr a = addr_of(want[i]);

		assert_true(addr_same_host(&h.addresses[i], &a));
		assert_int_equal(h.addresses[i].port, 0);
	}
}

static void further_addresses_than_there_is_room_for_are_left_out(void **state)
{
	(void)state;
	struct place p = { .n_addresses = 0 };
	struct addr a = addr_of("192.0.2.1");

	for (uint8_t i = 1; i < 40; i++) {
		a.ip[3] = i;
		place_note_address(&p, &a);
	}
	assert_int_equal(p.n_addresses, PATH_ADDRESSES_MAX);
	for (uint8_t i = 0; i < PATH_ADDRESSES_MAX; i++)
		assert_int_equal(p.addresses[i].ip[3], i + 1);
	assert_int_equal(p.n_labels, 0); /* what stands behind them */
}

static size_t note(struct place *p, uint8_t *bytes, size_t n)
{
	struct icmp_ext e = { bytes, n, true };
	struct path_hop h = { .ttl = 1 };

	place_note_labels(p, &e);
	place_put(p, &h);
	assert_ptr_equal(h.labels, p->labels);
	return h.n_labels;
}

static void the_latest_labels_stay_until_there_are_others(void **state)
{
	(void)state;
	struct place p = { .n_labels = 0 };
	uint8_t two[] = { 0x20, 0, 0, 0, 0, 12, 1, 1, 0, 1, 0, 1, 0, 2, 1, 1 };
	uint8_t one[] = { 0x20, 0, 0, 0, 0, 8, 1, 1, 0, 3, 1, 9 };
	uint8_t none[] = { 0x20, 0, 0, 0, 0, 4, 1, 1 };

	assert_int_equal(note(&p, none, sizeof(none)), 0);
	assert_int_equal(note(&p, two, sizeof(two)), 2);
	assert_int_equal(p.labels[0].label, 16);
	assert_int_equal(p.labels[1].label, 32);
	assert_int_equal(note(&p, none, sizeof(none)), 2);
	assert_int_equal(note(&p, NULL, 0), 2);
	assert_int_equal(note(&p, one, sizeof(one)), 1);
	assert_int_equal(p.labels[0].label, 48);
	assert_int_equal(p.labels[0].ttl, 9);
}

/* Sent, and of them: answered in time, answered late, lost, among these by an error; the rest is under way. */
struct fate {
	uint64_t sent, received, late, lost, errors;
};

static bool is_limited(const struct fate *path, size_t n, size_t i)
{
	static struct place places[8];

	memset(places, 0, sizeof(places));
	for (size_t k = 0; k < n; k++) {
		places[k].score.sent = path[k].sent;
		places[k].score.received = path[k].received;
		places[k].more.late = path[k].late;
		places[k].more.lost = path[k].lost;
		places[k].more.errors = path[k].errors;
	}
	return place_is_rate_limited(places, i, n);
}

static void a_hop_that_lost_more_than_one_farther_along_is_rate_limited(void **state)
{
	(void)state;
	static const struct {
		struct fate path[4];
		size_t n;
		bool want[4];
	} rows[] = {
		/* all answer */
		{ { { 5, 5, 0, 0, 0 }, { 5, 5, 0, 0, 0 } }, 2, { false, false } },
		/* the hop before the target answers one in five */
		{ { { 5, 5, 0, 0, 0 }, { 5, 1, 0, 4, 0 }, { 5, 5, 0, 0, 0 } }, 3, { false, true, false } },
		/* the same loss from there on is loss */
		{ { { 5, 5, 0, 0, 0 }, { 5, 3, 0, 2, 0 }, { 5, 3, 0, 2, 0 } }, 3, { false, false, false } },
		/* more of it, farther along, too */
		{ { { 10, 9, 0, 1, 0 }, { 10, 8, 0, 2, 0 }, { 10, 7, 0, 3, 0 } }, 3, { false, false, false } },
		/* the farthest one is the measure */
		{ { { 20, 19, 0, 1, 0 }, { 20, 10, 0, 10, 0 }, { 20, 19, 0, 1, 0 } }, 3, { false, true, false } },
		/* one or two may be chance */
		{ { { 10, 8, 0, 2, 0 }, { 10, 10, 0, 0, 0 } }, 2, { false, false } },
		{ { { 10, 6, 0, 4, 0 }, { 10, 10, 0, 0, 0 } }, 2, { true, false } },
		{ { { 1000000, 990000, 0, 10000, 0 }, { 1000000, 990000, 0, 10000, 0 } }, 2, { false, false } },
		{ { { 1000000, 500000, 0, 500000, 0 }, { 1000000, 990000, 0, 10000, 0 } }, 2, { true, false } },
		/* who never answers is silent, and not limited */
		{ { { 5, 0, 0, 5, 0 }, { 5, 5, 0, 0, 0 } }, 2, { false, false } },
		/* nobody answers farther along */
		{ { { 5, 3, 0, 2, 0 }, { 5, 0, 0, 5, 0 } }, 2, { false, false } },
		/* late is answered */
		{ { { 5, 0, 1, 4, 0 }, { 5, 0, 5, 0, 0 } }, 2, { true, false } },
		{ { { 5, 1, 4, 0, 0 }, { 5, 5, 0, 0, 0 } }, 2, { false, false } },
		/* an error is a word, and no silence */
		{ { { 5, 3, 0, 2, 2 }, { 5, 5, 0, 0, 0 } }, 2, { false, false } },
		{ { { 10, 5, 0, 5, 0 }, { 10, 0, 0, 10, 10 } }, 2, { true, false } },
		/* shares are compared: 1 of 20 is less than 20 of 40, and 2 of 4 the same as 3 of 6 */
		{ { { 40, 20, 0, 20, 0 }, { 20, 19, 0, 1, 0 } }, 2, { true, false } },
		{ { { 4, 2, 0, 2, 0 }, { 6, 3, 0, 3, 0 } }, 2, { false, false } },
		/* what is under way has no say, nor has a hop of which nothing is decided */
		{ { { 5, 4, 0, 1, 0 }, { 9, 4, 0, 1, 0 } }, 2, { false, false } },
		{ { { 5, 4, 0, 1, 0 }, { 5, 0, 0, 0, 0 } }, 2, { false, false } },
		{ { { 5, 0, 0, 0, 0 }, { 5, 5, 0, 0, 0 } }, 2, { false, false } },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t k = 0; k < rows[i].n; k++)
			assert_int_equal(is_limited(rows[i].path, rows[i].n, k), rows[i].want[k]);
}

static void what_lies_behind_the_end_of_the_path_proves_nothing(void **state)
{
	(void)state;
	static const struct fate path[] = { { 10, 5, 0, 5, 0 }, { 10, 5, 0, 5, 0 }, { 10, 10, 0, 0, 0 } };

	assert_true(is_limited(path, 3, 0));
	assert_false(is_limited(path, 2, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_address_is_listed_once_in_the_order_of_appearance),
		cmocka_unit_test(further_addresses_than_there_is_room_for_are_left_out),
		cmocka_unit_test(the_latest_labels_stay_until_there_are_others),
		cmocka_unit_test(a_hop_that_lost_more_than_one_farther_along_is_rate_limited),
		cmocka_unit_test(what_lies_behind_the_end_of_the_path_proves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
