/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_rst.c - RSTs that the endpoint they name did not send, and those that only look so.
 *
 * Each kind of evidence has a talk in which it is the only one, and talks in which an
 * innocent cause looks like it. Then: connections that carry on after the RST that closed
 * them, and how far a connection had come when it was cut.
 */
#include "talk.h"

static struct talk t;

static void init(void)
{
	talk_init(&t, 40000, 80);
}

TestSuite(rst, .init = init);

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

#define BIT(sym) (1 << (LA_EVIDENCE_##sym - 1))

/* The words of the evidence bits, for a message. */
static const char *words(__u8 bits)
{
	static char text[128];
	size_t at = 0;

	text[0] = 0;
	for (unsigned int e = 1; e < LA_EVIDENCE_MAX; e++)
		if (bits & 1 << (e - 1))
			at += snprintf(text + at, sizeof(text) - at, " %s", la_evidence_word(e));
	return text;
}

/* The n-th RST record carries just this evidence. */
static void assert_evidence(int n, __u8 bits)
{
	const union la_any_rec *r = talk_find(&t, LA_REC_RST, n);

	cr_assert_not_null(r, "there are no %d RSTs", n + 1);
	cr_assert_eq(r->rst.forged, bits, "RST %d:%s", n, words(r->rst.forged));
}

/* No RST of the whole talk, nor the flow, is suspected of anything. */
static void assert_innocent(void)
{
	for (int n = 0; n < talk_count(&t, LA_REC_RST); n++)
		assert_evidence(n, 0);
	cr_assert_eq(t.flow.forged, 0, "the flow:%s", words(t.flow.forged));
}

/* ---- sends_on ---- */

Test(rst, sends_on_alone)
{
	talk_lines(&t, TALKED, {ORIG, R, 11, .orig = LA_CLOSED, .resp = LA_CLOSED});
	assert_innocent();
	talk_lines(&t, {ORIG, PA, 11, 101, 10, LA_R_LATE});
	cr_assert_eq(t.flow.forged, BIT(SENDS_ON));
	cr_assert_eq(talk_close(&t)->forged, 0, "it came after the close");
	talk_lines(&t, {WAIT, 20000});
	cr_assert_eq(talk_find(&t, LA_REC_GONE, 0)->gone.forged, BIT(SENDS_ON));
	cr_assert_eq(talk_find(&t, LA_REC_GONE, 0)->gone.carried_on, 0, "nobody answered");
}

/* It only receives, but acknowledges what was sent after "its" RST. */
Test(rst, sends_on_by_its_acks)
{
	talk_lines(&t, TALKED, {ORIG, R, 11}, {RESP, PA, 101, 11, 50, LA_R_LATE});
	assert_innocent();
	talk_lines(&t, {ORIG, A, 11, 151, 0, LA_R_LATE});
	cr_assert_eq(t.flow.forged, BIT(SENDS_ON));
}

/* A RST that nobody believed: the evidence is in the close record. */
Test(rst, sends_on_after_a_blind_rst)
{
	talk_lines(&t, TALKED, {RESP, PA, 101, 11, 50},
		   {ORIG, R, 5, .reason = LA_R_RST_OUT_OF_WINDOW});
	assert_evidence(0, 0);
	talk_lines(&t, {ORIG, PA, 11, 151, 20, 0, LA_ESTABLISHED, LA_ESTABLISHED},
		   {RESP, A, 151, 31}, {ORIG, FA, 31, 151}, {RESP, FA, 151, 32},
		   {ORIG, A, 32, 152});
	assert_closed(&t, "fin", "orig", "TIME_WAIT", "CLOSED");
	cr_assert_eq(talk_close(&t)->forged, BIT(SENDS_ON));
}

/* Innocent: the RST overtook data, or an ACK of what had been sent before it. */
Test(rst, overtaken_data_is_not_sent_after)
{
	talk_lines(&t, TALKED, {RESP, PA, 101, 11, 50}, {ORIG, R, 31, .reason = LA_R_RST_IGNORED},
		   {ORIG, PA, 11, 101, 20}, {ORIG, A, 31, 151});
	cr_assert_eq(t.flow.forged, BIT(SEQ_JUMPS), "%s", words(t.flow.forged));
}

