/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_track.c - the life of a connection: opening, closing, and what is presumed of it.
 *
 * Each test is a talk (talk.h): lines of a textbook diagram, with the states that both
 * endpoints must be in after each.
 */
#include "la_record.h"
#include "talk.h"

static struct talk t;

static void init(void)
{
	talk_init(&t, 40000, 80);
}

TestSuite(track, .init = init);

#define OPENED                                                                                     \
	{ORIG, S, 0, 0, 0, 0, LA_SYN_SENT, LA_LISTEN},                                             \
		{RESP, SA, 0, 1, 0, 0, LA_SYN_SENT, LA_SYN_RECEIVED},                              \
	{                                                                                          \
		ORIG, A, 1, 1, 0, 0, LA_ESTABLISHED, LA_ESTABLISHED                                \
	}

Test(track, four_segments)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1, 0, 0, LA_FIN_WAIT_1, LA_CLOSE_WAIT},
		   {RESP, A, 1, 2, 0, 0, LA_FIN_WAIT_2, LA_CLOSE_WAIT},
		   {RESP, FA, 1, 2, 0, 0, LA_TIME_WAIT, LA_LAST_ACK},
		   {ORIG, A, 2, 2, 0, 0, LA_TIME_WAIT, LA_CLOSED});
	assert_path(&t, ORIG, "SYN_SENT ESTABLISHED FIN_WAIT_1 ~FIN_WAIT_2 ~TIME_WAIT");
	assert_path(&t, RESP, "SYN_RECEIVED ~ESTABLISHED ~CLOSE_WAIT LAST_ACK ~CLOSED");
	assert_closed(&t, "fin", "orig", "TIME_WAIT", "CLOSED");
	cr_assert_eq(talk_close(&t)->conn_state, LA_CONN_SF);
	cr_assert_eq(talk_close(&t)->handshake_ns, 2 * LA_MSEC_NS);
	cr_assert_eq(talk_close(&t)->close_ns, 3 * LA_MSEC_NS);
	cr_assert_eq(talk_close(&t)->duration_ns, 6 * LA_MSEC_NS);
	assert_gapless(&t);
}

Test(track, responder_closes_first)
{
	talk_lines(&t, OPENED, {RESP, FA, 1, 1, 0, 0, LA_CLOSE_WAIT, LA_FIN_WAIT_1},
		   {ORIG, A, 1, 2, 0, 0, LA_CLOSE_WAIT, LA_FIN_WAIT_2},
		   {ORIG, FA, 1, 2, 0, 0, LA_LAST_ACK, LA_TIME_WAIT},
		   {RESP, A, 2, 2, 0, 0, LA_CLOSED, LA_TIME_WAIT});
	assert_closed(&t, "fin", "resp", "CLOSED", "TIME_WAIT");
}

Test(track, three_segments)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1, 0, 0, LA_FIN_WAIT_1, LA_CLOSE_WAIT},
		   {RESP, FA, 1, 2, 0, 0, LA_TIME_WAIT, LA_LAST_ACK},
		   {ORIG, A, 2, 2, 0, 0, LA_TIME_WAIT, LA_CLOSED});
	assert_path(&t, ORIG, "SYN_SENT ESTABLISHED FIN_WAIT_1 ~FIN_WAIT_2 ~TIME_WAIT");
	assert_path(&t, RESP, "SYN_RECEIVED ~ESTABLISHED ~CLOSE_WAIT LAST_ACK ~CLOSED");
	assert_closed(&t, "fin", "orig", "TIME_WAIT", "CLOSED");
}

Test(track, simultaneous_close)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1, 0, 0, LA_FIN_WAIT_1, LA_CLOSE_WAIT},
		   {RESP, FA, 1, 1, 0, 0, LA_CLOSING, LA_FIN_WAIT_1},
		   {RESP, A, 2, 2, 0, 0, LA_TIME_WAIT, LA_CLOSING},
		   {ORIG, A, 2, 2, 0, 0, LA_TIME_WAIT, LA_TIME_WAIT});
	assert_path(&t, ORIG, "SYN_SENT ESTABLISHED FIN_WAIT_1 ~CLOSING ~TIME_WAIT");
	assert_path(&t, RESP,
		    "SYN_RECEIVED ~ESTABLISHED ~CLOSE_WAIT !ESTABLISHED FIN_WAIT_1 CLOSING "
		    "~TIME_WAIT");
	assert_closed(&t, "simultaneous_fin", "both", "TIME_WAIT", "TIME_WAIT");
	assert_gapless(&t);
}

/* Seen next to the originator: its ACK passes before the responder has said it got the FIN. */
Test(track, simultaneous_close_seen_from_one_end)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1, 0, 0, LA_FIN_WAIT_1, LA_CLOSE_WAIT},
		   {RESP, FA, 1, 1, 0, 0, LA_CLOSING, LA_FIN_WAIT_1},
		   {ORIG, A, 2, 2, 0, 0, LA_CLOSING, LA_TIME_WAIT},
		   {RESP, A, 2, 2, 0, 0, LA_TIME_WAIT, LA_TIME_WAIT});
	assert_path(&t, RESP,
		    "SYN_RECEIVED ~ESTABLISHED ~CLOSE_WAIT !ESTABLISHED FIN_WAIT_1 ~CLOSING "
		    "~TIME_WAIT");
	assert_closed(&t, "simultaneous_fin", "both", "TIME_WAIT", "TIME_WAIT");
}

