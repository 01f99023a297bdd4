/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_output_text.c - the lines for people: columns, marks, what is printed and what not.
 */
#include "printed.h"
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static char *tell(void (*story)(struct talk *))
{
	struct talk t;

	talk_begin(&t, "10.9.0.1", 40312, "10.9.0.2", 80);
	story(&t);
	return printed(la_output_text_new, &t);
}

#define TUPLE "10.9.0.1:40312 → 10.9.0.2:80"

Test(text, a_close_in_order_reads_like_a_book, .timeout = 10)
{
	static const char *const book =
		"00:00:10.000      SYN_SENT ── SYN ───────▶  LISTEN                 " TUPLE "\n"
		"00:00:10.000      SYN_SENT ◀─── SYN,ACK ──  SYN_RECEIVED   31.0us  " TUPLE "\n"
		"00:00:10.000  ~ESTABLISHED ◀─── SYN,ACK ──  SYN_RECEIVED   31.0us  " TUPLE "\n"
		"00:00:10.000   ESTABLISHED ── ACK ───────▶ ~ESTABLISHED    19.0us  " TUPLE "\n"
		"00:00:10.000    FIN_WAIT_1 ── FIN ───────▶  ESTABLISHED     579us  " TUPLE "\n"
		"00:00:10.000    FIN_WAIT_1 ── FIN ───────▶ ~CLOSE_WAIT      560us  " TUPLE "\n"
		"00:00:10.000   ~FIN_WAIT_2 ◀─────── ACK ──  CLOSE_WAIT     25.0us  " TUPLE "\n"
		"00:00:10.001   ~FIN_WAIT_2 ◀─────── FIN ──  LAST_ACK        505us  " TUPLE "\n"
		"00:00:10.001    ~TIME_WAIT ◀─────── FIN ──  LAST_ACK        480us  " TUPLE "\n"
		"00:00:10.001     TIME_WAIT ── ACK ───────▶ ~CLOSED         18.0us  " TUPLE "\n"
		"00:00:10.001     TIME_WAIT ══ closed ════▶ ~CLOSED         1.13ms  " TUPLE
		"  120 B → ← 4.5 kB  closed in order by the client\n"
		"00:01:10.001        CLOSED ──── timer ──── ~CLOSED          1m00s  " TUPLE "\n";
	char *text = tell(story_four_segments);

	cr_expect_str_eq(text, book);
	free(text);
}

Test(text, a_stuck_close_wait_is_told_with_its_time, .timeout = 10)
{
	char *text = tell(story_close_wait_stuck);

	expect_line(text, "   ~FIN_WAIT_2 ═══ TIMEOUT ═══  CLOSE_WAIT      1h00m  " TUPLE
			  "  120 B → ← 4.5 kB  timed out in CLOSE_WAIT: the server's application "
			  "has not closed for 1h00m");
	free(text);
}

Test(text, a_correction_is_marked, .timeout = 10)
{
	char *text = tell(story_lost_last_ack);

	expect_line(text, "     TIME_WAIT ◀─────── FIN ── !LAST_ACK        205ms  " TUPLE
			  "  not CLOSED after all");
	expect_line(text, "after the close                         " TUPLE
			  "  2MSL is over, 2 late segments, 1 FIN sent again");
	free(text);
}

Test(text, a_rst_that_did_what_it_said_is_told_once, .timeout = 10)
{
	char *text = tell(story_reset);

	cr_expect_eq(count_of(text, " RST "), 2, "one for each endpoint\n%s", text);
	expect_line(text, "       ~CLOSED ◀═════ RESET ══  CLOSED          3.00s  " TUPLE
			  "  120 B → ← 4.5 kB  reset by the server");
	free(text);
}

Test(text, a_rst_that_is_not_believed_is_told, .timeout = 10)
{
	char *text = tell(story_blind_rst);

	expect_line(text, "   ESTABLISHED ◀─────── RST ──  ESTABLISHED            " TUPLE
			  "  in the window, not exact: the receiver challenges it, perhaps forged: "
			  "seq_jumps (weak), ttl (weak)");
	free(text);
}

Test(text, the_arrow_of_a_close_points_away_from_who_closed, .timeout = 10)
{
	char *refused = tell(story_refused), *both = tell(story_simultaneous);

	cr_expect_not_null(strstr(refused, "~CLOSED ◀═══ REFUSED ══  CLOSED"), "%s", refused);
	cr_expect_not_null(strstr(both, "~TIME_WAIT ◀══ closed ═══▶  TIME_WAIT"), "%s", both);
	free(refused);
	free(both);
}

