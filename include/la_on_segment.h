/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_on_segment.h - a segment that is neither SYN nor RST: data, ACK, FIN.
 *
 *   acceptable?        la_window.h, and falling in step again after a wrong refusal
 *   proves of s        its ACK covers the SYN-ACK or the FIN: s has received them
 *                      its FIN; the same FIN again takes back what was presumed
 *   after a RST        la_after_rst.h: who goes on all the same?
 *   presumes of p      the ACK of its SYN or FIN, and this FIN, reach it
 */
#ifndef LA_ON_SEGMENT_H
#define LA_ON_SEGMENT_H

#include "la_after_rst.h"
#include "la_history.h"
#include "la_one_way.h"
#include "la_pass.h"
#include "la_undo.h"

/* The ACK of the SYN-ACK: its sender is established, and the peer will be. */
LA_INLINE void la_on_handshake_ack(struct la_pass *x)
{
	struct la_side *p = x->p;

	if (!(p->flags & LA_S_SYN)) {
		/* One way only: this ACK is the proof of a SYN-ACK that passed elsewhere. */
		p->isn = x->seg->ack - 1;
		p->nxt = x->seg->ack;
		p->flags |= LA_S_SEEN | LA_S_SYN;
		p->wscale = LA_WSCALE_MAX;
		la_move(x->f, !x->d, LA_EV_SND_SYN_ACK, LA_PRESUMED, LA_CAUSE_ACK, x->out);
		x->f->flags |= LA_F_REPLIED;
	}
	if (la_move(x->f, x->d, LA_EV_SND_ACK_OF_SYN, LA_SEEN, LA_CAUSE_ACK, x->out))
		la_established(x->f, x->out->ts);
}

/*
 * The SYN-ACK and its ACK were both missed; this data proves them. With Fast Open it may be sent
 * before that ACK comes (RFC 7413 4.2).
 */
LA_INLINE void la_on_missed_syn_ack(struct la_pass *x)
{
	bool fast = x->p->nxt != x->p->isn + 1;
	struct la_side *s = x->s;

	x->f->flags |= LA_F_MIDSTREAM | LA_F_REPLIED;
	s->isn = x->seg->seq - 1;
	s->nxt = x->seg->seq;
	s->wscale = LA_WSCALE_MAX;
	s->flags |= LA_S_SEEN | LA_S_SYN;
	la_move(x->f, x->d, LA_EV_SND_SYN_ACK, LA_SEEN, LA_CAUSE_ACK, x->out);
	if (fast)
		return;
	la_move(x->f, !x->d, LA_EV_SND_ACK_OF_SYN, LA_PRESUMED, LA_CAUSE_ACK, x->out);
	la_move(x->f, x->d, LA_EV_RCV_ACK_OF_SYN, LA_SEEN, LA_CAUSE_ACK, x->out);
}

/* SYN cookies: which of the numbers the peer offered did this side take? */
LA_INLINE void la_settle_isn(struct la_side *p, const struct la_segment *seg)
{
	if (!(p->flags & LA_S_ISN_VARIES) || p->state != LA_SYN_RECEIVED)
		return;
	p->flags &= ~LA_S_ISN_VARIES;
	p->isn = seg->ack - 1;
	p->nxt = seg->ack;
}

/*
 * The FIN of s comes past for the first time, and acknowledges the peer's. Unless the ACK alone
 * came before it, it may have been sent once already, before s had the peer's.
 */
LA_INLINE bool la_is_belated_fin(const struct la_pass *x)
{
	const struct la_side *s = x->s, *p = x->p;
	bool news = !(s->flags & LA_S_ACKS) || la_before(s->ack, p->fin_end);
	/* A RST that it has survived has moved it there and back. */
	__u64 since = p->flags & LA_S_RST ? x->f->closing : s->since;

	return s->state == LA_CLOSE_WAIT && news && !la_before(x->seg->ack, p->fin_end) &&
	       la_elapsed(since, x->out->ts) > LA_PROMPT_NS;
}

/* A bare ACK beyond what was seen of s: what was missed may have been its FIN. */
LA_INLINE bool la_may_follow_fin(const struct la_pass *x)
{
	const struct la_side *s = x->s;

	if ((s->flags & LA_S_FIN) || x->seg->len || (x->seg->flags & LA_FIN))
		return false;
	return la_after(x->seg->seq, s->nxt) ||
	       (s->hole_lo != s->hole_hi && x->seg->seq == s->hole_hi);
}

