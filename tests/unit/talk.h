/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * talk.h - a conversation of two endpoints, told to the tracker a line at a time.
 *
 * For tests of the core. A line says who sends what, with sequence numbers relative to both
 * initial ones, and what the tracker must make of it: the reason, and the states of both
 * endpoints afterwards. Time moves 1 ms a line, or by WAIT. All that the tracker wants
 * emitted is kept as records, as the kernel or replay would fill them.
 */
#ifndef LA_TEST_TALK_H
#define LA_TEST_TALK_H

#include "la_fast.h"
#include "la_record.h"
#include "la_track.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* A line of a talk says only what matters in it. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#define TALK_RECORDS  256
#define TALK_ISN_ORIG 4294967000U /* both numbers wrap soon */
#define TALK_ISN_RESP 4294960000U

enum who { ORIG = 0, RESP = 1, WAIT = 2 };

/* Flag words as a person writes them. */
enum {
	S = LA_SYN,
	SA = LA_SYN | LA_ACK,
	A = LA_ACK,
	PA = LA_PSH | LA_ACK,
	F = LA_FIN, /* FIN without ACK: malformed */
	FA = LA_FIN | LA_ACK,
	R = LA_RST,
	RA = LA_RST | LA_ACK,
};

struct line {
	enum who who;
	int flags;	/* WAIT: milliseconds */
	__u32 seq, ack; /* relative */
	__u32 len;
	enum la_reason reason; /* 0: ACCEPTED */
	enum la_state orig, resp;
	/* What follows is seldom said. */
	int win;   /* 0: 65535; -1: a zero window */
	int ttl;   /* 0: 64 */
	int shift; /* window scale option on a SYN: shift + 1 */
	__u32 isn; /* for a SYN: another initial sequence number, absolute */
	bool raw;  /* seq and ack are absolute */
	__u32 hook;
	__u32 ts, ecr; /* TSval and TSecr; no timestamps if ts is 0 */
	__u8 opts;     /* more of enum la_seg_opt */
	int icmp;      /* type << 8 | code of an ICMP error that quotes the segment said here */
};

struct talk {
	struct la_config cfg;
	struct la_flow flow;
	struct la_out out;
	struct la_key key;
	__u8 orig; /* index in the key of ORIG */
	__u64 now;
	__u32 isn[2]; /* of ORIG and RESP */
	bool fresh;
	int n; /* records */
	int flows;
	int fast; /* segments that took the fast path */
	union la_any_rec rec[TALK_RECORDS];
};

static inline void talk_init(struct talk *t, __u16 orig_port, __u16 resp_port)
{
	static const __u8 orig[16] __attribute__((aligned(8))) = {[10] = 0xff, 0xff, 10, 0, 0, 1};
	static const __u8 resp[16] __attribute__((aligned(8))) = {[10] = 0xff, 0xff, 10, 0, 0, 2};
#define TALK_TIMEOUT(sym, word, seconds) t->cfg.timeout[LA_TIMEOUT_##sym] = seconds * LA_SEC_NS;

	memset(t, 0, sizeof(*t));
	LA_TIMEOUTS(TALK_TIMEOUT)
	t->orig = la_key_fill(&t->key, orig, la_hton16(orig_port), resp, la_hton16(resp_port));
	t->now = 1000 * LA_SEC_NS;
	t->isn[ORIG] = TALK_ISN_ORIG;
	t->isn[RESP] = TALK_ISN_RESP;
}

static inline union la_any_rec *talk_record(struct talk *t)
{
	cr_assert_lt(t->n, TALK_RECORDS, "too many records for this test");
	return &t->rec[t->n++];
}

/* Fills the records of the last note, in the order of the ABI. */
static inline void talk_collect(struct talk *t, const struct la_segment *seg)
{
	const struct la_out *o = &t->out;
	__u32 seq = o->seq;

	if (o->want & LA_WANT_SEGMENT)
		la_record_segment(&talk_record(t)->segment, &t->key, o, seg, seq++);
	if (o->want & LA_WANT_RST)
		la_record_rst(&talk_record(t)->rst, &t->key, o, seg, seq++);
	for (__u32 i = 0; i < o->n; i++)
		la_record_state(&talk_record(t)->state, &t->key, o, &o->change[i], seg, seq++);
	if (o->want & LA_WANT_CLOSE)
		la_record_close(&talk_record(t)->close, &t->key, o, &t->flow);
	if (o->want & LA_WANT_GONE)
		la_record_gone(&talk_record(t)->gone, &t->key, o, &t->flow);
}

