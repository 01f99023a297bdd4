/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_forged.h - evidence that something else than the endpoint s sent a RST to its peer p.
 *
 * After Weaver, Sommer, Paxson, "Detecting Forged TCP Reset Packets" (NDSS 2009), whose rule
 * is kept: rather miss a forged RST than suspect a true one. A host sends RSTs in two ways
 * (RFC 9293 3.5.2, 3.10.7), and what fits one of them is no evidence:
 *
 *   aborts    once, at its SND.NXT, which an observer knows as s->nxt
 *   answers   a segment that it has no connection for, at the number that this segment
 *             acknowledges: one RST for each segment in flight, the acknowledgements may
 *             differ, the latest of them is p->ack
 *
 * Evidence is bits 1 << (enum la_evidence - 1). What can only show later (sends_on) is in
 * la_after_rst.h. For la_on_rst.h only.
 */
#ifndef LA_FORGED_H
#define LA_FORGED_H

#include "la_flow.h"

/* RSTs to both sides within this time were sent "at once". */
#define LA_BOTH_SIDES_NS (10 * LA_MSEC_NS)

/* Keeps the compiler from mixing these steps: what it spills would not fit on the BPF stack. */
#ifdef __bpf__
#define la_one_by_one(x) __asm__ volatile("" : "+r"(x) : : "memory")
#else
#define la_one_by_one(x) ((void)0)
#endif

#define LA_EVIDENCE_BIT(sym) (1 << (LA_EVIDENCE_##sym - 1))

/*
 * Truths as numbers, 1 or 0, combined by & and |: with a branch for each the verifier would
 * walk all their combinations.
 */
LA_INLINE __u32 la_bit(__u32 flags, __u32 flag)
{
	return flags / flag & 1; /* flag: a constant with one bit set */
}

LA_INLINE __u32 la_differ(__u32 a, __u32 b)
{
	__u32 d = a - b, minus = -d;

	la_opaque(minus);
	return (d | minus) >> 31;
}

LA_INLINE __u32 la_is_before(__u32 a, __u32 b)
{
	return (a - b) >> 31;
}

/*
 * Routers between an observer and the sender, if that started at 64, 128 or 255: 64 - ttl up
 * to 64, 128 - ttl up to 128, 255 - ttl beyond.
 */
LA_INLINE __u32 la_hops(__u32 ttl)
{
	__u32 over64 = la_is_before(64, ttl), over128 = la_is_before(128, ttl);

	return 64 + 64 * over64 + 127 * over128 - ttl;
}

/*
 * The RST comes from farther away or nearer than that other segment. A route moves by a hop
 * now and then, and a host's kernel may start its RSTs at another TTL than a socket does.
 */
LA_INLINE __u32 la_is_elsewhere(__u32 rst, __u32 other)
{
	__u32 apart = la_hops(rst) - la_hops(other) + 1; /* 0, 1, 2: the same distance */

	return la_is_before(2, apart) | apart >> 31;
}

/* Unlike its latest segment, and unlike its first, which a load balancer may have answered. */
LA_INLINE __u32 la_ttl_differs(const struct la_side *s, const struct la_segment *rst)
{
	return la_differ(s->ttl, 0) & la_is_elsewhere(rst->ttl, s->ttl) &
	       la_is_elsewhere(rst->ttl, s->ttl_first);
}

/*
 * The first RST of s, below what it has sent, and no segment of p that s may have answered
 * acknowledged just this. Of what p acknowledged before p->ack that is certain only if p has
 * nothing in flight.
 */
LA_INLINE __u32 la_seq_trails(const struct la_side *s, const struct la_side *p, __u32 seq)
{
	__u32 old = la_is_before(seq, p->ack), idle = !la_differ(p->nxt, s->ack);
	__u32 first = la_bit(p->flags, LA_S_ACKS) & ~la_bit(s->flags, LA_S_RST);
	__u32 at_fin = la_bit(s->flags, LA_S_FIN) & ~la_differ(seq + 1, s->fin_end);
	__u32 below =
		(old & idle & la_bit(s->flags, LA_S_ACKS)) | (~old & la_is_before(seq, s->nxt));

	return first & la_differ(seq, p->ack) & ~at_fin & below & 1;
}

/* Has s sent a RST, other than in its name by lastack? */
LA_INLINE __u32 la_has_reset(const struct la_side *s)
{
	return la_bit(s->flags, LA_S_RST) & ~la_bit(s->marks, LA_M_OUR_RST);
}

/*
 * A host aborts once; its other RSTs answer segments of p, and never acknowledge less than it
 * did before nor what p has not sent.
 */
LA_INLINE __u32 la_second_differs(const struct la_side *s, const struct la_side *p,
				  const struct la_segment *rst)
{
	__u32 number = la_bit(p->flags, LA_S_ACKS) & la_differ(rst->seq, s->rst_seq) &
		       la_is_before(p->ack, rst->seq);
	__u32 ack = la_bit(rst->flags, LA_ACK) & la_bit(s->flags, LA_S_ACKS) &
		    (la_is_before(p->nxt, rst->ack) | la_is_before(rst->ack, s->ack));

	return la_has_reset(s) & (number | ack);
}

/* No host answers a RST with a RST: unless p has spoken since, s did not send this to answer. */
LA_INLINE __u32 la_both_reset(const struct la_flow *f, const struct la_side *p, __u64 now)
{
	return la_has_reset(p) & ~la_bit(p->marks, LA_M_SPOKE) &
	       (__u32)((now - f->rst_at - LA_BOTH_SIDES_NS) >> 63);
}

/* All bits, or none of a flow that lastack itself resets: that RST is known, not suspected. */
LA_INLINE __u32 la_suspects(const struct la_flow *f)
{
	return la_bit(f->policy, LA_P_RESET) - 1;
}

/* Evidence against a RST from s to p, before it is noted in the flow. */
LA_INLINE __u8 la_rst_evidence(const struct la_flow *f, const struct la_side *s,
			       const struct la_side *p, const struct la_segment *rst)
{
	__u32 bits = la_second_differs(s, p, rst) << (LA_EVIDENCE_SECOND_RST - 1);

	la_one_by_one(bits);
	bits |= la_seq_trails(s, p, rst->seq) << (LA_EVIDENCE_SEQ_TRAILS - 1);
	la_one_by_one(bits);
	bits |= la_is_before(s->nxt, rst->seq) << (LA_EVIDENCE_SEQ_JUMPS - 1);
	la_one_by_one(bits);
	bits |= la_ttl_differs(s, rst) << (LA_EVIDENCE_TTL - 1);
	la_one_by_one(bits);
	bits |= la_both_reset(f, p, rst->ts) << (LA_EVIDENCE_BOTH_SIDES - 1);
	return bits & -la_bit(s->flags, LA_S_SEEN) & la_suspects(f);
}

#endif
