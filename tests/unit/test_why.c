/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_why.c - what each question finds in conversations told by hand, and what it does not.
 */
#include "records.h"
#include "why.h"
#include <criterion/criterion.h>
#include <stdlib.h>

#define ALL (~0U)

static struct la_why *why;

static void begin(void)
{
	why = la_why_new(ALL);
}

static void end(void)
{
	la_why_free(why);
}

TestSuite(why, .init = begin, .fini = end);

/* Shows the close record of a story, from client port `port`. */
static void show(void (*story)(struct talk *), __u16 port)
{
	struct talk t;

	talk_begin(&t, "10.9.0.1", port, "10.9.0.2", 80);
	story(&t);
	for (unsigned int i = 0; i < t.n; i++)
		if (t.rec[i].h.type == LA_REC_CLOSE)
			la_why_take(why, &t.rec[i].h);
}

/* The same as a connection of the table: it has not ended yet. */
static void show_open(void (*story)(struct talk *), __u16 port)
{
	struct talk t;

	talk_begin(&t, "10.9.0.1", port, "10.9.0.2", 80);
	story(&t);
	for (unsigned int i = 0; i < t.n; i++) {
		if (t.rec[i].h.type != LA_REC_CLOSE)
			continue;
		t.rec[i].h.type = LA_REC_FLOW;
		la_why_take(why, &t.rec[i].h);
	}
}

static const struct la_finding *only(enum la_question_kind kind)
{
	cr_assert_eq(la_why_sort(why, kind), 1, "%s", la_why_word(kind));
	return la_why_get(why, kind, 0);
}

static void expect_nobody(enum la_question_kind kind)
{
	cr_expect_eq(la_why_sort(why, kind), 0, "%s finds somebody", la_why_word(kind));
}

Test(why, a_leak_is_found_with_its_server_and_its_time)
{
	const struct la_finding *leak;

	show(story_close_wait_stuck, 40000);
	show(story_close_wait_stuck, 40001);
	show(story_four_segments, 40002);
	leak = only(LA_WHY_CLOSE_WAIT);
	cr_expect_str_eq(leak->who, "server 10.9.0.2:80");
	cr_expect_eq(leak->connections, 2);
	cr_expect_geq(leak->longest, 3600 * S);
	cr_expect_eq(leak->id_count, 2);
	cr_expect_eq(leak->ids[0], 0x5eed000000000000ULL + 40000);
	expect_nobody(LA_WHY_RESETS);
	expect_nobody(LA_WHY_HANDSHAKES);
}

Test(why, a_sender_of_resets_is_found_with_verdict_and_stage)
{
	const struct la_finding *reset;

	show(story_reset, 40000);
	reset = only(LA_WHY_RESETS);
	cr_expect_str_eq(reset->who, "server 10.9.0.2:80");
	cr_expect_str_eq(reset->how, "exact, after more data");
	expect_nobody(LA_WHY_CLOSE_WAIT);
	expect_nobody(LA_WHY_HANDSHAKES);
}

/* It is both: a RST, and a handshake that was not completed. */
Test(why, who_refuses_is_found)
{
	show(story_refused, 40000);
	cr_expect_str_eq(only(LA_WHY_RESETS)->how, "refuses: nobody listens there");
	cr_expect_str_eq(only(LA_WHY_HANDSHAKES)->how, "refused");
}

/* One that has left the table holds nothing any more. */
Test(why, time_wait_is_held_in_the_table_only)
{
	show(story_four_segments, 40000);
	expect_nobody(LA_WHY_TIME_WAIT);
	show_open(story_four_segments, 40001);
	cr_expect_str_eq(only(LA_WHY_TIME_WAIT)->who, "client 10.9.0.1 of 10.9.0.2:80");
	cr_expect_str_eq(only(LA_WHY_TIME_WAIT)->how, "closes first");
}

static void story_silent_server(struct talk *t)
{
	struct la_rec_close *close;

	story_handshake(t);
	talk_after(t, 300 * S);
	talk_timer(t);
	close = talk_closes(t, LA_CLOSE_TIMEOUT, LA_BY_NONE, LA_CONN_S1, "ShA");
	close->timeout_state = LA_ESTABLISHED;
	close->unanswered = 6;
	close->unanswered_ns = 300 * S;
	close->silent = LA_RESP;
}

