/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_rst_policy.h - which RSTs a policy keeps from their receiver, if there is one at all.
 *
 *   strict   its number is not the one that the receiver p expects, so p would not act on it
 *            (RFC 9293 3.10.7, RFC 5961 3.2), and nothing else in it speaks for the sender s;
 *            or it is the second of two RSTs of which no host sends both, and the distance from
 *            which it comes says that this one is the forged one
 *   limit    its number fits, but its source has just sent too many that did not: who guesses
 *            misses often before he hits
 *
 * What cannot be judged passes: a connection that is not open at both ends, or was not seen from
 * its beginning or not both ways, or in which the tracker is out of step. So does what is
 * protected. See docs/policy.md.
 * For la_on_rst.h only.
 */
#ifndef LA_RST_POLICY_H
#define LA_RST_POLICY_H

#include "la_forged.h"
#include "la_rst.h"

/* Open: a RST is measured against RCV.NXT, and nothing but that. */
LA_INLINE bool la_is_synchronized(const struct la_side *s)
{
	return s->state >= LA_ESTABLISHED && s->state <= LA_LAST_ACK;
}

/* Is it known what p expects next of s? */
LA_INLINE bool la_can_judge(const struct la_flow *f, const struct la_side *s,
			    const struct la_side *p)
{
	return !(f->flags & (LA_F_MIDSTREAM | LA_F_PROVISIONAL)) &&
	       !(f->policy & (LA_P_RESET | LA_P_GUARDED)) && !la_ended(f) &&
	       la_is_synchronized(s) && la_is_synchronized(p) &&
	       (s->flags & p->flags & LA_S_ACKS) && s->pkts && p->pkts &&
	       !((s->flags | p->flags) & LA_S_REFUSED);
}

/*
 * Could s have sent it, though p does not expect it? An abort acknowledges what s has received,
 * which nobody can guess: data that s sent before was lost, or is on its way. The other two
 * answer a segment of p (RFC 9293 3.5.2): without ACK, at the number that this acknowledged, one
 * of the last window being on its way; at 0 with an ACK, a copy of its SYN.
 */
LA_INLINE bool la_rst_matches(const struct la_side *s, const struct la_side *p,
			      const struct la_segment *seg)
{
	__u32 behind = p->ack - seg->seq;

	if (seg->flags & LA_ACK)
		return la_acks_syn(p, seg) && (!seg->seq || !la_before(seg->ack, s->ack));
	return behind && behind <= 65536U << (p->wscale & 15);
}

/* Strong evidence speaks against one of two RSTs; from elsewhere: against this one. */
LA_INLINE bool la_is_proven_forged(__u8 evidence)
{
	__u8 proof = LA_EVIDENCE_BIT(SECOND_RST) | LA_EVIDENCE_BIT(TTL);

	return (evidence & proof) == proof;
}

/* The rule by which a RST from s to p should not pass (enum la_rst_rule), or 0. */
LA_INLINE __u8 la_rst_rule(const struct la_flow *f, const struct la_side *s,
			   const struct la_side *p, const struct la_segment *seg,
			   enum la_rst_verdict verdict, __u8 evidence)
{
	if (seg->guarded || !la_can_judge(f, s, p))
		return 0;
	if (verdict == LA_RST_OUT_OF_WINDOW || verdict == LA_RST_IN_WINDOW)
		return la_rst_matches(s, p, seg) ? 0 : LA_RULE_STRICT;
	if (la_is_proven_forged(evidence))
		return LA_RULE_STRICT;
	return seg->limited ? LA_RULE_LIMIT : 0;
}

#endif
