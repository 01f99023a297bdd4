/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_frames.c - every kind of frame through the real programs.
 *
 * The parser's own tests are in tests/unit; here the same bytes go through the compiled and
 * verified programs, with what only a hook knows: super-packets, frames of several buffers,
 * devices without Ethernet header. What is not tracked must be counted by its reason.
 */
#include "../packet.h"
#include "engine.h"
#include <criterion/criterion.h>

#define NOW (1000 * LA_SEC_NS)

struct last {
	struct la_sink sink;
	struct la_rec_close close;
	int closes, records;
};

static void keep_close(struct la_sink *sink, const struct la_rec *rec)
{
	struct last *l = (struct last *)sink;

	l->records++;
	if (rec->type != LA_REC_CLOSE)
		return;
	l->closes++;
	l->close = *(const struct la_rec_close *)rec;
}

static struct la_engine *engine_new(struct last *last)
{
	struct la_engine_opts opts = {.max_flows = 1024, .frags = true};
#define SET(sym, word, seconds) opts.config.timeout[LA_TIMEOUT_##sym] = (seconds)*LA_SEC_NS;

	LA_TIMEOUTS(SET)
	memset(last, 0, sizeof(*last));
	last->sink.record = keep_close;
	return la_engine_new(&opts, &last->sink);
}

static void finish(struct la_engine *e)
{
	la_engine_shutdown(e, NOW + LA_SEC_NS);
	la_engine_drain(e);
}

/* ---- all links and headers end in the same flow ---- */

struct shape {
	const char *name;
	struct la_packet packet;
};

static const struct shape shapes[] = {
	{"IPv4", {.src = "10.0.0.1"}},
	{"IPv4 in one VLAN", {.vlans = 1}},
	{"IPv4 in two VLANs", {.vlans = 2}},
	{"IPv4 with options", {.ip4_options = 40}},
	{"IPv4 with padding", {.pad_to = 60}},
	{"IPv4, first fragment", {.more_fragments = true}},
	{"IPv6", {.src = "fd00::1"}},
	{"IPv6 in two VLANs", {.src = "fd00::1", .vlans = 2}},
	{
		"IPv6 with extension headers",
		{.src = "fd00::1",
		 .ext = {{LA_IP_HOPOPTS, 8}, {LA_IP_ROUTING, 24}, {LA_IP_DSTOPTS, 16}}},
	},
	{"IPv6, first fragment", {.src = "fd00::1", .ext = {{LA_IP_FRAGMENT, 8}}}},
};

static struct la_frame shaped(const struct shape *shape, __u8 flags, __u32 seq, __u32 len)
{
	struct la_packet p = shape->packet;

	p.flags = flags;
	p.seq = seq;
	p.ack = flags & LA_ACK ? 9 : 0;
	p.payload_len = len;
	p.win = 1000;
	return la_frame_build(&p);
}

static void track_shape(struct la_engine *e, struct last *last, enum la_gate gate,
			const struct shape *shape)
{
	struct la_frame syn = shaped(shape, LA_SYN, 1000, 0);
	struct la_frame rst = shaped(shape, LA_RST | LA_ACK, 1001, 0);
	int pass = gate == LA_GATE_XDP ? 2 /* XDP_PASS */ : -1 /* TC_ACT_UNSPEC */;

	last->closes = 0;
	cr_expect_eq(la_engine_packet(e, gate, syn.bytes, syn.len, NOW), pass, "%s", shape->name);
	cr_expect_eq(la_engine_packet(e, gate, rst.bytes, rst.len, NOW), pass, "%s", shape->name);
	finish(e); /* the table is empty for the next shape */
	cr_expect_eq(last->closes, 1, "%s at gate %d: %d close records", shape->name, gate,
		     last->closes);
	cr_expect_eq(last->close.side[LA_ORIG].pkts, 2, "%s", shape->name);
	cr_expect_eq(last->close.reason, LA_CLOSE_RESET, "%s", shape->name);
}

Test(frames, every_shape_at_every_gate, .timeout = 60)
{
	struct last last;
	struct la_engine *e = engine_new(&last);

	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		track_shape(e, &last, LA_GATE_XDP, &shapes[i]);
		track_shape(e, &last, LA_GATE_TC_INGRESS, &shapes[i]);
		track_shape(e, &last, LA_GATE_TC_EGRESS, &shapes[i]);
	}
	la_engine_free(e);
}

