/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_table.c - the flow table at its limits: full, flooded, expiring, with two CPUs at it.
 *
 * The programs run with a clock of the test's own. Whatever happens, each connection has one
 * close record, nobody leaks, and no live connection leaves for the sake of another one.
 */
#include "../packet.h"
#include "engine.h"
#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define START (1000 * LA_SEC_NS)

/* ---- what came out ---- */

struct ledger {
	struct la_sink sink;
	unsigned int opened, closes, gone;
	unsigned int reason[LA_CLOSE_REASON_MAX];
	unsigned int why[LA_GONE_WHY_MAX];
	unsigned int evicted_live; /* close records of evicted connections that were established */
	__u16 last_port;	   /* of the originator of the last close record, host byte order */
	__u64 last_ts;
	__u8 told[65536]; /* close records, by the originator's port */
};

static void enter(struct la_sink *sink, const struct la_rec *rec)
{
	const struct la_rec_close *c = (const struct la_rec_close *)rec;
	const struct la_rec_state *s = (const struct la_rec_state *)rec;
	struct ledger *l = (struct ledger *)sink;

	switch (rec->type) {
	case LA_REC_STATE:
		l->opened += s->from == LA_CLOSED && s->to == LA_SYN_SENT;
		break;
	case LA_REC_CLOSE:
		l->closes++;
		l->reason[c->reason]++;
		l->evicted_live += c->reason == LA_CLOSE_EVICTED && c->handshake_ns;
		l->last_port = la_ntoh16(rec->key.port[rec->orig]);
		l->last_ts = rec->ts;
		l->told[l->last_port]++;
		break;
	case LA_REC_GONE:
		l->gone++;
		l->why[((const struct la_rec_gone *)rec)->why]++;
		break;
	default:
		break;
	}
}

static struct ledger *ledger_new(void)
{
	struct ledger *l = calloc(1, sizeof(*l));

	l->sink.record = enter;
	return l;
}

static struct la_config config(__u8 pressure)
{
	struct la_config cfg = {.pressure = pressure};
#define SET(sym, word, seconds) cfg.timeout[LA_TIMEOUT_##sym] = (seconds)*LA_SEC_NS;

	LA_TIMEOUTS(SET)
	return cfg;
}

static struct la_engine *table(struct ledger *l, __u32 flows, __u32 attempts, __u8 pressure)
{
	struct la_engine_opts opts = {.config = config(pressure),
				      .max_flows = flows,
				      .max_attempts = attempts,
				      .ring_bytes = 4 << 20};

	return la_engine_new(&opts, &l->sink);
}

/* ---- what went in ---- */

static struct la_packet from_client(__u16 port, __u8 flags, __u32 seq, __u32 ack)
{
	return (struct la_packet){.sport = port,
				  .dport = 80,
				  .seq = 1000 + seq,
				  .ack = flags & LA_ACK ? 5000 + ack : 0,
				  .win = 60000,
				  .flags = flags};
}

static struct la_packet from_server(__u16 port, __u8 flags, __u32 seq, __u32 ack)
{
	return (struct la_packet){.src = "10.0.0.2",
				  .dst = "10.0.0.1",
				  .sport = 80,
				  .dport = port,
				  .seq = 5000 + seq,
				  .ack = 1000 + ack,
				  .win = 60000,
				  .flags = flags};
}

static void feed(struct la_engine *e, struct la_packet p, __u64 ts)
{
	struct la_frame f = la_frame_build(&p);

	la_engine_packet(e, LA_GATE_XDP, f.bytes, f.len, ts);
}

static void attempt(struct la_engine *e, __u16 port, __u64 ts)
{
	feed(e, from_client(port, LA_SYN, 0, 0), ts);
}

static void establish(struct la_engine *e, __u16 port, __u64 ts)
{
	attempt(e, port, ts);
	feed(e, from_server(port, LA_SYN | LA_ACK, 0, 1), ts + 1000);
	feed(e, from_client(port, LA_ACK, 1, 1), ts + 2000);
}

static void finish(struct la_engine *e, __u16 port, __u64 ts)
{
	feed(e, from_client(port, LA_FIN | LA_ACK, 1, 1), ts);
	feed(e, from_server(port, LA_FIN | LA_ACK, 1, 2), ts + 1000);
	feed(e, from_client(port, LA_ACK, 2, 2), ts + 2000);
}

