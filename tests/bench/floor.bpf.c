/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * floor.bpf.c - the least that a program must do to keep a table of connections: read the
 * packet, look up an entry under the same key, count packets and bytes, note the time.
 *
 * The table has the size, key and value of lastack's (packets.c sets them), and no state.
 */
#include "vmlinux.h"

#include "drive_abi.h"
#include "la_key.h"
#include "la_parse.h"
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

/* As much of the headers as it reads; numbers in network byte order. */
struct eth {
	__u8 macs[12];
	__be16 proto;
};
struct ip4 {
	__u8 version_ihl, tos;
	__be16 len;
	__u8 id_frag_ttl[5], proto;
	__be16 sum;
	__be32 src, dst;
};
struct ip6 {
	__be32 version;
	__be16 payload_len;
	__u8 next, hops;
	__u8 addr[2][16];
};
struct tcp {
	__be16 sport, dport;
	__u8 rest[16];
};

/* What is kept of a connection; the rest of the value is room. */
struct kept {
	__u64 pkts, bytes, last;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(key_size, sizeof(struct la_key));
	__uint(value_size, sizeof(struct kept));
	__uint(max_entries, 1024);
} floor_flows SEC(".maps");

static __always_inline int read_ports(const void *l4, const void *end, struct la_key *key)
{
	const struct tcp *tcp = l4;

	if ((const void *)(tcp + 1) > end)
		return -1;
	la_key_finish(key, tcp->sport, tcp->dport);
	return 0;
}

static __always_inline int read_ip4(const void *l3, const void *end, struct la_key *key, __u32 *len)
{
	const struct ip4 *ip = l3;

	if ((const void *)(ip + 1) > end || ip->proto != LA_IP_TCP)
		return -1;
	la_addr_map_v4(key->addr[0], ip->src);
	la_addr_map_v4(key->addr[1], ip->dst);
	*len = bpf_ntohs(ip->len);
	return read_ports(l3 + (ip->version_ihl & 15) * 4, end, key);
}

static __always_inline int read_ip6(const void *l3, const void *end, struct la_key *key, __u32 *len)
{
	const struct ip6 *ip = l3;

	if ((const void *)(ip + 1) > end || ip->next != LA_IP_TCP)
		return -1;
	__builtin_memcpy(key->addr, ip->addr, sizeof(key->addr));
	*len = sizeof(*ip) + bpf_ntohs(ip->payload_len);
	return read_ports(ip + 1, end, key);
}

static __always_inline int read_packet(const void *data, const void *end, struct la_key *key,
				       __u32 *len)
{
	const struct eth *eth = data;

	if ((const void *)(eth + 1) > end)
		return -1;
	if (eth->proto == bpf_htons(LA_ETH_IPV4))
		return read_ip4(eth + 1, end, key, len);
	if (eth->proto == bpf_htons(LA_ETH_IPV6))
		return read_ip6(eth + 1, end, key, len);
	return -1;
}

static __always_inline void keep(const void *data, const void *end)
{
	struct la_key key = {};
	struct kept *kept;
	__u32 len = 0;

	if (read_packet(data, end, &key, &len))
		return;
	kept = bpf_map_lookup_elem(&floor_flows, &key);
	if (!kept)
		return;
	__sync_fetch_and_add(&kept->pkts, 1);
	__sync_fetch_and_add(&kept->bytes, len);
	kept->last = bpf_ktime_get_coarse_ns();
}

SEC("xdp.frags")
int floor_xdp(struct xdp_md *ctx)
{
	keep((void *)(long)ctx->data, (void *)(long)ctx->data_end);
	return XDP_PASS;
}

SEC("tc")
int floor_tc(struct __sk_buff *skb)
{
	keep((void *)(long)skb->data, (void *)(long)skb->data_end);
	return TC_ACT_UNSPEC;
}

/* Fills the table: an entry for each packet that has none. */
SEC("xdp.frags")
int floor_fill(struct xdp_md *ctx)
{
	static const char none[LA_FLOOR_VALUE_MAX];
	struct la_key key = {};
	__u32 len = 0;

	if (!read_packet((void *)(long)ctx->data, (void *)(long)ctx->data_end, &key, &len))
		bpf_map_update_elem(&floor_flows, &key, none, BPF_NOEXIST);
	return XDP_PASS;
}