/* ---- what is not tracked is counted ---- */

static __u64 counted(const struct la_engine *e, enum la_hook hook, enum la_reason reason)
{
	return la_engine_counters(e).packets[hook][reason];
}

struct refused {
	enum la_reason reason;
	struct la_packet packet;
	unsigned int cut; /* bytes cut off the end */
	unsigned int at;  /* offset of a byte to be changed, 0: none */
	__u8 value;
};

static const struct refused refusals[] = {
	{LA_R_FLAGS_NULL, {.flags = 0}, 0, 0, 0},
	{LA_R_FLAGS_SYN_FIN, {.flags = LA_SYN | LA_FIN}, 0, 0, 0},
	{LA_R_FLAGS_SYN_RST, {.flags = LA_SYN | LA_RST}, 0, 0, 0},
	{LA_R_FLAGS_FIN_RST, {.flags = LA_FIN | LA_RST | LA_ACK}, 0, 0, 0},
	{LA_R_FLAGS_NO_ACK, {.flags = LA_FIN}, 0, 0, 0},
	{LA_R_NO_FLOW, {.flags = LA_RST}, 0, 0, 0},
	{LA_R_NOT_TCP, {.proto = 17, .flags = LA_SYN}, 0, 0, 0},
	{LA_R_NOT_IP, {.flags = LA_SYN}, 0, 12, 0x88},
	{LA_R_VLAN_DEPTH, {.vlans = 3, .flags = LA_SYN}, 0, 0, 0},
	{LA_R_FRAGMENT, {.flags = LA_SYN, .payload_len = 64, .frag_at = 32}, 0, 0, 0},
	{LA_R_IP_BAD_HEADER, {.flags = LA_SYN}, 0, 14, 0x44},
	{LA_R_IP_BAD_LENGTH, {.flags = LA_SYN}, 0, 16, 0x7f},
	{LA_R_TCP_BAD_OFFSET, {.flags = LA_SYN}, 0, 46, 0x40},
};

Test(frames, what_is_not_tracked_is_counted, .timeout = 60)
{
	struct last last;
	struct la_engine *e = engine_new(&last);

	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
		const struct refused *r = &refusals[i];
		struct la_frame f = la_frame_build(&r->packet);

		if (r->at)
			f.bytes[r->at] = r->value;
		la_engine_packet(e, LA_GATE_XDP, f.bytes, f.len - r->cut, NOW);
		la_engine_packet(e, LA_GATE_TC_EGRESS, f.bytes, f.len - r->cut, NOW);
		cr_expect_eq(counted(e, LA_HOOK_XDP, r->reason), 1, "%s at XDP",
			     la_reason_word(r->reason));
		cr_expect_eq(counted(e, LA_HOOK_TC_EGRESS, r->reason), 1, "%s at tc",
			     la_reason_word(r->reason));
	}
	la_engine_drain(e);
	cr_expect_eq(last.records, 0, "%d records of packets that are not tracked", last.records);
	cr_expect_eq(la_engine_flows(e), 0);
	la_engine_free(e);
}

/* Every length that a frame can be cut to, and every byte of its headers broken in turn. */
Test(frames, broken_frames_do_no_harm, .timeout = 60)
{
	struct last last;
	struct la_engine *e = engine_new(&last);
	struct la_frame good =
		LA_FRAME(.flags = LA_SYN, .options = "\x02\x04\x05\xb4", .options_len = 4);
	int sent = 0;
	__u64 sum = 0;
	struct la_counters c;

	for (size_t len = 14; len < good.len; len++, sent++)
		la_engine_packet(e, LA_GATE_XDP, good.bytes, len, NOW);
	for (size_t at = 12; at < good.len; at++) {
		for (int bit = 0; bit < 8; bit++, sent++) {
			struct la_frame f = good;

			f.bytes[at] ^= 1 << bit;
			la_engine_packet(e, LA_GATE_TC_INGRESS, f.bytes, f.len, NOW);
		}
	}
	c = la_engine_counters(e);
	for (int r = 0; r < LA_REASON_MAX; r++)
		sum += c.packets[LA_HOOK_XDP][r] + c.packets[LA_HOOK_TC_INGRESS][r];
	cr_expect_eq(sum, sent, "%llu packets counted of %d", sum, sent);
	cr_expect_eq(c.packets[LA_HOOK_XDP][LA_NO_REASON], 0);
	cr_expect_eq(c.packets[LA_HOOK_TC_INGRESS][LA_NO_REASON], 0);
	la_engine_free(e);
}

