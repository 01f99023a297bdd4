/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_paws.h - protection against wrapped sequence numbers (RFC 7323 5), and the reuse of a
 * TIME_WAIT by timestamp (RFC 6191).
 *
 * A receiver drops what bears an older time than its TS.Recent, and TS.Recent is what it
 * echoes. So it need not be modelled: the last TSecr of a side is a lower bound of it, and if
 * the receiver should accept what seems too old, its next echo says so. Without an echo there
 * is nothing to protect: both SYNs must have borne timestamps.
 */
#ifndef LA_PAWS_H
#define LA_PAWS_H

#include "la_flow.h"

/* RFC 7323 5.5: after 24 days of silence a clock of 1 ms has turned over, ns. */
#define LA_PAWS_IDLE (24 * 86400 * LA_SEC_NS)

/* Will p drop the segment, which is no RST, as too old? One tick is forgiven, as by Linux. */
LA_INLINE bool la_is_wrapped(const struct la_side *p, const struct la_segment *seg)
{
	return (seg->opts & LA_OPT_TS) && p->tsecr && la_before(seg->tsval + 1, p->tsecr);
}

/* The same, if there has been talk of late. */
LA_INLINE bool la_paws_drops(const struct la_flow *f, const struct la_side *p,
			     const struct la_segment *seg)
{
	return la_is_wrapped(p, seg) && la_elapsed(f->last, seg->ts) < LA_PAWS_IDLE;
}

/*
 * May a SYN of s reopen the TIME_WAIT of its peer? RFC 6191 2: by its timestamp, if the old
 * connection had any; else, and at the same tick, by its number (RFC 1122 4.2.2.13).
 */
LA_INLINE bool la_syn_is_newer(const struct la_side *s, const struct la_segment *seg)
{
	if ((seg->opts & LA_OPT_TS) && s->tsval && seg->tsval != s->tsval)
		return la_after(seg->tsval, s->tsval);
	return la_after(seg->seq, s->nxt);
}

#endif
