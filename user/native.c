/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * native.c - the native engine. See native.h.
 *
 * Flows lie in a hash table by key and in a heap by deadline. Before each packet the flows
 * whose clock ran out leave, in the order of their deadlines and, at the same moment, of
 * their ids, so that nothing depends on the order of the table. Work and memory are bounded
 * by the flows that are open.
 */
#include "native.h"
#include "deadlines.h"
#include "la_decap.h"
#include "la_expire.h"
#include "la_fast.h"
#include "la_icmp.h"
#include "la_record.h"
#include "la_track.h"
#include <stdlib.h>
#include <string.h>

/* Both halves of the product of two words: every bit of it depends on all of theirs. */
static __u64 fold(__u64 a, __u64 b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (__u64)product ^ (__u64)(product >> 64);
}

/* A key is five words; the odd numbers keep a word of zeros from hiding its neighbour. */
static unsigned int hash_key(const struct la_key *key)
{
	const la_word64 *w = (const la_word64 *)key;
	__u64 h = fold(w[0] ^ 0x9e3779b97f4a7c15ULL, w[1] ^ 0xbf58476d1ce4e5b9ULL);

	h ^= fold(w[2] ^ 0x94d049bb133111ebULL, w[3] ^ 0xd6e8feb86659fd93ULL);
	h = fold(h ^ w[4], 0xa0761d6478bd642fULL);
	return (unsigned int)h;
}

static bool key_differs(const struct la_key *a, const struct la_key *b)
{
	const la_word64 *x = (const la_word64 *)a, *y = (const la_word64 *)b;

	return (x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]) | (x[4] ^ y[4]);
}

/* The table's keys are all la_key: their own hash and comparison are quicker than any. */
#define HASH_FUNCTION(keyptr, keylen, hashv) ((hashv) = hash_key((const struct la_key *)(keyptr)))
#define HASH_KEYCMP(a, b, n)		     key_differs((const struct la_key *)(a), (const struct la_key *)(b))

/* Out of memory must not end the process: a flow that finds no room is counted. */
#define HASH_NONFATAL_OOM	   1
#define uthash_nonfatal_oom(entry) ((void)(entry))
#include <uthash.h>

/* A segment ends at most one flow and opens the next: once more is one more than needed. */
#define ROUNDS_MAX 3

struct entry {
	UT_hash_handle hh; /* beside the key: who looks for one reads both */
	struct la_key key;
	struct la_flow flow;
	struct la_deadline_node node;
};

/* A flow that leaves, and its id, by which those of one moment are sorted. */
struct leaving {
	struct entry *entry;
	__u64 id;
};

struct la_native {
	struct la_engine engine; /* first: one is the other */
	struct la_config cfg;
	struct la_sink *sink;
	struct la_counters counters;
	struct entry *table;
	struct la_deadlines deadlines;
	struct leaving *leaving; /* those that leave at one moment; room for all there are */
	size_t leaving_count;
	size_t leaving_room;
	struct la_out out;
	__u32 hook;
};

static struct entry *entry_of(struct la_deadline_node *node)
{
	return (struct entry *)((char *)node - offsetof(struct entry, node));
}

static __u64 deadline_of(const struct la_native *n, const struct entry *e)
{
	return la_deadline(&e->flow, &n->cfg);
}

/* ---- records ---- */

/* Gives the sink what the tracker noted of a flow; seg: the segment behind it, or NULL. */
static void emit(struct la_native *n, const struct entry *e, const struct la_segment *seg)
{
	const struct la_out *out = &n->out;
	__u32 seq = out->seq;
	union la_any_rec r;

	if (out->want & LA_WANT_SEGMENT) {
		la_record_segment(&r.segment, &e->key, out, seg, seq++);
		la_sink_record(n->sink, &r.h);
	}
	if (out->want & LA_WANT_RST) {
		la_record_rst(&r.rst, &e->key, out, seg, seq++);
		la_sink_record(n->sink, &r.h);
	}
	for (__u32 i = 0; i < out->n; i++) {
		la_record_state(&r.state, &e->key, out, &out->change[i], seg, seq++);
		la_sink_record(n->sink, &r.h);
	}
	if (out->want & LA_WANT_CLOSE) {
		la_record_close(&r.close, &e->key, out, &e->flow);
		la_sink_record(n->sink, &r.h);
	}
	if (out->want & LA_WANT_GONE) {
		la_record_gone(&r.gone, &e->key, out, &e->flow);
		la_sink_record(n->sink, &r.h);
	}
}

/* ---- the table ---- */

static struct entry *find(struct la_native *n, const struct la_key *key)
{
	struct entry *e;

	HASH_FIND(hh, n->table, key, sizeof(*key), e);
	return e;
}

