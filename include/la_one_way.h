/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_one_way.h - the end of a connection of which only one side is heard (asymmetric routing,
 * direct server return, a tap on one direction). s is heard, p is not.
 *
 *   s has closed, and acknowledges one more than before    p's FIN: both have closed
 *   s has closed, and acknowledges more, then is silent    data and FIN of p in one segment:
 *                                                          a short clock, then closed by s
 *   s has closed, and is silent from then on               s had p's FIN before: closed by p
 *   s sends its FIN again and again                        nobody answers: timeout
 *
 * One byte of data looks like a FIN, too: if s acknowledges more later, both go back. All that
 * is said of p is presumed, and so is in which order both closed. An attempt that nobody answers
 * is not one way.
 */
#ifndef LA_ONE_WAY_H
#define LA_ONE_WAY_H

#include "la_pass.h"

/* Without an answer its sender would have had to repeat itself by now, ns. */
#define LA_ANSWERED_NS (3 * LA_SEC_NS)

/* Does a segment of s, ending at `end`, tell that p is there? */
LA_INLINE bool la_is_answered(const struct la_pass *x, __u32 end)
{
	const struct la_side *s = x->s;

	if ((s->flags & LA_S_ACKS) && la_after(x->seg->ack, s->ack))
		return true;
	return la_after(end, s->nxt) && !s->retrans &&
	       la_elapsed(x->f->start, x->out->ts) > LA_ANSWERED_NS;
}

/* s acknowledges one byte more: the FIN of p. */
LA_INLINE void la_presume_fin(struct la_pass *x)
{
	struct la_side *s = x->s, *p = x->p;

	p->nxt = x->seg->ack;
	p->flags |= LA_S_FIN | LA_S_ACKS;
	p->fin_end = x->seg->ack;
	p->ack = s->fin_end;
	p->edge = s->fin_end;
	la_move(x->f, !x->d, LA_EV_RCV_FIN, LA_PRESUMED, LA_CAUSE_FIN, x->out);
	la_move(x->f, !x->d, LA_EV_SND_FIN, LA_PRESUMED, LA_CAUSE_ACK, x->out);
	la_move(x->f, x->d, LA_EV_RCV_ACK_OF_FIN, LA_PRESUMED, LA_CAUSE_ACK, x->out);
	la_move(x->f, x->d, LA_EV_RCV_FIN, LA_PRESUMED, LA_CAUSE_ACK, x->out);
}

/* It was data: s acknowledges more. */
LA_INLINE void la_take_back_fin(struct la_pass *x)
{
	struct la_side *p = x->p;

	p->flags &= ~(LA_S_FIN | LA_S_ACKS);
	p->bytes++;
	la_enter(x->f, x->d, LA_FIN_WAIT_2, LA_CORRECTED, LA_CAUSE_ACK, x->out);
	la_enter(x->f, !x->d, LA_CLOSE_WAIT, LA_CORRECTED, LA_CAUSE_ACK, x->out);
}

/* Takes an acceptable segment of s before it is noted: does it acknowledge a FIN unheard? Nobody,
 * whom an old SYN names, sends none. */
LA_INLINE void la_unheard_fin(struct la_pass *x)
{
	struct la_side *s = x->s, *p = x->p;

	if (p->pkts || !(s->flags & LA_S_FIN) || !(s->flags & LA_S_ACKS))
		return;
	if (la_after(x->seg->ack, s->ack))
		s->marks |= LA_M_ACKS_ON;
	if (!(p->flags & LA_S_FIN)) {
		if (x->seg->ack == s->ack + 1 && p->nxt == s->ack && p->state != LA_CLOSED)
			la_presume_fin(x);
	} else if (la_after(x->seg->ack, p->fin_end) && s->state == LA_TIME_WAIT) {
		la_take_back_fin(x);
	}
}

#endif
