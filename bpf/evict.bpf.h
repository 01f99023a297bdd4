/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * evict.bpf.h - who has to leave when there is no room: never a live connection.
 *
 * Two queues hold the flows that can be done without, the oldest first:
 *
 *   attempts   opened, not yet established. If there are more of them than there may be, who
 *              opens one pushes the oldest out. So a flood of SYNs displaces its own kind.
 *   ended      closed, and lingering only for what may still come (TIME_WAIT).
 *
 * A flow does not leave its queue when it becomes established, expires or is replaced: a
 * candidate carries the start of its flow, and who takes it out looks whether it still stands
 * for anything. A full table takes its room from `ended`, then from `attempts`; above the
 * mark la_cfg.pressure, the sweep lets neither wait as long as their timeouts would allow.
 */
#ifndef LA_EVICT_BPF_H
#define LA_EVICT_BPF_H

#include "la_expire.h"
#include "leave.bpf.h"

/* Candidates that are looked at for one that still stands for something. */
#define LA_EVICT_TRIES 8

enum la_expendable {
	LA_HALF_OPEN,
	LA_ENDED,
	LA_EXPENDABLE_MAX,
};

/* Is the flow the one that became a candidate, and still expendable? */
static __always_inline bool la_is_expendable(const struct la_flow *f, const struct la_candidate *c,
					     enum la_expendable kind)
{
	if ((__u32)f->start != c->start || (f->flags & LA_F_DEAD))
		return false;
	return kind == LA_ENDED ? la_ended(f) : la_is_half_open(f);
}

/*
 * An evicted attempt is told only while half of the ring is free, else it is counted: a flood
 * must not drown the records of connections.
 */
static __always_inline void la_emit_evicted(const struct la_key *key, struct la_scratch *s,
					    bool owes)
{
	if (bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) < la_ring_soft / 2) {
		la_emit_leaving(key, s, owes);
		return;
	}
	la_count_lost(LA_LOST_EVICTED);
	la_count_flows(0, 1);
}

/*
 * Evicts a candidate of kind enum la_expendable, unless it stands for nothing any more.
 * Returns 1 if it did, and
 * then the note is to be measured. Its stack is at the limit.
 */
__noinline int la_try_evict(struct la_candidate *c, __u32 kind)
{
	struct la_scratch *s = la_scratch();
	struct la_key *known, key;
	struct la_counters *n;
	bool evicted = false;
	struct la_entry *e;
	__u64 now = la_now();
	__u32 class;

	if (!c || !s)
		return 0;
	known = bpf_map_lookup_elem(&slot_keys, &c->slot);
	if (!known)
		return 0;
	key = *known;
	e = bpf_map_lookup_elem(&flows, &key);
	if (!e || e->slot != c->slot)
		return 0;
	bpf_spin_lock(&e->lock);
	class = e->flow.class;
	if (e->slot == c->slot && la_is_expendable(&e->flow, c, kind))
		evicted = la_remove(&e->flow, now, LA_CLOSE_EVICTED, LA_GONE_EVICTED, &s->out);
	if (evicted) {
		s->ended = e->flow;
		s->owes = e->due || (s->out.want & LA_WANT_CLOSE);
		la_count_half_open(e);
		la_count_entry(e, s);
	}
	bpf_spin_unlock(&e->lock);
	if (!evicted)
		return 0;
	la_delete(&key, c->slot);
	n = la_counters();
	if (n && class < LA_TIMEOUT_MAX)
		n->evicted[class]++;
	if (kind == LA_HALF_OPEN)
		la_emit_evicted(&key, s, s->owes);
	else
		la_emit_leaving(&key, s, s->owes);
	return 1;
}

static __always_inline int la_evict(struct la_candidate *c, __u32 kind)
{
	int evicted = la_try_evict(c, kind);

	if (evicted)
		la_measure(NULL);
	return evicted;
}

/* Their close records may still be due; of an evicted attempt a count is enough. */
static __always_inline bool la_may_evict_ended(void)
{
	return !la_pending_full();
}

/* Makes room for one flow in a full table. Returns 1 if it did. */
__noinline int la_make_room(void)
{
	struct la_candidate c;
	int i;

	for (i = 0; i < LA_EVICT_TRIES && la_may_evict_ended() && !bpf_map_pop_elem(&ended, &c);
	     i++)
		if (la_evict(&c, LA_ENDED))
			return 1;
	for (i = 0; i < LA_EVICT_TRIES && !bpf_map_pop_elem(&attempts, &c); i++)
		if (la_evict(&c, LA_HALF_OPEN))
			return 1;
	return 0;
}

