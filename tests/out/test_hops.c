/* SPDX-License-Identifier: MIT */
#include "out/hops.h"

#include "guard.h"

static const struct addr routers[] = {
	{ .family = 4, .ip = { 192, 0, 2, 1 } },
	{ .family = 4, .ip = { 192, 0, 2, 2 } },
	{ .family = 4, .ip = { 192, 0, 2, 3 } },
};

static struct grid grid = { .utf8 = true, .columns = 79 };
static struct path_hop hop;
static struct grid_row row;
static char label[HOPS_LABEL_MAX];

static int fresh(void **state)
{
	(void)state;
	hop = (struct path_hop){ .ttl = 3, .n_addresses = 1, .addresses = routers };
	hop.figures = (struct ping_result){ .target = "path", .sent = 5, .received = 4, .lost = 1, .address = "198.51.100.9" };
	return 0;
}

static const char *make(const char *target, size_t width, bool last)
{
	hops_row(&grid, &hop, target, width, last, label, &row);
	assert_ptr_equal(row.result.target, label);
	return label;
}

static void a_hop_is_its_number_and_its_address(void **state)
{
	(void)state;
	assert_string_equal(make(NULL, 0, false), " 3  192.0.2.1");
	assert_string_equal(row.result.address, "");
	hop.ttl = 12;
	assert_string_equal(make(NULL, 0, false), "12  192.0.2.1");
	hop.ttl = 255;
	assert_string_equal(make(NULL, 0, false), "255  192.0.2.1");
}

static void a_name_stands_in_its_place_and_the_address_beside_it(void **state)
{
	(void)state;
	hop.names[0] = "router.example";
	assert_string_equal(make(NULL, 0, false), " 3  router.example");
	assert_string_equal(row.result.address, "192.0.2.1");
}

static void a_hostile_name_is_made_harmless(void **state)
{
	(void)state;
	hop.names[0] = "a\033[2Jb";
	assert_string_equal(make(NULL, 0, false), " 3  a\\x1b[2Jb");
}

static void more_routers_in_one_place_are_counted(void **state)
{
	(void)state;
	hop.n_addresses = 3;
	assert_string_equal(make(NULL, 0, false), " 3  192.0.2.1 +2");
}

static void silence_is_a_star_and_said_once_it_is_certain(void **state)
{
	(void)state;
	hop.n_addresses = 0;
	hop.figures.received = hop.figures.lost = 0;
	assert_string_equal(make(NULL, 0, false), " 3  *");
	assert_int_equal(row.result.n_kinds, 0);
	hop.figures.lost = 2;
	make(NULL, 0, false);
	assert_int_equal(row.result.n_kinds, 1);
	assert_string_equal(row.result.kinds[0].text, "no answer");
	hop.figures.n_kinds = 1;
	hop.figures.kinds[0].text = "Network is unreachable";
	make(NULL, 0, false);
	assert_string_equal(row.result.kinds[0].text, "Network is unreachable");
}

static void of_several_paths_the_target_comes_first_in_a_column(void **state)
{
	(void)state;
	assert_string_equal(make("host", 8, false), "host      3  192.0.2.1");
	assert_string_equal(make("host.example", 8, false), "host.ex…  3  192.0.2.1");
	grid.utf8 = false;
	assert_string_equal(make("host.example", 8, false), "host....  3  192.0.2.1");
	grid.utf8 = true;
}

static void the_longest_words_are_cut_to_the_room(void **state)
{
	static char name[2000];

	(void)state;
	memset(name, '\001', sizeof(name) - 1);
	hop.names[0] = name;
	assert_true(strlen(make(name, 60, false)) < HOPS_LABEL_MAX);
}

static void routers_may_be_silent_or_busy_but_not_the_end_of_the_path(void **state)
{
	(void)state;
	make(NULL, 0, false);
	assert_false(row.calm);
	hop.rate_limited = true;
	make(NULL, 0, false);
	assert_true(row.calm);
	make(NULL, 0, true);
	assert_false(row.calm);
	hop.rate_limited = false;
	hop.figures.received = 0;
	make(NULL, 0, false);
	assert_true(row.calm);
	make(NULL, 0, true);
	assert_false(row.calm);
}

static void targets_take_a_sixth_of_a_wide_line_and_twelve_of_a_narrow_one(void **state)
{
	(void)state;
	assert_int_equal(hops_target_width(&(struct grid){ .columns = 40 }), 12);
	assert_int_equal(hops_target_width(&(struct grid){ .columns = 79 }), 13);
	assert_int_equal(hops_target_width(&(struct grid){ .columns = 131 }), 21);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_hop_is_its_number_and_its_address, fresh),
		cmocka_unit_test_setup(a_name_stands_in_its_place_and_the_address_beside_it, fresh),
		cmocka_unit_test_setup(a_hostile_name_is_made_harmless, fresh),
		cmocka_unit_test_setup(more_routers_in_one_place_are_counted, fresh),
		cmocka_unit_test_setup(silence_is_a_star_and_said_once_it_is_certain, fresh),
		cmocka_unit_test_setup(of_several_paths_the_target_comes_first_in_a_column, fresh),
		cmocka_unit_test_setup(the_longest_words_are_cut_to_the_room, fresh),
		cmocka_unit_test_setup(routers_may_be_silent_or_busy_but_not_the_end_of_the_path, fresh),
		cmocka_unit_test_setup(targets_take_a_sixth_of_a_wide_line_and_twelve_of_a_narrow_one, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
