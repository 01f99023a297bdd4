// SPDX-License-Identifier: BSD-2-Clause
/*
 * keeper.c - see keeper.h.
 */
#include "keeper.h"
#include "observer.h"
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 30000
#define ARGS_MAX    24

bool la_keeper_world(void)
{
	if (!unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	    !mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL))
		return true;
	fprintf(stderr, "keeper: cannot mount a bpffs: %s\n", strerror(errno));
	return false;
}

bool la_keeper_init(struct la_keeper *keeper, struct la_lab *lab, enum la_lab_host host)
{
	*keeper = (struct la_keeper){.lab = lab, .host = host};
	keeper->out = memfd_create("keeper-stdout", MFD_CLOEXEC);
	keeper->err = memfd_create("keeper-stderr", MFD_CLOEXEC);
	return keeper->out >= 0 && keeper->err >= 0;
}

static bool spawn(struct la_keeper *keeper, const char *const argv[])
{
	pid_t pid;

	if (!argv[0] || ftruncate(keeper->err, 0) || lseek(keeper->err, 0, SEEK_SET))
		return false;
	pid = la_lab_spawn(keeper->lab, keeper->host, argv, keeper->out, keeper->err);
	keeper->pid = pid > 0 ? pid : 0;
	return pid > 0;
}

static void append(const char *argv[], int argc, const char *const more[])
{
	while (more && *more && argc < ARGS_MAX - 1)
		argv[argc++] = *more++;
}

bool la_keeper_spawn(struct la_keeper *keeper, const char *const options[])
{
	const char *argv[ARGS_MAX] = {
		la_observer_binary(), "run",	   "-o",  "jsonl", "-i", "eth0",
		"--persist",	      "--control", "none"};

	append(argv, 9, options);
	return spawn(keeper, argv);
}

const char *la_keeper_said(struct la_keeper *keeper)
{
	ssize_t got = pread(keeper->err, keeper->said, sizeof(keeper->said) - 1, 0);

	keeper->said[got > 0 ? got : 0] = '\0';
	return keeper->said;
}

/* Waits for its end, at most so long. Its exit code, 128 + signal, -1: it goes on. */
static int ended(struct la_keeper *keeper, int ms)
{
	int status;

	for (; ms >= 0; ms -= 2) {
		if (waitpid(keeper->pid, &status, WNOHANG) == keeper->pid) {
			keeper->pid = 0;
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		}
		poll(NULL, 0, 2);
	}
	return -1;
}

bool la_keeper_start(struct la_keeper *keeper, const char *const options[])
{
	const char *said, *line;

	if (!la_keeper_spawn(keeper, options))
		return false;
	for (int ms = 0; ms < PATIENCE_MS; ms += 2) {
		said = la_keeper_said(keeper);
		line = strstr(said, ", egress ") ? NULL : strstr(said, "egress (");
		if (line && strchr(line, '\n'))
			return true;
		if (ended(keeper, 0) >= 0)
			break;
	}
	fprintf(stderr, "keeper: lastack is not attached: %s", la_keeper_said(keeper));
	return false;
}

int la_keeper_end(struct la_keeper *keeper, int signal)
{
	if (!keeper->pid || kill(keeper->pid, signal))
		return -1;
	return ended(keeper, PATIENCE_MS);
}

int la_keeper_verb(struct la_keeper *keeper, const char *const args[])
{
	const char *argv[ARGS_MAX] = {la_observer_binary()};
	struct la_keeper other = *keeper;

	append(argv, 1, args);
	if (!spawn(&other, argv))
		return -1;
	return ended(&other, PATIENCE_MS);
}

json_t *la_keeper_records(const struct la_keeper *keeper)
{
	json_t *records = json_array(), *record;
	off_t size = lseek(keeper->out, 0, SEEK_END);
	char *text = malloc((size_t)size + 1), *line = text, *end;

	if (!text || pread(keeper->out, text, (size_t)size, 0) != size)
		size = 0;
	for (; line < text + size; line = end + 1) {
		end = memchr(line, '\n', (size_t)(text + size - line));
		record = end ? json_loadb(line, (size_t)(end - line), 0, NULL) : NULL;
		if (!json_is_object(record)) {
			fprintf(stderr, "keeper: not a record: %.200s\n", line);
			json_decref(records);
			records = NULL;
			break;
		}
		json_array_append_new(records, record);
	}
	free(text);
	return records;
}

void la_keeper_free(struct la_keeper *keeper)
{
	if (keeper->pid)
		la_keeper_end(keeper, SIGKILL);
	close(keeper->out);
	close(keeper->err);
}
