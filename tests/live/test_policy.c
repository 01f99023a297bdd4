// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_policy.c - policies with real sockets: who is reset learns it, who is not does not.
 *
 * What a socket says is the truth; what lastack says of it has to agree.
 */
#include "clock.h"
#include "config_file.h"
#include "observer.h"
#include "pair.h"
#include "scrape.h"
#include "told.h"
#include "vlan.h"
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Patience for what does not depend on speed, ms. */
#define SOON_MS 30000

#define CLIENT_PORT 44100
#define SERVER_PORT 9700

/* Its socket, in a mount namespace of the test's own: it goes with the test as well. */
#define CONTROL "/mnt/lastack.sock"

static void world(void)
{
	cr_assert(!unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
		  !mount("tmpfs", "/mnt", "tmpfs", 0, NULL));
}

TestSuite(policy, .init = world);

/* ---- a lab with lastack in it ---- */

enum place { AT_HOST, AT_ROUTER, AT_BRIDGE };

static const struct {
	const char *name;
	bool router; /* there is a host between */
	enum la_lab_host host;
	const char *first, *second; /* interfaces */
} places[] = {
	[AT_HOST] = {"host", false, LA_LAB_SERVER, "eth0", NULL},
	[AT_ROUTER] = {"router", true, LA_LAB_ROUTER, "left", "right"},
	[AT_BRIDGE] = {"bridge", true, LA_LAB_ROUTER, "left", "right"},
};

/*
 * left and right become ports of a bridge without addresses; the hosts are neighbours, each
 * with the other's link layer address.
 */
#define NEIGHBOUR(addr4, addr6, mac)                                                               \
	"ip route replace " addr4 "/32 dev eth0 && ip -6 route replace " addr6 "/128 dev eth0 && " \
	"ip neigh replace " addr4 " lladdr " mac " dev eth0 nud permanent && "                     \
	"ip neigh replace " addr6 " lladdr " mac " dev eth0 nud permanent"

static const char *const bridge_scripts[LA_LAB_HOSTS] = {
	[LA_LAB_ROUTER] = "ip addr flush dev left && ip addr flush dev right && "
			  "ip link add b0 type bridge && ip link set left master b0 && "
			  "ip link set right master b0 && ip link set b0 up",
	[LA_LAB_CLIENT] = NEIGHBOUR("10.9.2.1", "fd09::2:1", "02:09:00:00:02:01"),
	[LA_LAB_SERVER] = NEIGHBOUR("10.9.1.1", "fd09::1:1", "02:09:00:00:01:01"),
};

/* How the hosts' frames are tagged, and where lastack looks. */
struct tagging {
	int tags; /* 0: not at all */
	bool in_frame;
	char hook[8]; /* of --hook */
};

struct watch {
	struct la_lab *lab;
	struct la_vlan *vlan; /* NULL: there is none */
	struct la_observer *obs;
	struct la_config_file file;
};

static struct watch watch_start_tagged(enum place place, const char *text, struct tagging tagging)
{
	struct watch w = {.lab = la_lab_new(places[place].router),
			  .file = la_config_file_new(text)};
	const char *const options[] = {"--config", w.file.path,	 "--control", CONTROL,
				       "--hook",   tagging.hook, NULL};

	cr_assert(w.lab);
	for (int host = 0; place == AT_BRIDGE && host < LA_LAB_HOSTS; host++)
		cr_assert(la_lab_sh(w.lab, (enum la_lab_host)host, "%s", bridge_scripts[host]));
	if (tagging.tags)
		w.vlan = la_vlan_new(w.lab, tagging.tags, tagging.in_frame, place == AT_ROUTER);
	cr_assert(w.vlan || !tagging.tags);
	w.obs = la_observer_start(w.lab, places[place].host, places[place].first,
				  places[place].second, options);
	cr_assert(w.obs, "lastack did not start");
	return w;
}

static struct watch watch_start(enum place place, const char *text)
{
	return watch_start_tagged(place, text, (struct tagging){.hook = "auto"});
}

static void watch_end(struct watch *w)
{
	cr_expect(la_observer_stop(w->obs) == 0, "%s", la_observer_stderr(w->obs));
	la_observer_free(w->obs);
	la_vlan_free(w->vlan);
	la_lab_free(w->lab);
	close(w->file.fd);
}

