// SPDX-License-Identifier: GPL-2.0-only
/*
 * wire.bpf.c - the gremlin in the cable: loses or keeps back exactly chosen TCP segments.
 *
 * Attached by tests/live/wire.c with clsact at the client's and the server's interface, so
 * it acts after XDP and after every tcx program: an observer at the same interface sees what
 * the wire then takes. It counts what each port pair sends. Ethernet, IPv4 and IPv6 without
 * extension headers, because that is all the lab sends.
 */
#include "wire_abi.h"
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define ETH_HLEN      14
#define ETH_TYPE      12
#define HDR_START_NET 1 /* BPF_HDR_START_NET: from the IP header */
#define ETH_IP	      0x0800
#define ETH_IP6	      0x86dd
#define PROTO_TCP     6
#define IP6_HLEN      40
#define TCP_HLEN      20
#define ACT_PASS      -1 /* TC_ACT_UNSPEC: let the next program decide */
#define ACT_TAKE      4	 /* TC_ACT_STOLEN: gone, and the sender believes it is on its way */
#define TCP_SPORT     0
#define TCP_DPORT     2
#define TCP_OFFSET    12
#define TCP_FLAGS     13
#define IP_PROTO      9
#define IP6_NEXTHDR   6

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LA_WIRE_RULES);
	__type(key, __u32);
	__type(value, struct la_wire_rule);
} rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct la_wire_way);
	__type(value, struct la_wire_count);
} sent SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, LA_WIRE_HELD_MAX);
	__type(value, struct la_wire_frame);
} held SEC(".maps");

/* Room for one frame on its way to `held`; it is too large for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct la_wire_frame);
} scratch SEC(".maps");

struct wire_segment {
	struct la_wire_way way;
	__u32 payload;
	__u8 flags;
};

/* Packets whose Ethernet header was not where a tc program finds it. */
__u32 headless;

static __always_inline bool load(struct __sk_buff *skb, __u32 at, void *to, __u32 len)
{
	return !bpf_skb_load_bytes_relative(skb, at, to, len, HDR_START_NET);
}

/* Offset of the TCP header in the IP packet, or 0 if this is no TCP. */
static __always_inline __u32 tcp_offset(struct __sk_buff *skb)
{
	__u8 proto = 0, ihl = 0;

	if (skb->protocol == bpf_htons(ETH_IP)) {
		if (!load(skb, 0, &ihl, 1) || !load(skb, IP_PROTO, &proto, 1))
			return 0;
		return proto == PROTO_TCP ? (ihl & 0xf) * 4 : 0;
	}
	if (skb->protocol == bpf_htons(ETH_IP6)) {
		if (!load(skb, IP6_NEXTHDR, &proto, 1))
			return 0;
		return proto == PROTO_TCP ? IP6_HLEN : 0;
	}
	return 0;
}

static __always_inline bool read_segment(struct __sk_buff *skb, struct wire_segment *seg)
{
	__u32 at = tcp_offset(skb);
	__u8 tcp[TCP_HLEN];
	__be16 eth = 0;

	if (!at || !load(skb, at, tcp, sizeof(tcp)))
		return false;
	if (bpf_skb_load_bytes(skb, ETH_TYPE, &eth, sizeof(eth)) || eth != skb->protocol)
		__sync_fetch_and_add(&headless, 1);
	seg->way.sport = *(__be16 *)(tcp + TCP_SPORT);
	seg->way.dport = *(__be16 *)(tcp + TCP_DPORT);
	seg->flags = tcp[TCP_FLAGS];
	seg->payload = skb->len - ETH_HLEN - at - (tcp[TCP_OFFSET] >> 4) * 4;
	return true;
}

static __always_inline void count(struct __sk_buff *skb, const struct wire_segment *seg)
{
	struct la_wire_count zero = {}, *c;
	__u32 segs = skb->gso_segs ? skb->gso_segs : 1;

	bpf_map_update_elem(&sent, &seg->way, &zero, BPF_NOEXIST);
	c = bpf_map_lookup_elem(&sent, &seg->way);
	if (!c)
		return;
	__sync_fetch_and_add(&c->segs, segs);
	__sync_fetch_and_add(&c->skbs, 1);
	__sync_fetch_and_add(&c->bytes, seg->payload);
}

static __always_inline bool hold(struct __sk_buff *skb, bool to_server)
{
	__u32 zero = 0, len = skb->len;
	struct la_wire_frame *frame = bpf_map_lookup_elem(&scratch, &zero);

	if (!frame || len < 1 || len > LA_WIRE_FRAME_MAX)
		return false;
	frame->len = len;
	frame->to_server = to_server;
	if (bpf_skb_load_bytes(skb, 0, frame->data, len))
		return false;
	return !bpf_map_push_elem(&held, frame, 0);
}

static __always_inline bool rule_wants(const struct la_wire_rule *rule,
				       const struct wire_segment *seg, __u8 hook)
{
	__be16 port = rule->to_server ? seg->way.dport : seg->way.sport;

	return rule->left && rule->hook == hook && bpf_ntohs(port) == rule->port &&
	       (seg->flags & rule->mask) == rule->value;
}

static __always_inline int apply(struct __sk_buff *skb, const struct wire_segment *seg, __u8 hook)
{
	struct la_wire_rule *rule;
	__u32 i;

	for (i = 0; i < LA_WIRE_RULES; i++) {
		__u32 key = i;

		rule = bpf_map_lookup_elem(&rules, &key);
		if (!rule || !rule_wants(rule, seg, hook))
			continue;
		if (rule->action == LA_WIRE_HOLD && !hold(skb, rule->to_server))
			return ACT_PASS;
		if (rule->left != LA_WIRE_FOREVER)
			__sync_fetch_and_add(&rule->left, -1);
		__sync_fetch_and_add(&rule->hits, 1);
		return ACT_TAKE;
	}
	return ACT_PASS;
}

SEC("tc")
int wire_egress(struct __sk_buff *skb)
{
	struct wire_segment seg;

	if (!read_segment(skb, &seg))
		return ACT_PASS;
	count(skb, &seg);
	return apply(skb, &seg, LA_WIRE_EGRESS);
}

SEC("tc")
int wire_ingress(struct __sk_buff *skb)
{
	struct wire_segment seg;

	if (!read_segment(skb, &seg))
		return ACT_PASS;
	return apply(skb, &seg, LA_WIRE_INGRESS);
}

char _license[] SEC("license") = "GPL";
