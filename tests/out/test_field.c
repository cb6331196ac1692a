/* SPDX-License-Identifier: MIT */
#include "out/field.h"

#include "formats.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char buf[65536];
static struct text out;

static struct text *fresh(void)
{
	text_init(&out, buf, sizeof(buf));
	return &out;
}

/* Every figure a number of its own. */
static struct ping_result pinged(void)
{
	return (struct ping_result){
		.target = "host",
		.address = "192.0.2.1",
		.method = METHOD_ICMP_RAW,
		.stamps = STAMPS_KERNEL_TXRX,
		.reason = "",
		.sent = 101, .received = 102, .lost = 103, .in_flight = 104, .late = 105, .duplicates = 106,
		.reordered = 107,
		.corrupt = 108, .errors = 109, .local_drops = 110,
		.loss_ppm = 12345, .loss_low_ppm = 1, .loss_high_ppm = 1000000,
		.rtt_min = 1000001, .rtt_mean = 2000002, .rtt_max = 3000003, .rtt_mdev = 4000004,
		.rtt_p50 = 5000005, .rtt_p90 = 6000006, .rtt_p99 = 7000007, .jitter = 8000008, .ipdv_p99 = 9000009,
		.host_queue_p50 = 10, .connect_p50 = 11000011, .loss_runs = 111, .loss_run_max = 112,
		.resolve = 12000012, .elapsed = 1500000000,
		.there = { 113, 114, 15000, 16000016, 17000017 }, .back = { 118, 119, 20000, 21000021, 22000022 },
	};
}

static struct flow_result flowed(void)
{
	return (struct flow_result){
		.status = FLOW_OK,
		.bits_per_second = 941234567, .bytes = 201, .elapsed = 2500000000, .total_bytes = 203,
		.peer_bytes = 204,
		.connections = 2, .stable = true, .spread_ppm = 12000, .counted_by_receiver = true,
		.limited_by = LIMITED_CLIENT_CPU, .retransmits = 0, .congestion_control = "cubic",
		.cpu_per_gigabyte = 123456789, .cpu_share_ppm = 1700000,
	};
}

static const char *json_of(const struct field_table *f, const void *object)
{
	struct text *t = fresh();
	struct json j;

	json_init(&j, t);
	field_json(&j, NULL, f, object);
	text_char(t, '\n');
	assert_false(t->cut);
	assert_true(is_json_line(buf));
	return buf;
}

static const char *csv_of(const struct field_table *f, const void *object)
{
	struct text *t = fresh();

	field_csv_head(t, f, "");
	text_char(t, '\n');
	field_csv_row(t, f, object);
	text_char(t, '\n');
	assert_false(t->cut);
	assert_int_equal(csv_width(buf), f->n);
	assert_int_equal(csv_width(strchr(buf, '\n') + 1), f->n);
	return buf;
}

static const char *prom_of(const struct field_table *f, const void *object, const char *label)
{
	struct text *t = fresh();

	for (size_t row = 0; row < f->n; row++) {
		bool named = false;

		field_prom(t, f, row, "sonde_", object, label, &named);
	}
	assert_false(t->cut);
	assert_true(prom_samples(buf) >= 0);
	return buf;
}

/* The names of the contract, and what the results above are in each format. */
struct row {
	const char *name, *json, *csv;
};

