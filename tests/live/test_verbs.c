/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_verbs.c - the verbs that ask a running lastack, about real connections.
 */
#include "keeper.h"
#include "observer.h"
#include "pair.h"
#include "talk.h"
#include "wire.h"
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLIENT_PORT 45001
#define SERVER_PORT 9701
#define ARGS_MAX    24

/* Patience for what does not depend on speed, ms. */
#define SOON_MS 30000

static struct la_lab *lab;
static struct la_observer *daemon_;
static char path[60];

/* What a verb printed. */
static struct {
	int code;
	char out[262144], err[8192];
} told;

static void world(void)
{
	snprintf(path, sizeof(path), "/tmp/lastack-verbs-%d.sock", (int)getpid());
	lab = la_lab_new(false);
	cr_assert_not_null(lab);
}

static void end_of_world(void)
{
	la_observer_free(daemon_);
	unlink(path);
	la_lab_free(lab);
}

TestSuite(verbs, .init = world, .fini = end_of_world);

/* ---- a daemon, and questions ---- */

static void start(void)
{
	const char *const options[] = {"--control", path, NULL};

	daemon_ = la_observer_start(lab, LA_LAB_SERVER, "eth0", NULL, options);
	cr_assert_not_null(daemon_);
	for (int ms = 0; ms < SOON_MS && access(path, F_OK); ms += 5)
		poll(NULL, 0, 5);
	cr_assert_eq(access(path, F_OK), 0);
}

static void take_text(int fd, char *text, size_t size)
{
	ssize_t got = pread(fd, text, size - 1, 0);

	text[got > 0 ? got : 0] = '\0';
	close(fd);
}

/* Waits for the end of a child: its exit code, or -1. */
static int end_of(pid_t pid)
{
	int status = 0;

	for (int ms = 0; ms < SOON_MS; ms += 5) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		poll(NULL, 0, 5);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -1;
}

static pid_t begin(const char *const words[], int out, int err)
{
	const char *argv[ARGS_MAX] = {la_observer_binary()};
	int argc = 1;

	while (*words && argc < ARGS_MAX - 3)
		argv[argc++] = *words++;
	argv[argc++] = "--control";
	argv[argc++] = path;
	return la_lab_spawn(lab, LA_LAB_SERVER, argv, out, err);
}

#define ASK(...) ask((const char *const[]){__VA_ARGS__, NULL})

static void ask(const char *const words[])
{
	int out = memfd_create("out", MFD_CLOEXEC), err = memfd_create("err", MFD_CLOEXEC);
	pid_t pid = begin(words, out, err);

	cr_assert_gt(pid, 0);
	told.code = end_of(pid);
	take_text(out, told.out, sizeof(told.out));
	take_text(err, told.err, sizeof(told.err));
}

static void expect_out(const char *text)
{
	cr_expect_eq(told.code, 0, "%s", told.err);
	cr_expect(strstr(told.out, text), "no '%s' in:\n%s", text, told.out);
}

/* Asks until the answer has this text: what was just done takes a moment. */
static void await(const char *const words[], const char *text)
{
	for (int tries = 0; tries < 600; tries++) {
		ask(words);
		if (strstr(told.out, text))
			return;
		poll(NULL, 0, 50);
	}
	cr_assert_fail("no '%s' in:\n%s%s", text, told.out, told.err);
}

static json_t *only_object(void)
{
	json_t *object = json_loads(told.out, JSON_DISABLE_EOF_CHECK, NULL);

	cr_assert_not_null(object, "%s", told.out);
	return object;
}

static void expect_word(const json_t *object, const char *key, const char *word)
{
	const char *is = json_string_value(json_object_get(object, key));

	cr_expect(is && !strcmp(is, word), "%s is %s, not %s", key, is ? is : "absent", word);
}

/* ---- connections ---- */

static struct la_pair open_pair(int n)
{
	struct la_pair pair;

	cr_assert(
		la_pair_open(&pair, lab, AF_INET, (unsigned short)(CLIENT_PORT + n), SERVER_PORT));
	cr_assert(la_pair_carry(pair.client, pair.server, 1000));
	return pair;
}

