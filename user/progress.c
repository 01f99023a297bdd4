/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * progress.c - see progress.h.
 */
#include "progress.h"
#include "clock.h"
#include <stdio.h>
#include <unistd.h>

/* The first line comes after so long, too: short work has none. */
#define EVERY_NS (500 * LA_MSEC_NS)

#define WIPE "\r\033[K"

void la_progress_begin(struct la_progress *progress, const char *what, const char *unit)
{
	*progress = (struct la_progress){
		.what = what,
		.unit = unit,
		.wanted = isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO),
		.next = la_monotonic_ns() + EVERY_NS,
	};
}

void la_progress_tell(struct la_progress *progress, __u64 done, __u64 of)
{
	if (!progress->wanted || la_monotonic_ns() < progress->next)
		return;
	progress->next = la_monotonic_ns() + EVERY_NS;
	progress->shown = true;
	fprintf(stderr, WIPE "lastack: %s: %llu %s", progress->what, (unsigned long long)done,
		progress->unit);
	if (of >= done && of)
		fprintf(stderr, " of %llu, %u %%", (unsigned long long)of,
			(unsigned int)((double)done * 100 / (double)of));
	fflush(stderr);
}

void la_progress_end(struct la_progress *progress)
{
	if (progress->shown)
		fputs(WIPE, stderr);
	progress->shown = false;
}