static const struct row ping_rows[] = {
	{ "target", "\"host\"", "host" },
	{ "address", "\"192.0.2.1\"", "192.0.2.1" },
	{ "method", "\"icmp-raw\"", "icmp-raw" },
	{ "stamps", "\"kernel-txrx\"", "kernel-txrx" },
	{ "sent", "101", "101" },
	{ "received", "102", "102" },
	{ "lost", "103", "103" },
	{ "in_flight", "104", "104" },
	{ "late", "105", "105" },
	{ "duplicates", "106", "106" },
	{ "reordered", "107", "107" },
	{ "corrupt", "108", "108" },
	{ "errors", "109", "109" },
	{ "local_drops", "110", "110" },
	{ "loss_ratio", "0.012345", "0.012345" },
	{ "loss_ratio_low", "0.000001", "0.000001" },
	{ "loss_ratio_high", "1.000000", "1.000000" },
	{ "rtt_min_ms", "1.000001", "1.000001" },
	{ "rtt_mean_ms", "2.000002", "2.000002" },
	{ "rtt_max_ms", "3.000003", "3.000003" },
	{ "rtt_mdev_ms", "4.000004", "4.000004" },
	{ "rtt_p50_ms", "5.000005", "5.000005" },
	{ "rtt_p90_ms", "6.000006", "6.000006" },
	{ "rtt_p99_ms", "7.000007", "7.000007" },
	{ "jitter_ms", "8.000008", "8.000008" },
	{ "ipdv_p99_ms", "9.000009", "9.000009" },
	{ "host_queue_p50_ms", "0.000010", "0.000010" },
	{ "connect_p50_ms", "11.000011", "11.000011" },
	{ "there_lost", "114", "114" },
	{ "there_loss_ratio", "0.015000", "0.015000" },
	{ "there_queue_p50_ms", "16.000016", "16.000016" },
	{ "there_queue_p99_ms", "17.000017", "17.000017" },
	{ "back_lost", "119", "119" },
	{ "back_loss_ratio", "0.020000", "0.020000" },
	{ "back_queue_p50_ms", "21.000021", "21.000021" },
	{ "back_queue_p99_ms", "22.000022", "22.000022" },
	{ "loss_runs", "111", "111" },
	{ "loss_run_max", "112", "112" },
	{ "resolve_ms", "12.000012", "12.000012" },
	{ "resolve_error", "null", "" },
	{ "seconds", "1.500000000", "1.500000000" },
};

static const struct row flow_rows[] = {
	{ "status", "\"ok\"", "ok" },
	{ "reason", "null", "" },
	{ "bits_per_second", "941234567", "941234567" },
	{ "bytes", "201", "201" },
	{ "seconds", "2.500000000", "2.500000000" },
	{ "connections", "2", "2" },
	{ "stable", "true", "1" },
	{ "spread_ratio", "0.012000", "0.012000" },
	{ "counted_by", "\"receiver\"", "receiver" },
	{ "limited_by", "\"client-cpu\"", "client-cpu" },
	{ "retransmits", "0", "0" },
	{ "congestion_control", "\"cubic\"", "cubic" },
	{ "cpu_seconds_per_gigabyte", "0.123456789", "0.123456789" },
};

static void assert_rows(const struct row *rows, size_t n, const struct field_table *f, const void *object)
{
	const char *json = json_of(f, object);

	for (size_t i = 0; i < n; i++)
		assert_string_equal(member_of(json, rows[i].name), rows[i].json);
	const char *csv = csv_of(f, object);

	for (size_t i = 0; i < n; i++)
		assert_string_equal(csv_below(csv, rows[i].name), rows[i].csv);
}

static void every_figure_has_its_name_and_its_value_in_json_and_csv(void **state)
{
	(void)state;
	struct ping_result ping = pinged();
	struct flow_result flow = flowed();

	assert_rows(ping_rows, COUNT(ping_rows), &ping_fields, &ping);
	assert_rows(flow_rows, COUNT(flow_rows), &flow_fields, &flow);
}

static void a_zero_is_a_measured_zero(void **state)
{
	(void)state;
	struct ping_result ping = pinged();

	ping.lost = ping.loss_ppm = ping.jitter = 0;
	const char *json = json_of(&ping_fields, &ping);

	assert_string_equal(member_of(json, "lost"), "0");
	assert_string_equal(member_of(json, "loss_ratio"), "0.000000");
	assert_string_equal(member_of(json, "jitter_ms"), "0.000000");
}

/* Sets every figure that may be to what stands for nothing. */
static struct ping_result nothing(void)
{
	struct ping_result r = pinged();
	int64_t *const figures[] = { &r.local_drops, &r.loss_ppm, &r.loss_low_ppm, &r.loss_high_ppm, &r.rtt_min,
		&r.rtt_mean,
		&r.rtt_max, &r.rtt_mdev, &r.rtt_p50, &r.rtt_p90, &r.rtt_p99, &r.jitter, &r.ipdv_p99,
		&r.host_queue_p50, &r.connect_p50, &r.resolve, &r.there.lost, &r.there.loss_ppm, &r.there.queue_p50,
		&r.there.queue_p99, &r.back.lost, &r.back.loss_ppm, &r.back.queue_p50, &r.back.queue_p99 };

	for (size_t i = 0; i < COUNT(figures); i++)
		*figures[i] = UNKNOWN;
	r.stamps = STAMPS_NONE;
	r.address[0] = '\0';
	return r;
}

