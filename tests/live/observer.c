// SPDX-License-Identifier: BSD-2-Clause
/*
 * observer.c - see observer.h.
 */
#include "observer.h"
#include "clock.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_MS   60000
#define STOP_MS	   30000
#define ARGS_MAX   40
#define STDERR_MAX (1 << 20)
#define LINE_BYTES 65536
#define PIPE_BYTES (1 << 20)

struct la_observer {
	pid_t pid;  /* 0: it has ended */
	int status; /* its wait status then; -1: it never began */
	int out;    /* read end of its stdout, -1: it has closed it */
	int err;    /* memfd behind its stderr */
	int ready;  /* the socket of its service manager, which is us (sd_notify(3)) */
	bool bad;   /* it printed what is no record */
	json_t *records;
	size_t filled;
	char line[LINE_BYTES];
	char said[STDERR_MAX];
};

/* build/test-live and build/demo lie beside build/lastack. */
const char *la_observer_binary(void)
{
	static char path[PATH_MAX];
	const char *given = getenv("LASTACK");
	ssize_t len;
	char *slash;

	if (given)
		return given;
	len = readlink("/proc/self/exe", path, sizeof(path) - sizeof("/lastack"));
	path[len > 0 ? len : 0] = '\0';
	slash = strrchr(path, '/');
	if (slash) {
		strcpy(slash, "/lastack");
		if (access(path, X_OK) == 0)
			return path;
	}
	fprintf(stderr, "observer: no lastack at %s: build it, or set LASTACK to its path\n", path);
	return NULL;
}

const char *la_observer_stderr(struct la_observer *obs)
{
	ssize_t got = pread(obs->err, obs->said, sizeof(obs->said) - 1, 0);

	obs->said[got > 0 ? got : 0] = '\0';
	return obs->said;
}

static void take_line(struct la_observer *obs, const char *line)
{
	json_t *record = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

	if (record && json_is_object(record)) {
		json_array_append_new(obs->records, record);
		return;
	}
	fprintf(stderr, "observer: not a record: %s\n", line);
	json_decref(record);
	obs->bad = true;
}

static void take_lines(struct la_observer *obs)
{
	char *line = obs->line, *end;

	while ((end = memchr(line, '\n', obs->filled - (size_t)(line - obs->line)))) {
		*end = '\0';
		take_line(obs, line);
		line = end + 1;
	}
	obs->filled -= (size_t)(line - obs->line);
	memmove(obs->line, line, obs->filled);
}

/* Waits for output, for at most so long, and takes it. False at its end. */
static bool read_some(struct la_observer *obs, int ms)
{
	struct pollfd wait = {.fd = obs->out, .events = POLLIN};
	ssize_t got;

	if (obs->out < 0)
		return false;
	if (poll(&wait, 1, ms) != 1)
		return true;
	got = read(obs->out, obs->line + obs->filled, sizeof(obs->line) - obs->filled);
	if (got <= 0) {
		close(obs->out);
		obs->out = -1;
		return false;
	}
	obs->filled += (size_t)got;
	take_lines(obs);
	return true;
}

static bool has_ended(struct la_observer *obs)
{
	if (obs->pid && waitpid(obs->pid, &obs->status, WNOHANG) == obs->pid)
		obs->pid = 0;
	return !obs->pid;
}

bool la_observer_notifies(struct la_observer *obs, const char *state)
{
	long long deadline = la_monotonic_ms() + START_MS;
	struct pollfd wait = {.fd = obs->ready, .events = POLLIN};
	char text[64];
	ssize_t n;

	while (poll(&wait, 1, 5) == 0)
		if (has_ended(obs) || la_monotonic_ms() > deadline)
			break;
	n = recv(obs->ready, text, sizeof(text) - 1, MSG_DONTWAIT);
	text[n > 0 ? n : 0] = '\0';
	return !strcmp(text, state);
}

/* When all is in place: it says that it is attached before it has its policies. */
static bool wait_ready(struct la_observer *obs)
{
	if (la_observer_notifies(obs, "READY=1"))
		return true;
	fprintf(stderr, "observer: lastack is not ready; it said:\n%s", la_observer_stderr(obs));
	return false;
}

/* An abstract name leaves nothing behind, but is one of its network namespace. */
static bool open_manager(struct la_observer *obs, struct la_lab *lab, enum la_lab_host host)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	socklen_t len = sizeof(at);

	obs->ready = la_lab_socket(lab, host, AF_UNIX, SOCK_DGRAM, 0);
	if (obs->ready < 0 || bind(obs->ready, (struct sockaddr *)&at, sizeof(at.sun_family)) ||
	    getsockname(obs->ready, (struct sockaddr *)&at, &len))
		return false;
	at.sun_path[0] = '@';
	return !setenv("NOTIFY_SOCKET", at.sun_path, 1);
}

