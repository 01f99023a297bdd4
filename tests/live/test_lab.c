// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_lab.c - the laboratory leaves nothing behind, however the process that made it ends.
 */
#include "observer.h"
#include "wire.h"
#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define WAIT_MS 30000
#define STEP_MS 20

/* What a process that is about to be killed has made. */
struct made {
	pid_t lastack;
	unsigned int program; /* it is attached in the lab, and lives as long as the lab */
};

/* Builds a lab with all that belongs to it, says what it made, and waits to be killed. */
static void make_and_wait(int to)
{
	const char *const options[] = {NULL};
	struct la_lab *lab = la_lab_new(true);
	struct la_wire *wire = lab ? la_wire_new(lab) : NULL;
	struct la_observer *obs =
		wire ? la_observer_start(lab, LA_LAB_ROUTER, "left", "right", options) : NULL;
	struct made made = {0};

	if (obs)
		made = (struct made){la_observer_pid(obs), la_wire_program_id(wire)};
	if (write(to, &made, sizeof(made)) == (ssize_t)sizeof(made))
		poll(NULL, 0, WAIT_MS);
	_exit(0);
}

static bool program_lives(unsigned int id)
{
	int fd = bpf_prog_get_fd_by_id(id);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

Test(lab, leaves_nothing_when_killed)
{
	struct pollfd wait;
	struct made made = {0};
	int ends[2], ms;
	pid_t pid;

	cr_assert(pipe(ends) == 0);
	pid = fork();
	if (pid == 0)
		make_and_wait(ends[1]);
	cr_assert(pid > 0);
	wait = (struct pollfd){.fd = ends[0], .events = POLLIN};
	cr_expect(poll(&wait, 1, 2 * WAIT_MS) == 1 &&
		  read(ends[0], &made, sizeof(made)) == (ssize_t)sizeof(made));
	cr_expect(made.lastack > 0 && program_lives(made.program), "there was no lab");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	cr_assert(made.lastack > 0);
	for (ms = 0; ms < WAIT_MS; ms += STEP_MS) {
		if (kill(made.lastack, 0) && errno == ESRCH && !program_lives(made.program))
			break;
		poll(NULL, 0, STEP_MS);
	}
	cr_expect(kill(made.lastack, 0) && errno == ESRCH, "lastack lives on");
	cr_expect(!program_lives(made.program), "the namespaces live on");
	close(ends[0]);
	close(ends[1]);
}
