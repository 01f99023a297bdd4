/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * maps.bpf.h - all memory that the programs share: the flow table and its clocks, the ring of
 * records, the counters and metrics, one note of scratch per CPU, and the configuration.
 *
 * Sizes are defaults; the loader sets them before it loads.
 */
#ifndef LA_MAPS_BPF_H
#define LA_MAPS_BPF_H

#include "la_abi.h"
#include "la_entry.h"
#include "la_flow.h"
#include "la_metrics.h"
#include "la_out.h"
#include <bpf/bpf_helpers.h>

/*
 * An entry of the flow table. The lock guards the flow but for what the fast path touches;
 * `due` says that the close record did not fit into the ring yet: whoever failed to emit it
 * sets it, the sweep clears it. The kernel may give the memory of a deleted entry to another
 * flow at once: `tag` tells whoever has waited for the lock whether that has happened.
 */
struct la_entry {
	struct bpf_spin_lock lock;
	__u32 slot; /* slots.bpf.h */
	__u32 tag;  /* la_key_tag() */
	__u16 due;
	__u16 half; /* 1: it is one of la_half_open */
	struct la_flow flow;
	struct la_counted counted;
	__u32 pad; /* to whole cache lines */
};

/*
 * Elements lie one behind the other from the beginning of a page: 48 bytes of the kernel's, the
 * key, the entry. If they are whole cache lines long, the fast path's fields lie where struct
 * la_flow wants them, in all of them.
 */
#define LA_LINE	    64
#define LA_ENTRY_AT (48 + sizeof(struct la_key))

_Static_assert((LA_ENTRY_AT + sizeof(struct la_entry)) % LA_LINE == 0, "whole lines");
_Static_assert((LA_ENTRY_AT + offsetof(struct la_entry, flow.side)) % LA_LINE == 0, "a line");

/* An entry as it is put into the table: a lock must not lie outside of it. */
_Static_assert(sizeof(struct la_blank) == sizeof(struct la_entry), "one is copied to the other");

/* Both directions of a connection are one entry. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LA_FLOWS_DEFAULT);
	__type(key, struct la_key);
	__type(value, struct la_entry);
} flows SEC(".maps");

/* See slots.bpf.h. */
#define LA_NO_SLOT (~0U)

struct la_dial {
	__u32 at[LA_DIAL_SLOTS]; /* la_tick() of the next visit; 0: none */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LA_FLOWS_DEFAULT / LA_DIAL_SLOTS);
	__type(key, __u32);
	__type(value, struct la_dial);
} dials SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LA_FLOWS_DEFAULT);
	__type(key, __u32);
	__type(value, struct la_key);
} slot_keys SEC(".maps");

/* Slots that have been used and are free again. */
struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, LA_FLOWS_DEFAULT);
	__type(value, __u32);
} free_slots SEC(".maps");

/* A flow that can be done without, see evict.bpf.h. */
struct la_candidate {
	__u32 slot;
	__u32 start; /* of the flow, ns: its low bits */
	__u32 tick;  /* la_tick() when it became a candidate */
};

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, LA_FLOWS_DEFAULT);
	__type(value, struct la_candidate);
} attempts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, LA_FLOWS_DEFAULT);
	__type(value, struct la_candidate);
} ended SEC(".maps");

/* Names an ended connection that has no entry any more. */
struct la_pending_key {
	struct la_key key;
	__u64 id;
	__u32 seq;
	__u32 pad;
};

/*
 * Ended flows that had to leave while their close record found the ring full. The last places
 * are for CPUs that have all just seen that there was room.
 */
#define LA_PENDING	 65536
#define LA_PENDING_SPARE 1024

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LA_PENDING);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct la_pending_key);
	__type(value, struct la_flow);
} pending SEC(".maps");

__u32 la_pending_count;

/* What makes flows expire, see expire.bpf.h. */
struct la_pulse {
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct la_pulse);
} pulse SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, LA_RING_DEFAULT);
} ring SEC(".maps");

/* Bytes of the ring that records other than close records may fill. */
const volatile __u64 la_ring_soft = LA_RING_DEFAULT - LA_RING_DEFAULT / LA_RING_RESERVE;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct la_counters);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct la_metrics);
} metrics SEC(".maps");

/* Too big for the stack: the note of one segment, and a copy of the flow as it ended. */
struct la_scratch {
	struct la_out out;
	struct la_flow ended;
	struct la_uncounted uncounted;
	struct la_blank blank; /* zeros, but for slot and tag */
	__u64 deadline;	       /* of the flow at hand, ns */
	__u32 slot;	       /* its slot */
	__u32 start;	       /* low bits of its start, ns */
	__u32 owes;	       /* 1: the close record of `ended` is due */
	__u32 opens;	       /* 1: the segment at hand opened it */
	__u32 reopens;	       /* 1: it has ended the last flow of this entry, and opens the next */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct la_scratch);
} scratch SEC(".maps");

/* How many slots there are, the size of the flow table; and how many have ever been taken. */
const volatile __u32 la_slots = LA_FLOWS_DEFAULT;
__u32 la_slots_used;

/* Flows that are half-open, and how many of them there may be. */
__u32 la_half_open;
const volatile __u32 la_half_open_max = LA_FLOWS_DEFAULT / LA_ATTEMPTS_SHARE;

/* Flows in the table and, ended, in `pending`. */
__u32 la_flow_count;

/* Set by the loader at any time. */
struct la_config la_cfg;

/* Tests bring their own clock. Frozen before loading, so that the branch costs nothing. */
const volatile bool la_virtual_clock = false;
__u64 la_clock_ns;

/* Replay: what the capture says of a packet counts, not what the hook knows. Frozen as well. */
const volatile bool la_replayed = false;
struct la_fed la_fed;

static __always_inline __u64 la_now(void)
{
	return la_virtual_clock ? la_clock_ns : bpf_ktime_get_ns();
}

/* The same, late by up to a jiffy: good enough to renew a flow, for a fraction of the price. */
static __always_inline __u64 la_now_coarse(void)
{
	return la_virtual_clock ? la_clock_ns : bpf_ktime_get_coarse_ns();
}

static __always_inline struct la_counters *la_counters(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&counters, &zero);
}

static __always_inline struct la_metrics *la_metrics(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&metrics, &zero);
}

static __always_inline struct la_scratch *la_scratch(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&scratch, &zero);
}

#endif
