/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_parse.c - any bytes through la_parse(), under the sanitizers. It starts from good
 * packets now and then, so that even a short run gets past the first header.
 *
 * The first two bytes of the input choose the link, the protocol that the link names and how
 * many bytes the packet claims to have had on the wire; the rest is the packet. Whatever the
 * parser accepts is checked against the bytes by another way than the parser's own, and so is
 * what la_checksum_verify() says of it, and what la_parse_icmp() finds in an ICMP message.
 */
#include "../icmp.h"
#include "checksum.h"
#include "la_icmp.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct input {
	const __u8 *data;
	size_t size;
	__u32 wire;
	enum la_link link;
	__be16 proto;
};

struct seen {
	enum la_reason reason;
	struct la_key key;
	struct la_segment seg;
};

/* Ends the fuzzer, which then keeps the input, unless it holds. */
static void must(bool holds)
{
	if (!holds)
		abort();
}

/* Parses the first n bytes, in a buffer of just that size. */
static struct seen look(const struct input *in, size_t n)
{
	struct seen s;
	__u8 *copy = malloc(n ? n : 1);

	must(copy);
	memset(&s, 0, sizeof(s));
	memcpy(copy, in->data, n);
	s.reason = la_parse(copy, copy + n, in->wire, in->link, in->proto, &s.key, &s.seg);
	if (s.reason == LA_R_ICMP)
		s.reason = la_parse_icmp(copy, copy + n, &s.key, &s.seg);
	free(copy);
	return s;
}

/* Where the IP header begins: tags counted from the front. */
static size_t ip_at(const struct input *in)
{
	size_t at = in->link == LA_LINK_ETHER ? 14 : 0;
	size_t tag = at - 2; /* of the EtherType before it */

	if (in->link == LA_LINK_L3) {
		if (in->proto != la_hton16(0x8100) && in->proto != la_hton16(0x88a8))
			return 0;
		at = 4;
		tag = 2;
	}
	while ((in->data[tag] == 0x81 && in->data[tag + 1] == 0x00) ||
	       (in->data[tag] == 0x88 && in->data[tag + 1] == 0xa8)) {
		tag += 4;
		at += 4;
	}
	return at;
}

/* Where the TCP header begins: extension headers, told apart one by one (RFC 8200, RFC 4302). */
static size_t tcp_at(const struct input *in, size_t ip)
{
	const __u8 *d = in->data;
	size_t at = ip + 40;

	if (d[ip] >> 4 == 4)
		return ip + (d[ip] & 15) * 4u;
	for (__u8 next = d[ip + 6]; next != 6; next = d[ip]) {
		ip = at;
		if (next == 44)
			at += 8;
		else if (next == 51)
			at += (d[at + 1] + 2) * 4u;
		else
			at += (d[at + 1] + 1) * 8u;
	}
	return at;
}

static void check_addresses(const __u8 *ip, const struct seen *s)
{
	bool v4 = ip[0] >> 4 == 4;
	size_t n = v4 ? 4 : 16, from = v4 ? 12 : 8;

	must(memcmp(s->key.addr[s->seg.dir] + 16 - n, ip + from, n) == 0);
	must(memcmp(s->key.addr[!s->seg.dir] + 16 - n, ip + from + n, n) == 0);
	must(!v4 || la_key_is_v4(&s->key));
}

/* The segment's lengths add up, lie in the packet, and its fields stand where they should. */
static void check_filled(const struct input *in, const struct seen *s)
{
	const struct la_segment *seg = &s->seg;
	size_t ip = ip_at(in), tcp = tcp_at(in, ip);
	const __u8 *h = in->data + tcp;

	must(tcp + 20 <= in->size);
	must(seg->hdr_len == tcp - ip + (h[12] >> 4) * 4u);
	must(seg->hdr_len + seg->len == seg->ip_len);
	must(ip <= in->wire && seg->ip_len <= in->wire - ip);
	must(seg->segs == 1 && seg->dir <= 1 && seg->wscale <= LA_WSCALE_MAX);
	must(memcmp(h, &s->key.port[seg->dir], 2) == 0);
	must(memcmp(h + 2, &s->key.port[!seg->dir], 2) == 0);
	must(seg->seq == ((__u32)h[4] << 24 | h[5] << 16 | h[6] << 8 | h[7]));
	must(seg->flags == h[13]);
	must(seg->win == (h[14] << 8 | h[15]));
	check_addresses(in->data + ip, s);
}

