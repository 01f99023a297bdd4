/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * maps.bpf.h - all memory that the programs share: the flow table, the ring of records, the
 * counters, one note of scratch per CPU, and the configuration.
 *
 * Sizes are defaults; the loader sets them before it loads.
 */
#ifndef LA_MAPS_BPF_H
#define LA_MAPS_BPF_H

#include "la_abi.h"
#include "la_flow.h"
#include "la_out.h"
#include <bpf/bpf_helpers.h>

/*
 * An entry of the flow table. The lock guards the flow but for what the fast path touches;
 * `due` says that the close record did not fit into the ring yet: whoever failed to emit it
 * sets it, the sweep clears it.
 */
struct la_entry {
	struct bpf_spin_lock lock;
	__u32 due;
	struct la_flow flow;
};

/* Both directions of a connection are one entry. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LA_FLOWS_DEFAULT);
	__type(key, struct la_key);
	__type(value, struct la_entry);
} flows SEC(".maps");

/* Names an ended connection that has no entry any more. */
struct la_pending_key {
	struct la_key key;
	__u32 isn;
	__u32 seq;
};

/* Ended flows whose ports were taken while their close record found the ring full. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct la_pending_key);
	__type(value, struct la_flow);
} pending SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 * 1024 * 1024);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct la_counters);
} counters SEC(".maps");

/* Too big for the stack: the note of one segment, and a copy of the flow as it ended. */
struct la_scratch {
	struct la_out out;
	struct la_flow ended;
	__u32 owes; /* 1: the close record of `ended` is due */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct la_scratch);
} scratch SEC(".maps");

/* A flow that is not open yet. */
static const struct la_entry la_fresh;

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

static __always_inline struct la_counters *la_counters(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&counters, &zero);
}

static __always_inline struct la_scratch *la_scratch(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&scratch, &zero);
}

#endif
