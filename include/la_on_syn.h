/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_on_syn.h - SYN and SYN-ACK: attempts, retries, simultaneous open, and ports used again.
 *
 *   SYN      first of its side    opens, or crosses the peer's SYN, or follows its own ACK
 *            same number          a retry: belongs to its attempt, renews nothing
 *            after the end        a new connection, if TIME_WAIT lets it (RFC 1122)
 *            in SYN_SENT          a new attempt, if its timestamp is not older
 *            on a live tuple      provisional: the answer decides (RFC 9293 3.10.7.4)
 *   SYN-ACK  answers the SYN      SYN_RECEIVED
 *            answers a provisional SYN: the old connection is history
 *            answers the SYN of the old connection: a copy of that SYN was under way
 *            repeated             its sender has not had the ACK, if the SYN was not, too
 *            after a refusal      of the same SYN: who refused it goes on (la_after_rst.h)
 *            anything else        invalid
 *   either   below all that was seen of a flow picked up in its middle: it began so, and now
 *            the direction is known
 */
#ifndef LA_ON_SYN_H
#define LA_ON_SYN_H

#include "la_after_rst.h"
#include "la_history.h"
#include "la_pass.h"
#include "la_rst.h"

/* A SYN is not overtaken by more than 2^16 bytes. */
#define LA_SYN_OVERTAKEN 16

/* Sends the segment to a new flow; this one leaves, with its close record if it had none. */
LA_INLINE enum la_reason la_replace(struct la_pass *x)
{
	la_leave(x->f, LA_CLOSE_REPLACED, LA_GONE_REPLACED, x->out);
	x->out->want |= LA_WANT_AGAIN;
	return LA_R_ACCEPTED;
}

/* May a SYN reopen a connection that has ended? */
LA_INLINE bool la_syn_reopens(const struct la_side *s, const struct la_side *p,
			      const struct la_segment *seg)
{
	if (p->state != LA_TIME_WAIT)
		return true;
	return la_syn_is_newer(s, seg);
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
	x->f->flags &= ~LA_F_BROKEN_SILENCE;
	x->f->flags |= LA_F_PROVISIONAL;
	x->p->marks |= LA_M_CHALLENGED;
	return LA_R_PROVISIONAL_SYN;
}

/*
 * A SYN that should not reopen an ended connection. Its receiver has the last word, though:
 * Linux lets a RST end a TIME_WAIT (RFC 1337), and then answers the same SYN.
 */
LA_INLINE enum la_reason la_note_late_syn(struct la_pass *x, enum la_reason reason)
{
	la_note_provisional(x);
	return reason;
}

/*
 * A SYN or SYN-ACK that was overtaken, of a flow picked up in its middle: its number lies just
 * below the first one seen of its sender, and what it acknowledges below that of the peer. A
 * new connection on the same ports would begin beyond them, or anywhere in 2^32. In numbers,
 * as in la_forged.h.
 */
LA_INLINE bool la_is_overtaken_syn(const struct la_pass *x)
{
	const struct la_side *s = x->s, *p = x->p;
	__u32 midstream = la_bit(x->f->flags, LA_F_MIDSTREAM) & ~la_bit(x->f->flags, LA_F_CLOSED);
	__u32 known = la_bit(s->flags, LA_S_SYN); /* from the SYN-ACK, see la_open.h */
	__u32 fresh = la_bit(s->flags, LA_S_SEEN) & ~(known & la_differ(s->pkts, 0));
	__u32 below = s->isn - 1 + known - x->seg->seq;
	__u32 peer = p->isn + la_bit(p->flags, LA_S_SYN) - x->seg->ack;
	__u32 apart = la_differ(below >> LA_SYN_OVERTAKEN, 0) |
		      (la_bit(x->seg->flags, LA_ACK) & la_differ(peer >> LA_SYN_OVERTAKEN, 0));

	return midstream & fresh & ~apart & 1;
}

