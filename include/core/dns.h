/* SPDX-License-Identifier: MIT */
/*
 * What a stub resolver writes and reads: messages of the domain name system (RFC 1035), and the texts of hosts(5)
 * and resolv.conf(5). Nothing is asked here: sys/look_up_stub asks.
 */
#ifndef CORE_DNS_H
#define CORE_DNS_H

#include "core/addr.h"

#define DNS_PORT 53
#define DNS_QUERY_MAX (12 + 255 + 4)
#define DNS_SERVERS_MAX 3
#define DNS_SEARCH_MAX 4

/* The worse, the greater. */
enum dns_reply {
	DNS_ANSWER,    /* the name is known; it may have no address of that family */
	DNS_TRUNCATED, /* so, and the server had more to say than a datagram holds (TC) */
	DNS_NOT_OURS,  /* broken, or no response to this query: go on waiting */
	DNS_FAILED,    /* the server could not or would not find out */
	DNS_NO_NAME,   /* there is no such name (NXDOMAIN) */
};

/**
 * dns_query() - Ask for the addresses of a name, recursion desired
 * @name:    labels of 1 to 63 bytes, 253 in all with their dots; one more dot at the end is allowed
 * @family:  4 or 6
 *
 * Return: the length of the message, or 0 where that can be no name.
 */
size_t dns_query(struct slice name, int family, uint16_t id, uint8_t out[static DNS_QUERY_MAX]);

/**
 * dns_parse() - Read what may be the response to a query of dns_query()
 * @p:      @n bytes from a stranger
 * @v:      room for @cap addresses, more are dropped; ports 0
 * @ret_n:  how many addresses the name has, or the last of its aliases; 0 with anything but the first two replies
 *
 * A response cut off in the midst of a record is broken, unless it says that it is truncated.
 */
enum dns_reply dns_parse(const uint8_t *query, size_t query_n, const void *p, size_t n, struct addr *v, size_t cap,
	size_t *ret_n);

/* `localhost` or a name below it, which no server is asked about (RFC 6761 section 6.3). */
bool dns_is_localhost(struct slice name);

/**
 * dns_hosts() - Look a name up in the text of hosts(5)
 * @family:  4, 6, or 0 for both
 *
 * Lines whose address is none, or has a zone, are passed over. Return: addresses, up to @cap, in the order of the text.
 */
size_t dns_hosts(struct slice text, struct slice name, int family, struct addr *v, size_t cap);

struct dns_conf {
	struct addr servers[DNS_SERVERS_MAX]; /* with their port; 127.0.0.1 where the text names none */
	size_t n_servers;
	struct slice search[DNS_SEARCH_MAX]; /* in the text that was read */
	size_t n_search;
	unsigned ndots, timeout_s, attempts;
};

/* Read the text of resolv.conf(5); what it does not say is as that page says. Servers with a zone are passed over. */
void dns_conf_parse(struct slice text, struct dns_conf *ret);

#endif
