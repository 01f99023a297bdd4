/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_icmp.h - from an ICMP or ICMPv6 error to the connection whose segment it quotes.
 *
 * RFC 792, RFC 4443: an error carries the IP header of the packet that caused it and at least
 * eight bytes more: of a TCP segment both ports and the sequence number. The result is a
 * segment like any other, as if the sender of the quoted one spoke: `icmp_type` is set, seq
 * is the quoted number, and it has no flags. la_on_icmp.h makes sense of it.
 *
 * Only what la_parse() has found to be ICMP comes here. For the same callers.
 */
#ifndef LA_ICMP_H
#define LA_ICMP_H

#include "la_parse.h"

#define LA_ICMP_LEN	8 /* bytes before the quoted packet, in both families */
#define LA_ICMP_TCP_LEN 8 /* bytes of the quoted TCP header that are certain: RFC 792 */

/*
 * Takes the quoted IPv4 header at h; returns where TCP starts, or NULL. A later fragment has
 * no ports to tell.
 */
LA_INLINE const __u8 *la_quoted_ipv4(const __u8 *h, const __u8 *end, struct la_key *key)
{
	__u32 hdr;

	if (h + LA_IP4_LEN > end)
		return NULL;
	hdr = (h[0] & 0x0f) * 4;
	if (h[0] >> 4 != 4 || hdr < LA_IP4_LEN || h[9] != LA_IP_TCP ||
	    (la_load16(h + 6) & la_hton16(0x1fff)))
		return NULL;
	la_addr_map_v4(key->addr[0], la_load32(h + 12));
	la_addr_map_v4(key->addr[1], la_load32(h + 16));
	return h + hdr;
}

/* The same of IPv6. A segment behind extension headers is not looked for. */
LA_INLINE const __u8 *la_quoted_ipv6(const __u8 *h, const __u8 *end, struct la_key *key)
{
	la_word64 *addr = (la_word64 *)key->addr;

	if (h + LA_IP6_LEN > end || h[0] >> 4 != 6 || h[6] != LA_IP_TCP)
		return NULL;
	addr[0] = la_load64(h + 8);
	addr[1] = la_load64(h + 16);
	addr[2] = la_load64(h + 24);
	addr[3] = la_load64(h + 32);
	return h + LA_IP6_LEN;
}

/*
 * Reads the ICMP message of the packet in [data, end), of which la_parse() said LA_R_ICMP and
 * left key and seg. Returns LA_R_ACCEPTED, and key and seg are filled as la_parse() fills
 * them, with the sender of the quoted segment as the sender; or LA_R_ICMP: it is no error, or
 * quotes no TCP segment, or not enough of it.
 */
LA_INLINE enum la_reason la_parse_icmp(const void *data, const void *end, struct la_key *key,
				       struct la_segment *seg)
{
	const __u8 *h = (const __u8 *)data + (seg->len & 0x7fff), *e = (const __u8 *)end, *tcp;
	bool v4 = la_key_is_v4(key);
	__u8 type, code;

	if (h + LA_ICMP_LEN > e)
		return LA_R_ICMP;
	type = h[0];
	code = h[1];
	if (!la_icmp_kind(v4, type, code))
		return LA_R_ICMP;
	h += LA_ICMP_LEN;
	tcp = v4 ? la_quoted_ipv4(h, e, key) : la_quoted_ipv6(h, e, key);
	if (!tcp || tcp + LA_ICMP_TCP_LEN > e)
		return LA_R_ICMP;
	__builtin_memset(seg, 0, sizeof(*seg));
	seg->seq = la_ntoh32(la_load32(tcp + 4));
	seg->icmp_type = type;
	seg->icmp_code = code;
	seg->segs = 1;
	seg->dir = la_key_finish(key, la_load16(tcp), la_load16(tcp + 2));
	return LA_R_ACCEPTED;
}

#endif
