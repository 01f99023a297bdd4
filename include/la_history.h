/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_history.h - what Zeek would write of a segment: a letter, and where it takes its sender.
 *
 * Zeek keeps no RFC 9293 states. It asks of each side only what it has sent so far:
 *
 *   INACTIVE      nothing yet, or nothing but an ACK before its SYN
 *   SYN_SENT      a SYN that nobody has answered
 *   SYN_ACK_SENT  a SYN-ACK from the side that is taken for the originator
 *   PARTIAL       something, but no SYN: midstream
 *   ESTABLISHED   a SYN that was answered, or the answer, or an ACK of that
 *   CLOSED        a FIN
 *   RESET         a RST
 *
 * Every segment of a flow counts here, even one that its receiver would not take and one
 * whose flags no correct stack sends: the tracker's own states are for the truth, these are
 * for comparing. Letters, in the order in which one segment adds them: what it is (s h a d
 * f r i q), zero window (w), nothing new (t), and of its peer the gap that its ACK told (g).
 * A segment whose checksum is wrong is only a c: la_history_damaged(), which replay calls in
 * place of the tracker. The rest is called by la_track.h for each segment, and by la_open.h.
 *
 * Source: Zeek's documentation of Conn::Info, and of the states of its endpoints.
 */
#ifndef LA_HISTORY_H
#define LA_HISTORY_H

#include "la_pass.h"

enum la_zeek_state {
	LA_ZEEK_INACTIVE = 0,
	LA_ZEEK_SYN_SENT,
	LA_ZEEK_SYN_ACK_SENT,
	LA_ZEEK_PARTIAL,
	LA_ZEEK_ESTABLISHED,
	LA_ZEEK_CLOSED,
	LA_ZEEK_RESET,
};

/* Which letters a side has that may come again, if the sequence number differs. */
enum la_hist_seen {
	LA_HIST_SYN = 0x01,
	LA_HIST_FIN = 0x02,
	LA_HIST_RST = 0x04,
	LA_HIST_RST_ALONE = 0x08, /* its RST followed its SYN, and no ACK of its came between */
	LA_HIST_DONE = 0x10,	  /* it has closed, and nothing of either is outstanding */
	LA_HIST_LACKS = 0x20,	  /* some of its payload is undelivered; frozen at LA_F_CLOSED */
};

/* A jump so large that a SYN or RST which makes it is more likely wrong, bytes. */
#define LA_HIST_JUMP (1 << 20)

LA_INLINE void la_history_put(struct la_flow *f, char letter)
{
	__u8 n = f->history_len;

	if (n >= LA_HISTORY_MAX)
		return;
	f->history[n] = letter;
	f->history_len = n + 1;
}

/* Appends a letter of a side; upper case for the originator. */
LA_INLINE void la_history(struct la_flow *f, bool orig, char letter)
{
	la_history_put(f, orig ? letter - 'a' + 'A' : letter);
}

/* A letter that stands for the 1st, 10th, 100th... time. `count` is after this time. */
LA_INLINE void la_history_log(struct la_flow *f, bool orig, char letter, __u32 count)
{
	if (count == 1 || count == 10 || count == 100 || count == 1000 || count == 10000 ||
	    count == 100000)
		la_history(f, orig, letter);
}

/* The originator is not the one who spoke first: direction by SYN-ACK or by ports. */
LA_INLINE void la_history_flipped(struct la_flow *f)
{
	la_history_put(f, '^');
}

/*
 * A segment of this flow has a wrong checksum: nothing in it is true, perhaps not even whose
 * it is, so it leaves no more than its letter. Says nothing of a packet that came by twice.
 */
LA_INLINE void la_history_damaged(struct la_flow *f, const struct la_segment *seg)
{
	struct la_side *s = &f->side[seg->dir & 1];

	if (!s->state || (s->hook && s->hook != seg->hook) || s->damaged == 0xffff)
		return;
	la_history_log(f, (seg->dir & 1) == f->orig, 'c', ++s->damaged);
}

/* True for the first time of a side and flag, or if `seq` is not that of the last time. */
LA_INLINE bool la_hist_differs(struct la_hist *h, __u8 bit, __u32 *last, __u32 seq)
{
	bool differs = !(h->seen & bit) || *last != seq;

	h->seen |= bit;
	*last = seq;
	return differs;
}

