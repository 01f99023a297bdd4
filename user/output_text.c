// SPDX-License-Identifier: BSD-2-Clause
/*
 * output_text.c - records as lines for a person: one a transition, a bold one a connection.
 *
 *   time | client's state | arrow of the segment that did it | server's state | time in the
 *   state before (close: whole life) | client -> server | what else is to be said
 *
 * Four designs were drawn with the same traffic: a log of "who: FROM -> TO"; address, state,
 * arrow, state, address; states first and addresses last; the same with only the mover shown.
 * The log hides the other endpoint, so half-closed reads like any line. Addresses around the
 * states break every column at the first IPv6 address. Showing only the mover makes one
 * search upwards for the peer. States first, both, in fixed columns: the eye runs down two
 * columns, and a CLOSE_WAIT without a LAST_ACK below it stands there like a wrong note.
 * A CLOSE_WAIT that was stuck is printed in the one inverse colour that is used at all.
 *
 * The mover is bold. Marks: `~` presumed (dim), `!` corrected. Not printed: segment records,
 * a RST that did what it said (its close line says so), a gone record with nothing late.
 *
 * Where a terminal has no room for the addresses, they are a line of their own above those of
 * their connection, repeated when another one has spoken in between; what else is to be said
 * goes on below, indented, and no word is cut. A pipe or a file gets lines of any length.
 * Used through output.h.
 */
#include "la_flow.h"
#include "output_base.h"
#include "text.h"
#include <sys/ioctl.h>
#include <unistd.h>

#define STATE_WIDTH 12 /* SYN_RECEIVED */
#define ARROW_WIDTH 15
#define TIME_WIDTH  8 /* of a duration */

/* The columns before the addresses, and where the states begin. */
#define COLUMNS_WIDTH 65
#define INDENT	      13
#define FLOW_COLUMNS  45 /* of a flow record, which has neither time nor arrow */

/* How much longer a moment is than on the clock, by enum la_time_format. */
static const int longer[] = {[LA_TIME_CLOCK] = 0, [LA_TIME_ISO] = 16, [LA_TIME_EPOCH] = 2};

/* No line is longer, in bytes with colours. */
#define LINE_BYTES 2048

/* A glyph, so often that it is cut to any length. */
struct line {
	char text[ARROW_WIDTH * 4 + 1]; /* a character is at most 4 bytes of UTF-8 */
	size_t bytes;			/* of one */
};

struct text {
	struct la_output base;	 /* first: see output_base.h */
	struct line line, heavy; /* of arrows */
	bool terminal;
	int width;   /* columns of the terminal; 0: it is none */
	int columns; /* before the addresses of the record at hand */
	bool narrow; /* no room for the addresses of the connection at hand */
	__u64 above; /* id of the connection whose addresses stand above */
};

struct cell {
	unsigned int state;
	char mark; /* of certainty */
	bool bold;
	bool alarm;
};

static const struct text *text_of(const struct la_output *o)
{
	return (const struct text *)o;
}

static void pad(struct la_output *o, int width)
{
	la_buf_fill(&o->out, ' ', width);
}

/* A state: right-aligned for the client, left-aligned for the server, its mark before it. */
static void put_cell(struct la_output *o, struct cell cell, bool right)
{
	const char *word = la_state_word(cell.state);
	size_t len = strlen(word);
	int space = STATE_WIDTH - (int)len;

	if (right)
		pad(o, space);
	la_output_sgr(o, cell.alarm ? LA_SGR_ALARM : la_style_state(cell.state));
	if (!cell.alarm && cell.mark == '~')
		la_output_sgr(o, la_style_presumed(cell.state));
	else if (!cell.alarm && cell.bold)
		la_output_sgr(o, LA_SGR_BOLD);
	la_buf_char(&o->out, cell.mark);
	la_buf_mem(&o->out, word, len);
	la_output_sgr(o, LA_SGR_RESET);
	if (!right)
		pad(o, space);
}

/* Directions of an arrow, may be both or none. */
enum heads { TO_RESP = 1, TO_ORIG = 2 };

static struct line line_of(const char *glyph)
{
	struct line line = {.bytes = strlen(glyph)};

	for (int i = 0; i < ARROW_WIDTH; i++)
		strcat(line.text, glyph);
	return line;
}

