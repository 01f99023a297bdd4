/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_parse.c - bytes in, key and segment or a named reason out (la_parse.h).
 *
 * Every packet is handed over in a buffer of exactly its size, so that the address sanitizer
 * sees any byte read beyond it.
 */
#include "../packet.h"
#include "la_parse.h"
#include <criterion/criterion.h>

/* What the parser made of some bytes. */
struct seen {
	enum la_reason reason;
	struct la_key key;
	struct la_segment seg;
};

/* The first cap bytes at hand of a packet of wire bytes. */
static struct seen look(const __u8 *bytes, size_t cap, size_t wire, enum la_link link, __u16 proto)
{
	struct seen s;
	__u8 *copy = malloc(cap ? cap : 1);

	cr_assert_not_null(copy);
	memset(&s, 0xa5, sizeof(s));
	memcpy(copy, bytes, cap);
	s.reason = la_parse(copy, copy + cap, (__u32)wire, link, la_hton16(proto), &s.key, &s.seg);
	free(copy);
	return s;
}

static enum la_link link_of(const struct la_frame *f)
{
	return f->l3 ? LA_LINK_ETHER : LA_LINK_L3;
}

static struct seen look_at(const struct la_frame *f)
{
	return look(f->bytes, f->len, f->len, link_of(f), 0);
}

/* Of a longer packet only cap bytes were captured. */
static struct seen look_at_start(const struct la_frame *f, size_t cap)
{
	return look(f->bytes, cap, f->len, link_of(f), 0);
}

#define assert_reason(s, want, ...)                                                                \
	do {                                                                                       \
		char what[160];                                                                    \
		snprintf(what, sizeof(what), __VA_ARGS__);                                         \
		cr_assert_eq((s).reason, want, "%s: %s instead of %s", what,                       \
			     la_reason_word((s).reason), la_reason_word(want));                    \
	} while (0)

/* The address of an endpoint of the key as text. */
static const char *addr_text(const struct la_key *key, int i)
{
	static char text[2][INET6_ADDRSTRLEN];

	if (la_key_is_v4(key))
		return inet_ntop(AF_INET, key->addr[i] + 12, text[i], sizeof(text[i]));
	return inet_ntop(AF_INET6, key->addr[i], text[i], sizeof(text[i]));
}

static void assert_sender(const struct seen *s, const char *addr, unsigned int port)
{
	cr_assert_leq(s->seg.dir, 1);
	cr_assert_str_eq(addr_text(&s->key, s->seg.dir), addr);
	cr_assert_eq(la_ntoh16(s->key.port[s->seg.dir]), port);
}

static void assert_receiver(const struct seen *s, const char *addr, unsigned int port)
{
	cr_assert_leq(s->seg.dir, 1);
	cr_assert_str_eq(addr_text(&s->key, !s->seg.dir), addr);
	cr_assert_eq(la_ntoh16(s->key.port[!s->seg.dir]), port);
}

/* --- bytes as a wire carries them: no builder between them and the parser (trap 15) -------- */

static const __u8 raw_syn4[] = {
	0x02, 0x00, 0x00, 0x00, 0x00, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01,
	0x08, 0x00,								/* eth */
	0x45, 0x00, 0x00, 0x3c, 0x12, 0x34, 0x40, 0x00, 0x3f, 0x06, 0x00, 0x00, /* len 60, ttl 63 */
	0xc0, 0x00, 0x02, 0x01,							/* 192.0.2.1 */
	0xc6, 0x33, 0x64, 0x07,							/* 198.51.100.7 */
	0x9c, 0x41, 0x01, 0xbb,							/* 40001 -> 443 */
	0x01, 0x02, 0x03, 0x04,							/* seq */
	0xa1, 0xa2, 0xa3, 0xa4,							/* ack */
	0xa0, 0x02, 0xfa, 0xf0,		    /* 40 bytes, SYN, window 64240 */
	0x00, 0x00, 0x00, 0x00,		    /* checksum, urgent */
	0x02, 0x04, 0x05, 0xb4, 0x04, 0x02, /* mss 1460, sack */
	0x08, 0x0a, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, /* timestamps */
	0x01, 0x03, 0x03, 0x07,					    /* nop, window scale 7 */
};

static const __u8 raw_ack6[] = {
	0x60, 0x0f, 0xff, 0xff, 0x00, 0x22, 0x06, 0x39, /* payload 34, tcp, hop limit 57 */
	0x20, 0x01, 0x0d, 0xb8, 0,    0,    0,	  0,	0,    0,    0,	  0,
	0,    0,    0,	  0x09, /* 2001:db8::9 */
	0x20, 0x01, 0x0d, 0xb8, 0,    0,    0,	  0,	0,    0,    0,	  0,
	0,    0,    0,	  0x08, /* 2001:db8::8 */
	0x00, 0x50, 0xd4, 0x31, /* 80 -> 54321 */
	0xff, 0xff, 0xff, 0xfe, /* seq */
	0x00, 0x00, 0x00, 0x01, /* ack */
	0x80, 0x18, 0x01, 0xf5, /* 32 bytes, PSH ACK, window 501 */
	0x00, 0x00, 0x00, 0x00, /* checksum, urgent */
	0x01, 0x01, 0x08, 0x0a, 0xde, 0xad, 0xbe, 0xef, 0x00, 0x00, 0x00, 0x02, /* timestamps */
	'h',  'i',
};

Test(parse, raw_ipv4_syn)
{
	struct seen s = look(raw_syn4, sizeof(raw_syn4), sizeof(raw_syn4), LA_LINK_ETHER, 0);

	assert_reason(s, LA_R_ACCEPTED, "raw SYN");
	assert_sender(&s, "192.0.2.1", 40001);
	assert_receiver(&s, "198.51.100.7", 443);
	cr_assert(la_key_is_v4(&s.key));
	cr_assert_eq(s.key.pad, 0);
	cr_assert_eq(s.seg.seq, 0x01020304);
	cr_assert_eq(s.seg.ack, 0xa1a2a3a4);
	cr_assert_eq(s.seg.len, 0);
	cr_assert_eq(s.seg.ip_len, 60);
	cr_assert_eq(s.seg.hdr_len, 60);
	cr_assert_eq(s.seg.segs, 1);
	cr_assert_eq(s.seg.win, 64240);
	cr_assert_eq(s.seg.ttl, 63);
	cr_assert_eq(s.seg.flags, LA_SYN);
	cr_assert_eq(s.seg.opts, LA_OPT_MSS | LA_OPT_SACK | LA_OPT_TS | LA_OPT_WSCALE);
	cr_assert_eq(s.seg.mss, 1460);
	cr_assert_eq(s.seg.wscale, 7);
	cr_assert_eq(s.seg.tsval, 0x11223344);
	cr_assert_eq(s.seg.tsecr, 0x55667788);
}

