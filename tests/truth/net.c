// SPDX-License-Identifier: BSD-2-Clause
/*
 * net.c - see net.h.
 */
#include "net.h"
#include "truth_net.skel.h"
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HELD_MAX 8192

struct la_net {
	struct la_lab *lab;
	struct truth_net_bpf *skel;
	struct ring_buffer *rings;
	int socket[LA_NET_POINTS];
	struct la_net_frame *held[HELD_MAX];
	int held_count;
	unsigned long long unsent;
	struct la_net_log *log;
	size_t log_count, log_room;
};

static const struct {
	enum la_lab_host host;
	const char *ifname;
} places[LA_NET_POINTS] = {
	[LA_NET_CLIENT] = {LA_LAB_CLIENT, "eth0"},
	[LA_NET_LEFT] = {LA_LAB_ROUTER, "left"},
	[LA_NET_RIGHT] = {LA_LAB_ROUTER, "right"},
	[LA_NET_SERVER] = {LA_LAB_SERVER, "eth0"},
};

static __u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (__u64)t.tv_sec * 1000000000ULL + (__u64)t.tv_nsec;
}

static bool attach(struct la_net *net, enum la_net_point point, const struct bpf_program *prog)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = bpf_program__fd(prog), .handle = 1,
		    .priority = 60000);
	int err;

	if (!la_lab_enter(net->lab, places[point].host))
		return false;
	hook.ifindex = (int)if_nametoindex(places[point].ifname);
	err = bpf_tc_hook_create(&hook);
	hook.attach_point = BPF_TC_EGRESS;
	if (!err)
		err = bpf_tc_attach(&hook, &opts);
	la_lab_leave(net->lab);
	if (err)
		fprintf(stderr, "net: cannot attach to %s: %s\n", places[point].ifname,
			strerror(-err));
	return !err;
}

/* A socket that sends behind every hook of its interface. */
static bool open_socket(struct la_net *net, enum la_net_point point)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET};
	int one = 1, fd = la_lab_socket(net->lab, places[point].host, AF_PACKET, SOCK_RAW, 0);

	net->socket[point] = fd;
	at.sll_ifindex = (int)la_lab_ifindex(net->lab, places[point].host, places[point].ifname);
	if (fd >= 0 && !bind(fd, (struct sockaddr *)&at, sizeof(at)) &&
	    !setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one)))
		return true;
	fprintf(stderr, "net: cannot open a raw socket: %s\n", strerror(errno));
	return false;
}

