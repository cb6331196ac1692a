/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include "core/opt.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define WORDS_MAX 24

struct config {
	bool quiet, verbose;
	int family;
	int64_t count;
	ns_t interval;
	int64_t size, rate, big;
	const char *name;
	int format;
	unsigned show;
	struct opt_list headers;
};

static const char *const formats[] = { "text", "json", "ndjson", NULL };
static const char *const parts[] = { "head", "body", "time", NULL };

#define AT(field) offsetof(struct config, field)

static const struct opt common[] = {
	{ 'q', OPT_FLAG, AT(quiet), "quiet", NULL, "only the summary", 0, 0, NULL },
	{ 'v', OPT_FLAG, AT(verbose), "verbose", NULL, "more lines", 0, 0, NULL },
	{ '4', OPT_VALUE, AT(family), "ipv4", NULL, "IPv4 only", 4, 0, NULL },
	{ '6', OPT_VALUE, AT(family), "ipv6", NULL, "IPv6 only", 6, 0, NULL },
	{ 0, OPT_CHOICE, AT(format), "format", "F", "text, json or ndjson (text)", 0, 0, formats },
};

static const struct opt special[] = {
	{ 'c', OPT_COUNT, AT(count), "count", "N", "stop after N probes", 1, 1000, NULL },
	{ 'i', OPT_DURATION, AT(interval), "interval", "TIME", "between probes (1s)", NS_PER_MS, 3600 * NS_PER_S,
		NULL },
	{ 's', OPT_SIZE, AT(size), "size", "SIZE", "bytes in a probe (56)", 0, 65507, NULL },
	{ 0, OPT_RATE, AT(rate), "rate", "RATE", "no faster than", 1000, INT64_C(100000000000), NULL },
	{ 0, OPT_COUNT, AT(big), "big", "N", "without an end", 1, INT64_MAX, NULL },
	{ 'n', OPT_STRING, AT(name), "name", "TEXT", "a name", 0, 0, NULL },
	{ 0, OPT_SET, AT(show), "show", "WHAT", "head,body,time", 0, 0, parts },
	{ 'H', OPT_LIST, AT(headers), "header", "LINE", "one more line", 0, 0, NULL },
};

static const struct opt_table tables[] = {
	{ "Output", common, COUNT(common) },
	{ "Probes", special, COUNT(special) },
	{ NULL, NULL, 0 },
};

static const struct config defaults = { .count = 7, .interval = 5, .size = 56, .name = "default" };

/* Each word ends where memory does; the operands are joined by a blank for comparison. */
struct run {
	struct guard words[WORDS_MAX];
	char *argv[WORDS_MAX + 1];
	size_t n;
	struct config cfg;
	struct fault why;
	int operands;
	char joined[128];
};

static struct run r;

/* @line is cut at blanks; _ stands for an empty word. */
static void parse(const char *line)
{
	struct slice rest = slice_of(line);

	memset(&r, 0, sizeof(r));
	r.cfg = defaults;
	while (rest.n > 0) {
		char copy[128] = "";
		struct slice word = slice_cut(&rest, ' ');

		if (!slice_eq(word, SLICE("_")))
			memcpy(copy, word.p, word.n);
		r.words[r.n] = guard_of(copy, strlen(copy) + 1);
		r.argv[r.n] = r.words[r.n].p;
		r.n++;
	}
	r.argv[r.n] = "behind the last";
	r.operands = opt_parse(tables, (int)r.n, r.argv, &r.cfg, &r.why);
	for (int i = 0; i < r.operands; i++) {
		strcat(r.joined, i > 0 ? " " : "");
		strcat(r.joined, r.argv[i]);
	}
}

static void release(void)
{
	for (size_t i = 0; i < r.n; i++)
		guard_free(&r.words[i]);
}

static void nothing_given_leaves_the_defaults(void **state)
{
	(void)state;
	parse("");
	assert_int_equal(r.operands, 0);
	assert_memory_equal(&r.cfg, &defaults, sizeof(defaults));
	release();
}

