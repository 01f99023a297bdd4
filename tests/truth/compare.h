/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compare.h - what the kernels did against what lastack told: one table row.
 *
 * The steps of each endpoint are compared as a sequence, by their longest common
 * subsequence. What is not in it is missing (only the kernel has it), extra (only lastack
 * has it), or in the wrong order (both have it, but elsewhere). What no observer can know is
 * taken out before, and counted; what lastack itself marks as presumed is told apart.
 */
#ifndef LA_TRUTH_COMPARE_H
#define LA_TRUTH_COMPARE_H

#include "net.h"
#include "walk.h"

struct la_tally {
	unsigned long walks;	/* endpoints of connections */
	unsigned long compared; /* steps of the kernel */
	unsigned long equal;	/* of them, told by lastack in the same order */
	unsigned long missing;
	unsigned long extra;
	unsigned long disordered;
	unsigned long taken_back; /* presumed by lastack, and corrected by itself */
	unsigned long merged;	  /* CLOSING, which the kernel skipped (kernel.c) */
	unsigned long unclaimed;  /* sockets closed as the third ACK made them (kernel.c) */
	unsigned long queued;	  /* FINs that their host kept back until the peer's had come */
	unsigned long presumed;	  /* endpoints that differ only in what lastack still presumes */
	unsigned long doubted;	  /* that differ only in what it presumed rightly and took back */
	unsigned long silent;	  /* steps of the kernel that no segment told of in time */
	unsigned long unseen;	  /* endpoints of connections that it cannot know of */
	unsigned long untold;	  /* endpoints of which the lab missed a step of the kernel */
	unsigned long waits;	  /* ends of TIME_WAIT by the clock */
	unsigned long waits_off;  /* of them, those at another time than the kernel's */
	unsigned long broken;	  /* walks of lastack that contradict themselves */
	unsigned long differing;  /* endpoints of which it told something else */
};

/* A difference, for whoever wants to look at it. */
struct la_difference {
	struct la_net_pair pair;
	unsigned int nth;
	int host;
	const struct la_walk *kernel; /* NULL: there is none */
	const struct la_walk *told;   /* NULL: there is none */
	bool presumed;		      /* lastack has marked as presumed what differs */
};

/* Segments that tell of a step. */
enum la_telling {
	LA_TELLS_ANY,
	LA_TELLS_SYN,
	LA_TELLS_SYN_ACK,
	LA_TELLS_ACK, /* of the SYN-ACK, whatever else it is */
	LA_TELLS_FIN,
	LA_TELLS_RST,
};

/*
 * What the cables know of the segments of a pair, in a time from..to of CLOCK_MONOTONIC, ns:
 * did one of this host come past the observer? Did one leave this host?
 */
struct la_witness {
	bool (*came_past)(struct la_net_pair pair, int host, enum la_telling what, __u64 from,
			  __u64 to, void *ctx);
	bool (*left)(struct la_net_pair pair, int host, enum la_telling what, __u64 from, __u64 to,
		     void *ctx);
	int at;	    /* the host where the observer is; -1: at neither */
	bool waits; /* it was waited for the end of each TIME_WAIT: they are compared, too */
	void *ctx;
};

/*
 * Compares both sorted lists. tally: client's and server's endpoints. Calls `differs` for
 * each endpoint that is not equal. What of `told` is one connection for the kernels is joined.
 */
void la_compare(const struct la_conns *kernel, struct la_conns *told,
		const struct la_witness *witness, struct la_tally tally[2],
		void (*differs)(const struct la_difference *d, void *ctx));

/* A walk in words, for people. */
void la_compare_print(const char *who, const struct la_walk *walk);

#endif