/* It names the originator. The id stays; what is told from here on bears the right names. */
LA_INLINE enum la_reason la_take_overtaken_syn(struct la_pass *x)
{
	__u8 orig = x->seg->flags & LA_ACK ? !x->d : x->d;

	if (x->f->orig != orig)
		la_history_flipped(x->f);
	x->f->orig = orig;
	x->s->isn = x->seg->seq;
	x->s->flags |= LA_S_SYN;
	if (x->seg->opts & LA_OPT_MSS)
		x->s->mss = x->seg->mss;
	if (x->s->state == LA_SYN_SENT) {
		la_prove_state(x->s);
		x->s->before = 0;
	}
	return LA_R_ACCEPTED;
}

/*
 * The first SYN of this side: it opens the attempt, or crosses the peer's. Who has already
 * acknowledged that (LA_S_ACKS) only sends the halves of its SYN-ACK apart.
 */
LA_INLINE enum la_reason la_first_syn(struct la_pass *x)
{
	bool apart = x->s->flags & LA_S_ACKS;

	la_take_syn(x->s, x->seg->seq, x->seg->seq + 1 + x->seg->len, x->seg->mss, x->seg->wscale,
		    x->seg->opts);
	x->s->bytes += x->seg->len;
	la_note_syn_fin(x->s, x->out->ts);
	if (x->p->flags & LA_S_SYN)
		la_agree_wscale(x->f);
	if (x->p->state == LA_SYN_SENT)
		x->f->flags |= LA_F_REPLIED;
	la_move(x->f, x->d, apart ? LA_EV_SND_SYN_ACK : LA_EV_SND_SYN, LA_SEEN, LA_CAUSE_SYN,
		x->out);
	la_move(x->f, !x->d, LA_EV_RCV_SYN, LA_PRESUMED, LA_CAUSE_SYN, x->out);
	return LA_R_ACCEPTED;
}

LA_INLINE enum la_reason la_on_syn(struct la_pass *x)
{
	struct la_flow *f = x->f;
	struct la_side *s = x->s, *p = x->p;

	if ((s->flags & LA_S_SYN) && x->seg->seq == s->isn) {
		la_count_repeat(s, x->seg);
		if (s->state == LA_SYN_SENT)
			s->flags |= LA_S_SYN_AGAIN;
		return la_ended(f) ? la_note_late_syn(x, LA_R_LATE) : LA_R_SYN_RETRANSMIT;
	}
	if (!(s->flags & LA_S_SEEN) && (p->state == LA_SYN_SENT || p->state == LA_LISTEN))
		return la_first_syn(x);
	if (la_ended(f))
		return la_syn_reopens(s, p, x->seg) ? la_replace(x)
						    : la_note_late_syn(x, LA_R_STALE_SYN);
	if (s->state == LA_SYN_SENT && p->state == LA_LISTEN) /* another attempt, or one before */
		return la_is_older(s, x->seg) ? la_note_late_syn(x, LA_R_STALE_SYN) : la_replace(x);
	return la_note_provisional(x);
}

LA_INLINE bool la_answers_provisional(const struct la_pass *x)
{
	const struct la_prov *prov = &x->f->prov;

	if (!(x->f->flags & LA_F_PROVISIONAL) || prov->dir == x->d)
		return false;
	if (prov->isn == x->p->isn && x->seg->seq == x->s->isn)
		return false; /* both are of the old connection, again */
	return la_after(x->seg->ack, prov->isn) && !la_after(x->seg->ack, prov->nxt);
}

/* The SYN-ACK agrees with the SYN that came on a live tuple: the old connection is history. */
LA_INLINE enum la_reason la_replace_by_provisional(struct la_pass *x)
{
	x->out->prov = x->f->prov;
	x->out->has_prov = LA_LEFT_SYN;
	return la_replace(x);
}

/*
 * The connection is over, and its SYN is answered with a new number: a copy of it was under way
 * and found the listener (RFC 9293 3.5, figure 9). Its sender has no socket for that.
 */
