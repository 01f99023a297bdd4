/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_oneway.c - connections of which one side is not heard: what can be known is told, and
 * their ends have the right reason as far as that can be known.
 */
#include "talk.h"

static struct talk t;

static void init(void)
{
	talk_init(&t, 40000, 80);
}

TestSuite(oneway, .init = init);

#define HEARD_ORIG                                                                                 \
	{ORIG, S}, {ORIG, A, 1, 1}, {ORIG, PA, 1, 1, 100},                                         \
	{                                                                                          \
		ORIG, A, 101, 501                                                                  \
	}
#define HEARD_RESP                                                                                 \
	{RESP, SA, 0, 1}, {RESP, A, 1, 101},                                                       \
	{                                                                                          \
		RESP, PA, 1, 101, 500                                                              \
	}

Test(oneway, the_originator_closes_first)
{
	talk_lines(&t, HEARD_ORIG, {ORIG, FA, 101, 501, 0, 0, LA_FIN_WAIT_1, LA_CLOSE_WAIT},
		   {ORIG, A, 102, 502, 0, 0, LA_TIME_WAIT, LA_CLOSED});
	assert_closed(&t, "fin", "orig", "TIME_WAIT", "CLOSED");
	assert_path(&t, RESP, "~SYN_RECEIVED ~ESTABLISHED ~CLOSE_WAIT ~LAST_ACK ~CLOSED");
	cr_assert_eq(talk_close(&t)->one_way, 1 + LA_ORIG);
	cr_assert_eq(talk_close(&t)->side[RESP].bytes, 500);
	cr_assert_eq(talk_close(&t)->side[RESP].pkts, 0);
	cr_assert_eq(talk_close(&t)->side[RESP].presumed, 1);
	assert_gapless(&t);
}

Test(oneway, the_responder_closes_first_and_is_heard)
{
	talk_lines(&t, HEARD_RESP, {RESP, FA, 501, 101, 0, 0, LA_CLOSE_WAIT, LA_FIN_WAIT_1},
		   {RESP, A, 502, 102, 0, 0, LA_CLOSED, LA_TIME_WAIT});
	assert_closed(&t, "fin", "resp", "CLOSED", "TIME_WAIT");
	cr_assert_eq(talk_close(&t)->one_way, 1 + LA_RESP);
	cr_assert_eq(talk_close(&t)->side[ORIG].bytes, 100);
}

/* Half-closed: it acknowledges data for a while, the last of it together with the FIN. */
Test(oneway, data_and_fin_in_one_unheard_segment)
{
	talk_lines(&t, HEARD_ORIG, {ORIG, FA, 101, 501}, {WAIT, 100000}, {ORIG, A, 102, 1001},
		   {WAIT, 100000}, {ORIG, A, 102, 1202});
	cr_assert_eq(talk_count(&t, LA_REC_CLOSE), 0);
	talk_lines(&t, {WAIT, 121000});
	assert_closed(&t, "fin", "orig", "FIN_WAIT_1", "CLOSE_WAIT");
	cr_assert_eq(talk_close(&t)->timeout_state, 0);
}

/* The last word of a passive closer is its FIN. */
Test(oneway, the_unheard_side_closes_first)
{
	talk_lines(&t, HEARD_ORIG, {ORIG, A, 101, 502}, {ORIG, FA, 101, 502}, {WAIT, 121000});
	assert_closed(&t, "fin", "resp", "FIN_WAIT_1", "CLOSE_WAIT");
	cr_assert_eq(talk_close(&t)->one_way, 1 + LA_ORIG);
	cr_assert_eq(talk_close(&t)->side[RESP].bytes, 500, "its FIN is none of them");
	cr_assert_eq(talk_close(&t)->side[ORIG].presumed, 1, "it may be LAST_ACK");
	assert_gapless(&t);
}

/* Whatever number the side that is not heard began with. */
Test(oneway, bytes_are_counted_from_the_first_number)
{
	static const __u32 isns[] = {0, 5, 0x12345678, 0x7fffffff, 0x80000000, 0xffffffff};

	for (size_t i = 0; i < sizeof(isns) / sizeof(*isns); i++) {
		init();
		t.isn[RESP] = isns[i];
		talk_lines(&t, HEARD_ORIG);
		cr_assert_eq(t.flow.side[!t.orig].bytes, 500, "ISN %x: %llu bytes", isns[i],
			     (unsigned long long)t.flow.side[!t.orig].bytes);
	}
}

Test(oneway, a_fin_that_nobody_answers)
{
	talk_lines(&t, HEARD_ORIG, {ORIG, FA, 101, 501}, {WAIT, 300}, {ORIG, FA, 101, 501},
		   {WAIT, 600}, {ORIG, FA, 101, 501}, {WAIT, 121000});
	assert_closed(&t, "timeout", "none", "FIN_WAIT_1", "CLOSE_WAIT");
}

