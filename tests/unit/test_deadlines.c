/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_deadlines.c - the heap of deadlines against the plain search for the earliest.
 */
#include "deadlines.h"
#include <criterion/criterion.h>

#define NODES 200

/* A repeatable sequence (Numerical Recipes' LCG), so that a failure can be had again. */
static __u32 next_number(void)
{
	static __u32 state = 1;

	state = state * 1664525U + 1013904223U;
	return state >> 8;
}

static __u64 earliest(const struct la_deadline_node *nodes, const bool *in)
{
	__u64 min = ~0ULL;

	for (size_t i = 0; i < NODES; i++)
		if (in[i] && nodes[i].due < min)
			min = nodes[i].due;
	return min;
}

static void check_first(const struct la_deadlines *d, const struct la_deadline_node *nodes,
			const bool *in)
{
	const struct la_deadline_node *first = la_deadlines_first(d);

	if (!d->count)
		cr_assert_null(first);
	else
		cr_assert_eq(first->due, earliest(nodes, in));
}

Test(deadlines, the_first_is_the_earliest_whatever_is_done)
{
	struct la_deadline_node nodes[NODES];
	struct la_deadlines d = {0};
	bool in[NODES] = {false};

	for (unsigned int step = 0; step < 20000; step++) {
		size_t i = next_number() % NODES;
		__u64 due = next_number() % 1000;

		if (!in[i])
			cr_assert_eq(la_deadlines_add(&d, &nodes[i], due), 0);
		else if (due % 3)
			la_deadlines_move(&d, &nodes[i], due);
		else
			la_deadlines_remove(&d, &nodes[i]);
		in[i] = !in[i] || due % 3;
		check_first(&d, nodes, in);
	}
	la_deadlines_clear(&d);
}

Test(deadlines, come_out_in_order)
{
	struct la_deadline_node nodes[NODES];
	struct la_deadlines d = {0};
	__u64 last = 0;

	for (size_t i = 0; i < NODES; i++)
		cr_assert_eq(la_deadlines_add(&d, &nodes[i], next_number()), 0);
	for (size_t i = 0; i < NODES; i++) {
		struct la_deadline_node *first = la_deadlines_first(&d);

		cr_assert_geq(first->due, last);
		last = first->due;
		la_deadlines_remove(&d, first);
	}
	cr_assert_null(la_deadlines_first(&d));
	la_deadlines_clear(&d);
}
