/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control.c - messages and peers. See control.h.
 */
#include "control.h"
#include "loader.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct la_control_head la_control_head(enum la_say say)
{
	return (struct la_control_head){.magic = LA_CONTROL_MAGIC,
					.say = (__u16)say,
					.abi = LA_ABI_VERSION,
					.layout = la_loader_layout()};
}

void la_control_path(char *path, size_t size, const char *name)
{
	snprintf(path, size, LA_CONTROL_DIR "/%s.sock", name);
}

bool la_control_trusts(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size))
		return false;
	return peer.uid == 0 || peer.uid == geteuid();
}

int la_control_send(int fd, const void *message, size_t size, const int *fds, unsigned int count)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int) * LA_MAP_FDS_MAX)];
	} rights = {0};
	struct iovec bytes = {.iov_base = (void *)message, .iov_len = size};
	struct msghdr msg = {.msg_iov = &bytes, .msg_iovlen = 1};

	if (count) {
		rights.head.cmsg_level = SOL_SOCKET;
		rights.head.cmsg_type = SCM_RIGHTS;
		rights.head.cmsg_len = CMSG_LEN(sizeof(*fds) * count);
		memcpy(CMSG_DATA(&rights.head), fds, sizeof(*fds) * count);
		msg.msg_control = &rights;
		msg.msg_controllen = CMSG_SPACE(sizeof(*fds) * count);
	}
	return sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* The file descriptors of a message; those beyond max are closed. */
static unsigned int take_rights(struct msghdr *msg, int *fds, unsigned int max)
{
	unsigned int count = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			if (count < max)
				fds[count++] = fd;
			else
				close(fd);
		}
	}
	return count;
}

static bool is_ours(const struct la_control_head *head, size_t size)
{
	return size >= sizeof(*head) && head->magic == LA_CONTROL_MAGIC;
}

ssize_t la_control_receive(int fd, void *message, size_t size, int *fds, unsigned int max,
			   unsigned int *count)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int) * LA_MAP_FDS_MAX)];
	} rights;
	struct iovec bytes = {.iov_base = message, .iov_len = size};
	struct msghdr msg = {.msg_iov = &bytes,
			     .msg_iovlen = 1,
			     .msg_control = &rights,
			     .msg_controllen = sizeof(rights)};
	ssize_t got;

	*count = 0;
	do
		got = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	*count = take_rights(&msg, fds, max);
	if (!got)
		return 0;
	if (msg.msg_flags & MSG_TRUNC || !is_ours(message, (size_t)got))
		return -EPROTO;
	return got;
}
