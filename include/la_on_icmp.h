/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_on_icmp.h - an ICMP error about a segment of s: believed, kept, and in an attempt that
 * nobody has answered, the end of it.
 *
 * As Linux does it (tcp_v4_err, tcp_v6_err): a connection that is open takes an error for
 * advice, since routes come back (RFC 1122 4.2.3.9, RFC 5461); in SYN_SENT any of them ends
 * the attempt, and connect() fails: with ECONNREFUSED if the port is unreachable (`refused`),
 * else with EHOSTUNREACH, ENETUNREACH, EACCES... (`unreachable`). An error whose quoted number
 * is not in flight is taken for a blind attack (RFC 5927 4.1) and changes nothing.
 */
#ifndef LA_ON_ICMP_H
#define LA_ON_ICMP_H

#include "la_on_rst.h"
#include "la_pass.h"

/* SND.UNA <= quoted number <= SND.NXT */
LA_INLINE bool la_quotes_flight(const struct la_pass *x)
{
	const struct la_side *s = x->s, *p = x->p;
	__u32 una = p->flags & LA_S_ACKS ? p->ack : s->isn;

	return (s->flags & LA_S_SEEN) && !la_before(x->seg->seq, una) &&
	       !la_after(x->seg->seq, s->nxt);
}

/* The attempt of s is over: its kernel tells connect(). */
LA_INLINE void la_give_up(struct la_pass *x)
{
	struct la_flow *f = x->f;
	bool refused = la_icmp_is_port(x->seg->icmp_type, x->seg->icmp_code);

	la_close(f, refused ? LA_CLOSE_REFUSED : LA_CLOSE_UNREACHABLE,
		 refused ? la_closer_of(f, !x->d) : LA_BY_NONE, x->out);
	la_move(f, x->d, LA_EV_RESET, LA_PRESUMED, LA_CAUSE_ICMP, x->out);
	if (refused)
		la_move(f, !x->d, LA_EV_RESET, LA_PRESUMED, LA_CAUSE_ICMP, x->out);
}

LA_INLINE enum la_reason la_on_icmp(struct la_pass *x)
{
	struct la_side *s = x->s;

	if (la_ended(x->f))
		return LA_R_LATE;
	if (!la_quotes_flight(x))
		return LA_R_ICMP_STRAY;
	s->icmp_type = x->seg->icmp_type;
	s->icmp_code = x->seg->icmp_code;
	if (s->state == LA_SYN_SENT && x->p->state == LA_LISTEN)
		la_give_up(x);
	return LA_R_ICMP_ERROR;
}

#endif
