/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_zeek.h - conn_state in Zeek's words, by Zeek's published definitions.
 *
 * Zeek names what both endpoints were seen to do, not how sure one can be of it: SF needs
 * both FINs, RSTO and RSTR an abort by that side, S0 to S3 say where it stopped, and OTH is
 * for connections whose SYN was never seen. "Inactive" is a side that sent nothing at all.
 */
#ifndef LA_ZEEK_H
#define LA_ZEEK_H

#include "la_flow.h"

/* A connection that a RST ended. */
LA_INLINE enum la_conn_state la_conn_state_reset(const struct la_flow *f, const struct la_side *o,
						 const struct la_side *r)
{
	if (f->rst_sender == (f->orig & 1))
		return r->pkts ? LA_CONN_RSTO : LA_CONN_RSTOS0;
	if (f->rst_verdict == LA_RST_SYN_SENT_ACK_OK)
		return LA_CONN_REJ;
	return o->pkts ? LA_CONN_RSTR : LA_CONN_RSTRH;
}

/* Zeek's conn_state of a flow as it stands. */
LA_INLINE enum la_conn_state la_conn_state(const struct la_flow *f)
{
	const struct la_side *o = &f->side[f->orig & 1], *r = &f->side[!(f->orig & 1)];
	bool syn = (o->flags & LA_S_SYN) && o->pkts, answer = (r->flags & LA_S_SYN) && r->pkts;

	if (f->rst_verdict)
		return la_conn_state_reset(f, o, r);
	if (o->flags & r->flags & LA_S_FIN)
		return LA_CONN_SF;
	if (o->flags & LA_S_FIN)
		return r->pkts ? LA_CONN_S2 : LA_CONN_SH;
	if (r->flags & LA_S_FIN)
		return o->pkts ? LA_CONN_S3 : LA_CONN_SHR;
	if (syn && !r->pkts)
		return LA_CONN_S0;
	return syn && answer ? LA_CONN_S1 : LA_CONN_OTH;
}

#endif
