/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_truth_reset.c - what the truth lab found out about resets: segments and RSTs cross,
 * and a RST tells what had reached its sender.
 */
#include "talk.h"

static struct talk t;

static void init(void)
{
	talk_init(&t, 40000, 80);
}

TestSuite(truth_reset, .init = init);

#define OPENED                                                                                     \
	{ORIG, S}, {RESP, SA, 0, 1},                                                               \
	{                                                                                          \
		ORIG, A, 1, 1, 0, 0, LA_ESTABLISHED, LA_ESTABLISHED                                \
	}

/* "never accepted": the listener goes while the client's FIN is on its way. */
Test(truth_reset, the_ack_of_a_rst_tells_that_the_fin_had_not_arrived)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1, 0, 0, LA_FIN_WAIT_1, LA_CLOSE_WAIT},
		   {RESP, RA, 1, 1, 0, 0, LA_CLOSED, LA_CLOSED});
	assert_path(&t, RESP, "SYN_RECEIVED ~ESTABLISHED ~CLOSE_WAIT !ESTABLISHED CLOSED");
	assert_path(&t, ORIG, "SYN_SENT ESTABLISHED FIN_WAIT_1 ~CLOSED");
}

Test(truth_reset, the_ack_of_a_rst_tells_that_the_fin_had_arrived)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1, 0, 0, LA_FIN_WAIT_1, LA_CLOSE_WAIT},
		   {RESP, RA, 1, 2, 0, 0, LA_CLOSED, LA_CLOSED});
	assert_path(&t, RESP, "SYN_RECEIVED ~ESTABLISHED ~CLOSE_WAIT CLOSED");
}

/* "orphan": tcp_fin_timeout is over, and the server's FIN meets nobody. */
Test(truth_reset, a_fin_that_met_no_socket_made_no_time_wait)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1, 0}, {RESP, A, 1, 2, 0}, {WAIT, 3000},
		   {RESP, FA, 1, 2, 0, 0, LA_TIME_WAIT, LA_LAST_ACK},
		   {ORIG, R, 2, 0, 0, 0, LA_CLOSED, LA_CLOSED});
	assert_path(&t, ORIG,
		    "SYN_SENT ESTABLISHED FIN_WAIT_1 ~FIN_WAIT_2 ~TIME_WAIT !FIN_WAIT_2 CLOSED");
	assert_path(&t, RESP, "SYN_RECEIVED ~ESTABLISHED ~CLOSE_WAIT LAST_ACK ~CLOSED");
}

/* "abort while closing": a socket that is aborted in CLOSING says nothing until it is asked. */
Test(truth_reset, an_ack_that_met_no_socket_made_no_time_wait)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1, 0}, {RESP, FA, 1, 1, 0}, {ORIG, A, 2, 2, 0},
		   {RESP, A, 2, 2, 0, 0, LA_TIME_WAIT, LA_TIME_WAIT},
		   {ORIG, R, 2, 0, 0, LA_R_LATE, LA_CLOSED, LA_TIME_WAIT});
	assert_path(&t, ORIG,
		    "SYN_SENT ESTABLISHED FIN_WAIT_1 ~CLOSING ~TIME_WAIT !CLOSING CLOSED");
}

/* "writes to a closed peer": Linux reads the ACK of data that it refuses. */
Test(truth_reset, who_refuses_data_has_read_its_ack)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1, 0},
		   {RESP, PA, 1, 2, 10, 0, LA_FIN_WAIT_2, LA_CLOSE_WAIT},
		   {ORIG, R, 2, 0, 0, 0, LA_CLOSED, LA_CLOSED});
	assert_path(&t, ORIG, "SYN_SENT ESTABLISHED FIN_WAIT_1 ~FIN_WAIT_2 CLOSED");
}

/* "killed process": the FIN shows that data is missing, and who closed refuses that, too. */
Test(truth_reset, who_refuses_a_fin_behind_lost_data_has_read_its_ack)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1, 0},
		   {RESP, FA, 101, 2, 0, 0, LA_FIN_WAIT_2, LA_LAST_ACK},
		   {ORIG, R, 2, 0, 0, 0, LA_CLOSED, LA_CLOSED});
	assert_path(&t, ORIG, "SYN_SENT ESTABLISHED FIN_WAIT_1 ~FIN_WAIT_2 CLOSED");
}

/* "writes to a closed peer": a FIN with the ACK overtakes the RST that answers the data before. */
Test(truth_reset, a_rst_tells_which_segment_it_answers)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1, 0}, {RESP, PA, 1, 1, 100},
		   {RESP, FA, 101, 2, 100, 0, LA_TIME_WAIT, LA_LAST_ACK},
		   {ORIG, R, 1, 0, 0, LA_R_ACCEPTED, LA_CLOSED, LA_CLOSED});
	assert_path(&t, ORIG,
		    "SYN_SENT ESTABLISHED FIN_WAIT_1 ~FIN_WAIT_2 ~TIME_WAIT !FIN_WAIT_1 CLOSED");
}