/* Innocent: a duplicate of data that came before the RST, which answered older data. */
Test(rst, a_duplicate_is_not_sent_after)
{
	talk_lines(&t, TALKED, {RESP, PA, 101, 11, 50}, {ORIG, PA, 11, 101, 20},
		   {ORIG, R, 11, .orig = LA_CLOSED, .resp = LA_CLOSED},
		   {ORIG, PA, 11, 101, 20, LA_R_LATE});
	assert_innocent();
}

/* ---- second_rst ---- */

Test(rst, second_rst_alone)
{
	talk_lines(&t, TALKED, {RESP, RA, 101, 11}, {RESP, RA, 101, 5000, 0, LA_R_LATE});
	assert_evidence(0, 0);
	assert_evidence(1, BIT(SECOND_RST));
}

/* A box that tries one window further each time, as data was in flight. */
Test(rst, second_rst_at_another_number)
{
	talk_lines(&t, TALKED, {RESP, PA, 101, 11, 1000},
		   {RESP, R, 101, .orig = LA_CLOSED, .resp = LA_CLOSED},
		   {RESP, R, 1101, .reason = LA_R_LATE});
	assert_evidence(0, 0);
	assert_evidence(1, BIT(SECOND_RST));
}

/* Innocent: a crashed host answers each segment in flight, at the number that acknowledges. */
Test(rst, a_crashed_host_answers_each_segment)
{
	talk_lines(&t, TALKED, {RESP, PA, 101, 11, 30}, {ORIG, PA, 11, 101, 10},
		   {ORIG, PA, 21, 131, 10}, {ORIG, PA, 31, 131, 10},
		   {RESP, R, 101, .reason = LA_R_RST_OUT_OF_WINDOW},
		   {RESP, R, 131, .orig = LA_CLOSED, .resp = LA_CLOSED},
		   {RESP, R, 131, .reason = LA_R_LATE});
	assert_innocent();
	assert_closed(&t, "reset", "resp", "CLOSED", "CLOSED");
}

/* Innocent: an abort, then one RST for each ACK that was still on its way. */
Test(rst, an_abort_and_answers_to_late_acks)
{
	talk_lines(&t, TALKED, {RESP, PA, 101, 11, 30}, {RESP, PA, 131, 11, 30},
		   {RESP, RA, 161, 11, .orig = LA_CLOSED, .resp = LA_CLOSED},
		   {ORIG, A, 11, 131, 0, LA_R_LATE}, {ORIG, A, 11, 161, 0, LA_R_LATE},
		   {RESP, R, 131, .reason = LA_R_LATE}, {RESP, R, 161, .reason = LA_R_LATE});
	assert_innocent();
}

/* Innocent: the same RST, sent or seen twice. */
Test(rst, the_same_rst_again)
{
	talk_lines(&t, TALKED, {RESP, RA, 101, 11}, {RESP, RA, 101, 11, 0, LA_R_LATE});
	assert_innocent();
}

/* Innocent: each try of a refused SYN gets its RST. */
Test(rst, refused_again_and_again)
{
	talk_lines(&t, {ORIG, S}, {RESP, RA, .raw = true, .ack = TALK_ISN_ORIG + 1},
		   {ORIG, S, .reason = LA_R_LATE},
		   {RESP, RA, .raw = true, .ack = TALK_ISN_ORIG + 1, .reason = LA_R_LATE});
	assert_innocent();
	assert_closed(&t, "refused", "resp", "CLOSED", "CLOSED");
}

/* Innocent: the challenged RST, and the one that answers the challenge. */
Test(rst, a_challenge_is_answered)
{
	talk_lines(&t, TALKED, {ORIG, PA, 11, 101, 30}, {ORIG, R, 41}, {WAIT, 20000});
	assert_innocent();
	talk_init(&t, 40000, 80);
	talk_lines(&t, TALKED, {ORIG, PA, 31, 101, 10}, {ORIG, R, 39, .reason = LA_R_RST_IGNORED},
		   {RESP, A, 101, 11, 0, LA_R_CHALLENGE_ACK},
		   {ORIG, R, 11, .orig = LA_CLOSED, .resp = LA_CLOSED});
	assert_evidence(1, 0);
}

/* ---- seq_trails ---- */

/* Raced by the data that it wanted to cut off. */
Test(rst, seq_trails_alone)
{
	talk_lines(&t, TALKED, {RESP, R, 50, .reason = LA_R_RST_OUT_OF_WINDOW});
	assert_evidence(0, BIT(SEQ_TRAILS));
	talk_init(&t, 40000, 80);
	talk_lines(&t, TALKED, {RESP, PA, 101, 11, 50}, {RESP, R, 120, .reason = LA_R_RST_IGNORED});
	assert_evidence(0, BIT(SEQ_TRAILS));
}