/* An ICMP error's segment: where the quoted ports and number stand, and whose they are. */
static void check_quoted(const struct input *in, const struct seen *s)
{
	size_t ip = ip_at(in), quoted;
	const __u8 *d = in->data, *tcp;
	bool v4 = d[ip] >> 4 == 4;

	if (!v4 && d[ip + 6] != 58)
		return; /* behind extension headers */
	quoted = ip + (v4 ? (d[ip] & 15) * 4u : 40) + 8;
	tcp = d + quoted + (v4 ? (d[quoted] & 15) * 4u : 40);
	must(tcp + 8 <= d + in->size);
	must(d[quoted] >> 4 == d[ip] >> 4);
	must(d[quoted + (v4 ? 9 : 6)] == 6);
	must(s->seg.icmp_type == d[quoted - 8] && s->seg.icmp_code == d[quoted - 7]);
	must(s->seg.seq == ((__u32)tcp[4] << 24 | tcp[5] << 16 | tcp[6] << 8 | tcp[7]));
	must(memcmp(tcp, &s->key.port[s->seg.dir], 2) == 0);
	must(memcmp(tcp + 2, &s->key.port[!s->seg.dir], 2) == 0);
	check_addresses(d + quoted, s);
}

/* What the checksums of the packet say, in a buffer of just its size. */
static enum la_reason verdict(const struct input *in)
{
	__u8 *copy = malloc(in->size ? in->size : 1);
	struct la_captured p = {.data = copy,
				.cap_len = (__u32)in->size,
				.wire_len = in->wire,
				.link = in->link,
				.l3_proto = in->proto};
	enum la_reason reason;

	must(copy);
	memcpy(copy, in->data, in->size);
	reason = la_checksum_verify(&p);
	free(copy);
	return reason;
}

/* A packet that is whole, and that neither fragments nor other addresses make hard to judge. */
static bool can_be_told(const struct input *in, const struct seen *s, size_t ip, size_t tcp)
{
	const __u8 *h = in->data + ip;

	if (ip + s->seg.ip_len > in->size)
		return false;
	return h[0] >> 4 == 4 ? !(h[6] & 0x3f) && !h[7] : tcp == ip + 40;
}

/* A TCP segment's own sum, or what a network card would have begun with. */
static void check_sum(const struct input *in, const struct seen *s)
{
	size_t ip = ip_at(in), tcp = tcp_at(in, ip), n = s->seg.ip_len - (tcp - ip);
	const __u8 *h = in->data + ip, *t = in->data + tcp;
	bool v4 = h[0] >> 4 == 4;
	__u16 addresses = (__u16)~la_sum_fold(la_sum(0, h + (v4 ? 12 : 8), v4 ? 8 : 32));
	__u16 pseudo = (__u16)~la_sum_fold(addresses + 6 + (n >> 16) + (n & 0xffff));
	__u16 endless = (__u16)~la_sum_fold(addresses + 6u);
	__u16 field = (__u16)(t[16] << 8 | t[17]);
	bool right;

	if (v4 && (h[10] || h[11]) && la_sum_fold(la_sum(0, h, tcp - ip))) {
		must(verdict(in) == LA_R_IP_BAD_CHECKSUM);
		return;
	}
	if (!can_be_told(in, s, ip, tcp))
		return;
	right = !la_sum_fold(la_sum(pseudo, t, n)) || field == pseudo || field == endless;
	must(verdict(in) == (right ? LA_NO_REASON : LA_R_TCP_BAD_CHECKSUM));
}

static void forget_options(struct la_segment *seg)
{
	seg->opts = seg->wscale = 0;
	seg->mss = 0;
	seg->tsval = seg->tsecr = 0;
}

