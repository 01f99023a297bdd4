/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_decap.h - the packet inside the tunnel.
 *
 *   IPv4, IPv6 [extension headers] -> IPv4 or IPv6      IPIP, 6in4, 4in6 (RFC 2003, 4213, 2473)
 *                                  -> GRE -> IP or Ethernet          (RFC 2784, 2890, 7637)
 *                                  -> UDP 4789 -> VXLAN -> Ethernet  (RFC 7348)
 *
 * la_decap() only finds where the innermost packet begins; la_parse() then reads it as if
 * nothing were around it, so the connections of a tunnel are those inside, and what the tunnel
 * is called (its addresses, its VNI) is no part of their name. What is not understood stays
 * as it is. A fragment of the outer packet is not looked into: not all of the inner one is
 * there.
 */
#ifndef LA_DECAP_H
#define LA_DECAP_H

#include "la_parse.h"

/* Tunnels in tunnels are rare, and deeper ones are an attack. */
#define LA_DECAP_MAX 4

/* What stands between an IPv6 header and the tunnel: RFC 2473 puts one option header there. */
#define LA_DECAP_EXT_MAX 2

enum la_tunnel_proto {
	LA_TUNNEL_IPV4 = 4, /* IP protocol numbers (IANA) */
	LA_TUNNEL_UDP = 17,
	LA_TUNNEL_IPV6 = 41,
	LA_TUNNEL_GRE = 47,
};

#define LA_ETH_BRIDGED	  0x6558 /* EtherType: transparent Ethernet bridging, an Ethernet frame */
#define LA_VXLAN_PORT	  4789
#define LA_VXLAN_VALID_ID 0x08000000
#define LA_UDP_LEN	  8
#define LA_VXLAN_LEN	  8
#define LA_GRE_LEN	  4
#define LA_GRE_CHECKSUM	  0x8000
#define LA_GRE_KEY	  0x2000
#define LA_GRE_SEQUENCE	  0x1000
#define LA_GRE_OTHER	  0x4fff /* routing, recursion, a version other than 0 */

/* Where a packet begins; the arguments of la_parse(). */
struct la_inner {
	__u32 offset;	/* from the beginning of the outermost, bytes */
	__u32 wire_len; /* bytes of the packet from there on */
	__u32 link;	/* enum la_link */
	__u16 proto;	/* with LA_LINK_L3: EtherType, host byte order; 0: by the IP version */
};

/* Takes a link header up to the IP header; in->proto becomes the EtherType. False: no IP. */
LA_INLINE bool la_decap_link(struct la_cursor *c, struct la_inner *in)
{
	enum la_reason reason = LA_NO_REASON;

	if (in->link == LA_LINK_ETHER)
		reason = la_next_ether(c, &in->proto);
	else if (!in->proto)
		reason = la_guess_l3(c, &in->proto);
	return !reason && !la_next_vlan(c, &in->proto);
}

/* Takes an outer IPv4 header. Returns what it carries, 0 if that cannot be read; *len: its
 * length, bytes from the header on. */
LA_INLINE __u8 la_decap_ipv4(struct la_cursor *c, __u32 *len)
{
	const __u8 *h = c->pos;
	__u32 hdr;

	if (h + LA_IP4_LEN > c->end)
		return 0;
	hdr = (h[0] & 0x0f) * 4;
	*len = la_ntoh16(la_load16(h + 2));
	if (h[0] >> 4 != 4 || hdr < LA_IP4_LEN || *len < hdr)
		return 0;
	if (la_load16(h + 6) & la_hton16(0x3fff)) /* a fragment, first or later */
		return 0;
	c->pos += hdr;
	return h[9];
}

/* The same of IPv6. */
LA_INLINE __u8 la_decap_ipv6(struct la_cursor *c, __u32 *len)
{
	const __u8 *h = c->pos;
	__u8 next;

	if (h + LA_IP6_LEN > c->end || h[0] >> 4 != 6)
		return 0;
	next = h[6];
	*len = LA_IP6_LEN + la_ntoh16(la_load16(h + 4));
	c->pos += LA_IP6_LEN;
	for (int i = 0; i < LA_DECAP_EXT_MAX; i++) {
		const struct la_ip6_ext ext = la_ip6_ext(next);

		if (!ext.unit)
			break;
		h = c->pos;
		if (h + 8 > c->end || ext.offset)
			return 0;
		next = h[0];
		c->pos += (((h[1] & ext.mask) + ext.plus) * ext.unit) & 0xfff;
	}
	return next;
}

