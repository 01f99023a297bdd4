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
 * All that is said of p is presumed. A flow of an attempt that nobody answers is not one way.
 */
#ifndef LA_ONE_WAY_H
#define LA_ONE_WAY_H

#include "la_pass.h"

/* Takes an acceptable segment of s before it is noted: does it acknowledge a FIN unheard? */
LA_INLINE void la_unheard_fin(struct la_pass *x)
{
	struct la_side *s = x->s, *p = x->p;

	if (p->pkts || !(s->flags & LA_S_FIN) || !(s->flags & LA_S_ACKS))
		return;
	if (la_after(x->seg->ack, s->ack))
		s->marks |= LA_M_ACKS_ON;
	if (x->seg->ack != s->ack + 1 || p->nxt != s->ack || (p->flags & LA_S_FIN))
		return;
	p->nxt = x->seg->ack;
	p->flags |= LA_S_FIN | LA_S_ACKS;
	p->fin_end = x->seg->ack;
	p->ack = s->fin_end;
	p->edge = s->fin_end;
	la_move(x->f, !x->d, LA_EV_SND_FIN, LA_PRESUMED, LA_CAUSE_ACK, x->out);
	la_move(x->f, x->d, LA_EV_RCV_ACK_OF_FIN, LA_PRESUMED, LA_CAUSE_ACK, x->out);
}

#endif
