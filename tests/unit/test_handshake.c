/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_handshake.c - unusual beginnings: handshakes of four segments and of crossing SYNs, a
 * direction that only a late SYN tells, refusals that are denied, SYN cookies, and sequence
 * numbers that run past 2^32 more than once.
 */
#include "talk.h"

static struct talk t;

static void init(void)
{
	talk_init(&t, 40000, 80);
}

TestSuite(handshake, .init = init);

/* The server sends its SYN without the ACK: to the client this is a simultaneous open. */
Test(handshake, split_without_the_ack)
{
	talk_lines(&t, {ORIG, S}, {RESP, S, 0, 0, 0, 0, LA_SYN_RECEIVED, LA_SYN_SENT},
		   {ORIG, SA, 0, 1, 0, 0, LA_SYN_RECEIVED, LA_SYN_SENT},
		   {RESP, A, 1, 1, 0, 0, LA_ESTABLISHED, LA_ESTABLISHED},
		   {ORIG, PA, 1, 1, 10, 0, LA_ESTABLISHED, LA_ESTABLISHED});
	cr_assert_eq(t.flow.orig, t.orig);
}

/* Four segments. RFC 9293 3.10.7.3: in SYN_SENT an ACK alone is dropped, only the SYN counts. */
Test(handshake, four_segments)
{
	talk_lines(&t, {ORIG, S}, {RESP, A, 0, 1, 0, LA_R_CHALLENGE_ACK, LA_SYN_SENT, LA_LISTEN},
		   {RESP, S, 0, 0, 0, 0, LA_SYN_RECEIVED, LA_SYN_RECEIVED},
		   {ORIG, SA, 0, 1, 0, 0, LA_SYN_RECEIVED, LA_ESTABLISHED},
		   {RESP, A, 1, 1, 0, 0, LA_ESTABLISHED, LA_ESTABLISHED});
	assert_path(&t, ORIG, "SYN_SENT ~SYN_RECEIVED ~ESTABLISHED");
	assert_path(&t, RESP, "SYN_RECEIVED ~ESTABLISHED");
	talk_lines(&t, {ORIG, FA, 1, 1}, {RESP, FA, 1, 2}, {ORIG, A, 2, 2});
	assert_closed(&t, "fin", "orig", "TIME_WAIT", "CLOSED");
}

/* The client has kept the ACK, and takes the SYN for the rest of the answer. */
Test(handshake, four_segments_and_a_plain_ack)
{
	talk_lines(&t, {ORIG, S, .shift = 8}, {RESP, A, 0, 1, 0, LA_R_CHALLENGE_ACK},
		   {RESP, S, 0, 0, 0, 0, LA_SYN_RECEIVED, LA_SYN_RECEIVED},
		   {ORIG, A, 1, 1, 0, 0, LA_ESTABLISHED, LA_ESTABLISHED},
		   {ORIG, PA, 1, 1, 10, 0, LA_ESTABLISHED, LA_ESTABLISHED},
		   {RESP, PA, 1, 11, 10, 0, LA_ESTABLISHED, LA_ESTABLISHED});
	assert_path(&t, ORIG, "SYN_SENT ~SYN_RECEIVED ESTABLISHED");
	assert_path(&t, RESP, "SYN_RECEIVED ~ESTABLISHED");
	cr_assert_eq(t.flow.side[t.orig].wscale, 0, "only one SYN announced scaling");
	cr_assert_gt(t.flow.established, t.flow.start);
}

/* An older connection's ACK is no half of an answer. */
Test(handshake, a_challenge_and_a_crossing_syn)
{
	talk_lines(&t, {ORIG, S},
		   {RESP, A, .raw = true, .seq = 5, .ack = 77, .reason = LA_R_CHALLENGE_ACK},
		   {RESP, S, 0, 0, 0, 0, LA_SYN_RECEIVED, LA_SYN_SENT});
}

Test(handshake, simultaneous_open)
{
	talk_lines(&t, {ORIG, S}, {RESP, S, 0, 0, 0, 0, LA_SYN_RECEIVED, LA_SYN_SENT},
		   {ORIG, SA, 0, 1, 0, 0, LA_SYN_RECEIVED, LA_SYN_SENT},
		   {RESP, SA, 0, 1, 0, 0, LA_ESTABLISHED, LA_SYN_RECEIVED},
		   {ORIG, A, 1, 1, 0, 0, LA_ESTABLISHED, LA_ESTABLISHED},
		   {RESP, A, 1, 1, 0, 0, LA_ESTABLISHED, LA_ESTABLISHED});
	cr_assert_eq(t.flow.orig, t.orig, "who was first");
	cr_assert_eq(talk_count(&t, LA_REC_CLOSE), 0);
	assert_gapless(&t);
}

/* ---- direction ---- */

