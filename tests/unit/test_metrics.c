/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_metrics.c - the metrics in both forms, as a scraper would read them.
 */
#include "metrics.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static char *print(const struct la_metrics_view *view, enum la_metrics_form form)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	la_metrics_print(to, view, form);
	fclose(to);
	return text;
}

static void has(const char *text, const char *line)
{
	cr_expect(strstr(text, line), "missing: %s", line);
}

static struct la_metrics_view *sample(void)
{
	struct la_metrics_view *view = calloc(1, sizeof(*view));

	view->max_flows = 1000;
	view->flows.connections[LA_ORIG][LA_ESTABLISHED] = 3;
	view->flows.connections[LA_ORIG][LA_TIME_WAIT] = 2;
	view->flows.transitions[LA_RESP][LA_LISTEN][LA_SYN_RECEIVED] = 7;
	view->flows.closed[LA_CLOSE_FIN][LA_BY_RESP] = 4;
	view->flows.closed[LA_CLOSE_TIMEOUT][LA_BY_BOTH] = 1;
	view->flows.rst[LA_ORIG][LA_RST_IN_WINDOW] = 5;
	la_observe(&view->flows.duration, 100000);
	la_observe(&view->flows.duration, 1 * LA_SEC_NS);
	la_observe(&view->flows.duration, 7200 * LA_SEC_NS);
	view->counters.opened = 9;
	view->counters.packets[LA_HOOK_XDP][LA_R_ACCEPTED] = 100;
	view->counters.packets[LA_HOOK_XDP][LA_R_PAWS] = 11;
	view->counters.packets[LA_HOOK_TC_EGRESS][LA_R_PAWS] = 1;
	view->counters.lost[LA_LOST_STATE] = 6;
	view->policies[0] = (struct la_policy_count){.policy = "leak",
						     .action = LA_ACTION_RESET,
						     .results[LA_RESULT_DONE] = 8,
						     .braked = 3};
	view->policy_count = 1;
	return view;
}

Test(metrics, as_prometheus_reads_them)
{
	struct la_metrics_view *view = sample();
	char *text = print(view, LA_METRICS_PROMETHEUS);

	has(text, "# TYPE lastack_connections gauge\n");
	has(text, "lastack_connections{endpoint=\"orig\",state=\"ESTABLISHED\"} 3\n");
	has(text, "\nlastack_flow_entries 5\n");
	has(text, "lastack_flow_entries_limit 1000\n");
	has(text, "# TYPE lastack_connections_opened_total counter\n"
		  "lastack_connections_opened_total 9\n");
	has(text, "lastack_state_transitions_total{endpoint=\"resp\",from=\"LISTEN\","
		  "to=\"SYN_RECEIVED\"} 7\n");
	has(text, "lastack_connections_closed_total{reason=\"fin\",closed_by=\"resp\"} 4\n");
	has(text, "lastack_connections_closed_total{reason=\"fin\",closed_by=\"orig\"} 0\n");
	has(text, "lastack_connections_closed_total{reason=\"timeout\",closed_by=\"both\"} 1\n");
	has(text, "lastack_rst_total{sender=\"orig\",verdict=\"in_window\"} 5\n");
	has(text, "lastack_packets_total{hook=\"xdp\",verdict=\"accept\"} 100\n");
	has(text, "lastack_packets_total{hook=\"xdp\",verdict=\"ignore\"} 11\n");
	has(text, "lastack_packets_ignored_total{reason=\"paws\"} 12\n");
	has(text, "lastack_events_lost_total{source=\"state\"} 6\n");
	has(text, "lastack_policy_actions_total{policy=\"leak\",action=\"reset\",result=\"done\"} "
		  "8\n");
	has(text, "lastack_policy_held_total{policy=\"leak\",action=\"reset\",by=\"brake\"} 3\n");
	cr_expect_null(strstr(text, "# EOF"));
	cr_expect_null(strstr(text, "reason=\"accepted\""));
	free(text);
	free(view);
}

