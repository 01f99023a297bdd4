/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * metrics.c - the list of metrics, and how each is printed. See metrics.h.
 *
 * A family is a row: name, type, what it is, and a function that prints its samples. Series
 * that can be are there from the start, with 0: what begins at 1 shows no increase.
 */
#include "metrics.h"
#include "la_fsm.h"
#include "outbuf.h"
#include "process.h"
#include "text.h"
#include <stdarg.h>
#include <string.h>

enum type { COUNTER, GAUGE, HISTOGRAM };

struct family;

/* Where and of what is being printed. */
struct page {
	FILE *to;
	const struct la_metrics_view *view;
	enum la_metrics_form form;
	struct la_process process;
	const struct family *family;
};

struct family {
	const char *name; /* without _total */
	enum type type;
	const char *unit; /* base unit that the name ends with, or NULL */
	const char *help;
	void (*samples)(struct page *page);
};

/* ---- samples ---- */

/* A counter's samples are called _total, in both forms. */
static const char *suffix(const struct family *family)
{
	return family->type == COUNTER ? "_total" : "";
}

/* The one sample of a family without labels. */
static void put_one(struct page *p, double value)
{
	fprintf(p->to, "%s%s %.17g\n", p->family->name, suffix(p->family), value);
}

/* One sample; labels as they stand between the braces. */
__attribute__((format(printf, 3, 4))) static void put(struct page *p, double value,
						      const char *labels, ...)
{
	va_list args;

	va_start(args, labels);
	fprintf(p->to, "%s%s{", p->family->name, suffix(p->family));
	vfprintf(p->to, labels, args);
	fprintf(p->to, "} %.17g\n", value);
	va_end(args);
}

static double seconds(__u64 ns)
{
	return (double)ns / (double)LA_SEC_NS;
}

/* A bound as OpenMetrics wants it, always with a point: 1.0, 0.00025. */
static void put_bound(FILE *to, double bound)
{
	fprintf(to, bound == (double)(long long)bound ? "%.1f" : "%.10g", bound);
}

/* Buckets, sum and count; labels without a comma at the end, or "". */
static void put_histogram(struct page *p, const struct la_histogram *h, const char *labels)
{
#define ROW_SECONDS(ns) (double)(ns) / (double)LA_SEC_NS,
	static const double bounds[] = {LA_BOUNDS(ROW_SECONDS)};
	const char *name = p->family->name, *open = *labels ? "{" : "", *close = *labels ? "}" : "";
	__u64 count = 0;

	for (int i = 0; i <= LA_BOUNDS_MAX; i++) {
		count += h->bucket[i];
		fprintf(p->to, "%s_bucket{%s%sle=\"", name, labels, *labels ? "," : "");
		if (i < LA_BOUNDS_MAX)
			put_bound(p->to, bounds[i]);
		else
			fputs("+Inf", p->to);
		fprintf(p->to, "\"} %llu\n", (unsigned long long)count);
	}
	fprintf(p->to, "%s_sum%s%s%s %.17g\n", name, open, labels, close, seconds(h->sum));
	fprintf(p->to, "%s_count%s%s%s %llu\n", name, open, labels, close,
		(unsigned long long)count);
}

static const char *endpoint_word(int who)
{
	return who == LA_ORIG ? "orig" : "resp";
}

static void put_connections(struct page *p)
{
	for (int who = 0; who < 2; who++)
		for (unsigned int s = 1; s < LA_STATE_MAX; s++)
			put(p, (double)(__s64)p->view->flows.connections[who][s],
			    "endpoint=\"%s\",state=\"%s\"", endpoint_word(who), la_state_word(s));
}

static void put_opened(struct page *p)
{
	put_one(p, (double)p->view->counters.opened);
}

#define BY(sym) (1U << LA_BY_##sym)

/* Who can have closed a connection that ended so. */
static const __u8 closers[LA_CLOSE_REASON_MAX] = {
	[LA_CLOSE_FIN] = BY(ORIG) | BY(RESP),	[LA_CLOSE_SIMULTANEOUS_FIN] = BY(BOTH),
	[LA_CLOSE_RESET] = BY(ORIG) | BY(RESP), [LA_CLOSE_HALF_CLOSED_RESET] = BY(ORIG) | BY(RESP),
	[LA_CLOSE_REFUSED] = BY(RESP),		[LA_CLOSE_UNREACHABLE] = BY(NONE),
	[LA_CLOSE_TIMEOUT] = BY(NONE),		[LA_CLOSE_REPLACED] = BY(NONE),
	[LA_CLOSE_EVICTED] = BY(NONE),		[LA_CLOSE_POLICY] = BY(POLICY),
	[LA_CLOSE_SHUTDOWN] = BY(NONE),
};