/* The ports say that the lower one listens; the SYN, overtaken by its own data, knows better. */
Test(handshake, a_late_syn_corrects_the_direction)
{
	__u64 id;

	talk_init(&t, 80, 40000); /* this client has the low port */
	talk_lines(&t, {ORIG, PA, 1, 1, 10, 0, LA_ESTABLISHED, LA_ESTABLISHED});
	cr_assert_neq(t.flow.orig, t.orig, "a guess by the ports");
	id = t.rec[0].h.id;
	talk_lines(&t, {ORIG, S, 0, 0, 0, 0, LA_ESTABLISHED, LA_ESTABLISHED});
	cr_assert_eq(t.flow.orig, t.orig);
	talk_lines(&t, {RESP, A, 1, 11}, {ORIG, FA, 11, 1}, {RESP, FA, 1, 12}, {ORIG, A, 12, 2});
	assert_closed(&t, "fin", "orig", "TIME_WAIT", "CLOSED");
	cr_assert_eq(talk_close(&t)->h.orig, t.orig);
	cr_assert_eq(talk_close(&t)->h.id, id, "the id does not change");
	cr_assert_eq(talk_close(&t)->midstream, 1);
	cr_assert_eq(talk_close(&t)->side[ORIG].bytes, 10);
	cr_assert_eq(talk_close(&t)->side[ORIG].retrans, 0);
	assert_gapless(&t);
}

Test(handshake, a_late_syn_ack_corrects_the_direction)
{
	talk_init(&t, 80, 40000);
	talk_lines(&t, {RESP, PA, 1, 1, 10}, {ORIG, A, 1, 11});
	cr_assert_neq(t.flow.orig, t.orig);
	talk_lines(&t, {RESP, SA, 0, 1, 0, 0, LA_ESTABLISHED, LA_ESTABLISHED});
	cr_assert_eq(t.flow.orig, t.orig);
	cr_assert_eq(t.flows, 0);
}

/* The guess was right: the SYN and the SYN-ACK confirm it. */
Test(handshake, late_syns_confirm_the_direction)
{
	talk_lines(&t, {ORIG, PA, 1, 1, 10}, {RESP, SA, 0, 1}, {ORIG, S}, {RESP, A, 1, 11});
	cr_assert_eq(t.flow.orig, t.orig);
	cr_assert_null(memchr(t.flow.history, '^', t.flow.history_len));
	cr_assert_eq(t.flow.side[t.orig].isn, TALK_ISN_ORIG);
	cr_assert_eq(t.flow.side[!t.orig].isn, TALK_ISN_RESP);
}

/* Overtaken by its answer, which is what the flow was opened by: not sent again. */
Test(handshake, a_syn_behind_its_syn_ack)
{
	talk_lines(&t, {RESP, SA, 0, 1, 0, 0, LA_SYN_SENT, LA_SYN_RECEIVED},
		   {ORIG, S, 0, 0, 0, 0, LA_SYN_SENT, LA_SYN_RECEIVED},
		   {ORIG, A, 1, 1, 0, 0, LA_ESTABLISHED, LA_ESTABLISHED});
	cr_assert_eq(t.flow.side[t.orig].retrans, 0);
	cr_assert_eq(t.flow.side[t.orig].mss, 1460);
}

/* Any other SYN on the tuple is provisional: it may begin something new. */
Test(handshake, a_new_syn_midstream_corrects_nothing)
{
	talk_init(&t, 80, 40000);
	talk_lines(&t, {ORIG, PA, 1, 1, 10}, {RESP, A, 1, 11},
		   {ORIG, S, 5000, .reason = LA_R_PROVISIONAL_SYN},
		   {ORIG, S, .raw = true, .seq = 77, .reason = LA_R_PROVISIONAL_SYN});
	cr_assert_neq(t.flow.orig, t.orig);
}

/* ---- a refusal that is none ---- */

#define REFUSED                                                                                    \
	{ORIG, S},                                                                                 \
	{                                                                                          \
		RESP, RA, .raw = true, .ack = TALK_ISN_ORIG + 1, .orig = LA_CLOSED,                \
			  .resp = LA_CLOSED                                                        \
	}

/* The client does not heed it either: nobody sent that RST. */
Test(handshake, a_refusal_is_denied_and_the_connection_carries_on)
{
	talk_lines(&t, REFUSED, {RESP, SA, 0, 1, 0, LA_R_LATE, LA_CLOSED, LA_SYN_RECEIVED},
		   {ORIG, A, 1, 1, 0, 0, LA_ESTABLISHED, LA_ESTABLISHED},
		   {ORIG, PA, 1, 1, 10, 0, LA_ESTABLISHED, LA_ESTABLISHED});
	assert_path(&t, ORIG, "SYN_SENT ~CLOSED !SYN_SENT ESTABLISHED");
	assert_path(&t, RESP, "CLOSED !LISTEN SYN_RECEIVED ~ESTABLISHED");
	cr_assert_eq(t.flow.forged, 1 << (LA_EVIDENCE_SENDS_ON - 1));
	assert_closed(&t, "refused", "resp", "CLOSED", "CLOSED");
	cr_assert_eq(t.flows, 0, "one connection, one flow");
	assert_gapless(&t);
}

