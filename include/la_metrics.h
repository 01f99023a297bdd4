/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_metrics.h - what is counted of all connections together: the layout, and how to count.
 *
 * The programs keep one struct la_metrics a CPU (bpf/measure.bpf.h), so it is right whatever
 * becomes of the records; whoever reads it adds up the CPUs. Everything in it is a number of
 * 64 bits that can be added up; the gauges rise on one CPU and fall on another, so only their
 * sum means anything.
 *
 * First dimensions are enum la_endpoint. The others are powers of two, so that a mask makes
 * any value of their enum a safe index.
 */
#ifndef LA_METRICS_H
#define LA_METRICS_H

#include "la_flow.h"
#include "la_names.h"
#include "la_out.h"
#include "la_types.h"

/* Upper bounds of the buckets, ns, and then one without: from a LAN's round trip to an hour. */
#define LA_BOUNDS(X)                                                                               \
	X(100000ULL)                                                                               \
	X(250000ULL)                                                                               \
	X(500000ULL)                                                                               \
	X(1 * LA_MSEC_NS)                                                                          \
	X(2500000ULL)                                                                              \
	X(5 * LA_MSEC_NS)                                                                          \
	X(10 * LA_MSEC_NS)                                                                         \
	X(25 * LA_MSEC_NS)                                                                         \
	X(50 * LA_MSEC_NS)                                                                         \
	X(100 * LA_MSEC_NS)                                                                        \
	X(250 * LA_MSEC_NS)                                                                        \
	X(500 * LA_MSEC_NS)                                                                        \
	X(1 * LA_SEC_NS)                                                                           \
	X(2500 * LA_MSEC_NS)                                                                       \
	X(5 * LA_SEC_NS)                                                                           \
	X(10 * LA_SEC_NS)                                                                          \
	X(30 * LA_SEC_NS)                                                                          \
	X(60 * LA_SEC_NS)                                                                          \
	X(120 * LA_SEC_NS)                                                                         \
	X(300 * LA_SEC_NS)                                                                         \
	X(600 * LA_SEC_NS)                                                                         \
	X(1800 * LA_SEC_NS)                                                                        \
	X(3600 * LA_SEC_NS)

#define LA_ROW_ONE(ns)	 +1
#define LA_ROW_BOUND(ns) ns,
#define LA_BOUNDS_MAX	 (0 LA_BOUNDS(LA_ROW_ONE))

/* Room for them; what is not used has no end, so that halving five times finds any bucket. */
#define LA_BUCKETS 32

struct la_histogram {
	__u64 sum;		  /* of all that was observed, ns */
	__u64 bucket[LA_BUCKETS]; /* of them, above the bound before and not above its own */
};

#define LA_METRIC_STATES   16
#define LA_METRIC_REASONS  16
#define LA_METRIC_CLOSERS  8
#define LA_METRIC_VERDICTS 8
#define LA_METRIC_EVIDENCE 8
#define LA_METRIC_RULES	   8

_Static_assert(LA_BOUNDS_MAX < LA_BUCKETS, "a bucket a bound, and one without");
_Static_assert(LA_STATE_MAX <= LA_METRIC_STATES, "room");
_Static_assert(LA_CLOSE_REASON_MAX <= LA_METRIC_REASONS, "room");
_Static_assert(LA_CLOSER_MAX <= LA_METRIC_CLOSERS, "room");
_Static_assert(LA_RST_VERDICT_MAX <= LA_METRIC_VERDICTS, "room");
_Static_assert(LA_EVIDENCE_MAX <= LA_METRIC_EVIDENCE, "room");
_Static_assert(LA_RULE_MAX <= LA_METRIC_RULES, "room");

struct la_metrics {
	__u64 connections[2][LA_METRIC_STATES]; /* in the table now, by enum la_state */
	__u64 transitions[2][LA_METRIC_STATES][LA_METRIC_STATES]; /* from, to: enum la_state */
	__u64 closed[LA_METRIC_REASONS][LA_METRIC_CLOSERS]; /* enum la_close_reason, la_closer */
	__u64 rst[2][LA_METRIC_VERDICTS];		    /* by sender and enum la_rst_verdict */
	__u64 rst_rule[2][LA_METRIC_RULES]; /* by 1: dropped, 0: passed; and enum la_rst_rule */
	__u64 evidence[LA_METRIC_EVIDENCE]; /* connections with it, by enum la_evidence */
	struct la_histogram duration;	    /* of connections that closed */
	struct la_histogram handshake;	    /* first SYN to the ACK of the SYN-ACK */
	struct la_histogram state[2][LA_METRIC_STATES]; /* time in a state that was left */
};

/* What the metrics know of a flow: as it was counted last. */
struct la_counted {
	__u8 state[2];	/* enum la_state by enum la_endpoint; 0: it is not in the table */
	__u8 forged;	/* evidence, as in la_flow */
	__u8 handshake; /* 1: its handshake was complete */
};

