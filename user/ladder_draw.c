// SPDX-License-Identifier: BSD-2-Clause
/*
 * ladder_draw.c - see ladder_draw.h. Columns: state, life line, arrow, life line, state, time,
 * note; 96 columns without the note.
 *
 * Bytes that passed between two rows are told by the sequence numbers of the rows, which is
 * all that is known while a connection is live. Sequence numbers count modulo 2^32: a pause
 * in which more than 2 GiB passed shows too little; the closing line has the true amounts.
 */
#include "ladder_draw.h"
#include "la_segment.h"
#include "text.h"

#define STATE_WIDTH 16 /* (SYN_RECEIVED?) and a space */
#define ARROW_WIDTH 46
#define TIME_WIDTH  9
#define LABEL_SIZE  80

static void pad(struct la_output *o, int width)
{
	la_buf_repeat(&o->out, " ", width);
}

static void put(struct la_output *o, const char *text)
{
	la_buf_str(&o->out, text);
}

/* Text in the middle of the arrow's columns; `width` is its width on the screen. */
static void put_middle(struct la_output *o, const char *text, int width)
{
	int rest = ARROW_WIDTH > width ? ARROW_WIDTH - width : 0;

	pad(o, rest / 2);
	put(o, text);
	pad(o, rest - rest / 2);
}

void la_draw_header(struct la_output *o, const struct la_rec *rec, bool continued)
{
	char time[LA_TEXT_TIME], orig[LA_TEXT_ENDPOINT], resp[LA_TEXT_ENDPOINT];
	int left = STATE_WIDTH + 1, width = (int)la_text_endpoint(orig, rec, LA_ORIG, false) + 7;
	const char *ifname = la_output_ifname(o, rec);
	int start = left > width / 2 ? left - width / 2 : 0;
	int right = STATE_WIDTH + 1 + ARROW_WIDTH - 4;

	la_text_time(time, o->opts.time_format, la_output_time(o, rec));
	la_text_endpoint(resp, rec, LA_RESP, !o->opts.numeric);
	la_output_sgr(o, LA_SGR_GREY);
	la_buf_char(&o->out, '\n');
	la_buf_repeat(&o->out, o->glyphs->rule, 2);
	put(o, continued ? " connection continued " : " connection ");
	la_buf_hex64(&o->out, rec->id);
	put(o, "  ");
	put(o, time);
	put(o, ifname ? "  " : "");
	put(o, ifname ? ifname : "");
	la_buf_char(&o->out, '\n');
	la_output_sgr(o, LA_SGR_RESET);
	la_output_sgr(o, LA_SGR_BOLD);
	pad(o, start);
	put(o, "client ");
	put(o, orig);
	pad(o, start + width < right ? right - start - width : 2);
	put(o, "server ");
	put(o, resp);
	la_output_sgr(o, LA_SGR_RESET);
	la_buf_char(&o->out, '\n');
}

static bool alive(__u8 state)
{
	return state != LA_CLOSED && state != LA_LISTEN;
}

static void put_life(struct la_output *o, __u8 state, bool presumed)
{
	const struct la_glyphs *g = o->glyphs;

	la_output_sgr(o, la_style_state(state));
	put(o, !alive(state) ? g->life_none : presumed ? g->life_maybe : g->life);
	la_output_sgr(o, LA_SGR_RESET);
}

/*
 * A state beside its life line: NAME, (NAME?) if presumed, !NAME if corrected; `alarm` if it
 * must not be overlooked. Returns how many columns of its field are still free to the right.
 */
static int put_state(struct la_output *o, const struct la_row *row, int endpoint, bool alarm)
{
	bool maybe = row->presumed & 1 << endpoint, fixed = row->corrected & 1 << endpoint;
	const char *word = la_state_word(row->state[endpoint]);
	int width = (int)strlen(word) + (maybe ? 3 : 0) + fixed;

	if (endpoint == LA_ORIG)
		pad(o, STATE_WIDTH - 1 - width);
	else
		pad(o, 1);
	la_output_sgr(o, fixed ? LA_SGR_PURPLE : la_style_state(row->state[endpoint]));
	la_output_sgr(o, alarm	 ? LA_SGR_ALARM
			 : maybe ? la_style_presumed(row->state[endpoint])
				 : LA_SGR_BOLD);
	put(o, fixed ? "!" : "");
	put(o, maybe ? "(" : "");
	put(o, word);
	put(o, maybe ? "?)" : "");
	la_output_sgr(o, LA_SGR_RESET);
	if (endpoint == LA_ORIG)
		pad(o, 1);
	return endpoint == LA_ORIG ? 0 : STATE_WIDTH - 1 - width;
}