static void put_line(struct la_output *o, const struct line *line, int columns)
{
	if (columns > 0)
		la_buf_mem(&o->out, line->text, (size_t)columns * line->bytes);
}

/* A label on a line of ARROW_WIDTH columns: "── SYN ──────▶". */
static void put_arrow(struct la_output *o, const char *label, int heads, const struct line *line)
{
	const struct la_glyphs *g = o->glyphs;
	size_t len = strlen(label);
	int rest = ARROW_WIDTH - 2 - (int)len - 2;
	int before = heads == TO_RESP ? 1 : heads == TO_ORIG ? rest - 1 : rest / 2;

	if (heads & TO_ORIG)
		la_buf_str(&o->out, g->left);
	put_line(o, line, heads & TO_ORIG ? before : before + 1);
	la_buf_char(&o->out, ' ');
	la_buf_mem(&o->out, label, len);
	la_buf_char(&o->out, ' ');
	put_line(o, line, heads & TO_RESP ? rest - before : rest - before + 1);
	if (heads & TO_RESP)
		la_buf_str(&o->out, g->right);
}

static void put_time(struct la_output *o, const struct la_rec *rec)
{
	char *text;

	la_output_sgr(o, LA_SGR_GREY);
	text = la_buf_room(&o->out, LA_TEXT_TIME);
	o->out.len += la_text_time(text, o->opts.time_format, la_output_time(o, rec));
	la_output_sgr(o, LA_SGR_RESET);
	pad(o, 1);
}

/* A duration in its column; blank if there is none. */
static void put_duration(struct la_output *o, __u64 ns)
{
	char text[LA_TEXT_SHORT] = "";
	size_t width = ns ? la_text_duration(text, ns) : 0;

	pad(o, 1 + TIME_WIDTH - (int)width);
	la_buf_mem(&o->out, text, width);
}

static void put_endpoint(struct la_output *o, const struct la_rec *rec, enum la_endpoint end,
			 bool service)
{
	char *text = la_buf_room(&o->out, LA_TEXT_ENDPOINT);

	o->out.len += la_text_endpoint(text, rec, end, service);
}

/* The endpoints in their column; on a narrow terminal they stand above. */
static void put_endpoints(struct la_output *o, const struct la_rec *rec)
{
	if (text_of(o)->narrow)
		return;
	pad(o, 2);
	put_endpoint(o, rec, LA_ORIG, false);
	pad(o, 1);
	la_buf_str(&o->out, o->glyphs->to);
	pad(o, 1);
	put_endpoint(o, rec, LA_RESP, !o->opts.numeric);
}

static void put_wide_number(struct la_output *o, const char *name, __u64 orig, __u64 resp)
{
	la_buf_str(&o->out, name);
	la_buf_u64(&o->out, orig);
	la_buf_char(&o->out, '/');
	la_buf_u64(&o->out, resp);
}

/* Wide: which connection, and where it was seen first. */
static void put_wide(struct la_output *o, const struct la_rec *rec)
{
	const char *ifname = la_output_ifname(o, rec);

	if (!o->opts.wide)
		return;
	la_buf_lit(&o->out, "  id ");
	la_buf_hex64(&o->out, rec->id);
	if (ifname) {
		la_buf_lit(&o->out, "  at ");
		la_buf_str(&o->out, ifname);
	}
}

/* Wide, of a connection: client's and server's numbers. */
static void put_wide_sides(struct la_output *o, const struct la_rec_close *r)
{
	const struct la_rec_side *orig = &r->side[LA_ORIG], *resp = &r->side[LA_RESP];

	if (!o->opts.wide)
		return;
	put_wide_number(o, "  segments ", orig->pkts, resp->pkts);
	put_wide_number(o, "  again ", orig->retrans, resp->retrans);
	put_wide_number(o, "  in flight ", orig->in_flight, resp->in_flight);
	put_wide_number(o, "  window ", orig->window, resp->window);
	put_wide(o, &r->h);
}

/* The segment behind a transition as label and direction; a clock or a policy has no heads. */
static int segment_arrow(const struct la_rec_seg *seg, const char **label)
{
	if (!seg->flags)
		return 0;
	*label = la_text_segment(seg);
	return seg->sender == LA_ORIG ? TO_RESP : TO_ORIG;
}

