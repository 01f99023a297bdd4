// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_icmp.c - ICMP errors of real routers and firewalls, and what connect() makes of them.
 *
 * The router rejects by nft and by its routes, every kind of error that Linux sends. The
 * client's kernel says how the attempt ended; lastack, at the client or at the router, must
 * say the same: `refused` where connect() fails with ECONNREFUSED, `unreachable` where it
 * fails with anything else. An open connection takes the same errors, and goes on.
 */
#include "observer.h"
#include "pair.h"
#include "told.h"
#include "truth.h"
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLIENT_PORT 42000 /* of the first attempt, the next one has the next */
#define OPEN_PORT   9100
#define PATIENCE_MS 30000

/* Ports that nft rejects, and destinations that the router's routes do. */
static const char *const setup_router[2] = {
	"echo 0 >/proc/sys/net/ipv4/icmp_ratelimit; ip route add unreachable 10.9.4.0/24; "
	"ip route add prohibit 10.9.5.0/24; nft 'table ip t { chain c { type filter hook forward "
	"priority 0; tcp dport 9001 reject with icmp type port-unreachable; "
	"tcp dport 9002 reject with icmp type host-unreachable; "
	"tcp dport 9003 reject with icmp type net-unreachable; "
	"tcp dport 9004 reject with icmp type admin-prohibited; "
	"tcp dport 9005 reject with icmp type prot-unreachable; "
	"tcp dport 9006 reject with tcp reset; }; }'",
	"echo 0 >/proc/sys/net/ipv6/icmp/ratelimit; ip route add unreachable fd09::4:0/112; "
	"ip route add prohibit fd09::5:0/112; nft 'table ip6 t { chain c { type filter hook "
	"forward priority 0; tcp dport 9001 reject with icmpv6 type port-unreachable; "
	"tcp dport 9002 reject with icmpv6 type addr-unreachable; "
	"tcp dport 9003 reject with icmpv6 type no-route; "
	"tcp dport 9004 reject with icmpv6 type admin-prohibited; "
	"tcp dport 9006 reject with tcp reset; }; }'",
};

static const char *const setup_client[2] = {
	"ip route add default via 10.9.1.254",
	"ip route add default via fd09::1:fe",
};

/* Only what goes to the server, so that its answers are no quoted segments. */
static const char *const block[2] = {
	"nft 'table ip b { chain c { type filter hook forward priority 0; tcp dport 9100 reject "
	"with icmp type port-unreachable; }; }'",
	"nft 'table ip6 b { chain c { type filter hook forward priority 0; tcp dport 9100 reject "
	"with icmpv6 type port-unreachable; }; }'",
};
static const char *const unblock[2] = {"nft delete table ip b", "nft delete table ip6 b"};

/* An attempt: where to, and the error that is sent. */
struct attempt {
	const char *to; /* NULL: the server */
	unsigned short port;
	const char *icmp; /* NULL: a RST */
	int type, code;
};

static const struct attempt attempts4[] = {
	{NULL, 9001, "port_unreachable", 3, 3},
	{NULL, 9002, "host_unreachable", 3, 1},
	{NULL, 9003, "net_unreachable", 3, 0},
	{NULL, 9004, "admin_prohibited", 3, 13},
	{NULL, 9005, "other", 3, 2},
	{NULL, 9006, NULL, 0, 0},
	{"10.9.3.1", 9000, "net_unreachable", 3, 0}, /* no route */
	{"10.9.4.1", 9000, "host_unreachable", 3, 1},
	{"10.9.5.1", 9000, "admin_prohibited", 3, 13},
};
static const struct attempt attempts6[] = {
	{NULL, 9001, "port_unreachable", 1, 4},
	{NULL, 9002, "host_unreachable", 1, 3},
	{NULL, 9003, "net_unreachable", 1, 0},
	{NULL, 9004, "admin_prohibited", 1, 1},
	{NULL, 9006, NULL, 0, 0},
	{"fd09::3:1", 9000, "net_unreachable", 1, 0},
	{"fd09::4:1", 9000, "net_unreachable", 1, 0}, /* of such a route Linux says the same */
	{"fd09::5:1", 9000, "admin_prohibited", 1, 1},
};

static const struct {
	const struct attempt *row;
	int count;
} attempts[2] = {
	{attempts4, sizeof(attempts4) / sizeof(*attempts4)},
	{attempts6, sizeof(attempts6) / sizeof(*attempts6)},
};

