// SPDX-License-Identifier: BSD-2-Clause
/*
 * ladder.c - gathers the records of each connection into rows and decides when to draw them.
 *
 * One ladder after another reads well, two interleaved ones do not. So a connection is drawn
 * live while it is the only open one: a story being told. While there are several, each is
 * kept and drawn whole when it ends; whoever was being drawn live then and is interrupted
 * goes on under a second header, when it ends or is alone again. What comes after the end
 * (late segments, 2MSL) is drawn below if nothing else was drawn since; else only if it
 * is news, when the flow is gone. Connections that never end are drawn when the sink closes.
 *
 * A segment record and the state and RST records of the same segment make one row; the row is
 * drawn when the next one begins or the stream pauses. Memory is bounded: MAX_CONNS
 * connections of MAX_ROWS rows, of which the middle is left out when they are more.
 * Used through output.h; the drawing is in ladder_draw.c.
 */
#include "ladder_draw.h"
#include <stdlib.h>
#define uthash_fatal(msg) abort() /* no more memory for a few words */
#include <uthash.h>

#define MAX_CONNS 4096
#define MAX_ROWS  64
#define HEAD_ROWS 32 /* kept from the beginning when rows are left out */

struct conn {
	__u64 id;
	struct la_rec h; /* of the first record: who they are */
	struct la_pen pen;
	struct la_row row; /* being gathered */
	bool has_row;	   /* row is not drawn or kept yet */
	bool closed;
	bool news; /* after the close: something else than a clock */
	__u32 rows, skipped, room;
	struct la_row *kept;
	UT_hash_handle hh;
};

struct ladder {
	struct la_output o; /* first */
	struct conn *conns; /* by id, oldest first */
	struct conn *live;  /* is drawn as it happens, or NULL */
	__u32 open;	    /* connections without a close record */
	__u64 drawn;	    /* id of whom the last line drawn was about */
	bool any_drawn;
};

/* --- drawing or keeping ---------------------------------------------------------------- */

static void draw_kept(struct ladder *l, struct conn *c)
{
	for (__u32 i = 0; i < c->rows; i++) {
		if (i == HEAD_ROWS && c->skipped)
			la_draw_skipped(&l->o, &c->pen, c->skipped);
		la_draw_row(&l->o, &c->pen, &c->kept[i]);
	}
	c->rows = c->skipped = 0;
}

/* Turns the paper to a connection: its header, if another one was drawn last, and its rows. */
static void turn_to(struct ladder *l, struct conn *c)
{
	if (!l->any_drawn || l->drawn != c->id)
		la_draw_header(&l->o, &c->h, c->pen.begun);
	l->any_drawn = true;
	l->drawn = c->id;
	if (l->live != c)
		l->live = NULL;
	draw_kept(l, c);
}

static bool make_room(struct conn *c)
{
	__u32 room = c->room ? c->room * 2 : 16;
	struct la_row *kept;

	if (c->rows < c->room)
		return true;
	if (c->room >= MAX_ROWS)
		return false;
	kept = realloc(c->kept, room * sizeof(*kept));
	if (!kept)
		return false;
	c->kept = kept;
	c->room = room;
	return true;
}

/* Keeps a row; leaves out the oldest that is not of the beginning when there is no room. */
static void keep(struct conn *c, const struct la_row *row)
{
	if (make_room(c)) {
		c->kept[c->rows++] = *row;
		return;
	}
	c->skipped++;
	if (c->rows <= HEAD_ROWS)
		return;
	memmove(c->kept + HEAD_ROWS, c->kept + HEAD_ROWS + 1,
		(c->rows - HEAD_ROWS - 1) * sizeof(*c->kept));
	c->kept[c->rows - 1] = *row;
}

/* True if the rows of a connection are to be drawn as they come. */
static bool draws_now(const struct ladder *l, const struct conn *c)
{
	return l->live == c || (c->closed && l->any_drawn && l->drawn == c->id);
}

/* Ends the row that is being gathered. */
static void end_row(struct ladder *l, struct conn *c)
{
	if (!c->has_row)
		return;
	c->has_row = false;
	c->news = c->news || c->row.seg.flags;
	if (!draws_now(l, c)) {
		keep(c, &c->row);
		return;
	}
	turn_to(l, c);
	la_draw_row(&l->o, &c->pen, &c->row);
}

/*
 * A late SYN has told who the originator is: what stood on the left goes to the right. The rows
 * so far stay as they were drawn, and a new header follows.
 */
static void turn_round(struct ladder *l, struct conn *c, const struct la_rec *rec)
{
	struct la_pen *pen = &c->pen;
	__u8 left;

	end_row(l, c);
	turn_to(l, c);
	l->any_drawn = false;
	c->h = *rec;
	c->row = (struct la_row){0};
	left = pen->state[LA_ORIG];
	pen->state[LA_ORIG] = pen->state[LA_RESP];
	pen->state[LA_RESP] = left;
	pen->presumed = (__u8)((pen->presumed & 1) << 1 | (pen->presumed >> 1 & 1));
	pen->known = 0;
	pen->answered = 0;
}

/* --- rows from records ----------------------------------------------------------------- */

/* True if the row being gathered, or just ended, is about this segment. */
static bool same_row(const struct conn *c, const struct la_rec *rec, const struct la_rec_seg *seg)
{
	const struct la_row *row = &c->row;

	return row->ts == rec->ts && !memcmp(&row->seg, seg, sizeof(*seg)) && row->state[0];
}

