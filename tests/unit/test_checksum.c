/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_checksum.c - which packets of a capture are damaged, and what replay makes of them.
 */
#include "../icmp.h"
#include "../tunnel.h"
#include "capture.h"
#include "checksum.h"
#include "native.h"
#include "options.h"
#include "replay.h"

/* The verdict on a frame of which n bytes were captured, in a buffer of just that size. */
static enum la_reason verdict_of(const struct la_frame *f, size_t n, enum la_link link)
{
	__u8 *exact = malloc(n ? n : 1); /* the sanitizer watches its end */
	struct la_captured p = {
		.data = exact, .cap_len = (__u32)n, .wire_len = (__u32)f->len, .link = link};
	enum la_reason verdict;

	cr_assert_not_null(exact);
	memcpy(exact, f->bytes, n);
	verdict = la_checksum_verify(&p);
	free(exact);
	return verdict;
}

static enum la_reason verdict(const struct la_frame *f)
{
	return verdict_of(f, f->len, LA_LINK_ETHER);
}

#define expect_verdict(f, want, ...)                                                               \
	do {                                                                                       \
		enum la_reason got_ = verdict(f);                                                  \
		cr_expect_eq(got_, want, "%s: " __VA_ARGS__, la_reason_word(got_));                \
	} while (0)

/* An odd number of bytes is part of it: the last one stands for the upper half of a word. */
static const struct la_packet packets[] = {
	{.flags = LA_SYN, .options = "\2\4\5\xb4", .options_len = 4, .seq = 0xfffffffe},
	{.flags = LA_ACK | LA_PSH, .payload_len = 1001, .win = 500},
	{.flags = LA_ACK, .vlans = 2, .ip4_options = 12, .pad_to = 90},
	{.flags = LA_ACK | LA_PSH, .src = "fd00::1", .payload_len = 77},
	{.flags = LA_ACK, .src = "fd00::1", .ext = {{LA_IP_HOPOPTS, 16}, {LA_IP_AH, 24}}},
	{.flags = LA_RST | LA_ACK, .src = "::1", .dst = "::2"},
};
#define PACKETS	       (sizeof(packets) / sizeof(*packets))
#define each_packet(p) for (const struct la_packet *p = packets; p < packets + PACKETS; p++)

Test(checksum, what_a_host_sends_is_right)
{
	each_packet(p)
	{
		struct la_frame f = la_frame_build(p);

		expect_verdict(&f, LA_NO_REASON, "packet %td", p - packets);
	}
}

/* Any single bit of the segment, header or payload. */
Test(checksum, one_bit_is_enough)
{
	each_packet(p)
	{
		struct la_frame f = la_frame_build(p);

		for (size_t bit = 8 * f.l4; bit < 8 * f.end; bit++) {
			f.bytes[bit / 8] ^= (__u8)(1 << bit % 8);
			expect_verdict(&f, LA_R_TCP_BAD_CHECKSUM, "packet %td, bit %zu",
				       p - packets, bit);
			f.bytes[bit / 8] ^= (__u8)(1 << bit % 8);
		}
	}
}

/* Sums are made of several words at once; those that build the frame are made byte by byte. */
Test(checksum, of_any_length_at_any_address)
{
	static __u8 bytes[LA_FRAME_MAX + 8];

	for (__u32 len = 0; len < 400; len++) {
		struct la_frame f = LA_FRAME(.flags = LA_ACK, .payload_len = len);
		size_t at = len % 8, damaged = f.l4 + 4 + len * 7 % (f.end - f.l4 - 4);
		struct la_captured p = {.data = bytes + at,
					.cap_len = (__u32)f.len,
					.wire_len = (__u32)f.len,
					.link = LA_LINK_ETHER};

		memcpy(bytes + at, f.bytes, f.len);
		cr_expect_eq(la_checksum_verify(&p), LA_NO_REASON, "%u bytes", len);
		bytes[at + damaged] ^= 0x10;
		cr_expect_eq(la_checksum_verify(&p), LA_R_TCP_BAD_CHECKSUM, "%u bytes", len);
	}
}

Test(checksum, of_the_ipv4_header)
{
	static const size_t fields[] = {1, 4, 6, 8, 10, 12, 16};

	for (size_t i = 0; i < COUNT(fields); i++) {
		struct la_frame f = la_frame_build(&packets[1]);

		f.bytes[f.l3 + fields[i]] ^= 0x04;
		expect_verdict(&f, LA_R_IP_BAD_CHECKSUM, "byte %zu", fields[i]);
	}
}