Test(parse, raw_ipv6_data)
{
	struct seen s = look(raw_ack6, sizeof(raw_ack6), sizeof(raw_ack6), LA_LINK_L3, 0);

	assert_reason(s, LA_R_ACCEPTED, "raw data segment");
	assert_sender(&s, "2001:db8::9", 80);
	assert_receiver(&s, "2001:db8::8", 54321);
	cr_assert_not(la_key_is_v4(&s.key));
	cr_assert_eq(s.seg.seq, 0xfffffffe);
	cr_assert_eq(s.seg.ack, 1);
	cr_assert_eq(s.seg.len, 2);
	cr_assert_eq(s.seg.ip_len, 74);
	cr_assert_eq(s.seg.hdr_len, 72);
	cr_assert_eq(s.seg.win, 501);
	cr_assert_eq(s.seg.ttl, 57);
	cr_assert_eq(s.seg.flags, LA_PSH | LA_ACK);
	cr_assert_eq(s.seg.opts, LA_OPT_TS);
	cr_assert_eq(s.seg.tsval, 0xdeadbeef);
	cr_assert_eq(s.seg.tsecr, 2);
	cr_assert_eq(s.seg.mss, 0);
	cr_assert_eq(s.seg.wscale, 0);
}

/* --- every reason by its name ---------------------------------------------------------------- */

enum part { FRAME, IP, TCP };

/* A good packet with one byte changed, or cut. */
struct spoiled {
	const char *name;
	struct la_packet packet;
	enum part part;
	unsigned int at;
	int value;	  /* -1: nothing is changed */
	unsigned int cut; /* bytes of that part that are left; 0: all */
	enum la_reason reason;
};

#define V6 .src = "fd00::1", .flags = LA_ACK
#define V4 .flags = LA_ACK

static const struct spoiled spoiled[] = {
	{"as it is", {V4}, FRAME, 0, -1, 0, LA_R_ACCEPTED},
	{"as it is, v6", {V6}, FRAME, 0, -1, 0, LA_R_ACCEPTED},
	{"ARP", {V4}, FRAME, 13, 0x06, 0, LA_R_NOT_IP},
	{"802.3 length field", {V4}, FRAME, 12, 0x00, 0, LA_R_NOT_IP},
	{"version 5 on an L3 link", {V4, .l3 = true}, IP, 0, 0x55, 0, LA_R_NOT_IP},
	{"UDP", {V4, .proto = 17}, FRAME, 0, -1, 0, LA_R_NOT_TCP},
	{"UDP, v6", {V6, .proto = 17}, FRAME, 0, -1, 0, LA_R_NOT_TCP},
	{"ICMP", {V4, .proto = 1}, FRAME, 0, -1, 0, LA_R_ICMP},
	{"ICMPv6", {V6, .proto = 58}, FRAME, 0, -1, 0, LA_R_ICMP},
	{"ESP, v6", {V6, .proto = 50}, FRAME, 0, -1, 0, LA_R_NOT_TCP},
	{"no next header", {V6, .proto = 59}, FRAME, 0, -1, 0, LA_R_NOT_TCP},
	{"unknown next header", {V6, .proto = 253}, FRAME, 0, -1, 0, LA_R_NOT_TCP},
	{"UDP behind an extension",
	 {V6, .proto = 17, .ext = {{LA_IP_DSTOPTS, 8}}},
	 FRAME,
	 0,
	 -1,
	 0,
	 LA_R_NOT_TCP},
	{"later fragment", {V4, .payload_len = 64, .frag_at = 32}, FRAME, 0, -1, 0, LA_R_FRAGMENT},
	{"later fragment of UDP",
	 {V4, .proto = 17, .payload_len = 64, .frag_at = 32},
	 FRAME,
	 0,
	 -1,
	 0,
	 LA_R_NOT_TCP},
	{"later fragment, v6",
	 {V6, .payload_len = 64, .frag_at = 32},
	 FRAME,
	 0,
	 -1,
	 0,
	 LA_R_FRAGMENT},
	{"later fragment of UDP, v6",
	 {V6, .proto = 17, .payload_len = 64, .frag_at = 32},
	 FRAME,
	 0,
	 -1,
	 0,
	 LA_R_NOT_TCP},
	{"half an Ethernet header", {V4}, FRAME, 0, -1, 13, LA_R_L2_TRUNCATED},
	{"half a VLAN tag", {V4, .vlans = 1}, FRAME, 0, -1, 17, LA_R_L2_TRUNCATED},
	{"half a second tag", {V4, .vlans = 2}, FRAME, 0, -1, 21, LA_R_L2_TRUNCATED},
	{"three tags", {V4, .vlans = 3}, FRAME, 0, -1, 0, LA_R_VLAN_DEPTH},
	{"four tags", {V6, .vlans = 4}, FRAME, 0, -1, 0, LA_R_VLAN_DEPTH},
	{"half an IPv4 header", {V4}, IP, 0, -1, 19, LA_R_IP_TRUNCATED},
	{"half of the IPv4 options", {V4, .ip4_options = 8}, IP, 0, -1, 24, LA_R_IP_TRUNCATED},
	{"half an IPv6 header", {V6}, IP, 0, -1, 39, LA_R_IP_TRUNCATED},
	{"half an extension header",
	 {V6, .ext = {{LA_IP_HOPOPTS, 8}}},
	 IP,
	 0,
	 -1,
	 47,
	 LA_R_IP_TRUNCATED},
	{"version 6 in an IPv4 frame", {V4}, IP, 0, 0x65, 0, LA_R_IP_BAD_HEADER},
	{"version 5 in an IPv4 frame", {V4}, IP, 0, 0x55, 0, LA_R_IP_BAD_HEADER},
	{"version 4 in an IPv6 frame", {V6}, IP, 0, 0x40, 0, LA_R_IP_BAD_HEADER},
	{"IPv4 header of 16 bytes", {V4}, IP, 0, 0x44, 0, LA_R_IP_BAD_HEADER},
	{"total length within the header", {V4}, IP, 3, 19, 0, LA_R_IP_BAD_LENGTH},
	{"total length 0, small packet", {V4}, IP, 3, 0, 0, LA_R_IP_BAD_LENGTH},
	{"total length beyond the frame", {V4}, IP, 3, 41, 0, LA_R_IP_BAD_LENGTH},
	{"payload length beyond the frame", {V6}, IP, 5, 21, 0, LA_R_IP_BAD_LENGTH},
	{"extension beyond the payload length",
	 {V6, .ext = {{LA_IP_DSTOPTS, 16}}},
	 IP,
	 5,
	 8,
	 0,
	 LA_R_IP_BAD_LENGTH},
	{"nine extension headers",
	 {V6, .ext = {{LA_IP_HOPOPTS, 8},
		      {LA_IP_DSTOPTS, 8},
		      {LA_IP_DSTOPTS, 8},
		      {LA_IP_DSTOPTS, 8},
		      {LA_IP_DSTOPTS, 8},
		      {LA_IP_DSTOPTS, 8},
		      {LA_IP_DSTOPTS, 8},
		      {LA_IP_DSTOPTS, 8},
		      {LA_IP_DSTOPTS, 8}}},
	 FRAME,
	 0,
	 -1,
	 0,
	 LA_R_IP6_EXT_DEPTH},
	{"half a TCP header", {V4}, TCP, 0, -1, 19, LA_R_TCP_TRUNCATED},
	{"half a TCP header, v6", {V6}, TCP, 0, -1, 19, LA_R_TCP_TRUNCATED},
	{"IP length within the TCP header", {V4}, IP, 3, 39, 0, LA_R_TCP_TRUNCATED},
	{"payload length 0, small packet", {V6}, IP, 5, 0, 0, LA_R_TCP_TRUNCATED},
	{"first fragment of 8 bytes",
	 {V4, .frag_len = 8, .more_fragments = true, .pad_to = 60},
	 FRAME,
	 0,
	 -1,
	 0,
	 LA_R_TCP_TRUNCATED},
	{"data offset 4", {V4}, TCP, 12, 0x40, 0, LA_R_TCP_BAD_OFFSET},
	{"data offset 0", {V6}, TCP, 12, 0x00, 0, LA_R_TCP_BAD_OFFSET},
	{"data offset past the segment", {V4}, TCP, 12, 0x60, 0, LA_R_TCP_BAD_OFFSET},
	{"data offset into the padding", {V4, .pad_to = 60}, TCP, 12, 0x60, 0, LA_R_TCP_BAD_OFFSET},
	{"null segment", {V4}, TCP, 13, 0, 0, LA_R_FLAGS_NULL},
	{"all flags", {V4}, TCP, 13, 0xff, 0, LA_R_FLAGS_SYN_FIN},
	{"christmas tree", {V4}, TCP, 13, LA_FIN | LA_PSH | LA_URG, 0, LA_R_FLAGS_NO_ACK},
	{"SYN FIN", {V4}, TCP, 13, LA_SYN | LA_FIN, 0, LA_R_FLAGS_SYN_FIN},
	{"SYN RST", {V4}, TCP, 13, LA_SYN | LA_RST, 0, LA_R_FLAGS_SYN_RST},
	{"FIN RST", {V6}, TCP, 13, LA_FIN | LA_RST | LA_ACK, 0, LA_R_FLAGS_FIN_RST},
	{"FIN without ACK", {V6}, TCP, 13, LA_FIN, 0, LA_R_FLAGS_NO_ACK},
	{"only PSH", {V4}, TCP, 13, LA_PSH, 0, LA_R_FLAGS_NO_ACK},
	{"only ECE and CWR", {V4}, TCP, 13, LA_ECE | LA_CWR, 0, LA_R_FLAGS_NO_ACK},
};

