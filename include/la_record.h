/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_record.h - from what the tracker noted (la_out.h) to the records of the ABI.
 *
 * The kernel fills ring buffer memory with these functions and replay fills a local record:
 * the same bytes in both places. Segment, RST and state records are numbered from out->seq.
 */
#ifndef LA_RECORD_H
#define LA_RECORD_H

#include "la_abi.h"
#include "la_flight.h"
#include "la_out.h"
#include "la_zeek.h"

LA_INLINE void la_record_head(struct la_rec *h, enum la_record type, const struct la_key *key,
			      const struct la_out *out, __u32 seq)
{
	h->v = LA_ABI_VERSION;
	h->type = type;
	h->orig = out->orig;
	h->seq = seq;
	h->ts = out->ts;
	h->id = out->id;
	h->key = *key;
	h->ifindex = out->ifindex;
	h->pad = 0;
}

/* seg may be NULL: a timer did it. Numbers are made relative to both initial ones. */
LA_INLINE void la_record_seg(struct la_rec_seg *r, const struct la_segment *seg,
			     const struct la_out *out)
{
	__builtin_memset(r, 0, sizeof(*r));
	if (!seg || seg->icmp_type)
		return;
	r->seq = seg->seq - out->isn[seg->dir & 1];
	if ((seg->flags & LA_ACK) && out->isn[!(seg->dir & 1)])
		r->ack = seg->ack - out->isn[!(seg->dir & 1)];
	r->len = seg->len;
	r->flags = seg->flags;
	r->sender = seg->dir != out->orig;
}

/* Two bits by index of the side, as two bits by endpoint. */
LA_INLINE __u8 la_by_endpoint(__u8 bits, __u8 orig)
{
	return orig ? (bits & 1) << 1 | (bits >> 1 & 1) : bits;
}

LA_INLINE void la_record_state(struct la_rec_state *r, const struct la_key *key,
			       const struct la_out *out, const struct la_change *c,
			       const struct la_segment *seg, __u32 seq)
{
	la_record_head(&r->h, LA_REC_STATE, key, out, seq);
	la_record_seg(&r->seg, out->timer ? NULL : seg, out);
	r->endpoint = c->side != out->orig;
	r->from = c->from;
	r->to = c->to;
	r->certainty = c->certainty;
	r->cause = c->cause;
	r->state[LA_ORIG] = c->state[out->orig & 1];
	r->state[LA_RESP] = c->state[!(out->orig & 1)];
	r->presumed = la_by_endpoint(c->presumed, out->orig);
	r->since = c->spent;
}

LA_INLINE void la_record_segment(struct la_rec_segment *r, const struct la_key *key,
				 const struct la_out *out, const struct la_segment *seg, __u32 seq)
{
	la_record_head(&r->h, LA_REC_SEGMENT, key, out, seq);
	la_record_seg(&r->seg, seg, out);
	r->reason = out->reason;
	r->state[LA_ORIG] = out->state[out->orig & 1];
	r->state[LA_RESP] = out->state[!(out->orig & 1)];
	r->presumed = la_by_endpoint(out->presumed, out->orig);
	__builtin_memset(r->pad, 0, sizeof(r->pad));
}

LA_INLINE void la_record_rst(struct la_rec_rst *r, const struct la_key *key,
			     const struct la_out *out, const struct la_segment *seg, __u32 seq)
{
	la_record_head(&r->h, LA_REC_RST, key, out, seq);
	la_record_seg(&r->seg, seg, out);
	r->sender = r->seg.sender;
	r->verdict = out->verdict;
	r->dropped = out->reason == LA_R_RST_DROPPED;
	r->forged = out->forged;
	r->state[LA_ORIG] = out->state[out->orig & 1];
	r->state[LA_RESP] = out->state[!(out->orig & 1)];
	r->rule = out->rule;
	r->pad = 0;
}

/* The time of s in each state up to f->ended; CLOSED has what the others leave of it. */
LA_INLINE void la_record_times(struct la_rec_side *r, const struct la_side *s,
			       const struct la_flow *f)
{
	__u64 rest = la_elapsed(f->start, f->ended);

	r->in_state[LA_NO_STATE] = 0;
	__builtin_memcpy(&r->in_state[LA_LISTEN], s->in_state, sizeof(s->in_state));
	if (s->state < LA_STATE_MAX)
		r->in_state[s->state] += la_elapsed(s->since, f->ended);
	for (__u32 i = LA_LISTEN; i < LA_STATE_MAX; i++)
		rest -= r->in_state[i];
	r->in_state[LA_CLOSED] = rest & ~-(rest >> 63);
}

/* Side d of a flow; midstream: its window has no known scale. */
LA_INLINE void la_record_side(struct la_rec_side *r, const struct la_flow *f, __u32 d)
{
	const struct la_side *s = &f->side[d & 1], *p = &f->side[!(d & 1)];
	const struct la_zero *zero = &f->zero[d & 1];

	r->pkts = s->pkts;
	r->bytes = s->bytes;
	r->ip_bytes = s->ip_bytes;
	la_record_times(r, s, f);
	r->zero_window_ns = la_zero_window_ns(s, zero, f->ended);
	r->retrans = s->retrans;
	r->ooo = s->ooo;
	r->dups = s->dups;
	r->in_flight = la_in_flight(s, p);
	r->max_in_flight = s->flight_max;
	r->window = f->flags & LA_F_MIDSTREAM ? 0 : s->wnd;
	r->zero_windows = zero->periods;
	r->window_probes = zero->probes;
	r->window_full = s->fulls;
	r->state = s->state;
	r->presumed = !!(s->flags & LA_S_PRESUMED);
	__builtin_memset(r->pad, 0, sizeof(r->pad));
}

