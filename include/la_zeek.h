/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_zeek.h - conn_state in Zeek's words, from what la_history.h noted of both sides.
 *
 *                    resp: silent  established  FIN    RST
 *   orig silent            OTH     OTH          SHR    RSTRH
 *        SYN, no answer    S0      -            -      REJ
 *        established       OTH     S1           S3     RSTR
 *        FIN               SH      S2           SF     RSTR
 *        RST               RSTOS0  RSTO         RSTO   RSTR, REJ
 *
 * "Silent" is a side that sent nothing, or nothing that began with a SYN.
 * Source: Zeek's documentation of Conn::Info.
 */
#ifndef LA_ZEEK_H
#define LA_ZEEK_H

#include "la_history.h"

LA_INLINE bool la_zeek_silent(__u8 state)
{
	return state == LA_ZEEK_INACTIVE || state == LA_ZEEK_PARTIAL;
}

/* The responder sent a RST. */
LA_INLINE enum la_conn_state la_conn_state_resp_reset(const struct la_side *o,
						      const struct la_side *r)
{
	__u8 os = o->hist.state;

	if (os == LA_ZEEK_SYN_SENT || os == LA_ZEEK_SYN_ACK_SENT)
		return LA_CONN_REJ;
	if (os == LA_ZEEK_RESET && !o->bytes && !r->bytes)
		return LA_CONN_REJ;
	return la_zeek_silent(os) ? LA_CONN_RSTRH : LA_CONN_RSTR;
}

/* Only the originator sent a RST. */
LA_INLINE enum la_conn_state la_conn_state_orig_reset(const struct la_side *o,
						      const struct la_side *r)
{
	if (!la_zeek_silent(r->hist.state))
		return LA_CONN_RSTO;
	return o->hist.seen & LA_HIST_RST_ALONE ? LA_CONN_RSTOS0 : LA_CONN_OTH;
}

/* Zeek's conn_state of a flow as it stands. */
LA_INLINE enum la_conn_state la_conn_state(const struct la_flow *f)
{
	const struct la_side *o = &f->side[f->orig & 1], *r = &f->side[!(f->orig & 1)];
	__u8 os = o->hist.state, rs = r->hist.state;

	if (rs == LA_ZEEK_RESET)
		return la_conn_state_resp_reset(o, r);
	if (os == LA_ZEEK_RESET)
		return la_conn_state_orig_reset(o, r);
	if (os == LA_ZEEK_CLOSED && rs == LA_ZEEK_CLOSED)
		return LA_CONN_SF;
	if (os == LA_ZEEK_CLOSED)
		return la_zeek_silent(rs) ? LA_CONN_SH : LA_CONN_S2;
	if (rs == LA_ZEEK_CLOSED)
		return la_zeek_silent(os) ? LA_CONN_SHR : LA_CONN_S3;
	if (os == LA_ZEEK_SYN_SENT && rs == LA_ZEEK_INACTIVE)
		return LA_CONN_S0;
	return os == LA_ZEEK_ESTABLISHED && rs == LA_ZEEK_ESTABLISHED ? LA_CONN_S1 : LA_CONN_OTH;
}

#endif
