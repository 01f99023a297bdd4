// SPDX-License-Identifier: BSD-2-Clause
/*
 * blind.c - see blind.h.
 */
#include "blind.h"
#include "../packet.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <unistd.h>

/* The ring of a veth has room for 256 frames. */
#define BURST	 64
#define PAUSE_US 200

#define MAC_SERVER "\x02\x09\x00\x00\x02\x01"
#define MAC_THIRD  "\x02\x09\x00\x00\x04\xfe"
#define MAC_BLIND  "\x02\x09\x00\x00\x04\x01"

struct la_blind {
	int net;    /* its namespace */
	int packet; /* its socket there */
	const char *to;
	unsigned int sent;
};

static bool give_up(const char *what)
{
	fprintf(stderr, "blind: %s: %s\n", what, strerror(errno));
	return false;
}

/* A new namespace, and its descriptor; the thread is back in its own afterwards. */
static int make_net(void)
{
	int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), net = -1;

	if (home >= 0 && !unshare(CLONE_NEWNET))
		net = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home < 0 || net < 0 || setns(home, CLONE_NEWNET))
		give_up("a namespace");
	if (home >= 0)
		close(home);
	return net;
}

/* A socket for frames at the only interface of that namespace. */
static int open_packet(int net)
{
	int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), fd = -1;
	struct sockaddr_ll at = {.sll_family = AF_PACKET};

	if (home >= 0 && !setns(net, CLONE_NEWNET)) {
		at.sll_ifindex = (int)if_nametoindex("eth0");
		fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	}
	if (home < 0 || setns(home, CLONE_NEWNET) || fd < 0 ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)))
		give_up("a packet socket");
	if (home >= 0)
		close(home);
	return fd;
}

static bool lay_cable(struct la_lab *lab, int net, const char *bridge)
{
	bool ok = la_lab_sh(lab, LA_LAB_ROUTER,
			    "ip link add third address 02:09:00:00:04:fe type veth peer name eth0 "
			    "address 02:09:00:00:04:01 netns /proc/%d/fd/%d && "
			    "ip link set third up && "
			    "for f in all third; do echo 0 >/proc/sys/net/ipv4/conf/$f/rp_filter; "
			    "done && nsenter --net=/proc/%d/fd/%d ip link set eth0 up",
			    getpid(), net, getpid(), net);

	return ok &&
	       (!bridge || la_lab_sh(lab, LA_LAB_ROUTER, "ip link set third master %s", bridge));
}

struct la_blind *la_blind_new(struct la_lab *lab, const char *bridge)
{
	struct la_blind *blind = calloc(1, sizeof(*blind));

	if (!blind)
		return NULL;
	blind->to = bridge ? MAC_SERVER : MAC_THIRD;
	blind->packet = -1;
	blind->net = make_net();
	if (blind->net >= 0 && lay_cable(lab, blind->net, bridge))
		blind->packet = open_packet(blind->net);
	if (blind->packet >= 0)
		return blind;
	la_blind_free(blind);
	return NULL;
}

void la_blind_free(struct la_blind *blind)
{
	if (!blind)
		return;
	if (blind->packet >= 0)
		close(blind->packet);
	if (blind->net >= 0)
		close(blind->net);
	free(blind);
}

static struct la_frame make(const struct la_blind *blind, int family, unsigned short client_port,
			    unsigned short server_port, __u8 flags, __u32 seq)
{
	struct la_frame f =
		LA_FRAME(.src = la_lab_addr_text(LA_LAB_CLIENT, family),
			 .dst = la_lab_addr_text(LA_LAB_SERVER, family), .sport = client_port,
			 .dport = server_port, .seq = seq, .flags = flags);

	memcpy(f.bytes, blind->to, 6);
	memcpy(f.bytes + 6, MAC_BLIND, 6);
	return f;
}

bool la_blind_rst(struct la_blind *blind, int family, unsigned short client_port,
		  unsigned short server_port, __u32 seq)
{
	struct la_frame f = make(blind, family, client_port, server_port, LA_RST, seq);

	if (++blind->sent % BURST == 0)
		usleep(PAUSE_US);
	return send(blind->packet, f.bytes, f.len, 0) == (ssize_t)f.len || give_up("send");
}

bool la_blind_syn(struct la_blind *blind, int family, unsigned short client_port,
		  unsigned short server_port)
{
	struct la_frame f = make(blind, family, client_port, server_port, LA_SYN, 1);

	return send(blind->packet, f.bytes, f.len, 0) == (ssize_t)f.len || give_up("send");
}

bool la_blind_rsts(struct la_blind *blind, int family, unsigned short client_port,
		   unsigned short server_port, __u32 seq, unsigned int count)
{
	static struct la_frame frames[BURST];
	struct mmsghdr msgs[BURST] = {0};
	struct iovec iov[BURST];

	for (unsigned int sent = 0; sent < count;) {
		unsigned int n = count - sent < BURST ? count - sent : BURST;

		for (unsigned int i = 0; i < n; i++) {
			frames[i] = make(blind, family, client_port, server_port, LA_RST,
					 seq + sent + i);
			iov[i] = (struct iovec){frames[i].bytes, frames[i].len};
			msgs[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
		}
		if (sendmmsg(blind->packet, msgs, n, 0) != (int)n)
			return give_up("sendmmsg");
		sent += n;
	}
	return true;
}

bool la_blind_expected(int fd, __u32 *seq)
{
	int on = TCP_REPAIR_ON, off = TCP_REPAIR_OFF_NO_WP, queue = TCP_RECV_QUEUE;
	socklen_t len = sizeof(*seq);
	bool ok = !setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)) &&
		  !setsockopt(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, &queue, sizeof(queue)) &&
		  !getsockopt(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, seq, &len);

	return (!setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &off, sizeof(off)) && ok) ||
	       give_up("the number that a socket expects");
}
