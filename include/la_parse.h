/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_parse.h - bytes -> key + segment, or the reason why not.
 *
 * frame: Ethernet [802.1ad] [802.1Q] | nothing
 * packet: IPv4 [options] | IPv6 [extension headers]
 * segment: TCP [options]
 *
 * A cursor walks from header to header. Each step checks its bounds first, then reads, then
 * moves the cursor; it returns LA_NO_REASON to go on, or the reason that ends the walk. Only
 * la_parse() is for callers; nobody else looks at the bytes of a packet.
 *
 * Lengths come from the IP header, never from the frame: Ethernet pads short frames. The
 * frame only bounds them, by wire_len, which may exceed the bytes at hand (a capture cut by
 * its snap length, a non-linear skb, a multi-buffer XDP frame).
 *
 * Sources: RFC 791, RFC 8200 (and 4302, 2675), RFC 9293 3.1, RFC 7323, RFC 2018.
 */
#ifndef LA_PARSE_H
#define LA_PARSE_H

#include "la_key.h"
#include "la_names.h"
#include "la_segment.h"
#include "la_types.h"

/* What the first byte of a packet belongs to. */
enum la_link {
	LA_LINK_ETHER = 1, /* an Ethernet header */
	LA_LINK_L3,	   /* an IP header: tun, wireguard, raw captures */
};

/* EtherTypes, host byte order (IEEE 802.3, 802.1Q, 802.1ad). */
enum la_ethertype {
	LA_ETH_IPV4 = 0x0800,
	LA_ETH_VLAN = 0x8100,
	LA_ETH_IPV6 = 0x86dd,
	LA_ETH_QINQ = 0x88a8,
};

/* IP protocol and next header numbers (IANA). */
enum la_ip_proto {
	LA_IP_HOPOPTS = 0,
	LA_IP_ICMP = 1,
	LA_IP_TCP = 6,
	LA_IP_ROUTING = 43,
	LA_IP_FRAGMENT = 44,
	LA_IP_AH = 51,
	LA_IP_ICMP6 = 58,
	LA_IP_DSTOPTS = 60,
};

/* TCP option kinds (IANA). */
enum la_opt_kind {
	LA_KIND_END = 0,
	LA_KIND_NOP = 1,
	LA_KIND_MSS = 2,
	LA_KIND_WSCALE = 3,
	LA_KIND_SACK = 4,
	LA_KIND_SACKED = 5,
	LA_KIND_TS = 8,
};

#define LA_ETH_LEN	 14
#define LA_VLAN_LEN	 4
#define LA_VLAN_TAGS_MAX 2
#define LA_IP4_LEN	 20
#define LA_IP6_LEN	 40
#define LA_IP6_EXT_MAX	 8
#define LA_TCP_LEN	 20
#define LA_TCP_OPTS_MAX	 40
#define LA_WSCALE_MAX	 14 /* RFC 7323 2.3: a larger shift count means 14 */

/*
 * An IP length of zero is how a super-packet (TSO, BIG TCP) says "ask the buffer". One that
 * every host must take in one piece (RFC 1122 3.3.2) has no need to, and its frame may be
 * padded: there a zero is only a wrong length, which no receiver would accept.
 */
#define LA_SUPER_PACKET_MIN 577

/* The bytes that are left. Checks are written `pos + n > end`, as the BPF verifier wants. */
struct la_cursor {
	const __u8 *pos;
	const __u8 *end;
};

/*
 * Keeps the compiler from holding key and seg in registers across all the ways out of
 * la_parse(): on most of them they are not filled, and the BPF verifier does not allow even
 * the copying of a register that nobody wrote.
 */
LA_INLINE void la_keep_in_memory(const struct la_key *key, const struct la_segment *seg)
{
	__asm__ volatile("" : : "r"(key), "r"(seg) : "memory");
}

/*
 * The cursor's distance from data, bytes. As BPF it also makes the verifier forget how the
 * cursor came there, so that it walks the rest once, not once for every chain of headers.
 */
LA_INLINE __u32 la_cursor_rebase(struct la_cursor *c, const __u8 *data)
{
	__u64 at;

#ifdef __bpf__
	__asm__ volatile("" : "+r"(c->pos));
#endif
	at = (__u64)(c->pos - data) & 0x7fff;
	c->pos = data + at;
	return (__u32)at;
}