static void start_row(struct ladder *l, struct conn *c, const struct la_rec *rec,
		      const struct la_rec_seg *seg, const __u8 state[2])
{
	end_row(l, c);
	c->row = (struct la_row){.ts = rec->ts,
				 .seg = *seg,
				 .state = {state[0], state[1]},
				 .presumed = c->row.presumed,
				 .reason = LA_R_ACCEPTED};
	c->has_row = true;
}

static void on_segment(struct ladder *l, struct conn *c, const struct la_rec *rec)
{
	const struct la_rec_segment *r = (const struct la_rec_segment *)rec;

	start_row(l, c, rec, &r->seg, r->state);
	c->row.presumed = r->presumed;
	c->row.reason = r->reason;
}

static void on_state(struct ladder *l, struct conn *c, const struct la_rec *rec)
{
	const struct la_rec_state *r = (const struct la_rec_state *)rec;
	__u8 end = r->endpoint & 1;

	if (!same_row(c, rec, &r->seg)) {
		start_row(l, c, rec, &r->seg, r->state);
		c->row.cause = r->cause;
	} else if (!c->has_row && r->certainty != LA_CORRECTED) {
		return; /* the stream paused within the row: it has told this state already */
	}
	c->has_row = true;
	c->row.state[0] = r->state[0];
	c->row.state[1] = r->state[1];
	c->row.presumed = r->presumed;
	if (!c->row.from[end])
		c->row.from[end] = r->from;
	if (r->certainty == LA_CORRECTED)
		c->row.corrected |= (__u8)(1 << end);
}

static void on_rst(struct ladder *l, struct conn *c, const struct la_rec *rec)
{
	const struct la_rec_rst *r = (const struct la_rec_rst *)rec;

	if (!same_row(c, rec, &r->seg))
		start_row(l, c, rec, &r->seg, r->state);
	c->row.verdict = r->verdict;
	c->row.forged = r->forged;
	c->row.dropped = r->dropped;
}

static void on_close(struct ladder *l, struct conn *c, const struct la_rec *rec)
{
	end_row(l, c);
	turn_to(l, c);
	la_draw_close(&l->o, &c->pen, (const struct la_rec_close *)rec);
	if (!c->closed)
		l->open--;
	if (l->live == c)
		l->live = NULL;
	c->closed = true;
	c->news = false;
}

/* --- connections ----------------------------------------------------------------------- */

static void forget(struct ladder *l, struct conn *c)
{
	if (!c->closed)
		l->open--;
	if (l->live == c)
		l->live = NULL;
	HASH_DEL(l->conns, c);
	free(c->kept);
	free(c);
}

/* Draws what was kept and is worth it: all of an open connection, of a closed one the news. */
static void draw_rest(struct ladder *l, struct conn *c)
{
	end_row(l, c);
	if (c->rows && (!c->closed || c->news))
		turn_to(l, c);
}

static void on_gone(struct ladder *l, struct conn *c, const struct la_rec *rec)
{
	draw_rest(l, c);
	if (l->any_drawn && l->drawn == c->id)
		la_draw_gone(&l->o, (const struct la_rec_gone *)rec);
	forget(l, c);
}

/* Nothing more will be told of a connection here. */
static void leave(struct ladder *l, struct conn *c)
{
	draw_rest(l, c);
	forget(l, c);
}

static struct conn *find(struct ladder *l, const struct la_rec *rec)
{
	struct conn *c;

	HASH_FIND(hh, l->conns, &rec->id, sizeof(rec->id), c);
	if (c || rec->type == LA_REC_GONE)
		return c;
	if (HASH_COUNT(l->conns) >= MAX_CONNS)
		leave(l, l->conns);
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->id = rec->id;
	c->h = *rec;
	HASH_ADD(hh, l->conns, id, sizeof(c->id), c);
	l->open++;
	return c;
}

static void ladder_record(struct la_sink *sink, const struct la_rec *rec)
{
	static void (*const on[LA_RECORD_MAX])(struct ladder *, struct conn *,
					       const struct la_rec *) = {
		[LA_REC_SEGMENT] = on_segment, [LA_REC_STATE] = on_state, [LA_REC_RST] = on_rst,
		[LA_REC_CLOSE] = on_close,     [LA_REC_GONE] = on_gone,
	};
	struct ladder *l = (struct ladder *)sink;
	struct conn *c;

	if (rec->type >= LA_RECORD_MAX || !on[rec->type])
		return;
	c = find(l, rec);
	if (!c)
		return;
	if (!l->live && !c->closed && l->open == 1)
		l->live = c;
	if (c->h.orig != rec->orig)
		turn_round(l, c, rec);
	on[rec->type](l, c, rec);
}

static int ladder_flush(struct la_sink *sink)
{
	struct ladder *l = (struct ladder *)sink;
	struct conn *c = l->live;

	if (!c)
		HASH_FIND(hh, l->conns, &l->drawn, sizeof(l->drawn), c);
	if (c && draws_now(l, c))
		end_row(l, c);
	return la_output_flush(sink);
}

static void ladder_close(struct la_sink *sink)
{
	struct ladder *l = (struct ladder *)sink;

	while (l->conns)
		leave(l, l->conns);
	la_output_close(sink);
}

struct la_sink *la_output_ladder_new(FILE *to, const struct la_output_opts *opts)
{
	struct ladder *l = la_output_alloc(sizeof(*l), to, opts, ladder_record);

	if (!l)
		return NULL;
	l->o.sink.flush = ladder_flush;
	l->o.sink.close = ladder_close;
	return &l->o.sink;
}