/* How it differs now; all zeros if it does not. */
struct la_uncounted {
	struct la_counted was, is;
	__u64 handshake_ns; /* valid if was.handshake differs from is.handshake */
};

/*
 * Under the flow's lock, after each change: notes what is to be counted without it. A flow that
 * is empty or leaves the table counts as none.
 */
LA_INLINE void la_count_flow(const struct la_flow *f, struct la_counted *counted,
			     struct la_uncounted *news)
{
	__u8 orig = f->orig & 1, here = f->flags & LA_F_DEAD ? 0 : 0xff;

	news->was = *counted;
	counted->state[LA_ORIG] = la_reload(f->side[0].state) & here;
	counted->state[LA_RESP] = la_reload(f->side[1].state) & here;
	if (orig) {
		__u8 first = counted->state[LA_ORIG];

		counted->state[LA_ORIG] = counted->state[LA_RESP];
		counted->state[LA_RESP] = first;
	}
	counted->forged = f->forged;
	counted->handshake = !!f->established;
	news->is = *counted;
	news->handshake_ns = la_elapsed(f->start, f->established);
}

/* The bucket of a time: the first whose bound is not below it. */
LA_INLINE __u32 la_bucket(__u64 ns)
{
	/* clang-format off */
	static const __u64 bounds[LA_BUCKETS] = {
		LA_BOUNDS(LA_ROW_BOUND)
		[LA_BOUNDS_MAX ... LA_BUCKETS - 1] = ~0ULL,
	};
	/* clang-format on */
	__u32 i = 0;

	for (__u32 step = LA_BUCKETS / 2; step; step /= 2)
		i += bounds[(i + step - 1) & (LA_BUCKETS - 1)] < ns ? step : 0;
	return i;
}

LA_INLINE void la_observe(struct la_histogram *h, __u64 ns)
{
	__u32 i = la_bucket(ns);

	la_opaque(i);
	h->sum += ns;
	h->bucket[i & (LA_BUCKETS - 1)]++;
}

LA_INLINE void la_measure_gauge(__u64 gauge[LA_METRIC_STATES], __u32 was, __u32 is)
{
	if (was == is)
		return;
	la_opaque(was);
	la_opaque(is);
	if (was)
		gauge[was & (LA_METRIC_STATES - 1)]--;
	if (is)
		gauge[is & (LA_METRIC_STATES - 1)]++;
}

/* Is there anything to be counted? */
LA_INLINE bool la_has_uncounted(const struct la_uncounted *news)
{
	return __builtin_memcmp(&news->was, &news->is, sizeof(news->is));
}

/* Where the flow is now, and what it has shown for the first time. */
LA_INLINE void la_measure_flow(struct la_metrics *m, const struct la_uncounted *news)
{
	__u8 forged = news->is.forged & ~news->was.forged;

	la_measure_gauge(m->connections[LA_ORIG], news->was.state[LA_ORIG],
			 news->is.state[LA_ORIG]);
	la_measure_gauge(m->connections[LA_RESP], news->was.state[LA_RESP],
			 news->is.state[LA_RESP]);
	if (news->is.handshake > news->was.handshake)
		la_observe(&m->handshake, news->handshake_ns);
	for (__u32 i = 1; forged && i < LA_EVIDENCE_MAX; i++)
		m->evidence[i] += forged >> (i - 1) & 1;
}

/* One transition of a flow whose originator is side `orig`. */
LA_INLINE void la_measure_change(struct la_metrics *m, const struct la_change *c, __u8 orig)
{
	__u32 who = (c->side ^ orig) & 1, from = c->from, to = c->to;

	la_opaque(who);
	la_opaque(from);
	la_opaque(to);
	who &= 1;
	from &= LA_METRIC_STATES - 1;
	m->transitions[who][from][to & (LA_METRIC_STATES - 1)]++;
	la_observe(&m->state[who][from], c->spent);
}

/* A flow as it ended. */
LA_INLINE void la_measure_close(struct la_metrics *m, const struct la_flow *f)
{
	__u32 reason = f->reason, by = f->closed_by;

	la_opaque(reason);
	la_opaque(by);
	m->closed[reason & (LA_METRIC_REASONS - 1)][by & (LA_METRIC_CLOSERS - 1)]++;
	la_observe(&m->duration, la_elapsed(f->start, f->ended));
}

/* A RST that side `sender` sent. */
LA_INLINE void la_measure_rst(struct la_metrics *m, const struct la_out *out, __u8 sender)
{
	__u32 who = (sender ^ out->orig) & 1, verdict = out->verdict, rule = out->rule;
	__u32 dropped = out->reason == LA_R_RST_DROPPED;

	la_opaque(who);
	la_opaque(verdict);
	la_opaque(rule);
	la_opaque(dropped);
	m->rst[who & 1][verdict & (LA_METRIC_VERDICTS - 1)]++;
	m->rst_rule[dropped & 1][rule & (LA_METRIC_RULES - 1)]++;
}

#endif
