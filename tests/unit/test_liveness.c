/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_liveness.c - how a silent peer is found out, and who only looks like one.
 */
#include "talk.h"

static struct talk t;

static void init(void)
{
	talk_init(&t, 40000, 80);
}

TestSuite(liveness, .init = init);

#define OPENED                                                                                     \
	{ORIG, S}, {RESP, SA, 0, 1},                                                               \
	{                                                                                          \
		ORIG, A, 1, 1                                                                      \
	}

#define EXCHANGED                                                                                  \
	OPENED, {ORIG, PA, 1, 1, 100}, {RESP, PA, 1, 101, 100},                                    \
	{                                                                                          \
		ORIG, A, 101, 101                                                                  \
	}

/* The data at 101, sent again n times, each time after twice the time, 120 s at most. */
static void retransmit(int n)
{
	int wait = 200;

	for (int i = 0; i < n; i++) {
		talk_lines(&t, {WAIT, wait}, {ORIG, PA, 101, 101, 100});
		wait = wait < 60000 ? 2 * wait : 120000;
	}
}

static const struct la_rec_close *assert_cause(enum la_timeout_cause cause, __u32 unanswered)
{
	const struct la_rec_close *c = talk_close(&t);

	cr_assert_str_eq(la_timeout_cause_word(c->timeout_cause), la_timeout_cause_word(cause));
	cr_assert_eq(c->unanswered, unanswered, "%u questions without an answer", c->unanswered);
	return c;
}

/* ---- nothing was said ---- */

Test(liveness, idle)
{
	talk_lines(&t, EXCHANGED, {WAIT, 432001000});
	cr_assert_eq(assert_cause(LA_TIMEOUT_CAUSE_IDLE, 0)->unanswered_ns, 0);
}

/* Data that was sent once and never acknowledged is no question: its sender is silent too. */
Test(liveness, silence_of_both_is_idle)
{
	talk_lines(&t, EXCHANGED, {ORIG, PA, 101, 101, 100}, {WAIT, 432001000});
	cr_assert_eq(assert_cause(LA_TIMEOUT_CAUSE_IDLE, 0)->side[ORIG].in_flight, 100);
}

/* ---- retransmissions ---- */

/* As Linux does it: 15 retransmissions in 15 minutes, and then it closes without a word. */
Test(liveness, dead_peer)
{
	const struct la_rec_close *c;
	__u64 asked;

	talk_lines(&t, EXCHANGED, {ORIG, PA, 101, 101, 100});
	retransmit(15);
	asked = t.now;
	cr_assert_eq(talk_count(&t, LA_REC_CLOSE), 0);
	talk_lines(&t, {WAIT, 299000});
	cr_assert_eq(talk_count(&t, LA_REC_CLOSE), 0);
	talk_lines(&t, {WAIT, 1001});
	assert_closed(&t, "timeout", "none", "ESTABLISHED", "ESTABLISHED");
	c = assert_cause(LA_TIMEOUT_CAUSE_DEAD_PEER, 15);
	cr_assert_eq(c->silent, LA_RESP);
	cr_assert_eq(c->h.ts, asked + 300 * LA_SEC_NS);
	cr_assert_eq(c->side[ORIG].retrans, 15);
	cr_assert_eq(c->duration_ns - c->unanswered_ns, 6 * LA_MSEC_NS);
}

/* One or two may be lost: then the clock of the state runs on. */
Test(liveness, two_retransmissions_are_not_yet_a_dead_peer)
{
	talk_lines(&t, EXCHANGED, {ORIG, PA, 101, 101, 100});
	retransmit(2);
	talk_lines(&t, {WAIT, 301000});
	cr_assert_eq(talk_count(&t, LA_REC_CLOSE), 0);
	talk_lines(&t, {WAIT, 432000000});
	assert_cause(LA_TIMEOUT_CAUSE_DEAD_PEER, 2);
}

/* The path was gone for minutes and came back. */
Test(liveness, answer_at_last)
{
	talk_lines(&t, EXCHANGED, {ORIG, PA, 101, 101, 100});
	retransmit(10);
	talk_lines(&t, {RESP, A, 101, 201}, {WAIT, 301000});
	cr_assert_eq(talk_count(&t, LA_REC_CLOSE), 0);
	talk_lines(&t, {ORIG, PA, 201, 101, 10}, {RESP, A, 101, 211}, {WAIT, 432001000});
	assert_cause(LA_TIMEOUT_CAUSE_IDLE, 0);
}