static __u64 table_full(const struct la_engine *e)
{
	return la_engine_counters(e).packets[LA_HOOK_XDP][LA_R_TABLE_FULL];
}

static void end(struct la_engine *e, struct ledger *l)
{
	la_engine_free(e);
	free(l);
}

/* ---- expiry ---- */

/* An expiry is late by a tick and a sweep, and says when it was due. */
Test(table, a_flow_expires_at_its_deadline)
{
	struct ledger *l = ledger_new();
	struct la_engine *e = table(l, 1024, 0, 0);

	attempt(e, 40000, START);
	la_engine_sweep(e, START + 120 * LA_SEC_NS - 1);
	la_engine_drain(e);
	cr_assert_eq(l->closes, 0, "too early");
	la_engine_sweep(e, START + 120 * LA_SEC_NS);
	la_engine_drain(e);
	cr_assert_eq(l->reason[LA_CLOSE_TIMEOUT], 1);
	cr_assert_eq(l->last_ts, START + 120 * LA_SEC_NS);
	cr_assert_eq(la_engine_flows(e), 0);
	end(e, l);
}

/* Trap 11: what traffic renewed is looked at too early, kept, and looked at again. */
Test(table, a_renewed_flow_stays)
{
	struct ledger *l = ledger_new();
	struct la_engine *e = table(l, 1024, 0, 0);
	__u64 later = START + 432000 * LA_SEC_NS - LA_SEC_NS;

	establish(e, 40000, START);
	feed(e, from_client(40000, LA_ACK, 1, 1), later);
	la_engine_sweep(e, START + 432001 * LA_SEC_NS);
	cr_assert_eq(la_engine_flows(e), 1);
	la_engine_sweep(e, later + 431999 * LA_SEC_NS);
	cr_assert_eq(la_engine_flows(e), 1);
	la_engine_sweep(e, later + 432000 * LA_SEC_NS);
	la_engine_drain(e);
	cr_assert_eq(la_engine_flows(e), 0);
	cr_assert_eq(l->reason[LA_CLOSE_TIMEOUT], 1);
	end(e, l);
}

/* A deadline of five days becomes one of a minute: the clock was wound for the earlier one. */
Test(table, an_earlier_deadline_is_not_missed)
{
	struct ledger *l = ledger_new();
	struct la_engine *e = table(l, 1024, 0, 0);

	establish(e, 40000, START);
	la_engine_sweep(e, START + 1000 * LA_SEC_NS);
	finish(e, 40000, START + 2000 * LA_SEC_NS);
	la_engine_sweep(e, START + 2061 * LA_SEC_NS);
	la_engine_drain(e);
	cr_assert_eq(l->why[LA_GONE_TIME_WAIT_OVER], 1);
	cr_assert_eq(la_engine_flows(e), 0);
	end(e, l);
}

/* A timeout may be longer than a clock can be wound. */
Test(table, a_timeout_of_ten_years)
{
	struct ledger *l = ledger_new();
	struct la_engine_opts opts = {.config = config(0), .max_flows = 64};
	const __u64 day = 86400 * LA_SEC_NS;
	struct la_engine *e;

	opts.config.timeout[LA_TIMEOUT_ESTABLISHED] = 3650 * day;
	e = la_engine_new(&opts, &l->sink);
	establish(e, 40000, START);
	for (int years = 1; years < 10; years++) {
		la_engine_sweep(e, START + years * 365 * day);
		cr_assert_eq(la_engine_flows(e), 1, "after %d years", years);
	}
	la_engine_sweep(e, START + 3651 * day);
	cr_assert_eq(la_engine_flows(e), 0);
	end(e, l);
}

/* Slots are used again and again, and all of them are found at the end. */
Test(table, slots_go_round, .timeout = 60)
{
	struct ledger *l = ledger_new();
	struct la_engine *e = table(l, 64, 0, 0);
	__u64 ts = START;

	for (int round = 0; round < 50; round++, ts += 100 * LA_SEC_NS) {
		for (int i = 0; i < 64; i++) {
			establish(e, 40000 + i, ts);
			finish(e, 40000 + i, ts + LA_SEC_NS);
		}
		cr_assert_eq(la_engine_flows(e), 64);
		la_engine_sweep(e, ts + 62 * LA_SEC_NS);
		la_engine_drain(e);
		cr_assert_eq(la_engine_flows(e), 0, "round %d", round);
	}
	cr_assert_eq(l->closes, 50 * 64);
	cr_assert_eq(table_full(e), 0);
	end(e, l);
}