/*
 * Loads from a packet, network byte order, any alignment. As BPF they are plain loads, which
 * the verifier allows; a copy of unknown alignment would be made byte by byte.
 */
#ifdef __bpf__
#define LA_DEFINE_LOAD(name, type)                                                                 \
	LA_INLINE type name(const __u8 *at)                                                        \
	{                                                                                          \
		return *(const type *)at;                                                          \
	}
#else
#define LA_DEFINE_LOAD(name, type)                                                                 \
	LA_INLINE type name(const __u8 *at)                                                        \
	{                                                                                          \
		type value;                                                                        \
		__builtin_memcpy(&value, at, sizeof(value));                                       \
		return value;                                                                      \
	}
#endif
LA_DEFINE_LOAD(la_load16, __u16)
LA_DEFINE_LOAD(la_load32, __u32)
LA_DEFINE_LOAD(la_load64, __u64)

/* Numbers in places so odd that not every machine could load them whole; host byte order. */
LA_INLINE __u16 la_bytes16(const __u8 *at)
{
	return (__u16)(at[0] << 8 | at[1]);
}

LA_INLINE __u32 la_bytes32(const __u8 *at)
{
	return (__u32)la_bytes16(at) << 16 | la_bytes16(at + 2);
}

/* Takes the Ethernet header; *proto becomes its EtherType, host byte order. */
LA_INLINE enum la_reason la_next_ether(struct la_cursor *c, __u16 *proto)
{
	if (c->pos + LA_ETH_LEN > c->end)
		return LA_R_L2_TRUNCATED;
	*proto = la_ntoh16(la_load16(c->pos + 12));
	c->pos += LA_ETH_LEN;
	return LA_NO_REASON;
}

LA_INLINE bool la_is_vlan(__u16 proto)
{
	return proto == LA_ETH_VLAN || proto == LA_ETH_QINQ;
}

/* Takes the in-band VLAN tags (offloaded ones are not in the bytes); *proto as above. */
LA_INLINE enum la_reason la_next_vlan(struct la_cursor *c, __u16 *proto)
{
	for (int i = 0; i < LA_VLAN_TAGS_MAX && la_is_vlan(*proto); i++) {
		if (c->pos + LA_VLAN_LEN > c->end)
			return LA_R_L2_TRUNCATED;
		*proto = la_ntoh16(la_load16(c->pos + 2));
		c->pos += LA_VLAN_LEN;
	}
	return la_is_vlan(*proto) ? LA_R_VLAN_DEPTH : LA_NO_REASON;
}

/* The EtherType of a packet that comes without one, by its version; 0: neither IP. */
LA_INLINE enum la_reason la_guess_l3(const struct la_cursor *c, __u16 *proto)
{
	if (c->pos + 1 > c->end)
		return LA_R_IP_TRUNCATED;
	switch (c->pos[0] >> 4) {
	case 4:
		*proto = LA_ETH_IPV4;
		return LA_NO_REASON;
	case 6:
		*proto = LA_ETH_IPV6;
		return LA_NO_REASON;
	default:
		return LA_R_NOT_IP;
	}
}

/*
 * Takes an IPv4 header with its options (RFC 791 3.1). room: bytes of the frame from here on.
 * Of a fragmented packet only the first fragment goes on, with the length of the fragment.
 */
LA_INLINE enum la_reason la_next_ipv4(struct la_cursor *c, __u32 room, struct la_key *key,
				      struct la_segment *seg)
{
	const __u8 *h = c->pos;
	__u32 hdr, len;

	if (h + LA_IP4_LEN > c->end)
		return LA_R_IP_TRUNCATED;
	hdr = (h[0] & 0x0f) * 4;
	if (h[0] >> 4 != 4 || hdr < LA_IP4_LEN)
		return LA_R_IP_BAD_HEADER;
	if (h + hdr > c->end)
		return LA_R_IP_TRUNCATED;
	len = la_ntoh16(la_load16(h + 2));
	if (len == 0 && room >= LA_SUPER_PACKET_MIN)
		len = room;
	if (len > room)
		return LA_R_IP_BAD_LENGTH;
	if (h[9] != LA_IP_TCP && h[9] != LA_IP_ICMP)
		return LA_R_NOT_TCP;
	if (la_load16(h + 6) & la_hton16(0x1fff))
		return LA_R_FRAGMENT;
	la_addr_map_v4(key->addr[0], la_load32(h + 12));
	la_addr_map_v4(key->addr[1], la_load32(h + 16));
	seg->ip_len = len;
	seg->hdr_len = (__u16)hdr;
	seg->ttl = h[8];
	c->pos += hdr;
	return h[9] == LA_IP_TCP ? LA_NO_REASON : LA_R_ICMP;
}

