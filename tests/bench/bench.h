/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench.h - what the measures share: how thorough to be, and the CPUs.
 *
 * A measure adds its rows by figures.h and returns 0, or -1 with the reason on stderr.
 */
#ifndef LA_BENCH_H
#define LA_BENCH_H

#include "la_types.h"

struct la_bench {
	bool quick;	     /* few repetitions: under a minute in all */
	const char *lastack; /* the program to run, build/lastack */
};

int la_bench_packets(const struct la_bench *bench);	/* packets.c: a packet, once established */
int la_bench_connections(const struct la_bench *bench); /* packets.c: SYN to last ACK */
int la_bench_live(const struct la_bench *bench);    /* live.c: against nf_conntrack; packets/s */
int la_bench_drain(const struct la_bench *bench);   /* drain.c: records, lines, connections */
int la_bench_memory(const struct la_bench *bench);  /* memory.c: bytes and cache lines a flow */
int la_bench_latency(const struct la_bench *bench); /* latency.c: from the wire to stdout */
int la_bench_expiry(const struct la_bench *bench);  /* expiry.c: a million idle flows */
int la_bench_flood(const struct la_bench *bench);   /* flood.c: SYNs from everywhere */
int la_bench_replay(const struct la_bench *bench);  /* replay.c: captures */

/* Says on stderr what failed, on what and why (an errno). Always -1. */
int la_bench_fail(const char *what, const char *on, int err);

/* Binds the calling thread to the first (0) or second (1) CPU that this process may use; if
 * there is only one, to that. */
void la_bench_bind(int nth);

/* How many CPUs this process may use. */
int la_bench_cpus(void);

/* Processor time of the calling thread, ns. */
__u64 la_bench_cpu_ns(void);

#endif
