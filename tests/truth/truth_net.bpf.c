// SPDX-License-Identifier: GPL-2.0-only
/*
 * truth_net.bpf.c - the weather on the cables: loses, doubles, delays and so reorders.
 *
 * One program for each interface that sends (truth_abi.h), attached with clsact and so
 * behind every observer there. First the rules of the connection, aimed at one segment that
 * matters; then chance, drawn from the seed, the ports and the number of the segment, so
 * that a run can be had again. What is late goes to user space (net.c), which sends it when
 * it is due. Every segment is logged with what became of it.
 */
#include "truth_abi.h"
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define ETH_HLEN      14
#define HDR_START_NET 1
#define ETH_IP	      0x0800
#define ETH_IP6	      0x86dd
#define PROTO_TCP     6
#define IP6_HLEN      40
#define TCP_HLEN      20
#define ACT_PASS      -1 /* TC_ACT_UNSPEC */
#define ACT_TAKE      4	 /* TC_ACT_STOLEN: the sender believes it is on its way */
#define FIN	      0x01
#define SYN	      0x02
#define RST	      0x04
#define ACK	      0x10
#define MILLION	      1000000

/* One connection on its way through the cables. */
struct way {
	__u32 count[LA_NET_POINTS]; /* segments so far */
	__u32 fin[2];		    /* a FIN went to the client, to the server */
	__u64 queue[LA_NET_POINTS]; /* ns; 0, or all wait behind one that is due then */
};

struct segment {
	struct la_net_pair pair;
	__u32 seq, ack, len;
	__u16 win;
	__u8 flags;
};

struct verdict {
	__u32 action;
	__u64 due; /* ns, with LA_NET_DELAY and LA_NET_DOUBLE */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1048576);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct la_net_pair);
	__type(value, struct la_net_rules);
} rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1048576);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct la_net_pair);
	__type(value, struct way);
} ways SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024 * 1024);
} written SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 * 1024 * 1024);
} held SEC(".maps");

const volatile struct la_net_weather weather;

/* Segments that could not be kept back or written down. */
__u64 lost;

static __always_inline bool load(struct __sk_buff *skb, __u32 at, void *to, __u32 len)
{
	return !bpf_skb_load_bytes_relative(skb, at, to, len, HDR_START_NET);
}

static __always_inline __u32 tcp_offset(struct __sk_buff *skb)
{
	__u8 proto = 0, ihl = 0;

	if (skb->protocol == bpf_htons(ETH_IP)) {
		if (!load(skb, 0, &ihl, 1) || !load(skb, 9, &proto, 1))
			return 0;
		return proto == PROTO_TCP ? (ihl & 0xf) * 4 : 0;
	}
	if (skb->protocol == bpf_htons(ETH_IP6) && load(skb, 6, &proto, 1))
		return proto == PROTO_TCP ? IP6_HLEN : 0;
	return 0;
}

static __always_inline bool to_server(__u32 point)
{
	return point == LA_NET_CLIENT || point == LA_NET_RIGHT;
}

static __always_inline bool read_segment(struct __sk_buff *skb, __u32 point, struct segment *seg)
{
	__u32 at = tcp_offset(skb);
	__u16 tcp[TCP_HLEN / 2];
	__u16 sport, dport;

	if (!at || !load(skb, at, tcp, sizeof(tcp)))
		return false;
	sport = bpf_ntohs(tcp[0]);
	dport = bpf_ntohs(tcp[1]);
	seg->pair.client = to_server(point) ? sport : dport;
	seg->pair.server = to_server(point) ? dport : sport;
	seg->seq = (__u32)bpf_ntohs(tcp[2]) << 16 | bpf_ntohs(tcp[3]);
	seg->ack = (__u32)bpf_ntohs(tcp[4]) << 16 | bpf_ntohs(tcp[5]);
	seg->flags = bpf_ntohs(tcp[6]) & 0xff;
	seg->win = bpf_ntohs(tcp[7]);
	seg->len = skb->len - ETH_HLEN - at - (bpf_ntohs(tcp[6]) >> 12) * 4;
	return true;
}

static __always_inline bool is_aimed_at(__u8 aim, const struct segment *seg, bool after_fin)
{
	__u8 kind = seg->flags & (SYN | FIN | RST);

	switch (aim) {
	case LA_AIM_ANY:
		return true;
	case LA_AIM_SYN:
		return kind == SYN && !(seg->flags & ACK);
	case LA_AIM_SYN_ACK:
		return kind == SYN && (seg->flags & ACK);
	case LA_AIM_ACK:
		return !kind && !seg->len;
	case LA_AIM_DATA:
		return !kind && seg->len;
	case LA_AIM_FIN:
		return kind == FIN;
	case LA_AIM_ACK_AFTER_FIN:
		return !kind && !seg->len && after_fin;
	case LA_AIM_RST:
		return kind & RST;
	}
	return false;
}

static __always_inline bool by_rule(const struct segment *seg, __u32 point, struct way *way,
				    struct verdict *v)
{
	bool after_fin = way->fin[!to_server(point)];
	struct la_net_rules *set = bpf_map_lookup_elem(&rules, &seg->pair);
	int i;

