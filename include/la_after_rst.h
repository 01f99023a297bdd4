/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_after_rst.h - what is said after a RST, and what that proves.
 *
 *   s sent a RST      and then data beyond it, or an ACK of what p sent after it: it goes on
 *                     (sends_on). What the RST only overtook does not count.
 *   s was sent one    and acknowledges what p sent after it, or speaks when the RST must long
 *                     have arrived: it has not taken it.
 *   both of them      the RST that closed the connection closed nothing: both go back to
 *                     where they were (`corrected`), and the flow carries on under its id.
 *
 * The close record is out by then and stays; the gone record tells (`carried_on`, `forged`).
 * For la_on_segment.h and la_on_syn.h only.
 */
#ifndef LA_AFTER_RST_H
#define LA_AFTER_RST_H

#include "la_forged.h"
#include "la_pass.h"

/* A RST has arrived after this time; what its receiver says later it says in spite of it. */
#define LA_RST_ARRIVED_NS LA_SEC_NS

/* s, who sent a RST, sends [.., end) or acknowledges what cannot have been sent before it. */
LA_INLINE bool la_sends_on(const struct la_pass *x, __u32 end)
{
	const struct la_side *s = x->s, *p = x->p;
	bool own = !(p->flags & LA_S_ACKS) || !la_after(s->rst_seq, p->edge);

	if (la_after(x->seg->ack, s->rst_peer))
		return true;
	/* A number far beyond the window was never its own: then any new data will do. */
	return la_after(end, s->nxt) && (!own || la_after(end, s->rst_seq));
}

/* s, to whom a RST was sent, goes on. */
LA_INLINE bool la_survives(const struct la_pass *x)
{
	return la_after(x->seg->ack, x->p->rst_seq) ||
	       la_elapsed(x->f->rst_at, x->out->ts) > LA_RST_ARRIVED_NS;
}

/* Back to where a side was before the RST, unless it is there already (la_undo.h), or beyond. */
LA_INLINE void la_return(struct la_pass *x, __u8 side)
{
	struct la_side *s = &x->f->side[side & 1];

	s->before = 0;
	if (s->state == LA_CLOSED)
		la_enter(x->f, side, s->was, LA_CORRECTED, LA_CAUSE_RST, x->out);
	s->was = 0;
}

/* Both are where they were before the RST, for all to see. */
LA_INLINE void la_carry_on(struct la_pass *x)
{
	struct la_flow *f = x->f;

	f->flags |= LA_F_CARRIED_ON;
	la_return(x, x->d);
	la_return(x, !x->d);
}

/* Takes an acceptable segment, ending at `end`, before it is noted in the flow. */
LA_INLINE void la_after_rst(struct la_pass *x, __u32 end)
{
	struct la_flow *f = x->f;
	struct la_side *s = x->s, *p = x->p;

	if (s->flags & LA_S_RST) {
		s->marks |= LA_M_SPOKE;
		if (la_sends_on(x, end)) {
			s->marks |= LA_M_ALIVE;
			f->forged |=
				(la_has_reset(s) << (LA_EVIDENCE_SENDS_ON - 1)) & la_suspects(f);
		}
	} else if ((p->flags & LA_S_RST) && la_survives(x)) {
		s->marks |= LA_M_ALIVE;
	}
	if (la_is_cut(f) && (s->marks & p->marks & LA_M_ALIVE) && s->was >= LA_SYN_SENT &&
	    p->was >= LA_SYN_SENT)
		la_carry_on(x);
}

#endif
