/* SPDX-License-Identifier: MIT */
#include "out/grid.h"

#include "guard.h"
#include "rng.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct grid grid;
static struct grid_row rows[3];
static struct spark sparks[3];
static char buf[4096];

static int fresh(void **state)
{
	(void)state;
	memset(&grid, 0, sizeof(grid));
	memset(rows, 0, sizeof(rows));
	memset(sparks, 0, sizeof(sparks));
	grid.utf8 = true;
	return 0;
}

static struct ping_result *row(size_t i, const char *target, const char *address)
{
	struct ping_result *r = &rows[i].result;

	*r = (struct ping_result){
		.target = target, .sent = 120, .received = 120, .loss_ppm = 0, .resolve = UNKNOWN,
		.rtt_min = 11000000, .rtt_mean = 12350000, .rtt_max = 234567890, .rtt_mdev = 1, .rtt_p50 = 12340000,
		.rtt_p90 = 1, .rtt_p99 = 123456789, .jitter = 456789,
	};
	strcpy(r->address, address);
	rows[i].spark = &sparks[i];
	spark_add(&sparks[i], 12000000);
	spark_add(&sparks[i], 47900000);
	spark_add(&sparks[i], 12345678);
	return r;
}

/* Nothing came back. */
static struct ping_result *silent(size_t i, const char *target, const char *address)
{
	struct ping_result *r = row(i, target, address);

	r->received = 0;
	r->loss_ppm = 1000000;
	r->rtt_min = r->rtt_mean = r->rtt_max = r->rtt_mdev = r->rtt_p50 = r->rtt_p90 = r->rtt_p99 = r->jitter = UNKNOWN;
	for (int k = 0; k < SPARK_MAX; k++)
		spark_add(&sparks[i], UNKNOWN);
	return r;
}

/* Head and @n rows in so many columns, as a terminal would show them. */
static const char *table(size_t columns, size_t n)
{
	struct text t;

	grid.columns = columns;
	grid_plan(&grid, rows, n);
	text_init(&t, buf, sizeof(buf));
	grid_put_head(&grid, &t);
	for (size_t i = 0; i < n; i++) {
		text_char(&t, '\n');
		grid_put_row(&grid, &t, &rows[i]);
	}
	assert_false(t.cut);
	return buf;
}

static const char *head(size_t columns, size_t n)
{
	table(columns, n);
	buf[strcspn(buf, "\n")] = '\0';
	return buf;
}

static const char *line(size_t columns, size_t i)
{
	const char *p = table(columns, i + 1);

	for (size_t k = 0; k <= i; k++)
		p = strchr(p, '\n') + 1;
	return p;
}

static void in_79_columns_all_figures_and_bars_find_room(void **state)
{
	(void)state;
	row(0, "192.0.2.1", "192.0.2.1");
	row(1, "router.example.com", "198.51.100.7")->loss_ppm = 123456;
	assert_string_equal(table(79, 2),
		"target               sent    loss last ms    p50    p99 jitter           recent\n"
		"192.0.2.1             120      0%   12.35  12.34  123.5  0.457              ▁█▁\n"
		"router.example.com    120   12.3%   12.35  12.34  123.5  0.457              ▁█▁");
}

static void in_131_columns_there_are_addresses_and_the_worst_too(void **state)
{
	(void)state;
	row(0, "192.0.2.1", "192.0.2.1");
	row(1, "router.example.com", "198.51.100.7")->loss_ppm = 123456;
	assert_string_equal(table(131, 2),
		"target              address        sent    loss last ms    p50    p99  worst jitter"
		"                                          recent\n"
		"192.0.2.1                           120      0%   12.35  12.34  123.5  234.6  0.457"
		"                                             ▁█▁\n"
		"router.example.com  198.51.100.7    120   12.3%   12.35  12.34  123.5  234.6  0.457"
		"                                             ▁█▁");
}