	if (!set)
		return false;
	for (i = 0; i < LA_NET_RULES; i++) {
		struct la_net_rule *rule = &set->rule[i];

		if (!rule->left || rule->point != point || !is_aimed_at(rule->aim, seg, after_fin))
			continue;
		__sync_fetch_and_add(&rule->left, -1);
		v->action = rule->action;
		v->due = bpf_ktime_get_ns() + (__u64)rule->us * 1000;
		if (rule->in_order)
			way->queue[point] = v->due;
		return true;
	}
	return false;
}

/* The finalizer of splitmix64 (public domain). */
static __always_inline __u64 mix(__u64 h, __u64 word)
{
	h = (h ^ word) + 0x9e3779b97f4a7c15ULL;
	h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9ULL;
	h = (h ^ (h >> 27)) * 0x94d049bb133111ebULL;
	return h ^ (h >> 31);
}

static __always_inline void by_chance(const struct segment *seg, __u32 point, __u32 count,
				      struct verdict *v)
{
	__u64 h = mix(mix(weather.seed, (__u64)seg->pair.client << 16 | seg->pair.server),
		      (__u64)point << 32 | count);
	__u32 dice = (__u32)h % MILLION;

	if (weather.late_us)
		v->due = bpf_ktime_get_ns() + (h >> 32) % weather.late_us * 1000;
	if (dice < weather.loss)
		v->action = LA_NET_DROP;
	else if (dice < weather.loss + weather.twice)
		v->action = LA_NET_DOUBLE;
	else if (dice < weather.loss + weather.twice + weather.late)
		v->action = LA_NET_DELAY;
}

/* Behind one that is late: through the same hands, so that nobody is overtaken. */
static __always_inline bool by_queue(const struct way *way, __u32 point, struct verdict *v)
{
	__u64 now = bpf_ktime_get_ns(), due = way->queue[point];

	if (!due)
		return false;
	v->action = LA_NET_DELAY;
	v->due = due > now ? due : now;
	return true;
}

static __always_inline void judge(const struct segment *seg, __u32 point, struct verdict *v)
{
	struct way fresh = {}, *way;
	bool up = to_server(point);
	__u32 count;

	bpf_map_update_elem(&ways, &seg->pair, &fresh, BPF_NOEXIST);
	way = bpf_map_lookup_elem(&ways, &seg->pair);
	if (!way || point >= LA_NET_POINTS)
		return;
	count = __sync_fetch_and_add(&way->count[point], 1);
	if (seg->flags & SYN && !(seg->flags & ACK))
		way->fin[0] = way->fin[1] = way->queue[point] = 0;
	if (!by_queue(way, point, v) && !by_rule(seg, point, way, v))
		by_chance(seg, point, count, v);
	if (seg->flags & FIN)
		way->fin[up] = 1;
}

static __always_inline void fill_log(struct la_net_log *l, const struct segment *seg, __u32 point,
				     const struct verdict *v)
{
	__u64 now = bpf_ktime_get_ns();

	*l = (struct la_net_log){
		.ts = now,
		.out = v->action == LA_NET_DROP ? 0 : now,
		.pair = seg->pair,
		.seq = seg->seq,
		.ack = seg->ack,
		.len = seg->len,
		.win = seg->win,
		.flags = seg->flags,
		.point = point,
		.action = v->action,
	};
}

static __always_inline bool hold(struct __sk_buff *skb, const struct segment *seg, __u32 point,
				 const struct verdict *v)
{
	__u32 len = skb->len;
	struct la_net_frame *frame;

	if (len < ETH_HLEN || len > LA_NET_FRAME_MAX)
		return false;
	frame = bpf_ringbuf_reserve(&held, sizeof(*frame), 0);
	if (!frame)
		return false;
	fill_log(&frame->log, seg, point, v);
	frame->due = v->due;
	frame->len = len;
	frame->point = point;
	if (bpf_skb_load_bytes(skb, 0, frame->data, len)) {
		bpf_ringbuf_discard(frame, 0);
		return false;
	}
	bpf_ringbuf_submit(frame, 0);
	return true;
}

static __always_inline void write_down(const struct segment *seg, __u32 point,
				       const struct verdict *v)
{
	struct la_net_log *l = bpf_ringbuf_reserve(&written, sizeof(*l), 0);

	if (!l) {
		__sync_fetch_and_add(&lost, 1);
		return;
	}
	fill_log(l, seg, point, v);
	bpf_ringbuf_submit(l, 0);
}

static __always_inline int cable(struct __sk_buff *skb, __u32 point)
{
	struct verdict v = {};
	struct segment seg;

	if (!read_segment(skb, point, &seg))
		return ACT_PASS;
	judge(&seg, point, &v);
	if (v.action != LA_NET_DELAY)
		write_down(&seg, point, &v);
	if ((v.action == LA_NET_DELAY || v.action == LA_NET_DOUBLE) &&
	    !hold(skb, &seg, point, &v)) {
		__sync_fetch_and_add(&lost, 1);
		return ACT_PASS;
	}
	return v.action == LA_NET_DROP || v.action == LA_NET_DELAY ? ACT_TAKE : ACT_PASS;
}

#define CABLE(name, point)                                                                         \
	SEC("tc") int name(struct __sk_buff *skb)                                                  \
	{                                                                                          \
		return cable(skb, point);                                                          \
	}

CABLE(net_client, LA_NET_CLIENT)
CABLE(net_left, LA_NET_LEFT)
CABLE(net_right, LA_NET_RIGHT)
CABLE(net_server, LA_NET_SERVER)

char LICENSE[] SEC("license") = "GPL";