/* "abandoned SYN": the third ACK is lost, and the next that comes past is a RST with the ACK. */
Test(truth_reset, a_rst_with_both_numbers_comes_from_an_open_socket)
{
	talk_lines(&t, {ORIG, S}, {RESP, SA, 0, 1}, {ORIG, RA, 1, 1, 0, 0, LA_CLOSED, LA_CLOSED});
	assert_path(&t, ORIG, "SYN_SENT ESTABLISHED CLOSED");
}

/* "never accepted": the first that a request is sent is a FIN, and the request is gone. */
Test(truth_reset, a_fin_behind_lost_data_that_met_no_socket)
{
	talk_lines(&t, {ORIG, S}, {RESP, SA, 0, 1}, {ORIG, FA, 101, 1},
		   {RESP, R, 1, 0, 0, 0, LA_CLOSED, LA_CLOSED});
	assert_path(&t, RESP, "SYN_RECEIVED ~ESTABLISHED !SYN_RECEIVED CLOSED");
}

/* "never accepted": the listener goes before the third ACK comes, and a FIN is behind that. */
Test(truth_reset, a_third_ack_and_a_fin_that_met_no_socket)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1, 0, 0, LA_FIN_WAIT_1, LA_CLOSE_WAIT},
		   {RESP, R, 1, 0, 0, 0, LA_CLOSED, LA_CLOSED},
		   {RESP, R, 1, 0, 0, LA_R_LATE, LA_CLOSED, LA_CLOSED});
	assert_path(&t, RESP, "SYN_RECEIVED ~ESTABLISHED ~CLOSE_WAIT !SYN_RECEIVED CLOSED");
	assert_gapless(&t);
}

/* Once the server has spoken, it had the third ACK: only the FIN is in doubt. */
Test(truth_reset, a_fin_that_met_no_socket_of_a_server_that_had_spoken)
{
	talk_lines(&t, OPENED, {RESP, PA, 1, 1, 10}, {ORIG, FA, 1, 11, 0},
		   {RESP, R, 11, 0, 0, 0, LA_CLOSED, LA_CLOSED});
	assert_path(&t, RESP, "SYN_RECEIVED ~ESTABLISHED ~CLOSE_WAIT !ESTABLISHED CLOSED");
}

/* "port reuse": the server challenges the new SYN, and it is the new socket that says no. */
Test(truth_reset, a_rst_of_the_new_socket_leaves_the_time_wait)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1, 0},
		   {RESP, FA, 1, 2, 0, 0, LA_TIME_WAIT, LA_LAST_ACK},
		   {ORIG, S, .isn = TALK_ISN_ORIG + 100000, .reason = LA_R_PROVISIONAL_SYN},
		   {ORIG, R, .seq = TALK_ISN_ORIG + 2, .raw = true, .orig = LA_TIME_WAIT,
		    .resp = LA_CLOSED});
}

/* Without the ACK it answers the SYN-ACK, and there was no socket for that. */
Test(truth_reset, a_rst_that_answers_a_syn_ack_comes_from_none)
{
	talk_lines(&t, {ORIG, S}, {RESP, SA, 0, 1}, {ORIG, R, 1, 0, 0, 0, LA_CLOSED, LA_CLOSED});
	assert_path(&t, ORIG, "SYN_SENT CLOSED");
}

/* "abandoned SYN": the listener is gone when a copy of the SYN comes, and the request with it. */
Test(truth_reset, a_second_syn_that_is_refused)
{
	talk_lines(&t, {ORIG, S}, {RESP, SA, 0, 1}, {ORIG, S, .reason = LA_R_SYN_RETRANSMIT},
		   {RESP, RA, 0, TALK_ISN_ORIG + 1, .raw = true, .orig = LA_CLOSED,
		    .resp = LA_CLOSED});
	assert_path(&t, RESP, "SYN_RECEIVED CLOSED");
	assert_path(&t, ORIG, "SYN_SENT ~CLOSED");
}

/* "fast open": the RST of a child is faster than its SYN-ACK, which opens nothing. */
Test(truth_reset, a_syn_ack_that_its_own_rst_overtook)
{
	talk_lines(&t, {ORIG, S}, {RESP, RA, 1, 1, 0, 0, LA_CLOSED, LA_CLOSED},
		   {RESP, SA, 0, 1, 0, LA_R_LATE, LA_CLOSED, LA_CLOSED},
		   {RESP, SA, 0, 1, 0, LA_R_LATE, LA_CLOSED, LA_CLOSED});
	cr_assert_eq(t.flows, 0);
	assert_path(&t, RESP, "CLOSED !SYN_RECEIVED CLOSED");
	assert_path(&t, ORIG, "SYN_SENT ~CLOSED");
	assert_gapless(&t);
}