/* How far had it come when it was cut (enum la_stage)? */
LA_INLINE __u8 la_stage_of(const struct la_flow *f)
{
	if (!f->rst_verdict && !f->timeout_state && f->reason != LA_CLOSE_REFUSED &&
	    f->reason != LA_CLOSE_UNREACHABLE)
		return 0;
	if (!f->established && !(f->flags & LA_F_MIDSTREAM))
		return LA_STAGE_POST_SYN;
	if (f->data_segs == 0 && !(f->flags & LA_F_MIDSTREAM))
		return LA_STAGE_POST_ACK;
	return f->data_segs == 1 && !(f->flags & LA_F_MIDSTREAM) ? LA_STAGE_POST_PSH
								 : LA_STAGE_LATER;
}

/* First segment to the last before both sides were done. */
LA_INLINE __u64 la_heard_ns(const struct la_flow *f)
{
	__u64 heard = f->heard;

	if (!la_hist_both_done(f) && f->last > heard)
		heard = f->last; /* the fast path keeps no other time */
	return la_elapsed(f->start, heard);
}

LA_INLINE void la_record_zeek(struct la_rec_zeek *r, const struct la_flow *f)
{
	__builtin_memset(r, 0, sizeof(*r));
	r->start = f->start;
	r->heard_ns = la_heard_ns(f);
	r->missed = f->missed;
	for (int i = 0; i < 2; i++) {
		const struct la_side *s = &f->side[(f->orig ^ i) & 1];

		r->pkts[i] = s->pkts;
		r->bytes[i] = s->bytes;
		r->ip_bytes[i] = s->ip_bytes;
	}
	r->conn_state = la_conn_state(f);
	r->history_len = f->history_len;
	__builtin_memcpy(r->history, f->history, sizeof(r->history));
}

/* The last ICMP error about a segment of the originator, else of the responder. */
LA_INLINE void la_record_icmp(struct la_rec_close *r, const struct la_flow *f)
{
	__u8 orig = f->orig & 1;
	__u8 to = !f->side[orig].icmp_type && f->side[!orig].icmp_type;
	const struct la_side *s = &f->side[orig ^ to];

	r->icmp_type = s->icmp_type;
	r->icmp_code = s->icmp_code;
	r->icmp_to = to;
}

/* By the hooks that own its directions: la_hook_id() is even where packets come in. */
LA_INLINE __u8 la_direction_of(const struct la_flow *f)
{
	__u32 orig = f->side[f->orig & 1].hook, resp = f->side[!(f->orig & 1)].hook;

	if (!orig && !resp)
		return LA_NO_DIRECTION;
	return (orig ? orig : resp ^ 1) & 1 ? LA_FLOW_OUT : LA_FLOW_IN;
}

/* What broke it is not answered yet, or by a RST. Who sends a RST itself waits for nothing. */
LA_INLINE __u64 la_silence_ns(const struct la_flow *f)
{
	if (!(f->flags & LA_F_BROKEN_SILENCE) || (f->rst_verdict && f->rst_sender == f->silence.by))
		return 0;
	return la_elapsed(f->silence.began, f->silence.ended);
}

/* The close record, from a copy of the flow as it was when it ended. */
LA_INLINE void la_record_close(struct la_rec_close *r, const struct la_key *key,
			       const struct la_out *out, const struct la_flow *f)
{
	la_record_head(&r->h, LA_REC_CLOSE, key, out, f->close_seq);
	r->h.ts = f->ended;
	r->duration_ns = la_elapsed(f->start, f->ended);
	r->handshake_ns = f->established ? la_elapsed(f->start, f->established) : 0;
	r->close_ns = f->closing ? la_elapsed(f->closing, f->ended) : 0;
	r->heard_ns = la_heard_ns(f);
	r->missed = f->missed;
	r->unanswered = f->unanswered;
	r->unanswered_ns = f->unanswered ? la_elapsed(f->silent_since, f->ended) : 0;
	r->silence_ns = la_silence_ns(f);
	r->silent = f->asker == (f->orig & 1);
	la_record_side(&r->side[LA_ORIG], f, f->orig);
	la_record_side(&r->side[LA_RESP], f, !(f->orig & 1));
	r->reason = f->reason;
	r->closed_by = f->closed_by;
	r->conn_state = la_conn_state(f);
	r->rst_sender = f->rst_sender != (f->orig & 1);
	r->rst_verdict = f->rst_verdict;
	r->stage = la_stage_of(f);
	r->timeout_state = f->timeout_state;
	r->timeout_cause = f->timeout_cause;
	r->midstream = !!(f->flags & LA_F_MIDSTREAM);
	r->forged = f->forged;
	r->history_len = f->history_len;
	__builtin_memcpy(r->history, f->history, sizeof(r->history));
	la_record_icmp(r, f);
	r->one_way = la_one_way(f);
	r->direction = la_direction_of(f);
	__builtin_memset(r->pad, 0, sizeof(r->pad));
}

LA_INLINE void la_record_gone(struct la_rec_gone *r, const struct la_key *key,
			      const struct la_out *out, const struct la_flow *f)
{
	la_record_head(&r->h, LA_REC_GONE, key, out, out->gone_seq);
	r->late_pkts = f->late_pkts;
	r->fin_retrans = f->fin_retrans;
	r->late_rst = f->late_rst;
	r->why = out->why;
	r->forged = f->forged;
	r->carried_on = !!(f->flags & LA_F_CARRIED_ON);
	r->pad = 0;
	la_record_zeek(&r->zeek, f);
}

#endif
