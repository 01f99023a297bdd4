/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_track.h - one segment moves a flow. The only writer of a flow besides la_expire.h.
 *
 *   la_track
 *     not open yet        -> la_open       SYN, SYN-ACK, or midstream
 *     seen at another hook -> ignored       one owning hook per direction
 *     RST                 -> la_on_rst     verdict, evidence, both halves closed
 *     SYN                 -> la_on_syn     attempt, retry, simultaneous open, reuse
 *     SYN-ACK             -> la_on_syn_ack
 *     the rest            -> la_on_segment window, what it proves, what it presumes
 *   la_settle: has the connection ended? which clock runs now?
 *
 * Throughout, `s` is the side that sent the segment and `p` its peer. A segment proves
 * something about s (LA_SEEN); about p it only lets us presume (LA_PRESUMED), because it may
 * yet be lost. Contradicted presumptions are taken back (LA_CORRECTED) before anything else.
 *
 * No call, no loop, no clock: all of this runs under a BPF spin lock.
 */
#ifndef LA_TRACK_H
#define LA_TRACK_H

#include "la_account.h"
#include "la_expire.h"
#include "la_flow.h"
#include "la_fsm.h"
#include "la_key.h"
#include "la_out.h"
#include "la_rst.h"
#include "la_timeout.h"
#include "la_window.h"

/* A segment under way through the tracker, with what is asked of it again and again. */
struct la_pass {
	struct la_flow *f;
	struct la_side *s; /* sent it */
	struct la_side *p; /* its peer */
	const struct la_segment *seg;
	struct la_out *out;
	__u8 d;	   /* index of s */
	bool orig; /* s is the originator */
	bool v4;
};