/* Room for labels, each byte of a name of an interface being three at most. */
#define LABELS_SIZE 160

/* Appends ,NAME="VALUE" to labels, escaped; an empty value is no label. Returns their end. */
static char *add_label(char *to, const char *name, const char *value)
{
	const unsigned char *s = (const unsigned char *)value;

	*to = '\0';
	if (!*s)
		return to;
	to += sprintf(to, ",%s=\"", name);
	while (*s) {
		int n = la_utf8_len(s);

		if (*s == '"' || *s == '\\')
			*to++ = '\\';
		to = n ? mempcpy(to, s, (size_t)n) : stpcpy(to, "\xef\xbf\xbd");
		s += n ? n : 1;
	}
	return stpcpy(to, "\"");
}

/* The labels of a set, each with a comma before it. */
static void write_labels(char labels[LABELS_SIZE], const struct la_labels *of)
{
	char *to = add_label(labels, "interface", of->interface);

	to = add_label(to, "direction", of->direction ? la_flow_direction_word(of->direction) : "");
	add_label(to, "group", of->group);
}

static void put_closes(struct page *p, const __u64 (*closed)[LA_METRIC_CLOSERS], const char *labels)
{
	for (unsigned int r = 1; r < LA_CLOSE_REASON_MAX; r++)
		for (unsigned int by = 1; by < LA_CLOSER_MAX; by++)
			if (closed[r][by] || closers[r] & 1U << by)
				put(p, (double)closed[r][by], "reason=\"%s\",closed_by=\"%s\"%s",
				    la_close_reason_word(r), la_closer_word(by), labels);
}

static void put_closed(struct page *p)
{
	char labels[LABELS_SIZE];

	if (!p->view->sets)
		put_closes(p, p->view->flows.closed, "");
	for (unsigned int i = 0; i < p->view->set_count; i++) {
		write_labels(labels, &p->view->sets[i].labels);
		put_closes(p, p->view->sets[i].closed, labels);
	}
}

/* Is there an event that moves an endpoint so? */
static bool can_move(unsigned int from, unsigned int to)
{
	for (int event = 0; event < LA_EV_MAX; event++)
		if (la_fsm[from][event] == to)
			return true;
	return false;
}

static void put_transitions(struct page *p)
{
	for (int who = 0; who < 2; who++)
		for (unsigned int from = 1; from < LA_STATE_MAX; from++)
			for (unsigned int to = 1; to < LA_STATE_MAX; to++) {
				__u64 n = p->view->flows.transitions[who][from][to];

				if (n || can_move(from, to))
					put(p, (double)n, "endpoint=\"%s\",from=\"%s\",to=\"%s\"",
					    endpoint_word(who), la_state_word(from),
					    la_state_word(to));
			}
}

static void put_duration(struct page *p)
{
	char labels[LABELS_SIZE];

	if (!p->view->sets)
		put_histogram(p, &p->view->flows.duration, "");
	for (unsigned int i = 0; i < p->view->set_count; i++) {
		write_labels(labels, &p->view->sets[i].labels);
		put_histogram(p, &p->view->sets[i].duration, labels + (*labels == ','));
	}
}

static void put_handshake(struct page *p)
{
	put_histogram(p, &p->view->flows.handshake, "");
}

static void put_state_duration(struct page *p)
{
	char labels[80];

	for (int who = 0; who < 2; who++)
		for (unsigned int s = 1; s < LA_STATE_MAX; s++) {
			snprintf(labels, sizeof(labels), "endpoint=\"%s\",state=\"%s\"",
				 endpoint_word(who), la_state_word(s));
			put_histogram(p, &p->view->flows.state[who][s], labels);
		}
}

/* What belongs to no connection has no sender here: it is a packet that was ignored. */
static void put_rst(struct page *p)
{
	for (int who = 0; who < 2; who++)
		for (unsigned int v = 1; v < LA_RST_NO_FLOW; v++)
			put(p, (double)p->view->flows.rst[who][v], "sender=\"%s\",verdict=\"%s\"",
			    endpoint_word(who), la_rst_verdict_word(v));
}

/* Most RSTs fall under no rule: they are not told here. */
static void put_rst_rules(struct page *p)
{
	for (int dropped = 0; dropped < 2; dropped++)
		for (unsigned int rule = 1; rule < LA_RULE_MAX; rule++)
			put(p, (double)p->view->flows.rst_rule[dropped][rule],
			    "rule=\"%s\",dropped=\"%s\"", la_rst_rule_word(rule),
			    dropped ? "true" : "false");
}