/* The FIN overtakes the data before it: it cannot be read until the hole is filled. */
Test(track, fin_before_its_data)
{
	talk_lines(&t, OPENED, {ORIG, FA, 101, 1, 0, 0, LA_FIN_WAIT_1, LA_ESTABLISHED},
		   {ORIG, PA, 1, 1, 100, 0, LA_FIN_WAIT_1, LA_CLOSE_WAIT});
	cr_assert_eq(t.flow.side[t.orig].retrans, 0);
}

Test(track, half_close_with_data_for_hours)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1, 0, 0, LA_FIN_WAIT_1, LA_CLOSE_WAIT},
		   {RESP, A, 1, 2, 0, 0, LA_FIN_WAIT_2, LA_CLOSE_WAIT});
	for (__u32 i = 0; i < 10; i++)
		talk_lines(&t, {WAIT, 3000000},
			   {RESP, PA, 1 + i * 100, 2, 100, 0, LA_FIN_WAIT_2, LA_CLOSE_WAIT},
			   {ORIG, A, 2, 101 + i * 100, 0, 0, LA_FIN_WAIT_2, LA_CLOSE_WAIT});
	talk_lines(&t, {RESP, FA, 1001, 2, 0, 0, LA_TIME_WAIT, LA_LAST_ACK},
		   {ORIG, A, 2, 1002, 0, 0, LA_TIME_WAIT, LA_CLOSED});
	assert_closed(&t, "fin", "orig", "TIME_WAIT", "CLOSED");
	cr_assert_eq(talk_close(&t)->side[RESP].bytes, 1000);
	cr_assert_gt(talk_close(&t)->side[RESP].in_state[LA_CLOSE_WAIT], 30000 * LA_SEC_NS);
}

Test(track, lost_last_ack_and_the_fin_again)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1, 0}, {RESP, FA, 1, 2, 0},
		   {ORIG, A, 2, 2, 0, 0, LA_TIME_WAIT, LA_CLOSED}, {WAIT, 200},
		   {RESP, FA, 1, 2, 0, LA_R_LATE, LA_TIME_WAIT, LA_LAST_ACK},
		   {ORIG, A, 2, 2, 0, LA_R_LATE, LA_TIME_WAIT, LA_CLOSED});
	assert_path(&t, RESP,
		    "SYN_RECEIVED ~ESTABLISHED ~CLOSE_WAIT LAST_ACK ~CLOSED !LAST_ACK ~CLOSED");
	assert_closed(&t, "fin", "orig", "TIME_WAIT", "CLOSED");
	talk_lines(&t, {WAIT, 60100});
	cr_assert_eq(talk_count(&t, LA_REC_GONE), 1);
	cr_assert_eq(talk_find(&t, LA_REC_GONE, 0)->gone.why, LA_GONE_TIME_WAIT_OVER);
	cr_assert_eq(talk_find(&t, LA_REC_GONE, 0)->gone.fin_retrans, 1);
	cr_assert_eq(talk_find(&t, LA_REC_GONE, 0)->gone.late_pkts, 2);
	assert_gapless(&t);
}

Test(track, ack_of_the_first_fin_lost)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1, 0},
		   {RESP, A, 1, 2, 0, 0, LA_FIN_WAIT_2, LA_CLOSE_WAIT}, {WAIT, 200},
		   {ORIG, FA, 1, 1, 0, 0, LA_FIN_WAIT_1, LA_CLOSE_WAIT},
		   {RESP, A, 1, 2, 0, 0, LA_FIN_WAIT_2, LA_CLOSE_WAIT});
	assert_path(&t, ORIG,
		    "SYN_SENT ESTABLISHED FIN_WAIT_1 ~FIN_WAIT_2 !FIN_WAIT_1 ~FIN_WAIT_2");
}

/* Both the ACK of its FIN and the peer's FIN were lost on the way to the closer. */
Test(track, closer_lost_everything)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1, 0},
		   {RESP, FA, 1, 2, 0, 0, LA_TIME_WAIT, LA_LAST_ACK}, {WAIT, 200},
		   {ORIG, FA, 1, 1, 0, 0, LA_FIN_WAIT_1, LA_LAST_ACK},
		   {RESP, FA, 1, 2, 0, 0, LA_TIME_WAIT, LA_LAST_ACK},
		   {ORIG, A, 2, 2, 0, 0, LA_TIME_WAIT, LA_CLOSED});
	assert_path(&t, ORIG,
		    "SYN_SENT ESTABLISHED FIN_WAIT_1 ~FIN_WAIT_2 ~TIME_WAIT !CLOSING !FIN_WAIT_1 "
		    "~FIN_WAIT_2 ~TIME_WAIT");
	assert_closed(&t, "fin", "orig", "TIME_WAIT", "CLOSED");
}