static void what_was_not_measured_is_null_empty_or_not_there(void **state)
{
	(void)state;
	static const char *const names[] = { "address", "stamps", "local_drops", "loss_ratio", "loss_ratio_low",
		"loss_ratio_high", "rtt_min_ms", "rtt_mean_ms", "rtt_max_ms", "rtt_mdev_ms", "rtt_p50_ms", "rtt_p90_ms",
		"rtt_p99_ms", "jitter_ms", "ipdv_p99_ms", "host_queue_p50_ms", "connect_p50_ms", "resolve_ms",
		"resolve_error", "there_lost", "there_loss_ratio", "there_queue_p50_ms", "there_queue_p99_ms", "back_lost",
		"back_loss_ratio", "back_queue_p50_ms", "back_queue_p99_ms" };
	struct ping_result r = nothing();
	const char *json = json_of(&ping_fields, &r);

	for (size_t i = 0; i < COUNT(names); i++)
		assert_string_equal(member_of(json, names[i]), "null");
	const char *csv = csv_of(&ping_fields, &r);

	for (size_t i = 0; i < COUNT(names); i++)
		assert_string_equal(csv_below(csv, names[i]), "");
	const char *prom = prom_of(&ping_fields, &r, NULL);

	assert_null(strstr(prom, "rtt"));
	assert_null(strstr(prom, "loss_ratio"));
	assert_non_null(strstr(prom, "sonde_sent_total{"));
}

/* The contract: null for its figures, never 0 - and whether it was stable or who counted is none of them known. */
static void a_flow_that_was_not_measured_has_no_figures(void **state)
{
	(void)state;
	static const enum flow_status statuses[] = { FLOW_SKIPPED, FLOW_UNSUPPORTED, FLOW_FAILED };
	static const char *const names[] = { "skipped", "unsupported", "failed" };

	for (size_t i = 0; i < COUNT(statuses); i++) {
		struct flow_result r;
		char want[40];

		flow_result_init(&r);
		r.status = statuses[i];
		strcpy(r.reason, "the server answered 501");
		const char *json = json_of(&flow_fields, &r);

		snprintf(want, sizeof(want), "\"%s\"", names[i]);
		assert_string_equal(member_of(json, "status"), want);
		assert_string_equal(member_of(json, "reason"), "\"the server answered 501\"");
		for (size_t k = 2; k < COUNT(flow_rows); k++)
			assert_string_equal(member_of(json, flow_rows[k].name), "null");
		const char *csv = csv_of(&flow_fields, &r);

		for (size_t k = 2; k < COUNT(flow_rows); k++)
			assert_string_equal(csv_below(csv, flow_rows[k].name), "");
		assert_int_equal(prom_samples(prom_of(&flow_fields, &r, NULL)), 0);
	}
}

static void an_object_that_is_not_there_is_null_and_empty_cells(void **state)
{
	(void)state;
	struct text *t = fresh();
	struct json j;

	json_init(&j, t);
	json_open(&j, NULL);
	field_json(&j, "ping", &ping_fields, NULL);
	json_close(&j);
	assert_string_equal(buf, "{\"ping\":null}");
	field_csv_row(fresh(), &ping_fields, NULL);
	assert_int_equal(strlen(buf), ping_fields.n - 1);
	assert_int_equal(strspn(buf, ","), ping_fields.n - 1);
}

static void each_method_and_limit_has_its_word(void **state)
{
	(void)state;
	static const char *const methods[] = { "none", "icmp-raw", "icmp-dgram", "udp", "tcp", "http" };
	static const char *const stamps[] = { "", "user", "kernel-rx", "kernel-txrx" };
	static const char *const limits[] = { "", "network", "receiver", "sender", "client-cpu", "server", "size" };

	for (int i = 0; i < METHOD_N; i++) {
		struct ping_result r = pinged();

		r.method = (enum method)i;
		assert_string_equal(csv_below(csv_of(&ping_fields, &r), "method"), methods[i]);
	}
	for (int i = 0; i < STAMPS_N; i++) {
		struct ping_result r = pinged();

		r.stamps = (enum stamps)i;
		assert_string_equal(csv_below(csv_of(&ping_fields, &r), "stamps"), stamps[i]);
	}
	for (int i = 0; i < LIMITED_N; i++) {
		struct flow_result r = flowed();

		r.limited_by = (enum limited_by)i;
		assert_string_equal(csv_below(csv_of(&flow_fields, &r), "limited_by"), limits[i]);
	}
}

