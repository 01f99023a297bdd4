/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_flight.c - the sliding window: scale, right edge, flight, zero windows and their probes.
 *
 * Each trap of the window stands beside an innocent neighbour that looks like it.
 */
#include "la_expire.h"
#include "talk.h"

static struct talk t;

static void init(void)
{
	talk_init(&t, 40000, 80);
}

TestSuite(flight, .init = init);

#define OPENED                                                                                     \
	{ORIG, S}, {RESP, SA, 0, 1},                                                               \
	{                                                                                          \
		ORIG, A, 1, 1                                                                      \
	}

/* A shift of n on both SYNs; the last ACK and all that follows is scaled. */
#define OPENED_SCALED(n)                                                                           \
	{ORIG, S, .shift = (n) + 1}, {RESP, SA, 0, 1, .shift = (n) + 1},                           \
	{                                                                                          \
		ORIG, A, 1, 1                                                                      \
	}

/* The side of an endpoint in the close record, lastack being stopped now. */
static const struct la_rec_side *stop(enum who who)
{
	cr_assert(la_remove(&t.flow, t.now, LA_CLOSE_SHUTDOWN, LA_GONE_DETACHED, &t.out));
	talk_collect(&t, NULL);
	return &talk_close(&t)->side[who];
}

/* ---- the right edge ---- */

Test(flight, data_up_to_the_edge_and_not_beyond)
{
	talk_lines(&t, OPENED, {RESP, A, 1, 1, .win = 1000}, {ORIG, PA, 1, 1, 1000});
	/* The receiver's first promise was larger, and a promise counts. */
	talk_lines(&t, {ORIG, PA, 1001, 1, 64535}, {ORIG, PA, 65537, 1, 10, LA_R_SEQ_ABOVE_WINDOW});
}

Test(flight, field_of_a_syn_is_never_scaled)
{
	talk_lines(&t, {ORIG, S, .shift = 8}, {RESP, SA, 0, 1, .shift = 8, .win = 1000},
		   {ORIG, A, 1, 1}, {ORIG, PA, 1, 1, 1000},
		   {ORIG, PA, 1002, 1, 10, LA_R_SEQ_ABOVE_WINDOW});
}

Test(flight, scaled_if_both_syns_said_so)
{
	talk_lines(&t, OPENED_SCALED(7), {RESP, A, 1, 1, .win = 1000}, {ORIG, PA, 128000, 1, 10},
		   {ORIG, PA, 128100, 1, 10, LA_R_SEQ_ABOVE_WINDOW});
}

Test(flight, unscaled_if_only_the_syn_said_so)
{
	talk_lines(&t, {ORIG, S, .shift = 8}, {RESP, SA, 0, 1, .win = 500}, {ORIG, A, 1, 1},
		   {RESP, A, 1, 1, .win = 1000}, {ORIG, PA, 1001, 1, 10},
		   {ORIG, PA, 1012, 1, 10, LA_R_SEQ_ABOVE_WINDOW});
}

/* RFC 7323 2.2: a SYN-ACK that scales what the SYN did not offer changes nothing. */
Test(flight, unscaled_if_only_the_syn_ack_said_so)
{
	talk_lines(&t, {ORIG, S}, {RESP, SA, 0, 1, .shift = 8, .win = 500}, {ORIG, A, 1, 1},
		   {RESP, A, 1, 1, .win = 1000}, {ORIG, PA, 1012, 1, 10, LA_R_SEQ_ABOVE_WINDOW});
}

/* A shrinking window: what was sent before the news came is as good as before. */
Test(flight, shrinks_under_data_on_its_way)
{
	talk_lines(&t, {ORIG, S}, {RESP, SA, 0, 1, .win = 5000}, {ORIG, A, 1, 1},
		   {RESP, A, 1, 1, .win = 100}, {ORIG, PA, 1, 1, 5000}, {RESP, A, 1, 5001});
	cr_assert_eq(t.flow.side[t.orig].retrans, 0);
}

/* ---- in flight ---- */

Test(flight, in_flight_is_what_was_not_acknowledged)
{
	talk_lines(&t, OPENED, {ORIG, PA, 1, 1, 1000}, {ORIG, PA, 1001, 1, 1000},
		   {ORIG, PA, 2001, 1, 1000}, {RESP, A, 1, 2001}, {ORIG, PA, 3001, 1, 500});
	cr_assert_gt(t.fast, 0, "the fast path was not tested");
	const struct la_rec_side *side = stop(ORIG);

	cr_assert_eq(side->in_flight, 1500);
	cr_assert_eq(side->max_in_flight, 3000);
	cr_assert_eq(talk_close(&t)->side[RESP].in_flight, 0);
}

