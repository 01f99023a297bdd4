/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * talk.c - see talk.h. The tracker is compiled here once, and not in each test that talks to it:
 * with the sanitizers it takes a minute.
 */
#include "talk.h"
#include "la_fast.h"
#include "la_record.h"
#include "la_tally.h"
#include "la_track.h"

void talk_init(struct talk *t, __u16 orig_port, __u16 resp_port)
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

static union la_any_rec *talk_record(struct talk *t)
{
	cr_assert_lt(t->n, TALK_RECORDS, "too many records for this test");
	return &t->rec[t->n++];
}

void talk_collect(struct talk *t, const struct la_segment *seg)
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

struct la_segment talk_segment(struct talk *t, const struct line *l)
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

enum la_reason talk_track(struct talk *t, const struct la_segment *seg)
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

__u64 talk_bytes(struct talk *t, enum who who)
{
	la_fold(&t->flow);
	return t->flow.side[who == ORIG ? t->orig : !t->orig].bytes;
}

void talk_wait(struct talk *t, __u64 ms)
{
	t->now += ms * LA_MSEC_NS;
	if (la_expire(&t->flow, t->now, &t->cfg, &t->out)) {
		talk_collect(t, NULL);
		memset(&t->flow, 0, sizeof(t->flow));
		t->flows++;
	}
}

enum la_state talk_state(const struct talk *t, enum who who)
{
	return t->flow.side[who == ORIG ? t->orig : !t->orig].state;
}

void talk_run(struct talk *t, const struct line *lines, size_t n, int at)
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

const union la_any_rec *talk_find(const struct talk *t, enum la_record type, int n)
{
	for (int i = 0; i < t->n; i++)
		if (t->rec[i].h.type == type && n-- == 0)
			return &t->rec[i];
	return NULL;
}

int talk_count(const struct talk *t, enum la_record type)
{
	int n = 0;

	while (talk_find(t, type, n))
		n++;
	return n;
}

const struct la_rec_close *talk_close(const struct talk *t)
{
	cr_assert_eq(talk_count(t, LA_REC_CLOSE), 1, "%d close records, not one",
		     talk_count(t, LA_REC_CLOSE));
	return &talk_find(t, LA_REC_CLOSE, 0)->close;
}

const char *talk_path(const struct talk *t, enum who who)
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

void assert_gapless(const struct talk *t)
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
