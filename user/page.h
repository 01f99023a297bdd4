/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page.h - the files of user/page/, as they are, within the program.
 */
#ifndef LA_USER_PAGE_H
#define LA_USER_PAGE_H

#include <stddef.h>

struct la_page {
	const char *bytes, *end;
};

extern const struct la_page la_page_html, la_page_css, la_page_js, la_page_icon;

static inline size_t la_page_size(const struct la_page *page)
{
	return (size_t)(page->end - page->bytes);
}

#endif
