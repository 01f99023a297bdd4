/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * table.bpf.h - the life of an entry in the flow table: find, create, track, replace, delete.
 *
 * All of it is behind a global function, so that the verifier looks at it once and not at the
 * end of every parser path. A flow whose ports are taken by a new connection is emptied in place,
 * under its lock: nobody ever sees a moment without an entry.
 *
 * No close record is lost. If the ring is full when a connection ends, its flow stays in the
 * table, marked `due`, until the sweep (expire.bpf.h) finds room; if it has to leave the table
 * meanwhile, see leave.bpf.h.
 */
#ifndef LA_TABLE_BPF_H
#define LA_TABLE_BPF_H

#include "evict.bpf.h"
#include "la_fast.h"
#include "la_track.h"

/* A segment comes to rest in two calls: one ends the old flow, one opens the new. The others are
 * for races with other CPUs. */
#define LA_TRIES 5

/* What la_meet() returns besides a reason. */
#define LA_AGAIN 0x100
#define LA_DONE	 0x200

/*
 * Puts an empty flow into the table, unless another CPU has just done it. Returns the entry;
 * NULL: the table is full.
 */
static __always_inline struct la_entry *la_create(const struct la_key *key, struct la_scratch *s)
{
	__u32 slot = la_slot_take();

	if (slot == LA_NO_SLOT)
		return NULL;
	bpf_map_update_elem(&slot_keys, &slot, key, BPF_ANY);
	s->blank.slot = slot;
	s->blank.tag = la_key_tag(key);
	if (bpf_map_update_elem(&flows, key, &s->blank, BPF_NOEXIST))
		la_slot_give(slot);
	else
		la_count_flows(1, 0);
	return bpf_map_lookup_elem(&flows, key);
}

/* Under the lock: what is to be known of the flow when the lock is gone. */
static __always_inline void la_note_entry(struct la_entry *e, struct la_scratch *s)
{
	la_count_half_open(e);
	s->deadline = la_deadline(&e->flow, &la_cfg);
	s->slot = e->slot;
	s->start = e->flow.start;
}

/* The flow at hand stays: somebody will look after it in time. */
static __always_inline void la_wind_flow(const struct la_scratch *s)
{
	if (s->deadline >= s->out.was.deadline)
		return; /* as somebody would anyway */
	la_wind(s->slot, s->out.ts, s->deadline);
	if (la_replayed && s->deadline < la_fed.due)
		la_fed.due = s->deadline;
}

/* Nothing has come of the segment at hand but that it was counted: there is nothing to tell. */
static __always_inline bool la_is_quiet(const struct la_scratch *s)
{
	return !s->out.n && !s->out.want && s->deadline >= s->out.was.deadline && !s->owes &&
	       !la_has_uncounted(&s->uncounted);
}

/*
 * Asks for all cache lines of a flow at once: in a big table none of them is at hand, and with
 * the lock they would come one after the other.
 */
static __always_inline void la_fetch(const struct la_flow *f)
{
	const volatile char *lines = (const volatile char *)f->side;

#pragma unroll
	for (__u32 i = 0; i < sizeof(*f) - offsetof(struct la_flow, side); i += LA_LINE)
		(void)lines[i];
}

/*
 * The slow path of a segment that has found its entry. Returns as la_meet() does. A flow that it
 * replaces stays dead in its entry until it comes again: what other CPUs have meanwhile may not
 * open the next one before it.
 */
static __always_inline __u32 la_slow(struct la_entry *e, const struct la_key *key,
				     const struct la_segment *seg, struct la_scratch *s)
{
	__u32 reason, tag = la_key_tag(key);

	la_fetch(&e->flow);
	bpf_spin_lock(&e->lock);
	if (la_is_stale(e, tag) && !s->reopens) {
		bpf_spin_unlock(&e->lock);
		return LA_R_RACE | LA_AGAIN;
	}
	if (s->reopens) {
		__builtin_memset(&e->flow, 0, sizeof(e->flow));
		e->due = 0;
		s->reopens = 0;
	}
	s->opens = !e->flow.side[0].state;
	if (s->opens && la_may_open(seg) != LA_R_ACCEPTED) { /* another CPU has just made it */
		bpf_spin_unlock(&e->lock);
		return LA_R_NO_FLOW | LA_DONE;
	}
	reason = la_track(&e->flow, key, seg, &la_cfg, &s->out);
	la_count_entry(e, s);
	if (s->out.want & (LA_WANT_CLOSE | LA_WANT_GONE)) {
		s->ended = e->flow;
		s->owes = e->due || (s->out.want & LA_WANT_CLOSE);
	}
	la_note_entry(e, s);
	bpf_spin_unlock(&e->lock);
	if (la_is_quiet(s))
		return reason | LA_DONE;
	if (!(s->out.want & LA_WANT_GONE))
		return reason;
	s->reopens = la_may_open(seg) == LA_R_ACCEPTED;
	return s->reopens ? reason | LA_AGAIN : LA_R_NO_FLOW;
}

/*
 * May this segment end the old flow of its ports, whose close record has nowhere to go? Then it
 * has to wait outside, as in front of a full table. What goes on with a handshake ends nothing.
 */
static __always_inline bool la_blocked(const struct la_entry *e, const struct la_segment *seg)
{
	bool goes_on = (seg->flags & LA_ACK) && la_is_half_open(&e->flow);

	if (!la_must_stay(e))
		return false;
	return seg->ts >= la_deadline(&e->flow, &la_cfg) || ((seg->flags & LA_SYN) && !goes_on);
}

/* A policy drops all segments of this flow: they keep it in the table, and that is all. */
static __always_inline __u32 la_drop(struct la_entry *e)
{
	e->flow.last = la_now_coarse();
	return LA_R_FLOW_DROPPED | LA_DONE;
}

