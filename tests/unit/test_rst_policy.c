/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_rst_policy.c - which RSTs `strict` keeps from their receiver, and that a flow does not
 * change by one that was dropped; and the many that must pass, whatever they look like.
 */
#include "la_tally.h"
#include "talk.h"

static struct talk t;

static void init(void)
{
	talk_init(&t, 40000, 80);
	t.cfg.rst_policy = LA_RST_POLICY_STRICT;
}

TestSuite(rst_policy, .init = init);

/* Handshake, a request of 10 bytes and its answer of 100. */
#define OPENED                                                                                     \
	{ORIG, S}, {RESP, SA, 0, 1},                                                               \
	{                                                                                          \
		ORIG, A, 1, 1                                                                      \
	}
#define TALKED                                                                                     \
	OPENED, {ORIG, PA, 1, 1, 10}, {RESP, A, 1, 11}, {RESP, PA, 1, 11, 100},                    \
	{                                                                                          \
		ORIG, A, 11, 101                                                                   \
	}

#define DROPPED .reason = LA_R_RST_DROPPED, .orig = LA_ESTABLISHED, .resp = LA_ESTABLISHED
#define CUT	.orig = LA_CLOSED, .resp = LA_CLOSED

/* The last RST record. */
static const struct la_rec_rst *told(void)
{
	int n = talk_count(&t, LA_REC_RST);

	cr_assert_gt(n, 0, "no RST was told of");
	return &talk_find(&t, LA_REC_RST, n - 1)->rst;
}

static void assert_told(enum la_rst_verdict verdict, enum la_rst_rule rule, bool dropped)
{
	cr_assert_eq(told()->verdict, verdict, "%s", la_rst_verdict_word(told()->verdict));
	cr_assert_eq(told()->rule, rule, "%s", la_rst_rule_word(told()->rule));
	cr_assert_eq(told()->dropped, dropped);
}

/* ---- what is dropped ---- */

Test(rst_policy, what_the_receiver_would_not_act_on)
{
	static const struct {
		__u32 seq;
		enum la_rst_verdict verdict;
	} guesses[] = {
		{12, LA_RST_IN_WINDOW},	       {20000, LA_RST_IN_WINDOW},
		{65535, LA_RST_IN_WINDOW},     {0x7fffffff, LA_RST_OUT_OF_WINDOW},
		{70000, LA_RST_OUT_OF_WINDOW}, {0x80000000, LA_RST_OUT_OF_WINDOW},
	};

	talk_lines(&t, TALKED);
	for (size_t i = 0; i < sizeof(guesses) / sizeof(*guesses); i++) {
		talk_lines(&t, {ORIG, R, guesses[i].seq, DROPPED});
		assert_told(guesses[i].verdict, LA_RULE_STRICT, true);
		talk_lines(&t, {ORIG, RA, guesses[i].seq, 102, DROPPED});
	}
	talk_lines(&t, {ORIG, R, 11, CUT});
	assert_told(LA_RST_EXACT, 0, false);
	assert_closed(&t, "reset", "orig", "CLOSED", "CLOSED");
	assert_gapless(&t);
}

/* But for the number of its next record. */
Test(rst_policy, a_flow_does_not_change)
{
	struct la_flow before;

	talk_lines(&t, TALKED);
	la_fold(&t.flow);
	before = t.flow;
	talk_lines(&t, {ORIG, R, 5000, DROPPED}, {RESP, R, 9000, DROPPED},
		   {ORIG, R, 7000, DROPPED, .hook = 9});
	before.seq = t.flow.seq;
	cr_assert(!memcmp(&before, &t.flow, sizeof(before)));
	t.fast = 0;
	talk_lines(&t, {ORIG, PA, 11, 101, 20}, {ORIG, PA, 31, 101, 20});
	cr_assert_gt(t.fast, 0, "it still takes the fast path");
}

/* A RST passed before there was a policy; the next one neither answers nor comes from there. */
Test(rst_policy, the_second_rst_from_elsewhere_is_proven_forged)
{
	t.cfg.rst_policy = LA_RST_POLICY_OBSERVE;
	talk_lines(&t, TALKED, {ORIG, R, 5000, .reason = LA_R_RST_IGNORED},
		   {ORIG, PA, 11, 101, 20});
	t.cfg.rst_policy = LA_RST_POLICY_STRICT;
	talk_lines(&t, {ORIG, R, 31, .ttl = 50, DROPPED});
	assert_told(LA_RST_EXACT, LA_RULE_STRICT, true);
	cr_assert(told()->forged & 1 << (LA_EVIDENCE_SECOND_RST - 1));
	talk_lines(&t, {ORIG, R, 31, CUT}); /* from where its sender is: which is forged? */
	assert_told(LA_RST_EXACT, 0, false);
}