static inline struct la_segment talk_segment(struct talk *t, const struct line *l)
{
	enum who peer = !l->who;
	__u32 base = l->raw ? 0 : t->isn[l->who];
	struct la_segment seg = {
		.ts = t->now,
		.seq = l->isn ? l->isn : base + l->seq,
		.ack = (l->raw ? 0 : t->isn[peer]) + l->ack,
		.len = l->len,
		.ip_len = 40 + l->len,
		.hdr_len = 40,
		.hook = l->hook ? l->hook : 2,
		.segs = 1,
		.win = l->win < 0 ? 0
		       : l->win	  ? l->win
				  : 65535,
		.flags = l->flags,
		.ttl = l->ttl ? l->ttl : 64,
		.dir = l->who == ORIG ? t->orig : !t->orig,
	};

	if (l->icmp) {
		seg.flags = 0;
		seg.icmp_type = l->icmp >> 8;
		seg.icmp_code = l->icmp & 0xff;
		return seg;
	}
	if (l->flags & LA_SYN) {
		seg.opts = LA_OPT_MSS | (l->shift ? LA_OPT_WSCALE : 0);
		seg.mss = 1460;
		seg.wscale = l->shift ? l->shift - 1 : 0;
		if (l->isn)
			t->isn[l->who] = l->isn;
	}
	seg.opts |= l->opts | (l->ts ? LA_OPT_TS : 0);
	seg.tsval = l->ts;
	seg.tsecr = l->ecr;
	return seg;
}

/* One segment through the tracker, as native.c and table.bpf.h do it. */
static inline enum la_reason talk_track(struct talk *t, const struct la_segment *seg)
{
	enum la_reason reason = LA_R_RACE;

	if (seg->icmp_type) {
		reason = la_track_icmp(&t->flow, seg, &t->cfg, &t->out);
		if (reason != LA_R_ICMP)
			talk_collect(t, seg);
		return reason;
	}
	if (!t->flow.side[0].state && la_may_open(seg) != LA_R_ACCEPTED)
		return la_may_open(seg);
	if (t->flow.side[0].state && la_fast(&t->flow, seg, &t->cfg, true)) {
		t->fast++;
		return LA_R_ACCEPTED;
	}
	t->out.has_prov = 0;
	for (int i = 0; i < 4; i++) {
		reason = la_track(&t->flow, &t->key, seg, &t->cfg, &t->out);
		talk_collect(t, seg);
		if (t->out.want & LA_WANT_GONE) {
			memset(&t->flow, 0, sizeof(t->flow));
			t->flows++;
		}
		if (!(t->out.want & LA_WANT_AGAIN))
			return reason;
		if (la_may_open(seg) != LA_R_ACCEPTED)
			return la_may_open(seg);
	}
	cr_assert_fail("the tracker asked again and again");
	return reason;
}

/* Lets the clock run and sweeps, as the daemon does. */
static inline void talk_wait(struct talk *t, __u64 ms)
{
	t->now += ms * LA_MSEC_NS;
	if (la_expire(&t->flow, t->now, &t->cfg, &t->out)) {
		talk_collect(t, NULL);
		memset(&t->flow, 0, sizeof(t->flow));
		t->flows++;
	}
}

static inline enum la_state talk_state(const struct talk *t, enum who who)
{
	return t->flow.side[who == ORIG ? t->orig : !t->orig].state;
}

#define talk_lines(t, ...)                                                                         \
	do {                                                                                       \
		const struct line lines_[] = {__VA_ARGS__};                                        \
		talk_run(t, lines_, sizeof(lines_) / sizeof(*lines_), __LINE__);                   \
	} while (0)