/* ---- a full table ---- */

/* Trap 12: the fifth connection waits outside, and the four live ones stay. */
Test(table, live_connections_are_never_evicted)
{
	struct ledger *l = ledger_new();
	struct la_engine *e = table(l, 4, 0, 0);

	for (int i = 0; i < 4; i++)
		establish(e, 40000 + i, START + i);
	attempt(e, 50000, START + LA_SEC_NS);
	attempt(e, 50000, START + 2 * LA_SEC_NS);
	cr_assert_eq(table_full(e), 2);
	cr_assert_eq(la_engine_flows(e), 4);
	for (int i = 0; i < 4; i++)
		finish(e, 40000 + i, START + 3 * LA_SEC_NS);
	la_engine_drain(e);
	cr_assert_eq(l->reason[LA_CLOSE_FIN], 4);
	end(e, l);
}

/* A half-closed connection is live too. */
Test(table, half_closed_connections_are_never_evicted)
{
	struct ledger *l = ledger_new();
	struct la_engine *e = table(l, 2, 0, 0);

	for (int i = 0; i < 2; i++) {
		establish(e, 40000 + i, START);
		feed(e, from_client(40000 + i, LA_FIN | LA_ACK, 1, 1), START + LA_SEC_NS);
	}
	attempt(e, 50000, START + 2 * LA_SEC_NS);
	cr_assert_eq(table_full(e), 1);
	cr_assert_eq(la_engine_flows(e), 2);
	end(e, l);
}

/* The longest ended goes first, before any attempt. */
Test(table, ended_connections_make_room_first)
{
	struct ledger *l = ledger_new();
	struct la_engine *e = table(l, 4, 0, 0);
	struct la_counters c;

	attempt(e, 40000, START);
	for (int i = 1; i < 4; i++) {
		establish(e, 40000 + i, START);
		finish(e, 40000 + i, START + i * LA_SEC_NS);
	}
	attempt(e, 50000, START + 10 * LA_SEC_NS);
	la_engine_drain(e);
	c = la_engine_counters(e);
	cr_assert_eq(c.evicted[LA_TIMEOUT_TIME_WAIT], 1);
	cr_assert_eq(l->why[LA_GONE_EVICTED], 1, "%u gone, %u evicted, lost %llu", l->gone,
		     l->why[LA_GONE_EVICTED], c.lost[0]);
	cr_assert_eq(l->closes, 3, "the ended ones had their close records");
	cr_assert_eq(table_full(e), 0);
	cr_assert_eq(la_engine_flows(e), 4);
	end(e, l);
}

/* Without ended ones, the oldest attempt goes, with a close record of its own. */
Test(table, then_the_oldest_attempt_makes_room)
{
	struct ledger *l = ledger_new();
	struct la_engine *e = table(l, 4, 0, 0);

	establish(e, 40000, START);
	for (int i = 1; i < 4; i++)
		attempt(e, 40000 + i, START + i * LA_SEC_NS);
	establish(e, 50000, START + 10 * LA_SEC_NS);
	la_engine_drain(e);
	cr_assert_eq(l->reason[LA_CLOSE_EVICTED], 1);
	cr_assert_eq(l->last_port, 40001);
	cr_assert_eq(la_engine_counters(e).evicted[LA_TIMEOUT_SYN_SENT], 1);
	cr_assert_eq(l->why[LA_GONE_EVICTED], 1);
	end(e, l);
}

/* A candidate that has become established stands for nothing any more. */
Test(table, who_was_an_attempt_is_not_evicted_later)
{
	struct ledger *l = ledger_new();
	struct la_engine *e = table(l, 64, 4, 0);

	for (int i = 0; i < 20; i++)
		establish(e, 40000 + i, START + i * LA_MSEC_NS);
	la_engine_drain(e);
	cr_assert_eq(la_engine_flows(e), 20);
	cr_assert_eq(l->closes, 0);
	end(e, l);
}