/* ---- connections ---- */

static struct la_pair talk(const struct watch *w, int family, int n)
{
	struct la_pair pair;

	cr_assert(la_pair_open(&pair, w->lab, family, (unsigned short)(CLIENT_PORT + n),
			       (unsigned short)(SERVER_PORT + n)));
	cr_assert(la_pair_carry(pair.client, pair.server, 3000) &&
		  la_pair_carry(pair.server, pair.client, 2000));
	return pair;
}

static void hang_up(const struct la_pair *pair)
{
	close(pair->client);
	close(pair->server);
}

/* Waits until something can be read, and returns the error that reading gives, 0 if none. */
static int error_of(int fd)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	char byte;

	if (poll(&wait, 1, SOON_MS) != 1)
		return ETIMEDOUT;
	return recv(fd, &byte, 1, 0) < 0 ? errno : 0;
}

static void expect_reset(const struct la_pair *pair)
{
	cr_expect_eq(error_of(pair->client), ECONNRESET, "the client is not told");
	cr_expect_eq(error_of(pair->server), ECONNRESET, "the server is not told");
}

static void expect_alive(const struct la_pair *pair)
{
	cr_expect(la_pair_carry(pair->client, pair->server, 1000) &&
			  la_pair_carry(pair->server, pair->client, 1000),
		  "the connection has gone");
}

/* ---- records ---- */

struct wanted {
	int n; /* of the connection */
	const char *type, *key, *word;
	int count, least;
	const json_t *found; /* the last one */
};

static bool is_there(const json_t *records, void *ctx)
{
	struct wanted *wanted = ctx;
	json_t *record;
	size_t i;

	wanted->count = 0;
	json_array_foreach (records, i, record) {
		if (strcmp(la_told_text(record, "type"), wanted->type) != 0 ||
		    (wanted->key && strcmp(la_told_text(record, wanted->key), wanted->word) != 0) ||
		    (wanted->n >= 0 && json_integer_value(json_object_get(record, "resp_port")) !=
					       SERVER_PORT + wanted->n))
			continue;
		wanted->count++;
		wanted->found = record;
	}
	return wanted->count >= wanted->least;
}

/* The last record of connection n of a type with a word; waits for it. */
static const json_t *record_of(const struct watch *w, int n, const char *type, const char *key,
			       const char *word)
{
	struct wanted wanted = {.n = n, .type = type, .key = key, .word = word, .least = 1};

	cr_assert(la_observer_until(w->obs, is_there, &wanted, SOON_MS),
		  "no %s record of %d with %s %s:\n%s", type, n, key, word,
		  la_observer_stderr(w->obs));
	return wanted.found;
}

/* How many there are so far. */
static int count_of(const struct watch *w, int n, const char *type, const char *key,
		    const char *word)
{
	struct wanted wanted = {.n = n, .type = type, .key = key, .word = word, .least = 1 << 30};

	la_observer_until(w->obs, is_there, &wanted, 0);
	return wanted.count;
}

static long long number_of(const json_t *record, const char *key)
{
	return json_integer_value(json_object_get(record, key));
}

/* ---- reset ---- */

struct reset_case {
	enum place place;
	int family;
};

ParameterizedTestParameters(policy, both_ends_are_reset)
{
	static struct reset_case cases[] = {{AT_HOST, AF_INET},	  {AT_HOST, AF_INET6},
					    {AT_ROUTER, AF_INET}, {AT_ROUTER, AF_INET6},
					    {AT_BRIDGE, AF_INET}, {AT_BRIDGE, AF_INET6}};

	return cr_make_param_array(struct reset_case, cases, sizeof(cases) / sizeof(*cases));
}

