/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_hook.h - one owning hook per direction: a packet that passes two of them counts once.
 */
#ifndef LA_HOOK_H
#define LA_HOOK_H

#include "la_flow.h"
#include "la_window.h"

/* Does the segment tell anything that the owner of its direction has not told? */
LA_INLINE bool la_is_news(const struct la_side *s, const struct la_segment *seg)
{
	if (seg->flags & LA_RST)
		return !(s->flags & LA_S_RST) || seg->seq != s->rst_seq;
	if (!(s->flags & LA_S_SEEN))
		return true;
	if (seg->flags & LA_SYN)
		return !(s->flags & LA_S_SYN) || seg->seq != s->isn;
	return la_after(la_seg_end(seg), s->nxt) ||
	       (s->flags & LA_S_ACKS && la_after(seg->ack, s->ack));
}

/*
 * A packet that passes two hooks counts at the first. Should the route change, whoever
 * sees what the owner did not see becomes the owner.
 */
LA_INLINE bool la_own(struct la_side *s, const struct la_segment *seg)
{
	if (s->hook == seg->hook)
		return true;
	if (s->hook && !la_is_news(s, seg))
		return false;
	s->hook = seg->hook;
	return true;
}

#endif
