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

/* "port reuse": it knew of the other FIN, and its time tells that it was not sent once more. */
Test(truth_close, a_second_fin_overtaken_by_an_ack_behind_it)
{
	talk_lines(&t, {ORIG, S, .ts = 100}, {RESP, SA, 0, 1, .ts = 100, .ecr = 100},
		   {ORIG, A, 1, 1, .ts = 100, .ecr = 100}, {RESP, FA, 1, 1, .ts = 101, .ecr = 100},
		   {ORIG, A, 2, 2, .ts = 102, .ecr = 101}, {ORIG, FA, 1, 2, .ts = 101, .ecr = 101},
		   {RESP, A, 2, 2, .ts = 104, .ecr = 101, .orig = LA_CLOSED, .resp = LA_TIME_WAIT});
	assert_path(&t, ORIG, "SYN_SENT ESTABLISHED ~CLOSE_WAIT ~LAST_ACK ~CLOSED");
	assert_closed(&t, "fin", "resp", "CLOSED", "TIME_WAIT");
}

/* "both close at once": it knows of the other FIN only now that it is sent for the second time. */
Test(truth_close, a_fin_sent_again_behind_its_ack)
{
	talk_lines(
		&t, {ORIG, S, .ts = 100}, {RESP, SA, 0, 1, .ts = 100, .ecr = 100},
		{ORIG, A, 1, 1, .ts = 100, .ecr = 100}, {RESP, FA, 1, 1, .ts = 101, .ecr = 100},
		{ORIG, A, 2, 2, .ts = 102, .ecr = 101}, {ORIG, FA, 1, 2, .ts = 302, .ecr = 101},
		{RESP, A, 2, 2, .ts = 303, .ecr = 302, .orig = LA_TIME_WAIT, .resp = LA_TIME_WAIT});
	assert_closed(&t, "simultaneous_fin", "both", "TIME_WAIT", "TIME_WAIT");
}

/* The same, and the other FIN comes again, too, crossing it: the one that arrives bears its ACK. */
Test(truth_close, two_fins_sent_again_that_cross)
{
	talk_lines(&t, OPENED, {RESP, FA, 1, 1}, {ORIG, A, 2, 2}, {WAIT, 200},
		   {ORIG, FA, 1, 2, 0, 0, LA_CLOSING, LA_TIME_WAIT},
		   {RESP, FA, 1, 1, 0, 0, LA_CLOSING, LA_FIN_WAIT_1},
		   {RESP, A, 2, 2, 0, 0, LA_TIME_WAIT, LA_TIME_WAIT});
	assert_path(&t, RESP,
		    "SYN_RECEIVED ~ESTABLISHED FIN_WAIT_1 ~FIN_WAIT_2 ~TIME_WAIT !CLOSING "
		    "!FIN_WAIT_1 ~FIN_WAIT_2 ~TIME_WAIT");
}

/* "abort while closing": the first copy of its FIN was lost, and so was the RST between them. */
Test(truth_close, a_second_copy_of_a_fin_behind_a_rst)
{
	talk_lines(&t, OPENED, {RESP, FA, 1, 1}, {RESP, RA, 2, 1, 0, 0, LA_CLOSED, LA_CLOSED},
		   {WAIT, 200}, {ORIG, FA, 1, 2, .reason = LA_R_LATE},
		   {RESP, R, 2, 0, .reason = LA_R_LATE, .orig = LA_CLOSED, .resp = LA_CLOSED});
	assert_path(&t, ORIG,
		    "SYN_SENT ESTABLISHED ~CLOSE_WAIT ~CLOSED !CLOSE_WAIT ~LAST_ACK "
		    "~CLOSED");
}

/* "fast open": data that came before the SYN-ACK is dropped, so the FIN behind it does not arrive.
 */
