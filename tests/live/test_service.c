// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_service.c - what lastack tells the service manager that started it (sd_notify(3)).
 */
#include "lab.h"
#include "observer.h"
#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define WAIT_MS 30000

/* A manager's socket, named in the environment; by a path, since lastack is in another network. */
static int manager_new(struct sockaddr_un *at)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	at->sun_family = AF_UNIX;
	snprintf(at->sun_path, sizeof(at->sun_path), "/tmp/lastack-manager-%d", getpid());
	unlink(at->sun_path);
	cr_assert(fd >= 0 && !bind(fd, (struct sockaddr *)at, sizeof(*at)));
	cr_assert(!setenv("NOTIFY_SOCKET", at->sun_path, 1));
	return fd;
}

/* The next message. */
static const char *told(int manager)
{
	static char text[200];
	struct pollfd wait = {.fd = manager, .events = POLLIN};
	ssize_t got = poll(&wait, 1, WAIT_MS) == 1 ? recv(manager, text, sizeof(text) - 1, 0) : 0;

	text[got > 0 ? got : 0] = '\0';
	return text;
}

Test(service, the_manager_is_told_of_beginning_and_end, .timeout = 60)
{
	const char *const options[] = {NULL};
	struct la_lab *lab = la_lab_new(false);
	struct la_observer *obs;
	struct sockaddr_un at;
	int manager = manager_new(&at);

	cr_assert(lab);
	obs = la_observer_start(lab, LA_LAB_SERVER, "eth0", NULL, options);
	if (!obs)
		unlink(at.sun_path);
	cr_assert(obs);
	cr_expect_str_eq(told(manager), "READY=1");
	cr_expect_eq(la_observer_stop(obs), 0);
	cr_expect_str_eq(told(manager), "STOPPING=1");
	la_observer_free(obs);
	la_lab_free(lab);
	close(manager);
	unlink(at.sun_path);
}