/* "never accepted": the client closes before the RST reaches it. */
Test(truth_reset, a_fin_that_crosses_the_rst)
{
	talk_lines(&t, OPENED, {RESP, RA, 1, 1, 0, 0, LA_CLOSED, LA_CLOSED},
		   {ORIG, FA, 1, 1, 0, LA_R_LATE, LA_CLOSED, LA_CLOSED},
		   {RESP, R, 1, 0, 0, LA_R_LATE, LA_CLOSED, LA_CLOSED});
	assert_path(&t, ORIG, "SYN_SENT ESTABLISHED ~CLOSED !ESTABLISHED FIN_WAIT_1 ~CLOSED");
	assert_path(&t, RESP, "SYN_RECEIVED ~ESTABLISHED CLOSED");
	assert_closed(&t, "reset", "resp", "CLOSED", "CLOSED");
	assert_gapless(&t);
}

/* It speaks when the RST must long have arrived: that was lost, and it goes on until the next. */
Test(truth_reset, a_rst_that_was_lost)
{
	talk_lines(&t, OPENED, {RESP, RA, 1, 1, 0, 0, LA_CLOSED, LA_CLOSED}, {WAIT, 2000},
		   {ORIG, PA, 1, 1, 10, LA_R_LATE, LA_ESTABLISHED, LA_CLOSED},
		   {RESP, R, 1, 0, 0, LA_R_LATE, LA_CLOSED, LA_CLOSED});
	assert_path(&t, ORIG, "SYN_SENT ESTABLISHED ~CLOSED !ESTABLISHED ~CLOSED");
}

/* "abort half closed": FIN, RST, and the other FIN cross, and then the first FIN is answered. */
Test(truth_reset, who_survived_the_rst_for_a_moment_has_had_the_fin_before_it)
{
	talk_lines(&t, OPENED, {RESP, FA, 1, 1, 0}, {RESP, RA, 2, 1, 0},
		   {ORIG, FA, 1, 1, 0, LA_R_LATE}, {ORIG, A, 2, 2, 0, LA_R_LATE},
		   {RESP, R, 2, 0, 0, LA_R_LATE, LA_CLOSED, LA_CLOSED});
	assert_path(&t, ORIG,
		    "SYN_SENT ESTABLISHED ~CLOSE_WAIT ~CLOSED !CLOSE_WAIT !ESTABLISHED FIN_WAIT_1 "
		    "~CLOSED !FIN_WAIT_1 CLOSING ~CLOSED");
}

/* "abort while closing": FIN and ACK cross a RST, which acknowledges neither. */
Test(truth_reset, the_ack_of_a_rst_takes_back_both_steps)
{
	talk_lines(&t, OPENED, {RESP, FA, 1, 1, 0}, {ORIG, FA, 1, 1, 0},
		   {ORIG, A, 2, 2, 0, 0, LA_CLOSING, LA_TIME_WAIT},
		   {RESP, RA, 2, 1, 0, 0, LA_CLOSED, LA_CLOSED});
	assert_path(&t, RESP,
		    "SYN_RECEIVED ~ESTABLISHED FIN_WAIT_1 ~CLOSING ~TIME_WAIT !FIN_WAIT_1 CLOSED");
}

/* "abort half closed": what it answers, after its RST, is the ACK that crossed that. */
Test(truth_reset, a_late_rst_tells_that_an_ack_met_no_socket)
{
	talk_lines(&t, OPENED, {RESP, FA, 1, 1, 0},
		   {ORIG, A, 1, 2, 0, 0, LA_CLOSE_WAIT, LA_FIN_WAIT_2},
		   {RESP, RA, 2, 1, 0, 0, LA_CLOSED, LA_CLOSED},
		   {RESP, R, 2, 0, 0, LA_R_LATE, LA_CLOSED, LA_CLOSED});
	assert_path(&t, RESP,
		    "SYN_RECEIVED ~ESTABLISHED FIN_WAIT_1 ~FIN_WAIT_2 CLOSED !FIN_WAIT_1 CLOSED");
	assert_gapless(&t);
}