static size_t part_at(const struct la_frame *f, enum part part)
{
	return part == IP ? f->l3 : part == TCP ? f->l4 : 0;
}

Test(parse, every_spoiled_packet_has_its_reason)
{
	for (size_t i = 0; i < sizeof(spoiled) / sizeof(*spoiled); i++) {
		const struct spoiled *row = &spoiled[i];
		struct la_frame f = la_frame_build(&row->packet);
		size_t from = part_at(&f, row->part);

		if (row->value >= 0)
			f.bytes[from + row->at] = (__u8)row->value;
		assert_reason(look_at_start(&f, row->cut ? from + row->cut : f.len), row->reason,
			      "%s", row->name);
	}
}

/* The parser's reasons are all in the table above. */
Test(parse, no_reason_of_the_parser_is_untested)
{
	for (unsigned int r = LA_R_FLAGS_NULL; r <= LA_R_TCP_BAD_OFFSET; r++) {
		bool found = r == LA_R_NO_FLOW; /* the tracker's */

		for (size_t i = 0; i < sizeof(spoiled) / sizeof(*spoiled); i++)
			found |= spoiled[i].reason == r;
		cr_assert(found, "no test for %s", la_reason_word(r));
	}
}

Test(parse, nothing_at_all)
{
	struct seen s = look((const __u8 *)"", 0, 0, LA_LINK_ETHER, 0);

	assert_reason(s, LA_R_L2_TRUNCATED, "no byte, Ethernet");
	s = look((const __u8 *)"", 0, 0, LA_LINK_L3, 0);
	assert_reason(s, LA_R_IP_TRUNCATED, "no byte, L3");
	s = look((const __u8 *)"", 0, 0, LA_LINK_L3, LA_ETH_IPV6);
	assert_reason(s, LA_R_IP_TRUNCATED, "no byte, IPv6");
}

/* --- boundaries ------------------------------------------------------------------------------ */

#define LONG_OPTIONS                                                                               \
	"\x02\x04\x05\xb4\x04\x02\x08\x0a\x01\x02\x03\x04\x05\x06\x07\x08\x01\x03\x03\x08"

static const struct la_packet good[] = {
	{.flags = LA_SYN, .options = LONG_OPTIONS, .options_len = 20, .payload_len = 5},
	{.flags = LA_ACK, .vlans = 2, .ip4_options = 40, .payload_len = 9, .win = 7},
	{.flags = LA_SYN | LA_ACK, .src = "fd00::1", .options = LONG_OPTIONS, .options_len = 20},
	{.flags = LA_PSH | LA_ACK,
	 .src = "fd00::1",
	 .ext = {{LA_IP_HOPOPTS, 16}, {LA_IP_ROUTING, 24}, {LA_IP_AH, 24}, {LA_IP_DSTOPTS, 8}},
	 .frag_len = 64,
	 .more_fragments = true,
	 .payload_len = 200},
	{.flags = LA_ACK, .l3 = true, .src = "fd00::1", .payload_len = 3},
};
#define GOOD_COUNT (sizeof(good) / sizeof(*good))

static bool is_truncation(enum la_reason reason)
{
	return reason == LA_R_L2_TRUNCATED || reason == LA_R_IP_TRUNCATED ||
	       reason == LA_R_TCP_TRUNCATED;
}

static void assert_same(const struct seen *a, const struct seen *b, const char *what, size_t n)
{
	cr_assert_eq(memcmp(&a->key, &b->key, sizeof(a->key)), 0, "%s %zu: other key", what, n);
	cr_assert_eq(memcmp(&a->seg, &b->seg, sizeof(a->seg)), 0, "%s %zu: other segment", what, n);
}

/* A snap length may cut a packet anywhere: with the fixed TCP header it can be tracked. */
Test(parse, captured_up_to_every_byte)
{
	for (size_t i = 0; i < GOOD_COUNT; i++) {
		struct la_frame f = la_frame_build(&good[i]);
		struct seen whole = look_at(&f);

		assert_reason(whole, LA_R_ACCEPTED, "good packet %zu", i);
		for (size_t n = 0; n < f.len; n++) {
			struct seen s = look_at_start(&f, n);

			if (n >= f.l4 + LA_TCP_LEN) {
				assert_reason(s, LA_R_ACCEPTED, "packet %zu cut at %zu", i, n);
			} else {
				cr_assert(is_truncation(s.reason), "packet %zu cut at %zu: %s", i,
					  n, la_reason_word(s.reason));
			}
			if (n >= f.l4 + (f.bytes[f.l4 + 12] >> 4) * 4u)
				assert_same(&s, &whole, "cut at", n);
		}
	}
}

