/* SPDX-License-Identifier: MIT */
#include "engine/check.h"

#include "guard.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct check_result result;

static struct check_result *fresh(void)
{
	struct check_result *r = &result;

	check_result_init(r);
	return r;
}

/* A result where everything was measured, each figure a number of its own. */
static struct check_result *full(void)
{
	struct check_result *r = fresh();

	r->has_ping = r->has_loaded_download = r->has_loaded_upload = true;
	r->ping.received = r->loaded_download.received = r->loaded_upload.received = r->loaded_both.received = 20;
	r->ping.loss_ppm = 1;
	r->ping.rtt_p50 = 2;
	r->ping.rtt_p99 = 3;
	r->ping.jitter = 4;
	r->loaded_download.rtt_p50 = 50;
	r->loaded_download.rtt_p99 = 60;
	r->loaded_upload.rtt_p50 = 5;
	r->loaded_upload.rtt_p99 = 600;
	r->download.status = r->upload.status = FLOW_OK;
	r->download.bits_per_second = 1000;
	r->upload.bits_per_second = 2000;
	r->rpm_download.rpm = 900;
	r->rpm_upload.rpm = 700;
	r->rpm_both.rpm = 800;
	r->loaded_download.loss_ppm = 30;
	r->loaded_upload.loss_ppm = 20;
	check_conclude(r);
	return r;
}

static size_t row_of(const struct expect_figure *table, const char *name)
{
	size_t i = 0;

	while (strcmp(table[i].name, name) != 0)
		assert_non_null(table[++i].name);
	return i;
}

static void the_phases_come_in_order_and_only_those_that_are_wanted(void **state)
{
	(void)state;
	static const struct {
		unsigned only;
		enum check_phase order[5];
	} rows[] = {
		{ CHECK_USUAL | CHECK_ONLY_BOTH, { CHECK_PING, CHECK_DOWNLOAD, CHECK_UPLOAD, CHECK_BOTH, CHECK_DONE } },
		{ CHECK_ONLY_BOTH, { CHECK_BOTH, CHECK_DONE } },
		{ CHECK_ONLY_PING | CHECK_ONLY_DOWNLOAD | CHECK_ONLY_UPLOAD,
			{ CHECK_PING, CHECK_DOWNLOAD, CHECK_UPLOAD, CHECK_DONE } },
		{ CHECK_ONLY_PING, { CHECK_PING, CHECK_DONE } },
		{ CHECK_ONLY_DOWNLOAD, { CHECK_DOWNLOAD, CHECK_DONE } },
		{ CHECK_ONLY_UPLOAD, { CHECK_UPLOAD, CHECK_DONE } },
		{ CHECK_ONLY_PING | CHECK_ONLY_UPLOAD, { CHECK_PING, CHECK_UPLOAD, CHECK_DONE } },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		enum check_phase phase = check_phase_from(CHECK_PING, rows[i].only);
		size_t k = 0;

		for (; phase != CHECK_DONE; phase = check_phase_from(phase + 1, rows[i].only))
			assert_int_equal(phase, rows[i].order[k++]);
		assert_int_equal(rows[i].order[k], CHECK_DONE);
		assert_int_equal(check_phase_from(CHECK_DONE, rows[i].only), CHECK_DONE);
	}
}

static void the_words_of_only_stand_for_their_bits(void **state)
{
	(void)state;
	static const struct {
		const char *word;
		unsigned bit;
	} rows[] = { { "ping", CHECK_ONLY_PING }, { "download", CHECK_ONLY_DOWNLOAD },
		{ "upload", CHECK_ONLY_UPLOAD }, { "both", CHECK_ONLY_BOTH } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_string_equal(check_only_words[i], rows[i].word);
		assert_int_equal(1U << i, rows[i].bit);
	}
	assert_null(check_only_words[COUNT(rows)]);
}