/* True if a row changes what stands on the paper of an endpoint. */
static bool shows(const struct la_pen *pen, const struct la_row *row, int endpoint)
{
	__u8 bit = (__u8)(1 << endpoint);

	return !pen->begun || row->corrected & bit ||
	       row->state[endpoint] != pen->state[endpoint] ||
	       (row->presumed ^ pen->presumed) & bit;
}

/* The two life lines with only a remark between them. */
static void put_remark(struct la_output *o, const struct la_pen *pen, const char *text, int width)
{
	pad(o, STATE_WIDTH);
	put_life(o, pen->state[LA_ORIG], pen->presumed & 1 << LA_ORIG);
	la_output_sgr(o, LA_SGR_GREY);
	put_middle(o, text, width);
	la_output_sgr(o, LA_SGR_RESET);
	put_life(o, pen->state[LA_RESP], pen->presumed & 1 << LA_RESP);
	la_buf_char(&o->out, '\n');
}

/* --- what happened between two rows ---------------------------------------------------- */

/* Bytes of an endpoint that passed unseen until its sequence number is `seq`. */
static __u32 unseen(const struct la_pen *pen, int endpoint, __u32 seq)
{
	__s32 gap = (__s32)(seq - pen->next[endpoint]);

	return pen->known & 1 << endpoint && gap > 0 ? (__u32)gap : 0;
}

/* The numbers of an ignored segment prove nothing. */
static bool has_numbers(const struct la_row *row)
{
	return row->seg.flags && la_reason_verdict(row->reason) == LA_VERDICT_ACCEPT;
}

static bool has_ack(const struct la_rec_seg *seg)
{
	return seg->flags & LA_ACK && seg->ack;
}

/* Appends to a remark; keeps its width on the screen. */
static void add(char *text, size_t size, int *width, const char *what, int columns)
{
	size_t at = strlen(text);

	snprintf(text + at, size - at, "%s", what);
	*width += columns;
}

static void put_between(struct la_output *o, const struct la_pen *pen, const struct la_row *row)
{
	const struct la_rec_seg *seg = &row->seg;
	__u32 bytes[2] = {0, 0};
	__u64 silence = row->ts - pen->last;
	char text[LABEL_SIZE * 2] = "", part[LA_TEXT_SHORT];
	int width = 0, sender = seg->sender & 1;

	if (has_numbers(row)) {
		bytes[sender] = unseen(pen, sender, seg->seq);
		bytes[!sender] = has_ack(seg) ? unseen(pen, !sender, seg->ack) : 0;
	}
	if (bytes[LA_ORIG]) {
		add(text, sizeof(text), &width, part, (int)la_text_bytes(part, bytes[LA_ORIG]));
		add(text, sizeof(text), &width, " ", 1);
		add(text, sizeof(text), &width, o->glyphs->to, 1);
	}
	if (bytes[LA_RESP]) {
		add(text, sizeof(text), &width, width ? "   " : "", width ? 3 : 0);
		add(text, sizeof(text), &width, o->glyphs->from, 1);
		add(text, sizeof(text), &width, " ", 1);
		add(text, sizeof(text), &width, part, (int)la_text_bytes(part, bytes[LA_RESP]));
	}
	if (silence >= LA_SEC_NS && row->ts > pen->last && seg->flags) {
		add(text, sizeof(text), &width, width ? "   " : "", width ? 3 : 0);
		add(text, sizeof(text), &width, part, (int)la_text_duration(part, silence));
		add(text, sizeof(text), &width, " later", 6);
	}
	if (width)
		put_remark(o, pen, text, width);
}

static void advance(struct la_pen *pen, int endpoint, __u32 next)
{
	if (!(pen->known & 1 << endpoint) || (__s32)(next - pen->next[endpoint]) > 0)
		pen->next[endpoint] = next;
	pen->known |= (__u8)(1 << endpoint);
}

/* Sequence number after a segment: SYN and FIN count one each (RFC 9293 3.4). */
static __u32 seq_end(const struct la_rec_seg *seg)
{
	return seg->seq + seg->len + !!(seg->flags & LA_SYN) + !!(seg->flags & LA_FIN);
}