static void close_pair(const struct la_pair *pair)
{
	close(pair->client);
	close(pair->server);
}

/* The client closes, the server's application does not. */
static struct la_pair leaking_pair(int n)
{
	struct la_pair pair = open_pair(n);

	cr_assert_eq(shutdown(pair.client, SHUT_WR), 0);
	cr_assert(la_pair_ended(pair.server));
	return pair;
}

/* ---- list ---- */

Test(verbs, list_tells_the_states_of_both_ends)
{
	static const char *const leaks[] = {"list", "-o", "jsonl", "resp state close-wait", NULL};
	struct la_pair open, leaking;
	json_t *flow;

	start();
	open = open_pair(0);
	leaking = leaking_pair(1);
	await(leaks, "CLOSE_WAIT");
	flow = only_object();
	expect_word(flow, "type", "flow");
	expect_word(flow, "resp_state", "CLOSE_WAIT");
	expect_word(flow, "closed_by", "orig");
	expect_word(flow, "timeout", "half_closed");
	expect_word(flow, "ifname", "eth0");
	cr_expect_null(json_object_get(flow, "reason"));
	cr_expect_eq(json_integer_value(json_object_get(flow, "orig_port")), CLIENT_PORT + 1);
	cr_expect_eq(json_integer_value(json_object_get(flow, "orig_bytes")), 1000);
	json_decref(flow);
	ASK("list", "state established");
	expect_out("ESTABLISHED  ESTABLISHED");
	cr_expect_null(strstr(told.out, "CLOSE_WAIT"));
	close_pair(&open);
	close_pair(&leaking);
}

/* A process of another name that has the socket alone, until it is killed. */
static pid_t hand_over(int fd, const char *comm)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, comm);
		poll(NULL, 0, -1);
		_exit(0);
	}
	cr_assert_gt(pid, 0);
	close(fd);
	return pid;
}

/* This process listens and accepts; a worker of it gets the connection. */
Test(verbs, list_tells_the_process_that_has_a_connection)
{
	struct la_pair pair, later;
	char want[40];
	pid_t worker;

	start();
	pair = open_pair(0);
	worker = hand_over(pair.server, "la-works");
	later = open_pair(1); /* after which it looks who has what */
	snprintf(want, sizeof(want), "\"resp_pid\":%d,", worker);
	await((const char *const[]){"list", "-o", "jsonl", "resp comm la-works", NULL}, want);
	ASK("show", "comm la-w*");
	snprintf(want, sizeof(want), ", la-works (pid %d)", worker);
	expect_out(want);
	kill(worker, SIGKILL);
	waitpid(worker, NULL, 0);
	close(pair.client);
	close_pair(&later);
}

/* Takes a socket away so that its peer hears nothing of it, as a box on the way forgets. */
static void forget(int fd)
{
	const int on = 1;

	cr_assert_eq(setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)), 0);
	close(fd);
}

/* Silent for so long, longer than what lastack calls a silence. */
#define SILENCE_MS 10500

Test(verbs, why_idle_tells_after_what_silence_a_connection_was_forgotten)
{
	struct la_pair pair;
	json_t *finding;

	start();
	pair = open_pair(0);
	forget(pair.server);
	poll(NULL, 0, SILENCE_MS);
	cr_assert_eq(send(pair.client, "x", 1, MSG_NOSIGNAL), 1);
	cr_assert(la_pair_ended(pair.client));
	close(pair.client);
	await((const char *const[]){"why", "idle", "-o", "jsonl", NULL}, "\"finding\"");
	finding = only_object();
	expect_word(finding, "how", "after a silence the client's words are answered by RST");
	cr_expect_geq(json_integer_value(json_object_get(finding, "shortest_ns")),
		      SILENCE_MS * 1000000LL);
	json_decref(finding);
}