/* Room to let every flow leave at once, so that leaving cannot fail. */
static int make_room_to_leave(struct la_native *n)
{
	size_t room = n->leaving_room ? 2 * n->leaving_room : 64;
	struct leaving *leaving;

	if (n->deadlines.count < n->leaving_room)
		return 0;
	leaving = reallocarray(n->leaving, room, sizeof(*leaving));
	if (!leaving)
		return -1;
	n->leaving = leaving;
	n->leaving_room = room;
	return 0;
}

/* Puts an empty flow into the table. NULL: out of memory. */
static struct entry *create(struct la_native *n, const struct la_key *key)
{
	struct entry *e = make_room_to_leave(n) ? NULL : calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->key = *key;
	if (la_deadlines_add(&n->deadlines, &e->node, ~0ULL))
		goto no_place;
	HASH_ADD(hh, n->table, key, sizeof(e->key), e);
	if (!e->hh.tbl)
		goto no_entry;
	n->counters.opened++;
	return e;
no_entry:
	la_deadlines_remove(&n->deadlines, &e->node);
no_place:
	free(e);
	return NULL;
}

/* Takes a flow out of the table; its place among the deadlines is already given up. */
static void drop(struct la_native *n, struct entry *e)
{
	HASH_DELETE(hh, n->table, e);
	free(e);
	n->counters.gone++;
}

/* ---- the clock ---- */

static int by_id(const void *a, const void *b)
{
	__u64 x = ((const struct leaving *)a)->id, y = ((const struct leaving *)b)->id;

	return x < y ? -1 : x > y;
}

/* Sorts the flows that leave at the same moment. */
static void sort_leaving(struct la_native *n)
{
	if (n->leaving_count < 2)
		return;
	for (size_t i = 0; i < n->leaving_count; i++)
		n->leaving[i].id = n->leaving[i].entry->flow.id;
	qsort(n->leaving, n->leaving_count, sizeof(*n->leaving), by_id);
}

/* Its clock may have run out: asked for each packet. */
static bool is_due(const struct la_native *n)
{
	const struct la_deadline_node *first = la_deadlines_first(&n->deadlines);

	return first && first->due <= n->engine.now;
}

/* Gathers the flows whose clock runs out at the earliest moment that is not after `now`. */
static void gather(struct la_native *n, __u64 now)
{
	struct la_deadline_node *first;
	__u64 moment = now, deadline;

	n->leaving_count = 0;
	while ((first = la_deadlines_first(&n->deadlines)) && first->due <= moment) {
		deadline = deadline_of(n, entry_of(first));
		if (deadline != first->due) {
			la_deadlines_move(&n->deadlines, first, deadline);
			continue;
		}
		moment = deadline;
		la_deadlines_remove(&n->deadlines, first);
		n->leaving[n->leaving_count++].entry = entry_of(first);
	}
	sort_leaving(n);
}

/* Ends the flows whose clock has run out. */
static void expire(struct la_native *n)
{
	while (is_due(n)) {
		gather(n, n->engine.now);
		for (size_t i = 0; i < n->leaving_count; i++) {
			struct entry *e = n->leaving[i].entry;

			if (la_expire(&e->flow, n->engine.now, &n->cfg, &n->out))
				emit(n, e, NULL);
			drop(n, e);
		}
	}
}

/* A deadline that moved later is found out when it comes up; one that moved earlier is not. */
static void watch_deadline(struct la_native *n, struct entry *e)
{
	__u64 deadline = deadline_of(n, e);

	if (deadline < e->node.due)
		la_deadlines_move(&n->deadlines, &e->node, deadline);
}

/* ---- packets ---- */

/* Tracks a segment of a flow that la_fast() does not take. */
static enum la_reason track(struct la_native *n, struct entry *e, const struct la_segment *seg)
{
	enum la_reason reason = LA_R_RACE;

	n->out.has_prov = 0;
	for (int i = 0; i < ROUNDS_MAX; i++) {
		reason = la_track(&e->flow, &e->key, seg, &n->cfg, &n->out);
		emit(n, e, seg);
		if (!(n->out.want & LA_WANT_AGAIN)) {
			watch_deadline(n, e);
			return reason;
		}
		memset(&e->flow, 0, sizeof(e->flow));
		reason = la_may_open(seg);
		if (reason != LA_R_ACCEPTED)
			break;
		n->counters.opened++;
		n->counters.gone++;
	}
	la_deadlines_remove(&n->deadlines, &e->node);
	drop(n, e);
	return reason;
}

static enum la_reason take(struct la_native *n, const struct la_key *key,
			   const struct la_segment *seg)
{
	struct entry *e = find(n, key);

	if (e && la_fast(&e->flow, seg, &n->cfg, la_key_is_v4(key)))
		return LA_R_ACCEPTED;
	if (!e && la_may_open(seg) != LA_R_ACCEPTED)
		return la_may_open(seg);
	if (!e)
		e = create(n, key);
	return e ? track(n, e, seg) : LA_R_TABLE_FULL;
}