static void every_spelling_of_a_value_means_the_same(void **state)
{
	static const char *const lines[] = { "-c 3", "-c3", "--count 3", "--count=3", "-qc3", "-qc 3", "-c 9 -c 3",
		"-c9 --count=3" };

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		parse(lines[i]);
		assert_int_equal(r.operands, 0);
		assert_int_equal(r.cfg.count, 3);
		release();
	}
}

static void flags_run_together_and_a_shared_field_takes_the_last(void **state)
{
	(void)state;
	parse("-qv46");
	assert_true(r.cfg.quiet && r.cfg.verbose);
	assert_int_equal(r.cfg.family, 6);
	release();
	parse("--ipv6 --quiet -4");
	assert_true(r.cfg.quiet && !r.cfg.verbose);
	assert_int_equal(r.cfg.family, 4);
	release();
}

static void operands_are_gathered_from_between_the_options(void **state)
{
	static const char *const cases[][2] = { { "a b", "a b" }, { "a -q b -c 3 c", "a b c" },
		{ "-q -- -v b", "-v b" }, { "- -q -", "- -" }, { "a -- -- b", "a -- b" }, { "--", "" },
		{ "-c 3 --", "" }, { "a --name -- b", "a b" }, { "-- --count", "--count" }, { "a _ b", "a  b" } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		parse(cases[i][0]);
		assert_string_equal(r.joined, cases[i][1]);
		assert_true(r.operands >= 0);
		release();
	}
}

static void options_behind_operands_count_and_behind_two_dashes_do_not(void **state)
{
	(void)state;
	parse("a -q -- -v");
	assert_true(r.cfg.quiet && !r.cfg.verbose);
	release();
}

static void each_kind_is_read_in_its_own_unit(void **state)
{
	(void)state;
	parse("-i 1.5ms --size=1KiB --rate 10M --big 9223372036854775806 -n x --format=ndjson");
	assert_int_equal(r.operands, 0);
	assert_true(r.cfg.interval == 1500000);
	assert_int_equal(r.cfg.size, 1024);
	assert_int_equal(r.cfg.rate, 10000000);
	assert_true(r.cfg.big == INT64_MAX - 1);
	assert_string_equal(r.cfg.name, "x");
	assert_int_equal(r.cfg.format, 2);
	release();
}

static void a_value_may_look_like_an_option(void **state)
{
	(void)state;
	parse("-n -q --name=--count");
	assert_string_equal(r.cfg.name, "--count");
	assert_false(r.cfg.quiet);
	release();
	parse("--name a=b=c");
	assert_string_equal(r.cfg.name, "a=b=c");
	r.cfg.name = defaults.name;
	assert_memory_equal(&r.cfg, &defaults, sizeof(defaults));
	release();
}

static void text_may_be_empty(void **state)
{
	(void)state;
	parse("--name= -H _");
	assert_int_equal(r.operands, 0);
	assert_string_equal(r.cfg.name, "");
	assert_string_equal(r.cfg.headers.v[0], "");
	release();
}

static void of_two_choices_the_later_holds(void **state)
{
	(void)state;
	parse("--format json --format=text");
	assert_int_equal(r.operands, 0);
	assert_int_equal(r.cfg.format, 0);
	release();
}

static void a_set_collects_words_from_one_value_and_from_several(void **state)
{
	(void)state;
	parse("--show head");
	assert_int_equal(r.cfg.show, 1);
	release();
	parse("--show time");
	assert_int_equal(r.cfg.show, 4);
	release();
	parse("--show head,time");
	assert_int_equal(r.cfg.show, 5);
	release();
	parse("--show head --show=body");
	assert_int_equal(r.cfg.show, 3);
	release();
}

static void a_list_keeps_the_order_up_to_its_end(void **state)
{
	(void)state;
	parse("-H a --header b -Hc");
	assert_int_equal(r.cfg.headers.n, 3);
	assert_string_equal(r.cfg.headers.v[0], "a");
	assert_string_equal(r.cfg.headers.v[1], "b");
	assert_string_equal(r.cfg.headers.v[2], "c");
	release();
	parse("-H1 -H2 -H3 -H4 -H5 -H6 -H7 -H8");
	assert_int_equal(r.operands, 0);
	assert_int_equal(r.cfg.headers.n, 8);
	release();
}