/* How to step over an IPv6 extension header: ((length byte & mask) + plus) * unit bytes. */
struct la_ip6_ext {
	__u8 unit; /* 0: not an extension header that can be stepped over */
	__u8 mask;
	__u8 plus;
	__u16 offset; /* mask, network byte order, of the fragment offset in bytes 2-3 */
};

/* A table, so that the verifier walks one path over any chain instead of one path per chain. */
LA_INLINE struct la_ip6_ext la_ip6_ext(__u8 next)
{
	static const struct la_ip6_ext exts[256] = {
		/* RFC 8200 4.3, 4.4, 4.6: in units of 8 bytes, without the first 8 */
		[LA_IP_HOPOPTS] = {.unit = 8, .mask = 0xff, .plus = 1},
		[LA_IP_ROUTING] = {.unit = 8, .mask = 0xff, .plus = 1},
		[LA_IP_DSTOPTS] = {.unit = 8, .mask = 0xff, .plus = 1},
		/* RFC 8200 4.5: always 8 bytes, the second byte is reserved */
		[LA_IP_FRAGMENT] = {.unit = 8, .plus = 1, .offset = la_hton16(0xfff8)},
		/* RFC 4302 2.2: in units of 4 bytes, without the first 8 */
		[LA_IP_AH] = {.unit = 4, .mask = 0xff, .plus = 2},
	};

	return exts[next];
}

/*
 * Takes the IPv6 extension headers up to the TCP header. seg->hdr_len grows with them.
 * Anything that hides the TCP header (ESP, a later fragment) or is not known ends the walk.
 */
LA_INLINE enum la_reason la_next_ip6_exts(struct la_cursor *c, __u8 next, struct la_segment *seg)
{
	for (int i = 0; i < LA_IP6_EXT_MAX; i++) {
		const struct la_ip6_ext ext = la_ip6_ext(next);
		const __u8 *h = c->pos;
		__u32 len;

		if (!ext.unit)
			break;
		if (h + 8 > c->end)
			return LA_R_IP_TRUNCATED;
		next = h[0];
		if (la_load16(h + 2) & ext.offset)
			return next == LA_IP_TCP || la_ip6_ext(next).unit ? LA_R_FRAGMENT
									  : LA_R_NOT_TCP;
		/* At most 2048; the mask tells the verifier. */
		len = (((h[1] & ext.mask) + ext.plus) * ext.unit) & 0xfff;
		seg->hdr_len = (__u16)(seg->hdr_len + len);
		c->pos += len;
	}
	if (la_ip6_ext(next).unit)
		return LA_R_IP6_EXT_DEPTH;
	if (next == LA_IP_ICMP6)
		return LA_R_ICMP;
	return next == LA_IP_TCP ? LA_NO_REASON : LA_R_NOT_TCP;
}

/*
 * Takes an IPv6 header and what stands between it and TCP (RFC 8200 3, 4). room as above.
 * A payload length of zero is that of a jumbogram (RFC 2675) or of a super-packet.
 */
LA_INLINE enum la_reason la_next_ipv6(struct la_cursor *c, __u32 room, struct la_key *key,
				      struct la_segment *seg)
{
	la_word64 *addr = (la_word64 *)key->addr;
	const __u8 *h = c->pos;
	__u32 len;

	if (h + LA_IP6_LEN > c->end)
		return LA_R_IP_TRUNCATED;
	if (h[0] >> 4 != 6)
		return LA_R_IP_BAD_HEADER;
	len = LA_IP6_LEN + la_ntoh16(la_load16(h + 4));
	if (len == LA_IP6_LEN && room >= LA_SUPER_PACKET_MIN)
		len = room;
	if (len > room)
		return LA_R_IP_BAD_LENGTH;
	addr[0] = la_load64(h + 8);
	addr[1] = la_load64(h + 16);
	addr[2] = la_load64(h + 24);
	addr[3] = la_load64(h + 32);
	seg->ip_len = len;
	seg->hdr_len = LA_IP6_LEN;
	seg->ttl = h[7];
	c->pos += LA_IP6_LEN;
	return la_next_ip6_exts(c, h[6], seg);
}

