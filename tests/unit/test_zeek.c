/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_zeek.c - Zeek's words: conn_state, history letters, bytes.
 *
 * Each row is a talk as capital letters would tell it in a textbook, and what Zeek's
 * documentation of Conn::Info makes of it. A talk is a string of steps, see `steps`:
 * "S h A D a" is SYN, SYN-ACK, ACK, 10 bytes of data, its ACK.
 */
#include "la_history.h"
#include "la_parse.h"
#include "la_record.h"
#include "la_tally.h"
#include "la_zeek.h"
#include "talk.h"
#include <ctype.h>
#include <stdlib.h>

static struct talk t;

static void init(void)
{
	talk_init(&t, 40000, 80);
}

TestSuite(zeek, .init = init);

/* ---- talks as strings ---- */

#define CHUNK 10

/* What each side would send next, and what it has received, relative. */
struct mouth {
	__u32 nxt, seen;
};

struct chat {
	struct mouth m[2];
};

static void send(struct chat *c, enum who who, int flags, __u32 seq, __u32 len, int win)
{
	struct line l = {.who = who,
			 .flags = flags,
			 .seq = seq,
			 .ack = flags & LA_ACK ? c->m[who].seen : 0,
			 .len = len,
			 .win = win};
	struct la_segment seg = talk_segment(&t, &l);

	t.now += LA_MSEC_NS;
	seg.odd = (__u8)(la_flags_reason(seg.flags) == LA_R_ACCEPTED ? 0
								     : la_flags_reason(seg.flags));
	talk_track(&t, &seg);
}

/* Replay gives it to la_history_damaged() in place of the tracker. */
static void damaged(enum who who)
{
	struct line l = {.who = who, .flags = PA, .seq = 12345, .ack = 6789, .len = CHUNK};
	struct la_segment seg = talk_segment(&t, &l);

	la_history_damaged(&t.flow, &seg);
}

/* A side whose SYN was missed goes on after it. */
static void skip_syn(struct mouth *m, const struct mouth *p, int flags)
{
	if (!(flags & LA_SYN) && !m->nxt && p->seen == 1)
		m->nxt = 1;
}

/* Sends and moves on; the peer receives it. */
static void advance(struct chat *c, enum who who, int flags, __u32 len)
{
	struct mouth *m = &c->m[who], *p = &c->m[!who];

	if (flags == SA && !m->seen)
		m->seen = 1; /* of a SYN that was missed */
	skip_syn(m, p, flags);
	send(c, who, flags, m->nxt, len, 0);
	m->nxt += len + !!(flags & LA_SYN) + !!(flags & LA_FIN);
	p->seen = m->nxt;
}

/*
 * One step; upper case for the originator. Lower case of each:
 *   s SYN   h SYN-ACK   a ACK   d data   f FIN   r RST   e data with FIN
 *   m data that the capture missed   t the last data again   k keepalive with a byte
 *   o the second of two data segments, before the first, which follows
 *   w ACK with a zero window   y SYN again   b FIN again   j RST one byte on
 *   i FIN+RST   q SYN+FIN   x SYN+RST   n data without ACK   z FIN without ACK
 *   p RST with payload   c damaged data, whose checksum is wrong
 */