/* RFC 9293 3.10.7.1: the number of a true RST is that of an ACK that nobody here has heard. */
Test(oneway, a_rst_below_what_was_sent)
{
	talk_lines(&t, HEARD_RESP, {RESP, R, 301, .orig = LA_CLOSED, .resp = LA_CLOSED});
	assert_closed(&t, "reset", "resp", "CLOSED", "CLOSED");
	cr_assert_eq(talk_close(&t)->forged, 0);
	cr_assert_eq(talk_close(&t)->one_way, 1 + LA_RESP);
}

/* It looks like the FIN, but was one byte of data, and more follow. */
Test(oneway, one_byte_is_taken_for_the_fin)
{
	talk_lines(&t, HEARD_ORIG, {ORIG, FA, 101, 501},
		   {ORIG, A, 102, 502, 0, 0, LA_TIME_WAIT, LA_CLOSED},
		   {ORIG, A, 102, 702, 0, LA_R_LATE, LA_FIN_WAIT_2, LA_CLOSE_WAIT});
	assert_path(&t, ORIG,
		    "SYN_SENT ESTABLISHED ~FIN_WAIT_1 ~FIN_WAIT_2 ~TIME_WAIT !FIN_WAIT_2");
	assert_path(&t, RESP,
		    "~SYN_RECEIVED ~ESTABLISHED ~CLOSE_WAIT ~LAST_ACK ~CLOSED !CLOSE_WAIT");
	cr_assert_eq(t.flow.side[!t.orig].bytes, 701);
	assert_gapless(&t);
}

/* Half-closed for long: what the other side sends is acknowledged, and keeps the flow. */
Test(oneway, half_closed_with_data_for_long)
{
	talk_lines(&t, HEARD_ORIG, {ORIG, FA, 101, 501});
	for (__u32 i = 1; i <= 10; i++)
		talk_lines(&t, {WAIT, 100000}, {ORIG, A, 102, 501 + i * 100});
	cr_assert_eq(talk_count(&t, LA_REC_CLOSE), 0);
	talk_lines(&t, {ORIG, A, 102, 1502, 0, 0, LA_TIME_WAIT, LA_CLOSED});
	assert_closed(&t, "fin", "orig", "TIME_WAIT", "CLOSED");
	cr_assert_eq(talk_close(&t)->side[RESP].bytes, 1500);
}

/* Direct server return: the balancer sees the client only, here how it gives up. */
Test(oneway, reset_by_the_only_side_that_is_heard)
{
	talk_lines(&t, HEARD_ORIG, {ORIG, RA, 101, 501, 0, 0, LA_CLOSED, LA_CLOSED});
	assert_closed(&t, "reset", "orig", "CLOSED", "CLOSED");
	cr_assert_eq(talk_close(&t)->one_way, 1 + LA_ORIG);
	cr_assert_eq(talk_close(&t)->side[RESP].presumed, 1);
	cr_assert_eq(talk_close(&t)->side[ORIG].presumed, 0);
	cr_assert_eq(talk_close(&t)->rst_verdict, LA_RST_EXACT);
	assert_path(&t, RESP, "~SYN_RECEIVED ~ESTABLISHED ~CLOSED");
}

/* The other side resets, which passes elsewhere: all that is known is silence. */
Test(oneway, reset_by_the_side_that_is_not_heard)
{
	t.cfg.timeout[LA_TIMEOUT_ESTABLISHED] = 10 * LA_SEC_NS;
	talk_lines(&t, HEARD_RESP, {WAIT, 10001});
	assert_closed(&t, "timeout", "none", "ESTABLISHED", "ESTABLISHED");
	cr_assert_eq(talk_close(&t)->timeout_cause, LA_TIMEOUT_CAUSE_IDLE);
	cr_assert_eq(talk_close(&t)->one_way, 1 + LA_RESP);
}

/* It repeats itself until it gives up; without an ACK heard that is all the same to see. */
Test(oneway, the_side_that_is_heard_gives_up)
{
	talk_lines(&t, HEARD_RESP);
	for (int i = 0; i < 5; i++)
		talk_lines(&t, {WAIT, 1000 << i}, {RESP, PA, 1, 101, 500});
	talk_lines(&t, {WAIT, 301000});
	assert_closed(&t, "timeout", "none", "ESTABLISHED", "ESTABLISHED");
	cr_assert_eq(talk_close(&t)->timeout_cause, LA_TIMEOUT_CAUSE_DEAD_PEER);
	cr_assert_eq(talk_close(&t)->unanswered, 5);
}

