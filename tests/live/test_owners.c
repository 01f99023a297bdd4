// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_owners.c - records name the process that has, or had, the socket at an end.
 */
#include "observer.h"
#include "told.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLIENT_PORT 46001
#define SERVER_PORT 9801
#define SOON_MS	    60000

static struct la_lab *lab;
static struct la_observer *obs;

static void world(void)
{
	lab = la_lab_new(false);
	cr_assert_not_null(lab);
}

static void end_of_world(void)
{
	la_observer_free(obs);
	la_lab_free(lab);
}

TestSuite(owners, .init = world, .fini = end_of_world);

/* ---- processes ---- */

static bool wait_for(int fd, short events)
{
	struct pollfd wait = {.fd = fd, .events = events};

	return poll(&wait, 1, SOON_MS) == 1;
}

/* A process of another name does something, and ends with its answer. */
static pid_t begin(const char *comm, int (*act)(int fd), int fd)
{
	pid_t pid = fork();

	cr_assert_geq(pid, 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, comm);
	_exit(act(fd));
}

static int end_of(pid_t pid)
{
	int status = -1;

	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int bound(enum la_lab_host host, unsigned short port)
{
	struct la_lab_addr at = la_lab_addr(host, AF_INET, port);
	int fd = la_lab_socket(lab, host, AF_INET, SOCK_STREAM, 0), one = 1;

	cr_assert_geq(fd, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	cr_assert_eq(bind(fd, (struct sockaddr *)&at.sa, at.len), 0, "%s", strerror(errno));
	return fd;
}

/* Connects, whether somebody listens there or not. */
static int ask(int fd)
{
	struct la_lab_addr to = la_lab_addr(LA_LAB_SERVER, AF_INET, SERVER_PORT);

	connect(fd, (struct sockaddr *)&to.sa, to.len);
	return !wait_for(fd, POLLOUT);
}

/* Accepts one, and closes it when its peer has. */
static int serve(int fd)
{
	int conn;
	char byte;

	if (!wait_for(fd, POLLIN))
		return 1;
	conn = accept(fd, NULL, NULL);
	return conn < 0 || !wait_for(conn, POLLIN) || recv(conn, &byte, 1, 0);
}

/* ---- what is told ---- */

static void observe(enum la_lab_host host, const char *const options[])
{
	obs = la_observer_start(lab, host, "eth0", NULL, options);
	cr_assert_not_null(obs);
}

/* The first record of a type; NULL: there is none yet. */
static const json_t *first(const json_t *records, const char *type)
{
	const json_t *record;
	size_t i;

	json_array_foreach (records, i, record)
		if (!strcmp(la_told_text(record, "type"), type))
			return record;
	return NULL;
}

static const json_t *first_to(const json_t *records, const char *state)
{
	const json_t *record;
	size_t i;

	json_array_foreach (records, i, record)
		if (!strcmp(la_told_text(record, "to"), state))
			return record;
	return NULL;
}

static bool has_closed(const json_t *records, void *ctx)
{
	(void)ctx;
	return first(records, "close");
}

static const json_t *told_in_time(void)
{
	cr_assert(la_observer_until(obs, has_closed, NULL, SOON_MS), "%s", la_observer_stderr(obs));
	return la_observer_records(obs);
}

static void expect_owner(const json_t *record, const char *pid_key, pid_t pid, const char *comm_key,
			 const char *comm)
{
	cr_expect_eq(json_integer_value(json_object_get(record, pid_key)), pid, "%s: %s", pid_key,
		     json_dumps(record, 0));
	cr_expect_str_eq(la_told_text(record, comm_key), comm);
}

Test(owners, who_connects_is_named_though_it_is_over)
{
	const char *const options[] = {"comm", "la-asks", NULL};
	int fd = bound(LA_LAB_CLIENT, CLIENT_PORT);
	const json_t *records;
	pid_t pid;

	observe(LA_LAB_CLIENT, options);
	pid = begin("la-asks", ask, fd);
	close(fd);
	cr_assert_eq(end_of(pid), 0);
	records = told_in_time();
	expect_owner(first(records, "state"), "orig_pid", pid, "orig_comm", "la-asks");
	expect_owner(first(records, "close"), "orig_pid", pid, "orig_comm", "la-asks");
	cr_expect_eq(*la_told_text(first(records, "close"), "orig_cgroup"), '/');
	/* that one is a socket of another network namespace */
	cr_expect_null(json_object_get(first(records, "close"), "resp_pid"));
}

Test(owners, who_listened_before_lastack_came_is_named)
{
	int listener = bound(LA_LAB_SERVER, SERVER_PORT), fd;
	const json_t *records;
	pid_t server;

	cr_assert_eq(listen(listener, 1), 0);
	server = begin("la-serves", serve, listener);
	close(listener);
	observe(LA_LAB_SERVER, (const char *const[]){NULL});
	fd = bound(LA_LAB_CLIENT, CLIENT_PORT); /* now, or the server would have it, too */
	cr_assert_eq(ask(fd), 0);
	close(fd);
	cr_assert_eq(end_of(server), 0);
	records = told_in_time();
	expect_owner(first_to(records, "SYN_RECEIVED"), "resp_pid", server, "resp_comm",
		     "la-serves");
	expect_owner(first(records, "close"), "resp_pid", server, "resp_comm", "la-serves");
	cr_expect_null(json_object_get(first(records, "close"), "orig_pid"));
}

Test(owners, nobody_is_named_with_no_process)
{
	const char *const options[] = {"--no-process", NULL};
	int fd = bound(LA_LAB_CLIENT, CLIENT_PORT);

	observe(LA_LAB_CLIENT, options);
	cr_assert_eq(ask(fd), 0);
	close(fd);
	cr_expect_null(json_object_get(first(told_in_time(), "close"), "orig_pid"));
}