/* Buckets are cumulative, bounds are floats, and what is beyond the last is in +Inf alone. */
Test(metrics, a_histogram)
{
	struct la_metrics_view *view = sample();
	char *text = print(view, LA_METRICS_PROMETHEUS);

	has(text, "lastack_connection_duration_seconds_bucket{le=\"0.0001\"} 1\n");
	has(text, "lastack_connection_duration_seconds_bucket{le=\"0.5\"} 1\n");
	has(text, "lastack_connection_duration_seconds_bucket{le=\"1.0\"} 2\n");
	has(text, "lastack_connection_duration_seconds_bucket{le=\"3600.0\"} 2\n");
	has(text, "lastack_connection_duration_seconds_bucket{le=\"+Inf\"} 3\n");
	has(text, "lastack_connection_duration_seconds_sum 7201.000");
	has(text, "lastack_connection_duration_seconds_count 3\n");
	free(text);
	free(view);
}

Test(metrics, as_openmetrics_wants_them)
{
	struct la_metrics_view *view = sample();
	char *text = print(view, LA_METRICS_OPENMETRICS);

	has(text, "# TYPE lastack_connections_opened counter\n"
		  "lastack_connections_opened_total 9\n");
	has(text, "# UNIT lastack_connection_duration_seconds seconds\n");
	cr_expect_str_eq(text + strlen(text) - 6, "# EOF\n");
	free(text);
	free(view);
}

/* Told apart, the set without labels first; a name of an interface is escaped. */
Test(metrics, with_optional_labels)
{
	struct la_label_set sets[2] = {
		{.closed[LA_CLOSE_FIN][LA_BY_ORIG] = 1},
		{.labels = {.interface = "a\"\\\xc3\xa9\xff",
			    .group = "web",
			    .direction = LA_FLOW_OUT},
		 .closed[LA_CLOSE_RESET][LA_BY_RESP] = 2},
	};
	struct la_metrics_view *view = sample();
	char *text;

	la_observe(&sets[1].duration, 1 * LA_SEC_NS);
	view->sets = sets;
	view->set_count = 2;
	view->set_overflow = 5;
	text = print(view, LA_METRICS_PROMETHEUS);
	has(text, "closed_total{reason=\"fin\",closed_by=\"orig\"} 1\n");
	has(text, "closed_total{reason=\"reset\",closed_by=\"resp\",interface=\"a\\\"\\\\\xc3\xa9"
		  "\xef\xbf\xbd\",direction=\"out\",group=\"web\"} 2\n");
	has(text, "duration_seconds_bucket{interface=\"a\\\"\\\\\xc3\xa9\xef\xbf\xbd\","
		  "direction=\"out\",group=\"web\",le=\"1.0\"} 1\n");
	has(text, "lastack_connection_duration_seconds_count 0\n");
	has(text, "lastack_label_overflow_total 5\n");
	free(text);
	free(view);
}

/* A gauge may fall below what another CPU's part of it is: read in between, it is not 2^64. */
Test(metrics, a_gauge_is_signed)
{
	struct la_metrics_view *view = sample();
	char *text;

	view->flows.connections[LA_RESP][LA_LISTEN] = -1ULL;
	text = print(view, LA_METRICS_PROMETHEUS);
	has(text, "lastack_connections{endpoint=\"resp\",state=\"LISTEN\"} -1\n");
	free(text);
	free(view);
}

Test(metrics, of_this_process)
{
	struct la_metrics_view *view = sample();
	char *text = print(view, LA_METRICS_PROMETHEUS);
	const char *rss = strstr(text, "\nprocess_resident_memory_bytes ");
	const char *start = strstr(text, "\nprocess_start_time_seconds ");

	cr_assert(rss && start);
	cr_expect_gt(strtod(strchr(rss + 1, ' '), NULL), 100000);
	cr_expect_gt(strtod(strchr(start + 1, ' '), NULL), 1e9);
	free(text);
	free(view);
}
