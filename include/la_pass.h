/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_pass.h - a segment on its way through the tracker, and what every stage asks of it.
 *
 * Throughout, `s` is the side that sent the segment and `p` its peer. A segment proves
 * something about s (LA_SEEN); about p it only lets us presume (LA_PRESUMED), because it may
 * yet be lost. For the stages (la_open.h, la_hook.h, la_on_*.h) and la_track.h only.
 */
#ifndef LA_PASS_H
#define LA_PASS_H

#include "la_account.h"
#include "la_expire.h"
#include "la_flight.h"
#include "la_flow.h"
#include "la_out.h"
#include "la_paws.h"
#include "la_window.h"

/* A segment under way through the tracker, with what is asked of it again and again. */
struct la_pass {
	struct la_flow *f;
	struct la_side *s; /* sent it */
	struct la_side *p; /* its peer */
	const struct la_segment *seg;
	struct la_out *out;
	struct la_gap gap; /* in what p sent, told by this segment's ACK */
	__u8 d;		   /* index of s */
};

/* Is s the originator? A late SYN may turn that. */
LA_INLINE bool la_is_orig(const struct la_pass *x)
{
	return x->d == la_reload(x->f->orig);
}

/* Takes what a SYN says of its sender (RFC 9293 3.7.1, RFC 7323 2). */
LA_INLINE void la_take_syn(struct la_side *s, __u32 seq, __u32 end, __u16 mss, __u8 wscale,
			   __u8 opts)
{
	s->isn = seq;
	s->nxt = end;
	s->flags |= LA_S_SEEN | LA_S_SYN;
	s->mss = opts & LA_OPT_MSS ? mss : 536;
	s->wscale = opts & LA_OPT_WSCALE ? wscale : 0;
	if ((opts & (LA_OPT_WSCALE | LA_OPT_BAD)) == LA_OPT_BAD)
		s->wscale = LA_WSCALE_MAX; /* it may have been among what could not be read */
	s->flags &= ~LA_S_WSCALE;
	if (opts & (LA_OPT_WSCALE | LA_OPT_BAD))
		s->flags |= LA_S_WSCALE;
}

/* Both SYNs are known: scaling counts only if both announced it (RFC 7323 1.3). */
LA_INLINE void la_agree_wscale(struct la_flow *f)
{
	if (f->side[0].flags & f->side[1].flags & LA_S_WSCALE)
		return;
	f->side[0].wscale = 0;
	f->side[1].wscale = 0;
}

/* The acknowledgement and the window that a segment of s carries. */
LA_INLINE void la_take_ack(struct la_side *s, const struct la_segment *seg)
{
	__u32 edge = seg->ack + la_seg_window(s, seg);

	if (!(s->flags & LA_S_ACKS)) {
		s->flags |= LA_S_ACKS;
		s->ack = seg->ack;
		s->edge = edge;
		return;
	}
	if (la_after(seg->ack, s->ack))
		s->ack = seg->ack;
	if (la_after(edge, s->edge))
		s->edge = edge;
}

/* The usual TTL or hop limit of s, for a RST to be compared with (la_forged.h). */
LA_INLINE void la_take_ttl(struct la_side *s, __u8 ttl)
{
	s->ttl = ttl;
	if (!s->ttl_first)
		s->ttl_first = ttl;
}

/* The handshake is complete. */
LA_INLINE void la_established(struct la_flow *f, __u64 ts)
{
	if (!f->established && !(f->flags & LA_F_MIDSTREAM))
		f->established = ts;
}

#endif
