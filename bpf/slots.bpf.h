/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * slots.bpf.h - a number for each flow of the table, and a clock beside each number.
 *
 * A hash table cannot be asked for "all whose time has come" without walking all of it. So
 * each flow takes a slot, and its deadline stands, as a coarse tick, in a dense array of
 * dials: a million flows are 4 MB, which are looked through in a millisecond or two. Only
 * flows whose tick has come are visited (expire.bpf.h).
 *
 *   slot -> key      slot_keys[slot], to find the flow
 *   slot -> tick     dials[slot / 64].at[slot % 64]; 0: nothing to look for
 *
 * A tick may be too early, never too late. Traffic that renews a flow leaves it alone: who
 * visits the flow too early, winds the clock again. A deadline that moves earlier is wound by
 * whoever moved it. Two CPUs keep "never too late" by one rule: a tick is only ever lowered,
 * by compare and exchange, but for the visitor, who clears it before he looks at the flow.
 */
#ifndef LA_SLOTS_BPF_H
#define LA_SLOTS_BPF_H

#include "maps.bpf.h"

/* A tick is 67 ms. */
#define LA_TICK_SHIFT 26

/* A clock is wound no further ahead, in ticks: two years. Then it is looked at again. */
#define LA_TICKS_MAX (1U << 30)

/* Attempts at a compare and exchange that another CPU may get in the way of. */
#define LA_WIND_TRIES 4

LA_INLINE __u32 la_tick(__u64 ns)
{
	return ns >> LA_TICK_SHIFT;
}

/* Takes a slot that nobody has, or LA_NO_SLOT. */
static __always_inline __u32 la_slot_take(void)
{
	__u32 slot;

	if (!bpf_map_pop_elem(&free_slots, &slot))
		return slot;
	if (la_slots_used >= la_slots)
		return LA_NO_SLOT;
	slot = __sync_fetch_and_add(&la_slots_used, 1);
	return slot < la_slots ? slot : LA_NO_SLOT;
}

/* The clock of a slot, or NULL. */
static __always_inline __u32 *la_clock(__u32 slot)
{
	__u32 index = slot / LA_DIAL_SLOTS;
	struct la_dial *dial = bpf_map_lookup_elem(&dials, &index);

	return dial ? &dial->at[slot % LA_DIAL_SLOTS] : NULL;
}

/* Has the slot visited at `deadline`, if not earlier; both are ns. */
static __always_inline void la_wind(__u32 slot, __u64 now, __u64 deadline)
{
	__u32 *at = la_clock(slot), tick, old, seen, i;

	if (!at)
		return;
	if (deadline > now && (deadline - now) >> LA_TICK_SHIFT > LA_TICKS_MAX)
		deadline = now + ((__u64)LA_TICKS_MAX << LA_TICK_SHIFT);
	tick = la_tick(deadline);
	tick += !tick;
	old = *at;
	for (i = 0; i < LA_WIND_TRIES; i++) {
		if (old && (__s32)(tick - old) >= 0)
			return;
		seen = __sync_val_compare_and_swap(at, old, tick);
		if (seen == old)
			return;
		old = seen;
	}
	*at = tick - LA_TICKS_MAX; /* too busy to be sure: soon */
}

/* The flow of this slot is out of the table. */
static __always_inline void la_slot_give(__u32 slot)
{
	__u32 *at = la_clock(slot);

	if (at)
		*at = 0;
	bpf_map_push_elem(&free_slots, &slot, BPF_ANY);
}

#endif