/* Where lastack stands, and what it watches. */
struct view {
	enum la_lab_host host;
	bool v6;
};

static bool shell(struct la_lab *lab, enum la_lab_host host, const char *command)
{
	const char *const argv[] = {"sh", "-ec", command, NULL};
	pid_t pid = la_lab_spawn(lab, host, argv, -1, -1);
	int status = -1;

	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static struct la_lab *make_lab(const struct view *view)
{
	struct la_lab *lab = la_lab_new(true);

	cr_assert(lab && shell(lab, LA_LAB_ROUTER, setup_router[view->v6]) &&
			  shell(lab, LA_LAB_CLIENT, setup_client[view->v6]),
		  "no laboratory");
	return lab;
}

static struct la_observer *observe(struct la_lab *lab, const struct view *view)
{
	const char *const options[] = {NULL};
	bool router = view->host == LA_LAB_ROUTER;
	struct la_observer *obs = la_observer_start(lab, view->host, router ? "left" : "eth0",
						    router ? "right" : NULL, options);

	cr_assert(obs, "lastack did not start");
	return obs;
}

static struct la_lab_addr destination(const struct attempt *a, int family)
{
	struct la_lab_addr to = la_lab_addr(LA_LAB_SERVER, family, a->port);

	if (a->to && family == AF_INET)
		inet_pton(family, a->to, &((struct sockaddr_in *)&to.sa)->sin_addr);
	else if (a->to)
		inet_pton(family, a->to, &((struct sockaddr_in6 *)&to.sa)->sin6_addr);
	return to;
}

/* The errno by which connect() fails; 0 if it did not in time. */
static int attempt(struct la_lab *lab, const struct attempt *a, int family, unsigned short port)
{
	struct la_lab_addr from = la_lab_addr(LA_LAB_CLIENT, family, port);
	struct la_lab_addr to = destination(a, family);
	int fd = la_lab_socket(lab, LA_LAB_CLIENT, family, SOCK_STREAM, 0), error = 0;
	struct pollfd wait = {.fd = fd, .events = POLLOUT};
	socklen_t len = sizeof(error);

	cr_assert(fd >= 0 && !bind(fd, (const struct sockaddr *)&from.sa, from.len));
	if (connect(fd, (const struct sockaddr *)&to.sa, to.len) && errno != EINPROGRESS)
		error = errno;
	else if (poll(&wait, 1, PATIENCE_MS) == 1)
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	close(fd);
	return error;
}

static bool enough_closes(const json_t *records, void *count)
{
	int closes = 0;
	size_t i;

	for (i = 0; i < json_array_size(records); i++)
		closes += !strcmp(la_told_text(json_array_get(records, i), "type"), "close");
	return closes >= *(int *)count;
}

static long long number_of(const json_t *record, const char *key)
{
	return json_integer_value(json_object_get(record, key));
}

static void check_attempt(struct la_observer *obs, const struct attempt *a, unsigned short port,
			  int error)
{
	struct la_told told = {0};
	int count = la_told_gather(la_observer_records(obs), port, a->port, &told, 1);
	const char *reason = error == ECONNREFUSED ? "refused" : "unreachable";

	cr_assert(count == 1 && told.closes == 1, "%s port %u: %d connections told",
		  a->to ? a->to : "server", a->port, count);
	cr_expect_str_eq(la_told_text(told.close, "reason"), reason, "%s port %u: %s, but %s",
			 a->to ? a->to : "server", a->port, la_told_text(told.close, "reason"),
			 strerror(error));
	cr_expect_str_eq(la_told_text(told.close, "icmp"), a->icmp ? a->icmp : "");
	cr_expect_eq(number_of(told.close, "icmp_type"), a->type);
	cr_expect_eq(number_of(told.close, "icmp_code"), a->code);
	cr_expect_str_eq(la_told_text(told.close, "orig_state"), "CLOSED");
}

static struct view views[] = {
	{LA_LAB_CLIENT, false},
	{LA_LAB_CLIENT, true},
	{LA_LAB_ROUTER, false},
	{LA_LAB_ROUTER, true},
};

ParameterizedTestParameters(icmp, attempts_end_as_connect_does)
{
	return cr_make_param_array(struct view, views, sizeof(views) / sizeof(*views));
}

ParameterizedTest(struct view *view, icmp, attempts_end_as_connect_does)
{
	struct la_lab *lab = make_lab(view);
	struct la_observer *obs = observe(lab, view);
	int errors[16], family = view->v6 ? AF_INET6 : AF_INET, i;
	int count = attempts[view->v6].count;

	for (i = 0; i < count; i++) {
		errors[i] = attempt(lab, &attempts[view->v6].row[i], family,
				    (unsigned short)(CLIENT_PORT + i));
		cr_assert_neq(errors[i], 0, "connect() of attempt %d did not fail", i);
	}
	cr_expect(la_observer_until(obs, enough_closes, &count, PATIENCE_MS), "too few closes");
	cr_expect_eq(la_observer_stop(obs), 0);
	for (i = 0; i < count; i++)
		check_attempt(obs, &attempts[view->v6].row[i], (unsigned short)(CLIENT_PORT + i),
			      errors[i]);
	la_observer_free(obs);
	la_lab_free(lab);
}

/* ---- an open connection ---- */

/* Destination unreachable errors that the client's kernel has taken in. */
static long long errors_taken(struct la_lab *lab, bool v6)
{
	char line[512];
	long long n, found = -1;
	FILE *file;
	int skip;

	cr_assert(la_lab_enter(lab, LA_LAB_CLIENT));
	file = fopen(v6 ? "/proc/thread-self/net/snmp6" : "/proc/thread-self/net/snmp", "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (v6 ? sscanf(line, "Icmp6InDestUnreachs %lld", &n) == 1
		       : sscanf(line, "Icmp: %d %*d %*d %lld", &skip, &n) == 2)
			found = n;
	}
	if (file)
		fclose(file);
	la_lab_leave(lab);
	return found;
}

