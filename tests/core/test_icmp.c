/* SPDX-License-Identifier: MIT */
#include "core/icmp.h"

#include "core/csum.h"
#include "guard.h"

/* A message under construction. */
struct bytes {
	uint8_t v[256];
	size_t n;
};

static void put(struct bytes *b, const void *p, size_t n)
{
	memcpy(b->v + b->n, p, n);
	b->n += n;
}

static void put_zeros(struct bytes *b, size_t n)
{
	memset(b->v + b->n, 0, n);
	b->n += n;
}

static void put_header(struct bytes *b, uint8_t type, uint8_t code, uint32_t info)
{
	const uint8_t header[] = { type, code, 0, 0, (uint8_t)(info >> 24), (uint8_t)(info >> 16), (uint8_t)(info >> 8),
		(uint8_t)info };

	put(b, header, sizeof(header));
}

/* An echo header in the quote: id 0x1234, sequence 0x5678. */
static void put_quoted_echo(struct bytes *b, int family)
{
	put_header(b, family == 6 ? 128 : 8, 0, 0x12345678);
}

/* 192.0.2.1 to 198.51.100.7, @words long, of a packet of 84 bytes. */
static void put_ip4(struct bytes *b, uint8_t words)
{
	const uint8_t header[20] = { (uint8_t)(0x40 | words), 0, 0, 84, 0, 0, 0x40, 0, 1, 1, 0, 0,
		192, 0, 2, 1, 198, 51, 100, 7 };

	put(b, header, sizeof(header));
	put_zeros(b, (size_t)(words - 5) * 4);
}

/* 2001:db8::1 to 2001:db8::7. */
static void put_ip6(struct bytes *b, uint8_t next)
{
	const uint8_t header[40] = { 0x60, 0, 0, 0, 0, 64, next, 1,
		0x20, 1, 0x0d, 0xb8, [23] = 1, [24] = 0x20, [25] = 1, [26] = 0x0d, [27] = 0xb8, [39] = 7 };

	put(b, header, sizeof(header));
}

static struct bytes error_about_an_echo(int family, uint8_t type, uint8_t code, uint32_t info)
{
	struct bytes b = { .n = 0 };

	put_header(&b, type, code, info);
	if (family == 6)
		put_ip6(&b, 58);
	else
		put_ip4(&b, 5);
	put_quoted_echo(&b, family);
	return b;
}

static void seal(struct bytes *b)
{
	b->v[2] = b->v[3] = 0;
	uint16_t sum = csum_inet(b->v, b->n);

	b->v[2] = (uint8_t)(sum >> 8);
	b->v[3] = (uint8_t)sum;
}

static struct bytes reply(int family, const char *data)
{
	struct bytes b = { .n = 0 };

	put_header(&b, family == 6 ? 129 : 0, 0, 0xbeef0102);
	put(&b, data, strlen(data));
	seal(&b);
	return b;
}

static struct icmp_message parse(int family, const struct bytes *b)
{
	return icmp_parse(family, b->v, b->n, false);
}

static void assert_is_our_echo(const struct icmp_message *m)
{
	assert_int_equal(m->kind, ICMP_ERROR);
	assert_int_equal(m->echo.id, 0x1234);
	assert_int_equal(m->echo.seq, 0x5678);
}

static void an_echo_request_is_written_byte_by_byte_as_rfc_792_says(void **state)
{
	(void)state;
	static const uint8_t expected[] = { 8, 0, 0xe2, 0xc6, 0xab, 0xcd, 0x01, 0x02, 0x68, 0x69, 0x00 };
	uint8_t out[12] = { [11] = 0x55 };

	assert_int_equal(icmp_echo_build(4, 0xabcd, 0x0102, (const uint8_t *)"hi", 3, out, 11), 11);
	assert_memory_equal(out, expected, sizeof(expected));
	assert_int_equal(out[11], 0x55);
}