/* --- rows ------------------------------------------------------------------------------ */

static bool is_syn_ack(const struct la_rec_seg *seg)
{
	return (seg->flags & (LA_SYN | LA_ACK)) == (LA_SYN | LA_ACK);
}

/*
 * A SYN or FIN that its sender had already said. In a simultaneous open a SYN-ACK has the
 * number of a SYN that went before, and is new all the same.
 */
static bool said_before(const struct la_pen *pen, const struct la_rec_seg *seg)
{
	int sender = seg->sender & 1;

	if (is_syn_ack(seg) && !(pen->answered & 1 << sender))
		return false;
	return seg->flags & (LA_SYN | LA_FIN) && pen->known & 1 << sender &&
	       (__s32)(seq_end(seg) - pen->next[sender]) <= 0;
}

static int label_segment(char *label, const struct la_pen *pen, const struct la_rec_seg *seg)
{
	const char *name = la_text_segment(seg), *again = said_before(pen, seg) ? " again" : "";
	bool bare = !(seg->flags & (LA_SYN | LA_FIN | LA_RST)) && !seg->len;
	int n = snprintf(label, LABEL_SIZE, "%s%s", name, again);

	if (!bare)
		n += snprintf(label + n, (size_t)(LABEL_SIZE - n), " seq=%u", seg->seq);
	if (has_ack(seg) && !seg->len)
		n += snprintf(label + n, (size_t)(LABEL_SIZE - n), " ack=%u", seg->ack);
	if (seg->len)
		n += snprintf(label + n, (size_t)(LABEL_SIZE - n), " len=%u", seg->len);
	if (n > ARROW_WIDTH - 5) {
		n = ARROW_WIDTH - 5;
		label[n] = '\0';
	}
	return n;
}

static const char *arrow_colour(const struct la_row *row)
{
	const struct la_rec_seg *seg = &row->seg;

	if (seg->flags & LA_RST)
		return LA_SGR_RED;
	if (la_reason_verdict(row->reason) != LA_VERDICT_ACCEPT)
		return LA_SGR_GREY;
	if (seg->flags & LA_SYN)
		return LA_SGR_CYAN;
	return seg->flags & LA_FIN ? LA_SGR_YELLOW : "";
}

static void put_arrow(struct la_output *o, const struct la_pen *pen, const struct la_row *row)
{
	const struct la_glyphs *g = o->glyphs;
	char label[LABEL_SIZE];
	int rest = ARROW_WIDTH - 5 - label_segment(label, pen, &row->seg);
	bool right = row->seg.sender == LA_ORIG;

	la_output_sgr(o, arrow_colour(row));
	if (!right)
		put(o, g->left);
	la_buf_repeat(&o->out, g->line, right ? 2 : rest);
	la_buf_char(&o->out, ' ');
	put(o, label);
	la_buf_char(&o->out, ' ');
	la_buf_repeat(&o->out, g->line, right ? rest : 2);
	if (right)
		put(o, g->right);
	la_output_sgr(o, LA_SGR_RESET);
}

/* A clock or a policy instead of an arrow. */
static void put_clock(struct la_output *o, const struct la_pen *pen, const struct la_row *row)
{
	bool two_msl = row->from[0] == LA_TIME_WAIT || row->from[1] == LA_TIME_WAIT;
	const char *what = row->cause == LA_CAUSE_POLICY ? "a policy"
			   : two_msl			 ? "2MSL"
							 : "timeout";
	char text[LABEL_SIZE], time[LA_TEXT_SHORT];
	int width;

	la_text_duration(time, row->ts > pen->last ? row->ts - pen->last : 0);
	width = snprintf(text, sizeof(text), "%s after %s", what, time);
	la_output_sgr(o, LA_SGR_BLUE);
	put_middle(o, text, width);
	la_output_sgr(o, LA_SGR_RESET);
}

static void put_time(struct la_output *o, __u64 ns)
{
	char text[LA_TEXT_SHORT];
	int width = ns ? (int)la_text_duration(text, ns) : snprintf(text, sizeof(text), "0");

	pad(o, TIME_WIDTH - width);
	la_output_sgr(o, LA_SGR_GREY);
	la_buf_char(&o->out, '+');
	put(o, text);
	la_output_sgr(o, LA_SGR_RESET);
}

