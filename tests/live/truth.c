// SPDX-License-Identifier: BSD-2-Clause
/*
 * truth.c - see truth.h.
 */
#include "truth.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Linux's numbers (include/net/tcp_states.h), as inet_diag gives them. */
static const enum la_state states[] = {
	[1] = LA_ESTABLISHED,  [2] = LA_SYN_SENT,
	[3] = LA_SYN_RECEIVED, [4] = LA_FIN_WAIT_1,
	[5] = LA_FIN_WAIT_2,   [6] = LA_TIME_WAIT,
	[7] = LA_CLOSED,       [8] = LA_CLOSE_WAIT,
	[9] = LA_LAST_ACK,     [10] = LA_LISTEN,
	[11] = LA_CLOSING,     [12] = LA_SYN_RECEIVED, /* a request that has no socket yet */
};

struct request {
	struct nlmsghdr nl;
	struct inet_diag_req_v2 diag;
};

static void put_addr(__be32 to[4], enum la_lab_host host, int family)
{
	inet_pton(family, la_lab_addr_text(host, family), to);
}

static bool ask(int fd, const struct request *req)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

	return sendto(fd, req, sizeof(*req), 0, (struct sockaddr *)&kernel, sizeof(kernel)) ==
	       (ssize_t)sizeof(*req);
}

static enum la_state answer(int fd)
{
	union {
		struct nlmsghdr nl;
		char bytes[4096];
	} buf;
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	const struct nlmsgerr *error = NLMSG_DATA(&buf.nl);
	const struct inet_diag_msg *diag = NLMSG_DATA(&buf.nl);
	ssize_t got = poll(&wait, 1, 1000) == 1 ? recv(fd, &buf, sizeof(buf), 0) : -1;

	if (got < (ssize_t)NLMSG_LENGTH(sizeof(*error)))
		return LA_NO_STATE;
	if (buf.nl.nlmsg_type == NLMSG_ERROR)
		return error->error == -ENOENT ? LA_CLOSED : LA_NO_STATE;
	if (got < (ssize_t)NLMSG_LENGTH(sizeof(*diag)) ||
	    diag->idiag_state >= sizeof(states) / sizeof(*states))
		return LA_NO_STATE;
	return states[diag->idiag_state];
}

enum la_state la_truth_state(struct la_lab *lab, enum la_lab_host host, int family,
			     unsigned short client_port, unsigned short server_port)
{
	bool client = host == LA_LAB_CLIENT;
	struct request req = {
		.nl = {.nlmsg_len = sizeof(req),
		       .nlmsg_type = SOCK_DIAG_BY_FAMILY,
		       .nlmsg_flags = NLM_F_REQUEST},
		.diag = {.sdiag_family = (__u8)family,
			 .sdiag_protocol = IPPROTO_TCP,
			 .idiag_states = 0xffffffff,
			 .id = {.idiag_sport = htons(client ? client_port : server_port),
				.idiag_dport = htons(client ? server_port : client_port),
				.idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}}},
	};
	int fd = la_lab_socket(lab, host, AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
	enum la_state state = LA_NO_STATE;

	put_addr(req.diag.id.idiag_src, host, family);
	put_addr(req.diag.id.idiag_dst, client ? LA_LAB_SERVER : LA_LAB_CLIENT, family);
	if (fd >= 0 && ask(fd, &req))
		state = answer(fd);
	if (state == LA_NO_STATE)
		fprintf(stderr, "truth: cannot ask for the state: %s\n", strerror(errno));
	if (fd >= 0)
		close(fd);
	return state;
}
