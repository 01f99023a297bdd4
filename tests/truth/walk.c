// SPDX-License-Identifier: BSD-2-Clause
/*
 * walk.c - see walk.h.
 */
#include "walk.h"
#include <stdlib.h>

void la_walk_add(struct la_walk *walk, __u64 ts, unsigned int to, unsigned int certainty)
{
	if (walk->count == LA_WALK_STEPS) {
		walk->broken = true;
		return;
	}
	walk->step[walk->count++] = (struct la_step){ts, (__u8)to, (__u8)certainty};
}

struct la_conn *la_conns_add(struct la_conns *all, struct la_net_pair pair)
{
	if (all->count == all->room) {
		size_t room = all->room ? all->room * 2 : 1024;
		struct la_conn *more = realloc(all->conn, room * sizeof(*more));

		if (!more)
			return NULL;
		all->conn = more;
		all->room = room;
	}
	all->conn[all->count] = (struct la_conn){.pair = pair, .order = all->count};
	return &all->conn[all->count++];
}

static int by_ports(const void *a, const void *b)
{
	const struct la_conn *x = a, *y = b;

	if (x->pair.client != y->pair.client)
		return x->pair.client - y->pair.client;
	if (x->pair.server != y->pair.server)
		return x->pair.server - y->pair.server;
	return (x->order > y->order) - (x->order < y->order);
}

static bool same_ports(const struct la_conn *a, const struct la_conn *b)
{
	return a->pair.client == b->pair.client && a->pair.server == b->pair.server;
}

void la_conns_sort(struct la_conns *all)
{
	size_t i;

	if (!all->count)
		return;
	qsort(all->conn, all->count, sizeof(*all->conn), by_ports);
	for (i = 1; i < all->count; i++) {
		if (same_ports(&all->conn[i], &all->conn[i - 1]))
			all->conn[i].nth = all->conn[i - 1].nth + 1;
	}
}

void la_conns_free(struct la_conns *all)
{
	free(all->conn);
	*all = (struct la_conns){0};
}
