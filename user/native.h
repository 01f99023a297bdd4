/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * native.h - the tracker of include/ as a library: packets in, records out.
 *
 * What bpf/ is in the kernel, this is in a process: it owns the flow table and the order of
 * parse, find or create, track, record, expire. It reads no clock: time is that of the
 * packets. Used by replay, and by tests that compare it with the BPF programs.
 */
#ifndef LA_USER_NATIVE_H
#define LA_USER_NATIVE_H

#include "engine.h"

struct la_native;

/* An empty engine; keeps a copy of cfg. The sink stays the caller's. NULL: out of memory. */
struct la_native *la_native_new(const struct la_config *cfg, struct la_sink *sink);

/*
 * One packet of cap_len bytes that had wire_len on the wire; link and l3_proto (network byte
 * order) as for la_parse(). ts: ns. Time never goes back: an earlier packet is taken to be as
 * late as the latest so far. Flows whose clock ran out by then end before it, in the order of
 * their deadlines, so records come in the order of their time.
 */
void la_native_packet(struct la_native *native, const void *data, __u32 cap_len, __u32 wire_len,
		      enum la_link link, __be16 l3_proto, __u64 ts);

/* Where the packets that follow are seen: la_hook_id(), or 0 when there is one place only. */
void la_native_set_hook(struct la_native *native, __u32 hook);

/* No more packets: what is open closes at the time of the last, with reason shutdown. */
void la_native_finish(struct la_native *native);

/* Counters as in the kernel; packets are in row 0, for a capture has no hook. */
const struct la_counters *la_native_counters(const struct la_native *native);

/* Packets that bore an earlier time than one before them. */
__u64 la_native_disordered(const struct la_native *native);

void la_native_free(struct la_native *native);

/* The same as an engine; it is closed with la_engine_close() or la_native_free(), not both. */
struct la_engine *la_native_engine(struct la_native *native);

#endif