/* Innocent: late data of a client whose upload the server did not want to hear out. */
Test(rst, late_data_is_answered_below_the_servers_data)
{
	talk_lines(&t, TALKED, {ORIG, PA, 11, 101, 500}, {ORIG, PA, 511, 101, 500},
		   {RESP, PA, 101, 11, 50}, {RESP, FA, 151, 11}, {ORIG, A, 1011, 152},
		   {RESP, R, 101, .reason = LA_R_RST_OUT_OF_WINDOW},
		   {RESP, R, 101, .reason = LA_R_RST_OUT_OF_WINDOW});
	cr_assert_eq(t.flow.forged, 0, "%s", words(t.flow.forged));
}

/* Innocent: a RST after the FIN, with the number of the FIN. */
Test(rst, a_rst_after_the_fin)
{
	talk_lines(&t, TALKED, {RESP, FA, 101, 11}, {ORIG, PA, 11, 101, 10},
		   {RESP, R, 101, .orig = LA_CLOSED, .resp = LA_CLOSED});
	assert_innocent();
	assert_closed(&t, "half_closed_reset", "resp", "CLOSED", "CLOSED");
	talk_init(&t, 40000, 80);
	talk_lines(&t, TALKED, {RESP, FA, 101, 11}, {ORIG, A, 11, 102}, {ORIG, PA, 11, 102, 10},
		   {RESP, R, 101, .orig = LA_CLOSED, .resp = LA_CLOSED});
	assert_innocent();
}

/* ---- seq_jumps ---- */

Test(rst, seq_jumps_alone)
{
	talk_lines(&t, TALKED, {RESP, R, 1561, .reason = LA_R_RST_IGNORED});
	assert_evidence(0, BIT(SEQ_JUMPS));
}

/* Innocent: the capture missed the data, but its receiver acknowledged it. */
Test(rst, data_that_only_the_capture_missed)
{
	talk_lines(&t, TALKED, {ORIG, A, 11, 1561},
		   {RESP, RA, 1561, 11, .orig = LA_CLOSED, .resp = LA_CLOSED});
	assert_innocent();
}

/* ---- ttl ---- */

Test(rst, ttl_alone)
{
	talk_lines(&t, TALKED, {RESP, RA, 101, 11, .ttl = 57});
	assert_evidence(0, BIT(TTL));
	assert_closed(&t, "reset", "resp", "CLOSED", "CLOSED");
	cr_assert_eq(talk_close(&t)->forged, BIT(TTL));
}

/* Innocent: the route had changed before, also while the fast path ran. */
Test(rst, the_route_has_changed)
{
	talk_lines(&t, TALKED, {RESP, PA, 101, 11, 10, .ttl = 57}, {ORIG, A, 11, 111},
		   {RESP, PA, 111, 11, 10, .ttl = 57}, {ORIG, A, 11, 121},
		   {RESP, RA, 121, 11, .ttl = 57});
	assert_innocent();
	cr_assert_gt(t.fast, 0, "the fast path was not used");
}

/* Innocent: RSTs start at 64 like the kernel's, the socket's segments at 255 (GTSM, BGP). */
Test(rst, another_initial_ttl_from_the_same_distance)
{
	talk_lines(&t, {ORIG, S, .ttl = 250}, {RESP, SA, 0, 1}, {ORIG, A, 1, 1, .ttl = 250},
		   {ORIG, R, 1, .ttl = 59});
	assert_innocent();
}

/* Innocent: a load balancer shook hands, its backend talked, the balancer resets. */
Test(rst, a_load_balancer_resets_as_it_answered)
{
	talk_lines(&t, {ORIG, S}, {RESP, SA, 0, 1, .ttl = 60}, {ORIG, A, 1, 1},
		   {ORIG, PA, 1, 1, 10}, {RESP, PA, 1, 11, 100, .ttl = 120}, {ORIG, A, 11, 101},
		   {RESP, RA, 101, 11, .ttl = 60});
	assert_innocent();
}

/* ---- both_sides ---- */

Test(rst, both_sides_alone)
{
	talk_lines(&t, TALKED, {ORIG, RA, 11, 101}, {RESP, RA, 101, 11, 0, LA_R_LATE});
	assert_evidence(0, 0);
	assert_evidence(1, BIT(BOTH_SIDES));
}