/* Cut among its TCP options, a packet still says all but them. */
Test(parse, options_cut_off_leave_the_fixed_header)
{
	for (size_t i = 0; i < GOOD_COUNT; i++) {
		struct la_frame f = la_frame_build(&good[i]);
		size_t options = f.l4 + LA_TCP_LEN, end = f.l4 + (f.bytes[f.l4 + 12] >> 4) * 4u;
		struct seen whole = look_at(&f);

		for (size_t n = 0; n < end; n++) {
			struct seen s = look_at_start(&f, n);

			cr_assert_eq(s.seg.segs, n >= options, "packet %zu cut at %zu", i, n);
			if (!s.seg.segs)
				continue;
			cr_assert(s.seg.opts & LA_OPT_BAD);
			cr_assert_eq(s.seg.seq, whole.seg.seq);
			cr_assert_eq(s.seg.len, whole.seg.len);
			cr_assert_eq(s.seg.hdr_len, whole.seg.hdr_len);
			cr_assert_eq(memcmp(&s.key, &whole.key, sizeof(s.key)), 0);
		}
	}
}

/* A frame that ends early on the wire too: the IP length lies, or what is left is too short. */
Test(parse, sent_up_to_every_byte)
{
	for (size_t i = 0; i < GOOD_COUNT; i++) {
		struct la_frame f = la_frame_build(&good[i]);

		for (size_t n = 0; n < f.len; n++) {
			struct seen s = look(f.bytes, n, n, link_of(&f), 0);

			cr_assert(is_truncation(s.reason) || s.reason == LA_R_IP_BAD_LENGTH,
				  "packet %zu of %zu bytes: %s", i, n, la_reason_word(s.reason));
		}
	}
}

Test(parse, ipv4_total_length_of_every_value)
{
	struct la_frame f = LA_FRAME(.flags = LA_ACK, .payload_len = 100, .pad_to = 200);

	for (unsigned int n = 0; n <= 0xffff; n++) {
		enum la_reason want = n < 20	? LA_R_IP_BAD_LENGTH
				      : n < 40	? LA_R_TCP_TRUNCATED
				      : n > 186 ? LA_R_IP_BAD_LENGTH
						: LA_R_ACCEPTED;
		struct seen s;

		la_put16(f.bytes + f.l3 + 2, n);
		s = look_at(&f);
		assert_reason(s, want, "total length %u", n);
		if (want == LA_R_ACCEPTED)
			cr_assert_eq(s.seg.len + 40, n);
	}
}

Test(parse, ipv6_payload_length_of_every_value)
{
	struct la_frame f = LA_FRAME(.src = "fd00::1", .ext = {{LA_IP_DSTOPTS, 24}},
				     .flags = LA_ACK, .payload_len = 50, .pad_to = 200);

	for (unsigned int n = 0; n <= 0xffff; n++) {
		enum la_reason want = n < 24	? LA_R_IP_BAD_LENGTH
				      : n < 44	? LA_R_TCP_TRUNCATED
				      : n > 146 ? LA_R_IP_BAD_LENGTH
						: LA_R_ACCEPTED;
		struct seen s;

		la_put16(f.bytes + f.l3 + 4, n);
		s = look_at(&f);
		assert_reason(s, want, "payload length %u", n);
		if (want == LA_R_ACCEPTED)
			cr_assert_eq(s.seg.len + 44, n);
	}
}

Test(parse, ipv4_header_length_of_every_value)
{
	for (unsigned int ihl = 0; ihl < 16; ihl++) {
		struct la_frame f = LA_FRAME(.flags = LA_ACK, .payload_len = 100);
		size_t l4 = f.l3 + ihl * 4;
		struct seen s;

		f.bytes[f.l3] = (__u8)(0x40 | ihl);
		if (ihl >= 5) {
			memset(f.bytes + l4, 0, LA_TCP_LEN);
			f.bytes[l4 + 12] = 0x50;
			f.bytes[l4 + 13] = LA_ACK;
		}
		s = look_at(&f);
		assert_reason(s, ihl < 5 ? LA_R_IP_BAD_HEADER : LA_R_ACCEPTED, "ihl %u", ihl);
		if (ihl >= 5)
			cr_assert_eq(s.seg.len, 140 - ihl * 4 - LA_TCP_LEN);
	}
}

Test(parse, tcp_data_offset_of_every_value)
{
	for (unsigned int room = 0; room <= 48; room++) {
		for (unsigned int words = 0; words < 16; words++) {
			struct la_frame f = LA_FRAME(.flags = LA_ACK, .payload_len = room);
			bool fits = words >= 5 && words * 4 <= LA_TCP_LEN + room;
			struct seen s;

			f.bytes[f.l4 + 12] = (__u8)(words << 4);
			s = look_at(&f);
			assert_reason(s, fits ? LA_R_ACCEPTED : LA_R_TCP_BAD_OFFSET,
				      "offset %u, %u bytes", words, room);
			if (fits)
				cr_assert_eq(s.seg.len, LA_TCP_LEN + room - words * 4);
		}
	}
}

/* Trap 14: a bare ACK is 54 bytes, Ethernet sends 60. */
Test(parse, ethernet_padding_is_not_data)
{
	struct la_frame ack = LA_FRAME(.flags = LA_ACK, .pad_to = 60);
	struct la_frame one = LA_FRAME(.flags = LA_ACK, .payload_len = 1, .pad_to = 60);
	struct la_frame syn = LA_FRAME(.flags = LA_SYN, .src = "fd00::1", .pad_to = 128);

	assert_reason(look_at(&ack), LA_R_ACCEPTED, "padded ACK");
	cr_assert_eq(look_at(&ack).seg.len, 0);
	cr_assert_eq(look_at(&ack).seg.ip_len, 40);
	cr_assert_eq(look_at(&one).seg.len, 1);
	cr_assert_eq(look_at(&syn).seg.len, 0);
	cr_assert_eq(look_at(&syn).seg.opts, 0);
}

/* A frame that claims to be shorter than its link header, as a broken capture may. */
Test(parse, wire_length_below_what_is_there)
{
	struct la_frame f = LA_FRAME(.flags = LA_ACK, .vlans = 1);

	for (size_t wire = 0; wire < f.len; wire++)
		assert_reason(look(f.bytes, f.len, wire, LA_LINK_ETHER, 0),
			      wire < f.l3 ? LA_R_L2_TRUNCATED : LA_R_IP_BAD_LENGTH,
			      "wire length %zu", wire);
}

/* --- super-packets ---------------------------------------------------------------------------- */

