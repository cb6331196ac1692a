/* SPDX-License-Identifier: MIT */
/* ICMP and ICMPv6 echo and errors (RFC 792, RFC 4443, RFC 4884): bytes in, values out. */
#ifndef CORE_ICMP_H
#define CORE_ICMP_H

#include "core/addr.h"
#include "core/icmp_ext.h"

#define ICMP_HEADER_LEN 8
/* Largest echo data: 65,535 less the IP and ICMP headers. */
#define ICMP_DATA_MAX 65507

struct icmp_echo {
	uint16_t id, seq;
	const uint8_t *data;
	size_t n;
};

/* What a router or a host said about a packet of ours. */
struct icmp_error {
	uint8_t type, code;
	uint32_t info; /* MTU of frag-needed and packet-too-big, gateway of a redirect, else 0 */
};

enum icmp_kind {
	ICMP_REPLY,     /* an echo reply: `echo` is filled */
	ICMP_ERROR,     /* an error about an echo request: `error`, `echo.id`, `echo.seq` and `quoted_to` are filled */
	ICMP_BAD_SUM,   /* an echo reply whose checksum is wrong: `echo` is filled, to tell whose it is */
	ICMP_OTHER,     /* anything else, too short to tell, or an error whose checksum is wrong */
};

struct icmp_message {
	enum icmp_kind kind;
	struct icmp_echo echo;
	struct icmp_error error;
	struct addr quoted_to; /* destination in the quoted header; family 0 in all but errors */
	struct icmp_ext ext;   /* what may stand behind the quote, for icmp_ext_labels(); none in all but errors */
};

/**
 * icmp_echo_build() - Write an echo request
 * @family:  4 or 6: type 8 or 128
 * @out:     ICMP_HEADER_LEN + @n bytes
 * @cap:     of @out
 *
 * The IPv4 checksum is written; the ICMPv6 one needs the pseudo-header and is the kernel's (RFC 4443 section 2.3).
 * Return: bytes written, 0 where @cap is too small.
 */
size_t icmp_echo_build(int family, uint16_t id, uint16_t seq, const uint8_t *data, size_t n, uint8_t *out, size_t cap);

/**
 * icmp_parse() - Read a received message, IP header already taken off
 * @family:     4 or 6
 * @check_sum:  verify the IPv4 checksum: for raw sockets; the kernel has done so otherwise
 *
 * Quoted packets are read by their own IHL (IPv4) or fixed header (IPv6; of the extensions the one for fragments),
 * and must be echo requests down to the sequence number, not later fragments of one.
 * Return: the message; its data points into @p.
 */
struct icmp_message icmp_parse(int family, const void *p, size_t n, bool check_sum);

/* "Time to live exceeded", "Destination Host Unreachable": the words of ping(8) for what is final; never NULL. */
const char *icmp_error_text(int family, uint8_t type, uint8_t code);

/* A redirect or a source quench says nothing about whether the packet arrived. */
bool icmp_error_is_final(int family, uint8_t type);

/* The packet went as many hops as it was allowed to: the answer that a traceroute is after. */
bool icmp_error_is_expiry(int family, uint8_t type, uint8_t code);

#endif