/* A tap on one direction, midstream: news after so long prove that somebody answers. */
Test(oneway, an_upload_picked_up_in_its_middle)
{
	talk_lines(&t, {ORIG, PA, 1, 1, 1000});
	for (__u32 i = 1; i <= 20; i++)
		talk_lines(&t, {WAIT, 10000}, {ORIG, PA, 1 + i * 1000, 1, 1000});
	cr_assert_eq(talk_count(&t, LA_REC_CLOSE), 0);
	talk_lines(&t, {ORIG, FA, 21001, 1}, {WAIT, 121000});
	assert_closed(&t, "fin", "resp", "FIN_WAIT_1", "CLOSE_WAIT");
	cr_assert_eq(talk_close(&t)->one_way, 1 + LA_ORIG);
	cr_assert_eq(talk_close(&t)->side[ORIG].bytes, 21000);
}

/* Who repeats what he said is not answered, however long. */
Test(oneway, a_repetition_proves_nobody)
{
	talk_lines(&t, {ORIG, PA, 1, 1, 1000}, {WAIT, 4000}, {ORIG, PA, 1, 1, 1000}, {WAIT, 8000},
		   {ORIG, PA, 1, 1, 1500}, {WAIT, 120000});
	assert_closed(&t, "timeout", "none", "ESTABLISHED", "ESTABLISHED");
	cr_assert_eq(talk_close(&t)->one_way, 0);
}

/* The route changes: the other side is heard after all, and proves what was presumed. */
Test(oneway, the_other_side_comes_into_sight)
{
	talk_lines(&t, HEARD_ORIG, {RESP, PA, 501, 101, 50}, {ORIG, A, 101, 551},
		   {ORIG, FA, 101, 551}, {RESP, FA, 551, 102}, {ORIG, A, 102, 552});
	assert_closed(&t, "fin", "orig", "TIME_WAIT", "CLOSED");
	cr_assert_eq(talk_close(&t)->one_way, 0);
	assert_path(&t, ORIG, "SYN_SENT ESTABLISHED FIN_WAIT_1 ~FIN_WAIT_2 ~TIME_WAIT");
}

/* Zeek's words need no peer: who sent what, and nothing of the other. */
Test(oneway, in_zeeks_words)
{
	static const struct {
		struct line end[2];
		bool resp;
		const char *state, *history;
	} rows[] = {
		{{{ORIG, FA, 101, 501}, {ORIG, A, 102, 502}}, false, "SH", "SADF"},
		{{{ORIG, RA, 101, 501}}, false, "OTH", "SADR"},
		{{{RESP, FA, 501, 101}, {RESP, A, 502, 102}}, true, "SHR", "^hadf"},
		{{{RESP, RA, 501, 101}}, true, "RSTRH", "^hadr"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		init();
		if (rows[i].resp)
			talk_lines(&t, HEARD_RESP);
		else
			talk_lines(&t, HEARD_ORIG);
		talk_run(&t, rows[i].end, rows[i].end[1].flags ? 2 : 1, __LINE__);
		cr_assert_str_eq(la_conn_state_word(talk_close(&t)->conn_state), rows[i].state,
				 "row %zu: %s", i, la_conn_state_word(talk_close(&t)->conn_state));
		cr_assert(talk_close(&t)->history_len == strlen(rows[i].history) &&
				  !memcmp(talk_close(&t)->history, rows[i].history,
					  strlen(rows[i].history)),
			  "row %zu: %.24s", i, talk_close(&t)->history);
	}
}

/* One byte more is no FIN if its sender is heard: nothing of all that is presumed. */
Test(oneway, both_are_heard)
{
	talk_lines(&t, {ORIG, S}, {RESP, SA, 0, 1}, {ORIG, A, 1, 1}, {ORIG, FA, 1, 1},
		   {RESP, PA, 1, 2, 1, 0, LA_FIN_WAIT_2, LA_CLOSE_WAIT},
		   {ORIG, A, 2, 2, 0, 0, LA_FIN_WAIT_2, LA_CLOSE_WAIT}, {RESP, FA, 2, 2},
		   {ORIG, A, 2, 3});
	assert_closed(&t, "fin", "orig", "TIME_WAIT", "CLOSED");
	cr_assert_eq(talk_close(&t)->one_way, 0);
}

Test(oneway, an_unanswered_attempt_is_not_one_way)
{
	talk_lines(&t, {ORIG, S}, {WAIT, 121000});
	assert_closed(&t, "timeout", "none", "SYN_SENT", "LISTEN");
	cr_assert_eq(talk_close(&t)->one_way, 0);
}
