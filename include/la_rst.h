/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_rst.h - what the receiver of a RST makes of it, and whether its sender sent it.
 *
 * RFC 9293 3.10.7, RFC 5961 3.2. The receiver p resets only if SEG.SEQ == RCV.NXT; inside
 * the window it answers with a challenge ACK; outside it drops the RST. An observer knows
 * two numbers that RCV.NXT may equal: the last acknowledgement of p, and, if nothing is in
 * flight or all of it arrives, the end of what the sender s has sent. A RST at either is
 * `exact`. In SYN_SENT a RST counts only if it acknowledges the SYN.
 */
#ifndef LA_RST_H
#define LA_RST_H

#include "la_flow.h"

/* The verdict on a RST from s to p, of a connection that has not ended. */
LA_INLINE enum la_rst_verdict la_rst_judge(const struct la_side *s, const struct la_side *p,
					   const struct la_segment *seg)
{
	if (p->state == LA_SYN_SENT && !(s->flags & LA_S_SYN)) {
		bool ok = (seg->flags & LA_ACK) && la_after(seg->ack, p->isn) &&
			  !la_after(seg->ack, p->nxt);

		return ok ? LA_RST_SYN_SENT_ACK_OK : LA_RST_SYN_SENT_ACK_BAD;
	}
	if ((p->flags & LA_S_ACKS) && seg->seq == p->ack)
		return LA_RST_EXACT;
	if ((s->flags & LA_S_SEEN) && seg->seq == s->nxt)
		return LA_RST_EXACT;
	if ((p->flags & LA_S_ACKS) && la_after(seg->seq, p->ack) && la_before(seg->seq, p->edge))
		return LA_RST_IN_WINDOW;
	return LA_RST_OUT_OF_WINDOW;
}

/* True if the receiver gives the connection up. */
LA_INLINE bool la_rst_closes(enum la_rst_verdict verdict)
{
	return verdict == LA_RST_EXACT || verdict == LA_RST_SYN_SENT_ACK_OK;
}

/*
 * Evidence, bits 1 << (enum la_evidence - 1), that something else than s sent this RST.
 * None of it is proof: middleboxes rewrite TTLs, and hosts without state guess sequence
 * numbers from the segment that they answer.
 */
LA_INLINE __u8 la_rst_evidence(const struct la_side *s, const struct la_side *p,
			       const struct la_segment *seg)
{
	__u8 bits = 0;

	if ((s->flags & LA_S_RST) && seg->seq != s->rst_seq)
		bits |= 1 << (LA_EVIDENCE_SECOND_RST - 1);
	if (!(s->flags & LA_S_SEEN))
		return bits;
	if (seg->ttl != s->ttl)
		bits |= 1 << (LA_EVIDENCE_TTL - 1);
	if ((p->flags & LA_S_ACKS) && la_before(seg->seq, p->ack))
		bits |= 1 << (LA_EVIDENCE_SEQ_TRAILS - 1);
	if (la_after(seg->seq, s->nxt))
		bits |= 1 << (LA_EVIDENCE_SEQ_JUMPS - 1);
	return bits;
}

#endif
