/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * links.c - packet sockets on the ports of bridges. See links.h.
 *
 * A socket a port, so that other interfaces do not pay for it. Its filter takes SYN and FIN:
 * each connection that begins or ends while lastack looks shows both its endpoints so, and a
 * long one does not keep it awake.
 */
#include "links.h"
#include "la_record.h"
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORTS_MAX 64
#define ADDRS	  16384 /* slots, a power of two: an address has one place, the latest takes it */

/* Segments at a time, so that a flood of SYNs holds nothing up. */
#define LEARN_MAX 1024

struct port {
	int fd;
	unsigned int ifindex;
	bool wanted;
};

struct la_links {
	struct port ports[PORTS_MAX];
	unsigned int count;
	struct la_link_addr addrs[ADDRS];
};

struct la_links *la_links_new(void)
{
	return calloc(1, sizeof(struct la_links));
}

static size_t place_of(const __u8 addr[16])
{
	return la_pair_hash(addr, 0) & (ADDRS - 1);
}

const struct la_link_addr *la_links_find(const struct la_links *links, const __u8 addr[16])
{
	const struct la_link_addr *at = &links->addrs[place_of(addr)];

	return at->ifindex && !memcmp(at->addr, addr, sizeof(at->addr)) ? at : NULL;
}

/* ---- which interfaces are ports of a bridge ---- */

/* The attribute of that type among those in [at, at + len), or NULL. */
static const struct rtattr *find_attr(const struct rtattr *at, int len, unsigned short type)
{
	for (; RTA_OK(at, len); at = RTA_NEXT(at, len))
		if ((at->rta_type & NLA_TYPE_MASK) == type)
			return at;
	return NULL;
}

static bool says_bridge_port(const struct nlmsghdr *answer)
{
	const struct rtattr *info =
		find_attr(IFLA_RTA(NLMSG_DATA(answer)), (int)IFLA_PAYLOAD(answer), IFLA_LINKINFO);
	const struct rtattr *kind =
		info ? find_attr(RTA_DATA(info), (int)RTA_PAYLOAD(info), IFLA_INFO_SLAVE_KIND)
		     : NULL;

	return kind && RTA_PAYLOAD(kind) >= 6 && !memcmp(RTA_DATA(kind), "bridge", 6);
}

static bool is_bridge_port(unsigned int ifindex)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg info;
	} ask = {
		.head = {.nlmsg_len = sizeof(ask),
			 .nlmsg_type = RTM_GETLINK,
			 .nlmsg_flags = NLM_F_REQUEST},
		.info = {.ifi_index = (int)ifindex},
	};
	char buf[16384] __attribute__((aligned(8)));
	const struct nlmsghdr *answer = (const struct nlmsghdr *)buf;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	ssize_t n = -1;

	if (fd < 0)
		return false;
	if (send(fd, &ask, sizeof(ask), 0) == sizeof(ask))
		n = recv(fd, buf, sizeof(buf), 0);
	close(fd);
	return n > 0 && NLMSG_OK(answer, (unsigned int)n) && answer->nlmsg_type == RTM_NEWLINK &&
	       says_bridge_port(answer);
}

/* ---- sockets ---- */

/* The kernel takes the outer tag out of a frame, and leaves an inner one behind the addresses. */
#define ETH_TYPE    12
#define INNER_TCI   14
#define VLAN_LEN    4
#define FRAME_BYTES 64

/*
 * SYN or FIN of TCP over IPv4, not a later fragment, or over IPv6 without extension headers. X is
 * where the IP header begins, later the TCP header.
 */
static const struct sock_filter segments[] = {
	BPF_STMT(BPF_LD | BPF_H | BPF_ABS, ETH_TYPE),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_8021Q, 0, 2),
	BPF_STMT(BPF_LDX | BPF_IMM, ETH_HLEN + VLAN_LEN),
	BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0),
	BPF_STMT(BPF_LDX | BPF_IMM, ETH_HLEN),
	BPF_STMT(BPF_LD | BPF_B | BPF_IND, 0),
	BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x60, 12, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x40, 0, 16),
	BPF_STMT(BPF_LD | BPF_B | BPF_IND, 9),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 14),
	BPF_STMT(BPF_LD | BPF_H | BPF_IND, 6),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 12, 0),
	BPF_STMT(BPF_LD | BPF_B | BPF_IND, 0),
	BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf),
	BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 2),
	BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
	BPF_STMT(BPF_MISC | BPF_TAX, 0),
	BPF_STMT(BPF_LD | BPF_B | BPF_IND, 13),
	BPF_JUMP(BPF_JMP | BPF_JA, 3, 0, 0),
	/* v6 */
	BPF_STMT(BPF_LD | BPF_B | BPF_IND, 6),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 0, 3),
	BPF_STMT(BPF_LD | BPF_B | BPF_IND, 40 + 13),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, LA_SYN | LA_FIN, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, FRAME_BYTES),
	BPF_STMT(BPF_RET | BPF_K, 0),
};