/* ---- super-packets and frames of several buffers ---- */

static void open_connection(struct la_engine *e, enum la_gate gate)
{
	struct la_frame syn =
		LA_FRAME(.flags = LA_SYN, .seq = 100, .win = 65535,
			 .options = "\x02\x04\x05\xb4\x01\x03\x03\x07", .options_len = 8);
	struct la_frame syn_ack =
		LA_FRAME(.src = "10.0.0.2", .dst = "10.0.0.1", .sport = 443, .dport = 40000,
			 .flags = LA_SYN | LA_ACK, .seq = 500, .ack = 101, .win = 65535,
			 .options = "\x02\x04\x05\xb4\x01\x03\x03\x07", .options_len = 8);
	struct la_frame ack = LA_FRAME(.flags = LA_ACK, .seq = 101, .ack = 501, .win = 1000);

	la_engine_packet(e, gate, syn.bytes, syn.len, NOW);
	la_engine_packet(e, gate, syn_ack.bytes, syn_ack.len, NOW);
	la_engine_packet(e, gate, ack.bytes, ack.len, NOW);
}

/* As much as BPF_PROG_TEST_RUN puts into an skb. */
#define SEGS	2
#define SUPER	(SEGS * 1448)
#define HEADERS 40

/* GSO and GRO: counted as the wire would, each segment with its headers. */
Test(frames, a_super_packet_counts_as_its_segments, .timeout = 60)
{
	struct last last;
	struct la_engine *e = engine_new(&last);
	struct la_frame super = LA_FRAME(.flags = LA_ACK | LA_PSH, .seq = 101, .ack = 501,
					 .win = 1000, .payload_len = SUPER);

	open_connection(e, LA_GATE_TC_EGRESS);
	la_engine_skb(e, LA_GATE_TC_EGRESS, super.bytes, super.len, SEGS, 1448, NOW);
	finish(e);
	cr_expect_eq(last.close.side[LA_ORIG].pkts, 2 + SEGS, "%llu",
		     last.close.side[LA_ORIG].pkts);
	cr_expect_eq(last.close.side[LA_ORIG].bytes, SUPER);
	cr_expect_eq(last.close.side[LA_ORIG].ip_bytes, 48 + 40 + SUPER + SEGS * HEADERS, "%llu",
		     last.close.side[LA_ORIG].ip_bytes);
	la_engine_free(e);
}

/* XDP is told nothing of segments; the receiver's MSS says how many it took. */
Test(frames, a_frame_of_several_buffers, .timeout = 60)
{
	struct last last;
	struct la_engine *e = engine_new(&last);
	struct la_frame big = LA_FRAME(.flags = LA_ACK | LA_PSH, .seq = 101, .ack = 501,
				       .win = 1000, .payload_len = 10 * 1460);

	open_connection(e, LA_GATE_XDP);
	la_engine_packet(e, LA_GATE_XDP, big.bytes, big.len, NOW);
	finish(e);
	cr_expect_eq(last.close.side[LA_ORIG].bytes, 10 * 1460, "%llu",
		     last.close.side[LA_ORIG].bytes);
	cr_expect_eq(last.close.side[LA_ORIG].pkts, 2 + 10, "%llu", last.close.side[LA_ORIG].pkts);
	la_engine_free(e);
}

/* No room: the oldest attempts leave it, and each of them is told of. */
Test(frames, full_table, .timeout = 60)
{
	struct last last;
	struct la_engine *e = engine_new(&last);
	int extra = 50;

	for (int i = 0; i < 1024 + extra; i++) {
		struct la_frame f = LA_FRAME(.sport = 1024 + i, .flags = LA_SYN, .seq = i);

		la_engine_packet(e, LA_GATE_XDP, f.bytes, f.len, NOW);
	}
	cr_expect_eq(counted(e, LA_HOOK_XDP, LA_R_TABLE_FULL), 0);
	cr_expect_eq(la_engine_flows(e), 1024);
	finish(e);
	cr_expect_eq(last.closes, 1024 + extra);
	la_engine_free(e);
}
