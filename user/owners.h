/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * owners.h - which processes of this host own the ends of a connection that are sockets here.
 *
 * A look at all TCP sockets of this network namespace (inet_diag) and at the descriptors of all
 * processes that this one may look at (proc(5)), as `ss -p` does it: true at that moment, and
 * only while the socket is open. For the verbs that explain a connection.
 */
#ifndef LA_USER_OWNERS_H
#define LA_USER_OWNERS_H

#include "la_key.h"

struct la_owners;

struct la_owner {
	int pid;	  /* of the first process found; 0: none, or none that may be looked at */
	unsigned int uid; /* of the socket */
	int others;	  /* further processes that have it open */
	char comm[16];
};

/* Looks. NULL: it cannot, with errno. */
struct la_owners *la_owners_read(void);

/* Who has the socket of the end `side` (index in the key); NULL: it is not here, or closed. */
const struct la_owner *la_owners_find(const struct la_owners *owners, const struct la_key *key,
				      int side);

/* NULL is allowed. */
void la_owners_free(struct la_owners *owners);

#endif