static void each_figure_of_a_check_is_the_one_that_its_name_says(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum expect_unit unit;
		int64_t want;
	} rows[] = { { "download", EXPECT_RATE, 1000 }, { "upload", EXPECT_RATE, 2000 }, { "loss", EXPECT_RATIO, 1 },
		{ "rtt", EXPECT_TIME, 2 }, { "rtt.p99", EXPECT_TIME, 3 }, { "jitter", EXPECT_TIME, 4 },
		{ "loaded", EXPECT_TIME, 50 }, { "loaded.p99", EXPECT_TIME, 600 },
		{ "rpm", EXPECT_COUNT, 700 }, { "loaded.loss", EXPECT_RATIO, 30 } };
	const struct check_result *r = full();

	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t row = row_of(check_figures, rows[i].name);

		assert_int_equal(check_figures[row].unit, rows[i].unit);
		assert_int_equal(check_figure(r, row), rows[i].want);
	}
	assert_null(check_figures[COUNT(rows)].name);
}

static void a_figure_that_was_not_measured_is_unknown(void **state)
{
	(void)state;
	const struct check_result *r = fresh();

	for (size_t i = 0; check_figures[i].name; i++)
		assert_int_equal(check_figure(r, i), UNKNOWN);
}

static void the_load_in_one_direction_alone_is_the_worse_one(void **state)
{
	(void)state;
	struct check_result *r = full();

	r->has_loaded_download = false;
	assert_int_equal(check_figure(r, row_of(check_figures, "loaded")), 5);
	assert_int_equal(check_figure(r, row_of(check_figures, "loaded.p99")), 600);
	r->has_loaded_download = true;
	r->has_loaded_upload = false;
	assert_int_equal(check_figure(r, row_of(check_figures, "loaded")), 50);
	assert_int_equal(check_figure(r, row_of(check_figures, "loaded.p99")), 60);
	r->has_loaded_upload = true;
	r->loaded_upload.rtt_p50 = r->loaded_upload.rtt_p99 = UNKNOWN; /* every probe was lost */
	assert_int_equal(check_figure(r, row_of(check_figures, "loaded.p99")), 60);
}

static void each_figure_of_a_ping_is_the_one_that_its_name_says(void **state)
{
	(void)state;
	const struct ping_result r = { .loss_ppm = 1, .rtt_p50 = 2, .rtt_p99 = 3, .rtt_max = 4, .jitter = 5,
		.received = 6 };
	static const struct {
		const char *name;
		enum expect_unit unit;
		int64_t want;
	} rows[] = { { "loss", EXPECT_RATIO, 1 }, { "rtt", EXPECT_TIME, 2 }, { "rtt.p99", EXPECT_TIME, 3 },
		{ "rtt.max", EXPECT_TIME, 4 }, { "jitter", EXPECT_TIME, 5 }, { "received", EXPECT_COUNT, 6 } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t row = row_of(ping_figures, rows[i].name);

		assert_int_equal(ping_figures[row].unit, rows[i].unit);
		assert_int_equal(ping_figure(&r, row), rows[i].want);
	}
	assert_null(ping_figures[COUNT(rows)].name);
}