static void the_sender_counts_where_the_receiver_did_not(void **state)
{
	(void)state;
	struct flow_result r = flowed();

	r.counted_by_receiver = r.stable = false;
	const char *json = json_of(&flow_fields, &r);

	assert_string_equal(member_of(json, "counted_by"), "\"sender\"");
	assert_string_equal(member_of(json, "stable"), "false");
}

static const char *const hostile[] = { "plain", "with \"quotes\"", "back\\slash", "a,comma", "a;semicolon", "new\nline",
	"carriage\rreturn", "tab\there", "\x1b[31mred\x1b[0m", "bell\a", "nul-like\x01", "\xc3\xa9t\xc3\xa9",
	"\xff\xfe broken",
	"\xed\xa0\x80 surrogate", "=1+1", "+cmd", "-2", "@SUM(A1)", "\"", "\\", "{}", "a=\"b\"", "" };

static void hostile_names_stay_inside_their_strings(void **state)
{
	(void)state;

	for (size_t i = 0; i < COUNT(hostile); i++) {
		struct ping_result r = pinged();

		r.target = hostile[i];
		json_of(&ping_fields, &r);
		for (const char *p = buf; p[1]; p++)
			assert_true((unsigned char)*p >= 0x20 && *p != 0x7f);
		const char *csv = csv_of(&ping_fields, &r);

		assert_string_equal(csv_below(csv, "address"), "192.0.2.1");
		assert_int_equal(prom_samples(prom_of(&ping_fields, &r, NULL)), 34);
	}
}