/* What the sending host leaves to its network card: partial sums, with the length or without. */
Test(checksum, left_to_the_network_card)
{
	each_packet(p)
	{
		struct la_frame f = la_frame_build(p);
		__u32 n = (__u32)(f.end - f.l4), pseudo = la_frame_pseudo(&f);

		la_put16(f.bytes + f.l4 + 16, pseudo);
		expect_verdict(&f, LA_NO_REASON, "packet %td", p - packets);
		la_put16(f.bytes + f.l4 + 16, pseudo > n ? pseudo - n : pseudo + 0xffff - n);
		expect_verdict(&f, LA_NO_REASON, "packet %td, without length", p - packets);
		la_put16(f.bytes + f.l4 + 16, pseudo ^ 1);
		expect_verdict(&f, LA_R_TCP_BAD_CHECKSUM, "packet %td, damaged", p - packets);
	}
}

Test(checksum, an_ipv4_header_left_to_the_network_card)
{
	struct la_frame f = la_frame_build(&packets[1]);

	la_put16(f.bytes + f.l3 + 10, 0);
	expect_verdict(&f, LA_NO_REASON);
	f.bytes[f.l4 + 4] ^= 1;
	expect_verdict(&f, LA_R_TCP_BAD_CHECKSUM);
}

/* Of a packet that is not whole, only an IPv4 header that is whole can be told. */
Test(checksum, what_was_cut_off_cannot_be_told)
{
	each_packet(p)
	{
		struct la_frame f = la_frame_build(p);

		f.bytes[f.l4 + 4] ^= 1;
		for (size_t n = 0; n < f.end; n++)
			cr_expect_eq(verdict_of(&f, n, LA_LINK_ETHER), LA_NO_REASON,
				     "packet %td, %zu bytes", p - packets, n);
		cr_expect_eq(verdict_of(&f, f.end, LA_LINK_ETHER), LA_R_TCP_BAD_CHECKSUM);
	}
}

Test(checksum, fragments_cannot_be_told)
{
	const struct la_packet fragments[] = {
		{.flags = LA_ACK, .payload_len = 100, .frag_len = 64, .more_fragments = true},
		{.flags = LA_ACK, .payload_len = 100, .frag_at = 64},
		{.flags = LA_ACK,
		 .src = "fd00::1",
		 .payload_len = 100,
		 .frag_len = 64,
		 .more_fragments = true},
		{.flags = LA_ACK, .src = "fd00::1", .payload_len = 100, .frag_at = 64},
	};

	for (size_t i = 0; i < COUNT(fragments); i++) {
		struct la_frame f = la_frame_build(&fragments[i]);

		expect_verdict(&f, LA_NO_REASON, "fragment %zu", i);
	}
}

/* A routing header may name another destination than the one that is summed. */
Test(checksum, behind_a_routing_header_cannot_be_told)
{
	struct la_frame f =
		LA_FRAME(.flags = LA_ACK, .src = "fd00::1", .ext = {{LA_IP_ROUTING, 24}});

	f.bytes[f.l4 + 4] ^= 1;
	expect_verdict(&f, LA_NO_REASON);
}

Test(checksum, inside_a_tunnel)
{
	static const struct la_packet inner[] = {
		{.l3 = true, .flags = LA_ACK, .payload_len = 33},
		{.l3 = true, .flags = LA_ACK, .payload_len = 33, .src = "fd00::1"}};

	for (const struct tunnel *t = tunnels; t < tunnels + TUNNELS; t++)
		for (size_t i = 0; i < COUNT(inner); i++) {
			struct la_frame f = la_frame_build(&inner[i]);

			t->wrap(&f, i ? LA_ETH_IPV6 : LA_ETH_IPV4);
			expect_verdict(&f, LA_NO_REASON, "%s", t->name);
			f.bytes[f.payload] ^= 1;
			expect_verdict(&f, LA_R_TCP_BAD_CHECKSUM, "%s", t->name);
		}
}

Test(checksum, of_icmp_errors)
{
	static const struct la_icmp_message errors[] = {
		{.type = 3, .code = 1, .quoted = {.flags = LA_SYN}},
		{.type = 1, .code = 4, .quoted = {.flags = LA_SYN, .src = "fd00::1"}},
	};

	for (size_t i = 0; i < COUNT(errors); i++) {
		struct la_frame f = la_icmp_build(&errors[i]);

		expect_verdict(&f, LA_NO_REASON, "error %zu", i);
		f.bytes[f.l4 + 1] ^= 1;
		expect_verdict(&f, LA_R_ICMP_BAD_CHECKSUM, "error %zu", i);
	}
}