static void an_icmpv6_request_leaves_its_checksum_to_the_kernel(void **state)
{
	(void)state;
	static const uint8_t expected[] = { 128, 0, 0, 0, 0xab, 0xcd, 0x01, 0x02, 'x' };
	uint8_t out[9];

	memset(out, 0x55, sizeof(out));
	assert_int_equal(icmp_echo_build(6, 0xabcd, 0x0102, (const uint8_t *)"x", 1, out, sizeof(out)), 9);
	assert_memory_equal(out, expected, sizeof(expected));
}

static void a_request_may_be_empty_or_as_large_as_ip_allows(void **state)
{
	(void)state;
	static uint8_t data[ICMP_DATA_MAX], out[ICMP_HEADER_LEN + ICMP_DATA_MAX];

	memset(data, 0xff, sizeof(data));
	assert_int_equal(icmp_echo_build(4, 1, 1, NULL, 0, out, ICMP_HEADER_LEN), ICMP_HEADER_LEN);
	assert_int_equal(csum_inet(out, ICMP_HEADER_LEN), 0);
	assert_int_equal(icmp_echo_build(4, 1, 1, data, sizeof(data), out, sizeof(out)), 65515);
	assert_int_equal(csum_inet(out, sizeof(out)), 0);
	assert_memory_equal(out + ICMP_HEADER_LEN, data, sizeof(data));
}

static void a_request_that_does_not_fit_is_not_written(void **state)
{
	(void)state;
	static const uint8_t data[4];

	for (size_t cap = 0; cap < ICMP_HEADER_LEN + sizeof(data); cap++) {
		struct guard g = guard_of("\x55\x55\x55\x55\x55\x55\x55\x55\x55\x55\x55\x55", cap);

		assert_int_equal(icmp_echo_build(4, 1, 1, data, sizeof(data), (uint8_t *)g.p, cap), 0);
		assert_int_equal(icmp_echo_build(6, 1, 1, data, SIZE_MAX, (uint8_t *)g.p, cap), 0);
		guard_free(&g);
	}
}

static void a_reply_gives_id_sequence_and_the_data_in_place(void **state)
{
	(void)state;
	for (int family = 4; family <= 6; family += 2) {
		struct bytes b = reply(family, "echo");
		struct icmp_message m = icmp_parse(family, b.v, b.n, family == 4);

		assert_int_equal(m.kind, ICMP_REPLY);
		assert_int_equal(m.echo.id, 0xbeef);
		assert_int_equal(m.echo.seq, 0x0102);
		assert_ptr_equal(m.echo.data, b.v + ICMP_HEADER_LEN);
		assert_int_equal(m.echo.n, 4);
		assert_int_equal(m.quoted_to.family, 0);
	}
}

static void a_reply_may_carry_no_data(void **state)
{
	(void)state;
	struct bytes b = reply(4, "");
	struct icmp_message m = icmp_parse(4, b.v, b.n, true);

	assert_int_equal(m.kind, ICMP_REPLY);
	assert_int_equal(m.echo.n, 0);
}

static void any_bit_that_flips_in_a_reply_is_noticed(void **state)
{
	(void)state;
	for (size_t bit = 8; bit < 8 * 13; bit++) {
		struct bytes b = reply(4, "odd!!");

		b.v[bit / 8] ^= (uint8_t)(1 << bit % 8);
		struct icmp_message m = icmp_parse(4, b.v, b.n, true);

		assert_int_equal(m.kind, ICMP_BAD_SUM);
		assert_int_equal(m.echo.id, b.v[4] << 8 | b.v[5]);
		assert_int_equal(m.echo.seq, b.v[6] << 8 | b.v[7]);
		assert_int_equal(icmp_parse(4, b.v, b.n, false).kind, ICMP_REPLY);
	}
}

static void an_icmpv6_checksum_is_never_verified_here(void **state)
{
	(void)state;
	struct bytes b = reply(6, "data");

	b.v[2] ^= 0xff;
	assert_int_equal(icmp_parse(6, b.v, b.n, true).kind, ICMP_REPLY);
}

