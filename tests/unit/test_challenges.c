/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_challenges.c - which dropped RSTs are asked about, and how often that may be.
 */
#include "challenges.h"
#include <criterion/criterion.h>

#define START (1000 * LA_SEC_NS)

static struct la_challenges *fresh(void)
{
	static struct la_challenges c;

	c = (struct la_challenges){0};
	return &c;
}

Test(challenges, only_of_what_its_receiver_would_have_asked_about)
{
	static const struct {
		struct la_rec_rst rst;
		bool wanted;
	} cases[] = {
		{{.dropped = 1, .rule = LA_RULE_STRICT, .verdict = LA_RST_IN_WINDOW}, true},
		{{.dropped = 1, .rule = LA_RULE_STRICT, .verdict = LA_RST_EXACT}, true},
		{{.dropped = 1, .rule = LA_RULE_STRICT, .verdict = LA_RST_OUT_OF_WINDOW}, false},
		{{.dropped = 1, .rule = LA_RULE_LIMIT, .verdict = LA_RST_EXACT}, false},
		{{.dropped = 0, .rule = LA_RULE_STRICT, .verdict = LA_RST_IN_WINDOW}, false},
		{{.dropped = 0, .verdict = LA_RST_EXACT}, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct la_rec_rst rst = cases[i].rst;

		rst.h.type = LA_REC_RST;
		cr_expect_eq(la_challenges_wants(&rst.h), cases[i].wanted, "case %zu", i);
		rst.h.type = LA_REC_STATE;
		cr_expect_not(la_challenges_wants(&rst.h));
	}
}

Test(challenges, a_connection_has_a_turn_in_half_a_second)
{
	struct la_challenges *c = fresh();

	cr_expect(la_challenges_turn(c, 7, START));
	cr_expect_not(la_challenges_turn(c, 7, START + 1));
	cr_expect(la_challenges_turn(c, 8, START + 1), "another one's turn is its own");
	cr_expect_not(la_challenges_turn(c, 7, START + LA_CHALLENGE_EVERY_NS - 1));
	cr_expect(la_challenges_turn(c, 7, START + LA_CHALLENGE_EVERY_NS));
}

/* How many of many connections have a turn in one second. */
static unsigned int turns(struct la_challenges *c, __u64 second)
{
	unsigned int count = 0;

	for (__u64 id = 1; id <= 3 * LA_CHALLENGES_MAX; id++)
		count += la_challenges_turn(c, id, second * LA_SEC_NS + id);
	return count;
}

/* Ten seconds with the same number: that happens once in 500^9 times. */
Test(challenges, all_together_have_some_and_nobody_knows_how_many)
{
	struct la_challenges *c = fresh();
	unsigned int first = turns(c, 1000), others = 0;

	for (__u64 second = 1001; second < 1010; second++) {
		unsigned int count = turns(c, second);

		cr_expect(count >= LA_CHALLENGES_MAX / 2 && count < LA_CHALLENGES_MAX, "%u", count);
		others += count != first;
	}
	cr_expect_gt(others, 0);
}
