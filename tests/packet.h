/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet.h - makes packets for tests: Ethernet, IPv4, IPv6 and TCP from named fields.
 *
 *	struct la_frame f = LA_FRAME(.src = "10.0.0.1", .dst = "10.0.0.2", .sport = 40000,
 *				     .dport = 80, .seq = 1000, .flags = LA_SYN);
 *
 * What is not named has the value that an ordinary packet has, except the TCP header's own
 * fields, which are 0 then. Lengths and checksums are right, so that a kernel would take the
 * packet too; a test that wants them wrong changes f.bytes afterwards, at the offsets that
 * the frame knows, and la_frame_resum() makes the checksums right again. For any test that needs
 *packets; no test framework is used here.
 */
#ifndef LA_TESTS_PACKET_H
#define LA_TESTS_PACKET_H

#include "la_parse.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LA_FRAME_MAX	   16384
#define LA_PACKET_EXTS_MAX 10

/* An IPv6 extension header: its number and its size in bytes (of LA_IP_FRAGMENT always 8). */
struct la_packet_ext {
	__u8 proto;
	__u16 len;
};

struct la_packet {
	bool l3;		  /* no Ethernet header */
	unsigned int vlans;	  /* tags; the outer one of several is 802.1ad */
	const char *src;	  /* default 10.0.0.1; a ':' in it makes the packet IPv6 */
	const char *dst;	  /* default 10.0.0.2, fd00::2 if src is IPv6 */
	__u8 ttl;		  /* default 64 */
	__u8 proto;		  /* default TCP; what follows is a TCP segment all the same */
	unsigned int ip4_options; /* bytes, filled with NOPs: 0 to 40, a multiple of 4 */
	struct la_packet_ext ext[LA_PACKET_EXTS_MAX]; /* IPv6 only, up to the first len 0 */
	unsigned int frag_at;  /* bytes of the IP payload before this fragment: a multiple of 8 */
	unsigned int frag_len; /* bytes of it in this fragment; 0: all the rest */
	bool more_fragments;   /* IPv6: one of these three adds the fragment header */
	__u16 sport;	       /* default 40000 */
	__u16 dport;	       /* default 443 */
	__u32 seq, ack;	       /* host byte order */
	__u8 flags;	       /* enum la_tcp_flag */
	__u16 win;	       /* as sent, unscaled */
	const char *options;   /* TCP options; padded to a multiple of 4 with END */
	unsigned int options_len;
	const void *payload; /* NULL: payload_len bytes of some text */
	unsigned int payload_len;
	unsigned int pad_to; /* bytes of frame that Ethernet padding fills up to */
};

/* A packet as bytes, and where its parts begin. */
struct la_frame {
	size_t len;
	size_t l3;	/* IP header */
	size_t l4;	/* TCP header, or what the fragment has there */
	size_t payload; /* TCP payload */
	size_t end;	/* where Ethernet padding begins */
	__u8 bytes[LA_FRAME_MAX];
};

#define LA_FRAME(...) la_frame_build(&(struct la_packet){__VA_ARGS__})

/* Reserves n zeroed bytes at the end of the frame. */
static inline __u8 *la_frame_put(struct la_frame *f, size_t n)
{
	__u8 *at = f->bytes + f->len;

	if (n > sizeof(f->bytes) - f->len) {
		fprintf(stderr, "packet.h: a frame of more than %d bytes\n", LA_FRAME_MAX);
		abort();
	}
	memset(at, 0, n);
	f->len += n;
	return at;
}

static inline void la_put16(__u8 *at, unsigned int value)
{
	at[0] = (__u8)(value >> 8);
	at[1] = (__u8)value;
}

static inline void la_put32(__u8 *at, __u32 value)
{
	la_put16(at, value >> 16);
	la_put16(at + 2, value & 0xffff);
}

/* RFC 1071: the sum so far and n more bytes. */
static inline __u32 la_sum(__u32 sum, const __u8 *at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum += i & 1 ? at[i] : (__u32)at[i] << 8;
	return sum;
}

static inline __u16 la_sum_fold(__u32 sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)~sum;
}

static inline bool la_packet_is_v6(const struct la_packet *p)
{
	return p->src && strchr(p->src, ':');
}

