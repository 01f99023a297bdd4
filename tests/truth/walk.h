/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * walk.h - the way of one endpoint through the states, whoever tells it: the kernel
 * (kernel.h) or lastack (mirror.h).
 *
 * A walk is named by the ports of its connection, the host, and its place among the
 * connections that had these ports.
 */
#ifndef LA_TRUTH_WALK_H
#define LA_TRUTH_WALK_H

#include "la_names.h"
#include "truth_abi.h"

#define LA_WALK_STEPS 24

struct la_step {
	__u64 ts;	/* ns of the teller's clock */
	__u8 to;	/* enum la_state */
	__u8 certainty; /* enum la_certainty; the kernel is always LA_SEEN */
};

struct la_walk {
	__u8 first; /* enum la_state in which it began, LA_NO_STATE: no walk */
	__u8 count;
	__u8 taken_back; /* steps that lastack presumed and took back, */
	__u32 doubted;	 /* and to which states: bits 1 << enum la_state */
	__u64 waited;	 /* ns in TIME_WAIT until its clock ran out; 0: it has not */
	bool broken;	 /* it took back what it had seen, or too many steps */
	bool silent;	 /* the kernel's last step was one that no segment tells of */
	bool aborted;	 /* the kernel's last step was one that a RST of its own tells of */
	bool torn;	 /* the lab missed a step of the kernel */
	bool unclaimed;	 /* the kernel closed a socket that its third ACK had made */
	struct la_step step[LA_WALK_STEPS];
};

/* Both endpoints of a connection. */
struct la_conn {
	struct la_net_pair pair;
	unsigned int nth;
	__u64 order;		/* grows with the time at which it began */
	struct la_walk walk[2]; /* client, server */
};

struct la_conns {
	struct la_conn *conn;
	size_t count, room;
};

/* The state a walk has come to. */
static inline __u8 la_walk_state(const struct la_walk *walk)
{
	return walk->count ? walk->step[walk->count - 1].to : walk->first;
}

void la_walk_add(struct la_walk *walk, __u64 ts, unsigned int to, unsigned int certainty);

/* A new connection at the end; NULL without memory. Valid until the next. */
struct la_conn *la_conns_add(struct la_conns *all, struct la_net_pair pair);

/* By ports, then by order; numbers those with the same ports. */
void la_conns_sort(struct la_conns *all);

void la_conns_free(struct la_conns *all);

#endif
