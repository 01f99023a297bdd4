// SPDX-License-Identifier: GPL-2.0-only
/*
 * vlan.bpf.c - a host in a VLAN, for kernels without a vlan device: at its interface whatever
 * leaves gets the tags, and what comes without them does not arrive.
 *
 * Attached by tests/live/vlan.c. It counts the RSTs that come with all tags, and by XDP those
 * whose outer tag lies in the frame and not beside it.
 */
#include "vlan_abi.h"
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define ETH_HLEN    14
#define ETH_TYPE    12
#define VLAN_HLEN   4
#define ACT_PASS    -1 /* TC_ACT_UNSPEC */
#define ACT_SHOT    2
#define IP4_HLEN    20
#define IP6_HLEN    40
#define IP4_PROTO   9
#define IP6_NEXTHDR 6
#define PROTO_TCP   6
#define TCP_FLAGS   13
#define TCP_RST	    0x04

/* Innermost first, as they are pushed. */
const volatile struct la_vlan_tag tags[LA_VLAN_TAGS];
const volatile __u32 tag_count = 1;

struct la_vlan_counts counts;

SEC("tc")
int vlan_egress(struct __sk_buff *skb)
{
	for (__u32 i = 0; i < LA_VLAN_TAGS && i < tag_count; i++)
		if (bpf_skb_vlan_push(skb, bpf_htons(tags[i].tpid), tags[i].vid))
			return ACT_SHOT;
	return ACT_PASS;
}

static __always_inline bool pop(struct __sk_buff *skb, const volatile struct la_vlan_tag *tag)
{
	return skb->vlan_present && (skb->vlan_tci & 0xfff) == tag->vid &&
	       skb->vlan_proto == bpf_htons(tag->tpid) && !bpf_skb_vlan_pop(skb);
}

/* Of TCP, without IP options and extension headers, as the lab sends it. */
static __always_inline bool is_rst(struct __sk_buff *skb)
{
	bool v4 = skb->protocol == bpf_htons(0x0800);
	__u8 proto = 0, flags = 0;

	bpf_skb_load_bytes(skb, ETH_HLEN + (v4 ? IP4_PROTO : IP6_NEXTHDR), &proto, 1);
	bpf_skb_load_bytes(skb, ETH_HLEN + (v4 ? IP4_HLEN : IP6_HLEN) + TCP_FLAGS, &flags, 1);
	return proto == PROTO_TCP && flags & TCP_RST;
}

/* What comes without all tags is for nobody here. */
SEC("tc")
int vlan_ingress(struct __sk_buff *skb)
{
	bool tagged = true;

	for (__u32 i = tag_count; i > 0 && i <= LA_VLAN_TAGS; i--)
		tagged = tagged && pop(skb, &tags[(i - 1) % LA_VLAN_TAGS]);
	if (is_rst(skb))
		__sync_fetch_and_add(tagged ? &counts.rsts : &counts.bare_rsts, 1);
	return tagged ? ACT_PASS : ACT_SHOT;
}

/* One tag in the frame, then IP; only that is counted here. */
SEC("xdp")
int vlan_xdp(struct xdp_md *ctx)
{
	const __u8 *data = (const __u8 *)(long)ctx->data, *end = (const __u8 *)(long)ctx->data_end;
	const __u8 *ip = data + ETH_HLEN + VLAN_HLEN;

	if (ip + IP6_HLEN + TCP_FLAGS + 1 > end && ip + IP4_HLEN + TCP_FLAGS + 1 > end)
		return 2; /* XDP_PASS */
	if (*(const __be16 *)(data + ETH_TYPE) != bpf_htons(tags[0].tpid))
		return 2;
	ip += *ip >> 4 == 6 ? IP6_HLEN : IP4_HLEN;
	if (ip + TCP_FLAGS + 1 <= end && ip[TCP_FLAGS] & TCP_RST)
		__sync_fetch_and_add(&counts.rsts_in_frame, 1);
	return 2;
}

char _license[] SEC("license") = "GPL";
