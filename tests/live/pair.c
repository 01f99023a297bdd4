// SPDX-License-Identifier: BSD-2-Clause
/* pair.c - see pair.h. */
#include "pair.h"
#include "../packet.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_MS 30000
#define CHUNK	    1000

static bool give_up(const char *what)
{
	fprintf(stderr, "pair: %s: %s\n", what, strerror(errno));
	return false;
}

static bool wait_for(int fd, short events)
{
	struct pollfd wait = {.fd = fd, .events = events};

	errno = ETIMEDOUT;
	return poll(&wait, 1, PATIENCE_MS) == 1;
}

static int bound(struct la_lab *lab, enum la_lab_host host, int family, unsigned short port)
{
	struct la_lab_addr at = la_lab_addr(host, family, port);
	int fd = la_lab_socket(lab, host, family, SOCK_STREAM, 0), one = 1;

	if (fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) &&
	    !bind(fd, (const struct sockaddr *)&at.sa, at.len))
		return fd;
	give_up("bind");
	if (fd >= 0)
		close(fd);
	return -1;
}

bool la_pair_open(struct la_pair *pair, struct la_lab *lab, int family, unsigned short client_port,
		  unsigned short server_port)
{
	struct la_lab_addr to = la_lab_addr(LA_LAB_SERVER, family, server_port);
	int listener = bound(lab, LA_LAB_SERVER, family, server_port);

	pair->client = bound(lab, LA_LAB_CLIENT, family, client_port);
	pair->server = -1;
	if (listener >= 0 && pair->client >= 0 && !listen(listener, 1) &&
	    (!connect(pair->client, (const struct sockaddr *)&to.sa, to.len) ||
	     errno == EINPROGRESS) &&
	    wait_for(listener, POLLIN))
		pair->server = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (listener >= 0)
		close(listener);
	return pair->server >= 0 || give_up("connect");
}

bool la_pair_carry(int from, int to, unsigned int bytes)
{
	static const char zeros[CHUNK];
	char got[CHUNK];
	ssize_t n;

	while (bytes) {
		n = send(from, zeros, bytes < CHUNK ? bytes : CHUNK, MSG_NOSIGNAL);
		if (n <= 0 || !wait_for(to, POLLIN))
			return give_up("send");
		n = recv(to, got, (size_t)n, MSG_WAITALL);
		if (n <= 0)
			return give_up("recv");
		bytes -= (unsigned int)n;
	}
	return true;
}

bool la_pair_rst(struct la_lab *lab, int family, unsigned short client_port,
		 unsigned short server_port, __u32 seq)
{
	struct la_frame f =
		LA_FRAME(.src = la_lab_addr_text(LA_LAB_CLIENT, family),
			 .dst = la_lab_addr_text(LA_LAB_SERVER, family), .sport = client_port,
			 .dport = server_port, .seq = seq, .flags = LA_RST);
	struct la_lab_addr to = la_lab_addr(LA_LAB_SERVER, family, 0);
	int fd = la_lab_socket(lab, LA_LAB_CLIENT, family, SOCK_RAW, IPPROTO_RAW);
	ssize_t len = (ssize_t)f.len - LA_ETH_LEN;
	bool ok = fd >= 0 && sendto(fd, f.bytes + LA_ETH_LEN, (size_t)len, 0,
				    (struct sockaddr *)&to.sa, to.len) == len;

	if (!ok)
		give_up("cannot send a RST");
	if (fd >= 0)
		close(fd);
	return ok;
}

bool la_pair_ended(int fd)
{
	char byte;

	return (wait_for(fd, POLLIN) && recv(fd, &byte, 1, 0) <= 0) || give_up("no end");
}
