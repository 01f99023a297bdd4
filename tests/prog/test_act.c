/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_act.c - the hand of a policy on one flow: drop, forget, another table of timeouts, and
 * where a RST has to be aimed. Another connection on the same ports is never touched.
 */
#include "duo.h"
#include "la_rst.h"
#include <errno.h>

static void begin(void)
{
	duo_begin((struct la_engine_opts){0});
}

TestSuite(act, .init = begin, .fini = duo_end, .timeout = 60);

/* Asks for `what` of the connection that was told of last. */
static int act(enum la_act what, __u8 arg, struct la_flow *flow)
{
	struct la_asked asked = duo.story.who;
	int result;

	asked.act = what;
	asked.arg = arg;
	la_engine_set_clock(duo.engine, duo.now);
	result = la_engine_act(duo.engine, &asked, flow);
	la_engine_drain(duo.engine);
	return result;
}

Test(act, a_look_tells_where_a_rst_has_to_be_aimed)
{
	struct la_flow f;
	const struct la_side *client, *server;

	duo_establish();
	SERVER(LA_ACK | LA_PSH, 101, 11, 50); /* on its way */
	cr_assert_eq(act(LA_ACT_LOOK, 0, &f), 0);
	client = &f.side[f.orig];
	server = &f.side[!f.orig];
	cr_expect_eq(la_rst_aim(client, server), 1011, "the server has all of the client");
	cr_expect_eq(la_rst_aim(server, client), 5101, "the client has not had the last bytes");
	cr_expect_eq(server->nxt, 5151);
	cr_expect_eq(client->state, LA_ESTABLISHED);
	cr_expect_eq(duo.story.closes + duo.story.gones, 0, "a look changes nothing");
}

Test(act, nobody_else_is_hit)
{
	struct la_flow f;

	duo_establish();
	duo.story.who.id++;
	cr_expect_eq(act(LA_ACT_EXPIRE, 0, &f), -ENOENT, "another id is another connection");
	duo.story.who.id--;
	duo.story.who.key.port[0]++;
	cr_expect_eq(act(LA_ACT_EXPIRE, 0, &f), -ENOENT);
	cr_expect_eq(la_engine_flows(duo.engine), 1);
	cr_expect_eq(CLIENT(LA_ACK, 11, 101, 0), XDP_PASS);
}

Test(act, a_dropped_flow_passes_nowhere)
{
	struct la_flow f;

	duo_establish();
	cr_assert_eq(act(LA_ACT_POLICY, LA_P_DROP, &f), 0);
	cr_expect(f.policy & LA_P_DROP);
	cr_expect_eq(CLIENT(LA_ACK | LA_PSH, 11, 101, 10), XDP_DROP);
	cr_expect_eq(SERVER(LA_ACK, 101, 11, 0), TC_ACT_SHOT);
	cr_expect_eq(SERVER(LA_FIN | LA_ACK, 101, 11, 0), TC_ACT_SHOT);
	cr_expect_eq(CLIENT(LA_RST, 11, 0, 0), XDP_DROP);
	cr_expect_eq(duo_counted(LA_HOOK_XDP, LA_R_FLOW_DROPPED), 2);
	cr_expect_eq(duo_counted(LA_HOOK_TC_EGRESS, LA_R_FLOW_DROPPED), 2);
	cr_assert_eq(act(LA_ACT_POLICY, 0, &f), 0);
	cr_expect_eq(f.side[f.orig].nxt, 1011, "what was dropped was never sent");
	cr_expect_eq(f.side[!f.orig].state, LA_ESTABLISHED);
	cr_expect_eq(CLIENT(LA_ACK | LA_PSH, 11, 101, 10), XDP_PASS);
}

/* Who is dropped asks again and again: as long as he does, nobody takes his flow away. */
Test(act, what_is_dropped_keeps_its_flow)
{
	struct la_flow f;
	__u64 deadline;

	duo_establish();
	act(LA_ACT_POLICY, LA_P_DROP, &f);
	deadline = duo.now + 432000 * LA_SEC_NS;
	duo.now = deadline - LA_SEC_NS;
	cr_expect_eq(CLIENT(LA_ACK | LA_PSH, 11, 101, 10), XDP_DROP);
	la_engine_sweep(duo.engine, deadline + LA_SEC_NS);
	cr_expect_eq(la_engine_flows(duo.engine), 1);
	la_engine_sweep(duo.engine, duo.now + 432001 * LA_SEC_NS);
	la_engine_drain(duo.engine);
	cr_expect_eq(la_engine_flows(duo.engine), 0);
	cr_expect_eq(duo.story.close.reason, LA_CLOSE_TIMEOUT);
}

Test(act, an_expired_flow_is_forgotten_at_once)
{
	struct la_flow f;

	duo_establish();
	cr_assert_eq(act(LA_ACT_EXPIRE, 0, &f), 0);
	cr_assert_eq(duo.story.closes, 1);
	cr_assert_eq(duo.story.gones, 1);
	cr_expect_eq(duo.story.close.reason, LA_CLOSE_POLICY);
	cr_expect_eq(duo.story.close.closed_by, LA_BY_POLICY);
	cr_expect_eq(duo.story.close.side[LA_ORIG].state, LA_ESTABLISHED, "it is only forgotten");
	cr_expect_eq(duo.story.gone.why, LA_GONE_POLICY);
	cr_expect_eq(la_engine_flows(duo.engine), 0);
	cr_expect_eq(act(LA_ACT_EXPIRE, 0, &f), -ENOENT);
	cr_expect_eq(la_engine_free_slots(duo.engine), 64, "a slot is lost");
}

