/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_breakdown.c - groups by name, and connections told apart by labels.
 */
#include "breakdown.h"
#include "records.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static struct la_rec_close close_at(__u16 port, __u32 ifindex, __u8 direction)
{
	struct talk t;
	struct la_rec_close rec = {.reason = LA_CLOSE_FIN, .closed_by = LA_BY_ORIG};

	talk_begin(&t, "10.0.0.1", 40000, "10.0.0.2", port);
	rec.h = t.h;
	rec.h.type = LA_REC_CLOSE;
	rec.h.ifindex = ifindex;
	rec.direction = direction;
	rec.duration_ns = 1 * S;
	return rec;
}

static const char *name_of(__u32 ifindex, void *ctx)
{
	(void)ctx;
	return ifindex == 1 ? "eth0" : ifindex == 2 ? "eth1" : NULL;
}

static void add(struct la_metric_groups *groups, const char *text)
{
	char err[LA_FILTER_ERR_SIZE];

	cr_assert_eq(la_metric_groups_add(groups, text, err, sizeof(err)), 0, "%s", err);
}

static const char *group_of(const struct la_metric_groups *groups, __u16 port)
{
	struct la_rec_close rec = close_at(port, 1, 0);

	return la_metric_groups_of(groups, &rec.h);
}

Test(breakdown, the_first_group_that_fits)
{
	struct la_metric_groups groups = {.count = 0};

	add(&groups, "web=port 443 or port 80");
	add(&groups, "db.1=port 5432");
	add(&groups, "rest=port > 100");
	cr_expect_str_eq(group_of(&groups, 443), "web");
	cr_expect_str_eq(group_of(&groups, 5432), "db.1");
	cr_expect_str_eq(group_of(&groups, 6000), "rest");
	add(&groups, "web=port 8443");
	cr_expect_eq(groups.count, 3);
	cr_expect_str_eq(group_of(&groups, 443), "rest", "a filter given again replaces");
	cr_expect_str_eq(group_of(&groups, 8443), "web");
	la_metric_groups_free(&groups);
	cr_expect_str_eq(group_of(&groups, 443), "");
}

Test(breakdown, what_is_no_group_is_refused)
{
	static const char *const bad[] = {"",	     "web",
					  "=tcp",    "we b=tcp",
					  "\"=tcp",  "a23456789012345678901234567890123=tcp",
					  "web=prot"};
	struct la_metric_groups groups = {.count = 0};
	char err[LA_FILTER_ERR_SIZE], text[32];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		*err = '\0';
		cr_expect_eq(la_metric_groups_add(&groups, bad[i], err, sizeof(err)), -1, "%s",
			     bad[i]);
		cr_expect(*err);
	}
	cr_expect_eq(groups.count, 0);
	for (int i = 0; i < LA_METRIC_GROUPS_MAX; i++) {
		snprintf(text, sizeof(text), "g%d=port %d", i, i + 1);
		add(&groups, text);
	}
	cr_expect_eq(la_metric_groups_add(&groups, "more=tcp", err, sizeof(err)), -1);
	add(&groups, "g7=tcp");
	la_metric_groups_free(&groups);
}

static struct la_breakdown *breakdown(unsigned int labels, unsigned int max)
{
	const struct la_breakdown_opts opts = {.labels = labels, .max = max, .ifname = name_of};
	struct la_breakdown *b = la_breakdown_new(&opts);

	cr_assert(b);
	return b;
}

static void ends(struct la_breakdown *b, __u16 port, __u32 ifindex, __u8 direction)
{
	struct la_rec_close rec = close_at(port, ifindex, direction);

	la_sink_record(la_breakdown_sink(b), &rec.h);
}

/* How many ended with these labels: -1 if there is no such set. */
static long long count(struct la_breakdown *b, const char *interface, __u8 direction,
		       const char *group)
{
	unsigned int n;
	__u64 overflow;
	struct la_label_set *sets = la_breakdown_copy(b, &n, &overflow);
	long long found = -1;

	for (unsigned int i = 0; i < n; i++) {
		const struct la_labels *l = &sets[i].labels;

		if (!strcmp(l->interface, interface) && l->direction == direction &&
		    !strcmp(l->group, group))
			found = (long long)sets[i].closed[LA_CLOSE_FIN][LA_BY_ORIG];
	}
	free(sets);
	return found;
}

Test(breakdown, by_what_was_asked_for)
{
	struct la_metric_groups groups = {.count = 0};
	struct la_breakdown *all =
		breakdown(LA_LABEL_INTERFACE | LA_LABEL_DIRECTION | LA_LABEL_GROUP, 10);
	struct la_breakdown *one = breakdown(LA_LABEL_DIRECTION, 10);

	add(&groups, "web=port 443");
	la_breakdown_groups(all, &groups);
	for (int i = 0; i < 3; i++) {
		ends(all, 443, 1, LA_FLOW_IN);
		ends(one, 443, 1, LA_FLOW_IN);
	}
	ends(all, 443, 2, LA_FLOW_IN);
	ends(all, 80, 2, LA_FLOW_OUT);
	ends(all, 80, 9, 0);
	ends(one, 80, 9, LA_FLOW_IN);
	cr_expect_eq(count(all, "eth0", LA_FLOW_IN, "web"), 3);
	cr_expect_eq(count(all, "eth1", LA_FLOW_IN, "web"), 1);
	cr_expect_eq(count(all, "eth1", LA_FLOW_OUT, ""), 1);
	cr_expect_eq(count(all, "", 0, ""), 1, "an interface without a name is no label");
	cr_expect_eq(count(one, "", LA_FLOW_IN, ""), 4);
	la_breakdown_free(all);
	la_breakdown_free(one);
	la_metric_groups_free(&groups);
}

/* Beyond the bound all are in the set without labels, and those that are there go on. */
Test(breakdown, is_bounded)
{
	struct la_breakdown *b = breakdown(LA_LABEL_INTERFACE | LA_LABEL_DIRECTION, 2);
	struct la_label_set *sets;
	unsigned int n;
	__u64 overflow;

	ends(b, 80, 1, LA_FLOW_IN);
	ends(b, 80, 1, LA_FLOW_OUT);
	ends(b, 80, 2, LA_FLOW_IN);
	ends(b, 80, 2, LA_FLOW_OUT);
	ends(b, 80, 1, LA_FLOW_OUT);
	cr_expect_eq(count(b, "eth0", LA_FLOW_OUT, ""), 2);
	cr_expect_eq(count(b, "eth1", LA_FLOW_IN, ""), -1);
	cr_expect_eq(count(b, "", 0, ""), 2);
	sets = la_breakdown_copy(b, &n, &overflow);
	cr_expect_eq(n, 3);
	cr_expect_eq(overflow, 2);
	cr_expect_eq(sets[0].duration.sum, 2 * S);
	free(sets);
	la_breakdown_free(b);
}
