/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_icmp.c - ICMP errors: which connection one quotes, and what it does to it.
 *
 * First the bytes (la_icmp.h), good ones and hostile ones; then what the tracker makes of an
 * error (la_on_icmp.h), as talks.
 */
#include "../icmp.h"
#include "la_icmp.h"
#include "talk.h"

static struct talk t;

static void init(void)
{
	talk_init(&t, 40000, 80);
}

TestSuite(icmp, .init = init);

/* ---- bytes ---- */

struct parsed {
	enum la_reason reason;
	struct la_key key;
	struct la_segment seg;
};

/* The bytes lie at the end of an allocation, so that the sanitizer sees each one too many. */
static struct parsed parse(const struct la_frame *f, size_t len)
{
	__u8 *copy = malloc(len ? len : 1);
	struct parsed p;

	memcpy(copy, f->bytes, len);
	p.reason = la_parse(copy, copy + len, f->len, LA_LINK_ETHER, 0, &p.key, &p.seg);
	if (p.reason == LA_R_ICMP)
		p.reason = la_parse_icmp(copy, copy + len, &p.key, &p.seg);
	free(copy);
	return p;
}

#define QUOTED                                                                                     \
	{                                                                                          \
		.sport = 40000, .dport = 80, .seq = 0x01020304, .flags = LA_SYN                    \
	}
#define QUOTED6                                                                                    \
	{                                                                                          \
		.src = "fd00::1", .dst = "fd00::2", .sport = 40000, .dport = 80,                   \
		.seq = 0x01020304, .flags = LA_SYN                                                 \
	}

Test(icmp, the_quoted_segment_is_found)
{
	static const struct la_icmp_message messages[] = {
		{.type = 3, .code = 1, .quoted = QUOTED},
		{.type = 3, .code = 3, .quoted = QUOTED, .quote = 28},
		{.type = 11, .from = "192.0.2.1", .quoted = QUOTED, .quote = 28},
		{.type = 3, .code = 13, .quoted = QUOTED, .ip4_options = 40},
		{.type = 3,
		 .quoted = {.ip4_options = 40,
			    .sport = 40000,
			    .dport = 80,
			    .seq = 0x01020304,
			    .flags = LA_SYN}},
		{.type = 1, .code = 4, .quoted = QUOTED6},
		{.type = 3, .from = "fd00::99", .quoted = QUOTED6, .quote = 48},
	};

	for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++) {
		const struct la_icmp_message *m = &messages[i];
		struct la_frame f = la_icmp_build(m), quoted = la_frame_build(&m->quoted);
		struct parsed want, got = parse(&f, f.len);

		la_parse(quoted.bytes, quoted.bytes + quoted.len, quoted.len, LA_LINK_ETHER, 0,
			 &want.key, &want.seg);
		cr_assert_eq(got.reason, LA_R_ACCEPTED, "%zu: %s", i, la_reason_word(got.reason));
		cr_assert_eq(memcmp(&got.key, &want.key, sizeof(got.key)), 0, "%zu", i);
		cr_assert_eq(got.seg.dir, want.seg.dir);
		cr_assert_eq(got.seg.seq, 0x01020304);
		cr_assert_eq(got.seg.icmp_type, m->type);
		cr_assert_eq(got.seg.icmp_code, m->code);
		cr_assert_eq(got.seg.flags, 0);
	}
}

Test(icmp, what_is_no_error_about_a_segment)
{
	static const struct la_icmp_message messages[] = {
		{.type = 8, .quoted = QUOTED},		   /* echo */
		{.type = 0, .quoted = QUOTED},		   /* echo reply */
		{.type = 3, .code = 4, .quoted = QUOTED},  /* fragmentation needed */
		{.type = 3, .code = 16, .quoted = QUOTED}, /* no such code */
		{.type = 3, .code = 255, .quoted = QUOTED},
		{.type = 5, .quoted = QUOTED},	      /* redirect */
		{.type = 3, .quoted = {.proto = 17}}, /* about UDP */
		{.type = 3, .quoted = {.frag_at = 8, .flags = LA_ACK}},
		{.type = 2, .quoted = QUOTED6},	  /* packet too big */
		{.type = 128, .quoted = QUOTED6}, /* echo */
		{.type = 1, .code = 7, .quoted = QUOTED6},
		{.type = 1, .quoted = {.src = "fd00::1", .proto = 17}},
	};

	for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++) {
		struct la_frame f = la_icmp_build(&messages[i]);
		struct parsed p = parse(&f, f.len);

		cr_assert_eq(p.reason, LA_R_ICMP, "%zu: %s", i, la_reason_word(p.reason));
	}
}

