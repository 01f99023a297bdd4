/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * metric_groups.c - see metric_groups.h.
 */
#include "metric_groups.h"
#include <stdio.h>
#include <string.h>

/* What needs no escape wherever it is printed. */
#define NAME_BYTES "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."

/* Index of the group of that name, or where it would be. */
static unsigned int place_of(const struct la_metric_groups *groups, const char *name, size_t len)
{
	unsigned int i = 0;

	while (i < groups->count &&
	       (strncmp(groups->list[i].name, name, len) != 0 || groups->list[i].name[len] != '\0'))
		i++;
	return i;
}

int la_metric_groups_add(struct la_metric_groups *groups, const char *text, char *err,
			 size_t err_size)
{
	size_t len = strspn(text, NAME_BYTES);
	struct la_filter *filter;
	unsigned int at;

	if (!len || len >= LA_METRIC_GROUP_SIZE || text[len] != '=') {
		snprintf(err, err_size,
			 "%.40s (NAME=FILTER; a name is at most %d letters, digits, _ - .)", text,
			 LA_METRIC_GROUP_SIZE - 1);
		return -1;
	}
	at = place_of(groups, text, len);
	if (at == LA_METRIC_GROUPS_MAX) {
		snprintf(err, err_size, "there are more than %d", LA_METRIC_GROUPS_MAX);
		return -1;
	}
	filter = la_filter_parse(text + len + 1, err, err_size);
	if (!filter)
		return -1;
	la_filter_free(groups->list[at].filter);
	groups->list[at].filter = filter;
	memcpy(groups->list[at].name, text, len);
	groups->count += at == groups->count;
	return 0;
}

const char *la_metric_groups_of(const struct la_metric_groups *groups, const struct la_rec *rec)
{
	for (unsigned int i = 0; i < groups->count; i++)
		if (la_filter_match(groups->list[i].filter, rec))
			return groups->list[i].name;
	return "";
}

void la_metric_groups_ifnames(struct la_metric_groups *groups, la_filter_ifname_fn of, void *ctx)
{
	for (unsigned int i = 0; i < groups->count; i++)
		la_filter_ifnames(groups->list[i].filter, of, ctx);
}

void la_metric_groups_owners(struct la_metric_groups *groups, la_owners_fn of, void *ctx)
{
	for (unsigned int i = 0; i < groups->count; i++)
		la_filter_owners(groups->list[i].filter, of, ctx);
}

void la_metric_groups_free(struct la_metric_groups *groups)
{
	for (unsigned int i = 0; i < groups->count; i++)
		la_filter_free(groups->list[i].filter);
	groups->count = 0;
}
