// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_recall.c - the latest records, and which of them are one connection's.
 */
#include "recall.h"
#include "sink.h"
#include <criterion/criterion.h>
#include <string.h>

static struct la_recall *recall;
static union {
	struct la_rec_state states[8];
	char bytes[8 * sizeof(struct la_rec_state)];
} got;

static void begin(void)
{
	recall = la_recall_new();
	cr_assert(recall);
}

static void end(void)
{
	la_recall_free(recall);
}

static void add(enum la_record type, __u64 id, __u32 seq)
{
	union la_any_rec rec = {.h = {.type = type, .id = id, .seq = seq}};

	la_recall_add(recall, &rec.h);
}

/* How many transitions there are of it, in so much room; they are in got. */
static size_t ask(__u64 id, size_t room)
{
	size_t size = la_recall_copy(recall, id, got.bytes, room);

	cr_assert_eq(size % sizeof(*got.states), 0);
	return size / sizeof(*got.states);
}

TestSuite(recall, .init = begin, .fini = end);

Test(recall, ones_own_in_their_order)
{
	for (__u32 seq = 0; seq < 6; seq++)
		add(LA_REC_STATE, seq % 2 ? 7 : 8, seq);
	cr_assert_eq(ask(7, sizeof(got)), 3);
	for (__u32 i = 0; i < 3; i++)
		cr_expect_eq(got.states[i].h.seq, 1 + 2 * i);
	cr_expect_eq(ask(9, sizeof(got)), 0);
}

Test(recall, only_what_makes_a_ladder)
{
	add(LA_REC_CLOSE, 7, 0);
	add(LA_REC_GONE, 7, 1);
	cr_expect_eq(ask(7, sizeof(got)), 0);
	add(LA_REC_RST, 7, 2);
	add(LA_REC_SEGMENT, 7, 3);
	cr_expect_eq(la_recall_copy(recall, 7, got.bytes, sizeof(got)),
		     sizeof(struct la_rec_rst) + sizeof(struct la_rec_segment));
}

Test(recall, the_latest_if_there_is_no_room)
{
	for (__u32 seq = 0; seq < 6; seq++)
		add(LA_REC_STATE, 7, seq);
	cr_assert_eq(ask(7, 2 * sizeof(*got.states) + 1), 2);
	cr_expect_eq(got.states[0].h.seq, 4);
	cr_expect_eq(got.states[1].h.seq, 5);
}

Test(recall, the_oldest_give_way)
{
	add(LA_REC_STATE, 7, 0);
	add(LA_REC_STATE, 7, 1);
	for (__u32 seq = 0; seq < LA_RECALL_MAX - 1; seq++)
		add(LA_REC_STATE, 8, seq);
	cr_assert_eq(ask(7, sizeof(got)), 1);
	cr_expect_eq(got.states[0].h.seq, 1);
}

Test(recall, none_is_none)
{
	la_recall_add(NULL, &(struct la_rec){.type = LA_REC_STATE});
	cr_expect_eq(la_recall_copy(NULL, 7, got.bytes, sizeof(got)), 0);
}
