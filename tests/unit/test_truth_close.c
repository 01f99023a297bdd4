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
