/* SPDX-License-Identifier: MIT */
#include "out/gauge.h"

#include "guard.h"
#include "rng.h"

#define BEGIN "\r\033[?7l"
#define END "\033[J\033[?7h\r"

static struct gauge gauge;
static char buf[GAUGE_LINE_MAX];

/* The line without what every line begins and ends with. */
static const char *line(const struct check_moment *m, size_t columns)
{
	static char inside[GAUGE_LINE_MAX];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	gauge_draw(&gauge, &t, m, columns);
	assert_false(t.cut);
	assert_memory_equal(buf, BEGIN, sizeof(BEGIN) - 1);
	assert_string_equal(buf + t.len - (sizeof(END) - 1), END);
	size_t n = t.len - (sizeof(BEGIN) - 1) - (sizeof(END) - 1);

	memcpy(inside, buf + sizeof(BEGIN) - 1, n);
	inside[n] = '\0';
	return inside;
}

static size_t characters(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((uint8_t)*s & 0xc0) != 0x80;
	return n;
}

/* One line after another, a tenth of a second between them; Mbit/s, ended by -2. */
static void rates(const int64_t *v, unsigned loads)
{
	for (; *v != -2; v++) {
		struct check_moment m = { "download", *v < 0 ? UNKNOWN : *v * 1000000, UNKNOWN, 0, UNKNOWN, loads, 0 };

		assert_true(gauge_due(&gauge, &m, gauge.next));
	}
}

static int fresh(void **state)
{
	(void)state;
	gauge = (struct gauge){ .utf8 = true };
	return 0;
}

static const struct check_moment download = { "download", 94900000, UNKNOWN, 4 * NS_PER_S, 4400000, 1, 604 };
static const struct check_moment ping = { "ping", UNKNOWN, UNKNOWN, NS_PER_S, 1204000, 0, 250 };
static const struct check_moment both = { "both", 94900000, 941200000, NS_PER_S, 124400000, 2, 1000 };

static void on_80_columns_there_is_room_for_all_of_it(void **state)
{
	(void)state;
	rates((int64_t[]){ 12, 12, 35, 35, 60, 60, 95, 95, 95, 95, 94, 95, -2 }, 1);
	assert_string_equal(line(&download, 80),
		"  download    █████████▋░░░░░░   94.9 Mbit/s           ▂▃▆███  latency 4.4 ms");
	assert_string_equal(line(&download, 132),
		"  download    ████████████████████████▏░░░░░░░░░░░░░░░   94.9 Mbit/s  "
		"                                   ▂▃▆███  latency 4.4 ms");
}

static void a_ping_has_its_round_trips_and_no_rate(void **state)
{
	(void)state;
	static const ns_t rtt[] = { 1000000, 1100000, UNKNOWN, 4000000, 1204000 };

	for (size_t i = 0; i < 5; i++)
		gauge_probe(&gauge, &(struct ping_event){ .outcome = rtt[i] == UNKNOWN ? OUTCOME_LOST : OUTCOME_REPLY,
			.rtt = rtt[i] });
	assert_string_equal(line(&ping, 80), "  ping        █████▊░░░░░░░░░░░░░░░░░                   ▁▁x█▁  latency 1.2 ms");
}

static void both_directions_have_a_rate_each(void **state)
{
	(void)state;
	assert_string_equal(line(&both, 80), "  both        ███████████   94.9 Mbit/s down  941.2 Mbit/s up  latency 124 ms");
	struct check_moment m = both;

	m.up_bits_per_second = UNKNOWN;
	assert_string_equal(line(&m, 80), "  both        ███████████   94.9 Mbit/s down               up  latency 124 ms");
	assert_true(gauge_due(&gauge, &both, 0));
	assert_int_equal(gauge.recent.last, 94900000 + 941200000);
	gauge.frames = 0;
	assert_true(gauge_due(&gauge, &m, NS_PER_S));
	assert_int_equal(gauge.recent.last, 94900000);
}