/* True the first time. */
LA_INLINE bool la_hist_once(struct la_side *s, __u16 flag)
{
	bool first = !(s->flags & flag);

	s->flags |= flag;
	return first;
}

/* The letter of what a segment is; 0: none. Of SYN, FIN and RST it has one flag or none. */
LA_INLINE char la_hist_letter(struct la_side *s, const struct la_segment *seg)
{
	struct la_hist *h = &s->hist;

	if (seg->flags & LA_SYN)
		return !la_hist_differs(h, LA_HIST_SYN, &h->syn, seg->seq) ? 0
		       : seg->flags & LA_ACK				   ? 'h'
									   : 's';
	if (seg->flags & LA_FIN)
		return la_hist_differs(h, LA_HIST_FIN, &h->fin, seg->seq + seg->len) ? 'f' : 0;
	if (seg->flags & LA_RST)
		return la_hist_differs(h, LA_HIST_RST, &h->rst, seg->seq) ? 'r' : 0;
	if (seg->len)
		return la_hist_once(s, LA_S_HIST_D) ? 'd' : 0;
	return (seg->flags & LA_ACK) && la_hist_once(s, LA_S_HIST_A) ? 'a' : 0;
}

/* The letter of a segment that has more than one of SYN, FIN and RST. */
LA_INLINE char la_hist_odd_letter(struct la_side *s, __u8 flags)
{
	if ((flags & (LA_FIN | LA_RST)) == (LA_FIN | LA_RST))
		return la_hist_once(s, LA_S_HIST_I) ? 'i' : 0;
	return la_hist_once(s, LA_S_HIST_Q) ? 'q' : 0;
}

LA_INLINE void la_note_letter(struct la_pass *x)
{
	__u8 kind = x->seg->flags & (LA_SYN | LA_FIN | LA_RST);
	char letter =
		kind & (kind - 1) ? la_hist_odd_letter(x->s, kind) : la_hist_letter(x->s, x->seg);

	if (letter)
		la_history(x->f, la_is_orig(x), letter);
}

/* A window of zero tells nothing on a RST or after one, nor when the peer has closed. */
LA_INLINE void la_note_zero_window(struct la_pass *x)
{
	if (x->seg->win || (x->seg->flags & LA_RST) || x->p->hist.state == LA_ZEEK_CLOSED ||
	    x->s->hist.state == LA_ZEEK_RESET)
		return;
	la_history_log(x->f, la_is_orig(x), 'w', ++x->s->zeros);
}

/* Where a segment ends in sequence space; the payload of a RST is not of the stream. */
LA_INLINE __u32 la_hist_end(const struct la_segment *seg)
{
	return seg->seq + (seg->flags & LA_RST ? 0 : seg->len) + !!(seg->flags & LA_SYN) +
	       !!(seg->flags & LA_FIN);
}

/*
 * Payload, but the end of the segment is not beyond what its sender was seen to send. What
 * was only overtaken counts too: Zeek does not tell the two apart here (la_side.retrans does).
 */
LA_INLINE void la_note_nothing_new(struct la_pass *x, const struct la_formerly *before)
{
	const struct la_segment *seg = x->seg;
	__s32 beyond = (__s32)(la_hist_end(seg) - before->sent);

	if (!seg->len || before->first || beyond > 0 || x->s->hist.state == LA_ZEEK_RESET)
		return;
	if ((seg->flags & (LA_SYN | LA_RST)) && beyond < -LA_HIST_JUMP)
		return;
	la_history_log(x->f, la_is_orig(x), 't', ++x->s->hist.rxmits);
}

LA_INLINE void la_hist_move(struct la_hist *h, __u8 to)
{
	if (h->state == to)
		return;
	h->before = h->state;
	h->state = to;
}

/* A SYN, with an ACK or without. */
LA_INLINE void la_hist_on_syn(struct la_pass *x)
{
	struct la_hist *s = &x->s->hist, *p = &x->p->hist;
	bool ack = x->seg->flags & LA_ACK;

	if (s->state == LA_ZEEK_PARTIAL && p->state == LA_ZEEK_INACTIVE && !ack)
		la_hist_move(s, LA_ZEEK_SYN_SENT);
	if (s->state != LA_ZEEK_INACTIVE)
		return;
	if (la_is_orig(x) && p->state != LA_ZEEK_ESTABLISHED) {
		la_hist_move(s, ack ? LA_ZEEK_SYN_ACK_SENT : LA_ZEEK_SYN_SENT);
		return;
	}
	/* The answer; or the SYN that a capture of two interfaces has after its answer. */
	if (p->state == LA_ZEEK_SYN_SENT)
		la_hist_move(p, LA_ZEEK_ESTABLISHED);
	la_hist_move(s, LA_ZEEK_ESTABLISHED);
}

