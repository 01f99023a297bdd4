/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_traps.c - what other trackers fell into and no other test here is about. The table of
 * all of them is docs/traps.md.
 */
#include "talk.h"

static struct talk t;

static void start(void)
{
	talk_init(&t, 40000, 443);
}

TestSuite(traps, .init = start);

#define OPENED                                                                                     \
	{ORIG, S}, {RESP, SA, 0, 1},                                                               \
	{                                                                                          \
		ORIG, A, 1, 1                                                                      \
	}

/* The responder waits for the ACK of its FIN, and challenges a blind RST and a blind SYN. */
Test(traps, a_challenge_ack_in_last_ack_is_not_the_last_ack)
{
	talk_lines(&t, OPENED, {ORIG, PA, 1, 1, 10}, {RESP, A, 1, 11}, {ORIG, FA, 11, 1},
		   {RESP, FA, 1, 12, 0, 0, LA_TIME_WAIT, LA_LAST_ACK},
		   {ORIG, R, 5000, 0, 0, LA_R_RST_IGNORED, LA_TIME_WAIT, LA_LAST_ACK},
		   {RESP, A, 2, 12, 0, LA_R_CHALLENGE_ACK, LA_TIME_WAIT, LA_LAST_ACK},
		   {ORIG, A, 12, 1, 0, 0, LA_TIME_WAIT, LA_LAST_ACK});
	cr_expect_eq(talk_count(&t, LA_REC_CLOSE), 0);
	talk_lines(&t, {ORIG, A, 12, 2, 0, 0, LA_TIME_WAIT, LA_CLOSED});
	assert_closed(&t, "fin", "orig", "TIME_WAIT", "CLOSED");
}

/* Data beyond the window is refused, until its receiver acknowledges just that. */
Test(traps, a_wrong_refusal_is_taken_back)
{
	talk_lines(&t, OPENED, {ORIG, PA, 1, 1, 10}, {RESP, A, 1, 11},
		   {ORIG, PA, 900001, 1, 10, LA_R_SEQ_ABOVE_WINDOW}, {RESP, A, 1, 900011},
		   {ORIG, PA, 900011, 1, 10}, {RESP, A, 1, 900021}, {ORIG, FA, 900021, 1},
		   {RESP, FA, 1, 900022}, {ORIG, A, 900022, 2});
	assert_closed(&t, "fin", "orig", "TIME_WAIT", "CLOSED");
}

/* What the receiver acknowledges it has received: only the capture missed it. */
Test(traps, an_acknowledgement_of_what_was_missed_is_followed)
{
	talk_lines(&t, OPENED, {RESP, A, 1, 5001}, {ORIG, PA, 5001, 1, 10}, {RESP, A, 1, 5011});
	cr_expect_eq(t.flow.side[t.orig].bytes, 5010);
}

/* The server of the old connection calls back from the port that it had served on. */
Test(traps, ports_are_used_again_in_the_other_direction)
{
	talk_lines(&t, OPENED, {RESP, FA, 1, 1}, {ORIG, FA, 1, 2}, {RESP, A, 2, 2},
		   {RESP, S, .isn = TALK_ISN_RESP + 100000, .orig = LA_LISTEN, .resp = LA_SYN_SENT},
		   {ORIG, SA, .isn = 4711, .ack = 1}, {RESP, A, 1, 1});
	cr_expect_eq(talk_close(&t)->h.orig, t.orig);
	cr_expect_neq(t.flow.orig, t.orig);
	cr_expect_eq(talk_state(&t, ORIG), LA_ESTABLISHED);
	cr_expect_eq(talk_state(&t, RESP), LA_ESTABLISHED);
}

/* Late for a flow that is gone, it is midstream, which is marked, and dies as an attempt does. */
Test(traps, the_last_ack_of_a_forgotten_connection_is_midstream)
{
	talk_lines(&t, {RESP, FA, 1, 1}, {WAIT, 130000});
	cr_expect_eq(talk_close(&t)->midstream, 1);
	cr_expect_eq(talk_close(&t)->h.orig, t.orig);
	cr_expect_eq(talk_close(&t)->reason, LA_CLOSE_TIMEOUT);
}

/* Far below the window, but acknowledged long ago: legal, and changes nothing. */
Test(traps, an_old_retransmission_is_not_invalid)
{
	talk_lines(&t, OPENED);
	for (__u32 i = 0; i < 40; i++)
		talk_lines(&t, {ORIG, PA, 1 + i * 10000, 1, 10000},
			   {RESP, A, 1, 10001 + i * 10000});
	talk_lines(&t, {ORIG, PA, 1, 1, 10000, LA_R_OLD_DUPLICATE, LA_ESTABLISHED, LA_ESTABLISHED});
	cr_expect_eq(la_reason_verdict(LA_R_OLD_DUPLICATE), LA_VERDICT_IGNORE);
}

/* Both abort; the second RST was sent before the first arrived. */
Test(traps, an_inexact_rst_after_a_rst_is_not_invalid)
{
	talk_lines(&t, OPENED, {ORIG, PA, 1, 1, 10}, {RESP, A, 1, 11}, {ORIG, RA, 11, 1},
		   {RESP, R, 501, 0, 0, LA_R_LATE, LA_CLOSED, LA_CLOSED});
	cr_expect_eq(la_reason_verdict(LA_R_LATE), LA_VERDICT_IGNORE);
	assert_closed(&t, "reset", "orig", "CLOSED", "CLOSED");
}

Test(traps, only_the_rst_at_the_next_number_closes)
{
	talk_lines(
		&t, {ORIG, S, .isn = 5000000}, {RESP, SA, 0, 1}, {ORIG, A, 1, 1},
		{ORIG, PA, 1, 1, 100}, {RESP, A, 1, 101},
		{ORIG, R, .raw = true, .reason = LA_R_RST_OUT_OF_WINDOW, .orig = LA_ESTABLISHED,
		 .resp = LA_ESTABLISHED},
		{ORIG, R, 10000000, 0, 0, LA_R_RST_OUT_OF_WINDOW, LA_ESTABLISHED, LA_ESTABLISHED},
		{ORIG, R, 50, 0, 0, LA_R_RST_OUT_OF_WINDOW, LA_ESTABLISHED, LA_ESTABLISHED});
	cr_expect_eq(talk_count(&t, LA_REC_CLOSE), 0);
	talk_lines(&t, {ORIG, R, 101, 0, 0, 0, LA_CLOSED, LA_CLOSED});
	assert_closed(&t, "reset", "orig", "CLOSED", "CLOSED");
}
