/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_output_conntrack.c - the lines that scripts of conntrack(8) read.
 */
#include "printed.h"

static const __u64 timeouts[LA_TIMEOUT_MAX] = {
	[LA_TIMEOUT_SYN_SENT] = 120 * S,       [LA_TIMEOUT_SYN_RECEIVED] = 60 * S,
	[LA_TIMEOUT_ESTABLISHED] = 432000 * S, [LA_TIMEOUT_HALF_CLOSED] = 3600 * S,
	[LA_TIMEOUT_LAST_ACK] = 30 * S,	       [LA_TIMEOUT_TIME_WAIT] = 60 * S,
	[LA_TIMEOUT_CLOSED] = 10 * S,
};

/* The whole of a conversation; the caller frees it. */
static char *told(const struct talk *t)
{
	struct la_output_opts opts = paper_opts();
	struct paper p;

	opts.timeouts = timeouts;
	paper_open(&p, la_output_conntrack_new, &opts, "C");
	talk_play(t, p.sink);
	paper_done(&p);
	return p.text;
}

static struct talk story(void (*tell)(struct talk *))
{
	struct talk t;

	talk_begin(&t, "10.9.0.1", 40312, "10.9.0.2", 80);
	tell(&t);
	return t;
}

#define THERE "src=10.9.0.1 dst=10.9.0.2 sport=40312 dport=80"
#define BACK  "src=10.9.0.2 dst=10.9.0.1 sport=80 dport=40312"

Test(conntrack, a_connection_as_events)
{
	struct talk t = story(story_four_segments);
	char *text = told(&t);

	cr_expect_str_eq(text, "    [NEW] tcp      6 120 SYN_SENT " THERE " [UNREPLIED] " BACK "\n"
			       " [UPDATE] tcp      6 60 SYN_RECV " THERE " " BACK "\n"
			       " [UPDATE] tcp      6 432000 ESTABLISHED " THERE " " BACK "\n"
			       " [UPDATE] tcp      6 3600 FIN_WAIT " THERE " " BACK "\n"
			       " [UPDATE] tcp      6 3600 CLOSE_WAIT " THERE " " BACK "\n"
			       " [UPDATE] tcp      6 30 LAST_ACK " THERE " " BACK "\n"
			       " [UPDATE] tcp      6 60 TIME_WAIT " THERE " " BACK "\n"
			       " [UPDATE] tcp      6 10 CLOSE " THERE " " BACK "\n"
			       "[DESTROY] tcp      6 " THERE " packets=0 bytes=0 [UNREPLIED] " BACK
			       " packets=0 bytes=0\n");
	free(text);
}

/* Packets and bytes of both directions, and what is left of its timeout. */
Test(conntrack, a_connection_of_the_table)
{
	struct talk t = story(story_close_wait_stuck);
	struct la_rec_flow *flow = &t.rec[0].flow;
	char *text;

	for (unsigned int i = 1; i < t.n; i++)
		if (t.rec[i].h.type == LA_REC_CLOSE)
			t.rec[0].close = t.rec[i].close;
	t.n = 1;
	flow->at.h.type = LA_REC_FLOW;
	flow->left_ns = 3598 * S + 500 * MS;
	flow->at.side[LA_ORIG].pkts = 6;
	flow->at.side[LA_ORIG].ip_bytes = 444;
	flow->at.side[LA_RESP].pkts = 5;
	flow->at.side[LA_RESP].ip_bytes = 4760;
	text = told(&t);
	cr_expect_str_eq(text, "tcp      6 3598 CLOSE_WAIT " THERE " packets=6 bytes=444 " BACK
			       " packets=5 bytes=4760 [ASSURED] mark=0 use=1\n");
	free(text);
}

Test(conntrack, an_attempt_is_unreplied)
{
	struct talk t = story(story_refused);
	char *text = told(&t);

	expect_line(text, "    [NEW] tcp      6 120 SYN_SENT " THERE " [UNREPLIED] " BACK);
	expect_line(text, " [UPDATE] tcp      6 10 CLOSE " THERE " " BACK);
	free(text);
}
