// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_metrics.c - what lastack serves: asked by hand, by promtool, and by a real Prometheus.
 *
 *   client eth0 --- eth0 server   lastack watches the server's end, Prometheus lives there too
 *
 * The traffic is the test's own, so it knows what the numbers have to be. Scrapes go over the
 * server's loopback, which nobody watches.
 */
#include "fetch.h"
#include "observer.h"
#include "prometheus.h"
#include "scrape.h"
#include "talk.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define WEB_PORT 9464
#define FINS	 8
#define REFUSALS 5
#define FIRST	 43000
#define SERVER	 9700
#define NOBODY	 9799
#define SOON_MS	 30000

/* ---- a lab with a lastack ---- */

struct site {
	struct la_lab *lab;
	struct la_observer *obs;
};

static void start(struct site *site, const char *const options[])
{
	static const char *const none[] = {NULL};

	site->obs =
		la_observer_start(site->lab, LA_LAB_SERVER, "eth0", NULL, options ? options : none);
	cr_assert(site->obs, "lastack did not start");
}

static struct site site_new(const char *const options[])
{
	struct site site = {.lab = la_lab_new(false)};

	cr_assert(site.lab);
	start(&site, options);
	cr_assert(la_fetch_until_ok(site.lab, LA_LAB_SERVER, WEB_PORT, "/readyz", SOON_MS),
		  "not ready:\n%s", la_observer_stderr(site.obs));
	return site;
}

static void site_end(struct site *site)
{
	la_observer_free(site->obs);
	la_lab_free(site->lab);
}

static struct la_fetched ask(const struct site *site, const char *path, const char *header)
{
	return la_fetch(site->lab, LA_LAB_SERVER, WEB_PORT, path, header, NULL);
}

/* ---- traffic whose outcome is known ---- */

/* A connection that the client closes first, and the server after it. */
static void close_in_order(const struct site *site, int n)
{
	const struct la_talk_end client = {LA_LAB_CLIENT, la_lab_addr(LA_LAB_CLIENT, AF_INET,
								      (unsigned short)(FIRST + n))},
				 server = {LA_LAB_SERVER,
					   la_lab_addr(LA_LAB_SERVER, AF_INET,
						       (unsigned short)(SERVER + n))};

	cr_assert(la_talk(site->lab, &client, &server, 10000));
}

/* An attempt at a port where nobody listens. */
static void be_refused(const struct site *site)
{
	struct la_lab_addr at = la_lab_addr(LA_LAB_SERVER, AF_INET, NOBODY);
	int fd = la_lab_socket(site->lab, LA_LAB_CLIENT, AF_INET, SOCK_STREAM, 0), err = 0;
	struct pollfd wait = {.fd = fd, .events = POLLOUT};
	socklen_t len = sizeof(err);

	connect(fd, (const struct sockaddr *)&at.sa, at.len);
	cr_assert_eq(poll(&wait, 1, SOON_MS), 1);
	cr_assert_eq(getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len), 0);
	cr_assert_eq(err, ECONNREFUSED);
	close(fd);
}

static void play(const struct site *site)
{
	for (int i = 0; i < FINS; i++)
		close_in_order(site, i);
	for (int i = 0; i < REFUSALS; i++)
		be_refused(site);
}

/* ---- one scrape ---- */

static const struct la_series truth[] = {
	{"lastack_connections_opened_total", FINS + REFUSALS},
	{"lastack_connections_closed_total{reason=\"fin\",closed_by=\"orig\"}", FINS},
	{"lastack_connections_closed_total{reason=\"fin\",closed_by=\"resp\"}", 0},
	{"lastack_connections_closed_total{reason=\"refused\",closed_by=\"resp\"}", REFUSALS},
	{"lastack_connections{endpoint=\"orig\",state=\"TIME_WAIT\"}", FINS},
	{"lastack_connections{endpoint=\"resp\",state=\"CLOSED\"}", FINS + REFUSALS},
	{"lastack_flow_entries", FINS + REFUSALS},
	{"lastack_state_transitions_total{endpoint=\"resp\",from=\"LISTEN\",to=\"SYN_RECEIVED\"}",
	 FINS},
	{"lastack_state_transitions_total{endpoint=\"resp\",from=\"LISTEN\",to=\"CLOSED\"}",
	 REFUSALS},
	{"lastack_rst_total{sender=\"resp\",verdict=\"syn_sent_ack_ok\"}", REFUSALS},
	{"lastack_handshake_duration_seconds_count", FINS},
	{"lastack_connection_duration_seconds_count", FINS + REFUSALS},
	{"lastack_state_duration_seconds_count{endpoint=\"orig\",state=\"SYN_SENT\"}",
	 FINS + REFUSALS},
	{"lastack_events_lost_total{source=\"state\"}", 0},
};