Test(why, who_falls_silent_is_found)
{
	show(story_silent_server, 40000);
	cr_expect_str_eq(only(LA_WHY_IDLE)->who, "server 10.9.0.2:80");
	cr_expect_eq(only(LA_WHY_IDLE)->longest, 300 * S);
}

static void owned(const struct la_rec *rec, struct la_owned own[2], void *ctx)
{
	(void)rec, (void)ctx;
	own[LA_ORIG] = (struct la_owned){.pid = 0};
	own[LA_RESP] = (struct la_owned){.pid = 7, .comm = "leaky"};
}

Test(why, a_finding_names_the_process_of_who_is_to_blame)
{
	la_why_owners(why, owned, NULL);
	show(story_close_wait_stuck, 40000);
	show_open(story_four_segments, 40001);
	cr_expect_eq(only(LA_WHY_CLOSE_WAIT)->pid, 7);
	cr_expect_str_eq(only(LA_WHY_CLOSE_WAIT)->comm, "leaky");
	cr_expect_eq(only(LA_WHY_TIME_WAIT)->pid, 0, "the client is not of this host");
}

/* Idle for `idle`, in seconds, then the client says something and the path answers with a RST. */
static __u64 idle;

static void story_forgotten(struct talk *t)
{
	story_reset(t);
	for (unsigned int i = 0; i < t->n; i++)
		if (t->rec[i].h.type == LA_REC_CLOSE)
			t->rec[i].close.silence_ns = idle * S;
}

/* Steps of the scale lie between 349 and 351 (see cluster_of()) or not: they are one cluster. */
Test(why, times_that_are_near_are_one_finding_and_tell_the_timeout)
{
	static const __u64 times[] = {352, 349, 350, 355, 30, 347};
	const struct la_finding *many;

	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
		idle = times[i];
		show(story_forgotten, (__u16)(40000 + i));
	}
	cr_assert_eq(la_why_sort(why, LA_WHY_IDLE), 2);
	many = la_why_get(why, LA_WHY_IDLE, 0);
	cr_expect_str_eq(many->who, "server 10.9.0.2:80");
	cr_expect_str_eq(many->how, "after a silence the client's words are answered by RST");
	cr_expect_eq(many->connections, 5);
	cr_expect(many->shortest == 347 * S && many->longest == 355 * S);
	cr_expect_eq(la_why_forgets_after(LA_WHY_IDLE, many), 347 * S);
	/* one is no pattern */
	cr_expect_eq(la_why_forgets_after(LA_WHY_IDLE, la_why_get(why, LA_WHY_IDLE, 1)), 0);
}

/* Whatever the first one was, and wherever the steps lie. */
Test(why, a_cluster_is_as_wide_as_a_quarter_everywhere)
{
	for (__u64 base = 100; base < 1000; base += 7) {
		la_why_free(why);
		why = la_why_new(ALL);
		for (__u64 i = 0; i < 3; i++) {
			idle = base + i * base / 20;
			show(story_forgotten, (__u16)(40000 + i));
		}
		cr_expect_eq(only(LA_WHY_IDLE)->connections, 3, "at %llu s",
			     (unsigned long long)base);
	}
}

/* The most connections come first; what differs in how is another finding. */
Test(why, findings_are_in_order)
{
	show(story_refused, 40000);
	show(story_reset, 40001);
	show(story_reset, 40002);
	cr_assert_eq(la_why_sort(why, LA_WHY_RESETS), 2);
	cr_expect_eq(la_why_get(why, LA_WHY_RESETS, 0)->connections, 2);
	cr_expect_eq(la_why_get(why, LA_WHY_RESETS, 1)->connections, 1);
}

Test(why, only_what_is_asked_is_answered)
{
	la_why_free(why);
	why = la_why_new(1U << la_why_find("close-wait"));
	show(story_reset, 40000);
	show(story_close_wait_stuck, 40001);
	expect_nobody(LA_WHY_RESETS);
	cr_expect_eq(only(LA_WHY_CLOSE_WAIT)->connections, 1);
	cr_expect_eq(la_why_find("close_wait"), LA_WHY_CLOSE_WAIT);
	cr_expect_eq(la_why_find("weather"), LA_NO_WHY);
}