Test(act, an_attempt_that_expires_is_no_longer_half_open)
{
	struct la_flow f;

	CLIENT(LA_SYN, 0, 0, 0);
	cr_assert_eq(la_engine_half_open(duo.engine), 1);
	cr_assert_eq(act(LA_ACT_EXPIRE, 0, &f), 0);
	cr_expect_eq(la_engine_half_open(duo.engine), 0);
}

Test(act, the_end_that_a_policy_makes_is_its_own)
{
	struct la_flow f;

	duo_establish();
	act(LA_ACT_POLICY, LA_P_RESET, &f);
	cr_expect_eq(SERVER(LA_RST | LA_ACK, 101, 11, 0), TC_ACT_UNSPEC);
	cr_assert_eq(duo.story.closes, 1);
	cr_expect_eq(duo.story.close.reason, LA_CLOSE_POLICY);
	cr_expect_eq(duo.story.close.closed_by, LA_BY_POLICY);
	cr_expect_eq(duo.story.close.rst_sender, LA_RESP);
}

Test(act, a_flow_that_is_spared_ends_as_any_other)
{
	struct la_flow f;

	duo_establish();
	act(LA_ACT_POLICY, LA_P_RESET, &f);
	act(LA_ACT_POLICY, 0, &f);
	SERVER(LA_RST | LA_ACK, 101, 11, 0);
	cr_expect_eq(duo.story.close.reason, LA_CLOSE_RESET);
	cr_expect_eq(duo.story.close.closed_by, LA_BY_RESP);
}

/* Table 3 is a quarter of the default: 30 hours instead of five days. */
Test(act, a_flow_runs_on_the_timeouts_it_was_given)
{
	struct la_flow f;
	__u64 last;

	duo_establish();
	last = duo.now;
	cr_assert_eq(act(LA_ACT_POLICY, 3, &f), 0);
	cr_expect_eq(f.policy & LA_P_TIMEOUTS, 3);
	la_engine_sweep(duo.engine, last + 107999 * LA_SEC_NS);
	cr_expect_eq(la_engine_flows(duo.engine), 1);
	la_engine_sweep(duo.engine, last + 108001 * LA_SEC_NS);
	la_engine_drain(duo.engine);
	cr_expect_eq(la_engine_flows(duo.engine), 0);
	cr_expect_eq(duo.story.close.h.ts, last + 108000 * LA_SEC_NS, "stamped with the deadline");
}

Test(act, a_new_connection_begins_with_the_default)
{
	struct la_flow f;

	duo_establish();
	act(LA_ACT_POLICY, 7, &f);
	CLIENT(LA_FIN | LA_ACK, 11, 101, 0);
	SERVER(LA_FIN | LA_ACK, 101, 12, 0);
	CLIENT(LA_ACK, 12, 102, 0);
	CLIENT(LA_SYN, 100000, 0, 0); /* its ports again */
	cr_assert_eq(duo.story.opened, 2);
	cr_assert_eq(act(LA_ACT_LOOK, 0, &f), 0);
	cr_expect_eq(f.policy, 0);
}

/* The RSTs of a reset that failed: the hosts that they name know nothing of them. */
Test(act, a_reset_that_failed_casts_no_suspicion)
{
	struct la_flow f;

	duo_establish();
	act(LA_ACT_POLICY, LA_P_RESET, &f);
	SERVER(LA_RST | LA_ACK, 101, 11, 0);
	CLIENT(LA_RST | LA_ACK, 11, 101, 0);
	act(LA_ACT_POLICY, 0, &f);
	duo.now += 2 * LA_SEC_NS;
	CLIENT(LA_ACK | LA_PSH, 11, 101, 10);
	SERVER(LA_ACK | LA_PSH, 101, 21, 100);
	CLIENT(LA_ACK | LA_PSH, 21, 201, 10);
	SERVER(LA_ACK, 201, 31, 0);
	SERVER(LA_RST | LA_ACK, 201, 31, 0); /* its own */
	cr_expect_eq(duo.story.rst.forged, 0, "forged %x", duo.story.rst.forged);
	cr_expect_eq(duo.story.rst.verdict, LA_RST_EXACT);
	act(LA_ACT_LOOK, 0, &f);
	cr_expect_eq(f.forged, 0, "forged %x", f.forged);
}

/* But who sends a RST of his own and goes on is suspect, reset or not. */
Test(act, after_that_others_are_suspect_as_before)
{
	struct la_flow f;

	duo_establish();
	act(LA_ACT_POLICY, LA_P_RESET, &f);
	SERVER(LA_RST | LA_ACK, 101, 11, 0);
	act(LA_ACT_POLICY, 0, &f);
	duo.now += 2 * LA_SEC_NS;
	CLIENT(LA_ACK | LA_PSH, 11, 101, 10);
	SERVER(LA_ACK | LA_PSH, 101, 21, 100);
	SERVER(LA_RST, 201, 0, 0);
	CLIENT(LA_ACK | LA_PSH, 21, 201, 10);
	SERVER(LA_ACK | LA_PSH, 201, 31, 100);
	act(LA_ACT_LOOK, 0, &f);
	cr_expect(f.forged & 1 << (LA_EVIDENCE_SENDS_ON - 1), "forged %x", f.forged);
}