static void step(struct chat *c, char letter)
{
	enum who who = isupper(letter) ? ORIG : RESP;
	struct mouth *m = &c->m[who];

	skip_syn(m, &c->m[!who], strchr("sSyY", letter) ? LA_SYN : 0);
	switch (tolower(letter)) {
	case 's':
		return advance(c, who, LA_SYN, 0);
	case 'h':
		return advance(c, who, SA, 0);
	case 'a':
		return advance(c, who, A, 0);
	case 'd':
		return advance(c, who, PA, CHUNK);
	case 'e':
		return advance(c, who, FA, CHUNK);
	case 'f':
		return advance(c, who, FA, 0);
	case 'r':
		return send(c, who, RA, m->nxt, 0, 0);
	case 'j':
		return send(c, who, R, m->nxt + 1, 0, 0);
	case 'p':
		return send(c, who, RA, m->nxt, CHUNK, 0);
	case 'c':
		return damaged(who);
	case 'm':
		m->nxt += CHUNK;
		c->m[!who].seen = m->nxt;
		return;
	case 't':
		return send(c, who, PA, m->nxt - CHUNK, CHUNK, 0);
	case 'k':
		return send(c, who, A, m->nxt - 1, 1, 0);
	case 'o':
		send(c, who, PA, m->nxt + CHUNK, CHUNK, 0);
		send(c, who, PA, m->nxt, CHUNK, 0);
		m->nxt += 2 * CHUNK;
		c->m[!who].seen = m->nxt;
		return;
	case 'w':
		return send(c, who, A, m->nxt, 0, -1);
	case 'y':
		return send(c, who, LA_SYN, m->nxt - 1, 0, 0);
	case 'b':
		return send(c, who, FA, m->nxt - 1, 0, 0);
	case 'i':
		return send(c, who, LA_FIN | LA_RST | LA_ACK, m->nxt, 0, 0);
	case 'q':
		return send(c, who, LA_SYN | LA_FIN, m->nxt, 0, 0);
	case 'x':
		return send(c, who, LA_SYN | LA_RST, m->nxt, 0, 0);
	case 'n':
		return advance(c, who, LA_PSH, CHUNK);
	case 'z':
		return advance(c, who, LA_FIN, 0);
	default:
		cr_assert_fail("no step '%c'", letter);
	}
}

/* A number repeats the next step, "12T", or the steps in parentheses, "12(Da)". */
static void play(const char *steps)
{
	struct chat c = {.m = {{0, 0}, {0, 0}}};

	for (const char *at = steps; *at; at++) {
		const char *begin = at, *end = at;
		long times = 1;

		if (isdigit(*at))
			times = strtol(at, (char **)&begin, 10);
		end = *begin == '(' ? strchr(begin, ')') : begin;
		for (long i = 0; i < times; i++)
			for (const char *s = begin; s <= end; s++)
				if (isalpha(*s))
					step(&c, *s);
		at = end;
	}
}

struct row {
	const char *steps;
	const char *conn_state;
	const char *history;
	__u32 orig_bytes, resp_bytes;
	__u32 missed;
};

/* isn: of both sides. No word depends on them. */
static void check_from(const struct row *row, const __u32 isn[2])
{
	struct la_rec_close close;
	char history[LA_HISTORY_MAX + 1] = "";

	init();
	t.isn[ORIG] = isn[ORIG];
	t.isn[RESP] = isn[RESP];
	play(row->steps);
	la_fold(&t.flow);
	la_record_close(&close, &t.key, &t.out, &t.flow);
	memcpy(history, close.history, close.history_len);
	cr_expect_str_eq(la_conn_state_word(close.conn_state), row->conn_state, "%s: %s, not %s",
			 row->steps, la_conn_state_word(close.conn_state), row->conn_state);
	cr_expect_str_eq(history, row->history, "%s: %s, not %s", row->steps, history,
			 row->history);
	cr_expect_eq(close.side[LA_ORIG].bytes, row->orig_bytes, "%s: orig %llu bytes", row->steps,
		     close.side[LA_ORIG].bytes);
	cr_expect_eq(close.side[LA_RESP].bytes, row->resp_bytes, "%s: resp %llu bytes", row->steps,
		     close.side[LA_RESP].bytes);
	cr_expect_eq(t.flow.missed, row->missed, "%s: %llu missed", row->steps, t.flow.missed);
}

static void check(const struct row *row)
{
	static const __u32 isns[][2] = {{TALK_ISN_ORIG, TALK_ISN_RESP},
					{0, 5000},
					{0x7fffffff, 0x80000000},
					{0xfffffffe, 0xffffffff}};

	for (size_t i = 0; i < sizeof(isns) / sizeof(*isns); i++)
		check_from(row, isns[i]);
}

#define check_all(...)                                                                             \
	do {                                                                                       \
		const struct row rows_[] = {__VA_ARGS__};                                          \
		for (size_t i_ = 0; i_ < sizeof(rows_) / sizeof(*rows_); i_++)                     \
			check(&rows_[i_]);                                                         \
	} while (0)

