/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_output_ladder.c - the picture itself, and which connection is drawn when.
 */
#include "printed.h"

static char *tell(void (*story)(struct talk *))
{
	struct talk t;

	talk_begin(&t, "10.9.0.1", 40312, "10.9.0.2", 80);
	story(&t);
	return printed(la_output_ladder_new, &t);
}

Test(ladder, a_close_in_order_is_the_picture_of_the_book, .timeout = 10)
{
	static const char *const picture =
		"\n"
		"── connection 5eed000000009d78  00:00:10.000  veth0\n"
		"       client 10.9.0.1:40312                               server 10.9.0.2:80\n"
		"         CLOSED ·                                              · (LISTEN?)\n"
		"       SYN_SENT │── SYN seq=0 ────────────────────────────────▶·"
		"                        +0\n"
		" (ESTABLISHED?) ┆◀────────────────────── SYN,ACK seq=0 ack=1 ──│ SYN_RECEIVED"
		"      +31.0us\n"
		"    ESTABLISHED │── ACK ack=1 ────────────────────────────────▶┆ (ESTABLISHED?)"
		"    +50.0us\n"
		"                │── data seq=1 len=120 ───────────────────────▶┆"
		"                   +90.0us\n"
		"                │◀────────────────────── data seq=1 len=1448 ──│ ESTABLISHED"
		"        +400us\n"
		"                │                   ← 3.0 kB                   │\n"
		"     FIN_WAIT_1 │── FIN seq=121 ack=4501 ─────────────────────▶┆ (CLOSE_WAIT?)"
		"      +610us\n"
		"  (FIN_WAIT_2?) ┆◀────────────────────────────── ACK ack=122 ──│ CLOSE_WAIT"
		"         +635us\n"
		"   (TIME_WAIT?) ┆◀───────────────────── FIN seq=4501 ack=122 ──│ LAST_ACK"
		"          +1.11ms\n"
		"      TIME_WAIT │── ACK ack=4502 ─────────────────────────────▶· (CLOSED?)"
		"         +1.13ms\n"
		"══ closed in order by the client · 1.13ms · 120 B → ← 4.5 kB · SF ══\n"
		"         CLOSED ·               2MSL after 1m00s               ·"
		"                    +1m00s\n";
	char *text = tell(story_four_segments);

	cr_expect_str_eq(text, picture);
	free(text);
}

Test(ladder, a_lost_last_ack_is_corrected_below_the_end, .timeout = 10)
{
	char *text = tell(story_lost_last_ack);

	cr_expect_eq(count_of(text, "── connection "), 1, "one header\n%s", text);
	expect_line(text, "│◀─────────────── FIN again seq=4501 ack=122 ──│ !LAST_ACK          "
			  "+206ms  not CLOSED after all");
	expect_line(text, "── gone: 2MSL is over · 2 segments after the close · 1 FIN sent again");
	free(text);
}

Test(ladder, silence_is_drawn_and_the_stuck_end_is_named, .timeout = 10)
{
	char *text = tell(story_close_wait_stuck);

	expect_line(text, "  (FIN_WAIT_2?) ┆               1h00m of silence               "
			  "│ CLOSE_WAIT         +1h00m");
	cr_expect_not_null(strstr(text, "the server's application has not closed for 1h00m"));
	free(text);
}

Test(ladder, a_reset_after_a_pause, .timeout = 10)
{
	char *text = tell(story_reset);

	expect_line(text, "                │            ← 3.0 kB   3.00s later            │");
	expect_line(text, "      (CLOSED?) ·◀───────────────────── RST seq=4501 ack=121 ──· CLOSED"
			  "             +3.00s  exact");
	free(text);
}

/* The numbers of a segment that its receiver ignores say nothing of the data that passed. */
Test(ladder, an_ignored_rst_counts_no_data, .timeout = 10)
{
	char *text = tell(story_blind_rst);

	expect_line(text, "in_window, forged? seq_jumps (weak), ttl (weak)");
	cr_expect_eq(count_of(text, "← 3.0 kB"), 1, "%s", text);
	free(text);
}

