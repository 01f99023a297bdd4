// SPDX-License-Identifier: GPL-2.0-only
/*
 * owners.bpf.c - which process has the socket at an end of a connection.
 *
 *   listen, connect, close    la_socket_moves   in the process that does it: the socket is its
 *   accept                    (the kernel)      a new socket inherits what is known of the listener
 *   sometimes                 la_socket_held    who has it open by now, and had before we came
 *   open, close               la_socket_moves   by then all ports are known: a line in `owners`
 *   before that               la_owner_of       the socket is looked up, and then as above
 *
 * An object of its own, so that all else runs where this may not, and no packet waits for it: the
 * tracepoint is that of a socket's changes of state. Nothing here depends on what is tracked.
 */
#include "vmlinux.h"

#include "la_owner.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define AF_INET	    2
#define AF_INET6    10
#define IPPROTO_TCP 6
#define PF_KTHREAD  0x00200000

/* What it reads of the kernel's own types. */
#define CORE __attribute__((preserve_access_index))

struct kernfs_node {
	struct kernfs_node *__parent;
	const char *name;
	__u64 id;
} CORE;

/* Before Linux 6.15. */
struct kernfs_node___before {
	struct kernfs_node *parent;
} CORE;

struct cgroup {
	struct kernfs_node *kn;
} CORE;

struct css_set {
	struct cgroup *dfl_cgrp;
} CORE;

struct task_struct {
	unsigned int flags;
	int tgid;
	struct task_struct *group_leader;
	struct css_set *cgroups;
	char comm[LA_COMM_SIZE];
} CORE;

struct ns_common {
	unsigned int inum;
} CORE;

struct net {
	struct ns_common ns;
} CORE;

typedef struct {
	struct net *net;
} CORE possible_net_t;

struct in6_addr {
	__u8 bytes[16];
};

struct sock_common {
	__be32 skc_daddr, skc_rcv_saddr;
	__be16 skc_dport;
	unsigned short skc_family;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
} CORE;

struct sock {
	struct sock_common __sk_common;
	__u16 sk_protocol;
} CORE;

struct inet_sock {
	__be16 inet_sport;
} CORE;

struct socket {
	struct sock *sk;
} CORE;

struct file;

struct bpf_iter__task_file {
	struct task_struct *task;
	struct file *file;
} CORE;

/* States of sockets (net/tcp_states.h). */
enum {
	ESTABLISHED = 1,
	SYN_SENT,
	SYN_RECV,
	FIN_WAIT1,
	LAST_ACK = 9,
	LISTEN,
	NEW_SYN_RECV = 12,
};

/* The sockets of this network namespace count, by its inode number. */
const volatile __u32 la_netns;

/* Which look it is; raised before each. */
__u32 la_look;
/* Connections that were accepted: their sockets are somebody else's than the listener's, perhaps.
 */
__u64 la_accepted;
/* What la_owner_of is asked. */
struct la_key la_wanted;

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct la_owner);
} owner_of_socket SEC(".maps");

/* Who was seen last is forgotten last; what is forgotten of a socket that lives is found again. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct la_key);
	__type(value, struct la_owners_value);
} owners SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct la_cgroup);
} cgroups SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct la_cgroup);
} cgroup_scratch SEC(".maps");

/* ---- a process ---- */

static struct kernfs_node *parent_of(struct kernfs_node *node)
{
	struct kernfs_node___before *before = (void *)node;

	if (bpf_core_field_exists(before->parent))
		return BPF_CORE_READ(before, parent);
	return BPF_CORE_READ(node, __parent);
}

/* Once a cgroup. */
static void remember_cgroup(__u64 id, struct kernfs_node *node)
{
	__u32 zero = 0;
	struct la_cgroup *cgroup = bpf_map_lookup_elem(&cgroup_scratch, &zero);

	if (!cgroup || bpf_map_lookup_elem(&cgroups, &id))
		return;
	__builtin_memset(cgroup, 0, sizeof(*cgroup));
	for (int i = 0; i < LA_CGROUP_DEPTH; i++) {
		struct kernfs_node *parent = parent_of(node);

		if (!parent)
			break;
		bpf_probe_read_kernel_str(cgroup->name[i], LA_CGROUP_NAME,
					  BPF_CORE_READ(node, name));
		node = parent;
	}
	bpf_map_update_elem(&cgroups, &id, cgroup, BPF_ANY);
}

static void describe(struct la_owner *owner, struct task_struct *task)
{
	struct kernfs_node *node = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn);
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);

	owner->pid = BPF_CORE_READ(task, tgid);
	owner->cgroup = BPF_CORE_READ(node, id);
	BPF_CORE_READ_STR_INTO(&owner->comm, leader, comm);
	remember_cgroup(owner->cgroup, node);
}

/* ---- a socket ---- */

static bool is_ours(struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family;

	return (family == AF_INET || family == AF_INET6) && sk->sk_protocol == IPPROTO_TCP &&
	       sk->__sk_common.skc_net.net->ns.inum == la_netns;
}

