/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_window.h - is a segment acceptable to its receiver?
 *
 * RFC 9293 3.10.7.4 asks this of the receiver's RCV.NXT and RCV.WND. An observer knows them
 * only from what the receiver said last, so it works with bounds, for a segment
 * [seq, end) with acknowledgement `ack`, sent by s to p:
 *
 *   una  = p.ack    the receiver has all below:   end <= una   old duplicate
 *   edge = p.edge   and promised room up to here: seq >  edge  beyond the window
 *   nxt  = p.nxt    it has sent all below:        ack >  nxt   acknowledges the unsent
 *   s.ack           the sender had this already:  ack << s.ack too old (RFC 5961 5.2)
 *
 * An observer may have missed segments, so `ack > nxt` alone is no crime: what a correct
 * stack acknowledges it has received, and it can have received only what fitted in the
 * window it advertised. Up to that edge the tracker follows instead of complaining. Except of
 * whom only an old SYN speaks (la_on_syn.h): a TIME_WAIT answers with the numbers of the old
 * connection, and by RFC 9293 3.4.1 the new one begins just above those.
 */
#ifndef LA_WINDOW_H
#define LA_WINDOW_H

#include "la_flow.h"

/* RFC 7323 2.3: the largest shift. Assumed where the SYN was not seen. */
#define LA_WSCALE_MAX 14

/* Payload plus FIN: where the segment ends in sequence space. SYN is the caller's affair. */
LA_INLINE __u32 la_seg_end(const struct la_segment *seg)
{
	return seg->seq + seg->len + !!(seg->flags & LA_FIN);
}

/* The window a segment of s advertises, in bytes. RFC 7323 2.2: not scaled on a SYN. */
LA_INLINE __u32 la_seg_window(const struct la_side *s, const struct la_segment *seg)
{
	return seg->flags & LA_SYN ? seg->win : (__u32)seg->win << (s->wscale & 15);
}

/*
 * A segment wholly below the window of p: what may it be? RFC 9293 3.8.4: a keepalive repeats
 * the last sequence number, with at most one byte. So do probes of a zero window, in Linux.
 */
LA_INLINE enum la_reason la_below_window(const struct la_side *p, const struct la_segment *seg)
{
	if (seg->seq == p->ack - 1 && seg->len <= 1)
		return p->flags & LA_S_SHUT ? LA_R_WINDOW_PROBE : LA_R_KEEPALIVE;
	return LA_R_OLD_DUPLICATE;
}

/* The acknowledgement of a segment of s against what p has sent. */
LA_INLINE enum la_reason la_check_ack(const struct la_side *s, const struct la_side *p,
				      const struct la_segment *seg)
{
	if (!(p->flags & LA_S_SEEN))
		return LA_R_ACCEPTED;
	if (la_after(seg->ack, p->nxt)) {
		if (!(s->flags & LA_S_ACKS) && (!(p->flags & LA_S_ACKS) || s->state == LA_CLOSED))
			return LA_R_ACK_ABOVE_SENT; /* in a handshake nothing was missed */
		if ((s->flags & LA_S_ACKS) && la_after(seg->ack, s->edge))
			return LA_R_ACK_ABOVE_SENT;
		return LA_R_ACCEPTED;
	}
	if ((s->flags & LA_S_ACKS) &&
	    (__s32)(s->ack - seg->ack) > (__s32)(65536U << (s->wscale & 15)))
		return LA_R_ACK_TOO_OLD;
	if (!(s->flags & LA_S_ACKS) && (p->flags & LA_S_SYN) && !la_after(seg->ack, p->isn))
		return LA_R_ACK_TOO_OLD; /* its first ACK is of the SYN */
	return LA_R_ACCEPTED;
}

/*
 * Judges a segment without SYN or RST that s sent to p, before the flow is updated.
 * Returns LA_R_ACCEPTED, or the reason to ignore it or to call it invalid.
 */
LA_INLINE enum la_reason la_window_check(const struct la_side *s, const struct la_side *p,
					 const struct la_segment *seg)
{
	__u32 end = la_seg_end(seg);
	enum la_reason reason;

	/* A FIN sent again is acceptable: its receiver answers it even in TIME_WAIT. */
	if ((seg->flags & LA_FIN) && (s->flags & LA_S_FIN) && end == s->fin_end)
		return la_check_ack(s, p, seg);
	if ((s->flags & LA_S_FIN) && la_after(end, s->fin_end))
		return LA_R_SEQ_ABOVE_WINDOW; /* data after its own FIN */
	reason = la_check_ack(s, p, seg);
	if (reason != LA_R_ACCEPTED || !(p->flags & LA_S_ACKS))
		return reason;
	if (seg->seq == p->ack && end == p->ack)
		return LA_R_ACCEPTED;
	if (!la_after(end, p->ack))
		return la_below_window(p, seg);
	if (la_after(seg->seq, p->edge))
		return LA_R_SEQ_ABOVE_WINDOW;
	if (seg->seq == p->ack && end == p->ack + 1 && seg->len && (p->flags & LA_S_SHUT))
		return LA_R_WINDOW_PROBE; /* RFC 9293 3.8.6.1: one byte of new data */
	return LA_R_ACCEPTED;
}

#endif
