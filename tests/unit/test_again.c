/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_again.c - old bytes: sent again, overtaken or copied (la_again.h), and old times: what
 * PAWS drops and which SYN reopens a TIME_WAIT (la_paws.h).
 *
 * In each talk with timestamps one tick is a millisecond, as in Linux.
 */
#include "talk.h"

static struct talk t;

static void init(void)
{
	talk_init(&t, 40000, 80);
}

TestSuite(again, .init = init);
TestSuite(paws, .init = init);

/* A handshake of 2 ms, then two segments of 100 bytes that are acknowledged. */
#define OPENED                                                                                     \
	{ORIG, S}, {RESP, SA, 0, 1}, {ORIG, A, 1, 1}, {ORIG, PA, 1, 1, 100},                       \
		{ORIG, PA, 101, 1, 100},                                                           \
	{                                                                                          \
		RESP, A, 1, 201                                                                    \
	}

#define OPENED_TS                                                                                  \
	{ORIG, S, .ts = 1000}, {RESP, SA, 0, 1, .ts = 5000, .ecr = 1000},                          \
		{ORIG, A, 1, 1, .ts = 1002, .ecr = 5000},                                          \
		{ORIG, PA, 1, 1, 100, .ts = 1003, .ecr = 5000},                                    \
		{ORIG, PA, 101, 1, 100, .ts = 1004, .ecr = 5000},                                  \
	{                                                                                          \
		RESP, A, 1, 201, .ts = 5005, .ecr = 1004                                           \
	}

static void assert_counts(__u32 retrans, __u32 ooo, __u32 dups)
{
	const struct la_side *s = &t.flow.side[t.orig];

	cr_assert(s->retrans == retrans && s->ooo == ooo && s->dups == dups,
		  "%u sent again, %u overtaken, %u twice; not %u, %u, %u", s->retrans, s->ooo,
		  s->dups, retrans, ooo, dups);
}

Test(again, in_order)
{
	talk_lines(&t, OPENED_TS);
	assert_counts(0, 0, 0);
}

/* ---- without timestamps: by time ---- */

Test(again, overtaken_if_sooner_than_a_round_trip)
{
	talk_lines(&t, OPENED, {ORIG, PA, 301, 1, 100}, {ORIG, PA, 201, 1, 100}, {RESP, A, 1, 401});
	assert_counts(0, 1, 0);
	cr_assert_eq(t.flow.side[t.orig].bytes, 400);
}

/* Lost before it was seen, and sent again after the news came back. */
Test(again, sent_again_if_later_than_a_round_trip)
{
	talk_lines(&t, OPENED, {ORIG, PA, 301, 1, 100}, {RESP, A, 1, 201}, {WAIT, 10},
		   {ORIG, PA, 201, 1, 100}, {RESP, A, 1, 401});
	assert_counts(1, 0, 0);
}

Test(again, nothing_missing)
{
	talk_lines(&t, OPENED, {ORIG, PA, 201, 1, 100}, {ORIG, PA, 301, 1, 100},
		   {ORIG, PA, 201, 1, 100}, {RESP, A, 1, 401});
	assert_counts(1, 0, 0);
}

/* Its receiver had it: needless. */
Test(again, acknowledged_before)
{
	talk_lines(&t, OPENED, {WAIT, 300}, {ORIG, PA, 101, 1, 100, LA_R_OLD_DUPLICATE});
	assert_counts(1, 0, 1);
}

/* ---- with timestamps: by what the sender says ---- */

/* However late: what bears an older time was sent before. */
Test(again, overtaken_by_its_timestamp)
{
	talk_lines(&t, OPENED_TS, {ORIG, PA, 301, 1, 100, .ts = 1010, .ecr = 5005}, {WAIT, 50},
		   {ORIG, PA, 201, 1, 100, .ts = 1009, .ecr = 5005});
	assert_counts(0, 1, 0);
}

/* However soon: a newer time was sent later. */
Test(again, sent_again_by_its_timestamp)
{
	talk_lines(&t, OPENED_TS, {ORIG, PA, 301, 1, 100, .ts = 1010, .ecr = 5005},
		   {ORIG, PA, 201, 1, 100, .ts = 1011, .ecr = 5005});
	assert_counts(1, 0, 0);
}