/* An answer need not acknowledge anything: a dup ACK is a sign of life. */
Test(liveness, dup_ack_is_an_answer)
{
	talk_lines(&t, EXCHANGED, {ORIG, PA, 101, 101, 100});
	for (int i = 0; i < 5; i++) {
		retransmit(2);
		talk_lines(&t, {RESP, A, 101, 101});
	}
	talk_lines(&t, {WAIT, 301000});
	cr_assert_eq(talk_count(&t, LA_REC_CLOSE), 0);
}

/* What the peer did not send is no answer: nothing in it fits. */
Test(liveness, forged_answer_is_none)
{
	talk_lines(&t, EXCHANGED, {ORIG, PA, 101, 101, 100});
	retransmit(3);
	talk_lines(&t, {RESP, A, 900000, 101, 0, LA_R_SEQ_ABOVE_WINDOW},
		   {RESP, R, 5000, 0, 0, LA_R_RST_IGNORED}, {WAIT, 300001});
	assert_cause(LA_TIMEOUT_CAUSE_DEAD_PEER, 3);
}

/* Loss in a lively connection leaves no trace. */
Test(liveness, retransmission_that_is_acknowledged)
{
	talk_lines(&t, EXCHANGED);
	for (__u32 at = 101; at < 2101; at += 200)
		talk_lines(&t, {ORIG, PA, at, 101, 100}, {ORIG, PA, at + 100, 101, 100},
			   {ORIG, PA, at, 101, 100}, {ORIG, PA, at + 100, 101, 100},
			   {RESP, A, 101, at + 200});
	cr_assert_eq(t.flow.unanswered, 0);
	cr_assert_eq(t.flow.side[t.orig].retrans, 20);
	talk_lines(&t, {WAIT, 301000});
	cr_assert_eq(talk_count(&t, LA_REC_CLOSE), 0);
}

/* One way only: the asker goes on, so there was an answer that passed elsewhere. */
Test(liveness, going_on_proves_an_answer_that_was_not_seen)
{
	talk_lines(&t, {ORIG, S}, {ORIG, A, 1, 1}, {ORIG, PA, 1, 1, 100}, {ORIG, PA, 1, 1, 100},
		   {ORIG, PA, 1, 1, 100}, {ORIG, PA, 1, 1, 100}, {ORIG, PA, 101, 1, 100},
		   {WAIT, 301000});
	cr_assert_eq(talk_count(&t, LA_REC_CLOSE), 0);
}

/* Who asks for ever does not keep a flow for ever. */
Test(liveness, retransmissions_do_not_renew_for_ever)
{
	int i;

	talk_lines(&t, EXCHANGED, {ORIG, PA, 101, 101, 100});
	for (i = 0; i < 100 && !talk_count(&t, LA_REC_CLOSE); i++)
		talk_lines(&t, {WAIT, 60000}, {ORIG, PA, 101, 101, 100});
	cr_assert_lt(i, 25);
	assert_cause(LA_TIMEOUT_CAUSE_DEAD_PEER, 20);
}

Test(liveness, shorter_clock_of_the_state_wins)
{
	t.cfg.timeout[LA_TIMEOUT_ESTABLISHED] = 100 * LA_SEC_NS;
	talk_lines(&t, EXCHANGED, {ORIG, PA, 101, 101, 100});
	retransmit(4);
	talk_lines(&t, {WAIT, 100001});
	assert_cause(LA_TIMEOUT_CAUSE_DEAD_PEER, 4);
}

Test(liveness, clock_unanswered_is_an_option)
{
	t.cfg.timeout[LA_TIMEOUT_UNANSWERED] = 20 * LA_SEC_NS;
	talk_lines(&t, EXCHANGED, {ORIG, PA, 101, 101, 100});
	retransmit(4);
	talk_lines(&t, {WAIT, 20001});
	assert_cause(LA_TIMEOUT_CAUSE_DEAD_PEER, 4);
}

Test(liveness, fin_without_an_answer)
{
	talk_lines(&t, EXCHANGED, {ORIG, FA, 101, 101});
	for (int i = 0; i < 4; i++)
		talk_lines(&t, {WAIT, 200 << i}, {ORIG, FA, 101, 101});
	talk_lines(&t, {WAIT, 300001});
	assert_closed(&t, "timeout", "none", "FIN_WAIT_1", "CLOSE_WAIT");
	assert_cause(LA_TIMEOUT_CAUSE_DEAD_PEER, 4);
}

Test(liveness, syn_without_an_answer)
{
	talk_lines(&t, {ORIG, S});
	for (int i = 0; i < 6; i++)
		talk_lines(&t, {WAIT, 1000 << i}, {ORIG, S, .reason = LA_R_SYN_RETRANSMIT});
	talk_lines(&t, {WAIT, 60000});
	assert_cause(LA_TIMEOUT_CAUSE_DEAD_PEER, 6);
	cr_assert_eq(talk_close(&t)->unanswered_ns, 120 * LA_SEC_NS);
}

