/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_open.h - the first segment of a flow: who is the originator, and in which states do the
 * endpoints start?
 *
 * A SYN names the originator; so does a SYN-ACK whose SYN was missed. Midstream the ports
 * must do, and the flow is marked.
 */
#ifndef LA_OPEN_H
#define LA_OPEN_H

#include "la_history.h"
#include "la_key.h"
#include "la_pass.h"
#include "la_port.h"

LA_INLINE void la_open_syn(struct la_pass *x)
{
	x->f->orig = x->d;
	x->s->state = LA_CLOSED;
	x->p->state = LA_LISTEN;
}

/*
 * The SYN was missed, but the SYN-ACK tells its number, unless it bore data. One that is answered
 * for the second time is known, and has nobody there who sent it.
 */
LA_INLINE void la_open_syn_ack(struct la_pass *x)
{
	bool old = x->out->has_prov == LA_LEFT_OLD_SYN;

	x->f->orig = !x->d;
	x->f->flags |= LA_F_MIDSTREAM;
	x->s->state = LA_LISTEN;
	x->p->state = LA_CLOSED;
	if (!old)
		la_move(x->f, !x->d, LA_EV_SND_SYN, LA_PRESUMED, LA_CAUSE_SYN_ACK, x->out);
	x->out->has_prov = LA_LEFT_NOTHING;
	x->p->before = LA_CLOSED; /* it may be the answer to an old SYN, and nobody there */
	x->p->isn = old ? x->out->prov.isn : x->seg->ack - 1;
	x->p->nxt = x->seg->ack;
	x->p->flags |= LA_S_SEEN | LA_S_SYN;
	if (x->seg->opts & LA_OPT_WSCALE)
		x->p->flags |= LA_S_WSCALE; /* else the responder would not have (RFC 7323) */
	x->p->wscale = LA_WSCALE_MAX;
	la_history_flipped(x->f);
}

/* Neither SYN was seen: the ports must do. */
LA_INLINE void la_open_midstream(struct la_pass *x, const struct la_key *key)
{
	__u32 a = la_port_order(la_ntoh16(key->port[0]));
	__u32 b = la_port_order(la_ntoh16(key->port[1]));

	x->f->orig = a == b ? x->d : a < b;
	if (x->f->orig != x->d)
		la_history_flipped(x->f);
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
LA_INLINE void la_open_provisional(struct la_pass *x, const struct la_key *key)
{
	struct la_prov *prov = &x->out->prov;
	__u64 now = x->out->ts;

	x->f->orig = !x->d;
	x->f->start = prov->ts;
	x->s->state = LA_LISTEN;
	x->p->state = LA_CLOSED;
	x->s->since = prov->ts;
	x->p->since = prov->ts;
	x->out->ts = prov->ts;
	la_take_syn(x->p, prov->isn, prov->nxt, prov->mss, prov->wscale, prov->opts);
	x->p->ttl = prov->ttl;
	x->p->ttl_first = prov->ttl;
	la_count_segment(x->p, x->s, x->seg, la_key_is_v4(key));
	la_move(x->f, !x->d, LA_EV_SND_SYN, LA_SEEN, LA_CAUSE_SYN, x->out);
	x->p->hist.syn = prov->isn;
	x->p->hist.seen = LA_HIST_SYN;
	x->p->hist.state = LA_ZEEK_SYN_SENT;
	la_history(x->f, true, 's');
	x->out->ts = now;
	x->out->has_prov = LA_LEFT_NOTHING;
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
	if (kind == (LA_SYN | LA_ACK) && x->out->has_prov == LA_LEFT_SYN)
		la_open_provisional(x, key);
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
	if (seg->odd)
		return seg->odd;
	return seg->flags & LA_RST ? LA_R_NO_FLOW : LA_R_ACCEPTED;
}

#endif
