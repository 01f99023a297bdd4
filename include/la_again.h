/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_again.h - bytes below SND.NXT: sent again, overtaken, or copied on the way?
 *
 *   sent again   the sender transmitted them once more                         retrans
 *   overtaken    later bytes were faster; they are seen for the first time     ooo
 *   copied       the network made two of one                                   dups
 *
 * With timestamps (RFC 7323) the sender tells: what it sends now bears at least the latest
 * time it has borne, so an older time was sent earlier. Within one tick, and without
 * timestamps, only missing bytes can have been overtaken, and only if they come sooner than a
 * retransmission could: for that, news of the loss must go to the receiver and back.
 *
 * `dups` counts all that a receiver gets a second time, whoever doubled it: what it had
 * acknowledged already, and what it says by DSACK (RFC 2883). For la_account.h.
 */
#ifndef LA_AGAIN_H
#define LA_AGAIN_H

#include "la_flow.h"

enum la_again { LA_SENT_AGAIN = 1, LA_OVERTAKEN, LA_COPIED };

/* Round trip time of a path whose handshake was not seen, and the longest that is believed: a
 * handshake that had to retransmit looks longer. ns. */
#define LA_RTT_UNKNOWN (3 * LA_MSEC_NS)
#define LA_RTT_MAX     (200 * LA_MSEC_NS)

/* Time in units of 1024 ns, modulo 2^32: 73 minutes. */
LA_INLINE __u32 la_short_time(__u64 ts)
{
	return ts >> 10;
}

/* The round trip time as the handshake shows it, from here to both ends and back, ns. */
LA_INLINE __u64 la_rtt(const struct la_flow *f)
{
	__u64 rtt = la_elapsed(f->start, f->established);

	if (!f->established)
		return LA_RTT_UNKNOWN;
	return rtt < LA_RTT_MAX ? rtt : LA_RTT_MAX;
}

/* The timestamps of a segment that s sends to p; what it echoes must have been sent. */
LA_INLINE void la_take_times(struct la_side *s, const struct la_side *p,
			     const struct la_segment *seg)
{
	if (!(seg->opts & LA_OPT_TS))
		return;
	if (!s->tsval || la_after(seg->tsval, s->tsval))
		s->tsval = seg->tsval;
	if ((seg->flags & LA_ACK) && !la_before(seg->ack, s->ack) &&
	    (!p->tsval || !la_after(seg->tsecr, p->tsval)))
		s->tsecr = seg->tsecr;
}

/* By its timestamp: did s send it earlier than what has been seen of s, or just with that? */
LA_INLINE bool la_is_older(const struct la_side *s, const struct la_segment *seg)
{
	return (seg->opts & LA_OPT_TS) && s->tsval && la_before(seg->tsval, s->tsval);
}

LA_INLINE bool la_is_newer(const struct la_side *s, const struct la_segment *seg)
{
	return (seg->opts & LA_OPT_TS) && s->tsval && la_after(seg->tsval, s->tsval);
}

/*
 * By its timestamp: not sent again after what has been seen of s, for which its sender would
 * have waited at least some ticks. So it is a copy, or was overtaken.
 */
LA_INLINE bool la_is_no_newer(const struct la_side *s, const struct la_segment *seg)
{
	return (seg->opts & LA_OPT_TS) && s->tsval && !la_after(seg->tsval, s->tsval);
}

/* Old data of s; missing: it falls into the hole. */
LA_INLINE enum la_again la_judge_again(const struct la_flow *f, const struct la_side *s,
				       const struct la_segment *seg, bool missing)
{
	if (la_is_newer(s, seg))
		return LA_SENT_AGAIN;
	if (la_is_older(s, seg))
		return missing ? LA_OVERTAKEN : LA_COPIED;
	if (missing && la_short_time(seg->ts) - s->hole_at < la_short_time(la_rtt(f)))
		return LA_OVERTAKEN;
	/* The last bytes are sent again by a timer only, which waits for some ticks. */
	return la_is_no_newer(s, seg) && seg->seq + seg->len == s->nxt ? LA_COPIED : LA_SENT_AGAIN;
}

/* The receiver got something of s twice; it may yet tell so. */
LA_INLINE void la_count_dup(struct la_side *s)
{
	s->dups++;
	s->dups_untold++;
}

/* Nobody repeats a SYN or FIN sooner: Linux waits for 200 ms at least. */
#define LA_PROMPT_NS (100 * LA_MSEC_NS)

/* s sends its SYN or FIN: la_is_hasty() will want to know when, unless data is missing. */
LA_INLINE void la_note_syn_fin(struct la_side *s, __u64 ts)
{
	if (s->hole_lo == s->hole_hi)
		s->hole_at = la_short_time(ts);
}

/* A SYN or FIN again, without timestamps: does it come too soon to have been sent again, and
 * says nothing new? */
LA_INLINE bool la_is_hasty(const struct la_side *s, const struct la_segment *seg)
{
	bool newer = (seg->flags & LA_ACK) && la_after(seg->ack, s->ack);

	return !((seg->opts & LA_OPT_TS) && s->tsval) && !newer &&
	       la_short_time(seg->ts) - s->hole_at < la_short_time(LA_PROMPT_NS);
}

/* Counts a SYN or FIN of s that comes again. False: nobody sent it again, the network copied it. */
LA_INLINE bool la_count_repeat(struct la_side *s, const struct la_segment *seg)
{
	if (!la_is_no_newer(s, seg) && !la_is_hasty(s, seg)) {
		s->retrans++;
		return true;
	}
	la_count_dup(s);
	return false;
}

/* The receiver says by DSACK that it got something of s twice. */
LA_INLINE void la_on_dsack(struct la_side *s)
{
	if (s->dups_untold)
		s->dups_untold--;
	else
		s->dups++;
}

/* What the options of a segment, from s to p and accepted, say of both. */
LA_INLINE void la_note_times(struct la_side *s, struct la_side *p, const struct la_segment *seg)
{
	la_take_times(s, p, seg);
	if (seg->opts & LA_OPT_DSACK)
		la_on_dsack(p);
}

/* Counts old data that s sends to p, before it is acknowledged. */
LA_INLINE void la_count_again(const struct la_flow *f, struct la_side *s, const struct la_side *p,
			      const struct la_segment *seg, bool missing)
{
	bool known = (p->flags & LA_S_ACKS) && !la_after(seg->seq + seg->len, p->ack);
	enum la_again again = la_judge_again(f, s, seg, missing);

	if (again == LA_OVERTAKEN)
		s->ooo++;
	if (again == LA_SENT_AGAIN)
		s->retrans++;
	if (again == LA_COPIED || known)
		la_count_dup(s);
}

#endif