/* What was sent longer ago than that has arrived, or never will. */
#define LA_ARRIVED_NS LA_SEC_NS

/*
 * s closes and has not all that p sent long ago, up to the FIN of p: it was lost behind here, or
 * dropped for lack of memory. So it is missing, though it was seen.
 */
LA_INLINE void la_note_lost(const struct la_pass *x)
{
	struct la_side *p = x->p;

	if (p->hole_lo != p->hole_hi ||
	    la_short_time(x->out->ts) - p->hole_at < la_short_time(LA_ARRIVED_NS))
		return;
	p->hole_lo = x->seg->ack;
	p->hole_hi = p->nxt;
	p->hole_at = la_short_time(x->out->ts);
}

/* The FIN of s, for the first time; its sender's state is as certain as `how`. */
LA_INLINE void la_on_first_fin(struct la_pass *x, __u32 end, enum la_certainty how)
{
	struct la_flow *f = x->f;
	struct la_side *s = x->s, *p = x->p;
	bool unaware = la_before(x->seg->ack, p->fin_end), behind = !la_after(end, s->nxt);
	bool again = behind && !la_is_no_newer(s, x->seg);

	/* An ACK went ahead of it: it was sent before that, and perhaps now once more. */
	if ((p->flags & LA_S_FIN) && !unaware && behind)
		how = LA_PRESUMED;
	/* It was sent without knowledge of the peer's FIN: both close at once. */
	if ((p->flags & LA_S_FIN) && (unaware || again))
		la_move(f, x->d, LA_EV_LOST_FIN, LA_CORRECTED, LA_CAUSE_FIN, x->out);
	if ((p->flags & LA_S_FIN) && unaware)
		la_note_lost(x);
	s->marks |= again * LA_M_FIN_AGAIN;
	if (s->state != LA_CLOSE_WAIT)
		s->flags |= LA_S_ACTIVE;
	s->flags |= LA_S_FIN;
	s->fin_end = end;
	la_note_syn_fin(s, x->out->ts);
	if (s->bytes && !la_after(end, s->nxt))
		s->bytes--; /* acknowledged before it was seen, it was taken for data */
	if (!f->closing)
		f->closing = x->out->ts;
	/* Its SYN-ACK was sent again, but the ACK had only crossed it. */
	if (s->state == LA_SYN_RECEIVED && (p->flags & LA_S_ACKS) && la_after(p->ack, s->isn))
		la_move(f, x->d, LA_EV_RCV_ACK_OF_SYN, LA_SEEN, LA_CAUSE_FIN, x->out);
	la_move(f, x->d, LA_EV_SND_FIN, how, LA_CAUSE_FIN, x->out);
	/* It was overtaken by its sender's ACK of the peer's FIN. */
	if ((p->flags & LA_S_FIN) && (s->flags & LA_S_ACKS) && !la_before(s->ack, p->fin_end))
		la_move(f, x->d, LA_EV_RCV_FIN, how, LA_CAUSE_ACK, x->out);
}

/* The FIN of s again: the ACK had not reached it, nor perhaps the peer's FIN. */
LA_INLINE void la_on_fin_again(struct la_pass *x)
{
	struct la_flow *f = x->f;
	struct la_side *s = x->s, *p = x->p;
	bool presumed = s->flags & LA_S_PRESUMED;

	if (!la_count_repeat(s, x->seg))
		return;
	la_note_syn_fin(s, x->out->ts);
	s->marks |= LA_M_FIN_AGAIN;
	if (f->flags & LA_F_CLOSED)
		f->fin_retrans++;
	if (la_is_cut(f))
		return;
	if ((s->flags & LA_S_ACKS) && la_before(x->seg->ack, s->ack))
		return; /* not sent again, but the old one, late: it would acknowledge more */
	/* Not the ACK had closed it, but a RST, which it may not have had; or it never was open. */
	if (s->state == LA_CLOSED && (s->was || la_before(p->ack, s->fin_end))) {
		la_take_back(x, x->d, LA_CAUSE_FIN);
		return;
	}
	/* A TIME_WAIT in which nothing is in doubt was proved by what its sender said before. */
	if (s->state != LA_TIME_WAIT || presumed || s->passed)
		la_move(f, x->d, LA_EV_LOST_ACK_OF_FIN, LA_CORRECTED, LA_CAUSE_FIN, x->out);
	if (presumed && (p->flags & LA_S_FIN) && la_before(x->seg->ack, p->fin_end))
		la_move(f, x->d, LA_EV_LOST_FIN, LA_CORRECTED, LA_CAUSE_FIN, x->out);
	/* Nor had the peer, which matters to one that closed before it. */
	if ((p->state == LA_CLOSING || p->state == LA_TIME_WAIT) && (p->flags & LA_S_PRESUMED) &&
	    la_before(p->ack, s->fin_end))
		la_move(f, !x->d, LA_EV_LOST_FIN, LA_CORRECTED, LA_CAUSE_FIN, x->out);
}