static int listen_on(unsigned int ifindex)
{
	const struct sock_fprog filter = {.len = sizeof(segments) / sizeof(*segments),
					  .filter = (struct sock_filter *)segments};
	const struct sockaddr_ll at = {.sll_family = AF_PACKET,
				       .sll_protocol = la_hton16(ETH_P_ALL),
				       .sll_ifindex = (int)ifindex};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;

	if (fd < 0)
		return -1;
	/* bound last: until then it hears nothing */
	if (!setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) &&
	    !setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) &&
	    !setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) &&
	    !bind(fd, (const struct sockaddr *)&at, sizeof(at)))
		return fd;
	close(fd);
	return -1;
}

static struct port *find_port(struct la_links *links, unsigned int ifindex)
{
	for (unsigned int i = 0; i < links->count; i++)
		if (links->ports[i].ifindex == ifindex)
			return &links->ports[i];
	return NULL;
}

static void want(struct la_links *links, unsigned int ifindex)
{
	struct port *port = find_port(links, ifindex);
	int fd;

	if (port) {
		port->wanted = true;
		return;
	}
	if (links->count == PORTS_MAX)
		return;
	fd = listen_on(ifindex);
	if (fd >= 0)
		links->ports[links->count++] =
			(struct port){.fd = fd, .ifindex = ifindex, .wanted = true};
}

void la_links_follow(struct la_links *links, const struct la_attach *attach)
{
	struct if_nameindex *all = if_nameindex();

	for (unsigned int i = 0; i < links->count; i++)
		links->ports[i].wanted = false;
	for (const struct if_nameindex *at = all; at && at->if_index; at++)
		if (attach && la_attach_has(attach, (int)at->if_index) &&
		    is_bridge_port(at->if_index))
			want(links, at->if_index);
	if_freenameindex(all);
	for (unsigned int i = links->count; i--;) {
		if (links->ports[i].wanted)
			continue;
		close(links->ports[i].fd);
		links->ports[i] = links->ports[--links->count];
	}
}

/* ---- what is heard ---- */

static void add_tag(struct la_link_addr *addr, __be16 tpid, __be16 tci)
{
	addr->tag[addr->tags++] = (struct la_link_tag){.tpid = tpid, .tci = tci};
}

/* The tag that the kernel has taken out of the frame. */
static void find_outer_tag(struct msghdr *msg, struct la_link_addr *addr)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		struct tpacket_auxdata aux;

		if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
			continue;
		memcpy(&aux, CMSG_DATA(c), sizeof(aux));
		if (aux.tp_status & TP_STATUS_VLAN_VALID && !addr->tags)
			add_tag(addr,
				la_hton16(aux.tp_status & TP_STATUS_VLAN_TPID_VALID
						  ? aux.tp_vlan_tpid
						  : ETH_P_8021Q),
				la_hton16(aux.tp_vlan_tci));
	}
}

/* The one behind it, which is still there. Returns where the IP header begins. */
static size_t find_inner_tag(const __u8 *frame, struct la_link_addr *addr)
{
	__be16 type, tci;

	memcpy(&type, frame + ETH_TYPE, sizeof(type));
	if (type != la_hton16(ETH_P_8021Q))
		return ETH_HLEN;
	memcpy(&tci, frame + INNER_TCI, sizeof(tci));
	add_tag(addr, type, tci);
	return ETH_HLEN + VLAN_LEN;
}

/* The source address of a packet, which the filter has looked at. */
static void find_source(const __u8 *packet, __u8 addr[16])
{
	static const __u8 mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (packet[0] >> 4 == 6) {
		memcpy(addr, packet + 8, 16);
		return;
	}
	memcpy(addr, mapped, sizeof(mapped));
	memcpy(addr + 12, packet + 12, 4);
}

/* Whoever can send here can claim an address: a place that has changed hands says so for ever. */
static void take(struct la_link_addr *place, struct la_link_addr addr)
{
	addr.disputed = place->disputed;
	if (place->ifindex && memcmp(place, &addr, sizeof(addr)) != 0)
		addr.disputed = 1;
	*place = addr;
}

/* Takes one packet. False: there is none. */
static bool learn_one(struct la_links *links, const struct port *port)
{
	struct sockaddr_ll from;
	char control[CMSG_SPACE(sizeof(struct tpacket_auxdata))] __attribute__((aligned(8)));
	__u8 frame[FRAME_BYTES];
	struct iovec iov = {.iov_base = frame, .iov_len = sizeof(frame)};
	struct msghdr msg = {.msg_name = &from,
			     .msg_namelen = sizeof(from),
			     .msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	struct la_link_addr addr = {.ifindex = port->ifindex};

	if (recvmsg(port->fd, &msg, 0) < ETH_HLEN + 40)
		return false;
	if (from.sll_halen != sizeof(addr.mac) || from.sll_pkttype == PACKET_OUTGOING)
		return true;
	memcpy(addr.mac, from.sll_addr, sizeof(addr.mac));
	find_outer_tag(&msg, &addr);
	find_source(frame + find_inner_tag(frame, &addr), addr.addr);
	take(&links->addrs[place_of(addr.addr)], addr);
	return true;
}

void la_links_learn(struct la_links *links)
{
	for (unsigned int i = 0; i < links->count; i++)
		for (int n = 0; n < LEARN_MAX && learn_one(links, &links->ports[i]); n++)
			;
}

void la_links_free(struct la_links *links)
{
	if (!links)
		return;
	for (unsigned int i = 0; i < links->count; i++)
		close(links->ports[i].fd);
	free(links);
}