Test(liveness, syn_ack_without_an_answer)
{
	talk_lines(&t, {ORIG, S}, {RESP, SA, 0, 1});
	for (int i = 0; i < 5; i++)
		talk_lines(&t, {WAIT, 1000 << i}, {RESP, SA, 0, 1, .reason = LA_R_SYN_RETRANSMIT});
	talk_lines(&t, {WAIT, 60000});
	cr_assert_eq(assert_cause(LA_TIMEOUT_CAUSE_DEAD_PEER, 5)->silent, LA_ORIG);
}

/* A window that nobody can ask about any more. */
Test(liveness, window_probes_without_an_answer)
{
	talk_lines(&t, EXCHANGED, {ORIG, PA, 101, 101, 100}, {RESP, A, 101, 201, .win = -1});
	for (int i = 0; i < 5; i++)
		talk_lines(&t, {WAIT, 200 << i}, {ORIG, A, 200, 101, 0, LA_R_WINDOW_PROBE});
	talk_lines(&t, {WAIT, 300001});
	assert_cause(LA_TIMEOUT_CAUSE_DEAD_PEER, 5);
}

/* The innocent neighbour: probed for hours, and answered each time. */
Test(liveness, window_shut_for_hours)
{
	talk_lines(&t, EXCHANGED, {ORIG, PA, 101, 101, 100}, {RESP, A, 101, 201, .win = -1});
	for (int i = 0; i < 100; i++)
		talk_lines(&t, {WAIT, 120000}, {ORIG, A, 200, 101, 0, LA_R_WINDOW_PROBE},
			   {RESP, A, 101, 201, .win = -1});
	cr_assert_eq(talk_count(&t, LA_REC_CLOSE), 0);
	cr_assert_eq(t.flow.unanswered, 0);
}

/* ---- keepalives ---- */

#define KEEPALIVE                                                                                  \
	{                                                                                          \
		ORIG, A, 100, 101, 0, LA_R_KEEPALIVE, LA_ESTABLISHED, LA_ESTABLISHED               \
	}

Test(liveness, keepalive_that_is_answered_renews_and_is_no_data)
{
	t.cfg.timeout[LA_TIMEOUT_ESTABLISHED] = 10 * LA_SEC_NS;
	talk_lines(&t, EXCHANGED);
	for (int i = 0; i < 20; i++)
		talk_lines(&t, {WAIT, 9000}, KEEPALIVE, {RESP, A, 101, 101});
	cr_assert_eq(t.flow.side[t.orig].bytes, 100);
	cr_assert_eq(t.flow.side[t.orig].retrans, 0);
	cr_assert_eq(t.flow.unanswered, 0);
	talk_lines(&t, {WAIT, 10001});
	assert_cause(LA_TIMEOUT_CAUSE_IDLE, 0);
}

/* Some stacks send a byte of garbage with it (RFC 9293 3.8.4). */
Test(liveness, keepalive_with_a_byte_is_no_data)
{
	talk_lines(&t, EXCHANGED, {WAIT, 9000}, {ORIG, A, 100, 101, 1, LA_R_KEEPALIVE},
		   {RESP, A, 101, 101});
	cr_assert_eq(t.flow.side[t.orig].bytes, 100);
	cr_assert_eq(t.flow.side[t.orig].retrans, 0);
}

/* As Linux would: 9 of them, 75 s apart. Its RST at the end was lost. */
Test(liveness, keepalive_failed)
{
	const struct la_rec_close *c;

	talk_lines(&t, EXCHANGED, {WAIT, 7200000});
	for (int i = 0; i < 9; i++)
		talk_lines(&t, KEEPALIVE, {WAIT, 75000});
	cr_assert_eq(talk_count(&t, LA_REC_CLOSE), 0);
	talk_lines(&t, {WAIT, 225001});
	c = assert_cause(LA_TIMEOUT_CAUSE_KEEPALIVE_FAILED, 9);
	cr_assert_eq(c->silent, LA_RESP);
	cr_assert_eq(c->side[ORIG].retrans, 0);
	cr_assert_gt(c->unanswered_ns, 7200 * LA_SEC_NS);
}

/* And with the RST, which tells the same in another way. */
Test(liveness, keepalive_failed_and_reset)
{
	talk_lines(&t, EXCHANGED, {WAIT, 7200000});
	for (int i = 0; i < 9; i++)
		talk_lines(&t, KEEPALIVE, {WAIT, 75000});
	talk_lines(&t, {ORIG, RA, 101, 101});
	assert_closed(&t, "reset", "orig", "CLOSED", "CLOSED");
	cr_assert_eq(talk_close(&t)->unanswered, 9);
	cr_assert_eq(talk_close(&t)->silent, LA_RESP);
}

