/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * grouping.c - a hash table by name. See grouping.h.
 */
#include "grouping.h"
#include "options.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>

/* Out of memory must not end the process: a group that finds no room is one of the others. */
#define HASH_NONFATAL_OOM	   1
#define uthash_nonfatal_oom(entry) ((void)(entry))
#include <uthash.h>

struct group {
	struct la_grouped sum; /* first */
	UT_hash_handle hh;
};

struct la_grouping {
	enum la_group by;
	struct group *groups;
	struct group rest;
	struct la_grouped *sorted;
};

static const char *const words[LA_GROUP_MAX] = {
	[LA_BY_STATE] = "state",
	[LA_BY_HOST] = "host",
	[LA_BY_PORT] = "port",
	[LA_BY_CLOSER] = "closed-by",
};

enum la_group la_group_find(const char *word)
{
	for (enum la_group by = 1; by < LA_GROUP_MAX; by++)
		if (la_word_equal(word, strlen(word), words[by]))
			return by;
	return 0;
}

const char *la_group_word(enum la_group by)
{
	return words[by];
}

struct la_grouping *la_grouping_new(enum la_group by)
{
	struct la_grouping *grouping = calloc(1, sizeof(*grouping));

	if (!grouping)
		return NULL;
	grouping->by = by;
	strcpy(grouping->rest.sum.name, LA_GROUPS_REST);
	return grouping;
}

/* ---- names ---- */

/* The name of a flow's group into a zeroed buffer; i counts the groups that it is in. */
static bool name_of(enum la_group by, const struct la_rec_flow *flow, unsigned int i, char *name,
		    size_t size)
{
	const struct la_rec *h = &flow->at.h;

	switch (by) {
	case LA_BY_STATE:
		snprintf(name, size, "%s %s", la_state_word(flow->at.side[LA_ORIG].state),
			 la_state_word(flow->at.side[LA_RESP].state));
		return i < 1;
	case LA_BY_HOST:
		if (i >= 2 || (i == 1 && !memcmp(h->key.addr[0], h->key.addr[1], 16)))
			return false;
		la_text_addr(name, h->key.addr[i]);
		return true;
	case LA_BY_PORT:
		snprintf(name, size, "%u", la_ntoh16(h->key.port[la_text_index(h, LA_RESP)]));
		return i < 1;
	case LA_BY_CLOSER:
		snprintf(name, size, "%s",
			 flow->at.closed_by ? la_closer_word(flow->at.closed_by) : "nobody yet");
		return i < 1;
	default:
		return false;
	}
}

/* ---- adding ---- */

static struct group *find_or_make(struct la_grouping *grouping, const char name[])
{
	struct group *group;

	HASH_FIND_STR(grouping->groups, name, group);
	if (group || HASH_COUNT(grouping->groups) >= LA_GROUPS_MAX)
		return group ? group : &grouping->rest;
	group = calloc(1, sizeof(*group));
	if (!group)
		return &grouping->rest;
	strcpy(group->sum.name, name);
	HASH_ADD_STR(grouping->groups, sum.name, group);
	if (group->hh.tbl)
		return group;
	free(group);
	return &grouping->rest;
}

static bool is_half_closed(const struct la_rec_flow *flow)
{
	return flow->at.closed_by && !flow->at.reason;
}

static void count(struct la_grouped *sum, const struct la_rec_flow *flow)
{
	const struct la_rec_side *orig = &flow->at.side[LA_ORIG], *resp = &flow->at.side[LA_RESP];

	sum->flows++;
	sum->half_closed += is_half_closed(flow);
	sum->bytes += orig->bytes + resp->bytes;
	sum->packets += orig->pkts + resp->pkts;
	sum->retrans += (__u64)orig->retrans + resp->retrans;
}

void la_grouping_add(struct la_grouping *grouping, const struct la_rec_flow *flow)
{
	char name[sizeof(grouping->rest.sum.name)] = "";

	for (unsigned int i = 0; name_of(grouping->by, flow, i, name, sizeof(name)); i++)
		count(&find_or_make(grouping, name)->sum, flow);
}

/* ---- the result ---- */

static int most_first(const void *a, const void *b)
{
	const struct la_grouped *x = a, *y = b;

	if (x->flows != y->flows)
		return x->flows < y->flows ? 1 : -1;
	return strcmp(x->name, y->name);
}

size_t la_grouping_sort(struct la_grouping *grouping)
{
	struct group *group, *next;
	size_t n = 0;

	free(grouping->sorted);
	grouping->sorted = calloc(HASH_COUNT(grouping->groups) + 1, sizeof(*grouping->sorted));
	if (!grouping->sorted)
		return 0;
	HASH_ITER (hh, grouping->groups, group, next)
		grouping->sorted[n++] = group->sum;
	qsort(grouping->sorted, n, sizeof(*grouping->sorted), most_first);
	if (grouping->rest.sum.flows)
		grouping->sorted[n++] = grouping->rest.sum;
	return n;
}

const struct la_grouped *la_grouping_get(const struct la_grouping *grouping, size_t i)
{
	return &grouping->sorted[i];
}

void la_grouping_free(struct la_grouping *grouping)
{
	struct group *group, *next;

	if (!grouping)
		return;
	HASH_ITER (hh, grouping->groups, group, next) {
		HASH_DEL(grouping->groups, group);
		free(group);
	}
	free(grouping->sorted);
	free(grouping);
}
