// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_kill.c - no connection without its close record, none twice, though lastack is killed
 * (kill -9) again and again while connections come and go.
 *
 * A process opens and ends connections one after the other and notes how each ended: that is
 * the truth. Another end of the same test starts lastack, kills it some moment later, be it
 * while it starts, takes over or reads, and starts it again. All lives append to one file.
 * LASTACK_KILLS says how often (`make soak`: 200).
 */
#include "keeper.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define KILLS	    10
#define LIFE_MS	    150 /* a life lasts up to so long, or so long after its start */
#define PORTS	    40000
#define FIRST_PORT  20000
#define LISTENERS   8
#define SERVER_PORT 8000
#define TALKS_MAX   (PORTS * LISTENERS)
#define PATIENCE_MS 30000
#define SEQ_MAX	    64

/* How the sockets say that a connection ended. */
enum outcome { NOT_YET, IN_ORDER, RESET };

/* Shared by the test and the process that talks. */
struct truth {
	bool stop;
	bool failed;
	unsigned int count;
	unsigned char outcome[TALKS_MAX]; /* enum outcome */
};

/* What was written of a connection. */
struct told {
	unsigned int closes;
	enum outcome outcome;
	unsigned int seqs; /* records */
	unsigned int top;  /* the highest number */
	bool twice;	   /* a number came twice */
	bool gone;	   /* the last one came */
	unsigned long long seen;
};

/* ---- the process that talks ---- */

static bool ready(int fd, short events)
{
	struct pollfd wait = {.fd = fd, .events = events};

	return poll(&wait, 1, PATIENCE_MS) == 1;
}

static int bound_socket(struct la_lab *lab, enum la_lab_host host, unsigned short port)
{
	struct la_lab_addr at = la_lab_addr(host, AF_INET, port);
	int fd = la_lab_socket(lab, host, AF_INET, SOCK_STREAM, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd >= 0 && !bind(fd, (struct sockaddr *)&at.sa, at.len))
		return fd;
	close(fd);
	return -1;
}

/* Ends a connection: by FIN from both sides, or by a RST of the client. */
static bool end(int client, int server, enum outcome how)
{
	const struct linger reset = {.l_onoff = 1, .l_linger = 0};
	char byte;

	if (how == RESET)
		return !setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) &&
		       !close(client) && ready(server, POLLIN) && recv(server, &byte, 1, 0) < 0 &&
		       !close(server);
	return !shutdown(client, SHUT_WR) && ready(server, POLLIN) &&
	       recv(server, &byte, 1, 0) == 0 && !shutdown(server, SHUT_WR) &&
	       ready(client, POLLIN) && recv(client, &byte, 1, 0) == 0 && ready(server, POLLHUP) &&
	       !close(client) && !close(server);
}

static bool talk(struct la_lab *lab, const int listeners[], unsigned int n, enum outcome how)
{
	struct la_lab_addr to =
		la_lab_addr(LA_LAB_SERVER, AF_INET, (unsigned short)(SERVER_PORT + n / PORTS));
	int client = bound_socket(lab, LA_LAB_CLIENT, (unsigned short)(FIRST_PORT + n % PORTS));
	int server;
	char byte = 'x';

	if (client < 0 ||
	    (connect(client, (struct sockaddr *)&to.sa, to.len) && errno != EINPROGRESS) ||
	    !ready(listeners[n / PORTS], POLLIN))
		return false;
	server = accept4(listeners[n / PORTS], NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	return server >= 0 && send(client, &byte, 1, 0) == 1 && ready(server, POLLIN) &&
	       recv(server, &byte, 1, 0) == 1 && send(server, &byte, 1, 0) == 1 &&
	       ready(client, POLLIN) && recv(client, &byte, 1, 0) == 1 && end(client, server, how);
}

static void talk_on(struct la_lab *lab, struct truth *truth)
{
	int listeners[LISTENERS];

	for (int i = 0; i < LISTENERS; i++) {
		listeners[i] = bound_socket(lab, LA_LAB_SERVER, (unsigned short)(SERVER_PORT + i));
		truth->failed = truth->failed || listen(listeners[i], 16);
	}
	while (!truth->stop && !truth->failed && truth->count < TALKS_MAX) {
		enum outcome how = truth->count % 7 ? IN_ORDER : RESET;

		truth->failed = !talk(lab, listeners, truth->count, how);
		if (!truth->failed)
			truth->outcome[truth->count++] = (unsigned char)how;
	}
}

static pid_t start_talking(struct la_lab *lab, struct truth *truth)
{
	pid_t parent = getpid(), pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent)
		talk_on(lab, truth);
	_exit(0);
}

/* ---- what was written ---- */

static long long number(const json_t *record, const char *key)
{
	return json_integer_value(json_object_get(record, key));
}

static const char *word(const json_t *record, const char *key)
{
	const char *text = json_string_value(json_object_get(record, key));

	return text ? text : "";
}