static void an_error_with_a_wrong_checksum_is_ignored_where_it_is_checked(void **state)
{
	(void)state;
	struct bytes b = error_about_an_echo(4, 11, 0, 0);

	seal(&b);
	assert_int_equal(icmp_parse(4, b.v, b.n, true).kind, ICMP_ERROR);
	b.v[3] ^= 1;
	assert_int_equal(icmp_parse(4, b.v, b.n, true).kind, ICMP_OTHER);
	assert_int_equal(icmp_parse(4, b.v, b.n, false).kind, ICMP_ERROR);
}

static void errors_name_type_code_destination_and_what_goes_with_them(void **state)
{
	(void)state;
	static const struct {
		int family;
		uint8_t type, code;
		uint32_t field, info;
	} rows[] = {
		{ 4, 3, 1, 0, 0 },
		{ 4, 3, 3, 0xffffffff, 0 },
		{ 4, 3, 4, 1400, 1400 },                /* frag needed: MTU in the low half */
		{ 4, 3, 4, 0x00200000 | 576, 576 },     /* with the length of RFC 4884 above it */
		{ 4, 3, 4, 0, 0 },                      /* a router older than RFC 1191 */
		{ 4, 3, 13, 1400, 0 },
		{ 4, 4, 0, 7, 0 },
		{ 4, 5, 1, 0xc0000264, 0xc0000264 },    /* gateway 192.0.2.100 */
		{ 4, 11, 0, 0x00110000, 0 },
		{ 4, 11, 4, 99, 0 },                    /* the code that means MTU elsewhere */
		{ 4, 12, 0, 0x14000000, 0 },
		{ 6, 1, 0, 1, 0 },
		{ 6, 2, 0, 1280, 1280 },
		{ 6, 2, 0, 0x00010000, 0x00010000 },    /* 32 bits wide */
		{ 6, 3, 4, 1280, 0 },
		{ 6, 4, 1, 40, 0 },
	};
	static const uint8_t to4[16] = { 198, 51, 100, 7 }, to6[16] = { 0x20, 1, 0x0d, 0xb8, [15] = 7 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bytes b = error_about_an_echo(rows[i].family, rows[i].type, rows[i].code, rows[i].field);
		struct icmp_message m = parse(rows[i].family, &b);

		assert_is_our_echo(&m);
		assert_int_equal(m.error.type, rows[i].type);
		assert_int_equal(m.error.code, rows[i].code);
		assert_int_equal(m.error.info, rows[i].info);
		assert_int_equal(m.quoted_to.family, rows[i].family);
		assert_memory_equal(m.quoted_to.ip, rows[i].family == 6 ? to6 : to4, 16);
		assert_int_equal(m.quoted_to.port, 0);
	}
}

static void a_quoted_header_with_options_is_read_by_its_own_length(void **state)
{
	(void)state;
	for (uint8_t words = 5; words <= 15; words++) {
		struct bytes b = { .n = 0 };

		put_header(&b, 11, 0, 0);
		put_ip4(&b, words);
		put_quoted_echo(&b, 4);
		struct icmp_message m = parse(4, &b);

		assert_is_our_echo(&m);
		assert_int_equal(m.quoted_to.ip[3], 7);
	}
}

static struct bytes error_about_a_fragment(uint8_t next, uint8_t offset_high, uint8_t offset_low)
{
	struct bytes b = { .n = 0 };

	put_header(&b, 1, 3, 0);
	put_ip6(&b, 44);
	put(&b, (uint8_t[]){ next, 0, offset_high, offset_low, 0, 0, 0, 9 }, 8);
	put_quoted_echo(&b, 6);
	return b;
}