static void a_mistake_is_named_with_its_remedy(void **state)
{
	static const char *const cases[][3] = {
		{ "--cuont 3", "there is no option '--cuont'", "--count" },
		{ "--intervall=3", "there is no option '--intervall'", "--interval" },
		{ "--coun 3", "there is no option '--coun'", "--count" },
		{ "--format1", "there is no option '--format1'", "--format" },
		{ "--qiuet", "there is no option '--qiuet'", "--quiet" },
		{ "--zzzzzz", "there is no option '--zzzzzz'", "" },
		{ "--x", "there is no option '--x'", "" },
		{ "--=x", "there is no option '--'", "" },
		{ "--Count 3", "there is no option '--Count'", "--count" },
		{ "--q", "there is no option '--q'", "" },
		{ "-x", "there is no option '-x'", "" },
		{ "-qx", "there is no option '-x'", "" },
		{ "-format", "there is no option '-f'", "--format" },
		{ "-q-", "there is no option '--'", "" },
		{ "--\x1b[m", "there is no option '--\\x1b[m'", "" },
		{ "--quiet=yes", "--quiet takes no value", "" },
		{ "--quiet=", "--quiet takes no value", "" },
		{ "--ipv4=1", "--ipv4 takes no value", "" },
		{ "--count", "--count needs a value: N", "" },
		{ "-c", "--count needs a value: N", "" },
		{ "a -qc", "--count needs a value: N", "" },
		{ "--count=", "--count needs a value: N", "" },
		{ "--count _", "--count needs a value: N", "" },
		{ "--format=", "--format needs a value: F", "" },
		{ "--show=", "--show needs a value: WHAT", "" },
		{ "--name", "--name needs a value: TEXT", "" },
		{ "-H", "--header needs a value: LINE", "" },
		{ "--interval 0ms", "--interval '0ms' is too small (1 ms to 1 h)", "" },
		{ "--interval 2h", "--interval '2h' is too large (1 ms to 1 h)", "" },
		{ "--interval soon", "--interval 'soon' is not a duration (1 ms to 1 h)", "" },
		{ "-c0", "--count '0' is too small (1 to 1000)", "" },
		{ "-c -5", "--count '-5' is too small (1 to 1000)", "" },
		{ "-c=5", "--count '=5' is not a whole number (1 to 1000)", "" },
		{ "-c 1001", "--count '1001' is too large (1 to 1000)", "" },
		{ "-s 64KiB", "--size '64KiB' is too large (0 bytes to 65507 bytes)", "" },
		{ "--rate 1bit", "--rate '1bit' is too small (1.0 kbit/s to 100.0 Gbit/s)", "" },
		{ "--rate 1MB", "--rate '1MB' is not a rate (1.0 kbit/s to 100.0 Gbit/s)", "" },
		{ "--big 0", "--big '0' is too small (1 or more)", "" },
		{ "--format jsn", "--format 'jsn' is not one of text json ndjson", "" },
		{ "--format tex", "--format 'tex' is not one of text json ndjson", "" },
		{ "--show head,tail", "--show 'tail' is not one of head body time", "" },
		{ "--show x", "--show 'x' is not one of head body time", "" },
		{ "--show head,x", "--show 'x' is not one of head body time", "" },
		{ "--show head,,body", "--show 'head,,body' is not one of head body time", "" },
		{ "-H1 -H2 -H3 -H4 -H5 -H6 -H7 -H8 -H9", "--header '9' is one too many: 8 can be given", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		parse(cases[i][0]);
		assert_int_equal(r.operands, -1);
		assert_string_equal(r.why.text, cases[i][1]);
		assert_string_equal(r.why.hints[0], cases[i][2]);
		assert_string_equal(r.why.hints[1], "");
		assert_int_equal(r.why.kind, FAULT_USAGE);
		release();
	}
}

static void a_refused_value_leaves_the_default(void **state)
{
	static const char *const lines[] = { "-c 0", "-i x", "--format jsn", "--show head,tail", "--rate 1",
		"-s 64KiB" };

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		parse(lines[i]);
		assert_int_equal(r.operands, -1);
		assert_memory_equal(&r.cfg, &defaults, sizeof(defaults));
		release();
	}
}