static void hear(struct told *told, const json_t *record)
{
	long long seq = number(record, "seq");
	const char *reason = word(record, "reason");

	cr_assert(seq >= 0 && seq < SEQ_MAX);
	told->twice = told->twice || told->seen & 1ULL << seq;
	told->seen |= 1ULL << seq;
	told->seqs++;
	if (seq > told->top)
		told->top = (unsigned int)seq;
	told->gone = told->gone || !strcmp(word(record, "type"), "gone");
	if (strcmp(word(record, "type"), "close") != 0)
		return;
	told->closes++;
	told->outcome = !strcmp(reason, "fin")	   ? IN_ORDER
			: !strcmp(reason, "reset") ? RESET
						   : NOT_YET;
}

/* Returns how many records the `lost` ones count. */
static unsigned long long hear_all(const json_t *records, struct told *told)
{
	unsigned long long lost = 0;
	const json_t *record;
	size_t i;

	json_array_foreach ((json_t *)records, i, record) {
		long long n = (number(record, "resp_port") - SERVER_PORT) * PORTS +
			      number(record, "orig_port") - FIRST_PORT;

		if (!strcmp(word(record, "type"), "lost")) {
			lost += (unsigned long long)number(record, "count");
			continue;
		}
		cr_assert(n >= 0 && n < TALKS_MAX, "of no connection of ours: %s",
			  json_dumps(record, 0));
		hear(&told[n], record);
	}
	return lost;
}

static void compare(const struct truth *truth, const struct told *told, unsigned long long lost)
{
	unsigned int none = 0, many = 0, wrong = 0, twice = 0;
	unsigned long long gaps = 0;

	for (unsigned int n = 0; n < truth->count; n++) {
		none += told[n].closes == 0;
		many += told[n].closes > 1;
		wrong += told[n].closes == 1 && told[n].outcome != truth->outcome[n];
		twice += told[n].twice;
		gaps += told[n].top + 1 - told[n].seqs + !told[n].gone;
	}
	fprintf(stderr,
		"%u connections: %u without a close record, %u with several, %u with another end "
		"than the sockets', %u with a record twice; %llu records missing, %llu lost\n",
		truth->count, none, many, wrong, twice, gaps, lost);
	cr_expect_eq(none, 0);
	cr_expect_eq(many, 0);
	cr_expect_eq(wrong, 0);
	cr_expect_eq(twice, 0);
	cr_expect_eq(gaps, lost);
}

/* ---- the test ---- */

/* Flows leave the table soon, so that it stays small and flows expire while nobody runs. */
static const char *const options[] = {"--timeout", "time_wait=2", "--timeout", "closed=2", NULL};

/* What the lives were like. */
struct lives {
	unsigned int early;  /* ended before it was attached */
	unsigned int undone; /* began by undoing a write that its predecessor had not finished */
};

/*
 * Starts and kills it so often, every other time after it has begun to read, however long that
 * takes on this machine.
 */
static struct lives kill_often(struct la_keeper *keeper, unsigned int kills)
{
	struct lives lives = {0};

	for (unsigned int i = 0; i < kills; i++) {
		cr_assert(i % 2 ? la_keeper_start(keeper, options)
				: la_keeper_spawn(keeper, options));
		poll(NULL, 0, rand() % LIFE_MS);
		cr_assert_eq(la_keeper_end(keeper, SIGKILL), 128 + SIGKILL, "%s",
			     la_keeper_said(keeper));
		lives.early += !strstr(la_keeper_said(keeper), "egress (");
		lives.undone += strstr(la_keeper_said(keeper), "are written anew") != NULL;
	}
	return lives;
}

Test(kill, no_close_record_is_lost_and_none_comes_twice)
{
	static const char *const detach[] = {"detach", "-o", "jsonl", NULL};
	const char *given = getenv("LASTACK_KILLS");
	unsigned int kills = given ? (unsigned int)atoi(given) : KILLS;
	struct lives lives;
	struct truth *truth = mmap(NULL, sizeof(*truth), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct told *told = calloc(TALKS_MAX, sizeof(*told));
	struct la_keeper keeper;
	struct la_lab *lab;
	json_t *records;
	pid_t talker;

	cr_assert(la_keeper_world());
	lab = la_lab_new(false);
	cr_assert(lab && la_keeper_init(&keeper, lab, LA_LAB_SERVER));
	srand(kills);
	cr_assert(la_keeper_start(&keeper, options));
	talker = start_talking(lab, truth);
	poll(NULL, 0, LIFE_MS);
	cr_assert_eq(la_keeper_end(&keeper, SIGKILL), 128 + SIGKILL);
	lives = kill_often(&keeper, kills - 1);
	cr_assert(la_keeper_start(&keeper, options));
	truth->stop = true;
	cr_assert_eq(waitpid(talker, NULL, 0), talker);
	cr_expect(!truth->failed, "connection %u failed", truth->count);
	cr_expect_eq(la_keeper_end(&keeper, SIGTERM), 0, "%s", la_keeper_said(&keeper));
	cr_expect_eq(la_keeper_verb(&keeper, detach), 0, "%s", la_keeper_said(&keeper));

	records = la_keeper_records(&keeper);
	cr_assert(records != NULL);
	fprintf(stderr, "%u kills, %u before lastack was attached, %u in the middle of a write; ",
		kills, lives.early, lives.undone);
	compare(truth, told, hear_all(records, told));
	cr_expect_gt(truth->count, kills);
	json_decref(records);
	la_keeper_free(&keeper);
	la_lab_free(lab);
	free(told);
}