#define TRUTHS (sizeof(truth) / sizeof(*truth))

static void tells_the_truth(const struct site *site)
{
	la_scrape_until(site->lab, LA_LAB_SERVER, truth, TRUTHS);
}

/* Values equal what happened, and the text is as Prometheus wants it. */
Test(metrics, tell_what_happened)
{
	struct site site = site_new(NULL);
	struct la_fetched got;

	play(&site);
	tells_the_truth(&site);
	got = ask(&site, "/metrics", NULL);
	cr_expect_eq(got.status, 200);
	cr_expect(strcasestr(got.head, "\r\nContent-Type: text/plain; version=0.0.4"), "%s",
		  got.head);
	cr_expect(la_scrape_is_right(got.body), "promtool check metrics");
	la_fetched_free(&got);
	got = ask(&site, "/metrics",
		  "Accept: application/openmetrics-text;version=1.0.0,*/*;q=0.1");
	cr_expect(strcasestr(got.head, "application/openmetrics-text; version=1.0.0"), "%s",
		  got.head);
	cr_expect(strstr(got.body, "\n# EOF\n"));
	la_fetched_free(&got);
	site_end(&site);
}

/* ---- the other answers ---- */

Test(metrics, what_is_not_there_is_refused)
{
	static const struct {
		const char *path, *header, *body;
		int status;
		const char *says;
	} rows[] = {
		{"/healthz", NULL, NULL, 200, "ok\n"},
		{"/readyz", NULL, NULL, 200, "ready\n"},
		{"/", NULL, NULL, 200, "<title>lastack</title>"},
		{"/page.js", NULL, NULL, 200, "use strict"},
		{"/../etc/passwd", NULL, NULL, 404, "there is no such page\n"},
		{"/api/flows?limit=0", NULL, NULL, 400, "limit: "},
		{"/api/flows?limit=5x", NULL, NULL, 400, "limit: "},
		{"/api/flows?filter=prot+80", NULL, NULL, 400, "did you mean 'port'?"},
		{"/api/events?filter=port+80+(", NULL, NULL, 400, "column "},
		{"/metrics", NULL, "{}", 405, "read only\n"},
	};
	struct site site = site_new(NULL);

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct la_fetched got = la_fetch(site.lab, LA_LAB_SERVER, WEB_PORT, rows[i].path,
						 rows[i].header, rows[i].body);

		cr_expect_eq(got.status, rows[i].status, "%s: %d", rows[i].path, got.status);
		cr_expect(strstr(got.body, rows[i].says), "%s: %s", rows[i].path, got.body);
		cr_expect(strstr(got.head, "\r\nContent-Security-Policy: default-src 'none'; "),
			  "%s: %s", rows[i].path, got.head);
		la_fetched_free(&got);
	}
	site_end(&site);
}

/* A name that somebody else has pointed at 127.0.0.1 is none of ours. */
Test(metrics, a_stranger_s_name_is_refused)
{
	struct site site = site_new(NULL);
	char answer[64] = "";
	int fd = la_fetch_open(site.lab, LA_LAB_SERVER, WEB_PORT,
			       "GET /api/flows HTTP/1.1\r\nHost: evil.example:9464\r\n\r\n");
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	cr_assert_geq(fd, 0);
	cr_assert_eq(poll(&wait, 1, SOON_MS), 1);
	cr_assert_gt(recv(fd, answer, sizeof(answer) - 1, 0), 12);
	cr_expect_eq(strncmp(answer, "HTTP/1.1 403", 12), 0, "%s", answer);
	close(fd);
	site_end(&site);
}

Test(metrics, the_table_as_json_lines)
{
	struct site site = site_new(NULL);
	struct la_fetched got;
	char *second;
	json_t *flow;

	play(&site);
	tells_the_truth(&site);
	got = ask(&site, "/api/flows?filter=port+9702", NULL);
	cr_assert_eq(got.status, 200);
	flow = json_loads(got.body, JSON_DISABLE_EOF_CHECK, NULL);
	cr_assert(flow, "%s", got.body);
	cr_expect_str_eq(json_string_value(json_object_get(flow, "type")), "flow");
	cr_expect_eq(json_integer_value(json_object_get(flow, "orig_port")), FIRST + 2);
	cr_expect_str_eq(json_string_value(json_object_get(flow, "orig_state")), "TIME_WAIT");
	cr_expect_str_eq(json_string_value(json_object_get(flow, "ifname")), "eth0");
	second = strchr(got.body, '\n');
	cr_expect(second && !second[1], "more than one: %s", got.body);
	json_decref(flow);
	la_fetched_free(&got);
	got = ask(&site, "/api/flows?limit=3", NULL);
	cr_expect_eq(got.status, 200);
	for (int i = 0; i < 3; i++) {
		second = strstr(i ? second : got.body, "}\n");
		cr_assert(second, "%d: %s", i, got.body);
		second += 2;
	}
	cr_expect_eq(*second, '\0');
	la_fetched_free(&got);
	site_end(&site);
}