/* Innocent: data that the RST overtook finds nobody at home. */
Test(rst, overtaken_data_is_answered_by_a_rst)
{
	talk_lines(&t, TALKED, {ORIG, PA, 11, 101, 10}, {ORIG, R, 21},
		   {ORIG, PA, 11, 101, 10, LA_R_LATE}, {RESP, R, 101, .reason = LA_R_LATE});
	assert_innocent();
}

/* Innocent: the other end gave up, too, but not at once. */
Test(rst, both_ends_give_up_in_turn)
{
	talk_lines(&t, TALKED, {ORIG, RA, 11, 101}, {WAIT, 15}, {RESP, RA, 101, 11, 0, LA_R_LATE});
	assert_innocent();
}

/* ---- carrying on ---- */

Test(rst, the_peers_carry_on)
{
	talk_lines(&t, TALKED, {ORIG, R, 11, .orig = LA_CLOSED, .resp = LA_CLOSED},
		   {ORIG, PA, 11, 101, 10, LA_R_LATE, LA_CLOSED, LA_CLOSED},
		   {RESP, A, 101, 21, 0, 0, LA_ESTABLISHED, LA_ESTABLISHED},
		   {RESP, PA, 101, 21, 50, 0, LA_ESTABLISHED, LA_ESTABLISHED},
		   {ORIG, FA, 21, 151, 0, 0, LA_FIN_WAIT_1, LA_CLOSE_WAIT},
		   {RESP, FA, 151, 22, 0, 0, LA_TIME_WAIT, LA_LAST_ACK},
		   {ORIG, A, 22, 152, 0, 0, LA_TIME_WAIT, LA_CLOSED});
	assert_path(&t, ORIG,
		    "SYN_SENT ESTABLISHED CLOSED !ESTABLISHED FIN_WAIT_1 ~FIN_WAIT_2 ~TIME_WAIT");
	assert_path(&t, RESP,
		    "SYN_RECEIVED ~ESTABLISHED ~CLOSED !ESTABLISHED ~CLOSE_WAIT LAST_ACK ~CLOSED");
	assert_closed(&t, "reset", "orig", "CLOSED", "CLOSED");
	talk_lines(&t, {WAIT, 61000});
	cr_assert_eq(talk_find(&t, LA_REC_GONE, 0)->gone.carried_on, 1);
	cr_assert_eq(talk_find(&t, LA_REC_GONE, 0)->gone.forged, BIT(SENDS_ON));
	cr_assert_eq(talk_find(&t, LA_REC_GONE, 0)->gone.late_pkts, 6);
	assert_gapless(&t);
}

/* Half-closed before the RST, half-closed after it. The server only sends. */
Test(rst, a_half_closed_connection_carries_on)
{
	talk_lines(&t, TALKED, {ORIG, FA, 11, 101}, {RESP, A, 101, 12},
		   {RESP, R, 101, .orig = LA_CLOSED, .resp = LA_CLOSED},
		   {RESP, PA, 101, 12, 50, LA_R_LATE, LA_CLOSED, LA_CLOSED},
		   {ORIG, A, 12, 151, 0, 0, LA_FIN_WAIT_2, LA_CLOSE_WAIT},
		   {RESP, FA, 151, 12, 0, 0, LA_TIME_WAIT, LA_LAST_ACK});
	assert_gapless(&t);
}

/* Nothing that the client sends shows that it got the data; but it would be silent by now. */
Test(rst, a_client_that_only_sends_carries_on)
{
	talk_lines(&t, TALKED, {RESP, R, 101, .orig = LA_CLOSED, .resp = LA_CLOSED},
		   {ORIG, PA, 11, 101, 10, LA_R_LATE, LA_CLOSED, LA_CLOSED},
		   {RESP, A, 101, 21, 0, LA_R_LATE, LA_CLOSED, LA_CLOSED}, {WAIT, 1500},
		   {ORIG, PA, 21, 101, 10, 0, LA_ESTABLISHED, LA_ESTABLISHED});
	cr_assert_eq(t.flow.forged, BIT(SENDS_ON));
}

/* One end believed the RST, the other never sent it: it stays closed. */
Test(rst, one_end_alone_does_not_carry_on)
{
	talk_lines(&t, TALKED, {ORIG, R, 11}, {ORIG, PA, 11, 101, 10, LA_R_LATE},
		   {RESP, R, 101, .reason = LA_R_LATE},
		   {ORIG, PA, 11, 101, 10, LA_R_LATE, LA_CLOSED, LA_CLOSED},
		   {RESP, R, 101, .reason = LA_R_LATE, .orig = LA_CLOSED, .resp = LA_CLOSED});
	cr_assert_eq(t.flow.forged, BIT(SENDS_ON));
}