/* The address as bytes, 4 or 16 of them. */
static inline void la_packet_addr(int family, const char *text, __u8 *to)
{
	if (inet_pton(family, text, to) != 1) {
		fprintf(stderr, "packet.h: %s is no address of that family\n", text);
		abort();
	}
}

static inline void la_put_ether(struct la_frame *f, const struct la_packet *p)
{
	static const __u8 macs[12] = {0x02, 0, 0, 0, 0, 2, 0x02, 0, 0, 0, 0, 1};

	if (p->l3)
		return;
	memcpy(la_frame_put(f, sizeof(macs)), macs, sizeof(macs));
	for (unsigned int i = 0; i < p->vlans; i++) {
		__u8 *tag = la_frame_put(f, LA_VLAN_LEN);

		la_put16(tag, i == 0 && p->vlans > 1 ? LA_ETH_QINQ : LA_ETH_VLAN);
		la_put16(tag + 2, 100 + i);
	}
	la_put16(la_frame_put(f, 2), la_packet_is_v6(p) ? LA_ETH_IPV6 : LA_ETH_IPV4);
}

static inline __u8 la_packet_proto(const struct la_packet *p)
{
	return p->proto ? p->proto : LA_IP_TCP;
}

/* Appends the IPv4 header for n bytes of payload. */
static inline void la_put_ipv4(struct la_frame *f, const struct la_packet *p, size_t n)
{
	unsigned int hdr = LA_IP4_LEN + p->ip4_options;
	__u8 *h = la_frame_put(f, hdr);

	h[0] = (__u8)(0x40 | hdr / 4);
	la_put16(h + 2, (unsigned int)(hdr + n));
	la_put16(h + 4, 0x1234);
	la_put16(h + 6, (p->more_fragments ? 0x2000u : 0) | p->frag_at / 8);
	h[8] = p->ttl ? p->ttl : 64;
	h[9] = la_packet_proto(p);
	la_packet_addr(AF_INET, p->src ? p->src : "10.0.0.1", h + 12);
	la_packet_addr(AF_INET, p->dst ? p->dst : "10.0.0.2", h + 16);
	memset(h + LA_IP4_LEN, 1, p->ip4_options);
	la_put16(h + 10, la_sum_fold(la_sum(0, h, hdr)));
}

static inline bool la_packet_is_fragment(const struct la_packet *p)
{
	return p->frag_at || p->frag_len || p->more_fragments;
}

/* Appends one extension header; next: what follows it. */
static inline void la_put_ip6_ext(struct la_frame *f, struct la_packet_ext ext, __u8 next)
{
	__u8 *h = la_frame_put(f, ext.len);

	h[0] = next;
	if (ext.proto == LA_IP_FRAGMENT)
		return;
	h[1] = (__u8)(ext.proto == LA_IP_AH ? ext.len / 4 - 2 : ext.len / 8 - 1);
	if (ext.proto != LA_IP_HOPOPTS && ext.proto != LA_IP_DSTOPTS)
		return;
	for (int i = 2; i < ext.len;) { /* PadN, RFC 8200 4.2: at most 2 + 255 bytes each */
		int n = ext.len - i < 257 ? ext.len - i : 257;

		if (n > 1) {
			h[i] = 1;
			h[i + 1] = (__u8)(n - 2);
		}
		i += n;
	}
}

/* Appends the IPv6 header and its extension headers for n bytes of payload. */
static inline void la_put_ipv6(struct la_frame *f, const struct la_packet *p, size_t n)
{
	struct la_packet_ext ext[LA_PACKET_EXTS_MAX + 1];
	int exts = 0;
	__u8 *h;

	while (exts < LA_PACKET_EXTS_MAX && p->ext[exts].len) {
		ext[exts] = p->ext[exts];
		n += ext[exts++].len;
	}
	if (la_packet_is_fragment(p)) {
		ext[exts++] = (struct la_packet_ext){LA_IP_FRAGMENT, 8};
		n += 8;
	}
	h = la_frame_put(f, LA_IP6_LEN);
	h[0] = 0x60;
	la_put16(h + 4, (unsigned int)n);
	h[6] = exts ? ext[0].proto : la_packet_proto(p);
	h[7] = p->ttl ? p->ttl : 64;
	la_packet_addr(AF_INET6, p->src, h + 8);
	la_packet_addr(AF_INET6, p->dst ? p->dst : "fd00::2", h + 24);
	for (int i = 0; i < exts; i++)
		la_put_ip6_ext(f, ext[i], i + 1 < exts ? ext[i + 1].proto : la_packet_proto(p));
	if (la_packet_is_fragment(p))
		la_put16(f->bytes + f->len - 6, p->frag_at | p->more_fragments);
}