static void put_evidence(struct page *p)
{
	for (unsigned int e = 1; e < LA_EVIDENCE_MAX; e++)
		put(p, (double)p->view->flows.evidence[e], "evidence=\"%s\",strength=\"%s\"",
		    la_evidence_word(e), la_strength_word(la_evidence_strength(e)));
}

static void put_packets(struct page *p)
{
	for (unsigned int hook = 1; hook < LA_HOOK_MAX; hook++) {
		__u64 sum[LA_VERDICT_MAX] = {0};

		for (unsigned int r = 1; r < LA_REASON_MAX; r++)
			sum[la_reason_verdict(r)] += p->view->counters.packets[hook][r];
		for (unsigned int v = 1; v < LA_VERDICT_MAX; v++)
			put(p, (double)sum[v], "hook=\"%s\",verdict=\"%s\"", la_hook_word(hook),
			    la_verdict_word(v));
	}
}

static void put_ignored(struct page *p)
{
	for (unsigned int r = 1; r < LA_REASON_MAX; r++) {
		__u64 sum = 0;

		for (unsigned int hook = 1; hook < LA_HOOK_MAX; hook++)
			sum += p->view->counters.packets[hook][r];
		if (la_reason_verdict(r) != LA_VERDICT_ACCEPT)
			put(p, (double)sum, "reason=\"%s\"", la_reason_word(r));
	}
}

static void put_overflow(struct page *p)
{
	put_one(p, (double)p->view->set_overflow);
}

static void put_lost(struct page *p)
{
	for (unsigned int source = 0; source < LA_LOST_MAX; source++)
		put(p, (double)p->view->counters.lost[source], "source=\"%s\"",
		    la_text_lost(source));
}

/* What the states of one endpoint add up to. */
static void put_entries(struct page *p)
{
	__u64 sum = 0;

	for (unsigned int s = 1; s < LA_STATE_MAX; s++)
		sum += p->view->flows.connections[LA_ORIG][s];
	put_one(p, (double)(__s64)sum);
}

static void put_limit(struct page *p)
{
	put_one(p, (double)p->view->max_flows);
}

static void put_evictions(struct page *p)
{
	for (unsigned int class = 1; class < LA_TIMEOUT_MAX; class ++)
		put(p, (double)p->view->counters.evicted[class], "class=\"%s\"",
		    la_timeout_word(class));
}

/* Names of policies need no escape, see policy.c. */
static void put_policy_actions(struct page *p)
{
	for (unsigned int i = 0; i < p->view->policy_count; i++) {
		const struct la_policy_count *row = &p->view->policies[i];

		for (unsigned int r = 1; r < LA_RESULT_MAX; r++)
			put(p, (double)row->results[r], "policy=\"%s\",action=\"%s\",result=\"%s\"",
			    row->policy, la_action_word(row->action), la_result_word(r));
	}
}

static void put_policy_held(struct page *p)
{
	for (unsigned int i = 0; i < p->view->policy_count; i++) {
		const struct la_policy_count *row = &p->view->policies[i];
		const struct {
			const char *by;
			__u64 count;
		} held[] = {{"protect", row->protected},
			    {"rate", row->over_rate},
			    {"brake", row->braked}};

		for (size_t h = 0; h < sizeof(held) / sizeof(*held); h++)
			put(p, (double)held[h].count, "policy=\"%s\",action=\"%s\",by=\"%s\"",
			    row->policy, la_action_word(row->action), held[h].by);
	}
}

static void put_clients(struct page *p)
{
	put_one(p, (double)p->view->clients);
}

static void put_clients_dropped(struct page *p)
{
	put_one(p, (double)p->view->clients_dropped);
}

static void put_build(struct page *p)
{
	put(p, 1, "version=\"%s\",abi=\"%u\"", LA_VERSION, LA_ABI_VERSION);
}

#define PUT_PROCESS(field)                                                                         \
	static void put_##field(struct page *p)                                                    \
	{                                                                                          \
		put_one(p, p->process.field);                                                      \
	}

PUT_PROCESS(cpu_seconds)
PUT_PROCESS(start_seconds)
PUT_PROCESS(resident_bytes)
PUT_PROCESS(virtual_bytes)
PUT_PROCESS(open_fds)
PUT_PROCESS(max_fds)

/* ---- families ---- */

