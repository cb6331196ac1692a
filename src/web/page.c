/* SPDX-License-Identifier: MIT */
#include "web/page.h"

#ifdef PAGE_GZIP
#define PLAIN "Open this address in a browser, or give it to `sonde check` in a terminal.\\n"
#else
#define PLAIN ""
#endif

/* The assembler's own way to take in a file: works for every target, and needs no tool at build time. */
#define LABEL(name) ".global " #name "\n" #name ":\n"

__asm__(".section .rodata\n"
	LABEL(page_html) ".incbin \"index.html\"\n"
	LABEL(page_css) ".incbin \"sonde.css\"\n"
	LABEL(page_js) ".incbin \"sonde.js\"\n"
	LABEL(page_plain) ".ascii \"" PLAIN "\"\n"
	LABEL(page_end)
	".previous\n");

extern const char page_html[], page_css[], page_js[], page_plain[], page_end[];

struct slice page(enum page_part part)
{
	static const char *const at[] = { page_html, page_css, page_js, page_plain, page_end };

	return (struct slice){ at[part], (size_t)(at[part + 1] - at[part]) };
}