static void put_correction(struct la_output *o, const struct la_row *row, int endpoint)
{
	if (!(row->corrected & 1 << endpoint) || !row->from[endpoint])
		return;
	la_output_sgr(o, LA_SGR_PURPLE);
	put(o, "  not ");
	put(o, la_state_word(row->from[endpoint]));
	put(o, " after all");
}

static void put_notes(struct la_output *o, const struct la_pen *pen, const struct la_row *row)
{
	char text[LA_TEXT_VERDICT];

	put_correction(o, row, LA_ORIG);
	put_correction(o, row, LA_RESP);
	if (row->verdict) {
		la_output_sgr(o, LA_SGR_RED);
		put(o, "  ");
		put(o, la_rst_verdict_word(row->verdict));
		put(o, row->dropped ? ", dropped" : "");
	} else if (row->seg.flags && la_reason_verdict(row->reason) != LA_VERDICT_ACCEPT &&
		   !said_before(pen, &row->seg)) {
		la_output_sgr(o, LA_SGR_GREY);
		put(o, "  ");
		put(o, la_reason_word(row->reason));
	}
	if (row->forged) {
		la_text_evidence(text, row->forged);
		put(o, ", forged? ");
		put(o, text);
	}
	la_output_sgr(o, LA_SGR_RESET);
}

/* The life lines before the first SYN; that the server listens is anybody's guess. */
static void put_beginning(struct la_output *o, const struct la_row *row)
{
	struct la_row before = {.presumed = 1 << LA_RESP};

	before.state[LA_ORIG] = row->from[LA_ORIG] ? row->from[LA_ORIG] : LA_CLOSED;
	before.state[LA_RESP] = row->from[LA_RESP] ? row->from[LA_RESP] : row->state[LA_RESP];
	put_state(o, &before, LA_ORIG, false);
	put_life(o, before.state[LA_ORIG], false);
	pad(o, ARROW_WIDTH);
	put_life(o, before.state[LA_RESP], true);
	put_state(o, &before, LA_RESP, false);
	la_buf_char(&o->out, '\n');
}

/* What was on the paper before the first row. */
static void begin(struct la_output *o, struct la_pen *pen, const struct la_row *row)
{
	pen->start = pen->last = row->ts;
	if ((row->seg.flags & (LA_SYN | LA_ACK)) != LA_SYN)
		return;
	put_beginning(o, row);
	pen->begun = true;
	pen->state[LA_ORIG] = LA_CLOSED;
	pen->state[LA_RESP] = row->from[LA_RESP] ? row->from[LA_RESP] : row->state[LA_RESP];
	pen->presumed = row->state[LA_RESP] == pen->state[LA_RESP] ? row->presumed : 1 << LA_RESP;
}

static void remember(struct la_pen *pen, const struct la_row *row)
{
	pen->begun = true;
	pen->last = row->ts;
	pen->state[0] = row->state[0];
	pen->state[1] = row->state[1];
	pen->presumed = row->presumed;
	if (!has_numbers(row))
		return;
	if (is_syn_ack(&row->seg))
		pen->answered |= (__u8)(1 << (row->seg.sender & 1));
	advance(pen, row->seg.sender & 1, seq_end(&row->seg));
	if (has_ack(&row->seg))
		advance(pen, !(row->seg.sender & 1), row->seg.ack);
}

void la_draw_row(struct la_output *o, struct la_pen *pen, const struct la_row *row)
{
	int free = STATE_WIDTH;

	if (!pen->begun)
		begin(o, pen, row);
	put_between(o, pen, row);
	if (shows(pen, row, LA_ORIG))
		put_state(o, row, LA_ORIG, false);
	else
		pad(o, STATE_WIDTH);
	put_life(o, row->state[LA_ORIG], row->presumed & 1 << LA_ORIG);
	if (row->seg.flags)
		put_arrow(o, pen, row);
	else
		put_clock(o, pen, row);
	put_life(o, row->state[LA_RESP], row->presumed & 1 << LA_RESP);
	if (shows(pen, row, LA_RESP))
		free = put_state(o, row, LA_RESP, false);
	pad(o, free);
	put_time(o, row->ts > pen->start ? row->ts - pen->start : 0);
	put_notes(o, pen, row);
	la_buf_char(&o->out, '\n');
	remember(pen, row);
}