static int take_log(void *ctx, void *data, size_t size)
{
	struct la_net *net = ctx;

	if (net->log_count == net->log_room) {
		size_t room = net->log_room ? net->log_room * 2 : 65536;
		struct la_net_log *more = realloc(net->log, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		net->log = more;
		net->log_room = room;
	}
	if (size >= sizeof(*net->log))
		memcpy(&net->log[net->log_count++], data, sizeof(*net->log));
	return 0;
}

static int take_frame(void *ctx, void *data, size_t size)
{
	struct la_net *net = ctx;
	struct la_net_frame *frame = malloc(sizeof(*frame));

	if (!frame || net->held_count == HELD_MAX || size < sizeof(*frame)) {
		free(frame);
		net->unsent++;
		return 0;
	}
	memcpy(frame, data, sizeof(*frame));
	net->held[net->held_count++] = frame;
	return 0;
}

static bool start(struct la_net *net, const struct la_net_weather *weather)
{
	const struct bpf_program *prog[LA_NET_POINTS];
	int point;

	net->skel = truth_net_bpf__open();
	if (!net->skel)
		return false;
	memcpy((void *)&net->skel->rodata->weather, weather, sizeof(*weather));
	if (truth_net_bpf__load(net->skel))
		return false;
	net->rings = ring_buffer__new(bpf_map__fd(net->skel->maps.held), take_frame, net, NULL);
	if (!net->rings ||
	    ring_buffer__add(net->rings, bpf_map__fd(net->skel->maps.written), take_log, net))
		return false;
	prog[LA_NET_CLIENT] = net->skel->progs.net_client;
	prog[LA_NET_LEFT] = net->skel->progs.net_left;
	prog[LA_NET_RIGHT] = net->skel->progs.net_right;
	prog[LA_NET_SERVER] = net->skel->progs.net_server;
	for (point = 0; point < LA_NET_POINTS; point++) {
		if (!attach(net, point, prog[point]) || !open_socket(net, point))
			return false;
	}
	return true;
}

struct la_net *la_net_new(struct la_lab *lab, const struct la_net_weather *weather)
{
	struct la_net *net = calloc(1, sizeof(*net));
	int i;

	if (!net)
		return NULL;
	net->lab = lab;
	for (i = 0; i < LA_NET_POINTS; i++)
		net->socket[i] = -1;
	if (start(net, weather))
		return net;
	fprintf(stderr, "net: cannot start: %s\n", strerror(errno));
	la_net_free(net);
	return NULL;
}

void la_net_free(struct la_net *net)
{
	int i;

	if (!net)
		return;
	for (i = 0; i < LA_NET_POINTS; i++) {
		if (net->socket[i] >= 0)
			close(net->socket[i]);
	}
	while (net->held_count)
		free(net->held[--net->held_count]);
	ring_buffer__free(net->rings);
	truth_net_bpf__destroy(net->skel);
	free(net->log);
	free(net);
}

bool la_net_rule(struct la_net *net, struct la_net_pair pair, const struct la_net_rules *rules)
{
	return !bpf_map_update_elem(bpf_map__fd(net->skel->maps.rules), &pair, rules, BPF_ANY);
}

int la_net_fd(struct la_net *net)
{
	return ring_buffer__epoll_fd(net->rings);
}

/* The ones' complement sum of RFC 1071, in network byte order as the bytes lie. */
static __u32 sum16(const __u8 *at, size_t len, __u32 sum)
{
	for (; len > 1; at += 2, len -= 2)
		sum += (__u32)at[0] << 8 | at[1];
	return len ? sum + ((__u32)at[0] << 8) : sum;
}

/* The frame was taken before its TCP checksum was filled in. */
static void fill_checksum(struct la_net_frame *frame)
{
	bool v6 = frame->data[12] == 0x86;
	__u8 *ip = frame->data + ETH_HLEN;
	size_t hdr = v6 ? 40 : (size_t)(ip[0] & 0xf) * 4;
	size_t len = v6 ? (size_t)(ip[4] << 8 | ip[5]) : (size_t)(ip[2] << 8 | ip[3]) - hdr;
	__u8 *tcp = ip + hdr;
	__u32 sum;

	if (ETH_HLEN + hdr + len > frame->len || len < 20)
		return;
	tcp[16] = tcp[17] = 0;
	sum = v6 ? sum16(ip + 8, 32, 0) : sum16(ip + 12, 8, 0);
	sum = sum16(tcp, len, sum + IPPROTO_TCP + (__u32)len);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	tcp[16] = (__u8)(~sum >> 8);
	tcp[17] = (__u8)~sum;
}

static void send_frame(struct la_net *net, struct la_net_frame *frame)
{
	fill_checksum(frame);
	frame->log.out = now_ns();
	if (send(net->socket[frame->point], frame->data, frame->len, 0) != (ssize_t)frame->len)
		net->unsent++;
	if (frame->log.action == LA_NET_DELAY && take_log(net, &frame->log, sizeof(frame->log)))
		net->unsent++;
}

/* Sends what is due, in the order in which it is due. Returns when the next is, or 0. */
static __u64 send_due(struct la_net *net, __u64 now)
{
	int i, first;

	for (;;) {
		first = -1;
		for (i = 0; i < net->held_count; i++) {
			if (first < 0 || net->held[i]->due < net->held[first]->due)
				first = i;
		}
		if (first < 0)
			return 0;
		if (net->held[first]->due > now)
			return net->held[first]->due;
		send_frame(net, net->held[first]);
		free(net->held[first]);
		memmove(&net->held[first], &net->held[first + 1],
			(size_t)(--net->held_count - first) * sizeof(*net->held));
	}
}

long long la_net_run(struct la_net *net)
{
	__u64 due, now;

	ring_buffer__consume(net->rings);
	now = now_ns();
	due = send_due(net, now);
	return due ? (long long)(due - now) : -1;
}

static int by_time(const void *a, const void *b)
{
	const struct la_net_log *x = a, *y = b;

	if (x->pair.client != y->pair.client)
		return x->pair.client - y->pair.client;
	if (x->pair.server != y->pair.server)
		return x->pair.server - y->pair.server;
	return (x->ts > y->ts) - (x->ts < y->ts);
}

void la_net_sort(struct la_net *net)
{
	if (net->log_count)
		qsort(net->log, net->log_count, sizeof(*net->log), by_time);
}

const struct la_net_log *la_net_log(const struct la_net *net, size_t *count)
{
	*count = net->log_count;
	return net->log;
}

unsigned long long la_net_lost(const struct la_net *net)
{
	return net->skel->bss->lost + net->unsent;
}
