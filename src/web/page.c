/* SPDX-License-Identifier: MIT */
#include "web/page.h"

/* The assembler's own way to take in a file: works for every target, and needs no tool at build time. */
#define TAKE(name, file)                                    \
	".global " #name "_begin\n.global " #name "_end\n" \
	#name "_begin:\n.incbin \"" file "\"\n" #name "_end:\n"

__asm__(".section .rodata\n"
	TAKE(page_html, "src/web/index.html")
	TAKE(page_css, "sonde.css")
	TAKE(page_js, "sonde.js")
	".previous\n");

extern const char page_html_begin[], page_html_end[];
extern const char page_css_begin[], page_css_end[];
extern const char page_js_begin[], page_js_end[];

struct slice page(enum page_part part)
{
	static const char *const begin[] = { page_html_begin, page_css_begin, page_js_begin };
	static const char *const end[] = { page_html_end, page_css_end, page_js_end };

	return (struct slice){ begin[part], (size_t)(end[part] - begin[part]) };
}
