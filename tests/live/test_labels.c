// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_labels.c - metrics with the optional labels, against what happened.
 *
 *   client eth0 --- eth0 server   lastack at the server, told what to tell apart by a file
 */
#include "config_file.h"
#include "fetch.h"
#include "load.h"
#include "observer.h"
#include "scrape.h"
#include "talk.h"
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WEB    9700
#define OTHER  9800
#define NOBODY 9799

struct site {
	struct la_lab *lab;
	struct la_observer *obs;
	struct la_config_file file;
	unsigned short next;
};

static struct site site_new(const char *ifname, const char *text)
{
	struct site s = {.lab = la_lab_new(false), .file = la_config_file_new(text), .next = 42000};
	const char *const options[] = {"--config", s.file.path, NULL};

	cr_assert(s.lab);
	if (strcmp(ifname, "eth0") != 0)
		cr_assert(la_lab_sh(s.lab, LA_LAB_SERVER,
				    "ip link set eth0 down && ip link set eth0 name '%s' && "
				    "ip link set '%s' up",
				    ifname, ifname));
	s.obs = la_observer_start(s.lab, LA_LAB_SERVER, ifname, NULL, options);
	cr_assert(s.obs && la_observer_says(s.obs, "http://127.0.0.1:9464/: metrics"));
	return s;
}

static void site_end(struct site *s)
{
	la_observer_free(s->obs);
	la_lab_free(s->lab);
	close(s->file.fd);
}

/* Connections of this host with the other one, which close in order. */
static void talk(struct site *s, enum la_lab_host from, unsigned short port, int times)
{
	enum la_lab_host to = from == LA_LAB_CLIENT ? LA_LAB_SERVER : LA_LAB_CLIENT;

	while (times--) {
		const struct la_talk_end client = {from, la_lab_addr(from, AF_INET, s->next++)},
					 server = {to, la_lab_addr(to, AF_INET, port)};

		cr_assert(la_talk(s->lab, &client, &server, 60000));
	}
}

static void be_refused(struct site *s)
{
	struct la_lab_addr at = la_lab_addr(LA_LAB_SERVER, AF_INET, NOBODY);
	int fd = la_lab_socket(s->lab, LA_LAB_CLIENT, AF_INET, SOCK_STREAM, 0);
	struct pollfd wait = {.fd = fd, .events = POLLOUT};

	connect(fd, (const struct sockaddr *)&at.sa, at.len);
	cr_assert_eq(poll(&wait, 1, 60000), 1);
	close(fd);
}

#define FIN	 "lastack_connections_closed_total{reason=\"fin\",closed_by=\"orig\""
#define REFUSED	 "lastack_connections_closed_total{reason=\"refused\",closed_by=\"resp\""
#define DURATION "lastack_connection_duration_seconds_count{"
#define TELLS(s, ...)                                                                              \
	do {                                                                                       \
		static const struct la_series truth[] = {__VA_ARGS__};                             \
		la_scrape_until((s)->lab, LA_LAB_SERVER, truth, sizeof(truth) / sizeof(*truth));   \
	} while (0)

/* Lines of the table that the filter takes, as it stands in a URL. */
static int listed(const struct site *s, const char *filter)
{
	struct la_fetched got;
	char path[100];
	int lines = 0;

	snprintf(path, sizeof(path), "/api/flows?filter=%s", filter);
	got = la_fetch(s->lab, LA_LAB_SERVER, 9464, path, NULL, NULL);
	cr_assert_eq(got.status, 200);
	for (const char *end = got.body; (end = strchr(end, '\n')); end++)
		lines++;
	la_fetched_free(&got);
	return lines;
}

/* Each connection is counted once, with the labels that it has; the first group that fits is its.
 */