/* ---- conn_state ---- */

Test(zeek, attempts)
{
	check_all({"S", "S0", "S", 0, 0}, {"S Y Y", "S0", "S", 0, 0}, {"S h", "S1", "Sh", 0, 0},
		  {"S r", "REJ", "Sr", 0, 0}, {"S R", "RSTOS0", "SR", 0, 0},
		  {"S s", "S1", "Ss", 0, 0}, {"S D", "S0", "SD", 10, 0});
}

Test(zeek, orderly_ends)
{
	check_all({"S h A", "S1", "ShA", 0, 0}, {"S h A D a d A", "S1", "ShADad", 10, 10},
		  {"S h A D a d A F a f A", "SF", "ShADadFf", 10, 10},
		  {"S h A F a f A", "SF", "ShAFaf", 0, 0}, {"S h A F f A", "SF", "ShAFf", 0, 0},
		  {"S h A D a F a d A", "S2", "ShADaFd", 10, 10},
		  {"S h A F a", "S2", "ShAFa", 0, 0}, {"S h A f A", "S3", "ShAf", 0, 0});
}

Test(zeek, resets)
{
	check_all({"S h A R", "RSTO", "ShAR", 0, 0}, {"S h A D a r", "RSTR", "ShADar", 10, 0},
		  {"S h R", "RSTO", "ShR", 0, 0}, {"S h r", "RSTR", "Shr", 0, 0},
		  {"S h A F a r", "RSTR", "ShAFar", 0, 0}, {"S h A F a R", "RSTO", "ShAFaR", 0, 0},
		  {"S h A D a r R", "RSTR", "ShADarR", 10, 0},
		  {"S h A R r", "REJ", "ShARr", 0, 0} /* no byte was sent by either */);
}

/* What comes after the end is in the history still; after both FINs a RST ends nothing. */
Test(zeek, after_the_end)
{
	check_all({"S h A F a f A R", "SF", "ShAFafR", 0, 0}, {"S h A F f R", "SF", "ShAFfR", 0, 0},
		  {"S h A F a f r A", "SF", "ShAFafr", 0, 0},
		  {"S h A D a F a f A b", "SF", "ShADaFf", 10, 0});
}

Test(zeek, one_sided)
{
	check_all({"S F", "SH", "SF", 0, 0}, {"S A D F", "SH", "SADF", 10, 0},
		  {"S A R", "OTH", "SAR", 0, 0}, {"h", "OTH", "^h", 0, 0},
		  {"h f", "SHR", "^hf", 0, 0}, {"h r", "RSTRH", "^hr", 0, 0},
		  {"h d d f", "SHR", "^hdf", 0, 20}, {"A A D", "OTH", "AD", 10, 0});
}

Test(zeek, midstream)
{
	check_all({"A", "OTH", "A", 0, 0}, {"D a", "OTH", "Da", 10, 0},
		  {"d A", "OTH", "^dA", 0, 10}, {"D a d A F a f A", "SF", "DadAFf", 10, 10},
		  {"D a R", "OTH", "DaR", 10, 0}, {"D a r", "RSTRH", "Dar", 10, 0},
		  {"D a F a", "SH", "DaF", 10, 0}, {"d A f", "SHR", "^dAf", 0, 10},
		  {"h A D a F a f A", "SF", "^hADaFf", 10, 0}, {"h S A", "S1", "^hSA", 0, 0});
}

/* ---- letters ---- */

Test(zeek, letters_that_stand_once)
{
	check_all({"S h A A A a a D D d d", "S1", "ShAaDd", 20, 20},
		  {"S h A D a I I i", "RSTR", "ShADaIi", 10, 0},
		  {"S h A Q Q q x", "SF", "ShAQq", 0, 0}, {"S h A X", "RSTO", "ShAQ", 0, 0});
}