/* The same, but that nothing is answered any more. */
Test(verbs, why_idle_tells_who_is_not_answered_after_a_silence)
{
	struct la_wire_rule cut = {.port = SERVER_PORT,
				   .to_server = 1,
				   .hook = LA_WIRE_INGRESS,
				   .action = LA_WIRE_DROP,
				   .left = LA_WIRE_FOREVER};
	struct la_wire *wire = la_wire_new(lab);
	struct la_pair pair;

	start();
	cr_assert(wire);
	pair = open_pair(0);
	poll(NULL, 0, SILENCE_MS);
	cr_assert_geq(la_wire_add(wire, &cut), 0);
	cr_assert_eq(send(pair.client, "x", 1, MSG_NOSIGNAL), 1);
	await((const char *const[]){"why", "idle", NULL},
	      "after a silence the client's words are not answered");
	close_pair(&pair);
	la_wire_free(wire);
}

static const char *line_of(const char *text, int n)
{
	for (; n && text; n--)
		text = strchr(text, '\n') ? strchr(text, '\n') + 1 : NULL;
	return text ? text : "";
}

Test(verbs, list_sorts_limits_and_groups)
{
	struct la_pair pairs[4];

	start();
	for (int i = 0; i < 4; i++) {
		pairs[i] = open_pair(i);
		cr_assert(
			la_pair_carry(pairs[i].server, pairs[i].client, 10000u * (unsigned)i + 1));
	}
	ASK("list", "-n", "--sort", "bytes", "--limit", "2");
	cr_expect(strstr(line_of(told.out, 0), ":45004 ") &&
			  strstr(line_of(told.out, 1), ":45003 "),
		  "%s", told.out);
	cr_expect_str_eq(line_of(told.out, 2), "");
	ASK("list", "-n", "--sort", "bytes", "-r", "--limit", "1");
	expect_out(":45001 ");
	ASK("list", "--group-by", "port", "-o", "jsonl");
	expect_out("\"group\":\"9701\",\"connections\":4,\"half_closed\":0,");
	ASK("list", "--group-by", "state");
	expect_out("          4  ESTABLISHED ESTABLISHED ");
	for (int i = 0; i < 4; i++)
		close_pair(&pairs[i]);
}

/* ---- watch ---- */

static bool has_gone(const json_t *records, void *ctx)
{
	size_t n = json_array_size(records);

	(void)ctx;
	return n &&
	       !strcmp(json_string_value(json_object_get(json_array_get(records, n - 1), "type")),
		       "close");
}

/* Whoever watches reads what the daemon itself prints, byte by byte. */
Test(verbs, watch_tells_what_the_daemon_tells)
{
	static const char *const words[] = {"watch", "-o", "jsonl", "--count", "1", NULL};
	const struct la_talk_end client = {LA_LAB_CLIENT,
					   la_lab_addr(LA_LAB_CLIENT, AF_INET, CLIENT_PORT)};
	const struct la_talk_end server = {LA_LAB_SERVER,
					   la_lab_addr(LA_LAB_SERVER, AF_INET, SERVER_PORT)};
	int out = memfd_create("out", MFD_CLOEXEC), err = memfd_create("err", MFD_CLOEXEC);
	const json_t *records;
	const char *line;
	pid_t pid;

	start();
	pid = begin(words, out, err);
	cr_assert_gt(pid, 0);
	poll(NULL, 0, 1000); /* the socket does not tell who watches; what is missed is missed */
	cr_assert(la_talk(lab, &client, &server, 3000));
	cr_assert_eq(end_of(pid), 0);
	take_text(out, told.out, sizeof(told.out));
	take_text(err, told.err, sizeof(told.err));
	cr_assert(la_observer_until(daemon_, has_gone, NULL, SOON_MS));
	records = la_observer_records(daemon_);
	line = told.out;
	for (size_t i = 0; i < json_array_size(records); i++, line = line_of(line, 1)) {
		json_t *seen = json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
		const json_t *said = json_array_get(records, i);

		cr_assert_not_null(seen, "record %zu of %zu: %s%s", i, json_array_size(records),
				   told.out, told.err);
		cr_expect_eq(json_integer_value(json_object_get(seen, "seq")),
			     json_integer_value(json_object_get(said, "seq")));
		json_object_del(seen, "ts_ns"); /* each knows the wall clock by itself */
		json_object_del((json_t *)said, "ts_ns");
		cr_expect(json_equal(seen, said), "record %zu: %s", i, line);
		json_decref(seen);
	}
	cr_expect_str_eq(line, "", "and nothing else");
}

