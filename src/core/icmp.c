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
	V6_IP_HEADER_LEN = 40,
};

/* The eight bytes that every message of ours starts with; `info` is the last four of them as one number. */
struct header {
	uint8_t type, code;
	uint32_t info;
};

static struct header read_header(struct rd *r)
{
	struct header h = { .type = rd_u8(r) };

	h.code = rd_u8(r);
	rd_u16(r);
	h.info = rd_u32(r);
	return h;
}

static struct icmp_echo echo_of(struct header h)
{
	return (struct icmp_echo){ .id = (uint16_t)(h.info >> 16), .seq = (uint16_t)h.info };
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

static bool quoted_ip4(struct rd *quote, struct addr *ret_to)
{
	struct ip4 ip;

	if (!ip4_parse(quote->p, rd_left(quote), &ip) || ip.protocol != PROTOCOL || ip.later_fragment)
		return false;
	ret_to->family = 4;
	memcpy(ret_to->ip, ip.dst, sizeof(ip.dst));
	*quote = rd_of(ip.payload, ip.n);
	return true;
}

static bool quoted_ip6(struct rd *quote, struct addr *ret_to)
{
	const uint8_t *b = rd_take(quote, V6_IP_HEADER_LEN);

	if (!b || b[0] >> 4 != 6 || b[6] != V6_PROTOCOL)
		return false;
	ret_to->family = 6;
	memcpy(ret_to->ip, b + 24, sizeof(ret_to->ip));
	return true;
}

static struct icmp_message parse_error(int family, struct header h, struct rd quote)
{
	struct icmp_message m = { .kind = ICMP_ERROR, .error = { h.type, h.code, info_of(family, h) } };
	bool ours = family == 6 ? quoted_ip6(&quote, &m.quoted_to) : quoted_ip4(&quote, &m.quoted_to);
	struct header quoted = read_header(&quote);

	if (!ours || quote.bad || quoted.type != (family == 6 ? V6_ECHO_REQUEST : ECHO_REQUEST))
		return (struct icmp_message){ .kind = ICMP_OTHER };
	m.echo = echo_of(quoted);
	return m;
}

struct icmp_message icmp_parse(int family, const void *p, size_t n, bool check_sum)
{
	struct rd r = rd_of(p, n);
	struct header h = read_header(&r);
	bool good_sum = family == 6 || !check_sum || csum_inet(p, n) == 0;
	struct icmp_message m = { .kind = ICMP_OTHER };

	if (r.bad)
		return m;
	if (is_error(family, h.type))
		return good_sum ? parse_error(family, h, r) : m;
	if (h.type != (family == 6 ? V6_ECHO_REPLY : ECHO_REPLY))
		return m;
	m.kind = good_sum ? ICMP_REPLY : ICMP_BAD_SUM;
	m.echo = echo_of(h);
	m.echo.n = rd_left(&r);
	m.echo.data = rd_take(&r, m.echo.n);
	return m;
}

#define ANY 0xff

/* For each type the codes that have words of their own, then the words for any other code. */
static const struct {
	uint8_t family, type, code;
	const char *text;
} texts[] = {
	{ 4, UNREACHABLE, 0, "Destination Net Unreachable" },
	{ 4, UNREACHABLE, 1, "Destination Host Unreachable" },
	{ 4, UNREACHABLE, 2, "Destination Protocol Unreachable" },
	{ 4, UNREACHABLE, 3, "Destination Port Unreachable" },
	{ 4, UNREACHABLE, FRAG_NEEDED, "Frag needed and DF set" },
	{ 4, UNREACHABLE, 5, "Source Route Failed" },
	{ 4, UNREACHABLE, 6, "Destination Net Unknown" },
	{ 4, UNREACHABLE, 7, "Destination Host Unknown" },
	{ 4, UNREACHABLE, 8, "Source Host Isolated" },
	{ 4, UNREACHABLE, 9, "Destination Net Prohibited" },
	{ 4, UNREACHABLE, 10, "Destination Host Prohibited" },
	{ 4, UNREACHABLE, 11, "Destination Net Unreachable for Type of Service" },
	{ 4, UNREACHABLE, 12, "Destination Host Unreachable for Type of Service" },
	{ 4, UNREACHABLE, 13, "Packet filtered" },
	{ 4, UNREACHABLE, 14, "Precedence Violation" },
	{ 4, UNREACHABLE, 15, "Precedence Cutoff" },
	{ 4, UNREACHABLE, ANY, "Destination Unreachable" },
	{ 4, SOURCE_QUENCH, ANY, "Source Quench" },
	{ 4, REDIRECT, 0, "Redirect Network" },
	{ 4, REDIRECT, 1, "Redirect Host" },
	{ 4, REDIRECT, 2, "Redirect Type of Service and Network" },
	{ 4, REDIRECT, 3, "Redirect Type of Service and Host" },
	{ 4, REDIRECT, ANY, "Redirect" },
	{ 4, TIME_EXCEEDED, 0, "Time to live exceeded" },
	{ 4, TIME_EXCEEDED, 1, "Frag reassembly time exceeded" },
	{ 4, TIME_EXCEEDED, ANY, "Time exceeded" },
	{ 4, PARAMETER, ANY, "Parameter problem" },
	{ 6, V6_UNREACHABLE, 0, "Destination unreachable: No route" },
	{ 6, V6_UNREACHABLE, 1, "Destination unreachable: Administratively prohibited" },
	{ 6, V6_UNREACHABLE, 2, "Destination unreachable: Beyond scope of source address" },
	{ 6, V6_UNREACHABLE, 3, "Destination unreachable: Address unreachable" },
	{ 6, V6_UNREACHABLE, 4, "Destination unreachable: Port unreachable" },
	{ 6, V6_UNREACHABLE, 5, "Destination unreachable: Source address failed policy" },
	{ 6, V6_UNREACHABLE, 6, "Destination unreachable: Reject route" },
	{ 6, V6_UNREACHABLE, ANY, "Destination unreachable" },
	{ 6, V6_TOO_BIG, ANY, "Packet too big" },
	{ 6, V6_TIME_EXCEEDED, 0, "Time exceeded: Hop limit" },
	{ 6, V6_TIME_EXCEEDED, 1, "Time exceeded: Defragmentation failure" },
	{ 6, V6_TIME_EXCEEDED, ANY, "Time exceeded" },
	{ 6, V6_PARAMETER, 0, "Parameter problem: Wrong header field" },
	{ 6, V6_PARAMETER, 1, "Parameter problem: Unknown header" },
	{ 6, V6_PARAMETER, 2, "Parameter problem: Unknown option" },
	{ 6, V6_PARAMETER, ANY, "Parameter problem" },
};

const char *icmp_error_text(int family, uint8_t type, uint8_t code)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].family == family && texts[i].type == type &&
			(texts[i].code == code || texts[i].code == ANY))
			return texts[i].text;
	return "ICMP error";
}

bool icmp_error_is_final(int family, uint8_t type)
{
	return family == 6 ? type != V6_REDIRECT : type != SOURCE_QUENCH && type != REDIRECT;
}
