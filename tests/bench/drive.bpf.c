/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * drive.bpf.c - gives the program under test another packet at each run.
 *
 * BPF_PROG_TEST_RUN repeats one packet. Here it comes first to a driver, which makes it a
 * segment of another flow and hands it on by a tail call, to the program under test or to
 * one that does nothing. The difference between these two is what the former costs. Flows
 * come in an order that defeats caches and prefetching, and each comes once in a round.
 *
 * Packets are IPv4 behind Ethernet, without IP options, as bench.c makes them.
 */
#include "vmlinux.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

/* By index: 0 does nothing, 1 is the program under test. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u32);
} xdp_targets SEC(".maps"), tc_targets SEC(".maps");

__u32 target;	   /* index in the maps above */
__u32 flow_bits;   /* there are 1 << flow_bits flows */
__u64 count;	   /* packets sent: its low bits say which flow, the rest which round */
__u32 first_seq;   /* sequence number in round 0 */
__u32 bytes_round; /* what a round adds to it */
bool from_resp;	   /* the responder sends */

/* What changes in the packet, at its offset 26: addresses, ports, sequence number. */
#define NAMES_AT 26
struct names {
	__be32 addr[2];
	__be16 port[2];
	__be32 seq;
};

static __always_inline void rename_flow(void *data, void *end)
{
	/* an odd factor makes a permutation of the flows */
	__u32 flow = (__u32)count * 2654435761U & ((1U << flow_bits) - 1);
	struct names *n = data + NAMES_AT;
	__be32 orig = bpf_htonl(0x0a000001 + (flow >> 12 << 8)), resp = bpf_htonl(0xc0a80001);
	__be16 port = bpf_htons(0x8000 + (flow & 0xfff));

	if ((void *)(n + 1) > end)
		return;
	*n = from_resp ? (struct names){{resp, orig}, {bpf_htons(443), port}, 0}
		       : (struct names){{orig, resp}, {port, bpf_htons(443)}, 0};
	n->seq = bpf_htonl(first_seq + bytes_round * (__u32)(count >> flow_bits));
	count++;
}

SEC("xdp.frags")
int drive_xdp(struct xdp_md *ctx)
{
	rename_flow((void *)(long)ctx->data, (void *)(long)ctx->data_end);
	bpf_tail_call(ctx, &xdp_targets, target);
	return XDP_ABORTED;
}

SEC("tc")
int drive_tc(struct __sk_buff *skb)
{
	rename_flow((void *)(long)skb->data, (void *)(long)skb->data_end);
	bpf_tail_call(skb, &tc_targets, target);
	return TC_ACT_SHOT;
}

SEC("xdp.frags")
int nothing_xdp(struct xdp_md *ctx __attribute__((unused)))
{
	return XDP_PASS;
}

SEC("tc")
int nothing_tc(struct __sk_buff *skb __attribute__((unused)))
{
	return TC_ACT_UNSPEC;
}
