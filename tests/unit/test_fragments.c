/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_fragments.c - a fragmented segment is tracked once, when all of it has come.
 */
#include "fragments.h"
#include "packet.h"
#include <criterion/criterion.h>

#define V4	"10.0.0.1"
#define V6	"fd00::1"
#define PAYLOAD 100 /* bytes, so 120 with the TCP header: fragments of 48, 48 and 24 */
#define PART	48
#define PARTS	3

static struct la_fragments *all;
static __u64 now;

static void init(void)
{
	all = la_fragments_new();
	cr_assert_not_null(all);
	now = 1000 * LA_SEC_NS;
}

static void fini(void)
{
	la_fragments_free(all);
}

TestSuite(fragments, .init = init, .fini = fini);

/* The i-th fragment of the segment that src sends. */
static struct la_frame part(const char *src, unsigned int i)
{
	return LA_FRAME(.src = src, .flags = LA_ACK, .seq = 7, .payload_len = PAYLOAD,
			.frag_at = i * PART, .frag_len = i < PARTS - 1 ? PART : 0,
			.more_fragments = i < PARTS - 1, .pad_to = 60);
}

static struct la_captured captured(const struct la_frame *f)
{
	return (struct la_captured){.data = f->bytes,
				    .cap_len = (__u32)f->len,
				    .wire_len = (__u32)f->len,
				    .link = LA_LINK_ETHER,
				    .ts = now};
}

/* Takes the i-th fragment: only the first is kept back. Returns what it completes, or NULL. */
static const struct la_captured *take(const char *src, unsigned int i)
{
	struct la_frame f = part(src, i);
	struct la_captured p = captured(&f);
	const struct la_captured *whole;

	now += LA_MSEC_NS;
	p.ts = now;
	cr_expect_eq(la_fragments_take(all, &p, &whole), i != 0, "fragment %u of %s", i, src);
	return whole;
}

static enum la_reason parsed(const struct la_captured *p, struct la_segment *seg)
{
	struct la_key key;

	memset(seg, 0, sizeof(*seg));
	return la_parse(p->data, (const __u8 *)p->data + p->cap_len, p->wire_len, p->link,
			p->l3_proto, &key, seg);
}

static void expect_whole(const struct la_captured *p, const char *src)
{
	struct la_segment seg;

	cr_assert_not_null(p, "%s", src);
	cr_assert_eq(parsed(p, &seg), LA_R_ACCEPTED, "%s", src);
	cr_expect_eq(seg.seq, 7);
	cr_expect_eq(seg.len, PAYLOAD, "%u bytes of %s", seg.len, src);
	cr_expect_eq(p->ts, now, "it has the time of the last one");
}

Test(fragments, in_any_order)
{
	static const unsigned int orders[][PARTS] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
						     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	static const char *const sources[] = {V4, V6};

	for (size_t i = 0; i < sizeof(orders) / sizeof(*orders); i++) {
		for (size_t s = 0; s < 2; s++) {
			cr_expect_null(take(sources[s], orders[i][0]));
			cr_expect_null(take(sources[s], orders[i][1]));
			expect_whole(take(sources[s], orders[i][2]), sources[s]);
		}
	}
	cr_expect_null(la_fragments_rest(all));
}

Test(fragments, of_two_segments_at_once)
{
	for (unsigned int i = 0; i < PARTS; i++) {
		const struct la_captured *first = take(V4, i);
		struct la_segment seg;

		if (i == PARTS - 1)
			cr_assert_eq(parsed(first, &seg), LA_R_ACCEPTED);
		first = take("10.0.0.9", i);
		if (i == PARTS - 1)
			expect_whole(first, "10.0.0.9");
	}
}

Test(fragments, what_is_doubled_counts_once)
{
	cr_expect_null(take(V6, 0));
	cr_expect_null(take(V6, 0));
	cr_expect_null(take(V6, 1));
	cr_expect_null(take(V6, 1));
	expect_whole(take(V6, 2), V6);
}

/* What never becomes whole counts as fragments, of which nobody knows what they carry. */
Test(fragments, of_a_segment_that_is_not_complete)
{
	const char *const sources[] = {V4, V6};

	for (size_t s = 0; s < 2; s++) {
		const struct la_captured *rest;
		struct la_segment seg;

		cr_expect_null(take(sources[s], 0));
		cr_expect_null(take(sources[s], 2));
		rest = la_fragments_rest(all);
		cr_assert_not_null(rest);
		cr_expect_eq(parsed(rest, &seg), LA_R_FRAGMENT, "%s", sources[s]);
		cr_expect_null(la_fragments_rest(all));
	}
}

/* RFC 1122 3.3.2: after a minute the same number is of another packet. */
Test(fragments, that_are_too_late)
{
	const struct la_captured *rest;
	struct la_segment seg;

	cr_expect_null(take(V4, 0));
	cr_expect_null(take(V4, 1));
	now += 61 * LA_SEC_NS;
	rest = take(V4, 2);
	cr_assert_not_null(rest);
	cr_expect_eq(parsed(rest, &seg), LA_R_FRAGMENT);
	cr_expect_null(take(V4, 1));
	expect_whole(take(V4, 0), V4);
}

/* However many wait, the oldest makes room, and none is lost of those that are left. */
Test(fragments, of_more_segments_than_there_is_room_for)
{
	char src[300][32];
	int remnants = 0;

	for (int i = 0; i < 300; i++) {
		snprintf(src[i], sizeof(src[i]), "10.1.%d.%d", i / 100, i % 100);
		remnants += take(src[i], 0) != NULL;
	}
	cr_expect_eq(remnants, 300 - 256);
	cr_expect_null(take(src[299], 1));
	expect_whole(take(src[299], 2), src[299]);
}

/* An ordinary packet is none of its business. */
Test(fragments, whole_packets_pass)
{
	struct la_frame f = LA_FRAME(.flags = LA_SYN);
	struct la_captured p = captured(&f);
	const struct la_captured *whole;

	cr_expect(la_fragments_take(all, &p, &whole));
	cr_expect_null(whole);
	f = LA_FRAME(.src = V6, .flags = LA_SYN, .ext = {{LA_IP_FRAGMENT, 8}});
	p = captured(&f);
	cr_expect(la_fragments_take(all, &p, &whole), "RFC 6946: an atomic fragment");
	cr_expect_null(whole);
}