Test(verbs, watch_ends_with_the_daemon)
{
	static const char *const words[] = {"watch", NULL};
	int out = memfd_create("out", MFD_CLOEXEC), err = memfd_create("err", MFD_CLOEXEC);
	pid_t pid;

	start();
	pid = begin(words, out, err);
	cr_assert_gt(pid, 0);
	poll(NULL, 0, 1000);
	cr_expect_eq(la_observer_stop(daemon_), 0);
	cr_expect_eq(end_of(pid), 0);
	close(out);
	take_text(err, told.err, sizeof(told.err));
	cr_expect(strstr(told.err, "has ended"), "%s", told.err);
	cr_expect_eq(access(path, F_OK), -1, "the socket is left");
}

/* ---- show and stats ---- */

Test(verbs, show_says_who_has_to_act)
{
	static const char *const words[] = {"list", "-o", "jsonl", "state close-wait", NULL};
	struct la_pair pair;
	char owner[32];
	json_t *flow;

	start();
	pair = leaking_pair(0);
	await(words, "CLOSE_WAIT");
	flow = only_object();
	ASK("show", json_string_value(json_object_get(flow, "id")));
	json_decref(flow);
	expect_out("The client has closed, and the server's host knows;");
	expect_out("The application of the server has to close its socket.");
	snprintf(owner, sizeof(owner), "(pid %d)", getpid());
	expect_out(owner); /* of the server, whose socket is in this network namespace */
	expect_out("timeout\n          half_closed: a half-closed connection");
	expect_out("(LISTEN?)"); /* the ladder, from its first row */
	ASK("show", "0123456789abcdef");
	cr_expect_eq(told.code, 1);
	cr_expect(strstr(told.err, "there is no such connection"), "%s", told.err);
	close_pair(&pair);
}

Test(verbs, stats_count)
{
	struct la_pair pair;
	json_t *stats;

	start();
	pair = open_pair(0);
	ASK("stats", "-o", "jsonl");
	stats = only_object();
	cr_expect_eq(json_integer_value(json_object_get(stats, "connections")), 1);
	cr_expect_eq(json_integer_value(json_object_get(stats, "opened")), 1);
	cr_expect_eq(json_integer_value(json_object_get(stats, "orig_established")), 1);
	cr_expect_gt(json_integer_value(json_object_get(stats, "packets_accept")), 3);
	json_decref(stats);
	ASK("stats", "--watch", "50ms", "--count", "2");
	expect_out("/s\n");
	close_pair(&pair);
}