/* Every length that is too short, and every byte of both headers wrong in turn. */
Test(icmp, hostile_bytes)
{
	static const struct la_icmp_message messages[] = {{.type = 3, .quoted = QUOTED},
							  {.type = 1, .quoted = QUOTED6}};

	for (int v6 = 0; v6 < 2; v6++) {
		const struct la_frame good = la_icmp_build(&messages[v6]);
		size_t need = good.payload + (v6 ? 40 : 20) + 8;

		for (size_t len = 0; len < good.len; len++) {
			enum la_reason reason = parse(&good, len).reason;

			cr_assert_eq(reason == LA_R_ACCEPTED, len >= need, "%zu of %zu bytes: %s",
				     len, good.len, la_reason_word(reason));
		}
		for (size_t at = good.l3; at < good.len; at++)
			for (int value = 0; value < 256; value++) {
				struct la_frame f = good;

				f.bytes[at] = (__u8)value;
				parse(&f, need); /* the sanitizers look on */
			}
	}
}

/* A quoted header that claims to be longer than what is there. */
Test(icmp, lying_quoted_length)
{
	struct la_frame f =
		la_icmp_build(&(struct la_icmp_message){.type = 3, .quoted = QUOTED, .quote = 28});

	f.bytes[f.payload] = 0x4f;
	cr_assert_eq(parse(&f, f.len).reason, LA_R_ICMP);
	f.bytes[f.payload] = 0x44;
	cr_assert_eq(parse(&f, f.len).reason, LA_R_ICMP);
	f.bytes[f.payload] = 0x65;
	cr_assert_eq(parse(&f, f.len).reason, LA_R_ICMP);
}

/* ---- what an error does ---- */

#define ICMP(type, code) ((type) << 8 | (code))

Test(icmp, port_unreachable_refuses_an_attempt)
{
	talk_lines(&t, {ORIG, S},
		   {ORIG, .icmp = ICMP(3, 3), .reason = LA_R_ICMP_ERROR, .orig = LA_CLOSED,
		    .resp = LA_CLOSED});
	assert_path(&t, ORIG, "SYN_SENT ~CLOSED");
	assert_path(&t, RESP, "~CLOSED");
	assert_closed(&t, "refused", "resp", "CLOSED", "CLOSED");
	cr_assert_eq(talk_close(&t)->icmp_type, 3);
	cr_assert_eq(talk_close(&t)->icmp_code, 3);
	cr_assert_eq(talk_close(&t)->icmp_to, LA_ORIG);
	cr_assert_eq(talk_close(&t)->stage, LA_STAGE_POST_SYN);
	cr_assert_eq(talk_close(&t)->side[ORIG].pkts, 1, "the error is no segment");
	cr_assert_eq(talk_find(&t, LA_REC_STATE, 1)->state.cause, LA_CAUSE_ICMP);
	talk_lines(&t, {WAIT, 11000});
	cr_assert_eq(talk_count(&t, LA_REC_GONE), 1);
	assert_gapless(&t);
}

/* In SYN_SENT Linux gives up at any of them. */
Test(icmp, any_other_error_makes_an_attempt_unreachable)
{
	static const int errors[] = {ICMP(3, 0),  ICMP(3, 1),  ICMP(3, 2), ICMP(3, 13),
				     ICMP(3, 10), ICMP(11, 0), ICMP(12, 0)};

	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		init();
		talk_lines(&t, {ORIG, S}, {ORIG, S, .reason = LA_R_SYN_RETRANSMIT},
			   {ORIG, .icmp = errors[i], .reason = LA_R_ICMP_ERROR, .orig = LA_CLOSED,
			    .resp = LA_LISTEN},
			   {ORIG, .icmp = errors[i], .reason = LA_R_LATE});
		assert_closed(&t, "unreachable", "none", "CLOSED", "LISTEN");
		assert_gapless(&t);
	}
}