Test(labels, tell_connections_apart, .timeout = 180)
{
	struct site s = site_new("eth0", "metrics-label: [interface, direction, group]\n"
					 "groups:\n"
					 "  web: port 9700\n"
					 "  in-vain: reason refused\n"
					 "  late: port 9700 or port 9799\n");

	talk(&s, LA_LAB_CLIENT, WEB, 3);
	talk(&s, LA_LAB_SERVER, WEB, 4);
	talk(&s, LA_LAB_CLIENT, OTHER, 2);
	be_refused(&s);
	TELLS(&s, {FIN ",interface=\"eth0\",direction=\"in\",group=\"web\"}", 3},
	      {FIN ",interface=\"eth0\",direction=\"out\",group=\"web\"}", 4},
	      {FIN ",interface=\"eth0\",direction=\"in\"}", 2},
	      {REFUSED ",interface=\"eth0\",direction=\"in\",group=\"in-vain\"}", 1}, {FIN "}", 0},
	      {DURATION "interface=\"eth0\",direction=\"out\",group=\"web\"}", 4},
	      {DURATION "interface=\"eth0\",direction=\"in\"}", 2},
	      {"lastack_connections_opened_total", 10}, {"lastack_label_overflow_total", 0});
	cr_expect_eq(listed(&s, "direction+in"), 6);
	cr_expect_eq(listed(&s, "direction+out+and+iface+eth0"), 4);
	site_end(&s);
}

/* As many connections as two processes can make, and a small ring: each is counted, if late. */
Test(labels, lose_none_under_load, .timeout = 180)
{
	struct site s = site_new("eth0", "metrics-label: group\ngroups: {all: tcp}\n"
					 "ring-size: 1\nfilter: port 1\n");
	struct la_load *load = la_load_start(s.lab, 1500, LA_LOAD_MOST);

	cr_assert(load && la_load_end(load));
	la_scrape_until(s.lab, LA_LAB_SERVER,
			&(struct la_series){FIN ",group=\"all\"}", (double)la_load_opened(s.lab)},
			1);
	TELLS(&s, {FIN "}", 0});
	site_end(&s);
}

/* What finds no room is counted without labels, and that is counted, too. */
Test(labels, are_no_more_than_allowed, .timeout = 180)
{
	struct site s = site_new("eth0", "metrics-label: direction\nmetrics-label-sets: 1\n");

	talk(&s, LA_LAB_SERVER, WEB, 2);
	TELLS(&s, {FIN ",direction=\"out\"}", 2}, {"lastack_label_overflow_total", 0});
	talk(&s, LA_LAB_CLIENT, WEB, 3);
	talk(&s, LA_LAB_SERVER, WEB, 1);
	TELLS(&s, {FIN ",direction=\"out\"}", 3}, {FIN "}", 3},
	      {"lastack_label_overflow_total", 3});
	site_end(&s);
}

/* Other groups hold from a reload on; what was counted stays. */
Test(labels, of_other_groups_after_a_reload, .timeout = 180)
{
	struct site s = site_new("eth0", "metrics-label: group\ngroups: {a: port 9700}\n");

	talk(&s, LA_LAB_CLIENT, WEB, 2);
	TELLS(&s, {FIN ",group=\"a\"}", 2});
	la_config_file_put(&s.file, "metrics-label: group\ngroups: {a: port 9800, b: tcp}\n");
	cr_assert(!kill(la_observer_pid(s.obs), SIGHUP));
	cr_assert(la_observer_says(s.obs, ": reloaded"));
	talk(&s, LA_LAB_CLIENT, WEB, 1);
	talk(&s, LA_LAB_CLIENT, OTHER, 1);
	TELLS(&s, {FIN ",group=\"a\"}", 3}, {FIN ",group=\"b\"}", 1});
	site_end(&s);
}

/* An interface may be called anything but / and blanks; also what is no UTF-8. */
Test(labels, are_escaped, .timeout = 180)
{
	struct site s = site_new("a\"b\\{}\xff", "metrics-label: interface\n");
	struct la_fetched got;

	talk(&s, LA_LAB_CLIENT, WEB, 1);
	TELLS(&s, {FIN ",interface=\"a\\\"b\\\\{}\xef\xbf\xbd\"}", 1});
	got = la_fetch(s.lab, LA_LAB_SERVER, 9464, "/metrics", NULL, NULL);
	cr_expect(la_scrape_is_right(got.body), "%s", got.body);
	la_fetched_free(&got);
	site_end(&s);
}