/* A peer that has forgotten the connection answers with a RST: it is not silent. */
Test(liveness, keepalive_answered_by_a_rst)
{
	talk_lines(&t, EXCHANGED, {WAIT, 7200000}, KEEPALIVE, {WAIT, 75000}, KEEPALIVE,
		   {RESP, R, 101, 0});
	cr_assert_eq(talk_close(&t)->unanswered, 0);
}

Test(liveness, keepalives_do_not_renew_for_ever)
{
	int i;

	talk_lines(&t, EXCHANGED, {WAIT, 7200000});
	for (i = 0; i < 100 && !talk_count(&t, LA_REC_CLOSE); i++)
		talk_lines(&t, KEEPALIVE, {WAIT, 75000});
	cr_assert_lt(i, 25);
	cr_assert_eq(talk_close(&t)->timeout_cause, LA_TIMEOUT_CAUSE_KEEPALIVE_FAILED);
}

/* The innocent neighbours: the ACK that the byte overtook, and the late copy of that byte. */
Test(liveness, old_ack_before_one_byte_is_no_keepalive)
{
	talk_lines(&t, EXCHANGED, {ORIG, PA, 101, 101, 1}, {RESP, A, 101, 102},
		   {ORIG, A, 101, 101, 0, LA_R_OLD_DUPLICATE},
		   {ORIG, PA, 101, 101, 1, LA_R_OLD_DUPLICATE}, {RESP, A, 101, 102});
	cr_assert_eq(t.flow.side[t.orig].retrans, 1);
	cr_assert_eq(t.flow.side[t.orig].bytes, 101);
}

/* ---- the silence before what is not answered ---- */

static void assert_silence(__u64 seconds)
{
	__u64 silence = talk_close(&t)->silence_ns;

	cr_assert_eq(silence / LA_SEC_NS, seconds, "%llu ns", (unsigned long long)silence);
}

Test(liveness, silence_before_a_reset)
{
	talk_lines(&t, EXCHANGED, {WAIT, 350000}, {ORIG, PA, 101, 101, 100}, {WAIT, 30},
		   {RESP, R, 101});
	assert_closed(&t, "reset", "resp", "CLOSED", "CLOSED");
	assert_silence(350);
}

Test(liveness, silence_before_what_nobody_answers)
{
	talk_lines(&t, EXCHANGED, {WAIT, 350000}, {ORIG, PA, 101, 101, 100});
	retransmit(15);
	talk_lines(&t, {WAIT, 301000});
	assert_cause(LA_TIMEOUT_CAUSE_DEAD_PEER, 15);
	assert_silence(350);
}

Test(liveness, silence_before_a_keepalive)
{
	talk_lines(&t, EXCHANGED);
	for (int i = 0; i < 9; i++)
		talk_lines(&t, {WAIT, 75000}, {ORIG, A, 100, 101, .reason = LA_R_KEEPALIVE});
	talk_lines(&t, {WAIT, 301000});
	assert_cause(LA_TIMEOUT_CAUSE_KEEPALIVE_FAILED, 9);
	assert_silence(75);
}

/* The peer has not forgotten it. */
Test(liveness, silence_that_was_answered_is_over)
{
	talk_lines(&t, EXCHANGED, {WAIT, 350000}, {ORIG, PA, 101, 101, 100}, {RESP, A, 101, 201},
		   {ORIG, PA, 201, 101, 100}, {RESP, R, 101});
	assert_silence(0);
}

/* Who resets after a silence of its own waits for nothing; nor is a busy connection silent. */
Test(liveness, silence_is_not_what_a_reset_ends)
{
	talk_lines(&t, EXCHANGED, {WAIT, 350000}, {ORIG, R, 101});
	assert_silence(0);
}

Test(liveness, silence_is_not_who_waits_for_an_answer)
{
	talk_lines(&t, EXCHANGED, {ORIG, PA, 101, 101, 100});
	retransmit(5);
	talk_lines(&t, {RESP, R, 101});
	assert_silence(0);
}

/* A SYN takes the place of what was noted. */
Test(liveness, silence_before_a_syn_is_forgotten)
{
	talk_lines(&t, EXCHANGED, {WAIT, 350000}, {ORIG, PA, 101, 101, 100},
		   {ORIG, S, .isn = 777000, .reason = LA_R_PROVISIONAL_SYN}, {RESP, R, 101});
	assert_silence(0);
}
