/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * breakdown.h - how connections ended, told apart by labels that the operator has asked for.
 *
 * The programs count without knowing names or filters (la_metrics.h). What they cannot tell apart
 * is counted here, from close records, which are not lost. A sink at one end; at the other end
 * whoever prints metrics, from any thread, takes a copy.
 *
 * How many sets of labels there are is bounded: connections for which there is no room for
 * another one are counted in the set without any, and counted as such.
 */
#ifndef LA_USER_BREAKDOWN_H
#define LA_USER_BREAKDOWN_H

#include "la_metrics.h"
#include "metric_groups.h"
#include "sink.h"
#include <net/if.h>

#define LA_LABEL_SETS_DEFAULT 100
#define LA_LABEL_SETS_MAX     1000

/* Labels, as bits. */
enum la_label {
	LA_LABEL_INTERFACE = 1 << 0, /* that saw the connection first */
	LA_LABEL_DIRECTION = 1 << 1, /* enum la_flow_direction */
	LA_LABEL_GROUP = 1 << 2,     /* metric_groups.h */
};

/* Zeros behind the ends of texts, so that they can be compared as bytes. */
struct la_labels {
	char interface[IF_NAMESIZE]; /* empty: no such label */
	char group[LA_METRIC_GROUP_SIZE];
	__u8 direction; /* 0: no such label */
};

/* The connections that have these labels in common. */
struct la_label_set {
	struct la_labels labels;
	__u64 closed[LA_METRIC_REASONS][LA_METRIC_CLOSERS]; /* as in la_metrics */
	struct la_histogram duration;			    /* likewise */
};

struct la_breakdown;

struct la_breakdown_opts {
	unsigned int labels;				 /* bits of enum la_label */
	unsigned int max;				 /* sets, besides the one without labels */
	const char *(*ifname)(__u32 ifindex, void *ctx); /* NULL if it is not known */
	void *ifname_ctx;
};

/* NULL without memory. */
struct la_breakdown *la_breakdown_new(const struct la_breakdown_opts *opts);

/* From now on these are asked; they must live as long. The sink's thread. */
void la_breakdown_groups(struct la_breakdown *breakdown, const struct la_metric_groups *groups);

/* Takes the records; belongs to the breakdown. */
struct la_sink *la_breakdown_sink(struct la_breakdown *breakdown);

/*
 * A copy of all sets in memory of malloc(), the one without labels first, and how many there
 * are; and how many connections found no room in a set of their own. NULL without memory.
 */
struct la_label_set *la_breakdown_copy(struct la_breakdown *breakdown, unsigned int *count,
				       __u64 *overflow);

/* NULL is allowed. */
void la_breakdown_free(struct la_breakdown *breakdown);

#endif
