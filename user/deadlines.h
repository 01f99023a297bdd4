/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * deadlines.h - which of many clocks runs out first: a binary heap of nodes that lie in
 * their owners.
 *
 * A node's time is a lower bound of the true deadline. Deadlines mostly move later, so the
 * owner need not tell: it looks again when the node comes to the top. Only a deadline that
 * moves earlier must be told at once. One place a node, so memory is bounded by the nodes.
 * For native.c.
 */
#ifndef LA_USER_DEADLINES_H
#define LA_USER_DEADLINES_H

#include "la_types.h"
#include <stddef.h>

struct la_deadline_node {
	__u64 due; /* ns, not after the true deadline */
	size_t at; /* place in the heap */
};

struct la_deadlines {
	struct la_deadline_node **nodes;
	size_t count;
	size_t room;
};

/* Adds a node with its time. Returns 0, or -1 out of memory: it is not added. */
int la_deadlines_add(struct la_deadlines *d, struct la_deadline_node *node, __u64 due);

/* Changes the time of a node. */
void la_deadlines_move(struct la_deadlines *d, struct la_deadline_node *node, __u64 due);

void la_deadlines_remove(struct la_deadlines *d, struct la_deadline_node *node);

/* The node with the earliest time, or NULL. */
LA_INLINE struct la_deadline_node *la_deadlines_first(const struct la_deadlines *d)
{
	return d->count ? d->nodes[0] : NULL;
}

/* Forgets all nodes and frees the heap's own memory. */
void la_deadlines_clear(struct la_deadlines *d);

#endif