/* s acknowledges the peer's FIN: it has received that, and what came with it. */
LA_INLINE void la_prove_fin_arrived(struct la_pass *x)
{
	struct la_side *s = x->s, *p = x->p;
	bool passive = !(p->flags & LA_S_ACTIVE), doubt = la_may_follow_fin(x) || !p->pkts;
	bool first = s->state == LA_FIN_WAIT_1 && !(x->seg->flags & LA_FIN);

	/* An active closer's FIN bears that ACK when it is sent again: which one has arrived? */
	if (first && !passive && (p->marks & LA_M_FIN_AGAIN) && !la_before(p->ack, s->fin_end)) {
		la_move(x->f, x->d, LA_EV_RCV_ACK_OF_FIN, LA_PRESUMED, LA_CAUSE_ACK, x->out);
		doubt = true;
	}
	/* The FIN of a passive closer bears the ACK of the other one, which then is not repeated.
	 */
	if (first && passive)
		la_move(x->f, x->d, LA_EV_RCV_ACK_OF_FIN, LA_SEEN, LA_CAUSE_ACK, x->out);
	la_move(x->f, x->d, LA_EV_RCV_FIN, doubt ? LA_PRESUMED : LA_SEEN, LA_CAUSE_ACK, x->out);
	if (doubt)
		return;
	if (s->state != LA_TIME_WAIT || passive) {
		la_prove_state(s);
	} else { /* the ACK of its own FIN may yet be on its way */
		s->before = LA_CLOSING;
		s->passed = la_passed_bit(LA_CLOSING);
	}
}

/* What a segment proves about its sender. */
LA_INLINE void la_prove_sender(struct la_pass *x, __u32 end)
{
	struct la_side *s = x->s, *p = x->p;
	/* Of whom only this side is heard, the FIN may have come before: then this is LAST_ACK. */
	enum la_certainty how = la_is_belated_fin(x) || !p->pkts ? LA_PRESUMED : LA_SEEN;
	bool fin = x->seg->flags & LA_FIN;

	s->passed &= ~la_passed_bit(LA_SYN_RECEIVED); /* it had the third ACK */
	if (s->state == LA_SYN_SENT)
		la_on_handshake_ack(x);
	if (s->state == LA_CLOSED && p->state == LA_SYN_RECEIVED)
		la_move(x->f, x->d, LA_EV_PICKUP, LA_SEEN, LA_CAUSE_ACK,
			x->out); /* its SYN was not old */
	if (s->state == LA_SYN_RECEIVED && !p->pkts && p->state != LA_CLOSED) {
		/* One way only: this segment proves an ACK that passed elsewhere. Nobody, whom an
		 * old SYN names, sends none: this is a Fast Open child (RFC 7413 4.2). */
		la_move(x->f, !x->d, LA_EV_SND_ACK_OF_SYN, LA_PRESUMED, LA_CAUSE_ACK, x->out);
		la_move(x->f, x->d, LA_EV_RCV_ACK_OF_SYN, LA_SEEN, LA_CAUSE_ACK, x->out);
	}
	/* Four segments: the answer to a SYN whose sender had acknowledged ours before. */
	if (s->state == LA_SYN_RECEIVED && p->state == LA_SYN_RECEIVED && (p->flags & LA_S_ACKS))
		la_move(x->f, x->d, LA_EV_RCV_ACK_OF_SYN, LA_SEEN, LA_CAUSE_ACK, x->out);
	if (s->state == LA_ESTABLISHED)
		la_prove_state(s);
	if ((p->flags & LA_S_FIN) && !la_before(x->seg->ack, p->fin_end) &&
	    (!la_is_cut(x->f) || s->state != LA_CLOSED))
		la_prove_fin_arrived(x);
	if (!fin)
		return;
	if ((s->flags & LA_S_FIN) && end == s->fin_end)
		la_on_fin_again(x);
	else if (!(s->flags & LA_S_FIN) && !la_before(end, s->nxt)) /* nobody closes in his past */
		la_on_first_fin(x, end, how);
}