/* Not if more came past: that may be what it answers. */
Test(truth_reset, a_late_rst_that_answers_data_tells_nothing_of_the_ack_before)
{
	talk_lines(&t, OPENED, {RESP, FA, 1, 1, 0}, {ORIG, A, 1, 2, 0}, {RESP, RA, 2, 1, 0},
		   {ORIG, PA, 1, 2, 10, LA_R_LATE},
		   {RESP, R, 2, 0, 0, LA_R_LATE, LA_CLOSED, LA_CLOSED});
	assert_path(&t, RESP, "SYN_RECEIVED ~ESTABLISHED FIN_WAIT_1 ~FIN_WAIT_2 CLOSED");
}

/* "abandoned SYN": the listener is gone, and the client aborts before it is told. */
Test(truth_reset, a_third_ack_that_met_no_socket_is_told_behind_the_rst)
{
	talk_lines(&t, OPENED, {ORIG, RA, 1, 1, 0, 0, LA_CLOSED, LA_CLOSED},
		   {RESP, R, 1, 0, 0, LA_R_LATE, LA_CLOSED, LA_CLOSED});
	assert_path(&t, RESP, "SYN_RECEIVED ~ESTABLISHED ~CLOSED !SYN_RECEIVED CLOSED");
}

/* "never accepted": what answers the FIN overtakes the RST of the socket, which had the ACK. */
Test(truth_reset, a_rst_of_no_socket_that_overtakes_the_one_of_a_socket)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1, 0}, {RESP, R, 1, 0, 0, 0, LA_CLOSED, LA_CLOSED},
		   {RESP, RA, 1, 1, 0, LA_R_LATE, LA_CLOSED, LA_CLOSED});
	assert_path(&t, RESP,
		    "SYN_RECEIVED ~ESTABLISHED ~CLOSE_WAIT !SYN_RECEIVED CLOSED !ESTABLISHED "
		    "CLOSED");
}

/* In its order: the socket had the third ACK, the FIN behind that met nobody. */
Test(truth_reset, a_rst_of_no_socket_behind_the_one_of_a_socket)
{
	talk_lines(&t, OPENED, {RESP, RA, 1, 1, 0}, {ORIG, FA, 1, 1, 0, LA_R_LATE},
		   {RESP, R, 1, 0, 0, LA_R_LATE, LA_CLOSED, LA_CLOSED});
	assert_path(&t, RESP, "SYN_RECEIVED ~ESTABLISHED CLOSED");
}

/* "abort while closing": a FIN and the ACK in it cross a RST. */
Test(truth_reset, the_ack_of_a_rst_takes_back_what_one_segment_did)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1, 0},
		   {RESP, FA, 1, 2, 0, 0, LA_TIME_WAIT, LA_LAST_ACK},
		   {ORIG, RA, 2, 1, 0, 0, LA_CLOSED, LA_CLOSED});
	assert_path(&t, ORIG,
		    "SYN_SENT ESTABLISHED FIN_WAIT_1 ~FIN_WAIT_2 ~TIME_WAIT !FIN_WAIT_1 CLOSED");
}

/* "writes to a closed peer": data is refused, and all that follows meets no socket. */
Test(truth_reset, a_rst_that_answers_data_refutes_what_came_behind)
{
	talk_lines(&t, OPENED, {RESP, FA, 1, 1, 0}, {ORIG, PA, 1, 1, 201}, {ORIG, FA, 202, 1, 0},
		   {ORIG, A, 203, 2, 0, 0, LA_CLOSING, LA_TIME_WAIT},
		   {RESP, R, 1, 0, 0, LA_R_ACCEPTED, LA_CLOSED, LA_CLOSED});
	assert_path(&t, RESP,
		    "SYN_RECEIVED ~ESTABLISHED FIN_WAIT_1 ~CLOSING ~TIME_WAIT !FIN_WAIT_1 CLOSED");
}

/* "abort while closing": two ACKs met no socket. */
Test(truth_reset, who_answers_an_ack_again_is_not_in_time_wait)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1, 0}, {RESP, FA, 1, 1, 0}, {ORIG, A, 2, 2, 0},
		   {RESP, A, 2, 2, 0, 0, LA_TIME_WAIT, LA_TIME_WAIT}, {RESP, A, 2, 2, 0, LA_R_LATE},
		   {ORIG, R, 2, 0, 0, LA_R_LATE});
	assert_path(&t, ORIG,
		    "SYN_SENT ESTABLISHED FIN_WAIT_1 ~CLOSING ~TIME_WAIT !CLOSING CLOSED");
}

#define OPENED_FAST                                                                                \
	{ORIG, S, 0, 0, 100}, {RESP, SA, 0, 101},                                                  \
	{                                                                                          \
		ORIG, A, 101, 1                                                                    \
	}