/* traps 1, 2: an ACK after a FIN that does not cover it. */
Test(track, ack_after_fin_is_not_its_ack)
{
	talk_lines(&t, OPENED, {ORIG, PA, 1, 1, 10},
		   {ORIG, FA, 11, 1, 0, 0, LA_FIN_WAIT_1, LA_CLOSE_WAIT},
		   {RESP, A, 1, 11, 0, 0, LA_FIN_WAIT_1, LA_CLOSE_WAIT},
		   {RESP, FA, 1, 12, 0, 0, LA_TIME_WAIT, LA_LAST_ACK},
		   {ORIG, A, 12, 1, 0, 0, LA_TIME_WAIT, LA_LAST_ACK});
	cr_assert_eq(talk_count(&t, LA_REC_CLOSE), 0);
	talk_lines(&t, {ORIG, A, 12, 2, 0, 0, LA_TIME_WAIT, LA_CLOSED});
	assert_closed(&t, "fin", "orig", "TIME_WAIT", "CLOSED");
}

Test(track, simultaneous_open)
{
	talk_lines(&t, {ORIG, S, 0, 0, 0, 0, LA_SYN_SENT, LA_LISTEN},
		   {RESP, S, 0, 0, 0, 0, LA_SYN_RECEIVED, LA_SYN_SENT},
		   {ORIG, SA, 0, 1, 0, 0, LA_SYN_RECEIVED, LA_SYN_SENT},
		   {RESP, SA, 0, 1, 0, 0, LA_ESTABLISHED, LA_SYN_RECEIVED},
		   {ORIG, A, 1, 1, 0, 0, LA_ESTABLISHED, LA_ESTABLISHED});
	assert_path(&t, ORIG, "SYN_SENT ~SYN_RECEIVED ~ESTABLISHED");
	assert_path(&t, RESP, "SYN_SENT SYN_RECEIVED ~ESTABLISHED");
}

/* trap 6: without the ACK of the SYN-ACK nothing is established, and retries renew nothing. */
Test(track, syn_ack_without_ack_is_not_established)
{
	talk_lines(&t, {ORIG, S, 0, 0, 0, 0, LA_SYN_SENT, LA_LISTEN},
		   {RESP, SA, 0, 1, 0, 0, LA_SYN_SENT, LA_SYN_RECEIVED},
		   {ORIG, S, 0, 0, 0, LA_R_SYN_RETRANSMIT, LA_SYN_SENT, LA_SYN_RECEIVED},
		   {RESP, SA, 0, 1, 0, LA_R_SYN_RETRANSMIT, LA_SYN_SENT, LA_SYN_RECEIVED});
	for (int i = 0; i < 6; i++)
		talk_lines(&t, {WAIT, 9900}, {RESP, SA, 0, 1, 0, LA_R_SYN_RETRANSMIT});
	cr_assert_eq(talk_count(&t, LA_REC_CLOSE), 0);
	talk_lines(&t, {WAIT, 1000});
	assert_closed(&t, "timeout", "none", "SYN_SENT", "SYN_RECEIVED");
	cr_assert_eq(talk_close(&t)->timeout_state, LA_SYN_RECEIVED);
	cr_assert_eq(talk_close(&t)->stage, LA_STAGE_POST_SYN);
}

Test(track, unanswered_syn_expires_though_it_is_sent_again)
{
	talk_lines(&t, {ORIG, S});
	for (int i = 0; i < 11; i++)
		talk_lines(&t, {WAIT, 10000},
			   {ORIG, S, 0, 0, 0, LA_R_SYN_RETRANSMIT, LA_SYN_SENT, LA_LISTEN});
	talk_lines(&t, {WAIT, 10000});
	assert_closed(&t, "timeout", "none", "SYN_SENT", "LISTEN");
	cr_assert_eq(talk_close(&t)->timeout_state, LA_SYN_SENT);
	cr_assert_eq(talk_close(&t)->conn_state, LA_CONN_S0);
	cr_assert_eq(talk_close(&t)->duration_ns, 120 * LA_SEC_NS);
	cr_assert_eq(talk_close(&t)->side[ORIG].retrans, 11);
}

Test(track, refused)
{
	talk_lines(&t, {ORIG, S}, {RESP, RA, 0, 1, 0, 0, LA_CLOSED, LA_CLOSED, .raw = false});
	assert_closed(&t, "refused", "resp", "CLOSED", "CLOSED");
	cr_assert_eq(talk_close(&t)->conn_state, LA_CONN_REJ);
	cr_assert_eq(talk_close(&t)->rst_verdict, LA_RST_SYN_SENT_ACK_OK);
	cr_assert_eq(talk_close(&t)->rst_sender, LA_RESP);
	cr_assert_eq(talk_count(&t, LA_REC_RST), 1);
}

Test(track, reset_established)
{
	talk_lines(&t, OPENED, {ORIG, PA, 1, 1, 10}, {ORIG, RA, 11, 1, 0, 0, LA_CLOSED, LA_CLOSED});
	assert_path(&t, ORIG, "SYN_SENT ESTABLISHED CLOSED");
	assert_path(&t, RESP, "SYN_RECEIVED ~ESTABLISHED ~CLOSED");
	assert_closed(&t, "reset", "orig", "CLOSED", "CLOSED");
	cr_assert_eq(talk_close(&t)->stage, LA_STAGE_POST_PSH);
	cr_assert_eq(talk_close(&t)->conn_state, LA_CONN_RSTO);
	talk_lines(&t, {WAIT, 11000});
	cr_assert_eq(talk_find(&t, LA_REC_GONE, 0)->gone.why, LA_GONE_EXPIRED);
	assert_gapless(&t);
}

