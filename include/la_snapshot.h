/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_snapshot.h - a flow that is in the table, as a record: the connection as of this moment.
 *
 * The same numbers as its close record would have, had it ended now; so whatever understands
 * that one, filters and outputs, understands this one. Only userspace asks for it.
 */
#ifndef LA_SNAPSHOT_H
#define LA_SNAPSHOT_H

#include "la_on_rst.h"
#include "la_record.h"
#include "la_timeout.h"

/* Who made the first closing move so far (enum la_closer); 0: nobody has. */
LA_INLINE __u8 la_closer_so_far(const struct la_flow *f)
{
	if (f->flags & LA_F_CLOSED)
		return f->closed_by;
	return (f->side[0].flags | f->side[1].flags) & LA_S_ACTIVE ? la_first_closer(f, 0) : 0;
}

/* A flow that was opened and is not leaving: what a list shows. */
LA_INLINE bool la_is_listed(const struct la_flow *f)
{
	return f->side[0].state && !(f->flags & LA_F_DEAD);
}

/* Flow f at time `now`, ns. Changes f, which is to be a copy. */
LA_INLINE void la_record_flow(struct la_rec_flow *r, const struct la_key *key, struct la_flow *f,
			      const struct la_config *cfg, __u64 now)
{
	__u64 ended = f->flags & LA_F_CLOSED ? f->ended : now, deadline = la_deadline(f, cfg);
	struct la_out out = {.ts = now};

	la_fold(f);
	la_out_identify(f, &out);
	f->closed_by = la_closer_so_far(f);
	f->ended = now;
	f->close_seq = f->seq;
	la_record_close(&r->at, key, &out, f);
	r->at.h.type = LA_REC_FLOW;
	r->at.close_ns = f->closing ? la_elapsed(f->closing, ended) : 0;
	r->left_ns = la_elapsed(now, deadline);
	r->timeout = f->class;
	__builtin_memset(r->pad, 0, sizeof(r->pad));
}

#endif
