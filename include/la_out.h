/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_out.h - what one segment or one deadline did to a flow, to be told to the world.
 *
 * The tracker runs under a spin lock, where nothing can be emitted. It notes here what
 * happened; la_record.h turns the note into records when the lock is gone. The numbers of
 * the records are drawn under the lock, so that they are gapless and in order.
 */
#ifndef LA_OUT_H
#define LA_OUT_H

#include "la_flow.h"
#include "la_fsm.h"
#include "la_key.h"

/* One segment moves each endpoint at most twice, and takes back at most two presumptions. */
#define LA_CHANGES_MAX 8

struct la_change {
	__u64 spent;	/* ns in `from` */
	__u8 side;	/* index in the flow */
	__u8 from;	/* enum la_state */
	__u8 to;	/* enum la_state */
	__u8 certainty; /* enum la_certainty */
	__u8 cause;	/* enum la_cause */
	__u8 state[2];	/* of both sides after it, by index */
	__u8 presumed;	/* bit 1 << index: that state is presumed */
};

/* What to emit, in this order: segment, rst, changes, close, gone. */
enum la_want {
	LA_WANT_SEGMENT = 0x01,
	LA_WANT_RST = 0x02,
	LA_WANT_CLOSE = 0x04,
	LA_WANT_GONE = 0x08,
	LA_WANT_AGAIN = 0x10, /* the flow ended: empty it, then track this segment once more */
};

/* What a replaced flow leaves to the SYN-ACK that replaced it: la_out.has_prov. */
enum la_left {
	LA_LEFT_NOTHING,
	LA_LEFT_SYN,	 /* prov is the SYN that it answers */
	LA_LEFT_OLD_SYN, /* it answers the SYN of the replaced flow, once more */
};

/* What was so before the segment at hand, for la_liveness.h and la_history.h. Here, because stack
 * is scarce. */
struct la_formerly {
	__u64 deadline; /* ~0: there was no flow */
	__u64 last;
	__u32 nxt; /* of its sender, as what follows */
	__u32 ack;
	__u32 retrans;
	__u32 hook;  /* owner of its direction */
	__u32 sent;  /* the highest sequence number that it was seen to send, plus one */
	__u16 flags; /* enum la_side_flag */
	bool first;  /* it was not seen before */
	bool closed; /* the connection had ended */
	bool reset;  /* a RST was thought to have ended it, and it speaks all the same */
	__u8 pad[3];
};

struct la_out {
	__u64 ts;	/* of the records */
	__u64 id;	/* of the connection */
	__u32 seq;	/* number of the first record */
	__u32 gone_seq; /* number of the gone record */
	__u32 n;	/* changes */
	__u32 isn[2];	/* initial sequence numbers of both sides, by index */
	__u32 ifindex;	/* of the flow */
	__u8 orig;	/* index of the originator */
	__u8 want;	/* enum la_want */
	__u8 reason;	/* enum la_reason, with LA_WANT_SEGMENT */
	__u8 verdict;	/* enum la_rst_verdict, with LA_WANT_RST */
	__u8 forged;	/* evidence, with LA_WANT_RST */
	__u8 why;	/* enum la_gone_why, with LA_WANT_GONE */
	__u8 has_prov;	/* enum la_left */
	__u8 state[2];	/* of both sides in the end, by index */
	__u8 presumed;	/* bit 1 << index: that state is presumed */
	__u8 rule;	/* enum la_rst_rule by which the RST should be dropped, or 0 */
	__u8 timer;	/* 1: a clock did it, before the segment at hand came */
	struct la_formerly was;
	struct la_change change[LA_CHANGES_MAX];
	struct la_prov prov;
};

/* Forgets the last note; keeps what the caller set, and the SYN left by a replaced flow. */
LA_INLINE void la_out_reset(struct la_out *out, __u64 ts)
{
	out->ts = ts;
	out->n = 0;
	out->want = 0;
	out->verdict = 0;
	out->forged = 0;
	out->rule = 0;
	out->why = 0;
	out->timer = 0;
}

/* Bit 1 << index for each side whose state is only presumed. */
LA_INLINE __u8 la_presumed_bits(const struct la_flow *f)
{
	return (f->side[0].flags / LA_S_PRESUMED & 1) | (f->side[1].flags / LA_S_PRESUMED & 1) << 1;
}

/* Keeps what the records tell of the flow as it is now. */
LA_INLINE void la_out_identify(const struct la_flow *f, struct la_out *out)
{
	out->isn[0] = f->side[0].isn;
	out->isn[1] = f->side[1].isn;
	out->id = f->id;
	out->ifindex = f->ifindex;
	out->orig = f->orig & 1;
	out->state[0] = f->side[0].state;
	out->state[1] = f->side[1].state;
	out->presumed = la_presumed_bits(f);
}

/*
 * The first record names the connection; what is learnt later does not rename it. An old SYN
 * that is answered again would have the name of its own connection: the answer names it.
 */
LA_INLINE void la_out_name(struct la_flow *f, const struct la_key *key)
{
	const struct la_side *o = &f->side[f->orig & 1], *r = &f->side[!(f->orig & 1)];
	__u32 isn = o->state == LA_CLOSED ? r->isn : o->isn;

	if (!f->seq)
		f->id = la_conn_id(key, o->flags & LA_S_SYN ? isn : 0);
}

/* The note is complete: draws the numbers of its records. */
LA_INLINE void la_out_seal(struct la_flow *f, struct la_out *out)
{
	la_out_identify(f, out);
	out->seq = f->seq;
	f->seq += out->n + !!(out->want & LA_WANT_SEGMENT) + !!(out->want & LA_WANT_RST);
	if (out->want & LA_WANT_CLOSE)
		f->close_seq = f->seq++;
	out->gone_seq = f->seq;
	if (out->want & LA_WANT_GONE)
		f->seq++;
}

/* Puts a side into state `to` and takes note of it. False if it was in none before. */
LA_INLINE bool la_enter(struct la_flow *f, __u8 side, __u8 to, enum la_certainty certainty,
			enum la_cause cause, struct la_out *out)
{
	struct la_side *s = &f->side[side & 1];
	__u32 from = s->state, n = out->n;
	struct la_change *c;
	__u64 spent;

	la_opaque(from);
	if (!to || !from || from >= LA_STATE_MAX)
		return false;
	spent = la_elapsed(s->since, out->ts);
	if (from >= LA_LISTEN)
		s->in_state[from - LA_LISTEN] += spent;
	s->since = out->ts;
	s->state = to;
	if (certainty != LA_PRESUMED && to != LA_CLOSED)
		s->passed = 0; /* else what led to the end may still be in doubt */
	if (certainty == LA_PRESUMED)
		s->flags |= LA_S_PRESUMED;
	else
		s->flags &= ~LA_S_PRESUMED;
	la_opaque(n);
	if (n >= LA_CHANGES_MAX)
		return true;
	c = &out->change[n];
	out->n = n + 1;
	c->spent = spent;
	c->side = side & 1;
	c->from = from;
	c->to = to;
	c->certainty = certainty;
	c->cause = cause;
	c->state[0] = f->side[0].state;
	c->state[1] = f->side[1].state;
	c->presumed = la_presumed_bits(f);
	return true;
}

/* Moves a side by an event of the state machine; does nothing if the event leaves it there. */
LA_INLINE bool la_move(struct la_flow *f, __u8 side, enum la_event event,
		       enum la_certainty certainty, enum la_cause cause, struct la_out *out)
{
	return la_enter(f, side, la_fsm_next(f->side[side & 1].state, event), certainty, cause,
			out);
}

#endif