Test(flight, all_acknowledged_leaves_nothing_in_flight)
{
	talk_lines(&t, OPENED, {ORIG, PA, 1, 1, 1000}, {RESP, A, 1, 1001}, {ORIG, FA, 1001, 1, 0},
		   {RESP, FA, 1, 1002, 0}, {ORIG, A, 1002, 2});
	cr_assert_eq(talk_close(&t)->side[ORIG].in_flight, 0);
	cr_assert_eq(talk_close(&t)->side[RESP].in_flight, 0);
	cr_assert_eq(talk_close(&t)->side[ORIG].max_in_flight, 1000);
}

Test(flight, advertised_at_the_end_in_bytes)
{
	talk_lines(&t, OPENED_SCALED(7), {ORIG, PA, 1, 1, 1000}, {RESP, A, 1, 1001, .win = 500});
	cr_assert_eq(stop(RESP)->window, 500 << 7);
}

/* Midstream nobody knows the scale, so no window is told. */
Test(flight, of_unknown_scale_is_not_told)
{
	talk_lines(&t, {ORIG, PA, 1, 1, 10}, {RESP, A, 1, 11, .win = 500});
	cr_assert_eq(stop(RESP)->window, 0);
}

Test(flight, full_when_no_further_segment_fits)
{
	talk_lines(&t, {ORIG, S}, {RESP, SA, 0, 1, .win = 4000}, {ORIG, A, 1, 1},
		   {ORIG, PA, 1, 1, 1460}, {ORIG, PA, 1461, 1, 1460}, {ORIG, PA, 2921, 1, 1080});
	/* After the second, 1080 bytes are left: less than a segment of 1460. */
	cr_assert_eq(stop(ORIG)->window_full, 2);
}

Test(flight, not_full_when_a_segment_still_fits)
{
	talk_lines(&t, {ORIG, S}, {RESP, SA, 0, 1, .win = 4380}, {ORIG, A, 1, 1},
		   {ORIG, PA, 1, 1, 1460}, {ORIG, PA, 1461, 1, 1460});
	cr_assert_eq(stop(ORIG)->window_full, 0);
}

/* Five gigabytes: every number wraps, the counters do not. */
Test(flight, wraps_around_more_than_once)
{
	__u32 at = 1, step = 1 << 17, rounds = 5U << (30 - 17);

	talk_lines(&t, OPENED_SCALED(14), {RESP, A, 1, 1});
	for (__u32 i = 0; i < rounds; i++, at += step)
		talk_lines(&t, {ORIG, PA, at, 1, step}, {RESP, A, 1, at + step});
	cr_assert_gt(t.fast, rounds);
	const struct la_rec_side *side = stop(ORIG);

	cr_assert_eq(side->bytes, 5ULL << 30);
	cr_assert_eq(side->retrans, 0);
	cr_assert_eq(side->max_in_flight, step);
	cr_assert_eq(side->in_flight, 0);
}

/* ---- zero windows ---- */

#define SHUT_AFTER_1000                                                                            \
	{ORIG, PA, 1, 1, 1000},                                                                    \
	{                                                                                          \
		RESP, A, 1, 1001, .win = -1                                                        \
	}

Test(flight, shut_for_a_time)
{
	talk_lines(&t, OPENED, SHUT_AFTER_1000, {WAIT, 2000}, {RESP, A, 1, 1001, .win = 5000},
		   {ORIG, PA, 1001, 1, 1000}, {RESP, A, 1, 2001, .win = -1}, {WAIT, 500},
		   {RESP, A, 1, 2001, .win = 5000}, {WAIT, 4000});
	const struct la_rec_side *side = stop(RESP);

	cr_assert_eq(side->zero_windows, 2);
	cr_assert_eq(side->zero_window_ns, 2502 * LA_MSEC_NS);
	cr_assert_eq(side->window, 5000);
	cr_assert_eq(talk_close(&t)->side[ORIG].zero_windows, 0);
	cr_assert_eq(talk_close(&t)->side[ORIG].zero_window_ns, 0);
}

Test(flight, shut_until_the_end)
{
	talk_lines(&t, OPENED, SHUT_AFTER_1000, {WAIT, 3000});
	const struct la_rec_side *side = stop(RESP);

	cr_assert_eq(side->zero_windows, 1);
	cr_assert_eq(side->zero_window_ns, 3000 * LA_MSEC_NS);
	cr_assert_eq(side->window, 0);
}

/* The innocent neighbour: small is not zero. */
Test(flight, of_one_byte_is_open)
{
	talk_lines(&t, OPENED, {ORIG, PA, 1, 1, 1000}, {RESP, A, 1, 1001, .win = 1}, {WAIT, 3000});
	cr_assert_eq(stop(RESP)->zero_windows, 0);
}

/* An ACK with an open window, overtaken by the one that shut it, does not open it. */
Test(flight, late_ack_does_not_open_it)
{
	talk_lines(&t, OPENED, {ORIG, PA, 1, 1, 500}, {ORIG, PA, 501, 1, 500},
		   {RESP, A, 1, 1001, .win = -1}, {RESP, A, 1, 501, .win = 500}, {WAIT, 999});
	const struct la_rec_side *side = stop(RESP);

	cr_assert_eq(side->zero_windows, 1);
	cr_assert_eq(side->zero_window_ns, 1000 * LA_MSEC_NS);
}