static struct cell state_cell(const struct la_rec_state *r, unsigned int endpoint)
{
	bool mover = endpoint == r->endpoint;
	bool presumed = r->presumed & 1 << endpoint;
	char mark = mover && r->certainty == LA_CORRECTED ? '!' : presumed ? '~' : ' ';

	return (struct cell){.state = r->state[endpoint & 1], .mark = mark, .bold = mover};
}

static const char *arrow_colour(const struct la_rec_seg *seg)
{
	return seg->flags & LA_RST ? LA_SGR_RED : LA_SGR_GREY;
}

/* What the columns cannot say of a transition. */
static void put_state_note(struct la_output *o, const struct la_rec_state *r)
{
	char text[LA_TEXT_SHORT];

	if (r->certainty == LA_CORRECTED) {
		la_output_sgr(o, LA_SGR_PURPLE);
		la_buf_lit(&o->out, "  not ");
		la_buf_str(&o->out, la_state_word(r->from));
		la_buf_lit(&o->out, " after all");
	} else if (r->from == LA_CLOSE_WAIT && r->since >= LA_SEC_NS) {
		la_text_duration(text, r->since);
		la_output_sgr(o, LA_SGR_YELLOW);
		la_buf_lit(&o->out, "  was CLOSE_WAIT for ");
		la_buf_str(&o->out, text);
	} else {
		return;
	}
	la_output_sgr(o, LA_SGR_RESET);
}

static void text_state(struct la_output *o, const struct la_rec *rec)
{
	const struct la_rec_state *r = (const struct la_rec_state *)rec;
	const char *label = r->cause == LA_CAUSE_TIMEOUT ? "timer" : la_cause_word(r->cause);
	int heads = segment_arrow(&r->seg, &label);

	put_time(o, rec);
	put_cell(o, state_cell(r, LA_ORIG), true);
	pad(o, 1);
	la_output_sgr(o, arrow_colour(&r->seg));
	put_arrow(o, label, heads, &text_of(o)->line);
	la_output_sgr(o, LA_SGR_RESET);
	pad(o, 1);
	put_cell(o, state_cell(r, LA_RESP), false);
	put_duration(o, r->since);
	put_endpoints(o, rec);
	put_state_note(o, r);
	put_wide(o, rec);
	la_buf_char(&o->out, '\n');
}

/* Resets that the close line does not tell: the receiver kept the connection, or it smells. */
static bool rst_is_news(const struct la_rec_rst *r)
{
	return r->forged || r->rule ||
	       (r->verdict != LA_RST_EXACT && r->verdict != LA_RST_SYN_SENT_ACK_OK);
}

static void text_rst(struct la_output *o, const struct la_rec *rec)
{
	const struct la_rec_rst *r = (const struct la_rec_rst *)rec;
	char text[LA_TEXT_VERDICT];

	if (!rst_is_news(r))
		return;
	put_time(o, rec);
	put_cell(o, (struct cell){.state = r->state[LA_ORIG], .mark = ' '}, true);
	pad(o, 1);
	la_output_sgr(o, LA_SGR_RED);
	put_arrow(o, "RST", r->sender == LA_ORIG ? TO_RESP : TO_ORIG, &text_of(o)->line);
	la_output_sgr(o, LA_SGR_RESET);
	pad(o, 1);
	put_cell(o, (struct cell){.state = r->state[LA_RESP], .mark = ' '}, false);
	put_duration(o, 0);
	put_endpoints(o, rec);
	la_output_sgr(o, LA_SGR_RED);
	la_buf_lit(&o->out, "  ");
	la_buf_str(&o->out, la_rst_verdict_text(r->verdict));
	if (r->rule)
		la_buf_str(&o->out, r->dropped ? ", dropped by policy" : ", would be dropped");
	if (r->forged) {
		la_text_evidence(text, r->forged);
		la_buf_lit(&o->out, ", perhaps forged: ");
		la_buf_str(&o->out, text);
	}
	la_output_sgr(o, LA_SGR_RESET);
	la_buf_char(&o->out, '\n');
}