Test(track, half_closed_reset)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1, 0}, {RESP, A, 1, 2, 0}, {RESP, PA, 1, 2, 50},
		   {ORIG, R, 2, 0, 0, 0, LA_CLOSED, LA_CLOSED});
	assert_closed(&t, "half_closed_reset", "orig", "CLOSED", "CLOSED");
	cr_assert_eq(talk_close(&t)->rst_sender, LA_ORIG);
}

/* Closed by FIN from one side, cut by the RST of the other. */
Test(track, first_fin_closes_though_the_peer_resets)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1, 0}, {RESP, RA, 1, 2, 0});
	assert_closed(&t, "half_closed_reset", "orig", "CLOSED", "CLOSED");
	cr_assert_eq(talk_close(&t)->rst_sender, LA_RESP);
}

/* trap 3: a blind RST. */
Test(track, blind_rst_changes_nothing)
{
	talk_lines(&t, OPENED, {ORIG, PA, 1, 1, 10}, {RESP, A, 1, 11, 0},
		   {ORIG, R, 5000, 0, 0, LA_R_RST_IGNORED, LA_ESTABLISHED, LA_ESTABLISHED},
		   {ORIG, R, 900000, 0, 0, LA_R_RST_OUT_OF_WINDOW, LA_ESTABLISHED, LA_ESTABLISHED},
		   {ORIG, R, 3, 0, 0, LA_R_RST_OUT_OF_WINDOW, LA_ESTABLISHED, LA_ESTABLISHED},
		   {ORIG, PA, 11, 1, 10, 0, LA_ESTABLISHED, LA_ESTABLISHED});
	cr_assert_eq(talk_count(&t, LA_REC_RST), 3);
	cr_assert_eq(talk_find(&t, LA_REC_RST, 0)->rst.verdict, LA_RST_IN_WINDOW);
	cr_assert_eq(talk_find(&t, LA_REC_RST, 1)->rst.verdict, LA_RST_OUT_OF_WINDOW);
	cr_assert_eq(talk_count(&t, LA_REC_CLOSE), 0);
}

/* An in-window RST is challenged; the exact one that answers the challenge closes. */
Test(track, challenged_rst)
{
	talk_lines(&t, OPENED, {ORIG, PA, 1, 1, 10}, {RESP, A, 1, 11, 0},
		   {ORIG, R, 20, 0, 0, LA_R_RST_IGNORED},
		   {RESP, A, 1, 11, 0, LA_R_CHALLENGE_ACK, LA_ESTABLISHED, LA_ESTABLISHED},
		   {ORIG, R, 11, 0, 0, 0, LA_CLOSED, LA_CLOSED});
	assert_closed(&t, "reset", "orig", "CLOSED", "CLOSED");
}

Test(track, rst_in_syn_sent_needs_the_right_ack)
{
	talk_lines(&t, {ORIG, S}, {RESP, RA, 0, 77, 0, LA_R_RST_IGNORED, LA_SYN_SENT, LA_LISTEN},
		   {RESP, R, 0, 0, 0, LA_R_RST_IGNORED, LA_SYN_SENT, LA_LISTEN},
		   {RESP, SA, 0, 1, 0, 0, LA_SYN_SENT, LA_SYN_RECEIVED});
	cr_assert_eq(talk_find(&t, LA_REC_RST, 0)->rst.verdict, LA_RST_SYN_SENT_ACK_BAD);
}

/* trap 18: a lone RST makes no flow. */
Test(track, lone_rst)
{
	talk_lines(&t, {ORIG, R, 1, 0, 0, LA_R_NO_FLOW});
	cr_assert_eq(t.n, 0);
}

Test(track, rst_after_close)
{
	talk_lines(&t, OPENED, {ORIG, RA, 1, 1, 0}, {ORIG, R, 1, 0, 0, LA_R_LATE},
		   {RESP, R, 1, 0, 0, LA_R_LATE, LA_CLOSED, LA_CLOSED});
	cr_assert_eq(talk_count(&t, LA_REC_RST), 3);
	cr_assert_eq(talk_find(&t, LA_REC_RST, 2)->rst.verdict, LA_RST_AFTER_CLOSE);
	assert_closed(&t, "reset", "orig", "CLOSED", "CLOSED");
	talk_lines(&t, {WAIT, 20000});
	cr_assert_eq(talk_find(&t, LA_REC_GONE, 0)->gone.late_rst, 2);
}

/* trap 18: the same SYN again belongs to its attempt; another ISN is another attempt. */
Test(track, another_attempt_on_the_same_ports)
{
	talk_lines(&t, {ORIG, S}, {ORIG, S, .isn = 5000, .orig = LA_SYN_SENT, .resp = LA_LISTEN},
		   {RESP, SA, 0, 1, 0}, {ORIG, A, 1, 1, 0, 0, LA_ESTABLISHED, LA_ESTABLISHED});
	assert_closed(&t, "replaced", "none", "SYN_SENT", "LISTEN");
	cr_assert_eq(talk_count(&t, LA_REC_GONE), 1);
	cr_assert_neq(t.rec[0].h.id, t.rec[t.n - 1].h.id);
	assert_gapless(&t);
}

