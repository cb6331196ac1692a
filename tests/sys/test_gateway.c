/* SPDX-License-Identifier: MIT */
#include "sys/gateway.h"

#include <stdio.h>

#include "guard.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define HEAD "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT                 \n"

/* Addresses stand there as this machine has numbers. */
static const char *hex(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	static char text[4][9];
	static int i;
	uint8_t bytes[4] = { a, b, c, d };
	uint32_t v;

	memcpy(&v, bytes, sizeof(v));
	i = (i + 1) % 4;
	snprintf(text[i], sizeof(text[i]), "%08X", v);
	return text[i];
}

struct row {
	const char *destination, *gateway;
	unsigned flags, metric;
	const char *mask;
};

static size_t put_row(char *out, size_t cap, const struct row *r)
{
	return (size_t)snprintf(out, cap, "eth0\t%s\t%s\t%04X\t0\t0\t%u\t%s\t0\t0\t0      \n", r->destination, r->gateway, r->flags,
		r->metric, r->mask);
}

/* What is found in a file of this text; "" for nothing. */
static const char *find(const char *text, size_t n)
{
	static char found[ADDR_TEXT_MAX];
	char path[] = "/tmp/gateway.XXXXXX";
	int fd = mkstemp(path);
	struct addr a;
	struct text t;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, n), n);
	close(fd);
	text_init(&t, found, sizeof(found));
	if (gateway_find(path, &a))
		addr_put(&t, &a);
	unlink(path);
	return found;
}

static const char *find_in(const struct row *rows, size_t n)
{
	char text[2048];
	size_t at = (size_t)snprintf(text, sizeof(text), "%s", HEAD);

	for (size_t i = 0; i < n; i++)
		at += put_row(text + at, sizeof(text) - at, &rows[i]);
	return find(text, at);
}

static void the_router_of_the_default_route_is_the_one(void **state)
{
	(void)state;
	const struct row rows[] = {
		{ hex(192, 0, 2, 0), hex(0, 0, 0, 0), 1, 0, hex(255, 255, 255, 0) },
		{ hex(0, 0, 0, 0), hex(192, 0, 2, 254), 3, 100, hex(0, 0, 0, 0) },
	};

	assert_string_equal(find_in(rows, 2), "192.0.2.254");
	assert_string_equal(find_in(rows, 1), "");
	assert_string_equal(find_in(rows, 0), "");
}

static void of_several_the_one_with_the_best_metric_counts(void **state)
{
	(void)state;
	char zero[9], a[9], b[9], c[9];

	strcpy(zero, "00000000");
	strcpy(a, hex(192, 0, 2, 1));
	strcpy(b, hex(192, 0, 2, 2));
	strcpy(c, hex(192, 0, 2, 3));
	const struct row rows[] = { { zero, a, 3, 600, zero }, { zero, b, 3, 100, zero }, { zero, c, 3, 200, zero } };

	assert_string_equal(find_in(rows, 3), "192.0.2.2");
	const struct row equal[] = { { zero, a, 3, 0, zero }, { zero, b, 3, 0, zero } };

	assert_string_equal(find_in(equal, 2), "192.0.2.1");
}

static void what_is_no_way_to_everywhere_is_passed_over(void **state)
{
	(void)state;
	char zero[9], a[9], half[9];

	strcpy(zero, "00000000");
	strcpy(a, hex(192, 0, 2, 1));
	strcpy(half, hex(128, 0, 0, 0));
	const struct row rows[] = {
		{ zero, zero, 1, 0, zero }, /* a link without a router */
		{ zero, a, 3, 0, half },    /* half of everywhere */
		{ half, a, 3, 0, zero },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(find_in(&rows[i], 1), "");
}

static void damage_is_no_gateway(void **state)
{
	(void)state;
	char text[1024];
	const struct row r = { "00000000", hex(192, 0, 2, 1), 3, 0, "00000000" };
	size_t n = put_row(text, sizeof(text), &r);
	size_t needed = (size_t)(strstr(text, "\t0\t0\t0 ") - text);

	for (size_t i = 0; i < needed; i++)
		if (i + 7 < needed) /* a shorter mask is a mask of zero, too */
			assert_string_equal(find(text, i), "");
	assert_string_equal(find(text, n), "192.0.2.1");
	assert_string_equal(find("\n\n\n", 3), "");
	assert_string_equal(find("\0\0\0", 3), "");
	struct addr a;

	assert_false(gateway_find("/nonexistent/route", &a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_router_of_the_default_route_is_the_one),
		cmocka_unit_test(of_several_the_one_with_the_best_metric_counts),
		cmocka_unit_test(what_is_no_way_to_everywhere_is_passed_over),
		cmocka_unit_test(damage_is_no_gateway),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
