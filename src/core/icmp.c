/* SPDX-License-Identifier: MIT */
#include "core/icmp.h"

#include <string.h>

#include "core/csum.h"
#include "core/ip.h"

enum {
	ECHO_REPLY = 0,
	UNREACHABLE = 3,
	SOURCE_QUENCH = 4,
	REDIRECT = 5,
	ECHO_REQUEST = 8,
	TIME_EXCEEDED = 11,
	PARAMETER = 12,
	FRAG_NEEDED = 4, /* a code of UNREACHABLE */
	PROTOCOL = 1,
};

enum {
	V6_UNREACHABLE = 1,
	V6_TOO_BIG = 2,
	V6_TIME_EXCEEDED = 3,
	V6_PARAMETER = 4,
	V6_ECHO_REQUEST = 128,
	V6_ECHO_REPLY = 129,
	V6_REDIRECT = 137,
	V6_PROTOCOL = 58,
	V6_FRAGMENT = 44,
	V6_IP_HEADER_LEN = 40,
};

/* The eight bytes that every message of ours starts with; `info` is the last four of them as one number. */
struct header {
	uint8_t type, code;
	uint32_t info;
};

static struct header read_header(const uint8_t *b)
{
	struct rd info = rd_of(b + 4, 4);

	return (struct header){ b[0], b[1], rd_u32(&info) };
}

static void set_echo(struct icmp_message *m, struct header h)
{
	m->echo.id = (uint16_t)(h.info >> 16);
	m->echo.seq = (uint16_t)h.info;
}

size_t icmp_echo_build(int family, uint16_t id, uint16_t seq, const uint8_t *data, size_t n, uint8_t *out, size_t cap)
{
	if (cap < ICMP_HEADER_LEN || cap - ICMP_HEADER_LEN < n)
		return 0;

	const uint8_t header[ICMP_HEADER_LEN] = {
		family == 6 ? V6_ECHO_REQUEST : ECHO_REQUEST, 0, 0, 0,
		(uint8_t)(id >> 8), (uint8_t)id, (uint8_t)(seq >> 8), (uint8_t)seq,
	};

	memcpy(out, header, sizeof(header));
	if (n > 0)
		memcpy(out + sizeof(header), data, n);
	if (family == 4) {
		uint16_t sum = csum_inet(out, sizeof(header) + n);

		out[2] = (uint8_t)(sum >> 8);
		out[3] = (uint8_t)sum;
	}
	return sizeof(header) + n;
}

static bool is_error(int family, uint8_t type)
{
	if (family == 6)
		return type >= V6_UNREACHABLE && type <= V6_PARAMETER;
	return (type >= UNREACHABLE && type <= REDIRECT) || type == TIME_EXCEEDED || type == PARAMETER;
}

/* RFC 4884 puts a length beside the MTU: that one is 16 bits wide. */
static uint32_t info_of(int family, struct header h)
{
	if (family == 6)
		return h.type == V6_TOO_BIG ? h.info : 0;
	if (h.type == UNREACHABLE && h.code == FRAG_NEEDED)
		return h.info & 0xffff;
	return h.type == REDIRECT ? h.info : 0;
}

/* What stands behind a quoted IP header, or NULL where that is not ICMP or a whole header; and where it was going. */
static const uint8_t *behind_ip4(const uint8_t *quote, size_t n, uint8_t *ret_to)
{
	struct ip4 ip;

	if (!ip4_parse(quote, n, &ip) || ip.protocol != PROTOCOL || ip.later_fragment || ip.n < ICMP_HEADER_LEN)
		return NULL;
	memcpy(ret_to, ip.dst, sizeof(ip.dst));
	return ip.payload;
}

static const uint8_t *behind_ip6(const uint8_t *quote, size_t n, uint8_t *ret_to)
{
	struct rd r = rd_of(quote, n);
	const uint8_t *ip = rd_take(&r, V6_IP_HEADER_LEN);
	const uint8_t *next = ip ? ip + 6 : NULL;

	if (!ip || ip[0] >> 4 != 6)
		return NULL;
	memcpy(ret_to, ip + 24, 16);
	if (*next == V6_FRAGMENT) {
		next = rd_take(&r, 8);
		if (!next || next[2] != 0 || (next[3] & 0xf8) != 0)
			return NULL;
	}
	return *next == V6_PROTOCOL ? rd_take(&r, ICMP_HEADER_LEN) : NULL;
}