/* Each side's SYN-ACK repeats the number of its SYN; only the second SYN-ACK is sent again. */
static void story_simultaneous_open(struct talk *t)
{
	talk_says(t, LA_ORIG, LA_SYN, 0, 0, 0);
	talk_moves(t, LA_ORIG, LA_SYN_SENT, LA_SEEN, LA_CAUSE_SYN);
	talk_after(t, 10 * US);
	talk_says(t, LA_RESP, LA_SYN, 0, 0, 0);
	talk_moves(t, LA_RESP, LA_SYN_SENT, LA_SEEN, LA_CAUSE_SYN);
	talk_after(t, 10 * US);
	talk_says(t, LA_RESP, LA_SYN | LA_ACK, 0, 1, 0);
	talk_moves(t, LA_RESP, LA_SYN_RECEIVED, LA_SEEN, LA_CAUSE_SYN_ACK);
	talk_after(t, 10 * US);
	talk_says(t, LA_ORIG, LA_SYN | LA_ACK, 0, 1, 0);
	talk_moves(t, LA_ORIG, LA_SYN_RECEIVED, LA_SEEN, LA_CAUSE_SYN_ACK);
	talk_after(t, 1000 * MS);
	talk_says(t, LA_ORIG, LA_SYN | LA_ACK, 0, 1, 0);
	talk_but(t, LA_R_SYN_RETRANSMIT);
}

Test(ladder, syn_acks_of_a_simultaneous_open_are_new, .timeout = 10)
{
	char *text = tell(story_simultaneous_open);

	cr_expect_eq(count_of(text, " SYN,ACK seq=0 ack=1 "), 2, "%s", text);
	cr_expect_eq(count_of(text, " SYN,ACK again seq=0 ack=1 "), 1, "%s", text);
	free(text);
}

Test(ladder, simultaneous_close_corrects_the_presumption, .timeout = 10)
{
	char *text = tell(story_simultaneous);

	expect_line(text, "     (CLOSING?) ┆◀────────────────────────── FIN seq=1 ack=1 ──│ "
			  "!FIN_WAIT_1       +2.05ms  not CLOSE_WAIT after all");
	expect_line(text, "         CLOSED ·               2MSL after 1m00s               · CLOSED"
			  "             +1m00s");
	free(text);
}

Test(ladder, without_segment_records_the_transitions_draw_the_arrows, .timeout = 10)
{
	struct la_output_opts opts = paper_opts();
	struct paper p;
	struct talk t;

	talk_begin(&t, "10.9.0.1", 40312, "10.9.0.2", 80);
	story_four_segments(&t);
	paper_open(&p, la_output_ladder_new, &opts, "C.UTF-8");
	for (unsigned int i = 0; i < t.n; i++)
		if (t.rec[i].h.type != LA_REC_SEGMENT)
			la_sink_record(p.sink, &t.rec[i].h);
	paper_done(&p);
	expect_line(p.text, "     FIN_WAIT_1 │── FIN seq=121 ack=4501 ─────────────────────▶┆ "
			    "(CLOSE_WAIT?)      +610us");
	expect_line(p.text, "                │              120 B →   ← 4.5 kB              ┆");
	cr_expect_eq(count_of(p.text, "─▶"), 4, "SYN, ACK, FIN, ACK\n%s", p.text);
	paper_free(&p);
}

/* --- which connection is drawn when --------------------------------------------------- */

static struct talk one, two;

static void begin_two(void)
{
	talk_begin(&one, "10.9.0.1", 1001, "10.9.0.2", 80);
	talk_begin(&two, "10.9.0.1", 1002, "10.9.0.2", 80);
}

/* What stands on the paper now. */
static const char *so_far(struct paper *p)
{
	la_sink_flush(p->sink);
	fflush(p->file);
	return p->text;
}

Test(ladder, alone_it_is_drawn_live, .timeout = 10)
{
	struct la_output_opts opts = paper_opts();
	struct paper p;

	begin_two();
	story_handshake(&one);
	paper_open(&p, la_output_ladder_new, &opts, "C.UTF-8");
	talk_play_part(&one, p.sink, 0, 2);
	expect_line(so_far(&p), "       SYN_SENT │── SYN seq=0 ────────────────────────────────▶·"
				"                        +0");
	talk_play_part(&one, p.sink, 2, one.n);
	cr_expect_not_null(strstr(so_far(&p), "ACK ack=1"), "%s", p.text);
	cr_expect_eq(count_of(p.text, "SYN seq=0"), 1, "nothing twice\n%s", p.text);
	paper_done(&p);
	paper_free(&p);
}