/* "fast open": a child is reset before the third ACK comes, and so the FIN. */
Test(truth_reset, a_fast_open_child_whose_third_ack_met_no_socket)
{
	talk_lines(&t, OPENED_FAST, {ORIG, FA, 101, 1, 0}, {RESP, RA, 1, 101, 0},
		   {RESP, R, 1, 0, 0, LA_R_LATE}, {RESP, R, 1, 0, 0, LA_R_LATE});
	assert_path(&t, RESP,
		    "SYN_RECEIVED ~ESTABLISHED ~CLOSE_WAIT !ESTABLISHED CLOSED !SYN_RECEIVED "
		    "CLOSED");
}

/* One RST less: the third ACK was read. */
Test(truth_reset, a_fast_open_child_whose_fin_met_no_socket)
{
	talk_lines(&t, OPENED_FAST, {RESP, RA, 1, 101, 0}, {ORIG, FA, 101, 1, 0, LA_R_LATE},
		   {RESP, R, 1, 0, 0, LA_R_LATE});
	assert_path(&t, RESP, "SYN_RECEIVED ~ESTABLISHED CLOSED");
}

/* "unread data": the server's ACK of data is late, but proves that it had the third ACK. */
Test(truth_reset, who_has_spoken_had_the_third_ack_whatever_came_before)
{
	talk_lines(&t, OPENED, {ORIG, PA, 1, 1, 500}, {ORIG, FA, 501, 1, 0}, {RESP, A, 1, 501, 0},
		   {RESP, R, 1, 0, 0, 0, LA_CLOSED, LA_CLOSED});
	assert_path(&t, RESP, "SYN_RECEIVED ~ESTABLISHED ~CLOSE_WAIT !ESTABLISHED CLOSED");
}

/* "abort while closing": by two CPUs, the ACK of a FIN is seen behind the answer to it. */
Test(truth_reset, who_acknowledged_the_fin_was_in_closing)
{
	talk_lines(&t, OPENED, {RESP, FA, 1, 1, 0}, {ORIG, A, 2, 2, 0}, {ORIG, FA, 1, 1, 0},
		   {RESP, A, 2, 2, 0, 0, LA_TIME_WAIT, LA_TIME_WAIT},
		   {RESP, R, 2, 0, 0, LA_R_LATE, LA_TIME_WAIT, LA_CLOSED});
	cr_assert(strstr(talk_path(&t, RESP), "!CLOSING CLOSED"), "%s", talk_path(&t, RESP));
}

/* "writes to a closed peer": a FIN sent again crosses the data with its ACK. */
Test(truth_reset, who_refuses_data_has_read_its_ack_whatever_crossed_it)
{
	talk_lines(&t, OPENED, {RESP, FA, 1, 1, 0}, {WAIT, 200}, {ORIG, PA, 1, 2, 100},
		   {RESP, FA, 1, 1, 0, 0, LA_CLOSE_WAIT, LA_FIN_WAIT_1},
		   {RESP, R, 2, 0, 0, 0, LA_CLOSED, LA_CLOSED});
	assert_path(
		&t, RESP,
		"SYN_RECEIVED ~ESTABLISHED FIN_WAIT_1 ~FIN_WAIT_2 !FIN_WAIT_1 FIN_WAIT_2 CLOSED");
}

/* "abort half closed": the socket had the FIN, whatever met none behind it. */
Test(truth_reset, the_ack_of_a_rst_outlasts_the_rst_behind_it)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1, 0}, {RESP, RA, 1, 2, 0},
		   {RESP, R, 1, 0, 0, LA_R_LATE, LA_CLOSED, LA_CLOSED});
	assert_path(&t, RESP, "SYN_RECEIVED ~ESTABLISHED ~CLOSE_WAIT CLOSED");
}

/* "abort from both sides": a copy of the third ACK is slower than the RST behind it. */
Test(truth_reset, a_copy_of_the_third_ack_that_met_no_socket)
{
	talk_lines(&t, OPENED, {ORIG, A, 1, 1}, {ORIG, RA, 1, 1, 0},
		   {RESP, R, 1, 0, 0, LA_R_LATE, LA_CLOSED, LA_CLOSED});
	assert_path(&t, RESP, "SYN_RECEIVED ~ESTABLISHED ~CLOSED");
}

/* "abort half closed": an old ACK is slower than FIN and RST. */
Test(truth_reset, an_old_ack_that_met_no_socket_behind_a_rst)
{
	talk_lines(&t, OPENED, {ORIG, PA, 1, 1, 455}, {RESP, FA, 1, 456, 0}, {RESP, RA, 2, 456, 0},
		   {RESP, A, 1, 456, 0, LA_R_LATE},
		   {ORIG, R, 456, 0, 0, LA_R_LATE, LA_CLOSED, LA_CLOSED});
	assert_path(&t, ORIG, "SYN_SENT ESTABLISHED ~CLOSE_WAIT ~CLOSED");
}