static inline void talk_run(struct talk *t, const struct line *lines, size_t n, int at)
{
	for (size_t i = 0; i < n; i++) {
		const struct line *l = &lines[i];
		enum la_reason want = l->reason ? l->reason : LA_R_ACCEPTED, got;
		struct la_segment seg;

		if (l->who == WAIT) {
			talk_wait(t, l->flags);
			got = want;
		} else {
			t->now += LA_MSEC_NS;
			seg = talk_segment(t, l);
			got = talk_track(t, &seg);
		}
		cr_assert_eq(got, want, "line %zu of the talk at %d: %s, not %s", i + 1, at,
			     la_reason_word(got), la_reason_word(want));
		if (!l->resp)
			continue;
		cr_assert(talk_state(t, ORIG) == l->orig && talk_state(t, RESP) == l->resp,
			  "line %zu of the talk at %d: %s %s, not %s %s", i + 1, at,
			  la_state_word(talk_state(t, ORIG)), la_state_word(talk_state(t, RESP)),
			  la_state_word(l->orig), la_state_word(l->resp));
	}
}

/* The n-th record (from 0) of a type, or NULL. */
static inline const union la_any_rec *talk_find(const struct talk *t, enum la_record type, int n)
{
	for (int i = 0; i < t->n; i++)
		if (t->rec[i].h.type == type && n-- == 0)
			return &t->rec[i];
	return NULL;
}

static inline int talk_count(const struct talk *t, enum la_record type)
{
	int n = 0;

	while (talk_find(t, type, n))
		n++;
	return n;
}

/* The only close record so far. */
static inline const struct la_rec_close *talk_close(const struct talk *t)
{
	cr_assert_eq(talk_count(t, LA_REC_CLOSE), 1, "%d close records, not one",
		     talk_count(t, LA_REC_CLOSE));
	return &talk_find(t, LA_REC_CLOSE, 0)->close;
}

/* The transitions of an endpoint as words: "SYN_SENT ESTABLISHED ~CLOSE_WAIT !ESTABLISHED".
 * ~ presumed, ! corrected, + timer. */
static inline const char *talk_path(const struct talk *t, enum who who)
{
	static const char *const marks[] = {"?", "", "~", "!", "+"};
	static char path[1024];
	size_t at = 0;

	path[0] = 0;
	for (int i = 0; i < t->n; i++) {
		const struct la_rec_state *r = &t->rec[i].state;

		if (r->h.type != LA_REC_STATE || r->endpoint != (__u8)who)
			continue;
		at += snprintf(path + at, sizeof(path) - at, "%s%s%s", at ? " " : "",
			       marks[r->certainty], la_state_word(r->to));
	}
	return path;
}

#define assert_path(t, who, words)                                                                 \
	cr_assert_str_eq(talk_path(t, who), words, "%s", talk_path(t, who))

#define assert_closed(t, why, by, o, r)                                                            \
	do {                                                                                       \
		const struct la_rec_close *c_ = talk_close(t);                                     \
		cr_assert_str_eq(la_close_reason_word(c_->reason), why, "reason %s",               \
				 la_close_reason_word(c_->reason));                                \
		cr_assert_str_eq(la_closer_word(c_->closed_by), by, "closed by %s",                \
				 la_closer_word(c_->closed_by));                                   \
		cr_assert_str_eq(la_state_word(c_->side[ORIG].state), o, "orig %s",                \
				 la_state_word(c_->side[ORIG].state));                             \
		cr_assert_str_eq(la_state_word(c_->side[RESP].state), r, "resp %s",                \
				 la_state_word(c_->side[RESP].state));                             \
	} while (0)

/* Record numbers of each connection run from 0 without a gap. */
static inline void assert_gapless(const struct talk *t)
{
	__u32 next = 0;

	for (int i = 0; i < t->n; i++) {
		if (i && t->rec[i].h.id != t->rec[i - 1].h.id)
			next = 0;
		cr_assert_eq(t->rec[i].h.seq, next, "record %d has number %u, not %u", i,
			     t->rec[i].h.seq, next);
		next++;
	}
}

#endif