/* A leak and a sender of resets were planted: both are found, and nobody else is. */
Test(verbs, why_finds_who_leaks_and_who_resets)
{
	static const char *const resets[] = {"why", "resets", "-o", "jsonl", NULL};
	const struct linger at_once = {.l_onoff = 1};
	struct la_pair leaking[3], reset;
	json_t *finding;

	start();
	for (int i = 0; i < 3; i++)
		leaking[i] = leaking_pair(i);
	reset = open_pair(3);
	setsockopt(reset.server, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close_pair(&reset);
	poll(NULL, 0, 1500); /* a state is not stuck before it has lasted a second */
	await(resets, "connections");
	finding = only_object();
	expect_word(finding, "who", "server 10.9.2.1:9701");
	cr_expect_eq(json_integer_value(json_object_get(finding, "connections")), 1);
	json_decref(finding);
	ASK("why", "close-wait", "-o", "jsonl");
	finding = only_object();
	expect_word(finding, "who", "server 10.9.2.1:9701");
	cr_expect_eq(json_integer_value(json_object_get(finding, "connections")), 3);
	cr_expect_geq(json_integer_value(json_object_get(finding, "shortest_ns")), 1000000000);
	json_decref(finding);
	ASK("why", "time-wait");
	expect_out("nobody");
	for (int i = 0; i < 3; i++)
		close_pair(&leaking[i]);
}

/* ---- top, in a terminal of 80 columns and 24 lines ---- */

/* Runs tmux with these words; what it prints is in told.out. */
static void tmux(const char *format, ...)
{
	char command[500];
	va_list args;
	FILE *pipe;
	size_t n =
		(size_t)snprintf(command, sizeof(command), "tmux -S %s.tmux -f /dev/null ", path);

	va_start(args, format);
	vsnprintf(command + n, sizeof(command) - n, format, args);
	va_end(args);
	pipe = popen(command, "r");
	cr_assert_not_null(pipe);
	n = fread(told.out, 1, sizeof(told.out) - 1, pipe);
	told.out[n] = '\0';
	told.code = pclose(pipe);
}

/* Looks at the screen until it shows this. */
static void await_screen(const char *text)
{
	for (int ms = 0; ms < SOON_MS; ms += 50) {
		tmux("capture-pane -p 2>&1");
		if (strstr(told.out, text))
			return;
		poll(NULL, 0, 50);
	}
	cr_assert_fail("no '%s' on the screen:\n%s", text, told.out);
}

static void await_no(const char *text)
{
	for (int ms = 0; ms < SOON_MS; ms += 50) {
		tmux("capture-pane -p 2>&1");
		if (!strstr(told.out, text))
			return;
		poll(NULL, 0, 50);
	}
	cr_assert_fail("'%s' stays on the screen:\n%s", text, told.out);
}

static void start_top(void)
{
	char terminal[80], command[400];
	const char *argv[] = {"tmux", "-S", terminal, "-f", "/dev/null", "new-session", "-d",
			      "-x",   "80", "-y",     "24", command,	 NULL};

	snprintf(terminal, sizeof(terminal), "%s.tmux", path);
	snprintf(command, sizeof(command), "%s top --control %s --delay 100ms",
		 la_observer_binary(), path);
	cr_assert_eq(end_of(la_lab_spawn(lab, LA_LAB_SERVER, argv, -1, -1)), 0);
}

static void end_top(void)
{
	char terminal[80];

	for (int ms = 0; ms < SOON_MS && !told.code; ms += 50) {
		tmux("has-session 2>&1");
		poll(NULL, 0, 50);
	}
	cr_expect_neq(told.code, 0, "top is still there");
	tmux("kill-server 2>&1");
	snprintf(terminal, sizeof(terminal), "%s.tmux", path);
	unlink(terminal);
}

Test(verbs, top_shows_states_servers_and_connections)
{
	struct la_pair leaking[3];

	start();
	for (int i = 0; i < 3; i++)
		leaking[i] = leaking_pair(i);
	start_top();
	await_screen("10.9.2.1:9701           3     0     0    0     3");
	cr_expect(strstr(told.out, "\nCLOSE_WAIT           0        3"), "%s", told.out);
	cr_expect(strstr(told.out, "\nFIN_WAIT_2           3        0"), "%s", told.out);
	cr_expect(strstr(told.out, " > 10.9.2.1:9701\n"), "%s", told.out);
	cr_expect(strstr(told.out, "\nq quit"), "%s", told.out);
	tmux("send-keys Down Enter");
	await_screen("The application of the server has to close its socket.");
	tmux("send-keys q / 'prot 1' Enter");
	await_screen("did you mean 'port'?");
	tmux("send-keys / 'dport 1' Enter");
	await_no("10.9.2.1:9701"); /* what is typed is on the screen before it is a filter */
	await_screen("filter: dport 1");
	tmux("send-keys p");
	await_screen("PAUSED");
	tmux("send-keys q");
	end_top();
	for (int i = 0; i < 3; i++)
		close_pair(&leaking[i]);
}

Test(verbs, top_ends_with_the_daemon)
{
	start();
	start_top();
	await_screen("lastack top  0 of ");
	cr_expect_eq(la_observer_stop(daemon_), 0);
	end_top();
}

Test(verbs, top_needs_a_terminal)
{
	start();
	ASK("top");
	cr_expect_eq(told.code, 1);
	cr_expect(strstr(told.err, "must be a terminal"), "%s", told.err);
}

/* ---- status ---- */

Test(verbs, status_tells_of_one_that_runs_and_pins_nothing)
{
	struct la_pair pair;
	json_t *status;

	start();
	pair = open_pair(0);
	await((const char *const[]){"status", "-o", "jsonl", NULL}, "\"flows\":1,");
	status = only_object();
	expect_word(status, "type", "status");
	expect_word(status, "path", path);
	cr_expect_eq(json_integer_value(json_object_get(status, "pid")), la_observer_pid(daemon_));
	json_decref(status);
	ASK("status");
	expect_out("\n  flows       1 of 131072\n");
	close_pair(&pair);
}

/* ---- without a daemon ---- */

Test(verbs, list_reads_what_is_pinned)
{
	static const char *const list[] = {"list", "-o", "jsonl", "--persist", NULL};
	static const char *const stats[] = {"stats", "--persist", NULL};
	static const char *const detach[] = {"detach", NULL};
	static struct la_keeper keeper;
	struct la_pair pair;
	json_t *records;
	const json_t *last;

	cr_assert(la_keeper_world());
	cr_assert(la_keeper_init(&keeper, lab, LA_LAB_SERVER));
	cr_assert(la_keeper_start(&keeper, NULL));
	cr_assert_eq(la_keeper_end(&keeper, SIGTERM), 0);
	pair = open_pair(0);
	cr_expect_eq(la_keeper_verb(&keeper, list), 0, "%s", la_keeper_said(&keeper));
	records = la_keeper_records(&keeper);
	last = json_array_get(records, json_array_size(records) - 1);
	expect_word(last, "type", "flow");
	expect_word(last, "orig_state", "ESTABLISHED");
	expect_word(last, "ifname", "eth0");
	json_decref(records);
	cr_expect_eq(la_keeper_verb(&keeper, stats), 0, "%s", la_keeper_said(&keeper));
	cr_expect_eq(la_keeper_verb(&keeper, detach), 0);
	cr_expect_eq(la_keeper_verb(&keeper, list), 1);
	cr_expect(strstr(la_keeper_said(&keeper), "nothing is pinned by that name"), "%s",
		  la_keeper_said(&keeper));
	close_pair(&pair);
	la_keeper_free(&keeper);
}

/* ---- refusals ---- */

Test(verbs, nobody_there_is_a_clear_error)
{
	ASK("list");
	cr_expect_eq(told.code, 1);
	cr_expect(strstr(told.err, "no lastack listens there"), "%s", told.err);
	ASK("list", "--sort", "beauty");
	cr_expect_eq(told.code, 2);
	ASK("watch", "prot 80");
	cr_expect_eq(told.code, 2);
}

/* Another user may not ask, whatever the mode of the socket says. */
Test(verbs, another_user_is_refused)
{
	const char *argv[] = {
		"setpriv",   "--reuid", "65534", "--clear-groups", la_observer_binary(), "list",
		"--control", path,	NULL};
	int out = memfd_create("out", MFD_CLOEXEC), err = memfd_create("err", MFD_CLOEXEC);

	start();
	for (int open = 0; open < 2; open++) {
		pid_t pid = la_lab_spawn(lab, LA_LAB_SERVER, argv, out, err);

		cr_expect_eq(end_of(pid), 1);
		cr_assert_eq(chmod(path, 0666), 0);
	}
	close(out);
	take_text(err, told.err, sizeof(told.err));
	cr_expect(strstr(told.err, "not permitted"), "%s", told.err);
	cr_expect(strstr(line_of(told.err, 1), "it hung up"), "%s", told.err);
}
