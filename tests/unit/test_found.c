/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_found.c - what the fuzzers found in the tracker, each as a short talk.
 */
#include "la_timeout.h"
#include "la_window.h"
#include "talk.h"

static struct talk t;

static void start(void)
{
	talk_init(&t, 40000, 443);
}

TestSuite(found, .init = start, .timeout = 10);

static const struct la_rec_close *last_close(void)
{
	return &talk_find(&t, LA_REC_CLOSE, talk_count(&t, LA_REC_CLOSE) - 1)->close;
}

static __u64 time_in_states(const struct la_rec_side *side)
{
	__u64 sum = 0;

	for (int s = 0; s < LA_STATE_MAX; s++)
		sum += side->in_state[s];
	return sum;
}

/* A provisional SYN begins the new connection for both: its listener waited since then, too. */
Test(found, times_in_states_add_up_after_a_provisional_syn)
{
	talk_lines(
		&t, {ORIG, S, 0, 0}, {RESP, SA, 0, 1}, {ORIG, A, 1, 1},
		{ORIG, S, .isn = 777000, .reason = LA_R_PROVISIONAL_SYN}, {WAIT, 400},
		{RESP, SA, .isn = 888000, .ack = 1, .orig = LA_SYN_SENT, .resp = LA_SYN_RECEIVED},
		{ORIG, A, 1, 1}, {ORIG, R, 1, 0});
	cr_assert_eq(talk_count(&t, LA_REC_CLOSE), 2);
	cr_expect_eq(last_close()->duration_ns, 403 * LA_MSEC_NS);
	for (int end = 0; end < 2; end++)
		cr_expect_eq(time_in_states(&last_close()->side[end]), last_close()->duration_ns);
}

/* An old duplicate renews nothing, but its FIN may change the clock, which then starts anew. */
Test(found, a_clock_never_starts_in_the_past)
{
	talk_lines(&t, {ORIG, S, 0, 0}, {RESP, SA, 0, 1}, {ORIG, A, 1, 1}, {RESP, PA, 1, 1, 10},
		   {ORIG, A, 1, 11}, {ORIG, FA, 1, 11}, {ORIG, A, 2, 12}, {WAIT, 130000},
		   {RESP, FA, 1, 1, 10, LA_R_OLD_DUPLICATE});
	cr_assert_eq(t.flow.class, LA_TIMEOUT_CLOSING);
	cr_expect_gt(la_deadline(&t.flow, &t.cfg), t.now);
}

/* Numbers half the sequence space apart, which only midstream can begin with: */

/* what the fast path takes, the slow path would have taken: below RCV.NXT is below the window. */
Test(found, the_fast_path_heeds_the_left_edge_of_a_window)
{
	talk_lines(&t, {ORIG, PA, 0x80000000, 5000, 1, .raw = true},
		   {RESP, A, 5000, 100000, .raw = true}, {RESP, A, 5000, 0, .raw = true},
		   {ORIG, PA, 0, 5000, 1460, LA_R_OLD_DUPLICATE, .raw = true},
		   {ORIG, PA, 1460, 5000, 1460, LA_R_OLD_DUPLICATE, .raw = true});
}

/* an ACK is too old if it lies below the last one, not because it lies far above. */
Test(found, an_ack_far_ahead_is_not_too_old)
{
	struct line far = {RESP, PA, 35000, 0x7fffffff, 100, .raw = true};
	struct la_segment seg;

	talk_lines(&t, {ORIG, PA, 0x80000000, 5000, 1, .raw = true},
		   {RESP, A, 5000, 100000, 30000, .raw = true});
	seg = talk_segment(&t, &far);
	cr_expect_eq(la_window_check(&t.flow.side[!t.orig], &t.flow.side[t.orig], &seg),
		     LA_R_ACCEPTED);
}

/* Whose FIN lies in the past of what its sender has said: no FIN. */
Test(found, a_fin_below_what_its_sender_has_sent)
{
	talk_lines(&t, {ORIG, S}, {RESP, SA, 0, 1}, {ORIG, A, 1, 1}, {ORIG, PA, 1, 1, 1000},
		   {ORIG, FA, 101, 1, 0, 0, LA_ESTABLISHED, LA_ESTABLISHED},
		   {RESP, A, 1, 1001, 0, 0, LA_ESTABLISHED, LA_ESTABLISHED});
	cr_assert_eq(t.flow.side[t.orig].flags & LA_S_FIN, 0);
}

/* Closed by a late RST out of CLOSING, an endpoint has no FIN to send again. */
Test(found, a_fin_again_after_a_late_rst)
{
	talk_lines(&t, {ORIG, S}, {RESP, SA, 0, 1}, {ORIG, A, 1, 1}, {ORIG, FA, 1, 1},
		   {RESP, FA, 1, 1}, {ORIG, A, 2, 2}, {RESP, A, 2, 2}, {WAIT, 200},
		   {ORIG, FA, 1, 2, 0, LA_R_LATE, LA_CLOSING, LA_TIME_WAIT},
		   {ORIG, R, 2, .reason = LA_R_LATE, .orig = LA_CLOSED, .resp = LA_TIME_WAIT},
		   {ORIG, FA, 1, 2, 0, LA_R_LATE, LA_CLOSED, LA_TIME_WAIT});
	assert_gapless(&t);
}