/* Other protocols have other checksums. */
Test(checksum, of_what_is_not_tracked)
{
	struct la_frame f = LA_FRAME(.proto = 17, .payload_len = 10);

	f.bytes[f.payload] ^= 1;
	expect_verdict(&f, LA_NO_REASON);
	la_put16(f.bytes + 12, 0x0806);
	expect_verdict(&f, LA_NO_REASON);
}

/* ---- replay ---- */

struct replayed {
	struct heard *heard;
	struct la_native *native;
};

/* The whole connection of heard.h, and before each of its packets a damaged copy. */
static struct replayed replay_connection(void (*damage)(struct la_frame *), bool no_checksums)
{
	struct replayed r = {.heard = heard_new()};
	struct la_replay replay = {.no_checksums = no_checksums};
	struct capture c = {.len = 0};
	struct la_config cfg;

	pcap_begin(&c, LINKTYPE_ETHERNET);
	for (size_t i = 0; i < COUNT(whole_connection); i++) {
		struct la_frame good = frame_of(&whole_connection[i], 40000, false), bad = good;

		damage(&bad);
		pcap_packet(&c, BEGINNING + whole_connection[i].at, bad.bytes, bad.len, bad.len);
		pcap_packet(&c, BEGINNING + whole_connection[i].at, good.bytes, good.len, good.len);
	}
	la_config_defaults(&cfg);
	r.native = la_native_new(&cfg, &r.heard->sink);
	cr_assert_not_null(r.native);
	replay.engine = la_native_engine(r.native);
	cr_assert_eq(la_replay_stream(&replay, capture_file(&c)), 0);
	return r;
}

static void replayed_end(struct replayed *r)
{
	la_native_free(r->native);
	la_sink_close(&r->heard->sink);
}

static __u64 counted(const struct replayed *r, enum la_reason reason)
{
	return la_native_counters(r->native)->packets[LA_NO_HOOK][reason];
}

static void becomes_a_rst(struct la_frame *f)
{
	f->bytes[f->l4 + 13] ^= LA_RST;
}

static void loses_a_hop(struct la_frame *f)
{
	f->bytes[f->l3 + 8] -= 1;
}

static const char *const whole_connection_lines[] = {WHOLE_CONNECTION_LINES};

/* Nothing of it is believed; only a letter of Zeek's tells, the first of each side. */
Test(checksum, a_damaged_segment_changes_no_more_than_the_history)
{
	struct replayed r = replay_connection(becomes_a_rst, false);
	const struct la_rec_close *close = &r.heard->rec[10].close;

	expect_heard(r.heard, 0, whole_connection_lines, COUNT(whole_connection_lines));
	cr_expect_eq(counted(&r, LA_R_TCP_BAD_CHECKSUM), COUNT(whole_connection));
	cr_expect_eq(close->history_len, 10);
	cr_expect_eq(memcmp(close->history, "SchCADdFaf", 10), 0, "%.*s", close->history_len,
		     close->history);
	cr_expect_eq(close->side[LA_ORIG].pkts, 6);
	cr_expect_eq(close->side[LA_RESP].pkts, 4);
	replayed_end(&r);
}

/* Whose it was cannot be known: its addresses may be what was damaged. */
Test(checksum, a_damaged_ipv4_header_is_only_counted)
{
	struct replayed r = replay_connection(loses_a_hop, false);
	const struct la_rec_close *close = &r.heard->rec[10].close;

	expect_heard(r.heard, 0, whole_connection_lines, COUNT(whole_connection_lines));
	cr_expect_eq(counted(&r, LA_R_IP_BAD_CHECKSUM), COUNT(whole_connection));
	cr_expect_eq(memcmp(close->history, "ShADdFaf", 8), 0, "%.*s", close->history_len,
		     close->history);
	replayed_end(&r);
}

Test(checksum, all_are_believed_when_asked_to)
{
	struct replayed r = replay_connection(loses_a_hop, true);

	cr_expect_eq(counted(&r, LA_R_IP_BAD_CHECKSUM), 0);
	cr_expect_gt(counted(&r, LA_R_ACCEPTED), COUNT(whole_connection));
	replayed_end(&r);
	r = replay_connection(becomes_a_rst, true);
	cr_expect_eq(counted(&r, LA_R_TCP_BAD_CHECKSUM), 0);
	cr_expect_neq(r.heard->n, COUNT(whole_connection_lines), "RSTs were taken for damaged");
	replayed_end(&r);
}
