/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * checksum.c - the Internet checksum (RFC 1071) of captured packets. See checksum.h.
 *
 *   IPv4 header   its own sum
 *   TCP           pseudo header (addresses, protocol, length), header, payload
 *   ICMP          header and payload; ICMPv6: with a pseudo header as TCP
 *
 * A sum with its checksum in it is all ones. Sums are made in this machine's byte order, which
 * swaps the bytes of all of them alike (RFC 1071 2.B); numbers that are not in the packet are
 * brought into network order first.
 *
 * Sources: RFC 791 3.1, RFC 792, RFC 1071, RFC 4443 2.3, RFC 8200 8.1, RFC 9293 3.1.
 */
#include "checksum.h"
#include "la_decap.h"
#include <string.h>

/* What a transport protocol covers by its checksum, and where that stands. */
struct transport {
	__u8 proto;
	__u8 field; /* offset of the checksum, bytes */
	bool pseudo;
	enum la_reason bad;
};

static const struct transport transports[] = {
	{LA_IP_TCP, 16, true, LA_R_TCP_BAD_CHECKSUM},
	{LA_IP_ICMP, 2, false, LA_R_ICMP_BAD_CHECKSUM},
	{LA_IP_ICMP6, 2, true, LA_R_ICMP_BAD_CHECKSUM},
};

/*
 * Words of 32 bits are summed, since 2^32 is 1 to a one's complement sum of 16 bits. So simple a
 * loop because the compiler takes several of them at once (Makefile).
 */
static __u64 add_bytes(__u64 sum, const __u8 *at, size_t n)
{
	__u16 half = 0, odd = 0;
	__u32 word;

	for (; n >= sizeof(word); at += sizeof(word), n -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		sum += word;
	}
	if (n & 2)
		memcpy(&half, at, sizeof(half));
	if (n & 1)
		memcpy(&odd, at + (n & 2), 1);
	return sum + half + odd;
}

static __u16 fold(__u64 sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)sum;
}

static const struct transport *find_transport(__u8 proto)
{
	for (size_t i = 0; i < sizeof(transports) / sizeof(*transports); i++)
		if (transports[i].proto == proto)
			return &transports[i];
	return NULL;
}

/*
 * The n bytes at h, of which all are at hand; addresses: their sum. A card that segments
 * for its host may want the pseudo header without the length, which it does not know.
 */
static enum la_reason verify_transport(__u8 proto, const __u8 *h, __u32 n, __u64 addresses)
{
	const struct transport *t = find_transport(proto);
	__u64 endless = addresses + la_hton16(proto), pseudo = endless + la_hton32(n);
	__u16 field;

	if (!t || n < t->field + sizeof(field))
		return LA_NO_REASON;
	if (fold(add_bytes(t->pseudo ? pseudo : 0, h, n)) == 0xffff)
		return LA_NO_REASON;
	field = la_load16(h + t->field);
	if (t->pseudo && (field == fold(pseudo) || field == fold(endless)))
		return LA_NO_REASON;
	return t->bad;
}

/* room: bytes that the packet had on the wire from here on, as for la_parse(). */
static enum la_reason verify_ipv4(const struct la_cursor *c, __u32 room)
{
	const __u8 *h = c->pos;
	__u32 hdr, len;

	if (h + LA_IP4_LEN > c->end)
		return LA_NO_REASON;
	hdr = (h[0] & 0x0f) * 4;
	if (h[0] >> 4 != 4 || hdr < LA_IP4_LEN || h + hdr > c->end)
		return LA_NO_REASON;
	if (la_load16(h + 10) && fold(add_bytes(0, h, hdr)) != 0xffff)
		return LA_R_IP_BAD_CHECKSUM;
	len = la_ntoh16(la_load16(h + 2));
	if (!len)
		len = room;
	if (len < hdr || len > (__u32)(c->end - h) || la_load16(h + 6) & la_hton16(0x3fff))
		return LA_NO_REASON;
	return verify_transport(h[9], h + hdr, len - hdr, add_bytes(0, h + 12, 8));
}

/* Takes the extension headers that no address depends on. Returns what follows them. */
static __u8 skip_ip6_exts(struct la_cursor *c, __u8 next)
{
	while ((next == LA_IP_HOPOPTS || next == LA_IP_AH) && c->end - c->pos >= 8) {
		const struct la_ip6_ext ext = la_ip6_ext(next);

		next = c->pos[0];
		c->pos += ((c->pos[1] & ext.mask) + ext.plus) * ext.unit;
		if (c->pos > c->end)
			break;
	}
	return next;
}

static enum la_reason verify_ipv6(const struct la_cursor *c, __u32 room)
{
	const __u8 *h = c->pos, *end;
	struct la_cursor at = {.pos = h + LA_IP6_LEN, .end = c->end};
	__u32 len;
	__u8 next;

	if (at.pos > at.end || h[0] >> 4 != 6)
		return LA_NO_REASON;
	len = LA_IP6_LEN + la_ntoh16(la_load16(h + 4));
	if (len == LA_IP6_LEN)
		len = room;
	if (len > (__u32)(c->end - h))
		return LA_NO_REASON;
	end = h + len;
	next = skip_ip6_exts(&at, h[6]);
	if (at.pos > end)
		return LA_NO_REASON;
	return verify_transport(next, at.pos, (__u32)(end - at.pos), add_bytes(0, h + 8, 32));
}

enum la_reason la_checksum_verify(const struct la_captured *p)
{
	const __u8 *data = p->data, *end = data + p->cap_len;
	struct la_inner in = la_decap(data, end, p->wire_len, p->link, p->l3_proto);
	struct la_cursor c = {.pos = data + in.offset, .end = end};
	__u32 room;

	if (!la_decap_link(&c, &in))
		return LA_NO_REASON;
	room = in.wire_len - (__u32)(c.pos - data - in.offset);
	if (in.proto == LA_ETH_IPV4)
		return verify_ipv4(&c, room);
	return in.proto == LA_ETH_IPV6 ? verify_ipv6(&c, room) : LA_NO_REASON;
}
