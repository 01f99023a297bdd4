/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_track.c - any conversation between two endpoints through the tracker, held against a
 * model of what may be said of it.
 *
 * Five bytes of input are one segment: who sends it, what it is, how far its numbers lie from
 * where an orderly host would put them, how long the silence before it, and now and then what an
 * operator does before it comes. Mostly the numbers are in place, so that the conversation gets
 * somewhere. The model is told every transition and every close, and keeps these promises:
 *
 *   a transition is one of the table's, from where the endpoint was; a corrected one may also
 *   go back to where it has been
 *   seen: only of who sent the segment, or of the SYN that was provisional before
 *   presumed: only of who it was sent to, or of whom a RST is still under way to, or
 *   whose FIN may have been missed, or the peer's sent twice, or whose SYN-ACK may be an old
 *   one
 *   corrected: only where something was presumed before, or by a FIN or SYN-ACK that was
 *   overtaken, or by two who both go on after a RST
 *   timer: only by the clock
 *   one close a connection, gone only after it, states and times of the close add up
 *   record numbers without a gap, counters that never fall, time that never runs back
 *   a RST that is dropped leaves the flow as if it had never come
 *   the fast path does what the slow path would have done
 */
#include "la_act.h"
#include "la_fast.h"
#include "la_record.h"
#include "la_track.h"
#include "options.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP_BYTES 5
#define STEPS_MAX  300

