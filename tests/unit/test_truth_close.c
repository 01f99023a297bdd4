/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_truth_close.c - what the truth lab found out about orderly closes.
 */
#include "talk.h"

static struct talk t;

static void init(void)
{
	talk_init(&t, 40000, 80);
}

TestSuite(truth_close, .init = init);

#define OPENED                                                                                     \
	{ORIG, S}, {RESP, SA, 0, 1},                                                               \
	{                                                                                          \
		ORIG, A, 1, 1, 0, 0, LA_ESTABLISHED, LA_ESTABLISHED                                \
	}

/* "FINs cross": the server's ACK of the client's FIN overtakes the server's own FIN. */
Test(truth_close, a_fin_overtaken_by_the_ack_of_the_other_fin)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1, 0, 0, LA_FIN_WAIT_1, LA_CLOSE_WAIT},
		   {RESP, A, 2, 2, 0, 0, LA_FIN_WAIT_2, LA_CLOSE_WAIT},
		   {RESP, FA, 1, 1, 0, 0, LA_TIME_WAIT, LA_CLOSING},
		   {ORIG, A, 2, 2, 0, 0, LA_TIME_WAIT, LA_TIME_WAIT});
	assert_path(&t, RESP,
		    "SYN_RECEIVED ~ESTABLISHED ~CLOSE_WAIT !ESTABLISHED FIN_WAIT_1 CLOSING "
		    "~TIME_WAIT");
	assert_closed(&t, "simultaneous_fin", "both", "TIME_WAIT", "TIME_WAIT");
}

/* A copy of the FIN that comes late acknowledges less than its sender has by then. */
Test(truth_close, an_old_copy_of_a_fin_is_not_sent_again)
{
	talk_lines(&t, OPENED, {RESP, FA, 1, 1, 0}, {ORIG, FA, 1, 2, 0},
		   {RESP, A, 2, 2, 0, 0, LA_CLOSED, LA_TIME_WAIT},
		   {RESP, FA, 1, 1, 0, LA_R_LATE, LA_CLOSED, LA_TIME_WAIT});
	assert_path(&t, RESP, "SYN_RECEIVED ~ESTABLISHED FIN_WAIT_1 ~FIN_WAIT_2 ~TIME_WAIT");
}

/* The FINs cross, but one is lost: its second copy finds the other side in FIN_WAIT_2. */
Test(truth_close, a_crossing_fin_that_was_lost)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1, 0},
		   {RESP, FA, 1, 1, 0, 0, LA_CLOSING, LA_FIN_WAIT_1},
		   {ORIG, A, 2, 2, 0, 0, LA_CLOSING, LA_TIME_WAIT},
		   {ORIG, FA, 1, 2, 0, LA_R_ACCEPTED, LA_CLOSING, LA_TIME_WAIT});
	assert_path(&t, RESP,
		    "SYN_RECEIVED ~ESTABLISHED ~CLOSE_WAIT !ESTABLISHED FIN_WAIT_1 ~CLOSING "
		    "~TIME_WAIT !FIN_WAIT_2 ~TIME_WAIT");
}

/* An old SYN-ACK finds nobody, and a client is not presumed to have called for it. */
Test(truth_close, a_syn_ack_that_met_no_socket)
{
	talk_lines(&t, {RESP, SA, 0, 1, 0, 0, LA_SYN_SENT, LA_SYN_RECEIVED},
		   {ORIG, R, 1, 0, 0, 0, LA_CLOSED, LA_CLOSED});
	assert_path(&t, ORIG, "~SYN_SENT !CLOSED");
}

/* The third ACK is lost, the listener goes: the request was never a connection. */
Test(truth_close, a_third_ack_that_met_no_socket)
{
	talk_lines(&t, OPENED, {ORIG, PA, 1, 1, 10, 0, LA_ESTABLISHED, LA_ESTABLISHED},
		   {RESP, R, 1, 0, 0, 0, LA_CLOSED, LA_CLOSED});
	assert_path(&t, RESP, "SYN_RECEIVED ~ESTABLISHED !SYN_RECEIVED CLOSED");
}
