/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_account.h - what a side has sent: segments, bytes by sequence space, retransmissions
 * and holes.
 *
 * Bytes are counted where SND.NXT advances, so each byte counts once however often it was
 * sent, and a counter runs past 2^32 without help. What a segment below SND.NXT is, la_again.h
 * decides.
 */
#ifndef LA_ACCOUNT_H
#define LA_ACCOUNT_H

#include "la_again.h"

/* TCP option bytes of a segment, which its sender's MSS does not cover (RFC 9293 3.7.1). */
LA_INLINE __u32 la_option_bytes(const struct la_segment *seg, bool v4)
{
	__u32 fixed = v4 ? 40 : 60;

	return seg->hdr_len > fixed ? seg->hdr_len - fixed : 0;
}

/*
 * How many segments of the wire a packet stands for. The hook knows it, or it follows from
 * the segment size that the receiver announced.
 */
LA_INLINE __u32 la_wire_segs(const struct la_side *p, const struct la_segment *seg, bool v4)
{
	__u32 options = la_option_bytes(seg, v4), size = p->mss;

	if (seg->segs)
		return seg->segs;
	if (size <= options || seg->len <= size - options)
		return 1;
	size -= options;
	return (seg->len + size - 1) / size;
}

/* IP bytes of so many segments on the wire, each with its own headers. */
LA_INLINE __u64 la_wire_bytes(const struct la_segment *seg, __u32 segs)
{
	return seg->ip_len + (__u64)(segs - 1) * seg->hdr_len;
}

/* Counts a segment of s to p, whatever becomes of it. */
LA_INLINE void la_count_segment(struct la_side *s, const struct la_side *p,
				const struct la_segment *seg, bool v4)
{
	__u32 segs = la_wire_segs(p, seg, v4);

	s->pkts += segs;
	s->ip_bytes += la_wire_bytes(seg, segs);
}

/* [seq, end) arrived: what of the hole [*lo, *hi) is left? True if it lies in its middle. */
LA_INLINE bool la_fill_hole(__u32 *lo, __u32 *hi, __u32 seq, __u32 end)
{
	if (*lo == *hi)
		return false;
	if (!la_after(seq, *lo) && la_after(end, *lo))
		*lo = la_before(end, *hi) ? end : *hi;
	else if (la_before(seq, *hi) && !la_before(end, *hi))
		*hi = la_after(seq, *lo) ? seq : *lo;
	else
		return la_after(seq, *lo) && la_before(end, *hi);
	return false;
}

/* True if [seq, end) touches the hole. */
LA_INLINE bool la_in_hole(const struct la_side *s, __u32 seq, __u32 end)
{
	return s->hole_lo != s->hole_hi && la_before(seq, s->hole_hi) && la_after(end, s->hole_lo);
}

/*
 * Moves SND.NXT up to end. Returns by how much: 0 if another CPU was faster. The fast path
 * holds no lock, so that both move it by compare and exchange.
 */
LA_INLINE __u32 la_advance(struct la_side *s, __u32 end)
{
	__u32 nxt = s->nxt;

	if (!la_after(end, nxt))
		return 0;
	if (__sync_val_compare_and_swap(&s->nxt, nxt, end) == nxt)
		return end - nxt;
	nxt = s->nxt;
	if (!la_after(end, nxt))
		return 0;
	s->nxt = end;
	return end - nxt;
}

/* Takes note of the payload [seg->seq, end) that s sends to p. */
LA_INLINE void la_account_data(const struct la_flow *f, struct la_side *s, const struct la_side *p,
			       const struct la_segment *seg, __u32 end)
{
	__u32 fresh;

	if (seg->len && la_before(seg->seq, s->nxt))
		la_count_again(f, s, p, seg, la_in_hole(s, seg->seq, end));
	if (la_after(seg->seq, s->nxt)) {
		/* Of several holes one is made: what lies between them is known. */
		if (s->hole_lo == s->hole_hi)
			s->hole_lo = s->nxt;
		s->hole_hi = seg->seq;
		s->hole_at = la_short_time(seg->ts);
	}
	fresh = la_advance(s, end);
	if (fresh)
		s->bytes += fresh - !!(seg->flags & LA_FIN);
	la_fill_hole(&s->hole_lo, &s->hole_hi, seg->seq, end);
}

/* Bytes that an ACK told of and that nobody has seen sent. */
struct la_gap {
	__u32 bytes;
};

/* The peer acknowledged up to `ack`: it has what this observer may have missed. */
LA_INLINE void la_account_ack(struct la_side *p, __u32 ack, struct la_gap *gap)
{
	__u32 missed = p->flags & LA_S_SEEN ? la_advance(p, ack) : 0; /* else from nowhere */

	if (missed)
		p->bytes += missed;
	p->hist.ahead += missed;
	gap->bytes = missed;
	if (p->hole_lo != p->hole_hi && la_after(ack, p->hole_lo))
		p->hole_lo = la_before(ack, p->hole_hi) ? ack : p->hole_hi;
}

#endif