/* Takes what a SYN says of its sender (RFC 9293 3.7.1, RFC 7323 2). */
LA_INLINE void la_take_syn(struct la_side *s, __u32 seq, __u32 end, __u16 mss, __u8 wscale,
			   __u8 opts)
{
	s->isn = seq;
	s->nxt = end;
	s->flags |= LA_S_SEEN | LA_S_SYN;
	s->mss = opts & LA_OPT_MSS ? mss : 536;
	s->wscale = opts & LA_OPT_WSCALE ? wscale : 0;
	s->flags &= ~LA_S_WSCALE;
	if (opts & LA_OPT_WSCALE)
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

/* The handshake is complete. */
LA_INLINE void la_established(struct la_flow *f, __u64 ts)
{
	if (!f->established && !(f->flags & LA_F_MIDSTREAM))
		f->established = ts;
}

/* ---- opening ---- */

LA_INLINE void la_open_syn(struct la_pass *x)
{
	x->f->orig = x->d;
	x->s->state = LA_CLOSED;
	x->p->state = LA_LISTEN;
}

/* The SYN was missed, but the SYN-ACK tells its number. */
LA_INLINE void la_open_syn_ack(struct la_pass *x)
{
	x->f->orig = !x->d;
	x->f->flags |= LA_F_MIDSTREAM;
	x->s->state = LA_LISTEN;
	x->p->state = LA_CLOSED;
	la_move(x->f, !x->d, LA_EV_SND_SYN, LA_PRESUMED, LA_CAUSE_SYN_ACK, x->out);
	x->p->isn = x->seg->ack - 1;
	x->p->nxt = x->seg->ack;
	x->p->flags |= LA_S_SEEN | LA_S_SYN;
	if (x->seg->opts & LA_OPT_WSCALE)
		x->p->flags |= LA_S_WSCALE; /* else the responder would not have (RFC 7323) */
	x->p->wscale = LA_WSCALE_MAX;
}

/* Neither SYN was seen. The lower port is taken for the server's. */
LA_INLINE void la_open_midstream(struct la_pass *x, const struct la_key *key)
{
	__u16 a = la_ntoh16(key->port[0]), b = la_ntoh16(key->port[1]);

	x->f->orig = a == b ? x->d : a < b;
	x->f->flags |= LA_F_MIDSTREAM;
	x->s->state = LA_CLOSED;
	x->p->state = LA_CLOSED;
	x->s->isn = x->seg->seq;
	x->s->nxt = x->seg->seq;
	x->s->flags |= LA_S_SEEN;
	x->s->wscale = LA_WSCALE_MAX;
	x->p->isn = x->seg->ack;
	x->p->nxt = x->seg->ack;
	x->p->flags |= LA_S_SEEN;
	x->p->wscale = LA_WSCALE_MAX;
	la_move(x->f, x->d, LA_EV_PICKUP, LA_SEEN, LA_CAUSE_ACK, x->out);
	la_move(x->f, !x->d, LA_EV_PICKUP, LA_PRESUMED, LA_CAUSE_ACK, x->out);
}

/* The provisional SYN that a replaced flow left: it opens the flow, this SYN-ACK answers. */
LA_INLINE void la_open_provisional(struct la_pass *x)
{
	struct la_prov *prov = &x->out->prov;
	__u64 now = x->out->ts;

	x->f->orig = !x->d;
	x->f->start = prov->ts;
	x->s->state = LA_LISTEN;
	x->p->state = LA_CLOSED;
	x->p->since = prov->ts;
	x->out->ts = prov->ts;
	la_take_syn(x->p, prov->isn, prov->nxt, prov->mss, prov->wscale, prov->opts);
	x->p->ttl = prov->ttl;
	la_count_segment(x->p, x->s, x->seg, x->v4);
	la_move(x->f, !x->d, LA_EV_SND_SYN, LA_SEEN, LA_CAUSE_SYN, x->out);
	la_history(x->f, true, 's');
	x->out->ts = now;
	x->out->has_prov = 0;
}

LA_INLINE void la_open(struct la_pass *x, const struct la_key *key)
{
	struct la_flow *f = x->f;
	__u8 kind = x->seg->flags & (LA_SYN | LA_ACK);

	f->start = x->out->ts;
	f->since = x->out->ts;
	f->last = x->out->ts;
	f->ifindex = x->seg->hook >> 1;
	x->s->since = x->out->ts;
	x->p->since = x->out->ts;
	if (kind == (LA_SYN | LA_ACK) && x->out->has_prov)
		la_open_provisional(x);
	else if (kind == (LA_SYN | LA_ACK))
		la_open_syn_ack(x);
	else if (kind & LA_SYN)
		la_open_syn(x);
	else
		la_open_midstream(x, key);
}

/* May this segment put a new flow into the table? LA_R_ACCEPTED, or why not. */
LA_INLINE enum la_reason la_may_open(const struct la_segment *seg)
{
	return seg->flags & LA_RST ? LA_R_NO_FLOW : LA_R_ACCEPTED;
}

/* ---- one owning hook per direction ---- */

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

/* ---- RST ---- */

LA_INLINE enum la_closer la_closer_of(const struct la_flow *f, __u8 side)
{
	return side == f->orig ? LA_BY_ORIG : LA_BY_RESP;
}

/* Who made the first closing move: the first FIN, or the RST of side d if there was none. */
LA_INLINE enum la_closer la_first_closer(const struct la_flow *f, __u8 d)
{
	bool a = f->side[0].flags & LA_S_ACTIVE, b = f->side[1].flags & LA_S_ACTIVE;

	if (a && b)
		return LA_BY_BOTH;
	if (a || b)
		return la_closer_of(f, b);
	return la_closer_of(f, d);
}

LA_INLINE enum la_close_reason la_reset_reason(const struct la_flow *f, enum la_rst_verdict v)
{
	bool a = f->side[0].flags & LA_S_FIN, b = f->side[1].flags & LA_S_FIN;

	if (v == LA_RST_SYN_SENT_ACK_OK)
		return LA_CLOSE_REFUSED;
	return a != b ? LA_CLOSE_HALF_CLOSED_RESET : LA_CLOSE_RESET;
}

LA_INLINE void la_accept_rst(struct la_pass *x, enum la_rst_verdict verdict)
{
	struct la_flow *f = x->f;

	f->rst_sender = x->d;
	f->rst_verdict = verdict;
	if (!f->closing)
		f->closing = x->out->ts;
	f->last = x->out->ts;
	la_close(f, la_reset_reason(f, verdict), la_first_closer(f, x->d), x->out);
	la_move(f, x->d, LA_EV_RESET, LA_SEEN, LA_CAUSE_RST, x->out);
	la_move(f, !x->d, LA_EV_RESET, LA_PRESUMED, LA_CAUSE_RST, x->out);
}

LA_INLINE enum la_reason la_on_rst(struct la_pass *x)
{
	struct la_flow *f = x->f;
	struct la_side *s = x->s;
	enum la_rst_verdict verdict = LA_RST_AFTER_CLOSE;
	bool again = (s->flags & LA_S_RST) && s->rst_seq == x->seg->seq;

	if (!(f->flags & LA_F_CLOSED))
		verdict = la_rst_judge(s, x->p, x->seg);
	x->out->verdict = verdict;
	x->out->forged = la_rst_evidence(s, x->p, x->seg);
	x->out->want |= LA_WANT_RST;
	f->forged |= x->out->forged;
	s->flags |= LA_S_RST;
	s->rst_seq = x->seg->seq;
	if (!again)
		la_history(f, x->orig, 'r');
	if (verdict == LA_RST_AFTER_CLOSE) {
		f->late_rst++;
		return LA_R_LATE;
	}
	if (la_rst_closes(verdict)) {
		la_accept_rst(x, verdict);
		return LA_R_ACCEPTED;
	}
	if (verdict == LA_RST_OUT_OF_WINDOW)
		return LA_R_RST_OUT_OF_WINDOW;
	f->flags |= LA_F_CHALLENGED;
	return LA_R_RST_IGNORED;
}

/* ---- SYN ---- */

/* Sends the segment to a new flow; this one leaves, with its close record if it had none. */
LA_INLINE enum la_reason la_replace(struct la_pass *x)
{
	la_leave(x->f, LA_CLOSE_REPLACED, LA_GONE_REPLACED, x->out);
	x->out->want |= LA_WANT_AGAIN;
	return LA_R_ACCEPTED;
}

/* RFC 1122 4.2.2.13: a SYN may reopen a TIME_WAIT if its number is beyond the old ones. */
LA_INLINE bool la_syn_reopens(const struct la_side *s, const struct la_side *p,
			      const struct la_segment *seg)
{
	if (p->state != LA_TIME_WAIT)
		return true;
	return la_after(seg->seq, s->nxt);
}

LA_INLINE enum la_reason la_note_provisional(struct la_pass *x)
{
	struct la_prov *prov = &x->f->prov;

	prov->ts = x->out->ts;
	prov->isn = x->seg->seq;
	prov->nxt = x->seg->seq + 1 + x->seg->len;
	prov->mss = x->seg->mss;
	prov->win = x->seg->win;
	prov->wscale = x->seg->wscale;
	prov->opts = x->seg->opts;
	prov->dir = x->d;
	prov->ttl = x->seg->ttl;
	x->f->flags |= LA_F_PROVISIONAL | LA_F_CHALLENGED;
	return LA_R_PROVISIONAL_SYN;
}

/* The first SYN of this side: it opens the attempt, or crosses the peer's. */
LA_INLINE enum la_reason la_first_syn(struct la_pass *x)
{
	la_take_syn(x->s, x->seg->seq, x->seg->seq + 1 + x->seg->len, x->seg->mss, x->seg->wscale,
		    x->seg->opts);
	x->s->ttl = x->seg->ttl;
	x->s->bytes += x->seg->len;
	if (x->p->state == LA_SYN_SENT)
		x->f->flags |= LA_F_REPLIED;
	la_history(x->f, x->orig, 's');
	la_move(x->f, x->d, LA_EV_SND_SYN, LA_SEEN, LA_CAUSE_SYN, x->out);
	la_move(x->f, !x->d, LA_EV_RCV_SYN, LA_PRESUMED, LA_CAUSE_SYN, x->out);
	return LA_R_ACCEPTED;
}

LA_INLINE enum la_reason la_on_syn(struct la_pass *x)
{
	struct la_flow *f = x->f;
	struct la_side *s = x->s, *p = x->p;

	if ((s->flags & LA_S_SYN) && x->seg->seq == s->isn) {
		s->retrans++;
		return f->flags & LA_F_CLOSED ? LA_R_LATE : LA_R_SYN_RETRANSMIT;
	}
	if (!(s->flags & LA_S_SEEN) && (p->state == LA_SYN_SENT || p->state == LA_LISTEN))
		return la_first_syn(x);
	if (f->flags & LA_F_CLOSED)
		return la_syn_reopens(s, p, x->seg) ? la_replace(x) : LA_R_STALE_SYN;
	if (s->state == LA_SYN_SENT && p->state == LA_LISTEN)
		return la_replace(x); /* another attempt on the same ports */
	return la_note_provisional(x);
}

/* ---- SYN-ACK ---- */

LA_INLINE bool la_answers_provisional(const struct la_pass *x)
{
	const struct la_prov *prov = &x->f->prov;

	return (x->f->flags & LA_F_PROVISIONAL) && prov->dir != x->d &&
	       la_after(x->seg->ack, prov->isn) && !la_after(x->seg->ack, prov->nxt);
}

/* The SYN-ACK agrees with the SYN that came on a live tuple: the old connection is history. */
LA_INLINE enum la_reason la_replace_by_provisional(struct la_pass *x)
{
	x->out->prov = x->f->prov;
	x->out->has_prov = 1;
	return la_replace(x);
}

/* The same SYN-ACK again: its sender has not had the ACK. */
LA_INLINE enum la_reason la_repeat_syn_ack(struct la_pass *x)
{
	x->s->retrans++;
	if (x->f->flags & LA_F_CLOSED)
		return LA_R_LATE;
	if (x->s->flags & LA_S_PRESUMED)
		la_move(x->f, x->d, LA_EV_LOST_ACK_OF_SYN, LA_CORRECTED, LA_CAUSE_SYN_ACK, x->out);
	return LA_R_SYN_RETRANSMIT;
}

LA_INLINE enum la_reason la_accept_syn_ack(struct la_pass *x)
{
	struct la_side *s = x->s;
	bool first = !(s->flags & LA_S_SYN), varies = !first && x->seg->seq != s->isn;

	if (!first && !varies && s->state == LA_SYN_RECEIVED && (s->flags & LA_S_ACKS))
		return la_repeat_syn_ack(x);
	if (first || varies) {
		la_take_syn(s, x->seg->seq, x->seg->seq + 1 + x->seg->len, x->seg->mss,
			    x->seg->wscale, x->seg->opts);
		s->bytes += x->seg->len;
		s->ttl = x->seg->ttl;
		la_history(x->f, x->orig, 'h');
	}
	if (varies)
		s->flags |= LA_S_ISN_VARIES;
	if (x->f->side[0].flags & x->f->side[1].flags & LA_S_SYN)
		la_agree_wscale(x->f);
	la_take_ack(s, x->seg);
	x->f->flags |= LA_F_REPLIED;
	la_move(x->f, x->d, LA_EV_SND_SYN_ACK, LA_SEEN, LA_CAUSE_SYN_ACK, x->out);
	s->flags &= ~LA_S_PRESUMED;
	if (la_move(x->f, !x->d, LA_EV_RCV_ACK_OF_SYN, LA_PRESUMED, LA_CAUSE_SYN_ACK, x->out))
		la_established(x->f, x->out->ts);
	return LA_R_ACCEPTED;
}

LA_INLINE enum la_reason la_on_syn_ack(struct la_pass *x)
{
	struct la_side *s = x->s, *p = x->p;
	__u8 ps = p->state;

	if (la_answers_provisional(x))
		return la_replace_by_provisional(x);
	if ((ps == LA_SYN_SENT || ps == LA_SYN_RECEIVED) && (p->flags & LA_S_SYN)) {
		if (la_after(x->seg->ack, p->isn) && !la_after(x->seg->ack, p->nxt))
			return la_accept_syn_ack(x);
		return LA_R_BAD_SYN_ACK;
	}
	if ((s->flags & LA_S_SYN) && x->seg->seq == s->isn)
		return la_repeat_syn_ack(x);
	return LA_R_BAD_SYN_ACK;
}

/* ---- everything else ---- */

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

/* The SYN-ACK and its ACK were both missed; this data proves them. */
LA_INLINE void la_on_missed_syn_ack(struct la_pass *x)
{
	struct la_side *s = x->s;

	x->f->flags |= LA_F_MIDSTREAM | LA_F_REPLIED;
	s->isn = x->seg->seq - 1;
	s->nxt = x->seg->seq;
	s->wscale = LA_WSCALE_MAX;
	s->flags |= LA_S_SEEN | LA_S_SYN;
	la_move(x->f, x->d, LA_EV_SND_SYN_ACK, LA_SEEN, LA_CAUSE_ACK, x->out);
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

/* The FIN of s, for the first time. */
LA_INLINE void la_on_first_fin(struct la_pass *x, __u32 end)
{
	struct la_flow *f = x->f;
	struct la_side *s = x->s, *p = x->p;

	/* It was sent without knowledge of the peer's FIN: both close at once. */
	if ((p->flags & LA_S_FIN) && la_before(x->seg->ack, p->fin_end) &&
	    (s->flags & LA_S_PRESUMED))
		la_move(f, x->d, LA_EV_LOST_FIN, LA_CORRECTED, LA_CAUSE_FIN, x->out);
	if (s->state != LA_CLOSE_WAIT)
		s->flags |= LA_S_ACTIVE;
	s->flags |= LA_S_FIN;
	s->fin_end = end;
	if (!f->closing)
		f->closing = x->out->ts;
	la_history(f, x->orig, 'f');
	la_move(f, x->d, LA_EV_SND_FIN, LA_SEEN, LA_CAUSE_FIN, x->out);
}

/* The FIN of s again: the ACK had not reached it, nor perhaps the peer's FIN. */
LA_INLINE void la_on_fin_again(struct la_pass *x)
{
	struct la_flow *f = x->f;
	struct la_side *s = x->s, *p = x->p;

	s->retrans++;
	if (f->flags & LA_F_CLOSED)
		f->fin_retrans++;
	if (f->rst_verdict)
		return;
	la_move(f, x->d, LA_EV_LOST_ACK_OF_FIN, LA_CORRECTED, LA_CAUSE_FIN, x->out);
	if ((p->flags & LA_S_FIN) && la_before(x->seg->ack, p->fin_end))
		la_move(f, x->d, LA_EV_LOST_FIN, LA_CORRECTED, LA_CAUSE_FIN, x->out);
}

/* What a segment proves about its sender. */
LA_INLINE void la_prove_sender(struct la_pass *x, __u32 end)
{
	struct la_side *s = x->s, *p = x->p;
	bool fin = x->seg->flags & LA_FIN;

	if (s->state == LA_SYN_SENT)
		la_on_handshake_ack(x);
	if (s->state == LA_SYN_RECEIVED && !p->pkts) {
		/* One way only: this segment proves an ACK that passed elsewhere. */
		la_move(x->f, !x->d, LA_EV_SND_ACK_OF_SYN, LA_PRESUMED, LA_CAUSE_ACK, x->out);
		la_move(x->f, x->d, LA_EV_RCV_ACK_OF_SYN, LA_SEEN, LA_CAUSE_ACK, x->out);
	}
	if (s->state == LA_ESTABLISHED)
		s->flags &= ~LA_S_PRESUMED;
	if ((p->flags & LA_S_FIN) && !la_before(x->seg->ack, p->fin_end) && !(x->f->rst_verdict)) {
		la_move(x->f, x->d, LA_EV_RCV_FIN, LA_SEEN, LA_CAUSE_ACK, x->out);
		/* Of a passive closer's FIN this proves the ACK that came with it, too. */
		if (s->state != LA_TIME_WAIT || !(p->flags & LA_S_ACTIVE))
			s->flags &= ~LA_S_PRESUMED;
	}
	if (!fin)
		return;
	if ((s->flags & LA_S_FIN) && end == s->fin_end)
		la_on_fin_again(x);
	else if (!(s->flags & LA_S_FIN))
		la_on_first_fin(x, end);
}

/* What an acceptable segment should do to its receiver. */
LA_INLINE void la_presume_receiver(struct la_pass *x, bool hole_filled)
{
	struct la_side *s = x->s, *p = x->p;
	__u8 peer = !x->d;

	if (x->f->rst_verdict)
		return;
	if (la_after(x->seg->ack, p->isn) &&
	    la_move(x->f, peer, LA_EV_RCV_ACK_OF_SYN, LA_PRESUMED, LA_CAUSE_ACK, x->out))
		la_established(x->f, x->out->ts);
	if ((p->flags & LA_S_FIN) && !la_before(x->seg->ack, p->fin_end))
		la_move(x->f, peer, LA_EV_RCV_ACK_OF_FIN, LA_PRESUMED, LA_CAUSE_ACK, x->out);
	if ((s->flags & LA_S_FIN) && ((x->seg->flags & LA_FIN) || hole_filled) &&
	    s->hole_lo == s->hole_hi)
		la_move(x->f, peer, LA_EV_RCV_FIN, LA_PRESUMED, LA_CAUSE_FIN, x->out);
}

/* Letters and counts of an acceptable segment. */
LA_INLINE void la_note_letters(struct la_pass *x)
{
	const struct la_segment *seg = x->seg;
	struct la_side *s = x->s;

	if (seg->len)
		la_history_once(x->f, s, x->orig, 'd', LA_S_HIST_D);
	else if (!(seg->flags & LA_FIN))
		la_history_once(x->f, s, x->orig, 'a', LA_S_HIST_A);
	if (seg->win == 0)
		la_history_log(x->f, x->orig, 'w', ++s->zeros);
}

/* New data of the originator, counted up to two segments: how far did it come? */
LA_INLINE void la_note_stage(struct la_pass *x, __u32 end)
{
	if (x->orig && x->seg->len && la_after(end, x->s->nxt) && x->f->data_segs < 2)
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
	p->nxt = p->refused;
	p->hole_lo = p->hole_hi = p->nxt;
	s->ack = x->seg->ack;
	s->edge = x->seg->ack + la_seg_window(s, x->seg);
	if (!(s->flags & LA_S_REFUSED) && !la_after(end, p->ack + (65536U << (p->wscale & 15))))
		return true;
	s->flags &= ~LA_S_REFUSED;
	s->nxt = x->seg->seq;
	s->hole_lo = s->hole_hi = s->nxt;
	p->ack = x->seg->seq;
	p->edge = x->seg->seq + (65536U << (p->wscale & 15));
	return true;
}

LA_INLINE bool la_is_challenge(const struct la_pass *x)
{
	return (x->f->flags & LA_F_CHALLENGED) && !x->seg->len && !(x->seg->flags & LA_FIN) &&
	       (x->s->flags & LA_S_ACKS) && x->seg->ack == x->s->ack;
}

LA_INLINE enum la_reason la_on_segment(struct la_pass *x)
{
	struct la_flow *f = x->f;
	struct la_side *s = x->s, *p = x->p;
	__u32 end = la_seg_end(x->seg);
	enum la_reason reason;
	bool filled;

	if (s->state == LA_SYN_SENT && x->seg->seq != s->nxt && !(p->flags & LA_S_SYN))
		return LA_R_SEQ_ABOVE_WINDOW; /* not of this attempt */
	if (s->state == LA_LISTEN) {
		/* An ACK instead of the SYN-ACK: an older connection's challenge (RFC 5961). */
		if (x->seg->ack != p->nxt || !(x->seg->len || (x->seg->flags & LA_FIN)))
			return LA_R_CHALLENGE_ACK;
		la_on_missed_syn_ack(x);
	}
	la_settle_isn(p, x->seg);
	reason = la_window_check(s, p, x->seg);
	if (reason == LA_R_SEQ_ABOVE_WINDOW || reason == LA_R_ACK_ABOVE_SENT ||
	    reason == LA_R_ACK_TOO_OLD) {
		if (!la_resync(x, end))
			return la_refuse(x, reason, end);
		reason = LA_R_ACCEPTED;
	} else {
		la_resync(x, end);
	}
	if (la_is_challenge(x)) {
		f->flags &= ~LA_F_CHALLENGED;
		return LA_R_CHALLENGE_ACK;
	}
	if (x->seg->len)
		f->flags &= ~LA_F_CHALLENGED;
	if (!(s->flags & LA_S_SEEN)) {
		s->flags |= LA_S_SEEN;
		s->nxt = x->seg->seq;
	}
	if (!s->ttl)
		s->ttl = x->seg->ttl;
	if ((s->flags & LA_S_ACKS) && la_after(x->seg->ack, s->ack))
		f->flags |= LA_F_REPLIED;
	la_note_letters(x);
	la_note_stage(x, end);
	la_account_ack(f, p, !x->orig, x->seg->ack);
	la_prove_sender(x, end);
	filled = reason != LA_R_KEEPALIVE && la_account_data(f, s, x->orig, x->seg, end);
	la_take_ack(s, x->seg);
	if (reason == LA_R_ACCEPTED)
		la_presume_receiver(x, filled);
	if (reason == LA_R_ACCEPTED || reason == LA_R_KEEPALIVE || reason == LA_R_WINDOW_PROBE)
		f->last = x->out->ts;
	return f->flags & LA_F_CLOSED ? LA_R_LATE : reason;
}

/* ---- after each segment ---- */

/* Both FINs are sent and acknowledged: nothing more can come. */
LA_INLINE bool la_both_closed(const struct la_flow *f)
{
	const struct la_side *a = &f->side[0], *b = &f->side[1];

	if (!(a->flags & b->flags & LA_S_FIN) || !(a->flags & b->flags & LA_S_ACKS))
		return false;
	return !la_before(a->ack, b->fin_end) && !la_before(b->ack, a->fin_end);
}

LA_INLINE bool la_may_go_fast(const struct la_flow *f)
{
	const struct la_side *a = &f->side[0], *b = &f->side[1];

	return a->state == LA_ESTABLISHED && b->state == LA_ESTABLISHED &&
	       !((a->flags | b->flags) & (LA_S_PRESUMED | LA_S_REFUSED)) &&
	       a->hole_lo == a->hole_hi && b->hole_lo == b->hole_hi &&
	       (a->flags & b->flags & LA_S_ACKS) && !(f->flags & LA_F_CHALLENGED);
}

LA_INLINE void la_settle(struct la_pass *x)
{
	struct la_flow *f = x->f;
	__u8 class;

	if (!(f->flags & LA_F_CLOSED) && la_both_closed(f)) {
		bool both = f->side[0].flags & f->side[1].flags & LA_S_ACTIVE;

		la_close(f, both ? LA_CLOSE_SIMULTANEOUS_FIN : LA_CLOSE_FIN,
			 la_first_closer(f, x->d), x->out);
	}
	class = la_flow_class(f);
	if (class != f->class) {
		f->class = class;
		f->since = x->out->ts;
	}
	f->flags &= ~LA_F_FAST;
	if (la_may_go_fast(f))
		f->flags |= LA_F_FAST;
}

/*
 * Is it one of the arrows of a textbook ladder: SYN, FIN, RST, the first data of each side,
 * what moves a state, and once the end has begun, each bare ACK?
 */
LA_INLINE bool la_on_ladder(const struct la_pass *x, bool first_data)
{
	return (x->seg->flags & (LA_SYN | LA_FIN | LA_RST)) || first_data || x->out->n ||
	       (x->f->closing && !x->seg->len);
}

LA_INLINE enum la_reason la_dispatch(struct la_pass *x)
{
	__u8 flags = x->seg->flags;

	if (flags & LA_RST)
		return la_on_rst(x);
	if (!(flags & LA_SYN))
		return la_on_segment(x);
	return flags & LA_ACK ? la_on_syn_ack(x) : la_on_syn(x);
}

/* The clock of the flow had run out before this segment came, only nobody had looked. */
LA_INLINE void la_overdue(struct la_flow *f, const struct la_config *cfg, struct la_out *out)
{
	out->ts = la_deadline(f, cfg);
	la_expired(f, out);
	out->timer = 1;
	out->want |= LA_WANT_AGAIN;
	la_out_seal(f, out);
}

/*
 * Takes one segment. The caller holds the flow's lock, and puts a zeroed flow into the table
 * if there is none and la_may_open() allows it. Afterwards it emits what `out` notes
 * (la_record.h). With LA_WANT_AGAIN the flow has ended before this segment: it must be zeroed
 * and, if la_may_open() allows it, the segment tracked once more with the same `out`.
 * Returns what became of the segment.
 */
LA_INLINE enum la_reason la_track(struct la_flow *f, const struct la_key *key,
				  const struct la_segment *seg, const struct la_config *cfg,
				  struct la_out *out)
{
	__u8 d = seg->dir & 1;
	struct la_pass x = {
		.f = f,
		.s = &f->side[d],
		.p = &f->side[!d],
		.seg = seg,
		.out = out,
		.d = d,
		.v4 = la_key_is_v4(key),
	};
	bool first_data = seg->len && !(x.s->flags & LA_S_HIST_D);
	enum la_reason reason;

	la_out_reset(out, seg->ts);
	if (!x.s->state) {
		la_open(&x, key);
	} else if (seg->ts >= la_deadline(f, cfg)) {
		la_overdue(f, cfg, out);
		return LA_R_ACCEPTED;
	}
	x.orig = d == f->orig;
	if (!la_own(x.s, seg))
		return LA_R_OTHER_HOOK;
	reason = la_dispatch(&x);
	if (!(out->want & LA_WANT_AGAIN)) {
		la_count_segment(x.s, x.p, seg, x.v4);
		if ((f->flags & LA_F_CLOSED) && !(out->want & LA_WANT_CLOSE))
			f->late_pkts++;
		la_settle(&x);
		if (cfg->segments && la_on_ladder(&x, first_data))
			out->want |= LA_WANT_SEGMENT;
	}
	out->reason = reason;
	la_out_seal(f, out);
	return reason;
}

#endif
