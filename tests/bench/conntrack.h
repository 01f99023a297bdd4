/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conntrack.h - the kernel's nf_conntrack, switched on in one namespace of the bench.
 *
 * Its limits belong to the whole machine: they are widened and put back, and signals wait
 * until that is done.
 */
#ifndef LA_BENCH_CONNTRACK_H
#define LA_BENCH_CONNTRACK_H

#include "la_types.h"
#include <signal.h>

struct la_conntrack {
	char max[24], buckets[24]; /* as they were; empty: not changed */
	sigset_t signals;	   /* the mask as it was */
};

/*
 * Makes room for so many entries, and tracks in the namespace, without a rule for packets to
 * pass and without checking TCP checksums (which NICs do). The thread is left in that
 * namespace. Returns 0, or -1 with the reason on stderr; close it either way.
 */
int la_conntrack_open(struct la_conntrack *ct, int home, int netns, __u32 entries);

/* Are the connections of the thread's namespace established, seen both ways? Looks at the
 * first thousand. Returns 0, or -1 with the reason on stderr. */
int la_conntrack_check_established(void);

/* Forgets all connections of the thread's namespace. Returns 0, or -1 likewise. */
int la_conntrack_flush(void);

/* Puts the limits back. The thread is left in `home`. */
void la_conntrack_close(struct la_conntrack *ct, int home);

#endif