LA_INLINE bool la_answers_old_syn(const struct la_pass *x)
{
	return la_ended(x->f) && (x->p->flags & LA_S_SYN) && x->seg->seq != x->s->isn &&
	       la_acks_syn(x->p, x->seg);
}

/*
 * The sender's last RST comes after this SYN-ACK in number, and has overtaken it. Zeek's memory
 * is asked, too: rst_seq is another one after a denied refusal, and that of no copy of the SYN.
 */
LA_INLINE bool la_rst_overtook(const struct la_pass *x)
{
	const struct la_side *s = x->s;
	__u32 first = x->seg->seq + 1;

	return (s->flags & LA_S_RST) && (s->rst_seq == first || s->hist.rst == first);
}

/* The first answer to a SYN whose sender has reset the attempt since: they crossed. */
LA_INLINE bool la_crossed_rst(const struct la_pass *x)
{
	return la_is_cut(x->f) && x->f->rst_sender != x->d && !(x->s->flags & LA_S_SYN) &&
	       (x->p->flags & LA_S_SYN) && la_acks_syn(x->p, x->seg);
}

/* It was there before the RST that overtook it: that did not refuse the SYN, but cut short. */
LA_INLINE enum la_reason la_on_overtaken_syn_ack(struct la_pass *x)
{
	struct la_side *s = x->s;
	enum la_certainty how = x->f->rst_sender == x->d ? LA_SEEN : LA_PRESUMED;

	if (s->state != LA_CLOSED || s->was != LA_LISTEN)
		return LA_R_LATE;
	la_enter(x->f, x->d, LA_SYN_RECEIVED, LA_CORRECTED, LA_CAUSE_SYN_ACK, x->out);
	s->was = LA_SYN_RECEIVED;
	la_move(x->f, x->d, LA_EV_RESET, how, LA_CAUSE_RST, x->out);
	return LA_R_LATE;
}

LA_INLINE enum la_reason la_replace_by_old_syn(struct la_pass *x)
{
	if (la_rst_overtook(x))
		return la_on_overtaken_syn_ack(x);
	x->out->prov.isn = x->p->isn;
	x->out->has_prov = LA_LEFT_OLD_SYN;
	return la_replace(x);
}

/* The same SYN-ACK again: its sender has not had the ACK, unless this answers the SYN again. */
LA_INLINE enum la_reason la_repeat_syn_ack(struct la_pass *x)
{
	bool again = la_count_repeat(x->s, x->seg) && !(x->p->flags & LA_S_SYN_AGAIN);

	x->p->flags &= ~LA_S_SYN_AGAIN;
	if (la_ended(x->f))
		return LA_R_LATE;
	if (again && (x->s->flags & LA_S_PRESUMED))
		la_move(x->f, x->d, LA_EV_LOST_ACK_OF_SYN, LA_CORRECTED, LA_CAUSE_SYN_ACK, x->out);
	return LA_R_SYN_RETRANSMIT;
}

LA_INLINE enum la_reason la_accept_syn_ack(struct la_pass *x)
{
	struct la_side *s = x->s;
	bool first = !(s->flags & LA_S_SYN), varies = !first && x->seg->seq != s->isn;
	/* What answers an old SYN may be an old answer that was late. */
	enum la_certainty how = x->p->state == LA_CLOSED ? LA_PRESUMED : LA_SEEN;

	if (!first && !varies && s->state == LA_SYN_RECEIVED && (s->flags & LA_S_ACKS))
		return la_repeat_syn_ack(x);
	if (first || varies) {
		la_take_syn(s, x->seg->seq, x->seg->seq + 1 + x->seg->len, x->seg->mss,
			    x->seg->wscale, x->seg->opts);
		s->bytes += x->seg->len;
		la_note_syn_fin(s, x->out->ts);
	}
	if (varies)
		s->flags |= LA_S_ISN_VARIES;
	if (x->f->side[0].flags & x->f->side[1].flags & LA_S_SYN)
		la_agree_wscale(x->f);
	la_take_ack(s, x->seg);
	la_note_window(s, x->p, &x->f->zero[x->d & 1], x->seg);
	x->f->flags |= LA_F_REPLIED;
	x->p->flags &= ~LA_S_SYN_AGAIN;
	if (!la_move(x->f, x->d, LA_EV_SND_SYN_ACK, how, LA_CAUSE_SYN_ACK, x->out))
		la_prove_state(s);
	if (la_move(x->f, !x->d, LA_EV_RCV_ACK_OF_SYN, LA_PRESUMED, LA_CAUSE_SYN_ACK, x->out))
		la_established(x->f, x->out->ts);
	return LA_R_ACCEPTED;
}