static void addresses_come_where_bars_remain(void **state)
{
	(void)state;
	row(0, "router.example.com", "198.51.100.7");
	assert_null(strstr(head(85, 1), "address"));
	assert_non_null(strstr(head(86, 1), "address"));
	assert_non_null(strstr(buf, "jitter    recent"));
	fresh(NULL);
	row(0, "router.example.com", "");
	row(1, "192.0.2.1", "192.0.2.1");
	assert_null(strstr(head(131, 2), "address"));
}

static void in_39_columns_names_are_cut_and_three_figures_stay(void **state)
{
	(void)state;
	row(0, "192.0.2.1", "192.0.2.1");
	row(1, "router.example.com", "198.51.100.7")->loss_ppm = 123456;
	assert_string_equal(table(39, 2),
		"target             sent    loss last ms\n"
		"192.0.2.1           120      0%   12.35\n"
		"router.example.…    120   12.3%   12.35");
	grid.utf8 = false;
	assert_string_equal(line(39, 1), "router.exampl...    120   12.3%   12.35");
}

static void without_utf8_the_bars_are_ascii(void **state)
{
	(void)state;
	row(0, "192.0.2.1", "192.0.2.1");
	grid.utf8 = false;
	assert_string_equal(line(65, 0), "192.0.2.1    120      0%   12.35  12.34  123.5  0.457         _#_");
}

/* What a grid of each width begins with, and ends with. */
static void columns_go_one_by_one_from_the_right(void **state)
{
	(void)state;
	static const struct {
		size_t columns;
		const char *want;
	} cases[] = {
		{ 20, "target         sent" },
		{ 26, "target         sent" },
		{ 27, "target         sent    loss" },
		{ 34, "target         sent    loss" },
		{ 35, "target         sent    loss last ms" },
		{ 42, "target         sent    loss last ms    p50" },
		{ 49, "target         sent    loss last ms    p50    p99" },
		{ 56, "target         sent    loss last ms    p50    p99 jitter" },
		{ 65, "target         sent    loss last ms    p50    p99 jitter" },
		{ 66, "target         sent    loss last ms    p50    p99 jitter    recent" },
		{ 88, "target         sent    loss last ms    p50    p99 jitter                          recent" },
		{ 89, "target         sent    loss last ms    p50    p99  worst jitter                    recent" },
		{ 112, "target         sent    loss last ms    p50    p99  worst jitter"
		       "                                           recent" },
		{ 300, "target         sent    loss last ms    p50    p99  worst jitter"
		       "                                           recent" },
	};

	row(0, "192.0.2.100x", "192.0.2.100x");
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(head(cases[i].columns, 1), cases[i].want);
}

static void without_distributions_there_are_mean_and_worst(void **state)
{
	(void)state;
	struct ping_result *r = row(0, "a.example", "a.example");

	row(1, "b.example", "b.example");
	r->rtt_p50 = r->rtt_p99 = UNKNOWN;
	assert_string_equal(head(60, 2), "target      sent    loss last ms   mean  worst jitter");
	assert_string_equal(line(60, 0), "a.example    120      0%   12.35  12.35  234.6  0.457");
}

static void before_the_first_answer_there_are_dashes(void **state)
{
	(void)state;
	struct ping_result *r = silent(0, "192.0.2.1", "192.0.2.1");

	r->sent = 0;
	r->loss_ppm = UNKNOWN;
	memset(&sparks[0], 0, sizeof(sparks[0]));
	assert_string_equal(line(55, 0), "192.0.2.1      0       -       -      -      -      -");
}

static void silence_says_lost_and_nothing_but_losses(void **state)
{
	(void)state;
	silent(0, "192.0.2.1", "192.0.2.1");
	assert_string_equal(line(66, 0), "192.0.2.1    120    100%    lost      -      -      -  xxxxxxxxxxx");
}

