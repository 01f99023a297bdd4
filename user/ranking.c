/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ranking.c - a heap whose root is the first to go. See ranking.h.
 */
#include "ranking.h"
#include "la_flow.h"
#include "options.h"
#include <stdlib.h>
#include <string.h>

/* A flow and its rank: the larger, the better. Of equals the smaller id is better. */
struct ranked {
	__u64 value;
	struct la_rec_flow flow;
};

struct la_ranking {
	enum la_rank key;
	bool least;
	size_t limit, count;
	struct ranked *heap; /* the worst is the root */
};

/* ---- values ---- */

static __u64 age(const struct la_rec_flow *flow)
{
	return flow->at.duration_ns;
}

static __u64 idle(const struct la_rec_flow *flow)
{
	return la_elapsed(flow->at.heard_ns, flow->at.duration_ns);
}

static __u64 in_state(const struct la_rec_flow *flow)
{
	__u64 longest = 0;

	for (int i = 0; i < 2; i++) {
		const struct la_rec_side *side = &flow->at.side[i];
		__u64 spent = side->state < LA_STATE_MAX ? side->in_state[side->state] : 0;

		longest = spent > longest ? spent : longest;
	}
	return longest;
}

static __u64 bytes(const struct la_rec_flow *flow)
{
	return flow->at.side[LA_ORIG].bytes + flow->at.side[LA_RESP].bytes;
}

static __u64 packets(const struct la_rec_flow *flow)
{
	return flow->at.side[LA_ORIG].pkts + flow->at.side[LA_RESP].pkts;
}

static __u64 retrans(const struct la_rec_flow *flow)
{
	return (__u64)flow->at.side[LA_ORIG].retrans + flow->at.side[LA_RESP].retrans;
}

static __u64 timeout(const struct la_rec_flow *flow)
{
	return flow->left_ns;
}

__u64 la_rank_value(enum la_rank key, const struct la_rec_flow *flow)
{
	static __u64 (*const values[LA_RANK_MAX])(const struct la_rec_flow *) = {
		[LA_RANK_AGE] = age,	       [LA_RANK_IDLE] = idle,
		[LA_RANK_IN_STATE] = in_state, [LA_RANK_BYTES] = bytes,
		[LA_RANK_PACKETS] = packets,   [LA_RANK_RETRANS] = retrans,
		[LA_RANK_TIMEOUT] = timeout,
	};

	return values[key](flow);
}

const char *la_rank_word(enum la_rank key)
{
#define LA_ROW_RANK_WORD(s, w) w,
	static const char *const words[] = {"", LA_RANK_KEYS(LA_ROW_RANK_WORD)};

	return words[key];
}

bool la_rank_is_time(enum la_rank key)
{
	return key == LA_RANK_AGE || key == LA_RANK_IDLE || key == LA_RANK_IN_STATE ||
	       key == LA_RANK_TIMEOUT;
}

enum la_rank la_rank_find(const char *word)
{
	for (enum la_rank key = 1; key < LA_RANK_MAX; key++)
		if (la_word_equal(word, strlen(word), la_rank_word(key)))
			return key;
	return LA_NO_RANK;
}

/* ---- the heap ---- */

static bool is_worse(const struct ranked *a, const struct ranked *b)
{
	if (a->value != b->value)
		return a->value < b->value;
	return a->flow.at.h.id > b->flow.at.h.id;
}

static void swap(struct ranked *a, struct ranked *b)
{
	struct ranked kept = *a;

	*a = *b;
	*b = kept;
}

static void sift_up(struct ranked *heap, size_t i)
{
	for (; i && is_worse(&heap[i], &heap[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&heap[i], &heap[(i - 1) / 2]);
}

static void sift_down(struct ranked *heap, size_t count, size_t i)
{
	for (;;) {
		size_t worst = i, left = 2 * i + 1, right = left + 1;

		if (left < count && is_worse(&heap[left], &heap[worst]))
			worst = left;
		if (right < count && is_worse(&heap[right], &heap[worst]))
			worst = right;
		if (worst == i)
			return;
		swap(&heap[i], &heap[worst]);
		i = worst;
	}
}

struct la_ranking *la_ranking_new(enum la_rank key, bool least, size_t limit)
{
	struct la_ranking *ranking = calloc(1, sizeof(*ranking));

	if (!ranking)
		return NULL;
	ranking->key = key;
	ranking->least = least;
	ranking->limit = limit;
	ranking->heap = calloc(limit, sizeof(*ranking->heap));
	if (ranking->heap)
		return ranking;
	free(ranking);
	return NULL;
}

void la_ranking_add(struct la_ranking *ranking, const struct la_rec_flow *flow)
{
	__u64 value = la_rank_value(ranking->key, flow);
	struct ranked one = {.value = ranking->least ? ~value : value, .flow = *flow};

	if (ranking->count < ranking->limit) {
		ranking->heap[ranking->count] = one;
		sift_up(ranking->heap, ranking->count++);
	} else if (is_worse(&ranking->heap[0], &one)) {
		ranking->heap[0] = one;
		sift_down(ranking->heap, ranking->count, 0);
	}
}

static int best_first(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	return is_worse(x, y) - is_worse(y, x);
}

size_t la_ranking_sort(struct la_ranking *ranking)
{
	qsort(ranking->heap, ranking->count, sizeof(*ranking->heap), best_first);
	return ranking->count;
}

const struct la_rec_flow *la_ranking_get(const struct la_ranking *ranking, size_t i)
{
	return &ranking->heap[i].flow;
}

void la_ranking_free(struct la_ranking *ranking)
{
	if (!ranking)
		return;
	free(ranking->heap);
	free(ranking);
}
