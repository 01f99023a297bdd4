/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clsact.h - tc programs on kernels without tcx (before Linux 6.6).
 *
 * A filter of the clsact qdisc. Unlike a link it outlives its maker, so this owns exactly
 * what it made - the filters, and the qdisc if it was not there - and removes exactly that;
 * the qdisc only if nobody else has put a filter there meanwhile. Only attach.c calls it.
 */
#ifndef LA_USER_CLSACT_H
#define LA_USER_CLSACT_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

enum la_direction { LA_INGRESS, LA_EGRESS };

struct la_clsact {
	int ifindex;
	bool made_qdisc;
	struct {
		__u32 handle;
		__u32 pref; /* 0: there is no filter of ours */
		__u32 prog; /* the kernel's id of the program in it */
	} filter[2];	    /* by enum la_direction */
};

/* Nothing attached yet. */
void la_clsact_init(struct la_clsact *clsact, int ifindex);

/* Adds a program before all filters that are there, displacing none. Returns 0 or -errno. */
int la_clsact_add(struct la_clsact *clsact, enum la_direction direction, int prog_fd);

/* True if the interface has a clsact qdisc, be it ours or not. */
bool la_clsact_exists(const struct la_clsact *clsact);

/* Finds the filter of an earlier process by the id of its program, if it is there. */
void la_clsact_find(struct la_clsact *clsact, enum la_direction direction, __u32 prog);

/*
 * True if the filter of that direction is still there: not if somebody removed it, or the
 * interface was deleted or moved, even if another one has its index now.
 */
bool la_clsact_holds(const struct la_clsact *clsact, enum la_direction direction);

/* Removes what was added and is still there. Harmless if nothing is. */
void la_clsact_remove(struct la_clsact *clsact);

/* Writes the commands that remove it by hand, for a person whose lastack was killed. */
void la_clsact_remedy(const struct la_clsact *clsact, const char *ifname, char *text, size_t size);

#endif