/* RFC 5927 4.1: a blind attacker does not know the sequence number. */
Test(icmp, the_quoted_number_must_be_in_flight)
{
	talk_lines(&t, {ORIG, S},
		   {ORIG, .seq = 2, .icmp = ICMP(3, 3), .reason = LA_R_ICMP_STRAY,
		    .orig = LA_SYN_SENT, .resp = LA_LISTEN},
		   {ORIG, .seq = (__u32)-1, .icmp = ICMP(3, 3), .reason = LA_R_ICMP_STRAY},
		   {RESP, .icmp = ICMP(3, 3), .reason = LA_R_ICMP_STRAY, .orig = LA_SYN_SENT,
		    .resp = LA_LISTEN},
		   {RESP, SA, 0, 1}, {ORIG, A, 1, 1}, {ORIG, PA, 1, 1, 10}, {RESP, A, 1, 11},
		   {ORIG, PA, 11, 1, 10},
		   {ORIG, .seq = 1, .icmp = ICMP(3, 1), .reason = LA_R_ICMP_STRAY},
		   {ORIG, .seq = 22, .icmp = ICMP(3, 1), .reason = LA_R_ICMP_STRAY},
		   {ORIG, .seq = 11, .icmp = ICMP(3, 1), .reason = LA_R_ICMP_ERROR});
	cr_assert_eq(t.flow.side[t.orig].icmp_type, 3);
}

/* A connection that is open takes it for advice, and tells of it when it ends. */
Test(icmp, an_open_connection_goes_on)
{
	t.cfg.timeout[LA_TIMEOUT_ESTABLISHED] = 10 * LA_SEC_NS;
	talk_lines(&t, {ORIG, S}, {RESP, SA, 0, 1}, {ORIG, A, 1, 1}, {RESP, PA, 1, 1, 10},
		   {RESP, .seq = 1, .icmp = ICMP(3, 13), .reason = LA_R_ICMP_ERROR,
		    .orig = LA_ESTABLISHED, .resp = LA_ESTABLISHED},
		   {WAIT, 9999});
	assert_closed(&t, "timeout", "none", "ESTABLISHED", "ESTABLISHED");
	cr_assert_eq(talk_close(&t)->icmp_code, 13);
	cr_assert_eq(talk_close(&t)->icmp_to, LA_RESP);
}

/* Somebody has answered: Linux does not let the error end a request (tcp_req_err). */
Test(icmp, a_syn_ack_that_finds_no_port)
{
	talk_lines(&t, {ORIG, S}, {RESP, SA, 0, 1},
		   {RESP, .seq = 0, .icmp = ICMP(3, 3), .reason = LA_R_ICMP_ERROR,
		    .orig = LA_SYN_SENT, .resp = LA_SYN_RECEIVED});
	cr_assert_eq(talk_count(&t, LA_REC_CLOSE), 0);
}

Test(icmp, no_flow_is_made_of_an_error)
{
	talk_lines(&t, {ORIG, .seq = 1, .icmp = ICMP(3, 3), .reason = LA_R_ICMP});
	cr_assert_eq(t.n, 0);
	cr_assert_eq(t.flow.side[0].state, 0);
}

Test(icmp, the_words)
{
	static const struct {
		bool v4;
		__u8 type, code;
		enum la_icmp kind;
	} rows[] = {
		{true, 3, 0, LA_ICMP_NET},	{true, 3, 1, LA_ICMP_HOST},
		{true, 3, 3, LA_ICMP_PORT},	{true, 3, 13, LA_ICMP_PROHIBITED},
		{true, 11, 0, LA_ICMP_EXPIRED}, {true, 1, 0, LA_NO_ICMP},
		{false, 1, 0, LA_ICMP_NET},	{false, 1, 1, LA_ICMP_PROHIBITED},
		{false, 1, 3, LA_ICMP_HOST},	{false, 1, 4, LA_ICMP_PORT},
		{false, 3, 0, LA_ICMP_EXPIRED}, {false, 3, 1, LA_ICMP_EXPIRED},
		{false, 11, 0, LA_NO_ICMP},	{false, 4, 1, LA_ICMP_OTHER},
		{true, 3, 31, LA_NO_ICMP},	{true, 3, 32, LA_NO_ICMP},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_assert_eq(la_icmp_kind(rows[i].v4, rows[i].type, rows[i].code), rows[i].kind,
			     "row %zu", i);
}