/* Under no lock, so nothing follows from it: does the candidate still stand for its flow? */
static __always_inline bool la_stands(const struct la_candidate *c, enum la_expendable kind)
{
	struct la_key *known = bpf_map_lookup_elem(&slot_keys, &c->slot);
	struct la_entry *e = known ? bpf_map_lookup_elem(&flows, known) : NULL;

	return e && e->slot == c->slot && la_is_expendable(&e->flow, c, kind);
}

/* The flow at hand is open: somebody makes room if there are too many like it. */
static __always_inline void la_join_attempts(const struct la_candidate *c)
{
	struct la_candidate oldest;
	int i;

	for (i = 0; i < LA_EVICT_TRIES && la_half_open > la_half_open_max; i++) {
		if (bpf_map_pop_elem(&attempts, &oldest))
			break;
		la_evict(&oldest, LA_HALF_OPEN);
	}
	for (i = 0; i < LA_EVICT_TRIES && bpf_map_push_elem(&attempts, c, 0); i++)
		if (!bpf_map_pop_elem(&attempts, &oldest) && la_stands(&oldest, LA_HALF_OPEN))
			bpf_map_push_elem(&attempts, &oldest, 0);
}

/* The flow at hand may have become a candidate: it was opened, or has ended. */
static __always_inline void la_join_queues(const struct la_scratch *s)
{
	struct la_candidate c = {.slot = s->slot, .start = s->start, .tick = la_tick(s->out.ts)};
	bool opens = s->opens, ends = s->out.want & LA_WANT_CLOSE;

	if (la_replayed)
		return; /* its table has room for all */
	if (ends)	/* among so many that came later, the oldest hardly lingers */
		bpf_map_push_elem(&ended, &c, BPF_EXIST);
	if (opens)
		la_join_attempts(&c);
}

/* How long each kind may wait, in ticks. */
struct la_patience {
	__u32 life[LA_EXPENDABLE_MAX]; /* by its timeouts: who is older has left */
	__u32 wait[LA_EXPENDABLE_MAX]; /* as long as the table has room */
};

/* The ticks in which two clocks, one after the other, run out. */
static __always_inline __u32 la_life(enum la_timeout a, enum la_timeout b)
{
	__u64 ticks = 1 + ((la_cfg.timeout[a] + la_cfg.timeout[b]) >> LA_TICK_SHIFT);

	return ticks < LA_TICKS_MAX ? ticks : LA_TICKS_MAX;
}

/* Above the mark, patience shrinks from all of a life to nothing when the table is full. */
static __always_inline void la_be_patient(struct la_patience *p)
{
	__u64 all = la_slots, mark = all * (la_cfg.pressure ? la_cfg.pressure : 100) / 100;
	__u64 used = la_flow_count < all ? la_flow_count : all;
	int i;

	p->life[LA_HALF_OPEN] = la_life(LA_TIMEOUT_SYN_SENT, LA_TIMEOUT_SYN_RECEIVED);
	p->life[LA_ENDED] = la_life(LA_TIMEOUT_TIME_WAIT, LA_TIMEOUT_CLOSED);
	for (i = 0; i < LA_EXPENDABLE_MAX; i++)
		p->wait[i] = used <= mark ? p->life[i] : p->life[i] * (all - used) / (all - mark);
}

#define LA_TRIM_BATCH 16

/* Takes the oldest out of a queue as long as they have waited too long. Returns how many. */
static __always_inline __u32 la_trim_queue(void *queue, enum la_expendable kind,
					   const struct la_patience *p, __u32 tick)
{
	struct la_candidate c;
	__u32 n;

	for (n = 0; n < LA_TRIM_BATCH; n++) {
		if (bpf_map_peek_elem(queue, &c) || tick - c.tick <= p->wait[kind])
			break;
		if (bpf_map_pop_elem(queue, &c))
			break;
		if (tick - c.tick <= p->life[kind])
			la_evict(&c, kind);
	}
	return n;
}

/* Trims both queues. Returns how many were taken out: 0, and there is no need to go on. */
__noinline int la_trim(const struct la_patience *p, __u32 tick)
{
	if (!p)
		return 0;
	return (la_may_evict_ended() ? la_trim_queue(&ended, LA_ENDED, p, tick) : 0) +
	       la_trim_queue(&attempts, LA_HALF_OPEN, p, tick);
}

#endif
