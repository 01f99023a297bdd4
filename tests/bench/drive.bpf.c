/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * drive.bpf.c - makes traffic of one packet.
 *
 * BPF_PROG_TEST_RUN repeats one packet. Here it comes first to a driver, which makes it a
 * segment of another flow and hands it on: by a tail call to a program under test, or, as a
 * live frame, to an interface. A lane is what one CPU sends, so that two may send at once.
 * Flows come in an order that defeats caches and prefetching; it is another one with another
 * factor, so that the order in which flows are visited is not that in which their entries
 * were allocated. Packets are IPv4 behind Ethernet, without IP options (traffic.c).
 */
#include "vmlinux.h"

#include "drive_abi.h"
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

/* By enum la_drive_target. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, LA_TARGETS);
	__type(key, __u32);
	__type(value, __u32);
} xdp_targets SEC(".maps"), tc_targets SEC(".maps");

struct la_lane lanes[LA_LANES]; /* by CPU */

/* What changes in the packet, at its offset 26: addresses, ports, sequence and ack number. */
#define IP_AT	 14
#define NAMES_AT 26
struct names {
	__be32 addr[2];
	__be16 port[2];
	__be32 seq, ack;
} __attribute__((packed));

static __always_inline struct la_lane *my_lane(void)
{
	return &lanes[bpf_get_smp_processor_id() & (LA_LANES - 1)];
}

/* The n-th flow of a round: a permutation of as many bits. */
static __always_inline __u32 pick(const struct la_lane *lane, __u32 n)
{
	__u32 mask = (1U << lane->bits) - 1;

	n = n * lane->factor & mask;
	n ^= n >> ((lane->bits + 1) / 2);
	return lane->first + (n * lane->factor & mask);
}

static __always_inline void name_flow(const struct la_lane *lane, struct names *n)
{
	__u32 flow = pick(lane, lane->count);
	__be32 orig = bpf_htonl(LA_DRIVE_NET + (flow >> 12)), resp = bpf_htonl(LA_DRIVE_SERVER);
	__be16 port = bpf_htons(0x8000 + (flow & 0xfff)), service = bpf_htons(443);

	if (lane->flood) { /* somebody else each time */
		orig = bpf_get_prandom_u32() | bpf_htonl(LA_DRIVE_FLOOD);
		port = (__be16)bpf_get_prandom_u32();
	}
	n->addr[0] = lane->from_resp ? resp : orig;
	n->addr[1] = lane->from_resp ? orig : resp;
	n->port[0] = lane->from_resp ? service : port;
	n->port[1] = lane->from_resp ? port : service;
}

static __always_inline void make_segment(struct la_lane *lane, void *data, void *end)
{
	struct names *n = data + NAMES_AT;
	__u32 round = lane->count >> lane->bits;

	if ((void *)(n + 1) > end)
		return;
	name_flow(lane, n);
	n->seq = bpf_htonl(lane->seq + lane->seq_round * round);
	n->ack = bpf_htonl(lane->ack + lane->ack_round * round);
	lane->count++;
}

/*
 * A live frame is used again after the host has forwarded it: addressed to the next one, its
 * TTL decremented. RFC 1071, of the IPv4 header.
 */
static __always_inline void readdress(void *data, void *end)
{
	__u16 *mac = data, *h = data + IP_AT;
	__u32 sum = 0;

	if ((void *)(h + 10) > end)
		return;
	mac[0] = bpf_htons(0x0200);
	mac[1] = 0;
	mac[2] = bpf_htons(0x0002);
	*((__u8 *)h + 8) = 64;
	h[5] = 0;
#pragma unroll
	for (int i = 0; i < 10; i++)
		sum += h[i];
	sum = (sum & 0xffff) + (sum >> 16);
	h[5] = ~(sum + (sum >> 16));
}

SEC("xdp.frags")
int drive_xdp(struct xdp_md *ctx)
{
	struct la_lane *lane = my_lane();

	make_segment(lane, (void *)(long)ctx->data, (void *)(long)ctx->data_end);
	bpf_tail_call(ctx, &xdp_targets, lane->target);
	return XDP_ABORTED;
}

SEC("tc")
int drive_tc(struct __sk_buff *skb)
{
	struct la_lane *lane = my_lane();

	make_segment(lane, (void *)(long)skb->data, (void *)(long)skb->data_end);
	bpf_tail_call(skb, &tc_targets, lane->target);
	return TC_ACT_SHOT;
}

SEC("xdp")
int drive_live(struct xdp_md *ctx)
{
	struct la_lane *lane = my_lane();

	make_segment(lane, (void *)(long)ctx->data, (void *)(long)ctx->data_end);
	readdress((void *)(long)ctx->data, (void *)(long)ctx->data_end);
	return bpf_redirect(lane->ifindex, 0);
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

/* Where live frames end. They are counted by the CPU that they ended on. */
SEC("tc")
int sink_tc(struct __sk_buff *skb __attribute__((unused)))
{
	my_lane()->arrived++;
	return TC_ACT_SHOT;
}
