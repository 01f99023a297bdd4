/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * metrics.h - what lastack counts, as a monitoring system reads it.
 *
 * Two forms of one list: the text format of Prometheus, and OpenMetrics 1.0. docs/metrics.md
 * says what each means and which question it answers; a test holds that page against this.
 */
#ifndef LA_USER_METRICS_H
#define LA_USER_METRICS_H

#include "breakdown.h"
#include "enforce.h"
#include "la_metrics.h"
#include <stdio.h>

enum la_metrics_form {
	LA_METRICS_PROMETHEUS, /* text/plain; version=0.0.4 */
	LA_METRICS_OPENMETRICS,
};

/* All that there is to tell, at one moment. */
struct la_metrics_view {
	struct la_metrics flows;     /* added up over all CPUs */
	struct la_counters counters; /* likewise */
	const struct la_label_set
		*sets; /* connections that ended, told apart; NULL: they are not */
	unsigned int set_count;
	__u64 set_overflow; /* connections that found no room in a set of their own */
	__u64 max_flows;
	struct la_policy_count policies[LA_ENFORCE_COUNTS_MAX]; /* what they have done */
	unsigned int policy_count;				/* rows of it */
	__u64 clients;						/* that follow /api/events now */
	__u64 clients_dropped; /* events that they were too slow for, ever */
};

/* The media type of a form, for Content-Type. */
const char *la_metrics_type(enum la_metrics_form form);

/* Prints all metrics, and those of this process. */
void la_metrics_print(FILE *to, const struct la_metrics_view *view, enum la_metrics_form form);

#endif