/* "writes to a closed peer": the data that is refused was overtaken by the ACK of the FIN. */
Test(truth_reset, old_data_that_is_refused_leaves_the_ack_before_it)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1, 0}, {RESP, A, 101, 2, 0}, {RESP, PA, 1, 1, 100},
		   {ORIG, R, 1, 0, 0, 0, LA_CLOSED, LA_CLOSED});
	assert_path(&t, ORIG, "SYN_SENT ESTABLISHED FIN_WAIT_1 ~FIN_WAIT_2 CLOSED");
}

/* "fast open": the SYN-ACK was missed, and the client had given up before it. */
Test(truth_reset, data_of_a_fast_open_child_is_no_third_ack)
{
	talk_lines(&t, {ORIG, S, 0, 0, 424},
		   {RESP, PA, 1, 425, 10, 0, LA_SYN_SENT, LA_SYN_RECEIVED},
		   {ORIG, R, 425, 0, 0, 0, LA_CLOSED, LA_CLOSED});
	assert_path(&t, RESP, "SYN_RECEIVED ~CLOSED");
	assert_path(&t, ORIG, "SYN_SENT CLOSED");
}

/* "abort while closing": a RST has ended the TIME_WAIT, and then an old ACK comes. */
Test(truth_reset, an_old_ack_that_met_no_socket_where_time_wait_was)
{
	talk_lines(&t, OPENED, {RESP, FA, 1, 1, 0}, {ORIG, FA, 1, 1, 0}, {RESP, A, 2, 2, 0},
		   {ORIG, A, 2, 2, 0}, {RESP, R, 2, 0, 0, LA_R_LATE}, {RESP, A, 2, 2, 0, LA_R_LATE},
		   {ORIG, R, 2, 0, 0, LA_R_LATE});
	cr_assert_null(strstr(talk_path(&t, ORIG), "!CLOSING"), "%s", talk_path(&t, ORIG));
}

/* "abort while closing": a copy of the SYN finds a new listener, and its answer an old client. */
Test(truth_reset, a_rst_that_answers_the_syn_ack_of_another_connection)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1},
		   {RESP, A, 2, 2, 0, 0, LA_FIN_WAIT_2, LA_CLOSE_WAIT},
		   {RESP, SA, 0, TALK_ISN_ORIG + 1, 0, LA_R_BAD_SYN_ACK, LA_FIN_WAIT_2,
		    LA_CLOSE_WAIT, .raw = true},
		   {ORIG, R, 1, 0, 0, 0, LA_CLOSED, LA_CLOSED});
	assert_path(&t, ORIG, "SYN_SENT ESTABLISHED FIN_WAIT_1 ~FIN_WAIT_2 CLOSED");
}

/* "unread data": a FIN behind lost data has not arrived, the ACK that it bore has. */
Test(truth_reset, late_data_that_meets_an_orphan)
{
	talk_lines(&t, OPENED, {ORIG, PA, 1, 1, 500}, {ORIG, FA, 501, 1},
		   {RESP, FA, 1, 1, 0, 0, LA_CLOSING, LA_FIN_WAIT_1},
		   {ORIG, A, 502, 2, 0, 0, LA_CLOSING, LA_TIME_WAIT}, {WAIT, 2500},
		   {ORIG, PA, 1, 2, 500}, {RESP, R, 2, 0, 0, 0, LA_CLOSED, LA_CLOSED});
	assert_path(&t, RESP,
		    "SYN_RECEIVED ~ESTABLISHED ~CLOSE_WAIT !ESTABLISHED FIN_WAIT_1 ~CLOSING "
		    "~TIME_WAIT !FIN_WAIT_2 CLOSED");
}

/* "fast open": the client's RST answers a copy of the SYN-ACK, and only its FIN met no socket. */
Test(truth_reset, a_late_rst_of_the_peer_is_no_answer)
{
	talk_lines(&t, OPENED_FAST, {RESP, RA, 1, 101}, {ORIG, R, 101, .reason = LA_R_LATE},
		   {ORIG, FA, 101, 1, 0, LA_R_LATE}, {RESP, R, 1, 0, 0, LA_R_LATE});
	assert_path(&t, RESP, "SYN_RECEIVED ~ESTABLISHED CLOSED");
}

/* "abort half closed": some of what came before the FIN was not seen, but the socket has it. */
Test(truth_reset, the_ack_of_a_rst_tells_of_a_fin_behind_a_hole)
{
	talk_lines(&t, OPENED, {ORIG, PA, 101, 1, 100}, {ORIG, FA, 201, 1},
		   {RESP, RA, 1, 202, 0, 0, LA_CLOSED, LA_CLOSED});
	assert_path(&t, RESP, "SYN_RECEIVED ~ESTABLISHED CLOSE_WAIT CLOSED");
}

