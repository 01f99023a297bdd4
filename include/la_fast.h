/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_fast.h - the plain segment of an open connection, without a lock.
 *
 * Nine packets in ten change no state: ACK only, in sequence, inside the window, both ends
 * established and nothing presumed. Here they are recognised with a handful of compares.
 * The segment is added to the tally at once (la_tally.h) and SND.NXT moves by compare and exchange,
 * so that a second CPU with a copy of the segment falls out to la_track(), which knows what a copy
 * is.
 */
#ifndef LA_FAST_H
#define LA_FAST_H

#include "la_account.h"
#include "la_flight.h"
#include "la_paws.h"
#include "la_tally.h"
#include "la_timeout.h"
#include "la_window.h"

/* Is the segment a plain one, by the flow as it is now? It needs no time for that. */
LA_INLINE bool la_is_plain(const struct la_flow *f, const struct la_segment *seg)
{
	const struct la_side *s = &f->side[seg->dir & 1], *p = &f->side[!(seg->dir & 1)];

	if (!(f->flags & LA_F_FAST) || s->hook != seg->hook || !seg->win || s->ttl != seg->ttl)
		return false;
	if ((seg->flags & (LA_SYN | LA_FIN | LA_RST | LA_ACK)) != LA_ACK)
		return false;
	if (!(s->flags & (seg->len ? LA_S_HIST_D : LA_S_HIST_A)))
		return false; /* its letter is not in the history yet */
	if (seg->len && f->data_segs < 2 && s == &f->side[f->orig & 1])
		return false; /* the stage still counts */
	if ((seg->opts & (LA_OPT_DSACK | LA_OPT_CUT)) || la_is_wrapped(p, seg))
		return false;
	return seg->seq == s->nxt && !la_before(seg->ack, s->ack) && !la_after(seg->ack, p->nxt) &&
	       !la_after(seg->seq + seg->len, p->edge) && !la_before(seg->seq + seg->len, p->ack);
}

/* Has it been silent for so long that its clock has run out, or that the silence is of interest? */
LA_INLINE bool la_was_silent(const struct la_flow *f, __u64 ts, const struct la_config *cfg)
{
	__u64 idle = cfg->timeouts[f->policy & LA_P_TIMEOUTS][LA_TIMEOUT_ESTABLISHED];

	return la_elapsed(f->last, ts) >= (idle < LA_SILENCE ? idle : LA_SILENCE);
}

/* Tracks a plain segment. Returns false, and has done nothing, if la_track() must do it. */
LA_INLINE bool la_take_plain(struct la_flow *f, const struct la_segment *seg,
			     const struct la_config *cfg, bool v4)
{
	struct la_side *s = &f->side[seg->dir & 1], *p = &f->side[!(seg->dir & 1)];
	__u32 end = seg->seq + seg->len, ack = s->ack, edge, segs;

	if (la_was_silent(f, seg->ts, cfg))
		return false;
	segs = la_wire_segs(p, seg, v4);
	if (!la_may_tally(s, seg, segs))
		return false;
	if (seg->len) {
		if (__sync_val_compare_and_swap(&s->nxt, seg->seq, end) != seg->seq)
			return false;
		la_note_flight(s, p, end);
	}
	la_tally(s, seg, segs);
	la_take_times(s, p, seg);
	if (la_after(seg->ack, ack))
		__sync_val_compare_and_swap(&s->ack, ack, seg->ack);
	s->wnd = la_seg_window(s, seg);
	edge = seg->ack + s->wnd;
	if (la_after(edge, s->edge))
		s->edge = edge;
	f->last = seg->ts;
	return true;
}

/* Tracks a segment if it is a plain one. Returns false as la_take_plain() does. */
LA_INLINE bool la_fast(struct la_flow *f, const struct la_segment *seg, const struct la_config *cfg,
		       bool v4)
{
	return la_is_plain(f, seg) && la_take_plain(f, seg, cfg, v4);
}

#endif