/* A FIN that comes again is acceptable wherever it lies, but not whatever it acknowledges. */
Test(found, a_fin_again_that_acknowledges_anything)
{
	talk_lines(&t, {ORIG, S}, {RESP, SA, 0, 1}, {ORIG, A, 1, 1}, {ORIG, FA, 1, 1},
		   {RESP, A, 1, 2},
		   {ORIG, FA, 1, 0x70000000, 0, LA_R_ACK_ABOVE_SENT, LA_FIN_WAIT_2, LA_CLOSE_WAIT});
}

/* It denied a refusal and went on to close: when the peer goes on, too, that is not undone. */
Test(found, who_went_on_after_a_refusal_stays_where_it_is)
{
	talk_lines(&t, {ORIG, S}, {RESP, RA, 0, 1, 0, 0, LA_CLOSED, LA_CLOSED},
		   {RESP, SA, 0, 1, 0, LA_R_LATE, LA_CLOSED, LA_SYN_RECEIVED},
		   {RESP, FA, 1, 1, 0, LA_R_LATE, LA_CLOSED, LA_FIN_WAIT_1},
		   {ORIG, A, 1, 2, 0, 0, LA_CLOSE_WAIT, LA_FIN_WAIT_2});
	assert_gapless(&t);
}

/* A RST cuts for the second time what carried on after a refusal: nobody is refused by that. */
Test(found, a_second_cut_is_no_refusal)
{
	talk_lines(&t, {ORIG, S}, {RESP, RA, 0, 1}, {RESP, SA, 0, 1, 0, LA_R_LATE}, {ORIG, A, 1, 1},
		   {ORIG, FA, 1, 1}, {RESP, FA, 1, 2}, {ORIG, A, 2, 2}, {ORIG, RA, 2, 2});
	talk_lines(&t, {RESP, SA, 2, 1, 0, 0, LA_CLOSED, LA_SYN_RECEIVED});
	cr_assert_eq(t.flows, 1, "a new answer to an old SYN is a new connection");
}

/* Whose FIN is known by its ACK alone had the other one, though data before that is missing. */
Test(found, an_unheard_fin_behind_missing_data)
{
	talk_lines(&t, {ORIG, A, 1, 1}, {ORIG, FA, 1001, 1, 0, 0, LA_FIN_WAIT_1, LA_ESTABLISHED},
		   {ORIG, A, 1002, 2, 0, 0, LA_TIME_WAIT, LA_CLOSED},
		   {ORIG, A, 1002, 500, 0, LA_R_LATE, LA_FIN_WAIT_2, LA_CLOSE_WAIT});
	assert_path(&t, RESP, "~ESTABLISHED ~CLOSE_WAIT ~LAST_ACK ~CLOSED !CLOSE_WAIT");
}

/* An answer to an old SYN, a FIN of who was not there, its ACK: no RST had closed that side. */
Test(found, a_fin_again_after_a_rst_that_ended_only_the_other_side)
{
	talk_lines(&t, {RESP, SA, 0, 1}, {RESP, R, 1}, {RESP, SA, 1, 1}, {RESP, FA, 2, 1},
		   {ORIG, FA, 0, 2, .reason = LA_R_OLD_DUPLICATE}, {WAIT, 200}, {ORIG, FA, 0, 2},
		   {RESP, A, 3, 1}, {RESP, R, 3, .orig = LA_CLOSED, .resp = LA_CLOSED},
		   {ORIG, FA, 0, 3, 0, LA_R_LATE, LA_CLOSED, LA_CLOSED});
	cr_assert(strstr(talk_path(&t, ORIG), "~CLOSED !LAST_ACK ~CLOSED"), "%s",
		  talk_path(&t, ORIG));
}

/* A policy makes its clock so short that it would have run out before what has happened since. */
Test(found, a_clock_that_was_made_shorter)
{
	for (int i = 0; i < LA_TIMEOUT_MAX; i++)
		t.cfg.timeouts[1][i] = LA_SEC_NS;
	talk_lines(&t, {ORIG, A, 1, 1}, {WAIT, 2000}, {ORIG, FA, 1, 1});
	t.flow.policy = 1;
	talk_lines(&t, {WAIT, 1});
	cr_assert_geq(talk_close(&t)->duration_ns, 2 * LA_SEC_NS);
	cr_assert_eq(talk_close(&t)->close_ns, 0);
}

/* Nobody, whom an old SYN names, has sent no FIN, though one more byte is acknowledged. */
Test(found, nobody_sends_an_unheard_fin)
{
	talk_lines(&t, {ORIG, S}, {RESP, SA, 0, 1}, {ORIG, A, 1, 1},
		   {RESP, RA, 1, 1, 0, 0, LA_CLOSED, LA_CLOSED});
	talk_lines(&t, {RESP, SA, 0, 1, .isn = 5000}, {RESP, FA, 1, 1},
		   {RESP, A, 2, 2, .orig = LA_CLOSED}, {RESP, A, 2, 500, .orig = LA_CLOSED});
	assert_path(&t, ORIG, "SYN_SENT ESTABLISHED ~CLOSED");
}

/* A FIN again takes no TIME_WAIT back that its sender's own ACKs have proved. */
Test(found, a_fin_again_in_a_time_wait_that_was_proved)
{
	talk_lines(&t, {ORIG, S}, {RESP, FA, 1, 1}, {RESP, R, 2}, {ORIG, R, 1, .reason = LA_R_LATE},
		   {ORIG, FA, 1, 2, 10, LA_R_LATE}, {RESP, A, 0, 12, 1, LA_R_OLD_DUPLICATE},
		   {WAIT, 61000}, {RESP, FA, 1, 12, .orig = LA_CLOSED, .resp = LA_TIME_WAIT});
}
