/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * measure.bpf.h - what the tracker noted goes into this CPU's metrics (la_metrics.h).
 *
 *   under the lock   la_count_entry()   what is new of the flow since it was counted last
 *   without it       la_measure()       counts that, its transitions, its end
 *
 * It does not ask whether a record finds room in the ring: the metrics are right though
 * records are lost. The fast path changes nothing that is counted here.
 */
#ifndef LA_MEASURE_BPF_H
#define LA_MEASURE_BPF_H

#include "maps.bpf.h"

/* Under the lock, after each change of the flow. */
static __always_inline void la_count_entry(struct la_entry *e, struct la_scratch *s)
{
	la_count_flow(&e->flow, &e->counted, &s->uncounted);
}

/*
 * Counts this CPU's note; seg is NULL if a timer did it. A global function: the verifier looks
 * at it once.
 */
__noinline int la_measure(struct la_segment *seg)
{
	struct la_scratch *s = la_scratch();
	struct la_metrics *m = la_metrics();
	__u32 i;

	if (!s || !m)
		return 0;
	la_measure_flow(m, &s->uncounted);
	__builtin_memset(&s->uncounted, 0, sizeof(s->uncounted));
	if (seg && (s->out.want & LA_WANT_RST))
		la_measure_rst(m, &s->out, seg->dir);
	for (i = 0; i < LA_CHANGES_MAX && i < s->out.n; i++)
		la_measure_change(m, &s->out.change[i], s->out.orig);
	if (s->out.want & LA_WANT_CLOSE)
		la_measure_close(m, &s->ended);
	return 0;
}

#endif
