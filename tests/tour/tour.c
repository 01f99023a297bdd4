/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tour.c - prints docs/tour.md: each verb, with what it says of real connections between two
 * namespaces.
 *
 *   build/tour build/lastack >docs/tour.md
 *
 * A leak, a sender of resets, a server that closes first, one whose idle connections are forgotten
 * and a port where nobody listens are planted, so that there is something to find.
 */
#include "live/observer.h"
#include "live/pair.h"
#include "live/talk.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENT_PORT 40001
#define WEB	    8080 /* its clients hang up on it, and it does not close */
#define API	    9000 /* resets */
#define OLD	    7000 /* closes first */
#define NOBODY	    6000
#define DB	    5432 /* what is idle is forgotten on the way */

#define PAIRS_MAX 16

/* Patience for what takes a moment, ms. */
#define SOON_MS 20000

static struct {
	struct la_lab *lab;
	struct la_observer *daemon;
	char path[60];	  /* of the control socket */
	char history[60]; /* a file */
	const char *binary;
	struct la_pair pairs[PAIRS_MAX];
	unsigned int count;
} tour;

static void fail(const char *what)
{
	fprintf(stderr, "tour: %s\n", what);
	exit(1);
}

/* ---- traffic ---- */

static struct la_pair *connection(unsigned short port)
{
	struct la_pair *pair = &tour.pairs[tour.count];
	unsigned short from = (unsigned short)(CLIENT_PORT + tour.count);

	if (tour.count++ == PAIRS_MAX || !la_pair_open(pair, tour.lab, AF_INET, from, port) ||
	    !la_pair_carry(pair->client, pair->server, 120) ||
	    !la_pair_carry(pair->server, pair->client, 4500))
		fail("a connection does not open");
	return pair;
}

static void leak(void)
{
	struct la_pair *pair = connection(WEB);

	if (shutdown(pair->client, SHUT_WR) || !la_pair_ended(pair->server))
		fail("a connection does not half-close");
}

static void reset(void)
{
	const struct linger at_once = {.l_onoff = 1};
	struct la_pair *pair = connection(API);

	setsockopt(pair->server, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(pair->server);
	if (!la_pair_ended(pair->client))
		fail("a connection is not reset");
	close(pair->client);
}

static void close_first(void)
{
	struct la_pair *pair = connection(OLD);

	close(pair->server);
	if (!la_pair_ended(pair->client))
		fail("a connection does not close");
	close(pair->client);
}

#define FORGOTTEN 3

/* The server's sockets go without a word, and after a silence the clients speak. */
static void forget_idle(void)
{
	struct la_pair *pairs[FORGOTTEN];
	const int on = 1;

	for (int i = 0; i < FORGOTTEN; i++) {
		pairs[i] = connection(DB);
		setsockopt(pairs[i]->server, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on));
		close(pairs[i]->server);
	}
	poll(NULL, 0, 11000); /* longer than what lastack calls a silence */
	for (int i = 0; i < FORGOTTEN; i++) {
		if (send(pairs[i]->client, "?", 1, MSG_NOSIGNAL) != 1 ||
		    !la_pair_ended(pairs[i]->client))
			fail("a connection is not forgotten");
		close(pairs[i]->client);
	}
}

static void be_refused(void)
{
	struct la_lab_addr to = la_lab_addr(LA_LAB_SERVER, AF_INET, NOBODY);
	int fd = la_lab_socket(tour.lab, LA_LAB_CLIENT, AF_INET, SOCK_STREAM, 0);
	struct pollfd done = {.fd = fd, .events = POLLOUT};

	(void)!connect(fd, (const struct sockaddr *)&to.sa, to.len);
	poll(&done, 1, SOON_MS);
	close(fd);
}

static void talk_whole(void)
{
	const struct la_talk_end client = {LA_LAB_CLIENT,
					   la_lab_addr(LA_LAB_CLIENT, AF_INET, 50001)};
	const struct la_talk_end server = {LA_LAB_SERVER, la_lab_addr(LA_LAB_SERVER, AF_INET, API)};

	if (!la_talk(tour.lab, &client, &server, 3000))
		fail("a connection fails");
}

