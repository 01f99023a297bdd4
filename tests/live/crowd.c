// SPDX-License-Identifier: BSD-2-Clause
/*
 * crowd.c - see crowd.h.
 */
#include "crowd.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define SOON_MS	  60000
#define PORTS_MAX 16
#define BACKLOG	  4096 /* as Linux lets by default */

/* Nobody accepts: the server's kernel has the connections, and that is all that is asked for. */
struct la_crowd {
	int ports, count;
	int listeners[PORTS_MAX];
	int clients[];
};

/* Room for so many descriptors besides a few others. */
static void make_room(rlim_t count)
{
	struct rlimit limit;

	cr_assert(!getrlimit(RLIMIT_NOFILE, &limit));
	cr_assert(limit.rlim_max > count + 100, "only %llu descriptors: raise ulimit -Hn",
		  (unsigned long long)limit.rlim_max);
	limit.rlim_cur = limit.rlim_max;
	cr_assert(!setrlimit(RLIMIT_NOFILE, &limit));
}

static int listen_at(struct la_lab *lab, unsigned short port)
{
	struct la_lab_addr at = la_lab_addr(LA_LAB_SERVER, AF_INET, port);
	int fd = la_lab_socket(lab, LA_LAB_SERVER, AF_INET, SOCK_STREAM, 0);

	cr_assert(fd >= 0 && !bind(fd, (struct sockaddr *)&at.sa, at.len) && !listen(fd, BACKLOG));
	return fd;
}

/* The client's end of a connection, open. */
static int dial(unsigned short port)
{
	struct la_lab_addr to = la_lab_addr(LA_LAB_SERVER, AF_INET, port);
	struct pollfd wait = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
			      .events = POLLOUT};

	cr_assert(wait.fd >= 0 &&
		  (!connect(wait.fd, (struct sockaddr *)&to.sa, to.len) || errno == EINPROGRESS));
	cr_assert(poll(&wait, 1, SOON_MS) == 1 && wait.revents == POLLOUT);
	return wait.fd;
}

struct la_crowd *la_crowd_new(struct la_lab *lab, int count, unsigned short port, int ports)
{
	struct la_crowd *crowd = calloc(1, sizeof(*crowd) + (size_t)count * sizeof(int));

	cr_assert(crowd && ports <= PORTS_MAX && count / ports < BACKLOG);
	make_room((rlim_t)count);
	for (; crowd->ports < ports; crowd->ports++)
		crowd->listeners[crowd->ports] =
			listen_at(lab, (unsigned short)(port + crowd->ports));
	cr_assert(la_lab_enter(lab, LA_LAB_CLIENT));
	for (; crowd->count < count; crowd->count++)
		crowd->clients[crowd->count] = dial((unsigned short)(port + crowd->count % ports));
	la_lab_leave(lab);
	return crowd;
}

void la_crowd_half_close(struct la_crowd *crowd, int i)
{
	cr_assert(!shutdown(crowd->clients[i], SHUT_WR));
}

void la_crowd_free(struct la_crowd *crowd)
{
	for (int i = 0; i < crowd->count; i++)
		close(crowd->clients[i]);
	for (int i = 0; i < crowd->ports; i++)
		close(crowd->listeners[i]);
	free(crowd);
}
