/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_tally.h - what the fast path counts of a side, in one word.
 *
 * An atomic addition costs as much as all comparisons of the fast path together, so it makes
 * one for three counters: segments, payload bytes and IP bytes. Whoever has the flow's lock
 * folds the tally into the totals. A counter whose highest bit is set is half full: then
 * nothing more is added until somebody has folded it, and half of it is room for what other
 * CPUs have just been adding.
 *
 *   63..48 segments   47..24 payload bytes   23..0 IP bytes
 */
#ifndef LA_TALLY_H
#define LA_TALLY_H

#include "la_account.h"

#define LA_TALLY_MASK	     ((1ULL << 24) - 1)
#define LA_TALLY_BYTES_SHIFT 24
#define LA_TALLY_SEGS_SHIFT  48
#define LA_TALLY_HALF_FULL   (1ULL << 63 | 1ULL << 47 | 1ULL << 23)

/* Of one packet: a thirty-second of the room that is left when a counter is half full. */
#define LA_TALLY_SEGS_MAX  (1U << 10)
#define LA_TALLY_BYTES_MAX (1U << 18)

/* May a packet that stands for so many segments be added to the tally of s? */
LA_INLINE bool la_may_tally(const struct la_side *s, const struct la_segment *seg, __u32 segs)
{
	return !(s->tally & LA_TALLY_HALF_FULL) && segs <= LA_TALLY_SEGS_MAX &&
	       seg->ip_len + segs * seg->hdr_len <= LA_TALLY_BYTES_MAX;
}

/* Adds it, with new payload only. */
LA_INLINE void la_tally(struct la_side *s, const struct la_segment *seg, __u32 segs)
{
	__u64 counts = (__u64)segs << LA_TALLY_SEGS_SHIFT |
		       (__u64)seg->len << LA_TALLY_BYTES_SHIFT | la_wire_bytes(seg, segs);

	__sync_fetch_and_add(&s->tally, counts);
}

LA_INLINE void la_fold_side(struct la_side *s)
{
	__u64 tally;

	if (!s->tally)
		return;
	tally = __sync_lock_test_and_set(&s->tally, 0);
	s->pkts += tally >> LA_TALLY_SEGS_SHIFT;
	s->bytes += tally >> LA_TALLY_BYTES_SHIFT & LA_TALLY_MASK;
	s->ip_bytes += tally & LA_TALLY_MASK;
}

/* Brings the totals of both sides up to date. Under the flow's lock, or of a copy. */
LA_INLINE void la_fold(struct la_flow *f)
{
	la_fold_side(&f->side[0]);
	la_fold_side(&f->side[1]);
}

#endif