Test(parse, more_on_the_wire_than_at_hand)
{
	struct la_frame f = LA_FRAME(.flags = LA_ACK, .payload_len = 9000);
	struct seen s = look_at_start(&f, 128);

	assert_reason(s, LA_R_ACCEPTED, "9000 bytes, 128 of them at hand");
	cr_assert_eq(s.seg.len, 9000);
	cr_assert_eq(s.seg.ip_len, 9040);
	cr_assert_eq(s.seg.segs, 1);
}

Test(parse, ipv4_length_zero_of_a_super_packet)
{
	struct la_frame f = LA_FRAME(.flags = LA_ACK, .vlans = 1, .payload_len = 100);
	struct seen s;

	la_put16(f.bytes + f.l3 + 2, 0);
	s = look(f.bytes, f.len, f.l3 + 200000, LA_LINK_ETHER, 0);
	assert_reason(s, LA_R_ACCEPTED, "BIG TCP, v4");
	cr_assert_eq(s.seg.ip_len, 200000);
	cr_assert_eq(s.seg.len, 200000 - 40);
	s = look(f.bytes, f.len, f.l3 + 577, LA_LINK_ETHER, 0);
	assert_reason(s, LA_R_ACCEPTED, "the smallest that needs it");
	s = look(f.bytes, f.len, f.l3 + 576, LA_LINK_ETHER, 0);
	assert_reason(s, LA_R_IP_BAD_LENGTH, "576 bytes need no such trick");
}

Test(parse, ipv6_length_zero_of_a_jumbogram)
{
	struct la_frame f = LA_FRAME(.src = "fd00::1", .flags = LA_ACK, .ext = {{LA_IP_HOPOPTS, 8}},
				     .payload_len = 100);
	struct seen s;

	la_put16(f.bytes + f.l3 + 4, 0);
	s = look(f.bytes, f.len, f.l3 + 100000, LA_LINK_ETHER, 0);
	assert_reason(s, LA_R_ACCEPTED, "BIG TCP, v6");
	cr_assert_eq(s.seg.ip_len, 100000);
	cr_assert_eq(s.seg.hdr_len, 68);
	cr_assert_eq(s.seg.len, 100000 - 68);
	s = look(f.bytes, f.len, f.l3 + 576, LA_LINK_ETHER, 0);
	assert_reason(s, LA_R_IP_BAD_LENGTH, "no room for its own headers");
}

/* --- link layers ------------------------------------------------------------------------------ */

Test(parse, up_to_two_vlan_tags)
{
	for (unsigned int vlans = 0; vlans <= 4; vlans++) {
		for (int v6 = 0; v6 <= 1; v6++) {
			struct la_frame f = LA_FRAME(.vlans = vlans, .flags = LA_ACK, .seq = 77,
						     .src = v6 ? "fd00::1" : NULL);
			struct seen s = look_at(&f);

			assert_reason(s, vlans <= 2 ? LA_R_ACCEPTED : LA_R_VLAN_DEPTH,
				      "%u tags, v6 %d", vlans, v6);
			if (s.reason == LA_R_ACCEPTED)
				cr_assert_eq(s.seg.seq, 77);
		}
	}
}

Test(parse, links_without_ethernet)
{
	struct la_frame v4 = LA_FRAME(.l3 = true, .flags = LA_ACK, .seq = 4);
	struct la_frame v6 = LA_FRAME(.l3 = true, .src = "fd00::1", .flags = LA_ACK, .seq = 6);
	static const struct {
		bool v6;
		__u16 proto;
		enum la_reason reason;
	} rows[] = {
		{false, 0, LA_R_ACCEPTED},
		{true, 0, LA_R_ACCEPTED},
		{false, LA_ETH_IPV4, LA_R_ACCEPTED},
		{true, LA_ETH_IPV6, LA_R_ACCEPTED},
		{false, LA_ETH_IPV6, LA_R_IP_BAD_HEADER},
		{true, LA_ETH_IPV4, LA_R_IP_BAD_HEADER},
		{false, 0x0806, LA_R_NOT_IP},
		{true, 0x0008, LA_R_NOT_IP},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct la_frame *f = rows[i].v6 ? &v6 : &v4;
		struct seen s = look(f->bytes, f->len, f->len, LA_LINK_L3, rows[i].proto);

		assert_reason(s, rows[i].reason, "row %zu", i);
		if (s.reason == LA_R_ACCEPTED)
			cr_assert_eq(s.seg.seq, rows[i].v6 ? 6 : 4);
	}
}

/* --- IP -----------------------------------------------------------------------------------------
 */

Test(parse, ipv4_options_of_every_size)
{
	for (unsigned int n = 0; n <= 40; n += 4) {
		struct la_frame f = LA_FRAME(.ip4_options = n, .flags = LA_ACK, .payload_len = 11,
					     .seq = 99, .ttl = 1);
		struct seen s = look_at(&f);

		assert_reason(s, LA_R_ACCEPTED, "%u bytes of options", n);
		cr_assert_eq(s.seg.seq, 99);
		cr_assert_eq(s.seg.len, 11);
		cr_assert_eq(s.seg.hdr_len, 40 + n);
		cr_assert_eq(s.seg.ttl, 1);
	}
}

static const struct {
	const char *name;
	struct la_packet_ext ext[LA_PACKET_EXTS_MAX];
	unsigned int bytes;
} chains[] = {
	{"hop-by-hop", {{LA_IP_HOPOPTS, 8}}, 8},
	{"the largest", {{LA_IP_DSTOPTS, 2048}}, 2048},
	{"routing", {{LA_IP_ROUTING, 24}}, 24},
	{"atomic fragment", {{LA_IP_FRAGMENT, 8}}, 8},
	{"AH of 12 + 12 bytes", {{LA_IP_AH, 24}}, 24},
	{"AH of 12 + 16 bytes", {{LA_IP_AH, 28}}, 28},
	{"smallest AH", {{LA_IP_AH, 8}}, 8},
	{"in the order of RFC 8200 4.1",
	 {{LA_IP_HOPOPTS, 16},
	  {LA_IP_DSTOPTS, 8},
	  {LA_IP_ROUTING, 40},
	  {LA_IP_FRAGMENT, 8},
	  {LA_IP_AH, 24},
	  {LA_IP_DSTOPTS, 32}},
	 128},
	{"eight of them",
	 {{LA_IP_HOPOPTS, 8},
	  {LA_IP_DSTOPTS, 8},
	  {LA_IP_DSTOPTS, 8},
	  {LA_IP_DSTOPTS, 8},
	  {LA_IP_DSTOPTS, 8},
	  {LA_IP_DSTOPTS, 8},
	  {LA_IP_DSTOPTS, 8},
	  {LA_IP_DSTOPTS, 8}},
	 64},
};