Test(truth_close, a_fin_behind_data_that_overtook_the_syn_ack)
{
	talk_lines(&t, {ORIG, S, .len = 126}, {RESP, A, 1, 127, 100},
		   {RESP, SA, 0, 127, .reason = LA_R_SYN_RETRANSMIT}, {ORIG, A, 127, 1},
		   {RESP, FA, 101, 127, 0, 0, LA_ESTABLISHED, LA_FIN_WAIT_1}, {ORIG, A, 127, 1},
		   {WAIT, 3000}, {ORIG, FA, 127, 1},
		   {RESP, A, 102, 128, 0, 0, LA_FIN_WAIT_2, LA_CLOSING},
		   {RESP, PA, 1, 128, 100, 0, LA_TIME_WAIT, LA_CLOSING});
	assert_path(&t, ORIG, "SYN_SENT ESTABLISHED FIN_WAIT_1 ~FIN_WAIT_2 ~TIME_WAIT");
	cr_assert_eq(t.flow.missed, 0);
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
		   {ORIG, A, 2, 2, 0, 0, LA_CLOSING, LA_TIME_WAIT}, {WAIT, 200},
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

/* "both close at once": a FIN is lost, and what comes past is the ACK behind it. */
Test(truth_close, a_lost_fin_that_is_repeated_behind_its_ack)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1, 0, 0, LA_FIN_WAIT_1, LA_CLOSE_WAIT},
		   {RESP, A, 2, 2, 0, 0, LA_FIN_WAIT_2, LA_CLOSE_WAIT}, {WAIT, 200},
		   {RESP, FA, 1, 2, 0, 0, LA_TIME_WAIT, LA_CLOSING},
		   {ORIG, A, 2, 2, 0, 0, LA_TIME_WAIT, LA_TIME_WAIT});
	assert_path(&t, RESP,
		    "SYN_RECEIVED ~ESTABLISHED ~CLOSE_WAIT !ESTABLISHED ~FIN_WAIT_1 ~CLOSING "
		    "~TIME_WAIT");
}

/* Its ACK was lost, too: whether it closed before or after the other one cannot be known. */
Test(truth_close, a_belated_fin_may_be_the_second_one)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1, 0}, {WAIT, 200},
		   {RESP, FA, 1, 2, 0, 0, LA_TIME_WAIT, LA_LAST_ACK},
		   {ORIG, A, 2, 2, 0, 0, LA_TIME_WAIT, LA_CLOSED});
	assert_path(&t, RESP, "SYN_RECEIVED ~ESTABLISHED ~CLOSE_WAIT ~LAST_ACK ~CLOSED");
}

/* Who has acknowledged the other FIN with the next byte of his own has not closed before. */
Test(truth_close, a_late_fin_behind_its_ack_is_the_first_one)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1, 0}, {RESP, A, 1, 2, 0}, {WAIT, 200},
		   {RESP, FA, 1, 2, 0, 0, LA_TIME_WAIT, LA_LAST_ACK});
	assert_path(&t, RESP, "SYN_RECEIVED ~ESTABLISHED ~CLOSE_WAIT LAST_ACK");
}

/* "fast open": FINs repeated at once cross, and the ACK answers both of what the other one bore. */
Test(truth_close, who_acknowledges_the_fin_of_a_passive_closer_has_the_ack_in_it)
{
	talk_lines(&t, OPENED, {RESP, FA, 1, 1, 0}, {ORIG, FA, 1, 2, 0}, {WAIT, 200},
		   {ORIG, FA, 1, 2, 0, 0, LA_LAST_ACK, LA_TIME_WAIT},
		   {RESP, FA, 1, 1, 0, 0, LA_LAST_ACK, LA_FIN_WAIT_1},
		   {RESP, A, 2, 2, 0, 0, LA_CLOSED, LA_TIME_WAIT});
	assert_path(&t, RESP,
		    "SYN_RECEIVED ~ESTABLISHED FIN_WAIT_1 ~FIN_WAIT_2 ~TIME_WAIT !FIN_WAIT_2 "
		    "~TIME_WAIT !CLOSING !FIN_WAIT_1 FIN_WAIT_2 TIME_WAIT");
}

/* The network makes two FINs of one: by its timestamp the second one was not sent later. */
Test(truth_close, a_copy_of_the_last_fin)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1, .ts = 10, .ecr = 20},
		   {RESP, FA, 1, 2, .ts = 21, .ecr = 10},
		   {ORIG, A, 2, 2, 0, 0, LA_TIME_WAIT, LA_CLOSED, .ts = 11, .ecr = 21},
		   {RESP, FA, 1, 2, 0, LA_R_LATE, LA_TIME_WAIT, LA_CLOSED, .ts = 21, .ecr = 10},
		   {RESP, FA, 1, 2, 0, LA_R_LATE, LA_TIME_WAIT, LA_LAST_ACK, .ts = 221, .ecr = 10},
		   {ORIG, A, 2, 2, 0, LA_R_LATE, LA_TIME_WAIT, LA_CLOSED, .ts = 211, .ecr = 221},
		   {RESP, FA, 1, 2, 0, LA_R_LATE, LA_TIME_WAIT, LA_CLOSED, .ts = 221, .ecr = 10});
}

