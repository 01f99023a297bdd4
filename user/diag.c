/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * diag.c - see diag.h.
 */
#include "diag.h"
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct question {
	struct nlmsghdr head;
	struct inet_diag_req_v2 what;
};

static void write_addr(__be32 to[4], const __u8 addr[16], bool v4)
{
	memcpy(to, addr + (v4 ? 12 : 0), v4 ? 4 : 16);
}

static struct question question_about(const struct la_diag_end *end, __u16 type, __u64 cookie)
{
	const __u8 *own = end->key.addr[end->side & 1], *peer = end->key.addr[!end->side];
	bool v4 = la_key_is_v4(&end->key);
	struct question q = {
		.head = {.nlmsg_len = sizeof(q),
			 .nlmsg_type = type,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
		.what = {.sdiag_family = v4 ? AF_INET : AF_INET6,
			 .sdiag_protocol = IPPROTO_TCP,
			 .idiag_states = ~0U,
			 .id = {.idiag_sport = end->key.port[end->side & 1],
				.idiag_dport = end->key.port[!end->side],
				.idiag_cookie = {(__u32)cookie, (__u32)(cookie >> 32)}}},
	};

	write_addr(q.what.id.idiag_src, own, v4);
	write_addr(q.what.id.idiag_dst, peer, v4);
	if (!v4 && IN6_IS_ADDR_LINKLOCAL((const struct in6_addr *)own))
		q.what.id.idiag_if = end->ifindex;
	return q;
}

/* Asks, and waits for the answer: a socket, 0; or -errno, 0 if there is nothing to tell. */
static int ask(const struct question *q, struct inet_diag_msg *socket_found)
{
	char buf[4096] __attribute__((aligned(8)));
	const struct nlmsghdr *answer = (const struct nlmsghdr *)buf;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	int err = fd >= 0 && send(fd, q, sizeof(*q), 0) == sizeof(*q) ? 0 : -errno;
	ssize_t n = err ? -1 : recv(fd, buf, sizeof(buf), 0);

	if (!err && (n < 0 || !NLMSG_OK(answer, (size_t)n)))
		err = n < 0 ? -errno : -EPROTO;
	else if (!err && answer->nlmsg_type == NLMSG_ERROR)
		err = ((const struct nlmsgerr *)NLMSG_DATA(answer))->error;
	else if (!err && answer->nlmsg_type == SOCK_DIAG_BY_FAMILY)
		memcpy(socket_found, NLMSG_DATA(answer), sizeof(*socket_found));
	if (fd >= 0)
		close(fd);
	return err;
}

__u64 la_diag_find(const struct la_diag_end *end)
{
	struct question q = question_about(end, SOCK_DIAG_BY_FAMILY, ~0ULL);
	struct inet_diag_msg found = {0};

	if (ask(&q, &found) || found.idiag_state == TCP_TIME_WAIT)
		return 0;
	/* without such a connection the kernel names whoever listens there */
	if (found.id.idiag_dport != q.what.id.idiag_dport)
		return 0;
	return found.id.idiag_cookie[0] | (__u64)found.id.idiag_cookie[1] << 32;
}

int la_diag_destroy(const struct la_diag_end *end, __u64 cookie)
{
	struct question q = question_about(end, SOCK_DESTROY, cookie);
	struct inet_diag_msg none;

	return ask(&q, &none);
}