/* out: its stdout, -1 for ours. */
static bool spawn(struct la_observer *obs, struct la_lab *lab, enum la_lab_host host,
		  const char *const argv[], int out)
{
	pid_t pid = open_manager(obs, lab, host) ? la_lab_spawn(lab, host, argv, out, obs->err) : 0;

	unsetenv("NOTIFY_SOCKET");
	obs->pid = pid > 0 ? pid : 0;
	return pid > 0;
}

static bool spawn_piped(struct la_observer *obs, struct la_lab *lab, enum la_lab_host host,
			const char *const argv[])
{
	int ends[2];
	bool ok;

	if (pipe2(ends, O_CLOEXEC)) {
		fprintf(stderr, "observer: cannot make a pipe: %s\n", strerror(errno));
		return false;
	}
	obs->out = ends[0];
	fcntl(ends[0], F_SETPIPE_SZ, PIPE_BYTES); /* who reads nothing holds up nobody for long */
	ok = spawn(obs, lab, host, argv, ends[1]);
	close(ends[1]);
	return ok;
}

static struct la_observer *new_observer(void)
{
	struct la_observer *obs = calloc(1, sizeof(*obs));

	if (!obs)
		return NULL;
	obs->out = obs->ready = obs->status = -1;
	obs->err = memfd_create("lastack-stderr", MFD_CLOEXEC);
	obs->records = json_array();
	if (obs->err >= 0 && obs->records)
		return obs;
	la_observer_free(obs);
	return NULL;
}

/* Appends options to an argument list of ARGS_MAX. */
static void add_options(const char *argv[], int argc, const char *const options[])
{
	while (*options && argc < ARGS_MAX - 1)
		argv[argc++] = *options++;
}

struct la_observer *la_observer_start(struct la_lab *lab, enum la_lab_host host, const char *ifname,
				      const char *ifname2, const char *const options[])
{
	const char *argv[ARGS_MAX] = {la_observer_binary(), "run", "-o", "jsonl",
				      "--control",	    "none"};
	const char *const names[] = {ifname, ifname2};
	struct la_observer *obs = new_observer();
	int argc = 6;

	for (int i = 0; i < 2 && names[i]; i++) {
		argv[argc++] = "-i";
		argv[argc++] = names[i];
	}
	add_options(argv, argc, options);
	if (obs && argv[0] && spawn_piped(obs, lab, host, argv) && (wait_ready(obs) || !ifname))
		return obs;
	la_observer_free(obs);
	return NULL;
}

struct la_observer *la_observer_start_drawing(struct la_lab *lab, enum la_lab_host host,
					      const char *ifname, const char *const options[])
{
	const char *argv[ARGS_MAX] = {la_observer_binary(), "run", "-i", ifname,
				      "--control",	    "none"};
	struct la_observer *obs = new_observer();

	add_options(argv, 6, options);
	if (obs && argv[0] && spawn(obs, lab, host, argv, -1) && wait_ready(obs))
		return obs;
	la_observer_free(obs);
	return NULL;
}

const json_t *la_observer_records(struct la_observer *obs)
{
	return obs->records;
}

bool la_observer_until(struct la_observer *obs, bool (*done)(const json_t *records, void *ctx),
		       void *ctx, int ms)
{
	long long deadline = la_monotonic_ms() + ms, left;

	while (!done(obs->records, ctx)) {
		left = deadline - la_monotonic_ms();
		if (left <= 0 || !read_some(obs, (int)left))
			return false;
	}
	return true;
}

bool la_observer_says(struct la_observer *obs, const char *text)
{
	long long deadline = la_monotonic_ms() + START_MS;

	while (!strstr(la_observer_stderr(obs), text)) {
		if (la_monotonic_ms() > deadline)
			return false;
		poll(NULL, 0, 5);
	}
	return true;
}

int la_observer_stop(struct la_observer *obs)
{
	long long deadline = la_monotonic_ms() + STOP_MS;

	if (obs->pid)
		kill(obs->pid, SIGTERM);
	while (la_monotonic_ms() < deadline && read_some(obs, (int)(deadline - la_monotonic_ms())))
		;
	while (la_monotonic_ms() < deadline && !has_ended(obs))
		poll(NULL, 0, 5);
	if (obs->pid || obs->bad || obs->filled || !WIFEXITED(obs->status))
		return -1;
	return WEXITSTATUS(obs->status);
}

int la_observer_pipe(const struct la_observer *obs)
{
	return obs->out;
}

pid_t la_observer_pid(const struct la_observer *obs)
{
	return obs->pid;
}

void la_observer_free(struct la_observer *obs)
{
	if (!obs)
		return;
	if (obs->pid > 0) {
		kill(obs->pid, SIGKILL);
		waitpid(obs->pid, NULL, 0);
	}
	if (obs->out >= 0)
		close(obs->out);
	if (obs->err >= 0)
		close(obs->err);
	if (obs->ready >= 0)
		close(obs->ready);
	json_decref(obs->records);
	free(obs);
}
