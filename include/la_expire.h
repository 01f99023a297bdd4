/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_expire.h - the end of a flow by the clock or by the operator.
 *
 * The caller holds the flow's lock, so the deadline is re-checked at the very moment of the
 * decision: a flow that was renewed a moment ago is kept. Records carry the deadline, not
 * the time at which somebody got around to look, so that live tracking and replay say the
 * same however often they look.
 */
#ifndef LA_EXPIRE_H
#define LA_EXPIRE_H

#include "la_account.h"
#include "la_fsm.h"
#include "la_liveness.h"
#include "la_out.h"
#include "la_tally.h"
#include "la_timeout.h"

/* The connection has ended: nothing more can come of it. Notes the close record. */
LA_INLINE void la_close(struct la_flow *f, enum la_close_reason reason, enum la_closer by,
			struct la_out *out)
{
	if (f->flags & LA_F_CLOSED)
		return;
	f->flags |= LA_F_CLOSED;
	f->flags &= ~LA_F_FAST;
	f->reason = reason;
	f->closed_by = by;
	f->ended = out->ts;
	f->late_pkts = 0;
	out->want |= LA_WANT_CLOSE;
}

/* The flow leaves the table. What was not closed before is closed for `reason`. */
LA_INLINE void la_leave(struct la_flow *f, enum la_close_reason reason, enum la_gone_why why,
			struct la_out *out)
{
	la_close(f, reason, reason == LA_CLOSE_POLICY ? LA_BY_POLICY : LA_BY_NONE, out);
	f->flags |= LA_F_DEAD;
	out->why = why;
	out->want |= LA_WANT_GONE;
}

/*
 * Of one side it was heard that it closed, and nothing since: then both have (la_one_way.h).
 * False if that is not so, or it sent its FIN again and again.
 */
LA_INLINE bool la_end_one_way(struct la_flow *f, struct la_out *out)
{
	int heard = la_closed_one_way(f);
	__u8 marks, closer;
	struct la_side *p;

	if (heard < 0)
		return false;
	marks = heard ? f->side[1].marks : f->side[0].marks;
	if (marks & LA_M_FIN_AGAIN)
		return false;
	closer = marks & LA_M_ACKS_ON ? heard : !heard;
	p = heard ? &f->side[0] : &f->side[1];
	if (p->bytes)
		p->bytes--; /* the last of them was its FIN */
	la_close(f, LA_CLOSE_FIN, closer == (f->orig & 1) ? LA_BY_ORIG : LA_BY_RESP, out);
	return true;
}

/*
 * The clock of the flow ran out at out->ts. If that ends the connection, its states stay as
 * they were: it is this table that forgets, the hosts may not.
 */
LA_INLINE void la_expired(struct la_flow *f, struct la_out *out)
{
	enum la_gone_why why =
		f->class == LA_TIMEOUT_TIME_WAIT ? LA_GONE_TIME_WAIT_OVER : LA_GONE_EXPIRED;

	if (f->flags & LA_F_CLOSED) {
		la_move(f, 0, LA_EV_2MSL, LA_TIMER, LA_CAUSE_TIMEOUT, out);
		la_move(f, 1, LA_EV_2MSL, LA_TIMER, LA_CAUSE_TIMEOUT, out);
	} else if (!la_end_one_way(f, out)) {
		f->timeout_state = la_waiting_side(f) ? f->side[1].state : f->side[0].state;
		f->timeout_cause = la_silence_cause(f);
	}
	la_leave(f, LA_CLOSE_TIMEOUT, why, out);
}

/*
 * Looks at a flow's clock at time `now`.
 * Returns true if it ran out: `out` says what to emit, and the flow is to leave the table.
 */
LA_INLINE bool la_expire(struct la_flow *f, __u64 now, const struct la_config *cfg,
			 struct la_out *out)
{
	__u64 deadline = la_deadline(f, cfg);

	if (!f->side[0].state || (f->flags & LA_F_DEAD) || now < deadline)
		return false;
	la_out_reset(out, deadline);
	la_fold(f);
	la_expired(f, out);
	la_out_seal(f, out);
	return true;
}

/*
 * Takes a flow out at time `now`, because lastack stops, has no room for it, or is told to: closes
 * it for `reason` if it has not ended. False: somebody else has just taken it.
 */
LA_INLINE bool la_remove(struct la_flow *f, __u64 now, enum la_close_reason reason,
			 enum la_gone_why why, struct la_out *out)
{
	if (!f->side[0].state || (f->flags & LA_F_DEAD))
		return false;
	la_out_reset(out, now);
	la_fold(f);
	la_leave(f, reason, why, out);
	la_out_seal(f, out);
	return true;
}

#endif
