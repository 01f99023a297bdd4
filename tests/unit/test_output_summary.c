/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_output_summary.c - what the summary counts and how it says it.
 */
#include "printed.h"

static char *summary_of(void (*const *stories)(struct talk *), const struct la_counters *packets,
			bool color)
{
	struct la_sink *sink = la_summary_new();
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	cr_assert(sink && file);
	for (; *stories; stories++) {
		struct talk t;

		talk_begin(&t, "10.9.0.1", 40312, "10.9.0.2", 80);
		(*stories)(&t);
		talk_play(&t, sink);
	}
	la_sink_flush(sink);
	la_summary_print(sink, packets, file, color);
	la_sink_close(sink);
	fclose(file);
	return text;
}

static void story_still_open(struct talk *t)
{
	story_handshake(t);
	talk_closes(t, LA_CLOSE_SHUTDOWN, LA_BY_NONE, LA_CONN_S1, "Sh");
}

static void story_loss(struct talk *t)
{
	talk_next(t, LA_REC_LOST)->lost.count = 40;
}

Test(summary, counts_by_reason_closer_and_verdict, .timeout = 10)
{
	static void (*const stories[])(struct talk *) = {
		story_four_segments, story_lost_last_ack,    story_reset,
		story_refused,	     story_simultaneous,     story_blind_rst,
		story_still_open,    story_close_wait_stuck, NULL,
	};
	char *text = summary_of(stories, NULL, false);

	cr_expect_str_eq(text, "7 connections ended, 1 still open\n"
			       "  ended       3 closed in order, 1 both closed at once, 1 reset, "
			       "1 refused, 1 timed out\n"
			       "  closed by   3 the originator, 2 the responder, 1 both at once, "
			       "1 nobody\n"
			       "  resets      1 exact, 1 in_window, 1 syn_sent_ack_ok\n"
			       "  forged      1 reset with signs of forging\n"
			       "  stuck       1 CLOSE_WAIT that the application never closed\n");
	free(text);
}

Test(summary, says_what_was_lost, .timeout = 10)
{
	static void (*const stories[])(struct talk *) = {story_refused, story_loss, NULL};
	char *text = summary_of(stories, NULL, false);

	expect_line(text, "1 connection ended, 0 still open");
	expect_line(text, "  lost        40 records: the ring buffer was full");
	free(text);
}

/* Reasons of the same verdict share a line, whatever hook counted them. */
Test(summary, says_what_became_of_the_packets, .timeout = 10)
{
	static void (*const stories[])(struct talk *) = {NULL};
	struct la_counters packets = {0};
	char *text;

	packets.packets[LA_HOOK_XDP][LA_R_ACCEPTED] = 50;
	packets.packets[LA_HOOK_TC_INGRESS][LA_R_NOT_TCP] = 3;
	packets.packets[LA_HOOK_TC_EGRESS][LA_R_NOT_TCP] = 4;
	packets.packets[LA_HOOK_XDP][LA_R_FRAGMENT] = 1;
	packets.packets[LA_HOOK_XDP][LA_R_ACK_TOO_OLD] = 2;
	packets.packets[LA_HOOK_XDP][LA_R_KEEPALIVE] = 5;
	text = summary_of(stories, &packets, false);
	cr_expect_str_eq(text, "0 connections ended, 0 still open\n"
			       "  packets     65\n"
			       "  invalid     2 acknowledges far below what was acknowledged\n"
			       "  untracked   7 IP, but not TCP, "
			       "1 later fragment, carries no TCP header\n");
	free(text);
}

Test(summary, of_nothing_is_one_line, .timeout = 10)
{
	static void (*const stories[])(struct talk *) = {NULL};
	char *text = summary_of(stories, NULL, false);

	cr_expect_str_eq(text, "0 connections ended, 0 still open\n");
	free(text);
}

Test(summary, colour_marks_resets_and_what_is_stuck, .timeout = 10)
{
	static void (*const stories[])(struct talk *) = {story_reset, story_close_wait_stuck, NULL};
	char *text = summary_of(stories, NULL, true);

	cr_expect_not_null(strstr(text, "\033[31m1 reset\033[0m"), "%s", text);
	cr_expect_eq(count_of(text, "\033[1;30;43m"), 1, "%s", text);
	free(text);
}