ParameterizedTest(struct reset_case *c, policy, both_ends_are_reset)
{
	struct watch w = watch_start(c->place, "policies:\n"
					       "- name: idle\n"
					       "  match: dport 9700\n"
					       "  when: idle > 500ms\n"
					       "  action: reset\n");
	struct la_pair pair = talk(&w, c->family, 0), other = talk(&w, c->family, 1);
	const json_t *policy, *close;

	expect_reset(&pair);
	policy = record_of(&w, 0, "policy", "policy", "idle");
	close = record_of(&w, 0, "close", "reason", "policy");
	cr_expect_str_eq(la_told_text(policy, "action"), "reset");
	cr_expect_str_eq(la_told_text(policy, "result"), "done");
	cr_expect_eq(number_of(policy, "tries"), 1);
	cr_expect_str_eq(la_told_text(close, "closed_by"), "policy");
	cr_expect_null(json_object_get(close, "forged"), "its own RST is no forged one");
	cr_expect_eq(
		json_array_size(json_object_get(record_of(&w, 0, "rst", NULL, NULL), "forged")), 0);
	cr_expect_eq(count_of(&w, 0, "rst", NULL, NULL), c->place == AT_HOST ? 1 : 2,
		     "one to each end; to the host itself it goes over lo");
	cr_log_info("%s, IPv%d: %lld ms after the last segment: %s", places[c->place].name,
		    c->family == AF_INET ? 4 : 6, number_of(close, "duration_ns") / 1000000,
		    la_told_text(policy, "detail"));
	expect_alive(&other);
	hang_up(&pair);
	hang_up(&other);
	watch_end(&w);
}

#define IDLE_MS	 500
#define ATTEMPTS 10

/* As both sockets say. A machine may be busy elsewhere for longer, but not always. */
Test(policy, both_ends_know_within_a_second_of_the_deadline)
{
	struct watch w = watch_start(AT_ROUTER, "policies:\n"
						"- {name: idle, match: tcp, when: idle > 500ms, "
						"action: reset}\n");
	long long late = 1 << 30;

	for (int n = 0; late > 1000 && n < ATTEMPTS; n++) {
		struct la_pair pair = talk(&w, AF_INET, n);
		long long deadline = la_monotonic_ms() + IDLE_MS;

		expect_reset(&pair);
		late = la_monotonic_ms() - deadline;
		hang_up(&pair);
	}
	cr_log_info("%lld ms after the deadline", late);
	cr_expect_leq(late, 1000);
	watch_end(&w);
}

struct vlan_case {
	enum place place;
	int family;
	struct tagging tagging;
};

#define IN_FRAME                                                                                   \
	{                                                                                          \
		1, true, "xdp"                                                                     \
	}
#define BESIDE                                                                                     \
	{                                                                                          \
		1, false, "tc"                                                                     \
	}
#define TWO_TAGS                                                                                   \
	{                                                                                          \
		2, false, "auto"                                                                   \
	}

ParameterizedTestParameters(policy, both_ends_are_reset_in_their_vlan)
{
	static struct vlan_case cases[] = {
		{AT_HOST, AF_INET, IN_FRAME},	 {AT_HOST, AF_INET6, BESIDE},
		{AT_ROUTER, AF_INET6, IN_FRAME}, {AT_ROUTER, AF_INET, BESIDE},
		{AT_ROUTER, AF_INET6, TWO_TAGS}, {AT_BRIDGE, AF_INET, IN_FRAME},
		{AT_BRIDGE, AF_INET6, IN_FRAME}, {AT_BRIDGE, AF_INET, BESIDE},
		{AT_BRIDGE, AF_INET6, BESIDE},	 {AT_BRIDGE, AF_INET, TWO_TAGS},
		{AT_BRIDGE, AF_INET6, TWO_TAGS},
	};

	return cr_make_param_array(struct vlan_case, cases, sizeof(cases) / sizeof(*cases));
}

/* A host hears nothing without its tags, so who reads ECONNRESET got them. */
ParameterizedTest(struct vlan_case *c, policy, both_ends_are_reset_in_their_vlan)
{
	struct watch w = watch_start_tagged(c->place,
					    "policies:\n"
					    "- {name: idle, match: dport 9700, when: idle > 500ms, "
					    "action: reset}\n",
					    c->tagging);
	struct la_pair pair = talk(&w, c->family, 0), other = talk(&w, c->family, 1);
	struct la_vlan_counts counts;

	expect_reset(&pair);
	cr_expect_str_eq(la_told_text(record_of(&w, 0, "policy", "policy", "idle"), "result"),
			 "done");
	counts = la_vlan_counts(w.vlan);
	cr_expect_eq(counts.bare_rsts, 0, "%s: %u RSTs without all tags", places[c->place].name,
		     counts.bare_rsts);
	cr_expect_eq(counts.rsts, c->place == AT_HOST ? 1 : 2, "%s: %u RSTs with tags",
		     places[c->place].name, counts.rsts);
	if (c->tagging.in_frame)
		cr_expect_eq(counts.rsts_in_frame, 1, "%s: %u RSTs at the client's XDP with a tag",
			     places[c->place].name, counts.rsts_in_frame);
	expect_alive(&other);
	hang_up(&pair);
	hang_up(&other);
	watch_end(&w);
}

