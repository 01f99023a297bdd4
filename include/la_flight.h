/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_flight.h - how the sliding window was used: bytes in flight, windows filled and shut.
 *
 *     peer.ack            s.nxt        peer.edge
 *        |-- in flight ----|--- usable ---|        (RFC 9293 3.3.1, 3.8.6)
 *
 * A window of zero begins a period that ends with the next window that is not, by the newest
 * segments only: a late one does not shut it again. The right edge may be taken back
 * (RFC 9293 3.8.6 warns of it), but what was promised once is acceptable all the same, so a
 * shut window is a flag and not a matter of ack == edge.
 * For the stages of the tracker, the fast path, and the close record.
 */
#ifndef LA_FLIGHT_H
#define LA_FLIGHT_H

#include "la_flow.h"
#include "la_window.h"

/* What s has sent and p has not acknowledged, in sequence numbers; 0 if that is not known. */
LA_INLINE __u32 la_in_flight(const struct la_side *s, const struct la_side *p)
{
	if (!(s->flags & LA_S_SEEN) || !(p->flags & LA_S_ACKS))
		return 0;
	return la_after(s->nxt, p->ack) ? s->nxt - p->ack : 0;
}

/*
 * s has sent data up to `end`. Runs without a lock too: then a maximum may be lost to
 * another CPU, a count may not.
 */
LA_INLINE void la_note_flight(struct la_side *s, const struct la_side *p, __u32 end)
{
	__u32 flight = end - p->ack;

	if (!(p->flags & LA_S_ACKS) || !la_after(end, p->ack))
		return;
	if (flight > s->flight_max)
		s->flight_max = flight;
	if (la_after(end + p->mss, p->edge)) /* no room for another full segment */
		__sync_fetch_and_add(&s->fulls, 1);
}

/*
 * The window that a segment of s, without RST, advertises: has it shut, or opened? If the peer
 * has sent its FIN nobody waits for it.
 */
LA_INLINE void la_note_window(struct la_side *s, const struct la_side *p, struct la_zero *zero,
			      const struct la_segment *seg)
{
	bool shut = !seg->win && !(p->flags & LA_S_FIN);

	if (la_before(seg->ack, s->ack))
		return;
	s->wnd = la_seg_window(s, seg);
	if (shut == !!(s->flags & LA_S_SHUT))
		return;
	s->flags ^= LA_S_SHUT;
	if (shut) {
		zero->periods++;
		zero->ns -= seg->ts;
	} else {
		zero->ns += seg->ts;
	}
}

/* How long the window of s has been shut in all, by the time `now`. */
LA_INLINE __u64 la_zero_window_ns(const struct la_side *s, const struct la_zero *zero, __u64 now)
{
	return s->flags & LA_S_SHUT ? zero->ns + now : zero->ns;
}

#endif
