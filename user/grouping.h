/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * grouping.h - flows counted by what they have in common.
 */
#ifndef LA_USER_GROUPING_H
#define LA_USER_GROUPING_H

#include "la_abi.h"

/* What flows have in common. */
enum la_group { LA_BY_STATE = 1, LA_BY_HOST, LA_BY_PORT, LA_BY_CLOSER, LA_GROUP_MAX };

/* Groups that are told apart; what goes beyond is one more. */
#define LA_GROUPS_MAX 65536

struct la_grouped {
	char name[64]; /* of what they have in common; LA_GROUPS_REST: of all that found no room */
	__u64 flows;
	__u64 half_closed; /* of them: one side has closed, the other one has not */
	__u64 bytes, packets, retrans;
};

#define LA_GROUPS_REST "(others)"

struct la_grouping;

/* NULL without memory. */
struct la_grouping *la_grouping_new(enum la_group by);

/* state, host, port or closed-by; 0: none of them. */
enum la_group la_group_find(const char *word);
const char *la_group_word(enum la_group by);

/* A flow counts once, under `state` (both endpoints' states) and `host` at each of its two. */
void la_grouping_add(struct la_grouping *grouping, const struct la_rec_flow *flow);

/* Puts them in order, the most flows first. Returns how many groups there are. */
size_t la_grouping_sort(struct la_grouping *grouping);

/* Number i of them, after sorting. */
const struct la_grouped *la_grouping_get(const struct la_grouping *grouping, size_t i);

/* NULL is allowed. */
void la_grouping_free(struct la_grouping *grouping);

#endif
