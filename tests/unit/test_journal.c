// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_journal.c - a batch that was cut off leaves the file as it was before.
 */
#include "journal.h"
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int file_of(const char *text)
{
	char path[] = "/tmp/lastack-journal-XXXXXX";
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	unlink(path);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	return fd;
}

static void put(int fd, const char *text)
{
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void expect_text(int fd, const char *text)
{
	char got[100] = "";
	ssize_t len = pread(fd, got, sizeof(got) - 1, 0);

	cr_expect_eq(len, (ssize_t)strlen(text));
	cr_expect_str_eq(got, text);
}

Test(journal, a_batch_that_was_cut_off_is_undone)
{
	struct la_journal journal = {.position = LA_JOURNAL_NONE};
	int fd = file_of("one\n");

	la_journal_begin(&journal, fd, 96);
	put(fd, "two\nthr");
	cr_expect_eq(la_journal_undo(&journal, fd, 96), 7);
	put(fd, "two\nthree\n"); /* the offset went back too */
	expect_text(fd, "one\ntwo\nthree\n");
	close(fd);
}

Test(journal, a_batch_that_the_ring_has_left_stays)
{
	struct la_journal journal = {.position = LA_JOURNAL_NONE};
	int fd = file_of("one\n");

	la_journal_begin(&journal, fd, 96);
	put(fd, "two\n");
	cr_expect_eq(la_journal_undo(&journal, fd, 192), 0);
	expect_text(fd, "one\ntwo\n");
	close(fd);
}

Test(journal, what_was_ended_stays_though_the_ring_did_not_move)
{
	struct la_journal journal = {.position = LA_JOURNAL_NONE};
	int fd = file_of("one\n");

	la_journal_begin(&journal, fd, 96);
	put(fd, "lost\n");
	la_journal_end(&journal);
	cr_expect_eq(la_journal_undo(&journal, fd, 96), 0);
	expect_text(fd, "one\nlost\n");
	close(fd);
}

Test(journal, another_file_is_left_alone)
{
	struct la_journal journal = {.position = LA_JOURNAL_NONE};
	int fd = file_of("one\n"), other = file_of("somebody else's\n");

	la_journal_begin(&journal, fd, 96);
	cr_expect_eq(la_journal_undo(&journal, other, 96), 0);
	expect_text(other, "somebody else's\n");
	close(fd);
	close(other);
}

/* Begun anew, as by `>` in a shell. */
Test(journal, a_file_that_is_shorter_than_it_was_is_left_alone)
{
	struct la_journal journal = {.position = LA_JOURNAL_NONE};
	int fd = file_of("one\n");

	la_journal_begin(&journal, fd, 96);
	cr_assert_eq(ftruncate(fd, 0), 0);
	cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
	put(fd, "x\n");
	cr_expect_eq(la_journal_undo(&journal, fd, 96), 0);
	expect_text(fd, "x\n");
	close(fd);
}

Test(journal, a_pipe_cannot_be_undone)
{
	struct la_journal journal = {.position = 5};
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	la_journal_begin(&journal, ends[1], 96);
	cr_expect_eq(journal.position, LA_JOURNAL_NONE);
	cr_expect_eq(la_journal_undo(&journal, ends[1], 96), 0);
	close(ends[0]);
	close(ends[1]);
}