/* A segment that a checksum calls damaged. */
static enum la_reason take_damaged(struct la_native *n, const struct la_key *key,
				   const struct la_segment *seg, enum la_reason reason)
{
	struct entry *e = reason == LA_R_TCP_BAD_CHECKSUM ? find(n, key) : NULL;

	if (e)
		la_history_damaged(&e->flow, seg);
	return reason;
}

/* An ICMP message of which la_parse() left key and seg. */
static enum la_reason take_icmp(struct la_native *n, const void *data, __u32 cap_len,
				struct la_key *key, struct la_segment *seg)
{
	enum la_reason reason = la_parse_icmp(data, (const __u8 *)data + cap_len, key, seg);
	struct entry *e = reason == LA_R_ACCEPTED ? find(n, key) : NULL;

	if (!e)
		return LA_R_ICMP;
	seg->ts = n->engine.now;
	reason = la_track_icmp(&e->flow, seg, &n->cfg, &n->out);
	emit(n, e, seg);
	watch_deadline(n, e);
	return reason;
}

static void take_packet(struct la_native *n, const struct la_captured *p)
{
	const __u8 *end = (const __u8 *)p->data + p->cap_len;
	struct la_segment seg;
	enum la_reason reason;
	struct la_key key;

	la_engine_clock(&n->engine, p->ts);
	expire(n);
	reason = la_parse(p->data, end, p->wire_len, p->link, p->l3_proto, &key, &seg);
	if (reason == LA_R_NOT_TCP && n->cfg.decap)
		reason =
			la_parse_inner(p->data, end, p->wire_len, p->link, p->l3_proto, &key, &seg);
	if (reason == LA_R_ICMP) {
		reason = p->damaged ? p->damaged : take_icmp(n, p->data, p->cap_len, &key, &seg);
	} else if (reason == LA_R_ACCEPTED || seg.odd) {
		seg.ts = n->engine.now;
		seg.hook = p->hook;
		seg.segs = p->segs;
		seg.opts |= p->cut ? LA_OPT_CUT : 0;
		reason = p->damaged ? take_damaged(n, &key, &seg, p->damaged) : take(n, &key, &seg);
	}
	n->counters.packets[LA_NO_HOOK][reason]++;
}

void la_native_packet(struct la_native *n, const void *data, __u32 cap_len, __u32 wire_len,
		      enum la_link link, __be16 l3_proto, __u64 ts)
{
	const struct la_captured p = {
		.data = data,
		.cap_len = cap_len,
		.wire_len = wire_len,
		.link = link,
		.l3_proto = l3_proto,
		.hook = n->hook,
		.ts = ts,
	};

	take_packet(n, &p);
}

void la_native_finish(struct la_native *n)
{
	struct la_deadline_node *first;

	expire(n);
	n->leaving_count = 0;
	while ((first = la_deadlines_first(&n->deadlines))) {
		la_deadlines_remove(&n->deadlines, first);
		n->leaving[n->leaving_count++].entry = entry_of(first);
	}
	sort_leaving(n);
	for (size_t i = 0; i < n->leaving_count; i++) {
		struct entry *e = n->leaving[i].entry;

		if (la_remove(&e->flow, n->engine.now, LA_CLOSE_SHUTDOWN, LA_GONE_DETACHED,
			      &n->out))
			emit(n, e, NULL);
		drop(n, e);
	}
	la_sink_flush(n->sink);
}

/* ---- as an engine ---- */

static int engine_packet(struct la_engine *engine, const struct la_captured *p)
{
	take_packet((struct la_native *)engine, p);
	return 0;
}

static int engine_finish(struct la_engine *engine)
{
	la_native_finish((struct la_native *)engine);
	engine->now = 0;
	return 0;
}

static int engine_counters(const struct la_engine *engine, struct la_counters *sum)
{
	*sum = ((const struct la_native *)engine)->counters;
	return 0;
}

static void engine_close(struct la_engine *engine)
{
	la_native_free((struct la_native *)engine);
}

struct la_engine *la_native_engine(struct la_native *n)
{
	return &n->engine;
}

/* ---- the rest ---- */

struct la_native *la_native_new(const struct la_config *cfg, struct la_sink *sink)
{
	struct la_native *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->engine = (struct la_engine){
		.packet = engine_packet,
		.finish = engine_finish,
		.counters = engine_counters,
		.close = engine_close,
	};
	n->cfg = *cfg;
	n->sink = sink;
	return n;
}

void la_native_set_hook(struct la_native *n, __u32 hook)
{
	n->hook = hook;
}

const struct la_counters *la_native_counters(const struct la_native *n)
{
	return &n->counters;
}

__u64 la_native_disordered(const struct la_native *n)
{
	return n->engine.disordered;
}

void la_native_free(struct la_native *n)
{
	struct entry *e, *next;

	if (!n)
		return;
	HASH_ITER (hh, n->table, e, next) {
		HASH_DELETE(hh, n->table, e);
		free(e);
	}
	la_deadlines_clear(&n->deadlines);
	free(n->leaving);
	free(n);
}
