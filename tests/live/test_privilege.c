// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_privilege.c - what lastack may do: three capabilities are enough to start it, one more to
 * reset connections, and once it is attached it has given up all that it does not need, in all of
 * its threads.
 */
#include "config_file.h"
#include "lab.h"
#include "observer.h"
#include "pair.h"
#include "talk.h"
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS	    30000
#define CLIENT_PORT 45001
#define SERVER_PORT 9701
#define THREE	    "+bpf,+net_admin,+perfmon"
#define FOUR	    THREE ",+net_raw"
#define BIT(cap)    (1ULL << (cap))

/* ---- a lastack that is nobody, with a few capabilities ---- */

struct nobody {
	struct la_lab *lab;
	char program[64]; /* where nobody can reach it */
	pid_t pid;
	int out; /* read end of its stdout */
	char said[65536];
	size_t size;
};

static void copy_program(struct nobody *n)
{
	int from = open(la_observer_binary(), O_RDONLY | O_CLOEXEC), to;
	struct stat st;

	strcpy(n->program, "/tmp/lastack-test-XXXXXX");
	to = mkstemp(n->program);
	cr_assert(from >= 0 && to >= 0 && !fstat(from, &st));
	for (off_t left = st.st_size; left > 0;) {
		ssize_t sent = sendfile(to, from, NULL, (size_t)left);

		cr_assert(sent > 0);
		left -= sent;
	}
	cr_assert(!fchmod(to, 0755));
	close(from);
	close(to);
}

/* Reads its stdout until it holds the text. */
static bool prints(struct nobody *n, const char *text)
{
	struct pollfd wait = {.fd = n->out, .events = POLLIN};

	while (!strstr(n->said, text)) {
		ssize_t got = -1;

		if (poll(&wait, 1, WAIT_MS) == 1)
			got = read(n->out, n->said + n->size, sizeof(n->said) - 1 - n->size);
		if (got <= 0)
			return false;
		n->size += (size_t)got;
	}
	return true;
}

/* With these capabilities, told by this file. Its messages and records come on one pipe. */
static void be_nobody(struct nobody *n, const char *caps, const char *file)
{
	char inherited[80], ambient[80], bounding[80];
	const char *const argv[] = {"setpriv",
				    "--reuid=65534",
				    "--regid=65534",
				    "--clear-groups",
				    inherited,
				    ambient,
				    bounding,
				    n->program,
				    "run",
				    "-i",
				    "eth0",
				    "-o",
				    "jsonl",
				    "--config",
				    file,
				    NULL};
	int out[2];

	snprintf(inherited, sizeof(inherited), "--inh-caps=-all,%s", caps);
	snprintf(ambient, sizeof(ambient), "--ambient-caps=-all,%s", caps);
	snprintf(bounding, sizeof(bounding), "--bounding-set=-all,%s", caps);
	n->lab = la_lab_new(false);
	cr_assert(n->lab && !pipe2(out, O_CLOEXEC));
	copy_program(n);
	n->pid = la_lab_spawn(n->lab, LA_LAB_SERVER, argv, out[1], out[1]);
	close(out[1]);
	n->out = out[0];
	cr_assert(n->pid > 0);
	prints(n, "lastack: "); /* it runs */
	unlink(n->program);
}

/* Returns its exit code. */
static int end_nobody(struct nobody *n)
{
	int status = -1;

	kill(n->pid, SIGTERM);
	prints(n, "\n\n\n"); /* which it never says: to the end */
	waitpid(n->pid, &status, 0);
	close(n->out);
	la_lab_free(n->lab);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool converse(struct la_lab *lab)
{
	struct la_talk_end client = {LA_LAB_CLIENT,
				     la_lab_addr(LA_LAB_CLIENT, AF_INET, CLIENT_PORT)};
	struct la_talk_end server = {LA_LAB_SERVER,
				     la_lab_addr(LA_LAB_SERVER, AF_INET, SERVER_PORT)};

	return la_talk(lab, &client, &server, 1000);
}

Test(privilege, three_capabilities_are_enough, .timeout = 60)
{
	static struct nobody n;

	be_nobody(&n, THREE, "/dev/null");
	cr_expect(prints(&n, "lastack: eth0: "), "it said: %s", n.said);
	cr_expect(converse(n.lab));
	cr_expect(prints(&n, "\"reason\":\"fin\""), "it said: %s", n.said);
	cr_expect_eq(end_nobody(&n), 0, "it said: %s", n.said);
}

static const char idle_policy[] =
	"policies: [{name: idle, match: tcp, when: idle > 300ms, action: reset}]\n";

static void expect_reset(int fd)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	char byte;

	cr_assert(poll(&wait, 1, WAIT_MS) == 1);
	cr_expect(recv(fd, &byte, 1, 0) < 0 && errno == ECONNRESET);
}