/* Events come as they happen, those that the filter passes. */
Test(metrics, events_as_they_happen)
{
	struct site site = site_new(NULL);
	char text[65536] = "";
	size_t len = 0;
	int fd = la_fetch_open(site.lab, LA_LAB_SERVER, WEB_PORT,
			       "GET /api/events?filter=port+9703 HTTP/1.1\r\n"
			       "Host: 127.0.0.1:9464\r\n\r\n");
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	cr_assert_geq(fd, 0);
	cr_assert_eq(poll(&wait, 1, SOON_MS), 1, "no answer");
	for (int i = 2; i < 5; i++)
		close_in_order(&site, i);
	while (!strstr(text, "\"type\":\"close\"")) {
		ssize_t n;

		cr_assert_eq(poll(&wait, 1, SOON_MS), 1, "nothing more comes: %s", text);
		n = recv(fd, text + len, sizeof(text) - 1 - len, 0);
		cr_assert_gt(n, 0);
		len += (size_t)n;
		text[len] = '\0';
	}
	cr_expect(strstr(text, "\r\nContent-Type: text/event-stream\r\n"), "%s", text);
	cr_expect(strstr(text, "data: {\"v\":1,\"type\":\"state\""), "%s", text);
	cr_expect(strstr(text, "\"resp_port\":9703"), "%s", text);
	cr_expect_null(strstr(text, "\"resp_port\":9702"), "%s", text);
	cr_expect_eq(la_observer_stop(site.obs), 0, "a client that listens must not keep it");
	close(fd);
	site_end(&site);
}

/* ---- the address ---- */

/* Of two, the second one does without; but not if it was told to have it. */
Test(metrics, an_address_is_taken)
{
	static const char *const asked[] = {"run", "-i",       "eth0",		 "--for",
					    "1s",  "--listen", "127.0.0.1:9464", NULL};
	struct site site = site_new(NULL), second = {.lab = site.lab};
	const char *argv[9];
	int status, pipes[2];
	char said[4096] = "";
	pid_t pid;

	start(&second, NULL);
	cr_expect(la_observer_says(
			  second.obs,
			  "lastack: no metrics and no page: 127.0.0.1:9464: Address already"),
		  "%s", la_observer_stderr(second.obs));
	cr_expect_eq(la_observer_stop(second.obs), 0);
	la_observer_free(second.obs);
	argv[0] = la_observer_binary();
	memcpy(argv + 1, asked, sizeof(asked));
	cr_assert_eq(pipe(pipes), 0);
	pid = la_lab_spawn(site.lab, LA_LAB_SERVER, argv, -1, pipes[1]);
	close(pipes[1]);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	cr_assert_gt(read(pipes[0], said, sizeof(said) - 1), 0);
	cr_expect(strstr(said, "cannot listen: 127.0.0.1:9464: Address already in use"), "%s",
		  said);
	close(pipes[0]);
	site_end(&site);
}

/* Who does not know the password learns nothing. */
Test(metrics, a_password_is_asked_for)
{
	static const struct {
		const char *header;
		int status;
	} rows[] = {
		{NULL, 401},
		{"Authorization: Basic b3BzOndyb25n", 401},	/* ops:wrong */
		{"Authorization: Basic b3BzOg==", 401},		/* ops: */
		{"Authorization: Basic b3BzOnNlY3JldDE=", 401}, /* ops:secret1 */
		{"Authorization: Bearer b3BzOnNlY3JldA==", 401},
		{"Authorization: Basic b3BzOnNlY3JldA==", 200}, /* ops:secret */
	};
	char path[64];
	const char *const options[] = {"--http-auth-file", path, NULL};
	int file = memfd_create("auth", MFD_CLOEXEC);
	struct site site = {.lab = la_lab_new(false)};

	cr_assert(file >= 0 && site.lab && dprintf(file, "ops:secret\nnot this\n") > 0);
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), file);
	start(&site, options);
	cr_assert(la_observer_says(site.obs, "http://127.0.0.1:9464/"));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct la_fetched got = ask(&site, "/metrics", rows[i].header);

		cr_expect_eq(got.status, rows[i].status, "%s: %d",
			     rows[i].header ? rows[i].header : "none", got.status);
		cr_expect_eq(!strstr(got.head, "\r\nWWW-Authenticate: Basic "),
			     rows[i].status == 200);
		cr_expect_eq(!strstr(got.body, "lastack_"), rows[i].status == 401);
		la_fetched_free(&got);
	}
	close(file);
	site_end(&site);
}