static void the_limits_themselves_are_taken(void **state)
{
	(void)state;
	parse("-c1000 -i 1ms -s 65507 --rate 100G");
	assert_int_equal(r.operands, 0);
	assert_int_equal(r.cfg.count, 1000);
	release();
	parse("-c1 -i 1h -s 0 --rate 1k");
	assert_int_equal(r.operands, 0);
	assert_int_equal(r.cfg.count, 1);
	release();
}

static void help_is_aligned_over_all_tables(void **state)
{
	char buffer[2048];
	struct text t;

	(void)state;
	text_init(&t, buffer, sizeof(buffer));
	opt_help(&t, tables);
	assert_string_equal(buffer, "Output:\n"
				    "  -q, --quiet          only the summary\n"
				    "  -v, --verbose        more lines\n"
				    "  -4, --ipv4           IPv4 only\n"
				    "  -6, --ipv6           IPv6 only\n"
				    "      --format F       text, json or ndjson (text)\n"
				    "\n"
				    "Probes:\n"
				    "  -c, --count N        stop after N probes\n"
				    "  -i, --interval TIME  between probes (1s)\n"
				    "  -s, --size SIZE      bytes in a probe (56)\n"
				    "      --rate RATE      no faster than\n"
				    "      --big N          without an end\n"
				    "  -n, --name TEXT      a name\n"
				    "      --show WHAT      head,body,time\n"
				    "  -H, --header LINE    one more line\n");
}

static void an_option_too_wide_for_the_column_has_its_help_below(void **state)
{
	static const struct opt rows[] = {
		{ 'a', OPT_FLAG, 0, "all", NULL, "everything", 0, 0, NULL },
		{ 0, OPT_STRING, 0, "resolve", "HOST:PORT:ADDRESS[,..]", "go there instead", 0, 0, NULL },
		{ 'w', OPT_STRING, 0, "exactly-thirty", "1234567", "the last that fits", 0, 0, NULL },
		{ 'x', OPT_STRING, 0, "exactly-thirty", "12345678", "does not fit", 0, 0, NULL },
	};
	static const struct opt_table table[] = { { "T", rows, COUNT(rows) }, { NULL, NULL, 0 } };
	static const struct opt_table narrow[] = { { "T", rows, 1 }, { NULL, NULL, 0 } };
	char buffer[512];
	struct text t;

	(void)state;
	text_init(&t, buffer, sizeof(buffer));
	opt_help(&t, table);
	assert_string_equal(buffer, "T:\n"
				    "  -a, --all                     everything\n"
				    "      --resolve HOST:PORT:ADDRESS[,..]\n"
				    "                                go there instead\n"
				    "  -w, --exactly-thirty 1234567  the last that fits\n"
				    "  -x, --exactly-thirty 12345678\n"
				    "                                does not fit\n");
	text_init(&t, buffer, sizeof(buffer));
	opt_help(&t, narrow);
	assert_string_equal(buffer, "T:\n  -a, --all  everything\n");
}

static const char *near(const char *s, const char *const *words)
{
	const char *found = opt_nearest(s, words);

	return found ? found : "(none)";
}

static void the_nearest_word_is_within_two_edits(void **state)
{
	static const char *const words[] = { "pong", "ping", "trace", "tls", "tcp", "http", "help", "version", "ip",
		NULL };
	static const char *const cases[][2] = { { "ping", "ping" }, { "pnig", "ping" }, { "pin", "ping" },
		{ "pingg", "ping" }, { "oing", "ping" }, { "pring", "ping" }, { "ipp", "ip" }, { "tpc", "tcp" },
		{ "tsl", "tls" }, { "traec", "trace" }, { "rtaec", "trace" }, { "tracert", "trace" },
		{ "tracerts", "(none)" }, { "vrsn", "(none)" }, { "vrsion", "version" }, { "vrson", "version" },
		{ "htttpp", "http" }, { "hlp", "help" }, { "", "(none)" }, { "p", "(none)" }, { "xx", "(none)" },
		{ "tc", "tcp" }, { "PING", "(none)" }, { "gnip", "ip" }, { "ehlp", "help" } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (strcmp(near(cases[i][0], words), cases[i][1]) != 0)
			fail_msg("%s: %s", cases[i][0], near(cases[i][0], words));
	}
	assert_null(opt_nearest("ping", words + 9));
}