/* The fast path, with a clock that costs half as much as the other one. */
static __always_inline bool la_met_plain(struct la_entry *e, const struct la_key *key,
					 struct la_segment *seg)
{
	if (!la_is_plain(&e->flow, seg))
		return false;
	seg->ts = la_now_coarse();
	return la_take_plain(&e->flow, seg, &la_cfg, la_key_is_v4(key));
}

/*
 * A segment meets its flow, for the first time or again. Returns what became of it (enum
 * la_reason), with LA_DONE if there is nothing to tell, with LA_AGAIN if it has to come once
 * more. Its stack is at the limit: what follows the lock is la_tell()'s.
 */
__noinline int la_meet(struct la_key *key, struct la_segment *seg, bool again)
{
	struct la_scratch *s = la_scratch();
	struct la_entry *e;
	__u32 reason;

	if (!key || !seg || !s)
		return LA_R_TABLE_FULL | LA_DONE;
	e = bpf_map_lookup_elem(&flows, key);
	if (!again) {
		if (e && la_met_plain(e, key, seg))
			return LA_R_ACCEPTED | LA_DONE;
		if (e && (e->flow.policy & LA_P_DROP))
			return la_drop(e);
		seg->ts = la_now();
		if (e && la_blocked(e, seg))
			return LA_R_TABLE_FULL | LA_DONE;
		s->out.has_prov = 0;
		s->reopens = 0;
	} else if (s->reopens) {
		la_count_flows(1, 0);
	}
	la_out_reset(&s->out, seg->ts);
	s->owes = 0;
	s->opens = 0;
	s->slot = LA_NO_SLOT;
	if (!e) {
		reason = la_may_open(seg);
		if (reason != LA_R_ACCEPTED)
			return reason | LA_DONE;
		e = la_create(key, s);
	}
	return e ? la_slow(e, key, seg, s) : LA_R_TABLE_FULL;
}

/* The close record finds the ring full: the entry remembers, and is visited soon. */
static __always_inline void la_close_later(const struct la_key *key, const struct la_scratch *s)
{
	struct la_entry *e = bpf_map_lookup_elem(&flows, key);

	if (!e)
		return;
	e->due = 1;
	la_wind(s->slot, s->out.ts, s->out.ts);
}

/* The records of what la_slow() has just noted, and the end of a flow that has left. */
__noinline int la_tell(struct la_key *key, struct la_segment *seg)
{
	struct la_scratch *s = la_scratch();

	if (!key || !seg || !s)
		return 0;
	la_measure(seg);
	la_emit_changes(key, seg);
	if (!(s->out.want & LA_WANT_GONE)) {
		if (s->slot != LA_NO_SLOT)
			la_wind_flow(s);
		if (s->owes && !la_emit_close(key, s))
			la_close_later(key, s);
		la_join_queues(s);
		return 0;
	}
	if (!s->reopens)
		la_delete(key, s->slot);
	la_emit_leaving(key, s, s->owes);
	return 0;
}

/* No more tries: a dead flow that was to make way for the segment must not stay in the table. */
__noinline int la_abandon(struct la_key *key)
{
	struct la_scratch *s = la_scratch();

	if (key && s && s->reopens)
		la_delete(key, s->slot);
	return 0;
}

/* Tracks one segment, whatever it takes. */
static __always_inline __u32 la_track_packet(struct la_key *key, struct la_segment *seg)
{
	__u32 reason, i;

	for (i = 0; i < LA_TRIES; i++) {
		reason = la_meet(key, seg, i);
		if (reason & LA_DONE)
			break;
		if (reason == LA_R_TABLE_FULL && la_make_room())
			continue;
		la_tell(key, seg);
		if (!(reason & LA_AGAIN))
			break;
	}
	if (reason & LA_AGAIN)
		la_abandon(key);
	return reason & (LA_AGAIN - 1);
}

/* Replay: a segment that a checksum calls damaged. Returns the reason (enum la_reason). */
static __noinline __u32 la_damaged(struct la_key *key, struct la_segment *seg)
{
	struct la_entry *e = bpf_map_lookup_elem(&flows, key);
	__u32 reason = la_fed.damaged;

	if (e && reason == LA_R_TCP_BAD_CHECKSUM) {
		bpf_spin_lock(&e->lock);
		la_history_damaged(&e->flow, seg);
		bpf_spin_unlock(&e->lock);
	}
	return reason;
}

/* An ICMP error about a segment of this flow. Returns what became of it (enum la_reason). */
__noinline int la_icmp_error(struct la_key *key, struct la_segment *seg)
{
	struct la_scratch *s = la_scratch();
	struct la_entry *e;
	__u32 reason, tag;

	if (!key || !seg || !s)
		return LA_R_ICMP;
	e = bpf_map_lookup_elem(&flows, key);
	if (!e)
		return LA_R_ICMP;
	tag = la_key_tag(key);
	bpf_spin_lock(&e->lock);
	if (la_is_stale(e, tag)) {
		bpf_spin_unlock(&e->lock);
		return LA_R_ICMP;
	}
	reason = la_track_icmp(&e->flow, seg, &la_cfg, &s->out);
	la_count_entry(e, s);
	la_note_entry(e, s);
	if (s->out.want & LA_WANT_CLOSE)
		s->ended = e->flow;
	bpf_spin_unlock(&e->lock);
	la_wind_flow(s);
	la_measure(seg);
	la_emit_changes(key, seg);
	s->opens = 0;
	if ((s->out.want & LA_WANT_CLOSE) && !la_emit_close(key, s))
		la_close_later(key, s);
	la_join_queues(s);
	return reason;
}

#endif
