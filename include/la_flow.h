/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_flow.h - one entry of the flow table: what is known of a connection.
 *
 * A flow is filled with zeros when it enters the table and opened by its first segment
 * (la_track.h), which is the only writer besides expiry (la_expire.h). Both are called with
 * the flow's lock held, where there is one; only the fast path (la_fast.h) has none.
 * Sides are indexed as in the key; `orig` says which of them is the originator.
 * Sequence numbers are in host byte order and compared modulo 2^32 (RFC 9293 3.4).
 */
#ifndef LA_FLOW_H
#define LA_FLOW_H

#include "la_abi.h"
#include "la_segment.h"
#include "la_types.h"

/* Facts about a side: la_side.flags. */
enum la_side_flag {
	LA_S_SEEN = 0x0001,	  /* it has sent a segment: nxt is valid */
	LA_S_SYN = 0x0002,	  /* its initial sequence number is known: isn is valid */
	LA_S_ACKS = 0x0004,	  /* it has sent an ACK: ack and edge are valid */
	LA_S_FIN = 0x0008,	  /* it has sent a FIN: fin_end is valid */
	LA_S_ACTIVE = 0x0010,	  /* it sent that FIN before it had the peer's */
	LA_S_PRESUMED = 0x0020,	  /* its state is presumed, nothing it sent proves it */
	LA_S_RST = 0x0040,	  /* it has sent a RST: rst_seq is valid */
	LA_S_WSCALE = 0x0080,	  /* its SYN announced window scaling */
	LA_S_ISN_VARIES = 0x0100, /* its SYN-ACK came with several numbers (SYN cookies) */
	LA_S_REFUSED = 0x0200,	  /* refused is valid */
	LA_S_HIST_A = 0x0400,	  /* its letters a, d, i, q are in the history */
	LA_S_HIST_D = 0x0800,
	LA_S_HIST_I = 0x1000,
	LA_S_HIST_Q = 0x2000,
	LA_S_SHUT = 0x4000,	 /* the window that it advertised last is zero */
	LA_S_SYN_AGAIN = 0x8000, /* it sent its SYN again, which is not answered yet */
};

/* What Zeek would know of a side, see la_history.h. */
struct la_hist {
	__u32 syn;    /* sequence number of its last SYN, */
	__u32 fin;    /* of its last FIN, */
	__u32 rst;    /* of its last RST: their letters come again if it differs */
	__u32 ahead;  /* how far the peer's ACKs are ahead of what was seen: part of nxt */
	__u32 rxmits; /* segments with payload that did not end beyond what it had sent */
	__u32 gaps;   /* ACKs of what was not seen */
	__u8 seen;    /* enum la_hist_seen */
	__u8 state;   /* enum la_zeek_state */
	__u8 before;  /* the state before that one */
	__u8 pad;
};

/* What a side did, or owes: la_side.marks. */
enum la_side_mark {
	LA_M_SPOKE = 0x01,	/* it has sent something since its RST */
	LA_M_ALIVE = 0x02,	/* what it sent after a RST proves that it did not close */
	LA_M_ACKS_ON = 0x04,	/* one way: it acknowledged more after its FIN */
	LA_M_FIN_AGAIN = 0x08,	/* it sent its FIN again */
	LA_M_CHALLENGED = 0x10, /* an unacceptable SYN, SYN-ACK or RST was sent to it: RFC 5961 */
	LA_M_KEEPALIVE = 0x20,	/* what it asked last was a keepalive: la_liveness.h */
	LA_M_OUR_RST = 0x40,	/* its last RST was sent by lastack, which resets the flow */
	LA_M_OVERTAKEN = 0x80,	/* its last segment acknowledges less than one before it */
};

/*
 * What is known of one endpoint. Names of sequence variables as in RFC 9293 3.3.1. In a big table
 * each cache line costs as much as everything else, so fields lie by the line: what the fast
 * path touches, what each segment of the slow path touches besides, and what only some do. See
 * also struct la_flow.
 */
struct la_side {
	__u32 nxt;	  /* SND.NXT: highest sequence number sent, plus one */
	__u32 ack;	  /* highest acknowledgement sent, a lower bound of its RCV.NXT */
	__u32 edge;	  /* right edge of the window it advertised: highest ack + window */
	__u32 hook;	  /* the hook that counts its segments, la_hook_id() */
	__u64 tally;	  /* what the fast path has counted since it was folded: la_tally.h */
	__u16 flags;	  /* enum la_side_flag */
	__u8 state;	  /* enum la_state; 0: the flow is not open yet */
	__u8 wscale;	  /* shift of its window field, 0 until both SYNs agreed */
	__u8 ttl;	  /* of its last acceptable segment that was no RST; 0: none yet */
	__u8 before;	  /* enum la_state before its peer's last segment moved it; 0: it did not */
	__u16 mss;	  /* from its SYN; 0: not known */
	__u32 wnd;	  /* RCV.WND as it advertised it last, bytes */
	__u32 flight_max; /* most that was in flight of it: la_flight.h */
	__u32 tsval;	  /* latest TSval that it sent (RFC 7323); 0: none */
	__u32 tsecr;	  /* TSecr that it sent last, its TS.Recent; 0: none */
	__u32 isn;	  /* initial sequence number; midstream: a base for relative numbers */
	__u8 marks;	  /* enum la_side_mark */
	__u8 passed;	  /* la_passed_bit() of what it left only presumed, since it was certain */
	__u8 was;	  /* enum la_state before the RST that ended it; 0: none has */
	__u8 ttl_first;	  /* of its first acceptable segment */
	__u64 since;	  /* when it entered its state, ns */