/* A slow attempt is not in the way of the many that come and go beside it. */
Test(table, an_attempt_waits_as_long_as_there_is_room)
{
	struct ledger *l = ledger_new();
	struct la_engine *e = table(l, 64, 4, 0);
	__u64 ts = START;

	attempt(e, 40000, ts);
	for (int i = 0; i < 200; i++) {
		establish(e, 41000 + i, ts += LA_MSEC_NS);
		finish(e, 41000 + i, ts);
		la_engine_drain(e);
	}
	cr_assert_eq(l->reason[LA_CLOSE_EVICTED], 0);
	feed(e, from_server(40000, LA_SYN | LA_ACK, 0, 1), ts);
	feed(e, from_client(40000, LA_ACK, 1, 1), ts);
	finish(e, 40000, ts);
	la_engine_drain(e);
	cr_assert_eq(l->reason[LA_CLOSE_FIN], 201);
	cr_assert_eq(l->told[40000], 1);
	end(e, l);
}

/* Its ports are taken by a new connection in the same entry: the old candidacy is void. */
Test(table, a_replaced_flow_is_no_candidate)
{
	struct ledger *l = ledger_new();
	struct la_engine *e = table(l, 2, 0, 0);
	struct la_packet again = from_client(40000, LA_SYN, 1000000, 0);

	establish(e, 40000, START);
	finish(e, 40000, START + LA_SEC_NS);
	feed(e, again, START + 2 * LA_SEC_NS);
	feed(e, from_server(40000, LA_SYN | LA_ACK, 700000, 1000001), START + 2 * LA_SEC_NS);
	feed(e, from_client(40000, LA_ACK, 1000001, 700001), START + 2 * LA_SEC_NS);
	establish(e, 40001, START + 3 * LA_SEC_NS);
	attempt(e, 50000, START + 4 * LA_SEC_NS);
	la_engine_drain(e);
	cr_assert_eq(l->why[LA_GONE_REPLACED], 1);
	cr_assert_eq(l->why[LA_GONE_EVICTED], 0);
	cr_assert_eq(table_full(e), 1);
	end(e, l);
}

/* ---- a flood ---- */

/* Trap 12: half-open flows displace half-open flows, and no more of them stay than may. */
Test(table, a_flood_displaces_only_its_own_kind, .timeout = 60)
{
	struct ledger *l = ledger_new();
	struct la_engine *e = table(l, 256, 64, 0);
	__u64 ts = START;

	for (int i = 0; i < 100; i++)
		establish(e, 1000 + i, ts += LA_MSEC_NS);
	for (int i = 0; i < 10000; i++) {
		attempt(e, 10000 + i, ts += 1000);
		if (i % 1000 == 0)
			la_engine_drain(e);
	}
	cr_assert_leq(la_engine_flows(e), 100 + 64 + 1);
	cr_assert_eq(la_engine_half_open(e), la_engine_flows(e) - 100);
	establish(e, 50000, ts);
	for (int i = 0; i < 100; i++)
		finish(e, 1000 + i, ts += LA_MSEC_NS);
	finish(e, 50000, ts);
	la_engine_drain(e);
	cr_assert_eq(table_full(e), 0);
	cr_assert_eq(l->reason[LA_CLOSE_FIN], 101);
	cr_assert_eq(l->evicted_live, 0);
	for (int i = 0; i < 100; i++)
		cr_assert_eq(l->told[1000 + i], 1, "port %d", 1000 + i);
	end(e, l);
}

/* Half of the ring is the most that a flood may fill; what is not told is counted. */
Test(table, a_flood_leaves_room_in_the_ring, .timeout = 60)
{
	struct ledger *l = ledger_new();
	struct la_engine_opts opts = {
		.config = config(0), .max_flows = 256, .max_attempts = 16, .ring_bytes = 64 << 10};
	struct la_engine *e = la_engine_new(&opts, &l->sink);
	struct la_counters c;

	establish(e, 1000, START);
	for (int i = 0; i < 2000; i++)
		attempt(e, 10000 + i, START + i * 1000);
	finish(e, 1000, START + LA_SEC_NS);
	la_engine_drain(e);
	c = la_engine_counters(e);
	cr_assert_eq(l->reason[LA_CLOSE_FIN], 1, "no room for the close of a connection");
	cr_assert_gt(c.lost[LA_LOST_EVICTED], 0);
	cr_assert_eq(c.lost[LA_LOST_CLOSE], 0);
	cr_assert_eq(c.lost[LA_LOST_EVICTED] + l->reason[LA_CLOSE_EVICTED],
		     c.evicted[LA_TIMEOUT_SYN_SENT]);
	end(e, l);
}

