/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_handshake.c - unusual beginnings: split handshakes, SYN cookies, and sequence numbers
 * that run past 2^32 more than once.
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

/* RFC 9293 3.10.7.3: in SYN_SENT an ACK alone is dropped; only the SYN counts. */
Test(handshake, split_with_the_ack_first)
{
	talk_lines(&t, {ORIG, S}, {RESP, A, 0, 1, 0, LA_R_CHALLENGE_ACK, LA_SYN_SENT, LA_LISTEN},
		   {RESP, S, 0, 0, 0, 0, LA_SYN_RECEIVED, LA_SYN_SENT},
		   {ORIG, SA, 0, 1, 0, 0, LA_SYN_RECEIVED, LA_SYN_SENT},
		   {RESP, A, 1, 1, 0, 0, LA_ESTABLISHED, LA_ESTABLISHED});
	talk_lines(&t, {ORIG, FA, 1, 1}, {RESP, FA, 1, 2}, {ORIG, A, 2, 2});
	assert_closed(&t, "fin", "orig", "TIME_WAIT", "CLOSED");
}

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
	const __u32 chunk = 8 << 20;
	__u32 at = 1;

	talk_lines(&t, {ORIG, S, .shift = 15}, {RESP, SA, .ack = 1, .shift = 15}, {ORIG, A, 1, 1});
	for (int i = 0; i < 640; i++, at += chunk)
		talk_lines(&t, {ORIG, PA, at, 1, chunk, 0, LA_ESTABLISHED, LA_ESTABLISHED},
			   {RESP, A, 1, at + chunk, 0, 0, LA_ESTABLISHED, LA_ESTABLISHED});
	talk_lines(&t, {ORIG, FA, at, 1}, {RESP, FA, 1, at + 1}, {ORIG, A, at + 1, 2});
	assert_closed(&t, "fin", "orig", "TIME_WAIT", "CLOSED");
	cr_assert_eq(talk_close(&t)->side[ORIG].bytes, 640ULL * chunk);
	cr_assert_eq(talk_close(&t)->side[ORIG].retrans, 0);
	cr_assert_gt(t.fast, 1000);
}
