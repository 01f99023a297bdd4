/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine.h - the real BPF programs, fed by hand and with a clock of the test's own.
 *
 * Loads build/lastack.bpf.o through its skeleton, attaches it to nothing, and runs its
 * programs on packets by BPF_PROG_TEST_RUN. Records go from the ring to a sink.
 */
#ifndef LA_TEST_ENGINE_H
#define LA_TEST_ENGINE_H

#include "la_act.h"
#include "la_metrics.h"
#include "sink.h"
#include "table.h"

struct la_engine;

/* Where a packet is fed in. */
enum la_gate {
	LA_GATE_XDP,
	LA_GATE_TC_INGRESS,
	LA_GATE_TC_EGRESS,
};

struct la_engine_opts {
	struct la_config config;
	struct la_guards guards;
	__u32 max_flows;    /* 0: as the object declares */
	__u32 max_attempts; /* 0: as many */
	__u32 ring_bytes;   /* 0: as the object declares */
	bool frags;	    /* XDP frames may have several buffers */
};

/* Loads the programs; ends the test if that fails. The sink stays the caller's. */
struct la_engine *la_engine_new(const struct la_engine_opts *opts, struct la_sink *sink);

/* One packet at time ts, ns. Returns what the program returned: XDP_PASS or TC_ACT_UNSPEC. */
int la_engine_packet(struct la_engine *engine, enum la_gate gate, const void *data, __u32 len,
		     __u64 ts);

/* The same for a tc gate, with what the kernel would say of the skb: segments, and ifindex. */
int la_engine_skb(struct la_engine *engine, enum la_gate gate, const void *data, __u32 len,
		  __u32 gso_segs, __u32 gso_size, __u64 ts);

/* Expires what is due at `now`, and retries close records. */
void la_engine_sweep(struct la_engine *engine, __u64 now);

/* Closes what is open at `now`, as at the end of lastack. */
void la_engine_shutdown(struct la_engine *engine, __u64 now);

/* Does something to one connection, as la_loader_act() does it. Returns what the program returns.
 */
int la_engine_act(struct la_engine *engine, const struct la_asked *asked, struct la_flow *flow);

/* Takes the records out of the ring. Returns how many. */
int la_engine_drain(struct la_engine *engine);

/* The counters of all CPUs. */
struct la_counters la_engine_counters(const struct la_engine *engine);

/* The metrics of all CPUs. */
struct la_metrics la_engine_metrics(const struct la_engine *engine);

/* Calls fn with each flow of the table. */
void la_engine_each_flow(const struct la_engine *engine,
			 void (*fn)(const struct la_flow *flow, void *ctx), void *ctx);

/* The file descriptor of a gate's program, for a test that runs it itself. */
int la_engine_prog(const struct la_engine *engine, enum la_gate gate);

/* Entries in the flow table. */
__u32 la_engine_flows(const struct la_engine *engine);

/* The flow table as userspace reads it, at `now`. */
struct la_table la_engine_table(const struct la_engine *engine, __u64 now);

/* Takes all free slots of the flow table, and tells how many there were. The end of tracking. */
__u32 la_engine_free_slots(struct la_engine *engine);

/* Half-open flows, as the programs count them. */
__u32 la_engine_half_open(const struct la_engine *engine);

/* Sets the clock of the programs, ns. */
void la_engine_set_clock(struct la_engine *engine, __u64 now);

void la_engine_free(struct la_engine *engine);

#endif