/* Nobody reads: flows expire all the same before the table is full, and are told of later. */
Test(table, flows_expire_though_nobody_reads, .timeout = 60)
{
	struct ledger *l = ledger_new();
	struct la_engine_opts opts = {.config = config(0), .max_flows = 64, .ring_bytes = 16 << 10};
	struct la_engine *e = la_engine_new(&opts, &l->sink);
	__u64 later = START + 432000 * LA_SEC_NS + LA_SEC_NS;
	__u32 flows;

	for (int i = 0; i < 64; i++)
		establish(e, 40000 + i, START);
	la_engine_sweep(e, later);
	flows = la_engine_flows(e);
	cr_assert_lt(flows, 64, "the table is full of the dead");
	establish(e, 50000, later);
	cr_assert_eq(table_full(e), 0);
	for (int i = 0; i < 20; i++) {
		la_engine_drain(e);
		la_engine_sweep(e, later);
	}
	la_engine_drain(e);
	cr_assert_eq(l->reason[LA_CLOSE_TIMEOUT], 64, "%u of 64 told", l->reason[LA_CLOSE_TIMEOUT]);
	cr_assert_eq(la_engine_counters(e).lost[LA_LOST_CLOSE], 0);
	cr_assert_eq(la_engine_flows(e), 1);
	end(e, l);
}

/* ---- nobody reads, and connections come and go by the hundred thousand ---- */

/* More than can wait for room in the ring beside the table. */
#define CROWD_ROUND 50000
#define CROWD_PORT  10000
#define CROWD_TABLE 65536

/* Lets everything that is owed come out, as much at a time as the ring takes. */
static void read_all(struct la_engine *e, struct ledger *l, __u64 now, unsigned int closes)
{
	for (int i = 0; i < 1000 && l->closes < closes; i++) {
		la_engine_drain(e);
		la_engine_sweep(e, now);
	}
	la_engine_drain(e);
}

/* A connection of its own in each round, from its SYN to its end if `ends`. */
static void live_through(struct la_engine *e, __u16 port, __u32 round, bool ends, __u64 ts)
{
	__u32 isn = round << 20;

	feed(e, from_client(port, LA_SYN, isn, 0), ts);
	feed(e, from_server(port, LA_SYN | LA_ACK, isn, isn + 1), ts + 1000);
	feed(e, from_client(port, LA_ACK, isn + 1, isn + 1), ts + 2000);
	if (!ends)
		return;
	feed(e, from_client(port, LA_FIN | LA_ACK, isn + 1, isn + 1), ts + LA_SEC_NS);
	feed(e, from_server(port, LA_FIN | LA_ACK, isn + 1, isn + 2), ts + LA_SEC_NS);
	feed(e, from_client(port, LA_ACK, isn + 2, isn + 2), ts + LA_SEC_NS);
}

/*
 * In each round the ports of the round before are taken anew. What found no place any more was
 * never begun; of all that was, the end is told.
 */
static void expect_every_close(bool ends)
{
	struct ledger *l = ledger_new();
	struct la_engine_opts opts = {
		.config = config(0), .max_flows = CROWD_TABLE, .ring_bytes = 1 << 20};
	struct la_engine *e = la_engine_new(&opts, &l->sink);
	struct la_counters c;
	__u64 ts = START;

	for (__u32 round = 0; round < 3; round++) {
		for (int i = 0; i < CROWD_ROUND; i++)
			live_through(e, (__u16)(CROWD_PORT + i), round, ends, ts);
		ts += 432002 * LA_SEC_NS; /* beyond all clocks */
		la_engine_sweep(e, ts);
	}
	read_all(e, l, ts, (unsigned int)la_engine_counters(e).opened);
	c = la_engine_counters(e);
	cr_log_info("%llu opened, %llu refused", c.opened, table_full(e));
	cr_expect_geq(c.opened, 2 * CROWD_ROUND);
	cr_expect_eq(c.lost[LA_LOST_CLOSE], 0, "%llu close records lost", c.lost[LA_LOST_CLOSE]);
	cr_expect_eq(l->closes, c.opened, "%llu opened, %u closed", c.opened, l->closes);
	cr_expect_gt(table_full(e), 0, "there was room for all");
	cr_expect_eq(la_engine_flows(e), 0);
	establish(e, 40000, ts);
	cr_expect_eq(la_engine_flows(e), 1, "it does not go on");
	end(e, l);
}