LA_INLINE bool la_decap_ethertype(struct la_inner *in, __u16 proto)
{
	in->link = proto == LA_ETH_BRIDGED ? LA_LINK_ETHER : LA_LINK_L3;
	in->proto = proto;
	return proto == LA_ETH_IPV4 || proto == LA_ETH_IPV6 || proto == LA_ETH_BRIDGED;
}

/* RFC 2784 2, RFC 2890 2: checksum, key and sequence number are there if their bits are. */
LA_INLINE bool la_decap_gre(struct la_cursor *c, struct la_inner *in)
{
	const __u8 *h = c->pos;
	__u16 flags;

	if (h + LA_GRE_LEN > c->end)
		return false;
	flags = la_ntoh16(la_load16(h));
	if (flags & LA_GRE_OTHER)
		return false;
	c->pos += LA_GRE_LEN + (flags & LA_GRE_CHECKSUM ? 4 : 0) + (flags & LA_GRE_KEY ? 4 : 0) +
		  (flags & LA_GRE_SEQUENCE ? 4 : 0);
	return la_decap_ethertype(in, la_ntoh16(la_load16(h + 2)));
}

/* RFC 7348 5: UDP to 4789, the valid bit and no other, an Ethernet frame. */
LA_INLINE bool la_decap_vxlan(struct la_cursor *c, struct la_inner *in)
{
	const __u8 *h = c->pos;

	if (h + LA_UDP_LEN + LA_VXLAN_LEN > c->end || la_load16(h + 2) != la_hton16(LA_VXLAN_PORT))
		return false;
	if (la_load32(h + LA_UDP_LEN) != la_hton32(LA_VXLAN_VALID_ID))
		return false;
	c->pos += LA_UDP_LEN + LA_VXLAN_LEN;
	return la_decap_ethertype(in, LA_ETH_BRIDGED);
}

LA_INLINE bool la_decap_payload(struct la_cursor *c, __u8 carries, struct la_inner *in)
{
	switch (carries) {
	case LA_TUNNEL_IPV4:
		return la_decap_ethertype(in, LA_ETH_IPV4);
	case LA_TUNNEL_IPV6:
		return la_decap_ethertype(in, LA_ETH_IPV6);
	case LA_TUNNEL_GRE:
		return la_decap_gre(c, in);
	case LA_TUNNEL_UDP:
		return la_decap_vxlan(c, in);
	default:
		return false;
	}
}

/* One tunnel further in. False: *in carries none, and is as it was. */
LA_INLINE bool la_decap_once(const __u8 *data, const __u8 *end, struct la_inner *in)
{
	struct la_cursor c = {.pos = data + in->offset, .end = end};
	struct la_inner next = *in;
	__u32 outer, inner, len;
	__u8 carries;

	if (!la_decap_link(&c, &next))
		return false;
	outer = la_cursor_rebase(&c, data);
	carries = next.proto == LA_ETH_IPV4   ? la_decap_ipv4(&c, &len)
		  : next.proto == LA_ETH_IPV6 ? la_decap_ipv6(&c, &len)
					      : 0;
	if (!carries || outer - in->offset + len > in->wire_len)
		return false;
	la_cursor_rebase(&c, data);
	if (!la_decap_payload(&c, carries, &next))
		return false;
	inner = la_cursor_rebase(&c, data);
	if (inner > outer + len)
		return false;
	next.offset = inner;
	next.wire_len = outer + len - inner;
	*in = next;
	return true;
}

/*
 * Finds the innermost packet of [data, end). Arguments as for la_parse(), which takes what is
 * returned; that is the packet itself if it is in no tunnel.
 */
LA_INLINE struct la_inner la_decap(const void *data, const void *end, __u32 wire_len,
				   enum la_link link, __be16 l3_proto)
{
	struct la_inner in = {.wire_len = wire_len, .link = link, .proto = la_ntoh16(l3_proto)};

	for (int i = 0; i < LA_DECAP_MAX; i++)
		if (!la_decap_once((const __u8 *)data, (const __u8 *)end, &in))
			break;
	return in;
}

/* la_parse() of the innermost packet. */
LA_INLINE enum la_reason la_parse_inner(const void *data, const void *end, __u32 wire_len,
					enum la_link link, __be16 l3_proto, struct la_key *key,
					struct la_segment *seg)
{
	struct la_inner in = la_decap(data, end, wire_len, link, l3_proto);

	return la_parse_at(data, in.offset, end, in.wire_len, (enum la_link)in.link,
			   la_hton16(in.proto), key, seg);
}

#endif
