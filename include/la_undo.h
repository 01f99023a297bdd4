/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_undo.h - what the last segment of its peer let us presume of an endpoint, taken back.
 *
 *   RST without ACK   answers a segment that met no socket any more (RFC 9293 3.10.7.1), so
 *                     the last one of the peer did not move its sender after all
 *   RST with ACK      comes from a socket, and its ACK tells whether that had the peer's FIN
 *   anything else     after a RST of the peer: the RST had not arrived when it was sent
 *
 * Both ways cross all the time, without any loss. For la_on_rst.h and la_on_segment.h only.
 */
#ifndef LA_UNDO_H
#define LA_UNDO_H

#include "la_pass.h"
#include "la_rst.h"

/* A RST is on its way for no longer than that; what its receiver says later it survived. */
#define LA_RST_UNDER_WAY_NS LA_SEC_NS

/* Back to where a side was before its peer's last segment. */
LA_INLINE void la_take_back(struct la_pass *x, __u8 side, enum la_cause cause)
{
	struct la_side *s = &x->f->side[side & 1];

	if (!(s->flags & LA_S_PRESUMED) || !s->before)
		return;
	la_enter(x->f, side, s->before, LA_CORRECTED, cause, x->out);
	s->before = 0;
}

/* A RST should end a side that did not send it. */
LA_INLINE void la_presume_reset(struct la_pass *x, __u8 side)
{
	struct la_side *s = &x->f->side[side & 1];
	__u8 before = s->state;

	if (!la_move(x->f, side, LA_EV_RESET, LA_PRESUMED, LA_CAUSE_RST, x->out))
		return;
	s->before = before;
	s->was = before;
}

/* What a RST proves of its sender, before it ends it. */
LA_INLINE void la_rst_proves(struct la_pass *x)
{
	const struct la_side *p = x->p;

	if (x->s->state == LA_CLOSED)
		return;
	if ((x->f->flags & LA_F_PROVISIONAL) && x->f->prov.dir == x->d)
		return; /* it comes from the socket of the new SYN, and not from this one */
	/* With both numbers right it comes from a socket that had the SYN-ACK. */
	if (x->s->state == LA_SYN_SENT && (p->flags & LA_S_SYN) && x->seg->seq == x->s->nxt &&
	    la_acks_syn(p, x->seg))
		la_move(x->f, x->d, LA_EV_SND_ACK_OF_SYN, LA_SEEN, LA_CAUSE_RST, x->out);
	/* A socket that acknowledges has had the third ACK. */
	if ((x->seg->flags & LA_ACK) && x->s->before == LA_SYN_RECEIVED)
		x->s->before = x->s->state == LA_CLOSE_WAIT ? LA_ESTABLISHED : 0;
	if (!(x->seg->flags & LA_ACK) ||
	    ((p->flags & LA_S_FIN) && la_before(x->seg->ack, p->fin_end)))
		la_take_back(x, x->d, LA_CAUSE_RST);
	/* It bears the ACK of what it answers, which was not that of the FIN. */
	if (!(x->seg->flags & LA_ACK) && (x->s->flags & LA_S_FIN) &&
	    la_before(x->seg->seq, x->s->fin_end))
		la_move(x->f, x->d, LA_EV_LOST_ACK_OF_FIN, LA_CORRECTED, LA_CAUSE_RST, x->out);
}

/*
 * A RST after the end. One at its sender's SND.NXT shows that what looked like TIME_WAIT
 * was no socket any more; and who was taken for a survivor of the first RST ends with this.
 */
LA_INLINE void la_on_late_rst(struct la_pass *x)
{
	__u8 before;

	if (x->seg->seq != x->s->nxt)
		return;
	la_rst_proves(x);
	before = x->s->state;
	if (la_move(x->f, x->d, LA_EV_RESET, LA_SEEN, LA_CAUSE_RST, x->out))
		x->s->was = before;
	la_presume_reset(x, !x->d);
}

/* True if the sender was taken for reset by its peer, and was not when it sent this. */
LA_INLINE bool la_speaks_after_rst(struct la_pass *x)
{
	const struct la_flow *f = x->f;

	if (!la_is_cut(f) || f->rst_sender == x->d || x->s->state != LA_CLOSED)
		return false;
	la_take_back(x, x->d, LA_CAUSE_ACK);
	return x->s->state != LA_CLOSED;
}

/* It spoke, but the RST that is under way will reach it. */
LA_INLINE void la_after_speaking(struct la_pass *x)
{
	if (la_elapsed(x->f->ended, x->out->ts) < LA_RST_UNDER_WAY_NS)
		la_presume_reset(x, x->d);
}

#endif