/* ---- what passes ---- */

Test(rst_policy, observe_and_dry_run_drop_nothing)
{
	talk_lines(&t, TALKED);
	t.cfg.rst_policy = LA_RST_POLICY_DRY_RUN;
	talk_lines(&t, {ORIG, R, 5000, .reason = LA_R_RST_IGNORED});
	assert_told(LA_RST_IN_WINDOW, LA_RULE_STRICT, false);
	t.cfg.rst_policy = LA_RST_POLICY_OBSERVE;
	talk_lines(&t, {ORIG, R, 6000, .reason = LA_R_RST_IGNORED});
	assert_told(LA_RST_IN_WINDOW, 0, false);
	t.cfg.rst_policy = 0;
	talk_lines(&t, {ORIG, R, 7000, .reason = LA_R_RST_IGNORED});
	assert_told(LA_RST_IN_WINDOW, 0, false);
}

/* Nor is it counted against a source that guesses: it is not even looked at. */
Test(rst_policy, what_is_protected_passes)
{
	talk_lines(&t, TALKED);
	t.flow.policy = LA_P_GUARDED;
	talk_lines(&t, {ORIG, R, 5000, .reason = LA_R_RST_IGNORED});
	assert_told(LA_RST_IN_WINDOW, 0, false);
}

/* A middlebox may end a connection, or a route may change: alone, distance proves nothing. */
Test(rst_policy, an_exact_rst_from_elsewhere_passes)
{
	talk_lines(&t, TALKED, {RESP, R, 101, .ttl = 20, CUT});
	assert_told(LA_RST_EXACT, 0, false);
	cr_assert(told()->forged & 1 << (LA_EVIDENCE_TTL - 1));
}

/* Closed with unread data: an abort at SND.NXT, whatever is in flight. */
Test(rst_policy, an_abort_with_data_in_flight_passes)
{
	talk_lines(&t, TALKED, {ORIG, PA, 11, 101, 500}, {ORIG, PA, 511, 101, 500},
		   {ORIG, RA, 1011, 101, CUT});
	assert_told(LA_RST_EXACT, 0, false);
}

/* The same, but the data was lost before it came here, or the RST overtook it. */
Test(rst_policy, an_abort_vouches_for_itself_by_its_ack)
{
	talk_lines(&t, TALKED, {ORIG, RA, 1011, 101, .reason = LA_R_RST_IGNORED});
	assert_told(LA_RST_IN_WINDOW, 0, false);
}

/* Unsent, or acknowledged long ago. */
Test(rst_policy, who_does_not_know_the_ack_does_not_pass)
{
	talk_lines(&t, TALKED, {ORIG, RA, 1011, 102, DROPPED}, {ORIG, RA, 1011, 100, DROPPED});
}

/* Its receiver will not heed it: it has acknowledged more since. */
Test(rst_policy, the_answer_to_an_older_segment_passes)
{
	talk_lines(&t, TALKED, {ORIG, R, 1, .reason = LA_R_RST_OUT_OF_WINDOW});
	assert_told(LA_RST_OUT_OF_WINDOW, 0, false);
}

/* The server is closed by now, or full: RFC 9293 3.10.7.1. */
Test(rst_policy, the_answer_to_a_late_copy_of_the_syn_passes)
{
	talk_lines(&t, TALKED,
		   {RESP, RA, 0, TALK_ISN_ORIG + 1, .raw = true, .reason = LA_R_RST_IGNORED});
	assert_told(LA_RST_IN_WINDOW, 0, false);
}

/* Crashed, and started again: it answers at the number that is acknowledged. */
Test(rst_policy, a_rebooted_host_answers_late_data)
{
	talk_lines(&t, TALKED, {WAIT, 60000}, {RESP, PA, 101, 11, 50}, {ORIG, R, 11, CUT});
	assert_told(LA_RST_EXACT, 0, false);
}