/* The client has given up: its kernel answers the SYN-ACK with a RST. */
Test(handshake, a_refusal_is_denied_but_believed)
{
	talk_lines(&t, REFUSED, {RESP, SA, 0, 1, 0, LA_R_LATE, LA_CLOSED, LA_SYN_RECEIVED},
		   {ORIG, R, 1, .reason = LA_R_LATE, .orig = LA_CLOSED, .resp = LA_CLOSED});
	cr_assert_eq(talk_find(&t, LA_REC_RST, 1)->rst.forged, 0, "the answer is innocent");
	talk_lines(&t, {WAIT, 61000});
	cr_assert_eq(talk_find(&t, LA_REC_GONE, 0)->gone.carried_on, 0);
	cr_assert_eq(talk_find(&t, LA_REC_GONE, 0)->gone.forged, 1 << (LA_EVIDENCE_SENDS_ON - 1));
}

/* Innocent: the SYN came twice, and between them somebody began to listen. */
Test(handshake, refused_then_accepted)
{
	talk_lines(&t, {ORIG, S}, {ORIG, S, .reason = LA_R_SYN_RETRANSMIT},
		   {RESP, RA, .raw = true, .ack = TALK_ISN_ORIG + 1},
		   {RESP, SA, 0, 1, 0, LA_R_LATE, LA_CLOSED, LA_SYN_RECEIVED});
	cr_assert_eq(t.flow.forged, 0);
}

/* ---- copies ---- */

/* By its timestamp the same SYN, SYN-ACK, FIN: the network doubled it, nobody sent it again. */
Test(handshake, copies_are_no_retransmissions)
{
	talk_lines(&t, {ORIG, S, .ts = 100}, {ORIG, S, .ts = 100, .reason = LA_R_SYN_RETRANSMIT},
		   {RESP, SA, 0, 1, .ts = 900, .ecr = 100}, {ORIG, A, 1, 1, .ts = 101, .ecr = 900},
		   {RESP, SA, 0, 1, .ts = 900, .ecr = 100, .reason = LA_R_SYN_RETRANSMIT,
		    .orig = LA_ESTABLISHED, .resp = LA_ESTABLISHED},
		   {ORIG, FA, 1, 1, .ts = 110, .ecr = 900}, {RESP, A, 1, 2, .ts = 910, .ecr = 110},
		   {ORIG, FA, 1, 1, .ts = 110, .ecr = 900, .orig = LA_FIN_WAIT_2,
		    .resp = LA_CLOSE_WAIT});
	cr_assert_eq(t.flow.side[t.orig].retrans, 0);
	cr_assert_eq(t.flow.side[!t.orig].retrans, 0);
	talk_lines(&t, {WAIT, 200},
		   {ORIG, FA, 1, 1, .ts = 310, .ecr = 900, .orig = LA_FIN_WAIT_1,
		    .resp = LA_CLOSE_WAIT});
	cr_assert_eq(t.flow.side[t.orig].retrans, 1, "this one was sent again");
}

/* ---- cookies, and numbers that wrap ---- */

/* Three SYN-ACKs, three numbers: the client has taken the second one. */
Test(handshake, cookies_and_the_number_that_was_taken)
{
	talk_lines(&t, {ORIG, S}, {RESP, SA, .raw = true, .seq = 1000, .ack = TALK_ISN_ORIG + 1},
		   {RESP, SA, .isn = 5000000, .ack = 1},
		   {RESP, SA, .raw = true, .seq = 900000, .ack = TALK_ISN_ORIG + 1},
		   {ORIG, A, 1, 1, 0, 0, LA_ESTABLISHED, LA_ESTABLISHED},
		   {RESP, PA, 1, 1, 10, 0, LA_ESTABLISHED, LA_ESTABLISHED}, {ORIG, A, 1, 11},
		   {RESP, FA, 11, 1}, {ORIG, FA, 1, 12}, {RESP, A, 12, 2});
	assert_closed(&t, "fin", "resp", "CLOSED", "TIME_WAIT");
	cr_assert_eq(talk_close(&t)->side[RESP].bytes, 10);
}

/* 5 GiB, on the fast path and, when the window closes, beside it. */
Test(handshake, more_bytes_than_sequence_numbers)
{
	const __u32 chunk = 1 << 17, chunks = 5U << (30 - 17);
	__u32 at = 1;

	talk_lines(&t, {ORIG, S, .shift = 15}, {RESP, SA, .ack = 1, .shift = 15}, {ORIG, A, 1, 1});
	for (__u32 i = 0; i < chunks; i++, at += chunk)
		talk_lines(&t, {ORIG, PA, at, 1, chunk, 0, LA_ESTABLISHED, LA_ESTABLISHED},
			   {RESP, A, 1, at + chunk, 0, 0, LA_ESTABLISHED, LA_ESTABLISHED});
	talk_lines(&t, {ORIG, FA, at, 1}, {RESP, FA, 1, at + 1}, {ORIG, A, at + 1, 2});
	assert_closed(&t, "fin", "orig", "TIME_WAIT", "CLOSED");
	cr_assert_eq(talk_close(&t)->side[ORIG].bytes, 5ULL << 30);
	cr_assert_eq(talk_close(&t)->side[ORIG].retrans, 0);
	cr_assert_gt(t.fast, chunks);
}
