/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tracker.h - lastack without interfaces: the programs, their ring, and what came out of it.
 */
#ifndef LA_BENCH_TRACKER_H
#define LA_BENCH_TRACKER_H

#include "events.h"
#include "traffic.h"

/* What came out so far. */
struct la_told {
	__u64 records;
	__u64 closes[LA_CLOSE_REASON_MAX]; /* by enum la_close_reason */
};

struct la_tracker {
	struct la_loader *loader;
	struct la_events *events;
	struct la_sink sink; /* counts into `told` */
	struct la_told told;
};

/* How big a table must be for so many flows: with some room, as one would run it. */
#define LA_ROOM_FOR(flows) ((flows) + (flows) / 4)

/*
 * Packets between two drains, at most: the ring holds all records of so many. That of a run
 * of the last step of a connection is the tightest.
 */
#define LA_CHUNK_BITS 12
#define LA_CHUNK      (1U << LA_CHUNK_BITS)

/* Loads the programs. Returns 0, or -1 with the reason on stderr; close it either way. */
int la_tracker_open(struct la_tracker *t, const struct la_loader_opts *opts);

/* Takes all that waits in the ring. Returns 0, or -1 with the reason on stderr. */
int la_tracker_drain(struct la_tracker *t);

/* Ends all flows and drains. Returns 0, or -1 with the reason on stderr. */
int la_tracker_empty(struct la_tracker *t);

/* Segments that were accepted at a hook. */
__u64 la_tracker_accepted(const struct la_tracker *t, enum la_hook hook);

/* Records that were lost. */
__u64 la_tracker_lost(const struct la_tracker *t);

/*
 * Like la_traffic_run(), in chunks, with the ring drained after each. Each segment must be
 * accepted and no record lost.
 */
double la_tracker_run(struct la_tracker *t, struct la_traffic *traffic, const struct la_run *run,
		      __u64 *cursor);

/* Opens 1 << bits connections, numbered from `first`, by XDP, a chunk at a time, so that few are
 * half-open at once. Returns 0, or -1 with the reason on stderr. */
int la_tracker_establish(struct la_tracker *t, struct la_traffic *traffic, __u32 first, __u32 bits);

/* Safe on one that is zeroed. */
void la_tracker_close(struct la_tracker *t);

#endif
