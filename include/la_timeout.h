/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_timeout.h - which clock runs for a flow, and when it runs out.
 *
 * Each state of an endpoint waits for something; a flow runs on the clock of the endpoint
 * that is waited for longest. In a half-closed connection that is the open half, so data
 * keeps the flow alive however long the other half has been closed. A clock of `since` is
 * never renewed by traffic: an unanswered attempt expires though its SYN is sent again, and
 * a stray ACK does not prolong a TIME_WAIT. Who sends again and again and hears nothing is
 * not waited for as long as his state allows, but on the clock `unanswered` (la_liveness.h):
 * the intervals of retransmissions are at most 120 s in Linux, so after 300 s without one it
 * has given up, and told nobody. nf_conntrack does the same.
 */
#ifndef LA_TIMEOUT_H
#define LA_TIMEOUT_H

#include "la_flow.h"

/* Questions without an answer that make a silent peer. */
#define LA_UNANSWERED_MIN 3

struct la_wait {
	__u8 weight;  /* the heavier of both endpoints is waited for */
	__u8 timeout; /* enum la_timeout */
};

static const struct la_wait la_waits[LA_STATE_MAX] = {
	[LA_LISTEN] = {1, LA_TIMEOUT_CLOSED},
	[LA_CLOSED] = {2, LA_TIMEOUT_CLOSED},
	[LA_TIME_WAIT] = {3, LA_TIMEOUT_TIME_WAIT},
	[LA_ESTABLISHED] = {4, LA_TIMEOUT_ESTABLISHED},
	[LA_FIN_WAIT_2] = {5, LA_TIMEOUT_HALF_CLOSED},
	[LA_FIN_WAIT_1] = {6, LA_TIMEOUT_HALF_CLOSED},
	[LA_CLOSE_WAIT] = {7, LA_TIMEOUT_HALF_CLOSED},
	[LA_CLOSING] = {8, LA_TIMEOUT_CLOSING},
	[LA_LAST_ACK] = {9, LA_TIMEOUT_LAST_ACK},
	[LA_SYN_SENT] = {10, LA_TIMEOUT_SYN_SENT},
	[LA_SYN_RECEIVED] = {11, LA_TIMEOUT_SYN_RECEIVED},
};

/* Index of the endpoint whose state the flow waits for. */
LA_INLINE int la_waiting_side(const struct la_flow *f)
{
	__u8 a = f->side[0].state, b = f->side[1].state;

	if (a >= LA_STATE_MAX || b >= LA_STATE_MAX)
		return 0;
	return la_waits[b].weight > la_waits[a].weight;
}

/* The clock that a flow runs on, from the states of its endpoints (enum la_timeout). */
LA_INLINE __u8 la_flow_class(const struct la_flow *f)
{
	__u8 state = la_waiting_side(f) ? f->side[1].state : f->side[0].state;

	if (state >= LA_STATE_MAX)
		return LA_TIMEOUT_CLOSED;
	/* Who never had an answer has not come further than an attempt. */
	if (!(f->flags & (LA_F_REPLIED | LA_F_CLOSED)))
		return LA_TIMEOUT_SYN_SENT;
	if (!(f->flags & LA_F_CLOSED) && la_closed_one_way(f) >= 0)
		return LA_TIMEOUT_CLOSING; /* there may be nothing more to hear */
	if (state == LA_FIN_WAIT_1 && (f->side[0].flags & f->side[1].flags & LA_S_FIN))
		return LA_TIMEOUT_CLOSING;
	return la_waits[state].timeout;
}

/* True for clocks that traffic winds up again. */
LA_INLINE bool la_class_renewed(__u8 class)
{
	return class == LA_TIMEOUT_ESTABLISHED || class == LA_TIMEOUT_HALF_CLOSED ||
	       class == LA_TIMEOUT_CLOSING || class == LA_TIMEOUT_LAST_ACK;
}

LA_INLINE __u64 la_latest(__u64 a, __u64 b, __u64 c)
{
	__u64 later = a > b ? a : b;

	return later > c ? later : c;
}

/* When the flow's clock runs out, absolute ns. Moves earlier only by a segment
 * that la_track() looks at. */
LA_INLINE __u64 la_deadline(const struct la_flow *f, const struct la_config *cfg)
{
	const __u64 *table = cfg->timeouts[f->policy & LA_P_TIMEOUTS];
	__u64 unanswered = table[LA_TIMEOUT_UNANSWERED], timeout, deadline;
	__u32 class = f->class;

	la_opaque(class);
	timeout = table[class < LA_TIMEOUT_MAX ? class : 0];
	if (!la_class_renewed(f->class)) {
		deadline = f->since + timeout;
	} else {
		if (f->unanswered >= LA_UNANSWERED_MIN && unanswered < timeout)
			timeout = unanswered;
		deadline = f->last + timeout;
	}
	/* A state may have moved when it was over: by the last question without an answer, or
	 * before the timeout was made shorter. */
	return la_latest(deadline, f->side[0].since, f->side[1].since);
}

#endif
