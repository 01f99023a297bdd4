/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * leave.bpf.h - how a flow leaves the table, for whatever reason.
 *
 *   under the lock   the core notes the end and marks the flow dead (la_leave())
 *   la_delete()      its entry and its slot are free
 *   la_emit_leaving  its close record, if it is still owed, and its gone record
 *
 * No close record is lost: what finds the ring full moves to the map `pending`, for the sweep.
 * When that is full, too, nobody leaves who owes a close record, whoever wants his place.
 */
#ifndef LA_LEAVE_BPF_H
#define LA_LEAVE_BPF_H

#include "emit.bpf.h"
#include "measure.bpf.h"
#include "slots.bpf.h"

static __always_inline void la_count_flows(__u64 opened, __u64 gone)
{
	struct la_counters *c = la_counters();

	__sync_fetch_and_add(&la_flow_count, (__u32)(opened - gone));
	if (!c)
		return;
	c->opened += opened;
	c->gone += gone;
}

/* The flow has left: its slot comes last, when nothing leads there any more. */
static __always_inline void la_delete(const struct la_key *key, __u32 slot)
{
	bpf_map_delete_elem(&flows, key);
	la_slot_give(slot);
}

/* Under the lock: is the flow no longer the one that was found? */
static __always_inline bool la_is_stale(const struct la_entry *e, __u32 tag)
{
	return e->tag != tag || (e->flow.flags & LA_F_DEAD);
}

/* Not established yet, or taken up midstream and without an answer so far. */
static __always_inline bool la_is_half_open(const struct la_flow *f)
{
	return f->class == LA_TIMEOUT_SYN_SENT || f->class == LA_TIMEOUT_SYN_RECEIVED;
}

/* Under the lock, after each change of the flow. */
static __always_inline void la_count_half_open(struct la_entry *e)
{
	__u32 half = !(e->flow.flags & LA_F_DEAD) && la_is_half_open(&e->flow);

	if (half == e->half)
		return;
	__sync_fetch_and_add(&la_half_open, half - e->half);
	e->half = half;
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

/* Nobody reads the ring, and no more flows can wait for that beside the table. */
static __always_inline bool la_pending_full(void)
{
	return la_pending_count >= LA_PENDING - LA_PENDING_SPARE;
}

/* Would its close record have nowhere to go if the flow left now? */
static __always_inline bool la_must_stay(const struct la_entry *e)
{
	return la_pending_full() && (e->due || !(e->flow.flags & LA_F_CLOSED));
}

/* Keeps the flow in s->ended, whose entry is taken, for the sweep. False: no memory. */
static __always_inline bool la_keep_pending(const struct la_key *key, const struct la_scratch *s)
{
	struct la_pending_key name = {.key = *key, .id = s->ended.id, .seq = s->ended.close_seq};

	if (bpf_map_update_elem(&pending, &name, &s->ended, BPF_ANY))
		return false;
	__sync_fetch_and_add(&la_pending_count, 1);
	return true;
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

#endif