static void a_quoted_first_fragment_of_ipv6_is_read_and_a_later_one_is_not(void **state)
{
	(void)state;
	struct bytes b = error_about_a_fragment(58, 0, 1); /* more of them follow */
	struct icmp_message m = parse(6, &b);

	assert_is_our_echo(&m);
	for (size_t n = 0; n < b.n; n++) {
		struct guard g = guard_of(b.v, n);

		assert_int_equal(icmp_parse(6, g.p, n, false).kind, ICMP_OTHER);
		guard_free(&g);
	}
	b = error_about_a_fragment(58, 0, 8);
	assert_int_equal(parse(6, &b).kind, ICMP_OTHER);
	b = error_about_a_fragment(58, 1, 0);
	assert_int_equal(parse(6, &b).kind, ICMP_OTHER);
	b = error_about_a_fragment(17, 0, 0);
	assert_int_equal(parse(6, &b).kind, ICMP_OTHER);
}

static void an_error_with_extensions_behind_a_padded_quote_is_read_the_same(void **state)
{
	(void)state;
	static const uint8_t extension[] = { 0x20, 0, 0, 0, 0, 8, 1, 1, 0, 1, 0xf1, 1 }; /* RFC 4950: an MPLS label */
	struct bytes b = error_about_an_echo(4, 11, 0, 0x00200000);

	put_zeros(&b, 8 + 128 - b.n);
	put(&b, extension, sizeof(extension));
	struct icmp_message m = parse(4, &b);

	assert_is_our_echo(&m);
	assert_int_equal(m.error.info, 0);
}

/* Whole at its last byte, OTHER at every length before; the page behind is unreadable. */
static void check_every_truncation(int family, const struct bytes *b)
{
	for (size_t n = 0; n <= b->n; n++) {
		struct guard g = guard_of(b->v, n);
		struct icmp_message m = icmp_parse(family, g.p, n, false);

		assert_int_equal(m.kind, n == b->n ? ICMP_ERROR : ICMP_OTHER);
		assert_int_equal(m.quoted_to.family, n == b->n ? family : 0);
		guard_free(&g);
	}
}

static void a_truncated_quote_is_never_read_past_its_end(void **state)
{
	(void)state;
	struct bytes four = error_about_an_echo(4, 3, 1, 0), six = error_about_an_echo(6, 1, 3, 0);
	struct bytes long_four = { .n = 0 };

	put_header(&long_four, 3, 1, 0);
	put_ip4(&long_four, 15);
	put_quoted_echo(&long_four, 4);
	check_every_truncation(4, &four);
	check_every_truncation(6, &six);
	check_every_truncation(4, &long_four);
}

static void a_truncated_reply_is_never_read_past_its_end(void **state)
{
	(void)state;
	for (int family = 4; family <= 6; family += 2)
		for (size_t n = 0; n <= 12; n++) {
			struct bytes b = reply(family, "echo");
			struct guard g = guard_of(b.v, n);
			struct icmp_message m = icmp_parse(family, g.p, n, true);

			if (n < ICMP_HEADER_LEN)
				assert_int_equal(m.kind, ICMP_OTHER);
			else
				assert_int_equal(m.echo.n, n - ICMP_HEADER_LEN);
			guard_free(&g);
		}
}