/* RFC 1122 4.2.2.13 */
Test(track, time_wait_reused_by_a_newer_syn)
{
	talk_lines(
		&t, OPENED, {RESP, FA, 1, 1, 0}, {ORIG, FA, 1, 2, 0},
		{RESP, A, 2, 2, 0, 0, LA_CLOSED, LA_TIME_WAIT},
		{ORIG, S, 0, 0, 0, LA_R_LATE, LA_CLOSED, LA_TIME_WAIT},
		{ORIG, S, .raw = true, .seq = TALK_ISN_ORIG - 100, .reason = LA_R_STALE_SYN,
		 .orig = LA_CLOSED, .resp = LA_TIME_WAIT},
		{ORIG, S, .isn = TALK_ISN_ORIG + 100000, .orig = LA_SYN_SENT, .resp = LA_LISTEN});
	cr_assert_eq(talk_count(&t, LA_REC_CLOSE), 1);
	cr_assert_eq(talk_find(&t, LA_REC_GONE, 0)->gone.why, LA_GONE_REPLACED);
	assert_gapless(&t);
}

/* The receiver of a stale SYN challenges it, is reset out of TIME_WAIT, and then answers. */
Test(track, stale_syn_that_is_answered_after_all)
{
	talk_lines(
		&t, OPENED, {RESP, FA, 1, 1, 0}, {ORIG, FA, 1, 2, 0}, {RESP, A, 2, 2, 0},
		{ORIG, S, .isn = TALK_ISN_ORIG - 100, .reason = LA_R_STALE_SYN},
		{RESP, SA, .isn = 123456, .ack = 1, .orig = LA_SYN_SENT, .resp = LA_SYN_RECEIVED},
		{ORIG, A, 1, 1, 0, 0, LA_ESTABLISHED, LA_ESTABLISHED});
	cr_assert_eq(talk_find(&t, LA_REC_GONE, 0)->gone.why, LA_GONE_REPLACED);
	assert_gapless(&t);
}

Test(track, handshake_again_after_the_end_is_no_new_connection)
{
	talk_lines(&t, OPENED, {ORIG, RA, 1, 1, 0}, {ORIG, S, .reason = LA_R_LATE},
		   {RESP, SA, .ack = 1, .reason = LA_R_LATE, .orig = LA_CLOSED, .resp = LA_CLOSED});
	cr_assert_eq(talk_count(&t, LA_REC_GONE), 0);
}

/* Ports used again, and the SYN was missed. */
Test(track, syn_ack_after_the_end)
{
	talk_lines(
		&t, OPENED, {ORIG, RA, 1, 1, 0},
		{RESP, SA, .seq = 0, .ack = 1, .reason = LA_R_LATE},
		{RESP, SA, .isn = 700000, .ack = 99, .orig = LA_SYN_SENT, .resp = LA_SYN_RECEIVED});
}

/* trap 5: a SYN on a live tuple waits for the SYN-ACK that agrees with it. */
Test(track, provisional_syn_confirmed)
{
	talk_lines(
		&t, OPENED,
		{ORIG, S, .isn = 777000, .reason = LA_R_PROVISIONAL_SYN, .orig = LA_ESTABLISHED,
		 .resp = LA_ESTABLISHED},
		{RESP, SA, .isn = 888000, .ack = 1, .orig = LA_SYN_SENT, .resp = LA_SYN_RECEIVED},
		{ORIG, A, 1, 1, 0, 0, LA_ESTABLISHED, LA_ESTABLISHED});
	assert_closed(&t, "replaced", "none", "ESTABLISHED", "ESTABLISHED");
	cr_assert_eq(t.flow.established - t.flow.start, 2 * LA_MSEC_NS);
	assert_gapless(&t);
}

Test(track, provisional_syn_refuted)
{
	talk_lines(&t, OPENED, {ORIG, PA, 1, 1, 10}, {RESP, A, 1, 11, 0},
		   {ORIG, S, .raw = true, .seq = 777000, .reason = LA_R_PROVISIONAL_SYN},
		   {RESP, A, 1, 11, 0, LA_R_CHALLENGE_ACK, LA_ESTABLISHED, LA_ESTABLISHED},
		   {ORIG, PA, 11, 1, 10, 0, LA_ESTABLISHED, LA_ESTABLISHED},
		   {RESP, SA, .raw = true, .seq = 5, .ack = 6, .reason = LA_R_BAD_SYN_ACK,
		    .orig = LA_ESTABLISHED, .resp = LA_ESTABLISHED});
	cr_assert_eq(talk_count(&t, LA_REC_CLOSE), 0);
}

/* The crashed client: SYN, challenge ACK, RST, SYN again. */
Test(track, crashed_client_starts_anew)
{
	talk_lines(&t, OPENED, {ORIG, PA, 1, 1, 10}, {RESP, A, 1, 11, 0},
		   {ORIG, S, .raw = true, .seq = 777000, .reason = LA_R_PROVISIONAL_SYN},
		   {RESP, A, 1, 11, 0, LA_R_CHALLENGE_ACK},
		   {ORIG, R, 11, 0, 0, 0, LA_CLOSED, LA_CLOSED},
		   {ORIG, S, .isn = 777000, .orig = LA_SYN_SENT, .resp = LA_LISTEN},
		   {RESP, SA, .isn = 999000, .ack = 1},
		   {ORIG, A, 1, 1, 0, 0, LA_ESTABLISHED, LA_ESTABLISHED});
	assert_closed(&t, "reset", "orig", "CLOSED", "CLOSED");
}

