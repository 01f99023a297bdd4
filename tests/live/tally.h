/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tally.h - counts what JSON records tell of very many connections, as they come.
 *
 * A connection's account is closed at its gone record, which is its last: by then it must have
 * had one close record, and no number twice. Numbers that did not come are missing. So memory
 * is bounded by the connections that are open, and a record after the end is found out: it
 * opens an account that does not add up.
 */
#ifndef LA_LIVE_TALLY_H
#define LA_LIVE_TALLY_H

#include <stdbool.h>
#include <stddef.h>

struct la_tally_account;

struct la_tally {
	unsigned long long connections; /* accounts opened */
	unsigned long long closes;	/* close records */
	unsigned long long gones;	/* accounts closed */
	unsigned long long missing;	/* numbers that did not come, of accounts closed */
	unsigned long long broken;	/* accounts that do not add up, lines that are no record */
	unsigned long long lost;	/* told in lost records of source state */
	unsigned long long lost_ends;	/* told in those of any other source */

	struct la_tally_account *accounts;
	size_t filled;
	char line[65536];
};

/*
 * Reads records from a pipe for so many ms, or until its end. False at its end, true if there
 * may be more. Start with a zeroed tally.
 */
bool la_tally_read(struct la_tally *tally, int fd, int ms);

/* Frees the accounts that are still open. */
void la_tally_free(struct la_tally *tally);

#endif
