/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clsact.c - adds and removes filters through libbpf, asks what is there through libmnl.
 * See clsact.h.
 *
 * An `ingress` qdisc sits on the same handle as clsact and excludes it; a filter that is
 * meant for egress would land in its only block, ingress. So its kind is asked first.
 */
#include "clsact.h"
#include "bpf_log.h"
#include <bpf/libbpf.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

/* Lower runs first. A number may be taken by a filter of another kind: then the next. */
#define PREF_FIRST 1
#define PREF_LAST  32

/* The kernel fills dumps in pieces of at most this size. */
#define DUMP_SIZE 32768

static const enum bpf_tc_attach_point points[] = {
	[LA_INGRESS] = BPF_TC_INGRESS, [LA_EGRESS] = BPF_TC_EGRESS};
static const __u32 parents[] = {
	[LA_INGRESS] = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS),
	[LA_EGRESS] = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS),
};
static const char *const names[] = {[LA_INGRESS] = "ingress", [LA_EGRESS] = "egress"};

/* One dump of tc objects: what was asked for, and what came. */
struct dump {
	int ifindex;
	__u32 parent;
	unsigned int count;
	char kind[16]; /* of the last one */
	__u32 prog;    /* of the last one, its id; 0: it has none */
	__u32 wanted;  /* the filter whose program has this id, if it came: */
	__u32 handle, pref;
};

static int prog_attr(const struct nlattr *attr, void *ctx)
{
	struct dump *dump = ctx;

	if (mnl_attr_get_type(attr) == TCA_BPF_ID && !mnl_attr_validate(attr, MNL_TYPE_U32))
		dump->prog = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int object_attr(const struct nlattr *attr, void *ctx)
{
	struct dump *dump = ctx;

	if (mnl_attr_get_type(attr) == TCA_KIND && !mnl_attr_validate(attr, MNL_TYPE_NUL_STRING))
		snprintf(dump->kind, sizeof(dump->kind), "%s", mnl_attr_get_str(attr));
	if (mnl_attr_get_type(attr) == TCA_OPTIONS && !strcmp(dump->kind, "bpf"))
		return mnl_attr_parse_nested(attr, prog_attr, dump);
	return MNL_CB_OK;
}

/* The kernel filters a dump of qdiscs by nothing, one of filters by interface and parent. */
static int dump_message(const struct nlmsghdr *head, void *ctx)
{
	const struct tcmsg *tc = mnl_nlmsg_get_payload(head);
	struct dump *dump = ctx;

	if (tc->tcm_ifindex != dump->ifindex || tc->tcm_parent != dump->parent)
		return MNL_CB_OK;
	dump->count++;
	dump->prog = 0;
	if (mnl_attr_parse(head, sizeof(*tc), object_attr, dump) < 0)
		return MNL_CB_ERROR;
	if (dump->prog && dump->prog == dump->wanted) {
		dump->handle = tc->tcm_handle;
		dump->pref = TC_H_MAJ(tc->tcm_info) >> 16;
	}
	return MNL_CB_OK;
}

/* Sends the request in buf and hands all answers to dump_message. Returns 0 or -errno. */
static int dump_exchange(struct mnl_socket *nl, char *buf, size_t size, struct dump *dump)
{
	struct nlmsghdr *head = (struct nlmsghdr *)buf;
	ssize_t got;

	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(nl, head, head->nlmsg_len) < 0)
		return -errno;
	do {
		got = mnl_socket_recvfrom(nl, buf, size);
		if (got > 0)
			got = mnl_cb_run(buf, (size_t)got, 0, mnl_socket_get_portid(nl),
					 dump_message, dump);
	} while (got > MNL_CB_STOP);
	return got < 0 ? -errno : 0;
}

/* Asks for all RTM_GETQDISC or RTM_GETTFILTER of an interface. Returns 0 or -errno. */
static int dump_run(__u16 type, struct dump *dump)
{
	char buf[DUMP_SIZE];
	struct nlmsghdr *head = mnl_nlmsg_put_header(buf);
	struct tcmsg *tc = mnl_nlmsg_put_extra_header(head, sizeof(*tc));
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int err;

	if (!nl)
		return -errno;
	head->nlmsg_type = type;
	head->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	tc->tcm_ifindex = dump->ifindex;
	tc->tcm_parent = dump->parent;
	err = dump_exchange(nl, buf, sizeof(buf), dump);
	mnl_socket_close(nl);
	return err;
}

