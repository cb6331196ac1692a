/* SPDX-License-Identifier: MIT */
/* The parts of the page in the browser, and how they are sent. */
#ifndef CORE_PAGE_H
#define CORE_PAGE_H

#include <stddef.h>

/* The plain part is what a client without gzip has instead of the document; empty where no part is compressed. */
enum page_part { PAGE_HTML, PAGE_CSS, PAGE_JS, PAGE_PLAIN, PAGE_PARTS };

/* Nothing from elsewhere, nothing inline, and in nobody's frame (w3.org/TR/CSP3). Blobs are pictures to be saved. */
#define PAGE_POLICY "Content-Security-Policy: default-src 'self'; img-src 'self' data: blob:; base-uri 'none'; " \
		    "form-action 'none'; frame-ancestors 'none'\r\nReferrer-Policy: no-referrer\r\n"

/* The files are linked in compressed where the build had a gzip, and are sent so: what shows them takes that. */
#ifdef PAGE_GZIP
#define PAGE_CODING "Content-Encoding: gzip\r\n"
#else
#define PAGE_CODING ""
#endif

/* Further fields of the answer, or NULL. */
static inline const char *page_fields(enum page_part part)
{
	return part == PAGE_PLAIN ? NULL : PAGE_POLICY PAGE_CODING;
}

/* Its Content-Type. */
static inline const char *page_type(enum page_part part)
{
	return part == PAGE_HTML ? "text/html; charset=utf-8" :
	       part == PAGE_CSS  ? "text/css; charset=utf-8" :
	       part == PAGE_JS   ? "text/javascript; charset=utf-8" :
				   "text/plain; charset=utf-8";
}

#endif
