/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_segment.h - what the tracker may know of one packet.
 *
 * The parser (la_parse.h) turns bytes into a key and a segment, or into a reason why not.
 * From here on nobody looks at bytes again. All numbers are in host byte order.
 */
#ifndef LA_SEGMENT_H
#define LA_SEGMENT_H

#include "la_key.h"
#include "la_types.h"

/* TCP header flags, byte 13 (RFC 9293 3.1, RFC 3168). */
enum la_tcp_flag {
	LA_FIN = 0x01,
	LA_SYN = 0x02,
	LA_RST = 0x04,
	LA_PSH = 0x08,
	LA_ACK = 0x10,
	LA_URG = 0x20,
	LA_ECE = 0x40,
	LA_CWR = 0x80,
};

/* Which TCP options the segment carried, and that it was cut: la_segment.opts. */
enum la_seg_opt {
	LA_OPT_MSS = 0x01,    /* mss is valid (RFC 9293 3.7.1) */
	LA_OPT_WSCALE = 0x02, /* wscale is valid, at most 14 (RFC 7323 2) */
	LA_OPT_SACK = 0x04,   /* SACK permitted (RFC 2018) */
	LA_OPT_TS = 0x08,     /* tsval and tsecr are valid (RFC 7323 3) */
	LA_OPT_DSACK = 0x20,  /* its first SACK block tells of a duplicate (RFC 2883) */
	LA_OPT_BAD = 0x10,    /* the option list is malformed; what came before it is valid */
	LA_OPT_CUT = 0x40,    /* no option: a snap length has cut the packet, only replay knows */
};

struct la_segment {
	__u64 ts;	/* when it was seen, ns of the caller's clock */
	__u32 seq;	/* SEG.SEQ */
	__u32 ack;	/* SEG.ACK, valid with LA_ACK */
	__u32 len;	/* payload bytes by the IP length; SYN and FIN are not in it */
	__u32 ip_len;	/* bytes of IP packet as the wire carries them, all segments together */
	__u32 tsval;	/* with LA_OPT_TS */
	__u32 tsecr;	/* with LA_OPT_TS */
	__u32 hook;	/* where it was seen: la_hook_id(), 0 when there is one place only */
	__u16 segs;	/* wire segments it stands for (GSO, GRO), at least 1; 0: not known */
	__u16 win;	/* SEG.WND as sent, unscaled */
	__u16 mss;	/* with LA_OPT_MSS */
	__u16 hdr_len;	/* IP and TCP header bytes, to share ip_len out over segments */
	__u8 flags;	/* enum la_tcp_flag */
	__u8 opts;	/* enum la_seg_opt */
	__u8 wscale;	/* with LA_OPT_WSCALE */
	__u8 ttl;	/* TTL or hop limit */
	__u8 dir;	/* index in the key of the endpoint that sent it: 0 or 1 */
	__u8 odd;	/* enum la_reason of flags that no correct stack sends, or 0 */
	__u8 icmp_type; /* 0, or an ICMP error quotes this segment: only seq and dir are known */
	__u8 icmp_code;
	__u8 limited; /* a RST whose source has sent too many that do not fit (la_rst_policy.h) */
	__u8 guarded; /* a RST of a connection that la_guards protect: likewise */
};

/* Names a hook: one direction of one interface. The owner of a direction of a flow. */
LA_INLINE __u32 la_hook_id(__u32 ifindex, bool egress)
{
	return ifindex << 1 | egress;
}

#endif
