// SPDX-License-Identifier: BSD-2-Clause
/*
 * wire.c - see wire.h.
 */
#include "wire.h"
#include "wire.skel.h"
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

struct la_wire {
	struct la_lab *lab;
	struct wire_bpf *skel;
	int rules; /* how many are set */
};

static int attach_way(struct bpf_tc_hook *hook, enum bpf_tc_attach_point where, int prog)
{
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = prog, .handle = 1, .priority = 60000);

	hook->attach_point = where;
	return bpf_tc_attach(hook, &opts);
}

static bool attach(struct la_wire *wire, enum la_lab_host host)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	int err;

	if (!la_lab_enter(wire->lab, host))
		return false;
	hook.ifindex = (int)if_nametoindex("eth0");
	err = bpf_tc_hook_create(&hook);
	if (!err)
		err = attach_way(&hook, BPF_TC_EGRESS,
				 bpf_program__fd(wire->skel->progs.wire_egress));
	if (!err)
		err = attach_way(&hook, BPF_TC_INGRESS,
				 bpf_program__fd(wire->skel->progs.wire_ingress));
	la_lab_leave(wire->lab);
	if (err)
		fprintf(stderr, "wire: cannot attach: %s\n", strerror(-err));
	return !err;
}

struct la_wire *la_wire_new(struct la_lab *lab)
{
	struct la_wire *wire = calloc(1, sizeof(*wire));

	if (!wire)
		return NULL;
	wire->lab = lab;
	wire->skel = wire_bpf__open_and_load();
	if (wire->skel && attach(wire, LA_LAB_CLIENT) && attach(wire, LA_LAB_SERVER))
		return wire;
	la_wire_free(wire);
	return NULL;
}

void la_wire_free(struct la_wire *wire)
{
	if (!wire)
		return;
	wire_bpf__destroy(wire->skel);
	free(wire);
}

int la_wire_add(struct la_wire *wire, const struct la_wire_rule *rule)
{
	__u32 key = (__u32)wire->rules;

	if (key >= LA_WIRE_RULES ||
	    bpf_map_update_elem(bpf_map__fd(wire->skel->maps.rules), &key, rule, BPF_ANY)) {
		fprintf(stderr, "wire: cannot set rule %u\n", key);
		return -1;
	}
	return wire->rules++;
}

bool la_wire_clear(struct la_wire *wire)
{
	struct la_wire_rule off = {0};
	__u32 key;

	wire->rules = 0;
	for (key = 0; key < LA_WIRE_RULES; key++) {
		if (bpf_map_update_elem(bpf_map__fd(wire->skel->maps.rules), &key, &off, BPF_ANY))
			return false;
	}
	return true;
}

unsigned int la_wire_hits(struct la_wire *wire, int rule)
{
	struct la_wire_rule now = {0};
	__u32 key = (__u32)rule;

	bpf_map_lookup_elem(bpf_map__fd(wire->skel->maps.rules), &key, &now);
	return now.hits;
}

/*
 * Around the egress hooks: PACKET_QDISC_BYPASS. The frame was taken before its checksum was
 * filled in, and says so in the virtio header as the sender's stack did in its skb.
 */
static bool send_frame(struct la_lab *lab, const struct la_wire_frame *frame)
{
	enum la_lab_host from = frame->to_server ? LA_LAB_CLIENT : LA_LAB_SERVER;
	bool v6 = frame->data[12] == 0x86;
	__u16 tcp = ETH_HLEN + (v6 ? 40 : (frame->data[ETH_HLEN] & 0xf) * 4);
	struct virtio_net_hdr vnet = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = tcp, .csum_offset = 16};
	struct iovec iov[2] = {{&vnet, sizeof(vnet)}, {(void *)frame->data, frame->len}};
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(v6 ? ETH_P_IPV6 : ETH_P_IP)};
	struct msghdr msg = {
		.msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = iov, .msg_iovlen = 2};
	int one = 1, fd = la_lab_socket(lab, from, AF_PACKET, SOCK_RAW, 0);
	bool ok;

	to.sll_ifindex = (int)la_lab_ifindex(lab, from, "eth0");
	ok = fd >= 0 && !setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one)) &&
	     !setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)) &&
	     sendmsg(fd, &msg, 0) == (ssize_t)(sizeof(vnet) + frame->len);
	if (!ok)
		fprintf(stderr, "wire: cannot send a held frame: %s\n", strerror(errno));
	if (fd >= 0)
		close(fd);
	return ok;
}

void la_wire_forget(struct la_wire *wire)
{
	struct la_wire_frame frame;
	int i;

	for (i = 0; i < LA_WIRE_HELD_MAX; i++)
		bpf_map_lookup_and_delete_elem(bpf_map__fd(wire->skel->maps.held), NULL, &frame);
}

int la_wire_release(struct la_wire *wire, int max)
{
	int map = bpf_map__fd(wire->skel->maps.held), sent = 0;
	struct la_wire_frame frame;

	while (sent < max && bpf_map_lookup_and_delete_elem(map, NULL, &frame) == 0) {
		if (!send_frame(wire->lab, &frame))
			return -1;
		sent++;
	}
	return sent;
}

struct la_wire_count la_wire_sent(struct la_wire *wire, unsigned short from, unsigned short to)
{
	struct la_wire_way way = {.sport = htons(from), .dport = htons(to)};
	struct la_wire_count count = {0};

	bpf_map_lookup_elem(bpf_map__fd(wire->skel->maps.sent), &way, &count);
	return count;
}

unsigned int la_wire_headless(struct la_wire *wire)
{
	return wire->skel->bss->headless;
}

unsigned int la_wire_program_id(struct la_wire *wire)
{
	struct bpf_prog_info info = {0};
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(bpf_program__fd(wire->skel->progs.wire_egress), &info, &len))
		return 0;
	return info.id;
}