static bool error_arrives(struct la_lab *lab, bool v6)
{
	for (int ms = 0; ms < PATIENCE_MS; ms += 10) {
		if (errors_taken(lab, v6) > 0)
			return true;
		poll(NULL, 0, 10);
	}
	return false;
}

ParameterizedTestParameters(icmp, an_open_connection_goes_on)
{
	return cr_make_param_array(struct view, views, sizeof(views) / sizeof(*views));
}

ParameterizedTest(struct view *view, icmp, an_open_connection_goes_on)
{
	struct la_lab *lab = make_lab(view);
	struct la_observer *obs = observe(lab, view);
	int family = view->v6 ? AF_INET6 : AF_INET, one = 1;
	struct la_told told = {0};
	struct la_pair pair;
	char got[10];

	cr_assert(la_pair_open(&pair, lab, family, CLIENT_PORT, OPEN_PORT));
	cr_assert(la_pair_carry(pair.client, pair.server, 100));
	cr_assert(shell(lab, LA_LAB_ROUTER, block[view->v6]));
	cr_assert_eq(send(pair.client, got, sizeof(got), 0), (ssize_t)sizeof(got));
	cr_assert(error_arrives(lab, view->v6), "no ICMP error reached the client");
	cr_expect_eq(la_truth_state(lab, LA_LAB_CLIENT, family, CLIENT_PORT, OPEN_PORT),
		     LA_ESTABLISHED);
	cr_assert(shell(lab, LA_LAB_ROUTER, unblock[view->v6]));
	cr_assert(poll(&(struct pollfd){.fd = pair.server, .events = POLLIN}, 1, PATIENCE_MS) == 1,
		  "the data does not come again");
	cr_assert_eq(recv(pair.server, got, sizeof(got), 0), (ssize_t)sizeof(got));
	shutdown(pair.client, SHUT_WR);
	cr_assert(la_pair_ended(pair.server));
	close(pair.server);
	cr_expect(la_observer_until(obs, enough_closes, &one, PATIENCE_MS), "no close record");
	cr_expect_eq(la_observer_stop(obs), 0);
	cr_assert_eq(la_told_gather(la_observer_records(obs), CLIENT_PORT, OPEN_PORT, &told, 1), 1);
	cr_expect_str_eq(la_told_text(told.close, "reason"), "fin");
	cr_expect_str_eq(la_told_text(told.close, "icmp"), "port_unreachable");
	cr_expect_str_eq(la_told_text(told.close, "icmp_to"), "orig");
	cr_expect_eq(la_told_number(&told, LA_LAB_CLIENT, "bytes"), 110);
	close(pair.client);
	la_observer_free(obs);
	la_lab_free(lab);
}