/* The textbook's table (Damerau, adjacent swaps), for words of up to 7 letters. */
static unsigned distance(const char *a, const char *b)
{
	unsigned d[9][9];
	size_t n = strlen(a), m = strlen(b);

	for (size_t i = 0; i <= n; i++) {
		for (size_t j = 0; j <= m; j++) {
			if (i == 0 || j == 0) {
				d[i][j] = (unsigned)(i + j);
				continue;
			}
			unsigned best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			best = d[i - 1][j] + 1 < best ? d[i - 1][j] + 1 : best;
			best = d[i][j - 1] + 1 < best ? d[i][j - 1] + 1 : best;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
				d[i - 2][j - 2] + 1 < best)
				best = d[i - 2][j - 2] + 1;
			d[i][j] = best;
		}
	}
	return d[n][m];
}

static void nearness_agrees_with_the_textbook(void **state)
{
	uint32_t x = 2463534242u;

	(void)state;
	for (size_t i = 0; i < 20000; i++) {
		char w[2][8] = { "", "" };
		const char *words[] = { w[1], NULL };

		for (size_t k = 0; k < 2; k++) {
			x = x * 1664525u + 1013904223u;
			for (size_t at = 0, n = 3 + (x >> 28) % 5; at < n; at++) {
				x = x * 1664525u + 1013904223u;
				w[k][at] = "abc"[(x >> 20) % 3];
			}
		}
		assert_int_equal(opt_nearest(w[0], words) != NULL, distance(w[0], w[1]) <= 2);
	}
}

static void each_word_must_be_nearer_than_the_last(void **state)
{
	unsigned least = OPT_FAR;

	(void)state;
	assert_false(opt_nearer(SLICE("ping"), "trace", &least));
	assert_int_equal(least, OPT_FAR);
	assert_true(opt_nearer(SLICE("ping"), "pnng", &least));
	assert_int_equal(least, 1);
	assert_false(opt_nearer(SLICE("ping"), "pong", &least));
	assert_true(opt_nearer(slice_head(SLICE("ping=5"), 4), "ping", &least));
	assert_int_equal(least, 0);
	least = OPT_FAR;
	assert_false(opt_nearer(SLICE("abcdefghijklmnopqrstuvwxyzabcdef"), "abcdefghijklmnopqrstuvwxyzabcde", &least));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_given_leaves_the_defaults),
		cmocka_unit_test(every_spelling_of_a_value_means_the_same),
		cmocka_unit_test(flags_run_together_and_a_shared_field_takes_the_last),
		cmocka_unit_test(operands_are_gathered_from_between_the_options),
		cmocka_unit_test(options_behind_operands_count_and_behind_two_dashes_do_not),
		cmocka_unit_test(each_kind_is_read_in_its_own_unit),
		cmocka_unit_test(a_value_may_look_like_an_option),
		cmocka_unit_test(text_may_be_empty),
		cmocka_unit_test(of_two_choices_the_later_holds),
		cmocka_unit_test(a_set_collects_words_from_one_value_and_from_several),
		cmocka_unit_test(a_list_keeps_the_order_up_to_its_end),
		cmocka_unit_test(a_mistake_is_named_with_its_remedy),
		cmocka_unit_test(a_refused_value_leaves_the_default),
		cmocka_unit_test(the_limits_themselves_are_taken),
		cmocka_unit_test(help_is_aligned_over_all_tables),
		cmocka_unit_test(an_option_too_wide_for_the_column_has_its_help_below),
		cmocka_unit_test(the_nearest_word_is_within_two_edits),
		cmocka_unit_test(each_word_must_be_nearer_than_the_last),
		cmocka_unit_test(nearness_agrees_with_the_textbook),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