LA_INLINE void la_hist_on_fin(struct la_hist *s, struct la_hist *p)
{
	bool open = s->state == LA_ZEEK_ESTABLISHED || s->state == LA_ZEEK_PARTIAL;

	/* The peer's RST after its FIN was an orderly end after all. */
	if (open && p->state == LA_ZEEK_RESET && p->before == LA_ZEEK_CLOSED)
		la_hist_move(p, LA_ZEEK_CLOSED);
	la_hist_move(s, LA_ZEEK_CLOSED);
}

LA_INLINE void la_hist_on_rst(struct la_pass *x)
{
	struct la_side *s = x->s;
	__u16 more = LA_S_HIST_A | LA_S_HIST_I | LA_S_HIST_Q;

	if (s->hist.state == LA_ZEEK_SYN_SENT && !(s->flags & more))
		s->hist.seen |= LA_HIST_RST_ALONE;
	la_hist_move(&s->hist, LA_ZEEK_RESET);
}

/* The first segment of a side that is neither SYN, FIN nor RST. */
LA_INLINE void la_hist_on_first(struct la_pass *x)
{
	__u8 peer = x->p->hist.state;

	if (!la_is_orig(x) && !x->seg->len && peer == LA_ZEEK_SYN_SENT)
		return; /* some stacks acknowledge a SYN before they answer it */
	if ((x->seg->flags & LA_ACK) && peer == LA_ZEEK_ESTABLISHED)
		la_hist_move(&x->s->hist, LA_ZEEK_ESTABLISHED); /* only its SYN was missed */
	else
		la_hist_move(&x->s->hist, LA_ZEEK_PARTIAL);
}

LA_INLINE void la_note_step(struct la_pass *x)
{
	struct la_hist *s = &x->s->hist, *p = &x->p->hist;
	__u8 flags = x->seg->flags;

	if (s->state == LA_ZEEK_RESET)
		return;
	if (s->state == LA_ZEEK_CLOSED) {
		if ((flags & LA_RST) && p->state != LA_ZEEK_CLOSED)
			la_hist_move(s, LA_ZEEK_RESET);
		return;
	}
	if (flags & LA_SYN)
		la_hist_on_syn(x);
	if (flags & LA_RST)
		la_hist_on_rst(x);
	else if (flags & LA_FIN)
		la_hist_on_fin(s, p);
	else if (s->state == LA_ZEEK_INACTIVE)
		la_hist_on_first(x);
}

/* Established, or closed in order after that. */
LA_INLINE bool la_hist_clean(const struct la_hist *h)
{
	return h->state == LA_ZEEK_ESTABLISHED ||
	       (h->state == LA_ZEEK_CLOSED && h->before == LA_ZEEK_ESTABLISHED);
}

/* Is some of the payload of s undelivered? */
LA_INLINE void la_note_lack(struct la_side *s, const struct la_undelivered *u)
{
	s->hist.seen &= ~LA_HIST_LACKS;
	s->hist.seen |= (u->lo != u->hi) * LA_HIST_LACKS;
}

/* Of s [from, to) is sent and not delivered. What lies before that, behind `u`, was. */
LA_INLINE void la_undeliver(struct la_side *s, struct la_undelivered *u, __u32 from, __u32 to)
{
	if (u->lo == u->hi) {
		u->lo = from;
		s->delivered = 0;
	} else {
		s->delivered += from - u->hi;
	}
	u->hi = to;
}

/* Of s [seq, end) is delivered, whatever of it was so before. */
LA_INLINE void la_deliver(struct la_side *s, struct la_undelivered *u, __u32 seq, __u32 end)
{
	if (la_fill_hole(&u->lo, &u->hi, seq, end))
		s->delivered += end - seq; /* most likely it was not so before */
}

/*
 * Zeek reassembles what was captured whole. Payload that was cut is as undelivered as what was
 * not seen, however it was sent, until its like comes whole. What was refused is left out.
 */
