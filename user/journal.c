/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * journal.c - see journal.h.
 *
 * The position is what makes an entry valid: it is taken away before the rest changes, and
 * put there after it.
 */
#include "journal.h"
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static void set_position(struct la_journal *journal, __u64 position)
{
	__atomic_store_n(&journal->position, position, __ATOMIC_SEQ_CST);
}

void la_journal_begin(struct la_journal *journal, int fd, __u64 position)
{
	struct stat file;

	set_position(journal, LA_JOURNAL_NONE);
	if (fstat(fd, &file) || !S_ISREG(file.st_mode))
		return;
	journal->dev = file.st_dev;
	journal->ino = file.st_ino;
	journal->size = (__u64)file.st_size;
	set_position(journal, position);
}

void la_journal_end(struct la_journal *journal)
{
	set_position(journal, LA_JOURNAL_NONE);
}

long long la_journal_undo(struct la_journal *journal, int fd, __u64 position)
{
	struct stat file;
	off_t size = (off_t)journal->size;

	if (journal->position != position || fstat(fd, &file) || !S_ISREG(file.st_mode) ||
	    file.st_dev != journal->dev || file.st_ino != journal->ino || file.st_size <= size)
		return 0;
	if (ftruncate(fd, size))
		return -errno;
	if (lseek(fd, 0, SEEK_CUR) > size) /* inherited from who was killed */
		lseek(fd, size, SEEK_SET);
	return file.st_size - size;
}