Test(parse, ipv6_extension_headers)
{
	for (size_t i = 0; i < sizeof(chains) / sizeof(*chains); i++) {
		struct la_packet p = {
			.src = "fd00::1", .flags = LA_ACK, .payload_len = 33, .seq = 5};
		struct la_frame f;
		struct seen s;

		memcpy(p.ext, chains[i].ext, sizeof(p.ext));
		f = la_frame_build(&p);
		s = look_at(&f);
		assert_reason(s, LA_R_ACCEPTED, "%s", chains[i].name);
		cr_assert_eq(s.seg.seq, 5, "%s", chains[i].name);
		cr_assert_eq(s.seg.len, 33, "%s", chains[i].name);
		cr_assert_eq(s.seg.hdr_len, 60 + chains[i].bytes, "%s", chains[i].name);
		cr_assert_eq(s.seg.ip_len, 93 + chains[i].bytes, "%s", chains[i].name);
	}
}

/* The second byte of a fragment header is reserved, not a length (RFC 8200 4.5). */
Test(parse, ipv6_fragment_header_has_no_length)
{
	struct la_frame f =
		LA_FRAME(.src = "fd00::1", .ext = {{LA_IP_FRAGMENT, 8}}, .flags = LA_ACK);

	f.bytes[f.l3 + LA_IP6_LEN + 1] = 0xff;
	assert_reason(look_at(&f), LA_R_ACCEPTED, "reserved byte set");
	cr_assert_eq(look_at(&f).seg.hdr_len, 68);
}

/* The first fragment has the TCP header: it is tracked, with the data that it carries itself. */
Test(parse, first_fragment)
{
	static const char *const srcs[] = {"10.0.0.1", "fd00::1"};

	for (int i = 0; i < 2; i++) {
		struct la_frame f =
			LA_FRAME(.src = srcs[i], .flags = LA_ACK, .seq = 1234, .payload_len = 500,
				 .frag_len = 120, .more_fragments = true);
		struct seen s = look_at(&f);

		assert_reason(s, LA_R_ACCEPTED, "first fragment from %s", srcs[i]);
		cr_assert_eq(s.seg.seq, 1234);
		cr_assert_eq(s.seg.len, 100);
		assert_sender(&s, srcs[i], 40000);
	}
}

/* Every later one is named so, however it looks: also at offset 8, within the TCP header. */
Test(parse, later_fragments)
{
	static const char *const srcs[] = {"10.0.0.1", "fd00::1"};

	for (unsigned int at = 8; at < 8 * 64; at += 8) {
		for (int i = 0; i < 2; i++) {
			struct la_frame f =
				LA_FRAME(.src = srcs[i], .flags = LA_SYN, .payload_len = 500,
					 .frag_at = at, .more_fragments = at < 256);

			assert_reason(look_at(&f), LA_R_FRAGMENT, "offset %u from %s", at, srcs[i]);
		}
	}
}

/* --- flags --------------------------------------------------------------------------------------
 */

/* The same rules once more, as a person would say them. */
static enum la_reason flags_verdict(unsigned int flags)
{
	bool fin = flags & LA_FIN, syn = flags & LA_SYN, rst = flags & LA_RST, ack = flags & LA_ACK;

	if (flags == 0)
		return LA_R_FLAGS_NULL;
	if (syn && fin)
		return LA_R_FLAGS_SYN_FIN;
	if (syn && rst)
		return LA_R_FLAGS_SYN_RST;
	if (fin && rst)
		return LA_R_FLAGS_FIN_RST;
	if (!syn && !rst && !ack)
		return LA_R_FLAGS_NO_ACK;
	return LA_R_ACCEPTED;
}

/* Whatever the flags are, and whatever the reserved bits, the rest is filled. */
Test(parse, all_flags)
{
	for (unsigned int flags = 0; flags < 256; flags++) {
		for (unsigned int reserved = 0; reserved < 16; reserved++) {
			struct la_frame f = LA_FRAME(.flags = (__u8)flags, .seq = 8, .ack = 9,
						     .payload_len = 4, .win = 10);
			struct seen s;

			f.bytes[f.l4 + 12] |= (__u8)reserved;
			s = look_at(&f);
			assert_reason(s, flags_verdict(flags), "flags 0x%02x", flags);
			cr_assert_eq(s.seg.flags, flags);
			cr_assert_eq(s.seg.segs, 1);
			cr_assert_eq(s.seg.seq, 8);
			cr_assert_eq(s.seg.ack, 9);
			cr_assert_eq(s.seg.win, 10);
			cr_assert_eq(s.seg.len, 4);
			assert_sender(&s, "10.0.0.1", 40000);
			assert_receiver(&s, "10.0.0.2", 443);
		}
	}
}

/* --- TCP options
 * ---------------------------------------------------------------------------------- */

#define BYTES(text) .bytes = (text), .len = sizeof(text) - 1
#define TS_1_2	    "\x08\x0a\x00\x00\x00\x01\x00\x00\x00\x02"