/* FIN and data in one segment: one flag, one letter. */
Test(zeek, one_letter_a_segment)
{
	check_all({"S h A E a f A", "SF", "ShAFaf", 10, 0}, {"S h A n", "S1", "ShAd", 0, 0},
		  {"S h A Z", "S2", "ShAF", 0, 0}, {"S h A P", "RSTO", "ShART", 0, 0});
}

Test(zeek, letters_that_come_again_with_another_number)
{
	check_all({"S h A R R", "RSTO", "ShAR", 0, 0}, {"S h A R J J", "RSTO", "ShARR", 0, 0},
		  {"S h A F a B B", "S2", "ShAFa", 0, 0}, {"S h A F a E", "S2", "ShAFaF", 0, 0});
}

Test(zeek, letters_that_count_decades)
{
	check_all({"S h A D a T", "S1", "ShADaT", 10, 0}, {"S h A D a 9T", "S1", "ShADaT", 10, 0},
		  {"S h A D a 10T", "S1", "ShADaTT", 10, 0},
		  {"S h A D a 100T", "S1", "ShADaTTT", 10, 0}, {"S h A 9w", "S1", "ShAaw", 0, 0},
		  {"S h A 10w", "S1", "ShAaww", 0, 0}, {"S h A 1000W", "S1", "ShAWWWW", 0, 0},
		  {"S h A 10(Ma)", "S1", "ShAaGG", 100, 0, 100});
}

/* Nothing new: a retransmission, a probe with a byte of garbage, what was overtaken. */
Test(zeek, nothing_new)
{
	check_all({"S h A D a K", "S1", "ShADaT", 10, 0}, {"S h A O a", "S1", "ShADTa", 20, 0},
		  {"S h A D a F a T", "S2", "ShADaFT", 10, 0});
}

/* Every damaged segment counts, and stands for nothing else; before a flow there is no history. */
Test(zeek, damaged)
{
	check_all({"S h A C", "S1", "ShAC", 0, 0}, {"S c h A D c a", "S1", "SchADa", 10, 0},
		  {"C S h A", "S1", "ShA", 0, 0}, {"S h A 10C", "S1", "ShACC", 0, 0},
		  {"S h A 9C 99c", "S1", "ShACcc", 0, 0}, {"S h A 1000c", "S1", "ShAcccc", 0, 0},
		  {"S h A F a f A C", "SF", "ShAFafC", 0, 0}, {"S C R", "RSTOS0", "SCR", 0, 0},
		  {"S h A 70000c", "S1", "ShAccccc", 0, 0});
}

/* A capture of two interfaces has a forwarded segment twice, damaged or not. */
Test(zeek, damaged_at_another_hook)
{
	struct line l = {ORIG, PA, 1, 1, 10, .hook = 5};
	struct la_segment seg;

	talk_lines(&t, {ORIG, S}, {RESP, SA, 0, 1}, {ORIG, A, 1, 1});
	seg = talk_segment(&t, &l);
	la_history_damaged(&t.flow, &seg);
	cr_expect_eq(t.flow.history_len, 3, "%.*s", t.flow.history_len, t.flow.history);
}

/* A window of zero means nothing once the peer has closed. */
Test(zeek, zero_window)
{
	check_all({"S h A w", "S1", "ShAaw", 0, 0}, {"S h A W w", "S1", "ShAWaw", 0, 0},
		  {"S h A F w", "S2", "ShAFa", 0, 0}, {"S h A F a f W", "SF", "ShAFaf", 0, 0});
}

/* The ACK tells of the gap: its letter, on the side of what was missed, follows the ACK's. */
Test(zeek, gaps)
{
	check_all({"S h A M a", "S1", "ShAaG", 10, 0, 10},
		  {"S h A D M D a", "S1", "ShADaG", 30, 0, 10},
		  {"S h A D M D M D a", "S1", "ShADaG", 50, 0, 20},
		  {"S h A m A d A", "S1", "ShAgd", 0, 20, 10},
		  {"S h A M a F a f A", "SF", "ShAaGFf", 10, 0, 10});
}