/* Its new SYN is challenged, and that it answers: RFC 9293 3.5.1. */
Test(rst_policy, a_rebooted_host_answers_the_challenge)
{
	talk_lines(&t, TALKED, {ORIG, S, .seq = 900000, .reason = LA_R_PROVISIONAL_SYN},
		   {RESP, A, 101, 11, .reason = LA_R_CHALLENGE_ACK}, {ORIG, R, 11, CUT});
	assert_told(LA_RST_EXACT, 0, false);
}

/* The new attempt gives up: its receiver may be waiting for just that. */
Test(rst_policy, the_rst_of_a_provisional_syn_passes)
{
	talk_lines(&t, TALKED, {ORIG, S, .seq = 900000, .reason = LA_R_PROVISIONAL_SYN},
		   {ORIG, R, 900001, .reason = LA_R_RST_OUT_OF_WINDOW});
	assert_told(LA_RST_OUT_OF_WINDOW, 0, false);
}

/* The data that it refuses was sent before its FIN had arrived. */
Test(rst_policy, the_answer_to_data_after_the_fin_passes)
{
	talk_lines(&t, TALKED, {ORIG, FA, 11, 101}, {RESP, PA, 101, 11, 50}, {RESP, A, 151, 12},
		   {ORIG, R, 11, CUT});
	assert_told(LA_RST_EXACT, 0, false);
}

Test(rst_policy, a_refusal_passes)
{
	talk_lines(&t, {ORIG, S}, {RESP, RA, 0, 1, CUT});
	assert_told(LA_RST_SYN_SENT_ACK_OK, 0, false);
}

Test(rst_policy, a_rst_that_does_not_fit_the_syn_passes)
{
	talk_lines(&t, {ORIG, S}, {RESP, RA, 0, 7000, .reason = LA_R_RST_IGNORED});
	assert_told(LA_RST_SYN_SENT_ACK_BAD, 0, false);
}

/* The listener may need it to take a request away. */
Test(rst_policy, before_the_third_ack_all_pass)
{
	talk_lines(&t, {ORIG, S}, {RESP, SA, 0, 1}, {ORIG, R, 90, CUT});
	assert_told(LA_RST_IN_WINDOW, 0, false);
}

Test(rst_policy, midstream_all_pass)
{
	talk_lines(&t, {ORIG, PA, 1, 1, 10}, {RESP, PA, 1, 11, 10}, {ORIG, A, 11, 11},
		   {ORIG, R, 5000, .reason = LA_R_RST_IGNORED});
	assert_told(LA_RST_IN_WINDOW, 0, false);
}

Test(rst_policy, heard_one_way_all_pass)
{
	talk_lines(&t, {ORIG, S}, {ORIG, A, 1, 1}, {ORIG, PA, 1, 1, 10}, {ORIG, PA, 11, 101, 10},
		   {ORIG, R, 90000, .reason = LA_R_RST_OUT_OF_WINDOW});
	assert_told(LA_RST_OUT_OF_WINDOW, 0, false);
}

Test(rst_policy, out_of_step_all_pass)
{
	talk_lines(&t, TALKED, {ORIG, PA, 500000, 101, 10, LA_R_SEQ_ABOVE_WINDOW},
		   {ORIG, R, 500010, .reason = LA_R_RST_OUT_OF_WINDOW});
	assert_told(LA_RST_OUT_OF_WINDOW, 0, false);
}

Test(rst_policy, after_the_end_all_pass)
{
	talk_lines(&t, TALKED, {ORIG, FA, 11, 101}, {RESP, FA, 101, 12}, {ORIG, A, 12, 102},
		   {RESP, R, 5000, .reason = LA_R_LATE}, {ORIG, R, 5, .reason = LA_R_LATE});
	assert_told(LA_RST_AFTER_CLOSE, 0, false);
}

/* ---- the limit ---- */

Test(rst_policy, who_guesses_too_often_does_not_hit)
{
	struct la_segment seg;
	struct line hit = {ORIG, R, 11};

	talk_lines(&t, TALKED);
	seg = talk_segment(&t, &hit);
	seg.limited = 1;
	cr_assert_eq(talk_track(&t, &seg), LA_R_RST_DROPPED);
	assert_told(LA_RST_EXACT, LA_RULE_LIMIT, true);
	cr_assert_eq(talk_state(&t, RESP), LA_ESTABLISHED);
}
