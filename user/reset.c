/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reset.c - see reset.h.
 */
#include "reset.h"
#include "links.h"
#include "options.h"
#include "privilege.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct la_reset {
	int v4, v6; /* raw IP, with the header included */
	int frames; /* packet socket that hears nothing */
	struct la_links *links;
};

/* ---- the packet ---- */

/* RFC 1071, over an even number of bytes. */
static __u32 add_words(__u32 sum, const void *bytes, size_t len)
{
	const __u8 *at = bytes;

	for (size_t i = 0; i < len; i += 2)
		sum += (__u32)at[i] << 8 | at[i + 1];
	return sum;
}

static __u16 fold(__u32 sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((__u16)~sum);
}

static void write_tcp(const struct la_reset_segment *seg, struct tcphdr *tcp)
{
	bool v4 = la_key_is_v4(&seg->key);
	__u32 sum = IPPROTO_TCP + sizeof(*tcp);

	*tcp = (struct tcphdr){
		.th_sport = seg->key.port[!seg->to],
		.th_dport = seg->key.port[seg->to & 1],
		.th_seq = htonl(seg->seq),
		.th_ack = htonl(seg->ack),
		.th_off = sizeof(*tcp) / 4,
		.th_flags = seg->flags,
		.th_win = htons(seg->window),
	};
	for (int i = 0; i < 2; i++)
		sum = add_words(sum, seg->key.addr[i] + (v4 ? 12 : 0), v4 ? 4 : 16);
	tcp->th_sum = fold(add_words(sum, tcp, sizeof(*tcp)));
}

static size_t write_v4(const struct la_reset_segment *seg, __u8 *packet)
{
	struct ip ip = {
		.ip_hl = sizeof(ip) / 4,
		.ip_v = 4,
		.ip_len = htons(sizeof(ip) + sizeof(struct tcphdr)),
		.ip_off = htons(IP_DF),
		.ip_ttl = IPDEFTTL,
		.ip_p = IPPROTO_TCP,
	};

	memcpy(&ip.ip_src, seg->key.addr[!seg->to] + 12, 4);
	memcpy(&ip.ip_dst, seg->key.addr[seg->to & 1] + 12, 4);
	ip.ip_sum = fold(add_words(0, &ip, sizeof(ip)));
	memcpy(packet, &ip, sizeof(ip));
	return sizeof(ip);
}

static size_t write_v6(const struct la_reset_segment *seg, __u8 *packet)
{
	struct ip6_hdr ip = {
		.ip6_flow = htonl(6U << 28),
		.ip6_plen = htons(sizeof(struct tcphdr)),
		.ip6_nxt = IPPROTO_TCP,
		.ip6_hlim = IPDEFTTL,
	};

	memcpy(&ip.ip6_src, seg->key.addr[!seg->to], 16);
	memcpy(&ip.ip6_dst, seg->key.addr[seg->to & 1], 16);
	memcpy(packet, &ip, sizeof(ip));
	return sizeof(ip);
}

size_t la_reset_write(const struct la_reset_segment *seg, __u8 packet[LA_RESET_BYTES])
{
	size_t head = la_key_is_v4(&seg->key) ? write_v4(seg, packet) : write_v6(seg, packet);
	struct tcphdr tcp;

	write_tcp(seg, &tcp);
	memcpy(packet + head, &tcp, sizeof(tcp));
	return head + sizeof(tcp);
}

/* ---- sockets ---- */

static void tell_why(int err)
{
	bool forbidden = err == EPERM || err == EACCES;

	la_fail(LA_EXIT_RUNTIME, "cannot reset connections", "raw socket", strerror(err),
		forbidden ? "CAP_NET_RAW or root is needed, or no policy with `action: reset`, "
			    "nor rst-policy challenge"
			  : NULL);
}

struct la_reset *la_reset_open(bool asked)
{
	struct la_reset *reset = calloc(1, sizeof(*reset));
	int err = ENOMEM;