/* Without timestamps it comes sooner than any host would repeat itself. */
Test(truth_close, a_copy_of_a_fin_without_timestamps)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1}, {RESP, FA, 1, 2}, {ORIG, A, 2, 2},
		   {RESP, FA, 1, 2, 0, LA_R_LATE, LA_TIME_WAIT, LA_CLOSED}, {WAIT, 200},
		   {RESP, FA, 1, 2, 0, LA_R_LATE, LA_TIME_WAIT, LA_LAST_ACK},
		   {ORIG, A, 2, 2, 0, LA_R_LATE, LA_TIME_WAIT, LA_CLOSED},
		   {RESP, FA, 1, 2, 0, LA_R_LATE, LA_TIME_WAIT, LA_CLOSED});
	cr_assert_eq(t.flow.side[!t.orig].retrans, 1);
	cr_assert_eq(t.flow.side[!t.orig].dups, 2);
}

/* But what acknowledges more than the first one has been sent since. */
Test(truth_close, a_fin_at_once_with_another_ack)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1}, {RESP, FA, 1, 1}, {ORIG, A, 2, 2},
		   {RESP, FA, 1, 2, 0, 0, LA_TIME_WAIT, LA_CLOSING});
}

Test(truth_close, a_copy_of_a_syn_ack_without_timestamps)
{
	talk_lines(&t, OPENED,
		   {RESP, SA, 0, 1, 0, LA_R_SYN_RETRANSMIT, LA_ESTABLISHED, LA_ESTABLISHED});
}

/* "abort half closed": the SYN-ACK that is sent again and the ACK cross; the FIN proves that. */
Test(truth_close, a_syn_ack_again_that_crossed_its_ack)
{
	talk_lines(&t, OPENED, {WAIT, 1000}, {RESP, SA, 0, 1, .reason = LA_R_SYN_RETRANSMIT},
		   {RESP, FA, 1, 1, 0, 0, LA_CLOSE_WAIT, LA_FIN_WAIT_1});
	assert_path(&t, RESP, "SYN_RECEIVED ~ESTABLISHED !SYN_RECEIVED ESTABLISHED FIN_WAIT_1");
}

/* "both close at once": FINs sent again cross, and one of them bears the ACK of the other. */
Test(truth_close, which_fin_was_acknowledged)
{
	talk_lines(&t, OPENED, {RESP, FA, 1, 1}, {ORIG, FA, 1, 1}, {WAIT, 200}, {ORIG, FA, 1, 2},
		   {RESP, FA, 1, 1, 0, 0, LA_CLOSING, LA_FIN_WAIT_1},
		   {RESP, A, 2, 2, 0, 0, LA_TIME_WAIT, LA_TIME_WAIT});
	cr_assert(strstr(talk_path(&t, RESP), "!FIN_WAIT_1 ~FIN_WAIT_2 ~TIME_WAIT"), "%s",
		  talk_path(&t, RESP));
}

/* "zero window": a host drops what it has no memory for, a FIN too, and closes some seconds later.
 */
Test(truth_close, a_fin_that_was_seen_and_dropped)
{
	talk_lines(&t, OPENED, {RESP, FA, 1, 1, 100}, {WAIT, 5000},
		   {ORIG, FA, 1, 1, 0, 0, LA_FIN_WAIT_1, LA_CLOSING},
		   {RESP, A, 102, 2, 0, 0, LA_FIN_WAIT_2, LA_CLOSING}, {WAIT, 1000},
		   {RESP, FA, 1, 2, 100, 0, LA_TIME_WAIT, LA_CLOSING},
		   {ORIG, A, 2, 102, 0, 0, LA_TIME_WAIT, LA_TIME_WAIT});
	assert_path(
		&t, ORIG,
		"SYN_SENT ESTABLISHED ~CLOSE_WAIT !ESTABLISHED FIN_WAIT_1 ~FIN_WAIT_2 ~TIME_WAIT");
}

/* But FINs that cross reach their hosts. */
Test(truth_close, a_fin_that_crossed_is_not_dropped)
{
	talk_lines(&t, OPENED, {RESP, FA, 1, 1, 100}, {ORIG, FA, 1, 1},
		   {RESP, A, 102, 2, 0, 0, LA_TIME_WAIT, LA_CLOSING});
}
