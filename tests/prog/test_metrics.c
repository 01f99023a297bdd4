/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_metrics.c - what the programs count is what they tell, and what the table holds.
 *
 * Random conversations go through the programs. Counters and histograms must equal a count of
 * the records, gauges a count of the flows; and when nobody reads the ring, what happened is
 * counted all the same.
 */
#include "chats.h"
#include "engine.h"
#include "options.h"
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#define PACKETS 6000

/* ---- a count of the records ---- */

struct teller {
	struct la_sink sink;
	struct la_metrics m;
	unsigned int records;
};

static void count_state(struct la_metrics *m, const struct la_rec_state *r)
{
	m->transitions[r->endpoint][r->from][r->to]++;
	la_observe(&m->state[r->endpoint][r->from], r->since);
}

static void count_close(struct la_metrics *m, const struct la_rec_close *r)
{
	m->closed[r->reason][r->closed_by]++;
	la_observe(&m->duration, r->duration_ns);
}

static void count_gone(struct la_metrics *m, const struct la_rec_gone *r)
{
	for (int i = 1; i < LA_EVIDENCE_MAX; i++)
		m->evidence[i] += r->forged >> (i - 1) & 1;
}

static void count_rst(struct la_metrics *m, const struct la_rec_rst *r)
{
	m->rst[r->sender][r->verdict]++;
	m->rst_rule[r->dropped][r->rule]++;
}

static void count(struct la_sink *sink, const struct la_rec *rec)
{
	struct teller *t = (struct teller *)sink;
	const union la_any_rec *r = (const union la_any_rec *)rec;

	t->records++;
	if (rec->type == LA_REC_STATE)
		count_state(&t->m, &r->state);
	else if (rec->type == LA_REC_CLOSE)
		count_close(&t->m, &r->close);
	else if (rec->type == LA_REC_GONE)
		count_gone(&t->m, &r->gone);
	else if (rec->type == LA_REC_RST)
		count_rst(&t->m, &r->rst);
}

/* ---- a count of the table ---- */

static void count_flow(const struct la_flow *f, void *ctx)
{
	struct la_metrics *m = ctx;

	m->connections[LA_ORIG][f->side[f->orig & 1].state]++;
	m->connections[LA_RESP][f->side[!(f->orig & 1)].state]++;
}

static void gauges_are_right(const struct la_engine *e, __u32 seed)
{
	struct la_metrics told = la_engine_metrics(e), held = {0};

	la_engine_each_flow(e, count_flow, &held);
	for (int who = 0; who < 2; who++)
		for (int s = 0; s < LA_METRIC_STATES; s++)
			cr_assert_eq(told.connections[who][s], held.connections[who][s],
				     "seed %u: %s %s: %lld told, %lld in the table", seed,
				     who ? "resp" : "orig", la_state_word(s),
				     (long long)told.connections[who][s],
				     (long long)held.connections[who][s]);
}

/* ---- both ---- */

static void same_numbers(const void *a, const void *b, size_t size, const char *what, __u32 seed)
{
	const __u64 *told = a, *counted = b;

	for (size_t i = 0; i < size / sizeof(*told); i++)
		cr_assert_eq(told[i], counted[i],
			     "seed %u: %s[%zu]: %llu, but the records say %llu", seed, what, i,
			     told[i], counted[i]);
}

#define SAME(field) same_numbers(&told.field, &counted->field, sizeof(told.field), #field, seed)

static void metrics_are_right(const struct la_engine *e, const struct la_metrics *counted,
			      __u32 seed)
{
	struct la_metrics told = la_engine_metrics(e);

	SAME(transitions);
	SAME(state);
	SAME(closed);
	SAME(duration);
	SAME(rst);
	SAME(rst_rule);
	SAME(evidence);
}

static struct la_config config(void)
{
	struct la_config cfg;

	la_config_defaults(&cfg);
	cfg.pressure = 50;
	cfg.rst_policy = LA_RST_POLICY_STRICT;
	return cfg;
}

static void tell(enum la_gate gate, __u32 seed, __u32 flows)
{
	struct la_engine_opts opts = {.config = config(), .max_flows = flows};
	struct chatter chatter = {.dice.state = seed * 7919ULL + 1};
	struct teller t = {.sink.record = count};
	struct la_engine *e = la_engine_new(&opts, &t.sink);
	__u64 now = 1000 * LA_SEC_NS;

	begin_all(&chatter);
	for (int i = 0; i < PACKETS; i++) {
		struct la_frame f = next_frame(&chatter);

		now = next_time(now, &chatter.dice);
		if (roll(&chatter.dice, 50) == 0)
			la_engine_sweep(e, now);
		la_engine_packet(e, gate, f.bytes, f.len, now);
		if (i % 512 == 0)
			la_engine_drain(e);
		if (i % 64 == 0)
			gauges_are_right(e, seed);
	}
	la_engine_sweep(e, now);
	gauges_are_right(e, seed);
	la_engine_shutdown(e, now);
	gauges_are_right(e, seed);
	la_engine_drain(e);
	cr_assert_gt(t.records, 1000, "only %u records: nothing was tested", t.records);
	cr_assert_eq(la_engine_flows(e), 0);
	cr_assert_eq(la_engine_counters(e).lost[LA_LOST_STATE], 0);
	metrics_are_right(e, &t.m, seed);
	la_engine_free(e);
}

struct run {
	enum la_gate gate;
	__u32 seed;
	__u32 flows; /* with less than there are chats, flows are evicted */
};

