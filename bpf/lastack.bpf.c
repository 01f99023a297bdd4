/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lastack.bpf.c - the entry points: one a hook, all of them thin.
 *
 *   packet -> la_parse -> la_track_packet -> records in the ring
 *
 * XDP sees only what comes in, tc both ways. A device without an Ethernet header (tun,
 * wireguard) has entries of its own, because a program cannot tell it from its bytes. A packet
 * passes on unless a policy says otherwise; what became of it is counted by hook and reason.
 */
#include "vmlinux.h"

#define CLOCK_MONOTONIC 1

#include "act.bpf.h"
#include "expire.bpf.h"
#include "la_decap.h"
#include "la_icmp.h"
#include "la_parse.h"
#include "limit.bpf.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

/* Look into tunnels? Frozen before loading, so that it costs nothing where it is off. */
const volatile bool la_decap_on = false;

static __always_inline __u32 la_read(const void *data, const void *end, __u32 len,
				     enum la_link link, __be16 proto, struct la_key *key,
				     struct la_segment *seg)
{
	if (la_decap_on)
		return la_parse_inner(data, end, len, link, proto, key, seg);
	return la_parse(data, end, len, link, proto, key, seg);
}

static __always_inline void la_count_packet(enum la_hook hook, __u32 reason)
{
	struct la_counters *c = la_counters();

	if (c && reason < LA_REASON_MAX)
		c->packets[hook][reason]++;
}

/* Only a policy drops: a monitor lets everything pass. */
static __always_inline bool la_is_dropped(__u32 reason)
{
	return reason == LA_R_FLOW_DROPPED || reason == LA_R_RST_DROPPED;
}

static __always_inline __u32 la_packet(struct la_key *key, struct la_segment *seg, __u32 ifindex,
				       bool egress)
{
	seg->hook = la_hook_id(ifindex, egress);
	if (la_replayed) {
		seg->hook = la_fed.hook;
		seg->segs = la_fed.segs;
		seg->opts |= la_fed.opts;
		if (la_fed.damaged)
			return la_damaged(key, seg);
	}
	if ((seg->flags & LA_RST) && la_cfg.rst_policy > LA_RST_POLICY_OBSERVE)
		return la_judged_rst(key, seg);
	return la_track_packet(key, seg);
}

/* An ICMP message of which la_parse() left key and seg. */
static __noinline __u32 la_icmp_packet(const void *data, const void *end, struct la_key *key,
				       struct la_segment *seg)
{
	__u32 reason;

	if (la_replayed && la_fed.damaged)
		return la_fed.damaged;
	reason = la_parse_icmp(data, end, key, seg);
	if (reason != LA_R_ACCEPTED)
		return reason;
	seg->ts = la_now();
	return la_icmp_error(key, seg);
}

/* The length of a frame with all its buffers; before Linux 5.18 there is only one. */
static __always_inline __u32 la_xdp_len(struct xdp_md *ctx)
{
	if (la_replayed)
		return la_fed.wire_len;
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_xdp_get_buff_len))
		return bpf_xdp_get_buff_len(ctx);
	return ctx->data_end - ctx->data;
}

/* The loader adds BPF_F_XDP_HAS_FRAGS where that works. */
SEC("xdp")
int la_xdp(struct xdp_md *ctx)
{
	const void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct la_segment seg = {};
	struct la_key key = {};
	__u32 reason;

	reason = la_read(data, end, la_xdp_len(ctx), LA_LINK_ETHER, 0, &key, &seg);
	if (reason == LA_R_ICMP) {
		reason = la_icmp_packet(data, end, &key, &seg);
	} else if (reason == LA_R_ACCEPTED || seg.odd) {
		seg.segs = 0; /* generic XDP may see a super-packet, and does not say so */
		reason = la_packet(&key, &seg, ctx->ingress_ifindex, false);
	}
	la_count_packet(LA_HOOK_XDP, reason);
	return la_is_dropped(reason) ? XDP_DROP : XDP_PASS;
}

static __always_inline __u32 la_tc_parse(struct __sk_buff *skb, enum la_link link,
					 struct la_key *key, struct la_segment *seg)
{
	__be16 proto = link == LA_LINK_L3 ? (__be16)skb->protocol : 0;
	const void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	__u32 len = skb->len;

	if (la_replayed) {
		proto = la_fed.l3_proto;
		len = la_fed.wire_len;
	}
	return la_read(data, end, len, link, proto, key, seg);
}

/* Headers that the linear part of an skb should hold, and how much to pull in if it does not. */
#define LA_LINEAR_BYTES 128
#define LA_PULL_BYTES	256

