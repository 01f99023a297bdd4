/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * progress.h - how far long work has come: one line on stderr, while somebody may look.
 *
 * Only where stderr is a terminal and stdout is not, for there the line would stand in the output.
 * For replay and history.
 */
#ifndef LA_USER_PROGRESS_H
#define LA_USER_PROGRESS_H

#include "la_types.h"

struct la_progress {
	const char *what; /* "replay" */
	const char *unit; /* of what is counted: "bytes" */
	bool wanted;
	bool shown;
	__u64 next; /* not before, ns */
};

void la_progress_begin(struct la_progress *progress, const char *what, const char *unit);

/* So much is done, of so much; of 0: nobody knows. Cheap, but asks the clock. */
void la_progress_tell(struct la_progress *progress, __u64 done, __u64 of);

/* Wipes the line, before anything else is said. */
void la_progress_end(struct la_progress *progress);

#endif