/*
 * Flags that no correct stack sends together (RFC 9293 3.10): everything but the first SYN
 * and a RST in answer to one carries an ACK. PSH, URG, ECE and CWR may come with anything.
 */
LA_INLINE enum la_reason la_flags_reason(__u8 flags)
{
	static const __u8 reasons[] = {
		[0] = LA_R_FLAGS_NO_ACK, /* only PSH, URG, ECE or CWR */
		[LA_FIN] = LA_R_FLAGS_NO_ACK,
		[LA_SYN] = LA_R_ACCEPTED,
		[LA_SYN | LA_FIN] = LA_R_FLAGS_SYN_FIN,
		[LA_RST] = LA_R_ACCEPTED,
		[LA_RST | LA_FIN] = LA_R_FLAGS_FIN_RST,
		[LA_RST | LA_SYN] = LA_R_FLAGS_SYN_RST,
		[LA_RST | LA_SYN | LA_FIN] = LA_R_FLAGS_SYN_FIN,
		[LA_ACK] = LA_R_ACCEPTED,
		[LA_ACK | LA_FIN] = LA_R_ACCEPTED,
		[LA_ACK | LA_SYN] = LA_R_ACCEPTED,
		[LA_ACK | LA_SYN | LA_FIN] = LA_R_FLAGS_SYN_FIN,
		[LA_ACK | LA_RST] = LA_R_ACCEPTED,
		[LA_ACK | LA_RST | LA_FIN] = LA_R_FLAGS_FIN_RST,
		[LA_ACK | LA_RST | LA_SYN] = LA_R_FLAGS_SYN_RST,
		[LA_ACK | LA_RST | LA_SYN | LA_FIN] = LA_R_FLAGS_SYN_FIN,
	};

	if (!flags)
		return LA_R_FLAGS_NULL;
	return reasons[flags & (LA_FIN | LA_SYN | LA_RST | LA_ACK)];
}

/* What the option list of a SYN makes of an option kind. */
struct la_opt_rule {
	__u8 single; /* mask: 0xff for the kind that has no length byte */
	__u8 want;   /* the only right length, bytes */
	__u8 strict; /* mask: 0xff if want counts */
	__u8 opt;    /* enum la_seg_opt that it sets */
	__u8 slot;   /* shift in la_syn_options()'s `found`; slot 0 is nobody's */
};

/* A table for the verifier's sake again: see la_ip6_ext(). */
LA_INLINE struct la_opt_rule la_opt_rule(__u8 kind)
{
	static const struct la_opt_rule rules[256] = {
		[LA_KIND_NOP] = {.single = 0xff},
		[LA_KIND_MSS] = {.want = 4, .strict = 0xff, .opt = LA_OPT_MSS, .slot = 8},
		[LA_KIND_WSCALE] = {.want = 3, .strict = 0xff, .opt = LA_OPT_WSCALE, .slot = 16},
		[LA_KIND_SACK] = {.want = 2, .strict = 0xff, .opt = LA_OPT_SACK},
		[LA_KIND_TS] = {.want = 10, .strict = 0xff, .opt = LA_OPT_TS, .slot = 24},
	};

	return rules[kind];
}

/* Reads what la_syn_options() found: the offsets of the values, a byte each; 0: none. */
LA_INLINE void la_read_found(const __u8 *o, const __u8 *end, __u32 found, struct la_segment *seg)
{
	__u32 mss = found >> 8 & 63, wscale = found >> 16 & 63, ts = found >> 24 & 63;

	if (mss && o + mss + 2 <= end)
		seg->mss = la_bytes16(o + mss);
	if (wscale && o + wscale + 1 <= end)
		seg->wscale = o[wscale] > LA_WSCALE_MAX ? LA_WSCALE_MAX : o[wscale];
	if (ts && o + ts + 8 <= end) {
		seg->tsval = la_bytes32(o + ts);
		seg->tsecr = la_bytes32(o + ts + 4);
	}
}

/*
 * Reads the whole option list of a SYN: len bytes at o, at most LA_TCP_OPTS_MAX (RFC 9293
 * 3.1). What is malformed ends the list; what came before it stays valid. Of an option that
 * comes twice the last one counts. The loop has one path for every kind.
 */