static void where_errors_came_instead_the_line_says_which(void **state)
{
	(void)state;
	struct ping_result *r = silent(0, "192.0.2.1", "192.0.2.1");

	r->n_kinds = 1;
	r->kinds[0].text = "Destination Host Unreachable";
	assert_string_equal(line(79, 0), "192.0.2.1    120    100%    lost  Destination Host Unreachable");
	assert_string_equal(line(50, 0), "192.0.2.1    120    100%    lost  Destination Hos…");
	assert_string_equal(line(42, 0), "192.0.2.1    120    100%    lost  Destina…");
	assert_string_equal(line(41, 0), "192.0.2.1    120    100%    lost");
	/* One answer says more than all errors. */
	r->received = 1;
	assert_null(strstr(line(79, 0), "Unreachable"));
}

static void a_name_without_an_address_says_why(void **state)
{
	(void)state;
	struct ping_result *r = silent(0, "nowhere.invalid", "");

	row(1, "router.example.com", "198.51.100.7");
	r->sent = 0;
	r->loss_ppm = UNKNOWN;
	r->resolve_error = "Name or service not known";
	memset(&sparks[0], 0, sizeof(sparks[0]));
	table(100, 2);
	assert_non_null(strstr(buf, "\nnowhere.invalid                       0       -   error  Name or service not known\n"));
	assert_string_equal(line(35, 0), "nowhere.inv…      0       -   error");
}