/* "abort while closing": a FIN is lost, so the RST behind it is not acted upon; the next one is. */
Test(truth_reset, who_survived_a_rst_behind_a_lost_fin)
{
	talk_lines(&t, OPENED, {RESP, FA, 1, 1}, {ORIG, FA, 1, 1}, {RESP, RA, 2, 1}, {WAIT, 2000},
		   {ORIG, FA, 1, 1, 0, LA_R_LATE, LA_FIN_WAIT_1, LA_CLOSED},
		   {RESP, R, 1, 0, 0, LA_R_LATE, LA_CLOSED, LA_CLOSED});
}

/* "abandoned SYN": the third ACK bears a FIN, and the socket that it makes goes with its listener.
 */
Test(truth_reset, a_fin_that_was_the_third_ack)
{
	talk_lines(&t, {ORIG, S}, {RESP, SA, 0, 1}, {ORIG, FA, 1, 1},
		   {RESP, RA, 1, 1, 0, 0, LA_CLOSED, LA_CLOSED});
	assert_path(&t, RESP, "SYN_RECEIVED ~ESTABLISHED ~CLOSE_WAIT !ESTABLISHED CLOSED");
}

/* "abort from both sides": the SYN-ACK again answers a SYN that came before the third ACK. */
Test(truth_reset, a_syn_ack_that_answers_the_syn_again_refutes_no_ack)
{
	talk_lines(&t, {ORIG, S}, {RESP, SA, 0, 1}, {WAIT, 1000},
		   {ORIG, S, .reason = LA_R_SYN_RETRANSMIT}, {ORIG, A, 1, 1},
		   {RESP, SA, 0, 1, 0, LA_R_SYN_RETRANSMIT, LA_ESTABLISHED, LA_ESTABLISHED},
		   {WAIT, 1000},
		   {RESP, SA, 0, 1, 0, LA_R_SYN_RETRANSMIT, LA_ESTABLISHED, LA_SYN_RECEIVED});
	assert_path(&t, RESP, "SYN_RECEIVED ~ESTABLISHED !SYN_RECEIVED");
}

/* The SYN-ACK again, by its timer, has crossed the third ACK. */
Test(truth_reset, a_third_ack_that_crossed_a_syn_ack)
{
	talk_lines(&t, {ORIG, S}, {RESP, SA, 0, 1}, {WAIT, 1000}, {ORIG, A, 1, 1},
		   {RESP, SA, 0, 1, 0, LA_R_SYN_RETRANSMIT, LA_ESTABLISHED, LA_SYN_RECEIVED},
		   {RESP, RA, 1, 1, 0, 0, LA_CLOSED, LA_CLOSED});
	assert_path(&t, RESP, "SYN_RECEIVED ~ESTABLISHED !SYN_RECEIVED ESTABLISHED CLOSED");
}

/* "port reuse": the data that was missing before a FIN is refused, so that was not read either. */
Test(truth_reset, who_refuses_missing_data_has_not_read_the_fin_behind_it)
{
	talk_lines(&t, {ORIG, S}, {RESP, SA, 0, 1}, {ORIG, A, 1, 1}, {RESP, A, 1, 1},
		   {ORIG, FA, 194, 1}, {RESP, FA, 1, 1}, {ORIG, PA, 1, 1, 193},
		   {RESP, R, 1, 0, 0, 0, LA_CLOSED, LA_CLOSED});
	assert_path(&t, RESP, "SYN_RECEIVED ~ESTABLISHED FIN_WAIT_1 ~CLOSING !FIN_WAIT_1 CLOSED");
}

/* "half-close with data": what was missing before a FIN comes late, to one that has closed. */
Test(truth_reset, who_refuses_late_data_has_read_the_ack_that_overtook_it)
{
	talk_lines(&t, OPENED, {ORIG, FA, 81, 1}, {RESP, A, 1, 1}, {RESP, FA, 1, 1},
		   {ORIG, A, 82, 2, 0, 0, LA_CLOSING, LA_FIN_WAIT_2},
		   {ORIG, A, 1, 1, 80, 0, LA_CLOSING, LA_TIME_WAIT},
		   {RESP, R, 1, 0, 0, 0, LA_CLOSED, LA_CLOSED});
	assert_path(
		&t, RESP,
		"SYN_RECEIVED ~ESTABLISHED FIN_WAIT_1 ~FIN_WAIT_2 ~TIME_WAIT !FIN_WAIT_2 CLOSED");
}