LA_INLINE void la_syn_options(const __u8 *o, const __u8 *end, __u32 len, struct la_segment *seg)
{
	__u32 found = 0, at = 0;
	__u8 opts = 0;

	for (int i = 0; i < LA_TCP_OPTS_MAX && at < len; i++) {
		const __u8 *p = o + at;
		struct la_opt_rule rule;
		__u32 n;

		if (p + 1 > end || *p == LA_KIND_END)
			break;
		rule = la_opt_rule(*p);
		if (p + 2 > end) {
			opts |= LA_OPT_BAD & ~rule.single;
			break;
		}
		n = (p[1] & ~rule.single) + (rule.single & 1);
		if (n + (rule.single & 1) < 2 || ((n ^ rule.want) & rule.strict) || at + n > len) {
			opts |= LA_OPT_BAD;
			break;
		}
		opts |= rule.opt;
		found = (found & ~(0xffu << rule.slot)) | (at + 2) << rule.slot;
		at += n;
	}
	la_read_found(o, end, found, seg);
	seg->opts = opts;
}

/*
 * Does the list at o, len bytes, after two NOPs, say that something came twice? RFC 2883 4:
 * then the first block lies below the ACK or within the second block.
 */
LA_INLINE __u8 la_dsack_option(const __u8 *o, const __u8 *end, __u32 len, __u32 ack)
{
	__u32 lo, hi;

	if (len < 12 || o + 12 > end || la_load16(o) != 0x0101 || o[2] != LA_KIND_SACKED)
		return 0;
	lo = la_ntoh32(la_load32(o + 4));
	hi = la_ntoh32(la_load32(o + 8));
	if ((__s32)(hi - ack) <= 0)
		return LA_OPT_DSACK;
	if (o[3] < 18 || len < 20 || o + 20 > end)
		return 0;
	return (__s32)(lo - la_ntoh32(la_load32(o + 12))) >= 0 &&
			       (__s32)(la_ntoh32(la_load32(o + 16)) - hi) >= 0
		       ? LA_OPT_DSACK
		       : 0;
}

/*
 * Finds the timestamps of a segment that is not a SYN where stacks put them: after two NOPs
 * (RFC 7323 appendix A), or else first in the list; SACK blocks after them, or where there
 * are no timestamps in their place. len: option bytes at o.
 */
LA_INLINE void la_data_options(const __u8 *o, const __u8 *end, __u32 len, struct la_segment *seg)
{
	if (len < 12 || o + 12 > end)
		return;
	if (la_load32(o) == la_hton32(0x0101080a)) {
		seg->tsval = la_ntoh32(la_load32(o + 4));
		seg->tsecr = la_ntoh32(la_load32(o + 8));
		seg->opts = LA_OPT_TS | la_dsack_option(o + 12, end, len - 12, seg->ack);
	} else if (la_load16(o) == la_hton16(0x080a)) {
		seg->tsval = la_bytes32(o + 2);
		seg->tsecr = la_bytes32(o + 6);
		seg->opts = LA_OPT_TS;
	} else {
		seg->opts = la_dsack_option(o, end, len, seg->ack);
	}
}

/* Fills seg from the fixed TCP header at h; hlen: bytes of it with options. */
LA_INLINE void la_fill_segment(const __u8 *h, __u32 hlen, struct la_segment *seg)
{
	seg->seq = la_ntoh32(la_load32(h + 4));
	seg->ack = la_ntoh32(la_load32(h + 8));
	seg->len = seg->ip_len - seg->hdr_len - hlen;
	seg->tsval = 0;
	seg->tsecr = 0;
	seg->segs = 1;
	seg->win = la_ntoh16(la_load16(h + 14));
	seg->mss = 0;
	seg->hdr_len = (__u16)(seg->hdr_len + hlen);
	seg->flags = h[13];
	seg->opts = 0;
	seg->wscale = 0;
	seg->odd = 0;
	seg->icmp_type = 0;
	seg->icmp_code = 0;
}

/*
 * Reads the TCP header (RFC 9293 3.1) at the cursor. Finds the addresses of source and
 * destination in key, in this order, and the IP header's part in seg.
 */
LA_INLINE enum la_reason la_read_tcp(const struct la_cursor *c, struct la_key *key,
				     struct la_segment *seg)
{
	const __u8 *h = c->pos;
	__u32 room, hlen;
	enum la_reason reason;

