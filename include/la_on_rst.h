/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_on_rst.h - a RST: the verdict (la_rst.h) and the evidence (la_forged.h) are noted, and
 * if its receiver gives up, both halves end. What a policy drops (la_rst_policy.h) is told of,
 * but was never sent as far as the flow is concerned.
 */
#ifndef LA_ON_RST_H
#define LA_ON_RST_H

#include "la_forged.h"
#include "la_pass.h"
#include "la_rst.h"
#include "la_rst_policy.h"
#include "la_undo.h"

LA_INLINE enum la_closer la_closer_of(const struct la_flow *f, __u8 side)
{
	return side == f->orig ? LA_BY_ORIG : LA_BY_RESP;
}

/* Who made the first closing move: the first FIN, or the RST of side d if there was none. */
LA_INLINE enum la_closer la_first_closer(const struct la_flow *f, __u8 d)
{
	bool a = f->side[0].flags & LA_S_ACTIVE, b = f->side[1].flags & LA_S_ACTIVE;

	if (a && b)
		return LA_BY_BOTH;
	if (a || b)
		return la_closer_of(f, b);
	return la_closer_of(f, d);
}

LA_INLINE enum la_close_reason la_reset_reason(const struct la_flow *f, enum la_rst_verdict v)
{
	bool a = f->side[0].flags & LA_S_FIN, b = f->side[1].flags & LA_S_FIN;

	if (v == LA_RST_SYN_SENT_ACK_OK)
		return LA_CLOSE_REFUSED;
	return a != b ? LA_CLOSE_HALF_CLOSED_RESET : LA_CLOSE_RESET;
}

LA_INLINE void la_accept_rst(struct la_pass *x, enum la_rst_verdict verdict)
{
	struct la_flow *f = x->f;
	bool policy = f->policy & LA_P_RESET;

	if (!(f->flags & LA_F_CLOSED)) { /* else its close record is out already */
		f->rst_sender = x->d;
		f->rst_verdict = verdict;
	}
	if (!f->closing)
		f->closing = x->out->ts;
	f->last = x->out->ts;
	f->flags &= ~LA_F_CARRIED_ON;
	la_close(f, policy ? LA_CLOSE_POLICY : la_reset_reason(f, verdict),
		 policy ? LA_BY_POLICY : la_first_closer(f, x->d), x->out);
	la_rst_proves(x);
	la_keep_state(x->s);
	la_keep_state(x->p);
	la_move(f, x->d, LA_EV_RESET, LA_SEEN, LA_CAUSE_RST, x->out);
	la_presume_reset(x, !x->d);
}

/* What is told of a RST. */
LA_INLINE void la_tell_rst(struct la_pass *x, enum la_rst_verdict verdict)
{
	x->out->verdict = verdict;
	x->out->forged = la_rst_evidence(x->f, x->s, x->p, x->seg);
	x->out->want |= LA_WANT_RST;
}

/* Takes note of a RST, and of the evidence against it. */
LA_INLINE void la_note_rst(struct la_pass *x)
{
	struct la_flow *f = x->f;
	struct la_side *s = x->s;

	f->forged |= x->out->forged;
	f->rst_at = x->out->ts;
	s->flags |= LA_S_RST;
	/* At number 0 it answers a copy of the SYN, and is of no socket (RFC 9293 3.10.7.1). */
	if (x->seg->seq || !la_ended(f))
		s->rst_seq = x->seg->seq;
	s->rst_peer = x->p->nxt;
	s->marks &= ~(LA_M_SPOKE | LA_M_ALIVE | LA_M_OUR_RST);
	s->marks |= la_bit(f->policy, LA_P_RESET) * LA_M_OUR_RST;
	x->p->marks &= ~LA_M_ALIVE;
}

/* A listener challenges nobody: any RST in the window takes a request away (Linux,
 * tcp_check_req). */
LA_INLINE bool la_drops_request(const struct la_pass *x, enum la_rst_verdict verdict)
{
	return verdict == LA_RST_IN_WINDOW && la_is_orig(x) && x->p->state == LA_SYN_RECEIVED;
}

/* Does the policy drop it? A dry run only says so. */
LA_INLINE bool la_policy_drops(struct la_pass *x, enum la_rst_verdict verdict,
			       const struct la_config *cfg)
{
	if (cfg->rst_policy <= LA_RST_POLICY_OBSERVE)
		return false;
	x->out->rule = la_rst_rule(x->f, x->s, x->p, x->seg, verdict, x->out->forged);
	return x->out->rule && cfg->rst_policy >= LA_RST_POLICY_STRICT;
}

/*
 * It answers a SYN-ACK that belongs to no SYN of its sender, who waited for a FIN and waits no
 * more: a socket would send a challenge ACK; Linux ends what is left of one (TCP_TW_RST).
 */
LA_INLINE void la_end_fin_wait(struct la_pass *x)
{
	const struct la_side *s = x->s;

	if (s->state == LA_FIN_WAIT_2 && (s->marks & LA_M_CHALLENGED) &&
	    !(x->seg->flags & LA_ACK) && x->seg->seq == s->isn + 1)
		la_move(x->f, x->d, LA_EV_RESET, LA_SEEN, LA_CAUSE_RST, x->out);
}

LA_INLINE enum la_reason la_on_rst(struct la_pass *x, const struct la_config *cfg)
{
	struct la_flow *f = x->f;
	enum la_rst_verdict verdict = LA_RST_AFTER_CLOSE;

	if (!la_ended(f))
		verdict = la_rst_judge(x->s, x->p, x->seg);
	la_tell_rst(x, verdict);
	if (la_policy_drops(x, verdict, cfg))
		return LA_R_RST_DROPPED;
	la_note_rst(x);
	if (verdict == LA_RST_AFTER_CLOSE) {
		f->late_rst++;
		la_on_late_rst(x);
		return LA_R_LATE;
	}
	if (la_rst_closes(verdict) || la_drops_request(x, verdict)) {
		la_accept_rst(x, verdict);
		return LA_R_ACCEPTED;
	}
	if (verdict == LA_RST_OUT_OF_WINDOW) {
		la_end_fin_wait(x);
		return LA_R_RST_OUT_OF_WINDOW;
	}
	x->p->marks |= LA_M_CHALLENGED;
	return LA_R_RST_IGNORED;
}

#endif
