/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_rst.h - what the receiver of a RST makes of it (RFC 9293 3.10.7, RFC 5961 3.2).
 *
 * The receiver p resets only if SEG.SEQ == RCV.NXT; inside the window it answers with a
 * challenge ACK; outside it drops the RST. An observer knows two numbers that RCV.NXT may
 * equal: the last acknowledgement of p, and, if nothing is in flight or all of it arrives,
 * the end of what the sender s has sent. A RST at either is `exact`. In SYN_SENT a RST
 * counts only if it acknowledges the SYN. Whether s has sent it at all: la_forged.h.
 */
#ifndef LA_RST_H
#define LA_RST_H

#include "la_flow.h"

/*
 * Linux takes a RST one below RCV.NXT, too, after the peer's FIN (tcp_reset_check: some hosts
 * send it with the number of their FIN).
 */
LA_INLINE bool la_rst_at_fin(const struct la_side *s, const struct la_side *p, __u32 seq)
{
	return (s->flags & LA_S_FIN) && seq + 1 == s->fin_end && p->ack == s->fin_end &&
	       (p->state == LA_CLOSE_WAIT || p->state == LA_LAST_ACK || p->state == LA_CLOSING);
}

/* Is the RST at a number that p may expect next? */
LA_INLINE bool la_rst_exact(const struct la_side *s, const struct la_side *p, __u32 seq)
{
	if ((s->flags & LA_S_SEEN) && seq == s->nxt)
		return true;
	if (p->flags & LA_S_ACKS)
		return seq == p->ack || la_rst_at_fin(s, p, seq);
	/* One way only: the ACK that a true host answers has passed elsewhere. */
	return !p->pkts && (s->flags & LA_S_SEEN) && la_before(seq, s->nxt) &&
	       la_after(seq, s->isn);
}

/* Does the segment acknowledge the SYN of p, and nothing that p has not sent? */
LA_INLINE bool la_acks_syn(const struct la_side *p, const struct la_segment *seg)
{
	return (seg->flags & LA_ACK) && la_after(seg->ack, p->isn) && !la_after(seg->ack, p->nxt);
}

/* The verdict on a RST from s to p, of a connection that has not ended. */
LA_INLINE enum la_rst_verdict la_rst_judge(const struct la_side *s, const struct la_side *p,
					   const struct la_segment *seg)
{
	if (p->state == LA_SYN_SENT && !(s->flags & LA_S_SYN))
		return la_acks_syn(p, seg) ? LA_RST_SYN_SENT_ACK_OK : LA_RST_SYN_SENT_ACK_BAD;
	if (la_rst_exact(s, p, seg->seq))
		return LA_RST_EXACT;
	/* The listener that had sent a SYN-ACK is gone when the SYN comes again. */
	if (p->state == LA_SYN_SENT && la_acks_syn(p, seg))
		return LA_RST_SYN_SENT_ACK_OK;
	if ((p->flags & LA_S_ACKS) && la_after(seg->seq, p->ack) && la_before(seg->seq, p->edge))
		return LA_RST_IN_WINDOW;
	return LA_RST_OUT_OF_WINDOW;
}

/* The number that p expects next of s, as far as an observer can tell: where a RST counts. */
LA_INLINE __u32 la_rst_aim(const struct la_side *s, const struct la_side *p)
{
	return p->flags & LA_S_ACKS ? p->ack : s->nxt;
}

/* True if the receiver gives the connection up. */
LA_INLINE bool la_rst_closes(enum la_rst_verdict verdict)
{
	return verdict == LA_RST_EXACT || verdict == LA_RST_SYN_SENT_ACK_OK;
}

#endif