Test(table, no_close_is_lost_of_who_expires_while_nobody_reads, .timeout = 120)
{
	expect_every_close(false);
}

Test(table, no_close_is_lost_of_who_ends_while_nobody_reads, .timeout = 120)
{
	expect_every_close(true);
}

/* ---- pressure ---- */

/* Above the mark, ended flows are waited for less long, though there is room. */
Test(table, pressure_shortens_the_wait)
{
	struct ledger *l = ledger_new();
	struct la_engine *e = table(l, 100, 0, 50);

	for (int i = 0; i < 50; i++)
		establish(e, 40000 + i, START);
	for (int i = 0; i < 25; i++) {
		establish(e, 41000 + i, START);
		finish(e, 41000 + i, START + LA_SEC_NS);
	}
	la_engine_sweep(e, START + 10 * LA_SEC_NS);
	cr_assert_eq(la_engine_flows(e), 75, "a quarter of the room is left: half the wait");
	for (int i = 0; i < 5; i++)
		la_engine_sweep(e, START + 40 * LA_SEC_NS);
	la_engine_drain(e);
	cr_assert_eq(l->why[LA_GONE_EVICTED], la_engine_counters(e).evicted[LA_TIMEOUT_TIME_WAIT]);
	cr_assert_gt(l->why[LA_GONE_EVICTED], 0);
	cr_assert_geq(la_engine_flows(e), 50, "a live connection is gone");
	cr_assert_eq(l->evicted_live, 0);
	end(e, l);
}

Test(table, below_the_mark_nobody_is_in_a_hurry)
{
	struct ledger *l = ledger_new();
	struct la_engine *e = table(l, 100, 0, 90);

	for (int i = 0; i < 75; i++) {
		establish(e, 41000 + i, START);
		finish(e, 41000 + i, START + LA_SEC_NS);
	}
	la_engine_sweep(e, START + 60 * LA_SEC_NS);
	la_engine_drain(e);
	cr_assert_eq(la_engine_flows(e), 75);
	cr_assert_eq(l->gone, 0);
	end(e, l);
}

/* ---- two CPUs and the sweep ---- */

#define WORKERS	    2
#define WORK_ROUNDS 12000
#define WORK_PORTS  48

struct worker {
	pthread_t thread;
	int cpu, prog, err;
	unsigned int seed;
};

/* Opens, resets and floods a few ports at random: more than the table has room for. */
static void *work(void *arg)
{
	struct worker *w = arg;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(w->cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	for (int i = 0; i < WORK_ROUNDS && !w->err; i++) {
		__u16 port = 40000 + rand_r(&w->seed) % WORK_PORTS;
		__u32 isn = (__u32)rand_r(&w->seed) << 8;
		struct la_packet p[] = {
			from_client(port, LA_SYN, isn, 0),
			from_server(port, LA_SYN | LA_ACK, isn, isn + 1),
			from_client(port, LA_ACK, isn + 1, isn + 1),
			from_client(port, LA_RST | LA_ACK, isn + 1, isn + 1),
		};
		int n = 1 + rand_r(&w->seed) % 4;

		for (int k = 0; k < n && !w->err; k++) {
			struct la_frame f = la_frame_build(&p[k]);
			LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = f.bytes,
				    .data_size_in = f.len, .repeat = 1);

			w->err = bpf_prog_test_run_opts(w->prog, &opts);
		}
	}
	return NULL;
}