/* Several holes are kept as one; their bytes add up however many ACKs it takes to close them. */
Test(zeek, gaps_told_one_by_one)
{
	static const __u32 acks[][3] = {{11, 31, 51}, {21, 41, 51}, {15, 25, 51}, {31, 35, 51}};

	for (size_t i = 0; i < sizeof(acks) / sizeof(*acks); i++) {
		init();
		talk_lines(&t, {ORIG, S}, {RESP, SA, 0, 1}, {ORIG, A, 1, 1}, {ORIG, PA, 1, 1, 10},
			   {ORIG, PA, 21, 1, 10}, {ORIG, PA, 41, 1, 10}, {RESP, A, 1, acks[i][0]},
			   {RESP, A, 1, acks[i][1]}, {RESP, A, 1, acks[i][2]});
		cr_expect_eq(t.flow.missed, 20, "talk %zu: %llu", i, t.flow.missed);
		cr_expect_eq(t.flow.side[t.orig].bytes, 50);
	}
}

/* Of several holes the one in the middle is filled first: at the end none is left. */
Test(zeek, gaps_that_were_filled)
{
	talk_lines(&t, {ORIG, S}, {RESP, SA, 0, 1}, {ORIG, A, 1, 1}, {ORIG, PA, 1, 1, 10},
		   {ORIG, PA, 21, 1, 10}, {ORIG, PA, 41, 1, 10}, {ORIG, PA, 61, 1, 10},
		   {ORIG, PA, 31, 1, 10}, {ORIG, PA, 11, 1, 10}, {ORIG, PA, 51, 1, 10},
		   {RESP, A, 1, 71});
	cr_expect_eq(t.flow.missed, 0, "%llu", t.flow.missed);
	cr_expect_eq(memcmp(t.flow.history, "ShADTa", 7), 0, "%.*s", t.flow.history_len,
		     t.flow.history);
}

/* ---- payload that the snap length cut ---- */

#define CUT .opts = LA_OPT_CUT

static void expect_missed(const char *history, __u32 missed)
{
	cr_expect_eq(t.flow.missed, missed, "%llu missed, not %u", t.flow.missed, missed);
	cr_expect(t.flow.history_len == strlen(history) &&
			  !memcmp(t.flow.history, history, t.flow.history_len),
		  "%.*s, not %s", t.flow.history_len, t.flow.history, history);
}

static void shake_hands(void)
{
	talk_lines(&t, {ORIG, S}, {RESP, SA, 0, 1}, {ORIG, A, 1, 1});
}

/* Each ACK of it tells of a gap, as long as what was acknowledged. */
Test(zeek, cut_payload_is_a_gap)
{
	shake_hands();
	talk_lines(&t, {ORIG, PA, 1, 1, 100, CUT}, {RESP, A, 1, 101}, {RESP, PA, 1, 101, 200, CUT},
		   {RESP, PA, 201, 101, 200, CUT}, {RESP, PA, 401, 101, 200, CUT},
		   {ORIG, A, 101, 401}, {ORIG, A, 101, 601});
	expect_missed("ShADaGdg", 700);
	cr_expect_eq(t.flow.side[!t.orig].hist.gaps, 2);
}

/* What was whole is no gap, wherever it lies; what is not acknowledged is none yet. */
Test(zeek, whole_payload_among_cut_is_no_gap)
{
	shake_hands();
	talk_lines(&t, {ORIG, PA, 1, 1, 10}, {ORIG, PA, 11, 1, 100, CUT}, {ORIG, PA, 111, 1, 10},
		   {ORIG, PA, 121, 1, 100, CUT}, {ORIG, PA, 221, 1, 10}, {RESP, A, 1, 11});
	expect_missed("ShADa", 0);
	talk_lines(&t, {RESP, A, 1, 231});
	expect_missed("ShADaG", 200);
}

/* Sent again it is missed once, if it is cut again; not at all, if it comes whole. */
Test(zeek, cut_payload_sent_again)
{
	shake_hands();
	talk_lines(&t, {ORIG, PA, 1, 1, 100, CUT}, {WAIT, 300}, {ORIG, PA, 1, 1, 100, CUT},
		   {RESP, A, 1, 101});
	expect_missed("ShADTaG", 100);
	talk_lines(&t, {ORIG, PA, 101, 1, 100, CUT}, {WAIT, 300}, {ORIG, PA, 101, 1, 100},
		   {RESP, A, 1, 201});
	expect_missed("ShADTaG", 100);
	cr_expect_eq(t.flow.side[t.orig].retrans, 2);
}

