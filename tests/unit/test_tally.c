/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_tally.c - three counters in one word: none runs over into the next, and none is lost.
 */
#include "la_fast.h"
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

/* The biggest packets that may be added, and a small one. */
static const struct la_segment packets[] = {
	{.ip_len = LA_TALLY_BYTES_MAX - 60, .len = LA_TALLY_BYTES_MAX - 120, .hdr_len = 60},
	{.ip_len = 52 + 600, .len = 600, .hdr_len = 52},
	{.ip_len = 40, .hdr_len = 40},
};
static const __u32 segs[] = {1, 3, 1};

/* Adds a packet until the tally takes no more of it; then as many as other CPUs may add at once. */
static void fill(struct la_side *s, struct la_side *sum, int which)
{
	const struct la_segment *seg = &packets[which];
	int racing = 31;

	while (la_may_tally(s, seg, segs[which]) || racing--) {
		la_tally(s, seg, segs[which]);
		sum->pkts += segs[which];
		sum->bytes += seg->len;
		sum->ip_bytes += seg->ip_len + (segs[which] - 1) * seg->hdr_len;
	}
}

Test(tally, folds_into_the_totals)
{
	for (int which = 0; which < 3; which++) {
		struct la_side s = {.pkts = 1, .bytes = 2, .ip_bytes = 3}, sum = s;

		fill(&s, &sum, which);
		cr_assert(s.tally != 0);
		la_fold_side(&s);
		cr_expect(eq(u64, s.tally, 0));
		cr_expect(eq(u64, s.pkts, sum.pkts));
		cr_expect(eq(u64, s.bytes, sum.bytes));
		cr_expect(eq(u64, s.ip_bytes, sum.ip_bytes));
	}
}

Test(tally, many_tiny_segments_are_too_many)
{
	struct la_side s = {0};
	struct la_segment seg = {.ip_len = 65535, .len = 65495, .hdr_len = 40};

	cr_expect(la_may_tally(&s, &seg, 47));
	cr_expect(not(la_may_tally(&s, &seg, LA_TALLY_SEGS_MAX + 1)));
	seg.ip_len = LA_TALLY_BYTES_MAX + 1;
	cr_expect(not(la_may_tally(&s, &seg, 1)));
}