static __always_inline int la_tc(struct __sk_buff *skb, enum la_link link, bool egress)
{
	__u32 linear = skb->data_end - skb->data, pull = LA_PULL_BYTES, reason;
	struct la_segment seg = {};
	struct la_key key = {};

	if (linear < LA_LINEAR_BYTES && linear < skb->len) {
		if (pull > skb->len)
			pull = skb->len;
		bpf_skb_pull_data(skb, pull);
	}
	reason = la_tc_parse(skb, link, &key, &seg);
	if (reason == LA_R_ICMP) {
		reason = la_icmp_packet((void *)(long)skb->data, (void *)(long)skb->data_end, &key,
					&seg);
	} else if (reason == LA_R_ACCEPTED || seg.odd) {
		if (skb->gso_segs > 1)
			seg.segs = skb->gso_segs;
		reason = la_packet(&key, &seg, skb->ifindex, egress);
	}
	la_count_packet(egress ? LA_HOOK_TC_EGRESS : LA_HOOK_TC_INGRESS, reason);
	return la_is_dropped(reason) ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

SEC("tc")
int la_tc_ingress(struct __sk_buff *skb)
{
	return la_tc(skb, LA_LINK_ETHER, false);
}

SEC("tc")
int la_tc_egress(struct __sk_buff *skb)
{
	return la_tc(skb, LA_LINK_ETHER, true);
}

SEC("tc")
int la_tc_ingress_l3(struct __sk_buff *skb)
{
	return la_tc(skb, LA_LINK_L3, false);
}

SEC("tc")
int la_tc_egress_l3(struct __sk_buff *skb)
{
	return la_tc(skb, LA_LINK_L3, true);
}

/*
 * Not run by packets: la_start winds up the pulse, which then beats by itself; la_sweep looks
 * at all clocks at once, for replay and tests; la_shutdown ends all flows; la_rewind winds the
 * clocks of some flows anew, because the timeouts have changed and the clocks may be late;
 * la_act_on does something to one flow. They are tc programs because Linux 5.15 lets no
 * sleepable program (such as SEC("syscall")) take a spin lock.
 */
__u64 la_sweep_now; /* ns; 0: now */
__u32 la_hand;	    /* the dial that the next pulse begins with */

static __always_inline void la_sweep_some(struct la_sweep *sweep)
{
	sweep->trims = !la_replayed && !sweep->detach;
	la_be_patient(&sweep->patience);
	if (la_pending_count)
		bpf_for_each_map_elem(&pending, la_sweep_pending, sweep, 0);
	bpf_for_each_map_elem(&dials, la_sweep_dial, sweep, 0);
}

static __always_inline int la_sweep_all(bool detach)
{
	struct la_sweep sweep = {.now = la_sweep_now ? la_sweep_now : la_now(),
				 .due = ~0ULL,
				 .end = ~0U,
				 .ends = ~0U,
				 .detach = detach};

	la_sweep_some(&sweep);
	if (la_replayed)
		la_fed.due = sweep.due;
	return 0;
}

SEC("tc")
int la_sweep(struct __sk_buff *skb __attribute__((unused)))
{
	return la_sweep_all(false);
}

SEC("tc")
int la_shutdown(struct __sk_buff *skb __attribute__((unused)))
{
	return la_sweep_all(true);
}

/* Dials that one la_rewind looks at: packets may have to wait for it. */
#define LA_REWIND_DIALS 256

__u32 la_rewound; /* the dial that the next la_rewind begins with */

SEC("tc")
int la_rewind(struct __sk_buff *skb __attribute__((unused)))
{
	struct la_sweep sweep = {.now = la_now(),
				 .due = ~0ULL,
				 .next = la_rewound,
				 .end = la_rewound + LA_REWIND_DIALS,
				 .ends = ~0U,
				 .winds = true};

	bpf_for_each_map_elem(&dials, la_sweep_dial, &sweep, 0);
	la_rewound = sweep.next;
	return 0;
}

SEC("tc")
int la_act_on(struct __sk_buff *skb __attribute__((unused)))
{
	struct la_scratch *s = la_scratch();
	struct la_key key = la_asked.key;
	struct la_entry *e = bpf_map_lookup_elem(&flows, &key);

	return e && s ? la_act_flow(&key, e, s) : -LA_ENOENT;
}

/* One beat of the pulse. */
static int la_beat(void *map __attribute__((unused)), __u32 *key __attribute__((unused)),
		   struct la_pulse *pulse)
{
	__u32 dials = (la_slots + LA_DIAL_SLOTS - 1) / LA_DIAL_SLOTS;
	struct la_sweep sweep = {.now = la_now() - LA_PULSE_GRACE_NS,
				 .due = ~0ULL,
				 .next = la_hand,
				 .end = la_hand + (dials + LA_PULSE_PARTS - 1) / LA_PULSE_PARTS,
				 .ends = LA_PULSE_ENDS};

	la_sweep_some(&sweep);
	la_hand = sweep.next < dials ? sweep.next : 0;
	bpf_timer_start(&pulse->timer, LA_PULSE_NS, 0);
	return 0;
}

/* Again for a table that lives on: programs of a later build take over the pulse. */
SEC("tc")
int la_start(struct __sk_buff *skb __attribute__((unused)))
{
	__u32 zero = 0;
	struct la_pulse *p = bpf_map_lookup_elem(&pulse, &zero);

	if (!p)
		return -1;
	bpf_timer_init(&p->timer, &pulse, CLOCK_MONOTONIC);
	if (bpf_timer_set_callback(&p->timer, la_beat))
		return -1;
	return (int)bpf_timer_start(&p->timer, LA_PULSE_NS, 0);
}
