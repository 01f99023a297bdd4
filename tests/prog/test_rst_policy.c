/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_rst_policy.c - RSTs that do not pass, at the real programs: what they return, what is
 * counted and told, at which hook, and what becomes of a source that guesses.
 * Which RSTs those are is tested natively: tests/unit/test_rst_policy.c.
 */
#include "duo.h"

static void begin(__u8 policy, __u32 limit)
{
	duo_begin((struct la_engine_opts){.config = {.rst_policy = policy, .rst_limit = limit},
					  .ring_bytes = 4 << 20});
	duo_establish();
}

TestSuite(rst_policy, .fini = duo_end, .timeout = 120);

#define GUESS 5000 /* in the window of both */

Test(rst_policy, observe_lets_all_pass)
{
	begin(0, 0);
	cr_expect_eq(CLIENT(LA_RST, GUESS, 0, 0), XDP_PASS);
	cr_expect_eq(SERVER(LA_RST, GUESS, 0, 0), TC_ACT_UNSPEC);
	cr_expect_eq(duo.story.rsts, 2);
	cr_expect_eq(duo.story.rst.rule, 0);
}

Test(rst_policy, a_dry_run_lets_all_pass_and_tells)
{
	begin(LA_RST_POLICY_DRY_RUN, 0);
	cr_expect_eq(CLIENT(LA_RST, GUESS, 0, 0), XDP_PASS);
	cr_expect_eq(duo.story.rst.rule, LA_RULE_STRICT);
	cr_expect_eq(duo.story.dropped, 0);
	cr_expect_eq(duo_counted(LA_HOOK_XDP, LA_R_RST_DROPPED), 0);
}

Test(rst_policy, strict_drops_at_every_hook)
{
	begin(LA_RST_POLICY_STRICT, 0);
	cr_expect_eq(CLIENT(LA_RST, GUESS, 0, 0), XDP_DROP);
	cr_expect_eq(SERVER(LA_RST, GUESS, 0, 0), TC_ACT_SHOT);
	cr_expect_eq(duo_say(false, LA_GATE_TC_INGRESS, LA_RST, GUESS + 1, 0, 0), TC_ACT_SHOT);
	cr_expect_eq(duo.story.dropped, 3);
	cr_expect_eq(duo_counted(LA_HOOK_XDP, LA_R_RST_DROPPED), 1);
	cr_expect_eq(duo_counted(LA_HOOK_TC_INGRESS, LA_R_RST_DROPPED), 1);
	cr_expect_eq(duo_counted(LA_HOOK_TC_EGRESS, LA_R_RST_DROPPED), 1);
	cr_expect_eq(CLIENT(LA_RST, 11, 0, 0), XDP_PASS, "the number that is expected");
	cr_expect_eq(duo.story.close.reason, LA_CLOSE_RESET);
}

/* The client's segments pass XDP and then tc egress: XDP is their owner, and stays it. */
Test(rst_policy, a_dropped_rst_does_not_make_its_hook_the_owner)
{
	begin(LA_RST_POLICY_STRICT, 0);
	cr_expect_eq(duo_say(false, LA_GATE_TC_EGRESS, LA_RST, GUESS, 0, 0), TC_ACT_SHOT);
	CLIENT(LA_ACK, 11, 101, 0);
	duo_say(false, LA_GATE_TC_EGRESS, LA_ACK, 11, 101, 0);
	cr_expect_eq(duo_counted(LA_HOOK_TC_EGRESS, LA_R_OTHER_HOOK), 1);
}

/* What was judged and passed at the first hook is not judged again at the second. */
Test(rst_policy, who_owns_the_direction_decides)
{
	begin(LA_RST_POLICY_STRICT, 0);
	cr_expect_eq(CLIENT(LA_RST | LA_ACK, GUESS, 101, 0), XDP_PASS, "it vouches for itself");
	cr_expect_eq(duo_say(false, LA_GATE_TC_EGRESS, LA_RST | LA_ACK, GUESS, 101, 0),
		     TC_ACT_UNSPEC);
	cr_expect_eq(duo.story.rsts, 1);
	cr_expect_eq(duo_counted(LA_HOOK_TC_EGRESS, LA_R_OTHER_HOOK), 1);
}

Test(rst_policy, what_belongs_to_no_connection_passes)
{
	duo_begin((struct la_engine_opts){.config = {.rst_policy = LA_RST_POLICY_STRICT}});
	cr_expect_eq(CLIENT(LA_RST, GUESS, 0, 0), XDP_PASS);
	cr_expect_eq(duo_counted(LA_HOOK_XDP, LA_R_NO_FLOW), 1);
	cr_expect_eq(duo.story.rsts, 0);
}

/*
 * A million guesses, at every number of the window and far beyond. One hits; all others are
 * dropped, told or counted as not told, and change nothing.
 */
Test(rst_policy, a_million_guesses)
{
	const __u32 guesses = 1000000, from = 12, hit = 11;
	struct la_frame f = duo_frame(false, LA_RST, from, 0, 0);
	__u64 lost;

	begin(LA_RST_POLICY_STRICT, 0);
	for (__u32 i = 0; i < guesses; i++) {
		la_put32(f.bytes + f.l4 + 4, 1000 + from + i);
		cr_assert_eq(la_engine_packet(duo.engine, LA_GATE_XDP, f.bytes, f.len, duo.now),
			     XDP_DROP, "guess %u passed", i);
		if (i % 1000 == 0)
			la_engine_drain(duo.engine);
	}
	la_engine_drain(duo.engine);
	lost = la_engine_counters(duo.engine).lost[LA_LOST_STATE];
	cr_expect_eq(duo_counted(LA_HOOK_XDP, LA_R_RST_DROPPED), guesses);
	cr_expect_eq(duo.story.dropped + lost, guesses);
	cr_expect_eq(duo.story.closes, 0);
	cr_expect_eq(CLIENT(LA_ACK | LA_PSH, 11, 101, 10), XDP_PASS);
	cr_expect_eq(CLIENT(LA_RST, hit + 10, 0, 0), XDP_PASS);
	cr_expect_eq(duo.story.closes, 1);
}