/*
 * What an acceptable segment should do to its receiver. A FIN that passed earlier should have
 * arrived before it; one that it carries itself, or that its data was missing for, is read after
 * its ACK (RFC 9293 3.10.7.4).
 */
LA_INLINE void la_presume_receiver(struct la_pass *x)
{
	struct la_side *s = x->s, *p = x->p;
	bool arrives = (s->flags & LA_S_FIN) && s->hole_lo == s->hole_hi;
	bool text = x->seg->len || (x->seg->flags & LA_FIN);
	__u8 peer = !x->d, first = p->state, before = first;

	p->before = 0;
	s->marks &= ~LA_M_OVERTAKEN;
	s->marks |= la_before(x->seg->ack, s->ack) * LA_M_OVERTAKEN;
	if (la_is_cut(x->f))
		return;
	if (la_after(x->seg->ack, p->isn) &&
	    la_move(x->f, peer, LA_EV_RCV_ACK_OF_SYN, LA_PRESUMED, LA_CAUSE_ACK, x->out))
		la_established(x->f, x->out->ts);
	if (arrives && !text)
		la_move(x->f, peer, LA_EV_RCV_FIN, LA_PRESUMED, LA_CAUSE_FIN, x->out);
	if ((p->flags & LA_S_FIN) && !la_before(x->seg->ack, p->fin_end))
		la_move(x->f, peer, LA_EV_RCV_ACK_OF_FIN, LA_PRESUMED, LA_CAUSE_ACK, x->out);
	if (text && before != LA_SYN_RECEIVED && la_after(x->seg->seq + x->seg->len, p->ack))
		before = p->state; /* who refuses data has read the ACK (RFC 9293 3.10.7.4) */
	if (arrives && text)
		la_move(x->f, peer, LA_EV_RCV_FIN, LA_PRESUMED, LA_CAUSE_FIN, x->out);
	if (p->state != before)
		p->before = before;
	if (p->state != first)
		p->passed |= la_passed_bit(first);
}

/*
 * Who is in SYN_SENT drops what bears no SYN (RFC 9293 3.10.7.3), as a Fast Open child's data that
 * overtakes its SYN-ACK: it was seen, and is missing all the same.
 */
LA_INLINE void la_note_dropped(struct la_pass *x)
{
	struct la_side *s = x->s;

	if (x->p->state != LA_SYN_SENT || !x->seg->len || (s->hist.seen & LA_HIST_SYN))
		return;
	if (s->hole_lo == s->hole_hi) {
		s->hole_lo = x->seg->seq;
		s->hole_at = la_short_time(x->seg->ts);
	}
	s->hole_hi = x->seg->seq + x->seg->len;
}

/* New data of the originator, counted up to two segments: how far did it come? */
LA_INLINE void la_note_stage(struct la_pass *x, __u32 end)
{
	if (la_is_orig(x) && x->seg->len && la_after(end, x->s->nxt) && x->f->data_segs < 2)
		x->f->data_segs++;
}

/* A refused segment: if the peer acknowledges just that, the refusal was our mistake. */
LA_INLINE enum la_reason la_refuse(struct la_pass *x, enum la_reason reason, __u32 end)
{
	if (reason == LA_R_SEQ_ABOVE_WINDOW || reason == LA_R_ACK_ABOVE_SENT) {
		x->s->refused = end;
		x->s->flags |= LA_S_REFUSED;
	}
	return reason;
}

/* The peer's refused segment is acknowledged: fall in step again. */
LA_INLINE bool la_resync(struct la_pass *x, __u32 end)
{
	struct la_side *s = x->s, *p = x->p;

	if (!(p->flags & LA_S_REFUSED) || x->seg->ack != p->refused || p->refused == p->ack)
		return false;
	if ((p->flags & LA_S_FIN) || (s->flags & LA_S_FIN))
		return false;
	p->flags &= ~LA_S_REFUSED;
	if (la_after(p->refused, p->nxt))
		p->bytes += p->refused - p->nxt;
	p->nxt = p->refused;
	p->hist.ahead = 0;
	p->hole_lo = p->hole_hi = p->nxt;
	s->ack = x->seg->ack;
	s->edge = x->seg->ack + la_seg_window(s, x->seg);
	if (!(s->flags & LA_S_REFUSED) && !la_after(end, p->ack + (65536U << (p->wscale & 15))))
		return true;
	s->flags &= ~LA_S_REFUSED;
	s->nxt = x->seg->seq;
	s->hist.ahead = 0;
	s->hole_lo = s->hole_hi = s->nxt;
	p->ack = x->seg->seq;
	p->edge = x->seg->seq + (65536U << (p->wscale & 15));
	return true;
}

