/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * deadlines.c - the heap. See deadlines.h. Every node knows its place, so that it can be
 * moved and taken out without a search.
 */
#include "deadlines.h"
#include <stdlib.h>
#include <string.h>

static void put(struct la_deadlines *d, size_t at, struct la_deadline_node *node)
{
	d->nodes[at] = node;
	node->at = at;
}

/* Lets the node rise from its place to where its parent is not later. */
static void rise(struct la_deadlines *d, struct la_deadline_node *node)
{
	size_t at = node->at;

	while (at && d->nodes[(at - 1) / 2]->due > node->due) {
		put(d, at, d->nodes[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	put(d, at, node);
}

/* Lets the node sink from its place to where no child is earlier. */
static void sink(struct la_deadlines *d, struct la_deadline_node *node)
{
	size_t at = node->at, child;

	while ((child = 2 * at + 1) < d->count) {
		if (child + 1 < d->count && d->nodes[child + 1]->due < d->nodes[child]->due)
			child++;
		if (d->nodes[child]->due >= node->due)
			break;
		put(d, at, d->nodes[child]);
		at = child;
	}
	put(d, at, node);
}

static int grow(struct la_deadlines *d)
{
	size_t room = d->room ? 2 * d->room : 64;
	void *nodes = reallocarray(d->nodes, room, sizeof(*d->nodes));

	if (!nodes)
		return -1;
	d->nodes = nodes;
	d->room = room;
	return 0;
}

int la_deadlines_add(struct la_deadlines *d, struct la_deadline_node *node, __u64 due)
{
	if (d->count == d->room && grow(d))
		return -1;
	node->due = due;
	put(d, d->count++, node);
	rise(d, node);
	return 0;
}

void la_deadlines_move(struct la_deadlines *d, struct la_deadline_node *node, __u64 due)
{
	node->due = due;
	rise(d, node);
	sink(d, node);
}

void la_deadlines_remove(struct la_deadlines *d, struct la_deadline_node *node)
{
	struct la_deadline_node *last = d->nodes[--d->count];

	if (last == node)
		return;
	put(d, node->at, last);
	rise(d, last);
	sink(d, last);
}

void la_deadlines_clear(struct la_deadlines *d)
{
	free(d->nodes);
	memset(d, 0, sizeof(*d));
}