	if (reset) {
		/* IPPROTO_RAW: the header is ours (raw(7)), and nothing is received */
		reset->v4 = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
		reset->v6 = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
		reset->frames = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
		err = errno;
		reset->links = la_links_new();
	}
	/* a host may do without IPv6 */
	if (reset && reset->v4 >= 0 && reset->frames >= 0 && reset->links)
		return reset;
	if (asked)
		tell_why(err);
	la_reset_close(reset);
	return NULL;
}

void la_reset_follow(struct la_reset *reset, const struct la_attach *attach)
{
	la_links_follow(reset->links, attach);
}

void la_reset_learn(struct la_reset *reset)
{
	la_links_learn(reset->links);
}

/* ---- ways ---- */

static int sent(ssize_t n)
{
	return n < 0 ? -errno : 0;
}

static int send_routed(const struct la_reset *reset, const struct la_reset_segment *seg,
		       const __u8 *packet, size_t len)
{
	const __u8 *to = seg->key.addr[seg->to & 1];
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

	if (la_key_is_v4(&seg->key)) {
		memcpy(&v4.sin_addr, to + 12, 4);
		return sent(sendto(reset->v4, packet, len, 0, (struct sockaddr *)&v4, sizeof(v4)));
	}
	memcpy(&v6.sin6_addr, to, 16);
	if (IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr))
		v6.sin6_scope_id = seg->ifindex;
	return sent(sendto(reset->v6, packet, len, 0, (struct sockaddr *)&v6, sizeof(v6)));
}

/* The link layer address from which `to` should hear it: the other endpoint's, or the port's. */
static int find_sender(const struct la_reset *reset, const struct la_reset_segment *seg,
		       const struct la_link_addr *to, __u8 mac[6])
{
	const struct la_link_addr *from = la_links_find(reset->links, seg->key.addr[!seg->to]);
	struct ifreq port = {0};

	if (from) {
		memcpy(mac, from->mac, 6);
		return 0;
	}
	if (!if_indextoname(to->ifindex, port.ifr_name) ||
	    ioctl(reset->frames, SIOCGIFHWADDR, &port))
		return -errno;
	memcpy(mac, port.ifr_hwaddr.sa_data, 6);
	return 0;
}

static int send_bridged(const struct la_reset *reset, const struct la_reset_segment *seg,
			const struct la_link_addr *to, const __u8 *packet, size_t len)
{
	__be16 protocol = htons(la_key_is_v4(&seg->key) ? ETH_P_IP : ETH_P_IPV6);
	const struct sockaddr_ll at = {.sll_family = AF_PACKET,
				       .sll_protocol = to->tags ? to->tag[0].tpid : protocol,
				       .sll_ifindex = (int)to->ifindex};
	__u8 frame[ETH_HLEN + sizeof(to->tag) + LA_RESET_BYTES], *end = frame + 2 * ETH_ALEN;
	size_t tags = to->tags * sizeof(*to->tag);
	int err = find_sender(reset, seg, to, frame + ETH_ALEN);

	if (err)
		return err;
	memcpy(frame, to->mac, ETH_ALEN);
	memcpy(end, to->tag, tags);
	end += tags;
	memcpy(end, &protocol, sizeof(protocol));
	memcpy(end + sizeof(protocol), packet, len);
	len += (size_t)(end - frame) + sizeof(protocol);
	return sent(sendto(reset->frames, frame, len, 0, (const struct sockaddr *)&at, sizeof(at)));
}

int la_reset_send(struct la_reset *reset, const struct la_reset_segment *seg)
{
	const struct la_link_addr *to = la_links_find(reset->links, seg->key.addr[seg->to & 1]);
	__u8 packet[LA_RESET_BYTES];
	size_t len = la_reset_write(seg, packet);

	/* a RST ends the connection, but an ACK would tell the wrong one how to */
	if (to && to->disputed && !(seg->flags & LA_RST))
		return -ENOTUNIQ;
	return to ? send_bridged(reset, seg, to, packet, len)
		  : send_routed(reset, seg, packet, len);
}

void la_reset_close(struct la_reset *reset)
{
	const int *fds[] = {&reset->v4, &reset->v6, &reset->frames};

	if (!reset)
		return;
	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++)
		if (*fds[i] >= 0)
			close(*fds[i]);
	la_links_free(reset->links);
	free(reset);
}