/* "SYN, challenge ACK, RST, SYN again ends established", where only the server remembers. */
Test(track, challenge_instead_of_syn_ack)
{
	talk_lines(&t, {ORIG, S},
		   {RESP, A, .raw = true, .seq = 12345, .ack = 54321, .reason = LA_R_CHALLENGE_ACK,
		    .orig = LA_SYN_SENT, .resp = LA_LISTEN},
		   {ORIG, R, .raw = true, .seq = 54321, .reason = LA_R_RST_OUT_OF_WINDOW,
		    .orig = LA_SYN_SENT, .resp = LA_LISTEN},
		   {ORIG, S, 0, 0, 0, LA_R_SYN_RETRANSMIT}, {RESP, SA, 0, 1, 0},
		   {ORIG, A, 1, 1, 0, 0, LA_ESTABLISHED, LA_ESTABLISHED});
}

Test(track, stale_syn_ack_is_invalid_and_the_right_one_establishes)
{
	talk_lines(&t, {ORIG, S},
		   {RESP, SA, .seq = 100, .ack = 5000, .reason = LA_R_BAD_SYN_ACK,
		    .orig = LA_SYN_SENT, .resp = LA_LISTEN},
		   {RESP, SA, 0, 1, 0}, {ORIG, A, 1, 1, 0, 0, LA_ESTABLISHED, LA_ESTABLISHED});
}

Test(track, lost_ack_of_the_syn_ack)
{
	talk_lines(&t, OPENED, {WAIT, 1000},
		   {RESP, SA, 0, 1, 0, LA_R_SYN_RETRANSMIT, LA_ESTABLISHED, LA_SYN_RECEIVED},
		   {ORIG, A, 1, 1, 0, 0, LA_ESTABLISHED, LA_ESTABLISHED});
	assert_path(&t, RESP, "SYN_RECEIVED ~ESTABLISHED !SYN_RECEIVED ~ESTABLISHED");
	talk_lines(&t, {RESP, PA, 1, 1, 5},
		   {RESP, SA, 0, 1, 0, LA_R_SYN_RETRANSMIT, LA_ESTABLISHED, LA_ESTABLISHED});
}

Test(track, syn_cookies_change_the_number)
{
	talk_lines(&t, {ORIG, S}, {RESP, SA, 0, 1, 0}, {ORIG, S, 0, 0, 0, LA_R_SYN_RETRANSMIT},
		   {RESP, SA, .raw = true, .seq = 1000, .ack = TALK_ISN_ORIG + 1},
		   {ORIG, A, 1, 1, 0, 0, LA_ESTABLISHED, LA_ESTABLISHED},
		   {RESP, PA, 1, 1, 10, 0, LA_ESTABLISHED, LA_ESTABLISHED});
}

Test(track, data_in_the_third_segment_and_fin_with_data)
{
	talk_lines(&t, {ORIG, S}, {RESP, SA, 0, 1, 0}, {ORIG, PA, 1, 1, 100},
		   {RESP, PA | FA, 1, 101, 200, 0, LA_CLOSE_WAIT, LA_FIN_WAIT_1},
		   {ORIG, FA, 101, 202, 0, 0, LA_LAST_ACK, LA_TIME_WAIT},
		   {RESP, A, 202, 102, 0, 0, LA_CLOSED, LA_TIME_WAIT});
	assert_closed(&t, "fin", "resp", "CLOSED", "TIME_WAIT");
	cr_assert_eq(talk_close(&t)->side[ORIG].bytes, 100);
	cr_assert_eq(talk_close(&t)->side[RESP].bytes, 200);
}

Test(track, fast_open_data_on_the_syn)
{
	talk_lines(&t, {ORIG, S, 0, 0, 50}, {RESP, SA, 0, 51, 0}, {RESP, PA, 1, 51, 20},
		   {ORIG, A, 51, 21, 0, 0, LA_ESTABLISHED, LA_ESTABLISHED}, {ORIG, FA, 51, 21, 0},
		   {RESP, FA, 21, 52, 0}, {ORIG, A, 52, 22, 0});
	assert_closed(&t, "fin", "orig", "TIME_WAIT", "CLOSED");
	cr_assert_eq(talk_close(&t)->side[ORIG].bytes, 50);
	cr_assert_eq(talk_close(&t)->side[RESP].bytes, 20);
}

Test(track, refused_data_on_the_syn_is_sent_again)
{
	talk_lines(&t, {ORIG, S, 0, 0, 50}, {RESP, SA, 0, 1, 0},
		   {ORIG, PA, 1, 1, 50, 0, LA_ESTABLISHED, LA_ESTABLISHED}, {RESP, A, 1, 51, 0});
	cr_assert_eq(t.flow.side[t.orig].bytes, 50);
}