static void a_narrow_terminal_gets_the_most_important_parts(void **state)
{
	(void)state;
	assert_string_equal(line(&download, 64), "  download    ██████████▎░░░░░░   94.9 Mbit/s  latency 4.4 ms");
	assert_string_equal(line(&download, 54), "  download     94.9 Mbit/s  latency 4.4 ms");
	assert_string_equal(line(&download, 45), "  download     94.9 Mbit/s  latency 4.4 ms");
	assert_string_equal(line(&download, 40), "  download    █████▍░░░   94.9 Mbit/s  ");
	assert_string_equal(line(&download, 29), "  download     94.9 Mbit/s  ");
	assert_string_equal(line(&download, 18), " 94.9 Mbit/s  ");
	assert_string_equal(line(&download, 28), " 94.9 Mbit/s  ");
	assert_string_equal(line(&download, 14), "");
	assert_string_equal(line(&download, 1), "");
	assert_string_equal(line(&ping, 40), "  ping        latency 1.2 ms");
	assert_string_equal(line(&ping, 18), "latency 1.2 ms");
	assert_string_equal(line(&both, 40), " 94.9 Mbit/s down  941.2 Mbit/s up  ");
	assert_string_equal(line(&both, 18), "  both        ");
}

static void without_utf_8_all_is_ascii(void **state)
{
	(void)state;
	gauge.utf8 = false;
	rates((int64_t[]){ 12, 12, 35, 35, 95, -2 }, 1);
	assert_string_equal(line(&download, 80),
		"  download    #########-------   94.9 Mbit/s              .-#  latency 4.4 ms");
	assert_true(gauge_due(&gauge, &download, NS_NEVER - NS_PER_S));
}

static void the_bar_is_as_long_as_the_phase_is_over(void **state)
{
	(void)state;
	static const char *const want[] = { "░░░░░░░░░", "▏░░░░░░░░", "████▌░░░░", "████████▉", "█████████" };
	static const unsigned done[] = { 0, 14, 500, 999, CHECK_WHOLE };
	struct check_moment m = download;

	for (size_t i = 0; i < 5; i++) {
		m.done = done[i];
		assert_memory_equal(line(&m, 40) + 14, want[i], strlen(want[i]));
	}
}

static void the_latency_has_the_digits_it_is_worth(void **state)
{
	(void)state;
	static const struct {
		ns_t rtt;
		const char *want;
	} rows[] = { { 0, "latency 0.000 ms" }, { 51700, "latency 0.052 ms" }, { 999000, "latency 0.999 ms" },
		{ 1250000, "latency 1.3 ms" }, { 99940000, "latency 99.9 ms" }, { 123456789, "latency 123 ms" },
		{ 5 * NS_PER_S, "latency 5000 ms" }, { UNKNOWN, "" } };
	struct check_moment m = ping;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		m.rtt = rows[i].rtt;
		assert_string_equal(line(&m, 18), rows[i].want);
	}
}

static void colours_change_no_character(void **state)
{
	(void)state;
	rates((int64_t[]){ 12, 12, 95, 95, -2 }, 1);
	char plain[GAUGE_LINE_MAX], bare[GAUGE_LINE_MAX];
	size_t n = 0;

	strcpy(plain, line(&download, 80));
	gauge.color = true;
	for (const char *p = line(&download, 80); *p;)
		if (strncmp(p, "\033[36m", 5) == 0)
			p += 5;
		else if (strncmp(p, "\033[m", 3) == 0)
			p += 3;
		else
			bare[n++] = *p++;
	bare[n] = '\0';
	assert_string_equal(bare, plain);
	assert_null(strstr(plain, "\033"));
	assert_non_null(strstr(line(&download, 80), "\033[36m█"));
	assert_non_null(strstr(line(&download, 80), "█\033[m"));
}

static void not_more_than_ten_lines_a_second(void **state)
{
	(void)state;
	unsigned lines = 0;

	for (ns_t now = 5 * NS_PER_S; now < 7 * NS_PER_S; now += 7 * NS_PER_MS)
		lines += gauge_due(&gauge, &download, now);
	assert_in_range(lines, 18, 20);
}

