/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_truth_old_syn.c - what the truth lab found out about SYNs that the network doubles: a
 * copy that outlives its connection finds the listener, and opens a request without a client
 * (RFC 9293 3.5, figure 9).
 */
#include "talk.h"

#define SECOND_ISN 5000 /* of the responder, with which it answers the copy */

static struct talk t;

static void init(void)
{
	talk_init(&t, 40000, 80);
}

TestSuite(truth_old_syn, .init = init);

#define CLOSED_BY_CLIENT                                                                           \
	{ORIG, S}, {RESP, SA, 0, 1}, {ORIG, A, 1, 1}, {ORIG, FA, 1, 1}, {RESP, FA, 1, 2},          \
	{                                                                                          \
		ORIG, A, 2, 2, 0, 0, LA_TIME_WAIT, LA_CLOSED                                       \
	}

#define RESET                                                                                      \
	{ORIG, S}, {RESP, SA, 0, 1}, {ORIG, A, 1, 1},                                              \
	{                                                                                          \
		RESP, RA, 1, 1, 0, 0, LA_CLOSED, LA_CLOSED                                         \
	}

/* The id of the last record. */
static __u64 last_id(void)
{
	return t.rec[t.n - 1].h.id;
}

/* At the server the copy is seen, at the client only the answer: both tell the same. */
Test(truth_old_syn, its_request_has_no_client)
{
	__u64 id;

	talk_lines(&t, RESET);
	id = last_id();
	talk_lines(&t, {ORIG, S, .reason = LA_R_LATE},
		   {RESP, SA, 0, 1, .isn = SECOND_ISN, .orig = LA_CLOSED, .resp = LA_SYN_RECEIVED});
	cr_assert_eq(t.flows, 1, "the old connection is history");
	cr_assert_neq(last_id(), id, "two connections of one name");
	id = last_id();
	talk_lines(&t, {ORIG, R, 1, 0, 0, 0, LA_CLOSED, LA_CLOSED});
	assert_path(&t, ORIG, "SYN_SENT ESTABLISHED ~CLOSED");
	assert_path(&t, RESP, "SYN_RECEIVED ~ESTABLISHED CLOSED ~SYN_RECEIVED ~CLOSED");

	talk_init(&t, 40000, 80);
	talk_lines(&t, RESET,
		   {RESP, SA, 0, 1, .isn = SECOND_ISN, .orig = LA_CLOSED, .resp = LA_SYN_RECEIVED});
	cr_assert_eq(last_id(), id, "the client's observer names it otherwise");
}

/* Whose client is in TIME_WAIT: that says what it has said last, which opens nothing. */
Test(truth_old_syn, a_time_wait_does_not_accept_the_answer)
{
	talk_lines(&t, CLOSED_BY_CLIENT,
		   {RESP, SA, 0, 1, .isn = SECOND_ISN, .orig = LA_CLOSED, .resp = LA_SYN_RECEIVED},
		   {ORIG, A, .seq = TALK_ISN_ORIG + 2, .ack = TALK_ISN_RESP + 2, .raw = true,
		    .reason = LA_R_ACK_TOO_OLD, .orig = LA_CLOSED, .resp = LA_SYN_RECEIVED});
}

/* The RST that refused the SYN was forged: there is a client, and it answers. */
Test(truth_old_syn, an_answer_shows_a_client)
{
	talk_lines(&t, {ORIG, S}, {RESP, RA, 0, TALK_ISN_ORIG + 1, .raw = true},
		   {RESP, SA, 0, 1, 0, LA_R_LATE, LA_CLOSED, LA_SYN_RECEIVED},
		   {ORIG, A, 1, 1, 0, 0, LA_ESTABLISHED, LA_ESTABLISHED});
}

/* A request is taken away by any RST in its window, as by Linux. */
Test(truth_old_syn, a_rst_of_the_old_connection_in_the_window)
{
	talk_lines(&t, RESET,
		   {RESP, SA, 0, 1, .isn = SECOND_ISN, .orig = LA_CLOSED, .resp = LA_SYN_RECEIVED},
		   {ORIG, R, 3017, 0, 0, 0, LA_CLOSED, LA_CLOSED});
}