/* ---- paper ---- */

static void say(const char *text)
{
	printf("\n%s\n\n", text);
}

/* Prints a line with the paths that a lastack of the system has. */
static void put_line(const char *line)
{
	const struct {
		const char *is, *would_be;
	} paths[] = {
		{tour.path, "/run/lastack/default.sock"},
		{tour.history, "/var/lib/lastack/history.db"},
	};
	const char *found = NULL;
	size_t i = 0;

	while (i < 2 && !(found = strstr(line, paths[i].is)))
		i++;
	if (found)
		printf("%.*s%s%s", (int)(found - line), line, paths[i].would_be,
		       found + strlen(paths[i].is));
	else
		fputs(line, stdout);
}

/* Copies a stream, four spaces indented, up to so many lines. */
static void copy(FILE *from, unsigned int lines)
{
	char line[2000];

	while (fgets(line, sizeof(line), from)) {
		if (!lines)
			continue;
		lines--;
		fputs(*line == '\n' ? "" : "    ", stdout);
		put_line(line);
	}
}

/* Runs a verb and prints what was typed and what came. */
static void show_alone(const char *typed, const char *words)
{
	char command[400];
	FILE *pipe;

	printf("    $ sudo lastack %s\n", typed);
	snprintf(command, sizeof(command), "COLUMNS=100 %s %s 2>&1", tour.binary, words);
	fflush(stdout);
	pipe = popen(command, "r");
	if (!pipe)
		fail("a verb does not start");
	copy(pipe, 60);
	if (pclose(pipe))
		fail(words);
}

/* The same for one that asks the daemon. */
static void show(const char *typed)
{
	char words[300];

	snprintf(words, sizeof(words), "%s --control %s", typed, tour.path);
	show_alone(typed, words);
}

static void show_history(const char *typed)
{
	char words[300];

	snprintf(words, sizeof(words), "%s -f %s", typed, tour.history);
	show_alone(typed, words);
}

/* The same for a verb that watches what happens meanwhile. */
static void show_while(const char *words, void (*happens)(void))
{
	char command[400];
	FILE *pipe;

	printf("    $ sudo lastack %s\n", words);
	snprintf(command, sizeof(command), "%s %s --control %s 2>&1", tour.binary, words,
		 tour.path);
	fflush(stdout);
	pipe = popen(command, "r");
	if (!pipe)
		fail("a verb does not start");
	sleep(1); /* nobody tells when it has begun to watch */
	happens();
	copy(pipe, 60);
	if (pclose(pipe))
		fail(words);
}

static int tmux(const char *format, ...)
{
	char command[600];
	va_list args;
	size_t n = (size_t)snprintf(command, sizeof(command), "tmux -S %s.tmux -f /dev/null ",
				    tour.path);

	va_start(args, format);
	vsnprintf(command + n, sizeof(command) - n, format, args);
	va_end(args);
	fflush(stdout);
	return system(command);
}

static void show_top(void)
{
	char terminal[80];

	puts("    $ sudo lastack top");
	if (tmux("new-session -d -x 80 -y 24 '%s top --control %s --delay 300ms'", tour.binary,
		 tour.path))
		fail("tmux does not start");
	sleep(2);
	tmux("capture-pane -p | sed 's/^/    /; s/ *$//'");
	tmux("kill-server");
	snprintf(terminal, sizeof(terminal), "%s.tmux", tour.path);
	unlink(terminal);
}

/* ---- the tour ---- */