/* And one that shut it once does not shut it again after the update. */
Test(flight, late_ack_does_not_shut_it)
{
	talk_lines(&t, OPENED, {ORIG, PA, 1, 1, 1000}, {RESP, A, 1, 1001, .win = 5000},
		   {RESP, A, 1, 501, .win = -1}, {WAIT, 3000});
	cr_assert_eq(stop(RESP)->zero_windows, 0);
}

/* Who has had the peer's FIN keeps nobody waiting. */
Test(flight, zero_after_the_peers_fin_is_no_stall)
{
	talk_lines(&t, OPENED, {ORIG, FA, 1, 1}, {RESP, A, 1, 2, .win = -1}, {WAIT, 3000});
	cr_assert_eq(stop(RESP)->zero_windows, 0);
}

Test(flight, a_rst_has_no_window)
{
	talk_lines(&t, OPENED, {RESP, RA, 1, 1, .win = -1});
	cr_assert_eq(talk_close(&t)->side[RESP].zero_windows, 0);
}

/* A SYN proxy answers with a zero window and opens it when its back end is there. */
Test(flight, shut_from_the_syn_ack_on)
{
	talk_lines(&t, {ORIG, S}, {RESP, SA, 0, 1, .win = -1}, {ORIG, A, 1, 1}, {WAIT, 98},
		   {RESP, A, 1, 1, .win = 5000});
	cr_assert_eq(stop(RESP)->zero_window_ns, 100 * LA_MSEC_NS);
}

/* ---- probes ---- */

/* Linux repeats the last sequence number, without data. */
Test(flight, probed_without_data)
{
	talk_lines(&t, OPENED, SHUT_AFTER_1000);
	for (int i = 0; i < 3; i++)
		talk_lines(&t, {WAIT, 200 << i}, {ORIG, A, 1000, 1, 0, LA_R_WINDOW_PROBE},
			   {RESP, A, 1, 1001, .win = -1});
	talk_lines(&t, {RESP, A, 1, 1001}, {ORIG, PA, 1001, 1, 500}, {RESP, A, 1, 1501});
	const struct la_rec_side *side = stop(ORIG);

	cr_assert_eq(side->window_probes, 3);
	cr_assert_eq(side->retrans, 0);
	cr_assert_eq(side->bytes, 1500);
	cr_assert_eq(talk_close(&t)->side[RESP].zero_windows, 1);
	cr_assert_eq(talk_close(&t)->unanswered, 0);
}

/* Others send the next byte, again and again until it is taken. */
Test(flight, probed_with_the_next_byte)
{
	talk_lines(&t, OPENED, SHUT_AFTER_1000);
	for (int i = 0; i < 3; i++)
		talk_lines(&t, {WAIT, 5000}, {ORIG, A, 1001, 1, 1, LA_R_WINDOW_PROBE},
			   {RESP, A, 1, 1001, .win = -1});
	talk_lines(&t, {RESP, A, 1, 1002}, {ORIG, PA, 1002, 1, 500}, {RESP, A, 1, 1502});
	const struct la_rec_side *side = stop(ORIG);

	cr_assert_eq(side->window_probes, 3);
	cr_assert_eq(side->retrans, 0);
	cr_assert_eq(side->bytes, 1501);
}

/* The window was taken back below data that had been sent already. */
Test(flight, probed_after_it_shrank_to_zero)
{
	talk_lines(&t, OPENED, {ORIG, PA, 1, 1, 1000}, {RESP, A, 1, 1, .win = -1}, {WAIT, 200},
		   {ORIG, A, 0, 1, 0, LA_R_WINDOW_PROBE}, {RESP, A, 1, 1, .win = -1});
	cr_assert_eq(stop(ORIG)->window_probes, 1);
}

/* The innocent neighbour: the same segment to an open window asks whether anybody is there. */
Test(flight, probe_of_an_open_window_is_a_keepalive)
{
	talk_lines(&t, OPENED, {ORIG, PA, 1, 1, 1000}, {RESP, A, 1, 1001}, {WAIT, 5000},
		   {ORIG, A, 1000, 1, 0, LA_R_KEEPALIVE}, {RESP, A, 1, 1001});
	cr_assert_eq(stop(ORIG)->window_probes, 0);
}

/* One byte of data is no probe either. */
Test(flight, one_byte_to_an_open_window_is_data)
{
	talk_lines(&t, OPENED, {ORIG, PA, 1, 1, 1000}, {RESP, A, 1, 1001}, {ORIG, PA, 1001, 1, 1},
		   {RESP, A, 1, 1002});
	const struct la_rec_side *side = stop(ORIG);

	cr_assert_eq(side->window_probes, 0);
	cr_assert_eq(side->bytes, 1001);
}