static const struct options {
	const char *name;
	const char *bytes;
	unsigned int len;
	__u8 opts;
	__u16 mss;
	__u8 wscale;
	__u32 tsval, tsecr;
} syn_options[] = {
	{"none", NULL, 0, 0, 0, 0, 0, 0},
	{"MSS", BYTES("\x02\x04\x02\x18"), .opts = LA_OPT_MSS, .mss = 536},
	{"MSS of 65535", BYTES("\x02\x04\xff\xff"), .opts = LA_OPT_MSS, .mss = 65535},
	{"scale 0", BYTES("\x03\x03\x00"), .opts = LA_OPT_WSCALE},
	{"scale 14", BYTES("\x03\x03\x0e"), .opts = LA_OPT_WSCALE, .wscale = 14},
	{"scale 15 means 14", BYTES("\x03\x03\x0f"), .opts = LA_OPT_WSCALE, .wscale = 14},
	{"scale 255 means 14", BYTES("\x03\x03\xff"), .opts = LA_OPT_WSCALE, .wscale = 14},
	{"SACK in the last bytes", BYTES("\x01\x01\x04\x02"), .opts = LA_OPT_SACK},
	{"scale in the last bytes", BYTES("\x01\x03\x03\x05"), .opts = LA_OPT_WSCALE, .wscale = 5},
	{"timestamps", BYTES(TS_1_2), .opts = LA_OPT_TS, .tsval = 1, .tsecr = 2},
	{"as Linux sends them", BYTES("\x02\x04\x05\xb4\x04\x02" TS_1_2 "\x01\x03\x03\x07"),
	 .opts = LA_OPT_MSS | LA_OPT_SACK | LA_OPT_TS | LA_OPT_WSCALE, .mss = 1460, .wscale = 7,
	 .tsval = 1, .tsecr = 2},
	{"as Windows sends them", BYTES("\x02\x04\x05\xb4\x01\x03\x03\x08\x01\x01\x04\x02"),
	 .opts = LA_OPT_MSS | LA_OPT_WSCALE | LA_OPT_SACK, .mss = 1460, .wscale = 8},
	{"forty NOPs",
	 BYTES("\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1")},
	{"MSS after 36 NOPs",
	 BYTES("\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\2\4\5\6"),
	 .opts = LA_OPT_MSS, .mss = 0x0506},
	{"nothing counts after END", BYTES("\x03\x03\x02\x00\x02\x04\x05\xb4"),
	 .opts = LA_OPT_WSCALE, .wscale = 2},
	{"unknown kinds are stepped over",
	 BYTES("\xfe\x06\xde\xad\xbe\xef\x22\x02\x02\x04\x05\xb4"), .opts = LA_OPT_MSS,
	 .mss = 1460},
	{"an unknown kind fills all", BYTES("\xfd\x04\x02\x04"), .opts = 0},
	{"twice: the last counts", BYTES("\x02\x04\x00\x01\x02\x04\x00\x02"), .opts = LA_OPT_MSS,
	 .mss = 2},
	{"length 0", BYTES("\x02\x04\x05\xb4\x05\x00\x03\x03"), .opts = LA_OPT_MSS | LA_OPT_BAD,
	 .mss = 1460},
	{"length 1", BYTES("\x03\x03\x04\x01\x06\x01\x01\x01"), .opts = LA_OPT_WSCALE | LA_OPT_BAD,
	 .wscale = 4},
	{"length beyond the list", BYTES("\x01\x01\xfe\x03"), .opts = LA_OPT_BAD},
	{"length 255", BYTES("\xfe\xff\x01\x01"), .opts = LA_OPT_BAD},
	{"no length", BYTES("\x01\x01\x01\xfe"), .opts = LA_OPT_BAD},
	{"MSS without length", BYTES("\x01\x01\x01\x02"), .opts = LA_OPT_BAD},
	{"MSS of 3 bytes", BYTES("\x02\x03\x05\x01"), .opts = LA_OPT_BAD},
	{"MSS of 5 bytes", BYTES("\x02\x05\x05\xb4\x00\x01\x01\x01"), .opts = LA_OPT_BAD},
	{"scale of 4 bytes", BYTES("\x03\x04\x05\x06"), .opts = LA_OPT_BAD},
	{"SACK of 3 bytes", BYTES("\x04\x03\x00\x01"), .opts = LA_OPT_BAD},
	{"timestamps of 9 bytes", BYTES("\x08\x09\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01"),
	 .opts = LA_OPT_BAD},
	{"MSS cut off by the header's end", BYTES("\x01\x01\x02\x04"), .opts = LA_OPT_BAD},
	{"timestamps cut off", BYTES("\x01\x01\x08\x0a\x00\x00\x00\x01"), .opts = LA_OPT_BAD},
};

static void assert_options(const struct seen *s, const struct options *row)
{
	assert_reason(*s, LA_R_ACCEPTED, "%s", row->name);
	cr_assert_eq(s->seg.opts, row->opts, "%s: opts 0x%02x", row->name, s->seg.opts);
	cr_assert_eq(s->seg.mss, row->mss, "%s: mss %u", row->name, s->seg.mss);
	cr_assert_eq(s->seg.wscale, row->wscale, "%s: wscale %u", row->name, s->seg.wscale);
	cr_assert_eq(s->seg.tsval, row->tsval, "%s: tsval %u", row->name, s->seg.tsval);
	cr_assert_eq(s->seg.tsecr, row->tsecr, "%s: tsecr %u", row->name, s->seg.tsecr);
}

/* With payload and without: what follows the header is never taken for an option. */
Test(parse, options_of_a_syn)
{
	for (size_t i = 0; i < sizeof(syn_options) / sizeof(*syn_options); i++) {
		for (unsigned int payload = 0; payload <= 16; payload += 16) {
			const struct options *row = &syn_options[i];
			struct la_frame f = LA_FRAME(.flags = payload ? LA_SYN | LA_ACK : LA_SYN,
						     .options = row->bytes, .options_len = row->len,
						     .payload = "\x02\x04\x05\x06\x02\x04\x05\x06"
								"\x02\x04\x05\x06\x02\x04\x05\x06",
						     .payload_len = payload);
			struct seen s = look_at(&f);

			assert_options(&s, row);
			cr_assert_eq(s.seg.len, payload);
		}
	}
}

/* Once the handshake is over only timestamps matter, in the two places where stacks put them. */
static const struct options data_options[] = {
	{"none", NULL, 0, 0, 0, 0, 0, 0},
	{"NOP NOP timestamps", BYTES("\x01\x01" TS_1_2), .opts = LA_OPT_TS, .tsval = 1, .tsecr = 2},
	{"timestamps NOP NOP", BYTES(TS_1_2 "\x01\x01"), .opts = LA_OPT_TS, .tsval = 1, .tsecr = 2},
	{"timestamps END", BYTES(TS_1_2), .opts = LA_OPT_TS, .tsval = 1, .tsecr = 2},
	{"timestamps, then SACK",
	 BYTES("\x01\x01" TS_1_2 "\x01\x01\x05\x0a\x00\x00\x00\x05\x00\x00\x00\x09"),
	 .opts = LA_OPT_TS, .tsval = 1, .tsecr = 2},
	{"SACK alone", BYTES("\x01\x01\x05\x0a\x00\x00\x00\x05\x00\x00\x00\x09"), .opts = 0},
	/* RFC 2883: these segments acknowledge 0, a duplicate lies below that or in block 2. */
	{"DSACK below the ACK", BYTES("\x01\x01\x05\x0a\xff\xff\xff\xf0\xff\xff\xff\xf8"),
	 .opts = LA_OPT_DSACK},
	{"DSACK after timestamps",
	 BYTES("\x01\x01" TS_1_2 "\x01\x01\x05\x0a\xff\xff\xff\xf0\x00\x00\x00\x00"),
	 .opts = LA_OPT_TS | LA_OPT_DSACK, .tsval = 1, .tsecr = 2},
	{"DSACK within the second block",
	 BYTES("\x01\x01\x05\x12\x00\x00\x00\x05\x00\x00\x00\x09\x00\x00\x00\x01\x00\x00\x00\x14"),
	 .opts = LA_OPT_DSACK},
	{"two blocks of SACK",
	 BYTES("\x01\x01\x05\x12\x00\x00\x00\x15\x00\x00\x00\x19\x00\x00\x00\x01\x00\x00\x00\x14"),
	 .opts = 0},
	{"DSACK cut off", BYTES("\x01\x01\x05\x0a\xff\xff\xff\xf0"), .opts = 0},
	{"MSS is for SYNs", BYTES("\x02\x04\x05\xb4"), .opts = 0},
	{"timestamps cut off", BYTES("\x01\x01\x08\x0a\x00\x00\x00\x01"), .opts = 0},
	{"timestamps of another length", BYTES("\x01\x01\x08\x0b\x00\x00\x00\x01\x00\x00\x00\x02"),
	 .opts = 0},
	{"nonsense", BYTES("\xff\x00\xff\x00\xff\x00\xff\x00\xff\x00\xff\x00"), .opts = 0},
};

