// SPDX-License-Identifier: BSD-2-Clause
/*
 * scrape.c - see scrape.h.
 */
#include "scrape.h"
#include "fetch.h"
#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WEB_PORT 9464
#define SOON_MS	 60000

/* The value of a series; -1: there is none. */
static double value(const char *text, const char *series)
{
	size_t len = strlen(series);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, series, len) && line[len] == ' ')
			return strtod(line + len, NULL);
	}
	return -1;
}

void la_scrape_until(struct la_lab *lab, enum la_lab_host host, const struct la_series *truth,
		     size_t count)
{
	bool all = false;

	for (int ms = 0; !all; ms += 50) {
		struct la_fetched got = la_fetch(lab, host, WEB_PORT, "/metrics", NULL, NULL);

		all = true;
		for (size_t i = 0; i < count; i++) {
			double is = value(got.body, truth[i].series);

			all = all && is == truth[i].is;
			cr_assert(is == truth[i].is || ms < SOON_MS, "%s: %g, not %g",
				  truth[i].series, is, truth[i].is);
		}
		la_fetched_free(&got);
		if (!all)
			poll(NULL, 0, 50);
	}
}

bool la_scrape_is_right(const char *text)
{
	FILE *to = popen("promtool check metrics 2>&1", "w");

	cr_assert(to, "promtool is missing: make test-deps installs it");
	fputs(text, to);
	return pclose(to) == 0;
}
