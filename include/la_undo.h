/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_undo.h - what the last segment of its peer let us presume of an endpoint, taken back.
 *
 *   RST without ACK   answers a segment that met no socket any more (RFC 9293 3.10.7.1), so
 *                     the last one of the peer did not move its sender after all
 *   RST with ACK      comes from a socket, and its ACK tells whether that had the peer's FIN
 *   both              when several come, in whatever order, each tells for itself
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

/* Back to where a side was before the RST that ended it, or else its peer's last segment. */
LA_INLINE void la_take_back(struct la_pass *x, __u8 side, enum la_cause cause)
{
	struct la_side *s = &x->f->side[side & 1];
	__u8 to = s->was ? s->was : s->before;

	if (!(s->flags & LA_S_PRESUMED) || !to)
		return;
	la_enter(x->f, side, to, LA_CORRECTED, cause, x->out);
	s->before = 0;
}

/* A RST will end it, unless something else has. */
LA_INLINE void la_keep_state(struct la_side *s)
{
	s->was = s->state != LA_CLOSED ? s->state : 0;
}

/* A RST should end a side that did not send it. */
LA_INLINE void la_presume_reset(struct la_pass *x, __u8 side)
{
	struct la_side *s = &x->f->side[side & 1];
	__u8 before = s->state;

	if (la_move(x->f, side, LA_EV_RESET, LA_PRESUMED, LA_CAUSE_RST, x->out))
		s->was = before;
}

/* The last state without the peer's FIN that s left only presumed; 0: none. */
LA_INLINE __u8 la_before_fin(const struct la_side *s)
{
	if (s->passed & la_passed_bit(LA_FIN_WAIT_2))
		return LA_FIN_WAIT_2;
	if (s->passed & la_passed_bit(LA_FIN_WAIT_1))
		return LA_FIN_WAIT_1;
	return s->passed & la_passed_bit(LA_ESTABLISHED) ? LA_ESTABLISHED : 0;
}

/* Data on the SYN was accepted: there was a socket before the third ACK (RFC 7413). */
LA_INLINE bool la_opened_fast(const struct la_side *s, const struct la_side *p)
{
	return s->ack != p->isn + 1;
}

/*
 * May the third ACK have met no socket, and so all that followed it? If there was one before, or
 * a RST of the peer that others may have met behind, only if each segment of the peer but SYN
 * and RST was answered by a RST.
 */
LA_INLINE bool la_doubts_third_ack(const struct la_pass *x)
{
	const struct la_side *s = x->s, *p = x->p;
	/* The SYN; and a RST that came before the end, for those behind it are in late_rst. */
	__u32 unanswered = 1 + ((p->flags & LA_S_RST) && x->f->rst_sender != x->d);

	if (!(s->passed & la_passed_bit(LA_SYN_RECEIVED)))
		return false;
	return (s->state != LA_CLOSED && !la_opened_fast(s, p)) ||
	       x->f->late_rst + unanswered >= p->pkts;
}

/*
 * The RST is the second one behind the end that tells of an unread ACK of the FIN of s, and nothing
 * has come since the end that it could answer. So the first one answered the FIN of p, and this one
 * what came before that.
 */
LA_INLINE bool la_has_read_no_ack(const struct la_pass *x)
{
	const struct la_side *s = x->s, *p = x->p;

	return s->was == LA_FIN_WAIT_2 && (s->passed & la_passed_bit(LA_FIN_WAIT_1)) &&
	       x->f->late_rst > 1 && x->f->rst_sender == x->d && x->seg->seq == s->fin_end &&
	       (p->flags & LA_S_FIN) && s->ack + 1 == p->fin_end &&
	       x->f->late_rst == x->f->late_pkts + 1;
}

/* The RST has no ACK: where was s when it was sent what it answers? 0: where it is. */
LA_INLINE __u8 la_refuted_by_none(const struct la_pass *x)
{
	const struct la_side *s = x->s;
	bool doubt = s->state == LA_CLOSED ? s->passed : s->flags & LA_S_PRESUMED;
	/* Behind a RST of its peer it may answer anything. */
	bool presumed = doubt && !(x->p->flags & LA_S_RST);
	__u8 to;

	if (la_doubts_third_ack(x))
		return LA_SYN_RECEIVED;
	/* It bears the ACK of what it answers: not the last segment, if that moved s, but one that
	 * did not acknowledge the FIN; unless the last one was late, and is such. */
	if ((s->flags & LA_S_FIN) && la_before(x->seg->seq, s->fin_end) &&
	    !(x->p->marks & LA_M_OVERTAKEN) && (s->passed & la_passed_bit(LA_FIN_WAIT_1)))
		return LA_FIN_WAIT_1;
	if (presumed && la_has_read_no_ack(x))
		return LA_FIN_WAIT_1;
	if (!presumed || s->before || s->state != LA_TIME_WAIT)
		return presumed ? s->before : 0;
	/* In TIME_WAIT it would say nothing, or repeat its ACK. */
	if (s->passed & la_passed_bit(LA_CLOSING))
		return LA_CLOSING;
	to = la_before_fin(s);
	/* What it answers bore the ACK of the FIN, and came before that of the peer. */
	return to == LA_FIN_WAIT_1 && x->seg->seq == s->fin_end ? LA_FIN_WAIT_2 : to;
}