Test(parse, options_of_other_segments)
{
	static const __u8 flags[] = {LA_ACK, LA_FIN | LA_ACK, LA_RST | LA_ACK, LA_RST};

	for (size_t i = 0; i < sizeof(data_options) / sizeof(*data_options); i++) {
		for (size_t k = 0; k < sizeof(flags); k++) {
			const struct options *row = &data_options[i];
			struct la_frame f = LA_FRAME(.flags = flags[k], .options = row->bytes,
						     .options_len = row->len, .payload_len = 20);
			struct seen s = look_at(&f);

			assert_options(&s, row);
			cr_assert_eq(s.seg.len, 20);
		}
	}
}

/* The list as RFC 9293 3.1 words it: one switch, for comparison with the parser's table. */
static void walk_options(const __u8 *o, unsigned int len, struct options *out)
{
	for (unsigned int at = 0; at < len && o[at] != LA_KIND_END;) {
		unsigned int n = o[at] == LA_KIND_NOP ? 1 : at + 1 < len ? o[at + 1] : 0;
		bool bad = n == 0 || (n == 1 && o[at] != LA_KIND_NOP) || at + n > len;

		switch (bad ? -1 : o[at]) {
		case LA_KIND_MSS:
			bad = n != 4;
			if (!bad) {
				out->opts |= LA_OPT_MSS;
				out->mss = (__u16)(o[at + 2] << 8 | o[at + 3]);
			}
			break;
		case LA_KIND_WSCALE:
			bad = n != 3;
			if (!bad) {
				out->opts |= LA_OPT_WSCALE;
				out->wscale = o[at + 2] < 14 ? o[at + 2] : 14;
			}
			break;
		case LA_KIND_SACK:
			bad = n != 2;
			if (!bad)
				out->opts |= LA_OPT_SACK;
			break;
		case LA_KIND_TS:
			bad = n != 10;
			if (!bad) {
				__be32 ts[2];

				memcpy(ts, o + at + 2, sizeof(ts));
				out->opts |= LA_OPT_TS;
				out->tsval = ntohl(ts[0]);
				out->tsecr = ntohl(ts[1]);
			}
			break;
		default:
			break;
		}
		if (bad) {
			out->opts |= LA_OPT_BAD;
			return;
		}
		at += n;
	}
}

static __u32 next_random(__u32 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

Test(parse, random_option_lists_agree_with_a_plain_walk)
{
	static const __u8 likely[] = {0, 1, 1, 2, 4, 3, 3, 4, 2, 8, 10, 5, 10, 254, 6, 40};
	__u32 state = 0x1a57ac4;

	for (int i = 0; i < 100000; i++) {
		struct options want = {.name = "random list"};
		__u8 list[40];
		struct la_frame f;
		struct seen s;

		want.len = next_random(&state) % 11 * 4;
		for (unsigned int k = 0; k < want.len; k++)
			list[k] = next_random(&state) % 8 ? likely[next_random(&state) % 16]
							  : (__u8)next_random(&state);
		walk_options(list, want.len, &want);
		f = LA_FRAME(.l3 = true, .flags = LA_SYN, .options = (const char *)list,
			     .options_len = want.len);
		s = look_at(&f);
		assert_options(&s, &want);
	}
}

/* --- keys
 * ----------------------------------------------------------------------------------------- */

static struct seen between(const char *src, __u16 sport, const char *dst, __u16 dport)
{
	struct la_frame f =
		LA_FRAME(.src = src, .sport = sport, .dst = dst, .dport = dport, .flags = LA_ACK);

	return look_at(&f);
}

static const struct {
	const char *a, *b;
} pairs[] = {
	{"10.0.0.1", "10.0.0.2"},	  {"10.0.0.2", "10.0.0.1"},
	{"1.0.0.0", "0.0.0.1"},		  {"255.255.255.255", "1.2.3.4"},
	{"127.0.0.1", "127.0.0.1"},	  {"fd00::1", "fd00::2"},
	{"fd00:0:0:1::", "fd00::1"},	  {"::1", "::1"},
	{"2001:db8::1", "2001:db8:1::1"},
};

/* Trap 15: both directions share a key; A:1-B:2 and A:2-B:1 do not. */
Test(parse, keys_are_sorted_by_pairs)
{
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		const char *a = pairs[i].a, *b = pairs[i].b;
		struct seen to = between(a, 1, b, 2), fro = between(b, 2, a, 1);
		struct seen crossed = between(a, 2, b, 1);

		assert_reason(to, LA_R_ACCEPTED, "%s to %s", a, b);
		cr_assert_eq(memcmp(&to.key, &fro.key, sizeof(to.key)), 0, "%s - %s", a, b);
		cr_assert_neq(to.seg.dir, fro.seg.dir, "%s - %s", a, b);
		assert_sender(&to, a, 1);
		assert_receiver(&to, b, 2);
		assert_sender(&fro, b, 2);
		assert_receiver(&fro, a, 1);
		if (strcmp(a, b) != 0)
			cr_assert_neq(memcmp(&to.key, &crossed.key, sizeof(to.key)), 0, "%s - %s",
				      a, b);
		else /* on one host they are the two directions of one connection */
			cr_assert_eq(memcmp(&to.key, &crossed.key, sizeof(to.key)), 0, "%s", a);
	}
}

Test(parse, a_connection_to_itself_has_a_key)
{
	struct seen s = between("127.0.0.1", 5000, "127.0.0.1", 5000);

	assert_reason(s, LA_R_ACCEPTED, "self-connect");
	assert_sender(&s, "127.0.0.1", 5000);
	assert_receiver(&s, "127.0.0.1", 5000);
}

/* la_key_fill() is the same by another door. */
Test(parse, key_fill_agrees_with_the_parser)
{
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		struct seen s = between(pairs[i].a, 1, pairs[i].b, 2);
		const __u8 *src = s.key.addr[s.seg.dir], *dst = s.key.addr[!s.seg.dir];
		struct la_key key;

		cr_assert_eq(la_key_fill(&key, src, la_hton16(1), dst, la_hton16(2)), s.seg.dir);
		cr_assert_eq(memcmp(&key, &s.key, sizeof(key)), 0);
	}
}

/* The parser does not look at checksums, kernels do: those of packet.h sum up to zero. */
Test(packet, checksums_are_right)
{
	struct la_frame v4 = LA_FRAME(.flags = LA_SYN, .ip4_options = 8, .payload_len = 7);
	struct la_frame v6 = LA_FRAME(.src = "fd00::1", .flags = LA_SYN, .payload_len = 8);
	__u32 sum4 = la_sum(27 + LA_IP_TCP, v4.bytes + v4.l3 + 12, 8);
	__u32 sum6 = la_sum(28 + LA_IP_TCP, v6.bytes + v6.l3 + 8, 32);

	cr_assert_eq(la_sum_fold(la_sum(0, v4.bytes + v4.l3, 28)), 0);
	cr_assert_eq(la_sum_fold(la_sum(sum4, v4.bytes + v4.l4, 27)), 0);
	cr_assert_eq(la_sum_fold(la_sum(sum6, v6.bytes + v6.l4, 28)), 0);
}