	__u64 pkts;	/* segments on the wire */
	__u64 ip_bytes; /* with IP and TCP headers */
	__u64 bytes;	/* payload by sequence space */
	__u32 hole_lo;	/* first hole in what was seen of its data: [hole_lo, hole_hi) */
	__u32 hole_hi;	/* no hole if equal to hole_lo */
	__u32 retrans;	/* segments that carried nothing new */
	struct la_hist hist;

	__u32 fin_end;	   /* sequence number after its FIN */
	__u32 rst_seq;	   /* of its last RST */
	__u32 rst_peer;	   /* SND.NXT of its peer at its last RST */
	__u32 refused;	   /* end of its last segment that was refused as invalid */
	__u32 zeros;	   /* segments that announced a zero window */
	__u32 fulls;	   /* la_flight.h: data segments that left no room in the peer's window */
	__u32 ooo;	   /* la_again.h: data segments that were overtaken */
	__u32 dups;	   /* data segments that its peer got twice */
	__u32 dups_untold; /* of them, those that the peer may yet tell of by DSACK */
	__u32 hole_at;	   /* when the hole opened; without one, its SYN or FIN: la_short_time() */
	__u32 delivered;   /* bytes within la_flow.undelivered that were seen whole */
	__u16 damaged;	   /* segments with a wrong checksum; stops at 65535 */
	__u8 icmp_type;	   /* last ICMP error that quoted a segment of it; 0: none */
	__u8 icmp_code;
	/* ns spent before this in each state but CLOSED, which is what remains; LISTEN first */
	__u64 in_state[LA_STATE_MAX - LA_LISTEN];
};

_Static_assert(__builtin_offsetof(struct la_side, pkts) == 64, "the fast path reads a line of it");
_Static_assert(__builtin_offsetof(struct la_side, fin_end) == 128, "the slow one reads two");
_Static_assert(sizeof(struct la_side) % 64 == 0, "and of the other side as many");

/* The periods in which a side advertised a zero window: la_flight.h. */
struct la_zero {
	__u64 ns; /* their time; with LA_S_SHUT minus the beginning of the last */
	__u32 periods;
	__u32 probes; /* that it sent of the window of its peer */
};

/*
 * What Zeek's reassembler lacks of the payload of a side, from the first byte to the last:
 * what was not seen, or was cut off by a snap length. Empty if lo == hi. See la_history.h.
 */
struct la_undelivered {
	__u32 lo;
	__u32 hi;
};

/* Facts about the connection: la_flow.flags. */
enum la_flow_flag {
	LA_F_MIDSTREAM = 0x01,	    /* its beginning was not seen */
	LA_F_CLOSED = 0x02,	    /* it has ended; the flow lingers */
	LA_F_DEAD = 0x04,	    /* it is leaving the table: look it up again */
	LA_F_REPLIED = 0x08,	    /* both endpoints are known to take part */
	LA_F_FAST = 0x10,	    /* plain segments may take the fast path */
	LA_F_PROVISIONAL = 0x20,    /* a SYN came on the live tuple: prov is valid */
	LA_F_CARRIED_ON = 0x40,	    /* its peers go on after the RST that closed it */
	LA_F_BROKEN_SILENCE = 0x80, /* a side has spoken after a silence, its peer not yet: silence
				       is valid */
};

/* What a policy has laid upon the connection (la_act.h): la_flow.policy. */
enum la_flow_policy {
	LA_P_TIMEOUTS = 0x07, /* not a bit, but a number: which of la_config.timeouts */
	LA_P_DROP = 0x08,     /* its segments do not pass */
	LA_P_RESET = 0x10,    /* lastack resets it: the RST that ends it is the policy's */
	LA_P_GUARDED = 0x20,  /* it is protected: none of its RSTs is judged */
};

_Static_assert(LA_P_TIMEOUTS == LA_TIMEOUT_TABLES - 1, "any of the tables");

/* A SYN on a live tuple, kept until the SYN-ACK agrees with it (or never). */
struct la_prov {
	__u64 ts;
	__u32 isn;
	__u32 nxt;
	__u16 mss;
	__u16 win;
	__u8 wscale; /* with LA_OPT_WSCALE in opts */
	__u8 opts;
	__u8 dir;
	__u8 ttl;
};

/*
 * A silence of so long is noted when it ends, until the peer of who has ended it speaks: if it
 * never does, or only by RST, something may have forgotten the connection meanwhile. Nothing on
 * the way forgets sooner; and who speaks every few seconds should go the fast path.
 */
#define LA_SILENCE (10 * LA_SEC_NS)