	if (seg->hdr_len > seg->ip_len) /* also what a length of zero means in a small packet */
		return LA_R_IP_BAD_LENGTH;
	room = seg->ip_len - seg->hdr_len;
	if (h + LA_TCP_LEN > c->end || room < LA_TCP_LEN)
		return LA_R_TCP_TRUNCATED;
	hlen = (h[12] >> 4) * 4;
	if (hlen < LA_TCP_LEN || hlen > room)
		return LA_R_TCP_BAD_OFFSET;
	la_fill_segment(h, hlen, seg);
	seg->dir = la_key_finish(key, la_load16(h), la_load16(h + 2));
	reason = la_flags_reason(seg->flags);
	seg->odd = reason == LA_R_ACCEPTED ? 0 : reason;
	if (seg->flags & LA_SYN)
		la_syn_options(h + LA_TCP_LEN, c->end, hlen - LA_TCP_LEN, seg);
	else
		la_data_options(h + LA_TCP_LEN, c->end, hlen - LA_TCP_LEN, seg);
	if (h + hlen > c->end)
		seg->opts |= LA_OPT_BAD; /* the snap length cut options off */
	return reason;
}

/*
 * la_parse() of the packet that begins at offset, which is a packet in another one: to the BPF
 * verifier all is counted from data. wire_len: from offset on.
 */
LA_INLINE enum la_reason la_parse_at(const void *data, __u32 offset, const void *end,
				     __u32 wire_len, enum la_link link, __be16 l3_proto,
				     struct la_key *key, struct la_segment *seg)
{
	struct la_cursor c = {.pos = (const __u8 *)data + offset, .end = (const __u8 *)end};
	enum la_reason reason = LA_NO_REASON;
	__u16 proto = la_ntoh16(l3_proto);
	__u32 l2_len, l4_off;

	la_keep_in_memory(key, seg);
	seg->segs = 0;
	seg->odd = 0;
	if (link == LA_LINK_ETHER)
		reason = la_next_ether(&c, &proto);
	else if (!proto)
		reason = la_guess_l3(&c, &proto);
	if (!reason)
		reason = la_next_vlan(&c, &proto);
	if (reason)
		return reason;
	l2_len = la_cursor_rebase(&c, data) - offset;
	if (l2_len > wire_len)
		return LA_R_L2_TRUNCATED;
	if (proto == LA_ETH_IPV4)
		reason = la_next_ipv4(&c, wire_len - l2_len, key, seg);
	else if (proto == LA_ETH_IPV6)
		reason = la_next_ipv6(&c, wire_len - l2_len, key, seg);
	else
		reason = LA_R_NOT_IP;
	if (reason && reason != LA_R_ICMP)
		return reason;
	l4_off = la_cursor_rebase(&c, data);
	if (reason) {
		seg->len = l4_off;
		return reason;
	}
	return la_read_tcp(&c, key, seg);
}

/*
 * Parses the packet in [data, end).
 * wire_len: bytes that the packet had on the wire or has in the buffer, from data on; may
 *   exceed end - data.
 * link: what starts at data. l3_proto: for LA_LINK_L3 the EtherType, network byte order, or
 *   0 to go by the IP version; not used for LA_LINK_ETHER.
 * Returns LA_R_ACCEPTED, and key and seg are filled, except seg->ts and seg->hook, which
 * belong to the caller; seg->segs is 1, a caller that knows better corrects it. Otherwise the
 * reason why not. Then seg->segs is 0 and the rest of key and seg is garbage, but with
 * LA_R_FLAGS_* seg->segs is 1, seg->odd is that reason, and key and seg are filled too. Options
 * that are not at hand (a capture cut by its snap length) are no error, but LA_OPT_BAD.
 * With LA_R_ICMP key holds the addresses of source and destination, and seg->len the bytes
 * from data to the ICMP message: la_parse_icmp() goes on from there.
 * With LA_R_*_TRUNCATED and wire_len > end - data, a caller who can bring more bytes to hand
 * should, and try again.
 */
LA_INLINE enum la_reason la_parse(const void *data, const void *end, __u32 wire_len,
				  enum la_link link, __be16 l3_proto, struct la_key *key,
				  struct la_segment *seg)
{
	return la_parse_at(data, 0, end, wire_len, link, l3_proto, key, seg);
}

#endif