/* The kernel's own threads close what was a process's: that changes nothing. */
static void belongs_to(struct sock *sk, struct task_struct *task, __u32 look)
{
	struct la_owner *owner;

	if (BPF_CORE_READ(task, flags) & PF_KTHREAD)
		return;
	owner = bpf_sk_storage_get(&owner_of_socket, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!owner || (look && owner->look == look))
		return;
	owner->look = look;
	describe(owner, task);
}

/* Both ends may be sockets of this host, and be told of at once. */
static void tell(const struct la_key *key, __u8 side, const struct la_owner *owner)
{
	struct la_owners_value *value = bpf_map_lookup_elem(&owners, key), new = {};

	new.side[side & 1] = *owner;
	if (!value && bpf_map_update_elem(&owners, key, &new, BPF_NOEXIST))
		value = bpf_map_lookup_elem(&owners, key);
	if (value)
		value->side[side & 1] = *owner;
}

static void tell_of(struct sock *sk)
{
	const struct la_owner *owner = bpf_sk_storage_get(&owner_of_socket, sk, NULL, 0);
	const struct sock_common *common = &sk->__sk_common;
	const struct inet_sock *inet = (const struct inet_sock *)sk;
	__u8 here[16] __attribute__((aligned(8))), there[16] __attribute__((aligned(8)));
	struct la_key key;
	__u8 side;

	if (!owner || !common->skc_dport)
		return;
	if (common->skc_family == AF_INET) {
		la_addr_map_v4(here, common->skc_rcv_saddr);
		la_addr_map_v4(there, common->skc_daddr);
	} else {
		BPF_CORE_READ_INTO(&here, common, skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&there, common, skc_v6_daddr);
	}
	/* skc_num is 0 by the time that it closes */
	side = la_key_fill(&key, here, BPF_CORE_READ(inet, inet_sport), there, common->skc_dport);
	tell(&key, side, owner);
}

SEC("tp_btf/inet_sock_set_state") int la_socket_moves(__u64 *ctx)
{
	struct sock *sk = (struct sock *)ctx[0];
	int from = (int)ctx[1], to = (int)ctx[2];

	if (!is_ours(sk))
		return 0;
	/* these are done by who has it; all others by whoever comes along, if only an interrupt */
	if (to == SYN_SENT || to == LISTEN || to == FIN_WAIT1 || to == LAST_ACK)
		belongs_to(sk, bpf_get_current_task_btf(), 0);
	if (from == SYN_RECV && to == ESTABLISHED)
		__sync_fetch_and_add(&la_accepted, 1);
	if (from == SYN_SENT || to == ESTABLISHED || to == FIN_WAIT1 || to == LAST_ACK)
		tell_of(sk);
	return 0;
}

/* Of several processes the first one counts. */
SEC("iter/task_file") int la_socket_held(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct socket *socket;
	struct sock *sk;

	if (!task || !file)
		return 0;
	socket = bpf_sock_from_file(file);
	sk = socket ? socket->sk : NULL;
	if (!sk || !is_ours(sk))
		return 0;
	belongs_to(sk, task, la_look);
	tell_of(sk);
	return 0;
}

/* ---- a connection that is not open yet ---- */

static struct bpf_sock *look_up(struct __sk_buff *skb, const struct la_key *key, __u8 side)
{
	struct bpf_sock_tuple tuple = {};
	__u8 peer = !(side & 1);
	__u32 size = sizeof(tuple.ipv6);

	side &= 1;
	if (la_key_is_v4(key)) {
		size = sizeof(tuple.ipv4);
		__builtin_memcpy(&tuple.ipv4.saddr, key->addr[peer] + 12, 4);
		__builtin_memcpy(&tuple.ipv4.daddr, key->addr[side] + 12, 4);
		tuple.ipv4.sport = key->port[peer];
		tuple.ipv4.dport = key->port[side];
	} else {
		__builtin_memcpy(tuple.ipv6.saddr, key->addr[peer], 16);
		__builtin_memcpy(tuple.ipv6.daddr, key->addr[side], 16);
		tuple.ipv6.sport = key->port[peer];
		tuple.ipv6.dport = key->port[side];
	}
	return bpf_skc_lookup_tcp(skb, &tuple, size, BPF_F_CURRENT_NETNS, 0);
}

/* One that listens at all addresses is found for any, also for what is only forwarded. */
static struct bpf_sock *owned_part(struct bpf_sock *sk)
{
	if (sk->state == LISTEN)
		return NULL;
	return sk->state == NEW_SYN_RECV ? bpf_get_listener_sock(sk) : bpf_sk_fullsock(sk);
}

static void find_owner(struct __sk_buff *skb, const struct la_key *key, __u8 side)
{
	struct bpf_sock *sk = look_up(skb, key, side), *full;
	const struct la_owner *owner;

	if (!sk)
		return;
	full = owned_part(sk);
	owner = full ? bpf_sk_storage_get(&owner_of_socket, full, NULL, 0) : NULL;
	if (owner)
		tell(key, side, owner);
	bpf_sk_release(sk);
}

/* Run by hand, on no packet. */
SEC("tc") int la_owner_of(struct __sk_buff *skb)
{
	struct la_key key = la_wanted;

	find_owner(skb, &key, 0);
	find_owner(skb, &key, 1);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