/* A hole that a cut segment fills is a gap all the same; the tracker knows that it is filled. */
Test(zeek, a_hole_filled_by_cut_payload)
{
	shake_hands();
	talk_lines(&t, {ORIG, PA, 101, 1, 100}, {ORIG, PA, 1, 1, 100, CUT});
	cr_expect_eq(t.flow.side[t.orig].hole_lo, t.flow.side[t.orig].hole_hi);
	talk_lines(&t, {RESP, A, 1, 201});
	expect_missed("ShADTaG", 100);
}

/* The FIN behind cut payload has arrived, and is no byte of the gap. */
Test(zeek, cut_payload_with_a_fin)
{
	shake_hands();
	talk_lines(&t, {ORIG, FA, 1, 1, 100, CUT, .orig = LA_FIN_WAIT_1, .resp = LA_CLOSE_WAIT},
		   {RESP, FA, 1, 102, 0, .orig = LA_TIME_WAIT, .resp = LA_LAST_ACK},
		   {ORIG, A, 102, 2, 0, .orig = LA_TIME_WAIT, .resp = LA_CLOSED});
	expect_missed("ShAFfG", 100);
	assert_closed(&t, "fin", "orig", "TIME_WAIT", "CLOSED");
	cr_expect_eq(talk_close(&t)->side[LA_ORIG].bytes, 100);
}

/* Until it is acknowledged its sender has not closed, in these words: that prolongs them. */
Test(zeek, cut_payload_outlasts_a_reset)
{
	shake_hands();
	talk_lines(&t, {ORIG, PA, 1, 1, 100, CUT}, {ORIG, RA, 101, 1});
	cr_expect_not(t.flow.side[t.orig].hist.seen & LA_HIST_DONE);
	init();
	shake_hands();
	talk_lines(&t, {ORIG, PA, 1, 1, 100}, {ORIG, RA, 101, 1});
	cr_expect(t.flow.side[t.orig].hist.seen & LA_HIST_DONE);
}

/* Acknowledged, it leaves nothing behind: plain segments take the fast path again. */
Test(zeek, cut_payload_leaves_the_fast_path)
{
	shake_hands();
	talk_lines(&t, {ORIG, PA, 1, 1, 10}, {RESP, PA, 1, 11, 10}, {ORIG, PA, 11, 11, 10},
		   {RESP, A, 11, 21});
	cr_assert(t.flow.flags & LA_F_FAST);
	talk_lines(&t, {ORIG, PA, 21, 11, 100, CUT});
	cr_expect_not(t.flow.flags & LA_F_FAST);
	talk_lines(&t, {RESP, A, 11, 121});
	cr_expect(t.flow.flags & LA_F_FAST);
	cr_expect_eq(t.flow.missed, 100);
}

/* Midstream nobody knows what came before, and at a RST numbers are not to be trusted. */
Test(zeek, gaps_that_do_not_count)
{
	check_all({"D a M a", "OTH", "Da", 20, 0, 0}, {"S h A M r", "RSTR", "ShAr", 0, 0, 0});
}

/* A capture that has the ACK before the data: the gap is told, the data is not old. */
Test(zeek, data_after_its_ack)
{
	struct line early[] = {{ORIG, S}, {RESP, SA, 0, 1}, {ORIG, A, 1, 1}, {RESP, A, 1, 11}};

	talk_run(&t, early, 4, __LINE__);
	talk_lines(&t, {ORIG, PA, 1, 1, 10, LA_R_OLD_DUPLICATE});
	cr_expect_eq(memcmp(t.flow.history, "ShAaGD", t.flow.history_len), 0, "%.*s",
		     t.flow.history_len, t.flow.history);
	cr_expect_eq(t.flow.side[t.orig].bytes, 10);
}

