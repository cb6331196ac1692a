/* SPDX-License-Identifier: MIT */
/*
 * The links of a directory page, as http.server, nginx, lighttpd and others write it, read from
 * a page that arrives in pieces.
 */
#ifndef CORE_LISTING_H
#define CORE_LISTING_H

#include "core/text.h"

#define LISTING_HREF_MAX 1024

struct listing {
	uint8_t state; /* private, as everything here */
	char quote;
	uint8_t matched;
	size_t n;
	char href[LISTING_HREF_MAX];
};

void listing_init(struct listing *l);

/**
 * listing_feed() - Read on to the end of the next `<a … href=…>`
 * @in:        page bytes; what was used is cut off its front
 * @ret_href:  the reference with &amp; and the other four named entities and numeric ones of
 *             ASCII undone; lives until the next call
 *
 * href in double, single or no quotes; `<A HREF=` too; commented-out markup is not special.
 * A reference longer than LISTING_HREF_MAX is passed over.
 * Return: true for each href found; false when @in is used up.
 */
bool listing_feed(struct listing *l, struct slice *in, struct slice *ret_href);

/* A plain file below the page's own folder: no scheme, host, leading '/', '?', '#', "..", nor a '/' at the end. */
bool listing_is_file(struct slice href);

#endif