/* The network made two of one. */
Test(again, copied)
{
	talk_lines(&t, OPENED_TS, {ORIG, PA, 201, 1, 100, .ts = 1010, .ecr = 5005},
		   {ORIG, PA, 201, 1, 100, .ts = 1010, .ecr = 5005},
		   {ORIG, PA, 301, 1, 100, .ts = 1012, .ecr = 5005},
		   {ORIG, PA, 201, 1, 100, .ts = 1010, .ecr = 5005});
	assert_counts(0, 0, 2);
	cr_assert_eq(t.flow.unanswered, 0);
}

/* The innocent neighbour: in the same tick, but not the last bytes, is fast retransmit. */
Test(again, sent_again_within_a_tick)
{
	talk_lines(&t, OPENED_TS, {ORIG, PA, 201, 1, 100, .ts = 1010, .ecr = 5005},
		   {ORIG, PA, 301, 1, 100, .ts = 1012, .ecr = 5005},
		   {ORIG, PA, 201, 1, 100, .ts = 1012, .ecr = 5005});
	assert_counts(1, 0, 0);
}

/* Reordering at its worst is no retransmission. */
Test(again, every_pair_turned_round)
{
	__u32 at = 201, ts = 1010;

	talk_lines(&t, OPENED_TS);
	for (int i = 0; i < 50; i++, at += 200, ts += 2)
		talk_lines(&t, {ORIG, PA, at + 100, 1, 100, .ts = ts, .ecr = 5005},
			   {ORIG, PA, at, 1, 100, .ts = ts - 1, .ecr = 5005},
			   {RESP, A, 1, at + 200, .ts = 5010, .ecr = ts - 1});
	assert_counts(0, 50, 0);
	cr_assert_eq(t.flow.side[t.orig].bytes, 200 + 50 * 200);
}

/* ---- what the receiver says (RFC 2883) ---- */

Test(again, dsack_tells_of_what_was_needless)
{
	talk_lines(&t, OPENED, {ORIG, PA, 201, 1, 100}, {WAIT, 200}, {ORIG, PA, 201, 1, 100},
		   {RESP, A, 1, 301}, {RESP, A, 1, 301, .opts = LA_OPT_DSACK});
	assert_counts(1, 0, 1);
}

/* What was counted already is told only once more. */
Test(again, dsack_tells_of_what_is_known)
{
	talk_lines(&t, OPENED, {WAIT, 300}, {ORIG, PA, 101, 1, 100, LA_R_OLD_DUPLICATE},
		   {RESP, A, 1, 201, .opts = LA_OPT_DSACK});
	assert_counts(1, 0, 1);
}

/* The innocent neighbour: dup ACKs tell of a hole, not of a duplicate. */
Test(again, dup_acks_are_no_duplicates)
{
	talk_lines(&t, OPENED, {ORIG, PA, 201, 1, 100}, {RESP, A, 1, 201}, {RESP, A, 1, 201},
		   {RESP, A, 1, 201}, {ORIG, PA, 201, 1, 100}, {RESP, A, 1, 301});
	assert_counts(1, 0, 0);
	cr_assert_eq(t.flow.side[!t.orig].retrans, 0);
}

/* ---- PAWS ---- */

Test(paws, old_time_is_ignored)
{
	talk_lines(&t, OPENED_TS,
		   {ORIG, PA, 201, 1, 100, LA_R_PAWS, LA_ESTABLISHED, LA_ESTABLISHED, .ts = 900,
		    .ecr = 5005},
		   {ORIG, PA, 201, 1, 100, .ts = 1010, .ecr = 5005});
	cr_assert_eq(talk_bytes(&t, ORIG), 300);
	assert_counts(0, 0, 0);
}

/* Not even a FIN closes with an old time. */
Test(paws, old_fin_is_ignored)
{
	talk_lines(&t, OPENED_TS,
		   {ORIG, FA, 201, 1, 0, LA_R_PAWS, LA_ESTABLISHED, LA_ESTABLISHED, .ts = 900,
		    .ecr = 5005});
}

/* A tick less is jitter of several processors. */
Test(paws, one_tick_is_forgiven)
{
	talk_lines(&t, OPENED_TS, {ORIG, PA, 201, 1, 100, .ts = 1003, .ecr = 5005});
	cr_assert_eq(talk_bytes(&t, ORIG), 300);
}

/* RFC 7323 5.2: a RST is exempt. */
Test(paws, a_rst_is_exempt)
{
	talk_lines(&t, OPENED_TS,
		   {ORIG, RA, 201, 1, 0, 0, LA_CLOSED, LA_CLOSED, .ts = 900, .ecr = 5005});
}