/* clang-format off */
static const struct family families[] = {
	{"lastack_build_info", GAUGE, NULL, "Which lastack this is; always 1.", put_build},
	{"lastack_connections", GAUGE, NULL, "Connections in the flow table, by the state of each endpoint.", put_connections},
	{"lastack_connections_opened", COUNTER, NULL, "Connections that entered the flow table.", put_opened},
	{"lastack_connections_closed", COUNTER, NULL, "Connections that ended, by how and by who closed first.", put_closed},
	{"lastack_connection_duration_seconds", HISTOGRAM, "seconds", "First segment of a connection to its end.", put_duration},
	{"lastack_handshake_duration_seconds", HISTOGRAM, "seconds", "First SYN to the ACK of the SYN-ACK.", put_handshake},
	{"lastack_state_transitions", COUNTER, NULL, "Transitions of an endpoint from one RFC 9293 state to another.", put_transitions},
	{"lastack_state_duration_seconds", HISTOGRAM, "seconds", "Time that an endpoint spent in a state that it has left.", put_state_duration},
	{"lastack_rst", COUNTER, NULL, "RST segments of connections, by what their receiver makes of them.", put_rst},
	{"lastack_rst_rules", COUNTER, NULL, "RST segments that a rule of the RST policy is against, dropped or passed.", put_rst_rules},
	{"lastack_rst_evidence", COUNTER, NULL, "Connections with evidence that a RST was forged, by kind; each kind once a connection.", put_evidence},
	{"lastack_packets", COUNTER, NULL, "Packets seen at a hook, by what became of them.", put_packets},
	{"lastack_packets_ignored", COUNTER, NULL, "Packets that changed no connection, by the reason.", put_ignored},
	{"lastack_flow_entries", GAUGE, NULL, "Connections in the flow table.", put_entries},
	{"lastack_flow_entries_limit", GAUGE, NULL, "Connections that the flow table has room for.", put_limit},
	{"lastack_flow_evictions", COUNTER, NULL, "Flows that had to make room for others, by the clock that ran for them.", put_evictions},
	{"lastack_events_lost", COUNTER, NULL, "Records that found no room on their way out of the kernel; the other metrics lose nothing.", put_lost},
	{"lastack_label_overflow", COUNTER, NULL, "Connections that are counted without the labels asked for, because there are too many sets of them.", put_overflow},
	{"lastack_policy_actions", COUNTER, NULL, "What policies did, would have done in a dry run, or failed to do.", put_policy_actions},
	{"lastack_policy_held", COUNTER, NULL, "Times that a policy was kept from acting on a connection.", put_policy_held},
	{"lastack_event_clients", GAUGE, NULL, "Clients that follow /api/events.", put_clients},
	{"lastack_event_client_drops", COUNTER, NULL, "Events that clients of /api/events were too slow for.", put_clients_dropped},
	{"process_cpu_seconds", COUNTER, "seconds", "User and system CPU time of lastack; its programs in the kernel are not in it.", put_cpu_seconds},
	{"process_start_time_seconds", GAUGE, "seconds", "Start of lastack, since the epoch.", put_start_seconds},
	{"process_resident_memory_bytes", GAUGE, "bytes", "Resident memory of lastack.", put_resident_bytes},
	{"process_virtual_memory_bytes", GAUGE, "bytes", "Virtual memory of lastack.", put_virtual_bytes},
	{"process_open_fds", GAUGE, NULL, "Open file descriptors of lastack.", put_open_fds},
	{"process_max_fds", GAUGE, NULL, "File descriptors that lastack may open.", put_max_fds},
};
/* clang-format on */

/* Prometheus wants the name of the samples here, OpenMetrics that of the family. */
static void put_head(struct page *p)
{
	static const char *const types[] = {
		[COUNTER] = "counter", [GAUGE] = "gauge", [HISTOGRAM] = "histogram"};
	const struct family *f = p->family;
	bool open = p->form == LA_METRICS_OPENMETRICS;
	const char *total = open ? "" : suffix(f);

	fprintf(p->to, "# HELP %s%s %s\n# TYPE %s%s %s\n", f->name, total, f->help, f->name, total,
		types[f->type]);
	if (open && f->unit)
		fprintf(p->to, "# UNIT %s %s\n", f->name, f->unit);
}

const char *la_metrics_type(enum la_metrics_form form)
{
	static const char *const types[] = {
		[LA_METRICS_PROMETHEUS] = "text/plain; version=0.0.4; charset=utf-8",
		[LA_METRICS_OPENMETRICS] =
			"application/openmetrics-text; version=1.0.0; charset=utf-8",
	};

	return types[form];
}

void la_metrics_print(FILE *to, const struct la_metrics_view *view, enum la_metrics_form form)
{
	struct page p = {.to = to, .view = view, .form = form, .process = la_process_read()};

	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++) {
		p.family = &families[i];
		put_head(&p);
		p.family->samples(&p);
	}
	if (form == LA_METRICS_OPENMETRICS)
		fputs("# EOF\n", to);
}