Test(metrics, nobody_listens)
{
	static const char *const options[] = {"--listen", "none", NULL};
	struct site site = {.lab = la_lab_new(false)};

	start(&site, options);
	cr_expect_lt(la_fetch_open(site.lab, LA_LAB_SERVER, WEB_PORT, ""), 0);
	cr_expect_eq(la_observer_stop(site.obs), 0);
	cr_expect_null(strstr(la_observer_stderr(site.obs), "http:"));
	site_end(&site);
}

/* ---- a Prometheus ---- */

/* The expression of a panel as Grafana would send it, with all jobs and instances. */
static char *plain(const char *expr)
{
	static const char *const subst[][2] = {
		{"$__rate_interval", "1m"}, {"$job", ".*"}, {"$instance", ".*"}};
	char *text = calloc(1, 4 * strlen(expr) + 1), *to = text;

	while (*expr) {
		size_t i = 0;

		while (i < 3 && strncmp(expr, subst[i][0], strlen(subst[i][0])))
			i++;
		if (i < 3) {
			to = stpcpy(to, subst[i][1]);
			expr += strlen(subst[i][0]);
		} else {
			*to++ = *expr++;
		}
	}
	return text;
}

/* Every query of the dashboard returns data, soon. */
static int run_dashboard(const struct la_prometheus *p)
{
	json_t *board = json_load_file("dist/grafana/lastack.json", 0, NULL), *panel, *target;
	size_t i, k;
	int count = 0;

	cr_assert(board, "tests run at the top of the tree");
	json_array_foreach (json_object_get(board, "panels"), i, panel) {
		json_array_foreach (json_object_get(panel, "targets"), k, target) {
			char *expr = plain(json_string_value(json_object_get(target, "expr")));
			size_t n = 0;

			for (int ms = 0; !n && ms < SOON_MS; ms += 250) {
				json_t *result = la_prometheus_query(p, expr);

				n = json_array_size(result);
				json_decref(result);
				if (!n)
					poll(NULL, 0, 250);
			}
			cr_expect_gt(n, 0, "no data: %s", expr);
			free(expr);
			count++;
		}
	}
	json_decref(board);
	return count;
}

static size_t count_rules(const struct la_prometheus *p)
{
	json_t *answer = la_prometheus_ask(p, "/api/v1/rules");
	json_t *group, *rule;
	size_t i, k, healthy = 0;

	json_array_foreach (json_object_get(json_object_get(answer, "data"), "groups"), i, group)
		json_array_foreach (json_object_get(group, "rules"), k, rule) {
			const char *health = json_string_value(json_object_get(rule, "health"));

			healthy += health && !strcmp(health, "ok");
		}
	json_decref(answer);
	return healthy;
}

/* Scraped values equal the truth; rules are evaluated; a restart is a reset of the counters. */
Test(metrics, scraped_by_prometheus, .timeout = 180)
{
	struct site site = site_new(NULL);
	struct la_prometheus *p;

	p = la_prometheus_new(site.lab, LA_LAB_SERVER, "");
	la_prometheus_until(p, "up{job=\"lastack\"}", 1);
	la_prometheus_until(p, "lastack_connections_opened_total", 0);
	play(&site);
	for (size_t i = 0; i < TRUTHS; i++)
		la_prometheus_until(p, truth[i].series, truth[i].is);
	cr_expect_gt(run_dashboard(p), 20);
	for (int ms = 0; count_rules(p) < 11 && ms < SOON_MS; ms += 250)
		poll(NULL, 0, 250);
	cr_expect_eq(count_rules(p), 11);
	la_prometheus_until(p, "lastack:flow_entries:ratio > bool 0", 1);
	cr_assert_eq(la_observer_stop(site.obs), 0);
	la_observer_free(site.obs);
	la_prometheus_until(p, "up{job=\"lastack\"}", 0);
	start(&site, NULL);
	la_prometheus_until(p, "lastack_connections_opened_total", 0);
	close_in_order(&site, FINS);
	la_prometheus_until(p, "lastack_connections_opened_total", 1);
	la_prometheus_until(p, "resets(lastack_connections_opened_total[10m])", 1);
	la_prometheus_free(p);
	site_end(&site);
}

Test(metrics, rules_do_what_they_say)
{
	cr_expect_eq(system("promtool test rules dist/prometheus/lastack.rules_test.yml"), 0);
}
