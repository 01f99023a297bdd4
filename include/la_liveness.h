/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_liveness.h - is anybody there? What a side asks, and how long its peer stays silent.
 *
 *   asks     sends old bytes again, a keepalive, a probe of a zero window, its SYN or FIN again:
 *            the peer owes an ACK
 *   answers  the peer sends anything that could be its own, however empty
 *   goes on  the asker sends something new: there was an answer, which passed elsewhere
 *
 * Each question winds up the clock of the flow, as long as a host would ask; one who asks for
 * ever does not keep a flow for ever. Who has asked three times runs on the clock
 * `unanswered` (la_timeout.h). The close record tells how many questions are open, since
 * when, and of what kind: that is its `timeout_cause`. For la_track.h and la_expire.h.
 */
#ifndef LA_LIVENESS_H
#define LA_LIVENESS_H

#include "la_out.h"
#include "la_timeout.h"

/*
 * Questions that renew a flow: what hosts ask by default and one more (Linux sends 15
 * retransmissions and 9 keepalives).
 */
#define LA_UNANSWERED_RENEW 16

/*
 * A keepalive comes out of silence; timers of keepalives count in seconds. What looks like one
 * but comes sooner is a late copy of the last byte, or an ACK that this byte overtook.
 */
#define LA_KEEPALIVE_IDLE (500 * LA_MSEC_NS)

/* Before a segment of s is looked at. */
LA_INLINE void la_remember(struct la_formerly *was, const struct la_flow *f,
			   const struct la_side *s)
{
	was->last = f->last;
	was->nxt = s->nxt;
	was->ack = s->ack;
	was->retrans = s->retrans;
	was->sent = s->nxt - s->hist.ahead;
	was->flags = s->flags;
	was->first = !s->pkts;
	was->closed = f->flags & LA_F_CLOSED;
}

/* What looks like a keepalive (la_window.h) at time ts: is it one? */
LA_INLINE enum la_reason la_check_keepalive(const struct la_flow *f, enum la_reason reason,
					    __u64 ts)
{
	if (reason == LA_R_KEEPALIVE && la_elapsed(f->last, ts) < LA_KEEPALIVE_IDLE)
		return LA_R_OLD_DUPLICATE;
	return reason;
}

/*
 * The side s, index d, asks by LA_M_KEEPALIVE, or by 0: what it has sent before, or a probe of a
 * zero window.
 */
LA_INLINE void la_ask(struct la_flow *f, struct la_side *s, __u8 d, __u8 how, __u64 last)
{
	if (!f->unanswered || (s->marks & LA_M_KEEPALIVE) != how) {
		f->unanswered = 0;
		f->silent_since = last;
		f->asker = d;
		s->marks = (s->marks & ~LA_M_KEEPALIVE) | how;
	}
	if (f->unanswered < 0xffff)
		f->unanswered++;
	if (f->unanswered > LA_UNANSWERED_RENEW)
		f->last = last;
}

/*
 * A segment of side d, at time ts, that is no RST. What is sent again comes late because nobody has
 * answered, and not because nobody has spoken.
 */
LA_INLINE void la_note_silence(struct la_flow *f, const struct la_side *s, __u8 d, __u64 ts,
			       const struct la_formerly *was)
{
	bool breaks = la_elapsed(was->last, ts) >= LA_SILENCE && s->retrans == was->retrans;

	if (f->flags & LA_F_BROKEN_SILENCE) {
		if (f->silence.by != d)
			f->flags &= ~LA_F_BROKEN_SILENCE;
	} else if (breaks && !was->closed && !(f->flags & LA_F_PROVISIONAL)) {
		f->flags |= LA_F_BROKEN_SILENCE;
		f->silence = (struct la_silence){.began = was->last, .ended = ts, .by = d};
	}
}

/*
 * A segment of s, index d, has been looked at and was found to be `reason`: a question, an
 * answer, or a sign that there was one. What is not acted upon may be anybody's.
 */
LA_INLINE void la_note_liveness(struct la_flow *f, struct la_side *s, __u8 d, enum la_reason reason,
				const struct la_formerly *was)
{
	bool again = s->retrans != was->retrans || reason == LA_R_WINDOW_PROBE;

	if (was->closed || reason == LA_R_RST_IGNORED || reason == LA_R_PAWS ||
	    reason >= LA_R_SEQ_ABOVE_WINDOW)
		return;
	if (f->asker != d || la_after(s->ack, was->ack) || la_after(s->nxt, was->nxt))
		f->unanswered = 0;
	if (again)
		la_ask(f, s, d, 0, was->last);
	else if (reason == LA_R_KEEPALIVE)
		la_ask(f, s, d, LA_M_KEEPALIVE, was->last);
}

/* Why a clock that nobody winds up has run out (enum la_timeout_cause). */
LA_INLINE __u8 la_silence_cause(const struct la_flow *f)
{
	const struct la_side *asker = f->asker ? &f->side[1] : &f->side[0];

	if (!f->unanswered)
		return LA_TIMEOUT_CAUSE_IDLE;
	return asker->marks & LA_M_KEEPALIVE ? LA_TIMEOUT_CAUSE_KEEPALIVE_FAILED
					     : LA_TIMEOUT_CAUSE_DEAD_PEER;
}

#endif
