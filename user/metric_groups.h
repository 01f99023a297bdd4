/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * metric_groups.h - names for connections of one kind, for the label `group` of metrics.
 *
 * A group is a name and a filter. They are asked in their order; a connection is in the first
 * one whose filter is true of it, or in none.
 */
#ifndef LA_USER_METRIC_GROUPS_H
#define LA_USER_METRIC_GROUPS_H

#include "filter.h"

#define LA_METRIC_GROUPS_MAX 64
#define LA_METRIC_GROUP_SIZE 32

struct la_metric_groups {
	struct {
		char name[LA_METRIC_GROUP_SIZE];
		struct la_filter *filter;
	} list[LA_METRIC_GROUPS_MAX];
	unsigned int count;
};

/*
 * Adds a group behind the others, from `NAME=FILTER`; one of that name gets the filter instead.
 * Returns 0, or -1 with the reason in err, which should have room for LA_FILTER_ERR_SIZE.
 */
int la_metric_groups_add(struct la_metric_groups *groups, const char *text, char *err,
			 size_t err_size);

/* The name of the group that a connection is in, of which this is a record; "": in none. */
const char *la_metric_groups_of(const struct la_metric_groups *groups, const struct la_rec *rec);

/* Says how the filters find names of interfaces, and owners, see filter.h. */
void la_metric_groups_ifnames(struct la_metric_groups *groups, la_filter_ifname_fn of, void *ctx);
void la_metric_groups_owners(struct la_metric_groups *groups, la_owners_fn of, void *ctx);

/* Frees the filters. */
void la_metric_groups_free(struct la_metric_groups *groups);

#endif