static void quotes_of_anything_but_an_echo_request_are_not_ours(void **state)
{
	(void)state;
	static const struct {
		int family;
		size_t at;
		uint8_t value;
	} spoiled[] = {
		{ 4, 8, 0x65 },                   /* the quote's version */
		{ 4, 8, 8 },                      /* an ICMP header where the IP header should be */
		{ 4, 8, 0x44 },                   /* its IHL */
		{ 4, 8, 0x47 },                   /* options up to the end: the echo is not where it was */
		{ 4, 8 + 3, 27 },                 /* a total length too short for an ICMP header */
		{ 4, 8 + 9, 17 },                 /* UDP */
		{ 4, 8 + 9, 58 },                 /* ICMPv6 in IPv4 */
		{ 4, 8 + 7, 1 },                  /* a later fragment */
		{ 4, 28, 0 },  { 4, 28, 128 },    /* a reply; the other family's request */
		{ 6, 8, 0x45 },                   /* the quote's version */
		{ 6, 8 + 6, 17 }, { 6, 8 + 6, 44 }, /* UDP; a fragment header */
		{ 6, 48, 129 }, { 6, 48, 8 },     /* a reply; the other family's request */
	};

	for (size_t i = 0; i < sizeof(spoiled) / sizeof(spoiled[0]); i++) {
		struct bytes b = error_about_an_echo(spoiled[i].family, 3, 0, 0);
		struct icmp_message m;

		b.v[spoiled[i].at] = spoiled[i].value;
		m = parse(spoiled[i].family, &b);
		assert_int_equal(m.kind, ICMP_OTHER);
		assert_int_equal(m.quoted_to.family, 0);
		assert_int_equal(m.echo.id, 0);
	}
}

static void only_replies_and_errors_of_the_family_are_looked_at(void **state)
{
	(void)state;
	static const uint8_t errors4[] = { 3, 4, 5, 11, 12 }, errors6[] = { 1, 2, 3, 4 };

	for (int family = 4; family <= 6; family += 2)
		for (unsigned type = 0; type < 256; type++) {
			struct bytes b = error_about_an_echo(family, (uint8_t)type, 0, 0);
			const uint8_t *errors = family == 6 ? errors6 : errors4;
			bool error = memchr(errors, (int)type, family == 6 ? sizeof(errors6) : sizeof(errors4));
			bool is_reply = type == (family == 6 ? 129 : 0);

			enum icmp_kind expected = error ? ICMP_ERROR : is_reply ? ICMP_REPLY : ICMP_OTHER;

			assert_int_equal(parse(family, &b).kind, expected);
		}
}

static void noise_is_read_within_its_bounds(void **state)
{
	(void)state;
	static const uint8_t starts[] = { 0, 1, 2, 3, 5, 11, 129 };
	uint32_t seed = 7;

	for (size_t round = 0; round < 3000; round++) {
		uint8_t noise[120];
		size_t n = round % sizeof(noise);

		for (size_t i = 0; i < sizeof(noise); i++) {
			seed = seed * 1664525 + 1013904223;
			noise[i] = (uint8_t)(seed >> 24);
		}
		noise[0] = starts[round % sizeof(starts)];
		noise[8] = (uint8_t)((round & 1 ? 0x40 : 0x60) | (noise[8] & 0x0f));
		struct guard g = guard_of(noise, n);
		struct icmp_message m = icmp_parse(round & 1 ? 4 : 6, g.p, n, false);

		if (m.kind == ICMP_REPLY)
			assert_int_equal(m.echo.n, n - ICMP_HEADER_LEN);
		guard_free(&g);
	}
}