static void walk(void)
{
	puts("<!-- written by build/tour (make tour): real output, do not edit -->\n"
	     "# A tour\n\n"
	     "`lastack run` is a daemon: it tracks, and answers on a socket (`--control`) whoever "
	     "is\n"
	     "root or who runs it. The verbs below ask it. Here it watches a server, 10.9.2.1, "
	     "where\n"
	     "something leaks, something resets, something closes first, something forgets, and "
	     "on\n"
	     "one port nobody listens; the client is 10.9.1.1.\n\n"
	     "    $ sudo lastack run -i eth0 --history /var/lib/lastack/history.db >/dev/null &");
	say("Is it there?");
	show("status");
	say("What is there now? The state of client and server (`~`: presumed), for how long "
	    "nothing\n"
	    "was heard, age, who they are, what they have sent.");
	show("list -n");
	say("One filter language everywhere (`docs/filter.md`); sorted, the head of the order; "
	    "grouped.");
	show("list -n 'state close-wait' --sort in-state --limit 2");
	show("list --group-by port");
	say("Why is one of them so? Who has to act, and until when? Which process of this host is "
	    "it? How did it come to that?");
	show("show -n 'state close-wait' --limit 1");
	say("Who is to blame, over all of them and those that have ended lately?");
	show("why");
	say("How much, and how fast; with `--watch 1s`, again and again.");
	show("stats");
	say("What happens, as it happens; many can watch, and a slow one loses only its own "
	    "records.");
	show_while("watch -n --ladder --count 1", talk_whole);
	say("All of it on a screen: `s` and `t` sort, `/` filters, `p` pauses, Enter explains.");
	show_top();
	say("How did the latest of them end? The daemon keeps it, if it is told to, and `why "
	    "--history`\nasks the same file.");
	show_history("history -n --limit 4 'not reason fin'");
	say("Away with some: both ends get a RST. Here they are only shown.");
	show("kill -n --dry-run 'dport 8080'");
	say("A capture is told of in the same words, and drawn.");
	show_alone("replay --ladder four-segments.pcap",
		   "replay --ladder tests/captures/four-segments.pcap");
	say("Options can stand in a file; is it right?");
	show_alone("check-config docs/lastack.yaml", "check-config docs/lastack.yaml");
	say("For programs: `-o jsonl` (`docs/records.md`), or the lines that scripts already "
	    "read.");
	show("list -o conntrack 'dport 8080' --limit 2");
}

/* When the daemon has ended: another one, whose work outlives it. */
static void outlive(void)
{
	say("With `run --persist` tracking goes on when lastack ends, until `lastack detach`\n"
	    "(`docs/reliability.md`).");
	if (!la_lab_enter(tour.lab, LA_LAB_SERVER))
		fail("there is no way into the server's network");
	show_alone("run -i eth0 --persist=web --for 1s",
		   "run -i eth0 --persist=web --control none --listen none --for 1s");
	show_alone("status web", "status web");
	show_alone("detach web", "detach web");
	la_lab_leave(tour.lab);
}

static void plant(void)
{
	for (int i = 0; i < 3; i++)
		leak();
	for (int i = 0; i < 2; i++)
		reset();
	for (int i = 0; i < 2; i++)
		close_first();
	connection(API);
	forget_idle();
	be_refused();
	poll(NULL, 0, 1500); /* a state is not stuck before it has lasted a second */
}

int main(int argc, char **argv)
{
	const char *options[] = {"--control", tour.path,    "--listen", "none",
				 "--history", tour.history, NULL};

	if (argc != 2)
		fail("usage: build/tour build/lastack");
	setenv("LC_ALL", "C.UTF-8", 1);
	setenv("LASTACK", argv[1], 1);
	tour.binary = argv[1];
	snprintf(tour.path, sizeof(tour.path), "/tmp/lastack-tour-%d.sock", (int)getpid());
	snprintf(tour.history, sizeof(tour.history), "/tmp/lastack-tour-%d.db", (int)getpid());
	tour.lab = la_lab_new(false);
	if (!tour.lab)
		fail("there is no lab");
	tour.daemon = la_observer_start(tour.lab, LA_LAB_SERVER, "eth0", NULL, options);
	if (!tour.daemon)
		fail("lastack does not start");
	for (int ms = 0; ms < SOON_MS && access(tour.path, F_OK); ms += 10)
		poll(NULL, 0, 10);
	plant();
	walk();
	la_observer_stop(tour.daemon);
	outlive();
	la_observer_free(tour.daemon);
	unlink(tour.history);
	la_lab_free(tour.lab);
	return 0;
}
