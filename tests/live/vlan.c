// SPDX-License-Identifier: BSD-2-Clause
/*
 * vlan.c - see vlan.h.
 */
#include "vlan.h"
#include "vlan.skel.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct la_vlan {
	struct la_lab *lab;
	struct vlan_bpf *skel;
};

static int attach_way(struct bpf_tc_hook *hook, enum bpf_tc_attach_point where,
		      const struct bpf_program *prog)
{
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = bpf_program__fd(prog), .handle = 1,
		    .priority = 60000);

	hook->attach_point = where;
	return bpf_tc_attach(hook, &opts);
}

/* The tags of what leaves go into the frame. */
static int tag_in_frame(const char *ifname)
{
	struct ethtool_value value = {.cmd = ETHTOOL_GFLAGS};
	struct ifreq req = {.ifr_data = (char *)&value};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;

	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", ifname);
	err = fd < 0 || ioctl(fd, SIOCETHTOOL, &req);
	value = (struct ethtool_value){.cmd = ETHTOOL_SFLAGS,
				       .data = value.data & ~(__u32)ETH_FLAG_TXVLAN};
	err = err || ioctl(fd, SIOCETHTOOL, &req) ? -errno : 0;
	if (fd >= 0)
		close(fd);
	return err;
}

static bool tag(const struct la_vlan *vlan, enum la_lab_host host, const char *ifname,
		bool in_frame)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	int err;

	if (!la_lab_enter(vlan->lab, host))
		return false;
	hook.ifindex = (int)if_nametoindex(ifname);
	err = bpf_tc_hook_create(&hook);
	if (!err)
		err = attach_way(&hook, BPF_TC_EGRESS, vlan->skel->progs.vlan_egress);
	if (!err)
		err = attach_way(&hook, BPF_TC_INGRESS, vlan->skel->progs.vlan_ingress);
	if (!err && in_frame)
		err = tag_in_frame(ifname);
	la_lab_leave(vlan->lab);
	if (err)
		fprintf(stderr, "vlan: cannot tag %s: %s\n", ifname, strerror(-err));
	return !err;
}

/* Who counts tags in the frame, where lastack never is. */
static bool count(const struct la_vlan *vlan)
{
	int err;

	if (!la_lab_enter(vlan->lab, LA_LAB_CLIENT))
		return false;
	err = bpf_xdp_attach((int)if_nametoindex("eth0"),
			     bpf_program__fd(vlan->skel->progs.vlan_xdp), XDP_FLAGS_DRV_MODE, NULL);
	la_lab_leave(vlan->lab);
	if (err)
		fprintf(stderr, "vlan: cannot count: %s\n", strerror(-err));
	return !err;
}

static bool load(struct la_vlan *vlan, int tags)
{
	static const struct la_vlan_tag each[LA_VLAN_TAGS] = {{ETH_P_8021Q, 100},
							      {ETH_P_8021AD, 200}};

	vlan->skel = vlan_bpf__open();
	if (!vlan->skel)
		return false;
	memcpy((void *)vlan->skel->rodata->tags, each, sizeof(each));
	vlan->skel->rodata->tag_count = (__u32)tags;
	return !vlan_bpf__load(vlan->skel);
}

struct la_vlan *la_vlan_new(struct la_lab *lab, int tags, bool in_frame, bool routes)
{
	struct la_vlan *vlan = calloc(1, sizeof(*vlan));
	bool router = la_lab_has_router(lab), ok;

	if (!vlan)
		return NULL;
	vlan->lab = lab;
	ok = load(vlan, tags) && count(vlan) && tag(vlan, LA_LAB_CLIENT, "eth0", in_frame) &&
	     tag(vlan, LA_LAB_SERVER, "eth0", in_frame);
	if (router && routes)
		ok = ok && tag(vlan, LA_LAB_ROUTER, "left", in_frame) &&
		     tag(vlan, LA_LAB_ROUTER, "right", in_frame);
	if (ok)
		return vlan;
	la_vlan_free(vlan);
	return NULL;
}

struct la_vlan_counts la_vlan_counts(const struct la_vlan *vlan)
{
	return vlan->skel->bss->counts;
}

void la_vlan_free(struct la_vlan *vlan)
{
	if (!vlan)
		return;
	vlan_bpf__destroy(vlan->skel);
	free(vlan);
}