/* A close reason as it fits on an arrow. */
static const char *close_label(unsigned int reason)
{
	static const char *const labels[LA_CLOSE_REASON_MAX] = {
		[LA_CLOSE_FIN] = "closed",	[LA_CLOSE_SIMULTANEOUS_FIN] = "closed",
		[LA_CLOSE_RESET] = "RESET",	[LA_CLOSE_HALF_CLOSED_RESET] = "RESET",
		[LA_CLOSE_REFUSED] = "REFUSED", [LA_CLOSE_UNREACHABLE] = "UNREACH",
		[LA_CLOSE_TIMEOUT] = "TIMEOUT", [LA_CLOSE_REPLACED] = "replaced",
		[LA_CLOSE_EVICTED] = "evicted", [LA_CLOSE_POLICY] = "policy",
		[LA_CLOSE_SHUTDOWN] = "open",
	};

	return reason < LA_CLOSE_REASON_MAX && labels[reason] ? labels[reason] : "?";
}

/* Where the arrow of a close points: away from who closed. */
static int close_heads(unsigned int closer)
{
	static const int heads[LA_CLOSER_MAX] = {
		[LA_BY_ORIG] = TO_RESP,
		[LA_BY_RESP] = TO_ORIG,
		[LA_BY_BOTH] = TO_RESP | TO_ORIG,
	};

	return closer < LA_CLOSER_MAX ? heads[closer] : 0;
}

/* What either has sent: "120 B -> <- 4.5 kB". */
static void put_amounts(struct la_output *o, const struct la_rec_close *r)
{
	char text[LA_TEXT_SHORT];

	la_text_bytes(text, r->side[LA_ORIG].bytes);
	la_buf_str(&o->out, text);
	pad(o, 1);
	la_buf_str(&o->out, o->glyphs->to);
	pad(o, 1);
	la_buf_str(&o->out, o->glyphs->from);
	pad(o, 1);
	la_text_bytes(text, r->side[LA_RESP].bytes);
	la_buf_str(&o->out, text);
}

static void put_verdict(struct la_output *o, const struct la_rec_close *r)
{
	char text[LA_TEXT_VERDICT];

	la_buf_lit(&o->out, "  ");
	la_text_verdict(text, r);
	la_buf_str(&o->out, text);
}

static void put_close_note(struct la_output *o, const struct la_rec_close *r)
{
	la_buf_lit(&o->out, "  ");
	put_amounts(o, r);
	put_verdict(o, r);
	if (r->midstream)
		la_buf_lit(&o->out, ", beginning not seen");
}

static struct cell close_cell(const struct la_rec_close *r, unsigned int endpoint)
{
	const struct la_rec_side *side = &r->side[endpoint & 1];

	return (struct cell){.state = side->state,
			     .mark = side->presumed ? '~' : ' ',
			     .bold = true,
			     .alarm = la_text_stuck(r) == (int)endpoint};
}

static void text_close(struct la_output *o, const struct la_rec *rec)
{
	const struct la_rec_close *r = (const struct la_rec_close *)rec;

	put_time(o, rec);
	put_cell(o, close_cell(r, LA_ORIG), true);
	pad(o, 1);
	la_output_sgr(o, LA_SGR_BOLD);
	la_output_sgr(o, la_style_close(r->reason));
	put_arrow(o, close_label(r->reason), close_heads(r->closed_by), &text_of(o)->heavy);
	la_output_sgr(o, LA_SGR_RESET);
	pad(o, 1);
	put_cell(o, close_cell(r, LA_RESP), false);
	la_output_sgr(o, LA_SGR_BOLD);
	put_duration(o, r->duration_ns);
	put_endpoints(o, rec);
	la_output_sgr(o, la_style_close(r->reason));
	put_close_note(o, r);
	la_output_sgr(o, LA_SGR_RESET);
	put_wide_sides(o, r);
	la_buf_char(&o->out, '\n');
}

static void put_late(struct la_output *o, __u32 count, const char *what)
{
	if (!count)
		return;
	la_buf_lit(&o->out, ", ");
	la_buf_u64(&o->out, count);
	la_buf_str(&o->out, what);
}

static void text_gone(struct la_output *o, const struct la_rec *rec)
{
	const struct la_rec_gone *r = (const struct la_rec_gone *)rec;

	if (!r->late_pkts && !r->fin_retrans && !r->late_rst)
		return;
	put_time(o, rec);
	la_output_sgr(o, LA_SGR_GREY);
	pad(o, STATE_WIDTH + 2);
	la_buf_lit(&o->out, "after the close");
	pad(o, STATE_WIDTH + 2);
	put_duration(o, 0);
	put_endpoints(o, rec);
	la_buf_lit(&o->out, "  ");
	la_buf_str(&o->out, la_gone_why_text(r->why));
	put_late(o, r->late_pkts, " late segments");
	put_late(o, r->fin_retrans, " FIN sent again");
	put_late(o, r->late_rst, " late RST");
	la_output_sgr(o, LA_SGR_RESET);
	la_buf_char(&o->out, '\n');
}