/* Ends the fuzzer, which then keeps the input, unless it holds. */
#define PROMISE(is)                                                                                \
	do {                                                                                       \
		if (!(is)) {                                                                       \
			fprintf(stderr, "broken promise: %s (line %d)\n", #is, __LINE__);          \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* What has been said of the connection so far. */
struct model {
	__u8 state[2];	  /* by index; 0: not open yet */
	__u32 been_in[2]; /* bits 1 << enum la_state */
	bool presumed_once[2];
	bool one_way; /* la_one_way.h: who is heard tells of both */
	bool closed;
	__u32 seq; /* of the next record */
	__u64 ts;  /* of the last record */
	__u64 count[2][4];
};

struct world {
	struct la_config cfg;
	struct la_key key;
	struct la_flow flow;
	struct la_out out;
	struct model model;
	__u32 nxt[2]; /* what each would send next, by index in the key */
	__u64 now;
};

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

/* ---- promises ---- */

static bool in_table(__u8 from, __u8 to)
{
	for (int e = 0; e < LA_EV_MAX; e++)
		if (la_fsm[from & (LA_FSM_ROWS - 1)][e] == to)
			return true;
	return false;
}

static bool is_closing(__u8 state)
{
	return state >= LA_FIN_WAIT_1 && state <= LA_TIME_WAIT;
}

/* Its sender's ACK of the peer's FIN overtook it: it had closed before that arrived. */
static bool is_overtaken_fin(const struct la_change *c)
{
	return c->cause == LA_CAUSE_FIN && c->from == LA_CLOSE_WAIT && c->to == LA_ESTABLISHED;
}

/* la_open.h: an old SYN was answered, so that nobody was taken to be there. */
static bool was_nobody(const struct model *m, const struct la_change *c)
{
	return c->from == LA_CLOSED && !m->been_in[c->side];
}

/* Its sender's RST overtook it: the SYN had been answered before that. */
static bool is_overtaken_syn_ack(const struct la_change *c)
{
	return c->cause == LA_CAUSE_SYN_ACK && c->from == LA_CLOSED && c->to == LA_SYN_RECEIVED;
}

/* seg: what did it, NULL if it was a clock. */
static void check_certainty(const struct model *m, const struct la_change *c,
			    const struct la_segment *seg)
{
	switch (c->certainty) {
	case LA_SEEN:
		PROMISE(seg && (c->side == seg->dir || c->cause == LA_CAUSE_SYN));
		break;
	case LA_PRESUMED:
		PROMISE(seg && (c->side != seg->dir || c->cause == LA_CAUSE_RST ||
				c->cause == LA_CAUSE_SYN_ACK || is_closing(c->to) || m->one_way));
		break;
	case LA_CORRECTED:
		/* la_after_rst.h: both carry on, so neither had heeded the RST. */
		PROMISE(seg && (m->presumed_once[c->side] || is_overtaken_fin(c) ||
				is_overtaken_syn_ack(c) || was_nobody(m, c) ||
				(c->cause == LA_CAUSE_RST && c->from == LA_CLOSED)));
		break;
	case LA_TIMER:
		PROMISE(!seg && c->cause == LA_CAUSE_TIMEOUT);
		break;
	default:
		PROMISE(!"a certainty");
	}
}

static void check_change(struct model *m, const struct la_change *c, const struct la_segment *seg)
{
	PROMISE(c->side <= 1 && c->from && c->to && c->from != c->to);
	PROMISE(c->from < LA_STATE_MAX && c->to < LA_STATE_MAX);
	PROMISE(!m->state[c->side] || m->state[c->side] == c->from);
	PROMISE(in_table(c->from, c->to) ||
		(c->certainty == LA_CORRECTED &&
		 (m->been_in[c->side] & 1U << c->to || is_overtaken_syn_ack(c))));
	PROMISE(c->cause && c->cause < LA_CAUSE_MAX);
	PROMISE(c->state[c->side] == c->to);
	check_certainty(m, c, seg);
	if (c->certainty == LA_PRESUMED) {
		PROMISE(c->presumed & 1 << c->side);
		m->presumed_once[c->side] = true;
	}
	m->been_in[c->side] |= 1U << c->from | 1U << c->to;
	m->state[0] = c->state[0];
	m->state[1] = c->state[1];
}

static void check_close(struct model *m, const struct world *w)
{
	struct la_rec_close r;

	PROMISE(!m->closed);
	m->closed = true;
	la_record_close(&r, &w->key, &w->out, &w->flow);
	PROMISE(r.reason && r.reason < LA_CLOSE_REASON_MAX);
	PROMISE(r.closed_by && r.closed_by < LA_CLOSER_MAX);
	PROMISE(r.conn_state && r.conn_state < LA_CONN_STATE_MAX);
	PROMISE(!r.stage == !(r.rst_verdict || r.timeout_state));
	PROMISE(r.handshake_ns <= r.duration_ns && r.close_ns <= r.duration_ns);
	for (int end = 0; end < 2; end++) {
		const struct la_rec_side *side = &r.side[end];
		__u64 sum = 0;

		PROMISE(side->state == m->state[end ^ r.h.orig]);
		for (int s = 0; s < LA_STATE_MAX; s++)
			sum += side->in_state[s];
		PROMISE(sum == r.duration_ns);
		if (r.rst_verdict) /* who has done with it all waits out its time */
			PROMISE(side->state == LA_CLOSED || side->state == LA_TIME_WAIT);
	}
	if (r.reason == LA_CLOSE_FIN || r.reason == LA_CLOSE_SIMULTANEOUS_FIN)
		PROMISE((w->flow.side[0].flags & w->flow.side[1].flags & LA_S_FIN) || r.one_way);
}

/*
 * Nothing falls, but for one byte: a FIN whose ACK came first was taken for data until now, or
 * until a clock told that nothing follows (la_one_way.h).
 */
static void check_counters(struct model *m, const struct la_flow *f, const struct la_segment *seg)
{
	bool fin = !seg || seg->flags & LA_FIN;

	for (int i = 0; i < 2; i++) {
		const struct la_side *s = &f->side[i];
		const __u64 now[4] = {s->pkts, s->bytes, s->ip_bytes, s->retrans};

		for (int k = 0; k < 4; k++) {
			PROMISE(now[k] + (fin && k == 1) >= m->count[i][k]);
			m->count[i][k] = now[k];
		}
	}
}

/* The note of one call of the tracker. */
static void check_note(struct world *w, const struct la_segment *seg)
{
	const struct la_out *out = &w->out;
	struct model *m = &w->model;
	__u32 drawn = out->n + !!(out->want & LA_WANT_SEGMENT) + !!(out->want & LA_WANT_RST);

	if (out->timer)
		seg = NULL;
	PROMISE(out->seq == m->seq || !(out->n || out->want));
	PROMISE(out->n <= LA_CHANGES_MAX);
	PROMISE(out->ts >= m->ts || out->timer || !seg);
	m->one_way = !w->flow.side[0].pkts || !w->flow.side[1].pkts;
	m->ts = out->ts > m->ts ? out->ts : m->ts;
	m->seq += drawn;
	for (__u32 i = 0; i < out->n; i++)
		check_change(m, &out->change[i], seg);
	if (w->flow.side[0].state) {
		PROMISE(!m->state[0] || m->state[0] == w->flow.side[0].state);
		PROMISE(!m->state[1] || m->state[1] == w->flow.side[1].state);
	}
	if (out->want & LA_WANT_CLOSE) {
		PROMISE(w->flow.close_seq == m->seq);
		m->seq++;
		check_close(m, w);
	}
	check_counters(m, &w->flow, seg);
	if (out->want & LA_WANT_GONE) {
		PROMISE(m->closed && out->gone_seq == m->seq);
		memset(&w->flow, 0, sizeof(w->flow));
		memset(m, 0, sizeof(*m));
	}
}

/* What la_fast() made of a flow must be what la_track() makes of it. */
static void check_fast(const struct world *w, const struct la_flow *before,
		       const struct la_segment *seg)
{
	struct la_flow slow = *before, fast = w->flow;
	struct la_out out = {.has_prov = 0};
	enum la_reason reason = la_track(&slow, &w->key, seg, &w->cfg, &out);

	la_fold(&fast);
	PROMISE(reason == LA_R_ACCEPTED);
	PROMISE(out.n == 0 && !(out.want & ~LA_WANT_SEGMENT));
	PROMISE(slow.last == fast.last && slow.flags == fast.flags);
	for (int i = 0; i < 2; i++) {
		const struct la_side *a = &slow.side[i], *b = &fast.side[i];

		PROMISE(a->nxt == b->nxt && a->ack == b->ack && a->edge == b->edge);
		PROMISE(a->pkts == b->pkts && a->bytes == b->bytes && a->ip_bytes == b->ip_bytes);
		PROMISE(a->retrans == b->retrans && a->state == b->state && a->flags == b->flags);
	}
}

/* A RST that a policy drops is told of, and that is all. */
static void check_dropped(const struct world *w, const struct la_flow *before)
{
	struct la_flow was = *before, after = w->flow;

	la_fold(&was);
	PROMISE(w->cfg.rst_policy >= LA_RST_POLICY_STRICT && w->out.rule);
	PROMISE(w->out.n == 0 && !(w->out.want & ~(LA_WANT_RST | LA_WANT_SEGMENT)));
	after.seq = was.seq;
	PROMISE(memcmp(&after, &was, sizeof(after)) == 0);
}

/* ---- the world ---- */

static void track(struct world *w, const struct la_segment *seg)
{
	struct la_flow before = w->flow;
	enum la_reason reason;

	if (w->flow.side[0].state && la_fast(&w->flow, seg, &w->cfg, true)) {
		check_fast(w, &before, seg);
		check_counters(&w->model, &w->flow, seg);
		return;
	}
	w->out.has_prov = 0;
	for (int round = 0; round < 3; round++) {
		if (!w->flow.side[0].state && la_may_open(seg) != LA_R_ACCEPTED)
			return;
		reason = la_track(&w->flow, &w->key, seg, &w->cfg, &w->out);
		PROMISE(reason && reason < LA_REASON_MAX);
		check_note(w, seg);
		if (reason == LA_R_RST_DROPPED)
			check_dropped(w, &before);
		if (!(w->out.want & LA_WANT_AGAIN))
			return;
	}
	PROMISE(!"the tracker asks again and again");
}

static void sweep(struct world *w)
{
	if (la_expire(&w->flow, w->now, &w->cfg, &w->out))
		check_note(w, NULL);
}

static void begin(struct world *w, size_t size)
{
	static const __u8 a[16] __attribute__((aligned(8))) = {[10] = 0xff, 0xff, 10, 0, 0, 1};
	static const __u8 b[16] __attribute__((aligned(8))) = {[10] = 0xff, 0xff, 10, 0, 0, 2};

	memset(w, 0, sizeof(*w));
	la_config_defaults(&w->cfg);
	for (int i = 0; i < LA_TIMEOUT_MAX; i++)
		w->cfg.timeouts[1][i] = 5 * LA_SEC_NS; /* a policy's */
	w->cfg.segments = size & 1;
	la_key_fill(&w->key, a, la_hton16(40000), b, la_hton16(80));
	w->nxt[0] = 0xffffff00; /* one of them wraps around */
	w->nxt[1] = 5000;
	w->now = 1000 * LA_SEC_NS;
}

/* ---- what an operator does ---- */

enum hand { HAND_LIMIT = 5, HAND_RELOAD, HAND_ACT };

/* A policy, a timeout of its own, or that it is to be forgotten, for the flow at hand. */
static void act(struct world *w, __u8 arg)
{
	enum la_act what = arg == 0xf ? LA_ACT_EXPIRE : LA_ACT_POLICY;
	__u8 policy = (arg & 1) | (arg & 2 ? LA_P_DROP : 0) | (arg & 4 ? LA_P_RESET : 0);

	if (w->flow.side[0].state && la_do_act(&w->flow, what, policy, w->now, &w->out))
		check_note(w, NULL);
}

static void handle(struct world *w, const unsigned char *d)
{
	__u8 arg = d[4] >> 3 & 0xf;

	if (d[0] >> 5 == HAND_RELOAD)
		w->cfg.rst_policy = arg % LA_RST_POLICY_MAX;
	if (d[0] >> 5 == HAND_ACT)
		act(w, arg);
}

/* ---- from bytes to segments ---- */

static const __u8 flags_of[16] = {
	LA_SYN,		 LA_SYN | LA_ACK, LA_ACK, LA_ACK | LA_PSH, LA_FIN | LA_ACK,
	LA_RST,		 LA_RST | LA_ACK, LA_ACK, LA_ACK | LA_PSH, LA_FIN | LA_ACK | LA_PSH,
	LA_ACK | LA_PSH, LA_ACK,	  LA_ACK, LA_FIN | LA_ACK, LA_SYN,
	LA_SYN | LA_ACK};

/* How far a number lies from where it should; most are in place. */
static const __u32 offsets[16] = {0, 0,	  0,   0,     0,    0,	    0,		0,
				  1, -1u, -2u, -100u, 1000, 100000, 0x7fffffff, 0x80000000};
static const __u64 pauses[4] = {LA_MSEC_NS, 100 * LA_MSEC_NS, 11 * LA_SEC_NS, 61 * LA_SEC_NS};
static const __u16 lens[8] = {0, 1, 10, 100, 1460, 30000, 0, 1};
static const __u16 wins[8] = {65535, 65535, 1000, 0, 1, 65535, 100, 8192};

static struct la_segment segment(struct world *w, const unsigned char *d)
{
	__u8 dir = d[0] & 1, flags = flags_of[d[0] >> 1 & 15];
	__u32 off = offsets[d[1] & 15];
	struct la_segment seg = {
		.ts = w->now,
		.seq = w->nxt[dir] + off,
		.ack = flags & LA_ACK ? w->nxt[!dir] + offsets[d[1] >> 4] : 0,
		.len = flags & LA_PSH || d[2] & 0x80 ? lens[d[2] & 7] : 0,
		.hdr_len = 40,
		.hook = d[3] & 0x80 ? 4 : 2,
		.segs = d[3] & 0x40 ? 0 : 1,
		.win = wins[d[2] >> 3 & 7],
		.mss = 1460,
		.flags = flags,
		.ttl = d[3] & 0x20 ? 63 : 64,
		.dir = dir,
		.limited = d[0] >> 5 == HAND_LIMIT,
	};

	if (flags & LA_SYN) {
		seg.opts = LA_OPT_MSS | (d[3] & 0x10 ? LA_OPT_WSCALE : 0);
		seg.wscale = d[3] & 0x0f;
		if (seg.wscale > LA_WSCALE_MAX)
			seg.wscale = LA_WSCALE_MAX;
	}
	seg.ip_len = seg.hdr_len + seg.len;
	if (!off && !(flags & LA_RST) && !(d[4] & 1)) /* else it was lost, and comes again */
		w->nxt[dir] += seg.len + !!(flags & LA_SYN) + !!(flags & LA_FIN);
	return seg;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static struct world w;

	begin(&w, size);
	for (size_t i = 0; i + STEP_BYTES <= size && i < STEPS_MAX * STEP_BYTES; i += STEP_BYTES) {
		const unsigned char *d = data + i;
		struct la_segment seg;

		w.now += pauses[d[4] >> 1 & 3];
		if (d[4] & 0x80)
			sweep(&w);
		handle(&w, d);
		seg = segment(&w, d);
		track(&w, &seg);
	}
	if (la_remove(&w.flow, w.now, LA_CLOSE_SHUTDOWN, LA_GONE_DETACHED, &w.out))
		check_note(&w, NULL);
	return 0;
}
