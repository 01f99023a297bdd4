/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tunnel.h - puts a packet of packet.h into tunnels, for tests: outer headers, from the inside
 * out. Each of them is right, so that only what a test changes is wrong.
 */
#ifndef LA_TESTS_TUNNEL_H
#define LA_TESTS_TUNNEL_H

#include "la_decap.h"
#include "packet.h"

/* Moves the frame up by n bytes, zeroed, which it returns. */
static inline __u8 *tunnel_push(struct la_frame *f, size_t n)
{
	if (f->len + n > sizeof(f->bytes))
		abort();
	memmove(f->bytes + n, f->bytes, f->len);
	memset(f->bytes, 0, n);
	f->len += n;
	f->l3 += n;
	f->l4 += n;
	f->payload += n;
	f->end += n;
	return f->bytes;
}

static inline void tunnel_ipv4(struct la_frame *f, __u8 carries)
{
	__u8 *h = tunnel_push(f, LA_IP4_LEN);

	h[0] = 0x45;
	la_put16(h + 2, (unsigned int)f->len);
	h[8] = 64;
	h[9] = carries;
	la_packet_addr(AF_INET, "192.0.2.1", h + 12);
	la_packet_addr(AF_INET, "192.0.2.2", h + 16);
	la_put16(h + 10, la_sum_fold(la_sum(0, h, LA_IP4_LEN)));
}

/* With the option header that limits nesting (RFC 2473 4.1.1) if `limit`. */
static inline void tunnel_ipv6(struct la_frame *f, __u8 carries, bool limit)
{
	__u8 *h;

	if (limit) {
		h = tunnel_push(f, 8);
		h[0] = carries;
		h[2] = 4; /* tunnel encapsulation limit, one byte, then a PadN of one */
		h[3] = 1;
		h[4] = 4;
		h[5] = 1;
		h[6] = 1;
		carries = LA_IP_DSTOPTS;
	}
	h = tunnel_push(f, LA_IP6_LEN);
	h[0] = 0x60;
	la_put16(h + 4, (unsigned int)(f->len - LA_IP6_LEN));
	h[6] = carries;
	h[7] = 64;
	la_packet_addr(AF_INET6, "2001:db8::1", h + 8);
	la_packet_addr(AF_INET6, "2001:db8::2", h + 24);
}

/* GRE with the fields that `flags` ask for; proto: EtherType of what follows. */
static inline void tunnel_gre(struct la_frame *f, __u16 flags, __u16 proto)
{
	unsigned int fields =
		!!(flags & LA_GRE_CHECKSUM) + !!(flags & LA_GRE_KEY) + !!(flags & LA_GRE_SEQUENCE);
	__u8 *h = tunnel_push(f, LA_GRE_LEN + 4 * fields);

	la_put16(h, flags);
	la_put16(h + 2, proto);
}

static inline void tunnel_vxlan(struct la_frame *f)
{
	__u8 *h = tunnel_push(f, LA_UDP_LEN + LA_VXLAN_LEN);

	la_put16(h, 50000);
	la_put16(h + 2, LA_VXLAN_PORT);
	la_put16(h + 4, (unsigned int)f->len);
	h[LA_UDP_LEN] = 0x08;
	h[LA_UDP_LEN + 6] = 42; /* the VNI */
}

static inline void tunnel_ether(struct la_frame *f, __u16 proto)
{
	la_put16(tunnel_push(f, LA_ETH_LEN) + 12, proto);
}

/* A way to travel: wraps an IP packet, and ends with an Ethernet header. */
struct tunnel {
	const char *name;
	void (*wrap)(struct la_frame *f, __u16 proto);
};

static inline __u8 tunnel_number(__u16 proto)
{
	return proto == LA_ETH_IPV6 ? LA_TUNNEL_IPV6 : LA_TUNNEL_IPV4;
}

static inline void wrap_ip_in_ipv4(struct la_frame *f, __u16 proto)
{
	tunnel_ipv4(f, tunnel_number(proto));
	tunnel_ether(f, LA_ETH_IPV4);
}

static inline void wrap_ip_in_ipv6(struct la_frame *f, __u16 proto)
{
	tunnel_ipv6(f, tunnel_number(proto), false);
	tunnel_ether(f, LA_ETH_IPV6);
}

static inline void wrap_ip_in_ipv6_limited(struct la_frame *f, __u16 proto)
{
	tunnel_ipv6(f, tunnel_number(proto), true);
	tunnel_ether(f, LA_ETH_IPV6);
}

static inline void wrap_gre(struct la_frame *f, __u16 proto)
{
	tunnel_gre(f, 0, proto);
	tunnel_ipv4(f, LA_TUNNEL_GRE);
	tunnel_ether(f, LA_ETH_IPV4);
}

static inline void wrap_gre_full(struct la_frame *f, __u16 proto)
{
	tunnel_gre(f, LA_GRE_CHECKSUM | LA_GRE_KEY | LA_GRE_SEQUENCE, proto);
	tunnel_ipv6(f, LA_TUNNEL_GRE, false);
	tunnel_ether(f, LA_ETH_IPV6);
}

static inline void wrap_gretap(struct la_frame *f, __u16 proto)
{
	tunnel_ether(f, proto);
	tunnel_gre(f, LA_GRE_KEY, LA_ETH_BRIDGED);
	tunnel_ipv4(f, LA_TUNNEL_GRE);
	tunnel_ether(f, LA_ETH_IPV4);
}

static inline void wrap_vxlan(struct la_frame *f, __u16 proto)
{
	tunnel_ether(f, proto);
	tunnel_vxlan(f);
	tunnel_ipv4(f, LA_TUNNEL_UDP);
	tunnel_ether(f, LA_ETH_IPV4);
}

static inline void wrap_vxlan_in_gre_in_ipip(struct la_frame *f, __u16 proto)
{
	tunnel_ether(f, proto);
	tunnel_vxlan(f);
	tunnel_ipv6(f, LA_TUNNEL_UDP, false);
	tunnel_gre(f, 0, LA_ETH_IPV6);
	tunnel_ipv4(f, LA_TUNNEL_GRE);
	tunnel_ipv4(f, LA_TUNNEL_IPV4);
	tunnel_ether(f, LA_ETH_IPV4);
}

static const struct tunnel tunnels[] = {
	{"IP in IPv4", wrap_ip_in_ipv4},
	{"IP in IPv6", wrap_ip_in_ipv6},
	{"IP in IPv6 with a nesting limit", wrap_ip_in_ipv6_limited},
	{"GRE", wrap_gre},
	{"GRE with all fields, over IPv6", wrap_gre_full},
	{"Ethernet in GRE", wrap_gretap},
	{"VXLAN", wrap_vxlan},
	{"VXLAN in GRE in IPIP", wrap_vxlan_in_gre_in_ipip},
};
#define TUNNELS (sizeof(tunnels) / sizeof(*tunnels))

#endif
