/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * table.bpf.h - the life of an entry in the flow table: find, create, track, replace, expire.
 *
 * The slow path is a global function, so that the verifier looks at it once and not in
 * each program. A flow whose ports are taken by a new connection is emptied in place,
 * under its lock: nobody ever sees a moment without an entry.
 *
 * No close record is lost. If the ring is full when a connection ends, its flow stays in the
 * table, marked `due`, until the sweep finds room; if its ports are taken meanwhile, the
 * ended flow moves to the map `pending`. Expiry reserves the record before it decides.
 */
#ifndef LA_TABLE_BPF_H
#define LA_TABLE_BPF_H

#include "emit.bpf.h"
#include "la_fast.h"
#include "la_track.h"
#include "maps.bpf.h"

/* A segment comes to rest in two calls: one ends the old flow, one opens the new. */
#define LA_TRIES 3

/* Returned by la_slow() when it has to be called again. */
#define LA_AGAIN 0x100

static __always_inline void la_count_flows(__u64 opened, __u64 gone)
{
	struct la_counters *c = la_counters();

	if (!c)
		return;
	c->opened += opened;
	c->gone += gone;
}

static __always_inline struct la_entry *la_find_or_create(const struct la_key *key)
{
	struct la_entry *e = bpf_map_lookup_elem(&flows, key);

	if (e)
		return e;
	if (!bpf_map_update_elem(&flows, key, &la_fresh, BPF_NOEXIST))
		la_count_flows(1, 0);
	return bpf_map_lookup_elem(&flows, key);
}

/* The close record of the flow in s->ended. False: the ring is full. */
static __always_inline bool la_emit_close(const struct la_key *key, struct la_scratch *s)
{
	struct la_rec_close *room = bpf_ringbuf_reserve(&ring, sizeof(*room), 0);

	if (!room)
		return false;
	la_record_close(room, key, &s->out, &s->ended);
	bpf_ringbuf_submit(room, 0);
	return true;
}

/* Keeps the flow in s->ended, whose entry is taken, for the sweep. False: no memory. */
static __always_inline bool la_keep_pending(const struct la_key *key, const struct la_scratch *s)
{
	struct la_pending_key name = {
		.key = *key, .isn = s->ended.id_isn, .seq = s->ended.close_seq};

	return !bpf_map_update_elem(&pending, &name, &s->ended, BPF_ANY);
}

/* The flow in s->ended has left its entry, and owes its close record if `owes`. */
static __always_inline void la_emit_leaving(const struct la_key *key, struct la_scratch *s,
					    bool owes)
{
	bool later = false;

	if (owes && !la_emit_close(key, s)) {
		later = la_keep_pending(key, s);
		if (!later)
			la_count_lost(LA_LOST_CLOSE);
	}
	la_emit_gone(key, &s->out, &s->ended);
	la_count_flows(0, !later);
}

/*
 * One call of the tracker. Returns what became of the segment (enum la_reason), with
 * LA_AGAIN if it has to be tracked once more. Its stack is at the limit: what follows the
 * lock is la_tell()'s.
 */
__noinline int la_slow(struct la_key *key, struct la_segment *seg)
{
	struct la_scratch *s = la_scratch();
	struct la_entry *e;
	__u32 reason;
	__u64 due = ~0ULL;
	bool reopens;

	if (!key || !seg || !s)
		return LA_R_TABLE_FULL;
	la_out_reset(&s->out, seg->ts);
	s->owes = 0;
	e = la_find_or_create(key);
	if (!e)
		return LA_R_TABLE_FULL;
	reopens = la_may_open(seg) == LA_R_ACCEPTED;
	bpf_spin_lock(&e->lock);
	if (e->flow.flags & LA_F_DEAD) {
		bpf_spin_unlock(&e->lock);
		return LA_R_RACE | LA_AGAIN;
	}
	reason = la_track(&e->flow, key, seg, &la_cfg, &s->out);
	if (la_replayed)
		due = la_deadline(&e->flow, &la_cfg);
	if (s->out.want & (LA_WANT_CLOSE | LA_WANT_GONE)) {
		s->ended = e->flow;
		s->owes = e->due || (s->out.want & LA_WANT_CLOSE);
	}
	if ((s->out.want & LA_WANT_GONE) && reopens) {
		__builtin_memset(&e->flow, 0, sizeof(e->flow));
		e->due = 0;
	}
	bpf_spin_unlock(&e->lock);
	if (la_replayed && due < la_fed.due)
		la_fed.due = due;
	if (!(s->out.want & LA_WANT_GONE))
		return reason;
	return reopens ? reason | LA_AGAIN : LA_R_NO_FLOW;
}

/* The close record finds the ring full: the entry remembers. */
static __always_inline void la_close_later(const struct la_key *key)
{
	struct la_entry *e = bpf_map_lookup_elem(&flows, key);

	if (e)
		e->due = 1;
}

/* The records of what la_slow() has just noted, and the end of a flow that has left. */
__noinline int la_tell(struct la_key *key, struct la_segment *seg)
{
	struct la_scratch *s = la_scratch();

	if (!key || !seg || !s)
		return 0;
	la_emit_changes(key, seg);
	if (!(s->out.want & LA_WANT_GONE)) {
		if (s->owes && !la_emit_close(key, s))
			la_close_later(key);
		return 0;
	}
	if (la_may_open(seg) == LA_R_ACCEPTED)
		la_count_flows(1, 0);
	else
		bpf_map_delete_elem(&flows, key);
	la_emit_leaving(key, s, s->owes);
	return 0;
}

