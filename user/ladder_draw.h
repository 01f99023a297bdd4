/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ladder_draw.h - draws one connection as the textbook ladder, row by row.
 *
 *            client 10.9.0.1:40312                        server 10.9.0.2:80
 *         SYN_SENT │── SYN seq=0 ───────────────────────────▶│                      +0ns
 *   (ESTABLISHED?) ┆◀───────────────── SYN,ACK seq=0 ack=1 ──│ SYN_RECEIVED      +31.0us
 *
 * A state stands beside its life line where it changes or where its certainty changes. What
 * is only presumed stands in parentheses with a question mark and its life line is broken;
 * `!` marks a corrected state. Only ladder.c uses this.
 */
#ifndef LA_USER_LADDER_DRAW_H
#define LA_USER_LADDER_DRAW_H

#include "output_base.h"

/* One row: a segment, or a clock, and what it did to both endpoints. */
struct la_row {
	__u64 ts;
	struct la_rec_seg seg; /* flags 0: a clock or a policy */
	__u8 from[2];	       /* state before, 0: did not move */
	__u8 state[2];	       /* after it */
	__u8 presumed;	       /* bits 1 << endpoint */
	__u8 corrected;	       /* bits 1 << endpoint */
	__u8 reason;	       /* enum la_reason, of a segment */
	__u8 cause;	       /* enum la_cause, without a segment */
	__u8 verdict;	       /* enum la_rst_verdict, of a RST */
	__u8 forged;	       /* as in la_rec_rst */
	__u8 dropped;	       /* as in la_rec_rst */
	__u8 pad;
};

/* Where the drawing of one connection stands. All zero before its first row. */
struct la_pen {
	bool begun;
	__u8 state[2]; /* on the paper */
	__u8 presumed;
	__u8 known;    /* bit 1 << endpoint: next[] is valid */
	__u8 answered; /* bit 1 << endpoint: it has sent a SYN-ACK */
	__u64 start;   /* ns, of the first row */
	__u64 last;    /* ns, of the last one */
	__u32 next[2]; /* relative sequence number that each endpoint sends next */
};

/* Who they are, above the life lines. */
void la_draw_header(struct la_output *o, const struct la_rec *rec, bool continued);

/* One row, after what happened unseen since the last one: data, a long silence. */
void la_draw_row(struct la_output *o, struct la_pen *pen, const struct la_row *row);

/* Rows that were too many to keep. */
void la_draw_skipped(struct la_output *o, const struct la_pen *pen, __u32 rows);

/* How it ended: the states in which a silence left them, if one did, and one line. */
void la_draw_close(struct la_output *o, struct la_pen *pen, const struct la_rec_close *rec);

/* What came after the end; nothing if nothing did. */
void la_draw_gone(struct la_output *o, const struct la_rec_gone *rec);

#endif
