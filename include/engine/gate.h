/* SPDX-License-Identifier: MIT */
/*
 * Who may use a page that acts for its user: a browser on this machine that was told the address, and from no page but
 * ours. A page of another origin can make the browser ask anything, but not take these marks off (RFC 6454, the Fetch
 * Metadata fields); a name that is pointed here by an attacker is in Host.
 */
#ifndef ENGINE_GATE_H
#define ENGINE_GATE_H

#include "core/http1_head.h"

#define GATE_TOKEN 32 /* hexadecimal digits */

struct gate {
	uint16_t port;
	char token[GATE_TOKEN + 1];
};

/* The token, from half as many random bytes. */
void gate_init(struct gate *g, uint16_t port, const uint8_t random[static GATE_TOKEN / 2]);

/**
 * gate_pass() - May this request be answered?
 * @ret_path:   what its target has behind `/TOKEN/`, up to the query
 * @ret_query:  behind the `?`
 *
 * Return: 0; or the status to refuse it with, 403 for another origin, 404 for another path.
 */
unsigned gate_pass(const struct gate *g, const struct http1_head *h, struct slice *ret_path, struct slice *ret_query);

#endif