/* Where the states stand does not depend on the addresses. */
Test(text, ipv6_keeps_the_columns, .timeout = 10)
{
	char *v4 = tell(story_four_segments), *v6;
	size_t columns = strlen("00:00:10.000      SYN_SENT ── SYN ───────▶  LISTEN    ");
	struct talk t;

	talk_begin(&t, "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff", 40312, "2001:db8::2", 80);
	story_four_segments(&t);
	v6 = printed(la_output_text_new, &t);
	cr_expect_eq(strncmp(v4, v6, columns), 0);
	expect_line(v6, "[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:40312 → [2001:db8::2]:80");
	free(v4);
	free(v6);
}

Test(text, lost_records_are_told, .timeout = 10)
{
	struct talk t;
	char *text;

	talk_begin(&t, "10.9.0.1", 40312, "10.9.0.2", 80);
	talk_next(&t, LA_REC_LOST)->lost.count = 12;
	text = printed(la_output_text_new, &t);
	expect_line(text, "12 state records lost or late: the ring buffer is full");
	free(text);
}

Test(text, what_a_policy_did, .timeout = 10)
{
	struct la_rec_policy *r;
	struct talk t;
	char *text;

	talk_begin(&t, "10.9.0.1", 40312, "10.9.0.2", 80);
	r = &talk_next(&t, LA_REC_POLICY)->policy;
	strcpy(r->policy, "leak");
	strcpy(r->detail, "to resp at 12");
	r->action = LA_ACTION_RESET;
	r->result = LA_RESULT_DONE;
	r->state[LA_ORIG] = LA_FIN_WAIT_2;
	r->state[LA_RESP] = LA_CLOSE_WAIT;
	text = printed(la_output_text_new, &t);
	expect_line(text, "    FIN_WAIT_2 ──── reset ────  CLOSE_WAIT             " TUPLE
			  "  policy leak: done, to resp at 12");
	r->result = LA_RESULT_DRY_RUN;
	*r->detail = '\0';
	free(text);
	text = printed(la_output_text_new, &t);
	expect_line(text, "policy leak: dry run");
	free(text);
}

Test(text, plain_locales_get_plain_text, .timeout = 10)
{
	struct la_output_opts opts = paper_opts();
	struct paper p;
	struct talk t;

	talk_begin(&t, "10.9.0.1", 40312, "10.9.0.2", 80);
	story_lost_last_ack(&t);
	paper_open(&p, la_output_text_new, &opts, "C");
	talk_play(&t, p.sink);
	paper_done(&p);
	for (size_t i = 0; i < p.size; i++)
		cr_assert(p.text[i] == '\n' || (p.text[i] >= ' ' && p.text[i] <= '~'));
	expect_line(p.text, "SYN_SENT <--- SYN,ACK --  SYN_RECEIVED   31.0us  "
			    "10.9.0.1:40312 > 10.9.0.2:80");
	paper_free(&p);
}

Test(text, colour_changes_no_text, .timeout = 10)
{
	struct la_output_opts opts = paper_opts();
	char *plain = tell(story_close_wait_stuck), *to;
	struct paper p;
	struct talk t;

	talk_begin(&t, "10.9.0.1", 40312, "10.9.0.2", 80);
	story_close_wait_stuck(&t);
	opts.color = true;
	paper_open(&p, la_output_text_new, &opts, "C.UTF-8");
	talk_play(&t, p.sink);
	paper_done(&p);
	cr_expect_eq(count_of(p.text, "\033[1;30;43m"), 1, "the alarm is for the close line");
	cr_expect_not_null(strstr(p.text, "\033[1;30;43m CLOSE_WAIT\033[0m"));
	to = p.text;
	for (const char *at = p.text; *at; at++) {
		if (*at == '\033')
			at += strcspn(at, "m");
		else
			*to++ = *at;
	}
	*to = '\0';
	cr_expect_str_eq(p.text, plain);
	paper_free(&p);
	free(plain);
}

/* ---- terminals ---- */

/* What the text output shows on a terminal of that many columns. The caller frees it. */
static char *shown(void (*story)(struct talk *), unsigned short columns)
{
	struct winsize size = {.ws_row = 24, .ws_col = columns};
	struct la_output_opts opts = paper_opts();
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave;
	char *text = calloc(1, 8192);
	struct la_sink *sink;
	struct termios raw;
	struct talk t;
	FILE *file;

	setenv("LC_ALL", "C.UTF-8", 1);
	setenv("TZ", "UTC", 1);
	cr_assert(text && master >= 0 && !grantpt(master) && !unlockpt(master));
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	cr_assert(slave >= 0 && !ioctl(slave, TIOCSWINSZ, &size) && !tcgetattr(slave, &raw));
	cfmakeraw(&raw);
	tcsetattr(slave, TCSANOW, &raw);
	file = fdopen(slave, "w");
	sink = la_output_text_new(file, &opts);
	talk_begin(&t, "10.9.0.1", 40312, "10.9.0.2", 80);
	story(&t);
	talk_play(&t, sink);
	la_sink_close(sink);
	fclose(file);
	for (size_t used = 0; used < 8191;) {
		ssize_t got = read(master, text + used, 8191 - used);

		if (got <= 0)
			break;
		used += (size_t)got;
	}
	close(master);
	return text;
}