/* The timeout that runs, and how long yet: "timeout half_closed 59m58s". */
static void put_clock(struct la_output *o, const struct la_rec_flow *r)
{
	char left[LA_TEXT_SHORT];

	la_text_duration(left, r->left_ns);
	la_buf_lit(&o->out, "  timeout ");
	la_buf_str(&o->out, la_timeout_word(r->timeout));
	la_buf_char(&o->out, ' ');
	la_buf_str(&o->out, left);
}

/*
 * A connection of the table: no time, for it is now, and no arrow, for nothing happens.
 * Behind the states, for how long nothing has been heard of it, and how old it is.
 */
static void text_flow(struct la_output *o, const struct la_rec *rec)
{
	const struct la_rec_flow *r = (const struct la_rec_flow *)rec;

	put_cell(o, close_cell(&r->at, LA_ORIG), true);
	pad(o, 1);
	put_cell(o, close_cell(&r->at, LA_RESP), false);
	put_duration(o, la_elapsed(r->at.heard_ns, r->at.duration_ns));
	put_duration(o, r->at.duration_ns);
	put_endpoints(o, rec);
	la_buf_lit(&o->out, "  ");
	put_amounts(o, &r->at);
	if (r->at.reason) {
		la_output_sgr(o, la_style_close(r->at.reason));
		put_verdict(o, &r->at);
		la_output_sgr(o, LA_SGR_RESET);
	}
	if (o->opts.wide)
		put_clock(o, r);
	put_wide_sides(o, &r->at);
	la_buf_char(&o->out, '\n');
}

/* What a policy did: between the states at that time, like a segment that nobody sent. */
static void text_policy(struct la_output *o, const struct la_rec *rec)
{
	const struct la_rec_policy *r = (const struct la_rec_policy *)rec;
	const char *sgr = r->result == LA_RESULT_FAILED ? LA_SGR_RED : LA_SGR_YELLOW;

	put_time(o, rec);
	put_cell(o, (struct cell){.state = r->state[LA_ORIG], .mark = ' '}, true);
	pad(o, 1);
	la_output_sgr(o, sgr);
	put_arrow(o, la_action_word(r->action), 0, &text_of(o)->line);
	la_output_sgr(o, LA_SGR_RESET);
	pad(o, 1);
	put_cell(o, (struct cell){.state = r->state[LA_RESP], .mark = ' '}, false);
	put_duration(o, 0);
	put_endpoints(o, rec);
	la_output_sgr(o, sgr);
	la_buf_lit(&o->out, "  policy ");
	la_buf_str(&o->out, r->policy);
	la_buf_lit(&o->out, ": ");
	la_buf_str(&o->out, r->result == LA_RESULT_DRY_RUN ? "dry run" : la_result_word(r->result));
	if (*r->detail) {
		la_buf_lit(&o->out, ", ");
		la_buf_str(&o->out, r->detail);
	}
	la_output_sgr(o, LA_SGR_RESET);
	la_buf_char(&o->out, '\n');
}

static void text_lost(struct la_output *o, const struct la_rec *rec)
{
	const struct la_rec_lost *r = (const struct la_rec_lost *)rec;

	put_time(o, rec);
	la_output_sgr(o, LA_SGR_RED);
	pad(o, 1);
	la_buf_u64(&o->out, r->count);
	la_buf_char(&o->out, ' ');
	la_buf_str(&o->out, la_text_lost(r->source));
	la_buf_lit(&o->out, " records lost or late: the ring buffer is full");
	la_output_sgr(o, LA_SGR_RESET);
	la_buf_char(&o->out, '\n');
}

/* ---- terminals ---- */

static int terminal_width(const struct text *t)
{
	struct winsize size = {0};

	if (!t->terminal || ioctl(fileno(t->base.out.to), TIOCGWINSZ, &size))
		return 0;
	return size.ws_col;
}