/*
 * A SYN-ACK for the very SYN that its sender is said to have refused? Not if that RST comes
 * after it in number, and has overtaken it; nor if it is the second one that is answered.
 */
LA_INLINE bool la_denies_refusal(const struct la_pass *x)
{
	const struct la_flow *f = x->f;
	bool refused = x->s->was == LA_LISTEN || x->s->was == LA_SYN_RECEIVED;
	bool first = !(x->s->flags & LA_S_SYN) || x->seg->seq == x->s->isn;

	return la_is_cut(f) && f->rst_verdict == LA_RST_SYN_SENT_ACK_OK && f->rst_sender == x->d &&
	       refused && first && x->s->state == LA_CLOSED && la_acks_syn(x->p, x->seg) &&
	       !la_rst_overtook(x);
}

/*
 * It goes on, and if the peer does, so does the connection (la_after_rst.h). Only a SYN that
 * was sent twice may be refused and then accepted.
 */
LA_INLINE enum la_reason la_on_denied_refusal(struct la_pass *x)
{
	struct la_side *s = x->s;

	la_return(x, x->d);
	s->marks |= LA_M_SPOKE | LA_M_ALIVE;
	if (!(x->p->retrans | x->p->dups) && !(x->f->flags & LA_F_PROVISIONAL))
		x->f->forged |= LA_EVIDENCE_BIT(SENDS_ON);
	la_take_syn(s, x->seg->seq, x->seg->seq + 1 + x->seg->len, x->seg->mss, x->seg->wscale,
		    x->seg->opts);
	la_agree_wscale(x->f);
	la_take_ack(s, x->seg);
	la_move(x->f, x->d, LA_EV_SND_SYN_ACK, LA_SEEN, LA_CAUSE_SYN_ACK, x->out);
	s->rst_seq = x->seg->seq; /* who acknowledges more than that has not closed */
	s->was = s->state;
	return LA_R_LATE;
}

LA_INLINE enum la_reason la_on_syn_ack(struct la_pass *x)
{
	struct la_side *s = x->s, *p = x->p;
	__u8 ps = p->state;

	if (la_denies_refusal(x))
		return la_on_denied_refusal(x);
	if (la_crossed_rst(x))
		return la_on_overtaken_syn_ack(x);
	if (la_answers_old_syn(x))
		return la_replace_by_old_syn(x);
	if (la_answers_provisional(x))
		return la_replace_by_provisional(x);
	if ((p->flags & LA_S_SYN) &&
	    (ps == LA_SYN_SENT || ps == LA_SYN_RECEIVED || s->state == LA_LISTEN))
		return la_acks_syn(p, x->seg) ? la_accept_syn_ack(x) : LA_R_BAD_SYN_ACK;
	if ((s->flags & LA_S_SYN) && x->seg->seq == s->isn)
		return la_repeat_syn_ack(x);
	if (la_ended(x->f))
		return la_replace(x); /* a new connection, whose SYN was missed */
	p->before = 0; /* a RST of p may answer this, and then tells nothing of what was before */
	p->passed = 0;
	p->marks |= LA_M_CHALLENGED;
	return LA_R_BAD_SYN_ACK;
}

#endif