/* trap 17: direction from the ports, where the handshake was not seen. */
Test(track, midstream)
{
	talk_lines(&t, {RESP, PA, 1, 1, 10, 0, LA_ESTABLISHED, LA_ESTABLISHED},
		   {ORIG, A, 1, 11, 0, 0, LA_ESTABLISHED, LA_ESTABLISHED}, {ORIG, FA, 1, 11, 0},
		   {RESP, FA, 11, 2, 0}, {ORIG, A, 2, 12, 0});
	assert_closed(&t, "fin", "orig", "TIME_WAIT", "CLOSED");
	cr_assert_eq(talk_close(&t)->midstream, 1);
	cr_assert_eq(talk_close(&t)->h.orig, t.orig);
	cr_assert_eq(talk_close(&t)->handshake_ns, 0);
}

/* Clients' ports begin at 1024, so a known service counts for more than the lower number. */
Test(track, midstream_port_of_the_server)
{
	static const struct {
		__u16 client, server;
	} ports[] = {{40000, 80},  {40000, 9000},  {1025, 80}, {2000, 3306},
		     {1500, 8080}, {40000, 20000}, {8080, 80}, {8888, 5432}};

	for (size_t i = 0; i < sizeof(ports) / sizeof(*ports); i++) {
		talk_init(&t, ports[i].client, ports[i].server);
		talk_lines(&t, {RESP, PA, 1, 1, 10, 0, LA_ESTABLISHED, LA_ESTABLISHED});
		cr_expect_eq(t.flow.orig, t.orig, "%u to %u", ports[i].client, ports[i].server);
		talk_init(&t, ports[i].client, ports[i].server);
		talk_lines(&t, {ORIG, PA, 1, 1, 10, 0, LA_ESTABLISHED, LA_ESTABLISHED});
		cr_expect_eq(t.flow.orig, t.orig, "%u to %u", ports[i].client, ports[i].server);
	}
}

Test(track, last_fin_ack_meets_no_entry)
{
	talk_lines(&t, {RESP, FA, 11, 2, 0, 0, LA_CLOSE_WAIT, LA_FIN_WAIT_1},
		   {ORIG, A, 2, 12, 0, 0, LA_CLOSE_WAIT, LA_FIN_WAIT_2});
	cr_assert_eq(talk_find(&t, LA_REC_STATE, 0)->state.h.orig, t.orig);
}

/* An ACK that nobody answers is no connection for five days. */
Test(track, unanswered_midstream_expires_like_an_attempt)
{
	talk_lines(&t, {ORIG, A, 1, 1, 0});
	for (int i = 0; i < 11; i++)
		talk_lines(&t, {WAIT, 10000}, {ORIG, A, 1, 1, 0});
	talk_lines(&t, {WAIT, 10000});
	assert_closed(&t, "timeout", "none", "ESTABLISHED", "ESTABLISHED");
}

Test(track, midstream_with_an_answer_lives_as_long_as_any)
{
	talk_lines(&t, {ORIG, A, 1, 1, 0}, {RESP, A, 1, 1, 0}, {WAIT, 200000},
		   {ORIG, A, 1, 1, 0, 0, LA_ESTABLISHED, LA_ESTABLISHED});
	cr_assert_eq(talk_count(&t, LA_REC_CLOSE), 0);
}

Test(track, picked_up_at_the_syn_ack)
{
	talk_lines(&t, {RESP, SA, 0, 1, 0, 0, LA_SYN_SENT, LA_SYN_RECEIVED},
		   {ORIG, A, 1, 1, 0, 0, LA_ESTABLISHED, LA_ESTABLISHED});
	cr_assert_eq(t.rec[0].h.id, la_conn_id(&t.key, TALK_ISN_ORIG));
	cr_assert_eq(t.rec[0].h.orig, t.orig);
}

Test(track, one_way_originator)
{
	talk_lines(&t, {ORIG, S}, {ORIG, A, 1, 1, 0, 0, LA_ESTABLISHED, LA_ESTABLISHED},
		   {ORIG, PA, 1, 1, 100}, {ORIG, FA, 101, 501, 0, 0, LA_FIN_WAIT_1, LA_CLOSE_WAIT},
		   {ORIG, A, 102, 502, 0});
	assert_path(&t, RESP, "~SYN_RECEIVED ~ESTABLISHED ~CLOSE_WAIT ~LAST_ACK ~CLOSED");
	cr_assert_eq(t.flow.side[!t.orig].bytes, 500);
}

Test(track, one_way_responder)
{
	talk_lines(&t, {RESP, SA, 0, 1, 0},
		   {RESP, PA, 1, 101, 50, 0, LA_ESTABLISHED, LA_ESTABLISHED});
	cr_assert_eq(t.flow.side[t.orig].bytes, 100);
}

Test(track, syn_ack_missed)
{
	talk_lines(&t, {ORIG, S}, {RESP, PA, 1, 1, 10, 0, LA_ESTABLISHED, LA_ESTABLISHED},
		   {ORIG, A, 1, 11, 0, 0, LA_ESTABLISHED, LA_ESTABLISHED});
	cr_assert_eq(t.flow.side[!t.orig].bytes, 10);
}

