// SPDX-License-Identifier: BSD-2-Clause
/*
 * talk.c - see talk.h. One thread drives both ends: poll, move what can be moved, repeat.
 */
#include "talk.h"
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_MS 30000
#define CHUNK	    (256 * 1024)

static bool give_up(const char *what)
{
	fprintf(stderr, "talk: %s: %s\n", what, strerror(errno));
	return false;
}

static bool wait_for(int fd, short events)
{
	struct pollfd wait = {.fd = fd, .events = events};

	errno = ETIMEDOUT;
	return poll(&wait, 1, PATIENCE_MS) == 1;
}

static int open_end(struct la_lab *lab, const struct la_talk_end *end)
{
	int fd = la_lab_socket(lab, end->host, end->at.sa.ss_family, SOCK_STREAM, 0), one = 1;

	if (fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) &&
	    !bind(fd, (const struct sockaddr *)&end->at.sa, end->at.len))
		return fd;
	give_up("bind");
	if (fd >= 0)
		close(fd);
	return -1;
}

static int dial(struct la_lab *lab, const struct la_talk_end *client,
		const struct la_talk_end *server)
{
	int fd = open_end(lab, client);

	if (fd < 0 || !connect(fd, (const struct sockaddr *)&server->at.sa, server->at.len) ||
	    (errno == EINPROGRESS && wait_for(fd, POLLOUT)))
		return fd;
	give_up("connect");
	close(fd);
	return -1;
}

/* Moves bytes from one socket to the other until all have arrived. */
static bool carry(int from, int to, unsigned long long bytes)
{
	static char chunk[CHUNK];
	unsigned long long sent = 0, got = 0;

	while (got < bytes) {
		unsigned long long left = bytes - sent;
		ssize_t n = left ? send(from, chunk, left < CHUNK ? left : CHUNK, MSG_NOSIGNAL) : 0;

		if (n < 0 && errno != EAGAIN)
			return give_up("send");
		sent += n > 0 ? (unsigned long long)n : 0;
		if (!wait_for(to, POLLIN))
			return give_up("no data arrives");
		n = recv(to, chunk, sizeof(chunk), 0);
		if (n <= 0)
			return give_up("recv");
		got += (unsigned long long)n;
	}
	return true;
}

/* `from` closes its direction and the other end sees it. */
static bool finish(int from, int to)
{
	char byte;

	return (!shutdown(from, SHUT_WR) && wait_for(to, POLLIN) && recv(to, &byte, 1, 0) == 0) ||
	       give_up("close");
}

/* Until the client's last ACK has reached the server. */
static bool has_closed(int server)
{
	return wait_for(server, POLLHUP) || give_up("the last ACK does not arrive");
}

bool la_talk(struct la_lab *lab, const struct la_talk_end *client, const struct la_talk_end *server,
	     unsigned long long bytes)
{
	int listener = open_end(lab, server), from = -1, to = -1;
	bool ok = false;

	if (listener < 0 || listen(listener, 1))
		goto cleanup;
	from = dial(lab, client, server);
	if (from < 0 || !wait_for(listener, POLLIN))
		goto cleanup;
	to = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	ok = to >= 0 && carry(from, to, bytes) && carry(to, from, 1) && finish(from, to) &&
	     finish(to, from) && has_closed(to);
cleanup:
	if (to >= 0)
		close(to);
	if (from >= 0)
		close(from);
	if (listener >= 0)
		close(listener);
	return ok;
}
