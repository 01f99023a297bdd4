/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * owners.c - see owners.h.
 *
 * Two tables that meet at the number of a socket's inode: ends of connections, and owners.
 */
#include "owners.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uthash.h>

/* Addresses as in la_key, IPv4 mapped; ports in network byte order. */
struct tuple {
	__u8 here[16], there[16];
	__be16 port, peer;
};

struct end {
	struct tuple tuple;
	unsigned int inode;
	UT_hash_handle hh;
};

struct inode {
	unsigned int number;
	struct la_owner owner;
	UT_hash_handle hh;
};

struct la_owners {
	struct end *ends;
	struct inode *inodes;
};

/* ---- sockets ---- */

static void put_addr(__u8 to[16], const __be32 from[4], unsigned int family)
{
	static const __u8 mapped[12] = {[10] = 0xff, 0xff};

	if (family == AF_INET6) {
		memcpy(to, from, 16);
		return;
	}
	memcpy(to, mapped, 12);
	memcpy(to + 12, from, 4);
}

static struct inode *inode_of(struct la_owners *owners, unsigned int number, unsigned int uid)
{
	struct inode *inode;

	HASH_FIND_INT(owners->inodes, &number, inode);
	if (inode)
		return inode;
	inode = calloc(1, sizeof(*inode));
	if (!inode)
		return NULL;
	inode->number = number;
	inode->owner.uid = uid;
	HASH_ADD_INT(owners->inodes, number, inode);
	return inode;
}

static int take_socket(const struct nlmsghdr *message, void *ctx)
{
	const struct inet_diag_msg *sock = mnl_nlmsg_get_payload(message);
	struct la_owners *owners = ctx;
	struct end *end;

	if (!sock->idiag_inode || !inode_of(owners, sock->idiag_inode, sock->idiag_uid))
		return MNL_CB_OK;
	end = calloc(1, sizeof(*end));
	if (!end)
		return MNL_CB_ERROR;
	put_addr(end->tuple.here, sock->id.idiag_src, sock->idiag_family);
	put_addr(end->tuple.there, sock->id.idiag_dst, sock->idiag_family);
	end->tuple.port = sock->id.idiag_sport;
	end->tuple.peer = sock->id.idiag_dport;
	end->inode = sock->idiag_inode;
	HASH_ADD(hh, owners->ends, tuple, sizeof(end->tuple), end);
	return MNL_CB_OK;
}

static int read_sockets(struct la_owners *owners, struct mnl_socket *nl, unsigned int family)
{
	char buffer[32768];
	struct nlmsghdr *ask = mnl_nlmsg_put_header(buffer);
	struct inet_diag_req_v2 *what;
	ssize_t size;
	int more = MNL_CB_OK;

	ask->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	ask->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	what = mnl_nlmsg_put_extra_header(ask, sizeof(*what));
	what->sdiag_family = (__u8)family;
	what->sdiag_protocol = IPPROTO_TCP;
	what->idiag_states = ~0U;
	if (mnl_socket_sendto(nl, ask, ask->nlmsg_len) < 0)
		return -1;
	while (more == MNL_CB_OK) {
		size = mnl_socket_recvfrom(nl, buffer, sizeof(buffer));
		if (size < 0)
			return -1;
		more = mnl_cb_run(buffer, (size_t)size, 0, 0, take_socket, owners);
	}
	return more == MNL_CB_STOP ? 0 : -1;
}

static int read_all_sockets(struct la_owners *owners)
{
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
	int err = -1;

	if (nl && !mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID))
		err = read_sockets(owners, nl, AF_INET) || read_sockets(owners, nl, AF_INET6) ? -1
											      : 0;
	if (nl)
		mnl_socket_close(nl);
	return err;
}

/* ---- processes ---- */

static void read_comm(int pid, char comm[16])
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "re");
	if (!file)
		return;
	if (fgets(comm, 16, file))
		comm[strcspn(comm, "\n")] = '\0';
	fclose(file);
}

/* A process has a socket open, perhaps by several descriptors. */
static void note_owner(struct inode *inode, int pid, int *last)
{
	struct la_owner *owner = &inode->owner;

	if (!owner->pid) {
		owner->pid = pid;
		read_comm(pid, owner->comm);
	} else if (owner->pid != pid && *last != (int)inode->number) {
		owner->others++;
	}
	*last = (int)inode->number;
}

static void read_descriptors(struct la_owners *owners, int pid)
{
	char path[300], target[64];
	const struct dirent *entry;
	struct inode *inode;
	unsigned int number;
	int last = 0;
	ssize_t size;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%s", pid, entry->d_name);
		size = readlink(path, target, sizeof(target) - 1);
		target[size > 0 ? size : 0] = '\0';
		if (sscanf(target, "socket:[%u]", &number) != 1)
			continue;
		HASH_FIND_INT(owners->inodes, &number, inode);
		if (inode)
			note_owner(inode, pid, &last);
	}
	if (dir)
		closedir(dir);
}

/* A process that has ended meanwhile, or that is not to be looked at, owns nothing. */
static int read_processes(struct la_owners *owners)
{
	const struct dirent *entry;
	DIR *proc = opendir("/proc");
	int pid;

	if (!proc)
		return -1;
	while ((entry = readdir(proc))) {
		pid = atoi(entry->d_name);
		if (pid > 0)
			read_descriptors(owners, pid);
	}
	closedir(proc);
	return 0;
}

struct la_owners *la_owners_read(void)
{
	struct la_owners *owners = calloc(1, sizeof(*owners));
	int err;

	if (owners && !read_all_sockets(owners) && !read_processes(owners))
		return owners;
	err = errno;
	la_owners_free(owners);
	errno = err;
	return NULL;
}

const struct la_owner *la_owners_find(const struct la_owners *owners, const struct la_key *key,
				      int side)
{
	const struct inode *inode = NULL;
	const struct end *end;
	struct tuple tuple;

	memset(&tuple, 0, sizeof(tuple));
	memcpy(tuple.here, key->addr[side & 1], 16);
	memcpy(tuple.there, key->addr[!(side & 1)], 16);
	tuple.port = key->port[side & 1];
	tuple.peer = key->port[!(side & 1)];
	HASH_FIND(hh, owners->ends, &tuple, sizeof(tuple), end);
	if (end)
		HASH_FIND_INT(owners->inodes, &end->inode, inode);
	return inode ? &inode->owner : NULL;
}

void la_owners_free(struct la_owners *owners)
{
	struct inode *inode, *next_inode;
	struct end *end, *next_end;

	if (!owners)
		return;
	HASH_ITER (hh, owners->ends, end, next_end) {
		HASH_DEL(owners->ends, end);
		free(end);
	}
	HASH_ITER (hh, owners->inodes, inode, next_inode) {
		HASH_DEL(owners->inodes, inode);
		free(inode);
	}
	free(owners);
}
