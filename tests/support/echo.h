/* SPDX-License-Identifier: MIT */
/* What hosts and routers make of our echo requests, byte by byte and without the code under test. */
#ifndef ECHO_H
#define ECHO_H

#include "core/addr.h"

#include <string.h>

#define ECHO_MAX 66000

static inline uint16_t echo_sum(const uint8_t *p, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* ICMPv6 sums cover a pseudo-header and are the kernel's affair: left at 0. */
static inline void echo_fix_sum(int family, uint8_t *p, size_t n)
{
	p[2] = p[3] = 0;
	if (family == 6)
		return;
	uint16_t sum = echo_sum(p, n);

	p[2] = (uint8_t)(sum >> 8);
	p[3] = (uint8_t)sum;
}

/* The reply to a request; @out may be the request. Return: its length. */
static inline size_t echo_reply(int family, const uint8_t *request, size_t n, uint8_t *out)
{
	memmove(out, request, n);
	out[0] = family == 6 ? 129 : 0;
	echo_fix_sum(family, out, n);
	return n;
}

static inline size_t echo_ip_header(const struct addr *to, size_t payload, uint8_t *out)
{
	size_t n = to->family == 6 ? 40 : 20;

	memset(out, 0, n);
	if (to->family == 6) {
		out[0] = 0x60;
		out[4] = (uint8_t)(payload >> 8);
		out[5] = (uint8_t)payload;
		out[6] = 58;
		out[7] = 1;
		memcpy(out + 24, to->ip, 16);
	} else {
		out[0] = 0x45;
		out[2] = (uint8_t)((n + payload) >> 8);
		out[3] = (uint8_t)(n + payload);
		out[8] = 1;
		out[9] = 1;
		memcpy(out + 16, to->ip, 4);
	}
	return n;
}

/* An error about a request on its way to @to: quotes the IP header and at most @quoted bytes of it. */
static inline size_t echo_error(uint8_t type, uint8_t code, const struct addr *to, const uint8_t *request, size_t n,
	size_t quoted, uint8_t *out)
{
	size_t at = 8;
	uint8_t copy[ECHO_MAX];

	memcpy(copy, request, n);
	memset(out, 0, at);
	out[0] = type;
	out[1] = code;
	at += echo_ip_header(to, n, out + at);
	if (quoted > n)
		quoted = n;
	memcpy(out + at, copy, quoted);
	echo_fix_sum(to->family, out, at + quoted);
	return at + quoted;
}

#endif
