/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * owners.h - which processes own the ends of a connection that are sockets of this host.
 *
 * The kernel notes it when a process connects, listens or closes (bpf/owners.bpf.c), also of a
 * connection that is over before anybody can look; userspace reads the notes. What was open before
 * is found by a look at all open files, which is repeated while connections are accepted: a socket
 * that was accepted belongs to who listened, until somebody else is seen to have it.
 *
 * `run` opens them and passes the maps on; verbs that ask a lastack take them. Only sockets of the
 * network namespace in which they were opened are known.
 */
#ifndef LA_USER_OWNERS_H
#define LA_USER_OWNERS_H

#include "la_abi.h"
#include "la_owner.h"
#include "map_fds.h"

struct la_owners;

#define LA_CGROUP_PATH (LA_CGROUP_DEPTH * (LA_CGROUP_NAME + 1))

/* A process, in words. */
struct la_owned {
	__u32 pid; /* in the first pid namespace; 0: nobody is known, and texts are empty */
	char comm[LA_COMM_SIZE];
	char cgroup[LA_CGROUP_PATH]; /* from the root of the unified hierarchy, "/" itself */
};

/* How a record finds the owners of both ends, by enum la_endpoint. */
typedef void (*la_owners_fn)(const struct la_rec *rec, struct la_owned own[2], void *ctx);

/*
 * Loads the programs and looks. NULL: it cannot be, and why is on stderr; all but the owners works
 * without.
 */
struct la_owners *la_owners_open(bool debug);

/* The maps of another process, from la_owners_maps(). NULL: they are not among them. */
struct la_owners *la_owners_take(const struct la_map_fds *maps);

/* Adds their maps to others; they keep owning the file descriptors. NULL is allowed. */
void la_owners_maps(const struct la_owners *owners, struct la_map_fds *maps);

/*
 * A record is about to be told: if it is of a handshake, whose sockets are not connected yet, asks
 * for them. NULL is allowed.
 */
void la_owners_meet(struct la_owners *owners, const struct la_rec *rec);

/*
 * To be called a few times a second. Looks who has sockets open, a while after some were accepted,
 * and so seldom that it takes no more than one part in a hundred of a CPU. NULL is allowed.
 */
void la_owners_look(struct la_owners *owners, __u64 now);

/* A la_owners_fn; ctx: struct la_owners, or NULL. By any thread. */
void la_owners_of(const struct la_rec *rec, struct la_owned own[2], void *ctx);

/* NULL is allowed. */
void la_owners_free(struct la_owners *owners);

#endif