/* Trap 11: with evictions, expiries and reuse at once, the books balance. */
Test(table, the_books_balance, .timeout = 60)
{
	struct ledger *l = ledger_new();
	struct la_engine *e = table(l, 32, 16, 60);
	struct worker w[WORKERS] = {0};
	struct la_counters c;
	__u64 now = START;

	feed(e, from_client(1, LA_ACK | LA_FIN, 0, 0), now);
	for (int i = 0; i < WORKERS; i++) {
		w[i] = (struct worker){
			.cpu = i, .prog = la_engine_prog(e, LA_GATE_XDP), .seed = 7 + i};
		pthread_create(&w[i].thread, NULL, work, &w[i]);
	}
	for (int i = 0; i < 2000; i++) {
		la_engine_set_clock(e, now += LA_SEC_NS / 2);
		la_engine_sweep(e, now);
		la_engine_drain(e);
	}
	for (int i = 0; i < WORKERS; i++) {
		pthread_join(w[i].thread, NULL);
		cr_assert_eq(w[i].err, 0);
	}
	for (int i = 0; i < 10 && la_engine_flows(e); i++) { /* by turns: the ring has limits */
		la_engine_shutdown(e, now);
		la_engine_drain(e);
	}
	c = la_engine_counters(e);
	cr_assert_eq(la_engine_flows(e), 0);
	cr_assert_eq(c.opened, c.gone, "%llu opened, %llu gone", c.opened, c.gone);
	cr_assert_gt(c.opened, WORK_ROUNDS / 2, "nothing was tested");
	cr_assert_eq(l->closes + c.lost[LA_LOST_EVICTED], c.gone, "%u closes, %llu gone", l->closes,
		     c.gone);
	/* Where the workers outran this thread, the ring was full: that is counted, too. */
	cr_assert_leq(l->closes - l->gone, c.lost[LA_LOST_STATE]);
	cr_assert_eq(la_engine_half_open(e), 0);
	cr_assert_eq(la_engine_free_slots(e), 32, "a slot is lost");
	end(e, l);
}

/* ---- read by userspace ---- */

struct reading {
	unsigned int count, stop_at;
	struct la_rec_flow last;
	__u8 seen[65536]; /* flows, by the originator's port */
};

static int take_reading(const struct la_rec_flow *rec, const struct la_flow *flow, void *ctx)
{
	struct reading *r = ctx;

	cr_assert_eq(rec->at.h.type, LA_REC_FLOW);
	cr_assert_eq(rec->at.h.seq, flow->seq);
	r->last = *rec;
	r->seen[la_ntoh16(rec->at.h.key.port[rec->at.h.orig])]++;
	return ++r->count == r->stop_at ? 7 : 0;
}

/* The one flow of the table at `now`. */
static struct la_rec_flow read_one(const struct la_engine *e, __u64 now)
{
	struct la_table t = la_engine_table(e, now);
	static struct reading r;

	r = (struct reading){0};
	cr_assert_eq(la_table_each(&t, take_reading, &r), 0);
	cr_assert_eq(r.count, 1, "%u flows", r.count);
	return r.last;
}

/* Makes the entry of the only flow blank, as it is before its first segment. */
static void make_blank(const struct la_engine *e)
{
	int fd = la_engine_table(e, 0).fd;
	struct la_blank *entry = calloc(1, sizeof(*entry));
	struct la_key key;

	cr_assert_eq(bpf_map_get_next_key(fd, NULL, &key), 0);
	cr_assert_eq(bpf_map_lookup_elem(fd, &key, entry), 0);
	memset(&entry->flow, 0, sizeof(entry->flow));
	cr_assert_eq(bpf_map_update_elem(fd, &key, entry, BPF_EXIST), 0);
	free(entry);
}

/* Between a CPU's making of an entry and its first segment, another CPU finds it. */
Test(table, a_rst_opens_no_entry_that_was_just_made)
{
	struct ledger *l = ledger_new();
	struct la_engine *e = table(l, 64, 0, 0);

	establish(e, 40000, START);
	la_engine_drain(e);
	make_blank(e);
	feed(e, from_client(40000, LA_RST, 1, 0), START + LA_SEC_NS);
	la_engine_drain(e);
	cr_expect_eq(la_engine_counters(e).packets[LA_HOOK_XDP][LA_R_NO_FLOW], 1);
	cr_expect_eq(l->closes, 0);
	attempt(e, 40000, START + 2 * LA_SEC_NS);
	la_engine_drain(e);
	cr_expect_eq(l->opened, 2, "the segment for which it was made opens it");
	end(e, l);
}

