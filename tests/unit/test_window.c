/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_window.c - acceptable, ignored or invalid: the edges of la_window.h, and what a side
 * is said to have sent (la_account.h) when segments come late, twice or in one piece.
 */
#include "la_account.h"
#include "talk.h"

static struct talk t;

static void init(void)
{
	talk_init(&t, 40000, 80);
}

TestSuite(window, .init = init);
TestSuite(account, .init = init);

#define OPENED                                                                                     \
	{ORIG, S}, {RESP, SA, 0, 1, 0},                                                            \
	{                                                                                          \
		ORIG, A, 1, 1, 0                                                                   \
	}

/* A round trip takes longer than what is overtaken there. */
#define OPENED_FAR_AWAY                                                                            \
	{ORIG, S}, {WAIT, 50}, {RESP, SA, 0, 1, 0},                                                \
	{                                                                                          \
		ORIG, A, 1, 1, 0                                                                   \
	}

/* Both announce a shift of 7. */
#define OPENED_SCALED                                                                              \
	{ORIG, S, .shift = 8}, {RESP, SA, .ack = 1, .shift = 8, .win = 1000},                      \
	{                                                                                          \
		ORIG, A, 1, 1, 0                                                                   \
	}

static const struct la_side *side(enum who who)
{
	return &t.flow.side[who == ORIG ? t.orig : !t.orig];
}

Test(window, one_byte_at_a_shut_window_is_a_probe)
{
	talk_lines(&t, OPENED, {ORIG, PA, 1, 1, 65535}, {RESP, A, 1, 65536, 0, .win = -1},
		   {ORIG, PA, 65536, 1, 1, LA_R_WINDOW_PROBE}, {RESP, A, 1, 65536, 0, .win = -1});
}

Test(window, a_keepalive_repeats_the_last_number)
{
	talk_lines(&t, OPENED, {ORIG, PA, 1, 1, 10}, {RESP, A, 1, 11, 0}, {WAIT, 1000},
		   {ORIG, A, 10, 1, 0, LA_R_KEEPALIVE}, {WAIT, 1000},
		   {ORIG, PA, 10, 1, 1, LA_R_KEEPALIVE}, {ORIG, PA, 9, 1, 1, LA_R_OLD_DUPLICATE});
	cr_assert_eq(side(ORIG)->bytes, 10);
	cr_assert_eq(side(ORIG)->retrans, 1);
}

Test(window, a_keepalive_renews_the_flow)
{
	t.cfg.timeout[LA_TIMEOUT_ESTABLISHED] = 10 * LA_SEC_NS;
	talk_lines(&t, OPENED, {ORIG, PA, 1, 1, 10}, {RESP, A, 1, 11, 0}, {WAIT, 9000},
		   {ORIG, A, 10, 1, 0, LA_R_KEEPALIVE}, {WAIT, 9000});
	cr_assert_eq(talk_count(&t, LA_REC_CLOSE), 0);
	talk_lines(&t, {WAIT, 1000});
	cr_assert_eq(talk_count(&t, LA_REC_CLOSE), 1);
}

/* Not even the fast path revives a flow whose time is over. */
Test(window, a_plain_segment_after_the_deadline)
{
	t.cfg.timeout[LA_TIMEOUT_ESTABLISHED] = 10 * LA_SEC_NS;
	talk_lines(&t, OPENED, {RESP, PA, 1, 1, 10}, {ORIG, A, 1, 11, 0});
	t.fast = 0;
	talk_lines(&t, {RESP, PA, 11, 1, 10});
	cr_assert_eq(t.fast, 1);
	t.now += 11 * LA_SEC_NS;
	talk_lines(&t, {RESP, PA, 21, 1, 10});
	assert_closed(&t, "timeout", "none", "ESTABLISHED", "ESTABLISHED");
}

/* Whoever waits for the last ACK sends its FIN again and again. */
Test(window, a_fin_sent_again_renews_last_ack)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1, 0}, {RESP, FA, 1, 2, 0}, {WAIT, 100000},
		   {RESP, FA, 1, 2, 0}, {WAIT, 100000});
	cr_assert_eq(talk_count(&t, LA_REC_CLOSE), 0);
	talk_lines(&t, {WAIT, 20000});
	assert_closed(&t, "timeout", "none", "TIME_WAIT", "LAST_ACK");
}

/* RFC 5961 5.2: as far back as the largest window of the side that acknowledges. */
Test(window, how_old_an_acknowledgement_may_be)
{
	talk_lines(&t, OPENED, {RESP, PA, 1, 1, 60000}, {ORIG, A, 1, 60001, 0},
		   {RESP, PA, 60001, 1, 60000}, {ORIG, A, 1, 120001, 0}, {ORIG, A, 1, 60001, 0},
		   {ORIG, A, 1, 1, 0, LA_R_ACK_TOO_OLD});
}

Test(window, a_scaled_window_lets_older_acknowledgements_pass)
{
	talk_lines(&t, OPENED_SCALED, {RESP, PA, 1, 1, 60000}, {ORIG, A, 1, 60001, 0},
		   {RESP, PA, 60001, 1, 60000}, {ORIG, A, 1, 120001, 0}, {ORIG, A, 1, 1, 0});
}

/* RFC 7323 2.2: 1000 bytes, not 128000. */
Test(window, the_window_of_a_syn_is_not_scaled)
{
	talk_lines(&t, OPENED_SCALED, {ORIG, PA, 1002, 1, 10, LA_R_SEQ_ABOVE_WINDOW},
		   {ORIG, PA, 1001, 1, 10});
}