/* A strict gate lets lastack's own RSTs pass. */
Test(policy, a_half_closed_connection_is_reset_by_its_port)
{
	struct watch w = watch_start(AT_ROUTER, "rst-policy: strict\n"
						"policies:\n"
						"- name: leak\n"
						"  match: resp state close-wait and dport 9700\n"
						"  when: resp in-state > 300ms\n"
						"  action: reset\n");
	struct la_pair leaks = talk(&w, AF_INET, 0), other = talk(&w, AF_INET, 1);

	shutdown(leaks.client, SHUT_WR);
	shutdown(other.client, SHUT_WR);
	cr_expect_eq(error_of(leaks.client), ECONNRESET, "the client is not told");
	record_of(&w, 0, "policy", "result", "done");
	record_of(&w, 0, "close", "reason", "policy");
	cr_expect_eq(count_of(&w, 0, "rst", NULL, NULL), 2, "one RST to each end");
	cr_expect(la_pair_carry(other.server, other.client, 1000), "the other one has gone");
	hang_up(&leaks);
	hang_up(&other);
	watch_end(&w);
}

#define CROWD 30

Test(policy, the_brake_holds_a_policy_that_would_reset_everything)
{
	struct watch w = watch_start(AT_HOST, "max-resets-per-second: 5\n"
					      "policies:\n"
					      "- {name: all, match: tcp, when: age > 1s, "
					      "action: reset}\n");
	struct la_pair crowd[CROWD];
	long long first, sixth = 0, ts;
	const json_t *records;
	int alive = 0, n = 0;
	json_t *record;
	size_t i;

	for (int c = 0; c < CROWD; c++)
		crowd[c] = talk(&w, AF_INET, c);
	cr_expect(la_observer_says(w.obs, "lastack: policies: the brake holds resets back "
					  "(max-resets-per-second: 5)"));
	for (int c = 0; c < CROWD; c++)
		alive += la_pair_carry(crowd[c].client, crowd[c].server, 1);
	cr_expect(alive > 0, "it came too late");
	/* after the five that there are at once, not more than five a second */
	struct wanted wanted = {
		.n = -1, .type = "policy", .key = "result", .word = "done", .least = CROWD};
	cr_assert(la_observer_until(w.obs, is_there, &wanted, 3 * SOON_MS), "%d of %d",
		  wanted.count, CROWD);
	records = la_observer_records(w.obs);
	first = 0;
	json_array_foreach (records, i, record) {
		if (strcmp(la_told_text(record, "type"), "close") != 0)
			continue;
		ts = number_of(record, "ts_ns");
		first = first ? first : ts;
		sixth = ts;
		n++;
	}
	cr_expect_eq(n, CROWD);
	cr_expect(sixth - first >= (CROWD - 5 - 1) * 200000000LL, "%d in %lld ms", n,
		  (sixth - first) / 1000000);
	for (int c = 0; c < CROWD; c++)
		hang_up(&crowd[c]);
	watch_end(&w);
}

#define DONE(policy, action)                                                                       \
	"lastack_policy_actions_total{policy=\"" policy "\",action=\"" action "\",result="         \
	"\"done\"}"
#define HELD(policy, action, by)                                                                   \
	"lastack_policy_held_total{policy=\"" policy "\",action=\"" action "\",by=\"" by "\"}"