Test(ladder, a_pause_within_a_row_draws_nothing_twice, .timeout = 10)
{
	struct la_output_opts opts = paper_opts();
	struct paper p;
	char *whole = tell(story_four_segments);
	struct talk t;

	talk_begin(&t, "10.9.0.1", 40312, "10.9.0.2", 80);
	story_four_segments(&t);
	paper_open(&p, la_output_ladder_new, &opts, "C.UTF-8");
	for (unsigned int i = 0; i < t.n; i++) {
		talk_play_part(&t, p.sink, i, i + 1);
		la_sink_flush(p.sink);
	}
	paper_done(&p);
	cr_expect_eq(count_of(p.text, "▶"), count_of(whole, "▶"), "%s", p.text);
	cr_expect_eq(count_of(p.text, "◀"), count_of(whole, "◀"), "%s", p.text);
	paper_free(&p);
	free(whole);
}

Test(ladder, two_at_once_are_not_interleaved, .timeout = 10)
{
	struct la_output_opts opts = paper_opts();
	const char *first, *second, *again;
	struct paper p;

	begin_two();
	story_four_segments(&one);
	story_reset(&two);
	paper_open(&p, la_output_ladder_new, &opts, "C.UTF-8");
	talk_play_part(&one, p.sink, 0, 6); /* SYN and SYN-ACK */
	talk_play(&two, p.sink);
	talk_play_part(&one, p.sink, 6, one.n);
	paper_done(&p);
	first = strstr(p.text, "── connection 5eed0000000003e9");
	second = strstr(p.text, "── connection 5eed0000000003ea");
	again = strstr(p.text, "── connection continued 5eed0000000003e9");
	cr_assert(first && second && again, "%s", p.text);
	cr_expect(first < second && second < again, "%s", p.text);
	cr_expect_eq(count_of(p.text, "── connection "), 3, "%s", p.text);
	cr_expect_gt(strstr(p.text, "reset by the server"), second);
	cr_expect_lt(strstr(p.text, "reset by the server"), again);
	cr_expect_gt(strstr(p.text, "closed in order by the client"), again);
	paper_free(&p);
}

Test(ladder, news_after_the_end_is_drawn_when_the_flow_is_gone, .timeout = 10)
{
	struct la_output_opts opts = paper_opts();
	unsigned int close = 0;
	struct paper p;

	begin_two();
	story_lost_last_ack(&one);
	story_reset(&two);
	while (one.rec[close].h.type != LA_REC_CLOSE)
		close++;
	paper_open(&p, la_output_ladder_new, &opts, "C.UTF-8");
	talk_play_part(&one, p.sink, 0, close + 1);
	talk_play(&two, p.sink);
	cr_expect_null(strstr(so_far(&p), "continued"));
	talk_play_part(&one, p.sink, close + 1, one.n);
	paper_done(&p);
	cr_expect_eq(count_of(p.text, "── connection continued 5eed0000000003e9"), 1, "%s", p.text);
	cr_expect_eq(count_of(p.text, "!LAST_ACK"), 1, "%s", p.text);
	paper_free(&p);
}

Test(ladder, a_quiet_end_of_time_wait_does_not_interrupt, .timeout = 10)
{
	struct la_output_opts opts = paper_opts();
	struct paper p;

	begin_two();
	story_four_segments(&one);
	story_four_segments(&two);
	paper_open(&p, la_output_ladder_new, &opts, "C.UTF-8");
	talk_play_part(&one, p.sink, 0, one.n - 2); /* without 2MSL */
	talk_play_part(&two, p.sink, 0, 6);
	talk_play_part(&one, p.sink, one.n - 2, one.n);
	talk_play_part(&two, p.sink, 6, two.n);
	paper_done(&p);
	cr_expect_null(strstr(p.text, "continued"), "%s", p.text);
	cr_expect_eq(count_of(p.text, "2MSL after"), 1, "%s", p.text);
	paper_free(&p);
}