void la_draw_skipped(struct la_output *o, const struct la_pen *pen, __u32 rows)
{
	char text[LABEL_SIZE];
	int width = snprintf(text, sizeof(text), "%u more rows", rows);

	put_remark(o, pen, text, width);
}

/* --- the end --------------------------------------------------------------------------- */

static void put_fact(struct la_output *o, const char *text)
{
	la_buf_char(&o->out, ' ');
	put(o, o->glyphs->dot);
	la_buf_char(&o->out, ' ');
	put(o, text);
}

static void put_amounts(struct la_output *o, const struct la_rec_close *rec)
{
	char text[LA_TEXT_SHORT];

	la_text_bytes(text, rec->side[LA_ORIG].bytes);
	put_fact(o, text);
	la_buf_char(&o->out, ' ');
	put(o, o->glyphs->to);
	la_buf_char(&o->out, ' ');
	put(o, o->glyphs->from);
	la_buf_char(&o->out, ' ');
	la_text_bytes(text, rec->side[LA_RESP].bytes);
	put(o, text);
}

/* A connection that ended in silence: how long, and where it left both. */
static void put_silence(struct la_output *o, struct la_pen *pen, const struct la_rec_close *rec)
{
	int stuck = la_text_stuck(rec), width, free;
	char text[LABEL_SIZE], time[LA_TEXT_SHORT];
	struct la_row row = {.ts = rec->h.ts};

	if (!pen->begun || row.ts < pen->last + LA_SEC_NS)
		return;
	for (int end = 0; end < 2; end++) {
		row.state[end] = rec->side[end].state;
		row.presumed |= (__u8)(!!rec->side[end].presumed << end);
	}
	la_text_duration(time, row.ts - pen->last);
	width = snprintf(text, sizeof(text), "%s of silence", time);
	put_state(o, &row, LA_ORIG, stuck == LA_ORIG);
	put_life(o, row.state[LA_ORIG], row.presumed & 1 << LA_ORIG);
	la_output_sgr(o, LA_SGR_BLUE);
	put_middle(o, text, width);
	la_output_sgr(o, LA_SGR_RESET);
	put_life(o, row.state[LA_RESP], row.presumed & 1 << LA_RESP);
	free = put_state(o, &row, LA_RESP, stuck == LA_RESP);
	pad(o, free);
	put_time(o, row.ts - pen->start);
	la_buf_char(&o->out, '\n');
	remember(pen, &row);
}

void la_draw_close(struct la_output *o, struct la_pen *pen, const struct la_rec_close *rec)
{
	char text[LA_TEXT_VERDICT];

	put_silence(o, pen, rec);
	la_output_sgr(o, LA_SGR_BOLD);
	la_output_sgr(o, la_text_stuck(rec) >= 0 ? LA_SGR_ALARM : la_style_close(rec->reason));
	la_buf_repeat(&o->out, o->glyphs->heavy, 2);
	la_buf_char(&o->out, ' ');
	la_text_verdict(text, rec);
	put(o, text);
	la_text_duration(text, rec->duration_ns);
	put_fact(o, text);
	put_amounts(o, rec);
	put_fact(o, la_conn_state_word(rec->conn_state));
	if (rec->midstream)
		put_fact(o, "beginning not seen");
	la_buf_char(&o->out, ' ');
	la_buf_repeat(&o->out, o->glyphs->heavy, 2);
	la_output_sgr(o, LA_SGR_RESET);
	la_buf_char(&o->out, '\n');
}

static void put_count(struct la_output *o, __u32 count, const char *what)
{
	if (!count)
		return;
	put_fact(o, "");
	la_buf_u64(&o->out, count);
	put(o, what);
}

void la_draw_gone(struct la_output *o, const struct la_rec_gone *rec)
{
	if (!rec->late_pkts && !rec->fin_retrans && !rec->late_rst)
		return;
	la_output_sgr(o, LA_SGR_GREY);
	la_buf_repeat(&o->out, o->glyphs->rule, 2);
	put(o, " gone: ");
	put(o, la_gone_why_text(rec->why));
	put_count(o, rec->late_pkts, " segments after the close");
	put_count(o, rec->fin_retrans, " FIN sent again");
	put_count(o, rec->late_rst, " late RST");
	la_output_sgr(o, LA_SGR_RESET);
	la_buf_char(&o->out, '\n');
}