/* Of each connection the second policy is asked right behind the first. */
Test(policy, a_rate_holds_a_policy_and_all_is_counted)
{
	struct watch w = watch_start(AT_HOST, "protect: port 9703\n"
					      "policies:\n"
					      "- {name: few, match: tcp, when: age > 300ms, "
					      "action: log, rate: 2/d burst 2}\n"
					      "- {name: all, match: tcp, when: age > 300ms, "
					      "action: log}\n"
					      "- {name: end, match: dport 9702-9703, "
					      "when: age > 300ms, action: expire}\n");
	struct la_pair pairs[4];

	for (int n = 0; n < 4; n++)
		pairs[n] = talk(&w, AF_INET, n);
	la_scrape_until(w.lab, LA_LAB_SERVER,
			(struct la_series[]){{DONE("all", "log"), 4},
					     {DONE("few", "log"), 2},
					     {DONE("end", "expire"), 1},
					     {HELD("end", "expire", "protect"), 1}},
			4);
	record_of(&w, 2, "policy", "policy", "end");
	cr_expect_eq(count_of(&w, -1, "policy", "policy", "few"), 2);
	cr_expect_eq(count_of(&w, -1, "policy", "policy", "all"), 4);
	for (int n = 0; n < 4; n++)
		hang_up(&pairs[n]);
	watch_end(&w);
}

Test(policy, what_is_protected_is_left_alone)
{
	struct watch w = watch_start(AT_HOST, "protect: host 10.9.1.1 and dport 9701\n"
					      "policies:\n"
					      "- {name: drop, match: dport 9701, action: drop}\n"
					      "- {name: all, match: tcp, when: idle > 300ms, "
					      "action: reset}\n");
	struct la_pair safe = talk(&w, AF_INET, 1), pair = talk(&w, AF_INET, 0);

	expect_reset(&pair);
	record_of(&w, 0, "policy", "result", "done");
	expect_alive(&safe);
	cr_expect_eq(count_of(&w, 1, "policy", NULL, NULL), 0);
	hang_up(&pair);
	hang_up(&safe);
	watch_end(&w);
}

Test(policy, a_dry_run_leaves_records_and_nothing_else)
{
	struct watch w = watch_start(
		AT_ROUTER, "policies:\n"
			   "- {name: cut, match: tcp, when: idle > 200ms, action: reset, "
			   "dry_run: true}\n"
			   "- {name: drop, match: tcp, action: drop, dry-run: yes}\n"
			   "- {name: forget, match: tcp, when: idle > 200ms, action: expire, "
			   "dry-run: true}\n");
	struct la_pair pair = talk(&w, AF_INET6, 0);

	cr_expect(json_is_true(
		json_object_get(record_of(&w, 0, "policy", "policy", "cut"), "dry_run")));
	cr_expect_str_eq(la_told_text(record_of(&w, 0, "policy", "policy", "drop"), "result"),
			 "dry_run");
	record_of(&w, 0, "policy", "policy", "forget");
	expect_alive(&pair);
	hang_up(&pair);
	cr_expect_str_eq(la_told_text(record_of(&w, 0, "close", NULL, NULL), "closed_by"), "orig");
	watch_end(&w);
}

/* A host whose firewall drops RSTs, at that hook of netfilter. */
static void drop_rsts(const struct watch *w, enum la_lab_host host, const char *hook)
{
	cr_assert(la_lab_sh(w->lab, host,
			    "nft 'add table inet t; add chain inet t c { type filter hook %s "
			    "priority 0; }; add rule inet t c tcp flags rst drop'",
			    hook));
}

/* The RSTs leave, and do not arrive; the connection goes on. */
Test(policy, a_reset_that_fails_is_tried_three_times_and_told)
{
	struct watch w = watch_start(AT_ROUTER, "policies:\n"
						"- {name: cut, match: tcp, when: age > 300ms, "
						"action: reset}\n");
	struct wanted failed = {
		.n = 0, .type = "policy", .key = "result", .word = "failed", .least = 1};
	struct la_pair pair;
	int i = 0;

	drop_rsts(&w, LA_LAB_CLIENT, "input");
	drop_rsts(&w, LA_LAB_SERVER, "input");
	pair = talk(&w, AF_INET, 0);
	for (; !la_observer_until(w.obs, is_there, &failed, 20) && i < SOON_MS / 20; i++)
		expect_alive(&pair);
	cr_assert_eq(failed.count, 1, "%d", failed.count);
	cr_expect_eq(number_of(failed.found, "tries"), 3);
	cr_expect_str_eq(la_told_text(failed.found, "detail"), "the connection goes on");
	expect_alive(&pair);
	hang_up(&pair);
	watch_end(&w);
}

