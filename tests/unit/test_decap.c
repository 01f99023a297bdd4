/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_decap.c - packets in tunnels: what is inside is read as if nothing were around it, and
 * what is broken is left alone.
 */
#include "../tunnel.h"
#include "native.h"
#include "options.h"
#include <criterion/criterion.h>

struct seen {
	enum la_reason reason;
	struct la_key key;
	struct la_segment seg;
};

static struct seen look(const struct la_frame *f, size_t n, size_t wire, enum la_link link)
{
	struct seen s = {.reason = LA_NO_REASON};
	__u8 *exact = malloc(n ? n : 1); /* the sanitizer watches its end */

	memcpy(exact, f->bytes, n);
	s.reason = la_parse_inner(exact, exact + n, (__u32)wire, link, 0, &s.key, &s.seg);
	free(exact);
	return s;
}

static const struct la_packet inner[] = {
	{.l3 = true, .flags = LA_SYN, .seq = 7, .options = "\2\4\5\xb4", .options_len = 4},
	{.l3 = true, .flags = LA_ACK | LA_PSH, .seq = 8, .ack = 9, .payload_len = 100, .win = 500},
	{.l3 = true, .src = "fd00::1", .flags = LA_ACK | LA_FIN, .seq = 8, .ack = 9},
};
#define INNER (sizeof(inner) / sizeof(*inner))

static struct la_frame wrapped(const struct tunnel *t, const struct la_packet *p)
{
	struct la_frame f = la_frame_build(p);

	t->wrap(&f, la_packet_is_v6(p) ? LA_ETH_IPV6 : LA_ETH_IPV4);
	return f;
}

#define each_tunnel(t, i)                                                                          \
	for (const struct tunnel *t = tunnels; t < tunnels + TUNNELS; t++)                         \
		for (const struct la_packet *i = inner; i < inner + INNER; i++)

Test(decap, what_is_inside_is_read_as_if_alone)
{
	each_tunnel(t, p)
	{
		struct la_frame alone = la_frame_build(p), f = wrapped(t, p);
		struct seen a = look(&alone, alone.len, alone.len, LA_LINK_L3);
		struct seen b = look(&f, f.len, f.len, LA_LINK_ETHER);

		cr_assert_eq(a.reason, LA_R_ACCEPTED);
		cr_expect_eq(b.reason, LA_R_ACCEPTED, "%s: %s", t->name, la_reason_word(b.reason));
		cr_expect_eq(memcmp(&a.key, &b.key, sizeof(a.key)), 0, "%s: other key", t->name);
		cr_expect_eq(memcmp(&a.seg, &b.seg, sizeof(a.seg)), 0, "%s: other segment",
			     t->name);
	}
}

/* A capture whose link header names a VLAN tag (LINUX_SLL) has tunnels, too. */
Test(decap, behind_a_tag_without_ethernet)
{
	struct la_frame f = la_frame_build(&inner[0]);
	struct la_segment seg;
	struct la_key key;
	__u8 *tag;

	tunnel_ipv4(&f, LA_TUNNEL_IPV4);
	tag = tunnel_push(&f, LA_VLAN_LEN);
	la_put16(tag + 2, LA_ETH_IPV4);
	cr_expect_eq(la_parse_inner(f.bytes, f.bytes + f.len, (__u32)f.len, LA_LINK_L3,
				    la_hton16(LA_ETH_VLAN), &key, &seg),
		     LA_R_ACCEPTED);
	cr_expect_eq(seg.seq, inner[0].seq);
}

/* Padding of the outer frame is not of the inner packet. */
Test(decap, padding_counts_nowhere)
{
	each_tunnel(t, p)
	{
		struct la_frame f = wrapped(t, p);
		struct seen a = look(&f, f.len, f.len, LA_LINK_ETHER), b;

		la_frame_put(&f, 300);
		b = look(&f, f.len, f.len, LA_LINK_ETHER);
		cr_expect_eq(memcmp(&a.seg, &b.seg, sizeof(a.seg)), 0, "%s", t->name);
	}
}