/* The second RST is a true one. */
Test(rst, carried_on_and_reset_again)
{
	talk_lines(&t, TALKED, {ORIG, R, 11}, {ORIG, PA, 11, 101, 10, LA_R_LATE},
		   {RESP, A, 101, 21, 0, 0, LA_ESTABLISHED, LA_ESTABLISHED},
		   {ORIG, RA, 21, 101, .orig = LA_CLOSED, .resp = LA_CLOSED});
	assert_closed(&t, "reset", "orig", "CLOSED", "CLOSED");
	assert_gapless(&t);
}

/* A connection that carries on has a live tuple: a SYN on it is provisional. */
Test(rst, a_syn_on_a_connection_that_carried_on)
{
	talk_lines(&t, TALKED, {ORIG, R, 11}, {ORIG, PA, 11, 101, 10, LA_R_LATE},
		   {RESP, A, 101, 21},
		   {ORIG, S, .raw = true, .seq = 777000, .reason = LA_R_PROVISIONAL_SYN,
		    .orig = LA_ESTABLISHED, .resp = LA_ESTABLISHED});
}

/* ---- verdicts ---- */

/* Linux takes a RST with the number of the FIN that it has received (tcp_reset_check). */
Test(rst, at_the_number_of_the_fin)
{
	talk_lines(&t, TALKED, {RESP, FA, 101, 11}, {ORIG, A, 11, 102},
		   {RESP, R, 101, .orig = LA_CLOSED, .resp = LA_CLOSED});
	talk_init(&t, 40000, 80);
	talk_lines(&t, TALKED,
		   {RESP, R, 100, .reason = LA_R_RST_OUT_OF_WINDOW, .orig = LA_ESTABLISHED,
		    .resp = LA_ESTABLISHED});
}

/* ---- stage ---- */

static void assert_stage(enum la_stage stage)
{
	cr_assert_eq(talk_close(&t)->stage, stage, "%s, not %s",
		     la_stage_word(talk_close(&t)->stage), la_stage_word(stage));
}

Test(rst, cut_post_syn)
{
	talk_lines(&t, {ORIG, S}, {RESP, SA, 0, 1}, {RESP, R, 1});
	assert_stage(LA_STAGE_POST_SYN);
}

Test(rst, cut_post_ack)
{
	talk_lines(&t, OPENED, {RESP, PA, 1, 1, 20}, {ORIG, A, 1, 21}, {ORIG, R, 1});
	assert_stage(LA_STAGE_POST_ACK);
}

Test(rst, cut_post_psh)
{
	talk_lines(&t, OPENED, {ORIG, PA, 1, 1, 10}, {RESP, R, 1});
	assert_stage(LA_STAGE_POST_PSH);
}

/* The first data again is still the first data. */
Test(rst, cut_post_psh_though_sent_again)
{
	talk_lines(&t, OPENED, {ORIG, PA, 1, 1, 10}, {ORIG, PA, 1, 1, 10}, {RESP, A, 1, 11},
		   {ORIG, PA, 1, 1, 10, LA_R_OLD_DUPLICATE}, {RESP, R, 1});
	assert_stage(LA_STAGE_POST_PSH);
}

Test(rst, cut_later)
{
	talk_lines(&t, OPENED, {ORIG, PA, 1, 1, 10}, {ORIG, PA, 11, 1, 10}, {RESP, R, 1});
	assert_stage(LA_STAGE_LATER);
}

/* Dropped instead of reset: the stage is that of the timeout. */
Test(rst, silenced_post_psh)
{
	t.cfg.timeout[LA_TIMEOUT_ESTABLISHED] = 10 * LA_SEC_NS;
	talk_lines(&t, OPENED, {ORIG, PA, 1, 1, 10}, {WAIT, 11000});
	assert_closed(&t, "timeout", "none", "ESTABLISHED", "ESTABLISHED");
	assert_stage(LA_STAGE_POST_PSH);
}

Test(rst, closed_in_order_has_no_stage)
{
	talk_lines(&t, TALKED, {ORIG, FA, 11, 101}, {RESP, FA, 101, 12}, {ORIG, A, 12, 102});
	cr_assert_eq(talk_close(&t)->stage, 0);
}