/* The sum of the pseudo header (RFC 9293 3.1) for a segment of n bytes. */
static inline __u32 la_pseudo_sum(const struct la_packet *p, const __u8 *ip, size_t n)
{
	__u32 sum = (__u32)n + la_packet_proto(p);

	return la_packet_is_v6(p) ? la_sum(sum, ip + 8, 32) : la_sum(sum, ip + 12, 8);
}

/* Appends the whole TCP segment, its checksum still 0. Returns its size, bytes. */
static inline size_t la_put_tcp(struct la_frame *f, const struct la_packet *p)
{
	static const char text[] = "the quick brown fox jumps over the lazy dog. ";
	unsigned int hdr = LA_TCP_LEN + (p->options_len + 3) / 4 * 4;
	__u8 *h = la_frame_put(f, hdr), *data;

	la_put16(h, p->sport ? p->sport : 40000);
	la_put16(h + 2, p->dport ? p->dport : 443);
	la_put32(h + 4, p->seq);
	la_put32(h + 8, p->ack);
	h[12] = (__u8)(hdr / 4 << 4);
	h[13] = p->flags;
	la_put16(h + 14, p->win);
	if (p->options_len)
		memcpy(h + LA_TCP_LEN, p->options, p->options_len);
	data = la_frame_put(f, p->payload_len);
	if (p->payload && p->payload_len)
		memcpy(data, p->payload, p->payload_len);
	for (unsigned int i = 0; !p->payload && i < p->payload_len; i++)
		data[i] = (__u8)text[i % (sizeof(text) - 1)];
	return hdr + p->payload_len;
}

/* Appends padding that a parser must not take for data. */
static inline void la_put_padding(struct la_frame *f, const struct la_packet *p)
{
	size_t n = p->pad_to > f->len ? p->pad_to - f->len : 0;

	memset(la_frame_put(f, n), 0xee, n);
}

static inline struct la_frame la_frame_build(const struct la_packet *p)
{
	struct la_frame f = {0}, segment = {0};
	size_t whole = la_put_tcp(&segment, p);
	size_t left = whole > p->frag_at ? whole - p->frag_at : 0;
	size_t n = p->frag_len && p->frag_len < left ? p->frag_len : left;
	__u32 sum;

	la_put_ether(&f, p);
	f.l3 = f.len;
	if (la_packet_is_v6(p))
		la_put_ipv6(&f, p, n);
	else
		la_put_ipv4(&f, p, n);
	f.l4 = f.len;
	f.payload = f.l4 + (whole - p->payload_len);
	sum = la_sum(la_pseudo_sum(p, f.bytes + f.l3, whole), segment.bytes, whole);
	la_put16(segment.bytes + 16, la_sum_fold(sum));
	memcpy(la_frame_put(&f, n), segment.bytes + p->frag_at, n);
	f.end = f.len;
	la_put_padding(&f, p);
	return f;
}

/* The folded sum of the pseudo header of an unfragmented frame. */
static inline __u16 la_frame_pseudo(const struct la_frame *f)
{
	const __u8 *ip = f->bytes + f->l3;
	__u32 sum = (__u32)(f->end - f->l4) + LA_IP_TCP;

	return (__u16)~la_sum_fold(ip[0] >> 4 == 6 ? la_sum(sum, ip + 8, 32)
						   : la_sum(sum, ip + 12, 8));
}

/* Both checksums of an unfragmented frame of which bytes were changed. */
static inline void la_frame_resum(struct la_frame *f)
{
	__u8 *ip = f->bytes + f->l3, *tcp = f->bytes + f->l4;

	if (ip[0] >> 4 != 6) {
		la_put16(ip + 10, 0);
		la_put16(ip + 10, la_sum_fold(la_sum(0, ip, f->l4 - f->l3)));
	}
	la_put16(tcp + 16, 0);
	la_put16(tcp + 16, la_sum_fold(la_sum(la_frame_pseudo(f), tcp, f->end - f->l4)));
}

#endif