/* They do not even leave. */
Test(policy, a_reset_that_may_not_be_sent_says_why)
{
	struct watch w = watch_start(AT_ROUTER, "policies:\n"
						"- {name: cut, match: tcp, when: idle > 300ms, "
						"action: reset}\n");
	struct la_pair pair;
	const json_t *failed;

	drop_rsts(&w, LA_LAB_ROUTER, "output");
	pair = talk(&w, AF_INET, 0);
	failed = record_of(&w, 0, "policy", "result", "failed");
	cr_expect_eq(number_of(failed, "tries"), 3);
	cr_expect_str_eq(la_told_text(failed, "detail"), "Operation not permitted");
	expect_alive(&pair);
	cr_expect_eq(count_of(&w, 0, "close", NULL, NULL), 0);
	hang_up(&pair);
	watch_end(&w);
}

/* ---- sockets of this host ---- */

/* A connection whose server still listens. */
static struct la_pair accept_one(const struct watch *w, int listener)
{
	struct la_lab_addr from = la_lab_addr(LA_LAB_CLIENT, AF_INET, CLIENT_PORT),
			   to = la_lab_addr(LA_LAB_SERVER, AF_INET, SERVER_PORT);
	struct pollfd wait = {.fd = listener, .events = POLLIN};
	struct la_pair pair = {
		.client = la_lab_socket(w->lab, LA_LAB_CLIENT, AF_INET, SOCK_STREAM, 0)};

	cr_assert(!bind(listener, (struct sockaddr *)&to.sa, to.len) && !listen(listener, 4));
	cr_assert(!bind(pair.client, (struct sockaddr *)&from.sa, from.len));
	connect(pair.client, (struct sockaddr *)&to.sa, to.len);
	cr_assert(poll(&wait, 1, SOON_MS) == 1);
	pair.server = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	cr_assert(pair.server >= 0 && la_pair_carry(pair.client, pair.server, 1000));
	return pair;
}

static bool listens(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	return !getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) && info.tcpi_state == TCP_LISTEN;
}

/* The server resets what is idle, and drops RSTs itself. */
static struct watch watch_behind_firewall(const char *hook)
{
	struct watch w = watch_start(AT_HOST, "policies:\n"
					      "- {name: cut, match: tcp, when: idle > 300ms, "
					      "action: reset}\n");

	drop_rsts(&w, LA_LAB_SERVER, hook);
	return w;
}

/* No hook sees whether it gets there. Who listens on the port is another socket. */
Test(policy, a_socket_that_its_rst_does_not_reach_is_destroyed)
{
	struct watch w = watch_behind_firewall("input");
	int listener = la_lab_socket(w.lab, LA_LAB_SERVER, AF_INET, SOCK_STREAM, 0);
	struct la_pair pair;
	const json_t *done;

	pair = accept_one(&w, listener);
	cr_expect_eq(error_of(pair.client), ECONNRESET, "the client is not told");
	cr_expect_eq(error_of(pair.server), ECONNABORTED, "the server is not told");
	done = record_of(&w, 0, "policy", "result", "done");
	cr_expect(strstr(la_told_text(done, "detail"), ", socket of resp destroyed"), "%s",
		  la_told_text(done, "detail"));
	cr_expect(listens(listener), "it listens no more");
	hang_up(&pair);
	close(listener);
	watch_end(&w);
}

/* No RST leaves the host, not the kernel's own either: one end is told at least. */
Test(policy, a_socket_whose_reset_fails_is_destroyed)
{
	struct watch w = watch_behind_firewall("output");
	int listener = la_lab_socket(w.lab, LA_LAB_SERVER, AF_INET, SOCK_STREAM, 0);
	struct la_pair pair;
	const json_t *failed;

	pair = accept_one(&w, listener);
	cr_expect_eq(error_of(pair.server), ECONNABORTED, "the server is not told");
	failed = record_of(&w, 0, "policy", "result", "failed");
	cr_expect_eq(number_of(failed, "tries"), 3);
	cr_expect_str_eq(la_told_text(failed, "detail"),
			 "Operation not permitted; its socket here is destroyed");
	cr_expect(listens(listener), "it listens no more");
	hang_up(&pair);
	close(listener);
	watch_end(&w);
}

