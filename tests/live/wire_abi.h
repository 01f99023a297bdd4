/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * wire_abi.h - what the lab's wire program (wire.bpf.c) and its driver (wire.c) share.
 *
 * Rules say which segments the wire loses or keeps back; counts say what each port pair
 * really sent, which is the truth that lastack's numbers are held against.
 */
#ifndef LA_LIVE_WIRE_ABI_H
#define LA_LIVE_WIRE_ABI_H

#include "la_types.h"

#define LA_WIRE_RULES	  8
#define LA_WIRE_FRAME_MAX 256
#define LA_WIRE_HELD_MAX  16
#define LA_WIRE_FOREVER	  0xffffffffU

/* Where a rule acts. lastack's own hooks see a segment before either of them does. */
enum la_wire_hook {
	LA_WIRE_EGRESS = 1, /* leaving its sender: seen by an observer there, by no other */
	LA_WIRE_INGRESS,    /* reaching its receiver: seen by every observer on the path */
};

enum la_wire_action {
	LA_WIRE_DROP = 1,
	LA_WIRE_HOLD, /* keep it until la_wire_release(); egress only */
};

struct la_wire_rule {
	__u16 port;	/* the server's, host byte order */
	__u8 to_server; /* 1: segments to that port, 0: from it */
	__u8 hook;	/* enum la_wire_hook */
	__u8 mask;	/* of the TCP flags */
	__u8 value;	/* what the masked flags must be */
	__u8 action;	/* enum la_wire_action */
	__u8 pad;
	__u32 left; /* how many more segments it takes; LA_WIRE_FOREVER: all */
	__u32 hits; /* how many it took */
};

/* One way of a connection; ports in network byte order. */
struct la_wire_way {
	__be16 sport;
	__be16 dport;
};

struct la_wire_count {
	__u64 segs;  /* segments on the wire: a GSO packet counts as what it is cut into */
	__u64 skbs;  /* packets handed to the interface */
	__u64 bytes; /* payload, every time it was sent */
};

struct la_wire_frame {
	__u32 len;
	__u32 to_server;
	__u8 data[LA_WIRE_FRAME_MAX];
};

#endif