/* "unread data": data of the old connection, late, is none of the request. */
Test(truth_old_syn, old_data_does_not_open_its_request)
{
	talk_lines(&t, RESET,
		   {RESP, SA, 0, 1, .isn = SECOND_ISN, .orig = LA_CLOSED, .resp = LA_SYN_RECEIVED},
		   {RESP, PA, .seq = TALK_ISN_RESP + 1, .ack = TALK_ISN_ORIG + 1, .len = 100,
		    .raw = true, .reason = LA_R_OLD_DUPLICATE, .orig = LA_CLOSED,
		    .resp = LA_SYN_RECEIVED});
}

/* By the clock of RFC 9293 3.4.1 the new number lies just below what the TIME_WAIT has had. */
Test(truth_old_syn, a_time_wait_whose_number_the_new_one_resembles)
{
	talk_lines(&t, CLOSED_BY_CLIENT,
		   {RESP, SA, 0, 1, .isn = TALK_ISN_RESP - 2495, .orig = LA_CLOSED,
		    .resp = LA_SYN_RECEIVED},
		   {ORIG, A, .seq = TALK_ISN_ORIG + 2, .ack = TALK_ISN_RESP + 2, .raw = true,
		    .reason = LA_R_ACK_ABOVE_SENT, .orig = LA_CLOSED, .resp = LA_SYN_RECEIVED},
		   {RESP, R, .seq = TALK_ISN_RESP + 2, .raw = true,
		    .reason = LA_R_RST_OUT_OF_WINDOW, .orig = LA_CLOSED, .resp = LA_SYN_RECEIVED});
}

/* "fast open": the child of an old SYN with data sends at once, though nobody is there. */
Test(truth_old_syn, its_child_sends_without_a_third_ack)
{
	talk_lines(
		&t, {ORIG, S, .len = 100}, {RESP, SA, 0, 101}, {ORIG, A, 101, 1},
		{RESP, RA, 1, 101, 0, 0, LA_CLOSED, LA_CLOSED},
		{RESP, SA, 0, 101, .isn = SECOND_ISN, .orig = LA_CLOSED, .resp = LA_SYN_RECEIVED},
		{RESP, PA, 1, 101, 50, .orig = LA_CLOSED, .resp = LA_SYN_RECEIVED},
		{ORIG, R, 101, 0, 0, 0, LA_CLOSED, LA_CLOSED});
	assert_path(&t, RESP, "SYN_RECEIVED ~ESTABLISHED CLOSED ~SYN_RECEIVED ~CLOSED");
}

/* "fast open": the first child's RST is faster than its SYN-ACK, and so is all of the second's. */
Test(truth_old_syn, the_first_answer_comes_after_all_of_the_second)
{
	talk_lines(&t, {ORIG, S, .len = 231}, {RESP, RA, 1, 232, 0, 0, LA_CLOSED, LA_CLOSED},
		   {RESP, SA, 0, 232, .isn = SECOND_ISN, .reason = LA_R_LATE, .orig = LA_CLOSED,
		    .resp = LA_SYN_RECEIVED},
		   {ORIG, R, 232, 0, .reason = LA_R_LATE, .orig = LA_CLOSED, .resp = LA_CLOSED},
		   {RESP, SA, .seq = TALK_ISN_RESP, .ack = TALK_ISN_ORIG + 232, .raw = true,
		    .reason = LA_R_LATE, .orig = LA_CLOSED, .resp = LA_CLOSED});
	cr_assert_eq(t.flows, 0, "an answer of the past opens nothing");
}

/* "refused": the listener comes between the copies, and answers two of them. */
Test(truth_old_syn, two_copies_are_answered_after_one_was_refused)
{
	talk_lines(&t, {ORIG, S}, {RESP, RA, 0, 1, 0, 0, LA_CLOSED, LA_CLOSED},
		   {RESP, SA, 0, 1, .isn = SECOND_ISN, .reason = LA_R_LATE, .orig = LA_CLOSED,
		    .resp = LA_SYN_RECEIVED},
		   {ORIG, R, 1, 0, .reason = LA_R_LATE, .orig = LA_CLOSED, .resp = LA_CLOSED},
		   {RESP, SA, 0, 1, .isn = SECOND_ISN + 1000, .orig = LA_CLOSED,
		    .resp = LA_SYN_RECEIVED},
		   {ORIG, R, 1, 0, 0, 0, LA_CLOSED, LA_CLOSED});
	cr_assert_eq(t.flows, 1, "the second answer is of another connection");
}