/* ---- the other actions ---- */

Test(policy, a_dropped_connection_carries_nothing_any_more)
{
	struct watch w = watch_start(AT_ROUTER, "policies:\n"
						"- {name: wall, match: dport 9700, "
						"when: transition close-wait, action: drop}\n");
	struct la_pair pair = talk(&w, AF_INET, 0), other = talk(&w, AF_INET, 1);
	struct pollfd wait = {.fd = pair.client, .events = POLLIN};

	shutdown(pair.client, SHUT_WR);
	record_of(&w, 0, "policy", "result", "done");
	cr_expect(send(pair.server, "x", 1, MSG_NOSIGNAL) == 1);
	cr_expect_eq(poll(&wait, 1, 700), 0, "it has passed");
	expect_alive(&other);
	hang_up(&pair);
	hang_up(&other);
	watch_end(&w);
}

Test(policy, an_expired_connection_is_forgotten_and_lives)
{
	struct watch w = watch_start(AT_HOST, "policies:\n"
					      "- {name: forget, match: tcp, when: idle > 300ms, "
					      "action: expire}\n");
	struct la_pair pair = talk(&w, AF_INET, 0);

	cr_expect_str_eq(la_told_text(record_of(&w, 0, "close", "reason", "policy"), "closed_by"),
			 "policy");
	record_of(&w, 0, "gone", "why", "policy");
	record_of(&w, 0, "policy", "action", "expire");
	expect_alive(&pair);
	hang_up(&pair);
	watch_end(&w);
}

Test(policy, the_first_that_acts_is_the_last_that_is_asked)
{
	struct watch w = watch_start(AT_HOST, "policies:\n"
					      "- {name: a, match: tcp, when: age > 300ms, "
					      "action: log}\n"
					      "- {name: b, match: tcp, when: age > 300ms, "
					      "action: reset, dry-run: true}\n"
					      "- {name: c, match: tcp, when: age > 300ms, "
					      "action: expire}\n"
					      "- {name: d, match: tcp, when: age > 300ms, "
					      "action: reset}\n");
	struct la_pair pair = talk(&w, AF_INET, 0);

	record_of(&w, 0, "gone", "why", "policy");
	record_of(&w, 0, "policy", "policy", "c");
	cr_expect_eq(count_of(&w, 0, "policy", "policy", "a"), 1);
	cr_expect_eq(count_of(&w, 0, "policy", "policy", "b"), 1);
	cr_expect_eq(count_of(&w, 0, "policy", "policy", "d"), 0);
	expect_alive(&pair);
	hang_up(&pair);
	watch_end(&w);
}

static const char short_timeouts[] = "policies:\n"
				     "- name: short\n"
				     "  match: dport 9700\n"
				     "  action: timeouts\n"
				     "  timeouts: {established: 400ms}\n";

Test(policy, timeouts_hold_for_those_that_match)
{
	struct watch w = watch_start(AT_HOST, short_timeouts);
	struct la_pair pair = talk(&w, AF_INET, 0), other = talk(&w, AF_INET, 1);

	record_of(&w, 0, "policy", "action", "timeouts");
	cr_expect_str_eq(
		la_told_text(record_of(&w, 0, "close", "reason", "timeout"), "timeout_state"),
		"ESTABLISHED");
	cr_expect_eq(count_of(&w, 1, "close", NULL, NULL), 0);
	hang_up(&pair);
	hang_up(&other);
	watch_end(&w);
}

Test(policy, timeouts_are_looked_at_anew_on_reload)
{
	struct watch w = watch_start(AT_HOST, "");
	struct la_pair pair = talk(&w, AF_INET, 0);

	la_config_file_put(&w.file, short_timeouts);
	cr_assert(!kill(la_observer_pid(w.obs), SIGHUP));
	cr_expect(la_observer_says(w.obs, ": reloaded"));
	record_of(&w, 0, "close", "reason", "timeout");
	hang_up(&pair);
	watch_end(&w);
}

