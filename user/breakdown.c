/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * breakdown.c - a list of sets, searched from the front. See breakdown.h.
 */
#include "breakdown.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct la_breakdown {
	struct la_sink sink; /* first */
	struct la_breakdown_opts opts;
	const struct la_metric_groups *groups; /* or NULL */
	pthread_mutex_t lock;		       /* of what follows */
	unsigned int count;
	__u64 overflow;
	struct la_label_set sets[]; /* the first one without labels */
};

static struct la_labels labels_of(const struct la_breakdown *b, const struct la_rec_close *rec)
{
	struct la_labels labels = {.interface = ""};
	const char *name = NULL;

	if (b->opts.labels & LA_LABEL_INTERFACE)
		name = b->opts.ifname(rec->h.ifindex, b->opts.ifname_ctx);
	if (name)
		strncpy(labels.interface, name, sizeof(labels.interface) - 1);
	if (b->opts.labels & LA_LABEL_DIRECTION)
		labels.direction = rec->direction;
	if (b->opts.labels & LA_LABEL_GROUP && b->groups)
		strcpy(labels.group, la_metric_groups_of(b->groups, &rec->h));
	return labels;
}

/* With the lock. */
static struct la_label_set *set_of(struct la_breakdown *b, const struct la_labels *labels)
{
	unsigned int i = 0;

	while (i < b->count && memcmp(&b->sets[i].labels, labels, sizeof(*labels)) != 0)
		i++;
	if (i > b->opts.max) {
		b->overflow++;
		return &b->sets[0];
	}
	if (i == b->count)
		b->sets[b->count++].labels = *labels;
	return &b->sets[i];
}

static void take_record(struct la_sink *sink, const struct la_rec *rec)
{
	const struct la_rec_close *close = (const struct la_rec_close *)rec;
	struct la_breakdown *b = (struct la_breakdown *)sink;
	struct la_label_set *set;
	struct la_labels labels;

	if (rec->type != LA_REC_CLOSE)
		return;
	labels = labels_of(b, close);
	pthread_mutex_lock(&b->lock);
	set = set_of(b, &labels);
	set->closed[close->reason % LA_METRIC_REASONS][close->closed_by % LA_METRIC_CLOSERS]++;
	la_observe(&set->duration, close->duration_ns);
	pthread_mutex_unlock(&b->lock);
}

struct la_breakdown *la_breakdown_new(const struct la_breakdown_opts *opts)
{
	struct la_breakdown *b =
		calloc(1, sizeof(*b) + (opts->max + 1) * sizeof(struct la_label_set));

	if (!b)
		return NULL;
	b->sink.record = take_record;
	b->opts = *opts;
	b->count = 1;
	pthread_mutex_init(&b->lock, NULL);
	return b;
}

void la_breakdown_groups(struct la_breakdown *b, const struct la_metric_groups *groups)
{
	b->groups = groups;
}

struct la_sink *la_breakdown_sink(struct la_breakdown *b)
{
	return &b->sink;
}

struct la_label_set *la_breakdown_copy(struct la_breakdown *b, unsigned int *count, __u64 *overflow)
{
	struct la_label_set *copy;

	pthread_mutex_lock(&b->lock);
	*count = b->count;
	*overflow = b->overflow;
	copy = malloc(b->count * sizeof(*copy));
	if (copy)
		memcpy(copy, b->sets, b->count * sizeof(*copy));
	pthread_mutex_unlock(&b->lock);
	return copy;
}

void la_breakdown_free(struct la_breakdown *b)
{
	if (!b)
		return;
	pthread_mutex_destroy(&b->lock);
	free(b);
}