/* Overtaken data is older than what was seen, but not than what its receiver took. */
Test(paws, overtaken_data_is_not_too_old)
{
	talk_lines(&t, OPENED_TS, {ORIG, PA, 301, 1, 100, .ts = 1020, .ecr = 5005},
		   {RESP, A, 1, 201, .ts = 5020, .ecr = 1004},
		   {ORIG, PA, 201, 1, 100, .ts = 1010, .ecr = 5005});
	assert_counts(0, 1, 0);
}

Test(paws, only_if_both_syns_had_timestamps)
{
	talk_lines(&t, {ORIG, S, .ts = 1000}, {RESP, SA, 0, 1}, {ORIG, A, 1, 1},
		   {ORIG, PA, 1, 1, 100, .ts = 900});
	cr_assert_eq(t.flow.side[t.orig].bytes, 100);
}

/* The clock of timestamps wraps too. */
Test(paws, times_wrap)
{
	talk_lines(&t, {ORIG, S, .ts = 0xfffffff0}, {RESP, SA, 0, 1, .ts = 5, .ecr = 0xfffffff0},
		   {ORIG, A, 1, 1, .ts = 0xfffffff1, .ecr = 5},
		   {ORIG, PA, 1, 1, 100, .ts = 16, .ecr = 5}, {RESP, A, 1, 101, .ts = 6, .ecr = 16},
		   {ORIG, PA, 101, 1, 100, LA_R_PAWS, .ts = 0xfffffff1, .ecr = 6});
}

/* RFC 7323 5.5: nobody can tell old from new after 24 days. */
Test(paws, after_24_days_everything_is_new)
{
	t.cfg.timeout[LA_TIMEOUT_ESTABLISHED] = 100 * 86400 * LA_SEC_NS;
	talk_lines(&t, OPENED_TS, {WAIT, 2000000000}, {WAIT, 160000000},
		   {ORIG, PA, 201, 1, 100, .ts = 900, .ecr = 5005});
	cr_assert_eq(talk_bytes(&t, ORIG), 300);
}

/* The peer tells an echo of what was never sent: it is not believed. */
Test(paws, impossible_echo)
{
	talk_lines(&t, OPENED_TS, {RESP, A, 1, 201, .ts = 5006, .ecr = 999000},
		   {ORIG, PA, 201, 1, 100, .ts = 1010, .ecr = 5006});
	cr_assert_eq(talk_bytes(&t, ORIG), 300);
}

/* ---- RFC 6191 ---- */

#define IN_TIME_WAIT                                                                               \
	OPENED_TS, {RESP, FA, 1, 201, .ts = 5010, .ecr = 1004},                                    \
		{ORIG, FA, 201, 2, .ts = 1011, .ecr = 5010},                                       \
	{                                                                                          \
		RESP, A, 2, 202, 0, 0, LA_CLOSED, LA_TIME_WAIT, .ts = 5012, .ecr = 1011            \
	}

Test(paws, newer_time_reopens_though_the_number_is_lower)
{
	talk_lines(&t, IN_TIME_WAIT,
		   {ORIG, S, .isn = TALK_ISN_ORIG - 100000, .ts = 2000, .orig = LA_SYN_SENT,
		    .resp = LA_LISTEN});
	cr_assert_eq(talk_find(&t, LA_REC_GONE, 0)->gone.why, LA_GONE_REPLACED);
}

Test(paws, older_time_does_not_reopen_though_the_number_is_higher)
{
	talk_lines(&t, IN_TIME_WAIT,
		   {ORIG, S, .raw = true, .seq = TALK_ISN_ORIG + 100000, .ts = 500,
		    .reason = LA_R_STALE_SYN, .orig = LA_CLOSED, .resp = LA_TIME_WAIT});
}

Test(paws, at_the_same_tick_the_number_decides)
{
	talk_lines(&t, IN_TIME_WAIT,
		   {ORIG, S, .raw = true, .seq = TALK_ISN_ORIG - 100, .ts = 1011,
		    .reason = LA_R_STALE_SYN, .orig = LA_CLOSED, .resp = LA_TIME_WAIT},
		   {ORIG, S, .isn = TALK_ISN_ORIG + 100000, .ts = 1011, .orig = LA_SYN_SENT,
		    .resp = LA_LISTEN});
}

Test(paws, without_a_time_the_number_decides)
{
	talk_lines(
		&t, IN_TIME_WAIT,
		{ORIG, S, .isn = TALK_ISN_ORIG + 100000, .orig = LA_SYN_SENT, .resp = LA_LISTEN});
}
