/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * table.bpf.h - the life of an entry in the flow table: find, create, track, replace, expire.
 *
 * The slow path is a global function, so that the verifier looks at it once and not in
 * each program. A flow whose ports are taken by a new connection is emptied in place,
 * under its lock: nobody ever sees a moment without an entry. Its close record is reserved
 * in the ring before the decision, and given back if it was not needed.
 */
#ifndef LA_TABLE_BPF_H
#define LA_TABLE_BPF_H

#include "emit.bpf.h"
#include "la_fast.h"
#include "la_track.h"
#include "maps.bpf.h"

/* A segment comes to rest in at most: find room, end the old flow, open the new one. */
#define LA_TRIES 4

/* Returned by la_slow() when it has to be called again. */
#define LA_AGAIN 0x100

static __always_inline struct la_entry *la_find_or_create(const struct la_key *key)
{
	struct la_entry *e = bpf_map_lookup_elem(&flows, key);
	struct la_counters *c;

	if (e)
		return e;
	if (!bpf_map_update_elem(&flows, key, &la_fresh, BPF_NOEXIST)) {
		c = la_counters();
		if (c)
			c->opened++;
	}
	return bpf_map_lookup_elem(&flows, key);
}

/* The close record of the flow in s->ended: into `room` if that was reserved. */
static __always_inline void la_emit_close(const struct la_key *key, struct la_scratch *s,
					  struct la_entry *e, struct la_rec_close *room)
{
	if (!room)
		room = bpf_ringbuf_reserve(&ring, sizeof(*room), 0);
	if (!room) {
		e->due = 1;
		la_count_lost(LA_LOST_CLOSE);
		return;
	}
	la_record_close(room, key, &s->out, &s->ended);
	bpf_ringbuf_submit(room, 0);
	e->due = 0;
}

/*
 * One call of the tracker. Returns what became of the segment (enum la_reason), with
 * LA_AGAIN if the segment has to be tracked once more; room then says that this call needs,
 * or does not need, a reserved close record.
 */
__noinline int la_slow(struct la_key *key, struct la_segment *seg, int with_room)
{
	struct la_rec_close *room = NULL;
	struct la_scratch *s = la_scratch();
	struct la_entry *e;
	bool ended, due;
	__u32 reason;

	if (!key || !seg || !s)
		return LA_R_TABLE_FULL;
	e = with_room ? bpf_map_lookup_elem(&flows, key) : la_find_or_create(key);
	if (!e)
		return with_room ? LA_R_RACE | LA_AGAIN : LA_R_TABLE_FULL;
	if (with_room) {
		room = bpf_ringbuf_reserve(&ring, sizeof(*room), 0);
		if (!room) {
			la_count_lost(LA_LOST_CLOSE);
			return LA_R_RACE;
		}
	}
	s->out.room = with_room;
	bpf_spin_lock(&e->lock);
	if (e->flow.flags & LA_F_DEAD) {
		s->out.want = LA_WANT_AGAIN;
		s->out.n = 0;
		reason = LA_R_RACE;
		ended = false;
	} else {
		reason = la_track(&e->flow, key, seg, &la_cfg, &s->out);
		ended = s->out.want & (LA_WANT_CLOSE | LA_WANT_GONE);
		if (ended)
			s->ended = e->flow;
		if (s->out.want & LA_WANT_GONE)
			__builtin_memset(&e->flow, 0, sizeof(e->flow));
	}
	bpf_spin_unlock(&e->lock);

	la_emit_changes(key, seg);
	due = (s->out.want & LA_WANT_CLOSE) || (ended && e->due);
	if (due) {
		la_emit_close(key, s, e, room);
		room = NULL;
	}
	if (room)
		bpf_ringbuf_discard(room, 0);
	if (s->out.want & LA_WANT_GONE)
		la_emit_gone(key, &s->out, &s->ended);
	if (s->out.want & LA_WANT_ROOM)
		return reason | LA_AGAIN | LA_AGAIN << 1;
	return s->out.want & LA_WANT_AGAIN ? reason | LA_AGAIN : reason;
}

/* Tracks one segment, whatever it takes. */
static __always_inline __u32 la_track_packet(struct la_key *key, struct la_segment *seg)
{
	struct la_entry *e = bpf_map_lookup_elem(&flows, key);
	struct la_scratch *s;
	__u32 reason, i;
	int room = 0;

	if (e && la_fast(&e->flow, seg, &la_cfg, la_key_is_v4(key)))
		return LA_R_ACCEPTED;
	if (!e) {
		reason = la_may_open(seg);
		if (reason != LA_R_ACCEPTED)
			return reason;
	}
	s = la_scratch();
	if (s)
		s->out.has_prov = 0;
	reason = LA_R_RACE;
	for (i = 0; i < LA_TRIES; i++) {
		reason = la_slow(key, seg, room);
		room = !!(reason & LA_AGAIN << 1);
		if (!(reason & LA_AGAIN))
			break;
	}
	return reason & 0xff;
}

/* ---- expiry ---- */

struct la_sweep {
	__u64 now;
	bool detach; /* lastack stops: everything goes */
};

/* A close record that did not fit: does it now? */
static __always_inline void la_retry_close(const struct la_key *key, struct la_entry *e,
					   struct la_scratch *s)
{
	struct la_rec_close *room = bpf_ringbuf_reserve(&ring, sizeof(*room), 0);

	if (!room)
		return;
	bpf_spin_lock(&e->lock);
	s->ended = e->flow;
	la_out_reset(&s->out, e->flow.ended);
	la_out_identify(&e->flow, &s->out);
	bpf_spin_unlock(&e->lock);
	la_emit_close(key, s, e, room);
}

/* Ends one flow if its time has come. Its records are reserved before the decision. */
static long la_sweep_one(void *map __attribute__((unused)), const void *k, void *value, void *ctx)
{
	const struct la_sweep *sweep = ctx;
	struct la_entry *e = value;
	struct la_rec_close *room;
	struct la_counters *c;
	struct la_scratch *s = la_scratch();
	struct la_key key = *(const struct la_key *)k;
	bool ended;

	if (!s)
		return 1;
	if (e->due)
		la_retry_close(&key, e, s);
	if (!sweep->detach && sweep->now < la_deadline(&e->flow, &la_cfg))
		return 0;
	if (e->due)
		return 0;
	room = bpf_ringbuf_reserve(&ring, sizeof(*room), 0);
	if (!room)
		return 0;
	bpf_spin_lock(&e->lock);
	if (sweep->detach)
		ended = la_detach(&e->flow, sweep->now, &s->out);
	else
		ended = la_expire(&e->flow, sweep->now, &la_cfg, &s->out);
	if (ended)
		s->ended = e->flow;
	bpf_spin_unlock(&e->lock);
	if (!ended) {
		bpf_ringbuf_discard(room, 0);
		return 0;
	}
	bpf_map_delete_elem(&flows, &key);
	c = la_counters();
	if (c)
		c->gone++;
	la_emit_changes(&key, NULL);
	if (s->out.want & LA_WANT_CLOSE) {
		la_record_close(room, &key, &s->out, &s->ended);
		bpf_ringbuf_submit(room, 0);
	} else {
		bpf_ringbuf_discard(room, 0);
	}
	la_emit_gone(&key, &s->out, &s->ended);
	return 0;
}

#endif
