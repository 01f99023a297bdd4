/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_oneway.c - connections of which one side is not heard: what can be known is told, and
 * their ends have the right reason as far as that can be known.
 */
#include "talk.h"

static struct talk t;

static void init(void)
{
	talk_init(&t, 40000, 80);
}

TestSuite(oneway, .init = init);

#define HEARD_ORIG                                                                                 \
	{ORIG, S}, {ORIG, A, 1, 1}, {ORIG, PA, 1, 1, 100},                                         \
	{                                                                                          \
		ORIG, A, 101, 501                                                                  \
	}
#define HEARD_RESP                                                                                 \
	{RESP, SA, 0, 1}, {RESP, A, 1, 101},                                                       \
	{                                                                                          \
		RESP, PA, 1, 101, 500                                                              \
	}

Test(oneway, the_originator_closes_first)
{
	talk_lines(&t, HEARD_ORIG, {ORIG, FA, 101, 501, 0, 0, LA_FIN_WAIT_1, LA_CLOSE_WAIT},
		   {ORIG, A, 102, 502, 0, 0, LA_TIME_WAIT, LA_CLOSED});
	assert_closed(&t, "fin", "orig", "TIME_WAIT", "CLOSED");
	assert_path(&t, RESP, "~SYN_RECEIVED ~ESTABLISHED ~CLOSE_WAIT ~LAST_ACK ~CLOSED");
	cr_assert_eq(talk_close(&t)->one_way, 1 + LA_ORIG);
	cr_assert_eq(talk_close(&t)->side[RESP].bytes, 500);
	cr_assert_eq(talk_close(&t)->side[RESP].pkts, 0);
	cr_assert_eq(talk_close(&t)->side[RESP].presumed, 1);
	assert_gapless(&t);
}

Test(oneway, the_responder_closes_first_and_is_heard)
{
	talk_lines(&t, HEARD_RESP, {RESP, FA, 501, 101, 0, 0, LA_CLOSE_WAIT, LA_FIN_WAIT_1},
		   {RESP, A, 502, 102, 0, 0, LA_CLOSED, LA_TIME_WAIT});
	assert_closed(&t, "fin", "resp", "CLOSED", "TIME_WAIT");
	cr_assert_eq(talk_close(&t)->one_way, 1 + LA_RESP);
	cr_assert_eq(talk_close(&t)->side[ORIG].bytes, 100);
}

/* Half-closed: it acknowledges data for a while, the last of it together with the FIN. */
Test(oneway, data_and_fin_in_one_unheard_segment)
{
	talk_lines(&t, HEARD_ORIG, {ORIG, FA, 101, 501}, {WAIT, 100000}, {ORIG, A, 102, 1001},
		   {WAIT, 100000}, {ORIG, A, 102, 1202});
	cr_assert_eq(talk_count(&t, LA_REC_CLOSE), 0);
	talk_lines(&t, {WAIT, 121000});
	assert_closed(&t, "fin", "orig", "FIN_WAIT_1", "CLOSE_WAIT");
	cr_assert_eq(talk_close(&t)->timeout_state, 0);
}

/* The last word of a passive closer is its FIN. */
Test(oneway, the_unheard_side_closes_first)
{
	talk_lines(&t, HEARD_ORIG, {ORIG, A, 101, 502}, {ORIG, FA, 101, 502}, {WAIT, 121000});
	assert_closed(&t, "fin", "resp", "FIN_WAIT_1", "CLOSE_WAIT");
	cr_assert_eq(talk_close(&t)->one_way, 1 + LA_ORIG);
	assert_gapless(&t);
}

Test(oneway, a_fin_that_nobody_answers)
{
	talk_lines(&t, HEARD_ORIG, {ORIG, FA, 101, 501}, {WAIT, 300}, {ORIG, FA, 101, 501},
		   {WAIT, 600}, {ORIG, FA, 101, 501}, {WAIT, 121000});
	assert_closed(&t, "timeout", "none", "FIN_WAIT_1", "CLOSE_WAIT");
}

/* RFC 9293 3.10.7.1: the number of a true RST is that of an ACK that nobody here has heard. */
Test(oneway, a_rst_below_what_was_sent)
{
	talk_lines(&t, HEARD_RESP, {RESP, R, 301, .orig = LA_CLOSED, .resp = LA_CLOSED});
	assert_closed(&t, "reset", "resp", "CLOSED", "CLOSED");
	cr_assert_eq(talk_close(&t)->forged, 0);
	cr_assert_eq(talk_close(&t)->one_way, 1 + LA_RESP);
}

/* One byte more is no FIN if its sender is heard: nothing of all that is presumed. */
Test(oneway, both_are_heard)
{
	talk_lines(&t, {ORIG, S}, {RESP, SA, 0, 1}, {ORIG, A, 1, 1}, {ORIG, FA, 1, 1},
		   {RESP, PA, 1, 2, 1, 0, LA_FIN_WAIT_2, LA_CLOSE_WAIT},
		   {ORIG, A, 2, 2, 0, 0, LA_FIN_WAIT_2, LA_CLOSE_WAIT}, {RESP, FA, 2, 2},
		   {ORIG, A, 2, 3});
	assert_closed(&t, "fin", "orig", "TIME_WAIT", "CLOSED");
	cr_assert_eq(talk_close(&t)->one_way, 0);
}

Test(oneway, an_unanswered_attempt_is_not_one_way)
{
	talk_lines(&t, {ORIG, S}, {WAIT, 121000});
	assert_closed(&t, "timeout", "none", "SYN_SENT", "LISTEN");
	cr_assert_eq(talk_close(&t)->one_way, 0);
}