/* A packet of which less is at hand is the same packet, or one with fewer options, or none. */
static void check_cut(const struct input *in, struct seen whole)
{
	size_t n = whole.key.port[0] % (in->size + 1);
	struct seen cut = look(in, n);

	if (!cut.seg.segs)
		return;
	if (cut.seg.opts & LA_OPT_BAD) {
		forget_options(&cut.seg);
		forget_options(&whole.seg);
	}
	must(memcmp(&cut, &whole, sizeof(cut)) == 0);
}

static bool is_flags_reason(enum la_reason reason)
{
	return reason >= LA_R_FLAGS_NULL && reason <= LA_R_FLAGS_NO_ACK;
}

/* Filled exactly when it says so. */
static void check(const struct input *in)
{
	struct seen s = look(in, in->size), again = look(in, in->size);

	must(memcmp(&s, &again, sizeof(s)) == 0);
	must(s.reason > LA_NO_REASON && s.reason < LA_REASON_MAX);
	must(s.seg.segs <= 1);
	if (s.reason == LA_R_ACCEPTED || is_flags_reason(s.reason))
		must(s.seg.segs);
	else
		must(!s.seg.segs);
	if (!s.seg.segs) {
		verdict(in); /* only that it reads no more than there is */
		return;
	}
	if (s.seg.icmp_type) {
		check_quoted(in, &s);
		return;
	}
	check_filled(in, &s);
	check_sum(in, &s);
	check_cut(in, s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

#define SYN_OPTIONS                                                                                \
	"\x02\x04\x05\xb4\x04\x02\x08\x0a\x01\x02\x03\x04\x05\x06\x07\x08\x01\x03\x03\x07"

static const struct la_packet seeds[] = {
	{.flags = LA_SYN, .options = SYN_OPTIONS, .options_len = 20},
	{.flags = LA_ACK, .vlans = 2, .ip4_options = 8, .payload_len = 20},
	{.flags = LA_SYN, .src = "fd00::1", .options = SYN_OPTIONS, .options_len = 20},
	{.flags = LA_ACK,
	 .src = "fd00::1",
	 .ext = {{LA_IP_HOPOPTS, 8}, {LA_IP_AH, 24}, {LA_IP_FRAGMENT, 8}, {LA_IP_DSTOPTS, 16}},
	 .payload_len = 4},
	{.flags = LA_FIN | LA_ACK, .l3 = true, .pad_to = 60},
	{.flags = LA_RST, .l3 = true, .src = "fd00::1", .frag_len = 24, .payload_len = 64},
};

/* One time in eight starts afresh from a good packet, or from an ICMP error about it. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	const struct la_packet *p = &seeds[seed / 16 % (sizeof(seeds) / sizeof(*seeds))];

	if (seed % 8 == 0) {
		struct la_icmp_message error = {.type = p->src ? 1 : 3, .quoted = *p};
		struct la_frame f = seed % 16 ? la_icmp_build(&error) : la_frame_build(p);

		if (f.len + 2 <= max_size) {
			data[0] = p->l3;
			data[1] = 0;
			memcpy(data + 2, f.bytes, f.len);
			size = f.len + 2;
		}
	}
	return LLVMFuzzerMutate(data, size, max_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const __u16 protos[] = {0, 0x0800, 0x86dd, 0x8100, 0x88a8, 0x0806, 0, 0};
	/* Added to the size: as it is, less, more, so much more that it is a super-packet. */
	static const __s32 lies[] = {0, 0, 0, -1, -40, 1000, 70000, 0};
	struct input in;
	__s64 wire;

	if (size < 2)
		return 0;
	in.data = data + 2;
	in.size = size - 2;
	in.link = data[0] & 1 ? LA_LINK_L3 : LA_LINK_ETHER;
	in.proto = la_hton16(protos[data[0] >> 1 & 7]);
	wire = (__s64)in.size + lies[data[1] & 7];
	in.wire = wire < 0 ? 0 : (__u32)wire;
	check(&in);
	return 0;
}
