/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * drive_abi.h - what traffic.c tells drive.bpf.c.
 */
#ifndef LA_BENCH_DRIVE_ABI_H
#define LA_BENCH_DRIVE_ABI_H

#include "la_types.h"

#define LA_LANES 64 /* CPUs beyond share them */

/* Clients are LA_DRIVE_NET and up, a flood comes from behind LA_DRIVE_FLOOD. */
#define LA_DRIVE_NET	0x0a000001U /* 10.0.0.1 */
#define LA_DRIVE_SERVER 0xc0a80001U /* 192.168.0.1 */
#define LA_DRIVE_FLOOD	0x40000000U /* 64.0.0.0/2 and others */

enum la_drive_target {
	LA_TARGET_NOTHING,
	LA_TARGET_FLOOR,
	LA_TARGET_LASTACK,
	LA_TARGET_FILL, /* what fills the table of the floor */
	LA_TARGETS,
};

/* Entries of lastack's table are not bigger, so those of the floor need not be. */
#define LA_FLOOR_VALUE_MAX 4096

struct la_lane {
	__u64 count;	/* packets sent: its low `bits` say which flow, the rest which round */
	__u64 arrived;	/* live frames that ended on this CPU */
	__u32 target;	/* enum la_drive_target */
	__u32 first;	/* number of the first flow */
	__u32 bits;	/* there are 1 << bits flows */
	__u32 factor;	/* odd: the order in which they come */
	__u32 seq, ack; /* in round 0 */
	__u32 seq_round, ack_round; /* what a round adds */
	__u32 ifindex;		    /* live frames go there */
	__u8 from_resp;		    /* the responder sends */
	__u8 flood;		    /* every packet from a random address and port */
	__u8 pad[18];		    /* a cache line is nobody else's */
} __attribute__((aligned(64)));

#endif
