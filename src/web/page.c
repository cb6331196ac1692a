/* SPDX-License-Identifier: MIT */
#include "web/page.h"

/* The assembler's own way to take in a file: works for every target, and needs no tool at build time. */
__asm__(".section .rodata\n"
	".global page_html_begin\n"
	".global page_html_end\n"
	"page_html_begin:\n"
	".incbin \"src/web/index.html\"\n"
	"page_html_end:\n"
	".byte 0\n"
	".previous\n");

extern const char page_html_begin[], page_html_end[];

struct slice page_html(void)
{
	return (struct slice){ page_html_begin, (size_t)(page_html_end - page_html_begin) };
}