Test(decap, captured_up_to_every_byte)
{
	each_tunnel(t, p)
	{
		struct la_frame f = wrapped(t, p);

		for (size_t n = 0; n < f.len; n++) {
			struct seen s = look(&f, n, f.len, LA_LINK_ETHER);
			bool whole = n >= f.l4 + LA_TCP_LEN;

			cr_assert_eq(s.reason == LA_R_ACCEPTED, whole, "%s cut at %zu: %s", t->name,
				     n, la_reason_word(s.reason));
		}
	}
}

/* Whatever one byte says, nothing is read that is not there. */
Test(decap, any_byte_may_lie)
{
	each_tunnel(t, p)
	{
		struct la_frame f = wrapped(t, p);

		for (size_t at = 0; at < f.l4; at++)
			for (unsigned int value = 0; value < 256; value += 15) {
				__u8 was = f.bytes[at];
				struct seen s;

				f.bytes[at] = (__u8)value;
				s = look(&f, f.len, f.len, LA_LINK_ETHER);
				cr_assert(s.reason && s.reason < LA_REASON_MAX);
				f.bytes[at] = was;
			}
	}
}

/* A tunnel in a change of its headers that makes it none: the outer packet is what it is. */
Test(decap, what_is_no_tunnel)
{
	static const struct {
		const char *what;
		size_t tunnel, at;
		__u8 value;
	} rows[] = {
		{"a fragment", 0, LA_ETH_LEN + 6, 0x20},
		{"a later fragment", 0, LA_ETH_LEN + 7, 0x10},
		{"an outer length that lies", 0, LA_ETH_LEN + 2, 0xff},
		{"GRE version 1", 3, LA_ETH_LEN + LA_IP4_LEN + 1, 1},
		{"GRE with routing", 3, LA_ETH_LEN + LA_IP4_LEN, 0x40},
		{"GRE of something else", 3, LA_ETH_LEN + LA_IP4_LEN + 2, 0x88},
		{"another UDP port", 6, LA_ETH_LEN + LA_IP4_LEN + 3, 1},
		{"VXLAN without its bit", 6, LA_ETH_LEN + LA_IP4_LEN + LA_UDP_LEN, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct la_frame f = wrapped(&tunnels[rows[i].tunnel], &inner[0]);
		struct seen s;

		f.bytes[rows[i].at] = rows[i].value;
		s = look(&f, f.len, f.len, LA_LINK_ETHER);
		cr_expect(s.reason == LA_R_NOT_TCP || s.reason == LA_R_IP_BAD_LENGTH, "%s: %s",
			  rows[i].what, la_reason_word(s.reason));
	}
}

/* As deep as LA_DECAP_MAX, and no deeper. */
Test(decap, depth_is_bounded)
{
	for (int depth = 1; depth <= LA_DECAP_MAX + 1; depth++) {
		struct la_frame f = la_frame_build(&inner[0]);
		struct seen s;

		for (int i = 0; i < depth; i++)
			tunnel_ipv4(&f, LA_TUNNEL_IPV4);
		s = look(&f, f.len, f.len, LA_LINK_L3);
		cr_expect_eq(s.reason, depth <= LA_DECAP_MAX ? LA_R_ACCEPTED : LA_R_NOT_TCP,
			     "%d deep: %s", depth, la_reason_word(s.reason));
	}
}

static void ignore(struct la_sink *sink, const struct la_rec *rec)
{
	(void)sink;
	(void)rec;
}

/* Packets that the engine took for something else than TCP. */
static __u64 not_tcp(bool decap)
{
	struct la_sink sink = {.record = ignore};
	struct la_config cfg;
	struct la_native *n;
	__u64 count;

	la_config_defaults(&cfg);
	cfg.decap = decap;
	n = la_native_new(&cfg, &sink);
	each_tunnel(t, p)
	{
		struct la_frame f = wrapped(t, p);

		la_native_packet(n, f.bytes, (__u32)f.len, (__u32)f.len, LA_LINK_ETHER, 0,
				 LA_SEC_NS);
	}
	count = la_native_counters(n)->packets[LA_NO_HOOK][LA_R_NOT_TCP];
	la_native_finish(n);
	la_native_free(n);
	return count;
}

/* The engine looks into tunnels only if it is told to. */
Test(decap, only_if_told)
{
	cr_expect_eq(not_tcp(false), TUNNELS * INNER);
	cr_expect_eq(not_tcp(true), 0);
}