Test(window, a_shift_that_only_one_side_announced_does_not_count)
{
	talk_lines(&t, {ORIG, S, .shift = 8}, {RESP, SA, .ack = 1}, {ORIG, A, 1, 1, 0, .win = 1000},
		   {ORIG, A, 1, 1, 0, .win = 1000});
	cr_assert_eq(side(ORIG)->edge, t.isn[RESP] + 1 + 1000);
}

/* In a simultaneous open nobody has acknowledged anything yet. */
Test(window, in_a_handshake_nothing_was_missed)
{
	talk_lines(&t, {ORIG, S}, {RESP, S}, {ORIG, A, 1, 500, 0, LA_R_ACK_ABOVE_SENT});
}

/* An old connection's segment meets a new attempt. */
Test(window, what_is_not_of_this_attempt)
{
	talk_lines(&t, {ORIG, S},
		   {ORIG, A, 77, 1, 0, LA_R_SEQ_ABOVE_WINDOW, LA_SYN_SENT, LA_LISTEN});
}

/* A bare ACK, even with the right number, is not the SYN-ACK. */
Test(window, an_ack_from_a_listener_is_a_challenge)
{
	talk_lines(&t, {ORIG, S}, {RESP, A, 1, 1, 0, LA_R_CHALLENGE_ACK, LA_SYN_SENT, LA_LISTEN});
}

/* The SYN that waited for its answer is a segment of the connection that it opened. */
Test(account, a_provisional_syn_counts)
{
	talk_lines(&t, OPENED, {ORIG, S, .isn = 777000, .reason = LA_R_PROVISIONAL_SYN},
		   {RESP, SA, .isn = 888000, .ack = 1}, {ORIG, A, 1, 1, 0});
	cr_assert_eq(side(ORIG)->pkts, 2);
	cr_assert_eq(side(RESP)->pkts, 1);
}

/* trap 16, again: news are what the owning hook has not seen. */
Test(window, a_second_hook_has_news_or_not)
{
	talk_lines(&t, OPENED, {ORIG, PA, .seq = 1, .ack = 1, .len = 10},
		   {RESP, PA, .seq = 1, .ack = 11, .len = 10},
		   {ORIG, A, .seq = 11, .ack = 11, .hook = 7},
		   {ORIG, RA, .seq = 11, .ack = 11, .hook = 7},
		   {ORIG, RA, .seq = 11, .ack = 11, .hook = 9, .reason = LA_R_OTHER_HOOK});
	cr_assert_eq(side(ORIG)->pkts, 5);
	cr_assert_eq(t.flow.late_rst, 0);
}

/* The hole is filled from below, from above, and in the middle of what is missing. */
Test(account, a_hole_that_is_filled_is_no_retransmission)
{
	talk_lines(&t, OPENED_FAR_AWAY, {ORIG, PA, 301, 1, 100}, {ORIG, PA, 1, 1, 100},
		   {ORIG, PA, 201, 1, 100});
	cr_assert_eq(side(ORIG)->retrans, 0);
	cr_assert_eq(side(ORIG)->hole_lo, t.isn[ORIG] + 101);
	cr_assert_eq(side(ORIG)->hole_hi, t.isn[ORIG] + 201);
	talk_lines(&t, {ORIG, PA, 1, 1, 100});
	cr_assert_eq(side(ORIG)->retrans, 1);
	talk_lines(&t, {ORIG, PA, 101, 1, 100}, {ORIG, PA, 201, 1, 100});
	cr_assert_eq(side(ORIG)->hole_lo, side(ORIG)->hole_hi);
	cr_assert_eq(side(ORIG)->retrans, 2);
	cr_assert_eq(side(ORIG)->bytes, 400);
}

Test(account, an_acknowledgement_fills_the_hole_up_to_its_number)
{
	talk_lines(&t, OPENED, {ORIG, PA, 301, 1, 100}, {RESP, A, 1, 201, 0});
	cr_assert_eq(side(ORIG)->hole_lo, t.isn[ORIG] + 201);
	cr_assert_eq(side(ORIG)->hole_hi, t.isn[ORIG] + 301);
	talk_lines(&t, {RESP, A, 1, 401, 0});
	cr_assert_eq(side(ORIG)->hole_lo, side(ORIG)->hole_hi);
	cr_assert_eq(side(ORIG)->bytes, 400);
}

/* A super-packet of three segments: two more sets of headers went over the wire. */
Test(account, a_super_packet_counts_as_its_segments)
{
	struct la_segment seg = talk_segment(&t, &(struct line){ORIG, PA, 1, 1, 2896 + 1});
	struct la_side to = {.mss = 1460}, from = {0};

	seg.segs = 0;
	seg.hdr_len = 52; /* twelve bytes of options, so 1448 of payload a segment */
	seg.ip_len = seg.len + seg.hdr_len;
	la_count_segment(&from, &to, &seg, true);
	cr_assert_eq(from.pkts, 3);
	cr_assert_eq(from.ip_bytes, 2897 + 3 * 52);
}

/* While a hole is open a segment may be the missing one: only la_track() knows. */
Test(account, no_fast_path_over_a_hole_or_with_a_shut_window)
{
	talk_lines(&t, OPENED_FAR_AWAY, {RESP, PA, 1, 1, 10}, {ORIG, A, 1, 11, 0},
		   {RESP, PA, 21, 1, 10});
	t.fast = 0;
	talk_lines(&t, {RESP, PA, 31, 1, 10});
	cr_assert_eq(t.fast, 0);
	talk_lines(&t, {RESP, PA, 11, 1, 10}, {RESP, PA, 41, 1, 10});
	cr_assert_eq(t.fast, 1);
	talk_lines(&t, {ORIG, A, 1, 51, 0, .win = -1});
	cr_assert_eq(t.fast, 1);
	cr_assert_eq(side(ORIG)->zeros, 1);
}