bool la_clsact_exists(const struct la_clsact *clsact)
{
	struct dump dump = {.ifindex = clsact->ifindex, .parent = TC_H_CLSACT};

	return !dump_run(RTM_GETQDISC, &dump) && !strcmp(dump.kind, "clsact");
}

void la_clsact_find(struct la_clsact *clsact, enum la_direction direction, __u32 prog)
{
	struct dump dump = {
		.ifindex = clsact->ifindex, .parent = parents[direction], .wanted = prog};

	if (!prog || dump_run(RTM_GETTFILTER, &dump) || !dump.pref)
		return;
	clsact->filter[direction].handle = dump.handle;
	clsact->filter[direction].pref = dump.pref;
	clsact->filter[direction].prog = prog;
}

/* Makes the qdisc unless it is there. Returns 0, or -errno; -EBUSY: an ingress qdisc is. */
static int ensure_qdisc(struct la_clsact *clsact)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = clsact->ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	struct dump dump = {.ifindex = clsact->ifindex, .parent = TC_H_CLSACT};
	int err;

	if (clsact->made_qdisc)
		return 0;
	err = bpf_tc_hook_create(&hook);
	if (!err)
		clsact->made_qdisc = true;
	if (err != -EEXIST)
		return err;
	err = dump_run(RTM_GETQDISC, &dump);
	return err || !strcmp(dump.kind, "clsact") ? err : -EBUSY;
}

/* True if a filter is left in one of both directions, or if nobody can tell. */
static bool in_use(const struct la_clsact *clsact)
{
	for (int i = LA_INGRESS; i <= LA_EGRESS; i++) {
		struct dump dump = {.ifindex = clsact->ifindex, .parent = parents[i]};

		if (dump_run(RTM_GETTFILTER, &dump) || dump.count)
			return true;
	}
	return false;
}

void la_clsact_init(struct la_clsact *clsact, int ifindex)
{
	memset(clsact, 0, sizeof(*clsact));
	clsact->ifindex = ifindex;
}

int la_clsact_add(struct la_clsact *clsact, enum la_direction direction, int prog_fd)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = clsact->ifindex,
		    .attach_point = points[direction]);
	int err = ensure_qdisc(clsact);

	for (__u32 pref = PREF_FIRST; !err && pref <= PREF_LAST; pref++) {
		/* No handle: the kernel takes a free one. No REPLACE: it displaces nobody. */
		LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = prog_fd, .priority = pref);

		err = bpf_tc_attach(&hook, &opts);
		if (!err) {
			clsact->filter[direction].handle = opts.handle;
			clsact->filter[direction].pref = opts.priority;
			clsact->filter[direction].prog = opts.prog_id;
			return 0;
		}
		if (err == -EINVAL && pref < PREF_LAST)
			err = 0; /* a filter of another kind has this pref */
	}
	return err;
}

bool la_clsact_holds(const struct la_clsact *clsact, enum la_direction direction)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = clsact->ifindex,
		    .attach_point = points[direction]);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = clsact->filter[direction].handle,
		    .priority = clsact->filter[direction].pref);

	return clsact->filter[direction].pref && !bpf_tc_query(&hook, &opts) &&
	       opts.prog_id == clsact->filter[direction].prog;
}

void la_clsact_remove(struct la_clsact *clsact)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = clsact->ifindex);
	bool stranger = false; /* a filter of ours is missing: it may be another qdisc */

	for (enum la_direction i = LA_INGRESS; i <= LA_EGRESS; i++) {
		LIBBPF_OPTS(bpf_tc_opts, opts, .handle = clsact->filter[i].handle,
			    .priority = clsact->filter[i].pref);

		hook.attach_point = points[i];
		if (la_clsact_holds(clsact, i))
			bpf_tc_detach(&hook, &opts);
		else if (clsact->filter[i].pref)
			stranger = true;
		clsact->filter[i].pref = 0;
	}
	hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
	if (clsact->made_qdisc && !stranger && !in_use(clsact))
		bpf_tc_hook_destroy(&hook);
	clsact->made_qdisc = false;
	la_bpf_log_forget();
}

void la_clsact_remedy(const struct la_clsact *clsact, const char *ifname, char *text, size_t size)
{
	size_t used = 0;

	for (int i = LA_INGRESS; i <= LA_EGRESS && used < size; i++)
		if (clsact->filter[i].pref)
			used += (size_t)snprintf(text + used, size - used,
						 "%stc filter del dev %s %s pref %u handle %u bpf",
						 used ? "; " : "", ifname, names[i],
						 clsact->filter[i].pref, clsact->filter[i].handle);
}