/* What is not drawn, because the terminal is slow or somebody else's, is part of the past all the same. */
static void a_bar_of_the_past_stands_for_two_lines(void **state)
{
	(void)state;
	rates((int64_t[]){ -1, -1, -1, 95, 1, 95, 1, 48, -2 }, 1);
	assert_non_null(strstr(line(&download, 80), " ██▅  latency"));
	rates((int64_t[]){ 48, 0, -2 }, 1);
	assert_non_null(strstr(line(&download, 80), " ██▅▁  latency"));
}

static void the_end_of_a_phase_takes_the_line_away_and_forgets(void **state)
{
	(void)state;
	struct text t;

	gauge.color = true;
	rates((int64_t[]){ 95, -2 }, 1);
	text_init(&t, buf, sizeof(buf));
	gauge_end(&gauge, &t);
	assert_string_equal(buf, "");
	rates((int64_t[]){ 95, -2 }, 1);
	line(&download, 80);
	text_init(&t, buf, sizeof(buf));
	gauge_end(&gauge, &t);
	assert_string_equal(buf, "\r\033[J");
	assert_false(spark_any(&gauge.recent));
	assert_true(gauge.utf8 && gauge.color);
	/* The next one begins at once, and ends where nothing was drawn without a word. */
	assert_true(gauge_due(&gauge, &ping, 0));
	gauge_end(&gauge, &t);
	assert_string_equal(buf, "\r\033[J");
}

static int64_t any(struct rng *r)
{
	return rng_below(r, 4) == 0 ? UNKNOWN : (int64_t)(rng_next(r) >> (1 + rng_below(r, 63)));
}

/* Whatever the figures: within the columns but for the last one, in the room there is, and nothing a terminal obeys. */
static void no_line_is_ever_too_long(void **state)
{
	(void)state;
	struct rng r = rng_of(4);

	for (int round = 0; round < 20000; round++) {
		size_t columns = 1 + rng_below(&r, round % 100 == 0 ? 1000 : 150);
		struct check_moment m = { "download", any(&r), any(&r), any(&r), any(&r), (unsigned)rng_below(&r, 3),
			(unsigned)rng_below(&r, CHECK_WHOLE + 1) };

		if (m.bits_per_second > INT64_MAX / 4)
			m.bits_per_second /= 4;
		if (m.up_bits_per_second > INT64_MAX / 4)
			m.up_bits_per_second /= 4;
		gauge.utf8 = rng_below(&r, 2) > 0;
		gauge.color = false;
		gauge_due(&gauge, &m, gauge.next);
		const char *s = line(&m, columns);

		assert_true(characters(s) < columns);
		assert_null(strpbrk(s, "\r\n\033"));
		for (const char *p = s; *p && !gauge.utf8; p++)
			assert_in_range(*p, ' ', '~');
		gauge.color = true;
		line(&m, columns);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(on_80_columns_there_is_room_for_all_of_it, fresh),
		cmocka_unit_test_setup(a_ping_has_its_round_trips_and_no_rate, fresh),
		cmocka_unit_test_setup(both_directions_have_a_rate_each, fresh),
		cmocka_unit_test_setup(a_narrow_terminal_gets_the_most_important_parts, fresh),
		cmocka_unit_test_setup(without_utf_8_all_is_ascii, fresh),
		cmocka_unit_test_setup(the_bar_is_as_long_as_the_phase_is_over, fresh),
		cmocka_unit_test_setup(the_latency_has_the_digits_it_is_worth, fresh),
		cmocka_unit_test_setup(colours_change_no_character, fresh),
		cmocka_unit_test_setup(not_more_than_ten_lines_a_second, fresh),
		cmocka_unit_test_setup(a_bar_of_the_past_stands_for_two_lines, fresh),
		cmocka_unit_test_setup(the_end_of_a_phase_takes_the_line_away_and_forgets, fresh),
		cmocka_unit_test_setup(no_line_is_ever_too_long, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