LA_INLINE void la_note_delivery(struct la_pass *x, const struct la_formerly *before)
{
	const struct la_segment *seg = x->seg;
	struct la_undelivered *u = &x->f->undelivered[x->d & 1];
	__u32 from = before->flags & LA_S_SEEN ? before->nxt : seg->seq;
	__u32 whole = seg->seq + (seg->opts & LA_OPT_CUT ? seg->len : 0), end = la_hist_end(seg);

	if ((x->f->flags & LA_F_CLOSED) || (seg->flags & (LA_SYN | LA_RST)) ||
	    la_after(end, x->s->nxt))
		return;
	if (la_after(whole, from))
		la_undeliver(x->s, u, from, whole);
	la_deliver(x->s, u, whole, end);
	la_note_lack(x->s, u);
}

/*
 * What Zeek lacks of p, up to what s acknowledges: that is a gap. Returns its bytes. Where among
 * them something was delivered is not known, so it is taken off the first: the sum is right.
 */
LA_INLINE __u32 la_close_gap(struct la_pass *x)
{
	struct la_undelivered *u = &x->f->undelivered[!x->d];
	__u32 ack = x->s->ack, to, bytes, off;

	if ((x->f->flags & LA_F_CLOSED) || u->lo == u->hi || !(x->s->flags & LA_S_ACKS) ||
	    !la_after(ack, u->lo))
		return 0;
	to = la_before(ack, u->hi) ? ack : u->hi;
	bytes = to - u->lo;
	off = x->p->delivered < bytes ? x->p->delivered : bytes;
	u->lo = to;
	x->p->delivered -= off;
	la_note_lack(x->p, u);
	return bytes - off;
}

/* Gaps count only where the numbers can be trusted: not midstream, not at a RST. */
LA_INLINE void la_note_gaps(struct la_pass *x)
{
	struct la_hist *h = &x->p->hist;
	__u32 bytes = x->gap.bytes + la_close_gap(x);

	if (!bytes || !la_hist_clean(h) || !la_hist_clean(&x->s->hist))
		return;
	x->f->missed += bytes;
	la_history_log(x->f, !la_is_orig(x), 'g', ++h->gaps);
}

LA_INLINE bool la_hist_ended(const struct la_hist *h)
{
	return h->state == LA_ZEEK_CLOSED || h->state == LA_ZEEK_RESET;
}

/* s has acknowledged all that p sent before its FIN. */
LA_INLINE bool la_has_all(const struct la_side *s, const struct la_side *p)
{
	return !la_before(s->ack, p->nxt - !!(p->flags & LA_S_FIN));
}

/*
 * s has closed, and all that came before is known: of its own data all is delivered or
 * acknowledged, and it has acknowledged what its peer sent, unless it sent a RST, which is the end
 * of that.
 */
LA_INLINE void la_note_done(struct la_side *s, const struct la_side *p)
{
	if (!la_hist_ended(&s->hist) || ((s->hist.seen & LA_HIST_LACKS) && !la_has_all(p, s)))
		return;
	if (s->hist.state == LA_ZEEK_RESET || !p->pkts || la_has_all(s, p))
		s->hist.seen |= LA_HIST_DONE;
}

/* Both sides are done: what follows does not prolong the connection. */
LA_INLINE bool la_hist_both_done(const struct la_flow *f)
{
	return f->side[0].hist.seen & f->side[1].hist.seen & LA_HIST_DONE;
}

/* What was seen of s, up to where; s->nxt may be ahead of that because of the peer's ACKs. */
LA_INLINE void la_note_sent(struct la_side *s, const struct la_formerly *before, __u32 end)
{
	if (!before->first && la_before(end, before->sent))
		end = before->sent;
	s->hist.ahead = la_after(s->nxt, end) ? s->nxt - end : 0;
}

/* After it was tracked: `reason` is what became of it. */
LA_INLINE void la_history_note(struct la_pass *x, const struct la_formerly *before,
			       enum la_reason reason)
{
	if (reason == LA_R_PROVISIONAL_SYN)
		return; /* of the connection that it may open */
	if (!la_hist_both_done(x->f))
		x->f->heard = x->out->ts;
	la_note_letter(x);
	la_note_zero_window(x);
	la_note_nothing_new(x, before);
	la_note_step(x);
	la_note_gaps(x);
	la_note_delivery(x, before);
	la_note_sent(x->s, before, la_hist_end(x->seg));
	la_note_done(x->s, x->p);
	la_note_done(x->p, x->s);
}

#endif