static void a_cell_is_quoted_where_it_must_be_and_never_a_formula(void **state)
{
	(void)state;
	static const struct {
		const char *s, *want;
	} rows[] = {
		{ "plain", "plain" },
		{ "two words", "two words" },
		{ "a,b", "\"a,b\"" },
		{ "a\"b", "\"a\"\"b\"" },
		{ "\"", "\"\"\"\"" },
		{ "a\nb", "\"a\\x0ab\"" },
		{ "=1+1", "\"'=1+1\"" },
		{ "+1", "\"'+1\"" },
		{ "-1", "\"'-1\"" },
		{ "@x", "\"'@x\"" },
		{ "=\"a\"", "\"'=\"\"a\"\"\"" },
		{ "\t=1", "\\x09=1" },
		{ "1-1", "1-1" },
		{ "\x1b[0m", "\\x1b[0m" },
		{ "", "" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct guard g = guard_of(rows[i].s, strlen(rows[i].s));

		field_csv_cell(fresh(), (struct slice){ g.p, g.n });
		assert_string_equal(buf, rows[i].want);
		guard_free(&g);
	}
}

static void columns_may_have_a_prefix(void **state)
{
	(void)state;
	field_csv_head(fresh(), &flow_fields, "download_");
	text_char(&out, '\n');
	assert_int_equal(csv_width(buf), flow_fields.n);
	for (size_t i = 0; i < flow_fields.n; i++)
		assert_true(strncmp(csv_cell(buf, i), "download_", 9) == 0);
	assert_string_equal(csv_cell(buf, 0), "download_status");
}

static void names_are_unique_and_carry_their_unit(void **state)
{
	(void)state;
	static const struct field_table *const tables[] = { &ping_fields, &flow_fields };

	for (size_t k = 0; k < COUNT(tables); k++)
		for (size_t i = 0; i < tables[k]->n; i++) {
			const char *name = field_name(tables[k], i), *help = slice_word(name, 1);
			uint8_t kind = tables[k]->v[i].kind;
			size_t n = strlen(name);

			for (size_t j = 0; j < i; j++)
				assert_string_not_equal(name, field_name(tables[k], j));
			assert_int_equal(kind == FIELD_MS, n > 3 && strcmp(name + n - 3, "_ms") == 0);
			if (help[0] != '\0') /* a sentence for each metric; a label needs none */
				assert_int_equal(kind < FIELD_BOOL, strcmp(help, FIELD_LABEL) == 0);
		}
}

static void samples_are_in_base_units_and_have_their_labels(void **state)
{
	(void)state;
	struct ping_result ping = pinged();
	struct flow_result flow = flowed();
	const char *prom = prom_of(&ping_fields, &ping, NULL);
	const char *labels = "{target=\"host\",address=\"192.0.2.1\",method=\"icmp-raw\"} ";
	char want[200];

	snprintf(want, sizeof(want), "\nsonde_rtt_p50_seconds%s0.005000005\n", labels);
	assert_non_null(strstr(prom, want));
	snprintf(want, sizeof(want), "\nsonde_loss_ratio%s0.012345\n", labels);
	assert_non_null(strstr(prom, want));
	snprintf(want, sizeof(want), "# TYPE sonde_sent_total counter\nsonde_sent_total%s101\n", labels);
	assert_non_null(strstr(prom, want));
	assert_non_null(strstr(prom, "# TYPE sonde_rtt_min_seconds gauge\n"));
	prom = prom_of(&flow_fields, &flow, "direction=\"download\"");
	assert_non_null(strstr(prom, "\nsonde_bits_per_second{direction=\"download\"} 941234567\n"));
	assert_non_null(strstr(prom, "\nsonde_stable{direction=\"download\"} 1\n"));
	assert_non_null(strstr(prom, "\nsonde_cpu_seconds_per_gigabyte{direction=\"download\"} 0.123456789\n"));
	prom = prom_of(&flow_fields, &flow, NULL);
	assert_non_null(strstr(prom, "\nsonde_bits_per_second 941234567\n"));
}

static void labels_are_escaped(void **state)
{
	(void)state;
	struct ping_result ping = pinged();

	ping.target = "a\"b\\c\nd";
	assert_non_null(strstr(prom_of(&ping_fields, &ping, NULL), "{target=\"a\\\"b\\\\c\\nd\","));
}

static void labels_are_valid_utf8(void **state)
{
	(void)state;
	struct ping_result ping = pinged();

	ping.target = "\xff\xfe broken";
	struct slice prom = slice_of(prom_of(&ping_fields, &ping, NULL));

	while (prom.n > 0) {
		assert_true(slice_utf8(prom) > 0);
		prom = slice_from(prom, slice_utf8(prom));
	}
}

static void a_metric_of_several_samples_has_one_head(void **state)
{
	(void)state;
	struct ping_result a = pinged(), b = pinged();
	struct text *t = fresh();

	a.rtt_p50 = UNKNOWN; /* the head stands before the first sample that there is */
	b.target = "other";
	for (size_t row = 0; row < ping_fields.n; row++) {
		bool named = false;

		field_prom(t, &ping_fields, row, "sonde_", &a, NULL, &named);
		field_prom(t, &ping_fields, row, "sonde_", &b, NULL, &named);
	}
	assert_int_equal(prom_samples(buf), 67);
}

static void what_does_not_fit_is_cut_and_nothing_worse(void **state)
{
	(void)state;
	struct ping_result r = pinged();

	for (size_t n = 1; n < 600; n++) {
		struct guard g = guard_of(buf, n);
		struct text t;
		struct json j;
		bool named = false;

		text_init(&t, g.p, n);
		json_init(&j, &t);
		field_json(&j, NULL, &ping_fields, &r);
		text_init(&t, g.p, n);
		field_csv_head(&t, &ping_fields, "x_");
		field_csv_row(&t, &ping_fields, &r);
		text_init(&t, g.p, n);
		field_prom(&t, &ping_fields, 5, "sonde_", &r, NULL, &named);
		assert_int_equal(strlen(t.p), t.len);
		guard_free(&g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_figure_has_its_name_and_its_value_in_json_and_csv),
		cmocka_unit_test(a_zero_is_a_measured_zero),
		cmocka_unit_test(what_was_not_measured_is_null_empty_or_not_there),
		cmocka_unit_test(a_flow_that_was_not_measured_has_no_figures),
		cmocka_unit_test(an_object_that_is_not_there_is_null_and_empty_cells),
		cmocka_unit_test(each_method_and_limit_has_its_word),
		cmocka_unit_test(the_sender_counts_where_the_receiver_did_not),
		cmocka_unit_test(hostile_names_stay_inside_their_strings),
		cmocka_unit_test(a_cell_is_quoted_where_it_must_be_and_never_a_formula),
		cmocka_unit_test(columns_may_have_a_prefix),
		cmocka_unit_test(names_are_unique_and_carry_their_unit),
		cmocka_unit_test(samples_are_in_base_units_and_have_their_labels),
		cmocka_unit_test(labels_are_escaped),
		cmocka_unit_test(labels_are_valid_utf8),
		cmocka_unit_test(a_metric_of_several_samples_has_one_head),
		cmocka_unit_test(what_does_not_fit_is_cut_and_nothing_worse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