Test(table, an_open_connection_reads_as_of_now)
{
	struct ledger *l = ledger_new();
	struct la_engine *e = table(l, 64, 0, 0);
	struct la_rec_flow f;

	establish(e, 40000, START);
	f = read_one(e, START + 3 * LA_SEC_NS);
	cr_expect_eq(f.at.h.ts, START + 3 * LA_SEC_NS);
	cr_expect_eq(f.at.duration_ns, 3 * LA_SEC_NS);
	cr_expect_eq(f.at.heard_ns, 2000);
	cr_expect_eq(f.at.side[LA_ORIG].state, LA_ESTABLISHED);
	cr_expect_eq(f.at.side[LA_ORIG].in_state[LA_ESTABLISHED], 3 * LA_SEC_NS - 2000);
	cr_expect_eq(f.at.reason, 0);
	cr_expect_eq(f.at.closed_by, 0);
	cr_expect_eq(f.timeout, LA_TIMEOUT_ESTABLISHED);
	cr_expect_eq(f.left_ns, 432000 * LA_SEC_NS - 3 * LA_SEC_NS + 2000);
	end(e, l);
}

Test(table, a_half_closed_connection_says_who_closed)
{
	struct ledger *l = ledger_new();
	struct la_engine *e = table(l, 64, 0, 0);
	struct la_rec_flow f;

	establish(e, 40000, START);
	feed(e, from_client(40000, LA_FIN | LA_ACK, 1, 1), START + LA_SEC_NS);
	feed(e, from_server(40000, LA_ACK, 1, 2), START + LA_SEC_NS + 1000);
	f = read_one(e, START + 61 * LA_SEC_NS);
	cr_expect_eq(f.at.side[LA_RESP].state, LA_CLOSE_WAIT);
	cr_expect_eq(f.at.closed_by, LA_BY_ORIG);
	cr_expect_eq(f.at.close_ns, 60 * LA_SEC_NS);
	cr_expect_eq(f.at.reason, 0);
	cr_expect_eq(f.timeout, LA_TIMEOUT_HALF_CLOSED);
	end(e, l);
}

/* After its end its times go on, but for what the closing took. */
Test(table, an_ended_connection_has_a_reason)
{
	struct ledger *l = ledger_new();
	struct la_engine *e = table(l, 64, 0, 0);
	struct la_rec_flow f;

	establish(e, 40000, START);
	finish(e, 40000, START + LA_SEC_NS);
	f = read_one(e, START + 31 * LA_SEC_NS);
	cr_expect_eq(f.at.reason, LA_CLOSE_FIN);
	cr_expect_eq(f.at.closed_by, LA_BY_ORIG);
	cr_expect_eq(f.at.close_ns, 2000);
	cr_expect_eq(f.at.side[LA_ORIG].state, LA_TIME_WAIT);
	cr_expect_eq(f.at.side[LA_ORIG].in_state[LA_TIME_WAIT], 30 * LA_SEC_NS - 1000);
	cr_expect_eq(f.timeout, LA_TIMEOUT_TIME_WAIT);
	end(e, l);
}

/* More flows than a batch holds, each once; who has seen enough stops. */
Test(table, every_flow_is_read_once)
{
	enum { FLOWS = 10000 };
	struct ledger *l = ledger_new();
	struct la_engine *e = table(l, 16384, 0, 0);
	struct reading *r = calloc(1, sizeof(*r));
	struct la_table t;

	for (int i = 0; i < FLOWS; i++)
		attempt(e, (__u16)(20000 + i), START);
	t = la_engine_table(e, START);
	cr_assert_eq(la_table_each(&t, take_reading, r), 0);
	cr_assert_eq(r->count, FLOWS);
	for (int i = 0; i < FLOWS; i++)
		cr_assert_eq(r->seen[20000 + i], 1, "port %d", 20000 + i);
	r->count = 0;
	r->stop_at = 3;
	cr_assert_eq(la_table_each(&t, take_reading, r), 7);
	cr_assert_eq(r->count, 3);
	free(r);
	end(e, l);
}