Test(ladder, what_never_ends_is_drawn_at_the_end_of_the_stream, .timeout = 10)
{
	struct la_output_opts opts = paper_opts();
	struct paper p;

	begin_two();
	story_handshake(&one);
	story_handshake(&two);
	paper_open(&p, la_output_ladder_new, &opts, "C.UTF-8");
	talk_play(&one, p.sink);
	talk_play(&two, p.sink);
	cr_expect_null(strstr(so_far(&p), "5eed0000000003ea"), "kept: it is not alone");
	paper_done(&p);
	cr_expect_not_null(strstr(p.text, "── connection 5eed0000000003ea"), "%s", p.text);
	cr_expect_eq(count_of(p.text, "ACK ack=1"), 2, "%s", p.text);
	paper_free(&p);
}

Test(ladder, a_connection_of_many_rows_leaves_out_its_middle, .timeout = 10)
{
	struct la_output_opts opts = paper_opts();
	struct la_rec_segment syn;
	struct paper p;

	begin_two();
	story_handshake(&one); /* stays open, so that two is kept */
	talk_says(&two, LA_ORIG, LA_SYN, 0, 0, 0);
	talk_moves(&two, LA_ORIG, LA_SYN_SENT, LA_SEEN, LA_CAUSE_SYN);
	syn = two.rec[0].segment;
	paper_open(&p, la_output_ladder_new, &opts, "C.UTF-8");
	talk_play(&one, p.sink);
	for (int i = 0; i < 100; i++) {
		syn.h.ts += MS;
		la_sink_record(p.sink, &syn.h);
	}
	talk_closes(&two, LA_CLOSE_TIMEOUT, LA_BY_NONE, LA_CONN_S0, "S");
	talk_play_part(&two, p.sink, two.n - 1, two.n);
	paper_done(&p);
	cr_expect_not_null(strstr(p.text, "36 more rows"), "%s", p.text);
	cr_expect_eq(count_of(p.text, "SYN again seq=0"), 63, "%s", p.text);
	cr_expect_not_null(strstr(p.text, "+99.0ms"), "the last ones are there\n%s", p.text);
	paper_free(&p);
}

Test(ladder, a_crowd_is_bounded)
{
	struct la_output_opts opts = paper_opts();
	struct paper p;

	paper_open(&p, la_output_ladder_new, &opts, "C");
	for (int i = 0; i < 5000; i++) {
		talk_begin(&two, "10.9.0.1", (__u16)(1000 + i), "10.9.0.2", 80);
		story_handshake(&two);
		talk_play_part(&two, p.sink, 0, 2);
	}
	paper_done(&p);
	cr_expect_eq(count_of(p.text, "-- connection "), 5000);
	cr_expect_eq(count_of(p.text, "SYN seq=0"), 5000);
	paper_free(&p);
}

Test(ladder, plain_locales_get_plain_text, .timeout = 10)
{
	struct la_output_opts opts = paper_opts();
	struct paper p;
	struct talk t;

	talk_begin(&t, "2001:db8::1", 40312, "2001:db8::2", 80);
	story_lost_last_ack(&t);
	paper_open(&p, la_output_ladder_new, &opts, "C");
	talk_play(&t, p.sink);
	paper_done(&p);
	for (size_t i = 0; i < p.size; i++)
		cr_assert(p.text[i] == '\n' || (p.text[i] >= ' ' && p.text[i] <= '~'));
	expect_line(p.text, " (ESTABLISHED?) :<---------------------- SYN,ACK seq=0 ack=1 --| "
			    "SYN_RECEIVED      +31.0us");
	paper_free(&p);
}

/* Picked up in its middle, with a guess at the direction that the late SYN refutes. */
static void story_turned_round(struct talk *t)
{
	t->state[LA_ORIG] = t->state[LA_RESP] = LA_ESTABLISHED;
	talk_says(t, LA_RESP, LA_PSH | LA_ACK, 1, 1, 10);
	talk_after(t, 1 * MS);
	t->h.orig ^= 1;
	talk_says(t, LA_ORIG, LA_SYN, 0, 0, 0);
}

Test(ladder, a_late_syn_turns_the_picture_round, .timeout = 10)
{
	char *text = tell(story_turned_round);

	cr_expect_eq(count_of(text, "── connection "), 2, "a header for each side\n%s", text);
	expect_line(text, "client 10.9.0.1:40312                               server 10.9.0.2:80");
	expect_line(text, "client 10.9.0.2:80                                 server "
			  "10.9.0.1:40312");
	cr_expect_eq(count_of(text, "SYN seq=0 ───"), 1, "%s", text);
	free(text);
}