/* Tracks one segment, whatever it takes. */
static __always_inline __u32 la_track_packet(struct la_key *key, struct la_segment *seg)
{
	struct la_entry *e = bpf_map_lookup_elem(&flows, key);
	struct la_scratch *s = la_scratch();
	__u32 reason, i;

	if (e && la_fast(&e->flow, seg, &la_cfg, la_key_is_v4(key)))
		return LA_R_ACCEPTED;
	reason = la_may_open(seg);
	if (!e && reason != LA_R_ACCEPTED)
		return reason;
	if (s)
		s->out.has_prov = 0;
	for (i = 0; i < LA_TRIES; i++) {
		reason = la_slow(key, seg);
		la_tell(key, seg);
		if (!(reason & LA_AGAIN))
			break;
	}
	return reason & (LA_AGAIN - 1);
}

/* An ICMP error about a segment of this flow. Returns what became of it (enum la_reason). */
__noinline int la_icmp_error(struct la_key *key, struct la_segment *seg)
{
	struct la_scratch *s = la_scratch();
	struct la_entry *e;
	__u64 due = ~0ULL;
	__u32 reason;

	if (!key || !seg || !s)
		return LA_R_ICMP;
	e = bpf_map_lookup_elem(&flows, key);
	if (!e)
		return LA_R_ICMP;
	bpf_spin_lock(&e->lock);
	reason = la_track_icmp(&e->flow, seg, &la_cfg, &s->out);
	if (la_replayed)
		due = la_deadline(&e->flow, &la_cfg);
	if (s->out.want & LA_WANT_CLOSE)
		s->ended = e->flow;
	bpf_spin_unlock(&e->lock);
	if (la_replayed && due < la_fed.due)
		la_fed.due = due;
	la_emit_changes(key, seg);
	if ((s->out.want & LA_WANT_CLOSE) && !la_emit_close(key, s))
		e->due = 1;
	return reason;
}

/* ---- expiry ---- */

struct la_sweep {
	__u64 now;
	__u64 due;   /* the earliest deadline of those that stay */
	bool detach; /* lastack stops: everything goes */
};

/* A close record that did not fit: does it now? */
static __always_inline void la_retry_close(const struct la_key *key, struct la_entry *e,
					   struct la_scratch *s)
{
	struct la_rec_close *room = bpf_ringbuf_reserve(&ring, sizeof(*room), 0);
	bool closed;

	if (!room)
		return;
	bpf_spin_lock(&e->lock);
	closed = e->flow.flags & LA_F_CLOSED;
	e->due = 0;
	s->ended = e->flow;
	la_out_identify(&e->flow, &s->out);
	bpf_spin_unlock(&e->lock);
	if (!closed) { /* another flow has the entry, and this one left by `pending` */
		bpf_ringbuf_discard(room, 0);
		return;
	}
	la_record_close(room, key, &s->out, &s->ended);
	bpf_ringbuf_submit(room, 0);
}

/* Under the lock: ends the flow if its time has come. The note then is in s->out. */
static __always_inline bool la_end_flow(struct la_entry *e, const struct la_sweep *sweep,
					bool has_room, struct la_scratch *s)
{
	bool ended;

	if (e->due || (!has_room && !(e->flow.flags & LA_F_CLOSED)))
		return false;
	if (sweep->detach)
		ended = la_detach(&e->flow, sweep->now, &s->out);
	else
		ended = la_expire(&e->flow, sweep->now, &la_cfg, &s->out);
	if (ended)
		s->ended = e->flow;
	return ended;
}

/* One entry of the table. Its close record is reserved before the decision. */
static long la_sweep_flow(void *map __attribute__((unused)), const void *k, void *value, void *ctx)
{
	struct la_sweep *sweep = ctx;
	struct la_rec_close *room = NULL;
	struct la_entry *e = value;
	struct la_scratch *s = la_scratch();
	struct la_key key = *(const struct la_key *)k;
	bool ended;
	__u64 due;

	if (!s)
		return 1;
	if (e->due)
		la_retry_close(&key, e, s);
	due = la_deadline(&e->flow, &la_cfg);
	if (!sweep->detach && sweep->now < due) {
		if (due < sweep->due)
			sweep->due = due;
		return 0;
	}
	if (!(e->flow.flags & LA_F_CLOSED)) {
		room = bpf_ringbuf_reserve(&ring, sizeof(*room), 0);
		if (!room)
			return 0;
	}
	bpf_spin_lock(&e->lock);
	ended = la_end_flow(e, sweep, room, s);
	bpf_spin_unlock(&e->lock);
	if (room && ended && (s->out.want & LA_WANT_CLOSE)) {
		la_record_close(room, &key, &s->out, &s->ended);
		bpf_ringbuf_submit(room, 0);
	} else if (room) {
		bpf_ringbuf_discard(room, 0);
	}
	if (!ended)
		return 0;
	bpf_map_delete_elem(&flows, &key);
	la_emit_changes(&key, NULL);
	la_emit_gone(&key, &s->out, &s->ended);
	la_count_flows(0, 1);
	return 0;
}

/* One ended flow whose close record found the ring full. */
static long la_sweep_pending(void *map __attribute__((unused)), const void *k, void *value,
			     void *ctx __attribute__((unused)))
{
	struct la_pending_key name = *(const struct la_pending_key *)k;
	struct la_scratch *s = la_scratch();

	if (!s)
		return 1;
	s->ended = *(const struct la_flow *)value;
	la_out_identify(&s->ended, &s->out);
	if (!la_emit_close(&name.key, s))
		return 1; /* still full: the others need not try */
	bpf_map_delete_elem(&pending, &name);
	la_count_flows(0, 1);
	return 0;
}

#endif
