/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * traffic.h - segments of many connections at once, to a program or to an interface.
 *
 * A connection is a script of steps; a run takes one step of 1 << bits connections. Runs
 * to the same target go on where the cursor of the last one stands.
 */
#ifndef LA_BENCH_TRAFFIC_H
#define LA_BENCH_TRAFFIC_H

#include "drive_abi.h"
#include "loader.h"
#include <stddef.h>

#define LA_BYTES_EACH 100 /* payload of a data segment */

/* A segment that every connection sends; numbers are relative to the initial ones. */
struct la_step {
	const char *name;
	bool from_resp;
	__u8 flags;		    /* enum la_tcp_flag */
	__u32 len;		    /* bytes of payload */
	__u32 seq, ack;		    /* in round 0 */
	__u32 seq_round, ack_round; /* what each further round adds */
};

/* From SYN to the last ACK: 10 packets. */
#define LA_WHOLE 10
extern const struct la_step la_whole[LA_WHOLE];

/* What opens a connection, with windows of 1 GiB, and what then flows: data, and ACKs of it. */
#define LA_OPENING 4
extern const struct la_step la_opening[LA_OPENING];
extern const struct la_step la_data, la_acks;

/* Where traffic goes: a hook of the kernel under BPF_PROG_TEST_RUN, or a device. */
enum la_way { LA_WAY_XDP, LA_WAY_TC, LA_WAY_LIVE };

struct la_run {
	enum la_way way;
	const struct la_step *step;
	enum la_drive_target target; /* LA_WAY_XDP, LA_WAY_TC */
	__u32 ifindex;		     /* LA_WAY_LIVE, in the thread's network namespace */
	__u32 first;		     /* number of the first connection */
	__u32 bits;		     /* 1 << bits connections */
	__u32 factor;		     /* their order: an odd number; 0: that of opening them */
	__u64 packets;
	bool flood; /* from a random address and port each time */
};

struct la_traffic;

/* NULL: it failed, and why is on stderr. */
struct la_traffic *la_traffic_new(void);

/* Sets what a target is, for XDP or tc. Returns 0, or -1 with the reason on stderr. */
int la_traffic_target(struct la_traffic *traffic, enum la_way way, enum la_drive_target target,
		      int prog_fd);

/* The program that takes live frames off a device: for tc egress. */
int la_traffic_sink(const struct la_traffic *traffic);

/* The program for XDP that does nothing. */
int la_traffic_nothing(const struct la_traffic *traffic);

/* Live frames that the sink took, on any CPU. */
__u64 la_traffic_arrived(const struct la_traffic *traffic);

/*
 * Sends run->packets segments from *cursor on, on the CPU that the thread is bound to, and
 * moves the cursor. Returns ns a packet (of TEST_RUN's own clock; of live frames the
 * thread's processor time, in which the kernel receives what it sends), or -1 with the reason on
 * stderr.
 */
double la_traffic_run(struct la_traffic *traffic, const struct la_run *run, __u64 *cursor);

/* NULL is allowed. */
void la_traffic_free(struct la_traffic *traffic);

#endif