ParameterizedTestParameters(metrics, equal_records_and_table)
{
	static struct run runs[] = {
		{LA_GATE_XDP, 1, 64},
		{LA_GATE_TC_INGRESS, 2, 64},
		{LA_GATE_XDP, 3, 3},
	};

	return cr_make_param_array(struct run, runs, sizeof(runs) / sizeof(*runs));
}

ParameterizedTest(struct run *run, metrics, equal_records_and_table)
{
	tell(run->gate, run->seed, run->flows);
}

/* ---- nobody reads ---- */

static void segment(struct la_engine *e, bool server, __u16 port, __u8 flags, __u32 seq, __u32 ack,
		    __u64 ts)
{
	struct la_packet p = {.src = server ? "10.0.0.2" : "10.0.0.1",
			      .dst = server ? "10.0.0.1" : "10.0.0.2",
			      .sport = server ? 80 : port,
			      .dport = server ? port : 80,
			      .seq = seq,
			      .ack = ack,
			      .win = 60000,
			      .flags = flags};
	struct la_frame f = la_frame_build(&p);

	la_engine_packet(e, LA_GATE_XDP, f.bytes, f.len, ts);
}

/* Handshake in 3 ms; the client's FIN a second after its SYN, the end 2 ms later. */
static void connection(struct la_engine *e, __u16 port, __u64 ts)
{
	__u64 fin = ts + LA_SEC_NS;

	segment(e, false, port, LA_SYN, 1000, 0, ts);
	segment(e, true, port, LA_SYN | LA_ACK, 5000, 1001, ts + LA_MSEC_NS);
	segment(e, false, port, LA_ACK, 1001, 5001, ts + 3 * LA_MSEC_NS);
	segment(e, false, port, LA_FIN | LA_ACK, 1001, 5001, fin);
	segment(e, true, port, LA_FIN | LA_ACK, 5001, 1002, fin + LA_MSEC_NS);
	segment(e, false, port, LA_ACK, 1002, 5002, fin + 2 * LA_MSEC_NS);
}

#define CONNECTIONS 400

Test(metrics, count_what_the_ring_loses)
{
	struct la_engine_opts opts = {
		.config = config(), .max_flows = 1024, .ring_bytes = 64 << 10};
	struct teller t = {.sink.record = count};
	struct la_engine *e = la_engine_new(&opts, &t.sink);
	struct la_metrics m;

	for (__u16 i = 0; i < CONNECTIONS; i++)
		connection(e, 20000 + i, 1000 * LA_SEC_NS);
	cr_assert_gt(la_engine_counters(e).lost[LA_LOST_STATE], CONNECTIONS);
	m = la_engine_metrics(e);
	cr_assert_eq(m.closed[LA_CLOSE_FIN][LA_BY_ORIG], CONNECTIONS);
	cr_assert_eq(m.transitions[LA_ORIG][LA_CLOSED][LA_SYN_SENT], CONNECTIONS);
	cr_assert_eq(m.connections[LA_ORIG][LA_TIME_WAIT], CONNECTIONS);
	cr_assert_eq(m.connections[LA_RESP][LA_CLOSED], CONNECTIONS);
	cr_assert_eq(m.handshake.bucket[la_bucket(3 * LA_MSEC_NS)], CONNECTIONS);
	cr_assert_eq(m.handshake.sum, CONNECTIONS * 3 * LA_MSEC_NS);
	cr_assert_eq(m.duration.bucket[la_bucket(LA_SEC_NS + 2 * LA_MSEC_NS)], CONNECTIONS);
	cr_assert_eq(m.state[LA_RESP][LA_SYN_RECEIVED].sum, CONNECTIONS * 2 * LA_MSEC_NS);
	la_engine_free(e);
}

/* A new connection on the ports of an old one: one leaves, one comes, on one entry. */
Test(metrics, a_replaced_connection_counts_as_gone)
{
	struct la_engine_opts opts = {.config = config(), .max_flows = 64};
	struct teller t = {.sink.record = count};
	struct la_engine *e = la_engine_new(&opts, &t.sink);
	struct la_metrics m;

	connection(e, 20000, 1000 * LA_SEC_NS);
	segment(e, false, 20000, LA_SYN, 900000, 0, 1010 * LA_SEC_NS);
	m = la_engine_metrics(e);
	cr_assert_eq(m.connections[LA_ORIG][LA_SYN_SENT], 1);
	cr_assert_eq(m.connections[LA_ORIG][LA_TIME_WAIT], 0);
	cr_assert_eq(m.connections[LA_RESP][LA_CLOSED], 0);
	cr_assert_eq(m.connections[LA_RESP][LA_LISTEN], 1);
	gauges_are_right(e, 0);
	la_engine_free(e);
}

/* ---- the buckets ---- */

Test(metrics, a_bucket_holds_its_bound_and_not_more)
{
#define ROW(ns) ns,
	static const __u64 bounds[] = {LA_BOUNDS(ROW)};

	cr_assert_eq(la_bucket(0), 0);
	for (__u32 i = 0; i < LA_BOUNDS_MAX; i++) {
		cr_assert_eq(la_bucket(bounds[i]), i, "%llu ns", bounds[i]);
		cr_assert_eq(la_bucket(bounds[i] + 1), i + 1, "%llu ns", bounds[i] + 1);
	}
	cr_assert_eq(la_bucket(~0ULL), LA_BOUNDS_MAX);
}