/* The RST has an ACK: where was s when it sent it? 0: where it is. */
LA_INLINE __u8 la_refuted_by_socket(const struct la_pass *x)
{
	const struct la_side *s = x->s, *p = x->p;
	bool closed = s->state == LA_CLOSED;
	__u8 state = closed ? s->was : s->state;

	/* It has had the third ACK; the RST of no socket has overtaken it. */
	if (closed && state == LA_SYN_RECEIVED && (p->flags & LA_S_ACKS) &&
	    la_after(p->ack, s->isn) && !la_opened_fast(s, p))
		return LA_ESTABLISHED;
	if (state < LA_CLOSE_WAIT || !(p->flags & LA_S_FIN) || !la_before(x->seg->ack, p->fin_end))
		return 0;
	/* The third ACK bore the FIN: a socket has read the one, but not the other. */
	if ((s->passed & la_passed_bit(LA_SYN_RECEIVED)) && !la_opened_fast(s, p) &&
	    !la_before_fin(s))
		return LA_ESTABLISHED;
	return la_before_fin(s);
}

/* What a socket that sends a RST with an ACK has had is in doubt no more. */
LA_INLINE void la_prove_by_socket(const struct la_pass *x)
{
	struct la_side *s = x->s, *p = x->p;
	bool slow = !la_opened_fast(s, p);

	if (slow)
		s->passed &= ~la_passed_bit(LA_SYN_RECEIVED);
	/* Its SYN-ACK was sent again, but the ACK had only crossed it. */
	if (slow && x->seg->seq == s->nxt && (p->flags & LA_S_ACKS) && la_after(p->ack, s->isn))
		la_move(x->f, x->d, LA_EV_RCV_ACK_OF_SYN, LA_SEEN, LA_CAUSE_RST, x->out);
	if (!(p->flags & LA_S_FIN) || la_before(x->seg->ack, p->fin_end))
		return;
	la_move(x->f, x->d, LA_EV_RCV_FIN, LA_SEEN, LA_CAUSE_RST, x->out);
	s->passed &= la_passed_bit(LA_CLOSING);
	s->before = 0;
}

/* The RST answers data behind its sender's FIN, and that was in a segment with the ACK of it. */
LA_INLINE bool la_refuses_data(const struct la_pass *x)
{
	const struct la_side *s = x->s, *p = x->p;
	__u32 end = p->flags & LA_S_FIN ? p->fin_end - 1 : p->nxt;

	return !(x->seg->flags & LA_ACK) && s->state == LA_FIN_WAIT_1 &&
	       x->seg->seq == s->fin_end && la_after(end, s->ack);
}

/* What a RST proves of its sender, before it ends it. */
LA_INLINE void la_rst_proves(struct la_pass *x)
{
	struct la_side *s = x->s, *p = x->p;
	bool socket = x->seg->flags & LA_ACK;
	__u8 passed, to;

	if (s->state == LA_CLOSED && !s->was)
		return;
	if ((x->f->flags & LA_F_PROVISIONAL) && x->f->prov.dir == x->d)
		return; /* it comes from the socket of the new SYN, and not from this one */
	/* With both numbers right it comes from a socket that had the SYN-ACK. */
	if (s->state == LA_SYN_SENT && (p->flags & LA_S_SYN) && x->seg->seq == s->nxt &&
	    la_acks_syn(p, x->seg))
		la_move(x->f, x->d, LA_EV_SND_ACK_OF_SYN, LA_SEEN, LA_CAUSE_RST, x->out);
	if (la_refuses_data(x))
		la_move(x->f, x->d, LA_EV_RCV_ACK_OF_FIN, LA_SEEN, LA_CAUSE_RST, x->out);
	to = socket ? la_refuted_by_socket(x) : la_refuted_by_none(x);
	if (socket)
		la_prove_by_socket(x);
	if (!to || (s->state == LA_CLOSED && to == s->was))
		return;
	passed = s->passed;
	la_enter(x->f, x->d, to, LA_CORRECTED, LA_CAUSE_RST, x->out);
	s->passed = passed & (la_passed_bit(to) - 1); /* what came before is not refuted */
	s->before = 0;
}

/*
 * A RST after the end. One at its sender's SND.NXT shows that what looked like TIME_WAIT
 * was no socket any more; and who was taken for a survivor of the first RST ends with this.
 */
LA_INLINE void la_on_late_rst(struct la_pass *x)
{
	__u8 before;

	if (x->seg->seq != x->s->nxt) {
		/* It answers a peer that has survived the first one, and has not had all. */
		if (x->seg->seq == x->p->ack)
			la_presume_reset(x, !x->d);
		return;
	}
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
