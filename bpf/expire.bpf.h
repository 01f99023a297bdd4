/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * expire.bpf.h - flows leave the table when their time has come, whoever is or is not running.
 *
 * A BPF timer looks at a quarter of all clocks (slots.bpf.h) sixteen times a second. It lives
 * as long as the maps do: if they are pinned, flows expire though no daemon runs. Replay and
 * tests have clocks of their own, and look by la_sweep.
 *
 *   clear the clock -> find the flow -> reserve its close record -> lock, and look again:
 *   is it over by now? -> wind the clock anew, or delete and tell
 *
 * So a flow that is renewed in the last instant stays, and no close record is lost: without
 * room for it the flow is not ended, only visited again. The same goes for the gone record,
 * whose number says how many records there were: without it a gap at the end would not be seen.
 * But if nobody reads the ring until the table is all but full, new connections come first: the
 * close records then move to `pending`. When that is full, flows stay again, and it is the new
 * connections that find no room, which is counted.
 */
#ifndef LA_EXPIRE_BPF_H
#define LA_EXPIRE_BPF_H

#include "table.bpf.h"

/* Sixteen times a second, a quarter of the dials each time. */
#define LA_PULSE_NS    (LA_SEC_NS / 16)
#define LA_PULSE_PARTS 4

/* The last part of the table in which flows leave though the ring is full. */
#define LA_PRESSED_SHARE 16

/* Flows that one pulse ends at most: it runs in the softirq that packets wait for. */
#define LA_PULSE_ENDS 8192

/* The fast path's clock is late by a jiffy: so long after a deadline it lets nobody through. */
#define LA_PULSE_GRACE_NS (20 * LA_MSEC_NS)

struct la_sweep {
	__u64 now;
	__u64 due;  /* no clock of those that stay runs out before, ns */
	__u32 next; /* the dial to look at next */
	__u32 end;  /* the first that is not to be looked at */
	__u32 ends; /* flows that may yet be ended */
	bool trims; /* the queues may hold more that have waited too long */
	struct la_patience patience;
	bool winds;  /* the clocks of all flows are wound, and none ends */
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
		ended = la_remove(&e->flow, sweep->now, LA_CLOSE_SHUTDOWN, LA_GONE_DETACHED,
				  &s->out);
	else
		ended = la_expire(&e->flow, sweep->now, &la_cfg, &s->out);
	if (!ended)
		return false;
	s->ended = e->flow;
	la_count_half_open(e);
	la_count_entry(e, s);
	return true;
}

/* Nobody reads the ring, and the table is about to be full: flows leave all the same. */
static __always_inline bool la_is_pressed(void)
{
	return la_flow_count - la_pending_count >= la_slots - la_slots / LA_PRESSED_SHARE;
}

/*
 * Looks at one flow. Its close record is reserved before the decision. True: it has ended, and
 * s->owes says whether it still has a close record due.
 */
static __always_inline bool la_visit_flow(const struct la_key *key, struct la_entry *e,
					  const struct la_sweep *sweep, struct la_scratch *s)
{
	bool pressed = la_is_pressed(), ended = false;
	struct la_rec_close *room = NULL;
	__u32 tag = la_key_tag(key);

	if (e->due)
		la_retry_close(key, e, s);
	if (!sweep->detach && sweep->now < la_deadline(&e->flow, &la_cfg))
		return false;
	if (!la_ring_below(LA_RING_LEAVING) && !pressed)
		return false;
	if (!(e->flow.flags & LA_F_CLOSED)) {
		room = bpf_ringbuf_reserve(&ring, sizeof(*room), 0);
		if (!room && (!pressed || la_pending_full()))
			return false;
	}
	bpf_spin_lock(&e->lock);
	if (!la_is_stale(e, tag))
		ended = la_end_flow(e, sweep, room || pressed, s);
	bpf_spin_unlock(&e->lock);
	s->owes = ended && (s->out.want & LA_WANT_CLOSE);
	if (room && s->owes) {
		la_record_close(room, key, &s->out, &s->ended);
		bpf_ringbuf_submit(room, 0);
		s->owes = 0;
	} else if (room) {
		bpf_ringbuf_discard(room, 0);
	}
	return ended;
}

/*
 * The tick of a slot has come: ends its flow, or winds the clock. A global function: the
 * verifier looks at it once.
 */
__noinline int la_visit(__u32 slot, struct la_sweep *sweep)
{
	struct la_key *known = bpf_map_lookup_elem(&slot_keys, &slot);
	struct la_scratch *s = la_scratch();
	__u32 *at = la_clock(slot);
	struct la_entry *e;
	struct la_key key;
	__u64 due;

	if (!known || !s || !at || !sweep)
		return 0;
	__sync_lock_test_and_set(at, 0);
	key = *known;
	e = bpf_map_lookup_elem(&flows, &key);
	if (!e || e->slot != slot)
		return 0;
	if (!sweep->winds && la_visit_flow(&key, e, sweep, s)) {
		la_delete(&key, slot);
		la_measure(NULL);
		la_emit_changes(&key, NULL);
		la_emit_leaving(&key, s, s->owes);
		sweep->ends -= !!sweep->ends;
		return 0;
	}
	due = e->due ? 0 : la_deadline(&e->flow, &la_cfg);
	if (due < sweep->now)
		due = sweep->now; /* as soon as possible */
	if (due < sweep->due)
		sweep->due = due;
	la_wind(slot, sweep->now, due);
	return 0;
}

/* The ns at which a tick of the near past or future begins. */
static __always_inline __u64 la_tick_ns(__u32 tick, __u64 now)
{
	__s64 ahead = (__s32)(tick - la_tick(now));

	return (__u64)((__s64)(now >> LA_TICK_SHIFT) + ahead) << LA_TICK_SHIFT;
}

/* Visits the slots of one dial whose tick has come. */
static long la_sweep_dial(void *map __attribute__((unused)), const void *index, void *value,
			  void *ctx)
{
	struct la_dial *dial = value;
	struct la_sweep *sweep = ctx;
	__u32 n = *(const __u32 *)index, tick = la_tick(sweep->now), earliest = LA_TICKS_MAX, i;

	if (n < sweep->next)
		return 0;
	if (n >= sweep->end || !sweep->ends)
		return 1;
	sweep->next = n + 1;
	for (i = 0; i < LA_DIAL_SLOTS; i++) {
		__u32 at = dial->at[i], ahead = at - tick - 1;

		if (!at)
			continue;
		if (sweep->detach || sweep->winds || ahead >= 1U << 31)
			la_visit(n * LA_DIAL_SLOTS + i, sweep);
		else if (ahead < earliest)
			earliest = ahead;
	}
	if (sweep->trims && !la_trim(&sweep->patience, tick))
		sweep->trims = false;
	if (la_replayed && earliest < LA_TICKS_MAX &&
	    la_tick_ns(tick + 1 + earliest, sweep->now) < sweep->due)
		sweep->due = la_tick_ns(tick + 1 + earliest, sweep->now);
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
	__sync_fetch_and_add(&la_pending_count, -1);
	la_count_flows(0, 1);
	return 0;
}

#endif
