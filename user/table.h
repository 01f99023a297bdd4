/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table.h - reads the flow table: every connection that is being tracked, now.
 *
 * Goes by the file descriptor of the map of flows, whoever has it: the loader, a pin, a daemon
 * that has passed it on. Changes nothing, keeps a bounded piece of memory however many flows
 * there are, and goes on while they come and go.
 */
#ifndef LA_USER_TABLE_H
#define LA_USER_TABLE_H

#include "la_entry.h"

struct la_table {
	int fd;			 /* the map of flows; stays the caller's */
	struct la_config config; /* what its clocks go by */
	__u64 now;		 /* ns; 0: CLOCK_MONOTONIC, of each batch anew */
};

/*
 * One flow: its record, and a copy of its entry for who needs more. Both are valid during the
 * call. Returns 0 to go on, anything else to stop.
 */
typedef int (*la_table_fn)(const struct la_rec_flow *rec, const struct la_flow *flow, void *ctx);

/*
 * Calls fn for each flow, in no order. A flow that is there all the time is told once; one that
 * comes or goes meanwhile is told or is not. Each is copied with its lock held, so that what
 * is told of it belongs together, but for the counters of the fast path, which may run ahead.
 * Returns 0, what fn stopped with, or -1 with the reason on stderr.
 */
int la_table_each(const struct la_table *table, la_table_fn fn, void *ctx);

#endif
