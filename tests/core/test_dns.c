/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include <stdio.h>

#include "core/dns.h"
#include "core/text_put.h"
#include "rng.h"

enum { A = 1, NS = 2, CNAME = 5, PTR = 12, AAAA = 28 };
enum { ID = 0xbeef, QUESTION_AT = 12 };

/* A response under construction. */
struct message {
	uint8_t p[2048];
	size_t n;
};

static struct dns_query query;
static struct dns_list found;

static void put(struct message *m, const void *p, size_t n)
{
	assert_true(m->n + n <= sizeof(m->p));
	memcpy(m->p + m->n, p, n);
	m->n += n;
}

static void put16(struct message *m, unsigned v)
{
	put(m, (uint8_t[]){ (uint8_t)(v >> 8), (uint8_t)v }, 2);
}

/* `a.b` in labels; `a.b@12` ends in a pointer to offset 12, and `@12` is nothing else. */
static void put_name(struct message *m, const char *s)
{
	while (*s && *s != '@') {
		size_t n = strcspn(s, ".@");

		put(m, (uint8_t[]){ (uint8_t)n }, 1);
		put(m, s, n);
		s += n + (s[n] == '.');
	}
	if (*s == '@')
		put16(m, 0xc000u | (unsigned)atoi(s + 1));
	else
		put(m, "", 1);
}

/* RDATA is a dotted quad, an IPv6 address, or a name, as the type has it. Return: where it begins. */
static size_t put_record(struct message *m, const char *owner, unsigned type, const char *data)
{
	struct message inner = { .n = 0 };
	struct addr a;

	put_name(m, owner);
	put16(m, type);
	put16(m, 1);
	put(m, "\0\1\2\3", 4);
	if (type == CNAME || type == NS || type == PTR)
		put_name(&inner, data);
	else if (addr_parse(slice_of(data), &a))
		put(&inner, a.ip, a.family == 4 ? 4 : 16);
	else
		put(&inner, data, strlen(data));
	put16(m, (unsigned)inner.n);
	put(m, inner.p, inner.n);
	m->p[7]++;
	return m->n - inner.n;
}

/* The answer to `query` without records; flags as in a good one. */
static struct message respond(void)
{
	struct message m = { .n = 0 };

	memset(&found, 0xff, sizeof(found));
	found.n = 0;
	put(&m, query.p, query.n);
	m.p[2] = 0x81;
	m.p[3] = 0x80;
	return m;
}

static struct message begin(const char *name, int family)
{
	assert_true(dns_query_init(&query, slice_of(name), family, ID));
	return respond();
}

/* The records of an answer about 192.0.2.1 begin at 40. */
static struct message begin_back(const char *addr)
{
	struct guard g = guard_of(&query, sizeof(query));
	struct addr a;

	assert_true(addr_parse(slice_of(addr), &a));
	dns_query_back((struct dns_query *)(void *)g.p, &a, ID);
	memcpy(&query, g.p, sizeof(query));
	guard_free(&g);
	return respond();
}

static enum dns_reply parse(const struct message *m, size_t n)
{
	struct guard g = guard_of(m->p, n);
	enum dns_reply reply = dns_parse(&query, (const uint8_t *)g.p, g.n, &found);

	guard_free(&g);
	return reply;
}

static const char *shown(void)
{
	static char buf[1024];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	for (size_t i = 0; i < found.n; i++) {
		assert_int_equal(found.v[i].port, 0);
		text_str(&t, i > 0 ? " " : "");
		addr_put(&t, &found.v[i]);
	}
	return buf;
}

static void a_query_is_as_rfc_1035_has_it(void **state)
{
	static const uint8_t expected[] = "\xbe\xef\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
					  "\x03www\x07" "Example\x03org\x00\x00\x01\x00\x01";
	size_t n = sizeof(expected) - 1;
	struct dns_query q;

	(void)state;
	assert_true(dns_query_init(&q, SLICE("www.Example.org"), 4, ID));
	assert_int_equal(q.n, n);
	assert_memory_equal(q.p, expected, n);
	assert_true(dns_query_init(&q, SLICE("www.Example.org."), 6, ID));
	assert_int_equal(q.n, n);
	assert_memory_equal(q.p, expected, n - 3);
	assert_int_equal(q.p[n - 3], AAAA);
	assert_memory_equal(q.p + n - 2, expected + n - 2, 2);
}

/* @labels of @len bytes, and a last one of @last where that is not 0. */
static struct slice long_name(size_t labels, size_t len, size_t last, const char *end)
{
	static char buf[600];
	size_t n = 0;

	for (size_t i = 0; i < labels + (last > 0); i++) {
		size_t size = i < labels ? len : last;

		if (i > 0)
			buf[n++] = '.';
		memset(buf + n, 'x', size);
		n += size;
	}
	memcpy(buf + n, end, strlen(end));
	return (struct slice){ buf, n + strlen(end) };
}

static bool is_name(struct slice s)
{
	struct guard g = guard_of(s.p, s.n);
	struct guard q = guard_of(&query, sizeof(query));
	bool ok = dns_query_init((struct dns_query *)(void *)q.p, (struct slice){ g.p, g.n }, 4, 1);

	guard_free(&g);
	guard_free(&q);
	return ok;
}