/* What is older than this has been answered, ns. */
#define LA_CHALLENGE_NS LA_SEC_NS

/* The ACK by which s answers an unacceptable SYN or RST (RFC 5961)? It says nothing new. */
LA_INLINE bool la_is_challenge(const struct la_pass *x)
{
	const struct la_flow *f = x->f;
	__u64 asked;

	if (!(x->s->marks & LA_M_CHALLENGED) || x->seg->len || (x->seg->flags & LA_FIN) ||
	    !(x->s->flags & LA_S_ACKS) || x->seg->ack != x->s->ack)
		return false;
	asked = f->rst_at > f->prov.ts ? f->rst_at : f->prov.ts;
	return la_elapsed(asked, x->out->ts) < LA_CHALLENGE_NS;
}

/*
 * An ACK instead of the SYN-ACK: an older connection's challenge (RFC 5961), or, if it is the
 * SYN's, half of the answer: a handshake of four segments.
 */
LA_INLINE enum la_reason la_on_lone_ack(struct la_pass *x)
{
	if (x->seg->ack == x->p->nxt)
		la_take_ack(x->s, x->seg);
	return LA_R_CHALLENGE_ACK;
}

LA_INLINE enum la_reason la_on_segment(struct la_pass *x)
{
	struct la_flow *f = x->f;
	struct la_side *s = x->s, *p = x->p;
	__u32 end = la_seg_end(x->seg);
	enum la_reason reason;

	if (s->state == LA_SYN_SENT && x->seg->seq != s->nxt && !(p->flags & LA_S_SYN))
		return LA_R_SEQ_ABOVE_WINDOW; /* not of this attempt */
	if (!(p->flags & LA_S_ACKS) && (s->flags & LA_S_SYN) && !la_after(x->seg->seq, s->isn))
		return LA_R_OLD_DUPLICATE; /* of another connection, before this one */
	if (s->state == LA_LISTEN) {
		if (x->seg->ack != p->nxt || !(x->seg->len || (x->seg->flags & LA_FIN)))
			return la_on_lone_ack(x);
		la_on_missed_syn_ack(x);
	}
	la_settle_isn(p, x->seg);
	reason = la_check_keepalive(f, la_window_check(s, p, x->seg), x->out->ts);
	if (reason == LA_R_SEQ_ABOVE_WINDOW || reason == LA_R_ACK_ABOVE_SENT ||
	    reason == LA_R_ACK_TOO_OLD) {
		if (!la_resync(x, end))
			return la_refuse(x, reason, end);
		reason = LA_R_ACCEPTED;
	} else {
		la_resync(x, end);
	}
	x->out->reason = reason;
	reason = la_reload(x->out->reason);
	if (la_is_challenge(x)) {
		s->marks &= ~LA_M_CHALLENGED;
		return LA_R_CHALLENGE_ACK;
	}
	s->marks &= ~LA_M_CHALLENGED;
	if (!(s->flags & LA_S_SEEN)) {
		s->flags |= LA_S_SEEN;
		s->nxt = x->seg->seq;
	}
	if (la_is_answered(x, end))
		f->flags |= LA_F_REPLIED;
	la_after_rst(x, end);
	x->out->was.reset = la_speaks_after_rst(x);
	la_unheard_fin(x);
	la_note_stage(x, end);
	la_account_ack(p, x->seg->ack, &x->gap);
	la_prove_sender(x, end);
	if (reason == LA_R_WINDOW_PROBE)
		f->zero[x->d & 1].probes++;
	if ((reason != LA_R_KEEPALIVE && reason != LA_R_WINDOW_PROBE) || la_after(end, s->nxt))
		la_account_data(f, s, p, x->seg, end);
	la_note_dropped(x);
	if (x->seg->len)
		la_note_flight(s, p, end);
	la_take_ack(s, x->seg);
	la_note_window(s, p, &f->zero[x->d & 1], x->seg);
	if (reason == LA_R_ACCEPTED)
		la_presume_receiver(x);
	if (la_reload(x->out->was.reset))
		la_after_speaking(x);
	if (reason == LA_R_ACCEPTED || reason == LA_R_KEEPALIVE || reason == LA_R_WINDOW_PROBE)
		f->last = x->out->ts;
	return la_ended(f) ? LA_R_LATE : reason;
}

#endif
