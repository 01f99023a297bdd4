/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_history.c - the file of a history: what goes in comes out, once; what is too old or too much
 * goes; a file of somebody else is left alone.
 */
#include "history.h"
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OFFSET 1000000

static char path[64];

static void make_place(void)
{
	char dir[] = "/tmp/lastack-history-XXXXXX";

	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/h.db", dir);
}

static void remove_place(void)
{
	char name[80];

	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%s%s", path, (const char *[]){"", "-wal", "-shm"}[i]);
		unlink(name);
	}
	*strrchr(path, '/') = '\0';
	rmdir(path);
}

TestSuite(history, .init = make_place, .fini = remove_place);

static const char *eth7(__u32 ifindex, void *ctx)
{
	(void)ctx;
	return ifindex == 7 ? "eth7" : NULL;
}

static struct la_history *open_at(__u64 max_bytes, __u64 max_age)
{
	struct la_history_opts opts = {.path = path,
				       .max_bytes = max_bytes,
				       .max_age = max_age,
				       .clock_offset = OFFSET,
				       .ifname = eth7};

	return la_history_open(&opts);
}

static struct la_rec_close closed(__u64 ts, __u64 id)
{
	struct la_rec_close c = {
		.h = {.v = LA_ABI_VERSION, .type = LA_REC_CLOSE, .ts = ts, .id = id},
		.reason = LA_CLOSE_RESET,
		.closed_by = LA_BY_RESP};

	c.h.ifindex = id % 2 ? 7 : 8;
	return c;
}

static void put(struct la_history *h, __u64 ts, __u64 id)
{
	struct la_rec_close c = closed(ts, id);

	la_sink_record(la_history_sink(h), &c.h);
}

struct heard {
	struct la_rec_close close[8];
	char ifname[8][16];
	int n, most;
};

static int hear(const struct la_history_row *row, void *ctx)
{
	struct heard *heard = ctx;

	if (heard->n < 8) {
		heard->close[heard->n] = row->close;
		snprintf(heard->ifname[heard->n], 16, "%s", row->ifname);
	}
	return ++heard->n == heard->most;
}

static struct heard all(__u64 since, __u64 until)
{
	struct heard heard = {.n = 0};

	cr_assert_eq(la_history_read(path, since, until, hear, &heard), 0);
	return heard;
}

Test(history, what_goes_in_comes_out_in_order)
{
	struct la_history *h = open_at(0, 0);
	struct la_rec_close want = closed(10, 3);
	struct heard heard;

	cr_assert(h);
	put(h, 20, 4);
	put(h, 10, 3);
	la_sink_flush(la_history_sink(h));
	heard = all(0, ~0ULL); /* while it is still open */
	cr_assert_eq(heard.n, 2);
	want.h.ts += OFFSET;
	cr_expect_arr_eq(&heard.close[0], &want, sizeof(want));
	cr_expect_str_eq(heard.ifname[0], "eth7");
	cr_expect_str_eq(heard.ifname[1], "");
	cr_expect_eq(all(OFFSET + 10, OFFSET + 20).n, 1, "from since on, and before until");
	la_history_close(h);
}

Test(history, the_reader_says_when_it_has_enough)
{
	struct la_history *h = open_at(0, 0);
	struct heard heard = {.most = 1};

	put(h, 1, 1);
	put(h, 2, 2);
	la_history_close(h); /* which writes */
	cr_expect_eq(la_history_read(path, 0, ~0ULL, hear, &heard), 1);
	cr_expect_eq(heard.n, 1);
}

Test(history, the_same_record_twice_is_one_row)
{
	struct la_history *h = open_at(0, 0);

	put(h, 10, 3);
	la_history_close(h);
	h = open_at(0, 0); /* after a kill, say */
	put(h, 10, 3);
	put(h, 11, 3); /* the same name later is another connection */
	la_history_close(h);
	cr_expect_eq(all(0, ~0ULL).n, 2);
}

Test(history, what_is_too_old_goes)
{
	struct la_history *h = open_at(0, 100);

	put(h, 10, 1);
	put(h, 50, 2);
	la_history_trim(h, OFFSET + 130);
	cr_expect_eq(all(0, ~0ULL).n, 1);
	cr_expect_eq(all(0, ~0ULL).close[0].h.id, 2);
	la_history_close(h);
}

Test(history, what_is_too_much_goes_the_oldest_first)
{
	struct la_history *h = open_at(4 << 20, 0);
	struct heard heard = {.most = 1};

	for (__u64 i = 1; i <= 20000; i++)
		put(h, i, i);
	la_sink_flush(la_history_sink(h));
	for (int i = 0; i < 10; i++)
		la_history_trim(h, 0);
	cr_assert_eq(la_history_read(path, 0, ~0ULL, hear, &heard), 1);
	cr_expect_gt(heard.close[0].h.id, 1, "the oldest is still there");
	heard = all(0, ~0ULL);
	cr_expect(heard.n > 1000 && heard.n < 15000, "%d rows are left", heard.n);
	la_history_close(h);
	cr_expect_eq(la_history_lost(h = open_at(0, 0)), 0);
	la_history_close(h);
}

Test(history, what_is_no_history_is_left_alone)
{
	static const char text[] = "this is a text of more than a hundred bytes, which no database "
				   "begins with, whatever else it may be, or may have been once\n";
	struct heard heard = {.n = 0};
	char said[1000] = "";
	FILE *file;

	cr_redirect_stderr();
	file = fopen(path, "we");
	fputs(text, file);
	fclose(file);
	cr_expect_null(open_at(0, 0));
	cr_expect_eq(la_history_read(path, 0, ~0ULL, hear, &heard), -1);
	file = cr_get_redirected_stderr();
	cr_assert_gt(fread(said, 1, sizeof(said) - 1, file), 0);
	cr_expect(strstr(said, "h.db: file is not a database"), "%s", said);
}