/* What was measured: p, d, u; asked for by name: the bits; missed. */
static void the_exit_code_says_whether_it_was_measured_and_met(void **state)
{
	(void)state;
	static const struct {
		const char *measured;
		unsigned only;
		bool missed;
		int want;
	} rows[] = {
		{ "pdu", 0, false, 0 },
		{ "pdu", 0, true, 4 },
		{ "p", 0, false, 0 },
		{ "p", 0, true, 4 },
		{ "d", 0, false, 0 },
		{ "u", 0, false, 0 },
		{ "", 0, false, 1 },
		{ "", 0, true, 1 },
		{ "p", CHECK_ONLY_PING, false, 0 },
		{ "", CHECK_ONLY_PING, false, 1 },
		{ "d", CHECK_ONLY_DOWNLOAD, false, 0 },
		{ "d", CHECK_ONLY_DOWNLOAD, true, 4 },
		{ "", CHECK_ONLY_DOWNLOAD, false, 1 },
		{ "pd", CHECK_ONLY_UPLOAD, false, 1 },
		{ "pd", CHECK_ONLY_UPLOAD, true, 1 },
		{ "u", CHECK_ONLY_UPLOAD, false, 0 },
		{ "p", CHECK_ONLY_PING | CHECK_ONLY_DOWNLOAD, false, 1 },
		{ "pd", CHECK_ONLY_PING | CHECK_ONLY_DOWNLOAD, false, 0 },
		{ "d", CHECK_ONLY_PING | CHECK_ONLY_DOWNLOAD, false, 1 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct check_result *r = fresh();

		r->has_ping = true;
		r->ping.received = strchr(rows[i].measured, 'p') ? 1 : 0;
		r->download.status = strchr(rows[i].measured, 'd') ? FLOW_OK : FLOW_FAILED;
		r->upload.status = strchr(rows[i].measured, 'u') ? FLOW_OK : FLOW_UNSUPPORTED;
		assert_int_equal(check_exit_code(r, rows[i].only, rows[i].missed), rows[i].want);
	}
}

static void a_ping_that_was_not_made_measures_nothing(void **state)
{
	(void)state;
	struct check_result *r = fresh();

	r->ping.received = 7; /* of no meaning */
	assert_int_equal(check_exit_code(r, 0, false), 1);
}

static const char *verdict(struct check_result *r)
{
	static char buf[300];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	check_conclude(r);
	check_verdict(&t, r);
	assert_false(t.cut);
	return buf;
}

#define RAISED(ms, when, so) "under load the latency goes from 20.000 to " ms ".000 ms while " when ": " so

/* Median round trips in ms; -1: that load was not measured. */
static void the_verdict_says_what_the_load_does_and_what_that_means(void **state)
{
	(void)state;
	static const struct {
		int idle, down, up;
		const char *want;
	} rows[] = {
		{ 20, 22, 21, RAISED("22", "downloading", "calls and games will not notice") },
		{ 20, 25, -1, RAISED("25", "downloading", "games may notice, calls will not") },
		{ 20, 30, 30, RAISED("30", "downloading", "games may notice, calls will not") },
		{ 20, 21, 45, RAISED("45", "uploading", "games may notice, calls will not") },
		{ 20, 50, -1, RAISED("50", "downloading", "games will stutter, and calls may") },
		{ 20, 90, -1, RAISED("90", "downloading", "games will stutter, and calls may") },
		{ 20, 120, -1, RAISED("120", "downloading", "calls and games will stutter") },
		{ 20, -1, 900, RAISED("900", "uploading", "calls and games will stutter") },
		{ 20, 20, 20, "the load does not raise the latency: calls and games will not notice" },
		{ 20, 15, -1, "the load does not raise the latency: calls and games will not notice" },
		{ 20, -1, -1, "" },
		{ -1, 30, 30, "" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct check_result *r = full();

		r->has_ping = rows[i].idle >= 0;
		r->has_loaded_download = rows[i].down >= 0;
		r->has_loaded_upload = rows[i].up >= 0;
		r->ping.rtt_p50 = rows[i].idle * NS_PER_MS;
		r->loaded_download.rtt_p50 = rows[i].down * NS_PER_MS;
		r->loaded_upload.rtt_p50 = rows[i].up * NS_PER_MS;
		assert_string_equal(verdict(r), rows[i].want);
	}
}

static void there_is_no_verdict_where_every_probe_was_lost(void **state)
{
	(void)state;
	struct check_result *r = full();

	r->ping.rtt_p50 = UNKNOWN;
	assert_string_equal(verdict(r), "");
	r = full();
	r->loaded_download.rtt_p50 = r->loaded_upload.rtt_p50 = UNKNOWN;
	assert_string_equal(verdict(r), "");
}

/* They leave the link idle most of the time. */
static void small_files_are_no_load_to_judge_by(void **state)
{
	(void)state;
	struct check_result *r = full();

	r->ping.rtt_p50 = 20 * NS_PER_MS;
	r->loaded_download.rtt_p50 = 300 * NS_PER_MS;
	r->loaded_upload.rtt_p50 = 30 * NS_PER_MS;
	r->download.limited_by = LIMITED_SIZE;
	assert_string_equal(verdict(r), RAISED("30", "uploading", "games may notice, calls will not"));
	r->upload.limited_by = LIMITED_SIZE;
	assert_string_equal(verdict(r), "");
}

static void a_handful_of_round_trips_is_judged_but_fewer_are_not(void **state)
{
	(void)state;
	struct check_result *r = full();

	r->loaded_upload.received = 4;
	r->loaded_download.received = 5;
	check_conclude(r);
	assert_true(r->increase_upload == UNKNOWN);
	assert_false(r->increase_download == UNKNOWN);
}

static void the_grade_follows_the_largest_increase_and_the_rating_the_lowest_rate(void **state)
{
	(void)state;
	struct check_result *r = full();

	r->ping.rtt_p50 = 20 * NS_PER_MS;
	r->loaded_download.rtt_p50 = 22 * NS_PER_MS;
	r->loaded_upload.rtt_p50 = 90 * NS_PER_MS;
	check_conclude(r);
	assert_int_equal(r->increase_download, 2 * NS_PER_MS);
	assert_int_equal(r->increase_upload, 70 * NS_PER_MS);
	assert_true(r->increase_both == UNKNOWN);
	assert_int_equal(r->increase, 70 * NS_PER_MS);
	assert_string_equal(r->grade, "C");
	assert_int_equal(r->rpm, 700);
	assert_string_equal(r->rating, "fair");
	r->rpm_download.rpm = r->rpm_upload.rpm = r->rpm_both.rpm = UNKNOWN;
	r->has_ping = false;
	check_conclude(r);
	assert_null(r->grade);
	assert_null(r->rating);
	assert_true(r->increase == UNKNOWN && r->rpm == UNKNOWN);
}

static void both_directions_at_once_count_where_they_were_asked_for(void **state)
{
	(void)state;
	struct check_result *r = fresh();

	r->has_both = true;
	r->both_download.status = FLOW_OK;
	assert_int_equal(check_exit_code(r, CHECK_ONLY_BOTH, false), 1);
	r->both_upload.status = FLOW_OK;
	assert_int_equal(check_exit_code(r, CHECK_ONLY_BOTH, false), 0);
	r = full();
	r->ping.rtt_p50 = 20 * NS_PER_MS;
	r->has_loaded_both = true;
	r->loaded_both.rtt_p50 = 300 * NS_PER_MS;
	assert_string_equal(verdict(r), RAISED("300", "loading both ways", "calls and games will stutter"));
	assert_int_equal(check_figure(r, row_of(check_figures, "loaded")), 300 * NS_PER_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_phases_come_in_order_and_only_those_that_are_wanted),
		cmocka_unit_test(the_words_of_only_stand_for_their_bits),
		cmocka_unit_test(each_figure_of_a_check_is_the_one_that_its_name_says),
		cmocka_unit_test(a_figure_that_was_not_measured_is_unknown),
		cmocka_unit_test(the_load_in_one_direction_alone_is_the_worse_one),
		cmocka_unit_test(each_figure_of_a_ping_is_the_one_that_its_name_says),
		cmocka_unit_test(the_exit_code_says_whether_it_was_measured_and_met),
		cmocka_unit_test(a_ping_that_was_not_made_measures_nothing),
		cmocka_unit_test(the_verdict_says_what_the_load_does_and_what_that_means),
		cmocka_unit_test(there_is_no_verdict_where_every_probe_was_lost),
		cmocka_unit_test(small_files_are_no_load_to_judge_by),
		cmocka_unit_test(a_handful_of_round_trips_is_judged_but_fewer_are_not),
		cmocka_unit_test(the_grade_follows_the_largest_increase_and_the_rating_the_lowest_rate),
		cmocka_unit_test(both_directions_at_once_count_where_they_were_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