/* RFC 4884 section 4: the length of the quote, in words of 32 bits or of 64; 0 where there is none. */
static struct icmp_ext ext_of(int family, struct header h, const uint8_t *quote, size_t n)
{
	bool has_length = family == 6 ? h.type == V6_UNREACHABLE || h.type == V6_TIME_EXCEEDED :
					h.type != SOURCE_QUENCH && h.type != REDIRECT;
	size_t length = family == 6 ? (h.info >> 24) * 8 : (h.info >> 16 & 0xff) * 4;

	return has_length ? icmp_ext_find(quote, n, length, ICMP_EXT_AT) : (struct icmp_ext){ NULL, 0, false };
}

static void parse_error(struct icmp_message *m, int family, struct header h, const uint8_t *quote, size_t n)
{
	uint8_t *to = m->quoted_to.ip;
	const uint8_t *ours = family == 6 ? behind_ip6(quote, n, to) : behind_ip4(quote, n, to);

	if (!ours || ours[0] != (family == 6 ? V6_ECHO_REQUEST : ECHO_REQUEST))
		return;
	m->kind = ICMP_ERROR;
	m->error.type = h.type;
	m->error.code = h.code;
	m->error.info = info_of(family, h);
	m->ext = ext_of(family, h, quote, n);
	m->quoted_to.family = (uint8_t)family;
	set_echo(m, read_header(ours));
}

struct icmp_message icmp_parse(int family, const void *p, size_t n, bool check_sum)
{
	const uint8_t *b = p;
	bool good_sum = family == 6 || !check_sum || csum_inet(p, n) == 0;
	struct icmp_message m = { .kind = ICMP_OTHER };

	if (n < ICMP_HEADER_LEN)
		return m;

	struct header h = read_header(b);

	if (h.type == (family == 6 ? V6_ECHO_REPLY : ECHO_REPLY)) {
		m.kind = good_sum ? ICMP_REPLY : ICMP_BAD_SUM;
		set_echo(&m, h);
		m.echo.data = b + ICMP_HEADER_LEN;
		m.echo.n = n - ICMP_HEADER_LEN;
	} else if (is_error(family, h.type) && good_sum) {
		parse_error(&m, family, h, b + ICMP_HEADER_LEN, n - ICMP_HEADER_LEN);
	}
	return m;
}

/* For each type the words of code 0, 1 and so on, and behind them those of any other code. */
static const struct {
	uint8_t family, type, codes;
	const char *words;
} errors[] = {
	{ 4, UNREACHABLE, 16,
		"Destination Net Unreachable\0"
		"Destination Host Unreachable\0"
		"Destination Protocol Unreachable\0"
		"Destination Port Unreachable\0"
		"Frag needed and DF set\0"
		"Source Route Failed\0"
		"Destination Net Unknown\0"
		"Destination Host Unknown\0"
		"Source Host Isolated\0"
		"Destination Net Prohibited\0"
		"Destination Host Prohibited\0"
		"Destination Net Unreachable for Type of Service\0"
		"Destination Host Unreachable for Type of Service\0"
		"Packet filtered\0"
		"Precedence Violation\0"
		"Precedence Cutoff\0"
		"Destination Unreachable" },
	{ 4, TIME_EXCEEDED, 2, "Time to live exceeded\0Frag reassembly time exceeded\0Time exceeded" },
	{ 4, PARAMETER, 0, "Parameter problem" },
	{ 6, V6_UNREACHABLE, 7,
		"Destination unreachable: No route\0"
		"Destination unreachable: Administratively prohibited\0"
		"Destination unreachable: Beyond scope of source address\0"
		"Destination unreachable: Address unreachable\0"
		"Destination unreachable: Port unreachable\0"
		"Destination unreachable: Source address failed policy\0"
		"Destination unreachable: Reject route\0"
		"Destination unreachable" },
	{ 6, V6_TOO_BIG, 0, "Packet too big" },
	{ 6, V6_TIME_EXCEEDED, 2, "Time exceeded: Hop limit\0Time exceeded: Defragmentation failure\0Time exceeded" },
	{ 6, V6_PARAMETER, 3,
		"Parameter problem: Wrong header field\0"
		"Parameter problem: Unknown header\0"
		"Parameter problem: Unknown option\0"
		"Parameter problem" },
};

const char *icmp_error_text(int family, uint8_t type, uint8_t code)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].family == family && errors[i].type == type)
			return slice_word(errors[i].words, code < errors[i].codes ? code : errors[i].codes);
	return "ICMP error";
}

bool icmp_error_is_final(int family, uint8_t type)
{
	return family == 6 ? type != V6_REDIRECT : type != SOURCE_QUENCH && type != REDIRECT;
}

bool icmp_error_is_expiry(int family, uint8_t type, uint8_t code)
{
	return type == (family == 6 ? V6_TIME_EXCEEDED : TIME_EXCEEDED) && code == 0;
}
