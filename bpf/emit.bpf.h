/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * emit.bpf.h - from a note of the tracker to records in the ring.
 *
 * Reserve, fill, submit; what does not fit is counted. A lost transition leaves a gap in
 * the sequence numbers of its connection. A close record is never given up: the entry is
 * marked `due` and the sweep tries again. Consumers are woken only if they have caught up,
 * which is what the ring does by itself: under load one wakeup serves a batch.
 */
#ifndef LA_EMIT_BPF_H
#define LA_EMIT_BPF_H

#include "la_record.h"
#include "maps.bpf.h"

static __always_inline void la_count_lost(enum la_lost_source source)
{
	struct la_counters *c = la_counters();

	if (c)
		c->lost[source]++;
}

/*
 * Who may fill the ring how far: of its last part, the reserve, the first half is for flows
 * that leave the table, the other for close records alone. So if nobody reads fast enough,
 * it is transitions that are lost, and flows do not pile up.
 */
#define LA_RING_LEAVING (la_ring_soft + la_ring_soft / (2 * (LA_RING_RESERVE - 1)))

static __always_inline bool la_ring_below(__u64 mark)
{
	return bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) <= mark;
}

/* Room for one record that may be lost, or NULL and the loss is counted. */
static __always_inline void *la_reserve(__u64 size)
{
	void *room = NULL;

	if (la_ring_below(la_ring_soft))
		room = bpf_ringbuf_reserve(&ring, size, 0);

	if (!room)
		la_count_lost(LA_LOST_STATE);
	return room;
}

static __always_inline void la_emit_segment(const struct la_key *key, const struct la_segment *seg,
					    const struct la_out *out, __u32 seq)
{
	struct la_rec_segment *r = la_reserve(sizeof(*r));

	if (!r)
		return;
	la_record_segment(r, key, out, seg, seq);
	bpf_ringbuf_submit(r, 0);
}

static __always_inline void la_emit_rst(const struct la_key *key, const struct la_segment *seg,
					const struct la_out *out, __u32 seq)
{
	struct la_rec_rst *r = la_reserve(sizeof(*r));

	if (!r)
		return;
	la_record_rst(r, key, out, seg, seq);
	bpf_ringbuf_submit(r, 0);
}

static __always_inline void la_emit_state(const struct la_key *key, const struct la_segment *seg,
					  const struct la_out *out, const struct la_change *c,
					  __u32 seq)
{
	struct la_rec_state *r = la_reserve(sizeof(*r));

	if (!r)
		return;
	la_record_state(r, key, out, c, seg, seq);
	bpf_ringbuf_submit(r, 0);
}

static __always_inline void la_emit_gone(const struct la_key *key, const struct la_out *out,
					 const struct la_flow *ended)
{
	struct la_rec_gone *r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);

	if (!r) {
		la_count_lost(LA_LOST_STATE);
		return;
	}
	la_record_gone(r, key, out, ended);
	bpf_ringbuf_submit(r, 0);
}

/*
 * Emits the segment, RST and state records of this CPU's note; seg is NULL if a timer did
 * it. A global function, like la_meet(): the verifier looks at it once.
 */
__noinline int la_emit_changes(struct la_key *key, struct la_segment *seg)
{
	struct la_scratch *s = la_scratch();
	struct la_out *out;
	__u32 seq, i;

	if (!s || !key)
		return 0;
	out = &s->out;
	seq = out->seq;
	if (seg && (out->want & LA_WANT_SEGMENT))
		la_emit_segment(key, seg, out, seq++);
	if (seg && (out->want & LA_WANT_RST))
		la_emit_rst(key, seg, out, seq++);
	for (i = 0; i < LA_CHANGES_MAX; i++) {
		if (i >= out->n)
			break;
		la_emit_state(key, seg, out, &out->change[i], seq++);
	}
	return 0;
}

#endif