/* trap 16: two hooks see each packet, it counts once. */
Test(track, second_hook_is_ignored)
{
	talk_lines(&t, {ORIG, S, .hook = 2},
		   {ORIG, S, .hook = 5, .reason = LA_R_OTHER_HOOK, .orig = LA_SYN_SENT,
		    .resp = LA_LISTEN},
		   {RESP, SA, .ack = 1, .hook = 4},
		   {RESP, SA, .ack = 1, .hook = 3, .reason = LA_R_OTHER_HOOK},
		   {ORIG, A, .seq = 1, .ack = 1, .hook = 2},
		   {ORIG, A, .seq = 1, .ack = 1, .hook = 5, .reason = LA_R_OTHER_HOOK});
	cr_assert_eq(t.flow.side[t.orig].pkts, 2);
	cr_assert_eq(t.flow.side[!t.orig].pkts, 1);
	/* The route changes: the first hook goes blind. */
	talk_lines(&t, {ORIG, PA, .seq = 1, .ack = 1, .len = 10, .hook = 7},
		   {ORIG, PA, .seq = 11, .ack = 1, .len = 10, .hook = 7});
	cr_assert_eq(t.flow.side[t.orig].pkts, 4);
	cr_assert_eq(t.flow.side[t.orig].bytes, 20);
}

Test(track, time_wait_is_not_renewed_by_a_stray_ack)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1, 0}, {RESP, FA, 1, 2, 0}, {ORIG, A, 2, 2, 0},
		   {WAIT, 50000}, {RESP, A, 2, 2, 0, LA_R_LATE, LA_TIME_WAIT, LA_CLOSED},
		   {WAIT, 9900});
	cr_assert_eq(talk_count(&t, LA_REC_GONE), 0);
	talk_lines(&t, {WAIT, 200});
	cr_assert_eq(talk_count(&t, LA_REC_GONE), 1);
	cr_assert_str_eq(talk_path(&t, ORIG),
			 "SYN_SENT ESTABLISHED FIN_WAIT_1 ~FIN_WAIT_2 ~TIME_WAIT +CLOSED");
}

Test(track, time_wait_is_restarted_by_a_fin_that_is_acknowledged_again)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1, 0}, {RESP, FA, 1, 2, 0}, {ORIG, A, 2, 2, 0},
		   {WAIT, 50000}, {RESP, FA, 1, 2, 0, LA_R_LATE}, {ORIG, A, 2, 2, 0, LA_R_LATE},
		   {WAIT, 59000});
	cr_assert_eq(talk_count(&t, LA_REC_GONE), 0);
	talk_lines(&t, {WAIT, 1100});
	cr_assert_eq(talk_count(&t, LA_REC_GONE), 1);
}

/* trap 11: an entry renewed a moment ago is not deleted. */
Test(track, renewed_entry_is_kept)
{
	t.cfg.timeout[LA_TIMEOUT_ESTABLISHED] = 10 * LA_SEC_NS;
	talk_lines(&t, OPENED, {ORIG, PA, 1, 1, 10}, {WAIT, 9999}, {RESP, A, 1, 11, 0},
		   {WAIT, 9999, .orig = LA_ESTABLISHED, .resp = LA_ESTABLISHED}, {WAIT, 2});
	assert_closed(&t, "timeout", "none", "ESTABLISHED", "ESTABLISHED");
	cr_assert_eq(talk_close(&t)->timeout_cause, LA_TIMEOUT_CAUSE_IDLE);
}

/* Nobody looked in time: the segment finds the dead flow, which is closed before the new one. */
Test(track, segment_after_the_deadline_opens_anew)
{
	t.cfg.timeout[LA_TIMEOUT_SYN_SENT] = LA_SEC_NS;
	talk_lines(&t, {ORIG, S});
	t.now += 2 * LA_SEC_NS;
	talk_lines(&t, {ORIG, S, .isn = 9999, .orig = LA_SYN_SENT, .resp = LA_LISTEN});
	assert_closed(&t, "timeout", "none", "SYN_SENT", "LISTEN");
	cr_assert_eq(talk_close(&t)->duration_ns, LA_SEC_NS);
	assert_gapless(&t);
}

Test(track, invalid_segments_renew_nothing)
{
	t.cfg.timeout[LA_TIMEOUT_ESTABLISHED] = 10 * LA_SEC_NS;
	talk_lines(&t, OPENED, {ORIG, PA, 1, 1, 10}, {RESP, A, 1, 11, 0}, {WAIT, 9000},
		   {ORIG, PA, 900000, 1, 10, LA_R_SEQ_ABOVE_WINDOW}, {WAIT, 1100});
	assert_closed(&t, "timeout", "none", "ESTABLISHED", "ESTABLISHED");
}

Test(track, ids_are_the_same_from_both_ends_and_for_both_key_orders)
{
	struct la_key turned;

	memcpy(turned.addr[0], t.key.addr[1], 16);
	memcpy(turned.addr[1], t.key.addr[0], 16);
	turned.port[0] = t.key.port[1];
	turned.port[1] = t.key.port[0];
	turned.pad = 0;
	cr_assert_eq(la_conn_id(&t.key, 1), la_conn_id(&turned, 1));
	cr_assert_neq(la_conn_id(&t.key, 1), la_conn_id(&t.key, 2));
	turned.port[0] = t.key.port[0]; /* trap 15: A:1-B:2 is not A:2-B:1 */
	turned.port[1] = t.key.port[1];
	cr_assert_neq(la_conn_id(&t.key, 1), la_conn_id(&turned, 1));
}