/* Such a silence (la_liveness.h). */
struct la_silence {
	__u64 began; /* ns; last segment before it */
	__u64 ended; /* ns; first one after it */
	__u8 by;     /* index of the side that sent that one */
};

/*
 * In the table, an entry begins in the middle of a cache line, with the key's end and what the
 * fast path needs of the connection; either side begins with a line (bpf/maps.bpf.h). Of what
 * follows the sides, the slow path touches the last line with each segment.
 */
struct la_flow {
	__u8 flags;	  /* enum la_flow_flag */
	__u8 orig;	  /* index of the originator */
	__u8 class;	  /* enum la_timeout: the clock that runs */
	__u8 data_segs;	  /* data segments of the originator, at most 2: for the stage */
	__u16 unanswered; /* la_liveness.h: questions to which the peer has said nothing */
	__u8 asker;	  /* index of the side that asks */
	__u8 policy;	  /* enum la_flow_policy, and its table of timeouts */
	__u64 last;	  /* last segment that renews the flow, ns */
	__u64 id;	  /* la_conn_id(), fixed with the first record */
	struct la_side side[2];
	__u64 since;			   /* start of `class`, ns */
	union {				   /* a SYN on the tuple is a new beginning */
		struct la_prov prov;	   /* with LA_F_PROVISIONAL */
		struct la_silence silence; /* with LA_F_BROKEN_SILENCE */
	};
	struct la_zero zero[2];

	union {
		struct la_undelivered undelivered[2]; /* by side, until LA_F_CLOSED */
		struct {			      /* since then */
			__u64 ended;		      /* when that was, ns */
			__u32 close_seq;	      /* number of its close record */
			__u32 late_pkts;
		};
	};
	__u64 missed; /* bytes that were acknowledged but not seen whole, both sides */
	__u64 rst_at; /* last RST of either side, ns */
	__u32 fin_retrans;
	__u32 late_rst;
	char history[LA_HISTORY_MAX];

	__u64 start;	    /* first segment, ns */
	__u64 established;  /* ACK of the SYN-ACK, ns; 0: not seen */
	__u64 closing;	    /* first FIN, or the RST that ended it, ns; 0: not yet */
	__u64 heard;	    /* last segment before both sides had closed, unless `last` is later */
	__u64 silent_since; /* with unanswered: last segment before the first question, ns */
	__u32 seq;	    /* number of its next record */
	__u32 ifindex;	    /* interface that saw it first */
	__u8 reason;	    /* enum la_close_reason, once LA_F_CLOSED */
	__u8 closed_by;	    /* enum la_closer */
	__u8 rst_sender;    /* index of the side whose RST ended it */
	__u8 rst_verdict;   /* enum la_rst_verdict of that RST, or 0 */
	__u8 timeout_state; /* enum la_state */
	__u8 timeout_cause; /* enum la_timeout_cause */
	__u8 forged;	    /* evidence against its RSTs */
	__u8 history_len;
};

/* RFC 9293 3.4: comparison of sequence numbers modulo 2^32. */
LA_INLINE bool la_before(__u32 a, __u32 b)
{
	return (__s32)(a - b) < 0;
}

LA_INLINE bool la_after(__u32 a, __u32 b)
{
	return la_before(b, a);
}

/* In la_side.passed, SYN_SENT to LAST_ACK: the others are not left by what a side receives. */
LA_INLINE __u8 la_passed_bit(__u32 state)
{
	return 1U << state >> LA_SYN_SENT;
}

/* What a side has sent proves that it is in its state. */
LA_INLINE void la_prove_state(struct la_side *s)
{
	s->flags &= ~LA_S_PRESUMED;
	s->passed = 0;
}

/* It has ended, and nothing has shown since that it goes on all the same. */
LA_INLINE bool la_ended(const struct la_flow *f)
{
	return (f->flags & (LA_F_CLOSED | LA_F_CARRIED_ON)) == LA_F_CLOSED;
}

/* A RST has cut it, and both ends keep to that. */
LA_INLINE bool la_is_cut(const struct la_flow *f)
{
	return f->rst_verdict && la_ended(f);
}

/* 1 + enum la_endpoint if only that one is heard, though the other one answers; else 0. */
LA_INLINE __u8 la_one_way(const struct la_flow *f)
{
	const struct la_side *o = &f->side[f->orig & 1], *r = &f->side[!(f->orig & 1)];

	if (!(f->flags & LA_F_REPLIED) || !o->pkts == !r->pkts)
		return 0;
	return 1 + !o->pkts;
}

/* Index of the side that is heard, if only one is and that has closed; else -1. */
LA_INLINE int la_closed_one_way(const struct la_flow *f)
{
	int heard = !f->side[0].pkts;

	if (!(f->flags & LA_F_REPLIED) || f->side[!heard].pkts)
		return -1;
	return f->side[heard].flags & LA_S_FIN ? heard : -1;
}

/* Time from a to b; 0 if they were seen by two CPUs the other way round. */
LA_INLINE __u64 la_elapsed(__u64 a, __u64 b)
{
	__u64 d = b - a;

	return d & ~-(d >> 63); /* no branch: it would be walked everywhere */
}

#endif
