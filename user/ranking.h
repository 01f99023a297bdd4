/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ranking.h - the few largest of many flows, in memory for the few.
 *
 * For the verbs that sort: list, top.
 */
#ifndef LA_USER_RANKING_H
#define LA_USER_RANKING_H

#include "la_abi.h"

/* By what flows are sorted. */
#define LA_RANK_KEYS(X)                                                                            \
	X(AGE, "age")                                                                              \
	X(IDLE, "idle")                                                                            \
	X(IN_STATE, "in-state")                                                                    \
	X(BYTES, "bytes")                                                                          \
	X(PACKETS, "packets")                                                                      \
	X(RETRANS, "retrans")                                                                      \
	X(TIMEOUT, "timeout")

#define LA_ROW_RANK(s, w) LA_RANK_##s,
enum la_rank { LA_NO_RANK = 0, LA_RANK_KEYS(LA_ROW_RANK) LA_RANK_MAX };

struct la_ranking;

/*
 * Keeps the `limit` flows with the largest values of `key`, or with `least` the smallest. NULL
 * without memory.
 */
struct la_ranking *la_ranking_new(enum la_rank key, bool least, size_t limit);

/* A key by its word. 0: there is none of that word. */
enum la_rank la_rank_find(const char *word);

/* The word of a key; is it a time, ns, or else a number? */
const char *la_rank_word(enum la_rank key);
bool la_rank_is_time(enum la_rank key);

/* What a flow is sorted by: ns, bytes or a number. in-state: of the endpoint that is longer in its.
 */
__u64 la_rank_value(enum la_rank key, const struct la_rec_flow *flow);

void la_ranking_add(struct la_ranking *ranking, const struct la_rec_flow *flow);

/* Puts those that were kept in order. Returns how many there are. */
size_t la_ranking_sort(struct la_ranking *ranking);

/* Number i of them, after sorting. */
const struct la_rec_flow *la_ranking_get(const struct la_ranking *ranking, size_t i);

/* NULL is allowed. */
void la_ranking_free(struct la_ranking *ranking);

#endif
