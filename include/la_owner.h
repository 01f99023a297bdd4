/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * la_owner.h - who owns the socket at an end of a connection: what crosses between the programs of
 * bpf/owners.bpf.c and userspace.
 */
#ifndef LA_OWNER_H
#define LA_OWNER_H

#include "la_key.h"

#define LA_COMM_SIZE 16

/* A process as the kernel knows it. */
struct la_owner {
	__u64 cgroup; /* id in the unified hierarchy */
	__u32 pid;    /* in the first pid namespace; 0: nobody is known */
	__u32 look;   /* number of the look that found it; 0: it was seen to act */
	char comm[LA_COMM_SIZE];
};

/* Of a connection, by index in its key: an end that is no socket of this host has nobody. */
struct la_owners_value {
	struct la_owner side[2];
};

#define LA_CGROUP_DEPTH 8
#define LA_CGROUP_NAME	128

/* Names of a cgroup and of those above it, but for the root; empty ones follow the last. */
struct la_cgroup {
	char name[LA_CGROUP_DEPTH][LA_CGROUP_NAME];
};

_Static_assert(sizeof(struct la_owner) == 32, "ABI");
_Static_assert(sizeof(struct la_cgroup) == 1024, "ABI");

#endif