static void the_share_of_losses_is_rounded_but_never_to_none_nor_to_all(void **state)
{
	(void)state;
	static const struct {
		int64_t ppm;
		const char *want;
	} cases[] = {
		{ 0, "0%" }, { 1, "0.0001%" }, { 9999, "0.9999%" }, { 12345, "1.23%" }, { 99996, "10%" }, { 123456, "12.3%" },
		{ 123500, "12.4%" }, { 666667, "66.7%" }, { 999499, "99.9%" }, { 999999, "99.9%" }, { 1000000, "100%" }, { UNKNOWN, "-" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char want[16];
		size_t n = strlen(cases[i].want);

		row(0, "192.0.2.1", "192.0.2.1")->loss_ppm = cases[i].ppm;
		memset(want, ' ', 8);
		memcpy(want + 8 - n, cases[i].want, n + 1);
		assert_string_equal(line(28, 0) + 16, want);
	}
}

static void figures_of_every_size_keep_to_their_column(void **state)
{
	(void)state;
	static const struct {
		int64_t sent;
		ns_t rtt;
		const char *want;
	} cases[] = {
		{ 0, 0, "192.0.2.1      0      0%   12.35  0.000" },
		{ 999999, 48, "192.0.2.1 999999      0%   12.35  0.000" },
		{ 1000000, 9999499, "192.0.2.1   1.0M      0%   12.35  9.999" },
		{ 12345678, 10000000, "192.0.2.1  12.3M      0%   12.35  10.00" },
		{ 999900000, 100000000, "192.0.2.1 999.9M      0%   12.35  100.0" },
		{ 12345678901, 1, "192.0.2.1  12.3G      0%   12.35  0.000" },
		{ 5, 1000000000, "192.0.2.1      5      0%   12.35   1000" },
		{ 5, 68719476735, "192.0.2.1      5      0%   12.35  68719" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct ping_result *r = row(0, "192.0.2.1", "192.0.2.1");

		r->sent = cases[i].sent;
		r->rtt_p50 = cases[i].rtt;
		assert_string_equal(line(42, 0), cases[i].want);
	}
}

static void characters_count_and_not_bytes(void **state)
{
	(void)state;
	row(0, "bücher.example", "192.0.2.1");
	row(1, "日本.example", "192.0.2.2");
	row(2, "abcdefghijklmnopqrs", "192.0.2.3");
	assert_string_equal(table(37, 3),
		"target           sent    loss last ms\n"
		"bücher.example    120      0%   12.35\n"
		"日本.example        120      0%   12.35\n"
		"abcdefghijklm…    120      0%   12.35");
}

static void without_utf8_no_byte_is_above_ascii(void **state)
{
	(void)state;
	grid.utf8 = false;
	row(0, "bücher.example", "192.0.2.1");
	row(1, "日本.example", "192.0.2.2");
	for (const char *p = table(131, 2); *p; p++)
		assert_true((unsigned char)*p < 0x80);
	assert_non_null(strstr(buf, "\nb\\xc3\\xbccher.example  "));
}

static void hostile_names_do_not_reach_the_terminal(void **state)
{
	(void)state;
	struct ping_result *r = silent(0, "\033[2Jevil\n\x9b\xc2\x9b\xff", "192.0.2.1");

	r->n_kinds = 1;
	r->kinds[0].text = "\033]0;gotcha\a";
	for (size_t columns = 20; columns < 140; columns++)
		for (const char *p = table(columns, 1); *p; p++)
			assert_true((unsigned char)*p >= 0x20 || *p == '\n');
	assert_non_null(strstr(line(131, 0), "\\x1b[2Jevil\\x0a\\x9b\\xc2\\x9b\\xff"));
	assert_non_null(strstr(line(131, 0), "\\x1b]0;gotcha\\x07"));
}

static void a_cut_falls_between_two_characters(void **state)
{
	(void)state;
	static const struct {
		bool utf8;
		const char *words;
		size_t width;
		const char *want;
	} cases[] = {
		{ true, "abc", 3, "abc" }, { true, "abcd", 3, "ab…" }, { true, "äöüß", 4, "äöüß" }, { true, "äöüßa", 4, "äöü…" },
		{ true, "ab\ncd", 8, "ab\\x0acd" }, { true, "ab\ncd", 7, "ab\\x0a…" }, { true, "ab\ncd", 6, "ab…" },
		{ false, "abc", 3, "abc" }, { false, "abcd", 3, "..." }, { false, "abcdef", 5, "ab..." },
		{ false, "aü", 9, "a\\xc3\\xbc" }, { false, "aü", 8, "a\\xc3..." }, { true, "", 3, "" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct text t;

		grid.utf8 = cases[i].utf8;
		text_init(&t, buf, sizeof(buf));
		grid_put_cut(&grid, &t, cases[i].words, cases[i].width);
		assert_string_equal(buf, cases[i].want);
	}
}

static void columns_that_have_grown_stay(void **state)
{
	(void)state;
	row(0, "a-long-name.example", "192.0.2.1");
	table(79, 1);
	row(0, "short", "192.0.2.1");
	assert_string_equal(line(45, 0), "short              120      0%   12.35  12.34");
}

/* Take the colours away again. Return: how many there were. */
static size_t strip(char *s)
{
	char *to = s;
	size_t n = 0;

	for (; *s; s++) {
		if (*s != '\033') {
			*to++ = *s;
			continue;
		}
		s += strcspn(s, "m");
		n++;
	}
	*to = '\0';
	return n;
}

static void colours_change_no_character(void **state)
{
	(void)state;
	char plain[sizeof(buf)];

	row(0, "192.0.2.1", "192.0.2.1");
	silent(1, "192.0.2.2", "192.0.2.2");
	strcpy(plain, table(79, 2));
	assert_int_equal(strip(strcpy(buf, plain)), 0);
	grid.color = true;
	table(79, 2);
	assert_non_null(strstr(buf, "\033[1mtarget"));
	assert_non_null(strstr(buf, "    \033[31m100%\033[m    \033[31mlost\033[m"));
	assert_int_equal(strip(buf), 6);
	assert_string_equal(buf, plain);
}

static size_t shown(const char *p, size_t n)
{
	size_t width = 0;

	while (n-- > 0)
		width += ((unsigned char)*p++ & 0xc0) != 0x80;
	return width;
}

static void random_row(struct rng *r, size_t i)
{
	static const char *const names[] = { "a", "router.example.com", "2001:db8:1234:5678:9abc:def0:1234:5678",
		"\xff\xfe\x1b", "bücher.example.net", "日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語" };
	static const char *const addresses[] = { "", "192.0.2.1", "2001:db8:1234:5678:9abc:def0:1234:5678" };
	struct ping_result *p = row(i, names[rng_below(r, COUNT(names))], addresses[rng_below(r, 3)]);
	ns_t *const times[] = { &p->rtt_mean, &p->rtt_max, &p->rtt_p50, &p->rtt_p99, &p->jitter };

	for (size_t k = 0; k < COUNT(times); k++)
		*times[k] = rng_chance(r, 200000) ? UNKNOWN : (ns_t)rng_below(r, INT64_C(999) * NS_PER_S);
	p->sent = (int64_t)rng_below(r, rng_chance(r, 500000) ? 1000 : 9000000000);
	p->received = (int64_t)rng_below(r, 2);
	p->loss_ppm = (int64_t)rng_below(r, 1000002) - 1;
	p->n_kinds = rng_below(r, 2);
	p->kinds[0].text = names[rng_below(r, COUNT(names))];
	p->resolve_error = rng_chance(r, 100000) ? names[rng_below(r, COUNT(names))] : NULL;
	for (uint64_t k = rng_below(r, 60); k > 0; k--)
		spark_add(&sparks[i], (int64_t)rng_below(r, 1000000) - 1);
}

static void no_line_is_ever_wider_than_the_terminal(void **state)
{
	(void)state;
	struct rng r = rng_of(3);

	for (int round = 0; round < 5000; round++) {
		if (round % 10 == 0)
			fresh(NULL);
		grid.utf8 = rng_chance(&r, 500000);
		for (size_t i = 0; i < 3; i++)
			random_row(&r, i);
		size_t columns = 20 + rng_below(&r, 200);

		for (const char *p = table(columns, 3); *p; p += strcspn(p, "\n"), p += *p == '\n') {
			size_t n = strcspn(p, "\n");

			assert_true(shown(p, n) <= columns);
			for (size_t i = 0; i < n; i++)
				assert_true((unsigned char)p[i] >= 0x20 && (grid.utf8 || (unsigned char)p[i] < 0x80));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(in_79_columns_all_figures_and_bars_find_room, fresh),
		cmocka_unit_test_setup(in_131_columns_there_are_addresses_and_the_worst_too, fresh),
		cmocka_unit_test_setup(addresses_come_where_bars_remain, fresh),
		cmocka_unit_test_setup(in_39_columns_names_are_cut_and_three_figures_stay, fresh),
		cmocka_unit_test_setup(without_utf8_the_bars_are_ascii, fresh),
		cmocka_unit_test_setup(columns_go_one_by_one_from_the_right, fresh),
		cmocka_unit_test_setup(without_distributions_there_are_mean_and_worst, fresh),
		cmocka_unit_test_setup(before_the_first_answer_there_are_dashes, fresh),
		cmocka_unit_test_setup(silence_says_lost_and_nothing_but_losses, fresh),
		cmocka_unit_test_setup(where_errors_came_instead_the_line_says_which, fresh),
		cmocka_unit_test_setup(a_name_without_an_address_says_why, fresh),
		cmocka_unit_test_setup(the_share_of_losses_is_rounded_but_never_to_none_nor_to_all, fresh),
		cmocka_unit_test_setup(figures_of_every_size_keep_to_their_column, fresh),
		cmocka_unit_test_setup(characters_count_and_not_bytes, fresh),
		cmocka_unit_test_setup(without_utf8_no_byte_is_above_ascii, fresh),
		cmocka_unit_test_setup(hostile_names_do_not_reach_the_terminal, fresh),
		cmocka_unit_test_setup(a_cut_falls_between_two_characters, fresh),
		cmocka_unit_test_setup(columns_that_have_grown_stay, fresh),
		cmocka_unit_test_setup(colours_change_no_character, fresh),
		cmocka_unit_test_setup(no_line_is_ever_wider_than_the_terminal, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