/* Columns of n bytes: without colours, and of UTF-8 one a character. */
static int columns_of(const char *text, size_t n)
{
	int columns = 0;

	for (size_t i = 0; i < n; i++) {
		if (text[i] == '\033')
			while (i < n && text[i] != 'm')
				i++;
		else
			columns += (text[i] & 0xc0) != 0x80;
	}
	return columns;
}

/* Bytes up to the next two spaces, or if such a phrase is too long for a line, the next one. */
static size_t next_piece(const char *text, int width)
{
	const char *end = strstr(text, "  ");
	size_t n = end ? (size_t)(end - text) : strlen(text);

	return columns_of(text, n) <= width - INDENT ? n : strcspn(text, " ");
}

/* Prints a line so that what follows the columns is not cut where the terminal ends. */
static void put_folded(struct text *t, const char *line)
{
	struct la_buf *out = &t->base.out;
	int at = 0, fixed = t->columns; /* before which nothing is folded */

	while (*line) {
		int spaces = (int)strspn(line, " ");
		size_t n = next_piece(line + spaces, t->width);
		int columns = columns_of(line + spaces, n);

		if (at + spaces >= fixed && at + spaces + columns > t->width) {
			la_buf_char(out, '\n');
			la_buf_fill(out, ' ', INDENT);
			at = INDENT;
			fixed = INDENT + 1;
		} else {
			la_buf_fill(out, ' ', spaces);
			at += spaces;
		}
		la_buf_mem(out, line + spaces, n);
		at += columns;
		line += spaces + n;
	}
	la_buf_char(out, '\n');
}

/* Columns of `10.9.1.1:40008 > 10.9.2.1:80`, with two spaces before. */
static int endpoints_width(const struct text *t, const struct la_rec *rec)
{
	char text[LA_TEXT_ENDPOINT];

	return 5 + (int)la_text_endpoint(text, rec, LA_ORIG, false) +
	       (int)la_text_endpoint(text, rec, LA_RESP, !t->base.opts.numeric);
}

/* The line that was just printed is taken back and printed as it fits the terminal. */
static void fit_line(struct text *t, const struct la_rec *rec, size_t start)
{
	struct la_buf *out = &t->base.out;
	size_t len = out->len - start - 1; /* without the newline */
	char line[LINE_BYTES];
	bool narrow = t->narrow;

	memcpy(line, out->buf + start, len);
	line[len] = '\0';
	out->len = start;
	if (narrow && t->above != rec->id) {
		t->narrow = false;
		put_endpoints(&t->base, rec);
		la_buf_char(out, '\n');
	}
	t->above = narrow ? rec->id : 0;
	put_folded(t, line);
}

static void put_record(struct la_output *o, const struct la_rec *rec)
{
	static void (*const put[LA_RECORD_MAX])(struct la_output *, const struct la_rec *) = {
		[LA_REC_STATE] = text_state,   [LA_REC_RST] = text_rst,
		[LA_REC_CLOSE] = text_close,   [LA_REC_GONE] = text_gone,
		[LA_REC_LOST] = text_lost,     [LA_REC_FLOW] = text_flow,
		[LA_REC_POLICY] = text_policy,
	};

	if (rec->type < LA_RECORD_MAX && put[rec->type])
		put[rec->type](o, rec);
}

static void text_record(struct la_sink *sink, const struct la_rec *rec)
{
	struct text *t = (struct text *)sink;
	struct la_buf *out = &t->base.out;
	size_t start;

	t->width = terminal_width(t);
	if (!t->width) {
		put_record(&t->base, rec);
		return;
	}
	if (LA_BUF_SIZE - out->len < LINE_BYTES)
		la_buf_flush(out);
	start = out->len;
	t->columns = rec->type == LA_REC_FLOW ? FLOW_COLUMNS
					      : COLUMNS_WIDTH + longer[t->base.opts.time_format];
	t->narrow = rec->type != LA_REC_LOST && t->columns + endpoints_width(t, rec) > t->width;
	put_record(&t->base, rec);
	if (out->len > start)
		fit_line(t, rec, start);
}

struct la_sink *la_output_text_new(FILE *to, const struct la_output_opts *opts)
{
	struct text *t = la_output_alloc(sizeof(*t), to, opts, text_record);

	if (!t)
		return NULL;
	t->terminal = isatty(fileno(to));
	t->line = line_of(t->base.glyphs->line);
	t->heavy = line_of(t->base.glyphs->heavy);
	return &t->base.sink;
}
