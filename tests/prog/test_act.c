/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_act.c - the hand of a policy on one flow: drop, forget, another table of timeouts, and
 * where a RST has to be aimed. Another connection on the same ports is never touched.
 */
#include "../packet.h"
#include "engine.h"
#include "la_rst.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <stdlib.h>

#define START (1000 * LA_SEC_NS)

/* ---- what came out ---- */

struct story {
	struct la_sink sink;
	struct la_asked who; /* the connection of the last record */
	struct la_rec_close close;
	struct la_rec_gone gone;
	unsigned int closes, gones, opened;
};

static void note(struct la_sink *sink, const struct la_rec *rec)
{
	struct story *s = (struct story *)sink;

	s->who.key = rec->key;
	s->who.id = rec->id;
	s->opened +=
		rec->type == LA_REC_STATE && ((const struct la_rec_state *)rec)->to == LA_SYN_SENT;
	if (rec->type == LA_REC_CLOSE) {
		s->close = *(const struct la_rec_close *)rec;
		s->closes++;
	} else if (rec->type == LA_REC_GONE) {
		s->gone = *(const struct la_rec_gone *)rec;
		s->gones++;
	}
}

/* ---- what goes in ---- */

static struct story story;
static struct la_engine *engine;
static __u64 now;

static void begin(void)
{
	struct la_engine_opts opts = {.max_flows = 64};
#define SET(sym, word, seconds)                                                                    \
	for (int t = 0; t < LA_TIMEOUT_TABLES; t++)                                                \
		opts.config.timeouts[t][LA_TIMEOUT_##sym] = (seconds)*LA_SEC_NS / (t + 1);

	LA_TIMEOUTS(SET)
	story = (struct story){.sink.record = note};
	now = START;
	engine = la_engine_new(&opts, &story.sink);
}

static void end(void)
{
	la_engine_free(engine);
}

TestSuite(act, .init = begin, .fini = end, .timeout = 60);

/* A millisecond later. Returns what the program returned. */
static int say(bool server, enum la_gate gate, __u8 flags, __u32 seq, __u32 ack, __u32 len)
{
	struct la_packet p = {.src = server ? "10.0.0.2" : "10.0.0.1",
			      .dst = server ? "10.0.0.1" : "10.0.0.2",
			      .sport = server ? 80 : 40000,
			      .dport = server ? 40000 : 80,
			      .seq = (server ? 5000 : 1000) + seq,
			      .ack = (server ? 1000 : 5000) + ack,
			      .win = 60000,
			      .flags = flags,
			      .payload_len = len};
	struct la_frame f = la_frame_build(&p);
	int result = la_engine_packet(engine, gate, f.bytes, f.len, now += LA_MSEC_NS);

	la_engine_drain(engine);
	return result;
}

#define CLIENT(...) say(false, LA_GATE_XDP, __VA_ARGS__)
#define SERVER(...) say(true, LA_GATE_TC_EGRESS, __VA_ARGS__)

static void establish(void)
{
	CLIENT(LA_SYN, 0, 0, 0);
	SERVER(LA_SYN | LA_ACK, 0, 1, 0);
	CLIENT(LA_ACK, 1, 1, 0);
	CLIENT(LA_ACK | LA_PSH, 1, 1, 10);
	SERVER(LA_ACK | LA_PSH, 1, 11, 100);
	CLIENT(LA_ACK, 11, 101, 0);
}

/* Asks for `what` of the connection that was told of last. */
static int act(enum la_act what, __u8 arg, struct la_flow *flow)
{
	struct la_asked asked = story.who;
	int result;

	asked.act = what;
	asked.arg = arg;
	la_engine_set_clock(engine, now);
	result = la_engine_act(engine, &asked, flow);
	la_engine_drain(engine);
	return result;
}

static __u64 counted(enum la_hook hook, enum la_reason reason)
{
	return la_engine_counters(engine).packets[hook][reason];
}

/* ---- the tests ---- */

Test(act, a_look_tells_where_a_rst_has_to_be_aimed)
{
	struct la_flow f;
	const struct la_side *client, *server;

	establish();
	SERVER(LA_ACK | LA_PSH, 101, 11, 50); /* on its way */
	cr_assert_eq(act(LA_ACT_LOOK, 0, &f), 0);
	client = &f.side[f.orig];
	server = &f.side[!f.orig];
	cr_expect_eq(la_rst_aim(client, server), 1011, "the server has all of the client");
	cr_expect_eq(la_rst_aim(server, client), 5101, "the client has not had the last bytes");
	cr_expect_eq(server->nxt, 5151);
	cr_expect_eq(client->state, LA_ESTABLISHED);
	cr_expect_eq(story.closes + story.gones, 0, "a look changes nothing");
}

Test(act, nobody_else_is_hit)
{
	struct la_flow f;

	establish();
	story.who.id++;
	cr_expect_eq(act(LA_ACT_EXPIRE, 0, &f), -ENOENT, "another id is another connection");
	story.who.id--;
	story.who.key.port[0]++;
	cr_expect_eq(act(LA_ACT_EXPIRE, 0, &f), -ENOENT);
	cr_expect_eq(la_engine_flows(engine), 1);
	cr_expect_eq(CLIENT(LA_ACK, 11, 101, 0), XDP_PASS);
}

Test(act, a_dropped_flow_passes_nowhere)
{
	struct la_flow f;

	establish();
	cr_assert_eq(act(LA_ACT_POLICY, LA_P_DROP, &f), 0);
	cr_expect(f.policy & LA_P_DROP);
	cr_expect_eq(CLIENT(LA_ACK | LA_PSH, 11, 101, 10), XDP_DROP);
	cr_expect_eq(SERVER(LA_ACK, 101, 11, 0), TC_ACT_SHOT);
	cr_expect_eq(SERVER(LA_FIN | LA_ACK, 101, 11, 0), TC_ACT_SHOT);
	cr_expect_eq(CLIENT(LA_RST, 11, 0, 0), XDP_DROP);
	cr_expect_eq(counted(LA_HOOK_XDP, LA_R_FLOW_DROPPED), 2);
	cr_expect_eq(counted(LA_HOOK_TC_EGRESS, LA_R_FLOW_DROPPED), 2);
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

	establish();
	act(LA_ACT_POLICY, LA_P_DROP, &f);
	deadline = now + 432000 * LA_SEC_NS;
	now = deadline - LA_SEC_NS;
	cr_expect_eq(CLIENT(LA_ACK | LA_PSH, 11, 101, 10), XDP_DROP);
	la_engine_sweep(engine, deadline + LA_SEC_NS);
	cr_expect_eq(la_engine_flows(engine), 1);
	la_engine_sweep(engine, now + 432001 * LA_SEC_NS);
	la_engine_drain(engine);
	cr_expect_eq(la_engine_flows(engine), 0);
	cr_expect_eq(story.close.reason, LA_CLOSE_TIMEOUT);
}

Test(act, an_expired_flow_is_forgotten_at_once)
{
	struct la_flow f;

	establish();
	cr_assert_eq(act(LA_ACT_EXPIRE, 0, &f), 0);
	cr_assert_eq(story.closes, 1);
	cr_assert_eq(story.gones, 1);
	cr_expect_eq(story.close.reason, LA_CLOSE_POLICY);
	cr_expect_eq(story.close.closed_by, LA_BY_POLICY);
	cr_expect_eq(story.close.side[LA_ORIG].state, LA_ESTABLISHED, "it is only forgotten");
	cr_expect_eq(story.gone.why, LA_GONE_POLICY);
	cr_expect_eq(la_engine_flows(engine), 0);
	cr_expect_eq(act(LA_ACT_EXPIRE, 0, &f), -ENOENT);
	cr_expect_eq(la_engine_free_slots(engine), 64, "a slot is lost");
}

Test(act, an_attempt_that_expires_is_no_longer_half_open)
{
	struct la_flow f;

	CLIENT(LA_SYN, 0, 0, 0);
	cr_assert_eq(la_engine_half_open(engine), 1);
	cr_assert_eq(act(LA_ACT_EXPIRE, 0, &f), 0);
	cr_expect_eq(la_engine_half_open(engine), 0);
}

Test(act, the_end_that_a_policy_makes_is_its_own)
{
	struct la_flow f;

	establish();
	act(LA_ACT_POLICY, LA_P_RESET, &f);
	cr_expect_eq(SERVER(LA_RST | LA_ACK, 101, 11, 0), TC_ACT_UNSPEC);
	cr_assert_eq(story.closes, 1);
	cr_expect_eq(story.close.reason, LA_CLOSE_POLICY);
	cr_expect_eq(story.close.closed_by, LA_BY_POLICY);
	cr_expect_eq(story.close.rst_sender, LA_RESP);
}

Test(act, a_flow_that_is_spared_ends_as_any_other)
{
	struct la_flow f;

	establish();
	act(LA_ACT_POLICY, LA_P_RESET, &f);
	act(LA_ACT_POLICY, 0, &f);
	SERVER(LA_RST | LA_ACK, 101, 11, 0);
	cr_expect_eq(story.close.reason, LA_CLOSE_RESET);
	cr_expect_eq(story.close.closed_by, LA_BY_RESP);
}

/* Table 3 is a quarter of the default: 30 hours instead of five days. */
Test(act, a_flow_runs_on_the_timeouts_it_was_given)
{
	struct la_flow f;
	__u64 last;

	establish();
	last = now;
	cr_assert_eq(act(LA_ACT_POLICY, 3, &f), 0);
	cr_expect_eq(f.policy & LA_P_TIMEOUTS, 3);
	la_engine_sweep(engine, last + 107999 * LA_SEC_NS);
	cr_expect_eq(la_engine_flows(engine), 1);
	la_engine_sweep(engine, last + 108001 * LA_SEC_NS);
	la_engine_drain(engine);
	cr_expect_eq(la_engine_flows(engine), 0);
	cr_expect_eq(story.close.h.ts, last + 108000 * LA_SEC_NS, "stamped with the deadline");
}

Test(act, a_new_connection_begins_with_the_default)
{
	struct la_flow f;

	establish();
	act(LA_ACT_POLICY, 7, &f);
	CLIENT(LA_FIN | LA_ACK, 11, 101, 0);
	SERVER(LA_FIN | LA_ACK, 101, 12, 0);
	CLIENT(LA_ACK, 12, 102, 0);
	CLIENT(LA_SYN, 100000, 0, 0); /* its ports again */
	cr_assert_eq(story.opened, 2);
	cr_assert_eq(act(LA_ACT_LOOK, 0, &f), 0);
	cr_expect_eq(f.policy, 0);
}
