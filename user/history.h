/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * history.h - close records kept in a file: an SQLite database, a row a connection.
 *
 * What is written in one go is there after a kill -9, because SQLite appends it to its log (WAL) by
 * one write(2). A disk that is full or a file that is broken is told once, what could not be kept
 * is counted, and tracking goes on. The same record twice, as after a kill with --persist, is one
 * row. Limits of age and size take the oldest rows away, a few at a time.
 *
 * For the verbs: `run` writes, `history` and `why` read. Anybody with sqlite3(1) can read the
 * columns; the record itself is in one of them, and belongs to one version of the ABI.
 */
#ifndef LA_USER_HISTORY_H
#define LA_USER_HISTORY_H

#include "owners.h"
#include "sink.h"

/* The file, if nobody says where it is: where to look for one, for none is written unasked. */
#define LA_HISTORY_DEFAULT "/var/lib/lastack/history.db"

#define LA_HISTORY_SIZE_DEFAULT (1024ULL << 20)		    /* bytes */
#define LA_HISTORY_AGE_DEFAULT	(30ULL * 86400 * LA_SEC_NS) /* ns */

struct la_history;

struct la_history_opts {
	const char *path;
	__u64 max_bytes;    /* of the database; 0: no limit */
	__u64 max_age;	    /* ns since the end of a connection; 0: no limit */
	__s64 clock_offset; /* ns from a record's clock to the wall clock */
	/* Name of an interface, NULL if it has none. */
	const char *(*ifname)(__u32 ifindex, void *ctx);
	void *ifname_ctx;
	la_owners_fn owners; /* or NULL */
	void *owners_ctx;
};

/* Opens a file to write to, and makes it if it is not there. NULL: why is on stderr. */
struct la_history *la_history_open(const struct la_history_opts *opts);

/*
 * Keeps close records; belongs to the history. Its flush writes what has come since the last one
 * and never fails.
 */
struct la_sink *la_history_sink(struct la_history *history);

/* Takes away what is too old at this time (ns since the epoch), or too much; a bounded piece. */
void la_history_trim(struct la_history *history, __u64 now);

/* Close records that could not be kept. */
__u64 la_history_lost(const struct la_history *history);

/* Writes what has come. NULL is allowed. */
void la_history_close(struct la_history *history);

/* A row, as it is read. */
struct la_history_row {
	struct la_rec_close close; /* h.ts in ns since the epoch, h.ifindex without meaning */
	const char *ifname;	   /* empty: it had none */
	struct la_owned own[2];
};

/*
 * Calls fn with each connection of a file that ended in [since, until), ns since the epoch, the
 * oldest first, until it returns not 0. Returns what fn did, 0, or -1 with the reason on stderr.
 */
int la_history_read(const char *path, __u64 since, __u64 until,
		    int (*fn)(const struct la_history_row *row, void *ctx), void *ctx);

#endif
