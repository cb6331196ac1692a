/* SPDX-License-Identifier: MIT */
/*
 * What a stub resolver writes and reads: messages of the domain name system (RFC 1035), and the texts of hosts(5)
 * and resolv.conf(5). Nothing is asked here: sys/look_up_stub asks.
 */
#ifndef CORE_DNS_H
#define CORE_DNS_H

#include "core/addr.h"

#define DNS_PORT 53
#define DNS_ANSWER_MAX 8
#define DNS_SERVERS_MAX 3

/* A name as text, with its NUL. */
#define DNS_TEXT_MAX 256

/* Addresses of both families, ports 0; or the name of one. */
struct dns_list {
	struct addr v[2 * DNS_ANSWER_MAX];
	size_t n;                /* of @v; of a question back 0 or 1, and then @name holds it */
	char name[DNS_TEXT_MAX]; /* from a stranger, see dns_parse() */
};

/* One question. */
struct dns_query {
	uint8_t p[12 + 255 + 4];
	size_t n;
};

/* The more is known, the smaller; from DNS_FAILED on it is worth while to ask another server. */
enum dns_reply {
	DNS_NO_NAME,   /* there is no such name (NXDOMAIN) */
	DNS_ANSWER,    /* the name is known; it may have no address of that family */
	DNS_TRUNCATED, /* so, and the server had more to say than a datagram holds (TC) */
	DNS_FAILED,    /* the server could not or would not find out */
	DNS_NOT_OURS,  /* broken, or no response to this query: go on waiting */
};

/**
 * dns_query_init() - Ask for the addresses of a name, recursion desired
 * @name:    labels of 1 to 63 bytes, 253 in all with their dots; one more dot at the end is allowed
 * @family:  4 or 6
 *
 * Return: false where that can be no name.
 */
bool dns_query_init(struct dns_query *q, struct slice name, int family, uint16_t id);

/* Ask for the name of an address: PTR below in-addr.arpa (RFC 1035 section 3.5) or ip6.arpa (RFC 3596). */
void dns_query_back(struct dns_query *q, const struct addr *a, uint16_t id);

/**
 * dns_parse() - Read what may be the response to a query
 * @p:      @n bytes from a stranger
 * @found:  with DNS_ANSWER and DNS_TRUNCATED the addresses of the name, or of what it is an alias of, are added to
 *          it, up to DNS_ANSWER_MAX; it has room for them
 *
 * A response cut off in the midst of a record is broken, unless it says that it is truncated.
 *
 * Of a question back it is the first name. Its labels may hold any byte: a dot or backslash in one has a backslash
 * before it, blanks and control bytes are decimal, \032 (RFC 4343 section 2.1), all others stand as they came, be they
 * UTF-8 or not. A name that is too long so is none.
 */
enum dns_reply dns_parse(const struct dns_query *q, const uint8_t *p, size_t n, struct dns_list *found);

/**
 * dns_hosts() - Add the addresses that a name has in the text of hosts(5), as many as there is room for
 * @family:  4, 6, or 0 for both
 *
 * `localhost` and every name below it is the loopback, whatever the text says (RFC 6761 section 6.3).
 * Lines whose address is none, or has a zone, are passed over.
 */
void dns_hosts(struct slice text, struct slice name, int family, struct dns_list *found);

/* The name of an address in that text, the first word behind it; empty for none, and for one past DNS_TEXT_MAX. */
struct slice dns_hosts_back(struct slice text, const struct addr *a);

struct dns_conf {
	struct addr servers[DNS_SERVERS_MAX]; /* with their port; 127.0.0.1 where the text names none */
	size_t n_servers;
	struct slice search; /* a line of the text that was read: domains between blanks */
	uint8_t ndots, timeout_s, attempts;
};

/* Read the text of resolv.conf(5); what it does not say is as that page says. Servers with a zone are passed over. */
void dns_conf_parse(struct slice text, struct dns_conf *ret);

/**
 * dns_candidate() - The names to ask for when a person says @name, in the order of resolv.conf(5)
 * @i:  from 0
 * @t:  empty; one of more than 253 characters is not worth asking for, so it may be cut behind them
 *
 * Return: false where there is no candidate @i.
 */
bool dns_candidate(const struct dns_conf *c, struct slice name, size_t i, struct text *t);

#endif