/* ---- protection ---- */

#define ANY_PORT .high = 65535
#define V4(...)                                                                                    \
	{                                                                                          \
		[10] = 0xff, [11] = 0xff, __VA_ARGS__                                              \
	}

/* The client is 10.0.0.1 port 40000, the server 10.0.0.2 port 80. */
static const struct guard_case {
	const char *name;
	struct la_guard guard;
	bool guards;
} guard_cases[] = {
	{"the server's port", {.low = 80, .high = 80}, true},
	{"the client's port, of a range", {.low = 39999, .high = 40001}, true},
	{"another port", {.low = 81, .high = 39999}, false},
	{"the client", {V4(10, 0, 0, 1), V4([12 ... 15] = 0xff), ANY_PORT}, true},
	{"the server's net", {V4(10), V4(0xff), ANY_PORT}, true},
	{"another host", {V4(10, 0, 0, 3), V4([12 ... 15] = 0xff), ANY_PORT}, false},
	{"an IPv6 net", {{0xfd}, {0xff}, ANY_PORT}, false},
	{"a port of another host", {V4(10, 0, 0, 1), V4([12 ... 15] = 0xff), 80, 80}, false},
};

/* The last of a full list: all of it is asked. */
static struct la_guards guards_of(const struct la_guard *guard)
{
	struct la_guards guards = {.count = LA_GUARDS_MAX};

	for (unsigned int i = 0; i < LA_GUARDS_MAX - 1; i++)
		guards.of[i] = (struct la_guard){.low = 1, .high = 1};
	guards.of[LA_GUARDS_MAX - 1] = *guard;
	return guards;
}

Test(rst_policy, what_is_guarded_is_not_judged)
{
	for (size_t i = 0; i < sizeof(guard_cases) / sizeof(*guard_cases); i++) {
		const struct guard_case *c = &guard_cases[i];

		duo_begin((struct la_engine_opts){.config = {.rst_policy = LA_RST_POLICY_STRICT},
						  .guards = guards_of(&c->guard)});
		duo_establish();
		cr_expect_eq(CLIENT(LA_RST, GUESS, 0, 0), c->guards ? XDP_PASS : XDP_DROP, "%s",
			     c->name);
		cr_expect_eq(duo.story.rst.rule, c->guards ? 0 : LA_RULE_STRICT, "%s", c->name);
		duo_end();
	}
	begin(LA_RST_POLICY_STRICT, 0);
}

Test(rst_policy, a_mark_guards_one_connection)
{
	struct la_asked asked;
	struct la_flow f;

	begin(LA_RST_POLICY_STRICT, 20);
	asked = duo.story.who;
	asked.act = LA_ACT_POLICY;
	asked.arg = LA_P_GUARDED;
	cr_assert_eq(la_engine_act(duo.engine, &asked, &f), 0);
	for (unsigned int i = 0; i < 50; i++)
		cr_assert_eq(CLIENT(LA_RST, GUESS + i, 0, 0), XDP_PASS, "guess %u", i);
	cr_expect_eq(duo.story.dropped, 0);
	asked.arg = 0;
	cr_assert_eq(la_engine_act(duo.engine, &asked, &f), 0);
	cr_expect_eq(CLIENT(LA_RST, GUESS, 0, 0), XDP_DROP);
}

/* ---- the limit ---- */

static void guess(unsigned int times)
{
	for (unsigned int i = 0; i < times; i++)
		cr_assert_eq(CLIENT(LA_RST, GUESS + i, 0, 0), XDP_DROP);
}

Test(rst_policy, who_guesses_too_often_does_not_hit)
{
	begin(LA_RST_POLICY_STRICT, 20);
	guess(50);
	cr_expect_eq(CLIENT(LA_RST, 11, 0, 0), XDP_DROP);
	cr_expect_eq(duo.story.rst.rule, LA_RULE_LIMIT);
	cr_expect_eq(duo.story.rst.verdict, LA_RST_EXACT);
	cr_expect_eq(SERVER(LA_ACK, 101, 11, 0), TC_ACT_UNSPEC, "only RSTs are held back");
	cr_expect_eq(duo.story.closes, 0);
}

Test(rst_policy, a_second_without_guesses_is_enough)
{
	begin(LA_RST_POLICY_STRICT, 20);
	guess(500);
	duo.now += LA_SEC_NS;
	cr_expect_eq(CLIENT(LA_RST, 11, 0, 0), XDP_PASS);
	cr_expect_eq(duo.story.closes, 1);
}

Test(rst_policy, a_few_misses_are_no_guessing)
{
	begin(LA_RST_POLICY_STRICT, 20);
	guess(15);
	cr_expect_eq(CLIENT(LA_RST, 11, 0, 0), XDP_PASS);
}

Test(rst_policy, the_limit_is_one_for_each_source)
{
	begin(LA_RST_POLICY_STRICT, 20);
	guess(50);
	cr_expect_eq(SERVER(LA_RST, 101, 0, 0), TC_ACT_UNSPEC);
	cr_expect_eq(duo.story.close.rst_sender, LA_RESP);
}