static void a_name_is_labels_of_1_to_63_bytes_and_253_in_all(void **state)
{
	static const char *const good[] = { "a", "a.", "a.b", "a.b.", "-", "_x._y", "1.2.3", "xn--bcher-kva.example" };
	static const char *const bad[] = { "", ".", "..", ".a", "a..", "a..b", "a.b..", ".a.b" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!is_name(slice_of(good[i])))
			fail_msg("'%s' is refused", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (is_name(slice_of(bad[i])))
			fail_msg("'%s' is taken", bad[i]);
	assert_true(is_name(long_name(1, 63, 0, "")));
	assert_false(is_name(long_name(1, 64, 0, "")));
	assert_false(is_name(long_name(1, 64, 1, "")));
	assert_false(is_name(long_name(1, 3, 64, "")));
	assert_true(is_name(long_name(3, 63, 61, "")));
	assert_true(is_name(long_name(3, 63, 61, ".")));
	assert_false(is_name(long_name(3, 63, 62, "")));
	assert_false(is_name(long_name(3, 63, 61, "..")));
	assert_true(is_name(long_name(127, 1, 0, "")));
	assert_false(is_name(long_name(128, 1, 0, "")));
	assert_false(is_name(long_name(4, 63, 60, "")));
}

static void addresses_of_the_asked_name_and_family_are_found(void **state)
{
	static const struct {
		const char *name;
		int family;
		struct {
			const char *owner;
			unsigned type;
			const char *data;
		} records[5];
		const char *found;
	} rows[] = {
		{ "a.test", 4, { { "@12", A, "192.0.2.1" } }, "192.0.2.1" },
		{ "a.test", 6, { { "@12", AAAA, "2001:db8::1" } }, "2001:db8::1" },
		{ "a.test.", 4, { { "@12", A, "192.0.2.1" }, { "@12", A, "192.0.2.2" } }, "192.0.2.1 192.0.2.2" },
		{ "a.test", 4, { { "a.test", A, "192.0.2.1" } }, "192.0.2.1" },
		{ "a.test", 4, { { "A.tEST", A, "192.0.2.1" } }, "192.0.2.1" },
		{ "a.test", 4, { { "a@14", A, "192.0.2.1" } }, "192.0.2.1" },
		{ "a.test", 4, { { "b@14", A, "192.0.2.1" } }, "" },
		{ "a.test", 4, { { "test", A, "192.0.2.1" } }, "" },
		{ "a.test", 4, { { "a.test.x", A, "192.0.2.1" } }, "" },
		{ "a.test", 4, { { "@12", AAAA, "2001:db8::1" }, { "@12", NS, "ns.test" } }, "" },
		{ "a.test", 4, { { "@12", A, "2001:db8::1" } }, "" },
		{ "a.test", 6, { { "@12", AAAA, "192.0.2.1" }, { "@12", A, "192.0.2.1" } }, "" },
		{ "a.test", 4, { { "@12", A, "abc" }, { "@12", A, "abcde" }, { "@12", A, "" } }, "" },
		{ "a.test", 4, { { "", 0, "" } }, "" },
		/* aliases, in order and not, and one that leads elsewhere */
		{ "a.test", 4, { { "@12", CNAME, "b.test" }, { "b.test", A, "192.0.2.1" } }, "192.0.2.1" },
		{ "a.test", 4, { { "b.test", A, "192.0.2.1" }, { "@12", CNAME, "B.TEST" } }, "192.0.2.1" },
		{ "a.test", 4, { { "@12", CNAME, "b@14" }, { "b@14", CNAME, "c.d" }, { "c.d", A, "192.0.2.1" } },
			"192.0.2.1" },
		{ "a.test", 6, { { "c.d", AAAA, "::2" }, { "b.test", CNAME, "c.d" }, { "@12", CNAME, "b.test" } },
			"::2" },
		{ "a.test", 4, { { "b@14", A, "192.0.2.5" }, { "@24", A, "192.0.2.6" }, { "@12", CNAME, "@24" } },
			"192.0.2.5 192.0.2.6" }, /* a pointer to a pointer */
		{ "a.test", 4, { { "@12", CNAME, "b.test" }, { "c.test", A, "192.0.2.1" } }, "" },
		{ "a.test", 4, { { "@12", A, "192.0.2.1" }, { "@12", CNAME, "b.test" } }, "" },
		{ "a.test", 4, { { "@12", CNAME, "b.test" }, { "@12", A, "192.0.2.9" }, { "b.test", A, "192.0.2.1" } },
			"192.0.2.1" },
		{ "a.test", 4, { { "x.test", CNAME, "y.test" }, { "@12", A, "192.0.2.1" } }, "192.0.2.1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct message m = begin(rows[i].name, rows[i].family);

		for (size_t k = 0; k < 5 && rows[i].records[k].type != 0; k++)
			put_record(&m, rows[i].records[k].owner, rows[i].records[k].type, rows[i].records[k].data);
		if (parse(&m, m.n) != DNS_ANSWER || strcmp(shown(), rows[i].found) != 0)
			fail_msg("row %zu: '%s' instead of '%s'", i, shown(), rows[i].found);
	}
}

static void another_class_is_passed_over(void **state)
{
	struct message m = begin("a.test", 4);
	size_t at = put_record(&m, "@12", A, "192.0.2.1");

	(void)state;
	m.p[at - 7] = 3;
	assert_int_equal(parse(&m, m.n), DNS_ANSWER);
	assert_int_equal(found.n, 0);
}

static void what_is_no_response_to_this_query_is_told_from_one(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		enum dns_reply reply;
	} rows[] = {
		{ 3, 0x80, DNS_ANSWER },
		{ 2, 0x85, DNS_ANSWER }, /* from the authority itself */
		{ 2, 0x80, DNS_ANSWER },
		{ 13, 'A', DNS_ANSWER }, /* case of the question does not matter */
		{ 3, 0x83, DNS_NO_NAME },
		{ 3, 0x82, DNS_FAILED },
		{ 3, 0x81, DNS_FAILED },
		{ 3, 0x85, DNS_FAILED },
		{ 3, 0x8b, DNS_FAILED },
		{ 0, 0xbf, DNS_NOT_OURS },
		{ 1, 0xee, DNS_NOT_OURS },
		{ 2, 0x01, DNS_NOT_OURS }, /* a query */
		{ 2, 0xa1, DNS_NOT_OURS }, /* another opcode */
		{ 4, 1, DNS_NOT_OURS },
		{ 5, 0, DNS_NOT_OURS },
		{ 5, 2, DNS_NOT_OURS },
		{ 13, 'b', DNS_NOT_OURS },
		{ 12, 2, DNS_NOT_OURS },
		{ 21, AAAA, DNS_NOT_OURS },
		{ 23, 3, DNS_NOT_OURS },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct message m = begin("a.test", 4);

		put_record(&m, "@12", A, "192.0.2.1");
		m.p[rows[i].at] = rows[i].value;
		if (parse(&m, m.n) != rows[i].reply)
			fail_msg("row %zu", i);
		assert_int_equal(found.n, rows[i].reply == DNS_ANSWER);
	}
}

static struct message chain_of(size_t aliases)
{
	struct message m = begin("n0", 4);

	for (size_t i = 0; i < aliases; i++) {
		char from[24], to[24];

		snprintf(from, sizeof(from), "n%zu", i);
		snprintf(to, sizeof(to), "n%zu", i + 1);
		put_record(&m, from, CNAME, to);
		if (i + 1 == aliases)
			put_record(&m, to, A, "192.0.2.1");
	}
	return m;
}

static void a_circle_of_aliases_ends(void **state)
{
	struct message m = begin("a.test", 4);

	(void)state;
	put_record(&m, "@12", CNAME, "b.test");
	put_record(&m, "b.test", A, "192.0.2.1");
	put_record(&m, "b.test", CNAME, "@12");
	assert_int_equal(parse(&m, m.n), DNS_FAILED);
	assert_int_equal(found.n, 0);
	m.p[2] |= 2;
	assert_int_equal(parse(&m, m.n), DNS_FAILED);
	m = begin("a.test", 4);
	put_record(&m, "@12", CNAME, "@12");
	assert_int_equal(parse(&m, m.n), DNS_FAILED);
	m = chain_of(16);
	assert_int_equal(parse(&m, m.n), DNS_ANSWER);
	assert_string_equal(shown(), "192.0.2.1");
	m = chain_of(17);
	assert_int_equal(parse(&m, m.n), DNS_FAILED);
}

static void a_truncated_answer_keeps_what_is_whole(void **state)
{
	struct message m = begin("a.test", 4);

	(void)state;
	m.p[2] |= 2;
	assert_int_equal(parse(&m, m.n), DNS_TRUNCATED);
	assert_int_equal(found.n, 0);
	put_record(&m, "@12", A, "192.0.2.1");
	size_t whole = m.n;

	put_record(&m, "@12", A, "192.0.2.2");
	for (size_t n = whole; n <= m.n; n++) {
		found.n = 0;
		assert_int_equal(parse(&m, n), DNS_TRUNCATED);
		assert_string_equal(shown(), n == m.n ? "192.0.2.1 192.0.2.2" : "192.0.2.1");
	}
	m.p[2] &= 0xfd;
	found.n = 0;
	assert_int_equal(parse(&m, whole), DNS_NOT_OURS);
}

static void every_cut_of_a_response_is_broken_and_adds_nothing(void **state)
{
	struct message m = begin("www.a.test", 6);

	(void)state;
	put_record(&m, "@12", CNAME, "b@16");
	put_record(&m, "b@16", AAAA, "2001:db8::1");
	put_record(&m, "b.a.test", AAAA, "2001:db8::2");
	for (size_t n = 0; n < m.n; n++) {
		found.n = 3;
		if (parse(&m, n) != DNS_NOT_OURS || found.n != 3)
			fail_msg("cut to %zu of %zu bytes", n, m.n);
	}
	found.n = 0;
	assert_int_equal(parse(&m, m.n), DNS_ANSWER);
	assert_string_equal(shown(), "2001:db8::1 2001:db8::2");
}

static void no_more_is_added_than_the_list_holds(void **state)
{
	struct message m = begin("a.test", 4);

	(void)state;
	for (size_t i = 0; i < 30; i++)
		put_record(&m, "@12", A, "192.0.2.1");
	assert_int_equal(parse(&m, m.n), DNS_ANSWER);
	assert_int_equal(found.n, DNS_ANSWER_MAX);
	assert_int_equal(parse(&m, m.n), DNS_ANSWER);
	assert_int_equal(found.n, 2 * DNS_ANSWER_MAX);
}

/* A good record behind the bad name: whoever passes over the bad one finds it. */
static enum dns_reply with_owner(const char *bytes, size_t n)
{
	struct message m = begin("a.test", 4);
	struct message good = { .n = 0 };

	put(&m, bytes, n);
	put(&m, "\0\1\0\1\0\0\0\0\0\4\1\2\3\4", 14);
	put_record(&good, "@12", A, "192.0.2.1");
	put(&m, good.p, good.n);
	memset(m.p + m.n, 0, 200); /* enough for any label */
	m.n += 200;
	m.p[7] = 2;
	return parse(&m, m.n);
}

static void a_name_that_leads_astray_breaks_the_response(void **state)
{
	/* The question is at 12 and the records begin at 24. */
	static const struct {
		const char *bytes;
		size_t n;
	} rows[] = {
		{ "\xc0\x18", 2 },               /* to itself */
		{ "\1x\xc0\x18", 4 },            /* to its own beginning */
		{ "\1x\xc0\x1a", 4 },            /* to the pointer */
		{ "\xc0\x1a", 2 },               /* to behind itself */
		{ "\xc0\x30", 2 },               /* forward */
		{ "\xff\xff", 2 },               /* out of the message */
		{ "\x40", 1 }, { "\x80", 1 },    /* kinds of labels that nobody uses */
	};
	static const uint8_t big[] = { 63, [64] = 63, [128] = 63, [192] = 63, [256] = 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (with_owner(rows[i].bytes, rows[i].n) != DNS_NOT_OURS || found.n != 0)
			fail_msg("row %zu", i);
	assert_int_equal(with_owner((const char *)big, 257), DNS_NOT_OURS);
	assert_int_equal(with_owner("\xc0\x0e", 2), DNS_ANSWER);
	assert_string_equal(shown(), "192.0.2.1");
}

static void two_pointers_to_each_other_break_the_response(void **state)
{
	struct message m = begin("a.test", 4);
	size_t at = put_record(&m, "x", CNAME, "@12");

	(void)state;
	put_record(&m, "@12", CNAME, "y@37"); /* the data of the record before */
	assert_int_equal(at, 37);
	m.p[38] = 51; /* which leads to the data of this one */
	assert_int_equal(parse(&m, m.n), DNS_NOT_OURS);
}

static void an_alias_longer_than_its_record_breaks_the_response(void **state)
{
	struct message m = begin("a.test", 4);
	size_t at = put_record(&m, "@12", CNAME, "b.test");

	(void)state;
	put_record(&m, "b.test", A, "192.0.2.1");
	assert_int_equal(parse(&m, m.n), DNS_ANSWER);
	m.p[at] = 9;
	found.n = 0;
	assert_int_equal(parse(&m, m.n), DNS_NOT_OURS);
}

static uint32_t seed = 1;

static uint32_t dice(uint32_t sides)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % sides;
}

/* Bytes that matter in a name come up more often than chance has it. */
static uint8_t spoil(void)
{
	static const uint8_t likely[] = { 0, 1, 2, 5, 12, 28, 63, 64, 0xc0, 0xc1, 0xff };

	return dice(2) ? likely[dice(sizeof(likely))] : (uint8_t)dice(256);
}

static void random_changes_never_read_too_far_nor_go_on_for_ever(void **state)
{
	struct message m = begin("www.a.test", 4);
	struct guard g;
	size_t answers = 0;

	(void)state;
	put_record(&m, "@12", CNAME, "b@16");
	put_record(&m, "b@16", CNAME, "c@16");
	put_record(&m, "c@16", A, "192.0.2.1");
	put_record(&m, "c@16", A, "192.0.2.2");
	g = guard_of(m.p, m.n);
	for (size_t i = 0; i < 100000; i++) {
		size_t n = dice(3) ? m.n : query.n + dice((uint32_t)(m.n - query.n));
		uint8_t *p = (uint8_t *)g.p + g.n - n;

		memcpy(p, m.p, n);
		for (uint32_t left = 1 + dice(6); left > 0; left--)
			p[dice((uint32_t)n)] = spoil();
		memcpy(p, m.p, 2);
		memcpy(p + QUESTION_AT, m.p + QUESTION_AT, query.n - QUESTION_AT);
		found.n = dice(2) * DNS_ANSWER_MAX;
		size_t before = found.n;
		enum dns_reply reply = dns_parse(&query, p, n, &found);

		assert_true(found.n >= before && found.n <= before + DNS_ANSWER_MAX);
		assert_true(found.n == before || reply == DNS_ANSWER || reply == DNS_TRUNCATED);
		answers += reply == DNS_ANSWER;
	}
	guard_free(&g);
	assert_in_range(answers, 1000, 90000);
}

static void a_question_back_is_as_rfc_1035_and_3596_have_it(void **state)
{
	static const uint8_t v4[] = "\xbe\xef\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
				    "\x01" "9\x03" "255\x01" "0\x03" "203\x07in-addr\x04" "arpa\x00\x00\x0c\x00\x01";
	static const uint8_t v6[] = "\1" "1\1" "0\1" "f\1" "e\1" "0\1" "0\1" "0\1" "0\1" "0\1" "0\1" "0\1" "0"
				    "\1" "0\1" "0\1" "0\1" "0\1" "0\1" "0\1" "0\1" "0\1" "0\1" "0\1" "c\1" "a\1" "8"
				    "\1" "b\1" "d\1" "0\1" "1\1" "0\1" "0\1" "2\3" "ip6\4" "arpa\0\0\x0c\0\1";

	(void)state;
	begin_back("203.0.255.9");
	assert_int_equal(query.n, sizeof(v4) - 1);
	assert_memory_equal(query.p, v4, sizeof(v4) - 1);
	begin_back("2001:db8:ac00::ef01");
	assert_int_equal(query.n, QUESTION_AT + sizeof(v6) - 1);
	assert_memory_equal(query.p + QUESTION_AT, v6, sizeof(v6) - 1);
	begin_back("255.255.255.255");
	assert_int_equal(query.n, QUESTION_AT + 30 + 4);
}

static void the_name_of_an_address_is_found(void **state)
{
	static const struct {
		struct {
			const char *owner;
			unsigned type;
			const char *data;
		} records[4];
		const char *name; /* "" for none */
	} rows[] = {
		{ { { "@12", PTR, "a.test" } }, "a.test" },
		{ { { "@12", PTR, "A.Test" } }, "A.Test" },
		{ { { "@12", PTR, "a.test" }, { "@12", PTR, "b.test" } }, "a.test" },
		{ { { "1.2.0.192.IN-ADDR.arpa", PTR, "a.test" } }, "a.test" },
		{ { { "2.2.0.192.in-addr.arpa", PTR, "a.test" } }, "" },
		{ { { "@12", PTR, "x@12" } }, "x.1.2.0.192.in-addr.arpa" },
		{ { { "@12", PTR, "" } }, "" }, /* the root */
		{ { { "@12", PTR, "" }, { "@12", PTR, "b.test" } }, "b.test" },
		{ { { "@12", A, "192.0.2.9" }, { "@12", NS, "ns.test" } }, "" },
		{ { { "@12", AAAA, "2001:db8::1" } }, "" },
		/* RFC 2317: a part of a network is named elsewhere */
		{ { { "@12", CNAME, "1.0/25@14" }, { "1.0/25@14", PTR, "a.test" } }, "a.test" },
		{ { { "1.0/25@14", PTR, "a.test" }, { "@12", CNAME, "1.0/25@14" } }, "a.test" },
		{ { { "@12", PTR, "b.test" }, { "@12", CNAME, "x.test" }, { "x.test", PTR, "a.test" } }, "a.test" },
		{ { { "@12", CNAME, "x.test" }, { "y.test", PTR, "a.test" } }, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct message m = begin_back("192.0.2.1");

		for (size_t k = 0; k < 4 && rows[i].records[k].type != 0; k++)
			put_record(&m, rows[i].records[k].owner, rows[i].records[k].type, rows[i].records[k].data);
		assert_int_equal(parse(&m, m.n), DNS_ANSWER);
		assert_int_equal(found.n, rows[i].name[0] != '\0');
		if (found.n > 0)
			assert_string_equal(found.name, rows[i].name);
	}
	struct message m = begin_back("2001:db8::1");

	put_record(&m, "@12", PTR, "six.test");
	assert_int_equal(parse(&m, m.n), DNS_ANSWER);
	assert_string_equal(found.name, "six.test");
}

/* An answer whose only record is a PTR with this data. */
static struct message answer_back(const void *data, size_t n)
{
	struct message m = begin_back("192.0.2.1");

	put_record(&m, "@12", PTR, "");
	m.n -= 3;
	put16(&m, (unsigned)n);
	put(&m, data, n);
	return m;
}

static void no_byte_of_a_hostile_name_is_taken_for_another(void **state)
{
	static const struct {
		const char *data;
		size_t n;
		const char *name;
	} rows[] = {
		{ "\4a.bc\4test", 11, "a\\.bc.test" },
		{ "\1.\1.", 5, "\\..\\." },
		{ "\4evil\0", 6, "evil" },
		{ "\5a\0b\0c\4test", 12, "a\\000b\\000c.test" },
		{ "\5a\\000\4test", 12, "a\\\\000.test" },
		{ "\3\x1b[m\2\r\n\1\x7f", 10, "\\027[m.\\013\\010.\\127" },
		{ "\3a b\2\t ", 8, "a\\032b.\\009\\032" },
		{ "\4\"\'<&\1@\2()", 11, "\"\'<&.@.()" },
		{ "\7b\303\274cher\4test", 14, "b\303\274cher.test" },
		{ "\3\377\300\200\1\232", 7, "\377\300\200.\232" },
		{ "\1!\1~", 5, "!.~" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct message m = answer_back(rows[i].data, rows[i].n);

		if (parse(&m, m.n) != DNS_ANSWER || found.n != 1 || strcmp(found.name, rows[i].name) != 0)
			fail_msg("row %zu: %zu '%s'", i, found.n, found.name);
	}
}

/* @labels of @len times @c; their text is as long as the escapes make it. */
static struct message answer_of(size_t labels, size_t len, char c, size_t last)
{
	uint8_t data[300];
	size_t n = 0;

	for (size_t i = 0; i < labels + (last > 0); i++) {
		size_t size = i < labels ? len : last;

		data[n++] = (uint8_t)size;
		memset(data + n, c, size);
		n += size;
	}
	data[n++] = 0;
	return answer_back(data, n);
}

static void a_name_too_long_to_be_written_is_none(void **state)
{
	static const struct {
		size_t labels, len;
		char c;
		size_t last;
		size_t written; /* 0 for none */
	} rows[] = {
		{ 3, 63, 'x', 61, 253 },
		{ 127, 1, 'x', 0, 253 },
		{ 1, 63, '\0', 0, 252 },
		{ 1, 63, '\0', 1, 0 },
		{ 2, 63, '.', 0, 253 },
		{ 2, 63, '.', 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct message m = answer_of(rows[i].labels, rows[i].len, rows[i].c, rows[i].last);

		assert_int_equal(parse(&m, m.n), DNS_ANSWER);
		assert_int_equal(found.n, rows[i].written > 0);
		if (found.n > 0)
			assert_int_equal(strlen(found.name), rows[i].written);
	}
	struct message m = answer_of(3, 63, 'x', 62); /* 256 bytes: no name at all */

	assert_int_equal(parse(&m, m.n), DNS_NOT_OURS);
	assert_int_equal(found.n, 0);
}

static void the_name_of_an_address_that_leads_astray_breaks_the_response(void **state)
{
	/* The record begins at 40, its data at 52. */
	static const struct {
		const char *data;
		size_t n;
		enum dns_reply reply;
	} rows[] = {
		{ "\300\064", 2, DNS_NOT_OURS },            /* to itself */
		{ "\1x\300\064", 4, DNS_NOT_OURS },         /* to its own beginning */
		{ "\1x\300\066", 4, DNS_NOT_OURS },         /* to the pointer */
		{ "\300\070", 2, DNS_NOT_OURS },            /* forward */
		{ "\377\377", 2, DNS_NOT_OURS },            /* out of the message */
		{ "\300", 1, DNS_NOT_OURS },                /* half a pointer */
		{ "\3ab", 3, DNS_NOT_OURS },                /* a label longer than the record */
		{ "\2ab", 3, DNS_NOT_OURS },                /* no end */
		{ "", 0, DNS_NOT_OURS },
		{ "\100", 1, DNS_NOT_OURS }, { "\200", 1, DNS_NOT_OURS },
		{ "\1x\300\050", 4, DNS_ANSWER },           /* to the owner, which is a pointer to the question */
		{ "\2ab\0more", 8, DNS_ANSWER },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct message m = answer_back(rows[i].data, rows[i].n);

		if (parse(&m, m.n) != rows[i].reply || found.n != (rows[i].reply == DNS_ANSWER))
			fail_msg("row %zu", i);
	}
}

static void random_answers_about_an_address_are_text_or_nothing(void **state)
{
	struct message m = begin_back("192.0.2.1");
	struct rng rng = rng_of(3);
	struct guard g, list;
	size_t names = 0;

	(void)state;
	put_record(&m, "@12", CNAME, "x@14");
	put_record(&m, "x@14", PTR, "a.b\\c@12");
	put_record(&m, "@12", PTR, "second.test");
	g = guard_of(m.p, m.n);
	list = guard_of(&found, sizeof(found));
	struct dns_list *to = (struct dns_list *)(void *)list.p;

	for (size_t i = 0; i < 60000; i++) {
		size_t n = rng_below(&rng, 3) ? m.n : query.n + 1 + rng_below(&rng, m.n - query.n);
		uint8_t *p = (uint8_t *)g.p + g.n - n;

		memcpy(p, m.p, n);
		for (uint64_t left = 1 + rng_below(&rng, 6); left > 0; left--)
			p[query.n + rng_below(&rng, n - query.n)] = spoil();
		memcpy(p, m.p, query.n);
		to->n = 0;
		enum dns_reply reply = dns_parse(&query, p, n, to);

		assert_true(to->n <= (reply == DNS_ANSWER || reply == DNS_TRUNCATED));
		if (to->n == 0)
			continue;
		names++;
		size_t len = strnlen(to->name, sizeof(to->name));

		assert_in_range(len, 1, sizeof(to->name) - 1);
		for (size_t k = 0; k < len; k++)
			assert_true((uint8_t)to->name[k] > ' ' && to->name[k] != 0x7f);
	}
	guard_free(&list);
	guard_free(&g);
	assert_in_range(names, 1000, 59000);
}

static const char *hosts(const char *text, const char *name, int family)
{
	struct guard g = guard_of(text, strlen(text));
	struct guard h = guard_of(name, strlen(name));

	memset(&found, 0, sizeof(found));
	dns_hosts((struct slice){ g.p, g.n }, (struct slice){ h.p, h.n }, family, &found);
	guard_free(&g);
	guard_free(&h);
	return shown();
}

static const char *hosts_back(const char *text, const char *addr, uint32_t scope)
{
	static char buf[DNS_TEXT_MAX];
	struct guard g = guard_of(text, strlen(text));
	struct addr a;
	struct text t;

	assert_true(addr_parse(slice_of(addr), &a));
	a.scope = scope;
	a.port = 80;
	text_init(&t, buf, sizeof(buf));
	text_slice(&t, dns_hosts_back((struct slice){ g.p, g.n }, &a));
	assert_false(t.cut);
	guard_free(&g);
	return buf;
}

static void a_name_is_looked_up_in_the_text_of_hosts(void **state)
{
	static const char text[] = "# 192.0.2.9 commented\n"
				   "192.0.2.1 one\n"
				   "  192.0.2.2\tTwo.Example  two deux# zwei\r\n"
				   "2001:db8::2 two\n"
				   "\n"
				   "192.0.2.3\n"
				   "nonsense one\n"
				   "1.2.3 one\n"
				   "fe80::1%eth0 one\n"
				   "192.0.2.6 localhost\n"
				   "192.0.2.7 crlf\r\n"
				   "192.0.2.5 last";
	static const struct {
		const char *name;
		int family;
		const char *found;
	} rows[] = {
		{ "one", 0, "192.0.2.1" },
		{ "ONE", 0, "192.0.2.1" },
		{ "one.", 0, "192.0.2.1" },
		{ "one..", 0, "" },
		{ "on", 0, "" },
		{ "onee", 0, "" },
		{ "two.example", 0, "192.0.2.2" },
		{ "deux", 4, "192.0.2.2" },
		{ "zwei", 0, "" },
		{ "two", 0, "192.0.2.2 2001:db8::2" },
		{ "two", 4, "192.0.2.2" },
		{ "two", 6, "2001:db8::2" },
		{ "one", 6, "" },
		{ "commented", 0, "" },
		{ "192.0.2.3", 0, "" },
		{ "crlf", 0, "192.0.2.7" },
		{ "last", 0, "192.0.2.5" },
		{ "", 0, "" },
		{ ".", 0, "" },
		{ "localhost", 0, "::1 127.0.0.1" },
		{ "LocalHost.", 4, "127.0.0.1" },
		{ "a.b.localhost", 6, "::1" },
		{ "a.LOCALHOST.", 0, "::1 127.0.0.1" },
		{ "notlocalhost", 0, "" },
		{ "localhost.test", 0, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(hosts(text, rows[i].name, rows[i].family), rows[i].found) != 0)
			fail_msg("'%s': '%s' instead of '%s'", rows[i].name, shown(), rows[i].found);
	assert_string_equal(hosts("", "one", 0), "");
	assert_string_equal(hosts("", "localhost", 0), "::1 127.0.0.1");
}

static void every_cut_of_hosts_ends_where_it_ends(void **state)
{
	static const char text[] = "192.0.2.1 a b # c\n::2 b";
	char cut[sizeof(text)] = "";

	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		memcpy(cut, text, n);
		assert_string_equal(hosts(cut, "b", 0), n < 13 ? "" : n < 23 ? "192.0.2.1" : "192.0.2.1 ::2");
		assert_string_equal(hosts_back(cut, "192.0.2.1", 0), n < 11 ? "" : "a");
		assert_string_equal(hosts_back(cut, "::2", 0), n < 23 ? "" : "b");
	}
}

static void hosts_with_more_addresses_than_room_fill_it(void **state)
{
	char text[40 * 12] = "";

	(void)state;
	for (size_t i = 0; i < 40; i++)
		strcat(text, "1.2.3.4 x\n");
	hosts(text, "x", 0);
	assert_int_equal(found.n, 2 * DNS_ANSWER_MAX);
}

static void an_address_is_looked_up_in_the_text_of_hosts(void **state)
{
	static const char text[] = "# 192.0.2.9 commented\n"
				   "192.0.2.1 # nobody\n"
				   " \t192.0.2.1\tOne.Example  one # uno\r\n"
				   "192.0.2.1 uno\n"
				   "192.0.2.3\r\n"
				   "2001:db8:0::2 two deux\n"
				   "::ffff:192.0.2.4 mapped\r\n"
				   "fe80::1 local\n"
				   "fe80::2%eth0 zoned\n"
				   "one 192.0.2.5\n"
				   "192.0.2.6 last";
	static const struct {
		const char *addr;
		uint32_t scope;
		const char *name;
	} rows[] = {
		{ "192.0.2.1", 0, "One.Example" },
		{ "192.0.2.3", 0, "" },
		{ "2001:db8::2", 0, "two" },
		{ "192.0.2.4", 0, "mapped" },
		{ "fe80::1", 0, "local" },
		{ "fe80::1", 7, "local" },
		{ "fe80::2", 0, "" },
		{ "192.0.2.5", 0, "" },
		{ "192.0.2.6", 0, "last" },
		{ "192.0.2.9", 0, "" },
		{ "::192.0.2.1", 0, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(hosts_back(text, rows[i].addr, rows[i].scope), rows[i].name);
	assert_string_equal(hosts_back("", "192.0.2.1", 0), "");
}

static void a_name_in_hosts_that_nobody_could_show_is_passed_over(void **state)
{
	char text[600] = "1.2.3.4 ";

	(void)state;
	memset(text + 8, 'x', 256);
	assert_string_equal(hosts_back(text, "1.2.3.4", 0), "");
	strcpy(text + 8 + 256, "\n1.2.3.4 short");
	assert_string_equal(hosts_back(text, "1.2.3.4", 0), "short");
	strcpy(text + 8 + 255, "\n1.2.3.4 short");
	assert_int_equal(strlen(hosts_back(text, "1.2.3.4", 0)), 255);
}

static void resolv_conf_is_read(void **state)
{
	static const struct {
		const char *text, *shown;
	} rows[] = {
		{ "", "127.0.0.1 [] 1 5 2" },
		{ "nameserver 192.0.2.1", "192.0.2.1 [] 1 5 2" },
		{ "nameserver\t192.0.2.1 # x\r\nnameserver 2001:db8::1\n", "192.0.2.1 2001:db8::1 [] 1 5 2" },
		{ "nameserver 1.1.1.1\nnameserver 2.2.2.2\nnameserver 3.3.3.3\nnameserver 4.4.4.4\n",
			"1.1.1.1 2.2.2.2 3.3.3.3 [] 1 5 2" },
		{ "nameserver fe80::1%eth0\nnameserver x\nnameserver\nnameserver 2.2.2.2", "2.2.2.2 [] 1 5 2" },
		{ "nameserver fe80::1%eth0\n", "127.0.0.1 [] 1 5 2" },
		{ "#nameserver 192.0.2.1\n;nameserver 192.0.2.1\nnameservers 1.2.3.4\n", "127.0.0.1 [] 1 5 2" },
		{ "search a b c\n", "127.0.0.1 [ a b c] 1 5 2" },
		{ "search a b c\ndomain d\n", "127.0.0.1 [ d] 1 5 2" },
		{ "domain d\nsearch\n", "127.0.0.1 [] 1 5 2" },
		{ "options ndots:0 timeout:7 attempts:4\n", "127.0.0.1 [] 0 7 4" },
		{ "options rotate ndots:5 edns0\noptions timeout:1\n", "127.0.0.1 [] 5 1 2" },
		{ "options ndots:99 timeout:99999999999 attempts:256\n", "127.0.0.1 [] 15 30 5" },
		{ "options timeout:0 attempts:0\n", "127.0.0.1 [] 1 1 1" },
		{ "options ndots: timeout:-1 attempts:x ndots timeout:99999999999999999999\n", "127.0.0.1 [] 1 5 2" },
		{ "options   ", "127.0.0.1 [] 1 5 2" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct guard g = guard_of(rows[i].text, strlen(rows[i].text));
		char buf[256];
		struct dns_conf c;
		struct text t;

		dns_conf_parse((struct slice){ g.p, g.n }, &c);
		text_init(&t, buf, sizeof(buf));
		for (size_t k = 0; k < c.n_servers; k++) {
			assert_int_equal(c.servers[k].port, 53);
			addr_put(&t, &c.servers[k]);
			text_char(&t, ' ');
		}
		text_put(&t, "[%v] %d %d %d", c.search, (int64_t)c.ndots, (int64_t)c.timeout_s, (int64_t)c.attempts);
		guard_free(&g);
		if (strcmp(buf, rows[i].shown) != 0)
			fail_msg("row %zu: '%s' instead of '%s'", i, buf, rows[i].shown);
	}
}

static void names_are_tried_in_the_order_of_resolv_conf(void **state)
{
	static const struct {
		const char *text, *name, *tried;
	} rows[] = {
		{ "", "a", "a|" },
		{ "", "a.b", "a.b|" },
		{ "search x y.z", "a", "a.x|a.y.z|a|" },
		{ "search x y.z", "a.b", "a.b|a.b.x|a.b.y.z|" },
		{ "search x y.z\noptions ndots:2", "a.b", "a.b.x|a.b.y.z|a.b|" },
		{ "search x y.z\noptions ndots:2", "a.b.c", "a.b.c|a.b.c.x|a.b.c.y.z|" },
		{ "search x y.z\noptions ndots:0", "a", "a|a.x|a.y.z|" },
		{ "search x y.z\noptions ndots:5", "a.b.", "a.b.|" },
		{ "search x", "a.", "a.|" },
		{ "search   x\t\r\n", "a", "a.x|a|" },
		{ "search p q r s", "a", "a.p|a.q|a.r|a.s|a|" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char buf[256] = "", one[64];
		struct dns_conf c;
		struct text t;

		dns_conf_parse(slice_of(rows[i].text), &c);
		text_init(&t, one, sizeof(one));
		for (size_t k = 0; dns_candidate(&c, slice_of(rows[i].name), k, &t); k++) {
			assert_true(k < 6);
			strcat(strcat(buf, one), "|");
			text_init(&t, one, sizeof(one));
		}
		assert_string_equal(buf, rows[i].tried);
		for (size_t k = 6; k < 20; k++)
			assert_false(dns_candidate(&c, slice_of(rows[i].name), k, &t));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_query_is_as_rfc_1035_has_it),
		cmocka_unit_test(a_name_is_labels_of_1_to_63_bytes_and_253_in_all),
		cmocka_unit_test(addresses_of_the_asked_name_and_family_are_found),
		cmocka_unit_test(another_class_is_passed_over),
		cmocka_unit_test(what_is_no_response_to_this_query_is_told_from_one),
		cmocka_unit_test(a_circle_of_aliases_ends),
		cmocka_unit_test(a_truncated_answer_keeps_what_is_whole),
		cmocka_unit_test(every_cut_of_a_response_is_broken_and_adds_nothing),
		cmocka_unit_test(no_more_is_added_than_the_list_holds),
		cmocka_unit_test(a_name_that_leads_astray_breaks_the_response),
		cmocka_unit_test(two_pointers_to_each_other_break_the_response),
		cmocka_unit_test(an_alias_longer_than_its_record_breaks_the_response),
		cmocka_unit_test(random_changes_never_read_too_far_nor_go_on_for_ever),
		cmocka_unit_test(a_question_back_is_as_rfc_1035_and_3596_have_it),
		cmocka_unit_test(the_name_of_an_address_is_found),
		cmocka_unit_test(no_byte_of_a_hostile_name_is_taken_for_another),
		cmocka_unit_test(a_name_too_long_to_be_written_is_none),
		cmocka_unit_test(the_name_of_an_address_that_leads_astray_breaks_the_response),
		cmocka_unit_test(random_answers_about_an_address_are_text_or_nothing),
		cmocka_unit_test(a_name_is_looked_up_in_the_text_of_hosts),
		cmocka_unit_test(every_cut_of_hosts_ends_where_it_ends),
		cmocka_unit_test(hosts_with_more_addresses_than_room_fill_it),
		cmocka_unit_test(an_address_is_looked_up_in_the_text_of_hosts),
		cmocka_unit_test(a_name_in_hosts_that_nobody_could_show_is_passed_over),
		cmocka_unit_test(resolv_conf_is_read),
		cmocka_unit_test(names_are_tried_in_the_order_of_resolv_conf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
