/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_act.h - what a policy or an operator does to one flow, and only because it was told to.
 *
 *   look      nothing: its caller wants to know the flow as it is
 *   policy    its policy becomes `arg` (enum la_flow_policy): its segments are dropped, the RST
 *             that ends it is the policy's own, it runs on another table of timeouts; 0: none
 *             of this
 *   expire    it is forgotten at once; its hosts know nothing of it
 *
 * The caller holds the flow's lock, where there is one.
 */
#ifndef LA_ACT_H
#define LA_ACT_H

#include "la_expire.h"

enum la_act { LA_ACT_LOOK = 1, LA_ACT_POLICY, LA_ACT_EXPIRE };

/*
 * Does it at time `now`, ns. Returns true if the flow has to leave the table: `out` then says
 * what to emit.
 */
LA_INLINE bool la_do_act(struct la_flow *f, enum la_act act, __u8 arg, __u64 now,
			 struct la_out *out)
{
	if (act == LA_ACT_POLICY) {
		f->policy = arg;
		f->flags &= ~LA_F_FAST; /* until la_track() finds that it may go fast again */
	}
	return act == LA_ACT_EXPIRE && la_remove(f, now, LA_CLOSE_POLICY, LA_GONE_POLICY, out);
}

#endif