Test(privilege, with_a_fourth_it_resets, .timeout = 60)
{
	static struct nobody n;
	struct la_pair pair;
	struct la_config_file file = la_config_file_new(idle_policy);

	be_nobody(&n, FOUR, file.path);
	cr_expect(prints(&n, "lastack: eth0: "), "it said: %s", n.said);
	cr_assert(la_pair_open(&pair, n.lab, AF_INET, CLIENT_PORT, SERVER_PORT));
	expect_reset(pair.client);
	expect_reset(pair.server);
	cr_expect(prints(&n, "\"result\":\"done\""), "it said: %s", n.said);
	close(pair.client);
	close(pair.server);
	cr_expect_eq(end_nobody(&n), 0, "it said: %s", n.said);
	close(file.fd);
}

Test(privilege, without_it_a_policy_that_resets_is_refused, .timeout = 60)
{
	static struct nobody n;
	struct la_config_file file = la_config_file_new(idle_policy);

	be_nobody(&n, THREE, file.path);
	cr_expect(prints(&n, "cannot reset connections"), "it said: %s", n.said);
	cr_expect(prints(&n, "CAP_NET_RAW or root is needed"), "it said: %s", n.said);
	cr_expect_not(prints(&n, "eth0"), "it goes on: %s", n.said); /* to its end */
	cr_expect_eq(end_nobody(&n), 1, "it said: %s", n.said);
	close(file.fd);
}

/* ---- what is left ---- */

/* A line of /proc/PID/task/TID/status, as a number of this base. */
static unsigned long long status_of(const char *path, const char *name, int base)
{
	FILE *file = fopen(path, "re");
	unsigned long long value = ~0ULL;
	char line[256];

	cr_assert(file);
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)))
			value = strtoull(line + strlen(name), NULL, base);
	fclose(file);
	return value;
}

static void thread_has(const char *path, unsigned long long caps)
{
	static const char *const sets[] = {"CapEff:", "CapPrm:", "CapBnd:"};

	for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++)
		cr_expect_eq(status_of(path, sets[i], 16), caps, "%s %s is %llx", path, sets[i],
			     status_of(path, sets[i], 16));
	cr_expect_eq(status_of(path, "CapAmb:", 16), 0);
	cr_expect_eq(status_of(path, "NoNewPrivs:", 10), 1);
	cr_expect_eq(status_of(path, "Seccomp:", 10), 2, "%s: no filter of system calls", path);
}

/* Returns how many threads it has. */
static int threads_have(pid_t pid, unsigned long long caps)
{
	char dir[64], path[400];
	struct dirent *entry;
	int count = 0;
	DIR *tasks;

	snprintf(dir, sizeof(dir), "/proc/%d/task", pid);
	tasks = opendir(dir);
	cr_assert(tasks);
	while ((entry = readdir(tasks))) {
		if (*entry->d_name == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s/status", dir, entry->d_name);
		thread_has(path, caps);
		count++;
	}
	closedir(tasks);
	return count;
}

/* It says that it listens when the last of its threads has been started. */
static void runs_with(const char *const options[], unsigned long long caps)
{
	struct la_lab *lab = la_lab_new(false);
	struct la_observer *obs = la_observer_start(lab, LA_LAB_SERVER, "eth0", NULL, options);

	cr_assert(lab && obs);
	cr_expect(la_observer_says(obs, "lastack: http://127.0.0.1:"), "%s",
		  la_observer_stderr(obs));
	cr_expect_geq(threads_have(la_observer_pid(obs), caps), 2);
	cr_expect(converse(lab));
	cr_expect_eq(la_observer_stop(obs), 0, "%s", la_observer_stderr(obs));
	la_observer_free(obs);
	la_lab_free(lab);
}

Test(privilege, what_is_not_needed_is_given_up, .timeout = 60)
{
	const char *const none[] = {NULL}, *const file[] = {"--config", "/dev/null", NULL};

	runs_with(none, BIT(CAP_NET_ADMIN) | BIT(CAP_BPF));
	/* a file may come to have a policy that sends resets */
	runs_with(file, BIT(CAP_NET_ADMIN) | BIT(CAP_BPF) | BIT(CAP_NET_RAW));
}
