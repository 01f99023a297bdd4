/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * journal.h - which records are being written to which file, so that a write that was cut off can
 * be undone.
 *
 * Lives in memory that outlives the process (persist.h). Before a batch of records is written,
 * the file and its size are noted together with the ring's position; the batch is done when
 * the ring is released, a store of one number. A process that was killed in between leaves a
 * position that is still the ring's: whoever goes on cuts the file back to the size noted, and
 * writes the batch once more. So each record is in the file once, whenever the process dies.
 *
 * Only a regular file can be undone. Anything else gets the batch twice, and never not at all.
 */
#ifndef LA_USER_JOURNAL_H
#define LA_USER_JOURNAL_H

#include "la_abi.h"

struct la_journal {
	__u64 position;		 /* of the ring when the batch began, or LA_JOURNAL_NONE */
	__u64 dev, ino;		 /* of the file */
	__u64 size;		 /* bytes in it before the batch */
	__u64 lost[LA_LOST_MAX]; /* losses that were told, by enum la_lost_source */
};

/* No batch is on its way to a file. */
#define LA_JOURNAL_NONE (~0ULL)

/* What follows goes to fd, and is done when the ring leaves this position. */
void la_journal_begin(struct la_journal *journal, int fd, __u64 position);

/* What followed the last begin is done, though the ring has not moved. */
void la_journal_end(struct la_journal *journal);

/*
 * Cuts off fd what an earlier process wrote there and did not finish, the ring being at this
 * position. Returns how many bytes that were, or -errno.
 */
long long la_journal_undo(struct la_journal *journal, int fd, __u64 position);

#endif