Test(text, a_narrow_terminal_has_the_addresses_above, .timeout = 10)
{
	static const char *const book =
		"  " TUPLE "\n"
		"00:00:10.000      SYN_SENT ── SYN ───────▶  LISTEN               \n"
		"00:00:10.000      SYN_SENT ◀─── SYN,ACK ──  SYN_RECEIVED   31.0us\n"
		"00:00:10.000  ~ESTABLISHED ◀─── SYN,ACK ──  SYN_RECEIVED   31.0us\n"
		"00:00:10.000   ESTABLISHED ── ACK ───────▶ ~ESTABLISHED    19.0us\n"
		"00:00:10.000    FIN_WAIT_1 ── FIN ───────▶  ESTABLISHED     579us\n"
		"00:00:10.000    FIN_WAIT_1 ── FIN ───────▶ ~CLOSE_WAIT      560us\n"
		"00:00:10.000   ~FIN_WAIT_2 ◀─────── ACK ──  CLOSE_WAIT     25.0us\n"
		"00:00:10.001   ~FIN_WAIT_2 ◀─────── FIN ──  LAST_ACK        505us\n"
		"00:00:10.001    ~TIME_WAIT ◀─────── FIN ──  LAST_ACK        480us\n"
		"00:00:10.001     TIME_WAIT ── ACK ───────▶ ~CLOSED         18.0us\n"
		"00:00:10.001     TIME_WAIT ══ closed ════▶ ~CLOSED         1.13ms\n"
		"             120 B → ← 4.5 kB  closed in order by the client\n"
		"00:01:10.001        CLOSED ──── timer ──── ~CLOSED          1m00s\n";
	char *text = shown(story_four_segments, 80);

	cr_expect_str_eq(text, book);
	free(text);
}

Test(text, a_wider_terminal_has_the_addresses_beside, .timeout = 10)
{
	char *text = shown(story_four_segments, 100), *wide = shown(story_four_segments, 200);
	char *file = tell(story_four_segments);

	expect_line(text, "TIME_WAIT ══ closed ════▶ ~CLOSED         1.13ms  " TUPLE "\n"
			  "             120 B → ← 4.5 kB  closed in order by the client");
	cr_expect_str_eq(wide, file, "nothing is folded where there is room");
	free(text);
	free(wide);
	free(file);
}

static void story_lost(struct talk *t)
{
	talk_next(t, LA_REC_LOST)->lost.count = 12;
}

Test(text, lost_records_are_of_no_connection, .timeout = 10)
{
	char *text = shown(story_lost, 80);

	expect_line(text, "12 state records lost or late: the ring buffer is full");
	cr_expect_eq(count_of(text, "\n"), 1, "%s", text);
	free(text);
}

/* A sentence that is too long for any line goes on in the next one, by words. */
Test(text, a_long_sentence_is_folded_between_words, .timeout = 10)
{
	char *text = shown(story_close_wait_stuck, 80);

	cr_expect_not_null(strstr(text, "120 B → ← 4.5 kB"), "%s", text);
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
		int columns = 0;

		for (size_t i = 0; i < strcspn(line, "\n"); i++)
			columns += (line[i] & 0xc0) != 0x80;
		cr_expect_leq(columns, 80, "%d columns: %s", columns, line);
	}
	free(text);
}

/* A connection of the table: its states, how long it has been idle, how old it is. */
Test(text, a_flow_has_neither_time_nor_arrow, .timeout = 10)
{
	struct la_rec_flow *flow;
	struct talk t;
	char *text;

	talk_begin(&t, "10.9.0.1", 40312, "10.9.0.2", 80);
	story_handshake(&t);
	story_half_close(&t);
	talk_after(&t, 90 * S);
	t.rec[0].close = *talk_closes(&t, 0, LA_BY_ORIG, LA_CONN_S2, "ShAF");
	t.n = 1;
	flow = &t.rec[0].flow;
	flow->at.h.type = LA_REC_FLOW;
	flow->at.heard_ns = 30 * S;
	text = printed(la_output_text_new, &t);
	cr_expect_str_eq(text,
			 "  ~FIN_WAIT_2  CLOSE_WAIT      1m00s    1m30s  " TUPLE "  0 B → ← 0 B\n");
	free(text);
}