static void errors_are_told_in_the_words_of_ping(void **state)
{
	(void)state;
	static const struct {
		int family;
		uint8_t type, code;
		const char *text;
	} rows[] = {
		{ 4, 3, 0, "Destination Net Unreachable" },
		{ 4, 3, 1, "Destination Host Unreachable" },
		{ 4, 3, 2, "Destination Protocol Unreachable" },
		{ 4, 3, 3, "Destination Port Unreachable" },
		{ 4, 3, 4, "Frag needed and DF set" },
		{ 4, 3, 5, "Source Route Failed" },
		{ 4, 3, 6, "Destination Net Unknown" },
		{ 4, 3, 7, "Destination Host Unknown" },
		{ 4, 3, 8, "Source Host Isolated" },
		{ 4, 3, 9, "Destination Net Prohibited" },
		{ 4, 3, 10, "Destination Host Prohibited" },
		{ 4, 3, 11, "Destination Net Unreachable for Type of Service" },
		{ 4, 3, 12, "Destination Host Unreachable for Type of Service" },
		{ 4, 3, 13, "Packet filtered" },
		{ 4, 3, 14, "Precedence Violation" },
		{ 4, 3, 15, "Precedence Cutoff" },
		{ 4, 3, 77, "Destination Unreachable" },
		{ 4, 4, 0, "ICMP error" },
		{ 4, 5, 1, "ICMP error" },
		{ 4, 11, 0, "Time to live exceeded" },
		{ 4, 11, 1, "Frag reassembly time exceeded" },
		{ 4, 11, 77, "Time exceeded" },
		{ 4, 12, 77, "Parameter problem" },
		{ 6, 1, 0, "Destination unreachable: No route" },
		{ 6, 1, 1, "Destination unreachable: Administratively prohibited" },
		{ 6, 1, 2, "Destination unreachable: Beyond scope of source address" },
		{ 6, 1, 3, "Destination unreachable: Address unreachable" },
		{ 6, 1, 4, "Destination unreachable: Port unreachable" },
		{ 6, 1, 5, "Destination unreachable: Source address failed policy" },
		{ 6, 1, 6, "Destination unreachable: Reject route" },
		{ 6, 1, 77, "Destination unreachable" },
		{ 6, 2, 77, "Packet too big" },
		{ 6, 3, 0, "Time exceeded: Hop limit" },
		{ 6, 3, 1, "Time exceeded: Defragmentation failure" },
		{ 6, 3, 77, "Time exceeded" },
		{ 6, 4, 0, "Parameter problem: Wrong header field" },
		{ 6, 4, 1, "Parameter problem: Unknown header" },
		{ 6, 4, 2, "Parameter problem: Unknown option" },
		{ 6, 4, 77, "Parameter problem" },
		{ 4, 128, 0, "ICMP error" },
		{ 6, 11, 0, "ICMP error" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(icmp_error_text(rows[i].family, rows[i].type, rows[i].code), rows[i].text);
}

static void redirects_and_source_quenches_do_not_settle_a_packets_fate(void **state)
{
	(void)state;
	for (unsigned type = 0; type < 256; type++) {
		assert_int_equal(icmp_error_is_final(4, (uint8_t)type), type != 4 && type != 5);
		assert_int_equal(icmp_error_is_final(6, (uint8_t)type), type != 137);
	}
}

/* A quote padded to @quoted bytes, and a byte behind it. */
static struct icmp_message with_extension(int family, uint8_t type, uint32_t field, size_t quoted, struct bytes *b)
{
	*b = error_about_an_echo(family, type, 0, field);
	put_zeros(b, 8 + quoted - b->n);
	put(b, "\x20", 1);
	return parse(family, b);
}

static void an_extension_is_found_by_the_length_field_of_those_errors_that_have_one(void **state)
{
	(void)state;
	static const struct {
		int family;
		uint8_t type;
		uint32_t field;
		size_t at; /* 0: not found */
		bool marked;
	} rows[] = {
		{ 4, 3, 0x00200000, 128, true },
		{ 4, 11, 0x00200000, 128, true },
		{ 4, 12, 0x00200000, 128, true },
		{ 4, 12, 0x14000000, 128, false },      /* the pointer of a parameter problem is none */
		{ 4, 11, 0x00210000, 132, true },       /* 33 words of 32 bits */
		{ 4, 11, 0x00000000, 128, false },      /* a router that does not tell */
		{ 4, 11, 0xff00ffff, 128, false },      /* what stands beside the length */
		{ 4, 11, 0x001f0000, 0, false },        /* RFC 4884 section 5.1: too short */
		{ 4, 4, 0x00200000, 0, false },
		{ 4, 5, 0x00200000, 0, false },
		{ 6, 1, 0x10000000, 128, true },
		{ 6, 3, 0x10000000, 128, true },
		{ 6, 3, 0x11000000, 136, true },        /* 17 words of 64 bits */
		{ 6, 3, 0x00000000, 128, false },
		{ 6, 3, 0x00ffffff, 128, false },
		{ 6, 3, 0x0f000000, 0, false },
		{ 6, 2, 0x10000000, 0, false },         /* an MTU */
		{ 6, 4, 0x10000000, 0, false },         /* a pointer */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bytes b;
		size_t quoted = rows[i].at > 0 ? rows[i].at : 128;
		struct icmp_message m = with_extension(rows[i].family, rows[i].type, rows[i].field, quoted, &b);

		assert_is_our_echo(&m);
		assert_int_equal(m.ext.p != NULL, rows[i].at > 0);
		assert_int_equal(m.ext.n, rows[i].at > 0);
		assert_int_equal(m.ext.marked, rows[i].marked);
		if (m.ext.p)
			assert_int_equal(m.ext.p[0], 0x20);
	}
}

static void a_quote_that_ends_before_is_without_an_extension(void **state)
{
	(void)state;
	for (int family = 4; family <= 6; family += 2) {
		struct bytes b = error_about_an_echo(family, family == 6 ? 3 : 11, 0, 0);

		assert_null(parse(family, &b).ext.p);
		b.v[family == 6 ? 4 : 5] = 0xff; /* farther than the message is long */
		assert_null(parse(family, &b).ext.p);
		put_zeros(&b, 8 + 128 - b.n);
		assert_null(parse(family, &b).ext.p);
	}
	struct bytes b = reply(4, "");

	assert_null(parse(4, &b).ext.p);
}

static void only_the_end_of_the_hops_is_an_expiry(void **state)
{
	(void)state;
	for (unsigned type = 0; type < 256; type++)
		for (unsigned code = 0; code < 3; code++) {
			uint8_t t = (uint8_t)type, c = (uint8_t)code;

			assert_int_equal(icmp_error_is_expiry(4, t, c), type == 11 && code == 0);
			assert_int_equal(icmp_error_is_expiry(6, t, c), type == 3 && code == 0);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_echo_request_is_written_byte_by_byte_as_rfc_792_says),
		cmocka_unit_test(an_icmpv6_request_leaves_its_checksum_to_the_kernel),
		cmocka_unit_test(a_request_may_be_empty_or_as_large_as_ip_allows),
		cmocka_unit_test(a_request_that_does_not_fit_is_not_written),
		cmocka_unit_test(a_reply_gives_id_sequence_and_the_data_in_place),
		cmocka_unit_test(a_reply_may_carry_no_data),
		cmocka_unit_test(any_bit_that_flips_in_a_reply_is_noticed),
		cmocka_unit_test(an_icmpv6_checksum_is_never_verified_here),
		cmocka_unit_test(an_error_with_a_wrong_checksum_is_ignored_where_it_is_checked),
		cmocka_unit_test(errors_name_type_code_destination_and_what_goes_with_them),
		cmocka_unit_test(a_quoted_header_with_options_is_read_by_its_own_length),
		cmocka_unit_test(a_quoted_first_fragment_of_ipv6_is_read_and_a_later_one_is_not),
		cmocka_unit_test(an_error_with_extensions_behind_a_padded_quote_is_read_the_same),
		cmocka_unit_test(a_truncated_quote_is_never_read_past_its_end),
		cmocka_unit_test(a_truncated_reply_is_never_read_past_its_end),
		cmocka_unit_test(quotes_of_anything_but_an_echo_request_are_not_ours),
		cmocka_unit_test(only_replies_and_errors_of_the_family_are_looked_at),
		cmocka_unit_test(noise_is_read_within_its_bounds),
		cmocka_unit_test(errors_are_told_in_the_words_of_ping),
		cmocka_unit_test(redirects_and_source_quenches_do_not_settle_a_packets_fate),
		cmocka_unit_test(an_extension_is_found_by_the_length_field_of_those_errors_that_have_one),
		cmocka_unit_test(a_quote_that_ends_before_is_without_an_extension),
		cmocka_unit_test(only_the_end_of_the_hops_is_an_expiry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
