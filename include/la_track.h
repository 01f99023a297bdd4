/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_track.h - one segment moves a flow. The only writer of a flow besides la_expire.h.
 *
 *   overdue               la_expire.h      the clock had run out, only nobody had looked
 *   not open yet          la_open.h        SYN, SYN-ACK, or midstream
 *   seen at another hook  la_hook.h        ignored: one owning hook per direction
 *   ICMP error            la_on_icmp.h     by la_track_icmp(): ends what nobody has answered
 *   RST                   la_on_rst.h      verdict, evidence, both halves closed
 *   SYN, SYN-ACK          la_on_syn.h      attempt, retry, simultaneous open, reuse
 *   the rest              la_on_segment.h  window, what it proves, what it presumes
 *   afterwards            la_history.h     what Zeek would write of it
 *                         la_settle        has the connection ended? which clock runs now?
 *
 * No call, no loop, no clock: all of this runs under a BPF spin lock.
 */
#ifndef LA_TRACK_H
#define LA_TRACK_H

#include "la_history.h"
#include "la_hook.h"
#include "la_on_icmp.h"
#include "la_on_rst.h"
#include "la_on_segment.h"
#include "la_on_syn.h"
#include "la_open.h"
#include "la_pass.h"
#include "la_timeout.h"

/* Both FINs are sent and acknowledged: nothing more can come. */
LA_INLINE bool la_both_closed(const struct la_flow *f)
{
	const struct la_side *a = &f->side[0], *b = &f->side[1];

	if (!(a->flags & b->flags & LA_S_FIN) || !(a->flags & b->flags & LA_S_ACKS))
		return false;
	return !la_before(a->ack, b->fin_end) && !la_before(b->ack, a->fin_end);
}

/* It has sent a RST: whether it goes on is of interest until it is known. */
LA_INLINE bool la_goes_unproven(const struct la_side *s)
{
	return (s->flags & LA_S_RST) && !(s->marks & LA_M_ALIVE);
}

LA_INLINE bool la_may_go_fast(const struct la_flow *f)
{
	const struct la_side *a = &f->side[0], *b = &f->side[1];

	return a->state == LA_ESTABLISHED && b->state == LA_ESTABLISHED &&
	       !((a->flags | b->flags) & (LA_S_PRESUMED | LA_S_REFUSED | LA_S_SHUT)) &&
	       !(a->hist.ahead | b->hist.ahead) && a->hole_lo == a->hole_hi &&
	       b->hole_lo == b->hole_hi && !((a->hist.seen | b->hist.seen) & LA_HIST_LACKS) &&
	       (a->flags & b->flags & LA_S_ACKS) && !((a->marks | b->marks) & LA_M_CHALLENGED) &&
	       !(f->flags & LA_F_CLOSED) && f->class == LA_TIMEOUT_ESTABLISHED && !f->unanswered &&
	       !(f->flags & LA_F_BROKEN_SILENCE) && !(f->policy & LA_P_DROP) &&
	       !(la_goes_unproven(a) || la_goes_unproven(b));
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
	if (x->s->pkts && x->p->pkts)
		f->flags |= LA_F_REPLIED;
	class = la_flow_class(f);
	if (class != f->class) {
		f->class = class;
		f->since = x->out->ts;
		f->last = x->out->ts; /* whatever moved it: a clock that starts has its full time */
	}
	f->flags &= ~LA_F_FAST;
	if (la_may_go_fast(f))
		f->flags |= LA_F_FAST;
}

/*
 * Is it one of the arrows of a textbook ladder: SYN, FIN, RST, the first data of each side,
 * what moves a state, and once the end has begun, each bare ACK?
 */
LA_INLINE bool la_on_ladder(const struct la_pass *x)
{
	bool first_data = x->seg->len && !(x->out->was.flags & LA_S_HIST_D);

	return (x->seg->flags & (LA_SYN | LA_FIN | LA_RST)) || first_data || x->out->n ||
	       (x->f->closing && !x->seg->len);
}

LA_INLINE enum la_reason la_dispatch(struct la_pass *x, const struct la_config *cfg)
{
	__u8 flags = x->seg->flags;

	if (x->seg->odd)
		return x->seg->odd; /* it is noted, and that is all */
	if (flags & LA_RST)
		return la_on_rst(x, cfg);
	if (!(flags & LA_SYN))
		return la_paws_drops(x->f, x->p, x->seg) ? LA_R_PAWS : la_on_segment(x);
	if (la_is_overtaken_syn(x))
		return la_take_overtaken_syn(x);
	return flags & LA_ACK ? la_on_syn_ack(x) : la_on_syn(x);
}

/* It is its sender's, as far as can be told. */
LA_INLINE bool la_is_heeded(enum la_reason reason)
{
	return reason == LA_R_ACCEPTED || reason == LA_R_LATE;
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
	};
	enum la_reason reason;

	la_out_reset(out, seg->ts);
	la_fold(f);
	out->was.deadline = x.s->state ? la_deadline(f, cfg) : ~0ULL;
	if (seg->ts >= out->was.deadline) {
		la_overdue(f, cfg, out);
		return LA_R_ACCEPTED;
	}
	if (!x.s->state)
		la_open(&x, key);
	out->was.hook = x.s->hook;
	if (!la_own(x.s, seg))
		return LA_R_OTHER_HOOK;
	la_remember(&out->was, f, x.s);
	out->reason = la_dispatch(&x, cfg);
	reason = la_reload(out->reason);
	if (reason == LA_R_RST_DROPPED) {
		x.s->hook = out->was.hook; /* the flow stays as if it had never come */
	} else if (!(out->want & LA_WANT_AGAIN)) {
		la_history_note(&x, &out->was, reason);
		if (la_is_heeded(reason))
			la_note_times(x.s, x.p, seg);
		la_note_liveness(f, x.s, d, reason, &out->was);
		if (!(seg->flags & LA_RST) && (reason == LA_R_ACCEPTED || reason == LA_R_KEEPALIVE))
			la_note_silence(f, x.s, d, seg->ts, &out->was);
		if (la_is_heeded(reason) && !(seg->flags & LA_RST))
			la_take_ttl(x.s, seg->ttl);
		la_count_segment(x.s, x.p, seg, la_key_is_v4(key));
		if ((f->flags & LA_F_CLOSED) && !(out->want & LA_WANT_CLOSE))
			f->late_pkts++;
		la_settle(&x);
		if (cfg->segments && !seg->odd && la_on_ladder(&x))
			out->want |= LA_WANT_SEGMENT;
	}
	la_out_name(f, key);
	la_out_seal(f, out);
	return reason;
}

/*
 * Takes an ICMP error about a segment (la_icmp.h). The caller holds the lock of that segment's
 * flow, which neither enters nor leaves the table here, and emits what `out` notes.
 * Apart from la_track(), and with no hook to own it, since the two have little in common.
 */
LA_INLINE enum la_reason la_track_icmp(struct la_flow *f, const struct la_segment *seg,
				       const struct la_config *cfg, struct la_out *out)
{
	__u8 d = seg->dir & 1;
	struct la_pass x = {
		.f = f,
		.s = &f->side[d],
		.p = &f->side[!d],
		.seg = seg,
		.out = out,
		.d = d,
	};
	enum la_reason reason;

	la_out_reset(out, seg->ts);
	la_fold(f);
	out->was.deadline = la_deadline(f, cfg);
	if (!x.s->state || (f->flags & LA_F_DEAD) || seg->ts >= out->was.deadline)
		return LA_R_ICMP;
	reason = la_on_icmp(&x);
	la_settle(&x);
	la_out_seal(f, out);
	return reason;
}

#endif
