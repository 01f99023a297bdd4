/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * act.bpf.h - the hand of a policy on one flow, under its lock: la_act_on, called by the loader.
 *
 *   la_asked   which connection, and what (la_act.h)
 *   la_acted   back: the flow as it is afterwards
 *
 * The connection is named by key and id, so that nothing befalls another one that has taken its
 * ports meanwhile. A clock that may run out earlier now is wound anew.
 */
#ifndef LA_ACT_BPF_H
#define LA_ACT_BPF_H

#include "evict.bpf.h"
#include "la_act.h"

#define LA_ENOENT 2
#define LA_EBUSY  16

struct la_asked la_asked;
struct la_flow la_acted;

/* The flow in s->ended was told to leave, and its entry is free. */
static __always_inline void la_tell_forgotten(struct la_key *key, struct la_scratch *s)
{
	la_measure(NULL);
	la_delete(key, s->slot);
	la_emit_changes(key, NULL);
	la_emit_leaving(key, s, s->owes);
}

/*
 * Returns 0, -ENOENT if there is no such connection (any more), or -EBUSY if it is to leave, and
 * its close record has nowhere to go.
 */
static __always_inline int la_act_flow(struct la_key *key, struct la_entry *e, struct la_scratch *s)
{
	__u32 tag = la_key_tag(key);
	__u64 now = la_now();
	bool known, gone = false;

	if (la_asked.act == LA_ACT_EXPIRE && la_must_stay(e))
		return -LA_EBUSY;
	la_out_reset(&s->out, now);
	bpf_spin_lock(&e->lock);
	known = !la_is_stale(e, tag) && e->flow.side[0].state && e->flow.id == la_asked.id;
	if (known) {
		gone = la_do_act(&e->flow, la_asked.act, la_asked.arg, now, &s->out);
		s->ended = e->flow;
		s->owes = e->due || (s->out.want & LA_WANT_CLOSE);
		la_count_half_open(e);
		la_count_entry(e, s);
		s->slot = e->slot;
		s->deadline = la_deadline(&e->flow, &la_cfg);
	}
	bpf_spin_unlock(&e->lock);
	if (!known)
		return -LA_ENOENT;
	la_acted = s->ended;
	if (gone)
		la_tell_forgotten(key, s);
	else if (la_asked.act == LA_ACT_POLICY)
		la_wind(s->slot, now, s->deadline);
	return 0;
}

#endif
