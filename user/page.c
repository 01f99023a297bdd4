/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page.c - see page.h. The assembler reads the files, from the top of the tree.
 */
#include "page.h"

#define EMBED(name, file)                                                                          \
	__asm__(".pushsection .rodata\n" #name "_bytes: .incbin \"user/page/" file "\"\n" #name    \
		"_end: .byte 0\n.popsection\n");                                                   \
	extern const char name##_bytes[], name##_end[];                                            \
	const struct la_page name = {name##_bytes, name##_end}

EMBED(la_page_html, "index.html");
EMBED(la_page_css, "page.css");
EMBED(la_page_js, "page.js");
EMBED(la_page_icon, "icon.svg");