/* Of a side that is not heard, the first ACK tells where its numbers begin, whatever they are. */
Test(zeek, bytes_of_a_side_that_is_not_heard)
{
	static const __u32 isns[] = {0, 5000, 0x7fffffff, 0x80000000, 0xfffffff0};

	for (size_t i = 0; i < sizeof(isns) / sizeof(*isns); i++) {
		init();
		t.isn[RESP] = isns[i];
		talk_lines(&t, {ORIG, S}, {ORIG, A, 1, 1}, {ORIG, PA, 1, 1, 10},
			   {ORIG, A, 11, 1001});
		cr_expect_eq(t.flow.side[!t.orig].bytes, 1000, "%x: %llu", isns[i],
			     t.flow.side[!t.orig].bytes);
	}
}

/* Both FINs have passed, but not all that came before them: the duration goes on. */
Test(zeek, duration_until_all_is_known)
{
	talk_lines(&t, {ORIG, S}, {RESP, SA, 0, 1}, {ORIG, A, 1, 1}, {ORIG, FA, 11, 1},
		   {RESP, FA, 1, 1});
	cr_expect_eq(la_heard_ns(&t.flow), 4 * LA_MSEC_NS);
	talk_lines(&t, {RESP, A, 2, 1}, {ORIG, PA, 1, 2, 10});
	cr_expect_eq(la_heard_ns(&t.flow), 6 * LA_MSEC_NS);
	talk_lines(&t, {RESP, A, 2, 12}, {ORIG, A, 12, 2, .reason = LA_R_LATE});
	cr_expect_eq(la_heard_ns(&t.flow), 7 * LA_MSEC_NS, "%llu", la_heard_ns(&t.flow));
}

/* The FIN was missed, its ACK was not, and then the FIN comes again: it is no data. */
Test(zeek, fin_after_its_ack)
{
	talk_lines(&t, {ORIG, S}, {RESP, SA, 0, 1}, {ORIG, A, 1, 1}, {RESP, A, 1, 2},
		   {ORIG, FA, 1, 1, 0, LA_R_OLD_DUPLICATE});
	cr_expect_eq(t.flow.side[t.orig].bytes, 0);
}

/* More letters than there is room for: the first ones stay. */
Test(zeek, history_is_bounded)
{
	talk_lines(&t, {ORIG, S}, {RESP, SA, 0, 1}, {ORIG, A, 1, 1});
	for (__u32 i = 0; i < 40; i++)
		talk_lines(&t, {RESP, R, 70000 + i, 0, 0, LA_R_RST_OUT_OF_WINDOW});
	cr_expect_eq(t.flow.history_len, LA_HISTORY_MAX);
	cr_expect_eq(memcmp(t.flow.history, "ShArrr", 6), 0);
}

/* A RST that its receiver does not take: it was sent all the same, and that is what counts. */
Test(zeek, ignored_rst)
{
	talk_lines(&t, {ORIG, S}, {RESP, SA, 0, 1}, {ORIG, A, 1, 1}, {ORIG, PA, 1, 1, 10},
		   {RESP, R, 5001, 0, 0, LA_R_RST_IGNORED}, {RESP, PA, 1, 11, 10});
	cr_expect_eq(la_conn_state(&t.flow), LA_CONN_RSTR);
	cr_expect_eq(t.flow.side[!t.orig].state, LA_ESTABLISHED);
}

/* A SYN on a live tuple is of the connection that it may open. */
Test(zeek, provisional_syn)
{
	talk_lines(&t, {ORIG, S}, {RESP, SA, 0, 1}, {ORIG, A, 1, 1},
		   {ORIG, S, .isn = 7000, .reason = LA_R_PROVISIONAL_SYN},
		   {RESP, SA, .ack = 1, .isn = 9000});
	cr_expect_eq(memcmp(talk_close(&t)->history, "ShA", 4), 0);
	cr_expect_eq(memcmp(t.flow.history, "Sh", 2), 0);
	cr_expect_eq(t.flow.history_len, 2);
	cr_expect_eq(la_conn_state(&t.flow), LA_CONN_S1);
}