/* "abort while closing": who resets had read neither the ACK of his FIN nor the FIN behind it. */
Test(truth_reset, each_bare_rst_tells_of_an_unread_segment)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1}, {RESP, A, 1, 2}, {RESP, FA, 1, 2},
		   {ORIG, RA, 2, 1, 0, 0, LA_CLOSED, LA_CLOSED}, {ORIG, R, 2, .reason = LA_R_LATE},
		   {ORIG, R, 2, .reason = LA_R_LATE});
	assert_path(&t, ORIG,
		    "SYN_SENT ESTABLISHED FIN_WAIT_1 ~FIN_WAIT_2 ~TIME_WAIT !FIN_WAIT_2 CLOSED "
		    "!FIN_WAIT_1 CLOSED");
}

/* The ACK had been read; a RST that answers the FIN alone takes nothing more back. */
Test(truth_reset, a_bare_rst_tells_of_the_fin_that_came_last)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1}, {RESP, A, 1, 2}, {RESP, FA, 1, 2},
		   {ORIG, RA, 2, 1, 0, 0, LA_CLOSED, LA_CLOSED}, {ORIG, R, 2, .reason = LA_R_LATE});
	assert_path(&t, ORIG,
		    "SYN_SENT ESTABLISHED FIN_WAIT_1 ~FIN_WAIT_2 ~TIME_WAIT !FIN_WAIT_2 CLOSED");
}

/*
 * "abort while closing": a copy of the SYN meets the listener, and its SYN-ACK the time-wait
 * socket in FIN_WAIT_2, which Linux ends by a RST at the number of that.
 */
Test(truth_reset, a_syn_ack_that_ended_a_fin_wait)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1, 100}, {RESP, A, 2, 102},
		   {RESP, SA, 50000, 1, .reason = LA_R_BAD_SYN_ACK},
		   {ORIG, R, 1, 0, 0, LA_R_RST_OUT_OF_WINDOW, LA_CLOSED, LA_CLOSE_WAIT});
	assert_path(&t, ORIG, "SYN_SENT ESTABLISHED FIN_WAIT_1 ~FIN_WAIT_2 CLOSED");
}

/* The same RST without a SYN-ACK before is nobody's. */
Test(truth_reset, a_rst_far_off_ends_no_fin_wait)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1, 100}, {RESP, A, 2, 102},
		   {ORIG, R, 1, 0, 0, LA_R_RST_OUT_OF_WINDOW, LA_FIN_WAIT_2, LA_CLOSE_WAIT});
}

/* "orphan": each RST answers another copy of the FIN, and the ACK before it had been read. */
Test(truth_reset, bare_rsts_that_answer_a_fin_sent_again)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1}, {RESP, A, 1, 2}, {WAIT, 3000}, {RESP, FA, 1, 2},
		   {ORIG, R, 2}, {WAIT, 300}, {RESP, FA, 1, 2, .reason = LA_R_LATE},
		   {ORIG, R, 2, .reason = LA_R_LATE}, {WAIT, 600},
		   {RESP, FA, 1, 2, .reason = LA_R_LATE}, {ORIG, R, 2, .reason = LA_R_LATE});
	assert_path(&t, ORIG,
		    "SYN_SENT ESTABLISHED FIN_WAIT_1 ~FIN_WAIT_2 ~TIME_WAIT !FIN_WAIT_2 CLOSED");
}

/* "zero window": what a RST answers did not acknowledge the FIN, nor has been read what came
 * behind it, however much that is. */
Test(truth_reset, a_rst_below_the_fin_refutes_all_that_came_behind)
{
	talk_lines(&t, OPENED, {RESP, A, 1, 1, 100}, {ORIG, FA, 1, 1}, {RESP, A, 101, 2, 100},
		   {RESP, A, 201, 2, 100}, {ORIG, R, 1});
	assert_path(&t, ORIG, "SYN_SENT ESTABLISHED FIN_WAIT_1 ~FIN_WAIT_2 !FIN_WAIT_1 CLOSED");
}

/* "abort while closing": they answer the FIN that comes behind the RST, and a copy of its ACK. */
Test(truth_reset, bare_rsts_that_answer_what_came_behind_the_end)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1}, {RESP, A, 1, 2}, {ORIG, RA, 2, 1},
		   {RESP, FA, 1, 2, .reason = LA_R_LATE}, {ORIG, R, 2, .reason = LA_R_LATE},
		   {RESP, A, 1, 2, .reason = LA_R_LATE}, {ORIG, R, 2, .reason = LA_R_LATE});
	assert_path(&t, ORIG, "SYN_SENT ESTABLISHED FIN_WAIT_1 ~FIN_WAIT_2 CLOSED");
}
