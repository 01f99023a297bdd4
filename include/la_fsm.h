/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_fsm.h - the state machine of one endpoint, as an observer sees it (RFC 9293 3.3.2).
 *
 *            orig                                      resp
 *          CLOSED                                      LISTEN
 *        SYN_SENT   ---- SYN ------------------------>
 *                   <--- SYN,ACK ---------------------  SYN_RECEIVED
 *     ESTABLISHED   ---- ACK ------------------------>  (ESTABLISHED)
 *                            ... data both ways ...
 *      FIN_WAIT_1   ---- FIN ------------------------>  (CLOSE_WAIT)
 *    (FIN_WAIT_2)   <--- ACK ------------------------
 *     (TIME_WAIT)   <--- FIN ------------------------   LAST_ACK
 *       TIME_WAIT   ---- ACK ------------------------>  (CLOSED)
 *
 * States in parentheses are presumed: the segment passed, but nothing yet proves that it
 * arrived. Events are therefore named from the endpoint's point of view: what it sent is
 * seen, what it received is presumed until its own segments prove it, and each presumption
 * has an event that takes it back.
 *
 * The table is total: a cell that is not written is 0, which means "stay". No state
 * falls through to CLOSED, and no event is an error here; whether a segment may be acted
 * upon at all is decided before (la_window.h, la_rst.h).
 */
#ifndef LA_FSM_H
#define LA_FSM_H

#include "la_names.h"
#include "la_types.h"

enum la_event {
	LA_EV_SND_SYN,	       /* it sent a SYN */
	LA_EV_SND_SYN_ACK,     /* it sent a SYN-ACK */
	LA_EV_SND_ACK_OF_SYN,  /* it acknowledged the peer's SYN-ACK */
	LA_EV_SND_FIN,	       /* it sent its FIN */
	LA_EV_RCV_SYN,	       /* a SYN reached it */
	LA_EV_RCV_ACK_OF_SYN,  /* the ACK of its SYN reached it */
	LA_EV_RCV_FIN,	       /* the peer's FIN reached it, in sequence */
	LA_EV_RCV_ACK_OF_FIN,  /* the ACK of its FIN reached it */
	LA_EV_LOST_ACK_OF_SYN, /* it did not: the SYN-ACK was sent again */
	LA_EV_LOST_ACK_OF_FIN, /* it did not: the FIN was sent again */
	LA_EV_LOST_FIN,	       /* the peer's FIN had not reached it after all */
	LA_EV_RESET,	       /* it sent a RST, or accepted one */
	LA_EV_PICKUP,	       /* first seen in the middle of its life */
	LA_EV_2MSL,	       /* its TIME_WAIT is over */
	LA_EV_MAX,
};

/* Sixteen rows, so that a state needs only a mask to be a safe index. */
#define LA_FSM_ROWS 16
_Static_assert(LA_STATE_MAX <= LA_FSM_ROWS, "a row a state");

static const __u8 la_fsm[LA_FSM_ROWS][LA_EV_MAX] = {
	[LA_CLOSED] =
		{
			[LA_EV_SND_SYN] = LA_SYN_SENT,	       /* active open */
			[LA_EV_LOST_ACK_OF_FIN] = LA_LAST_ACK, /* the last ACK was lost */
			[LA_EV_PICKUP] = LA_ESTABLISHED,
		},
	[LA_LISTEN] =
		{
			[LA_EV_SND_SYN] = LA_SYN_SENT, /* simultaneous open: not a listener */
			[LA_EV_SND_SYN_ACK] = LA_SYN_RECEIVED, /* passive open */
			[LA_EV_RESET] = LA_CLOSED,	       /* refused: nobody listens */
			[LA_EV_PICKUP] = LA_ESTABLISHED,
		},
	[LA_SYN_SENT] =
		{
			[LA_EV_SND_SYN_ACK] = LA_SYN_RECEIVED, /* simultaneous open */
			[LA_EV_RCV_SYN] = LA_SYN_RECEIVED,     /* simultaneous open */
			[LA_EV_SND_ACK_OF_SYN] = LA_ESTABLISHED,
			[LA_EV_RESET] = LA_CLOSED,
		},
	[LA_SYN_RECEIVED] =
		{
			[LA_EV_RCV_ACK_OF_SYN] = LA_ESTABLISHED,
			[LA_EV_SND_FIN] = LA_FIN_WAIT_1, /* closed before the ACK came */
			[LA_EV_RCV_FIN] = LA_CLOSE_WAIT,
			[LA_EV_RESET] = LA_CLOSED,
		},
	[LA_ESTABLISHED] =
		{
			[LA_EV_SND_FIN] = LA_FIN_WAIT_1, /* active close */
			[LA_EV_RCV_FIN] = LA_CLOSE_WAIT, /* passive close */
			[LA_EV_LOST_ACK_OF_SYN] = LA_SYN_RECEIVED,
			[LA_EV_RESET] = LA_CLOSED,
		},
	[LA_FIN_WAIT_1] =
		{
			[LA_EV_RCV_ACK_OF_FIN] = LA_FIN_WAIT_2,
			[LA_EV_RCV_FIN] = LA_CLOSING, /* simultaneous close */
			[LA_EV_RESET] = LA_CLOSED,
		},
	[LA_FIN_WAIT_2] =
		{
			[LA_EV_RCV_FIN] = LA_TIME_WAIT,
			[LA_EV_LOST_ACK_OF_FIN] = LA_FIN_WAIT_1,
			[LA_EV_RESET] = LA_CLOSED,
		},
	[LA_CLOSE_WAIT] =
		{
			[LA_EV_SND_FIN] = LA_LAST_ACK,
			[LA_EV_LOST_FIN] = LA_ESTABLISHED, /* its own FIN does not cover it */
			[LA_EV_RESET] = LA_CLOSED,
		},
	[LA_CLOSING] =
		{
			[LA_EV_RCV_ACK_OF_FIN] = LA_TIME_WAIT,
			[LA_EV_LOST_FIN] = LA_FIN_WAIT_1,
			[LA_EV_RESET] = LA_CLOSED,
		},
	[LA_LAST_ACK] =
		{
			[LA_EV_RCV_ACK_OF_FIN] = LA_CLOSED, /* presumed for ever */
			[LA_EV_RESET] = LA_CLOSED,
		},
	[LA_TIME_WAIT] =
		{
			[LA_EV_LOST_ACK_OF_FIN] = LA_CLOSING,
			[LA_EV_LOST_FIN] = LA_FIN_WAIT_2,
			[LA_EV_2MSL] = LA_CLOSED,
		},
};

/* The state after an event, or 0 to stay. Any value of state is safe. */
LA_INLINE __u8 la_fsm_next(__u32 state, enum la_event event)
{
	state &= LA_FSM_ROWS - 1;
	la_opaque(state);
	return la_fsm[state & (LA_FSM_ROWS - 1)][event];
}

#endif