/* "fast open": a third copy of a SYN with data is known, too, and refused. */
Test(truth_old_syn, a_third_copy_is_no_attempt)
{
	talk_lines(
		&t, {ORIG, S, .len = 638}, {RESP, SA, 0, 639},
		{RESP, RA, 1, 639, 0, 0, LA_CLOSED, LA_CLOSED},
		{RESP, SA, 0, 639, .isn = SECOND_ISN, .orig = LA_CLOSED, .resp = LA_SYN_RECEIVED},
		{ORIG, R, 639, 0, 0, 0, LA_CLOSED, LA_CLOSED},
		{ORIG, S, .len = 638, .reason = LA_R_LATE, .orig = LA_CLOSED, .resp = LA_CLOSED},
		{RESP, RA, .seq = 0, .ack = TALK_ISN_ORIG + 639, .raw = true, .reason = LA_R_LATE,
		 .orig = LA_CLOSED, .resp = LA_CLOSED});
	cr_assert_eq(t.flows, 1, "nothing is opened by a copy that is refused");
}

/* "fast open": between the child's RST and its SYN-ACK, a copy of the SYN is refused. */
Test(truth_old_syn, a_syn_ack_behind_its_rst_and_a_refusal)
{
	talk_lines(&t, {ORIG, S, .len = 270}, {RESP, RA, 1, 271, 0, 0, LA_CLOSED, LA_CLOSED},
		   {ORIG, S, .len = 270, .reason = LA_R_LATE, .orig = LA_CLOSED, .resp = LA_CLOSED},
		   {RESP, RA, .seq = 0, .ack = TALK_ISN_ORIG + 271, .raw = true,
		    .reason = LA_R_LATE, .orig = LA_CLOSED, .resp = LA_CLOSED},
		   {RESP, SA, 0, 271, 0, LA_R_LATE, LA_CLOSED, LA_CLOSED});
	assert_path(&t, RESP, "CLOSED !SYN_RECEIVED CLOSED");
}

/* "port reuse": a copy of the SYN before, told by its timestamp, is no newer attempt. */
Test(truth_old_syn, a_copy_behind_the_next_syn)
{
	talk_lines(&t, {ORIG, S, .ts = 200},
		   {ORIG, S, .seq = TALK_ISN_ORIG - 70000, .raw = true, .ts = 100,
		    .reason = LA_R_STALE_SYN},
		   {RESP, SA, 0, 1, 0, 0, LA_SYN_SENT, LA_SYN_RECEIVED, .ts = 9, .ecr = 200});
	cr_assert_eq(t.flows, 0, "the attempt is still the first one");
}

/* But if it is the one that is answered, it is the connection. */
Test(truth_old_syn, a_copy_behind_the_next_syn_that_is_answered)
{
	talk_lines(&t, {ORIG, S, .ts = 200},
		   {ORIG, S, .seq = TALK_ISN_ORIG - 70000, .raw = true, .ts = 100,
		    .reason = LA_R_STALE_SYN},
		   {RESP, SA, .seq = TALK_ISN_RESP, .ack = TALK_ISN_ORIG - 70000 + 1, .raw = true,
		    .orig = LA_SYN_SENT, .resp = LA_SYN_RECEIVED, .ts = 9, .ecr = 100});
	cr_assert_eq(t.flows, 1, "the first attempt is history");
}

/* Who has dialled gives up, and the RST and the SYN-ACK cross: it is the first answer. */
Test(truth_old_syn, an_answer_that_crossed_a_rst)
{
	talk_lines(&t, {ORIG, S}, {ORIG, R, 1, 0, 0, 0, LA_CLOSED, LA_CLOSED},
		   {RESP, SA, 0, 1, 0, LA_R_LATE, LA_CLOSED, LA_CLOSED});
	cr_assert_eq(t.flows, 0, "it is of the same connection");
	assert_path(&t, RESP, "~CLOSED !SYN_RECEIVED ~CLOSED");
}