Test(policy, a_log_follows_events)
{
	struct watch w = watch_start(AT_HOST, "policies:\n"
					      "- {name: rsts, match: tcp, when: rst exact, "
					      "action: log}\n"
					      "- {name: halves, match: bytes > 1, when: transition "
					      "close-wait fin-wait-2, action: log}\n");
	const struct linger abort = {.l_onoff = 1};
	struct la_pair pair = talk(&w, AF_INET, 0), half = talk(&w, AF_INET, 1);

	shutdown(half.client, SHUT_WR);
	record_of(&w, 1, "policy", "policy", "halves");
	setsockopt(pair.client, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
	close(pair.client);
	record_of(&w, 0, "policy", "policy", "rsts");
	cr_expect_eq(count_of(&w, 0, "policy", NULL, NULL), 1);
	close(pair.server);
	hang_up(&half);
	watch_end(&w);
}

/* ---- by hand ---- */

static struct {
	int code;
	char out[16384], err[4096];
} told;

static void take_text(int fd, char *text, size_t size)
{
	ssize_t got = pread(fd, text, size - 1, 0);

	text[got > 0 ? got : 0] = '\0';
	close(fd);
}

#define KILL(w, ...) kill_by_hand(w, (const char *const[]){__VA_ARGS__, NULL})

/* Runs lastack kill with these words beside the lastack that runs. */
static void kill_by_hand(const struct watch *w, const char *const words[])
{
	int out = memfd_create("out", MFD_CLOEXEC), err = memfd_create("err", MFD_CLOEXEC), status;
	const char *argv[16] = {la_observer_binary(), "kill", "--control", CONTROL};
	int argc = 4, in = dup(STDIN_FILENO), null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	pid_t pid;

	while (*words)
		argv[argc++] = *words++;
	cr_assert(dup2(null, STDIN_FILENO) == STDIN_FILENO);
	pid = la_lab_spawn(w->lab, LA_LAB_SERVER, argv, out, err);
	cr_assert(dup2(in, STDIN_FILENO) == STDIN_FILENO);
	close(null);
	close(in);
	cr_assert(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	told.code = WEXITSTATUS(status);
	take_text(out, told.out, sizeof(told.out));
	take_text(err, told.err, sizeof(told.err));
}

static void expect_told(int code, const char *out, const char *err)
{
	cr_expect(told.code == code && strstr(told.out, out) && strstr(told.err, err),
		  "code %d, out:\n%s\nerr:\n%s", told.code, told.out, told.err);
}

Test(policy, kill_resets_what_its_filter_takes)
{
	struct watch w = watch_start(AT_HOST, "protect: port 9702\n");
	struct la_pair pair = talk(&w, AF_INET, 0), other = talk(&w, AF_INET6, 1),
		       safe = talk(&w, AF_INET, 2);
	struct stat at;

	record_of(&w, 2, "state", "to", "ESTABLISHED");
	cr_expect(!stat(CONTROL, &at) && (at.st_mode & 0777) == 0600, "who may ask for it?");
	KILL(&w, "dport", "9700");
	expect_told(1, "ESTABLISHED", "--yes does it without asking");
	KILL(&w, "--dry-run", "dport 9700 or dport 9702");
	expect_told(0, "ESTABLISHED", "dry run: 2 would be reset");
	KILL(&w, "--yes", "dport 1");
	expect_told(0, "", "there is no such connection");
	KILL(&w, "--yes");
	expect_told(2, "", "no filter was given");
	expect_alive(&pair);
	KILL(&w, "--yes", "-o", "jsonl", "dport", "9700");
	expect_told(0,
		    "\"policy\":\"kill\",\"action\":\"reset\",\"dry_run\":false,\"result\":"
		    "\"done\"",
		    "lastack: 1 reset, 0 not");
	expect_reset(&pair);
	record_of(&w, 0, "policy", "policy", "kill");
	cr_expect_str_eq(la_told_text(record_of(&w, 0, "close", NULL, NULL), "reason"), "policy");
	KILL(&w, "--yes", "--all");
	expect_told(1, "it is protected", "lastack: 1 reset, 1 not");
	expect_reset(&other);
	expect_alive(&safe);
	hang_up(&pair);
	hang_up(&other);
	hang_up(&safe);
	watch_end(&w);
}
